"""The forecast's vote values ─► what one more net vote is worth where each person, or each slot, is."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from hustings.errors import DesignError
from hustings.stage import Table
from hustings.warehouse import arrays

Floats = npt.NDArray[np.float64]


class Worth(NamedTuple):
    """What a net vote is worth, in the campaign's aim; all (n,).

    Attributes:
        value: 1 where votes themselves are counted.
        std_error: Its error; places that share a forecast err together, by the same share of their value.
    """

    value: Floats
    std_error: Floats


def worth_of(place_id: npt.NDArray[Any], vote_values: Table, places: Table, *, aim: str, race: str) -> Worth:
    """What one more net vote is worth in each place, looked up in the place itself or the nearest that holds it.

    Args:
        place_id: (n,) places as the people or the slots have them; None where it is not known.
        vote_values: The table of that name.
        places: The tree of places.
        aim: As in `[campaign] aim`.
        race: As in `[campaign] decisive_race`.

    Returns:
        One value for each; in a race with one place it counts for everyone, and a place that the race does not
        hold is worth 0.

    Raises:
        DesignError: The aim is `win`, and the race has no vote values.
    """
    n = len(place_id)
    if aim != "win":
        return Worth(np.ones(n), np.zeros(n))
    told = arrays(vote_values.filter(vote_values.race == race), "place_id", "value", "std_error")
    values = np.nan_to_num(np.asarray(told["value"], np.float64))
    errors = np.nan_to_num(np.asarray(told["std_error"], np.float64))
    if not values.size:
        raise DesignError.of(
            "The aim is the probability of winning, and no vote has a value yet",
            received=f"decisive_race = {race!r}",
            then=f"add a section [races.{race}], or set aim = 'net_votes'",
        )
    if values.size == 1:
        return Worth(np.full(n, values[0]), np.full(n, errors[0]))
    known = dict(zip(told["place_id"].tolist(), range(values.size), strict=True))
    tree = arrays(places.select("place_id", "parent_id").distinct(), "place_id", "parent_id")
    parent = dict(zip(tree["place_id"].tolist(), tree["parent_id"].tolist(), strict=True))
    names, code = np.unique(
        np.array([p or "" for p in place_id], dtype=object).astype(str), return_inverse=True
    )
    row = np.array([_holder(name, known, parent) for name in names.tolist()], np.int64)[code]
    inside = row >= 0
    return Worth(np.where(inside, values[row], 0.0), np.where(inside, errors[row], 0.0))


def _holder(place: str, known: dict[str, int], parent: dict[str, Any]) -> int:
    """The row of the place, or of the nearest one that holds it; -1 when none does."""
    seen: set[str] = set()
    at: Any = place
    while at and at not in seen:
        if at in known:
            return known[at]
        seen.add(at)
        at = parent.get(at)
    return -1
