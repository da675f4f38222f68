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
from hustings.stats.media_weeks_search import Channel, climbed, gathered, slope_of, topped
from hustings.stats.response import checked, share_of_effect

__all__ = ["Channel", "Weeks", "gain_of", "gains_of_draws", "marginal_gain", "plan_weeks", "spread"]


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

    >>> from hustings.stats.response import Response
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

    >>> from hustings.stats.response import Response
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
    cents, bound = climbed(channels, price, room, value, cast, most, elsewhere, tolerance)
    if not all(channel.response.concave for channel in channels):
        cents = gathered(channels, price, room, value, cast, most, elsewhere, cents)
    cents = topped(channels, price, cents, room, value, cast, most, elsewhere)
    gain = gain_of(channels, cents, value, cast)
    net = gain - elsewhere * float(cents.sum())
    if net <= 0:
        # An S-shaped curve's envelope may promise what no split keeps.
        cents, gain, net = np.zeros_like(cents), 0.0, 0.0
    bound = max(bound, net)
    marginal = float(marginal_gain(channels, cents, value, cast).max())
    left = budget - float(cents.sum())
    why = None if left <= 1e-6 * max(budget, 1.0) else _why(channels, marginal, elsewhere)
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

    Args:
        channels: The channels.
        cents: (c, a, w) money.
        worth: (a,) as in `gain_of`.
        votes: (w,) shares.

    Returns:
        (c, a, w), of an S-shaped curve its concave envelope's.

    >>> from hustings.stats.response import Response
    >>> one = Channel(0.1, Response(1.0), 0.0, 5.0, [[100.0]])
    >>> marginal_gain([one], [[[0.0]]], [1000.0], [1.0]).tolist()
    [[[1.0]]]
    """
    money, value, cast = (np.asarray(v, np.float64) for v in (cents, worth, votes))
    price = np.array([np.broadcast_to(np.asarray(c.price, np.float64), money.shape[1:]) for c in channels])
    room = price * np.array([channel.most for channel in channels])[:, None, None]
    return np.where(money < room * (1 - 1e-6), slope_of(channels, price, money, value, cast)[1], 0.0)


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


def _why(channels: Sequence[Channel], marginal: float, elsewhere: float) -> str:
    if all(channel.full_effect <= 0 for channel in channels):
        return "no channel is expected to move a vote our way"
    if elsewhere > 0 and marginal > 0:
        return "the next cent would gain less here than elsewhere"
    return "wherever a vote can be moved every week is at the highest dose that was tested; what more would do is not known"
