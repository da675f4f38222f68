"""Tests of places on tiny tables: designed, drawn once, read by their own draw, fitted, and refused."""

from __future__ import annotations

import datetime
import json

import ibis
import numpy as np
import pytest

from hustings.errors import DesignError
from hustings.experiments.geo_lifts import read_geo_tests
from hustings.experiments.geo_tests import design_geo_tests
from hustings.experiments.markets import read_markets
from hustings.experiments.responses import fit_responses
from hustings.tables import TABLES

KINDS = {"text": "string", "integer": "int64", "number": "float64", "boolean": "boolean", "day": "date", "time": "timestamp"}  # fmt: skip
FIRST, WEEK = datetime.date(2026, 1, 5), datetime.timedelta(7)
STARTS = FIRST + 16 * WEEK
PLACES = [f"P{i:02d}" for i in range(12)]
ARRIVED = datetime.datetime(2026, 1, 1)


def table(name, rows):
    kinds = {column.name: KINDS[column.type] for column in TABLES[name].columns}
    return ibis.memtable([{key: row.get(key) for key in kinds} for row in rows], schema=ibis.schema(kinds))


def outcome_rows(weeks=16, dose=None, seed=0, effect=0.0):
    rng = np.random.default_rng(seed)
    level = rng.normal(0.5, 0.05, len(PLACES))
    rows = []
    for p, place in enumerate(PLACES):
        for w in range(weeks):
            more = effect * (dose or {}).get((place, FIRST + WEEK * w), 0.0)
            rows.append({
                "source": "s", "place_id": place, "week_on": FIRST + WEEK * w, "outcome": "support",
                "value": level[p] + 0.01 * rng.standard_normal() + more, "weight": 500.0, "arrived_at": ARRIVED,
            })  # fmt: skip
    return rows


def place_rows(names=PLACES, votes=1000.0):
    return [{"source": "s", "place_id": name, "parent_id": "ALL", "votes": votes} for name in names]


def design(outcomes=None, places=None, doses_told=(), draws=(), assignments=(), **settings):
    given = {
        "geo_test": "tv", "channel": "television", "outcome": "support", "doses": [0.0, 2.0, 5.0], "starts_on": STARTS,
        "draw_on": STARTS - WEEK, "as_of": STARTS - WEEK, "seed": 7, "rng": np.random.default_rng(1),
    }  # fmt: skip
    made = design_geo_tests(
        table("place_outcomes", outcome_rows() if outcomes is None else outcomes),
        table("place_doses", doses_told),
        table("places", place_rows() if places is None else places),
        table("place_people", []),
        table("geo_draws", draws),
        table("geo_assignments", assignments),
        **(given | settings),
    )
    return {name: rows(part) for name, part in made.items()}


def rows(part):
    return [dict(zip(part, row, strict=True)) for row in zip(*part.values(), strict=True)]


def read(made, outcomes, spends=(), coordinates=(), **settings):
    given = {
        "geo_test": "tv", "channel": "television", "outcome": "support", "half_life_weeks": 0.0,
        "as_of": STARTS + 8 * WEEK, "rng": np.random.default_rng(2),
    }  # fmt: skip
    told = read_geo_tests(
        table("geo_schedules", made["geo_schedules"]),
        table("place_outcomes", outcomes),
        table("place_coordinates", coordinates),
        table("places", place_rows()),
        table("place_people", []),
        table("spends", spends),
        table("geo_draws", made["geo_draws"]),
        **(given | settings),
    )
    return {name: rows(part) for name, part in told.items()}


def after(made, effect):
    dose = {(row["place_id"], row["week_on"]): row["dose"] for row in made["geo_schedules"]}
    return outcome_rows(20, dose, effect=effect)


def test_a_test_is_drawn_kept_and_read_by_its_own_draw():
    made = design()
    found = made["geo_designs"][0]
    assert (found["state"], found["n_places"], found["n_weeks"]) == ("drawn", 12, 4)
    assert found["detectable"] > 0
    assert found["cost_cents"] == pytest.approx(sum(row["cents"] for row in made["geo_schedules"]))
    doses = [row["dose"] for row in made["geo_assignments"] if row["week_on"] == STARTS]
    assert sorted(doses) == [0.0] * 4 + [2.0] * 4 + [5.0] * 4
    lifts = {row["dose"]: row for row in read(made, after(made, 0.01))["geo_lifts"]}
    assert lifts[0.0]["low"] < 0.01 < lifts[0.0]["high"]
    assert lifts[0.0]["p_value"] < 0.01
    assert lifts[0.0]["per_dollar"] == pytest.approx(100 * lifts[0.0]["estimate"])
    assert set(lifts) == {0.0, 2.0, 5.0}
    # The rule of the draw is the rule of the reading: fewer ways than all of 12! / 4!³.
    assert lifts[0.0]["n_ways"] < 12_000


def test_a_draw_is_not_made_again():
    made = design()
    again = design(
        draws=made["geo_draws"], assignments=made["geo_assignments"], rng=np.random.default_rng(99)
    )
    assert again["geo_draws"] == again["geo_assignments"] == []
    assert again["geo_schedules"] == made["geo_schedules"]
    with pytest.raises(DesignError, match=r"other settings: doses"):
        design(draws=made["geo_draws"], assignments=made["geo_assignments"], doses=[0.0, 9.0])
    same = design()
    assert [r["dose"] for r in same["geo_assignments"]] == [r["dose"] for r in made["geo_assignments"]]


def test_a_planned_test_says_what_it_could_find_and_draws_nothing():
    made = design(draw_on=STARTS, as_of=STARTS - WEEK)
    assert made["geo_designs"][0]["state"] == "planned"
    assert made["geo_designs"][0]["detectable"] > 0
    assert made["geo_draws"] == made["geo_schedules"] == []


def test_a_planned_test_without_a_history_yet_says_so_and_stops_nothing():
    made = design(outcomes=[], draw_on=STARTS, as_of=STARTS - WEEK)
    row = made["geo_designs"][0]
    assert row["state"] == "planned"
    assert "two are needed" in row["reason"]
    one = design(outcomes=outcome_rows(1), draw_on=STARTS, as_of=STARTS - WEEK)["geo_designs"][0]
    assert one["detectable"] is None
    assert one["reason"]
    assert made["geo_draws"] == made["geo_schedules"] == []


def test_the_smallest_p_is_that_of_the_reading():
    made = design(doses=[0.0, 4.0], test_places=PLACES[:6], balance_best=1.0)
    row = made["geo_designs"][0]
    assert row["n_ways"] == 20
    assert row["smallest_p"] == pytest.approx(0.1)
    balanced = design(doses=[0.0, 4.0], balance_best=0.2)
    lift = read(balanced, after(balanced, 0.05))["geo_lifts"][0]
    assert balanced["geo_designs"][0]["smallest_p"] == pytest.approx(lift["p_value"])


def test_outcomes_that_never_vary_are_not_read_and_stop_nothing():
    made = design()
    still = [row | {"value": 0.5} for row in outcome_rows(20)]
    lift = read(made, still)["geo_lifts"][0]
    assert lift["estimate"] is None
    assert "never varies" in lift["reason"]
    assert "never varies" in fitted(made, still)["responses"][0]["reason"]


@pytest.mark.parametrize("kind", ["switchback", "staggered"])
def test_other_designs_are_drawn_and_read(kind):
    made = design(design=kind, weeks=8, period_weeks=2, washout_weeks=0, doses=[0.0, 4.0])
    dose = {(row["place_id"], row["week_on"]): row["dose"] for row in made["geo_schedules"]}
    lifts = read(made, outcome_rows(24, dose, effect=0.01))["geo_lifts"]
    assert len(lifts) == 1
    assert lifts[0]["estimate"] == pytest.approx(0.01, abs=0.004)


def test_matched_places_are_in_one_block():
    made = design(match_size=3)
    assert made["geo_designs"][0]["n_blocks"] == 4
    doses = {}
    for row in made["geo_assignments"]:
        doses.setdefault(row["block_id"], {})[row["place_id"]] = row["dose"]
    assert all(sorted(block.values()) == [0.0, 2.0, 5.0] for block in doses.values())


def test_the_checks_of_a_test():
    made = design()
    spends = [
        {"source": "s", "place_id": r["place_id"], "week_on": r["week_on"], "channel": "television",
         "cents": 0.5 * r["cents"], "arrived_at": ARRIVED} for r in made["geo_schedules"] if r["dose"]
    ]  # fmt: skip
    where = [
        {"source": "s", "place_id": p, "latitude": 41.0, "longitude": -90 + 0.5 * i}
        for i, p in enumerate(PLACES)
    ]
    found = read(made, after(made, 0.0), spends, where)
    checks = {row["check"]: row for row in found["geo_checks"]}
    assert checks["delivery"]["estimate"] == pytest.approx(0.5)
    assert checks["delivery"]["passed"] is False
    assert found["geo_lifts"][0]["delivered"] == pytest.approx(0.5)
    assert checks["neighbours"]["p_value"] is not None
    assert 0 < checks["trend before"]["p_value"] <= 1
    bare = {row["check"]: row for row in read(made, after(made, 0.0))["geo_checks"]}
    assert "not made" in bare["neighbours"]["reason"]
    assert "not made" in bare["delivery"]["reason"]


def test_a_sealed_test_shows_nothing():
    made = design(read_on=STARTS + 20 * WEEK)
    assert "sealed" in made["geo_designs"][0]["sealed"]
    found = read(made, after(made, 0.01), read_on=STARTS + 20 * WEEK)
    assert found["geo_lifts"][0]["estimate"] is None
    assert "sealed until" in found["geo_lifts"][0]["reason"]
    assert fitted(made, after(made, 0.01))["responses"][0]["kind"] is None


def test_a_test_that_a_file_tells_of_is_read():
    drawn = design()
    told = [{"source": "f"} | r for r in drawn["geo_schedules"]]
    made = design(doses_told=told, draw_on=None)
    assert made["geo_designs"][0]["state"] == "told"
    lifts = read(made, after(drawn, 0.01))["geo_lifts"]
    assert lifts[0]["p_value"] < 0.01


def test_missing_weeks_are_left_out_and_two_sources_averaged():
    made = design()
    every = after(made, 0.01)
    some = [row for i, row in enumerate(every) if i % 7]
    assert read(made, some)["geo_lifts"][0]["n_cells"] == len(some)
    twice = every + [row | {"source": "t"} for row in every]
    one, two = read(made, every)["geo_lifts"][0], read(made, twice)["geo_lifts"][0]
    assert two["estimate"] == pytest.approx(one["estimate"])
    assert "no outcome" in read(made, outcome_rows(16))["geo_lifts"][0]["reason"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"doses": [0.0, -1.0]}, "none below"),
        ({"doses": [2.0, 2.0]}, "two different doses"),
        ({"doses": list(range(13))}, "fewer places"),
        ({"test_places": ["P00"]}, "fewer places"),
        ({"test_places": ["P00", "P01", "NOWHERE"]}, "no history"),
        ({"test_places": ["P00", "P00", "P01"]}, "named twice"),
        ({"places": place_rows(PLACES[:5])}, "no table of places knows"),
        ({"places": place_rows(votes=None)}, "number of people"),
        ({"outcomes": [row | {"value": 0.5} for row in outcome_rows()]}, "never varied"),
        ({"outcomes": []}, "no history"),
        ({"starts_on": None}, "starts_on is missing"),
        ({"as_of": STARTS + WEEK}, "after it has begun"),
        ({"starts_on": STARTS + datetime.timedelta(1)}, "no history"),
    ],
)
def test_what_makes_no_test_is_refused_with_what_to_do(change, words):
    with pytest.raises(DesignError, match=words):
        design(**change)


def fitted(made, outcomes, **settings):
    given = {"channel": "television", "as_of": STARTS + 8 * WEEK, "rng": np.random.default_rng(3)}
    told = fit_responses(
        table("geo_designs", made["geo_designs"]),
        table("geo_schedules", made["geo_schedules"]),
        table("place_outcomes", outcomes),
        **(given | settings),
    )
    return {name: rows(part) for name, part in told.items()}


def test_a_response_is_fitted_with_its_errors_and_its_tested_range():
    made = design()
    found = fitted(made, after(made, 0.01))
    row = found["responses"][0]
    assert row["randomised"] is True
    assert (row["tested_from"], row["tested_to"], row["source"]) == (2.0, 5.0, "tv")
    assert row["effect_at_top_low"] < row["effect_at_top"] < row["effect_at_top_high"]
    assert row["p_no_effect"] < 0.05
    assert len(found["response_draws"]) == 400
    each = fitted(made, after(made, 0.01), cents_per_exposure=2.5)["responses"][0]
    assert (each["dose_unit"], each["tested_to"]) == ("exposures per person", 2.0)


def test_a_response_without_a_test_says_so_and_an_unknown_test_is_refused():
    made = design(draw_on=STARTS, as_of=STARTS - WEEK)
    row = fitted(made, outcome_rows())["responses"][0]
    assert row["kind"] is None
    assert "no test" in row["reason"]
    with pytest.raises(DesignError, match="no test of television 'radio'"):
        fitted(made, outcome_rows(), tests=["radio"])


def markets(outcomes, **settings):
    given = {
        "market_reading": "june", "channel": "television", "outcome": "support", "treated_places": ["P00", "P01"],
        "starts_on": STARTS, "as_of": STARTS + 8 * WEEK, "rng": np.random.default_rng(3),
    }  # fmt: skip
    told = read_markets(
        table("place_outcomes", outcomes),
        table("places", place_rows()),
        table("place_people", []),
        table("spends", []),
        **(given | settings),
    )
    return {row["estimator"]: row for row in rows(told)}


def test_what_was_not_drawn_is_called_not_randomised():
    dose = {(p, STARTS + WEEK * w): 1.0 for p in ("P00", "P01") for w in range(4)}
    found = markets(outcome_rows(20, dose, effect=0.1))
    assert len(found) == 3
    for row in found.values():
        assert row["randomised"] is False
        assert row["reason"].startswith("not randomised")
        assert row["estimate"] == pytest.approx(0.1, abs=0.03)
    weights = json.loads(found["synthetic control"]["controls"])
    assert sum(weights.values()) == pytest.approx(1, abs=1e-3)
    assert not {"P00", "P01"} & set(weights)


def test_markets_that_cannot_be_read_say_why():
    found = markets(outcome_rows(20), treated_places=["NOWHERE"])
    assert all(
        "no support is known of" in row["reason"] and row["estimate"] is None for row in found.values()
    )
    gone = [row for row in outcome_rows(20) if not (row["place_id"] == "P00" and row["week_on"] == STARTS)]
    assert all("is missing" in row["reason"] for row in markets(gone).values())
