"""Attempts, contacts and shifts ─► each region's week against its goal, and what the coming shifts can do."""

from __future__ import annotations

import datetime
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt

from hustings import stats
from hustings.stage import About, Result, Table, stage
from hustings.tables import spec
from hustings.warehouse import arrays, codes

_NEAR = 0.03
_ALL = "all"
_ELSEWHERE = "elsewhere"
_HALF = 0.5


@stage(writes="field_goals")
def measure_field(
    people: Table,
    events: Table,
    *,
    attempts_per_week: Annotated[
        dict[str, float], About("Attempts to be made in a week, by region; `all` for everywhere.")
    ] = {},  # noqa: B006
    channels: Annotated[list[str], About("Which channels are the field's.")] = ["door", "phone"],  # noqa: B006
    starts_on: Annotated[
        datetime.date | None, About("The first week with a goal; that of the first attempt unless given.")
    ] = None,
    as_of: Annotated[datetime.date, About("Attempts before this day count.")],
) -> Result:
    """One row for each region, week and channel: people not found are attempts (`attempt`), as are `contact`s."""
    morning = datetime.datetime.combine(as_of, datetime.time())
    done = events.filter(
        events.kind.isin(["attempt", "contact"])
        & events.channel.isin(channels)
        & (events.happened_at < morning)
        & (events.arrived_at <= morning)
    ).join(people.select("person_id", "region_id"), "person_id", rname="{name}_of")
    weeks = done.mutate(
        week_on=done.happened_at.truncate("W").date(), region=done.region_id.fill_null(_ELSEWHERE)
    )
    tallies = weeks.group_by("region", "week_on", "channel").agg(
        attempts=weeks.count(), contacts=weeks.count(where=weeks.kind == "contact")
    )
    found = tallies.order_by("region", "week_on", "channel").to_pyarrow().to_pylist()
    table: dict[tuple[str, datetime.date, str], tuple[int, int]] = {}
    for row in found:
        for region in (row["region"], _ALL):
            before = table.get((region, row["week_on"], row["channel"]), (0, 0))
            table[region, row["week_on"], row["channel"]] = (
                before[0] + row["attempts"],
                before[1] + row["contacts"],
            )
    first = min((week for _, week, _ in table), default=None) if starts_on is None else starts_on
    for week in _weeks(first, as_of):
        for region in attempts_per_week:
            table.setdefault((region, week, channels[0]), (0, 0))
    rows = [
        _week(key, counts, attempts_per_week, channels[0], as_of) for key, counts in sorted(table.items())
    ]
    return {name: [row[name] for row in rows] for name in spec("field_goals").names}


def _weeks(first: datetime.date | None, as_of: datetime.date) -> list[datetime.date]:
    if first is None:
        return []
    monday = first - datetime.timedelta(first.weekday())
    return [monday + datetime.timedelta(7 * i) for i in range(max(0, -(-(as_of - monday).days // 7)))]


def _week(
    key: tuple[str, datetime.date, str],
    counts: tuple[int, int],
    goals: dict[str, float],
    first_channel: str,
    as_of: datetime.date,
) -> dict[str, Any]:
    region, week, channel = key
    goal = goals.get(region) if channel == first_channel else None
    attempts, contacts = counts
    low, high = _wilson(contacts, attempts)
    # Of the running week, as much of the goal is due as days are over.
    due = None if goal is None else goal * min((as_of - week).days / 7, 1.0)
    return {
        "region_id": region,
        "week_on": week,
        "channel": channel,
        "goal": goal,
        "n_attempts": attempts,
        "n_contacts": contacts,
        "contact_rate": contacts / attempts if attempts else None,
        "contact_rate_low": low,
        "contact_rate_high": high,
        "status": status(attempts, due),
        "as_of": as_of,
    }


def status(attempts: float, due: float | None) -> str:
    """How a week stands, in a word.

    >>> status(50, 100.0), status(99, 100.0), status(3, None), status(0, 100.0)
    ('behind', 'on plan', 'no goal', 'not started')
    """
    if due is None:
        return "no goal"
    if not attempts:
        return "not started"
    gap = attempts / due - 1 if due > 0 else 1.0
    return "behind" if gap < -_NEAR else "ahead" if gap > _NEAR else "on plan"


def _wilson(successes: int, n: int, z: float = 1.959963984540054) -> tuple[float | None, float | None]:
    """Ends of Wilson's 95 % interval of a share (JASA 22, 1927); nothing of nothing."""
    if not n:
        return None, None
    p = successes / n
    middle, half = p + z * z / (2 * n), z * float(np.sqrt(p * (1 - p) / n + z * z / (4 * n * n)))
    return max(0.0, (middle - half) / (1 + z * z / n)), min(1.0, (middle + half) / (1 + z * z / n))


@stage(writes="shift_forecasts")
def forecast_shifts(
    shifts: Table,
    *,
    doors_per_volunteer: Annotated[
        float, About("Doors (or calls) that one volunteer makes in a shift.", gt=0)
    ] = 40.0,
    as_of: Annotated[datetime.date, About("Shifts before this day are the past.")],
) -> Result:
    """One row for each region, coming week and channel: who will come, and what they can do."""
    morning = datetime.datetime.combine(as_of, datetime.time())
    mine = shifts.filter(shifts.arrived_at <= morning).mutate(
        region=shifts.region_id.fill_null(_ELSEWHERE),
        of=shifts.channel.fill_null("door"),
        week_on=shifts.starts_at.truncate("W").date(),
        past=shifts.starts_at < morning,
    )
    found = arrays(mine.order_by("source", "shift_id"), "region", "of", "week_on", "past", "n_signed_up", "n_confirmed", "n_showed_up")  # fmt: skip
    signed, confirmed, came = (
        np.asarray(found[f"n_{name}"], np.float64) for name in ("signed_up", "confirmed", "showed_up")
    )
    region = codes(found["region"])
    past = np.asarray(found["past"], bool)
    known = past & np.isfinite(signed) & np.isfinite(came) & (signed > 0)
    rates = None
    if known.any():
        rates = stats.show_rates.show_rates(
            came[known], signed[known], region.codes[known], len(region.labels)
        )
    keys = np.array(
        [f"{r}\t{w}\t{c}" for r, w, c in zip(found["region"], found["week_on"], found["of"], strict=True)],
        object,
    )
    coming = np.flatnonzero(~past & np.isfinite(signed))
    rows = [
        _coming(own, found, signed, confirmed, region.codes, rates, doors_per_volunteer, as_of)
        for own in (coming[keys[coming] == key] for key in sorted(set(keys[coming])))
    ]
    return {name: [row[name] for row in rows] for name in spec("shift_forecasts").names}


def _coming(
    own: npt.NDArray[np.int64],
    found: dict[str, Any],
    signed: npt.NDArray[np.float64],
    confirmed: npt.NDArray[np.float64],
    region: npt.NDArray[np.int64],
    rates: stats.show_rates.ShowRates | None,
    doors: float,
    as_of: datetime.date,
) -> dict[str, Any]:
    first, total = own[0], float(signed[own].sum())
    row: dict[str, Any] = dict.fromkeys(spec("shift_forecasts").names) | {
        "region_id": found["region"][first],
        "week_on": found["week_on"][first],
        "channel": found["of"][first],
        "n_shifts": own.size,
        "n_signed_up": int(total),
        "n_confirmed": int(np.nansum(confirmed[own])),
        "rule": _HALF * total,
        "as_of": as_of,
    }
    if rates is None:
        return row | {"reason": "no past shift tells who came"}
    at = region[first]
    low, high = rates.interval()
    will = stats.show_rates.expected_shows(rates, [total], [at])
    mean, least, most = (float(v[0]) for v in will)
    return row | {
        "show_rate": float(rates.rate[at]),
        "show_rate_low": float(low[at]),
        "show_rate_high": float(high[at]),
        "expected": mean,
        "low": least,
        "high": most,
        "doors": doors * mean,
        "doors_low": doors * least,
        "doors_high": doors * most,
    }
