"""Fixtures for every test.

`make_folder(toml, **files)`   a campaign's folder: campaign.toml and further files (text or bytes; `__` in a
                               keyword stands for the dot of the file's name)
`toys`                         a campaign of toy stages (`toy_stages.py`): `.run()`, `.rows(table)`, `.set(toml)`
`ran_toys`                     the same, run and published once
`simulated`                    session: a simulated campaign of 2,000 people, run up to its lifts; do not change it
`michigan`                     session, about 40 s: the Michigan example, run up to its lifts; do not change it
`data_file(name)`              a file of the shared public data, or a skip that says which one is missing
`rows(folder, table)`          the rows of a published table as dictionaries, sorted
`up_to(folder, function)`      run a folder's playbook up to the stage whose function has that name

`toy_stages` can be imported by name; so can this folder's other modules.
"""

from __future__ import annotations

import dataclasses
import os
import shutil
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from hustings import flow, playbooks
from hustings.campaign import Campaign, read_campaign
from hustings.instances import _owned
from hustings.sources.public import data_folder
from hustings.stage import Stage, describe
from hustings.tables import TABLES
from hustings.warehouse import open_published, read, store

PROJECT = Path(__file__).resolve().parents[1]


def stages_up_to(last: str) -> list[Stage]:
    """The playbook's stages up to the function of that name."""
    found = []
    for path in playbooks.stages("election"):
        module, _, function = path.partition(":")
        found.append(describe(getattr(import_module(module), function)))
        if function == last:
            break
    return found


def only(campaign: Campaign, stages: Sequence[Stage]) -> Campaign:
    """The campaign without the sections and keys that these stages do not know."""
    owned = _owned(stages)
    sections: dict[str, Any] = {}
    for name, content in campaign.sections.items():
        if name not in owned:
            continue
        each = any(stage.each for stage in stages if stage.section == name)
        parts = content.items() if each else [("", content)]
        kept = {part: {k: v for k, v in given.items() if k in owned[name]} for part, given in parts}
        sections[name] = kept if each else kept[""]
    return dataclasses.replace(campaign, sections=sections)


def run_up_to(folder: Path, last: str) -> flow.Report:
    """Run a folder's playbook up to the stage whose function has that name."""
    stages = stages_up_to(last)
    return flow.run(only(read_campaign(folder), stages), stages=stages)


def published_rows(folder: Path, table: str, as_of: str | None = None) -> list[dict[str, Any]]:
    """The rows of a table of the published run, in the order of its columns' values."""
    lake, _ = open_published(folder / ".hustings", as_of)
    try:
        found = read(lake, table).to_pyarrow().to_pylist()
    finally:
        lake.close()
    return sorted(found, key=lambda row: [str(value) for value in row.values()])


@pytest.fixture(scope="session")
def rows() -> Callable[..., list[dict[str, Any]]]:
    return published_rows


@pytest.fixture(scope="session")
def up_to() -> Callable[[Path, str], flow.Report]:
    return run_up_to


@pytest.fixture
def make_folder(tmp_path: Path) -> Callable[..., Path]:
    def make(toml: str | bytes, **files: str | bytes) -> Path:
        for name, content in {"campaign__toml": toml, **files}.items():
            path = tmp_path / name.replace("__", ".")
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        return tmp_path

    return make


class Toys:
    """A campaign of toy stages in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        import toy_stages

        self.folder, self.stages = folder, toy_stages.STAGES
        self.set(toy_stages.TOML)
        self.numbers(1, 2, 3)

    def set(self, toml: str) -> None:
        """Write campaign.toml."""
        (self.folder / "campaign.toml").write_text(toml)

    def edit(self, old: str, new: str) -> None:
        """Replace a text of campaign.toml that is there."""
        path = self.folder / "campaign.toml"
        assert old in path.read_text()
        path.write_text(path.read_text().replace(old, new))

    def numbers(self, *numbers: int) -> None:
        """Write numbers.txt."""
        (self.folder / "numbers.txt").write_text("\n".join(map(str, numbers)))

    def run(self, *tables: str, stages: Sequence[Stage] | None = None) -> flow.Report:
        """Run what is stale."""
        return flow.run(read_campaign(self.folder), *tables, stages=stages or self.stages)

    def rows(self, table: str, as_of: str | None = None) -> list[dict[str, Any]]:
        """The rows of a published table."""
        return published_rows(self.folder, table, as_of)

    def sums(self, as_of: str | None = None) -> dict[str, float]:
        """The end of the toy flow: each outcome's sum."""
        return {row["covariate"]: row["mean"] for row in self.rows("balances", as_of)}


TOY_TABLES = ("loads", "runs", "households", "outcomes", "balances", "holdouts", "people")


@pytest.fixture
def few_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    """A new warehouse with few tables is made three times as fast."""
    monkeypatch.setattr(store, "TABLES", {name: TABLES[name] for name in TOY_TABLES})


@pytest.fixture
def toys(tmp_path: Path, few_tables: None) -> Toys:
    return Toys(tmp_path)


@pytest.fixture(scope="session")
def _ran_toys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(store, "TABLES", {name: TABLES[name] for name in TOY_TABLES})
        folder = tmp_path_factory.mktemp("toys")
        Toys(folder).run()
    return folder


@pytest.fixture
def ran_toys(toys: Toys, _ran_toys: Path) -> Toys:
    shutil.copytree(_ran_toys, toys.folder, dirs_exist_ok=True)
    return toys


@pytest.fixture(scope="session")
def data_file() -> Callable[[str], Path]:
    def find(name: str) -> Path:
        path = data_folder() / name
        if not path.is_file():
            pytest.skip(f"the public data file {name} is not here (HUSTINGS_DATA)")
        return path

    return find


@pytest.fixture(scope="session")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from hustings.simulate import write_campaign

    folder = tmp_path_factory.mktemp("simulated") / "demo"
    write_campaign(folder, people=2_000, seed=7)
    run_up_to(folder, "measure_lifts")
    return folder


@pytest.fixture(scope="session")
def michigan(tmp_path_factory: pytest.TempPathFactory, data_file: Callable[[str], Path]) -> Path:
    path = data_file("michigan-2006/voters.parquet")
    folder = tmp_path_factory.mktemp("michigan")
    shutil.copy(PROJECT / "examples/michigan-2006/campaign.toml", folder)
    before = os.environ.get("HUSTINGS_DATA")
    os.environ["HUSTINGS_DATA"] = str(path.parents[1])
    try:
        run_up_to(folder, "measure_lifts")
    finally:
        if before is None:
            del os.environ["HUSTINGS_DATA"]
        else:
            os.environ["HUSTINGS_DATA"] = before
    return folder
