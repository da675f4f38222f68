"""Prices of what all contacts share, at which every household's best reply is known exactly."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hustings.errors import DesignError
from hustings.stats.clusters import Floats, Integers

_BLOCK = 1 << 17
_ROUNDS = 60


class Problem(NamedTuple):
    """Everything that a plan has to keep to.

    Attributes:
        worth: (h, a) value of each action for each household; minus infinity where it may not be.
        usage: (s, a) what one unit of each action takes of each shared limit.
        limit: (s,) how much there is.
        sign: (s,) 1 where that is the most, -1 where it is the least.
        kinds: Columns of which a household gets one, without those of the turfs.
        local: Columns of the turfs.
        turf: (h,) codes, -1 for none.
        capacity: (t,) units.
        smallest: (t,) of a list that is not empty.
        cap: (h,) contacts at most.
    """

    worth: NDArray[np.float32]
    usage: Floats
    limit: Floats
    sign: Floats
    kinds: list[list[int]]
    local: list[int]
    turf: Integers
    capacity: Integers
    smallest: Integers
    cap: Integers


class Minimum(NamedTuple):
    """Where the dual is smallest; and which earlier prices' replies, in what shares, keep to the limits there."""

    price: Floats
    best: Answer
    mix: list[tuple[float, Floats]]


class Answer(NamedTuple):
    """The households' best replies to prices."""

    value: float
    slope: Floats
    counts: Integers
    contact: NDArray[np.int8]
    turf_price: Floats


def sampled(problem: Problem, n_households: int) -> Problem:
    """The same problem for some households, with limits in proportion."""
    part = np.sort(np.random.default_rng(0).choice(len(problem.worth), n_households, replace=False))
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


def descend(problem: Problem, start: Floats, tolerance: float, radius: float = 1.0) -> Minimum:
    """Prices at which the dual is smallest, by cutting planes within a box around the best so far."""
    scale = price_scale(problem)
    # Dearer than the largest gain per unit nobody takes any; paid more than everything costs, everybody does.
    may = np.isfinite(problem.worth)
    paid = float(problem.worth.max(where=may, initial=0) - problem.worth.min(where=may, initial=0))
    paid += float((scale * problem.usage.max(1, initial=0) * (problem.sign > 0)).sum())
    lower, upper = np.where(problem.sign > 0, 0.0, -2 * paid), np.where(problem.sign > 0, scale, 0.0)
    centre, best = start, replies(problem, start)
    cuts = [(best.value, best.slope, start)]
    reach = np.where(start != 0, np.abs(start) * radius, scale * radius)
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
        found = replies(problem, trial)
        cuts.append((found.value, found.slope, trial))
        if found.value < best.value:
            centre, best = trial, found
            reach = reach if inside else reach * 2
        else:
            reach = reach * 0.5 if inside else reach
    mix = [(float(share), at) for share, (_, _, at) in zip(shares, cuts, strict=False) if share > 1e-9]
    return Minimum(centre, best, mix)


def price_scale(problem: Problem) -> Floats:
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


def replies(problem: Problem, price: Floats) -> Answer:
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
    return Answer(value, slope, counts, contact, turf_price)


def _block(
    problem: Problem,
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
    if width > 1 or not problem.kinds:
        order = np.argsort(-values, axis=1, kind="stable")[:, :width]
    else:
        order = values.argmax(1)[:, None]
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


def _turfs_solved(problem: Problem, gain: NDArray[np.float32]) -> tuple[NDArray[np.bool_], Floats, float]:
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
    problem: Problem, contact: NDArray[np.int8], door: NDArray[np.int8], kept: NDArray[np.bool_]
) -> None:
    at = np.flatnonzero(kept)
    n_taken = (contact[at] >= 0).sum(1)
    place = np.minimum(n_taken, problem.cap[at] - 1)
    contact[at, place] = door[at]
