"""Two learners, one chosen out of sample, calibrated, beside the rule of thumb in the same folds."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from hustings import stats
from hustings.warehouse import Matrix

Floats = npt.NDArray[np.float64]
_RIDGE = 1.0


class Fit(NamedTuple):
    """A calibrated score and its rivals.

    Attributes:
        learner: The learner chosen by out-of-sample log-loss.
        predict: From (m, p) features to (m,) calibrated probabilities, by the model of everybody.
        judged: (n,) calibrated probabilities of the people learned from, by models that never saw their
            household, calibrated on the other folds.
        ruled: (n,) the same of the rule of thumb.
        losses: Out-of-sample log-loss of each candidate, before calibration.
        text: The model as text.
    """

    learner: str
    predict: Callable[[npt.NDArray[np.float32]], Floats]
    judged: Floats
    ruled: Floats
    losses: dict[str, float]
    text: str


def fit_scores(
    known: Matrix,
    y: Floats,
    household: npt.NDArray[np.int64],
    rule: Floats,
    folds: int,
    rng: np.random.Generator,
) -> Fit:
    """The better of boosted trees and regularised logistic regression, calibrated.

    Args:
        known: (n, p) features.
        y: (n,) 0 or 1, both present in good number.
        household: (n,) codes.
        rule: (n,) the rule of thumb's number, NaN where it has none.
        folds: Parts, made of whole households.
        rng: Source of the parts and of the trees' seed.

    Returns:
        The chosen model and its out-of-sample predictions.
    """
    x = known.values
    part = stats.calibration.cluster_folds(household, folds, rng)
    trees = stats.trees.fit_boosted(x, y, rng=rng, cluster=household)

    def boosted(rows: npt.NDArray[np.bool_], new: npt.NDArray[np.float32]) -> Floats:
        return stats.trees.fit_boosted(x[rows], y[rows], rng=rng, n_trees=trees.n_trees).predict(new)

    def logistic(rows: npt.NDArray[np.bool_], new: npt.NDArray[np.float32]) -> Floats:
        return stats.logistic.fit_logistic(x[rows], y[rows], ridge=_RIDGE).predict(new)

    def thumb(rows: npt.NDArray[np.bool_], new: npt.NDArray[np.float32]) -> Floats:
        return stats.logistic.fit_logistic(new_rule[rows], y[rows], ridge=_RIDGE).predict(new)

    # The rule of thumb gets a curve of its own, so that it loses by its ranking and not by its scale.
    new_rule = np.column_stack([rule, rule**2]).astype(np.float32)
    raw = {"boosted trees": _crossed(boosted, x, part), "logistic regression": _crossed(logistic, x, part)}
    losses = {name: float(stats.calibration.log_loss(y, p)) for name, p in raw.items()}
    learner = min(losses, key=lambda name: losses[name])
    judged = _calibrated(raw[learner], y, part)
    final = stats.calibration.fit_beta(y, raw[learner])
    whole: stats.trees.Boosted | stats.logistic.Logistic = trees
    model = trees.to_text()
    if learner != "boosted trees":
        whole = stats.logistic.fit_logistic(x, y, ridge=_RIDGE)
        model = whole.to_json()
    text = json.dumps(
        {
            "learner": learner,
            "features": known.names,
            "calibration": [final.a, final.b, final.intercept],
            "model": model,
        }
    )
    return Fit(
        learner,
        lambda new: np.asarray(final.apply(whole.predict(new)), np.float64),
        judged,
        _crossed(thumb, new_rule, part),
        losses,
        text,
    )


def _crossed(
    learn: Callable[[npt.NDArray[np.bool_], npt.NDArray[np.float32]], Floats],
    x: npt.NDArray[np.float32],
    part: npt.NDArray[np.int64],
) -> Floats:
    """Each part predicted by what was learned from the others."""
    found = np.empty(len(x))
    for k in range(int(part.max()) + 1):
        found[part == k] = learn(part != k, x[part == k])
    return found


def _calibrated(p: Floats, y: Floats, part: npt.NDArray[np.int64]) -> Floats:
    """Each part calibrated by what the others show."""
    found = np.empty(len(p))
    for k in range(int(part.max()) + 1):
        inside = part == k
        found[inside] = stats.calibration.fit_beta(y[~inside], p[~inside]).apply(p[inside])
    return found
