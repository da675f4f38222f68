"""Elections with polls drawn from the model's own world, to hold what it promises against what comes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit, logit

from hustings.stats.kalman import Floats
from hustings.stats.poll_world import WHOLE, Polls, Prior, Scales, build


class Drawn(NamedTuple):
    """One election.

    Attributes:
        result: (p,) logit of the two-party share on election day.
        polls: The polls that were handed in, with shares drawn anew.
    """

    result: Floats
    polls: Polls


def draw(
    polls: Polls,
    prior: Prior,
    *,
    correlation: ArrayLike,
    scales: Scales,
    votes: ArrayLike | None = None,
    rng: np.random.Generator,
) -> Drawn:
    """A result and the polls before it.

    Args:
        polls: Where, when and by whom polls are taken; their shares are not looked at.
        prior: Of the result.
        correlation: (p, p) of places.
        scales: Of this world: another one than the model's shows what a wrong model promises.
        votes: (p,) votes in each place, for polls of the whole; equal when None.
        rng: Where randomness comes from.

    Returns:
        The election.

    >>> polls = Polls(*(np.array([x]) for x in (0, 0.5, 900.0, 3.0, 0, -1, -1)))
    >>> prior, rng = Prior(np.zeros(2), np.eye(2)), np.random.default_rng(1)
    >>> drawn = draw(polls, prior, correlation=np.eye(2), scales=Scales(), rng=rng)
    >>> drawn.result.shape, drawn.polls.share.shape
    ((2,), (1,))
    """
    world = build(polls._replace(share=np.full(len(polls.place), 0.5)), prior, correlation, scales, votes)
    p, day = len(prior.mean), np.asarray(polls.day, np.float64)
    state = rng.multivariate_normal(world.believed.mean, world.believed.covariance, method="eigh")
    days, at = np.unique(day, return_inverse=True)
    steps = rng.multivariate_normal(np.zeros(p), world.believed.walk, size=len(days), method="eigh")
    walked = np.cumsum(np.sqrt(np.diff(days, prepend=0.0))[:, None] * steps, axis=0)
    # What the polls of a day would read in each place, their shared error included.
    opinion = (state[:p] + state[p : 2 * p] + walked)[at]
    weight = np.ones(p) if votes is None else np.asarray(votes, np.float64)
    of_whole = polls.place == WHOLE
    level = np.where(
        of_whole, logit(expit(opinion) @ weight / weight.sum()), opinion[np.arange(len(day)), polls.place]
    )
    level = level + world.rows[:, 2 * p :] @ state[2 * p :]
    share = expit(level)
    own = 1 / (polls.size * share * (1 - share)) + scales.excess**2 + world.once * scales.house**2
    read = level + np.sqrt(own) * rng.normal(size=len(day))
    return Drawn(state[:p], polls._replace(share=expit(read)))
