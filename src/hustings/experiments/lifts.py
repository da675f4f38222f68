"""Assignments and outcomes ─► what each arm did, by randomisation alone."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np

from hustings import stats
from hustings.experiments.arms import Arms, read_arms
from hustings.stage import About, Result, Table, stage
from hustings.tables import spec

ESTIMATOR = "intention_to_treat"


@stage(writes="lifts", section="experiments", each="experiment")
def measure_lifts(
    assignments: Table,
    outcomes: Table,
    *,
    experiment: str,
    control: Annotated[str, About("The arm that all others are read against.")],
    measured_by: Annotated[list[str], About("The outcomes on which the arms are compared.")],
) -> Result:
    """The difference of each arm to control, whoever was reached, with errors clustered by unit.

    Where an arm or the control is empty, or nobody has the outcome, the numbers are null and the reason is
    there: never 0, and never a number from few.
    """
    rows: dict[str, list[Any]] = {name: [] for name in spec("lifts").names}
    for outcome in measured_by:
        for row in _lifts(assignments, outcomes, experiment, control, outcome):
            for name, value in zip(rows, row, strict=True):
                rows[name].append(value)
    return rows


def _lifts(
    assignments: Table, outcomes: Table, experiment: str, control: str, outcome: str
) -> list[tuple[Any, ...]]:
    measured = outcomes.filter(outcomes.outcome == outcome).select("person_id", "value")
    joined = assignments.left_join(measured, "person_id", rname="{name}_o")
    arms = read_arms(joined, experiment, control, "value")
    value = np.asarray(arms.more["value"], np.float64)
    why = _why_not(arms, value, control, outcome)
    if why is not None:
        none = (None, None, None, None)
        return [
            (experiment, arm, outcome, ESTIMATOR, *none, *_counts(arms, value, code), why)
            for code, arm in enumerate(arms.labels)
            if code or len(arms.labels) == 1
        ]
    found = stats.means.difference_in_means(value, arms.arm, arms.unit, n_arms=len(arms.labels))
    rows = []
    for i, code in enumerate(found.arm):
        given = (found.estimate[i], found.std_error[i], found.low[i], found.high[i])
        numbers = tuple(float(number) if np.isfinite(number) else None for number in given)
        counts = (int(found.n_control[i]), int(found.n_arm[i]))
        rows.append((experiment, arms.labels[code], outcome, ESTIMATOR, *numbers, *counts, found.reason[i]))
    return rows


def _why_not(arms: Arms, value: Any, control: str, outcome: str) -> str | None:
    if not len(arms.arm):
        return "nobody was assigned"
    if len(arms.labels) < 2:
        return f"everyone is in the arm {control}: nothing to compare"
    if not np.isfinite(value).any():
        return f"nobody has the outcome {outcome}"
    return None


def _counts(arms: Arms, value: Any, code: int) -> tuple[int, int]:
    known = np.isfinite(value)
    return int(np.sum(known & (arms.arm == 0))), int(np.sum(known & (arms.arm == code)))
