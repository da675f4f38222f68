"""`hustings backtest`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hustings.cli.options import AsJson

_YEARS = (2008, 2012, 2016)


def backtest(
    years: Annotated[
        list[int] | None,
        typer.Option("--years", metavar="YEAR", help="An election that is over; may be given again."),
    ] = None,
    more: Annotated[
        list[int] | None, typer.Argument(metavar="[YEAR]...", help="More years, after --years.")
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder of results and polls; else `polls` in HUSTINGS_DATA."),
    ] = None,
    days: Annotated[
        list[int] | None,
        typer.Option("--days", metavar="N", help="Days before the election; may be given again."),
    ] = None,
    json: AsJson = False,
) -> None:
    """Forecast elections that are over from what was known then, beside the rules of thumb.

    Without --years: 2008, 2012 and 2016. Only polls and fundamentals of before the day of each forecast are read,
    and everything else is learned from earlier elections.

    Example: hustings backtest --data ../shared/data/polls --years 2008 2012 2016
    """
    from hustings.cli import printing
    from hustings.forecast.backtest import DAYS, means
    from hustings.forecast.backtest import backtest as tested
    from hustings.forecast.reports import COLUMNS, as_json, as_row
    from hustings.sources.public import data_folder

    chosen = [*(years or []), *(more or [])] or list(_YEARS)
    found = tested(data or data_folder() / "polls", chosen, days=days or DAYS)
    if json:
        printing.print_json(as_json(found))
        return
    rows = [row for year in found for row in year.rows] + (means(found) if len(found) > 1 else [])
    printing.print_rows(COLUMNS, [as_row(row) for row in rows])
    for year in found:
        for note in year.notes:
            typer.echo(f"{year.year}: {note}")
