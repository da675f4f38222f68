"""A test and what was known before it ─► what each arm would change for each person."""

from __future__ import annotations

import datetime
import json
from typing import Annotated, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from hustings import stats
from hustings.errors import DesignError
from hustings.experiments.arms import Arms, read_arms
from hustings.stage import About, Result, Table, stage
from hustings.tables import spec
from hustings.warehouse import Matrix, arrays, codes, matrix


class Trial(NamedTuple):
    """The people of a test whose outcome is known, as of its draw."""

    arms: Arms
    value: npt.NDArray[np.float64]
    cluster: npt.NDArray[np.int64]
    known: Matrix
    as_of: npt.NDArray[Any]


@stage(writes=("effects", "models"), section="effects", each="experiment")
def estimate_effects(
    assignments: Table,
    outcomes: Table,
    features: Table,
    people: Table,
    experiments: Table,
    *,
    experiment: str,
    outcome: Annotated[str, About("What the effect is on: a yes-or-no outcome.")],
    as_of: Annotated[datetime.date, About("The day as of which everyone is described.")],
    folds: Annotated[
        int, About("Parts in which people are judged by models that never saw them.", ge=2, le=20)
    ] = 5,
    rng: np.random.Generator,
) -> Result:
    """Effects of every arm on everyone, those in the test by models that never saw their household."""
    control, propensity, why = _design(experiments, experiment)
    trial = (
        None if why else _trial(assignments, outcomes, features, people, experiment, control, outcome, as_of)
    )
    why = why or _why_not(trial)
    if why or trial is None:
        return {"effects": _empty(), "models": _card(experiment, outcome, as_of, None, None, str(why))}
    share = np.array([propensity[arm] for arm in trial.arms.labels])
    part = stats.calibration.cluster_folds(trial.cluster, folds, rng)
    fitted = stats.uplift.fit_effects(
        trial.known.values,
        trial.value,
        trial.arms.arm,
        trial.cluster,
        n_arms=len(trial.arms.labels),
        folds=part,
    )
    aipw = stats.uplift.aipw_scores(trial.value, trial.arms.arm, fitted.mean, share)
    ipw = stats.uplift.ipw_scores(trial.value, trial.arms.arm, share)
    shrinkages = [
        stats.shrinkage.fit_shrinkage(fitted.effect[:, j], aipw[:, j + 1] - aipw[:, 0], trial.cluster)
        for j in range(fitted.effect.shape[1])
    ]
    effect = np.column_stack([told.apply(fitted.effect[:, j]) for j, told in enumerate(shrinkages)])
    tested = _rows(
        experiment,
        outcome,
        trial.arms.labels,
        trial.arms.person_id,
        trial.as_of,
        effect,
        fitted.std_error,
        (aipw, ipw),
    )
    others = _others(features, as_of, trial, fitted.model, shrinkages, experiment, outcome)
    return {
        "effects": {name: np.concatenate([tested[name], others[name]]) for name in tested},
        "models": _card(experiment, outcome, as_of, trial, (fitted, effect, shrinkages, share), None),
    }


def _design(experiments: Table, experiment: str) -> tuple[str, dict[str, float], str | None]:
    """The control arm, the share of each arm, and why the test cannot be read."""
    rows = experiments.filter(experiments.experiment == experiment).to_pyarrow().to_pylist()
    if not rows:
        raise DesignError.of(
            f"[effects.{experiment}] has no test of that name", then=f"add [experiments.{experiment}]"
        )
    control = next(row["arm"] for row in rows if row["is_control"])
    propensity = {row["arm"]: row["planned_share"] or row["actual_share"] for row in rows}
    if len(rows) < 2:
        return control, propensity, "only one arm: nothing to compare"
    if not all(row["n_people"] for row in rows):
        return control, propensity, "an arm is empty"
    return control, propensity, None


def _trial(
    assignments: Table,
    outcomes: Table,
    features: Table,
    people: Table,
    experiment: str,
    control: str,
    outcome: str,
    as_of: datetime.date,
) -> Trial:
    import ibis

    today = ibis.date(as_of)
    drawn = assignments.filter(assignments.experiment == experiment)
    moment = drawn.assigned_on.coalesce(today)
    drawn = drawn.mutate(_moment=(moment > today).ifelse(today, moment))
    measured = outcomes.filter(outcomes.outcome == outcome).select("person_id", "value")
    rows = drawn.join(measured, "person_id", rname="{name}_o").join(
        people.select("person_id", "household_id"), "person_id", rname="{name}_p"
    )
    same = [rows.person_id == features.person_id, rows["_moment"] == features.as_of]
    rows = rows.join(features, same, rname="{name}_f")
    names = ("value", "household_id", *(name for name in spec("features").names if name != "person_id"))
    arms = read_arms(rows, experiment, control, *names)
    household = codes(arms.more["household_id"]).codes
    # Whoever was drawn together, or lives together, is never split between learning and judging.
    cluster = arms.unit if len(np.unique(arms.unit)) < len(np.unique(household)) else household
    known = matrix({name: arms.more[name] for name in names[2:]})
    return Trial(arms, np.asarray(arms.more["value"], np.float64), cluster, known, arms.more["as_of"])


def _why_not(trial: Trial | None) -> str | None:
    if trial is None:
        return None
    n = np.bincount(trial.arms.arm, minlength=len(trial.arms.labels)) if len(trial.arms.arm) else np.zeros(2)
    if not n.all() or len(trial.arms.labels) < 2:
        return "an arm has nobody whose outcome is known"
    if not np.isin(trial.value, (0.0, 1.0)).all():
        return "the outcome is not yes or no"
    for code, label in enumerate(trial.arms.labels):
        if len(np.unique(trial.value[trial.arms.arm == code])) < 2:
            return f"everyone in the arm {label} has the same outcome"
    if not trial.known.names:
        return "nothing is known of the people before the test"
    return None


def _empty() -> dict[str, list[Any]]:
    return {name: [] for name in spec("effects").names}


def _rows(
    experiment: str,
    outcome: str,
    labels: list[str],
    person_id: npt.NDArray[Any],
    as_of: npt.NDArray[Any],
    effect: npt.NDArray[np.float64],
    std_error: npt.NDArray[np.float64],
    readings: tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]] | None,
) -> dict[str, npt.NDArray[Any]]:
    """Long rows: for each arm all people."""
    n, k = len(person_id), len(labels) - 1
    nothing = np.full(n * k, np.nan)

    def long(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return np.ascontiguousarray(values.T).ravel()

    aipw, ipw = (long(r[:, 1:] - r[:, :1]) for r in readings) if readings else (nothing, nothing)
    return {
        "person_id": np.tile(person_id, k),
        "experiment": np.full(n * k, experiment, dtype=object),
        "arm": np.repeat(np.array(labels[1:], dtype=object), n),
        "outcome": np.full(n * k, outcome, dtype=object),
        "as_of": np.tile(as_of, k),
        "estimate": long(effect),
        "std_error": long(std_error),
        "out_of_sample": np.full(n * k, True),
        "aipw": aipw,
        "ipw": ipw,
    }


def _others(
    features: Table,
    as_of: datetime.date,
    trial: Trial,
    model: Any,
    shrinkages: list[Any],
    experiment: str,
    outcome: str,
) -> dict[str, npt.NDArray[Any]]:
    """Everyone who is described as of `as_of` and has no row yet, by the model of the whole test."""
    now = arrays(features.filter(features.as_of == as_of).order_by("person_id"))
    done = (
        trial.arms.person_id[trial.as_of == np.datetime64(as_of)]
        if len(trial.as_of)
        else trial.arms.person_id
    )
    left = codes(now["person_id"], done).codes < 0
    rest = {name: column[left] for name, column in now.items()}
    found = model.predict(matrix(rest, trial.known.names).values)
    effect = np.column_stack([shrinkage.apply(found.effect[:, j]) for j, shrinkage in enumerate(shrinkages)])
    rows = _rows(
        experiment,
        outcome,
        trial.arms.labels,
        rest["person_id"],
        rest["as_of"],
        effect,
        found.std_error,
        None,
    )
    tested = codes(rest["person_id"], trial.arms.person_id).codes >= 0
    return rows | {"out_of_sample": np.tile(~tested, len(trial.arms.labels) - 1)}


def _card(
    experiment: str, outcome: str, as_of: datetime.date, trial: Trial | None, fit: Any, why: str | None
) -> dict[str, Any]:
    """One row of `models`."""
    row: dict[str, Any] = dict.fromkeys(spec("models").names)
    row |= {
        "model_id": f"effects.{experiment}",
        "purpose": f"what each arm of {experiment} changes in {outcome}, for each person",
        "population": "people in the test whose outcome is known",
        "as_of": as_of,
        "learner": "logistic regression with treatment interactions",
        "rule": "the same effect for everyone",
        "published": why is None,
        "card": "{}",
        "reason": why,
    }
    if trial is not None and fit is not None:
        row |= _measured(trial, *fit)
    return {name: [value] for name, value in row.items()}


def _measured(
    trial: Trial,
    fitted: Any,
    effect: npt.NDArray[np.float64],
    shrinkages: list[Any],
    share: npt.NDArray[np.float64],
) -> dict[str, Any]:
    arms: list[dict[str, Any]] = []
    for code, label in enumerate(trial.arms.labels[1:], start=1):
        found = stats.uplift.qini(
            effect[:, code - 1],
            trial.value,
            trial.arms.arm,
            trial.cluster,
            propensity=share,
            arm_code=code,
            mean=fitted.mean,
        )
        told = shrinkages[code - 1]
        arms.append(
            {
                "arm": label,
                "qini": found.area,
                "qini_error": found.std_error,
                "effects_5_50_95": np.percentile(effect[:, code - 1], [5, 50, 95]).tolist(),
                "mean_effect": told.mean,
                "slope": told.slope,
                "slope_error": told.slope_error,
                "shrunk_slope": told.shrunk,
            }
        )
    best = max(arms, key=lambda arm: arm["mean_effect"])
    card = {"arms": arms, "features": list(trial.known.names), "best": best["arm"]}
    model = {"features": trial.known.names, "arms": trial.arms.labels, "model": fitted.model.to_json()}
    return {
        "n_people": len(trial.value),
        "n_households": len(np.unique(trial.cluster)),
        "rate": float(trial.value.mean()),
        "qini": best["qini"],
        "qini_error": best["qini_error"],
        "card": json.dumps(card),
        "model": json.dumps(model | {"shrinkage": [tuple(told) for told in shrinkages]}),
    }
