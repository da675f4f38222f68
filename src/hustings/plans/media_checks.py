"""Orders × as-run logs × invoices ─► what is owed, what is asked too much, and where to take what is owed."""

from __future__ import annotations

import datetime
from typing import Annotated, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from hustings.plans.airtime import Airtime, read_airtime, read_views
from hustings.plans.media_rows import table_of
from hustings.stage import About, Result, Table, stage
from hustings.warehouse import arrays, codes

Floats = npt.NDArray[np.float64]
Row = dict[str, Any]


class Sold(NamedTuple):
    """What may be taken in place of what did not air.

    Attributes:
        airtime: Slots that can still be had.
        audience: (s,) adults who see one unit.
        left: (s,) units that are not ordered yet.
    """

    airtime: Airtime
    audience: Floats
    left: Floats


@stage(writes="media_checks")
def check_airtime(
    slots: Table,
    viewers: Table,
    viewing: Table,
    bought: Table,
    airings: Table,
    *,
    last_cycle_days: Annotated[
        int, About("Orders older than this before the election are last cycle's, and not checked.", ge=0)
    ] = 365,
    tolerance: Annotated[
        float, About("Share of the audience that may be missing before it is owed.", ge=0, le=1)
    ] = 0.1,
    separation_minutes: Annotated[
        float, About("Between two of our spots, where the slot does not say.", ge=0)
    ] = 15.0,
    lowest_unit_charge_days: Annotated[
        int, About("Days before the election in which a candidate pays the lowest unit charge.", ge=0)
    ] = 60,
    playbook: Annotated[str, About("Of the campaign: ad platforms' bans are on elections.")],
    country: Annotated[str, About("Whose ad platforms' rules count.")],
    election_day: Annotated[datetime.date, About("Nothing airs after it.")],
    as_of: Annotated[datetime.date, About("The day of the check.")],
) -> Result:
    """Every order of this cycle against what aired and what was invoiced, and every slot that cannot be bought."""
    airtime, left_out = read_airtime(
        slots, media=[], window_days=lowest_unit_charge_days, separation=separation_minutes,
        election_day=election_day, as_of=as_of, playbook=playbook, country=country,
    )  # fmt: skip
    rows: list[Row] = [
        {
            "check": "slot",
            "subject_id": slot,
            "slot_id": slot,
            "status": "left out",
            "as_of": as_of,
            "reason": why,
        }
        for slot, why in left_out.items()
    ]
    orders = arrays(bought.order_by("order_id"))
    cut = np.datetime64(election_day, "D") - np.timedelta64(last_cycle_days, "D")
    own = np.flatnonzero(orders["ordered_on"].astype("datetime64[D]") >= cut)
    if own.size:
        sold = _sold(slots, viewers, viewing, airtime, orders, own)
        weeks = arrays(slots, "slot_id", "week_on", "audience")
        lines = _lines(arrays(airings.order_by("airing_id")))
        for at in own:
            order = {name: values[at] for name, values in orders.items()}
            row = _checked(order, lines.get(order["order_id"], []), weeks, tolerance, as_of)
            rows.append(_made_good(row, order, sold))
    return table_of("media_checks", rows)


def _sold(
    slots: Table, viewers: Table, viewing: Table, airtime: Airtime, orders: Row, own: npt.NDArray[np.int64]
) -> Sold:
    """What is left to be had, and how many adults would see it."""
    audience = airtime.published.copy()
    views = read_views(viewers, viewing, slots, airtime)
    if views is not None:
        adults = np.nan_to_num(np.asarray(views.told["n_people"], np.float64), nan=1.0)
        seen = (adults[views.row] * views.share) @ views.viewing
        audience = np.where(np.isfinite(audience), audience, seen)
    at = codes(orders["slot_id"][own], airtime.told["slot_id"]).codes
    ordered = np.nan_to_num(np.asarray(orders["n_units"], np.float64)[own])
    taken = np.bincount(at[at >= 0], ordered[at >= 0], airtime.price.size)
    return Sold(airtime, audience, np.maximum(airtime.room - taken, 0))


def _lines(told: Row) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for at, order in enumerate(told["order_id"].tolist()):
        found.setdefault(order, []).append({name: values[at] for name, values in told.items()})
    return found


def _checked(order: Row, lines: list[Row], weeks: Row, tolerance: float, as_of: datetime.date) -> Row:
    """One order against its log and its invoice."""

    def total(kind: str) -> int:
        units = (line["n_units"] for line in lines if line["status"] == kind)
        return int(sum(1 if n is None or np.isnan(n) else n for n in units))

    ordered = _known(order["n_units"])
    aired, lost, made = (total(kind) for kind in ("aired", "preempted", "make-good"))
    cost = _known(order["cost_cents"])
    each = cost / ordered if cost is not None and ordered else None
    asked = [x for line in lines if (x := _known(line["invoiced_cents"])) is not None]
    seen = [x for line in lines if (x := _known(line["delivered"])) is not None]
    slot = np.flatnonzero(weeks["slot_id"] == order["slot_id"])
    published = _known(weeks["audience"][slot[0]]) if slot.size else None
    week = weeks["week_on"][slot[0]].astype("datetime64[D]").item() if slot.size else None
    over = week is not None and week + datetime.timedelta(days=7) <= as_of
    expected = published * (aired + made) if published is not None else None
    missing = max((ordered or 0) - aired - made, 0) if over else max(lost - made, 0)
    short = 0.0
    if seen and expected and sum(seen) < (1 - tolerance) * expected:
        short = expected - sum(seen)
    owed = missing * (published or 0.0) + short
    due = each * (aired + made) if each is not None else None
    refund = max(sum(asked) - due, 0.0) if asked and due is not None else None
    row: Row = {
        "check": "order", "subject_id": order["order_id"], "slot_id": order["slot_id"], "market": order["market"],
        "network": order["network"], "n_bought": int(ordered) if ordered is not None else None, "n_aired": aired,
        "n_preempted": lost, "n_made_good": made, "expected_audience": expected,
        "delivered_audience": float(sum(seen)) if seen else None, "ordered_cents": due,
        "invoiced_cents": float(sum(asked)) if asked else None, "refund_cents": refund,
        "owed_units": float(missing), "owed_audience": owed if published is not None else None, "as_of": as_of,
    }  # fmt: skip
    return row | _status(row, over, bool(lines), short)


def _status(row: Row, over: bool, logged: bool, short: float) -> Row:
    said = []
    if over and not logged:
        return {
            "status": "no log",
            "reason": "its week is over and no as-run log tells of it: ask the station",
        }
    if row["owed_units"]:
        said.append(f"{row['owed_units']:.0f} units did not air and were not made good")
    if short:
        said.append(f"{short:,.0f} adults fewer saw it than was published")
    if row["refund_cents"]:
        said.append(f"{row['refund_cents'] / 100:,.2f} is invoiced above what aired at the price ordered")
    status = (
        "owed" if row["owed_units"] or short else "overcharged" if said else "complete" if over else "running"
    )
    return {"status": status, "reason": "; ".join(said) or None}


def _made_good(row: Row, order: Row, sold: Sold) -> Row:
    """Where to take what is owed: of the same seller the fewest units, none dearer than those that did not air."""
    if row["status"] != "owed":
        return row
    air, price = sold.airtime, _known(order["cost_cents"])
    each = price / row["n_bought"] if price is not None and row["n_bought"] else np.inf
    may = (air.told["network"] == order["network"]) & (sold.left > 0) & (air.price <= each + 1e-6)
    if order["market"] is not None:
        may &= air.told["market"] == order["market"]
    wanted = row["owed_audience"] or 0.0
    per = np.nan_to_num(sold.audience) if wanted else np.ones(air.price.size)
    wanted = wanted or row["owed_units"]
    may &= per > 0
    if not may.any():
        tail = (
            f"{order['network']} has no slot left at that price before the election: ask for the money back"
        )
        return row | {"reason": f"{row['reason']}; {tail}"}
    at = int(np.argmax(np.where(may, per, -np.inf)))
    units = int(min(np.ceil(wanted / per[at]), sold.left[at]))
    sold.left[at] -= units
    return row | {
        "make_good_slot_id": air.told["slot_id"][at],
        "make_good_units": units,
        "make_good_audience": float(units * sold.audience[at]) if np.isfinite(sold.audience[at]) else None,
    }


def _known(value: Any) -> float | None:
    return None if value is None or not np.isfinite(float(value)) else float(value)
