"""Logistic regression: by hand, against sklearn and statsmodels, and by simulated truth."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hustings.errors import DesignError
from hustings.stats.logistic import Logistic, fit_logistic, standardise


def draw(rng, n=600, slopes=(0.8, -0.5, 0.0)):
    from scipy.special import expit

    x = rng.normal(size=(n, len(slopes))) * [1, 3, 10] + [0, 5, -2]
    y = rng.random(n) < expit(-0.4 + ((x - [0, 5, -2]) / [1, 3, 10]) @ slopes)
    return x, y.astype(float)


def standard(x):
    return (x - x.mean(0)) / x.std(0)


# By hand


def test_a_fit_without_slopes_gives_the_rate():
    fit = fit_logistic(np.zeros((8, 1)), [1, 1, 0, 0, 0, 0, 0, 0], ridge=1.0)
    np.testing.assert_allclose(fit.predict([[0.0], [99.0]]), 0.25, atol=1e-7)


def test_one_binary_column_gives_both_rates():
    x = np.repeat([0.0, 1.0], [10, 20])[:, None]
    y = np.concatenate([np.arange(10) < 3, np.arange(20) < 14])
    np.testing.assert_allclose(fit_logistic(x, y, ridge=0.0).predict([[0], [1]]), [0.3, 0.7], atol=1e-6)


# Peers


def test_coefficients_equal_sklearn_with_the_same_ridge():
    from sklearn.linear_model import LogisticRegression

    x, y = draw(np.random.default_rng(1))
    peer = LogisticRegression(C=1 / 25, tol=1e-10, max_iter=1000).fit(standard(x), y)
    fit = fit_logistic(x, y, ridge=25.0)
    np.testing.assert_allclose(
        fit.coefficients, np.append(peer.intercept_, peer.coef_[0]), rtol=1e-4, atol=1e-5
    )
    np.testing.assert_allclose(fit.predict(x), peer.predict_proba(standard(x))[:, 1], atol=1e-5)


def test_coefficients_and_clustered_covariance_equal_statsmodels():
    import statsmodels.api as sm

    rng = np.random.default_rng(2)
    x, y = draw(rng)
    cluster = rng.integers(0, 90, 600)
    peer = sm.GLM(y, sm.add_constant(standard(x)), family=sm.families.Binomial()).fit(
        cov_type="cluster", cov_kwds={"groups": cluster, "use_correction": False}
    )
    fit = fit_logistic(x, y, ridge=0.0)
    np.testing.assert_allclose(fit.coefficients, peer.params, rtol=1e-6)
    n = np.unique(cluster).size
    np.testing.assert_allclose(
        fit.covariance(x, y, cluster), peer.cov_params() * n / (n - 1), rtol=1e-5, atol=1e-9
    )


def test_weights_count_people():
    x, y = draw(np.random.default_rng(3))
    weights = np.arange(600) % 3
    twice = np.repeat(np.arange(600), weights)
    centre = standardise(x)
    weighted = fit_logistic(x, y, ridge=2.0, weights=weights, centre=centre)
    repeated = fit_logistic(x[twice], y[twice], ridge=2.0, centre=centre)
    np.testing.assert_allclose(weighted.coefficients, repeated.coefficients, rtol=1e-6)


# Simulated truth


def test_errors_cover_the_true_coefficients_with_clusters():
    from scipy.special import expit

    rng = np.random.default_rng(4)
    covered = 0
    for _ in range(300):
        x = np.repeat(rng.choice([-1.0, 1.0], (200, 1)), 2, axis=0)
        y = np.repeat(rng.random(200), 2) < expit(0.3 + 0.5 * x[:, 0])
        fit = fit_logistic(x, y, ridge=0.0)
        error = np.sqrt(fit.covariance(x, y, np.repeat(np.arange(200), 2))[1, 1])
        covered += abs(fit.coefficients[1] * fit.scale[0] - 0.5) < 1.96 * error * fit.scale[0]
    assert 0.90 < covered / 300 < 0.985


def test_a_strong_ridge_pulls_all_the_way_to_the_centre_but_not_the_intercept():
    rng = np.random.default_rng(5)
    x, y = draw(rng, 4000)
    centre = fit_logistic(x, y, ridge=1.0)
    other, y_other = draw(rng, 400, slopes=(-1.0, 1.0, 1.0))
    pulled = fit_logistic(other, y_other, ridge=1e9, centre=centre)
    np.testing.assert_allclose(pulled.coefficients[1:], centre.coefficients[1:], atol=1e-5)
    assert pulled.predict(other).mean() == pytest.approx(y_other.mean(), abs=1e-6)
    free = fit_logistic(other, y_other, ridge=0.0, centre=centre)
    np.testing.assert_allclose(
        free.predict(other), fit_logistic(other, y_other, ridge=0.0).predict(other), atol=1e-5
    )


def test_missing_values_count_as_the_mean_with_an_indicator():
    rng = np.random.default_rng(6)
    x, y = draw(rng, 5000)
    gone = rng.random(5000) < 0.3
    y[gone] = rng.random(gone.sum()) < 0.9
    x[gone, 1] = np.nan
    fit = fit_logistic(x, y, ridge=1.0)
    assert fit.indicated.tolist() == [1]
    assert fit.predict(x)[gone].mean() == pytest.approx(0.9, abs=0.02)
    assert np.isfinite(fit.predict(np.full((3, 3), np.nan))).all()


# What must not blow up


@pytest.mark.parametrize("ridge", [0.0, 1.0])
def test_a_separating_column_and_a_constant_column_stay_finite(ridge):
    x = np.column_stack([np.arange(40.0), np.full(40, 7.7), np.full(40, np.nan), np.arange(40.0)])
    y = np.arange(40) > 19
    fit = fit_logistic(x, y, ridge=ridge)
    assert np.isfinite(fit.coefficients).all()
    assert np.abs(fit.coefficients).max() < 1e3
    assert fit.scale[1] == fit.scale[2] == 0
    assert np.isfinite(fit.covariance(x, y, np.arange(40))).all()
    assert ((fit.predict(x) > 0.5) == y).all()


def test_float32_columns_give_the_same_fit():
    x, y = draw(np.random.default_rng(7))
    np.testing.assert_allclose(
        fit_logistic(x.astype(np.float32), y, ridge=1.0).coefficients,
        fit_logistic(x, y, ridge=1.0).coefficients,
        atol=1e-4,
    )


def test_a_fit_comes_back_from_json_to_the_last_bit():
    x, y = draw(np.random.default_rng(8))
    x[:50, 0] = np.nan
    fit = fit_logistic(x, y, ridge=1.0)
    assert np.array_equal(Logistic.from_json(fit.to_json()).predict(x), fit.predict(x))


@pytest.mark.parametrize(
    ("x", "y", "settings"),
    [
        ([[1.0], [2]], [1, 1], {}),
        ([[1.0], [2]], [1], {}),
        ([[1.0], [2]], [0, 2], {}),
        ([[1.0], [2]], [0, np.nan], {}),
        ([1.0, 2], [0, 1], {}),
        ([[1.0], [np.inf]], [0, 1], {}),
        ([[1.0], [2]], [0, 1], {"ridge": -1.0}),
        ([[1.0], [2]], [0, 1], {"ridge": np.nan}),
        ([[1.0], [2]], [0, 1], {"weights": [1]}),
        ([[1.0], [2]], [0, 1], {"weights": [1, -1]}),
        ([[1.0], [2]], [0, 1], {"weights": [1, 0]}),
    ],
)
def test_inputs_that_do_not_fit_are_refused(x, y, settings):
    with pytest.raises(DesignError):
        fit_logistic(x, y, **{"ridge": 1.0, **settings})


def test_other_columns_than_fitted_and_a_single_cluster_are_refused():
    x, y = draw(np.random.default_rng(9))
    fit = fit_logistic(x, y, ridge=1.0)
    with pytest.raises(DesignError, match="columns"):
        fit.predict(x[:, :2])
    with pytest.raises(DesignError, match="cluster"):
        fit.covariance(x, y, np.zeros(600, dtype=int))
    assert fit.predict(x[:0]).size == 0


# Invariants


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.1, 100), st.floats(-50, 50))
def test_units_of_columns_and_order_of_rows_never_matter(seed, scale, shift):
    rng = np.random.default_rng(seed)
    x, y = draw(rng, 120)
    fit = fit_logistic(x, y, ridge=1.0)
    order = rng.permutation(120)
    moved = fit_logistic(x[order] * scale + shift, y[order], ridge=1.0)
    np.testing.assert_allclose(moved.coefficients, fit.coefficients, atol=1e-5)
