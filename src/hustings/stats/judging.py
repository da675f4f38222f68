"""How good a score is where it is used: among the best-ranked, in each group of people, in its level and slope."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from hustings.errors import DesignError
from hustings.stats.calibration import Interval, auc
from hustings.stats.clusters import Floats, Integers, cluster_codes, cluster_sums, t_quantile
from hustings.stats.logistic import fit_logistic

DEPTHS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
"""Shares of the people, the best-ranked first, at which a gain is read."""
SMALLEST = 50
"""A group of fewer people is counted and not judged."""
_NEAREST = 1e-9


class Gain(NamedTuple):
    """What the best-ranked share of the people holds of all outcomes: shares, with the interval of `gain`."""

    depth: Floats
    gain: Floats
    std_error: Floats
    low: Floats
    high: Floats


class Line(NamedTuple):
    """Observed log-odds against predicted: 0 and 1 for a calibrated score, each with its interval."""

    intercept: Interval
    slope: Interval


class Group(NamedTuple):
    """How a score does among some of the people.

    Attributes:
        n: People.
        observed: Mean outcome.
        predicted: Mean score.
        gap: Observed less predicted, with its interval; NaN of a group that is too small.
        loss: Mean loss, with its interval.
        auc: Of a yes or no with both present; NaN otherwise.
    """

    n: int
    observed: float
    predicted: float
    gap: Interval
    loss: Interval
    auc: float


def mean_interval(values: ArrayLike, cluster: ArrayLike, *, confidence: float = 0.95) -> Interval:
    """A mean with its cluster-robust error.

    Args:
        values: (n,) finite numbers.
        cluster: (n,) integer codes of people who are alike.
        confidence: Coverage of the interval.

    Returns:
        In the unit of the values.

    Raises:
        DesignError: Shapes or values that do not fit, or one cluster only.

    Source: the linearised mean of cluster sums: Cochran, Sampling Techniques (1977), section 9A.

    >>> mean_interval([1.0, 2.0, 3.0], range(3)).estimate
    2.0
    """
    x = np.asarray(values, np.float64)
    if x.ndim != 1 or not x.size or not np.isfinite(x).all():
        raise DesignError.of("No mean of these", received=x.shape, allowed="(n,) finite numbers, n > 0")
    mean = float(x.mean())
    return _interval(mean, (x - mean) / x.size, cluster, confidence)


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


def calibration_line(
    outcome: ArrayLike, p: ArrayLike, cluster: ArrayLike, *, confidence: float = 0.95
) -> Line:
    """The logistic regression of outcomes on the score's own log-odds.

    A slope below 1 says that the score is too bold, above 1 too timid; an intercept above 0 that it is too low
    at even chances.

    Args:
        outcome: (n,) 0 or 1, both present.
        p: (n,) probabilities of a 1, made without these outcomes.
        cluster: (n,) integer codes of people who are alike.
        confidence: Coverage of the intervals.

    Returns:
        Intercept and slope with cluster-robust intervals.

    Raises:
        DesignError: Shapes or values that do not fit, one class or one cluster only, or a score that is the
            same for everybody.

    Source: Cox, Biometrika 45 (1958); Miller, Hui & Tierney, Statistics in Medicine 10 (1991).

    >>> p = np.tile([0.25, 0.75], 40)
    >>> y = np.concatenate([np.tile([0, 1], 30), np.tile([1, 0], 10)])
    >>> calibration_line(y, p, range(80)).slope.estimate.__round__(3)
    1.0
    """
    chance = np.clip(np.asarray(p, np.float64), _NEAREST, 1 - _NEAREST)
    odds = np.log(chance) - np.log1p(-chance)
    if odds.ndim != 1 or not odds.size or np.ptp(odds) < 1e-9:
        raise DesignError.of("The score is the same for everybody", allowed="a score that varies")
    fit = fit_logistic(odds[:, None], outcome, ridge=0.0)
    covariance = fit.covariance(odds[:, None], outcome, cluster)
    scale, mean = float(fit.scale[0]), float(fit.mean[0])
    # Back from the standardised scale: slope b s, intercept a - b s m.
    back = np.array([[1.0, -scale * mean], [0.0, scale]])
    at, spread = back @ fit.coefficients, back @ covariance @ back.T
    _, n_clusters = cluster_codes(cluster, odds.size)
    t = t_quantile(confidence, n_clusters - 1)
    ends = [
        Interval(float(b), float(e), float(b - t * e), float(b + t * e))
        for b, e in zip(at, np.sqrt(np.diag(spread)), strict=True)
    ]
    return Line(ends[0], ends[1])


def cumulative_gain(
    outcome: ArrayLike,
    score: ArrayLike,
    cluster: ArrayLike,
    *,
    depths: tuple[float, ...] = DEPTHS,
    confidence: float = 0.95,
) -> Gain:
    """Which share of all outcomes the best-ranked people hold, at several depths of the list.

    People with equal scores at the cut are taken in part, so that the order of rows never matters. The error
    knows that the cut itself is estimated.

    Args:
        outcome: (n,) 0 or 1, or amounts of at least 0; not all nought.
        score: (n,) what people are ranked by, the highest first.
        cluster: (n,) integer codes of people who are alike.
        depths: Shares of the people, above 0 and below 1.
        confidence: Coverage of the intervals, depth by depth.

    Returns:
        One entry a depth.

    Raises:
        DesignError: Shapes or values that do not fit, nothing to find, or one cluster only.

    Source: the Lorenz curve's influence function, as in Goldie, Advances in Applied Probability 9 (1977), of
    outcomes concentrated along a score (Kakwani 1977).

    >>> cumulative_gain([1, 1, 0, 0], [0.9, 0.8, 0.2, 0.1], range(4), depths=(0.5,)).gain
    array([1.])
    """
    y, s = np.asarray(outcome, np.float64), np.asarray(score, np.float64)
    if y.shape != s.shape or y.ndim != 1 or not np.isfinite(s).all() or not np.all(np.isfinite(y) & (y >= 0)):
        raise DesignError.of(
            "Outcomes and scores do not fit", received=(y.shape, s.shape), allowed="(n,) each"
        )
    if not y.any():
        raise DesignError.of("There is nothing to find", allowed="some outcomes above nought")
    _check_depths(depths)
    codes, n_clusters = cluster_codes(cluster, y.size)
    order = np.argsort(-s, kind="stable")
    ranked = s[order]
    found, errors = [], []
    for depth in depths:
        taken, local = _taken(s, y, ranked, order, depth)
        gain = float(taken @ y / y.sum())
        influence = (taken * y - local * (taken - depth) - gain * y) / y.sum()
        u = cluster_sums(influence, codes, n_clusters)
        found.append(gain)
        errors.append(np.sqrt(u @ u * n_clusters / max(n_clusters - 1, 1)))
    gain_at, error = np.array(found), np.array(errors)
    half = t_quantile(confidence, max(n_clusters - 1, 1)) * error
    return Gain(
        np.array(depths), gain_at, error, np.maximum(gain_at - half, 0), np.minimum(gain_at + half, 1)
    )


def _check_depths(depths: tuple[float, ...]) -> None:
    if not all(0 < depth < 1 for depth in depths):
        raise DesignError.of("A depth is a share of the people", received=depths, allowed="above 0, below 1")


def _taken(s: Floats, y: Floats, ranked: Floats, order: Integers, depth: float) -> tuple[Floats, float]:
    """How much of each person the best `depth` holds, and the mean outcome at the cut."""
    n = s.size
    cut = ranked[min(int(np.ceil(depth * n)) - 1, n - 1)]
    above, equal = s > cut, s == cut
    part = (depth * n - above.sum()) / equal.sum()
    near = order[max(int(depth * n - 0.02 * n) - 1, 0) : int(depth * n + 0.02 * n) + 2]
    return above + part * equal, float(y[near].mean())


def judge_groups(
    outcome: ArrayLike,
    score: ArrayLike,
    loss: ArrayLike,
    group: ArrayLike,
    cluster: ArrayLike,
    *,
    n_groups: int,
) -> list[Group]:
    """How well a score does in each group of people.

    Args:
        outcome: (n,) 0 or 1, or amounts.
        score: (n,) the score, made without these outcomes.
        loss: (n,) each person's loss.
        group: (n,) codes 0 … n_groups - 1; other numbers are in no group.
        cluster: (n,) integer codes of people who are alike.
        n_groups: How many groups.

    Returns:
        One entry a group, in the order of the codes.

    Raises:
        DesignError: Shapes that do not fit.

    Source: calibration within groups: Kleinberg, Mullainathan & Raghavan, ITCS 2017, condition A.

    >>> judge_groups([0, 1], [0.5, 0.5], [0.7, 0.7], [0, 0], [0, 1], n_groups=1)[0].n
    2
    """
    y, p, l = (np.asarray(v, np.float64) for v in (outcome, score, loss))  # noqa: E741
    codes, homes = np.asarray(group), np.asarray(cluster)
    if not y.shape == p.shape == l.shape == codes.shape == homes.shape:
        raise DesignError.of("Groups do not fit", received=codes.shape, allowed=f"{y.shape}")
    found = []
    for k in range(n_groups):
        inside = codes == k
        found.append(_group(y[inside], p[inside], l[inside], homes[inside]))
    return found


def _group(y: Floats, p: Floats, loss: Floats, cluster: Integers) -> Group:
    none = Interval(*[float("nan")] * 4)
    if y.size < SMALLEST or np.unique(cluster).size < 2:
        middle = (float(y.mean()), float(p.mean())) if y.size else (float("nan"), float("nan"))
        return Group(y.size, *middle, none, none, float("nan"))
    both = np.isin(y, (0.0, 1.0)).all() and y.min() < y.max()
    order = auc(y, p) if both else float("nan")
    gap, lost = mean_interval(y - p, cluster), mean_interval(loss, cluster)
    return Group(y.size, float(y.mean()), float(p.mean()), gap, lost, order)
