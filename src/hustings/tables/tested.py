"""Tables of tests that we draw ourselves: who may be drawn, with what power, and what was drawn."""

from __future__ import annotations

from hustings.tables.derived import FEATURES
from hustings.tables.schema import Column, TableSpec, count, number

_EXPERIMENT = Column("experiment", "text", "The test: an `[experiments.…]` section.", required=True)
_ARM = Column("arm", "text", "The arm.", required=True)
_PERSON = Column("person_id", "text", "The person.", privacy="person", required=True)
_REASON = Column("reason", "text", "Why a number is missing; null where it is there.")


BASELINES = TableSpec(
    "baselines",
    "derived",
    "one person who may be drawn into a test, as known on the day of the draw; none once it is drawn",
    ("experiment", "person_id"),
    (
        _EXPERIMENT,
        _PERSON,
        Column("household_id", "text", "The household.", privacy="person", required=True),
        Column("place_id", "text", "Smallest place.", privacy="person"),
        Column("region_id", "text", "Larger place.", privacy="person"),
        *(column for column in FEATURES.columns if column.name != "person_id"),
    ),
)

DESIGNS = TableSpec(
    "designs",
    "derived",
    "what one test could find if persons, households or places were drawn",
    ("experiment", "unit"),
    (
        _EXPERIMENT,
        Column("unit", "text", "What would be drawn: `person`, `household` or `place`.", required=True),
        Column("is_planned", "boolean", "Whether the test declares this unit.", required=True),
        count("n_people", "People who may be drawn."),
        count("n_units", "Units of theirs."),
        number("mean_size", "People per unit, as an average person meets it: sum of squares over sum."),
        Column("baseline", "text", "The column of `features` that stands in for the outcome."),
        number("baseline_mean", "Its mean."),
        number("deviation", "Its standard deviation."),
        number("intraclass", "Its intraclass correlation within units, as it comes out; 0 for persons."),
        number(
            "detectable_effect", "Effect of the smallest arm found in four tests of five at the 5 % level."
        ),
        number("smallest_effect", "The effect that the test is to find."),
        count("n_needed", "People in all arms that it takes to find that effect."),
        Column("as_of", "day", "The day as of which people are described.", required=True),
        _REASON,
    ),
)

ENROLMENTS = TableSpec(
    "enrolments",
    "derived",
    "how the people of one test are counted: told of, left out, in it",
    ("experiment",),
    (
        _EXPERIMENT,
        count("n_told", "Records that files put into an arm."),
        count("n_unknown", "Of these, records of nobody who is known."),
        count("n_drawn", "People whom we drew ourselves."),
        count("n_two_arms", "People left out because they are told of in several arms."),
        count("n_people", "People in the test."),
    ),
)

ATTRITIONS = TableSpec(
    "attritions",
    "derived",
    "how many outcomes are missing in one arm, and what that leaves uncertain",
    ("experiment", "arm", "outcome"),
    (
        _EXPERIMENT,
        _ARM,
        Column("outcome", "text", "What is measured.", required=True),
        count("n_people", "People in the arm."),
        count("n_missing", "People in the arm whose outcome is missing."),
        number("share_missing", "Share of the arm whose outcome is missing.", "share"),
        number("difference", "That share less control's; null for control.", "share"),
        number("std_error", "Its error, clustered by the randomised unit.", "share"),
        number(
            "p_attrition", "Probability of shares this far apart in any arm, by chance; the whole test's."
        ),
        number("lift_low", "Least that the lift can be, whoever is missing (Lee)."),
        number("lift_high", "Most that it can be."),
        number("low", "Lower end of the 95 % interval around these bounds."),
        number("high", "Upper end."),
        _REASON,
    ),
)

DRAWS = TableSpec(
    "draws",
    "kept",
    "one test's draw, made once",
    ("experiment",),
    (
        _EXPERIMENT,
        Column("drawn_on", "day", "The day as of which it was drawn.", required=True),
        Column("recorded_at", "time", "When it was recorded.", required=True),
        Column(
            "settings", "text", "What was declared, as JSON; it may not change afterwards.", required=True
        ),
        Column("seed", "integer", "The campaign's seed.", required=True),
        count("n_refused", "People left out because they, or those they live with, refuse contact."),
        count("n_people", "People drawn."),
        count("n_units", "Units drawn."),
        count("n_blocks", "Blocks within which they were drawn."),
        count("n_draws", "Draws until one was balanced enough, that one included."),
        number("p_balance", "Share of all draws at least as unbalanced; null where nothing was balanced."),
    ),
)

DRAWN_PEOPLE = TableSpec(
    "drawn_people",
    "kept",
    "one person's arm in a test that we drew, decided once",
    ("experiment", "person_id"),
    (
        _EXPERIMENT,
        _PERSON,
        _ARM,
        Column("unit_id", "text", "The unit that was drawn.", required=True),
        Column("block_id", "text", "The block within which it was drawn."),
        Column("drawn_on", "day", "The day as of which it was drawn.", required=True),
    ),
)

TESTED = (BASELINES, DESIGNS, ENROLMENTS, ATTRITIONS)
DRAWN = (DRAWS, DRAWN_PEOPLE)
