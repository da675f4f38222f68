"""`hustings tidy`."""

from __future__ import annotations

from pathlib import Path

import typer

from hustings.cli.options import Folder


def tidy(folder: Folder = None) -> None:
    """Let go of what only old runs need.

    Runs published within the campaign's retention_days are kept, and the newest one always.

    Example: hustings tidy -C examples/michigan-2006
    """
    from hustings import flow
    from hustings.campaign import read_campaign

    campaign = read_campaign(folder or Path())
    snapshots, files = flow.tidy(campaign)
    typer.echo(
        f"Let go of {snapshots:,} snapshots and {files:,} files that no run published in the last "
        f"{campaign.retention_days} days needs."
    )
