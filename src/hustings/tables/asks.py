"""Tables of asking for money: what the law allows, who gives, whom to ask for what, what will come in."""

from __future__ import annotations

from hustings.tables.schema import Column, TableSpec, count, number

_PERSON = Column("person_id", "text", "The person.", privacy="person", required=True)
_PLAN = Column("plan_id", "text", "The plan: an `[ask_plan.…]` section.", required=True)
_CHANNEL = Column("channel", "text", "`email`, `phone`, `text` or `mail`.", required=True)
_SEGMENT = Column("segment", "text", "Givers alike: by last gift, how long ago, one click or not.")
_STRING = Column("string", "text", "What was suggested: an arm of the tests.")
_AS_OF = Column("as_of", "day", "Nothing that happened or arrived later was used.", required=True)
_REASON = Column("reason", "text", "Why a number is missing, or what was changed; null where nothing is.")


def _of_person(name: str, about: str, unit: str = "") -> Column:
    return Column(name, "number", about, unit, "person")


LIMITS = TableSpec(
    "limits",
    "derived",
    "what one person may give, by law, in a span of time",
    ("jurisdiction", "office", "starts_on"),
    (
        Column("jurisdiction", "text", "`federal`, or a state's two letters.", required=True),
        Column("office", "text", "`candidate`, `party`, … .", required=True),
        Column("starts_on", "day", "The first day on which it holds.", required=True),
        Column("ends_on", "day", "The last one; null while it holds."),
        Column("per", "text", "`election` (primary and general each) or `cycle`.", required=True),
        Column(
            "cents", "integer", "The most that one person may give; null where there is no limit.", "cents"
        ),
        Column("source", "text", "Where it stands.", required=True),
    ),
)

ELECTION_LIMITS = TableSpec(
    "election_limits",
    "derived",
    "one election that money may be given for",
    ("election",),
    (
        Column("election", "text", "As gifts name it in `election_kind`.", required=True),
        Column("held_on", "day", "Its day.", required=True),
        Column("is_current", "boolean", "Money is asked for this one now.", required=True),
        Column("limit_cents", "integer", "What one person may give for it; null without a limit.", "cents"),
        Column("source", "text", "Where the limit stands."),
        _AS_OF,
        _REASON,
    ),
)

DONORS = TableSpec(
    "donors",
    "derived",
    "one person who has given, or whose gift the law counts",
    ("person_id",),
    (
        _PERSON,
        Column("n_gifts", "integer", "Gifts that may be used in asking.", privacy="person", required=True),
        _of_person("total_given", "Their sum.", "cents"),
        Column("first_gift_on", "day", "The first.", privacy="person"),
        Column("last_gift_on", "day", "The latest.", privacy="person"),
        _of_person("last_gift_cents", "Its amount.", "cents"),
        _of_person("received_cents", "For the election now asked for: gifts less refunds.", "cents"),
        _of_person("headroom_cents", "What the law still allows for it; null where it is not known or nothing limits it.", "cents"),
        _of_person("pledged_cents", "Pledged and not received yet: counted nowhere else.", "cents"),
        Column("one_click", "boolean", "Has a card on file.", privacy="person", required=True),
        Column("is_recurring", "boolean", "A recurring gift is running.", privacy="person", required=True),
        Column("missing", "text", "`employer`, `occupation` or both.", privacy="person"),
        Column("may_be_asked", "boolean", "False for names from a source that may not be solicited, and where the headroom is not known.", privacy="person", required=True),
        _AS_OF,
        _REASON,
    ),
)  # fmt: skip

BEST_EFFORTS = TableSpec(
    "best_efforts",
    "derived",
    "one giver above the threshold of itemisation whose employer or occupation is missing",
    ("person_id",),
    (
        _PERSON,
        _of_person("total_cents", "Given in the cycle, refunds taken off.", "cents"),
        Column("missing", "text", "`employer`, `occupation` or both.", privacy="person", required=True),
        Column("last_gift_on", "day", "The latest gift.", privacy="person", required=True),
        Column("due_on", "day", "The last day for the request that the law asks for.", required=True),
        Column("asked_on", "day", "When it was last asked for; null when it was not.", privacy="person"),
        _AS_OF,
    ),
)

ASK_STRINGS = TableSpec(
    "ask_strings",
    "derived",
    "what one ask string brought from one segment of givers",
    ("plan_id", "channel", "segment", "string"),
    (
        _PLAN,
        _CHANNEL,
        Column("segment", "text", "Givers alike; `everyone` for all together.", required=True),
        Column("string", "text", "What was suggested: an arm of the tests.", required=True),
        Column("is_rule", "boolean", "The rule of thumb that all others are read against.", required=True),
        Column("is_chosen", "boolean", "What the plan suggests to this segment.", required=True),
        number("smallest_cents", "Smallest amount suggested in the tests.", "cents"),
        number("largest_cents", "Largest amount suggested in the tests: nothing larger is asked.", "cents"),
        count("n_asked", "People asked so, tests together."),
        count("n_gave", "Those who gave within the horizon."),
        number("revenue", "Cents a person asked, as it shows.", "cents"),
        number("std_error", "Of it.", "cents"),
        number("expected", "The same, shrunk: what to expect from now on.", "cents"),
        number("low", "Lower end of its 95 % interval.", "cents"),
        number("high", "Upper end.", "cents"),
        number("gain", "Expected less that of the rule, a person asked.", "cents"),
        number("gain_low", "Lower end of the 95 % interval of that difference.", "cents"),
        number("gain_high", "Upper end.", "cents"),
        number("p_best", "Probability of being the best of the segment's strings.", "share"),
        _REASON,
    ),
)

ASK_PLAN = TableSpec(
    "ask_plan",
    "derived",
    "one person to be asked for money",
    ("plan_id", "person_id"),
    (
        _PLAN,
        _PERSON,
        Column("household_id", "text", "The household.", privacy="person", required=True),
        _CHANNEL,
        _SEGMENT,
        _STRING,
        Column("held_out", "boolean", "Chosen, but drawn into the control group: do not ask.", required=True),
        Column("amounts", "text", "What to suggest, in the currency: `25, 50, 100`.", privacy="person", required=True),
        Column("smallest_cents", "integer", "The smallest of them.", "cents", "person", required=True),
        Column("largest_cents", "integer", "The largest: never above `headroom_cents`.", "cents", "person", required=True),
        _of_person("headroom_cents", "What the law still allows; null where nothing limits it.", "cents"),
        Column("one_click", "boolean", "Can give with one click: asked first.", privacy="person", required=True),
        Column("ask_on", "day", "When.", required=True),
        count("rank", "Order within the channel; 1 is first."),
        number("cost_cents", "Of the ask; 0 when held out.", "cents"),
        _of_person("expected_cents", "What the ask is expected to bring.", "cents"),
        _of_person("low", "Lower end of the 95 % interval of that expectation.", "cents"),
        _of_person("high", "Upper end.", "cents"),
        _AS_OF,
        _REASON,
    ),
)  # fmt: skip

ASK_OPTIONS = TableSpec(
    "ask_options",
    "derived",
    "one way to ask for money at the same cost, and what it would bring",
    ("plan_id", "option"),
    (
        _PLAN,
        Column("option", "text", "`plan`, or a rule of thumb.", required=True),
        Column("about", "text", "What it does, in a sentence.", required=True),
        count("n_people", "People asked."),
        number("cost_cents", "What it costs.", "cents"),
        number("expected_cents", "Expected to come in.", "cents"),
        number("low", "Lower end of the 95 % interval of that expectation.", "cents"),
        number("high", "Upper end.", "cents"),
        number("advantage", "The plan's expected cents less this option's.", "cents"),
        number("advantage_low", "Lower end of its 95 % interval, paired.", "cents"),
        number("advantage_high", "Upper end.", "cents"),
        number("test_advantage", "Choosing strings by segment against this string for all, on people it was not chosen by: cents a person asked.", "cents"),
        number("test_error", "Its standard error.", "cents"),
        number("p_value", "One-sided: that choosing is no better than this option.", "share"),
        _AS_OF,
        _REASON,
    ),
)  # fmt: skip

ASK_EXCLUSIONS = TableSpec(
    "ask_exclusions",
    "derived",
    "why people are not asked",
    ("plan_id", "why"),
    (
        _PLAN,
        Column("why", "text", "In a sentence.", required=True),
        Column("n_people", "integer", "How many.", required=True),
        _AS_OF,
    ),
)

CALL_SHEETS = TableSpec(
    "call_sheets",
    "derived",
    "one call of the next call time",
    ("plan_id", "person_id"),
    (
        _PLAN,
        _PERSON,
        Column("household_id", "text", "The household.", privacy="person", required=True),
        Column("call_on", "day", "The day.", required=True),
        Column("rank", "integer", "Order of the calls, most expected money a minute first.", required=True),
        Column("ask_cents", "integer", "What to ask for.", "cents", "person", required=True),
        _of_person("legal_maximum_cents", "What the law still allows for this election; null without a limit.", "cents"),
        Column("n_gifts", "integer", "Gifts so far.", privacy="person", required=True),
        _of_person("total_given", "Their sum.", "cents"),
        Column("last_gift_on", "day", "The latest.", privacy="person"),
        _of_person("last_gift_cents", "Its amount.", "cents"),
        _of_person("pledged_cents", "Pledged and not received.", "cents"),
        Column("missing", "text", "What to ask for besides: employer, occupation.", privacy="person"),
        Column("say", "text", "What to say, in two sentences.", privacy="person", required=True),
        _of_person("expected_cents", "What the call is expected to bring; null where no test of calls says.", "cents"),
        _of_person("low", "Lower end of the 95 % interval of that expectation.", "cents"),
        _of_person("high", "Upper end.", "cents"),
        _of_person("cents_per_minute", "Expected, for each minute of the caller.", "cents"),
        _AS_OF,
        _REASON,
    ),
)  # fmt: skip

MONEY_FORECAST = TableSpec(
    "money_forecast",
    "derived",
    "one day's money, past or to come",
    ("day_on",),
    (
        Column("day_on", "day", "The day.", required=True),
        Column("is_past", "boolean", "Before `as_of`: what came, not what is expected.", required=True),
        number("of_day", "Money of the day, refunds not taken off.", "cents"),
        number("of_day_low", "Lower end of its 95 % interval.", "cents"),
        number("of_day_high", "Upper end.", "cents"),
        number("new_cents", "Of it, from people who had not given before.", "cents"),
        number("repeat_cents", "From those who had.", "cents"),
        number("recurring_cents", "From recurring gifts that run.", "cents"),
        number("asks_cents", "From the asks that are planned, over and above.", "cents"),
        number(
            "received",
            "Received so far, refunds taken off; no later gift is in it: what may be spent.",
            "cents",
        ),
        number(
            "total",
            "Received up to the end of the day, refunds taken off, as it was or is expected.",
            "cents",
        ),
        number("low", "Lower end of the 95 % interval of the total.", "cents"),
        number("high", "Upper end.", "cents"),
        number("rule", "Rule of thumb: the mean of the last four weeks goes on.", "cents"),
        number("goal", "To be reached by the deadline.", "cents"),
        number("p_goal", "Probability that the total has reached the goal by the end of the day.", "share"),
        _AS_OF,
        _REASON,
    ),
)

SUSTAINERS = TableSpec(
    "sustainers",
    "derived",
    "recurring givers by how many payments they have made: who stays, who will",
    ("n_payments",),
    (
        Column("n_payments", "integer", "Months since the first payment, that one counted.", required=True),
        count("n_active", "Recurring gifts that run."),
        number("p_stay", "Probability that one of them pays next month too.", "share"),
        number("p_stay_low", "Lower end of its 95 % interval.", "share"),
        number("p_stay_high", "Upper end.", "share"),
        number("payments_to_come", "Expected payments of each within the next twelve months."),
        number("cents_a_month", "What they pay together now.", "cents"),
        _AS_OF,
        _REASON,
    ),
)

ASKED = (
    *(LIMITS, ELECTION_LIMITS, DONORS, BEST_EFFORTS, ASK_STRINGS, ASK_PLAN, ASK_OPTIONS),
    *(ASK_EXCLUSIONS, CALL_SHEETS, MONEY_FORECAST, SUSTAINERS),
)
