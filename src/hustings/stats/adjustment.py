"""Lifts made sharper by what was known before: covariates, an earlier outcome, and the blocks of the draw."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hustings.errors import DesignError
from hustings.stats.clusters import Floats, Integers, arm_codes, cluster_codes
from hustings.stats.comparisons import Arms, Lifts, compare_arms
from hustings.stats.means import finite_outcome

_ROWS = 16_384
"""Rows at a time: a block of some twenty columns stays in the processor's cache."""


class Cuped(NamedTuple):
    """An outcome less what was foreseen.

    Attributes:
        outcome: (n,) what is left, with the same mean over everyone; NaN where the outcome is missing.
        slope: (k,) of each covariate.
        variance_left: Share of the variance within arms that is left, 0 to 1.
    """

    outcome: Floats
    slope: Floats
    variance_left: float


def adjusted_difference(
    outcome: ArrayLike,
    covariates: ArrayLike,
    arm: ArrayLike,
    cluster: ArrayLike,
    *,
    n_arms: int,
    control: int = 0,
    confidence: float = 0.95,
) -> Lifts:
    """Each arm's mean outcome less control's, both at the covariates of everyone in the test.

    A regression in each arm on covariates centred at the mean of all arms (analysis of covariance with
    interactions); the lift is the difference of intercepts. It never loses precision in large samples, whether
    or not the regression is right. Errors are clustered: sum_g (sum_{i in g} a_i e_i)² G / (G - 1 - k), with e
    the residual, a_i the intercept's row of (X'X)⁻¹ times x_i, and k the covariates.

    Args:
        outcome: (n,) 0/1 or amounts; NaN where it is missing.
        covariates: (n, k) numbers known before treatment, in any float type; NaN counts as the column's mean.
        arm: (n,) integer codes 0 … n_arms - 1.
        cluster: (n,) integer codes of the randomised unit.
        n_arms: How many arms were planned, control included.
        control: Control's code.
        confidence: Coverage of the intervals.

    Returns:
        As `difference_in_means`, the means being adjusted ones; an arm with too few clusters for its
        covariates has a reason. Constant and collinear columns are left out.

    Raises:
        DesignError: Lengths, codes or values that do not fit.

    Source: Lin, Annals of Applied Statistics 7 (2013), eq. 3 and section 4; Su & Ding, JRSS B 83 (2021), for clusters.

    >>> x = np.arange(12.0)[:, None]
    >>> noise = np.tile([0.1, -0.1, -0.1, 0.1], 3)
    >>> lifts = adjusted_difference(2 * x[:, 0] + noise + [0.0, 1] * 6, x, [0, 1] * 6, range(12), n_arms=2)
    >>> round(float(lifts.estimate[0]), 2), bool(lifts.std_error[0] < 0.2)
    (1.0, True)
    """
    y = finite_outcome(outcome)
    x = _covariates(covariates, y.size)
    codes, n_clusters = cluster_codes(np.asarray(cluster), y.size)
    arms = arm_codes(arm, y.size, n_arms, control)
    known = ~np.isnan(y)
    centre, scale = _centre(x)
    gram, moment, n = _normal_equations(x, y, arms, known, n_arms, centre, scale)
    kept = _independent(gram.sum(0))
    coefficients = np.zeros((n_arms, x.shape[1] + 1))
    rows = np.zeros((n_arms, x.shape[1] + 1))
    for code in range(n_arms):
        if n[code] > kept.size:
            # The pseudo-inverse serves a column that is constant within one small arm.
            inverse = np.linalg.pinv(gram[code][np.ix_(kept, kept)], rcond=1e-12, hermitian=True)
            coefficients[code, kept] = inverse @ moment[code, kept]
            rows[code, kept] = inverse[0]
    influence = _influence(x, y, arms, known, coefficients, rows, centre, scale)
    mean = np.where(n > 0, coefficients[:, 0], np.nan)
    missing = np.bincount(arms, minlength=n_arms) - n
    spent = np.full(n_arms, kept.size - 1)
    parts = Arms(mean, n, missing, spent, influence, known)
    return compare_arms(parts, arms, codes, n_clusters, control=control, confidence=confidence)


def cuped(outcome: ArrayLike, covariates: ArrayLike, arm: ArrayLike, *, n_arms: int) -> Cuped:
    """The outcome less what an earlier measurement foretold of it, one slope for all arms.

    y - (x - mean x) θ, with θ the slope within arms. `difference_in_means` of it is the analysis of covariance
    without interactions; it spends one coefficient where `adjusted_difference` spends one for each arm.

    Args:
        outcome: (n,) numbers; NaN where missing.
        covariates: (n, k) numbers known before treatment; NaN counts as the column's mean.
        arm: (n,) integer codes 0 … n_arms - 1.
        n_arms: How many arms were planned.

    Returns:
        The outcome that is left, the slopes, and how much variance is left.

    Raises:
        DesignError: Lengths, codes or values that do not fit.

    Source: Deng, Xu, Kohavi & Walker, WSDM 2013, section 3.

    >>> found = cuped([1.0, 2, 3, 5, 6, 7], [[1.0], [2], [3], [1], [2], [3]], [0, 0, 0, 1, 1, 1], n_arms=2)
    >>> found.slope.round(6).tolist(), round(found.variance_left, 6)
    ([1.0], 0.0)
    """
    y = finite_outcome(outcome)
    x = np.asarray(_covariates(covariates, y.size), np.float64)
    arms = arm_codes(arm, y.size, n_arms, 0)
    known = ~np.isnan(y)
    centre, _ = _centre(x)
    x = np.where(np.isnan(x), 0.0, x - centre)
    n = np.maximum(np.bincount(arms[known], minlength=n_arms), 1)
    inside = x[known] - _arm_means(x[known], arms[known], n)[arms[known]]
    left = y[known] - _arm_means(y[known][:, None], arms[known], n)[arms[known], 0]
    slope = np.linalg.lstsq(inside, left, rcond=1e-9)[0]
    total = float(left @ left)
    rest = left - inside @ slope
    return Cuped(y - x @ slope, slope, float(rest @ rest) / total if total > 0 else 1.0)


def _arm_means(x: Floats, arms: Integers, n: Integers) -> Floats:
    return np.stack([np.bincount(arms, column, minlength=n.size) for column in x.T], axis=1) / n[:, None]


def _covariates(covariates: ArrayLike, n: int) -> NDArray[np.floating]:
    x = np.asarray(covariates)
    if x.dtype not in (np.float32, np.float64):
        x = x.astype(np.float64)
    if x.ndim != 2 or x.shape[0] != n:
        raise DesignError.of("Covariates do not fit", received=x.shape, allowed=f"({n}, k) numbers")
    return x


def _centre(x: NDArray[np.floating]) -> tuple[Floats, Floats]:
    """Mean and standard deviation of each column over everyone, NaN left out."""
    n, sums, squares = (np.zeros(x.shape[1]) for _ in range(3))
    shift = np.zeros(x.shape[1])
    for start in range(0, len(x), _ROWS):
        part = x[start : start + _ROWS].astype(np.float64)
        unknown = None
        # A sum is not finite as soon as one of its numbers is not.
        if not np.isfinite(part.sum()):
            unknown = np.isnan(part)
            part[unknown] = 0.0
            if not np.isfinite(part.sum()):
                raise DesignError.of(
                    "Covariates do not fit", received="an infinite one", allowed="numbers or NaN"
                )
        if start == 0:
            # Sums of squares are exact only near zero.
            shift = part.mean(0)
        part -= shift
        n += len(part)
        if unknown is not None:
            part[unknown] = 0.0
            n -= unknown.sum(0)
        sums += part.sum(0)
        squares += np.einsum("ij,ij->j", part, part)
    mean = sums / np.maximum(n, 1)
    spread = np.sqrt(np.maximum(squares / np.maximum(n, 1) - mean**2, 0.0))
    return shift + mean, np.where(spread > 1e-9 * (1 + np.abs(shift + mean)), spread, 0.0)


def _blocks(x: NDArray[np.floating], centre: Floats, scale: Floats) -> Iterator[tuple[slice, Floats]]:
    """Blocks of rows as (m, 1 + k): a one, and the covariates in standard deviations from their mean."""
    inverse = np.divide(1.0, scale, out=np.zeros_like(scale), where=scale > 0)
    for start in range(0, len(x), _ROWS):
        part = np.empty((min(_ROWS, len(x) - start), x.shape[1] + 1))
        part[:, 0] = 1.0
        np.subtract(x[start : start + _ROWS], centre, out=part[:, 1:])
        part[:, 1:] *= inverse
        if np.isnan(part.sum()):
            part[np.isnan(part)] = 0.0
        yield slice(start, start + len(part)), part


def _normal_equations(
    x: NDArray[np.floating],
    y: Floats,
    arms: Integers,
    known: NDArray[np.bool_],
    n_arms: int,
    centre: Floats,
    scale: Floats,
) -> tuple[Floats, Floats, Integers]:
    """X'X and X'y of each arm, and its people with the outcome known."""
    size = x.shape[1] + 1
    gram, moment = np.zeros((n_arms, size, size)), np.zeros((n_arms, size))
    for rows, part in _blocks(x, centre, scale):
        order = np.argsort(np.where(known[rows], arms[rows], n_arms).astype(np.int16), kind="stable")
        ends = np.searchsorted(np.where(known[rows], arms[rows], n_arms)[order], np.arange(n_arms + 1))
        sorted_part, told = part[order], y[rows][order]
        for code in range(n_arms):
            own = slice(ends[code], ends[code + 1])
            if own.stop > own.start:
                gram[code] += sorted_part[own].T @ sorted_part[own]
                moment[code] += told[own] @ sorted_part[own]
    return gram, moment, np.rint(gram[:, 0, 0]).astype(np.int64)


def _independent(gram: Floats) -> Integers:
    """The columns that no earlier column already says, the intercept always among them."""
    left = gram / max(gram[0, 0], 1.0)
    kept = []
    for j in range(len(left)):
        if left[j, j] > 1e-7:
            kept.append(j)
            left = left - np.outer(left[:, j], left[j]) / left[j, j]
    return np.array(kept or [0])


def _influence(
    x: NDArray[np.floating],
    y: Floats,
    arms: Integers,
    known: NDArray[np.bool_],
    coefficients: Floats,
    rows: Floats,
    centre: Floats,
    scale: Floats,
) -> Floats:
    """(n,) what each person adds to the error of their arm's intercept."""
    found = np.empty(y.size)
    for where, part in _blocks(x, centre, scale):
        own = arms[where]
        place = np.arange(len(own)), own
        if len(coefficients) <= 32:
            fitted, lever = (part @ coefficients.T)[place], (part @ rows.T)[place]
        else:
            fitted, lever = (np.einsum("ij,ij->i", part, m[own]) for m in (coefficients, rows))
        found[where] = (y[where] - fitted) * lever
    if not known.all():
        found[~known] = 0.0
    return found
