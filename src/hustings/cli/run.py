"""`hustings run`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hustings.cli.options import AsJson, Folder

if TYPE_CHECKING:
    from hustings.campaign import Campaign
    from hustings.flow import Report
    from hustings.warehouse.history import Load


def run(
    tables: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[TABLE]...", help="What is wanted; everything unless given.", show_default=False
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what is stale, and why.")] = False,
    folder: Folder = None,
    json: AsJson = False,
) -> None:
    """Compute what is stale, and publish it.

    Without a TABLE everything is computed; a TABLE may be a part, as lifts.mailers. What has not changed is
    left as it is, and a run that was stopped goes on from there.

    Example: hustings run -C examples/michigan-2006
    """
    from hustings.campaign import read_campaign

    campaign = read_campaign(folder or Path())
    if dry_run:
        _print_plan(campaign, tables or [], json)
    else:
        announce(campaign, *tables or [], json=json)


def announce(campaign: Campaign, *tables: str, json: bool = False) -> None:
    """Run, and tell how it goes and what came of it."""
    from hustings import flow
    from hustings.cli.printing import print_json
    from hustings.cli.progress import observing
    from hustings.warehouse.history import loads_of

    with observing(quiet_output=json) as observer:
        report = flow.run(campaign, *tables, observer=observer)
    loads = loads_of(campaign.store, report.run_id) if report.computed else []
    if json:
        sources = [load._asdict() for load in loads]
        print_json(
            {
                "run_id": report.run_id,
                "computed": dict(report.computed),
                "fresh": report.fresh,
                "seconds": round(report.seconds, 3),
                "sources": sources,
            }
        )
    else:
        _print_report(report, loads)


def _print_report(report: Report, loads: list[Load]) -> None:
    if not report.computed:
        typer.echo(
            f"Nothing has changed since run {report.run_id}: {len(report.fresh)} nodes are as they were."
        )
        return
    for load in loads:
        typer.echo(
            f"{load.source}: {load.n_read:,} rows read = {load.n_kept:,} kept + {load.n_rejected:,} rejected"
            + (" (hustings show rejects)" if load.n_rejected else "")
        )
    typer.echo(f"Published run {report.run_id} after {report.seconds:.1f} s. Next: hustings brief")


def _print_plan(campaign: Campaign, tables: list[str], json: bool) -> None:
    from hustings.cli.printing import print_glossary, print_json
    from hustings.staleness import states

    found = states(campaign, *tables)
    if json:
        print_json([state._asdict() for state in found])
        return
    print_glossary(
        ("node", "state", "why"),
        [(state.node, "stale" if state.stale else "unchanged", state.why) for state in found],
    )
    typer.echo(f"{sum(state.stale for state in found)} of {len(found)} would be computed.")
