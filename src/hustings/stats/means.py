"""Outcomes by arm, when whole clusters (households, precincts) were randomised.

Everything here works on cluster sums: a person's row matters only through what it adds to its cluster, so
that people who were randomised together never count as independent.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hustings.errors import DesignError
from hustings.stats.clusters import Floats, Integers, arm_codes, cluster_codes, cluster_sums, t_quantile


class Lifts(NamedTuple):
    """What each arm did compared with control; arrays with one entry per arm other than control.

    The unit is the outcome's (a share for 0/1, money for amounts). Where `reason` is text, the estimate, its
    error and its interval are NaN.
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


class Balance(NamedTuple):
    """How alike the arms were before the experiment.

    `means` is (n_arms, k); `std_difference` (n_arms - 1, k) in pooled standard deviations, arms in code
    order without control; `p_value` belongs to one joint test of `n_tested` differences, and is NaN where
    `reason` is text.
    """

    means: Floats
    std_difference: Floats
    p_value: float
    statistic: float
    n_tested: int
    reason: str | None


class _Arm(NamedTuple):
    """One arm's people, their mean, and what each cluster adds to the mean's error."""

    n: int
    n_missing: int
    clusters: NDArray[np.bool_]
    mean: float
    influence: Floats


def _one_arm(outcome: Floats, present: NDArray[np.bool_], codes: Integers, n_clusters: int) -> _Arm:
    """The arm's mean, and (S_g - mean N_g) / N for every cluster of the experiment."""
    known = present & ~np.isnan(outcome)
    n = int(known.sum())
    sizes = np.bincount(codes[known], minlength=n_clusters)
    missing = int(present.sum()) - n
    if n == 0:
        return _Arm(0, missing, sizes > 0, np.nan, np.zeros(n_clusters))
    sums = cluster_sums(outcome[known], codes[known], n_clusters)
    mean = float(sums.sum() / n)
    return _Arm(n, missing, sizes > 0, mean, (sums - mean * sizes) / n)


def _why_not(control: _Arm, arm: _Arm) -> str | None:
    """In plain words, why these two arms cannot be compared; None when they can."""
    if control.n + arm.n == 0:
        return "nobody has the outcome"
    for name, one in (("control", control), ("the arm", arm)):
        if one.n == 0:
            return f"{name} has nobody with the outcome" if one.n_missing else f"{name} is empty"
        if one.clusters.sum() < 2:
            return f"{name} has one cluster only, so its error cannot be computed"
    return None


def _compare(control: _Arm, arm: _Arm, confidence: float) -> tuple[float, float, float, float, str | None]:
    """Estimate, error, low, high and reason."""
    reason = _why_not(control, arm)
    if reason is None:
        estimate = arm.mean - control.mean
        error, degrees = _error(control, arm)
        if error > 1e-13 * max(abs(arm.mean), abs(control.mean)):
            half = t_quantile(confidence, degrees) * error
            return estimate, error, estimate - half, estimate + half, None
        reason = "the outcome does not vary between clusters, so its error cannot be computed"
    return np.nan, np.nan, np.nan, np.nan, reason


def _error(control: _Arm, arm: _Arm) -> tuple[float, float]:
    """The standard error of the difference and its degrees of freedom."""
    n_arm, n_control = arm.clusters.sum(), control.clusters.sum()
    mixed = bool((arm.clusters & control.clusters).any())
    if mixed:
        # A cluster that holds both arms brings their covariance: the difference is taken before squaring.
        u = arm.influence - control.influence
        n = int((control.clusters | arm.clusters).sum())
        return float(np.sqrt(u @ u * n / (n - 1))), n - 2
    of_arm = float(arm.influence @ arm.influence * n_arm / (n_arm - 1))
    of_control = float(control.influence @ control.influence * n_control / (n_control - 1))
    total = of_arm + of_control
    if total == 0:
        return 0.0, 1.0
    degrees = total**2 / (of_arm**2 / (n_arm - 1) + of_control**2 / (n_control - 1))
    return float(np.sqrt(total)), float(degrees)


def difference_in_means(
    outcome: ArrayLike,
    arm: ArrayLike,
    cluster: ArrayLike,
    *,
    n_arms: int,
    control: int = 0,
    confidence: float = 0.95,
) -> Lifts:
    """Each arm's mean outcome minus control's, with cluster-robust errors.

    The ordinary least squares of the outcome on arm dummies. Each arm's variance is
    G_a / (G_a - 1) sum_g ((S_ga - m_a N_ga) / N_a)² over its G_a clusters; the two add, with Satterthwaite's
    degrees of freedom for Student's t. Where a cluster mixes arms its covariance counts: sum_g u_g² G / (G - 1)
    with u_g the difference of the two terms, and G - 2 degrees of freedom. A common factor for both arms was
    tried and covers too little when one arm has few clusters (63 % with two, 84 % with five).

    Args:
        outcome: (n,) 0/1 or amounts; NaN where it is missing: dropped, and counted in `n_missing`.
        arm: (n,) integer codes 0 … n_arms - 1.
        cluster: (n,) integer codes of the randomised unit; a cluster may hold several arms.
        n_arms: How many arms were planned, control included.
        control: Control's code.
        confidence: Coverage of the intervals, between 0 and 1.

    Returns:
        One entry per arm other than control, in code order. With a single arm planned: one entry for control
        itself, all NaN, whose reason says so.

    Raises:
        DesignError: Lengths, codes or values (an infinite outcome) that do not fit.

    Source: Liang & Zeger, Biometrika 73 (1986), eq. 6; Cameron & Miller, JHR 50 (2015), section II;
    Satterthwaite, Biometrics Bulletin 2 (1946).

    >>> lifts = difference_in_means([0, 1, 0, 1, 1, 1, 0, 1], [0, 0, 0, 0, 1, 1, 1, 1], range(8), n_arms=2)
    >>> round(float(lifts.estimate[0]), 3), round(float(lifts.std_error[0]), 3)
    (0.25, 0.382)
    """
    y = np.asarray(outcome, dtype=np.float64)
    codes, n_clusters = cluster_codes(np.asarray(cluster), y.size)
    arms = arm_codes(arm, y.size, n_arms, control)
    if y.ndim != 1 or np.isinf(y).any():
        raise DesignError.of("Outcomes do not fit", received=y.shape, allowed="(n,) finite numbers or NaN")
    parts = [_one_arm(y, arms == code, codes, n_clusters) for code in range(n_arms)]
    others = [code for code in range(n_arms) if code != control] or [control]
    rows = [_compare(parts[control], parts[code], confidence) for code in others]
    numbers = np.array([row[:4] for row in rows])
    reasons = [row[4] for row in rows]
    if n_arms == 1:
        numbers[:], reasons = np.nan, ["there is no second arm to compare with"]
    shown = [parts[code] for code in others]
    base = parts[control]
    return Lifts(
        np.array(others), numbers[:, 0], numbers[:, 1], numbers[:, 2], numbers[:, 3],
        np.full(len(others), base.n), np.array([one.n for one in shown]),
        np.full(len(others), base.mean), np.array([one.mean for one in shown]),
        np.array([one.n_missing for one in shown]), reasons, base.n_missing,
    )  # fmt: skip


def sample_ratio_test(counts: ArrayLike, shares: ArrayLike) -> float:
    """The p-value of "these units were randomised with these shares".

    Args:
        counts: (k,) randomised units (not people) seen in each arm.
        shares: (k,) planned shares; they are scaled to sum to one.

    Returns:
        Pearson's chi-square p-value in 0–1; 0 when an arm planned empty has units.

    Raises:
        DesignError: Different or wrong shapes, negative numbers, nobody counted, or fewer than two arms with
            a share.

    Source: Pearson, Philosophical Magazine 50 (1900); Fabijan et al., KDD 2019, on sample ratio mismatch.

    >>> round(sample_ratio_test([5100, 4900], [0.5, 0.5]), 4)
    0.0455
    """
    from scipy.special import chdtrc

    seen, planned = np.asarray(counts, dtype=np.float64), np.asarray(shares, dtype=np.float64)
    if seen.ndim != 1 or seen.shape != planned.shape:
        got = f"{seen.shape} and {planned.shape}"
        raise DesignError.of("Counts and shares do not fit", received=got, allowed="one of each per arm")
    if not (np.all(seen >= 0) and np.all(planned >= 0) and np.isfinite(seen.sum() + planned.sum())):
        raise DesignError.of("Counts and shares", allowed="finite and not negative")
    used = planned > 0
    if seen.sum() == 0 or used.sum() < 2:
        raise DesignError.of("Nothing to compare", allowed="some units counted, and two arms with a share")
    if seen[~used].any():
        return 0.0
    expected = seen.sum() * planned[used] / planned.sum()
    return float(chdtrc(used.sum() - 1, np.sum((seen[used] - expected) ** 2 / expected)))


def _wald(difference: Floats, u: Floats, n_arms: int) -> tuple[float, float, int, str | None]:
    """Hotelling's joint test that every difference is zero: p, statistic, rank, reason."""
    from scipy.special import fdtrc

    n_clusters = u.shape[0]
    degrees = n_clusters - n_arms
    covariance = u.T @ u * (n_clusters / max(degrees, 1))
    scale = np.sqrt(np.diag(covariance))
    inverse = np.divide(1.0, scale, out=np.zeros_like(scale), where=scale > 0)
    values, vectors = np.linalg.eigh(covariance * inverse[:, None] * inverse)
    kept = values > 1e-9 * max(values.size, 1)
    rank = int(kept.sum())
    if rank == 0:
        return np.nan, np.nan, 0, "no covariate varies"
    if rank >= degrees:
        return np.nan, np.nan, rank, f"{n_clusters} clusters are too few to test {values.size} differences"
    rotated = (difference * inverse) @ vectors[:, kept]
    wald = float(np.sum(rotated**2 / values[kept]))
    left = degrees - rank + 1
    return float(fdtrc(rank, left, wald * left / (rank * degrees))), wald, rank, None


def balance(
    covariates: ArrayLike, arm: ArrayLike, cluster: ArrayLike, *, n_arms: int, control: int = 0
) -> Balance:
    """Means of what was known before, by arm, and one joint test that randomisation made them alike.

    Args:
        covariates: (n, k) numbers known before; NaN is left out of the means, and counts as the column's mean
            in the test (add an indicator column to test the missingness itself).
        arm: (n,) integer codes 0 … n_arms - 1.
        cluster: (n,) integer codes of the randomised unit.
        n_arms: How many arms were planned, control included.
        control: Control's code.

    Returns:
        Means, standardised differences, and Hotelling's clustered T² over all arms and covariates at once;
        constant and collinear columns are left out by the rank of their covariance.

    Raises:
        DesignError: Lengths or codes that do not fit.

    Source: Hansen & Bowers, Statistical Science 23 (2008), section 3; Hotelling, AMS 2 (1931).

    >>> result = balance([[30.0], [41], [52], [29], [44], [50]], [0, 0, 0, 1, 1, 1], range(6), n_arms=2)
    >>> result.means.ravel(), result.reason
    (array([41., 41.]), None)
    """
    x = np.asarray(covariates, dtype=np.float64)
    if x.ndim != 2 or np.isinf(x).any():
        raise DesignError.of("Covariates do not fit", received=x.shape, allowed="(n, k) numbers or NaN")
    codes, n_clusters = cluster_codes(np.asarray(cluster), x.shape[0])
    arms = arm_codes(arm, x.shape[0], n_arms, control)
    known = ~np.isnan(x)
    counts = cluster_sums(known.astype(np.float64), arms, n_arms)
    sums = cluster_sums(np.where(known, x, 0.0), arms, n_arms)
    means = np.divide(sums, counts, out=np.full_like(sums, np.nan), where=counts > 0)
    centre = sums.sum(0) / np.maximum(counts.sum(0), 1)
    others = [code for code in range(n_arms) if code != control]
    raw = means[others] - means[control]
    pooled = _pooled_deviation(np.where(known, x - means[arms], 0.0), counts)
    varies = pooled > 1e-12 * (1 + np.abs(centre))
    shown = np.divide(raw, pooled, out=np.full_like(raw, np.nan), where=varies)
    present = np.bincount(arms, minlength=n_arms) > 0
    if not present[control] or present.sum() < 2:
        return Balance(means, shown, np.nan, np.nan, 0, "there is no control, or no second arm")
    filled = np.where(known, x - centre, 0.0)
    return Balance(
        means, shown, *_wald(*_differences(filled, arms, codes, n_clusters, control), int(present.sum()))
    )


def _pooled_deviation(inside: Floats, counts: Floats) -> Floats:
    """The standard deviation of each column around its arms' means."""
    degrees = counts.sum(0) - (counts > 0).sum(0)
    squares = (inside**2).sum(0)
    return np.sqrt(np.divide(squares, degrees, out=np.zeros_like(squares), where=degrees > 0))


def _differences(
    x: Floats, arms: Integers, codes: Integers, n_clusters: int, control: int
) -> tuple[Floats, Floats]:
    """Every filled arm's differences from control, and each cluster's influence on all of them."""
    centred: dict[int, tuple[Floats, Floats]] = {}
    for code in np.unique(arms).tolist():
        rows = arms == code
        mean = x[rows].mean(0)
        centred[code] = mean, cluster_sums((x[rows] - mean) / rows.sum(), codes[rows], n_clusters)
    base_mean, base = centred.pop(control)
    difference = np.concatenate([mean - base_mean for mean, _ in centred.values()])
    return difference, np.concatenate([u - base for _, u in centred.values()], axis=1)
