"""The plan and the rules of thumb it replaces, at one budget, each with what it is worth ─► rows of `options`."""

from __future__ import annotations

from typing import Any

from hustings.plans.choices import Action
from hustings.plans.known import Gains
from hustings.plans.valuing import Told, Way, advantage, people_reached, value, votes
from hustings.tables import spec

ESTIMATORS = ("aipw", "ipw")


def option_rows(
    plan_id: str, unit: str, ways: list[Way], gains: Gains, actions: list[Action], gap: float | None
) -> dict[str, list[Any]]:
    """The rows of `options`; the first way is the plan itself."""
    rows: dict[str, list[Any]] = {name: [] for name in spec("options").names}
    for estimator in ESTIMATORS:
        values = [value(gains, actions, way, estimator) for way in ways]
        for way, told in zip(ways, values, strict=True):
            row: dict[str, Any] = {
                "plan_id": plan_id,
                "option": way.name,
                "estimator": estimator,
                "about": way.about,
                "unit": unit,
            }
            row |= {"n_people": people_reached(gains, way), "n_households": way.homes, "cost_cents": way.cost}
            row |= _numbers(way, told, values[0]) | {"votes": votes(gains, actions, way)}
            row |= {"gap": gap if way.name == "plan" else None, "reason": way.reason or told.reason}
            for name, values_of in rows.items():
                values_of.append(row[name])
    return rows


def _numbers(way: Way, told: Told, plan: Told) -> dict[str, Any]:
    per = 100_000 / way.cost if way.cost else None
    ahead = advantage(plan, told) if way.name != "plan" else (None, None, None)
    return {
        "gain": told.estimate,
        "std_error": told.std_error,
        "low": told.low,
        "high": told.high,
        "per_1000": told.estimate * per if per else None,
        "per_1000_low": told.low * per if per else None,
        "per_1000_high": told.high * per if per else None,
        "advantage": ahead[0],
        "advantage_low": ahead[1],
        "advantage_high": ahead[2],
        "predicted": told.predicted,
        "tested": told.tested,
    }
