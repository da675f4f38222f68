"""Means by arm: by hand, against statsmodels and scipy, published numbers, coverage, invariants."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from hustings.errors import DesignError
from hustings.stats.means import (
    arm_codes,
    balance,
    cluster_codes,
    cluster_sums,
    difference_in_means,
    sample_ratio_test,
    t_quantile,
)

DATA = Path(os.environ.get("HUSTINGS_DATA", Path(__file__).parents[3] / "shared" / "data"))


def households(sizes):
    """The household of every row: runs of equal sizes, cut every size rows."""
    starts = np.flatnonzero(np.append(True, sizes[1:] != sizes[:-1]))
    run_start = np.repeat(starts, np.diff(np.append(starts, sizes.size)))
    return np.cumsum((np.arange(sizes.size) - run_start) % sizes == 0) - 1


def clustered(rng, per_arm=40, size=3, n_arms=2, effect=0.0, spread=0.7):
    """A trial randomised by cluster, with people of a cluster alike."""
    cluster = np.repeat(np.arange(per_arm * n_arms), rng.integers(1, size + 1, per_arm * n_arms))
    arm = (np.arange(per_arm * n_arms) % n_arms)[cluster]
    y = (
        rng.normal(size=per_arm * n_arms)[cluster] * spread
        + rng.normal(size=cluster.size)
        + effect * (arm == 1)
    )
    return y, arm, cluster


# By hand


def test_lifts_of_four_clusters_equal_hand_arithmetic():
    lifts = difference_in_means([0, 1, 0, 1, 1, 0], [0, 0, 0, 1, 1, 1], [1, 1, 2, 3, 3, 4], n_arms=2)
    assert lifts.estimate[0] == pytest.approx(1 / 3)
    # Control's clusters lie 1/9 from its mean, the arm's 2/9; two clusters each double the sum of squares.
    assert lifts.std_error[0] == pytest.approx(np.sqrt(4 / 81 + 16 / 81))
    degrees = 20**2 / (4**2 + 16**2)
    assert lifts.high[0] - lifts.estimate[0] == pytest.approx(t_quantile(0.95, degrees) * lifts.std_error[0])
    assert (lifts.n_control[0], lifts.n_arm[0], lifts.reason) == (3, 3, [None])


def test_a_cluster_that_holds_both_arms_brings_their_covariance():
    # Two pairs that differ by 1 and 1.5: how far the pairs lie from each other adds no error.
    lifts = difference_in_means([0, 1, 10, 11.5], [0, 1, 0, 1], [0, 0, 1, 1], n_arms=2)
    assert lifts.estimate[0] == pytest.approx(1.25)
    assert lifts.std_error[0] == pytest.approx(np.sqrt(2 * 0.125**2 * 2))


def test_arms_are_listed_in_code_order_without_control():
    lifts = difference_in_means(np.arange(12.0) ** 2, np.arange(12) % 3, np.arange(12), n_arms=3, control=1)
    assert lifts.arm.tolist() == [0, 2]


def test_missing_outcomes_are_dropped_and_counted_apart():
    y = np.array([0, 1, np.nan, 1, 0, np.nan, np.nan, 1])
    lifts = difference_in_means(y, [0, 0, 0, 0, 1, 1, 1, 1], np.arange(8), n_arms=2)
    assert (lifts.n_control[0], lifts.n_arm[0]) == (3, 2)
    assert (lifts.n_missing_control, lifts.n_missing[0]) == (1, 2)


# What cannot be answered


@pytest.mark.parametrize(
    ("y", "arm", "cluster", "words"),
    [
        ([0.0, 1, 1], [1, 1, 1], [0, 1, 2], "control is empty"),
        ([0.0, 1, 1], [0, 0, 0], [0, 1, 2], "the arm is empty"),
        ([0.0, 1, 1, 0], [0, 0, 1, 1], [0, 1, 2, 2], "the arm has one cluster only"),
        ([0.0, 1, 1, 0], [0, 0, 1, 1], [0, 0, 1, 2], "control has one cluster only"),
        ([np.nan] * 4, [0, 0, 1, 1], [0, 1, 2, 3], "nobody has the outcome"),
        ([0.0, 1, np.nan, np.nan], [0, 0, 1, 1], [0, 1, 2, 3], "the arm has nobody with the outcome"),
        ([1.0, 1, 1, 1], [0, 0, 1, 1], [0, 1, 2, 3], "does not vary"),
        ([0.3, 0.3, 0.7, 0.7], [0, 0, 1, 1], [0, 1, 2, 3], "does not vary"),
    ],
)
def test_what_cannot_be_compared_has_a_reason_and_no_number(y, arm, cluster, words):
    lifts = difference_in_means(y, arm, cluster, n_arms=2)
    assert words in lifts.reason[0]
    assert np.isnan([lifts.estimate[0], lifts.std_error[0], lifts.low[0], lifts.high[0]]).all()


def test_an_experiment_without_a_second_arm_says_so():
    lifts = difference_in_means([0, 1, 1], [0, 0, 0], [0, 1, 2], n_arms=1)
    assert "no second arm" in lifts.reason[0]
    assert np.isnan(lifts.estimate).all()


@pytest.mark.parametrize(
    ("y", "arm", "cluster", "settings"),
    [
        ([0, 1], [0], [0, 1], {"n_arms": 2}),
        ([0, 1], [0, 1], [0], {"n_arms": 2}),
        ([0, 1], [0, 2], [0, 1], {"n_arms": 2}),
        ([0, 1], [0, -1], [0, 1], {"n_arms": 2}),
        ([0, 1], [0.0, 1.0], [0, 1], {"n_arms": 2}),
        ([0, np.inf], [0, 1], [0, 1], {"n_arms": 2}),
        ([[0, 1]], [0, 1], [0, 1], {"n_arms": 2}),
        ([0, 1], [0, 1], [0, 1], {"n_arms": 2, "control": 2}),
        ([0, 1, 1, 0], [0, 1, 0, 1], [0, 1, 2, 3], {"n_arms": 2, "confidence": 95}),
    ],
)
def test_inputs_that_do_not_fit_are_refused(y, arm, cluster, settings):
    with pytest.raises(DesignError):
        difference_in_means(y, arm, cluster, **settings)


# Peers and published numbers


@pytest.mark.parametrize("mixed", [False, True])
def test_errors_equal_clustered_least_squares_of_statsmodels(mixed):
    import statsmodels.api as sm

    rng = np.random.default_rng(1)
    y, arm, cluster = clustered(rng, n_arms=3, size=6)
    if mixed:
        arm = rng.integers(0, 3, y.size)
    design = np.column_stack([np.ones(y.size), arm == 1, arm == 2]).astype(float)
    peer = sm.OLS(y, design).fit(cov_type="cluster", cov_kwds={"groups": cluster, "use_correction": False})
    lifts = difference_in_means(y, arm, cluster, n_arms=3)
    for k in (0, 1):
        assert lifts.estimate[k] == pytest.approx(peer.params[k + 1])
        if mixed:
            n_clusters = np.unique(cluster[(arm == 0) | (arm == k + 1)]).size
            error = peer.bse[k + 1] * np.sqrt(n_clusters / (n_clusters - 1))
        else:
            error = np.sqrt(sum(_variance_of_mean(y[arm == a], cluster[arm == a]) for a in (0, k + 1)))
        assert lifts.std_error[k] == pytest.approx(error)


def _variance_of_mean(y, cluster):
    """One arm's clustered variance by statsmodels, with the factor of its own clusters."""
    import statsmodels.api as sm

    fit = sm.OLS(y, np.ones(y.size)).fit(
        cov_type="cluster", cov_kwds={"groups": cluster, "use_correction": False}
    )
    n = np.unique(cluster).size
    return fit.bse[0] ** 2 * n / (n - 1)


def test_people_of_their_own_give_welchs_t_test():
    from scipy.stats import ttest_ind

    rng = np.random.default_rng(2)
    y, arm = rng.normal(size=60), (np.arange(60) % 3 == 0).astype(int)
    lifts = difference_in_means(y, arm, np.arange(60), n_arms=2)
    peer = ttest_ind(y[arm == 1], y[arm == 0], equal_var=False)
    ends = peer.confidence_interval(0.95)
    assert lifts.estimate[0] / lifts.std_error[0] == pytest.approx(peer.statistic)
    assert (lifts.low[0], lifts.high[0]) == pytest.approx((ends.low, ends.high))


def test_an_arm_of_few_clusters_still_covers():
    """Five clusters against a hundred: a common factor and G - 2 degrees of freedom covered 84 in 100."""
    rng = np.random.default_rng(8)
    covered = 0
    for _ in range(1000):
        arm = (np.arange(105) >= 100).astype(int)
        lifts = difference_in_means(rng.normal(size=105), arm, np.arange(105), n_arms=2)
        covered += lifts.low[0] <= 0 <= lifts.high[0]
    assert covered >= 910


@pytest.mark.skipif(not (DATA / "michigan-2006/voters.parquet").exists(), reason="michigan-2006 is not here")
def test_michigan_2006_gives_the_published_lifts_and_errors():
    import pandas as pd

    voters = pd.read_parquet(
        DATA / "michigan-2006/voters.parquet", columns=["treatment", "primary_06", "hh_size"]
    )
    household = households(voters.hh_size.to_numpy())
    assert household[-1] + 1 == 180_002
    names = ["No Postcard", "Civic Duty", "Hawthorne", "Self", "Neighbors"]
    arm = voters.treatment.map({name: code for code, name in enumerate(names)}).to_numpy().astype(int)
    lifts = difference_in_means(voters.primary_06.to_numpy(), arm, household, n_arms=5)
    assert (100 * lifts.estimate).round(2).tolist() == [1.79, 2.57, 4.85, 8.13]
    assert (100 * lifts.std_error).round(3).tolist() == [0.324, 0.326, 0.330, 0.337]
    assert lifts.n_arm.tolist() == [38_218, 38_204, 38_218, 38_201]
    counts = np.bincount(arm[np.unique(household, return_index=True)[1]])
    assert sample_ratio_test(counts, [5, 1, 1, 1, 1]) > 0.001


@pytest.mark.skipif(
    not (DATA / "kansas-city-2003/voters.parquet").exists(), reason="kansas-city-2003 is not here"
)
def test_kansas_city_2003_gives_the_published_intention_to_treat():
    import pandas as pd

    voters = pd.read_parquet(DATA / "kansas-city-2003/voters.parquet")
    lifts = difference_in_means(voters.Y_voted_2003, voters.Z, voters.precinct, n_arms=2)
    assert round(100 * lifts.estimate[0], 2) == 4.40
    # 28 precincts, so a wider interval than the normal's; it holds 0.
    assert lifts.high[0] - lifts.estimate[0] >= t_quantile(0.95, 26) * lifts.std_error[0]
    assert lifts.low[0] < 0


# Simulated truth


def test_intervals_cover_the_truth_as_often_as_they_say():
    rng = np.random.default_rng(3)
    covered = 0
    for _ in range(600):
        lifts = difference_in_means(*clustered(rng, effect=0.5), n_arms=2)
        covered += lifts.low[0] <= 0.5 <= lifts.high[0]
    assert 0.91 < covered / 600 < 0.985


def test_ignoring_clusters_would_not_cover():
    rng = np.random.default_rng(4)
    covered = 0
    for _ in range(300):
        y, arm, _ = clustered(rng, size=12, spread=1.0)
        covered += abs(difference_in_means(y, arm, np.arange(y.size), n_arms=2).estimate[0]) < (
            1.96 * difference_in_means(y, arm, np.arange(y.size), n_arms=2).std_error[0]
        )
    assert covered / 300 < 0.8


def test_balance_rejects_a_fair_randomisation_as_often_as_its_level():
    rng = np.random.default_rng(5)
    small = 0
    for _ in range(500):
        y, arm, cluster = clustered(rng, n_arms=3, size=4)
        x = np.column_stack([y, y + rng.normal(size=y.size), rng.normal(size=200)[cluster]])
        small += balance(x, arm, cluster, n_arms=3).p_value < 0.05
    assert 0.015 < small / 500 < 0.09


def test_balance_finds_an_unfair_randomisation():
    rng = np.random.default_rng(6)
    y, arm, cluster = clustered(rng, per_arm=200, effect=1.0)
    found = balance(y[:, None], arm, cluster, n_arms=2)
    assert found.p_value < 1e-6
    assert 0.4 < found.std_difference[0, 0] < 1.2


# Balance and sample ratio by hand and against peers


def test_balance_of_one_covariate_is_the_square_of_its_t():
    from scipy.stats import f

    rng = np.random.default_rng(7)
    y, arm, cluster = clustered(rng, size=4)
    lifts, found = difference_in_means(y, arm, cluster, n_arms=2), balance(y[:, None], arm, cluster, n_arms=2)
    t = lifts.estimate[0] / lifts.std_error[0]
    # Two arms of forty clusters: the pooled error is the mean of both arms' own.
    assert found.statistic == pytest.approx(t**2)
    assert found.p_value == pytest.approx(f.sf(t**2, 1, 78))
    deviation = np.sqrt(np.sum((y - found.means[arm, 0]) ** 2) / (y.size - 2))
    assert found.std_difference[0, 0] == pytest.approx(lifts.estimate[0] / deviation)


def test_balance_of_two_equal_arms_is_hotellings_test():
    from scipy.stats import f

    rng = np.random.default_rng(9)
    x, arm = rng.normal(size=(24, 3)), np.arange(24) % 2
    difference = x[arm == 1].mean(0) - x[arm == 0].mean(0)
    pooled = (np.cov(x[arm == 0].T) + np.cov(x[arm == 1].T)) / 2
    t2 = 6 * difference @ np.linalg.solve(pooled, difference)
    found = balance(x, arm, np.arange(24), n_arms=2)
    assert found.statistic == pytest.approx(t2)
    assert found.p_value == pytest.approx(f.sf(t2 * 20 / (3 * 22), 3, 20))


def test_balance_leaves_out_constant_and_repeated_columns():
    rng = np.random.default_rng(8)
    y, arm, cluster = clustered(rng, n_arms=3)
    x = np.column_stack([y, rng.normal(size=y.size)])
    plain = balance(x, arm, cluster, n_arms=3)
    wide = balance(np.column_stack([x, np.full(y.size, 3.1), x @ [2, -1]]), arm, cluster, n_arms=3)
    assert wide.p_value == pytest.approx(plain.p_value)
    assert wide.n_tested == plain.n_tested == 4
    assert np.isnan(wide.std_difference[:, 2]).all()


def test_balance_with_more_differences_than_clusters_says_that_it_cannot_test():
    found = balance(np.random.default_rng(0).normal(size=(8, 9)), np.arange(8) % 2, np.arange(8), n_arms=2)
    assert np.isnan(found.p_value)
    assert "too few" in found.reason


def test_balance_leaves_missing_values_out_of_the_means():
    found = balance([[1.0], [np.nan], [3], [5]], [0, 0, 1, 1], range(4), n_arms=2)
    assert found.means.ravel().tolist() == [1, 4]


def test_balance_without_control_says_so():
    assert "no control" in balance([[1.0], [2]], [1, 1], [0, 1], n_arms=2).reason
    with pytest.raises(DesignError):
        balance([1.0, 2], [1, 1], [0, 1], n_arms=2)


def test_the_sample_ratio_test_equals_scipy():
    from scipy.stats import chisquare

    counts = np.array([510, 240, 250])
    assert sample_ratio_test(counts, [2, 1, 1]) == pytest.approx(chisquare(counts, [500, 250, 250]).pvalue)
    assert sample_ratio_test([5, 5, 1], [1, 1, 0]) == 0


@pytest.mark.parametrize(
    ("counts", "shares"),
    [
        ([1, 2], [1]),
        ([[1]], [[1]]),
        ([-1, 2], [1, 1]),
        ([0, 0], [1, 1]),
        ([1, 2], [1, 0]),
        ([1, np.nan], [1, 1]),
    ],
)
def test_counts_and_shares_that_do_not_fit_are_refused(counts, shares):
    with pytest.raises(DesignError):
        sample_ratio_test(counts, shares)


# Invariants

PEOPLE = st.integers(6, 40).flatmap(
    lambda n: st.tuples(
        arrays(float, n, elements=st.floats(-100, 100) | st.just(np.nan)),
        arrays(int, n, elements=st.integers(0, 2)),
        arrays(int, n, elements=st.integers(0, 9)),
        st.permutations(range(n)),
    )
)


def same(first, second):
    scale = 1 + np.nanmax(np.abs(np.append(first.mean_control, first.mean_arm)), initial=0)
    for name in ("estimate", "std_error", "low", "high"):
        np.testing.assert_allclose(getattr(first, name), getattr(second, name), rtol=1e-6, atol=1e-8 * scale)
    assert first.reason == second.reason


@settings(max_examples=60, deadline=None)
@given(PEOPLE)
def test_neither_the_order_of_rows_nor_the_labels_of_clusters_matter(people):
    y, arm, cluster, order = people
    y = np.round(y, 3)
    order = np.array(order)
    lifts = difference_in_means(y, arm, cluster, n_arms=3)
    same(lifts, difference_in_means(y[order], arm[order], cluster[order], n_arms=3))
    same(lifts, difference_in_means(y, arm, 1_000_003 * (cluster - 5), n_arms=3))


@settings(max_examples=60, deadline=None)
@given(PEOPLE, st.floats(0.5, 20))
def test_estimates_scale_with_the_outcome_and_do_not_move_with_a_constant(people, scale):
    y, arm, cluster, _ = people
    y = np.round(y, 3)
    lifts = difference_in_means(y, arm, cluster, n_arms=3)
    moved = difference_in_means(scale * y + 7, arm, cluster, n_arms=3)
    both = np.isfinite(lifts.estimate) & np.isfinite(moved.estimate)
    np.testing.assert_allclose(moved.estimate[both], scale * lifts.estimate[both], rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(moved.std_error[both], scale * lifts.std_error[both], rtol=1e-6, atol=1e-6)


@settings(max_examples=60, deadline=None)
@given(arrays(int, st.integers(1, 50), elements=st.integers(-(10**12), 10**12) | st.integers(0, 5)))
def test_cluster_codes_are_dense_and_keep_the_partition_and_its_order(labels):
    codes, n = cluster_codes(labels, labels.size)
    found, expected = np.unique(labels, return_inverse=True)
    assert n == found.size
    assert np.array_equal(codes, expected)
    assert np.array_equal(cluster_sums(np.ones(labels.size), codes, n), np.bincount(expected))


def test_arm_codes_with_text_are_refused():
    with pytest.raises(DesignError, match="integers"):
        arm_codes(np.array(["a", "b"]), 2, 2, 0)


# Weights of a survey


def test_weighted_lifts_are_those_of_weighted_least_squares_with_clusters():
    import statsmodels.api as sm

    rng = np.random.default_rng(21)
    y, arm, cluster = clustered(rng, effect=0.4)
    w = rng.random(y.size) * 3
    found = difference_in_means(y, arm, cluster, n_arms=2, weight=w)
    oracle = sm.WLS(y, sm.add_constant(arm.astype(float)), weights=w).fit(
        cov_type="cluster", cov_kwds={"groups": cluster, "use_correction": False}
    )
    assert found.estimate[0] == pytest.approx(oracle.params[1])
    assert found.std_error[0] == pytest.approx(oracle.bse[1] * np.sqrt(40 / 39))


def test_weights_of_one_change_nothing_and_people_of_weight_zero_count_for_nothing():
    y, arm, cluster = clustered(np.random.default_rng(22))
    plain = difference_in_means(y, arm, cluster, n_arms=2)
    assert difference_in_means(y, arm, cluster, n_arms=2, weight=np.ones(y.size)).low == pytest.approx(
        plain.low
    )
    kept = cluster > 10
    some = difference_in_means(y, arm, cluster, n_arms=2, weight=kept.astype(float))
    few = difference_in_means(y[kept], arm[kept], cluster[kept], n_arms=2)
    assert some.estimate == pytest.approx(few.estimate)
    assert some.std_error == pytest.approx(few.std_error)


def test_an_arm_whose_weights_are_all_zero_has_a_reason_and_no_zero():
    y, arm, cluster = clustered(np.random.default_rng(23))
    found = difference_in_means(y, arm, cluster, n_arms=2, weight=(arm == 0).astype(float))
    assert found.reason == ["in the arm every weight is 0"]
    assert np.isnan(found.estimate[0])


@pytest.mark.parametrize("weight", [[-1.0, 1, 1, 1], [np.nan, 1, 1, 1], [np.inf, 1, 1, 1], [1.0]])
def test_weights_that_are_none_are_refused(weight):
    with pytest.raises(DesignError, match="Weights"):
        difference_in_means([0.0, 1, 0, 1], [0, 0, 1, 1], range(4), n_arms=2, weight=weight)
