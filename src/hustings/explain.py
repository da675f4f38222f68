"""What a table is: its declaration, and the stages of a playbook that make it and read it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hustings.settings import Setting, settings
from hustings.stage import Stage
from hustings.tables import TableSpec, spec


@dataclass(frozen=True)
class Explained:
    """One table and its place in a playbook.

    Attributes:
        spec: What it is.
        made_by: The stages that make it, as `module:function`; none for memory that is written elsewhere.
        reads: The tables that those stages read, with whether they can do without.
        read_by: The stages that read it.
        settings: The settings of its stages.
    """

    spec: TableSpec
    made_by: tuple[str, ...]
    reads: tuple[tuple[str, bool], ...]
    read_by: tuple[str, ...]
    settings: tuple[Setting, ...]


def explain(table: str, stages: Sequence[Stage]) -> Explained:
    """One table, with the stages that have to do with it.

    Args:
        table: Its name, or that of a part of it, as `lifts.mailers`.
        stages: The playbook's stages.

    Returns:
        What there is to know.

    Raises:
        TableError: No table has that name.
    """
    declared = spec(table.partition(".")[0])
    makers = [stage for stage in stages if declared.name in stage.writes]
    reads = {name: optional for stage in makers for name, optional in stage.reads}
    return Explained(
        declared,
        tuple(stage.path for stage in makers),
        tuple(reads.items()),
        tuple(stage.path for stage in stages if declared.name in dict(stage.reads)),
        tuple(item for item in settings(makers) if item.section != "campaign"),
    )
