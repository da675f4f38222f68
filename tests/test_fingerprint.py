"""A digest of a stage's code changes with what the stage reaches, and with nothing else."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hustings import fingerprint
from hustings.fingerprint import code_digest, digest


@pytest.fixture
def copied(tmp_path, monkeypatch):
    """A copy of the package that may be changed, and a function that appends a line to one of its files."""
    root = tmp_path / "hustings"
    shutil.copytree(
        Path(fingerprint.__file__).parent, root, ignore=shutil.ignore_patterns("__pycache__", "*.woff2")
    )
    monkeypatch.setattr(fingerprint, "ROOT", root)

    def forget():
        for cached in (fingerprint.code_digest, fingerprint._path, fingerprint._imports):
            cached.cache_clear()

    def change(file: str, line: str = "# changed\n"):
        with (root / file).open("a") as text:
            text.write(line)
        forget()

    forget()
    yield change
    forget()


LIFTS = "hustings.experiments.lifts"


@pytest.mark.parametrize(
    "file",
    [
        "experiments/lifts.py",
        "experiments/arms.py",
        "stats/means.py",
        "stats/clusters.py",
        "warehouse/arrays.py",
    ],
)
def test_a_change_in_what_a_stage_reaches_changes_its_digest(copied, file):
    before = code_digest(LIFTS)
    copied(file)
    assert code_digest(LIFTS) != before


@pytest.mark.parametrize(
    "file",
    [
        "stats/allocation.py",
        "features/features.py",
        "sources/rules.py",
        "stage.py",
        "errors.py",
        "tables/derived.py",
        "flow.py",
    ],
)
def test_a_change_elsewhere_does_not(copied, file):
    before = code_digest(LIFTS)
    copied(file)
    assert code_digest(LIFTS) == before


def test_a_module_that_is_imported_within_a_function_counts(copied):
    before = code_digest("hustings.sources.collect")
    copied("sources/rules.py")
    assert code_digest("hustings.sources.collect") != before


def test_a_module_that_is_named_newly_counts_from_then_on(copied):
    copied("experiments/lifts.py", "\nOTHER = stats.allocation\n")
    before = code_digest(LIFTS)
    copied("stats/allocation.py")
    assert code_digest(LIFTS) != before


def test_how_files_are_read_counts_for_collecting_and_the_seed_only_for_what_draws(toys, monkeypatch):
    from hustings import order
    from hustings.campaign import read_campaign

    asked = []
    monkeypatch.setattr(order, "code_digest", lambda module: asked.append(module) or "same")
    campaign = read_campaign(toys.folder)
    for node in order.plan(campaign, stages=toys.stages):
        order.fingerprint(campaign, node, dict.fromkeys(node.needs, ""))
    assert "hustings.warehouse.landing" not in asked
    from hustings.sources.collect import collect
    from hustings.stage import describe

    node = order.Node("records.a", describe(collect), {"path": "none.csv"})
    order.fingerprint(campaign, node, {})
    assert "hustings.warehouse.landing" in asked


def test_a_stage_outside_hustings_is_digested_alone():
    import toy_stages

    assert code_digest("toy_stages") == digest("toy_stages", Path(toy_stages.__file__).read_bytes())
    assert code_digest("no.such.module") == digest("no.such.module", "no.such.module")


@given(st.lists(st.text(max_size=3), max_size=4), st.lists(st.text(max_size=3), max_size=4))
def test_different_texts_have_different_digests(one, other):
    assert (digest(*one) == digest(*other)) == (one == other)
