"""Features as of a day, and never later."""

from __future__ import annotations

import datetime

import ibis
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hustings.features.features import build_features, describe
from hustings.warehouse import matrix

DAY = datetime.date(2026, 7, 27)
D = datetime.date
T = datetime.datetime


def people(*rows: dict) -> ibis.Table:
    base = {
        "household_id": None, "place_id": None, "region_id": None, "born_on": None, "sex": None, "party": None,
        "registered_on": None, "arrived_at": T(2026, 1, 1),
    }  # fmt: skip
    full = [base | row | {"household_id": row.get("household_id", row["person_id"])} for row in rows]
    schema = {
        "person_id": "string", "household_id": "string", "place_id": "string", "region_id": "string",
        "born_on": "date", "sex": "string", "party": "string", "registered_on": "date", "arrived_at": "timestamp",
    }  # fmt: skip
    return ibis.memtable([{name: row[name] for name in schema} for row in full], schema=schema)


def events(*rows: dict) -> ibis.Table:
    schema = {
        "source": "string", "event_id": "string", "person_id": "string", "kind": "string", "name": "string",
        "election_kind": "string", "channel": "string", "item": "string", "value": "float64",
        "happened_at": "timestamp", "arrived_at": "timestamp",
    }  # fmt: skip
    full = [
        dict.fromkeys(schema) | {"source": "s", "event_id": str(i), "arrived_at": row["happened_at"]} | row
        for i, row in enumerate(rows)
    ]
    return ibis.memtable(full, schema=schema)


def households(table: ibis.Table) -> ibis.Table:
    return table.group_by("household_id").agg(place_id=table.place_id.min(), n_people=table.count())


def vote(person: str, kind: str, year: int, **more) -> dict:
    month = 11 if kind == "general" else 8
    return {
        "person_id": person, "kind": "vote", "name": f"{year} {kind}", "election_kind": kind,
        "happened_at": T(year, month, 4),
    } | more  # fmt: skip


def described(who: ibis.Table, what: ibis.Table, as_of: D = DAY) -> dict[str, dict]:
    rows = describe(who, what, as_of, 18).to_pyarrow().to_pylist()
    return {row["person_id"]: row for row in rows}


VOTES = (
    vote("a", "general", 2024),
    vote("a", "primary", 2024),
    vote("a", "general", 2022),
    vote("b", "general", 2024),
    vote("c", "primary", 2022),
    {"person_id": "a", "kind": "contact", "channel": "mail", "happened_at": T(2026, 7, 7)},
)
WHO = (
    {"person_id": "a", "household_id": "h", "place_id": "p", "born_on": D(1986, 7, 27), "sex": "female"},
    {"person_id": "b", "household_id": "h", "place_id": "p", "born_on": D(2006, 7, 27), "sex": "male"},
    {"person_id": "c", "place_id": "p", "born_on": None, "sex": "x"},
    {"person_id": "d", "registered_on": D(2016, 7, 27)},
)


def test_every_feature_by_hand():
    found = described(people(*WHO), events(*VOTES))
    a, b, c, d = (found[name] for name in "abcd")
    assert a["age"] == pytest.approx(40, abs=0.01)
    assert (a["is_female"], b["is_female"], c["is_female"]) == (True, False, None)
    assert (a["household_size"], c["household_size"]) == (2, 1)
    assert (a["n_general"], a["n_primary"], a["n_other"]) == (2, 1, 0)
    # Known elections: generals of 2024 and 2022, primaries of 2024 and 2022.
    assert (a["share_general"], a["share_primary"], a["share_voted"]) == (1.0, 0.5, 0.75)
    # b came of age on 27 July 2024: only the general and the primary of 2024 count.
    assert (b["share_general"], b["share_primary"], b["share_voted"]) == (1.0, 0.0, 0.5)
    assert c["share_voted"] == 0.25
    assert (a["voted_last_general"], a["voted_last_primary"], c["voted_last_primary"]) == (True, True, False)
    assert (a["vote_pattern"], c["vote_pattern"], d["vote_pattern"]) == ("1110", "0001", "0000")
    assert a["years_since_vote"] == pytest.approx(1.73, abs=0.01)
    assert d["years_since_vote"] is None
    assert (a["n_contacts"], a["days_since_contact"], b["n_contacts"], b["days_since_contact"]) == (
        1,
        20.0,
        0,
        None,
    )
    assert (a["household_share_voted"], b["household_share_voted"], c["household_share_voted"]) == (
        0.5,
        0.75,
        None,
    )
    assert a["place_share_voted"] == pytest.approx((0.5 + 0.25) / 2)
    assert a["place_age"] == pytest.approx(20, abs=0.01)
    assert (a["place_people"], d["place_people"]) == (3, None)
    assert d["years_registered"] == pytest.approx(10, abs=0.01)


LATER = st.lists(
    st.tuples(
        st.sampled_from("abcd"),
        st.sampled_from(["vote", "contact", "gift"]),
        st.sampled_from(["general", "primary", "school board"]),
        st.integers(-2000, 400),
        st.integers(0, 400),
    ),
    min_size=1,
    max_size=6,
)


@given(LATER)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_what_happens_or_arrives_later_changes_nothing(planted):
    """Planted: what happens on the day or after it, and what happened before it and arrives after its morning."""
    morning = T(2026, 7, 27)
    later = []
    for person, kind, election, happened, late in planted:
        happened_at = morning + datetime.timedelta(days=happened)
        arrived_at = max(happened_at, morning + datetime.timedelta(days=late, hours=1))
        later.append(
            {
                "person_id": person,
                "kind": kind,
                "name": f"planted {election} {happened}",
                "election_kind": election,
                "happened_at": happened_at,
                "arrived_at": arrived_at,
            }
        )
    who = people(*WHO)
    assert described(who, events(*VOTES)) == described(who, events(*VOTES, *later))


def test_what_arrives_on_the_morning_itself_counts():
    late = vote("d", "general", 2022, arrived_at=T(2026, 7, 27))
    assert described(people(*WHO), events(*VOTES, late))["d"]["n_general"] == 1


def test_a_person_who_was_not_known_yet_is_not_described():
    who = people(*WHO, {"person_id": "e", "arrived_at": T(2026, 8, 1)})
    assert set(described(who, events(*VOTES))) == set("abcd")
    assert set(described(who, events(*VOTES), D(2026, 8, 1))) == set("abcde")


def test_a_person_who_came_later_is_in_nobodys_household_or_place_yet():
    later = {
        "person_id": "e",
        "household_id": "h",
        "place_id": "p",
        "born_on": D(1950, 1, 1),
        "arrived_at": T(2026, 8, 1),
    }
    assert described(people(*WHO, later), events(*VOTES)) == described(people(*WHO), events(*VOTES))


def test_an_election_is_one_whatever_two_sources_call_its_kind():
    twice = vote("b", "general", 2022, election_kind=None)
    found = described(people(*WHO), events(*VOTES, twice))
    assert (found["b"]["n_general"], found["b"]["n_other"]) == (2, 0)
    assert found["b"]["vote_pattern"] == "1010"


def test_the_people_of_an_earlier_test_are_also_described_as_of_its_draw():
    who, what = people(*WHO), events(*VOTES)
    drawn = ibis.memtable({"person_id": ["a", "b"], "assigned_on": [D(2026, 7, 1)] * 2})
    rows = build_features(who, what, drawn, as_of=DAY).to_pyarrow().to_pylist()
    assert sorted((row["person_id"], str(row["as_of"])) for row in rows) == [
        ("a", "2026-07-01"), ("a", "2026-07-27"), ("b", "2026-07-01"), ("b", "2026-07-27"),
        ("c", "2026-07-27"), ("d", "2026-07-27"),
    ]  # fmt: skip
    before = next(row for row in rows if row["person_id"] == "a" and str(row["as_of"]) == "2026-07-01")
    # The letter of 7 July is no covariate of a test drawn on the first.
    assert before["n_contacts"] == 0


def test_without_any_event_there_are_still_people():
    found = described(people(*WHO), events())
    assert found["a"]["share_voted"] is None
    assert found["a"]["vote_pattern"] is None
    assert found["a"]["n_general"] == 0


def test_the_matrix_has_the_same_columns_for_other_people():
    who, what = people(*WHO), events(*VOTES)
    rows = describe(who, what, DAY, 18)
    known = matrix(rows)
    again = matrix(rows.filter(rows.person_id == "a"), known.names)
    assert again.names == known.names
    assert again.values.shape == (1, len(known.names))
    assert "person_id" not in known.names
