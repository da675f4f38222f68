"""Money by week and area on tiny tables."""

from __future__ import annotations

import datetime

import ibis
import numpy as np
import pytest

from hustings.errors import DesignError
from hustings.plans.media_weeks import plan_media_weeks
from hustings.tables import TABLES

KINDS = {"text": "string", "integer": "int64", "number": "float64", "boolean": "boolean", "day": "date", "time": "timestamp"}  # fmt: skip
ELECTION, TODAY = datetime.date(2026, 11, 3), datetime.date(2026, 10, 1)
VOTES = {"A": 10_000.0, "B": 30_000.0}


def table(name, rows):
    kinds = {column.name: KINDS[column.type] for column in TABLES[name].columns}
    return ibis.memtable([{key: row.get(key) for key in kinds} for row in rows], schema=ibis.schema(kinds))


def plan(full=0.04, error=0.005, values=(), spends=(), responses=None, votes=VOTES, **settings):
    rng = np.random.default_rng(0)
    known = {
        "channel": "tv", "kind": "exponential", "rate": 0.3, "full_effect": full, "tested_to": 10.0, "cents_per_dose": 1.0,
        "randomised": True, "adstock_half_life_weeks": 1.0,
    }  # fmt: skip
    draws = [
        {
            "channel": "tv",
            "draw": i,
            "full_effect": full + error * rng.standard_normal(),
            "rate": 0.3,
            "half_life": 1.0,
        }
        for i in range(200)
    ]
    given = {
        "plan_id": "air", "channels": ["tv"], "budget_cents": 100_000, "aim": "net_votes", "decisive_race": "",
        "election_day": ELECTION, "as_of": TODAY, "rng": np.random.default_rng(1), "areas": list(votes),
    }  # fmt: skip
    made = plan_media_weeks(
        table("responses", [known] if responses is None else responses),
        table("response_draws", draws),
        table("place_outcomes", []),
        table(
            "places", [{"source": "s", "place_id": p, "parent_id": "S", "votes": n} for p, n in votes.items()]
        ),
        table("place_people", []),
        table("spends", spends),
        table("vote_values", values),
        **(given | settings),
    )
    return {
        n: [dict(zip(part, row, strict=True)) for row in zip(*part.values(), strict=True)]
        for n, part in made.items()
    }


def options(found):
    return {row["option"]: row for row in found["media_week_options"]}


def test_money_goes_late_and_no_rule_of_thumb_is_better_at_equal_cost():
    found = plan()
    own = options(found)
    assert own["plan"]["cost_cents"] == pytest.approx(100_000)
    assert own["plan"]["why_left"] is None
    for name in ("equal by week", "last two weeks", "equal by area"):
        assert own[name]["cost_cents"] == pytest.approx(own["plan"]["cost_cents"])
        assert own[name]["advantage"] >= -1e-6 * own["plan"]["gain"]
        assert own[name]["low"] < own[name]["gain"] < own[name]["high"]
    last = [
        r
        for r in found["media_weeks"]
        if r["option"] == "plan" and r["week_on"] == ELECTION - datetime.timedelta(6)
    ]
    assert sum(r["cents"] for r in last) > 50_000


def test_the_gain_by_hand():
    # One area, one week: 40,000 cents on 10,000 people are 4 cents each; 2 net votes a change.
    found = plan(
        error=0.0, votes={"A": 10_000.0}, budget_cents=40_000, starts_on=ELECTION - datetime.timedelta(6)
    )
    assert options(found)["plan"]["net_votes"] == pytest.approx(
        10_000 * 2 * 0.04 * (1 - np.exp(-1.2)), rel=1e-6
    )


def test_what_does_not_pay_is_not_spent_and_the_reason_stands_there():
    dear = options(plan(elsewhere_cents_per_vote=60.0))["plan"]
    assert 0 < dear["cost_cents"] < 100_000
    assert "elsewhere" in dear["why_left"]
    none = options(plan(full=-0.01, error=0.001))["plan"]
    assert none["cost_cents"] == 0
    assert "not expected" in none["why_left"] or "no channel is expected" in none["why_left"]
    plenty = options(plan(budget_cents=10**9))["plan"]
    assert plenty["cost_cents"] == pytest.approx(40_000 * 10 * 4)
    assert "highest dose that was tested" in plenty["why_left"]


def test_places_whose_votes_are_worth_more_get_more():
    values = [
        {"race": "gov", "place_id": p, "value": v, "std_error": v / 10} for p, v in (("A", 3e-6), ("B", 1e-7))
    ]
    found = plan(values=values, aim="win", decisive_race="gov", budget_cents=50_000)
    dose = {
        p: sum(r["dose"] for r in found["media_weeks"] if r["option"] == "plan" and r["place_id"] == p)
        for p in VOTES
    }
    assert dose["A"] > dose["B"]
    own = options(found)["plan"]
    assert own["gain"] < 1e-2 < own["net_votes"]


def test_more_votes_than_a_vote_can_be_valued_for_are_told_so():
    values = [{"race": "gov", "place_id": p, "value": 1e-3, "std_error": 1e-4} for p in VOTES]
    own = options(plan(values=values, aim="win", decisive_race="gov"))["plan"]
    assert "read net_votes" in own["reason"]
    assert options(plan())["plan"]["reason"] is None


def test_offers_rise_and_are_concave():
    found = plan()
    mine = [row for row in found["offers"] if row["way"] == "plan"]
    assert all(row["offer"] == "media_weeks.air" and row["unit"] == "net_votes" for row in mine)
    cost, gain = (np.array([row[name] for row in mine]) for name in ("cost_cents", "gain"))
    assert cost[0] == gain[0] == 0
    slope = np.diff(gain) / np.diff(cost)
    assert (np.diff(cost) > 0).all()
    assert (np.diff(slope) <= 1e-3 * slope[0]).all()
    assert all(row["std_error"] > 0 for row in mine[1:])


def test_the_last_cycles_split_is_a_rule():
    day = datetime.date(2024, 11, 5)
    spends = [
        {
            "source": "s",
            "place_id": "A",
            "week_on": day - datetime.timedelta(6 + 7 * w),
            "channel": "tv",
            "cents": 10.0,
        }
        for w in range(3)
    ]
    own = options(plan(spends=spends, last_election_day=day))
    assert own["last cycle's"]["cost_cents"] == pytest.approx(100_000)
    assert own["last cycle's"]["gain"] < own["plan"]["gain"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"channels": ["radio"]}, "no response of 'radio'"),
        ({"areas": ["NOWHERE"]}, "no table of places knows"),
        ({"price_by_area": {"NOWHERE": 2.0}}, "no such area"),
        ({"votes_by_week": [-1.0]}, "votes_by_week"),
        ({"votes": {"A": 0.0}}, "number of people is missing"),
    ],
)
def test_what_cannot_be_planned_is_refused(change, words):
    with pytest.raises(DesignError, match=words):
        plan(**change)


def test_nothing_is_planned_without_a_response_or_a_week_and_says_why():
    unknown = plan(responses=[{"channel": "tv", "reason": "sealed until 2026-11-20"}])
    assert "sealed" in options(unknown)["plan"]["why_left"]
    assert unknown["offers"][0]["reason"]
    late = plan(starts_on=ELECTION)
    assert "no week is left" in options(late)["plan"]["reason"]
