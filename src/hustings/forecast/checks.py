"""Earlier elections, forecast on their eve as this one is: what was said, and what happened."""

from __future__ import annotations

import datetime
from typing import Annotated, Any

import numpy as np

from hustings.errors import HustingsError
from hustings.forecast.beliefs import past_of
from hustings.forecast.model import Rows, morning, prepare
from hustings.forecast.shares import shares_of
from hustings.forecast.thumb import mean_of_polls
from hustings.stage import About, Result, Table, stage
from hustings.tables import spec

_LEAST = 100
"""Polls below which an earlier election is not one that this one can be compared with."""


@stage(writes="forecast_checks", section="races", each="race")
def check_forecasts(
    places: Table,
    place_features: Table,
    results: Table,
    fundamentals: Table,
    polls: Table,
    *,
    race: str,
    election_day: Annotated[datetime.date, About("The day that decides.")],
    choice: Annotated[str, About("Whose odds: a choice of the polls.")],
    rivals: Annotated[list[str], About("Against whom.")],
    rng: np.random.Generator,
) -> Result:
    """One row for each place of each earlier election with polls; strictly from what was known on its eve."""
    given = {"places": places, "place_features": place_features, "results": results}
    given |= {"fundamentals": fundamentals, "polls": polls}
    tables: dict[str, Rows] = {name: table.to_pyarrow().to_pylist() for name, table in given.items()}
    columns: dict[str, list[Any]] = {name: [] for name in spec("forecast_checks").names}
    if len(rivals) > 1:
        return columns
    for eve in _eves(tables["polls"], election_day.year):
        for row in _checked(tables, eve, choice, rivals, rng):
            for name, value in ({"race": race, "year": eve.year} | row).items():
                columns[name].append(value)
    return columns


def _eves(polls: Rows, year: int) -> list[datetime.date]:
    """The last day of field work of earlier elections that were polled as a campaign polls: over weeks."""
    ends: dict[int, set[tuple[Any, ...]]] = {}
    for row in polls:
        if row["year"] < year and row["starts_on"] is not None:
            ends.setdefault(row["year"], set()).add(
                (row["ends_on"], row["source"], row["poll_id"], row["place_id"])
            )
    return [max(found)[0] for _, found in sorted(ends.items()) if len(found) >= _LEAST]


def _checked(
    tables: dict[str, Rows], eve: datetime.date, choice: str, rivals: list[str], rng: np.random.Generator
) -> list[dict[str, Any]]:
    day = eve + datetime.timedelta(days=1)
    # Features arrived when they did; results and polls of files that were loaded since are cut by their own dates.
    features = [row for row in tables["place_features"] if row["arrived_at"].date() < day]
    known = tables | {"place_features": features}
    try:
        model = prepare(known, choice=choice, rivals=rivals, election_day=day)
    except HustingsError:
        return []
    truth = past_of(model.tree, tables["results"], day.year + 1, (choice, rivals[0]))
    if day.year not in truth.years:
        return []
    actual = truth.shares[truth.years.index(day.year)]
    then = morning(model, day)
    shares = shares_of(model.tree, model.votes, then.mean, then.covariance, threshold=None, rng=rng)
    average = mean_of_polls(model, then, day)
    return [
        {
            "place_id": place,
            "p_win": float(shares.p_win[i]),
            "share": float(shares.quantiles[2, i]),
            "low": float(shares.quantiles[0, i]),
            "high": float(shares.quantiles[4, i]),
            "polls_share": float(average.share[i]),
            "actual_share": float(actual[i]),
            "won": bool(actual[i] > 0.5),
            "n_polls": sum(not poll.reason for poll in then.polls),
        }
        for i, place in enumerate(model.tree.leaves)
    ]
