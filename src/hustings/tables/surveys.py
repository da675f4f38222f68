"""Tables of the campaign's own counting: its surveys, who has voted early, and the returns of the night."""

from __future__ import annotations

from hustings.tables.schema import Column, TableSpec, count, number

_REASON = Column("reason", "text", "Why a number is missing; null where it is there.")
_PLACE = Column("place_id", "text", "The place.", required=True)
_LEVEL = Column("level", "text", "`whole`, or `place` for a part of it.", required=True)


RETURNS = TableSpec(
    "returns",
    "collected",
    "the votes counted for one choice in one precinct at one moment",
    ("source", "election", "place_id", "mode", "choice", "counted_at"),
    (
        Column("source", "text", "The source that said so: a `[sources.…]` section.", required=True),
        Column("election", "text", "Which: tonight's, or an earlier one to compare with.", required=True),
        _PLACE,
        Column("region_id", "text", "The larger place, as a county."),
        Column(
            "mode", "text", "How they were cast: `election day`, `early`, `mail`, or `all`.", required=True
        ),
        Column("choice", "text", "A candidate, a party, or an answer.", required=True),
        Column("votes", "integer", "Counted so far, not since the last time.", "votes", required=True),
        number("share_reported", "Of the precinct's ballots cast in this way; null where all are.", "share"),
        Column("counted_at", "time", "When the count stood so.", required=True),
        Column("load_id", "text", "The load that brought the row.", required=True),
        Column("line", "integer", "Its row in the file; the first row of data is 1.", required=True),
        Column("arrived_at", "time", "When the campaign could know of it.", required=True),
    ),
)

SURVEY_POLLS = TableSpec(
    "survey_polls",
    "derived",
    "what the campaign's own survey says of one place, in the form of a poll",
    ("poll_id", "place_id"),
    (
        Column("poll_id", "text", "`own` and the `[surveys.…]` section.", required=True),
        _PLACE,
        _LEVEL,
        Column("pollster", "text", "Who asked.", required=True),
        Column("mode", "text", "How: `phone`, `text`, `door`, … .", required=True),
        Column(
            "population", "text", "`rv` registered voters, `lv` weighted by turnout score.", required=True
        ),
        Column("starts_on", "day", "First answer."),
        Column("ends_on", "day", "Last answer."),
        count("n_answers", "People of the place who named one of the two."),
        count("n_effective", "Of a simple random sample with the same error."),
        number("share", "Of those who named one of the two, the share for ours.", "share"),
        number("std_error", "Its standard error.", "share"),
        number("low", "Lower end of the 95 % interval.", "share"),
        number("high", "Upper end.", "share"),
        number(
            "shared_error", "The part of the error that all places of this survey have in common.", "share"
        ),
        number("raw_share", "The rule of thumb: answers as they came, unweighted.", "share"),
        Column("method", "text", "`multilevel` or `raking`.", required=True),
        _REASON,
    ),
)

EARLY_VOTES = TableSpec(
    "early_votes",
    "derived",
    "who has voted so far in one group, and what that says of the end",
    ("election", "division", "part"),
    (
        Column("election", "text", "Which: an `[early_votes.…]` section.", required=True),
        Column("division", "text", "`whole`, `party` or `place`.", required=True),
        Column("part", "text", "Which part of it.", required=True),
        count("n_people", "People in the group."),
        count("n_requested", "Who asked for a ballot or were sent one."),
        count("n_voted", "Whose ballot is in, or who were seen to vote."),
        number("by_now", "Votes expected by now, by turnout scores and the timing of earlier elections."),
        number("by_now_low", "Lower end of the 95 % range before any vote was seen."),
        number("by_now_high", "Upper end."),
        number("expected_votes", "Votes expected in the end before any vote was seen."),
        number("votes", "Votes expected in the end, now."),
        number("votes_low", "Lower end of the 95 % interval."),
        number("votes_high", "Upper end."),
        number("support_so_far", "Mean support score of those who have voted.", "share"),
        number("support_by_now", "The same, as expected by now.", "share"),
        number("support", "Among all who will have voted.", "share"),
        number("support_low", "Lower end of the 95 % interval.", "share"),
        number("support_high", "Upper end.", "share"),
        Column("as_of", "day", "Nothing that happened on this day or later was used.", required=True),
        _REASON,
    ),
)

LIVE = TableSpec(
    "live",
    "derived",
    "how one place may come out, while it is being counted",
    ("night", "place_id"),
    (
        Column("night", "text", "Which count: a `[live.…]` section.", required=True),
        _PLACE,
        _LEVEL,
        count("n_units", "Precincts, by way of voting."),
        count("n_reported", "Of which something is counted."),
        number("share_reported", "Of the expected final votes, those that are counted.", "share"),
        number("votes_counted", "Both choices' votes so far.", "votes"),
        number(
            "counted_share", "The rule of thumb, and the old mistake: our share of what is counted.", "share"
        ),
        number("expected_share", "Our share as expected before the night.", "share"),
        number("share", "Our expected share in the end.", "share"),
        number("std_error", "Its standard error.", "share"),
        number("low", "Lower end of the 95 % interval.", "share"),
        number("high", "Upper end.", "share"),
        number("p_win", "Probability of more votes than the other choice.", "share"),
        number("p_win_error", "Its Monte Carlo error.", "share"),
        number("votes", "Both choices' votes in the end.", "votes"),
        number("votes_low", "Lower end of the 95 % interval.", "votes"),
        number("votes_high", "Upper end.", "votes"),
        number(
            "gap", "How far early precincts may differ from late ones beyond what is known (logit scale)."
        ),
        Column("counted_at", "time", "The latest count that was used."),
        _REASON,
    ),
)

COLLECTED = (RETURNS,)
DERIVED = (SURVEY_POLLS, EARLY_VOTES, LIVE)
