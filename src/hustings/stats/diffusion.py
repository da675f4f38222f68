"""Which supporter asks which of their friends: asks of most worth under everybody's limits, with a bound.

A weighted b-matching on sparse ties: choose ties so that

    Σ_targets Σ_r repeat^(r-1) · (r-th largest gain among the target's chosen ties)

is largest, with at most `asks` chosen ties of a supporter and at most `asked` of a target. An integer program whose
relaxation is whole (it is a flow), so the dual of the targets' limits proves how far from the best a plan can be.

Source: Bertsekas, *Network Optimization* (1998), ch. 7; Kelso & Crawford, *Econometrica* 50 (1982) 1483; greedy by
locally best ties: Preis, *STACS* (1999). See docs/method/diffusion.md.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hustings.errors import DesignError
from hustings.stats import friend_auction

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
_LOOKS, _WORK = 60.0, 4e8
"""Looks at a tie, on average, after which the auction stops wherever it is; or looks in all, if that is more."""
_SEVERAL = 20
"""Supporters of whom something must be known, and asks besides the first, before their spread is believed."""


class AskPlan(NamedTuple):
    """Who asks whom.

    Attributes:
        rank: (n,) of each tie: 1 where it is the target's best ask, 2 its second, …; 0 where it is not used.
        value: What the asks are worth together.
        bound: No plan whatever within the limits is worth more.
        gap: (bound - value) / bound; 0 where nothing is worth an ask.
        rounds: Rounds of bids.
    """

    rank: Ints
    value: float
    bound: float
    gap: float
    rounds: int


def plan_asks(
    supporter: Ints,
    target: Ints,
    gain: Floats,
    *,
    asks: int,
    asked: int,
    repeat: float = 1.0,
    tolerance: float = 5e-4,
) -> AskPlan:
    """The ties to use, worth at least (1 - gap) of the best plan there is.

    Args:
        supporter: (n,) whose tie it is, whole numbers from 0.
        target: (n,) whom it leads to, from 0; a number of its own kind: supporter 3 and target 3 are two people.
        gain: (n,) what the first ask over the tie is worth, in any unit; ties of 0 or less are never used.
        asks: Asks of one supporter at most, 0 or more.
        asked: Asks that one target gets at most, 0 or more.
        repeat: What an ask is worth of the one before it, 0 to 1.
        tolerance: The gap that is good enough, above 0.

    Returns:
        The plan. Its gap may be larger than the tolerance where very many ties are worth exactly the same.

    Raises:
        DesignError: Lengths differ, a gain is not a number, a limit is out of range, or a tie stands twice.

    >>> found = plan_asks(np.array([0, 0, 1]), np.array([0, 1, 0]), np.array([3.0, 2.0, 2.5]), asks=1, asked=1)
    >>> found.rank.tolist(), round(found.value, 6), round(found.bound, 3)
    ([0, 1, 1], 4.5, 4.501)
    """
    supporter, target, gain = check_ties(supporter, target, gain)
    shares = ask_shares(asked, repeat)
    if not (isinstance(asks, (int, np.integer)) and asks >= 0):
        raise DesignError.of("Asks of one supporter", received=asks, allowed="a whole number from 0")
    if not tolerance > 0:
        raise DesignError.of("The gap that is good enough", received=tolerance, allowed="above 0")
    useful = np.flatnonzero(gain > 0)
    rank = np.zeros(gain.size, np.int64)
    if not useful.size or not asks or not shares.size:
        return AskPlan(rank, 0.0, 0.0, 0.0, 0)
    scale = float(gain[useful].max())
    ties = friend_auction.lay_out(
        supporter[useful], target[useful], gain[useful] / scale, int(supporter[useful].max()) + 1
    )
    step = 0.9 * tolerance * float(gain[useful].mean()) / scale
    n_targets = int(target[useful].max()) + 1
    left, found, bound = max(_LOOKS, _WORK / useful.size), None, np.inf
    for patience in friend_auction.PATIENCE:
        tried = friend_auction.auction(
            ties, n_targets, int(asks), shares.astype(np.float32), step, tolerance, left, patience
        )
        left -= tried.work
        bound = min(bound, tried.bound)
        found = tried if found is None or tried.value > found.value else found
        if bound - found.value <= tolerance * bound or left <= 0:
            break
    assert found is not None  # there is at least one patience
    held = found.holders[found.holders >= 0]
    rank[useful[ties.tie[held]]] = 1
    rank = ranked(target, gain, rank > 0)
    value = plan_value(gain, rank, repeat)
    # Single precision in the auction; what it may round off is put on the bound.
    bound = max(bound * scale * (1 + 1e-6), value)
    return AskPlan(rank, value, bound, (bound - value) / bound, found.rounds)


def asks_in_order(
    supporter: Ints,
    target: Ints,
    score: Floats,
    *,
    asks: int,
    asked: int,
    repeat: float = 1.0,
) -> NDArray[np.bool_]:
    """The ties that are used when the highest score always comes first: greedy, and every rule of thumb.

    A tie is taken when it is among the best that are left of its supporter and of its target: that is what going
    through all ties in order would take (Preis 1999), without going through them one by one. With `repeat` below 1, a
    tie may come again as a second ask, at that share of its score.

    Args:
        supporter: (n,) whose tie it is, from 0.
        target: (n,) whom it leads to, from 0.
        score: (n,) the higher, the sooner; ties of 0 or less are not used, equal ones come in their order.
        asks: Asks of one supporter at most.
        asked: Asks that one target gets at most.
        repeat: Share of its score that a tie has as a second ask.

    Returns:
        (n,) whether the tie is used.

    Raises:
        DesignError: As `plan_asks`.

    >>> asks_in_order(np.array([0, 0, 1]), np.array([0, 1, 0]), np.array([3.0, 2.0, 2.5]), asks=1, asked=1).tolist()
    [True, False, False]
    """
    supporter, target, score = check_ties(supporter, target, score)
    shares = ask_shares(asked, repeat)
    used = np.zeros(score.size, bool)
    if not asks or not shares.size:
        return used
    if repeat == 1.0:
        which, place, room = np.flatnonzero(score > 0), target, asked
        worth = score[which]
    else:
        n = np.flatnonzero(score > 0)
        which = np.repeat(n, shares.size)
        worth = (score[n][:, None] * shares).ravel()
        place, room = target, 1
    rank_of = np.tile(np.arange(shares.size), which.size // shares.size) if repeat < 1.0 else None
    order = np.argsort(-worth, kind="stable")
    which = which[order]
    limits = [(supporter[which], asks), (place[which], room)]
    if rank_of is not None:
        limits = [(supporter[which], asks), (place[which] * shares.size + rank_of[order], 1), (which, 1)]
    used[which[_locally_best(limits)]] = True
    return used


def _locally_best(limits: list[tuple[Ints, int]]) -> NDArray[np.bool_]:
    """Candidates, in order, that are taken when each needs a place in every one of its resources."""
    n = limits[0][0].size
    taken, alive = np.zeros(n, bool), np.arange(n)
    used = [np.zeros(int(of.max(initial=-1)) + 1, np.int64) for of, _ in limits]
    while alive.size:
        first = np.ones(alive.size, bool)
        for (of, room), count in zip(limits, used, strict=True):
            own = of[alive]
            first &= _position(own) < room - count[own]
        taken[alive[first]] = True
        for (of, _), count in zip(limits, used, strict=True):
            np.add.at(count, of[alive[first]], 1)
        alive = alive[~first]
        for (of, room), count in zip(limits, used, strict=True):
            alive = alive[count[of[alive]] < room]
    return taken


def _position(group: Ints) -> Ints:
    """(n,) how many of the same group stand before each."""
    order = np.argsort(group, kind="stable")
    ordered = group[order]
    begins = np.flatnonzero(np.diff(ordered, prepend=-1))
    position = np.empty(group.size, np.int64)
    position[order] = np.arange(group.size) - np.repeat(begins, np.diff(np.append(begins, group.size)))
    return position


def ranked(target: Ints, gain: Floats, used: NDArray[np.bool_]) -> Ints:
    """The place of each used tie among its target's asks, the most worth first; 0 where it is not used.

    >>> ranked(np.array([0, 0, 1]), np.array([1.0, 2.0, 1.0]), np.array([True, True, False])).tolist()
    [2, 1, 0]
    """
    which = np.flatnonzero(used)
    order = which[np.argsort(-gain[which], kind="stable")]
    rank = np.zeros(gain.size, np.int64)
    rank[order] = _position(target[order]) + 1
    return rank


def plan_value(gain: Floats, rank: Ints, repeat: float) -> float:
    """Σ gain · repeat^(rank - 1) over the ties that are used.

    >>> plan_value(np.array([4.0, 2.0, 9.0]), np.array([1, 2, 0]), 0.5)
    5.0
    """
    used = rank > 0
    return float((gain[used] * float(repeat) ** (rank[used] - 1)).sum())


def ask_shares(asked: int, repeat: float) -> Floats:
    """(m,) what a target's first, second, … ask is worth of a first one; asks that are worth nothing are left out.

    Raises:
        DesignError: A value is out of its range.

    >>> ask_shares(3, 0.5).tolist(), ask_shares(2, 0.0).tolist()
    ([1.0, 0.5, 0.25], [1.0])
    """
    if not (isinstance(asked, (int, np.integer)) and asked >= 0):
        raise DesignError.of("Asks that one target gets", received=asked, allowed="a whole number from 0")
    if not 0 <= repeat <= 1:
        raise DesignError.of("What a repeated ask is worth of the first", received=repeat, allowed="0 to 1")
    shares = float(repeat) ** np.arange(asked)
    return np.asarray(shares[shares > 0], np.float64)


def check_ties(supporter: Ints, target: Ints, gain: Floats) -> tuple[Ints, Ints, Floats]:
    """The ties as arrays.

    Raises:
        DesignError: Lengths differ, a gain is not a number, a number is below 0, or a tie stands twice.

    >>> check_ties(np.array([0]), np.array([0]), np.array([np.nan]))
    Traceback (most recent call last):
    hustings.errors.DesignError: 1 ties have a gain that is not a number. Next: leave them out, or find out why
    """
    who, whom, worth = np.asarray(supporter), np.asarray(target), np.asarray(gain, np.float64)
    if not (who.shape == whom.shape == worth.shape and worth.ndim == 1):
        raise DesignError.of("Ties need as many supporters, targets and gains", received=(who.shape, whom.shape, worth.shape))  # fmt: skip
    if not worth.size:
        return who.astype(np.int64), whom.astype(np.int64), worth
    lost = int((~np.isfinite(worth)).sum())
    if lost:
        raise DesignError.of(
            f"{lost:,} ties have a gain that is not a number", then="leave them out, or find out why"
        )
    if who.dtype.kind not in "iu" or whom.dtype.kind not in "iu" or who.min() < 0 or whom.min() < 0:
        raise DesignError.of("Supporters and targets are told by whole numbers from 0")
    who, whom = who.astype(np.int64), whom.astype(np.int64)
    key = np.sort(who * (int(whom.max()) + 1) + whom)
    twice = int((np.diff(key) == 0).sum())
    if twice:
        raise DesignError.of(f"{twice:,} ties stand twice", then="keep one of each")
    return who, whom, worth


class AskingRates(NamedTuple):
    """How likely each supporter is to do what was agreed.

    Attributes:
        rate: (s,) probability that an ask is made.
        std_error: (s,) its standard error.
        usual: The rate of a supporter of whom nothing is known.
        usual_error: Its standard error, for what all supporters have in common.
    """

    rate: Floats
    std_error: Floats
    usual: float
    usual_error: float


def asking_rates(offered: Floats, made: Floats, *, usual: float, weight: float = 4.0) -> AskingRates:
    """Probability that each supporter asks, from past asks, shrunk to what supporters usually do.

    A beta-binomial model: rate ~ Beta(a, b) between supporters, its mean and the weight a + b by the method of moments
    (Kleinman, *JASA* 68 (1973) 46) where at least 20 supporters have been asked before; else `usual` and `weight`. The
    weight stays where hardly anybody has been asked twice.

    Args:
        offered: (s,) asks that each supporter was given.
        made: (s,) those that were made, at most `offered`.
        usual: The rate that is expected where nobody has been asked before, above 0 and below 1.
        weight: What that guess counts, in asks, above 0.

    Returns:
        The rates.

    Raises:
        DesignError: More asks were made than given, or a number is not one.

    >>> asking_rates(np.array([0.0, 6.0]), np.array([0.0, 6.0]), usual=0.5).rate.tolist()
    [0.5, 0.8]
    """
    n, k = np.asarray(offered, np.float64), np.asarray(made, np.float64)
    if not (np.isfinite(n).all() and np.isfinite(k).all() and (k >= 0).all() and (k <= n).all()):
        raise DesignError.of("Asks made", allowed="from 0 to the asks that were given")
    if not (0 < usual < 1 and weight > 0):
        raise DesignError.of(
            "The usual rate and its weight", received=(usual, weight), allowed="0 to 1; above 0"
        )
    known = n > 0
    mean, strength, error = usual, weight, (usual * (1 - usual) / (weight + 1)) ** 0.5
    if np.count_nonzero(known) >= _SEVERAL and 0 < k.sum() < n.sum():
        own, size = k[known] / n[known], n[known]
        mean = float(k.sum() / n.sum())
        spread = float((size * (own - mean) ** 2).sum())
        sampling = mean * (1 - mean)
        total, parts = float(size.sum()), size.size
        # E[spread] = sampling * (parts - 1) + between * (total - Σ size² / total), less what is sampling.
        repeats = total - float((size**2).sum()) / total - (parts - 1)
        # Who was asked once tells nothing of how supporters differ.
        if repeats >= _SEVERAL:
            between = (spread - sampling * (parts - 1)) / repeats
            strength = float(np.clip(sampling / max(between, 1e-6) - 1, 0.5, 200.0))
        error = (sampling / total * (1 + (float((size**2).sum()) / total - 1) / (strength + 1))) ** 0.5
    a, b = strength * mean + k, strength * (1 - mean) + n - k
    rate = a / (a + b)
    return AskingRates(rate, np.sqrt(rate * (1 - rate) / (a + b + 1)), mean, error)
