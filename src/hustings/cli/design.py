"""`hustings design`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from hustings.cli.options import AsJson, Folder


def design(
    test: Annotated[str, typer.Argument(metavar="TEST", help="A test: an [experiments.TEST] section.")],
    folder: Folder = None,
    json: AsJson = False,
) -> None:
    """Say what a test could find if persons, households or places were drawn, before it is drawn.

    Once it is drawn, say what was drawn and when it may be read.

    Example: hustings design letters
    """
    from hustings import flow
    from hustings.campaign import read_campaign
    from hustings.cli.printing import print_json
    from hustings.reading import read

    campaign = read_campaign(folder or Path())
    flow.run(campaign, f"designs.{test}")
    powers, draws = (
        [row for row in read(campaign, table).to_pylist() if row["experiment"] == test]
        for table in ("designs", "draws")
    )
    if json:
        print_json({"designs": powers, "draws": draws})
    elif draws:
        _print_draw(test, draws[0])
    elif powers:
        _print_powers(test, powers)
    else:
        typer.echo(
            f"{test} has no draw_on, so a file tells who got what. Next: hustings show experiments.{test}"
        )


def _print_powers(test: str, rows: list[dict[str, Any]]) -> None:
    from hustings.cli.printing import print_rows

    first = rows[0]
    typer.echo(
        f"{test}: {first['n_people']:,} people may be drawn, as known on {first['as_of']}; "
        f"{first['baseline']} stands in for the outcome."
    )
    names = (
        "unit", "n_units", "mean_size", "intraclass", "detectable_effect", "smallest_effect", "n_needed", "reason",
    )  # fmt: skip
    rows = sorted(rows, key=lambda row: row["n_units"], reverse=True)
    print_rows(("planned", *names), [(row["is_planned"], *(row[name] for name in names)) for row in rows])
    typer.echo(
        "detectable_effect is found in four tests of five at the 5 % level, in the smallest arm. "
        "`hustings run` draws the test once its day has come."
    )


def _print_draw(test: str, draw: dict[str, Any]) -> None:
    typer.echo(
        f"{test} was drawn as of {draw['drawn_on']}, recorded {draw['recorded_at']:%Y-%m-%d %H:%M} UTC: "
        f"{draw['n_people']:,} people in {draw['n_units']:,} units and {draw['n_blocks']:,} blocks, "
        f"draw {draw['n_draws']:,}; {draw['n_refused']:,} left out who refuse contact.\n"
        f"It stays as it is. Next: hustings export {test}"
    )
