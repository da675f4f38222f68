"""Probabilities of response: by hand in the limit, covering a simulated truth, wide where nothing was tried."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit

from hustings.errors import DesignError
from hustings.stats.affinity import fan_lift, fit_affinity, shrink_amounts


def drawn(seed, audiences=16, items=8, sends=300, spreads=(0.4, 0.4, 0.25), slope=0.5):
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(1, audiences, items))
    a, g, d = spreads
    eta = -3.0 + a * rng.normal(size=(audiences, 1)) + g * rng.normal(size=(1, items)) + slope * z[0]
    p = expit(eta + d * rng.normal(size=(audiences, items)))
    n = rng.poisson(2 * sends * rng.random((audiences, items)))
    n[rng.random(n.shape) < 0.2] = 0
    n[:, -1] = 0  # an item that nobody has met
    return p, n, rng.binomial(n, p), z


def test_intervals_hold_the_truth_of_pairs_tried_untried_and_of_new_items():
    hits = {"tried": [], "untried": [], "new": []}
    for seed in range(40):
        p, n, y, z = drawn(seed)
        found = fit_affinity(n, y, z)
        inside = (found.low <= p) & (p <= found.high)
        hits["tried"].append(inside[:, :-1][n[:, :-1] > 0].mean())
        hits["untried"].append(inside[:, :-1][n[:, :-1] == 0].mean())
        hits["new"].append(inside[:, -1].mean())
    assert 0.92 < np.mean(hits["tried"]) < 0.97
    assert 0.90 < np.mean(hits["untried"]) < 0.98
    assert 0.85 < np.mean(hits["new"]) < 0.99


def test_spreads_and_slopes_are_found_again():
    found = [fit_affinity(*drawn(seed, 30, 20, 500)[1:]) for seed in range(10)]
    assert np.mean([f.spread_audiences for f in found]) == pytest.approx(0.4, abs=0.06)
    assert np.mean([f.spread_items for f in found]) == pytest.approx(0.4, abs=0.08)
    assert np.mean([f.spread_pairs for f in found]) == pytest.approx(0.25, abs=0.04)
    assert np.mean([f.slopes[0] for f in found]) == pytest.approx(0.5, abs=0.04)


def test_many_sends_leave_the_share_that_was_seen():
    n = np.full((2, 2), 1_000_000)
    y = np.array([[10_000, 20_000], [30_000, 15_000]])
    found = fit_affinity(n, y)
    assert found.probability == pytest.approx(y / n, rel=0.01)
    half = 1.96 * np.sqrt(y / n * (1 - y / n) / n)
    assert (found.high - found.low) / 2 == pytest.approx(half, rel=0.05)


def test_shrunk_probabilities_are_nearer_the_truth_than_shares():
    raw, own = [], []
    for seed in range(10):
        p, n, y, z = drawn(seed, sends=60)
        seen = n > 0
        raw.append(((y[seen] / n[seen] - p[seen]) ** 2).mean())
        own.append(((fit_affinity(n, y, z).probability[seen] - p[seen]) ** 2).mean())
    assert np.mean(own) < 0.5 * np.mean(raw)


def test_an_item_nobody_has_met_is_told_widely_and_from_its_fans():
    p, n, y, z = drawn(1, audiences=30, sends=2000, slope=0.8)
    found = fit_affinity(n, y, z)
    width = np.log(found.high / found.low)
    assert width[:, -1].min() > 2 * np.median(width[:, :-1][n[:, :-1] > 0])
    assert np.corrcoef(found.log_odds[:, -1], np.log(p[:, -1]))[0, 1] > 0.7


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000))
def test_a_probability_is_one_and_lies_in_its_interval(seed):
    rng = np.random.default_rng(seed)
    n = rng.integers(0, 5, (3, 2))
    y = rng.binomial(n, 0.5)
    if not y.any():
        return
    found = fit_affinity(n, y)
    for low, value, high in zip(found.low.flat, found.probability.flat, found.high.flat, strict=True):
        assert 0 < low < value < high < 1


def test_all_pairs_alike_are_told_alike():
    found = fit_affinity(np.full((4, 3), 500), np.full((4, 3), 25))
    assert np.ptp(found.probability) < 1e-6
    assert found.probability[0, 0] == pytest.approx(0.05, rel=0.05)


@pytest.mark.parametrize(
    ("n", "y", "words"),
    [
        ([[1.0, np.nan]], [[1.0, 0.0]], "missing, negative"),
        ([[1.0]], [[2.0]], "more responses than sends"),
        ([[5.0]], [[0.0]], "Nobody responded"),
        ([[1.0]], [[1.0, 1.0]], "do not fit"),
        (np.empty((0, 2)), np.empty((0, 2)), "do not fit"),
    ],
)
def test_counts_that_cannot_be_are_refused(n, y, words):
    with pytest.raises(DesignError, match=words):
        fit_affinity(n, y)


def test_amounts_are_drawn_to_the_mean_of_all_by_hand():
    # Two pairs of 2 gifts each, means 10 and 30, within-variance 2 (squares 202 and 1,802).
    found = shrink_amounts([[20.0, 60.0]], [[202.0, 1802.0]], [[2.0, 2.0]])
    # Within 2 on 2 degrees of freedom; between (2 × 100 × 2 - 2) / (4 - 8 / 4) = 199; kept 398 / 400.
    assert found.mean[0] == pytest.approx([20 - 10 * 398 / 400, 20 + 10 * 398 / 400])
    assert np.isnan(shrink_amounts([[0.0]], [[0.0]], [[0.0]]).mean).all()


def test_one_amount_a_pair_is_never_certain_and_pairs_are_told_apart_by_more():
    found = shrink_amounts([[10.0, 30.0]], [[100.0, 900.0]], [[1.0, 1.0]])
    # Variance 200 of the two, all of it taken to be within: the mean of both, with its error.
    assert found.mean[0] == pytest.approx([20, 20])
    assert found.std_error[0] == pytest.approx([10, 10])
    assert shrink_amounts([[10.0]], [[100.0]], [[1.0]]).std_error[0] == pytest.approx([10])


def test_intervals_of_shrunk_amounts_hold_the_truth_of_pairs_that_differ():
    rng = np.random.default_rng(5)
    inside = []
    for _ in range(400):
        truth = 100 + 10 * rng.standard_normal(30)
        n = rng.integers(1, 9, 30)
        gave = [mean + 20 * rng.standard_normal(k) for mean, k in zip(truth, n, strict=True)]
        total, squares = ([np.array([(g**k).sum() for g in gave])] for k in (1, 2))
        found = shrink_amounts(total, squares, [n])
        inside.append(np.abs(found.mean[0] - truth) < 1.96 * found.std_error[0])
    assert 0.93 < np.mean(inside) < 0.98


def test_fans_like_everyone_say_nothing_and_few_fans_say_little():
    assert fan_lift([0.5, 0.5], [0.5, 0.5]) == pytest.approx([0, 0])
    few, many = (abs(fan_lift([0.9, 0.1], [0.5, 0.5], asked=n)[0]) for n in (5, 500))
    assert few < 0.5 * many
    assert fan_lift([np.nan, 0.4], [0.5, 0.5])[0] == 0
    with pytest.raises(DesignError, match="Shares of an item's fans"):
        fan_lift([1.2, -0.2], [0.5, 0.5])
