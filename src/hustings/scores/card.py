"""The card of a score: what it is for, how good it is out of sample, and whether it beats its rule of thumb."""

from __future__ import annotations

import datetime
import json
from typing import TYPE_CHECKING, Any

import numpy as np

from hustings import stats
from hustings.scores.fit import Fit
from hustings.tables import spec

if TYPE_CHECKING:
    from hustings.scores.scores import Learning


def card_row(
    score: str,
    outcome: str,
    rule: str,
    trained: datetime.date,
    learning: Learning,
    fit: Fit | None,
    why: str | None,
) -> dict[str, Any]:
    """One row of `models`.

    Args:
        score: The score's name.
        outcome: What it predicts.
        rule: The feature it must beat.
        trained: The day as of which people were described.
        learning: Whom it was learned from.
        fit: The model, or None when there is none.
        why: Why there is none.

    Returns:
        Every column of `models`.
    """
    row: dict[str, Any] = dict.fromkeys(spec("models").names)
    row |= {
        "model_id": f"scores.{score}",
        "purpose": f"the probability of {outcome}",
        "population": "people in no treated arm whose outcome is known",
        "as_of": trained,
        "learner": "none" if fit is None else fit.learner,
        "n_people": len(learning.y),
        "n_households": len(np.unique(learning.household)),
        "rule": rule,
        "published": False,
        "card": "{}",
        "reason": why,
    }
    return row if fit is None else row | _measured(learning, fit, rule)


def _measured(learning: Learning, fit: Fit, rule: str) -> dict[str, Any]:
    y, household = learning.y, learning.household
    loss = stats.calibration.log_loss_interval(y, fit.judged, household)
    area = stats.calibration.auc_interval(y, fit.judged, household)
    gain, low, high = _gain(learning, fit)
    better = low > 0
    card = {
        "reliability": _curve(learning, fit.judged),
        "rule_reliability": _curve(learning, _raw(learning.rule)),
        "candidates": fit.losses,
        "features": list(learning.known.names),
    }
    return {
        "rate": float(y.mean()),
        "log_loss": loss.estimate,
        "log_loss_error": loss.std_error,
        "auc": area.estimate,
        "auc_error": area.std_error,
        "calibration_error": stats.calibration.calibration_error(y, fit.judged),
        "rule_log_loss": stats.calibration.log_loss(y, fit.ruled),
        "rule_auc": stats.calibration.auc(y, fit.ruled),
        "gain": gain,
        "gain_low": low,
        "gain_high": high,
        "published": better,
        "card": json.dumps(card),
        "model": fit.text,
        "reason": None if better else f"it does not beat the rule of thumb {rule} out of sample",
    }


def _gain(learning: Learning, fit: Fit) -> tuple[float, float, float]:
    """The rule's log-loss less the model's, with its interval by household."""
    y = learning.y

    def losses(p: Any) -> Any:
        held = np.clip(p, 1e-12, 1 - 1e-12)
        return -(y * np.log(held) + (1 - y) * np.log(1 - held))

    better = losses(fit.ruled) - losses(fit.judged)
    gain = float(better.mean())
    sums = np.bincount(learning.household, weights=better - gain)
    n_clusters = len(np.unique(learning.household))
    error = float(np.sqrt((sums**2).sum() * n_clusters / (n_clusters - 1)) / len(y))
    half = stats.clusters.t_quantile(0.95, n_clusters - 1) * error
    return gain, gain - half, gain + half


def _raw(rule: Any) -> Any:
    """The rule of thumb as the field reads it: the share itself as the probability."""
    return np.clip(np.nan_to_num(rule, nan=float(np.nanmean(rule)) if np.isfinite(rule).any() else 0.5), 0, 1)


def _curve(learning: Learning, p: Any) -> list[dict[str, float]]:
    found = stats.calibration.reliability(learning.y, p, learning.household)
    return [
        {"predicted": float(a), "observed": float(b), "low": float(c), "high": float(d), "n": int(n)}
        for a, b, c, d, n in zip(found.predicted, found.observed, found.low, found.high, found.n, strict=True)
    ]
