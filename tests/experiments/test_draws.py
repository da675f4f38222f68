"""Tests that we draw: once, as declared, kept, sealed, and cut as lists."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from hustings import flow
from hustings.campaign import read_campaign
from hustings.errors import DesignError, TableError
from hustings.experiments.declared import why_sealed
from hustings.exports.lists import cut
from hustings.simulate import write_campaign

TEST = """
[experiments.letters]
unit = "household"
control = "none"
measured_by = ["voted"]
planned_shares = { none = 2, plain = 1, social = 1 }
draw_on = 2026-07-20
draw_blocks = ["region_id"]
balance_on = ["age", "share_voted"]
channels = ["mail"]
read_on = 2026-11-20
smallest_effect = 0.03

[scores.turnout]"""
NODES = ("designs", "assignments", "experiments", "lifts")


def edit(folder: Path, *changes: tuple[str, str]) -> None:
    path = folder / "campaign.toml"
    text = path.read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    path.write_text(text)


def run(folder: Path, *nodes: str) -> flow.Report:
    return flow.run(read_campaign(folder), *(nodes or NODES))


@pytest.fixture(scope="module")
def before(tmp_path_factory) -> Path:
    """A campaign on the eve of its draw."""
    folder = tmp_path_factory.mktemp("draws") / "campaign"
    write_campaign(folder, people=1_000, seed=5)
    edit(folder, ("[scores.turnout]", TEST), ("as_of = 2026-07-27", "as_of = 2026-07-19"))
    run(folder)
    return folder


@pytest.fixture(scope="module")
def after(before, tmp_path_factory) -> Path:
    """The same on the day after."""
    import shutil

    folder = tmp_path_factory.mktemp("drawn") / "campaign"
    shutil.copytree(before, folder)
    edit(folder, ("as_of = 2026-07-19", "as_of = 2026-07-21"))
    run(folder)
    return folder


@pytest.fixture
def copied(after, tmp_path) -> Path:
    import shutil

    shutil.copytree(after, tmp_path / "copied")
    return tmp_path / "copied"


def of(rows: list[dict], test: str = "letters") -> list[dict]:
    return [row for row in rows if row["experiment"] == test]


def test_before_its_day_nothing_is_drawn_and_every_unit_has_its_power(before, rows):
    assert of(rows(before, "assignments")) == []
    assert "it is drawn on 2026-07-20" in of(rows(before, "experiments"))[0]["reason"]
    powers = {row["unit"]: row for row in rows(before, "designs")}
    assert set(powers) == {"person", "household", "place"}
    assert powers["household"]["is_planned"]
    assert powers["person"]["intraclass"] == 0
    assert 0 < powers["household"]["intraclass"] < 1
    assert powers["person"]["n_needed"] < powers["household"]["n_needed"]


def test_on_its_day_it_is_drawn_as_declared(after, rows):
    people = of(rows(after, "assignments"))
    (draw,) = rows(after, "draws")
    arms = {row["person_id"]: row for row in people}
    homes: dict[str, set[str]] = {}
    for row in people:
        homes.setdefault(row["unit_id"], set()).add(row["arm"])
    assert all(len(found) == 1 for found in homes.values())
    assert draw["n_people"] == len(arms) == of(rows(after, "enrolments"))[0]["n_people"]
    assert draw["n_people"] + draw["n_refused"] == 1_000
    assert draw["p_balance"] > 0.9
    assert {row["block_id"].split("=")[0] for row in people} == {"region_id"}
    test = {row["arm"]: row for row in of(rows(after, "experiments"))}
    assert test["none"]["actual_share"] == pytest.approx(0.5, abs=0.01)
    assert json.loads(draw["settings"])["read_on"] == "2026-11-20"


def test_a_drawn_test_is_never_drawn_again(copied, rows):
    drawn = rows(copied, "drawn_people")
    edit(copied, ("as_of = 2026-07-21", "as_of = 2026-07-30"), ("seed = 5", "seed = 6"))
    run(copied)
    assert rows(copied, "drawn_people") == drawn
    assert len(of(rows(copied, "assignments"))) == len(drawn)


def test_the_same_campaign_draws_the_same_again(before, after, rows, tmp_path):
    import shutil

    shutil.copytree(before, tmp_path / "again")
    edit(tmp_path / "again", ("as_of = 2026-07-19", "as_of = 2026-07-24"))
    run(tmp_path / "again", "assignments")
    assert rows(tmp_path / "again", "drawn_people") == rows(after, "drawn_people")


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("none = 2", "none = 5", "planned_shares"),
        ('unit = "household"\ncontrol = "none"', 'unit = "person"\ncontrol = "none"', "unit"),
        ("read_on = 2026-11-20", "read_on = 2026-08-20", "read_on"),
    ],
)
def test_other_settings_after_the_draw_are_refused_by_name(copied, old, new, told):
    edit(copied, (old, new))
    with pytest.raises(DesignError, match=f"was drawn on 2026-07-20 with other settings: {told}"):
        run(copied, "assignments")


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("read_on = 2026-11-20\n", "", "does not say when it will be read"),
        ('channels = ["mail"]\n', "", "refusal"),
        ("none = 2, ", "", "must name control"),
        ("plain = 1, social = 1 }\ndraw", "plain = 0, social = 1 }\ndraw", "above 0"),
        ('["region_id"]', '["region"]', "draw_blocks: no column 'region'"),
        ('["age", "share', '["ages", "share', "did you mean 'age'"),
        ("draw_blocks", "n_units = 5000\ndraw_blocks", "no more than there are"),
        ("read_on = 2026-11-20", "read_on = 2026-07-01", "read before it is drawn"),
    ],
)
def test_a_design_that_cannot_be_drawn_is_refused(before, tmp_path, old, new, told):
    import shutil

    shutil.copytree(before, tmp_path / "wrong")
    edit(tmp_path / "wrong", (old, new), ("as_of = 2026-07-19", "as_of = 2026-07-20"))
    with pytest.raises(DesignError, match=told):
        run(tmp_path / "wrong", "assignments")


def test_a_sealed_test_shows_only_the_reading_for_any_time(after, rows):
    found = {(row["arm"], row["estimator"]): row for row in of(rows(after, "lifts"))}
    for (_, estimator), row in found.items():
        if estimator == "anytime":
            assert row["low"] < row["estimate"] < row["high"]
        else:
            assert row["estimate"] is row["mean_arm"] is row["p_value"] is row["q_value"] is None
            assert row["reason"] == "sealed until 2026-11-20"
    assert of(rows(after, "experiments"))[0]["sealed"] == "sealed until 2026-11-20"


def test_an_unsealed_test_is_read_in_every_way(copied, rows):
    edit(copied, ("as_of = 2026-07-21", "as_of = 2026-11-20"))
    run(copied, "lifts")
    found = {(row["arm"], row["estimator"]): row for row in of(rows(copied, "lifts"))}
    for estimator in ("intention_to_treat", "block_effects", "adjusted"):
        row = found["plain", estimator]
        assert row["low"] < row["estimate"] < row["high"]
        assert 0 <= row["p_value"] <= row["q_value"] <= 1
    assert found["plain", "contacted"]["reason"] == "no file says who was reached"


def test_a_file_that_contradicts_the_draw_is_counted_and_left_out(copied, rows):
    people = of(rows(copied, "assignments"))
    told = [
        ("none" if i < 3 else row["arm"], row)
        for i, row in enumerate(r for r in people if r["arm"] == "plain")
    ]
    lines = "\n".join(f"{row['person_id'].split(':')[1]},{arm},1" for arm, row in told)
    (copied / "sources" / "reached.csv").write_text(f"id,arm,reached\n{lines}\n")
    block = """
[sources.reached]
path = "sources/reached.csv"
people_from = "voters"
arrived_on = 2026-07-20

[[sources.reached.record_assignments]]
record_id = "id"
experiment = { constant = "letters" }
arm = "arm"
contacted = "reached"

[scores.turnout]"""
    edit(copied, ("[scores.turnout]", block), ("as_of = 2026-07-21", "as_of = 2026-11-20"))
    run(copied)
    (counted,) = of(rows(copied, "enrolments"))
    assert (counted["n_told"], counted["n_two_arms"]) == (len(told), 3)
    assert counted["n_people"] == counted["n_drawn"] - 3
    first = of(rows(copied, "experiments"))[0]
    assert first["reason"] == "3 people are told of in several arms and were left out"
    reached = {row["arm"]: row for row in of(rows(copied, "lifts")) if row["estimator"] == "contacted"}
    assert reached["plain"]["estimate"] is not None
    assert "is not known" in reached["social"]["reason"]


def test_the_list_of_a_test_has_its_arms_without_control_and_without_refusals(copied, rows):
    flow.run(read_campaign(copied), "people", "assignments", "decisions")
    found = cut(read_campaign(copied), "letters")
    with found.path.open() as file:
        listed = list(csv.DictReader(file))
    homes = {row["unit_id"]: row["arm"] for row in of(rows(copied, "assignments")) if row["arm"] != "none"}
    assert {row["household_id"]: row["action"] for row in listed} == homes
    assert found.n_rows == len(homes)
    with pytest.raises(TableError, match="did you mean 'letters'"):
        cut(read_campaign(copied), "leters")


def test_a_test_is_sealed_until_both_its_day_and_its_size():
    import datetime

    day = datetime.date(2026, 11, 1)
    assert why_sealed(day, day, 10, 10) is None
    assert why_sealed(day, None, 10, 9) == "sealed until the outcome of 10 people is known (9 now)"
    assert "2026-11-02 and" in why_sealed(day, datetime.date(2026, 11, 2), 10, 9)
