"""Slots and viewing ─► arrays: prices that hold, units to be had, who sees what, and what cannot be bought and why."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import sparse

from hustings import stats
from hustings.channels.platforms import why_no_ads
from hustings.errors import DesignError
from hustings.stage import Table
from hustings.warehouse import arrays, codes

Floats = npt.NDArray[np.float64]
Texts = npt.NDArray[Any]
_MANY = 10_000.0
_KEYS = ("medium", "market", "network", "daypart", "week_on", "slot_id", "class_of_time")
_BOUNDS = ("at_most_cents", "at_least_cents", "at_most_units", "at_least_units")


class Airtime(NamedTuple):
    """What can be bought; all (s,).

    Attributes:
        told: Columns of `slots` as they came.
        price: Cents of a unit, the lowest unit charge where it holds.
        charged: Whether it is that.
        room: Units to be had, within separation and frequency caps.
        least: Units that a contract obliges to buy.
        aired: Share of the units expected to air.
        days: From the middle of its week to election day.
        published: Adults who see a unit; NaN where that is not published.
    """

    told: Mapping[str, Texts]
    price: Floats
    charged: npt.NDArray[np.bool_]
    room: Floats
    least: Floats
    aired: Floats
    days: Floats
    published: Floats


class Views(NamedTuple):
    """Who sees what.

    Attributes:
        told: Columns of `viewers`; (v,).
        row: (m,) the viewer of each row.
        viewing: (m, s) probability of seeing one unit that airs.
        share: (m,) of the viewer's people for whom the row stands: below 1 where some cannot be reached at all.
    """

    told: Mapping[str, Texts]
    row: npt.NDArray[np.int64]
    viewing: sparse.csr_array
    share: Floats


def read_airtime(
    slots: Table,
    *,
    media: Sequence[str],
    window_days: int,
    separation: float,
    election_day: datetime.date,
    as_of: datetime.date,
    playbook: str,
    country: str,
) -> tuple[Airtime, dict[str, str]]:
    """What can still be bought before election day, and why the rest cannot.

    Returns:
        The slots, and the reason of each that is left out.
    """
    told = arrays(slots.order_by("slot_id", "source"))
    n = len(told["slot_id"])
    number = {name: np.asarray(told[name], np.float64) for name in _NUMBERS}
    told["medium"] = np.array([m or "television" for m in told["medium"]], dtype=object)
    week = told["week_on"].astype("datetime64[D]")
    first, last = np.datetime64(as_of, "D"), np.datetime64(election_day, "D")
    begins, ends = np.maximum(week, first), np.minimum(week + 6, last)
    days = (last - begins).astype(np.float64) - (ends - begins).astype(np.float64) / 2
    charge = number["lowest_unit_charge_cents"]
    inside = ((last - begins).astype(np.float64) <= window_days) & (window_days > 0)
    charged = inside & np.isfinite(charge) & ~(charge > number["price_cents"])
    price = np.where(charged, charge, number["price_cents"])
    reasons: dict[str, str] = {}
    keep = np.ones(n, bool)
    part = np.array([r is not None for r in told["rotation_id"]], bool)
    twice = np.array([a == b for a, b in zip(told["slot_id"][1:], told["slot_id"][:-1], strict=True)], bool)
    free = np.array([c == "bonus" for c in told["class_of_time"]], bool)
    faults = [
        (np.append(False, twice) if n else part, "two sources sell a slot of this name"),
        (~part & ~np.isfinite(price), "it has no price"),
        (~part & (price == 0) & ~free, "its price is 0: only class_of_time = bonus may be free"),
        (begins > ends, "its week is over, or after election day"),
        (
            ~np.isin(told["medium"], list(media)) if media else np.zeros(n, bool),
            "its medium is not in the plan",
        ),
    ]
    for wrong, why in faults:
        _leave_out(told["slot_id"], wrong & keep & ~part, why, reasons)
        keep &= ~wrong
    for at in np.flatnonzero(keep & (told["medium"] == "digital")):
        ban = why_no_ads(told["network"][at] or "", told["aimed_by"][at], playbook, country)
        if ban:
            reasons[told["slot_id"][at]] = ban
            keep[at] = False
    keep &= ~part
    made = Airtime(
        told, price, charged, _room(number, separation), np.nan_to_num(number["minimum_units"]),
        1 - np.nan_to_num(number["p_preempted"]), days, number["audience"],
    )  # fmt: skip
    return _only(made, keep), reasons


_NUMBERS = (
    "price_cents", "lowest_unit_charge_cents", "n_units", "minimum_units", "p_preempted", "n_airings",
    "minutes_per_airing", "separation_minutes", "audience", "n_reachable", "frequency_cap",
)  # fmt: skip


def _leave_out(slot_id: Texts, wrong: npt.NDArray[np.bool_], why: str, reasons: dict[str, str]) -> None:
    reasons.update(dict.fromkeys(slot_id[wrong].tolist(), why))


def _only(found: Airtime, keep: npt.NDArray[np.bool_]) -> Airtime:
    told = {name: values[keep] for name, values in found.told.items()}
    return Airtime(
        told,
        found.price[keep],
        found.charged[keep],
        found.room[keep],
        found.least[keep],
        found.aired[keep],
        found.days[keep],
        found.published[keep],
    )


def _room(number: Mapping[str, Floats], separation: float) -> Floats:
    """Units to be had, at most so many as fit into the airings apart from each other, or under the frequency cap."""
    room = np.nan_to_num(number["n_units"], nan=_MANY)
    apart = np.nan_to_num(number["separation_minutes"], nan=separation)
    timed = np.isfinite(number["minutes_per_airing"]) & (apart > 0)
    in_one = np.where(timed, np.ceil(number["minutes_per_airing"] / np.where(apart > 0, apart, 1.0)), np.inf)
    airings = np.nan_to_num(number["n_airings"], nan=1.0)
    room = np.where(timed, np.minimum(room, airings * np.nan_to_num(in_one, nan=1.0, posinf=_MANY)), room)
    most = number["frequency_cap"] * number["n_reachable"] / 1000
    return np.where(np.isfinite(most), np.minimum(room, np.floor(most + 1e-9)), room)


def read_views(viewers: Table, viewing: Table, slots: Table, airtime: Airtime) -> Views | None:
    """Who sees what: rotations are the mean of their parts, and people who cannot be reached have a row of their own.

    Returns:
        The views; None where nobody's viewing is told of any slot that can be bought.
    """
    told = arrays(viewers.order_by("viewer_id", "source"))
    seen = arrays(viewing, "viewer_id", "slot_id", "p_view", "p_reachable")
    sold = arrays(slots, "slot_id", "rotation_id")
    whole = {a: b for a, b in zip(sold["slot_id"], sold["rotation_id"], strict=True) if b is not None}
    parts = np.array(list(whole.values()), dtype=object)
    n_parts = dict(zip(*np.unique(parts.astype(str), return_counts=True), strict=True)) if len(parts) else {}
    through = np.array([whole.get(s, s) for s in seen["slot_id"].tolist()], dtype=object)
    divide = np.array([n_parts.get(whole.get(s, ""), 1) for s in seen["slot_id"].tolist()], np.float64)
    row, column = (
        codes(seen["viewer_id"], told["viewer_id"]).codes,
        codes(through, airtime.told["slot_id"]).codes,
    )
    known = (row >= 0) & (column >= 0)
    if not known.any():
        return None
    row, column = row[known], column[known]
    p, able = (np.asarray(seen[name], np.float64)[known] for name in ("p_view", "p_reachable"))
    p, able = p / divide[known], np.nan_to_num(able, nan=1.0)
    m, n = len(told["viewer_id"]), len(airtime.price)
    reach = np.zeros(m)
    np.maximum.at(reach, row[able < 1], able[able < 1])
    split = np.flatnonzero(reach > 0)
    second = np.full(m, -1)
    second[split] = m + np.arange(split.size)
    capped = able < 1
    inside = np.where(capped, p / np.maximum(reach[row], 1e-12), p)
    both = (second[row] >= 0) & ~capped
    table = sparse.csr_array(
        (
            np.append(np.minimum(inside, 1.0), p[both]),
            (np.append(row, second[row[both]]), np.append(column, column[both])),
        ),
        shape=(m + split.size, n),
    )
    table.sum_duplicates()
    share = np.append(np.where(reach > 0, reach, 1.0), 1 - reach[split])
    rows = np.append(np.arange(m), split)
    return Views(told, rows, table, share)


def caps_of(
    airtime: Airtime, budget: float, limits: Sequence[Mapping[str, Any]], network_share: float
) -> list[stats.media.Cap]:
    """Every limit over several slots: contracts, networks' shares, and what `limits` says."""
    caps = [
        stats.media.Cap(
            f"slot {airtime.told['slot_id'][at]}", _one(int(at), airtime), at_least=airtime.least[at]
        )
        for at in np.flatnonzero(airtime.least > 0)
    ]
    if network_share < 1:
        for name in sorted({str(one) for one in airtime.told["network"]}):
            own = airtime.told["network"].astype(str) == name
            caps.append(stats.media.Cap(f"network {name}", own * airtime.price, budget * network_share))
    for limit in limits:
        caps += _limit(airtime, limit)
    return caps


def _one(at: int, airtime: Airtime) -> Floats:
    weight = np.zeros(airtime.price.size)
    weight[at] = 1.0
    return weight


def check_limits(slots: Table, limits: Sequence[Mapping[str, Any]]) -> None:
    """Refuse limits of what nobody sells; slots whose week is over, or that are left out, are still sold.

    Raises:
        DesignError: A key that is not known, no bound, or no such slot.
    """
    told = arrays(slots)
    told["medium"] = np.array([m or "television" for m in told["medium"]], dtype=object)
    for limit in limits:
        for key in limit:
            if key not in (*_KEYS, *_BOUNDS):
                raise DesignError.unknown(
                    "[media_plan] limits: unknown key", key, (*_KEYS, *_BOUNDS), "edit campaign.toml"
                )
        # Before the first rates have come nothing can be told of names.
        none = len(told["slot_id"]) > 0 and not _within(told, limit).any()
        if none or not any(bound in limit for bound in _BOUNDS):
            raise DesignError.of(
                f"[media_plan] limits: {_named(limit)}",
                received="no such slot is sold" if none else "no bound",
                allowed=f"slots that are sold, and one of {', '.join(_BOUNDS)}",
            )


def _within(told: Mapping[str, Texts], limit: Mapping[str, Any]) -> npt.NDArray[np.bool_]:
    own = np.ones(len(told["slot_id"]), bool)
    for key in _KEYS:
        if key in limit:
            own &= told[key].astype(str) == str(limit[key])
    return own


def _named(limit: Mapping[str, Any]) -> str:
    return ", ".join(f"{key} = {limit[key]}" for key in _KEYS if key in limit) or "everything"


def _limit(airtime: Airtime, limit: Mapping[str, Any]) -> list[stats.media.Cap]:
    """The caps of one limit; none where all of its slots are over or left out."""
    own = _within(airtime.told, limit)
    made = []
    for weight, unit in ((own * airtime.price, "cents"), (own.astype(np.float64), "units")):
        most, least = limit.get(f"at_most_{unit}"), limit.get(f"at_least_{unit}")
        if own.any() and (most is not None or least is not None):
            made.append(
                stats.media.Cap(
                    f"{_named(limit)} ({unit})", weight, np.inf if most is None else most, least or 0.0
                )
            )
    return made
