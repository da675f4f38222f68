"""Which amounts to suggest to whom: strings of asks, drawn at random, judged by what a person asked brings.

Segments are alike in what works on them, and not the same. A string's revenue in a segment, as a share of the
segment's mean, is normal around what the string does everywhere, and that around what strings do: both spreads are
learned, so a string that shone in one segment by luck is pulled to what it did elsewhere, and to the other strings.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hustings.errors import DesignError
from hustings.stats.variants import Variants, variant_means

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_GRID = np.exp(np.arange(-3.5, 8.01, 0.75) / 2)
"""Spreads that are tried, in typical errors: 0.17 to 50."""


class Strings(NamedTuple):
    """What each string brought in each segment.

    Attributes:
        n: (s, k) people asked whose outcome is known.
        n_gave: (s, k) those whose outcome is not 0.
        revenue: (s, k) mean outcome a person asked; NaN where nobody was.
        std_error: (s, k) its error, by one variance for all strings of the segment.
        draws: (d, s, k) draws of the true revenue; NaN where the string was not tested in the segment.
        choice: (s,) the string with the highest expected revenue; -1 where none can be told.
    """

    n: Integers
    n_gave: Integers
    revenue: Floats
    std_error: Floats
    draws: Floats
    choice: Integers

    def expected(self) -> Floats:
        """(s, k) posterior means."""
        return np.asarray(self.draws.mean(axis=0), np.float64)


class Advantage(NamedTuple):
    """A choice against a rule, on people it was not chosen by.

    Attributes:
        estimate: Cents a person asked, over all segments.
        std_error: Its error.
        p_value: One-sided: that the choice is no better than the rule; NaN where nothing was chosen otherwise.
        share: Of the people for whom the choice differs from the rule.
    """

    estimate: float
    std_error: float
    p_value: float
    share: float


def compare_strings(
    outcome: ArrayLike,
    string: ArrayLike,
    segment: ArrayLike,
    unit: ArrayLike,
    *,
    n_strings: int,
    n_segments: int,
    draws: int = 2_000,
    rng: np.random.Generator,
) -> Strings:
    """Revenue of each string in each segment, shrunk to the string's mean over segments and to the other strings.

    Args:
        outcome: (n,) cents that came from a person within the horizon, 0 for nothing; NaN where it is not known.
        string: (n,) codes of the strings 0 … n_strings - 1, drawn at random.
        segment: (n,) codes of the segments.
        unit: (n,) codes of the randomised units.
        n_strings: How many strings there are.
        n_segments: How many segments.
        draws: Draws of the true revenue.
        rng: Source of the draws.

    Returns:
        Strings; those never tested in a segment have no draws there, so nothing is ever extrapolated to them.

    Raises:
        DesignError: One string only, or arrays that do not fit.

    >>> rng = np.random.default_rng(1)
    >>> cents = np.where(np.arange(400) % 2 == 0, 100.0, 300.0) * (np.arange(400) % 4 < 2)
    >>> found = compare_strings(cents, np.arange(400) % 2, np.zeros(400, int), np.arange(400), n_strings=2, n_segments=1, rng=rng)
    >>> found.choice.tolist(), found.n.tolist()
    ([1], [[200, 200]])
    """
    if n_strings < 2:
        raise DesignError.of(
            "There is one ask string only: nothing to compare", received=n_strings, allowed="2 or more",
            then="draw a second string at random for part of the next send",
        )  # fmt: skip
    y, arms, of, units = _fitting(outcome, string, segment, unit, n_segments)
    shape = (n_segments, n_strings)
    n, n_gave = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    mean, error = np.full(shape, np.nan), np.full(shape, np.nan)
    for s in range(n_segments):
        own = of == s
        found = variant_means(y[own], arms[own], units[own], n_arms=n_strings)
        n[s], n_gave[s], mean[s], error[s] = found.n, found.n_responders, found.mean, _alike_errors(found)
    true = _draws(mean, error, n, draws, rng)
    level = np.where(np.isnan(true).all(axis=0), -np.inf, np.nan_to_num(true.mean(axis=0), nan=-np.inf))
    choice = np.where(np.isfinite(level).any(axis=1), level.argmax(axis=1), -1)
    return Strings(n, n_gave, mean, error, true, choice.astype(np.int64))


def _fitting(
    outcome: ArrayLike, string: ArrayLike, segment: ArrayLike, unit: ArrayLike, n_segments: int
) -> tuple[Floats, Integers, Integers, Integers]:
    y, arms = np.asarray(outcome, np.float64), np.asarray(string, np.int64)
    of, units = np.asarray(segment, np.int64), np.asarray(unit, np.int64)
    if not (y.ndim == 1 and y.shape == arms.shape == of.shape == units.shape):
        raise DesignError.of(
            "Asks do not fit", received=f"{y.shape}, {arms.shape}, {of.shape}, {units.shape}"
        )
    if np.isinf(y).any():
        raise DesignError.of("A gift is infinite", received=int(np.isinf(y).sum()), allowed="cents, or NaN")
    if y.size and not (of.min() >= 0 and of.max() < n_segments):
        raise DesignError.of("A segment does not fit", allowed=f"codes 0 … {n_segments - 1}")
    return y, arms, of, units


def _alike_errors(found: Variants) -> Floats:
    """(k,) errors of the means by one variance for all strings: of few gifts a variance of its own is mostly luck."""
    known = found.n_units > 1
    weight = np.where(known, found.n_units - 1.0, 0.0)
    own = np.where(known, found.std_error**2 * found.n, 0.0)
    common = float(weight @ own) / max(float(weight.sum()), 1.0)
    return np.where(found.n > 0, np.sqrt(common / np.maximum(found.n, 1)), np.nan)


def _draws(mean: Floats, error: Floats, n: Integers, draws: int, rng: np.random.Generator) -> Floats:
    """Draws of revenue by segment and string: relative effects times the segment's level."""
    known = np.isfinite(mean) & (error > 0)
    weight = np.where(known, n, 0).astype(np.float64)
    total = weight.sum(axis=1)
    level = np.divide((weight * np.nan_to_num(mean)).sum(1), total, out=np.zeros(len(total)), where=total > 0)
    usable = known & (level > 0)[:, None]
    out = np.full((draws, *mean.shape), np.nan)
    if not usable.any():
        return out
    scale = np.where(level > 0, level, 1.0)[:, None]
    relative = shrink_relative(
        np.where(usable, mean / scale, np.nan), np.where(usable, error / scale, np.nan), draws, rng
    )
    spread = np.sqrt((weight**2 * np.nan_to_num(error) ** 2).sum(1)) / np.maximum(total, 1.0)
    levels = np.maximum(level + spread * rng.standard_normal((draws, len(level))), 0.0)
    # The level is shared by the segment's strings: it widens what comes in, not the choice between them.
    return np.where(usable, np.maximum(relative, 0.0) * levels[:, :, None], np.nan)


def shrink_relative(mean: ArrayLike, std_error: ArrayLike, draws: int, rng: np.random.Generator) -> Floats:
    """Draws of the true effects of strings in segments, after seeing all of them.

    y[s, a] ~ N(θ[s, a], σ²[s, a]), θ[s, a] ~ N(μ[a], ω²), μ[a] ~ N(c, τ²), c flat. The spreads ω (how differently
    segments take a string) and τ (how strings differ) are half-Cauchy with the scale of a typical error, summed over a
    grid; all else is normal and exact.

    Args:
        mean: (s, a) effects; NaN where the string was not tested.
        std_error: (s, a) their errors, above 0 where there is an effect.
        draws: How many.
        rng: Source of the draws.

    Returns:
        (draws, s, a); where nothing was tested, draws of what the model would guess, which nobody should use.

    Raises:
        DesignError: Nothing was tested, or an error is not above 0.

    Source: the two-level normal model, Gelman et al., Bayesian Data Analysis, 3rd ed., 5.4 and 15.1; half-Cauchy
    spreads, Gelman, Bayesian Analysis 1 (2006).

    >>> seen = shrink_relative([[1.0, 1.2], [1.0, 1.2]], [[0.1, 0.1], [0.1, 0.1]], 4000, np.random.default_rng(1))
    >>> bool(0 < (seen[:, 0, 1] - seen[:, 0, 0]).mean() < 0.2)
    True
    """
    y, error = np.asarray(mean, np.float64), np.asarray(std_error, np.float64)
    known = np.isfinite(y)
    if not known.any() or not (error[known] > 0).all():
        raise DesignError.of("Nothing was tested, or an error is missing", received=y.shape)
    v = np.where(known, error**2, np.inf)
    typical = float(np.sqrt(1 / np.mean(1 / v[known])))
    y = np.where(known, y, 0.0)
    pairs = [(omega, tau) for omega in typical * _GRID for tau in typical * _GRID]
    logs = np.array([_log_weight(y, v, known, *pair, typical) for pair in pairs])
    share = np.exp(logs - logs.max())
    each = rng.multinomial(draws, share / share.sum())
    found = [_given(y, v, *pair, int(many), rng) for pair, many in zip(pairs, each, strict=True) if many]
    # In the order of the grid neighbours would be alike: whoever takes a part of the draws takes a fair one.
    return np.asarray(rng.permutation(np.concatenate(found)), np.float64)


def _strings(y: Floats, v: Floats, omega: float, tau: float) -> tuple[Floats, Floats, Floats, float, float]:
    """Each string's precision and mean over segments, the weight of each, and the centre with its precision."""
    w = 1 / (v + omega**2)
    precision = w.sum(0)
    there = precision > 0
    mean = np.divide((w * y).sum(0), precision, out=np.zeros_like(precision), where=there)
    weight = np.where(there, 1 / (tau**2 + 1 / np.where(there, precision, 1.0)), 0.0)
    total = float(weight.sum())
    return precision, mean, weight, float(weight @ mean) / total, total


def _log_weight(
    y: Floats, v: Floats, known: NDArray[np.bool_], omega: float, tau: float, typical: float
) -> float:
    precision, mean, weight, centre, total = _strings(y, v, omega, tau)
    there = precision > 0
    apart = np.where(known, (y - mean) ** 2 / (v + omega**2), 0.0).sum()
    log = -0.5 * np.log(v[known] + omega**2).sum() - 0.5 * apart - 0.5 * np.log(precision[there]).sum()
    log += (
        0.5 * np.log(weight[there]).sum() - 0.5 * float(weight @ (mean - centre) ** 2) - 0.5 * np.log(total)
    )
    # The grid is even in the logarithm, so a density gets its spread as a factor.
    for spread in (omega, tau):
        log += np.log(spread) - np.log1p((spread / typical) ** 2)
    return float(log)


def _given(y: Floats, v: Floats, omega: float, tau: float, many: int, rng: np.random.Generator) -> Floats:
    """Draws given both spreads: the centre, then each string, then each string in each segment."""
    precision, mean, _, centre, total = _strings(y, v, omega, tau)
    c = centre + rng.standard_normal(many) / np.sqrt(total)
    own = precision + 1 / tau**2
    string = (precision * mean + c[:, None] / tau**2) / own
    string = string + rng.standard_normal(string.shape) / np.sqrt(own)
    whole = 1 / v + 1 / omega**2
    found = (y / v + string[:, None, :] / omega**2) / whole
    return np.asarray(found + rng.standard_normal(found.shape) / np.sqrt(whole), np.float64)


def held_against(
    outcome: ArrayLike,
    string: ArrayLike,
    segment: ArrayLike,
    unit: ArrayLike,
    *,
    n_strings: int,
    n_segments: int,
    rule: int | None,
    allowed: ArrayLike | None = None,
    folds: int = 5,
    rng: np.random.Generator,
) -> Advantage:
    """Choosing strings by segment against a rule of thumb, on people it was not chosen by.

    The units are divided by lot into parts in a row. The strings chosen on all earlier parts are valued on the next
    one, by the difference of two means in each segment, weighted by the people in it; where the choice is the rule
    itself it adds exactly 0. A part never helps to choose what an earlier one values: with parts that value each other
    crosswise the errors are dependent, and where no string is better (the choice is then chance) the test was too
    eager three times over.

    Args:
        outcome: (n,) as in `compare_strings`.
        string: (n,) codes of the strings.
        segment: (n,) codes of the segments.
        unit: (n,) codes of the randomised units.
        n_strings: How many strings.
        n_segments: How many segments.
        rule: The string that the rule gives to everyone; None for the one that seems best for everyone, chosen anew
            without each part.
        allowed: (n_strings,) strings that may be chosen; all unless given.
        folds: Parts, 2 or more; the first one only helps to choose.
        rng: Divides the units.

    Returns:
        What choosing adds.

    Raises:
        DesignError: Fewer than two parts, or as in `compare_strings`.

    Source: Luedtke & van der Laan, Annals of Statistics 44 (2016), section 4, with equal weights.

    >>> rng = np.random.default_rng(1)
    >>> cents = np.where(np.arange(4000) % 2 == 0, 100.0, 300.0) * (np.arange(4000) % 8 < 2)
    >>> found = held_against(cents, np.arange(4000) % 2, np.zeros(4000, int), np.arange(4000), n_strings=2, n_segments=1, rule=0, rng=rng)
    >>> 40 < found.estimate < 60, found.p_value < 0.001
    (True, True)
    """
    if folds < 2:
        raise DesignError.of("Folds", received=folds, allowed="2 or more")
    y, arms, of, units = _fitting(outcome, string, segment, unit, n_segments)
    free = np.ones(n_strings, bool) if allowed is None else np.asarray(allowed, bool)
    _, code = np.unique(units, return_inverse=True)
    part = rng.permutation(int(code.max(initial=-1)) + 1)[code] % folds
    size = np.bincount(of, minlength=n_segments) / max(len(of), 1)
    estimates, variances, shares = np.zeros(folds), np.zeros(folds), np.zeros(folds)
    for fold in range(1, folds):
        learn, test = part < fold, np.asarray(part == fold)
        chosen, ruled = _chosen(
            y[learn], arms[learn], of[learn], units[learn], (n_strings, n_segments), free, rule, rng
        )
        for s in np.flatnonzero((chosen != ruled) & (chosen >= 0)):
            own = test & (of == s)
            seen = variant_means(y[own], arms[own], units[own], n_arms=n_strings)
            if min(seen.n_units[chosen[s]], seen.n_units[ruled[s]]) < 2:
                continue
            errors = _alike_errors(seen)
            estimates[fold] += size[s] * (seen.mean[chosen[s]] - seen.mean[ruled[s]])
            variances[fold] += size[s] ** 2 * (errors[chosen[s]] ** 2 + errors[ruled[s]] ** 2)
            shares[fold] += size[s]
    estimate, error = float(estimates[1:].mean()), float(np.sqrt(variances.sum())) / (folds - 1)
    return Advantage(estimate, error, _one_sided(estimate, error), float(shares[1:].mean()))


def unasked_share(
    outcome: ArrayLike, segment: ArrayLike, unit: ArrayLike, level: ArrayLike
) -> tuple[float, float]:
    """What came from people who were drawn not to be asked, as a share of what comes from people who are.

    One share for all segments: few are left unasked, and too few of them give to tell segments apart.

    Args:
        outcome: (n,) cents of each person who was not asked; NaN where it is not known.
        segment: (n,) their segments.
        unit: (n,) their randomised units.
        level: (s,) mean cents of those of each segment who were asked; NaN where it is not known.

    Returns:
        The share and its standard error; NaN both where nothing can be told: where none of them gave, an error of
        nought would be luck.

    >>> unasked_share([0.0, 20.0], [0, 0], [0, 1], [20.0])
    (0.5, 0.5)
    """
    y, of = np.asarray(outcome, np.float64), np.asarray(segment, np.int64)
    asked = np.asarray(level, np.float64)
    if not y.size:
        return float("nan"), float("nan")
    found = variant_means(y, of, unit, n_arms=len(asked))
    used = (found.n_units > 1) & (asked > 0)
    total = float((found.n[used] * asked[used]).sum())
    if not total or not found.n_responders[used].any():
        return float("nan"), float("nan")
    share = float((found.n[used] * found.mean[used]).sum()) / total
    return share, float(np.sqrt(((found.n[used] * found.std_error[used]) ** 2).sum())) / total


def _one_sided(estimate: float, error: float) -> float:
    from scipy.special import ndtr

    return float(ndtr(-estimate / error)) if error > 0 else float("nan")


def _chosen(
    y: Floats, arms: Integers, of: Integers, units: Integers, size: tuple[int, int], free: NDArray[np.bool_],
    rule: int | None, rng: np.random.Generator,
) -> tuple[Integers, Integers]:  # fmt: skip
    """The string for each segment, and the rule's."""
    n_strings, n_segments = size
    found = compare_strings(
        y, arms, of, units, n_strings=n_strings, n_segments=n_segments, draws=400, rng=rng
    )
    level = found.expected() if len(found.draws) else np.full((n_segments, n_strings), np.nan)
    level = np.where(np.isfinite(level) & free, level, -np.inf)
    chosen = np.where(np.isfinite(level).any(1), level.argmax(1), -1)
    if rule is None:
        people = np.bincount(of, minlength=n_segments).astype(np.float64)
        told = np.where(np.isfinite(level), level, 0.0)
        tested = np.isfinite(level).any(0)
        rule = int(np.where(tested, people @ told, -np.inf).argmax())
    return chosen.astype(np.int64), np.full(n_segments, rule, np.int64)
