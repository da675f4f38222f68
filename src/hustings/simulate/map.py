"""Where the simulated households live: precincts on a grid of their region, houses along their streets."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hustings.simulate.names import STREETS_PER_PLACE, house_ranks
from hustings.simulate.population import Population

_SOUTH, _WEST = 42.0, -86.0
_PRECINCT = 0.016
"""Height and width of a precinct, in degrees: about 1.8 km by 1.3 km."""
_REGION = 0.30
_BLOCK, _HOUSE = 0.0008, 0.00025
"""From one street to the next (90 m), and from one house to the next on it (20 m)."""
_UNKNOWN = 50
"""One household in so many has no coordinates, as in every file."""


def coordinates(population: Population) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Latitude and longitude of each person's house; NaN of the few that no one has found.

    Nothing is drawn: the address says it all.

    Args:
        population: Who lives there.

    Returns:
        Two arrays of shape (n,), in degrees.

    >>> from hustings.simulate.population import draw_population
    >>> where = coordinates(draw_population(1_000, np.random.default_rng(7)))
    >>> [round(float(one[0]), 3) for one in where]
    [42.0, -86.0]
    """
    first, place, rank = house_ranks(population)
    region = population.region[first]
    n_regions = int(region.max()) + 1
    begins = np.full(n_regions, place.max())
    np.minimum.at(begins, region, place)
    within = place - begins[region]
    side = int(np.ceil(np.sqrt(within.max() + 1)))
    regions = int(np.ceil(np.sqrt(n_regions)))
    north = _REGION * (region // regions) + _PRECINCT * (within // side) + _BLOCK * (rank % STREETS_PER_PLACE)
    east = _REGION * (region % regions) + _PRECINCT * (within % side) + _HOUSE * (rank // STREETS_PER_PLACE)
    unknown = np.arange(first.size) % _UNKNOWN == _UNKNOWN - 1
    found = [np.where(unknown, np.nan, base + way) for base, way in ((_SOUTH, north), (_WEST, east))]
    return found[0][population.household], found[1][population.household]
