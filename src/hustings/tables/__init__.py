"""Every column of every table, once: type, unit, key, privacy, meaning."""

from __future__ import annotations

from hustings.errors import TableError
from hustings.tables import forecast
from hustings.tables.collected import COLLECTED
from hustings.tables.derived import DERIVED
from hustings.tables.kept import KEPT
from hustings.tables.planned import PLANNED
from hustings.tables.schema import Column, TableSpec

__all__ = ["TABLES", "Column", "TableSpec", "spec"]

_ALL = (*COLLECTED, *forecast.COLLECTED, *DERIVED, *forecast.DERIVED, *PLANNED, *KEPT)
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
