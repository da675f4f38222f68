"""One action each under one budget, and what choices are worth: by hand, against HiGHS, by simulation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hustings.errors import DesignError
from hustings.stats.allocation import (
    aipw_scores,
    choose_one,
    ipw_scores,
    policy_difference,
    policy_value,
)


def totals(choice, gain, cost):
    cost = np.broadcast_to(cost, np.shape(gain))
    rows = np.flatnonzero(choice.action >= 0)
    return np.asarray(gain)[rows, choice.action[rows]].sum(), cost[rows, choice.action[rows]].sum()


# Choices by hand


def test_the_budget_buys_what_gains_most_per_cost():
    choice = choose_one([[3.0, 5.0], [2.0, 9.0], [0.5, 0.6]], [1.0, 4.0], 5.0)
    assert choice.action.tolist() == [0, 1, -1]
    assert (choice.spent, choice.gain, choice.bound, choice.gap) == (5, 12, 12, 0)
    assert choice.price == pytest.approx(2 / 3)


def test_the_bound_spends_what_is_left_at_the_price():
    choice = choose_one([[6.0], [5.0]], [3.0], 4.0)
    assert choice.action.tolist() == [0, -1]
    assert choice.bound == pytest.approx(6 + 5 / 3)
    assert choice.gap == pytest.approx((5 / 3) / (6 + 5 / 3))


def test_a_budget_of_zero_buys_nothing():
    choice = choose_one([[3.0, 5.0]], [1.0, 4.0], 0.0)
    assert choice.action.tolist() == [-1]
    assert (choice.spent, choice.gain, choice.bound, choice.gap) == (0, 0, 0, 0)


def test_a_budget_that_buys_everything_has_price_zero():
    for budget in (8.0, 1e9, np.inf):
        choice = choose_one([[3.0, 5.0], [1.0, -2.0]], [1.0, 4.0], budget)
        assert choice.action.tolist() == [1, 0]
        assert (choice.price, choice.gap) == (0, 0)


def test_only_positive_gains_are_chosen():
    assert choose_one([[-1.0, 0.0]], [0.0, 0.0], 9.0).action.tolist() == [-1]
    assert choose_one([[0.4, 0.6]], [0.0, 5.0], 9.0, minimum_gain=0.5).action.tolist() == [1]
    assert choose_one([[-3.0, -1.0]], [1.0, 1.0], 9.0, minimum_gain=-5.0).action.tolist() == [-1]


def test_free_actions_are_taken_without_budget():
    choice = choose_one([[1.0, 2.0, 9.0]], [0.0, 0.0, 1.0], 0.0)
    assert choice.action.tolist() == [1]
    assert choice.gain == choice.bound == 2


def test_actions_that_are_not_allowed_are_neither_chosen_nor_read():
    choice = choose_one([[np.nan, 1.0], [2.0, 1.0]], [1.0, 1.0], 9.0, allowed=[[False, True], [True, True]])
    assert choice.action.tolist() == [1, 0]
    assert choose_one([[1.0]], [1.0], 9.0, allowed=[[False]]).bound == 0


def test_one_dear_action_can_beat_all_cheap_ones():
    choice = choose_one([[2.0, 0.0], [0.0, 15.0]], [1.0, 10.0], 10.0)
    assert choice.action.tolist() == [-1, 1]


def test_nobody_or_no_action_gains_nothing():
    assert choose_one(np.empty((0, 2)), [1.0, 1.0], 5.0).action.size == 0
    assert choose_one(np.empty((3, 0)), np.empty(0), 5.0).action.tolist() == [-1, -1, -1]


@pytest.mark.parametrize(
    ("gain", "cost", "budget", "allowed"),
    [
        ([[np.nan]], [1.0], 1.0, None),
        ([[np.inf]], [1.0], 1.0, None),
        ([[1.0]], [-1.0], 1.0, None),
        ([[1.0]], [np.nan], 1.0, None),
        ([[1.0]], [1.0], -1.0, None),
        ([[1.0]], [1.0], np.nan, None),
        ([[1.0]], [1.0, 2.0], 1.0, None),
        ([1.0], [1.0], 1.0, None),
        ([[1.0]], [1.0], 1.0, [[True, True]]),
        ([[1.0]], [1.0], 1.0, [[1]]),
    ],
)
def test_offers_that_do_not_fit_are_refused(gain, cost, budget, allowed):
    with pytest.raises(DesignError):
        choose_one(gain, cost, budget, allowed=allowed)


# Choices against exact solvers


def exact(gain, cost, budget, *, whole):
    from scipy.optimize import Bounds, LinearConstraint, milp

    h, a = gain.shape
    rows = np.kron(np.eye(h), np.ones(a))
    limits = [
        LinearConstraint(rows, ub=1),
        LinearConstraint(np.broadcast_to(cost, gain.shape).reshape(1, -1), ub=budget),
    ]
    found = milp(
        -gain.ravel(), constraints=limits, bounds=Bounds(0, 1), integrality=np.full(h * a, int(whole))
    )
    return -found.fun


@pytest.mark.parametrize("seed", range(8))
def test_the_bound_is_the_linear_optimum_and_the_gain_near_the_whole_one_of_highs(seed):
    rng = np.random.default_rng(seed)
    gain = rng.normal(0.5, 1, (25, 4))
    cost = rng.uniform(0.5, 3, (25, 4) if seed % 2 else 4)
    budget = rng.uniform(cost.max(), 25)
    choice = choose_one(gain, cost, budget)
    assert choice.bound == pytest.approx(exact(gain, cost, budget, whole=False), rel=1e-7)
    best = exact(gain, cost, budget, whole=True)
    assert choice.gain <= best + 1e-9
    assert choice.gain >= 0.93 * best


def test_the_gap_closes_with_many_households():
    rng = np.random.default_rng(1)
    choice = choose_one(rng.normal(0.02, 0.03, (20_000, 5)), rng.uniform(0.3, 20, (20_000, 5)), 9000.0)
    assert 0 <= choice.gap < 1e-4
    assert choice.spent <= 9000


CAMPAIGNS = st.tuples(st.integers(1, 7), st.integers(1, 4)).flatmap(
    lambda shape: st.tuples(
        *(
            st.lists(st.integers(low, 30), min_size=shape[0] * shape[1], max_size=shape[0] * shape[1]).map(
                lambda values: np.array(values, dtype=float).reshape(shape)
            )
            for low in (-5, 0)
        ),
        st.integers(0, 90),
    )
)


@settings(max_examples=150, deadline=None)
@given(CAMPAIGNS)
def test_a_choice_is_feasible_below_its_bound_and_half_of_it_at_least(campaign):
    gain, cost, budget = campaign
    choice = choose_one(gain, cost, budget)
    gained, spent = totals(choice, gain, cost)
    assert (choice.gain, choice.spent) == (pytest.approx(gained), pytest.approx(spent))
    assert spent <= budget
    assert choice.gain <= choice.bound * (1 + 1e-12)
    assert choice.gain >= choice.bound / 2 - 1e-9
    rows = np.flatnonzero(choice.action >= 0)
    assert (gain[rows, choice.action[rows]] > 0).all()


@settings(max_examples=150, deadline=None)
@given(CAMPAIGNS)
def test_more_budget_never_bounds_lower_and_gains_more_once_it_pays_the_dearest(campaign):
    gain, cost, budget = campaign
    choice = choose_one(gain, cost, budget)
    assert choose_one(gain, cost, budget + 1.5).bound >= choice.bound - 1e-9
    assert choose_one(gain, cost, budget + cost.max()).gain >= choice.gain - 1e-9


# Scores


def test_scores_equal_hand_arithmetic():
    mean = np.array([[0.2, 0.4], [0.3, 0.5]])
    np.testing.assert_allclose(
        aipw_scores([1, 0], [1, 0], mean, [0.75, 0.25]), [[0.2, 0.4 + 0.6 / 0.25], [0.3 - 0.3 / 0.75, 0.5]]
    )
    assert mean[0, 1] == 0.4


def test_inverse_probability_scores_average_to_the_weighted_means():
    rng = np.random.default_rng(2)
    propensity = rng.dirichlet([5, 5, 5], 400)
    arm = np.array([rng.choice(3, p=row) for row in propensity])
    y = rng.normal(size=400)
    scores = ipw_scores(y, arm, propensity)
    for a in range(3):
        weight = 1 / propensity[arm == a, a]
        assert scores[:, a].mean() == pytest.approx(np.average(y[arm == a], weights=weight))


def test_augmented_scores_are_unbiased_with_wrong_means_and_exact_with_right_ones():
    rng = np.random.default_rng(3)
    truth = rng.normal([0.0, 0.5], 1.0, (20_000, 2))
    arm = (rng.random(20_000) < 0.3).astype(int)
    y = truth[np.arange(20_000), arm]
    exact_scores = aipw_scores(y, arm, truth, [0.7, 0.3])
    np.testing.assert_allclose(exact_scores, truth)
    wrong = aipw_scores(y, arm, np.full((20_000, 2), 3.0), [0.7, 0.3])
    error = wrong.std(0) / np.sqrt(20_000)
    assert (np.abs(wrong.mean(0) - truth.mean(0)) < 4 * error).all()


@pytest.mark.parametrize(
    ("y", "arm", "mean", "propensity"),
    [
        ([1.0, np.nan], [0, 1], np.zeros((2, 2)), [0.5, 0.5]),
        ([1.0, 0], [0, 2], np.zeros((2, 2)), [0.5, 0.5]),
        ([1.0, 0], [0, 1], np.zeros((2, 3)), [0.5, 0.5]),
        ([1.0, 0], [0, 1], np.full((2, 2), np.nan), [0.5, 0.5]),
        ([1.0, 0], [0, 1], np.zeros((2, 2)), [1.0, 0.0]),
        ([1.0, 0], [0, 1], np.zeros((2, 2)), [0.5, 1.5]),
        ([1.0, 0], [0, 1], np.zeros((2, 2)), np.full((3, 2), 0.5)),
        ([1.0, 0], [0, 1], np.zeros((2, 2)), 0.5),
    ],
)
def test_scores_of_what_does_not_fit_are_refused(y, arm, mean, propensity):
    with pytest.raises(DesignError):
        aipw_scores(y, arm, mean, propensity)


def test_an_arm_without_people_has_no_inverse_probability_scores():
    with pytest.raises(DesignError, match="empty"):
        ipw_scores([1.0, 0], [0, 0], [0.5, 0.5])


# Values


def test_a_value_and_its_error_equal_hand_arithmetic():
    scores = np.array([[0.0, 1.0], [1.0, 3.0], [0.0, 5.0], [2.0, 1.0]])
    value = policy_value(scores, [1, 1, 0, 1], [0, 0, 1, 2])
    assert (value.estimate, value.per_person) == (2, pytest.approx(2 / 3))
    sums = np.array([3.0, 0.0, -1.0])
    assert value.std_error == pytest.approx(np.sqrt(np.sum((sums - 2 / 3) ** 2) * 3 / 2))
    assert (value.n_chosen, value.n_clusters, value.reason) == (3, 3, None)


def test_values_without_people_have_a_reason_and_no_number():
    scores = np.array([[0.0, 1.0], [1.0, 3.0], [0.0, 5.0]])
    nobody = policy_value(scores, [0, 0, 0], range(3))
    assert nobody.reason == "nobody is chosen"
    assert np.isnan(nobody.estimate)
    assert "one cluster" in policy_value(scores, [1, 0, 0], range(3)).reason
    assert "the same" in policy_difference(scores, [1, 0, 1], [1, 0, 1], range(3)).reason
    with pytest.raises(DesignError):
        policy_value(scores, [-1, 0, 0], range(3))
    with pytest.raises(DesignError):
        policy_value(np.full((3, 2), np.nan), [1, 0, 0], range(3))


def test_value_intervals_cover_the_true_total_with_clusters():
    rng = np.random.default_rng(4)
    covered = 0
    for _ in range(500):
        cluster = np.repeat(np.arange(300), 2)
        arm = rng.integers(0, 2, 300)[cluster]
        kind = rng.integers(0, 2, 300)[cluster]
        y = (np.repeat(rng.random(300), 2) < 0.3 + 0.2 * arm * kind).astype(float)
        value = policy_value(ipw_scores(y, arm, [0.5, 0.5]), kind, cluster)
        covered += value.low <= 0.2 * 300 <= value.high
    # The truth of the sample's make-up varies too: on average 300 of 600 people can be moved.
    assert 0.90 < covered / 500 < 0.99


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10_000))
def test_a_difference_is_that_of_the_values_and_labels_never_matter(seed):
    rng = np.random.default_rng(seed)
    scores, cluster = rng.normal(size=(40, 3)), rng.integers(0, 15, 40)
    a, b = rng.integers(0, 3, 40), rng.integers(0, 3, 40)
    difference = policy_difference(scores, a, b, cluster)
    values = [policy_value(scores, one, cluster).estimate for one in (a, b)]
    assert difference.estimate == pytest.approx(values[0] - values[1])
    order = rng.permutation(40)
    other = policy_difference(scores[order], a[order], b[order], 99 - 7 * cluster[order])
    assert other.std_error == pytest.approx(difference.std_error)
    assert policy_difference(scores, b, a, cluster).estimate == pytest.approx(-difference.estimate)
