"""Assignments by hand, against every possibility, and within their limits."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hustings.errors import DesignError
from hustings.stats.matching import Options, assign, assign_in_order


def options(seed, workers=3, tasks=3):
    rng = np.random.default_rng(seed)
    worker, task = np.divmod(np.arange(workers * tasks), tasks)
    return Options(
        worker, task, rng.uniform(0, 10, worker.size).round(2), rng.uniform(0, 4, worker.size).round(2)
    )


def value_of(found, chosen, repeat):
    total = 0.0
    for task in set(found.task[list(chosen)].tolist()):
        values = sorted((found.value[i] for i in chosen if found.task[i] == task), reverse=True)
        total += sum(v * repeat**turn for turn, v in enumerate(values))
    return total


def best(found, asks, repeat, budget):
    top = 0.0
    for size in range(len(found.value) + 1):
        for chosen in itertools.combinations(range(len(found.value)), size):
            workers = found.worker[list(chosen)].tolist()
            tasks = found.task[list(chosen)]
            if len(set(workers)) < size or found.cost[list(chosen)].sum() > budget + 1e-9:
                continue
            if size and np.bincount(tasks).max() > asks:
                continue
            top = max(top, value_of(found, chosen, repeat))
    return top


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize(("asks", "budget"), [(1, np.inf), (2, np.inf), (1, 5.0), (2, 4.0)])
def test_nothing_that_could_be_chosen_is_better(seed, asks, budget):
    given_options = options(seed)
    found = assign(given_options, asks=asks, repeat=0.6, budget=budget)
    top = best(given_options, asks, 0.6, budget)
    assert found.value == pytest.approx(top, rel=1e-4)
    assert found.bound >= top - 1e-6
    assert found.value == pytest.approx(value_of(given_options, found.chosen.tolist(), 0.6))


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), asks=st.integers(1, 3), repeat=st.floats(0, 1), budget=st.floats(0, 60))
def test_an_assignment_keeps_days_seats_money_and_its_bound(seed, asks, repeat, budget):
    many = options(seed, 12, 8)
    for found in (
        assign(many, asks=asks, repeat=repeat, budget=budget),
        assign_in_order(many, np.argsort(-many.value), asks=asks, repeat=repeat, budget=budget),
    ):
        assert len(set(many.worker[found.chosen].tolist())) == len(found.chosen)
        if found.chosen.size:
            assert np.bincount(many.task[found.chosen]).max() <= asks
        assert many.cost[found.chosen].sum() <= budget + 1e-6
        assert found.value <= found.bound + 1e-9
    assert assign(many, asks=asks, repeat=repeat, budget=budget).value >= found.value - 1e-9


def test_a_further_ask_that_brings_less_than_it_costs_is_not_made():
    twice = Options(np.array([0, 1]), np.array([0, 0]), np.array([10.0, 9.0]), np.array([5.0, 5.0]))
    found = assign(twice, asks=2, repeat=0.5, charge=1.0)
    assert found.chosen.tolist() == [0]
    assert found.value == 5.0
    assert assign(twice, asks=2, repeat=0.9, charge=1.0).chosen.tolist() == [0, 1]


def test_more_options_than_the_integer_programme_takes_end_close_to_their_bound():
    rng = np.random.default_rng(3)
    worker, task = np.divmod(np.arange(100 * 40), 40)
    many = Options(worker, task, rng.gamma(2.0, 1.0, worker.size), rng.uniform(1, 5, worker.size))
    found = assign(many, asks=2, budget=80.0)
    assert 0 <= found.gap < 0.02
    greedy = assign_in_order(many, np.argsort(-many.value), asks=2, budget=80.0)
    assert found.value > 1.1 * greedy.value


def test_a_tie_has_the_same_answer_every_time():
    same = Options(np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1]), np.ones(4), np.ones(4))
    first = assign(same, budget=1.0)
    assert first.value == 1.0
    assert all(assign(same, budget=1.0).chosen.tolist() == first.chosen.tolist() for _ in range(5))


def test_of_two_options_for_one_day_and_audience_the_better_is_taken():
    two = Options(np.array([0, 0]), np.array([0, 0]), np.array([1.0, 2.0]), np.zeros(2))
    assert assign(two).chosen.tolist() == [1]


def test_nothing_is_chosen_from_nothing_or_from_what_is_worth_nothing():
    empty = np.empty(0, np.int64)
    assert assign(Options(empty, empty, np.empty(0), np.empty(0))).value == 0.0
    loss = Options(np.array([0]), np.array([0]), np.array([-1.0]), np.zeros(1))
    assert assign(loss).chosen.size == 0
    dear = Options(np.array([0]), np.array([0]), np.array([1.0]), np.array([5.0]))
    assert assign(dear, budget=4.0).chosen.size == 0


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"value": np.array([np.nan])}, "missing, infinite or negative"),
        ({"cost": np.array([-1.0])}, "missing, infinite or negative"),
        ({"worker": np.array([-1])}, "of nobody"),
        ({"task": np.array([0, 1])}, "do not fit"),
    ],
)
def test_an_option_that_cannot_be_is_refused(change, words):
    one = Options(np.array([0]), np.array([0]), np.ones(1), np.ones(1))._replace(**change)
    with pytest.raises(DesignError, match=words):
        assign(one)


@pytest.mark.parametrize(
    "wrong", [{"asks": 0}, {"repeat": 1.5}, {"budget": -1.0}, {"budget": np.nan}, {"charge": -1.0}]
)
def test_settings_out_of_range_are_refused(wrong):
    one = Options(np.array([0]), np.array([0]), np.ones(1), np.ones(1))
    with pytest.raises(DesignError, match="Asks, repeat, budget and charge"):
        assign(one, **wrong)
