"""How many units of which slots to buy, so that the people worth reaching are reached often enough, not too often.

The objective is concave in the units bought (or bounded by one that is), so the distance from the best possible plan is
known: at any plan x with gradient g, no plan within the limits is worth more than F(x) + max over y of g · (y - x).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse

from hustings.errors import DesignError
from hustings.stats.clusters import Floats
from hustings.stats.media_search import Audience, Limits, climb, gradient, most, value_of
from hustings.stats.media_whole import whole_units
from hustings.stats.response import Response, checked

_SAMPLE = 50_000
_ROUNDS = 25


class Cap(NamedTuple):
    """A limit over several slots: a week's money, a network's share, a contract's minimum.

    Attributes:
        name: As it stands in messages.
        weight: (s,) what one unit of each slot counts, at least 0.
        at_most: Upper limit, or infinity.
        at_least: Lower limit, or 0.
    """

    name: str
    weight: ArrayLike
    at_most: float = np.inf
    at_least: float = 0.0


class Buy(NamedTuple):
    """A media plan.

    Attributes:
        units: (s,) whole units, or parts where they were allowed.
        value: What the plan is worth, in the unit of `worth`.
        cost: What it costs.
        bound: No plan within the limits is worth more.
        gap: (bound - value) / bound.
        price: What one more of the budget's currency would gain at the margin.
        cap_price: (k,) the same for each cap's unit.
    """

    units: Floats
    value: float
    cost: float
    bound: float
    gap: float
    price: float
    cap_price: Floats


def audience(
    viewing: sparse.sparray | ArrayLike, worth: ArrayLike, people: ArrayLike | None = None
) -> Audience:
    """Who sees what, and what they are worth, checked.

    Args:
        viewing: (n, s) probability that a person, or one of a group of alike persons, sees one unit.
        worth: (n,) what the full effect on one of them is worth, at least 0.
        people: (n,) persons in each group; 1 unless given.

    Returns:
        The audience, in single precision.

    Raises:
        DesignError: Shapes that do not fit, a viewing outside 0–1, a worth that is negative or missing.

    >>> audience([[0.5, 0.0], [0.2, 1.0]], [1.0, 2.0]).worth.tolist()
    [1.0, 2.0]
    """
    table = sparse.csr_array(viewing, dtype=np.float32)
    values = np.asarray(worth, dtype=np.float64)
    weights = np.ones(values.shape) if people is None else np.asarray(people, dtype=np.float64)
    if values.shape != (table.shape[0],) or weights.shape != values.shape:
        raise DesignError.of(
            "Viewing and worth do not fit", received=(table.shape, values.shape), allowed="(n, s); (n,)"
        )
    if not (np.isfinite(table.data).all() and (table.data >= 0).all() and (table.data <= 1).all()):
        raise DesignError.of("A viewing is no probability", allowed="0 to 1", then="check the table viewing")
    if not (
        np.isfinite(values).all()
        and (values >= 0).all()
        and np.isfinite(weights).all()
        and (weights >= 0).all()
    ):
        raise DesignError.of("A worth or a number of people is missing or negative", allowed="0 or more")
    return Audience(table, (values * weights).astype(np.float32))


def plan_buys(
    viewers: Audience,
    price: ArrayLike,
    units: ArrayLike,
    budget: float,
    *,
    response: Response,
    caps: Sequence[Cap] = (),
    whole: bool = True,
    tolerance: float = 1e-3,
) -> Buy:
    """The units of each slot that are worth most under a budget and all caps.

    maximise F(x) = sum over people of worth · r(sum over slots of viewing · x) over 0 <= x <= units, price · x <=
    budget and the caps. Accelerated projected ascent on a sample of people, corrected by the gradient of all (so that
    its fixed point is that of all), until the linear bound is near; whole units by rounding down and then adding the
    unit with the best gain per cost while it fits. An S-shaped response is planned and bounded by its concave envelope.

    Args:
        viewers: Who sees what.
        price: (s,) of one unit, at least 0.
        units: (s,) to be had, at least 0.
        budget: At least 0.
        response: What exposures are worth.
        caps: Limits over several slots.
        whole: Whether units are whole.
        tolerance: Relative gap of the plan in parts at which the search ends.

    Returns:
        The plan with its bound.

    Raises:
        DesignError: Prices, units or a budget that are missing or negative, or caps that exclude one another or the
            budget, with the cap and by how much.

    Source: Nesterov, Doklady 27 (1983); O'Donoghue & Candès, FoCM 15 (2015), for restarts; Shamir, Srebro & Zhang, ICML
    (2014), for the corrected sample; Jaggi, ICML (2013), for the gap.

    >>> seen = audience([[0.5, 0.0], [0.0, 0.5]], [10.0, 1.0])
    >>> plan_buys(seen, [1.0, 1.0], [5, 5], 3.0, response=Response(1.0)).units.tolist()
    [3.0, 0.0]
    """
    checked(response)
    limits = _limits(viewers, price, units, budget, caps)
    _check_possible(limits, [cap.name for cap in caps])
    x, multiplier, gap, bound = _relaxed(viewers, limits, response, tolerance)
    if whole:
        x = whole_units(viewers, limits, response, x)
    value = value_of(viewers, response, x)
    bound = max(bound, value)
    gap = (bound - value) / bound if bound > 0 else 0.0
    prices = multiplier[: 1 + len(caps)]
    return Buy(x, value, float(limits.table[0] @ x), bound, gap, float(prices[0]), prices[1:])


def value_of_buys(viewers: Audience, units: ArrayLike, response: Response) -> float:
    """What a plan is worth: the sum over people of worth times the share of the effect that they get.

    >>> round(value_of_buys(audience([[1.0]], [2.0]), [1.0], Response(1.0)), 4)
    1.2642
    """
    return value_of(viewers, response, np.asarray(units, dtype=np.float64))


def buy_in_order(
    score: ArrayLike,
    price: ArrayLike,
    units: ArrayLike,
    budget: float,
    *,
    most_per_slot: float = np.inf,
    caps: Sequence[Cap] = (),
) -> Floats:
    """A rule of thumb: whole units of the slot with the highest score per cost first, until the budget ends.

    Args:
        score: (s,) what the rule counts in a unit: adults, or rating points in a demographic.
        price: (s,) of one unit; a free slot with a score comes first.
        units: (s,) to be had.
        budget: At least 0.
        most_per_slot: Units of one slot at most, as buyers do against repetition.
        caps: Upper limits over several slots.

    Returns:
        (s,) units.

    >>> buy_in_order([10.0, 30.0], [1.0, 2.0], [5, 1], 5.0).tolist()
    [3.0, 1.0]
    """
    scores, prices = np.asarray(score, dtype=np.float64), np.asarray(price, dtype=np.float64)
    room = np.minimum(np.asarray(units, dtype=np.float64), most_per_slot)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(scores > 0, scores / prices, -np.inf)
    bought, left = np.zeros(prices.size), float(budget)
    rest = [float(cap.at_most) for cap in caps]
    weights = [np.broadcast_to(np.asarray(cap.weight, np.float64), prices.shape) for cap in caps]
    for slot in np.argsort(-ratio, kind="stable"):
        if not ratio[slot] > 0:
            break
        fits = [left / prices[slot] if prices[slot] > 0 else np.inf, room[slot]]
        fits += [r / w[slot] for r, w in zip(rest, weights, strict=True) if w[slot] > 0]
        n = np.floor(min(fits) + 1e-9)
        bought[slot], left = n, left - n * prices[slot]
        rest = [r - n * w[slot] for r, w in zip(rest, weights, strict=True)]
    return bought


def _limits(
    viewers: Audience, price: ArrayLike, units: ArrayLike, budget: float, caps: Sequence[Cap]
) -> Limits:
    prices, room = np.asarray(price, dtype=np.float64), np.asarray(units, dtype=np.float64)
    n_slots = viewers.viewing.shape[1]
    for name, values in (("price", prices), ("units", room)):
        if values.shape != (n_slots,) or not (np.isfinite(values).all() and (values >= 0).all()):
            raise DesignError.of(
                f"The {name} of the slots", received=values.shape, allowed=f"({n_slots},), 0 or more"
            )
    if not budget >= 0:
        raise DesignError.of("A budget is an amount", received=budget, allowed="0 or more")
    weights = [np.broadcast_to(np.asarray(cap.weight, np.float64), (n_slots,)) for cap in caps]
    for cap, weight in zip(caps, weights, strict=True):
        if not (np.isfinite(weight).all() and (weight >= 0).all() and cap.at_most >= 0):
            raise DesignError.of(
                f"The cap {cap.name}", received=cap.at_most, allowed="weights and a limit of 0 or more"
            )
    least = [k for k, cap in enumerate(caps) if cap.at_least > 0]
    rows = [prices, *weights, *(-weights[k] for k in least)]
    ceiling = [float(prices @ room) + 1, *(float(w @ room) + 1 for w in weights)]
    most_of = np.minimum([budget, *(cap.at_most for cap in caps)], ceiling)
    return Limits(np.array(rows), np.append(most_of, [-caps[k].at_least for k in least]), room, least)


def _check_possible(limits: Limits, names: list[str]) -> None:
    """Refuse minimum buys that cannot be kept, and say which and by how much."""
    from scipy.optimize import linprog

    n_slots, k = limits.room.size, len(limits.least)
    if not k:
        return
    n_upper = len(limits.limit) - k
    short = np.vstack([np.zeros((n_upper, k)), -np.eye(k)])
    found = linprog(
        np.append(np.zeros(n_slots), np.ones(k)),
        A_ub=np.column_stack([limits.table, short]),
        b_ub=limits.limit,
        bounds=[*((0, float(r)) for r in limits.room), *[(0, None)] * k],
        method="highs",
    )
    missing = found.x[n_slots:] if found.status == 0 else np.full(k, np.inf)
    worst = int(np.argmax(missing))
    if missing[worst] > 1e-6 * max(1.0, abs(limits.limit[n_upper + worst])):
        wanted = -limits.limit[n_upper + worst]
        raise DesignError.of(
            f"The minimum of {names[limits.least[worst]]} cannot be bought within the other limits: {missing[worst]:,.6g} short",
            received=wanted,
            allowed=f"at most {wanted - missing[worst]:,.6g}",
            then="lower the minimum, or raise the budget",
        )


def _relaxed(
    viewers: Audience, limits: Limits, response: Response, tolerance: float
) -> tuple[Floats, Floats, float, float]:
    """Units in parts, the limits' prices, the gap and the bound."""
    n = viewers.worth.size
    part, scale = viewers, 1.0
    if n > 2 * _SAMPLE:
        rows = np.sort(np.random.default_rng(0).choice(n, _SAMPLE, replace=False))
        part, scale = Audience(viewers.viewing[rows], viewers.worth[rows]), n / _SAMPLE
    part = part._replace(turned=part.viewing.T.tocsr())
    x, multiplier = climb(
        part, scale, limits, response, np.zeros(limits.room.size), np.zeros(limits.room.size), tolerance / 2
    )
    best, bound = x, np.inf
    for _ in range(_ROUNDS):
        value, slope = gradient(viewers, response, x)
        step = most(slope, limits) - float(slope @ x)
        bound = min(bound, value + step)
        best = x
        if bound - value <= tolerance * max(bound, 1e-300):
            break
        _, rough = gradient(part, response, x)
        x, multiplier = climb(part, scale, limits, response, x, slope - scale * rough, tolerance / 8)
    return best, multiplier, (bound - value) / bound if bound > 0 else 0.0, bound
