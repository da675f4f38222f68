"""`hustings export`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hustings.cli.options import AsOf, Folder


def export(
    plan: Annotated[
        str,
        typer.Argument(
            metavar="PLAN", help="A plan ([contact_plan.PLAN]) or a test that was drawn ([experiments.TEST])."
        ),
    ],
    folder: Folder = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Where; in the campaign's folder lists/ unless given.")
    ] = None,
    as_of: AsOf = None,
) -> None:
    """Cut the list of a plan or of a test that was drawn: whom to contact, without those held out or opted out.

    The list holds names and addresses; every cut is recorded in the table cuts.

    Example: hustings export mail --out mail-house.csv
    """
    from hustings.campaign import read_campaign
    from hustings.exports.lists import cut

    found = cut(read_campaign(folder or Path()), plan, out=out, as_of=as_of)
    typer.echo(
        f"Written: {found.path} ({found.n_rows:,} rows; {found.n_opted_out:,} left out for an opt-out)"
    )
