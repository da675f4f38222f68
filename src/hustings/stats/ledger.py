"""How right expectations have been: what was predicted against what was measured, over many decisions."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hustings.errors import DesignError
from hustings.stats.clusters import t_quantile

Floats = NDArray[np.float64]
_ROUNDS = 200


class Coefficient(NamedTuple):
    """An estimate with its standard error and its interval."""

    estimate: float
    std_error: float
    low: float
    high: float


class Line(NamedTuple):
    """Measured on predicted: a random-effects meta-regression.

    Attributes:
        intercept: What is measured where nothing is predicted.
        slope: What is measured more where one more is predicted; 1 where expectations are right.
        spread: Standard deviation of what is measured around the line, beyond its own errors.
        k: Decisions.
    """

    intercept: Coefficient
    slope: Coefficient
    spread: float
    k: int


def calibration_line(
    predicted: ArrayLike, measured: ArrayLike, std_error: ArrayLike, *, confidence: float = 0.95
) -> Line:
    """Measured gains on predicted ones, when each measurement has a known error and an independent control group.

    measured_i = intercept + slope × predicted_i + u_i + e_i, u ~ N(0, spread²), e_i ~ N(0, SE_i²); the spread by
    restricted maximum likelihood, errors by Knapp & Hartung's weighted residuals (never made smaller by them) with
    t(k - 2). A prediction was made before the measurement: what it leaves open is in u, and does not flatten the line.

    Args:
        predicted: (k,) predictions, k ≥ 3, not all the same.
        measured: (k,) measurements, in the same unit.
        std_error: (k,) their standard errors, above 0.
        confidence: Coverage of the intervals.

    Returns:
        The line.

    Raises:
        DesignError: Too few, other shapes, no number, errors that are not above 0, or one prediction only.

    Source: Knapp & Hartung, Statistics in Medicine 22 (2003), eq. 6–8; REML by Fisher scoring, Viechtbauer, J.
    Statistical Software 36 (2010), section 2; Berkson, JASA 45 (1950), on error in what is predicted.

    >>> found = calibration_line([0.0, 1.0, 2.0, 3.0], [0.1, 1.0, 1.9, 3.1], [0.2] * 4)
    >>> round(found.slope.estimate, 2), found.spread
    (0.99, 0.0)
    """
    x, y, error = _checked(predicted, measured, std_error, least=3)
    if np.ptp(x) <= 1e-12 * max(float(np.abs(x).max()), 1e-300):
        raise DesignError.of("All predictions are the same", received=float(x[0]), allowed="two or more")
    design, v = np.column_stack([np.ones(x.size), x]), error**2
    tau2 = _reml(design, y, v)
    weight = 1 / (v + tau2)
    inverse = np.linalg.inv(design.T @ (weight[:, None] * design))
    beta = inverse @ design.T @ (weight * y)
    residual = y - design @ beta
    factor = max(1.0, float(weight @ residual**2) / (x.size - 2))
    errors = np.sqrt(np.diag(inverse) * factor)
    reach = t_quantile(confidence, x.size - 2)
    found = [
        Coefficient(float(b), float(e), float(b - reach * e), float(b + reach * e))
        for b, e in zip(beta, errors, strict=True)
    ]
    return Line(found[0], found[1], float(np.sqrt(tau2)), x.size)


def excess_error(
    predicted: ArrayLike,
    measured: ArrayLike,
    std_error: ArrayLike,
    *,
    by_precision: bool = False,
    confidence: float = 0.95,
) -> Coefficient:
    """The mean of error² - SE²: what expectations are wrong by, once the measurements' own chance is taken off.

    A measurement differs from a right expectation by its standard error alone, and the mean is 0. Where expectations
    are wrong by a standard deviation d, it is d². It may come out below 0 by chance, and is not cut there.

    Args:
        predicted: (k,) predictions, k ≥ 2.
        measured: (k,) measurements.
        std_error: (k,) their standard errors, above 0.
        by_precision: Whether each decision counts by 1 / SE⁴, the inverse of twice the variance that chance gives its
            error²; else all alike, and a few small lists can drown the rest.
        confidence: Coverage of the interval.

    Returns:
        In squared units; its error by the spread between decisions.

    Raises:
        DesignError: Too few, other shapes, no number, or errors that are not above 0.

    Source: the method of moments of Cochran, J. Royal Statistical Society Suppl. 4 (1937), around known means.

    >>> round(excess_error([1.0, 2.0], [2.0, 1.0], [0.5, 0.5]).estimate, 3)
    0.75
    """
    x, y, error = _checked(predicted, measured, std_error, least=2)
    each = (y - x) ** 2 - error**2
    weight = 1 / error**4 if by_precision else np.ones(each.size)
    weight = weight / weight.sum()
    mean = float(weight @ each)
    wrong = float(np.sqrt(np.sum((weight * (each - mean)) ** 2) * each.size / (each.size - 1)))
    reach = t_quantile(confidence, each.size - 1) * wrong
    return Coefficient(mean, wrong, mean - reach, mean + reach)


def _reml(design: Floats, y: Floats, v: Floats) -> float:
    """The variance around the line, at least 0."""
    k, p = design.shape
    ordinary = y - design @ np.linalg.lstsq(design, y, rcond=None)[0]
    tau2 = max(0.0, float(ordinary @ ordinary) / (k - p) - float(v.mean()))
    for _ in range(_ROUNDS):
        weight = 1 / (v + tau2)
        weighted = weight[:, None] * design
        project = np.diag(weight) - weighted @ np.linalg.inv(design.T @ weighted) @ weighted.T
        against = project @ y
        score = float(against @ against) - float(np.trace(project))
        new = max(0.0, tau2 + score / float((project * project).sum()))
        if abs(new - tau2) < 1e-12 * (1 + tau2) + 1e-10 * float(v.min()):
            return new
        tau2 = new
    return tau2


def _checked(
    predicted: ArrayLike, measured: ArrayLike, std_error: ArrayLike, *, least: int
) -> tuple[Floats, Floats, Floats]:
    x, y, e = (np.asarray(one, np.float64) for one in (predicted, measured, std_error))
    if x.ndim != 1 or not x.shape == y.shape == e.shape or x.size < least:
        got = f"{x.shape}, {y.shape}, {e.shape}"
        raise DesignError.of("Too few decisions", received=got, allowed=f"(k,) of each, k ≥ {least}")
    if not (np.isfinite(x).all() and np.isfinite(y).all() and np.isfinite(e).all() and (e > 0).all()):
        raise DesignError.of("Predictions and measurements are finite, and their errors above 0")
    return x, y, e
