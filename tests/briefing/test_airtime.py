"""Airtime in the briefing."""

from __future__ import annotations

from hustings.briefing.airtime import airtime, airtime_findings, owed
from hustings.briefing.facts import Facts
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


def test_the_plan_is_put_as_one_question_with_its_rule_and_its_interval():
    (found,) = airtime(Facts(media_options=[PLAN, RULE]))
    assert found.question == "Buy 40 units of airtime (tv) for $10,000?"
    assert "95 % interval −20 to 130" in found.advice
    assert "women 35+, needs 25 % more money" in found.advice
    assert "holds 0" in found.advice
    assert found.picture.title.startswith("The plan gains 5")
    page = render(Facts(media_options=[PLAN, RULE]))
    assert "Buy 40 units of airtime" in page
    assert "Every order ran as bought" in page


def test_a_rule_that_is_bought_says_why_the_plan_is_not():
    options = [PLAN | {"recommended": False, "reason": "only 300 panelists"}, RULE | {"recommended": True}]
    (found,) = airtime(Facts(media_options=options))
    assert "The plan is not bought: only 300 panelists." in found.advice


def test_nothing_to_buy_is_said():
    (found,) = airtime(Facts(media_options=[{"plan_id": "tv", "n_units": 0, "reason": "the budget is 0"}]))
    assert found.advice == "Buy nothing: the budget is 0."
    assert found.picture is None


def test_what_is_owed_is_asked_for():
    check = {"status": "owed", "subject_id": "7", "network": "WXYZ", "reason": "2 units did not air", "make_good_slot_id": "b", "make_good_units": 3, "refund_cents": 500.0}  # fmt: skip
    assert owed(Facts(media_checks=[check]))[0]["ask"] == "3 units of b and $5 back"
    told = list(airtime_findings([PLAN], [check], "USD"))
    assert [row[0] for row in told] == [
        "40 units of airtime (tv) for $10,000 would bring 50 net votes.",
        "1 orders of airtime did not run as bought.",
    ]
