"""Missing outcomes of tests in a sentence each: where they differ between arms, a lift may be made by them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Row = dict[str, Any]

DIFFERS = 0.05
"""Chance of shares this far apart below which the reader is warned."""


def missing_findings(attritions: list[Row]) -> Iterator[tuple[str, str, str]]:
    """The warning, what it rests on, and where to look, for each test and outcome whose missing differ.

    Args:
        attritions: Rows of `attritions`.

    Yields:
        Three texts.

    >>> rows = [{"experiment": "t", "outcome": "gave", "arm": a, "share_missing": s, "p_attrition": 0.001, "lift_low": None} for a, s in (("none", 0.1), ("letter", 0.2))]
    >>> next(missing_findings(rows))[1]
    'Not known of 20.0 % in letter and 10.0 % in none; by chance so far apart with a probability of 0.001.'
    """
    for test, outcome in dict.fromkeys((row["experiment"], row["outcome"]) for row in attritions):
        own = [
            row
            for row in attritions
            if (row["experiment"], row["outcome"]) == (test, outcome) and row["share_missing"] is not None
        ]
        p = next((row["p_attrition"] for row in own if row["p_attrition"] is not None), None)
        if p is None or p >= DIFFERS:
            continue
        most, least = (pick(own, key=lambda row: row["share_missing"]) for pick in (max, min))
        shares = " and ".join(f"{100 * row['share_missing']:.1f} % in {row['arm']}" for row in (most, least))
        chance = f"{p:.2g}" if p >= 0.0001 else "less than 0.0001"
        yield (
            f"The outcome {outcome} of {test} is missing more often in {most['arm']} than in {least['arm']}: "
            "part of a lift may be who is missing.",
            " ".join(
                [
                    f"Not known of {shares}; by chance so far apart with a probability of {chance}.",
                    *_bounds(own),
                ]
            ),
            f"hustings show attritions.{test}",
        )


def _bounds(rows: list[Row]) -> Iterator[str]:
    for row in rows:
        if row["lift_low"] is not None:
            # Enough digits for a share and for an amount alike.
            low, high = (f"{row[name]:.3g}" for name in ("lift_low", "lift_high"))
            yield f"Whoever is missing, the lift of {row['arm']} lies between {low} and {high} (Lee's bounds)."
