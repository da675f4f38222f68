"""Money that brings money: what to spend on asking for gifts, when it is spent today and comes back later.

A gift is worth what the money it brings will buy: the price of money on the day on which it is there. An ask is worth
its cost if gifts per unit × price on the day they arrive is above the price on the day of the ask. The prices follow
from what else is bought, and that from the gifts: a fixed point, found by going round.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hustings.errors import DesignError
from hustings.stats.budgets import (
    Limits,
    Offer,
    Split,
    buy,
    cash_limits,
    gain_at,
    pieces_of,
    slopes,
    split_budget,
    with_ceiling,
)

Floats = NDArray[np.float64]

ROUNDS, STEPS = 25, 20


class Money(NamedTuple):
    """What there is to spend.

    Attributes:
        budget: Ceiling on all that is spent, before what asks bring.
        cash: There today; infinite where only the budget binds.
        income: Days and amounts that come in later, whatever is done.
    """

    budget: float
    cash: float = np.inf
    income: Sequence[tuple[float, float]] = ()


class Asks(NamedTuple):
    """Uses of money that bring money.

    Attributes:
        offers: a offers whose gain is money.
        starts: (a,) days on which their cost is paid; NaN for today.
        paid: (a,) days on which the gifts can be spent.
    """

    offers: Sequence[Offer]
    starts: Floats
    paid: Floats


class Funded(NamedTuple):
    """A division of money, part of which has to be raised first.

    Attributes:
        split: Over the offers that are no asks.
        limits: As they stand with the gifts; k columns.
        asks: (a,) money spent on each ask.
        raised: (a,) expected gifts.
        worth: (a,) what they add by the prices: gifts × price when they arrive less cost × price when it is paid.
        settled: Whether going round came to rest; else the best division met is given.
    """

    split: Split
    limits: Limits
    asks: Floats
    raised: Floats
    worth: Floats
    settled: bool


def fund(
    offers: Sequence[Offer],
    starts: ArrayLike,
    money: Money,
    asks: Asks | None = None,
    ceilings: Sequence[tuple[ArrayLike, float]] = (),
) -> Funded:
    """The best division of the money, asks for gifts among its uses.

    Asks begin at nothing. Prices say which asks pay; with their gifts the money is divided again, and so on until the
    same asks pay. If it goes in a circle (with the gifts everything is bought, and money has no price), the asks
    between the two are tried, and the best division is kept.

    Args:
        offers: k offers in one unit that is not money.
        starts: (k,) day on which each one's money is spent; NaN for today. All of it is paid that day.
        money: What there is.
        asks: Uses that bring money; none when None.
        ceilings: Rows that money does not raise: (k,) booleans and an amount.

    Returns:
        The division.

    Raises:
        DesignError: Amounts or days that do not fit.

    >>> late = Offer(np.array([0.0, 200.0]), np.array([0.0, 10.0]), np.zeros(2))
    >>> ask = Offer(np.array([0.0, 10.0]), np.array([0.0, 50.0]), np.zeros(2))
    >>> found = fund([late], [30.0], Money(100.0), Asks([ask], np.array([0.0]), np.array([14.0])))
    >>> found.asks.tolist(), found.split.amount.tolist()
    ([10.0], [140.0])
    """
    given = asks or Asks((), np.zeros(0), np.zeros(0))
    k, a = len(offers), len(given.offers)
    days = np.concatenate([np.asarray(starts, np.float64).reshape(-1), given.starts])
    if days.size != k + a or given.paid.size != a or np.isnan(given.paid).any():
        raise DesignError.of("Days do not fit the offers", received=days.size, allowed=f"{k + a}")
    base = cash_limits(money.budget, days, money.cash, money.income)
    for member, amount in ceilings:
        base = with_ceiling(base, np.append(np.asarray(member, bool), np.zeros(a, bool)), amount)
    ours = base._replace(member=base.member[:, :k])
    theirs = base._replace(member=base.member[:, k:])
    spent, settled, seen = np.zeros(a), False, set[bytes]()
    best = _given(offers, ours, theirs, given, spent)
    for _ in range(ROUNDS if a else 0):
        now = _given(offers, ours, theirs, given, spent)
        best = _better(best, now)
        wanted = _paying(given, theirs, now)
        settled = bool(np.allclose(wanted, spent))
        if settled:
            break
        if wanted.tobytes() in seen:
            for share in np.linspace(0, 1, STEPS + 1)[1:-1]:
                between = spent + share * (wanted - spent)
                best = _better(best, _given(offers, ours, theirs, given, between))
            break
        seen.add(wanted.tobytes())
        spent = wanted
    return best._replace(settled=settled or not a)


def _given(offers: Sequence[Offer], ours: Limits, theirs: Limits, asks: Asks, spent: Floats) -> Funded:
    """The division when so much is spent on each ask."""
    raised = gain_at(asks.offers, spent)[0]
    rows = ~np.isnan(ours.day)
    there = asks.paid[None, :] <= ours.day[:, None]
    change = np.where(rows, there @ raised - theirs.member @ spent, 0.0)
    limits = ours._replace(amount=np.maximum(ours.amount + change, 0.0))
    split = split_budget(offers, limits)
    worth = raised * _price(limits, split, asks.paid) - spent * _price(limits, split, asks.starts)
    return Funded(split, limits, spent, raised, worth, False)


def _price(limits: Limits, split: Split, day: Floats) -> Floats:
    """(a,) the price of money that is there from each day on."""
    on = np.where(np.isnan(day), -np.inf, day)
    cash = np.flatnonzero(~np.isnan(limits.day))
    order = cash[np.argsort(limits.day[cash], kind="stable")]
    row = np.minimum(np.searchsorted(limits.day[order], on), order.size - 1)
    return split.prices[order][row]


def _paying(asks: Asks, theirs: Limits, now: Funded) -> Floats:
    """(a,) what to spend on each ask at these prices: every piece that brings more than it costs, if it fits."""
    early, late = _price(now.limits, now.split, asks.starts), _price(now.limits, now.split, asks.paid)
    pieces = pieces_of(asks.offers)
    slope = slopes(asks.offers, pieces.rise[None, :])
    pays = slope * late[pieces.owner] > early[pieces.owner]
    bought = buy(np.where(pays, slope, 0.0), pieces, theirs)[0]
    return np.bincount(pieces.owner, bought, minlength=len(asks.offers)).astype(np.float64)


def _better(one: Funded, other: Funded) -> Funded:
    gained = float(other.split.gain.sum()) - float(one.split.gain.sum())
    return other if gained > 1e-12 * abs(float(one.split.gain.sum())) else one
