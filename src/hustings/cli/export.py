"""`hustings export`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hustings.cli.options import AsOf, Folder

if TYPE_CHECKING:
    from hustings.exports.lists import Cut


def export(
    plan: Annotated[
        str,
        typer.Argument(
            metavar="PLAN",
            help="A [contact_plan.PLAN], [ask_plan.PLAN] or [turfs.PLAN] section, a test that was drawn ([experiments.TEST]), `chase`, "
            "`cure`; `visits` or `shifts` for a calendar.",
        ),
    ],
    folder: Folder = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Where; in the campaign's folder lists/ unless given.")
    ] = None,
    as_of: AsOf = None,
    format: Annotated[  # noqa: A002
        str,
        typer.Option(
            metavar="NAME",
            help="For whom: mail, dialer, text, email, van, walk, meta, google, call_sheet or ics (a calendar).",
        ),
    ] = "mail",
    van_source: Annotated[
        str, typer.Option(metavar="SOURCE", help="For van: the source whose record ids are VANIDs.")
    ] = "van",
) -> None:
    """Cut a list: the people to contact, without those held out, opted out, or done voting.

    The list holds names and addresses; every cut is recorded in the table cuts.

    Example: hustings export mail --out mail-house.csv
    """
    from hustings.campaign import read_campaign
    from hustings.exports.lists import cut

    found = cut(
        read_campaign(folder or Path()), plan, out=out, as_of=as_of, format=format, van_source=van_source
    )
    tell(found)


def tell(found: Cut) -> None:
    """Say what was written, and who was left out."""
    left = f"{found.n_opted_out:,} left out for an opt-out"
    left += f", {found.n_voted:,} who have voted" if found.n_voted else ""
    left += f", {found.n_unreachable:,} who cannot be reached so" if found.n_unreachable else ""
    typer.echo(f"Written: {found.path} ({found.n_rows:,} rows; {left})")
    if found.cut_id:
        typer.echo(f"On the day it goes out: hustings send {found.cut_id}")
