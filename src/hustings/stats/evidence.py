"""Several measurements of one kind of thing: pooled, and weighed against what was known before.

Effects differ between tests by more than chance: each test's own effect is drawn around a mean, with a spread
between tests, and is then measured with an error. Pooling estimates the mean and the spread; updating starts them
from a prior.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hustings.errors import DesignError
from hustings.stats.clusters import t_quantile

Floats = NDArray[np.float64]

# Before looking, the stated spread is right to within a factor of 2 (one standard deviation of its logarithm).
SPREAD_FACTOR = 2.0
# Half of the variance between tests is taken to be shared by all tests of one campaign: same people, same election.
SHARED = 0.5
_STEPS, _ROUNDS = 41, 200


class Pooled(NamedTuple):
    """A random-effects meta-analysis.

    Attributes:
        mean: Mean of the effects' distribution.
        std_error: Its standard error.
        low: Lower end of its interval.
        high: Upper end.
        spread: Standard deviation of true effects between tests.
        heterogeneity: Share of the variance of estimates that is no chance (I²).
        q: Cochran's Q.
        new_low: Lower end of the interval for the true effect in a new test; NaN with fewer than 3 tests.
        new_high: Upper end.
    """

    mean: float
    std_error: float
    low: float
    high: float
    spread: float
    heterogeneity: float
    q: float
    new_low: float
    new_high: float


class Updated(NamedTuple):
    """A prior after the tests.

    Attributes:
        mean: Mean effect of this kind of action in this campaign.
        std_error: Its posterior standard deviation.
        spread: Posterior mean of the standard deviation between tests.
        effect: (k,) effect of each tested action.
        effect_error: (k,) their posterior standard deviations.
        weight: (k,) weight of all own tests in each effect; the prior has the rest.
        new_error: Posterior standard deviation, around `mean`, of the effect in a new test of this campaign.
        new_weight: Weight of all own tests in `mean`.
    """

    mean: float
    std_error: float
    spread: float
    effect: Floats
    effect_error: Floats
    weight: Floats
    new_error: float
    new_weight: float


def between_variance(
    estimate: ArrayLike, std_error: ArrayLike, *, method: Literal["reml", "dl"] = "reml"
) -> float:
    """The variance of true effects between tests.

    Args:
        estimate: (k,) estimates, k ≥ 2.
        std_error: (k,) their standard errors, above 0.
        method: `reml` by Fisher scoring, or `dl`, the moment estimator of DerSimonian & Laird.

    Returns:
        τ², at least 0.

    Raises:
        DesignError: Fewer than two estimates, other shapes, or errors that are not above 0.

    Source: DerSimonian & Laird, Controlled Clinical Trials 7 (1986); Viechtbauer, J. Educational and Behavioral
    Statistics 30 (2005), REML by Fisher scoring.

    >>> round(between_variance([0.0, 1.0], [0.1, 0.1], method="dl"), 3)
    0.49
    """
    y, v = _checked(estimate, std_error)
    w = 1 / v
    mean = w @ y / w.sum()
    q = float(w @ (y - mean) ** 2)
    tau2 = max(0.0, (q - (len(y) - 1)) / (w.sum() - w @ w / w.sum()))
    if method == "dl":
        return float(tau2)
    for _ in range(_ROUNDS):
        w = 1 / (v + tau2)
        one, two, three = w.sum(), w @ w, (w**3).sum()
        mean = w @ y / one
        score = (w**2) @ (y - mean) ** 2 - (one - two / one)
        step = score / (two - 2 * three / one + (two / one) ** 2)
        new = max(0.0, tau2 + step)
        if abs(new - tau2) < 1e-12 * (1 + tau2) + 1e-10 * v.min():
            return float(new)
        tau2 = new
    return float(tau2)


def random_effects(
    estimate: ArrayLike,
    std_error: ArrayLike,
    *,
    method: Literal["reml", "dl"] = "reml",
    hartung_knapp: bool = True,
    confidence: float = 0.95,
) -> Pooled:
    """The mean effect over tests, the spread between them, and what a new test would find.

    Args:
        estimate: (k,) estimates, k ≥ 2.
        std_error: (k,) their standard errors, above 0.
        method: How the variance between tests is estimated.
        hartung_knapp: Error by the weighted residuals with t(k - 1), which covers where k is small; else the
            normal interval. The factor is never let below 1.
        confidence: Coverage of the intervals.

    Returns:
        The pooled effect; the new effect's interval with t(k - 2).

    Raises:
        DesignError: Fewer than two estimates, other shapes, or errors that are not above 0.

    Source: Hartung & Knapp, Statistics in Medicine 20 (2001); Röver, Knapp & Friede, BMC Medical Research
    Methodology 15 (2015), the factor held at 1; Higgins, Thompson & Spiegelhalter, JRSS A 172 (2009), eq. 12.

    >>> found = random_effects([0.02, 0.04, 0.03], [0.01, 0.01, 0.01])
    >>> round(found.mean, 3), round(found.spread, 3)
    (0.03, 0.0)
    """
    y, v = _checked(estimate, std_error)
    k = len(y)
    tau2 = between_variance(y, np.sqrt(v), method=method)
    fixed, w = 1 / v, 1 / (v + tau2)
    mean = float(w @ y / w.sum())
    error = float(1 / np.sqrt(w.sum()))
    reach = t_quantile(confidence, 1e9)
    if hartung_knapp:
        error *= float(np.sqrt(max(1.0, float(w @ (y - mean) ** 2) / (k - 1))))
        reach = t_quantile(confidence, k - 1)
    q = float(fixed @ (y - fixed @ y / fixed.sum()) ** 2)
    typical = (k - 1) * fixed.sum() / (fixed.sum() ** 2 - fixed @ fixed)
    away = t_quantile(confidence, k - 2) * np.sqrt(tau2 + error**2) if k > 2 else np.nan
    return Pooled(
        mean,
        error,
        mean - reach * error,
        mean + reach * error,
        float(np.sqrt(tau2)),
        float(tau2 / (tau2 + typical)),
        q,
        float(mean - away),
        float(mean + away),
    )


def shared_control(std_error: ArrayLike, n_control: ArrayLike, n_arm: ArrayLike, test: ArrayLike) -> Floats:
    """The covariance of estimates, where arms of one test are read against one control.

    The control's part of an error is n_arm / (n_arm + n_control) of its variance, when the outcome varies alike in
    both.

    Args:
        std_error: (k,) standard errors of differences to control.
        n_control: (k,) people in control.
        n_arm: (k,) people in the arm.
        test: (k,) integer codes of the tests.

    Returns:
        (k, k) covariance.

    >>> shared_control([1.0, 1.0], [10, 10], [10, 10], [0, 0]).round(9).tolist()
    [[1.0, 0.5], [0.5, 1.0]]
    """
    error = np.asarray(std_error, np.float64)
    control, arm = np.asarray(n_control, np.float64), np.asarray(n_arm, np.float64)
    part = error * np.sqrt(arm / (arm + control))
    tests = np.asarray(test)
    same = tests[:, None] == tests[None, :]
    covariance = np.where(same, np.outer(part, part), 0.0)
    np.fill_diagonal(covariance, error**2)
    return covariance


def update_prior(prior: tuple[float, float, float], estimate: ArrayLike, covariance: ArrayLike) -> Updated:
    """What is believed of an action after own tests.

    With m ± s the mean of such actions everywhere and τ the spread between tests, half of whose variance is between
    campaigns and half between the tests of one:

        μ ~ N(m, s² + τ²/2) in this campaign,   θ_a ~ N(μ, τ²/2),   y ~ N(θ, V)

    τ is log-normal by a factor of 2 with the root mean square that is stated: without own tests the effect in a new
    test is m, with variance s² + spread². θ and μ are normal for a given τ, which is summed over a grid.

    Args:
        prior: m, s and the spread, in the outcome's unit; s and the spread above 0.
        estimate: (k,) own estimates; none will do.
        covariance: (k, k) of the estimates.

    Returns:
        Posterior means and standard deviations.

    Raises:
        DesignError: A prior without error or spread, or shapes that do not fit.

    Source: Lindley & Smith, JRSS B 34 (1972); Gelman et al., Bayesian Data Analysis, 3rd ed., section 5.4.

    >>> found = update_prior((0.0, 1.0, 1.0), [2.0], [[1e-9]])
    >>> round(float(found.effect[0]), 2), round(float(found.weight[0]), 2), 0.5 < found.mean < 2.0
    (2.0, 1.0, True)
    """
    m, s, spread = prior
    y, v = np.asarray(estimate, np.float64), np.asarray(covariance, np.float64)
    if not (np.isfinite(m) and s > 0 and spread > 0):
        raise DesignError.of("A prior has a mean, an error and a spread above 0", received=prior)
    if y.ndim != 1 or v.size != len(y) ** 2:
        raise DesignError.of("Estimates and their covariance do not fit", received=f"{y.shape}, {v.shape}")
    if not (np.isfinite(y).all() and np.isfinite(v).all()):
        raise DesignError.of("An estimate or its covariance is not a finite number")
    v = v.reshape(len(y), len(y))
    z = np.linspace(-4.5, 4.5, _STEPS)
    taus = spread * SPREAD_FACTOR ** (z - np.log(SPREAD_FACTOR))
    parts = [_given_spread(m, s**2, tau**2, y, v) for tau in taus]
    log = np.array([part[0] for part in parts]) - z**2 / 2
    weight = np.exp(log - log.max())
    weight /= weight.sum()
    mean, variance, effect, effect_variance, gain, new_gain = (
        np.array([part[i] for part in parts]) for i in range(1, 7)
    )
    centre, centre_variance = _mixed(weight, mean, variance)
    _, new_variance = _mixed(weight, mean, variance + (1 - SHARED) * taus**2)
    each, each_variance = _mixed(weight, effect, effect_variance)
    return Updated(
        float(centre),
        float(np.sqrt(centre_variance)),
        float(weight @ taus),
        each,
        np.sqrt(each_variance),
        weight @ gain,
        float(np.sqrt(new_variance)),
        float(weight @ new_gain),
    )


def per_assignment(
    per_contact: float, std_error: float, contact_rate: float, rate_error: float = 0.0
) -> tuple[float, float]:
    """An effect on the contacted as an effect on everyone assigned, with its error.

    Args:
        per_contact: Effect on a person who is reached.
        std_error: Its standard error.
        contact_rate: Share of the assigned who are reached, above 0 and at most 1.
        rate_error: The rate's standard error.

    Returns:
        Effect and error per person assigned: the product, by the delta method.

    Raises:
        DesignError: A rate outside (0, 1].

    Source: Angrist, Imbens & Rubin, JASA 91 (1996): the effect of assignment is that on the contacted times the
    contact rate, when assignment works through contact alone.

    >>> per_assignment(0.0702, 0.04, 0.627)[0].__round__(3)
    0.044
    """
    if not 0 < contact_rate <= 1:
        raise DesignError.of("A contact rate", received=contact_rate, allowed="above 0 and at most 1")
    error = np.hypot(contact_rate * std_error, per_contact * rate_error)
    return per_contact * contact_rate, float(error)


def _checked(estimate: ArrayLike, std_error: ArrayLike) -> tuple[Floats, Floats]:
    y, error = np.asarray(estimate, np.float64), np.asarray(std_error, np.float64)
    if y.ndim != 1 or y.shape != error.shape or len(y) < 2:
        raise DesignError.of(
            "Too little to pool", received=f"{y.shape}, {error.shape}", allowed="(k,), k ≥ 2"
        )
    if not (np.isfinite(y).all() and np.isfinite(error).all() and (error > 0).all()):
        raise DesignError.of("Estimates are finite, and their errors above 0")
    return y, error**2


def _given_spread(
    m: float, s2: float, tau2: float, y: Floats, v: Floats
) -> tuple[float, float, float, Floats, Floats, Floats, float]:
    """Log-likelihood, and mean, variance and weights of the tests, of μ and of θ, for one spread."""
    common = s2 + SHARED * tau2
    if not len(y):
        none = np.empty(0)
        return 0.0, m, common, none, none, none, 0.0
    prior = common + (1 - SHARED) * tau2 * np.eye(len(y))
    total = prior + v
    inverse = np.linalg.inv(total)
    apart = inverse @ (y - m)
    log = -0.5 * float((y - m) @ apart) - 0.5 * float(np.linalg.slogdet(total)[1])
    gain = prior @ inverse
    variance = np.diag(prior - gain @ prior)
    share = common * float(inverse.sum())
    return (
        log,
        m + common * float(apart.sum()),
        common * (1 - share),
        m + prior @ apart,
        np.maximum(variance, 0.0),
        gain.sum(1),
        share,
    )


def _mixed(weight: Floats, mean: Floats, variance: Floats) -> tuple[Floats, Floats]:
    """Mean and variance of a mixture along the first axis."""
    centre = weight @ mean
    return centre, np.maximum(weight @ (variance + mean**2) - centre**2, 0.0)
