"""Tables of messengers, venues and messages: what can be offered, who takes to it, who is sent where."""

from __future__ import annotations

from hustings.tables.schema import Column, TableSpec, count, number

_SOURCE = Column("source", "text", "The source that said so: a `[sources.…]` section.", required=True)
_ITEM = Column("item_id", "text", "The item.", required=True)
_ARRIVED = Column("arrived_at", "time", "When the campaign could know of it.", required=True)
_LOAD = Column("load_id", "text", "The load that brought the row.", required=True)
_LINE = Column("line", "integer", "Its row in the file; the first row of data is 1.", required=True)
_AFFINITY = Column("affinity", "text", "Which: an `[affinities.…]` section.", required=True)
_AUDIENCE = Column("audience", "text", "The audience, in words: `age 18-29, female`.", required=True)
_AS_OF = Column(
    "as_of", "day", "Nothing that happened or arrived on this day or later was used.", required=True
)
_REASON = Column("reason", "text", "Why a number is missing; null where it is there.")


ITEMS = TableSpec(
    "items",
    "collected",
    "one thing that can be offered or placed: a messenger, a venue, a message",
    ("source", "item_id"),
    (
        _SOURCE,
        _ITEM,
        Column("name", "text", "What people call it."),
        Column("kind", "text", "`messenger`, `venue`, `message`, … .", required=True),
        number("cost_cents", "Of one appearance or use, travel included; 0 unless given.", "cents"),
        number("hours", "Of the candidate's or the messenger's time.", "hours"),
        number("reach", "People whom one appearance reaches, or may hold.", "people"),
        Column("platform", "text", "The ad platform that it belongs to, whose own rules count."),
        number("latitude", "Of where it is at home.", "degrees"),
        number("longitude", "Of where it is at home.", "degrees"),
        _ARRIVED,
        _LOAD,
        _LINE,
    ),
)

ITEM_DAYS = TableSpec(
    "item_days",
    "collected",
    "one day on which an item is to be had",
    ("source", "item_id", "available_on"),
    (
        _SOURCE,
        _ITEM,
        Column("available_on", "day", "The day.", required=True),
        Column("place_id", "text", "Where only; everywhere when empty."),
        _ARRIVED,
        _LOAD,
        _LINE,
    ),
)

ITEM_AUDIENCES = TableSpec(
    "item_audiences",
    "collected",
    "what share of an item's fans, listeners or readers belongs to one group, as a survey or the seller tells",
    ("source", "item_id", "feature", "value"),
    (
        _SOURCE,
        _ITEM,
        Column("feature", "text", "`age`, `sex`, `party` or `region`.", required=True),
        Column(
            "value", "text", "The group: `18-29`, `65+`, `female`, a party, a region's id.", required=True
        ),
        Column("share", "number", "Of the item's audience, 0 to 1.", "share", required=True),
        count("n_asked", "People asked, of the whole audience; none is taken as 50."),
        _ARRIVED,
        _LOAD,
        _LINE,
    ),
)

RECORD_SENDS = TableSpec(
    "record_sends",
    "collected",
    "one item sent to one record, and the probability with which it was chosen",
    ("source", "record_source", "record_id", "item_id", "sent_at"),
    (
        _SOURCE,
        Column("record_source", "text", "The source whose record this is about.", required=True),
        Column("record_id", "text", "The record's id in that source.", privacy="person", required=True),
        _ITEM,
        Column("sent_at", "time", "When.", required=True),
        Column("channel", "text", "`email`, `text`, … ."),
        number("propensity", "Probability with which this item was chosen for this record then.", "share"),
        _ARRIVED,
        _LOAD,
        _LINE,
    ),
)

AUDIENCE_MEMBERS = TableSpec(
    "audience_members",
    "derived",
    "one person and the audience that they belong to",
    ("affinity", "person_id"),
    (
        _AFFINITY,
        Column("person_id", "text", "The person.", privacy="person", required=True),
        Column("audience", "text", "The audience.", privacy="person", required=True),
    ),
)

AFFINITIES = TableSpec(
    "affinities",
    "derived",
    "how likely one audience is to respond when an item is the sender or host",
    ("affinity", "audience", "item_id"),
    (
        _AFFINITY,
        _AUDIENCE,
        _ITEM,
        Column("name", "text", "What people call the item."),
        Column("outcome", "text", "What counts as a response: a kind of event.", required=True),
        number("value", "Probability of a response to one send.", "share"),
        number("low", "Lower end of its 95 % interval.", "share"),
        number("high", "Upper end.", "share"),
        number("log_odds", "Its posterior in log-odds: the mean."),
        number("std_error", "The standard deviation."),
        number("shared_error", "The part of it that is the item's own: it moves all audiences together."),
        number("amount_cents", "Mean amount of a response, shrunk to all; of gifts.", "cents"),
        number("amount_error", "Its standard error.", "cents"),
        count("n_sent", "Sends whose horizon is over."),
        count("n_responded", "Of them, those that were responded to."),
        count("n_people", "People in the audience."),
        Column(
            "basis",
            "text",
            "`sends` of this pair, `fans` (a survey), `tastes`, or `like items`.",
            required=True,
        ),
        Column("cold_start", "boolean", "The item was never sent to anyone.", required=True),
        _AS_OF,
        _REASON,
    ),
)

AFFINITY_CHECKS = TableSpec(
    "affinity_checks",
    "derived",
    "how well affinities foretell what people who were held out did, beside popularity",
    ("affinity", "measure"),
    (
        _AFFINITY,
        Column("measure", "text", "`log_loss`, `recall` or `gain` of the first few items.", required=True),
        number("model", "By affinities."),
        number("rule", "By popularity: the item's rate, or the most taken items."),
        number("better", "How much better the model is; above 0 it is."),
        number("better_low", "Lower end of its 95 % interval, by recipient."),
        number("better_high", "Upper end."),
        count("n", "People it is read on."),
        _AS_OF,
        _REASON,
    ),
)

AFFINITY_VALUES = TableSpec(
    "affinity_values",
    "derived",
    "what one way of choosing the item would have brought a send, from logged probabilities",
    ("affinity", "way"),
    (
        _AFFINITY,
        Column("way", "text", "`best of audience`, `most popular`, `at random` or `as sent`.", required=True),
        Column("about", "text", "What it does, in a sentence.", required=True),
        number("value", "Responses to a send: doubly robust, learned on other recipients.", "share"),
        number("low", "Lower end of its 95 % interval, clustered by recipient.", "share"),
        number("high", "Upper end.", "share"),
        number("weighted", "By self-normalised weights alone.", "share"),
        number("weighted_low", "Lower end of its 95 % interval.", "share"),
        number("weighted_high", "Upper end.", "share"),
        number("advantage", "`best of audience` less this way, paired.", "share"),
        number("advantage_low", "Lower end of its 95 % interval.", "share"),
        number("advantage_high", "Upper end.", "share"),
        count("n_sends", "Sends in the log."),
        count("n_recipients", "Recipients."),
        number("effective_recipients", "Recipients that count, by the unevenness of their weights."),
        number("mean_weight", "1 where the log could have sent all that this way would."),
        _AS_OF,
        _REASON,
    ),
)

_PLAN = Column("messenger_plan", "text", "Which: a `[messenger_plan.…]` section.", required=True)
_OPTION = Column("option", "text", "`plan`, or a rule of thumb.", required=True)

MESSENGER_PLAN = TableSpec(
    "messenger_plan",
    "derived",
    "one messenger for one audience in one place on one day, by the plan or by a rule of thumb",
    ("messenger_plan", "option", "item_id", "used_on"),
    (
        _PLAN,
        _OPTION,
        _ITEM,
        Column("used_on", "day", "The day.", required=True),
        Column("name", "text", "The messenger."),
        _AUDIENCE,
        Column("place_id", "text", "The region; null for everywhere."),
        count("turn", "1 for the first ask of that audience there, 2 for the second, … ."),
        count("n_people", "People asked."),
        number("cost_cents", "What it costs.", "cents"),
        number("responses", "Expected responses."),
        number("responses_low", "Lower end of the 95 % interval."),
        number("responses_high", "Upper end."),
        Column("unit", "text", "What `gain` counts.", required=True),
        number("gain", "Expected."),
        number("low", "Lower end of the 95 % interval."),
        number("high", "Upper end."),
        Column("basis", "text", "As in `affinities`."),
        Column("cold_start", "boolean", "The messenger was never sent to anyone."),
        _AS_OF,
    ),
)

MESSENGER_OPTIONS = TableSpec(
    "messenger_options",
    "derived",
    "one way to use the messengers' days and the money",
    ("messenger_plan", "option"),
    (
        _PLAN,
        _OPTION,
        Column("about", "text", "What it does, in a sentence.", required=True),
        count("n_uses", "Messengers' days used."),
        count("n_people", "People asked, a second ask counted again."),
        number("cost_cents", "What it costs.", "cents"),
        number("responses", "Expected responses."),
        Column("unit", "text", "What `gain` counts.", required=True),
        number("gain", "Expected."),
        number("low", "Lower end of the 95 % interval."),
        number("high", "Upper end."),
        number("bound", "No plan whatever has more, of the plan alone."),
        number("gap", "(bound - gain) / bound.", "share"),
        number("advantage", "The plan's gain less this option's."),
        number("advantage_low", "Lower end of the 95 % interval, paired."),
        number("advantage_high", "Upper end."),
        number("logged", "What the log of past sends says of such a way: responses to a send.", "share"),
        number("logged_low", "Lower end of its 95 % interval."),
        number("logged_high", "Upper end."),
        Column("logged_reason", "text", "Why the log cannot tell; null where it can."),
        _AS_OF,
        _REASON,
    ),
)

MESSENGER_SHARES = TableSpec(
    "messenger_shares",
    "derived",
    "with which probability an audience's next send is to come from an item: the propensity to log",
    ("messenger_plan", "audience", "item_id"),
    (
        _PLAN,
        _AUDIENCE,
        _ITEM,
        number("p_best", "Probability that the item is the best for the audience.", "share"),
        number("expected_loss", "Responses to a send lost by sending it for ever.", "share"),
        number("test_share", "Of the sends that test, by top-two Thompson sampling.", "share"),
        number("propensity", "Of all sends: the rest goes to the item of the plan.", "share"),
        Column("is_planned", "boolean", "The item that the plan sends to the audience.", required=True),
        _AS_OF,
    ),
)

CONTEST_OPTIONS = TableSpec(
    "contest_options",
    "derived",
    "what a contest with one messenger would bring if every audience were asked once: who enters, what they give",
    ("messenger_plan", "item_id"),
    (
        _PLAN,
        _ITEM,
        Column("name", "text", "The messenger."),
        count("n_people", "People asked."),
        number("entries", "Expected entries: people who respond."),
        number("entries_low", "Lower end of the 95 % interval."),
        number("entries_high", "Upper end."),
        number("mean_gift_cents", "Of those who enter; null where responses have no amount.", "cents"),
        Column("unit", "text", "What `gain` counts.", required=True),
        number("gain", "Expected, less nothing: costs stand beside."),
        number("low", "Lower end of the 95 % interval."),
        number("high", "Upper end."),
        number("cost_cents", "What it costs.", "cents"),
        Column("who_enters", "text", "The audience that most of the entries come from."),
        number("share_of_entries", "Its share of them.", "share"),
        count("rank_by_gain", "1 is the best."),
        count("rank_by_popularity", "By its raw rate of response to all sends: the rule of thumb."),
        count("n_days", "Days left on which it is to be had."),
        _AS_OF,
        _REASON,
    ),
)

VENUE_OPTIONS = TableSpec(
    "venue_options",
    "derived",
    "one forum, podcast, station or place where the candidate could answer questions",
    ("venue_plan", "item_id"),
    (
        Column("venue_plan", "text", "Which: a `[venues.…]` section.", required=True),
        _ITEM,
        Column("name", "text", "The venue."),
        Column("best_on", "day", "The best day on which it is to be had."),
        number("reach", "People whom it reaches.", "people"),
        number("turnout_targets", "Of them, turnout targets.", "people"),
        number("turnout_targets_low", "Lower end of the 95 % interval.", "people"),
        number("turnout_targets_high", "Upper end.", "people"),
        number("persuasion_targets", "Of them, persuasion targets.", "people"),
        number("persuasion_targets_low", "Lower end of the 95 % interval.", "people"),
        number("persuasion_targets_high", "Upper end.", "people"),
        number("target_lift", "Share of targets there, in units of everyone's."),
        Column("unit", "text", "What `gain` counts.", required=True),
        number("gain", "Expected on election day."),
        number("low", "Lower end of the 95 % interval."),
        number("high", "Upper end."),
        number("cost_cents", "Of the appearance, the candidate's hours included.", "cents"),
        number("hours", "Of the candidate.", "hours"),
        number("per_1000", "Gain for 1,000 of the currency; null where it costs nothing."),
        number("per_hour", "Gain for an hour; null where it takes none."),
        count("rank", "By gain for its cost: 1 is the best."),
        count("rank_by_reach", "The rule of thumb: the largest first."),
        _AS_OF,
        _REASON,
    ),
)

COLLECTED = (ITEMS, ITEM_DAYS, ITEM_AUDIENCES, RECORD_SENDS)
DERIVED = (
    AUDIENCE_MEMBERS,
    AFFINITIES,
    AFFINITY_CHECKS,
    AFFINITY_VALUES,
    MESSENGER_PLAN,
    MESSENGER_OPTIONS,
    MESSENGER_SHARES,
    CONTEST_OPTIONS,
    VENUE_OPTIONS,
)
