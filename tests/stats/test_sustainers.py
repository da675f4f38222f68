"""Churn of recurring gifts: the published tables, a known truth, bad input."""

from __future__ import annotations

import numpy as np
import pytest

from hustings.errors import DesignError
from hustings.stats.sustainers import fit_sustainers, payments_to_come, stay, survival

# Fader & Hardie (2007), table 1: customers left of 1,000 after 0 to 12 years; the model sees years 0 to 7.
HIGH = (1000, 869, 743, 653, 593, 551, 517, 491, 468, 445, 427, 409, 394)
REGULAR = (1000, 631, 468, 382, 326, 289, 262, 241, 223, 207, 194, 183, 173)


def fitted(left):
    lost = -np.diff(left[:8])
    n = np.append(np.arange(1, 8), 8)
    return fit_sustainers(n, np.arange(1, 9) < 8, np.append(lost, left[7]))


@pytest.mark.parametrize(
    ("left", "alpha", "beta", "log_likelihood"),
    [(HIGH, 0.668, 3.806, -1611.2), (REGULAR, 0.704, 1.182, -1680.3)],
)
def test_the_published_parameters_come_out(left, alpha, beta, log_likelihood):
    model = fitted(left)
    assert (round(model.alpha, 3), round(model.beta, 3)) == (alpha, beta)
    assert round(model.maximum.log_likelihood, 1) == log_likelihood


@pytest.mark.parametrize("left", [HIGH, REGULAR])
def test_years_that_the_model_has_not_seen_are_foretold_within_two_points(left):
    assert np.abs(survival(fitted(left), np.arange(9, 14)) - np.array(left[8:]) / 1000).max() < 0.02


def test_whoever_has_stayed_long_will_stay_on():
    found = stay(fitted(REGULAR), [1, 2, 5, 20])
    assert (np.diff(found.estimate) > 0).all()
    assert ((found.low < found.estimate) & (found.estimate < found.high)).all()


def test_payments_to_come_are_the_sum_of_the_chances_to_get_there():
    model = fitted(HIGH)
    by_hand = sum(survival(model, [3 + k])[0] / survival(model, [3])[0] for k in range(1, 13))
    assert payments_to_come(model, [3], 12)[0] == pytest.approx(by_hand)
    assert payments_to_come(model, [3], 0)[0] == 0


def test_the_truth_is_found_again_with_its_interval():
    inside = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        stops = rng.geometric(rng.beta(1.0, 8.0, 1_500))
        seen = rng.integers(1, 24, 1_500)
        model = fit_sustainers(np.minimum(stops, seen), stops < seen)
        found = stay(model, [6])
        inside.append(found.low[0] <= 13 / 14 <= found.high[0])
    assert 0.85 < np.mean(inside) <= 1.0


@pytest.mark.parametrize(
    ("n", "stopped"),
    [([0, 2], [True, False]), ([2, 3], [False, False]), ([1, 1], [True, False]), ([1], [True, False])],
)
def test_what_cannot_be_read_is_refused(n, stopped):
    with pytest.raises(DesignError):
        fit_sustainers(n, stopped)
