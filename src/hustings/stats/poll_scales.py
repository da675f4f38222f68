"""The model's few hyperparameters, from elections that are over."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize

from hustings.stats.kalman import Floats, run_filter, run_smoother
from hustings.stats.poll_world import Polls, Prior, Scales, build

BELIEVED = Scales()
"""Medians of what is believed of each scale before any election is looked at (docs/method/forecast.md)."""
SPREAD = 0.5
"""Standard deviation of the logarithm of each scale around its median."""
PULL_SPREAD = 0.15
"""Standard deviation of `pull` around 0."""

_POSITIVE = tuple(name for name in Scales._fields if name != "pull")


class Over(NamedTuple):
    """An election that is over.

    Attributes:
        polls: Those that were to be believed.
        result: (p,) logit of the two-party share.
        correlation: (p, p) of places, from elections before it.
        votes: (p,) two-party votes.
    """

    polls: Polls
    result: Floats
    correlation: Floats
    votes: Floats


class Learned(NamedTuple):
    """Scales and how they were found.

    Attributes:
        scales: The likeliest, given the elections and what was believed.
        log_likelihood: Of all polls under them.
        n_polls: Polls looked at.
        n_evaluations: Likelihoods that were computed.
    """

    scales: Scales
    log_likelihood: float
    n_polls: int
    n_evaluations: int


def learn(years: Sequence[Over], *, believed: Scales = BELIEVED, rounds: int = 15) -> Learned:
    """The likeliest scales, given elections whose results are known.

    The result takes the place of the prior: what polls were off by is then told apart into shared errors, houses,
    methods, walks and each poll's own error by their marginal likelihood. Each scale has a log-normal prior around
    its median, `pull` a normal one around its value.

    Args:
        years: Elections that are over, none of which is to be forecast; none gives what was believed.
        believed: Medians of the scales.
        rounds: Rounds of the optimiser (L-BFGS-B) at most.

    Returns:
        The scales.

    Source: marginal likelihood of a linear Gaussian model, Durbin & Koopman (2012), section 7.3.

    >>> learn([]).scales == BELIEVED
    True
    """
    useful = [year for year in years if len(year.polls.place)]
    if not useful:
        return Learned(believed, 0.0, 0, 0)

    def cost(x: Floats) -> tuple[float, Floats]:
        scales = _scales(x, believed)
        values, slopes = zip(*(likelihood_slope(year, scales) for year in useful), strict=True)
        step = np.array([SPREAD * getattr(scales, name) for name in _POSITIVE] + [PULL_SPREAD])
        return 0.5 * float(x @ x) - sum(values), x - step * np.sum(slopes, axis=0)

    found = minimize(
        cost,
        np.zeros(len(_POSITIVE) + 1),
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": rounds, "ftol": 1e-6},
    )
    likeliest = float(0.5 * found.x @ found.x - found.fun)
    n_polls = sum(len(year.polls.place) for year in useful)
    return Learned(_scales(found.x, believed), likeliest, n_polls, int(found.nfev))


def likelihood_slope(year: Over, scales: Scales) -> tuple[float, Floats]:
    """The log-likelihood of a year's polls given its result, and how it follows each scale.

    Args:
        year: An election that is over.
        scales: Where the slope is wanted.

    Returns:
        The log-likelihood, and its (10,) derivatives by the scales in their order with `pull` last.

    >>> polls = Polls(*(np.array([x, x]) for x in (0, 0.5, 400.0, 0.0, 0, -1, -1)))
    >>> year = Over(polls, np.zeros(1), np.eye(1), np.ones(1))
    >>> value, slope = likelihood_slope(year, Scales())
    >>> bool((slope[2:8] <= 0).all())
    True
    """
    p = len(year.result)
    world = build(year.polls, Prior(year.result, np.zeros((p, p))), year.correlation, scales, year.votes)
    believed, readings = world.together(np.argsort(year.polls.day, kind="stable"))
    found = run_smoother(believed, readings, run_filter(believed, readings))
    slope = found.slope
    at_places, own = slope.covariance[:p, :p], slope.variance
    whole, houses, methods = np.split(np.diag(slope.covariance)[p:], np.cumsum(world.sizes[:2]))
    once = world.once[np.argsort(year.polls.day, kind="stable")]
    by_variance = {
        "walk_national": slope.walk.sum(),
        "walk_place": np.sum(slope.walk * year.correlation),
        "error_national": at_places.sum(),
        "error_place": np.sum(at_places * year.correlation),
        "pull_error": world.lean @ at_places @ world.lean,
        "house": houses.sum() + own[once].sum(),
        "method": methods.sum(),
        "whole": whole.sum(),
        "excess": own.sum(),
    }
    slopes = [2 * getattr(scales, name) * by_variance[name] for name in _POSITIVE]
    return found.log_likelihood, np.array([*slopes, slope.mean[:p] @ world.lean])


def _scales(x: Floats, believed: Scales) -> Scales:
    """Scales from standard normal coordinates."""
    positive = {
        name: float(getattr(believed, name) * np.exp(SPREAD * value))
        for name, value in zip(_POSITIVE, x[:-1], strict=True)
    }
    return Scales(**positive, pull=believed.pull + PULL_SPREAD * float(x[-1]))
