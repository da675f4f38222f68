"""Tables of the forecast: what is known of places and polls, and what follows for the race."""

from __future__ import annotations

from hustings.tables.schema import Column, TableSpec, count, number

_SOURCE = Column("source", "text", "The source that said so: a `[sources.…]` section.", required=True)
_ARRIVED = Column("arrived_at", "time", "When the campaign could know of it.", required=True)
_LOADED = (
    Column("load_id", "text", "The load that brought the row.", required=True),
    Column("line", "integer", "Its row in the file; the first row of data is 1.", required=True),
    _ARRIVED,
)
_PLACE = Column("place_id", "text", "The place.", required=True)
_CHOICE = Column("choice", "text", "A candidate, a party, or an answer.", required=True)
_RACE = Column("race", "text", "The race: a `[races.…]` section.", required=True)
_AS_OF = Column("as_of", "day", "No poll that ended on this day or later was used.", required=True)
_REASON = Column("reason", "text", "Why a number is missing; null where it is there.")
_YEAR = Column("year", "integer", "The year of the election.", "years", required=True)


PLACES = TableSpec(
    "places",
    "collected",
    "one place: a country, a state, a district, a county, a precinct",
    ("source", "place_id"),
    (
        _SOURCE,
        _PLACE,
        Column("parent_id", "text", "The place that it is part of; null for the whole."),
        Column("name", "text", "What people call it."),
        Column("region", "text", "Places of one region move together; a division that does not change."),
        number("seats", "Electors or seats that it gives; null or 0 where it gives none."),
        number("votes", "Votes expected: usually those of the last election.", "votes"),
        *_LOADED,
    ),
)

PLACE_FEATURES = TableSpec(
    "place_features",
    "collected",
    "one number about a place that tells which places move together",
    ("source", "place_id", "feature"),
    (
        _SOURCE,
        _PLACE,
        Column("feature", "text", "Which: `college_share`, … .", required=True),
        Column("value", "number", "The number.", required=True),
        *_LOADED,
    ),
)

RESULTS = TableSpec(
    "results",
    "collected",
    "the votes for one choice in one place at one election",
    ("source", "year", "place_id", "choice"),
    (_SOURCE, _YEAR, _PLACE, _CHOICE, Column("votes", "number", "Votes.", "votes", required=True), *_LOADED),
)

FUNDAMENTALS = TableSpec(
    "fundamentals",
    "collected",
    "what is known of one election besides polls",
    ("source", "year"),
    (
        _SOURCE,
        _YEAR,
        Column("choice", "text", "Whose share `share` is.", required=True),
        number("share", "Its two-party share of the whole; of past elections only.", "share"),
        Column("incumbent", "text", "The choice of the party in office.", required=True),
        Column("incumbent_runs", "boolean", "Whether the one in office stands again."),
        number(
            "approval", "Net approval of the one in office, as known on the day of the forecast.", "points"
        ),
        number("growth", "Growth of the economy in the second quarter, at a yearly rate.", "percent"),
        *_LOADED,
    ),
)

POLLS = TableSpec(
    "polls",
    "collected",
    "one answer of one poll in one place",
    ("source", "poll_id", "place_id", "choice"),
    (
        _SOURCE,
        Column("poll_id", "text", "Unique within the source.", required=True),
        _PLACE,
        _YEAR,
        _CHOICE,
        Column("percent", "number", "Of 100 who were asked.", "percent", required=True),
        Column("pollster", "text", "Who asked."),
        Column("starts_on", "day", "First day of field work; that of `ends_on` where it is not known."),
        Column("ends_on", "day", "Last day of field work.", required=True),
        Column("n_asked", "integer", "How many were asked.", required=True),
        Column("mode", "text", "`live`, `online`, `ivr`, … ."),
        Column("population", "text", "`lv` likely voters, `rv` registered voters, `a` adults."),
        *_LOADED,
    ),
)

FORECAST = TableSpec(
    "forecast",
    "derived",
    "what is expected of one place on election day",
    ("race", "place_id"),
    (
        _RACE,
        _PLACE,
        Column("parent_id", "text", "The place that it is part of."),
        Column("name", "text", "What people call it."),
        number("share", "Our expected share: of two, or of all where there are more.", "share"),
        number("low", "Lower end of the 95 % interval.", "share"),
        number("high", "Upper end.", "share"),
        number("low_80", "Lower end of the 80 % interval.", "share"),
        number("high_80", "Upper end.", "share"),
        number("p_win", "Probability of coming first in the place (of passing the threshold).", "share"),
        number("p_tipping", "Probability of being the place that decides the race.", "share"),
        number("p_tipping_error", "Its Monte Carlo standard error.", "share"),
        number("seats", "Electors or seats that it gives."),
        number("votes", "Votes expected.", "votes"),
        number("prior_share", "What was expected without this year's polls.", "share"),
        number(
            "polls_share", "The rule of thumb: the mean of the place's polls of the last 21 days.", "share"
        ),
        count("n_polls", "Polls of the place that were used."),
        Column("is_leaf", "boolean", "Whether no other place is part of it.", required=True),
        _AS_OF,
        _REASON,
    ),
)

FORECAST_LEADS = TableSpec(
    "forecast_leads",
    "derived",
    "our expected lead over one rival in one place where votes are cast",
    ("race", "place_id", "rival"),
    (
        _RACE,
        _PLACE,
        Column("rival", "text", "The rival whom the lead is over.", required=True),
        Column("lead", "number", "Expected log of our share over theirs: a logit.", required=True),
        Column("std_error", "number", "Its standard deviation.", required=True),
    ),
)

FORECAST_COVARIANCES = TableSpec(
    "forecast_covariances",
    "derived",
    "how the errors of two places go together",
    ("race", "place_id", "rival", "other_id", "other_rival"),
    (
        _RACE,
        _PLACE,
        Column("rival", "text", "The rival whom the lead is over.", required=True),
        Column("other_id", "text", "The other place; each pair stands once.", required=True),
        Column("other_rival", "text", "The other lead's rival.", required=True),
        number("covariance", "Of the two leads on election day."),
    ),
)

ODDS = TableSpec(
    "odds",
    "derived",
    "the race as a whole, by one way to forecast it",
    ("race", "estimator"),
    (
        _RACE,
        Column("estimator", "text", "`forecast`, `mean of polls` or `without polls`.", required=True),
        Column("rule", "text", "How the winner is found.", required=True),
        Column("choice", "text", "Whose odds they are.", required=True),
        Column("rivals", "text", "Against whom, separated by `, `.", required=True),
        Column("place_id", "text", "The place whose race it is.", required=True),
        number("needed", "Seats that win."),
        number(
            "threshold",
            "Share of the vote that wins, or from which a party gets seats; null where there is none.",
            "share",
        ),
        Column(
            "divisors", "text", "How seats are divided in proportion to votes: `d_hondt`, `sainte_lague`."
        ),
        number("p_win", "Probability of winning the race.", "share"),
        number("p_win_error", "Its Monte Carlo standard error.", "share"),
        number("p_tie", "Probability that nobody has the seats needed.", "share"),
        number("p_most_votes", "Probability of most votes in the whole.", "share"),
        number("share", "Our expected share of the whole.", "share"),
        number("low", "Lower end of the 95 % interval.", "share"),
        number("high", "Upper end.", "share"),
        number("seats", "Expected seats."),
        number("seats_low", "Lower end of the 95 % interval."),
        number("seats_high", "Upper end."),
        count("n_polls", "Polls that were used; with 0 the odds are those without polls."),
        count("n_draws", "Simulated elections."),
        _AS_OF,
        _REASON,
    ),
)

SEAT_COUNTS = TableSpec(
    "seat_counts",
    "derived",
    "how likely one number of electors or seats is",
    ("race", "seats"),
    (
        _RACE,
        Column("seats", "integer", "Electors or seats won.", required=True),
        Column("p", "number", "Probability of exactly so many.", "share", required=True),
    ),
)

PATHS = TableSpec(
    "paths",
    "derived",
    "one of the smallest sets of contested places that win the race",
    ("race", "rank"),
    (
        _RACE,
        count("rank", "1 holds in most of the draws that are won."),
        Column("places", "text", "The contested places that must be won, separated by `, `.", required=True),
        count("n_places", "How many they are."),
        number("seats", "Their seats and those that are counted on."),
        Column("safe_places", "text", "Places that every path counts on besides.", required=True),
        number("p_all", "Probability that all contested places of the path are won.", "share"),
        number("p_win", "Probability of winning the race given that they are.", "share"),
        number("p_win_error", "Its Monte Carlo standard error.", "share"),
        number("covers", "Share of the draws won in which this path, or one before it, holds.", "share"),
    ),
)

FORECAST_DAYS = TableSpec(
    "forecast_days",
    "derived",
    "what was to be expected on one day, by the polls that had ended before it",
    ("race", "place_id", "told_on"),
    (
        _RACE,
        _PLACE,
        Column("told_on", "day", "The morning of which it was the forecast.", required=True),
        number("p_win", "Probability of coming first in the place.", "share"),
        number("p_race", "In the row of the race's own place: probability of winning the race.", "share"),
        number("p_race_error", "Its Monte Carlo standard error.", "share"),
        number("share", "Our expected share on election day.", "share"),
        number("low", "Lower end of the 95 % interval.", "share"),
        number("high", "Upper end.", "share"),
    ),
)

POLL_USES = TableSpec(
    "poll_uses",
    "derived",
    "one poll of this election, and what became of it in the forecast",
    ("race", "source", "poll_id", "place_id"),
    (
        _RACE,
        _SOURCE,
        Column("poll_id", "text", "The poll.", required=True),
        _PLACE,
        Column("pollster", "text", "Who asked."),
        Column("ends_on", "day", "Last day of field work."),
        number("share", "Our share of those who chose one of the two.", "share"),
        count("n_asked", "How many were asked."),
        number(
            "surprise",
            "The poll less what all others foretell, in standard deviations; far from 0 is a fault or news.",
        ),
        number("trust", "Weight of its own error: 1, or less where it lies far off.", "share"),
        Column("used", "boolean", "Whether the forecast uses it.", required=True),
        _REASON,
    ),
)

FORECAST_MOVES = TableSpec(
    "forecast_moves",
    "derived",
    "one cause of what has changed since the day before",
    ("race", "rank"),
    (
        _RACE,
        count("rank", "1 moved the probability of winning most; the totals come last."),
        Column("cause", "text", "A poll, `rest`, or `total`.", required=True),
        Column("place_id", "text", "Of a poll: where it was taken."),
        number("share", "Of a poll: our share of the two.", "share"),
        number("expected", "Of a poll: what the forecast of the day before expected it to say.", "share"),
        number("share_change", "What it changes of our expected share of the whole.", "share"),
        number("p_win_change", "What it changes of the probability of winning.", "share"),
        number("p_win_change_error", "Monte Carlo standard error, of the total.", "share"),
        Column("since_on", "day", "The day before.", required=True),
        _AS_OF,
    ),
)

FORECAST_CHECKS = TableSpec(
    "forecast_checks",
    "derived",
    "what the forecast of the eve of an earlier election said of one place, and what happened",
    ("race", "year", "place_id"),
    (
        _RACE,
        _YEAR,
        _PLACE,
        number("p_win", "Foretold probability of coming first.", "share"),
        number("share", "Foretold share of the two.", "share"),
        number("low", "Lower end of the 95 % interval.", "share"),
        number("high", "Upper end.", "share"),
        number("polls_share", "The rule of thumb: the mean of polls of the last 21 days.", "share"),
        number("actual_share", "What it was.", "share"),
        Column("won", "boolean", "Whether the place was won.", required=True),
        count("n_polls", "Polls that were used, of all places."),
    ),
)

VOTE_VALUES = TableSpec(
    "vote_values",
    "derived",
    "what one more net vote is worth in one place",
    ("race", "place_id"),
    (
        _RACE,
        _PLACE,
        Column("name", "text", "What people call it."),
        Column("objective", "text", "`win`: probability of winning; `seats`: expected seats.", required=True),
        number("value", "Gain per net vote: one added ballot of ours, or half a voter who changes sides."),
        number("std_error", "Its Monte Carlo standard error."),
        number("per_10000", "Gain for 10,000 net votes, to first order; of a probability in points."),
        number("relative", "Value over that of a vote drawn at random from the race; 1 is the mean."),
        number("p_decides", "Probability that the place decides the race, given a tie in it.", "share"),
        number("votes", "Votes expected.", "votes"),
        _AS_OF,
        _REASON,
    ),
)

SCENARIOS = TableSpec(
    "scenarios",
    "derived",
    "what would follow for one place if something came true",
    ("scenario", "place_id"),
    (
        Column("scenario", "text", "The supposition: a `[scenarios.…]` section.", required=True),
        _RACE,
        _PLACE,
        Column("supposed", "text", "What is supposed, in words.", required=True),
        number("p_win", "Probability of coming first in the place then.", "share"),
        number("p_win_before", "Without the supposition.", "share"),
        number(
            "p_race", "In the row of the race's own place: probability of winning the race then.", "share"
        ),
        number("p_race_error", "Its Monte Carlo standard error.", "share"),
        number("p_race_before", "Without the supposition.", "share"),
        number("share", "Our expected share then.", "share"),
        number("low", "Lower end of the 95 % interval.", "share"),
        number("high", "Upper end.", "share"),
        count("n_draws", "Simulated elections that agree with it."),
    ),
)

COLLECTED = (PLACES, PLACE_FEATURES, RESULTS, FUNDAMENTALS, POLLS)
DERIVED = (
    FORECAST,
    FORECAST_LEADS,
    FORECAST_COVARIANCES,
    ODDS,
    SEAT_COUNTS,
    PATHS,
    FORECAST_DAYS,
    POLL_USES,
    FORECAST_MOVES,
    FORECAST_CHECKS,
    VOTE_VALUES,
    SCENARIOS,
)
