"""The order in which a turf's doors are walked: nearest neighbour, then two-opt, for many turfs at once.

Croes, Operations Research 6 (1958): a path that crosses itself is made shorter by turning the piece between two of
its steps around. Each round makes the best such turn in every turf that still has one.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hustings.errors import DesignError

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
_CELLS = 3_000_000
"""Distances held at once."""
_ROUNDS = 400


def walking_order(point: ArrayLike, turf: ArrayLike) -> Integers:
    """Each door's place in the walk through its turf, from 0; the walk begins and ends where it likes.

    Args:
        point: (n, 2) metres, finite.
        turf: (n,) turfs 0 … T - 1.

    Returns:
        (n,) places.

    Raises:
        DesignError: Points and turfs do not fit, or a point is not finite.

    >>> walking_order([[0, 0], [0, 9], [0, 5]], [0, 0, 0]).tolist()
    [0, 2, 1]
    """
    points, code = np.asarray(point, np.float64).reshape(-1, 2), np.asarray(turf, np.int64)
    if code.shape != (len(points),):
        raise DesignError.of(
            "Doors and turfs do not fit", received=(len(points), code.shape), allowed="one turf a door"
        )
    if not np.isfinite(points).all():
        raise DesignError.of("Some door has no coordinates", then="leave it out")
    place = np.zeros(len(points), np.int64)
    if not len(points):
        return place
    size = np.bincount(code)
    order = np.argsort(code, kind="stable")
    starts = np.cumsum(size) - size
    # Turfs of like size together, so that little is padded.
    by_size = np.argsort(size, kind="stable")
    by_size = by_size[size[by_size] > 1]
    while by_size.size:
        most = int(size[by_size[-1]])
        several = max(1, _CELLS // (most + 2) ** 2)
        batch, by_size = by_size[-several:], by_size[:-several]
        slot = np.arange(most)
        real = slot < size[batch][:, None]
        index = order[np.minimum(starts[batch][:, None] + slot, len(order) - 1)]
        path = _two_opt(points[index], real)
        walked = np.take_along_axis(index, path, axis=1)
        place[walked[real]] = np.broadcast_to(slot, real.shape)[real]
    return place


def walk_length(point: ArrayLike, turf: ArrayLike, place: ArrayLike) -> Floats:
    """(T,) metres from the first door of each turf to its last, as the crow flies.

    >>> walk_length([[0, 0], [0, 9], [0, 5]], [0, 0, 0], [0, 2, 1]).tolist()
    [9.0]
    """
    points, code = np.asarray(point, np.float64).reshape(-1, 2), np.asarray(turf, np.int64)
    if not len(points):
        return np.empty(0)
    order = np.lexsort((np.asarray(place), code))
    step = np.hypot(*np.diff(points[order], axis=0).T)
    same = np.diff(code[order]) == 0
    found = np.bincount(code[order][1:][same], weights=step[same], minlength=int(code.max()) + 1)
    return found.astype(np.float64)


def _two_opt(points: Floats, real: NDArray[np.bool_]) -> Integers:
    """(b, m) the doors of each turf in order; those that are not real stay behind the others."""
    n_turfs, most = real.shape
    offset = (points - points[:, :1]).astype(np.float32)
    path = _nearest(offset, real)
    active = np.arange(n_turfs)
    row, column = np.arange(most)[:, None], np.arange(most)
    for _ in range(_ROUNDS):
        if not active.size:
            break
        distance = _distances(offset, real, path, active)
        step = np.diagonal(distance, 1, 1, 2)
        # Turning the doors i … j around replaces the steps into i and out of j.
        change = distance[:, :-2, 1:-1] + distance[:, 1:-1, 2:] - step[:, :-1, None] - step[:, None, 1:]
        allowed = (row < column) & real[active][:, None, :]
        change = np.where(allowed, change, 0.0).reshape(active.size, -1)
        best = change.argmin(axis=1)
        shorter = change[np.arange(active.size), best] < -1e-3
        active, best = active[shorter], best[shorter]
        i, j = best // most, best % most
        slot = np.arange(most)[None, :]
        turned = (slot >= i[:, None]) & (slot <= j[:, None])
        source = np.where(turned, (i + j)[:, None] - slot, slot)
        path[active] = np.take_along_axis(path[active], source, axis=1)
    return path


def _distances(
    offset: NDArray[np.float32], real: NDArray[np.bool_], path: Integers, active: Integers
) -> NDArray[np.float32]:
    """(a, m + 2, m + 2) metres between the places of each walk; nothing to and from beyond its ends."""
    at = np.take_along_axis(offset[active], path[active][:, :, None], axis=1)
    there = real[active]
    found = np.zeros((active.size, at.shape[1] + 2, at.shape[1] + 2), np.float32)
    x, y = at[:, :, 0], at[:, :, 1]
    inner = np.hypot(x[:, :, None] - x[:, None, :], y[:, :, None] - y[:, None, :])
    found[:, 1:-1, 1:-1] = inner * (there[:, :, None] & there[:, None, :])
    return found


def _nearest(offset: NDArray[np.float32], real: NDArray[np.bool_]) -> Integers:
    """A first walk: from the door farthest from the middle always on to the nearest that is left."""
    n_turfs, most = real.shape
    turf = np.arange(n_turfs)
    middle = (offset * real[:, :, None]).sum(axis=1) / real.sum(axis=1)[:, None]
    away = ((offset - middle[:, None, :]) ** 2).sum(axis=2)
    here = np.where(real, away, -1.0).argmax(axis=1)
    left = real.copy()
    path = np.empty((n_turfs, most), np.int64)
    # Those that are not real are taken last, in their own order.
    rest = np.arange(most, dtype=np.float32) * 1e20
    for place in range(most):
        path[:, place] = here
        left[turf, here] = False
        taken = np.zeros((n_turfs, most), bool)
        np.put_along_axis(taken, path[:, : place + 1], True, axis=1)
        squared = ((offset - offset[turf, here][:, None, :]) ** 2).sum(axis=2)
        here = np.where(taken, np.inf, np.where(left, squared, 1e30 + rest)).argmin(axis=1)
    return path
