"""Files as tables of text: the same cells as Python's csv module reads, and no row that is not accounted for."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hustings.errors import SourceError
from hustings.warehouse.connect import Lake, open_lake
from hustings.warehouse.landing import LINE, columns_of, land

few = settings(max_examples=250, deadline=None, derandomize=True, database=None)


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lake]:
    found = open_lake(tmp_path_factory.mktemp("landing") / ".hustings", write=True)
    yield found
    found.close()


Kept = dict[int, list[str | None]]


@pytest.fixture(scope="module")
def read(
    lake: Lake, tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., tuple[Kept, dict[int, str], int]]:
    folder = tmp_path_factory.mktemp("files")

    def one(content: bytes | str, name: str = "f.csv", **how: str) -> tuple[Kept, dict[int, str], int]:
        """The rows that were kept by line, the reasons by line, and how many rows there were."""
        path = folder / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        found = land(lake, path, **how)
        assert columns_of(path, **how) == found.columns
        kept = found.rows.to_pyarrow().to_pylist()
        lost = found.unreadable.to_pyarrow().to_pylist()
        by_line = {row[LINE]: [row[name] for name in found.columns] for row in kept}
        reasons = {row["line"]: row["reasons"] for row in lost}
        lines = sorted([*by_line, *reasons])
        assert len(kept) + len(lost) == found.n_read == len(lines)
        # Every row of the file is there once, from the first to the last.
        assert lines == list(range(1, found.n_read + 1))
        return by_line, reasons, found.n_read

    return one


def written(header: list[str], rows: list[list[str]], delimiter: str = ",", end: str = "\n") -> str:
    text = io.StringIO()
    maker = csv.writer(text, delimiter=delimiter, lineterminator=end, quoting=csv.QUOTE_MINIMAL)
    maker.writerows([header, *rows])
    return text.getvalue()


cells = st.text(st.sampled_from('ab1é ,;|\t"\n'), max_size=6)
tables = st.integers(2, 4).flatmap(
    lambda n: st.lists(st.lists(cells, min_size=n, max_size=n), min_size=1, max_size=6)
)


@few
@given(table=tables, delimiter=st.sampled_from(",\t|;"), end=st.sampled_from(["\n", "\r\n"]))
def test_the_cells_are_those_that_pythons_csv_module_reads(read, table, delimiter, end):
    header = [f"c{number}" for number in range(len(table[0]))]
    text = written(header, table, delimiter, end)
    expected = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))[1:]
    kept, lost, n_read = read(text)
    assert not lost
    assert n_read == len(expected)
    found = [[cell or "" for cell in kept[line]] for line in sorted(kept)]
    assert found == expected


sound = st.just("1,abc,x\n")
damage = st.sampled_from(
    ["1,2\n", "1\n", "1,2,3,4\n", ",,\n", '1,"open,x\n', '1,o"dd,x\n', '1,"a"b,x\n', "\n", "\r\n", "1,2,3\r\n", '1,"a\nb",x\n', '"\n']
)  # fmt: skip


@few
@given(lines=st.lists(sound | damage, min_size=1, max_size=12), cut=st.integers(0, 4))
def test_whatever_the_damage_every_row_is_kept_or_told_of(read, lines, cut):
    body = "1,first,x\n" + "".join(lines)
    read("id,name,last\n" + body[: len(body) - cut] or "1")


@few
@given(bad=st.sets(st.integers(1, 9), max_size=9))
def test_lines_are_right_wherever_bytes_are_broken(read, bad):
    rows = [b"%d,caf\xe9\n" % n if n in bad else b"%d,caf\xc3\xa9\n" % n for n in range(1, 11)]
    kept, lost, _ = read(b"id,name\n" + b"".join(rows))
    assert set(lost) == bad
    assert set(lost.values()) <= {"bytes that are not in the file's encoding"}
    assert all(kept[line] == [str(line), "café"] for line in set(range(1, 11)) - bad)


@pytest.mark.parametrize(
    ("body", "broken"),
    [
        ("1,a\n2\n3,c\n", {2: "fewer columns than the header"}),
        ("1,a\n2,b,z\n3,c\n", {2: "more columns than the header"}),
        ("1\n2,b\n3,c,z\n", {1: "fewer columns than the header", 3: "more columns than the header"}),
        ("1,a\n2,b\n3", {3: "fewer columns than the header"}),
        ("1,a\r\n2\n3,c\r\n", {2: "fewer columns than the header"}),
        ("1,a\n\n2\n\n3,c\n", {2: "fewer columns than the header"}),
        ('1,"a\nb"\n2\n3,c\n', {2: "fewer columns than the header"}),
        ('1,a\n2,"b"x\n3,c\n', {2: "a quotation mark that is not closed"}),
    ],
)
def test_a_broken_row_has_its_line_and_its_reason(read, body, broken):
    kept, lost, n_read = read("id,name\n" + body)
    assert lost == broken
    assert n_read == 3
    assert all(kept[line][0] == str(line) for line in {1, 2, 3} - set(broken))


def test_a_quotation_mark_that_is_never_closed_loses_no_count(read):
    kept, lost, n_read = read('id,name\n1,a\n2,"b\n3,c\n4,d\n')
    assert n_read >= 2
    assert kept[1] == ["1", "a"]
    assert set(lost.values()) == {"a quotation mark that is not closed"}


def test_a_row_before_a_byte_order_mark_is_not_lost(read):
    kept, lost, _ = read("id,name\n1,a\n2,é\n".encode("utf-8-sig"))
    assert kept == {1: ["1", "a"], 2: ["2", "é"]}
    assert not lost


def test_a_quoted_header_behind_a_byte_order_mark_is_read(read):
    kept, _, _ = read('"id","the, name"\n1,a\n'.encode("utf-8-sig"))
    assert kept == {1: ["1", "a"]}


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1", "utf-16"])
def test_every_named_encoding_gives_the_same_text(read, encoding):
    kept, lost, _ = read("id,straße\n1,café\n2,naïve\n".encode(encoding), encoding=encoding)
    assert kept == {1: ["1", "café"], 2: ["2", "naïve"]}
    assert not lost


@pytest.mark.parametrize("delimiter", [",", "\t", "|", ";"])
def test_the_delimiter_is_found_from_the_header(read, delimiter):
    text = written(["id", "a b", "c"], [["1", "x,y;z|w\tv", "2"]], delimiter)
    assert read(text)[0] == {1: ["1", "x,y;z|w\tv", "2"]}


def test_another_delimiter_can_be_named(read):
    assert read("id~name\n1~a,b\n", delimiter="~")[0] == {1: ["1", "a,b"]}


def test_a_file_of_one_column_counts_blank_lines_as_rows(read):
    kept, _, n_read = read("id\n1\n\n3\n")
    assert n_read == 3
    assert kept[3] == ["3"]


def test_a_packed_file_is_as_the_file(read):
    content = b"id,name\n1,a\n2\n3,caf\xc3\xa9\n"
    assert read(gzip.compress(content), "f.csv.gz") == read(content)


def test_parquet_becomes_text_that_means_the_same(read):
    table = pa.table(
        {
            "id": pa.array([1, 2, 3], pa.int64()),
            "whole": pa.array([1.0, None, 2.5], pa.float64()),
            "nan": pa.array([float("nan"), 1e20, -3.0], pa.float64()),
            "yes": pa.array([True, None, False]),
            "kind": pa.array(["a", "b", None]).dictionary_encode(),
            'it\'s "odd" é': pa.array(["x", "", "z"]),
        }
    )
    file = io.BytesIO()
    pq.write_table(table, file)
    kept, lost, n_read = read(file.getvalue(), "f.parquet")
    assert kept == {
        1: ["1", "1", None, "true", "a", "x"],
        2: ["2", None, "1e+20", None, "b", ""],
        3: ["3", "2.5", "-3", "false", None, "z"],
    }
    assert not lost
    assert n_read == 3


WRONG = {
    "it is empty": ("f.csv", b"", "The file is empty"),
    "it has a header only": ("f.csv", b"id,name\n", "a header and no rows"),
    "its header is blank": ("f.csv", b"\n1,a\n", "no header"),
    "a name stands twice": ("f.csv", b"id,name,id\n1,a,2\n", r"stands there twice.*\['id'"),
    "a name stands twice in other letters": ("f.csv", b"id,ID\n1,2\n", r"stands there twice.*'ID'"),
    "a column has no name": ("f.csv", b"id,,name\n1,a,b\n", "empty or stands there twice"),
    "its header opens a quotation mark": ("f.csv", b'id,"name\n1,a\n', "quotation mark that is not closed"),
    "its header is Latin-1": ("f.csv", b"id,caf\xe9\n1,a\n", 'header is not in utf-8.*encoding = "latin-1"'),
    "it is not Parquet": ("f.parquet", b"id,name\n1,a\n", "Not a readable Parquet file.*fetch it again"),
    "its Parquet is cut": ("f.parquet", b"PAR1" + b"\0" * 40, "Not a readable Parquet file"),
    "it is not packed": ("f.csv.gz", b"id,name\n1,a\n", "cannot be read.*fetch it again"),
    "its packing is cut": (
        "f.csv.gz",
        gzip.compress(b"id,name\n" + b"".join(b"%d,%d\n" % (n, n * n * 7919) for n in range(3000)))[:-2000],
        "cannot be read.*fetch it again",
    ),
}


@pytest.mark.parametrize(("name", "content", "message"), WRONG.values(), ids=WRONG)
def test_a_file_is_refused_with_the_way_round_where(lake, tmp_path, name, content, message):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(SourceError, match=message):
        land(lake, path)


def test_an_unknown_encoding_and_a_long_delimiter_are_named(lake, tmp_path):
    path = tmp_path / "f.csv"
    path.write_bytes(b"id,name\n1,a\n")
    with pytest.raises(SourceError, match="Unknown encoding; received 'utf-9'; allowed: utf-8, latin-1"):
        land(lake, path, encoding="utf-9")
    with pytest.raises(SourceError, match="A delimiter is one character; received '::'"):
        land(lake, path, delimiter="::")


def test_a_folder_and_a_missing_file_are_told_apart(lake, tmp_path: Path):
    with pytest.raises(SourceError, match="Not a file"):
        land(lake, tmp_path)
    with pytest.raises(SourceError, match="The file is missing.*hustings data list"):
        land(lake, tmp_path / "none.csv")
    with pytest.raises(SourceError, match="the folder nowhere is missing too"):
        land(lake, tmp_path / "nowhere" / "none.csv")
