"""A test and what was known before it ─► what each arm would change for each person."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Annotated, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from hustings import stats
from hustings.errors import DesignError
from hustings.experiments.effect_card import Fitted, card_row
from hustings.experiments.trials import Trial, drawn_people, read_trial, why_late, why_not, with_earlier
from hustings.stage import About, Result, Table, stage
from hustings.tables import spec
from hustings.warehouse import arrays, codes, matrix

Floats = npt.NDArray[np.float64]


def check_effects(settings: Mapping[str, Any], sections: Mapping[str, Any]) -> None:
    """Refuse effects of a test that is not declared, and a decay from a day that is not said.

    Raises:
        DesignError: With what is wrong.
    """
    experiment, tests = settings["experiment"], sections.get("experiments", {})
    if experiment not in tests:
        raise DesignError.unknown(
            f"[effects.{experiment}] has no test of that name",
            experiment,
            tests,
            f"add [experiments.{experiment}]",
        )
    _left(*(settings[name] for name in ("measured_on", "election_day", "half_life_days", "half_life_factor")))


@stage(writes=("effects", "models"), section="effects", each="experiment", check=check_effects)
def estimate_effects(
    assignments: Table,
    outcomes: Table,
    features: Table,
    people: Table,
    experiments: Table,
    actions: Table,
    *,
    experiment: str,
    outcome: Annotated[str, About("What the effect is on: a yes-or-no outcome or an amount.")],
    also_known: Annotated[
        list[str],
        About(
            "Outcomes of before the draw that the model may see beside the features: earlier gifts, a score."
        ),
    ] = [],  # noqa: B006
    as_of: Annotated[datetime.date, About("The day as of which everyone is described.")],
    election_day: Annotated[datetime.date, About("The day on which the effect must still be there.")],
    folds: Annotated[
        int, About("Parts in which people are judged by models that never saw them.", ge=2, le=20)
    ] = 5,
    measured_on: Annotated[
        datetime.date | None, About("When the outcome was measured, if effects decay from then on.")
    ] = None,
    half_life_days: Annotated[
        float | None,
        About(
            "In how many days half of an effect is gone; of persuasion about 5, of a vote itself never.", gt=0
        ),
    ] = None,
    half_life_factor: Annotated[
        float,
        About("By what factor the half-life may be off, at one standard error; 1 where it is known.", ge=1),
    ] = 1.4,
    rng: np.random.Generator,
) -> Result:
    """Effects of every arm on everyone, those in the test by models that never saw their household."""
    control, propensity, why = _design(experiments, experiment)
    drawn = drawn_people(assignments, experiment, as_of)
    why = why or why_late(drawn, outcomes, also_known, experiment)
    trial = None
    if why is None:
        trial = read_trial(drawn, outcomes, features, people, (experiment, control, outcome), also_known)
        why = why_not(trial, folds, outcome)
    if why or trial is None:
        return {"effects": _empty(), "models": card_row(experiment, outcome, as_of, None, None, str(why))}
    left = _left(measured_on, election_day, half_life_days, half_life_factor)
    share = np.array([propensity[arm] for arm in trial.arms.labels])
    found = stats.personal.fit_personal(
        trial.known.values,
        trial.value,
        trial.arms.arm,
        trial.cluster,
        propensity=share,
        folds=folds,
        rng=rng,
    )
    aipw = stats.uplift.aipw_scores(trial.value, trial.arms.arm, found.mean, share)
    ipw = stats.uplift.ipw_scores(trial.value, trial.arms.arm, share)
    told = [
        stats.shrinkage.fit_shrinkage(found.effect[:, j], aipw[:, j + 1] - aipw[:, 0], trial.cluster)
        for j in range(found.effect.shape[1])
    ]
    effect, error = _shrunk(told, found.effect, found.std_error)
    tested = _rows(
        experiment,
        outcome,
        trial.arms.labels,
        (trial.arms.person_id, trial.as_of),
        left.of(effect, error),
        (left.share * aipw, left.share * ipw),
    )
    now = with_earlier(features.filter(features.as_of == as_of), outcomes, also_known, as_of)
    now = arrays(now.order_by("person_id"))
    others = _others(now, as_of, trial, found.model, (told, left), experiment, outcome)
    fitted = Fitted(found, aipw, effect, told, *left, _costs(actions, experiment, trial))
    return {
        "effects": {name: np.concatenate([tested[name], others[name]]) for name in tested},
        "models": card_row(experiment, outcome, as_of, trial, fitted, None),
    }


class Left(NamedTuple):
    """What is left of a measured effect by election day: the share, and its standard error."""

    share: float
    error: float

    def of(self, effect: Floats, error: Floats) -> tuple[Floats, Floats]:
        """An effect on election day, and its error with the half-life's own."""
        return self.share * effect, np.hypot(self.share * error, self.error * effect)


def _left(
    measured_on: datetime.date | None,
    election_day: datetime.date,
    half_life_days: float | None,
    factor: float,
) -> Left:
    if half_life_days is None:
        return Left(1.0, 0.0)
    if measured_on is None:
        raise DesignError.of(
            "An effect decays from the day it was measured on, which is not said",
            received=f"half_life_days = {half_life_days:g}",
            then="add measured_on",
        )
    days = (election_day - measured_on).days
    share = float(stats.decay.remaining(days, half_life_days))
    return Left(share, stats.decay.remaining_error(days, half_life_days, factor))


def _shrunk(told: list[Any], effect: Floats, error: Floats) -> tuple[Floats, Floats]:
    """Effects pulled to what outcomes bear out, and the errors of what comes out."""
    arms = range(len(told))
    return (
        np.column_stack([told[j].apply(effect[:, j]) for j in arms]),
        np.column_stack([told[j].error(effect[:, j], error[:, j]) for j in arms]),
    )


def _design(experiments: Table, experiment: str) -> tuple[str, dict[str, float], str | None]:
    """The control arm, the share of each arm, and why the test cannot be read."""
    rows = experiments.filter(experiments.experiment == experiment).to_pyarrow().to_pylist()
    if not rows:
        raise DesignError.of(
            f"[effects.{experiment}] has no test of that name", then=f"add [experiments.{experiment}]"
        )
    control = next(row["arm"] for row in rows if row["is_control"])
    propensity = {row["arm"]: row["planned_share"] or row["actual_share"] for row in rows}
    if rows[0]["sealed"]:
        return control, propensity, rows[0]["sealed"]
    if len(rows) < 2:
        return control, propensity, "only one arm: nothing to compare"
    if not all(row["n_people"] for row in rows):
        return control, propensity, "an arm is empty"
    return control, propensity, None


def _empty() -> dict[str, list[Any]]:
    return {name: [] for name in spec("effects").names}


def _rows(
    experiment: str,
    outcome: str,
    labels: list[str],
    who: tuple[npt.NDArray[Any], npt.NDArray[Any]],
    found: tuple[Floats, Floats],
    readings: tuple[Floats, Floats] | None,
) -> dict[str, npt.NDArray[Any]]:
    """Long rows: for each arm all people, each as of a day."""
    person_id, as_of = who
    n, k = len(person_id), len(labels) - 1
    nothing = np.full(n * k, np.nan)

    def long(values: Floats) -> Floats:
        return np.ascontiguousarray(values.T).ravel()

    aipw, ipw = (long(r[:, 1:] - r[:, :1]) for r in readings) if readings else (nothing, nothing)
    return {
        "person_id": np.tile(person_id, k),
        "experiment": np.full(n * k, experiment, dtype=object),
        "arm": np.repeat(np.array(labels[1:], dtype=object), n),
        "outcome": np.full(n * k, outcome, dtype=object),
        "as_of": np.tile(as_of, k),
        "estimate": long(found[0]),
        "std_error": long(found[1]),
        "out_of_sample": np.full(n * k, True),
        "aipw": aipw,
        "ipw": ipw,
    }


def _others(
    now: dict[str, npt.NDArray[Any]],
    as_of: datetime.date,
    trial: Trial,
    model: Any,
    pulled: tuple[list[Any], Left],
    experiment: str,
    outcome: str,
) -> dict[str, npt.NDArray[Any]]:
    """Everyone who is described as of `as_of` and has no row yet, by the model of the whole test."""
    done = (
        trial.arms.person_id[trial.as_of == np.datetime64(as_of)]
        if len(trial.as_of)
        else trial.arms.person_id
    )
    new = codes(now["person_id"], done).codes < 0
    rest = {name: column[new] for name, column in now.items()}
    told, left = pulled
    found = model.predict(matrix(rest, trial.known.names).values)
    effect = left.of(*_shrunk(told, found.effect, found.std_error))
    rows = _rows(experiment, outcome, trial.arms.labels, (rest["person_id"], rest["as_of"]), effect, None)
    tested = codes(rest["person_id"], trial.arms.person_id).codes >= 0
    return rows | {"out_of_sample": np.tile(~tested, len(trial.arms.labels) - 1)}


def _costs(actions: Table, experiment: str, trial: Trial) -> list[float | None]:
    """Cents for each person that an arm treats, where an action says; a household's unit is shared by its people."""
    rows = actions.filter(actions.experiment == experiment).to_pyarrow().to_pylist()
    each = {"household": len(np.unique(trial.household)) / len(trial.household), "person": 1.0}
    found = {row["arm"]: row["unit_cost_cents"] * each.get(row["reaches"], 1.0) for row in rows}
    return [found.get(arm) or None for arm in trial.arms.labels[1:]]
