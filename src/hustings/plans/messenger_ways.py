"""The plan and its rules of thumb, valued on the same draws of what is not known."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from hustings import stats
from hustings.plans.messenger_inputs import Groups, Pairs, Uses
from hustings.stats.matching import Assignment, Options

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
_CELLS = 20_000_000
"""Numbers drawn at most: draws × audiences × items."""
_RANDOM = 20
"""Random assignments whose mean is the rule of thumb."""
ABOUT = {
    "plan": "each messenger's days for the audience and place where they bring most",
    "most popular only": "every day of the messenger with the highest rate of response so far, largest audiences first",
    "most popular first": "messengers by their rate of response so far, largest audiences first",
    "at random": "messengers, audiences and days drawn at random; mean of 20 draws",
    "nearest": "each messenger where it has the shortest way from home",
}


class Effect(NamedTuple):
    """What a response moves, with errors: in shares of turnout and of support; nothing where cents are counted."""

    turnout: float
    turnout_error: float
    support: float
    support_error: float


class Money(NamedTuple):
    """What may be spent and asked: budget and asks, what a further ask is worth, whether cents are counted."""

    budget: float
    asks: int
    repeat: float
    cents: bool


class Drawn(NamedTuple):
    """What responses and gains may be.

    Attributes:
        probability: (d, s, m) of a response.
        worth: (u,) expected gain of one response in each use, on election day.
        votes: (u,) the same in votes; NaN where cents are counted.
        worth_draws: (d, u) the same, drawn.
    """

    probability: Floats
    worth: Floats
    votes: Floats
    worth_draws: Floats


class Way(NamedTuple):
    """One way to use the days: what share of each use it takes, later asks less, and which.

    Attributes:
        weight: (u,) 1 of a first ask, less of a later one; below 1 also of a mean over draws.
        taken: (u,) share of the draws in which the use is taken.
        assignment: Of the plan and of rules that are no mean.
        reason: Why there is none.
    """

    weight: Floats
    taken: Floats
    assignment: Assignment | None
    reason: str | None = None


def draw(
    pairs: Pairs,
    groups: Groups,
    uses: Uses,
    effect: Effect,
    left: Floats,
    cents: bool,
    rng: np.random.Generator,
) -> Drawn:
    """Draws of probabilities and of what a response is worth.

    Args:
        pairs: The affinities.
        groups: Whom to ask.
        uses: What can be done.
        effect: What a response moves.
        left: (u,) what is left on election day.
        cents: Whether amounts are counted instead.
        rng: Source of randomness.

    Returns:
        The draws; errors of an item are one for all audiences, errors of a vote's worth one for all places.
    """
    s, m = pairs.log_odds.shape
    d = int(np.clip(_CELLS // max(s * m, uses.item.size, 1), 100, 2000))
    own = np.sqrt(np.maximum(pairs.std_error**2 - pairs.shared_error**2, 0))
    eta = (
        pairs.log_odds
        + pairs.shared_error * rng.standard_normal((d, 1, m))
        + own * rng.standard_normal((d, s, m))
    )
    audience, item = groups.audience[uses.group], uses.item
    if cents:
        amount, error = pairs.amount[audience, item], pairs.amount_error[audience, item]
        drawn = np.maximum(amount + error * rng.standard_normal((d, 1)), 0)
        return Drawn(expit(eta), amount, np.full(amount.size, np.nan), drawn)
    t = effect.turnout + effect.turnout_error * rng.standard_normal((d, 1))
    h = effect.support + effect.support_error * rng.standard_normal((d, 1))
    off = 1 + groups.worth_error[uses.group] * rng.standard_normal((d, 1))
    g = uses.group
    return Drawn(
        expit(eta),
        left * (effect.turnout * groups.turnout[g] + effect.support * groups.support[g]),
        left * (effect.turnout * groups.turnout_votes[g] + effect.support * groups.support_votes[g]),
        left * off * (t * groups.turnout[g] + h * groups.support[g]),
    )


def find_ways(
    pairs: Pairs,
    uses: Uses,
    value: Floats,
    distance: Floats | None,
    money: Money,
    rng: np.random.Generator,
) -> dict[str, Way]:
    """The plan and the rules of thumb, at one budget, under the same days and limits.

    Args:
        pairs: The affinities.
        uses: What can be done.
        value: (u,) expected gain of a first ask, costs not taken off.
        distance: (u,) the way from the messenger's home; None where homes or places are not known.
        money: Limits.
        rng: For the random rule.

    Returns:
        Ways by name.
    """
    days = int(uses.day.max()) + 1 if uses.day.size else 1
    options = Options(uses.item * days + uses.day, uses.group, value, uses.cost)
    limits: dict[str, Any] = {"asks": money.asks, "repeat": money.repeat, "budget": money.budget}
    limits["charge"] = 1.0 if money.cents else 0.0
    rate = pairs.rate()[uses.item]
    plan = stats.matching.assign(options, **limits)
    sensible = _sensible(pairs, uses, money)
    order = np.lexsort((uses.day, -uses.people, -rate))
    order = order[sensible[order]]
    ways = {"plan": _way(plan, uses, money)}
    top = order[rate[order] == rate.max()] if rate.size and rate.max() >= 0 else order[:0]
    top = top[uses.item[top] == uses.item[top[0]]] if top.size else top
    rules = {"most popular only": top, "most popular first": order}
    if distance is not None:
        near = np.lexsort((uses.day, -uses.people, distance))
        rules["nearest"] = near[sensible[near]]
    for name, ranked in rules.items():
        ways[name] = _way(stats.matching.assign_in_order(options, ranked, **limits), uses, money)
    if distance is None:
        nothing = np.zeros(uses.item.size)
        ways["nearest"] = Way(
            nothing, nothing, None, "homes of messengers, or coordinates of places, are not known"
        )
    many = [
        _way(
            stats.matching.assign_in_order(options, rng.permutation(np.flatnonzero(sensible)), **limits),
            uses,
            money,
        )
        for _ in range(_RANDOM)
    ]
    ways["at random"] = Way(
        np.mean([one.weight for one in many], axis=0), np.mean([one.taken for one in many], axis=0), None
    )
    return ways


def _sensible(pairs: Pairs, uses: Uses, money: Money) -> npt.NDArray[np.bool_]:
    """(u,) what someone who knows nothing but the mean rate and gift of all sends would do: never pay more than that."""
    if not money.cents:
        return np.ones(uses.item.size, bool)
    mean = pairs.n_responded.sum() / max(pairs.n_sent.sum(), 1)
    return np.asarray(uses.people * mean * np.nanmean(pairs.amount) > uses.cost, bool)


def _way(found: Assignment, uses: Uses, money: Money) -> Way:
    weight, taken = np.zeros(uses.item.size), np.zeros(uses.item.size)
    weight[found.chosen] = money.repeat ** found.turn.astype(np.float64)
    taken[found.chosen] = 1.0
    return Way(weight, taken, found)


def responses(drawn: Drawn, groups: Groups, uses: Uses, weight: Floats) -> Floats:
    """(d,) responses that a way brings, drawn."""
    used = np.flatnonzero(weight)
    return np.asarray(_rates(drawn, groups, uses, used) @ (weight[used] * uses.people[used]), np.float64)


def gains(drawn: Drawn, groups: Groups, uses: Uses, weight: Floats) -> Floats:
    """(d,) gain that a way brings, drawn, costs not taken off."""
    used = np.flatnonzero(weight)
    rates = _rates(drawn, groups, uses, used) * drawn.worth_draws[:, used]
    return np.asarray(rates @ (weight[used] * uses.people[used]), np.float64)


def _rates(drawn: Drawn, groups: Groups, uses: Uses, used: Integers) -> Floats:
    """(d, k) probabilities of a response in some uses, drawn."""
    return drawn.probability[:, groups.audience[uses.group[used]], uses.item[used]]
