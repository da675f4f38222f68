"""Features as a few quantile bins of a byte each, and the sums over bins that fits are made of."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hustings.errors import DesignError
from hustings.stats.clusters import Floats

Bytes = NDArray[np.uint8]

# Rows that are worked on at once: their bins stay in the processor's cache.
BLOCK = 65_536
# Rows from which quantiles are read: an edge is then off by a few thousandths of a share, which changes nothing.
SAMPLE = 100_000


class Bins(NamedTuple):
    """How features become bins.

    Attributes:
        edges: For each feature its inner edges, ascending; a value above the k-th is in bin k or higher.
        missing: For each feature whether its last bin is that of missing values.
    """

    edges: tuple[NDArray[np.float32], ...]
    missing: tuple[bool, ...]

    @property
    def sizes(self) -> list[int]:
        """How many bins each feature has, the one of missing values included."""
        return [len(edges) + 1 + gone for edges, gone in zip(self.edges, self.missing, strict=True)]

    def codes(self, X: ArrayLike) -> Bytes:
        """The bin of every value.

        Args:
            X: (n, p) numbers, NaN where missing.

        Returns:
            (p, n) bytes. A missing value of a feature that was never missing counts as its middle bin.

        Raises:
            DesignError: Another number of columns, or infinite values.

        >>> fit_bins([[1.0], [2.0], [np.nan]]).codes([[0.0], [9.0], [np.nan]])
        array([[0, 1, 2]], dtype=uint8)
        """
        x = _matrix(X)
        if x.shape[1] != len(self.edges):
            raise DesignError.of("Another number of columns", received=x.shape[1], allowed=len(self.edges))
        codes = np.zeros((x.shape[1], x.shape[0]), np.uint8)
        for rows in spans(x.shape[0]):
            part = np.ascontiguousarray(x[rows].T, np.float32)
            for j, edges in enumerate(self.edges):
                found = codes[j, rows]
                # A few comparisons of whole columns are ten times as fast as a search for each value.
                for edge in edges:
                    found += part[j] > edge
                gone = np.isnan(part[j])
                if gone.any():
                    found[gone] = len(edges) + 1 if self.missing[j] else len(edges) // 2
        return codes


def _matrix(X: ArrayLike) -> NDArray[np.floating]:
    x = np.asarray(X)
    if x.dtype.kind != "f":
        x = x.astype(np.float64)
    if x.ndim != 2:
        raise DesignError.of("Features do not fit", received=x.shape, allowed="(n, p)")
    for rows in spans(x.shape[0]):
        if np.isinf(x[rows]).any():
            raise DesignError.of("A feature is infinite", allowed="finite numbers or NaN")
    return x


def spans(n: int) -> Iterator[slice]:
    """The rows 0 … n - 1 in parts that fit the processor's cache.

    >>> list(spans(70_000))
    [slice(0, 65536, None), slice(65536, 70000, None)]
    """
    return (slice(start, min(start + BLOCK, n)) for start in range(0, n, BLOCK))


def fit_bins(X: ArrayLike, *, most: int = 16) -> Bins:
    """Bins of about equal numbers of people; a feature with few values gets one bin for each.

    Args:
        X: (n, p) numbers, NaN where missing; one row or more.
        most: At most so many bins for each feature, 2–64; missing values get one more.

    Returns:
        The bins. A constant feature has one.

    Raises:
        DesignError: Not a table of numbers, nobody in it, or infinite values.

    >>> fit_bins([[1.0], [1.0], [5.0]]).edges[0]
    array([3.], dtype=float32)
    """
    x = _matrix(X)
    if not 2 <= most <= 64 or not len(x):
        raise DesignError.of("No bins can be made", received=(len(x), most), allowed="people, and 2–64 bins")
    # Evenly spaced rows: the same bins whenever the same table is given.
    step = x[:: max(len(x) // SAMPLE, 1)]
    edges: list[NDArray[np.float32]] = []
    missing: list[bool] = []
    for j in range(x.shape[1]):
        column = step[:, j]
        known = np.sort(column[~np.isnan(column)]).astype(np.float64)
        values = np.unique(known)
        if len(values) <= most:
            cut = (values[1:] + values[:-1]) / 2
        else:
            cut = np.unique(known[(np.arange(1, most) * len(known)) // most])
            cut = cut[cut < known[-1]]
        bounds = np.unique(cut.astype(np.float32))
        edges.append(bounds)
        missing.append(bool(np.isnan(x[:, j]).any()))
    return Bins(tuple(edges), tuple(missing))


def cross_sums(codes: Bytes, sizes: list[int], weight: NDArray[np.floating] | None = None) -> Floats:
    """The weight that falls into each pair of bins: B'WB of the table B of indicators, without making it.

    Args:
        codes: (p, n) bins.
        sizes: How many bins each feature has.
        weight: (n,) weights, or None for ones.

    Returns:
        (q, q) for the q bins of all features.

    >>> cross_sums(np.array([[0, 1, 1]], np.uint8), [2])
    array([[1., 0.],
           [0., 2.]])
    """
    start = np.append(0, np.cumsum(sizes))
    found = np.zeros((start[-1], start[-1]))
    for rows in spans(codes.shape[1]):
        part = codes[:, rows]
        w = None if weight is None else np.asarray(weight[rows], np.float64)
        for i, size in enumerate(sizes):
            wide = part[i].astype(np.int64)
            at = slice(start[i], start[i + 1])
            found[at, at] += np.diag(np.bincount(wide, weights=w, minlength=size))
            for j in range(i):
                joint = np.bincount(wide * sizes[j] + part[j], weights=w, minlength=size * sizes[j])
                found[at, start[j] : start[j + 1]] += joint.reshape(size, sizes[j])
    lower = np.tril(found, -1)
    return np.asarray(lower + lower.T + np.diag(np.diag(found)))


def bin_sums(codes: Bytes, sizes: list[int], values: NDArray[np.floating]) -> Floats:
    """The sum of values in each bin of each feature, (q,).

    >>> bin_sums(np.array([[0, 1, 1]], np.uint8), [2], np.array([1.0, 2.0, 4.0]))
    array([1., 6.])
    """
    parts = [
        np.bincount(column, weights=values, minlength=size) for column, size in zip(codes, sizes, strict=True)
    ]
    return np.concatenate(parts) if parts else np.empty(0)


def look_up(codes: Bytes, sizes: list[int], table: Floats) -> NDArray[np.float32]:
    """The sum over features of each person's entries in a (q,) table; features of zeros are skipped.

    >>> look_up(np.array([[0, 1]], np.uint8), [2], np.array([0.5, 2.0]))
    array([0.5, 2. ], dtype=float32)
    """
    start = np.append(0, np.cumsum(sizes))
    entries = [table[start[j] : start[j + 1]].astype(np.float32) for j in range(len(sizes))]
    used = [j for j, entry in enumerate(entries) if entry.any()]
    total = np.zeros(codes.shape[1], np.float32)
    for rows in spans(codes.shape[1]):
        for j in used:
            total[rows] += entries[j][codes[j, rows]]
    return total
