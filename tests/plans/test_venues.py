"""Venues: who is there by hand, ranked by gain for their cost, refused with reasons."""

from __future__ import annotations

import datetime

import numpy as np
import pytest

from hustings.errors import DesignError
from hustings.plans.venues import rank_venues
from messenger_world import ELECTION, TODAY, Small, rows, table

READS = ("people", "scores", "items", "item_days", "item_audiences", "vote_values", "places")
EARLY = np.datetime64("2026-01-01", "us")


@pytest.fixture(scope="module")
def small():
    found = Small(n=1_000)
    young = found.young
    found.columns["scores"] = {
        "person_id": np.tile(found.ids, 2), "score": ["turnout"] * 1_000 + ["support"] * 1_000,
        "as_of": [TODAY] * 2_000,
        # The young are turnout targets for us; half of the old are undecided and vote anyway.
        "value": np.concatenate([np.where(young, 0.5, 0.95), np.where(young, 0.8, np.where(found.region == "N", 0.5, 0.2))]),
    }  # fmt: skip
    found.columns["items"] = {
        "source": ["i"] * 3, "item_id": ["forum", "radio", "paper"], "name": ["Forum", "Radio", "Paper"],
        "kind": ["venue"] * 3, "cost_cents": [1_000.0, 1_000.0, 0.0], "hours": [1.0, 2.0, 1.0],
        "reach": [100.0, 300.0, 50.0], "arrived_at": [EARLY] * 3,
    }  # fmt: skip
    found.columns["item_days"] = {
        "source": ["i"] * 3, "item_id": ["forum", "radio", "paper"], "available_on": [ELECTION - datetime.timedelta(1)] * 3,
    }  # fmt: skip
    found.columns["item_audiences"] = {
        "source": ["i"] * 6, "item_id": ["forum", "forum", "radio", "radio", "paper", "paper"], "feature": ["age"] * 6,
        "value": ["18-44", "45+"] * 3, "share": [0.9, 0.1, 0.1, 0.9, 0.5, 0.5], "n_asked": [1_000] * 6,
    }  # fmt: skip
    return found


def venues(small, **settings):
    given = {
        "venue_plan": "v", "turnout_points": 1.0, "turnout_points_error": 0.0, "support_points": 0.0,
        "support_points_error": 0.0, "half_life_days": 1.0, "aim": "net_votes", "decisive_race": "",
        "playbook": "election", "country": "US", "election_day": ELECTION, "as_of": TODAY,
        "rng": np.random.default_rng(1),
    }  # fmt: skip
    tables = [settings.pop(name) if name in settings else small.table(name) for name in READS]
    found = rows(rank_venues(*tables, **(given | settings)))
    return {row["item_id"]: row for row in found["venue_options"]}, found["offers"]


def test_targets_and_gain_by_hand(small):
    found, _ = venues(small)
    forum = found["forum"]
    assert forum["turnout_targets"] == pytest.approx(90)
    assert forum["persuasion_targets"] == pytest.approx(5)
    # One point of turnout × (2 × support - 1) of each, half of it left on the next day.
    ours = 90 * 0.6 + 5 * 0.0 - 5 * 0.6
    assert forum["gain"] == pytest.approx(0.01 * ours * 0.5)
    assert forum["turnout_targets_low"] < 90 < forum["turnout_targets_high"]
    assert forum["per_1000"] == pytest.approx(forum["gain"] * 100)
    assert found["radio"]["gain"] < 0


def test_a_venue_whose_audience_is_none_of_ours_has_a_reason_and_stops_no_other(small):
    told = small.table("item_audiences", value=["18-44", "45+", "120-130", "131+", "young", "old"])
    found, _ = venues(small, item_audiences=told)
    assert found["forum"]["gain"] > 0
    assert "No one of the campaign's people" in found["radio"]["reason"]
    assert "cannot be read" in found["paper"]["reason"]


def test_support_moved_counts_twice_the_turnout(small):
    found, _ = venues(small, turnout_points=0.0, support_points=1.0)
    assert found["forum"]["gain"] == pytest.approx(0.5 * 0.01 * 2 * (90 * 0.5 + 10 * 0.95))


def test_venues_rank_by_gain_for_cost_beside_the_largest_first(small):
    found, offers = venues(small)
    assert found["paper"]["rank"] == 1  # free, and it gains
    assert [found[name]["rank_by_reach"] for name in ("radio", "forum", "paper")] == [1, 2, 3]
    assert found["radio"]["rank"] == 3
    plan = [row for row in offers if row["way"] == "plan"]
    assert [row["step"] for row in plan] == [0, 1, 2]
    assert plan[-1]["gain"] == pytest.approx(found["paper"]["gain"] + found["forum"]["gain"])


def test_the_hours_of_the_candidate_cost(small):
    found, _ = venues(small, hour_cents=500.0)
    assert found["radio"]["cost_cents"] == 2_000
    assert found["forum"]["per_hour"] == pytest.approx(found["forum"]["gain"])


@pytest.mark.parametrize(
    ("name", "change", "words"),
    [
        ("items", {"reach": [None, 300.0, 50.0]}, "how many people it reaches"),
        ("items", {"platform": ["tiktok", None, None]}, "TikTok takes no such audience"),
        ("item_days", {"available_on": [ELECTION] * 3}, "no day is known"),
        ("item_audiences", {"item_id": ["x"] * 6}, "nothing is known of its audience"),
    ],
)
def test_a_venue_that_cannot_be_valued_says_why_and_comes_last(small, name, change, words):
    found, _ = venues(small, **{name: small.table(name, **change)})
    assert words in found["forum"]["reason"]
    assert found["forum"]["gain"] is None


def test_what_cannot_be_is_refused(small):
    with pytest.raises(DesignError, match="has no venues"):
        venues(small, venue_kinds=["castle"])
    with pytest.raises(DesignError, match="no people"):
        venues(small, people=table("people", {}))


def test_without_a_support_score_no_venue_is_valued_and_each_says_why(small):
    found, _ = venues(small, scores=table("scores", {}))
    assert all("nobody has a support score" in row["reason"] for row in found.values())


def test_no_ballots_are_added_by_those_of_unknown_turnout_and_support_is_not_needed(small):
    found, _ = venues(small, scores=table("scores", {}), aim="added_ballots")
    assert found["forum"]["gain"] == pytest.approx(100 * 0.01 * 0.5)
    assert found["forum"]["persuasion_targets"] is None
