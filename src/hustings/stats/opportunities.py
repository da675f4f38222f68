"""BG/BB: gifts at opportunities. At each a giver gives with chance p, after she has not stopped with chance q.

p is Beta(alpha, beta) and q Beta(gamma, delta) over givers. With x gifts, the last at opportunity t, of n:

    L = A(x, n) + sum over j = t … n - 1 of D(x, j)
    A(x, n) = B(alpha + x, beta + n - x) / B(alpha, beta) · B(gamma, delta + n) / B(gamma, delta)
    D(x, j) = B(alpha + x, beta + j - x) / B(alpha, beta) · B(gamma + 1, delta + j) / B(gamma, delta)

A is "still giving at n", D(x, j) "stopped after j". Both depend on whole numbers only, so that they are tables:
the cost hardly grows with the number of people.

Source: Fader, Hardie & Shang, Marketing Science 29 (2010), eq. 3 (likelihood), 11 (still giving), 13 (expected).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.special import betaln, psi

from hustings.errors import DesignError
from hustings.stats.histories import Floats, Histories, Integers

NAMES = ("alpha", "beta", "gamma", "delta")
MOST = 1_000
"""Opportunities at most: the tables grow with their square."""


class Patterns(NamedTuple):
    """Histories that occur, each once, and the moments at which each may have ended.

    Attributes:
        x: (k,) gifts after the first.
        t: (k,) the last one.
        n: (k,) opportunities.
        row: (people,) each person's pattern.
        of: (terms,) the pattern of each possible end.
        end: (terms,) the opportunity after which it would have been.
    """

    x: Integers
    t: Integers
    n: Integers
    row: Integers
    of: Integers
    end: Integers


def patterns(histories: Histories, more: int = 0) -> Patterns:
    """The histories that occur, as if `more` opportunities had passed without a gift.

    Args:
        histories: Of n people, in opportunities.
        more: Opportunities to add.

    Returns:
        The patterns.

    Raises:
        DesignError: More than 1,000 opportunities.

    >>> patterns(Histories(np.array([1, 1]), np.array([1.0, 1.0]), np.array([3.0, 3.0]))).end
    array([1, 2])
    """
    numbers = [np.asarray(part, np.int64) for part in histories]
    top = int(numbers[2].max()) + more
    if top > MOST:
        raise DesignError.of(
            "Too many opportunities", received=top, allowed=f"{MOST} at most", then="take longer periods"
        )
    code = (numbers[0] * (top + 1) + numbers[1]) * (top + 1) + numbers[2]
    code, row = np.unique(code, return_inverse=True)
    x, t, n = code // (top + 1) ** 2, code // (top + 1) % (top + 1), code % (top + 1) + more
    of = np.repeat(np.arange(len(n)), n - t)
    end = np.arange(len(of)) - np.repeat(np.cumsum(n - t) - (n - t), n - t) + t[of]
    return Patterns(x, t, n, row, of, end)


def _tables(parameters: Floats, found: Patterns) -> tuple[Floats, Floats]:
    """The logarithms of A and of D, for every number of gifts and of opportunities."""
    a, b, c, d = parameters
    x = np.arange(int(found.x.max()) + 1)[:, None]
    j = np.arange(int(found.n.max()) + 1)
    gave = betaln(a + x, b + np.maximum(j - x, 0)) - betaln(a, b)
    return gave + betaln(c, d + j) - betaln(c, d), gave + betaln(c + 1, d + j) - betaln(c, d)


def _log_likelihood(parameters: Floats, found: Patterns) -> tuple[Floats, Floats, Floats]:
    """(k,) log-likelihoods; (k,) and (terms,) the log-probability of each way it can have come about."""
    alive, ended = _tables(parameters, found)
    still, over = alive[found.x, found.n], ended[found.x[found.of], found.end]
    # D falls in j, so the largest term is known: A, or D at the last gift.
    largest = np.maximum(still, np.where(found.n > found.t, ended[found.x, found.t], -np.inf))
    total = np.exp(still - largest)
    total += np.bincount(found.of, np.exp(over - largest[found.of]), minlength=len(total))
    return largest + np.log(total), still, over


def log_likelihood(parameters: Floats, histories: Histories, more: int = 0) -> Floats:
    """Each person's log-likelihood, as if `more` opportunities had passed without a gift.

    Args:
        parameters: (4,) alpha, beta, gamma, delta.
        histories: Of n people.
        more: Opportunities to add.

    Returns:
        (n,) log-likelihoods.

    >>> once = Histories(np.array([1]), np.array([1.0]), np.array([1.0]))
    >>> np.exp(log_likelihood(np.ones(4), once)).round(4)  # gives, and has not stopped: 1/2 · 1/2
    array([0.25])
    """
    found = patterns(histories, more)
    return _log_likelihood(parameters, found)[0][found.row]


def loss(parameters: Floats, found: Patterns, weight: Floats) -> tuple[float, Floats]:
    """The negative log-likelihood and its gradient.

    Each table's gradient is weighed by how probable it is, given what was seen, that its entry came about.

    Args:
        parameters: (4,).
        found: The k patterns.
        weight: (k,) people of each.

    Returns:
        The value, and (4,) its slopes.

    >>> one = patterns(Histories(np.array([1]), np.array([1.0]), np.array([1.0])))
    >>> round(loss(np.ones(4), one, np.ones(1))[0], 4)
    1.3863
    """
    a, b, c, d = parameters
    each, still, over = _log_likelihood(parameters, found)
    shape = int(found.x.max()) + 1, int(found.n.max()) + 1
    cell = found.x * shape[1] + found.n, found.x[found.of] * shape[1] + found.end
    share = weight * np.exp(still - each), weight[found.of] * np.exp(over - each[found.of])
    alive, ended = (
        np.bincount(where, by, minlength=shape[0] * shape[1]).reshape(shape)
        for where, by in zip(cell, share, strict=True)
    )
    either, people = alive + ended, float(weight.sum())
    x, j = np.arange(shape[0]), np.arange(shape[1])
    late = np.maximum(j - x[:, None], 0)
    tried = psi(a + b + j)
    n_alive, n_ended = alive.sum(0), ended.sum(0)
    slopes = np.array(
        [
            either.sum(1) @ psi(a + x) - either.sum(0) @ tried - people * (psi(a) - psi(a + b)),
            (either * psi(b + late)).sum() - either.sum(0) @ tried - people * (psi(b) - psi(a + b)),
            n_alive.sum() * psi(c) + n_ended.sum() * psi(c + 1) - people * (psi(c) - psi(c + d)),
            either.sum(0) @ psi(d + j) - people * (psi(d) - psi(c + d)),
        ]
    )
    slopes[2:] -= n_alive @ psi(c + d + j) + n_ended @ psi(c + d + 1 + j)
    return -float(weight @ each), -slopes


def p_alive(parameters: Floats, histories: Histories) -> Floats:
    """The probability that each person is still a giver at the next opportunity (eq. 11).

    >>> once = Histories(np.array([1]), np.array([1.0]), np.array([1.0]))
    >>> p_alive(np.ones(4), once).round(4)  # she has not stopped so far; the next time she may
    array([0.6667])
    """
    _, _, c, d = parameters
    n = histories.age
    found = patterns(histories)
    each, still, _ = _log_likelihood(parameters, found)
    return np.exp((still - each)[found.row]) * (d + n) / (c + d + n)


def expected(parameters: Floats, histories: Histories, horizon: float, rate: float) -> Floats:
    """Expected gifts at the next opportunities (eq. 13, summed opportunity by opportunity and discounted).

    Args:
        parameters: (4,).
        histories: Of n people.
        horizon: Opportunities to come, a whole number.
        rate: A gift j opportunities from now counts (1 + rate)^-j.

    Returns:
        (n,) expected gifts.

    >>> once = Histories(np.array([1]), np.array([1.0]), np.array([1.0]))
    >>> expected(np.ones(4), once, 1, 0.0).round(4)  # still a giver 2/3, gives 2/3
    array([0.4444])
    """
    a, b, c, d = parameters
    found = patterns(histories)
    each, still, _ = _log_likelihood(parameters, found)
    ahead = np.arange(1, int(horizon) + 1)
    n, row = np.unique(found.n, return_inverse=True)
    lasts = np.exp(betaln(c, d + n[:, None] + ahead) - betaln(c, d + n)[:, None])
    times = (lasts * (1 + rate) ** -ahead).sum(1)[row]
    return (np.exp(still - each) * (a + found.x) / (a + b + found.n) * times)[found.row]


def draw(parameters: Floats, histories: Histories, horizon: float, rng: np.random.Generator) -> Integers:
    """What each person may give at the next opportunities, given what she gave before.

    Returns:
        (n,) numbers of gifts, drawn from the posterior predictive distribution.

    >>> once = Histories(np.array([1]), np.array([1.0]), np.array([1.0]))
    >>> draw(np.array([1e6, 1.0, 1.0, 1e6]), once, 3, np.random.default_rng(1))
    array([3])
    """
    a, b, c, d = parameters
    x, _, n = histories
    found = patterns(histories)
    each, still, _ = _log_likelihood(parameters, found)
    alive = rng.random(len(x)) < np.exp((still - each)[found.row])
    stops = np.clip(rng.beta(c, d + n), 1e-12, 1 - 1e-12)
    lasts = np.floor(np.log1p(-rng.random(len(x))) / np.log1p(-stops))
    chances = np.minimum(lasts, horizon).astype(np.int64)
    return np.asarray(rng.binomial(chances, rng.beta(a + x, b + n - x)) * alive, np.int64)
