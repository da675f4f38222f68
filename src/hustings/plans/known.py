"""What is known of people, and of what an action does to them, before anything is chosen."""

from __future__ import annotations

import datetime
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from hustings import stats
from hustings.errors import DesignError
from hustings.plans.choices import Floats, Households
from hustings.plans.reach import Reach
from hustings.stage import Table
from hustings.warehouse import arrays, codes


class People(NamedTuple):
    """What is known of each person besides effects; all (n,).

    Attributes:
        turnout: Chance of voting; None where nobody has a score.
        support: Chance of voting for us if voting; None where ballots alone are counted.
        worth: Of one net vote of theirs, in the campaign's aim.
        errors: Of the level of turnout and of support, in log-odds.
    """

    turnout: Floats | None
    support: Floats | None
    worth: Floats
    errors: tuple[float, float]

    def at(self, rows: npt.NDArray[Any]) -> People:
        """The same for some people."""
        own = [None if values is None else values[rows] for values in (self.turnout, self.support)]
        return People(own[0], own[1], self.worth[rows], self.errors)

    @property
    def per_ballot(self) -> Floats:
        """(n,) what one added ballot of theirs is worth."""
        if self.support is None:
            return self.worth
        side = stats.net_votes.expected(
            np.zeros(len(self.worth)), self.support, stats.net_votes.Move(1.0), score_errors=self.errors
        )
        return side * self.worth


class Basis(NamedTuple):
    """What one action's effect rests on.

    Attributes:
        experiment: The test whose effects by person are used, or empty.
        on_turnout: What it does to turnout; of an own test (n,).
        on_support: What it does to support.
        evidence: What that rests on, in words; actions with the same words err together.
        tested: Whether an own randomised test stands behind it.
        why: Why nothing is known, or None.
    """

    experiment: str
    on_turnout: stats.net_votes.Move
    on_support: stats.net_votes.Move
    evidence: str
    tested: bool
    why: str | None = None


class Trial(NamedTuple):
    """The people of one own test, by whose outcomes a rule is valued.

    Attributes:
        experiment: The test.
        own: Which of the plan's actions it measured.
        households: Its people, with the gains that were predicted without them, and their readings.
        of_plan: (h,) code of each of its households in the plan.
    """

    experiment: str
    own: tuple[int, ...]
    households: Households
    of_plan: npt.NDArray[np.int64]


class Gains(NamedTuple):
    """Everything that a plan is chosen and valued by.

    Attributes:
        plan: The people whom the plan may reach, with gains in the campaign's aim.
        ballots: (n, a) added ballots.
        net_votes: (n, a) net votes; None where support is not asked for.
        people: What else is known of them.
        basis: By action.
        trials: The own tests.
    """

    plan: Households
    ballots: Floats
    net_votes: Floats | None
    people: People
    basis: list[Basis]
    trials: list[Trial]

    def nodes(self, rows: npt.NDArray[np.int64], j: int) -> Floats:
        """(9,) what an action adds by some people together, in the aim, at each node of what is not known."""
        known, basis = self.people.at(rows), self.basis[j]
        moves = [
            rows_of(move, rows, len(self.plan.household)) for move in (basis.on_turnout, basis.on_support)
        ]
        turnout = np.full(len(rows), 0.5) if known.turnout is None else known.turnout
        found = stats.net_votes.nodes(turnout, known.support, *moves, score_errors=known.errors)
        return np.asarray(found @ known.worth, np.float64)


def known_people(
    reach: Reach,
    scores: Table,
    models: Table,
    worth: Floats,
    *,
    names: tuple[str, str],
    net: bool,
    as_of: datetime.date,
) -> People:
    """Scores of turnout and of support of the people within reach.

    Args:
        reach: The people.
        scores: The table of that name.
        models: Their cards, for the error of a score's level.
        worth: (n,) of a net vote.
        names: The score of turnout, and that of support.
        net: Whether support counts.
        as_of: Only scores as of this day or earlier.

    Raises:
        DesignError: Support counts, and nobody has a score of it.
    """
    turnout = _score(reach.person_id, scores, names[0], as_of)
    support = _score(reach.person_id, scores, names[1], as_of) if net else None
    if net and support is None:
        raise DesignError.of(
            "Net votes need to know whom people support, and nobody has a score",
            received=names[1],
            then=f"add a section [scores.{names[1]}], or set aim = 'added_ballots'",
        )
    errors = [_level_error(models, name, s) for name, s in zip(names, (turnout, support), strict=True)]
    return People(turnout, support, worth, (errors[0], errors[1]))


def scored(scores: Table, name: str, as_of: datetime.date) -> bool:
    """Whether anybody has a score of that name as of a day."""
    rows = scores.filter((scores.score == name) & (scores.as_of <= as_of))
    return bool(rows.limit(1).count().to_pyarrow().as_py())


def _score(person_id: npt.NDArray[Any], scores: Table, name: str, as_of: datetime.date) -> Floats | None:
    """(n,) the newest value of each person; the mean of the others where there is none."""
    rows = scores.filter((scores.score == name) & (scores.as_of <= as_of))
    newest = arrays(rows.group_by("person_id").agg(value=rows.value.argmax(rows.as_of)), "person_id", "value")
    if not len(newest["person_id"]):
        return None
    at = codes(person_id, newest["person_id"]).codes
    values = np.asarray(newest["value"], np.float64)
    return np.where(at >= 0, values[at], values.mean())


def _level_error(models: Table, name: str, values: Floats | None) -> float:
    """In log-odds: the score's own calibration error, taken as one that all people share."""
    if values is None or not len(values):
        return 0.0
    told = arrays(models.filter(models.model_id == f"scores.{name}"), "calibration_error")[
        "calibration_error"
    ]
    error = np.asarray(told, np.float64)
    error = error[np.isfinite(error)]
    return float(error[0] / np.mean(values * (1 - values))) if error.size else 0.0


def added(people: People, basis: Basis) -> tuple[Floats, Floats]:
    """(n,) added ballots and net votes."""
    n = len(people.worth)
    turnout = np.full(n, 0.5) if people.turnout is None else people.turnout
    move = basis.on_turnout
    if move.log_odds:
        ballots = stats.net_votes.expected(turnout, None, move, score_errors=people.errors)
    else:
        ballots = np.broadcast_to(np.asarray(move.estimate, np.float64), (n,))
    if people.support is None:
        return ballots, ballots
    net = stats.net_votes.expected(
        turnout, people.support, move, basis.on_support, score_errors=people.errors
    )
    return ballots, net


def turnout_error(people: People, basis: Basis) -> Floats:
    """(n,) standard error of the effect on turnout."""
    error = np.asarray(basis.on_turnout.std_error, np.float64)
    if not basis.on_turnout.log_odds or people.turnout is None:
        return np.broadcast_to(error, (len(people.worth),))
    return error * people.turnout * (1 - people.turnout)


def rows_of(move: stats.net_votes.Move, rows: npt.NDArray[np.int64], n: int) -> stats.net_votes.Move:
    """What an action does to some of n people."""
    own = [np.broadcast_to(np.asarray(x, np.float64), (n,))[rows] for x in move[:2]]
    return stats.net_votes.Move(own[0], own[1], move.log_odds)
