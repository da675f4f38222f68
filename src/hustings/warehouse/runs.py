"""The memory of runs: what was computed, from what, by which code; and what readers may see."""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from hustings.errors import TableError, WarehouseError
from hustings.tables import spec
from hustings.warehouse.connect import LAKE, Lake, exists, open_lake
from hustings.warehouse.store import TYPES

PUBLISHED = "published"
FORGOTTEN = "forgotten"
"""The fingerprint of a node whose section has left campaign.toml."""


class Published(NamedTuple):
    """A whole run that readers may see.

    Attributes:
        run_id: The run.
        snapshot: The lake's snapshot at its end.
        at: When it was published (UTC).
    """

    run_id: str
    snapshot: int
    at: datetime.datetime


def new_run_id() -> str:
    """An id that sorts by time.

    >>> len(new_run_id())
    22
    """
    import secrets

    now = datetime.datetime.now(datetime.UTC)
    return f"{now:%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"


def has_runs(lake: Lake) -> bool:
    """Whether anything was ever run; asked of the catalog itself, which is far faster than DuckDB's list."""
    return bool(
        lake.rows(
            f"SELECT 1 FROM __ducklake_metadata_{LAKE}.ducklake_table "
            "WHERE table_name = 'runs' AND end_snapshot IS NULL"
        )
    )


def fingerprints(lake: Lake) -> dict[str, str]:
    """The fingerprint with which each node was last computed; none of nodes that were forgotten since."""
    return {
        node: fingerprint
        for node, fingerprint in lake.rows(
            f"SELECT node, max_by(fingerprint, (finished_at, run_id)) FROM {LAKE}.runs WHERE node <> ? GROUP BY node",
            PUBLISHED,
        )
        if fingerprint != FORGOTTEN
    }


def record(lake: Lake, row: dict[str, Any]) -> None:
    """Add one row to `runs` within the caller's transaction, and sign the commit with the run's id.

    Args:
        lake: A lake open for writing.
        row: Every column of `runs`.
    """
    table = spec("runs")
    names = ", ".join(f'"{name}"' for name in table.names)
    marks = ", ".join(f"CAST(? AS {TYPES[column.type]})" for column in table.columns)
    values = [row.get(name) for name in table.names]
    lake.raw.execute(f"INSERT INTO {LAKE}.runs ({names}, _node) SELECT {marks}, 'runs'", values)
    extra = json.dumps({"node": row["node"], "fingerprint": row["fingerprint"]})
    lake.raw.execute(
        f"CALL {LAKE}.set_commit_message('hustings', ?, extra_info => ?)", [row["run_id"], extra]
    )


def mark(
    lake: Lake,
    run_id: str,
    node: str,
    fingerprint: str,
    code: str,
    *,
    inputs: Mapping[str, str] = MappingProxyType({}),
    snapshot: int | None = None,
) -> None:
    """Add a row to `runs` that stands for a moment, not for work: a publication, or a node forgotten.

    Args:
        lake: A lake open for writing, in a transaction.
        run_id: The run.
        node: `PUBLISHED`, or the node that is gone.
        fingerprint: Of the whole run, or `FORGOTTEN`.
        code: The package's version.
        inputs: The fingerprint of every node of the run.
        snapshot: Of a publication: what readers attach to.
    """
    now = datetime.datetime.now(datetime.UTC).replace(tzinfo=None)
    row = {
        "run_id": run_id,
        "node": node,
        "stage": "hustings.flow:run",
        "fingerprint": fingerprint,
        "inputs": json.dumps(dict(inputs)),
        "settings": "{}",
        "code": code,
        "rows": "{}",
        "started_at": now,
        "finished_at": now,
        "snapshot": snapshot,
    }
    record(lake, row)


def last_snapshot(lake: Lake) -> int:
    """The number of the newest committed snapshot."""
    return int(lake.rows(f"SELECT max(snapshot_id) FROM ducklake_snapshots('{LAKE}')")[0][0])


def published(lake: Lake) -> list[Published]:
    """All published runs whose snapshot is still kept, oldest first."""
    return [
        Published(*row)
        for row in lake.rows(
            f"SELECT run_id, snapshot, finished_at FROM {LAKE}.runs WHERE node = ? AND snapshot IN "
            f"(SELECT snapshot_id FROM ducklake_snapshots('{LAKE}')) ORDER BY finished_at",
            PUBLISHED,
        )
    ]


def open_published(store: Path, as_of: str | None = None) -> tuple[Lake, Published]:
    """The warehouse as of a published run.

    Args:
        store: The warehouse's folder.
        as_of: A run's id, or an unmistakable beginning of one; the newest when None.

    Returns:
        A lake pinned to that run's snapshot, and the run.

    Raises:
        WarehouseError: Nothing has been published.
        TableError: No kept run has that id.
    """
    if not exists(store):
        raise WarehouseError.of(
            "This campaign has no warehouse yet", received=str(store), then="hustings run"
        )
    with closing(open_lake(store)) as latest:
        runs = published(latest) if has_runs(latest) else []
    if not runs:
        raise WarehouseError.of("No run has been published yet", received=str(store), then="hustings run")
    found = runs if as_of is None else [run for run in runs if run.run_id.startswith(as_of)]
    if as_of is not None and len(found) != 1:
        raise TableError.of(
            "No such run" if not found else "Several runs begin so",
            received=as_of,
            allowed=[run.run_id for run in runs[-10:]],
            then="hustings show runs",
        )
    return open_lake(store, snapshot=found[-1].snapshot), found[-1]


def expire(lake: Lake, older_than: datetime.datetime) -> tuple[int, int]:
    """Let go of what only old snapshots need.

    Keeps the newest snapshot, the newest published one, and every published one that is not older.

    Args:
        lake: A lake open for writing.
        older_than: UTC.

    Returns:
        How many snapshots were let go, and how many files deleted.
    """
    runs = published(lake)
    keep = {last_snapshot(lake)} | {run.snapshot for run in runs if run.at >= older_than}
    if runs:
        keep.add(runs[-1].snapshot)
    every = [row[0] for row in lake.rows(f"SELECT snapshot_id FROM ducklake_snapshots('{LAKE}')")]
    drop = [number for number in every if number not in keep]
    if drop:
        listed = ", ".join(map(str, drop))
        lake.raw.execute(f"CALL ducklake_expire_snapshots('{LAKE}', versions => [{listed}])")
    files = lake.rows(f"CALL ducklake_cleanup_old_files('{LAKE}', cleanup_all => true)")
    orphans = lake.rows(f"CALL ducklake_delete_orphaned_files('{LAKE}', cleanup_all => true)")
    return len(drop), len(files) + len(orphans)
