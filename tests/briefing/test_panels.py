"""The departments' panels: votes while they come in, and whatever else stands in `panels.MODULES`."""

from __future__ import annotations

from hustings.briefing.facts import Facts
from hustings.briefing.page import render
from hustings.briefing.panels import MODULES, panels, tables
from hustings.tables import TABLES

WHOLE = {
    "night": "governor", "place_id": "all", "level": "whole", "share_reported": 0.3, "counted_share": 0.37,
    "expected_share": 0.5, "share": 0.49, "low": 0.46, "high": 0.52, "p_win": 0.25, "reason": None,
}  # fmt: skip
EARLY = {
    "election": "governor", "division": "whole", "part": "all", "n_voted": 741, "by_now": 609.0, "by_now_low": 332.0,
    "by_now_high": 1136.0, "expected_votes": 2151.0, "votes": 2203.0, "votes_low": 1844.0, "votes_high": 2607.0,
    "support_so_far": None, "reason": None,
}  # fmt: skip
SURVEY = {
    "poll_id": "own october", "place_id": "all", "level": "whole", "n_answers": 483, "n_effective": 745, "share": 0.49,
    "low": 0.456, "high": 0.526, "raw_share": 0.547, "reason": None,
}  # fmt: skip


def told(**tables_: list[dict[str, object]]) -> str:
    (panel,) = panels(Facts(tables=tables_))
    assert panel.title in render(Facts(tables=tables_)).replace("&#39;", "'")
    return f"{panel.title}. {panel.text} {panel.action}"


def test_every_panel_is_made_from_declared_tables():
    assert MODULES
    assert set(tables()) <= set(TABLES)


def test_a_count_tells_the_rule_of_thumb_and_what_to_expect_beside_it():
    text = told(live=[WHOLE, {**WHOLE, "place_id": "county <1>", "level": "place"}])
    assert "25 chances in 100 of winning, with 30 % counted" in text
    assert "37.0" in text
    assert "46.0 to 52.0" in text


def test_a_count_that_cannot_be_read_says_why():
    assert "no earlier election" in told(live=[{**WHOLE, "share": None, "reason": "no earlier election"}])


def test_early_votes_are_held_against_what_was_expected_by_now():
    assert "about as many as expected by now" in told(early_votes=[EARLY])
    assert "fewer than expected by now" in told(early_votes=[{**EARLY, "n_voted": 300}])
    assert "too few" in told(early_votes=[{**EARLY, "by_now": None, "reason": "too few"}])


def test_a_survey_of_our_own_stands_beside_its_raw_share():
    text = told(survey_polls=[SURVEY])
    assert "45.6 to 52.6" in text
    assert "54.7" in text
    assert "no answers" in told(survey_polls=[{**SURVEY, "share": None, "reason": "no answers"}])
