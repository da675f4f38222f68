"""Which features a score rests on: each person's score as a sum of what each feature adds to it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from hustings.errors import DesignError
from hustings.stats.clusters import Floats
from hustings.stats.logistic import Logistic

# Below this rank correlation between a feature and what it adds, no single direction is named.
CLEAR = 0.3


class Importance(NamedTuple):
    """What one feature does to a score, in the score's own scale (log-odds).

    Attributes:
        feature: Its column.
        size: Mean absolute contribution.
        std_error: Its standard error over the people looked at.
        direction: 1 where more of it raises the score, -1 where it lowers it, 0 where neither is clear.
        low: Mean contribution among the fifth with the least of it.
        high: Mean contribution among the fifth with the most of it.
    """

    feature: int
    size: float
    std_error: float
    direction: int
    low: float
    high: float


def linear_contributions(fit: Logistic, X: ArrayLike) -> Floats:
    """What each feature of a logistic regression adds to each person's log-odds, against the average person.

    A feature's indicator of being missing counts as the feature's. For independent features these are the
    exact Shapley values.

    Args:
        fit: The regression.
        X: (n, p) numbers, NaN where missing.

    Returns:
        (n, p + 1), the last column the intercept; rows add up to the log-odds.

    Raises:
        DesignError: Another number of columns than the fit had.

    Source: Štrumbelj & Kononenko, Knowledge and Information Systems 41 (2014), section 3.1.

    >>> from hustings.stats.logistic import fit_logistic
    >>> fit = fit_logistic([[1.0], [3.0], [5.0]], [0, 1, 1], ridge=1.0)
    >>> bool(linear_contributions(fit, [[3.0]])[0, 0] == 0)
    True
    """
    added = fit.design(X) * fit.coefficients
    p = fit.mean.size
    found = np.column_stack([added[:, 1 : p + 1], added[:, 0]])
    for k, column in enumerate(fit.indicated):
        found[:, column] += added[:, 1 + p + k]
    return np.asarray(found, dtype=np.float64)


def rank_features(contributions: ArrayLike, X: ArrayLike) -> list[Importance]:
    """The features from the most to the least important.

    Args:
        contributions: (n, p + 1) from `linear_contributions` or `Boosted.contributions`; the last column is
            the same for everybody and is left out.
        X: (n, p) the features, NaN where missing.

    Returns:
        One entry a feature.

    Raises:
        DesignError: Shapes that do not fit, or fewer than two people.

    Source: mean |SHAP value|: Lundberg et al., Nature Machine Intelligence 2 (2020).

    >>> x = np.arange(10.0)[:, None]
    >>> found = rank_features(np.column_stack([-x, np.zeros(10)]), x)
    >>> found[0].size, found[0].direction
    (4.5, -1)
    """
    added, x = np.asarray(contributions, np.float64), np.asarray(X, np.float64)
    if added.ndim != 2 or x.ndim != 2 or added.shape != (x.shape[0], x.shape[1] + 1) or len(x) < 2:
        raise DesignError.of(
            "Contributions do not fit", received=added.shape, allowed=f"({len(x)}, {x.shape[-1] + 1})"
        )
    found = [_importance(j, added[:, j], x[:, j]) for j in range(x.shape[1])]
    return sorted(found, key=lambda one: -one.size)


def _importance(feature: int, added: Floats, x: Floats) -> Importance:
    size = np.abs(added)
    known = ~np.isnan(x)
    direction, low, high = 0, float("nan"), float("nan")
    if known.sum() > 1:
        value, effect = x[known], added[known]
        fifths = np.quantile(value, [0.2, 0.8])
        low, high = float(effect[value <= fifths[0]].mean()), float(effect[value >= fifths[1]].mean())
        together = _correlation(_ranks(value), _ranks(effect))
        direction = int(np.sign(together)) if abs(together) >= CLEAR else 0
    error = float(size.std(ddof=1) / np.sqrt(size.size))
    return Importance(feature, float(size.mean()), error, direction, low, high)


def _ranks(values: Floats) -> Floats:
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[inverse]


def _correlation(a: Floats, b: Floats) -> float:
    spread = float(a.std() * b.std())
    return float(((a - a.mean()) * (b - b.mean())).mean()) / spread if spread else 0.0
