"""The winner's rule, joint draws, and what they say of the race."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, ndtr

from hustings.errors import DesignError
from hustings.stats.races import (
    contest_leads,
    factor,
    make_race,
    outcomes,
    simulate,
    win_probability,
)
from hustings.stats.scenarios import tipping_points


def leads(*rows: tuple[float, ...]) -> np.ndarray:
    return np.array(rows, dtype=np.float32)[:, :, None]


def test_269_of_538_electors_are_a_tie_and_win_nothing():
    race = make_race("electors", [1, 1], seats=[269, 269])
    assert race.needed == 270
    found = outcomes(race, leads((1, -1), (1, 1)))
    assert found.seats.tolist() == [269, 538]
    assert found.won.tolist() == [False, True]


def test_half_of_an_even_parliament_is_no_majority_and_half_of_an_odd_one_rounded_up_is():
    assert make_race("seats", [1] * 4, seats=[1] * 4).needed == 3
    assert make_race("seats", [1] * 5, seats=[1] * 5).needed == 3


def test_three_places_by_hand():
    # Seats 3, 4, 5 and 7 needed: the eight combinations.
    race = make_race("electors", [10, 10, 10], seats=[3, 4, 5])
    signs = np.array([[(i >> j & 1) * 2 - 1 for j in range(3)] for i in range(8)], dtype=np.float32)
    found = outcomes(race, signs[:, :, None])
    assert found.seats.tolist() == [0, 3, 4, 7, 5, 8, 9, 12]
    assert found.won.tolist() == [False, False, False, True, False, True, True, True]


def test_independent_places_win_with_the_product_of_their_chances():
    race = make_race("electors", [10, 10, 10], seats=[3, 4, 5])
    mean, spread = np.array([0.1, -0.05, 0.2]), np.diag([0.04, 0.01, 0.09])
    p = ndtr(mean / np.sqrt(np.diag(spread)))
    # Any two of the three have 7 of 12.
    exact = p[0] * p[1] + p[0] * p[2] + p[1] * p[2] - 2 * p.prod()
    found = simulate(race, mean, spread, rng=np.random.default_rng(1))
    chance = win_probability(found.won)
    assert abs(chance.value - exact) < 4 * chance.error
    assert chance.error == pytest.approx(np.sqrt(exact * (1 - exact) / 66_000), rel=0.01)


def test_draws_have_the_mean_and_covariance_that_were_asked_for():
    race = make_race("seats", [1, 1], seats=[1, 1])
    spread = np.array([[0.04, 0.03], [0.03, 0.09]])
    found = simulate(race, [0.3, -0.2], spread, rng=np.random.default_rng(2), draws=200_000)
    drawn = found.leads[:, :, 0].astype(float)
    assert drawn.mean(axis=0) == pytest.approx([0.3, -0.2], abs=0.003)
    assert np.cov(drawn.T) == pytest.approx(spread, abs=0.001)


def test_heavy_tails_keep_the_covariance_and_lengthen_the_tails():
    race = make_race("plurality", [1.0])
    found = simulate(race, [0.0], [[1.0]], rng=np.random.default_rng(3), draws=400_000, degrees=5)
    drawn = found.leads[:, 0, 0].astype(float)
    assert drawn.var() == pytest.approx(1, rel=0.03)
    assert np.mean(np.abs(drawn) > 3.5) > 3 * 2 * ndtr(-3.5)


def test_the_whole_is_the_sum_of_votes_and_not_the_mean_of_logits():
    race = make_race("plurality", [1, 3])
    share = expit(np.array([2.0, -0.5]))
    together = (share[0] + 3 * share[1]) / 4
    found = contest_leads(race, np.array([[[2.0], [-0.5]]]))
    assert found[0, 0, 0] == pytest.approx(np.log(together / (1 - together)))


def test_a_state_whose_districts_vote_is_a_contest_of_its_own():
    # Maine: two electors for the state, one for each district.
    race = make_race("electors", [100, 300], members=[[1, 0], [0, 1], [1, 1]], seats=[1, 1, 2])
    assert race.weights[2].tolist() == [0.25, 0.75]
    assert race.needed == 3
    assert race.is_place.tolist() == [0, 1, -1]
    found = outcomes(
        race, contest_leads(race, np.array([[[1.0], [-0.1]]], dtype=np.float32)).astype(np.float32)
    )
    assert found.carried[0].tolist() == [True, False, True]


def test_a_referendum_of_people_and_cantons_needs_both():
    race = make_race("referendum", [90, 10, 10], seats=[1, 1, 1], needed=2)
    # Most people live in the first canton: carried alone it brings the people, not the cantons.
    cases = np.array([[[1.0], [-0.1], [-0.1]], [[1.0], [0.1], [-0.1]], [[-1.0], [1.0], [1.0]]])
    found = outcomes(race, contest_leads(race, cases).astype(np.float32))
    assert found.won.tolist() == [False, True, False]


def test_a_threshold_of_three_fifths_is_not_passed_by_most_votes():
    race = make_race("referendum", [1.0], threshold=0.6)
    found = outcomes(race, contest_leads(race, np.log([[[0.59 / 0.41]], [[0.61 / 0.39]]])).astype(np.float32))
    assert found.won.tolist() == [False, True]


def test_the_first_of_three_wins_a_plurality_and_not_a_majority():
    # 45, 30 and 25 in a hundred.
    lead = np.log([[[45 / 30, 45 / 25]]])
    first, most = make_race("plurality", [1.0]), make_race("majority", [1.0])
    assert outcomes(first, contest_leads(first, lead).astype(np.float32)).won.tolist() == [True]
    assert outcomes(most, contest_leads(most, lead).astype(np.float32)).won.tolist() == [False]


def test_the_tipping_point_is_the_one_that_brings_the_seats_needed():
    race = make_race("electors", [1, 1, 1], seats=[3, 4, 5])
    # In order of our lead: 5 seats, 3 (8 of the 7 needed), 4.
    assert tipping_points(race, outcomes(race, leads((0.1, -0.2, 0.3)))).tolist() == [1, 0, 0]
    # The race is lost, and the same definition names the place that would have turned it.
    assert tipping_points(race, outcomes(race, leads((-0.3, -0.1, 0.2)))).tolist() == [0, 1, 0]


@settings(max_examples=40, deadline=None)
@given(
    seats=st.lists(st.integers(0, 60), min_size=2, max_size=12).filter(lambda s: sum(s) > 0),
    seed=st.integers(0, 2**32 - 1),
)
def test_the_race_is_won_exactly_when_the_tipping_point_is(seats, seed):
    rng = np.random.default_rng(seed)
    race = make_race("electors", np.ones(len(seats)), seats=seats)
    lead = rng.standard_normal((50, len(seats), 1)).astype(np.float32)
    found = outcomes(race, lead)
    for i in range(50):
        one = outcomes(race, lead[i : i + 1])
        tipping = tipping_points(race, one).argmax()
        assert seats[tipping] > 0
        assert bool(one.carried[0, tipping]) == bool(found.won[i])


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(["electors", "seats", "plurality", "majority", "referendum"]), st.integers(0, 2**32 - 1)
)
def test_more_votes_never_lose_a_race(rule, seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 8))
    seats = rng.integers(1, 20, n) if rule in ("electors", "seats") else None
    race = make_race(rule, rng.uniform(1, 9, n), seats=seats)
    lead = rng.standard_normal((40, n, 1))
    more = lead + rng.uniform(0, 1, (40, n, 1))
    before, after = (outcomes(race, contest_leads(race, x).astype(np.float32)).won for x in (lead, more))
    assert not (before & ~after).any()


def test_a_certain_race_has_an_error_all_the_same():
    assert 0 < win_probability([True] * 1000).error < 0.005


def test_a_covariance_without_full_rank_is_drawn_from():
    spread = np.full((3, 3), 0.04)
    lower = factor(spread)
    assert lower @ lower.T == pytest.approx(spread)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"rule": "lottery", "votes": [1]}, "Unknown rule"),
        ({"rule": "plurality", "votes": []}, "Votes do not fit"),
        ({"rule": "plurality", "votes": [0.0]}, "Votes do not fit"),
        ({"rule": "electors", "votes": [1, 1]}, "seats do not fit"),
        ({"rule": "electors", "votes": [1, 1], "seats": [1, 1], "needed": 3}, "cannot be won"),
        ({"rule": "electors", "votes": [1, 1], "seats": [0, 0]}, "seats do not fit"),
        ({"rule": "referendum", "votes": [1], "threshold": 1.0}, "No such threshold"),
        ({"rule": "seats", "votes": [1, 1], "seats": [1], "members": [[0, 0]]}, "none empty"),
    ],
)
def test_a_race_that_cannot_be_is_refused(arguments, words):
    with pytest.raises(DesignError, match=words):
        make_race(**arguments)


@pytest.mark.parametrize(
    ("mean", "covariance", "words"),
    [
        ([0.0], np.eye(2), "Leads do not fit"),
        ([0.0, np.nan], np.eye(2), "Leads do not fit"),
        ([0.0, 0.0], [[1.0, 2.0], [2.0, 1.0]], "No covariance"),
        ([0.0, 0.0], np.eye(3), "do not fit"),
    ],
)
def test_draws_that_cannot_be_made_are_refused(mean, covariance, words):
    race = make_race("seats", [1, 1], seats=[1, 1])
    with pytest.raises(DesignError, match=words):
        simulate(race, mean, covariance, rng=np.random.default_rng(1))
