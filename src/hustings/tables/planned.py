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
_REASON = Column("reason", "text", "Why a number is missing; null where it is there.")


ACTIONS = TableSpec(
    "actions",
    "derived",
    "what can be done",
    ("action",),
    (
        _ACTION,
        Column("channel", "text", "`mail`, `phone`, `door`, … .", required=True),
        Column("experiment", "text", "The test that measured it.", required=True),
        Column("arm", "text", "Its arm in that test.", required=True),
        Column("unit_cost_cents", "integer", "Cost of one unit.", "cents", required=True),
        Column("reaches", "text", "Who one unit reaches: `household` or `person`.", required=True),
        Column("needs_approval", "boolean", "May not be recommended without a name.", required=True),
        Column("approved_by", "text", "Who approved it."),
        Column("concern", "text", "Why it needs approval."),
    ),
)

CONTACT_PLAN = TableSpec(
    "contact_plan",
    "derived",
    "one person in a household chosen for one action",
    ("plan_id", "person_id"),
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
    ),
)

OPTIONS = TableSpec(
    "options",
    "derived",
    "one way to spend a plan's budget, valued on people it was not fitted to",
    ("plan_id", "option", "estimator"),
    (
        _PLAN,
        Column("option", "text", "`plan`, `plan if all approved`, or a rule of thumb.", required=True),
        Column("estimator", "text", "`aipw` (cross-fitted, doubly robust) or `ipw` (Hájek).", required=True),
        Column("about", "text", "What it does, in a sentence.", required=True),
        count("n_people", "People reached."),
        count("n_households", "Households reached: pieces sent."),
        Column("cost_cents", "number", "What it costs.", "cents"),
        number("added_ballots", "Expected added ballots.", "ballots"),
        number("std_error", "Clustered by household.", "ballots"),
        number("low", "Lower end of the 95 % interval.", "ballots"),
        number("high", "Upper end.", "ballots"),
        number("per_1000", "Added ballots for 1,000 of the currency.", "ballots"),
        number("per_1000_low", "Lower end of its interval.", "ballots"),
        number("per_1000_high", "Upper end.", "ballots"),
        number("advantage", "The plan's added ballots less this option's.", "ballots"),
        number("advantage_low", "Lower end of the 95 % interval, paired.", "ballots"),
        number("advantage_high", "Upper end.", "ballots"),
        number(
            "predicted", "What the model's own predictions add up to: never the gain to expect.", "ballots"
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
