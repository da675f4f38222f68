"""Seats in proportion to votes, district by district, by the highest averages; in every draw at once."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hustings.errors import DesignError

Divisors = Literal["d_hondt", "sainte_lague"]
STEPS = {"d_hondt": 1, "sainte_lague": 2}
"""Divisors are 1, 1 + step, 1 + 2 · step, … ."""


def allocate(
    votes: ArrayLike, seats: int, divisors: Divisors = "d_hondt", hurdle: float = 0.0
) -> NDArray[np.int64]:
    """The seats of every party of one district, one seat after the other.

    Args:
        votes: (k,) votes of the parties, 0 or more.
        seats: To be given.
        divisors: `d_hondt` (1, 2, 3, …) or `sainte_lague` (1, 3, 5, …).
        hurdle: Share of the votes below which a party gets no seat.

    Returns:
        (k,) seats; of two parties with one quotient the first gets the seat.

    Raises:
        DesignError: Unknown divisors, or nobody above the hurdle.

    Source: Pukelsheim, Proportional Representation (2nd ed. 2017), sections 3.8 and 4.6.

    >>> allocate([100_000, 80_000, 30_000, 20_000], 8).tolist()
    [4, 3, 1, 0]
    >>> allocate([53_000, 24_000, 23_000], 7, "sainte_lague").tolist()
    [3, 2, 2]
    """
    step = _step(divisors)
    cast = np.asarray(votes, dtype=np.float64)
    counted = np.where(cast >= hurdle * cast.sum(), cast, 0.0)
    if not counted.sum() > 0:
        raise DesignError.of("No party passes the hurdle", received=hurdle, allowed="a lower share")
    found = np.zeros(cast.size, dtype=np.int64)
    for _ in range(seats):
        found[np.argmax(counted / (1 + step * found))] += 1
    return found


def our_seats(
    leads: ArrayLike, seats: ArrayLike, divisors: Divisors = "d_hondt", hurdle: float = 0.0
) -> NDArray[np.float32]:
    """The seats of our own party in each contest of each draw.

    With v our votes over each rival's, our k-th quotient is 1 / d_k; a rival has floor(1 + (d_k / v - 1) / step)
    quotients that are as large. We have k seats when those of all rivals leave room for it: nothing has to be given
    out one by one, and k lies within a few seats of our share of them.

    Args:
        leads: (n, c, r) log of our votes over each rival's.
        seats: (c,) seats of each contest.
        divisors: As for `allocate`.
        hurdle: As for `allocate`.

    Returns:
        (n, c); a quotient that a rival shares is counted for the rival.

    Raises:
        DesignError: Unknown divisors, or shapes that do not fit.

    >>> our_seats(np.log([[[10 / 8, 10 / 3, 10 / 2]]]), [8]).tolist()
    [[4.0]]
    """
    step = _step(divisors)
    lead = np.asarray(leads, dtype=np.float64)
    size = np.asarray(seats, dtype=np.float64)
    if lead.ndim != 3 or size.shape != lead.shape[1:2]:
        raise DesignError.of(
            "Seats do not fit the contests", received=size.shape, allowed=f"({lead.shape[1:2]},)"
        )
    theirs = np.exp(-lead)
    total = 1 + theirs.sum(axis=2)
    theirs = np.where(theirs >= hurdle * total[:, :, None], theirs, 0.0)
    share = 1 / (1 + theirs.sum(axis=2))
    parties = lead.shape[2] + 1
    # Above: the highest averages give no party more than its share of seats + parties - 1 (d'Hondt).
    most = np.minimum(np.ceil(share * (size + parties)), size)
    least = np.maximum(np.floor(share * size) - parties, 0.0)
    found = least.copy()
    for more in range(1, int((most - least).max(initial=0)) + 1):
        k = least + more
        divisor = 1 + step * (k - 1)
        as_large = np.floor(1 + (theirs * divisor[:, :, None] - 1) / step)
        room = np.maximum(as_large, 0.0).sum(axis=2) + k <= size
        found = np.where(room & (k <= size), k, found)
    kept: NDArray[np.float32] = np.where(hurdle * total <= 1, found, 0.0).astype(np.float32)
    return kept


def _step(divisors: str) -> int:
    if divisors not in STEPS:
        raise DesignError.unknown("Unknown divisors", str(divisors), STEPS)
    return STEPS[divisors]
