"""Every column of every table, once: type, unit, key, privacy, meaning."""

from __future__ import annotations

from hustings.errors import TableError
from hustings.tables import (
    asks,
    budget,
    collected,
    derived,
    field,
    forecast,
    friends,
    geo,
    giving,
    held,
    issues,
    kept,
    media,
    messages,
    messengers,
    offers,
    planned,
    surveys,
    tested,
)
from hustings.tables.schema import Column, TableSpec

__all__ = ["TABLES", "Column", "TableSpec", "spec"]

_ALL = (
    *collected.COLLECTED,
    *forecast.COLLECTED,
    *field.COLLECTED,
    *surveys.COLLECTED,
    *geo.COLLECTED,
    *media.COLLECTED,
    *messengers.COLLECTED,
    *friends.COLLECTED,
    *derived.DERIVED,
    *giving.GIVING,
    *issues.ISSUE_TABLES,
    *tested.TESTED,
    *messages.LEARNED,
    *forecast.DERIVED,
    *surveys.DERIVED,
    *planned.PLANNED,
    *offers.OFFERED,
    *asks.ASKED,
    *held.HELD,
    *budget.BUDGETED,
    *field.DERIVED,
    *geo.DERIVED,
    *media.DERIVED,
    *messengers.DERIVED,
    *friends.DERIVED,
    *kept.KEPT,
    *budget.REMEMBERED,
    *tested.DRAWN,
    *geo.KEPT,
)
TABLES: dict[str, TableSpec] = {table.name: table for table in _ALL}


def spec(name: str) -> TableSpec:
    """The declaration of one table.

    Args:
        name: The table's name.

    Returns:
        Its columns, key and kind.

    Raises:
        TableError: No table has that name; the nearest is suggested.

    >>> spec("lifts").key
    ('experiment', 'arm', 'outcome', 'estimator')
    """
    if name not in TABLES:
        raise TableError.unknown("Unknown table", name, TABLES, "hustings explain")
    return TABLES[name]
