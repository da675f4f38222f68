"""Who asks whom: by hand, against HiGHS, limits and bound at random."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, sparse

from hustings.errors import DesignError
from hustings.stats import diffusion


def _ties(rng, supporters, targets, degree):
    key = np.unique(
        np.repeat(np.arange(supporters), degree) * targets + rng.integers(0, targets, supporters * degree)
    )
    return key // targets, key % targets


def _exact(supporter, target, gain, asks, asked, repeat):
    """The linear program, solved by HiGHS: one variable for each tie and rank."""
    shares = diffusion.ask_shares(asked, repeat)
    n, m = gain.size, shares.size
    columns = np.arange(n * m)
    tie, rank = columns // m, columns % m
    rows = np.concatenate([supporter[tie], supporter.max() + 1 + target[tie] * m + rank])
    size = supporter.max() + 1 + (target.max() + 1) * m
    once = sparse.csr_array((np.ones(n * m), (tie, columns)), shape=(n, n * m))
    limits = sparse.csr_array((np.ones(2 * n * m), (rows, np.tile(columns, 2))), shape=(size, n * m))
    room = np.concatenate(
        [np.full(supporter.max() + 1, asks), np.ones(size - supporter.max() - 1), np.ones(n)]
    )
    found = optimize.linprog(
        -(gain[tie] * shares[rank]), sparse.vstack([limits, once]), room, bounds=(0, 1), method="highs"
    )
    return -found.fun


def test_single_asks_tell_the_usual_rate_and_not_how_supporters_differ():
    made = np.repeat([1.0, 0.0], 20)
    found = diffusion.asking_rates(np.ones(40), made, usual=0.3)
    assert found.usual == 0.5
    # The guess still counts four asks.
    assert found.rate[0] == pytest.approx((4 * 0.5 + 1) / 5)


def test_two_supporters_one_friend_in_common_by_hand():
    # Greedy takes 3.0 and is left with nothing for the second supporter's only friend: 3.0 against 4.5.
    who, whom, gain = np.array([0, 0, 1]), np.array([0, 1, 0]), np.array([3.0, 2.0, 2.5])
    assert diffusion.plan_asks(who, whom, gain, asks=1, asked=1).rank.tolist() == [0, 1, 1]
    taken = diffusion.asks_in_order(who, whom, gain, asks=1, asked=1)
    assert taken.tolist() == [True, False, False]


def test_a_second_ask_counts_by_the_stated_fraction_by_hand():
    # Both supporters have one friend only: the best ask counts whole, the other by half.
    found = diffusion.plan_asks(
        np.array([0, 1]), np.array([0, 0]), np.array([2.0, 4.0]), asks=3, asked=2, repeat=0.5
    )
    assert found.rank.tolist() == [2, 1]
    assert found.value == pytest.approx(5.0)
    assert found.gap < 5e-4


@pytest.mark.parametrize(("asked", "repeat"), [(1, 1.0), (2, 1.0), (2, 0.5), (3, 0.6), (2, 0.0)])
def test_the_plan_is_within_its_gap_of_what_highs_finds(asked, repeat):
    rng = np.random.default_rng(asked)
    who, whom = _ties(rng, 300, 500, 10)
    gain = rng.random(who.size)
    found = diffusion.plan_asks(who, whom, gain, asks=3, asked=asked, repeat=repeat)
    exact = _exact(who, whom, gain, 3, asked, repeat)
    assert found.gap <= 5e-4
    assert found.value <= exact * (1 + 1e-9)
    assert found.bound >= exact * (1 - 1e-9)
    assert found.value >= exact * (1 - found.gap) * (1 - 1e-9)


@pytest.mark.parametrize("repeat", [1.0, 0.5])
def test_tied_gains_reach_the_gap_too(repeat):
    rng = np.random.default_rng(5)
    who, whom = _ties(rng, 2_000, 4_000, 10)
    gain = rng.integers(1, 4, who.size) / 3
    found = diffusion.plan_asks(who, whom, gain, asks=4, asked=2, repeat=repeat)
    assert found.gap <= 5e-4


@st.composite
def _problems(draw):
    supporters, targets = draw(st.integers(1, 5)), draw(st.integers(1, 5))
    pairs = list(itertools.product(range(supporters), range(targets)))
    chosen = draw(st.lists(st.sampled_from(pairs), min_size=1, max_size=len(pairs), unique=True))
    gain = draw(
        st.lists(
            st.one_of(st.sampled_from([0.0, 1.0, 2.0]), st.floats(-1, 5)),
            min_size=len(chosen),
            max_size=len(chosen),
        )
    )
    who, whom = np.array(chosen).T
    repeat = draw(st.sampled_from([0.0, 0.3, 0.5, 1.0]))
    return who, whom, np.array(gain), draw(st.integers(0, 3)), draw(st.integers(0, 3)), repeat


@settings(max_examples=150, deadline=None)
@given(_problems())
def test_limits_hold_and_the_bound_is_never_below_the_best(problem):
    who, whom, gain, asks, asked, repeat = problem
    found = diffusion.plan_asks(who, whom, gain, asks=asks, asked=asked, repeat=repeat)
    used = found.rank > 0
    assert np.bincount(who[used], minlength=1).max() <= asks
    assert np.bincount(whom[used], minlength=1).max() <= asked
    assert (gain[used] > 0).all()
    assert found.value == pytest.approx(diffusion.plan_value(gain, found.rank, repeat))
    assert found.value <= found.bound
    exact = 0.0
    if asks and asked and (gain > 0).any():
        exact = _exact(who, whom, np.maximum(gain, 0), asks, asked, repeat)
    assert found.bound >= exact * (1 - 1e-9)
    greedy = diffusion.asks_in_order(who, whom, gain, asks=asks, asked=asked, repeat=repeat)
    assert np.bincount(who[greedy], minlength=1).max() <= asks
    assert np.bincount(whom[greedy], minlength=1).max() <= asked
    value = diffusion.plan_value(gain, diffusion.ranked(whom, gain, greedy), repeat)
    assert value <= exact * (1 + 1e-9) + 1e-12
    assert value >= exact / 2 - 1e-9  # greedy is never worse than half


@settings(max_examples=60, deadline=None)
@given(_problems())
def test_greedy_takes_what_going_through_the_ties_one_by_one_would_take(problem):
    who, whom, gain, asks, asked, _ = problem
    left, room, used = np.full(5, asks), np.full(5, asked), np.zeros(gain.size, bool)
    for tie in np.argsort(-gain, kind="stable"):
        if gain[tie] > 0 and left[who[tie]] and room[whom[tie]]:
            used[tie] = True
            left[who[tie]] -= 1
            room[whom[tie]] -= 1
    assert diffusion.asks_in_order(who, whom, gain, asks=asks, asked=asked).tolist() == used.tolist()


def test_a_supporter_with_fifty_thousand_contacts_gets_the_best_five():
    gain = np.random.default_rng(0).random(50_000)
    found = diffusion.plan_asks(np.zeros(50_000, int), np.arange(50_000), gain, asks=5, asked=1)
    assert set(np.flatnonzero(found.rank)) == set(np.argsort(-gain)[:5])
    assert found.gap < 5e-4


@pytest.mark.parametrize(("asks", "asked"), [(0, 2), (2, 0)])
def test_nobody_asks_where_a_limit_is_nought(asks, asked):
    found = diffusion.plan_asks(np.array([0]), np.array([0]), np.array([1.0]), asks=asks, asked=asked)
    assert (found.rank.sum(), found.value, found.bound, found.gap) == (0, 0, 0, 0)


def test_no_ties_and_no_gain_are_an_empty_plan():
    none = np.empty(0, int)
    assert diffusion.plan_asks(none, none, np.empty(0), asks=1, asked=1).value == 0
    assert diffusion.plan_asks(np.array([0]), np.array([0]), np.array([-1.0]), asks=1, asked=1).value == 0


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"gain": np.array([np.nan, 1.0])}, "1 ties have a gain that is not a number"),
        ({"gain": np.array([np.inf, 1.0])}, "1 ties have a gain that is not a number"),
        ({"gain": np.array([1.0])}, "as many supporters"),
        ({"supporter": np.array([-1, 0])}, "whole numbers from 0"),
        ({"target": np.array([0.5, 0.7])}, "whole numbers from 0"),
        ({"supporter": np.array([0, 0]), "target": np.array([1, 1])}, "1 ties stand twice"),
        ({"asks": -1}, "Asks of one supporter"),
        ({"asked": 1.5}, "Asks that one target gets"),
        ({"repeat": 1.1}, "repeated ask"),
        ({"repeat": np.nan}, "repeated ask"),
        ({"tolerance": 0.0}, "good enough"),
    ],
)
def test_what_cannot_be_is_refused_by_name(change, words):
    given_ = {
        "supporter": np.array([0, 1]),
        "target": np.array([0, 1]),
        "gain": np.ones(2),
        "asks": 1,
        "asked": 1,
    }
    given_ |= change
    ties = [given_.pop(name) for name in ("supporter", "target", "gain")]
    with pytest.raises(DesignError, match=words):
        diffusion.plan_asks(*ties, **given_)
