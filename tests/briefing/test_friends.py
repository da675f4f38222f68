"""The panel of friends who ask friends."""

from __future__ import annotations

import datetime

from hustings.briefing.facts import Facts
from hustings.briefing.friends import panels
from hustings.tables import TABLES

PLAN = {"plan_id": "friends", "option": "plan", "unit": "win", "n_supporters": 533, "n_asks": 1697, "n_targets": 1612, "cost_cents": 30044.0, "votes": 23.7, "gain": 0.063, "std_error": 0.03, "low": 0.004, "high": 0.12, "gap": 1e-5}  # fmt: skip
RULE = PLAN | {"option": "random friends", "gain": 0.002, "low": -0.001, "high": 0.005, "advantage": 0.061, "advantage_low": 0.003, "advantage_high": 0.12}  # fmt: skip


def _row(row):
    return {name: row.get(name) for name in TABLES["sharing_options"].names} | {
        "as_of": datetime.date(2026, 7, 27)
    }


def _facts(*rows, ties=()):
    return Facts(tables={"sharing_options": [_row(row) for row in rows], "sharing_ties": list(ties)})


def test_the_panel_tells_the_plan_its_rule_of_thumb_and_the_command():
    ties = [{"plan_id": "friends", "use": "no consent, or not for this purpose", "n_ties": 9}]
    found = panels(_facts(PLAN, RULE, ties=ties))[0]
    assert found.title == "533 supporters can ask 1,612 friends to vote"
    assert "+6.3 points of the probability of winning" in found.text
    assert "is proven" in found.text
    assert "9 ties may not be used, most often: no consent" in found.text
    assert found.action == "hustings export friends --format friends"
    assert len(found.pictures[0].body) == 2


def test_a_plan_that_may_lose_is_to_be_tested_first():
    assert panels(_facts(PLAN | {"low": -0.01}, RULE))[0].action.startswith("Test it before it grows")


def test_a_plan_of_nobody_says_why():
    nobody = {
        "plan_id": "friends",
        "option": "plan",
        "unit": "win",
        "reason": "every friend's household is held out",
    }
    found = panels(_facts(nobody))[0]
    assert found.title == "Nobody is to ask anybody (friends)"
    assert found.text == "Every friend's household is held out."
