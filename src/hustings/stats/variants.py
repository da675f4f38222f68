"""What each variant of a message brought, and how variants differ: amounts with heavy tails, hundreds of variants."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hustings.errors import DesignError
from hustings.stats.clusters import Integers, arm_codes, cluster_codes

Floats = NDArray[np.float64]


class Variants(NamedTuple):
    """What each variant's recipients did; arrays with one entry per variant.

    Attributes:
        n: Recipients whose outcome is known.
        n_units: Their randomised units.
        n_missing: Recipients whose outcome is not known.
        n_responders: Recipients whose outcome is not 0.
        mean: Mean outcome a recipient; NaN where nobody is.
        std_error: Its clustered standard error, of the variant's own outcomes.
        steady_error: The same with a variance pulled to that of all variants: one large gift makes no variant
            uncertain, nor its absence certain.
    """

    n: Integers
    n_units: Integers
    n_missing: Integers
    n_responders: Integers
    mean: Floats
    std_error: Floats
    steady_error: Floats


class Differences(NamedTuple):
    """Each variant less one of them; NaN where `reason` is text, and for that one itself."""

    estimate: Floats
    std_error: Floats
    low: Floats
    high: Floats
    reason: list[str | None]


def variant_means(outcome: ArrayLike, arm: ArrayLike, cluster: ArrayLike, *, n_arms: int) -> Variants:
    """Mean outcome of each variant with its clustered error.

    A unit with people in several variants counts in each as a unit of its own: errors of differences are then a
    little too wide, where the people of a unit are alike.

    Args:
        outcome: (n,) 0/1 or amounts; NaN where it is not known.
        arm: (n,) integer codes 0 … n_arms - 1.
        cluster: (n,) integer codes of the randomised unit.
        n_arms: How many variants there are.

    Returns:
        One entry per variant.

    Raises:
        DesignError: Lengths, codes or values (an infinite amount) that do not fit.

    Source: Liang & Zeger, Biometrika 73 (1986), of a mean. The variances are pulled to their mean as in Smyth,
    Statistical Applications in Genetics 3 (2004), by moments: the sampling variance of a variance is (κ - 1) / G of
    its square, with κ the kurtosis over all variants.

    >>> found = variant_means([0, 2, 1, 3], [0, 0, 1, 1], range(4), n_arms=2)
    >>> found.mean, found.std_error
    (array([1., 2.]), array([1., 1.]))
    """
    y = np.asarray(outcome, np.float64)
    arms = arm_codes(arm, y.size, n_arms, 0)
    if y.ndim != 1 or np.isinf(y).any():
        raise DesignError.of("Outcomes do not fit", received=y.shape, allowed="(n,) finite numbers or NaN")
    known = ~np.isnan(y)
    n_missing = np.bincount(arms[~known], minlength=n_arms)
    units, n_all = cluster_codes(np.asarray(cluster), y.size)
    y, arms, units = y[known], arms[known], units[known]
    n = np.bincount(arms, minlength=n_arms)
    mean = _ratio(np.bincount(arms, weights=y, minlength=n_arms), n)
    own, _ = cluster_codes(arms * max(n_all, 1) + units, len(y))
    of = np.zeros(own.max() + 1 if len(own) else 0, np.int64)
    of[own] = arms
    size = np.bincount(own, minlength=len(of))
    influence = np.bincount(own, weights=y, minlength=len(of)) - (mean[of] * size if len(of) else 0.0)
    n_units = np.bincount(of, minlength=n_arms)
    square = np.bincount(of, weights=influence**2, minlength=n_arms)
    fourth = np.bincount(of, weights=influence**4, minlength=n_arms)
    variance = _ratio(square, n) * _ratio(n_units, n_units - 1.0)
    steady = _steady(variance, n, n_units, fourth.astype(np.float64))
    return Variants(
        n,
        n_units,
        n_missing,
        np.bincount(arms[y != 0], minlength=n_arms),
        mean,
        np.sqrt(_ratio(variance, n)),
        np.sqrt(_ratio(steady, n)),
    )


def differences(variants: Variants, control: int, *, confidence: float = 0.95) -> Differences:
    """Each variant's mean less control's, with Welch's interval.

    Args:
        variants: The variants.
        control: The one that the others are read against.
        confidence: Coverage of the intervals.

    Returns:
        One entry per variant. An interval of one variant's mean alone is not given: of heavy-tailed gifts it covers
        far too seldom, while in a difference of two the skewness cancels.

    Source: Welch, Biometrika 34 (1947).

    >>> found = differences(variant_means([0, 2, 1, 3], [0, 0, 1, 1], range(4), n_arms=2), 0)
    >>> round(float(found.estimate[1]), 1), round(float(found.std_error[1]), 3)
    (1.0, 1.414)
    """
    from scipy.special import stdtrit

    reason = [_why_not(variants, control, code) for code in range(len(variants.n))]
    squares = variants.std_error**2
    total = squares + squares[control]
    freedom = np.maximum(variants.n_units - 1.0, 1.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        degrees = total**2 / (squares**2 / freedom + squares[control] ** 2 / freedom[control])
        half = stdtrit(np.maximum(degrees, 1.0), 0.5 + confidence / 2) * np.sqrt(total)
    estimate = variants.mean - variants.mean[control]
    none = np.array([why is not None or code == control for code, why in enumerate(reason)])
    given = (estimate, np.sqrt(total), estimate - half, estimate + half)
    shown = [np.where(none, np.nan, one) for one in given]
    return Differences(shown[0], shown[1], shown[2], shown[3], reason)


def remove_send(outcome: ArrayLike, arm: ArrayLike, send: ArrayLike, *, n_arms: int, n_sends: int) -> Floats:
    """Outcomes less what each send brought to everyone, so that variants sent in other shares can be compared.

    The least-squares fit of arm + send; its send effects, of mean 0 over people, are taken off.

    Args:
        outcome: (n,) numbers; NaN is left alone.
        arm: (n,) integer codes.
        send: (n,) integer codes of the sends.
        n_arms: How many variants.
        n_sends: How many sends.

    Returns:
        (n,) outcomes.

    Raises:
        DesignError: The sends have no variants in common, so that nothing tells a good send from a good variant.

    >>> remove_send([1.0, 2, 11, 12], [0, 1, 0, 1], [0, 0, 1, 1], n_arms=2, n_sends=2).round(9).tolist()
    [6.0, 7.0, 6.0, 7.0]
    """
    y = np.asarray(outcome, np.float64)
    arms, sends = np.asarray(arm, np.int64), np.asarray(send, np.int64)
    if n_sends == 1:
        return y
    known = ~np.isnan(y)
    cell = arms[known] * n_sends + sends[known]
    n = np.bincount(cell, minlength=n_arms * n_sends).reshape(n_arms, n_sends).astype(np.float64)
    total = np.bincount(cell, weights=y[known], minlength=n_arms * n_sends).reshape(n_arms, n_sends)
    used = n.sum(1) > 0
    share = n[used] / n[used].sum(1, keepdims=True)
    normal = np.diag(n.sum(0)) - n[used].T @ share
    right = total.sum(0) - share.T @ total[used].sum(1)
    here = n.sum(0) > 0
    if np.linalg.matrix_rank(normal[np.ix_(here, here)] / max(n.sum(), 1.0), tol=1e-10) < here.sum() - 1:
        raise DesignError.of(
            "The sends have no variants in common",
            then="send some of the earlier variants along, or read the sends as tests of their own",
        )
    effect = np.linalg.lstsq(normal, right, rcond=None)[0]
    effect -= n.sum(0) @ effect / n.sum()
    return y - effect[sends]


def _ratio(above: ArrayLike, below: ArrayLike) -> Floats:
    a, b = np.asarray(above, np.float64), np.asarray(below, np.float64)
    return np.divide(a, b, out=np.full(np.broadcast(a, b).shape, np.nan), where=b > 0)


def _steady(variance: Floats, n: Integers, n_units: Integers, fourth: Floats) -> Floats:
    """Variances pulled to their mean by what of their differences is chance."""
    good = n_units > 1
    if not good.any():
        return variance
    weight = n_units[good] - 1.0
    common = float(weight @ variance[good] / weight.sum())
    if common <= 0:
        return np.zeros(len(n))
    size = n[good].sum() / n_units[good].sum()
    kurtosis = max(float(fourth[good].sum() / n_units[good].sum() / (common * size) ** 2), 1.0)
    chance = common**2 * (kurtosis - 1) / n_units[good]
    apart = variance[good] - common
    between = max(0.0, float(np.mean(apart**2 - chance)))
    steady = np.full(len(n), common)
    steady[good] = common + between / (between + chance) * apart if between else common
    return steady


def _why_not(variants: Variants, control: int, code: int) -> str | None:
    for name, one in (("control", control), ("the variant", code)):
        if variants.n[one] == 0:
            missing = variants.n_missing[one]
            return f"{name} has nobody with the outcome" if missing else f"{name} went to nobody"
        if variants.n_units[one] < 2:
            return f"{name} has one unit only, so its error cannot be computed"
    if code != control and variants.std_error[control] == 0 == variants.std_error[code]:
        return "the outcome does not vary, so its error cannot be computed"
    return None
