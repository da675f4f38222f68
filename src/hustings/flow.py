"""A run: compute what is stale, each node in one transaction, and publish the whole.

`order` says which nodes there are and in which order; a node is stale when its fingerprint (inputs, settings,
code) differs from the one it was last computed with.
"""

from __future__ import annotations

import datetime
import json
import re
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from hustings.campaign import Campaign
from hustings.errors import FlowError, HustingsError, StageError
from hustings.fingerprint import code_digest, digest
from hustings.memory import peak_megabytes, reset_peak
from hustings.order import Node, fingerprint, plan
from hustings.stage import Stage, setting
from hustings.warehouse.connect import Lake, exists, open_lake
from hustings.warehouse.landing import land
from hustings.warehouse.lock import locked
from hustings.warehouse.runs import (
    FORGOTTEN,
    PUBLISHED,
    Published,
    expire,
    fingerprints,
    has_runs,
    last_snapshot,
    mark,
    new_run_id,
    published,
    record,
)
from hustings.warehouse.store import create_tables, forget, hold, read, release, write

__all__ = ["Observer", "Report", "plan", "run", "tidy"]


class Observer(Protocol):
    """Who is told how a run goes."""

    def begin(self, run_id: str, stale: Sequence[str], fresh: int) -> None:
        """A run starts: the nodes to be computed, and how many need not be."""

    def start(self, node: str) -> None:
        """A node starts."""

    def finish(self, node: str, rows: Mapping[str, int], seconds: float) -> None:
        """A node is committed."""


@dataclass(frozen=True)
class Report:
    """What a run did.

    Attributes:
        run_id: The run, or the published one that is still right.
        computed: Nodes computed, with the rows that each wrote by table.
        fresh: Nodes that were not stale.
        seconds: Wall time.
    """

    run_id: str
    computed: Mapping[str, Mapping[str, int]]
    fresh: tuple[str, ...]
    seconds: float


class _Nobody:
    """An observer that does not care."""

    def begin(self, *_: Any, **__: Any) -> None:
        """Nothing."""

    start = finish = begin


def _fingerprints(campaign: Campaign, nodes: Sequence[Node]) -> dict[str, str]:
    found: dict[str, str] = {}
    for node in nodes:
        found[node.name] = fingerprint(campaign, node, found)
    return found


def run(
    campaign: Campaign,
    *tables: str,
    stages: Sequence[Stage] | None = None,
    observer: Observer | None = None,
) -> Report:
    """Compute what is stale, and publish.

    Each node's tables are committed in one transaction together with its row in `runs`: a run that stops
    half-way leaves whole tables, and the next one goes on from there. Readers see it once it is whole.

    Args:
        campaign: The campaign.
        tables: What is wanted; everything when nothing is named.
        stages: Other stages than those of the playbook.
        observer: Told how it goes.

    Returns:
        What was computed, and what was not stale.

    Raises:
        LockError: Another run is at work.
        StageError: A stage failed; its tables are as they were before.
    """
    began = time.monotonic()
    nodes = plan(campaign, *tables, stages=stages)
    marks = _fingerprints(campaign, nodes)
    everything = nodes if not tables else plan(campaign, stages=stages)
    unchanged = _unchanged(campaign.store, marks, {node.name for node in everything})
    if unchanged is not None:
        return Report(unchanged.run_id, {}, tuple(marks), time.monotonic() - began)
    with locked(campaign.store):
        lake = open_lake(campaign.store, write=True)
        try:
            return _run(
                lake, campaign, nodes, {node.name for node in everything}, marks, observer or _Nobody(), began
            )
        finally:
            lake.close()


def _unchanged(store: Path, marks: Mapping[str, str], every: set[str]) -> Published | None:
    """The newest published run, if nothing that is wanted has changed since; without taking the lock."""
    if not exists(store):
        return None
    lake = open_lake(store)
    try:
        if not has_runs(lake):
            return None
        runs, last = published(lake), fingerprints(lake)
        if not runs or set(last) - every or any(last.get(name) != mark for name, mark in marks.items()):
            return None
        # A run that stopped half-way has committed nodes that were never published.
        since = lake.rows("SELECT count(*) FROM lake.runs WHERE finished_at > ?", runs[-1].at)[0][0]
        return None if since else runs[-1]
    finally:
        lake.close()


def _run(
    lake: Lake,
    campaign: Campaign,
    nodes: Sequence[Node],
    every: set[str],
    marks: Mapping[str, str],
    observer: Observer,
    began: float,
) -> Report:
    with lake.transaction():
        create_tables(lake)
    run_id = new_run_id()
    last = fingerprints(lake)
    stale = [node for node in nodes if last.get(node.name) != marks[node.name]]
    observer.begin(run_id, [node.name for node in stale], len(nodes) - len(stale))
    for name in sorted(set(last) - every):
        with lake.transaction():
            forget(lake, name, run_id)
            mark(lake, run_id, name, FORGOTTEN, _version())
    computed: dict[str, Mapping[str, int]] = {}
    for node in stale:
        observer.start(node.name)
        started = time.monotonic()
        computed[node.name] = _compute(lake, campaign, node, marks, run_id)
        observer.finish(node.name, computed[node.name], time.monotonic() - started)
    with lake.transaction():
        total = digest(*(marks[name] for name in sorted(marks)))
        mark(lake, run_id, PUBLISHED, total, _version(), inputs=marks, snapshot=last_snapshot(lake))
    fresh = tuple(node.name for node in nodes if node not in stale)
    return Report(run_id, computed, fresh, time.monotonic() - began)


def _compute(
    lake: Lake, campaign: Campaign, node: Node, marks: Mapping[str, str], run_id: str
) -> Mapping[str, int]:
    stage = node.stage
    started_at, started = datetime.datetime.now(datetime.UTC), time.monotonic()
    reset_peak()
    try:
        with lake.transaction():
            given = [None if table in node.absent else read(lake, table) for table, _ in stage.reads]
            result = stage.function(*given, **arguments(campaign, node, lake, run_id))
            tables = result if len(stage.writes) > 1 else {stage.writes[0]: result}
            if set(tables) != set(stage.writes):
                raise FlowError.of(
                    f"{stage.path} returned other tables", received=sorted(tables), allowed=stage.writes
                )
            rows = {name: write(lake, name, tables[name], node.name) for name in stage.writes}
            release(lake)
            record(
                lake,
                {
                    "run_id": run_id,
                    "node": node.name,
                    "stage": stage.path,
                    "fingerprint": marks[node.name],
                    "inputs": json.dumps({name: marks[name] for name in node.needs}),
                    "settings": json.dumps(setting(dict(node.settings))),
                    "code": f"{_version()} {code_digest(stage.function.__module__)}",
                    "rows": json.dumps(rows),
                    "seconds": time.monotonic() - started,
                    "peak_megabytes": peak_megabytes(),
                    "started_at": started_at.replace(tzinfo=None),
                    "finished_at": datetime.datetime.now(datetime.UTC).replace(tzinfo=None),
                },
            )
    except HustingsError as error:
        error.add_note(f"while computing {node.name}; every table is as it was before this stage")
        raise
    except Exception as error:
        raise StageError.of(
            f"{node.name} failed ({type(error).__name__}: {_first_line(error)}); its tables are as they were",
            then="hustings run, which goes on from there",
        ) from error
    return rows


def arguments(campaign: Campaign, node: Node, lake: Lake, run_id: str) -> dict[str, Any]:
    """What a stage is called with: its settings, and whatever else its signature asks for."""
    import numpy as np

    given = dict(node.settings)
    names = {parameter.name for parameter in node.stage.parameters()}
    if "rng" in names:
        seed = int(digest(str(campaign.seed), node.name), 16)
        given["rng"] = np.random.default_rng(seed)
    injected = {
        "land": partial(land, lake),
        "hold": partial(hold, lake),
        "load_id": run_id,
        "folder": campaign.folder,
    }
    given |= {name: value for name, value in injected.items() if name in names}
    return given


def tidy(campaign: Campaign) -> tuple[int, int]:
    """Let go of the snapshots that no run published within `retention_days`, nor the newest, needs.

    Returns:
        How many snapshots were let go, and how many files deleted.
    """
    open_lake(campaign.store).close()
    now = datetime.datetime.now(datetime.UTC).replace(tzinfo=None)
    with locked(campaign.store), closing(open_lake(campaign.store, write=True)) as lake:
        return expire(lake, now - datetime.timedelta(days=campaign.retention_days))


def _version() -> str:
    from importlib.metadata import version

    return version("hustings")


def _first_line(error: Exception) -> str:
    """What an error says; without what stands in quotation marks where that may be a person's."""
    line = (str(error).splitlines() or [""])[0][:300]
    of_names = isinstance(error, (LookupError, AttributeError, NameError, OSError))
    return line if of_names or type(error).__module__.startswith("ibis.") else re.sub(r"'[^']*'", "'…'", line)
