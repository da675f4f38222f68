"""Response curves from tests of places: recovery with coverage, no effect, straight lines, what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from hustings.errors import DesignError
from hustings.stats.geo_design import deal, parallel, switchback
from hustings.stats.geo_readings import stock
from hustings.stats.response_fit import Belief, Trial, effect_of_dose, fit_response, mean_curve

HISTORY, WEEKS = 10, 8
DOSES = [0.0, 1.0, 2.0, 4.0]


def noise(places, rng, correlation=0.5, sd=0.004):
    found = rng.standard_normal((places, HISTORY + WEEKS)) * sd
    for week in range(1, HISTORY + WEEKS):
        found[:, week] += correlation * found[:, week - 1]
    return found + rng.normal(0.5, 0.05, (places, 1)) + np.cumsum(rng.normal(0, 0.005, HISTORY + WEEKS))


def dosed(places, rng, rows=None):
    rows = parallel(DOSES, WEEKS) if rows is None else rows
    dealt = deal(rows, np.zeros(places, int), rng).sequence
    return np.concatenate([np.zeros((places, HISTORY)), rows[dealt]], axis=1)


def drawn(run, places=16, rows=None):
    """A truth from the prior, and what a test shows of it."""
    rng = np.random.default_rng(run)
    dose = dosed(places, rng, rows)
    life = np.exp(rng.normal(np.log(0.75), 0.8))
    effect, scale = rng.normal(0, 0.05), 4 * 2 ** rng.uniform(-3, 3)
    y = noise(places, rng) + effect * -np.expm1(-stock(dose, life) / scale)
    return rng, Trial(y, dose), (effect, scale, life)


def test_what_is_tested_is_covered_and_so_is_what_is_not():
    runs = 80
    inside = np.zeros(3)
    for run in range(runs):
        rng, trial, (effect, scale, life) = drawn(run)
        found = fit_response([trial], rng, belief=Belief(no_effect=0.0), kind="exponential")
        top = effect_of_dose(found.draws, [4.0], 4.0)[:, 0]
        for i, (draws, truth) in enumerate(
            [(top, -effect * np.expm1(-4 / scale)), (found.draws[:, 0], effect), (found.draws[:, 3], life)]
        ):
            low, high = np.quantile(draws, [0.025, 0.975])
            inside[i] += low <= truth <= high
    assert (inside / runs >= 0.95 - 3.3 * np.sqrt(0.95 * 0.05 / runs)).all(), inside / runs


def test_no_effect_is_an_answer():
    told = []
    for run in range(20):
        rng = np.random.default_rng(run)
        told.append(fit_response([Trial(noise(16, rng), dosed(16, rng))], rng).probability["none"])
    # From one fifth before.
    assert np.median(told) > 0.5


def test_a_strong_effect_is_not_taken_for_none_and_a_bend_not_for_a_line():
    rng = np.random.default_rng(1)
    dose = dosed(24, rng)
    y = noise(24, rng, sd=0.001) + 0.05 * -np.expm1(-1.0 * stock(dose, 0.8))
    found = fit_response([Trial(y, dose)], rng)
    assert found.probability["none"] < 1e-6
    assert found.probability["linear"] < 0.01
    straight = fit_response([Trial(noise(24, rng, sd=0.001) + 0.01 * stock(dose, 0.8), dose)], rng)
    assert straight.probability["linear"] > straight.probability["exponential"]


def test_an_s_shape_is_seen_where_it_is_tested():
    rng = np.random.default_rng(2)
    rows = switchback([0, 0.5, 1, 2, 4, 8], WEEKS, period=1)
    dose = dosed(36, rng, rows)
    z = stock(dose, 0.5)
    y = noise(36, rng, sd=0.001) + 0.05 * z**3 / (z**3 + 2.0**3)
    found = fit_response([Trial(y, dose)], rng)
    assert found.kind == "hill"
    assert found.response.shape > 1.8
    assert 1 / found.response.rate == pytest.approx(2.0, rel=0.2)


def test_two_tests_say_more_than_one_and_agree_with_it():
    rng = np.random.default_rng(3)
    trials = []
    for _ in range(2):
        dose = dosed(12, rng)
        trials.append(Trial(noise(12, rng) + 0.04 * -np.expm1(-0.5 * stock(dose, 0.8)), dose))
    one, both = (fit_response(trials[:n], rng, kind="exponential") for n in (1, 2))
    spread = [effect_of_dose(f.draws, [4.0], f.tested_to).std() for f in (one, both)]
    assert spread[1] < spread[0]


def test_what_is_believed_counts_where_little_is_measured():
    rng = np.random.default_rng(4)
    dose = dosed(8, rng)
    y = noise(8, rng, sd=0.5)
    found = fit_response([Trial(y, dose)], rng, belief=Belief(0.03, 0.005), kind="exponential")
    assert found.full_effect == pytest.approx(0.03, abs=0.003)
    assert found.full_effect_error == pytest.approx(0.005, rel=0.2)


def test_missing_weeks_and_weights_are_no_hindrance():
    rng = np.random.default_rng(5)
    dose = dosed(16, rng)
    y = noise(16, rng) + 0.05 * -np.expm1(-0.5 * stock(dose, 0.8))
    y[3, 5:8] = y[7, 15] = np.nan
    found = fit_response([Trial(y, dose, rng.uniform(300, 900, y.shape))], rng)
    assert found.full_effect == pytest.approx(0.05, abs=3.5 * found.full_effect_error)


def test_nothing_is_said_of_doses_that_were_not_tested():
    for dose in ([5.0], [-1.0], [np.nan]):
        with pytest.raises(DesignError, match="not tested"):
            effect_of_dose([[0.04, 1.0, np.nan, 1.0]], dose, 4.0)


def test_the_mean_curve_of_draws_that_agree_is_theirs():
    full, curve, life = mean_curve(np.tile([0.04, 0.5, 2.0, 1.5], (50, 1)), 4.0)
    z = np.linspace(0.1, 4, 20)
    told = full * (z * curve.rate) ** curve.shape / (1 + (z * curve.rate) ** curve.shape)
    assert told == pytest.approx(0.04 * (z * 0.5) ** 2 / (1 + (z * 0.5) ** 2), rel=0.03)
    assert life == pytest.approx(1.5)


@pytest.mark.parametrize(
    ("trials", "given", "words"),
    [
        ([], {}, "no test"),
        ([Trial(np.random.default_rng(0).random((3, 4)), np.zeros((3, 4)))], {}, "some above 0"),
        ([Trial(np.random.default_rng(0).random((3, 4)), -np.ones((3, 4)))], {}, "Doses do not fit"),
        ([Trial(np.random.default_rng(0).random((3, 4)), np.full((3, 4), np.nan))], {}, "Doses do not fit"),
        ([], {"belief": Belief(full_effect_error=0.0)}, "no belief"),
        ([], {"belief": Belief(no_effect=1.0)}, "no belief"),
        ([], {"kind": "cubic"}, "is a curve"),
    ],
)
def test_what_cannot_be_fitted_is_refused(trials, given, words):
    with pytest.raises(DesignError, match=words):
        fit_response(trials, np.random.default_rng(0), **given)
