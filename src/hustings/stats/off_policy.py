"""Logged choices with their probabilities ─► what another way of choosing would have brought, or why that is not known.

For send i with context x, item a, its logged probability p(a | x), response r, and the other way's probability
q(a | x), the weight is w = q / p. With a model m of the response, m_q the mean of m over the items as q would choose:

    doubly robust     mean of  m_q + w (r - m)
    self-normalised   sum(w r) / sum(w)

The first is right when either the probabilities or the model are; the second needs the probabilities alone. Sends to
one recipient are one cluster. What the log cannot tell is refused with its reason: probabilities that are missing or
0, weights that do not average 1 (the other way chooses what the log never did), too few effective sends.

Sources: Dudík, Langford & Li, ICML 2011; Swaminathan & Joachims, NeurIPS 2015 (self-normalised); Kong, University of
Chicago TR 348 (1992; effective size).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hustings.errors import DesignError
from hustings.stats.clusters import cluster_codes, cluster_sums, t_quantile

Floats = NDArray[np.float64]


class Value(NamedTuple):
    """What one way of choosing would have brought a send.

    Attributes:
        estimate: In the response's unit; NaN where refused.
        std_error: Clustered by recipient.
        low: Lower end of the interval.
        high: Upper end.
        influence: (G,) each recipient's part in the error, for comparing two ways on one log.
    """

    estimate: float
    std_error: float
    low: float
    high: float
    influence: Floats


class OffPolicy(NamedTuple):
    """The value of a way of choosing, from a log of another.

    Attributes:
        robust: Doubly robust.
        weighted: By self-normalised weights alone.
        n: Sends in the log.
        n_recipients: Recipients: the independent units.
        n_effective: Recipients that count: (sum W)² / sum W², W a recipient's sum of weights.
        mean_weight: 1 where the log could have chosen all that the other way does.
        largest_share: Of one recipient in all weight.
        reason: Why there is no value, or None.
    """

    robust: Value
    weighted: Value
    n: int
    n_recipients: int
    n_effective: float
    mean_weight: float
    largest_share: float
    reason: str | None


def evaluate_policy(
    response: ArrayLike,
    logged: ArrayLike,
    wanted: ArrayLike,
    recipient: ArrayLike,
    *,
    model_logged: ArrayLike | None = None,
    model_wanted: ArrayLike | None = None,
    fewest: float = 100.0,
    largest_gap: float = 0.1,
    confidence: float = 0.95,
) -> OffPolicy:
    """What another way of choosing would have brought, from a log that recorded its probabilities.

    Args:
        response: (n,) what came of each send.
        logged: (n,) probability with which the log chose the item that it sent, in (0, 1].
        wanted: (n,) probability with which the other way would choose that item there, 0 to 1.
        recipient: (n,) integer labels.
        model_logged: (n,) the response expected of the item that was sent, learned without the recipient; 0 unless
            given.
        model_wanted: (n,) the response expected of what the other way would send; 0 unless given.
        fewest: Effective recipients below which nothing is told.
        largest_gap: The mean weight may be this far from 1, plus three standard errors.
        confidence: Coverage of the intervals.

    Returns:
        Both estimates; NaN with a reason where the log cannot tell.

    Raises:
        DesignError: Shapes do not fit, or only one of the two models is given.

    >>> log = evaluate_policy([1, 0, 1, 0], [0.5] * 4, [1, 0, 1, 0], [1, 2, 3, 4], fewest=2)
    >>> log.robust.estimate, log.weighted.estimate, log.n_effective
    (1.0, 1.0, 2.0)
    """
    r, p, q = (np.asarray(v, np.float64) for v in (response, logged, wanted))
    if (model_logged is None) != (model_wanted is None):
        raise DesignError.of("One model of the response is missing", allowed="both, or neither")
    m = np.zeros(r.size) if model_logged is None else np.asarray(model_logged, np.float64)
    mq = np.zeros(r.size) if model_wanted is None else np.asarray(model_wanted, np.float64)
    if r.ndim != 1 or any(v.shape != r.shape for v in (p, q, m, mq)):
        raise DesignError.of("The log does not fit", received=[v.shape for v in (r, p, q, m, mq)])
    codes, groups = cluster_codes(np.asarray(recipient), r.size)
    why = _unusable(r, p, q, m, mq)
    if why:
        return _refused(r.size, groups, why)
    w = q / p
    sums = cluster_sums(w, codes, groups)
    total = float(sums.sum())
    effective = total**2 / float(sums @ sums) if total > 0 else 0.0
    told = r.size, groups, effective, float(w.mean()), float(sums.max() / total) if total > 0 else 0.0
    why = _too_thin(w, codes, groups, effective, fewest, largest_gap)
    if why:
        nothing = _nothing(groups)
        return OffPolicy(nothing, nothing, *told, why)
    robust = _mean(mq + w * (r - m), codes, groups, confidence)
    share = float(w @ r) / total
    part = cluster_sums(w * (r - share), codes, groups) / total
    return OffPolicy(robust, _value(share, part, effective, confidence), *told, None)


def policy_difference(a: Value, b: Value, *, confidence: float = 0.95) -> tuple[float, float, float]:
    """How much more one way brings than another on the same log: estimate, low, high, paired by recipient.

    Args:
        a: One way's value.
        b: Another's, on the same log.
        confidence: Coverage.

    Returns:
        NaN where either was refused.

    Raises:
        DesignError: The logs differ.

    >>> one = evaluate_policy([1, 0, 1, 0], [0.5] * 4, [1, 0, 1, 0], [1, 2, 3, 4], fewest=2).robust
    >>> policy_difference(one, one)
    (0.0, 0.0, 0.0)
    """
    if a.influence.shape != b.influence.shape:
        raise DesignError.of(
            "Two ways were not valued on one log", received=(a.influence.size, b.influence.size)
        )
    if not (np.isfinite(a.estimate) and np.isfinite(b.estimate)):
        return np.nan, np.nan, np.nan
    found = _value(a.estimate - b.estimate, a.influence - b.influence, a.influence.size, confidence)
    return found.estimate, found.low, found.high


def _unusable(r: Floats, p: Floats, q: Floats, m: Floats, mq: Floats) -> str | None:
    missing, zero = int(np.isnan(p).sum()), int((p <= 0).sum())
    lost = int((~np.isfinite(r)).sum())
    reasons = {
        "the log is empty": not r.size,
        f"{missing:,} of {p.size:,} sends have no probability in the log": missing > 0,
        f"{zero:,} of {p.size:,} sends have a probability of 0: what was sent cannot have been impossible": zero
        > 0,
        "a logged probability is above 1": bool((p > 1 + 1e-9).any()),
        "a probability of the way to be valued is missing or not between 0 and 1": not bool(
            np.isfinite(q).all() and (q >= 0).all() and (q <= 1 + 1e-9).all()
        ),
        f"the response of {lost:,} of {r.size:,} sends is missing or infinite": lost > 0,
        "the model of the response has missing numbers": not bool(
            np.isfinite(m).all() and np.isfinite(mq).all()
        ),
    }
    return next((reason for reason, holds in reasons.items() if holds), None)


def _too_thin(
    w: Floats, codes: NDArray[np.int64], groups: int, effective: float, fewest: float, gap: float
) -> str | None:
    if not w.any():
        return "no overlap: the log never sent what this way would send"
    if effective < max(fewest, 2.0):
        return f"{effective:,.0f} effective recipients, fewer than {fewest:,.0f}: too few agree with the log"
    part = cluster_sums(w - w.mean(), codes, groups) / w.size
    error = float(np.sqrt(part @ part))
    if abs(w.mean() - 1) > gap + 3 * error:
        return (
            f"the weights average {w.mean():.2f} and not 1: this way sends what the log could not, or the logged "
            "probabilities are wrong"
        )
    return None


def _mean(values: Floats, codes: NDArray[np.int64], groups: int, confidence: float) -> Value:
    estimate = float(values.mean())
    return _value(estimate, cluster_sums(values - estimate, codes, groups) / values.size, groups, confidence)


def _value(estimate: float, part: Floats, units: float, confidence: float) -> Value:
    groups = part.size
    error = float(np.sqrt(part @ part * groups / max(groups - 1, 1)))
    half = t_quantile(confidence, max(min(units, groups) - 1, 1)) * error
    return Value(estimate, error, estimate - half, estimate + half, part)


def _nothing(groups: int) -> Value:
    return Value(np.nan, np.nan, np.nan, np.nan, np.zeros(groups))


def _refused(n: int, groups: int, why: str) -> OffPolicy:
    return OffPolicy(_nothing(groups), _nothing(groups), n, groups, 0.0, np.nan, np.nan, why)
