"""Probabilities: by hand, against sklearn, by simulated truth, and invariants."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hustings.errors import DesignError
from hustings.stats.calibration import (
    BetaCalibration,
    auc,
    auc_interval,
    calibration_error,
    cluster_folds,
    fit_beta,
    log_loss,
    log_loss_interval,
    reliability,
)


def normal_cdf(x):
    from scipy.special import ndtr

    return ndtr(x)


def pairs(rng, n_clusters=150, shift=1.0):
    """Two people per cluster with a shared part, half of them 1, scored by a normal number."""
    y = (rng.random(2 * n_clusters) < 0.5).astype(float)
    cluster = np.repeat(np.arange(n_clusters), 2)
    score = shift * y + 0.8 * rng.normal(size=n_clusters)[cluster] + 0.6 * rng.normal(size=2 * n_clusters)
    return y, normal_cdf(score), cluster


# By hand


def test_log_loss_and_auc_equal_hand_arithmetic():
    assert log_loss([1, 0], [0.8, 0.4]) == pytest.approx(-(np.log(0.8) + np.log(0.6)) / 2)
    assert auc([0, 0, 1, 1], [0.1, 0.5, 0.5, 0.9]) == pytest.approx((1 + 1 + 0.5 + 1) / 4)
    assert auc([0, 1], [0.5, 0.5]) == 0.5


def test_one_sure_and_wrong_answer_costs_much_but_not_infinity():
    assert log_loss([1], [0.0]) == pytest.approx(-np.log(1e-15))
    assert log_loss([0], [1.0]) == pytest.approx(-np.log(1e-15), rel=1e-2)


def test_calibration_error_weighs_bins_by_people():
    y, p = [0, 0, 1, 1], [0.1, 0.1, 0.8, 0.8]
    assert calibration_error(y, p, bins=2) == pytest.approx((0.1 + 0.2) / 2)
    assert calibration_error(y, p, bins=1) == pytest.approx(0.05)


def test_the_error_of_log_loss_is_that_of_a_mean_of_cluster_sums():
    y, p = np.array([1, 0, 1, 1]), np.array([0.5, 0.5, 0.25, 1.0])
    found = log_loss_interval(y, p, [0, 0, 1, 2])
    u = np.array([2 * np.log(2), np.log(4), 0.0]) / 4 - found.estimate * np.array([2, 1, 1]) / 4
    assert found.std_error == pytest.approx(np.sqrt(np.sum(u**2) * 3 / 2))


# Peers


def test_log_loss_and_auc_equal_sklearn():
    from sklearn.metrics import log_loss as peer_loss
    from sklearn.metrics import roc_auc_score

    rng = np.random.default_rng(1)
    y, p = (rng.random(500) < 0.3).astype(float), rng.random(500).round(2) * 0.98 + 0.01
    assert log_loss(y, p) == pytest.approx(peer_loss(y, p))
    assert auc(y, p) == pytest.approx(roc_auc_score(y, p))


def test_the_error_of_auc_is_delongs_when_everybody_is_alone():
    rng = np.random.default_rng(2)
    y, p, _ = pairs(rng)
    wins = (p[y == 1][:, None] > p[y == 0]) + 0.5 * (p[y == 1][:, None] == p[y == 0])
    variance = wins.mean(1).var() / wins.shape[0] + wins.mean(0).var() / wins.shape[1]
    assert auc_interval(y, p, np.arange(300)).std_error == pytest.approx(np.sqrt(variance * 300 / 299))


def test_beta_calibration_equals_the_logistic_regression_of_sklearn():
    from sklearn.linear_model import LogisticRegression

    rng = np.random.default_rng(3)
    p = rng.beta(2, 3, 4000)
    y = (rng.random(4000) < BetaCalibration(0.6, 1.5, 0.3).apply(p)).astype(float)
    columns = np.column_stack([np.log(p), -np.log1p(-p)])
    peer = LogisticRegression(C=1e9, tol=1e-10, max_iter=1000).fit(columns, y)
    found = fit_beta(y, p)
    np.testing.assert_allclose([found.a, found.b], peer.coef_[0], rtol=1e-3)
    assert found.intercept == pytest.approx(peer.intercept_[0], rel=1e-2, abs=1e-3)


# Simulated truth


def test_auc_intervals_cover_the_truth_with_clusters():
    rng = np.random.default_rng(4)
    truth = float(normal_cdf(1 / np.sqrt(2)))
    found = [auc_interval(*pairs(rng)) for _ in range(500)]
    assert 0.905 < np.mean([one.low <= truth <= one.high for one in found]) < 0.985


def test_log_loss_intervals_cover_the_truth_with_clusters():
    rng = np.random.default_rng(5)
    covered = 0
    for _ in range(500):
        p = np.repeat(rng.choice([0.2, 0.7], 100), 2)
        y = (np.repeat(rng.random(100), 2) < p).astype(float)
        truth = -np.mean([0.2 * np.log(0.2) + 0.8 * np.log(0.8), 0.7 * np.log(0.7) + 0.3 * np.log(0.3)])
        found = log_loss_interval(y, p, np.repeat(np.arange(100), 2))
        covered += found.low <= truth <= found.high
    assert 0.905 < covered / 500 < 0.985


def test_people_who_count_twice_in_their_cluster_change_no_error():
    y, p, cluster = pairs(np.random.default_rng(6))
    twice = [np.concatenate([part, part]) for part in (y, p, cluster)]
    for interval in (auc_interval, log_loss_interval):
        np.testing.assert_allclose(interval(*twice), interval(y, p, cluster), rtol=1e-9)


def test_reliability_of_a_calibrated_score_covers_its_predictions_with_clusters():
    rng = np.random.default_rng(7)
    covered = []
    for _ in range(60):
        p = np.repeat(rng.random(800) ** 2, 2)
        y = (np.repeat(rng.random(800), 2) < p).astype(float)
        found = reliability(y, p, np.repeat(np.arange(800), 2))
        covered.append((found.low <= found.predicted) & (found.predicted <= found.high))
        assert found.n.sum() == 1600
    assert 0.90 < np.mean(covered) < 0.99
    assert found.predicted.size == 10


def test_a_bin_where_nobody_did_it_still_has_a_width():
    found = reliability(np.zeros(30), np.full(30, 0.01), np.arange(30))
    assert found.low[0] == 0
    assert 0.05 < found.high[0] < 0.2


def test_calibration_error_of_a_calibrated_score_lies_at_its_floor():
    rng = np.random.default_rng(8)
    p = rng.uniform(0.3, 0.7, 20_000)
    found = calibration_error(rng.random(p.size) < p, p)
    floor = 0.8 * np.sqrt(0.24 * 20 / p.size)
    assert 0.4 * floor < found < 1.8 * floor


def test_beta_calibration_recovers_the_distortion():
    rng = np.random.default_rng(9)
    p = rng.beta(1.5, 2.5, 60_000)
    truth = BetaCalibration(0.5, 1.4, -0.2)
    y = (rng.random(p.size) < truth.apply(p)).astype(float)
    found = fit_beta(y, p)
    np.testing.assert_allclose([found.a, found.b, found.intercept], [0.5, 1.4, -0.2], atol=0.12)
    assert calibration_error(y, found.apply(p)) < calibration_error(y, p) / 4


def test_beta_calibration_never_reverses_an_order():
    rng = np.random.default_rng(10)
    p = rng.random(2000)
    found = fit_beta((rng.random(2000) < 1 - p).astype(float), p)
    assert (found.a, found.b) == (0, 0)
    assert found.apply(p).std() == pytest.approx(0)
    y = (rng.random(2000) < BetaCalibration(1.0, 0.0, 0.0).apply(p) * (1 - 0.3 * (p > 0.9))).astype(float)
    grid = fit_beta(y, p).apply(np.linspace(0, 1, 50))
    assert (np.diff(grid) >= 0).all()


def test_beta_calibration_survives_certain_predictions_and_perfect_order():
    found = fit_beta([0, 0, 1, 1], [0.0, 0.2, 0.8, 1.0])
    assert np.isfinite([found.a, found.b, found.intercept]).all()
    assert found.apply([0.0, 1.0]).round(3).tolist() == [0, 1]


# Refusals


@pytest.mark.parametrize("figure", [log_loss, auc, calibration_error, fit_beta])
@pytest.mark.parametrize(
    ("y", "p"),
    [
        ([0, 1], [0.5]),
        ([], []),
        ([0, 2], [0.5, 0.5]),
        ([0, np.nan], [0.5, 0.5]),
        ([0, 1], [0.5, 1.1]),
        ([0, 1], [0.5, np.nan]),
    ],
)
def test_numbers_that_are_no_outcomes_or_probabilities_are_refused(figure, y, p):
    with pytest.raises(DesignError):
        figure(y, p)


def test_one_class_or_one_cluster_is_refused():
    for figure in (auc, fit_beta):
        with pytest.raises(DesignError, match="one class"):
            figure([1, 1], [0.5, 0.6])
    for interval in (auc_interval, log_loss_interval):
        with pytest.raises(DesignError, match="cluster"):
            interval([0, 1], [0.5, 0.6], [3, 3])
    with pytest.raises(DesignError, match="bins"):
        calibration_error([0, 1], [0.5, 0.6], bins=0)


# Invariants

SCORED = st.lists(
    st.tuples(st.booleans(), st.sampled_from([0.0, 0.1, 0.3, 0.5, 0.9, 1.0]), st.integers(0, 5)),
    min_size=4,
    max_size=40,
)


@settings(max_examples=60, deadline=None)
@given(SCORED, st.randoms(use_true_random=False))
def test_the_order_of_rows_never_matters(rows, random):
    mixed = rows.copy()
    random.shuffle(mixed)
    first, second = (
        tuple(np.array(column, dtype=float) for column in zip(*some, strict=True)) for some in (rows, mixed)
    )
    assert log_loss(*first[:2]) == pytest.approx(log_loss(*second[:2]))
    assert calibration_error(*first[:2]) == pytest.approx(calibration_error(*second[:2]), abs=1e-12)
    bins = [reliability(y, p, cluster.astype(int), bins=4) for y, p, cluster in (first, second)]
    np.testing.assert_allclose(bins[0].high, bins[1].high)
    if 0 < first[0].sum() < first[0].size:
        assert auc(*first[:2]) == pytest.approx(auc(*second[:2]))
        assert auc(1 - first[0], first[1]) == pytest.approx(1 - auc(*first[:2]))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 30), min_size=2, max_size=200), st.integers(2, 6), st.integers(0, 99))
def test_folds_hold_whole_clusters_of_nearly_equal_numbers(labels, n_folds, seed):
    labels = np.array(labels)
    sizes = np.unique(labels, return_counts=True)[1]
    if sizes.size < n_folds:
        with pytest.raises(DesignError):
            cluster_folds(labels, n_folds, np.random.default_rng(seed))
        return
    fold = cluster_folds(labels, n_folds, np.random.default_rng(seed))
    assert all(np.unique(fold[labels == label]).size == 1 for label in labels)
    people = np.bincount(fold, minlength=n_folds)
    assert people.min() > 0
    assert np.ptp(people) <= sizes.max()


def test_folds_depend_on_the_generator_only():
    labels = np.arange(100) // 2
    first = cluster_folds(labels, 5, np.random.default_rng(1))
    assert np.array_equal(first, cluster_folds(labels, 5, np.random.default_rng(1)))
    assert not np.array_equal(first, cluster_folds(labels, 5, np.random.default_rng(2)))
