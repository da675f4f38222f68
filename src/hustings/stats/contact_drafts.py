"""Replies to prices ─► a plan within all limits, moved, shed and filled until next to nothing is missing."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hustings.errors import DesignError
from hustings.stats.clusters import Floats, Integers
from hustings.stats.contact_prices import Minimum, Problem, price_scale, replies

_BLOCK = 1 << 17
_ROUNDS = 60


def recovered(problem: Problem, found: Minimum, tolerance: float) -> Draft:
    """A plan within all limits, near the dual's minimum.

    Raises:
        DesignError: No plan keeps to all limits.
    """
    # Where one limit binds, prices just above it nearly fill it. Where several do, or many are alike and change
    # sides at one price, a mixture of replies divides them better.
    ways = (_from_above, _from_mixture) if np.count_nonzero(found.price) < 2 else (_from_mixture, _from_above)
    draft: Draft | None = None
    for way in ways:
        if draft is None or found.best.value - draft.gain > 2 * tolerance * found.best.value:
            draft = max((one for one in (draft, way(problem, found)) if one), key=_gain, default=None)
    if draft is None:
        raise DesignError.of(
            "No plan keeps to all limits", received=problem.limit.tolist(), then="shorten the smallest lists"
        )
    return draft


def _gain(draft: Draft) -> float:
    return draft.gain


def _from_above(problem: Problem, found: Minimum) -> Draft | None:
    """Replies at prices just above, then what those just below would add while it fits."""
    price, best = found.price, found.best
    scale = problem.sign * np.where(price != 0, np.abs(price), price_scale(problem) * 1e-6)
    raised, step = best, 1e-6
    while not _fits(problem, raised.counts):
        if step > 1e9:
            return None
        raised, step = replies(problem, price + scale * step), step * 6
    draft = Draft.of(problem, raised.contact.copy())
    lowered = np.where(problem.sign > 0, np.maximum(price - scale * step, 0), price)
    for loose in (best, replies(problem, lowered)):
        _move(problem, draft, loose.contact, price)
    _fill(problem, draft, price, best.value)
    return draft


def _from_mixture(problem: Problem, found: Minimum) -> Draft | None:
    """Each turf, and each household without one, replies to one of the prices that together keep to the limits."""
    shares = np.array([share for share, _ in found.mix])
    rng = np.random.default_rng(2)
    of_turf = rng.choice(shares.size, problem.capacity.size + 1, p=shares / shares.sum())
    which = rng.choice(shares.size, len(problem.turf), p=shares / shares.sum())
    which = np.where(problem.turf >= 0, of_turf[problem.turf], which) if problem.local else which
    contact = found.best.contact.copy()
    for number, (_, price) in enumerate(found.mix):
        rows = np.flatnonzero(which == number)
        contact[rows] = replies(problem, price).contact[rows]
    draft = Draft.of(problem, contact)
    if not _shed(problem, draft, found.price):
        return None
    _fill(problem, draft, found.price, found.best.value)
    return draft


def _shed(problem: Problem, draft: Draft, price: Floats) -> bool:
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


class Draft:
    """A plan that is being improved, always within the limits."""

    def __init__(self, contact: NDArray[np.int8], used: Floats, doors: Integers, gain: float) -> None:
        self.contact, self.used, self.doors, self.gain = contact, used, doors, gain

    @classmethod
    def of(cls, problem: Problem, contact: NDArray[np.int8]) -> Draft:
        """The draft that these contacts are."""
        counts = np.bincount(contact[contact >= 0], minlength=problem.worth.shape[1])
        rows = np.arange(len(contact))
        doors = np.bincount(problem.turf[_has_door(problem, contact)], minlength=problem.capacity.size)
        return cls(contact, problem.usage @ counts, doors, float(_worth(problem, contact, rows).sum()))


def _fits(problem: Problem, counts: Integers) -> bool:
    over = problem.sign * (problem.usage @ counts - problem.limit)
    return bool((over <= 1e-9 * np.maximum(problem.limit, 1)).all())


def _has_door(problem: Problem, contact: NDArray[np.int8]) -> NDArray[np.bool_]:
    if not problem.local:
        return np.zeros(len(contact), dtype=bool)
    return np.asarray(np.isin(contact, problem.local).any(axis=1), dtype=bool)


def _worth(problem: Problem, contact: NDArray[np.int8], rows: Integers) -> Floats:
    """(n,) what these households' contacts are worth together."""
    values = problem.worth[rows[:, None], np.maximum(contact, 0)]
    return np.where(contact >= 0, values, 0.0).sum(1, dtype=np.float64)


def _takes(problem: Problem, contact: NDArray[np.int8]) -> Floats:
    """(n, s) what these contacts take of each limit."""
    padded = np.vstack([problem.usage.T, np.zeros((1, len(problem.limit)))])
    return padded[contact].sum(1)


def _move(problem: Problem, draft: Draft, target: NDArray[np.int8], price: Floats) -> int:
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


def _turf_allows(problem: Problem, draft: Draft, rows: Integers, step: Integers) -> NDArray[np.bool_]:
    if not problem.local:
        return np.ones(rows.size, dtype=bool)
    turf = problem.turf[rows]
    doors, full = draft.doors[turf], problem.capacity[turf]
    least = problem.smallest[turf]
    opens = (step > 0) & (turf >= 0) & (doors < full) & ((doors > 0) | (least <= 1))
    closes = (step < 0) & ((doors > least) | (least <= 1))
    return (step == 0) | opens | closes


def _turf_rank(problem: Problem, draft: Draft, rows: Integers, step: Integers) -> Integers:
    """Places of the moves that no turf forbids, in order: so many doors more or fewer as it still has room for."""
    if not problem.local or not step.any():
        return np.arange(rows.size)
    turf = np.where(step == 0, -1, problem.turf[rows])
    room = np.where(
        step > 0, problem.capacity[turf] - draft.doors[turf], draft.doors[turf] - problem.smallest[turf]
    )
    group = np.where(step == 0, -1, 2 * turf + (step > 0))
    order = np.argsort(group, kind="stable")
    begins = np.flatnonzero(np.r_[True, group[order][1:] != group[order][:-1]])
    rank = np.empty(rows.size, dtype=np.int64)
    rank[order] = np.arange(rows.size) - np.repeat(begins, np.diff(np.r_[begins, rows.size]))
    return np.flatnonzero((step == 0) | (rank < room))


def _count_doors(problem: Problem, draft: Draft, rows: Integers, step: Integers) -> None:
    if problem.local and step.any():
        changed = step != 0
        np.add.at(draft.doors, problem.turf[rows[changed]], step[changed])


def _fill(problem: Problem, draft: Draft, price: Floats, bound: float) -> None:
    """Spend what is left: one contact more, or a better one instead, wherever it still fits."""
    for _ in range(_ROUNDS):
        if bound - draft.gain <= 1e-6 * bound or not _improve(problem, draft, price):
            break


def _improve(problem: Problem, draft: Draft, price: Floats) -> int:
    slack = problem.sign * (problem.limit - draft.used)
    target, any_more = draft.contact.copy(), False
    width = draft.contact.shape[1]
    # What each action takes more than each other one, and than none (the last).
    padded = np.vstack([problem.usage.T, np.zeros((1, len(slack)))])
    more = padded[None, :-1] - padded[:, None]
    fits, costs = (problem.sign * more <= slack + 1e-9).all(2), (more @ price).astype(np.float32)
    for first in range(0, len(target), _BLOCK):
        rows = np.arange(first, min(len(target), first + _BLOCK))
        now = draft.contact[rows]
        taken = (now >= 0).sum(1)
        room = taken < problem.cap[rows]
        # Where there is room the next place is filled, otherwise the last contact gives way.
        place = np.where(room, taken, np.maximum(taken - 1, 0)).clip(0, width - 1)
        old = np.where(room, -1, now[np.arange(len(rows)), place])
        up = problem.worth[rows] - np.where(old >= 0, problem.worth[rows, np.maximum(old, 0)], 0)[:, None]
        usable = fits[old] & (up > 0) & (problem.cap[rows] > 0)[:, None]
        usable &= ~_same_kind(problem, now, place, room)
        score = np.where(usable, up - costs[old], -np.inf)
        best = score.argmax(1)
        go = np.flatnonzero(score[np.arange(len(rows)), best] > -np.inf)
        target[rows[go], place[go]] = best[go]
        any_more |= bool(go.size)
    return _move(problem, draft, target, price) if any_more else 0


def _same_kind(
    problem: Problem, now: NDArray[np.int8], place: Integers, room: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """(n, a) whether an action is of a kind that the household has already, apart from what gives way."""
    kind = np.full(problem.worth.shape[1] + 1, -1)
    for number, columns in enumerate([*problem.kinds, problem.local]):
        kind[columns] = number
    staying = now.copy()
    gives_way = np.flatnonzero(~room)
    staying[gives_way, place[gives_way]] = -1
    have = kind[staying]
    return (kind[:-1][None, :, None] == have[:, None, :]).any(2)
