"""The table of who will give again: one row for each giver and each `[giving.…]` section."""

from __future__ import annotations

from hustings.tables.schema import Column, TableSpec


def _of_person(name: str, about: str, unit: str = "") -> Column:
    return Column(name, "number", about, unit, "person")


GIVING_TABLE = TableSpec(
    "giving",
    "derived",
    "what a person who has given is expected to give in the days to come",
    ("person_id", "giving", "as_of"),
    (
        Column("person_id", "text", "The person.", privacy="person", required=True),
        Column("giving", "text", "Which: a `[giving.…]` section.", required=True),
        Column(
            "as_of", "day", "Gifts made before this day, and known when it began, were used.", required=True
        ),
        Column("until_on", "day", "The first day that is not counted any more.", required=True),
        Column("n_gifts", "integer", "Days with a gift so far.", privacy="person", required=True),
        Column("last_gift_on", "day", "The latest of them.", privacy="person", required=True),
        _of_person("total_given", "The sum of the gifts whose amount is known.", "cents"),
        Column(
            "rfm",
            "integer",
            "Rule of thumb: fifths by recency, frequency and amount, 3 to 15.",
            privacy="person",
        ),
        Column("gave_last_year", "boolean", "Rule of thumb: gave in the last 365 days.", privacy="person"),
        _of_person("p_donor", "Probability of still being a giver; see `reason` where it is null.", "share"),
        _of_person("p_gift", "Probability of at least one gift in those days.", "share"),
        _of_person("expected_gifts", "Expected gifts: days, or periods, with a gift."),
        _of_person("expected_gifts_low", "Lower end of the 95 % interval of that expectation."),
        _of_person("expected_gifts_high", "Upper end."),
        _of_person("expected_amount", "Expected amount of one such gift.", "cents"),
        _of_person(
            "expected_value", "Expected sum in those days, discounted where a discount is set.", "cents"
        ),
        _of_person("expected_value_low", "Lower end of the 95 % interval of that expectation.", "cents"),
        _of_person("expected_value_high", "Upper end.", "cents"),
        Column("reason", "text", "Why a number is missing; null where all are there."),
    ),
)

GIVING = (GIVING_TABLE,)
