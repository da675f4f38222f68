"""Maximum likelihood over a few positive parameters, and what their errors do to what follows from them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hustings.errors import DesignError

Floats = NDArray[np.float64]
Loss = Callable[[Floats], tuple[float, Floats]]

# No parameter may leave its usual size by more than a factor of e¹² (160,000): then it has run away.
FARTHEST = 12.0
_STEP = 1e-4
_CLOSE = 1e-10


class Maximum(NamedTuple):
    """Where a likelihood is highest.

    Attributes:
        parameters: (k,) the parameters, above 0.
        covariance: (k, k) covariance of their *logarithms*: the inverse of the observed information.
        log_likelihood: Its logarithm there, a ridge left out.
    """

    parameters: Floats
    covariance: Floats
    log_likelihood: float

    def std_error(self) -> Floats:
        """(k,) standard errors of the parameters themselves, by the delta method.

        >>> Maximum(np.array([2.0]), np.array([[0.01]]), -1.0).std_error().round(6)
        array([0.2])
        """
        return np.asarray(self.parameters * np.sqrt(np.diag(self.covariance)), np.float64)

    def draw(self, rng: np.random.Generator) -> Floats:
        """(k,) parameters as they may be in truth: one draw of the normal around their logarithms.

        >>> Maximum(np.array([2.0]), np.zeros((1, 1)), -1.0).draw(np.random.default_rng(1)).round(6)
        array([2.])
        """
        logs = rng.multivariate_normal(np.log(self.parameters), self.covariance, method="eigh")
        return np.asarray(np.exp(logs), np.float64)


def maximise(loss: Loss, usual: ArrayLike, names: Sequence[str], *, ridge: float = 0.0) -> Maximum:
    """The positive parameters that minimise a negative log-likelihood.

    Quasi-Newton on the logarithms of the parameters from three starts, then Newton steps with the observed
    information until what a step could still gain (half the Newton decrement) is below 1e-10. The information
    is the central difference of the exact gradient.

    Args:
        loss: From (k,) parameters to the negative log-likelihood and its gradient (k,) in the parameters.
        usual: (k,) a usual size of each parameter: where the search begins.
        names: What the parameters are called, for messages.
        ridge: At least 0: the precision of a normal prior on log(parameter / usual). With it a few people
            cannot make a parameter run away; 0 is plain maximum likelihood.

    Returns:
        The maximum.

    Raises:
        DesignError: A parameter runs away, or the likelihood is flat, so that there is no maximum.

    Source: Nocedal & Wright, Numerical Optimization (2006), sections 6.1 and 3.3; errors: Efron & Hinkley,
    Biometrika 65 (1978), the observed information.

    >>> def poisson(rate):  # 3 events in 2 hours
    ...     return float(2 * rate[0] - 3 * np.log(rate[0])), 2 - 3 / rate
    >>> found = maximise(poisson, [1.0], ["rate"])
    >>> found.parameters.round(6), found.std_error().round(4)
    (array([1.5]), array([0.866]))
    """
    from scipy.optimize import minimize

    centre = np.log(np.asarray(usual, np.float64))

    def objective(logs: Floats) -> tuple[float, Floats]:
        parameters = np.exp(logs)
        value, gradient = loss(parameters)
        away = logs - centre
        return value + ridge * float(away @ away) / 2, gradient * parameters + ridge * away

    # Scaled, so that the search's tolerances mean the same for ten people and for a million.
    size = max(abs(objective(centre)[0]), 1.0)

    def scaled(logs: Floats) -> tuple[float, Floats]:
        value, gradient = objective(logs)
        return value / size, gradient / size

    bounds = [(c - FARTHEST, c + FARTHEST) for c in centre]
    turns = np.where(np.arange(len(centre)) % 2 == 0, 1.0, -1.0)
    found = [
        minimize(scaled, centre + shift, jac=True, method="L-BFGS-B", bounds=bounds)
        for shift in (0.0 * turns, turns, -turns)
    ]
    best = np.asarray(min(found, key=lambda result: float(result.fun)).x, np.float64)
    logs, information = _polished(objective, best, centre, names)
    return Maximum(np.exp(logs), np.asarray(np.linalg.inv(information), np.float64), -loss(np.exp(logs))[0])


def _polished(objective: Loss, logs: Floats, centre: Floats, names: Sequence[str]) -> tuple[Floats, Floats]:
    """Newton's steps to the maximum, and the information there."""
    value, gradient = objective(logs)
    for _ in range(30):
        far = np.abs(logs - centre) > FARTHEST - 1.0
        if far.any():
            raise _nowhere([name for name, out in zip(names, far, strict=True) if out])
        information = _information(objective, logs)
        if np.linalg.eigvalsh(information).min() <= 1e-12 * max(float(np.trace(information)), 1e-300):
            raise _nowhere(names)
        step = np.linalg.solve(information, gradient)
        gain = float(gradient @ step) / 2
        if gain < _CLOSE * max(1.0, abs(value) * 1e-4):
            return logs, information
        length = 1.0
        while (trial := objective(logs - length * step))[0] > value and length > 1e-6:
            length /= 2
        if trial[0] > value:
            break
        logs, (value, gradient) = logs - length * step, trial
    raise _nowhere(names)


def _information(objective: Loss, logs: Floats) -> Floats:
    """The second derivatives: central differences of the gradient, made symmetric."""
    rows = [
        (objective(logs + shift)[1] - objective(logs - shift)[1]) / (2 * _STEP)
        for shift in _STEP * np.eye(len(logs))
    ]
    found = np.array(rows)
    return np.asarray((found + found.T) / 2, np.float64)


def _nowhere(names: Sequence[str]) -> DesignError:
    return DesignError.of(
        f"The likelihood has no clear maximum in {', '.join(names)}",
        allowed="people who differ enough to tell the parameters apart",
        then="more people, a longer history, or a ridge above 0",
    )


def delta_error(function: Callable[[Floats], Floats], at: Maximum) -> Floats:
    """Standard errors of numbers that follow from the parameters, by the delta method.

    sqrt(diag(J C J')), with J the central difference of the numbers in the parameters' logarithms and C their
    covariance.

    Args:
        function: From (k,) parameters to (n,) numbers.
        at: The parameters with their covariance.

    Returns:
        (n,) standard errors.

    Source: Casella & Berger, Statistical Inference (2002), section 5.5.4.

    >>> delta_error(lambda p: p**2, Maximum(np.array([2.0]), np.array([[0.01]]), 0.0)).round(4)
    array([0.8])
    """
    logs = np.log(at.parameters)
    slopes = np.array(
        [
            (function(np.exp(logs + shift)) - function(np.exp(logs - shift))) / (2 * _STEP)
            for shift in _STEP * np.eye(len(logs))
        ]
    )
    return np.asarray(np.sqrt(np.einsum("ki,kl,li->i", slopes, at.covariance, slopes)), np.float64)
