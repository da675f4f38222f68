"""Randomised ask strings and what came of them ─► recipients by segment, as each was known when asked."""

from __future__ import annotations

import datetime
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from hustings.plans.donors import GIVEN
from hustings.stage import Table
from hustings.warehouse import arrays, codes

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
_FAR = 100_000
"""More days than any date is away from 1970."""
EPOCH = datetime.date(1970, 1, 1)


class Gifts(NamedTuple):
    """Gifts that may be used in asking, in order of person and day.

    Attributes:
        people: The givers.
        key: (g,) person and day as one number, rising.
        cents: (g,).
        clicks: (m,) the first day on which each giver had a card on file; far away for those who have none.
    """

    people: list[str]
    key: Integers
    cents: Floats
    clicks: Integers


class Known(NamedTuple):
    """What was known of people on a day; (n,) each: last gift in cents (NaN for none), days since, card on file."""

    last: Floats
    ago: Floats
    one_click: npt.NDArray[np.bool_]


class Segments(NamedTuple):
    """How givers are divided: breaks of the last gift in cents, and how many days ago is recent."""

    breaks: tuple[int, ...]
    recent: int

    @property
    def labels(self) -> list[str]:
        """The segments' names, in the order of their codes.

        >>> Segments((2500,), 180).labels
        ['one click', 'never gave', 'under 25, recent', 'under 25, earlier', '25 or more, recent', '25 or more, earlier']
        """
        edges = [f"{cents / 100:,.0f}" for cents in self.breaks]
        sizes = [f"under {edges[0]}"] if edges else ["any gift"]
        sizes += [f"{low} to {high}" for low, high in pairwise(edges)]
        sizes += [f"{edges[-1]} or more"] if edges else []
        return [
            "one click",
            "never gave",
            *(f"{size}, {when}" for size in sizes for when in ("recent", "earlier")),
        ]

    def codes(self, known: Known) -> Integers:
        """(n,) the segment of each person.

        >>> Segments((2500,), 180).codes(Known(np.array([np.nan, 900.0, 9e4]), np.array([np.nan, 400, 3]), np.zeros(3, bool))).tolist()
        [1, 3, 4]
        """
        size = np.searchsorted(np.array(self.breaks), np.nan_to_num(known.last), side="right")
        late = np.nan_to_num(known.ago, nan=np.inf) > self.recent
        found = np.where(np.isnan(known.last), 1, 2 + 2 * size + late)
        return np.where(known.one_click, 0, found).astype(np.int64)


class Asked(NamedTuple):
    """Everyone who was in a channel's tests; a person of two tests is there twice. (n,) each.

    Attributes:
        person_id: Who.
        arm: The arm of each, as text.
        unit: Codes of the randomised units.
        send: Numbers of the tests.
        segment: Codes, as of the day of the ask.
        last: The last gift before it, in cents.
        cents: What came within the horizon, refunds taken off; NaN where it is not known.
    """

    person_id: npt.NDArray[Any]
    arm: npt.NDArray[Any]
    unit: Integers
    send: Integers
    segment: Integers
    last: Floats
    cents: Floats

    def at(self, rows: npt.NDArray[np.bool_]) -> Asked:
        """Some of them."""
        return Asked._make(column[rows] for column in self)


def read_gifts(events: Table, loads: Table, as_of: datetime.date) -> Gifts:
    """Every gift before the day that may be used in asking, and who has a card on file."""
    morning = datetime.datetime.combine(as_of, datetime.time())
    barred = loads.filter(loads.solicitable.fill_null(True) == False).source.to_pyarrow().to_pylist()  # noqa: E712
    known = events.filter((events.happened_at < morning) & (events.arrived_at <= morning))
    if barred:
        known = known.filter(~known.source.isin(sorted(set(barred))))
    known = known.filter(known.kind.isin([*GIVEN, "one_click"]))
    given = known.filter(known.kind.isin(list(GIVEN)) & (known.value > 0))
    days = given.mutate(day=given.happened_at.date()).group_by("person_id", "day")
    found = arrays(days.agg(cents=given.value.max()).order_by("person_id", "day"))
    cards = known.filter(known.kind == "one_click")
    carded = arrays(cards.group_by("person_id").agg(day=cards.happened_at.date().min()))
    person = codes(np.concatenate([found["person_id"], carded["person_id"]]))
    n = len(found["person_id"])
    clicks = np.full(len(person.labels), _FAR)
    clicks[person.codes[n:]] = _numbers(carded["day"])
    return Gifts(person.labels, person.codes[:n] * _FAR + _numbers(found["day"]), np.asarray(found["cents"], np.float64), clicks)  # fmt: skip


def _numbers(days: npt.NDArray[Any]) -> Integers:
    return np.asarray(days, "datetime64[D]").astype(np.int64)


def known_on(gifts: Gifts, person_id: npt.NDArray[Any], day: Integers) -> Known:
    """What was known of people on the morning of a day each.

    Args:
        gifts: All gifts.
        person_id: (n,) people.
        day: (n,) days since 1970.

    Returns:
        Their last gift before it, how long ago, and whether they had a card on file.
    """
    who = codes(person_id, gifts.people).codes
    row = np.searchsorted(gifts.key, who * _FAR + day) - 1
    there = (who >= 0) & (row >= 0)
    there[there] = gifts.key[row[there]] // _FAR == who[there]
    last, ago = np.full(len(who), np.nan), np.full(len(who), np.nan)
    last[there] = gifts.cents[row[there]]
    ago[there] = day[there] - gifts.key[row[there]] % _FAR
    clicks = np.append(gifts.clicks, _FAR)[np.where(who >= 0, who, -1)]
    return Known(last, ago, clicks < day)


def read_asked(
    assignments: Table,
    events: Table,
    gifts: Gifts,
    segments: Segments,
    tests: list[str],
    horizon: int,
    as_of: datetime.date,
) -> tuple[Asked, str | None]:
    """Everyone in a channel's tests whose horizon is over, and why nobody is, if so."""
    drawn = assignments.filter(assignments.experiment.isin(tests))
    rows = _with_money(drawn, events, horizon, as_of).order_by("experiment", "person_id")
    got = arrays(rows, "experiment", "person_id", "arm", "unit_id", "assigned_on", "cents")
    send = codes(got["experiment"], tests)
    day = got["assigned_on"].astype("datetime64[D]")
    over = ~np.isnat(day) & (day + np.timedelta64(horizon, "D") <= np.datetime64(as_of))
    known = known_on(gifts, got["person_id"], np.where(np.isnat(day), 0, day.astype(np.int64)))
    unit = codes(got["unit_id"]).codes
    asked = Asked(
        got["person_id"], got["arm"], unit, send.codes, segments.codes(known), known.last,
        np.asarray(got["cents"], np.float64),
    ).at(over)  # fmt: skip
    why = None
    if not len(over):
        why = f"nobody has been drawn into {' or '.join(tests)} yet"
    elif not over.any():
        why = (
            f"sealed: no horizon of {horizon} days is over, or the day of the ask is not known (assigned_on)"
        )
    elif np.isinf(asked.cents).any():
        why = "a gift is infinite"
    return asked, why


def _with_money(drawn: Any, events: Any, horizon: int, as_of: datetime.date) -> Any:
    """What came from each within the horizon: nothing is 0, an unknown amount unknown, refunds taken off."""
    import ibis

    morning = datetime.datetime.combine(as_of, datetime.time())
    money = events.filter(events.kind.isin(["gift", "refund"]) & (events.arrived_at <= morning))
    pairs = drawn.select("experiment", "person_id", "assigned_on").join(
        money.select("person_id", "kind", "value", "happened_at"), "person_id"
    )
    day = pairs.happened_at.date().delta(pairs.assigned_on, unit="day")
    pairs = pairs.filter((day >= 0) & (day < horizon))
    gift = pairs.kind == "gift"
    done = pairs.group_by("experiment", "person_id").agg(
        given=pairs.value.sum(where=gift & (pairs.value > 0)).fill_null(0.0),
        back=pairs.value.sum(where=~gift & (pairs.value > 0)).fill_null(0.0),
        unknown=pairs.count(where=gift & pairs.value.isnull()),
    )
    rows = drawn.left_join(done, ["experiment", "person_id"], rname="{name}_d")
    net = ibis.greatest(rows.given - rows.back, 0.0)
    cents = ibis.cases((rows.unknown.isnull(), 0.0), (rows.unknown > 0, ibis.null("float64")), else_=net)
    return rows.mutate(cents=cents)
