"""`hustings data`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hustings.cli.options import AsJson

app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="List and fetch the public data of the examples."
)


@app.command("list")
def list_data(json: AsJson = False) -> None:
    """List the public data that there are, and which of them are here.

    Example: hustings data list
    """
    from hustings.cli.printing import print_json, print_rows
    from hustings.sources.public import data_folder, listing

    folder = data_folder()
    found = listing(folder)
    if json:
        print_json(found)
        return
    names = ("name", "present", "bytes", "licence", "about")
    print_rows(names, [[item[name] for name in names] for item in found])
    typer.echo(f"(in {folder}; HUSTINGS_DATA names another folder)")


@app.command("get")
def get_data(
    name: Annotated[str, typer.Argument(metavar="NAME", help="As `hustings data list` names it.")],
    to: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Where; else the folder that HUSTINGS_DATA names.")
    ] = None,
    url: Annotated[
        str | None, typer.Option(metavar="URL", help="Another address of the same file; it is verified too.")
    ] = None,
) -> None:
    """Fetch public data, verify them, and put them where campaign.toml looks for them.

    Example: hustings data get michigan-2006
    """
    from hustings.sources.public import data_folder, get

    typer.echo(f"Ready: {get(name, to or data_folder(), url=url)}")
