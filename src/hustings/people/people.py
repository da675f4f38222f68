"""Records ─► one row for each human, where they live, and how they can be reached.

Here one record is one person; joining records of several sources to one person comes later and replaces
this rule, not the tables.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from hustings.stage import About, Result, Table, stage
from hustings.tables import spec


@stage(writes=("people", "people_private", "identities", "households"))
def unify_people(
    records: Table,
    *,
    households_by: Annotated[
        Literal["key", "address", "none"],
        About("Who lives together: records with one `household_key`, with one address, or nobody."),
    ] = "key",
) -> Result:
    """People, their private details kept apart, which record is whom, and who lives together."""
    person_id = records.source + ":" + records.record_id
    rows = records.mutate(person_id=person_id, household_id=_household(records, person_id, households_by))
    people = rows.mutate(born_on=_born_on(rows)).select(*spec("people").names)
    return {
        "people": people,
        "people_private": rows.select(*spec("people_private").names),
        "identities": rows.mutate(p_match=1.0).select(*spec("identities").names),
        "households": people.group_by("household_id").agg(
            place_id=people.place_id.min(), n_people=people.count()
        ),
    }


def _household(records: Any, person_id: Any, rule: str) -> Any:
    # Never the key of somebody else's household.
    alone = person_id + ":alone"
    if rule == "key":
        return (records.source + ":" + records.household_key).coalesce(alone)
    if rule == "address":
        place = records.postcode.fill_null("") + "|" + records.place_id.fill_null("")
        # A digest, since the table of people holds no address.
        return (records.address.lower() + "|" + place).hexdigest("sha256").coalesce(alone)
    return alone


def _born_on(rows: Any) -> Any:
    # Someone of 40 on a day was born between 40 and 41 years before it: half a year is the best guess.
    days = ((rows.age + 0.5) * 365.2425).round().cast("int64")
    guess = (rows.age_on.cast("timestamp") - days.as_interval("D")).cast("date")
    return rows.born_on.coalesce(guess)
