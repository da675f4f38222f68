"""Votes so far: by hand, and with coverage where turnout and timing both vary."""

from __future__ import annotations

import numpy as np
import pytest

from hustings.errors import DesignError
from hustings.stats.early_votes import project_votes


def logistic(score):
    return 1 / (1 + np.exp(-score))


def test_one_group_by_hand():
    # Half as many again as expected by now; log F has slope 1 - F = ½ in the log-odds of timing.
    found = project_votes(
        [750],
        [1000],
        [[0.5]],
        [0.5],
        turnout_error=0.1,
        group_error=1e-6,
        rng=np.random.default_rng(1),
        draws=40_000,
    )
    # One election: common and own timing have variances 2 · 0.4² and a quarter of it.
    timing = 0.25 * 2 * 0.16 * 1.25
    expected = np.log(750.5 / 500.5) * 0.1**2 / (0.1**2 + timing + 1 / 500.5)
    assert np.log(found.final).mean() == pytest.approx(np.log(1000) + expected, abs=0.003)
    assert found.by_now == pytest.approx([500])


def test_intervals_hold_the_final_turnout_and_the_naive_projection_is_far_worse():
    hits, ours, naive = [], [], []
    for seed in range(250):
        rng = np.random.default_rng(seed)
        odds = np.log(np.array([0.35, 0.3, 0.25]) / np.array([0.65, 0.7, 0.75]))
        earlier = logistic(odds + rng.normal(0, 0.3, (2, 1)) + rng.normal(0, 0.1, (2, 3)))
        now = logistic(odds + rng.normal(0, 0.3) + rng.normal(0, 0.1, 3))
        expected = np.array([4000, 3000, 5000.0])
        final = expected * np.exp(rng.normal(0, 0.08) + rng.normal(0, 0.05, 3))
        so_far = rng.poisson(final * now)
        found = project_votes(so_far, expected, earlier, [0.8, 0.5, 0.2], rng=rng, draws=1000)
        total = found.final.sum(1)
        low, high = np.quantile(total, (0.025, 0.975))
        hits.append(low <= final.sum() <= high)
        ours.append(np.log(total.mean() / final.sum()))
        naive.append(np.log((so_far / earlier.mean(0)).sum() / final.sum()))
    assert 0.9 < np.mean(hits) < 0.985
    assert np.std(ours) < 0.5 * np.std(naive)


def test_nobody_is_counted_out_who_has_voted():
    found = project_votes([990], [1000], [[0.5], [0.52]], [0.5], rng=np.random.default_rng(1))
    assert found.final.min() >= 990


def test_steady_timing_lets_votes_so_far_speak():
    rng = np.random.default_rng(1)
    steady = project_votes([600], [1000], np.full((12, 1), 0.5), [0.5], rng=rng).final.mean()
    erratic = project_votes([600], [1000], [[0.3], [0.7], [0.4], [0.6]], [0.5], rng=rng).final.mean()
    assert steady > erratic + 15


@pytest.mark.parametrize(
    ("so_far", "expected", "earlier", "support"),
    [
        ([-1], [10], [[0.5]], [0.5]),
        ([1], [0], [[0.5]], [0.5]),
        ([1], [10], [[1.5]], [0.5]),
        ([1], [10], [[0.5]], [np.nan]),
        ([1, 2], [10], [[0.5]], [0.5]),
        ([1], [10], np.empty((0, 1)), [0.5]),
        ([], [], np.empty((1, 0)), []),
    ],
)
def test_what_cannot_be_projected_is_refused(so_far, expected, earlier, support):
    with pytest.raises(DesignError):
        project_votes(so_far, expected, earlier, support, rng=np.random.default_rng(1))
