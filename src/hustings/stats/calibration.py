"""How good a probability is: sharpness, order, calibration; and how to put its calibration right."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hustings.errors import DesignError
from hustings.stats.clusters import Floats, Integers, cluster_codes, cluster_sums, t_quantile
from hustings.stats.logistic import newton

# The logarithm of a probability is taken no nearer to 0 or 1 than this, so that one sure and wrong answer
# costs 34.5 and not infinity.
NEAREST = 1e-15


class Interval(NamedTuple):
    """A figure with its error and its interval, in the figure's unit."""

    estimate: float
    std_error: float
    low: float
    high: float


class Reliability(NamedTuple):
    """Predicted against observed, one entry per bin that holds people, from low to high predictions.

    `predicted` is the mean probability, `observed` the share, `low` and `high` the interval of that share.
    """

    predicted: Floats
    observed: Floats
    n: Integers
    low: Floats
    high: Floats


@dataclass(frozen=True)
class BetaCalibration:
    """The map logit(q) = intercept + a ln p - b ln(1 - p), with a, b >= 0: it never reverses order."""

    a: float
    b: float
    intercept: float

    def apply(self, p: ArrayLike) -> Floats:
        """Calibrated probabilities.

        Args:
            p: Probabilities in 0–1, any shape.

        Returns:
            Probabilities of the same shape.

        Raises:
            DesignError: Numbers that are no probabilities.

        >>> BetaCalibration(1.0, 1.0, 0.0).apply([0.2, 0.9]).round(6)
        array([0.2, 0.9])
        """
        from scipy.special import expit

        log_p, log_q = _logs(_probabilities(p))
        return np.asarray(expit(self.intercept + self.a * log_p - self.b * log_q), dtype=np.float64)


def _probabilities(p: ArrayLike) -> Floats:
    values = np.asarray(p, dtype=np.float64)
    if not np.all((values >= 0) & (values <= 1)):
        raise DesignError.of("Predictions are no probabilities", allowed="numbers from 0 to 1, none missing")
    return values


def _logs(p: Floats) -> tuple[Floats, Floats]:
    """The logarithms of p and of 1 - p, bounded."""
    return np.log(np.maximum(p, NEAREST)), np.log1p(-np.minimum(p, 1 - NEAREST))


def _pairs(outcome: ArrayLike, p: ArrayLike, *, both: bool = False) -> tuple[Floats, Floats]:
    """Outcomes of 0 and 1 with their probabilities, checked; with `both`, each class must occur."""
    y, q = np.asarray(outcome, dtype=np.float64), _probabilities(p)
    if y.ndim != 1 or y.shape != q.shape or y.size == 0:
        got = f"{y.shape} and {q.shape}"
        raise DesignError.of(
            "Outcomes and predictions do not fit", received=got, allowed="(n,) of each, n > 0"
        )
    if not np.all((y == 0) | (y == 1)):
        raise DesignError.of("Outcomes are no classes", allowed="0 or 1, none missing")
    if both and y.min() == y.max():
        raise DesignError.of("The outcome has one class only", received=float(y[0]), allowed="some 0, some 1")
    return y, q


def log_loss(outcome: ArrayLike, p: ArrayLike) -> float:
    """The mean negative log-likelihood of the outcomes, in nats per person.

    Args:
        outcome: (n,) 0 or 1.
        p: (n,) probabilities of a 1; nearer than 1e-15 to 0 or 1 counts as 1e-15.

    Returns:
        0 for a perfect prediction, ln 2 for a coin.

    Raises:
        DesignError: Shapes or values that do not fit.

    Source: Good, JRSS B 14 (1952).

    >>> round(log_loss([1, 0], [0.5, 0.5]), 4)
    0.6931
    """
    return float(log_losses(outcome, p).mean())


def log_losses(outcome: ArrayLike, p: ArrayLike) -> Floats:
    """Each person's negative log-likelihood, in nats, as `log_loss` takes their mean.

    >>> log_losses([1, 0], [0.5, 0.9]).round(3).tolist()
    [0.693, 2.303]
    """
    y, chance = _pairs(outcome, p)
    log_p, log_q = _logs(chance)
    return -np.where(y == 1, log_p, log_q)


def _ranks(values: Floats) -> Floats:
    """Ranks 1 … n, ties sharing their middle."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[inverse]


def auc(outcome: ArrayLike, p: ArrayLike) -> float:
    """The chance that a random 1 is predicted higher than a random 0, ties counting half.

    Args:
        outcome: (n,) 0 or 1, both present.
        p: (n,) probabilities of a 1.

    Returns:
        0.5 for no order, 1 for a perfect one.

    Raises:
        DesignError: Shapes or values that do not fit, or one class only.

    Source: Mann & Whitney, AMS 18 (1947); Hanley & McNeil, Radiology 143 (1982).

    >>> auc([0, 1, 0, 1], [0.1, 0.4, 0.4, 0.8])
    0.875
    """
    return float(_placements(*_pairs(outcome, p, both=True))[0])


def _placements(y: Floats, p: Floats) -> tuple[float, Floats]:
    """AUC, and each person's influence on it."""
    ones = y == 1
    n_ones = int(ones.sum())
    n_zeros = y.size - n_ones
    ranks = _ranks(p)
    placement = np.empty(y.size)
    placement[ones] = (ranks[ones] - _ranks(p[ones])) / n_zeros
    placement[~ones] = 1 - (ranks[~ones] - _ranks(p[~ones])) / n_ones
    area = float(placement[ones].mean())
    return area, (placement - area) / np.where(ones, n_ones, n_zeros)


def _interval(estimate: float, influence: Floats, cluster: ArrayLike, confidence: float) -> Interval:
    codes, n_clusters = cluster_codes(cluster, influence.size)
    if n_clusters < 2:
        raise DesignError.of(
            "No error can be computed", received=f"{n_clusters} cluster", allowed="two or more"
        )
    u = cluster_sums(influence, codes, n_clusters)
    error = float(np.sqrt(u @ u * n_clusters / (n_clusters - 1)))
    half = t_quantile(confidence, n_clusters - 1) * error
    return Interval(estimate, error, estimate - half, estimate + half)


def log_loss_interval(
    outcome: ArrayLike, p: ArrayLike, cluster: ArrayLike, *, confidence: float = 0.95
) -> Interval:
    """Log loss with its cluster-robust error.

    Args:
        outcome: (n,) 0 or 1.
        p: (n,) probabilities of a 1, made without these outcomes.
        cluster: (n,) integer codes of people who are alike (the household).
        confidence: Coverage of the interval.

    Returns:
        Nats per person.

    Raises:
        DesignError: Shapes or values that do not fit, or one cluster only.

    Source: the linearised mean of cluster sums: Cochran, Sampling Techniques (1977), section 9A.

    >>> log_loss_interval([1, 0, 1], [0.5, 0.5, 0.9], range(3)).std_error > 0
    True
    """
    losses = log_losses(outcome, p)
    mean = float(losses.mean())
    return _interval(mean, (losses - mean) / losses.size, cluster, confidence)


def auc_interval(
    outcome: ArrayLike, p: ArrayLike, cluster: ArrayLike, *, confidence: float = 0.95
) -> Interval:
    """AUC with its cluster-robust error; the interval is cut at 0 and 1.

    Args:
        outcome: (n,) 0 or 1, both present.
        p: (n,) probabilities of a 1, made without these outcomes.
        cluster: (n,) integer codes of people who are alike; a cluster may hold both classes.
        confidence: Coverage of the interval.

    Returns:
        A share.

    Raises:
        DesignError: Shapes or values that do not fit, one class or one cluster only.

    Source: DeLong, DeLong & Clarke-Pearson, Biometrics 44 (1988), eq. 4–6; for clusters Obuchowski,
    Biometrics 53 (1997), eq. 4–5.

    >>> round(auc_interval([0, 1, 0, 1], [0.1, 0.4, 0.4, 0.8], range(4)).estimate, 3)
    0.875
    """
    area, influence = _placements(*_pairs(outcome, p, both=True))
    estimate, error, low, high = _interval(area, influence, cluster, confidence)
    return Interval(estimate, error, max(low, 0.0), min(high, 1.0))


def _bins(p: Floats, bins: int) -> Integers:
    """Bins of equal counts; equal predictions stay together, so that the order of rows never matters."""
    if bins < 1:
        raise DesignError.of("No bins", received=bins, allowed="1 or more")
    return np.minimum(((_ranks(p) - 0.5) * bins / p.size).astype(np.int64), bins - 1)


def calibration_error(outcome: ArrayLike, p: ArrayLike, *, bins: int = 20) -> float:
    """How far predictions are from what happened: the mean of |observed - predicted| over equal-count bins.

    Not debiased: a perfectly calibrated prediction scores about 0.8 sqrt(p (1 - p) bins / n) by chance, so
    it is read against that floor (0.0017 for 1 M people at one half).

    Args:
        outcome: (n,) 0 or 1.
        p: (n,) probabilities of a 1.
        bins: How many bins; equal predictions share one, so that fewer may be filled.

    Returns:
        A difference of probabilities in 0–1, weighted by people.

    Raises:
        DesignError: Shapes or values that do not fit.

    Source: Naeini, Cooper & Hauskrecht, AAAI 2015, eq. 1; equal counts: Nguyen & O'Connor, EMNLP 2015.

    >>> round(calibration_error([0, 0, 1, 1], [0.1, 0.1, 0.8, 0.8], bins=2), 3)
    0.15
    """
    y, q = _pairs(outcome, p)
    return float(np.abs(cluster_sums(y - q, _bins(q, bins), bins)).sum() / y.size)


def reliability(
    outcome: ArrayLike, p: ArrayLike, cluster: ArrayLike, *, bins: int = 10, confidence: float = 0.95
) -> Reliability:
    """Predicted against observed by bins of equal counts, with intervals that know clusters.

    The interval is Wilson's, with the number of independent people that the clustered error implies, so that
    a bin where nobody (or everybody) did it still has a width.

    Args:
        outcome: (n,) 0 or 1.
        p: (n,) probabilities of a 1.
        cluster: (n,) integer codes of people who are alike.
        bins: How many bins; equal predictions share one, so that fewer may be filled.
        confidence: Coverage of the intervals, bin by bin.

    Returns:
        One entry per filled bin.

    Raises:
        DesignError: Shapes or values that do not fit.

    Source: Wilson, JASA 22 (1927); effective sample size as in Korn & Graubard, Survey Methodology 24 (1998).

    >>> reliability([0, 0, 1, 1], [0.1, 0.1, 0.8, 0.8], range(4), bins=2).observed
    array([0., 1.])
    """
    y, q = _pairs(outcome, p)
    codes, n_clusters = cluster_codes(cluster, y.size)
    bin_of, n_bins = cluster_codes(_bins(q, bins), y.size)
    n = np.bincount(bin_of)
    observed = cluster_sums(y, bin_of, n_bins) / n
    cell, n_cells = cluster_codes(bin_of * n_clusters + codes, y.size)
    bin_of_cell = np.zeros(n_cells, dtype=np.int64)
    bin_of_cell[cell] = bin_of
    u = cluster_sums(y - observed[bin_of], cell, n_cells)
    clusters = np.bincount(bin_of_cell, minlength=n_bins).astype(np.float64)
    variance = cluster_sums(u**2, bin_of_cell, n_bins) / n**2 * clusters / np.maximum(clusters - 1, 1)
    spread = observed * (1 - observed)
    known = (variance > 0) & (clusters > 1)
    independent = np.divide(spread, variance, out=clusters.copy(), where=known)
    low, high = _wilson(
        observed, np.clip(independent, 1.0, n), t_quantile(confidence, max(n_clusters - 1, 1))
    )
    return Reliability(cluster_sums(q, bin_of, n_bins) / n, observed, n, low, high)


def _wilson(share: Floats, n: Floats, z: float) -> tuple[Floats, Floats]:
    middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    return np.maximum(middle - half, 0.0), np.minimum(middle + half, 1.0)


def fit_beta(outcome: ArrayLike, p: ArrayLike) -> BetaCalibration:
    """The beta calibration of these probabilities: contains the identity, never reverses order.

    Logistic regression on ln p and -ln(1 - p); a column whose coefficient comes out negative is dropped and
    the rest refitted.

    Args:
        outcome: (n,) 0 or 1, both present.
        p: (n,) probabilities of a 1, made without these outcomes.

    Returns:
        The map.

    Raises:
        DesignError: Shapes or values that do not fit, or one class only.

    Source: Kull, Silva Filho & Flach, AISTATS 2017, algorithm 1.

    >>> fit_beta([0, 1, 1, 1], [0.5, 0.5, 0.5, 0.5]).apply([0.5]).round(6)
    array([0.75])
    """
    y, q = _pairs(outcome, p, both=True)
    log_p, log_q = _logs(q)
    columns = np.column_stack([np.ones(y.size), log_p, -log_q])
    kept = np.array([True, True, True])
    while True:
        found = np.zeros(3)
        # An almost flat ridge toward the identity settles what equal predictions leave open.
        penalty, target = np.array([0.0, 1e-6, 1e-6])[kept], np.array([0.0, 1.0, 1.0])[kept]
        found[kept] = newton(columns[:, kept], y, None, penalty, target, target)
        if found[1:].min() >= 0:
            return BetaCalibration(float(found[1]), float(found[2]), float(found[0]))
        kept[1 + int(found[1:].argmin())] = False


def cluster_folds(cluster: ArrayLike, n_folds: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """A fold for each person, whole clusters in one fold.

    Clusters are dealt out from the largest to the smallest, at random among equals: folds differ by at most
    one cluster, and by no more people than the largest cluster holds.

    Args:
        cluster: (n,) integer codes.
        n_folds: How many folds, 2 or more.
        rng: The source of randomness.

    Returns:
        (n,) folds 0 … n_folds - 1.

    Raises:
        DesignError: Fewer than two folds, or fewer clusters than folds.

    >>> sorted(np.bincount(cluster_folds([0, 0, 1, 1, 2, 2], 3, np.random.default_rng(1))).tolist())
    [2, 2, 2]
    """
    n = np.asarray(cluster).size
    codes, n_clusters = cluster_codes(cluster, n)
    if not 2 <= n_folds <= n_clusters:
        raise DesignError.of(
            "Too few clusters or folds", received=n_folds, allowed=f"2 to {n_clusters} folds"
        )
    sizes = np.bincount(codes)
    order = np.lexsort((rng.random(n_clusters), -sizes))
    fold = np.empty(n_clusters, dtype=np.int64)
    fold[order] = np.arange(n_clusters) % n_folds
    return fold[codes]
