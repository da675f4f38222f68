"""Who asks whom, on tiny tables."""

from __future__ import annotations

import datetime

import ibis
import numpy as np
import pytest

from hustings.errors import DesignError
from hustings.plans.friends import plan_sharing
from hustings.tables import TABLES

ELECTION, TODAY = datetime.date(2026, 11, 3), datetime.date(2026, 10, 26)
NOW = datetime.datetime(2026, 10, 1)
KINDS = {"text": "string", "integer": "int64", "number": "float64", "boolean": "boolean", "day": "date", "time": "timestamp"}  # fmt: skip
ACTION = {"action": "word", "channel": "friend", "experiment": "friends", "arm": "asked", "unit_cost_cents": 2, "reaches": "person", "needs_approval": False}  # fmt: skip
KNOWN = {"action": "word", "outcome": "voted", "method": "friend ask", "is_tested": False, "contact_rate": 0.5, "new_estimate": 0.01, "new_error": 0.005}  # fmt: skip


def table(name, rows):
    kinds = {column.name: KINDS[column.type] for column in TABLES[name].columns}
    return ibis.memtable([{key: row.get(key) for key in kinds} for row in rows], schema=ibis.schema(kinds))


def tie(who, whom, **more):
    given = {"source": "app", "record_source": "v", "record_id": who, "other_id": whom, "purpose": "ask"}
    return given | {"consented_on": datetime.date(2026, 9, 1), "arrived_at": NOW} | more


def plan(ties, *, people="abcdefgh", tables=None, homes=None, **settings):
    homes = homes or {}
    rows = {
        "ties": ties,
        "friend_asks": [],
        "people": [{"person_id": f"v:{p}", "household_id": homes.get(p, p), "place_id": "P"} for p in people],
        "identities": [{"source": "v", "record_id": p, "person_id": f"v:{p}"} for p in people],
        "opt_outs": [],
        "events": [],
        "actions": [ACTION],
        "evidence": [KNOWN],
        "scores": [],
        "vote_values": [],
        "places": [],
        "holdouts": [],
    } | (tables or {})
    given = {
        "plan_id": "p",
        "action": "word",
        "hold_out": 0.0,
        "closeness_weight": 0.0,
        "aim": "added_ballots",
    }
    given |= {"decisive_race": "", "election_day": ELECTION, "as_of": TODAY, "rng": np.random.default_rng(1)}
    made = plan_sharing(*(table(name, found) for name, found in rows.items()), **(given | settings))
    return {
        name: [dict(zip(part, row, strict=True)) for row in zip(*part.values(), strict=True)]
        for name, part in made.items()
    }


def pairs(found):
    return {(row["supporter_id"][2:], row["target_id"][2:]) for row in found["sharing_plan"]}


def uses(found):
    return {row["use"]: row["n_ties"] for row in found["sharing_ties"] if row["n_ties"]}


def test_the_gain_of_one_ask_by_hand():
    found = plan([tie("a", "b")], usual_rate=0.3)
    # An effect of .01 on those assigned is .02 on those reached; 3 asks in 10 are made.
    row = found["sharing_plan"][0]
    assert (row["supporter_id"], row["target_id"], row["rank"]) == ("v:a", "v:b", 1)
    assert row["gain"] == pytest.approx(0.02 * 0.3)
    options = {one["option"]: one for one in found["sharing_options"]}
    assert options["plan"]["cost_cents"] == 52
    assert options["plan"]["gain"] == pytest.approx(0.006)
    assert options["plan"]["low"] < 0.006 < options["plan"]["high"]
    assert set(options) == {
        "plan",
        "ask everyone",
        "random friends",
        "random friends of ours",
        "most-connected first",
        "closest friends first",
    }


def test_a_second_ask_counts_by_its_fraction_and_a_third_is_not_made():
    found = plan([tie(who, "d") for who in "abc"], repeat=0.5, asked_most=2)
    assert sorted(row["rank"] for row in found["sharing_plan"]) == [1, 2]
    options = {one["option"]: one for one in found["sharing_options"]}
    assert options["plan"]["gain"] == pytest.approx(0.006 * 1.5)
    assert options["ask everyone"]["n_asks"] == 3
    assert options["ask everyone"]["gain"] == pytest.approx(0.006 * 1.5)


def test_ties_that_may_not_be_used_are_counted_by_why():
    voted = {"source": "v", "event_id": "1", "person_id": "v:g", "kind": "ballot", "name": "returned", "happened_at": datetime.datetime(2026, 10, 20), "arrived_at": datetime.datetime(2026, 10, 21)}  # fmt: skip
    refusals = [{"source": "v", "record_source": "v", "record_id": r, "channel": c} for r, c in (("f", "all"), ("e", "friend"))]  # fmt: skip
    asked = {"source": "app", "record_source": "v", "record_id": "a", "other_id": "h", "action": "word", "offered_on": datetime.date(2026, 10, 1), "arrived_at": NOW}  # fmt: skip
    ties = [
        tie("a", "b"),
        tie("a", "c", consented_on=None),
        tie("b", "c", purpose="newsletter"),
        tie("c", "a", withdrawn_on=datetime.date(2026, 10, 1)),
        tie("a", "nobody"),
        tie("nobody", "a"),
        tie("a", "d"),
        tie("e", "a"),
        tie("a", "f"),
        tie("a", "g"),
        tie("a", "h"),
        tie("b", "h", arrived_at=datetime.datetime(2026, 10, 27)),
    ]
    found = plan(
        ties,
        homes={"a": "one", "d": "one"},
        tables={"opt_outs": refusals, "events": [voted], "friend_asks": [asked]},
    )
    assert pairs(found) == {("a", "b")}
    assert uses(found) == {
        "may be used": 1,
        "no consent, or not for this purpose": 2,
        "the consent was withdrawn": 1,
        "one of the two is not among the people": 2,
        "both live in one household": 1,
        "the supporter has refused": 1,
        "the friend's household has refused": 1,
        "the friend has voted": 1,
        "the supporter was asked to ask this friend before": 1,
    }


def test_the_same_tie_from_two_sources_is_used_once():
    found = plan([tie("a", "b"), tie("a", "b", source="other", closeness=0.9)])
    assert len(found["sharing_plan"]) == 1
    assert found["sharing_plan"][0]["closeness"] == 0.9


def test_whoever_asked_before_is_trusted_more_than_whoever_did_not():
    past = [
        {
            "source": "app",
            "record_source": "v",
            "record_id": who,
            "other_id": f"x{i}",
            "action": "older",
            "offered_on": datetime.date(2026, 9, 1),
            "made_on": datetime.date(2026, 9, 2) if who == "a" else None,
            "arrived_at": NOW,
        }
        for who in "ab"
        for i in range(4)
    ]
    found = plan([tie("a", "c"), tie("b", "c")], tables={"friend_asks": past}, asked_most=1)
    assert pairs(found) == {("a", "c")}
    assert found["sharing_plan"][0]["p_asks"] == pytest.approx((4 * 0.3 + 4) / 8)


def test_households_held_out_stay_held_out_and_are_told_apart():
    ties = [tie(who, whom) for who in "abcd" for whom in "efgh"]
    kept = [{"plan_id": "sharing_plan.p", "household_id": "e", "held_out": True, "drawn_on": TODAY}]
    found = plan(ties, tables={"holdouts": kept}, asks_each=4)
    assert {row["target_id"] for row in found["sharing_plan"] if row["held_out"]} == {"v:e"}
    assert all(row["gain"] == 0 for row in found["sharing_plan"] if row["held_out"])
    options = {one["option"]: one for one in found["sharing_options"]}
    assert options["plan"]["n_targets"] == 3


def test_where_everyone_is_held_out_nobody_asks_and_it_says_why():
    kept = [{"plan_id": "sharing_plan.p", "household_id": "b", "held_out": True, "drawn_on": TODAY}]
    found = plan([tie("a", "b")], tables={"holdouts": kept})
    assert found["sharing_plan"] == []
    assert found["sharing_options"][0]["reason"] == "every friend's household is held out"
    assert found["sharing_options"][0]["gain"] is None
    assert found["offers"][0]["gain"] is None


@pytest.mark.parametrize(
    ("settings", "tables", "why"),
    [
        ({"asks_each": 0}, {}, "nobody may ask"),
        ({"asked_most": 0}, {}, "nobody may ask"),
        ({}, {"evidence": []}, "nothing is known of what the action does"),
        ({}, {"evidence": [KNOWN | {"new_estimate": None}]}, "nothing is known of what the action does"),
        (
            {},
            {"evidence": [KNOWN | {"new_estimate": float("nan")}]},
            "nothing is known of what the action does",
        ),
        ({}, {"evidence": [KNOWN | {"new_estimate": -0.01}]}, "not expected to add a vote"),
        ({}, {"actions": [ACTION | {"needs_approval": True}]}, "not approved"),
        ({}, {"ties": []}, "no tie may be used"),
    ],
)
def test_a_plan_of_nobody_says_why(settings, tables, why):
    ties = tables.pop("ties", [tie("a", "b")])
    found = plan(ties, tables=tables, **settings)
    assert found["sharing_plan"] == []
    assert why in found["sharing_options"][0]["reason"]
    assert why in found["offers"][0]["reason"]


@pytest.mark.parametrize(
    ("settings", "tables", "words"),
    [
        ({"action": "wrod"}, {}, "unknown action 'wrod' .did you mean 'word'"),
        ({}, {"actions": [ACTION | {"channel": "mail"}]}, "does not go from friend to friend"),
        (
            {"aim": "win", "decisive_race": "r"},
            {"scores": [{"person_id": "v:b", "score": "support", "as_of": TODAY, "value": 0.9}]},
            "no vote has a value yet",
        ),
    ],
)
def test_settings_that_cannot_be_are_refused(settings, tables, words):
    with pytest.raises(DesignError, match=words):
        plan([tie("a", "b")], tables=tables, **settings)


def test_without_a_support_score_nobody_is_asked_for_net_votes_and_it_says_why():
    found = plan([tie("a", "b")], aim="net_votes")
    assert not found["sharing_plan"]
    assert "no score 'support'" in found["sharing_options"][0]["reason"]


def test_scores_of_other_people_leave_every_friend_alike():
    scores = [{"person_id": "v:a", "score": "turnout", "as_of": TODAY, "value": 0.5}]
    found = plan([tie("a", "b")], tables={"scores": scores})
    assert found["sharing_plan"][0]["gain"] == pytest.approx(0.006)


def test_two_records_of_one_person_are_no_tie():
    same = [{"source": "v", "record_id": r, "person_id": "v:a"} for r in ("a", "again")]
    found = plan([tie("a", "again")], tables={"identities": same})
    assert uses(found) == {"both live in one household": 1}


def test_swing_places_and_our_own_people_come_first():
    scores = [{"person_id": f"v:{p}", "score": "support", "as_of": TODAY, "value": v} for p, v in (("c", 0.9), ("d", 0.9), ("e", 0.2))]  # fmt: skip
    places = {"people": [{"person_id": f"v:{p}", "household_id": p, "place_id": where} for p, where in (("a", "S"), ("b", "S"), ("c", "S"), ("d", "T"), ("e", "T"))]}  # fmt: skip
    values = [
        {"race": "r", "place_id": p, "value": v, "std_error": v / 10} for p, v in (("S", 1e-6), ("T", 5e-6))
    ]
    found = plan(
        [tie("a", whom) for whom in "cde"],
        tables=places | {"scores": scores, "vote_values": values},
        aim="win",
        decisive_race="r",
        asks_each=1,
    )
    # d lives where votes count five times as much; e would vote against us.
    assert pairs(found) == {("a", "d")}
    assert found["sharing_options"][0]["gain"] == pytest.approx(0.006 * 0.8 * 5e-6)
    assert found["sharing_options"][0]["votes"] == pytest.approx(0.006 * 0.8)


def test_offers_are_steps_of_falling_return_that_end_at_the_plan():
    rng = np.random.default_rng(3)
    people = [chr(0x4E00 + i) for i in range(60)]
    scores = [{"person_id": f"v:{p}", "score": "turnout", "as_of": TODAY, "value": float(rng.uniform(0.05, 0.95))} for p in people]  # fmt: skip
    ties = [tie(who, whom) for who in people[:25] for whom in people[25:] if rng.random() < 0.4]
    found = plan(ties, people=people, tables={"scores": scores}, asks_each=3)
    steps = [row for row in found["offers"] if row["way"] == "plan"]
    option = found["sharing_options"][0]
    assert steps[0]["cost_cents"] == 0
    assert steps[-1]["gain"] == pytest.approx(option["gain"])
    assert steps[-1]["cost_cents"] == pytest.approx(option["cost_cents"])
    assert steps[-1]["std_error"] == pytest.approx(option["std_error"])
    slopes = np.diff([s["gain"] for s in steps]) / np.diff([s["cost_cents"] for s in steps])
    assert (np.diff(slopes) < 1e-12).all()
    assert all(row["advantage"] >= -1e-9 for row in found["sharing_options"][1:])


def test_a_supporter_with_fifty_thousand_contacts_gets_five():
    people = [f"p{i}" for i in range(50_001)]
    found = plan([tie("p0", other) for other in people[1:]], people=people)
    assert len(found["sharing_plan"]) == 5
    assert found["sharing_options"][0]["gap"] <= 5e-4
