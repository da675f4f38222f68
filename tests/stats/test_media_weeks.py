"""Money by week and area: by hand, against a general solver, and when it is better left."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hustings.errors import DesignError
from hustings.stats.media_weeks import Channel, gain_of, gains_of_draws, marginal_gain, plan_weeks, spread
from hustings.stats.response import Response


def state(seed, areas=4, weeks=3, shape=None):
    rng = np.random.default_rng(seed)
    people = np.exp(rng.normal(8, 1, areas))
    channels = [
        Channel(0.05, Response(0.3, shape), 0.8, 10.0, np.outer(people, rng.uniform(0.8, 1.5, weeks))),
        Channel(0.03, Response(0.8), 2.0, 5.0, np.outer(people, rng.uniform(0.8, 1.5, weeks))),
    ]
    votes = np.append(rng.uniform(0, 0.2, weeks - 1), 1.0)
    return channels, people * rng.random(areas), votes / votes.sum()


def test_two_areas_by_hand():
    # Equal slopes at the end: 100 e^(-x) = 200 e^(-y) with x + y = 3 gives y - x = log 2.
    channels = [Channel(0.1, Response(1.0), 0.0, 10.0, [[1.0], [1.0]])]
    found = plan_weeks(channels, [1000.0, 2000.0], [1.0], 3.0, tolerance=1e-9)
    assert found.cents.ravel() == pytest.approx([(3 - np.log(2)) / 2, (3 + np.log(2)) / 2], abs=1e-3)
    assert found.why_left is None


@pytest.mark.parametrize("seed", range(4))
def test_a_general_solver_finds_nothing_better(seed):
    from scipy.optimize import minimize

    channels, worth, votes = state(seed)
    budget = 2.0 * float(sum(np.asarray(c.price).sum() for c in channels)) / 6
    found = plan_weeks(channels, worth, votes, budget, tolerance=1e-6)
    room = np.array([np.asarray(c.price) * c.most for c in channels])
    scale = room.ravel()
    other = minimize(
        lambda x: -gain_of(channels, (x * scale).reshape(room.shape), worth, votes), np.full(scale.size, 0.05),
        bounds=[(0, 1)] * scale.size, constraints={"type": "ineq", "fun": lambda x: 1 - (x * scale).sum() / budget},
        options={"maxiter": 500, "ftol": 1e-10},
    )  # fmt: skip
    assert found.gain >= -other.fun * (1 - 1e-4)
    assert found.gain <= found.bound * (1 + 1e-9)
    assert found.gap < 1e-5


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 1000), st.floats(0, 1e5), st.sampled_from([None, 2.0]))
def test_limits_are_kept_and_no_rule_of_thumb_is_better(seed, budget, shape):
    channels, worth, votes = state(seed, shape=shape)
    found = plan_weeks(channels, worth, votes, budget)
    assert found.spent <= budget * (1 + 1e-9) + 1e-6
    for channel, cents in zip(channels, found.cents, strict=True):
        assert (cents >= 0).all()
        assert (cents <= np.asarray(channel.price) * channel.most * (1 + 1e-9)).all()
    rule = spread(budget, [1] * 4, [1] * 3, 2)
    if shape is None:
        assert found.gain >= gain_of(channels, rule, worth, votes) * (1 - 1e-3) - 1e-9
    assert 0 <= found.gap <= 1


def test_all_is_spent_when_it_pays_and_not_when_it_does_not():
    channels, worth, votes = state(1)
    plenty = plan_weeks(channels, worth, votes, 1e9)
    assert "highest dose that was tested" in plenty.why_left
    assert plenty.gap < 1e-3
    some = plan_weeks(channels, worth, votes, 3e4)
    assert some.why_left is None
    assert some.spent == pytest.approx(3e4)
    dear = plan_weeks(channels, worth, votes, 3e4, elsewhere=some.marginal * 2)
    assert "elsewhere" in dear.why_left
    assert dear.spent < 3e4
    assert dear.marginal <= some.marginal * 2 * 1.01
    none = [channel._replace(full_effect=-0.01) for channel in channels]
    kept = plan_weeks(none, worth, votes, 3e4)
    assert kept.spent == kept.gain == 0
    assert "no channel is expected" in kept.why_left


def test_the_slope_is_that_of_the_gain():
    channels, worth, votes = state(2)
    cents = np.random.default_rng(0).random((2, 4, 3)) * 1e3
    slope = marginal_gain(channels, cents, worth, votes)
    for at in [(0, 0, 0), (1, 2, 1), (0, 3, 2)]:
        more = cents.copy()
        more[at] += 0.01
        step = (gain_of(channels, more, worth, votes) - gain_of(channels, cents, worth, votes)) / 0.01
        assert slope[at] == pytest.approx(step, rel=1e-3)


def test_draws_that_agree_gain_what_the_curve_gains():
    channels, worth, votes = state(3)
    one = channels[0]
    cents = np.random.default_rng(0).random((1, 4, 3)) * 1e4
    told = gains_of_draws([[0.05, 0.3, np.nan, 0.8]], cents[0], one.price, one.most, worth, votes)
    assert told == pytest.approx(gain_of([one], cents, worth, votes))


def test_an_s_shape_is_not_spread_thin():
    channels = [Channel(0.1, Response(1.0, 3.0), 0.0, 5.0, np.ones((10, 1)))]
    found = plan_weeks(channels, np.full(10, 1e3), [1.0], 3.0)
    # The best dose per cent of z^3 / (1 + z^3) is 2^(1/3): two areas get it, not ten a third of a cent.
    assert (found.cents > 1.0).sum() == 2
    assert (found.cents > 0.01).sum() <= 3


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"budget": -1.0}, "0 or more"),
        ({"budget": np.nan}, "0 or more"),
        ({"worth": [np.nan] * 4}, "worth by area"),
        ({"votes": [0.5, 0.5, 0.5]}, "votes by week"),
        ({"channels": []}, "no channel"),
        ({"channels": [Channel(0.1, Response(1.0), 0.0, 5.0, np.zeros((4, 3)))]}, "prices above 0"),
        ({"channels": [Channel(np.nan, Response(1.0), 0.0, 5.0, np.ones((4, 3)))]}, "prices above 0"),
    ],
)
def test_what_cannot_be_planned_is_refused(change, words):
    channels, worth, votes = state(0)
    given = {"channels": channels, "worth": worth, "votes": votes, "budget": 10.0} | change
    with pytest.raises(DesignError, match=words):
        plan_weeks(**given)
