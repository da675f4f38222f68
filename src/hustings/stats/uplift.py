"""What an action changes for each person, and what choosing by it is worth.

A learner turns a trial into a model of effects. Scores (unbiased single-person readings of each arm), policy
values and the Qini area judge a choice or a ranking by outcomes, never by the model that made it; scores and
policy values live in `allocation` and are named here too.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple, Protocol, Self

import numpy as np
from numpy.typing import ArrayLike

from hustings.errors import DesignError
from hustings.stats.allocation import Value, aipw_scores, ipw_scores, policy_difference, policy_value
from hustings.stats.clusters import Floats, Integers, arm_codes, cluster_codes, cluster_sums, t_quantile
from hustings.stats.logistic import Logistic, blocks, fit_logistic, standardise

__all__ = [
    "SPREAD", "EffectModel", "Effects", "InteractionModel", "Learner", "Prediction", "Qini", "Value",
    "aipw_scores", "fit_effects", "interaction_learner", "ipw_scores", "policy_difference", "policy_value",
    "qini",
]  # fmt: skip

# How far apart people's effects are expected to be before looking, as a standard deviation in log-odds: the
# size of a typical whole effect of a contact (five points at even chances).
SPREAD = 0.2


class Prediction(NamedTuple):
    """Expected outcome under each arm (n, n_arms), effects and their errors (n, n_arms - 1), as shares."""

    mean: Floats
    effect: Floats
    std_error: Floats


class EffectModel(Protocol):
    """A fitted model of effects."""

    def predict(self, X: ArrayLike) -> Prediction:
        """Outcomes, effects and errors for these people."""
        ...

    def to_json(self) -> str:
        """The model as text."""
        ...


class Learner(Protocol):
    """Turns a trial into a model of effects; `fit_effects` cross-fits whichever it is given."""

    def __call__(
        self, X: Floats, y: Floats, arm: Integers, cluster: Integers, *, n_arms: int, control: int
    ) -> EffectModel:
        """The model fitted on these people."""
        ...


@dataclass(frozen=True)
class InteractionModel:
    """One logistic regression per arm on a shared scale, with joint covariances of control and each arm.

    `fits` is in arm-code order; `covariances` has one (2 q, 2 q) array per arm other than control.
    """

    fits: tuple[Logistic, ...]
    covariances: tuple[Floats, ...]
    control: int

    def predict(self, X: ArrayLike) -> Prediction:
        """Outcomes, effects (differences of probabilities) and delta-method errors.

        Args:
            X: (n, p) numbers, NaN where missing.

        Returns:
            The prediction, arms other than control in code order.

        Raises:
            DesignError: Another number of columns than the fit had, or infinite values.
        """
        from scipy.special import expit

        x = np.asarray(X)
        weights = np.column_stack([fit.coefficients for fit in self.fits])
        others = [code for code in range(len(self.fits)) if code != self.control]
        mean = np.empty((x.shape[0], len(self.fits)))
        variance = np.empty((x.shape[0], len(others)))
        start = 0
        for block in blocks(x):
            z = self.fits[0].design(block)
            rows = slice(start, start := start + len(block))
            p = mean[rows] = expit(z @ weights)
            for k, code in enumerate(others):
                slopes = p[:, [self.control, code]] * (1 - p[:, [self.control, code]])
                variance[rows, k] = _variance(z, slopes, self.covariances[k])
        effect = mean[:, others] - mean[:, [self.control]]
        return Prediction(mean, effect, np.sqrt(np.maximum(variance, 0.0)))

    def to_json(self) -> str:
        """The model as JSON text, exact to the last bit."""
        fits = [json.loads(fit.to_json()) for fit in self.fits]
        covariances = [covariance.tolist() for covariance in self.covariances]
        return json.dumps({"fits": fits, "covariances": covariances, "control": self.control})

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The model that `to_json` wrote."""
        read = json.loads(text)
        fits = tuple(Logistic.from_json(json.dumps(fit)) for fit in read["fits"])
        return cls(fits, tuple(np.array(one) for one in read["covariances"]), int(read["control"]))


def _variance(z: Floats, slopes: Floats, covariance: Floats) -> Floats:
    """Of slope_arm z'b_arm - slope_control z'b_control."""
    q = z.shape[1]
    of_control, of_arm, of_both = covariance[:q, :q], covariance[q:, q:], covariance[:q, q:]
    parts = [np.einsum("ij,ij->i", z @ part, z) for part in (of_control, of_arm, of_both)]
    down, up = slopes.T
    return np.asarray(down**2 * parts[0] + up**2 * parts[1] - 2 * down * up * parts[2])


@dataclass(frozen=True)
class Effects:
    """Cross-fitted effects of a trial's people, and a model for everybody else.

    `mean` is (n, n_arms): the expected outcome under each arm; `effect`, `std_error`, `low` and `high` are
    (n, n_arms - 1), arms other than control in code order; all are shares.
    """

    mean: Floats
    effect: Floats
    std_error: Floats
    model: EffectModel
    confidence: float

    @property
    def low(self) -> Floats:
        """The lower end of each effect's interval."""
        return self.effect - t_quantile(self.confidence, np.inf) * self.std_error

    @property
    def high(self) -> Floats:
        """The upper end of each effect's interval."""
        return self.effect + t_quantile(self.confidence, np.inf) * self.std_error


def interaction_learner(
    X: Floats,
    y: Floats,
    arm: Integers,
    cluster: Integers,
    *,
    n_arms: int,
    control: int = 0,
    ridge: float | None = None,
) -> InteractionModel:
    """A logistic regression with treatment interactions, each arm shrunk toward control.

    Control is fitted alone (prior standard deviation 1 per standardised feature); every arm is then fitted
    with a free intercept, and with coefficients pulled toward control's by `ridge`. The errors hold the
    clustered sandwich of both fits, what control's error does to the arm through the pull, and the squared
    bias that the pull is expected to have under its own prior: with a small arm they stay wide.

    Args:
        X: (n, p) numbers, NaN where missing.
        y: (n,) 0 or 1.
        arm: (n,) integer codes 0 … n_arms - 1, all present.
        cluster: (n,) integer codes of the randomised unit.
        n_arms: How many arms, control included.
        control: Control's code.
        ridge: Prior information on each interaction; None for q / 0.2² with q the columns that vary, so that
            the effect's spread between people has standard deviation 0.2 in log-odds before looking, however
            many features are offered. 0.2 is the size of a typical whole effect (five points at even
            chances), a fact about contacts and not about a data set; nothing is tuned.

    Returns:
        The model.

    Raises:
        DesignError: Shapes or values that do not fit, or an arm with one class or one cluster.

    Source: Imai & Ratkovic, AOAS 7 (2013), on shrinking interactions apart from main effects; Gelman et al.,
    AOAS 2 (2008), on the prior's scale; sandwich: White, Econometrica 50 (1982).

    >>> rng = np.random.default_rng(0)
    >>> x, arm = rng.normal(size=(400, 2)), np.arange(400) % 2
    >>> y = (rng.random(400) < 0.3 + 0.2 * arm).astype(float)
    >>> model = interaction_learner(x, y, arm, np.arange(400), n_arms=2)
    >>> model.predict(x).effect.shape
    (400, 1)
    """
    shared = standardise(X)
    codes, n_clusters = cluster_codes(cluster, len(y))
    varying = int((shared.scale > 0).sum()) + shared.indicated.size
    pull = max(varying, 1) / SPREAD**2 if ridge is None else ridge
    fits: dict[int, Logistic] = {}
    errors: dict[int, tuple[Floats, Floats]] = {}
    for code in [control, *(code for code in range(n_arms) if code != control)]:
        rows = arm == code
        centre, strength = (shared, 1.0) if code == control else (fits[control], pull)
        try:
            fits[code] = fit_logistic(X[rows], y[rows], ridge=strength, centre=centre)
            errors[code] = fits[code].influence(X[rows], y[rows], codes[rows], n_clusters)
        except DesignError as error:
            raise DesignError(f"Arm {code} cannot be fitted: {error}") from error
    ordered = tuple(fits[code] for code in range(n_arms))
    covariances = tuple(
        _joint(errors[control], errors[code], 1.0, pull) for code in range(n_arms) if code != control
    )
    return InteractionModel(ordered, covariances, control)


def _joint(
    control: tuple[Floats, Floats], arm: tuple[Floats, Floats], control_ridge: float, ridge: float
) -> Floats:
    """The covariance of control's and the arm's coefficients, stacked."""
    (u_control, inverse_control), (u_arm, inverse_arm) = control, arm
    nothing = np.zeros_like(inverse_arm)
    free = np.ones(len(nothing))
    free[0] = 0.0
    # The prior enters as rows of pseudo-clusters: what the pull is expected to get wrong, by its variance.
    bias_control = np.sqrt(control_ridge) * free[:, None] * inverse_control
    bias_arm = np.sqrt(ridge) * free[:, None] * inverse_arm
    base = np.concatenate([u_control, bias_control, nothing])
    own = np.concatenate([u_arm, nothing, bias_arm])
    both = np.concatenate([base, own + base @ (inverse_arm * (ridge * free)).T], axis=1)
    return np.asarray(both.T @ both, dtype=np.float64)


def fit_effects(
    X: ArrayLike,
    y: ArrayLike,
    arm: ArrayLike,
    cluster: ArrayLike,
    *,
    n_arms: int,
    folds: ArrayLike,
    control: int = 0,
    ridge: float | None = None,
    learner: Learner | None = None,
    confidence: float = 0.95,
) -> Effects:
    """Each person's expected outcome under each arm, from a model that never saw the person's cluster.

    Args:
        X: (n, p) what was known before the trial, NaN where missing.
        y: (n,) 0 or 1.
        arm: (n,) integer codes 0 … n_arms - 1, randomised.
        cluster: (n,) integer codes of the randomised unit.
        n_arms: How many arms, control included.
        folds: (n,) integer folds, two or more, whole clusters in one (`calibration.cluster_folds`).
        control: Control's code.
        ridge: Handed to the default learner, `interaction_learner`.
        learner: Another learner in its place.
        confidence: Coverage of `low` and `high`.

    Returns:
        The effects, and a `model` fitted on everybody for people outside the trial.

    Raises:
        DesignError: Shapes or values that do not fit, a fold that splits a cluster, or an arm that cannot be
            fitted.

    Source: cross-fitting: Chernozhukov et al., Econometrics Journal 21 (2018), definition 3.1.

    >>> rng = np.random.default_rng(0)
    >>> x, arm, people = rng.normal(size=(400, 2)), np.arange(400) % 2, np.arange(400)
    >>> y = (rng.random(400) < 0.3 + 0.2 * arm).astype(float)
    >>> fit_effects(x, y, arm, people, n_arms=2, folds=people % 3).effect.shape
    (400, 1)
    """
    x, outcome = np.asarray(X), np.asarray(y, dtype=np.float64)
    x = x if x.dtype.kind == "f" else x.astype(np.float64)
    arms = arm_codes(arm, outcome.size, n_arms, control)
    codes, n_clusters = cluster_codes(cluster, outcome.size)
    fold, n_folds = cluster_codes(folds, outcome.size)
    if x.ndim != 2 or x.shape[0] != outcome.size or n_arms < 2 or n_folds < 2:
        got = f"features {x.shape}, {outcome.size} outcomes, {n_arms} arms, {n_folds} folds"
        raise DesignError.of(
            "The trial does not fit", received=got, allowed="(n, p), n, and two or more of each"
        )
    fold_of = np.empty(n_clusters, dtype=np.int64)
    fold_of[codes] = fold
    if np.any(fold_of[codes] != fold):
        raise DesignError.of("A fold splits a cluster", allowed="whole clusters in one fold")
    fit = partial(interaction_learner, ridge=ridge) if learner is None else learner
    mean = np.empty((outcome.size, n_arms))
    effect, error = np.empty((outcome.size, n_arms - 1)), np.empty((outcome.size, n_arms - 1))
    for held in range(n_folds):
        rows, out = np.flatnonzero(fold != held), np.flatnonzero(fold == held)
        model = fit(x[rows], outcome[rows], arms[rows], codes[rows], n_arms=n_arms, control=control)
        mean[out], effect[out], error[out] = model.predict(x[out])
    whole = fit(x, outcome, arms, codes, n_arms=n_arms, control=control)
    return Effects(mean, effect, error, whole, confidence)


class Qini(NamedTuple):
    """How much better than chance a ranking finds the people whom an arm moves.

    `area`, `std_error`, `low` and `high` are outcome per person; `curve_gain` is the gain per person of the
    population when the top `curve_share` of it is treated.
    """

    area: float
    std_error: float
    low: float
    high: float
    curve_share: Floats
    curve_gain: Floats


def qini(
    effect: ArrayLike,
    y: ArrayLike,
    arm: ArrayLike,
    cluster: ArrayLike,
    *,
    propensity: ArrayLike,
    arm_code: int,
    control: int = 0,
    mean: ArrayLike | None = None,
    confidence: float = 0.95,
) -> Qini:
    """The area between the gain curve of a ranking and the straight line to treating everybody.

    With s_i the AIPW score of the arm minus control's, the curve G(u) is the sum of s_i over the top share u,
    per person of the population; the area is the integral over u of G(u) - u G(1), equal to the mean of
    (1/2 - r_i) s_i with r_i the middle of a person's rank share, ties sharing theirs. It is linear in the
    scores, so that the clustered error is exact given the ranks. 0 is chance. A random ranking of a treated
    share u gains u G(1): the area is what ranking adds to that, averaged over all budgets.

    Args:
        effect: (n,) predicted effects, cross-fitted; more is treated earlier.
        y: (n,) outcomes, none missing.
        arm: (n,) integer codes; people of third arms count in the ranks, and add the means only.
        cluster: (n,) integer codes of the randomised unit.
        propensity: (n_arms,) or (n, n_arms) chances of being assigned.
        arm_code: The arm that is judged.
        control: Control's code.
        mean: (n, n_arms) cross-fitted expected outcomes to make it less noisy; None for the arms' means.
        confidence: Coverage of the interval.

    Returns:
        The area with its error, and the curve at 101 shares.

    Raises:
        DesignError: Shapes or values that do not fit, or an arm or control without people.

    Source: Radcliffe, Direct Marketing Analytics Journal (2007); Yadlowsky et al., JASA 120 (2025), on linear
    functionals of ranks, section 2.

    >>> found = qini([4, 3, 2, 1], [1, 0, 0, 0], [1, 0, 1, 0], range(4), propensity=[0.5, 0.5], arm_code=1)
    >>> round(found.area, 4)
    0.125
    """
    ranking, n = np.asarray(effect, dtype=np.float64), np.asarray(y).size
    if ranking.shape != (n,) or not np.isfinite(ranking).all():
        raise DesignError.of("Effects do not fit", received=ranking.shape, allowed=f"({n},), finite")
    gamma = aipw_scores(y, arm, _means(y, arm, propensity) if mean is None else mean, propensity)
    if not {control, arm_code} <= set(np.unique(np.asarray(arm)).tolist()):
        raise DesignError.of(
            "The arm or control is empty", received=(control, arm_code), allowed="codes with people"
        )
    gain = gamma[:, arm_code] - gamma[:, control]
    codes, n_clusters = cluster_codes(cluster, n)
    if n_clusters < 2:
        raise DesignError.of(
            "No error can be computed", received=f"{n_clusters} cluster", allowed="two or more"
        )
    share, curve, middle = _gain_curve(ranking, gain)
    u = cluster_sums((0.5 - middle) * gain / n, codes, n_clusters)
    area, error = float(u.sum()), float(np.sqrt(np.sum((u - u.mean()) ** 2) * n_clusters / (n_clusters - 1)))
    half = t_quantile(confidence, n_clusters - 1) * error
    return Qini(area, error, area - half, area + half, share, curve)


def _means(y: ArrayLike, arm: ArrayLike, propensity: ArrayLike) -> Floats:
    """The weighted mean of each arm (0 for those without people), for everybody."""
    nothing = np.zeros((np.asarray(y).size, np.asarray(propensity).shape[-1]))
    total = aipw_scores(np.ones(len(nothing)), arm, nothing, propensity).sum(0)
    sums = aipw_scores(y, arm, nothing, propensity).sum(0)
    return np.broadcast_to(np.divide(sums, total, out=np.zeros_like(sums), where=total > 0), nothing.shape)


def _gain_curve(ranking: Floats, gain: Floats) -> tuple[Floats, Floats, Floats]:
    """101 shares, the gain per person at each, and everybody's middle rank share."""
    n = ranking.size
    _, group, counts = np.unique(-ranking, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts) / n
    middle = (ends - counts / (2 * n))[group]
    reached = np.cumsum(np.bincount(group, weights=gain)) / n
    share = np.linspace(0.0, 1.0, 101)
    return share, np.interp(share, np.append(0.0, ends), np.append(0.0, reached)), middle
