"""One budget: by hand, against a linear programme, and in worlds whose truth is known."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import isotonic_regression, linprog

from hustings.errors import DesignError
from hustings.stats import budget_cash, budget_draws, budgets
from hustings.stats.budget_cash import Asks, Money, fund
from hustings.stats.budgets import cash_limits, envelope, offer, split_budget, with_ceiling


def drawn(rng, k=4, steps=6, *, concave=True):
    found = []
    for _ in range(k):
        width = rng.uniform(1, 20, steps)
        slope = rng.uniform(0, 2, steps)
        slope = -np.sort(-slope) if concave else slope
        cost, gain = np.append(0, width.cumsum()), np.append(0, (width * slope).cumsum())
        found.append(offer(cost, gain, rng.uniform(0.1, 0.6) * gain))
    return found


def programme(offers, limits):
    """The same problem as a linear programme."""
    width = np.concatenate([np.diff(one.cost) for one in offers])
    slope = np.concatenate([envelope(np.diff(one.cost), np.diff(one.gain)) for one in offers])
    owner = np.repeat(np.arange(len(offers)), [one.cost.size - 1 for one in offers])
    rows = limits.member[:, owner].astype(float)
    finite = np.isfinite(limits.amount)
    found = linprog(
        -slope,
        rows[finite],
        limits.amount[finite],
        bounds=list(zip(np.zeros(width.size), width, strict=True)),
    )
    return -found.fun, -found.ineqlin.marginals


def test_the_best_pieces_are_bought_by_hand():
    # 10 per 100, then 8 per 100, then 5 per 100: with 250, the first two and half of the third.
    found = split_budget(
        [offer([0, 100, 200], [0, 10, 15]), offer([0, 100], [0, 8])], cash_limits(250, [0, 0])
    )
    assert found.amount.tolist() == [150, 100]
    assert found.gain.tolist() == [12.5, 8]
    assert found.price == pytest.approx(0.05)
    assert found.bound == pytest.approx(20.5)
    assert found.gap == pytest.approx(0)


def test_a_budget_that_buys_everything_has_no_price():
    found = split_budget([offer([0, 100], [0, 10])], cash_limits(1e9, [0.0]))
    assert (found.amount.tolist(), found.price, found.gap) == ([100.0], 0.0, 0.0)
    assert split_budget([offer([0, 100], [0, 10])], cash_limits(np.inf, [0.0])).amount.tolist() == [100.0]


def test_a_budget_of_nothing_buys_what_is_free_and_names_its_price():
    found = split_budget([offer([0, 0, 10], [0, 3, 4])], cash_limits(0, [0.0]))
    assert found.amount.tolist() == [0.0]
    assert found.gain.tolist() == [3.0]
    assert found.price == pytest.approx(0.1)


def test_an_offer_that_never_gains_gets_nothing():
    found = split_budget([offer([0, 10], [0, -1]), offer([0, 10], [0, 1])], cash_limits(20, [0, 0]))
    assert found.amount.tolist() == [0.0, 10.0]
    assert split_budget([], cash_limits(20, [])).bound == 0.0


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        (([0, 10, 5], [0, 1, 2]), "add up step by step"),
        (([1, 10], [0, 1]), "at first"),
        (([0, 10], [0, np.nan]), "no cost, gain or error"),
        (([0, np.inf], [0, 1]), "no cost, gain or error"),
        (([0, 10], [0, 1], [0, -1]), "error is negative"),
        (([0, 10], [0]), "do not fit"),
        (([], []), "do not fit"),
    ],
)
def test_a_broken_offer_is_refused(steps, message):
    with pytest.raises(DesignError, match=message):
        offer(*steps)


@pytest.mark.parametrize("amount", [-1, np.nan])
def test_money_that_is_no_amount_is_refused(amount):
    with pytest.raises(DesignError, match="no amount"):
        cash_limits(amount, [0.0])
    with pytest.raises(DesignError, match="no amount"):
        cash_limits(10, [0.0], 1.0, [(3.0, amount)])


def test_the_envelope_is_the_antitonic_regression_of_slopes():
    rng = np.random.default_rng(3)
    width, rise = rng.uniform(1, 5, 12), rng.normal(size=(50, 12))
    found = envelope(width, rise)
    for one, slopes in zip(rise, found, strict=True):
        oracle = isotonic_regression(one / width, weights=width, increasing=False).x
        assert slopes == pytest.approx(oracle)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.floats(0, 400), st.booleans(), st.floats(0, 80))
def test_division_agrees_with_a_linear_programme(seed, budget, dated, untested):
    rng = np.random.default_rng(seed)
    offers = drawn(rng)
    starts = rng.choice([0.0, 7.0, 14.0], 4) if dated else np.zeros(4)
    limits = cash_limits(budget, starts, budget * 0.4 if dated else np.inf, [(5.0, 30.0), (10.0, 50.0)])
    if not dated:
        limits = with_ceiling(limits, [True, True, False, False], untested)
    found = split_budget(offers, limits)
    best, _ = programme(offers, limits)
    assert found.gain.sum() == pytest.approx(best, abs=1e-7)
    assert found.bound == pytest.approx(best, rel=1e-6, abs=1e-6)
    assert np.all(limits.member @ found.amount <= limits.amount + 1e-7)
    if budget and found.amount.sum() < sum(one.cost[-1] for one in offers) - 1e-6:
        # The price of money is what a little more of it gains.
        little = programme(offers, budgets.more(limits, 1e-4))[0]
        assert (little - best) / 1e-4 == pytest.approx(found.price, rel=1e-3, abs=1e-5)


def test_a_leap_is_taken_whole_or_left():
    # 50 buys nothing of the leap; its envelope would promise 5.
    leap, flat = offer([0, 90, 100], [0, 0, 10]), offer([0, 50], [0, 2])
    found = split_budget([leap, flat], cash_limits(50, [0, 0]))
    assert found.amount.tolist() == [0, 50]
    assert found.gain.sum() == 2
    assert found.bound == pytest.approx(5)
    assert split_budget([leap, flat], cash_limits(100, [0, 0])).gain.tolist() == [10, 0]


def test_divisions_of_leaping_offers_are_within_their_gap_of_every_division():
    rng = np.random.default_rng(8)
    for _ in range(20):
        offers = drawn(rng, 3, 4, concave=False)
        limits = cash_limits(40.0, np.zeros(3))
        found = split_budget(offers, limits)
        grid = [x for x in itertools.product(np.linspace(0, 40, 21), repeat=3) if sum(x) <= 40]
        every = budgets.gain_at(offers, np.array(grid))[0].sum(axis=1).max()
        assert every <= found.bound + 1e-9
        assert found.gain.sum() >= every - found.gap * found.bound - 1e-9


def test_money_is_not_spent_before_it_is_there():
    # 100 today, 50 more on day 10; the early offer is the better one but cannot have the later money.
    early, late = offer([0, 200], [0, 40]), offer([0, 200], [0, 10])
    found = split_budget([early, late], cash_limits(150, [0.0, 12.0], 100.0, [(10.0, 50.0)]))
    assert found.amount.tolist() == [100, 50]
    assert found.price == pytest.approx(0.2)
    assert found.prices[:2] == pytest.approx([0.2, 0.05])


def test_an_ask_pays_when_its_gifts_come_in_time():
    late = offer([0, 200], [0, 10])
    ask = offer([0, 10], [0, 50])
    in_time = fund([late], [30.0], Money(100.0), Asks([ask], np.array([0.0]), np.array([14.0])))
    assert (in_time.asks.tolist(), in_time.split.amount.tolist(), in_time.settled) == ([10.0], [140.0], True)
    assert in_time.worth[0] == pytest.approx(40 * 0.05)
    too_late = fund([late], [30.0], Money(100.0), Asks([ask], np.array([0.0]), np.array([31.0])))
    assert (too_late.asks.tolist(), too_late.split.amount.tolist()) == ([0.0], [100.0])


def test_an_ask_that_brings_less_than_it_costs_is_left():
    poor = offer([0, 10], [0, 9])
    found = fund(
        [offer([0, 200], [0, 10])], [30.0], Money(100.0), Asks([poor], np.array([0.0]), np.array([1.0]))
    )
    assert found.asks.tolist() == [0.0]


@pytest.mark.parametrize("seed", range(8))
def test_asks_and_offers_together_agree_with_a_linear_programme(seed):
    rng = np.random.default_rng(seed)
    offers, starts = drawn(rng, 4, 5), np.array([0.0, 10.0, 20.0, 30.0])
    asks = [offer([0, 5, 10], np.cumsum([0, *-np.sort(-rng.uniform(2, 20, 2))])) for _ in range(2)]
    ask_starts, paid = np.array([0.0, 12.0]), np.array([8.0, 25.0])
    budget, cash = 60.0, 25.0
    found = fund(offers, starts, Money(budget, cash, [(15.0, 20.0)]), Asks(asks, ask_starts, paid))
    every = [*offers, *asks]
    width = np.concatenate([np.diff(one.cost) for one in every])
    owner = np.repeat(np.arange(6), [one.cost.size - 1 for one in every])
    slope = np.concatenate([np.diff(one.gain) for one in every]) / width
    start = np.concatenate([starts, ask_starts])[owner]
    brings = np.where(owner >= 4, slope, 0.0)
    pay_on = np.concatenate([np.full(4, np.inf), paid])[owner]
    dates = [*np.unique(start), np.inf]
    rows = [(start <= date) - brings * (pay_on <= date) for date in dates]
    there = [min(cash + 20.0 * (date >= 15), budget) for date in dates]
    best = linprog(-np.where(owner < 4, slope, 0.0), rows, there, bounds=[(0, w) for w in width])
    assert found.split.gain.sum() <= -best.fun + 1e-7
    assert found.split.gain.sum() >= -best.fun * 0.97


def test_intervals_cover_the_true_gain_of_the_plan():
    # The truth is drawn from what the offers say of themselves: the plan's interval holds it 95 times in 100.
    rng, inside = np.random.default_rng(5), 0
    for _ in range(300):
        offers = drawn(rng)
        limits = cash_limits(60.0, np.zeros(4))
        plan = split_budget(offers, limits).amount
        worlds = budget_draws.draw_worlds([0, 0, 1, -1], 400, rng, forecast_error=0.2)
        found = budget_draws.weigh(
            offers, plan[None, :], budget_draws.best_in_each(offers, limits, worlds), worlds
        )
        truth = budget_draws.gains(
            offers, plan[None, :], budget_draws.draw_worlds([0, 0, 1, -1], 1, rng, forecast_error=0.2)
        )
        inside += bool(found.low[0] <= truth[0, 0] <= found.high[0])
    assert 0.91 < inside / 300 < 0.985


def test_offers_of_one_evidence_err_together_as_much_as_is_said():
    worlds = budget_draws.draw_worlds(
        [0, 0, 1, -1], 20_000, np.random.default_rng(2), together=0.6, forecast_error=0.3
    )
    found = np.corrcoef(worlds.effect.T)
    assert found[0, 1] == pytest.approx(0.6, abs=0.02)
    assert np.abs(found[0, 2:]).max() < 0.03
    assert worlds.factor.mean() == pytest.approx(1, abs=0.01)
    assert worlds.factor.std() == pytest.approx(0.3, abs=0.02)
    assert np.corrcoef(np.log(worlds.factor).T)[0, 3] == pytest.approx(0.5, abs=0.03)
    with pytest.raises(DesignError, match="No such worlds"):
        budget_draws.draw_worlds([0], 0, np.random.default_rng(1))


def test_the_best_of_each_world_is_the_best_of_its_curves():
    rng = np.random.default_rng(4)
    offers, limits = drawn(rng), cash_limits(50.0, np.zeros(4))
    worlds = budget_draws.draw_worlds([0, 0, -1, -1], 30, rng)
    found = budget_draws.best_in_each(offers, limits, worlds)
    for effect, amount in zip(worlds.effect, found, strict=True):
        real = [one._replace(gain=one.gain + z * one.error) for one, z in zip(offers, effect, strict=True)]
        assert budgets.gain_at(real, amount)[0].sum() == pytest.approx(programme(real, limits)[0])


def test_the_robust_division_gives_up_a_little_gain_for_a_better_chance():
    safe, wild = offer([0, 100], [0, 1.0], [0, 0.05]), offer([0, 100], [0, 1.05], [0, 2.0])
    limits, rng = cash_limits(100.0, [0, 0]), np.random.default_rng(1)
    worlds = budget_draws.draw_worlds([-1, -1], 2_000, rng)
    best = budget_draws.best_in_each([safe, wild], limits, worlds)
    plan = split_budget([safe, wild], limits).amount
    robust = budget_draws.robust_split([safe, wild], limits, worlds, best, rng)
    found = budget_draws.weigh([safe, wild], [plan, robust], best, worlds)
    assert found.near[1] >= found.near[0]
    assert limits.member[0] @ robust <= 100 + 1e-9
    cautious = budget_draws.cautious_split([safe, wild], limits, 0.5)
    assert cautious.tolist() == [100, 0]


def test_a_reserve_is_worth_nothing_where_nothing_can_be_learned():
    certain = [one._replace(error=0 * one.error) for one in drawn(np.random.default_rng(2))]
    worlds = budget_draws.draw_worlds([-1] * 4, 100, np.random.default_rng(3))
    lost, known = budget_draws.reserve_value(certain, cash_limits(50.0, np.zeros(4)), worlds, 10.0)
    assert known == pytest.approx(0, abs=1e-9)
    assert lost > 0
    unsure = drawn(np.random.default_rng(2))
    assert budget_draws.reserve_value(unsure, cash_limits(50.0, np.zeros(4)), worlds, 10.0)[1] > 0


def test_rules_of_thumb_spend_what_they_can_and_keep_the_limits():
    offers, limits = drawn(np.random.default_rng(6)), cash_limits(90.0, [0, 3, 6, 9], 30.0, [(5.0, 60.0)])
    for found in (
        budget_draws.largest_first(offers, limits),
        budget_draws.in_shares(offers, limits, np.ones(4)),
        budget_draws.in_shares(offers, limits, [0, 1, 0, 0]),
    ):
        assert np.all(limits.member @ found <= limits.amount + 1e-9)
        assert np.all(found <= [one.cost[-1] + 1e-9 for one in offers])
        assert budgets.gain_at(offers, found)[0].sum() <= split_budget(offers, limits).bound + 1e-9
    with pytest.raises(DesignError, match="Shares"):
        budget_draws.in_shares(offers, limits, [1, -1, 0, 0])


def test_budget_cash_refuses_days_that_do_not_fit():
    with pytest.raises(DesignError, match="Days do not fit"):
        budget_cash.fund([offer([0, 1], [0, 1])], [0.0, 1.0], Money(1.0))
