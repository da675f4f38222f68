"""Polls and beliefs as readings of a walking state: places, shared errors, then everybody's leans.

The state holds, in this order: θ of each place (these walk), the shared error β of each place, what polls of the whole
err by besides, the lean of each pollster with two polls or more, of each mode, of each population. The model itself
is told in `hustings.stats.polls`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hustings.errors import DesignError
from hustings.stats.kalman import Floats, Readings, Walk

Integers = NDArray[np.int64]

WHOLE = -1
"""The code of a poll of the whole: all places together."""
_SHARES = (0.005, 0.995)


class Scales(NamedTuple):
    """The model's few hyperparameters: standard deviations on the logit scale, where 0.04 is one point at one half.

    Attributes:
        walk_national: What opinion everywhere moves by in a day.
        walk_place: What one place moves by besides.
        error_national: Of the error that all polls of a year share.
        error_place: Of the error that the polls of one place share besides.
        pull: How far polls overstate the lean of a place: below 0 where they are too near to the whole.
        pull_error: Its standard deviation from year to year.
        house: Of a pollster's constant lean.
        method: Of the lean of a mode (telephone, online) and of a population (likely, registered voters).
        whole: Of what polls of the whole err by besides the places' polls.
        excess: Of a poll's own error beyond sampling.
    """

    walk_national: float = 0.010
    walk_place: float = 0.008
    error_national: float = 0.050
    error_place: float = 0.050
    pull: float = 0.0
    pull_error: float = 0.10
    house: float = 0.050
    method: float = 0.030
    whole: float = 0.030
    excess: float = 0.050


class Prior(NamedTuple):
    """What is believed of election day without the year's polls.

    Attributes:
        mean: (p,) logit of the two-party share.
        covariance: (p, p) of it.
    """

    mean: Floats
    covariance: Floats


class Polls(NamedTuple):
    """Polls that are to be believed, one entry each, in any order.

    Attributes:
        place: (n,) code 0 … p - 1, or `WHOLE`.
        share: (n,) two-party share, strictly between 0 and 1.
        size: (n,) two-party answers: the sample size times the share of answers for either; or an effective size.
        day: (n,) days from the middle of field work to the election, 0 or more.
        house: (n,) code of the pollster, from 0 on.
        mode: (n,) code of the mode of interviewing, or -1.
        population: (n,) code of the population that was asked, or -1.
    """

    place: Integers
    share: Floats
    size: Floats
    day: Floats
    house: Integers
    mode: Integers
    population: Integers


def keep(polls: Polls, which: ArrayLike) -> Polls:
    """Some of the polls.

    Args:
        polls: (n,) polls.
        which: (n,) booleans, or numbers of those wanted.

    Returns:
        The polls wanted.

    >>> two = Polls(*(np.array([x, x]) for x in (0, 0.5, 400.0, 1.0, 0, -1, -1)))
    >>> len(keep(two, [True, False]).share)
    1
    """
    at = np.asarray(which)
    return Polls._make(column[at] for column in polls)


def whole_slope(mean: ArrayLike, votes: ArrayLike) -> tuple[Floats, float]:
    """How the logit of the whole's share follows the places' logits, near their means.

    logit(Σ w σ(θ)) ≈ Σ g θ + c, with g_i = w_i p_i (1 − p_i) / (P (1 − P)).

    Args:
        mean: (p,) logits around which it is wanted.
        votes: (p,) two-party votes, in any unit.

    Returns:
        The slopes g (p,) and the constant c.

    >>> slope, constant = whole_slope([0.0, 0.0], [1, 3])
    >>> slope.tolist(), constant
    ([0.25, 0.75], 0.0)
    """
    theta, weight = np.asarray(mean, np.float64), np.asarray(votes, np.float64)
    share = 1 / (1 + np.exp(-theta))
    weight = weight / weight.sum()
    whole = float(weight @ share)
    slope = weight * share * (1 - share) / (whole * (1 - whole))
    return slope, float(np.log(whole / (1 - whole)) - slope @ theta)


class World(NamedTuple):
    """Everything that the filter needs, and what its state means.

    Attributes:
        polls: As given.
        prior: As given.
        correlation: (p, p) of places.
        scales: As given.
        believed: The state before the first poll.
        rows: (n, s) loadings of each poll.
        value: (n,) logit read, for a poll of the whole less the constant of its linear form.
        variance: (n,) of each poll's own error.
        slope: (p,) of the whole's logit on the places'.
        constant: Of the same.
        lean: (p,) how far the prior sees each place from the whole.
        often: Pollsters that are in the state.
        once: (n,) whether a poll is its pollster's only one.
        sizes: How many of the state's entries are of the whole, of pollsters, of methods.
    """

    polls: Polls
    prior: Prior
    correlation: Floats
    scales: Scales
    believed: Walk
    rows: Floats
    value: Floats
    variance: Floats
    slope: Floats
    constant: float
    lean: Floats
    often: Integers
    once: NDArray[np.bool_]
    sizes: tuple[int, int, int]

    def readings(self, order: Integers, trust: Floats) -> Readings:
        """Polls in the filter's order, each one's own error divided by its trust."""
        return Readings(
            np.asarray(self.polls.day, np.float64)[order],
            self.rows[order],
            self.value[order],
            (self.variance / trust)[order],
        )

    def together(self, order: Integers) -> tuple[Walk, Readings]:
        """The same with opinion and shared error as one: polls alone cannot tell them apart, and it is faster."""
        p = len(self.prior.mean)
        mean, covariance, walk = self.believed
        errors = np.s_[p : 2 * p]
        one = np.delete(np.delete(covariance, errors, axis=0), errors, axis=1)
        one[:p, :p] += covariance[errors, errors]
        readings = self.readings(order, np.ones(len(order)))
        both = np.concatenate([mean[:p] + mean[errors], mean[2 * p :]])
        return Walk(both, one, walk), readings._replace(rows=np.delete(readings.rows, errors, axis=1))


def build(
    polls: Polls, prior: Prior, correlation: ArrayLike, scales: Scales, votes: ArrayLike | None
) -> World:
    """Polls and beliefs as the filter takes them.

    Args:
        polls: Those that are to be believed.
        prior: Of election day.
        correlation: (p, p) of places.
        scales: Standard deviations.
        votes: (p,) two-party votes expected; equal when None.

    Returns:
        The world.

    Raises:
        DesignError: As `polls.fit` tells.

    >>> one = Polls(*(np.array([x]) for x in (0, 0.5, 400.0, 1.0, 0, -1, -1)))
    >>> build(one, Prior(np.zeros(2), np.eye(2)), np.eye(2), Scales(), None).rows.tolist()
    [[1.0, 0.0, 1.0, 0.0]]
    """
    places, alike = len(prior.mean), np.asarray(correlation, np.float64)
    weight = np.ones(places) if votes is None else np.asarray(votes, np.float64)
    _check(polls, prior, alike, weight)
    slope, constant = whole_slope(prior.mean, weight)
    lean = prior.mean - float(slope @ prior.mean / slope.sum())
    of_whole = polls.place == WHOLE
    seen = np.zeros((len(polls.place), places))
    here = np.flatnonzero(~of_whole)
    seen[here, polls.place[here]] = 1.0
    seen[of_whole] = slope
    # A pollster's only poll tells its lean and its error apart by nothing: both are one variance.
    counts = np.bincount(polls.house)
    often, once = np.flatnonzero(counts >= 2), counts[polls.house] == 1
    houses = _levels(polls.house, often)
    methods = np.hstack([_differing(polls.mode), _differing(polls.population)])
    whole = of_whole[:, None][:, : int(of_whole.any())].astype(np.float64)
    sizes = whole.shape[1], houses.shape[1], methods.shape[1]
    share = np.clip(polls.share, *_SHARES)
    return World(
        polls=polls,
        prior=prior,
        correlation=alike,
        scales=scales,
        believed=_believed(prior, alike, scales, lean, sizes),
        rows=np.hstack([seen, seen, whole, houses, methods]),
        value=np.log(share / (1 - share)) - of_whole * constant,
        variance=1 / (polls.size * share * (1 - share)) + scales.excess**2 + once * scales.house**2,
        slope=slope,
        constant=constant,
        lean=lean,
        often=often,
        once=once,
        sizes=sizes,
    )


def _levels(code: Integers, wanted: Integers) -> Floats:
    """One column of zeros and ones per level."""
    return (code[:, None] == wanted[None, :]).astype(np.float64)


def _differing(code: Integers) -> Floats:
    """The levels; none where all polls that have one have the same, as nothing then tells it from a shared error."""
    levels = np.unique(code[code >= 0])
    return _levels(code, levels if len(levels) > 1 else levels[:0])


def _believed(
    prior: Prior, correlation: Floats, scales: Scales, lean: Floats, sizes: tuple[int, int, int]
) -> Walk:
    """Everything before the first poll: blocks of places, of shared errors, and of independent leans."""
    p = len(prior.mean)
    spread = np.repeat([scales.whole**2, scales.house**2, scales.method**2], sizes)
    mean = np.concatenate([prior.mean, scales.pull * lean, np.zeros(len(spread))])
    covariance = np.zeros((len(mean), len(mean)))
    covariance[:p, :p] = prior.covariance
    shared = scales.error_national**2 + scales.error_place**2 * correlation
    covariance[p : 2 * p, p : 2 * p] = shared + scales.pull_error**2 * np.outer(lean, lean)
    covariance[np.arange(2 * p, len(mean)), np.arange(2 * p, len(mean))] = spread
    return Walk(mean, covariance, scales.walk_national**2 + scales.walk_place**2 * correlation)


def _check(polls: Polls, prior: Prior, correlation: Floats, votes: Floats) -> None:
    places, n = len(prior.mean), len(polls.place)
    if places == 0 or prior.covariance.shape != (places, places) or correlation.shape != (places, places):
        raise DesignError.of(
            "The prior and the correlation do not fit",
            received=f"{prior.mean.shape}, {prior.covariance.shape}, {correlation.shape}",
            allowed="(p,), (p, p), (p, p)",
        )
    if votes.shape != (places,) or not (np.isfinite(votes).all() and (votes >= 0).all() and votes.sum() > 0):
        raise DesignError.of("Expected votes do not fit", received=votes.shape, allowed="(p,), none below 0")
    if any(np.shape(column) != (n,) for column in polls):
        raise DesignError.of("Columns of polls are not equally long", allowed="(n,) each")
    if n == 0:
        return
    if polls.place.min() < WHOLE or polls.place.max() >= places:
        raise DesignError.of(
            "A poll is of an unknown place", allowed=f"0 … {places - 1}, or {WHOLE} for the whole"
        )
    if not ((polls.share > 0) & (polls.share < 1)).all():
        raise DesignError.of("A poll's two-party share is not between 0 and 1")
    if not ((polls.size > 0) & np.isfinite(polls.size)).all():
        raise DesignError.of("A poll's size is not a number above 0")
    if not ((polls.day >= 0) & np.isfinite(polls.day)).all():
        raise DesignError.of(
            "A poll was taken after the election, or on no known day", allowed="days of 0 or more"
        )
