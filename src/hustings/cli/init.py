"""`hustings init`."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Annotated

import typer

from hustings.cli.options import Folder


def init(
    directory: Annotated[
        Path | None,
        typer.Argument(metavar="[DIR]", help="Its folder; the current one unless given.", show_default=False),
    ] = None,
    name: Annotated[
        str, typer.Option(metavar="TEXT", help="The campaign's name; the folder's unless given.")
    ] = "",
    election_day: Annotated[
        datetime.datetime | None,
        typer.Option(
            formats=["%Y-%m-%d"], metavar="DAY", help="The day that decides; next November's unless given."
        ),
    ] = None,
    folder: Folder = None,
) -> None:
    """Write a commented campaign.toml to start from.

    Nothing is asked, and nothing is written over.

    Example: hustings init ann --name "Ann for mayor" --election-day 2026-11-03
    """
    from hustings.start import start_campaign

    where = directory or folder or Path()
    path = start_campaign(where, name=name, election_day=election_day.date() if election_day else None)
    typer.echo(f"Written: {path}. Next: name your files in it, then hustings check -C {where}")
