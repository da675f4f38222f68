"""A campaign of eight people whose tables were written by hand and published."""

from __future__ import annotations

import datetime
import shutil
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from hustings.tables import TABLES
from hustings.warehouse import open_lake, store, write
from hustings.warehouse.runs import PUBLISHED, last_snapshot, mark, new_run_id

TOML = """\
[campaign]
name = "Small"
election_day = 2026-11-03
"""
NOW = datetime.datetime(2026, 10, 1)
DAY = datetime.date(2026, 10, 1)
NEEDED = (
    "actions", "ballot_lists", "assignments", "contact_plan", "cut_people", "cuts", "decisions", "draws", "identities", "loads", "opt_outs",
    "people", "people_private", "record_events", "runs", "scores", "sharing_options", "sharing_plan", "shifts", "ties", "turf_doors", "visit_plan",
)  # fmt: skip
PHONES = ("202-456-1111", "(202) 456 1111", "202.456.1414", "555-0100", "+44 20 7219 3000", None, "202 224 3121", "202 225 3121")  # fmt: skip


def table(name: str, rows: list[dict[str, Any]]) -> dict[str, list[Any]]:
    return {column: [row.get(column) for row in rows] for column in TABLES[name].names}


def load(source: str, load_id: str, refresh: str = "append") -> dict[str, Any]:
    counts = {"n_read": 1, "n_kept": 1, "n_rejected": 0}
    when = {"arrived_at": NOW, "loaded_at": NOW}
    return {"source": source, "load_id": load_id, "path": "x", "fingerprint": load_id, "refresh": refresh, **counts, **when}  # fmt: skip


def collected(number: int, load_id: str) -> dict[str, Any]:
    own = {"source": "office", "record_source": "voters", "record_id": f"V{number}"}
    return own | {"arrived_at": NOW, "load_id": load_id, "line": 1}


class Small:
    """The campaign's folder, and what may happen after its run was published."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "campaign.toml").write_text(TOML)

    def write(self, publish: bool = False, **rows: list[dict[str, Any]]) -> None:
        with closing(open_lake(self.folder / ".hustings", write=True)) as lake:
            with lake.transaction():
                store.create_tables(lake)
                for name, found in rows.items():
                    write(lake, name, table(name, found), f"{name}.test")
            if publish:
                with lake.transaction():
                    mark(lake, new_run_id(), PUBLISHED, "x", "0", snapshot=last_snapshot(lake))

    def refuse(self, number: int, channel: str) -> None:
        row = collected(number, f"r{number}") | {"channel": channel}
        self.write(loads=[load("office", f"r{number}")], opt_outs=[row])

    def ballot(self, number: int, name: str, at: datetime.datetime) -> None:
        told = {"event_id": f"{number}{name}", "kind": "ballot", "name": name, "happened_at": at}
        self.write(
            loads=[load("office", f"b{number}{name}")],
            record_events=[collected(number, f"b{number}{name}") | told],
        )


def people_tables() -> dict[str, list[dict[str, Any]]]:
    """Households 1 to 4 of two people each; the first of each is the addressee, and 4 is held out."""
    n = range(1, 9)
    home = {i: f"h{(i + 1) // 2}" for i in n}
    return {
        "people": [{"person_id": f"p{i}", "household_id": home[i], "arrived_at": NOW} for i in n],
        "people_private": [
            {
                "person_id": f"p{i}",
                "given_name": "=Ann" if i == 1 else f"Ann{i}",
                "family_name": "O'Brien",
                "address": f"{i} Main",
                "postcode": "48201-1234",
                "phone": PHONES[i - 1],
                "email": f"Ann.{i}@gmail.com",
            }
            for i in n
        ],
        "identities": [
            {"source": source, "record_id": f"{letter}{i}", "person_id": f"p{i}", "p_match": 1.0}
            for source, letter, last in (("voters", "V", 8), ("van", "", 6))
            for i in range(1, last + 1)
        ],
        "scores": [
            {"person_id": f"p{i}", "score": "turnout", "as_of": DAY, "value": i / 10, "out_of_sample": True}
            for i in n
        ],
    }


def plan_tables() -> dict[str, list[dict[str, Any]]]:
    action = {"action": "letter", "channel": "mail", "experiment": "e", "arm": "a", "unit_cost_cents": 1}
    rows = [
        {
            "plan_id": "mail",
            "person_id": f"p{i}",
            "household_id": f"h{(i + 1) // 2}",
            "action": "letter",
            "held_out": i > 6,
            "is_addressee": i % 2 == 1,
        }
        for i in range(1, 9)
    ]
    doors = [
        {"turf_set": "north", "person_id": f"p{i}", "household_id": f"h{(i + 1) // 2}", "turf_id": "R1-1", "door": 9 - i}
        for i in range(1, 9)
    ]  # fmt: skip
    reminded = [
        {
            "list": "chase",
            "person_id": f"p{i}",
            "household_id": f"h{(i + 1) // 2}",
            "state": "sent",
            "rank": i,
        }
        | {"as_of": DAY, "reason": "x"}
        for i in (3, 1, 8)
    ]
    return {
        "actions": [action | {"reaches": "household", "needs_approval": False}],
        "contact_plan": rows,
        "turf_doors": doors,
        "ballot_lists": reminded,
    }


@pytest.fixture(scope="session")
def _published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("small")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(store, "TABLES", {name: TABLES[name] for name in NEEDED})
        Small(folder).write(publish=True, **people_tables(), **plan_tables())
    return folder


@pytest.fixture
def small(tmp_path: Path, _published: Path, monkeypatch: pytest.MonkeyPatch) -> Small:
    monkeypatch.setattr(store, "TABLES", {name: TABLES[name] for name in NEEDED})
    shutil.copytree(_published, tmp_path / "small")
    return Small(tmp_path / "small")


@pytest.fixture
def lines() -> Callable[[Path], list[dict[str, str]]]:
    import csv

    def read(path: Path) -> list[dict[str, str]]:
        with path.open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    return read
