"""How good a forecast was: against SciPy and statsmodels, by hand, with coverage."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import spearmanr

from hustings.errors import DesignError
from hustings.stats import rankings


def test_the_rank_correlation_is_that_of_scipy():
    rng = np.random.default_rng(1)
    x, y = rng.integers(0, 5, 200), rng.integers(0, 3, 200) * 100.0
    found = rankings.rank_correlation(x, y, np.arange(200), rng)
    assert found.estimate == pytest.approx(spearmanr(x, y).statistic)


def test_its_interval_holds_the_truth():
    """Of bivariate normals with correlation 0.5 Spearman's is 6 / pi · asin(1 / 4) = 0.4826; pairs are one cluster."""
    held = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        z = rng.standard_normal((2, 150))
        x, y = np.repeat(z[0], 2), np.repeat(0.5 * z[0] + np.sqrt(0.75) * z[1], 2)
        found = rankings.rank_correlation(x, y, np.arange(300) // 2, rng)
        held += found.low <= 0.4826 <= found.high
    assert held >= 88


def test_the_share_from_the_top_by_hand():
    rng = np.random.default_rng(3)
    assert rankings.top_share([4, 3, 2, 1], [6, 2, 1, 1], range(4), rng, top=0.5).estimate == pytest.approx(
        0.8
    )
    # Two share the border: half of each counts.
    assert rankings.top_share([2, 1, 1, 0], [4, 4, 2, 0], range(4), rng, top=0.5).estimate == pytest.approx(
        0.7
    )
    # A score that is the same for all takes its share of the people.
    assert rankings.top_share([1] * 4, [9, 0, 0, 1], range(4), rng, top=0.25).estimate == pytest.approx(0.25)


def test_a_loss_by_hand():
    assert rankings.log_losses([1, 0, 1], [0.5, 0.2, 0.0]) == pytest.approx(
        [np.log(2), -np.log(0.8), 27.631], rel=1e-4
    )


@pytest.mark.parametrize(
    "call",
    [
        lambda rng: rankings.rank_correlation([1, 1], [1, 2], range(2), rng),
        lambda rng: rankings.rank_correlation([1, np.nan], [1, 2], range(2), rng),
        lambda rng: rankings.rank_correlation([1, 2], [1, 2, 3], range(2), rng),
        lambda rng: rankings.top_share([1, 2], [0, 0], range(2), rng),
        lambda rng: rankings.top_share([1, 2], [-1, 3], range(2), rng),
        lambda rng: rankings.top_share([1, 2], [1, np.inf], range(2), rng),
    ],
)
def test_what_cannot_be_judged_is_refused(call):
    with pytest.raises(DesignError):
        call(np.random.default_rng(1))
