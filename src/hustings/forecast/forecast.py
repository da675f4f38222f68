"""Polls, results, fundamentals ─► the distribution of the result in every place, and the odds of the race."""

from __future__ import annotations

import datetime
from typing import Annotated, Any

import numpy as np

from hustings import stats
from hustings.forecast import history
from hustings.forecast.model import Model, Morning, morning, prepare
from hustings.forecast.shares import Shares, shares_of
from hustings.forecast.thumb import mean_of_polls
from hustings.forecast.tree import Contests, contests_of
from hustings.stage import About, Result, Table, stage
from hustings.stats.races import Outcomes, Rule

Columns = dict[str, list[Any]]
_TABLES = (
    "forecast", "forecast_leads", "forecast_covariances", "odds", "seat_counts", "paths", "forecast_days",
    "poll_uses", "forecast_moves",
)  # fmt: skip


@stage(writes=_TABLES, section="races", each="race")
def forecast_race(
    places: Table,
    place_features: Table,
    results: Table,
    fundamentals: Table,
    polls: Table,
    *,
    race: str,
    as_of: Annotated[datetime.date, About("Polls count that ended before this day.")],
    election_day: Annotated[datetime.date, About("The day that decides.")],
    rule: Annotated[Rule, About("How the winner is found; a guide explains each.")],
    choice: Annotated[str, About("Whose odds: a choice of the polls.")],
    rivals: Annotated[list[str], About("Against whom.")],
    rng: np.random.Generator,
    place: Annotated[str | None, About("The place whose race it is; the whole unless given.")] = None,
    needed: Annotated[float | None, About("Seats that win; more than half unless given.", gt=0)] = None,
    threshold: Annotated[float | None, About("Share of the vote that wins; one half unless given.", gt=0, le=1)] = None,
    tails: Annotated[
        float | None, About("Degrees of freedom of polls' own errors: few trust polls far off less.", gt=2)
    ] = None,
    draws: Annotated[int, About("Simulated elections.", ge=1000, le=1_000_000)] = 66_000,
    history_days: Annotated[int, About("How far back the odds of earlier mornings are told.", ge=0)] = 120,
) -> Result:
    """The forecast of one race as of one morning, its past, and what has moved it."""
    given = {"places": places, "place_features": place_features, "results": results}
    given |= {"fundamentals": fundamentals, "polls": polls}
    tables = {name: table.to_pyarrow().to_pylist() for name, table in given.items()}
    model = prepare(tables, choice=choice, rivals=rivals, election_day=election_day, tails=tails)
    contests = contests_of(model.tree, model.votes, rule, place=place, needed=needed, threshold=threshold)
    now, seed = morning(model, as_of), int(rng.integers(1 << 62))
    found = history.race_draws(contests, now, np.random.default_rng(seed), draws)
    shares = _shares(model, now, threshold, rng)
    days = history.mornings(now.polls, as_of, history_days)
    return {
        "forecast": _places(model, contests, now, found, shares, race, as_of, tables["results"]),
        "forecast_leads": _leads(model, now, race),
        "forecast_covariances": _covariances(model, now, race),
        "odds": _odds(model, contests, now, found, shares, race, as_of, rule, threshold, seed),
        "seat_counts": _seat_counts(found, race),
        "paths": _paths(model, contests, found, race),
        "forecast_days": history.told(model, contests, race, days, threshold=threshold, seed=seed),
        "poll_uses": _poll_uses(model, now, race),
        "forecast_moves": history.moves(model, contests, race, as_of, now, seed=seed, draws=draws),
    }
