"""Whom to give which action under one budget, and what a choice is worth by what happened."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hustings.errors import DesignError
from hustings.stats.clusters import Floats, Integers, arm_codes, cluster_codes, cluster_sums, t_quantile

# The remainder of a budget is filled until so small a share of the bound is missing that no plan shows it,
# and by at most so many upgrades: each looks at everybody who could still be upgraded.
CLOSE = 1e-7
FILLS = 100


class Choice(NamedTuple):
    """At most one action per household under one budget.

    `action` is (h,) with -1 for nothing; `spent` and `price` are in the costs' and gains' units: `price` is
    what the next unit of budget would gain, 0 when everything worth buying is bought. No choice whatever can
    gain more than `bound`; `gap` is (bound - gain) / bound.
    """

    action: Integers
    spent: float
    gain: float
    price: float
    bound: float
    gap: float


class _Steps(NamedTuple):
    """Upgrades along every household's concave frontier, best ratio first."""

    household: Integers
    action: Integers
    gain: Floats
    cost: Floats
    ratio: Floats


def choose_one(
    gain: ArrayLike,
    cost: ArrayLike,
    budget: float,
    *,
    allowed: ArrayLike | None = None,
    minimum_gain: float = 0.0,
) -> Choice:
    """The actions that gain most under one budget, at most one per household.

    The linear relaxation is solved exactly: each household's actions are reduced to their concave frontier,
    whose upgrades are bought in order of gain per cost until the budget ends. Its value, the Lagrangian dual
    at the price of the first upgrade that is not bought, is the bound; what is left is then spent on the best
    upgrades that still fit, so that the gap is at most one upgrade in the whole population.

    Args:
        gain: (h, a) expected gain of each action, in one unit; only positive ones are ever chosen.
        cost: (a,) or (h, a) cost, at least 0.
        budget: At least 0, in the costs' unit; infinity for none.
        allowed: (h, a) whether the household may have the action; None for always. Where it may not, gain and
            cost are not read.
        minimum_gain: An action that gains less is never chosen.

    Returns:
        The choice. The bound never falls as the budget grows; the gain may, by less than one upgrade, and
        never does when the budget grows by the dearest upgrade.

    Raises:
        DesignError: Shapes that do not fit, a missing or infinite gain or cost, a negative cost or budget.

    Source: Sinha & Zoltners, Operations Research 27 (1979), propositions 1–3; Zemel, IPL 18 (1984).

    >>> choose_one([[3.0, 5.0], [2.0, 9.0]], [1.0, 4.0], 5.0).action
    array([0, 1])
    """
    gains, costs = _offers(gain, cost, budget, allowed, minimum_gain)
    start = _free(gains, costs)
    steps = _frontier(gains, costs, start)
    reached = np.cumsum(steps.cost)
    taken = int(np.searchsorted(reached, budget, side="right"))
    bound = _total(gains, start) + float(steps.gain[:taken].sum())
    price = 0.0
    if taken < reached.size:
        price = float(steps.ratio[taken])
        bound += price * (budget - (float(reached[taken - 1]) if taken else 0.0))
    action = _after(steps, taken, start)
    while taken and _total(costs, action) > budget:
        taken -= 1
        action = _after(steps, taken, start)
    action = _filled(gains, costs, action, budget, bound)
    if gains.size and gains.max() > _total(gains, action):
        # One dear action can be worth more than all that the ratio prefers: half the bound is so certain.
        single = start.copy()
        household, best = np.unravel_index(int(gains.argmax()), gains.shape)
        single[household] = best
        single = _filled(gains, costs, single, budget, bound)
        action = max(action, single, key=lambda one: _total(gains, one))
    total = _total(gains, action)
    bound = max(bound, total)
    return Choice(
        action, _total(costs, action), total, price, bound, (bound - total) / bound if bound else 0.0
    )


def _offers(
    gain: ArrayLike, cost: ArrayLike, budget: float, allowed: ArrayLike | None, minimum_gain: float
) -> tuple[Floats, Floats]:
    """Gains and costs, checked; what cannot be chosen gains minus infinity and costs infinity."""
    gains, costs = np.asarray(gain, dtype=np.float64), np.asarray(cost, dtype=np.float64)
    if gains.ndim != 2 or costs.shape not in (gains.shape, gains.shape[1:]):
        got = f"{gains.shape} and {costs.shape}"
        raise DesignError.of("Gains and costs do not fit", received=got, allowed="(h, a); (a,) or (h, a)")
    if not budget >= 0:
        raise DesignError.of("A budget is an amount", received=budget, allowed="0 or more")
    costs = np.broadcast_to(costs, gains.shape)
    usable = np.ones(gains.shape, dtype=bool) if allowed is None else np.asarray(allowed)
    if usable.shape != gains.shape or usable.dtype != np.bool_:
        got = f"{usable.dtype} {usable.shape}"
        raise DesignError.of("Permissions do not fit", received=got, allowed=f"booleans {gains.shape}")
    if not (np.isfinite(gains[usable]).all() and np.isfinite(costs[usable]).all()):
        raise DesignError.of(
            "A gain or a cost is missing or infinite", allowed="finite numbers where allowed"
        )
    if np.any(costs[usable] < 0):
        raise DesignError.of("A cost is negative", allowed="0 or more")
    with np.errstate(invalid="ignore"):
        usable = usable & (gains > 0) & (gains >= minimum_gain) & (costs <= budget)
    return np.where(usable, gains, -np.inf), np.where(usable, costs, np.inf)


def _total(values: Floats, action: Integers) -> float:
    chosen = np.flatnonzero(action >= 0)
    return float(values[chosen, action[chosen]].sum())


def _current(values: Floats, action: Integers) -> Floats:
    """Each household's value under its action, 0 for nothing."""
    now = np.zeros(action.size)
    chosen = np.flatnonzero(action >= 0)
    now[chosen] = values[chosen, action[chosen]]
    return now


def _free(gains: Floats, costs: Floats) -> Integers:
    """The best action that costs nothing, -1 where there is none."""
    if gains.size == 0:
        return np.full(gains.shape[0], -1, dtype=np.int64)
    free = np.where(costs == 0, gains, -np.inf)
    return np.where(free.max(1) > 0, free.argmax(1), -1)


def _frontier(gains: Floats, costs: Floats, start: Integers) -> _Steps:
    """From each household's start, again and again the upgrade with the best gain per cost."""
    ids = np.arange(start.size)
    now_gain, now_cost, ceiling = _current(gains, start), np.zeros(start.size), np.full(start.size, np.inf)
    parts: list[tuple[NDArray[np.generic], ...]] = []
    while ids.size and gains.shape[1]:
        up, more = gains[ids] - now_gain[:, None], costs[ids] - now_cost[:, None]
        ratio = np.divide(up, more, out=np.full_like(up, -1.0), where=(up > 0) & (more > 0))
        best = ratio.argmax(1)
        go = np.flatnonzero(ratio[np.arange(ids.size), best] > 0)
        ids, best = ids[go], best[go]
        # Rounding must not put an upgrade before the one that it builds on.
        ceiling = np.minimum(ceiling[go], ratio[go, best])
        parts.append((ids, best, up[go, best], more[go, best], ceiling))
        now_gain, now_cost = gains[ids, best], costs[ids, best]
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)] or [np.empty(0)] * 5
    order = np.argsort(-columns[4], kind="stable")
    household, action, gain, cost, ratios = (column[order] for column in columns)
    return _Steps(household.astype(np.int64), action.astype(np.int64), gain, cost, ratios)


def _after(steps: _Steps, taken: int, start: Integers) -> Integers:
    """Everybody's action after the first upgrades; of a household's several, the last one stays."""
    action = start.copy()
    action[steps.household[:taken]] = steps.action[:taken]
    return action


def _filled(gains: Floats, costs: Floats, action: Integers, budget: float, bound: float) -> Integers:
    """The same choice, with what is left of the budget spent on the largest upgrades that fit."""
    action = action.copy()
    now_gain, now_cost = _current(gains, action), _current(costs, action)
    left = budget - float(now_cost.sum())
    if bound - now_gain.sum() <= CLOSE * bound:
        return action
    household, option = np.nonzero((gains > now_gain[:, None]) & (costs - now_cost[:, None] <= left))
    for _ in range(FILLS):
        up = gains[household, option] - now_gain[household]
        more = costs[household, option] - now_cost[household]
        fits = (up > 0) & (more <= left)
        household, option, up = household[fits], option[fits], up[fits]
        if not household.size:
            break
        best = int(up.argmax())
        h, a = household[best], option[best]
        before = now_cost[h]
        now_gain[h], now_cost[h] = gains[h, a], costs[h, a]
        left = budget - float(now_cost.sum())
        if left < 0:
            now_cost[h] = before
            break
        action[h] = a
        if bound - now_gain.sum() <= CLOSE * bound:
            break
    return action


def _checked(y: ArrayLike, arm: ArrayLike, propensity: ArrayLike) -> tuple[Floats, Integers, Floats]:
    """Outcomes, arms, and (n, n_arms) propensities."""
    outcome, shares = np.asarray(y, dtype=np.float64), np.asarray(propensity, dtype=np.float64)
    if outcome.ndim != 1 or not np.isfinite(outcome).all():
        raise DesignError.of(
            "Outcomes do not fit", received=outcome.shape, allowed="(n,) numbers, none missing"
        )
    if shares.ndim not in (1, 2) or shares.shape[:-1] not in ((), (outcome.size,)):
        got = f"{shares.shape} for {outcome.size} people"
        raise DesignError.of("Propensities do not fit", received=got, allowed="(n_arms,) or (n, n_arms)")
    if not np.all((shares > 0) & (shares <= 1)):
        raise DesignError.of("Propensities are no chances", allowed="above 0, at most 1")
    wide = np.broadcast_to(shares, (outcome.size, shares.shape[-1]))
    return outcome, arm_codes(arm, outcome.size, shares.shape[-1], 0), wide


def aipw_scores(y: ArrayLike, arm: ArrayLike, mean: ArrayLike, propensity: ArrayLike) -> Floats:
    """Each person's augmented inverse-probability score for each arm.

    mean_a + 1{arm = a} / propensity_a (y - mean_a): unbiased for the outcome under a whenever the
    propensities are right, whatever the means are; good means only make it less noisy.

    Args:
        y: (n,) outcomes, none missing.
        arm: (n,) integer codes 0 … n_arms - 1.
        mean: (n, n_arms) cross-fitted expected outcomes.
        propensity: (n_arms,) or (n, n_arms) chances of being assigned, above 0.

    Returns:
        (n, n_arms), in the outcome's unit.

    Raises:
        DesignError: Shapes or values that do not fit.

    Source: Robins, Rotnitzky & Zhao, JASA 89 (1994); Dudík et al., Statistical Science 29 (2014), eq. 3.

    >>> aipw_scores([1, 0], [0, 1], [[0.5, 0.5], [0.5, 0.5]], [0.5, 0.5])
    array([[ 1.5,  0.5],
           [ 0.5, -0.5]])
    """
    outcome, arms, shares = _checked(y, arm, propensity)
    scores = np.array(mean, dtype=np.float64)
    if scores.shape != shares.shape or not np.isfinite(scores).all():
        raise DesignError.of("Means do not fit", received=scores.shape, allowed=f"{shares.shape}, finite")
    rows = np.arange(outcome.size)
    scores[rows, arms] += (outcome - scores[rows, arms]) / shares[rows, arms]
    return scores


def ipw_scores(y: ArrayLike, arm: ArrayLike, propensity: ArrayLike) -> Floats:
    """Each person's inverse-probability score for each arm, scaled so that weights add up (Hájek).

    The column means are the arms' weighted mean outcomes.

    Args:
        y: (n,) outcomes, none missing.
        arm: (n,) integer codes 0 … n_arms - 1, all present.
        propensity: (n_arms,) or (n, n_arms) chances of being assigned, above 0.

    Returns:
        (n, n_arms), in the outcome's unit.

    Raises:
        DesignError: Shapes or values that do not fit, or an arm without people.

    Source: Hájek, in Godambe & Sprott (1971); Hirano, Imbens & Ridder, Econometrica 71 (2003).

    >>> ipw_scores([1, 0, 1], [0, 1, 1], [0.4, 0.6])
    array([[3. , 0. ],
           [0. , 0. ],
           [0. , 1.5]])
    """
    outcome, arms, shares = _checked(y, arm, propensity)
    rows = np.arange(outcome.size)
    weight = 1 / shares[rows, arms]
    total = np.bincount(arms, weights=weight, minlength=shares.shape[1])
    if np.any(total == 0):
        raise DesignError.of(
            "An arm is empty", received=np.flatnonzero(total == 0).tolist(), allowed="all present"
        )
    scores = np.zeros(shares.shape)
    scores[rows, arms] = outcome * weight * outcome.size / total[arms]
    return scores


class Value(NamedTuple):
    """What a choice adds to the outcome of a population, summed, with its clustered error.

    `estimate`, `std_error`, `low` and `high` are in outcomes (ballots, money); `per_person` is per person for
    whom something was chosen. Where `reason` is text, the numbers are NaN.
    """

    estimate: float
    per_person: float
    std_error: float
    low: float
    high: float
    n_chosen: int
    n_clusters: int
    reason: str | None


def _value(gains: Floats, chosen: Integers, cluster: ArrayLike, confidence: float, nobody: str) -> Value:
    codes, n_clusters = cluster_codes(cluster, gains.size)
    n_chosen = chosen.size
    touched = np.unique(codes[chosen]).size
    if touched < 2:
        reason = nobody if n_chosen == 0 else "one cluster only is chosen, so the error cannot be computed"
        return Value(np.nan, np.nan, np.nan, np.nan, np.nan, n_chosen, n_clusters, reason)
    sums = cluster_sums(gains, codes, n_clusters)
    error = float(np.sqrt(np.sum((sums - sums.mean()) ** 2) * n_clusters / (n_clusters - 1)))
    half = t_quantile(confidence, n_clusters - 1) * error
    total = float(sums.sum())
    return Value(total, total / n_chosen, error, total - half, total + half, n_chosen, n_clusters, None)


def policy_value(
    scores: ArrayLike, choice: ArrayLike, cluster: ArrayLike, *, control: int = 0, confidence: float = 0.95
) -> Value:
    """What these choices add over doing nothing: the sum of score[choice] - score[control].

    The choice counts as fixed (it must not have been made with these people's outcomes: use cross-fitted
    effects), the people as a sample of clusters: SE² = G / (G - 1) sum_g (s_g - mean s)², with s_g the sum of
    a cluster, zero where nothing was chosen.

    Args:
        scores: (n, n_arms) from `aipw_scores` or `ipw_scores`.
        choice: (n,) arm codes; control's code means nothing.
        cluster: (n,) integer codes of the randomised unit.
        control: Control's code.
        confidence: Coverage of the interval.

    Returns:
        The value; NaN with a reason where nobody is chosen, or people of one cluster only.

    Raises:
        DesignError: Shapes or values that do not fit.

    Source: Dudík et al., Statistical Science 29 (2014), section 3; Athey & Wager, Econometrica 89 (2021).

    >>> policy_value([[0.0, 1.0], [0.0, 2.0], [0.0, 9.0]], [1, 1, 0], range(3)).estimate
    3.0
    """
    return policy_difference(scores, choice, None, cluster, control=control, confidence=confidence)


def policy_difference(
    scores: ArrayLike,
    choice_a: ArrayLike,
    choice_b: ArrayLike | None,
    cluster: ArrayLike,
    *,
    control: int = 0,
    confidence: float = 0.95,
) -> Value:
    """What choice A adds over choice B for the same people, paired.

    Args:
        scores: (n, n_arms) from `aipw_scores` or `ipw_scores`.
        choice_a: (n,) arm codes.
        choice_b: (n,) arm codes, or None for nothing for everybody.
        cluster: (n,) integer codes of the randomised unit.
        control: Control's code.
        confidence: Coverage of the interval.

    Returns:
        The sum of the differences; `n_chosen` and `per_person` count people for whom A and B differ.

    Raises:
        DesignError: Shapes or values that do not fit.

    Source: as `policy_value`.

    >>> policy_difference([[0.0, 1.0], [0.0, 2.0], [0.0, 9.0]], [1, 1, 0], [0, 0, 1], range(3)).estimate
    -6.0
    """
    gamma = np.asarray(scores, dtype=np.float64)
    if gamma.ndim != 2 or not np.isfinite(gamma).all():
        raise DesignError.of("Scores do not fit", received=gamma.shape, allowed="(n, n_arms) finite numbers")
    n, n_arms = gamma.shape
    first = arm_codes(choice_a, n, n_arms, control)
    nobody = "nobody is chosen" if choice_b is None else "the two choices are the same for everybody"
    second = np.full(n, control) if choice_b is None else arm_codes(choice_b, n, n_arms, control)
    rows = np.arange(n)
    return _value(
        gamma[rows, first] - gamma[rows, second], np.flatnonzero(first != second), cluster, confidence, nobody
    )
