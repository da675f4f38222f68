"""Sends and events ─► who was sent which item and responded, and what people took to besides."""

from __future__ import annotations

import datetime
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from hustings.stage import Table
from hustings.warehouse import arrays, codes

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


class Sends(NamedTuple):
    """Sends whose horizon is over; all (n,).

    Attributes:
        person: Rows of the people.
        item: Numbers of the items.
        responded: Whether the person responded within the horizon.
        amount: Sum of the responses' values; NaN where none has any.
        propensity: Probability with which the item was chosen; NaN where not logged.
    """

    person: Integers
    item: Integers
    responded: npt.NDArray[np.bool_]
    amount: Floats
    propensity: Floats


def read_items(items: Table, kinds: list[str], as_of: datetime.date) -> dict[str, str]:
    """The items of some kinds and what people call them, by id."""
    morning = datetime.datetime.combine(as_of, datetime.time())
    known = items.filter(items.kind.isin(kinds) & (items.arrived_at <= morning)).order_by("item_id", "source")
    rows = arrays(known, "item_id", "name")
    return {item: name or item for item, name in zip(rows["item_id"], rows["name"], strict=True)}


def read_sends(
    record_sends: Table,
    identities: Table,
    events: Table,
    person_id: npt.NDArray[Any],
    items: list[str],
    outcome: str,
    horizon_days: int,
    as_of: datetime.date,
) -> Sends:
    """Each send with what came of it; an event counts for the latest send of its item before it.

    Args:
        record_sends: The table of that name.
        identities: The table of that name.
        events: The table of that name.
        person_id: (n,) the people, sorted.
        items: The items.
        outcome: The kind of event that is a response.
        horizon_days: Days within which it counts.
        as_of: The day; what arrived later is not known.

    Returns:
        The sends.
    """
    import ibis

    morning = datetime.datetime.combine(as_of, datetime.time())
    over = morning - datetime.timedelta(days=horizon_days)
    same = [
        record_sends.record_source == identities.source,
        record_sends.record_id == identities.record_id,
    ]
    sent = record_sends.join(identities.select("source", "record_id", "person_id"), same, rname="{name}_of")
    sent = sent.filter((sent.sent_at < over) & (sent.arrived_at <= morning) & sent.item_id.isin(items))
    sent = sent.group_by("person_id", "item_id", "sent_at").agg(propensity=sent.propensity.min())
    did = events.filter((events.kind == outcome) & (events.arrived_at <= morning) & events.item.isin(items))
    did = did.select("source", "event_id", "person_id", "value", "happened_at", item_id=did.item)
    pair = sent.join(did, ["person_id", "item_id"])
    pair = pair.filter(
        (pair.happened_at >= pair.sent_at)
        & (pair.happened_at < pair.sent_at + ibis.interval(days=horizon_days))
    )
    last = pair.group_by("source", "event_id", "person_id", "item_id").agg(
        sent_at=pair.sent_at.max(), value=pair["value"].max()
    )
    came = last.group_by("person_id", "item_id", "sent_at").agg(n=last.count(), amount=last["value"].sum())
    both = sent.left_join(came, ["person_id", "item_id", "sent_at"]).order_by(
        "person_id", "item_id", "sent_at"
    )
    told = arrays(both, "person_id", "item_id", "propensity", "n", "amount")
    person = codes(told["person_id"], person_id).codes
    item = codes(told["item_id"], items).codes
    numbers = [np.asarray(told[name], np.float64) for name in ("n", "amount", "propensity")]
    sound = (person >= 0) & (item >= 0)
    return Sends(
        person[sound],
        item[sound],
        np.nan_to_num(numbers[0][sound]) > 0,
        numbers[1][sound],
        numbers[2][sound],
    )


def read_tastes(
    events: Table, person_id: npt.NDArray[Any], items: list[str], kinds: list[str], as_of: datetime.date
) -> Any:
    """(n, m) sparse counts of events in which a person took to an item."""
    from scipy.sparse import csr_array

    morning = datetime.datetime.combine(as_of, datetime.time())
    took = events.filter(
        events.kind.isin(kinds)
        & events.item.isin(items)
        & (events.arrived_at <= morning)
        & (events.happened_at < morning)
    )
    told = arrays(
        took.group_by("person_id", "item").agg(n=took.count()).order_by("person_id", "item"),
        "person_id",
        "item",
        "n",
    )
    person, item = codes(told["person_id"], person_id).codes, codes(told["item"], items).codes
    sound = (person >= 0) & (item >= 0)
    n = np.asarray(told["n"], np.float32)[sound]
    return csr_array((n, (person[sound], item[sound])), shape=(len(person_id), len(items)))
