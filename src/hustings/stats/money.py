"""Money by day until the deadline: how many gifts, of what size, from a level that drifts.

Gifts of a day are negative binomial around exp(level + weekday + what is known of the day): a deadline that nears, an
ask that went out. The level is a random walk over weeks. Its step and the counts' overdispersion are summed over
a grid by their Laplace evidence, so that the forecast's interval holds what is not known of them, too.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hustings.errors import DesignError

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

SHORTEST = 28
"""Days of history below which nothing is foretold."""
_STEPS = (0.003, 0.02, 0.04, 0.08, 0.13, 0.2, 0.3, 0.45)
_DISPERSIONS = (1e-6, 0.02, 0.06, 0.15, 0.3, 0.6, 1.2, 2.5)
_SPREAD = 1.0
"""Standard deviation, before looking, of what a deadline or an ask does to the logarithm of a day's gifts."""
_WEEKDAYS = 6
_WEEKDAY_SPREAD = 3.0
"""The same of a weekday: a day on which nothing ever comes is nothing strange."""


class _Fit(NamedTuple):
    """The fit for one step and dispersion: posterior mode, its covariance's root, and the pair's share."""

    step: float
    dispersion: float
    mode: Floats
    root: Floats
    share: float


class Daily(NamedTuple):
    """Gifts by day, fitted.

    Attributes:
        fits: One for each pair of step and dispersion that the data do not rule out.
        n_days: Days fitted on.
        n_known: Columns of what is known of a day.
        first_week: Days of the first week: weeks are counted so that the last is whole.
    """

    fits: tuple[_Fit, ...]
    n_days: int
    n_known: int
    first_week: int

    @property
    def n_weeks(self) -> int:
        """Weeks of the history, a part of one counted."""
        return -(-self.n_days // 7)


class Sizes(NamedTuple):
    """What gifts are worth: mean and variance of a gift in cents, and the error of the mean's logarithm."""

    mean: float
    variance: float
    log_error: float


def day_columns(day: ArrayLike, deadlines: ArrayLike = (), asks: ArrayLike = ()) -> Floats:
    """What is known of days: weekdays, deadlines that near, asks that went out.

    Args:
        day: (n,) days since 1970.
        deadlines: Days on which a deadline falls, in days since 1970.
        asks: Days on which asks went out.

    Returns:
        (n, 12): six weekdays against Monday; the deadline itself, the eve and the day before, the rest of its week;
        the day of an ask, the next, and the five after that.

    >>> day_columns([4, 5], deadlines=[5])[:, 6:9].tolist()
    [[0.0, 1.0, 0.0], [1.0, 0.0, 0.0]]
    """
    days = np.asarray(day, np.int64)
    # 1970-01-01 was a Thursday.
    weekday = (days + 3) % 7
    until = _nearest(np.asarray(deadlines, np.int64)[None, :] - days[:, None])
    since = _nearest(days[:, None] - np.asarray(asks, np.int64)[None, :])
    spans = ((0, 0), (1, 2), (3, 6))
    columns = [weekday == number for number in range(1, 7)]
    columns += [(until >= first) & (until <= last) for first, last in spans]
    columns += [(since >= first) & (since <= last) for first, last in ((0, 0), (1, 1), (2, 6))]
    return np.column_stack(columns).astype(np.float64)


def _nearest(ahead: Integers) -> Integers:
    """(n,) the smallest number of days that is not negative; far away where there is none."""
    if not ahead.shape[1]:
        return np.full(ahead.shape[0], 10**6)
    return np.where(ahead >= 0, ahead, 10**6).min(axis=1)


def fit_days(counts: ArrayLike, known: ArrayLike) -> Daily:
    """The model of gifts by day.

    Args:
        counts: (n,) gifts of each day in a row, 0 where there was none.
        known: (n, q) what is known of each day, from `day_columns`.

    Returns:
        The model.

    Raises:
        DesignError: Fewer than 28 days, no gift at all, or counts that are not whole and from 0.

    Source: a local-level model for counts, Harvey & Fernandes, Journal of Business & Economic Statistics 7 (1989),
    here with Laplace's method, Rue, Martino & Chopin, JRSS B 71 (2009).

    >>> found = fit_days(np.full(56, 4), day_columns(np.arange(56)))
    >>> round(float(np.exp(found.fits[0].mode[0])), 0)
    4.0
    """
    y, x = np.asarray(counts, np.float64), np.asarray(known, np.float64)
    if y.ndim != 1 or x.ndim != 2 or len(x) != len(y):
        raise DesignError.of("Days do not fit", received=f"{y.shape}, {x.shape}", allowed="(n,) and (n, q)")
    if not (np.isfinite(y).all() and (y >= 0).all() and (y % 1 == 0).all()):
        raise DesignError.of("A count of gifts is not a whole number from 0")
    if len(y) < SHORTEST or not y.sum():
        raise DesignError.of(
            "Too little has come in to foretell", received=f"{len(y):,} days, {y.sum():,.0f} gifts",
            allowed=f"{SHORTEST} days or more, with gifts",
        )  # fmt: skip
    first = len(y) % 7 or 7
    week = np.where(np.arange(len(y)) < first, 0, 1 + (np.arange(len(y)) - first) // 7)
    n_weeks = int(week[-1]) + 1
    design = np.zeros((len(y), 1 + x.shape[1] + n_weeks - 1))
    design[:, 0], design[:, 1 : 1 + x.shape[1]] = 1.0, x
    # Level of the last week is the intercept: weeks before it are what they differed by.
    earlier = np.flatnonzero(week < n_weeks - 1)
    design[earlier, 1 + x.shape[1] + week[earlier]] = 1.0
    tried = [_fit(y, design, x.shape[1], step, phi) for step in _STEPS for phi in _DISPERSIONS]
    logs = np.array([log for _, log in tried])
    share = np.exp(logs - logs.max())
    share /= share.sum()
    kept = [
        fit._replace(share=float(part)) for (fit, _), part in zip(tried, share, strict=True) if part > 1e-3
    ]
    return Daily(tuple(sorted(kept, key=lambda fit: -fit.share)), len(y), x.shape[1], first)


def _fit(y: Floats, design: Floats, n_known: int, step: float, dispersion: float) -> tuple[_Fit, float]:
    """The mode by Newton's steps, and Laplace's logarithm of the evidence."""
    from scipy.linalg import cho_factor, cho_solve, solve_triangular

    prior = _prior(design.shape[1], n_known, step)
    at = np.zeros(design.shape[1])
    at[0] = np.log(max(float(y.mean()), 0.1))
    value = _log_posterior(y, design, at, prior, dispersion)
    for _ in range(60):
        mean = np.exp(np.clip(design @ at, -30, 30))
        slope = design.T @ ((y - mean) / (1 + dispersion * mean)) - prior @ at
        curve = (design * (mean / (1 + dispersion * mean))[:, None]).T @ design + prior
        move = cho_solve(cho_factor(curve), slope)
        size = 1.0
        while size > 1e-6:
            ahead = _log_posterior(y, design, at + size * move, prior, dispersion)
            if ahead >= value - 1e-12:
                break
            size /= 2
        at, gained, value = at + size * move, ahead - value, ahead
        if gained < 1e-9:
            break
    mean = np.exp(np.clip(design @ at, -30, 30))
    # The observed information, so that the evidence is Laplace's and not the expected curve's.
    bend = mean * (1 + dispersion * y) / (1 + dispersion * mean) ** 2
    curve = (design * bend[:, None]).T @ design + prior
    upper = np.linalg.cholesky(curve)
    log = value - float(np.log(np.diag(upper)).sum()) + 0.5 * float(np.linalg.slogdet(prior)[1])
    # Exponential priors: steps of a tenth and dispersions of a half are usual.
    log -= step / 0.1 + dispersion / 0.5
    root = solve_triangular(upper, np.eye(len(at)), lower=True).T
    return _Fit(step, dispersion, at, root, 0.0), log


def _prior(size: int, n_known: int, step: float) -> Floats:
    """Precision: flat for the last week's level, normal for what is known, a random walk back from the last week."""
    prior = np.zeros((size, size))
    prior[0, 0] = 1e-4
    known = np.arange(1, 1 + n_known)
    prior[known, known] = np.where(known <= _WEEKDAYS, _WEEKDAY_SPREAD, _SPREAD) ** -2.0
    weeks = size - 1 - n_known
    if weeks:
        walk = 2 * np.eye(weeks) - np.eye(weeks, k=1) - np.eye(weeks, k=-1)
        walk[0, 0] = 1.0
        prior[1 + n_known :, 1 + n_known :] = walk / step**2
    return prior


def _log_posterior(y: Floats, design: Floats, at: Floats, prior: Floats, dispersion: float) -> float:
    from scipy.special import gammaln

    log = np.clip(design @ at, -30, 30)
    shape = 1 / dispersion
    told = gammaln(y + shape) - gammaln(shape) + y * (log + np.log(dispersion))
    told = told - (y + shape) * np.log1p(dispersion * np.exp(log))
    return float(told.sum() - 0.5 * at @ prior @ at)


def draw_counts(model: Daily, known: ArrayLike, draws: int, rng: np.random.Generator) -> Integers:
    """Gifts of the days to come, as they may be.

    Args:
        model: The fit.
        known: (h, q) what is known of the days after the last one fitted.
        draws: How many.
        rng: Source of the draws.

    Returns:
        (draws, h) gifts: level, step, weekdays and chance all drawn.

    Raises:
        DesignError: Columns that are not those of the fit.

    >>> model = fit_days(np.full(56, 4), day_columns(np.arange(56)))
    >>> bool(3 < draw_counts(model, day_columns(np.arange(56, 63)), 500, np.random.default_rng(1)).mean() < 5)
    True
    """
    x = np.asarray(known, np.float64)
    if x.ndim != 2 or x.shape[1] != model.n_known:
        raise DesignError.of("Days to come do not fit", received=x.shape, allowed=f"(h, {model.n_known})")
    week = np.arange(len(x)) // 7
    each = rng.multinomial(draws, [fit.share / sum(f.share for f in model.fits) for fit in model.fits])
    made = []
    for fit, many in zip(model.fits, each, strict=True):
        at = fit.mode + rng.standard_normal((many, len(fit.mode))) @ fit.root.T
        steps = fit.step * rng.standard_normal((many, int(week.max(initial=0)) + 1))
        # The level's mean stays: a walk of logarithms alone would promise growth by being unsure.
        walk = (steps - fit.step**2 / 2).cumsum(axis=1)
        log = at[:, :1] + at[:, 1 : 1 + model.n_known] @ x.T + walk[:, week]
        mean = np.exp(np.clip(log, -30, 15))
        made.append(rng.poisson(mean * rng.gamma(1 / fit.dispersion, fit.dispersion, mean.shape)))
    return np.asarray(rng.permutation(np.concatenate(made)), np.int64)


def gift_sizes(cents: ArrayLike, week: ArrayLike) -> Sizes:
    """What a gift is worth, from gifts that came.

    Args:
        cents: (n,) amounts above 0.
        week: (n,) the week of each: gifts of one week are alike.

    Returns:
        Mean, variance, and the error of the mean's logarithm, clustered by week.

    Raises:
        DesignError: No gift, or an amount that is not a finite number above 0.

    >>> gift_sizes([1000, 3000, 1000, 3000], [0, 0, 1, 1]).mean
    2000.0
    """
    y, of = np.asarray(cents, np.float64), np.asarray(week, np.int64)
    if not y.size or not (np.isfinite(y).all() and (y > 0).all()):
        raise DesignError.of(
            "A gift has no amount", received=f"{y.size:,} gifts", allowed="finite cents above 0"
        )
    mean, variance = float(y.mean()), float(y.var()) if y.size > 1 else float(y[0] ** 2)
    _, code = np.unique(of, return_inverse=True)
    apart = np.bincount(code, weights=y - mean)
    weeks = len(apart)
    error = np.sqrt((apart**2).sum() * weeks / max(weeks - 1, 1)) / y.size
    plain = np.sqrt(variance / y.size)
    return Sizes(mean, variance, float(max(error, plain)) / mean)


def draw_money(counts: ArrayLike, sizes: Sizes, rng: np.random.Generator) -> Floats:
    """Cents of each day, from how many gifts there are: a gamma with the sum's mean and variance.

    Args:
        counts: (draws, h) gifts.
        sizes: What a gift is worth; its mean is drawn once for each draw.
        rng: Source of the draws.

    Returns:
        (draws, h) cents.

    >>> draw_money([[0, 2]], Sizes(1000.0, 0.0, 0.0), np.random.default_rng(1)).round().tolist()
    [[0.0, 2000.0]]
    """
    n = np.asarray(counts, np.float64)
    mean = sizes.mean * np.exp(sizes.log_error * rng.standard_normal((len(n), 1)) - sizes.log_error**2 / 2)
    if sizes.variance <= 0:
        return np.asarray(n * mean, np.float64)
    spread = sizes.variance / sizes.mean**2
    shape = n / spread
    drawn = rng.gamma(np.maximum(shape, 1e-12))
    return np.asarray(np.where(n > 0, drawn * spread * mean, 0.0), np.float64)
