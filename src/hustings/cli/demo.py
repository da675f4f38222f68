"""`hustings demo`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def demo(
    directory: Annotated[
        Path, typer.Argument(metavar="[DIR]", help="A new folder, or the demo's own.")
    ] = Path("demo"),
    people: Annotated[int, typer.Option(metavar="N", help="Registered voters, 1,000 to 1,000,000.")] = 50_000,
    seed: Annotated[int, typer.Option(metavar="N", help="Seed of all randomness, 0 or more.")] = 7,
) -> None:
    """Make up a campaign, run it, and write its briefing.

    Nobody in it is real, and its truth is known. A demo of the same people and seed that is there already
    is run again.

    Example: hustings demo --people 10000
    """
    from hustings.cli.run import announce
    from hustings.start import start_demo

    typer.echo(f"A simulated campaign of {people:,} people in {directory}")
    campaign = start_demo(directory, people=people, seed=seed)
    announce(campaign)
    from hustings.briefing.publish import write_page

    typer.echo(f"The briefing: {write_page(campaign).resolve()}")
    typer.echo(f"Next: hustings show options -C {directory}, or hustings explain lifts")
