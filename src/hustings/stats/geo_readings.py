"""What spending did in places: regression with place and week effects, tested by the draw itself.

With 8 or 20 places no formula for a standard error can be trusted; the draw can. The same sequences are dealt again as
they might have been, and the estimate is held against what each of those would have shown.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from hustings.errors import DesignError
from hustings.stats.clusters import Floats, Integers
from hustings.stats.geo_design import Ways
from hustings.stats.geo_permutations import refused_ends, share_as_extreme, shown, smallest_share


class Reading(NamedTuple):
    """The effect of one unit of dose for one week, with its test.

    Attributes:
        estimate: In the outcome's unit per unit of dose.
        std_error: The spread that the estimate would have over all dealings, were the effect as estimated.
        low: Lower end of the interval, minus infinity where there are too few dealings for one.
        high: Upper end.
        p_value: Share of dealings whose estimate would be as far from 0, were there no effect in any place or week.
        n_ways: Dealings that were looked at.
        smallest_p: The smallest p-value that there could be.
    """

    estimate: float
    std_error: float
    low: float
    high: float
    p_value: float
    n_ways: int
    smallest_p: float


class Frame(NamedTuple):
    """Places and weeks with the part of the outcome that place and week effects do not explain.

    Attributes:
        cells: (n,) places × weeks, flat, whose outcome is known.
        root: (n,) square roots of the cells' weights.
        basis: (n, k) what effects of place and week span, orthonormal.
        outcome: (n,) weighted outcome less its projection.
        shape: Places and weeks.
    """

    cells: Integers
    root: Floats
    basis: Floats
    outcome: Floats
    shape: tuple[int, int]

    def rest(self, dose: Floats) -> Floats:
        """(…, n) doses (…, p, w) less what effects of place and week explain, weighted."""
        flat = dose.reshape(*dose.shape[:-2], -1)[..., self.cells] * self.root
        return np.asarray(flat - (flat @ self.basis) @ self.basis.T)


def stock(dose: ArrayLike, half_life: float) -> Floats:
    """What is at work in each week: its own dose, and what is left of those before.

    s_t = d_t + 0.5^(1 / half-life) s_{t-1}.

    Args:
        dose: (…, w) by week.
        half_life: Weeks in which half is lost; 0 for none that lasts.

    Returns:
        The same shape.

    Raises:
        DesignError: A half-life below 0, or no number.

    Source: Broadbent, Journal of the Market Research Society 21 (1979), for adstock.

    >>> stock([1.0, 0.0, 0.0], 1.0).tolist()
    [1.0, 0.5, 0.25]
    """
    if not (np.isfinite(half_life) and half_life >= 0):
        raise DesignError.of("A half-life", received=half_life, allowed="0 weeks or more")
    found = np.array(dose, np.float64)
    kept = 0.5 ** (1 / half_life) if half_life > 0 else 0.0
    for week in range(1, found.shape[-1]):
        found[..., week] += kept * found[..., week - 1]
    return found


def frame(outcome: ArrayLike, weight: ArrayLike | None = None) -> Frame:
    """Places × weeks, ready to be read: history and test together.

    Args:
        outcome: (p, w) mean outcome of each place and week; NaN where it is missing.
        weight: (p, w) people behind each; alike unless given.

    Returns:
        The frame.

    Raises:
        DesignError: One place, one week, an infinite outcome, a weight of 0 or less, an outcome that never varies, or
            no outcome besides what effects of place and week use up.

    >>> frame([[0.0, 1.0], [0.0, 3.0]]).outcome.round(6).tolist()
    [0.5, -0.5, -0.5, 0.5]
    """
    y = np.asarray(outcome, np.float64)
    if y.ndim != 2 or min(y.shape) < 2 or np.isinf(y).any():
        raise DesignError.of("Outcomes do not fit", received=y.shape, allowed="(places, weeks), two of each or more, finite")  # fmt: skip
    w = np.ones(y.shape) if weight is None else np.broadcast_to(np.asarray(weight, np.float64), y.shape)
    known = ~np.isnan(y)
    if not (np.isfinite(w[known]).all() and (w[known] > 0).all()):
        raise DesignError.of("A weight is missing or not above 0", allowed="people behind each outcome")
    cells = np.flatnonzero(known)
    if not cells.size or np.ptp(y[known]) == 0:
        raise DesignError.of("The outcome never varies", received=f"{cells.size} places and weeks known")
    root = np.sqrt(w.ravel()[cells] / w[known].mean())
    place, week = np.divmod(cells, y.shape[1])
    dummies = np.zeros((cells.size, sum(y.shape)))
    dummies[np.arange(cells.size), place] = root
    dummies[np.arange(cells.size), y.shape[0] + week] = root
    left, size, _ = np.linalg.svd(dummies, full_matrices=False)
    basis = left[:, size > 1e-9 * size[0]]
    if cells.size - basis.shape[1] < 1:
        raise DesignError.of(
            "Nothing is left of the outcome besides effects of place and week",
            received=f"{cells.size} known",
        )
    told = y.ravel()[cells] * root
    return Frame(cells, root, basis, told - basis @ (basis.T @ told), (y.shape[0], y.shape[1]))


def read_dose(
    known: Frame,
    sequences: ArrayLike,
    dealings: Ways,
    *,
    confidence: float = 0.95,
) -> Reading:
    """The effect of a unit of dose, tested by every other dealing, with its interval by inverting the test.

    With z the dose less effects of place and week, the estimate is z'y / z'z. The statistic of a dealing is the estimate
    that it would show, over its standard error clustered by place; a value t is in the interval unless, with t z_0 taken
    off, too few dealings have one as large. Divided by its error it holds for the mean effect, too, where places differ.

    Args:
        known: From `frame`.
        sequences: (a, w) what is at work in each week (`stock`), the history's weeks among them.
        dealings: From `ways`; the first took place.
        confidence: Of the interval.

    Returns:
        The reading: exact where the effect is the same in all places and weeks, else the better the more places.

    Raises:
        DesignError: Sequences that do not fit, or doses that effects of place and week explain.

    Source: Fisher, The Design of Experiments (1935); Rosenbaum, Observational Studies (2002), 2.4–2.6; Wu & Ding, JASA
    116 (2021), for dividing by the error.

    >>> from hustings.stats.geo_design import ways
    >>> y = np.array([[0.0, 0.0], [0.0, 3.0], [0.0, 1.0], [0.0, 4.0]])
    >>> ways_ = ways([0, 1, 0, 1], [0, 0, 1, 1], np.random.default_rng(0))
    >>> found = read_dose(frame(y), [[0.0, 0.0], [0.0, 1.0]], ways_)
    >>> found.estimate.__round__(6), found.p_value
    (3.0, 0.5)
    """
    if not 0 < confidence < 1:
        raise DesignError.of("A confidence", received=confidence, allowed="between 0 and 1")
    table = np.asarray(sequences, np.float64)
    if table.ndim != 2 or table.shape[1] != known.shape[1] or dealings.sequence.shape[1] != known.shape[0]:
        got = f"{table.shape} and {dealings.sequence.shape}"
        raise DesignError.of("Sequences or dealings do not fit", received=got, allowed=f"{known.shape}")
    return _tested(
        known, lambda dealt: known.rest(table[dealt]), dealings.sequence, known.outcome, confidence
    )


def read_one_dose(known: Frame, parts: ArrayLike, which: int, dealings: Ways) -> Reading:
    """The effect of one dose where places had several: the others are taken off, in every dealing by its own.

    The outcome loses the other doses' effects at their estimates; each dealing's dose loses what its other doses explain
    (Freedman & Lane 1983), so that the p-value is near, not exact.

    Args:
        known: From `frame`.
        parts: (d, a, w) what is at work of each dose in each week.
        which: Number of the dose.
        dealings: From `ways`.

    Returns:
        The reading.

    Raises:
        DesignError: A dose that place, week and the other doses explain.

    Source: Freedman & Lane, Journal of Business & Economic Statistics 1 (1983); Winkler et al., NeuroImage 92 (2014).

    >>> from hustings.stats.geo_design import ways
    >>> y = np.array([[0.0, 0.0], [0.0, 1.0], [0.0, 3.0], [0.0, 0.2], [0.0, 1.1], [0.0, 3.2]])
    >>> one, two = ([[0.0, float(a == k)] for a in range(3)] for k in (1, 2))
    >>> found = ways([0, 1, 2, 0, 1, 2], [0] * 6, np.random.default_rng(0))
    >>> round(read_one_dose(frame(y), [one, two], 1, found).estimate, 6)
    3.0
    """
    tables = np.asarray(parts, np.float64)
    others = np.arange(len(tables)) != which
    first = known.rest(tables[:, dealings.sequence[0]])
    effect = np.linalg.lstsq(first.T, known.outcome, rcond=None)[0]

    def alone(dealt: Integers) -> Floats:
        own = known.rest(tables[which][dealt])
        rest = known.rest(tables[others][:, dealt]).transpose(1, 0, 2)
        inner = np.matmul(rest, rest.transpose(0, 2, 1))
        share = np.matmul(np.linalg.pinv(inner, hermitian=True), np.matmul(rest, own[:, :, None]))
        return np.asarray(own - np.matmul(rest.transpose(0, 2, 1), share)[:, :, 0])

    left = known.outcome - effect[others] @ first[others]
    return _tested(known, alone, dealings.sequence, left, 0.95)


def trend_before(
    history: ArrayLike, total: ArrayLike, dealings: Ways, *, weight: ArrayLike | None = None
) -> Reading:
    """Whether places that were to spend more had been moving another way before the test.

    The trend of a place's history on what it spends in all, tested by the draw: p is uniform where the draw was
    followed, and a small one says that it was not.

    Args:
        history: (p, h) outcomes before the test, three weeks or more.
        total: (a,) what each sequence spends in all.
        dealings: From `ways`.
        weight: (p, h) people behind each outcome.

    Returns:
        The reading: outcome per week, per unit of dose in all.

    Raises:
        DesignError: Fewer than three weeks.

    >>> from hustings.stats.geo_design import ways
    >>> y = np.array([[0.0, 1.0, 2.0], [0.0, 0.0, 0.0], [0.0, 1.0, 2.0], [0.0, 0.0, 0.0]])
    >>> found = ways([0, 1, 0, 1], [0, 0, 0, 0], np.random.default_rng(0))
    >>> round(trend_before(y, [1.0, 0.0], found).estimate, 6)
    1.0
    """
    told = np.asarray(history, np.float64)
    if told.ndim != 2 or told.shape[1] < 3:
        raise DesignError.of("A trend needs three weeks before the test", received=told.shape)
    weeks = np.arange(told.shape[1]) - (told.shape[1] - 1) / 2
    return read_dose(frame(told, weight), np.outer(np.asarray(total, np.float64), weeks), dealings)


def read_neighbours(
    known: Frame, sequences: ArrayLike, dealings: Ways, neighbours: ArrayLike, own_effect: float
) -> Reading:
    """Whether a place's outcome moves with what its neighbours spend: signals that reach across borders.

    Its own effect is taken off at its estimate, so that the p-value is near, not exact.

    Args:
        known: From `frame`.
        sequences: (a, w) what is at work in each week.
        dealings: From `ways`.
        neighbours: (p, p) weight of each place's neighbours; rows need not add up to one.
        own_effect: As `read_dose` has estimated it.

    Returns:
        The effect of one unit of dose in the mean neighbour.

    Raises:
        DesignError: No place has a neighbour that spends otherwise.

    Source: Aronow & Samii, Annals of Applied Statistics 11 (2017), for exposure mappings.

    >>> from hustings.stats.geo_design import ways
    >>> y = np.array([[0.0, 2.0], [0.0, 1.0], [0.0, 2.0], [0.0, 0.0]])
    >>> near = np.zeros((4, 4)); near[1, 0] = near[3, 1] = 1
    >>> found = ways([0, 1, 0, 1], [0, 0, 0, 0], np.random.default_rng(0))
    >>> round(read_neighbours(frame(y), [[0.0, 1.0], [0.0, 0.0]], found, near, 1.5).estimate, 6)
    1.0
    """
    table, near = np.asarray(sequences, np.float64), np.asarray(neighbours, np.float64)
    if near.shape != (known.shape[0],) * 2 or not np.isfinite(near).all() or (near < 0).any():
        raise DesignError.of(
            "Neighbours do not fit", received=near.shape, allowed="(places, places), 0 or more"
        )
    total = near.sum(1, keepdims=True)
    near = np.divide(near, total, out=np.zeros_like(near), where=total > 0)

    def around(dealt: Integers) -> Floats:
        own, other = known.rest(table[dealt]), known.rest(np.matmul(near, table[dealt]))
        size = (own * own).sum(-1, keepdims=True)
        share = np.divide(
            (own * other).sum(-1, keepdims=True), size, out=np.zeros_like(size), where=size > 1e-18
        )
        return np.asarray(other - share * own)

    left = known.outcome - own_effect * known.rest(table[dealings.sequence[0]])
    return _tested(known, around, dealings.sequence, left, 0.95)


def _tested(
    known: Frame, dose: Callable[[Integers], Floats], dealt: Integers, y: Floats, confidence: float
) -> Reading:
    found = shown(dose, dealt, y, known.cells // known.shape[1])
    if not found.length[0] > 1e-18:
        raise DesignError.of(
            "What places spent is explained by place and week alone",
            allowed="doses that differ between places in the same week",
        )
    estimate = float(found.alone[0])
    apart = (found.alone[1:] - estimate * found.moved[1:]) * np.sqrt(found.length[1:] / found.length[0])
    spread = float(np.sqrt(np.mean(apart**2))) if apart.size else np.nan
    low, high = refused_ends(found, spread, 1 - confidence)
    p = float(share_as_extreme(found, np.zeros(1))[0])
    return Reading(estimate, spread, low, high, p, len(dealt), smallest_share(found))
