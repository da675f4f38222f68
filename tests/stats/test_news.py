"""What new polls change, poll by poll."""

from __future__ import annotations

import numpy as np
import pytest

from hustings.errors import DesignError
from hustings.stats.news import news
from hustings.stats.polls import WHOLE, Polls, Prior, Scales, fit


@pytest.fixture(scope="module")
def world():
    rng = np.random.default_rng(1)
    n, places = 60, 4
    polls = Polls(
        rng.choice([WHOLE, 0, 1, 2, 3], n),
        rng.uniform(0.4, 0.6, n),
        rng.uniform(300, 1500, n),
        np.sort(rng.uniform(0, 90, n)),
        rng.integers(0, 7, n),
        rng.integers(-1, 3, n),
        rng.integers(0, 2, n),
    )
    prior = Prior(rng.normal(0, 0.3, places), 0.02 + 0.02 * np.eye(places))
    given = {"correlation": 0.5 + 0.5 * np.eye(places), "scales": Scales(), "votes": [1.0, 2.0, 3.0, 4.0]}
    return polls, prior, given


def test_the_parts_add_up_to_the_whole_change(world):
    polls, prior, given = world
    new = polls.day < 8
    found = news(polls, new, prior, **given)
    before = fit(Polls(*(column[~new] for column in polls)), prior, **given)
    after = fit(polls, prior, **given)
    assert found.change.shape == (new.sum(), 4)
    assert found.change.sum(axis=0) == pytest.approx(after.mean - before.mean, abs=1e-9)


def test_one_new_poll_is_foretold_as_by_all_others(world):
    polls, prior, given = world
    new = np.arange(60) == 5
    found = news(polls, new, prior, **given)
    after = fit(polls, prior, **given)
    assert found.value - found.foretold == pytest.approx(after.left_out[new], abs=1e-9)
    assert found.deviation == pytest.approx(after.left_out_error[new], abs=1e-9)


def test_no_new_poll_changes_nothing(world):
    polls, prior, given = world
    assert news(polls, np.zeros(60, dtype=bool), prior, **given).change.shape == (0, 4)


def test_all_polls_may_be_new(world):
    polls, prior, given = world
    found = news(polls, np.ones(60, dtype=bool), prior, **given)
    assert found.change.sum(axis=0) == pytest.approx(fit(polls, prior, **given).mean - prior.mean, abs=1e-9)


def test_marks_that_do_not_fit_are_refused(world):
    polls, prior, given = world
    with pytest.raises(DesignError, match="Marks of new polls"):
        news(polls, [True], prior, **given)
