"""Whether an effect wears off from send to send, and how fast."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hustings.errors import DesignError

Floats = NDArray[np.float64]

# Rates of change a send that are considered: from doubling in a third of a send to vanishing within one.
_RATES = np.linspace(-2.0, 6.0, 3201)


class Decay(NamedTuple):
    """How an effect changes from send to send.

    Attributes:
        first: Effect at the first send, by the fitted curve.
        rate: Its exponential rate of decay a send; below 0 it grows.
        half_life: Sends after which half is left; NaN where no decay is proven.
        low: Lower end of the half-life's interval.
        high: Upper end; infinite where no decay is within the interval.
        reason: Why no half-life is told; None where one is.
    """

    first: float
    rate: float
    half_life: float
    low: float
    high: float
    reason: str | None


def fit_decay(
    time: ArrayLike, estimate: ArrayLike, std_error: ArrayLike, *, confidence: float = 0.95
) -> Decay:
    """The exponential decay of an effect that was measured at several sends.

    d_k = d_0 exp(-λ t_k), by weighted least squares: for each λ the best d_0 is a ratio of sums, so the likelihood is
    profiled over a grid of λ. The interval holds every λ whose fit is worse by less than the quantile of chi-square
    with one degree of freedom; growth (λ < 0) is allowed, so that "no decay" can lie inside it.

    Args:
        time: (k,) numbers of the sends, or days since the first; any unit, in which the half-life then is.
        estimate: (k,) the effect at each.
        std_error: (k,) their standard errors, above 0.
        confidence: Coverage of the interval.

    Returns:
        The decay. A half-life only where λ = 0 lies outside the interval; else a reason.

    Raises:
        DesignError: Shapes that do not fit, or errors that are not above 0.

    Source: Venzon & Moolgavkar, Applied Statistics 37 (1988), profile likelihood.

    >>> found = fit_decay([0, 1, 2], [8.0, 4.0, 2.0], [0.1, 0.1, 0.1])
    >>> round(found.half_life, 2), 0.9 < found.low < 1 < found.high < 1.1
    (1.0, True)
    """
    from scipy.special import chdtri

    t, y, error = (np.asarray(one, np.float64) for one in (time, estimate, std_error))
    if t.ndim != 1 or t.shape != y.shape or y.shape != error.shape:
        raise DesignError.of(
            "Sends do not fit", received=f"{t.shape}, {y.shape}, {error.shape}", allowed="(k,)"
        )
    if len(t) and not (np.isfinite(t).all() and np.isfinite(y).all() and (error > 0).all()):
        raise DesignError.of("Effects are finite, and their errors above 0")
    if len(np.unique(t)) < 2:
        first = float(y[0]) if len(t) else np.nan
        why = "one send only: nothing to compare it with"
        return Decay(first, np.nan, np.nan, np.nan, np.nan, why)
    t = t - t.min()
    # The rate is in units of one typical gap between sends, so that days serve as well as numbers.
    gap = (t.max() - t.min()) / (len(np.unique(t)) - 1)
    power = -np.outer(_RATES, t / gap)
    most = power.max(1)
    curve = np.exp(power - most[:, None])
    w = error**-2.0
    cross, square = curve @ (w * y), (curve**2) @ w
    loss = w @ y**2 - cross**2 / square
    best = int(loss.argmin())
    inside = np.flatnonzero(loss <= loss[best] + chdtri(1, 1 - confidence))
    low, high = _RATES[inside[0]], _RATES[inside[-1]]
    first = float(cross[best] / square[best] * np.exp(-most[best]))
    rate = float(_RATES[best] / gap)
    if w @ y**2 - loss[best] < chdtri(1, 1 - confidence):
        why = "no effect is proven, so there is nothing to wear off"
        return Decay(first, rate, np.nan, np.nan, np.nan, why)
    longest = np.inf if low <= 0 else np.log(2) / low * gap
    shortest = 0.0 if inside[-1] == len(_RATES) - 1 else (np.log(2) / high * gap if high > 0 else np.inf)
    if low <= 0:
        return Decay(first, rate, np.nan, float(shortest), float(longest), "no decay is proven")
    return Decay(first, rate, float(np.log(2) / rate), float(shortest), float(longest), None)
