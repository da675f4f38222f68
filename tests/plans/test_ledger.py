"""The ledger on tiny tables."""

from __future__ import annotations

import datetime
import json

import ibis
import numpy as np
import pytest

from hustings.plans.ledger import measure_decisions
from hustings.tables import TABLES

PROPOSED, POSTED, ELECTION = (datetime.date(2026, *day) for day in ((8, 1), (9, 15), (8, 20)))
KINDS = {"text": "string", "integer": "int64", "number": "float64", "boolean": "boolean", "day": "date", "time": "timestamp"}  # fmt: skip


def moment(day):
    return datetime.datetime.combine(day, datetime.time())


def table(name, rows):
    kinds = {column.name: KINDS[column.type] for column in TABLES[name].columns}
    return ibis.memtable([{key: row.get(key) for key in kinds} for row in rows], schema=ibis.schema(kinds))


def decision(name="d1", plan="mail", **more):
    return {
        "decision_id": name, "plan_id": plan, "as_of": PROPOSED, "question": "Send?", "recommendation": "Send.",
        "unit": "added_ballots", "expected": 10.0, "low": 2.0, "high": 18.0, "cost_cents": 100.0, "rule": "random",
        "rule_expected": 8.0, "options": json.dumps([]), "available_on": POSTED,
    } | more  # fmt: skip


def event(name="d1", verdict="accepted"):
    return {
        "event_id": f"{name}-decided", "decision_id": name, "event": verdict, "by": "Jo",
        "happened_at": moment(PROPOSED), "note": "Go.",
    }  # fmt: skip


def people(n=200, name="d1"):
    return [
        {
            "decision_id": name, "person_id": f"{name}p{i}", "household_id": f"{name}h{i // 2}", "action": "plain",
            "held_out": i % 4 < 2, "added_ballots": 0.1, "published": 0.02,
        }
        for i in range(n)
    ]  # fmt: skip


def voted(n=200, share=(0.5, 0.3), name="d1", on=ELECTION, arrived=POSTED):
    rows = []
    for i in range(n):
        # Households in turn vote or do not: shares by hand.
        home, held = i // 4, i % 4 < 2
        rows.append({
            "outcome": "voted", "person_id": f"{name}p{i}", "value": float(home % 10 < 10 * share[held]),
            "happened_on": on, "arrived_at": moment(arrived),
        })  # fmt: skip
    return rows


def ledger(
    decisions, events=(), listed=(), outcomes=(), ballots=(), as_of=POSTED + datetime.timedelta(5), cuts=()
):
    made = measure_decisions(
        table("decisions", decisions), table("decision_events", events), table("decided_people", listed),
        table("cuts", cuts), table("outcomes", outcomes), table("events", ballots), table("budget_options", []),
        election_day=ELECTION, as_of=as_of,
    )  # fmt: skip
    return {
        name: [dict(zip(part, row, strict=True)) for row in zip(*part.values(), strict=True)]
        for name, part in made.items()
    }


def test_a_gain_is_measured_against_those_held_out_by_hand():
    found = ledger([decision()], [event()], people(), voted())
    row = found["ledger"][0]
    # 100 people to be reached, of whom .5 voted and of the held out .3.
    assert (row["status"], row["n_treated"], row["n_control"]) == ("measured", 100, 100)
    assert row["measured"] == pytest.approx(20)
    assert (row["predicted"], row["published"]) == (pytest.approx(10), pytest.approx(2))
    assert row["error"] == pytest.approx(10)
    # 50 households of two on each side, alike within: (50 × 1² + 15 × 1.4² + 35 × .6²) / 100² × 50 / 49, in people.
    assert row["measured_error"] == pytest.approx(
        100 * np.sqrt((50 + 15 * 1.96 + 35 * 0.36) / 100**2 * 50 / 49)
    )
    assert found["decision_events"][0]["event"] == "measured"
    assert found["ledger_fits"][0]["reason"] == "fewer than two decisions have been measured"


def test_nothing_is_measured_before_the_outcome_can_be_known():
    for as_of in (POSTED, POSTED - datetime.timedelta(1)):
        row = ledger([decision()], [event()], people(), voted(), as_of=as_of)["ledger"][0]
        assert row["measured"] is None
        assert row["reason"] == f"the outcome can be known from {POSTED}"
    late = voted(arrived=POSTED + datetime.timedelta(30))
    assert (
        "no outcome voted has arrived"
        in ledger([decision()], [event()], people(), late)["ledger"][0]["reason"]
    )
    never = ledger([decision(available_on=None)], [event()], people(), voted())["ledger"][0]
    assert "no day is told" in never["reason"]


def test_an_outcome_of_an_earlier_election_is_not_this_ones():
    old = voted(on=PROPOSED - datetime.timedelta(30))
    assert ledger([decision()], [event()], people(), old)["ledger"][0]["measured"] is None


def test_ballots_that_are_in_are_interim_and_called_so():
    day = PROPOSED + datetime.timedelta(10)
    ballots = [
        {
            "person_id": f"d1p{i}", "kind": "ballot", "name": "returned", "happened_at": moment(day),
            "arrived_at": moment(day),
        }
        for i in range(2, 200, 8)
    ]  # fmt: skip
    found = ledger([decision()], [event()], people(), voted(), ballots, as_of=day + datetime.timedelta(2))
    row = found["ledger"][0]
    assert (row["interim_outcome"], row["measured"]) == ("ballots returned", None)
    assert row["interim"] == pytest.approx(25)
    assert [one["event"] for one in found["decision_events"]] == ["interim"]


def test_statuses_tell_what_became_of_each():
    newer = decision("d2", as_of=PROPOSED + datetime.timedelta(1))
    other = decision("d3", "calls")
    cut = {"plan_id": "calls", "cut_at": moment(PROPOSED) + datetime.timedelta(hours=1)}
    found = ledger([decision(), newer, other, decision("d4", "doors")],
                   [event("d3"), event("d4", "refused")], cuts=[cut])["ledger"]  # fmt: skip
    assert {row["decision_id"]: row["status"] for row in found} == {
        "d1": "replaced", "d2": "open", "d3": "acted", "d4": "refused",
    }  # fmt: skip
    assert next(row for row in found if row["decision_id"] == "d4")["decided_by"] == "Jo"


def test_without_two_households_held_out_there_is_no_measurement():
    listed = [row | {"held_out": False} for row in people()]
    row = ledger([decision()], [event()], listed, voted())["ledger"][0]
    assert "fewer than two households held out" in row["reason"]


def test_many_decisions_are_calibrated_against_their_predictions():
    rng = np.random.default_rng(3)
    told, happened, listed, outcomes = [], [], [], []
    for k in range(6):
        name, gain = f"d{k}", 0.02 * k
        told.append(decision(name, f"plan{k}"))
        happened.append(event(name))
        own = [row | {"added_ballots": gain} for row in people(2_000, name)]
        listed += own
        outcomes += [
            {
                "outcome": "voted", "person_id": row["person_id"], "happened_on": ELECTION,
                "arrived_at": moment(POSTED), "value": float(rng.random() < 0.4 + gain * (not row["held_out"])),
            }
            for row in own
        ]  # fmt: skip
    found = ledger(told, happened, listed, outcomes)
    plans, published = found["ledger_fits"]
    assert plans["n_decisions"] == 6
    assert plans["slope_low"] < 1 < plans["slope_high"]
    assert plans["bias_low"] < 0 < plans["bias_high"]
    assert published["reason"].startswith("All predictions are the same")
    assert published["excess"] > plans["excess"]


def test_someone_with_a_letter_and_a_call_is_one_person():
    twice = [
        row | {"action": action, "added_ballots": 0.05} for row in people() for action in ("plain", "call")
    ]
    once = ledger([decision()], [event()], people(), voted())["ledger"][0]
    row = ledger([decision()], [event()], twice, voted())["ledger"][0]
    for name in ("n_treated", "n_control", "measured", "measured_error", "predicted"):
        assert row[name] == pytest.approx(once[name]), name
    unknown = [row | {"published": None} for row in people()]
    assert ledger([decision()], [event()], unknown, voted())["ledger"][0]["published"] is None
