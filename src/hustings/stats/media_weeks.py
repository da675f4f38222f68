"""How much to spend in which area and week: all of it when it pays, and not when it does not.

Every area's votes are moved by what is at work when they are cast, so a week's money is worth what is left of it on each
day of voting. The objective is concave (or bounded by one that is), so the distance from the best split is known.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from hustings.errors import DesignError
from hustings.stats.clusters import Floats
from hustings.stats.geo_readings import stock
from hustings.stats.response import Response, checked, envelope, share_of_effect

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


class Weeks(NamedTuple):
    """Money by channel, area and week.

    Attributes:
        cents: (c, a, w).
        gain: In the unit of `worth`.
        spent: Cents.
        bound: No split within the limits gains more, less `elsewhere` for each cent.
        gap: (bound - what the split reaches of it) / bound.
        marginal: What one more cent would gain where it gains most.
        why_left: Why money is left over, or None where it is not.
    """

    cents: Floats
    gain: float
    spent: float
    bound: float
    gap: float
    marginal: float
    why_left: str | None


def gain_of(channels: Sequence[Channel], cents: ArrayLike, worth: ArrayLike, votes: ArrayLike) -> float:
    """What a split gains: nothing counts above the highest tested dose.

    Args:
        channels: The channels.
        cents: (c, a, w) money.
        worth: (a,) what it is worth to move one vote per person in an area: people × worth of a vote.
        votes: (w,) share of the votes that are cast in each week.

    Returns:
        The gain.

    >>> one = Channel(0.1, Response(1.0), 0.0, 5.0, [[100.0]])
    >>> round(gain_of([one], [[[100.0]]], [1000.0], [1.0]), 4)
    63.2121
    """
    money, value, cast = (np.asarray(v, np.float64) for v in (cents, worth, votes))
    total = 0.0
    for channel, own in zip(channels, money, strict=True):
        dose = np.minimum(own / np.asarray(channel.price, np.float64), channel.most)
        share = share_of_effect(channel.response, stock(dose, channel.half_life))
        total += channel.full_effect * float(value @ share @ cast)
    return total


def plan_weeks(
    channels: Sequence[Channel],
    worth: ArrayLike,
    votes: ArrayLike,
    budget: float,
    *,
    elsewhere: float = 0.0,
    tolerance: float = 1e-4,
) -> Weeks:
    """The money by channel, area and week that gains most, and what is better left.

    maximise sum over channels and areas of worth · E · sum over weeks of votes · r(stock) - elsewhere · cents, within the
    budget and the tested doses: accelerated projected ascent until the linear bound is near. An S-shaped curve is planned
    and bounded by its concave envelope.

    Args:
        channels: One or more.
        worth: (a,) as in `gain_of`.
        votes: (w,) shares that add up to one.
        budget: Cents, 0 or more.
        elsewhere: What a cent gains where it would go instead: less than that is not spent here.
        tolerance: Relative gap at which the search ends.

    Returns:
        The split with its bound.

    Raises:
        DesignError: Shapes or numbers that do not fit.

    Source: Nesterov, Doklady 27 (1983); O'Donoghue & Candès, FoCM 15 (2015), for restarts; Jaggi, ICML (2013), for the
    gap.

    >>> tv = Channel(0.1, Response(1.0), 1.0, 2.0, [[100.0, 100.0]])
    >>> plan_weeks([tv], [1000.0], [0.0, 1.0], 100.0).cents.round(2).tolist()
    [[[0.0, 100.0]]]
    """
    value, cast = _checked(channels, worth, votes, budget, elsewhere)
    price = np.array(
        [np.broadcast_to(np.asarray(c.price, np.float64), (value.size, cast.size)) for c in channels]
    )
    room = price * np.array([c.most if c.full_effect > 0 else 0.0 for c in channels])[:, None, None]
    most = min(budget, float(room.sum()))
    cents, bound = _climbed(channels, price, room, value, cast, most, elsewhere, tolerance)
    if not all(channel.response.concave for channel in channels):
        cents = _gathered(channels, price, room, value, cast, most, elsewhere, cents)
    _, slope = _slope(channels, price, cents, value, cast)
    gain = gain_of(channels, cents, value, cast)
    net = gain - elsewhere * float(cents.sum())
    if net <= 0:
        # An S-shaped curve's envelope may promise what no split keeps.
        cents, gain, net = np.zeros_like(cents), 0.0, 0.0
    bound = max(bound, net)
    spare = np.where(cents < room * (1 - 1e-6), slope, -np.inf)
    marginal = float(spare.max()) if spare.size and np.isfinite(spare.max()) else 0.0
    left = budget - float(cents.sum())
    why = None if left <= 1e-6 * max(budget, 1.0) else _why(channels, cents, room, marginal, elsewhere)
    gap = (bound - net) / bound if bound > 0 else 0.0
    return Weeks(cents, gain, float(cents.sum()), bound, gap, marginal, why)


def gains_of_draws(
    draws: ArrayLike, cents: ArrayLike, price: ArrayLike, most: float, worth: ArrayLike, votes: ArrayLike
) -> Floats:
    """What one channel's money gains under each draw from what is known of its response.

    Args:
        draws: (d, 4) full effect, rate, shape (NaN of an exponential), half-life.
        cents: (a, w) money.
        price: (a, w) cents of one unit of dose.
        most: Highest tested dose; nothing counts above.
        worth: (d, a) or (a,) as in `gain_of`; drawn too where it is not known for sure.
        votes: (w,) shares.

    Returns:
        (d,) gains.

    >>> told = gains_of_draws([[0.1, 1.0, np.nan, 0.5], [0.0, 1.0, np.nan, 0.5]], [[100.0]], [[100.0]], 5.0, [1e3], [1.0])
    >>> told.round(4).tolist()
    [63.2121, 0.0]
    """
    table = np.asarray(draws, np.float64)
    dose = np.minimum(np.asarray(cents, np.float64) / np.asarray(price, np.float64), most)
    kept = (0.5 ** (1 / np.maximum(table[:, 3], 1e-3)))[:, None]
    cast, left = np.asarray(votes, np.float64), np.zeros((len(table), dose.shape[0]))
    share = np.zeros_like(left)
    for week in range(dose.shape[1]):
        left = kept * left + dose[:, week]
        if cast[week] > 0:
            z = table[:, 1:2] * left
            shape = table[:, 2:3]
            power = z ** np.nan_to_num(shape, nan=1.0)
            share += cast[week] * np.where(np.isnan(shape), -np.expm1(-z), power / (power + 1))
    return np.asarray(table[:, 0] * (share * np.asarray(worth, np.float64)).sum(1))


def marginal_gain(
    channels: Sequence[Channel], cents: ArrayLike, worth: ArrayLike, votes: ArrayLike
) -> Floats:
    """What one more cent gains for each channel, area and week; 0 where the tested doses end.

    >>> one = Channel(0.1, Response(1.0), 0.0, 5.0, [[100.0]])
    >>> marginal_gain([one], [[[0.0]]], [1000.0], [1.0]).tolist()
    [[[1.0]]]
    """
    money, value, cast = (np.asarray(v, np.float64) for v in (cents, worth, votes))
    price = np.array([np.broadcast_to(np.asarray(c.price, np.float64), money.shape[1:]) for c in channels])
    room = price * np.array([channel.most for channel in channels])[:, None, None]
    return np.where(money < room * (1 - 1e-6), _slope(channels, price, money, value, cast)[1], 0.0)


def spread(budget: float, by_area: ArrayLike, by_week: ArrayLike, n_channels: int) -> Floats:
    """A rule of thumb: the same share of the money for an area in every week.

    Args:
        budget: Cents.
        by_area: (a,) weights, as people.
        by_week: (w,) weights.
        n_channels: Channels, which get alike.

    Returns:
        (c, a, w) cents.

    Raises:
        DesignError: Weights that are negative, missing, or all 0.

    >>> spread(60.0, [1, 2], [0, 1], 1).tolist()
    [[[0.0, 20.0], [0.0, 40.0]]]
    """
    areas, weeks = np.asarray(by_area, np.float64), np.asarray(by_week, np.float64)
    for weight in (areas, weeks):
        if not (np.isfinite(weight).all() and (weight >= 0).all() and weight.sum() > 0):
            raise DesignError.of(
                "Weights of a rule", received=weight.tolist(), allowed="0 or more, some above 0"
            )
    share = np.outer(areas / areas.sum(), weeks / weeks.sum())
    return np.repeat((budget * share / n_channels)[None], n_channels, axis=0)


def _checked(
    channels: Sequence[Channel], worth: ArrayLike, votes: ArrayLike, budget: float, elsewhere: float
) -> tuple[Floats, Floats]:
    value, cast = np.asarray(worth, np.float64), np.asarray(votes, np.float64)
    if not (budget >= 0 and np.isfinite(budget) and elsewhere >= 0 and np.isfinite(elsewhere)):
        raise DesignError.of(
            "A budget, or what money gains elsewhere", received=(budget, elsewhere), allowed="0 or more"
        )
    if value.ndim != 1 or not value.size or not (np.isfinite(value).all() and (value >= 0).all()):
        raise DesignError.of(
            "What votes are worth by area", received=value.shape, allowed="(a,), 0 or more, none missing"
        )
    if cast.ndim != 1 or not (cast >= 0).all() or abs(cast.sum() - 1) > 1e-6:
        raise DesignError.of("Shares of votes by week", received=cast.tolist(), allowed="0 or more, 1 in all")
    for channel in channels:
        checked(channel.response)
        price = np.asarray(channel.price, np.float64)
        sound = np.isfinite(price).all() and (price > 0).all() and np.isfinite(channel.full_effect)
        if not (sound and channel.most >= 0 and np.isfinite(channel.most)):
            raise DesignError.of(
                "A channel's price, effect or highest dose", allowed="prices above 0, a dose of 0 or more"
            )
    if not channels:
        raise DesignError.of("There is no channel to spend on", allowed="one or more")
    return value, cast


def _slope(
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


def _climbed(
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
    if most <= 0:
        return x, 0.0
    ahead, momentum, bound, best = x.copy(), 1.0, np.inf, x
    best_value, before = 0.0, 0.0
    now, slope = _slope(channels, price, x, value, cast)
    step = 1.0 / max(float(np.abs((slope - elsewhere) * room).max()), 1e-300)
    for _ in range(_ROUNDS):
        there, slope = _slope(channels, price, ahead, value, cast)
        there -= elsewhere * float(ahead.sum())
        g = slope - elsewhere
        bound = min(bound, there + _linear(g, room, most) - float((g * ahead).sum()))
        while True:
            new = _projected(ahead + step * g * room**2, room, most)
            now = _slope(channels, price, new, value, cast)[0] - elsewhere * float(new.sum())
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


def _gathered(
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
        told, _ = _slope(channels, price, cents, value, cast)
        if told - elsewhere * float(cents.sum()) - own.sum() <= 1e-3 * max(own.sum(), 1e-300):
            break
        money = cents.sum(2)
        ratio = np.divide(own, money, out=np.full_like(own, -np.inf), where=money > 0)
        used = np.flatnonzero(money.ravel() > 1e-6 * money.max())
        if used.size < 2:
            break
        worst = used[np.argsort(ratio.ravel()[used], kind="stable")[: max(1, used.size // 4)]]
        left.reshape(-1, left.shape[2])[worst] = 0.0
        cents, _ = _climbed(channels, price, left, value, cast, min(most, float(left.sum())), elsewhere, 1e-3)
        net = float(each(cents).sum())
        if net > best_net:
            best, best_net = cents, net
    return best


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


def _why(channels: Sequence[Channel], cents: Floats, room: Floats, marginal: float, elsewhere: float) -> str:
    if all(channel.full_effect <= 0 for channel in channels):
        return "no channel is expected to move a vote our way"
    if (cents >= room * (1 - 1e-4)).all():
        return "every area and week is at the highest dose that was tested; what more would do is not known"
    if elsewhere > 0 and marginal <= elsewhere * 1.001:
        return "the next cent would gain less here than elsewhere"
    if marginal <= 0:
        return "the next cent would gain nothing: what is left of a dose is cast or at its tested end"
    return "more would not gain: the tested doses end where votes are still to be cast"
