"""Which households a plan leaves alone to find out what it does: drawn once, kept for good."""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np
import numpy.typing as npt

from hustings.stage import Table
from hustings.warehouse import arrays, codes


def draw_households(
    holdouts: Table,
    labels: list[str],
    plan_id: str,
    as_of: datetime.date,
    share: float,
    rng: np.random.Generator,
) -> tuple[npt.NDArray[np.bool_], dict[str, Any]]:
    """Each household's draw: the one it was given before, or a new one.

    Args:
        holdouts: The table of that name.
        labels: (h,) the households.
        plan_id: The plan, as it stands in `holdouts`.
        as_of: The day of a new draw.
        share: Probability of being held out.
        rng: Source of randomness.

    Returns:
        (h,) whether each household is held out, and the rows of `holdouts`.
    """
    held = rng.random(len(labels)) < share
    before = arrays(holdouts.filter(holdouts.plan_id == plan_id), "household_id", "held_out")
    place = codes(before["household_id"], labels).codes
    held[place[place >= 0]] = before["held_out"][place >= 0].astype(bool)
    return held, {
        "plan_id": [plan_id] * len(labels),
        "household_id": labels,
        "held_out": held,
        "drawn_on": [as_of] * len(labels),
    }
