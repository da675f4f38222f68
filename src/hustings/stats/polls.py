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
from numpy.typing import ArrayLike

from hustings.stats.kalman import Floats, Smoothed, run_filter, run_smoother
from hustings.stats.poll_world import WHOLE, Integers, Polls, Prior, Scales, World, build, keep, whole_slope

__all__ = [
    "WHOLE",
    "Polls",
    "Posterior",
    "Prior",
    "Scales",
    "fit",
    "keep",
    "log_likelihood",
    "whole_slope",
]

_TAIL_ROUNDS = 8


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
    world = build(polls, prior, correlation, scales, votes)
    order = np.argsort(polls.day, kind="stable")
    stops = np.sort(np.zeros(0) if days is None else np.asarray(days, np.float64))
    trust = np.ones(len(order))
    smoothed = _solve(world, order, trust, stops)
    for _ in range(_TAIL_ROUNDS if tails is not None and len(order) else 0):
        trust = _trust(world, order, trust, smoothed, float(tails or np.inf))
        smoothed = _solve(world, order, trust, stops)
    return _posterior(world, order, trust, stops, smoothed)


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
    world = build(polls, prior, correlation, scales, votes)
    order = np.argsort(polls.day, kind="stable")
    return run_filter(*world.together(order)).log_likelihood


def _solve(world: World, order: Integers, trust: Floats, stops: Floats) -> Smoothed:
    places, size = len(world.prior.mean), len(world.believed.mean)
    wanted = np.zeros((places + 1, size))
    wanted[:places, :places] = np.eye(places)
    wanted[places, :places] = world.slope
    readings = world.readings(order, trust)
    return run_smoother(
        world.believed, readings, run_filter(world.believed, readings, stops=stops, wanted=wanted)
    )


def _trust(world: World, order: Integers, trust: Floats, smoothed: Smoothed, degrees: float) -> Floats:
    """The expected precision of each poll's own error under Student's t, as a factor."""
    used = (world.variance / trust)[order]
    told, precision = smoothed.left_out / smoothed.left_out_variance, 1 / smoothed.left_out_variance
    squared = used - used**2 * precision + (used * told) ** 2
    found = np.empty(len(order))
    found[order] = (degrees + 1) / (degrees + squared / world.variance[order])
    return found


def _posterior(world: World, order: Integers, trust: Floats, stops: Floats, smoothed: Smoothed) -> Posterior:
    p, back = len(world.prior.mean), slice(None, None, -1)
    left_out, left_out_error = np.empty(len(order)), np.empty(len(order))
    left_out[order], left_out_error[order] = smoothed.left_out, np.sqrt(smoothed.left_out_variance)
    spread = np.sqrt(np.maximum(smoothed.variances, 0.0))
    house, house_error = _houses(world, order, smoothed)
    return Posterior(
        mean=smoothed.mean[:p],
        covariance=smoothed.covariance[:p, :p],
        prior=world.prior,
        n_polls=len(order),
        days=stops[back],
        path=smoothed.means[back, :p],
        path_error=spread[back, :p],
        whole=smoothed.means[back, p] + world.constant,
        whole_error=spread[back, p],
        poll_error=smoothed.mean[p : 2 * p],
        house=house,
        house_error=house_error,
        left_out=left_out,
        left_out_error=left_out_error,
        trust=trust,
        log_likelihood=smoothed.log_likelihood,
    )


def _houses(world: World, order: Integers, smoothed: Smoothed) -> tuple[Floats, Floats]:
    """Every pollster's lean: from the state, or for an only poll its part of that poll's own error."""
    n_houses = int(world.polls.house.max()) + 1 if len(order) else 0
    before = world.scales.house**2
    lean, variance = np.zeros(n_houses), np.full(n_houses, before)
    once = world.once[order]
    house, precision = world.polls.house[order][once], 1 / smoothed.left_out_variance[once]
    lean[house] = before * smoothed.left_out[once] * precision
    variance[house] = before - before**2 * precision
    at = np.arange(len(world.often)) + 2 * len(world.prior.mean) + world.sizes[0]
    lean[world.often] = smoothed.mean[at]
    variance[world.often] = np.diag(smoothed.covariance)[at]
    return lean, np.sqrt(np.maximum(variance, 0.0))
