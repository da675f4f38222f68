"""Public data sets that the examples run on: a name ─► a verified download ─► Parquet.

Nothing of them is shipped. A file is fetched from the commit that is named here, its size and SHA-256 are
compared before anything is read from it, and it is put in place whole or not at all.

Every run asks `data_folder`, so what only a download needs is imported there.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hustings.errors import SourceError

if TYPE_CHECKING:
    import pyarrow as pa

TIMEOUT = 60.0
"""Seconds without a byte after which a download is given up."""
_CHUNK = 1 << 16
_SCHEMES = ("https", "http", "file")
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class PublicData:
    """One public data set.

    Attributes:
        name: Its folder.
        about: What it is, in a sentence.
        citation: The work to cite.
        licence: Of the file at its source.
        repository: On GitHub, as owner/name.
        commit: Of that repository.
        path: The file in it: R's `.rda`.
        frame: The data frame in the file.
        bytes: Size of the file.
        sha256: Its digest.
        columns: Columns of the Parquet file made of it, in order: `text`, `integer` or `factor`.
        file: Name of that file.
    """

    name: str
    about: str
    citation: str
    licence: str
    repository: str
    commit: str
    path: str
    frame: str
    bytes: int
    sha256: str
    columns: Mapping[str, str]
    file: str = "voters.parquet"

    @property
    def url(self) -> str:
        """Where the file is.

        >>> PUBLIC["michigan-2006"].url.rsplit("/", 2)[1:]
        ['data', 'shaming.rda']
        """
        return f"https://raw.githubusercontent.com/{self.repository}/{self.commit}/{self.path}"

    @property
    def schema(self) -> pa.Schema:
        """The Parquet file's schema.

        >>> PUBLIC["michigan-2006"].schema.field("age").type
        DataType(int32)
        """
        import pyarrow as pa

        types = {
            "text": pa.large_string(),
            "integer": pa.int32(),
            "factor": pa.dictionary(pa.int8(), pa.string()),
        }
        return pa.schema([(name, types[kind]) for name, kind in self.columns.items()])


PUBLIC = {
    "michigan-2006": PublicData(
        name="michigan-2006",
        about="344,084 registered voters, four mailers sent at random, and who then voted: Michigan, 2006.",
        citation=(
            "Gerber, A. S., Green, D. P., and Larimer, C. W. (2008). Social pressure and voter turnout:"
            " evidence from a large-scale field experiment. American Political Science Review 102(1), 33-48."
        ),
        licence="MIT",
        repository="PPBDS/primer.data",
        commit="4dc746b0f3584388d487ce73e6d0d3125bd5c618",
        path="data/shaming.rda",
        frame="shaming",
        bytes=751_268,
        sha256="37b169d0d85434c2533dcb09375134ec5b73192c734060e042e8a8fa2a498eff",
        columns={
            "cluster": "text",
            "primary_06": "integer",
            "treatment": "factor",
            "sex": "text",
            "age": "integer",
            "primary_00": "integer",
            "general_00": "integer",
            "primary_02": "integer",
            "general_02": "integer",
            "primary_04": "integer",
            "general_04": "integer",
            "hh_size": "integer",
            "neighbors": "integer",
        },
    ),
}


def data_folder() -> Path:
    """Where public data are kept on this computer.

    Returns:
        `HUSTINGS_DATA` where it is set; else `shared/data` beside the current directory or beside the
        project, where there is one; else the user's cache.

    >>> from unittest import mock
    >>> with mock.patch.dict(os.environ, HUSTINGS_DATA="lists"):
    ...     data_folder().as_posix()
    'lists'
    """
    if named := os.environ.get("HUSTINGS_DATA"):
        return Path(named).expanduser()
    project = Path(__file__).resolve().parents[3]
    for beside in (Path.cwd(), project):
        shared = beside.parent / "shared" / "data"
        if shared.is_dir():
            return shared
    cache = os.environ.get("XDG_CACHE_HOME")
    return (Path(cache) if cache else Path.home() / ".cache") / "hustings"


def listing(folder: Path) -> list[dict[str, Any]]:
    """What public data there are, and which of them a folder holds.

    Args:
        folder: A folder of data, as `data_folder()`.

    Returns:
        For each data set its name, about, licence, source, bytes (of the download) and present.

    >>> listing(Path("nowhere"))[0]["present"]
    False
    """
    return [
        {
            "name": data.name,
            "about": data.about,
            "licence": data.licence,
            "source": f"https://github.com/{data.repository}",
            "bytes": data.bytes,
            "present": (Path(folder) / data.name / data.file).is_file(),
        }
        for data in PUBLIC.values()
    ]


def get(name: str, folder: Path, *, url: str | None = None) -> Path:
    """The Parquet file of a public data set, downloaded, verified and converted where it is not there yet.

    Args:
        name: One of `PUBLIC`.
        folder: A folder of data, as `data_folder()`; made where it does not exist.
        url: Another place of the same file, `https:`, `http:` or `file:`; it is verified all the same.

    Returns:
        The file: `folder/name/voters.parquet`.

    Raises:
        SourceError: The name is unknown, the file cannot be had, is not the one that is expected, or cannot
            be converted. Nothing is left behind, and a file that was there is not touched.

    >>> get("ohio", Path("nowhere"))
    Traceback (most recent call last):
    hustings.errors.SourceError: Unknown public data 'ohio'; allowed: michigan-2006. Next: hustings data list
    """
    if name not in PUBLIC:
        raise SourceError.unknown("Unknown public data", name, PUBLIC, "hustings data list")
    data, folder = PUBLIC[name], Path(folder)
    target = folder / data.name / data.file
    if target.is_file():
        _LOG.info("%s is there already: %s", name, target)
        return target
    import tempfile

    import pyarrow.parquet as pq

    read_rda = _reader()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{name}-", dir=folder) as staging:
            download, converted = Path(staging) / "download", Path(staging) / data.file
            _download(data, url or data.url, download)
            pq.write_table(_table(data, download, read_rda), converted, compression="zstd")
            target.parent.mkdir(exist_ok=True)
            os.replace(converted, target)
    except OSError as error:
        raise SourceError.of(
            f"{name} cannot be written ({error.strerror or error})",
            received=str(folder),
            allowed="a folder that can be written to",
            then="export HUSTINGS_DATA=FOLDER, and again",
        ) from error
    _LOG.info("%s is ready: %s", name, target)
    return target


def _reader() -> Callable[[Path], Any]:
    try:
        import rdata
    except ImportError as error:
        raise SourceError.of(
            "R's data files cannot be read, because the package rdata is not installed",
            then="pip install 'hustings[public-data]'",
        ) from error
    reader: Callable[[Path], Any] = rdata.read_rda
    return reader


def _download(data: PublicData, url: str, path: Path) -> None:
    """The file at `path`, which has the size and the digest that are expected."""
    import hashlib
    import http.client
    import urllib.parse
    import urllib.request

    again = f"hustings data get {data.name}"
    if urllib.parse.urlsplit(url).scheme not in _SCHEMES:
        raise SourceError.of(
            "This is no address of a file", received=url, allowed=[f"{s}:" for s in _SCHEMES], then=again
        )
    size, digest = 0, hashlib.sha256()
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT) as response, path.open("wb") as file:
            # a byte more than expected is enough to know that it is another file
            while size <= data.bytes and (chunk := response.read(_CHUNK)):
                size += len(chunk)
                digest.update(chunk)
                file.write(chunk)
    except (OSError, http.client.HTTPException) as error:
        raise SourceError.of(
            f"{data.name} cannot be downloaded ({_reason(error)})",
            received=url,
            allowed=f"an address that answers within {TIMEOUT:g} seconds",
            then=f"{again}, when the network is back; or fetch the file otherwise and add --url file:///PATH",
        ) from error
    for what, found, expected in (
        ("size in bytes", f"{size:,}" if size <= data.bytes else "more", f"{data.bytes:,}"),
        ("SHA-256", digest.hexdigest(), data.sha256),
    ):
        if found != expected:
            raise SourceError.of(
                f"{data.name}: the file at {url} is cut short or another one, by its {what}; it was removed",
                received=found,
                allowed=expected,
                then=f"{again}; or, from a copy of commit {data.commit[:12]}, add --url file:///PATH",
            )


def _reason(error: Exception) -> str:
    import urllib.error

    if isinstance(error, urllib.error.HTTPError):
        error.close()
        return f"the server says {error.code} {error.reason}"
    cause = error.reason if isinstance(error, urllib.error.URLError) else error
    return str(getattr(cause, "strerror", None) or cause or type(cause).__name__)


def _table(data: PublicData, path: Path, read_rda: Callable[[Path], Any]) -> pa.Table:
    """The frame as the schema says; every column of it must be there and fit."""
    import warnings

    import pyarrow as pa

    fault = f"{data.name}: {data.path} does not hold what is expected"
    then = "pip install --upgrade rdata, or report it with the version of rdata"
    try:
        with warnings.catch_warnings():
            # a tibble is a data frame of a class that rdata does not know, and says so
            warnings.simplefilter("ignore", UserWarning)
            content = read_rda(path)
    except (ValueError, TypeError, LookupError, NotImplementedError, EOFError, OSError) as error:
        raise SourceError.of(f"{fault}: rdata cannot read it ({type(error).__name__})", then=then) from error
    if data.frame not in content or not hasattr(content[data.frame], "columns"):
        raise SourceError.of(fault, received=sorted(content), allowed=f"a data frame {data.frame}", then=then)
    frame = content[data.frame]
    if missing := [name for name in data.columns if name not in frame.columns]:
        raise SourceError.of(
            f"{fault}: no column {', '.join(missing)}",
            received=", ".join(map(str, frame.columns)),
            allowed=list(data.columns),
            then=then,
        )
    return pa.table([_column(frame[f.name], f, fault) for f in data.schema], schema=data.schema)


def _column(values: Any, field: pa.Field, fault: str) -> pa.Array:
    """One column in its declared type; nothing is rounded, and no text is read as a number."""
    import pyarrow as pa

    def is_text(kind: pa.DataType) -> bool:
        return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))

    found = pa.Array.from_pandas(values)
    kinds = (pa.types.is_dictionary, pa.types.is_integer, is_text)
    if not any(kind(found.type) and kind(field.type) for kind in kinds):
        raise SourceError.of(
            f"{fault}: column {field.name}", received=str(found.type), allowed=str(field.type)
        )
    try:
        if pa.types.is_dictionary(field.type):
            indices = found.indices.cast(field.type.index_type)
            return pa.DictionaryArray.from_arrays(indices, found.dictionary.cast(field.type.value_type))
        return found.cast(field.type)
    except pa.ArrowInvalid as error:
        raise SourceError.of(f"{fault}: column {field.name}", allowed=str(field.type)) from error
