"""Rules that turn text into typed values, and say why where they cannot.

Each gives two Ibis expressions: the value, and a reason that is null where the value is right.
"""

from __future__ import annotations

import datetime
from typing import Any, NamedTuple

import ibis

from hustings.sources.mapping import Value
from hustings.tables import Column
from hustings.warehouse.landing import LINE

TYPES = {
    "text": "string",
    "integer": "int64",
    "number": "float64",
    "boolean": "boolean",
    "day": "date",
    "time": "timestamp",
}
_OWN = "_hustings_"
"""Begins the names of columns that are added to a file's own."""
_ISO = r"^\d{4}[-/]\d{1,2}[-/]\d{1,2}([ T][0-9:.]+ ?([Zz]|UTC|[+-][0-9:]+)?)?$"
_YES, _NO = ("1", "y", "yes", "true", "t"), ("0", "n", "no", "false", "f")


class Rule(NamedTuple):
    """A value and the reason for its absence, both Ibis expressions."""

    value: Any
    reason: Any


@ibis.udf.scalar.builtin(name="try_strptime")  # type: ignore[untyped-decorator]
def _parsed(text: str, form: str) -> datetime.datetime:  # type: ignore[empty-body]
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
        return Rule(rows[LINE].cast("string"), none())
    if given.walk:
        key = rows[household(given.walk)]
        told = f"{given.walk} is not the size of a household, or not all its rows are there"
        return Rule(key, key.isnull().ifelse(told, none()))
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
        value = _parsed(text, form).cast(TYPES[column.type]) if form else _moment(text, column.type)
        allowed = f"not a day in the form {form}" if form else "not a day in the form 2026-11-03"
    else:
        value, allowed = text.try_cast("float64"), "not a number"
        value = (value.isinf() | value.isnan()).ifelse(ibis.null("float64"), value)
        if column.type == "integer":
            whole = text.try_cast("int64")
            value, allowed = (whole == value).ifelse(whole, ibis.null("int64")), "not a whole number"
    reason = (text.notnull() & value.isnull()).ifelse(f"{column.name} is {allowed}", none())
    return Rule(value, reason)


def _moment(text: Any, kind: str) -> Any:
    # DuckDB would also take 'infinity', 'epoch', years before Christ, and a day with anything behind it.
    text = text.re_search(_ISO).ifelse(text, ibis.null("string"))
    if kind == "day":
        return text.try_cast("timestamp").cast("date")
    return text.try_cast("timestamp('UTC')").cast("timestamp")


def walked(rows: Any, size_column: str, n_read: int) -> Any:
    """Households rebuilt from the order of a file: a household of n takes n rows in a row.

    Rows of one size that follow each other without a gap are a stretch, and every n-th row of it begins a
    household. Where a broken line has left a gap on one side, households are counted from the other.

    Args:
        rows: The landed file.
        size_column: The column with the size of the household.
        n_read: Rows in the file, broken ones included.

    Returns:
        The same rows with a key that those of one household share; null where the size is no size, or the
        rows of a stretch are not a whole number of households and no gap explains it.
    """
    line, size = rows[LINE], rows[size_column].try_cast("int64")
    in_order = ibis.window(order_by=LINE)
    before, after = (
        line - line.lag().over(in_order).fill_null(0),
        line.lead().over(in_order).fill_null(n_read + 1) - line,
    )
    same = (size == size.lag().over(in_order)).fill_null(False)
    names = ("size", "gap_before", "gap_after", "first", "last", "begins", "stretch")
    own = {name: f"{_OWN}{name}" for name in names}
    rows = rows.mutate(
        **{
            own["size"]: (size >= 1).ifelse(size, ibis.null("int64")),
            own["begins"]: (~same | (before > 1)).cast("int64"),
            own["gap_before"]: before > 1,
            own["gap_after"]: after > 1,
        }
    )
    rows = rows.mutate(
        **{own["stretch"]: rows[own["begins"]].sum().over(ibis.cumulative_window(order_by=LINE))}
    )
    of = ibis.window(group_by=own["stretch"])
    rows = rows.mutate(
        **{
            own["first"]: rows[LINE].min().over(of),
            own["last"]: rows[LINE].max().over(of),
            own["gap_before"]: rows[own["gap_before"]].any().over(of),
            own["gap_after"]: rows[own["gap_after"]].any().over(of),
        }
    )
    key = _begins_at(rows[LINE], *(rows[own[name]] for name in names[:5]))
    key = key.cast("string") + "x" + rows[own["size"]].cast("string")
    return rows.mutate(**{household(size_column): key}).drop(*own.values())


def _begins_at(line: Any, size: Any, gap_before: Any, gap_after: Any, first: Any, last: Any) -> Any:
    """The line on which a row's household begins; it may be one that is broken."""
    from_the_front = first + ((line - first) // size) * size
    from_the_back = last + 1 - ((last - line) // size + 1) * size
    return ibis.cases(
        ((last - first + 1) % size == 0, from_the_front),
        (gap_before == gap_after, ibis.null("int64")),
        (gap_after, from_the_front),
        else_=from_the_back,
    )


def household(size_column: str) -> str:
    """The column that `walked` adds."""
    return f"{_OWN}household_by_{size_column}"
