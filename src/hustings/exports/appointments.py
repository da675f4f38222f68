"""Visits and shifts ─► entries of a calendar."""

from __future__ import annotations

import datetime
from typing import Any

from hustings.errors import TableError
from hustings.exports.calendars import Appointment
from hustings.warehouse import Lake, read

_TABLES = {"visits": "visit_plan", "shifts": "shifts"}


def appointments(lake: Lake, what: str, campaign: str) -> list[Appointment]:
    """What is to be put into a calendar, in order of time.

    Args:
        lake: The published lake.
        what: `visits` or `shifts`.
        campaign: The campaign's name: part of every entry's lasting id.

    Returns:
        The entries; of visits those of the plan, not those of the rules of thumb beside it.

    Raises:
        TableError: Something else was named, or there is nothing to put into a calendar.
    """
    if what not in _TABLES:
        raise TableError.unknown(
            "A calendar holds visits or shifts, not", what, _TABLES, "hustings export --help"
        )
    try:
        rows = read(lake, _TABLES[what]).to_pyarrow().to_pylist()
    except TableError:
        rows = []
    found = [entry for row in rows if (entry := (_visit if what == "visits" else _shift)(row, campaign))]
    if not found:
        raise TableError.of(f"There are no {what}", then=f"hustings show {_TABLES[what]}")
    return sorted(found, key=lambda entry: (entry.starts_at, entry.uid))


def _visit(row: dict[str, Any], campaign: str) -> Appointment | None:
    if row["option"] != "plan" or row["starts_at"] is None:
        return None
    return Appointment(
        f"visit-{row['place_id']}-{row['starts_at']:%Y%m%d}-{campaign}".replace(" ", "-"),
        row["starts_at"],
        row["ends_at"],
        f"Visit: {row['name'] or row['place_id']}",
        f"{row['travel_minutes']:.0f} minutes to get there.",
        row["name"] or row["place_id"],
        row["latitude"],
        row["longitude"],
    )


def _shift(row: dict[str, Any], campaign: str) -> Appointment | None:
    ends = row["ends_at"] or row["starts_at"] + datetime.timedelta(hours=3)
    return Appointment(
        f"shift-{row['source']}-{row['shift_id']}-{campaign}".replace(" ", "-"),
        row["starts_at"],
        ends,
        f"Shift: {row['region_id'] or 'all'}",
        f"{row['n_signed_up'] or 0} signed up, {row['n_confirmed'] or 0} confirmed.",
    )
