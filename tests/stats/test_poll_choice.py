"""Polls that are left out, each with its reason."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hustings.errors import DesignError
from hustings.stats.poll_choice import REASONS, Published, choose

GOOD = {"place": 0, "house": 1, "start": 10, "end": 12, "size": 600, "first": 48, "second": 44}


def _published(*rows):
    table = [GOOD | row for row in rows]
    kinds = {"place": int, "house": int}
    return Published(*(np.array([row[name] for row in table], kinds.get(name, float)) for name in GOOD))


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({}, None),
        ({"place": -1}, None),
        ({"first": 51, "second": 50}, None),
        ({"size": 12}, None),
        ({"size": 200_000}, None),
        ({"place": -2}, REASONS[0]),
        ({"first": np.nan}, REASONS[1]),
        ({"second": 0}, REASONS[1]),
        ({"first": 60, "second": 55}, REASONS[2]),
        ({"size": 0}, REASONS[3]),
        ({"size": np.nan}, REASONS[3]),
        ({"start": np.nan}, REASONS[4]),
        ({"start": 13}, REASONS[5]),
        ({"end": 21}, REASONS[6]),
        ({"end": 20}, REASONS[6]),
        ({"end": 16}, REASONS[7]),
    ],
)
def test_each_fault_has_its_reason(row, reason):
    assert choose(_published(row), before=16, election=20).tolist() == [reason]


def test_the_same_poll_twice_counts_once():
    assert choose(_published({}, {}), before=16, election=20).tolist() == [REASONS[8], None]


def test_of_tracking_waves_only_those_apart_are_kept_the_latest_first():
    waves = [{"start": day, "end": day + 2, "first": 40 + day} for day in range(1, 8)]
    reasons = choose(_published(*waves), before=16, election=20)
    assert [reason is None for reason in reasons] == [True, False, False, True, False, False, True]
    assert {reason for reason in reasons if reason} == {REASONS[9]}


def test_a_pollsters_waves_in_other_places_do_not_overlap():
    found = choose(_published({}, {"place": 1}, {"house": 2}), before=16, election=20)
    assert found.tolist() == [None, None, None]


def test_columns_of_other_lengths_are_refused():
    with pytest.raises(DesignError):
        choose(_published({})._replace(size=np.ones(2)), before=16, election=20)


@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "place": st.integers(-3, 2),
                "start": st.one_of(st.just(np.nan), st.integers(0, 30)),
                "end": st.integers(0, 30),
                "size": st.one_of(st.just(np.nan), st.integers(-1, 10**9)),
                "first": st.one_of(st.just(np.nan), st.floats(-1, 200)),
            }
        ),
        min_size=1,
        max_size=12,
    )
)
def test_whatever_comes_kept_polls_can_be_used_and_do_not_overlap(rows):
    polls = _published(*rows)
    kept = np.array([reason is None for reason in choose(polls, before=16, election=20)])
    assert (polls.end[kept] < 16).all()
    assert (polls.first[kept] > 0).all()
    for place in range(-1, 3):
        mine = kept & (polls.place == place)
        order = np.argsort(polls.end[mine])
        assert (polls.start[mine][order][1:] > polls.end[mine][order][:-1]).all()
