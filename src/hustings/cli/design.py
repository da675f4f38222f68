"""`hustings design`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from hustings.cli.options import AsJson, Folder


def design(
    test: Annotated[
        str,
        typer.Argument(
            metavar="TEST", help="A test: an [experiments.TEST] section, or one of places, [geo_tests.TEST]."
        ),
    ],
    folder: Folder = None,
    json: AsJson = False,
) -> None:
    """Say what a test could find if persons, households or places were drawn, before it is drawn.

    Of a test of places with several doses: what it costs and the effect that it would find, tried on the places' history.

    Once it is drawn, say what was drawn and when it may be read.

    Example: hustings design letters
    """
    from hustings import flow
    from hustings.campaign import read_campaign
    from hustings.cli.printing import print_json
    from hustings.reading import read

    campaign = read_campaign(folder or Path())
    if test in campaign.sections.get("geo_tests", {}):
        _design_places(campaign, test, json)
        return
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


def _design_places(campaign: Any, test: str, json: bool) -> None:
    from hustings import flow
    from hustings.cli.printing import print_json
    from hustings.reading import read

    flow.run(campaign, f"geo_designs.{test}")
    tables = ("geo_designs", "geo_schedules")
    found, schedule = (
        [row for row in read(campaign, table).to_pylist() if row["geo_test"] == test] for table in tables
    )
    if json:
        print_json(dict(zip(tables, (found, schedule), strict=True)))
    else:
        _print_places(found[0], schedule)


def _print_places(row: dict[str, Any], schedule: list[dict[str, Any]]) -> None:
    from hustings.cli.printing import print_rows

    if row["n_places"] is None:
        typer.echo(f"{row['geo_test']}: {row['reason']}.")
        return
    typer.echo(
        f"{row['geo_test']} ({row['channel']}, {row['design']}, {row['state']}): {row['n_places']:,} places, "
        f"{row['n_weeks']} weeks from {row['starts_on']}, up to {row['tested_to']:g} cents per person and week, "
        f"{row['cost_cents'] / 100:,.0f} in all; it can be drawn in {row['n_ways']:,.0f} ways."
    )
    if row["detectable"] is not None:
        typer.echo(
            f"On {row['n_before']} weeks of their own history it would find an effect of {row['detectable_at_top']:.4f} in "
            f"{row['outcome']} at the highest dose in four cases of five at the 5 % level, and something where there is "
            f"nothing in {row['false_alarms']:.1%}."
        )
    for text in (row["reason"], row["sealed"]):
        if text:
            typer.echo(f"{text}.")
    if schedule:
        print_rows(
            ("place", "week", "cents per person", "cents"),
            [(r["place_id"], r["week_on"], r["dose"], r["cents"]) for r in schedule],
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
