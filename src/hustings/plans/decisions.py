"""The plan and its options ─► one decision, put so that it can be taken, and later be held against what came."""

from __future__ import annotations

import datetime
import json
from typing import Any

from hustings.fingerprint import digest
from hustings.plans.choices import Action
from hustings.tables import spec


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

    Returns:
        Every column of `decisions`, one row.
    """
    rows = [dict(zip(options, values, strict=True)) for values in zip(*options.values(), strict=True)]
    valued = [row for row in rows if row["estimator"] == "aipw"]
    plan = next(row for row in valued if row["option"] == "plan")
    rules = [row for row in valued if not row["option"].startswith("plan") and row["reason"] is None]
    rule = max(rules, key=lambda row: row["added_ballots"], default=None)
    nothing = why_nothing is not None
    row = {
        "decision_id": digest(
            plan_id, str(as_of), *map(str, digest_of), *(a.name for a in actions if a.allowed)
        ),
        "plan_id": plan_id,
        "as_of": as_of,
        "question": f"Send {plan['n_households']:,} pieces of {plan_id}?",
        "recommendation": f"Send nothing: {why_nothing}." if nothing else _advice(plan, rule, plan_id),
        "unit": "added_ballots",
        "expected": None if nothing else plan["added_ballots"],
        "low": None if nothing else plan["low"],
        "high": None if nothing else plan["high"],
        "cost_cents": 0.0 if nothing else plan["cost_cents"],
        "rule": rule["option"] if rule else None,
        "rule_expected": rule["added_ballots"] if rule else None,
        "options": json.dumps(valued, default=str),
        "detectable_effect": detectable,
        "available_on": available_on,
    }
    return {name: [row[name]] for name in spec("decisions").names}


def _advice(plan: dict[str, Any], rule: dict[str, Any] | None, plan_id: str) -> str:
    """What to do, what it brings, and whether choosing by person is proven to be worth the trouble."""
    text = (
        f"Send {plan['n_households']:,} pieces of {plan_id} as listed: {plan['added_ballots']:,.0f} added ballots "
        f"(95 % interval {_signed(plan['low'], plus=False)} to {_signed(plan['high'], plus=False)})."
    )
    if rule is None:
        return text
    difference = (
        f"{_signed(rule['advantage'])} at the same cost "
        f"({_signed(rule['advantage_low'])} to {_signed(rule['advantage_high'])})"
    )
    if rule["advantage_low"] > 0:
        return f"{text} That beats the best simple rule, {rule['option']}: {difference}."
    if rule["advantage_high"] < 0:
        return f"{text} The simple rule {rule['option']} is better: {difference}. Use it instead."
    return (
        f"{text} Choosing by person is not proven better than the simple rule {rule['option']}: {difference}."
    )


def _signed(number: float, *, plus: bool = True) -> str:
    """A whole number with its sign.

    >>> _signed(-1513.2), _signed(12.0)
    ('−1,513', '+12')
    """
    return f"{number:{'+' if plus else ''},.0f}".replace("-", "−")
