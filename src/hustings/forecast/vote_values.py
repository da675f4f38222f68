"""The forecast ─► what one more net vote is worth in each place: the currency of all plans."""

from __future__ import annotations

from typing import Annotated

import numpy as np

from hustings import stats
from hustings.errors import SettingError
from hustings.forecast.history import inside
from hustings.forecast.restored import restore
from hustings.stage import About, Result, Table, stage
from hustings.stats.vote_values import Objective

_ENOUGH = 0.25


@stage(writes="vote_values", section="races", each="race")
def value_votes(
    forecast: Table,
    forecast_leads: Table,
    forecast_covariances: Table,
    odds: Table,
    *,
    race: str,
    rng: np.random.Generator,
    objective: Annotated[
        Objective,
        About("What a vote is to bring: `win`, the probability of winning, or `seats`, expected seats."),
    ] = "win",
    draws: Annotated[int, About("Simulated elections.", ge=1000, le=1_000_000)] = 66_000,
) -> Result:
    """One row for each place where votes of this race are cast."""
    known = restore(race, forecast, forecast_leads, forecast_covariances, odds)
    if objective == "seats" and known.contests.race.seats.size == 1:
        raise SettingError.of(
            f"[races.{race}] objective = 'seats' needs a race for seats",
            received=known.odds["rule"],
            allowed="rule = 'electors', 'seats' or 'proportional'",
        )
    own, contests = known.contests.race, known.contests
    found = stats.vote_values.vote_values(
        own,
        known.draws(rng, draws),
        *inside(contests, known.mean, known.covariance),
        objective=objective,
    )
    places = [known.tree.ids[leaf] for leaf in contests.leaves]
    n = len(places)
    alone = {known.tree.ids[place]: i for i, place in enumerate(contests.places) if i != contests.whole}
    alone |= {places[0]: contests.whole} if n == 1 else {}
    alone = {place: i for place, i in alone.items() if np.isfinite(found.p_decides[i])}
    middle = float(found.value @ own.votes / own.votes.sum())
    scale = 1e4 * (100 if objective == "win" else 1)
    # Where hardly any draw is near a tie that decides, the value is known to be small and not how small.
    told = [error <= _ENOUGH * value for value, error in zip(found.value, found.error, strict=True)]
    return {
        "race": [race] * n,
        "place_id": places,
        "name": [known.places[place]["name"] for place in places],
        "objective": [objective] * n,
        "value": list(found.value),
        "std_error": list(found.error),
        "per_10000": list(found.value * scale),
        "relative": list(found.value / middle) if middle > 0 else [None] * n,
        "p_decides": [float(found.p_decides[alone[place]]) if place in alone else None for place in places],
        "votes": list(own.votes),
        "as_of": [known.odds["as_of"]] * n,
        "reason": [
            None if sure else "too small to tell: its error is more than a quarter of it" for sure in told
        ],
    }
