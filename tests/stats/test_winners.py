"""Variants and winners: by hand, and by simulated gifts whose truth is known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hustings.errors import DesignError
from hustings.stats.means import difference_in_means
from hustings.stats.variants import differences, remove_send, variant_means
from hustings.stats.winners import contrast, draw_means, empirical_bayes, shrink_variants


def simulated_gifts(rng, n_arms, n, rates, sigma=1.0, median=20.0):
    """Amounts of n recipients of each arm: a share gives, amounts are log-normal."""
    arm = np.repeat(np.arange(n_arms), n)
    amount = np.zeros(n_arms * n)
    gave = rng.random(n_arms * n) < np.asarray(rates)[arm]
    amount[gave] = median * np.exp(sigma * rng.standard_normal(gave.sum()))
    return amount, arm


def test_differences_are_those_of_the_lifts():
    rng = np.random.default_rng(1)
    y, arm = rng.lognormal(size=90), np.repeat([0, 1, 2], 30)
    unit = np.arange(90) // 3
    mine = differences(variant_means(y, arm, unit, n_arms=3), 0)
    lifts = difference_in_means(y, arm, unit, n_arms=3)
    assert mine.estimate[1:] == pytest.approx(lifts.estimate)
    assert mine.std_error[1:] == pytest.approx(lifts.std_error)
    assert mine.low[1:] == pytest.approx(lifts.low)


def test_welch_agrees_with_scipy():
    from scipy import stats

    rng = np.random.default_rng(2)
    a, b = rng.normal(0, 1, 20), rng.normal(1, 3, 35)
    found = differences(
        variant_means(np.concatenate([a, b]), np.repeat([0, 1], [20, 35]), np.arange(55), n_arms=2), 0
    )
    interval = stats.ttest_ind(b, a, equal_var=False).confidence_interval()
    assert (found.low[1], found.high[1]) == pytest.approx((interval.low, interval.high))


def test_an_empty_variant_and_a_variant_of_one_have_reasons():
    found = differences(variant_means([1.0, 0, 1, 2], [0, 0, 0, 2], range(4), n_arms=3), 0)
    assert found.reason[1] == "the variant went to nobody"
    assert "one unit only" in found.reason[2]
    assert np.isnan(found.estimate).all()


def test_one_large_gift_does_not_make_its_variant_alone_uncertain():
    y = np.concatenate([np.tile([0.0, 1, 0, 1], 25), np.tile([0.0, 1, 0, 1], 25)])
    y[150] = 1_000
    found = variant_means(y, np.repeat([0, 1], 100), np.arange(200), n_arms=2)
    assert found.std_error[1] > 50 * found.std_error[0]
    assert found.steady_error[1] == pytest.approx(found.steady_error[0])


def test_variances_that_truly_differ_are_left_apart():
    rng = np.random.default_rng(3)
    y = np.concatenate([rng.normal(0, s, 2_000) for s in (1, 1, 4, 4)])
    found = variant_means(y, np.repeat(range(4), 2_000), np.arange(8_000), n_arms=4)
    assert found.steady_error == pytest.approx(found.std_error, rel=0.02)


def test_shrinking_by_hand():
    # Means 0 and 2 with variance ½ each: τ² = 2 - ½ by moments and by likelihood, so ¾ of the way is left.
    assert empirical_bayes([0.0, 2.0], [np.sqrt(0.5)] * 2).tolist() == pytest.approx([0.25, 1.75])


def test_variants_that_differ_by_no_more_than_chance_are_the_same():
    assert np.ptp(empirical_bayes([1.0, 1.1, 0.9], [0.2, 0.2, 0.2])) == 0


def test_differences_beyond_all_doubt_are_left_alone():
    mean = np.array([0.0, 10, 20])
    found = shrink_variants(mean, [0.1, 0.1, 0.1])
    told = contrast(found, [[-1, 0, 1]])
    assert told.mean[0] == pytest.approx(20, abs=0.01)
    assert (told.low[0], told.high[0]) == pytest.approx((20 - 0.277, 20 + 0.277), abs=0.01)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(-100, 100), min_size=2, max_size=30), st.floats(0.01, 10))
def test_shrinking_never_leaves_the_range_and_keeps_the_order(mean, error):
    point = empirical_bayes(mean, [error] * len(mean))
    assert min(mean) - 1e-6 <= point.min()
    assert point.max() <= max(mean) + 1e-6
    assert (np.diff(point[np.argsort(mean)]) >= -1e-9).all()
    ends = contrast(shrink_variants(mean, [error] * len(mean)), np.eye(len(mean)))
    assert (ends.low <= ends.mean).all()
    assert (ends.mean <= ends.high).all()


def test_draws_have_the_moments_of_the_contrasts():
    found = shrink_variants([1.0, 1.3, 0.8, 1.1], [0.2, 0.1, 0.3, 0.2])
    draws = draw_means(found, 40_000, np.random.default_rng(1))
    rows = np.array([[1, -1, 0, 0], [0.25, 0.25, 0.25, 0.25], [0, 0, 1, 0]])
    told = contrast(found, rows)
    assert (draws @ rows.T).mean(0) == pytest.approx(told.mean, abs=0.005)
    assert (draws @ rows.T).std(0) == pytest.approx(told.error, rel=0.02)
    assert np.quantile(draws[:, 2], 0.025) == pytest.approx(told.low[2], abs=0.01)


def test_the_interval_of_a_difference_of_gifts_covers_it_where_that_of_a_mean_does_not():
    rng = np.random.default_rng(6)
    rate, sigma, median, runs = 0.01, 2.0, 20.0, 300
    truth = rate * median * np.exp(sigma**2 / 2)
    apart, alone = [], []
    for _ in range(runs):
        y, arm = simulated_gifts(rng, 2, 5_000, [rate, rate], sigma)
        found = variant_means(y, arm, np.arange(10_000), n_arms=2)
        told = differences(found, 0)
        apart.append(told.low[1] <= 0 <= told.high[1])
        alone.append(np.abs(found.mean - truth) < 1.96 * found.std_error)
    assert np.mean(apart) > 0.955
    assert np.mean(alone) < 0.85


def test_the_winners_shown_lead_is_luck_and_the_shrunk_lead_is_near_the_truth():
    # Eighteen variants of 5,000: the full figures are printed by benchmarks/messages.py.
    rng = np.random.default_rng(8)
    shown, shrunk, true = [], [], []
    for _ in range(60):
        rates = 0.02 * np.exp(0.06 * rng.standard_normal(18))
        truth = rates * 12 * np.exp(0.5)
        y, arm = simulated_gifts(rng, 18, 5_000, rates, median=12.0)
        found = variant_means(y, arm, np.arange(90_000), n_arms=18)
        point = empirical_bayes(found.mean, found.steady_error)
        best = found.mean.argmax()
        shown.append(found.mean[best] - found.mean.mean())
        shrunk.append(point[best] - point.mean())
        true.append(truth[best] - truth.mean())
    assert np.mean(shown) > 5 * np.mean(true)
    assert abs(np.mean(shrunk) - np.mean(true)) < 0.02


def test_send_effects_are_taken_off_and_the_mean_is_kept():
    rng = np.random.default_rng(5)
    arm = rng.integers(0, 4, 4_000)
    send = (rng.random(4_000) < 0.2 + 0.2 * arm).astype(int)
    y = 0.5 * arm + 3.0 * send + rng.normal(0, 0.1, 4_000)
    level = remove_send(y, arm, send, n_arms=4, n_sends=2)
    means = np.bincount(arm, weights=level) / np.bincount(arm)
    assert np.diff(means) == pytest.approx([0.5] * 3, abs=0.02)
    assert level.mean() == pytest.approx(y.mean())


@pytest.mark.parametrize(
    "call",
    [
        lambda: variant_means([1.0, np.inf], [0, 1], [0, 1], n_arms=2),
        lambda: variant_means([1.0, 2.0], [0, 5], [0, 1], n_arms=2),
        lambda: shrink_variants([1.0], [0.1]),
        lambda: shrink_variants([1.0, 2.0], [0.1, 0.0]),
        lambda: empirical_bayes([1.0, np.nan], [0.1, 0.1]),
        lambda: remove_send([1.0, 2.0], [0, 1], [0, 1], n_arms=2, n_sends=2),
    ],
)
def test_what_cannot_be_told_is_refused(call):
    with pytest.raises(DesignError):
        call()
