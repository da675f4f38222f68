"""Airtime's panels: what was read, what was not, and what the money brings."""

from __future__ import annotations

import datetime

from hustings.briefing.airtime import panels
from hustings.briefing.facts import Facts

LIFT = {
    "geo_test": "tv", "channel": "television", "outcome": "support", "dose": 0.0, "estimate": 0.002, "per_dollar": 0.2,
    "per_dollar_low": 0.1, "per_dollar_high": 0.3, "low": 0.001, "high": 0.003, "p_value": 0.01, "n_places": 20,
    "n_ways": 1000, "reason": None,
}  # fmt: skip


def test_a_test_that_was_read_says_what_a_dollar_does_and_what_failed():
    each = [LIFT | {"dose": dose, "per_dollar": 1 / dose} for dose in (2.0, 5.0)]
    checks = [{"geo_test": "tv", "check": "delivery", "passed": False}]
    found = panels(Facts(tables={"geo_lifts": [LIFT, *each], "geo_checks": checks}))[0]
    assert found.title == "Television moves support: 0.20 people for a dollar"
    assert "10 of 1,000 ways" in found.text
    assert "delivery" in found.action
    assert found.pictures[0].title == "A dollar does less where more is spent"


def test_no_effect_is_not_called_one_and_a_sealed_test_is_not_read():
    unsure = LIFT | {"low": -0.001, "per_dollar_low": -0.1}
    assert (
        panels(Facts(tables={"geo_lifts": [unsure]}))[0].title == "Television is not proven to move support"
    )
    sealed = LIFT | {"estimate": None, "reason": "sealed until 2026-09-07"}
    design = {
        "geo_test": "tv", "n_places": 20, "n_weeks": 4, "starts_on": datetime.date(2026, 8, 3), "state": "drawn",
        "cost_cents": 1e6, "detectable_at_top": 0.01,
    }  # fmt: skip
    found = panels(Facts(tables={"geo_lifts": [sealed], "geo_designs": [design]}))[0]
    assert "sealed until" in found.title
    assert "1.0 points" in found.text


def test_markets_that_were_not_drawn_are_no_test():
    row = {
        "market_reading": "june", "channel": "television", "outcome": "support", "estimator": "synthetic control",
        "estimate": 0.01, "low": None, "high": None, "p_value": 0.2,
    }  # fmt: skip
    assert "this is no test" in panels(Facts(tables={"market_lifts": [row]}))[0].title


def test_money_that_is_left_is_told_with_its_reason():
    plan = {
        "plan_id": "air", "option": "plan", "about": "best", "cost_cents": 5e5, "left_cents": 1e5, "net_votes": 900.0,
        "votes_low": 500.0, "votes_high": 1300.0, "gain": 900.0, "advantage": None, "why_left": "cheaper elsewhere",
    }  # fmt: skip
    rule = plan | {"option": "equal by week", "net_votes": 600.0, "gain": 600.0, "advantage": 300.0}
    found = panels(Facts(tables={"media_week_options": [plan, rule]}))[0]
    assert found.title == "$5,000 of air bring 900 net votes"
    assert "$1,000 are left on purpose: cheaper elsewhere" in found.text
    assert [row[0] for row in found.pictures[0].body] == ["Plan", "Equal by week"]
    nothing = plan | {"net_votes": None, "why_left": "no week is left"}
    assert "Nothing is planned" in panels(Facts(tables={"media_week_options": [nothing]}))[0].title
