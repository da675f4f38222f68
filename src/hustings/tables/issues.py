"""The tables of what people say: one row for each text, for each person, and for each place."""

from __future__ import annotations

from hustings.tables.schema import Column, TableSpec

_PERSON = Column("person_id", "text", "The person.", privacy="person", required=True)
_CODING = Column("coding", "text", "Which: an `[issues.…]` section.", required=True)
_AS_OF = Column(
    "as_of", "day", "Texts of before this day, and known when it began, were read.", required=True
)
_REASON = Column("reason", "text", "Why it is unclear; null where it is clear.")

TEXT_ISSUES = TableSpec(
    "text_issues",
    "derived",
    "what one text is about; the text itself stays in `record_events`",
    ("source", "event_id", "coding"),
    (
        Column("source", "text", "The event's source.", required=True),
        Column("event_id", "text", "The event with the text.", privacy="person", required=True),
        _PERSON,
        _CODING,
        _AS_OF,
        Column("happened_at", "time", "When it was said.", required=True),
        Column("arrived_at", "time", "When the campaign could know of it.", required=True),
        Column("issue", "text", "The issue, or `unclear`.", privacy="person", required=True),
        Column("likeliest", "text", "The likeliest issue, however unsure.", privacy="person", required=True),
        Column(
            "p_likeliest",
            "number",
            "Its probability, calibrated on left-out examples.",
            "share",
            "person",
            True,
        ),
        _REASON,
    ),
)

ISSUES = TableSpec(
    "issues",
    "derived",
    "what a person speaks of, over all that she said",
    ("person_id", "coding"),
    (
        _PERSON,
        _CODING,
        _AS_OF,
        Column("issue", "text", "The issue, or `unclear`.", privacy="person", required=True),
        Column("likeliest", "text", "The likeliest issue, however unsure.", privacy="person", required=True),
        Column("p_likeliest", "number", "Its probability, averaged over the texts.", "share", "person", True),
        Column("n_texts", "integer", "Texts read.", privacy="person", required=True),
        Column("last_said_on", "day", "The day of the latest.", privacy="person", required=True),
        _REASON,
    ),
)

ISSUE_SHARES = TableSpec(
    "issue_shares",
    "derived",
    "how many of those who said something speak of an issue; nothing about those who said nothing",
    ("coding", "region_id", "issue"),
    (
        _CODING,
        _AS_OF,
        Column("region_id", "text", "The larger place; `all` for everywhere.", required=True),
        Column("issue", "text", "The issue.", required=True),
        Column(
            "n_people", "integer", "People there who said something; places of fewer than 20 are left out."
        ),
        Column("share", "number", "Mean probability of the issue over them.", "share"),
        Column(
            "low", "number", "Lower end of its 95 % interval, from the differences between people.", "share"
        ),
        Column("high", "number", "Upper end.", "share"),
    ),
)

ISSUE_TABLES = (TEXT_ISSUES, ISSUES, ISSUE_SHARES)
