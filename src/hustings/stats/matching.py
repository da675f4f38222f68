"""Who is put where on which day: the assignment worth most within days, fatigue and money, and how good it can be.

Each option (a messenger on a day, an audience in a place) has a value and a cost. One messenger does one thing a
day; an audience hears at most so many asks, and each further one is worth a stated fraction of the one before, so
an audience is as many seats as it may be asked, of falling worth. Choosing

    maximise    sum (v - e c) x
    subject to  sum over a messenger's day x ≤ 1,  sum over a seat x ≤ 1,  sum c x ≤ budget,  x in {0, 1}

e is 1 where values are money like the costs, else 0. Without the budget this is the assignment problem, solved exactly
(Kuhn 1955; Crouse 2016 in scipy). With it money has a price: every price gives an exact assignment and an upper bound
of every choice (Lagrange); the two assignments around the budget are joined path by path, and exchanges, where options
are few of two at once, spend what is left.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hustings.errors import DesignError

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
_HALVINGS = 40
"""Of the interval in which the price of money lies."""
_EXCHANGES = 500
"""At most, after the bisection."""
_SMALL = 3_000
"""Options times asks up to which pairs of exchanges are tried as well."""


class Options(NamedTuple):
    """What may be chosen; all (n,).

    Attributes:
        worker: Who would do it, on which day: one number for each messenger's day.
        task: What it would be done to: one number for each audience in a place.
        value: What it is worth when it is the first there.
        cost: What it costs, 0 or more.
    """

    worker: Integers
    task: Integers
    value: Floats
    cost: Floats


class Assignment(NamedTuple):
    """What is chosen.

    Attributes:
        chosen: (k,) options, in their order.
        turn: (k,) which ask of its task each is, from 0.
        value: What they are worth together, later asks less.
        cost: What they cost.
        bound: No choice whatever is worth more.
    """

    chosen: Integers
    turn: Integers
    value: float
    cost: float
    bound: float

    @property
    def gap(self) -> float:
        """(bound - value) / bound; 0 of nothing."""
        return max((self.bound - self.value) / self.bound, 0.0) if self.bound > 0 else 0.0


def assign(
    options: Options, *, asks: int = 1, repeat: float = 0.5, budget: float = np.inf, charge: float = 0.0
) -> Assignment:
    """The options worth most together.

    Args:
        options: What may be chosen; options of no value never are.
        asks: How often a task may be chosen, 1 or more: what its people bear.
        repeat: What a further ask is worth, in units of the one before; 0 to 1.
        budget: In the unit of cost.
        charge: e, what a unit of cost takes off the value; 0 or more.

    Returns:
        The assignment, and a bound.

    Raises:
        DesignError: Shapes do not fit, a number is missing or infinite, a negative cost or budget.

    >>> two = Options(np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1]), np.array([5.0, 4, 4, 1]), np.zeros(4))
    >>> assign(two).chosen.tolist(), assign(two).value
    ([1, 2], 8.0)
    """
    _check(options, asks, repeat, budget, charge)
    live = np.flatnonzero((options.value > charge * options.cost) & (options.cost <= budget))
    if not live.size:
        return Assignment(np.empty(0, np.int64), np.empty(0, np.int64), 0.0, 0.0, 0.0)
    cut = Options(options.worker[live], options.task[live], options.value[live], options.cost[live])
    # An ask beyond those who could make one is never made.
    turns = min(asks if repeat > 0 else 1, int(np.bincount(cut.task).max()))
    seats = _Seats(
        np.unique(cut.worker, return_inverse=True)[1],
        np.unique(cut.task, return_inverse=True)[1],
        turns,
        cut.value[:, None] * repeat ** np.arange(turns) - charge * cut.cost[:, None],
    )
    chosen, bound = _within(cut, seats, budget)
    found = _told(cut, chosen, repeat, charge, bound)
    greedy = assign_in_order(
        cut, np.argsort(-cut.value, kind="stable"), asks=asks, repeat=repeat, budget=budget, charge=charge
    )
    best = max((found, greedy), key=lambda one: one.value)
    return best._replace(chosen=live[best.chosen], bound=max(bound, best.value))


def assign_in_order(
    options: Options,
    order: ArrayLike,
    *,
    asks: int = 1,
    repeat: float = 0.5,
    budget: float = np.inf,
    charge: float = 0.0,
) -> Assignment:
    """A rule of thumb: options in a given order, each taken when its day, its seat and the money are still there.

    Args:
        options: As in `assign`.
        order: Options, the first to be taken first.
        asks: As in `assign`.
        repeat: As in `assign`.
        budget: As in `assign`.
        charge: As in `assign`; only its value is told by it.

    Returns:
        The assignment; its bound is its value, which proves nothing.

    >>> two = Options(np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1]), np.array([5.0, 4, 4, 1]), np.zeros(4))
    >>> assign_in_order(two, [0, 1, 2, 3]).value
    6.0
    """
    _check(options, asks, repeat, budget, charge)
    workers, tasks, costs = options.worker.tolist(), options.task.tolist(), options.cost.tolist()
    busy: set[int] = set()
    asked: dict[int, int] = {}
    chosen, spent = [], 0.0
    ranked = np.asarray(order, np.int64).tolist()
    # Nobody is asked twice while someone has not been asked once.
    for turn, at in ((turn, at) for turn in range(asks) for at in ranked):
        before = asked.get(tasks[at], 0)
        if workers[at] in busy or before != turn or spent + costs[at] > budget + 1e-9:
            continue
        busy.add(workers[at])
        asked[tasks[at]] = before + 1
        spent += costs[at]
        chosen.append(at)
    return _told(options, np.array(chosen, np.int64), repeat, charge, None)


def _check(options: Options, asks: int, repeat: float, budget: float, charge: float) -> None:
    n = options.value.shape
    if len(n) != 1 or any(column.shape != n for column in options):
        raise DesignError.of(
            "Options do not fit", received=[column.shape for column in options], allowed="(n,) each"
        )
    if not (np.isfinite(options.value).all() and np.isfinite(options.cost).all()) or (options.cost < 0).any():
        raise DesignError.of(
            "An option's value or cost is missing, infinite or negative", then="leave that option out"
        )
    if n[0] and min(options.worker.min(), options.task.min()) < 0:
        raise DesignError.of("An option of nobody, or for nobody", allowed="workers and tasks from 0")
    if asks < 1 or not 0 <= repeat <= 1 or not budget >= 0 or not charge >= 0:
        raise DesignError.of(
            "Asks, repeat, budget and charge",
            received=(asks, repeat, budget, charge),
            allowed="1 or more, 0 to 1, 0 or more, 0 or more",
        )


class _Seats(NamedTuple):
    """Options as cells of a table: messengers' days by seats, a task's seats beside each other.

    Attributes:
        row: (n,) the messenger's day of each option.
        task: (n,) its task.
        turns: Seats of a task.
        worth: (n, turns) what it is worth in each of them, its charge taken off.
    """

    row: Integers
    task: Integers
    turns: int
    worth: Floats


def _within(cut: Options, seats: _Seats, budget: float) -> tuple[Integers, float]:
    """What may be chosen, and the bound: the budget has a price, found by bisection; its dual bounds every choice."""
    free = _priced(cut, seats, 0.0)
    cost = float(cut.cost[free.option].sum())
    if cost <= budget:
        return free.option, free.value
    # A price at which nothing is worth its cost, and one at which too much is.
    paid = cut.cost > 0
    low, high = 0.0, float((seats.worth[paid, 0] / cut.cost[paid]).max()) * (1 + 1e-9)
    over, under = free, _priced(cut, seats, high)
    bound = min(free.value, under.value + high * budget)
    for _ in range(_HALVINGS):
        price = (low + high) / 2
        now = _priced(cut, seats, price)
        bound = min(bound, now.value + price * budget)
        if float(cut.cost[now.option].sum()) > budget:
            low, over = price, now
        else:
            high, under = price, now
        if high - low <= 1e-12 * high:
            break
    return _between(cut, seats, under, over, budget), bound


class _Priced(NamedTuple):
    """The best assignment at one price of money: options, their seats, and value less cost times the price."""

    option: Integers
    seat: Integers
    value: float


def _priced(cut: Options, seats: _Seats, price: float) -> _Priced:
    from scipy.optimize import linear_sum_assignment

    rows, columns = int(seats.row.max()) + 1, (int(seats.task.max()) + 1) * seats.turns
    worth = np.zeros((rows, columns))
    which = np.full((rows, columns), -1)
    for turn in range(seats.turns):
        net = seats.worth[:, turn] - price * cut.cost
        order = np.argsort(net, kind="stable")
        order = order[net[order] > 0]
        # Of several options for one cell the last written, the best, stays.
        worth[seats.row[order], seats.task[order] * seats.turns + turn] = net[order]
        which[seats.row[order], seats.task[order] * seats.turns + turn] = order
    row, seat = linear_sum_assignment(worth, maximize=True)
    real = which[row, seat] >= 0
    return _Priced(which[row, seat][real], seat[real], float(worth[row, seat].sum()))


def _between(cut: Options, seats: _Seats, under: _Priced, over: _Priced, budget: float) -> Integers:
    """From the choice that the budget pays towards the one that it does not: whole alternating paths, then fillers.

    Where two assignments differ they form paths and rings; either side of each can be taken on its own (Berger and
    others, Mathematical Programming 128, 2011).
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    rows = int(seats.row.max()) + 1
    size = rows + (int(seats.task.max()) + 1) * seats.turns
    option = np.concatenate([under.option, over.option])
    seat = np.concatenate([under.seat, over.seat])
    side = np.repeat([-1.0, 1.0], [under.option.size, over.option.size])
    ends = (seats.row[option], rows + seat)
    part = connected_components(coo_array((np.ones(option.size), ends), shape=(size, size)), False)[1][
        ends[0]
    ]
    more = np.bincount(part, side * cut.cost[option], size)
    gain = np.bincount(part, side * seats.worth[option, seat % seats.turns], size)
    left = budget - float(cut.cost[under.option].sum())
    taken = np.zeros(size, bool)
    for at in np.lexsort((-more, -gain)).tolist():
        if gain[at] > 0 and more[at] <= left:
            taken[at] = True
            left -= more[at]
    kept = np.where(side > 0, taken[part], ~taken[part])
    return _exchanged(cut, seats, option[kept], seat[kept], budget)


class _Moves(NamedTuple):
    """Every exchange, one cell in and what stands in its way out, and every cell taken out alone; (q,) each.

    Attributes:
        enters: The cell that enters; -1 of none.
        one: The cell that leaves its day, or -1.
        two: The cell that leaves its seat, or -1.
        gain: What is gained.
        more: What is spent more.
    """

    enters: Integers
    one: Integers
    two: Integers
    gain: Floats
    more: Floats


def _exchanged(cut: Options, seats: _Seats, option: Integers, seat: Integers, budget: float) -> Integers:
    """Exchanges while they pay within the budget, the best first; where few cells are, two at once."""
    turns = seats.turns
    row, place = np.repeat(seats.row, turns), (seats.task[:, None] * turns + np.arange(turns)).ravel()
    value, cost = seats.worth.ravel(), np.repeat(cut.cost, turns)
    in_row, in_seat = np.full(row.max() + 1, -1), np.full(place.max() + 1, -1)
    in_row[seats.row[option]] = in_seat[seat] = option * turns + seat % turns
    worth, price = np.append(value, 0.0), np.append(cost, 0.0)
    for _ in range(_EXCHANGES):
        inside = in_row[in_row >= 0]
        one = np.append(in_row[row], inside)
        two = np.append(in_seat[place], np.full(inside.size, -1))
        two = np.where(two == one, -1, two)
        enters = np.append(np.arange(value.size), np.full(inside.size, -1))
        gain = worth[enters] - worth[one] - worth[two]
        moves = _Moves(enters, one, two, gain, price[enters] - price[one] - price[two])
        least = 1e-12 * max(float(value.max()), 1e-300)
        chosen = _best_moves(moves, row, place, budget - float(cost[inside].sum()) + 1e-9, least)
        if not chosen:
            break
        for out in (cell for move in chosen for cell in (one[move], two[move]) if cell >= 0):
            in_row[row[out]] = in_seat[place[out]] = -1
        for new in (enters[move] for move in chosen if enters[move] >= 0):
            in_row[row[new]] = in_seat[place[new]] = new
    return np.asarray(np.sort(in_row[in_row >= 0]) // turns, np.int64)


def _best_moves(moves: _Moves, row: Integers, place: Integers, left: float, least: float) -> list[int]:
    """One move, or two that do not meet, with the largest gain that the money left pays; none that gains nothing."""
    single = np.where(moves.more <= left, moves.gain, -np.inf)
    best = int(single.argmax())
    if single[best] > least or row.size > _SMALL:
        return [best] if single[best] > least else []
    # Only moves that no other beats in both gain and money can be the first of the best pair.
    order = np.lexsort((-moves.gain, moves.more))
    front = order[moves.gain[order] > np.append(-np.inf, np.maximum.accumulate(moves.gain[order])[:-1])]
    nowhere = np.append(row, -1), np.append(place, -1)
    top, pair = least, []
    for first in front.tolist():
        ends = {int(moves.enters[first]), int(moves.one[first]), int(moves.two[first])} - {-1}
        rows, seats = ([int(axis[cell]) for cell in ends] for axis in nowhere)
        free = moves.more <= left - moves.more[first]
        for cells in (moves.enters, moves.one, moves.two):
            free &= ~np.isin(nowhere[0][cells], rows) & ~np.isin(nowhere[1][cells], seats)
        gain = np.where(free, moves.gain + moves.gain[first], -np.inf)
        second = int(gain.argmax())
        if gain[second] > top:
            top, pair = float(gain[second]), [first, second]
    return pair


def _told(
    options: Options, chosen: Integers, repeat: float, charge: float, bound: float | None
) -> Assignment:
    # The better of two asks comes first, whatever the seats it was found in.
    order = np.lexsort((chosen, -options.value[chosen], options.task[chosen]))
    chosen = chosen[order]
    task = options.task[chosen]
    first = np.flatnonzero(np.diff(task, prepend=-1))
    turn = np.arange(task.size) - np.repeat(first, np.diff(np.append(first, task.size)))
    cost = float(options.cost[chosen].sum())
    value = float(options.value[chosen] @ (repeat ** turn.astype(np.float64))) - charge * cost
    back = np.argsort(chosen, kind="stable")
    value_bound = value if bound is None else max(bound, value)
    return Assignment(chosen[back], np.asarray(turn[back], np.int64), value, cost, value_bound)
