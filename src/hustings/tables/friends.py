"""Tables of friends who ask friends: ties, asks made, who asks whom, and what else could be done."""

from __future__ import annotations

from hustings.tables.schema import Column, TableSpec, count, number

_SOURCE = Column("source", "text", "The source that said so: a `[sources.…]` section.", required=True)
_RECORDS = Column(
    "record_source", "text", "The source whose records both are (`people_from`).", required=True
)
_SUPPORTER = Column("record_id", "text", "The supporter's record.", privacy="person", required=True)
_OTHER = Column(
    "other_id", "text", "The friend's record in the same source.", privacy="person", required=True
)
_ARRIVED = Column("arrived_at", "time", "When the campaign could know of it.", required=True)
_LOAD = Column("load_id", "text", "The load that brought the row.", required=True)
_LINE = Column("line", "integer", "Its row in the file; the first row of data is 1.", required=True)
_PLAN = Column("plan_id", "text", "The plan: a `[sharing_plan.…]` section.", required=True)
_AS_OF = Column(
    "as_of", "day", "Nothing that happened or arrived on this day or later was used.", required=True
)
_REASON = Column("reason", "text", "Why a number is missing; null where it is there.")


TIES = TableSpec(
    "ties",
    "collected",
    "one contact of a supporter, with the consent to use it for one purpose",
    ("source", "record_source", "record_id", "other_id", "purpose"),
    (
        _SOURCE,
        _RECORDS,
        _SUPPORTER,
        _OTHER,
        Column("purpose", "text", "What the supporter has consented to: `ask`, … .", required=True),
        number("closeness", "How well they know each other, from 0 to 1; null where nobody said.", "share"),
        Column("consented_on", "day", "When the supporter consented; null where not: the tie is never used."),
        Column("withdrawn_on", "day", "When the consent was withdrawn."),
        _ARRIVED,
        _LOAD,
        _LINE,
    ),
)

FRIEND_ASKS = TableSpec(
    "friend_asks",
    "collected",
    "one friend whom a supporter was to ask, and whether it was done",
    ("source", "record_source", "record_id", "other_id", "action", "offered_on"),
    (
        _SOURCE,
        _RECORDS,
        _SUPPORTER,
        _OTHER,
        Column("action", "text", "What was to be asked.", required=True),
        Column("offered_on", "day", "When the supporter was told whom to ask.", required=True),
        Column("made_on", "day", "When the supporter asked; null where that did not happen."),
        _ARRIVED,
        _LOAD,
        _LINE,
    ),
)

SHARING_PLAN = TableSpec(
    "sharing_plan",
    "derived",
    "one supporter who is to ask one friend",
    ("plan_id", "supporter_id", "target_id"),
    (
        _PLAN,
        Column("supporter_id", "text", "Who asks.", privacy="person", required=True),
        Column("target_id", "text", "Who is asked.", privacy="person", required=True),
        Column("household_id", "text", "The friend's household.", privacy="person", required=True),
        Column("place_id", "text", "Where the friend votes.", privacy="person"),
        Column("rank", "integer", "1 for the friend's best ask, 2 for a second one, … .", "", "person", True),
        Column("action", "text", "What is asked: an `[actions.…]` section.", required=True),
        Column(
            "held_out", "boolean", "The friend's household is drawn as control: do not ask.", required=True
        ),
        Column(
            "p_asks", "number", "Probability that the supporter does it, from past asks.", "share", "person"
        ),
        Column("closeness", "number", "How well they know each other.", "share", "person"),
        number("gain", "Expected of this ask, in the campaign's aim; 0 when held out."),
        number("std_error", "Its standard error."),
        _AS_OF,
    ),
)

SHARING_OPTIONS = TableSpec(
    "sharing_options",
    "derived",
    "one way to have friends ask friends",
    ("plan_id", "option"),
    (
        _PLAN,
        Column("option", "text", "`plan`, or a rule of thumb.", required=True),
        Column("about", "text", "What it does, in a sentence.", required=True),
        Column("unit", "text", "What `gain` counts: `added_ballots`, `net_votes` or `win`.", required=True),
        count("n_supporters", "Supporters who are to ask."),
        count("n_asks", "Asks."),
        count("n_targets", "Friends who are asked."),
        number("cost_cents", "What it costs.", "cents"),
        number("votes", "Expected added ballots or net votes."),
        number("gain", "Expected, in the campaign's aim."),
        number("std_error", "Of `gain`: what is not known of the effect, the places and the supporters."),
        number("low", "Lower end of the 95 % interval."),
        number("high", "Upper end."),
        number("bound", "No plan within the limits gains more; of the plan alone, before control."),
        number("gap", "How far below the bound the plan is at most.", "share"),
        number("advantage", "The plan's gain less this option's."),
        number("advantage_low", "Lower end of the 95 % interval, paired."),
        number("advantage_high", "Upper end."),
        _AS_OF,
        _REASON,
    ),
)

SHARING_TIES = TableSpec(
    "sharing_ties",
    "derived",
    "why a plan may use ties, or may not",
    ("plan_id", "use"),
    (
        _PLAN,
        Column("use", "text", "`may be used`, or why not.", required=True),
        Column("n_ties", "integer", "Ties.", required=True),
    ),
)

COLLECTED = (TIES, FRIEND_ASKS)
DERIVED = (SHARING_PLAN, SHARING_OPTIONS, SHARING_TIES)
