"""Ties, what an ask does, and what votes are worth ─► which supporter asks which friend.

A friend's gain is the effect of an ask times the friend's room to be moved, what a net vote is worth where the friend
votes, how well the two know each other, and the probability that the supporter asks at all. Limits are kept for both
sides. Whole households of friends are held out by lot before anybody is chosen, and chosen like the others.
"""

from __future__ import annotations

import datetime
from typing import Annotated, Any

import numpy as np

from hustings import stats
from hustings.errors import DesignError
from hustings.plans.choices import Floats
from hustings.plans.friend_rows import Effect, Limits, Way, offer_rows, option_rows, plan_rows, tie_rows
from hustings.plans.friend_ties import FriendTies, read_ties
from hustings.plans.holding_out import draw_households
from hustings.plans.worth import worth_of
from hustings.stage import About, Result, Table, stage
from hustings.warehouse import arrays, codes

_WRITES = ("sharing_plan", "sharing_options", "sharing_ties", "holdouts", "offers")


@stage(writes=_WRITES, each="plan_id")
def plan_sharing(
    ties: Table,
    friend_asks: Table,
    people: Table,
    identities: Table,
    opt_outs: Table,
    events: Table,
    actions: Table,
    evidence: Table,
    scores: Table,
    vote_values: Table,
    places: Table,
    holdouts: Table,
    *,
    plan_id: str,
    action: Annotated[str, About("What friends ask: an `[actions.…]` section with the channel `friend`.")],
    outcome: Annotated[str, About("The outcome that counts as a ballot, as in `[evidence]`.")] = "voted",
    purpose: Annotated[str, About("The purpose for which supporters must have consented.")] = "ask",
    asks_each: Annotated[int, About("Asks that one supporter is given at most.", ge=0)] = 5,
    asked_most: Annotated[int, About("Asks that one friend gets at most.", ge=0)] = 2,
    repeat: Annotated[float, About("What a second ask is worth of the first, 0 to 1.", ge=0, le=1)] = 0.5,
    usual_rate: Annotated[
        float, About("Share of asks that are made, where no past asks tell it.", gt=0, le=0.99)
    ] = 0.3,
    closeness_weight: Annotated[
        float,
        About(
            "How much closeness counts: 0 not at all; at 1 an ask of a stranger is worth nothing.", ge=0, le=1
        ),
    ] = 0.5,
    turnout_score: Annotated[
        str, About("The score that says how much room a friend has; none where empty.")
    ] = "turnout",
    support_score: Annotated[str, About("The score that makes net votes of ballots.")] = "support",
    supporter_cost_cents: Annotated[
        int, About("Cost of one supporter who is asked to ask: staff and software.", ge=0)
    ] = 50,
    hold_out: Annotated[
        float, About("Share of friends' households that is left alone as control.", ge=0, le=0.5)
    ] = 0.05,
    tolerance: Annotated[float, About("The gap to the best plan that is good enough.", gt=0)] = 0.0005,
    election_day: Annotated[datetime.date, About("The election.")],
    aim: Annotated[str, About("What gains are counted in.")],
    decisive_race: Annotated[str, About("The race that is to be won.")],
    as_of: Annotated[datetime.date, About("The day of the plan.")],
    rng: np.random.Generator,
) -> Result:
    """Who asks whom, what that gains beside the rules of thumb, which ties were left out, and the draw of control."""
    act, effect = _effect(actions, evidence, action, outcome, plan_id)
    found = read_ties(
        ties, friend_asks, people, identities, opt_outs, events,
        purpose=purpose, action=action, election_day=election_day, as_of=as_of,
    )  # fmt: skip
    rates = stats.diffusion.asking_rates(found.offered, found.made, usual=usual_rate)
    held, draws = draw_households(holdouts, found.labels, f"sharing_plan.{plan_id}", as_of, hold_out, rng)
    wanted = support_score if aim != "added_ballots" else None
    blind = (
        wanted is not None and len(found.target_id) > 0 and _newest(scores, wanted, found.target_id) is None
    )
    room = _room(scores, found.target_id, turnout_score, None if blind else wanted)
    worth = worth_of(found.place_id, vote_values, places, aim=aim, race=decisive_race)
    votes = rates.rate[found.supporter] * _strength(found.closeness, closeness_weight)
    votes *= room[found.target]
    limits = Limits(asks_each, asked_most, repeat)
    way = Way(
        found, rates, votes, worth, held[found.household], effect,
        act["unit_cost_cents"], supporter_cost_cents, limits,
    )  # fmt: skip
    value = votes * worth.value[found.target]
    why = _why_nothing(act, effect, found, value, held, limits)
    if blind:
        why = f"net votes need to know whom a friend supports, and there is no score {support_score!r}"
    plan = stats.diffusion.plan_asks(
        found.supporter, found.target, np.zeros_like(value) if why else value,
        asks=asks_each, asked=asked_most, repeat=repeat, tolerance=tolerance,
    )  # fmt: skip
    ranks = {"plan": plan.rank}
    if why is None:
        ranks |= _rules(found, value, limits, rng)
    return {
        "sharing_plan": plan_rows(plan_id, action, way, plan.rank, as_of),
        "sharing_options": option_rows(plan_id, way, ranks, plan, aim, as_of, why),
        "sharing_ties": tie_rows(plan_id, found.uses),
        "holdouts": draws,
        "offers": offer_rows(f"sharing_plan.{plan_id}", way, ranks, aim, as_of, why),
    }


def _effect(actions: Table, evidence: Table, action: str, outcome: str, plan_id: str) -> tuple[Any, Effect]:
    """The action, and what an ask that is made adds to its friend's probability of voting."""
    declared = {row["action"]: row for row in actions.to_pyarrow().to_pylist()}
    if action not in declared:
        raise DesignError.unknown(
            f"[sharing_plan.{plan_id}] action: unknown action", action, declared, "add an [actions.…] section"
        )
    act = declared[action]
    if act["channel"] != "friend":
        raise DesignError.of(
            f"[sharing_plan.{plan_id}] action: {action} does not go from friend to friend",
            received=f"channel = {act['channel']!r}",
            allowed="friend",
            then="edit its [actions.…] section",
        )
    rows = (
        evidence.filter((evidence.action == action) & (evidence.outcome == outcome)).to_pyarrow().to_pylist()
    )
    row = rows[0] if rows else {}
    tested = bool(row.get("is_tested"))
    # A new action may differ from the mean of its kind: the spread between tests belongs to its error.
    mean, error = (
        row.get(n) for n in (("estimate", "std_error") if tested else ("new_estimate", "new_error"))
    )
    rate = row.get("contact_rate") or 1.0
    if mean is None or error is None or not np.isfinite([mean, error]).all():
        return act, Effect(np.nan, np.nan, False, "nothing is known of what the action does")
    name = f"{row['method']} on {outcome}" if not tested else f"{act['experiment']}.{act['arm']} on {outcome}"
    return act, Effect(mean / rate, error / rate, tested, name)


def _strength(closeness: Floats, weight: float) -> Floats:
    """(n,) what an ask counts by closeness: 1 in the middle, and where nobody said how close."""
    return np.asarray(1 + weight * (2 * np.where(np.isfinite(closeness), closeness, 0.5) - 1), np.float64)


def _room(scores: Table, target_id: Any, turnout: str, support: str | None) -> Floats:
    """(t,) what one point of effect is in votes for each friend.

    An effect is alike on the logit scale: p(1 - p) of its mean. Net votes are (2 · support - 1) of ballots.
    """
    room = np.ones(len(target_id))
    if len(target_id) == 0:
        return room
    p = _newest(scores, turnout, target_id) if turnout else None
    if p is not None:
        told, spread = np.isfinite(p), p * (1 - p)
        mean = float(spread[told].mean()) if told.any() else 0.0
        if mean > 0:
            room = np.where(told, spread, mean) / mean
    if support is not None:
        with_us = _newest(scores, support, target_id)
        assert with_us is not None  # or nothing is planned
        room = room * np.where(np.isfinite(with_us), 2 * with_us - 1, 0.0)
    return np.asarray(room, np.float64)


def _newest(scores: Table, score: str, person_id: Any) -> Floats | None:
    """(t,) the newest score of each person, NaN where there is none; None where nobody has it."""
    told = scores.filter(scores.score == score)
    newest = told.group_by("person_id").agg(value=told.value.argmax(told.as_of))
    rows = arrays(newest, "person_id", "value")
    if not len(rows["value"]):
        return None
    at = codes(person_id, rows["person_id"]).codes
    return np.where(at >= 0, np.asarray(rows["value"], np.float64)[at], np.nan)


def _why_nothing(
    act: Any, effect: Effect, found: FriendTies, value: Floats, held: Any, limits: Limits
) -> str | None:
    """Why nobody is to ask anybody, or None."""
    whys = {
        f"the action {act['action']} is not approved": act["needs_approval"] and not act["approved_by"],
        effect.evidence: not np.isfinite(effect.mean),
        "an ask is not expected to add a vote": effect.mean <= 0,
        "no tie may be used: see sharing_ties": not found.supporter.size,
        "nobody may ask, or be asked (asks_each, asked_most)": not limits.asks or not limits.asked,
        "no friend's vote is worth an ask": not (value > 0).any(),
        "every friend's household is held out": held[found.household[found.target]].all(),
    }
    return next((why for why, holds in whys.items() if holds), None)


def _rules(found: FriendTies, value: Floats, limits: Limits, rng: np.random.Generator) -> dict[str, Any]:
    """The place of every ask at its target, by each rule of thumb; all but the first keep the plan's limits."""
    known = np.bincount(found.target).astype(np.float64)[found.target]
    lot = rng.random(value.size)
    scores = {
        "random friends": lot + 1e-9,
        "random friends of ours": np.where(value > 0, lot + 1e-9, 0.0),
        "most-connected first": known + lot / 2,
        "closest friends first": np.nan_to_num(found.closeness, nan=0.5) + 1 + 1e-6 * lot,
    }
    used = {"ask everyone": np.ones(value.size, bool)} | {
        name: stats.diffusion.asks_in_order(
            found.supporter, found.target, score, asks=limits.asks, asked=limits.asked
        )
        for name, score in scores.items()
    }
    return {name: stats.diffusion.ranked(found.target, value, which) for name, which in used.items()}
