"""Events ─► each goal of campaign.toml and where it stands."""

from __future__ import annotations

import datetime
from typing import Annotated

from hustings.stage import About, Result, Table, stage
from hustings.warehouse import count

_NEAR = 0.03
"""Within three in a hundred of the line is on plan."""


@stage(writes="goals", each="goal")
def measure_goals(
    events: Table,
    *,
    goal: str,
    about: Annotated[str, About("What is counted, in the words of the team.")],
    kind: Annotated[str, About("The kind of event that counts: `contact`, `gift`, `vote`, … .")],
    target: Annotated[float, About("To be reached by `due_on`.", gt=0)],
    starts_on: Annotated[datetime.date, About("The first day that counts.")],
    due_on: Annotated[datetime.date, About("The day by which the target is to be reached.")],
    as_of: Annotated[datetime.date, About("The day of the report; nothing of that day counts yet.")],
    channel: Annotated[str | None, About("Only events of this channel.")] = None,
    event_name: Annotated[str | None, About("Only events of this name.")] = None,
) -> Result:
    """One row: events so far, against a straight line from the start to the target."""
    first, morning = (datetime.datetime.combine(day, datetime.time()) for day in (starts_on, as_of))
    done = events.filter(
        (events.kind == kind) & (events.happened_at >= first) & (events.happened_at < morning)
    )
    if channel is not None:
        done = done.filter(done.channel == channel)
    if event_name is not None:
        done = done.filter(done.name == event_name)
    actual = float(count(done))
    days = max((due_on - starts_on).days, 1)
    expected = target * min(max((as_of - starts_on).days / days, 0.0), 1.0)
    return {
        "goal": [goal],
        "about": [about],
        "target": [target],
        "actual": [actual],
        "expected": [expected],
        "due_on": [due_on],
        "status": [status(actual, expected)],
        "as_of": [as_of],
    }


def status(actual: float, expected: float) -> str:
    """How a goal stands, in a word.

    >>> status(96.0, 100.0), status(98.0, 100.0), status(0.0, 0.0)
    ('behind', 'on plan', 'not started')
    """
    if expected <= 0:
        return "ahead" if actual > 0 else "not started"
    gap = actual / expected - 1
    return "behind" if gap < -_NEAR else "ahead" if gap > _NEAR else "on plan"
