"""The simulated state has the properties that it promises, and its experiment recovers its truth."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from hustings.errors import DesignError
from hustings.simulate import ARMS, ELECTION_DAY, PAST, World, draw_names, draw_world
from hustings.simulate.population import PARTIES, completed_years
from hustings.simulate.world import CHANNELS


@pytest.fixture(scope="module")
def world() -> World:
    return draw_world(20_000, np.random.default_rng(7))


def _households(world: World):
    first = np.flatnonzero(np.diff(world.household, prepend=-1))
    return first, np.bincount(world.household)


def _pair_correlation(world: World, values: np.ndarray) -> float:
    """Correlation between the first two members of every household that has two."""
    first, size = _households(world)
    head = first[size > 1]
    return float(np.corrcoef(values[head], values[head + 1])[0, 1])


def test_households_have_one_to_eight_members_and_share_a_place(world):
    first, size = _households(world)
    assert size.min() == 1
    assert size.max() <= 8
    assert 1.8 < size.mean() < 2.0
    np.testing.assert_array_equal(world.place, world.place[first][world.household])
    assert world.household.size == 20_000


def test_places_have_about_800_people_and_lie_in_one_region_each(world):
    assert world.place.max() + 1 == 25
    n_in_place = np.bincount(world.place)
    assert 600 < n_in_place.min() <= n_in_place.max() < 1_000
    pairs = np.unique(np.column_stack([world.place, world.region]), axis=0)
    assert len(pairs) == 25
    assert world.region.max() + 1 == 2


def test_ages_fit_the_days_of_birth_and_couples_are_alike(world):
    assert world.age.min() == 18
    assert 90 < world.age.max() <= 100
    np.testing.assert_array_equal(world.age, completed_years(world.born_on, np.datetime64(ELECTION_DAY)))
    first, size = _households(world)
    assert _pair_correlation(world, world.age) > 0.4
    third = first[size > 2] + 2
    assert (world.age[third] <= world.age[first[size > 2]] - 20).all()


def test_completed_years_change_on_the_birthday_and_not_before():
    born = np.array(["2004-02-29", "2008-08-04", "2008-08-05", "1926-01-31"], "M8[D]")
    assert completed_years(born, np.datetime64("2026-08-04")).tolist() == [22, 18, 17, 100]
    assert completed_years(born, np.datetime64("2026-02-28")).tolist() == [21, 17, 17, 100]


def test_every_party_and_both_sexes_are_there(world):
    shares = np.bincount(world.party) / world.party.size
    assert len(shares) == len(PARTIES)
    assert shares.min() > 0.15
    assert 0.48 < world.female.mean() < 0.56


def test_nobody_registers_before_eighteen_or_votes_before_registering(world):
    # registration closes a month before the election, so a few of 18 were signed up just before it
    early = completed_years(world.born_on, np.datetime64("2026-08-04")) == 18
    years = (world.registered_on - world.born_on).astype(float) / 365.25
    assert years[~early].min() > 17.99
    assert world.registered_on.max() <= np.datetime64("2026-07-06")
    for column, election in enumerate(PAST):
        unable = world.registered_on >= np.datetime64(election.day)
        assert unable.any()
        assert not world.votes[unable, column].any()
        child = completed_years(world.born_on, np.datetime64(election.day)) < 18
        assert not world.votes[child, column].any()


def test_generals_draw_more_than_primaries_and_the_past_tells_the_future(world):
    able = world.registered_on < np.datetime64(PAST[0].day)
    rates = world.votes[able].mean(axis=0)
    assert rates[1::2].min() > rates[::2].max()
    votes = world.votes[able].astype(float)
    correlation = np.corrcoef(votes.T)
    assert correlation[~np.eye(6, dtype=bool)].min() > 0.1
    assert np.corrcoef(votes.mean(axis=1), world.p_control[able])[0, 1] > 0.6


def test_turnout_is_about_a_third_and_households_go_together(world):
    assert abs(world.p_control.mean() - 0.32) < 0.02
    assert abs(world.voted[world.arm <= 0].mean() - world.p_control[world.arm <= 0].mean()) < 0.015
    assert _pair_correlation(world, world.voted) > 0.1
    assert _pair_correlation(world, world.trait) > 0.3


def test_mean_effects_are_about_one_three_and_five_points(world):
    np.testing.assert_allclose(world.effect.mean(axis=0), [0.01, 0.03, 0.05], atol=0.004)
    reached = world.p_control[:, None] + world.effect
    assert reached.min() >= 0.0
    assert reached.max() <= 1.0


def test_plain_is_nearly_constant_and_social_leaves_the_certain_alone(world):
    plain, social, record = world.effect.T
    assert plain.std() < 0.001
    assert (social[world.p_control > 0.95] == 0).all()
    middling = np.abs(world.p_control - 0.475) < 0.05
    assert social[middling].min() > social[world.p_control > 0.85].max()
    assert record.std() > 0.04


def test_record_backfires_for_the_young_without_a_party_only(world):
    record = world.effect[:, 2]
    backfires = record < 0
    np.testing.assert_array_equal(backfires, (world.age < 35) & (world.party == 0))
    assert 0.03 < backfires.mean() < 0.1
    drop_off = world.votes[:, 5] & ~world.votes[:, 4] & ~backfires
    assert record[drop_off].mean() > 2 * record[~drop_off & ~backfires].mean()


def test_no_household_is_in_two_arms(world):
    first, _ = _households(world)
    np.testing.assert_array_equal(world.arm, world.arm[first][world.household])


def test_arms_are_blocked_by_place_and_balanced(world):
    first, _ = _households(world)
    arm, place = world.arm[first], world.place[first]
    for block in range(place.max() + 1):
        here = arm[place == block]
        counts = np.bincount(here[here >= 0], minlength=4)
        assert abs(counts.sum() - 0.6 * here.size) <= 1
        assert abs(counts[0] - counts.sum() / 2) <= 1
        assert np.abs(counts[1:] - counts.sum() / 6).max() <= 1


def test_whoever_refuses_mail_is_not_in_the_test(world):
    refuses = np.isin(world.opt_out, [CHANNELS.index("mail"), CHANNELS.index("all")])
    assert (world.opt_out >= 0).sum() == 60
    assert refuses.any()
    assert (world.arm[refuses] == -1).all()


@pytest.mark.parametrize("n_arms", [2, 3, 4])
def test_fewer_arms_keep_control_at_one_half(n_arms):
    world = draw_world(3_000, np.random.default_rng(1), n_arms=n_arms, share_tested=0.9)
    assert world.arms == ARMS[:n_arms]
    assert world.effect.shape == (3_000, n_arms - 1)
    shares = np.bincount(world.arm[world.arm >= 0]) / (world.arm >= 0).sum()
    np.testing.assert_allclose(shares, [0.5] + [0.5 / (n_arms - 1)] * (n_arms - 1), atol=0.03)


def test_the_same_seed_gives_the_same_world_and_another_does_not():
    one, same, other = (draw_world(1_000, np.random.default_rng(seed)) for seed in (7, 7, 8))
    for field in dataclasses.fields(World):
        np.testing.assert_array_equal(getattr(one, field.name), getattr(same, field.name))
    assert not np.array_equal(one.p_control, other.p_control)


def _difference(world: World, values: np.ndarray, arm: int) -> tuple[float, float]:
    """Difference in means between an arm and control, and its household-clustered error."""
    means, variance = [], 0.0
    for a in (arm, 0):
        in_arm = world.arm == a
        mean = values[in_arm].mean()
        sums = np.bincount(world.household[in_arm], values[in_arm] - mean)
        g = np.unique(world.household[in_arm]).size
        variance += (sums**2).sum() / in_arm.sum() ** 2 * g / (g - 1)
        means.append(mean)
    return means[0] - means[1], variance**0.5


def _recovered(worlds: int, seed: int) -> np.ndarray:
    """For each world and arm: estimate, error, truth of voting, then the same of past voting."""
    rng = np.random.default_rng(seed)
    found = np.empty((worlds, 3, 6))
    for row in found:
        world = draw_world(1_500, rng)
        past = world.votes.mean(axis=1)
        truth = world.effect[world.arm >= 0].mean(axis=0)
        for arm in (1, 2, 3):
            row[arm - 1] = (
                *_difference(world, world.voted, arm),
                truth[arm - 1],
                *_difference(world, past, arm),
                0.0,
            )
    return found


def test_the_difference_in_means_recovers_the_true_effects_and_finds_no_past_ones_with_95_percent_coverage():
    found = _recovered(250, seed=20260804)
    for estimate, error, truth in (np.moveaxis(found[..., :3], 2, 0), np.moveaxis(found[..., 3:], 2, 0)):
        covered = (np.abs(estimate - truth) < 1.96 * error).mean(axis=0)
        assert covered.min() > 0.91
        assert covered.max() < 0.99
        miss = estimate - truth
        assert np.abs(miss.mean(axis=0) / (miss.std(axis=0) / 250**0.5)).max() < 3.0


@pytest.mark.parametrize("people", [999, 1_000_001, 0, -5, 1_500.0, "many", True])
def test_a_size_out_of_range_is_refused_with_the_range(people):
    with pytest.raises(DesignError, match="1,000 to 1,000,000"):
        draw_world(people, np.random.default_rng(1))


@pytest.mark.parametrize(
    "setting", [{"n_arms": 1}, {"n_arms": 5}, {"share_tested": 0}, {"share_tested": 1.0}]
)
def test_a_test_that_cannot_be_drawn_is_refused(setting):
    with pytest.raises(DesignError, match="allowed"):
        draw_world(1_000, np.random.default_rng(1), **setting)


def test_households_share_a_family_name_and_have_an_address_of_their_own(world):
    names = draw_names(world, np.random.default_rng(1))
    first, size = _households(world)
    family = np.array(names.family.to_pylist())
    head = first[size > 1]
    assert 0.7 < (family[head] == family[head + 1]).mean() < 0.95
    address = np.array(names.address.to_pylist())
    np.testing.assert_array_equal(address, address[first][world.household])
    envelopes = set(zip(address[first], np.array(names.postcode.to_pylist())[first], strict=True))
    assert len(envelopes) == first.size
    assert len(set(names.given.to_pylist())) == 48
