"""The rule of thumb beside the forecast: the mean of each place's polls of the last three weeks."""

from __future__ import annotations

import datetime

import numpy as np

from hustings import stats
from hustings.forecast.model import Model, Morning
from hustings.forecast.readings import as_arrays
from hustings.stats.poll_averages import Average


def mean_of_polls(model: Model, now: Morning, as_of: datetime.date) -> Average:
    """Our share of the two, ours and the first rival, in every leaf by the mean of its polls.

    Args:
        model: The model.
        now: The forecast of the morning: the same polls.
        as_of: The morning.

    Returns:
        The means, and how many polls are in each; NaN where neither the place nor the whole has any.
    """
    used = [poll for poll in now.polls if not poll.reason]
    believed = model.beliefs[0]
    polls, _ = as_arrays(
        used,
        model.tree,
        model.votes,
        believed.prior.mean,
        (model.choice, model.rivals[0]),
        model.election_day,
    )
    age = np.maximum(polls.day - (model.election_day - as_of).days, 0.0)
    return stats.poll_averages.mean_of_polls(polls.place, polls.share, age, believed.lean)
