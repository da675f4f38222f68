"""Polls, results, fundamentals ─► the distribution of the result in every place, and the odds of the race."""

from __future__ import annotations

import datetime
from typing import Annotated, Any

import numpy as np

from hustings import stats
from hustings.forecast import history
from hustings.forecast.model import Model, Morning, jointly, morning, prepare
from hustings.forecast.odds import odds_of
from hustings.forecast.own_polls import own_polls
from hustings.forecast.shares import Shares, shares_of
from hustings.forecast.thumb import mean_of_polls
from hustings.forecast.tree import Contests, contests_of
from hustings.stage import About, Result, Table, stage
from hustings.stats.proportional import Divisors
from hustings.stats.races import Outcomes, Rule
from hustings.stats.scenarios import Paths

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
    survey_polls: Table | None,
    *,
    race: str,
    as_of: Annotated[datetime.date, About("Polls count that ended before this day.")],
    election_day: Annotated[datetime.date, About("The day that decides.")],
    rule: Annotated[Rule, About("How the winner is found; a guide explains each.")],
    choice: Annotated[str, About("Whose odds: a choice of the polls.")],
    rivals: Annotated[list[str], About("Against whom.")],
    rng: np.random.Generator,
    surveys: Annotated[
        list[str], About("Own surveys (`[surveys.NAME]`) of this race, read as polls beside the others.")
    ] = [],  # noqa: B006
    within: Annotated[str | None, About("The place whose race it is; the whole unless given.")] = None,
    needed: Annotated[float | None, About("Seats that win; more than half unless given.", gt=0)] = None,
    threshold: Annotated[
        float | None,
        About(
            "Share of the vote that wins, one half unless given; of a proportional race, from which there are seats.",
            gt=0,
            le=1,
        ),
    ] = None,
    divisors: Annotated[
        Divisors, About("Of a proportional race: how each place's seats are divided.")
    ] = "d_hondt",
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
    if surveys:
        own = [] if survey_polls is None else survey_polls.to_pyarrow().to_pylist()
        ids = {row["place_id"] for row in tables["places"]}
        tables["polls"] += own_polls(own, surveys, ids, election_day.year, [choice, *rivals])
    model = prepare(tables, choice=choice, rivals=rivals, election_day=election_day, as_of=as_of, tails=tails)
    contests = contests_of(
        model.tree, model.votes, rule, place=within, needed=needed, threshold=threshold, divisors=divisors
    )
    if rule == "proportional":
        threshold = None  # a place is led by the first, whatever the share from which there are seats
    now, seed = morning(model, as_of), int(rng.integers(1 << 62))
    found = history.race_draws(contests, now, np.random.default_rng(seed), draws)
    shares = _shares(model, now, threshold, rng)
    days = history.mornings(now.polls, as_of, history_days)
    return {
        "forecast": _places(model, contests, now, found, shares, race, as_of),
        "forecast_leads": _leads(model, now, race),
        "forecast_covariances": _covariances(model, now, race),
        "odds": odds_of(model, contests, now, found, race=race, rule=rule, as_of=as_of, seed=seed),
        "seat_counts": _seat_counts(found, race),
        "paths": _paths(model, contests, found, race),
        "forecast_days": history.told(model, contests, race, days, threshold=threshold, seed=seed),
        "poll_uses": _poll_uses(model, now, race),
        "forecast_moves": history.moves(model, contests, race, as_of, now, seed=seed, draws=draws),
    }


def _shares(model: Model, now: Morning, threshold: float | None, rng: np.random.Generator) -> Shares:
    return shares_of(model.tree, model.votes, now.mean, now.covariance, threshold=threshold, rng=rng)


def _places(
    model: Model,
    contests: Contests,
    now: Morning,
    found: Outcomes,
    shares: Shares,
    race: str,
    as_of: datetime.date,
) -> Columns:
    """Rows of `forecast`: every place of the tree."""
    tree, n = model.tree, len(model.tree.ids)
    tipping = np.full(n, np.nan)
    if contests.race.seats.size > 1 and contests.race.divisors is None:
        chance = stats.scenarios.tipping_points(contests.race, found)
        for place, seats, p in zip(contests.places, contests.race.seats, chance, strict=True):
            tipping[place] = p if seats > 0 and place != contests.places[contests.whole] else np.nan
    prior = shares_of(
        tree,
        model.votes,
        np.stack([b.prior.mean for b in model.beliefs], axis=1),
        jointly([b.prior.covariance for b in model.beliefs]),
        threshold=None,
        rng=np.random.default_rng(0),
    )
    average = mean_of_polls(model, now, as_of)
    counts = [sum(p.place_id == place and not p.reason for p in now.polls) for place in tree.ids]
    thumb = np.append(average.share, np.full(n - tree.n_leaves, np.nan))
    votes = [float(tree.below(i) @ model.votes) for i in range(n)]
    return {
        "race": [race] * n,
        "place_id": list(tree.ids),
        "parent_id": [tree.ids[parent] if parent >= 0 else None for parent in tree.parents],
        "name": list(tree.names),
        **dict(zip(("low", "low_80", "share", "high_80", "high"), map(list, shares.quantiles), strict=True)),
        "p_win": list(shares.p_win),
        "p_tipping": list(tipping),
        "p_tipping_error": list(np.sqrt(tipping * (1 - tipping) / found.won.size)),
        "seats": list(tree.seats),
        "votes": votes,
        "prior_share": list(prior.quantiles[2]),
        "polls_share": list(thumb),
        "n_polls": counts,
        "is_leaf": [i < tree.n_leaves for i in range(n)],
        "as_of": [as_of] * n,
        "reason": [None if used else "no poll of the place itself" for used in counts],
    }


def _leads(model: Model, now: Morning, race: str) -> Columns:
    places, rivals = now.mean.shape
    n = places * rivals
    return {
        "race": [race] * n,
        "place_id": [place for place in model.tree.leaves for _ in range(rivals)],
        "rival": list(model.rivals) * places,
        "lead": list(now.mean.ravel()),
        "std_error": list(np.sqrt(np.maximum(np.diag(now.covariance), 0.0))),
    }


def _covariances(model: Model, now: Morning, race: str) -> Columns:
    rivals = len(model.rivals)
    row, column = np.triu_indices(now.covariance.shape[0])
    leaves, names = np.array(model.tree.leaves, dtype=object), np.array(model.rivals, dtype=object)
    return {
        "race": [race] * row.size,
        "place_id": list(leaves[row // rivals]),
        "rival": list(names[row % rivals]),
        "other_id": list(leaves[column // rivals]),
        "other_rival": list(names[column % rivals]),
        "covariance": list(now.covariance[row, column]),
    }


def _seat_counts(found: Outcomes, race: str) -> Columns:
    seats, counts = np.unique(np.rint(found.seats).astype(np.int64), return_counts=True)
    return {"race": [race] * seats.size, "seats": list(seats), "p": list(counts / found.won.size)}


def _paths(model: Model, contests: Contests, found: Outcomes, race: str) -> Columns:
    # In proportion to votes no place is won or lost as a whole.
    shared = contests.race.divisors is not None
    ways = Paths((), 0.0, (), ()) if shared else stats.scenarios.paths_to_victory(contests.race, found)
    names = [model.tree.ids[place] for place in contests.places]
    seats = contests.race.seats
    n = len(ways.paths)
    return {
        "race": [race] * n,
        "rank": list(range(1, n + 1)),
        "places": [", ".join(names[c] for c in path.contests) for path in ways.paths],
        "n_places": [len(path.contests) for path in ways.paths],
        "seats": [ways.safe_seats + float(seats[list(path.contests)].sum()) for path in ways.paths],
        "safe_places": [", ".join(names[c] for c in ways.safe if seats[c] > 0)] * n,
        "p_all": [path.p_all for path in ways.paths],
        "p_win": [path.p_win.value for path in ways.paths],
        "p_win_error": [path.p_win.error for path in ways.paths],
        "covers": [path.covers for path in ways.paths],
    }


def _poll_uses(model: Model, now: Morning, race: str) -> Columns:
    n, rival = len(now.polls), model.rivals[0]
    surprise, trust = np.full(n, np.nan), np.full(n, np.nan)
    posterior, read = now.posteriors[0], now.read[0]
    for values, into in (
        (posterior.left_out / posterior.left_out_error, surprise),
        (posterior.trust, trust),
    ):
        # A poll that was divided among several leaves is read several times.
        into[read] = (np.bincount(read, values, n) / np.maximum(np.bincount(read, minlength=n), 1))[read]
    answered = [model.choice in p.percents and rival in p.percents for p in now.polls]
    return {
        "race": [race] * n,
        "source": [poll.source for poll in now.polls],
        "poll_id": [poll.poll_id for poll in now.polls],
        "place_id": [poll.place_id for poll in now.polls],
        "pollster": [poll.pollster or None for poll in now.polls],
        "ends_on": [poll.ends_on for poll in now.polls],
        "share": [
            poll.share(model.choice, rival)
            if known and poll.percents[model.choice] + poll.percents[rival]
            else None
            for poll, known in zip(now.polls, answered, strict=True)
        ],
        "n_asked": [poll.n_asked for poll in now.polls],
        "surprise": list(surprise),
        "trust": list(trust),
        "used": [not poll.reason for poll in now.polls],
        "reason": [poll.reason or None for poll in now.polls],
    }
