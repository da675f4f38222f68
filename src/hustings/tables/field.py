"""Tables of the field's day and of the candidate's: shifts, turfs, goals, ballots to chase, visits."""

from __future__ import annotations

from hustings.tables.schema import Column, TableSpec, count, number

_SOURCE = Column("source", "text", "The source that said so: a `[sources.…]` section.", required=True)
_PERSON = Column("person_id", "text", "The person.", privacy="person", required=True)
_HOUSEHOLD = Column("household_id", "text", "The household.", privacy="person", required=True)
_REGION = Column("region_id", "text", "The region; null for all.")
_TURF_SET = Column("turf_set", "text", "Which: a `[turfs.…]` section.", required=True)
_AS_OF = Column("as_of", "day", "Nothing that happened on this day or later was used.", required=True)
_REASON = Column("reason", "text", "Why a number is missing; null where it is there.")


SHIFTS = TableSpec(
    "shifts",
    "collected",
    "one shift of volunteers",
    ("source", "shift_id"),
    (
        _SOURCE,
        Column("shift_id", "text", "Unique within the source.", required=True),
        Column("region_id", "text", "The region it works in."),
        Column("channel", "text", "`door`, `phone`, … ; doors unless given."),
        Column("starts_at", "time", "Start.", required=True),
        Column("ends_at", "time", "End; three hours after the start unless given."),
        count("n_signed_up", "Volunteers who said that they would come."),
        count("n_confirmed", "Those of them who confirmed."),
        count("n_showed_up", "Those who came; null before the shift."),
        Column("arrived_at", "time", "When the campaign could know of it.", required=True),
        Column("load_id", "text", "The load that brought the row.", required=True),
        Column("line", "integer", "Its row in the file; the first row of data is 1.", required=True),
    ),
)

PLACE_COORDINATES = TableSpec(
    "place_coordinates",
    "collected",
    "where one place is: kept apart from `place_features`, which the forecast learns from",
    ("source", "place_id"),
    (
        _SOURCE,
        Column("place_id", "text", "The place.", required=True),
        Column("latitude", "number", "Of where people would meet there.", "degrees", required=True),
        Column("longitude", "number", "Of where people would meet there.", "degrees", required=True),
        Column("arrived_at", "time", "When the campaign could know of it.", required=True),
        Column("load_id", "text", "The load that brought the row.", required=True),
        Column("line", "integer", "Its row in the file; the first row of data is 1.", required=True),
    ),
)

BALLOT_LISTS = TableSpec(
    "ballot_lists",
    "derived",
    "one person to remind of a ballot, or to help with one that was rejected",
    ("list", "person_id"),
    (
        Column(
            "list", "text", "`chase`: has a ballot, or asked for one. `cure`: it was rejected.", required=True
        ),
        _PERSON,
        _HOUSEHOLD,
        _REGION,
        Column("state", "text", "The last thing known of the ballot.", required=True),
        Column("days_since", "number", "Since then.", "days"),
        Column(
            "value",
            "number",
            "What one more vote of this person is worth, for the order of the list: see `reason`.",
            "",
            "person",
        ),
        Column("rank", "integer", "1 is to be called first.", required=True),
        _AS_OF,
        Column("reason", "text", "What the order rests on.", required=True),
    ),
)

FIELD_GOALS = TableSpec(
    "field_goals",
    "derived",
    "one region's contacts in one week against its goal",
    ("region_id", "week_on", "channel"),
    (
        Column("region_id", "text", "The region; `all` for everywhere.", required=True),
        Column("week_on", "day", "The Monday on which the week begins.", required=True),
        Column("channel", "text", "`door`, `phone`, … .", required=True),
        number("goal", "Attempts to be made in that week; null where none is set."),
        count("n_attempts", "Attempts made: people spoken to and people not found."),
        count("n_contacts", "People spoken to."),
        number("contact_rate", "Contacts of attempts.", "share"),
        number("contact_rate_low", "Lower end of its 95 % interval (Wilson).", "share"),
        number("contact_rate_high", "Upper end.", "share"),
        Column("status", "text", "`ahead`, `on plan`, `behind`, `not started` or `no goal`.", required=True),
        _AS_OF,
    ),
)

SHIFT_FORECASTS = TableSpec(
    "shift_forecasts",
    "derived",
    "how many of those who signed up for one region's coming shifts will come",
    ("region_id", "week_on", "channel"),
    (
        Column("region_id", "text", "The region.", required=True),
        Column("week_on", "day", "The Monday on which the week begins.", required=True),
        Column("channel", "text", "`door`, `phone`, … .", required=True),
        count("n_shifts", "Shifts to come."),
        count("n_signed_up", "Volunteers who said that they would come."),
        count("n_confirmed", "Those who confirmed."),
        number(
            "show_rate", "Share of the signed up who come in this region, shrunk to all regions'.", "share"
        ),
        number("show_rate_low", "Lower end of its 95 % interval.", "share"),
        number("show_rate_high", "Upper end.", "share"),
        number("expected", "Volunteers expected."),
        number("low", "Lower end of the 95 % interval, chance of the day included."),
        number("high", "Upper end."),
        number("doors", "Doors (or calls) that they can make."),
        number("doors_low", "Lower end of the 95 % interval."),
        number("doors_high", "Upper end."),
        number("rule", "The rule of thumb: half of those who signed up come."),
        _AS_OF,
        _REASON,
    ),
)

TURFS = TableSpec(
    "turfs",
    "derived",
    "one turf: the doors of one walk",
    ("turf_set", "turf_id"),
    (
        _TURF_SET,
        Column("turf_id", "text", "The turf: its region and its number there.", required=True),
        _REGION,
        Column("method", "text", "Cut by `coordinates`, `streets` or `precincts`.", required=True),
        count("n_doors", "Doors."),
        count("n_people", "People behind them."),
        number(
            "walk_meters",
            "From the first door to the last, as the crow flies; null without coordinates.",
            "m",
        ),
        number("minutes", "At the doors and between them.", "minutes"),
        number("radius_meters", "Root mean square distance from the turf's middle.", "m"),
        number("latitude", "Of its middle; null without coordinates.", "degrees"),
        number("longitude", "Of its middle.", "degrees"),
        _AS_OF,
    ),
)

TURF_DOORS = TableSpec(
    "turf_doors",
    "derived",
    "one person behind a door of a turf",
    ("turf_set", "person_id"),
    (
        _TURF_SET,
        _PERSON,
        _HOUSEHOLD,
        Column("turf_id", "text", "The turf; null where there is none.", privacy="person"),
        Column("door", "integer", "Its place in the walk; 1 is the first.", privacy="person"),
        _REASON,
    ),
)

TURF_OPTIONS = TableSpec(
    "turf_options",
    "derived",
    "one way to cut the same doors into turfs",
    ("turf_set", "option"),
    (
        _TURF_SET,
        Column("option", "text", "`plan`, or a rule of thumb.", required=True),
        Column("about", "text", "What it does, in a sentence.", required=True),
        count("n_turfs", "Turfs."),
        count("n_doors", "Doors in them."),
        number("mean_minutes", "Mean work of a turf.", "minutes"),
        number("spread_minutes", "Standard deviation of the turfs' work.", "minutes"),
        number("longest_minutes", "Work of the longest turf.", "minutes"),
        number("share_within", "Turfs within the tolerance of the capacity or below it.", "share"),
        number("meters_per_door", "Mean walk from one door to the next.", "m"),
        number("meters_low", "Lower end of its 95 % interval, turfs drawn again.", "m"),
        number("meters_high", "Upper end.", "m"),
        number("radius_meters", "Root mean square distance from the turf's middle.", "m"),
        number("saved_minutes", "The plan's minutes less: this option's minutes for all doors.", "minutes"),
        _REASON,
    ),
)

VISIT_PLAN = TableSpec(
    "visit_plan",
    "derived",
    "one visit of the candidate, by the plan or by a rule of thumb",
    ("option", "day", "position"),
    (
        Column(
            "option", "text", "`plan`, `largest places`, `closest places` or `nearest places`.", required=True
        ),
        Column("day", "integer", "The day of travel; 1 is the first.", required=True),
        Column("position", "integer", "The visit's place in the day.", required=True),
        Column("place_id", "text", "The place.", required=True),
        Column("name", "text", "What people call it."),
        Column("starts_at", "time", "Start."),
        Column("ends_at", "time", "End."),
        number("travel_minutes", "From the place before, or from home.", "minutes"),
        number("latitude", "Degrees north.", "degrees"),
        number("longitude", "Degrees east.", "degrees"),
        number("net_votes", "Net votes moved there.", "votes"),
        number("low", "Lower end of the 95 % interval; it holds what the literature leaves open.", "votes"),
        number("high", "Upper end.", "votes"),
        number("value", "Net votes times what one is worth there, in the race's objective."),
        number("value_low", "Lower end of the 95 % interval."),
        number("value_high", "Upper end."),
        _AS_OF,
    ),
)

VISIT_OPTIONS = TableSpec(
    "visit_options",
    "derived",
    "one way to spend the candidate's days",
    ("option",),
    (
        Column("option", "text", "`plan`, or a rule of thumb.", required=True),
        Column("about", "text", "What it does, in a sentence.", required=True),
        count("n_visits", "Visits."),
        number("travel_hours", "On the road.", "hours"),
        number("net_votes", "Net votes moved.", "votes"),
        number("value", "What they are worth, in the race's objective."),
        number("low", "Lower end of the 95 % interval."),
        number("high", "Upper end."),
        number("bound", "No plan whatever is worth more, of the plan alone; null where it was not computed."),
        number("gap", "(bound - value) / bound.", "share"),
        number("advantage", "The plan's value less this option's."),
        number("advantage_low", "Lower end of the 95 % interval, paired."),
        number("advantage_high", "Upper end."),
        _AS_OF,
        _REASON,
    ),
)

COLLECTED = (SHIFTS, PLACE_COORDINATES)
DERIVED = (
    BALLOT_LISTS,
    FIELD_GOALS,
    SHIFT_FORECASTS,
    TURFS,
    TURF_DOORS,
    TURF_OPTIONS,
    VISIT_PLAN,
    VISIT_OPTIONS,
)
