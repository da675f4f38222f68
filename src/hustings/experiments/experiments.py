"""Assignments ─► whether the draw was sound: shares, balance of what was known before, size."""

from __future__ import annotations

import datetime
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt

from hustings import stats
from hustings.experiments.arms import Arms, read_arms, shares
from hustings.experiments.declared import (
    Control,
    DrawOn,
    Measured,
    ReadAt,
    ReadOn,
    Shares,
    UnitOf,
    why_sealed,
)
from hustings.stage import About, Result, Table, stage
from hustings.tables import spec
from hustings.warehouse import Matrix, arrays, count, matrix


@stage(writes=("experiments", "balances"), section="experiments", each="experiment")
def check_experiments(
    assignments: Table,
    features: Table,
    enrolments: Table,
    outcomes: Table,
    *,
    experiment: str,
    control: Control,
    as_of: Annotated[datetime.date, About("The day as of which everyone is described.")],
    measured_by: Measured,
    unit: UnitOf = "household",
    planned_shares: Shares = {},  # noqa: B006
    draw_on: DrawOn = None,
    read_on: ReadOn = None,
    read_at: ReadAt = None,
    everyday: Annotated[
        bool,
        About(
            "Every arm is what people get anyway, as other words for the same ask: scores learn from all of them."
        ),
    ] = False,
) -> Result:
    """One row for each arm, and one for each covariate in each arm."""
    arms = read_arms(assignments, experiment, control)
    before = _before(assignments, features, experiment, as_of)
    described = (name for name in spec("features").names if name != "person_id")
    arms_known = read_arms(before, experiment, control, *described, labels=arms.labels)
    known = matrix(arms_known.more)
    n_units, mixed = _units(arms)
    ratio, why = _sample_ratio(arms, planned_shares, n_units, mixed)
    p_balance, largest, balances = _balance(experiment, arms_known, known)
    detectable = _detectable(arms, n_units)
    planned: list[Any] = [None] * len(arms.labels)
    if why is None:
        planned = shares(planned_shares, arms.labels) or planned
    total = max(n_units.sum(), 1)
    enrolled = arrays(enrolments.filter(enrolments.experiment == experiment), "n_two_arms")["n_two_arms"]
    two_arms = int(enrolled[0]) if len(enrolled) else 0
    rows = {
        "experiment": [experiment] * len(arms.labels),
        "arm": arms.labels,
        "is_control": [arm == control for arm in arms.labels],
        "everyday": [everyday] * len(arms.labels),
        "unit": [unit] * len(arms.labels),
        "n_people": np.bincount(arms.arm, minlength=len(arms.labels)),
        "n_units": n_units,
        "planned_share": planned,
        "actual_share": n_units / total,
        "p_sample_ratio": [ratio] * len(arms.labels),
        "p_balance": [p_balance] * len(arms.labels),
        "max_difference": largest,
        "n_mixed_units": [mixed] * len(arms.labels),
        "detectable_effect": detectable,
        "n_two_arms": [two_arms] * len(arms.labels),
        "sealed": [_sealed(assignments, outcomes, experiment, measured_by, as_of, read_on, read_at)]
        * len(arms.labels),
        "reason": [_reason(arms, why, two_arms, draw_on, as_of)] * len(arms.labels),
    }
    return {"experiments": rows, "balances": balances}


def _before(assignments: Table, features: Table, experiment: str, as_of: datetime.date) -> Any:
    """The test's people with their features as of the draw, or of `as_of` where that is earlier or unknown."""
    import ibis

    drawn = assignments.filter(assignments.experiment == experiment)
    moment = drawn.assigned_on.coalesce(ibis.date(as_of))
    drawn = drawn.mutate(_moment=(moment > ibis.date(as_of)).ifelse(ibis.date(as_of), moment))
    same = [drawn.person_id == features.person_id, drawn["_moment"] == features.as_of]
    joined = drawn.join(features, same, rname="{name}_f").drop("_moment")
    return joined.select("experiment", "arm", "unit_id", *spec("features").names)


def _units(arms: Arms) -> tuple[npt.NDArray[np.int64], int]:
    """Units in each arm, and how many have people in several."""
    pairs = (
        np.unique(np.column_stack([arms.unit, arms.arm]), axis=0) if len(arms.arm) else np.empty((0, 2), int)
    )
    per_unit = np.bincount(pairs[:, 0]) if len(pairs) else np.zeros(0, int)
    return np.bincount(pairs[:, 1], minlength=len(arms.labels)), int(np.sum(per_unit > 1))


def _sample_ratio(
    arms: Arms, planned: dict[str, float], n_units: npt.NDArray[np.int64], mixed: int
) -> tuple[float | None, str | None]:
    if len(arms.labels) < 2:
        return None, "only one arm: nothing to compare"
    if not n_units[0]:
        return None, "nobody is in the control arm"
    if not planned:
        return None, "no planned_shares: the ratio of the arms cannot be checked"
    if mixed:
        return None, f"{mixed:,} units have people in several arms"
    # An arm that was planned and got nobody is the grossest fault of a draw.
    empty = [arm for arm in planned if arm not in arms.labels]
    seen = [*n_units, *(0 for _ in empty)]
    return float(stats.means.sample_ratio_test(seen, shares(planned, [*arms.labels, *empty]) or [])), None


def _reason(
    arms: Arms, why: str | None, two_arms: int, draw_on: datetime.date | None, as_of: datetime.date
) -> str | None:
    left_out = f"{two_arms:,} people are told of in several arms and were left out" if two_arms else None
    if not len(arms.arm):
        planned = f"it is drawn on {draw_on}" if draw_on is not None and as_of < draw_on else None
        return planned or left_out or "nobody was assigned"
    return "; ".join(part for part in (why, left_out) if part) or None


def _sealed(
    assignments: Table,
    outcomes: Table,
    experiment: str,
    measured_by: list[str],
    as_of: datetime.date,
    read_on: datetime.date | None,
    read_at: int | None,
) -> str | None:
    """Why one of the test's outcomes may not be read yet."""
    if read_at is None:
        return why_sealed(as_of, read_on, None, 0)
    drawn = assignments.filter(assignments.experiment == experiment)
    for outcome in measured_by:
        known = outcomes.filter(outcomes.outcome == outcome).semi_join(drawn, "person_id")
        why = why_sealed(as_of, read_on, read_at, count(known))
        if why is not None:
            return why
    return None


def _balance(
    experiment: str, arms: Arms, known: Matrix
) -> tuple[float | None, list[float | None], dict[str, Any]]:
    """The joint test, each arm's largest standardised difference, and the rows of `balances`."""
    k = len(arms.labels)
    rows: dict[str, Any] = {name: [] for name in spec("balances").names}
    if not known.names or k < 2 or not np.bincount(arms.arm, minlength=k).all():
        return None, [None] * k, rows
    found = stats.means.balance(known.values, arms.arm, arms.unit, n_arms=k)
    for j, covariate in enumerate(known.names):
        for code, arm in enumerate(arms.labels):
            difference = None if code == 0 else _finite(found.std_difference[code - 1, j])
            values = (experiment, covariate, arm, _finite(found.means[code, j]), difference)
            for name, value in zip(rows, values, strict=True):
                rows[name].append(value)
    differences = np.abs(found.std_difference)
    largest: list[float | None] = [None]
    largest += [_finite(np.fmax.reduce(differences[code - 1])) for code in range(1, k)]
    return _finite(found.p_value), largest, rows


def _finite(value: Any) -> float | None:
    return float(value) if np.isfinite(value) else None


def _detectable(arms: Arms, n_units: npt.NDArray[np.int64]) -> list[float | None]:
    """The detectable effect of each arm before anything is known of the outcome.

    A yes-or-no outcome at even chances, the hardest case, and an intraclass correlation of 0.2, as of turnout
    in households.
    """
    n = np.bincount(arms.arm, minlength=len(arms.labels))
    found: list[float | None] = [None]
    for code in range(1, len(arms.labels)):
        if n[0] == 0 or n[code] == 0 or n_units[0] < 2 or n_units[code] < 2:
            found.append(None)
            continue
        size = (n[0] + n[code]) / (n_units[0] + n_units[code])
        found.append(
            float(stats.power.detectable_effect(n[0], n[code], 0.5, mean_size=float(size), intraclass=0.2))
        )
    return found
