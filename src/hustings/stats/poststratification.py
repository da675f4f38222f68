"""Support by place from few respondents: a multilevel regression, summed over the voter file.

Respondents in a cell (place × age × sex × party) answer yes with probability logit⁻¹(x'b + Σ u), one u for the cell's
place and one for each of its attributes, each kind of u normal with a size of its own. Small groups borrow from the
rest as much as the data say that groups are alike. Every place is then the mean over its own people's cells.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from hustings.errors import DesignError
from hustings.stats.arrow import (
    Arrow,
    Sizes,
    factor,
    find_sizes,
    log_determinant,
    scatter,
    solve,
)
from hustings.stats.clusters import Floats, Integers

INTERCEPT_SD, SLOPE_SD = 5.0, 2.5
"""Prior standard deviations of the intercept and of a covariate's slope per standard deviation (Gelman, Jakulin,
Pittau & Su, Annals of Applied Statistics 2, 2008, for the second)."""
TYPICAL = 0.5
"""The prior mode of a kind of group's standard deviation, on the logit scale."""


class Cells(NamedTuple):
    """People who are alike in everything that the regression knows.

    Attributes:
        place: (C,) codes 0 … J - 1.
        attributes: (C, k) codes of each attribute, from 0; -1 where it is unknown, which counts as average.
        covariates: (J, p) what is known of each place, finite; a result of the last election, say. (J, 0) for none.
    """

    place: Integers
    attributes: Integers
    covariates: Floats


class Multilevel(NamedTuple):
    """A fitted multilevel regression.

    Attributes:
        levels: (k,) how many levels each attribute has.
        mean: (p,) of the covariates.
        scale: (p,) 1 / their standard deviations.
        sizes: The standard deviations: of places first, then of each attribute.
        outcome: (C, 2) yes and all answers, as fitted.
        cells: The cells, as fitted.
    """

    levels: tuple[int, ...]
    mean: Floats
    scale: Floats
    sizes: Sizes
    outcome: Floats
    cells: Cells


class Support(NamedTuple):
    """Support in every place, jointly.

    Attributes:
        mean: (J,) posterior means, 0–1.
        std_error: (J,) posterior standard deviations.
        low: (J,) 2.5 % quantiles.
        high: (J,) 97.5 % quantiles.
        draws: (S, J) joint draws: their covariance is the errors' covariance over places.
        total: (S,) draws of the share in all places together.
    """

    mean: Floats
    std_error: Floats
    low: Floats
    high: Floats
    draws: Floats
    total: Floats


def fit_multilevel(yes: ArrayLike, answers: ArrayLike, cells: Cells, levels: tuple[int, ...]) -> Multilevel:
    """A multilevel logistic regression, its variances by Laplace's approximation to the marginal likelihood.

    log p(y | σ) ≈ l(θ) - θ'Λθ / 2 + log|Λ| / 2 - log|H| / 2 at the mode θ, H the information there. Slopes are
    integrated out too, so variances are not too small for having fitted them (as in REML).

    Args:
        yes: (C,) answers of yes in each cell, 0 … answers.
        answers: (C,) answers, at least 0.
        cells: Whose answers.
        levels: (k,) how many levels each attribute has.

    Returns:
        The fit; `poststratify` makes places of it.

    Raises:
        DesignError: Shapes or codes that do not fit, no answer at all, or more yes than answers.

    Source: Gelman & Little, Survey Methodology 23 (1997); Park, Gelman & Bafumi, Political Analysis 12 (2004);
    Breslow & Clayton, JASA 88 (1993), for the approximation.

    >>> cells = Cells(np.array([0, 1]), np.empty((2, 0), int), np.empty((2, 0)))
    >>> fit = fit_multilevel([30, 50], [100, 100], cells, ())
    >>> 0.2 < float(np.exp(fit.sizes.log[0])) < 0.8
    True
    """
    outcome = np.column_stack([np.asarray(yes, np.float64), np.asarray(answers, np.float64)])
    _check(cells, levels)
    if outcome.shape[0] != cells.place.size or not (
        np.isfinite(outcome).all() and (outcome[:, 0] >= 0).all() and (outcome[:, 0] <= outcome[:, 1]).all()
    ):
        raise DesignError.of(
            "Answers do not fit", received=outcome.shape, allowed="(C,) counts, 0 <= yes <= answers"
        )
    if outcome[:, 1].sum() < 2:
        raise DesignError.of(
            "Nothing to learn from", received=f"{outcome[:, 1].sum():g} answers", allowed="2"
        )
    told = outcome[:, 1] > 0
    outcome = outcome[told]
    kept = Cells(cells.place[told], cells.attributes[told], np.asarray(cells.covariates, np.float64))
    mean, sd = kept.covariates.mean(0), kept.covariates.std(0)
    scale = np.divide(1.0, sd, out=np.zeros_like(sd), where=sd > 1e-12)
    fit = Multilevel(levels, mean, scale, Sizes(np.zeros(0), np.zeros((0, 0))), outcome, kept)
    z, start = _design(fit, kept), [_start(fit)]

    def log_marginal(log: Floats) -> float:
        arrow, start[0], value = _mode(fit, z, log, start[0])
        precision = _precision(fit, log)
        free = float(np.log(precision).sum() - 2 * log[0] * kept.covariates.shape[0])
        return value + (free - log_determinant(arrow)) / 2

    return fit._replace(sizes=find_sizes(log_marginal, np.full(1 + len(levels), TYPICAL)))


def poststratify(
    fit: Multilevel,
    cells: Cells,
    people: ArrayLike,
    *,
    draws: int = 1000,
    settings: int = 20,
    rng: np.random.Generator,
) -> Support:
    """Support in each place: the mean over its people's cells, with the uncertainty of effects and variances.

    support_j = Σ_c people_jc p_jc / Σ_c people_jc, in each of `draws` draws of the effects; the variances are drawn
    `settings` times from their approximate posterior, and the effects from theirs given them.

    Args:
        fit: The fitted regression.
        cells: The population's cells, of the same places and attributes.
        people: (C,) people in each cell, or their expected votes; at least 0, in every place some.
        draws: S, at least 100.
        settings: How many values of the variances are tried.
        rng: The generator.

    Returns:
        The places' supports with errors, and their joint draws.

    Raises:
        DesignError: Shapes or codes that do not fit, or a place without people.

    >>> cells = Cells(np.array([0, 1]), np.empty((2, 0), int), np.empty((2, 0)))
    >>> fit = fit_multilevel([30, 50], [100, 100], cells, ())
    >>> poststratify(fit, cells, [1, 1], rng=np.random.default_rng(1)).mean.round(1)
    array([0.3, 0.5])
    """
    _check(cells, fit.levels)
    n_places = fit.cells.covariates.shape[0]
    size = np.asarray(people, np.float64)
    if size.shape != cells.place.shape or not (np.isfinite(size).all() and (size >= 0).all()):
        raise DesignError.of("People do not fit", received=size.shape, allowed=f"({cells.place.size},), >= 0")
    in_place = np.bincount(cells.place, weights=size, minlength=n_places)
    if in_place.size != n_places or not (in_place > 0).all():
        empty = int((in_place <= 0).sum())
        raise DesignError.of("Places without people cannot have a support", received=f"{empty} of {n_places}")
    order = np.argsort(cells.place, kind="stable")
    known, z = fit.cells, _design(fit, cells._replace(place=cells.place, covariates=fit.cells.covariates))
    z, place, share = z[order], cells.place[order], (size / in_place[cells.place])[order]
    first = np.searchsorted(place, np.arange(n_places))
    fitted, at, found = _design(fit, known), _start(fit), []
    for part in np.array_split(np.arange(draws), min(settings, draws)):
        log = fit.sizes.draw(rng)
        arrow, at, _ = _mode(fit, fitted, log, at)
        rest, groups = scatter(arrow, part.size, rng)
        p = _logistic((rest + at[: z.shape[1]]) @ z.T + (groups + at[z.shape[1] :])[:, place])
        found.append(np.add.reduceat(p * share, first, axis=1))
    every = np.concatenate(found)
    low, high = np.quantile(every, (0.025, 0.975), axis=0)
    total = every @ (in_place / in_place.sum())
    return Support(every.mean(0), every.std(0, ddof=1), low, high, every, total)


def shared_error(draws: Floats) -> float:
    """The standard deviation of what all places' errors have in common: the root of their mean covariance.

    Args:
        draws: (S, J) joint draws.

    Returns:
        At least 0; of a single place 0, since nothing is shared.

    >>> shared_error(np.array([[0.4, 0.5], [0.6, 0.7]])).__round__(3)
    0.141
    """
    n_places = draws.shape[1]
    if n_places < 2:
        return 0.0
    apart = draws - draws.mean(0)
    total = float(np.sum(apart.sum(1) ** 2) - np.sum(apart**2)) / (draws.shape[0] - 1)
    return float(np.sqrt(max(total, 0.0) / (n_places * (n_places - 1))))


def _check(cells: Cells, levels: tuple[int, ...]) -> None:
    n, n_places = cells.place.size, cells.covariates.shape[0]
    if cells.attributes.shape != (n, len(levels)) or not np.isfinite(cells.covariates).all():
        got = f"attributes {cells.attributes.shape}, covariates {cells.covariates.shape}"
        raise DesignError.of("Cells do not fit", received=got, allowed=f"({n}, {len(levels)}), finite (J, p)")
    if n and not (cells.place.min() >= 0 and cells.place.max() < n_places):
        got = f"{cells.place.min()} to {cells.place.max()}"
        raise DesignError.of("Places do not fit", received=got, allowed=f"0 to {n_places - 1}")
    for number, size in enumerate(levels):
        codes = cells.attributes[:, number]
        if n and not (codes.min() >= -1 and codes.max() < size):
            got = f"{codes.min()} to {codes.max()}"
            raise DesignError.of(
                f"Attribute {number} does not fit", received=got, allowed=f"-1 to {size - 1}"
            )


def _design(fit: Multilevel, cells: Cells) -> Floats:
    """Intercept, standardised covariates of the place, and one column for each level of each attribute."""
    columns = [np.ones((cells.place.size, 1)), ((cells.covariates - fit.mean) * fit.scale)[cells.place]]
    columns += [
        (cells.attributes[:, number, None] == np.arange(size)).astype(np.float64)
        for number, size in enumerate(fit.levels)
    ]
    return np.hstack(columns)


def _precision(fit: Multilevel, log: Floats) -> Floats:
    """Prior precisions of the terms other than the places."""
    fixed = [np.full(1, INTERCEPT_SD**-2.0), np.full(fit.mean.size, SLOPE_SD**-2.0)]
    random = [np.full(size, np.exp(-2 * log[1 + number])) for number, size in enumerate(fit.levels)]
    return np.concatenate([*fixed, *random])


def _start(fit: Multilevel) -> Floats:
    yes, answers = fit.outcome.sum(0)
    at = np.zeros(1 + fit.mean.size + sum(fit.levels) + fit.cells.covariates.shape[0])
    at[0] = np.log((yes + 0.5) / (answers - yes + 0.5))
    return at


def _mode(fit: Multilevel, z: Floats, log: Floats, start: Floats) -> tuple[Arrow, Floats, float]:
    """The posterior mode by Newton's method, its information, and the penalised log-likelihood there."""
    yes, answers = fit.outcome.T
    r, place = z.shape[1], fit.cells.place
    own = np.full(fit.cells.covariates.shape[0], np.exp(-2 * log[0]))
    precision = np.concatenate([_precision(fit, log), own])

    def value(at: Floats) -> float:
        score = z @ at[:r] + at[r:][place]
        return float(yes @ score - answers @ np.logaddexp(0.0, score) - precision @ at**2 / 2)

    at, current = start, value(start)
    for _ in range(100):
        p = _logistic(z @ at[:r] + at[r:][place])
        arrow = factor(z, answers * p * (1 - p), place, precision[:r], own)
        left = yes - answers * p
        gradient = np.concatenate([z.T @ left, np.bincount(place, left, own.size)]) - precision * at
        step = np.concatenate(solve(arrow, gradient[:r], gradient[r:]))
        gain = float(gradient @ step)
        if gain < 1e-9:
            break
        size, new = 1.0, value(at + step)
        while new < current and size > 1e-6:
            size /= 2
            new = value(at + size * step)
        at, current = at + size * step, new
    return arrow, at, current


def _logistic(score: Floats) -> Floats:
    from scipy.special import expit

    return np.asarray(expit(score), np.float64)
