"""What was drawn, and what followed ─► what spending did in places, by the draw alone, and whether to believe it."""

from __future__ import annotations

import datetime
from typing import Annotated, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from hustings import stats
from hustings.errors import DesignError
from hustings.experiments.declared import ReadOn, why_sealed
from hustings.experiments.geo_panels import (
    Panel,
    Schedule,
    known_weeks,
    neighbours_of,
    read_panel,
    rule_of,
    schedule_of,
    with_history,
)
from hustings.experiments.geo_tests import HalfLife, Outcome, WeeksBefore
from hustings.stage import About, Result, Table, stage
from hustings.tables import spec
from hustings.warehouse import arrays, codes, residents

Floats = npt.NDArray[np.float64]
Row = dict[str, Any]
_FEWEST = 100
"""Ways of drawing one dose against none below which all doses are drawn instead: with 32 there is no 95 % interval."""
_ENOUGH = 0.8
"""Share of the planned money below which a test says little of its doses."""


class Ready(NamedTuple):
    """A test that can be read.

    Attributes:
        found: What was drawn.
        panel: Outcomes, history first.
        sequences: (a, w) what is at work in each week.
        ways: How else it could have been drawn.
        n_before: Weeks of history.
    """

    found: Schedule
    panel: Panel
    sequences: Floats
    ways: stats.geo_design.Ways
    n_before: int


@stage(writes=("geo_lifts", "geo_checks"), section="geo_tests", each="geo_test")
def read_geo_tests(
    geo_schedules: Table,
    place_outcomes: Table,
    place_coordinates: Table,
    places: Table,
    place_people: Table,
    spends: Table,
    geo_draws: Table,
    *,
    geo_test: str,
    channel: Annotated[str, About("What the money buys: `television`, `digital`, … .")],
    outcome: Outcome,
    read_on: ReadOn = None,
    half_life_weeks: HalfLife = 0.75,
    weeks_before: WeeksBefore = 26,
    border_kilometers: Annotated[
        float, About("Places nearer than this count as neighbours, whose signals may reach across.", gt=0)
    ] = 100.0,
    as_of: Annotated[datetime.date, About("The day as of which everything is described.")],
    rng: np.random.Generator,
) -> Result:
    """The effect of a cent per person, over all doses and for each, and the checks of the test.

    It is always read as drawn: what was bought otherwise is told as `delivered`.
    """
    found = schedule_of(geo_schedules, geo_test)
    base = {"geo_test": geo_test, "channel": channel, "outcome": outcome, "randomised": True, "as_of": as_of}
    sealed = why_sealed(as_of, read_on, None, 0)
    if found is None or sealed:
        return _unread(base, sealed or "it is not drawn yet, and no file tells of it")
    weeks = known_weeks(place_outcomes, outcome, found.weeks[0], weeks_before)
    panel = read_panel(place_outcomes, outcome, found.places, [*weeks, *found.weeks], as_of)
    if np.isnan(panel.outcome[:, len(weeks) :]).all():
        return _unread(base, "no outcome of its weeks is known yet")
    sequences = stats.geo_readings.stock(with_history(found, len(weeks)), half_life_weeks)
    most, history = rule_of(geo_draws, geo_test, found)
    ways = stats.geo_design.ways(
        found.sequence, found.block, rng, sequences=found.sequences, history=history, most=most
    )
    ready = Ready(found, panel, sequences, ways, len(weeks))
    size = residents(places, place_people, found.places, f"[geo_tests.{geo_test}]")[0]
    delivered, delivery = _delivery(spends, size, found, channel, as_of)
    try:
        rows = [_over_all(ready, delivered)]
    except DesignError as error:
        return _unread(base, f"it cannot be read: {error}")
    doses = np.unique(found.dose[found.dose > 0])
    if doses.size > 1:
        rows += [_of_one(ready, float(dose), half_life_weeks, delivered, rng) for dose in doses]
    checks = [_trend(ready), _neighbours(ready, place_coordinates, border_kilometers, rows[0]), delivery]
    return {
        "geo_lifts": _columns("geo_lifts", [base | row for row in rows]),
        "geo_checks": _columns("geo_checks", [{"geo_test": geo_test} | row for row in checks]),
    }


def _unread(base: Row, why: str) -> Result:
    row = dict.fromkeys(spec("geo_lifts").names) | base | {"dose": 0.0, "reason": why}
    return {"geo_lifts": _columns("geo_lifts", [row]), "geo_checks": _columns("geo_checks", [])}


def _columns(table: str, rows: list[Row]) -> dict[str, list[Any]]:
    return {name: [row.get(name) for row in rows] for name in spec(table).names}


def _row(found: stats.geo_readings.Reading, ways: stats.geo_design.Ways, cells: int, places: int) -> Row:
    told: Row = {
        "estimate": found.estimate, "std_error": _finite(found.std_error), "p_value": found.p_value,
        "low": _finite(found.low), "high": _finite(found.high), "per_dollar": 100 * found.estimate,
        "n_places": places, "n_cells": cells, "n_ways": found.n_ways, "exact": ways.exact,
    }  # fmt: skip
    for end in ("low", "high"):
        told[f"per_dollar_{end}"] = None if told[end] is None else 100 * told[end]
    if told["low"] is None:
        told["reason"] = (
            f"it can be drawn in {found.n_ways:,} ways: too few for a 95 % interval; the smallest p is {found.smallest_p:.2g}"
        )
    return told


def _over_all(ready: Ready, delivered: float | None) -> Row:
    known = stats.geo_readings.frame(ready.panel.outcome, ready.panel.weight)
    found = stats.geo_readings.read_dose(known, ready.sequences, ready.ways)
    return _row(found, ready.ways, known.cells.size, len(ready.found.places)) | {
        "dose": 0.0,
        "delivered": delivered,
    }


def _of_one(
    ready: Ready, dose: float, half_life: float, delivered: float | None, rng: np.random.Generator
) -> Row:
    """One dose against none: among places that had only these two, or with the other doses' effects taken off."""
    found = ready.found
    doses = np.unique(found.dose[found.dose > 0]).tolist()
    only = np.asarray(np.isin(found.sequences, (0.0, dose)).all(axis=1))
    inside = only[found.sequence]
    alone = with_history(found, ready.n_before) == dose
    sequences = stats.geo_readings.stock(np.where(alone, dose, 0.0), half_life)
    ways = None
    try:
        if inside.sum() > 1 and (found.dose[inside] > 0).any() and np.unique(found.sequence[inside]).size > 1:
            ways = stats.geo_design.ways(found.sequence[inside], found.block[inside], rng)
        if ways is not None and ways.n_all >= _FEWEST:
            known = stats.geo_readings.frame(ready.panel.outcome[inside], ready.panel.weight[inside])
            read = stats.geo_readings.read_dose(known, sequences, ways)
            return _row(read, ways, known.cells.size, int(inside.sum())) | {
                "dose": dose,
                "delivered": delivered,
            }
        known = stats.geo_readings.frame(ready.panel.outcome, ready.panel.weight)
        full = with_history(found, ready.n_before)
        parts = [stats.geo_readings.stock(np.where(full == d, d, 0.0), half_life) for d in doses]
        read = stats.geo_readings.read_one_dose(known, parts, doses.index(dose), ready.ways)
    except DesignError as error:
        return {"dose": dose, "reason": str(error)}
    told = _row(read, ready.ways, known.cells.size, len(found.places)) | {
        "dose": dose,
        "delivered": delivered,
    }
    why = "the effects of the other doses are taken off at their estimates, so that p is near, not exact"
    return told | {"reason": "; ".join(part for part in (told.get("reason"), why) if part)}


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _checked(check: str, found: stats.geo_readings.Reading, about: str) -> Row:
    return {
        "check": check, "estimate": found.estimate, "low": _finite(found.low), "high": _finite(found.high),
        "p_value": found.p_value, "passed": found.p_value >= 0.05, "reason": about,
    }  # fmt: skip


def _trend(ready: Ready) -> Row:
    try:
        found = stats.geo_readings.trend_before(
            ready.panel.outcome[:, : ready.n_before],
            ready.found.sequences.sum(1),
            ready.ways,
            weight=ready.panel.weight[:, : ready.n_before],
        )
    except DesignError as error:
        return {"check": "trend before", "reason": f"not made: {error}"}
    return _checked(
        "trend before", found, "change per week before the test, for each cent per person that was to come"
    )


def _neighbours(ready: Ready, coordinates: Table, kilometers: float, own: Row) -> Row:
    near = neighbours_of(coordinates, ready.found.places, kilometers)
    if near is None:
        return {
            "check": "neighbours",
            "reason": f"not made: no two places are known to lie within {kilometers:g} km",
        }
    known = stats.geo_readings.frame(ready.panel.outcome, ready.panel.weight)
    try:
        found = stats.geo_readings.read_neighbours(known, ready.sequences, ready.ways, near, own["estimate"])
    except DesignError as error:
        return {"check": "neighbours", "reason": f"not made: {error}"}
    about = f"effect of one cent per person in the mean neighbour within {kilometers:g} km: signals reach across borders"
    return _checked("neighbours", found, about)


def _delivery(
    spends: Table, size: Floats, found: Schedule, channel: str, as_of: datetime.date
) -> tuple[float | None, Row]:
    """How much of the planned money was spent, and how closely place by place."""
    morning = datetime.datetime.combine(as_of, datetime.time())
    told = spends.filter((spends.channel == channel) & (spends.arrived_at <= morning))
    rows = arrays(told.order_by("source", "place_id", "week_on"), "place_id", "week_on", "cents")
    place = codes(rows["place_id"], found.places).codes
    number = {week: i for i, week in enumerate(found.weeks)}
    week = np.array(
        [number.get(np.datetime64(d, "D").astype(datetime.date), -1) for d in rows["week_on"]], int
    )
    inside = (place >= 0) & (week >= 0)
    if not inside.any():
        return None, {"check": "delivery", "reason": "not made: `spends` does not tell of the test's weeks"}
    spent = np.zeros(found.dose.shape)
    np.add.at(spent, (place[inside], week[inside]), np.asarray(rows["cents"], np.float64)[inside])
    planned = found.dose * size[:, None]
    if not planned.sum() > 0:
        return None, {"check": "delivery", "reason": "not made: no money was planned"}
    share = float(spent[planned > 0].sum() / planned.sum())
    stray = float(spent[planned == 0].sum() / max(spent.sum(), 1e-300))
    about = f"share of the planned money that was spent; {stray:.1%} of what was spent went to places and weeks without a dose"
    passed = share >= _ENOUGH and stray <= 1 - _ENOUGH
    return share, {"check": "delivery", "estimate": share, "passed": passed, "reason": about}
