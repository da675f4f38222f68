"""The card of a model of giving: how it did on days it had not seen, beside the rules of thumb."""

from __future__ import annotations

import datetime
import json
from typing import Any, NamedTuple

import numpy as np

from hustings import stats
from hustings.errors import DesignError
from hustings.scores.gifts import Floats, Gifts, given
from hustings.scores.repeat import (
    FEWEST,
    Fitted,
    Terms,
    expectations,
    fit_givers,
    parameters,
    rule_probability,
    ruled,
    totals,
)
from hustings.tables import spec


class Judged(NamedTuple):
    """How a model did on days that it had not seen.

    Attributes:
        columns: Columns of `models`.
        card: What goes into its card.
        better: Whether it beats the rule.
    """

    columns: dict[str, Any]
    card: dict[str, Any]
    better: bool


def judge(gifts: Gifts, cut: int, terms: Terms, kind: Any, rule: str, rng: np.random.Generator) -> Judged:
    """Fit to the gifts before a day, and hold the forecast against what came after it.

    Args:
        gifts: All gifts.
        cut: The day, in days since 1970; the `horizon` days from it on are judged on.
        terms: What is asked.
        kind: The model.
        rule: The rule of thumb that must be beaten.
        rng: Source of draws.

    Returns:
        The figures.

    Raises:
        DesignError: The model cannot be fitted, or too few gave, or did not give, to judge by.
    """
    fitted = fit_givers(gifts, cut, terms, kind)
    people = fitted.givers.person
    made, paid = given(gifts, cut, cut + terms.horizon, terms.period, kind)
    n_gifts, cents = made[people], paid[people]
    gave = (n_gifts > 0).astype(np.float64)
    rarer = int(min(gave.sum(), len(gave) - gave.sum()))
    if rarer < FEWEST:
        raise DesignError.of(
            "Too few to judge by", received=f"{rarer} people differ from all others in whether they gave",
            allowed=f"{FEWEST} or more",
        )  # fmt: skip
    found = expectations(fitted, terms)
    home, p = gifts.household[people], np.clip(found.p_gift, 0, 1)
    q = rule_probability(gifts, cut, terms, rule)
    columns = _columns(gave, p, q, home)
    value = np.where(np.isfinite(found.value.estimate), found.value.estimate, found.gifts.estimate)
    rules = ruled(gifts, cut, terms)
    scores = {"model": value, **rules}
    actual = {"gifts_actual": float(n_gifts.sum()), "cents_actual": float(cents.sum())}
    card = {
        "judged_on": _days(cut, terms.horizon),
        "total": totals(fitted, terms, rng) | actual,
        "reliability": _curve(gave, p, home),
        "rule_reliability": _curve(gave, q, home),
        "gifts_by_tenth": _tenths(found.gifts.estimate, n_gifts),
        "rank_correlation_with_cents": _ranked(stats.judging.rank_correlation, scores, cents, home, rng),
        "cents_from_top_tenth": _ranked(stats.judging.top_share, scores, cents, home, rng),
        "auc_of_rules": {
            name: stats.calibration.auc_interval(gave, values / 15, home)._asdict()
            for name, values in rules.items()
        },
        "parameters_when_judged": parameters(fitted),
    }
    return Judged(columns, card, columns["gain_low"] > 0)


def _columns(gave: Floats, p: Floats, q: Floats, home: Any) -> dict[str, Any]:
    """The figures of the model's probability p and of the rule's q, as columns of `models`."""
    loss = stats.calibration.log_loss_interval(gave, p, home)
    area = stats.calibration.auc_interval(gave, p, home)
    # The rule's loss less the model's.
    gain = stats.judging.mean_interval(
        stats.judging.log_losses(gave, q) - stats.judging.log_losses(gave, p), home
    )
    return {
        "n_people": len(gave),
        "n_households": len(np.unique(home)),
        "rate": float(gave.mean()),
        "log_loss": loss.estimate,
        "log_loss_error": loss.std_error,
        "auc": area.estimate,
        "auc_error": area.std_error,
        "calibration_error": stats.calibration.calibration_error(gave, p),
        "rule_log_loss": stats.calibration.log_loss(gave, q),
        "rule_auc": stats.calibration.auc(gave, q),
        "gain": gain.estimate,
        "gain_low": gain.low,
        "gain_high": gain.high,
    }


def _days(start: int, n: int) -> list[str]:
    first = datetime.date(1970, 1, 1) + datetime.timedelta(days=start)
    return [str(first), str(first + datetime.timedelta(days=n))]


def _curve(y: Floats, p: Floats, home: Any) -> list[dict[str, float]]:
    found = stats.calibration.reliability(y, p, home)
    return [
        {"predicted": float(a), "observed": float(b), "low": float(c), "high": float(d), "n": int(n)}
        for a, b, c, d, n in zip(found.predicted, found.observed, found.low, found.high, found.n, strict=True)
    ]


def _tenths(expected: Floats, actual: Any) -> list[dict[str, float]]:
    """Gifts expected and made, by tenths of expected gifts, with the error of what was made."""
    rows = []
    for part in np.array_split(np.argsort(expected, kind="stable"), 10):
        if len(part) > 1:
            error = float(actual[part].std(ddof=1) / np.sqrt(len(part)))
            row = {"expected": expected[part].mean(), "made": actual[part].mean(), "made_error": error}
            rows.append({name: float(value) for name, value in row.items()} | {"n": len(part)})
    return rows


def _ranked(
    figure: Any, scores: dict[str, Floats], cents: Floats, home: Any, rng: np.random.Generator
) -> dict[str, Any]:
    """A figure of the model's order and of each rule's, or why there is none."""
    found: dict[str, Any] = {}
    for name, values in scores.items():
        try:
            found[name] = figure(values, cents, home, rng)._asdict()
        except DesignError as error:
            found[name] = str(error)
    return found


def card_row(
    giving: str,
    as_of: datetime.date,
    rule: str,
    n_people: int,
    fitted: Fitted | None,
    judged: Judged | None,
    more: dict[str, Any],
    why: str | None,
) -> dict[str, Any]:
    """One row of `models`.

    Args:
        giving: The section's name.
        as_of: The day.
        rule: The rule of thumb that it must beat.
        n_people: Givers known.
        fitted: The model of everyone, or None.
        judged: How it did, or None.
        more: What else goes into the card.
        why: Why there is no model.

    Returns:
        Every column of `models`.
    """
    row: dict[str, Any] = dict.fromkeys(spec("models").names)
    better = judged is not None and judged.better
    card = {
        **more,
        **(judged.card if judged else {}),
        **({"parameters": parameters(fitted)} if fitted else {}),
    }
    row |= {
        "model_id": f"giving.{giving}",
        "purpose": "who will give again, how often and how much",
        "population": "people who have given",
        "as_of": as_of,
        "learner": {"bg_nbd": "BG/NBD", "bg_bb": "BG/BB"}[fitted.kind] if fitted else "none",
        "n_people": n_people,
        "rule": rule,
        **(judged.columns if judged else {}),
        "published": better,
        "card": json.dumps(card),
        "reason": why,
    }
    if why is None and not better:
        row["reason"] = f"it does not beat the rule of thumb {rule} on days it had not seen"
    return row
