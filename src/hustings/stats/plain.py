"""The plain score: the outcome that is expected of each person whatever is done, and how much it varies."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hustings.stats.additive import fit_table, waves
from hustings.stats.bins import Bins, Bytes, bin_sums, cross_sums, look_up
from hustings.stats.clusters import Floats, Integers
from hustings.stats.contrasts import Numbers

# Bins of the plain score.
SCORE_BINS = 32
# Of more people, pairs of bins are counted on evenly spaced ones for the plain score; sums of outcomes on all.
COUNTED = 200_000
# No person counts as more certain than this share of the mean variance.
LEAST_VARIANCE = 0.05


@dataclass(frozen=True)
class Plain:
    """The plain score: the expected outcome whatever the arm, as a sum of tables of bins.

    Attributes:
        bins: How features become bins.
        mean: The mean outcome.
        table: (q,) what each bin adds.
        edges: Inner edges of the score's own bins.
        variance: The outcome's variance in each bin of the score.
    """

    bins: Bins
    mean: float
    table: Floats
    edges: NDArray[np.float32]
    variance: NDArray[np.float32]

    def described(self, X: ArrayLike) -> tuple[Bytes, Numbers, Numbers]:
        """Bins with the score's last, variances, and scores, of these people."""
        codes = np.concatenate([self.bins.codes(X), np.zeros((1, len(np.asarray(X))), np.uint8)])
        score = look_up(codes[:-1], self.bins.sizes, self.table) + np.float32(self.mean)
        codes[-1] = score_bins(score, self.edges)
        return codes, self.variance[codes[-1]], score


def score_bins(score: Numbers, edges: NDArray[np.float32]) -> NDArray[np.uint8]:
    """The bin of each score.

    >>> score_bins(np.array([0.1, 0.9], np.float32), np.array([0.5], np.float32))
    array([0, 1], dtype=uint8)
    """
    found = np.zeros(len(score), np.uint8)
    for edge in edges:
        found += score > edge
    return found


def fit_plain(
    known: Bytes, bins: Bins, y: NDArray[np.float32], part: Integers, folds: int
) -> tuple[Numbers, Numbers, Plain]:
    """Expected outcomes and their variances by fits without a person's fold, and the fit of everybody.

    A sum of smooth functions of the features, shrunk by variances found from the data (`additive.fit_table`), on
    everyone whatever the arm. The variance at a score is a quadratic in the score, fitted to the mean squared residuals
    of its bins: exact for a share, where it is m - m². It too leaves the person's fold out: where treatment changes
    chances, squared residuals go with readings, and a variance that had seen a fold would help to rank it.

    Args:
        known: (p, n) bins of the features, in the order of `part`.
        bins: How they were made.
        y: (n,) outcomes.
        part: (n,) ascending parts 0 … 2 folds - 1.
        folds: How many folds, each of two parts.

    Returns:
        (n,) scores, (n,) variances, and the fit of everybody.

    >>> x = np.arange(400.0)[:, None]
    >>> from hustings.stats.bins import fit_bins
    >>> bins = fit_bins(x)
    >>> y = (x[:, 0] > 199).astype(np.float32)
    >>> part = np.repeat(np.arange(4), 100)
    >>> fit_plain(bins.codes(x), bins, y, part, 2)[0].shape
    (400,)
    """
    n, sizes = len(y), bins.sizes
    step = max(n // COUNTED, 1)
    cross = cross_sums(np.ascontiguousarray(known[:, ::step]), sizes) * (n / len(range(0, n, step)))
    basis = waves(sizes, list(bins.missing), np.diag(cross))
    ends = np.searchsorted(part, np.arange(0, 2 * folds + 1, 2))
    spans = [slice(int(ends[k]), int(ends[k + 1])) for k in range(folds)]
    sums = np.array([bin_sums(known[:, rows], sizes, y[rows]) for rows in spans])
    total = sums.sum(0)
    score = np.empty(n, np.float32)
    for k, rows in enumerate(spans):
        left = 1 - (rows.stop - rows.start) / n
        noise = float(np.var(np.concatenate([y[: rows.start], y[rows.stop :]]), dtype=np.float64))
        fit = fit_table(basis, cross * left, total - sums[k], n * left, noise)
        score[rows] = look_up(known[:, rows], sizes, fit.table) + np.float32(fit.mean)
    whole = fit_table(basis, cross, total, float(n), float(np.var(y, dtype=np.float64)))
    edges = np.quantile(score[::step], np.arange(1, SCORE_BINS) / SCORE_BINS).astype(np.float32)
    at = score_bins(score, edges)
    square = (y - score) ** 2
    counts = np.array([np.bincount(at[rows], minlength=SCORE_BINS) for rows in spans], np.float64)
    squares = np.array([np.bincount(at[rows], weights=square[rows], minlength=SCORE_BINS) for rows in spans])
    middle = np.bincount(at, weights=score, minlength=SCORE_BINS) / np.maximum(counts.sum(0), 1)
    variance = np.empty(n, np.float32)
    for k, rows in enumerate(spans):
        apart = _smoothed(middle, counts.sum(0) - counts[k], squares.sum(0) - squares[k])
        variance[rows] = apart[at[rows]]
    every_one = _smoothed(middle, counts.sum(0), squares.sum(0))
    return score, variance, Plain(bins, whole.mean, whole.table, edges, every_one)


def _smoothed(score: Floats, count: Floats, square: Floats) -> Numbers:
    """The variance in each bin: a quadratic in the score by weighted least squares, held above a floor."""
    mean = float(square.sum() / count.sum())
    wide = float(np.ptp(score)) or 1.0
    design = np.vander((score - score.mean()) / wide, 3)
    root = np.sqrt(count)
    known = square / np.maximum(count, 1)
    found = np.linalg.lstsq(design * root[:, None], known * root, rcond=None)[0]
    return np.maximum(design @ found, LEAST_VARIANCE * mean).astype(np.float32)
