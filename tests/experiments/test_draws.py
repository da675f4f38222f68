"""Tests that we draw: once, as declared, kept, sealed, and cut as lists."""

from __future__ import annotations

import csv
import datetime
import json
import shutil
from pathlib import Path

import ibis
import numpy as np
import pytest

from hustings import flow
from hustings.campaign import read_campaign
from hustings.errors import DesignError, SettingError, TableError
from hustings.experiments.declared import why_sealed
from hustings.experiments.draws import Design, check_design, check_unchanged, draw_people
from hustings.exports.lists import cut
from hustings.simulate import write_campaign

DAY = datetime.date(2026, 7, 20)
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
"""
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
    text = (folder / "campaign.toml").read_text()
    (folder / "campaign.toml").write_text(text[: text.index("[experiments.mailers]")] + TEST)
    edit(folder, ("as_of = 2026-07-27", "as_of = 2026-07-19"))
    run(folder)
    return folder


@pytest.fixture(scope="module")
def after(before, tmp_path_factory) -> Path:
    """The same on the day after."""
    folder = tmp_path_factory.mktemp("drawn") / "campaign"
    shutil.copytree(before, folder)
    edit(folder, ("as_of = 2026-07-19", "as_of = 2026-07-21"))
    run(folder)
    return folder


@pytest.fixture
def copied(after, tmp_path) -> Path:
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


def test_the_same_campaign_draws_the_same_again(before, after, rows, tmp_path):
    shutil.copytree(before, tmp_path / "again")
    edit(tmp_path / "again", ("as_of = 2026-07-19", "as_of = 2026-07-24"))
    run(tmp_path / "again", "assignments")
    assert rows(tmp_path / "again", "drawn_people") == rows(after, "drawn_people")


DESIGN = Design(
    "household", "none", {"none": 2, "plain": 1, "social": 1}, DAY, {}, ["region_id"], ["age"], 0.1, None,
    ["mail"], datetime.date(2026, 11, 20), None,
)  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"planned_shares": {"none": 5.0, "plain": 1, "social": 1}}, "planned_shares"),
        ({"unit": "person"}, "unit \\(then household, now person\\)"),
        ({"read_on": datetime.date(2026, 8, 20)}, "read_on"),
    ],
)
def test_other_settings_after_the_draw_are_refused_by_name(changed, told):
    recorded = {"settings": DESIGN.text(), "drawn_on": DAY}
    check_unchanged(DESIGN, recorded, "letters")
    with pytest.raises(DesignError, match=f"was drawn on 2026-07-20 with other settings: {told}"):
        check_unchanged(DESIGN._replace(**changed), recorded, "letters")


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"read_on": None}, "does not say when it will be read"),
        ({"read_on": datetime.date(2026, 7, 1)}, "read before it is drawn"),
        ({"channels": []}, "refusal"),
        ({"channels": ["pigeon"]}, "Unknown channel"),
        ({"planned_shares": {"plain": 1, "social": 1}}, "must name control"),
        ({"planned_shares": {"none": 1, "social": 0}}, "above 0"),
        ({"draw_blocks": ["region"]}, "draw_blocks: no column 'region'"),
        ({"draw_blocks": ["age"]}, "too many values to be a block"),
        ({"balance_on": ["ages"]}, "did you mean 'age'"),
        ({"n_units": 5_000}, "no more than there are"),
        ({"planned_shares": dict.fromkeys(["none", *map(str, range(299))], 1)}, "two units for each arm"),
    ],
)
def test_a_design_that_cannot_be_drawn_is_refused(changed, told):
    with pytest.raises((DesignError, SettingError), match=told):
        drawn(DESIGN._replace(**changed))


def drawn(design: Design, refusing: tuple[str, ...] = ()) -> tuple[dict, dict]:
    check_design(design, "letters")
    n = 240
    people = {
        "person_id": [f"p{i:03}" for i in range(n)],
        "household_id": [f"h{i // 2:03}" for i in range(n)],
        "region_id": ["east" if i % 6 < 3 else "west" for i in range(n)],
        "place_id": [None] * n,
        "age": [20.0 + i * 7.31 % 60 for i in range(n)],
    }
    rows = ibis.memtable(people, schema=dict.fromkeys(people, "string") | {"age": "float64"})
    rng = np.random.default_rng(1)
    return draw_people(rows, np.array(refusing, dtype=object), design, "letters", rng)


def test_a_household_that_refuses_is_not_drawn_and_counted():
    rows, counts = drawn(DESIGN, ("h003", "h007"))
    assert not {"h003", "h007"} & set(rows["unit_id"])
    assert (counts["n_refused"], counts["n_people"], counts["n_units"]) == (4, 236, 118)


def test_as_many_units_are_drawn_as_are_wished_and_without_blocks_there_is_none():
    rows, counts = drawn(DESIGN._replace(n_units=40, draw_blocks=[], balance_on=[]))
    assert (counts["n_units"], counts["n_blocks"], counts["n_draws"]) == (40, 1, 1)
    assert counts["p_balance"] is None
    assert set(rows["block_id"]) == {None}


def test_someone_of_no_known_place_is_a_unit_of_their_own():
    rows, counts = drawn(DESIGN._replace(unit="place"))
    assert counts["n_units"] == 240
    assert list(rows["unit_id"]) == list(rows["person_id"])


def test_settings_that_change_stop_the_run_and_keep_the_draw(copied, rows):
    edit(copied, ("none = 2", "none = 5"))
    with pytest.raises(DesignError, match="give the new test a name of its own"):
        run(copied, "assignments")
    assert len(rows(copied, "draws")) == 1


def test_a_sealed_test_shows_only_the_reading_for_any_time(after, rows):
    found = {(row["arm"], row["estimator"]): row for row in of(rows(after, "lifts"))}
    for (_, estimator), row in found.items():
        if estimator == "anytime":
            assert row["low"] < row["estimate"] < row["high"]
        else:
            assert row["estimate"] is row["mean_arm"] is row["p_value"] is row["q_value"] is None
            assert row["reason"] == "sealed until 2026-11-20"
    assert of(rows(after, "experiments"))[0]["sealed"] == "sealed until 2026-11-20"


def test_later_it_is_read_in_every_way_and_was_not_drawn_again(copied, rows):
    drawn = rows(copied, "drawn_people")
    edit(copied, ("as_of = 2026-07-21", "as_of = 2026-11-20"), ("seed = 5", "seed = 6"))
    run(copied, "lifts")
    assert rows(copied, "drawn_people") == drawn
    assert len(of(rows(copied, "assignments"))) == len(drawn)
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
"""
    edit(
        copied,
        ("smallest_effect = 0.03\n", "smallest_effect = 0.03\n" + block),
        ("as_of = 2026-07-21", "as_of = 2026-11-20"),
    )
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
    found = cut(read_campaign(copied), "letters")
    with found.path.open() as file:
        listed = list(csv.DictReader(file))
    homes = {row["unit_id"]: row["arm"] for row in of(rows(copied, "assignments")) if row["arm"] != "none"}
    assert {row["household_id"]: row["action"] for row in listed} == homes
    assert found.n_rows == len(homes)
    with pytest.raises(TableError, match="did you mean 'letters'"):
        cut(read_campaign(copied), "leters")


def test_a_test_is_sealed_until_both_its_day_and_its_size():
    day = datetime.date(2026, 11, 1)
    assert why_sealed(day, day, 10, 10) is None
    assert why_sealed(day, None, 10, 9) == "sealed until the outcome of 10 people is known (9 now)"
    assert "2026-11-02 and" in why_sealed(day, datetime.date(2026, 11, 2), 10, 9)
