"""How sure a division of the money is: the same budget in many worlds, and rules of thumb in each of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hustings.errors import DesignError
from hustings.stats.budgets import Limits, Offer, Pieces, buy, gain_at, more, pieces_of, slopes, split_budget

Floats = NDArray[np.float64]

CAUTION = (0.25, 0.5, 1.0, 1.5, 2.0)
"""Standard errors that candidates for a robust division take off each gain."""
_TRIED = 40


class Worlds(NamedTuple):
    """What gains may really be.

    Attributes:
        effect: (d, k) errors of each offer's effects, in standard errors.
        factor: (d, k) what the forecast's error makes of each offer's gain, with mean 1.
    """

    effect: Floats
    factor: Floats


class Weighed(NamedTuple):
    """c divisions in d worlds; all (c,) but the last.

    Attributes:
        mean: Expected gain.
        std_error: Its standard deviation over worlds.
        low: Lower end of the 95 % interval.
        high: Upper end.
        regret: Expected gain missed against the best division of each world.
        near: Share of worlds in which it is near the best: at most so much of the best gain is missed.
        gain: (c, d).
    """

    mean: Floats
    std_error: Floats
    low: Floats
    high: Floats
    regret: Floats
    near: Floats
    gain: Floats


def draw_worlds(
    evidence: ArrayLike,
    draws: int,
    rng: np.random.Generator,
    *,
    together: float = 0.75,
    forecast_error: float = 0.0,
    apart: float = 0.5,
) -> Worlds:
    """Errors of effects, and of what a vote is worth, that may be.

    Args:
        evidence: (k,) integer codes of what the offers' effects rest on; those with one code err together, those
            with -1 alone.
        draws: How many worlds, 1 or more.
        rng: Source of randomness.
        together: Share of the variance that offers with one evidence have in common, 0 to 1.
        forecast_error: Relative standard error of a vote's worth; the factor is log-normal with mean 1.
        apart: Share of the variance of its logarithm that each offer has for itself (its voters live elsewhere).

    Returns:
        The worlds.

    Raises:
        DesignError: No draws, or a share or an error out of its range.

    >>> found = draw_worlds([0, 0], 1_000, np.random.default_rng(1), together=1.0)
    >>> bool((found.effect[:, 0] == found.effect[:, 1]).all())
    True
    """
    shares = 0 <= together <= 1 and 0 <= apart <= 1
    if draws < 1 or not shares or not forecast_error >= 0:
        got = f"{draws} draws, {together} together, {apart} apart, forecast error {forecast_error}"
        raise DesignError.of("No such worlds", received=got, allowed="1 or more; 0 to 1; 0 or more")
    code = np.asarray(evidence, np.int64)
    own = rng.standard_normal((draws, code.size))
    shared = rng.standard_normal((draws, int(code.max(initial=-1)) + 1))
    common = shared[:, np.maximum(code, 0)] if shared.size else own
    effect = np.where(code >= 0, np.sqrt(together) * common + np.sqrt(1 - together) * own, own)
    scale = np.sqrt(np.log1p(forecast_error**2))
    all_, each = rng.standard_normal((draws, 1)), rng.standard_normal((draws, code.size))
    worth = np.sqrt(1 - apart) * all_ + np.sqrt(apart) * each
    return Worlds(effect, np.exp(scale * worth - scale**2 / 2))


def best_in_each(offers: Sequence[Offer], limits: Limits, worlds: Worlds) -> Floats:
    """The best division in each world, if that world were known.

    Args:
        offers: k offers.
        limits: Ceilings.
        worlds: d worlds.

    Returns:
        (d, k) money.

    >>> from hustings.stats.budgets import cash_limits, offer
    >>> one = offer([0, 10], [0, 1], [0, 2])
    >>> worlds = Worlds(np.array([[1.0], [-1.0]]), np.ones((2, 1)))
    >>> best_in_each([one], cash_limits(10.0, [0.0]), worlds).tolist()
    [[10.0], [0.0]]
    """
    pieces = pieces_of(offers)
    rise = _rises(pieces, worlds)
    bought = buy(slopes(offers, rise), pieces, limits)
    return bought @ (pieces.owner[:, None] == np.arange(len(offers))).astype(np.float64)


def gains(offers: Sequence[Offer], amount: ArrayLike, worlds: Worlds) -> Floats:
    """What divisions gain in each world.

    Args:
        offers: k offers.
        amount: (c, k) money: every division in every world; or (d, 1, k): each world's own.
        worlds: d worlds.

    Returns:
        (c, d); of each world's own (1, d).

    >>> from hustings.stats.budgets import offer
    >>> gains([offer([0, 10], [0, 1], [0, 2])], [[10.0]], Worlds(np.array([[1.0]]), np.ones((1, 1)))).tolist()
    [[3.0]]
    """
    x = np.asarray(amount, np.float64)
    expected, error = gain_at(offers, x)
    if x.ndim == 3:
        own = (expected[:, 0] + error[:, 0] * worlds.effect) * worlds.factor
        return np.asarray(own.sum(axis=1)[None, :])
    return np.asarray(expected @ worlds.factor.T + error @ (worlds.effect * worlds.factor).T)


def _rises(pieces: Pieces, worlds: Worlds) -> Floats:
    """(d, p) what each piece gains in each world."""
    own = pieces.owner
    return np.asarray((pieces.rise + worlds.effect[:, own] * pieces.error) * worlds.factor[:, own])


def weigh(
    offers: Sequence[Offer], amount: ArrayLike, best: ArrayLike, worlds: Worlds, *, near: float = 0.05
) -> Weighed:
    """How divisions do over all worlds, and what each misses.

    Args:
        offers: k offers.
        amount: (c, k) the divisions.
        best: (d, k) the best of each world.
        worlds: d worlds.
        near: Share of the best gain that may be missed where a division counts as near the best.

    Returns:
        Means, intervals, regrets.

    Raises:
        DesignError: A share that is no share.

    >>> from hustings.stats.budgets import offer
    >>> one, worlds = offer([0, 10], [0, 1], [0, 2]), Worlds(np.array([[1.0], [-1.0]]), np.ones((2, 1)))
    >>> weigh([one], [[10.0]], [[10.0], [0.0]], worlds).regret.tolist()
    [0.5]
    """
    if not 0 <= near < 1:
        raise DesignError.of("Near the best", received=near, allowed="0 or more, below 1")
    gain = gains(offers, amount, worlds)
    top = gains(offers, np.asarray(best, np.float64)[:, None, :], worlds)[0]
    top = np.maximum(top, gain.max(axis=0))
    low, high = np.quantile(gain, [0.025, 0.975], axis=1)
    missed = top - gain
    return Weighed(
        gain.mean(axis=1),
        gain.std(axis=1),
        low,
        high,
        missed.mean(axis=1),
        (missed <= near * np.abs(top) + 1e-12 * np.abs(top).max(initial=0.0)).mean(axis=1),
        gain,
    )


def robust_split(
    offers: Sequence[Offer],
    limits: Limits,
    worlds: Worlds,
    best: Floats,
    rng: np.random.Generator,
    *,
    near: float = 0.05,
) -> Floats:
    """The division that is near the best in most worlds, of some eighty that are worth trying.

    Tried are the best on average, the best after a stated number of standard errors is taken off each gain, the mean
    of all worlds' best divisions (it keeps the limits: they are linear), and the best of some worlds.

    Args:
        offers: k offers.
        limits: Ceilings.
        worlds: d worlds.
        best: (d, k) the best of each.
        rng: Chooses the worlds whose best is tried.
        near: As in `weigh`.

    Returns:
        (k,) money; of several that are near in as many worlds, the one with most expected gain.

    >>> from hustings.stats.budgets import cash_limits, offer
    >>> safe, wild = offer([0, 10], [0, 1.0], [0, 0.1]), offer([0, 10], [0, 1.1], [0, 3.0])
    >>> rng, limits = np.random.default_rng(1), cash_limits(10.0, [0.0, 0.0])
    >>> worlds = draw_worlds([-1, -1], 500, rng)
    >>> tried = robust_split([safe, wild], limits, worlds, best_in_each([safe, wild], limits, worlds), rng)
    >>> round(float(tried.sum()), 6)
    10.0
    """
    some = rng.choice(len(best), min(_TRIED, len(best)), replace=False)
    tried = np.concatenate(
        [
            [cautious_split(offers, limits, caution) for caution in (0.0, *CAUTION)],
            best.mean(axis=0)[None, :],
            best[some],
        ]
    )
    found = weigh(offers, tried, best, worlds, near=near)
    order = np.lexsort((-found.mean, -np.round(found.near, 6)))
    return np.asarray(tried[order[0]])


def cautious_split(offers: Sequence[Offer], limits: Limits, caution: float) -> Floats:
    """The best division when so many standard errors are taken off each gain.

    Where errors are perfectly shared it maximises mean - caution × standard deviation; where they are not, it is more
    careful than that, since errors that cancel are taken off in full.

    Args:
        offers: k offers.
        limits: Ceilings.
        caution: Standard errors, 0 or more.

    Returns:
        (k,) money.

    >>> from hustings.stats.budgets import cash_limits, offer
    >>> safe, wild = offer([0, 10], [0, 1.0], [0, 0.1]), offer([0, 10], [0, 1.1], [0, 3.0])
    >>> cautious_split([safe, wild], cash_limits(10.0, [0.0, 0.0]), 1.0).tolist()
    [10.0, 0.0]
    """
    less = [one._replace(gain=one.gain - caution * (one.error - one.error[0])) for one in offers]
    return split_budget(less, limits).amount


def reserve_value(
    offers: Sequence[Offer], limits: Limits, worlds: Worlds, reserve: float
) -> tuple[float, float]:
    """What keeping money back costs if it is never spent, and gains if all is known before it is.

    The rest is divided by what is known today; the reserve afterwards, in each world, by what is true there: no
    learning whatever can bring more.

    Args:
        offers: k offers.
        limits: Ceilings with all the money.
        worlds: d worlds.
        reserve: Money kept back, 0 or more.

    Returns:
        Expected gain lost without the reserve's money, and expected gain above spending all today, at most.

    >>> from hustings.stats.budgets import cash_limits, offer
    >>> one, two = offer([0, 10], [0, 1.0], [0, 1.0]), offer([0, 10], [0, 1.0], [0, 1.0])
    >>> worlds = draw_worlds([-1, -1], 2_000, np.random.default_rng(1))
    >>> lost, known = reserve_value([one, two], cash_limits(10.0, [0.0, 0.0]), worlds, 5.0)
    >>> round(lost, 1), known > 0.1
    (0.5, True)
    """
    pieces, lesser = pieces_of(offers), more(limits, -reserve)
    first = buy(slopes(offers, pieces.rise[None, :]), pieces, lesser)[0]
    owner = (pieces.owner[:, None] == np.arange(len(offers))).astype(np.float64)
    rest = pieces.width - first
    open_ = rest > 1e-9 * pieces.width
    rise = _rises(pieces, worlds) * (rest / pieces.width)
    slope = np.where(open_, np.divide(rise, rest, out=np.zeros_like(rise), where=open_), -np.inf)
    # A piece waits for the one before it: its gain per unit is never above that one's.
    slope = _falling(slope, pieces.owner)
    left = limits._replace(amount=np.maximum(limits.amount - limits.member @ (first @ owner), 0.0))
    later = buy(slope, pieces._replace(width=np.where(open_, rest, 0.0)), left)
    waited = gains(offers, ((first + later) @ owner)[:, None, :], worlds).mean()
    at_once = gains(offers, split_budget(offers, limits).amount[None, :], worlds).mean()
    today = gains(offers, (first @ owner)[None, :], worlds).mean()
    return float(at_once - today), float(waited - at_once)


def _falling(slope: Floats, owner: NDArray[np.int64]) -> Floats:
    found = slope.copy()
    for j in np.unique(owner).tolist():
        own = np.flatnonzero(owner == j)
        part = np.where(np.isneginf(found[:, own]), np.inf, found[:, own])
        part = np.minimum.accumulate(part, axis=1)
        found[:, own] = np.where(np.isneginf(found[:, own]), -np.inf, part)
    return found


def in_shares(offers: Sequence[Offer], limits: Limits, share: ArrayLike) -> Floats:
    """The money divided by fixed shares; what an offer cannot use goes to the others in proportion.

    Args:
        offers: k offers.
        limits: Ceilings; what does not fit is left unspent.
        share: (k,) 0 or more, not all 0.

    Returns:
        (k,) money.

    Raises:
        DesignError: Shares that are none.

    >>> from hustings.stats.budgets import cash_limits, offer
    >>> in_shares([offer([0, 10], [0, 1]), offer([0, 90], [0, 1])], cash_limits(60.0, [0.0, 0.0]), [1, 1]).tolist()
    [10.0, 50.0]
    """
    weight = np.asarray(share, np.float64)
    if weight.shape != (len(offers),) or not (np.isfinite(weight).all() and np.all(weight >= 0)):
        raise DesignError.of("Shares do not fit", received=weight.shape, allowed=f"{len(offers)}, 0 or more")
    most = np.array([one.cost[-1] for one in offers])
    found, money = np.zeros(len(offers)), float(limits.amount[~np.isnan(limits.day)].max(initial=0.0))
    for _ in range(len(offers) + 1):
        open_ = (found < most) & (weight > 0)
        left = money - found.sum()
        if not open_.any() or left <= 0:
            break
        found = np.minimum(found + np.where(open_, weight, 0.0) / weight[open_].sum() * left, most)
    return _fitted(found, limits)


def largest_first(offers: Sequence[Offer], limits: Limits) -> Floats:
    """All the money in the offer that can gain most in all, then in the next.

    >>> from hustings.stats.budgets import cash_limits, offer
    >>> largest_first([offer([0, 10], [0, 5]), offer([0, 90], [0, 9])], cash_limits(95.0, [0.0, 0.0])).tolist()
    [5.0, 90.0]
    """
    order = sorted(range(len(offers)), key=lambda j: -float(offers[j].gain.max()))
    wanted = np.array([one.cost[-1] for one in offers])
    return _fitted(wanted, limits, order)


def _fitted(wanted: Floats, limits: Limits, order: Sequence[int] | None = None) -> Floats:
    """The same amounts, cut where a row is full; in the order given."""
    left, found = limits.amount.copy(), np.zeros(wanted.size)
    for j in order if order is not None else range(wanted.size):
        inside = limits.member[:, j]
        found[j] = min(float(wanted[j]), max(float(left[inside].min(initial=np.inf)), 0.0))
        left[inside] -= found[j]
    return found
