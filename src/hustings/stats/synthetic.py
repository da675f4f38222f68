"""What spending did where nobody drew lots: matched markets and synthetic controls. Never a test, and never called one.

Places that spent are held against others that moved alike before. That is as good as the belief that they would have
gone on to do so; the placebo p-value says how often places that spent nothing show as much.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hustings.errors import DesignError
from hustings.stats.clusters import Floats, Integers

_RIDGES = np.geomspace(1e-4, 1e4, 25)


class Synthetic(NamedTuple):
    """A place (or the mean of several) against its synthetic control.

    Attributes:
        effect: Mean difference after the start, in the outcome's unit.
        low: Lower end of the interval from placebos; minus infinity where there are too few.
        high: Upper end.
        p_value: Share of places, this one among them, whose ratio below is at least as large.
        path: (w,) difference in each week.
        weights: (d,) of the other places; they add up to one.
        rmspe_before: Root mean square difference before the start.
        ratio: That after the start over that before.
        n_placebos: Other places that were read as if they had spent.
    """

    effect: float
    low: float
    high: float
    p_value: float
    path: Floats
    weights: Floats
    rmspe_before: float
    ratio: float
    n_placebos: int


class Difference(NamedTuple):
    """Difference in differences.

    Attributes:
        effect: Change of those that spent less change of their matches.
        low: Lower end of the interval from placebos; minus infinity where there are too few.
        high: Upper end.
        p_value: Share of sets of places, this one among them, that differ at least as much.
        n_placebos: Sets of other places that were read as if they had spent.
    """

    effect: float
    low: float
    high: float
    p_value: float
    n_placebos: int


def synthetic_weights(treated: ArrayLike, others: ArrayLike) -> Floats:
    """The mix of other places that was nearest before: weights of 0 or more that add up to one.

    Of all such w it minimises |y - Y w|. With C = Y - y 1' that is the least |C w| on the simplex; the non-negative v
    that minimises |C v|^2 + (1'v - 1)^2, scaled to add up to one, is exactly that w.

    Args:
        treated: (h,) outcomes before the start.
        others: (h, d) of the other places.

    Returns:
        (d,) weights.

    Raises:
        DesignError: Shapes that do not fit, missing numbers, no other place.

    Source: Abadie, Diamond & Hainmueller, JASA 105 (2010), eq. 2, with outcomes before the start as predictors; Lawson &
    Hanson, Solving Least Squares Problems (1974), chapter 23, for the non-negative part.

    >>> synthetic_weights([1.0, 2.0, 3.0], [[0.0, 2.0], [1.0, 3.0], [2.0, 4.0]]).round(6).tolist()
    [0.5, 0.5]
    """
    from scipy.optimize import nnls

    y, x = np.asarray(treated, np.float64), np.asarray(others, np.float64)
    if y.ndim != 1 or x.ndim != 2 or x.shape[0] != y.size or not y.size or not x.shape[1]:
        raise DesignError.of(
            "Places do not fit", received=f"{y.shape} and {x.shape}", allowed="(h,) and (h, d)"
        )
    if not (np.isfinite(y).all() and np.isfinite(x).all()):
        raise DesignError.of("An outcome before the start is missing", then="leave the place or the week out")
    apart = x - y[:, None]
    scale = np.sqrt((apart**2).mean()) * np.sqrt(y.size)
    if scale == 0:
        return np.full(x.shape[1], 1 / x.shape[1])
    found, _ = nnls(np.vstack([apart / scale, np.ones(x.shape[1])]), np.append(np.zeros(y.size), 1.0))
    return np.asarray(found / found.sum())


def synthetic_control(
    treated: ArrayLike,
    others: ArrayLike,
    start: int,
    *,
    augmented: bool = False,
    confidence: float = 0.95,
) -> Synthetic:
    """A synthetic control with placebos: every other place is read as if it had been the one.

    The interval holds the effects that placebos do not refuse: those with which the ratio of the root mean squares after
    and before is not among the largest.

    Args:
        treated: (w,) outcomes of the place that spent from `start` on, or of the mean of several.
        others: (w, d) outcomes of places that did not.
        start: First week with spending; two or more lie before.
        augmented: Take off what a ridge regression says that the mix misses (weights may then be below 0); the penalty is
            the heaviest within one standard error of the best when each week before the start is left out.
        confidence: Of the interval.

    Returns:
        The reading.

    Raises:
        DesignError: Fewer than two weeks before or none after, fewer than two other places, missing numbers.

    Source: Abadie, Diamond & Hainmueller (2010), section 2.4; Ben-Michael, Feller & Rothstein, JASA 116 (2021), eq. 10–12,
    for the ridge; Firpo & Possebom, Journal of Causal Inference 6 (2018), for the interval.

    >>> y = np.arange(6.0); x = np.column_stack([y - 1, y + 1, y + 3])
    >>> found = synthetic_control(np.append(y[:4], y[4:] + 2), x, 4)
    >>> round(found.effect, 6), found.p_value
    (2.0, 0.25)
    """
    y, x = np.asarray(treated, np.float64), np.asarray(others, np.float64)
    if y.ndim != 1 or x.ndim != 2 or x.shape[0] != y.size or x.shape[1] < 2:
        raise DesignError.of(
            "Places do not fit", received=f"{y.shape} and {x.shape}", allowed="(w,); (w, d), d ≥ 2"
        )
    if not 2 <= start < y.size or not (np.isfinite(y).all() and np.isfinite(x).all()):
        got = f"start at week {start} of {y.size}"
        raise DesignError.of("Weeks do not fit", received=got, allowed="two before, one after, none missing")
    every = np.column_stack([y, x])
    gaps, weights = [], []
    for place in range(every.shape[1]):
        # The place that spent is nobody's control.
        pool = [other for other in range(1, every.shape[1]) if other != place]
        own = _weights(every[:start, place], every[:start, pool], augmented)
        weights.append(own)
        gaps.append(every[:, place] - every[:, pool] @ own)
    paths = np.array(gaps)
    before = np.sqrt((paths[:, :start] ** 2).mean(1))
    after = np.sqrt((paths[:, start:] ** 2).mean(1))
    # A perfect fit must not make a ratio without end of what is rounding.
    floor = 1e-9 * max(float(np.abs(every).max()), 1e-300)
    ratio = after / np.maximum(before, floor)
    p = float(np.mean(ratio >= ratio[0] * (1 - 1e-9)))
    mean = float(paths[0, start:].mean())
    low, high = _by_placebo(paths[0, start:], max(float(before[0]), floor), ratio[1:], 1 - confidence)
    return Synthetic(mean, low, high, p, paths[0], weights[0], float(before[0]), float(ratio[0]), x.shape[1])


def matched_markets(history: ArrayLike, treated: ArrayLike, per_place: int) -> Integers:
    """For each place that spends, the others that moved most alike before, each used once.

    Args:
        history: (p, h) outcomes before the start.
        treated: (p,) whether the place spends.
        per_place: Matches of each, 1 or more.

    Returns:
        (n_treated, per_place) numbers of places.

    Raises:
        DesignError: Too few places to match with.

    Source: Vaver & Koehler, Measuring Ad Effectiveness Using Geo Experiments (Google, 2011), for the use.

    >>> matched_markets([[0, 1], [5, 6], [0, 2], [9, 9]], [True, False, False, False], 1).tolist()
    [[2]]
    """
    known, spends = np.asarray(history, np.float64), np.asarray(treated, bool)
    own, pool = np.flatnonzero(spends), np.flatnonzero(~spends)
    if known.ndim != 2 or spends.shape != (len(known),) or not own.size or per_place < 1:
        raise DesignError.of("Places do not fit", received=known.shape, allowed="(p, h), some that spend")
    if pool.size < own.size * per_place or not np.isfinite(known).all():
        got = f"{own.size} that spend, {pool.size} others, {per_place} matches each"
        raise DesignError.of("Too few places to match with, or outcomes are missing", received=got)
    far = ((known[own][:, None, :] - known[pool][None]) ** 2).sum(2)
    found = np.empty((own.size, per_place), np.int64)
    for turn in range(per_place):
        from scipy.optimize import linear_sum_assignment

        rows, columns = linear_sum_assignment(far)
        found[rows, turn] = pool[columns]
        far[:, columns] = 1e300
    return found


def difference_in_differences(
    outcome: ArrayLike,
    treated: ArrayLike,
    controls: ArrayLike,
    start: int,
    rng: np.random.Generator,
    *,
    per_place: int | None = None,
    placebos: int = 2_000,
    confidence: float = 0.95,
) -> Difference:
    """Change of the places that spent less change of their controls, with placebos.

    As many places as spent are taken from those that did not, again and again, and read against the rest; or, where
    controls were matched, against matches of their own: few controls are noisier than all the rest.

    Args:
        outcome: (p, w) outcomes.
        treated: (p,) whether the place spent from `start` on.
        controls: Numbers of the places that it is held against, as `matched_markets` finds them.
        start: First week with spending.
        rng: Randomness.
        per_place: Matches of each place, where `controls` are matched markets; placebos then get as many, or as many as there are.
        placebos: Sets at most.
        confidence: Of the interval.

    Returns:
        The reading.

    Raises:
        DesignError: No week before or after, no controls, missing numbers.

    Source: Card & Krueger, AER 84 (1994); Buchmueller, DiNardo & Valletta, AEJ: Policy 3 (2011), for placebos.

    >>> y = np.array([[0.0, 3.0], [0.0, 1.0], [1.0, 2.0], [2.0, 3.0]])
    >>> difference_in_differences(y, [True, False, False, False], [1, 2], 1, np.random.default_rng(0)).effect
    2.0
    """
    y, spent = np.asarray(outcome, np.float64), np.asarray(treated, bool)
    pool, own = np.unique(np.asarray(controls, np.int64)), np.flatnonzero(spent)
    if y.ndim != 2 or spent.shape != (len(y),) or not 1 <= start < y.shape[1] or not np.isfinite(y).all():
        got = f"{y.shape}, start at {start}"
        raise DesignError.of(
            "Outcomes do not fit", received=got, allowed="(p, w), weeks before and after, none missing"
        )
    if not own.size or not pool.size or spent[pool].any():
        raise DesignError.of("There are no controls, or they spent too", received=pool.size)
    change = y[:, start:].mean(1) - y[:, :start].mean(1)
    effect = float(change[own].mean() - change[pool].mean())
    free = np.flatnonzero(~spent)
    n = min(own.size, free.size - 1)
    keys = np.argsort(rng.random((placebos, free.size)), axis=1) if n > 1 else np.arange(free.size)[:, None]
    chosen = np.zeros((len(keys), free.size), bool)
    np.put_along_axis(chosen, keys[:, : max(n, 1)], True, axis=1)
    if free.size < 2:
        return Difference(effect, -np.inf, np.inf, 1.0, 0)
    against = ~chosen if per_place is None else _matches(y[free, :start], chosen, per_place)
    told = (chosen @ change[free]) / chosen.sum(1) - (against @ change[free]) / against.sum(1)
    p = float((1 + np.sum(np.abs(told) >= abs(effect) * (1 - 1e-9))) / (1 + told.size))
    half = _largest_kept(np.abs(told), 1 - confidence)
    return Difference(effect, effect - half, effect + half, p, told.size)


def _matches(history: Floats, chosen: NDArray[np.bool_], per_place: int) -> NDArray[np.bool_]:
    """(placebos, p) the matched markets of each set of places, by how they moved."""
    moved = history - history.mean(1, keepdims=True)
    found = np.zeros_like(chosen)
    for number, own in enumerate(chosen):
        each = min(per_place, int((~own).sum() // own.sum()))
        found[number, np.unique(matched_markets(moved, own, each)) if each else np.flatnonzero(~own)] = True
    return found


def _weights(y: Floats, x: Floats, augmented: bool) -> Floats:
    mix = synthetic_weights(y, x)
    if not augmented:
        return mix
    centred = (x.T - x.mean(1)).T
    miss = y - x @ mix
    scale = float((centred**2).sum() / len(x))
    ridges = _RIDGES * max(scale, 1e-300)
    errors = _left_out(y, x, ridges)
    total = errors.mean(1)
    best = int(total.argmin())
    # The heaviest penalty that is not worse than the best by more than the best's standard error.
    good = total <= total[best] + errors[best].std() / np.sqrt(y.size)
    penalty = float(ridges[good][-1])
    kernel = np.linalg.inv(centred @ centred.T + penalty * np.eye(len(y)))
    return np.asarray(mix + centred.T @ (kernel @ miss))


def _left_out(y: Floats, x: Floats, ridges: Floats) -> Floats:
    """(ridges, weeks) squared error of each week before the start, foretold without it."""
    errors = np.empty((ridges.size, y.size))
    for week in range(y.size):
        rest = np.arange(y.size) != week
        mix = synthetic_weights(y[rest], x[rest])
        centred = (x[rest].T - x[rest].mean(1)).T
        values, vectors = np.linalg.eigh(centred @ centred.T)
        turned = vectors.T @ (y[rest] - x[rest] @ mix)
        own = (x[week] @ centred.T @ vectors) * turned / (np.maximum(values, 0) + ridges[:, None])
        errors[:, week] = (y[week] - x[week] @ mix - own.sum(1)) ** 2
    return errors


def _largest_kept(values: Floats, alpha: float) -> float:
    """How large a statistic may be that is not refused at this level; infinity where nothing could be."""
    needed = int(np.floor(alpha * (values.size + 1) + 1e-9))
    return float(np.sort(values)[::-1][needed - 1]) if needed >= 1 else np.inf


def _by_placebo(gap: Floats, before: float, ratios: Floats, alpha: float) -> tuple[float, float]:
    """Effects that, taken off, leave a ratio that is not among the largest."""
    most = _largest_kept(ratios, alpha)
    if not np.isfinite(most):
        return -np.inf, np.inf
    spare = (most * before) ** 2 - float(gap.var())
    if spare < 0:
        return np.nan, np.nan
    return float(gap.mean() - np.sqrt(spare)), float(gap.mean() + np.sqrt(spare))
