"""Who would vote, who did, and what each mailer changes: the truth of the simulated state."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hustings.simulate.elections import ELECTION_DAY, PAST
from hustings.simulate.population import YEAR, Population

INTERCEPT = -0.90
"""Log-odds of voting in the election ahead of someone whose propensity is 0."""
SLOPE = 1.15


def age_curve(age: NDArray[np.float64]) -> NDArray[np.float64]:
    """The part of the propensity that is age: it rises to 68 and falls gently after.

    Args:
        age: Ages in years; any shape.

    Returns:
        Log-odds; same shape.

    >>> age_curve(np.array([18.0, 68.0, 96.0])).round(2)
    array([-1.4 ,  0.35, -0.2 ])
    """
    return 0.35 - 0.55 * ((age - 68.0) / 28.0) ** 2


def draw_trait(population: Population, rng: np.random.Generator) -> NDArray[np.float64]:
    """The part of the propensity that does not age: place, household, person, and having a party.

    Args:
        population: Who lives there.
        rng: Source of randomness.

    Returns:
        Log-odds; shape (n,).

    >>> from hustings.simulate.population import draw_population
    >>> rng = np.random.default_rng(1)
    >>> draw_trait(draw_population(1_000, rng), rng).shape
    (1000,)
    """
    place, household = population.place, population.household
    trait = 0.15 * rng.standard_normal(int(place.max()) + 1)[place]
    trait += 0.75 * rng.standard_normal(int(household.max()) + 1)[household]
    trait += 0.85 * rng.standard_normal(household.size)
    trait += np.where(population.party > 0, 0.1, -0.3)
    return trait


def draw_votes(
    population: Population, trait: NDArray[np.float64], rng: np.random.Generator
) -> NDArray[np.bool_]:
    """Whether each person voted in each past election; nobody before being 18 and registered.

    Args:
        population: Who lives there.
        trait: Their lasting propensity; shape (n,).
        rng: Source of randomness.

    Returns:
        Votes; shape (n, 6), in the order of `PAST`.

    >>> from hustings.simulate.population import draw_population
    >>> rng = np.random.default_rng(1)
    >>> people = draw_population(1_000, rng)
    >>> draw_votes(people, draw_trait(people, rng), rng).shape
    (1000, 6)
    """
    votes = np.zeros((trait.size, len(PAST)), np.bool_)
    for column, election in enumerate(PAST):
        day = np.datetime64(election.day, "D")
        p = _probability(election.intercept + age_curve(_age_on(population, day)) + trait)
        # nobody registers before 18, so having registered says both
        votes[:, column] = (rng.random(trait.size) < p) & (population.registered_on < day)
    return votes


def draw_control(
    population: Population, trait: NDArray[np.float64], rng: np.random.Generator
) -> NDArray[np.float64]:
    """Probability of voting in the election ahead without any mail.

    A household's week of the election (a fever, a journey) is its own, and no file can tell it.

    Args:
        population: Who lives there.
        trait: Their lasting propensity; shape (n,).
        rng: Source of randomness.

    Returns:
        Probabilities, 0 to 1; shape (n,).

    >>> from hustings.simulate.population import draw_population
    >>> rng = np.random.default_rng(1)
    >>> people = draw_population(1_000, rng)
    >>> bool(0.2 < draw_control(people, draw_trait(people, rng), rng).mean() < 0.45)
    True
    """
    week = 0.4 * rng.standard_normal(int(population.household.max()) + 1)[population.household]
    age = _age_on(population, np.datetime64(ELECTION_DAY, "D"))
    return _probability(INTERCEPT + SLOPE * (age_curve(age) + trait) + week)


def true_effects(
    population: Population, votes: NDArray[np.bool_], p_control: NDArray[np.float64]
) -> NDArray[np.float64]:
    """What each mailer changes in each person's probability of voting.

    `plain` moves almost everybody by one point. `social` moves the undecided most and those who are nearly
    certain to vote not at all. `record` moves most those who vote in generals but skip primaries, the old
    more than the young; it puts off the young who have no party.

    Args:
        population: Who lives there.
        votes: Past votes; shape (n, 6).
        p_control: Probability of voting without mail, 0 to 1; shape (n,).

    Returns:
        Differences of probabilities for plain, social, record; shape (n, 3). Adding one to `p_control`
        stays within 0 and 1.

    >>> from hustings.simulate.population import draw_population
    >>> rng = np.random.default_rng(1)
    >>> people = draw_population(1_000, rng)
    >>> true_effects(people, np.zeros((1_000, 6), bool), np.full(1_000, 0.97))[:, 1].max()
    np.float64(0.0)
    """
    room = np.clip(4.0 * p_control * (0.95 - p_control) / 0.95**2, 0.0, 1.0)
    plain = np.minimum(0.0105, 1.0 - p_control)
    social = 0.050 * room
    general, primary = votes[:, -1], votes[:, -2]
    kind = np.select([general & ~primary, general | primary], [0.140, 0.040], 0.030)
    record = room * kind * (0.5 + np.clip((population.age - 25) / 50.0, 0.0, 1.0))
    put_off = (population.age < 35) & (population.party == 0)
    record = np.where(put_off, -np.minimum(0.05, p_control / 2), record)
    return np.column_stack([plain, social, record])


def _age_on(population: Population, day: np.datetime64) -> NDArray[np.float64]:
    return np.asarray((day - population.born_on).astype(np.float64) / YEAR, np.float64)


def _probability(log_odds: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(1.0 / (1.0 + np.exp(-log_odds)), np.float64)
