"""The card of a score: what it is for, how good it is out of sample, and whether it beats its rivals."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import numpy.typing as npt

from hustings import stats
from hustings.scores.declared import Question
from hustings.scores.fit import Fit
from hustings.scores.groups import groups_of
from hustings.scores.learning import Floats, Learning
from hustings.tables import spec
from hustings.warehouse import Matrix

EXPLAINED = 1_000
"""People whose score is taken apart: exact contributions cost some 180 predictions each."""
COMPARED = 20_000
"""People on each side of a comparison of distributions."""
_SHOWN = 5


def card_row(
    question: Question,
    rule: str,
    learning: Learning,
    fit: Fit | None,
    why: str | None,
    protected: dict[str, npt.NDArray[Any]] | None = None,
) -> dict[str, Any]:
    """One row of `models`.

    Args:
        question: What is predicted.
        rule: The column that the field goes by.
        learning: Whom it was learned from.
        fit: The model, or None when there is none.
        why: Why there is none.
        protected: Columns by which the campaign asks for fairness, in the order of `learning`.

    Returns:
        Every column of `models`.
    """
    row: dict[str, Any] = dict.fromkeys(spec("models").names)
    row |= {
        "model_id": f"scores.{question.score}",
        "purpose": question.purpose,
        "population": _population(question),
        "as_of": question.trained[-1],
        "learner": "none" if fit is None else fit.learner,
        "n_people": len(learning.y),
        "n_households": len(np.unique(learning.household)),
        "rule": rule,
        "published": False,
        "card": json.dumps(_asked(question, learning)),
        "reason": why,
    }
    return row if fit is None else row | _measured(question, learning, fit, protected or {})


def _population(question: Question) -> str:
    among = question.population.words()
    return f"people in no treated arm whose outcome is known{f'; {among}' if among else ''}"


def _asked(question: Question, learning: Learning) -> dict[str, Any]:
    counts = np.bincount(learning.day, minlength=len(question.trained))
    left_out = {"people whose amount is missing": learning.n_unknown} if learning.n_unknown else {}
    return {
        "kind": "amount" if question.amount else "yes or no",
        "as_of": str(question.as_of),
        "horizon_days": question.horizon_days,
        "trained": [
            {"as_of": str(day), "n": int(n)} for day, n in zip(question.trained, counts, strict=True)
        ],
        "validation": "forward in time" if len(question.trained) > 1 else "grouped by household",
        "left_out": left_out,
    }


def _measured(
    question: Question, learning: Learning, fit: Fit, protected: dict[str, npt.NDArray[Any]]
) -> dict[str, Any]:
    at = learning.latest
    y, household, judged = learning.y[at], learning.household[at], fit.judged[at]
    losses = _losses(question, y, judged)
    rivals = [
        _rival(rival.name, question, y, p[at], losses, household)
        for rival, p in zip(learning.rivals, fit.ruled, strict=True)
    ]
    hardest = min(rivals, key=lambda rival: rival["gain_low"])
    better = hardest["gain_low"] > 0
    card = (
        _asked(question, learning)
        | _grouped(learning, fit)
        | {
            "features": list(learning.known.names),
            "candidates": fit.losses,
            "rivals": rivals,
            "gain": _gains(y, judged, household),
            "rule_gain": _gains(y, fit.ruled[0][at], household),
            "importance": _importance(learning, fit),
            "groups": groups_of(learning, judged, losses, protected),
            "pooling": _pooling(question, learning, fit),
        }
    )
    more = _amount(y, judged, household) if question.amount else _chance(learning, fit)
    return {
        "rate": float(y.mean()),
        "gain": hardest["gain"],
        "gain_low": hardest["gain_low"],
        "gain_high": hardest["gain_high"],
        "rule": hardest["name"],
        "published": better,
        "model": fit.text,
        "reason": None if better else _beaten(hardest["name"], rivals),
        **more["columns"],
        "rule_log_loss": hardest["loss"] if not question.amount else None,
        "rule_auc": hardest["auc"],
        "rule_mean_error": hardest["mean_error"],
        "card": json.dumps(card | more["card"]),
    }


def _pooling(question: Question, learning: Learning, fit: Fit) -> dict[str, Any] | None:
    if fit.pooled is not None:
        pooled = fit.pooled._asdict()
        return pooled | {"gain_low": pooled["gain_low"] if np.isfinite(pooled["gain_low"]) else None}
    if question.amount or len(learning.places) < 2:
        return None
    return {"why_not": "one day of training: a place's intercept would come from the very day that is judged"}


def _grouped(learning: Learning, fit: Fit) -> dict[str, str]:
    whole = learning.latest.all() and fit.of_places
    return {"validation": "grouped by household and place"} if whole else {}


def _beaten(name: str, rivals: list[dict[str, Any]]) -> str:
    what = "the rule of thumb" if name == rivals[0]["name"] else "the vendor's score"
    return f"it does not beat {what} {name} out of sample"


def _losses(question: Question, y: Floats, p: Floats) -> Floats:
    if question.amount:
        return stats.amounts.deviance(y, p)
    return stats.calibration.log_losses(y, p)


def _rival(
    name: str, question: Question, y: Floats, p: Floats, losses: Floats, household: Any
) -> dict[str, Any]:
    """The rival's loss less the model's, with its interval by household."""
    theirs = _losses(question, y, p)
    gain = stats.judging.mean_interval(theirs - losses, household)
    return {
        "name": name,
        "loss": float(theirs.mean()),
        "auc": None if question.amount else stats.calibration.auc(y, p),
        "mean_error": float(np.abs(y - p).mean()) if question.amount else None,
        "gain": gain.estimate,
        "gain_low": gain.low,
        "gain_high": gain.high,
    }


def _chance(learning: Learning, fit: Fit) -> dict[str, Any]:
    at = learning.latest
    y, household, p = learning.y[at], learning.household[at], fit.judged[at]
    loss = stats.calibration.log_loss_interval(y, p, household)
    area = stats.calibration.auc_interval(y, p, household)
    level = stats.judging.mean_interval(y - p, household)
    flat = float(np.ptp(p)) < 1e-9
    line = None if flat else stats.judging.calibration_line(y, p, household)
    raw = learning.rivals[0].design[at]
    columns = {
        "log_loss": loss.estimate,
        "log_loss_error": loss.std_error,
        "auc": area.estimate,
        "auc_error": area.std_error,
        "calibration_error": stats.calibration.calibration_error(y, p),
    }
    # A share is read as the field reads it: as the probability itself. Anything else by its curve.
    thumb = _share(raw[:, 0]) if raw.shape[1] == 1 and _is_share(raw[:, 0]) else fit.ruled[0][at]
    card = {
        "reliability": _curve(y, p, household),
        "rule_reliability": _curve(y, thumb, household),
        "level": level._asdict(),
        "slope": None if line is None else line.slope._asdict(),
        "intercept": None if line is None else line.intercept._asdict(),
        "calibration_by_chance": float(0.8 * np.sqrt(y.mean() * (1 - y.mean()) * 20 / len(y))),
    }
    return {"columns": columns, "card": card}


def _is_share(rule: npt.NDArray[np.float32]) -> bool:
    known = rule[np.isfinite(rule)]
    return bool(len(known)) and bool(known.min() >= 0) and bool(known.max() <= 1)


def _share(rule: npt.NDArray[np.float32]) -> Floats:
    return np.clip(np.nan_to_num(rule.astype(np.float64), nan=float(np.nanmean(rule))), 0, 1)


def _curve(y: Floats, p: Floats, household: Any) -> list[dict[str, float]]:
    found = stats.calibration.reliability(y, p, household)
    return [
        {"predicted": float(a), "observed": float(b), "low": float(c), "high": float(d), "n": int(n)}
        for a, b, c, d, n in zip(found.predicted, found.observed, found.low, found.high, found.n, strict=True)
    ]


def _amount(y: Floats, m: Floats, household: Any) -> dict[str, Any]:
    """Error and level of expected amounts, in the amount's own unit."""
    absolute = stats.judging.mean_interval(np.abs(y - m), household)
    level = stats.judging.mean_interval(y - m, household)
    total, told = float(y.sum()), float(m.sum())
    half = (level.high - level.low) / 2 * len(y) / told
    card = {
        "deviance": float(stats.amounts.deviance(y, m).mean()),
        "root_mean_square_error": float(np.sqrt(((y - m) ** 2).mean())),
        "level": level._asdict(),
        "totals": {
            "observed": total,
            "predicted": told,
            "ratio": total / told,
            "low": total / told - half,
            "high": total / told + half,
        },
        "amounts": _tenths(y, m, household),
    }
    columns = {"mean_error": absolute.estimate, "mean_error_error": absolute.std_error}
    return {"columns": columns, "card": card}


def _tenths(y: Floats, m: Floats, household: Any) -> list[dict[str, float]]:
    """Expected and observed means of ten parts of equal counts."""
    found = []
    for rows in np.array_split(np.argsort(m, kind="stable"), 10):
        if len(np.unique(household[rows])) < 2:
            continue
        seen = stats.judging.mean_interval(y[rows], household[rows])
        found.append(
            {
                "predicted": float(m[rows].mean()),
                "observed": seen.estimate,
                "low": seen.low,
                "high": seen.high,
                "n": len(rows),
            }
        )
    return found


def _gains(y: Floats, p: Floats, household: Any) -> list[dict[str, float]]:
    found = stats.judging.cumulative_gain(y, p, household)
    return [
        {"depth": float(d), "gain": float(g), "low": float(low), "high": float(high)}
        for d, g, low, high in zip(found.depth, found.gain, found.low, found.high, strict=True)
    ]


def sample(n: int, most: int) -> npt.NDArray[np.int64]:
    """At most so many of n rows, evenly spread, the same every time.

    Args:
        n: Rows.
        most: How many at most.

    Returns:
        Their numbers.

    >>> sample(9, 3).tolist()
    [0, 3, 6]
    """
    return np.arange(n) if n <= most else (np.arange(most) * n) // most


def _importance(learning: Learning, fit: Fit) -> list[dict[str, Any]]:
    """The features that matter most, with their direction."""
    x = learning.known.values[sample(len(learning.y), EXPLAINED)]
    found = stats.contributions.rank_features(fit.explain(x), x)[:_SHOWN]
    return [
        {
            "feature": learning.known.names[one.feature],
            "size": one.size,
            "size_error": one.std_error,
            "direction": one.direction,
            "low": None if np.isnan(one.low) else one.low,
            "high": None if np.isnan(one.high) else one.high,
            "n": len(x),
        }
        for one in found
    ]


def drift(learning: Learning, fit: Fit, now: Matrix, place: npt.NDArray[np.int64]) -> dict[str, Any]:
    """How far features and scores have moved between the people learned from and those scored today.

    Args:
        learning: Whom was learned from; those of the latest day are compared.
        fit: The model; the same one scores both sides, so that only the people differ.
        now: The features of everybody scored today.
        place: (m,) codes of their places.

    Returns:
        The population stability index of the scores, and of each feature, the largest first.
    """
    latest = np.flatnonzero(learning.latest)
    old, new = latest[sample(len(latest), COMPARED)], sample(len(place), COMPARED)
    of_scores = stats.drift.stability_index(
        fit.predict(learning.known.values[old], learning.place[old]), fit.predict(now.values[new], place[new])
    )
    features = [
        {"feature": name, "index": stats.drift.stability_index(before, after).value}
        for name, before, after in zip(
            now.names, learning.known.values[old].T, now.values[new].T, strict=True
        )
    ]
    return {
        "score": of_scores.value,
        "by_chance": of_scores.by_chance,
        "features": sorted(features, key=lambda one: -float(str(one["index"]))),
        "n_before": len(old),
        "n_after": len(new),
    }
