"""People and events ─► who may be drawn into a test that is not drawn yet, as known on the day of the draw.

`features` describes a test's people as of their draw, so it comes after the draw and cannot serve it.
"""

from __future__ import annotations

import datetime
from typing import Annotated, Any

from hustings.errors import DesignError
from hustings.features.features import describe
from hustings.stage import About, Result, Table, stage
from hustings.tables import spec
from hustings.warehouse import count


@stage(writes="baselines", section="experiments", each="experiment")
def describe_candidates(
    people: Table,
    events: Table,
    draws: Table,
    *,
    experiment: str,
    draw_on: Annotated[
        datetime.date | None,
        About("The day on which Hustings draws the test; nothing when a file tells who got what."),
    ] = None,
    draw_among: Annotated[
        dict[str, list[str]],
        About("Who may be drawn: columns of `features` or of `people`, with the values that count."),
    ] = {},  # noqa: B006
    voting_age: Annotated[
        int, About("Elections before this age do not count against a person.", ge=0, le=30)
    ] = 18,
    as_of: Annotated[datetime.date, About("The day as of which everyone is described.")],
) -> Result:
    """Everyone known by then who fits `draw_among`; nobody once the test is drawn."""
    import ibis

    if draw_on is None or count(draws.filter(draws.experiment == experiment)):
        return {name: [] for name in spec("baselines").names}
    known = describe(people, events, min(draw_on, as_of), voting_age)
    homes = people.select("person_id", "household_id", "place_id", "region_id")
    rows = known.join(homes, "person_id", rname="{name}_of").mutate(experiment=ibis.literal(experiment))
    for column, values in draw_among.items():
        rows = rows.filter(_is_one_of(rows, column, values, experiment))
    return rows.select(*spec("baselines").names)


def _is_one_of(rows: Any, column: str, values: list[str], experiment: str) -> Any:
    if column not in rows.columns:
        known = sorted(set(rows.columns) - {"person_id", "experiment"})
        raise DesignError.unknown(f"[experiments.{experiment}] draw_among: no column", column, known)
    return rows[column].cast("string").isin(values)
