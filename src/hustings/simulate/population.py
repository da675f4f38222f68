"""Who lives in the simulated state: households in precincts, their ages, sexes, parties, registrations."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hustings.simulate.elections import ELECTION_DAY, REGISTRATION_CLOSED

SIZES = (0.45, 0.35, 0.115, 0.055, 0.02, 0.006, 0.003, 0.001)
"""Share of the households that have 1, 2, … 8 registered voters: 1.88 on average."""
PEOPLE_PER_PLACE = 800
PLACES_PER_REGION = 12
PARTIES = ("none", "A", "B")
YEAR = 365.25


@dataclass(frozen=True)
class Population:
    """Registered voters, in file order: members of a household, and households of a place, stand together.

    Attributes:
        household: Household of each person, from 0; shape (n,).
        place: Place of each person, from 0; shape (n,).
        region: Region of each person, from 0; shape (n,).
        born_on: Day of birth; shape (n,), days.
        age: Completed years on the election day, 18 to 100; shape (n,).
        female: Whether the person is a woman; shape (n,).
        party: 0 none, 1 leaning to A, 2 leaning to B; shape (n,).
        registered_on: Day of registration; shape (n,), days.
    """

    household: NDArray[np.int64]
    place: NDArray[np.int64]
    region: NDArray[np.int64]
    born_on: NDArray[np.datetime64]
    age: NDArray[np.int64]
    female: NDArray[np.bool_]
    party: NDArray[np.int64]
    registered_on: NDArray[np.datetime64]


def draw_population(people: int, rng: np.random.Generator) -> Population:
    """Households, and everything about their members that a voter file tells.

    Args:
        people: How many registered voters; at least 1.
        rng: Source of randomness.

    Returns:
        The population.

    >>> drawn = draw_population(1_000, np.random.default_rng(1))
    >>> drawn.age.min() >= 18, bool(np.bincount(drawn.household).max() <= 8)
    (np.True_, True)
    """
    size = _household_sizes(people, rng)
    household = np.repeat(np.arange(size.size), size)
    member = np.arange(people) - (np.cumsum(size) - size)[household]
    n_places = max(4, round(people / PEOPLE_PER_PLACE))
    n_regions = max(2, n_places // PLACES_PER_REGION)
    place = np.sort(rng.integers(n_places, size=size.size))[household]
    couple = (rng.random(size.size) < 0.9)[household] & (member <= 1)
    years = _ages(size, household, member, couple, rng)
    born_on = np.datetime64(ELECTION_DAY, "D") - np.round(years * YEAR).astype("timedelta64[D]")
    return Population(
        household=household,
        place=place,
        region=place * n_regions // n_places,
        born_on=born_on,
        age=completed_years(born_on, np.datetime64(ELECTION_DAY, "D")),
        female=_sexes(household, member, couple, rng),
        party=_parties(household, place, rng),
        registered_on=_registrations(household, years, rng),
    )


def completed_years(born_on: NDArray[np.datetime64], day: np.datetime64) -> NDArray[np.int64]:
    """Age on a day, as people count it.

    Args:
        born_on: Days of birth; any shape.
        day: The day.

    Returns:
        Completed years, negative before birth; same shape.

    >>> completed_years(np.array(["2000-08-04", "2000-08-05"], "M8[D]"), np.datetime64("2026-08-04"))
    array([26, 25])
    """
    month = born_on.astype("M8[M]")
    day_of_month = (born_on - month.astype("M8[D]")).astype(np.int64)
    today = day.astype("M8[D]")
    this_month = today.astype("M8[M]")
    months = (this_month - month).astype(np.int64)
    before = day_of_month > (today - this_month.astype("M8[D]")).astype(np.int64)
    return np.asarray((months - before) // 12, np.int64)


def _household_sizes(people: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Sizes that add up to exactly the people asked for; the last household may be cut short."""
    size = rng.choice(len(SIZES), size=people, p=SIZES) + 1
    total = np.cumsum(size)
    last = int(np.searchsorted(total, people))
    size = size[: last + 1]
    size[last] -= total[last] - people
    return np.asarray(size, np.int64)


def _ages(
    size: NDArray[np.int64],
    household: NDArray[np.int64],
    member: NDArray[np.int64],
    couple: NDArray[np.bool_],
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """Ages in years: a head, a partner of about the same age, grown children at least 22 years younger."""
    alone = 20 + 75 * rng.beta(1.25, 1.6, size.size)
    pair = 22 + 70 * rng.beta(1.7, 2.0, size.size)
    family = 42 + 28 * rng.beta(2.0, 3.0, size.size)
    head = np.select([size == 1, size == 2], [alone, pair], family)[household]
    n = household.size
    partner = head - 1.0 + 4.0 * rng.standard_normal(n)
    child = 18.05 + rng.random(n) * np.clip(head - 40.0, 1.5, 25.0)
    years = np.select([member == 0, couple], [head, partner], child)
    return np.clip(years, 18.05, 100.9)


def _sexes(
    household: NDArray[np.int64],
    member: NDArray[np.int64],
    couple: NDArray[np.bool_],
    rng: np.random.Generator,
) -> NDArray[np.bool_]:
    """Women are 53 in 100 of those who live alone; 96 couples in 100 are of a woman and a man."""
    n = household.size
    woman = rng.random(n) < 0.53
    head_is_woman = woman[np.flatnonzero(member == 0)][household]
    other = np.where(rng.random(n) < 0.96, ~head_is_woman, head_is_woman)
    return np.where(couple & (member == 1), other, woman)


def _parties(
    household: NDArray[np.int64], place: NDArray[np.int64], rng: np.random.Generator
) -> NDArray[np.int64]:
    """Leanings that neighbours share a little and households much."""
    lean = 0.35 * rng.standard_normal(int(place.max()) + 1)[place]
    lean += 1.1 * rng.standard_normal(int(household.max()) + 1)[household]
    lean += 0.7 * rng.standard_normal(household.size)
    return np.select([lean > 0.4, lean < -0.4], [1, 2], 0)


def _registrations(
    household: NDArray[np.int64], years: NDArray[np.float64], rng: np.random.Generator
) -> NDArray[np.datetime64]:
    """People who moved in together registered together; nobody before the age of 18."""
    n = household.size
    together = rng.exponential(16.0, int(household.max()) + 1)[household]
    since = np.where(rng.random(n) < 0.7, together, rng.exponential(14.0, n))
    since = np.minimum(since, years - 18.0)
    day = np.datetime64(ELECTION_DAY, "D") - np.floor(since * YEAR).astype("timedelta64[D]")
    return np.minimum(day, np.datetime64(REGISTRATION_CLOSED, "D"))
