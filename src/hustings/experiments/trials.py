"""A test's people as of its draw, with what was known of them before and what became of them."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from hustings.errors import DesignError
from hustings.experiments.arms import Arms, read_arms
from hustings.experiments.readings import too_few
from hustings.stage import Table
from hustings.tables import spec
from hustings.warehouse import Matrix, codes, matrix


class Trial(NamedTuple):
    """The people of a test whose outcome is known, as of its draw.

    Attributes:
        arms: The arms, and who is in which.
        value: (n,) their outcome.
        household: (n,) codes of who lives together.
        cluster: (n,) codes of who was drawn together, or lives together: never split between learning and judging.
        known: What was known of them.
        as_of: (n,) the day of it.
    """

    arms: Arms
    value: npt.NDArray[np.float64]
    household: npt.NDArray[np.int64]
    cluster: npt.NDArray[np.int64]
    known: Matrix
    as_of: npt.NDArray[Any]


def drawn_people(assignments: Table, experiment: str, as_of: datetime.date) -> Any:
    """A test's people with `_moment`: the day of the draw, or of `as_of` where that is earlier or not known."""
    import ibis

    today = ibis.date(as_of)
    drawn = assignments.filter(assignments.experiment == experiment)
    moment = drawn.assigned_on.coalesce(today)
    return drawn.mutate(_moment=(moment > today).ifelse(today, moment))


def why_late(drawn: Any, outcomes: Table, earlier: Sequence[str], experiment: str) -> str | None:
    """Why an outcome may not be used to foresee an effect, or None.

    Args:
        drawn: From `drawn_people`.
        outcomes: The table of that name.
        earlier: Names of outcomes of before the draw.
        experiment: The test.

    Returns:
        The reason where one was measured on the day of the draw or later.

    Raises:
        DesignError: Nothing is known of such an outcome.
    """
    for name in earlier:
        told = drawn.inner_join(outcomes.filter(outcomes.outcome == name), "person_id", rname="{name}_o")
        n_known, n_late = (
            int(rows.count().to_pyarrow().as_py())
            for rows in (told, told.filter(told.happened_on >= told["_moment"]))
        )
        if not n_known:
            allowed = outcomes.select("outcome").distinct().to_pyarrow()["outcome"].to_pylist()
            raise DesignError.unknown(f"[effects.{experiment}] also_known: no outcome", name, allowed)
        if n_late:
            return f"{name} was measured on the day of the draw or later for {n_late:,} people: it may be what the arm did"
    return None


def with_earlier(rows: Any, outcomes: Table, earlier: Sequence[str], day: datetime.date | None = None) -> Any:
    """Rows of people with earlier outcomes as columns of their names.

    Args:
        rows: With `person_id`.
        outcomes: The table of that name.
        earlier: Names of outcomes.
        day: Only those measured before it; None for all.

    Returns:
        The rows; null where a person has no such outcome.
    """
    import ibis

    for name in earlier:
        told = outcomes.filter(outcomes.outcome == name)
        told = told if day is None else told.filter(told.happened_on < ibis.date(day))
        told = told.select(_who="person_id", **{name: "value"})
        rows = rows.left_join(told, rows.person_id == told["_who"]).drop("_who")
    return rows


def read_trial(
    drawn: Any,
    outcomes: Table,
    features: Table,
    people: Table,
    of: tuple[str, str, str],
    earlier: Sequence[str],
) -> Trial:
    """The people of a test whose outcome is known.

    Args:
        drawn: From `drawn_people`.
        outcomes: The table of that name.
        features: The table of that name.
        people: The table of that name.
        of: The test, its control arm, and the outcome.
        earlier: Outcomes of before the draw that are known too.

    Returns:
        The trial.
    """
    experiment, control, outcome = of
    measured = outcomes.filter(outcomes.outcome == outcome).select("person_id", "value")
    homes = people.select("person_id", "household_id")
    rows = drawn.join(measured, "person_id", rname="{name}_o").join(homes, "person_id", rname="{name}_p")
    same = [rows.person_id == features.person_id, rows["_moment"] == features.as_of]
    rows = with_earlier(rows.join(features, same, rname="{name}_f"), outcomes, earlier)
    described = [name for name in spec("features").names if name != "person_id"]
    names = ("value", "household_id", *described, *earlier)
    arms = read_arms(rows, experiment, control, *names)
    household = codes(arms.more["household_id"]).codes
    cluster = arms.unit if len(np.unique(arms.unit)) < len(np.unique(household)) else household
    known = matrix({name: arms.more[name] for name in names[2:]})
    value = np.asarray(arms.more["value"], np.float64)
    return Trial(arms, value, household, cluster, known, arms.more["as_of"])


def why_not(trial: Trial, folds: int, outcome: str) -> str | None:
    """Why effects cannot be learned from a trial, or None.

    Args:
        trial: Its people.
        folds: Parts in which they are judged.
        outcome: The outcome's name.

    Returns:
        The reason.
    """
    arms, least = len(trial.arms.labels), 2 * folds
    n = np.bincount(trial.arms.arm, minlength=arms) if len(trial.arms.arm) else np.zeros(2)
    few = next((why for why in too_few(trial.arms, trial.value, outcome) if why), None)
    pairs = np.unique(trial.cluster * arms + trial.arms.arm) % arms
    smallest = int(np.bincount(pairs, minlength=arms).min())
    checks = (
        (n.all() and arms > 1, "an arm has nobody whose outcome is known"),
        (np.isfinite(trial.value).all(), "an outcome is not a finite number"),
        (len(np.unique(trial.value)) > 1, "everyone has the same outcome"),
        (smallest >= least, f"an arm of {smallest:,} units: too few for {folds} folds, which need {least}"),
        (few is None, str(few)),
        (bool(trial.known.names), "nothing is known of the people before the test"),
    )
    return next((reason for fine, reason in checks if not fine), None)
