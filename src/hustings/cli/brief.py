"""`hustings brief`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hustings.cli.options import AsOf, Folder


def brief(
    folder: Folder = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Where; else briefing.html in the campaign's folder.")
    ] = None,
    as_of: AsOf = None,
    open_it: Annotated[bool, typer.Option("--open", help="Open it in the browser.")] = False,
) -> None:
    """Write the morning's briefing, one page that needs no network.

    Example: hustings brief --open
    """
    from hustings.briefing.publish import write_page
    from hustings.campaign import read_campaign

    path = write_page(read_campaign(folder or Path()), out=out, as_of=as_of).resolve()
    typer.echo(f"The briefing: {path}")
    if open_it:
        import webbrowser

        webbrowser.open(path.as_uri())
