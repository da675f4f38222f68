"""What a plan of asks is made of: the section's rules, the people, and what is done with each."""

from __future__ import annotations

import datetime
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


class Rules(NamedTuple):
    """What the section says about choosing."""

    plan_id: str
    channels: dict[str, list[str]]
    costs: dict[str, float]
    rule: str
    budget: float
    hold_out: float
    first: datetime.date
    deadline: datetime.date | None
    per_day: dict[str, int]
    as_of: datetime.date


class Candidates(NamedTuple):
    """Who may be asked at all; (n,) each.

    Attributes:
        person_id: Who.
        household_id: Where.
        segment: Codes.
        last: Last gift in cents, NaN for none.
        one_click: Whether there is a card on file.
        headroom: Cents that the law still allows; infinity without a limit.
        may: Whether the headroom is known, and the source may be solicited.
        row: The columns of `donors` for each.
        election: The row of `election_limits` that is asked for.
    """

    person_id: npt.NDArray[Any]
    household_id: npt.NDArray[Any]
    segment: Integers
    last: Floats
    one_click: npt.NDArray[np.bool_]
    headroom: Floats
    may: npt.NDArray[np.bool_]
    row: dict[str, npt.NDArray[Any]]
    election: dict[str, Any]


class Chosen(NamedTuple):
    """What is done with each; (n,) each.

    Attributes:
        action: Number of the channel, or -1.
        held_out: Chosen, and drawn not to be asked.
        rank: Order within the channel, from 1.
        day: Days after the first.
        gain: (n, c) expected cents of the best string that fits in each channel.
    """

    action: Integers
    held_out: npt.NDArray[np.bool_]
    rank: Integers
    day: Integers
    gain: Floats
