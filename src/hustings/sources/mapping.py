"""What a `[sources.…]` section may say: where each column of a collected table comes from."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from hustings.errors import SourceError
from hustings.tables import spec

_OWN = ("source", "record_source", "load_id", "line", "arrived_at", "event_id")
"""Columns that the loading itself fills; those of `_OPEN` may also be mapped."""
_OPEN = ("event_id", "arrived_at")


_DATE = re.compile(r"(?:[^%]*%-?[YymdbBjHIpMSfz])+[^%]*")
"""The formats that can be read back."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Value(_Strict):
    """Where one column's value comes from.

    Exactly one of `column`, `constant`, `row`, `walk` and `cell`.
    """

    column: str | None = Field(None, description="A column of the file.")
    constant: datetime.datetime | datetime.date | bool | int | float | str | None = Field(
        None, description="The same for every row."
    )
    row: bool = Field(False, description="The row's number in the file.")
    walk: str | None = Field(
        None, description="A column with a household's size: households are rebuilt from the file's order."
    )
    cell: bool = Field(False, description="The cell of the column that is being unpivoted.")
    values: dict[str, Any] | None = Field(
        None, description="What the file's values mean; a value that is not named here is a fault."
    )
    date: str | None = Field(
        None, description="The format of a day or time, as `%m/%d/%Y`; ISO 8601 unless given."
    )

    @model_validator(mode="before")
    @classmethod
    def _named(cls, given: Any) -> Any:
        return {"column": given} if isinstance(given, str) else given

    @model_validator(mode="after")
    def _one(self) -> Value:
        ways = (self.column, self.constant, self.row or None, self.walk, self.cell or None)
        if sum(way is not None for way in ways) != 1:
            raise ValueError("exactly one of column, constant, row = true, walk, cell = true")
        if self.date is not None and not _DATE.fullmatch(self.date):
            raise ValueError(
                "date is a format as %m/%d/%Y, of the marks %Y %y %m %d %b %B %j %H %I %p %M %S %f %z"
            )
        return self


class Where(_Strict):
    """Which rows of the file make a row of the table."""

    column: str
    is_: list[str] | None = Field(None, alias="is", description="Rows with one of these values.")
    isnt: list[str] | None = Field(None, description="Rows with none of these values.")

    @model_validator(mode="after")
    def _one(self) -> Where:
        if (self.is_ is None) == (self.isnt is None):
            raise ValueError("exactly one of is and isnt")
        return self


class Block(BaseModel):
    """One block of a source: a collected table's columns, and which rows count.

    Every further key is a column of the table.
    """

    model_config = ConfigDict(extra="allow", frozen=True)
    where: Where | None = None
    unpivot: list[dict[str, Any]] | None = Field(
        None, description="One row for each column named: `{ column = …, other = constant, … }`."
    )
    keep: list[str] | None = Field(None, description="Cells that make a row; every filled cell unless given.")
    arrived_on: datetime.date | None = Field(None, description="When the campaign could know of it.")

    def values(self) -> dict[str, Value]:
        """Where each mapped column comes from."""
        return {name: Value.model_validate(given) for name, given in (self.__pydantic_extra__ or {}).items()}

    @model_validator(mode="after")
    def _checked(self) -> Block:
        for name, given in (self.__pydantic_extra__ or {}).items():
            value = _valid(name, given)
            if value.cell and self.unpivot is None:
                raise ValueError(f"{name}: cell = true belongs to unpivot; to name a column write its name")
        for entry in self.unpivot or []:
            if not isinstance(entry.get("column"), str):
                raise ValueError("every entry of unpivot names a column")
            for name, given in entry.items():
                _valid(name, {"constant": given})
        if self.keep is not None and self.unpivot is None:
            raise ValueError("keep belongs to unpivot; to choose rows use where")
        return self


def _valid(name: str, given: Any) -> Value:
    """The value; what is wrong with it in one line that begins with its column."""
    try:
        return Value.model_validate(given)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        path = ".".join(str(step) for step in first["loc"][:1])
        raise ValueError(
            f"{name}: {path + ' ' if path else ''}{first['msg'].removeprefix('Value error, ')}"
        ) from None


def fillable(table: str) -> tuple[str, ...]:
    """The columns of a collected table that a block may fill; the others are filled by the loading.

    >>> "given_name" in fillable("records"), "load_id" in fillable("records")
    (True, False)
    """
    return tuple(name for name in spec(table).names if name not in _OWN or name in _OPEN)


def check_block(source: str, table: str, block: Block, columns: tuple[str, ...]) -> None:
    """Refuse a block that names a column which the table, or the file, does not have.

    Args:
        source: The source's name, for the message.
        table: The collected table.
        block: The block.
        columns: The file's columns.

    Raises:
        SourceError: With the nearest name that exists.
    """
    for error in block_faults(source, table, block, columns):
        raise error


def block_faults(
    source: str, table: str, block: Block, columns: tuple[str, ...] | None
) -> Iterator[SourceError]:
    """Everything that `check_block` refuses; of the file's columns nothing where they are None."""
    where = f"[sources.{source}] {table}"
    entries = block.unpivot or []
    targets = set(block.values()) | {key for entry in entries for key in entry if key != "column"}
    allowed = fillable(table)
    for name in sorted(targets):
        if name not in allowed:
            yield SourceError.unknown(
                f"{where}: {table} has no column", name, allowed, "hustings explain " + table
            )
    for name in dict.fromkeys(_file_columns(block) if columns is not None else ()):
        if name not in (columns or ()):
            yield SourceError.unknown(
                f"{where}: the file has no column", name, columns or (), "edit campaign.toml"
            )
    needed = [c.name for c in spec(table).columns if c.required and c.name not in _OWN]
    for name in needed:
        if name not in targets and name != "record_id":
            yield SourceError.of(f"{where}: {name} is missing", allowed=spec(table).column(name).about)
    for name, value in _written(block):
        if name in allowed and not _fits(value, spec(table).column(name).type):
            kind = spec(table).column(name).type
            yield SourceError.of(
                f"{where}: {name} cannot have this value", received=value, allowed=f"a {kind}"
            )


def _written(block: Block) -> Iterator[tuple[str, Any]]:
    """Every value that the block itself says, with its column."""
    for name, value in block.values().items():
        if value.constant is not None:
            yield name, value.constant
        yield from ((name, meaning) for meaning in (value.values or {}).values())
    for entry in block.unpivot or []:
        yield from ((name, given) for name, given in entry.items() if name != "column")


def _fits(value: Any, kind: str) -> bool:
    """Whether a value of campaign.toml can be a column's.

    >>> _fits("2006-08-08", "day"), _fits("soon", "day"), _fits(True, "number")
    (True, False, False)
    """
    if isinstance(value, str) and kind != "text":
        readers: dict[str, Callable[[str], Any]] = {
            "integer": int,
            "number": float,
            "day": datetime.date.fromisoformat,
            "time": datetime.datetime.fromisoformat,
        }
        try:
            return kind in readers and readers[kind](value) is not None
        except ValueError:
            return False
    kinds: dict[str, tuple[type, ...]] = {
        "text": (str, bool, int, float, datetime.date),
        "integer": (int,),
        "number": (int, float),
        "boolean": (bool,),
        "day": (datetime.date,),
        "time": (datetime.date,),
    }
    return isinstance(value, kinds[kind]) and (kind in ("text", "boolean") or not isinstance(value, bool))


def _file_columns(block: Block) -> list[str]:
    found = [name for value in block.values().values() for name in (value.column, value.walk) if name]
    found += [entry["column"] for entry in block.unpivot or []]
    return [*found, block.where.column] if block.where else found


def inherited(block: Block, records: Mapping[str, Value]) -> dict[str, Value]:
    """A block's columns, with the record's id taken from the records block where it has none.

    >>> inherited(Block(kind={"constant": "vote"}), {"record_id": Value(column="id")})["record_id"].column
    'id'
    """
    values = block.values()
    if "record_id" not in values and "record_id" in records:
        values["record_id"] = records["record_id"]
    return values
