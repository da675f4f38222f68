"""The rules of thumb, by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit, logit

from hustings.errors import DesignError
from hustings.stats.forecast_scores import score
from hustings.stats.poll_averages import average_error, mean_of_polls, p_win


def test_only_polls_of_the_last_three_weeks_are_averaged():
    found = mean_of_polls([0, 0, 0], [0.5, 0.52, 0.9], [0, 21.5, 22], [0.0])
    assert found.share[0] == pytest.approx(0.51)
    assert found.n_polls.tolist() == [2]


def test_a_place_without_polls_gets_the_wholes_polls_and_its_lean():
    found = mean_of_polls([-1, -1, 0], [0.5, 0.54, 0.6], [1, 2, 3], [9.0, -0.4])
    assert found.share.tolist() == pytest.approx([0.6, expit(logit(0.52) - 0.4)])


def test_with_no_polls_at_all_there_is_no_average():
    assert np.isnan(mean_of_polls([], [], [], [0.1]).share).all()


def test_the_latest_five_are_the_five_nearest_to_the_day():
    found = mean_of_polls(
        [0] * 7, [0.9, 0.5, 0.5, 0.5, 0.5, 0.6, 0.9], [9, 1, 2, 3, 4, 5, 8], [0.0], latest=5
    )
    assert found.share[0] == pytest.approx(0.52)


def test_the_error_of_averages_is_of_places_and_not_of_polls():
    assert average_error([1, 1, 2], [1, 1, 1], [0.54, 0.5, 0.5], [0.5, 0.5, 0.5]) == pytest.approx(
        np.sqrt(0.0002)
    )
    assert np.isnan(average_error([], [], [], []))
    assert p_win([0.5], 0.1).tolist() == [0.5]


def test_columns_of_other_lengths_are_refused():
    with pytest.raises(DesignError):
        mean_of_polls([0], [0.5, 0.5], [1], [0.0])
    with pytest.raises(DesignError):
        score([0.5], [0.5, 0.5], [0.5], error=0.1)


def test_scores_by_hand():
    found = score(
        [1.0, 0.5, 0.0],
        [0.6, 0.5, 0.4],
        [0.6, 0.49, 0.55],
        error=0.05,
        on_logit=False,
        weights=[1, 2, 1],
        counted=[True, True, False],
    )
    assert found.brier == pytest.approx((0 + 0.25 + 1) / 3)
    assert found.weighted_brier == pytest.approx((0.5 + 1) / 4)
    assert found.root_mean_square_error == pytest.approx(np.sqrt(0.0001 / 2))
    assert (found.called, found.n_places) == (2, 3)
    assert found.coverage_80 == found.coverage_95 == pytest.approx(2 / 3)
