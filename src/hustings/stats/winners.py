"""Many variants of one message: what each brings, and how much of the winner's lead is luck.

The variant that did best among many was partly the luckiest. Its shown gain is pulled towards the others by as much
as the variants' differences are no larger than chance.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hustings.errors import DesignError
from hustings.stats.evidence import between_variance

Floats = NDArray[np.float64]

# log(τ² / typical error²) over which the spread of the variants is summed: 0.03 to 3,000 typical errors.
_SPREADS = np.arange(-7.0, 16.01, 0.25)


class Shrunk(NamedTuple):
    """The variants' true means, as a mixture of normals over the spread between variants.

    Attributes:
        weight: (g,) posterior weight of each spread.
        spread: (g,) the spreads: standard deviations between variants.
        centre: (g,) mean of all variants, given the spread.
        centre_error: (g,) its standard deviation.
        pull: (g, k) share of the way to the centre that each variant is pulled.
        mean: (g, k) means, given the spread.
        error: (g, k) standard deviations, given the spread and the centre.
    """

    weight: Floats
    spread: Floats
    centre: Floats
    centre_error: Floats
    pull: Floats
    mean: Floats
    error: Floats


class Contrast(NamedTuple):
    """A weighted sum of the true means: its posterior mean, standard deviation and interval; (r,) each."""

    mean: Floats
    error: Floats
    low: Floats
    high: Floats


def shrink_variants(mean: ArrayLike, std_error: ArrayLike) -> Shrunk:
    """What is believed of the variants' true means after seeing all of them.

    True means are normal around a centre, with a spread τ that the data tell. Before looking, τ is half-Cauchy
    with the scale of a typical error: no difference at all is as likely as any, and large ones are not ruled out.

    Args:
        mean: (k,) mean outcomes, k ≥ 2.
        std_error: (k,) their errors, above 0: steady ones.

    Returns:
        A mixture over τ; `contrast` and `draw_means` read it.

    Raises:
        DesignError: Fewer than two variants, or errors that are not above 0.

    Source: Gelman, Bayesian Analysis 1 (2006), the half-Cauchy for a spread; the centre is integrated as in Gelman
    et al., Bayesian Data Analysis, 3rd ed., eq. 5.21.

    >>> found = shrink_variants([1.0, 1.2, 0.9], [0.2, 0.2, 0.2])
    >>> lead = contrast(found, [[-0.5, 1.0, -0.5]])
    >>> 0 < float(lead.mean[0]) < 0.25
    True
    """
    y, error = np.asarray(mean, np.float64), np.asarray(std_error, np.float64)
    if y.ndim != 1 or y.shape != error.shape or len(y) < 2:
        raise DesignError.of(
            "Variants do not fit", received=f"{y.shape}, {error.shape}", allowed="(k,), k ≥ 2"
        )
    if not (np.isfinite(y).all() and np.isfinite(error).all() and (error > 0).all()):
        raise DesignError.of("Means are finite, and their errors above 0")
    v = error**2
    typical = 1 / np.mean(1 / v)
    tau2 = typical * np.exp(_SPREADS)
    total = v + tau2[:, None]
    w = 1 / total
    centre = (w @ y) / w.sum(1)
    log = (
        -0.5 * np.log(total).sum(1)
        - 0.5 * np.log(w.sum(1))
        - 0.5 * (w * (y - centre[:, None]) ** 2).sum(1)
        + _SPREADS / 2
        - np.logaddexp(0.0, _SPREADS)
    )
    weight = np.exp(log - log.max())
    pull = v * w
    return Shrunk(
        weight / weight.sum(),
        np.sqrt(tau2),
        centre,
        1 / np.sqrt(w.sum(1)),
        pull,
        pull * centre[:, None] + (1 - pull) * y,
        np.sqrt(v * (1 - pull)),
    )


def empirical_bayes(mean: ArrayLike, std_error: ArrayLike) -> Floats:
    """The variants' means pulled to their centre by the spread that is likeliest.

    m_i* = c + τ² / (τ² + σ_i²) (m_i - c), with τ² by restricted maximum likelihood and c the weighted mean. Where the
    variants differ by no more than chance, all are the same. Of winners' leads this point is the least wrong over
    all spreads that were tried, nearer than the mean of `shrink_variants`, whose intervals hold the truth.

    Args:
        mean: (k,) mean outcomes, k ≥ 2.
        std_error: (k,) their errors, above 0: steady ones.

    Returns:
        (k,) means.

    Raises:
        DesignError: Fewer than two variants, or errors that are not above 0.

    Source: Efron & Morris, JASA 70 (1975); Morris, JASA 78 (1983).

    >>> empirical_bayes([1.0, 1.2, 0.9], [0.2, 0.2, 0.2]).round(3).tolist()
    [1.033, 1.033, 1.033]
    """
    y, v = np.asarray(mean, np.float64), np.asarray(std_error, np.float64) ** 2
    tau2 = between_variance(y, np.sqrt(v))
    w = 1 / (v + tau2)
    centre = w @ y / w.sum()
    return np.asarray(centre + tau2 * w * (y - centre), np.float64)


def contrast(shrunk: Shrunk, weights: ArrayLike, *, confidence: float = 0.95) -> Contrast:
    """Weighted sums of the true means, with their posterior intervals.

    Args:
        shrunk: From `shrink_variants`.
        weights: (r, k), one row for each sum: 1 and -1 for a difference.
        confidence: Of the interval: equal tails of the mixture.

    Returns:
        One entry per row.

    >>> same = contrast(shrink_variants([1.0, 1.0], [0.1, 0.1]), [[1, -1]])
    >>> abs(float(same.mean[0])) < 1e-12, float(same.low[0]) < 0 < float(same.high[0])
    (True, True)
    """
    rows = np.atleast_2d(np.asarray(weights, np.float64))
    mean = shrunk.mean @ rows.T
    common = (shrunk.pull @ rows.T) * shrunk.centre_error[:, None]
    variance = shrunk.error**2 @ (rows**2).T + common**2
    centre = shrunk.weight @ mean
    total = shrunk.weight @ (variance + mean**2) - centre**2
    error = np.sqrt(np.maximum(variance, 1e-300))
    tail = (1 - confidence) / 2
    low, high = (_quantile(shrunk.weight, mean, error, share) for share in (tail, 1 - tail))
    return Contrast(centre, np.sqrt(np.maximum(total, 0.0)), low, high)


def draw_means(shrunk: Shrunk, n_draws: int, rng: np.random.Generator) -> Floats:
    """Draws of the variants' true means.

    Args:
        shrunk: From `shrink_variants`.
        n_draws: How many.
        rng: Seeded.

    Returns:
        (n_draws, k).

    >>> draw_means(shrink_variants([1.0, 2.0], [0.1, 0.1]), 5, np.random.default_rng(1)).shape
    (5, 2)
    """
    each = rng.multinomial(n_draws, shrunk.weight)
    of = np.repeat(np.arange(len(each)), each)
    centre = shrunk.centre_error[of] * rng.standard_normal(n_draws)
    noise = rng.standard_normal((n_draws, shrunk.mean.shape[1]))
    noise *= shrunk.error[of]
    noise += shrunk.mean[of]
    noise += shrunk.pull[of] * centre[:, None]
    return noise


def _quantile(weight: Floats, mean: Floats, error: Floats, share: float) -> Floats:
    """Quantiles of mixtures of normals, by bisection; columns are mixtures."""
    from scipy.special import ndtr

    low, high = (mean - 12 * error).min(0), (mean + 12 * error).max(0)
    for _ in range(60):
        middle = (low + high) / 2
        below = weight @ ndtr((middle - mean) / error) < share
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return np.asarray((low + high) / 2, np.float64)
