"""Effects and rankings: by hand, against peers, by simulated truth, and on Michigan 2006."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hustings.errors import DesignError
from hustings.stats.calibration import cluster_folds
from hustings.stats.logistic import fit_logistic, standardise
from hustings.stats.uplift import (
    InteractionModel,
    Prediction,
    aipw_scores,
    fit_effects,
    interaction_learner,
    policy_value,
    qini,
)

DATA = Path(os.environ.get("HUSTINGS_DATA", Path(__file__).parents[3] / "shared" / "data"))


def trial(rng, n=4000, n_arms=3, interaction=0.2, features=3):
    """Pairs of people, arms by pair, arm 1 better where the first feature is high; and the true outcomes."""
    from scipy.special import expit

    cluster = np.repeat(np.arange(n // 2), 2)
    x = rng.normal(size=(n, features)) * 2 + 1
    arm = rng.integers(0, n_arms, n // 2)[cluster]
    z = (x - 1) / 2
    base = -0.3 + 0.6 * z[:, 0] + 0.3 * z[:, 1]
    truth = np.column_stack([expit(base + k * 0.2 + (k == 1) * interaction * z[:, 0]) for k in range(n_arms)])
    y = (rng.random(n) < truth[np.arange(n), arm]).astype(float)
    return x, y, arm, cluster, truth


# Effects


def test_without_features_that_vary_effects_are_differences_of_rates():
    y = np.concatenate([np.arange(100) < 30, np.arange(50) < 20]).astype(float)
    arm = np.repeat([0, 1], [100, 50])
    found = interaction_learner(np.zeros((150, 1)), y, arm, np.arange(150), n_arms=2).predict([[0.0]])
    assert found.mean[0] == pytest.approx([0.3, 0.4], abs=1e-6)
    assert found.effect[0, 0] == pytest.approx(0.1, abs=1e-6)
    error = np.sqrt(0.3 * 0.7 / 99 + 0.4 * 0.6 / 49)
    assert found.std_error[0, 0] == pytest.approx(error, rel=1e-4)


def test_without_ridge_effects_and_errors_equal_separate_regressions_of_statsmodels():
    import statsmodels.api as sm

    x, y, arm, cluster, _ = trial(np.random.default_rng(1), 2000, 2)
    found = interaction_learner(x, y, arm, cluster, n_arms=2, ridge=0.0).predict(x[:50])
    z = sm.add_constant(standardise(x).design(x)[:, 1:])
    variance, means = 0.0, []
    for code in (0, 1):
        rows = arm == code
        groups = np.unique(cluster[rows], return_inverse=True)[1]
        peer = sm.GLM(y[rows], z[rows], family=sm.families.Binomial()).fit(
            cov_type="cluster", cov_kwds={"groups": groups, "use_correction": False}
        )
        means.append(peer.predict(z[:50]))
        slope = (means[-1] * (1 - means[-1]))[:, None] * z[:50]
        g = groups.max() + 1
        variance = variance + np.einsum("ij,jk,ik->i", slope, peer.cov_params() * g / (g - 1), slope)
    # Control keeps its weak prior of one person's information, so that the third digit may differ.
    np.testing.assert_allclose(found.effect[:, 0], means[1] - means[0], atol=2e-3)
    np.testing.assert_allclose(found.std_error[:, 0], np.sqrt(variance), rtol=0.01)


def test_a_cluster_that_holds_both_arms_is_not_counted_as_independent():
    rng = np.random.default_rng(2)
    pair = np.repeat(np.arange(2000), 2)
    arm = np.tile([0, 1], 2000)
    y = (np.repeat(rng.random(2000), 2) < 0.3 + 0.1 * arm).astype(float)
    x = np.zeros((4000, 1))
    together = interaction_learner(x, y, arm, pair, n_arms=2).predict(x[:1]).std_error[0, 0]
    difference = y[arm == 1] - y[arm == 0]
    assert together == pytest.approx(difference.std(ddof=1) / np.sqrt(2000), rel=1e-3)


def test_an_infinite_pull_leaves_one_effect_in_log_odds():
    x, y, arm, cluster, _ = trial(np.random.default_rng(3), 3000, 2)
    model = interaction_learner(x, y, arm, cluster, n_arms=2, ridge=1e9)
    np.testing.assert_allclose(model.fits[1].coefficients[1:], model.fits[0].coefficients[1:], atol=1e-5)
    lone = fit_logistic(x[arm == 0], y[arm == 0], ridge=1.0, centre=standardise(x))
    np.testing.assert_allclose(model.fits[0].coefficients, lone.coefficients, atol=1e-6)


def test_cross_fitted_effects_find_who_is_moved():
    rng = np.random.default_rng(4)
    x, y, arm, cluster, truth = trial(rng, 30_000, 3, interaction=0.5)
    found = fit_effects(x, y, arm, cluster, n_arms=3, folds=cluster_folds(cluster, 5, rng))
    effect = truth[:, 1:] - truth[:, [0]]
    assert np.corrcoef(found.effect[:, 0], effect[:, 0])[0, 1] > 0.9
    np.testing.assert_allclose(found.effect.mean(0), effect.mean(0), atol=0.03)
    np.testing.assert_allclose(found.mean.mean(0), truth.mean(0), atol=0.025)
    assert found.low.shape == found.high.shape == (30_000, 2)
    np.testing.assert_allclose(found.high - found.effect, 1.959964 * found.std_error, rtol=1e-5)


@pytest.mark.parametrize("n", [600, 4000])
def test_intervals_of_single_effects_cover_when_interactions_come_from_the_prior(n):
    rng = np.random.default_rng(5)
    covered = []
    for _ in range(80):
        x, y, arm, cluster, truth = trial(rng, n, 2, interaction=rng.normal(0, 0.2))
        found = interaction_learner(x, y, arm, cluster, n_arms=2).predict(x[:100])
        effect = truth[:100, 1] - truth[:100, 0]
        covered.append(np.abs(found.effect[:, 0] - effect) < 1.96 * found.std_error[:, 0])
    assert 0.88 < np.mean(covered) < 0.995


def test_the_model_for_everybody_comes_back_from_json_to_the_last_bit():
    rng = np.random.default_rng(6)
    x, y, arm, cluster, _ = trial(rng, 1000)
    x[:90, 1] = np.nan
    model = fit_effects(x, y, arm, cluster, n_arms=3, control=2, folds=cluster_folds(cluster, 2, rng)).model
    read = InteractionModel.from_json(model.to_json())
    for first, second in zip(model.predict(x), read.predict(x), strict=True):
        assert np.array_equal(first, second)


def test_another_learner_takes_the_place_of_the_default():
    class Rates:
        def __init__(self, mean):
            self.mean = mean

        def predict(self, X):
            mean = np.broadcast_to(self.mean, (len(X), 2))
            return Prediction(mean, mean[:, 1:] - mean[:, :1], np.zeros((len(X), 1)))

        def to_json(self):
            return ""

    def learn(X, y, arm, cluster, *, n_arms, control):
        return Rates([y[arm == 0].mean(), y[arm == 1].mean()])

    x, y, arm, cluster, _ = trial(np.random.default_rng(7), 400, 2)
    folds = cluster % 2
    found = fit_effects(x, y, arm, cluster, n_arms=2, folds=folds, learner=learn)
    other = (arm == 1) & (folds == 1)
    assert found.mean[folds == 0, 1] == pytest.approx(y[other].mean())


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"folds": np.arange(400) % 2}, "splits a cluster"),
        ({"folds": np.zeros(400, dtype=int)}, "two or more"),
        ({"y": np.full(400, np.nan)}, "none missing"),
        ({"y": np.zeros(400)}, "one class"),
        ({"arm": np.zeros(400, dtype=int)}, "Arm 1"),
        ({"X": np.zeros((399, 3))}, "does not fit"),
        ({"n_arms": 1, "arm": np.zeros(400, dtype=int)}, "does not fit"),
    ],
)
def test_trials_that_do_not_fit_are_refused(changed, words):
    x, y, arm, cluster, _ = trial(np.random.default_rng(8), 400, 2)
    whole = {"X": x, "y": y, "arm": arm, "cluster": cluster, "n_arms": 2, "folds": cluster % 2, **changed}
    with pytest.raises(DesignError, match=words):
        fit_effects(**whole)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000))
def test_neither_units_nor_order_nor_labels_change_an_effect(seed):
    rng = np.random.default_rng(seed)
    x, y, arm, cluster, _ = trial(rng, 400, 2)
    order = rng.permutation(400)
    plain = fit_effects(x, y, arm, cluster, n_arms=2, folds=cluster % 3)
    moved = fit_effects(
        x[order] * [3, 0.1, 50] - 2,
        y[order],
        arm[order],
        500 - 3 * cluster[order],
        n_arms=2,
        folds=7 * (cluster[order] % 3),
    )
    np.testing.assert_allclose(moved.effect, plain.effect[order], atol=1e-6)
    np.testing.assert_allclose(moved.std_error, plain.std_error[order], atol=1e-6)


# Rankings


def test_a_qini_area_equals_hand_arithmetic():
    # The only treated person who did it is ranked first.
    found = qini([4, 3, 2, 1], [1, 0, 0, 0], [1, 0, 1, 0], range(4), propensity=[0.5, 0.5], arm_code=1)
    # Scores with the arms' means 0.5 and 0: 1.5, 0.5, -0.5, 0.5; weights 3/8, 1/8, -1/8, -3/8.
    assert found.area == pytest.approx((3 * 1.5 + 0.5 + 0.5 - 3 * 0.5) / 8 / 4)
    u = np.array([3 * 1.5, 0.5, 0.5, -3 * 0.5]) / 32
    assert found.std_error == pytest.approx(np.sqrt(np.sum((u - u.mean()) ** 2) * 4 / 3))
    np.testing.assert_allclose(found.curve_gain[[0, 25, 50, 75, 100]], [0, 1.5 / 4, 2 / 4, 1.5 / 4, 2 / 4])


def test_the_area_is_the_one_under_the_curve():
    rng = np.random.default_rng(9)
    effect = rng.integers(0, 25, 5000)
    y, arm = rng.normal(size=5000) + effect / 10, rng.integers(0, 2, 5000)
    found = qini(effect, y, arm, np.arange(5000), propensity=[0.5, 0.5], arm_code=1)
    area = np.trapezoid(found.curve_gain - found.curve_share * found.curve_gain[-1], found.curve_share)
    assert found.area == pytest.approx(area, abs=2e-3)
    assert found.curve_gain[-1] == pytest.approx(y[arm == 1].mean() - y[arm == 0].mean())


def test_qini_intervals_cover_the_truth_with_clusters():
    rng = np.random.default_rng(10)
    covered, random_ones = 0, []
    # An effect of 0.6 r for rank share r from below: the mean of (r - 1/2) 0.6 r is 0.05.
    for _ in range(400):
        cluster = np.repeat(np.arange(400), 2)
        kind = rng.random(400)[cluster]
        arm = rng.integers(0, 2, 400)[cluster]
        y = (np.repeat(rng.random(400), 2) < 0.2 + 0.6 * kind * arm).astype(float)
        found = qini(kind, y, arm, cluster, propensity=[0.5, 0.5], arm_code=1)
        covered += found.low <= 0.05 <= found.high
        random_ones.append(qini(rng.random(800), y, arm, cluster, propensity=[0.5, 0.5], arm_code=1))
    assert 0.90 < covered / 400 < 0.985
    assert 0.90 < np.mean([one.low <= 0 <= one.high for one in random_ones]) < 0.985


def test_equal_effects_for_everybody_have_no_area():
    rng = np.random.default_rng(11)
    y, arm = rng.normal(size=100), np.arange(100) % 2
    found = qini(np.ones(100), y, arm, np.arange(100), propensity=[0.5, 0.5], arm_code=1)
    assert found.area == pytest.approx(0, abs=1e-12)


def test_better_means_make_the_area_less_noisy_and_not_different():
    rng = np.random.default_rng(12)
    _, y, arm, cluster, truth = trial(rng, 20_000, 2, interaction=0.8)
    effect = truth[:, 1] - truth[:, 0]
    plain = qini(effect, y, arm, cluster, propensity=[0.5, 0.5], arm_code=1)
    better = qini(effect, y, arm, cluster, propensity=[0.5, 0.5], arm_code=1, mean=truth)
    assert better.std_error < plain.std_error
    assert abs(better.area - plain.area) < 3 * plain.std_error


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"effect": [1.0, np.nan, 2, 3]}, "Effects"),
        ({"effect": [1.0, 2]}, "Effects"),
        ({"arm": [0, 0, 0, 0]}, "empty"),
        ({"cluster": [1, 1, 1, 1]}, "cluster"),
        ({"y": [1.0, np.nan, 0, 1]}, "Outcomes"),
    ],
)
def test_rankings_that_do_not_fit_are_refused(changed, words):
    whole = {"effect": [1.0, 2, 3, 4], "y": [1.0, 0, 0, 1], "arm": [0, 1, 0, 1], "cluster": range(4)}
    with pytest.raises(DesignError, match=words):
        qini(**{**whole, **changed}, propensity=[0.5, 0.5], arm_code=1)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000))
def test_only_the_order_of_effects_matters_and_reversing_it_turns_the_sign(seed):
    rng = np.random.default_rng(seed)
    effect, y = rng.integers(0, 9, 60).astype(float), rng.normal(size=60)
    arm, cluster = np.arange(60) % 2, np.arange(60) // 3
    found = qini(effect, y, arm, cluster, propensity=[0.5, 0.5], arm_code=1)
    order = rng.permutation(60)
    moved = qini(
        np.exp(effect[order]), y[order] + 5, arm[order], -cluster[order], propensity=[0.5, 0.5], arm_code=1
    )
    assert (moved.area, moved.std_error) == (pytest.approx(found.area), pytest.approx(found.std_error))
    assert qini(-effect, y, arm, cluster, propensity=[0.5, 0.5], arm_code=1).area == pytest.approx(
        -found.area
    )


# Michigan 2006


@pytest.mark.skipif(not (DATA / "michigan-2006/voters.parquet").exists(), reason="michigan-2006 is not here")
def test_michigan_2006_ranks_people_for_the_neighbors_letter_better_than_chance():
    import pandas as pd

    voters = pd.read_parquet(DATA / "michigan-2006/voters.parquet")
    size = voters.hh_size.to_numpy()
    starts = np.flatnonzero(np.append(True, size[1:] != size[:-1]))
    run_start = np.repeat(starts, np.diff(np.append(starts, size.size)))
    household = np.cumsum((np.arange(size.size) - run_start) % size == 0) - 1
    kept = voters.treatment.isin(["No Postcard", "Neighbors"]).to_numpy()
    arm = (voters.treatment == "Neighbors").to_numpy()[kept].astype(int)
    columns = ["age", "primary_00", "general_00", "primary_02", "general_02", "primary_04", "hh_size"]
    x = np.column_stack([voters[columns].to_numpy(float), voters.age.to_numpy(float) ** 2])[kept]
    y, household = voters.primary_06.to_numpy(float)[kept], household[kept]
    folds = cluster_folds(household, 3, np.random.default_rng(1))
    found = fit_effects(x, y, arm, household, n_arms=2, folds=folds)
    share = np.bincount(arm) / arm.size
    ranked = qini(found.effect[:, 0], y, arm, household, propensity=share, arm_code=1)
    assert 35e-4 < ranked.area < 75e-4
    assert 13e-4 < ranked.area - ranked.low < 20e-4
    everybody = policy_value(aipw_scores(y, arm, found.mean, share), np.ones(y.size, dtype=int), household)
    assert everybody.per_person == pytest.approx(0.0813, abs=0.0015)
    assert everybody.std_error / y.size < 0.00335
