"""What an ask does to others than the one who is asked: effects by exposure, where treatment was drawn by lot.

An *exposure* says what a draw means for a person: asked oneself or not, and whether anybody whom one knows was asked.
Households are drawn independently with known probabilities, so the probability of each exposure is known, and so is
that of any two people's. Where treated people have neighbours, comparing asked with not asked is biased; comparing
exposures, each weighed by its probability, is not.

Source: Aronow & Samii, *Annals of Applied Statistics* 11 (2017) 1912: estimators (their 4, 5 and the Hájek form of
section 7), conservative variance (their 7–11).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from hustings.errors import DesignError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
CONDITIONS = ("neither", "friends only", "self only", "self and friends")
"""Exposures by number: 2 · (own household drawn) + (some friend's household drawn)."""
_Z = 1.959963984540054


class Exposures(NamedTuple):
    """The probabilities of exposures, of people and of pairs who depend on the same households.

    Attributes:
        single: (n, 4) probability of each exposure of `CONDITIONS`.
        first: (m,) one person of each pair; every pair stands once, `first` below `second`.
        second: (m,) the other.
        joint: (m, 4, 4) probability of the first's and the second's exposure together.
    """

    single: Floats
    first: Ints
    second: Ints
    joint: Floats


class ExposureEffect(NamedTuple):
    """The mean difference of outcomes between two exposures.

    Attributes:
        estimate: In the outcome's unit; NaN where nobody has one of the exposures.
        std_error: From the conservative variance.
        low: Lower end of the 95 % interval.
        high: Upper end.
        n: People who could have had either exposure: of them it speaks.
        n_left_out: People who could not.
    """

    estimate: float
    std_error: float
    low: float
    high: float
    n: int
    n_left_out: int


def exposures(drawn: NDArray[np.bool_], household: Ints, network: Any) -> Ints:
    """Each person's exposure, as a number of `CONDITIONS`.

    Args:
        drawn: (h,) whether each household was drawn.
        household: (n,) each person's household, from 0.
        network: (n, n) sparse; not 0 where the row's person can be reached by the column's.

    Returns:
        (n,) 0 to 3. Friends of one's own household do not count: its draw is one's own.

    >>> two = sparse.csr_array(np.array([[0, 1], [1, 0]]))
    >>> exposures(np.array([True, False]), np.array([0, 1]), two).tolist()
    [2, 1]
    """
    own, others = _incidence(household, network, np.asarray(drawn).size)
    told = np.asarray(drawn, np.float64)
    return np.asarray(2 * (told[own] > 0) + (others @ told > 0), np.int64)


def exposure_probabilities(probability: Floats, household: Ints, network: Any) -> Exposures:
    """The exact probabilities of exposures when households are drawn independently.

    For one person with own household c and friends' households N: P(none of N) = Π (1 - p). Of two people the events
    "none of N" and "none of N'" happen together with Π over the union; all else follows by inclusion and exclusion.

    Args:
        probability: (h,) of each household being drawn, 0 to 1.
        household: (n,) each person's household, from 0.
        network: (n, n) as in `exposures`.

    Returns:
        Probabilities; people in no listed pair are independent of each other.

    Raises:
        DesignError: A probability is out of range, or sizes do not fit.

    >>> two = sparse.csr_array(np.array([[0, 1], [1, 0]]))
    >>> exposure_probabilities(np.array([0.5, 0.2]), np.array([0, 1]), two).single[0].round(3).tolist()
    [0.4, 0.1, 0.4, 0.1]
    """
    p = np.asarray(probability, np.float64)
    if not ((p >= 0) & (p <= 1)).all():
        raise DesignError.of("Probabilities of being drawn", allowed="numbers from 0 to 1")
    own, others = _incidence(household, network, p.size)
    n = own.size
    # The logarithm of 1 - p, where a sure draw counts as many: its product is 0 within rounding.
    log_not = np.log(np.maximum(1 - p, 1e-300))
    none = np.exp(others @ log_not)
    chance = np.column_stack([1 - p[own], p[own]])
    single = np.empty((n, 4))
    for z in (0, 1):
        single[:, 2 * z] = chance[:, z] * none
        single[:, 2 * z + 1] = chance[:, z] * (1 - none)
    mine = sparse.csr_array((np.ones(n), (np.arange(n), own)), shape=others.shape)
    touched = (others + mine).astype(bool).astype(np.float64)
    linked = sparse.triu(sparse.csr_array(touched @ touched.T), k=1).tocoo()
    first, second = linked.coords[0].astype(np.int64), linked.coords[1].astype(np.int64)
    common = _at(others.multiply(log_not[None, :]).tocsr() @ others.T, first, second)
    sides = (_at(others @ mine.T, first, second) > 0, _at(others @ mine.T, second, first) > 0)
    joint = _joint(chance, none, np.exp(-common), own, first, second, sides)
    return Exposures(single, first, second, joint)


def _joint(
    chance: Floats,
    none: Floats,
    twice: Floats,
    own: Ints,
    first: Ints,
    second: Ints,
    sides: tuple[NDArray[np.bool_], NDArray[np.bool_]],
) -> Floats:
    """(m, 4, 4) by inclusion and exclusion; `sides`: the second's household is a friend's of the first, and back."""
    same = own[first] == own[second]
    reaches_second, reaches_first = sides
    joint = np.empty((first.size, 4, 4))
    for a in (0, 1):
        for b in (0, 1):
            own_a, own_b = chance[first, a], chance[second, b]
            agree = float(a == b)
            both = np.where(same, own_a * agree, own_a * own_b)
            # Where a household must not be drawn for another reason already, its own factor is there already.
            given_b = np.where(same, agree, np.where(reaches_second, float(b == 0), own_b))
            given_a = np.where(same, agree, np.where(reaches_first, float(a == 0), own_a))
            none_first = none[first] * own_a * given_b
            none_second = none[second] * own_b * given_a
            each = np.where(
                same,
                own_a * agree,
                np.where(reaches_first, float(a == 0), own_a)
                * np.where(reaches_second, float(b == 0), own_b),
            )
            none_both = none[first] * none[second] * twice * each
            joint[:, 2 * a, 2 * b] = none_both
            joint[:, 2 * a, 2 * b + 1] = none_first - none_both
            joint[:, 2 * a + 1, 2 * b] = none_second - none_both
            joint[:, 2 * a + 1, 2 * b + 1] = both - none_first - none_second + none_both
    return np.maximum(joint, 0)


def exposure_effect(
    outcome: Floats,
    exposure: Ints,
    probabilities: Exposures,
    *,
    of: int,
    against: int,
    hajek: bool = True,
) -> ExposureEffect:
    """The mean outcome under one exposure less that under another, over all who could have had either.

    Args:
        outcome: (n,) of each person, as observed.
        exposure: (n,) the exposure each person had.
        probabilities: Of exposures.
        of: The exposure in question, a number of `CONDITIONS`.
        against: The one it is compared with.
        hajek: Weights that add up to one (less spread, a bias that vanishes) rather than Horvitz and Thompson's.

    Returns:
        The effect. Its variance is the true one or more on average (Horvitz–Thompson), or nearly so (Hájek).

    Raises:
        DesignError: Sizes do not fit, or an outcome is not a number.

    >>> two = sparse.csr_array((2, 2))
    >>> known = exposure_probabilities(np.array([0.5, 0.5]), np.array([0, 1]), two)
    >>> exposure_effect(np.array([3.0, 1.0]), np.array([2, 0]), known, of=2, against=0).estimate
    2.0
    """
    y, had = np.asarray(outcome, np.float64), np.asarray(exposure, np.int64)
    n = probabilities.single.shape[0]
    if y.shape != (n,) or had.shape != (n,) or not np.isfinite(y).all():
        raise DesignError.of("One outcome and one exposure for each person", received=(y.shape, had.shape), allowed=f"({n},), numbers")  # fmt: skip
    able = np.asarray((probabilities.single[:, [of, against]] > 1e-12).all(axis=1), np.bool_)
    size, left = int(able.sum()), int((~able).sum())
    inside = [able & (had == which) for which in (of, against)]
    if not (inside[0].any() and inside[1].any()):
        return ExposureEffect(np.nan, np.nan, np.nan, np.nan, size, left)
    weight = [np.where(i, 1 / np.maximum(probabilities.single[:, d], 1e-300), 0.0) for i, d in zip(inside, (of, against), strict=True)]  # fmt: skip
    total = [float(w.sum()) if hajek else float(size) for w in weight]
    means = [float((w * y).sum()) / t for w, t in zip(weight, total, strict=True)]
    # Hájek's mean is a ratio: its variance is that of the residuals.
    rest = [y - mean if hajek else y for mean in means]
    variance = _of_difference(probabilities, (of, against), weight, rest, able)
    estimate, error = means[0] - means[1], float(np.sqrt(max(variance, 0.0))) / size
    return ExposureEffect(estimate, error, estimate - _Z * error, estimate + _Z * error, size, left)


def _of_difference(
    known: Exposures, of: tuple[int, int], weight: list[Floats], y: list[Floats], able: NDArray[np.bool_]
) -> float:
    """Variance of the difference of the two sums, conservatively estimated."""
    each = sum(_variance(known, d, w, v, able) for d, w, v in zip(of, weight, y, strict=True))
    return each - 2 * _covariance(known, of, weight, y, able)


def _variance(known: Exposures, d: int, weight: Floats, y: Floats, able: NDArray[np.bool_]) -> float:
    """Of Σ weight · y; a pair that can never be seen together counts by the mean of its squares (A2 of the paper)."""
    pi, one, two = known.single[:, d], known.first, known.second
    z = weight * y
    found = float(((1 - pi) * z**2).sum())
    joint = known.joint[:, d, d]
    seen = (joint > 1e-12) & able[one] & able[two]
    share = 1 - pi[one] * pi[two] / np.maximum(joint, 1e-300)
    found += 2 * float((share[seen] * z[one[seen]] * z[two[seen]]).sum())
    never = (joint <= 1e-12) & able[one] & able[two]
    square = weight * y**2
    return found + float((square[one[never]] + square[two[never]]).sum())


def _covariance(
    known: Exposures, of: tuple[int, int], weight: list[Floats], y: list[Floats], able: NDArray[np.bool_]
) -> float:
    """Of the two sums; nobody has two exposures at once, so each person is a pair that can never be seen."""
    d, e = of
    za, zb = weight[0] * y[0], weight[1] * y[1]
    qa, qb = weight[0] * y[0] ** 2, weight[1] * y[1] ** 2
    found = -float((qa + qb)[able].sum()) / 2
    for one, two, joint in (
        (known.first, known.second, known.joint[:, d, e]),
        (known.second, known.first, known.joint[:, e, d]),
    ):
        usable = able[one] & able[two]
        seen, never = usable & (joint > 1e-12), usable & (joint <= 1e-12)
        share = 1 - known.single[one, d] * known.single[two, e] / np.maximum(joint, 1e-300)
        found += float((share[seen] * za[one[seen]] * zb[two[seen]]).sum())
        found -= float((qa[one[never]] + qb[two[never]]).sum()) / 2
    return found


def _incidence(household: Ints, network: Any, n_households: int) -> tuple[Ints, Any]:
    """Each person's household, and (n, h) 1 where a friend lives who is not of the own household."""
    own = np.asarray(household, np.int64)
    links = sparse.csr_array(network)
    n = own.size
    if links.shape != (n, n) or (n and (own.min() < 0 or own.max() >= n_households)):
        raise DesignError.of(
            "The network and the households do not fit",
            received=(links.shape, n, n_households),
            allowed="(n, n), n households of people, each numbered from 0",
        )
    links = links.tocoo()
    whose, lives = links.coords[0][links.data != 0], own[links.coords[1][links.data != 0]]
    other = lives != own[whose]
    others = sparse.csr_array(
        (np.ones(int(other.sum())), (whose[other], lives[other])), shape=(n, n_households)
    )
    others.sum_duplicates()
    others.data[:] = 1.0
    return own, others


def _at(matrix: Any, row: Ints, column: Ints) -> Floats:
    """Entries of a sparse matrix, 0 where there is none."""
    found = sparse.csr_array(matrix)
    if not row.size:
        return np.empty(0)
    return np.asarray(found[row, column], np.float64).ravel()
