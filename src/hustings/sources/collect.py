"""One source's file ─► its rows in the collected tables, and the rejects.

Every row of the file is either kept by all blocks of the source or set aside with every reason: read =
kept + rejected. A load is one transaction: when it fails, nothing collected before is lost.
"""

from __future__ import annotations

import datetime
import functools
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from hustings.campaign import expand
from hustings.errors import SourceError
from hustings.fingerprint import digest
from hustings.sources.airtime import buyable
from hustings.sources.mapping import Block, Value, check_block, inherited
from hustings.sources.polls import believable
from hustings.sources.public import data_folder
from hustings.sources.returns import countable
from hustings.stage import About, Result, stage
from hustings.tables import spec
from hustings.warehouse import count
from hustings.warehouse.landing import LINE

_ABOUT_RECORDS = (
    "records",
    "record_events",
    "record_assignments",
    "record_outcomes",
    "opt_outs",
    "record_sends",
)
_ABOUT_PLACES = ("places", "place_features", "results", "fundamentals", "polls", "returns")
_ABOUT_WORK = ("shifts", "place_coordinates")
_ABOUT_WEEKS = ("place_outcomes", "place_people", "place_doses", "spends")
_ABOUT_AIRTIME = ("slots", "viewers", "viewing", "bought", "airings")
_ABOUT_ITEMS = ("items", "item_days", "item_audiences")
_ABOUT_FRIENDS = ("ties", "friend_asks")
_TABLES = (
    *(*_ABOUT_RECORDS, *_ABOUT_PLACES, *_ABOUT_WORK),
    *(*_ABOUT_WEEKS, *_ABOUT_AIRTIME, *_ABOUT_ITEMS, *_ABOUT_FRIENDS),
)
_OF_A_RECORD = (*_ABOUT_RECORDS, *_ABOUT_FRIENDS)
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


def may_be_solicited(source: str, declared: bool | None) -> bool:
    """Whether a source's people may be asked for money.

    Names copied from reports to the Federal Election Commission may not (52 U.S.C. 30111(a)(4)); a source is taken
    for such a copy by its name, and no setting changes that.

    Raises:
        SourceError: A source named after the FEC is declared solicitable.

    >>> may_be_solicited("members", None), may_be_solicited("fec_itemized", None)
    (True, False)
    """
    reported = "fec" in re.split(r"[^a-z]+", source.lower())
    if reported and declared:
        raise SourceError.of(
            f"[sources.{source}]: names from reports to the FEC may not be solicited (52 U.S.C. 30111(a)(4))",
            received="solicitable = true",
            allowed="solicitable = false, or a source of the campaign's own with another name",
        )
    return not reported if declared is None else declared


@stage(writes=("records", *_TABLES[1:], "loads", "rejects"), section="sources", each="source", watch=watch)
def collect(
    *,
    source: str,
    folder: Path,
    load_id: str,
    land: Callable[..., Any],
    hold: Callable[[Any], Any],
    path: Annotated[
        str, About("The file: CSV (comma, tab, pipe; .gz) or Parquet; `${NAME}` is an environment variable.")
    ],
    records: Annotated[Block | None, About("How a row becomes a record.")] = None,
    record_events: Annotated[list[Block], About("How a row becomes events.")] = [],  # noqa: B006
    record_assignments: Annotated[list[Block], About("How a row becomes a randomised assignment.")] = [],  # noqa: B006
    record_outcomes: Annotated[list[Block], About("How a row becomes an outcome.")] = [],  # noqa: B006
    opt_outs: Annotated[list[Block], About("How a row becomes a refusal of contact.")] = [],  # noqa: B006
    record_sends: Annotated[list[Block], About("How a row becomes an item that was sent.")] = [],  # noqa: B006
    places: Annotated[list[Block], About("How a row becomes a place.")] = [],  # noqa: B006
    place_features: Annotated[list[Block], About("How a row becomes numbers about a place.")] = [],  # noqa: B006
    results: Annotated[list[Block], About("How a row becomes results of an election.")] = [],  # noqa: B006
    fundamentals: Annotated[list[Block], About("How a row becomes what is known besides polls.")] = [],  # noqa: B006
    polls: Annotated[list[Block], About("How a row becomes the answers of a poll.")] = [],  # noqa: B006
    returns: Annotated[list[Block], About("How a row becomes votes counted in a precinct.")] = [],  # noqa: B006
    shifts: Annotated[list[Block], About("How a row becomes a shift of volunteers.")] = [],  # noqa: B006
    place_coordinates: Annotated[list[Block], About("How a row becomes where a place is.")] = [],  # noqa: B006
    place_outcomes: Annotated[list[Block], About("How a row becomes a place's outcome in a week.")] = [],  # noqa: B006
    place_people: Annotated[list[Block], About("How a row becomes a place's number of people.")] = [],  # noqa: B006
    place_doses: Annotated[list[Block], About("How a row becomes a place's dose in a week of a test.")] = [],  # noqa: B006
    spends: Annotated[list[Block], About("How a row becomes money spent in a place and week.")] = [],  # noqa: B006
    slots: Annotated[list[Block], About("How a row becomes airtime that can be bought.")] = [],  # noqa: B006
    viewers: Annotated[list[Block], About("How a row becomes a person or group whose viewing is told.")] = [],  # noqa: B006
    viewing: Annotated[list[Block], About("How a row becomes the chance that a viewer sees a slot.")] = [],  # noqa: B006
    bought: Annotated[list[Block], About("How a row becomes an order of airtime.")] = [],  # noqa: B006
    airings: Annotated[list[Block], About("How a row becomes a line of an as-run log or invoice.")] = [],  # noqa: B006
    items: Annotated[list[Block], About("How a row becomes a messenger, a venue, a message.")] = [],  # noqa: B006
    item_days: Annotated[list[Block], About("How a row becomes a day on which an item is to be had.")] = [],  # noqa: B006
    item_audiences: Annotated[list[Block], About("How a row becomes a share of an item's audience.")] = [],  # noqa: B006
    ties: Annotated[list[Block], About("How a row becomes a contact of a supporter.")] = [],  # noqa: B006
    friend_asks: Annotated[list[Block], About("How a row becomes an ask that a supporter was given.")] = [],  # noqa: B006
    people_from: Annotated[
        str | None, About("The source whose records this file speaks of; itself unless given.")
    ] = None,
    arrived_on: Annotated[
        datetime.date | None, About("When the campaign had the file; its date unless given.")
    ] = None,
    solicitable: Annotated[
        bool | None,
        About("Whether its people may be asked for money; false where the source's name tells of the FEC."),
    ] = None,
    refresh: Annotated[
        Literal["full", "append"],
        About("`full`: the file replaces what the source said before; `append`: it adds."),
    ] = "full",
    delimiter: Annotated[str | None, About("Of a CSV; found from its header unless given.")] = None,
    encoding: Annotated[str, About("Of a CSV: `utf-8`, `latin-1` or `utf-16`.")] = "utf-8",
) -> Result:
    """The rows of one file in every collected table, and what could not be kept."""
    blocks = [("records", records)] if records else []
    about_records = (record_events, record_assignments, record_outcomes, opt_outs, record_sends)
    about_places = (places, place_features, results, fundamentals, polls, returns)
    about_work = (shifts, place_coordinates, place_outcomes, place_people, place_doses, spends)
    about_airtime = (slots, viewers, viewing, bought, airings)
    about_items = (items, item_days, item_audiences)
    about_friends = (ties, friend_asks)
    told = (*about_records, *about_places, *about_work, *about_airtime, *about_items, *about_friends)
    for name, found in zip(_TABLES[1:], told, strict=True):
        blocks += [(name, block) for block in found]
    if not blocks:
        raise SourceError.of(f"[sources.{source}] maps nothing", allowed=_TABLES, then="hustings settings")
    file = located(path, folder)
    landed = land(file, delimiter=delimiter, encoding=encoding)
    own = records.values() if records else {}
    for name, block in blocks:
        check_block(source, name, block, landed.columns)
        if name in _OF_A_RECORD and "record_id" not in inherited(block, own):
            raise SourceError.of(
                f"[sources.{source}] {name}: record_id is missing",
                allowed="a column here, or in a records block of the same source",
                then="hustings explain " + name,
            )
    arrived = arrived_on or datetime.datetime.fromtimestamp(file.stat().st_mtime, datetime.UTC).date()
    common = {"source": source, "record_source": people_from or source, "load_id": load_id}
    rows = _with_households(landed, [block for _, block in blocks])
    pieces: dict[str, list[Any]] = {}
    for name, block in blocks:
        made = pieces.setdefault(name, [])
        made += _typed(
            rows, name, block, inherited(block, own), common, block.arrived_on or arrived, len(made)
        )
    typed = {
        name: hold(buyable(countable(believable(_together(made), name), name), name))
        for name, made in pieces.items()
    }
    load = {"path": path, "refresh": refresh, "arrived": arrived, "mark": watch(folder, {"path": path})}
    load["solicitable"] = may_be_solicited(source, solicitable)
    return _split(landed, typed, common, load, hold)


def _with_households(landed: Any, blocks: list[Block]) -> Any:
    from hustings.sources.rules import walked

    rows = landed.rows
    for column in sorted({v.walk for block in blocks for v in block.values().values() if v.walk}):
        rows = walked(rows, column, landed.n_read)
    return rows


def _typed(
    rows: Any,
    table: str,
    block: Block,
    values: Mapping[str, Value],
    common: Mapping[str, str],
    arrived: datetime.date,
    first: int,
) -> list[Any]:
    """The rows of one block, typed, with `_line`, `_piece` and `_reasons`: a table for each unpivoted column."""
    if block.where is not None:
        cell = rows[block.where.column].strip().fill_null("")
        listed = cell.isin(block.where.is_ if block.where.is_ is not None else block.where.isnt)
        rows = rows.filter(listed if block.where.is_ is not None else ~listed)
    entries: list[Any] = [*block.unpivot] if block.unpivot else [None]
    made = [_piece(rows, table, block, values, common, arrived, entry) for entry in entries]
    return [
        _with_event_id(piece.mutate(_piece=number), table, "event_id" in values)
        for number, piece in enumerate(made, first)
    ]


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
            if column.name == "arrived_at":
                rules["arrived_at"] = _in_time(rules, arrived)
        elif column.name == "line":
            rules["line"] = Rule(rows[LINE], none())
        else:
            known = fixed.get(column.name)
            empty = (
                ibis.null(TYPES[column.type])
                if known is None
                else ibis.literal(known).cast(TYPES[column.type])
            )
            rules[column.name] = Rule(empty, none())
    reasons = [rule.reason for name, rule in rules.items() if name in values and not values[name].row]
    return rows.select(
        **{name: rule.value for name, rule in rules.items()},
        _line=rows[LINE],
        _reasons=ibis.array(reasons).filter(lambda reason: reason.notnull()).join("; ")
        if reasons
        else none(),
    )


def _in_time(rules: Mapping[str, Any], arrived: datetime.date) -> Any:
    """A row's own time of arrival: not after its file's, and not before what it tells of."""
    import ibis

    from hustings.sources.rules import Rule

    told = rules["arrived_at"]
    reason = (told.value > ibis.literal(arrived).cast("timestamp") + ibis.interval(days=1)).ifelse(
        "arrived_at is after its file arrived", told.reason
    )
    if "happened_at" in rules:
        before = told.value.date() < rules["happened_at"].value.date()
        reason = before.ifelse("arrived_at is before happened_at", reason)
    return Rule(told.value, reason)


def _with_event_id(piece: Any, table: str, mapped: bool) -> Any:
    """An event without an id of its own gets one from what it says: told again, it has the same id."""
    if table != "record_events":
        return piece
    if mapped:
        return piece.mutate(_numbered=False)
    said = ("record_id", "kind", "name", "channel", "item", "happened_at")
    texts = [piece[name].cast("string").fill_null("") for name in said]
    return piece.mutate(event_id=functools.reduce(lambda a, b: a + "|" + b, texts), _numbered=True)


def _split(
    landed: Any,
    typed: Mapping[str, Any],
    common: Mapping[str, str],
    load: Mapping[str, Any],
    hold: Callable[[Any], Any],
) -> dict[str, Any]:
    """Keep the rows of the file that no block refuses; set the others aside with their reasons."""
    refused = _refused([_faults(rows) for rows in typed.values()], hold)
    if count(refused):
        typed = {name: _without(rows, refused) for name, rows in typed.items()}
    typed = {name: _told_apart(rows, name, hold) for name, rows in typed.items()}
    again = _refused([_faults(rows) for rows in typed.values()], hold)
    if count(again):
        typed = {name: _without(rows, again) for name, rows in typed.items()}
    rejects = _together([_aside(landed, refused), _aside(landed, again), landed.unreadable])
    tables: dict[str, Any] = {
        name: typed[name].select(*spec(name).names) if name in typed else {c: [] for c in spec(name).names}
        for name in _TABLES
    }
    tables["rejects"] = _declared(rejects, common)
    n_rejected = count(rejects)
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
        "solicitable": [load["solicitable"]],
    }
    return tables


def _told_apart(rows: Any, table: str, hold: Callable[[Any], Any]) -> Any:
    """Rows with a key of their own, or with a reason.

    Of sound rows with one key the first is kept and the others are faults; but a second event like another
    gets its number behind, so that it has the same id when the file is read again.
    """
    import ibis

    key = list(spec(table).key)
    # A hash of the few that stand twice is far cheaper than numbering all.
    twice = hold(rows.group_by(key).agg(_n=rows.count()).filter(lambda t: t["_n"] > 1).select(*key))
    if not count(twice):
        return rows
    place = ["_line", "_piece"]
    alike = rows.semi_join(twice, key)
    number = ibis.row_number().over(ibis.window(group_by=key, order_by=place)) + 1
    alike = hold(alike.select(*key, *place, _number=number).filter(lambda t: t["_number"] > 1))
    marked = rows.left_join(alike, [*key, *place], rname="{name}_alike")
    words = " and ".join(name for name in key if name not in ("source", "record_source"))
    reason = marked["_number"].notnull().ifelse(f"the same {words} stands earlier", ibis.null("string"))
    if table == "record_events":
        numbered = marked.event_id + "|" + marked["_number"].cast("string")
        marked = marked.mutate(
            event_id=(marked["_numbered"] & marked["_number"].notnull()).ifelse(numbered, marked.event_id),
            _reasons=marked["_numbered"].ifelse(ibis.null("string"), reason),
        )
    else:
        marked = marked.mutate(_reasons=reason)
    return hold(marked.select(*rows.columns))


def _faults(rows: Any) -> Any:
    told = rows["_reasons"].nullif("")
    return rows.filter(told.notnull()).select(line=rows["_line"], reasons=told)


def _refused(faults: list[Any], hold: Callable[[Any], Any]) -> Any:
    """The lines of the file that are refused, each with every reason."""
    every = _together(faults)
    return hold(every.group_by("line").agg(reasons=every.reasons.collect(distinct=True).sort().join("; ")))


def _without(rows: Any, refused: Any) -> Any:
    return rows.anti_join(refused, rows["_line"] == refused.line)


def _aside(landed: Any, refused: Any) -> Any:
    """Refused rows as they stood in the file."""
    import ibis

    few = landed.rows.semi_join(refused, landed.rows[LINE] == refused.line)
    told = ibis.struct({name: few[name] for name in landed.columns}).cast("json").cast("string")
    rows = few.select(_at=few[LINE], row=told)
    return refused.join(rows, refused.line == rows["_at"]).select("line", "reasons", "row")


def _declared(rejects: Any, common: Mapping[str, str]) -> Any:
    import ibis

    named = {name: ibis.literal(common[name]) for name in ("source", "load_id")}
    return rejects.mutate(**named).select(*spec("rejects").names)


def _together(pieces: Sequence[Any]) -> Any:
    import ibis

    return ibis.union(*pieces, distinct=False) if len(pieces) > 1 else pieces[0]
