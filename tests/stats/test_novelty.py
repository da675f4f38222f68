"""Decay over sends: by hand, by coverage, and where there is none."""

from __future__ import annotations

import numpy as np
import pytest

from hustings.errors import DesignError
from hustings.stats.novelty import fit_decay


def test_halving_by_hand():
    found = fit_decay([0, 1, 2, 3], [8.0, 4, 2, 1], [0.1] * 4)
    assert found.half_life == pytest.approx(1, abs=0.005)
    assert found.first == pytest.approx(8, abs=0.02)
    assert found.reason is None


def test_days_give_a_half_life_in_days():
    found = fit_decay([0, 7, 14], [8.0, 4, 2], [0.05] * 3)
    assert found.half_life == pytest.approx(7, abs=0.03)


def test_a_steady_effect_has_no_half_life():
    found = fit_decay(range(5), [2.0] * 5, [0.2] * 5)
    assert np.isnan(found.half_life)
    assert found.reason == "no decay is proven"
    assert found.low > 2
    assert np.isinf(found.high)


def test_no_effect_has_nothing_to_wear_off():
    found = fit_decay(range(4), [0.1, -0.2, 0.0, 0.1], [0.2] * 4)
    assert "no effect is proven" in found.reason


def test_one_send_is_no_series():
    assert "one send only" in fit_decay([3], [1.0], [0.1]).reason
    assert "one send only" in fit_decay([], [], []).reason


def test_a_growing_effect_does_not_decay():
    assert fit_decay(range(4), [1.0, 2, 4, 8], [0.1] * 4).reason == "no decay is proven"


def test_many_sends_do_not_overflow():
    assert fit_decay(range(500), 0.99 ** np.arange(500), [0.01] * 500).half_life == pytest.approx(69, abs=3)


def test_the_interval_covers_the_half_life_and_steady_effects_are_seldom_called_fading():
    rng = np.random.default_rng(2)
    covered, alarms = [], []
    for _ in range(400):
        fading = 3 * 0.5 ** (np.arange(5) / 1.5)
        found = fit_decay(range(5), fading + 0.3 * rng.standard_normal(5), [0.3] * 5)
        covered.append(found.low <= 1.5 <= found.high)
        alarms.append(fit_decay(range(5), 2 + 0.3 * rng.standard_normal(5), [0.3] * 5).reason is None)
    assert np.mean(covered) == pytest.approx(0.95, abs=0.025)
    assert np.mean(alarms) < 0.05


def test_errors_of_nothing_are_refused():
    with pytest.raises(DesignError):
        fit_decay([0, 1], [1.0, 2.0], [0.1, 0.0])
