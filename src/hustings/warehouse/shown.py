"""Rows of a table for people and programs: streamed, in the order of the key, contact data masked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from hustings.errors import TableError
from hustings.tables import Column, TableSpec, spec
from hustings.warehouse.connect import LAKE, Lake, open_lake
from hustings.warehouse.runs import open_published
from hustings.warehouse.store import NODE, read

if TYPE_CHECKING:
    import pyarrow as pa

LIVE = ("runs", "cuts", "decision_events")
"""Kept tables that are written outside a run: a pinned reader would not see their newest rows."""
MASK = "(private)"
_NEWEST_FIRST = {
    "runs": ("started_at", "run_id", "node"),
    "cuts": ("cut_at",),
    "decision_events": ("happened_at", "event_id"),
}
_SORTED = 1_000_000
_BATCH = 10_000


class Shown(NamedTuple):
    """The rows of one table, or of one part of it.

    Attributes:
        spec: The table's declaration; its columns are the rows' columns, in order.
        n_rows: Rows in all, the limit aside.
        rows: Tuples, read as they are asked for; days and times as such, null as None.
    """

    spec: TableSpec
    n_rows: int
    rows: Iterator[tuple[Any, ...]]


def open_shown(store: Path, name: str, as_of: str | None = None) -> Lake:
    """The warehouse as readers of one table see it.

    Args:
        store: The warehouse's folder.
        name: A table, or a part of one, as `lifts.mailers`.
        as_of: A run's id; the newest published run when None.

    Returns:
        A lake pinned to a published run; one of `LIVE` is read as it stands now.

    Raises:
        WarehouseError: Nothing has been published.
        TableError: No kept run has that id.
    """
    if as_of is None and name.partition(".")[0] in LIVE:
        return open_lake(store)
    return open_published(store, as_of)[0]


def shown(lake: Lake, name: str, *, limit: int | None = None, private: bool = False) -> Shown:
    """The rows of one table.

    A table of up to a million rows comes in the order of its key (`runs` and `cuts` newest first); a larger
    one, read whole, as it lies in the warehouse.

    Args:
        lake: An open lake.
        name: A table, or a part of one, as `lifts.mailers`.
        limit: Rows at most.
        private: Whether names, addresses and numbers are shown; else they are masked where they are not null.

    Returns:
        The rows.

    Raises:
        TableError: No such table or part, or not in this warehouse yet.
    """
    query, n_rows, values = _query(lake, name, limit, private)
    return Shown(spec(name.partition(".")[0]), n_rows, _streamed(lake, query, values))


def shown_arrow(lake: Lake, name: str, *, private: bool = False) -> pa.Table:
    """The rows of one table, as `shown`, in one pyarrow table."""
    query, _, values = _query(lake, name, None, private)
    return lake.raw.execute(query, values).to_arrow_table()


def _query(lake: Lake, name: str, limit: int | None, private: bool) -> tuple[str, int, list[str]]:
    """The SQL of the rows, how many there are in all, and the values that it binds."""
    table, _, part = name.partition(".")
    declared = spec(table)
    base, values = _selection(lake, declared, part)
    n_rows = int(lake.rows(f"SELECT count(*) FROM ({base})", *values)[0][0])
    if not n_rows and part:
        _refuse_unknown_part(lake, table, part)
    columns = ", ".join(_column(column, private) for column in declared.columns)
    query = f"SELECT {columns} FROM ({base})"
    if limit is not None or n_rows <= _SORTED:
        newest = [f'"{column}" DESC' for column in _NEWEST_FIRST.get(table, ())]
        query += " ORDER BY " + ", ".join(newest or [f'"{column}"' for column in declared.key])
    if limit is not None:
        query += f" LIMIT {int(limit)}"
    return query, n_rows, values


def _column(column: Column, private: bool) -> str:
    name = f'"{column.name}"'
    if private or column.privacy != "contact":
        return name
    return f"CASE WHEN {name} IS NOT NULL THEN '{MASK}' END AS {name}"


def _selection(lake: Lake, table: TableSpec, part: str) -> tuple[str, list[str]]:
    """The SQL of a table's current rows, and its values."""
    if table.kind == "collected":
        rows = read(lake, table.name)
        return str(lake.ibis.compile(rows.filter(rows.source == part) if part else rows)), []
    _refuse_absent(lake, table.name)
    names = ", ".join(f'"{column}"' for column in table.names)
    where = f" WHERE split_part({NODE}, '.', 2) = ?" if part else ""
    return f'SELECT {names} FROM {LAKE}."{table.name}"{where}', [part] if part else []


def _refuse_absent(lake: Lake, table: str) -> None:
    if not lake.rows("SELECT 1 FROM duckdb_tables() WHERE database_name = ? AND table_name = ?", LAKE, table):
        raise TableError.of(f"The table {table} is not in this warehouse yet", then=f"hustings run {table}")


def _refuse_unknown_part(lake: Lake, table: str, part: str) -> None:
    nodes = {node for (node,) in lake.rows(f'SELECT DISTINCT {NODE} FROM {LAKE}."{table}"')}
    parts = {node.partition(".")[2] for node in nodes} - {""}
    if part not in parts:
        raise TableError.unknown(f"{table} has no part", part, parts, f"hustings show {table}")


def _streamed(lake: Lake, query: str, values: list[str]) -> Iterator[tuple[Any, ...]]:
    cursor = lake.raw.execute(query, values)
    while rows := cursor.fetchmany(_BATCH):
        yield from rows
