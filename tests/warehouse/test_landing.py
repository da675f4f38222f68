"""Files as tables of text, against Python's own reader, and in the ways that went wrong once."""

from __future__ import annotations

import csv
import gzip
import io
from contextlib import closing

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hustings.errors import SourceError
from hustings.warehouse import open_lake
from hustings.warehouse.landing import LINE, columns_of, land


@pytest.fixture(scope="module")
def lake(tmp_path_factory):
    with closing(open_lake(tmp_path_factory.mktemp("lake") / "store", write=True)) as lake:
        yield lake


def read(lake, path, **options):
    """Whole rows by line, and the reasons of the broken ones by line."""
    landed = land(lake, path, **options)
    whole = {row.pop(LINE): tuple(row.values()) for row in landed.rows.to_pyarrow().to_pylist()}
    broken = {row["line"]: row["reasons"] for row in landed.unreadable.to_pyarrow().to_pylist()}
    assert landed.n_read == len(whole) + len(broken)
    assert not set(whole) & set(broken)
    return whole, broken


@pytest.fixture
def put(tmp_path):
    def write(content: bytes | str, name: str = "a.csv"):
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


PLAIN = {1: ("1", "x"), 2: ("2", "y")}


@pytest.mark.parametrize("separator", [",", "\t", "|", ";"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("last", [True, False])
def test_a_file_is_read_whatever_separates_and_ends_its_lines(lake, put, separator, end, last):
    lines = [f"id{separator}a", f"1{separator}x", f"2{separator}y"]
    assert read(lake, put(end.join(lines) + (end if last else ""))) == (PLAIN, {})


def test_a_separator_within_the_header_quotation_marks_does_not_count(lake, put):
    path = put('"id, of, the, voter"|a\n1|x\n2|y\n')
    assert columns_of(path) == ("id, of, the, voter", "a")
    assert read(lake, path) == (PLAIN, {})


@pytest.mark.parametrize("kept", [0.3, 0.9, 0.999])
def test_a_packed_file_that_was_cut_is_refused_and_never_taken_for_a_shorter_one(lake, put, kept):
    whole = gzip.compress(("id,a\n" + "".join(f"{i},{i * 7919 % 1000}\n" for i in range(50_000))).encode())
    path = put(whole[: int(len(whole) * kept)], "a.csv.gz")
    with pytest.raises(SourceError, match=r"cannot be read.*ended before the end.*fetch it again"):
        land(lake, path)


def test_lines_are_counted_rightly_where_some_are_blank_and_ends_are_mixed(lake, put):
    whole, broken = read(lake, put('id,a\r\n1,x\n\n2\r\n\r\n3,y\n4,5,6\r\n5,"a\n\nb"\n'))
    assert whole == {1: ("1", "x"), 3: ("3", "y"), 5: ("5", "a\n\nb")}
    assert set(broken) == {2, 4}


def test_nul_bytes_are_read_as_they_are(lake, put):
    assert read(lake, put(b"id,a\n1,\x00\n2,y\x00\n")) == ({1: ("1", "\0"), 2: ("2", "y\0")}, {})


def test_a_very_long_line_is_set_aside_and_the_next_ones_are_read(lake, put):
    whole, broken = read(lake, put(b"id,a\n1," + b"x" * 2_100_000 + b"\n2,y\n3," + b"z" * 100_000 + b"\n"))
    assert set(whole) == {2, 3}
    assert broken == {1: "a line of more than 2,000,000 bytes"}


def test_column_names_may_be_anything(lake, put):
    names = ["the id", "it's", 'a "b"', "naïve ☂", "select", "n", "line", "kept", "row", "_line", "reasons"]
    path = put(",".join('"' + name.replace('"', '""') + '"' for name in names) + "\n" + "1," * 10 + "1\n2\n")
    assert columns_of(path) == tuple(names)
    assert read(lake, path) == ({1: ("1",) * 11}, {2: "fewer columns than the header"})


# ── Parquet ────────────────────────────────────────────────────────────────────────────────────────


def test_a_file_that_is_named_parquet_and_is_not_is_refused(lake, put, tmp_path):
    with pytest.raises(SourceError, match=r"Not a readable Parquet file.*fetch it again"):
        land(lake, put("id,a\n1,x\n", "a.parquet"))
    with pytest.raises(SourceError, match=r"Not a readable Parquet file"):
        columns_of(put("id,a\n1,x\n", "a.parquet"))
    pq.write_table(pa.table({"a": list(range(10_000))}), tmp_path / "b.parquet")
    cut = put((tmp_path / "b.parquet").read_bytes()[:5_000], "c.parquet")
    with pytest.raises(SourceError, match=r"Not a readable Parquet file"):
        land(lake, cut)


def test_a_parquet_file_without_rows_is_refused(lake, tmp_path):
    pq.write_table(pa.table({"id": pa.array([], pa.string())}), tmp_path / "a.parquet")
    with pytest.raises(SourceError, match="a header and no rows"):
        land(lake, tmp_path / "a.parquet")


# ── against Python's own reader ────────────────────────────────────────────────────────────────────

CELLS = st.sampled_from(["a", "bc", "12", "é", "x y", "", '"q"', '"a""b"', '"SEP"', '"l1\nl2"', '"l1\n\nl2"'])


@st.composite
def files(draw):
    """A file's bytes, with rows too short, too long, blank, of bad bytes, or cut; and its separator."""
    width, separator = draw(st.integers(1, 4)), draw(st.sampled_from(",|;\t"))
    ends = draw(st.sampled_from([["\n"], ["\r\n"], ["\n", "\r\n"]]))
    lines = [separator.join(f"c{i}" for i in range(width))]
    for kind in draw(
        st.lists(st.sampled_from(["sound"] * 6 + ["short", "long", "bytes", "blank"]), min_size=1)
    ):
        n = {"short": max(1, width - 1), "long": width + draw(st.integers(1, 2))}.get(kind, width)
        cells = [draw(CELLS).replace("SEP", separator) for _ in range(n)]
        if kind == "long":
            cells[-1] = "z"  # an empty surplus cell loses nothing, and is allowed
        if kind == "bytes":
            cells[draw(st.integers(0, n - 1))] = "b\udce9d"
        if cells == [""]:
            cells = ["x"]
        lines.append("" if kind == "blank" else separator.join(cells))
    text = "".join(line + draw(st.sampled_from(ends)) for line in lines)
    content = text.encode("utf-8", "surrogateescape")
    return (content.rstrip(b"\r\n") if draw(st.booleans()) else content), separator, width


def expected(content: bytes, separator: str, width: int):
    """What Python's reader makes of it: whole rows by line, and how many rows there are."""
    text = io.StringIO(content.decode("utf-8", "surrogateescape"), newline="")
    rows = list(csv.reader(text, delimiter=separator))[1:]
    rows = [row or [""] for row in rows if row or width == 1]
    sound = {
        line: tuple(cell or None for cell in row)
        for line, row in enumerate(rows, 1)
        if len(row) == width and not any("\udce9" in cell for cell in row)
    }
    return sound, len(rows)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(file=files())
def test_whatever_is_in_a_file_each_row_is_whole_or_told_of_on_its_own_line(lake, tmp_path_factory, file):
    content, separator, width = file
    path = tmp_path_factory.getbasetemp() / "drawn.csv"
    path.write_bytes(content)
    sound, n = expected(content, separator, width)
    if n == 0:
        with pytest.raises(SourceError):
            land(lake, path, delimiter=separator)
        return
    whole, broken = read(lake, path, delimiter=separator)
    assert {line: tuple(cell or None for cell in row) for line, row in whole.items()} == sound
    assert set(broken) == set(range(1, n + 1)) - set(sound)


def test_lines_are_counted_rightly_in_a_file_that_several_threads_read(lake, put):
    lines, bad = [], set()
    for i in range(1, 120_001):
        if i % 997 == 0:
            bad.add(i)
            lines.append(f"{i},x,y,z")
        elif i % 101 == 0:
            lines.append(f'{i},"{"two" * 30}\nlines"')
        else:
            lines.append(f"{i},{'text ' * 30}")
    landed = land(lake, put("id,a\n" + "\n".join(lines)))
    assert {row["line"] for row in landed.unreadable.to_pyarrow().to_pylist()} == bad
    rows = landed.rows
    assert rows.filter(rows[LINE].cast("string") != rows["id"]).count().to_pyarrow().as_py() == 0
