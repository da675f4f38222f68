"""Seats in proportion to votes: by hand, against a real parliament, and in every draw at once."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hustings.errors import DesignError
from hustings.stats.proportional import STEPS, allocate, our_seats
from hustings.stats.races import make_race, outcomes, simulate
from hustings.stats.vote_values import vote_values


def test_seats_are_given_as_in_the_textbook():
    # D'Hondt's own kind of example, worked seat by seat: quotients 100, 80, 50, 40, 33.3, 30, 26.7, 25 (thousands).
    assert allocate([100, 80, 30, 20], 8).tolist() == [4, 3, 1, 0]
    # Sainte-Lague gives the small party a second seat's worth earlier: 100, 80, 33.3, 30, 26.7, 20, 20, 16.
    assert allocate([100, 80, 30, 20], 8, "sainte_lague").tolist() == [3, 3, 1, 1]


def test_the_german_federal_election_of_2013_comes_out():
    # Second votes of the five parties above the hurdle and all others together, and the 598 seats before compensation
    # divided over the country: the Federal Returning Officer's first distribution by party totals.
    votes = {"CDU": 14_921_877, "SPD": 11_252_215, "Left": 3_755_699, "Greens": 3_694_057, "CSU": 3_243_569}
    found = dict(zip(votes, allocate(list(votes.values()), 631, "sainte_lague"), strict=True))
    # The whole house of 631, which was enlarged until it was in proportion: 255, 193, 64, 63, 56.
    assert found == {"CDU": 255, "SPD": 193, "Left": 64, "Greens": 63, "CSU": 56}


@given(
    st.lists(st.integers(1, 10_000), min_size=2, max_size=7),
    st.integers(1, 40),
    st.sampled_from(sorted(STEPS)),
    st.sampled_from([0.0, 0.05, 0.2]),
)
@settings(max_examples=300, deadline=None)
def test_our_seats_are_those_given_one_by_one(votes, seats, divisors, hurdle):
    cast = np.array(votes, float) + np.linspace(0.1, 0.4, len(votes))  # no ties
    if (cast >= hurdle * cast.sum()).sum() == 0:
        return
    leads = np.log(cast[0] / cast[1:])[None, None, :]
    assert our_seats(leads, [seats], divisors, hurdle)[0, 0] == allocate(cast, seats, divisors, hurdle)[0]


def test_all_parties_seats_add_up():
    cast = np.random.default_rng(1).dirichlet(np.ones(5), 200)
    total = np.zeros(200)
    for party in range(5):
        others = np.delete(cast, party, axis=1)
        total += our_seats(np.log(cast[:, [party]] / others)[:, None, :], [11])[:, 0]
    assert (total == 11).all()


def test_a_party_below_the_hurdle_gets_nothing():
    leads = np.log([[[4 / 48, 4 / 48]]])
    assert our_seats(leads, [30], hurdle=0.05).tolist() == [[0.0]]
    assert our_seats(leads, [30]).tolist() == [[1.0]]
    with pytest.raises(DesignError, match="passes the hurdle"):
        allocate([1, 1, 1], 3, hurdle=0.5)


@pytest.mark.parametrize("objective", ["seats", "win"])
def test_a_vote_is_worth_what_brute_force_says(objective):
    votes = np.array([1e5, 2e5, 4e5])
    race = make_race("proportional", votes, seats=[5, 9, 17], needed=14)
    mean = np.array([[0.1, 0.9], [-0.2, 0.8], [0.0, 1.0]])
    spread = np.kron(0.01 + 0.02 * np.eye(3), [[1.0, 0.5], [0.5, 1.0]])
    found = simulate(race, mean, spread, rng=np.random.default_rng(1), draws=400_000)
    values = vote_values(race, found, mean, spread, objective=objective)
    for place in range(3):
        ends = []
        for sign in (1, -1):
            share = 1 / (1 + np.exp(-mean[place]).sum())
            net = 0.01 * votes[place]
            moved = mean.copy()
            moved[place] += sign * net / (2 * votes[place] * share * (1 - share))
            then = simulate(race, moved, spread, rng=np.random.default_rng(1), draws=400_000)
            ends.append((then.won if objective == "win" else then.seats).mean(dtype=float))
        brute = (ends[0] - ends[1]) / (2 * 0.01 * votes[place])
        assert values.value[place] == pytest.approx(brute, rel=0.06)
        assert abs(values.value[place] - brute) < 5 * values.error[place]


def test_one_seat_in_proportion_is_the_firsts():
    leads = np.random.default_rng(2).normal(size=(500, 2, 2)).astype(np.float32)
    shared = make_race("proportional", [1.0, 1.0], seats=[1, 1])
    first = make_race("seats", [1.0, 1.0], seats=[1, 1])
    assert np.array_equal(outcomes(shared, leads).seats, outcomes(first, leads).seats)


def test_what_cannot_be_divided_is_refused():
    with pytest.raises(DesignError, match="Unknown divisors"):
        allocate([1, 2], 3, "lots")
    with pytest.raises(DesignError, match="do not fit"):
        our_seats(np.zeros((1, 2, 1)), [1])
