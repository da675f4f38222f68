"""`hustings show`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from hustings.cli.options import AsJson, AsOf, Folder

_ROWS = 20


def show(
    table: Annotated[
        str, typer.Argument(metavar="TABLE", help="A table, or a part of one, as lifts.mailers.")
    ],
    folder: Folder = None,
    json: AsJson = False,
    csv: Annotated[bool, typer.Option("--csv", help="Print CSV, for programs.")] = False,
    limit: Annotated[
        int | None,
        typer.Option(
            min=0,
            metavar="N",
            help=f"Rows at most; {_ROWS} for people, all for --json and --csv unless given.",
        ),
    ] = None,
    as_of: AsOf = None,
    private: Annotated[
        bool, typer.Option("--private", help="Show names, addresses and numbers, which are masked otherwise.")
    ] = False,
) -> None:
    """Print the rows of one table, as of the newest published run.

    Example: hustings show lifts.mailers --json
    """
    from hustings.campaign import read_campaign
    from hustings.cli import printing
    from hustings.warehouse.shown import open_shown, shown

    if json and csv:
        raise typer.BadParameter("choose one of --json and --csv")
    lake = open_shown(read_campaign(folder or Path()).store, table, as_of)
    try:
        for_people = not (json or csv)
        wanted = _ROWS if for_people and limit is None else limit
        found = shown(lake, table, limit=wanted, private=private)
        names = found.spec.names
        if json:
            printing.print_rows_json(names, found.rows)
        elif csv:
            printing.print_rows_csv(names, found.rows)
        else:
            printing.print_rows(names, _as_people_read(table, names, found.rows))
            shown_rows = min(found.n_rows, _ROWS if limit is None else limit)
            typer.echo(f"({shown_rows:,} of {found.n_rows:,} rows; one row is {found.spec.about})")
    finally:
        lake.close()


def _as_people_read(
    table: str, names: Sequence[str], rows: Iterable[tuple[Any, ...]]
) -> Iterator[tuple[Any, ...]]:
    """Scores that are probabilities from 0 to 100, as people say them; programs get them as they are kept."""
    if table.partition(".")[0] != "scores":
        yield from rows
        return
    value, unit = names.index("value"), names.index("unit")
    for row in rows:
        shown = list(row)
        if row[unit] == "share":
            shown[value], shown[unit] = 100 * row[value], "of 100"
        yield tuple(shown)
