"""Earlier elections, fundamentals and features ─► what is believed before this year's polls are read.

Nothing of the year being forecast is used but its fundamentals as known, and nothing of a later one.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np
from scipy.special import logit

from hustings import stats
from hustings.errors import DesignError
from hustings.forecast.readings import as_arrays, as_known, gather
from hustings.forecast.tree import Tree
from hustings.stats.fundamentals import Expected
from hustings.stats.poll_scales import Learned, Over
from hustings.stats.polls import Prior
from hustings.stats.races import FloatArray

Row = Mapping[str, Any]
Rows = list[dict[str, Any]]
Tables = Mapping[str, Rows]
_NOBODY_KNOWS = 1.0
"""Standard deviation of a logit of which nothing is known: shares from 0.12 to 0.88."""
_CHANGE = 0.2
"""Of a level from one election to the next, where there are not two to compare."""


class Past(NamedTuple):
    """Earlier elections in which every leaf has a result, the oldest first.

    Attributes:
        years: (t,).
        shares: (t, p) our share of the two.
        votes: (t, p) votes for the two.
    """

    years: tuple[int, ...]
    shares: FloatArray
    votes: FloatArray


class Beliefs(NamedTuple):
    """What the model starts from.

    Attributes:
        prior: Logit of our share of the two in every leaf.
        correlation: Of walks and shared errors between leaves.
        learned: The model's standard deviations, and from how many polls they were learned.
        lean: (p,) logit of our share at the last election less that of the whole; 0 where none is known.
        basis: What it rests on, in a sentence.
    """

    prior: Prior
    correlation: FloatArray
    learned: Learned
    lean: FloatArray
    basis: str


def votes_expected(tree: Tree, results: Iterable[Row], year: int, choices: tuple[str, ...]) -> FloatArray:
    """Votes expected in each leaf: those that `places` gives, or those for the choices at the last election.

    Args:
        tree: The places.
        results: Rows of `results`.
        year: The year of the election; only earlier ones are looked at.
        choices: Ours and the rivals.

    Returns:
        (p,) votes; NaN where nothing is known.
    """
    number = {place: i for i, place in enumerate(tree.leaves)}
    latest: dict[int, tuple[int, float]] = {}
    for row in results:
        i = number.get(str(row["place_id"]))
        if i is None or row["year"] >= year or row["choice"] not in choices:
            continue
        at, votes = latest.get(i, (row["year"], 0.0))
        if row["year"] >= at:
            latest[i] = (row["year"], row["votes"] + (votes if row["year"] == at else 0.0))
    cast = np.array([latest.get(i, (0, np.nan))[1] for i in range(tree.n_leaves)])
    return np.where(np.isnan(tree.votes[: tree.n_leaves]), cast, tree.votes[: tree.n_leaves])


def past_of(tree: Tree, results: Iterable[Row], year: int, choices: tuple[str, str]) -> Past:
    """The elections before a year, as far as every leaf has a result of both choices.

    Args:
        tree: The places.
        results: Rows of `results`.
        year: Only earlier ones are looked at.
        choices: Ours and the rival.

    Returns:
        The elections.
    """
    number = {place: i for i, place in enumerate(tree.leaves)}
    cast: dict[int, FloatArray] = {}
    for row in results:
        i = number.get(str(row["place_id"]))
        if i is not None and row["year"] < year and row["choice"] in choices:
            votes = cast.setdefault(int(row["year"]), np.zeros((2, tree.n_leaves)))
            votes[choices.index(row["choice"]), i] = row["votes"]
    years = tuple(y for y in sorted(cast) if (cast[y] > 0).all())
    table = np.array([cast[y] for y in years]).reshape(-1, 2, tree.n_leaves)
    total = table.sum(axis=1)
    return Past(years, table[:, 0] / total if years else total, total)


def believe(tree: Tree, tables: Tables, year: int, choices: tuple[str, str]) -> Beliefs:
    """What is believed of our share of two before polls, and the model's scales.

    Args:
        tree: The places.
        tables: Rows of `results`, `fundamentals`, `place_features` and `polls`.
        year: The year of the election.
        choices: Ours and the rival.

    Returns:
        The beliefs.
    """
    past, features = (
        past_of(tree, tables["results"], year, choices),
        _features(tree, tables["place_features"]),
    )
    prior, correlation, basis = _prior(past, tables["fundamentals"], year, choices, features)
    lean = np.zeros(tree.n_leaves)
    if past.years:
        lean = logit(past.shares[-1]) - logit(past.shares[-1] @ past.votes[-1] / past.votes[-1].sum())
    over = [_over(tree, tables, past, features, at, choices) for at in range(2, len(past.years))]
    learned = stats.poll_scales.learn([one for one in over if one is not None])
    told = (
        f"scales from {learned.n_polls:,} polls of earlier elections"
        if learned.n_polls
        else "scales as believed before any election"
    )
    return Beliefs(prior, correlation, learned, lean, f"{basis}; {told}")


def _prior(
    past: Past, fundamentals: Rows, year: int, choices: tuple[str, str], features: FloatArray | None
) -> tuple[Prior, FloatArray, str]:
    places = past.shares.shape[1]
    if not past.years:
        spread = _NOBODY_KNOWS**2 * (0.5 + 0.5 * np.eye(places))
        return Prior(np.zeros(places), spread), np.eye(places), "no earlier result of all places is known"
    whole, basis = _whole(past, fundamentals, year, choices)
    if len(past.years) >= 2 and places >= 2:
        found = stats.fundamentals.believe(past.shares, past.votes, whole, features=features)
        return Prior(found.mean, found.covariance), found.correlated.matrix, basis
    lean = logit(past.shares[-1]) - logit(past.shares[-1] @ past.votes[-1] / past.votes[-1].sum())
    from_there = _CHANGE**2 * np.eye(places) if places > 1 else np.zeros((1, 1))
    return Prior(lean + whole.value, whole.error**2 + from_there), np.eye(places), basis


def _whole(past: Past, rows: Rows, year: int, choices: tuple[str, str]) -> tuple[Expected, str]:
    """The logit of our share of the whole: by fundamentals, or else as at the last election."""
    try:
        return _by_fundamentals(rows, year, choices), "fundamentals and earlier results"
    except DesignError:
        level = logit((past.shares * past.votes).sum(axis=1) / past.votes.sum(axis=1))
        changes = np.diff(level)
        apart = float(np.sqrt(np.mean(changes**2))) if len(changes) > 1 else _CHANGE
        return Expected(
            float(level[-1]), apart, np.ones(1), len(changes)
        ), "the last result, without fundamentals"


def _by_fundamentals(rows: Rows, year: int, choices: tuple[str, str]) -> Expected:
    """The party in office's share on approval, growth and whether its holder stands again, as far as known."""
    now = next((row for row in rows if row["year"] == year), None)
    before = [
        row for row in rows if row["year"] < year and row["share"] is not None and row["choice"] in choices
    ]
    if now is None or now["incumbent"] not in choices:
        raise DesignError.of("Nothing is known of the year")
    names = [
        name
        for name in ("incumbent_runs", "approval", "growth")
        if now[name] is not None and all(row[name] is not None for row in before)
    ]
    columns, at = [np.ones(len(before))], [1.0]
    for name in names:
        earlier, present = np.array([float(row[name]) for row in before]), float(now[name])
        if name == "growth" and len(earlier):
            earlier, present = stats.fundamentals.winsorise(earlier, present)
        columns.append(earlier)
        at.append(present)
    shares = [row["share"] if row["incumbent"] == row["choice"] else 1 - row["share"] for row in before]
    found = stats.fundamentals.expect(np.column_stack(columns), logit(np.array(shares)), at)
    return found if now["incumbent"] == choices[0] else found._replace(value=-found.value)


def _features(tree: Tree, rows: Rows) -> FloatArray | None:
    """(p, k) the features that every leaf has; None where there are none."""
    number = {place: i for i, place in enumerate(tree.leaves)}
    table: dict[str, FloatArray] = {}
    for row in rows:
        if (i := number.get(str(row["place_id"]))) is not None:
            table.setdefault(row["feature"], np.full(tree.n_leaves, np.nan))[i] = row["value"]
    whole = [table[name] for name in sorted(table) if np.isfinite(table[name]).all()]
    return np.column_stack(whole) if whole else None


def _over(
    tree: Tree, tables: Tables, past: Past, features: FloatArray | None, at: int, choices: tuple[str, str]
) -> Over | None:
    """An earlier election with its polls, for the scales to be learned from; None where it has no polls."""
    rows = [row for row in tables["polls"] if row["year"] == past.years[at]]
    if not rows or tree.n_leaves < 2:
        return None
    # Of an earlier election no day is given: its last polls ended the day before.
    day = max(row["ends_on"] for row in rows) + datetime.timedelta(days=1)
    polls = as_known(gather(rows, tree.ids, past.years[at], choices, day), day)
    used = [poll for poll in polls if not poll.reason]
    if not used:
        return None
    level = Expected(0.0, 1.0, np.zeros(0), 0)
    found = stats.fundamentals.believe(past.shares[:at], past.votes[:at], level, features=features)
    arrays, _ = as_arrays(used, tree, past.votes[at - 1], found.mean, choices, day)
    return Over(arrays, logit(past.shares[at]), found.correlated.matrix, past.votes[at - 1])
