"""Texts as values: what is read, what is refused, and that nothing is guessed."""

from __future__ import annotations

import datetime
import decimal

import ibis
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hustings.sources.mapping import Value
from hustings.sources.rules import value_of
from hustings.tables import Column

D, T = datetime.date, datetime.datetime


@pytest.fixture(scope="module")
def read():
    backend = ibis.duckdb.connect()
    # As the warehouse's own connection.
    backend.raw_sql("SET TimeZone = 'UTC'")

    def run(texts, kind, required=False, **given):
        """The values, and the reasons, of a column of texts."""
        rows = ibis.memtable({"a": texts}, schema={"a": "string"})
        rule = value_of(rows, Column("x", kind, "", required=required), Value(column="a", **given))
        found = backend.to_pyarrow(rows.select(value=rule.value, reason=rule.reason)).to_pylist()
        return [row["value"] for row in found], [row["reason"] for row in found]

    return run


SOUND = {
    "text": [("x", "x"), (" x ", "x"), ("", None), ("   ", None), (None, None), ("nan", "nan")],
    "integer": [("7", 7), ("-3", -3), ("+5", 5), (" 7 ", 7), ("7.0", 7), ("1e3", 1000), (str(2**62), 2**62)],
    "number": [("1.5", 1.5), ("-2", -2.0), ("1e-3", 0.001), (".5", 0.5)],
    "boolean": [
        ("1", True),
        ("Y", True),
        ("yes", True),
        ("TRUE", True),
        ("t", True),
        ("0", False),
        ("No", False),
    ],
    "day": [
        ("2006-07-31", D(2006, 7, 31)),
        ("2006-7-1", D(2006, 7, 1)),
        ("2006/07/31", D(2006, 7, 31)),
        ("2006-07-31T23:30:00-05:00", D(2006, 7, 31)),
        ("2006-07-31 23:30", D(2006, 7, 31)),
    ],
    "time": [
        ("2006-07-31", T(2006, 7, 31)),
        ("2006-07-31 10:00:05", T(2006, 7, 31, 10, 0, 5)),
        ("2006-07-31T10:00:00Z", T(2006, 7, 31, 10)),
        ("2006-07-31T10:00:00+02:00", T(2006, 7, 31, 8)),
        ("2006-07-31 23:30:00-05:00", T(2006, 8, 1, 4, 30)),
    ],
}
WRONG = {
    "integer": ["1.5", "x", "0x1A", "1,000", "9999999999999999999", "inf", "nan", "true", "--1", "1 2"],
    "number": ["x", "1,5", "inf", "-Infinity", "NaN", "1e400", "$5"],
    "boolean": ["2", "ja", "maybe", "on"],
    "day": [
        "31/02/2006", "2006-02-30", "2005-02-29", "infinity", "-infinity", "epoch", "today", "2006-07-31 nonsense",
        "2006-07", "20060731", "12006-01-01", "0044-03-15 (BC)", "2006-13-01", "2006-07-31 25:00",
    ],
    "time": ["infinity", "epoch", "2006-07-31 24:61", "now", "2006-07-31T10:00:00 somewhere"],
}  # fmt: skip


@pytest.mark.parametrize("kind", SOUND)
def test_a_text_is_read_as_what_it_says(read, kind):
    values, reasons = read([text for text, _ in SOUND[kind]], kind)
    assert values == [value for _, value in SOUND[kind]]
    assert reasons == [None] * len(values)


@pytest.mark.parametrize("kind", WRONG)
def test_a_text_that_cannot_be_read_is_a_fault_and_never_a_guess(read, kind):
    values, reasons = read(WRONG[kind], kind)
    assert dict(zip(WRONG[kind], values, strict=True)) == dict.fromkeys(WRONG[kind])
    assert all(reason.startswith("x is not ") for reason in reasons)


@pytest.mark.parametrize("kind", [*SOUND])
def test_nothing_is_no_fault_unless_the_column_is_required(read, kind):
    assert read(["", None, "  "], kind) == ([None] * 3, [None] * 3)
    assert read(["", None], kind, required=True) == ([None] * 2, ["x is missing"] * 2)


def test_a_text_that_cannot_be_read_has_one_reason_where_the_column_is_required(read):
    assert read(["old"], "integer", required=True)[1] == ["x is not a whole number"]


@pytest.mark.parametrize(
    ("form", "text", "value"),
    [
        ("%m/%d/%Y", "07/31/2006", T(2006, 7, 31)),
        ("%m/%d/%Y", "7/4/2006", T(2006, 7, 4)),
        ("%m/%d/%Y", "31/02/2006", None),
        ("%m/%d/%Y", "02/30/2006", None),
        ("%m/%d/%Y", "07/31/2006 x", None),
        ("%m/%d/%Y", "2006-07-31", None),
        ("%d %B %Y", "31 July 2006", T(2006, 7, 31)),
        ("%Y%m%d", "20060731", T(2006, 7, 31)),
        ("%Y-%m-%d %H:%M", "2006-07-31 10:30", T(2006, 7, 31, 10, 30)),
        ("%d.%m.%y", "31.07.06", T(2006, 7, 31)),
    ],
)
def test_a_day_in_a_named_form_is_read_in_that_form_only(read, form, text, value):
    (found,), (reason,) = read([text], "time", date=form)
    assert found == value
    assert reason == (None if value else f"x is not a day in the form {form}")
    assert read([text], "day", date=form)[0] == [value.date() if value else None]


@pytest.mark.parametrize(
    ("kind", "meaning", "value"),
    [
        ("text", "male", "male"),
        ("number", 1, 1.0),
        ("integer", 2, 2),
        ("boolean", True, True),
        ("day", "2006-07-31", D(2006, 7, 31)),
    ],
)
def test_values_mean_what_they_are_said_to(read, kind, meaning, value):
    values, reasons = read(["M", " M ", "Z", "", None], kind, values={"M": meaning})
    assert values == [value, value, None, None, None]
    assert reasons == [None, None, "x has a value that its `values` do not name", None, None]


@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    st.lists(
        st.integers(-(2**62), 2**62) | st.floats(-1e18, 1e18, allow_subnormal=False), min_size=1, max_size=8
    )
)
def test_a_whole_number_is_read_exactly_and_any_other_is_refused(read, numbers):
    texts = [repr(number) for number in numbers]
    said = [decimal.Decimal(text) for text in texts]
    values, _ = read(texts, "integer")
    assert values == [int(number) if number == int(number) else None for number in said]
