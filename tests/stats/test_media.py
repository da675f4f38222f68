"""Media plans: by hand, against other solvers, and what no plan may ever do."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from scipy.optimize import minimize

from hustings.errors import DesignError
from hustings.stats.media import Cap, audience, buy_in_order, plan_buys, value_of_buys
from hustings.stats.media_search import Limits, projected
from hustings.stats.response import Response, adstock, envelope, share_of_effect, slope_of_effect

SATURATING = Response(0.5)


def a_market(seed: int, n: int = 400, n_slots: int = 12):
    rng = np.random.default_rng(seed)
    viewing = rng.beta(1, 5, (n, n_slots)) * (rng.random((n, n_slots)) < 0.5)
    worth = rng.gamma(0.7, 1.0, n)
    price = viewing.sum(0) * rng.lognormal(0, 0.5, n_slots) + 0.5
    units = rng.integers(0, 7, n_slots)
    budget = float(price @ units) * rng.uniform(0.05, 0.6)
    network = rng.integers(0, 3, n_slots)
    caps = [Cap(f"network {j}", (network == j) * price, budget * rng.uniform(0.1, 0.8)) for j in range(3)]
    return audience(viewing, worth), price, units, budget, caps


@pytest.mark.parametrize("seed", range(4))
def test_the_relaxed_plan_is_that_of_another_solver(seed: int) -> None:
    viewers, price, units, budget, caps = a_market(seed)
    plan = plan_buys(
        viewers, price, units, budget, response=SATURATING, caps=caps, whole=False, tolerance=1e-5
    )
    dense, worth = viewers.viewing.toarray().astype(float), viewers.worth.astype(float)
    other = minimize(
        lambda x: -worth @ (1 - np.exp(-0.5 * dense @ x)),
        np.zeros(len(price)),
        jac=lambda x: -dense.T @ (worth * 0.5 * np.exp(-0.5 * dense @ x)),
        bounds=[(0, float(u)) for u in units],
        constraints=[
            {"type": "ineq", "fun": lambda x, w=w, m=m: m - w @ x, "jac": lambda x, w=w: -w}
            for w, m in [(price, budget), *((np.asarray(c.weight), c.at_most) for c in caps)]
        ],
        method="SLSQP",
        options={"maxiter": 500, "ftol": 1e-12},
    )
    assert plan.value == pytest.approx(-other.fun, rel=2e-5)
    assert plan.bound >= -other.fun * (1 - 1e-6)
    assert plan.gap < 2e-5


@given(st.integers(0, 100_000), st.booleans())
@settings(max_examples=25, deadline=None)
def test_no_limit_is_ever_broken_and_the_bound_holds(seed: int, s_shaped: bool) -> None:
    viewers, price, units, budget, caps = a_market(seed, n=80, n_slots=8)
    response = Response(0.4, 2.0) if s_shaped else SATURATING
    plan = plan_buys(viewers, price, units, budget, response=response, caps=caps)
    assert (plan.units == np.floor(plan.units)).all()
    assert ((plan.units >= 0) & (plan.units <= units)).all()
    assert price @ plan.units <= budget + 1e-6
    for cap in caps:
        assert np.asarray(cap.weight) @ plan.units <= cap.at_most + 1e-6
    assert plan.value == pytest.approx(value_of_buys(viewers, plan.units, response), rel=1e-5)
    for most in (1, 3, 10):
        rule = buy_in_order(
            np.asarray(viewers.viewing.sum(0)), price, units, budget, most_per_slot=most, caps=caps
        )
        assert value_of_buys(viewers, rule, response) <= plan.bound * (1 + 1e-5)


def test_two_slots_by_hand() -> None:
    # All see the first slot for sure: two units leave exp(-1) of nothing, three of the other are worth less.
    viewers = audience([[1.0, 0.5]], [10.0])
    plan = plan_buys(viewers, [1.0, 1.0], [2, 9], 3.0, response=SATURATING)
    assert plan.units.tolist() == [2.0, 1.0]
    assert plan.value == pytest.approx(10 * (1 - np.exp(-0.5 * 2.5)), rel=1e-6)


def test_a_free_slot_is_taken_and_one_that_nobody_sees_is_not() -> None:
    viewers = audience([[0.3, 0.0, 0.4]], [5.0])
    plan = plan_buys(viewers, [0.0, 1.0, 1.0], [4, 4, 4], 2.0, response=SATURATING)
    assert plan.units.tolist() == [4.0, 0.0, 2.0]


def test_a_group_of_alike_people_counts_as_so_many() -> None:
    groups = audience([[0.2, 0.1], [0.0, 0.4]], [1.0, 2.0], people=[30, 10])
    persons = audience(np.repeat([[0.2, 0.1], [0.0, 0.4]], [30, 10], axis=0), np.repeat([1.0, 2.0], [30, 10]))
    made = [plan_buys(one, [1.0, 1.0], [5, 5], 4.0, response=SATURATING) for one in (groups, persons)]
    assert made[0].units.tolist() == made[1].units.tolist()
    assert made[0].value == pytest.approx(made[1].value, rel=1e-5)


def test_a_minimum_buy_is_kept_and_an_impossible_one_refused_by_name() -> None:
    viewers = audience([[0.5, 0.1]], [1.0])
    kept = plan_buys(
        viewers, [1.0, 1.0], [9, 9], 5.0, response=SATURATING, caps=[Cap("WXYZ", [0, 1], at_least=2)]
    )
    assert kept.units[1] >= 2
    with pytest.raises(DesignError, match=r"minimum of WXYZ cannot be bought .* 3 short"):
        plan_buys(
            viewers, [1.0, 1.0], [9, 9], 5.0, response=SATURATING, caps=[Cap("WXYZ", [0, 1], at_least=8)]
        )


def test_a_sample_of_many_people_finds_the_plan_of_all() -> None:
    rng = np.random.default_rng(8)
    n, n_slots = 120_000, 40
    seen = rng.choice(n_slots, (n, 6))
    viewing = sparse.csr_array(
        (rng.beta(1, 6, n * 6), seen.ravel(), np.arange(0, 6 * n + 1, 6)), shape=(n, n_slots)
    )
    viewing.sum_duplicates()
    viewing.data = np.minimum(viewing.data, 1.0)
    price = rng.lognormal(5, 1, n_slots)
    units = rng.integers(1, 9, n_slots)
    plan = plan_buys(
        audience(viewing, rng.gamma(0.5, 0.01, n)),
        price,
        units,
        float(price @ units) * 0.2,
        response=SATURATING,
        whole=False,
    )
    assert plan.gap <= 1e-3


@given(st.integers(0, 10_000))
@settings(max_examples=40, deadline=None)
def test_the_projection_keeps_to_the_limits_and_is_nearest(seed: int) -> None:
    rng = np.random.default_rng(seed)
    table, room = rng.random((3, 6)) * (rng.random((3, 6)) < 0.7), rng.integers(0, 5, 6).astype(float)
    limits = Limits(table, rng.random(3) * 4, room, [])
    point, metric = rng.normal(2, 3, 6), rng.random(6) + 0.1
    plan, _ = projected(point, metric, limits, np.zeros(3))
    assert (table @ plan <= limits.limit + 1e-8).all()
    for _ in range(30):
        other = np.clip(rng.normal(1, 2, 6), 0, room)
        takes = table @ other
        other *= np.min(np.where(takes > limits.limit, limits.limit / np.maximum(takes, 1e-12), 1.0))
        near, far = (metric @ (one - point) ** 2 for one in (plan, other))
        assert near <= far + 1e-6 * max(1.0, far)


def test_hills_curve_its_slope_and_its_envelope() -> None:
    for response in (SATURATING, Response(0.3, 0.7), Response(0.3, 2.5)):
        z = np.linspace(0.05, 20, 400)
        step = 1e-6
        slope = (share_of_effect(response, z + step) - share_of_effect(response, z - step)) / (2 * step)
        assert np.allclose(slope_of_effect(response, z), slope, rtol=1e-4, atol=1e-8)
        value, tangent = envelope(response, z)
        assert (value >= share_of_effect(response, z) - 1e-12).all()
        assert (np.diff(tangent) <= 1e-9).all()


def test_half_is_left_after_a_half_life() -> None:
    assert adstock([0.0, 1.5, 3.0], 1.5).tolist() == [1.0, 0.5, 0.25]
    with pytest.raises(DesignError, match="half-life"):
        adstock([1.0], 0.0)


@pytest.mark.parametrize(
    ("viewing", "worth", "match"),
    [
        ([[1.2]], [1.0], "no probability"),
        ([[np.nan]], [1.0], "no probability"),
        ([[0.5]], [-1.0], "missing or negative"),
        ([[0.5]], [np.nan], "missing or negative"),
        ([[0.5]], [1.0, 2.0], "do not fit"),
    ],
)
def test_what_no_market_can_be_is_refused(viewing, worth, match: str) -> None:
    with pytest.raises(DesignError, match=match):
        audience(viewing, worth)
