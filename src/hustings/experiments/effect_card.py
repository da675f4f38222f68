"""The card of a test's effects: the ladder, the verdict, and what ranking people by it brings, arm by arm."""

from __future__ import annotations

import datetime
import json
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from hustings import stats
from hustings.experiments.trials import Trial
from hustings.tables import spec


class Fitted(NamedTuple):
    """What was learned of a trial.

    Attributes:
        personal: Cross-fitted effects and what was learned on the way.
        aipw: (n, n_arms) readings of the expected outcome under each arm.
        effect: (n, n_arms - 1) shrunk effects.
        told: The shrinkage of each arm.
        left: What is left of an effect by election day.
        left_error: Its standard error.
        cost: Cents a person treated with each arm costs; None where no action says.
    """

    personal: Any
    aipw: npt.NDArray[np.float64]
    effect: npt.NDArray[np.float64]
    told: list[Any]
    left: float
    left_error: float
    cost: list[float | None]


def card_row(
    experiment: str,
    outcome: str,
    as_of: datetime.date,
    trial: Trial | None,
    fitted: Fitted | None,
    why: str | None,
) -> dict[str, Any]:
    """One row of `models`.

    Args:
        experiment: The test.
        outcome: What the effect is on.
        as_of: The day as of which everyone is described.
        trial: The test's people, or None where nothing could be learned.
        fitted: What was learned of them, or None.
        why: Why nothing was learned.

    Returns:
        Every column of `models`, each of one value.
    """
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
        "left_error": fitted.left_error,
        "kind": "yes or no" if np.isin(trial.value, (0.0, 1.0)).all() else "amount",
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
    cost = fitted.cost[code - 1]
    ranking = stats.evaluation.evaluate_ranking(effect, reading, trial.cluster, cost=cost)
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
        "cost_cents": cost,
        "gains_per_cost": [] if cost is None else [_numbers(one) for one in ranking.per_cost],
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


def _numbers(estimate: Any) -> dict[str, float | None]:
    return {name: _known(value) for name, value in estimate._asdict().items()}


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
