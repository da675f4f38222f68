"""Tables loaded from sources: append-only, a later row superseding an earlier one by key."""

from __future__ import annotations

from hustings.tables.schema import Column, TableSpec

_SOURCE = Column("source", "text", "The source that said so: a `[sources.…]` section.", required=True)
_LOAD = Column("load_id", "text", "The load that brought the row.", required=True)
_LINE = Column("line", "integer", "Its row in the file; the first row of data is 1.", required=True)
_RECORD_SOURCE = Column(
    "record_source", "text", "The source whose record this is about (`people_from`).", required=True
)
_RECORD = Column("record_id", "text", "The record's id in that source.", privacy="person", required=True)


def _contact(name: str, about: str) -> Column:
    return Column(name, "text", about, privacy="contact")


LOADS = TableSpec(
    "loads",
    "collected",
    "one reading of one source's file",
    ("source", "load_id"),
    (
        _SOURCE,
        _LOAD,
        Column("path", "text", "The file, as campaign.toml names it.", required=True),
        Column("fingerprint", "text", "A digest of the file's size, time and content.", required=True),
        Column(
            "refresh",
            "text",
            "`full`: replaces the source's earlier loads; `append`: adds; `removed`: ends them.",
        ),
        Column("n_read", "integer", "Rows in the file.", required=True),
        Column("n_kept", "integer", "Rows of which every declared part was kept.", required=True),
        Column(
            "n_rejected", "integer", "Rows set aside in `rejects`; read = kept + rejected.", required=True
        ),
        Column("arrived_at", "time", "When the campaign had the file.", required=True),
        Column("loaded_at", "time", "When it was read.", required=True),
        Column("solicitable", "boolean", "Whether its people may be asked for money; null counts as yes."),
    ),
)

RECORDS = TableSpec(
    "records",
    "collected",
    "one person as one source knows them",
    ("source", "record_id"),
    (
        _SOURCE,
        _RECORD,
        _contact("given_name", "First names."),
        _contact("family_name", "Family name."),
        Column("born_on", "day", "Day of birth.", privacy="person"),
        Column("age", "integer", "Age on `age_on`, where the day of birth is unknown.", "years", "person"),
        Column("age_on", "day", "The day on which `age` was true.", privacy="person"),
        Column("sex", "text", "`female`, `male`, or the source's own word.", privacy="person"),
        Column("party", "text", "Party of registration.", privacy="person"),
        _contact("address", "Street and number."),
        _contact("postcode", "Postal code."),
        Column("latitude", "number", "Of the address.", "degrees", "contact"),
        Column("longitude", "number", "Of the address.", "degrees", "contact"),
        _contact("phone", "Telephone number."),
        _contact("email", "E-mail address."),
        Column("household_key", "text", "Records of a source with one key live together.", privacy="person"),
        Column("place_id", "text", "Precinct, block or other smallest place.", privacy="person"),
        Column("region_id", "text", "The larger place: county, ward, market.", privacy="person"),
        Column("registered_on", "day", "Day of registration.", privacy="person"),
        _LOAD,
        _LINE,
        Column("arrived_at", "time", "When the campaign had the file.", required=True),
    ),
)

RECORD_EVENTS = TableSpec(
    "record_events",
    "collected",
    "one thing a record did or had done to it",
    ("source", "event_id"),
    (
        _SOURCE,
        Column("event_id", "text", "Unique within the source.", privacy="person", required=True),
        _RECORD_SOURCE,
        _RECORD,
        Column("kind", "text", "`vote`, `contact`, `gift`, `click`, … .", required=True),
        Column("name", "text", "Which one: an election, a mailing, an appeal."),
        Column(
            "election_kind",
            "text",
            "Of a vote: `general`, `primary`, … ; of a gift or refund: what it is for.",
        ),
        Column("channel", "text", "Of a contact: `mail`, `phone`, `door`, … ."),
        Column("item", "text", "What was sent or said."),
        Column("value", "number", "An amount in cents, a count, or an answer's code.", privacy="person"),
        Column(
            "text", "text", "What was said, in its own words: a note, a letter, an answer.", privacy="contact"
        ),
        Column("happened_at", "time", "When it happened.", required=True),
        Column("arrived_at", "time", "When the campaign could know of it.", required=True),
        _LOAD,
        _LINE,
    ),
)

RECORD_ASSIGNMENTS = TableSpec(
    "record_assignments",
    "collected",
    "the arm that a record was given at random, as a source tells it",
    ("source", "experiment", "record_source", "record_id"),
    (
        _SOURCE,
        Column("experiment", "text", "The test: an `[experiments.…]` section.", required=True),
        _RECORD_SOURCE,
        _RECORD,
        Column("arm", "text", "The arm.", required=True),
        Column("block_id", "text", "The block within which units were drawn."),
        Column("assigned_on", "day", "The day of the draw."),
        Column("contacted", "boolean", "Whether the treatment reached the record.", privacy="person"),
        Column("arrived_at", "time", "When the campaign could know of it.", required=True),
        _LOAD,
        _LINE,
    ),
)

RECORD_OUTCOMES = TableSpec(
    "record_outcomes",
    "collected",
    "what happened to a record, as a source tells it",
    ("source", "outcome", "record_source", "record_id"),
    (
        _SOURCE,
        Column("outcome", "text", "What is measured: `voted`, `gave`, … .", required=True),
        _RECORD_SOURCE,
        _RECORD,
        Column("value", "number", "1 for yes, 0 for no, or an amount.", privacy="person", required=True),
        Column("happened_on", "day", "The day it happened or was measured.", required=True),
        Column("arrived_at", "time", "When the campaign could know of it.", required=True),
        _LOAD,
        _LINE,
    ),
)

OPT_OUTS = TableSpec(
    "opt_outs",
    "collected",
    "one refusal of contact",
    ("source", "record_source", "record_id", "channel"),
    (
        _SOURCE,
        _RECORD_SOURCE,
        _RECORD,
        Column("channel", "text", "The channel refused; `all` for every one.", required=True),
        Column("given_on", "day", "The day of the refusal."),
        Column("arrived_at", "time", "When the campaign could know of it.", required=True),
        _LOAD,
        _LINE,
    ),
)

REJECTS = TableSpec(
    "rejects",
    "collected",
    "one row that could not be collected",
    ("source", "load_id", "line"),
    (
        _SOURCE,
        _LOAD,
        _LINE,
        Column("reasons", "text", "Every reason, separated by `; `.", required=True),
        Column("row", "text", "The row as it stood in the file.", privacy="contact"),
    ),
)

COLLECTED = (LOADS, RECORDS, RECORD_EVENTS, RECORD_ASSIGNMENTS, RECORD_OUTCOMES, OPT_OUTS, REJECTS)
