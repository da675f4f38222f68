"""Gifts, refunds, redesignations, pledges ─► what each giver has given, and what the law still lets her give.

A gift counts for the election that it names (`election_kind`); one that names none counts for the next election
after it was made (11 CFR 110.1(b)(2)(ii)). A refund is taken off where the giver's latest gift went, unless it names
an election. Whatever is not sound is counted so that the headroom comes out smaller, never larger.
"""

from __future__ import annotations

import datetime
from typing import Annotated, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from hustings.errors import DesignError
from hustings.stage import About, Result, Table, stage
from hustings.tables import spec
from hustings.warehouse import arrays, codes

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
GIVEN = ("gift", "recurring_gift")
"""Kinds of events that are money received from a person."""
_KINDS = (*GIVEN, "refund", "redesignation", "pledge", "employer", "occupation", "one_click", "best_efforts")
RUNS = 45
"""Days after its latest payment for which a monthly gift is taken to run."""
_REQUEST = datetime.timedelta(30)
_NO_GIFT = 1e15
"""Cents from which on an amount is a slip of the keyboard: it leaves the headroom unknown, as one that is missing."""
_EPOCH = datetime.date(1970, 1, 1)


class Elections(NamedTuple):
    """The elections of the cycle, in order of their days.

    Attributes:
        names: As gifts name them.
        held: (k,) days since 1970.
        current: The one that is asked for now.
        limit: Cents a person may give for each, or for all together; infinity without a limit, NaN unknown.
        per: `election` or `cycle`.
        starts: The first day of the cycle, in days since 1970.
        source: Where the limit stands.
        reason: Why there is none, or None.
    """

    names: list[str]
    held: Integers
    current: int
    limit: float
    per: str
    starts: int
    source: str | None
    reason: str | None


class Ledger(NamedTuple):
    """Everything about money that is known of people; (n,) each."""

    person: Integers
    kind: npt.NDArray[Any]
    cents: Floats
    day: Integers
    election: Integers
    taken_from: Integers
    usable: npt.NDArray[np.bool_]


@stage(writes=("donors", "best_efforts", "election_limits"))
def follow_donors(
    events: Table,
    limits: Table,
    identities: Table,
    loads: Table,
    *,
    jurisdiction: Annotated[
        str, About("Whose law counts: a `jurisdiction` of the table limits.")
    ] = "federal",
    office: Annotated[str, About("An `office` of that table.")] = "candidate",
    elections: Annotated[
        dict[str, datetime.date],
        About(
            "Days of the cycle's elections, named as `election_kind` of gifts; `general` on election day unless given."
        ),
    ] = {},  # noqa: B006
    election: Annotated[
        str | None, About("The one that money is asked for; the next one to be held unless given.")
    ] = None,
    cycle_starts_on: Annotated[
        datetime.date | None,
        About("Gifts before this day were for earlier cycles; the limit's own first day unless given."),
    ] = None,
    itemized_above_cents: Annotated[
        int, About("Above this sum in a cycle, employer and occupation must be asked for.", ge=0)
    ] = 20_000,
    election_day: Annotated[datetime.date, About("The day that decides.")],
    as_of: Annotated[datetime.date, About("Nothing of this day or later is used.")],
) -> Result:
    """One row for everyone who gave or pledged; who must be asked for an employer; the elections' limits."""
    held = elections or {"general": election_day}
    found = _elections(limits, (jurisdiction, office), held, election, cycle_starts_on, as_of)
    people, ledger, n_unknown = _ledger(events, loads, found, as_of)
    allowed = solicitable(identities, loads).person_id.to_pyarrow().to_pylist()
    own = codes(people, sorted(allowed)).codes >= 0 if len(allowed) else np.zeros(len(people), bool)
    donors = _donors(people, ledger, found, own, as_of)
    due = np.flatnonzero(donors.pop("due_cents") > itemized_above_cents)
    due = due[[donors["missing"][i] is not None for i in due]]
    return {
        "donors": donors,
        "best_efforts": _best_efforts(due, donors, ledger, people, found, as_of),
        "election_limits": _election_rows(found, n_unknown, as_of),
    }  # fmt: skip


def solicitable(identities: Table, loads: Table) -> Any:
    """People of whom at least one source knows that may be asked for money: a table of `person_id`."""
    barred = loads.filter(loads.solicitable.fill_null(True) == False).select("source").distinct()  # noqa: E712
    return identities.anti_join(barred, "source").select("person_id").distinct()


def _elections(
    limits: Table,
    law: tuple[str, str],
    held: dict[str, datetime.date],
    asked: str | None,
    starts: datetime.date | None,
    as_of: datetime.date,
) -> Elections:
    names = sorted(held, key=lambda name: (held[name], name))
    if asked is not None and asked not in held:
        raise DesignError.unknown("[donors] election", asked, names, "add it to [donors] elections")
    if asked is not None and held[asked] < as_of:
        raise DesignError.of(
            f"[donors] election: {asked} is over, and money may not be asked for it", received=held[asked],
            allowed=f"an election on {as_of} or later", then="set another election",
        )  # fmt: skip
    ahead = [name for name in names if held[name] >= as_of]
    current = asked or (ahead[0] if ahead else names[-1])
    rows = limits.filter((limits.jurisdiction == law[0]) & (limits.office == law[1])).to_pyarrow().to_pylist()
    own = [r for r in rows if r["starts_on"] <= as_of and (r["ends_on"] is None or r["ends_on"] >= as_of)]
    row = max(own, key=lambda r: r["starts_on"], default=None)
    why = None
    if row is None:
        why = f"no limit of {law[0]} {law[1]} is known for {as_of}: add one to [limits] own"
    elif not ahead:
        why = "every election of [donors] elections is over"
    limit = np.nan if row is None else np.inf if row["cents"] is None else float(row["cents"])
    first = starts or (row["starts_on"] if row else _EPOCH)
    return Elections(
        names,
        np.array([(held[name] - _EPOCH).days for name in names], np.int64),
        names.index(current),
        limit if ahead else np.nan,
        row["per"] if row else "election",
        (first - _EPOCH).days,
        row["source"] if row else None,
        why,
    )


def _ledger(
    events: Table, loads: Table, found: Elections, as_of: datetime.date
) -> tuple[npt.NDArray[Any], Ledger, int]:
    """The people, what is known of their money, and how many gifts name an election that is not there."""
    morning = datetime.datetime.combine(as_of, datetime.time())
    rows = events.filter(
        events.kind.isin(list(_KINDS)) & (events.happened_at < morning) & (events.arrived_at <= morning)
    )
    barred = loads.filter(loads.solicitable.fill_null(True) == False).source.to_pyarrow().to_pylist()  # noqa: E712
    rows = rows.mutate(
        day=rows.happened_at.date(), usable=~rows.source.isin(sorted(set(barred))) if barred else True
    )
    names = ("person_id", "kind", "value", "day", "election_kind", "item", "usable")
    got = arrays(rows.order_by("person_id", "happened_at", "event_id"), *names)
    person = codes(got["person_id"])
    day = got["day"].astype("datetime64[D]").astype(np.int64)
    cents = np.asarray(got["value"], np.float64)
    named = codes(got["election_kind"], found.names).codes
    following = np.minimum(np.searchsorted(found.held, day), len(found.names) - 1)
    told = np.array([name is not None for name in got["election_kind"]], bool)
    given = np.isin(got["kind"], GIVEN)
    strange = told & (named < 0)
    # What names an election that is not there is counted where money is asked for: never too little.
    election = np.where(named >= 0, named, np.where(strange, found.current, following))
    ledger = Ledger(
        person.codes, got["kind"], cents, day, election, codes(got["item"], found.names).codes,
        np.asarray(got["usable"], bool),
    )  # fmt: skip
    ledger = _refunds_placed(ledger, ~told & (got["kind"] == "refund"), given)
    inside = given & strange & (day >= found.starts)
    return np.array(person.labels, object), ledger, int(inside.sum())


def _refunds_placed(ledger: Ledger, unnamed: npt.NDArray[np.bool_], given: npt.NDArray[np.bool_]) -> Ledger:
    """A refund without an election goes where the giver's latest gift before it went; rows are in that order."""
    last = np.maximum.accumulate(np.where(given, np.arange(len(given)), -1)) if len(given) else given
    own = unnamed & (last >= 0)
    own[own] = ledger.person[last[own]] == ledger.person[own]
    election = ledger.election.copy()
    election[own] = ledger.election[last[own]]
    return ledger._replace(election=election)


def received(ledger: Ledger, n_people: int, n_elections: int, starts: int) -> Floats:
    """(n, k) what each person has given for each election, refunds and redesignations taken off; NaN unknown.

    Nothing falls below 0: a refund larger than what was given gives nobody room for more.

    >>> of = np.zeros(3, np.int64)
    >>> kinds = np.array(["gift", "refund", "refund"], object)
    >>> ledger = Ledger(of, kinds, np.array([500.0, 900.0, -5.0]), of, of, of - 1, of == 0)
    >>> received(ledger, 1, 2, 0).tolist()
    [[0.0, 0.0]]
    """
    total = np.zeros(n_people * n_elections)
    inside = ledger.day >= starts
    sound = np.abs(ledger.cents) < _NO_GIFT
    cell = ledger.person * n_elections + ledger.election
    given = inside & np.isin(ledger.kind, GIVEN)

    def add(rows: npt.NDArray[np.bool_], at: Integers, sign: float) -> None:
        rows = rows & sound & (ledger.cents > 0)
        np.add.at(total, at[rows], sign * ledger.cents[rows])

    add(given, cell, 1.0)
    add(inside & (ledger.kind == "refund"), cell, -1.0)
    np.maximum(total, 0.0, out=total)
    moved = inside & (ledger.kind == "redesignation")
    before = total.copy()
    source = ledger.person * n_elections + ledger.taken_from
    add(moved & (ledger.taken_from >= 0), source, -1.0)
    np.maximum(total, 0.0, out=total)
    add(moved, cell, 1.0)
    # No more arrives than the giver had given anywhere.
    most = before.reshape(n_people, n_elections).sum(1, keepdims=True)
    out = np.minimum(total.reshape(n_people, n_elections), most)
    unknown = np.unique(ledger.person[given & ~sound])
    out[unknown] = np.nan
    return out


def _donors(
    people: npt.NDArray[Any],
    ledger: Ledger,
    found: Elections,
    own: npt.NDArray[np.bool_],
    as_of: datetime.date,
) -> dict[str, Any]:
    n, today = len(people), (as_of - _EPOCH).days
    of = received(ledger, n, len(found.names), found.starts)
    cycle = of.sum(axis=1)
    now = cycle if found.per == "cycle" else of[:, found.current] if n else cycle
    headroom = np.floor(np.maximum(found.limit - now, 0.0))
    given = np.isin(ledger.kind, GIVEN) & ledger.usable & ~(ledger.cents <= 0)
    who, day, cents = ledger.person[given], ledger.day[given], ledger.cents[given]
    last = np.full(n, -1)
    last[who] = np.arange(len(who))  # rows of a person are in order of time: the last one stays
    there = last >= 0
    first = np.full(n, np.iinfo(np.int64).max)
    np.minimum.at(first, who, day)
    recurring = (ledger.kind == "recurring_gift") & (ledger.day > today - RUNS)
    # A pledge is open as far as nothing was given on its day or later.
    pledged = (ledger.kind == "pledge") & (ledger.cents > 0)
    after = pledged.copy()
    latest = np.full(n, -1)
    np.maximum.at(latest, ledger.person[np.isin(ledger.kind, GIVEN)], ledger.day[np.isin(ledger.kind, GIVEN)])
    after[pledged] = ledger.day[pledged] > latest[ledger.person[pledged]]

    def any_of(rows: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
        return np.bincount(ledger.person[rows], minlength=n) > 0

    def sum_of(rows: npt.NDArray[np.bool_]) -> Floats:
        return np.bincount(ledger.person[rows], ledger.cents[rows], minlength=n).astype(np.float64)

    missing = [any_of(ledger.kind == kind) for kind in ("employer", "occupation")]
    known = np.isfinite(now) & np.isfinite(found.limit) | (found.limit == np.inf)
    why = np.full(n, None, object)
    why[~known] = found.reason or "a gift has no amount, so the headroom is not known"
    why[~own] = "the name comes from a source that may not be solicited"
    rows = {
        "person_id": people,
        "n_gifts": np.bincount(who, minlength=n),
        "total_given": np.bincount(who, np.nan_to_num(cents), minlength=n),
        "first_gift_on": _days(first, there),
        "last_gift_on": _days(np.append(day, 0)[last], there),
        "last_gift_cents": np.where(there, np.append(cents, np.nan)[last], np.nan),
        "received_cents": now,
        "headroom_cents": np.where(np.isfinite(headroom), headroom, np.nan),
        "pledged_cents": sum_of(after),
        "one_click": any_of(ledger.kind == "one_click"),
        "is_recurring": any_of(recurring),
        "missing": np.array([_missing(*both) for both in zip(*missing, strict=True)], object),
        "may_be_asked": own & known,
        "as_of": np.full(n, as_of, object),
        "reason": why,
    }  # fmt: skip
    return {name: rows[name] for name in spec("donors").names} | {"due_cents": np.nan_to_num(cycle)}


def _missing(employer: bool, occupation: bool) -> str | None:
    return ", ".join(n for n, t in (("employer", employer), ("occupation", occupation)) if not t) or None


def _days(days: Integers, there: npt.NDArray[np.bool_]) -> npt.NDArray[Any]:
    out = np.full(len(days), None, object)
    out[there] = days[there].astype("datetime64[D]").astype(object)
    return out


def _best_efforts(
    due: Integers,
    donors: dict[str, Any],
    ledger: Ledger,
    people: npt.NDArray[Any],
    found: Elections,
    as_of: datetime.date,
) -> dict[str, Any]:
    """Who must be asked for what is missing; the request is due 30 days after the gift (11 CFR 104.7(b)(2))."""
    of = received(ledger, len(people), len(found.names), found.starts).sum(axis=1)
    given, asked = np.full(len(people), -1), np.full(len(people), -1)
    for rows, latest in ((np.isin(ledger.kind, GIVEN), given), (ledger.kind == "best_efforts", asked)):
        np.maximum.at(latest, ledger.person[rows], ledger.day[rows])
    gave = _days(given[due], given[due] >= 0)
    rows_of = {
        "person_id": people[due],
        "total_cents": of[due],
        "missing": donors["missing"][due],
        "last_gift_on": gave,
        "due_on": np.array([day + _REQUEST for day in gave], object),
        "asked_on": _days(asked[due], asked[due] >= 0),
        "as_of": np.full(len(due), as_of, object),
    }
    return {name: rows_of[name] for name in spec("best_efforts").names}


def _election_rows(found: Elections, n_unknown: int, as_of: datetime.date) -> dict[str, Any]:
    why = found.reason
    if why is None and n_unknown:
        why = f"{n_unknown:,} gifts name an election that is not in [donors] elections: counted for {found.names[found.current]}"
    k = len(found.names)
    rows = {
        "election": found.names,
        "held_on": [_EPOCH + datetime.timedelta(int(day)) for day in found.held],
        "is_current": [number == found.current for number in range(k)],
        "limit_cents": [int(found.limit) if np.isfinite(found.limit) else None] * k,
        "source": [found.source] * k,
        "as_of": [as_of] * k,
        "reason": [why] * k,
    }
    return {name: rows[name] for name in spec("election_limits").names}
