"""A simulated campaign that has been run once, and the command line in this process."""

from __future__ import annotations

import io
import shutil
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import NamedTuple

import pytest

from hustings.cli import main
from hustings.simulate import write_campaign

PEOPLE = 2_000


class Said(NamedTuple):
    """What a command said."""

    code: int
    out: str
    err: str


def hustings(*arguments: object) -> Said:
    """Run one command."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = main([str(argument) for argument in arguments])
    return Said(code, out.getvalue(), err.getvalue())


@pytest.fixture(scope="session", name="hustings")
def _hustings():
    return hustings


@pytest.fixture(scope="session")
def finished(tmp_path_factory) -> tuple[Path, Said]:
    """The folder of a campaign, and what its first run said."""
    folder = tmp_path_factory.mktemp("finished") / "campaign"
    write_campaign(folder, people=PEOPLE, seed=3)
    said = hustings("run", "-C", folder)
    assert said.code == 0, said.err
    return folder, said


@pytest.fixture
def fresh(tmp_path) -> Path:
    """The folder of a campaign that was never run."""
    write_campaign(tmp_path / "fresh", people=1_000, seed=3)
    return tmp_path / "fresh"


@pytest.fixture
def copied(finished, tmp_path) -> Path:
    """A copy of the campaign that was run, to be changed."""
    shutil.copytree(finished[0], tmp_path / "copied")
    return tmp_path / "copied"
