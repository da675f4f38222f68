"""The visits of each way to spend the candidate's days ─► what they offer the budget."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from hustings.tables import spec

Floats = npt.NDArray[np.float64]
OFFER = "visit_plan"
EVIDENCE = "visits: published studies"


def visit_offers(
    weights: Mapping[str, Floats],
    net_votes: tuple[Floats, Floats],
    value: tuple[Floats, Floats],
    *,
    cents_per_visit: int,
    aim: str,
    starts_on: datetime.date,
    as_of: datetime.date,
) -> dict[str, list[Any]]:
    """The rows of `offers`: visits by falling gain, each way to choose them a way of its own.

    Args:
        weights: By way, (n,) what is left on election day of a visit to each place; 0 where it does not go.
        net_votes: (n,) expected, and (draws, n), that a visit moves on its day.
        value: The same of what they are worth.
        cents_per_visit: What a visit costs beside the candidate's time.
        aim: What gains are counted in; a visit changes minds, and adds no ballot that anyone has counted.
        starts_on: The first day of travel.
        as_of: The day of the plan.

    Returns:
        Every column of `offers`.
    """
    if aim not in ("net_votes", "win"):
        return no_visits(as_of, aim, f"a visit moves net votes, and the campaign's aim is {aim}")
    mean, drawn = net_votes if aim == "net_votes" else value
    rows: list[dict[str, Any]] = []
    for way, weight in weights.items():
        expected = mean * weight
        order = np.flatnonzero(weight > 0)
        order = order[np.argsort(-expected[order], kind="stable")]
        error = np.cumsum(drawn[:, order] * weight[order], axis=1).std(axis=0)
        votes = np.cumsum((net_votes[0] * weight)[order])
        steps = [(0.0, 0.0, 0.0), *zip(np.cumsum(expected[order]), error, votes, strict=True)]
        rows += [
            _row(way, step, aim, as_of) | {
                "cost_cents": float(cents_per_visit * step), "gain": float(gain), "std_error": float(spread),
                "votes": float(of), "evidence": EVIDENCE, "starts_on": starts_on,
            }
            for step, (gain, spread, of) in enumerate(steps)
        ]  # fmt: skip
    return {name: [row.get(name) for row in rows] for name in spec("offers").names}


def no_visits(as_of: datetime.date, aim: str, why: str | None) -> dict[str, list[Any]]:
    """An offer of nothing that says why; no row at all where no visits were asked for."""
    rows = [_row("plan", 0, aim, as_of) | {"cost_cents": 0.0, "reason": why}] if why else []
    return {name: [row.get(name) for row in rows] for name in spec("offers").names}


def _row(way: str, step: int, aim: str, as_of: datetime.date) -> dict[str, Any]:
    return {
        "offer": OFFER, "way": way, "step": step, "channel": "visit", "unit": aim, "tested": False, "as_of": as_of,
    }  # fmt: skip
