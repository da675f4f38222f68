"""One budget over everything that money can buy: where the next unit goes, at one shadow price.

An offer is what one plan gains for so much money, in steps. Its upper concave envelope has falling gains per unit of
money; the envelopes' pieces, merged in order of gain per unit, are bought until the money ends. The gain per unit of
the first piece that is not bought is the price: what more money would gain, and what every other use must beat.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hustings.errors import DesignError

Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]

_CLOSE = 1e-9


class Offer(NamedTuple):
    """What one use of money gains; all (s,), costs rising from 0.

    Attributes:
        cost: Of everything up to the step.
        gain: Expected; of what costs nothing at the first.
        error: Standard error of `gain`.
    """

    cost: Floats
    gain: Floats
    error: Floats


class Limits(NamedTuple):
    """What the money must obey: m rows, each a ceiling on the sum of some of the k offers.

    Attributes:
        member: (m, k) whether the offer counts in the row.
        amount: (m,) ceilings.
        day: (m,) of a row of cash, the day until which its money must do; NaN where the row is no cash: more money
            does not raise it.
    """

    member: Booleans
    amount: Floats
    day: Floats


class Split(NamedTuple):
    """One way to divide the money.

    Attributes:
        amount: (k,) for each offer.
        gain: (k,) expected of it.
        price: What one more unit of money today would gain; 0 when everything that pays is bought.
        prices: (m,) the same of money that comes on each row's day; 0 for rows that are no cash.
        bound: No division whatever gains more in all.
        gap: (bound - gain) / bound.
    """

    amount: Floats
    gain: Floats
    price: float
    prices: Floats
    bound: float
    gap: float


class Pieces(NamedTuple):
    """All offers' steps in one row: widths in money, rises in gain and in its error, and whose they are."""

    width: Floats
    rise: Floats
    error: Floats
    owner: NDArray[np.int64]


def offer(cost: ArrayLike, gain: ArrayLike, std_error: ArrayLike | None = None) -> Offer:
    """One offer, checked, with one step for each cost.

    Args:
        cost: (s,) cumulative, from 0, never falling.
        gain: (s,) cumulative, in any unit.
        std_error: (s,) of the gains, 0 or more; none where it is not known.

    Returns:
        The offer; of several steps of one cost the one that gains most. What costs nothing and gains something is the
        first step.

    Raises:
        DesignError: Shapes that do not fit, a number that is missing or infinite, costs that fall or do not begin at
            0, a negative error.

    >>> offer([0, 100, 100, 200], [0, 5, 6, 7]).gain.tolist()
    [0.0, 6.0, 7.0]
    """
    c, g = np.asarray(cost, np.float64), np.asarray(gain, np.float64)
    e = np.zeros(c.shape) if std_error is None else np.asarray(std_error, np.float64)
    if c.ndim != 1 or not c.size or c.shape != g.shape or c.shape != e.shape:
        got = f"{c.shape}, {g.shape}, {e.shape}"
        raise DesignError.of("Steps of an offer do not fit", received=got, allowed="(s,) each, s ≥ 1")
    bad = int((~(np.isfinite(c) & np.isfinite(g) & np.isfinite(e))).sum())
    if bad:
        raise DesignError.of(
            "A step of an offer has no cost, gain or error", received=f"{bad} of {c.size} steps"
        )
    if c[0] != 0 or np.any(np.diff(c) < 0):
        got = f"{c[0]:g} at first" if c[0] else f"a fall by {-np.diff(c).min():g}"
        raise DesignError.of("Costs of an offer add up step by step", received=got, allowed="0, then rising")
    if np.any(e < 0):
        raise DesignError.of("A standard error is negative", received=float(e.min()), allowed="0 or more")
    order = np.lexsort((g, c))
    last = np.flatnonzero(np.append(np.diff(c[order]) > 0, True))
    keep = order[last]
    return Offer(c[keep], g[keep], e[keep])


def envelope(width: ArrayLike, rise: ArrayLike) -> Floats:
    """Gains per unit of money along the upper concave envelope of a curve, or of many with the same costs.

    The slopes of the least concave majorant are the antitonic regression of the curve's own slopes, weighted by width:
    slope_i = min over a ≤ i of max over b ≥ i of the mean slope from a to b.

    Args:
        width: (s,) money of each step, above 0.
        rise: (..., s) gain of each step.

    Returns:
        (..., s) slopes that never rise.

    Source: Barlow, Bartholomew, Bremner & Brunk, Statistical Inference under Order Restrictions (1972), theorem 1.1
    and eq. 1.9.

    >>> envelope([1.0, 1.0, 2.0], [1.0, 3.0, 2.0])
    array([2., 2., 1.])
    """
    w, r = np.asarray(width, np.float64), np.asarray(rise, np.float64)
    s = w.size
    if not s:
        return np.zeros(r.shape)
    money = np.append(0.0, np.cumsum(w))
    height = np.concatenate([np.zeros((*r.shape[:-1], 1)), np.cumsum(r, axis=-1)], axis=-1)
    span = np.where(np.triu(np.ones((s, s), bool)), money[None, 1:] - money[:-1, None], np.inf)
    mean = (height[..., None, 1:] - height[..., :-1, None]) / span
    mean = np.where(np.isinf(span), -np.inf, mean)
    best = np.flip(np.maximum.accumulate(np.flip(mean, -1), axis=-1), -1)
    return np.asarray(np.diagonal(np.minimum.accumulate(best, axis=-2), axis1=-2, axis2=-1))


def gain_at(offers: Sequence[Offer], amount: ArrayLike) -> tuple[Floats, Floats]:
    """What divisions of the money gain by the offers' own curves, and the standard error of each part.

    Args:
        offers: k offers.
        amount: (..., k) money for each.

    Returns:
        (..., k) gains and (..., k) standard errors; between two steps on the straight line.

    >>> gain_at([offer([0, 100], [0, 4], [0, 2])], [50.0])[0].tolist()
    [2.0]
    """
    x = np.asarray(amount, np.float64)
    found = [
        [np.interp(x[..., j], one.cost, part) for part in (one.gain, one.error)]
        for j, one in enumerate(offers)
    ]
    if not found:
        return np.zeros(x.shape), np.zeros(x.shape)
    return np.stack([f[0] for f in found], -1), np.stack([f[1] for f in found], -1)


def cash_limits(
    budget: float, starts: ArrayLike, cash: float = np.inf, income: Sequence[tuple[float, float]] = ()
) -> Limits:
    """The ceilings of a budget of which some money comes in later: nothing is spent before it is there.

    Args:
        budget: What may be spent in all.
        starts: (k,) day on which each offer's money is spent; NaN for today.
        cash: What is there today.
        income: Days and amounts that come in after today.

    Returns:
        One row for each day on which money is spent, and one for the whole budget.

    Raises:
        DesignError: An amount below 0 or missing.

    >>> cash_limits(100.0, [1.0, 5.0], 30.0, [(3.0, 50.0)]).amount.tolist()
    [30.0, 80.0, 100.0]
    """
    for what, value in (("budget", budget), ("cash", cash), *(("income", one) for _, one in income)):
        if not value >= 0:
            raise DesignError.of(f"The {what} is no amount", received=value, allowed="0 or more")
    day = np.asarray(starts, np.float64)
    day = np.where(np.isnan(day), -np.inf, day)
    dates = np.unique(day)
    there = [cash + sum(amount for on, amount in income if on <= date) for date in dates]
    member = np.concatenate([day[None, :] <= dates[:, None], np.ones((1, day.size), bool)])
    amounts = np.append(np.minimum(there, budget), budget)
    return Limits(member, amounts, np.append(dates, np.inf))


def with_ceiling(limits: Limits, member: ArrayLike, amount: float) -> Limits:
    """The same limits with one more row that money does not raise: a share for the untested, a cap of one offer.

    >>> with_ceiling(cash_limits(10.0, [0.0, 0.0]), [True, False], 4.0).amount.tolist()
    [10.0, 10.0, 4.0]
    """
    row = np.asarray(member, bool)[None, :]
    return Limits(
        np.concatenate([limits.member, row]),
        np.append(limits.amount, max(float(amount), 0.0)),
        np.append(limits.day, np.nan),
    )


def more(limits: Limits, amount: float) -> Limits:
    """The same limits with more money today, or less."""
    cash = ~np.isnan(limits.day)
    return limits._replace(amount=np.maximum(np.where(cash, limits.amount + amount, limits.amount), 0.0))


def split_budget(offers: Sequence[Offer], limits: Limits) -> Split:
    """The division of the money that gains most, at one price.

    Rows that are nested or apart (cash by day, a share for some) make this a polymatroid, on which buying the best
    piece that fits is optimal for concave gains; crossing rows may leave a gap, which `bound` tells. Where a curve is
    not concave, the money may end within one of its leaps: then it is also tried without that leap, and by the
    curves' own gains the better one is kept.

    Args:
        offers: k offers in one unit; one that never gains gets nothing.
        limits: Ceilings, (m, k).

    Returns:
        The division, its price, and the bound by Lagrangian duality at the prices.

    Raises:
        DesignError: Limits that do not fit the offers.

    Source: Everett, Operations Research 11 (1963); Federgruen & Groenevelt, Operations Research 34 (1986), theorem 2.

    >>> steep, flat = offer([0, 100], [0, 10]), offer([0, 100, 200], [0, 8, 9])
    >>> found = split_budget([steep, flat], cash_limits(150.0, [0.0, 0.0]))
    >>> found.amount.tolist(), round(found.price, 3)
    ([100.0, 50.0], 0.08)
    """
    if limits.member.shape != (limits.amount.size, len(offers)):
        got = f"{limits.member.shape} for {len(offers)} offers"
        raise DesignError.of("Limits do not fit the offers", received=got, allowed="(m, k) and (m,)")
    pieces = pieces_of(offers)
    slope = slopes(offers, pieces.rise[None, :])
    bought = buy(slope, pieces, limits)
    amount = _sums(bought, pieces.owner, len(offers))[0]
    prices = _prices(slope[0], bought[0], pieces, limits)
    bound = _bound(offers, slope[0], pieces, limits, prices, bought[0])
    best = amount
    for _ in range(len(offers)):
        leap = _leaps(offers, slope[0], pieces, amount)
        if leap is None:
            break
        only = np.arange(len(offers)) == leap[0]
        limits = with_ceiling(limits, only, leap[1])
        amount = _sums(buy(slope, pieces, limits), pieces.owner, len(offers))[0]
        best = max(best, amount, key=lambda x: float(gain_at(offers, x)[0].sum()))
    gain = gain_at(offers, best)[0]
    total = float(gain.sum())
    bound = max(bound, total)
    return Split(
        best,
        gain,
        float(prices.max(initial=0.0)),
        prices,
        bound,
        (bound - total) / bound if bound > 0 else 0.0,
    )


def slopes(offers: Sequence[Offer], rise: Floats) -> Floats:
    """(d, p) gains per unit along each offer's envelope, for d draws of the rises of all p pieces."""
    found, at = [], 0
    for one in offers:
        size = one.cost.size - 1
        found.append(envelope(np.diff(one.cost), rise[:, at : at + size]))
        at += size
    return np.concatenate(found, axis=1) if found else np.zeros((rise.shape[0], 0))


def buy(slope: Floats, pieces: Pieces, limits: Limits) -> Floats:
    """(d, p) money on every piece in each draw: the best first, as far as every row lets it."""
    draws, n = slope.shape
    order = np.argsort(-slope, axis=1, kind="stable")
    left = np.tile(limits.amount, (draws, 1))
    bought, row = np.zeros((draws, n)), np.arange(draws)
    for rank in range(n):
        piece = order[:, rank]
        inside = limits.member[:, pieces.owner[piece]].T
        room = np.where(inside, left, np.inf).min(axis=1, initial=np.inf)
        taken = np.where(slope[row, piece] > 0, np.minimum(pieces.width[piece], np.maximum(room, 0.0)), 0.0)
        bought[row, piece] = taken
        left -= inside * taken[:, None]
    return bought


def pieces_of(offers: Sequence[Offer]) -> Pieces:
    """All offers' steps in one row."""
    parts = [(np.diff(one.cost), np.diff(one.gain), np.diff(one.error)) for one in offers]
    owner = np.repeat(np.arange(len(offers)), [one.cost.size - 1 for one in offers])
    empty = [np.zeros(0)] * 3
    width, rise, error = (np.concatenate(column) for column in zip(*parts, strict=True)) if parts else empty
    return Pieces(width, rise, error, owner.astype(np.int64))


def _sums(bought: Floats, owner: NDArray[np.int64], k: int) -> Floats:
    """(d, k) money for each offer."""
    return bought @ (owner[:, None] == np.arange(k)).astype(np.float64)


def _tight(bought: Floats, pieces: Pieces, limits: Limits) -> Booleans:
    spent = limits.member @ _sums(bought[None, :], pieces.owner, limits.member.shape[1])[0]
    return np.asarray(spent >= limits.amount * (1 - _CLOSE) - _CLOSE)


def _prices(slope: Floats, bought: Floats, pieces: Pieces, limits: Limits) -> Floats:
    """(m,) the best piece that more money of each day would buy; 0 for rows that are no cash."""
    tight, cash = _tight(bought, pieces, limits), ~np.isnan(limits.day)
    open_ = (bought < pieces.width * (1 - _CLOSE)) & (slope > 0)
    held = limits.member[:, pieces.owner] & tight[:, None]
    open_ &= ~held[~cash].any(axis=0)
    found = np.zeros(limits.amount.size)
    for m in np.flatnonzero(cash):
        # Money of this day does not loosen the rows of the days before.
        early = cash & (limits.day < limits.day[m])
        free = open_ & ~held[early].any(axis=0)
        found[m] = slope[free].max(initial=0.0)
    return found


def _bound(
    offers: Sequence[Offer], slope: Floats, pieces: Pieces, limits: Limits, prices: Floats, bought: Floats
) -> float:
    """The dual function at these prices: an upper bound, whatever they are."""
    cash = np.flatnonzero(~np.isnan(limits.day))
    order = cash[np.argsort(limits.day[cash], kind="stable")]
    dual = np.zeros(limits.amount.size)
    dual[order] = np.maximum(prices[order] - np.append(prices[order][1:], 0.0), 0.0)
    tight = _tight(bought, pieces, limits)
    for m in np.flatnonzero(np.isnan(limits.day) & tight):
        paid = (dual[:, None] * limits.member).sum(0)[pieces.owner]
        stopped = limits.member[m, pieces.owner] & (bought < pieces.width * (1 - _CLOSE))
        dual[m] = max(float((slope - paid)[stopped].max(initial=0.0)), 0.0)
    paid = (dual[:, None] * limits.member).sum(0)[pieces.owner]
    finite = np.where(dual > 0, limits.amount, 0.0)
    free = sum(float(one.gain[0]) for one in offers)
    return free + float(dual @ finite) + float((np.maximum(slope - paid, 0.0) * pieces.width).sum())


def _leaps(
    offers: Sequence[Offer], slope: Floats, pieces: Pieces, amount: Floats
) -> tuple[int, float] | None:
    """The first offer whose money ends within a leap of its envelope, and where the leap begins."""
    for j, one in enumerate(offers):
        own = slope[pieces.owner == j]
        if not own.size or not 0 < amount[j] < one.cost[-1]:
            continue
        rises = np.append(0.0, np.cumsum(own * np.diff(one.cost))) + one.gain[0]
        above = np.interp(amount[j], one.cost, rises) - np.interp(amount[j], one.cost, one.gain)
        if above > _CLOSE * max(abs(float(rises[-1])), 1e-300):
            touching = np.isclose(rises, one.gain, rtol=1e-9, atol=1e-12 * max(abs(float(rises[-1])), 1e-300))
            return j, float(one.cost[touching & (one.cost <= amount[j])].max(initial=0.0))
    return None
