"""Predicted effects pulled to what outcomes bear out."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm

from hustings.errors import DesignError
from hustings.stats.shrinkage import fit_shrinkage


def test_the_slope_and_its_error_are_those_of_a_clustered_regression():
    rng = np.random.default_rng(0)
    tau, cluster = rng.standard_normal(300), np.repeat(np.arange(100), 3)
    gamma = 0.4 * tau + rng.standard_normal(300) + np.repeat(rng.standard_normal(100), 3)
    found = fit_shrinkage(tau, gamma, cluster)
    peer = sm.OLS(gamma, sm.add_constant(tau)).fit(
        cov_type="cluster", cov_kwds={"groups": cluster}, use_t=True
    )
    assert found.slope == pytest.approx(peer.params[1])
    # statsmodels also multiplies by (n - 1) / (n - 2).
    assert found.slope_error == pytest.approx(peer.bse[1] * np.sqrt(298 / 299), rel=1e-6)


def test_noise_is_shrunk_and_truth_is_kept():
    rng = np.random.default_rng(1)
    true = 0.05 * rng.standard_normal(20_000)
    gamma = true + 0.5 * rng.standard_normal(20_000)
    noise = fit_shrinkage(0.05 * rng.standard_normal(20_000), gamma, np.arange(20_000))
    kept = fit_shrinkage(true, gamma, np.arange(20_000))
    assert noise.shrunk < 0.15
    assert kept.shrunk > 0.85


def test_equal_predictions_become_the_mean_effect():
    found = fit_shrinkage(np.full(4, 0.3), [0.0, 1.0, 0.0, 1.0], range(4))
    assert found.shrunk == 0.0
    assert found.apply([0.3]).tolist() == [0.5]


def test_shrinking_brings_predictions_nearer_to_the_truth():
    rng = np.random.default_rng(3)
    better = 0
    for _ in range(100):
        true = 0.03 * rng.standard_normal(3_000)
        noisy = true + 0.05 * rng.standard_normal(3_000)
        gamma = true + 0.4 * rng.standard_normal(3_000)
        shrunk = fit_shrinkage(noisy, gamma, np.arange(3_000)).apply(noisy)
        better += np.mean((shrunk - true) ** 2) < np.mean((noisy - true) ** 2)
    assert better >= 95


@pytest.mark.parametrize("wrong", [([], []), ([1.0], [1.0, 2.0]), ([np.nan, 1.0], [1.0, 2.0])])
def test_what_does_not_fit_is_refused(wrong):
    with pytest.raises(DesignError):
        fit_shrinkage(*wrong, range(len(wrong[0])))
