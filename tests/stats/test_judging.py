"""Lines, groups and gains of a score: against statsmodels and scikit-learn, by hand, and by coverage."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit, logit

from hustings.errors import DesignError
from hustings.stats.judging import (
    SMALLEST,
    calibration_line,
    cumulative_gain,
    judge_groups,
    mean_interval,
)


def test_the_line_is_that_of_statsmodels():
    sm = pytest.importorskip("statsmodels.api")
    rng = np.random.default_rng(0)
    p = rng.uniform(0.05, 0.9, 3000)
    home = np.arange(3000) // 2
    y = (rng.random(3000) < expit(0.3 + 0.8 * logit(p))).astype(float)
    theirs = sm.Logit(y, sm.add_constant(logit(p))).fit(disp=0, cov_type="cluster", cov_kwds={"groups": home})
    ours = calibration_line(y, p, home)
    assert [ours.intercept.estimate, ours.slope.estimate] == pytest.approx(theirs.params, abs=1e-5)
    assert [ours.intercept.std_error, ours.slope.std_error] == pytest.approx(theirs.bse, rel=2e-3)


def test_a_calibrated_score_has_slope_one_in_its_interval():
    rng = np.random.default_rng(1)
    hits = 0
    for _ in range(200):
        p = rng.uniform(0.1, 0.9, 600)
        line = calibration_line((rng.random(600) < p).astype(float), p, np.arange(600))
        hits += line.slope.low < 1 < line.slope.high
    assert 180 <= hits <= 199


def test_the_gain_by_hand():
    found = cumulative_gain([1, 0, 1, 0, 0, 0, 0, 0, 0, 0], np.arange(10)[::-1], range(10), depths=(0.1, 0.3))
    assert found.gain.tolist() == [0.5, 1.0]


def test_equal_scores_are_taken_in_part_whatever_the_order():
    y = np.array([1.0, 0, 0, 1, 1, 0, 0, 0])
    s = np.array([2.0, 1, 1, 1, 1, 0, 0, 0])
    found = cumulative_gain(y, s, range(8), depths=(0.25,)).gain[0]
    assert found == pytest.approx((1 + 2 / 4) / 3)
    order = np.random.default_rng(2).permutation(8)
    assert cumulative_gain(y[order], s[order], range(8), depths=(0.25,)).gain[0] == pytest.approx(found)


def test_the_gains_intervals_hold_the_truth():
    rng = np.random.default_rng(3)
    depth = (0.1, 0.3, 0.6)
    big = rng.beta(1, 3, 2_000_000)
    truth = [np.sort(big)[::-1][: int(d * big.size)].sum() / big.sum() for d in depth]
    inside = np.zeros(3)
    for _ in range(300):
        p = np.repeat(rng.beta(1, 3, 600), 2)
        # Two of a household do it together: half as many independent people as rows.
        y = np.repeat((rng.random(600) < p[::2]).astype(float), 2)
        found = cumulative_gain(y, p, np.arange(1200) // 2, depths=depth)
        inside += (found.low < truth) & (truth < found.high)
    assert np.all((inside / 300 > 0.92) & (inside / 300 < 0.98))


def test_groups_by_hand_and_a_small_one_is_not_judged():
    y = np.r_[np.ones(50), np.zeros(50), 1.0]
    p = np.r_[np.full(100, 0.4), 0.9]
    large, small = judge_groups(y, p, np.abs(y - p), np.r_[np.zeros(100, int), 1], np.arange(101), n_groups=2)
    assert (large.n, large.observed, large.predicted) == (100, 0.5, pytest.approx(0.4))
    assert large.gap.estimate == pytest.approx(0.1)
    assert large.gap.std_error == pytest.approx(0.5 / np.sqrt(99), rel=1e-6)
    assert large.auc == 0.5
    assert small.n == 1 < SMALLEST
    assert np.isnan(small.gap.estimate)


def test_the_auc_of_a_group_is_scikit_learns():
    metrics = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(4)
    p = rng.random(500)
    y = (rng.random(500) < p).astype(float)
    found = judge_groups(y, p, p, np.zeros(500, int), np.arange(500), n_groups=1)[0]
    assert found.auc == pytest.approx(metrics.roc_auc_score(y, p))


def test_what_cannot_be_judged_is_refused():
    with pytest.raises(DesignError, match="nothing to find"):
        cumulative_gain([0, 0], [0.1, 0.2], range(2))
    with pytest.raises(DesignError, match="depth"):
        cumulative_gain([0, 1], [0.1, 0.2], range(2), depths=(1.0,))
    with pytest.raises(DesignError, match="same for everybody"):
        calibration_line([0, 1], [0.5, 0.5], range(2))
    with pytest.raises(DesignError, match="1 cluster"):
        mean_interval([1.0, 2.0], [0, 0])
    with pytest.raises(DesignError, match="finite"):
        mean_interval([1.0, np.inf], [0, 1])
    with pytest.raises(DesignError, match="Groups do not fit"):
        judge_groups([1.0], [0.5], [0.1], [0, 0], [0], n_groups=1)


def test_a_mean_with_its_error_is_that_of_statsmodels():
    import statsmodels.api as sm

    rng = np.random.default_rng(2)
    cluster = rng.integers(0, 40, 200)
    values = rng.standard_normal(200) + rng.standard_normal(40)[cluster]
    theirs = sm.OLS(values, np.ones(200)).fit(cov_type="cluster", cov_kwds={"groups": cluster})
    found = mean_interval(values, cluster)
    assert found.std_error == pytest.approx(theirs.bse[0], rel=1e-9)
    assert found.estimate == pytest.approx(values.mean())
