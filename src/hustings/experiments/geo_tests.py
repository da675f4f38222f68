"""Places, their history and some doses ─► what a test could find, and the draw, kept before a cent is spent."""

from __future__ import annotations

import datetime
import json
from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from hustings import stats
from hustings.errors import DesignError
from hustings.experiments.declared import ReadOn, why_sealed
from hustings.experiments.geo_panels import (
    WEEK,
    Panel,
    Schedule,
    known_weeks,
    read_panel,
    rule_of,
    schedule_of,
)
from hustings.stage import About, Result, Table, stage
from hustings.tables import spec
from hustings.warehouse import residents

Floats = npt.NDArray[np.float64]
Kind = Literal["parallel", "switchback", "staggered"]

Outcome = Annotated[str, About("The outcome of `place_outcomes` on which the test is read.")]
HalfLife = Annotated[
    float,
    About("Weeks in which half of a dose is lost, for the reading; ads on television fade within one.", ge=0),
]
WeeksBefore = Annotated[int, About("Weeks of history that are used, at most.", ge=2, le=156)]


class Declared(NamedTuple):
    """What is declared of a test before it is drawn; none of it may change afterwards."""

    channel: str
    outcome: str
    design: str
    doses: list[float]
    places: list[str]
    starts_on: datetime.date
    weeks: int
    period_weeks: int
    washout_weeks: int
    match_size: int | None
    balance_best: float
    draw_on: datetime.date

    def text(self) -> str:
        """As JSON, for the record."""
        return json.dumps(self._asdict(), default=str, sort_keys=True)


@stage(
    writes=("geo_designs", "geo_schedules", "geo_draws", "geo_assignments"),
    section="geo_tests",
    each="geo_test",
)
def design_geo_tests(
    place_outcomes: Table,
    place_doses: Table,
    places: Table,
    place_people: Table,
    geo_draws: Table,
    geo_assignments: Table,
    *,
    geo_test: str,
    channel: Annotated[str, About("What the money buys: `television`, `digital`, … .")],
    outcome: Outcome,
    doses: Annotated[
        list[float],
        About("Cents per person and week that are tried; 0 must be among them. Unused where a file tells."),
    ] = [],  # noqa: B006
    design: Annotated[
        Kind,
        About("`parallel` groups; `switchback`, doses that change; `staggered`, starts one after another."),
    ] = "parallel",
    test_places: Annotated[
        list[str], About("The places that may be drawn; all with the outcome and people unless given.")
    ] = [],  # noqa: B006
    starts_on: Annotated[datetime.date | None, About("The first day of the first week.")] = None,
    weeks: Annotated[int, About("Weeks of the test.", ge=1, le=52)] = 4,
    period_weeks: Annotated[
        int, About("Weeks until a switchback changes, or the next places of a staggered test start.", ge=1)
    ] = 2,
    washout_weeks: Annotated[
        int, About("Weeks without spending behind each period of a switchback.", ge=0)
    ] = 1,
    match_size: Annotated[
        int | None, About("Places in a block of alike history; none are matched unless given.", ge=2)
    ] = None,
    balance_best: Annotated[
        float, About("Share of draws that count as balanced enough on level and trend.", gt=0, le=1)
    ] = 0.2,
    draw_on: Annotated[
        datetime.date | None, About("The day on which Hustings draws it; nothing when a file tells.")
    ] = None,
    read_on: ReadOn = None,
    half_life_weeks: HalfLife = 0.75,
    weeks_before: WeeksBefore = 26,
    as_of: Annotated[datetime.date, About("The day as of which everything is described.")],
    seed: int,
    rng: np.random.Generator,
) -> Result:
    """What the test is and could find, and what each place is to spend in each week.

    A test with `draw_on` is drawn here once and kept; one without is told of by `place_doses`.
    """
    where = f"[geo_tests.{geo_test}]"
    row: dict[str, Any] = dict.fromkeys(spec("geo_designs").names) | {
        "geo_test": geo_test, "channel": channel, "outcome": outcome, "as_of": as_of, "half_life": half_life_weeks,
        "sealed": why_sealed(as_of, read_on, None, 0), "design": "told" if draw_on is None else design, "state": "told",
    }  # fmt: skip
    empty: dict[str, Any] = {n: {c: [] for c in spec(n).names} for n in ("geo_draws", "geo_assignments")}
    if draw_on is None:
        found = schedule_of(place_doses, geo_test)
        if found is None:
            row["reason"] = "no file tells of its doses, and draw_on is not given"
            return _results(row, geo_test, None, None, empty)
        size = residents(places, place_people, found.places, where)[0]
        ways = _ways(found, rng)
        row |= _describe(place_outcomes, outcome, found, size, half_life_weeks, weeks_before, as_of, ways)
        return _results(row, geo_test, found, size, empty)
    if starts_on is None:
        raise DesignError.of(f"{where} starts_on is missing", allowed="the first day of the first week")
    test = Declared(
        channel, outcome, design, doses, test_places, starts_on, weeks, period_weeks, washout_weeks, match_size,
        balance_best, draw_on,
    )  # fmt: skip
    recorded = geo_draws.filter(geo_draws.geo_test == geo_test).to_pyarrow().to_pylist()
    if recorded:
        _check_unchanged(test, recorded[0], where)
        kept = schedule_of(geo_assignments, geo_test)
        assert kept is not None  # a draw is recorded with its assignments
        size = _recorded_people(geo_assignments, geo_test)
        ways = _ways(kept, rng, *rule_of(geo_draws, geo_test, kept))
        row |= _describe(place_outcomes, outcome, kept, size, half_life_weeks, weeks_before, as_of, ways)
        return _results(row | {"state": "drawn"}, geo_test, kept, size, empty)
    if draw_on > as_of and (why := _too_early(place_outcomes, test, weeks_before, as_of)) is not None:
        return _results(row | {"state": "planned", "reason": why}, geo_test, None, None, empty)
    before = _history(place_outcomes, test, where, weeks_before, as_of)
    found, dealt = draw_test(test, before, rng, where)
    size = residents(places, place_people, found.places, where)[0]
    ways = _ways(found, rng, dealt.most, before.outcome)
    row |= _describe(place_outcomes, outcome, found, size, half_life_weeks, weeks_before, as_of, ways)
    if draw_on > as_of:
        return _results(row | {"state": "planned"}, geo_test, None, None, empty)
    if as_of > starts_on:
        raise DesignError.of(
            f"{where} would be drawn after it has begun",
            received=f"drawn {as_of}, starts {starts_on}",
            then="set starts_on to a coming week",
        )
    drawn = _record(test, before, dealt, seed, geo_test)
    drawn["geo_assignments"] = _assigned(geo_test, found, size)
    return _results(row | {"state": "drawn"}, geo_test, found, size, drawn)


def _record(
    test: Declared, before: Panel, dealt: stats.geo_design.Dealt, seed: int, geo_test: str
) -> dict[str, Any]:
    now = datetime.datetime.now(datetime.UTC).replace(tzinfo=None)
    told = {
        "geo_test": geo_test, "drawn_on": test.draw_on, "recorded_at": now, "settings": test.text(), "seed": seed,
        "most": dealt.most if np.isfinite(dealt.most) else None, "distance": dealt.distance,
        "history": json.dumps({"places": before.places, "outcome": _nulls(before.outcome)}),
    }  # fmt: skip
    return {"geo_draws": {name: [told[name]] for name in spec("geo_draws").names}}


def draw_test(
    test: Declared, before: Panel, rng: np.random.Generator, where: str
) -> tuple[Schedule, stats.geo_design.Dealt]:
    """The draw of a test from the history of its places.

    Raises:
        DesignError: Doses, weeks or places that make no test; an outcome that has never varied.
    """
    sequences = _sequences(test)
    n = len(before.places)
    if np.nanmax(before.outcome) == np.nanmin(before.outcome):
        raise DesignError.of(
            f"{where} the outcome has never varied", received=float(np.nanmax(before.outcome))
        )
    block = np.zeros(n, np.int64)
    if test.match_size is not None:
        block = stats.geo_design.matched_blocks(before.outcome, test.match_size)
    dealt = stats.geo_design.deal(sequences, block, rng, history=before.outcome, accepted=test.balance_best)
    weeks = [test.starts_on + WEEK * i for i in range(test.weeks)]
    dose = sequences[dealt.sequence]
    rows, sequence = np.unique(dose, axis=0, return_inverse=True)
    return Schedule(before.places, weeks, dose, block, rows, np.ravel(sequence).astype(np.int64)), dealt


def _sequences(test: Declared) -> Floats:
    if test.design == "switchback":
        return stats.geo_design.switchback(test.doses, test.weeks, test.period_weeks, test.washout_weeks)
    if test.design == "staggered":
        return stats.geo_design.staggered(test.doses, test.weeks, test.period_weeks)
    return stats.geo_design.parallel(test.doses, test.weeks)


def _weeks_so_far(
    place_outcomes: Table, test: Declared, most: int, as_of: datetime.date
) -> list[datetime.date]:
    limit = min(test.draw_on, as_of)
    return [w for w in known_weeks(place_outcomes, test.outcome, test.starts_on, most) if w < limit]


def _too_early(place_outcomes: Table, test: Declared, most: int, as_of: datetime.date) -> str | None:
    """Why a test that is to be drawn later cannot be tried yet, or None."""
    n = len(_weeks_so_far(place_outcomes, test, most, as_of))
    if n >= 2:
        return None
    return f"{n} weeks of {test.outcome!r} on the weekdays of starts_on are known so far: two are needed by {test.draw_on}"


def _history(place_outcomes: Table, test: Declared, where: str, most: int, as_of: datetime.date) -> Panel:
    """The outcome before the draw, of the places that may be drawn."""
    limit = min(test.draw_on, as_of)
    weeks = _weeks_so_far(place_outcomes, test, most, as_of)
    if len(weeks) < 2:
        raise DesignError.of(
            f"{where} there is no history of {test.outcome!r} to draw with",
            received=f"{len(weeks)} weeks on the weekdays of starts_on",
            allowed="two weeks or more",
            then="hustings show place_outcomes",
        )
    wanted = test.places
    if not wanted:
        rows = place_outcomes.filter(place_outcomes.outcome == test.outcome).select("place_id").distinct()
        wanted = sorted(rows.to_pyarrow()["place_id"].to_pylist())
    found = read_panel(place_outcomes, test.outcome, list(wanted), weeks, limit)
    silent = [p for p, row in zip(wanted, found.outcome, strict=True) if np.isnan(row).all()]
    if silent or len(set(wanted)) < len(wanted):
        raise DesignError.of(
            f"{where} test_places: no history of {test.outcome!r}, or named twice",
            received=(silent or list(wanted))[0],
            then="leave the place out, or add its outcomes",
        )
    return found


def _describe(
    place_outcomes: Table,
    outcome: str,
    found: Schedule,
    size: Floats,
    half_life: float,
    most: int,
    as_of: datetime.date,
    ways: stats.geo_design.Ways,
) -> dict[str, Any]:
    """The test in numbers: its size, its cost, what it could find on its places' own history."""
    start = found.weeks[0]
    weeks = [week for week in known_weeks(place_outcomes, outcome, start, most) if week < as_of]
    told: dict[str, Any] = {
        "starts_on": start, "n_weeks": len(found.weeks), "n_places": len(found.places),
        "n_blocks": len(np.unique(found.block)), "n_before": len(weeks), "tested_to": float(found.dose.max()),
        "cost_cents": float((found.dose.sum(1) * size).sum()),
    }  # fmt: skip
    told |= {"n_ways": ways.n_all, "smallest_p": _smallest_p(found, ways)}
    if len(weeks) < len(found.weeks) + 2:
        return told | {
            "reason": f"{len(weeks)} weeks of history are too few to try a test of {len(found.weeks)} weeks on"
        }
    before = read_panel(place_outcomes, outcome, found.places, weeks, as_of)
    try:
        power = stats.geo_power.detectable_dose_effect(
            before.outcome, found.sequences, ways, half_life=half_life, weight=before.weight
        )
    except DesignError as error:
        return told | {"reason": str(error)}
    told["false_alarms"] = power.false_alarms
    if not np.isfinite(power.detectable):
        return told | {
            "reason": f"it could be drawn in {ways.n_all:,.0f} ways: too few to find anything at the 5 % level"
        }
    top = power.detectable * told["tested_to"]
    return told | {"detectable": power.detectable, "detectable_at_top": top}


def _ways(
    found: Schedule, rng: np.random.Generator, most: float = np.inf, history: Floats | None = None
) -> stats.geo_design.Ways:
    """How else it could be drawn, by the rule by which it will be read."""
    return stats.geo_design.ways(
        found.sequence, found.block, rng, sequences=found.sequences, history=history, most=most, draws=400
    )


def _smallest_p(found: Schedule, ways: stats.geo_design.Ways) -> float | None:
    return stats.geo_power.smallest_p(found.sequences, ways) if len(found.sequences) > 1 else None


def _check_unchanged(test: Declared, recorded: dict[str, Any], where: str) -> None:
    before, now = json.loads(recorded["settings"]), json.loads(test.text())
    changed = [
        f"{key} (then {before.get(key)}, now {now[key]})" for key in now if before.get(key) != now[key]
    ]
    if changed:
        raise DesignError.of(
            f"{where} was drawn on {recorded['drawn_on']} with other settings: {'; '.join(changed)}",
            then="put them back, or give the new test a name of its own",
        )


def _recorded_people(assignments: Table, geo_test: str) -> Floats:
    own = assignments.filter(assignments.geo_test == geo_test)
    rows = own.group_by("place_id").agg(n=own.n_people.max()).order_by("place_id").to_pyarrow()
    return np.asarray(rows["n"].to_numpy(zero_copy_only=False), np.float64)


def _nulls(values: Floats) -> list[list[float | None]]:
    return [[None if np.isnan(v) else float(v) for v in row] for row in values]


def _assigned(geo_test: str, found: Schedule, size: Floats) -> dict[str, list[Any]]:
    p, w = found.dose.shape
    return {
        "geo_test": [geo_test] * (p * w),
        "place_id": [place for place in found.places for _ in range(w)],
        "week_on": list(found.weeks) * p,
        "dose": found.dose.ravel().tolist(),
        "block_id": [f"{block:03d}" for block in found.block for _ in range(w)],
        "n_people": [int(n) for n in size for _ in range(w)],
    }


def _results(
    row: dict[str, Any],
    geo_test: str,
    found: Schedule | None,
    size: Floats | None,
    drawn: dict[str, Any],
) -> dict[str, Any]:
    schedule: dict[str, list[Any]] = {name: [] for name in spec("geo_schedules").names}
    if found is not None and size is not None:
        told = _assigned(geo_test, found, size)
        told["cents"] = [dose * n for dose, n in zip(told["dose"], told["n_people"], strict=True)]
        schedule = {name: told[name] for name in schedule}
    return {"geo_designs": {name: [value] for name, value in row.items()}, "geo_schedules": schedule} | drawn
