"""Gamma-Gamma: how much a giver gives each time. Amounts vary around a mean of her own; means vary over givers.

An amount is Gamma(p, v), v is Gamma(q, gamma) over givers, and neither hangs on how often she gives. With x
amounts of mean z:

    L = Γ(p x + q) / (Γ(p x) Γ(q)) · gamma^q z^(p x - 1) x^(p x) / (gamma + x z)^(p x + q)

Means over givers fall off as a power: q is the tail's exponent, so that a few large givers are expected, and the
mean is finite for q > 1 only.

Source: Fader & Hardie, "The Gamma-Gamma model of monetary value" (2013), eq. 1a and 5; Fader, Hardie & Lee,
Journal of Marketing Research 42 (2005).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from hustings.errors import DesignError
from hustings.stats.histories import Floats, checked_weights
from hustings.stats.likelihood import Maximum, delta_error, maximise

NAMES = ("p", "q", "gamma")


@dataclass(frozen=True)
class GammaGamma:
    """A fitted model of amounts.

    Attributes:
        maximum: The parameters p, q, gamma (gamma in the unit of the amounts), their errors, the likelihood.
        n_people: Givers fitted on, weights counted.
    """

    maximum: Maximum
    n_people: float

    @property
    def parameters(self) -> dict[str, float]:
        """The parameters by name."""
        return dict(zip(NAMES, self.maximum.parameters.tolist(), strict=True))

    def expected(self, n_amounts: ArrayLike, mean: ArrayLike) -> Floats:
        """Each giver's expected next amount.

        p (gamma + x z) / (p x + q - 1): her own mean, pulled to everyone's.

        Args:
            n_amounts: (n,) x, from 0; 0 for somebody of whom no amount is known.
            mean: (n,) z; ignored where x is 0.

        Returns:
            (n,) amounts; NaN where the expectation is infinite, p x + q <= 1.

        >>> fit = GammaGamma(Maximum(np.array([1.0, 2.0, 10.0]), np.zeros((3, 3)), 0.0), 1)
        >>> fit.expected([0, 8], [0.0, 20.0]).round(2)
        array([10.  , 18.89])
        """
        x, z = _pair(n_amounts, mean)
        return _expected(self.maximum.parameters, x, z)

    def error(self, n_amounts: ArrayLike, mean: ArrayLike) -> Floats:
        """The standard error that the parameters' errors give to `expected`.

        >>> fit = GammaGamma(Maximum(np.array([1.0, 2.0, 10.0]), np.diag([0.0, 0.0, 0.01]), 0.0), 1)
        >>> fit.error([0], [0.0]).round(4)
        array([1.])
        """
        x, z = _pair(n_amounts, mean)
        return delta_error(lambda parameters: _expected(parameters, x, z), self.maximum)

    def draw(
        self, n_gifts: ArrayLike, n_amounts: ArrayLike, mean: ArrayLike, rng: np.random.Generator
    ) -> Floats:
        """What each giver's next gifts may sum to.

        Args:
            n_gifts: (n,) how many gifts, from 0.
            n_amounts: (n,) x.
            mean: (n,) z.
            rng: Source of the draw.

        Returns:
            (n,) sums.

        >>> fit = GammaGamma(Maximum(np.array([1.0, 2.0, 10.0]), np.zeros((3, 3)), 0.0), 1)
        >>> fit.draw([0], [1], [5.0], np.random.default_rng(1))
        array([0.])
        """
        x, z = _pair(n_amounts, mean)
        p, q, gamma = self.maximum.parameters
        scale = (gamma + x * z) / rng.gamma(p * x + q)
        return np.asarray(rng.gamma(p * np.asarray(n_gifts, np.float64)) * scale, np.float64)

    def drawn(self, rng: np.random.Generator) -> GammaGamma:
        """The model with parameters as they may be in truth.

        >>> fit = GammaGamma(Maximum(np.array([1.0, 2.0, 10.0]), np.zeros((3, 3)), 0.0), 1)
        >>> {name: round(value, 6) for name, value in fit.drawn(np.random.default_rng(1)).parameters.items()}
        {'p': 1.0, 'q': 2.0, 'gamma': 10.0}
        """
        return replace(self, maximum=self.maximum._replace(parameters=self.maximum.draw(rng)))


def fit_gamma_gamma(
    n_amounts: ArrayLike, mean: ArrayLike, weights: ArrayLike | None = None, *, ridge: float = 0.0
) -> GammaGamma:
    """The Gamma-Gamma model by maximum likelihood.

    Args:
        n_amounts: (n,) x, whole numbers from 1: how many amounts of a giver are known.
        mean: (n,) z, their mean, above 0.
        weights: (n,) how many givers a row stands for; one each unless given.
        ridge: Precision of a normal prior on the logarithms of the parameters; 0 for plain maximum likelihood.

    Returns:
        The model.

    Raises:
        DesignError: Numbers that are missing, infinite or not above 0, nobody, or no clear maximum: amounts that
            are all alike, say.

    >>> rng = np.random.default_rng(1)
    >>> amount = rng.gamma(4.0, size=(4000, 3)) / rng.gamma(3.0, 1 / 20.0, 4000)[:, None]
    >>> fit = fit_gamma_gamma(np.full(4000, 3), amount.mean(1))
    >>> bool(np.all(np.abs(fit.maximum.parameters - [4, 3, 20]) < 3 * fit.maximum.std_error()))
    True
    """
    x, z = _pair(n_amounts, mean)
    if not len(x) or x.min() < 1 or z.min() <= 0:
        raise DesignError.of(
            "Amounts do not fit", received=f"{int(((x < 1) | (z <= 0)).sum())} faults of {len(x)}",
            allowed="at least one amount of each giver, above 0",
        )  # fmt: skip
    weight = checked_weights(weights, len(x))
    middle = float(weight @ z / weight.sum())
    maximum = maximise(lambda at: _loss(at, x, z, weight), [2.0, 3.0, middle], NAMES, ridge=ridge)
    return GammaGamma(maximum, float(weight.sum()))


def _pair(n_amounts: ArrayLike, mean: ArrayLike) -> tuple[Floats, Floats]:
    x, z = np.asarray(n_amounts, np.float64), np.asarray(mean, np.float64)
    if x.ndim != 1 or x.shape != z.shape:
        raise DesignError.of(
            "Amounts do not fit", received=f"{x.shape} and {z.shape}", allowed="(n,) of each"
        )
    wrong = ~np.isfinite(x) | (x < 0) | (x != np.floor(x))
    if wrong.any():
        raise DesignError.of(
            "Numbers of amounts do not fit",
            received=f"{int(wrong.sum())} faults",
            allowed="whole numbers from 0",
        )
    wrong = (x > 0) & (~np.isfinite(z) | (z < 0))
    if wrong.any():
        raise DesignError.of(
            "Amounts are not finite", received=f"{int(wrong.sum())} faults", allowed="numbers from 0"
        )
    return x, np.where(x > 0, z, 0.0)


def _expected(parameters: Floats, x: Floats, z: Floats) -> Floats:
    p, q, gamma = parameters
    left = p * x + q - 1
    finite = left > 0
    return np.where(finite, p * (gamma + x * z) / np.where(finite, left, 1.0), np.nan)


def _loss(parameters: Floats, x: Floats, z: Floats, weight: Floats) -> tuple[float, Floats]:
    from scipy.special import betaln, psi

    p, q, gamma = parameters
    px, total, log_x, log_z = p * x, gamma + x * z, np.log(x), np.log(z)
    log_total = np.log(total)
    each = -betaln(px, q) + q * np.log(gamma) + (px - 1) * log_z + px * log_x - (px + q) * log_total
    both = psi(px + q)
    slopes = np.array(
        [
            weight @ (x * (both - psi(px) + log_z + log_x - log_total)),
            weight @ (both - psi(q) + np.log(gamma) - log_total),
            weight @ (q / gamma - (px + q) / total),
        ]
    )
    return -float(weight @ each), -slopes
