"""Turfs: equal work, compact, and what they are worth beside rules of thumb."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hustings.errors import DesignError
from hustings.stats import turfs, walks


def town(n: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    middle = rng.uniform(0, 20_000, (max(n // 500, 1), 2))
    return middle[rng.integers(0, len(middle), n)] + rng.normal(0, 600, (n, 2))


def test_four_streets_of_two_doors_by_hand():
    points = [[0, 0], [0, 10], [100, 0], [100, 10], [0, 900], [0, 910], [100, 900], [100, 910]]
    turf = turfs.cut_turfs(points, np.ones(8), 4)
    assert turf.tolist() == [0, 0, 0, 0, 1, 1, 1, 1]


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 300), st.integers(1, 80), st.integers(0, 10**6), st.sampled_from([1.0, 50.0, 1e6]))
def test_every_door_is_in_one_turf_and_no_turf_of_doors_is_over_its_capacity(n, capacity, seed, spread):
    points = np.random.default_rng(seed).normal(0, spread, (n, 2))
    turf = turfs.cut_turfs(points, np.ones(n), capacity)
    size = np.bincount(turf)
    assert turf.min() == 0
    assert size.min() >= 1
    assert size.max() <= capacity
    place = walks.walking_order(points, turf)
    for number in range(size.size):
        assert sorted(place[turf == number]) == list(range(size[number]))


def test_turfs_have_equal_work_although_doors_do_not():
    points = town(5_000, 1)
    work = np.random.default_rng(2).uniform(1, 9, 5_000)
    done = np.bincount(turfs.cut_turfs(points, work, 200, gap=1e5), weights=work)
    assert done.size == np.ceil(work.sum() / 200)
    assert done.std() / done.mean() < 0.02


def test_balanced_rounds_never_make_turfs_less_compact():
    points = town(4_000, 3)
    loose = [
        (turfs.radius(points, t) ** 2 * np.bincount(t)).sum()
        for t in (turfs.cut_turfs(points, np.ones(4_000), 50, rounds=r) for r in range(9))
    ]
    assert all(later <= before + 1e-6 for before, later in itertools.pairwise(loose))
    assert loose[-1] < 0.97 * loose[0]


def test_turfs_are_more_compact_than_runs_of_the_file_and_shorter_to_walk():
    points = town(4_000, 4)
    ours = turfs.cut_turfs(points, np.ones(4_000), 50)
    file = np.arange(4_000) // 50
    walk = [walks.walk_length(points, t, walks.walking_order(points, t)).sum() for t in (ours, file)]
    assert walk[0] < 0.3 * walk[1]


def test_no_turf_crosses_a_region_or_a_gap():
    points = np.vstack([town(300, 5), town(300, 6) + 50_000])
    region = np.arange(600) % 2
    turf = turfs.cut_turfs(points, np.ones(600), 40, group=region)
    far = points[:, 0] > 35_000
    for number in range(turf.max() + 1):
        assert len(set(region[turf == number])) == len(set(far[turf == number])) == 1


def test_one_door_50_km_away_is_a_turf_of_its_own():
    points = np.vstack([np.random.default_rng(1).uniform(0, 500, (99, 2)), [[50_000.0, 0.0]]])
    turf = turfs.cut_turfs(points, np.ones(100), 50)
    assert np.bincount(turf)[turf[99]] == 1
    assert turf.max() == 2


def test_doors_at_one_point_are_cut_into_equal_turfs():
    turf = turfs.cut_turfs(np.zeros((101, 2)), np.ones(101), 50)
    assert sorted(np.bincount(turf)) == [33, 34, 34]
    assert (
        walks.walk_length(np.zeros((101, 2)), turf, walks.walking_order(np.zeros((101, 2)), turf)).sum() == 0
    )


def test_a_door_with_more_work_than_a_turf_is_a_turf_of_its_own():
    points = np.column_stack([np.arange(20.0), np.zeros(20)])
    work = np.ones(20)
    work[10] = 40
    turf = turfs.cut_turfs(points, work, 10)
    assert len(set(turf)) >= 5
    assert np.bincount(turf).min() >= 1


def test_no_doors_are_no_turfs():
    assert turfs.cut_turfs(np.empty((0, 2)), [], 50).size == 0
    assert walks.walking_order(np.empty((0, 2)), []).size == 0
    assert walks.walk_length(np.empty((0, 2)), [], []).size == 0
    assert [part.size for part in turfs.cut_streets([], [], [], [], 50)] == [0, 0]


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"capacity": 0}, "capacity"),
        ({"capacity": np.nan}, "capacity"),
        ({"point": [[0, np.nan], [0, 1]]}, "1 doors have no coordinates"),
        ({"work": [1, 0]}, "work"),
        ({"work": [1, np.inf]}, "work"),
        ({"work": [1]}, "do not fit"),
        ({"group": [0, -1]}, "negative"),
        ({"gap": 0}, "gap"),
    ],
)
def test_what_cannot_be_cut_is_refused(change, text):
    given_ = {"point": [[0, 0], [0, 1]], "work": [1, 1], "capacity": 5} | change
    with pytest.raises(DesignError, match=text):
        turfs.cut_turfs(**given_)


def test_a_street_goes_up_its_odd_side_and_down_its_even_side():
    number = np.array([1, 2, 3, 4, 5, 6, np.nan, 2.5])
    turf, place = turfs.cut_streets(np.zeros(8, int), np.zeros(8, int), number, np.ones(8), 20)
    assert number[np.argsort(place)].tolist()[:7] == [1, 3, 5, 6, 4, 2.5, 2]
    assert place[6] == 7
    assert set(turf) == {0}


def test_a_cut_is_moved_to_the_end_of_a_streets_side():
    street = np.repeat([0, 1], [11, 9])
    number = np.concatenate([2 * np.arange(11) + 1, 2 * np.arange(9) + 1])
    assert np.bincount(turfs.cut_streets(np.zeros(20, int), street, number, np.ones(20), 10)[0]).tolist() == [
        11,
        9,
    ]
    strict = turfs.cut_streets(np.zeros(20, int), street, number, np.ones(20), 10, tolerance=0)[0]
    assert np.bincount(strict).tolist() == [10, 10]


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 200), st.integers(1, 40), st.integers(1, 5), st.integers(0, 10**6))
def test_street_turfs_hold_every_door_once_and_keep_to_a_precinct(n, capacity, n_precincts, seed):
    rng = np.random.default_rng(seed)
    precinct = np.sort(rng.integers(0, n_precincts, n))
    number = np.where(rng.random(n) < 0.2, np.nan, rng.integers(1, 99, n))
    turf, place = turfs.cut_streets(precinct, rng.integers(-1, 4, n), number, np.ones(n), capacity)
    assert len({*zip(turf, place, strict=True)}) == n
    for one in set(turf):
        assert len(set(precinct[turf == one])) == 1
        assert (turf == one).sum() <= 1.4 * capacity + 1


def test_a_walk_is_within_a_few_parts_in_a_hundred_of_the_shortest():
    rng = np.random.default_rng(7)
    excess = []
    for _ in range(40):
        points = rng.uniform(0, 1000, (7, 2))
        shortest = min(
            np.hypot(*np.diff(points[list(path)], axis=0).T).sum()
            for path in itertools.permutations(range(7))
            if path[0] < path[-1]
        )
        mine = walks.walk_length(points, np.zeros(7, int), walks.walking_order(points, np.zeros(7, int)))[0]
        excess.append(mine / shortest - 1)
    assert min(excess) > -1e-9
    assert np.mean(excess) < 0.05


def test_a_walk_through_many_doors_is_near_the_theorem_of_beardwood_halton_and_hammersley():
    # 0.7124 * sqrt(n * area) for many; the edge adds 0.33 times the perimeter's share (Johnson & McGeoch 1997).
    n = 300
    points = np.random.default_rng(8).uniform(0, 1, (n, 2))
    mine = walks.walk_length(
        points * 1e4, np.zeros(n, int), walks.walking_order(points * 1e4, np.zeros(n, int))
    )[0]
    assert mine / 1e4 == pytest.approx(0.7124 * np.sqrt(n) * (1 + 0.33 / np.sqrt(n)), rel=0.10)


def test_a_degree_is_as_long_as_the_earth_says():
    metres = turfs.plane([52.0, 52.0], [4.0, 5.0], [0, 0])
    assert np.diff(metres[:, 0])[0] == pytest.approx(68_458, rel=1e-3)
