"""The model's few hyperparameters, from elections that are over."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize

from hustings.stats.kalman import Floats
from hustings.stats.polls import Polls, Prior, Scales, log_likelihood

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

    def likelihood(scales: Scales) -> float:
        return sum(
            log_likelihood(
                year.polls,
                Prior(year.result, np.zeros((len(year.result),) * 2)),
                correlation=year.correlation,
                scales=scales,
                votes=year.votes,
            )
            for year in useful
        )

    def cost(x: Floats) -> float:
        return 0.5 * float(x @ x) - likelihood(_scales(x, believed))

    found = minimize(
        cost, np.zeros(len(_POSITIVE) + 1), method="L-BFGS-B", options={"maxiter": rounds, "ftol": 1e-5}
    )
    scales = _scales(found.x, believed)
    n_polls = sum(len(year.polls.place) for year in useful)
    return Learned(scales, likelihood(scales), n_polls, int(found.nfev))


def _scales(x: Floats, believed: Scales) -> Scales:
    """Scales from standard normal coordinates."""
    positive = {
        name: float(getattr(believed, name) * np.exp(SPREAD * value))
        for name, value in zip(_POSITIVE, x[:-1], strict=True)
    }
    return Scales(**positive, pull=believed.pull + PULL_SPREAD * float(x[-1]))
