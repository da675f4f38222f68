"""The model of polls: by hand, against the joint Gaussian, and by coverage of elections that were drawn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, logit

from hustings.errors import DesignError
from hustings.stats.poll_choice import swapped
from hustings.stats.poll_draws import draw
from hustings.stats.poll_world import build
from hustings.stats.polls import (
    WHOLE,
    Polls,
    Prior,
    Scales,
    fit,
    keep,
    log_likelihood,
    whole_slope,
)

NONE = Polls(*(np.zeros(0, kind) for kind in (int, float, float, float, int, int, int)))
QUIET = Scales(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)


def _polls(place, share, size=800.0, day=3.0, house=None):
    n = len(place)
    return Polls(
        np.array(place),
        np.array(share, float),
        np.broadcast_to(np.float64(size), (n,)).copy(),
        np.broadcast_to(np.float64(day), (n,)).copy(),
        np.arange(n) if house is None else np.array(house),
        np.full(n, -1),
        np.full(n, -1),
    )


def _season(places=6, n=120, seed=1):
    """Polls of a season: some of the whole, pollsters with one poll and with many, two modes and populations."""
    rng = np.random.default_rng(seed)
    polls = Polls(
        rng.integers(WHOLE, places - 1, n),
        rng.uniform(0.4, 0.6, n),
        rng.integers(300, 2000, n).astype(float),
        rng.integers(0, 120, n) / 2,
        rng.integers(0, 40, n),
        rng.integers(-1, 2, n),
        rng.integers(0, 2, n),
    )
    root = rng.normal(size=(places, places))
    moment = root @ root.T + 2 * np.eye(places)
    scale = np.sqrt(np.diag(moment))
    prior = Prior(rng.normal(0, 0.4, places), 0.01 + 0.02 * moment / np.outer(scale, scale))
    return polls, prior, moment / np.outer(scale, scale), rng.uniform(1, 9, places)


def _batch(polls, prior, correlation, scales, votes):
    """The posterior of the whole state at step 0 by conditioning one big Gaussian."""
    world = build(polls, prior, correlation, scales, votes)
    p, h = len(prior.mean), world.rows
    seen = h[:, :p]
    walked = np.minimum(polls.day[:, None], polls.day[None, :]) * (seen @ world.believed.walk @ seen.T)
    spread = h @ world.believed.covariance @ h.T + walked + np.diag(world.variance)
    gain = np.linalg.solve(spread, h @ world.believed.covariance).T
    told = world.value - h @ world.believed.mean
    mean = world.believed.mean + gain @ told
    covariance = world.believed.covariance - gain @ h @ world.believed.covariance
    sign, size = np.linalg.slogdet(spread)
    assert sign > 0
    likelihood = -0.5 * (told @ np.linalg.solve(spread, told) + size + len(told) * np.log(2 * np.pi))
    return mean, covariance, likelihood


def test_the_filter_agrees_with_the_batch_solution():
    polls, prior, correlation, votes = _season()
    scales = Scales(pull=-0.1)
    found = fit(polls, prior, correlation=correlation, scales=scales, votes=votes)
    mean, covariance, likelihood = _batch(polls, prior, correlation, scales, votes)
    np.testing.assert_allclose(found.mean, mean[:6], atol=1e-9)
    np.testing.assert_allclose(found.covariance, covariance[:6, :6], atol=1e-9)
    np.testing.assert_allclose(found.poll_error, mean[6:12], atol=1e-9)
    assert found.log_likelihood == pytest.approx(likelihood, abs=1e-7)
    # Opinion and shared error taken as one have the same likelihood.
    together = log_likelihood(polls, prior, correlation=correlation, scales=scales, votes=votes)
    assert together == pytest.approx(likelihood, abs=1e-7)
    often = np.flatnonzero(np.bincount(polls.house) >= 2)
    np.testing.assert_allclose(found.house[often], mean[13 : 13 + len(often)], atol=1e-9)


def test_one_poll_by_hand():
    prior = Prior(np.array([0.0]), np.array([[0.04]]))
    found = fit(_polls([0], [0.55], day=0.0), prior, correlation=np.eye(1), scales=QUIET)
    own = 1 / (800 * 0.55 * 0.45)
    assert found.mean[0] == pytest.approx(logit(0.55) * 0.04 / (0.04 + own))
    assert found.covariance[0, 0] == pytest.approx(0.04 * own / (0.04 + own))


def test_without_polls_the_prior_answers_and_says_so():
    _, prior, correlation, _ = _season()
    found = fit(NONE, prior, correlation=correlation, scales=Scales(), days=[0, 9])
    assert found.n_polls == 0
    np.testing.assert_allclose(found.mean, prior.mean)
    np.testing.assert_allclose(found.covariance, prior.covariance)
    np.testing.assert_allclose(found.path[1], prior.mean)
    assert (found.path_error[0] > found.path_error[1]).all()


def test_a_place_without_polls_follows_the_places_it_is_like():
    correlation = np.array([[1.0, 0.9, 0.0], [0.9, 1.0, 0.0], [0.0, 0.0, 1.0]])
    prior = Prior(np.zeros(3), 0.04 * correlation)
    found = fit(_polls([0] * 4, [0.56] * 4), prior, correlation=correlation, scales=Scales())
    error = np.sqrt(np.diag(found.covariance))
    assert found.mean[0] > found.mean[1] > 0.05
    assert found.mean[2] == pytest.approx(0)
    assert error[0] < error[1] < error[2] == pytest.approx(0.2)


def test_many_polls_never_get_past_the_error_that_they_share():
    prior = Prior(np.zeros(1), np.eye(1))
    scales = Scales(error_national=0.05, error_place=0.0)
    found = fit(_polls([0] * 400, [0.52] * 400), prior, correlation=np.eye(1), scales=scales)
    assert 0.05 < np.sqrt(found.covariance[0, 0]) < 0.06


def test_a_tiny_and_a_huge_sample_are_held_in_bounds():
    prior = Prior(np.zeros(1), 0.04 * np.eye(1))

    def moved(size):
        return fit(_polls([0], [0.6], size=size), prior, correlation=np.eye(1), scales=Scales()).mean[0]

    assert moved(12.0) < 0.15 * logit(0.6) < 0.5 * logit(0.6) < moved(1000.0) < moved(200_000.0) < logit(0.6)
    assert moved(200_000.0) - moved(20_000.0) < 0.01


def test_a_poll_of_the_whole_reads_the_share_and_not_the_mean_of_logits():
    mean, votes = np.array([2.0, -1.0, 0.1]), np.array([1.0, 2.0, 5.0])
    slope, constant = whole_slope(mean, votes)
    weight = votes / votes.sum()
    assert slope @ mean + constant == pytest.approx(logit(weight @ expit(mean)))
    for i in range(3):
        step = 1e-5 * np.eye(3)[i]
        change = logit(weight @ expit(mean + step)) - logit(weight @ expit(mean - step))
        assert slope[i] == pytest.approx(change / 2e-5, rel=1e-6)


def test_a_pollster_who_leans_is_told_from_the_truth():
    place, day = np.tile(np.arange(6), 20), np.repeat(np.arange(20.0), 6)
    house = np.arange(120) % 5
    share = expit(np.where(house == 2, 0.2, 0.0))
    polls = _polls(place, share, day=day, house=house)
    found = fit(polls, Prior(np.zeros(6), 0.04 * np.eye(6)), correlation=np.eye(6), scales=Scales(house=0.1))
    others = np.delete(found.house, 2)
    assert found.house[2] - others.mean() == pytest.approx(0.2, abs=0.02)
    assert (found.house_error < 0.1).all()


def test_a_pollster_with_one_poll_is_as_in_the_state():
    prior, scales = Prior(np.zeros(1), 0.04 * np.eye(1)), Scales(house=0.1)
    one = _polls([0], [0.58])
    found = fit(one, prior, correlation=np.eye(1), scales=scales)
    own = 1 / (800 * 0.58 * 0.42) + scales.excess**2
    shared = 0.04 + scales.error_national**2 + scales.error_place**2
    walked = 3 * (scales.walk_national**2 + scales.walk_place**2)
    assert found.house[0] == pytest.approx(logit(0.58) * 0.01 / (0.01 + own + shared + walked), rel=1e-6)
    assert found.house_error[0] < 0.1


def test_heavy_tails_trust_a_poll_far_off_less():
    polls = _polls([0] * 9, [0.5] * 8 + [0.7])
    known = {"correlation": np.eye(1), "scales": Scales()}
    prior = Prior(np.zeros(1), 0.04 * np.eye(1))
    normal, heavy = (fit(polls, prior, **known, tails=tails) for tails in (None, 4.0))
    assert (normal.trust == 1).all()
    assert heavy.trust[8] < 0.4
    assert (heavy.trust[:8] > 1).all()
    assert 0 < heavy.mean[0] < normal.mean[0] / 2


def test_swapped_candidates_are_seen():
    polls = _polls([0] * 6, [0.66, 0.65, 0.67, 0.66, 0.34, 0.56])
    found = fit(polls, Prior(np.array([0.6]), 0.02 * np.eye(1)), correlation=np.eye(1), scales=Scales())
    assert swapped(polls, found).tolist() == [False] * 4 + [True, False]


def test_the_path_ends_on_election_day():
    polls, prior, correlation, votes = _season()
    found = fit(polls, prior, correlation=correlation, scales=Scales(), votes=votes, days=np.arange(70))
    assert found.days.tolist() == list(range(69, -1, -1))
    np.testing.assert_allclose(found.path[-1], found.mean, atol=1e-9)
    np.testing.assert_allclose(found.path_error[-1], np.sqrt(np.diag(found.covariance)), atol=1e-9)
    slope, constant = whole_slope(prior.mean, votes)
    assert found.whole[-1] == pytest.approx(slope @ found.mean + constant)


@settings(max_examples=20, deadline=None)
@given(st.randoms(use_true_random=False))
def test_neither_order_nor_the_name_of_the_first_candidate_matters(random):
    polls, prior, correlation, _ = _season(n=30)
    known = {"correlation": correlation, "scales": Scales()}
    found = fit(polls, prior, **known)
    order = np.array(random.sample(range(30), 30))
    np.testing.assert_allclose(fit(keep(polls, order), prior, **known).mean, found.mean, atol=1e-10)
    mirrored = fit(polls._replace(share=1 - polls.share), Prior(-prior.mean, prior.covariance), **known)
    np.testing.assert_allclose(mirrored.mean, -found.mean, atol=1e-10)


@pytest.mark.parametrize(
    "change",
    [
        {"place": np.array([6])},
        {"place": np.array([-2])},
        {"share": np.array([0.0])},
        {"share": np.array([np.nan])},
        {"size": np.array([0.0])},
        {"day": np.array([-1.0])},
        {"day": np.array([0.0, 1.0])},
    ],
)
def test_polls_that_cannot_be_are_refused(change):
    _, prior, correlation, _ = _season()
    with pytest.raises(DesignError):
        fit(_polls([0], [0.5])._replace(**change), prior, correlation=correlation, scales=Scales())


@pytest.mark.parametrize(
    ("prior", "votes"),
    [
        (Prior(np.zeros(0), np.zeros((0, 0))), None),
        (Prior(np.zeros(2), np.eye(3)), None),
        (Prior(np.zeros(2), np.eye(2)), np.zeros(2)),
        (Prior(np.zeros(2), np.eye(2)), np.ones(3)),
    ],
)
def test_a_prior_that_does_not_fit_is_refused(prior, votes):
    with pytest.raises(DesignError):
        fit(NONE, prior, correlation=np.eye(len(prior.mean)), scales=Scales(), votes=votes)


def _coverage(world, model, elections=200):
    polls, prior, correlation, votes = _season(places=10, n=150, seed=4)
    prior = prior._replace(covariance=prior.covariance * 0.5)
    rng = np.random.default_rng(8)
    inside = []
    for _ in range(elections):
        drawn = draw(polls, prior, correlation=correlation, scales=world, votes=votes, rng=rng)
        found = fit(drawn.polls, prior, correlation=correlation, scales=model, votes=votes)
        z = np.abs(drawn.result - found.mean) / np.sqrt(np.diag(found.covariance))
        inside.append([np.mean(z < 1.2816), np.mean(z < 1.9600)])
    return np.mean(inside, axis=0)


def test_intervals_cover_what_they_promise_in_the_models_own_world():
    low, high = _coverage(Scales(pull=-0.1), Scales(pull=-0.1))
    assert 0.78 <= low <= 0.82
    assert 0.94 <= high <= 0.96


def test_a_model_without_shared_errors_promises_too_much():
    blind = Scales(pull=-0.1)._replace(error_national=0.0, error_place=0.0, pull_error=0.0)
    low, high = _coverage(Scales(pull=-0.1), blind, elections=100)
    assert low < 0.65
    assert high < 0.85
