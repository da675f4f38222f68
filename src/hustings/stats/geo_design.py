"""A test of places: which place spends what in which week, drawn so that the draw itself can be the test.

A design is a set of sequences (the dose of each week) that are dealt to places within blocks. That one form holds
parallel groups, switchbacks and staggered starts, and one permutation of sequences tests them all.
"""

from __future__ import annotations

import itertools
import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from hustings.errors import DesignError
from hustings.stats.clusters import Floats, Integers, cluster_codes
from hustings.stats.design import draw_arms

EXACT, LOOKED = 20_000, 5_000
"""Up to so many ways of dealing are all looked at; of more, so many."""
_CANDIDATES = 4_000
_FEWEST = 100
"""Balance may not leave fewer ways than this: with 20, no test could ever find anything."""


class Dealt(NamedTuple):
    """Sequences dealt to places.

    Attributes:
        sequence: (p,) number of each place's sequence.
        most: Distance that a dealing may have at most to count; infinity where nothing was balanced.
        distance: That of this dealing.
    """

    sequence: Integers
    most: float
    distance: float


class Ways(NamedTuple):
    """How else the same sequences could have been dealt within the same blocks.

    Attributes:
        sequence: (m, p) numbers of sequences, the dealing that took place first.
        exact: Whether these are all of them.
        n_all: How many there are, balanced or not.
    """

    sequence: Integers
    exact: bool
    n_all: float


def parallel(doses: ArrayLike, weeks: int) -> Floats:
    """One dose for all weeks: as many sequences as doses.

    Args:
        doses: (k,) two different doses or more, each 0 or more, one of them 0.
        weeks: 1 or more.

    Returns:
        (k, weeks) doses.

    Raises:
        DesignError: Doses or weeks that make no test.

    >>> parallel([0, 2], 3).tolist()
    [[0.0, 0.0, 0.0], [2.0, 2.0, 2.0]]
    """
    return np.repeat(_doses(doses, weeks)[:, None], weeks, axis=1)


def switchback(doses: ArrayLike, weeks: int, period: int, washout: int = 0) -> Floats:
    """Each place changes its dose from period to period, each dose following each other one equally often.

    Sequences are the rows of a Williams square (for an odd number of doses also its mirror), repeated or cut to
    the number of periods. Each period is followed by weeks at dose 0, so that what is left of it can fade.

    Args:
        doses: (k,) as in `parallel`.
        weeks: Of the whole test; what is left after the last whole period stays at 0.
        period: Weeks of one dose, 1 or more.
        washout: Weeks at 0 behind each.

    Returns:
        (k or 2k, weeks) doses.

    Raises:
        DesignError: Doses that make no test, or fewer than two periods.

    Source: Williams, Australian Journal of Scientific Research A 2 (1949).

    >>> switchback([0, 1], 5, period=2, washout=0).tolist()
    [[0.0, 0.0, 1.0, 1.0, 0.0], [1.0, 1.0, 0.0, 0.0, 0.0]]
    """
    given = _doses(doses, weeks)
    n_periods = (weeks + washout) // (period + washout) if period >= 1 and washout >= 0 else 0
    if n_periods < 2:
        got = f"{weeks} weeks in periods of {period} and {washout}"
        raise DesignError.of("A switchback needs two periods", received=got, allowed="more weeks")
    square = _williams(given.size)
    columns = np.arange(n_periods) % given.size
    found = np.zeros((len(square), weeks))
    for number, column in enumerate(columns):
        start = number * (period + washout)
        found[:, start : start + period] = given[square[:, column]][:, None]
    return found


def staggered(doses: ArrayLike, weeks: int, period: int) -> Floats:
    """Places begin one after another and go on: a sequence for each dose above 0 and start, and one that never does.

    Args:
        doses: (k,) as in `parallel`.
        weeks: Of the whole test.
        period: Weeks from one start to the next; the first period is at 0 for all.

    Returns:
        (1 + starts (k - 1), weeks) doses.

    Raises:
        DesignError: Doses that make no test, or a period that leaves no start.

    Source: Hussey & Hughes, Contemporary Clinical Trials 28 (2007), for stepped wedges.

    >>> staggered([0, 1], 3, period=1).tolist()
    [[0.0, 0.0, 0.0], [0.0, 1.0, 1.0], [0.0, 0.0, 1.0]]
    """
    given = _doses(doses, weeks)
    starts = range(period, weeks, period) if period >= 1 else range(0)
    if not starts:
        raise DesignError.of("A staggered test has no start", received=f"{weeks} weeks, period {period}")
    rows = [np.zeros(weeks)]
    rows += [np.where(np.arange(weeks) >= start, dose, 0.0) for start in starts for dose in given[given > 0]]
    return np.array(rows)


def matched_blocks(history: ArrayLike, size: int) -> Integers:
    """Blocks of places whose outcomes have moved alike before the test.

    Again and again the place farthest from all that are left, with its nearest. What does not make a block joins the
    last one.

    Args:
        history: (p, h) outcomes before the test; NaN counts as the week's mean.
        size: Places in a block, 2 or more.

    Returns:
        (p,) numbers of blocks.

    Raises:
        DesignError: Fewer places than a block takes, or no history.

    Source: Greevy, Lu, Silber & Rosenbaum, Biostatistics 5 (2004), for matching before randomisation.

    >>> matched_blocks([[0.1, 0.1], [0.9, 0.9], [0.1, 0.2], [0.9, 0.8]], 2).tolist()
    [0, 1, 0, 1]
    """
    known = _history(history)
    n = len(known)
    if not 2 <= size <= n or not known.shape[1]:
        raise DesignError.of("Places cannot be matched", received=f"{n} places in blocks of {size}")
    left, block = np.ones(n, bool), np.zeros(n, np.int64)
    for number in range(n // size):
        ids = np.flatnonzero(left)
        far = ids[np.argmax(((known[ids] - known[ids].mean(0)) ** 2).sum(1))]
        own = ids[np.argsort(((known[ids] - known[far]) ** 2).sum(1), kind="stable")[:size]]
        block[own], left[own] = number, False
    block[left] = n // size - 1
    # Numbered by their first place, so that alike inputs give alike numbers.
    _, first = np.unique(block, return_index=True)
    return np.argsort(np.argsort(first))[block].astype(np.int64)


def deal(
    sequences: ArrayLike,
    block: ArrayLike,
    rng: np.random.Generator,
    *,
    history: ArrayLike | None = None,
    accepted: float = 1.0,
) -> Dealt:
    """The draw: each place's sequence, as equally often within blocks as can be.

    With a history the dealing is one of the best share of all: that in which what a place spends in all has least to do
    with the level and the trend that it had.

    Args:
        sequences: (a, w) doses.
        block: (p,) integer codes; all alike for none.
        rng: Randomness.
        history: (p, h) outcomes before the test.
        accepted: Share of dealings that are balanced enough, in (0, 1]; more where that would leave fewer than 100.

    Returns:
        The dealing, with the distance that counted: `ways` needs it.

    Raises:
        DesignError: One place; more sequences than places; sequences or a share that do not fit.

    Source: Morgan & Rubin, Annals of Statistics 40 (2012), for drawing again.

    >>> np.bincount(deal(parallel([0, 1], 2), [0, 0, 1, 1], np.random.default_rng(1)).sequence).tolist()
    [2, 2]
    """
    table = _sequences(sequences)
    codes, _ = cluster_codes(np.asarray(block), np.asarray(block).size)
    if codes.size < 2 or codes.size < len(table):
        raise DesignError.of(
            "There are fewer places than ways to spend",
            received=f"{codes.size} places, {len(table)} sequences",
            allowed="a place for each sequence at least, and two in all",
            then="test fewer doses, or add places",
        )
    if not 0 < accepted <= 1:
        raise DesignError.of("The share of dealings", received=accepted, allowed="above 0, at most 1")
    first = draw_arms(np.ones(len(table)), codes, rng)
    if np.unique(first).size < len(table):
        # Blocks smaller than the number of sequences may leave one out by chance; the whole must hold all.
        first = _with_all(first, codes, len(table), rng)
    if accepted == 1 or history is None:
        return Dealt(first, np.inf, 0.0)
    n_all = math.prod(_arrangements(first[codes == b]) for b in np.unique(codes))
    accepted = min(1.0, max(accepted, _FEWEST / n_all))
    candidates = _shuffled(first, codes, _CANDIDATES, rng)
    far = distances(table, candidates, history)
    most = float(np.quantile(far, accepted, method="higher"))
    good = np.flatnonzero(far <= most)
    chosen = int(good[rng.integers(good.size)])
    return Dealt(candidates[chosen], most, float(far[chosen]))


def distances(sequences: ArrayLike, dealt: ArrayLike, history: ArrayLike) -> Floats:
    """How much what places spend in all has to do with their level and trend before.

    Args:
        sequences: (a, w) doses.
        dealt: (m, p) numbers of sequences.
        history: (p, h) outcomes before the test.

    Returns:
        (m,) the squared multiple correlation of the total dose with level and trend, in 0–1.

    >>> distances([[0.0], [1.0]], [[0, 1, 0, 1], [0, 0, 1, 1]], [[0.0], [0.0], [1.0], [1.0]]).tolist()
    [0.0, 1.0]
    """
    known = _history(history)
    week = np.arange(known.shape[1]) - (known.shape[1] - 1) / 2
    told = np.column_stack([known.mean(1), known @ week])
    told -= told.mean(0)
    scale = np.sqrt((told**2).sum(0))
    basis, size, _ = np.linalg.svd(told[:, scale > 1e-12] / scale[scale > 1e-12], full_matrices=False)
    basis = basis[:, size > 1e-6]
    total = np.asarray(sequences, np.float64).sum(1)[np.asarray(dealt)]
    total = total - total.mean(1, keepdims=True)
    length = (total**2).sum(1)
    return np.divide(((total @ basis) ** 2).sum(1), length, out=np.zeros(len(total)), where=length > 0)


def ways(
    dealt: ArrayLike,
    block: ArrayLike,
    rng: np.random.Generator,
    *,
    sequences: ArrayLike | None = None,
    history: ArrayLike | None = None,
    most: float = np.inf,
    draws: int = LOOKED,
) -> Ways:
    """Every other dealing of the same sequences within the same blocks, or so many of them at random.

    Where the dealing was drawn again until it was balanced, only balanced ones count.

    Args:
        dealt: (p,) the dealing that took place.
        block: (p,) integer codes.
        rng: Randomness.
        sequences: (a, w) doses; needed with `most`.
        history: (p, h) as at the draw; needed with `most`.
        most: As `Dealt` has it.
        draws: How many where they cannot all be looked at.

    Returns:
        The dealings; the one that took place is the first.

    Raises:
        DesignError: Codes that do not fit.

    >>> found = ways([0, 1, 0, 1], [0, 0, 1, 1], np.random.default_rng(1))
    >>> found.sequence.tolist(), found.exact
    ([[0, 1, 0, 1], [0, 1, 1, 0], [1, 0, 0, 1], [1, 0, 1, 0]], True)
    """
    own = np.asarray(dealt, np.int64)
    codes, n_blocks = cluster_codes(np.asarray(block), own.size)
    n_all = math.prod(_arrangements(own[codes == b]) for b in range(n_blocks))
    balanced = np.isfinite(most) and history is not None and sequences is not None
    if n_all <= EXACT:
        found, exact = _every(own, codes, n_blocks), True
    else:
        share = 1.0
        if balanced:
            trial = distances(sequences, _shuffled(own, codes, 500, rng), history)  # type: ignore[arg-type]
            share = max(float(np.mean(trial <= most)), 0.02)
        found, exact = _shuffled(own, codes, int(draws / share), rng), False
    if balanced:
        # A hair, so that the dealing itself never fails its own rule by rounding.
        found = found[distances(sequences, found, history) <= most * (1 + 1e-9) + 1e-12]  # type: ignore[arg-type]
    others = found[(found != own).any(1)] if exact else found
    return Ways(np.vstack([own, others]), exact, float(n_all))


def _doses(doses: ArrayLike, weeks: int) -> Floats:
    given = np.unique(np.asarray(doses, np.float64))
    if given.size < 2 or not np.isfinite(given).all() or given[0] != 0:
        raise DesignError.of(
            "These doses make no test",
            received=np.asarray(doses).tolist(),
            allowed="two different doses or more, one of them 0, none below",
        )
    if weeks < 1:
        raise DesignError.of("A test has weeks", received=weeks, allowed="1 or more")
    return given


def _sequences(sequences: ArrayLike) -> Floats:
    table = np.asarray(sequences, np.float64)
    if table.ndim != 2 or len(table) < 2 or not np.isfinite(table).all() or (table < 0).any():
        raise DesignError.of("Sequences do not fit", received=table.shape, allowed="(a, w) doses, 0 or more")
    if (table == table[0]).all():
        raise DesignError.of("All places would spend the same", then="name another dose")
    return table


def _williams(k: int) -> Integers:
    """Rows of a Latin square in which each dose follows each other one equally often."""
    first = [0]
    for step in range(1, k):
        first.append((first[-1] + (step if step % 2 else -step)) % k)
    square = (np.array(first)[None, :] + np.arange(k)[:, None]) % k
    return np.vstack([square, square[:, ::-1]]) if k % 2 else square


def _history(history: ArrayLike) -> Floats:
    known = np.asarray(history, np.float64)
    if known.ndim != 2 or np.isinf(known).any():
        raise DesignError.of("A history does not fit", received=known.shape, allowed="(places, weeks)")
    here = ~np.isnan(known)
    mean = np.where(here, known, 0).sum(0) / np.maximum(here.sum(0), 1)
    return np.asarray(np.where(here, known, mean) - mean, np.float64)


def _with_all(first: Integers, block: Integers, n: int, rng: np.random.Generator) -> Integers:
    for _ in range(1_000):
        if np.unique(first).size == n:
            return first
        first = draw_arms(np.ones(n), block, rng)
    return draw_arms(np.ones(n), np.zeros_like(block), rng)


def _shuffled(own: Integers, block: Integers, n: int, rng: np.random.Generator) -> Integers:
    """(n, p) the same sequences dealt again within blocks."""
    order = np.argsort(block, kind="stable")
    keys = np.argsort(rng.random((n, own.size)) + block[order], axis=1)
    found = np.empty((n, own.size), np.int64)
    found[:, order] = own[order][keys]
    return found


def _arrangements(own: Integers) -> int:
    each = np.unique(own, return_counts=True)[1]
    return math.factorial(own.size) // math.prod(math.factorial(int(n)) for n in each)


def _every(own: Integers, block: Integers, n_blocks: int) -> Integers:
    parts = [np.flatnonzero(block == b) for b in range(n_blocks)]
    dealt = [_orders(own[part]) for part in parts]
    found = np.empty((math.prod(len(d) for d in dealt), own.size), np.int64)
    picks = np.array(list(itertools.product(*(range(len(d)) for d in dealt))), np.int64)
    for number, part in enumerate(parts):
        found[:, part] = dealt[number][picks[:, number]]
    return found


def _orders(own: Integers) -> Integers:
    """Every distinct order of these numbers."""
    kinds, n = np.unique(own, return_counts=True)
    rows: list[list[int]] = []

    def go(done: list[int], left: list[int]) -> None:
        if len(done) == own.size:
            rows.append(done)
            return
        for at, kind in enumerate(kinds.tolist()):
            if left[at]:
                go([*done, kind], [m - (i == at) for i, m in enumerate(left)])

    go([], n.tolist())
    return np.array(rows, np.int64)
