"""Messengers and venues in the briefing: beside their rules of thumb, with intervals, or why not."""

from __future__ import annotations

import datetime

from hustings.briefing.facts import Facts
from hustings.briefing.messengers import panels
from hustings.briefing.page import render

DAY = datetime.date(2026, 10, 5)
PLAN = {
    "messenger_plan": "dinners", "option": "plan", "unit": "cents", "n_uses": 2, "n_people": 900, "cost_cents": 50_000.0,
    "gain": 400_000.0, "low": 300_000.0, "high": 520_000.0, "gap": 0.01, "logged": 0.05, "logged_low": 0.04,
    "logged_high": 0.06, "logged_reason": None, "reason": None, "advantage": None,
}  # fmt: skip
RULE = PLAN | {
    "option": "most popular only", "gain": 250_000.0, "low": 200_000.0, "high": 300_000.0, "advantage": 150_000.0,
    "advantage_low": 60_000.0, "advantage_high": 240_000.0, "logged": 0.03, "gap": None,
}  # fmt: skip
USE = {
    "messenger_plan": "dinners", "option": "plan", "used_on": DAY, "name": "Ada <b>", "audience": "age 45+",
    "place_id": None, "n_people": 500, "responses": 20.0, "responses_low": 15.0, "responses_high": 25.0,
    "unit": "cents", "gain": 200_000.0,
}  # fmt: skip
VENUE = {
    "venue_plan": "answers", "item_id": "f", "name": "Forum", "best_on": DAY, "reach": 1000.0, "turnout_targets": 300.0,
    "turnout_targets_low": 280.0, "turnout_targets_high": 320.0, "persuasion_targets": None, "target_lift": 1.4,
    "unit": "net_votes", "gain": 1.2, "low": -0.5, "high": 3.0, "cost_cents": 5_000.0, "hours": 1.0, "rank": 1,
    "rank_by_reach": 1, "reason": None,
}  # fmt: skip


def text(**tables):
    (panel,) = panels(Facts(tables=tables))
    render(Facts(tables=tables))
    return f"{panel.title}. {panel.text} {panel.action}"


def test_a_plan_stands_beside_its_best_rule_with_the_interval_of_its_lead():
    told = text(messenger_options=[PLAN, RULE], messenger_plan=[USE])
    assert "$4,000 expected from 2 days of theirs, $1,500 more than by the best rule of thumb" in told
    assert "$600 to $2,400" in told
    assert "5.0 responses to 100 sends" in told
    assert "Book Ada" in told


def test_a_lead_that_is_not_proven_is_not_called_one():
    told = text(messenger_options=[PLAN, RULE | {"advantage_low": -1.0}], messenger_plan=[USE])
    assert "not proven more than by the rule" in told


def test_a_log_that_cannot_tell_says_why():
    plan = PLAN | {"logged": None, "logged_reason": "5 of 9 sends have no probability in the log"}
    assert "cannot tell: 5 of 9 sends" in text(messenger_options=[plan, RULE], messenger_plan=[USE])


def test_no_plan_says_why():
    nothing = PLAN | {"gain": None, "n_uses": 0, "reason": "nobody may be asked"}
    assert "Nobody may be asked" in text(messenger_options=[nothing])


def test_a_venue_has_its_targets_its_interval_and_the_rule_of_thumb():
    told = text(
        venue_options=[
            VENUE,
            VENUE | {"item_id": "g", "name": "Radio", "gain": None, "rank": 2, "reason": "no day"},
        ]
    )
    assert "Answer questions at Forum on 5 October 2026" in told
    assert "1.4 times as frequent" in told.replace("1.40", "1.4")
    assert "the interval includes zero" in told
    none = text(venue_options=[VENUE | {"gain": None, "reason": "its reach is not known"}])
    assert "Its reach is not known" in none
