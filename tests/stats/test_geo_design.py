"""Tests of places: sequences, draws, and how else they could have been drawn."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hustings.errors import DesignError
from hustings.stats.geo_design import deal, distances, matched_blocks, parallel, staggered, switchback, ways
from hustings.stats.geo_power import detectable_dose_effect


def test_a_williams_square_lets_each_dose_follow_each_other_equally_often():
    for k in (2, 3, 4, 5):
        found = switchback(np.arange(k), k, period=1)
        pairs = np.zeros((k, k), int)
        for row in found.astype(int):
            np.add.at(pairs, (row[:-1], row[1:]), 1)
        off = pairs[~np.eye(k, dtype=bool)]
        assert off.min() == off.max() > 0
        assert not pairs.diagonal().any()
        assert all((np.sort(column) == np.repeat(np.arange(k), len(found) // k)).all() for column in found.T)


def test_a_washout_is_without_spending():
    found = switchback([0, 2], 8, period=2, washout=1)
    assert found.tolist() == [[0, 0, 0, 2, 2, 0, 0, 0], [2, 2, 0, 0, 0, 0, 2, 2]]


def test_staggered_places_begin_and_go_on():
    found = staggered([0, 1, 3], 6, period=2)
    assert found.shape == (5, 6)
    assert (np.diff(found, axis=1) >= 0).all()
    assert not found[:, :2].any()


def test_the_ladys_cups_can_be_dealt_in_seventy_ways():
    # Fisher, The Design of Experiments (1935), chapter 2: eight cups, four of each; all right has a chance of 1 in 70.
    cups = np.repeat([0, 1], 4)
    found = ways(cups, np.zeros(8, int), np.random.default_rng(0))
    assert found.exact
    assert len(found.sequence) == found.n_all == 70
    right = (found.sequence == cups).sum(1)
    # All eight right in 1 of 70 ways, six in 16, four in 36: as in his table.
    assert [int((right == n).sum()) for n in (8, 6, 4, 2, 0)] == [1, 16, 36, 16, 1]


@settings(max_examples=30, deadline=None)
@given(st.integers(2, 4), st.integers(0, 10_000), st.integers(8, 20))
def test_every_other_way_has_the_same_doses_in_the_same_blocks(k, seed, n):
    rng = np.random.default_rng(seed)
    block = rng.integers(0, 2, n)
    dealt = deal(parallel(np.arange(k), 3), block, rng).sequence
    found = ways(dealt, block, rng, draws=50)
    assert (found.sequence[0] == dealt).all()
    for b in np.unique(block):
        own = np.sort(found.sequence[:, block == b], axis=1)
        assert (own == own[0]).all()
    if found.exact:
        assert len(np.unique(found.sequence, axis=0)) == len(found.sequence) == found.n_all


def test_a_draw_uses_each_dose_as_often_as_it_can_and_says_the_same_twice():
    block = np.repeat([0, 1, 2], 4)
    made = [deal(parallel([0, 1, 2, 4], 3), block, np.random.default_rng(5)).sequence for _ in range(2)]
    assert (made[0] == made[1]).all()
    assert all((np.sort(made[0][block == b]) == np.arange(4)).all() for b in range(3))


def test_drawing_again_leaves_places_alike_and_only_such_draws_count_afterwards():
    rng = np.random.default_rng(3)
    history = rng.standard_normal((16, 1)) + 0.1 * rng.standard_normal((16, 8))
    rows = parallel([0, 1], 4)
    plain = deal(rows, np.zeros(16, int), rng)
    good = deal(rows, np.zeros(16, int), rng, history=history, accepted=0.1)
    assert good.distance <= good.most < 0.3
    assert np.isinf(plain.most)
    found = ways(good.sequence, np.zeros(16, int), rng, sequences=rows, history=history, most=good.most)
    assert found.exact
    assert len(found.sequence) == pytest.approx(0.1 * math.comb(16, 8), rel=0.2)
    assert (distances(rows, found.sequence, history) <= good.most * (1 + 1e-9)).all()


def test_few_places_are_not_balanced_until_nothing_could_be_found():
    history = np.random.default_rng(0).standard_normal((8, 6))
    good = deal(
        parallel([0, 1], 4), np.zeros(8, int), np.random.default_rng(1), history=history, accepted=0.01
    )
    found = ways(
        good.sequence, np.zeros(8, int), np.random.default_rng(1), sequences=parallel([0, 1], 4), history=history,
        most=good.most,
    )  # fmt: skip
    assert len(found.sequence) == 70


def test_matched_blocks_hold_places_that_moved_alike():
    rng = np.random.default_rng(2)
    level = np.repeat(np.arange(5.0), 4)
    order = rng.permutation(20)
    found = matched_blocks(level[order, None] + 0.01 * rng.standard_normal((20, 6)), 4)
    for b in range(5):
        assert len(np.unique(level[order][found == b])) == 1


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: parallel([1, 2], 4), "one of them 0"),
        (lambda: parallel([0, 0], 4), "two different doses"),
        (lambda: parallel([0, -1], 4), "make no test"),
        (lambda: parallel([0, np.nan], 4), "make no test"),
        (lambda: parallel([0, 1], 0), "has weeks"),
        (lambda: switchback([0, 1], 3, period=2), "two periods"),
        (lambda: staggered([0, 1], 2, period=2), "no start"),
        (lambda: deal(parallel([0, 1], 2), [0], np.random.default_rng(0)), "fewer places"),
        (lambda: deal(parallel(range(5), 2), [0] * 4, np.random.default_rng(0)), "fewer places"),
        (lambda: deal(np.ones((2, 3)), [0] * 4, np.random.default_rng(0)), "spend the same"),
        (lambda: matched_blocks(np.zeros((3, 2)), 4), "cannot be matched"),
    ],
)
def test_what_makes_no_test_is_refused(make, words):
    with pytest.raises(DesignError, match=words):
        make()


def test_power_is_what_a_simulation_finds():
    # White noise: a difference of means of 6 and 6 places over 4 weeks less 20 before.
    rng = np.random.default_rng(4)
    dealt = ways(np.arange(12) % 2, np.zeros(12, int), rng, draws=400)
    found = detectable_dose_effect(rng.standard_normal((12, 40)), parallel([0, 1], 4), dealt)
    spread = math.sqrt((1 / 4 + 1 / 20) * (1 / 6 + 1 / 6))
    # t with about ten degrees of freedom: 2.23 for the test and .88 for the power.
    assert found.detectable == pytest.approx((2.23 + 0.88) * spread, rel=0.25)
    assert found.false_alarms <= 0.06


def test_a_test_that_can_be_drawn_in_few_ways_can_find_nothing():
    dealt = ways([0, 1, 0, 1], [0, 0, 1, 1], np.random.default_rng(0))
    found = detectable_dose_effect(
        np.random.default_rng(1).standard_normal((4, 12)), parallel([0, 1], 3), dealt
    )
    assert np.isinf(found.detectable)


def test_power_does_not_hang_on_the_order_of_the_ways():
    rng = np.random.default_rng(4)
    every = ways(np.arange(12) % 2, np.zeros(12, int), rng)
    history = rng.standard_normal((12, 40))
    mixed = every._replace(sequence=rng.permutation(every.sequence))
    one, other = (detectable_dose_effect(history, parallel([0, 1], 4), d) for d in (every, mixed))
    assert one.detectable == pytest.approx(other.detectable, rel=0.1)


def test_a_short_history_cannot_try_a_test():
    dealt = ways([0, 1, 0, 1], [0, 0, 0, 0], np.random.default_rng(0))
    with pytest.raises(DesignError, match="too short"):
        detectable_dose_effect(np.zeros((4, 4)), parallel([0, 1], 3), dealt)
