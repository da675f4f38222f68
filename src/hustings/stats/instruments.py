"""What a treatment does to those it reaches, when it does not reach everyone it was meant for."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hustings.errors import DesignError
from hustings.stats.clusters import Floats, Integers, arm_codes
from hustings.stats.comparisons import Lifts
from hustings.stats.means import difference_in_means, finite_outcome

STRONG = 10.0
"""First-stage F below which the effect on the contacted is not told."""


class Contacted(NamedTuple):
    """The effect on those whom an arm reached; arrays with one entry per arm other than control.

    `contact` is the share reached in the arm less that in control, `strength` its squared t (the first
    stage's F). Where `reason` is text the numbers are NaN.
    """

    arm: Integers
    estimate: Floats
    std_error: Floats
    low: Floats
    high: Floats
    p_value: Floats
    contact: Floats
    strength: Floats
    n_control: Integers
    n_arm: Integers
    reason: list[str | None]


def effect_on_contacted(
    outcome: ArrayLike,
    contacted: ArrayLike,
    arm: ArrayLike,
    cluster: ArrayLike,
    *,
    n_arms: int,
    control: int = 0,
    confidence: float = 0.95,
) -> Contacted:
    """The difference in outcomes over the difference in contact, with cluster-robust errors.

    Two-stage least squares with the draw as instrument, τ = (ȳ_a - ȳ_0) / (d̄_a - d̄_0), the mean effect on those
    who are reached because they were assigned, if being assigned does nothing to those who are not reached. The
    error is that of the difference in y - τ d, over the difference in contact. The interval is Fieller's (all τ
    that a test of no difference in y - τ d does not reject), which holds however weak the contact.

    Args:
        outcome: (n,) 0/1 or amounts; NaN where missing.
        contacted: (n,) 0/1; NaN where nobody knows.
        arm: (n,) integer codes 0 … n_arms - 1.
        cluster: (n,) integer codes of the randomised unit.
        n_arms: How many arms were planned, control included.
        control: Control's code.
        confidence: Coverage of the intervals.

    Returns:
        One entry per arm. An arm whose contact differs too little from control's (F below 10) has a reason,
        and so has one in which someone's contact is not known.

    Raises:
        DesignError: Lengths, codes or values that do not fit.

    Source: Angrist, Imbens & Rubin, JASA 91 (1996); Gerber & Green, Field Experiments (2012), chapter 5;
    Fieller, JRSS B 16 (1954).

    >>> reached = [0.0] * 20 + [1.0] * 15 + [0.0] * 5
    >>> voted = [0.0, 1] * 10 + [1.0] * 12 + [0.0] * 8
    >>> found = effect_on_contacted(voted, reached, [0] * 20 + [1] * 20, range(40), n_arms=2)
    >>> round(float(found.estimate[0]), 4), float(found.contact[0])
    (0.1333, 0.75)
    """
    y = finite_outcome(outcome)
    d = finite_outcome(contacted)
    arms = arm_codes(arm, y.size, n_arms, control)
    if d.shape != y.shape or not np.isin(d[~np.isnan(d)], (0.0, 1.0)).all():
        raise DesignError.of("Contacts do not fit", received=d.shape, allowed=f"{y.size} of 0, 1 or NaN")
    clusters = np.asarray(cluster)
    others = [code for code in range(n_arms) if code != control]
    rows = []
    for code in others:
        both = ((arms == code) | (arms == control)) & ~np.isnan(y)
        rows.append(_one(y[both], d[both], arms[both] == code, clusters[both], confidence))
    numbers = np.array([row[0] for row in rows]).reshape(len(others), 7)
    counts = np.bincount(arms[~np.isnan(y)], minlength=n_arms)
    return Contacted(
        np.array(others, np.int64), numbers[:, 0], numbers[:, 1], numbers[:, 2], numbers[:, 3], numbers[:, 4],
        numbers[:, 5], numbers[:, 6],
        np.full(len(others), counts[control]), counts[others], [row[1] for row in rows],
    )  # fmt: skip


def _one(
    y: Floats, d: Floats, treated: NDArray[np.bool_], cluster: Integers, confidence: float
) -> tuple[list[float], str | None]:
    """Estimate, error, low, high, p, contact and strength of one arm against control, and the reason."""
    arm = treated.astype(np.int64)

    def lift(values: Floats) -> Lifts:
        return difference_in_means(values, arm, cluster, n_arms=2, confidence=confidence)

    nothing = [np.nan] * 5
    unknown = int(np.isnan(d).sum())
    if unknown:
        return [*nothing, np.nan, np.nan], f"whether {unknown:,} people were reached is not known"
    total = lift(y)
    if total.reason[0] is not None:
        return [*nothing, np.nan, np.nan], total.reason[0]
    first = lift(d)
    contact = float(first.mean_arm[0] - first.mean_control[0])
    # Where all of the arm and none of control are reached, contact has no error.
    spread = float(np.nan_to_num(first.std_error[0]))
    strength = (contact / spread) ** 2 if spread else np.inf if contact else 0.0
    if strength < STRONG:
        told = f"contact differs too little from control (F = {strength:.1f}, at least {STRONG:g} is needed)"
        return [*nothing, contact, strength], told
    change, error = float(total.estimate[0]), float(total.std_error[0])
    effect = change / contact
    left = lift(y - effect * d)
    if left.reason[0] is not None:
        return [*nothing, contact, strength], left.reason[0]
    apart = float(np.nan_to_num(lift(y - d).std_error[0]))
    quantile = float(total.high[0] - change) / error
    ends = _fieller(change, contact, (error**2, spread**2, (error**2 + spread**2 - apart**2) / 2), quantile)
    if ends is None:
        return [*nothing, contact, strength], "contact differs too little from control for an interval"
    told_error = float(left.std_error[0]) / abs(contact)
    return [effect, told_error, *ends, float(total.p_value[0]), contact, strength], None


def _fieller(
    change: float, contact: float, variance: tuple[float, float, float], quantile: float
) -> tuple[float, float] | None:
    """All τ with (change - τ contact)² within quantile² of its variance; None where they have no end."""
    of_change, of_contact, both = variance
    square = quantile**2
    a = contact**2 - square * of_contact
    b = change * contact - square * both
    c = change**2 - square * of_change
    inside = b * b - a * c
    if a <= 0 or inside < 0:
        return None
    root = float(np.sqrt(inside))
    return (b - root) / a, (b + root) / a
