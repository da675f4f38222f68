"""Rows of `survey_polls` ─► rows in the form of `polls`, which a forecast reads beside those of others."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from typing import Any


def as_polls(
    rows: Iterable[Mapping[str, Any]], places: Container[str], year: int, choice: str, rival: str
) -> list[dict[str, Any]]:
    """Two answers for each place of each own survey that has a number.

    The whole is the sum of its places, so of one survey either its places are given, where the forecast knows any of
    them, or the whole. What was asked counts as many answers as a simple random sample with the same error has.

    Args:
        rows: Rows of `survey_polls`.
        places: The places that the forecast knows.
        year: Of the election.
        choice: Whose share `share` is.
        rival: The other.

    Returns:
        Rows with the columns of `polls` that a forecast reads.

    >>> row = {"poll_id": "own may", "place_id": "OH", "level": "place", "share": 0.52, "n_effective": 400}
    >>> row |= dict.fromkeys(("pollster", "mode", "population", "starts_on", "ends_on"))
    >>> [(p["choice"], p["percent"], p["n_asked"]) for p in as_polls([row], {"OH"}, 2026, "Poe", "Low")]
    [('Poe', 52.0, 400), ('Low', 48.0, 400)]
    """
    known = [
        row for row in rows if row["share"] is not None and row["n_effective"] and row["place_id"] in places
    ]
    apart = {row["poll_id"] for row in known if row["level"] == "place"}
    kept = ("poll_id", "place_id", "pollster", "mode", "population", "starts_on", "ends_on")
    return [
        {
            **{name: row[name] for name in kept},
            "source": "survey_polls",
            "year": year,
            "n_asked": row["n_effective"],
            "choice": name,
            "percent": 100 * share,
        }
        for row in known
        if row["level"] == "place" or row["poll_id"] not in apart
        for name, share in ((choice, row["share"]), (rival, 1 - row["share"]))
    ]
