"""How likely an audience is to respond to an item, with an interval: counts shrunk to what is alike.

With n sends and y responses of audience s to item i, and what is known of the pair besides (z: how well the factors
fit, how much more of its fans are of that audience):

    y_si ~ Binomial(n_si, p_si),   logit p_si = μ + a_s + g_i + z_si · β + d_si
    a_s ~ N(0, σ_a²),  g_i ~ N(0, σ_g²),  d_si ~ N(0, σ_d²),  β ~ N(0, 1)

The three spreads are found by the Laplace likelihood with a half-normal prior, the rest is its normal approximation.
A pair that was never tried has what audience, item and z say, and a wide interval; an item that nobody has met has
g ~ N(0, σ_g²): its interval is as wide as items differ.

Source: Gelman & Hill, Data Analysis Using Regression and Multilevel Models (2007), chapter 14; the Laplace likelihood
as Bates and others, Journal of Statistical Software 67 (2015).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hustings.errors import DesignError

Floats = NDArray[np.float64]
_ROUNDS = 60
_SPREAD_OF_SLOPES = 1.0
_SPREAD_OF_LEVEL = 10.0


class Affinity(NamedTuple):
    """Probabilities of response; (s, m) unless told otherwise.

    Attributes:
        probability: Posterior mean.
        low: Lower end of the interval.
        high: Upper end.
        log_odds: Posterior mean of the log-odds.
        std_error: Their standard deviation.
        spread_audiences: σ_a.
        spread_items: σ_g.
        spread_pairs: σ_d.
        slopes: (c,) β.
        slope_errors: (c,) their standard deviations.
        item_effect: (m,) g, what an item does in every audience.
        item_error: (m,) its standard deviation.
    """

    probability: Floats
    low: Floats
    high: Floats
    log_odds: Floats
    std_error: Floats
    spread_audiences: float
    spread_items: float
    spread_pairs: float
    slopes: Floats
    slope_errors: Floats
    item_effect: Floats
    item_error: Floats


class Amounts(NamedTuple):
    """Mean amounts of those who responded, shrunk; (s, m) each.

    Attributes:
        mean: Expected amount of a response.
        std_error: Its standard error.
    """

    mean: Floats
    std_error: Floats


class _Cells(NamedTuple):
    """One row for each pair: sends, responses, audience, item, what is known besides, and the sizes."""

    n: Floats
    y: Floats
    audience: NDArray[np.int64]
    item: NDArray[np.int64]
    z: Floats
    audiences: int
    items: int


class _Mode(NamedTuple):
    """Where the posterior is highest, and how it bends there."""

    v: Floats
    d: Floats
    weight: Floats
    log_odds: Floats
    factor: Floats
    likelihood: float


def fit_affinity(
    sends: ArrayLike, responses: ArrayLike, covariates: ArrayLike | None = None, *, confidence: float = 0.95
) -> Affinity:
    """The probability that an audience responds to an item, for every pair, tried or not.

    Args:
        sends: (s, m) sends of each item to each audience, 0 or more; whole numbers or not.
        responses: (s, m) of them responded.
        covariates: (c, s, m) what is known of the pairs, standardised by the caller; without missing numbers.
        confidence: Coverage of the intervals, for each pair.

    Returns:
        Probabilities with intervals.

    Raises:
        DesignError: Shapes do not fit, a number is missing, more responses than sends, or no response at all.

    >>> found = fit_affinity([[1000, 1000], [1000, 0]], [[20, 60], [20, 0]])
    >>> bool(found.probability[1, 1] > 0.03), bool(found.high[1, 1] - found.low[1, 1] > 0.03)
    (True, True)
    """
    from scipy.optimize import minimize
    from scipy.special import expit, ndtri

    cells = _checked(sends, responses, covariates)
    best: list[_Mode] = []

    def objective(logs: Floats) -> float:
        found = _mode(cells, np.exp(logs), best[-1] if best else None)
        best[:] = [found]
        return -found.likelihood + float((np.exp(2 * logs) / 2 - logs).sum())

    start = np.log([0.3, 0.3, 0.2])
    simplex = start + np.vstack([np.zeros(3), 0.8 * np.eye(3)])
    options = {"maxfev": 120, "xatol": 0.02, "fatol": 0.01, "initial_simplex": simplex}
    spreads = np.exp(
        minimize(objective, start, method="Nelder-Mead", bounds=[(-7, 2)] * 3, options=options).x
    )
    mode = _mode(cells, spreads, None)
    log_odds, variance, within = _posterior(cells, mode, spreads)
    shape = (cells.audiences, cells.items)
    error = np.sqrt(variance).reshape(shape)
    middle = log_odds.reshape(shape)
    half = float(ndtri(0.5 + confidence / 2)) * error
    c = cells.z.shape[1]
    first = 1 + cells.audiences + cells.items
    return Affinity(
        np.asarray(expit(middle / np.sqrt(1 + np.pi / 8 * error**2)), np.float64),
        np.asarray(expit(middle - half), np.float64),
        np.asarray(expit(middle + half), np.float64),
        middle,
        error,
        float(spreads[0]),
        float(spreads[1]),
        float(spreads[2]),
        mode.v[first : first + c],
        np.sqrt(np.diag(within)[first : first + c]),
        mode.v[1 + cells.audiences : first],
        np.sqrt(np.diag(within)[1 + cells.audiences : first]),
    )


def shrink_amounts(total: ArrayLike, squares: ArrayLike, responses: ArrayLike) -> Amounts:
    """Mean amounts by pair, drawn to the mean of all by how much pairs truly differ.

    (n m + k M) / (n + k) with k = s² / τ²: s² the variance within pairs, τ² that of their true means, by moments.

    Args:
        total: (s, m) sums of amounts.
        squares: (s, m) sums of their squares.
        responses: (s, m) how many amounts.

    Returns:
        Means with errors; NaN everywhere when there is no amount.

    Raises:
        DesignError: Shapes do not fit or a number is missing or negative.

    Source: DerSimonian & Laird, Controlled Clinical Trials 7 (1986), equation 8.

    >>> shrink_amounts([[100.0, 0.0]], [[600.0, 0.0]], [[20.0, 0.0]]).mean.tolist()
    [[5.0, 5.0]]
    """
    t, q, n = (np.asarray(v, np.float64) for v in (total, squares, responses))
    if t.shape != n.shape or q.shape != n.shape or not all(np.isfinite(v).all() for v in (t, q, n)):
        raise DesignError.of("Amounts do not fit", received=(t.shape, q.shape, n.shape))
    if (n < 0).any() or (t < 0).any():
        raise DesignError.of("Amounts", received="a negative one", allowed="0 or more")
    everyone = n.sum()
    if not everyone:
        return Amounts(np.full(n.shape, np.nan), np.full(n.shape, np.nan))
    seen = n > 0
    mean = np.divide(t, n, out=np.zeros(n.shape), where=seen)
    grand = float(t.sum() / everyone)
    pairs = int(seen.sum())
    weight = n[seen]
    across = float(weight @ (mean[seen] - grand) ** 2)
    if everyone > pairs:
        within = float(np.maximum(q - n * mean**2, 0).sum()) / (everyone - pairs)
    else:
        # One amount a pair does not tell pairs from people: all is within. Of one amount alone, as much as it is.
        within = across / (pairs - 1) if pairs > 1 else grand**2
    spare = everyone - float(weight @ weight) / everyone
    excess = across - (pairs - 1) * within
    between = max(excess / spare, 0.0) if spare > 0 else 0.0
    error_of_grand = within / everyone + between * float(weight @ weight) / everyone**2
    keep = np.divide(n * between, n * between + within, out=np.zeros(n.shape), where=n * between + within > 0)
    # The first part and (1 - keep) between are the same: twice, since the spread of pairs is itself a guess.
    error = np.sqrt(
        keep * np.divide(within, n, out=np.zeros(n.shape), where=seen)
        + (1 - keep) * (between + error_of_grand)
    )
    return Amounts(keep * mean + (1 - keep) * grand, error)


def fan_lift(
    shares: ArrayLike, population: ArrayLike, *, asked: float | None = None, smallest: float = 0.02
) -> Floats:
    """How much more often people of each group are among an item's fans than among everyone, as a log ratio.

    log((n share + n_0 pop) / ((n + n_0) pop)): a survey of n people is drawn to everyone's shares by n_0 = 20 more.

    Args:
        shares: (g,) of the fans in each group, adding to about 1; NaN where not asked.
        population: (g,) of everyone, adding to about 1.
        asked: Fans asked; None when their number is not known, which is taken as 50.
        smallest: Shares of everyone below this are read as this.

    Returns:
        (g,) 0 where fans are like everyone, or were not asked.

    Raises:
        DesignError: Shares that are negative, above 1, or do not fit.

    >>> fan_lift([0.6, 0.4], [0.5, 0.5], asked=80).round(3).tolist()
    [0.148, -0.174]
    """
    s, p = np.asarray(shares, np.float64), np.asarray(population, np.float64)
    if s.shape != p.shape or (s < 0).any() or (s > 1).any() or not np.isfinite(p).all() or (p < 0).any():
        raise DesignError.of(
            "Shares of an item's fans", received=s.shape, allowed="0 to 1, one for each group"
        )
    pop = np.maximum(p, smallest)
    n = 50.0 if asked is None or not np.isfinite(asked) else max(float(asked), 0.0)
    drawn = (n * s + 20 * pop) / (n + 20)
    return np.where(np.isfinite(s), np.log(np.maximum(drawn, 1e-9) / pop), 0.0)


def _checked(sends: ArrayLike, responses: ArrayLike, covariates: ArrayLike | None) -> _Cells:
    n, y = np.asarray(sends, np.float64), np.asarray(responses, np.float64)
    if n.ndim != 2 or n.shape != y.shape or not n.size:
        raise DesignError.of(
            "Sends and responses do not fit", received=(n.shape, y.shape), allowed="(s, m) each"
        )
    if not (np.isfinite(n).all() and np.isfinite(y).all()) or (y < 0).any() or (y > n).any():
        raise DesignError.of(
            "Sends and responses", received="missing, negative, or more responses than sends"
        )
    if not y.any():
        raise DesignError.of("Nobody responded to any item", then="check the kinds of events that count")
    z = np.zeros((0, *n.shape)) if covariates is None else np.asarray(covariates, np.float64)
    if z.ndim != 3 or z.shape[1:] != n.shape or not np.isfinite(z).all():
        raise DesignError.of(
            "What is known of the pairs does not fit", received=z.shape, allowed=f"(c, {n.shape})"
        )
    s, m = n.shape
    audience, item = np.divmod(np.arange(s * m), m)
    return _Cells(n.ravel(), y.ravel(), audience, item, z.reshape(len(z), s * m).T, s, m)


def _design_dot(cells: _Cells, v: Floats) -> Floats:
    s, m = cells.audiences, cells.items
    return np.asarray(
        v[0] + v[1 + cells.audience] + v[1 + s + cells.item] + cells.z @ v[1 + s + m :], np.float64
    )


def _design_gram(cells: _Cells, w: Floats) -> Floats:
    """Zᵀ W Z of level, audiences, items and slopes, from marginal sums."""
    s, m, c = cells.audiences, cells.items, cells.z.shape[1]
    square = w.reshape(s, m)
    by_audience, by_item = square.sum(1), square.sum(0)
    out = np.zeros((1 + s + m + c, 1 + s + m + c))
    out[0, 0] = w.sum()
    out[0, 1 : 1 + s], out[0, 1 + s : 1 + s + m] = by_audience, by_item
    out[1 : 1 + s, 1 : 1 + s] = np.diag(by_audience)
    out[1 + s : 1 + s + m, 1 + s : 1 + s + m] = np.diag(by_item)
    out[1 : 1 + s, 1 + s : 1 + s + m] = square
    for k in range(c):
        out[: 1 + s + m, 1 + s + m + k] = _design_sums(cells, w * cells.z[:, k])[: 1 + s + m]
    out[1 + s + m :, 1 + s + m :] = cells.z.T @ (w[:, None] * cells.z)
    upper = np.triu(out)
    return upper + np.triu(upper, 1).T


def _design_sums(cells: _Cells, values: Floats) -> Floats:
    square = values.reshape(cells.audiences, cells.items)
    return np.concatenate([[values.sum()], square.sum(1), square.sum(0), cells.z.T @ values])


def _precisions(cells: _Cells, spreads: Floats) -> Floats:
    return np.concatenate(
        [
            [_SPREAD_OF_LEVEL**-2],
            np.full(cells.audiences, spreads[0] ** -2),
            np.full(cells.items, spreads[1] ** -2),
            np.full(cells.z.shape[1], _SPREAD_OF_SLOPES**-2),
        ]
    )


def _mode(cells: _Cells, spreads: Floats, start: _Mode | None) -> _Mode:
    """Newton's steps on main effects and pairs together, the pairs eliminated; halved while the fit gets worse."""
    from scipy.linalg import cho_solve, cholesky
    from scipy.special import expit

    own, precision = _precisions(cells, spreads), float(spreads[2] ** -2)
    rate = np.clip(cells.y.sum() / max(cells.n.sum(), 1.0), 1e-6, 1 - 1e-6)
    v = np.zeros(own.size) if start is None else start.v
    d = np.zeros(cells.n.size) if start is None else start.d
    if start is None:
        v[0] = np.log(rate / (1 - rate))

    def fit(v: Floats, d: Floats) -> tuple[Floats, float]:
        eta = _design_dot(cells, v) + d
        told = cells.y @ eta - cells.n @ np.logaddexp(0, eta)
        return eta, float(told - own @ v**2 / 2 - precision * (d @ d) / 2)

    eta, value = fit(v, d)
    for _ in range(_ROUNDS):
        p = expit(eta)
        w, g = cells.n * p * (1 - p), cells.y - cells.n * p
        kept = w / (w + precision)
        gram = _design_gram(cells, w * (1 - kept)) + np.diag(own)
        slope = _design_sums(cells, g) - own * v
        slope_d = g - precision * d
        factor = cholesky(gram, lower=True)
        step = cho_solve((factor, True), slope - _design_sums(cells, kept * slope_d))
        step_d = (slope_d - w * _design_dot(cells, step)) / (w + precision)
        size = 1.0
        while True:
            now, better = fit(v + size * step, d + size * step_d)
            if better >= value - 1e-9 or size < 1e-4:
                break
            size /= 2
        v, d, gain, eta, value = v + size * step, d + size * step_d, better - value, now, better
        if abs(gain) < 1e-7:
            break
    p = expit(eta)
    w = cells.n * p * (1 - p)
    kept = w / (w + precision)
    factor = cholesky(_design_gram(cells, w * (1 - kept)) + np.diag(own), lower=True)
    bend = 2 * np.log(np.diag(factor)).sum() - np.log(own).sum() + np.log1p(w / precision).sum()
    return _Mode(v, d, w, eta, factor, float(value - bend / 2))


def _posterior(cells: _Cells, mode: _Mode, spreads: Floats) -> tuple[Floats, Floats, Floats]:
    """Log-odds of every pair, their variances, and the covariance of the main effects."""
    from scipy.linalg import cho_solve

    precision = float(spreads[2] ** -2)
    cov = cho_solve((mode.factor, True), np.eye(len(mode.factor)))
    s, m = cells.audiences, cells.items
    a, i = 1 + cells.audience, 1 + s + cells.item
    main = cov[0, 0] + cov[a, a] + cov[i, i] + 2 * (cov[0, a] + cov[0, i] + cov[a, i])
    if cells.z.shape[1]:
        slopes = cov[1 + s + m :, 1 + s + m :]
        beside = cov[0, 1 + s + m :] + cov[a, 1 + s + m :] + cov[i, 1 + s + m :]
        main = main + np.einsum("ij,jk,ik->i", cells.z, slopes, cells.z) + 2 * (beside * cells.z).sum(1)
    left = precision / (mode.weight + precision)
    return mode.log_odds, 1 / (mode.weight + precision) + left**2 * main, cov
