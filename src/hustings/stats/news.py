"""What new polls change, and which of them changes how much.

The posterior mean is linear in the polls: with K the gain of all polls together and ŷ what the old ones foretell
of the new ones, it moves by the sum over the new ones of K_i (y_i - ŷ_i). Nothing is left over.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import cho_factor, cho_solve

from hustings.errors import DesignError
from hustings.stats.polls import Polls, Prior, Scales, _World

Floats = NDArray[np.float64]


class News(NamedTuple):
    """What each new poll changes.

    Attributes:
        change: (m, p) what each moves the expected logit of every place by; the sum is the whole change.
        value: (m,) what it says, as a logit.
        foretold: (m,) what the old polls foretold that it would say.
        deviation: (m,) standard deviation of that.
    """

    change: Floats
    value: Floats
    foretold: Floats
    deviation: Floats


def news(
    polls: Polls,
    is_new: ArrayLike,
    prior: Prior,
    *,
    correlation: ArrayLike,
    scales: Scales,
    votes: ArrayLike | None = None,
) -> News:
    """What each of the new polls moves the forecast by, given the others.

    All polls are taken in at once, by their joint covariance, where `polls.fit` takes in one at a time. Errors of
    polls are normal: heavy tails have no such sum.

    Args:
        polls: Old and new together, as for `polls.fit`.
        is_new: (n,) which are new.
        prior: As for `polls.fit`.
        correlation: As for `polls.fit`.
        scales: As for `polls.fit`.
        votes: As for `polls.fit`.

    Returns:
        The new polls' contributions, in their order.

    Raises:
        DesignError: Marks that do not fit the polls.

    Source: Rasmussen & Williams, Gaussian Processes for Machine Learning (2006), eq. 2.25; K by blocks is Bayes'
    rule in two steps.

    >>> prior = Prior(np.zeros(1), np.eye(1))
    >>> one = Polls(*(np.array([x]) for x in (0, 0.6, 1e9, 0.0, 0, -1, -1)))
    >>> scales = Scales(error_national=0, error_place=0, house=0, excess=1, pull_error=0)
    >>> found = news(one, [True], prior, correlation=np.eye(1), scales=scales)
    >>> found.change.round(4).tolist(), round(float(found.value[0]), 4)
    ([[0.2027]], 0.4055)
    """
    new = np.asarray(is_new, dtype=bool)
    if new.shape != polls.place.shape:
        raise DesignError.of("Marks of new polls do not fit", received=new.shape, allowed=polls.place.shape)
    places = len(prior.mean)
    if not new.any():
        return News(np.zeros((0, places)), *(np.zeros(0) for _ in range(3)))
    world = _World.of(polls, prior, np.asarray(correlation, np.float64), scales, votes)
    rows, walks = world.rows, len(world.believed.walk)
    day = np.asarray(polls.day, np.float64)
    seen = rows @ world.believed.covariance
    walked = rows[:, :walks] @ world.believed.walk @ rows[:, :walks].T
    joint = seen @ rows.T + np.minimum.outer(day, day) * walked
    joint[np.diag_indices(len(day))] += world.variance
    surprise = world.value - rows @ world.believed.mean
    gain = cho_solve(cho_factor(joint), seen[:, :places])
    told, spread = surprise[new].copy(), np.diag(joint)[new].copy()
    if not new.all():
        cross = joint[np.ix_(~new, new)]
        known = cho_solve(cho_factor(joint[np.ix_(~new, ~new)]), cross)
        told -= known.T @ surprise[~new]
        spread -= np.einsum("om,om->m", cross, known)
    value = world.value[new] + (polls.place[new] < 0) * world.constant
    return News(gain[new] * told[:, None], value, value - told, np.sqrt(spread))
