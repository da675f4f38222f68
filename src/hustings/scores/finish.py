"""Out-of-sample predictions ─► pooled by place where that helps, and calibrated, each part from the others."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from hustings import stats
from hustings.scores.learning import Floats, Integers, Learning
from hustings.scores.parts import Parts, Rows


class Pooled(NamedTuple):
    """What pooling by place did to those who judge.

    Attributes:
        sd: How far places differ, in log-odds.
        n_places: How many there are.
        before: Log-loss without intercepts.
        after: Log-loss with them.
        gain_low: Lower end of the interval of what they gain, counted by place.
        kept: Whether that is above nought.
    """

    sd: float
    n_places: int
    before: float
    after: float
    gain_low: float
    kept: bool


class Finish(NamedTuple):
    """What is done to a model's predictions.

    Attributes:
        judged: (n,) out-of-sample scores, pooled and calibrated.
        pooled: What pooling did, or None where it was not tried.
        places: The places' intercepts, or None where they do not help.
        calibration: The map that comes after them.
    """

    judged: Floats
    pooled: Pooled | None
    places: Any
    calibration: Any

    def apply(self, p: Floats, place: Integers) -> Floats:
        """Scores of predictions by the model of everybody."""
        moved = p if self.places is None else self.places.apply(p, place)
        return np.asarray(self.calibration.apply(moved), np.float64)


def finish(raw: Floats, learning: Learning, split: Parts) -> Finish:
    """Pool and calibrate out-of-sample predictions.

    Places get intercepts only where they can be had before they are needed: from earlier days, or, of an answer,
    from neighbours who have given theirs. What neighbours did on the very day that is predicted nobody has.

    Args:
        raw: (n,) predictions: in parts from the other parts, and of the latest day from the earlier days.
        learning: Whom was learned from.
        split: The parts.

    Returns:
        Pooling is kept only where it is proven to lower the log-loss of those who judge, counted by place.
    """
    y, at = learning.y, split.latest
    plain = _calibrated(raw, y, split)
    places, pooled, judged, moved = None, None, plain, raw
    if len(learning.places) > 1 and (split.forward or learning.standing):
        # One number for all places: how far they differ hardly depends on one part.
        sd = _fit(raw, learning, split.inner >= 0).sd
        intercepts = _moved(raw, learning, split, sd)
        better = _calibrated(intercepts, y, split)
        pooled = _compared(plain, better, learning, at, sd)
        if pooled.kept:
            places, judged, moved = _fit(raw, learning, at, sd), better, intercepts
    return Finish(judged, pooled, places, stats.calibration.fit_beta(y[at], moved[at]))


def _compared(plain: Floats, better: Floats, learning: Learning, at: Rows, sd: float) -> Pooled:
    y, place = learning.y[at], learning.place[at]
    before, after = (stats.calibration.log_losses(y, p[at]) for p in (plain, better))
    several = len(np.unique(place)) > 1
    low = stats.judging.mean_interval(before - after, place).low if several else -np.inf
    return Pooled(
        sd, len(learning.places), float(before.mean()), float(after.mean()), float(low), low > 0 and sd > 0
    )


def _fit(p: Floats, learning: Learning, rows: Rows, sd: float | None = None) -> stats.pooling.Pooling:
    return stats.pooling.fit_pooling(
        learning.y[rows],
        p[rows],
        learning.place[rows],
        len(learning.places),
        cluster=learning.household[rows],
        sd=sd,
    )


def _moved(p: Floats, learning: Learning, split: Parts, sd: float) -> Floats:
    """Predictions with intercepts of places that were learned without them."""
    found = np.full(len(p), np.nan)
    for others, inside in split.pairs():
        found[inside] = _fit(p, learning, others, sd).apply(p[inside], learning.place[inside])
    return found


def _calibrated(p: Floats, y: Floats, split: Parts) -> Floats:
    """Predictions put right by what others show."""
    found = np.full(len(p), np.nan)
    for others, inside in split.pairs():
        found[inside] = stats.calibration.fit_beta(y[others], p[others]).apply(p[inside])
    return found
