"""What a way of choosing households is worth, judged by outcomes and never by the model that chose.

Each household of a trial has a reading: the sum over its people of the doubly robust (or weighted) reading of
the action that the rule would take there. The mean over the chosen households, times the number of pieces to
be sent, is the rule's value. Two rules at one budget are compared household by household.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hustings.errors import DesignError
from hustings.stats.clusters import t_quantile

Floats = NDArray[np.float64]


class RuleValue(NamedTuple):
    """The value of sending so many pieces by one rule.

    Attributes:
        estimate: Expected gain of all pieces together, in the outcome's unit.
        std_error: Its standard error; households are the independent units.
        low: Lower end of the interval.
        high: Upper end.
        n_chosen: Households of the trial that the rule chooses: what the value rests on.
        influence: (h,) each household's part in the error, for comparing rules.
        reason: Why there is no value, or None.
    """

    estimate: float
    std_error: float
    low: float
    high: float
    n_chosen: int
    influence: Floats
    reason: str | None


def rule_value(
    reading: ArrayLike, chosen: ArrayLike, pieces: float, *, confidence: float = 0.95
) -> RuleValue:
    """The value of a rule: pieces × mean reading of the households it chooses.

    Its error is that of a mean over households, sum_h ((pieces / n) (r_h - mean))² n / (n - 1) over the n
    chosen ones; a choice made without the household's own outcome needs no other correction.

    Args:
        reading: (h,) each household's reading of what the rule would do there, summed over its people.
        chosen: (h,) whether the rule would do it.
        pieces: How many households are to be reached.
        confidence: Coverage of the interval.

    Returns:
        The value; NaN and a reason when fewer than two households are chosen.

    Raises:
        DesignError: Shapes that do not fit, a reading that is not finite, negative pieces.

    Source: Athey & Wager, Econometrica 89 (2021), section 2; Horvitz & Thompson, JASA 47 (1952).

    >>> value = rule_value([1.0, 3.0, 9.0], [True, True, False], 10)
    >>> value.estimate, round(value.std_error, 3)
    (20.0, 10.0)
    """
    r, mask = _pair(reading, chosen)
    if not pieces >= 0:
        raise DesignError.of("No such number of pieces", received=pieces, allowed="0 or more")
    n = int(mask.sum())
    influence = np.zeros(r.size)
    if n < 2:
        why = "it chooses nobody in the test" if n == 0 else "it chooses one household of the test only"
        return RuleValue(np.nan, np.nan, np.nan, np.nan, n, influence, why)
    mean = r[mask].mean()
    influence[mask] = pieces / n * (r[mask] - mean) * np.sqrt(n / (n - 1))
    error = float(np.sqrt(influence @ influence))
    half = t_quantile(confidence, n - 1) * error
    estimate = float(pieces * mean)
    return RuleValue(estimate, error, estimate - half, estimate + half, n, influence, None)


def advantage(a: RuleValue, b: RuleValue, *, confidence: float = 0.95) -> tuple[float, float, float]:
    """How much more one rule is worth than another on the same households: estimate, low, high.

    The influences are subtracted household by household, so that what both choose cancels.

    Args:
        a: A rule's value.
        b: Another's, on the same households.
        confidence: Coverage of the interval.

    Returns:
        The difference and its interval; NaN when either has no value.

    >>> one = rule_value([1.0, 3.0, 9.0], [True, True, False], 10)
    >>> advantage(one, one)
    (0.0, 0.0, 0.0)
    """
    if a.reason or b.reason:
        return np.nan, np.nan, np.nan
    difference = a.influence - b.influence
    error = float(np.sqrt(difference @ difference))
    half = t_quantile(confidence, max(min(a.n_chosen, b.n_chosen) - 1, 1)) * error
    estimate = a.estimate - b.estimate
    return estimate, estimate - half, estimate + half


def _pair(reading: ArrayLike, chosen: ArrayLike) -> tuple[Floats, NDArray[np.bool_]]:
    r, mask = np.asarray(reading, np.float64), np.asarray(chosen, bool)
    if r.ndim != 1 or r.shape != mask.shape:
        raise DesignError.of(
            "Readings and choices do not fit", received=f"{r.shape}, {mask.shape}", allowed="(h,) each"
        )
    if not np.isfinite(r[mask]).all():
        raise DesignError.of("A chosen household has no reading", received=int(np.sum(~np.isfinite(r[mask]))))
    return r, mask
