"""Contacts under many limits: by hand, against an exact solver, and what no plan may ever do."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, milp

from hustings.errors import DesignError
from hustings.stats.contacts import Plan, Shared, Turfs, best_of_household, plan_contacts


def exact(worth, shared, turfs, kind, cap) -> float:
    """The most that any plan is worth, by branch and bound (HiGHS)."""
    h, a = worth.shape
    kinds = np.arange(a) if kind is None else np.asarray(kind)
    may = np.isfinite(worth)
    rows = [sparse.csr_matrix(np.tile(np.broadcast_to(one.usage, a), h)[None]) for one in shared]
    most = [np.array([one.limit for one in shared]), np.broadcast_to(cap, (h,))]
    rows.append(sparse.kron(sparse.eye(h), np.ones((1, a))))
    for k in np.unique(kinds):
        rows.append(sparse.kron(sparse.eye(h), (kinds == k)[None].astype(float)))
        most.append(np.ones(h))
    table, n_turfs = sparse.vstack(rows), 0
    if turfs is not None:
        turf, n_turfs = np.asarray(turfs.turf), len(turfs.capacity)
        may[np.ix_(turf < 0, turfs.actions)] = False
        member = (np.arange(n_turfs)[:, None] == turf).astype(float)
        is_door = np.isin(np.arange(a), turfs.actions).astype(float)[None]
        doors = sparse.csr_matrix(np.einsum("th,a->tha", member, is_door[0]).reshape(n_turfs, -1))
        opened = [sparse.diags(np.asarray(x, float)) for x in (turfs.capacity, turfs.smallest)]
        table = sparse.vstack(
            [
                sparse.hstack([table, sparse.csr_matrix((table.shape[0], n_turfs))]),
                sparse.hstack([doors, -opened[0]]),
                sparse.hstack([-doors, opened[1]]),
            ]
        )
        most.append(np.zeros(2 * n_turfs))
    upper = np.concatenate([may.ravel().astype(float), np.ones(n_turfs)])
    objective = np.concatenate([np.where(may, -worth, 0).ravel(), np.zeros(n_turfs)])
    found = milp(
        objective,
        constraints=LinearConstraint(table, -np.inf, np.concatenate(most)),
        bounds=Bounds(0, upper),
        integrality=np.ones(upper.size),
    )
    return -found.fun


def assert_keeps_to_limits(plan: Plan, worth, shared, turfs, kind, cap) -> None:
    h, a = worth.shape
    taken = plan.contact >= 0
    counts = np.bincount(plan.contact[taken], minlength=a)
    for one, used in zip(shared, plan.used, strict=True):
        assert used == pytest.approx(float(np.broadcast_to(one.usage, a) @ counts))
        assert used <= one.limit + 1e-6
    assert (taken.sum(1) <= cap).all()
    kinds = np.arange(a) if kind is None else np.asarray(kind)
    for row in plan.contact:
        mine = kinds[row[row >= 0]]
        assert len(set(mine)) == len(mine)
    value = np.where(taken, worth[np.arange(h)[:, None], np.maximum(plan.contact, 0)], 0)
    assert np.isfinite(value).all()
    assert plan.gain == pytest.approx(value.sum(), rel=1e-5, abs=1e-5)
    if turfs is not None:
        has = np.isin(plan.contact, turfs.actions).any(1)
        assert (np.asarray(turfs.turf)[has] >= 0).all()
        doors = np.bincount(np.asarray(turfs.turf)[has], minlength=len(turfs.capacity))
        assert (doors <= turfs.capacity).all()
        assert ((doors == 0) | (doors >= turfs.smallest)).all()
        assert doors.tolist() == plan.turf_used.tolist()


def a_problem(rng: np.random.Generator, *, alike: bool):
    h, a = int(rng.integers(5, 160)), int(rng.integers(2, 6))
    worth = rng.normal(1, 1, (h, a)) if not alike else np.tile(rng.integers(1, 4, a), (h, 1)).astype(float)
    worth[rng.random((h, a)) < 0.1] = -np.inf
    worth = worth.astype(np.float32).astype(float)
    shared = [Shared("budget", rng.integers(1, 6, a).astype(float), float(rng.integers(0, h * 2)))]
    if rng.random() < 0.5:
        shared.append(Shared("hours", (np.arange(a) == 0).astype(float), float(rng.integers(0, h))))
    turfs = kind = None
    if rng.random() < 0.5:
        turf, capacity = rng.integers(-1, 4, h), rng.integers(0, h // 5 + 2, 4)
        turfs = Turfs([a - 1], turf, capacity, rng.integers(0, 4, 4))
    if a > 3 and rng.random() < 0.5:
        kind = [0, 0, *range(1, a - 1)]
    cap = 1 if rng.random() < 0.5 else rng.integers(0, 3, h)
    return worth, shared, turfs, kind, cap


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("alike", [False, True])
def test_a_plan_keeps_to_all_limits_and_is_as_good_as_the_exact_solvers(seed: int, alike: bool) -> None:
    worth, shared, turfs, kind, cap = a_problem(np.random.default_rng(seed), alike=alike)
    plan = plan_contacts(worth, shared, turfs=turfs, kind=kind, cap=cap)
    best = exact(worth, shared, turfs, kind, cap)
    assert_keeps_to_limits(plan, worth, shared, turfs, kind, cap)
    assert plan.gain <= best + 1e-4
    assert plan.bound >= best - 1e-4 * abs(best) - 1e-6
    # What is missing is at most about one contact for each limit that binds.
    assert best - plan.gain <= (1 + len(shared)) * max(worth.max(), 0) + 4 * (turfs is not None)


@given(st.integers(0, 10_000), st.booleans())
@settings(max_examples=40, deadline=None)
def test_no_limit_is_ever_broken(seed: int, alike: bool) -> None:
    worth, shared, turfs, kind, cap = a_problem(np.random.default_rng(seed), alike=alike)
    plan = plan_contacts(worth, shared, turfs=turfs, kind=kind, cap=cap)
    assert_keeps_to_limits(plan, worth, shared, turfs, kind, cap)
    assert 0 <= plan.gain <= plan.bound


def test_a_letter_here_and_a_door_there_by_hand() -> None:
    # $5: the door at the second household (9 for 4) and the letter at the first (3 for 1).
    plan = plan_contacts([[3.0, 5.0], [2.0, 9.0]], [Shared("budget", [1.0, 4.0], 5.0)])
    assert plan.contact.tolist() == [[0], [1]]
    assert plan.gain == 12.0


def test_the_gap_is_below_a_hundredth_of_a_percent_for_many_households() -> None:
    rng = np.random.default_rng(5)
    h = 20_000
    worth = rng.gamma(2.0, 1.0, (h, 3)) * [1.0, 2.0, 5.0] - 0.5
    shared = [Shared("budget", [0.4, 1.5, 4.0], 0.2 * h), Shared("minutes", [0, 6, 0], 0.1 * h)]
    turfs = Turfs([2], rng.integers(0, 20, h), np.full(20, 40), np.full(20, 10))
    plan = plan_contacts(worth, shared, turfs=turfs)
    assert plan.gap < 1e-4
    assert plan.used[0] <= 0.2 * h


def test_the_budgets_price_is_what_one_more_dollar_gains() -> None:
    rng = np.random.default_rng(6)
    worth = rng.gamma(2.0, 1.0, (5000, 2))
    at = [plan_contacts(worth, [Shared("budget", [1.0, 3.0], b)]) for b in (1000.0, 1050.0)]
    assert (at[1].gain - at[0].gain) / 50 == pytest.approx(at[0].price[0], rel=0.02)


def test_without_money_or_without_gain_nobody_is_reached() -> None:
    worth = np.ones((10, 2))
    assert plan_contacts(worth, [Shared("budget", [1, 2], 0.0)]).gain == 0
    nothing = plan_contacts(-worth, [Shared("budget", [1, 2], 100.0)])
    assert (nothing.contact == -1).all()
    assert nothing.gain == nothing.bound == nothing.gap == 0


def test_money_for_everything_buys_everyones_best() -> None:
    worth = np.random.default_rng(7).normal(size=(200, 3)).astype(np.float32)
    plan = plan_contacts(worth, [Shared("budget", [1, 2, 3], np.inf)])
    assert plan.gain == pytest.approx(float(np.maximum(worth.max(1), 0).sum()), rel=1e-5)
    assert plan.price[0] == 0


def test_a_short_list_is_filled_up_or_left_out_whichever_is_worth_more() -> None:
    worth = np.array([[5.0, 1.0]] * 3 + [[1.0, 2.0]] * 20)
    shared = [Shared("budget", [1.0, 1.0], 23.0)]
    left_out = plan_contacts(worth, shared, smallest=[20, 0])
    assert left_out.closed == (0,)
    assert not (left_out.contact == 0).any()
    filled = plan_contacts(worth, shared, smallest=[5, 0])
    assert np.count_nonzero(filled.contact == 0) == 5
    assert filled.closed == ()


def test_a_list_that_must_be_longer_than_it_can_be_is_refused_with_what_forbids_it() -> None:
    worth, shared = np.ones((10, 2)), [Shared("budget", [2.0, 1.0], 9.0)]
    with pytest.raises(DesignError, match=r"budget allow 4, 2 too few"):
        plan_contacts(worth, shared, smallest=[6, 0], must=[0])
    with pytest.raises(DesignError, match=r"households that may have it allow 10, 90 too few"):
        plan_contacts(worth, [Shared("budget", [0.0, 1.0], 9.0)], smallest=[100, 0], must=[0])


def test_a_turf_without_capacity_and_a_household_of_none() -> None:
    worth = np.ones((6, 1))
    turfs = Turfs([0], [0, 0, 1, 1, -1, -1], [0, 5], [0, 0])
    plan = plan_contacts(worth, [Shared("budget", [1.0], 100.0)], turfs=turfs)
    assert plan.contact[:, 0].tolist() == [-1, -1, 0, 0, -1, -1]


def test_the_best_person_of_each_household_is_valued() -> None:
    value = [[1.0, np.nan], [4.0, -2.0], [3.0, 7.0]]
    assert best_of_household(value, [1, 0, 1], 3).tolist() == [[4.0, -2.0], [3.0, 7.0], [-np.inf, -np.inf]]
    with pytest.raises(DesignError, match="in no household"):
        best_of_household(value, [1, 0, -1], 3)


@pytest.mark.parametrize(
    ("worth", "shared", "match"),
    [
        ([[np.nan]], [Shared("budget", [1.0], 1.0)], "missing or infinite"),
        ([[1.0]], [Shared("budget", [-1.0], 1.0)], "budget: usage or limit"),
        ([[1.0]], [Shared("budget", [1.0], -1.0)], "budget: usage or limit"),
        ([1.0], [Shared("budget", [1.0], 1.0)], "Values do not fit"),
        ([[1.0]], [], "Values do not fit"),
    ],
)
def test_what_does_not_fit_is_refused(worth, shared, match: str) -> None:
    with pytest.raises(DesignError, match=match):
        plan_contacts(worth, shared)
