"""Missing outcomes: found out where they differ by arm, and what they leave uncertain."""

from __future__ import annotations

import numpy as np
import pytest

from hustings.errors import DesignError
from hustings.stats.attrition import attrition, lee_bounds
from hustings.stats.means import difference_in_means


def survey(rng, n=1_000, answer=(0.6, 0.6), effect=0.2):
    """Households of two; whoever is keener answers more readily."""
    home = np.repeat(np.arange(n // 2), 2)
    arm = rng.permutation(np.arange(n // 2) % 2)[home]
    keen = rng.normal(size=n // 2)[home] + rng.normal(size=n)
    y = 0.5 * keen + effect * arm + rng.normal(size=n)
    chance = np.array(answer)[arm]
    threshold = np.quantile(keen, 1 - np.array(answer))
    y[keen < threshold[arm]] = np.nan
    return y, arm, home, chance


def test_equal_attrition_is_rarely_called_different():
    rng = np.random.default_rng(1)
    p = [attrition(*survey(rng, n=400)[:3], n_arms=2).p_any for _ in range(400)]
    assert 0.02 <= np.mean(np.array(p) < 0.05) <= 0.09


def test_differential_attrition_is_found():
    found = attrition(*survey(np.random.default_rng(2), answer=(0.7, 0.55))[:3], n_arms=2)
    assert found.p_any < 0.001
    assert found.difference[1] == pytest.approx(0.15, abs=0.04)
    assert np.isnan(found.difference[0])


def test_nothing_missing_has_no_p_value():
    found = attrition([1.0, 0, 1, 0], [0, 0, 1, 1], range(4), n_arms=2)
    assert np.isnan(found.p_any)
    assert found.share_missing.tolist() == [0, 0]


def test_bounds_of_ten_outcomes_by_hand():
    # Control has 4 of 5 outcomes, the arm 2 of 5: control is trimmed to its lowest, or highest, half.
    y = [1.0, 2, 3, 4, np.nan, 2, 4, np.nan, np.nan, np.nan]
    found = lee_bounds(y, [0] * 5 + [1] * 5, range(10))
    assert (found.low, found.high) == (pytest.approx(3 - 3.5), pytest.approx(3 - 1.5))
    assert found.low_end < found.low < found.high < found.high_end


def test_without_differential_attrition_both_bounds_are_the_difference():
    rng = np.random.default_rng(3)
    arm, y = np.arange(400) % 2, rng.normal(size=400)
    found, plain = lee_bounds(y, arm, np.arange(400)), difference_in_means(y, arm, np.arange(400), n_arms=2)
    assert found.low == pytest.approx(plain.estimate[0])
    assert found.high == pytest.approx(plain.estimate[0])


def test_the_ends_hold_the_effect_on_those_who_always_answer():
    rng, held, wrong = np.random.default_rng(4), 0, 0
    for _ in range(300):
        y, arm, home, _ = survey(rng, answer=(0.7, 0.55))
        found = lee_bounds(y, arm, home)
        held += found.low_end <= 0.2 <= found.high_end
        plain = difference_in_means(y, arm, home, n_arms=2)
        wrong += not plain.low[0] <= 0.2 <= plain.high[0]
    assert held / 300 > 0.93
    assert wrong > 60


def test_the_errors_of_bounds_are_those_of_repeated_trials():
    rng = np.random.default_rng(5)
    found = [lee_bounds(*survey(rng, answer=(0.7, 0.55))[:3]) for _ in range(300)]
    spread = np.std([bounds.low for bounds in found])
    told = np.mean([(bounds.low - bounds.low_end) / 1.645 for bounds in found])
    assert told == pytest.approx(spread, rel=0.15)


def test_an_arm_without_outcomes_has_no_bounds():
    found = lee_bounds([1.0, 0, np.nan, np.nan], [0, 0, 1, 1], range(4))
    assert found.reason == "an arm has nobody with the outcome"
    with pytest.raises(DesignError):
        lee_bounds([1.0, 0], [0], range(2))
