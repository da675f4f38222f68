"""Outcomes by arm, when whole clusters (households, precincts) were randomised.

Everything here works on cluster sums: a person's row matters only through what it adds to its cluster, so
that people who were randomised together never count as independent.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from hustings.errors import DesignError
from hustings.stats.clusters import Floats, Integers, arm_codes, cluster_codes, cluster_sums, t_quantile
from hustings.stats.comparisons import Arms, Lifts, compare_arms

__all__ = [
    "Balance",
    "Lifts",
    "arm_codes",
    "balance",
    "cluster_codes",
    "cluster_sums",
    "difference_in_means",
    "finite_outcome",
    "sample_ratio_test",
    "t_quantile",
]


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


def difference_in_means(
    outcome: ArrayLike,
    arm: ArrayLike,
    cluster: ArrayLike,
    *,
    n_arms: int,
    control: int = 0,
    confidence: float = 0.95,
    weight: ArrayLike | None = None,
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
        weight: (n,) weights of a survey, 0 or more; someone of weight 0 is left out. Everyone alike unless given.

    Returns:
        One entry per arm other than control, in code order. With a single arm planned: one entry for control
        itself, all NaN, whose reason says so.

    Raises:
        DesignError: Lengths, codes or values (an infinite outcome, a negative weight) that do not fit.

    Source: Liang & Zeger, Biometrika 73 (1986), eq. 6; Cameron & Miller, JHR 50 (2015), section II;
    Satterthwaite, Biometrics Bulletin 2 (1946).

    >>> lifts = difference_in_means([0, 1, 0, 1, 1, 1, 0, 1], [0, 0, 0, 0, 1, 1, 1, 1], range(8), n_arms=2)
    >>> round(float(lifts.estimate[0]), 3), round(float(lifts.std_error[0]), 3)
    (0.25, 0.382)
    """
    y = finite_outcome(outcome)
    codes, n_clusters = cluster_codes(np.asarray(cluster), y.size)
    arms = arm_codes(arm, y.size, n_arms, control)
    known = ~np.isnan(y)
    w = None if weight is None else _weights(weight, y.size)
    told = known.astype(np.float64) if w is None else np.where(known, w, 0.0)
    mass = np.bincount(arms, told, minlength=n_arms)
    filled = np.where(known, y, 0.0)
    sums = np.bincount(arms, filled * told, minlength=n_arms)
    mean = np.divide(sums, mass, out=np.full(n_arms, np.nan), where=mass > 0)
    per_person = np.divide(1.0, mass, out=np.zeros(n_arms), where=mass > 0)
    influence = (filled - np.where(mass > 0, mean, 0.0)[arms]) * told * per_person[arms]
    n = np.bincount(arms[known], minlength=n_arms)
    missing = np.bincount(arms, minlength=n_arms) - n
    counted = known if w is None else known & (w > 0)
    parts = Arms(mean, n, missing, np.zeros(n_arms, np.int64), influence, counted)
    return compare_arms(parts, arms, codes, n_clusters, control=control, confidence=confidence)


def finite_outcome(outcome: ArrayLike) -> Floats:
    """Outcomes as (n,) floats.

    Raises:
        DesignError: Another shape, or infinite amounts.

    >>> finite_outcome([1, 0])
    array([1., 0.])
    """
    y = np.asarray(outcome, dtype=np.float64)
    if y.ndim != 1 or np.isinf(y).any():
        raise DesignError.of("Outcomes do not fit", received=y.shape, allowed="(n,) finite numbers or NaN")
    return y


def _weights(weight: ArrayLike, n: int) -> Floats:
    w = np.asarray(weight, dtype=np.float64)
    if w.shape != (n,) or not (np.isfinite(w).all() and np.all(w >= 0)):
        raise DesignError.of(
            "Weights do not fit", received=w.shape, allowed=f"{n} finite numbers of 0 or more"
        )
    return w


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
