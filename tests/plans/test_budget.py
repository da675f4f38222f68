"""One budget over made-up offers."""

from __future__ import annotations

import datetime
import json

import ibis
import numpy as np
import pytest

from hustings.errors import DesignError
from hustings.plans.budget import divide_budget
from hustings.plans.visit_offers import visit_offers
from hustings.tables import TABLES

TODAY = datetime.date(2026, 9, 1)
KINDS = {"text": "string", "integer": "int64", "number": "float64", "boolean": "boolean", "day": "date", "time": "timestamp"}  # fmt: skip


def table(name, rows):
    kinds = {column.name: KINDS[column.type] for column in TABLES[name].columns}
    return ibis.memtable([{key: row.get(key) for key in kinds} for row in rows], schema=ibis.schema(kinds))


def offer(name, steps, error=0.3, **more):
    """Steps are (cost, gain); the error is a share of the gain."""
    return [
        {
            "offer": name, "way": "plan", "step": i, "channel": name.split(".")[-1], "unit": "net_votes",
            "cost_cents": cost, "gain": gain, "std_error": error * abs(gain), "votes": gain, "tested": True,
            "evidence": name, "as_of": TODAY,
        } | more
        for i, (cost, gain) in enumerate([(0, 0), *steps])
    ]  # fmt: skip


MAIL = offer("contact_plan.mail", [(4_000_000, 1_000), (8_000_000, 1_600)])
AIR = offer("media_plan.tv", [(5_000_000, 1_500), (20_000_000, 3_000)], 0.5, tested=False, evidence="tv")
ASK = offer("ask_plan.donors", [(100_000, 900_000), (200_000, 1_000_000)], unit="cents", votes=None)


def divided(rows, **settings):
    given = {
        "budget_cents": 10_000_000,
        "reserve_share": 0.0,
        "draws": 400,
        "aim": "net_votes",
        "decisive_race": "",
    }
    made = divide_budget(
        table("offers", rows), table("vote_values", []),
        **(given | {"as_of": TODAY, "rng": np.random.default_rng(1)} | settings),
    )  # fmt: skip
    assert {name: set(part) for name, part in made.items()} == {
        name: set(TABLES[name].names) for name in ("budget", "budget_options", "decisions")
    }
    return {
        name: [dict(zip(part, row, strict=True)) for row in zip(*part.values(), strict=True)]
        for name, part in made.items()
    }


def plan_of(found):
    return {row["offer"]: row for row in found["budget"] if row["way"] == "plan"}


def test_the_money_goes_where_a_cent_brings_most_and_the_next_is_named():
    # Per $10,000: television 300, then 100; mail 250, then 150.
    found = divided([*MAIL, *AIR])
    plan = plan_of(found)
    assert plan["media_plan.tv"]["cents"] == 5_000_000
    assert plan["contact_plan.mail"]["cents"] == 5_000_000
    option = {row["way"]: row for row in found["budget_options"]}["plan"]
    assert option["gain"] == pytest.approx(1_500 + 1_000 + 150)
    assert option["price"] == pytest.approx(150)
    assert (option["next_gain"], option["last_gain"]) == (pytest.approx(150), pytest.approx(150))
    assert (plan["contact_plan.mail"]["next_cents"], plan["media_plan.tv"]["next_cents"]) == (1_000_000, 0)
    assert option["low"] < option["gain"] < option["high"]
    assert option["gap"] == pytest.approx(0)
    assert plan["contact_plan.mail"]["next_low"] < 150 < plan["contact_plan.mail"]["next_high"]


def test_every_rule_of_thumb_stands_beside_the_plan_with_its_interval_and_regret():
    found = divided([*MAIL, *AIR], last_split={"contact_plan.mail": 3.0, "media_plan.tv": 1.0})
    ways = {row["way"]: row for row in found["budget_options"]}
    assert set(ways) == {
        "plan",
        "robust",
        "largest offer",
        "equal split",
        "proportional to cost",
        "last split",
    }
    for way in ("largest offer", "equal split", "proportional to cost", "last split"):
        row = ways[way]
        assert row["advantage"] >= -1e-9
        assert row["advantage_low"] <= row["advantage"] <= row["advantage_high"] or row["advantage"] == 0
        assert 0 <= row["p_near"] <= 1
        assert row["regret"] >= 0
    assert ways["largest offer"]["gain"] == pytest.approx(2_000)
    assert {row["cents"] for row in found["budget"] if row["way"] == "last split"} == {7_500_000, 2_500_000}
    assert ways["robust"]["p_near"] >= ways["plan"]["p_near"]
    decision = found["decisions"][0]
    assert (decision["plan_id"], decision["unit"], decision["rule"]) == ("budget", "net_votes", "equal split")
    assert "media_plan.tv 50,000" in decision["recommendation"]
    assert len(json.loads(decision["options"])) == 6


def test_a_budget_of_nothing_spends_nothing_and_says_why():
    found = divided([*MAIL, *AIR], budget_cents=0)
    assert {row["cents"] for row in found["budget"]} == {0}
    option = found["budget_options"][0]
    assert (option["reason"], option["price"]) == ("the budget is 0", pytest.approx(300))
    assert found["decisions"][0]["recommendation"] == "Spend nothing: the budget is 0."


def test_a_budget_that_buys_everything_leaves_money_and_has_no_price():
    option = divided([*MAIL, *AIR], budget_cents=10**10)["budget_options"][0]
    assert (option["cents"], option["price"], option["next_gain"]) == (28_000_000, 0, 0)


def test_without_a_budget_nothing_is_written_and_without_offers_it_says_so():
    assert divided([*MAIL], budget_cents=None) == {"budget": [], "budget_options": [], "decisions": []}
    assert divided([])["budget_options"][0]["reason"] == "no plan offers anything"


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        (offer("a.b", [(100, -5), (200, -9)]), "no step of it is expected to gain anything"),
        (offer("a.b", [], reason="no action is approved"), "no action is approved"),
        (
            offer("a.b", [(100, 5)], unit="added_ballots"),
            "it counts added_ballots, and the campaign's aim is net_votes",
        ),
    ],
)
def test_an_offer_that_cannot_be_used_is_left_out_with_its_reason(rows, why):
    plan = plan_of(divided([*MAIL, *rows]))
    assert (plan["a.b"]["cents"], plan["a.b"]["reason"]) == (0, why)
    assert plan["contact_plan.mail"]["cents"] == 8_000_000
    alone = divided(rows)
    assert why in alone["budget_options"][0]["reason"]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (offer("a.b", [(200, 5), (100, 6)]), "a.b: Costs of an offer add up"),
        (offer("a.b", [(100, 5), (200, float("nan"))]), "a.b: A step of an offer has no cost, gain or error"),
        (offer("a.b", [(100, 5)], std_error=None), "no cost, gain or error"),
        (offer("a.b", [(float("nan"), 5)]), "no cost, gain or error"),
    ],
)
def test_a_broken_offer_stops_the_budget_with_its_name(rows, message):
    with pytest.raises(DesignError, match=message):
        divided([*MAIL, *rows])


def test_offers_left_without_gain_by_their_own_reason_need_no_numbers():
    rows = offer("a.b", [(100, float("nan"))], reason="the test is sealed")
    assert plan_of(divided([*MAIL, *rows]))["a.b"]["reason"] == "the test is sealed"


def test_untested_offers_have_no_more_than_their_share():
    plan = plan_of(divided([*MAIL, *AIR], untested_share=0.2))
    assert plan["media_plan.tv"]["cents"] == pytest.approx(2_000_000)


def test_the_reserve_is_kept_back_and_its_price_is_told():
    option = divided([*MAIL, *AIR], reserve_share=0.2)["budget_options"][0]
    assert option["cents"] == pytest.approx(8_000_000)
    assert option["reserve_cents"] == 2_000_000
    assert option["reserve_lost"] == pytest.approx(400, rel=0.1)
    assert option["reserve_known"] > 0


def test_cash_that_is_not_there_is_not_spent():
    late = [row | {"starts_on": TODAY + datetime.timedelta(20)} for row in AIR]
    found = divided(
        [*MAIL, *late],
        cash_cents=3_000_000,
        income={TODAY + datetime.timedelta(10): 4_000_000, TODAY: 9_000_000},
    )
    plan = plan_of(found)
    assert plan["contact_plan.mail"]["cents"] + plan["media_plan.tv"]["cents"] == pytest.approx(7_000_000)
    assert plan["contact_plan.mail"]["cents"] <= 3_000_000
    assert sum(row["now_cents"] for row in plan.values()) <= 3_000_000


def test_an_ask_pays_for_later_offers_and_is_valued_by_what_its_gifts_buy():
    late = [row | {"starts_on": TODAY + datetime.timedelta(30)} for row in AIR]
    found = divided([*MAIL, *late, *ASK])
    ask = plan_of(found)["ask_plan.donors"]
    assert (ask["cents"], ask["raised_cents"]) == (100_000, 900_000)
    assert ask["gain"] > 0
    without = divided([*MAIL, *late])
    assert found["budget_options"][0]["gain"] > without["budget_options"][0]["gain"]
    early = plan_of(divided([*MAIL, *AIR, *ASK]))["ask_plan.donors"]
    assert (early["cents"], early["reason"] is None) == (0, False)


def test_a_last_split_of_unknown_offers_is_refused():
    with pytest.raises(DesignError, match="did you mean 'media_plan.tv'"):
        divided([*MAIL, *AIR], last_split={"media_plan.tw": 1.0})
    with pytest.raises(DesignError, match="0 or more"):
        divided([*MAIL, *AIR], last_split={"media_plan.tv": -1.0})


def test_the_forecasts_error_widens_what_a_vote_is_worth():
    rows = [
        row | {"unit": "win", "gain": row["gain"] * 1e-6, "std_error": row["std_error"] * 1e-6}
        for row in MAIL
    ]
    sure, unsure = (
        divided(rows, aim="win", decisive_race="r", forecast_error=error)["budget_options"][0]
        for error in (0.0, 0.8)
    )
    assert unsure["high"] - unsure["low"] > 1.2 * (sure["high"] - sure["low"])
    assert unsure["gain"] == sure["gain"]


def test_the_same_seed_gives_the_same_budget():
    assert repr(divided([*MAIL, *AIR])) == repr(divided([*MAIL, *AIR]))


def test_visits_offer_their_gains_by_falling_worth_and_ballots_are_not_their_aim():
    weights = {"plan": np.array([1.0, 0.0, 0.5]), "largest places": np.array([1.0, 0.0, 0.0])}
    votes = (np.array([100.0, 50.0, 300.0]), np.tile([100.0, 50.0, 300.0], (10, 1)))
    given = {"cents_per_visit": 500, "starts_on": TODAY, "as_of": TODAY}
    found = visit_offers(weights, votes, votes, aim="net_votes", **given)
    plan = [
        row for row in zip(found["way"], found["cost_cents"], found["gain"], strict=True) if row[0] == "plan"
    ]
    assert [row[1:] for row in plan] == [(0, 0), (500, 150), (1_000, 250)]
    assert len(visit_offers(weights, votes, votes, aim="added_ballots", **given)["reason"]) == 1


def test_more_than_certainty_is_no_offer():
    rows = offer("media_plan.tv", [(5_000, 1.7)], unit="win")
    found = divided(rows, aim="win", decisive_race="r")
    assert "1.7 to a probability" in plan_of(found)["media_plan.tv"]["reason"]
