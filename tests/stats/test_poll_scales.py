"""Scales learned from elections that are over: their slope by differences, and recovery of a drawn world."""

from __future__ import annotations

import numpy as np
import pytest

from hustings.stats.poll_draws import draw
from hustings.stats.poll_scales import BELIEVED, Over, learn, likelihood_slope
from hustings.stats.polls import WHOLE, Polls, Prior, Scales, log_likelihood


def _drawn(scales, seed, places=8, n=250):
    rng = np.random.default_rng(seed)
    polls = Polls(
        rng.integers(WHOLE, places, n),
        np.full(n, 0.5),
        rng.integers(500, 1500, n).astype(float),
        rng.integers(0, 100, n).astype(float),
        rng.integers(0, 30, n),
        rng.integers(0, 3, n),
        rng.integers(0, 2, n),
    )
    correlation = 0.3 + 0.7 * np.eye(places)
    prior = Prior(rng.normal(0, 0.4, places), 0.02 * correlation)
    drawn = draw(polls, prior, correlation=correlation, scales=scales, rng=rng)
    return Over(drawn.polls, drawn.result, correlation, np.ones(places))


def test_the_slope_is_that_of_the_likelihood():
    year = _drawn(Scales(), 3)
    scales = Scales(pull=-0.1)
    value, slope = likelihood_slope(year, scales)
    known = Prior(year.result, np.zeros((8, 8)))

    def likelihood(changed):
        return log_likelihood(
            year.polls, known, correlation=year.correlation, scales=changed, votes=year.votes
        )

    assert value == pytest.approx(likelihood(scales))
    names = [name for name in Scales._fields if name != "pull"] + ["pull"]
    for name, by in zip(names, slope, strict=True):
        step = 1e-5
        up, down = (scales._replace(**{name: getattr(scales, name) + s}) for s in (step, -step))
        assert by == pytest.approx((likelihood(up) - likelihood(down)) / (2 * step), rel=2e-4, abs=1e-3), name


def test_scales_of_a_drawn_world_are_found_again():
    truth = Scales(
        walk_national=0.02,
        walk_place=0.004,
        house=0.12,
        excess=0.02,
        error_place=0.09,
        pull=-0.2,
        pull_error=0.05,
    )
    found = learn([_drawn(truth, seed) for seed in range(5)])
    for name in ("walk_national", "house", "error_place"):
        assert getattr(found.scales, name) == pytest.approx(getattr(truth, name), rel=0.3), name
    assert found.scales.pull == pytest.approx(-0.2, abs=0.08)
    assert found.n_polls == 1250


def test_without_elections_what_was_believed_stays():
    nothing = _drawn(Scales(), 1)
    nothing = nothing._replace(polls=Polls(*(column[:0] for column in nothing.polls)))
    assert learn([]).scales == learn([nothing]).scales == BELIEVED
