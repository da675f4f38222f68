"""The search behind `media_weeks`: ascent with a bound, areas given up on the foot of an S, what is left over."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from hustings.stats.clusters import Floats
from hustings.stats.geo_readings import stock
from hustings.stats.response import Response, envelope, share_of_effect

_ROUNDS = 4_000
_GIVEN_UP = 12


class Channel(NamedTuple):
    """One way to spend money in areas.

    Attributes:
        full_effect: Votes per person moved without end of dose.
        response: Share of that at a dose.
        half_life: Weeks in which half of a dose is lost; 0 for none that lasts.
        most: Highest dose of one area and week: nothing is known above what was tested.
        price: (a, w) cents of one unit of dose for all people of an area in a week, above 0.
    """

    full_effect: float
    response: Response
    half_life: float
    most: float
    price: ArrayLike


def slope_of(
    channels: Sequence[Channel], price: Floats, cents: Floats, value: Floats, cast: Floats
) -> tuple[float, Floats]:
    """The concave objective (before `elsewhere`), and what one more cent adds to it."""
    total, slope = 0.0, np.empty_like(cents)
    for number, channel in enumerate(channels):
        z = stock(cents[number] / price[number], channel.half_life)
        share, steep = envelope(channel.response, z)
        full = max(channel.full_effect, 0.0)
        total += full * float(value @ share @ cast)
        # What a dose adds is what it adds to its own week's stock and, less and less, to all later ones.
        at = full * value[:, None] * cast * steep
        slope[number] = stock(at[:, ::-1], channel.half_life)[:, ::-1] / price[number]
    return total, slope


def climbed(
    channels: Sequence[Channel],
    price: Floats,
    room: Floats,
    value: Floats,
    cast: Floats,
    most: float,
    elsewhere: float,
    tolerance: float,
) -> tuple[Floats, float]:
    """Accelerated ascent in shares of the room, steps as long as they hold."""
    x = np.zeros_like(room)
    # Less than a billionth of the room is nothing.
    if most <= 1e-9 * float(room.sum()):
        return x, 0.0
    ahead, momentum, bound, best = x.copy(), 1.0, np.inf, x
    best_value, before = 0.0, 0.0
    now, slope = slope_of(channels, price, x, value, cast)
    step = 1.0 / max(float(np.abs((slope - elsewhere) * room).max()), 1e-300)
    for _ in range(_ROUNDS):
        there, slope = slope_of(channels, price, ahead, value, cast)
        there -= elsewhere * float(ahead.sum())
        g = slope - elsewhere
        bound = min(bound, there + _linear(g, room, most) - float((g * ahead).sum()))
        while True:
            new = _projected(ahead + step * g * room**2, room, most)
            now = slope_of(channels, price, new, value, cast)[0] - elsewhere * float(new.sum())
            moved = new - ahead
            curve = np.divide(moved**2, room**2, out=np.zeros_like(moved), where=room > 0).sum() / (2 * step)
            if now >= there + float((g * moved).sum()) - curve - 1e-12 * abs(there) or step < 1e-200:
                break
            step /= 2
        if now > best_value:
            best, best_value = new, now
        if bound - best_value <= tolerance * max(bound, 1e-300):
            break
        after = (1 + np.sqrt(1 + 4 * momentum**2)) / 2
        if now < before:
            momentum, after = 1.0, 1.0
        ahead = _projected(new + (momentum - 1) / after * (new - x), room, most)
        x, momentum, before = new, after, now
        step *= 1.1
    return best, max(bound, 0.0)


def gathered(
    channels: Sequence[Channel],
    price: Floats,
    room: Floats,
    value: Floats,
    cast: Floats,
    most: float,
    elsewhere: float,
    cents: Floats,
) -> Floats:
    """A split that no longer sits on the foot of an S: areas that fall short of their envelope are given up by quarters."""

    def each(split: Floats) -> Floats:
        """(c, a) what each channel gains in each area, less what its money would gain elsewhere."""
        found = np.empty(split.shape[:2])
        for number, channel in enumerate(channels):
            share = share_of_effect(channel.response, stock(split[number] / price[number], channel.half_life))
            found[number] = max(channel.full_effect, 0.0) * value * (share @ cast)
        return found - elsewhere * split.sum(2)

    best, best_net, left = cents, float(each(cents).sum()), room.copy()
    for _ in range(_GIVEN_UP):
        own = each(cents)
        told, _ = slope_of(channels, price, cents, value, cast)
        if told - elsewhere * float(cents.sum()) - own.sum() <= 1e-3 * max(own.sum(), 1e-300):
            break
        money = cents.sum(2)
        ratio = np.divide(own, money, out=np.full_like(own, -np.inf), where=money > 0)
        used = np.flatnonzero(money.ravel() > 1e-6 * money.max())
        if used.size < 2:
            break
        worst = used[np.argsort(ratio.ravel()[used], kind="stable")[: max(1, used.size // 4)]]
        left.reshape(-1, left.shape[2])[worst] = 0.0
        cents, _ = climbed(channels, price, left, value, cast, min(most, float(left.sum())), elsewhere, 1e-3)
        net = float(each(cents).sum())
        if net > best_net:
            best, best_net = cents, net
    return best


def topped(
    channels: Sequence[Channel],
    price: Floats,
    cents: Floats,
    room: Floats,
    value: Floats,
    cast: Floats,
    most: float,
    elsewhere: float,
) -> Floats:
    """The same split with what the search has left over, where it gains most and more than elsewhere."""
    before, slope = slope_of(channels, price, cents, value, cast)
    order = np.argsort(-slope.ravel(), kind="stable")
    order = order[slope.ravel()[order] > elsewhere]
    space = np.maximum(room - cents, 0).ravel()[order]
    reach = np.minimum(np.cumsum(space), max(most - float(cents.sum()), 0.0))
    more = cents.copy()
    more.ravel()[order] += np.diff(reach, prepend=0.0)
    after, _ = slope_of(channels, price, more, value, cast)
    return more if after - before >= elsewhere * float(more.sum() - cents.sum()) else cents


def _projected(z: Floats, room: Floats, most: float) -> Floats:
    """The nearest split within room and budget, distances counted in shares of the room."""
    inside = np.clip(z, 0, room)
    if inside.sum() <= most:
        return inside
    # Clip(z - t room²) falls with t: halve until the budget is met, then scale the rest away.
    low, high = 0.0, float((z / np.where(room > 0, room**2, np.inf)).max())
    for _ in range(60):
        middle = (low + high) / 2
        if np.clip(z - middle * room**2, 0, room).sum() > most:
            low = middle
        else:
            high = middle
    return np.clip(z - high * room**2, 0, room)


def _linear(g: Floats, room: Floats, most: float) -> float:
    """The most that g · y can be within room and budget."""
    flat, space = g.ravel(), room.ravel()
    order = np.argsort(-flat, kind="stable")
    order = order[flat[order] > 0]
    reach = np.minimum(np.cumsum(space[order]), most)
    return float((flat[order] * np.diff(reach, prepend=0.0)).sum())
