"""Regressions with many groups: the same as with full matrices."""

from __future__ import annotations

import numpy as np
import pytest

from hustings.errors import DesignError
from hustings.stats.arrow import factor, find_sizes, log_determinant, scatter, solve


def case():
    rng = np.random.default_rng(2)
    n, r, groups = 60, 3, 7
    z, weight, group = rng.normal(size=(n, r)), rng.uniform(0, 2, n), rng.integers(0, groups, n)
    precision, own = rng.uniform(0.5, 2, r), rng.uniform(0.5, 2, groups)
    full = np.hstack([z, np.eye(groups)[group]])
    matrix = (full * weight[:, None]).T @ full + np.diag(np.concatenate([precision, own]))
    return factor(z, weight, group, precision, own), matrix


def test_it_solves_as_the_full_matrix_does():
    arrow, matrix = case()
    right = np.arange(10.0)
    assert np.concatenate(solve(arrow, right[:3], right[3:])) == pytest.approx(np.linalg.solve(matrix, right))
    assert log_determinant(arrow) == pytest.approx(np.linalg.slogdet(matrix)[1])


def test_draws_have_the_inverse_as_covariance():
    arrow, matrix = case()
    drawn = np.hstack(scatter(arrow, 200_000, np.random.default_rng(1)))
    inverse = np.linalg.inv(matrix)
    assert np.abs(np.cov(drawn.T) - inverse).max() < 0.03 * inverse.max()


def test_terms_that_cannot_be_told_apart_are_refused():
    with pytest.raises(DesignError, match="cannot be told apart"):
        factor(np.ones((4, 2)), np.ones(4), np.zeros(4, int), np.zeros(2), np.ones(1))


def test_a_size_is_the_mode_of_likelihood_and_prior():
    # n squares with mean 0.04: d/dlog σ of -n log σ - n 0.04 / (2 σ²) + log σ - σ / t.
    n = 400

    def log_marginal(log):
        return float(-n * log[0] - n * 0.04 * np.exp(-2 * log[0]) / 2)

    sigma = np.exp(find_sizes(log_marginal, np.array([0.2])).log[0])
    assert -n + n * 0.04 / sigma**2 + 1 - sigma / 0.2 == pytest.approx(0, abs=0.05)


def test_without_data_the_size_is_spread_over_a_factor_not_fixed():
    found = find_sizes(lambda log: 0.0, np.array([0.1]))
    drawn = [np.exp(found.draw(np.random.default_rng(i))[0]) for i in range(300)]
    assert np.quantile(drawn, 0.9) > 2 * np.quantile(drawn, 0.1)
