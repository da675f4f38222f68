"""The prior: least squares with its predictive error, leans, and how places move together."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from scipy.special import expit, logit

from hustings.errors import DesignError
from hustings.stats.fundamentals import Expected, believe, correlate, expect, expect_leans, level_of


def test_the_prediction_is_that_of_statsmodels_with_leverage():
    rng = np.random.default_rng(2)
    known = sm.add_constant(rng.normal(size=(15, 3)))
    outcome = known @ [0.1, 0.2, -0.1, 0.3] + 0.1 * rng.normal(size=15)
    now = np.array([1.0, 3.0, 0.0, -2.0])
    oracle = sm.OLS(outcome, known).fit().get_prediction(now)
    found = expect(known, outcome, now)
    assert found.value == pytest.approx(oracle.predicted_mean[0])
    assert found.error == pytest.approx(np.sqrt(oracle.var_pred_mean[0] + oracle.var_resid) * np.sqrt(11 / 9))


def test_far_from_what_was_seen_the_error_grows():
    known = np.column_stack([np.ones(9), np.arange(9.0)])
    outcome = np.array([0, 1, 2, 3, 4, 5, 6, 7, 9.0])
    assert expect(known, outcome, [1, 30]).error > 2 * expect(known, outcome, [1, 4]).error


@pytest.mark.parametrize(
    ("known", "now"), [(np.ones((4, 2)), [1, 1]), (np.ones((9, 2)), [1, 1]), (np.full((9, 1), np.nan), [1])]
)
def test_too_little_to_foretell_from_is_refused(known, now):
    with pytest.raises(DesignError):
        expect(known, np.arange(len(known), dtype=float), now)


def test_few_elections_leave_the_latest_lean():
    found = expect_leans([[0.2, -0.2], [0.3, -0.3]])
    assert found.mean.tolist() == [0.3, -0.3]
    assert found.error == pytest.approx(0.1)
    with pytest.raises(DesignError):
        expect_leans([[0.2, -0.2]])


def test_places_that_swung_together_are_correlated():
    rng = np.random.default_rng(5)
    group = np.repeat([0, 1, 2], 5)
    swings = rng.normal(size=(9, 3))[:, group] + 0.3 * rng.normal(size=(9, 15))
    found = correlate(swings)
    together = group[:, None] == group[None, :]
    off = ~np.eye(15, dtype=bool)
    assert found.matrix[together & off].mean() > 0.4
    # The mean swing is taken out, so groups that move apart are against each other.
    assert found.matrix[~together].mean() < 0
    assert found.of_swings > 0.3
    assert found.gain > 0
    np.testing.assert_allclose(np.diag(found.matrix), 1)
    assert np.linalg.eigvalsh(found.matrix).min() > 0
    regions = correlate(swings, regions=group)
    assert regions.of_regions > 0
    assert regions.gain >= found.gain


def test_swings_by_chance_are_not_believed():
    found = correlate(np.random.default_rng(3).normal(size=(8, 30)))
    assert found.of_swings <= 0.2
    assert correlate(np.zeros((0, 4))).matrix.tolist() == np.eye(4).tolist()


def test_likeness_in_features_counts_where_swings_bear_it_out():
    rng = np.random.default_rng(6)
    features = rng.normal(size=(40, 2))
    swings = rng.normal(size=(8, 2)) @ features.T + 0.2 * rng.normal(size=(8, 40))
    assert correlate(swings, features).of_features + correlate(swings, features).of_swings > 0.3
    with pytest.raises(DesignError):
        correlate(swings, features[:3])
    with pytest.raises(DesignError):
        correlate(swings, regions=np.zeros(3))


def test_places_add_up_to_what_is_expected_of_the_whole():
    rng = np.random.default_rng(7)
    shares, votes = expit(rng.normal(0, 0.7, (6, 12))), rng.uniform(1, 30, (6, 12))
    found = believe(shares, votes, Expected(float(logit(0.53)), 0.1, np.zeros(0), 9))
    assert expit(found.mean) @ votes[-1] / votes[-1].sum() == pytest.approx(0.53)
    np.testing.assert_allclose(np.diag(found.covariance), 0.01 + found.leans.error**2)
    assert level_of([5.0, -5.0], [1, 1], 0.9) > 0
    with pytest.raises(DesignError):
        believe(shares * 0, votes, Expected(0.0, 0.1, np.zeros(0), 9))


def test_one_place_by_itself_has_a_prior():
    found = believe([[0.5], [0.52], [0.48]], np.ones((3, 1)), Expected(0.2, 0.1, np.zeros(0), 9))
    assert found.mean[0] == pytest.approx(0.2)
    assert found.covariance[0, 0] == pytest.approx(0.01)
