"""How right expectations have been."""

from __future__ import annotations

import numpy as np
import pytest

from hustings.errors import DesignError
from hustings.stats.ledger import calibration_line, excess_error

# Colditz et al., JAMA 271 (1994): vaccinated with and without, control with and without tuberculosis, latitude.
BCG = [
    (4, 119, 11, 128, 44), (6, 300, 29, 274, 55), (3, 228, 11, 209, 42), (62, 13536, 248, 12619, 52),
    (33, 5036, 47, 5761, 13), (180, 1361, 372, 1079, 44), (8, 2537, 10, 619, 19), (505, 87886, 499, 87892, 13),
    (29, 7470, 45, 7232, 27), (17, 1699, 65, 1600, 42), (186, 50448, 141, 27197, 18), (5, 2493, 3, 2338, 33),
    (27, 16886, 29, 17825, 33),
]  # fmt: skip


def test_the_line_is_that_of_the_published_meta_regression():
    a, b, c, d, latitude = np.array(BCG, float).T
    log_ratio = np.log(a / (a + b)) - np.log(c / (c + d))
    error = np.sqrt(1 / a - 1 / (a + b) + 1 / c - 1 / (c + d))
    found = calibration_line(latitude, log_ratio, error)
    # Viechtbauer, J. Statistical Software 36 (2010), metafor's REML with one moderator: 0.2515, -0.0291, tau² 0.0764.
    assert found.intercept.estimate == pytest.approx(0.2515, abs=5e-4)
    assert found.slope.estimate == pytest.approx(-0.0291, abs=5e-5)
    assert found.spread**2 == pytest.approx(0.0764, abs=5e-4)


def test_intervals_of_the_slope_cover_the_truth():
    rng, inside = np.random.default_rng(1), 0
    for _ in range(400):
        k = 12
        predicted, error = rng.normal(2, 1, k), rng.uniform(0.5, 1.5, k)
        measured = 0.3 + 0.7 * predicted + 0.4 * rng.standard_normal(k) + error * rng.standard_normal(k)
        slope = calibration_line(predicted, measured, error).slope
        inside += slope.low <= 0.7 <= slope.high
    assert 0.93 < inside / 400 <= 0.99


def test_a_right_expectation_has_no_excess_and_a_wrong_one_its_square():
    rng = np.random.default_rng(2)
    inside = np.zeros(2)
    for _ in range(300):
        error, truth = rng.uniform(0.5, 1.0, 200), rng.normal(0, 1, 200)
        measured = truth + error * rng.standard_normal(200)
        right = excess_error(truth, measured, error)
        wrong = excess_error(truth + 0.5 * rng.standard_normal(200), measured, error)
        inside += [right.low < 0 < right.high, wrong.low < 0.25 < wrong.high]
    assert np.all((inside / 300 > 0.9) & (inside / 300 < 0.99))


def test_the_excess_by_precision_is_not_drowned_by_small_lists():
    rng = np.random.default_rng(4)
    error = np.where(np.arange(40) % 4 == 0, 6.0, 0.5)
    found: dict[bool, list[float]] = {True: [], False: []}
    for _ in range(400):
        truth = rng.normal(0, 1, 40)
        measured = truth + error * rng.standard_normal(40)
        for by in (True, False):
            found[by].append(
                excess_error(truth + 0.7 * rng.standard_normal(40), measured, error, by_precision=by).estimate
            )
    for by in (True, False):
        assert np.mean(found[by]) == pytest.approx(0.49, abs=4 * np.std(found[by]) / 20)
    assert np.std(found[True]) < np.std(found[False]) / 10


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (([1, 2], [1, 2], [1, 1]), "Too few"),
        (([1, 1, 1], [1, 2, 3], [1, 1, 1]), "the same"),
        (([1, 2, 3], [1, 2, 3], [1, 0, 1]), "above 0"),
        (([1, 2, np.nan], [1, 2, 3], [1, 1, 1]), "finite"),
    ],
)
def test_what_cannot_be_fitted_is_refused(given, message):
    with pytest.raises(DesignError, match=message):
        calibration_line(*given)
