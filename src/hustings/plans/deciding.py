"""Yes or no to what was proposed: written down with the list it was said to, so that it can be measured later."""

from __future__ import annotations

import datetime
import getpass
import json
import os
from collections.abc import Sequence
from contextlib import closing
from typing import Any, Literal, NamedTuple

import pyarrow.compute as pc

from hustings.campaign import Campaign
from hustings.errors import TableError
from hustings.plans.ledger import DECIDED
from hustings.tables import spec
from hustings.warehouse import Lake, locked, open_lake, open_published, read, write
from hustings.warehouse.store import create_tables

Verdict = Literal["accepted", "refused"]
Row = dict[str, Any]


class Decided(NamedTuple):
    """What was written down.

    Attributes:
        decision_id: Which decision.
        plan_id: Its plan.
        verdict: Yes or no.
        by: Who said it.
        n_people: People on the list that was accepted.
        n_held_out: Of them, held out.
    """

    decision_id: str
    plan_id: str
    verdict: Verdict
    by: str
    n_people: int
    n_held_out: int


def open_decisions(campaign: Campaign) -> list[Row]:
    """The newest proposal of each plan of the published run, where nobody has decided on it yet.

    Args:
        campaign: The campaign.

    Returns:
        Rows of `decisions`, by plan.

    Raises:
        WarehouseError: Nothing has been published.
    """
    proposed, _ = _proposed(campaign)
    with closing(open_lake(campaign.store)) as lake:
        done = _verdicts(lake)
    return [row for row in _newest(proposed) if row["decision_id"] not in done]


def decide(
    campaign: Campaign,
    decision_ids: Sequence[str],
    verdict: Verdict,
    *,
    by: str | None = None,
    note: str | None = None,
    at: datetime.datetime | None = None,
) -> list[Decided]:
    """Accept or refuse proposals, each once, and all or none.

    With an acceptance the plan's list is kept as it stands, those held out included: that is what will be measured.

    Args:
        campaign: The campaign.
        decision_ids: Rows of `decisions`, or unmistakable beginnings of their ids.
        verdict: Yes or no.
        by: Who decides; whoever is signed in unless given.
        note: Why.
        at: When (UTC); now unless given.

    Returns:
        What was written, in their order.

    Raises:
        TableError: No such decision, several that begin so, one that was decided already, or one that a newer
            proposal of its plan has replaced.
        LockError: A run is at work.
    """
    proposed, lists = _proposed(campaign, lists=verdict == "accepted")
    rows = [_named(one, proposed) for one in decision_ids]
    newest = {one["plan_id"]: one for one in _newest(proposed)}
    who = (by or "").strip() or _signed_in()
    moment = at or datetime.datetime.now(datetime.UTC).replace(tzinfo=None)
    for row in rows:
        _check_list(row, lists.get(row["plan_id"]))
    with locked(campaign.store), closing(open_lake(campaign.store, write=True)) as lake:
        before = _verdicts(lake)
        for row in rows:
            _check_open(row, before.get(row["decision_id"]), newest[row["plan_id"]])
        with lake.transaction():
            create_tables(lake)
            write(lake, "decision_events", _events(rows, verdict, who, note, moment), "decide")
            for row in rows:
                own = lists.get(row["plan_id"])
                if own is not None:
                    ids = [row["decision_id"]] * len(own["person_id"])
                    write(lake, "decided_people", own | {"decision_id": ids}, "decide")
    told = " ".join(row["decision_id"] for row in rows)
    (campaign.folder / DECIDED).write_text(f"{told} {verdict}\n", encoding="utf-8")
    return [_told(row, verdict, who, lists.get(row["plan_id"])) for row in rows]


def _told(row: Row, verdict: Verdict, by: str, own: dict[str, list[Any]] | None) -> Decided:
    out, held = (0, 0) if own is None else (_persons(own, held_out=False), _persons(own, held_out=True))
    return Decided(row["decision_id"], row["plan_id"], verdict, by, out + held, held)


def _check_open(row: Row, before: Row | None, newest: Row) -> None:
    if before is not None:
        raise TableError.of(
            f"Decided already: {before['event']} by {before['by']} on {before['happened_at']:%Y-%m-%d}",
            received=row["decision_id"],
            then="hustings run, for a new proposal",
        )
    if newest["as_of"] > row["as_of"]:
        raise TableError.of(
            f"A newer proposal of {row['plan_id']} has replaced it",
            received=row["decision_id"],
            then=f"hustings decide {newest['decision_id'][:8]}",
        )


def _proposed(
    campaign: Campaign, *, lists: bool = False
) -> tuple[list[Row], dict[str, dict[str, list[Any]]]]:
    """The proposals of the published run, and the lists of its plans."""
    lake, _ = open_published(campaign.store)
    with closing(lake):
        rows: list[Row] = read(lake, "decisions").to_pyarrow().to_pylist()
        return rows, _lists(lake) if lists else {}


def _lists(lake: Lake) -> dict[str, dict[str, list[Any]]]:
    """Every plan's people, held out or not, with what was predicted of them and what the literature says."""
    plan = read(lake, "contact_plan").select(
        "plan_id", "person_id", "household_id", "action", "held_out", "added_ballots"
    )
    evidence = read(lake, "evidence")
    told = evidence.filter(evidence.outcome == "voted").select("action", published=evidence.prior)
    rows = plan.left_join(told, "action").drop("action_right").order_by("plan_id").to_pyarrow()
    found: dict[str, dict[str, list[Any]]] = {}
    for name in rows["plan_id"].unique().to_pylist():
        own = rows.filter(pc.equal(rows["plan_id"], name)).drop_columns(["plan_id"])
        found[name] = own.to_pydict()
    return found


def _newest(rows: list[Row]) -> list[Row]:
    last: dict[str, Row] = {}
    for row in rows:
        before = last.get(row["plan_id"])
        if before is None or row["as_of"] >= before["as_of"]:
            last[row["plan_id"]] = row
    return [last[plan] for plan in sorted(last)]


def _named(decision_id: str, rows: list[Row]) -> Row:
    found = [row for row in rows if row["decision_id"].startswith(decision_id)] if decision_id else []
    if len(found) > 1 and not (exact := [row for row in found if row["decision_id"] == decision_id]):
        raise TableError.of(
            "Several decisions begin so",
            received=decision_id,
            allowed=[row["decision_id"] for row in found[:10]],
        )
    if not found:
        known = [row["decision_id"] for row in rows] + [row["decision_id"][:8] for row in _newest(rows)]
        raise TableError.unknown(
            "No such decision", decision_id, known, "hustings decide, for those that are open"
        )
    return found[0] if len(found) == 1 else exact[0]


def _check_list(row: Row, own: dict[str, list[Any]] | None) -> None:
    """The list in the warehouse must be the one that was proposed: else its people are not those of the decision."""
    plan: Row = next((one for one in json.loads(row["options"]) if one.get("option") == "plan"), {})
    reached = _persons(own, held_out=False) if own is not None else None
    if reached is not None and plan.get("n_people") is not None and reached != plan["n_people"]:
        raise TableError.of(
            f"The list of {row['plan_id']} is no longer the one that was proposed",
            received=f"{reached:,} people to be reached",
            allowed=f"{plan['n_people']:,}",
            then="hustings decide, for what is proposed now",
        )


def _persons(own: dict[str, list[Any]], *, held_out: bool) -> int:
    """People of a list, each once whatever is to be done with them."""
    return len(
        {who for who, held in zip(own["person_id"], own["held_out"], strict=True) if bool(held) is held_out}
    )


def _verdicts(lake: Lake) -> dict[str, Row]:
    try:
        events = read(lake, "decision_events")
    except TableError:
        return {}
    rows = events.filter(events.event.isin(["accepted", "refused"])).to_pyarrow().to_pylist()
    return {row["decision_id"]: row for row in rows}


def _events(
    rows: list[Row], verdict: Verdict, by: str, note: str | None, at: datetime.datetime
) -> dict[str, list[Any]]:
    made: list[Row] = [
        {
            "event_id": f"{row['decision_id']}-decided", "decision_id": row["decision_id"], "event": verdict,
            "by": by, "happened_at": at, "note": note,
        }
        for row in rows
    ]  # fmt: skip
    return {name: [row.get(name) for row in made] for name in spec("decision_events").names}


def _signed_in() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"user {os.getuid()}"
