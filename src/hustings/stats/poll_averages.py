"""The rules of thumb that a forecast stands beside: averages of a place's latest polls."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, logit, ndtr

from hustings.errors import DesignError
from hustings.stats.polls import WHOLE

Floats = NDArray[np.float64]

WINDOW = 21
"""Days of which polls are averaged."""
LATEST = 5
"""Polls of a place that are the latest."""


class Average(NamedTuple):
    """A rule of thumb by place.

    Attributes:
        share: (p,) two-party share; NaN where there is neither a poll of the place nor one of the whole.
        n_polls: (p,) polls that were averaged; 0 where the whole's polls and the last election answer.
    """

    share: Floats
    n_polls: NDArray[np.int64]


def mean_of_polls(
    place: ArrayLike, share: ArrayLike, day: ArrayLike, lean: ArrayLike, *, latest: int | None = None
) -> Average:
    """The unweighted mean of each place's polls of the last 21 days.

    A place without polls: the logit of the mean of the whole's polls, plus its lean at the last election.

    Args:
        place: (n,) code of the place, or `WHOLE`.
        share: (n,) two-party share.
        day: (n,) days from the middle of field work to the day of the forecast, 0 or more.
        lean: (p,) logit of the share at the last election less that of the whole.
        latest: Average only so many, the latest, of these; all when None. Which of two of the same day counts as
            later is left to NumPy's sort, as in the published figures.

    Returns:
        The average, and how many polls are in it.

    Raises:
        DesignError: Columns that are not equally long.

    >>> found = mean_of_polls([0, 0, -1], [0.5, 0.6, 0.5], [30, 3, 3], [0.0, 0.0])
    >>> found.share.round(2).tolist(), found.n_polls.tolist()
    ([0.6, 0.5], [1, 0])
    """
    where, x, age = np.asarray(place), np.asarray(share, np.float64), np.asarray(day, np.float64)
    apart = np.asarray(lean, np.float64)
    if not where.shape == x.shape == age.shape:
        raise DesignError.of("Columns of polls are not equally long", allowed="(n,) each")
    recent = np.floor(age) <= WINDOW
    where, x, age = where[recent], x[recent], age[recent]
    whole = x[where == WHOLE]
    level = logit(whole.mean()) if len(whole) else np.nan
    average, counts = expit(level + apart), np.zeros(len(apart), np.int64)
    for code in np.unique(where[where >= 0]):
        mine = np.flatnonzero(where == code)
        if latest is not None:
            mine = mine[np.argsort(age[mine])[:latest]]
        average[code], counts[code] = x[mine].mean(), len(mine)
    return Average(average, counts)


def average_error(year: ArrayLike, place: ArrayLike, share: ArrayLike, result: ArrayLike) -> float:
    """Root mean square error of places' averages of final polls in years that are over.

    Args:
        year: (n,) of each poll.
        place: (n,) of each poll.
        share: (n,) its two-party share.
        result: (n,) the two-party share there.

    Returns:
        The error, a share; NaN when there are no polls.

    >>> round(average_error([2000, 2000, 2004], [1, 1, 1], [0.5, 0.54, 0.47], [0.5, 0.5, 0.5]), 4)
    0.0255
    """
    error = np.asarray(share, np.float64) - np.asarray(result, np.float64)
    if not len(error):
        return float("nan")
    _, group = np.unique(np.column_stack([year, place]), axis=0, return_inverse=True)
    group = group.ravel()
    means = np.bincount(group, error) / np.bincount(group)
    return float(np.sqrt(np.mean(means**2)))


def p_win(share: ArrayLike, error: float) -> Floats:
    """The normal probability that the true share is above one half.

    Args:
        share: (p,) estimated shares.
        error: Their standard error, above 0.

    Returns:
        (p,) probabilities.

    >>> p_win([0.5, 0.52], 0.02).round(3).tolist()
    [0.5, 0.841]
    """
    found: Floats = ndtr((np.asarray(share, np.float64) - 0.5) / error)
    return found
