"""What one more net vote is worth in each place: its change of the probability of winning, or of seats.

One net vote is one vote of *margin*: half a vote more for us and half a vote less for the other side, as one
added ballot of ours is. A voter who changes sides brings two.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hustings.errors import DesignError
from hustings.stats.proportional import our_seats
from hustings.stats.races import Estimate, FloatArray, Outcomes, Race, contest_leads, factor, outcomes

Objective = Literal["win", "seats"]
OBJECTIVES = ("win", "seats")
_BLOCK = 4096
"""Draws at a time: as many as stay near the processor."""


class Values(NamedTuple):
    """The value of a net vote.

    Attributes:
        value: (p,) gain per net vote in each place: of the probability of winning, or of expected seats.
        error: (p,) its Monte Carlo standard error.
        p_decides: (c,) probability that a contest decides the race, given that it is tied.
        density: (c,) density of a tie for the first place, on the scale of the lead.
    """

    value: FloatArray
    error: FloatArray
    p_decides: FloatArray
    density: FloatArray


class PlanValue(NamedTuple):
    """What a plan is worth.

    Attributes:
        linear: Votes times their values: right for small plans.
        simulated: The change in the share of draws that are won (or in mean seats), the same draws with and
            without the plan.
        error: Monte Carlo standard error of `simulated`.
        before: Probability of winning (or expected seats) without the plan.
        after: With it.
    """

    linear: float
    simulated: float
    error: float
    before: float
    after: float


def vote_values(
    race: Race,
    found: Outcomes,
    mean: ArrayLike,
    covariance: ArrayLike,
    *,
    objective: Objective = "win",
    draws: int | None = None,
) -> Values:
    """What one more net vote is worth in every place.

    With two parties and contest c of T_c votes: the density of its share at one half, times the probability that
    it decides the race given that it is tied there, over 2 T_c; a place adds up the contests it votes in. The
    density is exact (normal on the logit), and the draws are moved onto the tie by x - Σ_c / Σ_cc x_c, which
    makes them draws given the tie, so that every draw counts. With several parties the tie is the one for the
    first place, rival by rival; a vote moves the lead by 1 / (s T_c), s the share of the tied.

    Where seats are given in proportion to votes no tie decides alone. The value is then the derivative of the
    expected outcome f as our leads in a contest move together, E[(f - mean f) 1' S^-1 (x - mean x)]: what the draws
    themselves say, whatever the rule. A vote moves the leads by 1 / (2 T_c s (1 - s)), s our share there.

    Args:
        race: From `make_race`.
        found: From `simulate`, with the same mean and covariance.
        mean: (p,) or (p, r) expected leads in the places.
        covariance: (p r, p r).
        objective: `win`: the probability of winning; `seats`: expected seats, whatever wins.
        draws: How many of the draws to use; all unless given.

    Returns:
        Value per net vote by place, with errors.

    Raises:
        DesignError: An unknown objective, or shapes that do not fit.

    Source: Gelman, Silver & Edlin, Economic Inquiry 50 (2012), section II. The conditional draws are Matheron's
    rule; the derivative by the draws is the score-function (likelihood-ratio) estimator, Glynn, CACM 33 (1990).

    >>> from hustings.stats.races import make_race, simulate
    >>> race, rng = make_race("plurality", [1000.0]), np.random.default_rng(1)
    >>> found = vote_values(race, simulate(race, [0], [[0.01]], rng=rng, draws=100), [0], [[0.01]])
    >>> round(float(found.value[0]) * 2000, 3), round(4 * 0.3989 / 0.1, 3)  # density of the share at one half
    (15.958, 15.956)
    """
    if objective not in OBJECTIVES:
        raise DesignError.unknown("Unknown objective", objective, OBJECTIVES)
    if race.divisors is not None:
        return _in_proportion(race, found, mean, covariance, objective)
    n = found.won.size if draws is None else max(2, min(draws, found.won.size))
    contests, rivals = found.leads.shape[1:]
    spread = _spread_of_contests(race, mean, covariance)
    # Contests that several places decide are not quite normal: their own draws tell the middle.
    drawn = found.leads.reshape(found.won.size, -1).mean(axis=0, dtype=np.float64)
    centre = np.where(np.repeat(race.is_place >= 0, rivals), _centre(race, mean), drawn)
    sums = np.zeros((contests, 5))
    for first in range(0, n, _BLOCK):
        part = slice(first, min(first + _BLOCK, n))
        block = Outcomes(found.leads[part], found.seats[part], found.won[part], found.scale[part])
        for contest in range(contests):
            sums[contest] += _at_the_tie(race, block, contest, centre, spread, objective)
    worth, square, density, decides, most = sums.T / n
    # Where no draw decides, the value is not nought but too small for so many draws: as if one had.
    error = np.sqrt(np.maximum(np.maximum(square - worth**2, 0.0), most**2 / n) / n)
    each = np.stack([worth, error], axis=1) / race.contest_votes[:, None]
    value, value_error = ((race.weights > 0).T @ each).T
    p_decides = np.divide(decides, density, out=np.zeros(contests), where=density > 0)
    return Values(value, value_error, p_decides, density)


def _in_proportion(
    race: Race, found: Outcomes, mean: ArrayLike, covariance: ArrayLike, objective: Objective
) -> Values:
    """The value of a net vote where contests give their seats in proportion to votes."""
    n, contests, rivals = found.leads.shape
    given = np.flatnonzero(race.seats > 0)
    own = (given[:, None] * rivals + np.arange(rivals)).ravel()
    spread = _spread_of_contests(race, mean, covariance)[np.ix_(own, own)]
    leads = found.leads.reshape(n, -1)[:, own].astype(np.float64)
    centre = leads.mean(axis=0)
    # A direction in which nothing varies says nothing: the pseudo-inverse leaves it out.
    scores = (
        (leads - centre) @ np.linalg.pinv(spread, hermitian=True) / found.scale[:, None].astype(float) ** 2
    )
    together = scores.reshape(n, given.size, rivals).sum(axis=2)
    seats = our_seats(found.leads[:, given], race.seats[given], race.divisors or "d_hondt", race.hurdle)
    outcome = seats.astype(float) if objective == "seats" else found.won.astype(float)[:, None]
    products = (outcome - outcome.mean(axis=0)) * together
    share = 1 / (1 + np.exp(-centre).reshape(given.size, rivals).sum(axis=1))
    moved = 1 / (2 * race.contest_votes[given] * share * (1 - share))
    worth, error = np.zeros(contests), np.zeros(contests)
    worth[given] = np.maximum(products.mean(axis=0), 0.0) * moved  # more votes never cost a seat
    # Where no draw differs, the value is not nought but too small for so many draws: as if one had.
    least = together.std(axis=0) / n
    error[given] = np.maximum(products.std(axis=0, ddof=1) / np.sqrt(n), least) * moved
    belongs = (race.weights > 0).T
    unknown = np.full(contests, np.nan)
    return Values(belongs @ worth, np.sqrt(belongs @ error**2), unknown, unknown)


def _at_the_tie(
    race: Race, block: Outcomes, contest: int, centre: FloatArray, spread: FloatArray, objective: Objective
) -> FloatArray:
    """Sums over a block of draws: worth of a vote times T, its square, the tie's density, what decides, all worth."""
    n, contests, rivals = block.leads.shape
    leads = block.leads.reshape(n, contests * rivals)
    worth, density, decisive, most = (np.zeros(n) for _ in range(4))
    for index in range(contest * rivals, (contest + 1) * rivals):
        variance = spread[index, index]
        if not variance > 0:
            continue
        tied = leads - leads[:, index, None] * (spread[index] / variance).astype(np.float32)
        tied[:, index] = 0.0
        deviation = np.sqrt(variance) * block.scale
        height = np.exp(-0.5 * (centre[index] / deviation) ** 2) / (np.sqrt(2 * np.pi) * deviation)
        own = tied.reshape(n, contests, rivals)[:, contest]
        tie = height * _first_at(own, index % rivals)
        decides = tie * _decides(race, tied, contest, rivals)
        density += tie
        decisive += decides
        moved = _moved(race, own)
        worth += moved * (decides if objective == "win" else tie * race.seats[contest])
        most += moved * height * (1.0 if objective == "win" else race.seats[contest])
    return np.array([worth.sum(), worth @ worth, density.sum(), decisive.sum(), most.sum()])


def _first_at(own: NDArray[np.float32], rival: int) -> NDArray[np.bool_]:
    """Whether no other rival is ahead of us where we tie with one."""
    return np.asarray((np.delete(own, rival, axis=1) > 0).all(axis=1))


def _moved(race: Race, own: NDArray[np.float32]) -> FloatArray | float:
    """How far one net vote moves the lead at a tie, times the contest's votes."""
    if race.threshold is not None:
        return 1 / (2 * race.threshold * (1 - race.threshold))
    if own.shape[1] == 1:
        return 2.0
    moved: FloatArray = 1.0 + np.exp(-own.astype(np.float64)).sum(axis=1)
    return moved


def _decides(race: Race, tied: NDArray[np.float32], contest: int, rivals: int) -> NDArray[np.bool_]:
    """Whether the race is won with a contest and lost without it."""
    carried = (tied > 0) if rivals == 1 else (tied.reshape(tied.shape[0], -1, rivals) > 0).all(axis=2)
    seats = race.seats.astype(np.float32)
    others = carried.astype(np.float32) @ np.where(np.arange(seats.size) == contest, np.float32(0), seats)
    lacks = np.float32(race.needed - 1e-3) - others
    pivotal: NDArray[np.bool_] = (lacks > 0) & (lacks <= seats[contest])
    return pivotal


def _centre(race: Race, mean: ArrayLike) -> FloatArray:
    centre = np.asarray(mean, dtype=np.float64).reshape(1, race.votes.size, -1)
    found: FloatArray = contest_leads(race, centre).ravel().astype(np.float64)
    return found


def _spread_of_contests(race: Race, mean: ArrayLike, covariance: ArrayLike) -> FloatArray:
    """Covariance of the contests' leads, to first order where several places decide one together."""
    matrix = np.asarray(covariance, dtype=np.float64)
    centre = np.asarray(mean, dtype=np.float64).reshape(1, race.votes.size, -1)
    if matrix.shape != (centre.size, centre.size):
        raise DesignError.of(
            "Covariance and mean do not fit", received=matrix.shape, allowed=f"{centre.size} square"
        )
    if (
        (race.is_place >= 0).all()
        and race.threshold in (None, 0.5)
        and np.array_equal(race.is_place, np.arange(race.votes.size))
    ):
        return matrix
    step = 1e-5
    moves = np.repeat(centre, centre.size, axis=0).reshape(centre.size, -1)
    moves[np.diag_indices(centre.size)] += step
    base = contest_leads(race, centre).reshape(1, -1)
    slopes = (
        contest_leads(race, moves.reshape(-1, *centre.shape[1:])).reshape(centre.size, -1) - base
    ) / step
    spread: FloatArray = slopes.T @ matrix @ slopes
    return spread


def value_of_plan(
    race: Race,
    found: Outcomes,
    mean: ArrayLike,
    covariance: ArrayLike,
    net_votes: ArrayLike,
    *,
    rng: np.random.Generator,
    objective: Objective = "win",
    draws: int = 66_000,
) -> PlanValue:
    """What net votes in each place are worth together, by simulation as well as to first order.

    Every draw is decided twice, without the plan and with it: shares move by v / 2T. A plan large enough to bend
    its own value (a place that it makes safe) is valued right by `simulated`, and too high or too low by `linear`.

    Args:
        race: From `make_race`, of two parties or with a threshold.
        found: From `simulate`; for the linear value.
        mean: (p,) expected leads.
        covariance: (p, p).
        net_votes: (p,) votes of margin that the plan adds in each place; negative where it loses some.
        rng: The source of randomness.
        objective: `win` or `seats`.
        draws: Joint draws.

    Returns:
        The plan's value, both ways, with the Monte Carlo error of the simulated one.

    Raises:
        DesignError: Several rivals, or more votes than a place has.

    >>> from hustings.stats.races import make_race, simulate
    >>> race, rng = make_race("plurality", [1000.0]), np.random.default_rng(1)
    >>> found = simulate(race, [0], [[0.01]], rng=rng, draws=1000)
    >>> plan = value_of_plan(race, found, [0], [[0.01]], [20], rng=rng)
    >>> round(plan.linear, 2), abs(plan.simulated - plan.linear) < 0.01
    (0.16, True)
    """
    centre = np.asarray(mean, dtype=np.float64).reshape(-1)
    votes = np.asarray(net_votes, dtype=np.float64)
    if centre.size != race.votes.size or votes.shape != race.votes.shape:
        raise DesignError.of(
            "A plan does not fit", received=votes.shape, allowed=f"({race.votes.size},), one rival"
        )
    if not (np.abs(votes) <= race.votes).all():
        raise DesignError.of("A plan adds more votes than a place has", allowed="at most its expected votes")
    values = vote_values(race, found, mean, covariance, objective=objective)
    lower = factor(covariance)
    block = max(1, (1 << 22) // centre.size)
    sums = np.zeros(4)
    for first in range(0, draws, block):
        n = min(block, draws - first)
        share = 1 / (1 + np.exp(-(centre + rng.standard_normal((n, centre.size)) @ lower.T)))
        moved = np.clip(share + votes / (2 * race.votes), 1e-9, 1 - 1e-9)
        ends = []
        for x in (share, moved):
            lead = contest_leads(race, np.log(x / (1 - x))[:, :, None]).astype(np.float32)
            decided = outcomes(race, lead)
            ends.append(
                decided.won.astype(np.float64) if objective == "win" else decided.seats.astype(np.float64)
            )
        gain = ends[1] - ends[0]
        sums += ends[0].sum(), ends[1].sum(), gain.sum(), (gain**2).sum()
    before, after, change, square = sums / draws
    error = float(np.sqrt(max(square - change**2, 1 / draws) / draws))
    return PlanValue(float(votes @ values.value), float(change), error, float(before), float(after))


def difference(before: Estimate, after: Estimate) -> Estimate:
    """The difference of two estimates from independent draws.

    >>> difference(Estimate(0.5, 0.03), Estimate(0.6, 0.04)).error
    0.05
    """
    return Estimate(round(after.value - before.value, 12), float(np.hypot(before.error, after.error)))
