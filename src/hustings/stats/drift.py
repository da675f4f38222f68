"""How far a distribution has moved since a model learned from it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from hustings.errors import DesignError

# A share of nought would make the index infinite: half a person is added to every bin.
_HALF = 0.5


class Drift(NamedTuple):
    """The population stability index, and what chance alone would make of it."""

    value: float
    by_chance: float


def stability_index(before: ArrayLike, after: ArrayLike, *, bins: int = 10) -> Drift:
    """The population stability index: how differently two groups of people are spread over the same bins.

    sum over bins of (a - b) ln(a / b), a and b the shares of the two groups: the sum of both Kullback-Leibler
    divergences. Bins hold equal counts of `before`; whoever is not known (NaN) has a bin of their own. By a
    custom of credit scoring, below 0.1 is called stable and above 0.25 a shift.

    Args:
        before: (n,) numbers of the people that were learned from, NaN where not known.
        after: (m,) numbers of the people today.
        bins: How many bins, at most; equal numbers share one.

    Returns:
        The index; and its mean if nothing had moved, about (bins - 1) (1 / n + 1 / m).

    Raises:
        DesignError: Nobody on one side, infinite numbers, or fewer than two bins.

    Source: Kullback & Leibler, AMS 22 (1951), the divergence J; as the index of credit scoring Siddiqi, Credit
    Risk Scorecards (2006), chapter 9; its mean by chance Yurdakul, Western Michigan University (2018).

    >>> stability_index(np.arange(1000), np.arange(1000)).value
    0.0
    """
    old, new = (np.asarray(side, dtype=np.float64) for side in (before, after))
    if old.ndim != 1 or new.ndim != 1 or not old.size or not new.size:
        raise DesignError.of("Nobody to compare", received=(old.shape, new.shape), allowed="(n,) and (m,)")
    if np.isinf(old).any() or np.isinf(new).any():
        raise DesignError.of("Infinite numbers cannot be binned", allowed="finite numbers, or NaN")
    if bins < 2:
        raise DesignError.of("Too few bins", received=bins, allowed="2 or more")
    edges = _edges(old, bins)
    counts = [_counts(side, edges) for side in (old, new)]
    used = (counts[0] + counts[1]) > 0
    a, b = ((c[used] + _HALF) / (c[used] + _HALF).sum() for c in counts)
    chance = (int(used.sum()) - 1) * (1 / old.size + 1 / new.size)
    return Drift(float(((b - a) * np.log(b / a)).sum()), float(chance))


def _edges(values: np.ndarray, bins: int) -> np.ndarray:
    """Where one bin ends and the next begins: quantiles, or halfway between few distinct values."""
    known = values[~np.isnan(values)]
    if not known.size:
        return np.empty(0)
    distinct = np.unique(known)
    if distinct.size <= bins:
        return (distinct[1:] + distinct[:-1]) / 2
    return np.unique(np.quantile(known, np.linspace(0, 1, bins + 1)[1:-1]))


def _counts(values: np.ndarray, edges: np.ndarray) -> np.ndarray:
    known = ~np.isnan(values)
    found = np.bincount(np.searchsorted(edges, values[known], side="right"), minlength=edges.size + 1)
    return np.append(found, np.sum(~known)).astype(np.float64)
