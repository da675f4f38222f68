"""How small an effect an experiment can see, and how alike the people of a cluster are."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from hustings.errors import DesignError
from hustings.stats.clusters import cluster_codes, cluster_sums


def design_effect(mean_size: float, intraclass: float) -> float:
    """How many times larger a variance is because people were randomised by cluster.

    Args:
        mean_size: People per cluster, at least 1; where unequal, sum m² / sum m is the careful choice.
        intraclass: Intraclass correlation, at most 1; a negative estimate counts as 0.

    Returns:
        1 + (mean_size - 1) max(intraclass, 0).

    Raises:
        DesignError: A size below 1 or a correlation above 1.

    Source: Kish, Survey Sampling (1965), eq. 5.4.2.

    >>> design_effect(2, 0.5)
    1.5
    """
    if not (mean_size >= 1 and intraclass <= 1):
        got = f"size {mean_size}, correlation {intraclass}"
        raise DesignError.of("No such clusters", received=got, allowed="size >= 1, correlation <= 1")
    return 1.0 + (mean_size - 1.0) * max(intraclass, 0.0)


def detectable_effect(
    n_control: float,
    n_arm: float,
    sd: float,
    *,
    mean_size: float = 1.0,
    intraclass: float = 0.0,
    power: float = 0.8,
    alpha: float = 0.05,
    degrees: float = float("inf"),
) -> float:
    """The smallest true difference in means that a two-sided test would find with this power.

    (t_{1 - alpha/2} + t_power) sd sqrt(design effect (1 / n_control + 1 / n_arm)), with Student's quantiles; the
    normal ones where `degrees` is infinite, which with fewer than some 30 clusters per arm is too small.

    Args:
        n_control: People in control (or clusters, with `sd` that of cluster means and the defaults below).
        n_arm: People (or clusters) in the arm.
        sd: The outcome's standard deviation, in its own unit: sqrt(p (1 - p)) for a share p.
        mean_size: People per randomised cluster, at least 1.
        intraclass: The outcome's intraclass correlation; a negative one counts as 0.
        power: Chance of finding it, between alpha and 1.
        alpha: Two-sided size of the test, between 0 and 1.
        degrees: Degrees of freedom: the clusters of both arms less 2.

    Returns:
        The difference, in the outcome's unit.

    Raises:
        DesignError: A number out of range.

    Source: Bloom, Evaluation Review 19 (1995); Donner & Klar, Cluster Randomization Trials (2000), chapter 5.

    >>> round(detectable_effect(1000, 1000, 0.5), 4)
    0.0626
    """
    if not (n_control > 0 and n_arm > 0 and sd >= 0):
        got = f"{n_control}, {n_arm}, sd {sd}"
        raise DesignError.of("No such arms", received=got, allowed="positive sizes, sd >= 0")
    spread = sd * np.sqrt(design_effect(mean_size, intraclass) * (1 / n_control + 1 / n_arm))
    return _errors_apart(power, alpha, degrees) * float(spread)


def people_needed(
    effect: float,
    sd: float,
    *,
    share_control: float,
    share_arm: float,
    mean_size: float = 1.0,
    intraclass: float = 0.0,
    power: float = 0.8,
    alpha: float = 0.05,
) -> int:
    """How many people a test needs in all, to find a true difference in one arm with this power.

    `detectable_effect` turned round; its degrees of freedom follow from the clusters that come out.

    Args:
        effect: The difference to be found, more than 0, in the outcome's unit.
        sd: The outcome's standard deviation.
        share_control: Control's share of the people, above 0.
        share_arm: The arm's share, above 0; with control's at most 1.
        mean_size: People per randomised cluster.
        intraclass: The outcome's intraclass correlation.
        power: Chance of finding it.
        alpha: Two-sided size of the test.

    Returns:
        People in all arms, whole clusters of the mean size.

    Raises:
        DesignError: A number out of range.

    Source: as `detectable_effect`.

    >>> people_needed(0.0626, 0.5, share_control=0.5, share_arm=0.5)
    2005
    """
    if not (effect > 0 and share_control > 0 and share_arm > 0 and share_control + share_arm <= 1 + 1e-9):
        got = f"effect {effect}, shares {share_control}, {share_arm}"
        raise DesignError.of("No such test", received=got, allowed="an effect and shares above 0")
    spread = sd**2 * design_effect(mean_size, intraclass) * (1 / share_control + 1 / share_arm)
    n = spread * (_errors_apart(power, alpha, np.inf) / effect) ** 2
    for _ in range(20):
        clusters = n * (share_control + share_arm) / mean_size
        n = spread * (_errors_apart(power, alpha, max(clusters - 2, 1.0)) / effect) ** 2
    return int(np.ceil(np.ceil(n / mean_size) * mean_size))


def _errors_apart(power: float, alpha: float, degrees: float) -> float:
    """How many standard errors from 0 a difference must lie to be found with this power."""
    from scipy.special import ndtri, stdtrit

    if not 0 < alpha < power < 1:
        got = f"alpha {alpha}, power {power}"
        raise DesignError.of("No such test", received=got, allowed="0 < alpha < power < 1")
    if np.isinf(degrees):
        return float(ndtri(1 - alpha / 2) + ndtri(power))
    return float(stdtrit(max(degrees, 1.0), 1 - alpha / 2) + stdtrit(max(degrees, 1.0), power))


def intraclass_correlation(outcome: ArrayLike, cluster: ArrayLike) -> float:
    """The share of the outcome's variance that lies between clusters, not clipped.

    The analysis-of-variance estimator (B - W) / (B + (m - 1) W), B and W the mean squares between and within
    clusters, m = (n - sum n_g² / n) / (G - 1).

    Args:
        outcome: (n,) numbers; NaN is left out.
        cluster: (n,) integer codes.

    Returns:
        At most 1; negative when people of a cluster are less alike than strangers.

    Raises:
        DesignError: Fewer than two clusters, no cluster of two, or an outcome that never varies.

    Source: Donner, International Statistical Review 54 (1986), eq. 2.1.

    >>> round(intraclass_correlation([1, 1, 0, 0, 1, 0], [0, 0, 1, 1, 2, 2]), 3)
    0.5
    """
    y = np.asarray(outcome, dtype=np.float64)
    if y.ndim != 1 or np.isinf(y).any():
        raise DesignError.of("Outcomes do not fit", received=y.shape, allowed="(n,) finite numbers or NaN")
    cluster_codes(cluster, y.size)
    known = ~np.isnan(y)
    y, labels = y[known], np.asarray(cluster)[known]
    codes, n_clusters = cluster_codes(labels, y.size)
    if n_clusters < 2 or n_clusters == y.size:
        got = f"{y.size} people in {n_clusters} clusters"
        raise DesignError.of(
            "No correlation to measure", received=got, allowed="two clusters, one of several"
        )
    y = y - y.mean()
    sizes = np.bincount(codes)
    means = cluster_sums(y, codes, n_clusters) / sizes
    between = float(np.sum(sizes * means**2)) / (n_clusters - 1)
    within = float(np.sum((y - means[codes]) ** 2)) / (y.size - n_clusters)
    size = (y.size - float(np.sum(sizes.astype(np.float64) ** 2)) / y.size) / (n_clusters - 1)
    total = between + (size - 1) * within
    if not total > 0:
        raise DesignError.of("No correlation to measure", received="an outcome that never varies")
    return (between - within) / total
