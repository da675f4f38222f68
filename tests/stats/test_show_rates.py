"""Show rates: shrunk, and honest about the day."""

from __future__ import annotations

import numpy as np
import pytest

from hustings.errors import DesignError
from hustings.stats.show_rates import expected_shows, show_rates


def test_a_region_with_little_past_is_drawn_to_all_and_one_with_much_is_not():
    came = [1, 450, 300, 290]
    found = show_rates(came, [1, 500, 600, 580], [0, 1, 2, 3], 5)
    assert 0.5 < found.rate[0] < 0.95
    assert found.rate[1] == pytest.approx(0.9, abs=0.03)
    assert found.rate[4] == pytest.approx(sum(came) / 1681, abs=0.02)
    low, high = found.interval()
    assert (low < found.rate).all()
    assert (found.rate < high).all()
    assert high[0] - low[0] > high[1] - low[1]


def test_more_came_than_promised_counts_as_all():
    assert show_rates([12, 12], [10, 10], [0, 0], 1).rate[0] <= 1


@pytest.mark.parametrize("together", [1.0, 4.0])
def test_forecasts_hold_the_truth_as_often_as_they_say(together):
    rng = np.random.default_rng(5)
    held = []
    for _ in range(150):
        rate = rng.beta(30, 20, 12)
        region = np.repeat(np.arange(12), 15)
        promised = rng.integers(8, 25, region.size)
        p = rng.beta(*(rate[region] * k for k in (1e6,)), (1 - rate[region]) * 1e6) if together == 1 else None
        if together > 1:
            strength = (promised - 1) / (together - 1) - 1 + 1e-9
            strength = np.maximum(strength, 0.5)
            p = rng.beta(rate[region] * strength, (1 - rate[region]) * strength)
        came = rng.binomial(promised, p)
        found = show_rates(came, promised, region, 12)
        total = np.full(12, 60)
        # Four shifts of 15 in each region.
        q = (
            np.tile(rate, (4, 1))
            if together == 1
            else rng.beta(*(np.tile(r, (4, 1)) * (14 / (together - 1) - 1) for r in (rate, 1 - rate)))
        )
        truth = rng.binomial(15, q).sum(axis=0)
        will = expected_shows(found, total, np.arange(12))
        held.append(np.mean((will.low <= truth) & (truth <= will.high)))
    assert 0.92 < np.mean(held) < 0.985


@pytest.mark.parametrize(
    ("came", "promised"), [([np.nan], [1]), ([1], [-1]), ([1, 2], [1]), ([0], [0]), ([], [])]
)
def test_what_tells_nothing_is_refused(came, promised):
    with pytest.raises(DesignError):
        show_rates(came, promised, [0] * len(came), 1)
