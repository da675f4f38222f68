"""The rules of thumb that a plan of contact replaces, at the plan's cost and within its limits."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from hustings.plans.choices import Action, Floats, Integers
from hustings.plans.known import Gains
from hustings.plans.solving import Limits
from hustings.plans.valuing import Way


class Order(NamedTuple):
    """In which order a rule of thumb takes households: the highest first.

    Attributes:
        name: As in `options`.
        whom: In words, after the action.
        plan: (h,) of each household of the plan.
        trials: (h,) of each household of each test.
    """

    name: str
    whom: str
    plan: Floats
    trials: tuple[Floats, ...]


def orders(gains: Gains, habits: tuple[Floats, ...], basis: str) -> list[Order]:
    """The simple orders: anyone, the likeliest voters, those in the middle, the largest households, our supporters.

    Args:
        gains: The people.
        habits: (h,) mean turnout of each household of the plan, then of each test; NaN where it is not known.
        basis: What that is, in words.
    """
    everyone = [gains.plan, *(trial.households for trial in gains.trials)]
    sizes = [np.bincount(one.household, minlength=one.n).astype(float) for one in everyone]
    lots = [np.random.default_rng(0).random(one.n) for one in everyone]

    def order(name: str, whom: str, scores: list[Floats]) -> Order:
        return Order(name, whom, scores[0], tuple(scores[1:]))

    found = [
        order("random", "to households drawn at random", lots),
        order("likeliest voters first", f"to those likeliest to vote by {basis}", list(habits)),
        order(
            "middling turnout first",
            f"to those whose chance by {basis} is nearest to one half",
            [-np.abs(habit - 0.5) for habit in habits],
        ),
        order("largest households first", "to the households in which most people live", sizes),
    ]
    if gains.people.support is None:
        return found
    support = np.bincount(gains.plan.household, gains.people.support, gains.plan.n) / np.maximum(sizes[0], 1)
    sides = [support, *(support[trial.of_plan] for trial in gains.trials)]
    likely = [
        np.where(side >= 0.6, 1.0, 0.0) - np.abs(habit - 0.5)
        for side, habit in zip(sides, habits, strict=True)
    ]
    said = f"to likely supporters (60 of 100 or more) of middling turnout by {basis}"
    return [*found, order("supporters of middling turnout", said, likely)]


def by_order(
    gains: Gains, actions: list[Action], j: int, order: Order, money: float, limits: Limits, free: Integers
) -> Way:
    """One action, in one order, until the money, the minutes, the pieces or the doors are used up.

    In a test the same share of the households is taken from the top.

    Args:
        gains: The people.
        actions: The plan's actions.
        j: The action.
        order: The order.
        money: In cents.
        limits: What binds the plan binds the rule.
        free: Households of the plan that are not held out.
    """
    action, width = actions[j], len(actions)
    may = gains.plan.may(width)[:, j]
    ranked = free[may[free] & (limits.cap[free] > 0)]
    ranked = ranked[np.argsort(-order.plan[ranked], kind="stable")]
    if action.channel == "door" and limits.capacity.size:
        ranked = _within_capacity(ranked, limits)
    most = len(ranked) if action.cost == 0 else int(min(len(ranked), money // action.cost))
    if action.channel in limits.minutes and action.minutes:
        most = min(most, int(limits.minutes[action.channel] // action.minutes))
    most = most if action.most is None else min(most, action.most)
    contact = np.full((gains.plan.n, 1), -1)
    contact[ranked[:most], 0] = j
    share = most / max(int(may.sum()), 1)
    in_trials = []
    for score in order.trials:
        chosen = _top(score, 1.0 if order.name == "random" else share)
        in_trials.append(np.where(chosen, j, -1)[:, None])
    gain = np.maximum.accumulate(np.cumsum(gains.plan.by_household(gains.plan.effect, actions)[ranked, j]))
    curve = np.append(0.0, action.cost * np.arange(1, len(ranked) + 1)), np.append(0.0, gain)
    reason = None if most else f"nobody can be reached by {action.name} within the limits"
    about = f"{action.name} {order.whom}"
    return Way(order.name, about, contact, tuple(in_trials), most * action.cost, curve, reason)


def best_action(
    gains: Gains, actions: list[Action], allowed: list[int], lifts: dict[str, float], money: float
) -> int:
    """The action that brings most for all the money, sent to anyone: by the lift of its arm, or what is believed of it.

    Read from the same evidence as the plan, that flatters the rules of thumb, if anything.
    """
    home = gains.plan.by_household(gains.plan.effect, actions)
    may = gains.plan.may(len(actions))

    def in_all(j: int) -> float:
        reached = home[may[:, j], j]
        mean = float(reached.mean()) if reached.size else -np.inf
        mean = lifts.get(actions[j].arm, -np.inf) if lifts else mean
        return mean * min(reached.size, money / max(actions[j].cost, 1e-9))

    return max(allowed, key=in_all)


def _within_capacity(ranked: Integers, limits: Limits) -> Integers:
    """The first households of each place, as many as its doors can be knocked on."""
    turf = limits.turf[ranked]
    inside = turf >= 0
    ranked, turf = ranked[inside], turf[inside]
    place = np.argsort(turf, kind="stable")
    sizes = np.bincount(turf, minlength=limits.capacity.size)
    rank = np.empty(len(turf), np.int64)
    rank[place] = np.arange(len(turf)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return ranked[rank < limits.capacity[turf]]


def _top(score: Floats, share: float) -> np.ndarray:
    """The share of households with the highest score; ties in the order of their ids."""
    n = round(share * len(score))
    chosen = np.zeros(len(score), bool)
    chosen[np.argsort(-score, kind="stable")[:n]] = True
    return chosen
