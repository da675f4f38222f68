"""Derived tables of what to do, and what to say in the morning."""

from __future__ import annotations

from hustings.tables.schema import Column, TableSpec, count, number

_PERSON = Column("person_id", "text", "The person.", privacy="person", required=True)
_HOUSEHOLD = Column("household_id", "text", "The household.", privacy="person", required=True)
_AS_OF = Column(
    "as_of", "day", "Nothing that happened or arrived on this day or later was used.", required=True
)
_ACTION = Column("action", "text", "What can be done: an `[actions.…]` section.", required=True)
_PLAN = Column("plan_id", "text", "The plan: a `[contact_plan.…]` section.", required=True)
_UNIT = Column("unit", "text", "What gains count: `added_ballots`, `net_votes` or `win`.")
_REASON = Column("reason", "text", "Why a number is missing; null where it is there.")


ACTIONS = TableSpec(
    "actions",
    "derived",
    "what can be done",
    ("action",),
    (
        _ACTION,
        Column("channel", "text", "`mail`, `phone`, `door`, … .", required=True),
        Column("experiment", "text", "The test that measured it; null where no own test did."),
        Column("arm", "text", "Its arm in that test."),
        Column("unit_cost_cents", "integer", "Cost of one unit.", "cents", required=True),
        Column("reaches", "text", "Who one unit reaches: `household` or `person`.", required=True),
        Column("needs_approval", "boolean", "May not be recommended without a name.", required=True),
        Column("approved_by", "text", "Who approved it."),
        Column("concern", "text", "Why it needs approval."),
        Column(
            "kind", "text", "Of actions of one kind, as one letter on several dates, a household gets one."
        ),
        Column("sent_on", "day", "When it goes out; null where the day is free."),
        count("most", "Units that there can be at most; null for no limit."),
        count("smallest", "Units below which it is not done at all."),
        number("unit_minutes", "Of a caller or a canvasser, for one unit.", "minutes"),
    ),
)

CONTACT_PLAN = TableSpec(
    "contact_plan",
    "derived",
    "one person in a household chosen for one action",
    ("plan_id", "person_id", "action"),
    (
        _PLAN,
        _PERSON,
        _HOUSEHOLD,
        _ACTION,
        Column(
            "held_out", "boolean", "Chosen, but drawn into the control group: do not contact.", required=True
        ),
        Column(
            "is_addressee", "boolean", "The one person of the household named on the piece.", required=True
        ),
        Column("cost_cents", "number", "Cost borne by this row; 0 when held out.", "cents"),
        number(
            "added_ballots", "Predicted for this person; the plan's own gain stands in `options`.", "ballots"
        ),
        number("std_error", "Its standard error.", "ballots"),
        number("net_votes", "Predicted for this person; null where support is not asked for.", "votes"),
        number("gain", "What it is expected to add for this person, in `unit`."),
        _UNIT,
        Column("channel", "text", "How the person is reached."),
        Column("sent_on", "day", "When; null where the day is free."),
        Column("evidence", "text", "What the effect rests on."),
    ),
)

OPTIONS = TableSpec(
    "options",
    "derived",
    "one way to spend a plan's budget; what a test of the campaign's own measured is valued on people it was not "
    "fitted to",
    ("plan_id", "option", "estimator"),
    (
        _PLAN,
        Column("option", "text", "`plan`, `plan if all approved`, or a rule of thumb.", required=True),
        Column("estimator", "text", "`aipw` (cross-fitted, doubly robust) or `ipw` (Hájek).", required=True),
        Column("about", "text", "What it does, in a sentence.", required=True),
        count("n_people", "People reached."),
        count("n_households", "Households reached: pieces sent."),
        Column("cost_cents", "number", "What it costs.", "cents"),
        _UNIT,
        number("gain", "What it is expected to gain, in `unit`."),
        number(
            "std_error", "Clustered by household, and of the literature where no own test stands behind it."
        ),
        number("low", "Lower end of the 95 % interval."),
        number("high", "Upper end."),
        number("per_1000", "Gain for 1,000 of the currency."),
        number("per_1000_low", "Lower end of its interval."),
        number("per_1000_high", "Upper end."),
        number("advantage", "The plan's gain less this option's."),
        number("advantage_low", "Lower end of the 95 % interval, paired."),
        number("advantage_high", "Upper end."),
        number("predicted", "What the predictions add up to: never the gain to expect."),
        number("votes", "Expected added ballots or net votes, whatever the unit.", "votes"),
        number("tested", "Share of the gain that an own randomised test stands behind.", "share"),
        number(
            "gap",
            "Of the plan: no plan within all limits is predicted to gain more than this share more.",
            "share",
        ),
        _REASON,
    ),
)

GOALS = TableSpec(
    "goals",
    "derived",
    "one target and where it stands",
    ("goal",),
    (
        Column("goal", "text", "Which: a `[goals.…]` section.", required=True),
        Column("about", "text", "What is counted, in the words of the team.", required=True),
        number("target", "To be reached by `due_on`."),
        number("actual", "Reached before `as_of`."),
        number("expected", "Where a straight line from start to target stands."),
        Column("due_on", "day", "The day by which.", required=True),
        Column("status", "text", "`ahead`, `on plan`, `behind` or `not started`.", required=True),
        _AS_OF,
    ),
)

BRIEFING = TableSpec(
    "briefing",
    "derived",
    "one finding of the day",
    ("rank",),
    (
        count("rank", "1 is the most important."),
        Column(
            "kind",
            "text",
            "`headline`, `decision`, `forecast`, `lift`, `score`, `plan`, `goal` or `data`.",
            required=True,
        ),
        Column("finding", "text", "One sentence.", required=True),
        Column("detail", "text", "What it rests on.", required=True),
        Column("action", "text", "What to do about it."),
        _AS_OF,
    ),
)

PLANNED = (ACTIONS, CONTACT_PLAN, OPTIONS, GOALS, BRIEFING)
