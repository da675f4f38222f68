"""How long recurring gifts run: the shifted beta-geometric model of churn.

After each payment a sustainer stops with a chance of her own, the same every month; chances are beta over people.
Those who stop easily are gone soon, so that whoever has stayed long will stay on.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hustings.errors import DesignError
from hustings.stats.likelihood import Maximum, maximise

Floats = NDArray[np.float64]
_Z = 1.959963984540054


class Sustainers(NamedTuple):
    """The fit: alpha and beta of the chance to stop, with the errors of their logarithms."""

    maximum: Maximum

    @property
    def alpha(self) -> float:
        """The first parameter of the beta: stopping."""
        return float(self.maximum.parameters[0])

    @property
    def beta(self) -> float:
        """The second one: staying."""
        return float(self.maximum.parameters[1])


class Stay(NamedTuple):
    """The probability to pay once more; (n,) each, the ends those of the 95 % interval."""

    estimate: Floats
    low: Floats
    high: Floats


def fit_sustainers(
    n_payments: ArrayLike, stopped: ArrayLike, weights: ArrayLike | None = None, *, ridge: float = 0.0
) -> Sustainers:
    """Churn by maximum likelihood.

    P(stopped after n payments) = B(α + 1, β + n - 1) / B(α, β); P(runs after n) = B(α, β + n - 1) / B(α, β).

    Args:
        n_payments: (n,) months from the first payment to the last, both counted; 1 or more.
        stopped: (n,) whether the gift has ended after them.
        weights: (n,) how many sustainers a row stands for; one each unless given.
        ridge: Precision of a normal prior on the logarithms of both parameters; 0 for plain maximum likelihood.

    Returns:
        The model.

    Raises:
        DesignError: Payments below 1, nobody has stopped, or nobody has stayed for a second payment.

    Source: Fader & Hardie, Journal of Interactive Marketing 21 (2007), equations 3 to 6.

    >>> model = fit_sustainers([1, 2, 3, 4], [True, True, True, False], [369, 163, 86, 382])
    >>> round(model.alpha, 2), round(model.beta, 2)
    (0.78, 1.33)
    """
    from scipy.special import betaln, digamma

    n, over = np.asarray(n_payments, np.float64), np.asarray(stopped, bool)
    weight = np.ones(len(n)) if weights is None else np.asarray(weights, np.float64)
    if not (n.shape == over.shape == weight.shape and (n >= 1).all() and (weight >= 0).all()):
        raise DesignError.of("Payments do not fit", received=n.shape, allowed="1 or more for each sustainer")
    if not weight[over].sum() or not weight[n > 1].sum():
        raise DesignError.of(
            "Nobody has stopped, or nobody has paid twice", allowed="some of both, to tell how long gifts run"
        )

    def loss(at: Floats) -> tuple[float, Floats]:
        a, b = at[0] + over, at[1] + n - 1
        value = weight @ (betaln(a, b) - betaln(at[0], at[1]))
        both = digamma(a + b) - digamma(at.sum())
        slope = [weight @ (digamma(a) - digamma(at[0]) - both), weight @ (digamma(b) - digamma(at[1]) - both)]
        return -float(value), -np.array(slope)

    return Sustainers(maximise(loss, [1.0, 4.0], ("alpha", "beta"), ridge=ridge))


def survival(model: Sustainers, n_payments: ArrayLike) -> Floats:
    """The share of new sustainers who make at least so many payments.

    Args:
        model: The fit.
        n_payments: (n,) 1 or more.

    Returns:
        (n,) 1 for the first.

    >>> model = Sustainers(Maximum(np.array([1.0, 1.0]), np.zeros((2, 2)), 0.0))
    >>> survival(model, [1, 2, 3]).round(4)
    array([1.    , 0.5   , 0.3333])
    """
    from scipy.special import betaln

    n = np.asarray(n_payments, np.float64)
    return np.asarray(np.exp(betaln(model.alpha, model.beta + n - 1) - betaln(model.alpha, model.beta)))


def stay(model: Sustainers, n_payments: ArrayLike) -> Stay:
    """The probability that a gift which has made n payments makes another: (β + n - 1) / (α + β + n - 1).

    Args:
        model: The fit.
        n_payments: (n,) so far.

    Returns:
        With intervals by the delta method on the log-odds, which are log((β + n - 1) / α).

    >>> model = Sustainers(Maximum(np.array([1.0, 1.0]), np.zeros((2, 2)), 0.0))
    >>> stay(model, [1, 3]).estimate
    array([0.5 , 0.75])
    """
    n = np.asarray(n_payments, np.float64)
    ratio = (model.beta + n - 1) / model.alpha
    slope = np.stack([-np.ones_like(n), model.beta / (model.beta + n - 1)])
    error = np.sqrt(np.einsum("in,ij,jn->n", slope, model.maximum.covariance, slope))
    low, high = (ratio * np.exp(sign * _Z * error) for sign in (-1, 1))
    return Stay(ratio / (1 + ratio), low / (1 + low), high / (1 + high))


def payments_to_come(model: Sustainers, n_payments: ArrayLike, months: int) -> Floats:
    """Expected payments within the next months of gifts that run.

    Args:
        model: The fit.
        n_payments: (n,) so far.
        months: How many, 0 or more.

    Returns:
        (n,) from 0 to `months`.

    >>> model = Sustainers(Maximum(np.array([1.0, 1.0]), np.zeros((2, 2)), 0.0))
    >>> payments_to_come(model, [1], 2).round(4)
    array([0.8333])
    """
    n = np.asarray(n_payments, np.float64)
    ahead = survival(model, n[:, None] + np.arange(1, months + 1)) / survival(model, n)[:, None]
    return np.asarray(ahead.sum(axis=1), np.float64)
