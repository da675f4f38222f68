"""Tests of places, and what was believed before them ─► each channel's response curve, or why there is none."""

from __future__ import annotations

import datetime
from typing import Annotated, Any, Literal

import numpy as np

from hustings import stats
from hustings.errors import DesignError
from hustings.experiments.geo_panels import known_weeks, read_panel, schedule_of
from hustings.experiments.geo_tests import WeeksBefore
from hustings.stage import About, Result, Table, stage
from hustings.tables import spec

Row = dict[str, Any]
_DRAWS = 400
_LIKELY = 0.5


@stage(writes=("responses", "response_draws"), each="channel")
def fit_responses(
    geo_designs: Table,
    geo_schedules: Table,
    place_outcomes: Table,
    *,
    channel: str,
    tests: Annotated[
        list[str], About("The tests of places that count; all of this channel unless given.")
    ] = [],  # noqa: B006
    kind: Annotated[
        Literal["exponential", "hill"] | None, About("The curve; the likelier one unless given.")
    ] = None,
    full_effect: Annotated[
        float, About("Effect without end of dose that was expected before the tests, in the outcome's unit.")
    ] = 0.0,
    full_effect_error: Annotated[
        float, About("Standard error of that; 0.05 is five points of a share.", gt=0)
    ] = 0.05,
    half_life_weeks: Annotated[
        float, About("Weeks in which half of a dose was expected to be lost (median).", gt=0)
    ] = 0.75,
    half_life_spread: Annotated[
        float, About("Standard deviation of its logarithm: 0.8 lets it be 0.15 to 3.6 weeks.", gt=0)
    ] = 0.8,
    p_no_effect: Annotated[
        float, About("Probability before the tests that there is no effect at all.", ge=0, le=0.99)
    ] = 0.2,
    cents_per_exposure: Annotated[
        float | None,
        About(
            "What it costs to be seen once by one person; given, doses are exposures, as a media plan counts.",
            gt=0,
        ),
    ] = None,
    weeks_before: WeeksBefore = 26,
    as_of: Annotated[datetime.date, About("Nothing of this day or later is used.")],
    rng: np.random.Generator,
) -> Result:
    """The curve with its errors, the probability that there is none or only a line, and draws from all of it."""
    own = geo_designs.filter(geo_designs.channel == channel).order_by("geo_test").to_pyarrow().to_pylist()
    known = {row["geo_test"]: row for row in own}
    for name in tests:
        if name not in known:
            raise DesignError.unknown(f"[responses.{channel}] tests: no test of {channel}", name, known)
    wanted = [known[name] for name in (tests or sorted(known))]
    outcomes = sorted({row["outcome"] for row in wanted})
    unit = 1.0 if cents_per_exposure is None else cents_per_exposure
    row: Row = dict.fromkeys(spec("responses").names) | {
        "channel": channel, "randomised": False, "as_of": as_of, "outcome": outcomes[0] if outcomes else "none", "cents_per_dose": unit,
        "dose_unit": "cents per person" if cents_per_exposure is None else "exposures per person",
    }  # fmt: skip
    if len(outcomes) > 1:
        raise DesignError.of(
            f"[responses.{channel}] the tests have several outcomes",
            received=outcomes,
            then="name tests of one",
        )
    trials, used, smallest = [], [], np.inf
    for test in wanted:
        trial = _trial(test, geo_schedules, place_outcomes, unit, weeks_before, as_of)
        if trial is not None:
            trials.append(trial)
            used.append(test["geo_test"])
            dose = np.asarray(trial.dose)
            smallest = min(smallest, float(dose[dose > 0].min()))
    if not trials:
        sealed = "; ".join(f"{t['geo_test']} is {t['sealed']}" for t in wanted if t["sealed"])
        row["reason"] = sealed or "no test of this channel can be read"
        return _results(row, None)
    belief = stats.response_fit.Belief(
        full_effect, full_effect_error, half_life_weeks, half_life_spread, p_no_effect
    )
    try:
        found = stats.response_fit.fit_response(trials, rng, belief=belief, kind=kind, draws=_DRAWS)
    except DesignError as error:
        row["reason"] = f"the tests cannot be fitted: {error}"
        return _results(row, None)
    draws = found.draws.copy()
    # What may be no effect at all is none in as many of the draws.
    draws[rng.random(_DRAWS) < found.probability["none"], 0] = 0.0
    row |= {"randomised": True, "source": ", ".join(used), "tested_from": smallest} | _told(found, draws)
    return _results(row, draws)


def _trial(
    test: Row, schedules: Table, place_outcomes: Table, unit: float, most: int, as_of: datetime.date
) -> stats.response_fit.Trial | None:
    found = schedule_of(schedules, test["geo_test"])
    if found is None or test["sealed"]:
        return None
    weeks = known_weeks(place_outcomes, test["outcome"], found.weeks[0], most)
    panel = read_panel(place_outcomes, test["outcome"], found.places, [*weeks, *found.weeks], as_of)
    if np.isnan(panel.outcome[:, len(weeks) :]).all():
        return None
    dose = np.concatenate([np.zeros((len(found.places), len(weeks))), found.dose], axis=1) / unit
    return stats.response_fit.Trial(panel.outcome, dose, panel.weight)


def _told(found: stats.response_fit.Fit, draws: Any) -> Row:
    top = stats.response_fit.effect_of_dose(draws, [found.tested_to], found.tested_to)[:, 0]
    low, high = np.quantile(top, [0.025, 0.975])
    hill = found.kind == "hill"
    none, linear = found.probability["none"], found.probability["linear"]
    why = []
    if none > _LIKELY:
        why.append("likelier no effect at all than any; the curve is what there would be if there were one")
    if linear > max(found.probability["exponential"], found.probability["hill"]):
        why.append(
            "within the tested doses a straight line fits as well: where more stops doing more is not known"
        )
    return {
        "kind": found.kind, "rate": found.response.rate, "rate_error": found.rate_error,
        "half_saturation": 1 / found.response.rate if hill else None,
        "shape": found.response.shape, "shape_error": found.shape_error if hill else None,
        "adstock_half_life_weeks": found.half_life, "adstock_half_life_error": found.half_life_error,
        "full_effect": found.full_effect, "full_effect_error": found.full_effect_error,
        "effect_at_top": float(top.mean()), "effect_at_top_low": float(low), "effect_at_top_high": float(high),
        "p_no_effect": none, "p_linear": linear, "tested_to": found.tested_to, "reason": "; ".join(why) or None,
    }  # fmt: skip


def _results(row: Row, draws: Any) -> Result:
    told: dict[str, list[Any]] = {name: [] for name in spec("response_draws").names}
    if draws is not None:
        numbers = range(1, len(draws) + 1)
        shape = [None if np.isnan(s) else float(s) for s in draws[:, 2]]
        columns = ([row["channel"]] * len(draws), list(numbers), draws[:, 0], draws[:, 1], shape, draws[:, 3])
        told = {name: list(column) for name, column in zip(told, columns, strict=True)}
    return {"responses": {name: [value] for name, value in row.items()}, "response_draws": told}
