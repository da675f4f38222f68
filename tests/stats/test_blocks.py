"""Lifts within blocks: against statsmodels, for pairs, and what they cannot say."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm

from hustings.stats.blocks import within_blocks


def test_lifts_and_errors_are_those_of_a_regression_on_block_dummies():
    rng = np.random.default_rng(1)
    block = np.repeat(np.arange(20), 12)
    cluster = np.arange(240) // 2
    arm = rng.integers(0, 3, 120)[cluster]
    y = rng.normal(size=20)[block] + 0.4 * (arm == 1) + rng.normal(size=120)[cluster] + rng.normal(size=240)
    found = within_blocks(y, arm, block, cluster, n_arms=3)
    dummies = (block[:, None] == np.arange(20)).astype(float)
    design = np.column_stack([arm == 1, arm == 2, dummies]).astype(float)
    oracle = sm.OLS(y, design).fit(cov_type="cluster", cov_kwds={"groups": cluster, "use_correction": False})
    assert found.estimate == pytest.approx(oracle.params[:2])
    assert found.std_error == pytest.approx(oracle.bse[:2] * np.sqrt(120 / (120 - 20 - 2)))


def test_clusters_that_reach_over_blocks_and_hold_both_arms_are_counted_once():
    rng = np.random.default_rng(2)
    cluster, block, arm = (rng.integers(0, k, 400) for k in (40, 10, 2))
    y = rng.normal(size=40)[cluster] + rng.normal(size=400)
    found = within_blocks(y, arm, block, cluster, n_arms=2)
    design = np.column_stack([arm, block[:, None] == np.arange(10)]).astype(float)
    oracle = sm.OLS(y, design).fit(cov_type="cluster", cov_kwds={"groups": cluster, "use_correction": False})
    assert found.std_error[0] == pytest.approx(oracle.bse[0] * np.sqrt(40 / 39))


def test_errors_of_pairs_are_right_and_their_intervals_hold_the_truth():
    rng = np.random.default_rng(3)
    block, held, errors, estimates = np.repeat(np.arange(40), 2), 0, [], []
    for _ in range(600):
        arm = (rng.random((40, 1)) < 0.5).repeat(2, axis=1) ^ np.array([False, True])
        y = 3 * rng.normal(size=40)[block] + rng.normal(size=80) + 0.5 * arm.ravel()
        found = within_blocks(y, arm.ravel().astype(int), block, np.arange(80), n_arms=2)
        held += found.low[0] <= 0.5 <= found.high[0]
        errors.append(found.std_error[0])
        estimates.append(found.estimate[0])
    assert 0.93 <= held / 600 <= 0.97
    assert np.mean(errors) == pytest.approx(np.std(estimates), rel=0.08)


def test_shares_that_differ_by_block_do_not_bias_it():
    rng = np.random.default_rng(4)
    block = np.repeat([0, 1], 5_000)
    arm = (rng.random(10_000) < np.where(block == 0, 0.2, 0.8)).astype(int)
    y = 2.0 * block + 0.3 * arm + rng.normal(size=10_000)
    found = within_blocks(y, arm, block, np.arange(10_000), n_arms=2)
    assert abs(found.estimate[0] - 0.3) < 4 * found.std_error[0]
    assert y[arm == 1].mean() - y[arm == 0].mean() > 1


def test_blocks_of_one_arm_say_nothing_and_the_reason_is_told():
    found = within_blocks([1.0, 2, 3, 4], [0, 0, 1, 1], [0, 0, 1, 1], range(4), n_arms=2)
    assert found.reason == ["no block holds control and another arm"]
    assert np.isnan(found.estimate[0])


def test_three_hundred_arms_in_blocks_are_read():
    rng = np.random.default_rng(5)
    block, arm = np.repeat(np.arange(40), 300), np.tile(np.arange(300), 40)
    found = within_blocks(rng.normal(size=12_000), arm, block, np.arange(12_000), n_arms=300)
    assert np.mean(found.p_value < 0.05) < 0.12
