"""Doors cut into turfs of equal work that hang together.

With coordinates: recursive bisection across each group's longer principal axis at the share of work that falls
to each half (Berger & Bokhari, IEEE Transactions on Computers C-36, 1987), then rounds of balanced two-means on
disjoint pairs of neighbouring turfs: of all ways to give back as much work as each had, the cut across the line
between the two middles has the least sum of squares, so no round makes the whole less compact. Without: streets in
order, odd side up and even side down, cut into equal runs. O(n log n).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hustings.errors import DesignError

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

EARTH = 6_371_008.8
"""Mean radius of the earth in metres (IUGG)."""
WALK_FACTOR = 1.5
"""Metres walked per door, in units of the mean distance to the nearest other door: for random points the shortest
path takes .7124 / sqrt(density) a point (Beardwood, Halton & Hammersley 1959), the nearest point is .5 / sqrt(density)
away, and two-opt is about 5 % longer than the shortest."""


def plane(latitude: ArrayLike, longitude: ArrayLike, group: ArrayLike) -> Floats:
    """Metres east and north, with true distances near each group's middle (equirectangular).

    Args:
        latitude: (n,) degrees.
        longitude: (n,) degrees.
        group: (n,) codes 0 … G - 1: regions of at most some hundred kilometres.

    Returns:
        (n, 2) metres.

    >>> plane([0.0, 1.0], [0.0, 0.0], [0, 0]).round(-2).tolist()
    [[0.0, 0.0], [0.0, 111200.0]]
    """
    phi, lam = np.radians(np.asarray(latitude, np.float64)), np.radians(np.asarray(longitude, np.float64))
    code = np.asarray(group, np.int64)
    size = np.maximum(np.bincount(code), 1)
    middle = np.bincount(code, weights=phi) / size
    return EARTH * np.column_stack([np.cos(middle)[code] * lam, phi])


def cut_turfs(
    point: ArrayLike,
    work: ArrayLike,
    capacity: float,
    *,
    group: ArrayLike | None = None,
    gap: float = 1_500.0,
    rounds: int = 8,
) -> Integers:
    """The turf of each door, by coordinates.

    A group is first parted where there are no doors for `gap` metres, since nobody walks across; each part is
    cut into as many turfs as its work needs, of equal work each up to about one door's.

    Args:
        point: (n, 2) metres, finite.
        work: (n,) work of each door, positive: minutes, or 1 each.
        capacity: Work of one turf, positive. A door with more work than that is a turf of its own.
        group: (n,) codes of regions that no turf may cross; one region unless given.
        gap: Metres without a door that part two neighbourhoods, positive. Measured on a grid of that width, so
            that gaps from one to 2.8 times as wide may part.
        rounds: Rounds of balanced two-means; 0 for bisection alone.

    Returns:
        (n,) turfs 0 … T - 1; those of one group have neighbouring numbers.

    Raises:
        DesignError: Nothing fits, a capacity or work is not positive, a point is not finite.

    >>> cut_turfs([[0, 0], [0, 1], [9, 0], [9, 1]], [1, 1, 1, 1], 2).tolist()
    [0, 0, 1, 1]
    """
    points, load, code = _checked(point, work, capacity, group)
    if not len(points):
        return np.empty(0, np.int64)
    if not gap > 0:
        raise DesignError.of("The gap between neighbourhoods", received=gap, allowed="above 0 metres")
    part = _parts(points, code, gap)
    turf = _bisected(points, load, part, capacity)
    for number in range(rounds):
        turf = _paired(points, load, turf, part, number)
    # Numbered by group, then in the order of first doors, so that the same doors have the same turfs.
    first = np.unique(turf, return_index=True)[1]
    order = np.lexsort((first, code[first]))
    rank = np.empty(order.size, np.int64)
    rank[order] = np.arange(order.size)
    return rank[np.unique(turf, return_inverse=True)[1]]


def cut_streets(
    precinct: ArrayLike,
    street: ArrayLike,
    number: ArrayLike,
    work: ArrayLike,
    capacity: float,
    *,
    tolerance: float = 0.2,
) -> tuple[Integers, Integers]:
    """The turf and the place of each door without coordinates: by precinct, street, side and number.

    Each street goes up its odd side and down its even side. A precinct is cut into equal runs, each cut moved to
    the nearest end of a street's side that is within the tolerance.

    Args:
        precinct: (n,) codes that no turf may cross.
        street: (n,) codes of streets, -1 where none is known.
        number: (n,) house numbers; NaN where there is none: those stand last on their street.
        work: (n,) work of each door, positive.
        capacity: Work of one turf, positive.
        tolerance: Share of the capacity by which a cut may move, 0 to 0.5.

    Returns:
        (n,) turfs 0 … T - 1, and (n,) places in the walk from 0.

    Raises:
        DesignError: As `cut_turfs`.

    >>> turf, place = cut_streets([0] * 4, [0] * 4, [2, 4, 1, 3], [1] * 4, 4)
    >>> place.tolist()
    [3, 2, 0, 1]
    """
    houses = np.asarray(number, np.float64)
    _, load, code = _checked(np.zeros((len(houses), 2)), work, capacity, precinct)
    if not 0 <= tolerance <= 0.5:
        raise DesignError.of("A tolerance", received=tolerance, allowed="0 to 0.5")
    if not len(houses):
        return np.empty(0, np.int64), np.empty(0, np.int64)
    road = np.asarray(street, np.int64)
    side = np.where(np.isnan(houses), 2, np.where(np.floor(houses) % 2 == 1, 0, 1)).astype(np.int64)
    along = np.where(side == 1, -np.nan_to_num(houses), np.nan_to_num(houses))
    order = np.lexsort((along, side, road, code))
    new_side = np.diff(np.column_stack([code, road, side])[order], axis=0).any(axis=1)
    ends = np.concatenate([[True], new_side])
    first = np.concatenate([[True], np.diff(code[order]) != 0])
    turf_in_order = _runs(load[order], first, ends, capacity, tolerance)
    turf, place = np.empty(len(order), np.int64), np.empty(len(order), np.int64)
    turf[order] = turf_in_order
    starts = np.flatnonzero(np.concatenate([[True], np.diff(turf_in_order) != 0]))
    place[order] = np.arange(len(order)) - starts[turf_in_order]
    return turf, place


def nearest_door(point: ArrayLike, farthest: float = 1_500.0) -> Floats:
    """Metres from each door to the nearest other one, at most `farthest`; 0 for doors at one point.

    >>> nearest_door([[0, 0], [0, 3], [0, 9000]]).tolist()
    [3.0, 3.0, 1500.0]
    """
    from scipy.spatial import cKDTree

    points = np.asarray(point, np.float64)
    if len(points) < 2:
        return np.full(len(points), farthest)
    return np.minimum(cKDTree(points).query(points, k=2)[0][:, 1], farthest)


def radius(point: ArrayLike, turf: ArrayLike) -> Floats:
    """The root mean square distance of each turf's doors from their middle, in metres.

    >>> radius([[0, 0], [0, 2]], [0, 0]).tolist()
    [1.0]
    """
    points, code = np.asarray(point, np.float64), np.asarray(turf, np.int64)
    middle = middles(points, code)
    size = np.maximum(np.bincount(code), 1)
    return np.sqrt(np.bincount(code, weights=((points - middle[code]) ** 2).sum(axis=1)) / size)


def middles(point: ArrayLike, turf: ArrayLike) -> Floats:
    """(T, 2) mean point of each turf.

    >>> middles([[0, 0], [0, 2]], [0, 0]).tolist()
    [[0.0, 1.0]]
    """
    points, code = np.asarray(point, np.float64), np.asarray(turf, np.int64)
    size = np.maximum(np.bincount(code), 1)
    return np.column_stack([np.bincount(code, weights=points[:, axis]) / size for axis in (0, 1)])


def _checked(
    point: ArrayLike, work: ArrayLike, capacity: float, group: ArrayLike | None
) -> tuple[Floats, Floats, Integers]:
    points, load = np.asarray(point, np.float64).reshape(-1, 2), np.asarray(work, np.float64)
    code = np.zeros(len(points), np.int64) if group is None else np.asarray(group, np.int64)
    if load.shape != (len(points),) or code.shape != (len(points),):
        shapes = f"{points.shape[0]}, {load.shape} and {code.shape}"
        raise DesignError.of(
            "Doors, work and groups do not fit", received=shapes, allowed="one of each a door"
        )
    if not (np.isfinite(capacity) and capacity > 0):
        raise DesignError.of("The capacity of a turf", received=capacity, allowed="a number above 0")
    if not np.isfinite(points).all():
        missing = int((~np.isfinite(points).all(axis=1)).sum())
        raise DesignError.of(f"{missing:,} doors have no coordinates", then="cut those by street")
    if not (np.isfinite(load) & (load > 0)).all():
        raise DesignError.of("Some door's work is not a number above 0", then="leave that door out")
    if len(code) and code.min() < 0:
        raise DesignError.of("Some door's group is negative", allowed="codes from 0")
    return points, load, code


def _parts(points: Floats, code: Integers, gap: float) -> Integers:
    """Neighbourhoods: doors in touching cells of a grid, within a group."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    cell = np.floor((points - points.min(axis=0)) / gap).astype(np.int64)
    width, height = cell.max(axis=0) + 3
    key = (code * width + cell[:, 0] + 1) * height + cell[:, 1] + 1
    cells, of = np.unique(key, return_inverse=True)
    pairs = []
    for step in (1, height - 1, height, height + 1):
        place = np.searchsorted(cells, cells + step)
        there = np.flatnonzero(place < cells.size)
        there = there[cells[place[there]] == cells[there] + step]
        pairs.append(np.column_stack([there, place[there]]))
    edge = np.concatenate(pairs)
    graph = coo_array((np.ones(len(edge)), (edge[:, 0], edge[:, 1])), (cells.size, cells.size))
    return connected_components(graph, directed=False)[1].astype(np.int64)[of]


def _bisected(points: Floats, load: Floats, part: Integers, capacity: float) -> Integers:
    """Every group halved at once, level by level, until each is one turf."""
    turf = part.copy()
    n_turfs = np.ceil(np.bincount(turf, weights=load) / capacity - 1e-9).astype(np.int64)
    n_turfs = np.minimum(np.maximum(n_turfs, 1), np.maximum(np.bincount(turf), 1))
    while (n_turfs > 1).any():
        inside = np.flatnonzero(n_turfs[turf] > 1)
        code, own = np.unique(turf[inside], return_inverse=True)
        along = _along(points[inside], own)
        left = n_turfs[code] // 2
        share = left / n_turfs[code]
        cut = _cut(along, load[inside], own, share, np.stack([left, n_turfs[code] - left]))
        fresh = len(n_turfs) + np.arange(code.size)
        turf[inside[cut]] = fresh[own[cut]]
        n_turfs = np.concatenate([n_turfs, n_turfs[code] - left])
        n_turfs[code] = left
    return turf


def _along(points: Floats, code: Integers) -> Floats:
    """Each door's place on the longer principal axis of its group."""
    offset = points - middles(points, code)[code]
    xx, yy, xy = (
        np.bincount(code, weights=v) for v in (offset[:, 0] ** 2, offset[:, 1] ** 2, offset.prod(axis=1))
    )
    angle = 0.5 * np.arctan2(2 * xy, xx - yy)
    return offset[:, 0] * np.cos(angle)[code] + offset[:, 1] * np.sin(angle)[code]


def _cut(
    along: Floats, load: Floats, code: Integers, share: Floats, least: Integers | None = None
) -> NDArray[np.bool_]:
    """Which doors lie beyond the point where their group has that share of its work; on both sides some."""
    order = np.lexsort((along, code))
    in_order = code[order]
    total = np.bincount(code, weights=load)
    before = np.cumsum(load[order]) - load[order] - (np.cumsum(total) - total)[in_order]
    beyond = np.empty(len(along), bool)
    # A door is on the side on which more than half of it lies.
    inner = before + load[order] / 2 > (share * total)[in_order]
    if least is not None:
        size = np.bincount(code)
        rank = np.arange(len(order)) - (np.cumsum(size) - size)[in_order]
        inner = (inner | (rank >= (size - least[1])[in_order])) & (rank >= least[0][in_order])
    beyond[order] = inner
    return beyond


def _paired(points: Floats, load: Floats, turf: Integers, part: Integers, number: int) -> Integers:
    """One round of balanced two-means: neighbouring turfs, two by two, cut anew across the line between them."""
    from scipy.spatial import cKDTree

    code, own = np.unique(turf, return_inverse=True)
    if code.size < 2:
        return turf
    middle = middles(points, own)
    of = np.empty(code.size, np.int64)
    of[own] = part
    _, near = cKDTree(middle).query(middle, k=min(number % 6 + 2, code.size))
    partner = _mutual(near[:, -1], of)
    pair = np.where(partner >= 0, np.minimum(np.arange(code.size), partner), -1)
    inside = np.flatnonzero(pair[own] >= 0)
    if not inside.size:
        return turf
    first, second = pair[own[inside]], partner[pair[own[inside]]]
    along = ((points[inside] - middle[first]) * (middle[second] - middle[first])).sum(axis=1)
    work = np.bincount(own, weights=load)
    groups, group = np.unique(first, return_inverse=True)
    share = work[groups] / (work[groups] + work[partner[groups]])
    one = np.ones(groups.size, np.int64)
    beyond = _cut(along, load[inside], group, share, np.stack([one, one]))
    turf = turf.copy()
    turf[inside] = code[np.where(beyond, second, first)]
    return turf


def _mutual(wanted: Integers, of: Integers) -> Integers:
    """Disjoint pairs: each turf that is wanted by several goes with the first of them; -1 for those left over."""
    n = wanted.size
    partner = np.full(n, -1)
    me = np.arange(n)
    ask = me[(of[wanted] == of) & (wanted != me)]
    for _ in range(3):
        ask = ask[(partner[ask] < 0) & (partner[wanted[ask]] < 0)]
        if not ask.size:
            break
        # Of all who ask one turf the first is heard, and only if nobody but that turf was heard by it.
        first = ask[np.unique(wanted[ask], return_index=True)[1]]
        heard = np.full(n, -1)
        heard[wanted[first]] = first
        both = first[(heard[first] < 0) | ((heard[first] == wanted[first]) & (first < wanted[first]))]
        partner[both], partner[wanted[both]] = wanted[both], both
    return partner


def _runs(
    load: Floats, first: NDArray[np.bool_], ends: NDArray[np.bool_], capacity: float, tolerance: float
) -> Integers:
    """Equal runs of doors in order, within groups that begin at `first`."""
    group = np.cumsum(first) - 1
    total = np.bincount(group, weights=load)
    n_runs = np.maximum(np.ceil(total / capacity - 1e-9), 1)
    before = np.cumsum(load) - load - (np.cumsum(total) - total)[group]
    begins = first.copy()
    # Cuts of all groups in one line of work done: where they would fall, and where a street's side ends nearby.
    offset = np.cumsum(total) - total
    of = np.repeat(np.arange(total.size), (n_runs - 1).astype(np.int64))
    nth = np.arange(of.size) - (np.cumsum(n_runs - 1) - (n_runs - 1))[of] + 1
    ideal = offset[of] + nth * total[of] / n_runs[of]
    done = before + offset[group]
    sides = done[ends]
    place = np.clip(np.searchsorted(sides, ideal), 1, max(len(sides) - 1, 1))
    below, above = sides[place - 1], sides[np.minimum(place, len(sides) - 1)]
    nearest = np.where(ideal - below <= above - ideal, below, above)
    wanted = np.where(np.abs(nearest - ideal) <= tolerance * capacity, nearest, ideal)
    start = np.searchsorted(done, wanted - 1e-9)
    begins[start[start < len(load)]] = True
    return np.cumsum(begins) - 1
