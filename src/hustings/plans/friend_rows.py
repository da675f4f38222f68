"""A chosen set of asks ─► rows of `sharing_plan`, `sharing_options`, `sharing_ties` and `offers`."""

from __future__ import annotations

import datetime
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from hustings import stats
from hustings.plans.choices import Floats
from hustings.plans.friend_ties import FriendTies, Ints
from hustings.plans.worth import Worth
from hustings.tables import spec

_Z = 1.959963984540054
_STEPS = 20
ABOUT = {
    "plan": "most worth within everybody's limits",
    "ask everyone": "every supporter asks every friend, without limits; an ask beyond a friend's limit adds nothing",
    "random friends": "each supporter asks friends drawn at random, within the limits",
    "random friends of ours": "the same, but for friends who are likelier to vote against us",
    "most-connected first": "friends whom most supporters know come first, within the limits",
    "closest friends first": "each supporter asks those known best, within the limits",
}


class Effect(NamedTuple):
    """What one ask that is made adds to a friend's probability of voting.

    Attributes:
        mean: In shares; NaN where nothing is known.
        std_error: Its standard error.
        tested: Whether the campaign's own test stands behind it.
        evidence: What it rests on, or why nothing is known.
    """

    mean: float
    std_error: float
    tested: bool
    evidence: str


class Limits(NamedTuple):
    """What nobody is to exceed.

    Attributes:
        asks: Asks of one supporter.
        asked: Asks that one friend gets.
        repeat: What an ask is worth of the one before it.
    """

    asks: int
    asked: int
    repeat: float


class Way(NamedTuple):
    """Everything that a set of asks is valued by.

    Attributes:
        ties: The ties.
        rates: How likely supporters are to ask.
        votes: (n,) votes of a first ask over each tie, for an effect of 1.
        worth: What a vote of each target is worth.
        held: (t,) whether each target is held out.
        effect: Of an ask.
        ask_cost: Cost of one ask, in cents.
        supporter_cost: Cost of one supporter, in cents.
        limits: Of asks.
    """

    ties: FriendTies
    rates: stats.diffusion.AskingRates
    votes: Floats
    worth: Worth
    held: npt.NDArray[np.bool_]
    effect: Effect
    ask_cost: float
    supporter_cost: float
    limits: Limits

    def asks(self, rank: Ints) -> Ints:
        """The ties of the asks that are made: not those of control."""
        return np.flatnonzero((rank > 0) & ~self.held[self.ties.target])

    def cost(self, which: Ints) -> float:
        """What those asks cost, in cents."""
        return float(
            self.ask_cost * which.size + self.supporter_cost * np.unique(self.ties.supporter[which]).size
        )


class Parts(NamedTuple):
    """A gain as what an effect of 1 would bring, and what is not known of it.

    Attributes:
        votes: Votes for an effect of 1.
        gain: Their worth.
        place_error: Of that worth, of what all places have in common.
        asker_error: Of that worth, of what is not known of the supporters.
    """

    votes: float
    gain: float
    place_error: float
    asker_error: float


def shares_of(way: Way, rank: Ints) -> Floats:
    """(n,) what each ask counts by its place at its target: nothing beyond the limit."""
    counted = (rank > 0) & (rank <= way.limits.asked)
    return np.where(counted, float(way.limits.repeat) ** np.maximum(rank - 1, 0), 0.0)


def parts_of(way: Way, which: Ints, shares: Floats) -> Parts:
    """The gain of some asks for an effect of 1."""
    votes = way.votes[which] * shares[which]
    target, supporter = way.ties.target[which], way.ties.supporter[which]
    gain = votes * way.worth.value[target]
    rates = way.rates
    by_supporter = np.bincount(supporter, gain, minlength=rates.rate.size)
    own = float((((by_supporter / rates.rate) * rates.std_error) ** 2).sum()) if gain.size else 0.0
    common = float(gain.sum()) * rates.usual_error / rates.usual
    return Parts(
        float(votes.sum()),
        float(gain.sum()),
        float((votes * way.worth.std_error[target]).sum()),
        float(np.sqrt(own + common**2)),
    )


def error_of(effect: Effect, part: Parts) -> float:
    """Standard error of effect × gain: the three errors are independent; products of errors are kept."""
    inside = part.place_error**2 + part.asker_error**2
    return float(
        np.sqrt((part.gain * effect.std_error) ** 2 + (effect.mean**2 + effect.std_error**2) * inside)
    )


def plan_rows(plan_id: str, action: str, way: Way, rank: Ints, as_of: datetime.date) -> dict[str, Any]:
    """The rows of `sharing_plan`: every chosen ask, those of control included and marked."""
    which = np.flatnonzero(rank > 0)
    ties, effect = way.ties, way.effect
    supporter, target = ties.supporter[which], ties.target[which]
    held = way.held[target]
    votes = way.votes[which] * shares_of(way, rank)[which]
    worth = votes * way.worth.value[target]
    rate = way.rates.rate[supporter]
    inside = (votes * way.worth.std_error[target]) ** 2 + (worth * way.rates.std_error[supporter] / rate) ** 2
    error = np.sqrt((worth * effect.std_error) ** 2 + (effect.mean**2 + effect.std_error**2) * inside)
    labels = np.array(ties.labels, dtype=object)
    rows = {
        "plan_id": np.full(which.size, plan_id, dtype=object),
        "supporter_id": ties.supporter_id[supporter],
        "target_id": ties.target_id[target],
        "household_id": labels[ties.household[target]] if len(labels) else np.empty(0, object),
        "place_id": ties.place_id[target],
        "rank": rank[which],
        "action": np.full(which.size, action, dtype=object),
        "held_out": held,
        "p_asks": rate,
        "closeness": ties.closeness[which],
        "gain": np.where(held, 0.0, effect.mean * worth),
        "std_error": np.where(held, 0.0, error),
        "as_of": np.full(which.size, as_of, dtype=object),
    }
    return {name: rows[name] for name in spec("sharing_plan").names}


def option_rows(
    plan_id: str,
    way: Way,
    ranks: dict[str, Ints],
    plan: stats.diffusion.AskPlan,
    aim: str,
    as_of: datetime.date,
    why: str | None,
) -> dict[str, list[Any]]:
    """The rows of `sharing_options`; the plan comes first."""
    effect = way.effect
    parts = {name: parts_of(way, way.asks(rank), shares_of(way, rank)) for name, rank in ranks.items()}
    rows = []
    for name, rank in ranks.items():
        which, part = way.asks(rank), parts[name]
        row: dict[str, Any] = {
            "plan_id": plan_id, "option": name, "about": ABOUT[name], "unit": aim, "as_of": as_of, "reason": why,
            "n_supporters": int(np.unique(way.ties.supporter[which]).size), "n_asks": int(which.size),
            "n_targets": int(np.unique(way.ties.target[which]).size), "cost_cents": way.cost(which),
        }  # fmt: skip
        if why is None:
            gain, error = effect.mean * part.gain, error_of(effect, part)
            row |= {"votes": effect.mean * part.votes, "gain": gain, "std_error": error}
            row |= {"low": gain - _Z * error, "high": gain + _Z * error}
            if name == "plan":
                row |= {"bound": effect.mean * plan.bound, "gap": plan.gap}
            else:
                ahead = effect.mean * (parts["plan"].gain - part.gain)
                spread = error_of(effect, _less(way, ranks["plan"], rank))
                row |= {"advantage": ahead, "advantage_low": ahead - _Z * spread, "advantage_high": ahead + _Z * spread}  # fmt: skip
        rows.append(row)
    return {name: [row.get(name) for row in rows] for name in spec("sharing_options").names}


def _less(way: Way, mine: Ints, other: Ints) -> Parts:
    """What the plan gains more than a rule, with the errors that both have in common cancelled."""
    shares = shares_of(way, mine) - shares_of(way, other)
    which = np.flatnonzero((shares != 0) & ~way.held[way.ties.target])
    return parts_of(way, which, shares)


def tie_rows(plan_id: str, uses: dict[str, int]) -> dict[str, list[Any]]:
    """The rows of `sharing_ties`."""
    return {"plan_id": [plan_id] * len(uses), "use": list(uses), "n_ties": list(uses.values())}


def offer_rows(
    offer: str,
    way: Way,
    ranks: dict[str, Ints],
    aim: str,
    as_of: datetime.date,
    why: str | None,
) -> dict[str, list[Any]]:
    """The rows of `offers`: supporters in the order of what they gain for their cost; for the rules by lot."""
    same = {
        "offer": offer, "channel": "friend", "unit": aim, "evidence": way.effect.evidence,
        "tested": way.effect.tested, "starts_on": as_of, "as_of": as_of, "reason": why,
    }  # fmt: skip
    rows = []
    for name, rank in ranks.items():
        nought = None if why else 0.0
        rows.append({**same, "way": name, "step": 0, "cost_cents": 0.0, "gain": nought, "std_error": nought, "votes": nought})  # fmt: skip
        which, shares = way.asks(rank), shares_of(way, rank)
        if why or not which.size:
            continue
        order, ends = _steps(way, which, shares, name == "plan")
        for step, end in enumerate(ends, start=1):
            part = parts_of(way, order[:end], shares)
            gain, votes = way.effect.mean * part.gain, way.effect.mean * part.votes
            cost, error = way.cost(order[:end]), error_of(way.effect, part)
            rows.append({**same, "way": name, "step": step, "cost_cents": cost, "gain": gain, "std_error": error, "votes": votes})  # fmt: skip
    return {name: [row.get(name) for row in rows] for name in spec("offers").names}


def _steps(way: Way, which: Ints, shares: Floats, best_first: bool) -> tuple[Ints, list[int]]:
    """The asks, those of one supporter together, and where each step ends."""
    supporter = way.ties.supporter[which]
    gain = way.votes[which] * shares[which] * way.worth.value[way.ties.target[which]]
    n = way.rates.rate.size
    cost = way.supporter_cost + way.ask_cost * np.bincount(supporter, minlength=n)
    per = np.bincount(supporter, gain, minlength=n) / np.maximum(cost, 1e-9)
    key = -per if best_first else np.random.default_rng(0).random(n)
    order = which[np.lexsort((supporter, key[supporter]))]
    own = way.ties.supporter[order]
    last = np.flatnonzero(np.append(own[1:] != own[:-1], True)) + 1
    take = np.unique(np.linspace(0, last.size - 1, _STEPS + 1).round().astype(np.int64)[1:])
    return order, last[take].tolist()
