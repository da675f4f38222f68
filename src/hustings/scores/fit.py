"""Two learners, one chosen out of sample, pooled by place and calibrated, beside its rivals in the same parts."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from hustings import stats
from hustings.scores.finish import Finish, Pooled, finish
from hustings.scores.learning import Floats, Integers, Learning, Rival
from hustings.scores.parts import Learner, Parts, Rows, Values, crossed, parts

RIDGE = 1.0
STRONGER = (10.0, 100.0)
"""Ridges that are tried as well where people are few, and a weak one would learn their noise."""
FEW = 20_000
TREES, LINE = "boosted trees", "regularised logistic regression"


class Fit(NamedTuple):
    """A calibrated score and its rivals.

    Attributes:
        learner: The learner chosen by out-of-sample loss.
        predict: From (m, p) features and (m,) codes of places to (m,) calibrated scores, by the model of
            everybody.
        explain: From (m, p) features to (m, p + 1) contributions in log-odds, or in the log of an amount.
        judged: (n,) scores of the people learned from, by models that never saw their household, their place or
            their time; NaN of those who are not judged.
        ruled: The same of each rival.
        losses: Out-of-sample loss of each candidate, before calibration.
        pooled: What pooling by place did, or None where places are not known.
        text: The model as text.
        of_places: Whether whole places were learned from or judged, and not only whole households.
    """

    learner: str
    predict: Callable[[Values, Integers], Floats]
    explain: Callable[[Values], Floats]
    judged: Floats
    ruled: tuple[Floats, ...]
    losses: dict[str, float]
    pooled: Pooled | None
    text: str
    of_places: bool


def fit_scores(learning: Learning, folds: int, rng: np.random.Generator) -> Fit:
    """The better of boosted trees and regularised logistic regression, pooled by place and calibrated.

    Where there are several days of training, the earlier ones choose the learner and its calibration, and the
    latest is only predicted; the model of everybody is then learned on all days.

    Args:
        learning: Whom is learned from, with 0 and 1 both present in good number.
        folds: Parts, made of whole places or households.
        rng: Source of the parts and of the trees' seed.

    Returns:
        The chosen model and its out-of-sample predictions.
    """
    x, y = learning.known.values, learning.y
    split = parts(learning, folds, rng)
    at, first = split.latest, split.inner >= 0
    trees = stats.trees.fit_boosted(x[first], y[first], rng=rng, cluster=split.group[first])
    seed = int(rng.integers(2**31 - 1))

    def boosted(rows: Rows, new: Values) -> Floats:
        return _trees(x[rows], y[rows], trees.n_trees, seed).predict(new)

    ridges = _ridges(int(first.sum()))
    candidates: dict[str, Learner] = {TREES: boosted} | {
        name: _logistic(x, y, ridge) for name, ridge in ridges.items()
    }
    designs = [_curve(rival) for rival in learning.rivals]
    thumbs = [_logistic(design, y, RIDGE) for design in designs]
    raw = crossed([*candidates.values(), *thumbs], [*[x] * len(candidates), *designs], split)
    losses = {
        name: float(stats.calibration.log_loss(y[first], p[first]))
        for name, p in zip(candidates, raw, strict=False)
    }
    learner = min(losses, key=lambda name: losses[name])
    done = finish(raw[list(losses).index(learner)], learning, split)
    predict, explain, model = _whole(ridges.get(learner), trees, learning, split, seed)
    return Fit(
        learner,
        lambda new, place: done.apply(predict(new), place),
        explain,
        np.where(at, done.judged, np.nan),
        tuple(np.where(at, p, np.nan) for p in raw[len(candidates) :]),
        losses,
        done.pooled,
        _text(learner, learning, model, done),
        split.of_places,
    )


def _trees(x: Values, y: Floats, n_trees: int, seed: int) -> stats.trees.Boosted:
    return stats.trees.fit_boosted(x, y, rng=np.random.default_rng(seed), n_trees=n_trees)


def _curve(rival: Rival) -> Values:
    """The rival's number and its square: it gets a curve of its own, so that it loses by its ranking."""
    if rival.design.shape[1] > 1:
        return rival.design
    column = rival.design[:, 0].astype(np.float64)
    return np.column_stack([column, column**2]).astype(np.float32)


def _ridges(n: int) -> dict[str, float]:
    """The logistic regressions that are tried, by name."""
    return {LINE: RIDGE} | ({f"{LINE}, ridge {r:g}": r for r in STRONGER} if n < FEW else {})


def _logistic(design: Values, y: Floats, ridge: float) -> Learner:
    def logistic(rows: Rows, new: Values) -> Floats:
        return stats.logistic.fit_logistic(design[rows], y[rows], ridge=ridge).predict(new)

    return logistic


def _whole(
    ridge: float | None, trees: stats.trees.Boosted, learning: Learning, split: Parts, seed: int
) -> tuple[Callable[[Values], Floats], Callable[[Values], Floats], str]:
    """The model of everybody, of all days where there are several: predictions, contributions, text."""
    x, y = learning.known.values, learning.y
    if ridge is not None:
        line = stats.logistic.fit_logistic(x, y, ridge=ridge)
        return line.predict, lambda new: stats.contributions.linear_contributions(line, new), line.to_json()
    whole = _trees(x, y, trees.n_trees, seed) if split.forward else trees
    return whole.predict, whole.contributions, whole.to_text()


def _text(learner: str, learning: Learning, model: str, done: Finish) -> str:
    last = done.calibration
    found: dict[str, object] = {
        "learner": learner,
        "features": learning.known.names,
        "calibration": [last.a, last.b, last.intercept],
        "model": model,
    }
    if done.places is not None:
        # Added to the log-odds of the model's prediction, before the calibration.
        found["places"] = dict(zip(learning.places, done.places.effect.tolist(), strict=True))
    return json.dumps(found)
