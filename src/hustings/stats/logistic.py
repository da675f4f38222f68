"""Logistic regression with a ridge that can pull toward another fit, and errors that know clusters."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hustings.errors import DesignError
from hustings.stats.clusters import Floats, Integers, cluster_codes, cluster_sums

# People are scored in blocks that fit the processor's cache.
BLOCK = 16_384


@dataclass(frozen=True)
class Logistic:
    """A fitted regression; it standardises and fills in by itself.

    The design is an intercept, the p columns standardised with the missing ones at their mean, and one
    standardised indicator for each column of `indicated`. A constant column has scale 0: it never counts.
    """

    mean: Floats
    scale: Floats
    indicated: Integers
    missing_rate: Floats
    coefficients: Floats
    ridge: float

    def design(self, X: ArrayLike) -> Floats:
        """The standardised design.

        Args:
            X: (n, p) numbers, NaN where missing.

        Returns:
            (n, 1 + p + number of indicators).

        Raises:
            DesignError: Another number of columns than the fit had, or infinite values.

        >>> fit_logistic([[1.0], [3.0]], [0, 1], ridge=1.0).design([[3.0]])
        array([[1., 1.]])
        """
        x = _matrix(X)
        p = self.mean.size
        if x.shape[1] != p:
            raise DesignError.of("Another number of columns", received=x.shape[1], allowed=f"{p}")
        z = np.empty((x.shape[0], 1 + p + self.indicated.size))
        z[:, 0] = 1.0
        np.subtract(x, self.mean, out=z[:, 1 : p + 1])
        z[:, 1 : p + 1] *= self.scale
        for k, column in enumerate(self.indicated):
            rate = self.missing_rate[k]
            z[:, 1 + p + k] = (np.isnan(x[:, column]) - rate) / np.sqrt(rate * (1 - rate))
        np.nan_to_num(z, copy=False, nan=0.0)
        return z

    def predict(self, X: ArrayLike) -> Floats:
        """Probabilities of a 1.

        Args:
            X: (n, p) numbers, NaN where missing.

        Returns:
            (n,) in 0–1.

        Raises:
            DesignError: Another number of columns than the fit had, or infinite values.

        >>> bool(fit_logistic([[1.0], [3.0]], [0, 1], ridge=1.0).predict([[2.0]])[0].round(6) == 0.5)
        True
        """
        from scipy.special import expit

        parts = [expit(self.design(block) @ self.coefficients) for block in blocks(_matrix(X))]
        return np.concatenate(parts) if parts else np.empty(0)

    def influence(
        self, X: ArrayLike, y: ArrayLike, codes: Integers, n_clusters: int
    ) -> tuple[Floats, Floats]:
        """What each cluster adds to the error of the coefficients, and the inverse of their information.

        Args:
            X: (n, p) what was fitted on.
            y: (n,) 0 or 1.
            codes: (n,) clusters 0 … n_clusters - 1; some may hold nobody.
            n_clusters: G.

        Returns:
            (G, q), whose cross-product is the sandwich covariance with the factor g / (g - 1) for the g
            clusters that hold somebody; and the inverse (q, q) of the penalised information.

        Raises:
            DesignError: Shapes that do not fit, or one cluster only.

        >>> x, y = np.arange(6.0)[:, None], [0, 1, 0, 1, 0, 1]
        >>> fit_logistic(x, y, ridge=1.0).influence(x, y, np.arange(6), 6)[0].shape
        (6, 2)
        """
        from scipy.special import expit

        z, outcome = self.design(X), _classes(y, len(np.asarray(X)), both=False)
        p = expit(z @ self.coefficients)
        penalty = _penalty(z.shape[1], self.ridge)
        inverse = np.asarray(np.linalg.inv(_information(z, p * (1 - p), penalty)), dtype=np.float64)
        used = int((np.bincount(codes, minlength=n_clusters) > 0).sum())
        if used < 2:
            raise DesignError.of(
                "No error can be computed", received=f"{used} cluster", allowed="two or more"
            )
        z *= (outcome - p)[:, None]
        u: Floats = cluster_sums(z, codes, n_clusters) @ inverse
        return u * np.sqrt(used / (used - 1)), inverse

    def covariance(self, X: ArrayLike, y: ArrayLike, cluster: ArrayLike) -> Floats:
        """The clustered sandwich covariance of the coefficients, on the standardised scale.

        It measures how the fit would vary from sample to sample, not the bias that the ridge brings.

        Args:
            X: (n, p) what was fitted on.
            y: (n,) 0 or 1.
            cluster: (n,) integer codes.

        Returns:
            (q, q), intercept first.

        Raises:
            DesignError: Shapes that do not fit, or one cluster only.

        Source: White, Econometrica 50 (1982), theorem 3.2; Liang & Zeger, Biometrika 73 (1986).

        >>> x, y = np.arange(6.0)[:, None], [0, 1, 0, 1, 0, 1]
        >>> fit_logistic(x, y, ridge=1.0).covariance(x, y, np.arange(6)).shape
        (2, 2)
        """
        codes, n_clusters = cluster_codes(cluster, len(np.asarray(X)))
        u, _ = self.influence(X, y, codes, n_clusters)
        return np.asarray(u.T @ u, dtype=np.float64)

    def to_json(self) -> str:
        """The fit as JSON text, exact to the last bit.

        >>> fit = fit_logistic([[1.0], [3.0]], [0, 1], ridge=1.0)
        >>> Logistic.from_json(fit.to_json()).predict([[2.5]]) == fit.predict([[2.5]])
        array([ True])
        """
        return json.dumps({name: np.asarray(value).tolist() for name, value in vars(self).items()})

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The fit that `to_json` wrote.

        Args:
            text: What `to_json` returned.

        Returns:
            The fit.

        >>> Logistic.from_json(fit_logistic([[1.0], [3.0]], [0, 1], ridge=1.0).to_json()).ridge
        1.0
        """
        read = json.loads(text)
        mean, scale, rate, found = (
            np.array(read[name], dtype=np.float64)
            for name in ("mean", "scale", "missing_rate", "coefficients")
        )
        return cls(
            mean, scale, np.array(read["indicated"], dtype=np.int64), rate, found, float(read["ridge"])
        )


def blocks(x: NDArray[np.floating]) -> Iterator[NDArray[np.floating]]:
    """The rows in blocks that fit the processor's cache.

    Args:
        x: (n, p).

    Returns:
        Views of at most 16,384 rows each, in order.

    >>> [part.shape for part in blocks(np.zeros((20_000, 2)))]
    [(16384, 2), (3616, 2)]
    """
    return (x[start : start + BLOCK] for start in range(0, x.shape[0], BLOCK))


def _matrix(X: ArrayLike) -> NDArray[np.floating]:
    x = np.asarray(X)
    if x.dtype.kind != "f":
        x = x.astype(np.float64)
    if x.ndim != 2 or np.isinf(x).any():
        raise DesignError.of("Features do not fit", received=x.shape, allowed="(n, p) finite numbers or NaN")
    return x


def _classes(y: ArrayLike, n: int, *, both: bool = True) -> Floats:
    outcome = np.asarray(y, dtype=np.float64)
    if outcome.shape != (n,) or not np.all((outcome == 0) | (outcome == 1)):
        raise DesignError.of(
            "Outcomes do not fit", received=outcome.shape, allowed=f"({n},) of 0 or 1, none missing"
        )
    if both and (n == 0 or outcome.min() == outcome.max()):
        raise DesignError.of(
            "The outcome has one class only", received=outcome[:1].tolist(), allowed="0 and 1"
        )
    return outcome


def _penalty(size: int, ridge: float) -> Floats:
    penalty = np.full(size, float(ridge))
    penalty[0] = 0.0
    return penalty


def _information(z: Floats, weight: Floats, penalty: Floats) -> Floats:
    """Z'WZ + penalty, with a floor that keeps a column that never varies from making it singular."""
    hessian = (z * weight[:, None]).T @ z
    floor = 1e-10 * max(float(hessian.trace()), 1e-10)
    hessian[np.diag_indices_from(hessian)] += penalty + floor
    return np.asarray(hessian, dtype=np.float64)


def newton(
    z: Floats, y: Floats, weight: Floats | None, penalty: Floats, target: Floats, start: Floats
) -> Floats:
    """The coefficients that maximise log-likelihood - sum penalty (b - target)² / 2.

    Args:
        z: (n, q) design.
        y: (n,) 0 or 1.
        weight: (n,) weights, or None for ones.
        penalty: (q,) at least 0.
        target: (q,) where the penalty pulls to.
        start: (q,) where the search starts.

    Returns:
        (q,) coefficients; under perfect separation without penalty, large but finite ones.

    >>> one = np.zeros(1)
    >>> newton(np.ones((4, 1)), np.array([0.0, 1, 1, 1]), None, one, one, one).round(4)
    array([1.0986])
    """
    from scipy.special import expit

    w = np.ones(y.size) if weight is None else weight

    def loss(at: Floats) -> float:
        score = z @ at
        return float(w @ (np.logaddexp(0.0, score) - y * score) + penalty @ (at - target) ** 2 / 2)

    beta, current = start, loss(start)
    for _ in range(60):
        p = expit(z @ beta)
        gradient = z.T @ (w * (p - y)) + penalty * (beta - target)
        step = np.linalg.solve(_information(z, w * p * (1 - p), penalty), gradient)
        size, new = 1.0, loss(beta - step)
        while new > current + 1e-12 * abs(current) and size > 1e-9:
            size /= 2
            new = loss(beta - size * step)
        beta, current = beta - size * step, new
        # Half of g'H⁻¹g is what the step could still gain; Newton squares that error at the last step.
        if gradient @ step < 1e-8:
            break
    return beta


def standardise(X: ArrayLike) -> Logistic:
    """How to standardise and fill in these columns: a fit whose coefficients are all zero.

    Given as `centre`, it makes several fits share one scale, so that their coefficients can be compared.

    Args:
        X: (n, p) numbers, NaN where missing.

    Returns:
        The fit of zeros.

    Raises:
        DesignError: Not a table of finite numbers or NaN.

    >>> standardise([[1.0], [3.0]]).mean
    array([2.])
    """
    x = _matrix(X)
    size = x.shape[0]
    known = ~np.isnan(x)
    counts = known.sum(0)
    mean = np.where(known, x, 0.0).sum(0, dtype=np.float64) / np.maximum(counts, 1)
    squares = np.square(np.where(known, x - mean, 0.0)).sum(0, dtype=np.float64)
    sd = np.sqrt(squares / np.maximum(counts, 1))
    varies = sd > 1e-7 * (1 + np.abs(mean)) if x.dtype == np.float32 else sd > 1e-12 * (1 + np.abs(mean))
    scale = np.divide(1.0, sd, out=np.zeros_like(sd), where=varies)
    indicated = np.flatnonzero((counts > 0) & (counts < size))
    rate = 1 - counts[indicated] / size
    return Logistic(mean, scale, indicated, rate, np.zeros(1 + mean.size + indicated.size), 0.0)


def fit_logistic(
    X: ArrayLike,
    y: ArrayLike,
    *,
    ridge: float,
    weights: ArrayLike | None = None,
    centre: Logistic | None = None,
) -> Logistic:
    """A ridge logistic regression on standardised columns.

    Maximises the log-likelihood minus ridge / 2 times the sum of (b_j - c_j)², never on the intercept: the
    same as a normal prior of variance 1 / ridge around c for what one standard deviation of a column does to
    the log-odds.

    Args:
        X: (n, p) numbers; NaN counts as the column's mean, and gives the column an indicator.
        y: (n,) 0 or 1, both present.
        ridge: At least 0, in prior people's information; above 0 it also tames a separating column.
        weights: (n,) at least 0, or None for ones; they do not enter the standardisation.
        centre: A fit whose coefficients are the c_j, and whose standardisation is kept; None for zero.

    Returns:
        The fit.

    Raises:
        DesignError: Shapes or values that do not fit, or one class only.

    Source: le Cessie & van Houwelingen, Applied Statistics 41 (1992), section 2.

    >>> fit = fit_logistic([[0.0], [1], [2], [3]], [0, 1, 0, 1], ridge=0.1)
    >>> fit.coefficients[1].round(3)
    np.float64(0.89)
    """
    x = _matrix(X)
    outcome = _classes(y, x.shape[0])
    if not 0 <= ridge < np.inf:
        raise DesignError.of("A ridge is a penalty", received=ridge, allowed="0 or more")
    weight = None if weights is None else np.asarray(weights, dtype=np.float64)
    if weight is not None:
        if weight.shape != outcome.shape or not np.all((weight >= 0) & np.isfinite(weight)):
            raise DesignError.of(
                "Weights do not fit", received=weight.shape, allowed=f"({x.shape[0]},), >= 0"
            )
        _classes(outcome[weight > 0], int((weight > 0).sum()))
    base = standardise(x) if centre is None else centre
    start = base.coefficients.copy()
    rate = float(np.average(outcome, weights=weight))
    if centre is None:
        start[0] = np.log(rate / (1 - rate))
    z = base.design(x)
    found = newton(z, outcome, weight, _penalty(start.size, ridge), base.coefficients, start)
    return Logistic(base.mean, base.scale, base.indicated, base.missing_rate, found, float(ridge))
