"""A whole simulated state: who lives there, a test of mail, who then voted, and the truth behind it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hustings.errors import DesignError
from hustings.simulate.population import Population, draw_population
from hustings.simulate.turnout import draw_control, draw_trait, draw_votes, true_effects

ARMS = ("control", "plain", "social", "record")
CHANNELS = ("mail", "phone", "door", "all")
SMALLEST, LARGEST = 1_000, 1_000_000
OPT_OUT_SHARE = 0.003


@dataclass(frozen=True)
class World(Population):
    """A population, its past, the test, the outcome, and the truth. Rows are in file order.

    Attributes:
        trait: Lasting propensity to vote, log-odds; shape (n,).
        votes: Votes in the past elections, in the order of `PAST`; shape (n, 6).
        opt_out: Channel refused, an index of `CHANNELS`, or -1; shape (n,).
        arms: Names of the arms, control first.
        arm: Arm of each person, an index of `arms`, or -1 outside the test; shape (n,). The unit is the
            household, the block is the place.
        p_control: Probability of voting without mail, 0 to 1; shape (n,).
        effect: What each arm but control adds to it; shape (n, arms - 1).
        voted: Whether the person voted; shape (n,).
    """

    trait: NDArray[np.float64]
    votes: NDArray[np.bool_]
    opt_out: NDArray[np.int64]
    arms: tuple[str, ...]
    arm: NDArray[np.int64]
    p_control: NDArray[np.float64]
    effect: NDArray[np.float64]
    voted: NDArray[np.bool_]


def draw_world(people: int, rng: np.random.Generator, *, n_arms: int = 4, share_tested: float = 0.6) -> World:
    """A simulated state whose truth is known.

    Args:
        people: Registered voters, 1,000 to 1,000,000.
        rng: Source of randomness; the same state gives the same world.
        n_arms: Arms of the test, control included: 2 (plain), 3 (and social) or 4 (and record). Control
            has half of the tested households and the others equal parts.
        share_tested: Share of the households of each place that are in the test, above 0 to 0.95.

    Returns:
        The world.

    Raises:
        DesignError: A size is out of its range.

    >>> world = draw_world(1_000, np.random.default_rng(7))
    >>> world.arms, world.effect.shape
    (('control', 'plain', 'social', 'record'), (1000, 3))
    """
    check_people(people)
    _check_test(n_arms, share_tested)
    population = draw_population(people, rng)
    trait = draw_trait(population, rng)
    votes = draw_votes(population, trait, rng)
    p_control = draw_control(population, trait, rng)
    effect = true_effects(population, votes, p_control)[:, : n_arms - 1]
    opt_out = _draw_opt_outs(people, rng)
    arm = _draw_arms(population, opt_out, n_arms, share_tested, rng)
    mailed = np.column_stack([np.zeros(people), effect])[np.arange(people), np.maximum(arm, 0)]
    return World(
        **vars(population),
        trait=trait,
        votes=votes,
        opt_out=opt_out,
        arms=ARMS[:n_arms],
        arm=arm,
        p_control=p_control,
        effect=effect,
        voted=rng.random(people) < p_control + mailed,
    )


def check_people(people: int) -> None:
    """Nothing for a size that can be simulated.

    Args:
        people: Registered voters.

    Raises:
        DesignError: It is not a whole number from 1,000 to 1,000,000.

    >>> check_people(50_000)
    """
    number = isinstance(people, (int, np.integer)) and not isinstance(people, bool)
    if not (number and SMALLEST <= people <= LARGEST):
        raise DesignError.of(
            "A simulated campaign of this size cannot be drawn",
            received=people,
            allowed=f"a whole number of people from {SMALLEST:,} to {LARGEST:,}",
            then="give another number of people",
        )


def _check_test(n_arms: int, share_tested: float) -> None:
    if n_arms not in range(2, len(ARMS) + 1):
        raise DesignError.of(
            "A test needs control and at least one other arm",
            received=n_arms,
            allowed=f"2 to {len(ARMS)} arms, control included",
        )
    if not 0.0 < share_tested <= 0.95:
        raise DesignError.of(
            "The share of households in the test", received=share_tested, allowed="above 0, up to 0.95"
        )


def _draw_opt_outs(people: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """About 3 people in 1,000 refuse a channel, mail more often than others."""
    refused = np.full(people, -1, np.int64)
    who = rng.choice(people, max(3, round(people * OPT_OUT_SHARE)), replace=False)
    refused[who] = rng.choice(len(CHANNELS), who.size, p=(0.5, 0.3, 0.1, 0.1))
    return refused


def _draw_arms(
    population: Population,
    opt_out: NDArray[np.int64],
    n_arms: int,
    share_tested: float,
    rng: np.random.Generator,
) -> NDArray[np.int64]:
    """Arms by household within place, in equal turns along a random order from a random start.

    Households of which someone refuses mail stand last in that order, beyond the tested share.
    """
    household = population.household
    first = np.flatnonzero(np.diff(household, prepend=-1))
    place = population.place[first]
    refuses = np.bincount(household, (opt_out == 0) | (opt_out == 3)) > 0
    key = rng.random(first.size) + refuses
    order = np.lexsort((key, place))
    n_in_place = np.bincount(place)
    rank = np.empty(first.size, np.int64)
    rank[order] = np.arange(first.size) - (np.cumsum(n_in_place) - n_in_place)[place[order]]
    n_tested = np.floor(share_tested * n_in_place + rng.random(n_in_place.size))
    turns = 2 * (n_arms - 1)
    turn = (rank + rng.integers(turns, size=n_in_place.size)[place]) % turns
    arm = np.where(turn % 2 == 0, 0, 1 + turn // 2)
    tested = (rank < n_tested[place]) & ~refuses
    return np.asarray(np.where(tested, arm, -1)[household], np.int64)
