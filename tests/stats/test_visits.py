"""The candidate's days: exact where small, bounded everywhere."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hustings.errors import DesignError
from hustings.stats.visits import greedy_visits, plan_visits, travel_hours


def a_state(n: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    at = rng.uniform(-2, 2, (n + 1, 2))
    return rng.gamma(2, 1, n), rng.uniform(0.5, 1.5, n), travel_hours(at[:, 0] + 40, at[:, 1] - 80, 80.0)


def best_by_hand(value, stay, travel, hours, worth):
    """Every way to give every place to one of the days or to none."""
    n, best = len(value), 0.0
    fits = {}
    for size in range(n + 1):
        for some in itertools.combinations(range(n), size):
            tours = (
                sum(travel[a, b] for a, b in itertools.pairwise([0, *(i + 1 for i in path), 0]))
                for path in itertools.permutations(some)
            )
            fits[some] = min(tours) + sum(stay[i] for i in some) <= hours + 1e-9
    for given_ in itertools.product(range(len(worth) + 1), repeat=n):
        days = [tuple(i for i in range(n) if given_[i] == d) for d in range(len(worth))]
        if all(fits[day] for day in days):
            best = max(best, sum(worth[d] * sum(value[i] for i in day) for d, day in enumerate(days)))
    return best


@pytest.mark.parametrize("seed", range(6))
def test_a_small_plan_is_the_best_there_is(seed):
    value, stay, travel = a_state(6, seed)
    worth = [0.5, 1.0]
    found = plan_visits(value, stay, travel, 7.0, worth)
    assert found.value == pytest.approx(best_by_hand(value, stay, travel, 7.0, worth), rel=1e-6)
    assert found.gap <= 1e-5
    assert found.exact


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 12), st.integers(0, 10**6), st.floats(0.5, 12), st.integers(1, 3))
def test_a_plan_keeps_its_hours_visits_once_and_never_beats_its_bound(n, seed, hours, n_days):
    value, stay, travel = a_state(n, seed)
    worth = np.linspace(0.2, 1, n_days)
    found = plan_visits(value - 0.5, stay, travel, hours, worth)
    seen = [place for day in found.days for place in day]
    assert len(seen) == len(set(seen))
    for day in found.days:
        stops = [0, *(place + 1 for place in day), 0]
        spent = sum(travel[a, b] for a, b in itertools.pairwise(stops)) + stay[list(day)].sum()
        assert spent <= (hours + 1e-6 if day else 1e-9)
    told = sum(worth[d] * (value - 0.5)[list(day)].sum() for d, day in enumerate(found.days))
    assert found.value == pytest.approx(told)
    assert found.value <= found.bound + 1e-9
    assert all(value[place] > 0.5 for place in seen)


@pytest.mark.parametrize("seed", range(3))
def test_fifty_places_are_planned_within_a_certified_gap_and_no_worse_than_by_thumb(seed):
    value, stay, travel = a_state(50, seed)
    worth = 0.5 ** (np.arange(7)[::-1] / 3)
    found = plan_visits(value, stay, travel, 10.0, worth)
    assert 0 <= found.gap < 0.35
    for order in (np.argsort(-value), np.argsort(travel[0, 1:])):
        assert greedy_visits(value, stay, travel, 10.0, worth, order).value <= found.value + 1e-9


def test_the_best_visits_stand_on_the_day_of_most_worth():
    found = plan_visits([1.0, 9.0], [1, 1], np.ones((3, 3)) - np.eye(3), 3.0, [0.1, 1.0])
    assert found.days == ((0,), (1,))


@pytest.mark.parametrize(
    ("value", "hours", "worth"),
    [([1.0], 0.1, [1.0]), ([-1.0], 9.0, [1.0]), ([1.0], 9.0, [0.0]), ([1.0], 9.0, [])],
)
def test_there_may_be_nothing_to_visit(value, hours, worth):
    found = plan_visits(value, [1], [[0, 1], [1, 0]], hours, worth)
    assert (found.value, found.bound, found.gap) == (0, 0, 0)
    assert found.days == ((),) * len(worth)


def test_two_places_at_one_point_cost_no_way_between_them():
    found = plan_visits([1.0, 1.0], [1, 1], [[0, 1, 1], [1, 0, 0], [1, 0, 0]], 4.0, [1.0])
    assert found.value == 2


def test_known_distances_are_found():
    # Detroit to Grand Rapids: 224 km by great circle.
    hours = travel_hours([42.3314, 42.9634], [-83.0458, -85.6681], 100.0, 1.0)
    assert hours[0, 1] == pytest.approx(2.26, abs=0.03)


@pytest.mark.parametrize(
    "change",
    [
        {"value": [np.nan]},
        {"stay": [-1]},
        {"travel": [[0, np.inf], [1, 0]]},
        {"hours": 0},
        {"hours": np.nan},
        {"worth": [-1]},
        {"value": [1, 2]},
    ],
)
def test_what_cannot_be_planned_is_refused(change):
    with pytest.raises(DesignError):
        plan_visits(
            **({"value": [1], "stay": [1], "travel": [[0, 1], [1, 0]], "hours": 5, "worth": [1]} | change)
        )


@pytest.mark.parametrize(
    "place", [{"latitude": [np.nan, 1]}, {"latitude": [99, 1]}, {"kilometers_per_hour": 0}]
)
def test_a_place_not_on_earth_is_refused(place):
    with pytest.raises(DesignError):
        travel_hours(**({"latitude": [0, 1], "longitude": [0, 1], "kilometers_per_hour": 80.0} | place))
