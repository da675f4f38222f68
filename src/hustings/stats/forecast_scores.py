"""How right a forecast of places was, once their results are known."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, logit, ndtri

from hustings.errors import DesignError

Floats = NDArray[np.float64]


class Scores(NamedTuple):
    """How right a forecast was.

    Attributes:
        brier: Mean over places of (probability − whether the first candidate won)²; 0.25 for knowing nothing.
        weighted_brier: The same, weighted (by electors); NaN without weights.
        root_mean_square_error: Of the shares of the counted places.
        called: Places whose winner was the likelier.
        n_places: Places.
        coverage_80: Share of places whose result was inside the 80 % interval.
        coverage_95: Inside the 95 % interval.
    """

    brier: float
    weighted_brier: float
    root_mean_square_error: float
    called: int
    n_places: int
    coverage_80: float
    coverage_95: float


def score(
    probability: ArrayLike,
    share: ArrayLike,
    result: ArrayLike,
    *,
    error: ArrayLike,
    on_logit: bool = True,
    weights: ArrayLike | None = None,
    counted: ArrayLike | None = None,
) -> Scores:
    """Scores of one forecast.

    Args:
        probability: (p,) that the first candidate wins, 0–1; NaN where nothing was said makes the score NaN.
        share: (p,) two-party share that was foretold, 0–1.
        result: (p,) two-party share that came.
        error: (p,) or one standard deviation of the forecast: of its logit, or of the share.
        on_logit: Whether `error` is the logit's.
        weights: (p,) weights of the weighted Brier score; it is NaN when one is not known.
        counted: (p,) whether a place counts for the root mean square error; all when None.

    Returns:
        The scores.

    Raises:
        DesignError: Shapes that do not fit, or no places.

    Source: Brier, Monthly Weather Review 78 (1950).

    >>> found = score([0.9, 0.2], [0.53, 0.48], [0.51, 0.52], error=0.2)
    >>> round(found.brier, 3), round(found.root_mean_square_error, 3), found.called, found.coverage_80
    (0.325, 0.032, 1, 1.0)
    """
    p, x, truth = (np.asarray(v, np.float64) for v in (probability, share, result))
    if not p.shape == x.shape == truth.shape or p.ndim != 1 or not len(p):
        raise DesignError.of(
            "Forecast and results do not fit", received=f"{p.shape}, {x.shape}, {truth.shape}"
        )
    off = (p - (truth > 0.5)) ** 2
    weight = np.full(len(p), np.nan) if weights is None else np.asarray(weights, np.float64)
    use = np.ones(len(p), bool) if counted is None else np.asarray(counted, bool)
    spread = np.broadcast_to(np.asarray(error, np.float64), x.shape)
    apart = np.abs(logit(truth) - logit(x)) if on_logit else np.abs(truth - x)
    known = np.isfinite(spread).all()
    inside = [
        float(np.mean(apart <= ndtri(0.5 + level / 2) * spread)) if known else np.nan for level in (0.8, 0.95)
    ]
    return Scores(
        float(off.mean()),
        float(off @ weight / weight.sum()),
        float(np.sqrt(np.mean((x - truth)[use] ** 2))),
        int(np.sum((x > 0.5) == (truth > 0.5))),
        len(p),
        inside[0],
        inside[1],
    )


def share_of(mean: ArrayLike) -> Floats:
    """The share at a logit: the median of what is foretold.

    >>> share_of([0.0]).tolist()
    [0.5]
    """
    found: Floats = expit(np.asarray(mean, np.float64))
    return found
