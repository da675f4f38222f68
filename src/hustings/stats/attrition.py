"""Outcomes that are missing: whether more so in one arm, and between what bounds the effect lies then."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hustings.errors import DesignError
from hustings.stats.clusters import Floats, Integers, arm_codes, cluster_codes, t_quantile
from hustings.stats.means import balance, difference_in_means, finite_outcome


class Attrition(NamedTuple):
    """Missing outcomes by arm; arrays with one entry per arm, control among them.

    `difference`, `std_error` and `p_value` compare the share missing with control's, NaN for control;
    `p_any` is the joint test that no arm differs, NaN where nothing is missing.
    """

    share_missing: Floats
    difference: Floats
    std_error: Floats
    p_value: Floats
    p_any: float


class Bounds(NamedTuple):
    """Between what values the effect on those whose outcome is known in either arm must lie.

    `low` and `high` are the bounds, `low_end` and `high_end` the ends of an interval that holds the effect.
    """

    low: float
    high: float
    low_end: float
    high_end: float
    reason: str | None


def attrition(
    outcome: ArrayLike, arm: ArrayLike, cluster: ArrayLike, *, n_arms: int, control: int = 0
) -> Attrition:
    """Whether outcomes are missing more often in one arm than in control.

    Args:
        outcome: (n,) outcomes of everyone who was drawn; NaN where missing.
        arm: (n,) integer codes 0 … n_arms - 1.
        cluster: (n,) integer codes of the randomised unit.
        n_arms: How many arms were planned, control included.
        control: Control's code.

    Returns:
        Shares, differences with clustered errors, and a joint clustered test.

    Raises:
        DesignError: Lengths, codes or values that do not fit.

    Source: Gerber & Green, Field Experiments (2012), section 7.3.

    >>> found = attrition([1.0, 0, np.nan, 1, 0, 1], [0, 0, 0, 1, 1, 1], range(6), n_arms=2)
    >>> found.share_missing.round(3).tolist()
    [0.333, 0.0]
    """
    missing = np.isnan(finite_outcome(outcome)).astype(np.float64)
    arms = arm_codes(arm, missing.size, n_arms, control)
    n = np.bincount(arms, minlength=n_arms)
    share = np.divide(
        np.bincount(arms, missing, minlength=n_arms), n, out=np.full(n_arms, np.nan), where=n > 0
    )
    found = difference_in_means(missing, arms, cluster, n_arms=n_arms, control=control)
    told = np.full((3, n_arms), np.nan)
    if n_arms > 1:
        told[:, found.arm] = found.estimate, found.std_error, found.p_value
    p_any = np.nan
    if missing.any():
        p_any = balance(missing[:, None], arms, cluster, n_arms=n_arms, control=control).p_value
    return Attrition(share, told[0], told[1], told[2], p_any)


def lee_bounds(
    outcome: ArrayLike, treated: ArrayLike, cluster: ArrayLike, *, confidence: float = 0.95
) -> Bounds:
    """Bounds on the effect when one arm's outcomes are missing more often.

    The arm with more outcomes known is trimmed by the excess share, from above and from below: what remains
    are, at worst, the people whose outcome would be known in either arm. It holds if being treated moves
    everybody's chance of being known the same way. With κ the ratio of the shares known, the trimmed mean is
    c + E[min(y - c, 0)] / κ at the κ-quantile c, ties included; its clustered error follows from its influence.

    Args:
        outcome: (n,) outcomes of everyone drawn into the two arms; NaN where missing.
        treated: (n,) whether in the arm, else in control.
        cluster: (n,) integer codes of the randomised unit.
        confidence: Coverage of the ends for the effect itself.

    Returns:
        The bounds; a reason where an arm has nobody with the outcome.

    Raises:
        DesignError: Lengths or values that do not fit.

    Source: Lee, Review of Economic Studies 76 (2009), propositions 1a and 3; Imbens & Manski, Econometrica 72
    (2004).

    >>> found = lee_bounds([0.0, 1, np.nan, np.nan, 0, 1, 0, 1], [0] * 4 + [1] * 4, range(8))
    >>> float(found.low), float(found.high)
    (-0.5, 0.5)
    """
    from scipy.special import ndtri

    y = finite_outcome(outcome)
    arm = np.asarray(treated).astype(bool)
    if arm.shape != y.shape:
        raise DesignError.of("Arms do not fit", received=arm.shape, allowed=f"{y.size} of true or false")
    codes, n_clusters = cluster_codes(np.asarray(cluster), y.size)
    known = ~np.isnan(y)
    told = [int((known & side).sum()) for side in (~arm, arm)]
    if min(told) < 2:
        return Bounds(np.nan, np.nan, np.nan, np.nan, "an arm has nobody with the outcome")
    ends = [_one_bound(y, arm, known, codes, n_clusters, highest) for highest in (False, True)]
    (low, low_error), (high, high_error) = ends
    # At a point the two-sided quantile is needed; where the bounds lie apart, the one-sided.
    apart = (high - low) / max(low_error, high_error, 1e-300)
    two, one = t_quantile(confidence, n_clusters - 2), float(ndtri(confidence))
    reach = one + (two - one) * float(np.exp(-apart))
    return Bounds(low, high, low - reach * low_error, high + reach * high_error, None)


def _one_bound(
    y: Floats,
    arm: NDArray[np.bool_],
    known: NDArray[np.bool_],
    codes: Integers,
    n_clusters: int,
    highest: bool,
) -> tuple[float, float]:
    """The bound and its clustered error."""
    shares = [float(known[side].mean()) for side in (~arm, arm)]
    trimmed = arm if shares[1] >= shares[0] else ~arm
    kappa = min(shares) / max(shares)
    # The arm's mean is lowest without its highest outcomes; control's mean counts the other way round.
    keep_low = (trimmed is arm) != highest
    sign = 1.0 if keep_low else -1.0
    rows, rest = known & trimmed, known & ~trimmed
    values = sign * y[rows]
    cut = float(np.quantile(values, kappa, method="inverted_cdf"))
    below = np.minimum(values - cut, 0.0)
    mean = cut + below.mean() / kappa
    influence = np.zeros(y.size)
    influence[rows] = (below - below.mean()) / kappa / rows.sum()
    # The share that is trimmed is estimated too.
    slope = (cut - mean) / kappa
    for side, direction in ((~trimmed, 1.0), (trimmed, -1.0)):
        rate = known[side].mean()
        influence[side] += slope * kappa * direction * (known[side] - rate) / rate / side.sum()
    other = float(y[rest].mean())
    outer = np.zeros(y.size)
    outer[rest] = (y[rest] - other) / rest.sum()
    side_sign = 1.0 if trimmed is arm else -1.0
    total = side_sign * (sign * influence - outer)
    sums = np.bincount(codes, total, minlength=n_clusters)
    error = float(np.sqrt(sums @ sums * n_clusters / max(n_clusters - 1, 1)))
    return side_sign * (sign * mean - other), error
