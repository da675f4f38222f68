"""Who leaves a list at the last moment: those who have refused, and those who have voted."""

from __future__ import annotations

import datetime
from typing import Any, NamedTuple

from hustings.ballots import voters
from hustings.exports.contact_points import e164, mail_address
from hustings.exports.formats import Format
from hustings.warehouse import Lake, read


class Kept(NamedTuple):
    """A list after the newest refusals and ballots.

    Attributes:
        rows: The people who stay.
        n_opted_out: Those who left because they, or someone they live with, have refused.
        n_voted: Those who left because they have voted.
    """

    rows: list[dict[str, Any]]
    n_opted_out: int
    n_voted: int


class _Refusals(NamedTuple):
    """Who and what is not to be contacted: people, their households, telephone numbers and e-mail addresses."""

    people: set[str]
    households: set[str]
    points: set[str]


def still_wanted(
    lake: Lake, rows: list[dict[str, Any]], form: Format, election_day: datetime.date, country: str
) -> Kept:
    """The people of a list who may still be contacted.

    Args:
        lake: The newest state of the lake, published or not.
        rows: The list, with `household_id`, `person_id`, `channels`, `phone` and `email`; of friends `supporter_id`.
        form: The format: its channels may be refused as well as the plan's.
        election_day: The election.
        country: Whose telephone numbers they are, ISO 3166.

    Returns:
        Who stays, and how many left. A number that one person refuses is not called for another either.
    """
    voted = _voted(lake, election_day)
    ways = {tuple(row["channels"]) for row in rows}
    refusals = {channels: _refused(lake, {"all", *channels, *form.channels}, country) for channels in ways}
    still = _still_agreed(lake, rows)
    willing = [row for row in still if not _is_refused(row, refusals[tuple(row["channels"])], form, country)]
    # Whoever has voted may still be asked for money.
    kept = [row for row in willing if row["person_id"] not in voted or row.get("ask_on") is not None]
    return Kept(kept, len(rows) - len(willing), len(willing) - len(kept))


def _refused(lake: Lake, channels: set[str], country: str) -> _Refusals:
    opt_outs, identities, people = (read(lake, name) for name in ("opt_outs", "identities", "people"))
    same = [opt_outs.record_source == identities.source, opt_outs.record_id == identities.record_id]
    chosen = opt_outs.filter(opt_outs.channel.isin(sorted(channels)))
    who = chosen.join(identities.select("source", "record_id", "person_id"), same, rname="{name}_of")
    persons = who.select("person_id").distinct().person_id.to_pyarrow().to_pylist()
    homes = people.semi_join(who, "person_id").select("household_id").distinct()
    own = read(lake, "people_private").semi_join(who, "person_id").select("phone", "email")
    points = {
        point
        for row in own.to_pyarrow().to_pylist()
        for point in (e164(row["phone"], country), mail_address(row["email"]))
        if point
    }
    return _Refusals(set(persons), set(homes.household_id.to_pyarrow().to_pylist()), points)


def _is_refused(row: dict[str, Any], refused: _Refusals, form: Format, country: str) -> bool:
    # Who asks a friend has agreed for themselves: no one else of their household has a say in it.
    if row["household_id"] in refused.households or row.get("supporter_id") in refused.people:
        return True
    if form.needs == "an address" or not refused.points:
        return False
    return (
        e164(row.get("phone"), country) in refused.points or mail_address(row.get("email")) in refused.points
    )


def _still_agreed(lake: Lake, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Without asks of supporters who have withdrawn their consent to use that tie, for any purpose."""
    if not any("supporter_id" in row for row in rows):
        return rows
    known = read(lake, "identities").select("source", "record_id", "person_id")
    ties = read(lake, "ties").select("record_source", "record_id", "other_id", "purpose", "withdrawn_on")
    for side, column in (("supporter_id", "record_id"), ("target_id", "other_id")):
        whose = known.select(_source="source", _record="record_id", **{side: "person_id"})
        same = [ties.record_source == whose["_source"], ties[column] == whose["_record"]]
        ties = ties.join(whose, same).drop("_source", "_record")
    kept = ties.group_by("supporter_id", "target_id", "purpose").agg(n=ties.withdrawn_on.isnull().sum())
    gone = kept.filter(kept.n == 0).to_pyarrow().to_pylist()
    withdrawn = {(row["supporter_id"], row["target_id"]) for row in gone}
    return [row for row in rows if (row.get("supporter_id"), row["person_id"]) not in withdrawn]


def _voted(lake: Lake, election_day: datetime.date) -> set[str]:
    """People who have voted, by everything that was loaded: the table of events may be a night older."""
    told = read(lake, "record_events").filter(lambda t: t.kind.isin(["ballot", "vote"]))
    identities = read(lake, "identities").select("source", "record_id", "person_id")
    same = [told.record_source == identities.source, told.record_id == identities.record_id]
    events = told.join(identities, same, rname="{name}_of")
    return set(voters(events, election_day).person_id.to_pyarrow().to_pylist())
