"""Voters whom volunteers checked off at the polls ─► units of a count, with scores in place of votes."""

from __future__ import annotations

import datetime

import numpy as np

from hustings.errors import DesignError
from hustings.forecast.scored import latest
from hustings.forecast.units import Units
from hustings.stage import Table
from hustings.stats.returns import Counted, Expected
from hustings.warehouse import arrays, codes


def from_voters(
    events: Table | None,
    people: Table | None,
    scores: Table | None,
    election: str,
    named: tuple[str, str],
    share_of_day: float,
    until: datetime.datetime | None,
) -> Units:
    """Precincts with the voters that were seen: their number, and the sum of their support scores.

    A precinct where nobody was seen has nobody who watches; that those with watchers are not like the others is
    what the live forecast allows for.

    Args:
        events: The table of that name: `vote` events of the election.
        people: The table of that name.
        scores: The table of that name.
        election: The `name` of the votes.
        named: The turnout score and the support score.
        share_of_day: Share of the day's voters that usually have come by now.
        until: Nothing seen later is used.

    Returns:
        The units.

    Raises:
        DesignError: A score is missing, or nobody has a precinct.
    """
    if events is None or people is None or scores is None:
        raise DesignError.of("Voters cannot be followed", allowed="tables events, people and scores")
    seen = events.filter((events.kind == "vote") & (events.name == election))
    if until is not None:
        seen = seen.filter(seen.happened_at <= until)
    moments = arrays(seen.aggregate(last=seen.happened_at.max()))["last"].astype("datetime64[us]").tolist()
    voted = seen.select("person_id").distinct().mutate(_seen=1.0)
    turnout = latest(scores, named[0]).rename(p_turnout="value")
    support = latest(scores, named[1]).rename(p_support="value")
    rows = people.filter(people.place_id.notnull()).select("person_id", "place_id", "region_id")
    rows = rows.inner_join(turnout, "person_id").inner_join(support, "person_id")
    rows = rows.left_join(voted, "person_id", rname="{name}_seen")
    units = rows.group_by("place_id").agg(
        region=rows.region_id.max().fill_null("no region"),
        votes=rows.p_turnout.sum(),
        mine=(rows.p_turnout * rows.p_support).sum(),
        both=rows["_seen"].sum().fill_null(0.0),
        first=(rows["_seen"] * rows.p_support).sum().fill_null(0.0),
    )
    found = arrays(units.filter(units.votes > 0).order_by("place_id"))
    if not len(found["votes"]):
        raise DesignError.of(
            f"Nobody with a precinct has the scores {named[0]} and {named[1]}", then="hustings run scores"
        )
    region = codes(found["region"])
    votes, mine, both, first = (
        np.asarray(found[name], np.float64) for name in ("votes", "mine", "both", "first")
    )
    n = len(votes)
    return Units(
        Expected(
            np.clip(mine / votes, 0.002, 0.998), votes, region.codes, np.zeros(n, np.int64), np.empty((n, 0))
        ),
        Counted(first, both, np.where(both > 0, share_of_day, 0.0)),
        region.labels,
        moments[0] if moments else None,
    )
