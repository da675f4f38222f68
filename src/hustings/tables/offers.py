"""What every plan can do with money: the table where letters, spots, visits and friends compete."""

from __future__ import annotations

from hustings.tables.schema import Column, TableSpec, number

OFFERS = TableSpec(
    "offers",
    "derived",
    "what one plan, or a rule of thumb beside it, would gain for so much money",
    ("offer", "way", "step"),
    (
        Column("offer", "text", "The plan's node: `contact_plan.mail`, `visit_plan`, … .", required=True),
        Column("way", "text", "`plan`, or the rule of thumb.", required=True),
        Column("step", "integer", "0, 1, 2, … by cost; 0 costs nothing.", required=True),
        Column("channel", "text", "How people are reached; the last step's main one."),
        Column(
            "unit",
            "text",
            "What `gain` counts: `added_ballots`, `net_votes`, `win` or `cents`.",
            required=True,
        ),
        Column("cost_cents", "number", "Of all up to this step.", "cents", required=True),
        number("gain", "Expected of all up to this step."),
        number("std_error", "Of `gain`, for what is not known of the effects."),
        number("votes", "Expected net votes, or added ballots, whatever the unit."),
        Column("evidence", "text", "What the effects rest on; offers that name the same one err together."),
        Column(
            "tested", "boolean", "Whether the campaign's own randomised test stands behind it.", required=True
        ),
        Column("starts_on", "day", "The first day on which the money would be spent."),
        Column(
            "as_of", "day", "Nothing that happened or arrived on this day or later was used.", required=True
        ),
        Column("reason", "text", "Why there is no gain; null where there is one."),
    ),
)

OFFERED = (OFFERS,)
