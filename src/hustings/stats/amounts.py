"""Amounts that are mostly nought and otherwise skewed: expected values, their level, and how far off they are."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike

from hustings.errors import DesignError
from hustings.stats.clusters import Floats
from hustings.stats.logistic import Logistic, standardise

POWER = 1.5
"""Of the deviance: between Poisson's (1) and gamma's (2), which holds for amounts with noughts among them."""
_LEAST = 1e-9


@dataclass(frozen=True)
class LogAmounts:
    """A ridge regression of the logarithm of an amount above nought."""

    base: Logistic

    def predict(self, X: ArrayLike) -> Floats:
        """Expected logarithms.

        Args:
            X: (n, p) numbers, NaN where missing.

        Returns:
            (n,).

        Raises:
            DesignError: Another number of columns than the fit had, or infinite values.

        >>> fit_log_amounts([[1.0], [3.0]], [1.0, np.e**2], ridge=0.0).predict([[2.0]]).round(6)
        array([1.])
        """
        return np.asarray(self.base.design(X) @ self.base.coefficients, dtype=np.float64)

    def to_json(self) -> str:
        """The fit as JSON text, exact to the last bit.

        >>> fit = fit_log_amounts([[1.0], [3.0]], [1.0, 2.0], ridge=1.0)
        >>> LogAmounts.from_json(fit.to_json()).predict([[2.5]]) == fit.predict([[2.5]])
        array([ True])
        """
        return json.dumps({"log_amounts": self.base.to_json()})

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The fit that `to_json` wrote.

        >>> LogAmounts.from_json(fit_log_amounts([[1.0], [3.0]], [1.0, 2.0], ridge=1.0).to_json()).base.ridge
        1.0
        """
        return cls(Logistic.from_json(json.loads(text)["log_amounts"]))


@dataclass(frozen=True)
class Level:
    """The map ln m' = intercept + slope ln m, slope at least 0: it never reverses order."""

    intercept: float
    slope: float

    def apply(self, amount: ArrayLike) -> Floats:
        """Amounts put right.

        Args:
            amount: (n,) expected amounts, at least 0.

        Returns:
            (n,).

        Raises:
            DesignError: Amounts that are missing, infinite or below nought.

        >>> Level(np.log(2), 1.0).apply([3.0]).round(6)
        array([6.])
        """
        m = np.maximum(_amounts(amount), _LEAST)
        return np.asarray(np.exp(self.intercept + self.slope * np.log(m)), dtype=np.float64)


def fit_log_amounts(X: ArrayLike, amount: ArrayLike, *, ridge: float) -> LogAmounts:
    """A ridge regression of log amounts on standardised columns.

    Args:
        X: (n, p) numbers; NaN counts as the column's mean, and gives the column an indicator.
        amount: (n,) amounts above nought.
        ridge: At least 0, in people's information; never on the intercept.

    Returns:
        The fit.

    Raises:
        DesignError: Shapes that do not fit, or an amount that is missing, infinite or not above nought.

    Source: Hoerl & Kennard, Technometrics 12 (1970).

    >>> fit_log_amounts([[1.0], [3.0]], [1.0, np.e], ridge=0.0).predict([[1.0]]).round(6)
    array([0.])
    """
    y = _amounts(amount)
    if not y.size or y.min() <= 0:
        raise DesignError.of("Logarithms of amounts", allowed="amounts above nought, at least one")
    base = standardise(X)
    z = base.design(X)
    if len(z) != y.size:
        raise DesignError.of("Amounts do not fit", received=y.shape, allowed=f"({len(z)},)")
    penalty = np.full(z.shape[1], float(ridge))
    penalty[0] = 0.0
    gram = z.T @ z
    gram[np.diag_indices_from(gram)] += penalty + 1e-10 * max(float(gram.trace()), 1e-10)
    found = np.asarray(np.linalg.solve(gram, z.T @ np.log(y)), dtype=np.float64)
    return LogAmounts(Logistic(base.mean, base.scale, base.indicated, base.missing_rate, found, float(ridge)))


def smearing(amount: ArrayLike, expected_log: ArrayLike) -> float:
    """By what the exponential of an expected logarithm is multiplied to give an expected amount.

    The mean of exp(ln y - expected ln y): no distribution is assumed.

    Args:
        amount: (n,) amounts above nought.
        expected_log: (n,) their expected logarithms, best made without these amounts.

    Returns:
        At least about 1.

    Raises:
        DesignError: Shapes that do not fit, or an amount that is missing, infinite or not above nought.

    Source: Duan, JASA 78 (1983), equation 2.3.

    >>> round(smearing([1.0, np.e], [0.5, 0.5]), 4)
    1.1276
    """
    y, mu = _amounts(amount), np.asarray(expected_log, np.float64)
    if y.shape != mu.shape or not y.size or y.min() <= 0:
        raise DesignError.of("Logarithms of amounts", received=mu.shape, allowed="amounts above nought")
    return float(np.exp(np.log(y) - mu).mean())


def fit_level(amount: ArrayLike, expected: ArrayLike) -> Level:
    """The level and slope of expected amounts: afterwards their total is the total that was seen.

    Poisson's quasi-likelihood of E[y] = exp(a + b ln m), whose score equations make the totals equal; where b
    comes out negative it is 0.

    Args:
        amount: (n,) amounts, at least 0, not all nought.
        expected: (n,) what was expected of each, made without these amounts.

    Returns:
        The map.

    Raises:
        DesignError: Shapes that do not fit, all nought, or amounts that are missing, infinite or negative.

    Source: Wedderburn, Biometrika 61 (1974); Santos Silva & Tenreyro, Review of Economics and Statistics 88
    (2006).

    >>> fit_level([0.0, 4.0, 2.0, 6.0], [1.0, 1.0, 2.0, 2.0]).apply([1.0, 2.0]).round(3)
    array([2., 4.])
    """
    y, m = _amounts(amount), np.maximum(_amounts(expected), _LEAST)
    if y.shape != m.shape or not y.size:
        raise DesignError.of("Amounts do not fit", received=y.shape, allowed=f"{m.shape}")
    if not y.any():
        raise DesignError.of("Every amount is nought", allowed="some amounts above nought")
    x = np.log(m)
    centre, total = float(np.average(x, weights=np.maximum(y, 0))), float(y.sum())
    z = x - centre
    slope = 1.0 if np.ptp(z) > 1e-9 else 0.0
    # For each slope the best level is known: y.sum() / exp(slope z).sum(). One number is left to search.
    for _ in range(50):
        weight = np.exp(slope * (z - z.max()))
        share = weight / weight.sum()
        mean = float(share @ z)
        gradient = float(y @ z) - total * mean
        spread = total * float(share @ (z - mean) ** 2)
        step = gradient / spread if spread > 1e-12 * total else 0.0
        slope = max(slope + float(np.clip(step, -1, 1)), 0.0)
        if abs(step) < 1e-10:
            break
    level = np.log(total) - (np.log(np.exp(slope * (z - z.max())).sum()) + slope * z.max())
    return Level(float(level - slope * centre), float(slope))


def deviance(amount: ArrayLike, expected: ArrayLike, *, power: float = POWER) -> Floats:
    """Each person's deviance: a loss that the true mean makes smallest, and that one large gift does not rule.

    2 (y^(2-p) / ((1-p)(2-p)) - y m^(1-p) / (1-p) + m^(2-p) / (2-p)).

    Args:
        amount: (n,) amounts, at least 0.
        expected: (n,) what was expected; below 1e-9 counts as that.
        power: p, above 1 and below 2.

    Returns:
        (n,), in units of the amount to the power of 2 - p; 0 where the two are equal.

    Raises:
        DesignError: Shapes that do not fit, amounts that are missing, infinite or negative, or another power.

    Source: Tweedie (1984); Jørgensen, JRSS B 49 (1987), section 5; strictly consistent for the mean: Gneiting,
    JASA 106 (2011), theorem 7.

    >>> deviance([4.0, 0.0], [4.0, 4.0]).round(6)
    array([0., 8.])
    """
    y, m = _amounts(amount), np.maximum(_amounts(expected), _LEAST)
    if y.shape != m.shape:
        raise DesignError.of("Amounts do not fit", received=y.shape, allowed=f"{m.shape}")
    if not 1 < power < 2:
        raise DesignError.of("A power of the deviance", received=power, allowed="above 1, below 2")
    a, b = 1 - power, 2 - power
    return np.asarray(2 * (y**b / (a * b) - y * m**a / a + m**b / b), dtype=np.float64)


def bin_means(amount: ArrayLike, by: ArrayLike, new: ArrayLike, *, bins: int = 10) -> Floats:
    """A rule of thumb as an expected amount: the mean of the people who were alike by it.

    Args:
        amount: (n,) amounts of the people learned from.
        by: (n,) the rule's number for each, NaN where it has none, which is a bin of its own.
        new: (m,) the rule's number of the people to be told of.
        bins: Bins of equal counts, at most.

    Returns:
        (m,) means, each pulled to the mean of all as if ten more people of that mean stood in its bin.

    Raises:
        DesignError: Shapes that do not fit, or amounts that are missing, infinite or negative.

    Source: m-estimation of bin means: Cestnik, ECAI 1990.

    >>> bin_means(np.repeat([0.0, 10.0], 1000), np.repeat([1.0, 2.0], 1000), [2.0]).round(2)
    array([9.95])
    """
    y, x, z = _amounts(amount), np.asarray(by, np.float64), np.asarray(new, np.float64)
    if y.shape != x.shape or not y.size:
        raise DesignError.of("Amounts do not fit", received=y.shape, allowed=f"{x.shape}")
    known = x[~np.isnan(x)]
    distinct = np.unique(known)
    edges = (
        (distinct[1:] + distinct[:-1]) / 2
        if distinct.size <= bins
        else np.unique(np.quantile(known, np.linspace(0, 1, bins + 1)[1:-1]))
    )

    def bin_of(values: Floats) -> Floats:
        return np.where(np.isnan(values), edges.size + 1, np.searchsorted(edges, values, side="right"))

    size = edges.size + 2
    sums = np.bincount(bin_of(x), weights=y, minlength=size)
    return np.asarray(((sums + 10 * y.mean()) / (np.bincount(bin_of(x), minlength=size) + 10))[bin_of(z)])


def _amounts(amount: ArrayLike) -> Floats:
    y = np.asarray(amount, dtype=np.float64)
    if y.ndim != 1 or not np.isfinite(y).all():
        told = f"{int((~np.isfinite(y)).sum())} of {y.size} missing or infinite"
        raise DesignError.of("Amounts cannot be used", received=told, allowed="(n,) finite numbers")
    if y.size and y.min() < 0:
        raise DesignError.of("Amounts below nought", received=int((y < 0).sum()), allowed="0 or more")
    return y
