"""Rules that turn text into typed values, and say why where they cannot.

Each gives two Ibis expressions: the value, and a reason that is null where the value is right.
"""

from __future__ import annotations

import datetime
from typing import Any, NamedTuple

import ibis

from hustings.sources.mapping import Value
from hustings.tables import Column

TYPES = {
    "text": "string",
    "integer": "int64",
    "number": "float64",
    "boolean": "boolean",
    "day": "date",
    "time": "timestamp",
}
_YES, _NO = ("1", "y", "yes", "true", "t"), ("0", "n", "no", "false", "f")


class Rule(NamedTuple):
    """A value and the reason for its absence, both Ibis expressions."""

    value: Any
    reason: Any


@ibis.udf.scalar.builtin(name="try_strptime")
def _parsed(text: str, form: str) -> datetime.datetime:
    """The time that a text stands for in a format, or null."""


def none() -> Any:
    """No reason."""
    return ibis.null("string")


def value_of(rows: Any, column: Column, given: Value, cell: Any = None) -> Rule:
    """One column of a collected table.

    Args:
        rows: The landed file.
        column: The column to fill.
        given: Where its value comes from.
        cell: The cell that is being unpivoted, or None.

    Returns:
        Its value with the column's type, and the reason where there should be one and is not.
    """
    if given.constant is not None:
        return Rule(ibis.literal(given.constant).cast(TYPES[column.type]), none())
    if given.row:
        return Rule(rows["_line"].cast("string"), none())
    if given.walk:
        key = rows[household(given.walk)]
        return Rule(key, key.isnull().ifelse(f"{given.walk} is not the size of a household", none()))
    text = (cell if given.cell else rows[given.column]).strip().nullif("")
    if given.values is not None:
        return _required(column, _meant(text, column, given.values))
    return _required(column, parse(text, column, given.date))


def _meant(text: Any, column: Column, values: dict[str, Any]) -> Rule:
    kind = TYPES[column.type]
    cases = [(text == key, ibis.literal(value).cast(kind)) for key, value in values.items()]
    known = text.isin(list(values))
    value = ibis.cases(*cases, else_=ibis.null(kind)) if cases else ibis.null(kind)
    reason = f"{column.name} has a value that its `values` do not name"
    return Rule(value, (text.notnull() & ~known).ifelse(reason, none()))


def _required(column: Column, rule: Rule) -> Rule:
    if not column.required:
        return rule
    missing = rule.value.isnull() & rule.reason.isnull()
    return Rule(rule.value, missing.ifelse(f"{column.name} is missing", rule.reason))


def parse(text: Any, column: Column, form: str | None) -> Rule:
    """A text as the column's type; a text that is there and cannot be read gives a reason."""
    if column.type == "text":
        return Rule(text, none())
    if column.type == "boolean":
        lower = text.lower()
        value = lower.isin(_YES).ifelse(True, lower.isin(_NO).ifelse(False, ibis.null("boolean")))
        allowed = "not yes or no"
    elif column.type in ("day", "time"):
        value = _parsed(text, form).cast(TYPES[column.type]) if form else text.try_cast(TYPES[column.type])
        allowed = f"not a day in the form {form}" if form else "not a day in the form 2026-11-03"
    else:
        value, allowed = text.try_cast(TYPES[column.type]), "not a number"
        if column.type == "number":
            value = (value.isinf() | value.isnan()).ifelse(ibis.null("float64"), value)
    reason = (text.notnull() & value.isnull()).ifelse(f"{column.name} is {allowed}", none())
    return Rule(value, reason)


def walked(rows: Any, size_column: str) -> Any:
    """Households rebuilt from the order of a file: a household of n takes n rows in a row.

    Within a run of rows of one size, every n-th row begins a household. Rows are counted by line, so that
    a broken line leaves a gap in its household and does not shift the next.

    Args:
        rows: The landed file.
        size_column: The column with the size of the household.

    Returns:
        The same rows with the line on which the household begins, or null where the size is no size.
    """
    size = rows[size_column].try_cast("int64")
    begins = (size != size.lag().over(ibis.window(order_by="_line"))).fill_null(True)
    rows = rows.mutate(_size=(size >= 1).ifelse(size, ibis.null("int64")), _begins=begins.cast("int64"))
    rows = rows.mutate(_run=rows["_begins"].sum().over(ibis.cumulative_window(order_by="_line")))
    first = rows["_line"].min().over(ibis.window(group_by="_run"))
    rows = rows.mutate(_first=first)
    key = rows["_first"] + ((rows["_line"] - rows["_first"]) // rows["_size"]) * rows["_size"]
    return rows.mutate(**{household(size_column): key.cast("string")}).drop("_size", "_begins", "_run", "_first")


def household(size_column: str) -> str:
    """The column that `walked` adds."""
    return f"_household_by_{size_column}"
