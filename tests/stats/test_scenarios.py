"""Suppositions and paths to victory."""

from __future__ import annotations

import numpy as np
import pytest

from hustings.errors import DesignError
from hustings.stats.races import make_race, outcomes, simulate
from hustings.stats.scenarios import given_leads, given_winners, lead_of_margin, paths_to_victory

MEAN = np.array([0.1, 0.0, -0.1, 0.05])
SPREAD = 0.01 + np.diag([0.01, 0.02, 0.01, 0.005])


def test_conditioning_is_what_rejection_of_draws_gives():
    draws = MEAN + np.random.default_rng(1).standard_normal((2_000_000, 4)) @ np.linalg.cholesky(SPREAD).T
    lead = lead_of_margin(0.02)
    near = draws[np.abs(draws[:, 1] - lead) < 0.01]
    mean, covariance = given_leads(MEAN, SPREAD, [1], [lead])
    assert mean == pytest.approx(near.mean(axis=0), abs=0.003)
    keep = [0, 2, 3]
    assert covariance[np.ix_(keep, keep)] == pytest.approx(np.cov(near.T)[np.ix_(keep, keep)], abs=0.0005)
    assert mean[1] == lead
    assert not covariance[1].any()


def test_two_suppositions_one_after_the_other_are_as_both_at_once():
    at_once = given_leads(MEAN, SPREAD, [0, 2], [0.2, -0.3])
    first = given_leads(MEAN, SPREAD, [0], [0.2])
    # After the first, the second must vary by itself: conditioning goes on from there.
    second = given_leads(*first, [2], [-0.3])
    assert second[0] == pytest.approx(at_once[0])
    assert second[1] == pytest.approx(at_once[1])


def test_to_suppose_what_is_expected_moves_nothing_and_makes_surer():
    mean, covariance = given_leads(MEAN, SPREAD, [3], [MEAN[3]])
    assert mean == pytest.approx(MEAN)
    assert (np.diag(covariance) < np.diag(SPREAD)).all()


def test_supposing_nothing_changes_nothing():
    mean, covariance = given_leads(MEAN, SPREAD, [], [])
    assert (mean == MEAN).all()
    assert (covariance == SPREAD).all()


def test_winners_are_supposed_by_the_draws_that_agree():
    race = make_race("seats", np.ones(4), seats=np.ones(4))
    found = simulate(race, MEAN, SPREAD, rng=np.random.default_rng(2))
    agree = given_winners(found, [1], [2])
    assert found.carried[agree, 1].all()
    assert not found.carried[agree, 2].any()
    assert found.carried[agree, 0].mean() > found.carried[:, 0].mean()


def test_what_hardly_ever_happens_is_not_supposed_by_a_handful_of_draws():
    race = make_race("seats", np.ones(2), seats=np.ones(2))
    found = simulate(race, [3.0, 0.0], np.eye(2) / 4, rng=np.random.default_rng(2), draws=10_000)
    with pytest.raises(DesignError, match="hardly ever happens"):
        given_winners(found, [], [0])


@pytest.mark.parametrize(
    ("places", "leads"), [([9], [0.1]), ([0, 0], [0.1, 0.1]), ([0], [np.inf]), ([0], [])]
)
def test_places_that_cannot_be_supposed_are_refused(places, leads):
    with pytest.raises(DesignError, match="cannot be supposed"):
        given_leads(MEAN, SPREAD, places, leads)


def test_a_margin_of_more_than_all_is_refused():
    with pytest.raises(DesignError, match="No such margin"):
        lead_of_margin(2)


def test_the_paths_of_three_places_by_hand():
    # Seats 3, 4, 5 and 7 needed: any two are enough, and none alone.
    race = make_race("electors", [1, 1, 1], seats=[3, 4, 5])
    found = simulate(race, [0.3, 0.1, 0.0], np.eye(3) / 25, rng=np.random.default_rng(3))
    ways = paths_to_victory(race, found)
    assert ways.safe == ()
    assert [set(path.contests) for path in ways.paths] == [{0, 1}, {0, 2}, {1, 2}]
    assert ways.paths[-1].covers == 1
    assert all(path.p_win.value == 1 for path in ways.paths)


def test_a_path_holds_no_place_that_could_be_left_out():
    rng = np.random.default_rng(4)
    seats = rng.integers(3, 30, 14)
    race = make_race("electors", np.ones(14), seats=seats)
    found = simulate(race, rng.normal(0, 0.1, 14), 0.004 + 0.01 * np.eye(14), rng=rng, draws=20_000)
    ways = paths_to_victory(race, found)
    assert ways.paths
    for path in ways.paths:
        total = ways.safe_seats + seats[list(path.contests)].sum()
        assert total >= race.needed > total - seats[list(path.contests)].min()
    covers = [path.covers for path in ways.paths]
    assert covers == sorted(covers)


def test_a_race_that_is_safe_needs_no_contested_place():
    race = make_race("electors", [1, 1], seats=[10, 1])
    found = simulate(race, [3.0, 0.0], np.eye(2) / 100, rng=np.random.default_rng(5), draws=5000)
    ways = paths_to_victory(race, found)
    assert [path.contests for path in ways.paths] == [()]
    assert ways.safe == (0,)


def test_a_race_that_is_never_won_has_no_path():
    race = make_race("electors", [1, 1], seats=[10, 1])
    found = outcomes(race, np.full((500, 2, 1), -1, dtype=np.float32))
    assert paths_to_victory(race, found).paths == ()
