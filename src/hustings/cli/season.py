"""`hustings season`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hustings.cli.options import Folder

if TYPE_CHECKING:
    from hustings.season import Season, Week


def season(
    folder: Folder = None,
    weeks: Annotated[int, typer.Option(metavar="N", help="Weekly elections, 3 to 52.")] = 12,
    people: Annotated[int, typer.Option(metavar="N", help="Registered voters of each.")] = 50_000,
    seed: Annotated[int, typer.Option(metavar="N", help="Seed of all randomness, 0 or more.")] = 7,
) -> None:
    """Play a simulated season in a new folder: plan, act, wait for outcomes, learn, plan again.

    Its truth is known to the simulation alone; plans see what has arrived by their day.

    Example: hustings season --weeks 12 -C season
    """
    from hustings.season import RULES, run_season

    typer.echo(
        f"{'week':>4}{'spent':>10}{'predicted':>11}{'in truth':>10}" + "".join(f"{r:>22}" for r in RULES)
    )
    found = run_season(folder or Path("season"), weeks=weeks, people=people, seed=seed, tell=_told)
    _summed(found)


def _told(week: Week) -> None:
    rules = "".join(f"{gain:>22,.1f}" for gain in week.rules.values())
    typer.echo(
        f"{week.number:>4}{week.cents / 100:>10,.0f}{week.predicted:>11,.1f}{week.gain:>10,.1f}{rules}"
    )


def _summed(found: Season) -> None:
    gain = sum(week.gain for week in found.weeks)
    typer.echo(f"Added ballots in truth: {gain:,.0f}")
    for rule in found.weeks[0].rules:
        more, low, high = found.ahead(rule)
        typer.echo(f"  {more:+,.0f} against {rule} (95 % interval {low:+,.0f} to {high:+,.0f})")
    early, late = found.excess
    typer.echo(
        f"Error of expectations, mean of error² - SE² in points², by precision: {early.estimate:.2f} ± {early.std_error:.2f} in the "
        f"first third, {late.estimate:.2f} ± {late.std_error:.2f} in the last"
    )
    typer.echo(f"Next: hustings show ledger_fits -C {found.folder}, or hustings brief -C {found.folder}")
