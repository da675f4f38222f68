"""Who leaves a list at the last moment: those who have refused, and those who have voted."""

from __future__ import annotations

import datetime
from typing import Any, NamedTuple

from hustings.ballots import voters
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


def still_wanted(lake: Lake, rows: list[dict[str, Any]], form: Format, election_day: datetime.date) -> Kept:
    """The people of a list who may still be contacted.

    Args:
        lake: The newest state of the lake, published or not.
        rows: The list, with `household_id`, `person_id` and `channel`.
        form: The format: its channels may be refused as well as the plan's.
        election_day: The election.

    Returns:
        Who stays, and how many left.
    """
    refused, voted = _refused(lake), _voted(lake, election_day)
    willing = [row for row in rows if not _is_refused(row, refused, form)]
    kept = [row for row in willing if row["person_id"] not in voted]
    return Kept(kept, len(rows) - len(willing), len(willing) - len(kept))


def _refused(lake: Lake) -> dict[str, set[str]]:
    """Households in which somebody has refused, by channel."""
    opt_outs, identities, people = (read(lake, name) for name in ("opt_outs", "identities", "people"))
    same = [opt_outs.record_source == identities.source, opt_outs.record_id == identities.record_id]
    who = opt_outs.join(identities.select("source", "record_id", "person_id"), same, rname="{name}_of")
    homes = who.join(people.select("person_id", "household_id"), "person_id", rname="{name}_p")
    found: dict[str, set[str]] = {}
    for row in homes.select("channel", "household_id").distinct().to_pyarrow().to_pylist():
        found.setdefault(row["channel"], set()).add(row["household_id"])
    return found


def _is_refused(row: dict[str, Any], refused: dict[str, set[str]], form: Format) -> bool:
    names = ("all", row["channel"], *form.channels)
    return any(row["household_id"] in refused.get(name, ()) for name in names)


def _voted(lake: Lake, election_day: datetime.date) -> set[str]:
    """People who have voted, by everything that was loaded: the table of events may be a night older."""
    told = read(lake, "record_events").filter(lambda t: t.kind.isin(["ballot", "vote"]))
    identities = read(lake, "identities").select("source", "record_id", "person_id")
    same = [told.record_source == identities.source, told.record_id == identities.record_id]
    events = told.join(identities, same, rname="{name}_of")
    return set(voters(events, election_day).person_id.to_pyarrow().to_pylist())
