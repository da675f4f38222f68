"""Sends, tastes and fans ─► the probability that each audience responds to each item; learned on any part of the people."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from hustings import stats
from hustings.affinities.audiences import Audiences
from hustings.affinities.history import Sends

Floats = npt.NDArray[np.float64]


class Known(NamedTuple):
    """What an affinity is learned from.

    Attributes:
        audiences: The people.
        items: The items' ids.
        sends: What they were sent.
        tastes: (n, m) sparse; what they took to besides.
        lifts: (s, m) what surveys of fans say of each pair.
        sides: (m, g) what they say of each item.
        rank: Of the factors.
    """

    audiences: Audiences
    items: list[str]
    sends: Sends
    tastes: Any
    lifts: Floats
    sides: Floats
    rank: int


def counts(known: Known, which: npt.NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """(s, m) sends and responses of the sends marked."""
    s, m = known.lifts.shape
    sends = known.sends
    cell = known.audiences.member[sends.person[which]] * m + sends.item[which]
    n = np.bincount(cell, minlength=s * m)
    y = np.bincount(cell, sends.responded[which], s * m)
    return np.asarray(n.reshape(s, m), np.float64), np.asarray(y.reshape(s, m), np.float64)


def learn(
    known: Known, of: npt.NDArray[np.bool_], rng: np.random.Generator
) -> stats.affinity.Affinity | None:
    """The affinity learned from some of the people alone; None when none of them responded to anything.

    Args:
        known: All that is known.
        of: (n,) the people to learn from.
        rng: Starts the factors.

    Returns:
        Probabilities of every audience and item.
    """
    n, y = counts(known, of[known.sends.person])
    if not y.any():
        return None
    beside = [z for z in (_tastes(known, of, rng), _scaled(known.lifts, centre=False)) if z is not None]
    return stats.affinity.fit_affinity(n, y, np.stack(beside) if beside else None)


def _tastes(known: Known, of: npt.NDArray[np.bool_], rng: np.random.Generator) -> Floats | None:
    """(s, m) how well the factors of an audience's features fit an item, scaled; None where nothing is known."""
    from scipy.sparse import csr_array, vstack

    s, m = known.lifts.shape
    design = known.audiences.design()
    rows = csr_array(known.tastes[np.flatnonzero(of)])
    if not rows.nnz or not design.shape[1] or m < 2:
        return None
    size = np.maximum(known.audiences.size, 1)[:, None]
    mean = np.column_stack([np.bincount(known.audiences.member, column, s) for column in design.T]) / size
    # Audiences stand at the end as people of whom only the features are known.
    found = stats.recommend.fit_factors(
        vstack([rows, csr_array((s, m), dtype=np.float32)], format="csr"),
        rank=min(known.rank, m),
        person_features=np.vstack([design[of], mean]),
        item_features=known.sides if known.sides.shape[1] else None,
        rng=rng,
    )
    fit = found.people[-s:].astype(np.float64) @ found.items.T.astype(np.float64)
    # What an item has in every audience is its own effect's to tell.
    return _scaled(fit - fit.mean(axis=0), centre=True)


def _scaled(z: Floats, *, centre: bool) -> Floats | None:
    z = z - z.mean() if centre else z
    spread = float(np.sqrt((z**2).mean()))
    return np.clip(z / spread, -4, 4) if spread > 1e-9 else None
