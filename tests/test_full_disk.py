"""A disk that is full, and a folder that cannot be written."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hustings.errors import HustingsError, WarehouseError
from hustings.warehouse import connect


def mount(*arguments: str) -> bool:
    if shutil.which("mount") is None or not sys.platform.startswith("linux"):
        return False
    return subprocess.run(["mount", *arguments], capture_output=True, check=False).returncode == 0


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A disk of 16 MB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if not mount("-t", "tmpfs", "-o", "size=16m", "tmpfs", str(disk)):
        pytest.skip("mounting a small disk is not allowed here")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


def remount(disk: Path, option: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{option}", str(disk)], check=True, capture_output=True)


def fill(disk: Path, leave: int) -> None:
    free = shutil.disk_usage(disk).free
    (disk / "ballast").write_bytes(b"\0" * max(0, free - leave))


@pytest.mark.parametrize("leave", [0, 8_192, 65_536, 262_144])
def test_a_full_disk_is_named_and_what_was_published_can_be_read(small, toys, leave):
    shutil.copytree(toys.folder, small, dirs_exist_ok=True, ignore=shutil.ignore_patterns("disk"))
    toys.folder = small
    toys.run()
    before = toys.rows("outcomes"), toys.sums()
    toys.numbers(*range(60_000))
    fill(small, leave)
    with pytest.raises(HustingsError, match="(?i)space|full") as caught:
        toys.run()
    assert "Next: free some disk space" in str(caught.value)
    assert (toys.rows("outcomes"), toys.sums()) == before
    remount(small, "size=64m")
    toys.run()
    assert toys.sums() == {"single": sum(range(60_000)), "double": 2.0 * sum(range(60_000))}
    assert toys.run().computed == {}


def test_a_disk_that_is_full_at_the_first_run_leaves_nothing_that_hinders_the_next(small, toys):
    shutil.copytree(toys.folder, small, dirs_exist_ok=True, ignore=shutil.ignore_patterns("disk"))
    toys.folder = small
    fill(small, 20_000)
    with pytest.raises(HustingsError, match="(?i)space|full"):
        toys.run()
    (small / "ballast").unlink()
    assert len(toys.run().computed) == 4


def test_a_folder_that_cannot_be_written_is_named_and_can_still_be_read(small, toys):
    shutil.copytree(toys.folder, small, dirs_exist_ok=True, ignore=shutil.ignore_patterns("disk"))
    toys.folder = small
    toys.run()
    toys.numbers(7)
    remount(small, "ro")
    with pytest.raises(
        WarehouseError, match=r"The campaign's folder cannot be written.*check its permissions"
    ):
        toys.run()
    assert toys.sums() == {"single": 6.0, "double": 12.0}
    remount(small, "rw")
    assert toys.run().computed


def test_a_new_folder_that_cannot_be_written_is_named(small, toys):
    shutil.copytree(toys.folder, small, dirs_exist_ok=True, ignore=shutil.ignore_patterns("disk"))
    toys.folder = small
    remount(small, "ro")
    with pytest.raises(WarehouseError, match=r"The campaign's folder cannot be written"):
        toys.run()
    remount(small, "rw")


def test_a_file_where_the_warehouse_should_be_is_named(toys):
    (toys.folder / ".hustings").write_text("")
    with pytest.raises(WarehouseError, match=r"The campaign's folder cannot be written"):
        toys.run()


def test_a_catalog_that_is_not_one_is_named(toys):
    store = toys.folder / ".hustings"
    store.mkdir()
    (store / "catalog.sqlite").write_bytes(b"not a database" * 100)
    with pytest.raises(WarehouseError, match=r"The warehouse could not be opened.*hustings run"):
        toys.run()


def test_an_extension_that_is_not_installed_is_named_with_the_command_that_installs_it(toys, monkeypatch):
    monkeypatch.setattr(connect, "EXTENSIONS", ("ducklake", "missing_one"))
    with pytest.raises(WarehouseError, match=r"pip install duckdb-extension-missing-one==1\.5"):
        toys.run()


def test_the_warehouse_is_readable_by_its_owner_only(ran_toys):
    store = ran_toys.folder / ".hustings"
    assert (store.stat().st_mode & 0o777, (store / "lake").stat().st_mode & 0o777) == (0o700, 0o700)
    assert (store / "catalog.sqlite").stat().st_mode & 0o777 == 0o600


def test_what_the_lake_holds_is_encrypted(ran_toys):
    files = list((ran_toys.folder / ".hustings/lake").rglob("*.parquet"))
    assert files
    assert all(file.read_bytes()[:4] == b"PARE" for file in files)
