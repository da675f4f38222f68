"""A chosen plan ─► its list, what binds it, and what its control group costs."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from hustings.plans.choices import Action, Floats
from hustings.plans.control import Control
from hustings.plans.known import Gains
from hustings.plans.reach import Reach
from hustings.plans.solving import Chosen
from hustings.tables import spec


def notes(actions: list[Action], chosen: Chosen, control: Control, reach: Reach) -> tuple[str, ...]:
    """What binds the plan, what was left out, and what its control group can tell: a sentence each."""
    found = []
    full = [
        name for name, (used, limit) in chosen.used.items() if "budget" not in name and used >= 0.99 * limit
    ]
    if full:
        found.append(f"What binds besides money: {', '.join(full)}.")
    if chosen.closed:
        names = ", ".join(actions[j].name for j in chosen.closed)
        found.append(f"Left out, since the list would be shorter than its smallest: {names}.")
    if reach.left_out["has voted"]:
        found.append(f"{reach.left_out['has voted']:,} people who have voted are left out.")
    return (*found, *control.notes)


def holdout_cost(gain: Floats, actions: list[Action], chosen: Chosen) -> float:
    """What the households held back would have gained beyond what their money gains elsewhere, at the plan's prices."""
    held = chosen.held_out
    taken = chosen.contact[held]
    doors = np.array([action.channel == "door" for action in actions])
    value = gain[held] - chosen.price - doors * chosen.turf_price[held][:, None]
    values = np.take_along_axis(value, np.maximum(taken, 0), axis=1)
    return float(np.where(taken >= 0, values, 0.0).sum())


def list_rows(plan_id: str, unit: str, gains: Gains, actions: list[Action], done: Chosen) -> dict[str, Any]:
    """The rows of `contact_plan`: everyone whom a chosen contact reaches, control included and marked."""
    plan = gains.plan
    taken = done.contact[plan.household]
    who, place = np.nonzero(taken >= 0)
    action = taken[who, place]
    live = np.ones(len(who), bool) if plan.open is None else plan.open[who, action]
    who, action = who[live], action[live]
    held = done.held_out[plan.household[who]]
    cost = np.array([a.cost for a in actions])
    addressee = plan.addressee[who, action]
    labels = np.array(plan.labels, dtype=object)

    def of_action(values: list[Any]) -> npt.NDArray[Any]:
        column = np.empty(len(values), object)
        column[:] = values
        return column[action]

    rows = {
        "plan_id": np.full(len(who), plan_id, dtype=object),
        "person_id": plan.person_id[who],
        "household_id": labels[plan.household[who]] if len(labels) else np.empty(0, object),
        "action": of_action([a.name for a in actions]),
        "held_out": held,
        "is_addressee": addressee,
        "cost_cents": np.where(addressee & ~held, cost[action], 0.0),
        "added_ballots": gains.ballots[who, action],
        "std_error": plan.std_error[who, action],
        "net_votes": None if gains.net_votes is None else gains.net_votes[who, action],
        "gain": plan.effect[who, action],
        "unit": np.full(len(who), unit, dtype=object),
        "channel": of_action([a.channel for a in actions]),
        "sent_on": of_action([a.sent_on for a in actions]),
        "evidence": of_action([basis.evidence for basis in gains.basis]),
    }
    if rows["net_votes"] is None:
        rows["net_votes"] = np.full(len(who), np.nan)
    return {name: rows[name] for name in spec("contact_plan").names}
