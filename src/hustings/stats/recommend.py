"""What people took to ─► factors of people and items, also for those nobody has met yet; and how well they rank.

Implicit feedback: whoever clicked, gave, came or listened prefers the item with a confidence that grows with the
count; whoever did not is a weak no. With preference p = 1 where r > 0, confidence c = 1 + α r, and what is known
of people (f) and items (g):

    minimise  sum_ui c_ui (p_ui - x_u · y_i)² + λ (sum_u |x_u - A f_u|² + sum_i |y_i - B g_i|²) + κ (|A|² + |B|²)

over people who took something and items that someone took: the others were never asked, so their zeros say nothing.
People without a past get A f, items that nobody has met B g. Without features A = B = 0: Hu, Koren & Volinsky.

Sources: Hu, Koren & Volinsky, ICDM 2008, equations 3 to 5; Takács, Pilászy & Tikk, RecSys 2011 (conjugate gradients);
Agarwal & Chen, KDD 2009 (factors regressed on features).
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hustings.errors import DesignError

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]
_AT_ONCE = 4_000_000
"""Numbers gathered at once: entries of a block of rows times the rank."""


class Factors(NamedTuple):
    """A factorisation.

    Attributes:
        people: (n, k) x.
        items: (m, k) y.
        person_map: (p, k) from standardised features of people to factors; (0, k) without.
        item_map: (q, k) the same of items.
        loss: The objective after each round, on all pairs of people and items that were met.
    """

    people: Singles
    items: Singles
    person_map: Floats
    item_map: Floats
    loss: tuple[float, ...]


class Ranked(NamedTuple):
    """How well the first items of each list are those that the person then took; one number for each person.

    Attributes:
        recall: (t,) hits / min(k, items taken).
        gain: (t,) normalised discounted cumulative gain.
        person: (t,) rows of the people who took anything.
    """

    recall: Floats
    gain: Floats
    person: NDArray[np.int64]


def fit_factors(
    counts: Any,
    *,
    rank: int = 32,
    alpha: float = 10.0,
    ridge: float = 5.0,
    rounds: int = 15,
    steps: int = 3,
    person_features: ArrayLike | None = None,
    item_features: ArrayLike | None = None,
    feature_ridge: float = 10.0,
    rng: np.random.Generator,
) -> Factors:
    """Alternating least squares, each row by a few steps of conjugate gradients from where it was.

    All rows take their steps together, so the work is sparse products: rounds × steps × entries × rank.

    Args:
        counts: (n, m) sparse; how often, 0 or more. Nothing stored is 0.
        rank: k, 1 or more.
        alpha: α, what one count adds to the confidence of 1; above 0.
        ridge: λ, above 0.
        rounds: Passes over people and items, 1 or more.
        steps: Of conjugate gradients in each, 1 or more.
        person_features: (n, p) without missing numbers, standardised here; or None.
        item_features: (m, q); or None.
        feature_ridge: κ, above 0.
        rng: Starts the items.

    Returns:
        The factors; people and items without counts have what their features say, or 0.

    Raises:
        DesignError: A count is missing, infinite or negative, no count at all, features that do not fit.

    >>> import scipy.sparse as sparse
    >>> taken = sparse.csr_array(np.kron(np.eye(2), np.ones((4, 3))))
    >>> found = fit_factors(taken, rank=2, alpha=40.0, ridge=0.1, rng=np.random.default_rng(1))
    >>> (found.people[0] @ found.items.T).round(1).tolist()
    [1.0, 1.0, 1.0, 0.0, 0.0, 0.0]
    """
    rows = _counts(counts)
    numbers = {"rank": rank, "rounds": rounds, "steps": steps}
    for name, number in numbers.items():
        if number < 1:
            raise DesignError.of(f"The {name} of a factorisation", received=number, allowed="1 or more")
    if not (alpha > 0 and ridge > 0 and feature_ridge > 0):
        raise DesignError.of(
            "alpha and the ridges", received=(alpha, ridge, feature_ridge), allowed="each above 0"
        )
    n, m = rows.shape
    every = [_features(person_features, n, "people"), _features(item_features, m, "items")]
    met = [np.flatnonzero(np.diff(rows.indptr)), np.unique(rows.indices)]
    if not rows.nnz:
        raise DesignError.of("Nobody took anything", then="check the kinds of events that count")
    told = [features[who] for features, who in zip(every, met, strict=True)]
    data = (rows[met[0]][:, met[1]] * np.float32(alpha)).tocsr()
    columns = data.T.tocsr()
    people = np.zeros((met[0].size, rank), np.float32)
    items = (rng.standard_normal((met[1].size, rank)) / np.sqrt(rank)).astype(np.float32)
    maps = [np.zeros((f.shape[1], rank)) for f in told]
    losses = []
    for _ in range(rounds):
        people = _solved(items, data, people, _prior(told[0], maps[0]), ridge, steps)
        maps[0] = _map(told[0], people, feature_ridge)
        items = _solved(people, columns, items, _prior(told[1], maps[1]), ridge, steps)
        maps[1] = _map(told[1], items, feature_ridge)
        losses.append(_loss(data, people, items, told, maps, ridge))
    whole = [_prior(features, to_factors) for features, to_factors in zip(every, maps, strict=True)]
    whole[0][met[0]], whole[1][met[1]] = people, items
    return Factors(whole[0], whole[1], maps[0], maps[1], tuple(losses))


def fold_in(
    items: ArrayLike,
    counts: Any,
    *,
    alpha: float = 10.0,
    ridge: float = 5.0,
    prior: ArrayLike | None = None,
    steps: int = 20,
) -> Singles:
    """Factors of people whom the factorisation has not met, from what they took; or of items, from who took them.

    Args:
        items: (m, k) factors of the other side.
        counts: (n, m) sparse, as in `fit_factors`.
        alpha: α of the factorisation.
        ridge: λ of the factorisation.
        prior: (n, k) what their features say; 0 unless given.
        steps: Of conjugate gradients; k of them are exact.

    Returns:
        (n, k).

    Raises:
        DesignError: Shapes do not fit, or counts that are no counts.

    >>> import scipy.sparse as sparse
    >>> fold_in([[1.0, 0.0], [0.0, 1.0]], sparse.csr_array([[1.0, 0.0]]), ridge=1.0).astype(float).round(3).tolist()
    [[0.917, 0.0]]
    """
    y = np.asarray(items, np.float32)
    rows = _counts(counts)
    if y.ndim != 2 or rows.shape[1] != len(y):
        raise DesignError.of("Counts and factors do not fit", received=(rows.shape, y.shape))
    start = np.zeros((rows.shape[0], y.shape[1])) if prior is None else np.asarray(prior, np.float64)
    if start.shape != (rows.shape[0], y.shape[1]):
        raise DesignError.of("The prior does not fit", received=start.shape)
    data = (rows * np.float32(alpha)).tocsr()
    return _solved(y, data, start.astype(np.float32), start.astype(np.float32), ridge, steps)


def top_items(scores: ArrayLike, seen: Any, k: int) -> NDArray[np.int64]:
    """The k items with the highest scores for each person, leaving out those already taken.

    Args:
        scores: (n, m), or (m,) the same for everyone.
        seen: (n, m) sparse; what is stored is left out.
        k: 1 to m.

    Returns:
        (n, k) items, the best first, ties in the order of the items; -1 where none is left.

    >>> import scipy.sparse as sparse
    >>> top_items([3.0, 2.0, 1.0], sparse.csr_array([[1, 0, 0], [0, 0, 0]]), 2).tolist()
    [[1, 2], [0, 1]]
    """
    taken = _counts(seen)
    n, m = taken.shape
    if not 1 <= k <= m:
        raise DesignError.of("The length of a list", received=k, allowed=f"1 to {m}")
    values = np.broadcast_to(np.asarray(scores, np.float64), (n, m)).copy()
    values[taken.nonzero()] = -np.inf
    order = np.argsort(-values, axis=1, kind="stable")[:, :k]
    return np.where(np.isfinite(np.take_along_axis(values, order, 1)), order, -1)


def judge_ranking(lists: ArrayLike, taken: Any) -> Ranked:
    """Recall and normalised discounted cumulative gain of lists, against what was then taken.

    gain = sum over hits of 1 / log2(1 + place), divided by the same sum if all hits stood first.

    Args:
        lists: (n, k) items, -1 for none.
        taken: (n, m) sparse; what is stored was taken.

    Returns:
        One row for each person who took anything.

    Raises:
        DesignError: Lists and people do not fit, or nobody took anything.

    Source: Järvelin & Kekäläinen, ACM Transactions on Information Systems 20 (2002).

    >>> import scipy.sparse as sparse
    >>> judge_ranking([[0, 2]], sparse.csr_array([[0, 1, 1]])).recall.tolist()
    [0.5]
    """
    found, truth = np.asarray(lists, np.int64), _counts(taken)
    if found.ndim != 2 or len(found) != truth.shape[0]:
        raise DesignError.of("Lists do not fit the people", received=(found.shape, truth.shape))
    size = np.diff(truth.indptr)
    who = np.flatnonzero(size)
    if not who.size:
        raise DesignError.of("Nobody took anything", then="hold out later events")
    m = truth.shape[1]
    keys = np.repeat(np.arange(len(size)), size) * m + truth.indices
    hit = np.isin(found[who] + who[:, None] * m, keys) & (found[who] >= 0)
    k = found.shape[1]
    discount = 1 / np.log2(np.arange(2, k + 2))
    most = np.minimum(size[who], k)
    return Ranked(hit.sum(1) / most, hit @ discount / np.cumsum(discount)[most - 1], who)


def _counts(counts: Any) -> csr_array:
    from scipy.sparse import csr_array, issparse

    rows = csr_array(counts if issparse(counts) else np.asarray(counts, np.float32), dtype=np.float32)
    rows.sum_duplicates()
    if not np.isfinite(rows.data).all() or (rows.data < 0).any():
        raise DesignError.of(
            "Counts of what people took", received="missing, infinite or negative ones", allowed="0 or more"
        )
    rows.eliminate_zeros()
    return rows


def _features(given: ArrayLike | None, n: int, whose: str) -> Floats:
    """Standardised, with a column of ones; no column at all where none are given."""
    if given is None:
        return np.zeros((n, 0))
    f = np.asarray(given, np.float64)
    if f.ndim != 2 or len(f) != n or not np.isfinite(f).all():
        raise DesignError.of(
            f"Features of {whose} do not fit", received=f.shape, allowed=f"({n}, p) without missing numbers"
        )
    spread = f.std(axis=0)
    return np.column_stack([np.ones(n), (f - f.mean(axis=0)) / np.where(spread > 0, spread, 1.0)])


def _prior(features: Floats, to_factors: Floats) -> Singles:
    return np.asarray(features @ to_factors, np.float32)


def _map(features: Floats, factors: Singles, ridge: float) -> Floats:
    if not features.shape[1]:
        return np.zeros((0, factors.shape[1]))
    gram = features.T @ features + ridge * np.eye(features.shape[1])
    return np.asarray(np.linalg.solve(gram, features.T @ factors.astype(np.float64)), np.float64)


def _solved(y: Singles, data: csr_array, start: Singles, prior: Singles, ridge: float, steps: int) -> Singles:
    """(n, k) minimisers for every row, by conjugate gradients in step; `data` holds c - 1."""
    gram = y.T @ y + np.float32(ridge) * np.eye(y.shape[1], dtype=np.float32)
    n, k = start.shape
    out = np.empty((n, k), np.float32)
    ends = np.searchsorted(data.indptr, np.arange(0, data.nnz + 1, max(_AT_ONCE // k, 1)))
    cuts = np.unique(np.concatenate([ends, np.arange(0, n, 200_000), [0, n]]))
    for first, last in pairwise(cuts.tolist()):
        part = data[first:last]
        out[first:last] = _block(y, gram, part, start[first:last], prior[first:last], ridge, steps)
    return out


def _block(
    y: Singles, gram: Singles, part: csr_array, start: Singles, prior: Singles, ridge: float, steps: int
) -> Singles:
    from scipy.sparse import csr_array

    row = np.repeat(np.arange(part.shape[0]), np.diff(part.indptr))
    taken = y[part.indices]

    def apply(x: Singles) -> Singles:
        dot = np.einsum("ij,ij->i", x[row], taken)
        moved = csr_array((part.data * dot, part.indices, part.indptr), shape=part.shape)
        return np.asarray(x @ gram + moved @ y, np.float32)

    wanted = csr_array((part.data + 1, part.indices, part.indptr), shape=part.shape)
    x = start.copy()
    left = np.asarray(wanted @ y, np.float32) + np.float32(ridge) * prior - apply(x)
    way, size = left.copy(), np.einsum("ij,ij->i", left, left)
    for _ in range(steps):
        moved = apply(way)
        bend = np.einsum("ij,ij->i", way, moved)
        reach = np.where(size > 1e-12, size / np.where(bend > 0, bend, 1), 0).astype(np.float32)
        x += reach[:, None] * way
        left -= reach[:, None] * moved
        now = np.einsum("ij,ij->i", left, left)
        way = left + (now / np.where(size > 1e-12, size, 1))[:, None].astype(np.float32) * way
        size = now
    return x


def _loss(
    data: csr_array, x: Singles, y: Singles, told: list[Floats], maps: list[Floats], ridge: float
) -> float:
    """All pairs: sum (x·y)² by Gram matrices, and what the stored ones change."""
    xd, yd = x.astype(np.float64), y.astype(np.float64)
    total = float(((xd.T @ xd) * (yd.T @ yd)).sum())
    row = np.repeat(np.arange(data.shape[0]), np.diff(data.indptr))
    size = max(_AT_ONCE // x.shape[1], 1)
    for first in range(0, data.nnz, size):
        part = slice(first, first + size)
        dot = np.einsum("ij,ij->i", xd[row[part]], yd[data.indices[part]])
        total += float(((1 + data.data[part]) * (1 - dot) ** 2 - dot**2).sum())
    for factors, features, to_factors in ((xd, told[0], maps[0]), (yd, told[1], maps[1])):
        total += ridge * float(((factors - features @ to_factors) ** 2).sum())
    return total
