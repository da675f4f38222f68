"""Rows of `survey_polls` ─► rows in the form of `polls`, which a forecast reads beside those of others."""

from __future__ import annotations

import datetime
from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Any

from hustings.errors import DesignError


def own_polls(
    rows: Iterable[Mapping[str, Any]],
    surveys: Sequence[str],
    places: Container[str],
    year: int,
    choices: Sequence[str],
) -> list[dict[str, Any]]:
    """Two answers for each place of each own survey that has a number.

    The whole is the sum of its places, so of one survey either its places are given, where the forecast knows any of
    them, or the whole. What was asked counts as many answers as a simple random sample with the same error has.

    Args:
        rows: Rows of `survey_polls`.
        surveys: Names of the surveys that are of this race.
        places: The places that the forecast knows.
        year: Of the election.
        choices: Ours and the one rival.

    Returns:
        Rows with the columns of `polls` that a forecast reads.

    Raises:
        DesignError: A survey that is not there, or a race of more than two.

    >>> row = {"poll_id": "own may", "place_id": "OH", "level": "place", "share": 0.52, "n_effective": 400}
    >>> row |= dict.fromkeys(("pollster", "mode", "population")) | dict.fromkeys(
    ...     ("starts_on", "ends_on"), datetime.date(2026, 5, 4)
    ... )
    >>> [(p["choice"], p["percent"], p["n_asked"]) for p in own_polls([row], ["may"], {"OH"}, 2026, ["Poe", "Low"])]
    [('Poe', 52.0, 400), ('Low', 48.0, 400)]
    """
    if len(choices) != 2:
        raise DesignError.of("An own survey tells two choices apart", received=choices, allowed="one rival")
    told = list(rows)
    made = sorted({row["poll_id"].removeprefix("own ") for row in told})
    for name in surveys:
        if name not in made:
            raise DesignError.unknown("No such survey", name, made, f"a section [surveys.{name}]")
    of_race = [row for row in told if row["poll_id"].removeprefix("own ") in surveys]
    known = [row for row in of_race if row["n_effective"] and row["place_id"] in places]
    apart = {row["poll_id"] for row in known if row["level"] == "place"}
    kept = ("poll_id", "place_id", "pollster", "mode", "population", "starts_on", "ends_on")
    return [
        {
            **{name: row[name] for name in kept},
            "source": "survey_polls",
            "arrived_at": datetime.datetime.combine(row["ends_on"], datetime.time())
            + datetime.timedelta(days=1),
            "year": year,
            "n_asked": row["n_effective"],
            "choice": name,
            "percent": 100 * share,
        }
        for row in known
        if row["level"] == "place" or row["poll_id"] not in apart
        for name, share in zip(choices, (row["share"], 1 - row["share"]), strict=True)
    ]
