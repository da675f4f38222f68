"""What a rule is worth, judged by outcomes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from hustings.errors import DesignError
from hustings.stats.policy import advantage, rule_value


def test_the_value_by_hand():
    found = rule_value([2.0, 4.0, 100.0], [True, True, False], 50)
    assert found.estimate == 150.0
    # Mean 3, variance of the mean 1, fifty pieces.
    assert found.std_error == pytest.approx(50.0)
    assert found.n_chosen == 2
    assert found.influence[2] == 0.0


def test_a_rule_that_chooses_nobody_has_a_reason_and_no_number():
    found = rule_value([1.0, 2.0], [False, False], 10)
    assert np.isnan(found.estimate)
    assert found.reason == "it chooses nobody in the test"
    assert np.isnan(advantage(found, found)).all()


def test_one_household_is_too_few():
    assert "one household" in str(rule_value([1.0, 2.0], [True, False], 10).reason)


@pytest.mark.parametrize(
    "wrong", [([1.0], [True, False], 1), ([np.nan, 1.0], [True, True], 1), ([1.0, 1.0], [True, True], -1)]
)
def test_what_does_not_fit_is_refused(wrong):
    with pytest.raises(DesignError):
        rule_value(*wrong)


@given(hnp.arrays(float, 12, elements=st.floats(-10, 10)), hnp.arrays(bool, 12), st.integers(0, 1000))
def test_the_value_does_not_depend_on_the_order_of_households(reading, chosen, pieces):
    if chosen.sum() < 2:
        return
    a, b = rule_value(reading, chosen, pieces), rule_value(reading[::-1], chosen[::-1], pieces)
    assert a.estimate == pytest.approx(b.estimate)
    assert a.std_error == pytest.approx(b.std_error)


@given(hnp.arrays(float, 12, elements=st.floats(-10, 10)), hnp.arrays(bool, 12))
def test_a_rule_has_no_advantage_over_itself(reading, chosen):
    if chosen.sum() < 2:
        return
    one = rule_value(reading, chosen, 7)
    assert advantage(one, one) == (0.0, 0.0, 0.0)


def test_intervals_cover_the_truth_of_a_rule_that_was_learned_elsewhere():
    """A rule learned on one half and valued on the other: 95 % intervals hold the true value; predictions do not."""
    rng = np.random.default_rng(5)
    covered, optimism = 0, []
    for _ in range(400):
        x = rng.standard_normal((800, 8))
        effect = 0.3 * x[:, 0]
        arm = rng.random(800) < 0.5
        y = x[:, 1] + arm * effect + rng.standard_normal(800)
        reading = y * np.where(arm, 2.0, -2.0)
        half = np.arange(800) < 400
        weights, *_ = np.linalg.lstsq(x[half], reading[half], rcond=None)
        predicted = x[~half] @ weights
        chosen = predicted > 0.2
        found = rule_value(reading[~half], chosen, int(chosen.sum()))
        truth = effect[~half][chosen].mean() * chosen.sum()
        covered += found.low <= truth <= found.high
        optimism.append(predicted[chosen].sum() - truth)
    # Binomial(400, 0.95): below 366 with probability under 0.001.
    assert covered >= 366
    # The sum of predictions is too high on average: the optimiser's curse.
    assert np.mean(optimism) > 10


def test_the_difference_of_two_rules_covers_too():
    rng = np.random.default_rng(6)
    covered = 0
    for _ in range(400):
        effect = 0.5 * rng.standard_normal(500)
        reading = effect + 2 * rng.standard_normal(500)
        a, b = effect > 0, rng.random(500) < 0.5
        one, two = rule_value(reading, a, 100), rule_value(reading, b, 100)
        truth = 100 * (effect[a].mean() - effect[b].mean())
        _, low, high = advantage(one, two)
        covered += low <= truth <= high
    assert covered >= 366
