"""What was found of messengers ─► rows: the plan, its options, contests, shares to log, and what money buys."""

from __future__ import annotations

import datetime
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from hustings import stats
from hustings.plans.messenger_inputs import Groups, Pairs, Uses
from hustings.plans.messenger_ways import ABOUT, Drawn, Money, Way, gains, responses
from hustings.stage import Table
from hustings.tables import spec

Floats = npt.NDArray[np.float64]
Row = dict[str, Any]
_STEPS = 30
"""Steps of an offer at most."""
_LIKE = {"plan": "best of audience", "most popular only": "most popular", "at random": "at random"}
"""Which way of the log an option is like."""


class Told(NamedTuple):
    """What every row says: the plan, its unit and day, the channel, and what effects rest on."""

    plan: str
    unit: str
    as_of: datetime.date
    channel: str
    evidence: str | None
    tested: bool


class Found(NamedTuple):
    """All that was found."""

    pairs: Pairs
    groups: Groups
    uses: Uses
    drawn: Drawn
    ways: dict[str, Way]
    money: Money
    left_out: dict[str, str]


def nothing(told: Told, why: str) -> dict[str, Any]:
    """No plan, and why."""
    row = {"messenger_plan": told.plan, "option": "plan", "about": ABOUT["plan"], "n_uses": 0, "n_people": 0}
    row |= {"cost_cents": 0.0, "unit": told.unit, "as_of": told.as_of, "reason": why}
    names = ("messenger_plan", "messenger_shares", "contest_options")
    offer = _offer(told, "plan", 0) | {"cost_cents": 0.0, "reason": why}
    return {name: _columns(name, []) for name in names} | {
        "messenger_options": _columns("messenger_options", [row]),
        "offers": _columns("offers", [offer]),
    }


def logged(affinity_values: Table, affinity: str) -> dict[str, Row]:
    """What the log says of each way of choosing."""
    rows = affinity_values.filter(affinity_values.affinity == affinity).to_pyarrow().to_pylist()
    return {row["way"]: row for row in rows}


def plan_rows(told: Told, found: Found) -> dict[str, list[Any]]:
    """The uses of the plan and of each rule of thumb that is no mean."""
    pairs, groups, uses = found.pairs, found.groups, found.uses
    rows: list[Row] = []
    for option, way in found.ways.items():
        if way.assignment is None:
            continue
        for at, turn in zip(way.assignment.chosen.tolist(), way.assignment.turn.tolist(), strict=True):
            one = np.zeros(uses.item.size)
            one[at] = way.weight[at]
            audience, item = groups.audience[uses.group[at]], uses.item[at]
            came = _ends(responses(found.drawn, groups, uses, one))
            gained = _ends(_gain(found, one, np.sign(one)))
            rows.append({
                "messenger_plan": told.plan, "option": option, "item_id": pairs.items[item],
                "used_on": told.as_of + datetime.timedelta(int(uses.day[at])), "name": pairs.names[item],
                "audience": pairs.audiences[audience], "place_id": groups.place[uses.group[at]],
                "turn": turn + 1, "n_people": round(uses.people[at]), "cost_cents": float(uses.cost[at]),
                "responses": _expected_responses(found, one), "responses_low": came[0], "responses_high": came[1],
                "unit": told.unit, "gain": _expected(found, one, np.sign(one)), "low": gained[0], "high": gained[1],
                "basis": pairs.basis[audience, item], "cold_start": bool(pairs.cold[item]), "as_of": told.as_of,
            })  # fmt: skip
    return _columns("messenger_plan", rows)


def option_rows(told: Told, found: Found, log: dict[str, Row]) -> dict[str, list[Any]]:
    """Each way with its interval, how far the plan is ahead, and what the log of past sends says."""
    plan = found.ways["plan"]
    mine, best = _gain(found, plan.weight, plan.taken), _expected(found, plan.weight, plan.taken)
    rows = []
    for option, way in found.ways.items():
        row: Row = {
            "messenger_plan": told.plan, "option": option, "about": ABOUT[option], "unit": told.unit,
            "as_of": told.as_of, "reason": way.reason,
        }  # fmt: skip
        if way.reason is None:
            own = _gain(found, way.weight, way.taken)
            low, high = _ends(own)
            row |= {
                "n_uses": round(float(way.taken.sum())), "n_people": round(float(way.taken @ found.uses.people)),
                "cost_cents": float(way.taken @ found.uses.cost),
                "responses": _expected_responses(found, way.weight),
                "gain": _expected(found, way.weight, way.taken), "low": low, "high": high,
            }  # fmt: skip
            if option == "plan" and way.assignment is not None:
                row |= {"bound": way.assignment.bound, "gap": way.assignment.gap}
                if not way.assignment.chosen.size:
                    row["reason"] = "no use of a messenger is expected to bring more than it costs"
            else:
                ends = _ends(mine - own)
                row |= {"advantage": best - _expected(found, way.weight, way.taken)}
                row |= {"advantage_low": ends[0], "advantage_high": ends[1]}
        like = log.get(_LIKE.get(option, ""))
        if like is not None:
            row |= {"logged": like["value"], "logged_low": like["low"], "logged_high": like["high"]}
            row["logged_reason"] = like["reason"]
        elif option in _LIKE:
            row["logged_reason"] = "no log of sends"
        rows.append(row)
    return _columns("messenger_options", rows)


def share_rows(told: Told, found: Found, explore: float, leader: float) -> dict[str, list[Any]]:
    """With which probability each audience's next send comes from each item; those with days left, or all."""
    pairs = found.pairs
    open_items = np.unique(found.uses.item)
    way = found.ways["plan"]
    asked = np.zeros(pairs.log_odds.shape)
    np.add.at(
        asked, (found.groups.audience[found.uses.group], found.uses.item), way.weight * found.uses.people
    )
    rows = []
    for a, audience in enumerate(pairs.audiences):
        chances = stats.bandits.chances(found.drawn.probability[:, a, open_items])
        share = stats.bandits.top_two_shares(chances.p_best, leader_share=leader)
        planned = (
            open_items[asked[a, open_items].argmax()]
            if asked[a].any()
            else open_items[chances.p_best.argmax()]
        )
        for k, item in enumerate(open_items.tolist()):
            is_planned = bool(item == planned)
            rows.append({
                "messenger_plan": told.plan, "audience": audience, "item_id": pairs.items[item],
                "p_best": chances.p_best[k], "expected_loss": chances.expected_loss[k], "test_share": share[k],
                "propensity": explore * share[k] + (1 - explore) * is_planned, "is_planned": is_planned,
                "as_of": told.as_of,
            })  # fmt: skip
    return _columns("messenger_shares", rows)


def contest_rows(told: Told, found: Found) -> dict[str, list[Any]]:
    """One contest with each messenger, every audience asked once: entries, gifts, who enters."""
    pairs, groups, uses = found.pairs, found.groups, found.uses
    rate = pairs.rate()
    rows: list[Row] = []
    for item, name in enumerate(pairs.items):
        row: Row = {
            "messenger_plan": told.plan,
            "item_id": name,
            "name": pairs.names[item],
            "unit": told.unit,
        }
        row |= {"as_of": told.as_of, "reason": found.left_out.get(name), "n_days": 0}
        own = np.flatnonzero(uses.item == item)
        if own.size:
            # The first day of each group: a contest is announced to all at once.
            order = own[np.lexsort((uses.day[own], uses.group[own]))]
            first = order[np.diff(uses.group[order], prepend=-1) != 0]
            weight = np.zeros(uses.item.size)
            weight[first] = 1.0
            came = responses(found.drawn, groups, uses, weight)
            p = pairs.probability[groups.audience[uses.group[first]], item] * uses.people[first]
            by_audience = np.bincount(groups.audience[uses.group[first]], p, len(pairs.audiences))
            gained = gains(found.drawn, groups, uses, weight)
            once = float(uses.cost[first].sum() - (first.size - 1) * uses.fixed[first[0]])
            row |= {
                "n_people": round(uses.people[first].sum()), "entries": float(p.sum()),
                "entries_low": _ends(came)[0], "entries_high": _ends(came)[1],
                "mean_gift_cents": _gift(found, first, p), "gain": float(p @ found.drawn.worth[first]),
                "low": _ends(gained)[0], "high": _ends(gained)[1], "cost_cents": once,
                "who_enters": pairs.audiences[int(by_audience.argmax())],
                "share_of_entries": float(by_audience.max() / p.sum()) if p.sum() else None,
                "n_days": int(np.unique(uses.day[own]).size),
            }  # fmt: skip
        rows.append(row)
    for name, key in (
        ("rank_by_gain", [row.get("gain", -np.inf) for row in rows]),
        ("rank_by_popularity", list(rate)),
    ):
        for place, at in enumerate(np.argsort(-np.asarray(key, np.float64), kind="stable"), start=1):
            rows[at][name] = place
    return _columns("contest_options", rows)


def offer_rows(told: Told, found: Found) -> dict[str, list[Any]]:
    """Cumulative steps: of the plan by gain for its cost, of a rule in its own order."""
    rows = []
    for option, way in found.ways.items():
        rows.append(
            _offer(told, option, 0) | {"cost_cents": 0.0, "gain": 0.0, "std_error": 0.0, "votes": 0.0}
        )
        if way.reason is not None:
            rows[-1] |= {"gain": None, "std_error": None, "votes": None, "reason": way.reason}
            continue
        for step, (weight, taken) in enumerate(_cumulated(found, option, way), start=1):
            gained = gains(found.drawn, found.groups, found.uses, weight)
            votes = weight @ (_responses_of(found) * found.drawn.votes) if told.unit != "cents" else None
            rows.append(_offer(told, option, step) | {
                "cost_cents": float(taken @ found.uses.cost),
                "gain": float(weight @ (_responses_of(found) * found.drawn.worth)),
                "std_error": float(gained.std()), "votes": votes,
                "starts_on": told.as_of + datetime.timedelta(int(found.uses.day[weight > 0].min())),
            })  # fmt: skip
    return _columns("offers", rows)


def _cumulated(found: Found, option: str, way: Way) -> list[tuple[Floats, Floats]]:
    """Weights and what is taken, step by step; of a mean over draws one step."""
    if not way.taken.any():
        return []
    if way.assignment is None:
        return [(way.weight, way.taken)]
    chosen = way.assignment.chosen
    worth = (way.weight * _responses_of(found) * found.drawn.worth)[chosen]
    order = np.argsort(-worth / np.maximum(found.uses.cost[chosen], 1e-9), kind="stable")
    order = order if option == "plan" else np.argsort(found.uses.day[chosen], kind="stable")
    ends = np.unique(np.linspace(1, chosen.size, min(chosen.size, _STEPS)).round().astype(int))
    steps = []
    for end in ends:
        weight = np.zeros(found.uses.item.size)
        weight[chosen[order[:end]]] = way.weight[chosen[order[:end]]]
        steps.append((weight, np.sign(weight)))
    return steps


def _offer(told: Told, way: str, step: int) -> Row:
    return {
        "offer": f"messenger_plan.{told.plan}",
        "way": way,
        "step": step,
        "channel": told.channel,
        "unit": told.unit,
        "evidence": told.evidence or f"affinity of {told.plan}",
        "tested": told.tested,
        "as_of": told.as_of,
    }


def _responses_of(found: Found) -> Floats:
    """(u,) responses expected of a first ask."""
    uses = found.uses
    return np.asarray(
        found.pairs.probability[found.groups.audience[uses.group], uses.item] * uses.people, np.float64
    )


def _expected_responses(found: Found, weight: Floats) -> float:
    return float(weight @ _responses_of(found))


def _expected(found: Found, weight: Floats, taken: Floats) -> float:
    gross = float(weight @ (_responses_of(found) * found.drawn.worth))
    return gross - float(taken @ found.uses.cost) if found.money.cents else gross


def _gain(found: Found, weight: Floats, taken: Floats) -> Floats:
    gross = gains(found.drawn, found.groups, found.uses, weight)
    return gross - float(taken @ found.uses.cost) if found.money.cents else gross


def _gift(found: Found, first: npt.NDArray[np.int64], p: Floats) -> float | None:
    amount = found.pairs.amount[found.groups.audience[found.uses.group[first]], found.uses.item[first]]
    return float(p @ amount / p.sum()) if np.isfinite(amount).all() and p.sum() else None


def _ends(values: Floats) -> tuple[float, float]:
    low, high = np.quantile(values, [0.025, 0.975])
    return float(low), float(high)


def _columns(name: str, rows: list[Row]) -> dict[str, list[Any]]:
    return {column: [row.get(column) for row in rows] for column in spec(name).names}
