"""Ties, people and past asks ─► the ties that a plan may use, as arrays; and why not the others."""

from __future__ import annotations

import datetime
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from hustings.ballots import voters
from hustings.plans.choices import Floats
from hustings.plans.reach import willing
from hustings.stage import Table
from hustings.warehouse import arrays

Ints = npt.NDArray[np.int64]
USED = "may be used"
_WHY = (
    "no consent, or not for this purpose",
    "the consent was withdrawn",
    "one of the two is not among the people",
    "both live in one household",
    "the supporter has refused",
    "the friend's household has refused",
    "the friend has voted",
    "the supporter was asked to ask this friend before",
)


class FriendTies(NamedTuple):
    """Ties that may be used, each once.

    Attributes:
        supporter: (n,) number of who asks.
        target: (n,) number of who is asked.
        closeness: (n,) how well they know each other, NaN where nobody said.
        supporter_id: (s,) people by those numbers.
        target_id: (t,) people by those numbers.
        household: (t,) code of each target's household.
        labels: (h,) the households.
        place_id: (t,) where each target votes.
        offered: (s,) asks that each supporter was given before.
        made: (s,) those that were made.
        uses: Ties by whether they may be used, and why not.
    """

    supporter: Ints
    target: Ints
    closeness: Floats
    supporter_id: npt.NDArray[Any]
    target_id: npt.NDArray[Any]
    household: Ints
    labels: list[str]
    place_id: npt.NDArray[Any]
    offered: Floats
    made: Floats
    uses: dict[str, int]


def read_ties(
    ties: Table,
    friend_asks: Table,
    people: Table,
    identities: Table,
    opt_outs: Table,
    events: Table,
    *,
    purpose: str,
    action: str,
    election_day: datetime.date,
    as_of: datetime.date,
) -> FriendTies:
    """The ties that a plan may use on a day.

    Args:
        ties: The table of that name.
        friend_asks: The table of that name.
        people: The table of that name.
        identities: Which record is whom.
        opt_outs: Who has refused what.
        events: What people did; who has voted.
        purpose: The consent that is needed.
        action: What would be asked; nobody is sent to the same friend twice.
        election_day: The election.
        as_of: Nothing that arrived after its first moment is used.

    Returns:
        The ties, in the order of the people's ids.
    """
    morning = datetime.datetime.combine(as_of, datetime.time())
    found = _with_people(ties.filter(ties.arrived_at <= morning), identities, people)
    before = _with_people(friend_asks.filter(friend_asks.arrived_at <= morning), identities, people)
    known = events.filter((events.arrived_at <= morning) & events.kind.isin(["ballot", "vote"]))
    told = before.filter(before.action == action).select("supporter_id", "target_id").distinct()
    gone = voters(known, election_day)
    marked = _marked(found, told, people, identities, opt_outs, gone, purpose, as_of)
    uses = _counted(marked)
    once = (
        marked.filter(marked.why.isnull())
        .group_by("supporter_id", "target_id")
        .agg(closeness=marked.closeness.max())
    )
    return _as_arrays(once, before, people, uses)


def _with_people(rows: Any, identities: Table, people: Table) -> Any:
    """Rows of two records with both people and their households; null where a record is nobody's."""
    ids = identities.select("source", "record_id", "person_id")
    homes = people.select("person_id", "household_id")
    sides = {"supporter": "record_id", "target": "other_id"}
    for side, column in sides.items():
        whose = ids.join(homes, "person_id").select(
            **{
                "_source": ids.source,
                "_record": ids.record_id,
                f"{side}_id": ids.person_id,
                f"{side}_home": homes.household_id,
            }
        )
        same = [rows.record_source == whose["_source"], rows[column] == whose["_record"]]
        rows = rows.left_join(whose, same).drop("_source", "_record")
    return rows


def _marked(
    rows: Any,
    told: Any,
    people: Table,
    identities: Table,
    opt_outs: Table,
    voted: Any,
    purpose: str,
    as_of: datetime.date,
) -> Any:
    """Every tie with `why`: null where it may be used."""
    import ibis

    able = willing(people, opt_outs, identities, {"friend"})
    refused_own = opt_outs.filter(opt_outs.channel.isin(["all", "friend"]))
    same = [refused_own.record_source == identities.source, refused_own.record_id == identities.record_id]
    refusers = refused_own.join(
        identities.select("source", "record_id", "person_id"), same, rname="{name}_of"
    )
    marks = {
        "refuses": (refusers.select(supporter_id="person_id").distinct(), ["supporter_id"]),
        "may_reach": (able.select(target_id="person_id").distinct(), ["target_id"]),
        "voted": (voted.select(target_id="person_id").distinct(), ["target_id"]),
        "told": (told, ["supporter_id", "target_id"]),
    }
    for name, (those, key) in marks.items():
        rows = rows.left_join(those.mutate(**{f"_{name}": ibis.literal(True)}), key, rname="{name}_of")
        rows = rows.drop(*(f"{column}_of" for column in key if f"{column}_of" in rows.columns))
    day = ibis.literal(as_of)
    consented = (rows.purpose == purpose) & (rows.consented_on < day)
    why = ibis.cases(
        (~consented.fill_null(False), _WHY[0]),
        ((rows.withdrawn_on <= day).fill_null(False), _WHY[1]),
        (rows.supporter_id.isnull() | rows.target_id.isnull(), _WHY[2]),
        (
            (rows.supporter_id == rows.target_id)
            | (rows.supporter_home == rows.target_home).fill_null(False),
            _WHY[3],
        ),
        (rows["_refuses"].notnull(), _WHY[4]),
        (rows["_may_reach"].isnull(), _WHY[5]),
        (rows["_voted"].notnull(), _WHY[6]),
        (rows["_told"].notnull(), _WHY[7]),
        else_=ibis.null("string"),
    )
    return rows.select("supporter_id", "target_id", "closeness", why=why)


def _counted(marked: Any) -> dict[str, int]:
    found = arrays(marked.group_by("why").agg(n=marked.count()), "why", "n")
    by_why = {why or USED: int(n) for why, n in zip(found["why"], found["n"], strict=True)}
    return {use: by_why.get(use, 0) for use in (USED, *_WHY)}


def _as_arrays(once: Any, before: Any, people: Table, uses: dict[str, int]) -> FriendTies:
    """Numbers in place of ids before anything leaves the database: millions of texts would not fit."""
    import ibis

    supporters, targets = (
        once.select(person_id=side)
        .distinct()
        .mutate(number=ibis.row_number().over(ibis.window(order_by="person_id")))
        for side in ("supporter_id", "target_id")
    )
    numbered = once.join(supporters.select(supporter_id="person_id", supporter="number"), "supporter_id")
    numbered = numbered.join(targets.select(target_id="person_id", target="number"), "target_id")
    tie = arrays(numbered.order_by("supporter", "target"), "supporter", "target", "closeness")
    history = before.group_by("supporter_id").agg(offered=before.count(), made=before.made_on.notnull().sum())
    who = arrays(
        supporters.left_join(history, supporters.person_id == history.supporter_id).order_by("number"),
        "person_id", "offered", "made",
    )  # fmt: skip
    whom = arrays(
        targets.join(people, "person_id").order_by("number"), "person_id", "household_id", "place_id"
    )
    labels, household = np.unique(whom["household_id"].astype(str), return_inverse=True)
    return FriendTies(
        tie["supporter"].astype(np.int64),
        tie["target"].astype(np.int64),
        np.asarray(tie["closeness"], np.float64),
        who["person_id"],
        whom["person_id"],
        household.astype(np.int64),
        labels.tolist(),
        whom["place_id"],
        np.nan_to_num(np.asarray(who["offered"], np.float64)),
        np.nan_to_num(np.asarray(who["made"], np.float64)),
        uses,
    )
