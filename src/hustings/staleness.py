"""What a run would compute, and why: each node's present fingerprint against the one it has."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from hustings.campaign import Campaign
from hustings.fingerprint import code_digest
from hustings.order import Node, fingerprint, plan
from hustings.stage import Stage, setting
from hustings.warehouse.history import Computed, last_computed


class State(NamedTuple):
    """Whether one node is stale.

    Attributes:
        node: Its name.
        stale: Whether `hustings run` would compute it.
        why: The reason, without a full stop; of a node that is not stale, which run computed it.
        writes: The tables that it makes.
    """

    node: str
    stale: bool
    why: str
    writes: tuple[str, ...] = ()

    def makes(self, table: str) -> bool:
        """Whether it writes this table.

        >>> State("lifts.mailers", True, "", ("lifts",)).makes("lifts")
        True
        """
        return table in self.writes


def states(campaign: Campaign, *tables: str, stages: Sequence[Stage] | None = None) -> list[State]:
    """The state of every node that is needed for the named tables, in the order of the work.

    Args:
        campaign: The campaign; nothing of it is written.
        tables: Names of tables or nodes; everything when nothing is named.
        stages: Other stages than those of the playbook.

    Returns:
        The states.

    Raises:
        HustingsError: As `flow.plan`.
    """
    marks: dict[str, str] = {}
    last = last_computed(campaign.store)
    found = []
    for node in plan(campaign, *tables, stages=stages):
        marks[node.name] = fingerprint(campaign, node, marks)
        before = last.get(node.name)
        stale = before is None or before.fingerprint != marks[node.name]
        if before is None:
            why = "it has never been computed"
        elif stale:
            why = _reason(node, before, marks)
        else:
            why = f"computed by run {before.run_id}"
        found.append(State(node.name, stale, why, node.stage.writes))
    return found


def _reason(node: Node, before: Computed, marks: Mapping[str, str]) -> str:
    now = setting(dict(node.settings))
    then = dict(before.settings)
    # What has no JSON form was recorded as text, so it is compared as text.
    now = json.loads(json.dumps(now))
    settings = sorted(key for key in {*now, *then} if now.get(key) != then.get(key))
    inputs = [name for name in node.needs if before.inputs.get(name) != marks[name]]
    gone = sorted(set(before.inputs) - set(node.needs))
    reasons = []
    if settings:
        reasons.append(f"its settings changed ({', '.join(settings)})")
    if inputs or gone:
        reasons.append(f"what it reads changed ({', '.join(inputs + gone)})")
    if before.code.rpartition(" ")[2] != code_digest(node.stage.function.__module__):
        reasons.append("its code changed")
    if not reasons:
        reasons.append("its file changed" if node.stage.watch else "its table is declared otherwise")
    return "; ".join(reasons)
