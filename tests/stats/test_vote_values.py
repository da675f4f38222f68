"""What a net vote is worth, held against brute force."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit, ndtr
from scipy.stats import norm

from hustings.errors import DesignError
from hustings.stats.races import make_race, simulate
from hustings.stats.vote_values import value_of_plan, vote_values

MEAN = np.array([0.06, 0.02, -0.03, 0.10, -0.12, 0.4])
VOTES = np.array([3e6, 5e6, 1e6, 4e6, 2e6, 8e6])
SEATS = np.array([10, 20, 6, 16, 10, 30])
SPREAD = 0.004 + np.diag([0.006, 0.004, 0.008, 0.005, 0.006, 0.004])


@pytest.fixture(scope="module")
def race():
    return make_race("electors", VOTES, seats=SEATS)


@pytest.fixture(scope="module")
def found(race):
    return simulate(race, MEAN, SPREAD, rng=np.random.default_rng(1), draws=200_000)


def test_one_place_is_worth_its_density_at_one_half_over_twice_its_votes():
    race = make_race("plurality", [1e6])
    found = simulate(race, [0.1], [[0.04]], rng=np.random.default_rng(1), draws=100)
    value = vote_values(race, found, [0.1], [[0.04]]).value[0]
    # The share has density 4 times that of its logit at one half.
    assert value == pytest.approx(4 * norm.pdf(0, 0.1, 0.2) / 2e6, rel=1e-6)


def test_two_independent_places_by_hand():
    # Both are needed: each decides where the other is won.
    race = make_race("electors", [1e6, 2e6], seats=[1, 1])
    mean, spread = np.array([0.1, -0.05]), np.diag([0.04, 0.01])
    found = simulate(race, mean, spread, rng=np.random.default_rng(1), draws=400_000)
    values = vote_values(race, found, mean, spread)
    p = ndtr(mean / np.sqrt(np.diag(spread)))
    exact = 2 * norm.pdf(0, mean, np.sqrt(np.diag(spread))) * p[::-1] / np.array([1e6, 2e6])
    assert values.p_decides == pytest.approx(p[::-1], abs=0.004)
    assert np.abs(values.value - exact).max() < 4 * values.error.max()


@pytest.mark.parametrize("place", range(5))
def test_a_small_plan_in_one_place_is_worth_what_brute_force_says(race, found, place):
    votes = np.zeros(6)
    votes[place] = 0.01 * 2 * VOTES[place] / 4
    up, down = (
        value_of_plan(race, found, MEAN, SPREAD, sign * votes, rng=np.random.default_rng(7), draws=200_000)
        for sign in (1, -1)
    )
    brute, error = (up.simulated - down.simulated) / 2, np.hypot(up.error, down.error) / 2
    assert abs(brute - up.linear) < 4 * error
    assert 0.85 < brute / up.linear < 1.15


def test_three_tenths_of_a_point_everywhere_are_worth_what_the_values_add_up_to(race, found):
    up, down = (
        value_of_plan(
            race, found, MEAN, SPREAD, sign * 0.003 * 2 * VOTES, rng=np.random.default_rng(3), draws=200_000
        )
        for sign in (1, -1)
    )
    # At 81 in 100 the curve bends: each way is off by a tenth, the mean of both is not.
    assert (up.simulated - down.simulated) / 2 == pytest.approx(up.linear, rel=0.03)
    assert up.simulated < up.linear < -down.simulated
    assert up.after - up.before == pytest.approx(up.simulated)


def test_a_plan_that_makes_a_place_safe_is_worth_less_than_its_votes_times_their_value():
    race = make_race("plurality", [1e6])
    found = simulate(race, [0.0], [[0.01]], rng=np.random.default_rng(1), draws=1000)
    plan = value_of_plan(race, found, [0.0], [[0.01]], [4e5], rng=np.random.default_rng(1))
    assert plan.linear > 3
    assert plan.simulated == pytest.approx(0.5, abs=0.01)


def test_expected_seats_need_no_tipping(race, found):
    values = vote_values(race, found, MEAN, SPREAD, objective="seats")
    exact = 2 * SEATS * norm.pdf(0, MEAN, np.sqrt(np.diag(SPREAD))) / VOTES
    assert values.value == pytest.approx(exact, rel=1e-5)


def test_districts_of_a_state_are_valued_for_both_contests():
    members = [[1, 0, 0], [0, 1, 0], [1, 1, 0], [0, 0, 1]]
    race = make_race("electors", [4e5, 6e5, 2e6], members=members, seats=[1, 1, 2, 3])
    mean, spread = np.array([0.08, -0.06, 0.02]), 0.004 + 0.006 * np.eye(3)
    found = simulate(race, mean, spread, rng=np.random.default_rng(4), draws=300_000)
    values = vote_values(race, found, mean, spread)
    for place in range(3):
        votes = np.zeros(3)
        votes[place] = 0.01 * race.votes[place]
        up, down = (
            value_of_plan(race, found, mean, spread, s * votes, rng=np.random.default_rng(9), draws=150_000)
            for s in (1, -1)
        )
        brute, error = (up.simulated - down.simulated) / 2, np.hypot(up.error, down.error) / 2
        assert abs(brute - values.value[place] * votes[place]) < 4 * error


def test_counties_of_one_state_are_worth_the_same():
    race = make_race("plurality", [1e5, 3e5, 2e5])
    mean, spread = np.array([0.8, -0.3, -0.2]), 0.01 + 0.01 * np.eye(3)
    found = simulate(race, mean, spread, rng=np.random.default_rng(5), draws=200_000)
    values = vote_values(race, found, mean, spread).value
    assert values == pytest.approx(values[0])
    plans = [
        value_of_plan(
            race, found, mean, spread, [s * 1500, 0, 0], rng=np.random.default_rng(6), draws=400_000
        )
        for s in (1, -1)
    ]
    assert (plans[0].simulated - plans[1].simulated) / 2 == pytest.approx(1500 * values[0], rel=0.06)


def test_a_tie_for_the_first_place_among_three_is_what_brute_force_says():
    race = make_race("plurality", [1e5])
    mean, spread = np.array([[0.1, 0.3]]), np.array([[0.05, 0.03], [0.03, 0.06]])
    found = simulate(race, mean, spread, rng=np.random.default_rng(8), draws=400_000)
    value = vote_values(race, found, mean, spread).value[0]
    # Brute force: a net vote takes half a vote from each rival's lead in votes.
    draws = mean[0] + np.random.default_rng(9).standard_normal((2_000_000, 2)) @ np.linalg.cholesky(spread).T
    ours = 1 / (1 + np.exp(-draws).sum(axis=1))
    gap = (ours[:, None] * (1 - np.exp(-draws))).min(axis=1)
    step = 0.004
    brute = np.mean(np.abs(gap) < step) / (2 * step) / 1e5
    assert value == pytest.approx(brute, rel=0.03)


def test_heavy_tails_are_valued_by_their_own_density():
    race = make_race("plurality", [1e6])
    found = simulate(race, [0.8], [[0.04]], rng=np.random.default_rng(1), draws=400_000, degrees=5)
    value = vote_values(race, found, [0.8], [[0.04]])
    lead = found.leads[:, 0, 0].astype(float)
    brute = np.mean(np.abs(lead) < 0.05) / 0.1 * 2 / 1e6
    assert value.value[0] == pytest.approx(brute, rel=0.1)
    assert value.value[0] > 5 * 2 * norm.pdf(0, 0.8, 0.2) / 1e6


def test_a_threshold_is_valued_at_the_threshold():
    race = make_race("referendum", [1e6], threshold=0.6)
    mean = np.log([0.58 / 0.42])
    found = simulate(race, mean, [[0.01]], rng=np.random.default_rng(1), draws=1000)
    value = vote_values(race, found, mean, [[0.01]]).value[0]
    step = 1e-4
    bar = np.log(np.array([0.6 - step, 0.6 + step]) / (1 - np.array([0.6 - step, 0.6 + step])))
    brute = np.diff(ndtr((mean - bar) / 0.1))[0] / (2 * step)
    assert value == pytest.approx(-brute / 2e6, rel=1e-4)


def test_a_place_that_never_decides_has_a_value_of_nought_with_an_error():
    race = make_race("electors", [1e6, 1e6], seats=[1, 10])
    found = simulate(race, [0, 0], np.eye(2) / 100, rng=np.random.default_rng(1), draws=5000)
    values = vote_values(race, found, [0, 0], np.eye(2) / 100)
    assert values.value[0] == 0 < values.error[0]


def test_the_monte_carlo_error_covers_the_truth():
    race = make_race("electors", [1e6, 2e6], seats=[1, 1])
    mean, spread = np.array([0.1, -0.05]), np.diag([0.04, 0.01])
    p = ndtr(mean / np.sqrt(np.diag(spread)))
    exact = 2 * norm.pdf(0, mean, np.sqrt(np.diag(spread))) * p[::-1] / np.array([1e6, 2e6])
    inside = 0
    for seed in range(200):
        found = simulate(race, mean, spread, rng=np.random.default_rng(seed), draws=2000)
        values = vote_values(race, found, mean, spread)
        inside += int((np.abs(values.value - exact) < 1.96 * values.error).sum())
    assert 0.92 < inside / 400 < 0.98


def test_what_cannot_be_valued_is_refused(race, found):
    with pytest.raises(DesignError, match="Unknown objective"):
        vote_values(race, found, MEAN, SPREAD, objective="glory")
    with pytest.raises(DesignError, match="more votes than a place has"):
        value_of_plan(race, found, MEAN, SPREAD, 2 * VOTES, rng=np.random.default_rng(1))
    with pytest.raises(DesignError, match="does not fit"):
        value_of_plan(race, found, MEAN, SPREAD, [1.0], rng=np.random.default_rng(1))


def test_shares_of_the_example_are_what_they_seem():
    assert expit(MEAN).round(2).tolist() == [0.51, 0.5, 0.49, 0.52, 0.47, 0.6]
