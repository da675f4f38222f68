"""A media plan in parts ─► whole units that keep every limit."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from hustings.errors import DesignError
from hustings.stats.clusters import Floats
from hustings.stats.media_search import Audience, Limits
from hustings.stats.response import Response, share_of_effect

_SAMPLE = 100_000
_ROUNDS = 200
_SLACK = 1e-9


def whole_units(viewers: Audience, limits: Limits, response: Response, parts: Floats) -> Floats:
    """Rounded down, minimum buys kept, then the unit with the best exact gain per cost while it fits.

    Args:
        viewers: Who sees what; above 200,000 rows a sample of them says what a unit adds.
        limits: Of money, caps and minimum buys.
        response: What exposures are worth.
        parts: (s,) the plan in parts.

    Returns:
        (s,) whole units within all limits.

    Raises:
        DesignError: Minimum buys that parts of units can keep, and whole ones cannot.

    >>> seen = Audience(sparse.csr_array([[0.5, 0.2]]), np.ones(1))
    >>> limits = Limits(np.array([[2.0, 1.0]]), np.array([5.0]), np.array([9.0, 9.0]), [])
    >>> whole_units(seen, limits, Response(1.0), np.array([2.5, 0.0])).tolist()
    [2.0, 1.0]
    """
    n = viewers.worth.size
    if n > 2 * _SAMPLE:
        rows = np.sort(np.random.default_rng(3).choice(n, _SAMPLE, replace=False))
        viewers = Audience(viewers.viewing[rows], viewers.worth[rows])
    columns = viewers.viewing.tocsc()
    units = np.floor(parts + 1e-6)
    if limits.least:
        units = _least(viewers, columns, limits, response, units, parts)
    return _filled(viewers, columns, limits, response, units)


def _upper(limits: Limits) -> slice:
    return slice(0, len(limits.limit) - len(limits.least))


def _filled(
    viewers: Audience, columns: sparse.csc_array, limits: Limits, response: Response, units: Floats
) -> Floats:
    """The unit with the best gain per cost, while one fits; many at once as long as they are alike."""
    table, limit = limits.table[_upper(limits)], limits.limit[_upper(limits)]
    for _ in range(_ROUNDS):
        left = limit - table @ units
        may = (units < limits.room) & (table <= left[:, None] + _SLACK).all(0)
        if not may.any():
            break
        gain = _unit_gains(viewers, columns, response, units)
        ratio = np.where(may & (gain > 0), gain / np.maximum(limits.table[0], 1e-12), -np.inf)
        order = np.argsort(-ratio, kind="stable")
        order = order[: max(1, np.count_nonzero(ratio > 0) // 4)]
        order = order[ratio[order] > 0]
        fits = (np.cumsum(table[:, order], axis=1) <= left[:, None] + _SLACK).all(0)
        n_fit = int(np.argmin(fits)) if not fits.all() else order.size
        if n_fit == 0:
            break
        units[order[: max(1, n_fit if n_fit < 8 else n_fit // 2)]] += 1
    return units


def _least(
    viewers: Audience,
    columns: sparse.csc_array,
    limits: Limits,
    response: Response,
    units: Floats,
    parts: Floats,
) -> Floats:
    """Minimum buys kept: a unit up where the plan in parts has most of one, others down to pay for it."""
    table, limit = limits.table[_upper(limits)], limits.limit[_upper(limits)]
    rows, least = -limits.table[len(limit) :], -limits.limit[len(limit) :]
    cost = np.maximum(limits.table[0], 1e-12)
    for row, wanted in zip(rows, least, strict=True):
        for _ in range(int(limits.room.sum()) + 1):
            if row @ units >= wanted - _SLACK * max(1.0, wanted):
                break
            may = (row > 0) & (units < limits.room)
            if not may.any():
                break
            units[np.argmax(np.where(may, (parts - units) + row / cost * 1e-9, -np.inf))] += 1
    for _ in range(int(units.sum()) + 1):
        over = table @ units - limit
        if (over <= _SLACK * np.maximum(1.0, np.abs(limit))).all():
            return units
        worst = int(np.argmax(over / np.maximum(limit, 1.0)))
        may = (units > 0) & (table[worst] > 0) & ((rows @ units - least)[:, None] >= rows - _SLACK).all(0)
        if not may.any():
            raise DesignError.of(
                "Minimum buys cannot be kept in whole units",
                received=f"{over[worst]:,.6g} over a limit of {limit[worst]:,.6g}",
                allowed="minimum buys that whole units can keep within the budget and every cap",
                then="lower a minimum by one unit, or raise the budget",
            )
        loss = _unit_gains(viewers, columns, response, np.maximum(units - 1, 0)) / table[worst].clip(1e-12)
        units[np.argmin(np.where(may, loss, np.inf))] -= 1
    return units


def _unit_gains(viewers: Audience, columns: sparse.csc_array, response: Response, units: Floats) -> Floats:
    """(s,) what one unit more of each slot adds, exactly."""
    seen = columns @ units
    now = share_of_effect(response, seen)
    up = share_of_effect(response, seen[columns.indices] + columns.data) - now[columns.indices]
    up *= viewers.worth[columns.indices]
    sums = np.add.reduceat(np.append(up, 0.0), np.minimum(columns.indptr[:-1], up.size))
    return np.where(np.diff(columns.indptr) > 0, sums, 0.0)
