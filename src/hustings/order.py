"""Which work there is, in which order, and what decides whether it is stale.

A node is one stage for one declared instance: `lifts.mailers`, `people`. A kept table is memory: reading it
orders nothing.
"""

from __future__ import annotations

import graphlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from hustings import playbooks
from hustings.campaign import FILE, Campaign
from hustings.errors import FlowError
from hustings.fingerprint import code_digest, digest
from hustings.instances import Instance, instances
from hustings.stage import Stage, describe, setting
from hustings.tables import TABLES, spec


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
            frozenset(table for table, _ in stage.reads if table not in made and spec(table).kind != "kept"),
        )
        for name, (instance, stage) in found.items()
    }


def _check_makers(stages: Sequence[Stage]) -> None:
    maker: dict[str, Stage] = {}
    for stage in stages:
        for table in stage.writes:
            other = maker.setdefault(table, stage)
            # Two stages write parts of one table (`models`, `offers`), and each node replaces its own rows: never
            # of the table that one of them is named after.
            if other is not stage and table in (stage.writes[0], other.writes[0]):
                raise FlowError.of(
                    f"Two stages make {table}",
                    received=f"{other.path} and {stage.path}",
                    allowed="one stage for the table it is named after; parts of another",
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
