"""Gifts in the events ─► each giver's history as of a day, as the models of repeat giving want it."""

from __future__ import annotations

import datetime
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from hustings.stage import Table
from hustings.warehouse import arrays, codes, count

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Kind = Literal["bg_nbd", "bg_bb"]
EPOCH = datetime.date(1970, 1, 1)
YEAR = 365


class Gifts(NamedTuple):
    """Every day on which somebody gave.

    Attributes:
        person: (g,) codes of people.
        day: (g,) days since 1970.
        known: (g,) the first day on whose morning the campaign could know of it.
        cents: (g,) what was given on the day; NaN where no amount is known.
        person_id: (n,) the people.
        household: (n,) codes of households.
        n_refused: Gifts of no amount or less, left out.
    """

    person: Integers
    day: Integers
    known: Integers
    cents: Floats
    person_id: npt.NDArray[Any]
    household: Integers
    n_refused: int


class Givers(NamedTuple):
    """Those who had given before a day.

    Attributes:
        person: (m,) codes of people.
        frequency: (m,) days, or periods, with a gift after the first.
        recency: (m,) from the first to the last, in periods.
        age: (m,) from the first to the day, in periods.
        n_amounts: (m,) gifts whose amount is known.
        mean: (m,) their mean in cents; 0 where there is none.
        n_days: (m,) days with a gift.
        last: (m,) the last of them, in days since 1970.
    """

    person: Integers
    frequency: Integers
    recency: Floats
    age: Floats
    n_amounts: Integers
    mean: Floats
    n_days: Integers
    last: Integers

    @property
    def history(self) -> tuple[Integers, Floats, Floats]:
        """The three numbers of the models."""
        return self.frequency, self.recency, self.age


def read_gifts(events: Table, people: Table, kind: str, as_of: datetime.date, ledger: bool) -> Gifts:
    """The gifts that had been made before a day, and were known when it began.

    Args:
        events: The table of that name.
        people: The table of that name.
        kind: The kind of event.
        as_of: The day.
        ledger: Every gift was known on its day, whenever the file with it arrived.

    Returns:
        The gifts of each person and day, added up.
    """
    import ibis

    morning = ibis.timestamp(datetime.datetime.combine(as_of, datetime.time()))
    known = events.filter(
        (events.kind == kind) & (events.happened_at < morning) & (events.arrived_at <= morning)
    )
    # A refund or a correction is no gift; one without an amount is.
    made = known.filter(known.value.isnull() | (known.value > 0))
    made = made.mutate(day=made.happened_at.date())
    days = made.group_by("person_id", "day").agg(
        cents=made.value.sum(), arrived=made.arrived_at.min().epoch_seconds()
    )
    rows = days.left_join(people.select("person_id", "household_id"), "person_id", rname="{name}_p")
    found = arrays(rows.order_by("person_id", "day"), "person_id", "day", "arrived", "cents", "household_id")
    person = codes(found["person_id"])
    # Every person is of one household: that of any of her gifts will do.
    home, n = codes(found["household_id"]).codes, len(person.labels)
    household = np.arange(n)
    household[person.codes] = np.where(home >= 0, home + n, household[person.codes])
    day = found["day"].astype("datetime64[D]").astype(np.int64)
    arrived = np.ceil(np.asarray(found["arrived"], np.float64) / 86_400).astype(np.int64)
    return Gifts(
        person.codes,
        day,
        day if ledger else np.maximum(day, arrived),
        np.asarray(found["cents"], np.float64),
        np.array(person.labels, dtype=object),
        household,
        count(known) - count(made),
    )


def days(day: datetime.date) -> int:
    """The day as days since 1970.

    >>> days(datetime.date(1970, 1, 3))
    2
    """
    return (day - EPOCH).days


def describe(gifts: Gifts, cut: int, period: int, kind: Kind) -> Givers:
    """Everyone who had given before a day.

    For `bg_bb` the time before the day is cut into periods that end with it, so that the last one is whole; all
    gifts of a period are one. For `bg_nbd` all gifts of a day are one.

    Args:
        gifts: All gifts.
        cut: The day, in days since 1970: gifts before it count.
        period: Length of a period in days.
        kind: The model.

    Returns:
        The givers, in the order of their codes.

    >>> day = np.array([0, 40, 41, 95])
    >>> gifts = Gifts(np.zeros(4, np.int64), day, day, np.full(4, 500.0), np.array(["a"]), np.zeros(1, np.int64), 0)
    >>> [float(part[0]) for part in describe(gifts, 100, 10, "bg_nbd").history]
    [3.0, 9.5, 10.0]
    >>> [float(part[0]) for part in describe(gifts, 100, 10, "bg_bb").history]
    [2.0, 9.0, 9.0]
    """
    before = (gifts.day < cut) & (gifts.known <= cut)
    person, day, cents = gifts.person[before], gifts.day[before], gifts.cents[before]
    step = period if kind == "bg_bb" else 1
    ago = (cut - 1 - day) // step
    # One row for each person and period, the latest first.
    key, row = np.unique(person * (int(ago.max(initial=0)) + 1) + ago, return_inverse=True)
    who = key // (int(ago.max(initial=0)) + 1)
    when = key % (int(ago.max(initial=0)) + 1)
    known = np.isfinite(cents)
    priced = np.bincount(row, known, minlength=len(key)) > 0
    paid = np.bincount(row, np.where(known, cents, 0.0), minlength=len(key))
    found, start, of = np.unique(who, return_index=True, return_inverse=True)
    n_units = np.bincount(of, minlength=len(found))
    latest, first = when[start], when[start + n_units - 1]
    n_amounts = np.bincount(of, priced, minlength=len(found)).astype(np.int64)
    total = np.bincount(of, paid, minlength=len(found))
    age = first if kind == "bg_bb" else first + 1
    last = np.zeros(len(gifts.person_id), np.int64)
    np.maximum.at(last, person, day)
    n_days = np.bincount(person, minlength=len(gifts.person_id))
    return Givers(
        found,
        (n_units - 1).astype(np.int64),
        (first - latest) * step / period,
        age * step / period,
        n_amounts,
        np.divide(total, n_amounts, out=np.zeros(len(found)), where=n_amounts > 0),
        n_days[found],
        last[found],
    )


def given(gifts: Gifts, start: int, end: int, period: int, kind: Kind) -> tuple[Integers, Floats]:
    """What each person gave from one day up to another.

    Args:
        gifts: All gifts.
        start: The first day that counts, in days since 1970.
        end: The first day that does not.
        period: Length of a period in days.
        kind: As in `describe`: what counts as one gift.

    Returns:
        (n,) gifts, and (n,) cents; an amount that is not known adds nothing.
    """
    n = len(gifts.person_id)
    inside = (gifts.day >= start) & (gifts.day < end)
    person, cents = gifts.person[inside], gifts.cents[inside]
    step = period if kind == "bg_bb" else 1
    unit = (gifts.day[inside] - start) // step
    single = np.unique(person * (int(unit.max(initial=0)) + 1) + unit) // (int(unit.max(initial=0)) + 1)
    paid = np.asarray(np.bincount(person, np.nan_to_num(cents), minlength=n), np.float64)
    return np.bincount(single, minlength=n).astype(np.int64), paid


def recency_frequency_amount(givers: Givers) -> Integers:
    """The field's rule of thumb: the fifth of each giver by recency, by frequency and by sum, added up.

    Args:
        givers: Those who have given.

    Returns:
        (m,) 3 to 15; people alike are in one fifth.

    Source: Hughes, Strategic Database Marketing (1994).
    """
    return np.sum(
        [_fifth(part) for part in (givers.last, givers.n_days, givers.n_amounts * givers.mean)], axis=0
    )


def _fifth(values: npt.NDArray[Any]) -> Integers:
    _, code, n = np.unique(values, return_inverse=True, return_counts=True)
    middle = (np.cumsum(n) - (n + 1) / 2)[code] / max(len(values), 1)
    return np.minimum((middle * 5).astype(np.int64), 4) + 1
