"""The forecast in the briefing."""

from __future__ import annotations

import runpy
from dataclasses import replace
from pathlib import Path

import pytest

from hustings.briefing import maps, race
from hustings.briefing.facts import Facts
from hustings.briefing.page import render

FACTS = runpy.run_path(str(Path(__file__).with_name("facts.py")))


@pytest.fixture(scope="module")
def facts() -> Facts:
    return FACTS["election"]()


def test_the_race_has_its_odds_the_rule_of_thumb_and_five_pictures(facts):
    (found,) = race.races(facts)
    assert found.title == "Democrats: 83 chances in 100 of winning"
    assert "The mean of polls, the rule of thumb, gives 323." in found.text
    assert [p.name for p in found.major] == ["map-0", "ranking-0"]
    assert [p.name for p in found.minor] == ["days-0", "moves-0", "checks-0"]


def test_the_map_has_every_state_and_the_district_in_five_shades(facts):
    assert len(maps.shapes()["places"]) == 51
    drawing = race.races(facts)[0].major[0].drawings["wide"]
    assert drawing.count("<path") == 51
    assert {f"var(--step{i})" for i in range(5)} == {
        f"var(--step{i})" for i in range(5) if f"--step{i})" in drawing
    }


def test_places_without_outlines_are_ranked_and_not_drawn(facts):
    wards = [dict(row, place_id=f"w{i}", name=f"Ward {i}") for i, row in enumerate(facts.forecast)]
    values = [dict(row, place_id=f"w{i}") for i, row in enumerate(facts.vote_values)]
    (found,) = race.races(replace(facts, forecast=wards, vote_values=values))
    assert [p.name for p in found.major] == ["ranking-0"]


def test_a_race_without_history_or_moves_still_has_its_odds(facts):
    bare = replace(
        facts, forecast_days=[], forecast_moves=[], forecast_checks=[], vote_values=[], forecast=[]
    )
    (found,) = race.races(bare)
    assert found.major == found.minor == []
    assert "83 chances in 100" in render(bare)


def test_names_cannot_bring_markup_into_the_page(facts):
    bad = "<script>alert('x')</script>"
    moves = [dict(row, cause=bad) if row["rank"] == 1 else row for row in facts.forecast_moves]
    odds = [dict(row, choice=bad) for row in facts.odds]
    assert "<script" not in render(replace(facts, odds=odds, forecast_moves=moves))
