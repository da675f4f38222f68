"""People and scores ─► cells of people who are alike: what one of them is worth to reach, and whether a target."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from hustings.errors import DesignError
from hustings.plans.worth import worth_of
from hustings.stage import Table
from hustings.warehouse import arrays, codes

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
_BAND = re.compile(r"(\d+)\s*(?:-|to|–)\s*(\d+)|(\d+)\s*\+|(?:under|<)\s*(\d+)")


class Cells(NamedTuple):
    """People who are alike in what tells cells apart; (c,) each, means over the cell's people.

    Attributes:
        size: How many.
        age: Years, NaN unknown.
        facts: Of sex, party and region the cells' words.
        turnout: What a unit of turnout moved is worth.
        support: What a unit of support moved is worth.
        turnout_votes: The first in votes.
        support_votes: The second in votes.
        turnout_target: Share who are turnout targets.
        persuasion_target: Share who are persuasion targets; NaN without a support score.
        either: Share who are either.
        worth_error: Relative error of what a vote is worth, on average.
    """

    size: Floats
    age: Floats
    facts: Mapping[str, npt.NDArray[Any]]
    turnout: Floats
    support: Floats
    turnout_votes: Floats
    support_votes: Floats
    turnout_target: Floats
    persuasion_target: Floats
    either: Floats
    worth_error: float

    def groups(self, feature: str, values: list[str]) -> Integers:
        """(c,) which of the groups named each cell belongs to; -1 none.

        Raises:
            DesignError: A group's name cannot be read as an age.
        """
        if feature != "age":
            place = {value: k for k, value in enumerate(values)}
            return np.array([place.get(word, -1) for word in self.facts[feature].tolist()], np.int64)
        found = np.full(self.age.size, -1)
        for k, value in enumerate(values):
            match = _BAND.search(value.lower())
            if not match:
                raise DesignError.of("An age group cannot be read", received=value, allowed="18-29, 65+")
            low, high, older, younger = match.groups()
            first = float(low or older or 0)
            last = float(high) if high else np.inf if older else float(younger) - 1
            found[(self.age >= first) & (self.age <= last)] = k
        return found


def read_cells(
    people: Table,
    scores: Table,
    vote_values: Table,
    places: Table,
    turnout_target: list[float],
    persuasion_target: list[float],
    features: set[str],
    *,
    aim: str,
    race: str,
    as_of: datetime.date,
) -> Cells:
    """Everyone, by what is told of venues' audiences: age, sex, party, region.

    Args:
        people: The table of that name.
        scores: The table of that name: `turnout`, `support`.
        vote_values: The table of that name.
        places: The table of that name.
        turnout_target: Chances of voting between which someone is a turnout target.
        persuasion_target: Chances of support between which someone is a persuasion target.
        features: Of `age`, `sex`, `party` and `region` those that tell cells apart.
        aim: As in `[campaign] aim`.
        race: As in `[campaign] decisive_race`.
        as_of: The day of ages and scores.

    Returns:
        The cells.

    Raises:
        DesignError: There are no people, or the aim needs a support score and there is none.
    """
    found = _read(people, scores, as_of)
    n = len(found["sex"])
    if not n:
        raise DesignError.of("There are no people to be an audience", then="hustings show people")
    t, s = (np.asarray(found[name], np.float64) for name in ("turnout", "support"))
    if aim != "added_ballots" and not np.isfinite(s).any():
        raise DesignError.of(
            f"The aim is {aim!r}, and nobody has a support score",
            then="add [scores.support], or set aim = 'added_ballots'",
        )
    born = found["born_on"].astype("datetime64[D]")
    years = np.floor((np.datetime64(as_of, "D") - born).astype("timedelta64[D]").astype(np.float64) / 365.25)
    years = np.where(np.isnat(born), -1, years).astype(np.int64)
    words = {name: codes(found[column]) for name, column in _COLUMNS.items() if name in features}
    key = years + 1 if "age" in features else np.zeros(n, np.int64)
    for code in words.values():
        key = key * (len(code.labels) + 1) + code.codes + 1
    _, first, cell = np.unique(key, return_index=True, return_inverse=True)
    cell = cell.reshape(-1)
    size = np.bincount(cell).astype(np.float64)
    worth = worth_of(found["place_id"], vote_values, places, aim=aim, race=race)
    ballots = aim == "added_ballots"
    ours = np.ones(n) if ballots else 2 * np.nan_to_num(s, nan=0.5) - 1
    votes = np.zeros(n) if ballots else 2 * np.nan_to_num(t, nan=0.5)
    stirred = _between(t, turnout_target) & (ballots | (np.nan_to_num(s, nan=0.5) > 0.5))
    swayed = _between(s, persuasion_target)

    def mean(values: npt.NDArray[Any]) -> Floats:
        return np.asarray(np.bincount(cell, values, size.size) / size, np.float64)

    total = float(worth.value.sum())
    return Cells(
        size,
        np.where(years[first] < 0, np.nan, years[first]),
        {name: found[column][first] for name, column in _COLUMNS.items()},
        mean(ours * worth.value),
        mean(votes * worth.value),
        mean(ours),
        mean(votes),
        mean(stirred),
        mean(swayed) if np.isfinite(s).any() else np.full(size.size, np.nan),
        mean(stirred | swayed),
        float(worth.std_error.sum()) / total if total else 0.0,
    )


def _read(people: Table, scores: Table, as_of: datetime.date) -> dict[str, npt.NDArray[Any]]:
    rows: Any = people
    for name in ("turnout", "support"):
        told = scores.filter((scores.score == name) & (scores.as_of == as_of))
        own = told.select("person_id", **{name: told.value})
        rows = rows.left_join(own, "person_id", rname="{name}_of_" + name)
    names = ("born_on", "sex", "party", "region_id", "place_id", "turnout", "support")
    return arrays(rows.order_by("person_id"), *names)


_COLUMNS = {"sex": "sex", "party": "party", "region": "region_id"}


def _between(score: Floats, ends: list[float]) -> npt.NDArray[np.bool_]:
    low, high = ends
    with np.errstate(invalid="ignore"):
        return np.asarray((score >= low) & (score <= high), bool)
