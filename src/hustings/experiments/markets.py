"""Places that spent without a draw ─► what it seems to have done, against places that moved alike: not randomised."""

from __future__ import annotations

import datetime
import json
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt

from hustings import stats
from hustings.errors import DesignError
from hustings.experiments.geo_panels import WEEK, Panel, known_weeks, read_panel
from hustings.experiments.geo_tests import Outcome, WeeksBefore
from hustings.stage import About, Result, Table, stage
from hustings.tables import spec
from hustings.warehouse import arrays, residents

Row = dict[str, Any]
_CAVEAT = "not randomised: it rests on the belief that these places would have gone on to move alike"


@stage(writes="market_lifts", section="market_readings", each="market_reading")
def read_markets(
    place_outcomes: Table,
    places: Table,
    place_people: Table,
    spends: Table,
    *,
    market_reading: str,
    channel: Annotated[str, About("What the money bought.")],
    outcome: Outcome,
    treated_places: Annotated[list[str], About("The places that spent.")],
    starts_on: Annotated[datetime.date, About("The first day of the first week with spending.")],
    weeks: Annotated[int, About("Weeks since then that are read.", ge=1, le=52)] = 4,
    leave_out: Annotated[
        list[str], About("Places that cannot be controls: they spent too, or share a border.")
    ] = [],  # noqa: B006
    matches: Annotated[int, About("Matched markets for each place that spent.", ge=1)] = 2,
    weeks_before: WeeksBefore = 26,
    as_of: Annotated[datetime.date, About("Nothing of this day or later is used.")],
    rng: np.random.Generator,
) -> Result:
    """One row for each way of reading it; none of them is a test."""
    base = {
        "market_reading": market_reading, "channel": channel, "outcome": outcome, "randomised": False, "as_of": as_of,
    }  # fmt: skip
    names = ("matched markets", "synthetic control", "augmented synthetic control")
    try:
        panel, treated, start, lost = _panel(
            place_outcomes, outcome, treated_places, leave_out, starts_on, weeks, weeks_before, as_of
        )
        readings = [
            _matched(panel, treated, start, matches, rng),
            *(_synthetic(panel, treated, start, augmented) for augmented in (False, True)),
        ]
    except DesignError as error:
        rows = [base | {"estimator": name, "reason": f"{_CAVEAT}; not read: {error}"} for name in names]
        return {name: [row.get(name) for row in rows] for name in spec("market_lifts").names}
    own = [place for place, spent in zip(panel.places, treated, strict=True) if spent]
    cents = _cents(spends, own, panel.weeks[start:], channel)
    dollars = None
    if cents > 0:
        size = residents(places, place_people, own, f"[market_readings.{market_reading}]")[0]
        dollars = cents / 100 / float(size.sum()) / max(len(panel.weeks) - start, 1)
    rows = []
    for name, reading in zip(names, readings, strict=True):
        why = [_CAVEAT, f"{lost} places with gaps left out" if lost else "", reading.pop("reason", "")]
        per = None if dollars is None or reading["estimate"] is None else reading["estimate"] / dollars
        rows.append(
            base | reading | {"estimator": name, "per_dollar": per, "reason": "; ".join(filter(None, why))}
        )
    return {name: [row.get(name) for row in rows] for name in spec("market_lifts").names}


def _panel(
    place_outcomes: Table,
    outcome: str,
    treated_places: list[str],
    leave_out: list[str],
    starts_on: datetime.date,
    weeks: int,
    weeks_before: int,
    as_of: datetime.date,
) -> tuple[Panel, npt.NDArray[np.bool_], int, int]:
    """Places without a gap, those that spent among them, and in which week it begins."""
    told = place_outcomes.filter(place_outcomes.outcome == outcome).select("place_id").distinct()
    known = sorted(told.to_pyarrow()["place_id"].to_pylist())
    for place in treated_places:
        if place not in known:
            raise DesignError.unknown(f"no {outcome} is known of", place, known)
    before = known_weeks(place_outcomes, outcome, starts_on, weeks_before)
    after = [starts_on + WEEK * i for i in range(weeks) if starts_on + WEEK * i < as_of]
    names = [p for p in known if p not in leave_out]
    panel = read_panel(place_outcomes, outcome, names, [*before, *after], as_of)
    # Weeks at the end that nobody has an outcome of have not come in yet.
    heard = ~np.isnan(panel.outcome).all(axis=0)
    last = int(np.flatnonzero(heard)[-1]) + 1 if heard.any() else 0
    panel = Panel(names, panel.weeks[:last], panel.outcome[:, :last], panel.weight[:, :last])
    whole = np.asarray(~np.isnan(panel.outcome).any(axis=1))
    gaps = [p for p, sound in zip(names, whole, strict=True) if not sound and p in treated_places]
    if gaps:
        raise DesignError.of("an outcome of a place that spent is missing", received=gaps[0])
    keep = np.flatnonzero(whole)
    kept = Panel([names[i] for i in keep], panel.weeks, panel.outcome[keep], panel.weight[keep])
    treated = np.array([p in treated_places for p in kept.places])
    if not treated.any():
        raise DesignError.of("no place that spent is left", received=treated_places)
    return kept, treated, len(before), int((~whole).sum())


def _matched(
    panel: Panel, treated: npt.NDArray[np.bool_], start: int, matches: int, rng: np.random.Generator
) -> Row:
    level = panel.outcome[:, :start] - panel.outcome[:, :start].mean(1, keepdims=True)
    chosen = np.unique(stats.synthetic.matched_markets(level, treated, matches))
    found = stats.synthetic.difference_in_differences(
        panel.outcome, treated, chosen, start, rng, per_place=matches
    )
    share = {panel.places[i]: 1 / len(chosen) for i in chosen}
    return _row(found.effect, found.low, found.high, found.p_value, found.n_placebos) | {
        "controls": json.dumps(share)
    }


def _synthetic(panel: Panel, treated: npt.NDArray[np.bool_], start: int, augmented: bool) -> Row:
    own = panel.outcome[treated].mean(0)
    others = panel.outcome[~treated].T
    found = stats.synthetic.synthetic_control(own, others, start, augmented=augmented)
    names = [p for p, spent in zip(panel.places, treated, strict=True) if not spent]
    told = {n: round(float(w), 4) for n, w in zip(names, found.weights, strict=True) if abs(w) > 5e-5}
    return _row(found.effect, found.low, found.high, found.p_value, found.n_placebos) | {
        "fit": found.rmspe_before, "ratio": found.ratio, "controls": json.dumps(told),
    }  # fmt: skip


def _row(estimate: float, low: float, high: float, p: float, n: int) -> Row:
    ends = [float(end) if np.isfinite(end) else None for end in (low, high)]
    why = None if ends[0] is not None else f"{n} placebos are too few for a 95 % interval, or none fits"
    return {
        "estimate": estimate,
        "low": ends[0],
        "high": ends[1],
        "p_value": p,
        "n_placebos": n,
        "reason": why,
    }


def _cents(spends: Table, places: list[str], weeks: list[datetime.date], channel: str) -> float:
    """What was spent in these places and weeks, as far as it is known."""
    rows = arrays(spends.filter(spends.channel == channel), "place_id", "week_on", "cents")
    days = [np.datetime64(d, "D").astype(datetime.date) for d in rows["week_on"]]
    inside = [p in places and d in weeks for p, d in zip(rows["place_id"], days, strict=True)]
    return float(np.asarray(rows["cents"], np.float64)[inside].sum()) if any(inside) else 0.0
