"""What a ranking of people is worth, by readings that do not depend on the model that ranked."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from hustings.errors import DesignError
from hustings.stats.climb import clustered, rank_shares
from hustings.stats.clusters import Floats, Integers, cluster_codes, t_quantile

# The budgets at which a ranking is shown: shares of the population that are treated.
SHARES = (0.1, 0.2, 0.5)


class Estimate(NamedTuple):
    """A number with its clustered standard error and its interval."""

    value: float
    std_error: float
    low: float
    high: float


class Ranking(NamedTuple):
    """How a ranking does.

    Attributes:
        qini: Area between the gain curve and the straight line to treating everyone, per person.
        auuc: Area under the gain curve, per person: what treating in this order gains, averaged over all budgets.
        gains: At 10, 20 and 50 % treated, the gain per person of the population.
        beyond: The same, less what a random choice of as many would gain.
        per_cost: The gain per unit of cost at the same shares; NaN without costs.
        calibration: For each bin of predicted effects, the mean prediction and the mean reading.
    """

    qini: Estimate
    auuc: Estimate
    gains: tuple[Estimate, ...]
    beyond: tuple[Estimate, ...]
    per_cost: tuple[Estimate, ...]
    calibration: tuple[tuple[float, Estimate], ...]


def evaluate_ranking(
    effect: ArrayLike,
    reading: ArrayLike,
    cluster: ArrayLike,
    *,
    cost: float | None = None,
    bins: int = 10,
    confidence: float = 0.95,
) -> Ranking:
    """Qini, AUUC, gains at budgets, value per cost and calibration, each with its interval.

    Everything is a mean of weights × readings, with weights that depend on ranks only: 1/2 - r for the Qini area,
    1 - r for the AUUC, 1{r <= s} for the gain of treating a share s.

    Args:
        effect: (n,) predicted effects, made without the person's own outcome.
        reading: (n,) doubly robust readings of the effect.
        cluster: (n,) integer codes of units that are drawn or live together.
        cost: Cost of treating one person, above 0; None for no value per cost.
        bins: Bins of equal numbers of people for the calibration.
        confidence: Coverage of the intervals.

    Returns:
        The evaluation.

    Raises:
        DesignError: Shapes that do not fit, numbers that are not finite, a cost of 0 or less, one cluster.

    Source: Radcliffe, Direct Marketing Analytics Journal (2007); Yadlowsky et al., JASA 120 (2025), section 2.

    >>> found = evaluate_ranking([4.0, 3, 2, 1], [2.0, 0, 0, 0], range(4), bins=2)
    >>> round(found.qini.value, 4), found.gains[2].value
    (0.1875, 0.5)
    """
    tau, gamma = np.asarray(effect, np.float64), np.asarray(reading, np.float64)
    if tau.ndim != 1 or tau.shape != gamma.shape or not (np.isfinite(tau).all() and np.isfinite(gamma).all()):
        raise DesignError.of(
            "Effects and readings do not fit", received=(tau.shape, gamma.shape), allowed="(n,), finite"
        )
    if cost is not None and not cost > 0:
        raise DesignError.of("A cost is an amount", received=cost, allowed="above 0")
    codes, n_clusters = cluster_codes(cluster, len(tau))
    if n_clusters < 2:
        raise DesignError.of(
            "No error can be computed", received=f"{n_clusters} cluster", allowed="two or more"
        )
    quantile = t_quantile(confidence, n_clusters - 1)
    rank, n = rank_shares(tau).astype(np.float64), len(tau)

    def of(weights: Floats) -> Estimate:
        return _estimate(weights * gamma / n, codes, quantile)

    treated = [(rank <= share).astype(np.float64) for share in SHARES]
    gains = tuple(of(chosen) for chosen in treated)
    beyond = tuple(of(chosen - chosen.mean()) for chosen in treated)
    per_cost = tuple(
        Estimate(np.nan, np.nan, np.nan, np.nan)
        if cost is None or not chosen.any()
        else Estimate(*(part / (cost * chosen.mean()) for part in gain))
        for gain, chosen in zip(gains, treated, strict=True)
    )
    return Ranking(
        of(0.5 - rank), of(1 - rank), gains, beyond, per_cost, _calibration(tau, gamma, codes, bins, quantile)
    )


def _estimate(influence: Floats, codes: Integers, quantile: float) -> Estimate:
    value, error = clustered(influence, codes)
    return Estimate(value, error, value - quantile * error, value + quantile * error)


def _calibration(
    tau: Floats, gamma: Floats, codes: Integers, bins: int, quantile: float
) -> tuple[tuple[float, Estimate], ...]:
    order = np.argsort(tau, kind="stable")
    found = []
    for rows in np.array_split(order, bins):
        if len(rows) < 2:
            continue
        mean = float(gamma[rows].mean())
        _, error = clustered((gamma[rows] - mean) / len(rows), codes[rows])
        found.append(
            (float(tau[rows].mean()), Estimate(mean, error, mean - quantile * error, mean + quantile * error))
        )
    return tuple(found)
