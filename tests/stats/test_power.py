"""Power: by hand, against statsmodels and scipy, and by simulated trials."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hustings.errors import DesignError
from hustings.stats.power import design_effect, detectable_effect, intraclass_correlation


def test_a_thousand_a_side_at_one_half_sees_six_points():
    assert detectable_effect(1000, 1000, 0.5) == pytest.approx(2.801585 * 0.5 * np.sqrt(2 / 1000), rel=1e-6)


def test_the_design_effect_widens_by_its_root():
    plain = detectable_effect(1000, 500, 1.0)
    assert detectable_effect(1000, 500, 1.0, mean_size=3, intraclass=0.4) == pytest.approx(
        plain * np.sqrt(1.8)
    )


def test_a_negative_correlation_never_makes_a_trial_look_stronger():
    assert design_effect(5, -0.1) == 1


def test_power_equals_statsmodels():
    from statsmodels.stats.power import NormalIndPower

    peer = NormalIndPower().solve_power(nobs1=800, ratio=0.5, alpha=0.1, power=0.9)
    assert detectable_effect(800, 400, 1.0, alpha=0.1, power=0.9) == pytest.approx(peer, rel=1e-4)


def test_a_trial_of_that_effect_is_found_as_often_as_promised():
    rng = np.random.default_rng(1)
    n_clusters, size, rho = 100, 4, 0.3
    effect = detectable_effect(400, 400, 1.0, mean_size=size, intraclass=rho)
    shape = (2000, 2, n_clusters)
    means = rng.normal(size=shape) * np.sqrt(rho) + rng.normal(size=shape) * np.sqrt((1 - rho) / size)
    difference = means[:, 1].mean(1) + effect - means[:, 0].mean(1)
    error = np.sqrt(means.var(2, ddof=1).sum(1) / n_clusters)
    assert 0.76 < np.mean(np.abs(difference / error) > 1.96) < 0.835


@pytest.mark.parametrize(
    ("numbers", "settings"),
    [
        ((0, 10, 1.0), {}),
        ((10, 10, -1.0), {}),
        ((10, 10, np.nan), {}),
        ((10, 10, 1.0), {"power": 1.0}),
        ((10, 10, 1.0), {"alpha": 0.9}),
        ((10, 10, 1.0), {"mean_size": 0.5}),
        ((10, 10, 1.0), {"intraclass": 1.5}),
    ],
)
def test_numbers_out_of_range_are_refused(numbers, settings):
    with pytest.raises(DesignError):
        detectable_effect(*numbers, **settings)


@given(st.floats(2, 1e6), st.floats(2, 1e6), st.floats(1.1, 5))
def test_more_people_see_smaller_effects(n_control, n_arm, more):
    assert detectable_effect(n_control * more, n_arm, 1.0) < detectable_effect(n_control, n_arm, 1.0)
    assert detectable_effect(n_control, n_arm, 1.0) == pytest.approx(detectable_effect(n_arm, n_control, 1.0))


def test_intraclass_correlation_of_pairs_equals_hand_arithmetic():
    assert intraclass_correlation([1, 1, 0, 0, 1, 0], [0, 0, 1, 1, 2, 2]) == pytest.approx(0.5)
    assert intraclass_correlation([1, 0, 0, 1], [0, 0, 1, 1]) == pytest.approx(-1)
    assert intraclass_correlation([1, 1, 0, 0], [0, 0, 1, 1]) == pytest.approx(1)


def test_intraclass_correlation_of_equal_clusters_follows_the_f_of_scipy():
    from scipy.stats import f_oneway

    rng = np.random.default_rng(2)
    y = rng.normal(size=(12, 5)) + rng.normal(size=(12, 1))
    f = f_oneway(*y).statistic
    found = intraclass_correlation(y.ravel(), np.repeat(np.arange(12), 5))
    assert found == pytest.approx((f - 1) / (f - 1 + 5))


def test_intraclass_correlation_finds_the_simulated_one_with_unequal_clusters():
    rng = np.random.default_rng(3)
    cluster = np.repeat(np.arange(4000), rng.integers(1, 7, 4000))
    y = rng.normal(size=4000)[cluster] * np.sqrt(0.3) + rng.normal(size=cluster.size) * np.sqrt(0.7)
    y[rng.random(y.size) < 0.1] = np.nan
    assert intraclass_correlation(y, cluster) == pytest.approx(0.3, abs=0.05)
    assert intraclass_correlation(y, -7 * cluster) == pytest.approx(intraclass_correlation(y, cluster))


@pytest.mark.parametrize(
    ("y", "cluster"),
    [
        ([1, 0, 1], [0, 0, 0]),
        ([1, 0, 1], [0, 1, 2]),
        ([1, 1, 1, 1], [0, 0, 1, 1]),
        ([1, np.inf], [0, 0]),
        ([1], [0, 1]),
    ],
)
def test_a_correlation_that_cannot_be_measured_is_refused(y, cluster):
    with pytest.raises(DesignError):
        intraclass_correlation(y, cluster)
