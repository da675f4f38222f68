"""The race as a whole: its odds by the forecast, without polls, and by the rule of thumb."""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np

from hustings import stats
from hustings.forecast.history import inside
from hustings.forecast.model import Model, Morning, jointly
from hustings.forecast.shares import shares_of
from hustings.forecast.thumb import mean_of_polls
from hustings.forecast.tree import Contests
from hustings.stats.races import IN_DISTRICTS, FloatArray, Outcomes
from hustings.tables import spec

Columns = dict[str, list[Any]]
_NO_ERROR = "a mean of polls has no error for the race as a whole"
_NO_POLLS = "no polls: the odds are those without them"


def odds_of(
    model: Model,
    contests: Contests,
    now: Morning,
    found: Outcomes,
    *,
    race: str,
    rule: str,
    as_of: datetime.date,
    seed: int,
) -> Columns:
    """Rows of `odds`.

    Args:
        model: The model.
        contests: The race.
        now: The forecast.
        found: Its draws.
        race: The race's name.
        rule: The winner's rule.
        as_of: The morning.
        seed: Of the draws without polls.

    Returns:
        Columns.
    """
    draws = found.won.size
    prior = np.stack([b.prior.mean for b in model.beliefs], axis=1)
    spread = jointly([b.prior.covariance for b in model.beliefs])
    without = stats.races.simulate(
        contests.race, *inside(contests, prior, spread), rng=np.random.default_rng(seed), draws=draws
    )
    n_polls = sum(not poll.reason for poll in now.polls)
    rows = [
        _drawn("forecast", model, contests, found, now.mean, now.covariance)
        | {"n_polls": n_polls, "reason": None if n_polls else _NO_POLLS},
        _drawn("without polls", model, contests, without, prior, spread) | {"n_polls": 0},
        _averaged(model, contests, now, as_of) | {"n_polls": n_polls},
    ]
    common = {
        "race": race,
        "rule": rule,
        "choice": model.choice,
        "rivals": ", ".join(model.rivals),
        "place_id": model.tree.ids[contests.places[contests.whole]],
        "needed": contests.race.needed if rule in IN_DISTRICTS else None,
        "threshold": contests.race.threshold or contests.race.hurdle or None,
        "divisors": contests.race.divisors,
        "as_of": as_of,
    }
    return {name: [(common | row).get(name) for row in rows] for name in spec("odds").names}


def _drawn(
    estimator: str,
    model: Model,
    contests: Contests,
    found: Outcomes,
    mean: FloatArray,
    covariance: FloatArray,
) -> dict[str, Any]:
    chance = stats.races.win_probability(found.won)
    place = contests.places[contests.whole]
    shares = shares_of(
        model.tree, model.votes, mean, covariance, threshold=None, rng=np.random.default_rng(0)
    )
    seated = contests.race.seats.size > 1
    total = float(contests.race.seats.sum())
    # The other side has not enough either.
    tie = (found.seats < contests.race.needed) & (total - found.seats < contests.race.needed)
    low, high = (float(x) for x in np.quantile(found.seats, (0.025, 0.975)))
    return {
        "estimator": estimator,
        "p_win": chance.value,
        "p_win_error": chance.error,
        "p_tie": float(tie.mean()) if seated else None,
        "p_most_votes": float(shares.p_win[place]),
        "share": float(shares.quantiles[2, place]),
        "low": float(shares.quantiles[0, place]),
        "high": float(shares.quantiles[4, place]),
        "seats": float(found.seats.mean()) if seated else None,
        "seats_low": low if seated else None,
        "seats_high": high if seated else None,
        "n_draws": found.won.size,
    }


def _averaged(model: Model, contests: Contests, now: Morning, as_of: datetime.date) -> dict[str, Any]:
    average = mean_of_polls(model, now, as_of)
    known = average.share[contests.leaves]
    found: dict[str, Any] = {"estimator": "mean of polls", "reason": _NO_ERROR, "n_draws": 0}
    if not np.isfinite(known).all() or len(model.rivals) > 1:
        return found | {"reason": "there are places without polls, and no polls of the whole"}
    lead = np.log(known / (1 - known))
    leads = stats.races.contest_leads(contests.race, lead[None, :, None]).astype(np.float32)
    whole = float(known @ contests.race.votes / contests.race.votes.sum())
    seated = contests.race.seats.size > 1
    return found | {
        "share": whole,
        "seats": float(stats.races.outcomes(contests.race, leads).seats[0]) if seated else None,
    }
