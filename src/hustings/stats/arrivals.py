"""BG/NBD: gifts at any time. A giver gives at her own rate, and after each gift stops with a chance of her own.

The rate is Gamma(r, alpha) and the chance Beta(a, b) over givers. With x gifts after the first, the last at t, of a
time T:

    L = Γ(r + x) alpha^r / Γ(r) · (A + D, the latter for x > 0)
    A = B(a, b + x) / B(a, b) · (alpha + T)^-(r + x)            still giving
    D = B(a + 1, b + x - 1) / B(a, b) · (alpha + t)^-(r + x)    stopped after the last gift

Source: Fader, Hardie & Lee, Marketing Science 24 (2005), eq. 6 (likelihood), 10 (expected); still giving: Fader,
Hardie & Lee, "Computing P(alive) using the BG/NBD model" (2008), eq. 5.
"""

from __future__ import annotations

import numpy as np
from scipy.special import betaln, gammaln, hyp2f1, psi

from hustings.stats.histories import Floats, Histories, Integers

NAMES = ("r", "alpha", "a", "b")


def _ways(parameters: Floats, histories: Histories) -> tuple[Floats, Floats]:
    """The logarithms of the two ways in which each history can have come about."""
    r, alpha, a, b = parameters
    frequency, row = np.unique(histories.frequency, return_inverse=True)
    again = np.maximum(frequency, 1)
    rate = gammaln(r + frequency) - gammaln(r) + r * np.log(alpha) - betaln(a, b)
    going = (rate + betaln(a, b + frequency))[row]
    stopped = np.where(frequency > 0, rate + betaln(a + 1, b + again - 1), -np.inf)[row]
    power = r + histories.frequency
    return going - power * np.log(alpha + histories.age), stopped - power * np.log(alpha + histories.recency)


def log_likelihood(parameters: Floats, histories: Histories, more: float = 0.0) -> Floats:
    """Each person's log-likelihood, as if a further time of `more` had passed without a gift.

    Args:
        parameters: (4,) r, alpha, a, b.
        histories: Of n people.
        more: Time to add.

    Returns:
        (n,) log-likelihoods.

    >>> never = Histories(np.array([0]), np.array([0.0]), np.array([1.0]))
    >>> np.exp(log_likelihood(np.ones(4), never))  # (alpha / (alpha + T))^r
    array([0.5])
    """
    return np.logaddexp(*_ways(parameters, histories._replace(age=histories.age + more)))


def loss(parameters: Floats, histories: Histories, weight: Floats) -> tuple[float, Floats]:
    """The negative log-likelihood and its gradient.

    Args:
        parameters: (4,).
        histories: Of n people.
        weight: (n,) how many each row stands for.

    Returns:
        The value, and (4,) its slopes.

    >>> never = Histories(np.array([0]), np.array([0.0]), np.array([1.0]))
    >>> loss(np.ones(4), never, np.ones(1))[1][:2].round(4)  # log 2, -1/2
    array([ 0.6931, -0.5   ])
    """
    r, alpha, a, b = parameters
    x, t, age = histories
    going, stopped = _ways(parameters, histories)
    each = np.logaddexp(going, stopped)
    alive = weight * np.exp(going - each)
    ended = weight - alive
    frequency, row = np.unique(x, return_inverse=True)
    people, still, over = (np.bincount(row, part) for part in (weight, alive, ended))
    n = float(people.sum())
    late = np.log(alpha + age), np.log(alpha + t)
    again = np.maximum(frequency, 1)
    both = people @ psi(a + b + frequency) - n * psi(a + b)
    slopes = np.array(
        [
            people @ psi(r + frequency) - n * (psi(r) - np.log(alpha)) - alive @ late[0] - ended @ late[1],
            n * r / alpha - ((r + x) * (alive / (alpha + age) + ended / (alpha + t))).sum(),
            still.sum() * psi(a) + over.sum() * psi(a + 1) - n * psi(a) - both,
            still @ psi(b + frequency) + over @ psi(b + again - 1) - n * psi(b) - both,
        ]
    )
    return -float(weight @ each), -slopes


def p_alive(parameters: Floats, histories: Histories) -> Floats:
    """The probability that each person has not stopped; 1 for whoever gave once, as the model has it.

    >>> once = Histories(np.array([1]), np.array([1.0]), np.array([1.0]))
    >>> p_alive(np.ones(4), once)  # she has just given: she stopped or she did not
    array([0.5])
    """
    going, stopped = _ways(parameters, histories)
    return np.exp(going - np.logaddexp(going, stopped))


def expected(parameters: Floats, histories: Histories, horizon: float, rate: float) -> Floats:
    """Expected gifts in the time to come (eq. 10), discounted.

    Eq. 10's hypergeometric function is turned by Euler's transformation, 2F1(r+x, b+x; c; z) =
    (1-z)^(c-2x-r-b) 2F1(a+b-1-r, a-1; c; z) with c = a+b+x-1, whose arguments stay small for large x. With a
    discount: e^(-s h) E(h) + s ∫ e^(-s t) E(t) dt over 0 to h, with s = log(1 + rate), by Gauss and Legendre.

    Args:
        parameters: (4,).
        histories: Of n people.
        horizon: Time to come, above 0.
        rate: A gift at a time t from now counts (1 + rate)^-t.

    Returns:
        (n,) expected gifts.

    >>> never = Histories(np.array([0]), np.array([0.0]), np.array([1.0]))
    >>> expected(np.array([1.0, 1.0, 1e-9, 1.0]), never, 4.0, 0.0).round(6)  # nobody stops: 1/2 a unit of time
    array([2.])
    """
    if not rate:
        return _expected(parameters, histories, horizon)
    slow = float(np.log1p(rate))
    nodes, weights = np.polynomial.legendre.leggauss(8)
    found = np.exp(-slow * horizon) * _expected(parameters, histories, horizon)
    for at, weight in zip(horizon * (nodes + 1) / 2, weights * horizon / 2, strict=True):
        found += slow * weight * np.exp(-slow * at) * _expected(parameters, histories, float(at))
    return found


def _expected(parameters: Floats, histories: Histories, horizon: float) -> Floats:
    r, alpha, a, b = parameters
    # At a = 1 numerator and denominator are 0; the limit is taken from beside it.
    a = a if abs(a - 1) > 1e-5 else 1 + 1e-5
    c = a + b + histories.frequency - 1
    z = horizon / (alpha + histories.age + horizon)
    remains = (1 - z) ** (a - 1) * hyp2f1(a + b - 1 - r, a - 1, c, z)
    return np.asarray(p_alive(parameters, histories) * c / (a - 1) * (1 - remains), np.float64)


def draw(parameters: Floats, histories: Histories, horizon: float, rng: np.random.Generator) -> Integers:
    """What each person may give in the time to come, given what she gave before.

    Returns:
        (n,) numbers of gifts, drawn from the posterior predictive distribution.

    >>> never = Histories(np.array([0]), np.array([0.0]), np.array([1.0]))
    >>> draw(np.array([1e-9, 1.0, 1.0, 1.0]), never, 1.0, np.random.default_rng(1))
    array([0])
    """
    r, alpha, a, b = parameters
    x, _, age = histories
    alive = rng.random(len(x)) < p_alive(parameters, histories)
    would = rng.poisson(rng.gamma(r + x, horizon / (alpha + age)))
    stops = np.clip(rng.beta(a, b + x), 1e-12, 1 - 1e-12)
    # The gift after which she stops: the k-th with chance stops (1 - stops)^(k - 1).
    last = 1 + np.floor(np.log1p(-rng.random(len(x))) / np.log1p(-stops))
    return np.asarray(np.minimum(would, last) * alive, np.int64)


def usual(histories: Histories, weight: Floats) -> Floats:
    """Where the search for the parameters begins.

    >>> usual(Histories(np.array([1]), np.array([1.0]), np.array([3.0])), np.ones(1))
    array([1., 3., 1., 1.])
    """
    return np.array([1.0, float(weight @ histories.age / weight.sum()), 1.0, 1.0])
