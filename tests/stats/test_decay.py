"""What is left of an effect: by hand, the published range, and by simulated truth."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom

from hustings.errors import DesignError
from hustings.stats.decay import PRIOR_DAYS, fit_half_life, remaining


def test_after_a_half_life_half_is_left_and_before_the_measurement_all():
    assert remaining([-3, 0, 5, 10], 5.0).tolist() == [1.0, 1.0, 0.5, 0.25]
    assert remaining(1000, np.inf) == 1.0


def test_the_prior_lets_half_to_three_quarters_be_gone_within_a_week():
    gone = 1 - remaining(7, PRIOR_DAYS)
    assert 0.5 < gone < 0.75


def test_exact_effects_give_the_half_life_back():
    found = fit_half_life([0, 3, 9], 4 * remaining([0, 3, 9], 6.0), [0.001] * 3)
    assert found.days == pytest.approx(6.0, rel=0.02)
    assert found.start == pytest.approx(4.0, rel=0.01)


def test_one_measurement_leaves_the_prior():
    found = fit_half_life([1.0], [0.02], [0.005])
    assert found.days == pytest.approx(PRIOR_DAYS, rel=0.05)
    assert found.low < 3
    assert found.high > 9


def test_effects_that_do_not_decay_have_no_upper_end_without_a_prior():
    found = fit_half_life([0, 7, 14], [0.05, 0.05, 0.05], [0.01] * 3, prior=None)
    assert found.high == np.inf


def test_intervals_hold_half_lives_drawn_from_the_prior():
    rng = np.random.default_rng(0)
    held = 0
    for _ in range(200):
        true = PRIOR_DAYS * np.exp(np.log(2) / 2 * rng.normal())
        days = np.array([1.0, 4.0, 10.0])
        seen = 0.06 * remaining(days, true) + 0.01 * rng.normal(size=3)
        found = fit_half_life(days, seen, np.full(3, 0.01))
        held += found.low <= true <= found.high
    assert binom.ppf(0.001, 200, 0.95) <= held


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (([0], [1.0], [0.0]), "do not fit"),
        (([-1], [1.0], [1.0]), "do not fit"),
        (([0, 1], [1.0], [1.0]), "do not fit"),
        (([], [], []), "do not fit"),
    ],
)
def test_measurements_that_do_not_fit_are_refused(given, words):
    with pytest.raises(DesignError, match=words):
        fit_half_life(*given)


def test_a_half_life_of_nothing_is_refused_and_one_day_shows_no_decay():
    with pytest.raises(DesignError, match="number of days"):
        remaining(1, 0.0)
    with pytest.raises(DesignError, match="One day"):
        fit_half_life([2, 2], [1.0, 1.0], [1.0, 1.0], prior=None)
