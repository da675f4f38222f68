"""`hustings explain`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hustings.cli.options import Folder

if TYPE_CHECKING:
    from hustings.explain import Explained


def explain(
    table: Annotated[
        str | None, typer.Argument(metavar="[TABLE]", help="A table, or a part of one.", show_default=False)
    ] = None,
    folder: Folder = None,
) -> None:
    """Say what a table holds, what makes it, and why it is stale; without TABLE list them all.

    Example: hustings explain lifts
    """
    if table is None:
        _print_tables()
        return
    from hustings.explain import explain as explained
    from hustings.settings import stages_of

    _print_table(explained(table, stages_of()))
    _print_states(folder or Path(), table)


def _print_tables() -> None:
    from hustings.cli.printing import print_glossary
    from hustings.tables import TABLES

    print_glossary(("table", "kind", "one row is"), [(t.name, t.kind, t.about) for t in TABLES.values()])


def _print_table(found: Explained) -> None:
    from hustings.cli.printing import print_glossary

    spec = found.spec
    typer.echo(f"{spec.name}: one row is {spec.about}.")
    typer.echo(f"Kind: {spec.kind}. Key: {', '.join(spec.key)}.")
    typer.echo(f"Made by: {', '.join(found.made_by) or 'no stage'}.")
    reads = [f"{name} (if there is any)" if optional else name for name, optional in found.reads]
    typer.echo(f"Reads: {', '.join(reads) or 'files only' if found.made_by else 'nothing'}.")
    typer.echo(f"Read by: {', '.join(found.read_by) or 'no stage'}.\n")
    print_glossary(
        ("column", "type", "unit", "privacy", "meaning"),
        [(c.name, c.type, c.unit or "", c.privacy, c.about) for c in spec.columns],
    )
    if found.settings:
        typer.echo("")
        print_glossary(
            ("setting", "type", "default", "range", "meaning"),
            [
                (
                    f"[{s.section}] {s.key}",
                    s.type,
                    "(required)" if s.required else s.default,
                    s.range,
                    s.about,
                )
                for s in found.settings
            ],
        )


def _print_states(folder: Path, table: str) -> None:
    from hustings.campaign import FILE, read_campaign
    from hustings.errors import FlowError
    from hustings.staleness import states

    if not (folder / FILE).is_file():
        return
    name, _, part = table.partition(".")
    typer.echo("")
    try:
        found = states(read_campaign(folder), table)
    except FlowError:
        typer.echo("Nothing in this campaign makes it.")
        return
    makers = [state for state in found if state.makes(name) and (not part or state.node.endswith(f".{part}"))]
    for state in makers:
        typer.echo(f"{state.node} is {'stale' if state.stale else 'up to date'}: {state.why}.")
