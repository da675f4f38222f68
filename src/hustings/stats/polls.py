"""Where an election stands, place by place: polls, what is known besides, and the errors that polls share.

With θ(t) the logit of the two-party share by place, t days before the election,

    θ(0) ~ N(prior mean, prior covariance)                     fundamentals and earlier results
    θ(t + 1) = θ(t) + N(0, w² 11' + v² C)                      national trend and correlated walks, backwards
    poll = θ(t)[place] + β[place] + house + mode + population + N(0, 1 / (n p (1 − p)) + e²)
    β ~ N(κ · lean, a² 11' + b² C + k² lean lean')             the error that all polls of the year share

`lean` is how far the prior sees a place from the whole. A poll of the whole reads Σ g_i (θ_i + β_i) + offset, with
g the slope of the logit of the whole's *share* (a national share is not the mean of logits). All of it is linear and
Gaussian: one pass of the filter from election day back to the first poll and one of the smoother forth again give
the posterior on election day, without simulation.

Source: Jackman, Aust. J. Polit. Sci. 40 (2005); Linzer, JASA 108 (2013); Heidemanns, Gelman & Morris, Harvard Data
Science Review 2(4) (2020); errors that polls share: Shirani-Mehr, Rothschild, Goel & Gelman, JASA 113 (2018).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hustings.errors import DesignError
from hustings.stats.kalman import Filtered, Floats, Readings, Smoothed, Walk, run_filter, run_smoother

Integers = NDArray[np.int64]

WHOLE = -1
"""The code of a poll of the whole: all places together."""
_SHARES = (0.005, 0.995)
_TAIL_ROUNDS = 8


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


class Posterior(NamedTuple):
    """Where the election stands.

    Attributes:
        mean: (p,) logit of the two-party share on election day.
        covariance: (p, p) of it: the shared error of polls, the walk still to come and all else included.
        prior: What was believed without polls.
        n_polls: Polls that were used; 0 says that `mean` is the prior's.
        days: (k,) days before the election of the path, the last being 0; empty unless asked for.
        path: (k, p) mean logit on those days.
        path_error: (k, p) its standard deviation.
        whole: (k,) mean logit of the whole's share on those days.
        whole_error: (k,) its standard deviation.
        poll_error: (p,) what the year's polls seem to err by, logit.
        house: (h,) lean of every pollster, logit; 0 where nothing is known of it.
        house_error: (h,) its standard deviation.
        left_out: (n,) each poll less what all others foretell, logit.
        left_out_error: (n,) its standard deviation.
        trust: (n,) weight of each poll's own error: 1, or less for one far off when tails are heavy.
        log_likelihood: Of all polls.
    """

    mean: Floats
    covariance: Floats
    prior: Prior
    n_polls: int
    days: Floats
    path: Floats
    path_error: Floats
    whole: Floats
    whole_error: Floats
    poll_error: Floats
    house: Floats
    house_error: Floats
    left_out: Floats
    left_out_error: Floats
    trust: Floats
    log_likelihood: float


def fit(
    polls: Polls,
    prior: Prior,
    *,
    correlation: ArrayLike,
    scales: Scales,
    votes: ArrayLike | None = None,
    days: ArrayLike | None = None,
    tails: float | None = None,
) -> Posterior:
    """The posterior of every place on election day, in closed form.

    Args:
        polls: Those that are to be believed (`choose` leaves out what is not); none is allowed.
        prior: Mean (p,) and covariance (p, p) of the logit on election day.
        correlation: (p, p) of walks and of shared errors between places, besides what moves all of them.
        scales: Standard deviations on the logit scale.
        votes: (p,) two-party votes expected in each place, for polls of the whole; equal when None.
        days: (k,) days before the election on which the path is wanted, 0 or more; no path when None.
        tails: Degrees of freedom of the polls' own errors; normal when None. Few (4) trust polls far off less.

    Returns:
        The posterior.

    Raises:
        DesignError: Shapes that do not fit, shares outside 0–1, sizes or days that are not above 0, unknown places.

    Source: the module's; heavy tails as a mixture of scales by expectation and maximisation (Lange, Little &
    Taylor, JASA 84, 1989).

    >>> prior = Prior(np.zeros(2), 0.04 * np.eye(2))
    >>> one = Polls(*(np.array([x]) for x in (0, 0.55, 800.0, 3.0, 0, -1, -1)))
    >>> found = fit(one, prior, correlation=np.eye(2), scales=Scales())
    >>> found.mean.round(3).tolist(), np.sqrt(np.diag(found.covariance)).round(3).tolist()
    ([0.145, 0.0], [0.106, 0.2])
    """
    world = _World.of(polls, prior, np.asarray(correlation, np.float64), scales, votes)
    order = np.lexsort((np.arange(len(polls.place)), polls.day))
    stops = np.sort(np.zeros(0) if days is None else np.asarray(days, np.float64))
    trust = np.ones(len(order))
    filtered, smoothed = world.solve(order, trust, stops)
    for _ in range(_TAIL_ROUNDS if tails is not None and len(order) else 0):
        trust = world.trust(order, trust, smoothed, float(tails or np.inf))
        filtered, smoothed = world.solve(order, trust, stops)
    return world.posterior(order, trust, stops, smoothed, filtered)


def log_likelihood(
    polls: Polls, prior: Prior, *, correlation: ArrayLike, scales: Scales, votes: ArrayLike | None = None
) -> float:
    """The log density of all polls given what is believed without them.

    Args:
        polls: As for `fit`.
        prior: As for `fit`; of a year that is over, its result and a covariance of zeros.
        correlation: As for `fit`.
        scales: As for `fit`.
        votes: As for `fit`.

    Returns:
        The log-likelihood.

    >>> prior = Prior(np.zeros(1), np.eye(1))
    >>> one = Polls(*(np.array([x]) for x in (0, 0.5, 400.0, 0.0, 0, -1, -1)))
    >>> scales = Scales(error_national=0, error_place=0, house=0, excess=0)
    >>> round(log_likelihood(one, prior, correlation=np.eye(1), scales=scales), 4)
    -0.9239
    """
    world = _World.of(polls, prior, np.asarray(correlation, np.float64), scales, votes)
    order = np.argsort(polls.day, kind="stable")
    return run_filter(*world.together(order)).log_likelihood


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


class _World(NamedTuple):
    """Polls and beliefs as readings of a walking state: places' walks, shared errors, then everybody's leans."""

    polls: Polls
    prior: Prior
    believed: Walk
    rows: Floats
    value: Floats
    variance: Floats
    slope: Floats
    constant: float
    scales: Scales
    often: Integers
    house_at: int

    @classmethod
    def of(
        cls, polls: Polls, prior: Prior, correlation: Floats, scales: Scales, votes: ArrayLike | None
    ) -> _World:
        places = len(prior.mean)
        weight = np.ones(places) if votes is None else np.asarray(votes, np.float64)
        _check(polls, prior, correlation, weight)
        slope, constant = whole_slope(prior.mean, weight)
        of_whole = polls.place == WHOLE
        rows = np.zeros((len(polls.place), 2 * places))
        here = np.flatnonzero(~of_whole)
        rows[here, polls.place[here]] = rows[here, places + polls.place[here]] = 1.0
        rows[of_whole] = np.tile(slope, 2)
        counts = np.bincount(polls.house, minlength=1) if len(polls.house) else np.zeros(1, int)
        # A pollster's only poll tells its lean and its error apart by nothing: both are one variance.
        often = np.flatnonzero(counts >= 2)
        blocks = [
            (of_whole[:, None].astype(float), scales.whole),
            (_levels(polls.house, often), scales.house),
            (_levels(polls.mode), scales.method),
            (_levels(polls.population), scales.method),
        ]
        if not of_whole.any():
            blocks[0] = (np.zeros((len(rows), 0)), scales.whole)
        share = np.clip(polls.share, *_SHARES)
        once = counts[polls.house] < 2 if len(polls.house) else np.zeros(0, bool)
        variance = 1 / (polls.size * share * (1 - share)) + scales.excess**2 + once * scales.house**2
        return cls(
            polls,
            prior,
            _believed(prior, correlation, scales, slope, [(b.shape[1], sd) for b, sd in blocks]),
            np.hstack([rows, *(block for block, _ in blocks)]),
            np.log(share / (1 - share)) - of_whole * constant,
            variance,
            slope,
            constant,
            scales,
            often,
            2 * places + blocks[0][0].shape[1],
        )

    def readings(self, order: Integers, trust: Floats) -> Readings:
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
        one = np.delete(np.delete(covariance, np.s_[p : 2 * p], axis=0), np.s_[p : 2 * p], axis=1)
        one[:p, :p] += covariance[p : 2 * p, p : 2 * p]
        readings = self.readings(order, np.ones(len(order)))
        both = np.concatenate([mean[:p] + mean[p : 2 * p], mean[2 * p :]])
        rows = np.delete(readings.rows, np.s_[p : 2 * p], axis=1)
        return Walk(both, one, walk), readings._replace(rows=rows)

    def solve(self, order: Integers, trust: Floats, stops: Floats) -> tuple[Filtered, Smoothed]:
        places, size = len(self.prior.mean), len(self.believed.mean)
        wanted = np.zeros((places + 1, size))
        wanted[:places, :places] = np.eye(places)
        wanted[places, :places] = self.slope
        readings = self.readings(order, trust)
        filtered = run_filter(self.believed, readings, stops=stops, wanted=wanted)
        return filtered, run_smoother(self.believed, readings, filtered)

    def trust(self, order: Integers, trust: Floats, smoothed: Smoothed, degrees: float) -> Floats:
        """The expected precision of each poll's own error under Student's t, as a factor."""
        used = self.variance / trust
        d = np.empty(len(order))
        u = np.empty(len(order))
        d[order] = 1 / smoothed.left_out_variance
        u[order] = smoothed.left_out / smoothed.left_out_variance
        squared = used - used**2 * d + (used * u) ** 2
        return (degrees + 1) / (degrees + squared / self.variance)

    def posterior(
        self, order: Integers, trust: Floats, stops: Floats, smoothed: Smoothed, filtered: Filtered
    ) -> Posterior:
        places, back = len(self.prior.mean), slice(None, None, -1)
        left_out, left_out_error = np.empty(len(order)), np.empty(len(order))
        left_out[order], left_out_error[order] = smoothed.left_out, np.sqrt(smoothed.left_out_variance)
        spread = np.sqrt(np.maximum(smoothed.variances, 0.0))
        house, house_error = self._houses(order, smoothed)
        return Posterior(
            mean=smoothed.mean[:places],
            covariance=smoothed.covariance[:places, :places],
            prior=self.prior,
            n_polls=len(order),
            days=stops[back],
            path=smoothed.means[back, :places],
            path_error=spread[back, :places],
            whole=smoothed.means[back, places] + self.constant,
            whole_error=spread[back, places],
            poll_error=smoothed.mean[places : 2 * places],
            house=house,
            house_error=house_error,
            left_out=left_out,
            left_out_error=left_out_error,
            trust=trust,
            log_likelihood=filtered.log_likelihood,
        )

    def _houses(self, order: Integers, smoothed: Smoothed) -> tuple[Floats, Floats]:
        """Every pollster's lean: from the state, or for an only poll its part of that poll's own error."""
        n_houses = int(self.polls.house.max()) + 1 if len(order) else 0
        before = self.scales.house**2
        lean, variance = np.zeros(n_houses), np.full(n_houses, before)
        house = self.polls.house[order]
        once = np.bincount(house, minlength=n_houses)[house] < 2
        d = 1 / smoothed.left_out_variance[once]
        lean[house[once]] = before * smoothed.left_out[once] * d
        variance[house[once]] = before - before**2 * d
        at = np.arange(self.house_at, self.house_at + len(self.often))
        lean[self.often] = smoothed.mean[at]
        variance[self.often] = np.diag(smoothed.covariance)[at]
        return lean, np.sqrt(np.maximum(variance, 0.0))


def _levels(code: Integers, kept: Integers | None = None) -> Floats:
    """One column of zeros and ones per level; none where all polls that have one have the same."""
    if kept is None:
        kept = np.unique(code[code >= 0])
        kept = kept if len(kept) > 1 else kept[:0]
    return (code[:, None] == kept[None, :]).astype(np.float64)


def _believed(
    prior: Prior, correlation: Floats, scales: Scales, slope: Floats, leans: list[tuple[int, float]]
) -> Walk:
    """Everything before the first poll: blocks of places, of shared errors, and of independent leans."""
    places = len(prior.mean)
    lean = prior.mean - float(slope @ prior.mean / slope.sum())
    size = 2 * places + sum(n for n, _ in leans)
    mean, covariance = np.zeros(size), np.zeros((size, size))
    mean[:places], mean[places : 2 * places] = prior.mean, scales.pull * lean
    covariance[:places, :places] = prior.covariance
    covariance[places : 2 * places, places : 2 * places] = (
        scales.error_national**2 + scales.error_place**2 * correlation
        + scales.pull_error**2 * np.outer(lean, lean)
    )  # fmt: skip
    spread = np.concatenate([np.full(n, sd**2) for n, sd in leans]) if leans else np.zeros(0)
    at = np.arange(2 * places, size)
    covariance[at, at] = spread
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
