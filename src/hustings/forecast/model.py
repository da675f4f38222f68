"""Everything that a forecast is made from, and the forecast as of one morning: arrays, no tables."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from hustings import stats
from hustings.errors import SettingError, TableError
from hustings.forecast.beliefs import Beliefs, believe, votes_expected
from hustings.forecast.readings import Poll, as_arrays, as_known, gather
from hustings.forecast.tree import Tree, plant
from hustings.stats.polls import Posterior
from hustings.stats.races import FloatArray

Rows = list[dict[str, Any]]


class Model(NamedTuple):
    """What does not change from one morning to the next.

    Attributes:
        tree: The places.
        choice: Whose share it is.
        rivals: Whom it is against.
        election_day: The day that decides.
        votes: (p,) votes expected in each leaf.
        polls: This election's polls, the latest first.
        beliefs: By rival: what is believed without them.
        tails: Degrees of freedom of polls' own errors, or None.
    """

    tree: Tree
    choice: str
    rivals: tuple[str, ...]
    election_day: datetime.date
    votes: FloatArray
    polls: tuple[Poll, ...]
    beliefs: tuple[Beliefs, ...]
    tails: float | None


class Morning(NamedTuple):
    """The forecast of one morning.

    Attributes:
        polls: Every poll of the election, with the reason where it is not used.
        mean: (p, r) expected lead over each rival in each leaf.
        covariance: (p r, p r) of them.
        posteriors: By rival.
        read: By rival: for each entry that the model read, the number of its poll.
    """

    polls: tuple[Poll, ...]
    mean: FloatArray
    covariance: FloatArray
    posteriors: tuple[Posterior, ...]
    read: tuple[Any, ...]


def prepare(
    tables: Mapping[str, Rows],
    *,
    choice: str,
    rivals: Sequence[str],
    election_day: datetime.date,
    as_of: datetime.date | None = None,
    tails: float | None = None,
) -> Model:
    """The model of one election.

    Args:
        tables: Rows of `places`, `place_features`, `results`, `fundamentals` and `polls`.
        choice: Whose share is forecast.
        rivals: Whom it is against.
        election_day: The day that decides; its year is the election's.
        as_of: What arrived after this morning is left out; nothing is where it is not given.
        tails: Degrees of freedom of polls' own errors; normal unless given.

    Returns:
        The model.

    Raises:
        SettingError: A choice stands twice.
        TableError: There are no places, or no votes to expect in one.
    """
    choices = (choice, *rivals)
    if not rivals or len(set(choices)) < len(choices):
        raise SettingError.of(
            "[races] choice and rivals", received=", ".join(choices), allowed="two or more, each once"
        )
    known = {name: _arrived(rows, as_of) for name, rows in tables.items()}
    tree, year = plant(known["places"]), election_day.year
    votes = votes_expected(tree, known["results"], year, choices)
    unknown = [place for place, n in zip(tree.leaves, votes, strict=True) if not n > 0]
    if unknown:
        raise TableError.of(
            f"No votes are expected in {len(unknown)} places",
            received=", ".join(unknown[:5]),
            allowed="`votes` in a block `places`, or `results` of an earlier election",
            then="hustings explain places",
        )
    polls = gather(known["polls"], tree.ids, year, choices, election_day)
    beliefs = tuple(believe(tree, known, year, (choice, rival)) for rival in rivals)
    return Model(tree, choice, tuple(rivals), election_day, votes, tuple(polls), beliefs, tails)


def morning(model: Model, day: datetime.date) -> Morning:
    """The forecast by the polls that had ended before a day.

    Args:
        model: From `prepare`.
        day: The morning.

    Returns:
        Leads and their covariance on election day.
    """
    known = as_known(model.polls, day)
    used = [i for i, poll in enumerate(known) if not poll.reason]
    posteriors, reads = [], []
    for rival, believed in zip(model.rivals, model.beliefs, strict=True):
        given, read = as_arrays(
            [known[i] for i in used],
            model.tree,
            model.votes,
            believed.prior.mean,
            (model.choice, rival),
            model.election_day,
        )
        posteriors.append(
            stats.polls.fit(
                given,
                believed.prior,
                correlation=believed.correlation,
                scales=believed.learned.scales,
                votes=model.votes,
                tails=model.tails,
            )
        )
        reads.append(np.array(used, dtype=np.int64)[read])
    mean = np.stack([p.mean for p in posteriors], axis=1)
    return Morning(
        tuple(known), mean, jointly([p.covariance for p in posteriors]), tuple(posteriors), tuple(reads)
    )


def _arrived(rows: Rows, as_of: datetime.date | None) -> Rows:
    if as_of is None:
        return rows
    morning_of = datetime.datetime.combine(as_of, datetime.time())
    return [row for row in rows if row["arrived_at"] <= morning_of]


def jointly(covariances: list[FloatArray]) -> FloatArray:
    """Covariance of the leads over all rivals, a place's rivals together.

    Leads over two rivals share our own part: with like errors of all choices their correlation is one half.
    """
    if len(covariances) == 1:
        return covariances[0]
    middle = np.mean(covariances, axis=0)
    spread = np.sqrt(np.stack([np.diag(c) for c in covariances], axis=1) / np.diag(middle)[:, None]).ravel()
    half = (np.eye(len(covariances)) + 1) / 2
    return np.asarray(np.kron(middle, half) * np.outer(spread, spread))
