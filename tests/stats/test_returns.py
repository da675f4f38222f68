"""The live forecast: nights whose truth is known, in which who reports early is anything but a sample."""

from __future__ import annotations

import numpy as np
import pytest

from hustings.errors import DesignError
from hustings.stats.returns import Beliefs, Counted, Expected, follow, naive_share


def logistic(score):
    return 1 / (1 + np.exp(-score))


def night(seed: int, done: float, n: int = 250, hidden: float = 0.06, shift: float = 0.12):
    """A night in which small precincts that lean away from the first candidate report first.

    The swing goes with the lean, differs by region, and goes with a trait that nobody has seen and that also decides
    who reports early. Returns generator, expectation, count and true share.
    """
    rng = np.random.default_rng(seed)
    region = np.append(np.arange(15), rng.integers(0, 15, n - 15))
    lean = rng.normal(0, 0.5, n) + rng.normal(0, 0.4, 15)[region]
    lean -= lean.mean() - rng.normal(0, 0.05)
    size = np.exp(rng.normal(6.5, 0.6, n) + 0.3 * lean)
    trait = rng.normal(size=n)
    swing = rng.normal(0, shift) + rng.normal(0, 0.05) * lean / lean.std() + rng.normal(0, 0.08, 15)[region]
    swing += hidden * rng.normal() * trait + rng.normal(0, 0.1, n)
    votes = size * np.exp(rng.normal(0, 0.08) + rng.normal(0, 0.05, 15)[region] + rng.normal(0, 0.08, n))
    votes = np.maximum(votes.round(), 1)
    first = rng.binomial(votes.astype(int), logistic(lean + swing))
    late = 1.2 * lean + 0.4 * np.log(size / size.mean()) + 0.7 * trait + rng.normal(0, 0.5, n)
    reported = np.zeros(n)
    reported[np.argsort(late)[: int(done * n)]] = 1.0
    expected = Expected(logistic(lean), size, region, np.zeros(n, int), np.empty((n, 0)))
    return rng, expected, Counted(first * reported, votes * reported, reported), first.sum() / votes.sum()


@pytest.mark.parametrize("done", [0.03, 0.15, 0.5])
def test_early_precincts_chosen_by_leaning_mislead_the_count_and_not_the_forecast(done):
    held, wrong, counted, forecast = [], [], [], []
    for seed in range(30):
        rng, expected, count, truth = night(seed, done)
        found = follow(expected, count, draws=300, rng=rng)
        held.append(found.low <= truth <= found.high)
        wrong.append((found.p_win > 0.95) * (truth < 0.5) + (found.p_win < 0.05) * (truth > 0.5))
        counted.append(naive_share(count) - truth)
        forecast.append(found.share - truth)
    assert 0.88 <= np.mean(held) <= 1.0
    assert np.sum(wrong) <= 2
    naive, ours = (np.sqrt(np.mean(np.square(error))) for error in (counted, forecast))
    assert naive > 4 * ours
    # The count alone calls it for the other side almost always.
    assert np.mean(np.array(counted) < -0.05) > 0.95


def test_a_strong_hidden_reason_to_report_early_needs_earlier_nights_to_be_told():
    # A trait twice as strong as the lean, and seen by nobody: without room for it far too sure.
    held: dict[str, list[bool]] = {"none": [], "told": []}
    for seed in range(30):
        _, expected, count, truth = night(seed, 0.5, hidden=0.16)
        gaps = 0.16 * np.random.default_rng(1000 + seed).normal(size=6)
        for name, given in (("none", np.full(500, 1e-4)), ("told", gaps)):
            found = follow(expected, count, earlier_gaps=given, draws=300, rng=np.random.default_rng(seed))
            held[name].append(found.low <= truth <= found.high)
    assert np.mean(held["told"]) > np.mean(held["none"]) + 0.2
    assert np.mean(held["told"]) >= 0.8


def test_before_the_first_count_the_forecast_is_the_one_before_the_night():
    rng, expected, _, _ = night(1, 0.0)
    zero = np.zeros(250)
    found = follow(expected, Counted(zero, zero, zero), Beliefs(swing=0.12), draws=3000, rng=rng)
    before = float(expected.votes @ expected.share / expected.votes.sum())
    assert found.share == pytest.approx(before, abs=0.01)
    assert found.std_error == pytest.approx(0.12 * before * (1 - before), rel=0.15)
    assert found.n_reported == 0
    assert np.isnan(naive_share(Counted(zero, zero, zero)))


def test_when_all_is_counted_nothing_is_uncertain():
    rng, expected, count, truth = night(2, 1.0)
    found = follow(expected, count, draws=200, rng=rng)
    assert (found.low, found.share, found.high) == pytest.approx((truth,) * 3)
    assert found.p_win in (0.0, 1.0)
    assert found.votes == count.both.sum()


def test_the_more_is_counted_the_surer_it_is():
    widths = []
    for done in (0.05, 0.3, 0.8):
        rng, expected, count, _ = night(3, done)
        found = follow(expected, count, draws=1500, rng=rng)
        widths.append(found.high - found.low)
    assert widths[0] > widths[1] > widths[2]


def test_mail_that_is_counted_first_does_not_speak_for_election_day():
    # The first candidate's voters vote by mail: two ways of voting in each of 100 precincts, mail counted first.
    held, alone = [], []
    for seed in range(30):
        rng = np.random.default_rng(seed)
        mode, region = np.repeat([0, 1], 100), np.tile(np.arange(100) % 10, 2)
        lean = np.tile(rng.normal(0, 0.4, 100), 2)
        truth = lean + np.where(mode == 0, 0.5, -0.5) + rng.normal(0, 0.1, 200) + rng.normal(0, 0.1)
        votes = np.full(200, 800.0)
        first = rng.binomial(800, logistic(truth))
        mail = (mode == 0).astype(float)
        # What is known of before: no difference by way of voting.
        expected = Expected(logistic(lean), votes, region, mode, np.empty((200, 0)))
        found = follow(
            expected, Counted(first * mail, votes * mail, mail), Beliefs(mode=0.5), draws=300, rng=rng
        )
        share = first.sum() / votes.sum()
        held.append(found.low <= share <= found.high)
        alone.append((first * mail).sum() / (votes * mail).sum() - share)
    assert np.mean(held) >= 0.9
    assert np.mean(alone) > 0.1


def test_a_precinct_that_is_half_counted_keeps_what_is_counted():
    rng, expected, count, _ = night(4, 0.4)
    half = count.reported * 0.5
    partly = Counted((count.first * half).round(), (count.both * half).round(), half)
    found = follow(expected, partly, draws=500, rng=rng)
    assert (found.both_draws.sum(1) >= partly.both.sum()).all()
    assert (found.first_draws.sum(1) >= partly.first.sum() - 1e-6).all()
    whole = follow(expected, count, draws=500, rng=rng)
    assert found.high - found.low > whole.high - whole.low


def test_turnout_that_is_up_where_it_is_counted_is_expected_up_elsewhere():
    rng, expected, count, _ = night(5, 0.4)
    more = Counted((count.first * 1.3).round(), (count.both * 1.3).round(), count.reported)
    rest = [
        follow(expected, given, Beliefs(turnout=0.2), draws=500, rng=rng).votes - given.both.sum()
        for given in (count, more)
    ]
    assert 1.1 < rest[1] / rest[0] < 1.4


def test_checked_off_voters_never_tell_more_than_their_scores_allow():
    # Everyone who will vote has been seen, and support is a score with a shared error.
    held = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        n = 80
        share, error, swing = rng.uniform(0.3, 0.7, n), rng.normal(0, 0.2), rng.normal(0, 0.12)
        score = np.log(share / (1 - share))
        votes = np.full(n, 500.0)
        truth = logistic(score + swing).mean()
        told = logistic(score + swing + error) * votes
        expected = Expected(share, votes, np.arange(n) % 8, np.zeros(n, int), np.empty((n, 0)))
        found = follow(expected, Counted(told, votes, np.ones(n)), Beliefs(measured=0.2), draws=500, rng=rng)
        held.append(found.low <= truth <= found.high)
    assert np.mean(held) > 0.88


def test_earlier_nights_with_large_gaps_make_it_less_sure():
    _, expected, count, _ = night(6, 0.3)
    calm, wild = (
        follow(expected, count, earlier_gaps=gaps, draws=1500, rng=np.random.default_rng(1))
        for gaps in (np.full(6, 0.02), np.full(6, 0.3))
    )
    assert wild.gap > 3 * calm.gap
    assert wild.std_error > calm.std_error


def test_a_precinct_that_is_done_without_a_vote_is_done():
    rng, expected, count, _ = night(7, 0.5)
    empty = int(np.flatnonzero(count.reported == 0)[0])
    reported = count.reported.copy()
    reported[empty] = 1.0
    found = follow(expected, count._replace(reported=reported), draws=300, rng=rng)
    assert np.isfinite(found.share)


@pytest.mark.parametrize(
    ("of", "name", "value"),
    [
        ("expected", "share", 1.0),
        ("expected", "votes", 0.0),
        ("expected", "votes", np.nan),
        ("counted", "first", 1e9),
        ("counted", "first", -1.0),
        ("counted", "reported", 1.5),
        ("counted", "reported", 0.0),
    ],
)
def test_wrong_units_are_counted_and_refused(of, name, value):
    rng, expected, count, _ = night(8, 1.0)
    given = {"expected": expected, "counted": count}
    values = getattr(given[of], name).copy()
    values[:2] = value
    given[of] = given[of]._replace(**{name: values})
    with pytest.raises(DesignError, match=r"2 of 250|Units do not fit"):
        follow(given["expected"], given["counted"], rng=rng)


def test_regions_without_a_unit_beliefs_of_nothing_and_gaps_of_nothing_are_refused():
    rng, expected, count, _ = night(9, 0.5)
    with pytest.raises(DesignError, match="regions"):
        follow(expected._replace(region=expected.region + 1), count, rng=rng)
    with pytest.raises(DesignError, match="Beliefs"):
        follow(expected, count, Beliefs(unit=0.0), rng=rng)
    with pytest.raises(DesignError, match="gaps"):
        follow(expected, count, earlier_gaps=[np.nan], rng=rng)
    none = np.empty(0)
    with pytest.raises(DesignError, match="No unit"):
        follow(
            Expected(none, none, none.astype(int), none.astype(int), np.empty((0, 0))),
            Counted(none, none, none),
            rng=rng,
        )
