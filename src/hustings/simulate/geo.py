"""Made-up media markets: a weekly survey in each, a test of airtime whose truth is known, and a test to come."""

from __future__ import annotations

import datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from hustings import stats
from hustings.simulate import files
from hustings.simulate.elections import AS_OF
from hustings.simulate.part import Drawn, Part
from hustings.simulate.race import STATE

MARKETS = "sources/markets.csv"
TRACKING = "sources/market_tracking.csv"
TEST = "sources/airtime_test.csv"
SPENDS = "sources/market_spends.csv"
TRUTH = "truth-airtime.parquet"

_N = 24
_TESTED = 20
_WEEK = datetime.timedelta(7)
_FIRST = datetime.date(2026, 1, 5)
_STARTS = datetime.date(2026, 5, 18)
_WEEKS = 6
_DOSES = (0.0, 2.0, 5.0, 10.0)
_FULL, _RATE, _HALF_LIFE = 0.03, 0.18, 0.8
"""Support that airtime moves without end of dose, per cent a person, and weeks in which half is lost."""
_ASKED = 900
_DELIVERED = 0.97


def write(folder: Path, drawn: Drawn, rng: np.random.Generator) -> None:
    """The files of the part: markets that divide the state's voters, whoever they are."""
    share = np.exp(0.7 * rng.standard_normal(_N))
    votes = np.maximum(np.round(len(drawn.ids) * share / share.sum()), 1.0)
    weeks = [_FIRST + _WEEK * i for i in range((AS_OF - _FIRST).days // 7)]
    start = weeks.index(_STARTS)
    sequences = stats.geo_design.parallel(_DOSES, _WEEKS)
    block = np.arange(_TESTED) // len(_DOSES)
    dealt = stats.geo_design.deal(sequences, block, rng).sequence
    dose = np.zeros((_N, len(weeks)))
    dose[:_TESTED, start : start + _WEEKS] = sequences[dealt]
    support, truly = _support(dose, len(weeks), rng)
    names = np.array([f"M{number:02d}" for number in range(1, _N + 1)], object)
    _write_markets(folder / MARKETS, names, votes)
    place, week = np.divmod(np.arange(_N * len(weeks)), len(weeks))
    days = np.array([day.isoformat() for day in weeks], object)
    tracking = {"market": names[place], "week": days[week], "support": support.ravel().round(4), "asked": np.full(place.size, _ASKED)}  # fmt: skip
    _write(folder / TRACKING, tracking)
    inside = (place < _TESTED) & (week >= start) & (week < start + _WEEKS)
    p, w = place[inside], week[inside]
    _write(folder / TEST, {"market": names[p], "week": days[w], "dose": dose[p, w], "block": block[p]})
    spent = dose * votes[:, None] * (_DELIVERED + 0.02 * rng.standard_normal(dose.shape))
    p, w = np.nonzero(dose > 0)
    cents = np.round(spent[p, w]).astype(np.int64)
    _write(folder / SPENDS, {"market": names[p], "week": days[w], "cents": cents})
    curve = {"full_effect": _FULL, "rate": _RATE, "half_life_weeks": _HALF_LIFE}
    truth = {"market": names[place], "week": days[week], "support": truly.ravel()}
    pq.write_table(pa.table(truth | {n: np.full(place.size, v) for n, v in curve.items()}), folder / TRUTH)


def _support(
    dose: NDArray[np.float64], weeks: int, rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """What the survey finds, and the truth: a market's level, the state's week, drift that lasts, and airtime."""
    drift = np.zeros_like(dose)
    for week in range(1, weeks):
        drift[:, week] = 0.7 * drift[:, week - 1] + 0.003 * rng.standard_normal(len(dose))
    moved = _FULL * -np.expm1(-_RATE * stats.geo_readings.stock(dose, _HALF_LIFE))
    level = rng.normal(0.49, 0.05, (len(dose), 1)) + np.cumsum(rng.normal(0, 0.003, weeks))
    truth = np.clip(level + drift + moved, 0.05, 0.95)
    return np.asarray(rng.binomial(_ASKED, truth) / _ASKED), truth


def _write_markets(path: Path, names: NDArray[np.object_], votes: NDArray[np.float64]) -> None:
    row, column = np.divmod(np.arange(_N), 6)
    _write(
        path,
        {
            "market": names,
            "state": np.full(_N, STATE, object),
            "voters": votes.astype(np.int64),
            "latitude": 41.0 + 0.8 * row,
            "longitude": -89.0 + 1.1 * column,
        },
    )


def _write(path: Path, columns: dict[str, NDArray[np.generic] | NDArray[np.object_]]) -> None:
    told = {
        name: pa.array([str(v) for v in column.tolist()], pa.string()) for name, column in columns.items()
    }
    path.write_bytes(files.as_bytes(told, ",", files.lines(told, ",")))


_TEXT = """\
# ── airtime: what it does, measured in markets, and how much to buy where and when ─────────────────

[sources.markets]
path = "sources/markets.csv"
arrived_on = {first}

[[sources.markets.place_people]]
place_id = "market"
n_people = "voters"
part_of = "state"

[[sources.markets.place_coordinates]]
place_id = "market"
latitude = "latitude"
longitude = "longitude"

[sources.market_tracking] # each market's weekly survey
path = "sources/market_tracking.csv"
arrived_on = {as_of}

[[sources.market_tracking.place_outcomes]]
place_id = "market"
week_on = "week"
outcome = {{ constant = "support" }}
value = "support"
weight = "asked"

[sources.airtime_test] # who was drawn to get how much, before it was bought
path = "sources/airtime_test.csv"
arrived_on = {before}

[[sources.airtime_test.place_doses]]
geo_test = {{ constant = "airtime" }}
place_id = "market"
week_on = "week"
dose = "dose"
block_id = "block"

[sources.market_spends]
path = "sources/market_spends.csv"
arrived_on = {as_of}

[[sources.market_spends.spends]]
place_id = "market"
week_on = "week"
channel = {{ constant = "television" }}
cents = "cents"

[geo_tests.airtime]
channel = "television"
outcome = "support"

[geo_tests.digital] # drawn by Hustings, for the weeks after the primary
channel = "digital"
outcome = "support"
doses = [0, 3, 6]
starts_on = {next_week}
weeks = 4
draw_on = {as_of}
read_on = {read_on}

[responses.television]
full_effect_error = 0.05

[media_weeks.airtime] # for the general election
election_day = 2026-11-03
starts_on = {starts_on}
channels = ["television"]
budget_cents = {budget}
votes_by_week = [0.05, 0.10, 0.20, 0.65]
price_by_week = [1.1, 1.2, 1.3, 1.5]
elsewhere_cents_per_vote = 8_000
"""


def _declaration(people: int) -> str:
    monday = AS_OF + (7 - AS_OF.weekday()) % 7 * datetime.timedelta(1)
    return _TEXT.format(
        first=_FIRST,
        as_of=AS_OF,
        before=_STARTS - _WEEK,
        next_week=monday + _WEEK,
        read_on=monday + 6 * _WEEK,
        starts_on=datetime.date(2026, 9, 9),
        budget=f"{15 * people:_}",
    )


AIRTIME = Part((MARKETS, TRACKING, TEST, SPENDS, TRUTH), write, _declaration)
