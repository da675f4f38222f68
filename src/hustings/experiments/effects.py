"""A test and what was known before it ─► what each arm would change for each person."""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping
from typing import Annotated, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from hustings import stats
from hustings.errors import DesignError
from hustings.experiments.arms import Arms, read_arms
from hustings.experiments.readings import too_few
from hustings.stage import About, Result, Table, stage
from hustings.tables import spec
from hustings.warehouse import Matrix, arrays, codes, matrix


class Fitted(NamedTuple):
    """What was learned of a trial: effects, readings, shrunk effects, shrinkages, and what is left by the day."""

    personal: Any
    aipw: npt.NDArray[np.float64]
    effect: npt.NDArray[np.float64]
    told: list[Any]
    left: float


class Trial(NamedTuple):
    """The people of a test whose outcome is known, as of its draw."""

    arms: Arms
    value: npt.NDArray[np.float64]
    cluster: npt.NDArray[np.int64]
    known: Matrix
    as_of: npt.NDArray[Any]


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
    _left(settings["measured_on"], settings["election_day"], settings["half_life_days"])


@stage(writes=("effects", "models"), section="effects", each="experiment", check=check_effects)
def estimate_effects(
    assignments: Table,
    outcomes: Table,
    features: Table,
    people: Table,
    experiments: Table,
    *,
    experiment: str,
    outcome: Annotated[str, About("What the effect is on: a yes-or-no outcome or an amount.")],
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
    rng: np.random.Generator,
) -> Result:
    """Effects of every arm on everyone, those in the test by models that never saw their household."""
    control, propensity, why = _design(experiments, experiment)
    trial = (
        None if why else _trial(assignments, outcomes, features, people, experiment, control, outcome, as_of)
    )
    why = why or _why_not(trial, folds, outcome)
    if why or trial is None:
        return {"effects": _empty(), "models": _card(experiment, outcome, as_of, None, None, str(why))}
    left = _left(measured_on, election_day, half_life_days)
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
        left * effect,
        left * error,
        (left * aipw, left * ipw),
    )
    others = _others(features, as_of, trial, found.model, (told, left), experiment, outcome)
    fitted = Fitted(found, aipw, effect, told, left)
    return {
        "effects": {name: np.concatenate([tested[name], others[name]]) for name in tested},
        "models": _card(experiment, outcome, as_of, trial, fitted, None),
    }


def _left(
    measured_on: datetime.date | None, election_day: datetime.date, half_life_days: float | None
) -> float:
    """The share of a measured effect that is there on election day."""
    if half_life_days is None:
        return 1.0
    if measured_on is None:
        raise DesignError.of(
            "An effect decays from the day it was measured on, which is not said",
            received=f"half_life_days = {half_life_days:g}",
            then="add measured_on",
        )
    return float(stats.decay.remaining((election_day - measured_on).days, half_life_days))


def _shrunk(
    told: list[Any], effect: npt.NDArray[np.float64], error: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
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


def _why_not(trial: Trial | None, folds: int, outcome: str) -> str | None:
    if trial is None:
        return None
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


def _empty() -> dict[str, list[Any]]:
    return {name: [] for name in spec("effects").names}


def _rows(
    experiment: str,
    outcome: str,
    labels: list[str],
    who: tuple[npt.NDArray[Any], npt.NDArray[Any]],
    effect: npt.NDArray[np.float64],
    std_error: npt.NDArray[np.float64],
    readings: tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]] | None,
) -> dict[str, npt.NDArray[Any]]:
    """Long rows: for each arm all people, each as of a day."""
    person_id, as_of = who
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
    pulled: tuple[list[Any], float],
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
    told, still = pulled
    found = model.predict(matrix(rest, trial.known.names).values)
    effect, error = _shrunk(told, found.effect, found.std_error)
    who = (rest["person_id"], rest["as_of"])
    rows = _rows(experiment, outcome, trial.arms.labels, who, still * effect, still * error, None)
    tested = codes(rest["person_id"], trial.arms.person_id).codes >= 0
    return rows | {"out_of_sample": np.tile(~tested, len(trial.arms.labels) - 1)}


def _card(
    experiment: str,
    outcome: str,
    as_of: datetime.date,
    trial: Trial | None,
    fitted: Fitted | None,
    why: str | None,
) -> dict[str, Any]:
    """One row of `models`."""
    row: dict[str, Any] = dict.fromkeys(spec("models").names)
    row |= {
        "model_id": f"effects.{experiment}",
        "purpose": f"what each arm of {experiment} changes in {outcome}, for each person",
        "population": "people in the test whose outcome is known",
        "as_of": as_of,
        "learner": "the ladder of learners",
        "rule": "the same effect for everyone; rank by the plain score",
        "published": why is None,
        "card": "{}",
        "reason": why,
    }
    if trial is not None and fitted is not None:
        row |= _measured(trial, fitted)
    return {name: [value] for name, value in row.items()}


def _measured(trial: Trial, fitted: Fitted) -> dict[str, Any]:
    found = fitted.personal
    arms = [_arm(trial, fitted, code) for code in range(1, len(trial.arms.labels))]
    best = max(arms, key=lambda arm: arm["mean_effect"])
    card = {
        "arms": arms,
        "best": best["arm"],
        "ladder": best["ladder"],
        "verdict": best["verdict"],
        "features": list(trial.known.names),
        "left_by_election_day": fitted.left,
    }
    model = {"features": trial.known.names, "arms": trial.arms.labels, "model": found.model.to_json()}
    return {
        "learner": next(step["learner"] for step in best["ladder"] if step["chosen"]),
        "n_people": len(trial.value),
        "n_households": len(np.unique(trial.cluster)),
        "rate": float(trial.value.mean()),
        "qini": best["qini"],
        "qini_error": best["qini_error"],
        "card": json.dumps(card, allow_nan=False),
        "model": json.dumps(model | {"shrinkage": [tuple(told) for told in fitted.told]}),
    }


def _arm(trial: Trial, fitted: Fitted, code: int) -> dict[str, Any]:
    """One arm in the card: how its ranking does, beside the plain score's, and the verdict on it."""
    found, told = fitted.personal, fitted.told[code - 1]
    effect, reading = fitted.effect[:, code - 1], fitted.aipw[:, code] - fitted.aipw[:, 0]
    ranking = stats.evaluation.evaluate_ranking(effect, reading, trial.cluster)
    score = stats.evaluation.evaluate_ranking(found.score, reading, trial.cluster).qini
    verdict = stats.verdict.judge(found.contrasts[code - 1])
    return {
        "arm": trial.arms.labels[code],
        "qini": ranking.qini.value,
        "qini_error": ranking.qini.std_error,
        "plain_score_qini": score.value,
        "plain_score_qini_error": score.std_error,
        "auuc": ranking.auuc._asdict(),
        "gains": [one._asdict() for one in ranking.gains],
        "gains_beyond_chance": [one._asdict() for one in ranking.beyond],
        "gains_at": list(stats.evaluation.SHARES),
        "calibration": [{"predicted": x} | one._asdict() for x, one in ranking.calibration],
        "ladder": [_step(step) for step in found.steps[code - 1]],
        "chosen_without_each_fold": [stats.climb.RUNGS[rung].name for rung in found.fold_rungs[code - 1]],
        "verdict": {
            name: _known(value) if isinstance(value, float) else value
            for name, value in verdict._asdict().items()
        }
        | {"sentence": verdict.sentence},
        "effects_5_50_95": np.percentile(effect, [5, 50, 95]).tolist(),
        "mean_effect": told.mean,
        "slope": told.slope,
        "slope_error": _known(told.slope_error),
        "shrunk_slope": told.shrunk,
    }


def _step(step: Any) -> dict[str, Any]:
    return {
        "learner": stats.climb.RUNGS[step.rung].name,
        "qini": _known(step.area),
        "qini_error": _known(step.std_error),
        "p_value": _known(step.p_value),
        "chosen": step.chosen,
    }


def _known(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
