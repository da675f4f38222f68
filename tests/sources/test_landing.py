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

few = settings(max_examples=15, deadline=None, derandomize=True, database=None)


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
        assert len(set(lines)) == len(lines)
        # Every row is there once, from the first to the last; where a quotation mark is not closed, what is a
        # row is anyone's guess, and numbers may be left out.
        if "a quotation mark that is not closed" not in "; ".join(reasons.values()):
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
@given(
    ends=st.lists(st.sampled_from(["\n", "\r\n", "\r"]), min_size=1, max_size=3),
    lines=st.lists(
        st.sampled_from(["1,abc,x", "1,2", '1,"open,x', '1,"a"b,x', '1,"q""q",z', '"', ""]), max_size=8
    ),
)
def test_no_kind_of_line_end_stops_a_broken_file_in_a_transaction(lake, read, ends, lines):
    rows = ["id,name,last", "1,first,x", *lines]
    # As in a run: an error inside a transaction would end it.
    lake.raw.execute("BEGIN TRANSACTION")
    try:
        kept, _, _ = read("".join(row + ends[n % len(ends)] for n, row in enumerate(rows)))
    finally:
        lake.raw.execute("ROLLBACK")
    assert kept[1] == ["1", "first", "x"]


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


def test_a_byte_order_mark_costs_no_row(read):
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


# ── in a run: one transaction, several sources ─────────────────────────────────────────────────────

CAMPAIGN = '[campaign]\nname = "T"\nelection_day = 2026-11-03\nas_of = 2026-10-01\n\n'


def section(name: str, path: str, body: str, head: str = "") -> str:
    """A source with a records block."""
    return f'[sources.{name}]\npath = "{path}"\narrived_on = 2026-09-01\n{head}\n[sources.{name}.records]\n{body}\n\n'


def by_source(found: list[dict], *names: str) -> dict[str, list[tuple]]:
    """Chosen columns by source, in the order of the file."""
    result: dict[str, list[tuple]] = {}
    for row in sorted(found, key=lambda row: row["line"]):
        result.setdefault(row["source"], []).append(tuple(row[name] for name in names))
    return result


def counts(rows, folder: Path) -> dict[str, tuple[int, int, int]]:
    """Rows read, kept and rejected of each source; they add up, and the rejects are there."""
    rejects = by_source(rows(folder, "rejects"), "line")
    found = {}
    for load in rows(folder, "loads"):
        lines = rejects.get(load["source"], [])
        assert load["n_read"] == load["n_kept"] + load["n_rejected"]
        assert load["n_rejected"] == len(lines) == len(set(lines))
        found[load["source"]] = (load["n_read"], load["n_kept"], load["n_rejected"])
    return found


def test_every_damage_of_one_file_is_set_aside_with_its_line_and_reason(make_folder, up_to, rows):
    body = 'record_id = "id"\nborn_on = { column = "dob", date = "%d/%m/%Y" }\nage = "age"\n'
    body += 'sex = { column = "sex", values = { M = "male", F = "female" } }\ngiven_name = "name"'
    lines = [
        b"1,01/02/1961,40,F,Zo\xc3\xab",
        b"2,31/02/2006,40,M,Bo",
        b"3,01/02/1961,40,F,Jos\xe9",
        b",01/02/1961,40,M,Nobody",
        b"5,01/02/1961,40,M,First",
        b"5,01/02/1962,41,F,Second",
        b"7,01/02/1961,40",
        b"8,01/02/1961,40,F,Li,more",
        b"9,01/02/1961,40,X,Kim",
        b"10,1961-02-01,forty,Q,Sam",
        b"11,,,,",
        b'12,01/02/1961,40,F,"closed" no',
        b" 13 ,01/02/1961, 40 , F ,Ann",
        b"14,01/02/1961,40.5,M,Half",
        b"15,01/0",
    ]
    file = b"\xef\xbb\xbfid,dob,age,sex,name\n" + b"\n".join(lines)
    folder = make_folder(CAMPAIGN + section("voters", "v.csv", body), v__csv=file)
    up_to(folder, "collect")
    assert counts(rows, folder) == {"voters": (15, 4, 11)}
    told = {row["line"]: set(row["reasons"].split("; ")) for row in rows(folder, "rejects")}
    no_sex, no_day = (
        "sex has a value that its `values` do not name",
        "born_on is not a day in the form %d/%m/%Y",
    )
    no_age = "age is not a whole number"
    assert told == {
        2: {no_day},
        3: {"bytes that are not in the file's encoding"},
        4: {"record_id is missing"},
        6: {"the same record_id stands earlier"},
        7: {"fewer columns than the header"},
        8: {"more columns than the header"},
        9: {no_sex},
        10: {no_age, no_day, no_sex},
        12: {"a quotation mark that is not closed"},
        14: {no_age},
        15: {"fewer columns than the header"},
    }
    kept = {row["line"]: row for row in rows(folder, "records")}
    assert {line: row["record_id"] for line, row in kept.items()} == {1: "1", 5: "5", 11: "11", 13: "13"}
    assert kept[1]["given_name"] == "Zoë"
    assert str(kept[1]["born_on"]) == "1961-02-01"
    assert (kept[13]["age"], kept[13]["sex"]) == (40, "female")
    assert [kept[11][name] for name in ("born_on", "age", "sex", "given_name")] == [None] * 4


def test_the_same_rows_come_from_every_kind_of_file(make_folder, up_to, rows, monkeypatch, tmp_path):
    header = ["the id", "it's", 'say "hi"', "straße"]
    cells = [["1", "a", "b c", "é"], ["2", "", "x", "ü"], ["3", "d", "e", ""]]
    parquet = io.BytesIO()
    pq.write_table(pa.table({name: [row[i] for row in cells] for i, name in enumerate(header)}), parquet)
    comma, returned = written(header, cells), written(header, cells, end="\r\n")
    quoted = io.StringIO()
    csv.writer(quoted, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows([header, *cells])
    files = {
        "comma.csv": comma.encode(),
        "tab.tsv": written(header, cells, "\t").encode(),
        "pipe.txt": written(header, cells, "|").encode(),
        "semicolon.csv": written(header, cells, ";").encode(),
        "crlf.csv": returned.encode(),
        "mixed.csv": returned.replace("\r\n", "\n", 2).encode(),
        "packed.csv.gz": gzip.compress(comma.encode()),
        "bom.csv": comma.encode("utf-8-sig"),
        "latin.csv": comma.encode("latin-1"),
        "utf16.csv": comma.encode("utf-16"),
        "table.parquet": parquet.getvalue(),
        "tilde.csv": written(header, cells, "~").encode(),
        "quoted.csv": quoted.getvalue().encode(),
    }
    body = 'record_id = "the id"\ngiven_name = "it\'s"\nfamily_name = \'say "hi"\'\naddress = "straße"'
    more = {"latin": 'encoding = "latin-1"', "utf16": 'encoding = "utf-16"', "tilde": 'delimiter = "~"'}
    monkeypatch.setenv("FILES", str(tmp_path))
    toml = CAMPAIGN
    for path in files:
        name = path.split(".")[0]
        toml += section(name, "${FILES}/" + path, body, more.get(name, ""))
    folder = make_folder(toml, **{path.replace(".", "__"): content for path, content in files.items()})
    up_to(folder, "collect")
    assert rows(folder, "rejects") == []
    found = by_source(rows(folder, "records"), "line", "record_id", "given_name", "family_name", "address")
    expected = [(1, "1", "a", "b c", "é"), (2, "2", None, "x", "ü"), (3, "3", "d", "e", None)]
    assert found == {path.split(".")[0]: expected for path in files}


def test_odd_but_sound_files_are_read_and_their_counts_add_up(make_folder, up_to, rows):
    files = {
        "one": "id,name\n1,a",
        "newline": 'id,name\n1,"a\nb"\n2,c\n3\n4,d\n',
        "open": 'id,name\n1,a\n2,"b\n3,c\n4,d\n',
        "mixed": 'id,name\n1,a\r\n2\n\n3,"x\r\ny"\n4,d\r5,e\n',
        "blank": "id,name\n\n1,a\n2\n\n",
        "wide": "id,name," + ",".join(f"c{i}" for i in range(300)) + "\n1,a" + "," * 300 + "\n",
    }
    body = 'record_id = "id"\ngiven_name = "name"'
    toml = CAMPAIGN + "".join(section(name, f"{name}.csv", body) for name in files)
    folder = make_folder(toml, **{f"{name}__csv": text for name, text in files.items()})
    up_to(folder, "collect")
    found = by_source(rows(folder, "records"), "line", "record_id", "given_name")
    loads = counts(rows, folder)
    assert loads["one"] == (1, 1, 0)
    assert loads["newline"] == (4, 3, 1)
    assert found["newline"] == [(1, "1", "a\nb"), (2, "2", "c"), (4, "4", "d")]
    assert found["open"][0] == (1, "1", "a")
    assert loads["open"][2] >= 1
    assert loads["mixed"] == (5, 4, 1)
    assert found["mixed"] == [(1, "1", "a"), (3, "3", "x\ny"), (4, "4", "d"), (5, "5", "e")]
    assert loads["blank"] == (2, 1, 1)
    assert found["wide"] == [(1, "1", "a")]


def test_a_file_that_breaks_stops_the_run_and_what_was_there_stays(make_folder, up_to, rows):
    good = CAMPAIGN + section("voters", "v.csv", 'record_id = "id"\ngiven_name = "name"')
    folder = make_folder(good, v__csv="id,name\n1,a\n2\n")
    up_to(folder, "collect")
    tables = ("records", "rejects", "loads")
    before = {name: rows(folder, name) for name in tables}
    text = "id,name\n" + "".join(f"{n},{n * n * 7919}\n" for n in range(3000))
    packed = gzip.compress(text.encode())
    toml, path = folder / "campaign.toml", folder / "v.csv"

    def refused(match: str, text: str = good) -> None:
        toml.write_text(text)
        with pytest.raises(SourceError, match=match):
            up_to(folder, "collect")
        assert {name: rows(folder, name) for name in tables} == before

    path.write_bytes(b"id,name,ID\n1,a,2\n")
    refused("stands there twice")
    path.write_bytes(b"id,names\n1,a\n")
    refused(
        r"\[sources.voters\] records: the file has no column 'name' \(did you mean 'names'\?\); allowed: id, names"
    )
    path.write_bytes(b"")
    refused("The file is empty")
    path.unlink()
    refused("The file is missing")
    path.mkdir()
    refused("Not a file")
    (folder / "v.parquet").write_bytes(b"id,name\n1,a\n")
    refused("Not a readable Parquet file", good.replace("v.csv", "v.parquet"))
    (folder / "v.csv.gz").write_bytes(packed[: len(packed) // 2])
    refused("cannot be read", good.replace("v.csv", "v.csv.gz"))
    # Put right, it goes on.
    path.rmdir()
    path.write_bytes(b"id,name\n3,c\n")
    toml.write_text(good)
    up_to(folder, "collect")
    assert [row["record_id"] for row in rows(folder, "records")] == ["3"]
