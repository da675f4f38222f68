"""The response curve from tests of places: how much the first dose does, when more stops doing more, how long it lasts.

The curve's shape is looked at on a grid, its height and the noise are integrated out; what a test cannot tell stays as
wide as it was believed to be. Straight lines and no effect at all compete with the curves.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from hustings.errors import DesignError
from hustings.stats.clusters import Floats
from hustings.stats.geo_readings import Frame, frame, stock
from hustings.stats.response import Response, share_of_effect

HALF_LIVES = np.geomspace(0.1, 8.0, 16)
"""Weeks. The week of the dose is the shortest that weekly outcomes can tell."""
SHAPES = np.array([0.5, 0.7, 1.0, 1.4, 2.0, 3.0])
_SCALES = np.geomspace(1 / 8, 8, 25)
KINDS = ("none", "linear", "exponential", "hill")


class Trial(NamedTuple):
    """One test, as the fit takes it.

    Attributes:
        outcome: (p, w) mean outcome by place and week, weeks before the test among them; NaN where missing.
        dose: (p, w) dose of each place and week, 0 before the test.
        weight: (p, w) people behind each outcome, or None.
    """

    outcome: ArrayLike
    dose: ArrayLike
    weight: ArrayLike | None = None


class Belief(NamedTuple):
    """What is believed before the tests.

    Attributes:
        full_effect: Expected effect without end of dose, in the outcome's unit.
        full_effect_error: Its standard deviation, above 0.
        half_life: Median, in weeks.
        half_life_spread: Standard deviation of its logarithm, above 0.
        no_effect: Probability that there is no effect at all, in [0, 1).
    """

    full_effect: float = 0.0
    full_effect_error: float = 0.05
    half_life: float = 0.75
    half_life_spread: float = 0.8
    no_effect: float = 0.2


class Fit(NamedTuple):
    """A response curve with its uncertainty.

    Attributes:
        kind: `exponential` or `hill`, whichever is likelier.
        response: The curve at the posterior means of its parameters.
        rate_error: Posterior standard deviation of the rate.
        shape_error: Of the shape; 0 of an exponential.
        full_effect: Posterior mean of the effect without end of dose.
        full_effect_error: Its standard deviation.
        half_life: Posterior mean, in weeks.
        half_life_error: Its standard deviation.
        probability: Of each of `KINDS`, given the tests.
        tested_to: Highest dose of one week in the tests; nothing is known above.
        draws: (d, 4) from the posterior of the chosen kind: full effect, rate, shape (NaN of an exponential), half-life.
    """

    kind: str
    response: Response
    rate_error: float
    shape_error: float
    full_effect: float
    full_effect_error: float
    half_life: float
    half_life_error: float
    probability: dict[str, float]
    tested_to: float
    draws: Floats


def fit_response(
    trials: Sequence[Trial],
    rng: np.random.Generator,
    *,
    belief: Belief = Belief(),  # noqa: B008
    kind: str | None = None,
    draws: int = 400,
) -> Fit:
    """The posterior of a response curve from one test or several.

    y_pw = place_p + week_w + E r(s_pw) + noise, s the stock with its half-life, r the curve, and the noise of one place's
    weeks alike by a correlation that is estimated from what place, week and dose do not explain. At each point of the
    grid the effect E has a normal posterior in closed form and its marginal likelihood counts the point. The scale 1 /
    rate is believed to lie between an eighth and eight times the highest dose, evenly in its logarithm.

    Args:
        trials: The tests.
        rng: Randomness of the draws.
        belief: What is believed before.
        kind: `exponential` or `hill`; the likelier one unless given.
        draws: From the posterior.

    Returns:
        The fit.

    Raises:
        DesignError: No test, no dose above 0, a negative or missing dose, a belief that is none.

    Source: Jin, Wang, Sun, Chan & Koehler, Bayesian Methods for Media Mix Modeling (Google, 2017), for adstock before
    saturation; Vaver & Koehler (2011), for tests of places; O'Hagan & Forster, Bayesian Inference (2004), 7.33–7.36.

    >>> rng = np.random.default_rng(1)
    >>> dose = np.repeat(np.tile([0.0, 1.0, 2.0, 4.0], 5)[:, None], 12, axis=1); dose[:, :6] = 0
    >>> y = 0.04 * -np.expm1(-0.8 * dose) + 0.004 * rng.standard_normal(dose.shape)
    >>> found = fit_response([Trial(y, dose)], rng, belief=Belief(half_life=0.15, half_life_spread=0.05))
    >>> abs(found.full_effect - 0.04) < 2.5 * found.full_effect_error, found.probability["none"] < 0.01
    (True, True)
    """
    _check(belief, kind)
    known = [_prepared(trial) for trial in trials]
    if not known:
        raise DesignError.of("There is no test to fit a response to", allowed="one or more")
    tested = max(one.dose.max() for one in known)
    points, prior = _grid(tested, belief)
    mean, variance, likelihood = _posterior(known, points, tested, belief)
    log = likelihood + np.log(prior)
    weight = np.exp(log - log.max())
    weight /= weight.sum()
    probability = {name: float(weight[points[:, 0] == number].sum()) for number, name in enumerate(KINDS)}
    chosen = kind or max(("exponential", "hill"), key=lambda name: probability[name])
    own = points[:, 0] == KINDS.index(chosen)
    at = rng.choice(np.flatnonzero(own), draws, p=np.exp(log[own] - log[own].max()) / np.exp(log[own] - log[own].max()).sum())  # fmt: skip
    effect = mean[at] + np.sqrt(variance[at]) * rng.standard_normal(draws)
    # Points of a grid stand for what lies between them.
    between = np.exp(rng.uniform(-0.5, 0.5, (2, draws)) * [[np.log(_SCALES[1] / _SCALES[0])], [np.log(HALF_LIVES[1] / HALF_LIVES[0])]])  # fmt: skip
    told = np.column_stack([effect, points[at, 1] * between[0], points[at, 2], points[at, 3] * between[1]])
    w = np.exp(log[own] - log[own].max())
    w /= w.sum()
    (rate, shape, life), errors = _moments(points[own, 1:4], w)
    full = float(w @ mean[own])
    full_error = float(np.sqrt(w @ (variance[own] + mean[own] ** 2) - full**2))
    curve = Response(rate, None if chosen == "exponential" else shape)
    return Fit(
        chosen, curve, errors[0], 0.0 if chosen == "exponential" else errors[1], full, full_error, life, errors[2],
        probability, float(tested), told,
    )  # fmt: skip


def effect_of_dose(fit_draws: ArrayLike, dose: ArrayLike, tested_to: float) -> Floats:
    """What these doses do, for each draw from the posterior.

    Args:
        fit_draws: (d, 4) as `Fit.draws`.
        dose: (n,) what is at work in a week, 0 or more.
        tested_to: As `Fit.tested_to`.

    Returns:
        (d, n).

    Raises:
        DesignError: A dose above what was tested, below 0, or missing.

    >>> effect_of_dose([[0.04, 1.0, np.nan, 0.5]], [0.0, 1.0], 2.0).round(4).tolist()
    [[0.0, 0.0253]]
    """
    z, table = np.asarray(dose, np.float64), np.asarray(fit_draws, np.float64)
    if not (np.isfinite(z).all() and (z >= 0).all() and (z <= tested_to * (1 + 1e-9)).all()):
        raise DesignError.of(
            "A dose was not tested, so what it does is not known",
            received=float(np.max(z)) if z.size else None,
            allowed=f"0 to {tested_to:g}",
            then="stay within the tested doses, or test higher ones",
        )
    return table[:, :1] * curves(table[:, 1], table[:, 2], z)


def curves(rate: ArrayLike, shape: ArrayLike, dose: ArrayLike) -> Floats:
    """(d, …) the share of the full effect at each dose, for each rate and shape; a shape of NaN is an exponential.

    >>> curves([1.0], [np.nan], [1.0]).round(4).tolist()
    [[0.6321]]
    """
    rates, shapes = np.asarray(rate, np.float64), np.asarray(shape, np.float64)
    extra = (1,) * np.ndim(dose)
    z = rates.reshape(-1, *extra) * np.asarray(dose, np.float64)
    power = z ** np.nan_to_num(shapes, nan=1.0).reshape(-1, *extra)
    return np.where(np.isnan(shapes).reshape(-1, *extra), -np.expm1(-z), power / (power + 1))


def mean_curve(draws: ArrayLike, tested_to: float) -> tuple[float, Response, float]:
    """The one curve nearest to the mean of all draws within the tested doses: what a plan is made with.

    Args:
        draws: (d, 4) as `Fit.draws`; full effects of 0 are draws without an effect.
        tested_to: As `Fit.tested_to`.

    Returns:
        Full effect, curve and half-life; the half-life keeps the mean share that is left after a week.

    Raises:
        DesignError: No draws.

    >>> full, curve, life = mean_curve([[0.04, 1.0, np.nan, 1.0], [0.0, 1.0, np.nan, 1.0]], 2.0)
    >>> round(full, 3), round(curve.rate, 2), life
    (0.02, 1.0, 1.0)
    """
    table = np.asarray(draws, np.float64)
    if table.ndim != 2 or table.shape[1] != 4 or not len(table):
        raise DesignError.of("There are no draws", received=table.shape, allowed="(d, 4)")
    z = np.linspace(0, tested_to, 41)[1:]
    mean = (table[:, :1] * curves(table[:, 1], table[:, 2], z)).mean(0)
    rates = 1 / (np.geomspace(1 / 8, 8, 121) * tested_to)
    exponential = bool(np.isnan(table[:, 2]).all())
    shapes = np.array([np.nan]) if exponential else SHAPES
    rate, shape = (part.ravel() for part in np.meshgrid(rates, shapes))
    r = curves(rate, shape, z)
    full = (r @ mean) / (r * r).sum(1)
    off = ((mean - full[:, None] * r) ** 2).sum(1)
    best = int(off.argmin())
    kept = float((0.5 ** (1 / np.maximum(table[:, 3], 1e-3))).mean())
    life = float(np.log(0.5) / np.log(max(kept, 1e-300)))
    return float(full[best]), Response(float(rate[best]), None if exponential else float(shape[best])), life


class _Known(NamedTuple):
    dose: Floats
    before: Frame
    correlation: float
    noise: float
    whitened: Floats
    basis: Floats
    shape: tuple[int, int]


def _check(belief: Belief, kind: str | None) -> None:
    spreads = (belief.full_effect_error, belief.half_life, belief.half_life_spread)
    sound = all(np.isfinite(v) and v > 0 for v in spreads) and np.isfinite(belief.full_effect)
    if not (sound and 0 <= belief.no_effect < 1):
        raise DesignError.of("What is believed before is no belief", received=tuple(belief), allowed="errors above 0, a probability below 1")  # fmt: skip
    if kind is not None and kind not in KINDS[2:]:
        raise DesignError.unknown("A response is a curve", kind, KINDS[2:])


def _prepared(trial: Trial) -> _Known:
    """Outcome less place and week, whitened along each place's weeks."""
    dose = np.asarray(trial.dose, np.float64)
    y = np.asarray(trial.outcome, np.float64)
    if dose.shape != y.shape or not np.isfinite(dose).all() or (dose < 0).any() or not dose.any():
        raise DesignError.of(
            "Doses do not fit", received=dose.shape, allowed=f"{y.shape}, 0 or more, some above 0"
        )
    known = frame(y, trial.weight)
    # What the dose may have done must not pass for noise: three half-lives and their squares take it off.
    stocks = [stock(dose, h) for h in (0.15, 1.0, 4.0)]
    z = np.column_stack([known.rest(s**k) for s in stocks for k in (0.5, 1.0)])
    left, size, _ = np.linalg.svd(z, full_matrices=False)
    span = left[:, size > 1e-6 * max(size[0], 1e-300)]
    flat = np.full(y.size, np.nan)
    flat[known.cells] = (known.outcome - span @ (span.T @ known.outcome)) / known.root
    weeks = y.shape[1]
    correlation = _correlation(flat.reshape(y.shape), weeks)
    cells = np.full(y.size, np.nan)
    cells[known.cells] = y.ravel()[known.cells]
    root = np.full(y.size, np.nan)
    root[known.cells] = known.root
    white, basis = _whitened(cells.reshape(y.shape), root.reshape(y.shape), correlation)
    told = white - basis @ (basis.T @ white)
    extra = np.column_stack([_project(s**k, root.reshape(y.shape), correlation, basis) for s in stocks for k in (0.5, 1.0)])  # fmt: skip
    left, size, _ = np.linalg.svd(extra, full_matrices=False)
    span = left[:, size > 1e-6 * max(size[0], 1e-300)]
    clean = told - span @ (span.T @ told)
    degrees = max(white.size - basis.shape[1] - span.shape[1], 1)
    return _Known(dose, known, correlation, float(clean @ clean / degrees), told, basis, (y.shape[0], weeks))


def _correlation(rest: Floats, weeks: int) -> float:
    """Of one week's noise with the next, corrected for place effects that the same weeks estimate (Nickell 1981)."""
    a, b = rest[:, :-1], rest[:, 1:]
    both = ~(np.isnan(a) | np.isnan(b))
    scale = float(np.nanmean(rest**2))
    if not both.any() or scale <= 0:
        return 0.0
    raw = float((a[both] * b[both]).mean()) / scale
    return float(np.clip((raw * weeks + 1) / max(weeks - 1, 1), 0.0, 0.95))


def _steps(values: Floats, root: Floats, correlation: float) -> Floats:
    """(…, n) weighted differences to what the week before foretells; the first of each place, or after a gap, scaled."""
    heavy = values * np.where(np.isnan(root), 0.0, root)
    known = ~np.isnan(root)
    before = np.concatenate([np.zeros((*heavy.shape[:-1], 1)), heavy[..., :-1]], axis=-1)
    follows = np.concatenate([np.zeros((known.shape[0], 1), bool), known[:, :-1]], axis=1)
    first = np.sqrt(1 - correlation**2)
    told = np.where(follows, heavy - correlation * before, first * heavy)
    return np.asarray(told[..., known])


def _whitened(y: Floats, root: Floats, correlation: float) -> tuple[Floats, Floats]:
    places, weeks = y.shape
    dummies = np.zeros((places + weeks, places, weeks))
    dummies[np.arange(places), np.arange(places)] = 1
    dummies[places + np.arange(weeks), :, np.arange(weeks)] = 1
    columns = _steps(dummies, root, correlation).T
    left, size, _ = np.linalg.svd(columns, full_matrices=False)
    return _steps(np.nan_to_num(y), root, correlation), left[:, size > 1e-9 * size[0]]


def _project(values: Floats, root: Floats, correlation: float, basis: Floats) -> Floats:
    z = _steps(values, root, correlation)
    return np.asarray(z - (z @ basis) @ basis.T)


def _grid(tested: float, belief: Belief) -> tuple[Floats, Floats]:
    """(n, 4) kind, rate, shape, half-life, and their prior probabilities."""
    log = (np.log(HALF_LIVES) - np.log(belief.half_life)) / belief.half_life_spread
    life = np.exp(-0.5 * log**2)
    life /= life.sum()
    rates = 1 / (_SCALES * tested)
    rows, prior = [(0.0, np.nan, np.nan, np.nan)], [max(belief.no_effect, 1e-300)]
    rest = (1 - belief.no_effect) / 3
    for h, p in zip(HALF_LIVES, life, strict=True):
        rows.append((1.0, np.nan, np.nan, h))
        prior.append(rest * p)
        for rate in rates:
            rows.append((2.0, rate, np.nan, h))
            prior.append(rest * p / rates.size)
            rows += [(3.0, rate, shape, h) for shape in SHAPES]
            prior += [rest * p / rates.size / SHAPES.size] * SHAPES.size
    return np.array(rows), np.maximum(np.array(prior), 1e-300)


def _posterior(
    known: list[_Known], points: Floats, tested: float, belief: Belief
) -> tuple[Floats, Floats, Floats]:
    """Of each point of the grid: mean and variance of the effect, and the log of its marginal likelihood."""
    precision, cross = np.zeros(len(points)), np.zeros(len(points))
    for one in known:
        root = np.full(one.shape[0] * one.shape[1], np.nan)
        root[one.before.cells] = one.before.root
        for h in HALF_LIVES:
            at = np.flatnonzero(points[:, 3] == h)
            z = stock(one.dose, float(h))
            shares = np.concatenate([z[None] / tested, curves(points[at[1:], 1], points[at[1:], 2], z)])
            x = _project(shares, root.reshape(one.shape), one.correlation, one.basis)
            precision[at] += (x * x).sum(1) / one.noise
            cross[at] += x @ one.whitened / one.noise
    prior = 1 / belief.full_effect_error**2
    total = precision + prior
    mean = (cross + prior * belief.full_effect) / total
    # log N(y | E m, s^2) integrated over E, less what all points share.
    log = 0.5 * (total * mean**2 - prior * belief.full_effect**2) + 0.5 * np.log(prior / total)
    none = points[:, 0] == 0
    mean[none], log[none] = 0.0, 0.0
    return mean, np.where(none, 0.0, 1 / total), log


def _moments(values: Floats, weight: Floats) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
    table = np.nan_to_num(values)
    mean = weight @ table
    error = np.sqrt(np.maximum(weight @ table**2 - mean**2, 0))
    a, b = mean.tolist(), error.tolist()
    return (a[0], a[1], a[2]), (b[0], b[1], b[2])


def share_at(fit: Fit, dose: ArrayLike) -> Floats:
    """The fitted curve's share of the full effect at tested doses.

    >>> fit = Fit("exponential", Response(1.0), 0, 0, 1, 0, 1, 0, {}, 2.0, np.empty((0, 4)))
    >>> share_at(fit, [0.0]).tolist()
    [0.0]
    """
    z = np.asarray(dose, np.float64)
    if (z > fit.tested_to * (1 + 1e-9)).any():
        raise DesignError.of(
            "A dose was not tested", received=float(z.max()), allowed=f"at most {fit.tested_to:g}"
        )
    return np.asarray(share_of_effect(fit.response, z))
