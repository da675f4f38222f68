"""Public data are verified before they are read, and are put in place whole or not at all."""

from __future__ import annotations

import dataclasses
import hashlib
import logging
import os
import socket
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import rdata

from hustings.errors import SourceError
from hustings.sources import public
from hustings.sources.public import PUBLIC, data_folder, get, listing

ARMS = ["No Postcard", "Civic Duty", "Hawthorne", "Self", "Neighbors"]
NAME = "michigan-2006"


def _frame(rows: int = 60) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    columns: dict[str, object] = {}
    for field in PUBLIC[NAME].schema:
        if field.name == "treatment":
            columns[field.name] = pd.Categorical.from_codes(rng.integers(0, 5, rows), ARMS)
        elif field.type == pa.large_string():
            columns[field.name] = rng.choice(["Male", "Female"], rows).astype(object)
        else:
            columns[field.name] = rng.integers(0, 2, rows).astype(np.int32)
    return pd.DataFrame(columns)


def _rda(path: Path, frame: pd.DataFrame, name: str = "shaming") -> bytes:
    rdata.write_rda(path, {name: frame})
    return path.read_bytes()


class Served:
    """What the loopback server answers, and how often it was asked."""

    content = b""
    asked = 0


@pytest.fixture
def served(monkeypatch) -> Iterator[tuple[Served, str]]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    state = Served()
    release = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            state.asked += 1
            if self.path == "/missing":
                self.send_error(404)
                return
            if self.path == "/silent":
                release.wait(5)
                return
            self.send_response(200)
            if self.path != "/no-length":
                self.send_header("Content-Length", str(len(state.content)))
            self.end_headers()
            half = len(state.content) // 2
            self.wfile.write(state.content[:half] if self.path == "/cut" else state.content)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield state, f"http://127.0.0.1:{server.server_address[1]}"
    release.set()
    server.shutdown()
    thread.join()
    server.server_close()


def _register(monkeypatch, content: bytes, **changes: object) -> None:
    known = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()} | changes
    monkeypatch.setitem(PUBLIC, NAME, dataclasses.replace(PUBLIC[NAME], **known))


@pytest.fixture
def small(served, tmp_path, monkeypatch) -> tuple[Served, str, Path]:
    """A small file of the right form, on the server and in the registry; and an empty folder."""
    state, address = served
    state.content = _rda(tmp_path / "made.rda", _frame())
    _register(monkeypatch, state.content)
    return state, address, tmp_path / "data"


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()] if folder.exists() else []


@pytest.mark.parametrize("path", ["/shaming.rda", "/no-length"])
def test_a_verified_file_becomes_parquet_with_the_declared_columns(small, path):
    _, address, folder = small
    target = get(NAME, folder, url=address + path)
    assert target == folder / NAME / "voters.parquet"
    table = pq.read_table(target)
    assert table.schema.equals(PUBLIC[NAME].schema)
    expected = _frame()
    found = table.to_pandas()
    assert list(found["treatment"].cat.categories) == ARMS
    for column in expected:
        assert found[column].tolist() == expected[column].tolist()
    assert _files(folder) == [target]
    assert list(folder.iterdir()) == [folder / NAME]


def test_a_file_that_is_there_is_not_fetched_again_and_that_is_said(small, caplog):
    state, address, folder = small
    first = get(NAME, folder, url=address)
    with caplog.at_level(logging.INFO, "hustings.sources.public"):
        assert get(NAME, folder, url=address) == first
    assert state.asked == 1
    assert "is there already" in caplog.text


def test_a_copy_on_disk_is_verified_like_a_download(small, tmp_path):
    state, _, folder = small
    assert get(NAME, folder, url=(tmp_path / "made.rda").as_uri()).is_file()
    assert state.asked == 0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sha256": "0" * 64}, "by its SHA-256.*allowed: '?0{64}.*Next: hustings data get michigan-2006"),
        ({"bytes": 10}, "by its size in bytes.*received 'more'; allowed: 10"),
        ({"bytes": 10**9}, "by its size in bytes.*allowed: 1,000,000,000"),
    ],
)
def test_another_file_is_refused_and_removed(small, monkeypatch, changes, message):
    state, address, folder = small
    _register(monkeypatch, state.content, **changes)
    with pytest.raises(SourceError, match=message):
        get(NAME, folder, url=address)
    assert _files(folder) == []


def test_a_connection_cut_in_the_middle_leaves_nothing(small):
    _, address, folder = small
    with pytest.raises(SourceError, match=r"cut short|cannot be downloaded"):
        get(NAME, folder, url=f"{address}/cut")
    assert _files(folder) == []
    assert get(NAME, folder, url=address).is_file()


def test_an_address_without_the_file_is_reported_with_the_servers_answer(small):
    _, address, folder = small
    with pytest.raises(SourceError, match=r"the server says 404 Not Found.*/missing'"):
        get(NAME, folder, url=f"{address}/missing")
    assert _files(folder) == []


def test_a_refused_connection_is_reported_with_the_way_round(small):
    _, _, folder = small
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        with pytest.raises(SourceError, match=r"[Rr]efused.*--url file:///PATH"):
            get(NAME, folder, url=f"http://127.0.0.1:{port}")
    assert _files(folder) == []


def test_a_server_that_does_not_answer_is_given_up(small, monkeypatch):
    _, address, folder = small
    monkeypatch.setattr(public, "TIMEOUT", 0.2)
    with pytest.raises(SourceError, match=r"timed out.*within 0.2 seconds"):
        get(NAME, folder, url=f"{address}/silent")


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/x", "shaming.rda", "data:,x"])
def test_only_addresses_of_files_and_web_servers_are_asked(small, url):
    _, _, folder = small
    with pytest.raises(SourceError, match="allowed: https:, http:, file:"):
        get(NAME, folder, url=url)


def test_without_rdata_the_extra_is_named_and_nothing_is_fetched(small, monkeypatch):
    state, address, folder = small
    monkeypatch.setitem(sys.modules, "rdata", None)
    with pytest.raises(SourceError, match=r"pip install 'hustings\[public-data\]'"):
        get(NAME, folder, url=address)
    assert state.asked == 0
    assert not folder.exists()


def _as_served(small, monkeypatch, content: bytes) -> tuple[str, Path]:
    state, address, folder = small
    state.content = content
    _register(monkeypatch, content)
    return address, folder


def test_a_missing_column_is_named(small, monkeypatch, tmp_path):
    content = _rda(tmp_path / "x.rda", _frame().drop(columns=["age", "hh_size"]))
    address, folder = _as_served(small, monkeypatch, content)
    with pytest.raises(SourceError, match="no column age, hh_size"):
        get(NAME, folder, url=address)
    assert _files(folder) == []


def test_columns_beyond_the_declared_ones_are_left_out(small, monkeypatch, tmp_path):
    content = _rda(tmp_path / "x.rda", _frame().assign(hh_primary_04=0.5))
    address, folder = _as_served(small, monkeypatch, content)
    assert pq.read_schema(get(NAME, folder, url=address)).names == PUBLIC[NAME].schema.names


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("primary_04", ["Yes", "No"] * 30),
        ("age", [20.5] * 60),
        ("treatment", ["Self"] * 60),
        ("sex", [1] * 60),
    ],
)
def test_a_column_of_another_type_is_refused(small, monkeypatch, tmp_path, column, values):
    content = _rda(tmp_path / "x.rda", _frame().assign(**{column: values}))
    address, folder = _as_served(small, monkeypatch, content)
    with pytest.raises(SourceError, match=f"column {column}"):
        get(NAME, folder, url=address)
    assert _files(folder) == []


def test_another_object_or_no_r_file_is_refused(small, monkeypatch, tmp_path):
    address, folder = _as_served(small, monkeypatch, _rda(tmp_path / "x.rda", _frame(), "mail"))
    with pytest.raises(SourceError, match=r"received \['mail'\]; allowed: a data frame shaming"):
        get(NAME, folder, url=address)
    _as_served(small, monkeypatch, b"this is no file of R")
    with pytest.raises(SourceError, match="rdata cannot read it"):
        get(NAME, folder, url=address)
    assert _files(folder) == []


def test_a_folder_that_cannot_be_written_is_refused(small, tmp_path):
    _, address, _ = small
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(SourceError, match=r"cannot be written.*HUSTINGS_DATA"):
        get(NAME, tmp_path / "file", url=address)


def test_the_listing_says_what_is_present(small):
    _, address, folder = small
    (before,) = listing(folder)
    get(NAME, folder, url=address)
    (after,) = listing(folder)
    assert (before["present"], after["present"]) == (False, True)
    assert list(after) == ["name", "about", "licence", "source", "bytes", "present"]
    assert after["source"] == "https://github.com/PPBDS/primer.data"


def test_the_registered_file_is_pinned_to_one_commit_by_size_and_digest():
    data = PUBLIC[NAME]
    assert data.url == (
        "https://raw.githubusercontent.com/PPBDS/primer.data/"
        "4dc746b0f3584388d487ce73e6d0d3125bd5c618/data/shaming.rda"
    )
    assert data.bytes == 751_268
    assert len(bytes.fromhex(data.sha256)) == 32


def test_the_data_folder_is_named_or_beside_or_the_users_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("HUSTINGS_DATA", str(tmp_path / "named"))
    assert data_folder() == tmp_path / "named"
    monkeypatch.delenv("HUSTINGS_DATA")
    (tmp_path / "shared" / "data").mkdir(parents=True)
    (tmp_path / "project").mkdir()
    monkeypatch.chdir(tmp_path / "project")
    assert data_folder() == tmp_path / "shared" / "data"
    (tmp_path / "shared" / "data").rmdir()
    monkeypatch.setattr(
        public, "__file__", str(tmp_path / "p" / "src" / "hustings" / "sources" / "public.py")
    )
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert data_folder() == tmp_path / "cache" / "hustings"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert data_folder() == Path(os.path.expanduser("~")) / ".cache" / "hustings"


def test_the_shared_michigan_file_has_the_schema_that_is_made(small, monkeypatch, tmp_path):
    shared = data_folder() / NAME / "voters.parquet"
    if not shared.is_file():
        pytest.skip("michigan-2006/voters.parquet is not on this computer: HUSTINGS_DATA")
    file = pq.ParquetFile(shared)
    assert file.schema_arrow.equals(PUBLIC[NAME].schema, check_metadata=False)
    head = next(file.iter_batches(batch_size=500))
    content = _rda(tmp_path / "x.rda", head.to_pandas())
    address, folder = _as_served(small, monkeypatch, content)
    made = pq.read_table(get(NAME, folder, url=address))
    pd.testing.assert_frame_equal(made.to_pandas(), head.to_pandas())
