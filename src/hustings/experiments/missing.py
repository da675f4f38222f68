"""Whose outcome is missing, arm by arm, and between what bounds that leaves the lift."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from hustings import stats
from hustings.experiments.arms import Arms
from hustings.experiments.readings import why_not

_DIFFERS = 0.05
_COLUMNS = ("difference", "std_error", "p_attrition", "lift_low", "lift_high", "low", "high")


def missing_rows(
    arms: Arms, value: npt.NDArray[np.float64], outcome: str, sealed: str | None
) -> list[dict[str, Any]]:
    """Rows of `attritions` without the test's name, control among the arms.

    Bounds are given where the arms differ (p below 0.05); they are of no use where they do not, and a sealed
    test has none.
    """
    n_arms = len(arms.labels)
    n = np.bincount(arms.arm, minlength=n_arms)
    gone = np.bincount(arms.arm[np.isnan(value)], minlength=n_arms)
    rows: list[dict[str, Any]] = [
        dict.fromkeys(_COLUMNS)
        | {"arm": arm, "outcome": outcome, "n_people": int(n[code]), "n_missing": int(gone[code])}
        | {"share_missing": float(gone[code] / n[code]) if n[code] else None, "reason": None}
        for code, arm in enumerate(arms.labels)
    ]
    why = why_not(arms, value, outcome) or sealed
    if why_not(arms, np.zeros(len(value)), outcome) is not None or np.isinf(value).any():
        return [row | {"reason": why} for row in rows]
    found = stats.attrition.attrition(value, arms.arm, arms.unit, n_arms=n_arms)
    p = float(found.p_any) if np.isfinite(found.p_any) else None
    for code, row in enumerate(rows):
        row["p_attrition"] = p
        row["difference"], row["std_error"] = (
            float(column[code]) if np.isfinite(column[code]) else None
            for column in (found.difference, found.std_error)
        )
        if code:
            row.update(_bounds(arms, value, code, why, p))
    return rows


def _bounds(
    arms: Arms, value: npt.NDArray[np.float64], code: int, why: str | None, p: float | None
) -> dict[str, Any]:
    if why is not None:
        return {"reason": why}
    if p is None or p >= _DIFFERS:
        return {"reason": "outcomes are not missing more often in one arm than in another"}
    both = (arms.arm == 0) | (arms.arm == code)
    found = stats.attrition.lee_bounds(value[both], arms.arm[both] == code, arms.unit[both])
    told = {"lift_low": found.low, "lift_high": found.high, "low": found.low_end, "high": found.high_end}
    return {"reason": found.reason} | {k: float(v) if np.isfinite(v) else None for k, v in told.items()}
