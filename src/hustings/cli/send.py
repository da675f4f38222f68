"""`hustings send`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hustings.cli.export import tell
from hustings.cli.options import Folder


def send(
    cut: Annotated[str, typer.Argument(metavar="CUT", help="A cut_id of the table cuts.")],
    folder: Folder = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Where; beside the earlier file unless given.")
    ] = None,
    van_source: Annotated[
        str, typer.Option(metavar="SOURCE", help="For van: the source whose record ids are VANIDs.")
    ] = "van",
) -> None:
    """Write an earlier cut again, on the day it goes out, less whoever has opted out or voted since.

    Example: hustings send 20261020-081500-3f2a1c
    """
    from hustings.campaign import read_campaign
    from hustings.exports import lists

    found = lists.send(read_campaign(folder or Path()), cut, out=out, van_source=van_source)
    tell(found._replace(cut_id=""))
