"""How many people a place has: as a table says, or as the votes of the places inside it add up."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from hustings.errors import DesignError
from hustings.warehouse.arrays import arrays


def residents(
    places: Any, place_people: Any, wanted: list[str], where: str
) -> tuple[npt.NDArray[np.float64], list[str]]:
    """People of these places, and the place of the tree that each lies in.

    Args:
        places: The table of that name; its `votes` count where `place_people` says nothing.
        place_people: The table of that name.
        wanted: Places.
        where: The section that names them, for messages.

    Returns:
        (p,) people; (p,) places of the tree.

    Raises:
        DesignError: A place that neither table knows, or without people.

    >>> import ibis
    >>> tree = ibis.memtable({"source": ["s"], "place_id": ["A"], "parent_id": ["S"], "votes": [9.0]})
    >>> own = ibis.memtable({"source": ["s"], "place_id": ["M"], "n_people": [5.0], "part_of": ["A"]})
    >>> residents(tree, own, ["M", "S"], "[x]")
    (array([5., 9.]), ['A', 'S'])
    """
    rows = arrays(places.order_by("source"), "place_id", "parent_id", "votes")
    parent = dict(zip(rows["place_id"].tolist(), rows["parent_id"].tolist(), strict=True))
    votes: dict[str, float] = {}
    for place, own in zip(
        rows["place_id"].tolist(), np.asarray(rows["votes"], np.float64).tolist(), strict=True
    ):
        votes[place] = own if own == own else 0.0  # noqa: PLR0124
    totals = dict(votes)
    for place, own in votes.items():
        at, seen = parent.get(place), {place}
        while at is not None and at not in seen:
            # A place with votes of its own counts them, not its parts'.
            if not votes.get(at):
                totals[at] = totals.get(at, 0.0) + own
            seen.add(at)
            at = parent.get(at)
    told = arrays(place_people.order_by("source"), "place_id", "n_people", "part_of")
    within = {place: place for place in totals}
    for place, own, inside in zip(*(column.tolist() for column in told.values()), strict=True):
        totals[place], within[place] = float(own), inside or place
    for place in wanted:
        if place not in totals:
            raise DesignError.unknown(
                f"{where}: no table of places knows", place, totals, "add a block place_people, or places"
            )
        if not totals[place] > 0:
            raise DesignError.of(
                f"{where}: the number of people is missing",
                received=place,
                allowed="more than 0",
                then="add a block place_people, or votes to that of places",
            )
    return np.array([totals[place] for place in wanted], np.float64), [within[place] for place in wanted]
