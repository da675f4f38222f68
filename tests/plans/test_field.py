"""The field's day on tiny tables."""

from __future__ import annotations

import datetime

import ibis
import numpy as np
import pytest

from hustings.errors import DesignError
from hustings.plans.ballots import list_ballots
from hustings.plans.doors import doors
from hustings.plans.field import forecast_shifts, measure_field
from hustings.plans.turfs import cut_into_turfs
from hustings.tables import TABLES

ELECTION, TODAY = datetime.date(2026, 11, 3), datetime.date(2026, 10, 26)
KINDS = {"text": "string", "integer": "int64", "number": "float64", "boolean": "boolean", "day": "date", "time": "timestamp"}  # fmt: skip


def table(name, rows):
    kinds = {column.name: KINDS[column.type] for column in TABLES[name].columns}
    return ibis.memtable([{key: row.get(key) for key in kinds} for row in rows], schema=ibis.schema(kinds))


def at(day, hour=0):
    return datetime.datetime(2026, 10, day, hour)


def rows_of(found):
    return [dict(zip(found, values, strict=True)) for values in zip(*found.values(), strict=True)]


def people(n, *, per_home=1, region="R1", place="P1"):
    return [
        {
            "person_id": f"p{i:03d}",
            "household_id": f"h{i // per_home:03d}",
            "region_id": region,
            "place_id": place,
        }
        for i in range(n)
    ]


def event(person, kind, name, day, channel=None):
    same = {"source": "s", "event_id": f"{person}{kind}{name}{day}{channel}", "kind": kind, "name": name}
    return same | {"person_id": person, "channel": channel, "happened_at": at(day), "arrived_at": at(day)}


def cut(folk, private, events=(), opt_outs=(), plan=None, **settings):
    identities = [
        {"source": "voters", "record_id": one["person_id"], "person_id": one["person_id"]} for one in folk
    ]
    given = {"election_day": ELECTION, "as_of": TODAY, "rng": np.random.default_rng(1), "fewest_doors": 1}
    found = cut_into_turfs(
        table("people", folk),
        table("people_private", private),
        None if plan is None else table("contact_plan", plan),
        None,
        table("opt_outs", opt_outs),
        table("identities", identities),
        table("events", events),
        turf_set="doors",
        **(given | settings),
    )
    return {name: rows_of(part) for name, part in found.items()}


def addresses(folk, address=lambda i: f"{i + 1} Main St", where=lambda i: (42 + i / 1e4, -86.0)):
    return [
        {
            "person_id": one["person_id"],
            "address": address(i),
            "latitude": where(i)[0],
            "longitude": where(i)[1],
        }
        for i, one in enumerate(folk)
    ]


def test_doors_are_cut_by_coordinates_and_beside_rules_of_thumb():
    folk = people(100)
    found = cut(folk, addresses(folk), doors_per_turf=40)
    assert [turf["n_doors"] for turf in found["turfs"]] == [33, 33, 34] or sorted(
        turf["n_doors"] for turf in found["turfs"]
    ) == [33, 33, 34]
    assert {turf["method"] for turf in found["turfs"]} == {"coordinates"}
    assert [one["option"] for one in found["turf_options"]] == [
        "plan",
        "street order",
        "file order",
        "one precinct one turf",
    ]
    # Doors on a line are walked from one end to the other: 11 metres from each to the next.
    assert found["turf_options"][0]["meters_per_door"] == pytest.approx(11.1 * 97 / 100, rel=0.01)


def test_who_has_voted_and_who_refuses_doors_is_not_looked_for():
    folk = people(10)
    refusal = {"source": "s", "record_source": "voters", "record_id": "p004", "channel": "door"}
    found = cut(folk, addresses(folk), [event("p003", "ballot", "returned", 20)], [refusal])
    listed = {row["person_id"] for row in found["turf_doors"]}
    assert listed == {one["person_id"] for one in folk} - {"p003", "p004"}


def test_a_ballot_that_arrives_after_the_day_of_the_plan_is_not_known_yet():
    folk = people(3)
    found = cut(folk, addresses(folk), [event("p001", "ballot", "returned", 26)])
    assert len(found["turf_doors"]) == 3


def test_doors_without_coordinates_are_cut_by_street():
    folk = people(60)
    found = cut(folk, addresses(folk, where=lambda _: (None, None)), doors_per_turf=20)
    assert {turf["method"] for turf in found["turfs"]} == {"streets"}
    assert {turf["walk_meters"] for turf in found["turfs"]} == {None} or all(
        np.isnan(turf["walk_meters"]) for turf in found["turfs"]
    )
    assert found["turf_options"][0]["reason"] == "no door has coordinates"


@pytest.mark.parametrize("where", [(np.nan, np.nan), (0.0, 0.0), (99.0, 5.0), (42.0, None), (42.0, 999.0)])
def test_coordinates_of_no_place_on_earth_count_as_missing(where):
    folk = people(4)
    found = cut(folk, addresses(folk, where=lambda _: where))
    assert {turf["method"] for turf in found["turfs"]} == {"streets"}


def test_a_door_without_address_and_coordinates_has_no_turf_and_says_why():
    folk = people(3)
    found = cut(
        folk, addresses(folk, address=lambda i: None if i == 1 else f"{i} Elm", where=lambda _: (None, None))
    )
    lost = [row for row in found["turf_doors"] if row["turf_id"] is None]
    assert [(row["person_id"], row["reason"]) for row in lost] == [("p001", "no address and no coordinates")]
    assert np.isnan(lost[0]["door"])


def test_one_door_50_km_away_is_no_turf():
    folk = people(30)
    found = cut(
        folk, addresses(folk, where=lambda i: (42.5 if i == 29 else 42 + i / 1e4, -86.0)), fewest_doors=5
    )
    assert len(found["turfs"]) == 1
    lost = [row for row in found["turf_doors"] if row["turf_id"] is None]
    assert [row["person_id"] for row in lost] == ["p029"]
    assert "fewer than 5 doors nearby" in lost[0]["reason"]


def test_a_household_of_40_is_one_door_that_takes_longer():
    folk = [
        *people(40, per_home=40),
        {"person_id": "q", "household_id": "q", "region_id": "R1", "place_id": "P1"},
    ]
    found = cut(folk, addresses(folk))
    assert [(turf["n_doors"], turf["n_people"]) for turf in found["turfs"]] == [(2, 41)]
    assert found["turfs"][0]["minutes"] > 2 * 2.5 + 19


def test_no_doors_make_no_turfs():
    found = cut([], [])
    assert found["turfs"] == found["turf_doors"] == []
    assert found["turf_options"][0]["reason"] == "no door has coordinates"


def test_turfs_by_minutes_have_equal_minutes():
    folk = people(400, per_home=2)
    found = cut(folk, addresses(folk, where=lambda i: (42 + (i // 2) / 1e4, -86.0)), minutes_per_turf=120.0)
    minutes = [turf["minutes"] for turf in found["turfs"]]
    assert max(minutes) - min(minutes) < 6
    assert max(minutes) < 130


def test_the_control_group_of_any_plan_is_in_no_turf():
    folk = people(6)
    plan = [
        {
            "plan_id": "mail",
            "person_id": f"p00{i}",
            "household_id": f"h00{i}",
            "action": "a",
            "held_out": i < 2,
        }
        for i in range(4)
    ]
    everyone = cut(folk, addresses(folk), plan=plan)
    assert {row["person_id"] for row in everyone["turf_doors"]} == {"p002", "p003", "p004", "p005"}
    planned = cut(folk, addresses(folk), plan=plan, plan_id="mail")
    assert {row["person_id"] for row in planned["turf_doors"]} == {"p002", "p003"}


def test_turfs_of_a_plan_need_the_plan():
    with pytest.raises(DesignError, match="needs a contact plan"):
        cut(people(1), addresses(people(1)), plan_id="mail")


@pytest.mark.parametrize(
    ("address", "street", "number"),
    [
        ("12 Main St", "MAIN ST", 12.0),
        ("12½ Main St", "MAIN ST", 12.5),
        ("12 1/2 Main St", "MAIN ST", 12.5),
        ("12A Main St", "MAIN ST", 12.0),
        ("12-14 Main St", "MAIN ST", 12.0),
        ("12 Main St, Apt 4", "MAIN ST", 12.0),
        ("  7  12th Ave #3", "12TH AVE", 7.0),
        ("12th Ave", "12TH AVE", np.nan),
        ("Old Mill Road", "OLD MILL ROAD", np.nan),
        ("", None, np.nan),
        (None, None, np.nan),
    ],
)
def test_an_address_is_a_number_and_a_street(address, street, number):
    folk = [*people(1), {"person_id": "z", "household_id": "z", "place_id": "P1", "region_id": "R1"}]
    beside = {"person_id": "z", "address": f"1 {street}"} if street else {"person_id": "z", "address": None}
    found = doors(
        table("people", folk), table("people_private", [{"person_id": "p000", "address": address}, beside])
    )
    mine = list(found.household).index("h000")
    assert found.number[mine] == pytest.approx(number, nan_ok=True)
    assert (found.street[mine] >= 0) == (street is not None)
    assert len(set(found.street)) == 1


def ballots(events, scores=(), folk=None, **settings):
    folk = folk or people(6)
    given = {"election_day": ELECTION, "as_of": TODAY} | settings
    return rows_of(
        list_ballots(table("people", folk), table("events", events), table("scores", list(scores)), **given)
    )


def test_ballots_sent_are_chased_and_rejected_ones_cured():
    told = [
        event("p000", "ballot", "sent", 1),
        event("p001", "ballot", "sent", 24),
        event("p002", "ballot", "sent", 1),
        event("p002", "ballot", "returned", 9),
        event("p003", "ballot", "rejected", 12),
        event("p004", "ballot", "rejected", 12),
        event("p004", "ballot", "cured", 14),
        event("p005", "ballot", "requested", 2),
    ]
    found = ballots(told)
    assert {(row["list"], row["person_id"]) for row in found} == {
        ("chase", "p000"),
        ("chase", "p005"),
        ("cure", "p003"),
    }
    assert all(row["rank"] >= 1 and row["value"] > 0 for row in found)
    assert next(row["days_since"] for row in found if row["person_id"] == "p003") == pytest.approx(14)


def test_the_other_sides_ballots_are_not_chased():
    told = [event(f"p00{i}", "ballot", "rejected", 12) for i in range(3)]
    scores = [
        {"person_id": f"p00{i}", "score": "support", "as_of": TODAY, "value": value}
        for i, value in enumerate([0.9, 0.2, 0.6])
    ]
    found = ballots(told, scores, support="support")
    assert [(row["person_id"], row["rank"]) for row in found] == [("p000", 1), ("p002", 2)]
    assert [row["value"] for row in found] == pytest.approx([0.8, 0.2])


def test_middling_voters_are_reminded_first():
    told = [event(f"p00{i}", "ballot", "sent", 1) for i in range(3)]
    scores = [
        {"person_id": f"p00{i}", "score": "turnout", "as_of": TODAY, "value": value}
        for i, value in enumerate([0.99, 0.5, 0.2])
    ]
    assert [row["person_id"] for row in ballots(told, scores)] == ["p001", "p002", "p000"]


def test_weeks_stand_against_their_goals_by_region():
    told = [event(f"p{i:03d}", "attempt" if i % 4 else "contact", "x", 13, "door") for i in range(8)]
    told += [event("p001", "contact", "x", 13, "mail")]
    found = rows_of(
        measure_field(
            table("people", people(8)),
            table("events", told),
            attempts_per_week={"R1": 10.0, "R2": 5.0},
            as_of=TODAY,
        )
    )
    weeks = {(row["region_id"], row["week_on"].day): row for row in found}
    own = weeks["R1", 12]
    assert (own["n_attempts"], own["n_contacts"], own["goal"], own["status"]) == (8, 2, 10.0, "behind")
    assert own["contact_rate_low"] < 0.25 < own["contact_rate_high"]
    assert weeks["R2", 12]["status"] == "not started"
    assert weeks["all", 12]["status"] == "no goal"
    assert weeks["R1", 19]["n_attempts"] == 0


def test_wilsons_interval_is_the_published_one():
    # Newcombe, Statistics in Medicine 17 (1998), table I: 81 of 263 gives 0.2553 to 0.3662.
    from hustings.plans.field import _wilson

    assert _wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)


def shift(number, day, signed, came=None, region="R1"):
    return {
        "source": "s",
        "shift_id": str(number),
        "region_id": region,
        "starts_at": at(day, 9),
        "n_signed_up": signed,
        "n_confirmed": signed // 2,
        "n_showed_up": came,
        "arrived_at": at(1),
    }


def test_coming_shifts_are_forecast_from_those_that_were():
    told = [shift(i, 5 + i, 10, 6 if i % 2 else 4) for i in range(8)] + [
        shift(9, 28, 20),
        shift(10, 29, 20, region="R2"),
    ]
    found = {row["region_id"]: row for row in rows_of(forecast_shifts(table("shifts", told), as_of=TODAY))}
    assert found["R1"]["expected"] == pytest.approx(10, abs=0.5)
    assert found["R1"]["low"] < 10 < found["R1"]["high"] < 20
    assert found["R2"]["high"] - found["R2"]["low"] >= found["R1"]["high"] - found["R1"]["low"]
    assert found["R1"]["doors"] == pytest.approx(40 * found["R1"]["expected"])
    assert found["R1"]["rule"] == 10


def test_without_a_past_shift_nothing_is_expected_and_it_says_why():
    found = rows_of(forecast_shifts(table("shifts", [shift(1, 28, 20)]), as_of=TODAY))
    assert (found[0]["expected"], found[0]["reason"]) == (None, "no past shift tells who came")
    assert forecast_shifts(table("shifts", []), as_of=TODAY)["region_id"] == []
