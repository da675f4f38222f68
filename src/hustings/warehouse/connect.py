"""The only connection: a DuckLake in the campaign's folder, through Ibis on DuckDB."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from hustings.errors import WarehouseError

if TYPE_CHECKING:
    from ibis.backends.duckdb import Backend

EXTENSIONS = ("ducklake", "sqlite_scanner", "httpfs")
LAKE = "lake"
MEMORY = "HUSTINGS_MEMORY"
"""Environment variable: how much memory the engine may use before it spills to disk."""
CATALOG = "catalog.sqlite"
_ENCRYPTED = "ENCRYPTED"
_WITHOUT_WAITING = "META_JOURNAL_MODE 'WAL'"
"""With a log of its own SQLite lets readers read while a run commits, and a run commit while they read."""
_checked: set[str] = set()


@dataclass(frozen=True)
class Lake:
    """An open warehouse.

    Attributes:
        store: The warehouse's folder.
        raw: The DuckDB connection.
        snapshot: The snapshot it is pinned to, or None for the latest.
        held: Names of the temporary tables that hold interim results.
        copy: The folder with the catalog's copy that is read where the folder cannot be written.
    """

    store: Path
    raw: duckdb.DuckDBPyConnection
    snapshot: int | None = None
    held: list[str] = field(default_factory=list, compare=False)
    copy: tempfile.TemporaryDirectory[str] | None = None

    @cached_property
    def ibis(self) -> Backend:
        """The same connection as an Ibis backend; Ibis is imported when first asked for."""
        import ibis

        return ibis.duckdb.from_connection(self.raw)

    def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """The rows of a query."""
        return self.raw.execute(sql, list(values)).fetchall()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing: commits at the end, rolls back whatever stops it."""
        self.raw.execute("BEGIN TRANSACTION")
        try:
            yield
        except BaseException as error:
            # After a full disk or an interrupt DuckDB may already have ended the transaction itself.
            with suppress(duckdb.Error):
                self.raw.execute("ROLLBACK")
            # It also tells of an interrupt in an error of its own.
            if isinstance(error.__cause__, KeyboardInterrupt):
                raise KeyboardInterrupt from error
            if isinstance(error, duckdb.IOException):
                raise _failed("The warehouse could not be read or written", self.store, error) from error
            raise
        try:
            self.raw.execute("COMMIT")
        except duckdb.Error as error:
            raise _failed("The warehouse could not be written", self.store, error) from error

    def close(self) -> None:
        """Let go of the files."""
        self.raw.close()
        if self.copy is not None:
            self.copy.cleanup()


def exists(store: Path) -> bool:
    """Whether there is a warehouse in this folder."""
    return (store / CATALOG).is_file()


def open_lake(store: Path, *, snapshot: int | None = None, write: bool = False) -> Lake:
    """The warehouse in a folder.

    Args:
        store: The campaign's `.hustings` folder; made when writing.
        snapshot: Attach as of this snapshot.
        write: Whether it may be changed (by the holder of the lock only).

    Returns:
        An open lake.

    Raises:
        WarehouseError: It does not exist, or cannot be opened or made.
    """
    if write:
        _make_folder(store)
    elif not exists(store):
        raise WarehouseError.of(
            "This campaign has no warehouse yet", received=str(store), then="hustings run"
        )
    raw = _connection(store)
    catalog = store / CATALOG
    try:
        if write and not catalog.exists():
            _make_catalog(raw, store)
        # SQLite makes a file beside the catalog even to read it; where it may not, a copy is read.
        copy = None if os.access(store, os.W_OK) else _copied(catalog)
        options = [_ENCRYPTED, _WITHOUT_WAITING, "DATA_INLINING_ROW_LIMIT 0"] if write else ["READ_ONLY"]
        _attach(raw, store, Path(copy.name) / CATALOG if copy else catalog, options, snapshot)
    except (duckdb.Error, OSError) as error:
        raw.close()
        raise _failed("The warehouse could not be opened", store, error) from error
    return Lake(store, raw, snapshot, copy=copy)


def _copied(catalog: Path) -> tempfile.TemporaryDirectory[str]:
    copy = tempfile.TemporaryDirectory(prefix="hustings-", ignore_cleanup_errors=True)
    for path in catalog.parent.glob(f"{CATALOG}*"):
        shutil.copy(path, copy.name)
    return copy


def _attach(
    raw: duckdb.DuckDBPyConnection,
    store: Path,
    catalog: Path,
    options: list[str],
    snapshot: int | None = None,
) -> None:
    # The folder may have been moved since: its own place counts, not the one written in the catalog.
    options = [f"DATA_PATH '{_quoted(store.resolve() / 'lake')}/'", "OVERRIDE_DATA_PATH true", *options]
    if snapshot is not None:
        options.append(f"SNAPSHOT_VERSION {int(snapshot)}")
    raw.execute(f"ATTACH 'ducklake:sqlite:{_quoted(catalog)}' AS {LAKE} ({', '.join(options)})")


def _make_catalog(raw: duckdb.DuckDBPyConnection, store: Path) -> None:
    """A new catalog, whole or not at all: it gets its name when it is."""
    fresh = store / f"{CATALOG}.new"
    for left in store.glob(f"{CATALOG}.new*"):
        left.unlink()
    _attach(raw, store, fresh, [_ENCRYPTED, _WITHOUT_WAITING])
    raw.execute(f"DETACH {LAKE}")
    fresh.chmod(0o600)
    fresh.replace(store / CATALOG)


def _connection(store: Path) -> duckdb.DuckDBPyConnection:
    # DuckDB reads all of an extension to check its signature: once for each process is enough.
    raw = duckdb.connect(
        config={"allow_unsigned_extensions": "true"} if len(_checked) == len(EXTENSIONS) else {}
    )
    try:
        raw.execute("SET enable_progress_bar = false")
        raw.execute("SET TimeZone = 'UTC'")
        raw.execute("SET autoinstall_known_extensions = false")
        raw.execute("SET temp_file_encryption = true")
        raw.execute(f"SET memory_limit = '{_memory()}'")
        raw.execute(f"SET temp_directory = '{_quoted(store / 'spill')}'")
        for name in EXTENSIONS:
            raw.execute(f"LOAD '{_quoted(_extension(name))}'")
            _checked.add(name)
    except duckdb.Error as error:
        raw.close()
        raise _failed("DuckDB's extensions could not be loaded", store, error) from error
    return raw


def _memory() -> str:
    # What does not fit is spilled, encrypted: measured, the Michigan run then takes 1.3 GB instead of 1.7.
    given = os.environ.get(MEMORY, "1GB")
    if not re.fullmatch(r"\d+(\.\d+)? ?[MG]B", given):
        raise WarehouseError.of(f"{MEMORY} is no amount of memory", received=given, allowed="as 800MB or 4GB")
    return given


def _extension(name: str) -> Path:
    # Loading the wheel's own file leaves nothing behind in the user's home and needs no network.
    import importlib.util

    found = importlib.util.find_spec(f"duckdb_extension_{name}")
    places = list(found.submodule_search_locations or ()) if found else []
    for place in places:
        for path in Path(place).glob(f"extensions/v{duckdb.__version__}/{name}.duckdb_extension"):
            return path
    raise WarehouseError.of(
        f"DuckDB's extension {name} is not installed for DuckDB {duckdb.__version__}",
        then=f"pip install duckdb-extension-{name.replace('_', '-')}=={duckdb.__version__}",
    )


def _make_folder(store: Path) -> None:
    try:
        store.mkdir(mode=0o700, exist_ok=True)
        (store / "lake").mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise _failed("The campaign's folder cannot be written", store, error) from error
    if not os.access(store, os.W_OK):
        raise WarehouseError.of(
            "The campaign's folder cannot be written", received=str(store), then="check its permissions"
        )


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")


def _failed(what: str, store: Path, error: Exception) -> WarehouseError:
    text = str(error).splitlines()[0] if str(error) else type(error).__name__
    space = any(words in str(error).lower() for words in ("no space left", "disk is full"))
    then = "free some disk space, then hustings run" if space else "check the folder, then hustings run"
    return WarehouseError.of(f"{what} ({text})", received=str(store), then=then)
