"""Ascent on what a media plan is worth: gradients, the projection onto the limits, and the linear bound."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from hustings.errors import DesignError
from hustings.stats.clusters import Floats
from hustings.stats.response import Response, envelope, share_of_effect

_STEPS = 400
_NEWTON = 40


class Audience(NamedTuple):
    """Who sees what.

    Attributes:
        viewing: (n, s) probability of seeing one unit.
        worth: (n,) what the full effect on all of a row is worth.
        turned: (s, n) the same probabilities, where they are needed often.
    """

    viewing: sparse.csr_array
    worth: NDArray[np.float32]
    turned: sparse.csr_array | None = None


class Limits(NamedTuple):
    """table @ x <= limit and 0 <= x <= room; the last rows are minimum buys, of the caps named in `least`."""

    table: Floats
    limit: Floats
    room: Floats
    least: list[int]


def value_of(viewers: Audience, response: Response, x: Floats) -> float:
    """What a plan is worth."""
    seen = viewers.viewing @ x.astype(np.float32)
    return float(np.dot(share_of_effect(response, seen).astype(np.float64), viewers.worth.astype(np.float64)))


def gradient(viewers: Audience, response: Response, x: Floats) -> tuple[float, Floats]:
    """The envelope's value at a plan, and what one more unit of each slot would add."""
    seen = viewers.viewing @ x.astype(np.float32)
    value, slope = envelope(response, seen)
    weight = (slope * viewers.worth).astype(np.float32)
    back = viewers.turned @ weight if viewers.turned is not None else viewers.viewing.T @ weight
    total = float(np.dot(value.astype(np.float64), viewers.worth.astype(np.float64)))
    return total, back.astype(np.float64)


def most(slope: Floats, limits: Limits) -> float:
    """The most that slope · y can be within the limits.

    Raises:
        DesignError: Nothing keeps to the limits.
    """
    from scipy.optimize import linprog

    # In units of what binds, so that the solver's tolerances mean the same for cents and for points.
    rows = np.maximum(np.abs(limits.limit), 1e-9)
    unit = max(float(np.abs(slope).max(initial=0)), 1e-300)
    found = linprog(
        -slope / unit,
        A_ub=limits.table / rows[:, None],
        b_ub=limits.limit / rows,
        bounds=np.column_stack([np.zeros(limits.room.size), limits.room]),
        method="highs",
    )
    if found.status != 0:
        raise DesignError.of(
            "Nothing keeps to all limits", received=found.message, then="lower the minimum buys"
        )
    return float(-found.fun) * unit


class _Dual(NamedTuple):
    """The projection's dual at some prices: the plan there, by how much it breaks each limit, and the value."""

    price: Floats
    plan: Floats
    over: Floats
    value: float


def projected(point: Floats, metric: Floats, limits: Limits, start: Floats) -> tuple[Floats, Floats]:
    """The plan within the limits that is nearest to a point, and the limits' prices there.

    min over y of 1/2 sum metric (y - point)²: the dual in the limits' prices is smooth and concave. Projected Newton
    steps (Bertsekas, SIAM J. Control 20 (1982)); where one does not ascend, each price in turn.
    """
    size = np.maximum(np.abs(limits.limit), 1e-9)
    now = _dual(point, metric, limits, start)
    for _ in range(_NEWTON):
        wrong = np.where(now.price > 0, np.abs(now.over), np.maximum(now.over, 0))
        if (wrong <= 1e-9 * size).all():
            break
        found = _newton(point, metric, limits, now)
        now = found if found is not None else _in_turn(point, metric, limits, now)
    # What rounding has left over the limits is taken from everything alike.
    upper = slice(0, len(limits.limit) - len(limits.least))
    takes = limits.table[upper] @ now.plan
    share = np.divide(limits.limit[upper], takes, out=np.ones_like(takes), where=takes > 0).min(initial=1.0)
    return now.plan * min(1.0, float(share)), now.price


def _dual(point: Floats, metric: Floats, limits: Limits, price: Floats) -> _Dual:
    y = np.clip(point - (price @ limits.table) / metric, 0.0, limits.room)
    over = limits.table @ y - limits.limit
    return _Dual(price, y, over, float(0.5 * np.dot(metric, (y - point) ** 2) + price @ over))


def _newton(point: Floats, metric: Floats, limits: Limits, now: _Dual) -> _Dual | None:
    free = (now.price > 0) | (now.over > 0)
    inside = (now.plan > 0) & (now.plan < limits.room)
    rows = limits.table[free][:, inside]
    curve = (rows / metric[inside]) @ rows.T
    scale = np.sqrt(np.maximum(np.diag(curve), 1e-300))
    if not (np.diag(curve) > 0).all():
        return None
    curve = curve / scale / scale[:, None]
    curve[np.diag_indices_from(curve)] += 1e-10
    step = np.zeros(now.price.size)
    step[free] = np.linalg.solve(curve, now.over[free] / scale) / scale
    for length in 0.5 ** np.arange(12):
        trial = _dual(point, metric, limits, np.maximum(now.price + length * step, 0.0))
        if trial.value > now.value + 1e-15 * abs(now.value):
            return trial
    return None


def _in_turn(point: Floats, metric: Floats, limits: Limits, now: _Dual) -> _Dual:
    """Each limit's price so that it just keeps, the others as they are: two halvings of a bracket a digit."""
    price = now.price.copy()
    for k in range(price.size):
        row = limits.table[k]
        rest = point - (price @ limits.table - price[k] * row) / metric

        def over(at: float, row: Floats = row, rest: Floats = rest, k: int = k) -> float:
            return float(row @ np.clip(rest - at * row / metric, 0.0, limits.room) - limits.limit[k])

        if over(0.0) <= 0:
            price[k] = 0.0
            continue
        low, high = (
            0.0,
            max(float(price[k]), float((np.abs(metric / np.where(row == 0, np.inf, row))).max()), 1e-30),
        )
        for _ in range(200):
            if over(high) <= 0:
                break
            low, high = high, 2 * high
        for _ in range(60):
            middle = (low + high) / 2
            low, high = (middle, high) if over(middle) > 0 else (low, middle)
        price[k] = high
    return _dual(point, metric, limits, price)


def climb(
    viewers: Audience,
    scale: float,
    limits: Limits,
    response: Response,
    start: Floats,
    tilt: Floats,
    tolerance: float,
) -> tuple[Floats, Floats]:
    """The plan that maximises scale · F(x) + tilt · x, by accelerated projected ascent, and the limits' prices.

    Stops when the linear bound is within `tolerance` of the value.
    """

    def at(x: Floats) -> tuple[float, Floats]:
        value, slope = gradient(viewers, response, x)
        return scale * value + float(tilt @ x), scale * slope + tilt

    metric = _curvature(viewers, scale, response)
    price = np.zeros(len(limits.limit))
    x, price = projected(start, metric, limits, price)
    value, _ = at(x)
    ahead, momentum, steep = x, 1.0, 1.0
    for step in range(_STEPS):
        value_ahead, slope = at(ahead)
        while True:
            new, price = projected(ahead + slope / (steep * metric), steep * metric, limits, price)
            move = new - ahead
            value_new, slope_new = at(new)
            if value_new >= value_ahead + slope @ move - 0.5 * steep * np.dot(metric, move**2) - 1e-7 * abs(
                value_ahead
            ):
                break
            steep *= 2
        if value_new < value:
            ahead, momentum = x, 1.0
            steep *= 1.1
            if step and np.array_equal(ahead, new):
                break
            continue
        following = (1 + np.sqrt(1 + 4 * momentum**2)) / 2
        ahead = np.clip(new + (momentum - 1) / following * (new - x), 0.0, limits.room)
        x, value, momentum, steep = new, value_new, following, steep * 0.9
        if step % 10 == 9 and most(slope_new, limits) - slope_new @ x <= tolerance * max(abs(value), 1e-300):
            break
    return x, price


def _curvature(viewers: Audience, scale: float, response: Response) -> Floats:
    """(s,) the order of each slot's own curvature where nothing is bought yet."""
    squares = viewers.viewing.power(2)
    own = (squares.T @ viewers.worth).astype(np.float64) * scale * response.rate**2
    return np.maximum(own, 1e-9 * max(float(own.max(initial=0)), 1e-30))
