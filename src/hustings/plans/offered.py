"""A plan and its rules of thumb ─► what each would gain for how much money, in the campaign's aim."""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np

from hustings.plans.choices import Action, Booleans, Floats
from hustings.plans.known import Gains
from hustings.plans.solving import Limits, choose
from hustings.plans.valuing import Told, Way, votes
from hustings.tables import spec

STEPS = np.array([0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1.0, 1.3, 1.7, 2.2, 3.0])
"""Budgets of the curve, in units of the plan's own."""
ONLY_IF = "plan if all approved"
_SAMPLE = 6_000


def plan_curve(
    gain: Floats, may: Booleans, actions: list[Action], limits: Limits, spent: float
) -> tuple[Floats, Floats]:
    """Cents and predicted gain of the best plan at each of many budgets, on a sample of households.

    Args:
        gain: (h, a) of the households that are not held out.
        may: (h, a) whether they may get it.
        actions: The plan's actions.
        limits: With the plan's own budget; all else stays as it is.
        spent: What the plan costs.
    """
    if not len(gain) or spent <= 0:
        return np.zeros(1), np.zeros(1)
    rows = np.zeros(len(gain), bool)
    rows[np.random.default_rng(0).permutation(len(gain))[:_SAMPLE]] = True
    share = float(rows.mean())
    own = limits.of(rows, share)
    scaled = [a._replace(smallest=0, most=None if a.most is None else round(a.most * share)) for a in actions]
    cents, gains = [0.0], [0.0]
    for step in STEPS:
        found = choose(
            gain[rows],
            may[rows],
            scaled,
            own._replace(budget=spent * step * share),
            np.zeros(int(rows.sum()), bool),
        )
        taken = found.contact >= 0
        home = np.nonzero(taken)[0]
        cents.append(found.spent / share)
        gains.append(float(gain[rows][home, found.contact[taken]].sum()) / share)
    return np.array(cents), np.array(gains)


def concave(cents: Floats, gains: Floats) -> tuple[Floats, Floats]:
    """The smallest concave curve above points: what can be had by mixing them.

    >>> [a.tolist() for a in concave(np.array([0.0, 1, 2, 3]), np.array([0.0, 1, 5, 6]))]
    [[0.0, 2.0, 3.0], [0.0, 5.0, 6.0]]
    """
    hull: list[tuple[float, float]] = []
    for point in sorted(zip(cents.tolist(), gains.tolist(), strict=True)):
        while hull and (point[0] <= hull[-1][0] or _below(hull, point)):
            hull.pop()
        if not hull or point[1] > hull[-1][1]:
            hull.append(point)
    return np.array([p[0] for p in hull]), np.array([p[1] for p in hull])


def _below(hull: list[tuple[float, float]], point: tuple[float, float]) -> bool:
    """Whether the last point of a hull lies under the line to a new one."""
    if len(hull) < 2:
        return False
    (x0, y0), (x1, y1), (x2, y2) = hull[-2], hull[-1], point
    return (y1 - y0) * (x2 - x0) <= (y2 - y0) * (x1 - x0)


def offer_rows(
    offer: str,
    unit: str,
    ways: list[Way],
    values: list[Told],
    gains: Gains,
    actions: list[Action],
    as_of: datetime.date,
) -> dict[str, list[Any]]:
    """The rows of `offers`: each way's curve, scaled so that it tells at its own cost what it was valued at.

    Args:
        offer: The plan's node.
        unit: The campaign's aim.
        ways: The plan and its rules.
        values: What each is worth.
        gains: What the effects rest on.
        actions: The plan's actions.
        as_of: The day.
    """
    rows: dict[str, list[Any]] = {name: [] for name in spec("offers").names}
    starts = [action.sent_on for action in actions if action.sent_on]
    for way, told in zip(ways, values, strict=True):
        if way.name == ONLY_IF:  # what nobody has approved is no offer
            continue
        n_votes = votes(gains, actions, way)
        cents, curve = concave(*way.curve)
        at_cost = float(np.interp(way.cost, cents, curve)) if len(cents) else 0.0
        reason = way.reason or told.reason
        usable = reason is None and at_cost > 0 and np.isfinite(told.estimate)
        steps = _steps(cents, curve, way.cost) if usable else [(0.0, 0.0)]
        used = [j for j in range(len(actions)) if (way.contact == j).any()]
        channels = [actions[j].channel for j in used]
        main = max(set(channels), key=channels.count) if channels else None
        for step, (cost, gain) in enumerate(steps):
            share = gain / at_cost if usable else 0.0
            row = {
                "offer": offer,
                "way": way.name,
                "step": step,
                "channel": main,
                "unit": unit,
                "cost_cents": cost,
                "gain": told.estimate * share if usable else (None if reason else 0.0),
                "std_error": told.std_error * abs(share) if usable else None,
                "votes": n_votes * share,
                "evidence": ", ".join(sorted({gains.basis[j].evidence for j in used})) or None,
                "tested": bool(usable and told.tested >= 0.5),
                "starts_on": min(starts, default=as_of),
                "as_of": as_of,
                "reason": reason,
            }
            for name, value in row.items():
                rows[name].append(value)
    return rows


def _steps(cents: Floats, gains: Floats, cost: float) -> list[tuple[float, float]]:
    """At most 30 points of a curve, its own cost among them."""
    at = np.unique(np.append(np.linspace(0, min(3 * cost, cents[-1]), 24), cost))
    at = at[at <= cents[-1] + 1e-9]
    return [(float(c), float(g)) for c, g in zip(at, np.interp(at, cents, gains), strict=True)]
