"""Files as tables of text, each row with its line, and the rows that could not even be read.

Everything lands as text, so that what a value means, and whether it may be kept, is decided in one place
by rules that give their reasons (`sources/`).
"""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import re
import tempfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import duckdb

from hustings.errors import SourceError
from hustings.warehouse.connect import Lake

LINE = "_hustings_line"
"""The column with a row's number: a name that no file has."""
_BLOCK = 1 << 20
_ENDS = (b"\r\n", b"\n", b"\r")
_DELIMITERS = {",": "comma", "\t": "tab", "|": "pipe", ";": "semicolon"}
_READABLE = {
    "MISSING COLUMNS": "fewer columns than the header",
    "TOO MANY COLUMNS": "more columns than the header",
    "INVALID ENCODING": "bytes that are not in the file's encoding",
    "UNQUOTED VALUE": "a quotation mark that is not closed",
    "LINE SIZE OVER MAXIMUM": "a line of more than 2,000,000 bytes",
    "INVALID STATE": "a broken line",
}


class Landed(NamedTuple):
    """One file as text.

    Attributes:
        rows: An Ibis table: `LINE` (1 is the first row of data) and every column of the file as text.
        columns: The file's columns, in order.
        unreadable: An Ibis table of rows that could not be read: `line`, `reasons`, `row`.
        n_read: Rows in the file, unreadable ones included.
    """

    rows: Any
    columns: tuple[str, ...]
    unreadable: Any
    n_read: int


def land(lake: Lake, path: Path, *, delimiter: str | None = None, encoding: str = "utf-8") -> Landed:
    """Read one file.

    Args:
        lake: An open lake.
        path: A CSV file (comma, tab, pipe or semicolon; also gzipped) or a Parquet file.
        delimiter: Of a CSV; found from its header when None.
        encoding: Of a CSV: `utf-8`, `latin-1` or `utf-16`.

    Returns:
        Its rows.

    Raises:
        SourceError: The file is missing, empty, has a header only, repeats a column, or is not what its
            name says.
    """
    if not path.is_file():
        raise SourceError.of(
            "The file is missing" if not path.exists() else "Not a file",
            received=str(path),
            then=_where(path),
        )
    if path.stat().st_size == 0:
        raise SourceError.of("The file is empty", received=str(path), then="fetch it again")
    for name in ("landed", "unreadable"):
        lake.raw.execute(f"DROP TABLE IF EXISTS temp.main.{name}")
    columns = _parquet(lake, path) if path.suffix == ".parquet" else _csv(lake, path, delimiter, encoding)
    kept, lost = (
        lake.rows(f"SELECT count(*) FROM temp.main.{name}")[0][0] for name in ("landed", "unreadable")
    )
    if kept + lost == 0:
        raise SourceError.of("The file has a header and no rows", received=str(path), then="fetch it again")
    tables = [lake.ibis.table(name, database=("temp", "main")) for name in ("landed", "unreadable")]
    return Landed(tables[0], columns, tables[1], kept + lost)


def columns_of(path: Path, *, delimiter: str | None = None, encoding: str = "utf-8") -> tuple[str, ...]:
    """The columns of a file, from its head alone.

    Raises:
        SourceError: As `land`.
    """
    if not path.is_file():
        raise SourceError.of("The file is missing", received=str(path), then=_where(path))
    if path.suffix == ".parquet":
        with duckdb.connect() as raw:
            return tuple(name for name, _ in _parquet_columns(raw, path))
    return _header(path, delimiter, encoding)[0]


def _where(path: Path) -> str:
    return (
        "hustings data list, or correct the path in campaign.toml"
        if path.parent.exists()
        else (f"the folder {path.parent.name} is missing too: correct the path in campaign.toml")
    )


def _parquet_columns(raw: duckdb.DuckDBPyConnection, path: Path) -> list[tuple[str, str]]:
    try:
        found = raw.execute("DESCRIBE SELECT * FROM read_parquet(?)", [str(path)]).fetchall()
    except duckdb.Error as error:
        raise SourceError.of(
            f"Not a readable Parquet file ({_first(error)})", received=str(path), then="fetch it again"
        ) from None
    return [(name, kind) for name, kind, *_ in found]


def _parquet(lake: Lake, path: Path) -> tuple[str, ...]:
    columns = _parquet_columns(lake.raw, path)
    texts = ", ".join(f"{_as_text(name, kind)} AS {_name(name)}" for name, kind in columns)
    try:
        lake.raw.execute(
            f"CREATE TEMP TABLE landed AS SELECT file_row_number + 1 AS {LINE}, {texts} "
            "FROM read_parquet(?, file_row_number = true)",
            [str(path)],
        )
    except duckdb.Error as error:
        raise SourceError.of(
            f"Not a readable Parquet file ({_first(error)})", received=str(path), then="fetch it again"
        ) from None
    lake.raw.execute('CREATE TEMP TABLE unreadable (line BIGINT, reasons VARCHAR, "row" VARCHAR)')
    return tuple(name for name, _ in columns)


def _as_text(name: str, kind: str) -> str:
    text = f"CAST({_name(name)} AS VARCHAR)"
    if kind not in ("DOUBLE", "FLOAT"):
        return text
    # A column of whole numbers with gaps often comes as floats: 1.0 means 1, and NaN a gap.
    return f"nullif(regexp_replace({text}, '\\.0$', ''), 'nan')"


def _csv(lake: Lake, path: Path, delimiter: str | None, encoding: str) -> tuple[str, ...]:
    columns, separator = _header(path, delimiter, encoding)
    # Known before it is read: lines that end differently may stop DuckDB altogether, and in a transaction an
    # error lets nothing be tried again. It also takes the end of a file that was cut in packing for its end.
    mixed, blank = _line_ends(path, encoding)
    if mixed:
        _read_evened(lake, path, columns, separator, encoding)
        return columns
    try:
        _read_csv(lake, path, columns, separator, encoding)
    except duckdb.Error as error:
        raise _unreadable(path, error) from None
    if blank and lake.rows("SELECT 1 FROM temp.main.unreadable LIMIT 1"):
        _read_evened(lake, path, columns, separator, encoding)
    return columns


def _line_ends(path: Path, encoding: str) -> tuple[bool, bool]:
    r"""Whether lines end otherwise than all with \n or all with \r\n, and whether some may be blank.

    DuckDB then miscounts the broken rows, or stops.
    """
    ends, last, blank = [0, 0, 0], b"", encoding.lower().startswith("utf-16")
    try:
        with _opened(path) as file:
            while block := file.read(_BLOCK):
                joined = last + block
                blank = blank or any(pair in joined for pair in (b"\n\n", b"\n\r", b"\r\r"))
                # The last byte of the block before may be half of a line end: looked at twice, counted once.
                ends = [
                    n + joined.count(mark) - last.count(mark) for n, mark in zip(ends, _ENDS, strict=True)
                ]
                last = block[-1:]
    except (OSError, EOFError, zlib.error) as error:
        raise _unreadable(path, error) from None
    both, new_line, carriage_return = ends
    return carriage_return > 0 and not both == new_line == carriage_return, blank


def _read_evened(lake: Lake, path: Path, columns: tuple[str, ...], separator: str, encoding: str) -> None:
    """Read a copy of the file whose lines all end alike and of which none is blank."""
    with tempfile.TemporaryDirectory(prefix="landing-", dir=lake.store) as folder:
        copy = Path(folder) / "rows.csv"
        try:
            with (
                io.TextIOWrapper(
                    _opened(path), encoding=encoding, errors="surrogateescape", newline=""
                ) as source,
                copy.open("w", encoding=encoding, errors="surrogateescape", newline="") as target,
            ):
                target.writelines(_evened(source, separator, keep_blank=len(columns) == 1))
            _read_csv(lake, copy, columns, separator, encoding)
        except (duckdb.Error, OSError, EOFError, UnicodeError, zlib.error) as error:
            raise _unreadable(path, error) from None


def _evened(lines: Iterable[str], separator: str, *, keep_blank: bool) -> Iterator[str]:
    r"""The lines with one kind of end, and without those that are blank.

    Quoted text keeps its blank lines, but not its kind of end: behind a quotation mark that is not closed all the
    rest is quoted. In a file of one column a blank line is a row.

    >>> "".join(_evened(["a,b\r\n", "\n", '1,"x\n', "\n", 'y"\n'], ",", keep_blank=False))
    'a,b\n1,"x\n\ny"\n'
    """
    opens = re.compile(rf'(?:^|{re.escape(separator)})"(?:[^"]|"")*$')
    inside = False
    for line in lines:
        text = line.rstrip("\r\n")
        blank = not text and not inside and not keep_blank
        if text.count('"') % 2:
            inside = not inside and opens.search(text) is not None
        if not blank:
            yield text + "\n"


def _unreadable(path: Path, error: Exception) -> SourceError:
    return SourceError.of(
        f"The file cannot be read ({_first(error)})", received=str(path), then="fetch it again"
    )


def _read_csv(lake: Lake, path: Path, columns: tuple[str, ...], separator: str, encoding: str) -> None:
    for name in ("landed", "unreadable", "landed_errors", "landed_scans", "landed_rows"):
        lake.raw.execute(f"DROP TABLE IF EXISTS temp.main.{name}")
    # The file's columns go by number here, so that none of them can be taken for one of ours.
    numbered = [f"_{number}" for number in range(len(columns))]
    types = ", ".join(f"{name}: 'VARCHAR'" for name in numbered)
    lake.raw.execute(
        f"""CREATE TEMP TABLE landed_rows AS SELECT row_number() OVER () AS kept, *
        FROM read_csv(?, auto_detect = false, header = false, skip = 1, columns = {{{types}}},
            delim = {_text(separator)}, quote = '"', escape = '"', encoding = {_text(encoding)},
            max_line_size = 2000000, compression = ?,
            store_rejects = true, rejects_limit = 0,
            rejects_table = 'landed_errors', rejects_scan = 'landed_scans')""",
        [str(path), "gzip" if path.suffix == ".gz" else "none"],
    )
    cases = " ".join(f"WHEN {_text(kind)} THEN {_text(text)}" for kind, text in _READABLE.items())
    lake.raw.execute(
        f"""CREATE TEMP TABLE unreadable AS
        SELECT CAST(line AS BIGINT) - 1 AS line,
            string_agg(DISTINCT CASE CAST(error_type AS VARCHAR) {cases} ELSE 'a broken line' END, '; ') AS reasons,
            min(csv_line) AS "row"
        FROM landed_errors GROUP BY line"""
    )
    named = ", ".join(f"{number} AS {_name(name)}" for number, name in zip(numbered, columns, strict=True))
    # DuckDB numbers only the rows that it keeps; each moves down by the broken ones before it.
    lake.raw.execute(
        f"""CREATE TEMP TABLE landed AS
        WITH broken AS (SELECT line, row_number() OVER (ORDER BY line) AS n FROM unreadable),
            shifts AS (SELECT line - n AS kept_before, max(n) AS n FROM broken GROUP BY ALL)
        SELECT kept + coalesce(n, 0) AS {LINE}, {named}
        FROM landed_rows ASOF LEFT JOIN shifts ON kept > kept_before"""
    )
    lake.raw.execute("DROP TABLE temp.main.landed_rows")


def _header(path: Path, delimiter: str | None, encoding: str) -> tuple[tuple[str, ...], str]:
    line = _first_line(path, encoding)
    if delimiter is not None and len(delimiter) != 1:
        raise SourceError.of("A delimiter is one character", received=delimiter, allowed="such as ; or |")

    def cells(separator: str) -> list[str]:
        return next(csv.reader([line], delimiter=separator, strict=True), [])

    def n_cells(separator: str) -> int:
        try:
            return len(cells(separator)) or 1
        except csv.Error:  # With another delimiter than its own, a header in quotation marks cannot be read.
            return 0

    separator = delimiter or max(_DELIMITERS, key=n_cells)
    if line.count('"') % 2 or not n_cells(separator):
        raise SourceError.of(
            "The header has a quotation mark that is not closed on its line",
            received=str(path),
            then=f"edit {path.name}",
        )
    columns = tuple(name.strip() for name in cells(separator))
    if not any(columns):
        raise SourceError.of("The file has no header", received=str(path), then="fetch it again")
    lower = [name.lower() for name in columns]
    twice = sorted({name for name in columns if lower.count(name.lower()) > 1 or not name})
    if twice:
        raise SourceError.of(
            "A column of the header is empty or stands there twice", received=twice, then=f"edit {path.name}"
        )
    return columns, separator


def _first_line(path: Path, encoding: str) -> str:
    """The header's text, without its line end."""
    known = "utf-8-sig" if encoding.lower() in ("utf-8", "utf8") else encoding
    try:
        codecs.lookup(known)  # While no file is open yet that would stay open.
        # Damaged bytes further down are the rows' fault, and are found there.
        with io.TextIOWrapper(_opened(path), encoding=known, errors="surrogateescape", newline="") as file:
            line = file.readline(_BLOCK).rstrip("\r\n")
        line.encode(known)
    except UnicodeError:
        raise SourceError.of(
            f"The header is not in {encoding}",
            received=str(path),
            then='set encoding = "latin-1" in its section',
        ) from None
    except LookupError:
        raise SourceError.of(
            "Unknown encoding", received=encoding, allowed="utf-8, latin-1, utf-16"
        ) from None
    except (OSError, EOFError, zlib.error) as error:
        raise _unreadable(path, error) from None
    return line


def _opened(path: Path) -> Any:
    return gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb")


def _name(column: str) -> str:
    return '"' + column.replace('"', '""') + '"'


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _first(error: Exception) -> str:
    return (str(error).splitlines() or [""])[0][:200]
