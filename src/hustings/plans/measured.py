"""The list as it was accepted, and what its people then did ─► what the decision gained, against those held out."""

from __future__ import annotations

import datetime
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from hustings import stats
from hustings.ballots import voters
from hustings.stage import Table
from hustings.warehouse import arrays, codes

Floats = npt.NDArray[np.float64]
RETURNED = "ballots returned"
"""What is known of the outcome before it is: whose ballot is in, whatever becomes of the others."""


class Listed(NamedTuple):
    """The people of one accepted list.

    Attributes:
        person_id: (n,) who.
        household: (n,) codes.
        held_out: (n,) whether in the control group.
        predicted: Added ballots predicted for those who were to be reached.
        published: The same by the literature; None where it says nothing.
    """

    person_id: npt.NDArray[Any]
    household: npt.NDArray[np.int64]
    held_out: npt.NDArray[np.bool_]
    predicted: float | None
    published: float | None


class Reading(NamedTuple):
    """What a decision gained, in ballots; the numbers are None where `reason` says why.

    Attributes:
        gain: Added ballots among those who were to be reached.
        std_error: By household.
        low: Lower end of the 95 % interval.
        high: Upper end.
        reason: Why there is none.
    """

    gain: float | None = None
    std_error: float | None = None
    low: float | None = None
    high: float | None = None
    reason: str | None = None


def lists(decided_people: Table) -> dict[str, Listed]:
    """The accepted lists by decision."""
    rows = arrays(decided_people.order_by("decision_id", "household_id", "person_id"))
    n = len(rows["decision_id"])
    if not n:
        return {}
    ids = rows["decision_id"].astype(str)
    home = codes(rows["household_id"]).codes
    held = rows["held_out"].astype(bool)
    begin = np.flatnonzero(np.append(True, ids[1:] != ids[:-1]))
    found = {}
    for first, last in zip(begin, np.append(begin[1:], n), strict=True):
        own = slice(int(first), int(last))
        found[ids[first]] = Listed(
            rows["person_id"][own],
            np.unique(home[own], return_inverse=True)[1].astype(np.int64),
            held[own],
            *(
                _sum(np.asarray(rows[name][own], np.float64)[~held[own]])
                for name in ("added_ballots", "published")
            ),
        )
    return found


def _sum(values: Floats) -> float | None:
    return float(values.sum()) if values.size and np.isfinite(values).all() else None


def known_outcome(
    outcomes: Table, outcome: str, since: datetime.date, as_of: datetime.date
) -> dict[str, npt.NDArray[Any]]:
    """The people of whom the outcome is known today, and what it is; of nothing before the decision."""
    morning = datetime.datetime.combine(as_of, datetime.time())
    told = outcomes.filter(
        (outcomes.outcome == outcome) & (outcomes.happened_on >= since) & (outcomes.arrived_at < morning)
    )
    return arrays(told, "person_id", "value")


def returned(events: Table, election_day: datetime.date, as_of: datetime.date) -> npt.NDArray[Any]:
    """The people whose ballot is known to be in."""
    morning = datetime.datetime.combine(as_of, datetime.time())
    known = events.filter((events.happened_at < morning) & (events.arrived_at < morning))
    return arrays(voters(known, election_day), "person_id")["person_id"]


def read_gain(listed: Listed, value: Floats) -> Reading:
    """The difference to those held out, times the people who were to be reached.

    Args:
        listed: The list.
        value: (n,) the outcome of each, NaN where it is not known.

    Returns:
        The reading, by intention to treat: whoever was not found counts as reached.
    """
    reached = ~listed.held_out
    for who, some in (("held out", listed.held_out), ("to be reached", reached)):
        if np.unique(listed.household[some & np.isfinite(value)]).size < 2:
            return Reading(reason=f"of fewer than two households {who} the outcome is known")
    found = stats.means.difference_in_means(value, reached.astype(np.int64), listed.household, n_arms=2)
    if found.reason[0]:
        return Reading(reason=found.reason[0])
    n = float(reached.sum())
    gain, error, low, high = (
        float(n * one[0]) for one in (found.estimate, found.std_error, found.low, found.high)
    )
    if error <= 0:
        return Reading(reason="the outcome does not vary")
    return Reading(gain, error, low, high)


def values_of(listed: Listed, known: dict[str, npt.NDArray[Any]]) -> Floats:
    """(n,) the outcome of each person of the list; NaN where it is not known."""
    place = codes(listed.person_id, known["person_id"]).codes
    padded = np.append(np.asarray(known["value"], np.float64), np.nan)
    return np.asarray(padded[place])


def among(listed: Listed, people: npt.NDArray[Any]) -> Floats:
    """(n,) 1 for each person of the list who is among these, else 0."""
    return (codes(listed.person_id, np.unique(people.astype(str))).codes >= 0).astype(np.float64)
