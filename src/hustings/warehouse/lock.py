"""One run at a time: a lock that names its holder and dies with it."""

from __future__ import annotations

import datetime
import getpass
import json
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hustings.errors import LockError, WarehouseError


@contextmanager
def locked(store: Path) -> Iterator[None]:
    """Hold the campaign's lock.

    The operating system lets go of it when the process ends, however it ends.

    Args:
        store: The warehouse's folder; made when it is not there.

    Raises:
        LockError: Another process holds it; the message says which, whose, and since when.
        WarehouseError: The folder cannot be written.
    """
    from filelock import FileLock, Timeout

    holder = store / "lock.json"
    try:
        store.mkdir(mode=0o700, exist_ok=True)
        lock = FileLock(store / "lock", timeout=0, mode=0o600)
        lock.acquire()
    except Timeout:
        raise LockError.of(
            "Another run is at work", received=_holder(holder), then="wait for it, or end that process"
        ) from None
    except OSError as error:
        raise WarehouseError.of(
            f"The campaign's folder cannot be written ({error.strerror})",
            received=str(store),
            then="check its permissions and free space",
        ) from None
    try:
        _sign(holder)
        yield
    finally:
        holder.unlink(missing_ok=True)
        lock.release()


def _sign(holder: Path) -> None:
    try:
        who = getpass.getuser()
    except (KeyError, OSError):
        who = f"user {os.getuid()}"
    record = {
        "process": os.getpid(),
        "user": who,
        "host": socket.gethostname(),
        "since": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "command": " ".join([Path(sys.argv[0]).name, *sys.argv[1:]]),
    }
    try:
        holder.write_text(json.dumps(record), encoding="utf-8")
    except OSError as error:
        raise WarehouseError.of(
            f"The campaign's folder cannot be written ({error.strerror})",
            received=str(holder.parent),
            then="free some disk space",
        ) from None


def _holder(holder: Path) -> str:
    try:
        found = json.loads(holder.read_text(encoding="utf-8"))
        return "process {process} of {user} on {host}, since {since}: {command}".format(**found)
    except (OSError, ValueError, KeyError):
        return "a process that has not signed yet"
