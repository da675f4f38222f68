"""Amounts: against scikit-learn, by hand, and their totals."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hustings.errors import DesignError
from hustings.stats.amounts import bin_means, deviance, fit_level, fit_log_amounts, smearing
from hustings.stats.trees import fit_boosted


def test_the_deviance_is_scikit_learns():
    metrics = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(0)
    y = np.where(rng.random(400) < 0.7, 0.0, rng.lognormal(8, 1, 400))
    m = rng.lognormal(7, 0.5, 400)
    ours = deviance(y, m).mean()
    assert ours == pytest.approx(metrics.mean_tweedie_deviance(y, m, power=1.5))


@given(st.floats(0.01, 100), st.floats(1.1, 1.9))
def test_the_deviance_is_smallest_at_the_mean(scale, power):
    y = scale * np.array([0.0, 0.0, 1.0, 5.0])
    losses = [deviance(y, np.full(4, f * y.mean()), power=power).mean() for f in (0.9, 1.0, 1.1)]
    assert losses[1] == min(losses)


def test_the_ridge_of_log_amounts_is_scikit_learns():
    linear = pytest.importorskip("sklearn.linear_model")
    rng = np.random.default_rng(1)
    x = rng.standard_normal((300, 3))
    amount = np.exp(4 + x @ [0.5, 0, -0.2] + rng.standard_normal(300))
    z = (x - x.mean(0)) / x.std(0)
    theirs = linear.Ridge(alpha=5.0).fit(z, np.log(amount)).predict(z)
    assert fit_log_amounts(x, amount, ridge=5.0).predict(x) == pytest.approx(theirs, abs=1e-6)


def test_smearing_gives_the_lognormal_mean():
    rng = np.random.default_rng(2)
    mu = rng.uniform(1, 3, 200_000)
    assert smearing(np.exp(mu + 0.8 * rng.standard_normal(mu.size)), mu) == pytest.approx(
        np.exp(0.32), rel=0.01
    )


def test_after_levelling_the_totals_are_equal_and_the_slope_is_found():
    rng = np.random.default_rng(3)
    m = rng.lognormal(2, 1, 50_000)
    y = np.where(rng.random(m.size) < 0.3, rng.gamma(2, m**0.7), 0.0)
    found = fit_level(y, m)
    assert found.apply(m).sum() == pytest.approx(y.sum(), rel=1e-6)
    assert found.slope == pytest.approx(0.7, abs=0.03)


def test_levelling_is_a_poisson_regression():
    sm = pytest.importorskip("statsmodels.api")
    rng = np.random.default_rng(4)
    m = rng.lognormal(1, 0.6, 500)
    y = rng.poisson(1.3 * m**0.8).astype(float)
    theirs = sm.GLM(y, sm.add_constant(np.log(m)), family=sm.families.Poisson()).fit().params
    found = fit_level(y, m)
    assert [found.intercept, found.slope] == pytest.approx(theirs, abs=1e-5)


def test_an_order_that_is_wrong_is_flattened_and_never_turned_round():
    m = np.array([1.0, 1.0, 9.0, 9.0])
    found = fit_level([8.0, 8.0, 2.0, 2.0], m)
    assert found.slope == 0
    assert found.apply(m) == pytest.approx([5.0] * 4)


def test_trees_learn_a_number():
    rng = np.random.default_rng(5)
    x = rng.random((2000, 2))
    y = 3 * (x[:, 0] > 0.5) + 0.1 * rng.standard_normal(2000)
    found = fit_boosted(x, y, rng=rng, objective="regression", max_trees=100)
    assert np.sqrt(((found.predict(x) - y) ** 2).mean()) < 0.2
    with pytest.raises(DesignError, match="Numbers do not fit"):
        fit_boosted(x, np.where(y > 3, np.inf, y), rng=rng, objective="regression")


def test_people_without_the_rules_number_are_a_bin_of_their_own():
    y, by = np.repeat([0.0, 100.0], 500), np.repeat([np.nan, 5.0], 500)
    low, high = bin_means(y, by, [np.nan, 5.0])
    assert low == pytest.approx(10 * 50 / 510)
    assert high == pytest.approx((500 * 100 + 10 * 50) / 510)


@pytest.mark.parametrize("wrong", [[1.0, np.inf], [1.0, np.nan]])
def test_infinite_and_missing_amounts_are_refused_with_their_number(wrong):
    for use in (lambda: fit_level(wrong, [1.0, 1.0]), lambda: smearing(wrong, [0.0, 0.0]),
                lambda: deviance(wrong, [1.0, 1.0]), lambda: fit_log_amounts([[1.0], [2.0]], wrong, ridge=1.0)):  # fmt: skip
        with pytest.raises(DesignError, match="1 of 2 missing or infinite"):
            use()


def test_amounts_below_nought_and_nothing_at_all_are_refused():
    with pytest.raises(DesignError, match="below nought"):
        fit_level([-1.0], [1.0])
    with pytest.raises(DesignError, match="Every amount is nought"):
        fit_level([0.0], [1.0])
    with pytest.raises(DesignError, match="above nought"):
        smearing([0.0], [0.0])
    with pytest.raises(DesignError, match="power"):
        deviance([1.0], [1.0], power=2.0)
