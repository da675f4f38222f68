"""Made-up names and addresses for simulated people; no register of real persons was used.

Family names are put together from syllables, given names and streets are invented, and postal codes stay
below 00501, where none has ever been assigned.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from hustings.simulate import files
from hustings.simulate.population import Population

_FAMILIES = [
    "".join(parts)
    for parts in product(
        ("Bral", "Corv", "Drem", "Fenn", "Garl", "Jorv", "Kess", "Nolv", "Ostr", "Quel", "Ulv", "Zeld"),
        ("a", "e", "i", "o", "u"),
        ("b", "d", "g", "lm", "nk", "r", "s", "th", "v", "z"),
        ("en", "ick", "or", "um", "wyn", "ax"),
    )
]
_WOMEN = [
    "".join(parts)
    for parts in product(("Abr", "Delw", "Jor", "Murv", "Vel", "Yl"), ("a", "essa", "ine", "ova"))
]
_MEN = [
    "".join(parts)
    for parts in product(("Ald", "Brav", "Esk", "Ingm", "Quil", "Tarv"), ("ek", "in", "or", "uld"))
]
_STREETS = [
    f"{first}{second} {kind}"
    for kind, first, second in product(
        ("Street", "Lane", "Avenue", "Road"),
        ("Amber", "Brindle", "Cobble", "Dapple", "Ember", "Fallow", "Gorse", "Hazel", "Juniper", "Thistle"),
        ("brook", "croft", "fen", "garth", "hollow", "mere", "ridge", "stead", "wick", "yard"),
    )
]
STREETS_PER_PLACE = 12


@dataclass(frozen=True)
class Names:
    """What would be on an envelope; every array has one text for each person.

    Attributes:
        given: Given names.
        family: Family names; most members of a household share one.
        address: Street and number, in quotation marks where it holds a comma.
        postcode: Five digits, one code for each region.
    """

    given: pa.Array
    family: pa.Array
    address: pa.Array
    postcode: pa.Array


def draw_names(population: Population, rng: np.random.Generator) -> Names:
    """Names and addresses; no two households share an address within a region.

    Args:
        population: Who lives there.
        rng: Source of randomness.

    Returns:
        Arrow arrays of texts; n each.

    >>> from hustings.simulate.population import draw_population
    >>> rng = np.random.default_rng(7)
    >>> names = draw_names(draw_population(1_000, rng), rng)
    >>> len(names.family), names.postcode[0].as_py()
    (1000, '00001')
    """
    n = population.household.size
    given = np.where(
        population.female, rng.integers(len(_WOMEN), size=n), len(_WOMEN) + rng.integers(len(_MEN), size=n)
    )
    family = rng.integers(len(_FAMILIES), size=int(population.household.max()) + 1)[population.household]
    own = rng.random(n) < 0.12
    family = np.where(own, rng.integers(len(_FAMILIES), size=n), family)
    codes = [f"{region + 1:05d}" for region in range(int(population.region.max()) + 1)]
    return Names(
        given=files.pick([*_WOMEN, *_MEN], given),
        family=files.pick(_FAMILIES, family),
        address=_addresses(population, rng),
        postcode=files.pick(codes, population.region),
    )


def house_ranks(
    population: Population,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Each household's first person, its place, and its number within the place, from 0.

    >>> from hustings.simulate.population import draw_population
    >>> house_ranks(draw_population(1_000, np.random.default_rng(7)))[2][:3].tolist()
    [0, 1, 2]
    """
    first = np.flatnonzero(np.diff(population.household, prepend=-1))
    place = population.place[first]
    n_in_place = np.bincount(place)
    return first, place, np.arange(first.size) - (np.cumsum(n_in_place) - n_in_place)[place]


def _addresses(population: Population, rng: np.random.Generator) -> pa.Array:
    first, place, rank = house_ranks(population)
    street = (place * STREETS_PER_PLACE + rank % STREETS_PER_PLACE) % len(_STREETS)
    number = pa.array(101 + 2 * (rank // STREETS_PER_PLACE)).cast(pa.string())
    house = pc.binary_join_element_wise(number, files.pick(_STREETS, street), " ")
    flat = pa.array(rng.integers(1, 30, first.size)).cast(pa.string())
    in_flat = pc.binary_join_element_wise('"', house, ", Apt ", flat, '"', "")
    address = pc.if_else(pa.array(rng.random(first.size) < 0.15), in_flat, house)
    return address.take(pa.array(population.household))
