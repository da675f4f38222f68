"""Derived tables of message tests, and of what is known of an action from all tests together."""

from __future__ import annotations

from hustings.tables.schema import Column, TableSpec, count, number

_MESSAGE = Column("message", "text", "The message test: a `[messages.…]` section.", required=True)
_ARM = Column("arm", "text", "The variant: an arm of the tests that sent it.", required=True)
_OUTCOME = Column("outcome", "text", "What is measured.", required=True)
_REASON = Column("reason", "text", "Why a number is missing; null where it is there.")


MESSAGES = TableSpec(
    "messages",
    "derived",
    "one variant of a message, and whether to send it",
    ("message", "arm", "outcome"),
    (
        _MESSAGE,
        _ARM,
        _OUTCOME,
        Column("is_control", "boolean", "The variant that all others are read against.", required=True),
        Column("is_hunch", "boolean", "Named beforehand as the one that would win.", required=True),
        Column("is_winner", "boolean", "The one to send: the highest after shrinking."),
        Column("is_amount", "boolean", "Numbers are cents a recipient, not shares.", required=True),
        count("n", "Recipients whose outcome is known, over all sends."),
        count("n_missing", "Recipients whose outcome is not known."),
        count("n_responders", "Recipients whose outcome is not 0."),
        number("response_rate", "Responders among the recipients whose outcome is known.", "share"),
        number(
            "mean",
            "Outcome a recipient, less what its sends brought to everyone; see `difference` for its error.",
        ),
        number("difference", "Mean less control's, as it shows; null for control."),
        number("std_error", "Of the difference, clustered by the randomised unit."),
        number("low", "Lower end of the 95 % interval of the difference."),
        number("high", "Upper end."),
        number("gain", "The difference to expect from now on: shrunk by empirical Bayes."),
        number("gain_low", "Lower end of its 95 % interval, over all spreads between variants."),
        number("gain_high", "Upper end."),
        number("p_best", "Probability that the variant is the best of all.", "share"),
        number("expected_loss", "Lost a recipient, on average, by sending it to everyone from now on."),
        number("next_share", "Share of the next batch that should get it.", "share"),
        number("half_life", "Sends after which half of the difference is left.", "sends"),
        number("half_life_low", "Lower end of its 95 % interval.", "sends"),
        number("half_life_high", "Upper end.", "sends"),
        Column("novelty", "text", "Why no half-life is told; null where one is."),
        _REASON,
    ),
)

MESSAGE_SENDS = TableSpec(
    "message_sends",
    "derived",
    "one variant in one send",
    ("message", "arm", "outcome", "send"),
    (
        _MESSAGE,
        _ARM,
        _OUTCOME,
        count("send", "Number of the send; 1 is the first."),
        Column("experiment", "text", "The test: an `[experiments.…]` section.", required=True),
        count("n", "Recipients whose outcome is known."),
        number("mean", "Outcome a recipient; see `difference` for its error."),
        number("difference", "Mean less control's; null for control."),
        number("std_error", "Clustered by the randomised unit."),
        number("low", "Lower end of the 95 % interval."),
        number("high", "Upper end."),
        _REASON,
    ),
)

HUNCH_COSTS = TableSpec(
    "hunch_costs",
    "derived",
    "what another choice would have cost, against the variant to send",
    ("message", "outcome", "rule"),
    (
        _MESSAGE,
        _OUTCOME,
        Column("rule", "text", "`hunch: …`, `control: …`, or `a variant at random`.", required=True),
        Column("winner", "text", "The variant to send."),
        number("shown", "Mean of the winner less that of the other choice, as it shows: too high."),
        number("cost", "The same after shrinking: what the other choice loses a recipient."),
        number("low", "Lower end of its 95 % interval."),
        number("high", "Upper end."),
        count("n_remaining", "Recipients who have not been written to yet."),
        number("total", "The cost for all of them."),
        number("total_low", "Lower end of its 95 % interval."),
        number("total_high", "Upper end."),
        _REASON,
    ),
)

EVIDENCE = TableSpec(
    "evidence",
    "derived",
    "what is known of an action from the literature and the campaign's own tests",
    ("action", "outcome"),
    (
        Column(
            "action", "text", "An `[actions.…]` section, or a method that none of them uses.", required=True
        ),
        Column("outcome", "text", "What it changes, as the campaign names it.", required=True),
        Column("method", "text", "The kind of action in the literature.", required=True),
        Column("channel", "text", "`mail`, `phone`, `door`, … .", required=True),
        Column("is_tested", "boolean", "Whether this very action has a lift of its own.", required=True),
        count("n_tests", "Lifts of this method that the campaign measured itself."),
        number("contact_rate", "Share of the assigned who are reached.", "share"),
        Column("contact_rate_from", "text", "`own test`, `campaign.toml` or `literature`.", required=True),
        Column(
            "estimand",
            "text",
            "What was published: the effect on a `contact` or on an `assignment`.",
            required=True,
        ),
        number("published", "The effect as published, on that scale; before discounts.", "share"),
        number("published_per_vote", "The same as 1 in so many; null where it is nil.", "contacts"),
        number("prior", "Per person assigned, after discounts, before own tests.", "share"),
        number("prior_error", "Of the mean of such actions.", "share"),
        number("prior_spread", "Standard deviation of true effects between tests.", "share"),
        number("discount", "Share of the published effect that is believed here, for age and setting."),
        number("own_estimate", "The action's own lift, intention to treat; null where none.", "share"),
        number("own_error", "Its standard error.", "share"),
        number("own_weight", "Weight of all own tests in `estimate`; the prior has the rest.", "share"),
        number("estimate", "Effect of this action per person assigned.", "share"),
        number("std_error", "Posterior standard deviation.", "share"),
        number("low", "Lower end of the 95 % interval.", "share"),
        number("high", "Upper end.", "share"),
        number("new_estimate", "Effect of another action of this method, in a new test.", "share"),
        number("new_error", "Its posterior standard deviation, spread between tests included.", "share"),
        number("new_low", "Lower end of the 95 % interval.", "share"),
        number("new_high", "Upper end.", "share"),
        number("contacts_per_vote", "1 in so many people reached; null where none is expected.", "contacts"),
        number("contacts_per_vote_low", "The fewest, by the 95 % interval.", "contacts"),
        number("contacts_per_vote_high", "The most; null where there may be no effect.", "contacts"),
        Column(
            "told", "text", "What speaks: the literature, own tests, or both; in a sentence.", required=True
        ),
        Column("source", "text", "Of the prior.", required=True),
        _REASON,
    ),
)

LEARNED = (MESSAGES, MESSAGE_SENDS, HUNCH_COSTS, EVIDENCE)
