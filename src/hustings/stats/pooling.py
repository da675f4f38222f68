"""What places add to a score: an intercept for each, pulled to nought by as much as the place is small."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from hustings.errors import DesignError
from hustings.stats.clusters import Floats, Integers, cluster_codes

# A probability is moved no nearer to 0 or 1 than this before its logit is taken.
NEAREST = 1e-9
LEAST, MOST = 0.005, 3.0
"""Between which standard deviations, in log-odds, the search goes; below the first counts as none."""


@dataclass(frozen=True)
class Pooling:
    """Intercepts of places on the log-odds of a score.

    Attributes:
        sd: Standard deviation of the places' true intercepts, in log-odds; 0 where none can be seen.
        effect: (G,) each place's intercept, shrunk.
        std_error: (G,) its posterior standard deviation.
    """

    sd: float
    effect: Floats
    std_error: Floats

    def apply(self, p: ArrayLike, place: ArrayLike) -> Floats:
        """The scores with their places' intercepts.

        Args:
            p: (n,) probabilities.
            place: (n,) codes 0 … G - 1; any other number is a place that nothing is known of.

        Returns:
            (n,) probabilities.

        Raises:
            DesignError: Numbers that are no probabilities, or shapes that do not fit.

        >>> Pooling(1.0, np.array([0.0, 1.0]), np.zeros(2)).apply([0.5, 0.5], [0, 1]).round(3)
        array([0.5  , 0.731])
        """
        from scipy.special import expit

        offset, codes = _offset(p), _codes(place, np.size(p))
        if not len(self.effect):
            return np.asarray(expit(offset), dtype=np.float64)
        known = (codes >= 0) & (codes < len(self.effect))
        moved = np.where(known, self.effect[np.where(known, codes, 0)], 0.0)
        return np.asarray(expit(offset + moved), dtype=np.float64)


def fit_pooling(
    outcome: ArrayLike,
    p: ArrayLike,
    place: ArrayLike,
    n_places: int,
    *,
    cluster: ArrayLike | None = None,
    sd: float | None = None,
) -> Pooling:
    """Intercepts of places on the logit of a score, by empirical Bayes.

    logit P(y = 1) = logit(p) + b_place, b ~ N(0, sd²). The standard deviation maximises Laplace's
    approximation of the marginal likelihood; each intercept is then its posterior mode. A place of few people
    keeps about what its score says, and one of many is moved to what was seen there.

    People of one household act together, and would pass for a place that differs: the likelihood is divided by
    how much larger the squared sums of households' residuals are than their own squares.

    Args:
        outcome: (n,) 0 or 1.
        p: (n,) probabilities of a 1, made without these outcomes.
        place: (n,) codes 0 … n_places - 1; other numbers are left out.
        n_places: G.
        cluster: (n,) integer codes of people who act together, within a place; None for everybody alone.
        sd: How far places differ, in log-odds, where it is known; estimated when None.

    Returns:
        The intercepts; all nought, with sd 0, where places differ no more than chance makes them.

    Raises:
        DesignError: Shapes or values that do not fit.

    Source: Breslow & Clayton, JASA 88 (1993), section 2; Laplace's approximation as in Bates et al., Journal
    of Statistical Software 67 (2015), with the score as an offset. Dispersion: McCullagh & Nelder (1989),
    section 9.2, of cluster sums.

    >>> y = np.repeat([0.0, 1.0, 1.0, 0.0], 50)
    >>> found = fit_pooling(y, np.full(200, 0.5), np.repeat([0, 1], 100), 2)
    >>> found.sd
    0.0
    """
    y, offset, codes = np.asarray(outcome, np.float64), _offset(p), _codes(place, np.size(p))
    if y.shape != offset.shape or not np.all((y == 0) | (y == 1)):
        raise DesignError.of("Outcomes do not fit", received=y.shape, allowed=f"{offset.shape} of 0 or 1")
    inside = (codes >= 0) & (codes < n_places)
    nothing = Pooling(0.0, np.zeros(n_places), np.zeros(n_places))
    if not inside.any():
        return nothing
    alike = 1.0 if cluster is None else _dispersion(y[inside], offset[inside], np.asarray(cluster)[inside])
    y, offset, codes = y[inside], offset[inside], codes[inside]
    if sd is None and not _differ(y, offset, codes, n_places, alike):
        return nothing
    sums = _Sums(y, offset, codes, n_places, alike)
    sd = _best_sd(sums) if sd is None else float(sd)
    if sd <= LEAST:
        return nothing
    found, spread = sums.mode(sd)
    return Pooling(sd, found, 1 / np.sqrt(spread))


class _Sums:
    """The likelihood of the intercepts, place by place; the last mode is where the next search starts."""

    def __init__(self, y: Floats, offset: Floats, codes: Integers, n_places: int, alike: float) -> None:
        self.y, self.offset, self.codes, self.n, self.alike = y, offset, codes, n_places, alike
        self.ones = np.bincount(codes, weights=y, minlength=n_places)
        self.at = np.zeros(n_places)

    def mode(self, sd: float) -> tuple[Floats, Floats]:
        """Each intercept's posterior mode, and its precision."""
        from scipy.special import expit

        b = self.at
        for _ in range(50):
            mean = expit(self.offset + b[self.codes])
            excess = self.ones - np.bincount(self.codes, weights=mean, minlength=self.n)
            known = np.bincount(self.codes, weights=mean * (1 - mean), minlength=self.n)
            gradient = excess / self.alike - b / sd**2
            spread = known / self.alike + 1 / sd**2
            step = np.clip(gradient / spread, -2, 2)
            b = b + step
            if np.abs(step).max() < 1e-6:
                break
        self.at = b
        return b, np.asarray(spread, dtype=np.float64)

    def loss(self, sd: float) -> float:
        """Minus Laplace's marginal log-likelihood."""
        b, spread = self.mode(sd)
        score = self.offset + b[self.codes]
        fit = (self.y @ score - np.logaddexp(0, score).sum()) / self.alike
        return float(-fit + (b @ b) / (2 * sd**2) + 0.5 * np.log(spread * sd**2).sum())


def _best_sd(sums: _Sums) -> float:
    from scipy.optimize import minimize_scalar

    found = minimize_scalar(
        lambda at: sums.loss(float(np.exp(at))),
        bounds=(np.log(LEAST), np.log(MOST)),
        method="bounded",
        options={"xatol": 0.01},
    )
    sd = float(np.exp(found.x))
    return sd if sums.loss(sd) < sums.loss(LEAST) else 0.0


def _dispersion(y: Floats, offset: Floats, cluster: Integers) -> float:
    """How much more households' sums of residuals vary than if everybody acted alone; at least 1."""
    from scipy.special import expit

    codes, n_clusters = cluster_codes(cluster, y.size)
    residual = y - expit(offset)
    sums = np.bincount(codes, weights=residual, minlength=n_clusters)
    return max(float(sums @ sums / (residual @ residual)), 1.0)


def _differ(y: Floats, offset: Floats, codes: Integers, n_places: int, alike: float) -> bool:
    """Whether places differ by more than chance: the score test of sd² at nought, by its sign."""
    from scipy.special import expit

    mean = expit(offset)
    excess = np.bincount(codes, weights=y - mean, minlength=n_places)
    return bool((excess**2).sum() > alike * (mean * (1 - mean)).sum())


def _offset(p: ArrayLike) -> Floats:
    values = np.asarray(p, dtype=np.float64)
    if values.ndim != 1 or not np.all((values >= 0) & (values <= 1)):
        raise DesignError.of("Scores are no probabilities", allowed="(n,) numbers from 0 to 1, none missing")
    held = np.clip(values, NEAREST, 1 - NEAREST)
    return np.asarray(np.log(held) - np.log1p(-held), dtype=np.float64)


def _codes(place: ArrayLike, n: int) -> Integers:
    codes = np.asarray(place)
    if codes.shape != (n,) or codes.dtype.kind not in "iu":
        raise DesignError.of("Places do not fit", received=codes.shape, allowed=f"({n},) whole numbers")
    return codes.astype(np.int64, copy=False)
