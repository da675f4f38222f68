"""One arm against control as sums over bins: what every learner of effects is fitted from."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hustings.stats.bins import Bytes, bin_sums, cross_sums
from hustings.stats.clusters import Floats, Integers

Numbers = NDArray[np.float32]


class Contrast(NamedTuple):
    """The people of one arm and of control, in the order of their parts.

    Attributes:
        codes: (p + 1, n) bins of the features; the last row is the plain score's.
        sizes: How many bins each row has.
        missing: Whether the last bin of a row is that of missing values.
        reading: (n,) each person's doubly robust reading of the effect, in the outcome's unit.
        weight: (n,) the variance of the outcome at the person's plain score; of a share p, p (1 - p).
        cluster: (n,) codes of the units that are drawn or live together.
        parts: The rows of each part; parts 2 k and 2 k + 1 are fold k.
        sums: For each part, its sums over bins.
        kept: Sums over cells of pairs, by pair and part: found once, whoever asks.
    """

    codes: Bytes
    sizes: list[int]
    missing: list[bool]
    reading: Numbers
    weight: Numbers
    cluster: Integers
    parts: list[slice]
    sums: list[Sums]
    kept: dict[Any, Any]


class Sums(NamedTuple):
    """Sums over some people; those of two groups add up.

    Attributes:
        n: People.
        total: Sum of weights.
        square: Sum of reading² / weight.
        mean: Sum of readings.
        spread: Sum of reading².
        cross: (q, q) weights in pairs of bins.
        right: (q,) readings in bins.
    """

    n: int
    total: float
    square: float
    mean: float
    spread: float
    cross: Floats
    right: Floats


def part_sums(codes: Bytes, sizes: list[int], reading: Numbers, weight: Numbers) -> Sums:
    """The sums of one part.

    >>> one = np.ones(2, np.float32)
    >>> part_sums(np.array([[0, 1]], np.uint8), [2], one, one).right
    array([1., 1.])
    """
    squares = reading.astype(np.float64) ** 2
    return Sums(
        codes.shape[1],
        float(weight.sum(dtype=np.float64)),
        float(np.sum(squares / weight)),
        float(reading.sum(dtype=np.float64)),
        float(squares.sum()),
        cross_sums(codes, sizes, weight),
        bin_sums(codes, sizes, reading),
    )


def added(contrast: Contrast, parts: list[int]) -> Sums:
    """The sums of several parts together."""
    chosen = [contrast.sums[part] for part in parts]
    return Sums(
        sum(one.n for one in chosen),
        sum(one.total for one in chosen),
        sum(one.square for one in chosen),
        sum(one.mean for one in chosen),
        sum(one.spread for one in chosen),
        np.sum([one.cross for one in chosen], axis=0),
        np.sum([one.right for one in chosen], axis=0),
    )


def contrast_of(
    codes: Bytes,
    sizes: list[int],
    missing: list[bool],
    reading: Numbers,
    weight: Numbers,
    cluster: Integers,
    part: Integers,
) -> Contrast:
    """A contrast from people in any order.

    Args:
        codes: (p + 1, n) bins, the plain score's last.
        sizes: How many bins each row has.
        missing: Whether the last bin of a row is that of missing values.
        reading: (n,) doubly robust readings.
        weight: (n,) above 0.
        cluster: (n,) codes.
        part: (n,) parts 0 … 2 K - 1, whole clusters in one.

    Returns:
        The contrast.

    >>> one = np.ones(4, np.float32)
    >>> made = contrast_of(np.zeros((1, 4), np.uint8), [1], [False], one, one, np.arange(4), np.arange(4))
    >>> len(made.parts)
    4
    """
    n_parts = int(part.max()) + 1
    if np.any(part[1:] < part[:-1]):
        order = np.argsort(part, kind="stable")
        codes, part = np.take(codes, order, axis=1), part[order]
        reading, weight, cluster = reading[order], weight[order], cluster[order]
    ends = np.searchsorted(part, np.arange(n_parts + 1))
    parts = [slice(int(ends[k]), int(ends[k + 1])) for k in range(n_parts)]
    sums = [part_sums(codes[:, rows], sizes, reading[rows], weight[rows]) for rows in parts]
    return Contrast(codes, sizes, missing, reading, weight, cluster, parts, sums, {})
