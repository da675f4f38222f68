"""`hustings settings`."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path
from typing import Annotated

import typer

from hustings.cli.options import AsJson


def settings(
    schema: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write a JSON Schema for editors to this file.")
    ] = None,
    playbook: Annotated[str, typer.Option(metavar="NAME", help="Whose settings.")] = "election",
    json: AsJson = False,
) -> None:
    """List every setting of campaign.toml, or write its schema for an editor.

    Put `#:schema ./campaign.schema.json` on the first line of campaign.toml, and Even Better TOML or taplo
    completes, explains and checks it.

    Example: hustings settings --schema campaign.schema.json
    """
    from hustings.cli.printing import print_glossary, print_json
    from hustings.settings import settings as all_settings
    from hustings.settings import stages_of

    stages = stages_of(playbook)
    if schema is not None:
        from hustings.editor import write_schema

        typer.echo(f"Written: {write_schema(stages, schema)}")
        return
    found = all_settings(stages)
    if json:
        print_json([item._asdict() for item in found])
        return
    for section, items in groupby(found, key=lambda item: item.section):
        typer.echo(f"[{section}]")
        print_glossary(
            ("key", "type", "default", "range", "meaning"),
            [(i.key, i.type, "(required)" if i.required else i.default, i.range, i.about) for i in items],
        )
        typer.echo("")
