"""The plan itself, what it would be if all were approved, and the rules of thumb: ways to spend one budget."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from hustings.plans.choices import Action, Booleans, Floats, by_lot
from hustings.plans.control import Control
from hustings.plans.known import Gains
from hustings.plans.offered import ONLY_IF, plan_curve
from hustings.plans.rules import best_action, by_order, orders
from hustings.plans.solving import Chosen, Limits, choose, replies
from hustings.plans.valuing import Way


class Ground(NamedTuple):
    """Everything that a way of spending the budget is chosen from.

    Attributes:
        gains: The people and what is known of them.
        actions: The plan's actions.
        works: (a,) whether each can be done, and is not known to work for no one.
        limits: What every way keeps to.
        control: Who is held out.
        gain: (h, a) what each action gains by each household.
        may: (h, a) whether the household may get it.
    """

    gains: Gains
    actions: list[Action]
    works: Booleans
    limits: Limits
    control: Control
    gain: Floats
    may: Booleans

    @property
    def approved(self) -> Booleans:
        """(a,) whether each action may be recommended."""
        return self.works & np.array([action.allowed for action in self.actions], bool)

    def chosen(self, allowed: Booleans, limits: Limits) -> Chosen:
        """The best plan of some of the actions."""
        return choose(self.gain, self.may & allowed, self.actions, limits, self.control.held)

    def way(self, name: str, about: str, allowed: Booleans, limits: Limits, chosen: Chosen) -> Way:
        """A rule of prices, applied to the tests' people by effects learned without them, and its curve."""
        in_trials = []
        for trial in self.gains.trials:
            home = trial.households.by_household(trial.households.effect, self.actions)
            may = trial.households.may(len(self.actions)) & allowed
            may &= ~np.isin(np.arange(len(self.actions)), chosen.closed)
            own = (chosen.turf_price[trial.of_plan], limits.cap[trial.of_plan])
            in_trials.append(replies(by_lot(home), may, self.actions, chosen, *own))
        sent = np.where(chosen.held_out[:, None], -1, chosen.contact)
        if name == ONLY_IF:
            return Way(name, about, sent, tuple(in_trials), chosen.spent)
        free = ~self.control.held
        given = (self.gain[free], (self.may & allowed)[free], self.actions, limits.of(free), chosen.spent)
        return Way(name, about, sent, tuple(in_trials), chosen.spent, plan_curve(*given))


def if_approved(ground: Ground) -> list[Way]:
    """What could be done if every action were approved; nothing where that is no more."""
    if not (ground.works & ~ground.approved).any():
        return []
    chosen = ground.chosen(ground.works, ground.limits)
    about = "the contacts that gain most for the money, if every action were approved"
    return [ground.way(ONLY_IF, about, ground.works, ground.limits, chosen)]


def rules_of_thumb(
    ground: Ground, lifts: dict[str, float], habits: tuple[Floats, ...], basis: str, money: float
) -> list[Way]:
    """What the plan replaces, at its cost: the best action in a simple order, or all money into one channel.

    Args:
        ground: What is chosen from.
        lifts: Lift of each arm by intention to treat, where one test measured all actions.
        habits: (h,) mean turnout in the past, of each household of the plan, then of each test.
        basis: What that is, in words.
        money: What the plan spends, in cents: all are compared at one cost.

    Returns:
        The rules; none when no action is approved.
    """
    actions, control = ground.actions, ground.control
    allowed = np.flatnonzero(ground.approved).tolist()
    if not allowed:
        return []
    alone = _one_channel(ground, money)
    best = best_action(ground.gains, actions, allowed, lifts, money)
    if alone is not None:
        best = int(np.bincount(alone[1].contact[alone[1].contact >= 0], minlength=1).argmax())
    free = np.flatnonzero(~control.held & ~control.barred)
    lists = orders(ground.gains, habits, basis)
    found = [by_order(ground.gains, actions, best, one, money, ground.limits, free) for one in lists]
    doors = [j for j in allowed if actions[j].channel == "door"]
    if doors and actions[best].channel != "door":
        way = by_order(ground.gains, actions, doors[0], lists[-1], money, ground.limits, free)
        found.append(way._replace(name=f"doors, {way.name}"))
    if alone is not None:
        own, chosen, limits = alone
        channel = actions[best].channel
        about = f"all the money into {channel}, the best single channel"
        found.append(ground.way(f"{channel} alone", about, own, limits, chosen))
    return found


def _one_channel(ground: Ground, money: float) -> tuple[Booleans, Chosen, Limits] | None:
    """The plan that gains most by one channel alone, of several: its actions, whom it takes, its limits."""
    channels = np.array([action.channel for action in ground.actions])
    limits = ground.limits._replace(budget=money, must=())
    found: list[tuple[float, Booleans, Chosen]] = []
    for channel in np.unique(channels[ground.approved]):
        own = ground.approved & (channels == channel)
        chosen = ground.chosen(own, limits)
        sent = np.where(chosen.held_out[:, None], -1, chosen.contact)
        gain = np.take_along_axis(ground.gain, np.maximum(sent, 0), axis=1)
        found.append((float(gain[sent >= 0].sum()), own, chosen))
    if len(found) < 2:
        return None
    _, own, chosen = max(found, key=lambda one: one[0])
    return (own, chosen, limits) if (chosen.contact >= 0).any() else None
