"""Which places to visit on which day: value gathered within hours, travel included.

The team orienteering problem (Chao, Golden & Wasil, European Journal of Operational Research 88, 1996), with days of
different worth: what a visit moves fades until the election. Every set of places that fits into one day is listed
with its shortest tour (Held & Karp 1962); the best disjoint sets are chosen by an integer programme. Where there
are too many sets, only the most promising places are offered, and a relaxation bounds what any plan can reach.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hustings.errors import DesignError

Floats = NDArray[np.float64]
_SETS = 12_000
"""Sets of places at most; beyond, fewer places are offered."""


class Visits(NamedTuple):
    """A plan of visits.

    Attributes:
        days: For each day the places in the order of travel.
        value: What it gathers.
        bound: No plan gathers more.
        exact: Whether every place was offered, so that nothing better exists.
    """

    days: tuple[tuple[int, ...], ...]
    value: float
    bound: float
    exact: bool

    @property
    def gap(self) -> float:
        """(bound - value) / bound; 0 of nothing."""
        return (self.bound - self.value) / self.bound if self.bound > 0 else 0.0


def travel_hours(
    latitude: ArrayLike, longitude: ArrayLike, kilometers_per_hour: float, detour: float = 1.3
) -> Floats:
    """(n, n) hours between places, by great circle (haversine) times a detour.

    Args:
        latitude: (n,) degrees.
        longitude: (n,) degrees.
        kilometers_per_hour: Speed on the road, positive.
        detour: The way on the road, in units of the great circle's; 1 or more.

    Raises:
        DesignError: A speed is not positive, a detour below 1, a place not on earth.

    >>> travel_hours([0, 0], [0, 1], 100.0, 1.0).round(3).tolist()
    [[0.0, 1.112], [1.112, 0.0]]
    """
    phi, lam = np.radians(np.asarray(latitude, np.float64)), np.radians(np.asarray(longitude, np.float64))
    if not (kilometers_per_hour > 0 and detour >= 1):
        raise DesignError.of(
            "Speed and detour", received=(kilometers_per_hour, detour), allowed="above 0, 1 or more"
        )
    if not (np.isfinite(phi).all() and np.isfinite(lam).all() and (np.abs(phi) <= np.pi / 2).all()):
        raise DesignError.of("A place has no coordinates", allowed="latitude -90 to 90 and a longitude")
    half = np.sin((phi[:, None] - phi) / 2) ** 2
    half = half + np.cos(phi)[:, None] * np.cos(phi) * np.sin((lam[:, None] - lam) / 2) ** 2
    kilometers = 2 * 6371.0088 * np.arcsin(np.sqrt(np.clip(half, 0, 1)))
    return np.asarray(kilometers * detour / kilometers_per_hour, np.float64)


def plan_visits(
    value: ArrayLike, stay: ArrayLike, travel: ArrayLike, hours: float, worth: ArrayLike
) -> Visits:
    """The visits that gather most, each place at most once, each day from home and back.

    Args:
        value: (n,) of a visit to each place on a day of worth 1; places of no value are not visited.
        stay: (n,) hours there, 0 or more.
        travel: (n + 1, n + 1) hours between home (the first) and the places, symmetric, keeping the triangle
            inequality.
        hours: Of one day, positive.
        worth: (d,) what is left on election day of what a visit of that day moves, 0 or more.

    Returns:
        The plan, and how far it can be from the best.

    Raises:
        DesignError: Shapes do not fit, or a number is missing, infinite or negative where it may not be.

    >>> way = [[0, 1, 1, 3], [1, 0, 2, 3], [1, 2, 0, 3], [3, 3, 3, 0]]
    >>> found = plan_visits([5, 4, 1], [1, 1, 1], way, 4.0, [1.0])
    >>> found.days, found.value
    (((0,),), 5.0)
    """
    gains, stays, way, left = _checked(value, stay, travel, hours, worth)
    there_and_back = way[0, 1:] + way[1:, 0] + stays
    fits = np.flatnonzero((gains > 0) & (there_and_back <= hours + 1e-9))
    nothing = tuple(() for _ in left)
    if not fits.size or not (left > 0).any():
        return Visits(nothing, 0.0, 0.0, True)
    least = stays + _cheapest(way)
    bound = _relaxed(gains[fits], least[fits], hours, left)
    # The greatest value for the time that a visit takes at least comes first.
    order = fits[np.argsort(-gains[fits] / least[fits], kind="stable")]
    offered, sets = _all_sets(order, stays, way, hours)
    days, gained, proven = _packed(sets, gains, left)
    exact = offered == order.size
    plan = greedy_visits(gains, stays, way, hours, left, order)
    if plan.value > gained:
        days, gained = plan.days, plan.value
    return Visits(days, gained, max(min(bound, proven) if exact else bound, gained), exact)


def greedy_visits(
    value: ArrayLike, stay: ArrayLike, travel: ArrayLike, hours: float, worth: ArrayLike, order: ArrayLike
) -> Visits:
    """Places in a given order, each put where it costs least time, on the day of most worth that has room.

    Args:
        value: As `plan_visits`.
        stay: As `plan_visits`.
        travel: As `plan_visits`.
        hours: As `plan_visits`.
        worth: As `plan_visits`.
        order: Places, the first to be put in first: the largest, the closest race.

    Returns:
        The plan; its bound is its value, which proves nothing.

    >>> greedy_visits([5, 4], [1, 1], [[0, 1, 1], [1, 0, 1], [1, 1, 0]], 5.0, [1.0], [1, 0]).days
    ((0, 1),)
    """
    gains, stays, way, left = _checked(value, stay, travel, hours, worth)
    routes: list[list[int]] = [[] for _ in left]
    used = np.zeros(len(left))
    for place in np.asarray(order, np.int64):
        for day in np.argsort(-left, kind="stable"):
            stops = [0, *(stop + 1 for stop in routes[day]), 0]
            ends = np.array(stops)
            more = way[ends[:-1], place + 1] + way[place + 1, ends[1:]] - way[ends[:-1], ends[1:]]
            at = int(more.argmin())
            if used[day] + more[at] + stays[place] <= hours + 1e-9:
                routes[day].insert(at, int(place))
                used[day] += more[at] + stays[place]
                break
    gained = sum(left[day] * gains[route].sum() for day, route in enumerate(routes) if route)
    return Visits(tuple(map(tuple, routes)), float(gained), float(gained), False)


def _checked(
    value: ArrayLike, stay: ArrayLike, travel: ArrayLike, hours: float, worth: ArrayLike
) -> tuple[Floats, Floats, Floats, Floats]:
    gains, stays = np.asarray(value, np.float64), np.asarray(stay, np.float64)
    way, left = np.asarray(travel, np.float64), np.asarray(worth, np.float64)
    n = gains.size
    if gains.shape != (n,) or stays.shape != (n,) or way.shape != (n + 1, n + 1) or left.ndim != 1:
        shapes = (gains.shape, stays.shape, way.shape, left.shape)
        raise DesignError.of(
            "Values, hours and ways do not fit", received=shapes, allowed="(n,), (n,), (n+1, n+1), (d,)"
        )
    for name, numbers in (("value", gains), ("stay", stays), ("way", way), ("worth of a day", left)):
        if not np.isfinite(numbers).all() or (name != "value" and (numbers < 0).any()):
            raise DesignError.of(f"Some {name} is missing, infinite or negative", then="leave that place out")
    if not (np.isfinite(hours) and hours > 0):
        raise DesignError.of("The hours of a day", received=hours, allowed="a number above 0")
    return gains, stays, way, left


def _cheapest(way: Floats) -> Floats:
    """(n,) half the two shortest legs of each place: no tour spends less on it."""
    legs = way[1:] + np.where(np.eye(len(way))[1:] > 0, np.inf, 0.0)
    two = np.sort(legs, axis=1)[:, :2]
    # With home alone a place is reached and left by the same leg.
    return np.where(np.isfinite(two), two, two[:, :1]).sum(axis=1) / 2


def _relaxed(gains: Floats, least: Floats, hours: float, left: Floats) -> float:
    """Places may be visited in part, and spend on the way no more than their shortest legs: a bound."""
    order = np.argsort(-gains / np.maximum(least, 1e-12))
    ends = np.cumsum(least[order])
    gained = 0.0
    for day, worth in enumerate(np.sort(left)[::-1]):
        low, high = day * hours, (day + 1) * hours
        part = np.clip(np.minimum(ends, high) - np.maximum(ends - least[order], low), 0, None)
        free = (least[order] <= 1e-12) & (day == 0)
        share = np.where(free, 1.0, part / np.maximum(least[order], 1e-12))
        gained += worth * float(share @ gains[order])
    return gained


def _all_sets(
    order: NDArray[np.int64], stay: Floats, way: Floats, hours: float
) -> tuple[int, dict[int, tuple[int, ...]]]:
    """Every set of the first places that fits into a day, with its shortest tour; and how many were offered."""
    offered: int = 0
    tours: dict[int, tuple[int, ...]] = {}
    for count in (order.size, 60, 40, 30, 24, 20, 16, 12, 8, 4):
        if count <= order.size:
            found = _tours(order[:count], stay, way, hours)
            if found is not None:
                offered, tours = count, found
                break
    return offered, tours


def _tours(
    places: NDArray[np.int64], stay: Floats, way: Floats, hours: float
) -> dict[int, tuple[int, ...]] | None:
    """Shortest tours by growing sets one place at a time; None when there are too many.

    A set is a number whose bits are its places. Of two ways to end one set at one place only the shorter is kept.
    """
    best: dict[tuple[int, int], tuple[float, tuple[int, ...]]] = {}
    for place in places.tolist():
        if way[0, place + 1] + stay[place] + way[place + 1, 0] <= hours + 1e-9:
            best[1 << place, place] = (way[0, place + 1] + stay[place], (place,))
    closed: dict[int, tuple[float, tuple[int, ...]]] = {}
    while best:
        if len(closed) + len(best) / len(places) > _SETS or len(best) > 4 * _SETS:
            return None
        grown: dict[tuple[int, int], tuple[float, tuple[int, ...]]] = {}
        for (members, last), (time, tour) in best.items():
            total = time + way[last + 1, 0]
            if members not in closed or total < closed[members][0]:
                closed[members] = (total, tour)
            for place in places.tolist():
                later = time + way[last + 1, place + 1] + stay[place]
                if members >> place & 1 or later + way[place + 1, 0] > hours + 1e-9:
                    continue
                key = (members | 1 << place, place)
                if key not in grown or later < grown[key][0]:
                    grown[key] = (later, (*tour, place))
        best = grown
    return {members: tour for members, (_, tour) in closed.items()}


def _packed(
    sets: dict[int, tuple[int, ...]], gains: Floats, left: Floats
) -> tuple[tuple[tuple[int, ...], ...], float, float]:
    """The best disjoint sets, one a day, by an integer programme; what they gather, and its proven bound."""
    from scipy.optimize import Bounds, LinearConstraint, milp
    from scipy.sparse import csr_array, kron, vstack

    tours = list(sets.values())
    worth = np.array([gains[list(tour)].sum() for tour in tours])
    column = np.repeat(np.arange(len(tours)), [len(tour) for tour in tours])
    place = np.concatenate([np.array(tour, np.int64) for tour in tours])
    inside = csr_array((np.ones(place.size), (place, column)), (gains.size, len(tours)))
    once = kron(np.ones((1, left.size)), inside, format="csr")
    a_day = kron(np.eye(left.size), np.ones((1, len(tours))), format="csr")
    rows = vstack([once, a_day])
    objective = np.outer(left, worth).ravel()
    scale = max(float(np.abs(objective).max()), 1e-300)
    found = milp(
        -objective / scale,
        constraints=LinearConstraint(rows, -np.inf, np.ones(rows.shape[0])),
        integrality=np.ones(objective.size),
        bounds=Bounds(0, 1),
        # A limit in nodes, not in seconds, so that the same question has the same answer.
        options={"node_limit": 2_000, "mip_rel_gap": 1e-6},
    )
    days: list[tuple[int, ...]] = [() for _ in left]
    if found.x is None:
        return tuple(days), 0.0, np.inf
    for taken in np.flatnonzero(found.x > 0.5):
        days[taken // len(tours)] = tours[taken % len(tours)]
    gained = sum(left[day] * gains[list(tour)].sum() for day, tour in enumerate(days) if tour)
    return tuple(days), float(gained), float(-found.mip_dual_bound * scale)
