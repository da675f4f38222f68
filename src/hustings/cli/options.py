"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def _folder(context: typer.Context, parameter: typer.CallbackParam, given: Path | None) -> Path:
    """The folder named after the command, or before it, or the current one."""
    if given is not None or context.parent is None:
        return given or Path()
    outer: Path = context.find_root().params[parameter.name or ""]
    return outer


Folder = Annotated[
    Path | None,
    typer.Option(
        "-C",
        "--campaign",
        metavar="DIR",
        callback=_folder,
        help="Folder of the campaign; the current one unless given. Works before and after the command.",
        show_default=False,
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
AsOf = Annotated[
    str | None,
    typer.Option("--as-of", metavar="RUN", help="A published run, or how its id begins."),
]
