"""Lifts within the blocks of a draw: every arm compared with the control of its own block."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hustings.stats.clusters import Floats, Integers, arm_codes, cluster_codes, t_quantile
from hustings.stats.comparisons import Lifts, p_value
from hustings.stats.means import finite_outcome


def within_blocks(
    outcome: ArrayLike,
    arm: ArrayLike,
    block: ArrayLike,
    cluster: ArrayLike,
    *,
    n_arms: int,
    control: int = 0,
    confidence: float = 0.95,
) -> Lifts:
    """Each arm's difference from control within blocks, with cluster-robust errors.

    Least squares of the outcome on arm dummies and block effects, solved through the table of blocks by arms.
    The covariance is (D'D)⁻¹ (sum_g s_g s_g') (D'D)⁻¹ G / (G - B - K), with D the arm dummies less their
    block's means, s_g a cluster's summed scores, G clusters, B blocks with several arms and K arms besides
    control. Counting the blocks keeps the error right for pairs, where it would otherwise be √2 too small;
    where clusters reach over blocks the factor is G / (G - 1).

    Args:
        outcome: (n,) 0/1 or amounts; NaN where it is missing.
        arm: (n,) integer codes 0 … n_arms - 1.
        block: (n,) integer codes of the block within which units were drawn.
        cluster: (n,) integer codes of the randomised unit.
        n_arms: How many arms were planned, control included.
        control: Control's code.
        confidence: Coverage of the intervals.

    Returns:
        As `difference_in_means`; `mean_control` is the plain mean and `mean_arm` is it plus the lift. Blocks
        that hold one arm only say nothing and are left out of the counts.

    Raises:
        DesignError: Lengths, codes or values that do not fit.

    Source: Gerber & Green, Field Experiments (2012), section 4.5; de Chaisemartin & Ramirez-Cuellar, AEJ Applied
    16 (2024), for pairs.

    >>> lifts = within_blocks([1.0, 2, 5, 6.5, 9, 9.5], [0, 1] * 3, [0, 0, 1, 1, 2, 2], range(6), n_arms=2)
    >>> round(float(lifts.estimate[0]), 3), round(float(lifts.std_error[0]), 3)
    (1.0, 0.289)
    """
    y = finite_outcome(outcome)
    cluster_codes(np.asarray(cluster), y.size)
    cluster_codes(np.asarray(block), y.size)
    arms = arm_codes(arm, y.size, n_arms, control)
    used = ~np.isnan(y)
    missing = np.bincount(arms[~used], minlength=n_arms)
    used[used] = _several_arms(np.asarray(block)[used], arms[used], n_arms)
    y, arms = y[used], arms[used]
    others = np.array([code for code in range(n_arms) if code != control], dtype=np.int64)
    n = np.bincount(arms, minlength=n_arms)
    if not y.size or not n[control]:
        return _nothing(others, n, missing, control, "no block holds control and another arm")
    blocks, n_blocks = cluster_codes(np.asarray(block)[used], y.size)
    clusters, n_clusters = cluster_codes(np.asarray(cluster)[used], y.size)
    counts = _table(np.ones(y.size), blocks, arms, (n_blocks, n_arms))
    size = counts.sum(axis=1)
    share = counts.multiply(1.0 / size[:, None]).tocsr()[:, others]
    own = counts[:, others]
    gram = np.diag(n[others].astype(np.float64)) - (own.T @ share).toarray()
    inside = y - (np.bincount(blocks, y) / size)[blocks]
    moment = np.bincount(arms, inside, minlength=n_arms)[others]
    inverse = np.linalg.pinv(gram, rcond=1e-10, hermitian=True)
    effect: Floats = inverse @ moment
    told = np.zeros(n_arms)
    told[others] = effect
    residual = inside - told[arms] + (share @ effect)[blocks]
    by_arm = _table(residual, clusters, arms, (n_clusters, n_arms))[:, others]
    by_block = _table(residual, clusters, blocks, (n_clusters, n_blocks))
    score = by_arm - by_block @ share
    meat = np.asarray((score.T @ score).toarray())
    degrees, factor = _degrees(clusters, blocks, n_clusters, n_blocks, len(others))
    variance = np.diag(inverse @ meat @ inverse) * factor
    identified = (np.diag(gram) > 1e-9 * max(float(n.max()), 1.0)) & (n[others] > 0)
    base = float(y[arms == control].mean())
    numbers = _numbers(effect, np.where(identified, variance, np.nan), degrees, confidence)
    reasons = [_why_not(n[code], missing[code], row) for code, row in zip(others, numbers, strict=True)]
    return Lifts(
        others, numbers[:, 0], numbers[:, 1], numbers[:, 2], numbers[:, 3],
        np.full(len(others), n[control]), n[others], np.full(len(others), base), base + numbers[:, 0],
        missing[others], reasons, int(missing[control]), numbers[:, 4], np.full(len(others), n_clusters),
    )  # fmt: skip


def _several_arms(block: Integers, arms: Integers, n_arms: int) -> NDArray[np.bool_]:
    """Whether each person's block holds more than one arm."""
    codes, n_blocks = cluster_codes(block, block.size)
    pairs = np.unique(codes * n_arms + arms)
    return np.bincount(pairs // n_arms, minlength=n_blocks)[codes] > 1


def _table(values: Floats, rows: Integers, columns: Integers, shape: tuple[int, int]) -> Any:
    """Sums of values by row and column."""
    from scipy.sparse import csr_array

    return csr_array((values, (rows, columns)), shape=shape)


def _degrees(
    clusters: Integers, blocks: Integers, n_clusters: int, n_blocks: int, n_effects: int
) -> tuple[int, float]:
    """Degrees of freedom, and the factor of the variance for few clusters."""
    nested = len(np.unique(clusters * n_blocks + blocks)) == n_clusters
    left = n_clusters - n_blocks - n_effects if nested else n_clusters - 1
    return left, n_clusters / left if left > 0 else np.nan


def _numbers(effect: Floats, variance: Floats, degrees: int, confidence: float) -> Floats:
    """Estimate, error, low, high and p-value of each arm; NaN where there is no error."""
    told = np.full((effect.size, 5), np.nan)
    for row, (estimate, square) in enumerate(zip(effect, variance, strict=True)):
        if square > 1e-26 * max(estimate**2, 1e-12) and degrees > 0:
            error = float(np.sqrt(square))
            half = t_quantile(confidence, degrees) * error
            told[row] = estimate, error, estimate - half, estimate + half, p_value(estimate / error, degrees)
    return told


def _why_not(n: int, missing: int, row: Floats) -> str | None:
    if not n:
        return "the arm has nobody with the outcome" if missing else "no block holds the arm and another one"
    if np.isnan(row[1]):
        return "too few clusters, or too little variation within blocks, to compute its error"
    return None


def _nothing(others: Integers, n: Integers, missing: Integers, control: int, why: str) -> Lifts:
    none = np.full(len(others), np.nan)
    zeros = np.zeros(len(others), np.int64)
    return Lifts(
        others, none, none, none, none, np.full(len(others), n[control]), n[others], none, none,
        missing[others], [why] * len(others), int(missing[control]), none, zeros,
    )  # fmt: skip
