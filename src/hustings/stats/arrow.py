"""Regressions in which one kind of group (places, regions) has many members and everything else few terms.

The information matrix then has the form of an arrow: a diagonal block for the groups, bordered by the few. So it is
factored in the time of one pass over the rows, however many groups there are.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from hustings.errors import DesignError
from hustings.stats.clusters import Floats, Integers, cluster_sums

LOWEST, HIGHEST = np.log(0.003), np.log(6.0)
"""Between these the logarithms of standard deviations are looked for, on the logit or log scale."""


class Arrow(NamedTuple):
    """A factored information matrix of G groups and r further terms.

    Attributes:
        diagonal: (G,) the groups' own block.
        border: (G, r) the border, divided by the diagonal.
        factor: (r, r) lower Cholesky factor of what the groups leave of the further terms' block.
    """

    diagonal: Floats
    border: Floats
    factor: Floats


class Sizes(NamedTuple):
    """Standard deviations found by marginal likelihood, and how well they are known.

    Attributes:
        log: (K,) logarithms at the mode.
        spread: (K, K) a root of their approximate posterior covariance.
    """

    log: Floats
    spread: Floats

    def draw(self, rng: np.random.Generator) -> Floats:
        """Logarithms of standard deviations as they may also be, within the range that is looked at."""
        drawn = self.log + self.spread @ rng.standard_normal(self.log.size)
        return np.clip(drawn, LOWEST, HIGHEST)


def factor(z: Floats, weight: Floats, group: Integers, precision: Floats, group_precision: Floats) -> Arrow:
    """The information of weighted rows and independent normal priors, factored.

    Args:
        z: (n, r) the design without the groups.
        weight: (n,) each row's information, at least 0.
        group: (n,) codes 0 … G - 1.
        precision: (r,) the terms' prior precisions, at least 0.
        group_precision: (G,) those of the groups, above 0.

    Returns:
        The factored matrix.

    Raises:
        DesignError: The terms cannot be told apart and no prior holds them.

    >>> found = factor(np.ones((2, 1)), np.ones(2), np.array([0, 1]), np.ones(1), np.ones(2))
    >>> found.factor.round(3).tolist()
    [[1.414]]
    """
    weighted = z * weight[:, None]
    diagonal = np.bincount(group, weights=weight, minlength=group_precision.size) + group_precision
    crossed = cluster_sums(weighted, group, group_precision.size)
    border = crossed / diagonal[:, None]
    rest = weighted.T @ z - crossed.T @ border
    rest[np.diag_indices_from(rest)] += precision
    try:
        return Arrow(diagonal, border, np.asarray(np.linalg.cholesky(rest), np.float64))
    except np.linalg.LinAlgError:
        raise DesignError.of(
            "Terms of the regression cannot be told apart",
            received=f"{z.shape[1]} terms",
            then="leave one out",
        ) from None


def solve(arrow: Arrow, rest: Floats, groups: Floats) -> tuple[Floats, Floats]:
    """The inverse of the matrix, times a vector.

    Args:
        arrow: The factored matrix.
        rest: (r,) the further terms' part.
        groups: (G,) the groups' part.

    Returns:
        The two parts of the solution.

    >>> found = factor(np.ones((2, 1)), np.ones(2), np.array([0, 1]), np.ones(1), np.ones(2))
    >>> [part.round(3).tolist() for part in solve(found, np.array([2.0]), np.zeros(2))]
    [[1.0], [-0.5, -0.5]]
    """
    from scipy.linalg import cho_solve

    few = np.asarray(cho_solve((arrow.factor, True), rest - arrow.border.T @ groups))
    return few, groups / arrow.diagonal - arrow.border @ few


def log_determinant(arrow: Arrow) -> float:
    """The logarithm of the matrix' determinant.

    >>> found = factor(np.ones((2, 1)), np.ones(2), np.array([0, 1]), np.ones(1), np.ones(2))
    >>> round(log_determinant(found), 3), round(float(np.log(8.0)), 3)
    (2.079, 2.079)
    """
    return float(np.log(arrow.diagonal).sum() + 2 * np.log(np.diag(arrow.factor)).sum())


def scatter(arrow: Arrow, size: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Normal draws whose covariance is the inverse of the matrix.

    Args:
        arrow: The factored matrix.
        size: How many.
        rng: The generator.

    Returns:
        (size, r) of the further terms and (size, G) of the groups.

    >>> found = factor(np.ones((2, 1)), np.ones(2), np.array([0, 1]), np.ones(1), np.ones(2))
    >>> rest, groups = scatter(found, 20_000, np.random.default_rng(1))
    >>> float(rest.var().round(1)), float(groups[:, 0].var().round(1))
    (0.5, 0.6)
    """
    from scipy.linalg import solve_triangular

    normal = rng.standard_normal((arrow.factor.shape[0], size))
    few = solve_triangular(arrow.factor, normal, lower=True, trans="T").T
    own = rng.standard_normal((size, arrow.diagonal.size)) / np.sqrt(arrow.diagonal)
    return np.asarray(few), own - few @ arrow.border.T


def find_sizes(log_marginal: Callable[[Floats], float], typical: Floats) -> Sizes:
    """The standard deviations that make the data most likely, weighed with what is usual.

    Maximised is the likelihood times σ exp(-σ / t) for each σ: exponential priors with means at the typical sizes t, as
    densities of log σ. The factor is zero at zero, so that few groups never make a variance vanish; it has its mode at
    t; and it falls off, so that few groups never make a variance run away.

    Args:
        log_marginal: The log marginal likelihood at the logarithms of the K standard deviations.
        typical: (K,) the prior modes, above 0.

    Returns:
        The mode, and the root of the inverse curvature there.

    Source: Chung, Rabe-Hesketh, Dorie, Gelman & Liu, Psychometrika 78 (2013), for the factor; Simpson, Rue, Riebler,
    Martins & Sørbye, Statistical Science 32 (2017), for the prior; Tierney & Kadane, JASA 81 (1986).

    >>> found = find_sizes(lambda log: -50 * float(np.sum(np.square(log))), np.ones(1))
    >>> abs(float(found.log[0])) < 0.02, 0.09 < float(found.spread[0, 0]) < 0.11
    (True, True)
    """
    from scipy.optimize import minimize

    def loss(log: Floats) -> float:
        return -log_marginal(log) - float(np.sum(log - np.exp(log) / typical))

    start = np.clip(np.log(typical), LOWEST, HIGHEST)
    found = minimize(loss, start, method="L-BFGS-B", bounds=[(LOWEST, HIGHEST)] * typical.size)
    mode = np.asarray(found.x, np.float64)
    values, vectors = np.linalg.eigh(_curvature(loss, mode))
    # A direction in which the data say little is known to within a factor of two, not less.
    return Sizes(mode, vectors / np.sqrt(np.maximum(values, 2.0)))


def _curvature(loss: Callable[[Floats], float], at: Floats, step: float = 0.05) -> Floats:
    """The matrix of second differences."""
    k = at.size
    move = step * np.eye(k)
    here, found = loss(at), np.zeros((k, k))
    up = [loss(at + move[i]) for i in range(k)]
    down = [loss(at - move[i]) for i in range(k)]
    for i in range(k):
        found[i, i] = up[i] + down[i] - 2 * here
        for j in range(i):
            corner = loss(at + move[i] + move[j]) + loss(at - move[i] - move[j])
            found[i, j] = found[j, i] = (corner - up[i] - down[i] - up[j] - down[j] + 2 * here) / 2
    return found / step**2
