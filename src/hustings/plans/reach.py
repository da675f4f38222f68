"""Who may be reached how: not whoever has refused, has voted, has no number, or was reached a few days ago."""

from __future__ import annotations

import datetime
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from hustings.ballots import voters
from hustings.channels import channel as channel_of
from hustings.plans.choices import Action, Booleans, Integers
from hustings.stage import Table
from hustings.warehouse import arrays, codes


class Reach(NamedTuple):
    """People who may be reached by some way.

    Attributes:
        person_id: (n,) the people, in the order of their ids.
        household: (n,) code of each one's household.
        labels: (h,) the households' ids.
        place_id: (n,) where they live; None where it is not known.
        region_id: (n,) the larger place.
        open: (n, a) whether each may be reached by each action.
        tired: (h,) contacts received lately.
        left_out: How many people were left out, by reason.
    """

    person_id: npt.NDArray[Any]
    household: Integers
    labels: list[str]
    place_id: npt.NDArray[Any]
    region_id: npt.NDArray[Any]
    open: Booleans
    tired: Integers
    left_out: dict[str, int]


def within_reach(
    people: Table,
    people_private: Table,
    opt_outs: Table,
    identities: Table,
    events: Table,
    actions: list[Action],
    *,
    election_day: datetime.date,
    as_of: datetime.date,
    rest_days: int,
) -> Reach:
    """Everyone whom some action may reach, and by which.

    A piece reaches all who live there, so a refusal of one closes that channel for the household. Of households that
    share a telephone, only the first is called.

    Args:
        people: The table of that name.
        people_private: Their addresses and numbers.
        opt_outs: Refusals.
        identities: Which record is whom.
        events: What happened to them: ballots and contacts.
        actions: The plan's actions.
        election_day: Whoever has voted by `as_of` is not asked again.
        as_of: Nothing of this day or later is known.
        rest_days: Contacts of so many days before count as received lately.

    Returns:
        The people.
    """
    known = events.filter(events.happened_at < datetime.datetime.combine(as_of, datetime.time()))
    rows = people.anti_join(voters(known, election_day), "person_id")
    channels = sorted({action.channel for action in actions})
    refusing = {channel: _refusing(people, opt_outs, identities, channel) for channel in channels}
    refused = [
        rows.household_id.isin(homes.household_id).name(f"refused_{c}") for c, homes in refusing.items()
    ]
    ways = sorted(
        {column for c in channels for column in channel_of(c).address if column in ("phone", "email")}
    )
    found = arrays(
        rows.select("person_id", "household_id", "place_id", "region_id", *refused)
        .left_join(people_private.select("person_id", *ways), "person_id")
        .drop("person_id_right")
        .order_by("person_id")
    )
    n_told = int(people.count().to_pyarrow().as_py())
    closed = {c: np.asarray(found[f"refused_{c}"], bool) for c in channels}
    may = {c: ~closed[c] for c in channels}
    home = codes(found["household_id"])
    numbers = {column: _first_of_number(found[column], home.codes) for column in ways}
    for c in channels:
        for column in channel_of(c).address:
            if column in numbers:
                may[c] = may[c] & numbers[column]
    open_to = np.column_stack([may[action.channel] for action in actions])
    kept = open_to.any(axis=1)
    left_out = {
        "has voted": n_told - len(home.codes),
        "refuses, or someone there does": int(np.all(list(closed.values()), axis=0).sum()),
        "cannot be reached by any of its ways": int((~kept).sum()),
    }
    left_out["cannot be reached by any of its ways"] -= left_out["refuses, or someone there does"]
    again = codes(found["household_id"][kept])
    tired = (
        _received(known, people, again.labels, as_of, rest_days)
        if rest_days
        else np.zeros(len(again.labels), int)
    )
    return Reach(
        found["person_id"][kept],
        again.codes,
        again.labels,
        found["place_id"][kept],
        found["region_id"][kept],
        open_to[kept],
        tired,
        left_out,
    )


def willing(people: Table, opt_outs: Table, identities: Table, channels: set[str]) -> Any:
    """The people in whose household nobody has refused one of the channels: a piece reaches all who live there."""
    for channel in sorted(channels):
        people = people.anti_join(_refusing(people, opt_outs, identities, channel), "household_id")
    return people.select("person_id", "household_id")


def _refusing(people: Table, opt_outs: Table, identities: Table, channel: str) -> Any:
    """The households in which somebody has refused a channel, or all of them."""
    refused = opt_outs.filter(opt_outs.channel.isin(["all", channel]))
    same = [refused.record_source == identities.source, refused.record_id == identities.record_id]
    who = refused.join(identities.select("source", "record_id", "person_id"), same, rname="{name}_of")
    return people.semi_join(who, "person_id").select("household_id").distinct()


def _first_of_number(numbers: npt.NDArray[Any], household: Integers) -> Booleans:
    """Whether there is a number, and its first household is the person's own: nobody is called for two."""
    number = codes(numbers)
    there = number.codes >= 0
    first = np.full(len(number.labels), np.iinfo(np.int64).max)
    np.minimum.at(first, number.codes[there], household[there])
    own = np.zeros(len(household), bool)
    own[there] = household[there] == first[number.codes[there]]
    return own


def _received(events: Any, people: Table, labels: list[str], as_of: datetime.date, days: int) -> Integers:
    """(h,) contacts that each household had in the days before; a letter to two of them is one."""
    since = datetime.datetime.combine(as_of, datetime.time()) - datetime.timedelta(days)
    lately = events.filter((events.kind == "contact") & (events.happened_at >= since))
    rows = lately.join(people.select("person_id", "household_id"), "person_id")
    counts = rows.group_by("household_id").agg(
        n=(rows.happened_at.cast("string") + rows.channel.fill_null("")).nunique()
    )
    told = arrays(counts, "household_id", "n")
    at = codes(told["household_id"], labels).codes
    found = np.zeros(len(labels), np.int64)
    found[at[at >= 0]] = np.asarray(told["n"], np.int64)[at >= 0]
    return found
