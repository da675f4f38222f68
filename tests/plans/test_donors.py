"""What givers have given, and what the law still lets them give, on tiny tables."""

from __future__ import annotations

import datetime
from itertools import pairwise

import ibis
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hustings.errors import DesignError
from hustings.plans.donors import Ledger, follow_donors, received
from hustings.plans.limits import LIMITS, OwnLimit, declare_limits
from hustings.sources.collect import may_be_solicited
from hustings.tables import TABLES

PRIMARY, GENERAL, TODAY = datetime.date(2026, 8, 4), datetime.date(2026, 11, 3), datetime.date(2026, 7, 1)
KINDS = {"text": "string", "integer": "int64", "number": "float64", "boolean": "boolean", "day": "date", "time": "timestamp"}  # fmt: skip
LIMIT = 350_000


def table(name, rows):
    kinds = {column.name: KINDS[column.type] for column in TABLES[name].columns}
    return ibis.memtable([{key: row.get(key) for key in kinds} for row in rows], schema=ibis.schema(kinds))


def event(person, kind, cents, day="2026-03-01", **more):
    at = datetime.datetime.fromisoformat(day)
    return {"person_id": person, "kind": kind, "value": cents, "happened_at": at, "arrived_at": at, "source": "book",
            "event_id": f"{person}{kind}{cents}{day}{sorted(more.items())}"} | more  # fmt: skip


def followed(events, *, loads=(), identities=None, limits=None, **settings):
    known = identities or [{"source": "voters", "record_id": e["person_id"], "person_id": e["person_id"]} for e in events]  # fmt: skip
    given = {"election_day": PRIMARY, "elections": {"primary": PRIMARY, "general": GENERAL}, "as_of": TODAY}
    law = table("limits", rows_of(limits or declare_limits()))
    found = follow_donors(table("events", events), law, table("identities", known), table("loads", loads), **(given | settings))  # fmt: skip
    return {row["person_id"]: row for row in rows_of(found["donors"])}, found


def rows_of(found):
    return [dict(zip(found, values, strict=True)) for values in zip(*found.values(), strict=True)]


def headroom(*events, **settings):
    return followed(list(events), **settings)[0]["p"]["headroom_cents"]


@pytest.mark.parametrize(
    ("day", "dollars"),
    [("2020-06-01", 2_800), ("2021-06-01", 2_900), ("2023-06-01", 3_300), ("2025-06-01", 3_500), ("2024-11-06", 3_500),
     ("2024-11-05", 3_300), ("2012-10-01", 2_500)],
)  # fmt: skip
def test_the_laws_limit_of_a_day(day, dollars):
    on = datetime.date.fromisoformat(day)
    own = [one for one in LIMITS if one.starts_on <= on <= one.ends_on]
    assert [one.cents for one in own] == [100 * dollars]


def test_the_laws_rows_follow_each_other_without_a_gap():
    for before, after in pairwise(LIMITS):
        assert after.starts_on == before.ends_on + datetime.timedelta(1)


def test_a_gift_counts_for_the_next_election_unless_it_names_one():
    assert headroom(event("p", "gift", 100_000)) == LIMIT - 100_000
    assert headroom(event("p", "gift", 100_000, election_kind="general")) == LIMIT
    assert headroom(event("p", "gift", 100_000, "2024-11-05")) == LIMIT  # of the cycle before
    assert headroom(event("p", "gift", 100_000), election="general") == LIMIT


def test_primary_and_general_count_apart_and_a_cycles_limit_counts_both():
    gifts = [event("p", "gift", 300_000), event("p", "gift", 200_000, election_kind="general")]
    assert headroom(*gifts) == 50_000
    own = OwnLimit(jurisdiction="MI", starts_on=datetime.date(2023, 1, 1), per="cycle", cents=832_500, source="MCL 169.252")  # fmt: skip
    assert headroom(*gifts, limits=declare_limits(own=[own]), jurisdiction="MI") == 332_500


def test_refunds_and_redesignations_make_room_and_pledges_take_none():
    gift = event("p", "gift", LIMIT)
    assert headroom(gift) == 0
    assert headroom(gift, event("p", "refund", 50_000, "2026-03-05")) == 50_000
    moved = event("p", "redesignation", 100_000, "2026-03-05", election_kind="general", item="primary")
    assert headroom(gift, moved) == 100_000
    assert headroom(gift, moved, election="general") == LIMIT - 100_000
    assert headroom(event("p", "pledge", 100_000)) == LIMIT


def test_a_refund_goes_where_the_latest_gift_went():
    gifts = [event("p", "gift", LIMIT), event("p", "gift", 50_000, "2026-03-04", election_kind="general")]
    back = event("p", "refund", 50_000, "2026-03-05")
    assert headroom(*gifts, back) == 0
    assert headroom(*gifts, back, election="general") == LIMIT


def test_a_refund_larger_than_the_gift_and_a_negative_gift_give_nobody_more_room():
    assert headroom(event("p", "gift", 1_000), event("p", "refund", 900_000, "2026-03-05")) == LIMIT
    both = [event("p", "gift", 1_000), event("p", "refund", 900_000, "2026-03-02"), event("p", "gift", LIMIT, "2026-03-09")]  # fmt: skip
    assert headroom(*both) <= LIMIT
    assert headroom(event("p", "gift", LIMIT), event("p", "gift", -100_000, "2026-03-05")) == 0


@pytest.mark.parametrize("cents", [None, float("inf")])
def test_a_gift_without_an_amount_leaves_no_headroom_that_is_known(cents):
    row = followed([event("p", "gift", cents)])[0]["p"]
    assert not row["may_be_asked"]
    assert np.isnan(row["headroom_cents"])
    assert "no amount" in row["reason"]


def test_a_gift_for_an_unknown_election_is_counted_where_money_is_asked_for_and_told():
    _, found = followed([event("p", "gift", 100_000, election_kind="runoff")])
    assert found["donors"]["headroom_cents"][0] == LIMIT - 100_000
    assert "1 gifts name an election" in found["election_limits"]["reason"][0]


def test_money_is_not_asked_for_an_election_that_is_unknown_or_over():
    with pytest.raises(DesignError, match="runoff"):
        followed([event("p", "gift", 1)], election="runoff")
    with pytest.raises(DesignError, match="over"):
        followed([event("p", "gift", 1)], election="primary", as_of=datetime.date(2026, 9, 1))


def test_where_no_limit_is_known_nobody_may_be_asked():
    donors, found = followed([event("p", "gift", 1_000)], jurisdiction="Atlantis")
    assert not donors["p"]["may_be_asked"]
    assert "add one to [limits] own" in found["election_limits"]["reason"][0]


def test_where_the_law_sets_none_there_is_no_limit():
    own = OwnLimit(jurisdiction="TX", starts_on=datetime.date(2020, 1, 1), source="Tex. Elec. Code")
    row = followed([event("p", "gift", 10**9)], jurisdiction="TX", limits=declare_limits(own=[own]))[0]["p"]
    assert row["may_be_asked"]
    assert np.isnan(row["headroom_cents"])


def test_names_of_the_fec_are_counted_by_the_law_and_never_solicited():
    loads = [{"source": "fec", "load_id": "1", "solicitable": False}]
    gift = event("p", "gift", 100_000) | {"source": "fec"}
    row = followed([gift], loads=loads)[0]["p"]
    assert (row["headroom_cents"], row["n_gifts"], row["may_be_asked"]) == (LIMIT - 100_000, 0, True)
    alone = followed([gift], loads=loads, identities=[{"source": "fec", "record_id": "1", "person_id": "p"}])
    assert not alone[0]["p"]["may_be_asked"]
    assert "may not be solicited" in alone[0]["p"]["reason"]


def test_no_setting_makes_a_source_of_the_fec_solicitable():
    assert may_be_solicited("fecundity", None)
    assert not may_be_solicited("FEC-2026", None)
    assert not may_be_solicited("bought", False)
    with pytest.raises(Exception, match=r"30111\(a\)\(4\)"):
        may_be_solicited("fec", True)


def test_employer_and_occupation_are_asked_for_above_200_dollars():
    events = [event("p", "gift", 20_100), event("p", "employer", None), event("q", "gift", 20_000),
              event("r", "gift", 50_000), event("r", "refund", 40_000, "2026-03-05")]  # fmt: skip
    _, found = followed(events)
    [row] = rows_of(found["best_efforts"])
    assert (row["person_id"], row["missing"], row["due_on"]) == (
        "p",
        "occupation",
        datetime.date(2026, 3, 31),
    )


def test_a_pledge_is_open_until_something_comes():
    donors, _ = followed([event("p", "pledge", 5_000, "2026-03-05"), event("q", "pledge", 5_000, "2026-03-05"), event("q", "gift", 5_000, "2026-03-09")])  # fmt: skip
    assert donors["p"]["pledged_cents"] == 5_000
    assert donors["q"]["pledged_cents"] == 0


def test_nothing_of_today_or_that_arrived_later_is_used():
    late = event("p", "gift", 1_000) | {"arrived_at": datetime.datetime(2026, 7, 2)}
    donors, _ = followed([late, event("p", "gift", 2_000, "2026-07-01"), event("p", "gift", 500)])
    assert donors["p"]["total_given"] == 500


def test_nobody_has_given_and_nothing_fails():
    _, found = followed([event("p", "click", 1)])
    assert len(found["donors"]["person_id"]) == 0
    assert found["election_limits"]["limit_cents"] == [LIMIT, LIMIT]


money = (
    st.floats(allow_nan=True, allow_infinity=True)
    | st.sampled_from([1e15, 9e307])
    | st.integers(-(10**7), 10**7).map(float)
)
ledgers = st.lists(
    st.tuples(st.integers(0, 3), st.sampled_from(["gift", "recurring_gift", "refund", "redesignation", "pledge"]), money,
              st.integers(0, 9), st.integers(0, 1), st.integers(-1, 1)),
    max_size=20,
)  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(ledgers)
def test_no_ledger_whatever_makes_what_was_received_negative_or_more_than_was_given(rows):
    columns = (
        [np.array(column) for column in zip(*rows, strict=True)] if rows else [np.zeros(0, np.int64)] * 6
    )
    person, kind, cents, day, election, source = columns
    ledger = Ledger(person.astype(np.int64), kind.astype(object), cents.astype(float), day, election.astype(np.int64), source.astype(np.int64), day >= 0)  # fmt: skip
    found = received(ledger, 4, 2, 0)
    gift, told = np.isin(kind, ["gift", "recurring_gift"]), np.abs(cents.astype(float)) < 1e15
    for one in range(4):
        own = found[one]
        sound = gift & (person == one) & told & (cents.astype(float) > 0)
        given_in_all = cents.astype(float)[sound].sum()
        unknown = (gift & (person == one) & ~told).any()
        assert np.isnan(own).all() if unknown else ((own >= 0) & (own <= given_in_all * (1 + 1e-9))).all()
