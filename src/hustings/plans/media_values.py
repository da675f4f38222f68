"""What a media plan and its rules of thumb are worth, judged on panelists that the plan was not made on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from hustings import stats
from hustings.errors import DesignError
from hustings.plans.airtime import Airtime, Views
from hustings.plans.electorate import Electorate, stand_for
from hustings.plans.media_rules import Rule, followed

Floats = npt.NDArray[np.float64]
Caps = Sequence[stats.media.Cap]
_DRAWS = 400
_SAMPLE = 4_000
_FACTOR = float(np.log(stats.decay.PRIOR_FACTOR))


class Effect(NamedTuple):
    """What exposure does, and what is not known of it.

    Attributes:
        points: Net votes that full exposure moves among 100 who vote.
        error: Its standard error.
        half_life: Days in which half is gone.
        rate_error: Relative standard error of the response's rate.
        tested: Whether an own randomised test measured it.
    """

    points: float
    error: float
    half_life: float
    rate_error: float
    tested: bool


class Problem(NamedTuple):
    """One plan's question; rows are those of the views.

    Attributes:
        airtime: What can be bought.
        views: Who sees what, scaled to published audiences.
        adults: (m,) adults for whom each row stands.
        targets: (m,) of our people who are targets.
        panel: Worth in the campaign's aim; exposures count by what is left of them on election day.
        votes: The same in net votes.
        response: What exposures are worth.
        effect: What they do.
        rules: Rules of thumb.
        worth_error: Of what a net vote is worth, relative; places that share a forecast err together.
    """

    airtime: Airtime
    views: Views
    adults: Floats
    targets: Floats
    panel: stats.panels.Panel
    votes: stats.panels.Panel
    response: stats.response.Response
    effect: Effect
    rules: dict[str, Rule]
    worth_error: float = 0.0


class Way(NamedTuple):
    """One way to spend the budget.

    Attributes:
        name: `plan`, or the rule of thumb.
        about: What it does.
        units: (s,) bought.
        most: Units per slot at most, of a rule.
        gain: In the aim, as judged.
        votes: Net votes, as judged.
        claimed: Net votes on the panel that it was made on.
        viewing_error: Standard error of the net votes, of the panel alone.
        ahead_error: Of the plan's advantage over it, of the panel alone.
    """

    name: str
    about: str
    units: Floats
    most: float
    gain: float
    votes: float
    claimed: float
    viewing_error: float
    ahead_error: float


class Valued(NamedTuple):
    """All ways, the plan first.

    Attributes:
        ways: The plan and the rules.
        choice: What the halves of the panel say.
        chosen: The way that is bought.
        why: Why that is not the plan, or None.
        bound: Net votes that no plan exceeds on the panel; as far as the aim's bound says.
        gap: Of the bound.
        trust: Judged value over claimed value of the plan.
    """

    ways: list[Way]
    choice: stats.panels.Choice
    chosen: Way
    why: str | None
    bound: float
    gap: float
    trust: float


def pose(
    airtime: Airtime,
    views: Views,
    ours: Electorate,
    effect: Effect,
    response: stats.response.Response,
    rules: Callable[[Views, Floats], dict[str, Rule]],
) -> Problem:
    """The plan's question, from what can be bought, who sees it and what they are worth."""
    stands = stand_for(dict(views.told), ours)
    row, share = views.row, views.share
    n_people = np.asarray(views.told["n_people"], np.float64)
    adults = np.where(np.isfinite(n_people), n_people, stands.people)[row] * share
    views = views._replace(viewing=stats.panels.scaled(views.viewing, adults, airtime.published))
    left = stats.decay.remaining(airtime.days, effect.half_life) * airtime.aired
    counted = views.viewing.multiply(left[None, :]).tocsr()
    behind = np.asarray(views.told["n_panelists"], np.float64)[row]
    people = stands.people[row] * share
    told = (stands.cell[row], np.where(np.isfinite(behind), behind, np.inf))
    panel, votes = (
        stats.panels.panel(counted, people, effect.points * worth[row], *told)
        for worth in (stands.worth, stands.moved)
    )
    targets = stands.targets[row] * share
    ways = rules(views, adults)
    return Problem(airtime, views, adults, targets, panel, votes, response, effect, ways, ours.worth_error)


def plan_for(
    problem: Problem, viewers: stats.media_search.Audience, budget: float, caps: Caps
) -> stats.media.Buy:
    """The best units for an audience."""
    air = problem.airtime
    return stats.media.plan_buys(viewers, air.price, air.room, budget, response=problem.response, caps=caps)


def value(problem: Problem, budget: float, caps: Caps, fewest: float, rng: np.random.Generator) -> Valued:
    """The plan and every rule with its best cap, each valued; the plan on people it was not made on.

    Args:
        problem: The question.
        budget: In cents.
        caps: Limits over several slots.
        fewest: Panelists below which the best rule is bought.
        rng: Source of randomness.
    """
    panel, response = problem.panel, problem.response
    rules: dict[str, tuple[float, Floats]] = {}
    steady = stats.panels.audience_of(panel, stats.panels.TRIED[0])
    for name, rule in problem.rules.items():
        tried = followed(rule, problem.airtime, budget, caps)
        most = max(tried, key=lambda at: stats.media.value_of_buys(steady, tried[at], response))
        rules[name] = (most, tried[most])
    units = {name: found for name, (_, found) in rules.items()}

    def made_for(viewers: stats.media_search.Audience) -> Floats:
        return plan_for(problem, viewers, budget, caps).units

    choice = stats.panels.choose(panel, made_for, units, response, rng=rng)
    buy = plan_for(problem, stats.panels.audience_of(panel, choice.view), budget, caps)
    claimed = stats.panels.value_with_error(panel, buy.units, response)[0]
    thumb = stats.panels.value_with_error(panel, units[choice.best_rule], response)[0]
    trust = float(np.clip((thumb + choice.advantage) / claimed, 0, 1)) if claimed > 0 else 1.0
    votes, error = stats.panels.value_with_error(problem.votes, buy.units, response)
    about = "the units that are worth most on election day"
    ways = [Way("plan", about, buy.units, np.inf, trust * claimed, trust * votes, votes, error, 0.0)]
    for name, (most, found) in rules.items():
        gain = stats.panels.value_with_error(panel, found, response)[0]
        votes, error = stats.panels.value_with_error(problem.votes, found, response)
        apart = stats.panels.value_with_error(problem.votes, buy.units, response, found)[1]
        told = "" if np.isinf(most) else f", at most {most:.0f} units of a slot (the best such limit)"
        ways.append(
            Way(name, problem.rules[name].about + told, found, most, gain, votes, votes, error, apart)
        )
    why = _why_rule(choice, panel.size, fewest)
    chosen = ways[0] if why is None else next(way for way in ways if way.name == choice.best_rule)
    bound = ways[0].claimed / (1 - buy.gap) if buy.gap < 1 else ways[0].claimed
    return Valued(ways, choice, chosen, why, bound, buy.gap, trust)


def _why_rule(choice: stats.panels.Choice, size: float, fewest: float) -> str | None:
    """Why the best rule of thumb is bought, or None when the plan is."""
    if size < fewest:
        return (
            f"only {size:,.0f} panelists stand behind the viewing, fewer than {fewest:,.0f}: "
            f"the best rule of thumb is bought ({choice.best_rule})"
        )
    if not choice.beats:
        return (
            "on panelists that it was not made on the plan is surely worse than the best rule of thumb, "
            f"which is bought ({choice.best_rule})"
        )
    return None


class Drawn(NamedTuple):
    """What effect, response and decay may be; (draws,) each.

    Attributes:
        times: Effect over its mean.
        relative: Of each way, its value over that at the settings' response and decay.
        noise: Standard normal, for the viewing.
        worth: What a net vote is worth over its mean.
    """

    times: Floats
    relative: dict[str, Floats]
    noise: Floats
    worth: Floats


def draw(problem: Problem, ways: Sequence[Way], rng: np.random.Generator) -> Drawn:
    """Draws of the effect, of the response's rate and of the half-life, and what each way is worth at them."""
    effect, response, air = problem.effect, problem.response, problem.airtime
    times = 1 + effect.error / effect.points * rng.standard_normal(_DRAWS)
    log_error = np.sqrt(np.log1p(effect.rate_error**2))
    rates = response.rate * np.exp(log_error * rng.standard_normal(_DRAWS) - log_error**2 / 2)
    lives = effect.half_life * np.exp(_FACTOR * rng.standard_normal(_DRAWS))
    m = len(problem.views.row)
    rows = np.sort(rng.choice(m, _SAMPLE, replace=False)) if m > _SAMPLE else np.arange(m)
    weight = (problem.votes.people * problem.votes.worth)[rows]
    seen = problem.views.viewing[rows]
    days, week = np.unique(air.days, return_inverse=True)
    relative = {}
    for way in ways:
        by_day = np.column_stack([
            seen @ np.where(week == k, way.units * air.aired, 0.0) for k in range(days.size)
        ])  # fmt: skip

        def worth(rate: float, life: float, by_day: Floats = by_day) -> float:
            z = by_day @ stats.decay.remaining(days, life)
            return float(weight @ stats.response.share_of_effect(response._replace(rate=rate), z))

        base = worth(response.rate, effect.half_life)
        found = [worth(float(b), float(h)) for b, h in zip(rates, lives, strict=True)]
        relative[way.name] = np.array(found) / base if base > 0 else np.ones(_DRAWS)
    noise = rng.standard_normal(_DRAWS)
    valued = np.maximum(1 + problem.worth_error * rng.standard_normal(_DRAWS), 0)
    return Drawn(times, relative, noise, valued)


class Step(NamedTuple):
    """So much money, and what it gains: of the plan that is bought, or of a rule."""

    way: str
    cost: float
    gain: float
    votes: float


def curve(
    problem: Problem,
    valued: Valued,
    budgets: Sequence[float],
    caps_at: Callable[[float], Caps],
) -> list[Step]:
    """What every way would gain at several budgets; budgets that cannot pay the minimum buys are left out."""
    air, response = problem.airtime, problem.response
    viewers = stats.panels.audience_of(problem.panel, valued.choice.view)
    steps: list[Step] = []
    for way in valued.ways:
        trust = valued.trust if way.name == "plan" else 1.0
        steps.append(Step(way.name, 0.0, 0.0, 0.0))
        for budget in sorted(budgets):
            try:
                units = (
                    plan_for(problem, viewers, budget, caps_at(budget)).units
                    if way.name == "plan"
                    else followed(problem.rules[way.name], air, budget, caps_at(budget))[way.most]
                )
            except DesignError:  # so little money does not pay the minimum buys
                continue
            gain, votes = (
                trust * stats.panels.value_with_error(found, units, response)[0]
                for found in (problem.panel, problem.votes)
            )
            cost = float(units @ air.price)
            if gain > steps[-1].gain and cost > steps[-1].cost:
                steps.append(Step(way.name, cost, gain, votes))
    return steps
