"""Every column of every table, once: type, unit, key, privacy, meaning."""

from __future__ import annotations

from hustings.errors import TableError
from hustings.tables import collected, derived, forecast, giving, issues, kept, messages, planned
from hustings.tables.schema import Column, TableSpec

__all__ = ["TABLES", "Column", "TableSpec", "spec"]

_ALL = (
    *collected.COLLECTED,
    *forecast.COLLECTED,
    *derived.DERIVED,
    *giving.GIVING,
    *issues.ISSUE_TABLES,
    *messages.LEARNED,
    *forecast.DERIVED,
    *planned.PLANNED,
    *kept.KEPT,
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
