"""Telephones of the simulated people: made up, in ranges that no exchange gives out."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from hustings.simulate.population import Population

_SHARED, _OWN, _NEIGHBOURS = 0.30, 0.55, 0.004
"""Households with one number for all, people of the others with a number of their own, and households that share one
with the household before."""


def draw_phones(population: Population, rng: np.random.Generator) -> pa.Array:
    """A number for most people; empty for the others.

    Args:
        population: Who lives there.
        rng: Source of randomness.

    Returns:
        (n,) texts.

    >>> from hustings.simulate.population import draw_population
    >>> phones = draw_phones(draw_population(1_000, np.random.default_rng(1)), np.random.default_rng(2))
    >>> 500 < sum(phone != "" for phone in phones.to_pylist()) < 900
    True
    """
    n, home = population.household.size, population.household
    homes = int(home.max()) + 1
    together = rng.random(homes) < _SHARED
    with_neighbours = rng.random(homes) < _NEIGHBOURS
    first = np.where(with_neighbours & (np.arange(homes) > 0), np.arange(homes) - 1, np.arange(homes))
    together |= with_neighbours
    together[first[with_neighbours]] = True
    there = together[home] | (rng.random(n) < _OWN)
    number = np.where(together[home], first[home], homes + np.arange(n))
    # No area begins with 555 and no exchange with 0 or 1.
    texts = np.char.add("555", np.char.zfill((2_000_000 + number).astype(str), 7))
    return pa.array(np.where(there, texts, ""))
