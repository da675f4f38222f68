"""Missing outcomes in the briefing: a warning where they differ between arms, and silence where they do not."""

from __future__ import annotations

from hustings.briefing.missing import missing_findings


def row(arm, share, p, low=None, high=None):
    return {"experiment": "letters", "outcome": "gave", "arm": arm, "share_missing": share, "p_attrition": p,
            "lift_low": low, "lift_high": high}  # fmt: skip


def test_outcomes_that_are_missing_more_often_in_one_arm_are_a_warning_with_bounds():
    rows = [row("none", 0.05, 0.002), row("letter", 0.09, 0.002, -0.01, 0.03)]
    ((finding, detail, action),) = missing_findings(rows)
    assert finding.startswith("The outcome gave of letters is missing more often in letter than in none")
    assert "9.0 % in letter and 5.0 % in none" in detail
    assert "between -0.01 and 0.03 (Lee's bounds)" in detail
    assert action == "hustings show attritions.letters"


def test_outcomes_that_are_missing_alike_or_that_cannot_be_judged_are_none():
    assert not list(missing_findings([row("none", 0.05, 0.4), row("letter", 0.06, 0.4)]))
    assert not list(missing_findings([row("none", None, None), row("letter", 0.06, None)]))
