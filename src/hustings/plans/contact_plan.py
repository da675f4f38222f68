"""Effects, costs and a budget ─► who gets what, what it is worth, and whom to leave alone to find out.

The plan takes the best action in each household whose predicted gain for a cent is above one price, the
price at which the budget is spent. A share of the chosen households is drawn into a control group. The gain
that is told is never the sum of predictions: the same rule is applied to the test's people, by effects learned
without them, and valued by what they did.
"""

from __future__ import annotations

import datetime
import json
from typing import Annotated, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from hustings import stats
from hustings.errors import DesignError
from hustings.plans.choices import Action, Floats, Households, at_price, households, read_actions, willing
from hustings.plans.decisions import decision_rows
from hustings.plans.options import Option, option_rows, rules_of_thumb, value
from hustings.stage import About, Result, Table, stage
from hustings.tables import spec
from hustings.warehouse import arrays, codes


class Chosen(NamedTuple):
    """Who gets what.

    Attributes:
        action: (h,) number of the action in each household of the plan, or -1.
        held_out: (h,) whether the household was drawn into the control group.
        price: Ballots that a cent must bring.
        spent: In cents.
    """

    action: npt.NDArray[np.int64]
    held_out: npt.NDArray[np.bool_]
    price: float
    spent: float


@stage(writes=("contact_plan", "options", "holdouts", "decisions"), each="plan_id")
def plan_contacts(
    effects: Table,
    actions: Table,
    lifts: Table,
    people: Table,
    identities: Table,
    opt_outs: Table,
    outcomes: Table,
    features: Table,
    holdouts: Table,
    models: Table,
    *,
    plan_id: str,
    outcome: Annotated[str, About("The outcome that counts as a ballot.")],
    action_names: Annotated[list[str], About("The actions to choose from; all measured by one test.")],
    budget_cents: Annotated[int, About("What may be spent, in cents.", ge=0)],
    hold_out: Annotated[float, About("Share of the chosen households kept as control.", ge=0, le=0.5)] = 0.05,
    available_on: Annotated[datetime.date | None, About("When the outcome will be known.")] = None,
    as_of: Annotated[datetime.date, About("The day of the plan.")],
    rng: np.random.Generator,
) -> Result:
    """The list, the options beside it, the draw of the control group, and the decision to be taken."""
    experiment, offered = read_actions(actions, action_names, plan_id)
    measured = effects.filter((effects.experiment == experiment) & (effects.outcome == outcome))
    if (unknown := _why_unknown(models, experiment)) is not None:
        return _nothing(plan_id, unknown)
    reachable = willing(people, opt_outs, identities, {action.channel for action in offered})
    plan = households(measured, reachable, offered, tested=False, as_of=as_of)
    trial = households(measured, reachable, offered, tested=True, as_of=as_of)
    held, draws = _draw(holdouts, plan, plan_id, as_of, hold_out, rng)
    idle = _for_no_one(models, experiment)
    works = np.array([action.arm not in idle for action in offered])
    allowed = np.array([action.allowed for action in offered]) & works
    chosen = choose(plan, offered, allowed, budget_cents, held)
    everything = choose(plan, offered, works, budget_cents, held)
    turnout, basis = _turnout(features, measured, trial)
    mine = _option(
        "plan", "the best approved action where a cent brings most", plan, trial, offered, allowed, chosen
    )
    options = [mine]
    if (works & ~allowed).any():
        about = "the best action where a cent brings most, if every action were approved"
        options.append(_option("plan if all approved", about, plan, trial, offered, works, everything))
    free = int((~held).sum())
    spent = mine.cost if mine.pieces else budget_cents
    options += rules_of_thumb(
        plan, trial, offered, _lifts(lifts, experiment, outcome), turnout, spent, free, basis
    )
    why = None if works.any() else "the test's verdict on every action is that it works for no one"
    why = why or _why_nothing(mine, trial, offered, allowed, budget_cents)
    options[0] = mine._replace(reason=why)
    rows = option_rows(plan_id, options, trial, offered)
    done = chosen if why is None else chosen._replace(action=np.full(plan.n, -1))
    return {
        "contact_plan": _list_rows(plan_id, plan, offered, done),
        "options": rows,
        "holdouts": draws,
        "decisions": decision_rows(
            plan_id,
            as_of,
            rows,
            offered,
            why,
            detectable=_detectable(outcomes, outcome, trial, plan, done),
            available_on=available_on,
            digest_of=(budget_cents, hold_out, rows["added_ballots"], rows["n_households"]),
        ),
    }


def choose(
    plan: Households,
    actions: list[Action],
    allowed: npt.NDArray[np.bool_],
    budget: float,
    held: npt.NDArray[np.bool_],
) -> Chosen:
    """At most one action for each household, within the budget; control households are chosen by the same price.

    Only households that will be treated are paid for, so the price is found among them.
    """
    gain = plan.by_household(plan.effect, actions)
    cost = np.array([action.cost for action in actions])
    free = ~held
    found = stats.allocation.choose_one(
        gain[free], cost, budget, allowed=np.broadcast_to(allowed, gain[free].shape)
    )
    action = np.full(plan.n, -1)
    action[free] = found.action
    action[held] = at_price(gain[held], cost, found.price, allowed)
    return Chosen(action, held & (action >= 0), found.price, found.spent)


def _why_unknown(models: Table, experiment: str) -> str | None:
    """Why the test has no effects yet: it is sealed, or an arm is empty."""
    told = arrays(models.filter(models.model_id == f"effects.{experiment}"), "reason")["reason"].tolist()
    return next((f"the test {experiment} cannot be read: {reason}" for reason in told if reason), None)


def _nothing(plan_id: str, why: str) -> dict[str, Any]:
    """A plan that is nobody, and says why; no household is drawn for it."""
    row: dict[str, Any] = dict.fromkeys(spec("options").names)
    row |= {"plan_id": plan_id, "option": "plan", "estimator": "aipw", "about": "nothing yet", "reason": why}
    row |= {"n_people": 0, "n_households": 0, "cost_cents": 0.0}
    empty: dict[str, Any] = {
        name: {c: [] for c in spec(name).names} for name in ("contact_plan", "holdouts", "decisions")
    }
    return empty | {"options": {name: [value] for name, value in row.items()}}


def _for_no_one(models: Table, experiment: str) -> set[str]:
    """The arms of which the test says that they work for no one."""
    cards = arrays(models.filter(models.model_id == f"effects.{experiment}"), "card")["card"]
    arms = [arm for card in cards.tolist() for arm in json.loads(card).get("arms", [])]
    return {arm["arm"] for arm in arms if arm.get("verdict", {}).get("word") == "no one"}


def _draw(
    holdouts: Table,
    plan: Households,
    plan_id: str,
    as_of: datetime.date,
    share: float,
    rng: np.random.Generator,
) -> tuple[npt.NDArray[np.bool_], dict[str, Any]]:
    """Each household's draw: the one it was given before, or a new one."""
    before = arrays(holdouts.filter(holdouts.plan_id == plan_id), "household_id", "held_out")
    held = rng.random(plan.n) < share
    place = codes(before["household_id"], plan.labels).codes
    held[place[place >= 0]] = before["held_out"][place >= 0].astype(bool)
    return held, {
        "plan_id": [plan_id] * plan.n,
        "household_id": plan.labels,
        "held_out": held,
        "drawn_on": [as_of] * plan.n,
    }


def _option(
    name: str,
    about: str,
    plan: Households,
    trial: Households,
    actions: list[Action],
    allowed: npt.NDArray[np.bool_],
    chosen: Chosen,
) -> Option:
    """The plan's own rule, applied to the test's people by effects learned without them."""
    cost = np.array([action.cost for action in actions])
    in_trial = at_price(trial.by_household(trial.effect, actions), cost, chosen.price, allowed)
    sent = (chosen.action >= 0) & ~chosen.held_out
    size = np.bincount(plan.household, minlength=plan.n)
    gains = np.take_along_axis(
        plan.by_household(plan.effect, actions), np.maximum(chosen.action, 0)[:, None], axis=1
    )[:, 0]
    return Option(
        name, about, in_trial, int(sent.sum()), int(size[sent].sum()), chosen.spent, float(gains[sent].sum())
    )


def _why_nothing(
    mine: Option, trial: Households, actions: list[Action], allowed: npt.NDArray[np.bool_], budget: int
) -> str | None:
    """Why the plan is to do nothing, or None when doing it is better than not."""
    if not allowed.any():
        return "no action is approved"
    if budget == 0:
        return "the budget is 0"
    if mine.pieces == 0:
        return "no approved action is expected to add a ballot anywhere at this budget"
    found = value(trial, actions, mine, "aipw")
    if found.reason:
        return found.reason
    if found.low <= 0:
        return "the gain of people it was not fitted to cannot be told from none: nothing beats doing nothing"
    return None


def _lifts(lifts: Table, experiment: str, outcome: str) -> dict[str, float]:
    told = (lifts.experiment == experiment) & (lifts.outcome == outcome)
    rows = lifts.filter(told & (lifts.estimator == "intention_to_treat")).to_pyarrow().to_pylist()
    return {row["arm"]: row["estimate"] for row in rows if row["estimate"] is not None}


def _turnout(features: Table, measured: Any, trial: Households) -> tuple[Floats, str]:
    """(h,) mean share of past elections voted in, in each household of the test as of its draw, and what it is.

    Never a score: one that has learned from the test's control people ranks each of them by the outcomes of the
    others of their place, which makes the outcomes of those it ranks high seem low.
    """
    tested = measured.filter(measured.aipw.notnull()).select("person_id", "as_of").distinct()
    rows = features.select("person_id", "as_of", value=features.share_voted).join(
        tested, ["person_id", "as_of"]
    )
    told, basis = arrays(rows, "person_id", "value"), "the share of past elections voted in"
    place = codes(trial.person_id, told["person_id"]).codes
    values = (
        np.where(place >= 0, np.asarray(told["value"], np.float64)[place], np.nan)
        if len(told["value"])
        else None
    )
    if values is None or not np.isfinite(values).any():
        raise DesignError.of("Nobody in the test has a vote history", then="add vote events to a source")
    values = np.where(np.isfinite(values), values, np.nanmean(values))
    return np.bincount(trial.household, values) / np.bincount(trial.household), basis


def _detectable(
    outcomes: Table, outcome: str, trial: Households, plan: Households, done: Chosen
) -> float | None:
    """The effect per person that the control group can show, from the outcome's spread in the test."""
    size = np.bincount(plan.household, minlength=plan.n)
    control = int(size[done.held_out].sum())
    sent = int(size[(done.action >= 0) & ~done.held_out].sum())
    if not control or not sent:
        return None
    known = arrays(outcomes.filter(outcomes.outcome == outcome), "person_id", "value")
    place = codes(trial.person_id, known["person_id"]).codes
    y = np.asarray(known["value"], np.float64)[place[place >= 0]]
    home = trial.household[place >= 0]
    alike = stats.power.intraclass_correlation(y, home) if len(np.unique(home)) < len(home) else 0.0
    mean_size = (control + sent) / max(int((done.action >= 0).sum()), 1)
    return stats.power.detectable_effect(
        control, sent, float(np.std(y)), mean_size=max(mean_size, 1.0), intraclass=float(alike)
    )


def _list_rows(plan_id: str, plan: Households, actions: list[Action], done: Chosen) -> dict[str, Any]:
    """The rows of `contact_plan`: everyone in a chosen household, control included and marked."""
    taken = done.action[plan.household]
    inside = np.flatnonzero(taken >= 0)
    action, held = taken[inside], done.held_out[plan.household[inside]]
    names = np.array([a.name for a in actions], dtype=object)
    cost = np.array([a.cost for a in actions])
    addressee = plan.addressee[inside, action]
    labels = np.array(plan.labels, dtype=object)
    rows = {
        "plan_id": np.full(len(inside), plan_id, dtype=object),
        "person_id": plan.person_id[inside],
        "household_id": labels[plan.household[inside]] if len(labels) else np.empty(0, object),
        "action": names[action],
        "held_out": held,
        "is_addressee": addressee,
        "cost_cents": np.where(addressee & ~held, cost[action], 0.0),
        "added_ballots": plan.effect[inside, action],
        "std_error": plan.std_error[inside, action],
    }
    return {name: rows[name] for name in spec("contact_plan").names}
