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
    """The people of one accepted list, and what is known of them today.

    Attributes:
        household: (n,) integer labels.
        held_out: (n,) whether in the control group.
        value: (n,) the outcome, NaN where it is not known.
        returned: (n,) 1 where the ballot is known to be in, else 0.
        predicted: Added ballots predicted for those who were to be reached.
        published: The same by the literature; None where it says nothing.
    """

    household: npt.NDArray[np.int64]
    held_out: npt.NDArray[np.bool_]
    value: Floats
    returned: Floats
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


def lists(
    decided_people: Table,
    decisions: Table,
    outcomes: Table,
    events: Table,
    *,
    outcome: str,
    election_day: datetime.date,
    as_of: datetime.date,
) -> dict[str, Listed]:
    """The accepted lists by decision, with what had arrived by today; of nothing that happened before the decision.

    Args:
        decided_people: The table.
        decisions: The table.
        outcomes: The table.
        events: The table.
        outcome: The outcome that counts as a ballot.
        election_day: Whose ballots count as returned.
        as_of: Nothing that arrived on this day or later is known.
    """
    morning = datetime.datetime.combine(as_of, datetime.time())
    told = decisions.select("decision_id", since=decisions.as_of)
    # Someone with several actions is one person.
    once = decided_people.group_by("decision_id", "person_id").agg(
        home=decided_people.household_id.hash().min(),
        held_out=decided_people.held_out.any(),
        **{name: _whole_sum(decided_people[name]) for name in ("added_ballots", "published")},
    )
    people = once.join(told, "decision_id")
    known = outcomes.filter((outcomes.outcome == outcome) & (outcomes.arrived_at < morning))
    known = known.select("value", "happened_on", of=known.person_id)
    with_value = people.left_join(known, [people.person_id == known.of, known.happened_on >= people.since])
    in_ = voters(events.filter((events.happened_at < morning) & (events.arrived_at < morning)), election_day)
    in_ = in_.select(who=in_.person_id).distinct()
    rows = arrays(
        with_value.left_join(in_, with_value.person_id == in_.who).mutate(returned=lambda t: t.who.notnull()),
        "decision_id", "home", "held_out", "value", "returned", "added_ballots", "published",
    )  # fmt: skip
    decision = codes(rows["decision_id"])
    order = np.argsort(decision.codes, kind="stable")
    ends = np.searchsorted(decision.codes[order], np.arange(len(decision.labels) + 1))
    found = {}
    for code, name in enumerate(decision.labels):
        own = order[ends[code] : ends[code + 1]]
        held = rows["held_out"][own].astype(bool)
        found[name] = Listed(
            rows["home"][own].astype(np.int64),
            held,
            np.asarray(rows["value"][own], np.float64),
            rows["returned"][own].astype(np.float64),
            *(_sum(np.asarray(rows[c][own], np.float64)[~held]) for c in ("added_ballots", "published")),
        )
    return found


def _whole_sum(column: Any) -> Any:
    """The sum of a group; null where a part of it is not known."""
    return column.isnull().any().ifelse(None, column.sum())


def _sum(values: Floats) -> float | None:
    return float(values.sum()) if values.size and np.isfinite(values).all() else None


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
