"""What the events of a ballot say: who has voted, whom to remind, whose ballot can still be cured.

A ballot's event has the kind `ballot` and one of the names below. The last one counts. A vote event of the
same days says that the person has voted, too.
"""

from __future__ import annotations

import datetime
from typing import Any, Literal

NAMES = ("requested", "sent", "returned", "rejected", "cured", "voted")
"""Names of ballot events, in the order in which they happen."""
VOTED = ("returned", "cured", "voted")
"""Last events after which there is nothing left to ask of the voter."""
DAYS = 60
"""Days before the election day from which events speak of this election and not of an earlier one."""

State = Literal["requested", "sent", "returned", "rejected", "cured", "voted"]


def begin(election_day: datetime.date, days: int = DAYS) -> datetime.datetime:
    """The moment from which ballot events belong to this election.

    >>> begin(datetime.date(2026, 11, 3)).date().isoformat()
    '2026-09-04'
    """
    return datetime.datetime.combine(election_day, datetime.time()) - datetime.timedelta(days)


def states(events: Any, election_day: datetime.date, days: int = DAYS) -> Any:
    """The last thing that is known of each person's ballot.

    Args:
        events: An Ibis table with `person_id`, `kind`, `name`, `happened_at`, of what may be known.
        election_day: The election that the ballots are for.
        days: How long before it ballots are first asked for.

    Returns:
        An Ibis table with `person_id`, `state` and `happened_at`; people of whom nothing is known are not in
        it. Of two events at one moment, the one that comes later in `NAMES` counts.

    >>> import ibis
    >>> day = datetime.datetime(2026, 10, 20)
    >>> told = {"person_id": ["a", "a"], "kind": ["ballot"] * 2, "name": ["sent", "returned"]}
    >>> rows = ibis.memtable(told | {"happened_at": [day, day]})
    >>> states(rows, datetime.date(2026, 11, 3)).state.to_pyarrow().to_pylist()
    ['returned']
    """
    import ibis

    end = datetime.datetime.combine(election_day, datetime.time()) + datetime.timedelta(1)
    named = events.kind.cases(("ballot", events.name.lower()), ("vote", "voted"), else_=ibis.null("string"))
    told = events.mutate(state=named)
    of_now = (told.happened_at >= begin(election_day, days)) & (told.happened_at < end)
    told = told.filter(told.state.isin(NAMES) & of_now)
    rank = told.state.cases(*((name, i) for i, name in enumerate(NAMES)), else_=-1)
    last = ibis.row_number().over(
        ibis.window(group_by="person_id", order_by=[ibis.desc("happened_at"), ibis.desc("_rank")])
    )
    newest = told.mutate(_rank=rank).mutate(_last=last).filter(lambda t: t["_last"] == 0)
    return newest.select("person_id", "state", "happened_at")


def voters(events: Any, election_day: datetime.date, days: int = DAYS) -> Any:
    """The people who have voted: nobody is asked for a vote that is cast.

    >>> import ibis
    >>> at = [datetime.datetime(2026, 10, day) for day in (1, 20)]
    >>> told = {"person_id": ["a", "b"], "kind": ["ballot", "vote"], "name": ["returned", None]}
    >>> rows = ibis.memtable(told | {"happened_at": at})
    >>> sorted(voters(rows, datetime.date(2026, 11, 3)).person_id.to_pyarrow().to_pylist())
    ['a', 'b']
    """
    found = states(events, election_day, days)
    return found.filter(found.state.isin(VOTED)).select("person_id")
