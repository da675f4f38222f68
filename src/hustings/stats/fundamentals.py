"""What is believed of an election before its polls: growth, approval and time in office; and earlier results."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq
from scipy.special import expit, logit

from hustings.errors import DesignError

Floats = NDArray[np.float64]

_STEP = 0.1


class Expected(NamedTuple):
    """A prediction by least squares.

    Attributes:
        value: What is expected.
        error: Standard deviation of the truth around it: the residuals' and the coefficients' errors.
        coefficients: (k,) of the regression.
        degrees: Degrees of freedom of the residuals.
    """

    value: float
    error: float
    coefficients: Floats
    degrees: int


class Leans(NamedTuple):
    """How far places are expected from the whole.

    Attributes:
        mean: (p,) expected lean, logit.
        error: Standard deviation of the truth around it, the same in all places.
        coefficients: (k,) of the latest lean and of those before.
    """

    mean: Floats
    error: float
    coefficients: Floats


class Correlated(NamedTuple):
    """How places move together.

    Attributes:
        matrix: (p, p) correlation, 1 on the diagonal.
        of_swings: Weight of the correlation of earlier swings.
        of_features: Weight of likeness in features.
        gain: Log density of a left-out election's swings, more than that of independent places.
    """

    matrix: Floats
    of_swings: float
    of_features: float
    gain: float


def expect(known: ArrayLike, outcome: ArrayLike, now: ArrayLike) -> Expected:
    """The next outcome by least squares, with its predictive error.

    error² = s² (1 + x'(X'X)⁻¹ x) · ν / (ν − 2): the residual variance, the leverage of what is extrapolated to, and
    the variance of Student's t with ν degrees of freedom.

    Args:
        known: (n, k) what was known before each earlier outcome, with a column of ones for a constant.
        outcome: (n,) earlier outcomes.
        now: (k,) what is known now.

    Returns:
        The prediction.

    Raises:
        DesignError: Fewer than k + 3 outcomes, columns that say the same, or shapes that do not fit.

    Source: Abramowitz, PS 41 (2008), for the predictors; Seber & Lee, Linear Regression Analysis (2003), 5.3.

    >>> found = expect([[1, 0], [1, 1], [1, 2], [1, 3], [1, 4]], [0, 1, 2, 3, 5], [1, 5])
    >>> round(found.value, 3), round(found.error, 3), found.degrees
    (5.8, 0.917, 3)
    """
    x, y, at = (np.asarray(v, np.float64) for v in (known, outcome, now))
    if x.ndim != 2 or y.shape != (len(x),) or at.shape != (x.shape[1],):
        raise DesignError.of(
            "Predictors and outcomes do not fit", received=f"{x.shape}, {y.shape}, {at.shape}"
        )
    if not (np.isfinite(x).all() and np.isfinite(y).all() and np.isfinite(at).all()):
        raise DesignError.of("A predictor or an outcome is not a finite number")
    degrees = len(x) - x.shape[1]
    if degrees < 3 or np.linalg.matrix_rank(x) < x.shape[1]:
        raise DesignError.of(
            "Too few earlier elections for so many predictors",
            received=f"{len(x)} elections, {x.shape[1]} predictors",
            allowed="three elections more than predictors that say different things",
        )
    inverse = np.linalg.inv(x.T @ x)
    slope = inverse @ x.T @ y
    residual = y - x @ slope
    variance = residual @ residual / degrees * (1 + at @ inverse @ at) * degrees / (degrees - 2)
    return Expected(float(at @ slope), float(np.sqrt(variance)), slope, degrees)


def winsorise(earlier: ArrayLike, now: float, share: float = 0.1) -> tuple[Floats, float]:
    """Numbers pulled in to the quantiles of the earlier ones, so that none is extrapolated to.

    Args:
        earlier: (n,) earlier values.
        now: The present one.
        share: What is cut at either end, 0–0.5.

    Returns:
        The earlier values and the present one, cut.

    >>> cut, now = winsorise([-9.0, *range(11), 19.0], -8.0)
    >>> round(float(cut[0]), 3), round(float(cut[-1]), 3), round(now, 3)
    (0.2, 9.8, 0.2)
    """
    values = np.asarray(earlier, np.float64)
    low, high = (float(np.quantile(values, at)) for at in (share, 1 - share))
    return np.clip(values, low, high), float(np.clip(now, low, high))


def expect_leans(leans: ArrayLike, depth: int = 2) -> Leans:
    """The next leans of all places, by pooled least squares on their latest ones.

    Args:
        leans: (t, p) logit of the share less that of the whole, by election, oldest first.
        depth: How many elections back the regression looks.

    Returns:
        Expected leans and their error. Fewer than depth + 2 elections: the latest lean, with the spread of changes.

    Raises:
        DesignError: Fewer than two elections, or fewer than two places.

    >>> found = expect_leans([[1.0, -1.0], [0.5, -0.5], [0.25, -0.25], [0.125, -0.125]], depth=1)
    >>> found.mean.tolist(), round(found.error, 6)
    ([0.0625, -0.0625], 0.0)
    """
    past = np.asarray(leans, np.float64)
    if past.ndim != 2 or min(past.shape) < 2 or not np.isfinite(past).all():
        raise DesignError.of(
            "Leans cannot be foretold",
            received=past.shape,
            allowed="two elections or more, of the same places",
        )
    if len(past) < depth + 2:
        changes = np.diff(past, axis=0)
        return Leans(past[-1], float(np.sqrt(np.mean(changes**2))), np.ones(1))
    known = np.stack([past[depth - 1 - lag : len(past) - 1 - lag].ravel() for lag in range(depth)], axis=1)
    truth = past[depth:].ravel()
    slope, *_ = np.linalg.lstsq(known, truth, rcond=None)
    residual = truth - known @ slope
    latest = np.stack([past[-1 - lag] for lag in range(depth)], axis=1)
    error = np.sqrt(residual @ residual / max(len(truth) - depth, 1))
    return Leans(latest @ slope, float(error), np.asarray(slope, np.float64))


def correlate(swings: ArrayLike, features: ArrayLike | None = None) -> Correlated:
    """The correlation of places: earlier swings, likeness in features, and each place by itself.

    C = a S + b K + (1 − a − b) I, with S the correlation of earlier swings, K = exp(−d² / 2 m) for standardised
    features at distance d with median m of d², and a, b those on a grid of 0.1 under which elections left out one at
    a time are likeliest, given all others. With fewer than three elections places are independent besides K.

    Args:
        swings: (t, p) change of each place's lean at earlier elections.
        features: (p, k) numbers by place; none when None.

    Returns:
        The correlation and the weights.

    Raises:
        DesignError: Shapes that do not fit.

    >>> found = correlate(np.array([[1.0, 1, -1, -1], [2, 2, -2, -2], [-1, -1, 1, 1]]) + 0.01)
    >>> bool(found.matrix[0, 1] > 0.5 > 0 > found.matrix[0, 2])
    True
    """
    past = np.asarray(swings, np.float64)
    if past.ndim != 2 or not np.isfinite(past).all():
        raise DesignError.of("Swings do not fit", received=past.shape, allowed="(elections, places)")
    places = past.shape[1]
    alike = (
        np.zeros((places, places))
        if features is None
        else _likeness(np.asarray(features, np.float64), places)
    )
    if len(past) < 3 or places < 3:
        weight = 0.3 if features is not None else 0.0
        return Correlated(weight * alike + (1 - weight) * np.eye(places), 0.0, weight, 0.0)
    apart = past - past.mean(axis=1, keepdims=True)
    scaled = apart / np.maximum(apart.std(axis=1, keepdims=True), 1e-12)
    others = [_correlation(np.delete(scaled, t, axis=0)) for t in range(len(scaled))]
    best = (0.0, 0.0, 0.0)
    for a in np.arange(0.0, 0.9, _STEP):
        for b in np.arange(0.0, 0.95 - a, _STEP) if features is not None else [0.0]:
            rest = (1 - a - b) * np.eye(places) + b * alike
            gain = float(np.mean([_density(z, a * s + rest) for z, s in zip(scaled, others, strict=True)]))
            best = max(best, (gain, float(a), float(b)))
    gain, a, b = best
    matrix = a * _correlation(scaled) + b * alike + (1 - a - b) * np.eye(places)
    return Correlated(matrix, a, b, gain)


def _likeness(features: Floats, places: int) -> Floats:
    if features.ndim != 2 or len(features) != places or not np.isfinite(features).all():
        raise DesignError.of(
            "Features do not fit", received=features.shape, allowed=f"({places}, k), all numbers"
        )
    scaled = (features - features.mean(axis=0)) / np.maximum(features.std(axis=0), 1e-12)
    squared = ((scaled[:, None, :] - scaled[None, :, :]) ** 2).sum(axis=2)
    alike: Floats = np.exp(-squared / (2 * max(float(np.median(squared)), 1e-12)))
    return alike


def _correlation(scaled: Floats) -> Floats:
    moment = scaled.T @ scaled / len(scaled) + 1e-9 * np.eye(scaled.shape[1])
    spread = np.sqrt(np.diag(moment))
    found: Floats = moment / np.outer(spread, spread)
    return found


def _density(z: Floats, covariance: Floats) -> float:
    """Log density up to a constant, with the variance that fits best."""
    root = np.linalg.cholesky(covariance + 1e-9 * np.eye(len(z)))
    half = np.linalg.solve(root, z)
    return -0.5 * len(z) * float(np.log(half @ half / len(z))) - float(np.log(np.diag(root)).sum())


class Believed(NamedTuple):
    """What is believed of every place before its polls.

    Attributes:
        mean: (p,) logit of the two-party share.
        covariance: (p, p) of it.
        leans: Where places are expected from the whole.
        correlated: How they move together.
    """

    mean: Floats
    covariance: Floats
    leans: Leans
    correlated: Correlated


def believe(
    shares: ArrayLike, votes: ArrayLike, whole: Expected, *, features: ArrayLike | None = None
) -> Believed:
    """The prior of every place: the whole as it is expected, and leans as earlier elections let expect.

    mean = level + lean, the level such that the places' shares add up to the whole's; covariance = error² 11' + e² C.

    Args:
        shares: (t, p) two-party shares at earlier elections, oldest first, strictly between 0 and 1.
        votes: (t, p) two-party votes there; the latest row also stands for the votes to come.
        whole: Expected logit of the whole's share, with its error.
        features: (p, k) numbers by place, known by then; none when None.

    Returns:
        The prior.

    Raises:
        DesignError: Shares outside 0–1, or shapes that do not fit.

    >>> shares = [[0.5, 0.5], [0.6, 0.4]]
    >>> found = believe(shares, np.ones((2, 2)), Expected(0.0, 0.1, np.zeros(0), 9))
    >>> found.mean.round(3).tolist()
    [0.405, -0.405]
    """
    share, weight = np.asarray(shares, np.float64), np.asarray(votes, np.float64)
    if share.ndim != 2 or weight.shape != share.shape or not ((share > 0) & (share < 1)).all():
        raise DesignError.of(
            "Earlier results do not fit",
            received=f"{share.shape}, {weight.shape}",
            allowed="(t, p) shares in 0–1",
        )
    total = (share * weight).sum(axis=1) / weight.sum(axis=1)
    past = logit(share) - logit(total)[:, None]
    leans = expect_leans(past)
    correlated = correlate(np.diff(past, axis=0), features)
    mean = leans.mean + level_of(leans.mean, weight[-1], float(expit(whole.value)))
    covariance = whole.error**2 + leans.error**2 * correlated.matrix
    return Believed(mean, covariance, leans, correlated)


def level_of(leans: ArrayLike, votes: ArrayLike, share: float) -> float:
    """The logit that, added to all leans, makes the whole's share what it is to be.

    Args:
        leans: (p,) logits.
        votes: (p,) votes of each place.
        share: Of the whole, strictly between 0 and 1.

    Returns:
        The level.

    >>> round(level_of([0.0, 0.0], [1, 1], 0.6), 4)
    0.4055
    """
    apart, weight = np.asarray(leans, np.float64), np.asarray(votes, np.float64)
    weight = weight / weight.sum()
    reach = float(np.abs(apart).max()) + 1
    target = float(logit(share))
    return float(brentq(lambda x: weight @ expit(apart + x) - share, target - reach, target + reach))
