"""One source's file ─► its rows in the collected tables, and the rejects.

Every row of the file is either kept by all blocks of the source or set aside with every reason: read =
kept + rejected. A load is one transaction: when it fails, nothing collected before is lost.
"""

from __future__ import annotations

import datetime
import functools
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

from hustings.campaign import expand
from hustings.errors import SourceError
from hustings.fingerprint import digest
from hustings.sources.mapping import Block, Value, check_block, inherited
from hustings.sources.public import data_folder
from hustings.stage import About, Result, stage
from hustings.tables import spec
from hustings.warehouse import count

_TABLES = ("records", "record_events", "record_assignments", "record_outcomes", "opt_outs")
_HEAD = 1 << 20


def located(path: str, folder: Path) -> Path:
    """The file that a source's `path` means; HUSTINGS_DATA has a default."""
    return expand(path, folder, {"HUSTINGS_DATA": str(data_folder())})


def watch(folder: Path, settings: Mapping[str, Any]) -> str:
    """A text that changes when the source's file does: size, time, first and last megabyte."""
    path = located(settings["path"], folder)
    try:
        status = path.stat()
        with path.open("rb") as file:
            head = file.read(_HEAD)
            file.seek(max(0, status.st_size - _HEAD))
            return digest(str(status.st_size), str(status.st_mtime_ns), head, file.read(_HEAD))
    except OSError as error:
        return f"unreadable: {error.strerror}"


class Part(NamedTuple):
    """The rows that one block makes of a file: every column of its table, `_line` and `_reasons`."""

    table: str
    rows: Any


@stage(writes=("records", *_TABLES[1:], "loads", "rejects"), section="sources", each="source", watch=watch)
def collect(
    *,
    source: str,
    folder: Path,
    load_id: str,
    land: Callable[..., Any],
    hold: Callable[[Any], Any],
    path: Annotated[str, About("The file: CSV (comma, tab, pipe; .gz) or Parquet; `${NAME}` is an environment variable.")],
    records: Annotated[Block | None, About("How a row becomes a record.")] = None,
    record_events: Annotated[list[Block], About("How a row becomes events.")] = [],  # noqa: B006
    record_assignments: Annotated[list[Block], About("How a row becomes a randomised assignment.")] = [],  # noqa: B006
    record_outcomes: Annotated[list[Block], About("How a row becomes an outcome.")] = [],  # noqa: B006
    opt_outs: Annotated[list[Block], About("How a row becomes a refusal of contact.")] = [],  # noqa: B006
    people_from: Annotated[str | None, About("The source whose records this file speaks of; itself unless given.")] = None,
    arrived_on: Annotated[datetime.date | None, About("When the campaign had the file; its date unless given.")] = None,
    refresh: Annotated[
        Literal["full", "append"], About("`full`: the file replaces what the source said before; `append`: it adds.")
    ] = "full",
    delimiter: Annotated[str | None, About("Of a CSV; found from its header unless given.")] = None,
    encoding: Annotated[str, About("Of a CSV: `utf-8`, `latin-1` or `utf-16`.")] = "utf-8",
) -> Result:
    """The rows of one file in every collected table, and what could not be kept."""
    blocks = [("records", records)] if records else []
    for name, found in zip(_TABLES[1:], (record_events, record_assignments, record_outcomes, opt_outs), strict=True):
        blocks += [(name, block) for block in found]
    if not blocks:
        raise SourceError.of(f"[sources.{source}] maps nothing", allowed=_TABLES, then="hustings settings")
    file = located(path, folder)
    landed = land(file, delimiter=delimiter, encoding=encoding)
    for name, block in blocks:
        check_block(source, name, block, landed.columns)
    arrived = arrived_on or datetime.datetime.fromtimestamp(file.stat().st_mtime, datetime.UTC).date()
    common = {"source": source, "record_source": people_from or source, "load_id": load_id}
    own = records.values() if records else {}
    rows = _with_households(landed.rows, [block for _, block in blocks])
    parts = [
        Part(
            name,
            _identified(
                _typed(rows, name, block, values, common, block.arrived_on or arrived), name, "event_id" in values, hold
            ),
        )
        for name, block in blocks
        for values in [inherited(block, own)]
    ]
    load = {"path": path, "refresh": refresh, "arrived": arrived, "mark": watch(folder, {"path": path})}
    return _split(landed, parts, common, load, hold)


def _with_households(rows: Any, blocks: list[Block]) -> Any:
    from hustings.sources.rules import walked

    for column in sorted({v.walk for block in blocks for v in block.values().values() if v.walk}):
        rows = walked(rows, column)
    return rows


def _typed(
    rows: Any, table: str, block: Block, values: Mapping[str, Value], common: Mapping[str, str], arrived: datetime.date
) -> Any:
    """The rows of one block, typed, with `_line` and `_reasons`; one row for each unpivoted column."""
    if block.where is not None:
        cell = rows[block.where.column].strip()
        listed = cell.isin(block.where.is_ if block.where.is_ is not None else block.where.isnt)
        rows = rows.filter(listed if block.where.is_ is not None else ~listed.fill_null(False))
    entries = block.unpivot or [None]
    pieces = [_piece(rows, table, block, values, common, arrived, entry) for entry in entries]
    return _together(pieces)


def _piece(
    rows: Any,
    table: str,
    block: Block,
    values: Mapping[str, Value],
    common: Mapping[str, str],
    arrived: datetime.date,
    entry: Mapping[str, Any] | None,
) -> Any:
    import ibis

    from hustings.sources.rules import TYPES, Rule, none, value_of

    cell, values = None, dict(values)
    if entry is not None:
        cell = rows[entry["column"]]
        text = cell.strip().nullif("")
        rows = rows.filter(text.isin(block.keep) if block.keep is not None else text.notnull())
        cell = rows[entry["column"]]
        values |= {key: Value.model_validate({"constant": v}) for key, v in entry.items() if key != "column"}
    fixed = {**common, "arrived_at": arrived}
    rules: dict[str, Rule] = {}
    for column in spec(table).columns:
        if column.name in values:
            rules[column.name] = value_of(rows, column, values[column.name], cell)
        elif column.name == "line":
            rules["line"] = Rule(rows["_line"], none())
        else:
            known = fixed.get(column.name)
            empty = ibis.null(TYPES[column.type]) if known is None else ibis.literal(known).cast(TYPES[column.type])
            rules[column.name] = Rule(empty, none())
    reasons = [rule.reason for name, rule in rules.items() if name in values and not values[name].row]
    return rows.select(
        **{name: rule.value for name, rule in rules.items()},
        _line=rows["_line"],
        _reasons=ibis.array(reasons).filter(lambda reason: reason.notnull()).join("; ") if reasons else none(),
    )


def _identified(typed: Any, table: str, mapped: bool, hold: Callable[[Any], Any]) -> Any:
    """Rows with their key: an event without an id of its own gets one from what it says.

    The same event told again, in this file or a later one, has the same id; a second like it in one file
    gets its line behind. Of other rows with one key the first is kept, the others are faults.
    """
    import ibis

    key = list(spec(table).key)
    numbered = table == "record_events" and not mapped
    if numbered:
        said = ("record_id", "kind", "name", "channel", "item", "happened_at")
        texts = [typed[name].cast("string").fill_null("") for name in said]
        typed = typed.mutate(event_id=functools.reduce(lambda a, b: a + "|" + b, texts))
    typed = hold(typed)
    # A hash of the few that stand twice is far cheaper than numbering all.
    twice = typed.group_by(key).agg(_n=typed.count(), _first=typed["_line"].min()).filter(lambda t: t["_n"] > 1)
    twice = hold(twice.filter(*(twice[name].notnull() for name in key)))
    if not count(twice):
        return typed
    marked = typed.left_join(twice, key).select(typed, "_first")
    later = marked["_line"] > marked["_first"]
    if numbered:
        unique = marked.event_id + "|" + marked["_line"].cast("string")
        return marked.mutate(event_id=later.fill_null(False).ifelse(unique, marked.event_id)).drop("_first")
    words = " and ".join(name for name in key if name not in ("source", "record_source"))
    reason = ibis.literal(f"an earlier row has the same {words}")
    also = marked["_reasons"].nullif("")
    told = later.fill_null(False).ifelse(also.notnull().ifelse(also + "; " + reason, reason), also)
    return marked.mutate(_reasons=told).drop("_first")


def _split(
    landed: Any, parts: list[Part], common: Mapping[str, str], load: Mapping[str, Any], hold: Callable[[Any], Any]
) -> dict[str, Any]:
    """Keep the rows of the file that no block refuses; set the others aside with their reasons."""
    import ibis

    faults = _together([_faults(part.rows) for part in parts])
    refused = hold(faults.group_by("line").agg(reasons=faults.reasons.collect(distinct=True).sort().join("; ")))
    wanted = landed.rows.select("_line", *landed.columns)
    told = ibis.struct({name: wanted[name] for name in landed.columns}).cast("json").cast("string")
    aside = refused.join(wanted.mutate(row=told), refused.line == wanted["_line"]).select("line", "reasons", "row")
    rejects = _together([aside, landed.unreadable.select("line", "reasons", "row")])
    n_rejected = count(rejects)
    tables: dict[str, Any] = {name: _kept(name, parts, refused if n_rejected else None) for name in _TABLES}
    tables["rejects"] = rejects.mutate(
        source=ibis.literal(common["source"]), load_id=ibis.literal(common["load_id"])
    ).select(*spec("rejects").names)
    now = datetime.datetime.now(datetime.UTC).replace(tzinfo=None)
    tables["loads"] = {
        "source": [common["source"]],
        "load_id": [common["load_id"]],
        "path": [load["path"]],
        "fingerprint": [load["mark"]],
        "refresh": [load["refresh"]],
        "n_read": [landed.n_read],
        "n_kept": [landed.n_read - n_rejected],
        "n_rejected": [n_rejected],
        "arrived_at": [datetime.datetime.combine(load["arrived"], datetime.time())],
        "loaded_at": [now],
    }
    return tables


def _together(pieces: Sequence[Any]) -> Any:
    import ibis

    return ibis.union(*pieces, distinct=False) if len(pieces) > 1 else pieces[0]


def _faults(rows: Any) -> Any:
    told = rows["_reasons"].nullif("")
    return rows.filter(told.notnull()).select(line=rows["_line"], reasons=told)


def _kept(table: str, parts: list[Part], refused: Any | None) -> Any:
    names = spec(table).names
    pieces = [part.rows for part in parts if part.table == table]
    if refused is not None:
        pieces = [rows.anti_join(refused, rows["_line"] == refused.line) for rows in pieces]
    if not pieces:
        return {name: [] for name in names}
    return _together([rows.select(*names) for rows in pieces])
