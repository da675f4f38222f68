"""Tables by name: read as Ibis expressions, written whole, checked against their declaration."""

from __future__ import annotations

import datetime
import functools
import operator
import re
from collections.abc import Mapping
from typing import Any

import duckdb

from hustings.errors import TableError
from hustings.tables import TABLES, Column, TableSpec, spec
from hustings.warehouse.connect import LAKE, Lake

TYPES = {
    "text": "VARCHAR",
    "integer": "BIGINT",
    "number": "DOUBLE",
    "boolean": "BOOLEAN",
    "day": "DATE",
    "time": "TIMESTAMP",
}
_FIRST_TOLD = ("records", "record_events")
"""Collected tables whose rows are known since the first load that told of them."""
NODE = "_node"
"""Which node wrote a row: kept beside every row, never shown."""
REMOVED = "removed"
"""What `loads.refresh` says of a source that has left campaign.toml."""


def create_tables(lake: Lake) -> None:
    """Make every declared table that is not there, and add columns that were declared since."""
    there = _columns(lake)
    for table in TABLES.values():
        if table.name not in there:
            _create(lake, table)
        elif there[table.name] != _declared(table):
            _migrate(lake, table, there[table.name])


def _create(lake: Lake, table: TableSpec) -> None:
    columns = ", ".join(f'"{c.name}" {TYPES[c.type]}' for c in table.columns)
    lake.raw.execute(f'CREATE TABLE {LAKE}."{table.name}" ({columns}, {NODE} VARCHAR)')
    # Each node's rows lie in files of their own, so that replacing them drops whole files.
    lake.raw.execute(f'ALTER TABLE {LAKE}."{table.name}" SET PARTITIONED BY ({NODE})')


def _columns(lake: Lake) -> dict[str, dict[str, str]]:
    # The catalog itself answers sooner, and stays locked until the transaction in which it is asked ends.
    found: dict[str, dict[str, str]] = {}
    for name, column, kind in lake.rows(
        "SELECT table_name, column_name, data_type FROM duckdb_columns() WHERE database_name = ?", LAKE
    ):
        found.setdefault(name, {})[column] = kind
    return found


def _declared(table: TableSpec) -> dict[str, str]:
    return {c.name: TYPES[c.type] for c in table.columns} | {NODE: "VARCHAR"}


def _migrate(lake: Lake, table: TableSpec, there: Mapping[str, str]) -> None:
    declared = _declared(table)
    if table.kind == "derived":
        lake.raw.execute(f'DROP TABLE {LAKE}."{table.name}"')
        _create(lake, table)
        return
    for name, kind in declared.items():
        if name not in there:
            lake.raw.execute(f'ALTER TABLE {LAKE}."{table.name}" ADD COLUMN "{name}" {kind}')
        elif there[name] != kind:
            raise TableError.of(
                f"{table.name}.{name} is {there[name]} in this warehouse and {kind} in this version",
                then="open it with the version that wrote it, and export the table",
            )


def read(lake: Lake, name: str) -> Any:
    """One table as an Ibis expression, as people see it.

    Of a collected table only the rows that are current: of a source whose file replaces what it said
    before, the newest load; of one that adds, the newest row by key.

    Args:
        lake: An open lake.
        name: A declared table.

    Returns:
        An Ibis table with exactly the declared columns.

    Raises:
        TableError: No such table, or not in this warehouse yet.
    """
    table = spec(name)
    try:
        rows = lake.ibis.table(name, database=(LAKE, "main"))
    except Exception as error:
        # Ibis has its own error for a table that is not there; anything else is passed on.
        if type(error).__name__ != "TableNotFound":
            raise
        raise TableError.of(
            f"The table {name} is not in this warehouse yet", then=f"hustings run {name}"
        ) from None
    current = rows.drop(NODE)
    if table.kind == "collected" and name not in ("loads", "rejects"):
        current = _current(lake, current, table)
    return current.select(*table.names)


def _current(lake: Lake, rows: Any, table: TableSpec) -> Any:
    import ibis

    loads = current_loads(lake)
    # One run may load several sources under one id, so that an id alone says nothing.
    of = [(rows.source == source) & rows.load_id.isin(found) for source, found in loads.items() if found]
    current = rows.filter(functools.reduce(operator.or_, of, ibis.literal(False)))
    if table.name in _FIRST_TOLD and _loaded_again(lake):
        current = _since_first(current, rows, table)
    if all(len(found) < 2 for found in loads.values()):
        return current
    newest = ibis.row_number().over(
        ibis.window(group_by=list(table.key), order_by=[ibis.desc("arrived_at"), ibis.desc("load_id")])
    )
    return current.mutate(_newest=newest).filter(lambda t: t["_newest"] == 0).drop("_newest")


def _loaded_again(lake: Lake) -> bool:
    return bool(lake.rows(f"SELECT 1 FROM {LAKE}.loads GROUP BY source HAVING count(*) > 1"))


def _since_first(current: Any, rows: Any, table: TableSpec) -> Any:
    """The rows with the arrival of the first load that told of them: a file sent again makes nothing newer."""
    key = list(table.key)
    first = rows.group_by(key).agg(_first=rows.arrived_at.min())
    joined = current.join(first, key, rname="{name}_first")
    return joined.mutate(arrived_at=joined["_first"]).drop("_first")


def current_loads(lake: Lake) -> dict[str, list[str]]:
    """The loads of each source that count today, oldest first.

    A load of a file that replaces makes every earlier one of its source past, and so does the source's
    removal from campaign.toml.
    """
    found: dict[str, list[str]] = {}
    for source, load_id, refresh in lake.rows(
        f"SELECT source, load_id, refresh FROM {LAKE}.loads ORDER BY loaded_at, load_id"
    ):
        kept = found.get(source, []) if refresh == "append" else []
        found[source] = kept if refresh == REMOVED else [*kept, load_id]
    return found


def hold(lake: Lake, rows: Any) -> Any:
    """An expression computed once and held in memory until `release`, for a stage that needs it again.

    Args:
        lake: An open lake.
        rows: An Ibis table.

    Returns:
        The same rows as a table.
    """
    name = f"held_{len(lake.held)}"
    lake.held.append(name)
    return _made(lake, name, rows)


def _made(lake: Lake, name: str, rows: Any) -> Any:
    """A temporary table of that name; Ibis' own overwriting would copy it once more."""
    lake.raw.execute(f"DROP TABLE IF EXISTS temp.main.{name}")
    return lake.ibis.create_table(name, obj=rows, temp=True)


def release(lake: Lake) -> None:
    """Let go of everything that is held, and of a file that has landed."""
    landed = ("landed", "unreadable", "landed_errors", "landed_scans")
    for name in (*lake.held, *landed):
        lake.raw.execute(f"DROP TABLE IF EXISTS temp.main.{name}")
    lake.held.clear()


def write(lake: Lake, name: str, rows: Any, node: str) -> int:
    """Write one node's rows of one table, inside the caller's transaction.

    Derived: the node's earlier rows are replaced. Kept: rows whose key is there already are left as they
    were. Collected: rows are added.

    Args:
        lake: A lake open for writing.
        name: A declared table.
        rows: An Ibis expression, an Arrow table, or a mapping from column names to arrays.
        node: The node's name.

    Returns:
        The number of rows written.

    Raises:
        TableError: A column is missing or not declared, a key is repeated or null, a required value is
            null. The message counts rows and never shows one.
    """
    table = spec(name)
    _check_names(table, _names(rows))
    fresh = _landed(lake, table, rows)
    check_rows(lake, table, fresh)
    if table.kind == "derived":
        lake.raw.execute(f'DELETE FROM {LAKE}."{name}" WHERE {NODE} = ?', [node])
    try:
        written = lake.rows(_insertion(table, fresh), node)[0][0]
    except duckdb.ConversionException as error:
        # The transaction has ended with this, and what was held for it is gone.
        raise TableError.of(f"{name}: a column has a wrong type ({_without_values(error)})") from None
    _clear(lake, fresh, rows, table)
    return int(written)


def _without_values(error: Exception) -> str:
    """The first line of a message without what stands in quotation marks: it may be a person's."""
    return re.sub(r"'[^']*'", "'…'", str(error).splitlines()[0])


def _landed(lake: Lake, table: TableSpec, rows: Any) -> str:
    """The name under which DuckDB sees the rows."""
    fresh = "fresh_rows"
    if not hasattr(rows, "to_pyarrow_batches"):
        import pyarrow as pa

        # `from_pandas` reads NaN as null: a number that is not known, never one that is not a number.
        columns = (
            {} if isinstance(rows, pa.Table) else {k: pa.array(v, from_pandas=True) for k, v in rows.items()}
        )
        lake.raw.register(fresh, rows if isinstance(rows, pa.Table) else pa.table(columns))
    elif table.kind == "collected":
        # Collected rows are materialised already; a view spares a copy of the whole file.
        lake.raw.execute(f"CREATE OR REPLACE TEMP VIEW {fresh} AS {lake.ibis.compile(rows)}")
    else:
        _made(lake, fresh, rows)
    return fresh


def _clear(lake: Lake, fresh: str, rows: Any, table: TableSpec) -> None:
    if not hasattr(rows, "to_pyarrow_batches"):
        lake.raw.unregister(fresh)
    else:
        lake.raw.execute(f"DROP {'VIEW' if table.kind == 'collected' else 'TABLE'} temp.main.{fresh}")


def _insertion(table: TableSpec, fresh: str) -> str:
    names = ", ".join(f'"{column}"' for column in table.names)
    values = ", ".join(f"CAST({_value(c)} AS {TYPES[c.type]})" for c in table.columns)
    known = ""
    if table.kind == "kept":
        same = " AND ".join(f'old."{key}" = fresh."{key}"' for key in table.key)
        known = f'WHERE NOT EXISTS (SELECT 1 FROM {LAKE}."{table.name}" old WHERE {same})'
    return (
        f'INSERT INTO {LAKE}."{table.name}" ({names}, {NODE}) SELECT {values}, ? FROM {fresh} fresh {known}'
    )


def _value(column: Column) -> str:
    """The column as it is written: a number that is not one becomes null, however it came."""
    if column.type != "number":
        return f'"{column.name}"'
    return f"""nullif(CAST("{column.name}" AS DOUBLE), 'nan'::DOUBLE)"""


def _names(rows: Any) -> list[str]:
    if isinstance(rows, Mapping):
        return list(rows)
    if hasattr(rows, "column_names"):
        return list(rows.column_names)
    return list(rows.columns)


def _check_names(table: TableSpec, names: list[str]) -> None:
    missing = [name for name in table.names if name not in names]
    extra = [name for name in names if name not in table.names]
    if extra:
        raise TableError.unknown(f"{table.name}: undeclared column", extra[0], table.names)
    if missing:
        raise TableError.of(f"{table.name}: the column {missing[0]} is missing", received=names)


def check_rows(lake: Lake, table: TableSpec, fresh: str) -> None:
    """Refuse repeated or null keys and nulls in required columns.

    Raises:
        TableError: With the number of rows at fault.
    """
    needed = [column for column in table.columns if column.required or column.name in table.key]
    required = [column.name for column in needed]
    counts = ", ".join(f"count(*) FILTER (WHERE {_value(column)} IS NULL)" for column in needed)
    key = ", ".join(f'"{name}"' for name in table.key)
    repeated = f"(SELECT count(*) FROM (SELECT 1 FROM {fresh} GROUP BY {key} HAVING count(*) > 1))"
    *nulls, twice = lake.rows(f"SELECT {counts}, {repeated} FROM {fresh}")[0]
    for name, number in zip(required, nulls, strict=True):
        if number:
            raise TableError.of(f"{table.name}: {number:,} rows have no {name}")
    if twice:
        raise TableError.of(f"{table.name}: {twice:,} keys ({', '.join(table.key)}) stand in several rows")


def forget(lake: Lake, node: str, run_id: str) -> None:
    """Let go of what a node wrote: its section has left campaign.toml.

    Derived rows are removed. Collected rows stay, and a row in `loads` says that they count no longer.

    Args:
        lake: A lake open for writing.
        node: The node's name.
        run_id: The run that found it gone.
    """
    now = datetime.datetime.now(datetime.UTC).replace(tzinfo=None)
    for (source,) in lake.rows(f"SELECT DISTINCT source FROM {LAKE}.loads WHERE {NODE} = ?", node):
        lake.raw.execute(
            f"INSERT INTO {LAKE}.loads (source, load_id, path, fingerprint, refresh, n_read, n_kept, n_rejected, "
            f"arrived_at, loaded_at, {NODE}) VALUES (?, ?, '', '', ?, 0, 0, 0, ?, ?, ?)",
            [source, run_id, REMOVED, now, now, node],
        )
    for table in TABLES.values():
        if table.kind == "derived":
            lake.raw.execute(f'DELETE FROM {LAKE}."{table.name}" WHERE {NODE} = ?', [node])
