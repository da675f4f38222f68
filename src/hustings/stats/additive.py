"""Sums of one function for each feature, as smooth as the data bear out: a table of bins for each."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from hustings.stats.clusters import Floats, Integers

# The roughest wave of a feature's function has three full periods over its people.
WAVES = 6
STEPS = 40


class Basis(NamedTuple):
    """What functions of the bins are made of.

    Attributes:
        columns: (q, k) values of each function in every bin; each has weighted mean 0.
        block: (k,) which functions share a prior.
    """

    columns: Floats
    block: Integers


def waves(sizes: list[int], missing: list[bool], weight: Floats, *, most: int = WAVES) -> Basis:
    """Cosine waves over the rank of each feature, the k-th with a prior deviation of 1 / k² of the first.

    So a function is a cubic smoothing spline in ranks, cut at the sixth wave; one prior for each feature.
    Missing values have a function of their own.

    Args:
        sizes: How many bins each feature has.
        missing: Whether the last bin of a feature is that of missing values.
        weight: (q,) the weight in each bin.
        most: At most so many waves for each feature.

    Returns:
        The basis.

    Source: Wahba, Spline Models for Observational Data (1990), section 2.1; cosines are the eigenfunctions.

    >>> waves([2], [False], np.array([1.0, 1.0])).columns.round(3).tolist()
    [[1.0], [-1.0]]
    """
    start = np.append(0, np.cumsum(sizes))
    columns: list[Floats] = []
    block: list[int] = []
    for j, size in enumerate(sizes):
        share = weight[start[j] : start[j + 1]]
        inner = share[: size - missing[j]]
        found = cosines(inner, most)
        wide = np.zeros((start[-1], found.shape[1]))
        # A wave's deviation is among all people, the missing ones at its mean.
        wide[start[j] : start[j] + len(inner)] = found * np.sqrt(share.sum() / max(inner.sum(), 1e-300))
        columns += list(wide.T)
        block += [j] * found.shape[1]
        if missing[j] and share[-1] > 0 and inner.sum() > 0:
            gone = np.zeros(size)
            gone[-1] = 1.0
            _append(columns, block, gone - share[-1] / share.sum(), share, (start[j], start[-1]), j, 1.0)
    return _basis(columns, block, start[-1])


def cosines(share: Floats, most: int) -> Floats:
    """Cosine waves over the ranks of one feature's bins, each with weighted mean 0 and deviation 1 / k².

    Args:
        share: (size,) the weight in each bin.
        most: At most so many waves.

    Returns:
        (size, waves): none where fewer than two bins hold anybody.

    >>> cosines(np.array([1.0, 1.0]), 6).round(3).tolist()
    [[1.0], [-1.0]]
    """
    count = min(int(np.count_nonzero(share)) - 1, most)
    if count < 1:
        return np.zeros((len(share), 0))
    total = share.sum()
    wave = np.arange(1, count + 1)
    found = np.cos(np.pi * np.outer((np.cumsum(share) - share / 2) / total, wave))
    found -= share @ found / total
    deviation = np.sqrt(share @ found**2 / total)
    found /= np.where(deviation > 1e-9, deviation, np.inf) * wave**2
    return np.asarray(found[:, deviation > 1e-9])


def _append(
    columns: list[Floats],
    block: list[int],
    values: Floats,
    share: Floats,
    place: tuple[int, int],
    own: int,
    deviation: float,
) -> None:
    size = np.sqrt(share @ values**2 / share.sum())
    if size > 1e-9 * (1 + np.abs(values).max()):
        whole = np.zeros(place[1])
        whole[place[0] : place[0] + len(values)] = values / size * deviation
        columns.append(whole)
        block.append(own)


def _basis(columns: list[Floats], block: list[int], q: int) -> Basis:
    if not columns:
        return Basis(np.zeros((q, 0)), np.zeros(0, np.int64))
    return Basis(
        np.column_stack(columns), np.unique(np.array(block), return_inverse=True)[1].astype(np.int64)
    )


class Fit(NamedTuple):
    """A fitted sum of functions.

    Attributes:
        mean: Its weighted mean.
        table: (q,) what each bin adds.
        mean_error: The standard error of the mean.
        root: (q, k) a square root of the table's posterior covariance: root @ root.T.
        variance: (blocks,) how far each block's functions are expected to reach.
    """

    mean: float
    table: Floats
    mean_error: float
    root: Floats
    variance: Floats


def fit_table(
    basis: Basis, cross: Floats, sums: Floats, total: float, noise: float, *, errors: bool = True
) -> Fit:
    """The sum of functions that the data bear out, each block shrunk by a variance found from the data.

    Coefficients of block b are N(0, v_b); the v_b maximise the marginal likelihood by MacKay's fixed point,
    v_b = |m_b|² / (d_b - tr(Σ_b) / v_b), with m and Σ the posterior mean and covariance. A block that shows
    nothing goes to zero.

    Args:
        basis: The functions.
        cross: (q, q) weights of each pair of bins (`bins.cross_sums`).
        sums: (q,) sums of weight × outcome in each bin.
        total: The sum of weights.
        noise: Variance of an outcome of weight 1.
        errors: Whether `root` is wanted; without it it has no columns.

    Returns:
        The fit, as a table of bins.

    Source: MacKay, Neural Computation 4 (1992), eq. 4.9; Wood, Li, Shaddick & Augustin, JASA 112 (2017), on
    sums over bins.

    >>> cross = np.diag([100.0, 100.0])
    >>> fit_table(waves([2], [False], np.array([100.0, 100])), cross, np.array([0.0, 100]), 200, 1.0).table.round(2)
    array([-0.49,  0.49])
    """
    from scipy.sparse import csr_array

    z, block = basis
    weight = np.diag(cross)
    # Every feature's bins hold everybody once.
    features = max(round(float(weight.sum() / total)), 1) if total > 0 else 1
    mean = float(sums.sum() / (features * total)) if total > 0 else 0.0
    error = float(np.sqrt(noise / total)) if total > 0 else np.inf
    if not z.shape[1] or noise <= 0:
        return Fit(mean, np.zeros(len(z)), error, np.zeros((len(z), 0)), np.zeros(0))
    # A function lives on its own feature's bins.
    thin = csr_array(z.T)
    gram, right = thin @ (thin @ cross).T, z.T @ (sums - mean * weight)
    size = np.bincount(block)
    start = noise / (np.bincount(block, weights=np.diag(gram)) / size)
    variance, least = start.copy(), 1e-4 * start
    identity, coefficient = np.eye(len(gram)), np.zeros(len(gram))
    for _ in range(STEPS):
        # A block that has gone to nothing stays there, and costs nothing from then on.
        there = np.flatnonzero((variance > least)[block])
        if not len(there):
            break
        root, own = np.sqrt(variance[block[there]]), block[there]
        inverse = np.linalg.inv(
            root[:, None] * gram[np.ix_(there, there)] * root / noise + identity[: len(there), : len(there)]
        )
        coefficient[:] = 0.0
        coefficient[there] = root * (inverse @ (root * right[there])) / noise
        kept = np.bincount(own, weights=np.diag(inverse), minlength=len(size))
        free = np.maximum(np.bincount(own, minlength=len(size)) - kept, 1e-12)
        new = np.maximum(np.bincount(block, weights=coefficient**2) / free, least)
        settled = np.abs(np.log(new / variance)).max() < 0.03
        variance = new
        if settled:
            break
    if not errors:
        return Fit(mean, z @ coefficient, error, np.zeros((len(z), 0)), variance)
    # A block that was found to be nothing may still be something: errors believe the blocks' mean variance.
    wide = np.sqrt(np.maximum(variance, variance.mean())[block])
    inverse = np.linalg.inv(wide[:, None] * gram * wide / noise + identity)
    half = np.linalg.cholesky((inverse + inverse.T) / 2)
    return Fit(mean, z @ coefficient, error, z @ (wide[:, None] * half), variance)
