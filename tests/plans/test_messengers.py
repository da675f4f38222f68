"""Plans of messengers on a small campaign whose truth is known, their rules of thumb, and input that cannot be."""

from __future__ import annotations

import datetime

import numpy as np
import pytest

from hustings.errors import DesignError
from hustings.plans.messengers import plan_messengers
from messenger_world import ELECTION, ITEMS, TODAY, TRUTH, Small, affinities_of, rows, table

READS = (
    "affinities", "audience_members", "affinity_values", "people", "identities", "opt_outs", "scores", "items",
    "item_days", "vote_values", "places", "place_coordinates",
)  # fmt: skip


@pytest.fixture(scope="module")
def small():
    found = Small()
    found.columns |= affinities_of(found)
    return found


def plan(small, **settings):
    given = {
        "messenger_plan": "p", "affinity": "hosts", "counted_in": "cents", "by_place": False, "aim": "added_ballots",
        "decisive_race": "", "playbook": "election", "country": "US", "election_day": ELECTION, "as_of": TODAY,
        "rng": np.random.default_rng(1),
    }  # fmt: skip
    tables = [settings.pop(name) if name in settings else small.table(name) for name in READS]
    return rows(plan_messengers(*tables, **(given | settings)))


def options(found):
    return {row["option"]: row for row in found["messenger_options"]}


def probability(audience, item):
    return 1 / (1 + np.exp(-TRUTH[0 if audience == "age under 45" else 1, ITEMS.index(item)]))


def test_each_messenger_goes_to_the_audience_that_takes_to_them(small):
    found = plan(small, asks_per_audience=1)
    own = {row["audience"]: row["item_id"] for row in found["messenger_plan"] if row["option"] == "plan"}
    assert own["age 45+"] == "bo"
    assert own["age under 45"] in ("ada", "dee")
    for row in found["messenger_plan"]:
        assert row["low"] <= row["gain"] <= row["high"]
        truth = row["n_people"] * probability(row["audience"], row["item_id"])
        assert row["responses_low"] <= truth <= row["responses_high"]


def test_the_gain_by_hand(small):
    found = plan(small, asks_per_audience=1, contact_cents=1.0)
    affinity = {(row["audience"], row["item_id"]): row for row in rows(affinities_of(small))["affinities"]}
    row = next(r for r in found["messenger_plan"] if (r["option"], r["item_id"]) == ("plan", "bo"))
    pair = affinity[row["audience"], "bo"]
    assert row["cost_cents"] == 2000 + 2000
    assert row["gain"] == pytest.approx(2000 * pair["value"] * pair["amount_cents"] - 4000)


def test_the_plan_is_no_worse_than_its_rules_at_one_budget_and_proves_how_good_it_can_be(small):
    found = options(plan(small, budget_cents=4_000))
    mine = found["plan"]
    assert mine["gain"] <= mine["bound"] * (1 + 1e-9)
    # One use costs a third of the money: what is left over shows in the bound.
    assert mine["gap"] < 0.3
    assert options(plan(small))["plan"]["gap"] < 1e-9
    for name in ("most popular only", "most popular first", "at random"):
        assert found[name]["cost_cents"] <= 4_000
        assert found[name]["advantage"] >= -1e-6
        assert found[name]["advantage_low"] <= found[name]["advantage"] <= found[name]["advantage_high"]
    assert "are not known" in found["nearest"]["reason"]
    assert found["plan"]["logged"] > found["most popular only"]["logged"]


def test_a_messenger_without_days_is_left_out_and_the_contest_says_so(small):
    days = small.table("item_days")
    found = plan(small, item_days=days.filter(days.item_id != "cy"))
    assert all(row["item_id"] != "cy" for row in found["messenger_plan"])
    contest = {row["item_id"]: row for row in found["contest_options"]}
    assert "no day between 2026-10-01 and 2026-10-10" in contest["cy"]["reason"]
    assert contest["cy"]["entries"] is None
    assert contest["bo"]["who_enters"] == "age 45+"
    assert contest["ada"]["entries_low"] < 2000 * (
        probability("age under 45", "ada") + probability("age 45+", "ada")
    )


def test_without_any_day_there_is_no_plan_and_a_reason(small):
    found = plan(small, item_days=table("item_days", {}))
    assert found["messenger_plan"] == []
    assert "no day between" in found["messenger_options"][0]["reason"]
    assert found["offers"][0]["reason"]


def test_one_event_a_day_and_no_day_after_the_election(small):
    late = [TODAY, TODAY, TODAY + datetime.timedelta(1), ELECTION, TODAY - datetime.timedelta(1)]
    found = plan(small, item_days=small.table("item_days", available_on=late))
    used = [(row["item_id"], row["used_on"]) for row in found["messenger_plan"] if row["option"] == "plan"]
    assert len(set(used)) == len(used)
    assert {item for item, _ in used} <= {"ada", "bo"}


def test_a_place_is_planned_where_the_messenger_is(small):
    where = small.table("item_days", place_id=["N", "S", "S", None, None])
    found = plan(small, item_days=where, by_place=True)
    for row in found["messenger_plan"]:
        if row["item_id"] == "ada":
            assert row["place_id"] == "N"
        if row["item_id"] == "bo":
            assert row["place_id"] == "S"


def test_the_nearest_rule_uses_homes_and_places(small):
    items = small.table("items", latitude=[42.0, 43.0, 42.0, 43.0], longitude=[-85.0] * 4)
    early = [np.datetime64("2026-01-01", "us")] * 2
    where = table("place_coordinates", {"source": ["c"] * 2, "place_id": ["N", "S"], "latitude": [43.0, 42.0],
                                        "longitude": [-85.0] * 2, "arrived_at": early})  # fmt: skip
    found = plan(small, items=items, place_coordinates=where, by_place=True, asks_per_audience=2)
    near = [row for row in found["messenger_plan"] if row["option"] == "nearest"]
    assert next(row for row in near if row["item_id"] == "ada")["place_id"] == "S"
    assert options(found)["nearest"]["reason"] is None


def test_a_platform_that_takes_no_such_audience_is_refused_by_name(small):
    items = small.table("items", platform=["linkedin", None, None, None])
    found = plan(small, items=items)
    assert all(row["item_id"] != "ada" for row in found["messenger_plan"])
    contest = {row["item_id"]: row for row in found["contest_options"]}
    assert "LinkedIn takes no such audience" in contest["ada"]["reason"]


def test_who_refused_is_not_asked_and_an_audience_of_nobody_is_no_plan(small):
    n = len(small.ids)
    refused = table("opt_outs", {"source": ["o"] * n, "record_source": ["s"] * n, "record_id": small.ids,
                                 "channel": ["email"] * n})  # fmt: skip
    found = plan(small, opt_outs=refused)
    assert found["messenger_options"][0]["reason"] == "nobody may be asked"


def test_votes_need_a_tested_worth_and_are_then_counted_with_fading(small):
    assert "is not set" in plan(small, counted_in="votes")["messenger_options"][0]["reason"]
    found = plan(small, counted_in="votes", turnout_points=2.0, turnout_points_error=1.0, half_life_days=5.0,
                 asks_per_audience=1)  # fmt: skip
    row = next(r for r in found["messenger_plan"] if (r["option"], r["item_id"]) == ("plan", "bo"))
    left = 0.5 ** ((ELECTION - row["used_on"]).days / 5)
    assert row["gain"] == pytest.approx(row["responses"] * 0.02 * left)
    assert row["low"] < 0.4 * row["gain"]
    # The later of its two days is the better one.
    assert row["used_on"] == TODAY + datetime.timedelta(1)
    offers = [row for row in found["offers"] if row["way"] == "plan"]
    assert offers[-1]["votes"] == pytest.approx(offers[-1]["gain"])
    assert offers[-1]["unit"] == "added_ballots"


def test_without_a_support_score_no_messenger_is_planned_for_net_votes_and_it_says_why(small):
    found = plan(small, counted_in="votes", turnout_points=1.0, aim="net_votes")
    assert found["messenger_plan"] == []
    assert "nobody has a support score" in found["messenger_options"][0]["reason"]
    assert found["offers"][0]["gain"] is None


def test_shares_to_log_add_up_and_test_new_messengers(small):
    found = plan(small, explore_share=0.2)
    for audience in ("age under 45", "age 45+"):
        own = [row for row in found["messenger_shares"] if row["audience"] == audience]
        assert sum(row["propensity"] for row in own) == pytest.approx(1)
        assert sum(row["p_best"] for row in own) == pytest.approx(1)
        assert sum(row["is_planned"] for row in own) == 1
        assert max(row["propensity"] for row in own) >= 0.8
    young = {row["item_id"]: row for row in found["messenger_shares"] if row["audience"] == "age under 45"}
    # The one that nobody was sent may be the best, so it is tested.
    assert young["dee"]["propensity"] > 0.02


def test_offers_rise_with_their_cost_and_fall_off(small):
    found = plan(small, asks_per_audience=3)
    steps = [row for row in found["offers"] if row["way"] == "plan"]
    cost, gain = (np.array([row[name] for row in steps]) for name in ("cost_cents", "gain"))
    assert cost[0] == gain[0] == 0
    assert (np.diff(gain) >= 0).all()
    slopes = np.diff(gain) / np.maximum(np.diff(cost), 1e-9)
    assert (np.diff(slopes) <= 1e-6 * slopes[0]).all()
    assert {row["offer"] for row in steps} == {"messenger_plan.p"}


def test_an_affinity_that_was_not_made_is_refused_and_one_without_numbers_says_why(small):
    with pytest.raises(DesignError, match="was not made"):
        plan(small, affinity="guests")
    empty = Small(n=200)
    empty.columns |= affinities_of(empty, events=table("events", {}))
    assert "nobody responded" in plan(empty)["messenger_options"][0]["reason"]


def test_a_tie_has_the_same_plan_every_time(small):
    small_tie = Small(n=400)
    small_tie.columns |= affinities_of(small_tie, item_audiences=table("item_audiences", {}))
    first, second = (plan(small_tie)["messenger_plan"] for _ in range(2))
    assert first == second
