"""How far units have moved from what was expected, from those that are known to those that are not.

A normal mixed regression in closed form: few terms, many regions, and a deviation of each unit.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from hustings.errors import DesignError
from hustings.stats.arrow import Arrow, Sizes, factor, find_sizes, log_determinant, scatter, solve
from hustings.stats.clusters import Floats, Integers, cluster_sums

EARLIER = 4
"""In how many earlier nights' worth the estimated spread between regions stands for the gap of late reporters."""


class Readings(NamedTuple):
    """Movements that have been read, and the design of all units.

    Attributes:
        y: (m,) movements, finite.
        noise: (m,) variances of their readings, above 0.
        unit: (m,) which unit each is of, 0 … n - 1, none twice.
        read: (m, r) design of the readings.
        design: (n, r) design of all units.
        fixed: (r,) prior standard deviations of terms of a fixed size; 0 where the size is of a kind.
        kind: (r,) which kind of size a term has, 0 … K - 1; -1 where it is fixed.
        region: (n,) codes 0 … R - 1.
        n_regions: R.
    """

    y: Floats
    noise: Floats
    unit: Integers
    read: Floats
    design: Floats
    fixed: Floats
    kind: Integers
    region: Integers
    n_regions: int


class Movement(NamedTuple):
    """Draws of every unit's movement.

    Attributes:
        unit: (S, n) movement of what is still to be read of each unit.
        terms: (S, r) the terms.
    """

    unit: Floats
    terms: Floats


def fit_sizes(readings: Readings, typical: Floats) -> Sizes:
    """The standard deviations of regions, of units, and of each kind of term, by marginal likelihood.

    Args:
        readings: What has been read.
        typical: (2 + K,) usual sizes, in that order; the prior modes.

    Returns:
        The sizes; from no reading at all the prior modes.

    Raises:
        DesignError: Shapes or values that do not fit.

    >>> rng = np.random.default_rng(1)
    >>> region, one = np.arange(400) % 20, np.ones((400, 1))
    >>> y = rng.normal(0, 0.3, 20)[region] + rng.normal(0, 0.1, 400)
    >>> told = Readings(y, np.full(400, 1e-4), np.arange(400), one, one, np.ones(1), np.array([-1]), region, 20)
    >>> np.exp(fit_sizes(told, np.array([0.1, 0.1])).log).round(1)
    array([0.2, 0.1])
    """
    m, r = readings.read.shape
    if readings.y.shape != (m,) or readings.noise.shape != (m,) or readings.design.shape[1] != r:
        raise DesignError.of("Readings do not fit", received=f"{readings.y.shape}, {(m, r)}", allowed="(m,)")
    if not (np.isfinite(readings.y).all() and (readings.noise > 0).all()):
        raise DesignError.of("Readings do not fit", allowed="finite movements with variances above 0")

    def log_marginal(log: Floats) -> float:
        arrow, precision, weight, right = _posterior(readings, log)
        few, groups = solve(arrow, *right)
        squares = weight @ readings.y**2 - few @ right[0] - groups @ right[1]
        free = np.log(precision).sum() - 2 * log[0] * readings.n_regions
        return float(-(squares - np.log(weight).sum() - free + log_determinant(arrow)) / 2)

    return find_sizes(log_marginal, typical)


def draw_movement(
    readings: Readings, log: Floats, size: int, rng: np.random.Generator, *, alike: float = 1.0
) -> Movement:
    """Draws of every unit's movement given the sizes.

    Args:
        readings: What has been read.
        log: (2 + K,) logarithms of the standard deviations.
        size: S.
        rng: The generator.
        alike: Correlation of a unit's own deviation in what has been read of it and in what has not, 0–1.

    Returns:
        The draws.

    >>> one = np.ones((3, 1))
    >>> told = Readings(np.array([0.5]), np.array([1e-6]), np.array([0]), one[:1], one, np.ones(1), np.array([-1]),
    ...     np.zeros(3, int), 1)
    >>> drawn = draw_movement(told, np.log([0.01, 0.01]), 500, np.random.default_rng(1))
    >>> drawn.unit.mean(0).round(2)
    array([0.5, 0.5, 0.5])
    """
    arrow, _, weight, right = _posterior(readings, log)
    few, groups = solve(arrow, *right)
    terms, regions = scatter(arrow, size, rng)
    terms, regions = terms + few, regions + groups
    region, own = readings.region, float(np.exp(log[1]))
    moved = terms @ readings.design.T + regions[:, region]
    odd = rng.standard_normal((size, region.size)) * own
    known = readings.unit
    line = terms @ readings.read.T + regions[:, region[known]]
    # What is odd about a unit that was read, given the line: the normal's conditional.
    trust = own**2 * weight
    left = trust * (readings.y - line)
    left += rng.standard_normal(left.shape) * np.sqrt(trust * readings.noise)
    odd[:, known] = alike * left + np.sqrt(1 - alike**2) * odd[:, known]
    return Movement(moved + odd, terms)


def draw_gap(log: Floats, earlier: Floats, rng: np.random.Generator) -> float:
    """A standard deviation for what sets the units that report early apart from all that is known of them.

    s² = (4 ŝ² + Σ gap²) / χ²(4 + k), with ŝ² the variance between regions and along one feature: as if early and
    late units were two more regions, which differ by a standard deviation of a feature that nobody has seen. The k
    gaps of earlier nights count for more, the more of them there are.

    Args:
        log: (3, …) logarithms of the standard deviations of regions, of units and along a feature.
        earlier: (k,) gaps of earlier nights.
        rng: The generator.

    Returns:
        One draw.

    Source: the conjugate normal variance: Gelman et al., Bayesian Data Analysis (2013), 2.6.

    >>> rng = np.random.default_rng(1)
    >>> np.median([draw_gap(np.log([0.1, 0.1, 0.001]), np.empty(0), rng) for _ in range(2000)]).round(2)
    np.float64(0.11)
    """
    usual = np.exp(2 * log[0]) + np.exp(2 * log[2])
    return float(np.sqrt((EARLIER * usual + earlier @ earlier) / rng.chisquare(EARLIER + earlier.size)))


def _posterior(readings: Readings, log: Floats) -> tuple[Arrow, Floats, Floats, tuple[Floats, Floats]]:
    sd = np.where(readings.kind < 0, readings.fixed, np.exp(log[2:])[readings.kind] if log.size > 2 else 0.0)
    precision = sd**-2.0
    weight = 1 / (np.exp(2 * log[1]) + readings.noise)
    own = np.full(readings.n_regions, np.exp(-2 * log[0]))
    region = readings.region[readings.unit]
    arrow = factor(readings.read, weight, region, precision, own)
    pulled = weight * readings.y
    return arrow, precision, weight, (readings.read.T @ pulled, cluster_sums(pulled, region, own.size))
