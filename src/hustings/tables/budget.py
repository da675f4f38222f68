"""Tables of the one budget, and of how right the department has been."""

from __future__ import annotations

from hustings.tables.schema import Column, TableSpec, number

_AS_OF = Column(
    "as_of", "day", "Nothing that happened or arrived on this day or later was used.", required=True
)
_REASON = Column(
    "reason", "text", "Why a number is missing, or why nothing is spent; null where it is there."
)
_DECISION = Column("decision_id", "text", "The decision; a row of `decisions`.", required=True)
_UNIT = Column("unit", "text", "What gains count: `added_ballots`, `net_votes` or `win`.")


BUDGET = TableSpec(
    "budget",
    "derived",
    "what one way to divide the money gives one offer, and what it gains there",
    ("way", "offer"),
    (
        Column("way", "text", "`plan`, `robust`, or the rule of thumb.", required=True),
        Column("offer", "text", "The offer: the node of its plan.", required=True),
        Column("channel", "text", "How people are reached."),
        _UNIT,
        Column("tested", "boolean", "Whether the campaign's own randomised test stands behind it."),
        number("cents", "Money for it.", "cents"),
        number(
            "now_cents", "The part that today's cash pays for; the rest waits until money is there.", "cents"
        ),
        number("share", "Share of all the money that is spent.", "share"),
        number("gain", "Expected."),
        number("low", "Lower end of the 95 % interval."),
        number("high", "Upper end."),
        number("votes", "Expected net votes, or added ballots."),
        number("raised_cents", "Expected gifts, of an ask.", "cents"),
        number("per_step", "What the last money spent on it gains for one step of money more."),
        number("next_cents", "Of the next step of money.", "cents"),
        number("next_gain", "What that adds."),
        number("next_low", "Lower end of the 95 % interval."),
        number("next_high", "Upper end."),
        number("last_cents", "Of the last step of money.", "cents"),
        number("last_gain", "What that added."),
        number("last_low", "Lower end of the 95 % interval."),
        number("last_high", "Upper end."),
        number("p_in", "Share of draws in whose best division something is spent on it.", "share"),
        Column("starts_on", "day", "The first day on which its money is spent."),
        _AS_OF,
        _REASON,
    ),
)

BUDGET_OPTIONS = TableSpec(
    "budget_options",
    "derived",
    "one way to divide the money, as a whole",
    ("way",),
    (
        Column("way", "text", "`plan`, `robust`, or the rule of thumb.", required=True),
        Column("about", "text", "What it does, in a sentence.", required=True),
        _UNIT,
        number("cents", "Money spent.", "cents"),
        Column("n_offers", "integer", "Offers that get some."),
        number("gain", "Expected."),
        number("std_error", "Over draws of effects and of the forecast."),
        number("low", "Lower end of the 95 % interval."),
        number("high", "Upper end."),
        number("votes", "Expected net votes, or added ballots."),
        number("advantage", "The plan's gain less this one's."),
        number("advantage_low", "Lower end of the 95 % interval, over the same draws."),
        number("advantage_high", "Upper end."),
        number("p_behind", "Share of draws in which the plan gains more than this way.", "share"),
        number("p_near", "Share of draws in which it misses at most `near` of the best gain.", "share"),
        number("regret", "Expected gain missed against the best division of each draw."),
        number("step_cents", "One step of money, as in `[budget]`; the plan only.", "cents"),
        number("price", "What one more step of money today would gain at the margin; the plan only."),
        number("next_gain", "What the next step of money adds in all."),
        number("next_low", "Lower end of the 95 % interval."),
        number("next_high", "Upper end."),
        number("last_gain", "What the last step of money added in all."),
        number("last_low", "Lower end of the 95 % interval."),
        number("last_high", "Upper end."),
        number("bound", "No division whatever gains more, in expectation; the plan only."),
        number("gap", "(bound - gain) / bound.", "share"),
        number("reserve_cents", "Kept back.", "cents"),
        number("reserve_lost", "Gain lost if the reserve is never spent."),
        number(
            "reserve_known",
            "Gain above spending all today, if every effect were known before it is spent: at most.",
        ),
        number("raised_cents", "Expected gifts of the asks in it.", "cents"),
        _AS_OF,
        _REASON,
    ),
)

DECISION_EVENTS = TableSpec(
    "decision_events",
    "kept",
    "one thing that became of a decision",
    ("event_id",),
    (
        Column("event_id", "text", "The event.", required=True),
        _DECISION,
        Column("event", "text", "`accepted`, `refused`, `interim` or `measured`.", required=True),
        Column("by", "text", "Who decided; the department itself for what is measured.", required=True),
        Column("happened_at", "time", "When.", required=True),
        Column("note", "text", "Why, in the words of who decided; the outcome, of a measurement."),
        number("value", "Added ballots found, of a measurement.", "ballots"),
        number("std_error", "Its standard error.", "ballots"),
        Column("n_treated", "integer", "People who were to be reached."),
        Column("n_control", "integer", "People held out."),
    ),
)

DECIDED_PEOPLE = TableSpec(
    "decided_people",
    "kept",
    "one person on the list that was accepted, for one action; those held out included",
    ("decision_id", "person_id", "action"),
    (
        _DECISION,
        Column("person_id", "text", "The person.", privacy="person", required=True),
        Column("household_id", "text", "The household.", privacy="person", required=True),
        Column("action", "text", "What was to be done.", required=True),
        Column("held_out", "boolean", "In the control group.", required=True),
        number("added_ballots", "Predicted for this person when it was decided.", "ballots"),
        number("published", "The same by the literature alone.", "ballots"),
    ),
)

LEDGER = TableSpec(
    "ledger",
    "derived",
    "one decision with what became of it",
    ("decision_id",),
    (
        _DECISION,
        Column("plan_id", "text", "The plan.", required=True),
        Column("proposed_on", "day", "The day it speaks of.", required=True),
        Column("question", "text", "What was to be decided.", required=True),
        Column(
            "status",
            "text",
            "`open`, `replaced`, `refused`, `accepted`, `acted` or `measured`.",
            required=True,
        ),
        _UNIT,
        number("expected", "Expected gain when it was proposed."),
        number("low", "Lower end of its 95 % interval."),
        number("high", "Upper end."),
        number("cost_cents", "What it costs.", "cents"),
        Column("rule", "text", "The rule of thumb it replaces."),
        number("rule_expected", "What that rule would bring at the same cost."),
        Column("decided_by", "text", "Who accepted or refused it."),
        Column("decided_at", "time", "When."),
        Column("note", "text", "Why."),
        Column("acted_at", "time", "When its list first left the building."),
        Column("n_treated", "integer", "People who were to be reached."),
        Column("n_control", "integer", "People held out, by household, drawn when it was planned."),
        Column("available_on", "day", "When the outcome can be known."),
        number("predicted", "Added ballots predicted for the people who were to be reached.", "ballots"),
        number("published", "The same by the literature alone, without the campaign's own tests.", "ballots"),
        Column("interim_outcome", "text", "What is known before the outcome is."),
        number("interim", "What has been gained of that so far: not yet votes.", "ballots"),
        number("interim_error", "Its standard error.", "ballots"),
        number("measured", "Added ballots found against those held out.", "ballots"),
        number("measured_error", "Its standard error.", "ballots"),
        number("measured_low", "Lower end of the 95 % interval.", "ballots"),
        number("measured_high", "Upper end.", "ballots"),
        number("error", "Measured less predicted.", "ballots"),
        _AS_OF,
        _REASON,
    ),
)

LEDGER_FITS = TableSpec(
    "ledger_fits",
    "derived",
    "how right one source of expectations has been, over all measured decisions",
    ("source",),
    (
        Column("source", "text", "`plans`, or `published`: the literature alone.", required=True),
        Column("n_decisions", "integer", "Measured decisions."),
        number("intercept", "Measured points where none were predicted.", "points"),
        number("intercept_low", "Lower end of the 95 % interval.", "points"),
        number("intercept_high", "Upper end.", "points"),
        number("slope", "Measured points for each that was predicted; 1 is right."),
        number("slope_low", "Lower end of the 95 % interval."),
        number("slope_high", "Upper end."),
        number(
            "spread", "Standard deviation of what is measured around the line beyond its errors.", "points"
        ),
        number("bias", "Mean of measured less predicted.", "points"),
        number("bias_low", "Lower end of the 95 % interval.", "points"),
        number("bias_high", "Upper end.", "points"),
        number(
            "excess", "Mean of error² less squared standard error: 0 when expectations are right.", "points²"
        ),
        number("excess_error", "Its standard error.", "points²"),
        _AS_OF,
        _REASON,
    ),
)

BUDGETED = (BUDGET, BUDGET_OPTIONS, LEDGER, LEDGER_FITS)
REMEMBERED = (DECISION_EVENTS, DECIDED_PEOPLE)
