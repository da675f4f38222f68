"""The auction behind `stats.diffusion`: supporters ask for targets by what they could have elsewhere.

Bertsekas, *Annals of Operations Research* 14 (1988), for the bids; Kelso & Crawford, *Econometrica* 50 (1982), for
targets that take the best few of several offers. Repeated asks are handled at the target, never as a good of their
own: two goods of one target would outbid each other by the smallest step for ever.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]
_BLOCK = 1 << 19
"""Ties looked at together: few enough for a processor's cache, many enough to be worth a call."""
_NARROW = 32
"""Up to so many ties of one supporter are sorted whole; of more only the best are."""
PATIENCE = (8, 64, 1 << 20)
"""Bids of one supporter after which its step grows: a war of small steps ends where nothing is left to win.

Growing steps save time where very many ties are worth the same, and cost precision where demand is far above supply: so
the next patience is tried where the gap is not good enough.
"""


class Ties(NamedTuple):
    """Supporters' ties, those of one supporter side by side, in blocks of supporters with about as many.

    Attributes:
        gain: (q,) what the first ask is worth; 0 where a place is empty.
        target: (q,) whom the tie leads to.
        supporter: (q,) whose it is.
        tie: (q,) the tie's number as it was given, or -1.
        first: (s,) the place of each supporter's first tie.
        width: (s,) places of each; 0 of one without ties.
    """

    gain: Floats
    target: NDArray[np.int32]
    supporter: NDArray[np.int32]
    tie: NDArray[np.int32]
    first: Ints
    width: NDArray[np.int32]


class Outcome(NamedTuple):
    """Where the auction ended.

    Attributes:
        holders: (t, m) places of the ties that each target holds; -1 for none.
        prices: (t, c) price of each of a target's asks; one column where all asks are worth the same.
        value: What the asks held are worth.
        bound: No choice of asks whatever is worth more.
        rounds: Rounds of bids.
        work: Ties looked at, as a multiple of all.
    """

    holders: NDArray[np.int32]
    prices: Floats
    value: float
    bound: float
    rounds: int
    work: float


def lay_out(supporter: Ints, target: Ints, gain: NDArray[np.float64], n_supporters: int) -> Ties:
    """Ties with a gain above 0, laid out for the auction.

    Args:
        supporter: (n,) whose tie it is, from 0.
        target: (n,) whom it leads to, from 0.
        gain: (n,) above 0.
        n_supporters: Supporters.

    Returns:
        The layout: at most a quarter of its places stay empty.

    >>> lay_out(np.array([1, 0]), np.array([0, 0]), np.array([1.0, 2.0]), 2).gain[:5].tolist()
    [2.0, 0.0, 0.0, 0.0, 1.0]
    """
    degree = np.bincount(supporter, minlength=n_supporters)
    steps = np.maximum(4, 1 << np.maximum(np.log2(np.maximum(degree, 1)).astype(np.int64) - 2, 2))
    width = np.where(degree > 0, -(-degree // steps) * steps, 0)
    by_width = np.argsort(width, kind="stable")
    first = np.empty(n_supporters, np.int64)
    first[by_width] = np.cumsum(width[by_width]) - width[by_width]
    order = np.argsort(supporter, kind="stable")
    own = supporter[order]
    place = first[own] + np.arange(own.size) - (np.cumsum(degree) - degree)[own]
    size = int(width.sum())
    ties = Ties(
        np.zeros(size, np.float32),
        np.zeros(size, np.int32),
        np.repeat(by_width.astype(np.int32), width[by_width]),
        np.full(size, -1, np.int32),
        first,
        width.astype(np.int32),
    )
    ties.gain[place] = gain[order]
    ties.target[place] = target[order]
    ties.tie[place] = order
    return ties


def dual_bound(ties: Ties, prices: Floats, asks: int, shares: Floats) -> float:
    """What no choice of asks can exceed: the Lagrangian of the targets' limits at any prices from 0.

    Σ prices + Σ over supporters of their `asks` largest max(0, max_r share_r · gain - price_r).
    """
    each = len(shares) if prices.shape[1] == 1 else 1
    total = each * float(prices.sum(dtype=np.float64))
    for rows, width in _blocks(ties, np.flatnonzero(ties.width)):
        surplus = np.maximum(_surplus(ties.gain, ties, prices, shares, rows, width), 0)
        if width > asks:
            surplus = np.partition(surplus, width - asks, axis=1)[:, -asks:]
        total += float(surplus.sum(dtype=np.float64))
    return total


def auction(
    ties: Ties,
    n_targets: int,
    asks: int,
    shares: Floats,
    step: float,
    tolerance: float,
    limit: float,
    patience: int = PATIENCE[0],
) -> Outcome:
    """Bids until nobody wants more, or until the bound is near enough.

    Args:
        ties: The layout.
        n_targets: Targets.
        asks: Asks of one supporter at most.
        shares: (m,) what the first, second, … ask of one target are worth, falling, the first 1.
        step: By how much a bid beats what the supporter could have elsewhere.
        tolerance: Stops when (bound - value) / bound is not above it.
        limit: Ties looked at, as a multiple of all, after which it stops anyway.
        patience: Bids of one supporter after which its step grows.

    Returns:
        Asks that keep every limit, with their bound.
    """
    book = _Book(ties, n_targets, asks, shares)
    tries = np.zeros(ties.first.size, np.int32)
    active = np.flatnonzero(ties.width)
    size = ties.gain.size
    work, check, rounds = 0, 12 * size, 0
    while active.size:
        rounds += 1
        tries[active] += 1
        again = [np.empty(0, np.int32)]
        for rows, width in _blocks(ties, active):
            work += rows.size * width
            grown = np.exp2(np.clip((tries[rows] - np.float32(patience)) / np.float32(4), 0, 12))
            again += book.take(*book.bids(rows, width, np.float32(step) * grown))
        hot = _distinct(np.concatenate(again), tries.size)
        active = hot[book.n_held[hot] < asks]
        if work > check:
            check = int(1.4 * work) + size
            bound = dual_bound(ties, book.prices, asks, shares)
            if bound - book.value() <= tolerance * bound or work > limit * size:
                break
    bound = dual_bound(ties, book.prices, asks, shares)
    return Outcome(book.holders, book.prices, book.value(), bound, rounds, work / size)


class _Book:
    """Who holds what, at which price; its arrays change as bids come in."""

    def __init__(self, ties: Ties, n_targets: int, asks: int, shares: Floats) -> None:
        m = len(shares)
        self.ties, self.asks, self.shares = ties, asks, shares
        self.alike = bool(shares[0] == shares[-1])
        self.prices = np.zeros((n_targets, 1 if self.alike else m), np.float32)
        self.holders = np.full((n_targets, m), -1, np.int32)
        self.held_gain = np.zeros((n_targets, m), np.float32)
        self.kept = np.zeros((n_targets, m), np.float32)
        """What each holder keeps for itself of the gain: less than that, and it would be better off elsewhere."""
        self.open = ties.gain.copy()
        """Gains of ties that are not held."""
        self.n_held = np.zeros(ties.first.size, np.int32)
        self._best = np.zeros(n_targets, np.float32)
        self._pick = np.zeros(n_targets, np.int32)

    def value(self) -> float:
        """What the asks held are worth."""
        best_first = -np.sort(-self.held_gain, axis=1)
        return float((best_first @ self.shares).sum(dtype=np.float64))

    def bids(self, rows: Ints, width: int, step: Floats) -> tuple[Ints, Floats]:
        """Each supporter's best open ties, as many as it lacks, and what it keeps of each: its next best."""
        surplus = _surplus(self.open, self.ties, self.prices, self.shares, rows, width)
        # A float from 0 sorts like its bits; the column goes along in the lower half.
        key = np.maximum(surplus, 0, out=surplus).view(np.int32).astype(np.int64) << 32
        key |= np.arange(width)
        best = min(self.asks + 1, width)
        if width > _NARROW:
            key = np.partition(key, width - best, axis=1)[:, -best:]
        key.sort(axis=1)
        key = key[:, : -best - 1 : -1]
        offered = (key >> 32).astype(np.int32).view(np.float32)
        lacking = self.asks - self.n_held.take(rows)
        at = np.minimum(lacking, best - 1)
        other = np.where(lacking < best, offered[np.arange(rows.size), at], 0)
        who, which = np.nonzero((np.arange(best) < lacking[:, None]) & (offered > 0))
        place = self.ties.first.take(rows)[who] + (key[who, which] & 0xFFFFFFFF)
        return place, np.maximum(other - step, 0).astype(np.float32)[who]

    def take(self, place: Ints, keeps: Floats) -> list[NDArray[np.int32]]:
        """The best bids at each target are held; supporters whose bid failed, or who lost a tie, bid again."""
        again = []
        for _ in range(len(self.shares)):
            target = self.ties.target.take(place).astype(np.int64)
            added = _worth(self.ties.gain.take(place), self.prices, self.shares, target) - keeps
            np.maximum.at(self._best, target, added)
            won = np.flatnonzero((added > 0) & (added == self._best.take(target)))
            self._best[target] = 0
            self._pick[target[won]] = won
            won = won[self._pick.take(target[won]) == won]
            if not won.size:
                break
            again.append(self._hold(place[won], keeps[won], target[won]))
            left = np.ones(place.size, bool)
            left[won] = False
            place, keeps = place[left], keeps[left]
            if not place.size:
                break
        return [*again, self.ties.supporter.take(place)]

    def _hold(self, place: Ints, keeps: Floats, target: Ints) -> NDArray[np.int32]:
        """One new holder for each of these targets, in the place of whoever is missed least."""
        gain = self.ties.gain.take(place)
        held, kept = self.held_gain.take(target, axis=0), self.kept.take(target, axis=0)
        at = target * held.shape[1] + self._least_missed(gain, held, kept)
        lost = self.holders.take(at)
        lost = lost[lost >= 0]
        losers, winners = self.ties.supporter.take(lost), self.ties.supporter.take(place)
        self.open[lost] = self.ties.gain.take(lost)
        self.open[place] = 0
        np.subtract.at(self.n_held, losers, 1)
        np.add.at(self.n_held, winners, 1)
        for of, new in ((self.holders, place), (self.held_gain, gain), (self.kept, keeps)):
            of.reshape(-1)[at] = new
        held, kept = self.held_gain.take(target, axis=0), self.kept.take(target, axis=0)
        self.prices[target] = self._priced(held, kept)
        return losers

    def _least_missed(self, gain: Floats, held: Floats, kept: Floats) -> Ints:
        if self.alike:
            return np.asarray((held - kept).argmin(axis=1), np.int64)
        worth = np.empty(held.shape, np.float32)
        for out in range(held.shape[1]):
            new = held.copy()
            new[:, out] = gain
            new.sort(axis=1)
            worth[:, out] = new[:, ::-1] @ self.shares + kept[:, out]
        return np.asarray(worth.argmax(axis=1), np.int64)

    def _priced(self, held: Floats, kept: Floats) -> Floats:
        """What a newcomer must bring more than it keeps, asked first, second, …: the least over whom it replaces."""
        if self.alike:
            return np.maximum((held - kept).min(axis=1, keepdims=True), 0)
        shares, m = self.shares, len(self.shares)
        order = np.argsort(-held, axis=1, kind="stable")
        held, kept = np.take_along_axis(held, order, 1), np.take_along_axis(kept, order, 1)
        whole = held @ shares
        least = np.full(held.shape, np.inf, np.float32)
        for out in range(m):
            others = np.delete(held, out, axis=1)
            with_it = others @ shares[1:]
            for rank in range(m):
                np.minimum(least[:, rank], whole - kept[:, out] - with_it, out=least[:, rank])
                if rank < m - 1:
                    with_it = with_it + (shares[rank] - shares[rank + 1]) * others[:, rank]
        return np.maximum(least, 0)


def _blocks(ties: Ties, rows: Ints) -> Iterator[tuple[Ints, int]]:
    """Supporters with equally many places, some at a time."""
    widths = ties.width.take(rows)
    for width in np.unique(widths).tolist():
        own = rows[widths == width]
        step = max(1, _BLOCK // width)
        for begin in range(0, own.size, step):
            yield own[begin : begin + step], width


def _surplus(of: Floats, ties: Ties, prices: Floats, shares: Floats, rows: Ints, width: int) -> Floats:
    """(rows, width) what each tie is worth above its target's price."""
    place = ties.first.take(rows)[:, None] + np.arange(width)
    target = ties.target.take(place, mode="clip").astype(np.int64)
    return _worth(of.take(place, mode="clip"), prices, shares, target)


def _worth(gain: Floats, prices: Floats, shares: Floats, target: Ints) -> Floats:
    n = prices.shape[1]
    if n == 1:
        return gain - prices[:, 0].take(target, mode="clip")
    flat, at = prices.reshape(-1), n * target
    best = gain - flat.take(at, mode="clip")
    for rank in range(1, n):
        np.maximum(best, shares[rank] * gain - flat.take(at + rank, mode="clip"), out=best)
    return best


def _distinct(supporters: NDArray[np.int32], n: int) -> Ints:
    if supporters.size > n // 32:
        marked = np.zeros(n, bool)
        marked[supporters] = True
        return np.flatnonzero(marked)
    ordered = np.sort(supporters)
    return ordered[np.flatnonzero(np.diff(ordered, prepend=-1))].astype(np.int64)
