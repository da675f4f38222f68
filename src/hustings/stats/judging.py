"""How good a forecast was: a gain over a rule, the order of an amount, with intervals that know clusters."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hustings.errors import DesignError
from hustings.stats.calibration import Interval
from hustings.stats.clusters import Floats, cluster_codes, cluster_sums, t_quantile

DRAWS = 200


def mean_interval(values: ArrayLike, cluster: ArrayLike, *, confidence: float = 0.95) -> Interval:
    """A mean over people with its cluster-robust interval: of losses, of gains, of what is right.

    Args:
        values: (n,) finite numbers.
        cluster: (n,) integer codes of people who are alike.
        confidence: Coverage of the interval.

    Returns:
        The mean.

    Raises:
        DesignError: Shapes or numbers that do not fit, or one cluster only.

    Source: Cochran, Sampling Techniques (1977), section 9A.

    >>> found = mean_interval([0.0, 1.0, 0.0, 1.0], range(4))
    >>> found.estimate, round(found.std_error, 4)
    (0.5, 0.2887)
    """
    x = np.asarray(values, np.float64)
    codes, n_clusters = cluster_codes(np.asarray(cluster), x.size)
    if x.ndim != 1 or not np.isfinite(x).all() or n_clusters < 2:
        raise DesignError.of(
            "No mean with an error",
            received=f"{x.shape}, {n_clusters} clusters",
            allowed="finite, two or more",
        )
    mean = float(x.mean())
    sums = cluster_sums(x - mean, codes, n_clusters)
    error = float(np.sqrt(sums @ sums * n_clusters / (n_clusters - 1)) / x.size)
    half = t_quantile(confidence, n_clusters - 1) * error
    return Interval(mean, error, mean - half, mean + half)


def log_losses(outcome: ArrayLike, p: ArrayLike) -> Floats:
    """What each forecast of a yes or no cost: -log of the probability of what happened.

    Args:
        outcome: (n,) 0 or 1.
        p: (n,) probabilities of a 1; nearer than 1e-12 to 0 or 1 counts as that.

    Returns:
        (n,) nats.

    >>> log_losses([1, 0], [0.5, 0.5]).round(4)
    array([0.6931, 0.6931])
    """
    y, held = np.asarray(outcome, np.float64), np.clip(np.asarray(p, np.float64), 1e-12, 1 - 1e-12)
    return -(y * np.log(held) + (1 - y) * np.log1p(-held))


def _mid_ranks(code: NDArray[np.int64], weight: Floats) -> Floats:
    """Ranks of people counted `weight` times, ties sharing their middle."""
    mass = np.bincount(code, weight)
    return (np.cumsum(mass) - mass / 2)[code]


def _correlation(x: NDArray[np.int64], y: NDArray[np.int64], weight: Floats) -> float:
    rows = np.array([_mid_ranks(x, weight), _mid_ranks(y, weight)])
    apart = rows - (rows @ weight / weight.sum())[:, None]
    covariance = (apart * weight) @ apart.T
    spread = float(np.sqrt(covariance[0, 0] * covariance[1, 1]))
    return float(covariance[0, 1] / spread) if spread > 0 else float("nan")


def _checked(score: ArrayLike, amount: ArrayLike) -> tuple[Floats, Floats]:
    x, y = np.asarray(score, np.float64), np.asarray(amount, np.float64)
    if x.ndim != 1 or x.shape != y.shape or len(x) < 2:
        raise DesignError.of(
            "Scores and amounts do not fit", received=f"{x.shape}, {y.shape}", allowed="(n,)"
        )
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise DesignError.of("A score or an amount is not a finite number")
    return x, y


def _bootstrapped(found: float, of: list[float], low_most: float, high_most: float) -> Interval:
    error = float(np.nanstd(of, ddof=1))
    low, high = np.nanquantile(of, [0.025, 0.975])
    return Interval(found, error, max(float(low), low_most), min(float(high), high_most))


def rank_correlation(
    score: ArrayLike, amount: ArrayLike, cluster: ArrayLike, rng: np.random.Generator
) -> Interval:
    """Spearman's correlation of a score with what came of it.

    The error is the Bayesian bootstrap: 200 draws in which whole clusters have exponential weights.

    Args:
        score: (n,) numbers.
        amount: (n,) what was observed.
        cluster: (n,) integer codes of people who are alike.
        rng: Source of the draws.

    Returns:
        The correlation with its 95 % interval.

    Raises:
        DesignError: Shapes or numbers that do not fit, or one of the two does not vary.

    Source: Spearman, American Journal of Psychology 15 (1904); Rubin, Annals of Statistics 9 (1981).

    >>> round(rank_correlation([1, 2, 3, 4], [1, 3, 2, 4], range(4), np.random.default_rng(1)).estimate, 3)
    0.8
    """
    x, y = _checked(score, amount)
    if x.min() == x.max() or y.min() == y.max():
        raise DesignError.of("There is no order", received="a score or an amount that is the same for all")
    a, b = (np.unique(values, return_inverse=True)[1].astype(np.int64) for values in (x, y))
    codes, n_clusters = cluster_codes(np.asarray(cluster), len(x))
    draws = [_correlation(a, b, rng.exponential(size=n_clusters)[codes]) for _ in range(DRAWS)]
    return _bootstrapped(_correlation(a, b, np.ones(len(x))), draws, -1.0, 1.0)


def top_share(
    score: ArrayLike,
    amount: ArrayLike,
    cluster: ArrayLike,
    rng: np.random.Generator,
    *,
    top: float = 0.1,
) -> Interval:
    """The share of the whole amount that the people with the highest scores brought.

    People of equal score at the border count by the part of them that still fits.

    Args:
        score: (n,) numbers.
        amount: (n,) from 0, what each brought.
        cluster: (n,) integer codes of people who are alike.
        rng: Source of the bootstrap, as in `rank_correlation`.
        top: The share of people.

    Returns:
        A share with its 95 % interval.

    Raises:
        DesignError: Shapes or numbers that do not fit, or nobody brought anything.

    >>> top_share([4, 3, 2, 1], [6, 2, 1, 1], range(4), np.random.default_rng(1), top=0.25).estimate
    0.6
    """
    x, y = _checked(score, amount)
    if y.min() < 0 or y.max() <= 0 or not 0 < top < 1:
        raise DesignError.of(
            "Nothing to share out", received=f"top = {top}", allowed="amounts from 0, some above"
        )
    order = np.unique(-x, return_inverse=True)[1].astype(np.int64)
    codes, n_clusters = cluster_codes(np.asarray(cluster), len(x))

    def share(weight: Floats) -> float:
        mass, brought = np.bincount(order, weight), np.bincount(order, weight * y)
        before = np.cumsum(mass) - mass
        part = np.clip((top * weight.sum() - before) / np.where(mass > 0, mass, 1.0), 0, 1)
        whole = float(brought.sum())
        return float(part @ brought / whole) if whole > 0 else float("nan")

    draws = [share(rng.exponential(size=n_clusters)[codes]) for _ in range(DRAWS)]
    return _bootstrapped(share(np.ones(len(x))), draws, 0.0, 1.0)
