"""How much of an effect is left on a later day."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from hustings.errors import DesignError
from hustings.stats.clusters import Floats, t_quantile

# What field experiments on persuasion found: between a half and three quarters of an advertisement's effect gone
# within a week, so a half-life between 3.5 and 7 days; the middle, with a factor of 2 to either side at two
# standard deviations. Turnout is measured by the vote itself, so nothing is left to decay.
PRIOR_DAYS, PRIOR_FACTOR = 5.0, 2**0.5


class HalfLife(NamedTuple):
    """In how many days half of an effect is gone.

    Attributes:
        days: The estimate.
        low: Lower end of its interval.
        high: Upper end; infinity where no decay cannot be ruled out and no prior is used.
        start: The effect on day 0.
        start_error: Its standard error, the half-life's own error included.
    """

    days: float
    low: float
    high: float
    start: float
    start_error: float


def remaining(days: ArrayLike, half_life: float) -> Floats:
    """The share of an effect that is left, 2^(-days / half_life); 1 for days that are not after it.

    Args:
        days: Days since the effect was measured.
        half_life: In days, above 0; infinity for no decay.

    Returns:
        Shares between 0 and 1.

    Raises:
        DesignError: A half-life of 0 or less.

    Source: Hill, Lo, Vavreck & Zaller, Political Communication 30 (2013), on exponential decay of persuasion.

    >>> remaining([0, 7, 14], 7.0).tolist()
    [1.0, 0.5, 0.25]
    """
    if not half_life > 0:
        raise DesignError.of("A half-life is a number of days", received=half_life, allowed="above 0")
    return np.exp2(-np.maximum(np.asarray(days, np.float64), 0.0) / half_life)


def remaining_error(days: float, half_life: float, factor: float) -> float:
    """How far the share that is left may be from `remaining`, where the half-life itself is not known.

    The root of E[(2^(-days / h) - 2^(-days / half_life))²] with log h ~ N(log half_life, (log factor)²), by
    Gauss-Hermite quadrature.

    Args:
        days: Days since the effect was measured.
        half_life: In days, above 0.
        factor: By what the half-life may be off, at one standard deviation, 1 or more.

    Returns:
        A standard error of a share; 0 for a factor of 1.

    Raises:
        DesignError: A half-life of 0 or less, or a factor below 1.

    >>> round(remaining_error(7, 7.0, 2**0.5), 3), remaining_error(7, 7.0, 1.0)
    (0.116, 0.0)
    """
    if not factor >= 1:
        raise DesignError.of("A half-life is off by a factor", received=factor, allowed="1 or more")
    at, weight = np.polynomial.hermite_e.hermegauss(41)
    share = np.array([float(remaining(days, half_life * factor**one)) for one in at])
    off = share - float(remaining(days, half_life))
    return float(np.sqrt(weight @ off**2 / weight.sum()))


def fit_half_life(
    days: ArrayLike,
    effect: ArrayLike,
    std_error: ArrayLike,
    *,
    prior: float | None = PRIOR_DAYS,
    confidence: float = 0.95,
) -> HalfLife:
    """The half-life that effects measured on several days bear out, weighed with a prior.

    effect_d ~ N(start 2^(-d / h), error_d²), start flat and log h ~ N(log prior, (log PRIOR_FACTOR)²); the
    posterior of log h is summed over a grid from a tenth of a day to ten years, start integrated out exactly.

    Args:
        days: (k,) days since the treatment, 0 or more.
        effect: (k,) effects measured on independent people on those days, in the outcome's unit.
        std_error: (k,) their standard errors, above 0.
        prior: The prior's middle in days; None for a flat prior in log h.
        confidence: Of the interval.

    Returns:
        The median of the posterior, its interval, and the effect on day 0.

    Raises:
        DesignError: Shapes or values that do not fit, or without a prior fewer than two different days.

    Source: Gerber, Gimpel, Green & Shaw, APSR 105 (2011), on the decay of television's effect within a week; Bayes'
    rule on a grid: Gelman et al., Bayesian Data Analysis (2013), section 3.7.

    >>> found = fit_half_life([0, 7, 14], [8.0, 4.0, 2.0], [0.01, 0.01, 0.01])
    >>> round(found.days, 1)
    7.0
    """
    d, x, s = (np.asarray(one, np.float64) for one in (days, effect, std_error))
    fits = d.ndim == 1 and d.shape == x.shape == s.shape and len(d) > 0
    if not fits or not (np.isfinite(x).all() and np.all((s > 0) & np.isfinite(s)) and np.all(d >= 0)):
        raise DesignError.of(
            "Effects by day do not fit",
            received=(d.shape, x.shape, s.shape),
            allowed="(k,) each, finite, days 0 or more, errors above 0",
        )
    if prior is None and len(np.unique(d)) < 2:
        raise DesignError.of(
            "One day shows no decay", received=np.unique(d).tolist(), allowed="two days, or a prior"
        )
    grid = np.exp(np.linspace(np.log(0.1), np.log(3650.0), 2001))
    left = remaining(d[None, :], 1.0) ** (1 / grid[:, None])
    precision = (left**2 / s**2).sum(1)
    start = (left * x / s**2).sum(1) / precision
    log_density = -0.5 * ((x - start[:, None] * left) ** 2 / s**2).sum(1) - 0.5 * np.log(precision)
    if prior is not None:
        log_density -= 0.5 * (np.log(grid / prior) / np.log(PRIOR_FACTOR)) ** 2
    weight = np.exp(log_density - log_density.max())
    weight /= weight.sum()
    reached = np.cumsum(weight)
    tail = (1 - confidence) / 2
    low, middle, high = (float(np.interp(at, reached, grid)) for at in (tail, 0.5, 1 - tail))
    if prior is None and weight[-1] > tail / 100:
        high = float("inf")
    mean = float(weight @ start)
    error = float(np.sqrt(weight @ (1 / precision + (start - mean) ** 2)))
    # A confidence outside (0, 1) is refused there.
    t_quantile(confidence, np.inf)
    return HalfLife(middle, low, high, mean, error)
