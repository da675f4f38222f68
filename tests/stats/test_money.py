"""Money by day: by hand, against a known truth with its coverage, on bad input."""

from __future__ import annotations

import numpy as np
import pytest

from hustings.errors import DesignError
from hustings.stats.money import (
    Sizes,
    day_columns,
    draw_counts,
    draw_money,
    fit_days,
    gift_sizes,
)

DAYS, AHEAD = 150, 28


def world(rng):
    """Days and their gifts: a level that drifts from week to week, weekdays, deadlines, asks, and chance."""
    day = np.arange(20_000, 20_000 + DAYS + AHEAD)
    known = day_columns(day, deadlines=day[29::30], asks=day[10::45])
    effect = np.array([0.1, 0.2, 0.1, -0.1, -0.4, -0.3, 1.2, 0.5, 0.2, 0.9, 0.4, 0.1])
    level = np.log(15) + 0.08 * rng.standard_normal(len(day) // 7 + 1).cumsum()[np.arange(len(day)) // 7]
    mean = np.exp(level + known @ effect)
    counts = rng.poisson(mean * rng.gamma(1 / 0.15, 0.15, len(day)))
    return known, counts, [rng.lognormal(np.log(4_000), 0.9, n) for n in counts]


def test_what_is_known_of_a_day_by_hand():
    # 1970-01-05 was a Monday.
    columns = day_columns([4, 5, 10], deadlines=[6, 20], asks=[4])
    assert columns[0].tolist() == [0] * 7 + [1, 0, 1, 0, 0]
    assert columns[1].tolist() == [1, 0, 0, 0, 0, 0, 0, 1, 0, 0, 1, 0]
    assert columns[2].tolist() == [0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1]


def test_the_weekdays_and_deadlines_are_found_again():
    rng = np.random.default_rng(1)
    day = np.arange(20_000, 20_400)
    known = day_columns(day, deadlines=day[29::30])
    counts = rng.poisson(np.exp(3.5 + known @ np.array([0, 0, 0, 0, -0.5, 0, 1.0, 0, 0, 0, 0, 0])))
    best = fit_days(counts, known).fits[0]
    assert best.mode[5] == pytest.approx(-0.5, abs=0.1)
    assert best.mode[7] == pytest.approx(1.0, abs=0.12)


def test_the_interval_of_the_sum_holds_the_truth():
    inside = []
    for seed in range(30):
        rng = np.random.default_rng(seed)
        known, counts, amounts = world(rng)
        model = fit_days(counts[:DAYS], known[:DAYS])
        past = np.concatenate(amounts[:DAYS])
        sizes = gift_sizes(past, np.repeat(np.arange(DAYS) // 7, counts[:DAYS]))
        total = draw_money(draw_counts(model, known[DAYS:], 1_000, rng), sizes, rng).cumsum(axis=1)
        true = np.cumsum([one.sum() for one in amounts[DAYS:]])
        low, high = np.quantile(total, [0.025, 0.975], axis=0)
        inside.append((low <= true) & (true <= high))
    assert 0.88 < np.mean(inside) < 0.99


def test_a_days_money_has_the_mean_and_the_spread_of_its_gifts():
    rng = np.random.default_rng(1)
    found = draw_money(np.full((20_000, 1), 3), Sizes(1_000.0, 640_000.0, 0.0), rng)
    assert found.mean() == pytest.approx(3_000, rel=0.02)
    assert found.std() == pytest.approx(np.sqrt(3 * 640_000), rel=0.03)
    assert (draw_money(np.zeros((5, 2)), Sizes(1_000.0, 640_000.0, 0.1), rng) == 0).all()


def test_gifts_of_a_week_that_are_alike_make_the_mean_less_sure():
    rng = np.random.default_rng(1)
    week = np.repeat(np.arange(20), 50)
    alike = np.exp(8 + 0.5 * rng.standard_normal(20))[week]
    apart = gift_sizes(alike, week).log_error
    assert apart > 2 * gift_sizes(alike, np.arange(1_000)).log_error


@pytest.mark.parametrize(
    "counts",
    [np.zeros(60), np.ones(27), np.full(60, 0.5), np.full(60, -1), np.full(60, np.nan), np.full(60, np.inf)],
)
def test_counts_that_cannot_be_are_refused(counts):
    with pytest.raises(DesignError):
        fit_days(counts, day_columns(np.arange(len(counts))))


def test_other_columns_and_amounts_that_are_none_are_refused():
    model = fit_days(np.full(56, 4), day_columns(np.arange(56)))
    with pytest.raises(DesignError, match="Days to come"):
        draw_counts(model, np.zeros((3, 2)), 10, np.random.default_rng(1))
    with pytest.raises(DesignError, match="Days do not fit"):
        fit_days(np.ones(30), np.ones((29, 12)))
    for cents in ([], [0.0], [-5.0], [np.inf]):
        with pytest.raises(DesignError, match="no amount"):
            gift_sizes(cents, np.zeros(len(cents), int))


def test_one_gift_a_month_is_foretold_without_a_fault():
    counts = np.zeros(90, int)
    counts[::30] = 1
    model = fit_days(counts, day_columns(np.arange(90)))
    ahead = draw_counts(model, day_columns(np.arange(90, 120)), 500, np.random.default_rng(1))
    assert 0 < ahead.sum(axis=1).mean() < 5
