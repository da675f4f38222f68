"""What `[experiments.NAME]` may say that several stages read."""

from __future__ import annotations

import datetime
from typing import Annotated, Literal

from hustings.stage import About

Unit = Literal["person", "household", "place"]

UnitOf = Annotated[Unit, About("What was drawn at random; errors are clustered by it.")]
Control = Annotated[str, About("The arm that all others are read against.")]
Shares = Annotated[
    dict[str, float],
    About("Share of the units planned for each arm, in any unit; needed to draw, and to check the ratio."),
]
Measured = Annotated[list[str], About("The outcomes on which the arms are compared.")]
DrawOn = Annotated[
    datetime.date | None,
    About("The day on which Hustings draws the test; nothing when a file tells who got what."),
]
ReadOn = Annotated[
    datetime.date | None, About("Sealed before this day, but for the reading that may be taken at any time.")
]
ReadAt = Annotated[
    int | None,
    About("Sealed before the outcomes of so many people are known, but for the same reading.", ge=1),
]


def why_sealed(
    as_of: datetime.date, read_on: datetime.date | None, read_at: int | None, n_known: int
) -> str | None:
    """In plain words, until when a test may not be read; None when it may.

    Args:
        as_of: The campaign's day.
        read_on: The planned day.
        read_at: The planned number of people with the outcome known.
        n_known: How many there are.

    Returns:
        The reason; where a day and a size are planned, both must be reached.

    >>> why_sealed(datetime.date(2026, 11, 1), datetime.date(2026, 11, 20), None, 0)
    'sealed until 2026-11-20'
    """
    parts = []
    if read_on is not None and as_of < read_on:
        parts.append(f"{read_on}")
    if read_at is not None and n_known < read_at:
        parts.append(f"the outcome of {read_at:,} people is known ({n_known:,} now)")
    return f"sealed until {' and '.join(parts)}" if parts else None
