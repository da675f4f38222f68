"""Airtime in the briefing."""

from __future__ import annotations

from hustings.briefing.facts import Facts
from hustings.briefing.media import media_findings, owed, panels
from hustings.briefing.page import render

PLAN = {
    "plan_id": "tv", "option": "plan", "recommended": True, "n_units": 40, "cost_cents": 1_000_000.0, "points": 300.0,
    "reach": 0.8, "frequency": 3.75, "targets_reached": 900.0, "cents_per_target": 1111.0, "net_votes": 50.0,
    "low": -20.0, "high": 130.0, "cents_per_net_vote": 20_000.0, "n_panelists": 5000.0, "reason": None,
}  # fmt: skip
RULE = PLAN | {
    "option": "women 35+", "recommended": False, "net_votes": 45.0, "advantage": 5.0, "advantage_low": -2.0,
    "advantage_high": 12.0, "budget_saved": 0.2,
}  # fmt: skip


def facts(*options, checks=()):
    return Facts(tables={"media_options": list(options), "media_checks": list(checks), "media_plan": []})


def test_the_plan_is_put_as_one_question_with_its_rule_and_its_interval():
    (found,) = panels(facts(PLAN, RULE))
    assert found.title == "Buy 40 units of airtime (tv) for $10,000?"
    assert "95 % interval −20 to 130" in found.text
    assert "women 35+, needs 25 % more money" in found.text
    assert "holds 0" in found.text
    assert found.pictures[0].title.startswith("The plan gains 5")
    assert "Buy 40 units of airtime" in render(facts(PLAN, RULE))


def test_a_rule_that_is_bought_says_why_the_plan_is_not():
    options = [PLAN | {"recommended": False, "reason": "only 300 panelists"}, RULE | {"recommended": True}]
    (found,) = panels(facts(*options))
    assert "The plan is not bought: only 300 panelists." in found.text


def test_nothing_to_buy_is_said():
    (found,) = panels(facts({"plan_id": "tv", "n_units": 0, "reason": "the budget is 0"}))
    assert (found.title, found.text) == ("Buy no airtime (tv)", "The budget is 0.")


def test_what_is_owed_is_asked_for():
    check = {"status": "owed", "subject_id": "7", "network": "WXYZ", "reason": "2 units did not air", "make_good_slot_id": "b", "make_good_units": 3, "refund_cents": 500.0}  # fmt: skip
    assert owed(facts(checks=[check]))[0]["ask"] == "3 units of b and $5 back"
    body = panels(facts(PLAN, checks=[check]))[0].body
    assert body == [("7, WXYZ", "2 units did not air. Ask for 3 units of b and $5 back.")]
    assert panels(facts(checks=[check]))[0].action == "Ask for it."
    told = list(media_findings([PLAN], [check], "USD"))
    assert [row[0] for row in told] == [
        "40 units of airtime (tv) for $10,000 would bring 50 net votes.",
        "1 orders of airtime did not run as bought.",
    ]
