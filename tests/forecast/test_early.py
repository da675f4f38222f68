"""Votes so far: who has voted, what was to be expected by now, and what that says of the end."""

from __future__ import annotations

import datetime

import ibis
import numpy as np
import pytest

from hustings.forecast.early import follow_early_votes
from hustings.tables import spec

DAY = datetime.date(2026, 11, 3)
EVENTS = {
    "event_id": "string",
    "person_id": "string",
    "kind": "string",
    "name": "string",
    "item": "string",
    "happened_at": "timestamp",
    "arrived_at": "timestamp",
}


def event(person: str, name: str, on: datetime.date, item: str = "returned", kind: str = "ballot") -> dict:
    at = datetime.datetime.combine(on, datetime.time(12))
    return dict(zip(EVENTS, (f"{person}{name}{item}{on}", person, kind, name, item, at, at), strict=True))


def campaign(seed: int = 1, n: int = 4000, quick: float = 1.0):
    """Two parties: the first votes early, by ten days before the day 40 in 100 of its voters, the second 20."""
    rng = np.random.default_rng(seed)
    ours = np.arange(n) % 2 == 0
    people = ibis.memtable(
        {
            "person_id": [str(i) for i in range(n)],
            "party": np.where(ours, "D", "R").tolist(),
            "region_id": [f"r{i % 4 // 2}" for i in range(n)],
        }
    )
    scores = ibis.memtable(
        {
            "person_id": [str(i) for i in range(n)] * 2,
            "score": ["turnout"] * n + ["support"] * n,
            "value": [0.5] * n + np.where(ours, 0.9, 0.1).tolist(),
            "as_of": [datetime.date(2026, 10, 1)] * 2 * n,
        }
    )
    rows = []
    for name, day, speed in (
        ("2022", datetime.date(2022, 11, 8), 1.0),
        ("2018", datetime.date(2018, 11, 6), 1.0),
        ("2026", DAY, quick),
    ):
        votes = rng.random(n) < 0.5
        early = votes & (rng.random(n) < np.where(ours, 0.4, 0.2) * speed)
        rows += [event(str(i), name, day - datetime.timedelta(15)) for i in np.flatnonzero(early)]
        if name != "2026":
            rows += [event(str(i), name, day, kind="vote") for i in np.flatnonzero(votes)]
    return people, scores, rows


def follow(people, scores, rows, **more) -> dict[tuple[str, str], dict]:
    given = {
        "named": "2026",
        "election_day": DAY,
        "as_of": datetime.date(2026, 10, 24),
        "earlier": {"2022": datetime.date(2022, 11, 8), "2018": datetime.date(2018, 11, 6)},
        "place": "State",
    }
    found = follow_early_votes(
        ibis.memtable(rows, schema=EVENTS),
        people,
        scores,
        election="fall",
        rng=np.random.default_rng(1),
        **given | more,
    )
    assert tuple(found) == spec("early_votes").names
    listed = [dict(zip(found, values, strict=True)) for values in zip(*found.values(), strict=True)]
    return {(row["division"], row["part"]): row for row in listed}


def test_votes_so_far_as_expected_say_that_turnout_is_as_expected():
    people, scores, rows = campaign()
    found = follow(people, scores, rows)
    whole = found["whole", "State"]
    assert set(found) == {
        ("whole", "State"),
        ("party", "D"),
        ("party", "R"),
        ("place", "r0"),
        ("place", "r1"),
    }
    assert whole["n_people"] == 4000
    assert whole["expected_votes"] == pytest.approx(2000)
    assert whole["by_now"] == pytest.approx(600, rel=0.1)
    assert whole["by_now_low"] < whole["n_voted"] < whole["by_now_high"]
    assert whole["votes_low"] < 2000 < whole["votes_high"]
    assert whole["votes"] == pytest.approx(2000, rel=0.05)


def test_our_lead_among_early_votes_is_held_against_the_same_point_and_not_taken_for_the_end():
    people, scores, rows = campaign()
    whole = follow(people, scores, rows)["whole", "State"]
    # Ours vote early: 63 in 100 of the votes so far, and half of all.
    assert whole["support_so_far"] > 0.6
    assert whole["support_by_now"] == pytest.approx(whole["support_so_far"], abs=0.03)
    assert whole["support_low"] < 0.5 < whole["support_high"]


def test_a_quick_start_is_read_as_partly_more_voters_and_mostly_earlier_ones():
    people, scores, rows = campaign(quick=1.5)
    whole = follow(people, scores, rows)["whole", "State"]
    assert whole["n_voted"] > 1.3 * whole["by_now"]
    assert 1.0 < whole["votes"] / 2000 < 1.25


def test_a_rejected_ballot_is_out_until_it_is_cured_and_a_recorded_vote_stays():
    people, scores, rows = campaign()
    day = datetime.date(2026, 10, 20)
    new = [
        str(i) for i in range(4000) if str(i) not in {r["person_id"] for r in rows if r["name"] == "2026"}
    ][:3]
    before = follow(people, scores, rows)["whole", "State"]
    rejected = [event(new[0], "2026", day), event(new[0], "2026", day + datetime.timedelta(1), "rejected")]
    cured = [*rejected, event(new[0], "2026", day + datetime.timedelta(2), "cured")]
    asked = [event(new[1], "2026", day, "requested")]
    voted = [
        event(new[2], "2026", day, kind="vote"),
        event(new[2], "2026", day + datetime.timedelta(1), "rejected"),
    ]
    for more, n_voted, n_requested in ((rejected, 0, 1), (cured, 1, 1), (asked, 0, 1), (voted, 1, 1)):
        found = follow(people, scores, rows + more)["whole", "State"]
        assert found["n_voted"] - before["n_voted"] == n_voted
        assert found["n_requested"] - before["n_requested"] == n_requested


def test_nothing_of_the_day_or_later_is_used():
    people, scores, rows = campaign()
    later = [event(str(i), "2026", datetime.date(2026, 10, 24)) for i in range(4000)]
    assert follow(people, scores, rows + later) == follow(people, scores, rows)


def test_what_cannot_be_projected_says_why_and_still_counts():
    people, scores, rows = campaign()
    cases = (
        ({"earlier": {}}, "no earlier election is named"),
        ({"earlier": {"2014": datetime.date(2014, 11, 4)}}, "0 of the group are known to have voted"),
        ({"turnout": "voting"}, "nobody has a turnout score"),
        ({"named": "2062"}, "no ballot or vote of 2062 is known before 2026-10-24"),
        (
            {"election_day": datetime.date(2026, 12, 1)},
            "nobody had voted by this day in any earlier election",
        ),
    )
    for more, reason in cases:
        whole = follow(people, scores, rows, **more)["whole", "State"]
        assert whole["votes"] is None
        assert reason in whole["reason"]
        assert whole["n_people"] == 4000
    without = follow(people, None, rows)["whole", "State"]
    assert without["reason"] == "nobody has a turnout score"
    assert without["n_voted"] > 0


def test_without_support_scores_turnout_is_projected_and_support_is_not():
    people, scores, rows = campaign()
    whole = follow(people, scores.filter(scores.score == "turnout"), rows)["whole", "State"]
    assert whole["votes"] == pytest.approx(2000, rel=0.05)
    assert whole["support"] is None
    assert whole["support_so_far"] is None
