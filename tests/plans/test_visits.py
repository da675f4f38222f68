"""The candidate's visits on tiny tables."""

from __future__ import annotations

import datetime

import ibis
import numpy as np
import pytest

from hustings.errors import DesignError
from hustings.plans.visits import plan_the_visits
from hustings.tables import TABLES

ELECTION, TODAY = datetime.date(2026, 11, 3), datetime.date(2026, 10, 26)
KINDS = {"text": "string", "integer": "int64", "number": "float64", "boolean": "boolean", "day": "date", "time": "timestamp"}  # fmt: skip
# Value of a net vote, votes, share, latitude, longitude.
PLACES = {
    "A": (1e-6, 300_000.0, 0.50, 42.0, -85.0),
    "B": (4e-6, 200_000.0, 0.52, 42.5, -85.0),
    "C": (0.0, 900_000.0, 0.80, 41.5, -85.0),
    "D": (9e-6, 500_000.0, 0.51, None, None),
}


def table(name, rows):
    kinds = {column.name: KINDS[column.type] for column in TABLES[name].columns}
    return ibis.memtable([{key: row.get(key) for key in kinds} for row in rows], schema=ibis.schema(kinds))


def visits(places=None, **settings):
    found = places if places is not None else PLACES
    values = [
        {"race": "r", "place_id": name, "name": name, "value": v, "std_error": v / 10, "votes": n}
        for name, (v, n, *_) in found.items()
    ]
    shares = [{"race": "r", "place_id": name, "share": share} for name, (_, _, share, *_) in found.items()]
    where = [
        {"source": "s", "place_id": name, "latitude": lat, "longitude": lon}
        for name, (*_, lat, lon) in found.items()
        if lat is not None
    ]
    given = {"race": "r", "home_latitude": 42.0, "home_longitude": -84.0, "days": 2, "hours_per_day": 6.0}
    given |= {"election_day": ELECTION, "as_of": TODAY, "rng": np.random.default_rng(1)}
    made = plan_the_visits(
        table("vote_values", values),
        table("forecast", shares),
        table("place_coordinates", where),
        **(given | settings),
    )
    return {
        name: [dict(zip(part, row, strict=True)) for row in zip(*part.values(), strict=True)]
        for name, part in made.items()
    }


def test_visits_go_where_votes_are_worth_most_and_leave_out_what_is_worth_nothing():
    found = visits()
    plan = [row for row in found["visit_plan"] if row["option"] == "plan"]
    assert {row["place_id"] for row in plan} == {"A", "B"}
    assert all(row["low"] < row["net_votes"] < row["high"] for row in plan)
    options = {row["option"]: row for row in found["visit_options"]}
    assert options["plan"]["gap"] == pytest.approx(0, abs=1e-6)
    for name in ("largest places", "closest places", "nearest places"):
        assert options[name]["advantage"] >= -1e-12
        assert options[name]["advantage_low"] <= options[name]["advantage_high"]
    assert "1 places without coordinates" in options["plan"]["reason"]


def test_the_gain_of_one_visit_by_hand():
    found = visits({"B": PLACES["B"]}, days=1, starts_on=datetime.date(2026, 10, 31), half_life_days=3.0)
    row = found["visit_plan"][0]
    # Three days before the election half of 0.2 points of 200,000 votes is left: 200.
    assert row["net_votes"] == pytest.approx(200, rel=0.05)
    options = {one["option"]: one for one in found["visit_options"]}
    assert options["plan"]["net_votes"] == pytest.approx(200)
    assert options["plan"]["value"] == pytest.approx(200 * 4e-6)
    # What the literature leaves open holds nothing at all, and a loss.
    assert options["plan"]["low"] < 0 < options["plan"]["high"]


def test_a_visit_lies_within_the_candidates_day():
    for row in visits()["visit_plan"]:
        local = row["starts_at"] - datetime.timedelta(hours=5)
        assert local.hour >= 9
        assert row["ends_at"] - row["starts_at"] == datetime.timedelta(hours=1.5)


def test_later_days_get_the_better_visits():
    found = visits(days=2, hours_per_day=4.9)
    day = {row["place_id"]: row["day"] for row in found["visit_plan"] if row["option"] == "plan"}
    assert day["B"] == 2


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"effect_points": 0.0}, "not expected to move a vote"),
        ({"effect_points": -0.1}, "not expected to move a vote"),
        ({"days": 0}, "no day is left"),
        ({"starts_on": ELECTION}, "no day is left"),
        ({"places": {"D": PLACES["D"]}}, "none of the 1 places has coordinates"),
    ],
)
def test_a_plan_without_visits_says_why(change, why):
    found = visits(**change)
    assert found["visit_plan"] == []
    assert why in found["visit_options"][0]["reason"]


def test_without_a_race_nothing_is_planned_and_an_unknown_one_is_refused():
    found = visits(race=None)
    assert found["visit_plan"] == found["visit_options"] == []
    with pytest.raises(DesignError, match="no vote has a value"):
        visits(race="senate")


def test_no_day_is_long_enough_for_a_place_far_away():
    found = visits(hours_per_day=1.6)
    assert found["visit_plan"] == []
    assert found["visit_options"][0]["n_visits"] == 0
    assert "within the hours of a day" in found["visit_options"][0]["reason"]


def test_where_one_place_decides_it_all_the_candidate_visits_its_parts_on_the_map():
    made = plan_the_visits(
        table("vote_values", [{"race": "r", "place_id": "S", "name": "State", "value": 2e-6, "std_error": 1e-7, "votes": 9e5}]),
        table("forecast", [
            {"race": "r", "place_id": "S", "name": "State", "share": 0.5, "votes": 9e5},
            {"race": "r", "place_id": "A", "name": "North", "share": 0.4, "votes": 6e5, "parent_id": "S"},
            {"race": "r", "place_id": "B", "name": "South", "share": 0.6, "votes": 3e5, "parent_id": "S"},
        ]),
        table("place_coordinates", [
            {"source": "s", "place_id": "A", "latitude": 42.0, "longitude": -84.2},
            {"source": "s", "place_id": "B", "latitude": 42.2, "longitude": -84.0},
        ]),
        decisive_race="r", aim="win", home_latitude=42.0, home_longitude=-84.0, days=2, cents_per_visit=100,
        election_day=ELECTION, as_of=TODAY, rng=np.random.default_rng(1),
    )  # fmt: skip
    assert set(made["visit_plan"]["place_id"]) == {"A", "B"}
    offers = [
        dict(zip(made["offers"], row, strict=True)) for row in zip(*made["offers"].values(), strict=True)
    ]
    plan = [row for row in offers if row["way"] == "plan"]
    value = dict(zip(made["visit_options"]["option"], made["visit_options"]["value"], strict=True))["plan"]
    assert [row["cost_cents"] for row in plan] == [0, 100, 200]
    assert plan[-1]["gain"] == pytest.approx(value)
    assert plan[-1]["unit"] == "win"
    assert {row["way"] for row in offers} >= {"plan", "largest places", "nearest places"}


def test_a_region_takes_the_value_of_the_precincts_that_are_part_of_it():
    made = plan_the_visits(
        table("vote_values", [
            {"race": "r", "place_id": "P1", "value": 1e-6, "std_error": 1e-7, "votes": 1e5},
            {"race": "r", "place_id": "P2", "value": 3e-6, "std_error": 3e-7, "votes": 1e5},
        ]),
        table("forecast", [
            {"race": "r", "place_id": "R", "name": "North", "share": 0.5, "votes": 2e5, "parent_id": "S"},
            {"race": "r", "place_id": "P1", "share": 0.4, "votes": 1e5, "parent_id": "R"},
            {"race": "r", "place_id": "P2", "share": 0.6, "votes": 1e5, "parent_id": "R"},
        ]),
        table("place_coordinates", [{"source": "s", "place_id": "R", "latitude": 42.0, "longitude": -84.2}]),
        race="r", home_latitude=42.0, home_longitude=-84.0, days=1, starts_on=datetime.date(2026, 10, 31),
        half_life_days=3.0, election_day=ELECTION, as_of=TODAY, rng=np.random.default_rng(1),
    )  # fmt: skip
    option = dict(zip(made["visit_options"]["option"], made["visit_options"]["value"], strict=True))
    # Half of .2 points of 200,000 votes, at the mean value of 2e-6.
    assert option["plan"] == pytest.approx(200 * 2e-6)
