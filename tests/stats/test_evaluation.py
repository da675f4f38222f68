"""Rankings: by hand, against the other formula of the same area, and coverage."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom

from hustings.errors import DesignError
from hustings.stats.evaluation import evaluate_ranking
from hustings.stats.uplift import qini


def test_gains_and_areas_by_hand():
    found = evaluate_ranking([9, 8, 7, 6, 5, 4, 3, 2, 1, 0], [1.0] + [0.0] * 8 + [-1.0], range(10), cost=0.5)
    # The best tenth gains 1 of 10; nine tenths keep it; the last takes it back.
    assert [gain.value for gain in found.gains] == pytest.approx([0.1, 0.1, 0.1])
    assert [gain.value for gain in found.beyond] == pytest.approx([0.1, 0.1, 0.1])
    assert found.qini.value == pytest.approx(0.09)
    assert found.auuc.value == pytest.approx(0.09)
    assert [value.value for value in found.per_cost] == pytest.approx([2.0, 1.0, 0.4])


def test_the_area_equals_that_of_qini_on_the_same_readings():
    rng = np.random.default_rng(1)
    y, arm, effect = rng.random(400), rng.integers(0, 2, 400), rng.normal(size=400)
    mean = np.full((400, 2), 0.5)
    reading = np.where(arm == 1, 2 * (y - 0.5), -2 * (y - 0.5))
    found = evaluate_ranking(effect, reading, np.arange(400) // 2).qini
    other = qini(effect, y, arm, np.arange(400) // 2, propensity=[0.5, 0.5], arm_code=1, mean=mean)
    assert (found.value, found.std_error) == pytest.approx((other.area, other.std_error), rel=1e-4)


def test_without_a_cost_there_is_no_value_per_cost():
    found = evaluate_ranking([2.0, 1.0], [1.0, 0.0], [0, 1], bins=1)
    assert np.isnan(found.per_cost[0].value)


def test_predictions_that_are_right_are_calibrated_in_every_bin():
    rng = np.random.default_rng(2)
    inside = total = 0
    for _ in range(20):
        effect = rng.normal(size=2000)
        bins = evaluate_ranking(effect, effect + rng.normal(size=2000), np.arange(2000)).calibration
        inside += sum(told.low <= predicted <= told.high for predicted, told in bins)
        total += len(bins)
    assert inside >= binom.ppf(0.001, total, 0.95)


@pytest.mark.parametrize(
    ("given", "more", "words"),
    [
        (([1.0], [1.0, 2.0], [0]), {}, "do not fit"),
        (([1.0, np.nan], [1.0, 2.0], [0, 1]), {}, "do not fit"),
        (([1.0, 2.0], [1.0, 2.0], [0, 1]), {"cost": 0.0}, "cost"),
        (([1.0, 2.0], [1.0, 2.0], [0, 0]), {}, "No error"),
    ],
)
def test_rankings_that_do_not_fit_are_refused(given, more, words):
    with pytest.raises(DesignError, match=words):
        evaluate_ranking(*given, **more)
