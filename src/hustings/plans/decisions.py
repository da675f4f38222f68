"""The plan and its options ─► one decision, put so that it can be taken, and later be held against what came."""

from __future__ import annotations

import datetime
import json
from typing import Any

from hustings.fingerprint import digest
from hustings.plans.choices import Action
from hustings.tables import spec

WORDS = {
    "added_ballots": "added ballots",
    "net_votes": "net votes",
    "win": "points of the probability of winning",
}
"""What gains count, in words; a probability is told in points."""


def decision_rows(
    plan_id: str,
    as_of: datetime.date,
    options: dict[str, list[Any]],
    actions: list[Action],
    why_nothing: str | None,
    *,
    detectable: float | None,
    available_on: datetime.date | None,
    digest_of: tuple[Any, ...],
    notes: tuple[str, ...] = (),
    holdout_cost: float | None = None,
    n_held_out: int | None = None,
) -> dict[str, list[Any]]:
    """One row of `decisions`; the same proposal on the same evidence, made twice in a day, has one id.

    Args:
        plan_id: The plan.
        as_of: Its day.
        options: The rows of `options`.
        actions: The plan's actions.
        why_nothing: Why nothing should be done, or None.
        detectable: Effect per person that the control group can show.
        available_on: When the outcome will be known.
        digest_of: What else makes the proposal what it is: budget, share held out, what every option brings.
        notes: What else the director should know, each a sentence.
        holdout_cost: What holding the control group back costs.
        n_held_out: Households chosen and held back.

    Returns:
        Every column of `decisions`, one row.
    """
    rows = [dict(zip(options, values, strict=True)) for values in zip(*options.values(), strict=True)]
    valued = [row for row in rows if row["estimator"] == "aipw"]
    plan = next(row for row in valued if row["option"] == "plan")
    rules = [row for row in valued if not row["option"].startswith("plan") and row["reason"] is None]
    rule = max(rules, key=lambda row: row["gain"], default=None)
    nothing = why_nothing is not None
    advice = f"Send nothing: {why_nothing}." if nothing else _advice(plan, rule, plan_id)
    row = {
        "decision_id": digest(
            plan_id, str(as_of), *map(str, digest_of), *(a.name for a in actions if a.allowed)
        ),
        "plan_id": plan_id,
        "as_of": as_of,
        "question": f"Send {plan['n_households']:,} pieces of {plan_id}?",
        "recommendation": " ".join([advice, *notes]),
        "expected": None if nothing else plan["gain"],
        "low": None if nothing else plan["low"],
        "high": None if nothing else plan["high"],
        "cost_cents": 0.0 if nothing else plan["cost_cents"],
        "rule": rule["option"] if rule else None,
        "rule_expected": rule["gain"] if rule else None,
        "options": json.dumps(valued, default=str),
        "detectable_effect": detectable,
        "available_on": available_on,
        "unit": plan["unit"],
        "std_error": None if nothing else plan["std_error"],
        "holdout_cost": None if nothing else holdout_cost,
        "n_held_out": None if nothing else n_held_out,
    }
    return {name: [row[name]] for name in spec("decisions").names}


def _advice(plan: dict[str, Any], rule: dict[str, Any] | None, plan_id: str) -> str:
    """What to do, what it brings, and whether choosing by person is proven to be worth the trouble."""
    unit = plan["unit"]
    text = (
        f"Send {plan['n_households']:,} pieces of {plan_id} as listed: {counted(plan['gain'], unit, plus=False)} "
        f"{WORDS[unit]} (95 % interval {counted(plan['low'], unit, plus=False)} to "
        f"{counted(plan['high'], unit, plus=False)})."
    )
    if plan["low"] <= 0:
        text += " That rests on the literature and is not certain: hold people out, and measure it."
    if rule is None:
        return text
    difference = (
        f"{counted(rule['advantage'], unit)} at the same cost "
        f"({counted(rule['advantage_low'], unit)} to {counted(rule['advantage_high'], unit)})"
    )
    if rule["advantage_low"] > 0:
        return f"{text} That beats the best simple rule, {rule['option']}: {difference}."
    if rule["advantage_high"] < 0:
        return f"{text} The simple rule {rule['option']} is better: {difference}. Use it instead."
    return (
        f"{text} Choosing by person is not proven better than the simple rule {rule['option']}: {difference}."
    )


def counted(number: float, unit: str, *, plus: bool = True) -> str:
    """A gain as people say it: whole votes, or points of a probability with one decimal.

    >>> counted(-1513.2, "net_votes"), counted(0.0214, "win", plus=False)
    ('−1,513', '2.1')
    """
    shown, digits = (100 * number, 1) if unit == "win" else (number, 0)
    return f"{shown:{'+' if plus else ''},.{digits}f}".replace("-", "−")
