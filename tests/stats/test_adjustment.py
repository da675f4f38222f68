"""Adjusted lifts: against statsmodels, by what is recovered, and what they refuse."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm

from hustings.errors import DesignError
from hustings.stats.adjustment import adjusted_difference, cuped
from hustings.stats.means import difference_in_means


def trial(rng, clusters=300, arms=3, effect=0.5, slope=1.0):
    """People in clusters of one to three, two covariates, and an effect that grows with the first."""
    cluster = np.repeat(np.arange(clusters), rng.integers(1, 4, clusters))
    arm = rng.permutation(np.arange(clusters) % arms)[cluster]
    x = rng.normal(size=(cluster.size, 2)) + rng.normal(size=(clusters, 1))[cluster]
    y = slope * x[:, 0] - 0.5 * x[:, 1] + (arm == 1) * (effect + 0.3 * x[:, 0])
    return y + rng.normal(size=clusters)[cluster] + rng.normal(size=cluster.size), x, arm, cluster


def test_the_lifts_and_errors_are_those_of_a_regression_with_interactions_and_clusters():
    y, x, arm, cluster = trial(np.random.default_rng(1))
    found = adjusted_difference(y, x, arm, cluster, n_arms=3)
    centred = x - x.mean(0)
    dummies = np.column_stack([arm == 1, arm == 2]).astype(float)
    crossed = [dummies[:, [j]] * centred for j in range(2)]
    design = np.column_stack([np.ones(y.size), dummies, centred, *crossed])
    oracle = sm.OLS(y, design).fit(cov_type="cluster", cov_kwds={"groups": cluster, "use_correction": False})
    assert found.estimate == pytest.approx(oracle.params[1:3], abs=1e-9)
    # An arm's hundred clusters less one and two covariates, where statsmodels was asked for no factor.
    assert found.std_error == pytest.approx(oracle.bse[1:3] * np.sqrt(100 / 97), rel=1e-6)


def test_without_covariates_it_is_the_plain_difference():
    y, _, arm, cluster = trial(np.random.default_rng(2))
    plain = difference_in_means(y, arm, cluster, n_arms=3)
    found = adjusted_difference(y, np.empty((y.size, 0)), arm, cluster, n_arms=3)
    for name in ("estimate", "std_error", "low", "high", "p_value"):
        assert getattr(found, name) == pytest.approx(getattr(plain, name))


def test_constant_collinear_and_unknown_columns_change_nothing():
    y, x, arm, cluster = trial(np.random.default_rng(3))
    more = np.column_stack([x, np.ones(y.size), x[:, 0] * 2 - x[:, 1], np.full(y.size, np.nan)])
    one, two = (adjusted_difference(y, c, arm, cluster, n_arms=3) for c in (x, more))
    assert one.estimate == pytest.approx(two.estimate)
    assert one.std_error == pytest.approx(two.std_error)


def test_single_precision_gives_the_same_numbers_for_large_covariates():
    y, x, arm, cluster = trial(np.random.default_rng(4))
    years = 1990 + 10 * x
    one = adjusted_difference(y, years, arm, cluster, n_arms=3)
    two = adjusted_difference(y, years.astype(np.float32), arm, cluster, n_arms=3)
    assert one.estimate == pytest.approx(two.estimate, abs=1e-5)


def test_intervals_hold_the_truth_and_are_narrower_than_without_adjustment():
    rng = np.random.default_rng(5)
    held = narrower = 0
    for _ in range(400):
        y, x, arm, cluster = trial(rng, clusters=120, arms=2)
        found = adjusted_difference(y, x, arm, cluster, n_arms=2)
        plain = difference_in_means(y, arm, cluster, n_arms=2)
        held += found.low[0] <= 0.5 <= found.high[0]
        narrower += found.std_error[0] < plain.std_error[0]
    assert 0.925 <= held / 400 <= 0.98
    assert narrower > 380


def test_missing_outcomes_are_left_out_and_missing_covariates_are_not():
    y, x, arm, cluster = trial(np.random.default_rng(6))
    y[:20], x[5:60, 0] = np.nan, np.nan
    found = adjusted_difference(y, x, arm, cluster, n_arms=3)
    assert found.n_control[0] + found.n_arm.sum() == y.size - 20
    assert found.reason == [None, None]


def test_ten_treated_people_are_too_few_for_ten_covariates():
    rng = np.random.default_rng(7)
    arm = np.repeat([0, 1], [200, 10])
    found = adjusted_difference(
        rng.normal(size=210), rng.normal(size=(210, 10)), arm, np.arange(210), n_arms=2
    )
    assert "too few to adjust for 10 covariates" in found.reason[0]
    assert np.isnan(found.estimate[0])


def test_three_hundred_arms_are_read():
    rng = np.random.default_rng(8)
    arm = np.arange(12_000) % 300
    x = rng.normal(size=(12_000, 2))
    found = adjusted_difference(x[:, 0] + rng.normal(size=12_000), x, arm, np.arange(12_000), n_arms=300)
    assert found.estimate.shape == (299,)
    assert np.mean(found.p_value < 0.05) < 0.12


def test_infinite_covariates_are_refused():
    with pytest.raises(DesignError, match="infinite"):
        adjusted_difference([0.0, 1], [[np.inf], [1.0]], [0, 1], [0, 1], n_arms=2)


def test_cuped_is_the_slope_within_arms():
    y, x, arm, _ = trial(np.random.default_rng(9), slope=2.0)
    found = cuped(y, x, arm, n_arms=3)
    dummies = np.column_stack([arm == k for k in range(3)]).astype(float)
    oracle = sm.OLS(y, np.column_stack([dummies, x])).fit()
    assert found.slope == pytest.approx(oracle.params[3:])
    assert 0 < found.variance_left < 0.6
    assert found.outcome.mean() == pytest.approx(y.mean())
