"""Features and an outcome ─► a calibrated probability for everyone, and how good it is.

The people of treated arms are left out: they voted because they were written to. Everyone who was learned
from is scored by a model that never saw their household, so that a score can be judged and used alike.
"""

from __future__ import annotations

import datetime
from typing import Annotated, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from hustings.errors import DesignError
from hustings.scores.card import card_row
from hustings.scores.fit import Fit, fit_scores
from hustings.stage import About, Result, Table, stage
from hustings.tables import spec
from hustings.warehouse import Matrix, arrays, codes, matrix


class Learning(NamedTuple):
    """Who is learned from, and what is known of them.

    Attributes:
        person_id: (n,) the people.
        y: (n,) 0 or 1.
        household: (n,) codes; a household is learned from or judged, never both.
        known: Their features as of the day of training.
        rule: (n,) the rule of thumb's number, NaN where it has none.
    """

    person_id: npt.NDArray[Any]
    y: npt.NDArray[np.float64]
    household: npt.NDArray[np.int64]
    known: Matrix
    rule: npt.NDArray[np.float64]


@stage(writes=("scores", "models"), section="scores", each="score")
def score_people(
    features: Table,
    outcomes: Table,
    people: Table,
    assignments: Table,
    experiments: Table,
    *,
    score: str,
    outcome: Annotated[str, About("The yes-or-no outcome that is predicted.")],
    as_of: Annotated[datetime.date, About("The day as of which everyone is scored.")],
    trained_as_of: Annotated[
        datetime.date | None,
        About("The day as of which people are described for training; `as_of` unless given."),
    ] = None,
    rule: Annotated[
        str, About("The feature that the field goes by, which the score must beat.")
    ] = "share_voted",
    folds: Annotated[
        int, About("Parts in which people are judged by models that never saw them.", ge=2, le=20)
    ] = 5,
    rng: np.random.Generator,
) -> Result:
    """A probability for everyone described as of `as_of`, or none when it does not beat its rule of thumb."""
    trained = trained_as_of or as_of
    if rule not in spec("features").names:
        raise DesignError.unknown(f"[scores.{score}] rule: no feature", rule, spec("features").names)
    learning = _learning(features, outcomes, people, assignments, experiments, outcome, trained, rule)
    why = _why_not(learning, outcome, folds)
    fit = (
        None if why else fit_scores(learning.known, learning.y, learning.household, learning.rule, folds, rng)
    )
    row = card_row(score, outcome, rule, trained, learning, fit, why)
    published = bool(row["published"])
    scores = _scores(features, score, as_of, trained, learning, fit) if fit and published else _none()
    return {"scores": scores, "models": {name: [row[name]] for name in spec("models").names}}


def _learning(
    features: Table,
    outcomes: Table,
    people: Table,
    assignments: Table,
    experiments: Table,
    outcome: str,
    trained: datetime.date,
    rule: str,
) -> Learning:
    measured = outcomes.filter((outcomes.outcome == outcome) & (outcomes.happened_on >= trained))
    treated = assignments.join(
        experiments.filter(~experiments.is_control), ["experiment", "arm"], rname="{name}_e"
    ).select("person_id")
    described = features.filter(features.as_of == trained)
    rows = (
        described.anti_join(treated, "person_id")
        .join(measured.select("person_id", "value"), "person_id", rname="{name}_o")
        .join(people.select("person_id", "household_id"), "person_id", rname="{name}_p")
        .order_by("person_id")
    )
    found = arrays(rows, "value", "household_id", *spec("features").names)
    y, household = np.asarray(found.pop("value"), np.float64), codes(found.pop("household_id")).codes
    ruled = np.asarray(found[rule], np.float64) if found[rule].dtype != object else np.full(len(y), np.nan)
    return Learning(found["person_id"], y, household, matrix(found), ruled)


def _why_not(learning: Learning, outcome: str, folds: int) -> str | None:
    y = learning.y
    if not len(y):
        return f"nobody outside a treated arm has the outcome {outcome} after the day of training"
    if not np.isin(y, (0.0, 1.0)).all():
        return f"{outcome} is not yes or no"
    rarer = int(min(y.sum(), len(y) - y.sum()))
    if rarer < 10 * folds:
        return f"only {rarer} people differ from all others in {outcome}: too few to learn from and to judge"
    if not learning.known.names:
        return "nothing is known of the people"
    return None


def _none() -> dict[str, list[Any]]:
    return {name: [] for name in spec("scores").names}


def _scores(
    features: Table, score: str, as_of: datetime.date, trained: datetime.date, learning: Learning, fit: Fit
) -> dict[str, Any]:
    now = arrays(features.filter(features.as_of == as_of).order_by("person_id"))
    value = fit.predict(matrix(now, learning.known.names).values)
    learned = codes(now["person_id"], learning.person_id).codes
    if trained == as_of:
        value[learned >= 0] = fit.judged[learned[learned >= 0]]
    n = len(value)
    return {
        "person_id": now["person_id"],
        "score": np.full(n, score, dtype=object),
        "as_of": now["as_of"],
        "value": value,
        "out_of_sample": (learned < 0) | (trained == as_of),
    }
