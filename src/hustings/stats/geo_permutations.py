"""Estimates over their errors in every dealing at once: what the readings of tests of places are held against."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hustings.stats.clusters import Floats, Integers

_STEPS = 400
_HALVINGS = 40


class Shown(NamedTuple):
    """What each dealing would show, were t z_0 taken off the outcome: (alone - t moved) over the root of a parabola in t.

    Attributes:
        alone: (m,) estimate from the outcome as it is.
        moved: (m,) estimate from the dose that was given.
        length: (m,) sum of squares of the dealing's dose.
        error: (m, 3) variance of the estimate, clustered by place: constant, linear and square term in t.
        same: (m,) whether the dealing gives the same doses, or their mirror: never less extreme.
    """

    alone: Floats
    moved: Floats
    length: Floats
    error: Floats
    same: NDArray[np.bool_]


def shown(dose: Callable[[Integers], Floats], dealt: Integers, outcome: Floats, place: Integers) -> Shown:
    """What each dealing would show.

    Args:
        dose: From dealings to their doses, less effects of place and week: (m, p) to (m, n).
        dealt: (m, p) the dealings; the first took place.
        outcome: (n,) less effects of place and week.
        place: (n,) number of each cell's place, in order.

    Returns:
        Estimates and errors.

    Source: Liang & Zeger, Biometrika 73 (1986), for errors clustered by place.

    >>> z = np.array([[1.0, -1.0, 1.0, -1.0]])
    >>> found = shown(lambda dealt: z, np.zeros((1, 2), int), np.array([1.0, -1.0, 3.0, -3.0]), np.array([0, 0, 1, 1]))
    >>> found.alone.tolist(), found.error[0].tolist()
    ([2.0], [0.5, 0.0, 0.0])
    """
    first = dose(dealt[:1])[0]
    starts = np.flatnonzero(np.diff(place, prepend=-1))
    parts: list[tuple[Floats, ...]] = []
    step = max(1, 1_000_000 // max(outcome.size, 1))
    for begin in range(0, len(dealt), step):
        z = dose(dealt[begin : begin + step])
        own = [np.add.reduceat(z * other, starts, axis=1) for other in (outcome, first, z)]
        parts.append(_sums(*own))
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
    alone, moved, length = columns[:3]
    error = np.column_stack(columns[3:])
    same = np.abs(np.abs(moved) * np.sqrt(length / max(length[0], 1e-300)) - 1) < 1e-9
    return Shown(alone, moved, length, error, same)


def share_as_extreme(found: Shown, taken_off: ArrayLike) -> Floats:
    """How many dealings show as much as the one that took place, for each effect that is taken off.

    >>> one = Shown(np.ones(1), np.ones(1), np.ones(1), np.array([[1.0, 0.0, 0.0]]), np.array([True]))
    >>> share_as_extreme(one, [0.0, 3.0]).tolist()
    [1.0, 1.0]
    """
    t = np.asarray(taken_off, np.float64)[:, None]
    square = found.error[:, 0] - 2 * t * found.error[:, 1] + t * t * found.error[:, 2]
    floor = 1e-18 * max(float(found.error[:, 0].max()), 1e-300)
    size = (found.alone - t * found.moved) ** 2 / np.maximum(square, floor)
    extreme = (size >= size[:, :1] * (1 - 1e-9)) | found.same
    return np.asarray(extreme.mean(1))


def smallest_share(found: Shown) -> float:
    """The smallest p-value that these dealings could give."""
    return float(found.same.mean())


def refused_ends(found: Shown, spread: float, alpha: float) -> tuple[float, float]:
    """Ends of the effects that are not refused: the outermost ones, where there are gaps.

    Args:
        found: From `shown`.
        spread: Of the estimate over the dealings, as a scale.
        alpha: Two-sided.

    Returns:
        Two effects; infinite where there are too few dealings to refuse anything.
    """
    middle = float(found.alone[0])
    if smallest_share(found) > alpha + 1e-12 or not np.isfinite(spread):
        return -np.inf, np.inf
    scale = max(spread, 1e-12 * max(abs(middle), 1e-300))
    return middle - _reach(found, middle, -scale, alpha), middle + _reach(found, middle, scale, alpha)


def _sums(y: Floats, first: Floats, own: Floats) -> tuple[Floats, ...]:
    """Estimates, length, and the error's three terms, from sums by place."""
    length = own.sum(1)
    safe = np.where(length > 1e-18, length, np.inf)
    alone, moved = y.sum(1) / safe, first.sum(1) / safe
    left, taken = y - alone[:, None] * own, first - moved[:, None] * own
    terms = [(a * b).sum(1) / safe**2 for a, b in ((left, left), (left, taken), (taken, taken))]
    return alone, moved, length, *terms


def _reach(found: Shown, middle: float, scale: float, alpha: float) -> float:
    """How far from the estimate the last effect lies that is not refused."""
    far = 4.0
    while far < 1e9 and share_as_extreme(found, middle + scale * far * np.array([1.0, 2.0])).max() > alpha:
        far *= 2
    steps = np.linspace(0, far, _STEPS)
    kept = np.concatenate(
        [share_as_extreme(found, middle + scale * part) > alpha + 1e-12 for part in np.array_split(steps, 20)]
    )
    last = int(np.flatnonzero(kept)[-1]) if kept.any() else 0
    low, high = steps[last], steps[min(last + 1, _STEPS - 1)]
    if last == _STEPS - 1:
        return float("inf")
    for _ in range(_HALVINGS):
        half = (low + high) / 2
        if share_as_extreme(found, np.array([middle + scale * half]))[0] > alpha + 1e-12:
            low = half
        else:
            high = half
    return float(abs(scale) * high)
