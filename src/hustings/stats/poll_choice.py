"""Which polls are believed, and for each other one the reason why not."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hustings.errors import DesignError
from hustings.stats.polls import Polls, Posterior

ROUNDED = 101.0
"""Two rounded shares may sum to this, of 100."""

REASONS = (
    "its place is not known",
    "a share is missing or not above 0",
    "its shares sum to more than 100",
    "its sample size is missing or not above 0",
    "a day of its field work is missing",
    "its field work ends before it begins",
    "its field work did not end before the election",
    "its field work did not end before the day of the forecast",
    "the same poll is there already",
    "it overlaps a later wave of its pollster",
)
SWAPPED = "its candidates seem to have changed places"


class Published(NamedTuple):
    """Polls as published, one entry each, all columns (n,).

    Attributes:
        place: Code from 0 on, -1 for a poll of the whole, below -1 for a place that is not known.
        house: Code of the pollster.
        start: First day of field work, as a number of days; NaN when it is not known.
        end: Last day of field work.
        size: People asked; NaN when it is not known.
        first: Share for the first candidate, 0–100.
        second: Share for the second candidate, 0–100.
    """

    place: NDArray[np.int64]
    house: NDArray[np.int64]
    start: NDArray[np.float64]
    end: NDArray[np.float64]
    size: NDArray[np.float64]
    first: NDArray[np.float64]
    second: NDArray[np.float64]


def choose(polls: Published, *, before: float, election: float) -> NDArray[Any]:
    """Why each poll is left out, or None where it is kept.

    Of one pollster in one place, a wave that overlaps a later kept one is dropped, the latest first: tracking polls
    ask the same people again in the next day's figure. Of waves that end on the same day the last one stays.

    Args:
        polls: Polls as published.
        before: Day of the forecast; field work must have ended before it.
        election: Day of the election, in the same count of days.

    Returns:
        (n,) of text or None.

    Raises:
        DesignError: Columns that are not equally long.

    >>> tracking = Published(*(np.array(x, float) for x in ([0, 0, 0], [7, 7, 7], [1, 2, 4], [3, 4, 6],
    ...                                                     [500, 500, 500], [48, 49, 50], [44, 44, 54])))
    >>> choose(tracking, before=9, election=10).tolist()
    ['it overlaps a later wave of its pollster', None, 'its shares sum to more than 100']
    """
    n = len(polls.place)
    if any(np.shape(column) != (n,) for column in polls):
        raise DesignError.of("Columns of polls are not equally long", allowed="(n,) each")
    share = np.isfinite(polls.first) & np.isfinite(polls.second)
    wrong = [
        polls.place < -1,
        ~share | ~(polls.first > 0) | ~(polls.second > 0),
        polls.first + polls.second > ROUNDED,
        ~(np.isfinite(polls.size) & (polls.size > 0)),
        ~(np.isfinite(polls.start) & np.isfinite(polls.end)),
        polls.end < polls.start,
        polls.end >= election,
        polls.end >= before,
    ]
    reason = np.full(n, None, dtype=object)
    for text, bad in zip(REASONS, wrong, strict=False):
        reason[bad & (reason == None)] = text  # noqa: E711
    _drop_repeated(polls, reason)
    return reason


def _drop_repeated(polls: Published, reason: NDArray[Any]) -> None:
    """Give the reasons that rest on other polls: the same one again, and waves that overlap a later one."""
    good = np.flatnonzero(reason == None)  # noqa: E711
    seen: set[tuple[float, ...]] = set()
    starts: dict[tuple[int, int], float] = {}
    for i in good[np.argsort(polls.end[good], kind="stable")[::-1]]:
        whole = tuple(float(column[i]) for column in polls)
        wave = int(polls.place[i]), int(polls.house[i])
        if whole in seen:
            reason[i] = REASONS[8]
        elif polls.end[i] >= starts.get(wave, np.inf):
            reason[i] = REASONS[9]
        else:
            starts[wave] = float(polls.start[i])
        seen.add(whole)


def swapped(polls: Polls, found: Posterior) -> NDArray[np.bool_]:
    """Polls whose candidates seem to have changed places.

    Those more than 5 standard deviations from what all others foretell, whose mirror image is within 2.

    Args:
        polls: As given to `polls.fit`.
        found: What it found.

    Returns:
        (n,) whether.

    >>> from hustings.stats.polls import Prior, Scales, fit
    >>> column = [np.zeros(3, int), np.array([0.62, 0.61, 0.38]), np.full(3, 900.0), np.ones(3), np.arange(3)]
    >>> polls = Polls(*column, np.full(3, -1), np.full(3, -1))
    >>> prior = Prior(np.array([0.4]), np.array([[0.02]]))
    >>> swapped(polls, fit(polls, prior, correlation=np.eye(1), scales=Scales())).tolist()
    [False, False, True]
    """
    read = np.log(polls.share / (1 - polls.share))
    off = np.abs(found.left_out) > 5 * found.left_out_error
    mirrored = np.abs(found.left_out - 2 * read) < 2 * found.left_out_error
    return off & mirrored
