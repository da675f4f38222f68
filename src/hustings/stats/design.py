"""Drawing a test: units into arms, within blocks, again until the arms are alike."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from hustings.errors import DesignError
from hustings.stats.clusters import Floats, Integers, cluster_codes, cluster_sums


class Drawn(NamedTuple):
    """One accepted draw.

    Attributes:
        arm: (n,) code of each unit's arm.
        distance: How far the arms' covariates lie apart (Mahalanobis, all arms at once).
        p_value: Share of all draws whose arms would lie at least as far apart; NaN without covariates.
        n_draws: How often it was drawn, the accepted one included.
    """

    arm: Integers
    distance: float
    p_value: float
    n_draws: int


def draw_arms(shares: ArrayLike, block: ArrayLike, rng: np.random.Generator) -> Integers:
    """Units into arms by complete randomisation within blocks.

    In a block of n units every arm gets n times its share, rounded down or up at random so that each unit's
    chance is exactly the share: arm a gets floor(C_a + u) - floor(C_{a-1} + u), with C the cumulated n · share
    and u uniform. The u of all blocks are stratified, so that the arms' totals are as planned also where every
    block is small.

    Args:
        shares: (k,) planned shares, more than 0; they are scaled to sum to one.
        block: (n,) integer codes of the blocks; all alike for none.
        rng: Randomness.

    Returns:
        (n,) codes 0 … k - 1.

    Raises:
        DesignError: Fewer than two arms, a share of 0 or less, or codes that do not fit.

    Source: Madow, Annals of Mathematical Statistics 20 (1949), for systematic rounding; Gerber & Green, Field
    Experiments (2012), section 3.6.1.

    >>> np.bincount(draw_arms([2, 1, 1], np.zeros(8, int), np.random.default_rng(0))).tolist()
    [4, 2, 2]
    """
    planned = _shares(shares)
    codes, n_blocks = cluster_codes(np.asarray(block), np.asarray(block).size)
    n = np.bincount(codes, minlength=n_blocks)
    start = (rng.permutation(n_blocks) + rng.random(n_blocks)) / max(n_blocks, 1)
    reach = n[:, None] * np.concatenate([[0.0], np.cumsum(planned)])
    reach[:, -1] = n
    # A hair more than the rounding error of the cumulated shares.
    ends = np.floor(reach + start[:, None] + 1e-9).astype(np.int64)
    counts = np.diff(ends, axis=1)
    deck = np.repeat(np.tile(np.arange(planned.size), n_blocks), counts.ravel())
    arm = np.empty(codes.size, np.int64)
    arm[np.lexsort((rng.random(codes.size), codes))] = deck
    return arm


def draw_balanced(
    shares: ArrayLike,
    block: ArrayLike,
    covariates: ArrayLike,
    rng: np.random.Generator,
    *,
    accepted: float = 1.0,
    most_draws: int = 10_000,
) -> Drawn:
    """Draws until the arms' covariates lie as near each other as in the best share of draws.

    The distance of a draw is sum_a n_a (x̄_a - x̄)' S⁻¹ (x̄_a - x̄), with x less its block's mean and S its covariance:
    about chi-square with k (arms - 1) degrees of freedom, whose quantile of `accepted` is the threshold.
    Afterwards plain errors are too large rather than too small; the adjusted estimate gets the gain back.

    Args:
        shares: (k,) planned shares, more than 0.
        block: (n,) integer codes of the blocks.
        covariates: (n, p) what is known of each unit; NaN counts as the column's mean. May have no columns.
        rng: Randomness.
        accepted: Share of draws that would be accepted, in (0, 1]; 1 accepts the first.
        most_draws: After how many draws to give up.

    Returns:
        The draw.

    Raises:
        DesignError: Shares, codes or covariates that do not fit, or no draw is accepted.

    Source: Morgan & Rubin, Annals of Statistics 40 (2012), eq. 9; Li, Ding & Rubin, PNAS 115 (2018).

    >>> x = np.arange(40.0)[:, None]
    >>> drawn = draw_balanced([1, 1], np.zeros(40, int), x, np.random.default_rng(1), accepted=0.05)
    >>> bool(abs(x[drawn.arm == 1].mean() - x[drawn.arm == 0].mean()) < 1), drawn.p_value > 0.95
    (True, True)
    """
    from scipy.special import chdtrc, chdtri

    planned = _shares(shares)
    if not 0 < accepted <= 1:
        raise DesignError.of(
            "The share of draws that is accepted", received=accepted, allowed="above 0, at most 1"
        )
    white = _whitened(covariates, np.asarray(block))
    degrees = white.shape[1] * (planned.size - 1)
    most = float(chdtri(degrees, 1 - accepted)) if accepted < 1 and degrees else np.inf
    for n_draws in range(1, most_draws + 1):
        arm = draw_arms(planned, block, rng)
        distance = _distance(white, arm, planned.size)
        if distance <= most:
            p = float(chdtrc(degrees, distance)) if degrees else np.nan
            return Drawn(arm, distance, p, n_draws)
    raise DesignError.of(
        f"None of {most_draws:,} draws was as balanced as wished",
        received=accepted,
        then="accept a larger share of draws, or balance on fewer columns",
    )


def _shares(shares: ArrayLike) -> Floats:
    planned = np.asarray(shares, np.float64)
    if planned.ndim != 1 or planned.size < 2 or not (np.isfinite(planned).all() and np.all(planned > 0)):
        raise DesignError.of(
            "Shares do not fit", received=planned.tolist(), allowed="two arms or more, each above 0"
        )
    return planned / planned.sum()


def _whitened(covariates: ArrayLike, block: Integers) -> Floats:
    """Covariates less their block's mean, rotated and scaled to a covariance of one; collinear ones left out."""
    x = np.asarray(covariates, np.float64)
    codes, n_blocks = cluster_codes(block, block.size)
    if x.ndim != 2 or len(x) != codes.size or np.isinf(x).any():
        raise DesignError.of(
            "Covariates do not fit", received=x.shape, allowed=f"({codes.size}, p) numbers or NaN"
        )
    known = ~np.isnan(x)
    centre = np.where(known, x, 0.0).sum(0) / np.maximum(known.sum(0), 1)
    x = np.where(known, x - centre, 0.0)
    size = np.maximum(np.bincount(codes, minlength=n_blocks), 1)
    x = x - (cluster_sums(x, codes, n_blocks) / size[:, None])[codes]
    scale = np.sqrt((x**2).mean(0)) if len(x) else np.zeros(x.shape[1])
    x = x[:, scale > 1e-9 * (1 + np.abs(centre))]
    if not x.shape[1]:
        return x
    x = x / np.sqrt((x**2).mean(0))
    values, vectors = np.linalg.eigh(x.T @ x / max(len(x) - n_blocks, 1))
    kept = values > 1e-9 * len(values)
    return np.asarray(x @ vectors[:, kept] / np.sqrt(values[kept]))


def _distance(white: Floats, arm: Integers, n_arms: int) -> float:
    n = np.bincount(arm, minlength=n_arms)
    sums = cluster_sums(white, arm, n_arms)
    return float(np.sum(sums**2 / np.maximum(n, 1)[:, None]))
