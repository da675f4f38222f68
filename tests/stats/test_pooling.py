"""Pooling by place: a published fit, what is left alone, and the coverage of its intervals."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit, logit

from hustings.errors import DesignError
from hustings.stats.pooling import Pooling, fit_pooling

# Contagious bovine pleuropneumonia: 56 counts in 15 herds (Lesnoff et al. 2004), as in lme4's `cbpp`.
HERD = (
    [1] * 4
    + [2] * 3
    + [h for h in range(3, 8) for _ in range(4)]
    + [8]
    + [h for h in range(9, 16) for _ in range(4)]
)
SICK = [2, 3, 4, 0, 3, 1, 1, 8, 2, 0, 2, 2, 0, 2, 0, 5, 0, 0, 1, 3, 0, 0, 1, 8, 1, 3, 0, 12, 2, 0, 0, 0, 1, 1, 0, 2, 0, 5, 3, 1, 2, 1, 0, 0, 1, 2, 0, 0, 11, 0, 0, 0, 1, 1, 1, 0]  # fmt: skip
SIZE = [14, 12, 9, 5, 22, 18, 21, 22, 16, 16, 20, 10, 10, 9, 6, 18, 25, 24, 4, 17, 17, 18, 20, 16, 10, 9, 5, 34, 9, 6, 8, 6, 22, 22, 18, 22, 25, 27, 22, 22, 10, 8, 6, 5, 21, 24, 19, 23, 19, 2, 3, 2, 19, 15, 15, 15]  # fmt: skip
PERIOD = [1, 2, 3, 4, 1, 2, 3] + [1, 2, 3, 4] * 5 + [1] + [1, 2, 3, 4] * 7
FIXED = {1: -1.3983, 2: -1.3983 - 0.9919, 3: -1.3983 - 1.1282, 4: -1.3983 - 1.5797}


def test_the_published_variance_between_herds_comes_out():
    """Bates et al. (2015), lme4: sd 0.6421 between herds, Laplace, with these fixed effects."""
    y = np.concatenate([[1.0] * s + [0.0] * (n - s) for s, n in zip(SICK, SIZE, strict=True)])
    herd = np.repeat(np.array(HERD) - 1, SIZE)
    p = expit(np.repeat([FIXED[t] for t in PERIOD], SIZE))
    found = fit_pooling(y, p, herd, 15)
    assert found.sd == pytest.approx(0.6421, abs=0.006)


def test_places_that_do_not_differ_are_left_alone():
    rng = np.random.default_rng(2)
    hits = 0
    for _ in range(20):
        p = rng.uniform(0.1, 0.9, 2000)
        found = fit_pooling((rng.random(2000) < p).astype(float), p, np.arange(2000) % 100, 100)
        hits += found.sd > 0.25
        assert np.abs(found.apply(p, np.arange(2000) % 100) - p).max() < 0.2
    assert hits <= 1


def test_a_place_alone_by_hand():
    """With sd held by many others, a place of n people of which k did it has k - n q = b / sd²."""
    rng = np.random.default_rng(3)
    place = np.repeat(np.arange(200), 30)
    p = np.full(place.size, 0.4)
    truth = 0.8 * rng.standard_normal(200)
    y = (rng.random(place.size) < expit(logit(p) + truth[place])).astype(float)
    found = fit_pooling(y, p, place, 200)
    b, k = found.effect[0], y[:30].sum()
    assert k - 30 * expit(logit(0.4) + b) == pytest.approx(b / found.sd**2, abs=1e-4)


def test_true_intercepts_lie_in_their_intervals_and_the_spread_is_recovered():
    rng = np.random.default_rng(4)
    inside, spreads = [], []
    for _ in range(40):
        size = rng.integers(2, 120, 150)
        place = np.repeat(np.arange(150), size)
        truth = 0.5 * rng.standard_normal(150)
        p = rng.uniform(0.1, 0.8, place.size)
        y = (rng.random(place.size) < expit(logit(p) + truth[place])).astype(float)
        found = fit_pooling(y, p, place, 150)
        inside.append(np.abs(found.effect - truth) < 1.96 * found.std_error)
        spreads.append(found.sd)
    assert np.mean(spreads) == pytest.approx(0.5, abs=0.03)
    assert 0.93 < np.mean(inside) < 0.97


def test_a_small_place_is_moved_less_than_a_large_one():
    rng = np.random.default_rng(5)
    size = np.array([3, 300] * 60)
    place = np.repeat(np.arange(120), size)
    truth = np.repeat(rng.choice([-0.7, 0.7], 60), 2)
    p = np.full(place.size, 0.5)
    y = (rng.random(place.size) < expit(truth[place])).astype(float)
    found = fit_pooling(y, p, place, 120)
    assert np.abs(found.effect[::2]).mean() < 0.5 * np.abs(found.effect[1::2]).mean()


def test_an_unknown_place_keeps_its_score():
    assert Pooling(1.0, np.array([2.0]), np.array([0.1])).apply([0.3], [-1]) == pytest.approx([0.3])
    assert Pooling(0.0, np.empty(0), np.empty(0)).apply([0.3], [5]) == pytest.approx([0.3])


def test_nobody_and_what_is_no_probability():
    assert fit_pooling([], [], np.empty(0, int), 4).sd == 0
    with pytest.raises(DesignError, match="no probabilities"):
        fit_pooling([1.0], [1.5], [0], 1)
    with pytest.raises(DesignError, match="Outcomes do not fit"):
        fit_pooling([0.5], [0.5], [0], 1)
    with pytest.raises(DesignError, match="Places do not fit"):
        fit_pooling([1.0], [0.5], [0.0], 1)
