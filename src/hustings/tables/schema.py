"""What a column and a table are: plain frozen values, declared once and read everywhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["collected", "derived", "kept"]
Type = Literal["text", "integer", "number", "boolean", "day", "time"]
Privacy = Literal["open", "person", "contact"]


@dataclass(frozen=True)
class Column:
    """One column: its name, type, meaning, unit, and how private it is.

    Attributes:
        name: As it stands in the warehouse; `p_` a probability, `n_` a count, `_on` a day, `_at` a time.
        type: `text`, `integer` (64 bit), `number` (double), `boolean`, `day` or `time` (UTC).
        about: One sentence.
        unit: `share`, `cents`, `years`, … or empty.
        privacy: `open` (no one can be told from it), `person` (one row speaks of one person) or
            `contact` (a name, an address, a number: joined only at a cut).
        required: A row without it is a fault.
    """

    name: str
    type: Type
    about: str
    unit: str = ""
    privacy: Privacy = "open"
    required: bool = False


def number(name: str, about: str, unit: str = "") -> Column:
    """A column of numbers that may be missing.

    >>> number("low", "Lower end.", "share").type
    'number'
    """
    return Column(name, "number", about, unit)


def count(name: str, about: str) -> Column:
    """A column of counts that may be missing.

    >>> count("n_people", "People.").type
    'integer'
    """
    return Column(name, "integer", about)


@dataclass(frozen=True)
class TableSpec:
    """One table: its columns, its key, and who may write it.

    Attributes:
        name: A plural noun.
        kind: `collected` (appended from sources), `derived` (rebuilt whole by its stage) or `kept`
            (append-only memory that no stage may rebuild).
        about: What one row is.
        key: Names of the columns that tell rows apart.
        columns: All columns, in order.
    """

    name: str
    kind: Kind
    about: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the columns, in order.

        >>> from hustings.tables import TABLES
        >>> TABLES["identities"].names[:2]
        ('source', 'record_id')
        """
        return tuple(column.name for column in self.columns)

    def column(self, name: str) -> Column:
        """The column of that name; KeyError when there is none."""
        return next(c for c in self.columns if c.name == name) if name in self.names else _missing(name)


def _missing(name: str) -> Column:
    raise KeyError(name)
