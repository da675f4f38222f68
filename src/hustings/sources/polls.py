"""What no poll, place, result or item can say: rows of typed tables ─► the same rows with a reason where they do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

ROUNDING = 0.5
"""Each answer of a poll may be rounded up by half a point."""

Faults = Callable[[Any], list[tuple[Any, Any]]]


def _of_polls(rows: Any) -> list[tuple[Any, Any]]:
    import ibis

    poll = ibis.window(group_by=["poll_id", "place_id", "year"])
    total, answers = rows.percent.sum().over(poll), rows.percent.count().over(poll)
    told = ibis.literal("the answers add up to ") + total.round(1).cast("string") + " of 100"
    return [
        ((rows.percent < 0) | (rows.percent > 100), ibis.literal("percent is not between 0 and 100")),
        (rows.n_asked < 1, ibis.literal("n_asked is below 1")),
        (rows.ends_on < rows.starts_on, ibis.literal("ends_on is before starts_on")),
        (total > 100 + ROUNDING * answers, told),
    ]


def _of_places(rows: Any) -> list[tuple[Any, Any]]:
    import ibis

    return [
        (rows.parent_id == rows.place_id, ibis.literal("the place is part of itself")),
        (rows.seats < 0, ibis.literal("seats is below 0")),
        (rows.votes < 0, ibis.literal("votes is below 0")),
    ]


def _of_results(rows: Any) -> list[tuple[Any, Any]]:
    import ibis

    return [(rows.votes < 0, ibis.literal("votes is below 0"))]


def _of_fundamentals(rows: Any) -> list[tuple[Any, Any]]:
    import ibis

    return [((rows.share < 0) | (rows.share > 1), ibis.literal("share is not between 0 and 1"))]


def _of_place_outcomes(rows: Any) -> list[tuple[Any, Any]]:
    import ibis

    return [
        (rows.value.isnan() | rows.value.isinf(), ibis.literal("value is no number")),
        (~(rows.weight > 0), ibis.literal("weight is not above 0")),
    ]


def _of_place_people(rows: Any) -> list[tuple[Any, Any]]:
    import ibis

    return [(~(rows.n_people > 0) | rows.n_people.isinf(), ibis.literal("n_people is not above 0"))]


def _of_place_doses(rows: Any) -> list[tuple[Any, Any]]:
    import ibis

    return [
        (
            ~(rows.dose >= 0) | rows.dose.isinf() | rows.dose.isnan(),
            ibis.literal("dose is below 0 or no number"),
        )
    ]


def _of_spends(rows: Any) -> list[tuple[Any, Any]]:
    import ibis

    return [
        (
            ~(rows.cents >= 0) | rows.cents.isinf() | rows.cents.isnan(),
            ibis.literal("cents is below 0 or no number"),
        )
    ]


def _of_items(rows: Any) -> list[tuple[Any, Any]]:
    import ibis

    columns = ("cost_cents", "hours", "reach")
    return [(rows[name] < 0, ibis.literal(f"{name} is below 0")) for name in columns]


def _of_item_audiences(rows: Any) -> list[tuple[Any, Any]]:
    import ibis

    known = rows.feature.isin(["age", "sex", "party", "region"])
    aged = rows["value"].lower().re_search(r"\d+\s*(-|to|–)\s*\d+|\d+\s*\+|(under|<)\s*\d+")
    return [
        ((rows.share < 0) | (rows.share > 1), ibis.literal("share is not between 0 and 1")),
        (rows.n_asked < 1, ibis.literal("n_asked is below 1")),
        (~known, ibis.literal("feature is not age, sex, party or region")),
        ((rows.feature == "age") & ~aged, ibis.literal("value is no age group, like 18-29, 65+ or under 30")),
    ]


def _of_sends(rows: Any) -> list[tuple[Any, Any]]:
    import ibis

    told = (rows.propensity < 0) | (rows.propensity > 1)
    return [(told, ibis.literal("propensity is not between 0 and 1"))]


def _of_ties(rows: Any) -> list[tuple[Any, Any]]:
    import ibis

    return [
        (rows.record_id == rows.other_id, ibis.literal("the tie leads from a person to the same person")),
        ((rows.closeness < 0) | (rows.closeness > 1), ibis.literal("closeness is not between 0 and 1")),
        (rows.withdrawn_on < rows.consented_on, ibis.literal("withdrawn_on is before consented_on")),
    ]


def _of_asks(rows: Any) -> list[tuple[Any, Any]]:
    import ibis

    return [
        (rows.record_id == rows.other_id, ibis.literal("the ask is from a person to the same person")),
        (rows.made_on < rows.offered_on, ibis.literal("made_on is before offered_on")),
    ]


CHECKS: Mapping[str, Faults] = {
    "polls": _of_polls,
    "places": _of_places,
    "results": _of_results,
    "fundamentals": _of_fundamentals,
    "ties": _of_ties,
    "friend_asks": _of_asks,
    "place_outcomes": _of_place_outcomes,
    "place_people": _of_place_people,
    "place_doses": _of_place_doses,
    "spends": _of_spends,
    "items": _of_items,
    "item_audiences": _of_item_audiences,
    "record_sends": _of_sends,
}


def believable(rows: Any, table: str) -> Any:
    """The rows of one collected table, with a reason where they say what cannot be.

    Args:
        rows: The table's columns, and `_reasons`.
        table: Which.

    Returns:
        The same rows; `_reasons` has what was found besides, after `; `.
    """
    import ibis

    if table not in CHECKS:
        return rows
    none = ibis.null("string")
    found = [wrong.fill_null(False).ifelse(reason, none) for wrong, reason in CHECKS[table](rows)]
    every = ibis.array([rows["_reasons"].nullif(""), *found])
    return rows.mutate(_reasons=every.filter(lambda reason: reason.notnull()).join("; "))
