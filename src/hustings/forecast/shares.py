"""Leads of the leaves ─► every place's share with its intervals, and its probability of coming first."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.special import expit, ndtr, ndtri

from hustings import stats
from hustings.forecast.tree import Tree
from hustings.stats.races import FloatArray

LEVELS = (0.025, 0.1, 0.5, 0.9, 0.975)
_DRAWS = 8_000


class Shares(NamedTuple):
    """One number for each place of the tree.

    Attributes:
        quantiles: (5, t) of our share, at 2.5, 10, 50, 90 and 97.5 %.
        p_win: (t,) probability of coming first (of passing the threshold).
    """

    quantiles: FloatArray
    p_win: FloatArray


def shares_of(
    tree: Tree,
    votes: FloatArray,
    mean: FloatArray,
    covariance: FloatArray,
    *,
    threshold: float | None,
    rng: np.random.Generator,
) -> Shares:
    """Share and probability of every place.

    Of two, the share of a leaf is logit-normal, exactly; that of a place that others are part of is to first
    order. With several rivals both are counted in draws.

    Args:
        tree: The places.
        votes: (p,) votes expected in each leaf.
        mean: (p, r) expected leads.
        covariance: (p r, p r).
        threshold: Share that wins, or None: the first does.
        rng: For the draws.

    Returns:
        One number for each place.
    """
    if mean.shape[1] == 1:
        centre, deviation = _leads(tree, votes, mean[:, 0], covariance)
        bar = 0.0 if threshold is None else np.log(threshold / (1 - threshold))
        sure = np.where(deviation > 0, deviation, 1e-9)
        return Shares(expit(centre + ndtri(LEVELS)[:, None] * deviation), ndtr((centre - bar) / sure))
    drawn = _drawn(tree, votes, mean, covariance, rng)
    ahead = drawn[:, :, 0] > (drawn[:, :, 1:].max(axis=2) if threshold is None else threshold)
    return Shares(np.quantile(drawn[:, :, 0], LEVELS, axis=0), ahead.mean(axis=0))


def _leads(
    tree: Tree, votes: FloatArray, mean: FloatArray, covariance: FloatArray
) -> tuple[FloatArray, FloatArray]:
    centre, variance = np.empty(len(tree.ids)), np.empty(len(tree.ids))
    centre[: tree.n_leaves], variance[: tree.n_leaves] = mean, np.diag(covariance)
    for place in range(tree.n_leaves, len(tree.ids)):
        inside = tree.below(place) > 0
        slope, constant = stats.polls.whole_slope(mean[inside], votes[inside])
        centre[place] = slope @ mean[inside] + constant
        variance[place] = slope @ covariance[np.ix_(inside, inside)] @ slope
    return centre, np.sqrt(np.maximum(variance, 0.0))


def _drawn(
    tree: Tree, votes: FloatArray, mean: FloatArray, covariance: FloatArray, rng: np.random.Generator
) -> FloatArray:
    """(n, t, r + 1) draws of all shares, ours first."""
    lower = stats.races.factor(covariance)
    leads = mean.ravel() + rng.standard_normal((_DRAWS, mean.size)) @ lower.T
    odds = np.exp(-leads.reshape(_DRAWS, *mean.shape))
    ours = 1 / (1 + odds.sum(axis=2))
    leaves = np.concatenate([ours[:, :, None], odds * ours[:, :, None]], axis=2)
    inner = [tree.below(place) * votes for place in range(tree.n_leaves, len(tree.ids))]
    together = [np.einsum("npr,p->nr", leaves, w / w.sum())[:, None] for w in inner]
    return np.concatenate([leaves, *together], axis=1)
