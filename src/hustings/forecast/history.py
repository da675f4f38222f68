"""The forecast of earlier mornings, and what has moved it since yesterday."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.special import expit

from hustings import stats
from hustings.forecast.model import Model, Morning, morning
from hustings.forecast.readings import Poll, as_arrays
from hustings.forecast.shares import shares_of
from hustings.forecast.tree import Contests
from hustings.stats.polls import whole_slope
from hustings.stats.races import FloatArray

Columns = dict[str, list[Any]]
_DRAWS = 20_000
_DAILY = 7


def mornings(polls: Sequence[Poll], as_of: datetime.date, days: int) -> list[datetime.date]:
    """The mornings of which the forecast is told: the last days one by one, weeks before.

    Args:
        polls: Of this election.
        as_of: The last morning.
        days: How far back.

    Returns:
        Days, the earliest first; none before the first poll.

    >>> mornings([], datetime.date(2016, 11, 7), 30)
    [datetime.date(2016, 11, 7)]
    """
    usable = [poll.ends_on for poll in polls if not poll.reason and poll.ends_on < as_of]
    if not usable:
        return [as_of]
    reach = min(days, (as_of - min(usable)).days - 1)
    back = [*range(min(_DAILY, reach) + 1), *range(_DAILY + 7, reach + 1, 7)]
    return [as_of - datetime.timedelta(days=d) for d in reversed(back)]


def told(
    model: Model,
    contests: Contests,
    race: str,
    days: Sequence[datetime.date],
    *,
    threshold: float | None,
    seed: int,
) -> Columns:
    """Rows of `forecast_days`: every place on every morning, all from the same draws.

    Args:
        model: The model.
        contests: The race.
        race: Its name.
        days: Mornings.
        threshold: Share that wins, or None.
        seed: Of the draws: the same on every morning, so that a change is none of chance.

    Returns:
        Columns.
    """
    names = ("race", "place_id", "told_on", "p_win", "p_race", "p_race_error", "share", "low", "high")
    found: Columns = {name: [] for name in names}
    n = len(model.tree.ids)
    for day in days:
        then = morning(model, day)
        rng = np.random.default_rng(seed)
        chance = stats.races.win_probability(race_draws(contests, then, rng, _DRAWS).won)
        shares = shares_of(model.tree, model.votes, then.mean, then.covariance, threshold=threshold, rng=rng)
        is_race = [i == contests.places[contests.whole] for i in range(n)]
        columns = (
            [race] * n, model.tree.ids, [day] * n, shares.p_win,
            [chance.value if own else None for own in is_race], [chance.error if own else None for own in is_race],
            *shares.quantiles[[2, 0, 4]],
        )  # fmt: skip
        for name, values in zip(names, columns, strict=True):
            found[name] += list(values)
    return found


def race_draws(
    contests: Contests, then: Morning, rng: np.random.Generator, draws: int
) -> stats.races.Outcomes:
    """Joint draws of a race on one morning.

    Args:
        contests: The race.
        then: The forecast.
        rng: The source of randomness.
        draws: How many.

    Returns:
        The draws.
    """
    return stats.races.simulate(
        contests.race, *inside(contests, then.mean, then.covariance), rng=rng, draws=draws
    )


def inside(contests: Contests, mean: FloatArray, covariance: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The leads of the leaves that vote in a race, and their covariance."""
    rivals = mean.shape[1]
    at = (contests.leaves[:, None] * rivals + np.arange(rivals)).ravel()
    return mean[contests.leaves], covariance[np.ix_(at, at)]


def moves(
    model: Model,
    contests: Contests,
    race: str,
    as_of: datetime.date,
    today: Morning,
    *,
    seed: int,
    draws: int,
) -> Columns:
    """Rows of `forecast_moves`: each poll that came or went since the day before, the rest, and the total.

    A poll's part of the share is exact: the posterior mean is linear in the polls. Its part of the probability is
    that times the slope of the probability; the rest (what is sure by now, and curvature) stands beside it.

    Args:
        model: The model.
        contests: The race.
        race: Its name.
        as_of: The morning.
        today: Its forecast.
        seed: Of the draws of both days.
        draws: How many.

    Returns:
        Columns.
    """
    since = as_of - datetime.timedelta(days=1)
    before = morning(model, since)
    found = [race_draws(contests, then, np.random.default_rng(seed), draws) for then in (before, today)]
    total = float(found[1].won.mean() - found[0].won.mean())
    changed = float((found[1].won != found[0].won).mean())
    error = float(np.sqrt((max(changed, 1 / draws) - total**2) / draws))
    weights = contests.race.votes / contests.race.votes.sum()
    rows: list[tuple[Any, ...]] = []
    if len(model.rivals) == 1 and model.tails is None:
        lead = today.mean[contests.leaves, 0]
        slope = _slope(contests, found[1], today)
        steepness = whole_slope(lead, contests.race.votes)[0] * _bend(lead, weights)
        for poll, change, says, expected in _parts(model, before, today):
            own = change[contests.leaves]
            cause = f"{poll.pollster or 'unnamed pollster'}, {poll.ends_on:%-d %B}"
            rows.append(
                (cause, poll.place_id, says, expected, float(own @ steepness), float(own @ slope), None)
            )
        rows.sort(key=lambda row: -abs(row[5]))
    ends = [float(weights @ _own_share(then.mean[contests.leaves])) for then in (before, today)]
    whole = ends[1] - ends[0]
    rest = (whole - sum(r[4] for r in rows), total - sum(r[5] for r in rows))
    rows += [("rest", None, None, None, *rest, None), ("total", None, None, None, whole, total, error)]
    names = ("cause", "place_id", "share", "expected", "share_change", "p_win_change", "p_win_change_error")
    columns = dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))
    n = len(rows)
    return {
        "race": [race] * n,
        "rank": list(range(1, n + 1)),
        **columns,
        "since_on": [since] * n,
        "as_of": [as_of] * n,
    }


def _own_share(mean: FloatArray) -> FloatArray:
    return np.asarray(1 / (1 + np.exp(-mean).sum(axis=1)))


def _bend(lead: FloatArray, weights: FloatArray) -> float:
    share = float(weights @ expit(lead))
    return share * (1 - share)


def _slope(contests: Contests, found: stats.races.Outcomes, today: Morning) -> FloatArray:
    """(p,) change of the probability of winning with the lead of each leaf."""
    mean, covariance = inside(contests, today.mean, today.covariance)
    values = stats.vote_values.vote_values(contests.race, found, mean, covariance)
    share = expit(mean[:, 0])
    return np.asarray(values.value * 2 * contests.race.votes * share * (1 - share))


def _parts(model: Model, before: Morning, today: Morning) -> list[tuple[Poll, FloatArray, float, float]]:
    """What each poll that came, or went for a later wave, moves the leads by; what it says, and was foretold."""
    old, new = ({i for i, p in enumerate(then.polls) if not p.reason} for then in (before, today))
    parts = []
    for sign, used, changed in ((1.0, new, new - old), (-1.0, old, old - new)):
        if not changed:
            continue
        order, believed = sorted(used), model.beliefs[0]
        given, read = as_arrays(
            [model.polls[i] for i in order], model.tree, model.votes, believed.prior.mean,
            (model.choice, model.rivals[0]), model.election_day,
        )  # fmt: skip
        numbers = np.array(order, dtype=np.int64)[read]
        marked = np.isin(numbers, list(changed))
        found = stats.news.news(
            given, marked, believed.prior,
            correlation=believed.correlation, scales=believed.learned.scales, votes=model.votes,
        )  # fmt: skip
        for i in sorted(changed):
            mine = numbers[marked] == i
            says, expected = (float(expit(x[mine].mean())) for x in (found.value, found.foretold))
            parts.append((model.polls[i], sign * found.change[mine].sum(axis=0), says, expected))
    return parts
