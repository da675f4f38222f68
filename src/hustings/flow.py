"""The order of the work, and what of it is stale.

A node is one stage for one declared instance: `lifts.mailers`, `people`. `plan` gives the nodes in order;
`run` computes those whose fingerprint (inputs, settings, code) differs from the one they were last computed
with, each in one transaction, and publishes the whole. A kept table is memory: reading it orders nothing.
"""

from __future__ import annotations

import datetime
import graphlib
import json
import re
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

from hustings import playbooks
from hustings.campaign import FILE, Campaign
from hustings.errors import FlowError, HustingsError, StageError
from hustings.fingerprint import code_digest, digest
from hustings.instances import Instance, instances
from hustings.memory import peak_megabytes, reset_peak
from hustings.stage import Stage, describe, setting
from hustings.tables import TABLES, spec
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


@dataclass(frozen=True)
class Node:
    """One piece of work.

    Attributes:
        name: `lifts.mailers`, or `people`.
        stage: What to call.
        settings: With what.
        needs: The nodes whose tables it reads.
        absent: Tables that it would read, but that no stage of this playbook makes.
    """

    name: str
    stage: Stage
    settings: Mapping[str, Any]
    needs: tuple[str, ...] = ()
    absent: frozenset[str] = frozenset()


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


def load_stages(campaign: Campaign) -> tuple[Stage, ...]:
    """The stages of the campaign's playbook."""
    found = []
    for path in playbooks.stages(campaign.playbook):
        module, _, function = path.partition(":")
        found.append(describe(getattr(import_module(module), function)))
    return tuple(found)


def plan(campaign: Campaign, *tables: str, stages: Sequence[Stage] | None = None) -> tuple[Node, ...]:
    """The nodes that make the named tables, in an order in which they can be made.

    Args:
        campaign: The campaign.
        tables: Names of tables (`lifts`) or nodes (`lifts.mailers`); all when none is named.
        stages: Other stages than those of the playbook.

    Returns:
        The nodes, each after all that it needs.

    Raises:
        TableError: A table is not declared.
        SettingError: A section or a setting of campaign.toml is unknown or wrong.
        FlowError: Nobody makes a table that is needed, or the stages go in a circle.
    """
    nodes = _nodes(campaign, load_stages(campaign) if stages is None else stages)
    wanted = _wanted(nodes, tables)
    graph = {name: nodes[name].needs for name in _reachable(nodes, wanted)}
    try:
        order = list(graphlib.TopologicalSorter(graph).static_order())
    except graphlib.CycleError as error:
        raise FlowError.of(
            "The stages go in a circle",
            received=" → ".join(reversed(error.args[1])),
            then="let one of them read an earlier table",
        ) from None
    return tuple(nodes[name] for name in order)


def _nodes(campaign: Campaign, stages: Sequence[Stage]) -> dict[str, Node]:
    found: dict[str, tuple[Instance, Stage]] = {}
    makers: dict[str, list[str]] = {}
    _check_makers(stages)
    for instance in instances(campaign, stages):
        found[instance.name] = instance, instance.stage
        for table in instance.stage.writes:
            makers.setdefault(table, []).append(instance.name)
    made = {table for stage in stages for table in stage.writes}
    return {
        name: Node(
            name,
            stage,
            instance.settings,
            _needs(stage, makers, made),
            frozenset(table for table, _ in stage.reads if table not in made),
        )
        for name, (instance, stage) in found.items()
    }


def _check_makers(stages: Sequence[Stage]) -> None:
    maker: dict[str, Stage] = {}
    for stage in stages:
        for table in stage.writes:
            other = maker.setdefault(table, stage)
            # Declared instances of two stages write parts of one table (`models`): each replaces its own.
            if other is not stage and not (other.each and stage.each and other.writes[0] != stage.writes[0]):
                raise FlowError.of(
                    f"Two stages make {table}",
                    received=f"{other.path} and {stage.path}",
                    allowed="one stage for each table, or parts by declared instances",
                    then="take one of them out of the playbook",
                )


def _needs(stage: Stage, makers: Mapping[str, list[str]], made: set[str]) -> tuple[str, ...]:
    needs: list[str] = []
    for table, optional in stage.reads:
        if spec(table).kind == "kept":
            continue
        if table not in made and not optional:
            raise FlowError.of(
                f"{stage.path} reads {table}, which no stage makes",
                allowed=sorted(made),
                then="add a stage that makes it to the playbook",
            )
        needs.extend(name for name in makers.get(table, ()) if name not in needs)
    return tuple(needs)


def _wanted(nodes: Mapping[str, Node], tables: Iterable[str]) -> list[str]:
    wanted: list[str] = []
    for name in tables:
        if name in nodes:
            wanted.append(name)
            continue
        makers = [node for node, found in nodes.items() if name in found.stage.writes]
        if not makers:
            spec(name.split(".")[0])
            raise FlowError.unknown("Nothing in this campaign makes", name, nodes, f"a section in {FILE}")
        wanted.extend(makers)
    return wanted or list(nodes)


def _reachable(nodes: Mapping[str, Node], wanted: Iterable[str]) -> list[str]:
    seen: dict[str, None] = {}
    waiting = list(wanted)
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen[name] = None
            waiting.extend(nodes[name].needs)
    return [name for name in nodes if name in seen]


def fingerprint(campaign: Campaign, node: Node, inputs: Mapping[str, str]) -> str:
    """What decides whether a node is stale: its inputs' fingerprints, its settings, its code, what it watches."""
    stage = node.stage
    declared = repr([TABLES[name] for name in stage.writes])
    watched = stage.watch(campaign.folder, node.settings) if stage.watch else ""
    settings = json.dumps(setting(dict(node.settings)), sort_keys=True)
    names = {parameter.name for parameter in stage.parameters()}
    return digest(
        stage.path,
        code_digest(stage.function.__module__),
        code_digest("hustings.warehouse.landing") if "land" in names else "",
        str(campaign.seed) if "rng" in names else "",
        declared,
        settings,
        watched,
        json.dumps({name: inputs[name] for name in node.needs}, sort_keys=True),
    )


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
            return _run(lake, campaign, nodes, {node.name for node in everything}, marks, observer or _Nobody(), began)
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
                raise FlowError.of(f"{stage.path} returned other tables", received=sorted(tables), allowed=stage.writes)
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
    injected = {"land": partial(land, lake), "hold": partial(hold, lake), "load_id": run_id, "folder": campaign.folder}
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
