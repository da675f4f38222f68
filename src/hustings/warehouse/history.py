"""What was computed last, and what the sources brought."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from hustings.warehouse.connect import LAKE, exists, open_lake
from hustings.warehouse.runs import PUBLISHED


class Computed(NamedTuple):
    """How one node was last computed.

    Attributes:
        run_id: By which run.
        fingerprint: With which fingerprint.
        inputs: The fingerprints of the nodes that it read.
        settings: With which settings.
        code: The package's version, and a digest of the stage's code.
    """

    run_id: str
    fingerprint: str
    inputs: Mapping[str, str]
    settings: Mapping[str, Any]
    code: str


class Load(NamedTuple):
    """One reading of one source: n_read = n_kept + n_rejected."""

    source: str
    n_read: int
    n_kept: int
    n_rejected: int


def last_computed(store: Path) -> dict[str, Computed]:
    """How each node was last computed, published or not; nothing where there is no warehouse yet."""
    if not exists(store):
        return {}
    lake = open_lake(store)
    try:
        if not lake.rows(
            "SELECT 1 FROM duckdb_tables() WHERE database_name = ? AND table_name = 'runs'", LAKE
        ):
            return {}
        return {
            node: Computed(run_id, fingerprint, json.loads(inputs), json.loads(settings), code)
            for node, run_id, fingerprint, inputs, settings, code in lake.rows(
                f"SELECT node, run_id, fingerprint, inputs, settings, code FROM {LAKE}.runs WHERE node <> ? "
                "QUALIFY row_number() OVER (PARTITION BY node ORDER BY finished_at DESC) = 1",
                PUBLISHED,
            )
        }
    finally:
        lake.close()


def loads_of(store: Path, run_id: str) -> list[Load]:
    """What one run read from the sources, by source."""
    lake = open_lake(store)
    try:
        return [
            Load(*row)
            for row in lake.rows(
                f"SELECT source, n_read, n_kept, n_rejected FROM {LAKE}.loads "
                "WHERE load_id = ? ORDER BY source",
                run_id,
            )
        ]
    finally:
        lake.close()
