"""Viewing that a panel has estimated: halves to judge a plan on, and a blend of each panelist with those alike.

A plan that is chosen on a panel looks better on it than it is: it buys what these panelists happened to see. So the
panel is read through the ratings of those alike, and more closely only where that proves better on the other half; and the
rule of thumb is bought where it proves better there than the plan.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from hustings.errors import DesignError
from hustings.stats.clusters import Floats
from hustings.stats.media_search import Audience, value_of
from hustings.stats.response import Response, share_of_effect, slope_of_effect

Integers = NDArray[np.int64]
VIEWS = ("ratings", "shrunk", "worth", "fine", "own")
"""How a panel may be read, from the steadiest to the most detailed: see `audience_of`."""
TRIED = ("shrunk", "worth", "fine")
"""Those of them that `choose` tries; the first is kept unless another proves better."""
_WORTH_BANDS, _VIEWING_BANDS = 3, 3


class Panel(NamedTuple):
    """Who was seen viewing what, and for whom they stand.

    Attributes:
        viewing: (m, s) probability of seeing one unit, as estimated.
        people: (m,) persons that each row stands for.
        worth: (m,) what the full effect on one of them is worth.
        cell: (m,) which rows are alike, from 0.
        panelists: (m,) panelists behind a row; infinity where its viewing is known.
    """

    viewing: sparse.csr_array
    people: Floats
    worth: Floats
    cell: Integers
    panelists: Floats

    @property
    def size(self) -> float:
        """Panelists in all; infinity where the viewing is known."""
        return float(self.panelists.sum())


class Choice(NamedTuple):
    """What a panel's halves say of plans and rules.

    Attributes:
        view: How the panel is read for the best plan.
        beats: Whether the best rule did not prove better on people it was not made on.
        best_rule: The rule worth most on the panel.
        ratio: Value on the other half over the value claimed on the half it was made on: 1 where viewing is known.
        advantage: The plan's value less the best rule's, on the halves they were not made on.
        std_error: Of the advantage.
    """

    view: str
    beats: bool
    best_rule: str
    ratio: float
    advantage: float
    std_error: float


def panel(
    viewing: sparse.sparray | ArrayLike,
    people: ArrayLike,
    worth: ArrayLike,
    cell: ArrayLike,
    panelists: ArrayLike,
) -> Panel:
    """A panel, checked.

    Args:
        viewing: (m, s) probability of seeing one unit, as estimated.
        people: (m,) persons that each row stands for, 0 or more.
        worth: (m,) what the full effect on one of them is worth, 0 or more.
        cell: (m,) which rows are alike, whole numbers from 0.
        panelists: (m,) panelists behind a row, above 0; infinity where its viewing is known.

    Returns:
        The panel, in single precision.

    Raises:
        DesignError: Shapes that do not fit, a viewing outside 0–1, a number that is negative or missing.

    >>> panel([[0.5, 0.0], [0.1, 0.2]], [10, 20], [1.0, 1.0], [0, 0], [1, 1]).size
    2.0
    """
    table = sparse.csr_array(viewing, dtype=np.float32)
    n, v, k = (np.asarray(one, np.float64) for one in (people, worth, panelists))
    group = np.asarray(cell, np.int64)
    if not (table.shape[0] == n.size == v.size == k.size == group.size and group.min(initial=0) >= 0):
        raise DesignError.of(
            "A panel does not fit", received=(table.shape, n.shape, v.shape), allowed="(m, s); (m,)"
        )
    if not (np.isfinite(table.data).all() and (table.data >= 0).all() and (table.data <= 1).all()):
        raise DesignError.of("A viewing is no probability", allowed="0 to 1", then="check the table viewing")
    if not (np.isfinite(n).all() and np.isfinite(v).all() and (n >= 0).all() and (v >= 0).all()):
        raise DesignError.of("A worth or a number of people is missing or negative", allowed="0 or more")
    if not (k > 0).all():
        raise DesignError.of("A row rests on no panelist", received=float(k.min()), allowed="1 or more")
    return Panel(table, n, v, group, k)


def audience_of(found: Panel, view: str = "own") -> Audience:
    """Who sees what, read more or less closely.

    `ratings`: each cell's mean viewing, as a rating tells it. `worth`: its mean weighted by worth, so that what the
    persuadable watch counts. `shrunk`: half of each. `fine`: the same within bands of worth and of how much a panelist
    watches. `own`: each row as it is. Rows whose viewing is known are never pooled.

    Args:
        found: The panel.
        view: One of `VIEWS`.

    Returns:
        The audience that a plan is made for.

    >>> found = audience_of(panel([[0.4], [0.1]], [1, 2], [1, 1], [0, 0], [1, 1]), "ratings")
    >>> found.viewing.toarray().round(3).tolist() == [[np.float32(0.2)]]
    True
    """
    weight = found.people * found.worth
    if view == "own" or np.isinf(found.panelists).all():
        return Audience(found.viewing, weight.astype(np.float32))
    cell = np.where(np.isinf(found.panelists), found.cell.max() + 1 + np.arange(weight.size), found.cell)
    cell = fine_cells(found, cell) if view == "fine" else np.unique(cell, return_inverse=True)[1]
    total = np.bincount(cell, weight)
    valued = _means(found.viewing, cell, weight)
    if view in ("ratings", "shrunk"):
        rated = _means(found.viewing, cell, found.people)
        valued = rated if view == "ratings" else (rated + valued) / 2
    return Audience(sparse.csr_array(valued.astype(np.float32)), total.astype(np.float32))


def fine_cells(found: Panel, cell: Integers) -> Integers:
    """(m,) cells divided by how much a person is worth, and how much a panelist watches."""
    watched = np.asarray(found.viewing.sum(axis=1), np.float64)
    for values, bands in ((found.worth, _WORTH_BANDS), (watched, _VIEWING_BANDS)):
        order = np.lexsort((values, cell))
        begins = np.searchsorted(cell[order], cell[order])
        size = np.bincount(np.unique(cell, return_inverse=True)[1])[
            np.unique(cell[order], return_inverse=True)[1]
        ]
        band = np.empty(cell.size, np.int64)
        band[order] = (np.arange(cell.size) - begins) * bands // size
        cell = np.unique(cell * bands + band, return_inverse=True)[1]
    return np.asarray(cell, np.int64)


def _means(viewing: sparse.csr_array, cell: Integers, weight: Floats) -> Floats:
    """(cells, s) weighted means; of the rows alike where a cell has no weight at all."""
    n_cells = int(cell.max(initial=-1)) + 1
    rows = np.arange(cell.size)
    sums = sparse.csr_array((weight, (cell, rows)), shape=(n_cells, cell.size))
    total = np.bincount(cell, weight, n_cells)
    return np.minimum(np.asarray((sums @ viewing).toarray() / np.maximum(total, 1e-300)[:, None]), 1.0)


def scaled(viewing: sparse.csr_array, people: ArrayLike, published: ArrayLike) -> sparse.csr_array:
    """A panel's viewing, each slot scaled so that as many persons see a unit as is published.

    Args:
        viewing: (m, s) probabilities.
        people: (m,) persons that each row stands for.
        published: (s,) persons who see one unit; NaN where nothing is published.

    Returns:
        The same, at most 1 each.

    >>> scaled(sparse.csr_array([[0.2], [0.2]]), [10, 10], [8.0]).toarray().tolist()
    [[0.4], [0.4]]
    """
    told = np.asarray(published, np.float64)
    seen = np.asarray(people, np.float64) @ viewing
    factor = np.where(np.isfinite(told) & (seen > 0), told / np.maximum(seen, 1e-300), 1.0)
    made = viewing @ sparse.diags_array(factor)
    made = sparse.csr_array(made)
    made.data = np.minimum(made.data, 1.0)
    return made


def halves(found: Panel, rng: np.random.Generator) -> tuple[Panel, Panel]:
    """Two panels of half the panelists each, that share none.

    Panelists are dealt to the halves by lot within their cell. A group's panelists are thinned: of its k viewers among
    n, a hypergeometric number is in the first half. Known viewing is in both.

    Args:
        found: The panel.
        rng: Source of randomness.

    Returns:
        Both halves; each stands for all persons, and empty cells are made up for by the others.
    """
    single = found.panelists <= 1
    order = np.lexsort((rng.random(found.cell.size), found.cell))
    first = np.zeros(found.cell.size, bool)
    dealt = order[single[order]]
    first[dealt[(np.arange(dealt.size) + int(rng.integers(2))) % 2 == 0]] = True
    grouped = np.isfinite(found.panelists) & ~single
    parts = _thinned(found, grouped, rng)
    made = []
    for mine, viewing in zip((first, ~first), parts, strict=True):
        keep = mine | ~single
        behind = np.where(grouped, np.maximum(np.floor(found.panelists / 2), 1), found.panelists)
        n_cells = int(found.cell.max(initial=-1)) + 1
        before = np.bincount(found.cell, found.people, n_cells)
        after = np.bincount(found.cell[keep], found.people[keep], n_cells)
        up = np.divide(before, after, out=np.zeros_like(before), where=after > 0)
        people = (found.people * up[found.cell])[keep]
        people *= found.people.sum() / max(people.sum(), 1e-300)
        made.append(Panel(viewing[keep], people, found.worth[keep], found.cell[keep], behind[keep]))
    return made[0], made[1]


def _thinned(
    found: Panel, grouped: NDArray[np.bool_], rng: np.random.Generator
) -> tuple[sparse.csr_array, sparse.csr_array]:
    if not grouped.any():
        return found.viewing, found.viewing
    row = np.repeat(np.arange(found.cell.size), np.diff(found.viewing.indptr))
    these = grouped[row]
    n = np.round(found.panelists[row[these]]).astype(np.int64)
    seen = np.clip(np.round(found.viewing.data[these] * n).astype(np.int64), 0, n)
    half = np.maximum(n // 2, 1)
    part = rng.hypergeometric(seen, n - seen, half)
    both = []
    for count, size in ((part, half), (seen - part, n - half)):
        data = found.viewing.data.copy()
        data[these] = count / np.maximum(size, 1)
        both.append(
            sparse.csr_array((data, found.viewing.indices, found.viewing.indptr), found.viewing.shape)
        )
    return both[0], both[1]


def value_with_error(
    found: Panel, units: Floats, response: Response, less: Floats | None = None
) -> tuple[float, float]:
    """What a buy is worth on a panel, or by how much more than another, and the panel's sampling error.

    Read in fine cells: single panelists were seen on few occasions, and the noise in their exposures would be taken
    for people who are hard to reach. The error is that of a stratified total, by its first derivative; of a group, the
    viewing's binomial error.

    Args:
        found: The panel.
        units: (s,) units bought.
        response: What exposures are worth.
        less: (s,) another buy whose value is taken off, on the same panel.

    Returns:
        The value and its standard error.

    Source: Särndal, Swensson & Wretman, Model Assisted Survey Sampling (1992), section 5.5, for the linearisation.

    >>> value_with_error(panel([[1.0]], [2.0], [1.0], [0], [np.inf]), np.ones(1), Response(1.0))[1]
    0.0
    """
    single, known = found.panelists <= 1, np.isinf(found.panelists)
    apart = np.where(single, found.cell, found.cell.max(initial=0) + 1 + np.arange(single.size))
    cell = fine_cells(found, apart) if single.any() else np.arange(single.size)
    weight = found.people * found.worth
    total = np.bincount(cell, weight)
    value, each = 0.0, np.zeros(single.size)
    for sign, bought in ((1.0, units), (-1.0, less)):
        if bought is None:
            continue
        own = found.viewing @ bought
        mean = np.bincount(cell, weight * own) / np.maximum(total, 1e-300)
        share = share_of_effect(response, mean)
        value += sign * float(total @ share)
        slope = slope_of_effect(response, np.maximum(mean, 1e-6))
        each += sign * (share[cell] + slope[cell] * (own - mean[cell]))
    variance = 0.0
    if single.any():
        alike = np.unique(found.cell[single], return_inverse=True)[1]
        size = np.bincount(alike)
        away = each[single] - (np.bincount(alike, each[single]) / size)[alike]
        spread = np.bincount(alike, away**2) / np.maximum(size - 1, 1)
        variance = float(weight[single] ** 2 @ spread[alike])
    grouped = ~single & ~known
    if grouped.any():
        seen = found.viewing[grouped]
        binomial = sparse.csr_array((seen.data * (1 - seen.data), seen.indices, seen.indptr), seen.shape)
        apart_by = units if less is None else units - less
        slope = slope_of_effect(response, np.maximum(seen @ units, 1e-6)) * weight[grouped]
        variance += float(slope**2 @ ((binomial @ apart_by**2) / found.panelists[grouped]))
    return value, float(np.sqrt(variance))


def choose(
    found: Panel,
    plan: Callable[[Audience], Floats],
    rules: Mapping[str, Floats],
    response: Response,
    *,
    rng: np.random.Generator,
    views: Sequence[str] = TRIED,
    errors: float = 1.0,
) -> Choice:
    """How closely to read a panel, and whether the best rule of thumb is better than the plan that is made so.

    Each way of reading makes a plan on one half and is valued on the other, both ways round. A closer reading than the
    first must be better there by so many standard errors, and the rule by twice as many: a plan made on half a panel is
    worse than the one that will be bought.

    Args:
        found: The panel.
        plan: From who sees what to units, within all limits.
        rules: (s,) units of each rule of thumb; they rest on published ratings, not on the panel.
        response: What exposures are worth.
        rng: Source of randomness, for the halves.
        views: Ways to read the panel that are tried, the steadiest first.
        errors: Standard errors.

    Returns:
        The choice.

    Raises:
        DesignError: No rule to compare with.
    """
    if not rules:
        raise DesignError.of("There is no rule of thumb to fall back on", then="give one")
    seen = audience_of(found, views[0])
    best = max(rules, key=lambda name: value_of(seen, response, np.asarray(rules[name], np.float64)))
    if np.isinf(found.panelists).all():
        ahead = value_with_error(found, plan(audience_of(found)), response, rules[best])[0]
        return Choice("own", ahead >= 0, best, 1.0, ahead, 0.0)
    parts = halves(found, rng)
    sides = (parts, parts[::-1])
    made = {view: [plan(audience_of(mine, view)) for mine, _ in sides] for view in views}

    def against(view: str, others: Sequence[Floats]) -> tuple[float, float]:
        both = [
            value_with_error(other, units, response, less)
            for (_, other), units, less in zip(sides, made[view], others, strict=True)
        ]
        return (both[0][0] + both[1][0]) / 2, float(np.hypot(both[0][1], both[1][1])) / 2

    view, most = views[0], 0.0
    for other in views[1:]:
        ahead, error = against(other, made[views[0]])
        if ahead > errors * error and ahead > most:
            view, most = other, ahead
    ahead, error = against(view, [rules[best]] * 2)
    judged, claimed = (
        sum(
            value_with_error(pair[k], units, response)[0]
            for pair, units in zip(sides, made[view], strict=True)
        )
        for k in (1, 0)
    )
    ratio = min(1.0, judged / claimed) if claimed > 0 else 1.0
    return Choice(view, bool(ahead > -2 * errors * error), best, ratio, ahead, error)
