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
from hustings.stats.clusters import Floats, Integers, cluster_codes

_BLOCK = 1 << 17
_SAMPLE = 60_000
_ROUNDS = 60


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


class _Problem(NamedTuple):
    worth: NDArray[np.float32]  # (h, a), minus infinity where it may not be
    usage: Floats  # (s, a)
    limit: Floats  # (s,)
    sign: Floats  # (s,) 1 for at most, -1 for at least
    kinds: list[list[int]]  # columns of which a household gets one, without the turfs' own
    local: list[int]
    turf: Integers
    capacity: Integers
    smallest: Integers
    cap: Integers  # (h,)


class _Minimum(NamedTuple):
    """Where the dual is smallest; and which earlier prices' replies, in what shares, keep to the limits there."""

    price: Floats
    best: _Answer
    mix: list[tuple[float, Floats]]


class _Answer(NamedTuple):
    """The households' best replies to prices."""

    value: float
    slope: Floats
    counts: Integers
    contact: NDArray[np.int8]
    turf_price: Floats


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
            best[starts_of[starts], a] = np.maximum.reduceat(column if order is None else column[order], starts)
    return best


def plan_contacts(
    worth: ArrayLike,
    shared: Sequence[Shared],
    *,
    turfs: Turfs | None = None,
    kind: ArrayLike | None = None,
    cap: ArrayLike = 1,
    smallest: ArrayLike | None = None,
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
    plan = _solved(problem, tolerance)
    bound, closed = plan.bound, ()
    while (short := _too_short(plan, lists)) is not None:
        # Left out, or filled up: whichever is worth more.
        without = problem._replace(worth=np.where(np.arange(lists.size) == short, -np.inf, problem.worth))
        left_out = _solved(without, tolerance)
        forced = _at_least(problem, short, lists[short])
        filled = _solved(forced, tolerance) if _reachable(problem, short, lists[short]) else None
        if filled is not None and filled.gain > left_out.gain and _too_short(filled, lists) != short:
            problem, plan = forced, filled
        else:
            problem, plan, closed = without, left_out, (*closed, short)
    gap = (bound - plan.gain) / bound if bound > 0 else 0.0
    n_shared = len(shared)
    return plan._replace(
        bound=bound, gap=gap, closed=closed, price=plan.price[:n_shared], used=plan.used[:n_shared]
    )


def _problem(
    worth: ArrayLike, shared: Sequence[Shared], turfs: Turfs | None, kind: ArrayLike | None, cap: ArrayLike
) -> _Problem:
    values = np.asarray(worth, dtype=np.float32)
    if values.ndim != 2 or not shared:
        raise DesignError.of("Values do not fit", received=values.shape, allowed="(h, a), and a budget")
    h, a = values.shape
    if np.isnan(values).any() or np.isposinf(values).any():
        raise DesignError.of("A value is missing or infinite", allowed="numbers; minus infinity where it may not be")
    usage = np.array([np.broadcast_to(np.asarray(one.usage, np.float64), (a,)) for one in shared])
    limit = np.array([one.limit for one in shared], dtype=np.float64)
    for one, row in zip(shared, usage, strict=True):
        if not (np.isfinite(row).all() and (row >= 0).all() and one.limit >= 0):
            raise DesignError.of(f"{one.name}: usage or limit", received=one.limit, allowed="0 or more, none missing")
    kinds = np.arange(a) if kind is None else np.asarray(kind)
    caps = np.broadcast_to(np.asarray(cap, dtype=np.int64), (h,))
    if kinds.shape != (a,) or (caps < 0).any():
        raise DesignError.of("Kinds or caps do not fit", received=kinds.shape, allowed=f"({a},); caps of 0 or more")
    local = list(turfs.actions) if turfs else []
    if set(kinds[local]) & set(np.delete(kinds, local)):
        raise DesignError.of("A kind has actions with turfs and without", allowed="one or the other")
    grouped = [np.flatnonzero(kinds == k).tolist() for k in np.unique(np.delete(kinds, local))]
    turf, capacity, least = _turf_arrays(turfs, h)
    # No more of a limit than all households could take: an infinite budget is a large one.
    ceiling = np.maximum(usage.max(1, initial=0) * float(caps.sum()), 1.0)
    return _Problem(
        values, usage, np.minimum(limit, ceiling), np.ones(len(shared)), grouped, local, turf, capacity, least, caps
    )


def _turf_arrays(turfs: Turfs | None, h: int) -> tuple[Integers, Integers, Integers]:
    if turfs is None:
        return np.full(h, -1), np.zeros(0, np.int64), np.zeros(0, np.int64)
    turf, capacity = np.asarray(turfs.turf, np.int64), np.asarray(turfs.capacity, np.int64)
    least = np.broadcast_to(np.asarray(turfs.smallest, np.int64), capacity.shape)
    if turf.shape != (h,) or (turf.size and turf.max() >= capacity.size) or (capacity < 0).any():
        received = (turf.shape, capacity.shape)
        raise DesignError.of("Turfs do not fit", received=received, allowed=f"({h},) codes; capacities of 0 or more")
    return turf, capacity, least


def _too_short(plan: Plan, lists: Floats) -> int | None:
    """The action whose list is shortest against its minimum, if one is."""
    counts = np.bincount(plan.contact[plan.contact >= 0], minlength=lists.size)
    short = np.flatnonzero((counts > 0) & (counts < lists))
    return int(short[np.argmin(counts[short] / lists[short])]) if short.size else None


def _at_least(problem: _Problem, action: int, length: float) -> _Problem:
    row = np.zeros((1, problem.usage.shape[1]))
    row[0, action] = 1.0
    return problem._replace(
        usage=np.vstack([problem.usage, row]),
        limit=np.append(problem.limit, length),
        sign=np.append(problem.sign, -1.0),
    )


def reachable_length(plan_worth: ArrayLike, usage: ArrayLike, limit: ArrayLike, action: int) -> float:
    """How long an action's list can be at most: households that may have it, and what each limit allows.

    >>> reachable_length([[1.0], [-np.inf], [2.0]], [[2.0]], [3.0], 0)
    1.0
    """
    may = float(np.count_nonzero(np.asarray(plan_worth)[:, action] > -np.inf))
    takes = np.asarray(usage, dtype=np.float64)[:, action]
    with np.errstate(divide="ignore"):
        allowed = np.where(takes > 0, np.floor(np.asarray(limit, dtype=np.float64) / takes), np.inf)
    return float(min(may, allowed.min(initial=np.inf)))


def _reachable(problem: _Problem, action: int, length: float) -> bool:
    return reachable_length(problem.worth, problem.usage, problem.limit, action) >= length


def _solved(problem: _Problem, tolerance: float) -> Plan:
    """The dual's minimum, and a plan from the replies on either side of it."""
    h = problem.worth.shape[0]
    price = np.zeros(len(problem.limit))
    if h > 2 * _SAMPLE:
        part = np.random.default_rng(0).choice(h, _SAMPLE, replace=False)
        price = _descend(_sampled(problem, np.sort(part)), price, 1e-4, None).price
        found = _descend(problem, price, tolerance, 0.05)
    else:
        found = _descend(problem, price, tolerance, None)
    return _recovered(problem, found, tolerance)


def _sampled(problem: _Problem, part: Integers) -> _Problem:
    share = part.size / problem.worth.shape[0]
    shrunk = np.random.default_rng(1).binomial(problem.capacity, share)
    return problem._replace(
        worth=problem.worth[part],
        limit=problem.limit * share,
        turf=problem.turf[part],
        capacity=shrunk,
        smallest=np.round(problem.smallest * share).astype(np.int64),
        cap=problem.cap[part],
    )


def _descend(
    problem: _Problem, start: Floats, tolerance: float, radius: float | None
) -> _Minimum:
    """Prices at which the dual is smallest, by cutting planes within a box around the best so far."""
    scale = _scale(problem)
    lower = np.where(problem.sign > 0, 0.0, -np.inf)
    upper = np.where(problem.sign > 0, np.inf, 0.0)
    centre, best = start, _answer(problem, start)
    cuts = [(best.value, best.slope, start)]
    reach = np.where(start != 0, np.abs(start) * (radius or 1.0), scale * (radius or 1.0))
    shares = np.ones(1)
    for _ in range(_ROUNDS):
        trial, floor, inside, shares = _model_minimum(
            cuts, np.maximum(lower, centre - reach), np.minimum(upper, centre + reach), lower, upper
        )
        if best.value - floor <= tolerance * max(abs(best.value), 1e-12):
            if inside:
                break
            reach = reach * 4
            continue
        found = _answer(problem, trial)
        cuts.append((found.value, found.slope, trial))
        if found.value < best.value:
            centre, best = trial, found
            reach = reach if inside else reach * 2
        else:
            reach = reach * 0.5 if inside else reach
    mix = [(float(share), at) for share, (_, _, at) in zip(shares, cuts, strict=False) if share > 1e-9]
    return _Minimum(centre, best, mix)


def _scale(problem: _Problem) -> Floats:
    """A price of the order of those that bind: the largest gain per unit."""
    top = np.maximum(np.where(np.isfinite(problem.worth), problem.worth, 0).max(0, initial=0), 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        each = np.where(problem.usage > 0, top / problem.usage, 0.0)
    return np.maximum(each.max(1, initial=0), 1e-12)


def _model_minimum(
    cuts: list[tuple[float, Floats, Floats]], low: Floats, high: Floats, lowest: Floats, highest: Floats
) -> tuple[Floats, float, bool, Floats]:
    """Where the cuts' envelope is smallest in the box, its value, whether the box did not matter, and the shares."""
    from scipy.optimize import linprog

    slopes = np.array([slope for _, slope, _ in cuts])
    values = np.array([value - slope @ at for value, slope, at in cuts])
    size = np.maximum(high - low, 1e-300)
    unit = max(1.0, float(np.abs(values).max()))
    table = np.column_stack([slopes * size / unit, -np.ones(len(cuts))])
    right = -(values + slopes @ low) / unit
    bounds = [(0.0, 1.0)] * low.size + [(None, None)]
    found = linprog(np.append(np.zeros(low.size), 1.0), A_ub=table, b_ub=right, bounds=bounds, method="highs")
    if found.status != 0:
        raise DesignError.of("The prices cannot be found", received=found.message, then="check the limits")
    share = found.x[:-1]
    at_edge = ((share <= 1e-9) & (low > lowest)) | ((share >= 1 - 1e-9) & (high < highest))
    return low + share * size, float(found.x[-1]) * unit, not at_edge.any(), -found.ineqlin.marginals


def _answer(problem: _Problem, price: Floats) -> _Answer:
    """Every household's best contacts at these prices, and the dual's value and slope there."""
    h, a = problem.worth.shape
    # A forced list is paid for: its price is negative.
    charge = (price @ problem.usage).astype(np.float32)
    widest = max(int(problem.cap.max(initial=0)), 1)
    width = min(widest, len(problem.kinds) + bool(problem.local))
    contact = np.full((h, max(width, 1)), -1, dtype=np.int8)
    door, gain = np.full(h, -1, dtype=np.int8), np.zeros(h, dtype=np.float32)
    total = 0.0
    for first in range(0, h, _BLOCK):
        rows = slice(first, min(h, first + _BLOCK))
        total += _block(problem, charge, rows, contact, door, gain)
    kept, turf_price, extra = _turfs_solved(problem, gain)
    _put_doors(problem, contact, door, kept)
    counts = np.bincount(contact[contact >= 0], minlength=a)
    slope = problem.limit - problem.usage @ counts
    value = total + extra + float(price @ problem.limit)
    return _Answer(value, slope, counts, contact, turf_price)


def _block(
    problem: _Problem,
    charge: NDArray[np.float32],
    rows: slice,
    contact: NDArray[np.int8],
    door: NDArray[np.int8],
    gain: NDArray[np.float32],
) -> float:
    """The other contacts of some households, best first, and what a door would add to them."""
    reduced = problem.worth[rows] - charge
    cap, width = problem.cap[rows], contact.shape[1]
    values = np.empty((reduced.shape[0], len(problem.kinds)), dtype=np.float32)
    actions = np.empty(values.shape, dtype=np.int8)
    for k, columns in enumerate(problem.kinds):
        best = reduced[:, columns].argmax(1) if len(columns) > 1 else np.zeros(len(reduced), np.int64)
        values[:, k] = reduced[np.arange(len(reduced)), np.array(columns)[best]]
        actions[:, k] = np.array(columns, dtype=np.int8)[best]
    order = np.argsort(-values, axis=1, kind="stable")[:, :width] if width > 1 else values.argmax(1)[:, None]
    if not problem.kinds:
        order = np.empty((len(reduced), 0), dtype=np.int64)
    ranked = np.take_along_axis(values, order, axis=1)
    taken = (ranked > 0) & (np.arange(order.shape[1]) < cap[:, None])
    contact[rows, : order.shape[1]] = np.where(taken, np.take_along_axis(actions, order, axis=1), -1)
    if problem.local:
        best = reduced[:, problem.local].argmax(1)
        own = reduced[np.arange(len(reduced)), np.array(problem.local)[best]]
        # A household that has all it may have gives up its last contact for the door.
        full = taken.sum(1) >= cap
        last = np.where(full & taken.any(1), np.where(taken, ranked, np.inf).min(1, initial=np.inf), 0.0)
        door[rows] = np.array(problem.local, dtype=np.int8)[best]
        gain[rows] = np.where((problem.turf[rows] >= 0) & (cap > 0), own - last, -np.inf)
    return float(np.where(taken, ranked, 0).sum(dtype=np.float64))


def _turfs_solved(
    problem: _Problem, gain: NDArray[np.float32]
) -> tuple[NDArray[np.bool_], Floats, float]:
    """The doors of every turf: the best up to its capacity, or none where the shortest list is not worth it."""
    n_turfs = problem.capacity.size
    chosen = np.zeros(gain.size, dtype=bool)
    if not n_turfs:
        return chosen, np.zeros(0), 0.0
    better = gain > 0
    good = np.bincount(problem.turf[better], minlength=n_turfs)
    short = np.append((good > 0) & (good < problem.smallest), False)
    open_to = np.flatnonzero(better | (short[problem.turf] & (gain > -np.inf)))
    open_to = open_to[np.argsort(_by_turf(problem.turf[open_to], gain[open_to]))]
    turf, value = problem.turf[open_to], gain[open_to].astype(np.float64)
    sizes = np.bincount(turf, minlength=n_turfs)
    starts = np.cumsum(sizes) - sizes
    rank = np.arange(turf.size) - starts[turf]
    good = np.minimum(good, problem.capacity)
    length = np.where(good >= problem.smallest, good, problem.smallest)
    length = np.where((length > sizes) | (length > problem.capacity) | (good == 0), 0, length)
    worth = np.bincount(turf, weights=np.where(rank < length[turf], value, 0), minlength=n_turfs)
    length = np.where(worth > 0, length, 0)
    kept = rank < length[turf]
    chosen[open_to[kept]] = True
    following = np.minimum(starts + length, max(turf.size - 1, 0))
    price = np.zeros(n_turfs)
    if turf.size:
        binds = (length == problem.capacity) & (length < sizes)
        price = np.where(binds, np.maximum(value[following], 0), 0.0)
    return chosen, price, float(worth[length > 0].sum())


def _by_turf(turf: Integers, gain: NDArray[np.float32]) -> NDArray[np.uint64]:
    """One number that sorts by turf, and within it from the largest gain to the smallest."""
    bits = gain.view(np.uint32)
    falling = np.where(bits >> np.uint32(31), bits, ~bits & np.uint32(0x7FFFFFFF))
    return (turf.astype(np.uint64) << np.uint64(32)) | falling


def _put_doors(
    problem: _Problem, contact: NDArray[np.int8], door: NDArray[np.int8], kept: NDArray[np.bool_]
) -> None:
    at = np.flatnonzero(kept)
    n_taken = (contact[at] >= 0).sum(1)
    place = np.minimum(n_taken, problem.cap[at] - 1)
    contact[at, place] = door[at]


def _recovered(problem: _Problem, found: _Minimum, tolerance: float) -> Plan:
    """A plan within all limits, near the dual's minimum."""
    bound = found.best.value
    draft = _from_above(problem, found)
    if draft is None or bound - draft.gain > 5 * tolerance * bound:
        # Many alike: at one price all of them change sides. A mixture of replies divides them.
        mixed = _from_mixture(problem, found)
        draft = max((one for one in (draft, mixed) if one), key=lambda one: one.gain, default=None)
    if draft is None:
        raise DesignError.of(
            "No plan keeps to all limits", received=problem.limit.tolist(), then="shorten the smallest lists"
        )
    bound = max(bound, draft.gain)
    gap = (bound - draft.gain) / bound if bound > 0 else 0.0
    contact = draft.contact.astype(np.int64)
    return Plan(contact, draft.gain, bound, gap, found.price, draft.used, found.best.turf_price, draft.doors, ())


def _from_above(problem: _Problem, found: _Minimum) -> _Draft | None:
    """Replies at prices just above, then what those just below would add while it fits."""
    price, best = found.price, found.best
    scale = problem.sign * np.where(price != 0, np.abs(price), _scale(problem) * 1e-6)
    raised, step = best, 1e-6
    while not _fits(problem, raised.counts):
        if step > 1e9:
            return None
        raised, step = _answer(problem, price + scale * step), step * 6
    draft = _Draft.of(problem, raised.contact.copy())
    lowered = np.where(problem.sign > 0, np.maximum(price - scale * step, 0), price)
    for loose in (best, _answer(problem, lowered)):
        _move(problem, draft, loose.contact, price)
    _fill(problem, draft, price, best.value)
    return draft


def _from_mixture(problem: _Problem, found: _Minimum) -> _Draft | None:
    """Each turf, and each household without one, replies to one of the prices that together keep to the limits."""
    shares = np.array([share for share, _ in found.mix])
    rng = np.random.default_rng(2)
    of_turf = rng.choice(shares.size, problem.capacity.size + 1, p=shares / shares.sum())
    which = rng.choice(shares.size, len(problem.turf), p=shares / shares.sum())
    which = np.where(problem.turf >= 0, of_turf[problem.turf], which) if problem.local else which
    contact = found.best.contact.copy()
    for number, (_, price) in enumerate(found.mix):
        rows = np.flatnonzero(which == number)
        contact[rows] = _answer(problem, price).contact[rows]
    draft = _Draft.of(problem, contact)
    if not _shed(problem, draft, found.price):
        return None
    _fill(problem, draft, found.price, found.best.value)
    return draft


def _shed(problem: _Problem, draft: _Draft, price: Floats) -> bool:
    """Give up the contacts of least worth until every limit is kept to; whether that succeeded."""
    for one in range(len(problem.limit)):
        over = draft.used[one] - problem.limit[one]
        if problem.sign[one] < 0 or over <= 0:
            continue
        takes = _takes(problem, draft.contact)
        rows = np.flatnonzero(takes[:, one] > 0)
        worth = _worth(problem, draft.contact[rows], rows)
        rows = rows[np.argsort(worth - takes[rows] @ price, kind="stable")]
        step = -_has_door(problem, draft.contact[rows]).astype(np.int64)
        allowed = _turf_allows(problem, draft, rows, step)
        rows, step = rows[allowed], step[allowed]
        left = _turf_rank(problem, draft, rows, step)
        rows, step = rows[left], step[left]
        n = int(np.searchsorted(np.cumsum(takes[rows, one]), over)) + 1
        rows, step = rows[:n], step[:n]
        draft.gain -= float(_worth(problem, draft.contact[rows], rows).sum())
        draft.used = draft.used - takes[rows].sum(0)
        draft.contact[rows] = -1
        _count_doors(problem, draft, rows, step)
    over = problem.sign * (draft.used - problem.limit)
    return bool((over <= 1e-9 * np.maximum(problem.limit, 1)).all())


class _Draft:
    """A plan that is being improved, always within the limits."""

    def __init__(self, contact: NDArray[np.int8], used: Floats, doors: Integers, gain: float) -> None:
        self.contact, self.used, self.doors, self.gain = contact, used, doors, gain

    @classmethod
    def of(cls, problem: _Problem, contact: NDArray[np.int8]) -> _Draft:
        counts = np.bincount(contact[contact >= 0], minlength=problem.worth.shape[1])
        rows = np.arange(len(contact))
        doors = np.bincount(
            problem.turf[_has_door(problem, contact)], minlength=problem.capacity.size
        )
        return cls(contact, problem.usage @ counts, doors, float(_worth(problem, contact, rows).sum()))


def _fits(problem: _Problem, counts: Integers) -> bool:
    over = problem.sign * (problem.usage @ counts - problem.limit)
    return bool((over <= 1e-9 * np.maximum(problem.limit, 1)).all())


def _has_door(problem: _Problem, contact: NDArray[np.int8]) -> NDArray[np.bool_]:
    return np.isin(contact, problem.local).any(1) if problem.local else np.zeros(len(contact), bool)


def _worth(problem: _Problem, contact: NDArray[np.int8], rows: Integers) -> Floats:
    """(n,) what these households' contacts are worth together."""
    values = problem.worth[rows[:, None], np.maximum(contact, 0)]
    return np.where(contact >= 0, values, 0.0).sum(1, dtype=np.float64)


def _takes(problem: _Problem, contact: NDArray[np.int8]) -> Floats:
    """(n, s) what these contacts take of each limit."""
    padded = np.vstack([problem.usage.T, np.zeros((1, len(problem.limit)))])
    return padded[contact].sum(1)


def _move(problem: _Problem, draft: _Draft, target: NDArray[np.int8], price: Floats) -> int:
    """Give households the target's contacts instead, the best first, as far as the limits allow."""
    rows = np.flatnonzero((target != draft.contact).any(1))
    moved = 0
    for _ in range(_ROUNDS):
        if not rows.size:
            break
        old, new = draft.contact[rows], target[rows]
        up = _worth(problem, new, rows) - _worth(problem, old, rows)
        more = _takes(problem, new) - _takes(problem, old)
        step = _has_door(problem, new).astype(np.int64) - _has_door(problem, old)
        slack = problem.sign * (problem.limit - draft.used)
        fits = (problem.sign * more <= slack + 1e-9).all(1) & (up > 0)
        fits &= _turf_allows(problem, draft, rows, step)
        rows, up, more, step = rows[fits], up[fits], more[fits], step[fits]
        order = np.argsort(more @ price - up, kind="stable")
        order = order[_turf_rank(problem, draft, rows[order], step[order])]
        within = (problem.sign * np.cumsum(more[order], axis=0) <= slack + 1e-9).all(1)
        n = int(np.argmin(within)) if not within.all() else order.size
        if n == 0:
            break
        done = order[:n]
        draft.contact[rows[done]] = target[rows[done]]
        draft.used = draft.used + more[done].sum(0)
        draft.gain += float(up[done].sum())
        _count_doors(problem, draft, rows[done], step[done])
        moved += n
        rows = np.delete(rows, done)
    return moved


def _turf_allows(problem: _Problem, draft: _Draft, rows: Integers, step: Integers) -> NDArray[np.bool_]:
    if not problem.local:
        return np.ones(rows.size, dtype=bool)
    turf = problem.turf[rows]
    doors, full = draft.doors[turf], problem.capacity[turf]
    least = problem.smallest[turf]
    opens = (step > 0) & (turf >= 0) & (doors < full) & ((doors > 0) | (least <= 1))
    closes = (step < 0) & ((doors > least) | (least <= 1))
    return (step == 0) | opens | closes


def _turf_rank(problem: _Problem, draft: _Draft, rows: Integers, step: Integers) -> Integers:
    """Places of the moves that no turf forbids, in order: so many doors more or fewer as it still has room for."""
    if not problem.local or not step.any():
        return np.arange(rows.size)
    turf = np.where(step == 0, -1, problem.turf[rows])
    room = np.where(step > 0, problem.capacity[turf] - draft.doors[turf], draft.doors[turf] - problem.smallest[turf])
    group = np.where(step == 0, -1, 2 * turf + (step > 0))
    order = np.argsort(group, kind="stable")
    begins = np.flatnonzero(np.r_[True, group[order][1:] != group[order][:-1]])
    rank = np.empty(rows.size, dtype=np.int64)
    rank[order] = np.arange(rows.size) - np.repeat(begins, np.diff(np.r_[begins, rows.size]))
    return np.flatnonzero((step == 0) | (rank < room))


def _count_doors(problem: _Problem, draft: _Draft, rows: Integers, step: Integers) -> None:
    if problem.local and step.any():
        changed = step != 0
        np.add.at(draft.doors, problem.turf[rows[changed]], step[changed])


def _fill(problem: _Problem, draft: _Draft, price: Floats, bound: float) -> None:
    """Spend what is left: one contact more, or a better one instead, wherever it still fits."""
    for _ in range(_ROUNDS):
        if bound - draft.gain <= 1e-6 * bound or not _improve(problem, draft, price):
            break


def _improve(problem: _Problem, draft: _Draft, price: Floats) -> int:
    slack = problem.sign * (problem.limit - draft.used)
    target, any_more = draft.contact.copy(), False
    width = draft.contact.shape[1]
    for first in range(0, len(target), _BLOCK):
        rows = np.arange(first, min(len(target), first + _BLOCK))
        now = draft.contact[rows]
        taken = (now >= 0).sum(1)
        room = taken < problem.cap[rows]
        # Where there is room the next place is filled, otherwise the last contact gives way.
        place = np.where(room, taken, np.maximum(taken - 1, 0)).clip(0, width - 1)
        old = np.where(room, -1, now[np.arange(len(rows)), place])
        padded = np.vstack([problem.usage.T, np.zeros((1, len(slack)))])
        more = problem.usage.T[None] - padded[old][:, None]
        up = problem.worth[rows] - np.where(old >= 0, problem.worth[rows, np.maximum(old, 0)], 0)[:, None]
        usable = (problem.sign * more <= slack + 1e-9).all(2) & (up > 0) & (problem.cap[rows] > 0)[:, None]
        usable &= ~_same_kind(problem, now, place, room)
        score = np.where(usable, up - more @ price, -np.inf)
        best = score.argmax(1)
        go = np.flatnonzero(score[np.arange(len(rows)), best] > -np.inf)
        target[rows[go], place[go]] = best[go]
        any_more |= bool(go.size)
    return _move(problem, draft, target, price) if any_more else 0


def _same_kind(problem: _Problem, now: NDArray[np.int8], place: Integers, room: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(n, a) whether an action is of a kind that the household has already, apart from what gives way."""
    kind = np.full(problem.worth.shape[1] + 1, -1)
    for number, columns in enumerate([*problem.kinds, problem.local]):
        kind[columns] = number
    staying = now.copy()
    gives_way = np.flatnonzero(~room)
    staying[gives_way, place[gives_way]] = -1
    have = kind[staying]
    return (kind[:-1][None, :, None] == have[:, None, :]).any(2)
