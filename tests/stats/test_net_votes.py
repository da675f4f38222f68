"""What a contact adds: by hand, against a simulation of all errors at once, and as a product inside the mean."""

from __future__ import annotations

import numpy as np
import pytest

from hustings.errors import DesignError
from hustings.stats.net_votes import WEIGHTS, Move, axis_variances, expected, log_odds_shift, nodes, total


def test_a_mobilised_supporter_is_worth_a_vote_and_an_opponent_costs_one():
    assert expected([0.3, 0.3, 0.3], [1.0, 0.0, 0.5], Move(0.2)).round(9).tolist() == [0.2, -0.2, 0.0]


def test_a_voter_who_changes_sides_counts_twice():
    assert expected([1.0], [0.4], Move(0.0), Move(0.1))[0] == pytest.approx(0.2)


def test_without_support_ballots_are_counted():
    assert expected([0.3, 0.9], None, Move(np.array([0.1, -0.05]))).tolist() == pytest.approx([0.1, -0.05])


def test_a_shift_of_log_odds_moves_the_middle_most_and_nobody_beyond_one():
    added = expected([0.01, 0.5, 0.99, 1.0], None, Move(0.4, log_odds=True))
    assert added.argmax() == 1
    assert added[3] == 0
    assert (added >= 0).all()


def test_the_mean_is_of_the_product_not_the_product_of_means():
    rng = np.random.default_rng(1)
    t, s = np.array([0.2, 0.6, 0.9]), np.array([0.3, 0.7, 0.95])
    errors = (0.4, 0.5)
    turnout, support = Move(0.5, 0.3, log_odds=True), Move(0.2, 0.3, log_odds=True)
    z = rng.standard_normal((400_000, 4))

    def shifted(p, by):
        return 1 / (1 + (1 / p - 1) * np.exp(-by))

    t0 = shifted(t, errors[0] * z[:, :1])
    t1 = shifted(t0, 0.5 + 0.3 * z[:, 2:3])
    s0 = shifted(s, errors[1] * z[:, 1:2])
    s1 = shifted(s0, 0.2 + 0.3 * z[:, 3:4])
    drawn = t1 * (2 * s1 - 1) - t0 * (2 * s0 - 1)
    found = expected(t, s, turnout, support, score_errors=errors)
    assert np.abs(found - drawn.mean(0)).max() < 0.002
    flat = t * 0  # the product of averages is off by more than that
    flat = (t1.mean(0)) * (2 * s1.mean(0) - 1) - t0.mean(0) * (2 * s0.mean(0) - 1)
    assert np.abs(found - drawn.mean(0)).max() < np.abs(flat - drawn.mean(0)).max() + 0.002
    deviation = total(nodes(t, s, turnout, support, score_errors=errors).sum(1))[1]
    assert deviation == pytest.approx(drawn.sum(1).std(), rel=0.06)


def test_errors_shared_by_all_do_not_average_out():
    together = nodes(np.full(1_000, 0.5), None, Move(0.1, 0.05)).sum(1)
    assert total(together) == pytest.approx((100.0, 50.0))


def test_variances_of_the_errors_add():
    added = nodes([0.5], [0.8], Move(0.1, 0.05), Move(0.05, 0.02), score_errors=(0.2, 0.2))[:, 0]
    assert total(added)[1] ** 2 == pytest.approx(axis_variances(added).sum())
    assert WEIGHTS.sum() == pytest.approx(1.0)


def test_one_shift_of_log_odds_comes_to_the_mean_effect():
    p = np.random.default_rng(2).beta(1, 2, 5_000)
    shift, slope = log_odds_shift(p, 0.03)
    assert expected(p, None, Move(shift, log_odds=True)).mean() == pytest.approx(0.03)
    assert slope == pytest.approx(np.mean(p * (1 - p)))


def test_an_effect_that_cannot_be_is_refused():
    with pytest.raises(DesignError, match="cannot change so much"):
        log_odds_shift([0.9], 0.2)
    with pytest.raises(DesignError, match="1 people without one"):
        nodes([0.5, 0.5], None, Move(np.array([0.1, np.nan])))
    with pytest.raises(DesignError, match="out of range"):
        nodes([1.5], None, Move(0.1))
