"""Who is left alone so that the rest can be measured: the hold-out of the whole campaign."""

from __future__ import annotations

from hustings.tables.schema import Column, TableSpec

HOLDOUT = TableSpec(
    "holdout",
    "derived",
    "one household's place in the hold-out that binds every plan and every list",
    ("household_id",),
    (
        Column("household_id", "text", "The household.", privacy="person", required=True),
        Column(
            "unit_id",
            "text",
            "What was drawn: the first of the households that share a telephone, or the place.",
            privacy="person",
            required=True,
        ),
        Column("drawn", "boolean", "Drawn into the control group.", required=True),
        Column("held_out", "boolean", "Drawn, and not released: nobody contacts it.", required=True),
        Column("released_on", "day", "The day on which the director lets it go; null for never."),
        Column(
            "as_of", "day", "Nothing that happened or arrived on this day or later was used.", required=True
        ),
    ),
)

HELD = (HOLDOUT,)
