"""`hustings decide`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hustings.cli.options import Folder


def decide(
    decision: Annotated[
        str | None,
        typer.Argument(
            metavar="DECISION", help="A decision_id, or how it begins; all that are open unless given."
        ),
    ] = None,
    folder: Folder = None,
    accept: Annotated[
        bool, typer.Option("--accept", help="Yes: its list is kept, and later measured.")
    ] = False,
    refuse: Annotated[bool, typer.Option("--refuse", help="No.")] = False,
    by: Annotated[
        str | None, typer.Option(metavar="NAME", help="Who decides; whoever is signed in unless given.")
    ] = None,
    note: Annotated[str | None, typer.Option(metavar="TEXT", help="Why.")] = None,
) -> None:
    """Accept or refuse what a plan proposes, or list what waits for a yes or no.

    Example: hustings decide 3f2a1c --accept --by "Jo Field"
    """
    from hustings.campaign import read_campaign
    from hustings.plans import deciding

    campaign = read_campaign(folder or Path())
    if accept and refuse:
        raise typer.BadParameter("--accept and --refuse exclude each other")
    if (accept or refuse) and decision is None:
        raise typer.BadParameter("name the decision: `hustings decide` lists those that are open")
    if decision is not None and (accept or refuse):
        verdict: deciding.Verdict = "accepted" if accept else "refused"
        found = deciding.decide(campaign, [decision], verdict, by=by, note=note)[0]
        typer.echo(f"{found.verdict.capitalize()} by {found.by}: {found.plan_id} ({found.decision_id[:8]}).")
        if found.n_people:
            typer.echo(
                f"Its list is kept: {found.n_people:,} people, {found.n_held_out:,} of them held out to measure it. "
                f"Next: hustings export {found.plan_id}"
            )
        return
    waiting = deciding.open_decisions(campaign)
    if decision is not None:
        waiting = [row for row in waiting if row["decision_id"].startswith(decision)]
    for row in waiting:
        typer.echo(
            f"{row['decision_id'][:8]}  {row['plan_id']}  {row['question']}\n          {row['recommendation']}"
        )
    typer.echo(
        "Next: hustings decide DECISION --accept --by NAME, or --refuse"
        if waiting
        else "Nothing waits for a decision."
    )
