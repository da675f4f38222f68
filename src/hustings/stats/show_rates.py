"""How many of those who said that they would come will come: rates shrunk to all regions', and a forecast.

Counts are beta-binomial by region: the prior's mean is the pooled rate, its strength comes from the spread of the
regions' rates beyond chance (method of moments; Kleinman, Journal of the American Statistical Association 68, 1973).
People who come together come or stay away together: the spread of shifts within regions beyond the binomial's, the
dispersion, makes counts worth less and forecasts wider (McCullagh & Nelder, Generalized Linear Models, 1989, 4.5).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hustings.errors import DesignError

Floats = NDArray[np.float64]
_LEAST, _MOST = 2.0, 10_000.0
"""Bounds of the prior's strength, in shows."""
_NORMAL = 1.959963984540054


class ShowRates(NamedTuple):
    """What is known of each region's rate: a beta distribution.

    Attributes:
        successes: (r,) its first parameter.
        failures: (r,) its second.
        dispersion: Variance of a shift's count, in units of the binomial's; 1 or more.
    """

    successes: Floats
    failures: Floats
    dispersion: float

    @property
    def rate(self) -> Floats:
        """(r,) expected rate."""
        return self.successes / (self.successes + self.failures)

    def interval(self) -> tuple[Floats, Floats]:
        """(r,) ends of the 95 % interval of each rate."""
        from scipy.special import betaincinv

        return tuple(betaincinv(self.successes, self.failures, q) for q in (0.025, 0.975))


class Expected(NamedTuple):
    """Who is expected to come; all (k,)."""

    mean: Floats
    low: Floats
    high: Floats


def show_rates(came: ArrayLike, promised: ArrayLike, region: ArrayLike, n_regions: int) -> ShowRates:
    """Each region's rate from its past shifts, shrunk to all regions'.

    Args:
        came: (s,) who came to each past shift; more than promised counts as all.
        promised: (s,) who said that they would, 0 or more; shifts that nobody promised tell nothing.
        region: (s,) codes 0 … R - 1.
        n_regions: R; a region without a past gets the rate of all.

    Returns:
        The rates.

    Raises:
        DesignError: Numbers do not fit, are missing or negative, or there is no past shift at all.

    >>> show_rates([5, 5], [10, 10], [0, 0], 2).rate.round(2).tolist()
    [0.5, 0.5]
    """
    y, n, code = np.asarray(came, np.float64), np.asarray(promised, np.float64), np.asarray(region, np.int64)
    if y.shape != n.shape or y.shape != code.shape or y.ndim != 1:
        raise DesignError.of(
            "Shifts do not fit", received=(y.shape, n.shape, code.shape), allowed="one of each"
        )
    if not (np.isfinite(y).all() and np.isfinite(n).all()) or (y < 0).any() or (n < 0).any():
        raise DesignError.of("Some shift's count is missing or negative", then="leave that shift out")
    if not n.sum():
        raise DesignError.of("Nobody has promised to come to a past shift", then="wait for the first shifts")
    y, told = np.minimum(y, n), n > 0
    shows, promises = (np.bincount(code, weights=v, minlength=n_regions) for v in (y, n))
    pooled = float(np.clip(shows.sum() / promises.sum(), 0.5 / n.sum(), 1 - 0.5 / n.sum()))
    # One half of a show each way, so that a region where all came has no certain rate.
    own = (shows + pooled) / (promises + 1)
    spread = n * own[code] * (1 - own[code])
    df = int(told.sum()) - int((promises > 0).sum())
    chi = float(((y - n * own[code])[told] ** 2 / spread[told]).sum())
    dispersion = max(1.0, chi / df) if df > 0 else 1.0
    # Counts that go together are worth fewer that do not.
    strength = _strength(shows / dispersion, promises / dispersion, pooled)
    return ShowRates(
        shows / dispersion + strength * pooled,
        (promises - shows) / dispersion + strength * (1 - pooled),
        dispersion,
    )


def expected_shows(rates: ShowRates, promised: ArrayLike, region: ArrayLike) -> Expected:
    """How many will come, with chance of the day and ignorance of the rate in the interval.

    Args:
        rates: From `show_rates`.
        promised: (k,) who said that they would come.
        region: (k,) codes.

    Returns:
        Means and the ends of 95 % intervals, from 0 to those promised.

    >>> found = expected_shows(ShowRates(np.array([50.0]), np.array([50.0]), 1.0), [20], [0])
    >>> found.mean.tolist(), (found.low < 10).all() and (found.high > 10).all()
    ([10.0], np.True_)
    """
    n, code = np.asarray(promised, np.float64), np.asarray(region, np.int64)
    p, total = rates.rate[code], (rates.successes + rates.failures)[code]
    mean = n * p
    # Variance of the rate itself, and of the count given the rate.
    error = np.sqrt(n * p * (1 - p) * rates.dispersion + n**2 * p * (1 - p) / (total + 1))
    return Expected(mean, np.clip(mean - _NORMAL * error, 0, n), np.clip(mean + _NORMAL * error, 0, n))


def _strength(shows: Floats, promises: Floats, pooled: float) -> float:
    """Strength of the prior by moments: the more alike the regions, the stronger."""
    known = promises > 0
    n = promises[known]
    if n.size < 2 or n.sum() <= 0:
        return _LEAST
    gap = float((n * (shows[known] / n - pooled) ** 2).sum()) / (pooled * (1 - pooled))
    room = n.sum() - (n**2).sum() / n.sum()
    alike = (gap - (n.size - 1)) / max(room - (n.size - 1), 1e-9)
    return float(np.clip(1 / alike - 1, _LEAST, _MOST)) if alike > 0 else _MOST
