"""Ballots that were asked for, sent or rejected ─► whom to remind and whom to help, in order of worth."""

from __future__ import annotations

import datetime
from typing import Annotated, Any

import numpy as np

from hustings.ballots import DAYS, states
from hustings.stage import About, Result, Table, stage
from hustings.tables import spec
from hustings.warehouse import arrays


@stage(writes="ballot_lists")
def list_ballots(
    people: Table,
    events: Table,
    scores: Table,
    *,
    turnout: Annotated[str, About("The score of turnout.")] = "turnout",
    support: Annotated[
        str | None, About("The score of support; without one every ballot is worth the same.")
    ] = None,
    remind_after: Annotated[float, About("Days after a ballot was sent before a reminder.", ge=0)] = 5.0,
    days_before: Annotated[
        int, About("Days before the election from which ballot events speak of it.", ge=1)
    ] = DAYS,
    election_day: Annotated[datetime.date, About("The election that the ballots are for.")],
    as_of: Annotated[datetime.date, About("What is known before this day counts.")],
) -> Result:
    """The lists `chase` and `cure`; who has voted is on neither, nor who is not worth a call."""
    morning = datetime.datetime.combine(as_of, datetime.time())
    known = events.filter((events.happened_at < morning) & (events.arrived_at <= morning))
    now = states(known, election_day, days_before)
    open_ = now.filter(now.state.isin(["requested", "sent", "rejected"]))
    rows = open_.join(people.select("person_id", "household_id", "region_id"), "person_id")
    for name, score in (("turnout", turnout), ("support", support)):
        rows = rows.left_join(_newest(scores, score, name, as_of), "person_id", rname="{name}_" + name)
    found = arrays(rows.order_by("person_id"), "person_id", "household_id", "region_id", "state", "turnout", "support", "happened_at")  # fmt: skip
    return _ranked(found, support, remind_after, as_of)


def _newest(scores: Table, score: str | None, name: str, as_of: datetime.date) -> Any:
    own = scores.filter((scores.score == (score or "")) & (scores.as_of <= as_of))
    return own.group_by("person_id").agg(**{name: own.value.argmax(own.as_of)})


def _ranked(
    found: dict[str, Any], support: str | None, remind_after: float, as_of: datetime.date
) -> dict[str, Any]:
    cure = found["state"] == "rejected"
    turnout, backing = (np.asarray(found[name], np.float64) for name in ("turnout", "support"))
    waited = (np.datetime64(as_of) - found["happened_at"].astype("M8[s]")) / np.timedelta64(1, "D")
    # In a logit a nudge moves people in proportion to p (1 - p); a rejected ballot is a vote that was cast.
    likely = np.where(np.isfinite(turnout), turnout, 0.5)
    value = np.where(cure, 1.0, likely * (1 - likely))
    if support is not None:
        value = value * (2 * np.where(np.isfinite(backing), backing, 0.5) - 1)
    wanted = np.flatnonzero((value > 0) & (cure | (waited >= remind_after)))
    order = wanted[np.lexsort((-waited[wanted], -value[wanted], cure[wanted]))]
    first = np.searchsorted(cure[order], cure[order])
    margin = (
        "its expected margin, 2 × support − 1"
        if support
        else "one ballot, whoever it is for: there is no support score"
    )
    reasons = {
        True: f"a rejected ballot is lost unless cured: {margin}",
        False: f"turnout × (1 − turnout), where a reminder moves most, times {margin}",
    }
    rows = {
        "list": np.where(cure[order], "cure", "chase"),
        **{name: found[name][order] for name in ("person_id", "household_id", "region_id", "state")},
        "days_since": waited[order],
        "value": value[order],
        "rank": np.arange(order.size) - first + 1,
        "as_of": [as_of] * order.size,
        "reason": np.where(cure[order], reasons[True], reasons[False]),
    }
    return {name: rows[name] for name in spec("ballot_lists").names}
