"""Outcomes and doses by place and week as arrays: what every reading of a test of places starts from."""

from __future__ import annotations

import datetime
import json
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from hustings import stats
from hustings.errors import DesignError
from hustings.stage import Table
from hustings.warehouse import arrays, codes

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
WEEK = datetime.timedelta(7)


class Panel(NamedTuple):
    """Places × weeks.

    Attributes:
        places: (p,) their ids.
        weeks: (w,) first days, one a week.
        outcome: (p, w) NaN where it is missing.
        weight: (p, w) people behind it; 1 where it is missing.
    """

    places: list[str]
    weeks: list[datetime.date]
    outcome: Floats
    weight: Floats


class Schedule(NamedTuple):
    """What was drawn.

    Attributes:
        places: (p,) their ids.
        weeks: (w,) first days.
        dose: (p, w) cents per person.
        block: (p,) codes.
        sequences: (a, w) the different rows of `dose`.
        sequence: (p,) which of them each place has.
    """

    places: list[str]
    weeks: list[datetime.date]
    dose: Floats
    block: Integers
    sequences: Floats
    sequence: Integers


def read_panel(
    place_outcomes: Table,
    outcome: str,
    places: list[str],
    weeks: list[datetime.date],
    as_of: datetime.date,
) -> Panel:
    """The outcome of these places in these weeks, as known on a day; several sources are averaged by weight."""
    import ibis

    morning = datetime.datetime.combine(as_of, datetime.time())
    told = place_outcomes.filter(
        (place_outcomes.outcome == outcome)
        & (place_outcomes.week_on < ibis.date(as_of))
        & (place_outcomes.arrived_at <= morning)
    )
    found = arrays(told.order_by("source", "place_id", "week_on"), "place_id", "week_on", "value", "weight")
    place = codes(found["place_id"], places).codes
    number = {week: i for i, week in enumerate(weeks)}
    week = np.array([number.get(day, -1) for day in _days(found["week_on"])], np.int64)
    inside = (place >= 0) & (week >= 0)
    weight = np.nan_to_num(np.asarray(found["weight"], np.float64), nan=1.0)[inside]
    at = (place[inside], week[inside])
    value, heavy = np.zeros((2, len(places), len(weeks)))
    np.add.at(value, at, weight * np.asarray(found["value"], np.float64)[inside])
    np.add.at(heavy, at, weight)
    known = heavy > 0
    mean = np.divide(value, heavy, out=np.full_like(value, np.nan), where=known)
    return Panel(places, weeks, mean, np.where(known, heavy, 1.0))


def known_weeks(place_outcomes: Table, outcome: str, before: datetime.date, most: int) -> list[datetime.date]:
    """Weeks before a day, that many at most, that count back from it and have an outcome somewhere."""
    rows = place_outcomes.filter(place_outcomes.outcome == outcome).select("week_on").distinct()
    told = set(_days(arrays(rows, "week_on")["week_on"]))
    weeks = [before - WEEK * back for back in range(most, 0, -1)]
    have = [week for week in weeks if week in told]
    return [week for week in weeks if have and week >= have[0]]


def schedule_of(schedules: Table, geo_test: str) -> Schedule | None:
    """What was drawn for a test, or None where nothing is."""
    rows = arrays(
        schedules.filter(schedules.geo_test == geo_test).order_by("place_id", "week_on"),
        "place_id",
        "week_on",
        "dose",
        "block_id",
    )
    if not len(rows["place_id"]):
        return None
    place, block = codes(rows["place_id"]), codes(np.array([b or "" for b in rows["block_id"]], object))
    days = _days(rows["week_on"])
    first, last = min(days), max(days)
    weeks = [first + WEEK * i for i in range((last - first).days // 7 + 1)]
    number = {week: i for i, week in enumerate(weeks)}
    if any(day not in number for day in days):
        raise DesignError.of(
            f"The weeks of the test {geo_test} do not follow each other by seven days", received=str(first)
        )
    dose = np.zeros((len(place.labels), len(weeks)))
    dose[place.codes, [number[day] for day in days]] = np.asarray(rows["dose"], np.float64)
    own = np.zeros(len(place.labels), np.int64)
    own[place.codes] = block.codes
    sequences, sequence = np.unique(dose, axis=0, return_inverse=True)
    return Schedule(place.labels, weeks, dose, own, sequences, np.ravel(sequence).astype(np.int64))


def rule_of(geo_draws: Table, geo_test: str, found: Schedule) -> tuple[float, Floats | None]:
    """By which rule draws counted as balanced, with the outcomes of that day."""
    recorded = geo_draws.filter(geo_draws.geo_test == geo_test).to_pyarrow().to_pylist()
    if not recorded or recorded[0]["most"] is None:
        return np.inf, None
    told = json.loads(recorded[0]["history"])
    place = codes(np.array(found.places, object), told["places"]).codes
    return float(recorded[0]["most"]), np.array(told["outcome"], np.float64)[place]


def with_history(found: Schedule, n_before: int) -> Floats:
    """(a, before + w) the sequences behind weeks without a dose."""
    return np.concatenate([np.zeros((len(found.sequences), n_before)), found.sequences], axis=1)


def neighbours_of(coordinates: Table, places: list[str], kilometers: float) -> Floats | None:
    """(p, p) 1 where two places lie within so many kilometres; None where no two do, or nothing is known."""
    rows = arrays(coordinates.order_by("source"), "place_id", "latitude", "longitude")
    at = dict(
        zip(rows["place_id"].tolist(), zip(rows["latitude"], rows["longitude"], strict=True), strict=True)
    )
    if any(place not in at for place in places):
        return None
    latitude, longitude = np.array([at[place] for place in places], np.float64).T
    far = stats.visits.travel_hours(latitude, longitude, 1.0, 1.0)
    near = (far <= kilometers) & ~np.eye(len(places), dtype=bool)
    return near.astype(np.float64) if near.any() else None


def _days(column: npt.NDArray[Any]) -> list[datetime.date]:
    return [np.datetime64(day, "D").astype(datetime.date) for day in column]
