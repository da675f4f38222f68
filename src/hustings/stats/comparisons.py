"""From what each person adds to an arm's mean to the arm's difference from control, with clustered errors.

Every estimator of an arm's mean (plain, weighted, adjusted) is told here as a mean and, for each person, what
that person adds to its error. People who were drawn together are summed first, so that they never count as
independent.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hustings.stats.clusters import Floats, Integers, cluster_sums, t_quantile


class Lifts(NamedTuple):
    """What each arm did compared with control; arrays with one entry per arm other than control.

    The unit is the outcome's (a share for 0/1, money for amounts). Where `reason` is text, the estimate, its
    error, its interval and its p-value are NaN. `n_units` are the clusters with the outcome known, in the arm
    and in control together.
    """

    arm: Integers
    estimate: Floats
    std_error: Floats
    low: Floats
    high: Floats
    n_control: Integers
    n_arm: Integers
    mean_control: Floats
    mean_arm: Floats
    n_missing: Integers
    reason: list[str | None]
    n_missing_control: int
    p_value: Floats
    n_units: Integers


class Arms(NamedTuple):
    """Arms as an estimator tells them; arrays with one entry per arm.

    Attributes:
        mean: The arm's mean; NaN without people.
        n: People with the outcome known.
        n_missing: People without.
        spent: Coefficients that each arm's mean has used besides itself.
        influence: (n,) what each person adds to the error of their own arm's mean; 0 where missing.
        known: (n,) whether the outcome is known.
    """

    mean: Floats
    n: Integers
    n_missing: Integers
    spent: Integers
    influence: Floats
    known: NDArray[np.bool_]


class _Spread(NamedTuple):
    """Clusters and sums of squared influences of an arm and of control, or of their difference."""

    n_arm: int
    n_control: int
    of_arm: float
    of_control: float
    mixed: tuple[float, int] | None


def compare_arms(
    arms: Arms,
    arm: Integers,
    cluster: Integers,
    n_clusters: int,
    *,
    control: int = 0,
    confidence: float = 0.95,
) -> Lifts:
    """Each arm's mean less control's, with its clustered error, interval and p-value.

    An arm's variance is G / (G - 1 - q) sum_g u_g², with u_g its cluster's summed influence, G its clusters and
    q the further coefficients spent; arms add, with Satterthwaite's degrees of freedom. Where a cluster holds
    both arms their difference is taken before squaring, with G / (G - 1) and G - 2 degrees of freedom.

    Args:
        arms: Means and influences.
        arm: (n,) codes of the arms.
        cluster: (n,) codes 0 … n_clusters - 1.
        n_clusters: G.
        control: Control's code.
        confidence: Coverage of the intervals.

    Returns:
        One entry per arm other than control. With a single arm: one entry, all NaN, whose reason says so.

    Source: Liang & Zeger, Biometrika 73 (1986), eq. 6; Satterthwaite, Biometrics Bulletin 2 (1946).

    >>> one = Arms(np.array([0.0, 1]), np.array([2, 2]), np.zeros(2, int), np.zeros(2, int),
    ...            np.array([-0.5, 0.5, -0.5, 0.5]), np.ones(4, bool))
    >>> float(compare_arms(one, np.array([0, 0, 1, 1]), np.arange(4), 4).std_error[0])
    1.4142135623730951
    """
    n_arms = arms.mean.size
    others = [code for code in range(n_arms) if code != control] or [control]
    spreads = _spreads(arms, arm, cluster, n_clusters, control, others)
    rows = [
        _compare(arms, code, control, spread, confidence)
        for code, spread in zip(others, spreads, strict=True)
    ]
    numbers = np.array([row[:5] for row in rows])
    reasons = [row[5] for row in rows]
    if n_arms == 1:
        numbers[:], reasons = np.nan, ["there is no second arm to compare with"]
    units = np.array([s.mixed[1] if s.mixed else s.n_arm + s.n_control for s in spreads])
    return Lifts(
        np.array(others), numbers[:, 0], numbers[:, 1], numbers[:, 2], numbers[:, 3],
        np.full(len(others), arms.n[control]), arms.n[others],
        np.full(len(others), arms.mean[control]), arms.mean[others],
        arms.n_missing[others], reasons, int(arms.n_missing[control]), numbers[:, 4], units,
    )  # fmt: skip


def _spreads(
    arms: Arms, arm: Integers, cluster: Integers, n_clusters: int, control: int, others: list[int]
) -> list[_Spread]:
    owner = np.full(n_clusters, -1)
    everyone = bool(arms.known.all())
    of, own = (cluster, arm) if everyone else (cluster[arms.known], arm[arms.known])
    owner[of] = own
    if np.array_equal(owner[of], own):
        sums = cluster_sums(arms.influence, cluster, n_clusters)
        held = owner >= 0
        counts = np.bincount(owner[held], minlength=arms.mean.size)
        squares = np.bincount(owner[held], sums[held] ** 2, minlength=arms.mean.size)
        return [
            _Spread(
                int(counts[code]), int(counts[control]), float(squares[code]), float(squares[control]), None
            )
            for code in others
        ]
    base, base_held = _of_arm(arms, arm, cluster, n_clusters, control)
    found = []
    for code in others:
        mine, held = _of_arm(arms, arm, cluster, n_clusters, code)
        both = None
        if (held & base_held).any():
            u = mine - base
            both = float(u @ u), int((held | base_held).sum())
        found.append(
            _Spread(int(held.sum()), int(base_held.sum()), float(mine @ mine), float(base @ base), both)
        )
    return found


def _of_arm(
    arms: Arms, arm: Integers, cluster: Integers, n_clusters: int, code: int
) -> tuple[Floats, NDArray[np.bool_]]:
    rows = arms.known & (arm == code)
    held = np.bincount(cluster[rows], minlength=n_clusters) > 0
    return cluster_sums(arms.influence[rows], cluster[rows], n_clusters), held


def _compare(
    arms: Arms, code: int, control: int, spread: _Spread, confidence: float
) -> tuple[float, float, float, float, float, str | None]:
    """Estimate, error, low, high, p-value and reason."""
    reason = _why_not(arms, code, control, spread)
    if reason is None:
        estimate = float(arms.mean[code] - arms.mean[control])
        spent = int(arms.spent[code]), int(arms.spent[control])
        error, degrees = _error(spread, *spent)
        if error > 1e-13 * max(abs(arms.mean[code]), abs(arms.mean[control])):
            half = t_quantile(confidence, degrees) * error
            return estimate, error, estimate - half, estimate + half, p_value(estimate / error, degrees), None
        reason = "the outcome does not vary between clusters, so its error cannot be computed"
    return np.nan, np.nan, np.nan, np.nan, np.nan, reason


def _why_not(arms: Arms, code: int, control: int, spread: _Spread) -> str | None:
    """In plain words, why these two arms cannot be compared; None when they can."""
    if arms.n[control] + arms.n[code] == 0:
        return "nobody has the outcome"
    for name, of, clusters in (("control", control, spread.n_control), ("the arm", code, spread.n_arm)):
        if arms.n[of] == 0:
            return f"{name} has nobody with the outcome" if arms.n_missing[of] else f"{name} is empty"
        if not np.isfinite(arms.mean[of]):
            return f"in {name} every weight is 0"
        if clusters < 2:
            return f"{name} has one cluster only, so its error cannot be computed"
        if clusters < 2 + arms.spent[of]:
            return f"{name} has {clusters} clusters, too few to adjust for {arms.spent[of]} covariates"
    return None


def _error(spread: _Spread, spent_arm: int, spent_control: int) -> tuple[float, float]:
    """The standard error of the difference and its degrees of freedom."""
    if spread.mixed:
        squares, n = spread.mixed
        left = n - 1 - max(spent_arm, spent_control)
        return float(np.sqrt(squares * n / max(left, 1))), max(left - 1, 1)
    left_arm, left_control = spread.n_arm - 1 - spent_arm, spread.n_control - 1 - spent_control
    of_arm = spread.of_arm * spread.n_arm / left_arm
    of_control = spread.of_control * spread.n_control / left_control
    total = of_arm + of_control
    if total == 0:
        return 0.0, 1.0
    return float(np.sqrt(total)), total**2 / (of_arm**2 / left_arm + of_control**2 / left_control)


def p_value(t: float, degrees: float) -> float:
    """The two-sided p-value of Student's t.

    >>> round(p_value(2.228, 10), 3)
    0.05
    """
    from scipy.special import stdtr

    return float(2 * stdtr(max(degrees, 1.0), -abs(t)))
