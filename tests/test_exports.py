"""The public face, pinned: a name is added or taken away here first."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version

import pytest

import hustings

FACE = ("Campaign", "HustingsError", "Report", "__version__", "plan", "read", "read_campaign", "run")


def test_the_public_names_are_these():
    assert tuple(hustings.__all__) == FACE
    assert dir(hustings) == sorted(FACE)


@pytest.mark.parametrize("name", FACE)
def test_every_public_name_is_there(name):
    assert getattr(hustings, name) is not None


def test_the_version_is_that_of_the_package():
    assert hustings.__version__ == version("hustings")


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'rum'"):
        _ = hustings.rum


def test_importing_the_package_imports_nothing_else():
    code = "import sys; before = set(sys.modules); import hustings; print(set(sys.modules) - before)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    found = {
        name
        for name in ("numpy", "pandas", "ibis", "duckdb", "pydantic", "hustings.flow")
        if name in done.stdout
    }
    assert found == set()
