"""The plan and the rules of thumb it replaces, at one budget, each valued on people it was not fitted to."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from hustings import stats
from hustings.plans.choices import Action, Floats, Households
from hustings.tables import spec

ESTIMATORS = ("aipw", "ipw")


class Option(NamedTuple):
    """One way to spend the budget, and whom it would choose in the test.

    Attributes:
        name: As in `options`.
        about: What it does, in a sentence.
        action: (h,) what it takes in each household of the test: an action's number, or -1.
        pieces: How many households it reaches in the plan.
        people: How many people live there.
        cost: In cents.
        predicted: What the model's predictions add up to, or None.
        reason: Why there is nothing to value, or None.
    """

    name: str
    about: str
    action: npt.NDArray[np.int64]
    pieces: int
    people: int
    cost: float
    predicted: float | None = None
    reason: str | None = None


def readings(trial: Households, actions: list[Action], option: Option, estimator: str) -> Floats:
    """(h,) the reading of what an option would do in each household of the test; 0 where it does nothing."""
    assert trial.readings is not None  # the test's own people always have readings
    sums = trial.by_household(trial.readings[estimator], actions)
    taken = np.take_along_axis(sums, np.maximum(option.action, 0)[:, None], axis=1)[:, 0]
    return np.where(option.action >= 0, taken, 0.0)


def value(trial: Households, actions: list[Action], option: Option, estimator: str) -> stats.policy.RuleValue:
    """What an option is worth, by the outcomes of the test."""
    found = readings(trial, actions, option, estimator)
    return stats.policy.rule_value(found, option.action >= 0, option.pieces)


def option_rows(
    plan_id: str, options: list[Option], trial: Households, actions: list[Action]
) -> dict[str, list[Any]]:
    """The rows of `options`; the first option is the plan itself."""
    rows: dict[str, list[Any]] = {name: [] for name in spec("options").names}
    for estimator in ESTIMATORS:
        values = [value(trial, actions, option, estimator) for option in options]
        for option, found in zip(options, values, strict=True):
            for name, item in _row(plan_id, estimator, option, found, values[0]).items():
                rows[name].append(item)
    return rows


def _row(
    plan_id: str, estimator: str, option: Option, found: stats.policy.RuleValue, plan: stats.policy.RuleValue
) -> dict[str, Any]:
    per = 100_000 / option.cost if option.cost else None
    ahead = stats.policy.advantage(plan, found)
    return {
        "plan_id": plan_id,
        "option": option.name,
        "estimator": estimator,
        "about": option.about,
        "n_people": option.people,
        "n_households": option.pieces,
        "cost_cents": option.cost,
        "added_ballots": found.estimate,
        "std_error": found.std_error,
        "low": found.low,
        "high": found.high,
        "per_1000": found.estimate * per if per else None,
        "per_1000_low": found.low * per if per else None,
        "per_1000_high": found.high * per if per else None,
        "advantage": ahead[0] if option.name != "plan" else None,
        "advantage_low": ahead[1] if option.name != "plan" else None,
        "advantage_high": ahead[2] if option.name != "plan" else None,
        "predicted": option.predicted,
        "reason": option.reason or found.reason,
    }


def rules_of_thumb(
    plan: Households,
    trial: Households,
    actions: list[Action],
    lifts: dict[str, float],
    turnout: Floats,
    budget: float,
    free: int,
    basis: str,
) -> list[Option]:
    """What the plan replaces: the best approved action sent at random, or by a simple order of households.

    The action is the one with the highest lift per cent spent, read from the same test: that flatters the
    rules of thumb, if anything.

    Args:
        plan: The people of the plan.
        trial: The people of the test.
        actions: The plan's actions.
        lifts: Lift of each arm by intention to treat.
        turnout: (h,) mean chance of voting in each household of the test.
        budget: What the plan spends, in cents: all are compared at one cost.
        free: Households of the plan that are not held out.
        basis: What `turnout` is, in words.

    Returns:
        Four options; none when no action is approved.
    """
    approved = [j for j, action in enumerate(actions) if action.allowed]
    if not approved:
        return []
    best = max(approved, key=lambda j: lifts.get(actions[j].arm, -np.inf) / max(actions[j].cost, 1e-9))
    cost = actions[best].cost
    pieces = free if cost == 0 else int(min(free, budget // cost))
    share = pieces / max(plan.n, 1)
    said = f"{actions[best].name} (the best approved action)"

    size = np.bincount(trial.household, minlength=trial.n).astype(float)

    def option(name: str, whom: str, score: Floats | None) -> Option:
        chosen = np.ones(trial.n, bool) if score is None else _top(score, share)
        people = round(pieces * size[chosen].mean()) if chosen.any() else 0
        return Option(name, f"{said} {whom}", np.where(chosen, best, -1), pieces, people, pieces * cost)

    return [
        option("random", "to households drawn at random", None),
        option("likeliest voters first", f"to those likeliest to vote by {basis}", turnout),
        option(
            "middling turnout first",
            f"to those whose chance by {basis} is nearest to one half",
            -np.abs(turnout - 0.5),
        ),
        option("largest households first", "to the households in which most people live", size),
    ]


def _top(score: Floats, share: float) -> npt.NDArray[np.bool_]:
    """The share of households with the highest score; ties in the order of their ids."""
    n = round(share * len(score))
    chosen = np.zeros(len(score), bool)
    chosen[np.argsort(-score, kind="stable")[:n]] = True
    return chosen
