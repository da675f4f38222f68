"""Readings of tests of places: by hand, against every dealing, against what was published, by coverage."""

from __future__ import annotations

import itertools
import os
from pathlib import Path

import numpy as np
import pytest

from hustings.errors import DesignError
from hustings.stats.geo_design import deal, parallel, switchback, ways
from hustings.stats.geo_readings import frame, read_dose, read_neighbours, read_one_dose, stock, trend_before


def noise(places, weeks, rng, correlation=0.6, sd=0.01):
    found = rng.standard_normal((places, weeks)) * sd
    for week in range(1, weeks):
        found[:, week] += correlation * found[:, week - 1]
    return found + rng.normal(0.5, 0.05, (places, 1)) + np.cumsum(rng.normal(0, 0.005, weeks))


def test_stock_by_hand():
    assert stock([[2.0, 0.0, 4.0]], 1.0).tolist() == [[2.0, 1.0, 4.5]]
    assert stock([2.0, 1.0], 0.0).tolist() == [2.0, 1.0]


def test_an_estimate_and_its_p_value_by_hand():
    # Changes 5, 1, 4, 2; two of four treated: differences of means over six dealings are ±3, ±2, 0, 0 … by hand.
    y = np.array([[0.0, 5.0], [0.0, 1.0], [0.0, 4.0], [0.0, 2.0]])
    found = read_dose(
        frame(y), [[0.0, 0.0], [0.0, 1.0]], ways([1, 0, 1, 0], np.zeros(4, int), np.random.default_rng(0))
    )
    assert found.estimate == pytest.approx(3.0)
    changes = y[:, 1]
    every = [
        changes[list(t)].mean() - np.delete(changes, list(t)).mean()
        for t in itertools.combinations(range(4), 2)
    ]
    assert found.p_value == pytest.approx(np.mean(np.abs(every) >= 3 - 1e-9)) == pytest.approx(2 / 6)
    assert found.n_ways == 6
    assert found.low == -np.inf


def test_the_interval_is_the_set_of_effects_that_a_test_does_not_refuse():
    rng = np.random.default_rng(1)
    y = noise(10, 9, rng)
    rows = np.concatenate([np.zeros((3, 5)), parallel([0, 1, 2], 4)], axis=1)
    dealt = ways(deal(rows, np.zeros(10, int), rng).sequence, np.zeros(10, int), rng)
    z = rows[dealt.sequence[0]]
    found = read_dose(frame(y), rows, dealt)
    for end, side in ((found.low, -1), (found.high, 1)):
        assert read_dose(frame(y - (end - side * 1e-7) * z), rows, dealt).p_value > 0.05
        assert read_dose(frame(y - (end + side * 1e-7) * z), rows, dealt).p_value <= 0.05


def test_weights_and_gaps_give_what_least_squares_gives():
    rng = np.random.default_rng(2)
    y, weight = noise(8, 10, rng), rng.uniform(100, 900, (8, 10))
    y[2, 3] = y[5, 8] = np.nan
    rows = np.concatenate([np.zeros((2, 6)), parallel([0, 1], 4)], axis=1)
    dealt = ways(np.arange(8) % 2, np.zeros(8, int), rng)
    found = read_dose(frame(y, weight), rows, dealt)
    place, week = np.divmod(np.flatnonzero(~np.isnan(y.ravel())), 10)
    x = np.column_stack([rows[np.arange(8) % 2][place, week], np.eye(8)[place], np.eye(10)[week][:, 1:]])
    root = np.sqrt(weight[place, week])[:, None]
    told = np.linalg.lstsq(x * root, y[place, week] * root[:, 0], rcond=None)[0]
    assert found.estimate == pytest.approx(told[0])


@pytest.mark.parametrize("places", [8, 12, 20])
def test_few_places_keep_the_size_of_the_test_and_the_coverage_of_the_interval(places):
    runs, wrong, covered = 120, 0, 0
    for run in range(runs):
        rng = np.random.default_rng(run)
        y = noise(places, 14, rng)
        rows = parallel([0, 1, 3], 5)
        dealt = deal(rows, np.zeros(places, int), rng, history=y[:, :9], accepted=0.3)
        others = ways(
            dealt.sequence, np.zeros(places, int), rng, sequences=rows, history=y[:, :9], most=dealt.most, draws=400
        )  # fmt: skip
        full = stock(np.concatenate([np.zeros((3, 9)), rows], axis=1), 1.0)
        found = read_dose(frame(y + 0.01 * full[dealt.sequence]), full, others)
        covered += found.low <= 0.01 <= found.high
        wrong += read_dose(frame(y), full, others).p_value <= 0.05
    # Three binomial standard errors of 120 runs.
    assert wrong / runs <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / runs)
    assert covered / runs >= 0.95 - 3 * np.sqrt(0.05 * 0.95 / runs)


def test_a_switchback_with_carry_over_finds_the_truth():
    rng = np.random.default_rng(3)
    rows = np.concatenate([np.zeros((4, 8)), switchback([0, 1, 2, 4], 12, period=2, washout=1)], axis=1)
    y = noise(16, 20, rng, sd=0.002)
    dealt = deal(rows, np.zeros(16, int), rng)
    full = stock(rows, 1.0)
    found = read_dose(
        frame(y + 0.004 * full[dealt.sequence]), full, ways(dealt.sequence, np.zeros(16, int), rng, draws=500)
    )
    assert found.low < 0.004 < found.high
    assert found.p_value < 0.01


def test_one_dose_that_does_nothing_is_not_blamed_for_the_others():
    runs, wrong = 80, 0
    for run in range(runs):
        rng = np.random.default_rng(run)
        rows = np.concatenate([np.zeros((4, 8)), parallel([0, 1, 2, 3], 4)], axis=1)
        block = np.arange(12) // 4
        dealt = deal(rows, block, rng).sequence
        y = noise(12, 12, rng) + np.array([0.0, 0.02, 0.0, 0.04])[dealt][:, None] * (rows[dealt] > 0)
        parts = [np.where(rows == dose, dose, 0.0) for dose in (1, 2, 3)]
        wrong += read_one_dose(frame(y), parts, 1, ways(dealt, block, rng, draws=200)).p_value <= 0.05
    assert wrong / runs <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / runs)


def test_the_mean_effect_is_covered_where_places_differ():
    runs, covered = 80, 0
    for run in range(runs):
        rng = np.random.default_rng(run)
        rows = np.concatenate([np.zeros((3, 8)), parallel([0, 1, 2], 4)], axis=1)
        dealt = deal(rows, np.zeros(20, int), rng).sequence
        own = 0.01 * (1 + 0.25 * rng.standard_normal(20))
        y = noise(20, 12, rng) + own[:, None] * rows[dealt]
        found = read_dose(frame(y), rows, ways(dealt, np.zeros(20, int), rng, draws=300))
        covered += found.low <= own.mean() <= found.high
    assert covered / runs >= 0.95 - 3 * np.sqrt(0.05 * 0.95 / runs)


def test_a_trend_before_and_a_neighbours_dose_are_found():
    rng = np.random.default_rng(4)
    dealt = ways(np.arange(12) % 2, np.zeros(12, int), rng, draws=500)
    y = noise(12, 10, rng, 0.0, 0.002)
    assert trend_before(y, [0.0, 1.0], dealt).p_value > 0.02
    assert (
        trend_before(y + np.outer(np.arange(12) % 2, 0.003 * np.arange(10)), [0.0, 1.0], dealt).p_value < 0.01
    )
    near = np.roll(np.eye(12), 1, axis=1) + np.roll(np.eye(12), 2, axis=1)
    rows = np.concatenate([np.zeros((2, 6)), parallel([0, 1], 4)], axis=1)
    order = rng.permutation(12) % 2
    dealt = ways(order, np.zeros(12, int), rng, draws=500)
    z = rows[order]
    y = noise(12, 10, rng, 0.0, 0.002) + 0.01 * z + 0.02 * (near / 2) @ z
    found = read_neighbours(frame(y), rows, dealt, near, read_dose(frame(y), rows, dealt).estimate)
    assert found.p_value < 0.02
    assert found.estimate == pytest.approx(0.02, abs=0.01)


@pytest.mark.parametrize(
    ("y", "words"),
    [
        (np.zeros((1, 5)), "do not fit"),
        (np.ones((4, 5)), "never varies"),
        (np.full((4, 5), np.nan), "never varies"),
        (np.array([[0.0, np.inf], [1.0, 2.0]]), "do not fit"),
    ],
)
def test_outcomes_that_cannot_be_read_are_refused(y, words):
    with pytest.raises(DesignError, match=words):
        frame(y)


def test_a_dose_that_is_the_same_everywhere_is_refused():
    rng = np.random.default_rng(0)
    rows = np.array([[0.0, 1.0, 1.0], [0.0, 1.0, 1.0]])
    with pytest.raises(DesignError, match="explained by place and week"):
        read_dose(frame(rng.standard_normal((4, 3))), rows, ways([0, 1, 0, 1], [0, 0, 0, 0], rng))


def test_rock_the_vote_2004_is_read_by_its_own_draw():
    # Green & Vavreck, Political Analysis 16 (2008): turnout of new voters in 85 cable systems, drawn in 40 strata.
    data = Path(os.environ.get("HUSTINGS_DATA") or Path(__file__).parents[2] / ".." / "shared" / "data")
    path = data / "television" / "rock_the_vote_2004.parquet"
    if not path.is_file():
        pytest.skip("Rock the Vote 2004 is not here: HUSTINGS_DATA")
    import pyarrow.parquet as pq

    told = pq.read_table(path).to_pydict()
    turnout, treated, strata = (np.array(told[name]) for name in ("p", "treated", "strata"))
    means = [turnout[treated == arm].mean() for arm in (0, 1)]
    assert np.round(100 * np.array(means), 1).tolist() == [51.6, 54.5]
    # A cross-section: strata stand in for what a history would tell, by what is left of their means.
    left = turnout - np.array([turnout[strata == s].mean() for s in strata])
    y = np.column_stack([np.zeros(85), left])
    rng = np.random.default_rng(0)
    found = read_dose(frame(y), [[0.0, 0.0], [0.0, 1.0]], ways(treated, strata, rng, draws=2_000))
    assert 0 < found.estimate < 0.05
    assert found.low < found.estimate < found.high
