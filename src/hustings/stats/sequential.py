"""Reading a test as often as one likes: intervals that hold at every look at once.

What is counted is *randomised units*: people of a household whose outcome became known are one more unit, not
three. Clustered errors go in, and the number of units says how far the boundary is.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from hustings.errors import DesignError
from hustings.stats.clusters import Floats

LEAST_UNITS = 40
"""Units, both arms together, below which a clustered error is not yet trusted at a look."""


class Sequence(NamedTuple):
    """What a look says; arrays with one entry per estimate.

    Attributes:
        low: Lower end of an interval that holds the truth at all looks at once.
        high: Upper end.
        p_value: At most as small as the strongest look so far may claim; 1 / e.
    """

    low: Floats
    high: Floats
    p_value: Floats


def boundary(n_units: ArrayLike, *, planned: float, confidence: float = 0.95) -> Floats:
    """How many standard errors the interval reaches to each side after n units.

    sqrt(2 (n ρ² + 1) / (n ρ²) log(sqrt(n ρ² + 1) / α)), with ρ chosen so that it is narrowest at the planned
    size: ρ² = (-2 log α + log(1 - 2 log α)) / planned.

    Args:
        n_units: (m,) randomised units so far, 1 or more.
        planned: Units at which it is to be narrowest, 1 or more.
        confidence: Coverage over all looks, between 0 and 1.

    Returns:
        (m,) multiples of the standard error; at the planned size about 3 for 95 %.

    Raises:
        DesignError: No units, or a confidence outside (0, 1).

    Source: Waudby-Smith, Arbour, Sinha, Kennedy & Ramdas, Annals of Statistics 52 (2024), arXiv 2103.06476,
    theorem 2.2 and appendix B.2.

    >>> boundary([100, 1000, 100_000], planned=1000).round(2).tolist()
    [3.86, 3.04, 3.56]
    """
    n, rho = _checked(n_units, planned, confidence)
    alpha = 1 - confidence
    scaled = n * rho
    return np.asarray(np.sqrt(2 * (scaled + 1) / scaled * np.log(np.sqrt(scaled + 1) / alpha)))


def confidence_sequence(
    estimate: ArrayLike,
    std_error: ArrayLike,
    n_units: ArrayLike,
    *,
    planned: float,
    confidence: float = 0.95,
) -> Sequence:
    """Intervals and p-values that stay valid however often, and whenever, one looks.

    Args:
        estimate: (m,) differences of means, or any estimate that is asymptotically a mean over units.
        std_error: (m,) their errors, clustered by unit; more than 0, or NaN.
        n_units: (m,) randomised units that the estimate rests on.
        planned: Units at which the interval is to be narrowest; fixed before the first look.
        confidence: Coverage over all looks.

    Returns:
        Intervals and p-values; NaN where the error is NaN or there are fewer than `LEAST_UNITS` units.

    Raises:
        DesignError: No units, a confidence outside (0, 1), or a negative error.

    Source: as `boundary`; the p-value inverts it: sqrt(n ρ² + 1) exp(-z² n ρ² / (2 (n ρ² + 1))).

    >>> found = confidence_sequence([0.05], [0.01], [1000], planned=1000)
    >>> found.low.round(4).tolist(), bool(found.p_value[0] < 0.001)
    ([0.0196], True)
    """
    n, rho = _checked(n_units, planned, confidence)
    center, error = np.asarray(estimate, np.float64), np.asarray(std_error, np.float64)
    if np.any(error < 0):
        raise DesignError.of("An error is not negative", received=float(np.nanmin(error)))
    ready = (n >= LEAST_UNITS) & (error > 0)
    half = np.where(ready, boundary(n, planned=planned, confidence=confidence) * error, np.nan)
    scaled = n * rho
    z = np.divide(center, error, out=np.full(center.shape, np.nan), where=ready)
    log_p = 0.5 * np.log(scaled + 1) - z**2 * scaled / (2 * (scaled + 1))
    return Sequence(center - half, center + half, np.exp(np.minimum(log_p, 0.0)))


def _checked(n_units: ArrayLike, planned: float, confidence: float) -> tuple[Floats, float]:
    """Units as floats, and ρ²."""
    n = np.asarray(n_units, np.float64)
    if not (np.all(n >= 1) and planned >= 1 and 0 < confidence < 1):
        got = f"{planned:g} planned, confidence {confidence:g}"
        raise DesignError.of(
            "No such look", received=got, allowed="1 unit or more, a confidence between 0 and 1"
        )
    twice = -2 * np.log(1 - confidence)
    return n, float((twice + np.log(twice + 1)) / planned)
