"""Pairs of features: whether their cells show more than the sum of two functions, and surfaces over those that do."""

from __future__ import annotations

from typing import Any

import numpy as np

from hustings.stats.additive import Basis, cosines
from hustings.stats.bins import Bytes, bin_sums
from hustings.stats.clusters import Floats
from hustings.stats.contrasts import Contrast, Numbers, Sums

# Of the pairs that are kept, at most this share is expected to be chance; and at most so many are kept.
FALSE_PAIRS, PAIRS = 0.3, 8
# Waves of a pair's surface along each feature.
SURFACE = 4

Pair = tuple[int, int]


def cell_shape(sizes: list[int], pair: Pair) -> Pair:
    """How many bins of either feature make a pair's cells: neighbours are joined until there are at most 256.

    >>> cell_shape([17, 17], (0, 1))
    (9, 17)
    """
    a, b = sizes[pair[0]], sizes[pair[1]]
    while a * b > 256:
        a, b = ((a + 1) // 2, b) if a >= b else (a, (b + 1) // 2)
    return a, b


def cell_codes(codes: Bytes, sizes: list[int], pairs: Any) -> tuple[Bytes, list[int]]:
    """The cells of each pair as further rows of bins, and how many each has.

    >>> cell_codes(np.array([[0, 1], [1, 1]], np.uint8), [2, 2], [(0, 1)])
    (array([[1, 3]], dtype=uint8), [4])
    """
    found = np.empty((len(pairs), codes.shape[1]), np.uint8)
    counts = []
    for k, pair in enumerate(pairs):
        shape = cell_shape(sizes, pair)
        one, other = (_joined(codes[row], sizes[row], want) for row, want in zip(pair, shape, strict=True))
        np.multiply(one, np.uint8(shape[1]), out=found[k])
        found[k] += other
        counts.append(shape[0] * shape[1])
    return found, counts


def _joined(column: Bytes, size: int, want: int) -> Bytes:
    while size > want:
        column, size = column // 2, (size + 1) // 2
    return column


def _part_cells(contrast: Contrast, part: int, pair: Pair) -> Bytes:
    rows = contrast.parts[part]
    return cell_codes(contrast.codes[:, rows], contrast.sizes, [pair])[0]


def _cell_sums(contrast: Contrast, parts: list[int], pair: Pair) -> tuple[Floats, Floats]:
    """Sums of readings and of weights in the cells of a pair."""
    shape = cell_shape(contrast.sizes, pair)
    readings, weights = np.zeros(shape), np.zeros(shape)
    for part in parts:
        key = (pair, part)
        if key not in contrast.kept:
            rows, cells = contrast.parts[part], _part_cells(contrast, part, pair)
            contrast.kept[key] = tuple(
                bin_sums(cells, [readings.size], values[rows]).reshape(shape)
                for values in (contrast.reading, contrast.weight)
            )
        own = contrast.kept[key]
        readings += own[0]
        weights += own[1]
    return readings, weights


def passing(contrast: Contrast, parts: list[int], rows: list[int], noise: float) -> list[Pair]:
    """The pairs of these rows whose cells show more than chance.

    In the table of a pair's cells the best sum of one function of either feature is taken away. What is left is
    weighed by waves along both, slow ones more, and the weighted sum of squares compared with what noise would
    give (Satterthwaite's chi-square). Pairs pass by the rule of Benjamini & Hochberg.

    Args:
        contrast: The trial.
        parts: The parts to look at.
        rows: Rows of codes to pair.
        noise: Variance of a reading of weight 1.

    Returns:
        The pairs, strongest first.

    Source: Benjamini & Hochberg, JRSS B 57 (1995); Satterthwaite, Biometrics Bulletin 2 (1946).
    """
    pairs = [(max(a, b), min(a, b)) for k, a in enumerate(rows) for b in rows[:k]]
    chance = np.array([_chance(*_cell_sums(contrast, parts, pair), noise) for pair in pairs])
    order = np.argsort(chance, kind="stable")
    limit = FALSE_PAIRS * np.arange(1, len(pairs) + 1) / max(len(pairs), 1)
    passed = np.flatnonzero(chance[order] <= limit)
    return [pairs[k] for k in order[: int(passed.max()) + 1 if len(passed) else 0][:PAIRS]]


def _chance(readings: Floats, weights: Floats, noise: float) -> float:
    """The chance of so much interaction in a table of cells where there is none."""
    from scipy.special import gammaincc

    keep = np.ix_(weights.sum(1) > 0, weights.sum(0) > 0)
    readings, weights = readings[keep], weights[keep]
    one, other = (cosines(side, SURFACE) for side in (weights.sum(1), weights.sum(0)))
    if not one.shape[1] or not other.shape[1] or noise <= 0:
        return 1.0
    left = readings - weights * _two_way(readings, weights)
    square = (one.T @ left @ other) ** 2 / ((one**2).T @ weights @ other**2) / noise
    slow = 1.0 / np.outer(np.arange(1, one.shape[1] + 1), np.arange(1, other.shape[1] + 1)) ** 2
    scale = float((slow**2).sum() / slow.sum())
    degrees = float(slow.sum() ** 2 / (slow**2).sum())
    return float(gammaincc(degrees / 2, float((slow * square).sum()) / scale / 2))


def _two_way(readings: Floats, weights: Floats) -> Floats:
    """The weighted least-squares sum of a function of the row and one of the column."""
    a, b = weights.shape
    normal = np.zeros((a + b, a + b))
    normal[:a, :a], normal[a:, a:] = np.diag(weights.sum(1)), np.diag(weights.sum(0))
    normal[:a, a:], normal[a:, :a] = weights, weights.T
    normal[np.diag_indices(a + b)] += 1e-9 * weights.sum() / (a * b)
    found = np.linalg.solve(normal, np.append(readings.sum(1), readings.sum(0)))
    return np.asarray(found[:a, None] + found[a:])


def with_pairs(contrast: Contrast, parts: list[int], sums: Sums, pairs: list[Pair]) -> Sums:
    """The sums with the cells of pairs as further bins."""
    q = len(sums.right)
    counts = [int(np.prod(cell_shape(contrast.sizes, pair))) for pair in pairs]
    start = q + np.append(0, np.cumsum(counts))
    cross = np.zeros((start[-1], start[-1]))
    cross[:q, :q] = sums.cross
    right = np.append(sums.right, np.zeros(start[-1] - q))
    for k, pair in enumerate(pairs):
        at = slice(start[k], start[k + 1])
        readings, weights = _cell_sums(contrast, parts, pair)
        right[at] = readings.ravel()
        cross[at, at] = np.diag(weights.ravel())
        for j in range(len(contrast.sizes)):
            low = sum(contrast.sizes[:j])
            cross[at, low : low + contrast.sizes[j]] = _between(contrast, parts, pair, j)
        for other in range(k):
            cross[at, start[other] : start[other + 1]] = _between(contrast, parts, pair, pairs[other])
        cross[: start[k], at] = cross[at, : start[k]].T
    return sums._replace(cross=cross, right=right)


def _between(contrast: Contrast, parts: list[int], pair: Pair, other: int | Pair) -> Floats:
    """Weights in the cells of a pair and the bins of a row, or the cells of another pair."""
    if isinstance(other, tuple) and other > pair:
        return _between(contrast, parts, other, pair).T
    size = int(np.prod(cell_shape(contrast.sizes, pair)))
    more = (
        contrast.sizes[other] if isinstance(other, int) else int(np.prod(cell_shape(contrast.sizes, other)))
    )
    total = np.zeros((size, more))
    for part in parts:
        key = (pair, other, part)
        if key not in contrast.kept:
            contrast.kept[key] = _crossed(contrast, part, pair, other, (size, more))
        total += contrast.kept[key]
    return total


def _crossed(contrast: Contrast, part: int, pair: Pair, other: int | Pair, shape: Pair) -> Numbers:
    rows = contrast.parts[part]
    one = _part_cells(contrast, part, pair)[0]
    two = contrast.codes[other, rows] if isinstance(other, int) else _part_cells(contrast, part, other)[0]
    joint = one.astype(np.int32) * np.int32(shape[1]) + two
    found = np.bincount(joint, weights=contrast.weight[rows], minlength=shape[0] * shape[1])
    return found.reshape(shape).astype(np.float32)


def surfaces(plain: Basis, sizes: list[int], weight: Floats, pairs: list[Pair]) -> Basis:
    """The basis of the features' functions with surfaces of pairs: products of waves, a prior for each pair."""
    q = len(plain.columns)
    columns = [np.vstack([plain.columns, np.zeros((len(weight) - q, plain.columns.shape[1]))])]
    block = [plain.block]
    start = q
    for k, pair in enumerate(pairs):
        shape = cell_shape(sizes, pair)
        cell = weight[start : start + shape[0] * shape[1]].reshape(shape)
        one, other = (cosines(side, SURFACE) for side in (cell.sum(1), cell.sum(0)))
        values = np.einsum("ai,bj->abij", one, other).reshape(cell.size, -1)
        values -= cell.ravel() @ values / cell.sum()
        wide = np.zeros((len(weight), values.shape[1]))
        wide[start : start + cell.size] = values
        columns.append(wide)
        block.append(np.full(values.shape[1], (plain.block.max() if len(plain.block) else -1) + 1 + k))
        start += cell.size
    return Basis(np.concatenate(columns, axis=1), np.concatenate(block))
