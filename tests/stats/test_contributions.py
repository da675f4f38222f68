"""Contributions add up to the score, and name the features that matter, with their direction."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy.special import logit

from hustings.errors import DesignError
from hustings.stats.contributions import linear_contributions, rank_features
from hustings.stats.logistic import fit_logistic
from hustings.stats.trees import fit_boosted


@pytest.fixture(scope="module")
def drawn():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((3000, 4))
    x[rng.random((3000, 4)) < 0.05] = np.nan
    score = 1.5 * np.nan_to_num(x[:, 1]) - 0.7 * np.nan_to_num(x[:, 2])
    return x, (rng.random(3000) < 1 / (1 + np.exp(-score))).astype(float)


def test_rows_add_up_to_the_log_odds(drawn):
    x, y = drawn
    trees = fit_boosted(x, y, rng=np.random.default_rng(1), max_trees=30)
    line = fit_logistic(x, y, ridge=1.0)
    assert np.allclose(trees.contributions(x[:50]).sum(1), logit(trees.predict(x[:50])))
    assert np.allclose(linear_contributions(line, x[:50]).sum(1), logit(line.predict(x[:50])))
    assert trees.contributions(x[:0]).shape == (0, 5)


def test_the_features_come_out_in_the_order_of_the_truth(drawn):
    x, y = drawn
    trees = fit_boosted(x, y, rng=np.random.default_rng(1), max_trees=60)
    for added in (trees.contributions(x), linear_contributions(fit_logistic(x, y, ridge=1.0), x)):
        first, second, *others = rank_features(added, x)
        assert (first.feature, second.feature) == (1, 2)
        assert (first.direction, second.direction) == (1, -1)
        assert first.low < 0 < first.high
        assert all(one.size < second.size / 2 for one in others)


def test_trees_are_explained_by_exact_shapley_values():
    """Every order of two features, by hand, with the tree's own path-dependent expectations."""
    rng = np.random.default_rng(3)
    x = rng.integers(0, 2, (600, 2)).astype(float)
    y = (rng.random(600) < 0.2 + 0.6 * x[:, 0] * x[:, 1]).astype(float)
    model = fit_boosted(x, y, rng=rng, n_trees=1, leaves=4, learning_rate=1.0)
    at = {c: float(logit(model.predict([list(c)])[0])) for c in itertools.product((0.0, 1.0), repeat=2)}
    # The tree splits on both features, so its expectation given a subset is a mean over the cells' people.
    share = {c: float(np.all(x == c, axis=1).mean()) for c in at}

    def value(known: dict[int, float], first: int) -> float:
        # Path-dependent: below the first split, the other feature's shares are those of its branch.
        fits = {c: at[c] * share[c] for c in at if all(c[k] == v for k, v in known.items() if k == first)}
        if 1 - first in known:
            branches = {a: sum(share[c] for c in at if c[first] == a) for a in (0.0, 1.0)}
            if first in known:
                return at[tuple(known[k] for k in (0, 1))]
            return sum(
                branches[a] * at[(a, known[1 - first]) if first == 0 else (known[1 - first], a)]
                for a in branches
            )
        return sum(fits.values()) / sum(share[c] for c in fits)

    added = model.contributions([[1.0, 1.0]])[0]
    guesses = []
    for first in (0, 1):
        whole = {0: 1.0, 1: 1.0}
        phi = []
        for j in (0, 1):
            alone, other = {j: 1.0}, {1 - j: 1.0}
            phi.append(
                0.5 * (value(alone, first) - value({}, first))
                + 0.5 * (value(whole, first) - value(other, first))
            )
        guesses.append(phi)
    assert any(np.allclose(added[:2], phi, atol=1e-6) for phi in guesses)
    assert math.isclose(added.sum(), at[(1.0, 1.0)], abs_tol=1e-9)


def test_a_feature_without_one_direction_has_none():
    x = np.linspace(-1, 1, 201)[:, None]
    assert rank_features(np.column_stack([x[:, 0] ** 2, np.zeros(201)]), x)[0].direction == 0


def test_shapes_that_do_not_fit_are_refused():
    with pytest.raises(DesignError, match="do not fit"):
        rank_features(np.zeros((3, 2)), np.zeros((3, 2)))
