"""What tests say of a plan's actions: which cannot be read, which work for no one, and when nothing is to be done."""

from __future__ import annotations

import datetime
import json
from typing import Any

import numpy as np

from hustings.plans.choices import Action, Booleans, Floats
from hustings.plans.known import Gains, People
from hustings.plans.valuing import Told, Way
from hustings.stage import Table
from hustings.tables import spec
from hustings.warehouse import arrays, codes


def unreadable(models: Table, tests: set[str]) -> dict[str, str]:
    """Why tests have no effects yet, as far as they have none: sealed, or with an empty arm."""
    ids = [f"effects.{test}" for test in sorted(tests)]
    told = arrays(models.filter(models.model_id.isin(ids)), "model_id", "reason")
    return {
        model.removeprefix("effects."): reason
        for model, reason in zip(told["model_id"].tolist(), told["reason"].tolist(), strict=True)
        if reason
    }


def for_no_one(models: Table, tests: set[str]) -> set[tuple[str, str]]:
    """The tests' arms of which the verdict is that they work for no one."""
    ids = [f"effects.{test}" for test in sorted(tests)]
    told = arrays(models.filter(models.model_id.isin(ids)), "model_id", "card")
    return {
        (model.removeprefix("effects."), arm["arm"])
        for model, card in zip(told["model_id"].tolist(), told["card"].tolist(), strict=True)
        for arm in json.loads(card).get("arms", [])
        if arm.get("verdict", {}).get("word") == "no one"
    }


def nothing(plan_id: str, unit: str, as_of: datetime.date, why: str) -> dict[str, Any]:
    """A plan that is nobody, and says why; no household is drawn for it."""
    row: dict[str, Any] = dict.fromkeys(spec("options").names)
    row |= {"plan_id": plan_id, "option": "plan", "estimator": "aipw", "about": "nothing yet", "reason": why}
    row |= {"n_people": 0, "n_households": 0, "cost_cents": 0.0, "unit": unit}
    offer: dict[str, Any] = dict.fromkeys(spec("offers").names)
    offer |= {"offer": f"contact_plan.{plan_id}", "way": "plan", "step": 0, "unit": unit, "cost_cents": 0.0}
    offer |= {"tested": False, "as_of": as_of, "reason": why}
    empty: dict[str, Any] = {
        name: {c: [] for c in spec(name).names} for name in ("contact_plan", "holdouts", "decisions")
    }
    return empty | {
        "options": {name: [value] for name, value in row.items()},
        "offers": {name: [value] for name, value in offer.items()},
    }


def why_nothing(
    way: Way, told: Told, gains: Gains, actions: list[Action], works: Booleans, budget: int
) -> str | None:
    """Why the plan is to do nothing, or None when doing it is better than not."""
    approved = works & np.array([action.allowed for action in actions], bool)
    # A test that shows nothing is an answer. The literature's error is no such answer: it is not this campaign's.
    unproven = told.low <= 0 if not told.beliefs else told.estimate <= 0
    cannot = "the gain of people it was not fitted to cannot be told from none: nothing beats doing nothing"
    cases = (
        (not works.any(), _why_none_works(gains, actions)),
        (not approved.any(), "no action is approved"),
        (budget == 0, "the budget is 0"),
        (way.pieces == 0, _why_nobody(gains, actions, approved)),
        (bool(told.reason), told.reason),
        (unproven, cannot if not told.beliefs else "it is expected to lose more than it gains"),
    )
    return next((why for true, why in cases if true), None)


def _why_nobody(gains: Gains, actions: list[Action], approved: Booleans) -> str:
    if not gains.plan.n:
        return "nobody can be reached by any of its actions"
    home = gains.plan.by_household(gains.plan.effect, actions)
    best = np.where(approved & gains.plan.may(len(actions)), home, -np.inf).max(initial=-np.inf)
    if not np.isfinite(best):
        return "nobody can be reached by any of its approved actions"
    if best <= 0:
        return "every approved action is expected to do harm or nothing, to everyone"
    return "no approved action is expected to gain anything anywhere at this budget and within these limits"


def lifts_of(lifts: Table, gains: Gains, outcome: str) -> dict[str, float]:
    """The lift of each arm by intention to treat, where one test measured all actions: empty otherwise."""
    if len(gains.trials) != 1 or len(gains.trials[0].own) < len(gains.basis):
        return {}
    told = (lifts.experiment == gains.trials[0].experiment) & (lifts.outcome == outcome)
    rows = lifts.filter(told & (lifts.estimator == "intention_to_treat")).to_pyarrow().to_pylist()
    return {row["arm"]: row["estimate"] for row in rows if row["estimate"] is not None}


def habits(
    features: Table, gains: Gains, people: People, as_of: datetime.date
) -> tuple[tuple[Floats, ...], str]:
    """(h,) mean share of past elections voted in, of each household of the plan and of each test, and what it is.

    Of a test as of its draw, and never a score there: one that has learned from the test's control people ranks each
    of them by the outcomes of the others of their place, which makes the outcomes of those it ranks high seem low.
    """
    rows = features.filter((features.as_of <= as_of) & features.share_voted.notnull())
    newest = rows.group_by("person_id").agg(value=rows.share_voted.argmax(rows.as_of))
    told = arrays(newest, "person_id", "value")
    if not len(told["person_id"]):
        likely = people.turnout if people.turnout is not None else np.full(len(people.worth), 0.5)
        told = {"person_id": gains.plan.person_id, "value": likely}
    basis = "the share of past elections voted in" if len(told["value"]) else "nothing"
    found = []
    for one in (gains.plan, *(trial.households for trial in gains.trials)):
        at = codes(one.person_id, told["person_id"]).codes
        values = np.asarray(told["value"], np.float64)
        own = np.where(at >= 0, values[at], values.mean()) if len(values) else np.zeros(len(at))
        found.append(
            np.bincount(one.household, own, one.n)
            / np.maximum(np.bincount(one.household, minlength=one.n), 1)
        )
    return tuple(found), basis


def _why_none_works(gains: Gains, actions: list[Action]) -> str:
    unknown = [basis.why for basis in gains.basis if basis.why]
    if len(unknown) == len(actions):
        return unknown[0] or ""
    if all(basis.experiment for basis in gains.basis) and not any(action.sent_on for action in actions):
        return "the test's verdict on every action is that it works for no one"
    return "every action works for no one, is unknown, or its day is past"
