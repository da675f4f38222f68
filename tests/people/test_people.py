"""Records as people: who lives together, what is kept apart, and whose events are whose."""

from __future__ import annotations

import datetime

import ibis
import pytest

from hustings.people.events import attach_events
from hustings.people.outcomes import attach_outcomes
from hustings.people.people import unify_people
from hustings.tables import spec

D, T = datetime.date, datetime.datetime
TYPES = {
    "text": "string",
    "integer": "int64",
    "number": "float64",
    "boolean": "boolean",
    "day": "date",
    "time": "timestamp",
}


def table(name: str, *rows: dict) -> ibis.Table:
    """A table of that name with what is given, and nulls."""
    schema = {column.name: TYPES[column.type] for column in spec(name).columns}
    return ibis.memtable([dict.fromkeys(schema) | row for row in rows], schema=schema)


def record(number: str, **more) -> dict:
    base = {"source": "voters", "record_id": number, "load_id": "1", "line": 1, "arrived_at": T(2026, 1, 1)}
    return base | more


def people(*records: dict, households_by: str = "key") -> dict[str, list[dict]]:
    made = unify_people(table("records", *records), households_by=households_by)
    return {name: found.order_by(*spec(name).key).to_pyarrow().to_pylist() for name, found in made.items()}


def homes(found) -> list[set[str]]:
    by: dict[str, set[str]] = {}
    for row in found["people"]:
        by.setdefault(row["household_id"], set()).add(row["person_id"].removeprefix("voters:"))
    return sorted(by.values(), key=sorted)


def test_every_record_is_a_person_with_exactly_the_declared_columns():
    found = people(record("1", given_name="Ann", phone="555", party="A"), record("2", source="donors"))
    assert [row["person_id"] for row in found["people"]] == ["donors:2", "voters:1"]
    for name, rows in found.items():
        assert all(list(row) == list(spec(name).names) for row in rows)
    one = {"source": "voters", "record_id": "1", "person_id": "voters:1", "p_match": 1.0}
    assert found["identities"][1] == one
    assert found["people_private"][1]["given_name"] == "Ann"
    assert "Ann" not in str(found["people"])


def test_records_with_one_key_live_together_and_others_alone():
    keys = {"1": "a", "2": "a", "3": None, "4": "3", "5": "voters:3"}
    found = people(*(record(number, household_key=key) for number, key in keys.items()))
    assert homes(found) == [{"1", "2"}, {"3"}, {"4"}, {"5"}]
    assert [row["n_people"] for row in found["households"]].count(2) == 1


def test_the_same_key_of_another_source_is_another_household():
    found = people(record("1", household_key="a"), record("1", source="donors", household_key="a"))
    assert len(found["households"]) == 2


def test_records_with_one_address_live_together_and_the_address_is_not_told():
    where = {"address": "1 Maple St", "postcode": "00001"}
    found = people(
        record("1", **where),
        record("2", **(where | {"address": "1 MAPLE ST"})),
        record("3", **(where | {"postcode": "00002"})),
        record("4"),
        record("5"),
        households_by="address",
    )
    assert homes(found) == [{"1", "2"}, {"3"}, {"4"}, {"5"}]
    told = str(found["people"]) + str(found["households"])
    assert "maple" not in told.lower()


def test_nobody_lives_together_where_nobody_is_said_to():
    found = people(*(record(n, household_key="a") for n in "12"), households_by="none")
    assert homes(found) == [{"1"}, {"2"}]


@pytest.mark.parametrize(
    ("given", "born"),
    [
        ({"born_on": D(1980, 2, 29), "age": 3, "age_on": D(2026, 1, 1)}, D(1980, 2, 29)),
        ({"age": 40, "age_on": D(2026, 7, 1)}, D(1985, 12, 31)),
        ({"age": 40}, None),
        ({}, None),
    ],
)
def test_the_day_of_birth_is_guessed_from_an_age_by_half_a_year(given, born):
    assert people(record("1", **given))["people"][0]["born_on"] == born


def known() -> ibis.Table:
    rows = [{"source": "voters", "record_id": n, "person_id": f"p{n}", "p_match": 1.0} for n in "12"]
    return table("identities", *rows)


def test_an_event_is_of_the_person_whose_record_it_names_and_an_unknown_record_has_none():
    def event(number: str, source: str = "voters") -> dict:
        return {
            "source": "mail",
            "event_id": f"{source}{number}",
            "record_source": source,
            "record_id": number,
            "kind": "vote",
            "happened_at": T(2025, 1, 1),
            "arrived_at": T(2026, 1, 1),
        }

    rows = attach_events(table("record_events", event("1"), event("3"), event("1", "donors")), known())
    (found,) = rows.to_pyarrow().to_pylist()
    assert (found["event_id"], found["person_id"]) == ("voters1", "p1")


def test_of_several_words_on_an_outcome_the_newest_counts():
    def outcome(value: float, arrived: int, source: str = "a", on: int = 1) -> dict:
        return {
            "source": source,
            "outcome": "voted",
            "record_source": "voters",
            "record_id": "1",
            "value": value,
            "happened_on": D(2026, 1, on),
            "arrived_at": T(2026, 2, arrived),
        }

    def value(*rows: dict) -> float:
        (found,) = attach_outcomes(table("record_outcomes", *rows), known()).to_pyarrow().to_pylist()
        assert found["person_id"] == "p1"
        return found["value"]

    assert value(outcome(0.0, 1), outcome(1.0, 3, "b"), outcome(0.0, 2, "c")) == 1.0
    assert value(outcome(0.0, 1, "a", 5), outcome(1.0, 1, "b", 6)) == 1.0
