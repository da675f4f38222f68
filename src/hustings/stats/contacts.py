"""Whom to reach how, for millions of people under budgets, capacities, caps and minimum lists, with a certified gap.

Only what all households share (money, callers' hours, mail dates) is given a price. What a turf has to itself, its
capacity and its smallest list worth walking, is kept inside the problem of the turf, which is solved exactly. So
the value at the best prices bounds every possible plan, and the distance to it is known.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hustings.errors import DesignError
from hustings.stats.clusters import Floats, Integers
from hustings.stats.contact_drafts import recovered
from hustings.stats.contact_prices import Problem, descend, sampled

_SAMPLE = 60_000


class Shared(NamedTuple):
    """Something of which all contacts take: money, callers' minutes, the pieces of a mail date.

    Attributes:
        name: As it stands in messages.
        usage: (a,) what one unit of each action takes, at least 0.
        limit: How much there is.
    """

    name: str
    usage: ArrayLike
    limit: float


class Turfs(NamedTuple):
    """What one group of actions has by place: doors that can be knocked on, by turf.

    Attributes:
        actions: Columns of the actions that take one unit each of their turf's capacity.
        turf: (h,) each household's turf, -1 where none serves it.
        capacity: (t,) units of each turf.
        smallest: (t,) a turf's list is empty or at least so long.
    """

    actions: Sequence[int]
    turf: ArrayLike
    capacity: ArrayLike
    smallest: ArrayLike


class Plan(NamedTuple):
    """Who gets what, and how far from the best possible it can be.

    Attributes:
        contact: (h, f) actions of each household, best first, -1 for none; f is the largest cap.
        gain: What they are worth together.
        bound: No plan whatever within the limits is worth more.
        gap: (bound - gain) / bound; 0 when there is nothing to gain.
        price: (s,) what one more unit of each shared limit would gain; 0 where it does not bind.
        used: (s,) what the plan takes of each.
        turf_price: (t,) what one more unit of a turf's capacity would gain.
        turf_used: (t,) units taken.
        closed: Actions that are left out since their list would be shorter than its minimum.
    """

    contact: Integers
    gain: float
    bound: float
    gap: float
    price: Floats
    used: Floats
    turf_price: Floats
    turf_used: Integers
    closed: tuple[int, ...]


def best_of_household(value: ArrayLike, household: ArrayLike, n_households: int) -> NDArray[np.float32]:
    """Each action's value for the person of each household who gains most by it.

    Args:
        value: (n, a) value of each action for each person; minus infinity or NaN where it may not be.
        household: (n,) codes 0 … n_households - 1.
        n_households: How many.

    Returns:
        (h, a); minus infinity where nobody may have it.

    Raises:
        DesignError: Shapes that do not fit.

    >>> best_of_household([[1.0, 2.0], [3.0, float("nan")]], [0, 0], 1)
    array([[3., 2.]], dtype=float32)
    """
    values, codes = np.asarray(value), np.asarray(household)
    if values.ndim != 2 or codes.shape != values.shape[:1]:
        raise DesignError.of(
            "Values and households do not fit", received=(values.shape, codes.shape), allowed="(n, a); (n,)"
        )
    if codes.size and (codes.min() < 0 or codes.max() >= n_households):
        raise DesignError.of("A person is in no household", allowed=f"codes 0 to {n_households - 1}")
    best = np.full((n_households, values.shape[1]), -np.inf, dtype=np.float32)
    order = None if np.all(codes[1:] >= codes[:-1]) else np.argsort(codes, kind="stable")
    starts_of = codes if order is None else codes[order]
    starts = np.flatnonzero(np.r_[True, starts_of[1:] != starts_of[:-1]]) if codes.size else codes
    for a in range(values.shape[1]):
        column = np.asarray(values[:, a], dtype=np.float32)
        column = np.where(np.isnan(column), np.float32(-np.inf), column)
        if codes.size:
            best[starts_of[starts], a] = np.maximum.reduceat(
                column if order is None else column[order], starts
            )
    return best


def plan_contacts(
    worth: ArrayLike,
    shared: Sequence[Shared],
    *,
    turfs: Turfs | None = None,
    kind: ArrayLike | None = None,
    cap: ArrayLike = 1,
    smallest: ArrayLike | None = None,
    must: Sequence[int] = (),
    names: Sequence[str] = (),
    tolerance: float = 2e-5,
) -> Plan:
    """The contacts that are worth most under all limits at once.

    The Lagrangian dual over the shared limits' prices p >= 0 is

        D(p) = sum_s p_s limit_s + sum over turfs of max over its plans of sum (worth - p · usage),

    minimised by cutting planes in a moving box, first on a sample of households, then on all. Each evaluation
    solves the turfs exactly: of the households by what a door adds to their best other contacts, the first up to
    the capacity, or none when fewer than the smallest list would be worth it. The replies at prices just
    above the best are a plan; what is left of the limits is then spent on the replies just below.

    Args:
        worth: (h, a) value of each action for each household, in one unit; minus infinity where it may not be.
        shared: What all contacts take of, the budget first.
        turfs: Capacities by place of some actions.
        kind: (a,) codes: of actions of one kind (one letter on several dates) a household gets one; all are
            kinds of their own unless given.
        cap: (h,) or one number: how many contacts a household may get.
        smallest: (a,) an action's list is empty or at least so long; 0 for any length.
        must: Actions whose list may not be empty either.
        names: (a,) what the actions are called in messages; their numbers unless given.
        tolerance: Relative distance of the dual from its minimum at which the search ends.

    Returns:
        The plan with its bound.

    Raises:
        DesignError: Shapes that do not fit, NaN in worth, negative limits or usage, or a smallest list that
            cannot be reached, with the limit that forbids it and by how much.

    Source: Fisher, Management Science 27 (1981), sections 2–4; Marsten, Hogan & Blankenship, Operations
    Research 23 (1975), for the box.

    >>> plan = plan_contacts([[3.0, 5.0], [2.0, 9.0]], [Shared("budget", [1.0, 4.0], 5.0)])
    >>> plan.contact.tolist(), plan.gain
    ([[0], [1]], 12.0)
    """
    problem = _problem(worth, shared, turfs, kind, cap)
    lists = np.zeros(problem.usage.shape[1]) if smallest is None else np.asarray(smallest, dtype=np.float64)
    for action in must:
        called = names[action] if names else f"action {action}"
        _check_reachable(problem, [one.name for one in shared], action, lists[action], called)
        problem = _at_least(problem, action, lists[action])
    plan = _solved(problem, tolerance)
    bound = plan.bound
    closed: list[int] = []
    while (short := _too_short(plan, lists)) is not None:
        # Left out, or filled up: whichever is worth more.
        without = problem._replace(worth=np.where(np.arange(lists.size) == short, -np.inf, problem.worth))
        left_out, filled = _solved(without, tolerance), None
        if longest_list(problem.worth, problem.usage, problem.limit * problem.sign, short) >= lists[short]:
            filled = _solved(_at_least(problem, short, lists[short]), tolerance)
        if filled is not None and filled.gain > left_out.gain and _too_short(filled, lists) != short:
            problem, plan = _at_least(problem, short, lists[short]), filled
        else:
            problem, plan = without, left_out
            closed.append(short)
    gap = (bound - plan.gain) / bound if bound > 0 else 0.0
    n = len(shared)
    return plan._replace(bound=bound, gap=gap, closed=tuple(closed), price=plan.price[:n], used=plan.used[:n])


def _check_reachable(problem: Problem, names: list[str], action: int, length: float, called: str) -> None:
    """Refuse a list that must be longer than it can be, and say what forbids it and by how much."""
    most = {"households that may have it": int(np.count_nonzero(problem.worth[:, action] > -np.inf))}
    takes = problem.usage[:, action]
    most |= {
        name: int(limit // use)
        for name, limit, use in zip(names, problem.limit, takes, strict=False)
        if use > 0
    }
    if action in problem.local:
        most["the turfs' capacity"] = int(problem.capacity.sum())
    name, least = min(most.items(), key=lambda one: one[1])
    if least < length:
        raise DesignError.of(
            f"The list of {called} cannot be so long: {name} allow {least:,}, {length - least:,.0f} too few",
            received=int(length),
            allowed=f"at most {least:,}",
            then="shorten the smallest list, or raise the limit",
        )


def _problem(
    worth: ArrayLike, shared: Sequence[Shared], turfs: Turfs | None, kind: ArrayLike | None, cap: ArrayLike
) -> Problem:
    values = np.asarray(worth, dtype=np.float32)
    if values.ndim != 2 or not shared:
        raise DesignError.of("Values do not fit", received=values.shape, allowed="(h, a), and a budget")
    h, a = values.shape
    if np.isnan(values).any() or np.isposinf(values).any():
        raise DesignError.of(
            "A value is missing or infinite", allowed="numbers; minus infinity where it may not be"
        )
    usage = np.array([np.broadcast_to(np.asarray(one.usage, np.float64), (a,)) for one in shared])
    limit = np.array([one.limit for one in shared], dtype=np.float64)
    for one, row in zip(shared, usage, strict=True):
        if not (np.isfinite(row).all() and (row >= 0).all() and one.limit >= 0):
            raise DesignError.of(
                f"{one.name}: usage or limit", received=one.limit, allowed="0 or more, none missing"
            )
    kinds = np.arange(a) if kind is None else np.asarray(kind)
    caps = np.broadcast_to(np.asarray(cap, dtype=np.int64), (h,))
    if kinds.shape != (a,) or (caps < 0).any():
        raise DesignError.of(
            "Kinds or caps do not fit", received=kinds.shape, allowed=f"({a},); caps of 0 or more"
        )
    local = list(turfs.actions) if turfs else []
    if set(kinds[local]) & set(np.delete(kinds, local)):
        raise DesignError.of("A kind has actions with turfs and without", allowed="one or the other")
    grouped = [np.flatnonzero(kinds == k).tolist() for k in np.unique(np.delete(kinds, local))]
    turf, capacity, least = _turf_arrays(turfs, h)
    # No more of a limit than all households could take: an infinite budget is a large one.
    ceiling = np.maximum(usage.max(1, initial=0) * float(caps.sum()), 1.0)
    return Problem(
        values,
        usage,
        np.minimum(limit, ceiling),
        np.ones(len(shared)),
        grouped,
        local,
        turf,
        capacity,
        least,
        caps,
    )


def _turf_arrays(turfs: Turfs | None, h: int) -> tuple[Integers, Integers, Integers]:
    if turfs is None:
        return np.full(h, -1), np.zeros(0, np.int64), np.zeros(0, np.int64)
    turf, capacity = np.asarray(turfs.turf, np.int64), np.asarray(turfs.capacity, np.int64)
    least = np.broadcast_to(np.asarray(turfs.smallest, np.int64), capacity.shape)
    if turf.shape != (h,) or (turf.size and turf.max() >= capacity.size) or (capacity < 0).any():
        received = (turf.shape, capacity.shape)
        raise DesignError.of(
            "Turfs do not fit", received=received, allowed=f"({h},) codes; capacities of 0 or more"
        )
    return turf, capacity, least


def _too_short(plan: Plan, lists: Floats) -> int | None:
    """The action whose list is shortest against its minimum, if one is."""
    counts = np.bincount(plan.contact[plan.contact >= 0], minlength=lists.size)
    short = np.flatnonzero((counts > 0) & (counts < lists))
    return int(short[np.argmin(counts[short] / lists[short])]) if short.size else None


def _at_least(problem: Problem, action: int, length: float) -> Problem:
    row = np.zeros((1, problem.usage.shape[1]))
    row[0, action] = 1.0
    return problem._replace(
        usage=np.vstack([problem.usage, row]),
        limit=np.append(problem.limit, length),
        sign=np.append(problem.sign, -1.0),
    )


def longest_list(worth: ArrayLike, usage: ArrayLike, limit: ArrayLike, action: int) -> float:
    """How long an action's list can be at most: households that may have it, and what each limit allows.

    Args:
        worth: (h, a) values, minus infinity where it may not be.
        usage: (s, a) what one unit takes.
        limit: (s,) how much there is; negative ones are no limits.
        action: The column.

    >>> longest_list([[1.0], [-np.inf], [2.0]], [[2.0]], [3.0], 0)
    1.0
    """
    may = float(np.count_nonzero(np.asarray(worth)[:, action] > -np.inf))
    takes = np.asarray(usage, dtype=np.float64)[:, action]
    with np.errstate(divide="ignore"):
        most = np.floor(np.asarray(limit, dtype=np.float64) / takes)
        allowed = np.where((takes > 0) & (np.asarray(limit) >= 0), most, np.inf)
    return float(min(may, allowed.min(initial=np.inf)))


def _solved(problem: Problem, tolerance: float) -> Plan:
    """The dual's minimum, and a plan from the replies on either side of it."""
    price = np.zeros(len(problem.limit))
    if len(problem.worth) > 2 * _SAMPLE:
        rough = descend(sampled(problem, _SAMPLE), price, 1e-4)
        found = descend(problem, rough.price, tolerance, 0.05)
    else:
        found = descend(problem, price, tolerance)
    draft = recovered(problem, found, tolerance)
    bound = max(found.best.value, draft.gain)
    gap = (bound - draft.gain) / bound if bound > 0 else 0.0
    contact = draft.contact.astype(np.int64)
    return Plan(
        contact, draft.gain, bound, gap, found.price, draft.used, found.best.turf_price, draft.doors, ()
    )
