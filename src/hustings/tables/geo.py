"""Tables of tests of places: outcomes and spending by week, the draw, what it showed, the response curves, the plan."""

from __future__ import annotations

from hustings.tables.schema import Column, TableSpec, count, number

_SOURCE = Column("source", "text", "The source that said so: a `[sources.…]` section.", required=True)
_PLACE = Column("place_id", "text", "The place.", required=True)
_WEEK = Column("week_on", "day", "The first day of the week.", required=True)
_TEST = Column("geo_test", "text", "The test: a `[geo_tests.…]` section.", required=True)
_CHANNEL = Column("channel", "text", "What the money buys: `television`, `digital`, … .", required=True)
_AS_OF = Column(
    "as_of", "day", "Nothing that happened or arrived on this day or later was used.", required=True
)
_REASON = Column("reason", "text", "Why a number is missing, or what it rests on; null where it is there.")
_LOADED = (
    Column("arrived_at", "time", "When the campaign could know of it.", required=True),
    Column("load_id", "text", "The load that brought the row.", required=True),
    Column("line", "integer", "Its row in the file; the first row of data is 1.", required=True),
)
_DOSE = "Cents per person in the week"


PLACE_OUTCOMES = TableSpec(
    "place_outcomes",
    "collected",
    "the mean of one outcome in one place and week: a tracking survey's, or a count over people",
    ("source", "place_id", "week_on", "outcome"),
    (
        _SOURCE,
        _PLACE,
        _WEEK,
        Column("outcome", "text", "What is measured: `support`, `registered`, … .", required=True),
        Column("value", "number", "Its mean per person.", required=True),
        number("weight", "People behind it; 1 unless given."),
        *_LOADED,
    ),
)

PLACE_PEOPLE = TableSpec(
    "place_people",
    "collected",
    "how many people a media market or another area has; places of the race have `votes` in `places`",
    ("source", "place_id"),
    (
        _SOURCE,
        _PLACE,
        Column("n_people", "number", "Voters who live there.", required=True),
        Column("part_of", "text", "The place of the race that it lies in, for what a vote is worth there."),
        *_LOADED,
    ),
)

PLACE_DOSES = TableSpec(
    "place_doses",
    "collected",
    "what one place was to spend in one week of a test that a file tells of",
    ("source", "geo_test", "place_id", "week_on"),
    (
        _SOURCE,
        _TEST,
        _PLACE,
        _WEEK,
        Column("dose", "number", f"{_DOSE}, as drawn.", "cents per person", required=True),
        Column("block_id", "text", "The block within which the places were drawn."),
        *_LOADED,
    ),
)

SPENDS = TableSpec(
    "spends",
    "collected",
    "money that was spent in one place and week",
    ("source", "place_id", "week_on", "channel"),
    (
        _SOURCE,
        _PLACE,
        _WEEK,
        _CHANNEL,
        Column("cents", "number", "Spent, as the stations' invoices have it.", "cents", required=True),
        *_LOADED,
    ),
)

GEO_DESIGNS = TableSpec(
    "geo_designs",
    "derived",
    "one test of places: what it is, and what it could find",
    ("geo_test",),
    (
        _TEST,
        _CHANNEL,
        Column("outcome", "text", "On what it is read.", required=True),
        Column(
            "design", "text", "`parallel`, `switchback`, `staggered`, or `told` by a file.", required=True
        ),
        Column("state", "text", "`planned`, `drawn`, or `told` by a file.", required=True),
        Column("starts_on", "day", "The first week of the test."),
        count("n_weeks", "Weeks of the test."),
        count("n_places", "Places in it."),
        count("n_blocks", "Blocks within which they are drawn."),
        count("n_before", "Weeks of history before it."),
        number("tested_to", "The highest dose.", "cents per person"),
        number("cost_cents", "What the test costs in all.", "cents"),
        number("n_ways", "Ways in which it could have been drawn."),
        number("smallest_p", "The smallest p-value that it can have."),
        number("detectable", "Effect of a cent per person, found in four cases of five at the 5 % level."),
        number("detectable_at_top", "The same of the highest dose, in the outcome's unit."),
        number("false_alarms", "How often it would find something in stretches of history without it."),
        number("half_life", "With which a dose is read: weeks in which half of it is lost.", "weeks"),
        Column("sealed", "text", "Until when it may not be read; null when it may."),
        _AS_OF,
        _REASON,
    ),
)

GEO_SCHEDULES = TableSpec(
    "geo_schedules",
    "derived",
    "what one place is to spend in one week of a test",
    ("geo_test", "place_id", "week_on"),
    (
        _TEST,
        _PLACE,
        _WEEK,
        Column("dose", "number", f"{_DOSE}.", "cents per person", required=True),
        Column("cents", "number", "The same in all, for the buyer.", "cents"),
        Column("block_id", "text", "The block within which the place was drawn."),
    ),
)

GEO_DRAWS = TableSpec(
    "geo_draws",
    "kept",
    "the draw of one test of places, made once, before anything is spent",
    ("geo_test",),
    (
        _TEST,
        Column("drawn_on", "day", "The day as of which it was drawn.", required=True),
        Column("recorded_at", "time", "When it was recorded.", required=True),
        Column(
            "settings", "text", "What was declared, as JSON; it may not change afterwards.", required=True
        ),
        Column("seed", "integer", "The campaign's seed.", required=True),
        number("most", "Distance that a draw might have; null where nothing was balanced."),
        number("distance", "That of this draw."),
        Column(
            "history",
            "text",
            "The outcomes that were balanced, as JSON: the reading draws again by the same rule.",
        ),
    ),
)

GEO_ASSIGNMENTS = TableSpec(
    "geo_assignments",
    "kept",
    "what one place is to spend in one week, decided once",
    ("geo_test", "place_id", "week_on"),
    (
        _TEST,
        _PLACE,
        _WEEK,
        Column("dose", "number", f"{_DOSE}.", "cents per person", required=True),
        Column("block_id", "text", "The block within which the place was drawn.", required=True),
        count("n_people", "People of the place at the draw."),
    ),
)

_READ = (
    number("estimate", "Effect of one cent per person, in the outcome's unit."),
    number("std_error", "Of it."),
    number("low", "Lower end of the 95 % interval; null where the draw is too small for one."),
    number("high", "Upper end."),
    number("p_value", "Chance of an effect so large where there is none."),
)

GEO_LIFTS = TableSpec(
    "geo_lifts",
    "derived",
    "what spending did in places, by the draw",
    ("geo_test", "dose"),
    (
        _TEST,
        Column(
            "dose",
            "number",
            "The dose that is read against none; 0 for all doses on one line.",
            "cents per person",
            required=True,
        ),
        _CHANNEL,
        Column("outcome", "text", "What is measured.", required=True),
        *_READ,
        number("per_dollar", "People who change, for one dollar: the estimate times 100."),
        number("per_dollar_low", "Lower end."),
        number("per_dollar_high", "Upper end."),
        number(
            "delivered", "Share of the planned money that was spent; null where it is not known.", "share"
        ),
        count("n_places", "Places read."),
        count("n_cells", "Places and weeks whose outcome is known."),
        count("n_ways", "Ways of drawing that it is held against."),
        Column("exact", "boolean", "Whether these are all that there are."),
        Column(
            "randomised",
            "boolean",
            "Always true here: what was not drawn by lot is in `market_lifts`.",
            required=True,
        ),
        _AS_OF,
        _REASON,
    ),
)

GEO_CHECKS = TableSpec(
    "geo_checks",
    "derived",
    "one check of a test of places",
    ("geo_test", "check"),
    (
        _TEST,
        Column("check", "text", "`trend before`, `neighbours` or `delivery`.", required=True),
        number("estimate", "What it shows: see `reason`."),
        number("low", "Lower end of the 95 % interval."),
        number("high", "Upper end."),
        number("p_value", "Chance of that much if all is well."),
        Column("passed", "boolean", "Whether p is 0.05 or more; null where it could not be made."),
        Column("reason", "text", "What is checked, or why it was not.", required=True),
    ),
)

MARKET_LIFTS = TableSpec(
    "market_lifts",
    "derived",
    "what spending seems to have done where places were not drawn by lot: not randomised",
    ("market_reading", "estimator"),
    (
        Column("market_reading", "text", "Which: a `[market_readings.…]` section.", required=True),
        Column(
            "estimator",
            "text",
            "`matched markets`, `synthetic control` or `augmented synthetic control`.",
            required=True,
        ),
        _CHANNEL,
        Column("outcome", "text", "What is measured.", required=True),
        number("estimate", "Mean difference since the start, in the outcome's unit."),
        number("low", "Lower end of the 95 % interval by placebos; null where there are too few."),
        number("high", "Upper end."),
        number("p_value", "Share of placebos that show as much."),
        number("per_dollar", "People who differ, for one dollar; null where the money is not known."),
        number("fit", "How far the control was off before the start (root mean square)."),
        number("ratio", "How much farther it is off since."),
        Column("controls", "text", "The places that it is held against, with their weights, as JSON."),
        count("n_placebos", "Places, or sets of them, read as if they had spent."),
        Column("randomised", "boolean", "Always false.", required=True),
        _AS_OF,
        _REASON,
    ),
)

RESPONSES = TableSpec(
    "responses",
    "derived",
    "one channel's response curve, from its tests",
    ("channel",),
    (
        _CHANNEL,
        Column("kind", "text", "`exponential` or `hill`; null where nothing is known."),
        number("rate", "Per unit of dose."),
        number("rate_error", "Its posterior standard deviation."),
        number("half_saturation", "Of a Hill curve: the dose with half the full effect."),
        number("shape", "Of a Hill curve; S-shaped above 1."),
        number("shape_error", "Its posterior standard deviation."),
        number("adstock_half_life_weeks", "Weeks in which half of a dose is lost.", "weeks"),
        number("adstock_half_life_error", "Its posterior standard deviation.", "weeks"),
        number("full_effect", "Effect without end of dose, if there is one, in the outcome's unit."),
        number("full_effect_error", "Its posterior standard deviation."),
        number("effect_at_top", "Effect of one week at the highest tested dose, no effect allowed for."),
        number("effect_at_top_low", "Lower end of its 95 % interval."),
        number("effect_at_top_high", "Upper end."),
        number("p_no_effect", "Probability that there is no effect at all.", "share"),
        number("p_linear", "Probability that it is a straight line within the tested doses.", "share"),
        number("tested_from", "Smallest dose above 0 that was tested."),
        number("tested_to", "Highest dose that was tested; nothing is known above it."),
        number("cents_per_dose", "What one unit of dose costs for one person.", "cents"),
        Column(
            "dose_unit",
            "text",
            "`cents per person`, or `exposures per person` where a price is given.",
            required=True,
        ),
        Column("outcome", "text", "What the effect is on.", required=True),
        Column("randomised", "boolean", "Whether randomised tests stand behind it.", required=True),
        Column("source", "text", "The tests, or what is believed without."),
        _AS_OF,
        _REASON,
    ),
)

RESPONSE_DRAWS = TableSpec(
    "response_draws",
    "derived",
    "one draw from what is known of a channel's response: its errors together",
    ("channel", "draw"),
    (
        _CHANNEL,
        Column("draw", "integer", "1, 2, … .", required=True),
        number("full_effect", "0 where the draw is one without an effect."),
        number("rate", "Per unit of dose."),
        number("shape", "Of a Hill curve; null of an exponential."),
        number("half_life", "Of a dose.", "weeks"),
    ),
)

MEDIA_WEEKS = TableSpec(
    "media_weeks",
    "derived",
    "money for one channel in one area and week of a plan, or of a rule of thumb beside it",
    ("plan_id", "option", "channel", "place_id", "week_on"),
    (
        Column("plan_id", "text", "The plan: a `[media_weeks.…]` section.", required=True),
        Column("option", "text", "`plan`, or the rule of thumb.", required=True),
        _CHANNEL,
        _PLACE,
        _WEEK,
        Column("cents", "number", "To spend.", "cents", required=True),
        number("dose", "The same per person, in the response's unit."),
        number("marginal", "Net votes that the next dollar there would gain; null of rules."),
        _AS_OF,
    ),
)

MEDIA_WEEK_OPTIONS = TableSpec(
    "media_week_options",
    "derived",
    "one way to split the money by week and area, and what it gains",
    ("plan_id", "option"),
    (
        Column("plan_id", "text", "The plan.", required=True),
        Column("option", "text", "`plan`, or the rule of thumb.", required=True),
        Column("about", "text", "What it does.", required=True),
        Column("budget_cents", "number", "What there is.", "cents"),
        Column("cost_cents", "number", "What is spent.", "cents"),
        Column("left_cents", "number", "What is left, on purpose.", "cents"),
        number("net_votes", "Expected net votes on election day, early votes among them."),
        number("votes_low", "Lower end of the 95 % interval of `net_votes`."),
        number("votes_high", "Upper end."),
        number("gain", "The same in the campaign's aim."),
        number("std_error", "Of `gain`."),
        number("low", "Lower end of the 95 % interval of `gain`, over what is not known of the responses."),
        number("high", "Upper end."),
        number("gap", "Of the plan: how much more any split could gain by the mean curve, at most.", "share"),
        number("advantage", "Gain of the plan less that of the rule; null for the plan."),
        number("advantage_low", "Lower end of its 95 % interval."),
        number("advantage_high", "Upper end."),
        Column("why_left", "text", "Why money is left; null where all is spent."),
        _AS_OF,
        _REASON,
    ),
)

COLLECTED = (PLACE_OUTCOMES, PLACE_PEOPLE, PLACE_DOSES, SPENDS)
DERIVED = (
    *(GEO_DESIGNS, GEO_SCHEDULES, GEO_LIFTS, GEO_CHECKS, MARKET_LIFTS, RESPONSES, RESPONSE_DRAWS),
    *(MEDIA_WEEKS, MEDIA_WEEK_OPTIONS),
)
KEPT = (GEO_DRAWS, GEO_ASSIGNMENTS)
