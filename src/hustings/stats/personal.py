"""What each arm of a trial changes for each person: cross-fitted by the ladder, and a model for everybody else."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hustings.errors import DesignError
from hustings.stats import climb, forest, learners
from hustings.stats.bins import Bins, Bytes, fit_bins
from hustings.stats.climb import Model, Step
from hustings.stats.clusters import Floats, Integers, arm_codes, cluster_codes
from hustings.stats.contrasts import Contrast, Numbers, contrast_of
from hustings.stats.plain import SCORE_BINS, Plain, fit_plain, score_bins

# With more arms than these each has the same effect for all: hardly anyone is left to prove more.
MOST_ARMS = 20


class Prediction(NamedTuple):
    """Expected outcome under each arm (n, n_arms); effects and their errors before shrinkage (n, n_arms - 1)."""

    mean: Floats
    effect: Floats
    std_error: Floats


@dataclass(frozen=True)
class PersonalModel:
    """The ladder's models of all arms, fitted on everybody.

    `share` are the arms' shares of the trial, control's included.
    """

    plain: Plain
    models: tuple[Model, ...]
    share: tuple[float, ...]
    control: int

    def predict(self, X: ArrayLike) -> Prediction:
        """Expected outcomes, effects and errors.

        Args:
            X: (n, p) numbers, NaN where missing.

        Returns:
            The prediction, arms other than control in code order.

        Raises:
            DesignError: Another number of columns than the fit had, or infinite values.
        """
        codes, weight, score = self.plain.described(X)
        sizes = [*self.plain.bins.sizes, SCORE_BINS]
        effect = np.empty((len(score), len(self.models)))
        error = np.empty_like(effect)
        for k, model in enumerate(self.models):
            effect[:, k] = model.effect(codes, sizes, weight)
            error[:, k] = model.error(codes, sizes, weight)
        return Prediction(means(score, effect, self.share, self.control), effect, error)

    def to_json(self) -> str:
        """The model as JSON text."""
        bins = self.plain.bins
        return json.dumps(
            {
                "edges": [edges.tolist() for edges in bins.edges],
                "missing": bins.missing,
                "mean": self.plain.mean,
                "table": self.plain.table.tolist(),
                "score_edges": self.plain.edges.tolist(),
                "variance": self.plain.variance.tolist(),
                "models": [(type(model).__name__, model.to_json()) for model in self.models],
                "share": self.share,
                "control": self.control,
            }
        )

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The model that `to_json` wrote."""
        read: dict[str, Any] = json.loads(text)
        bins = Bins(
            tuple(np.array(edges, np.float32) for edges in read["edges"]),
            tuple(read["missing"]),
        )
        plain = Plain(
            bins,
            read["mean"],
            np.array(read["table"]),
            np.array(read["score_edges"], np.float32),
            np.array(read["variance"], np.float32),
        )
        kinds: dict[str, Any] = {"Tables": learners.Tables, "Trees": forest.Trees}
        models = tuple(kinds[kind].from_json(model) for kind, model in read["models"])
        return cls(plain, models, tuple(read["share"]), read["control"])


def means(score: Numbers, effect: Floats, share: tuple[float, ...], control: int) -> Floats:
    """Expected outcomes under each arm: the plain score is their mean over the arms' shares.

    >>> means(np.array([0.5], np.float32), np.array([[0.2]]), (0.5, 0.5), 0).round(3)
    array([[0.4, 0.6]])
    """
    others = [k for k in range(len(share)) if k != control]
    found = np.empty((len(score), len(share)))
    found[:, control] = score - effect @ np.array([share[k] for k in others])
    found[:, others] = found[:, [control]] + effect
    return found


class Prepared(NamedTuple):
    """A trial as its learners see it, in the order of its parts.

    Attributes:
        order: (n,) which person is where.
        codes: (p + 1, n) bins, the plain score's last.
        sizes: How many bins each row has.
        weight: (n,) the outcome's variance at the plain score.
        score: (n,) the plain score, by a model that never saw the person's fold.
        folds: The rows of each fold.
        plain: The plain score's model.
        contrasts: For each arm other than control, in code order, its people and control's.
    """

    order: Integers
    codes: Bytes
    sizes: list[int]
    weight: Numbers
    score: Numbers
    folds: list[slice]
    plain: Plain
    contrasts: list[Contrast]


@dataclass(frozen=True)
class Personal:
    """Cross-fitted effects of a trial's people, and what was learned on the way.

    Attributes:
        mean: (n, n_arms) expected outcome under each arm.
        effect: (n, n_arms - 1) effects of the other arms, in code order.
        std_error: (n, n_arms - 1) their errors.
        score: (n,) the plain score, by a model that never saw the person's fold.
        model: For everybody else.
        steps: For each arm the climb on all its people.
        fold_rungs: For each arm the rung that was chosen without each fold.
        contrasts: For each arm what it was learned from.
    """

    mean: Floats
    effect: Floats
    std_error: Floats
    score: Numbers
    model: PersonalModel
    steps: list[list[Step]]
    fold_rungs: list[list[int]]
    contrasts: list[Contrast]


def prepare(
    X: ArrayLike,
    y: ArrayLike,
    arm: ArrayLike,
    cluster: ArrayLike,
    *,
    propensity: ArrayLike,
    folds: int = 5,
    rng: np.random.Generator,
    control: int = 0,
) -> Prepared:
    """Bins, plain scores and readings: everything that no learner of effects has a say in.

    Args:
        X: (n, p) what was known before the trial, NaN where missing.
        y: (n,) outcomes: 0 and 1, or amounts.
        arm: (n,) integer codes 0 … n_arms - 1, randomised, all present.
        cluster: (n,) integer codes of the randomised unit.
        propensity: (n_arms,) chances of being assigned.
        folds: In how many parts people are judged by models that never saw them, 2 or more.
        rng: The source of randomness: the folds.
        control: Control's code.

    Returns:
        The trial.

    Raises:
        DesignError: As of `fit_personal`.

    >>> rng = np.random.default_rng(0)
    >>> y = np.arange(40) % 3 == 0
    >>> prepare(np.ones((40, 1)), y, np.arange(40) % 2, np.arange(40), propensity=[0.5, 0.5], rng=rng).sizes
    [1, 32]
    """
    share = np.asarray(propensity, np.float64)
    outcome = np.asarray(y, np.float32)
    arms, codes = _checked(X, outcome, arm, cluster, share, folds, control)
    part = _parts(codes, folds, rng)
    order = np.argsort(part, kind="stable")
    arms, codes, part, outcome = arms[order], codes[order], part[order], outcome[order]
    X = _worth_knowing(X, arms, codes, len(share))
    bins = fit_bins(X)
    known = np.take(bins.codes(X), order, axis=1)
    score, weight, plain = fit_plain(known, bins, outcome, part, folds)
    described = np.concatenate([known, score_bins(score, plain.edges)[None]])
    del known
    sizes, missing = [*bins.sizes, SCORE_BINS], [*bins.missing, False]
    others = [k for k in range(len(share)) if k != control]
    told = (described, sizes, missing)
    if len(others) > MOST_ARMS:
        told = (described[-1:], sizes[-1:], missing[-1:])
    people = (arms, codes, part)
    contrasts = [_contrast(told, outcome - score, weight, people, share, (control, code)) for code in others]
    ends = np.searchsorted(part, np.arange(0, 2 * folds + 1, 2))
    spans = [slice(int(ends[k]), int(ends[k + 1])) for k in range(folds)]
    return Prepared(order, described, sizes, weight, score, spans, plain, contrasts)


def fit_personal(
    X: ArrayLike,
    y: ArrayLike,
    arm: ArrayLike,
    cluster: ArrayLike,
    *,
    propensity: ArrayLike,
    folds: int = 5,
    rng: np.random.Generator,
    control: int = 0,
) -> Personal:
    """Each person's effect under each arm, by the rung of the ladder that proved itself without the person's fold.

    Args:
        X: (n, p) what was known before the trial, NaN where missing.
        y: (n,) outcomes: 0 and 1, or amounts.
        arm: (n,) integer codes 0 … n_arms - 1, randomised, all present.
        cluster: (n,) integer codes of the randomised unit.
        propensity: (n_arms,) chances of being assigned.
        folds: In how many parts people are judged by models that never saw them, 2 or more.
        rng: The source of randomness: the folds.
        control: Control's code.

    Returns:
        The effects before shrinkage, and a model.

    Raises:
        DesignError: Shapes or values that do not fit, an outcome that does not vary or is not finite, an empty
            arm, or fewer clusters than two for each fold.

    Source: Kennedy, Electronic Journal of Statistics 17 (2023); Nie & Wager, Biometrika 108 (2021), on learning
    from readings; Chernozhukov et al., Econometrics Journal 21 (2018), on cross-fitting.

    >>> rng = np.random.default_rng(0)
    >>> x, arm, people = rng.normal(size=(2000, 2)), np.arange(2000) % 2, np.arange(2000)
    >>> y = (rng.random(2000) < 0.3 + 0.2 * arm).astype(float)
    >>> found = fit_personal(x, y, arm, people, propensity=[0.5, 0.5], rng=rng)
    >>> bool(abs(found.effect.mean() - 0.2) < 0.1)
    True
    """
    trial = prepare(X, y, arm, cluster, propensity=propensity, folds=folds, rng=rng, control=control)
    shape = (len(trial.order), len(trial.contrasts))
    effect, error = np.empty(shape), np.empty(shape)
    models: list[Model] = []
    steps: list[list[Step]] = []
    rungs: list[list[int]] = []
    everyone = list(range(2 * folds))
    for j, contrast in enumerate(trial.contrasts):
        # Trees that do not prove themselves on everybody are not tried again without each fold.
        steps.append(climb.climb(contrast, everyone))
        models.append(climb.fit_chosen(contrast, everyone, steps[-1]))
        trees = any(step.chosen and climb.RUNGS[step.rung].trees for step in steps[-1])
        rungs.append([])
        for fold, rows in enumerate(trial.folds):
            apart = [part for part in everyone if part // 2 != fold]
            found = climb.climb(contrast, apart, trees=trees)
            model = climb.fit_chosen(contrast, apart, found)
            effect[rows, j] = model.effect(trial.codes[:, rows], trial.sizes, trial.weight[rows])
            error[rows, j] = model.error(trial.codes[:, rows], trial.sizes, trial.weight[rows])
            rungs[-1].append(next(step.rung for step in found if step.chosen))
        if not any(rungs[-1]):
            # The folds' means differ by luck, each against its own people: they would pass for a ranking.
            effect[:, j] = effect[:, j].mean()
    share = np.asarray(propensity, np.float64)
    shares = tuple(float(one) for one in share / share.sum())
    back = np.empty_like(trial.order)
    back[trial.order] = np.arange(len(back))
    mean = means(trial.score, effect, shares, control)
    whole = PersonalModel(trial.plain, tuple(models), shares, control)
    found_of = (mean[back], effect[back], error[back], trial.score[back])
    return Personal(*found_of, whole, steps, rungs, trial.contrasts)


def _checked(
    X: ArrayLike,
    y: NDArray[np.float32],
    arm: ArrayLike,
    cluster: ArrayLike,
    share: Floats,
    folds: int,
    control: int,
) -> tuple[Integers, Integers]:
    n = len(y)
    if y.ndim != 1 or len(np.asarray(X)) != n or share.ndim != 1 or len(share) < 2:
        got = f"{len(np.asarray(X))} people, outcomes {y.shape}, shares {share.shape}"
        raise DesignError.of("The trial does not fit", received=got, allowed="(n, p), (n,), two arms or more")
    if not np.isfinite(y).all():
        raise DesignError.of("An outcome is missing or infinite", received=int(np.sum(~np.isfinite(y))))
    if not n or y.min() == y.max():
        raise DesignError.of("Everyone has the same outcome", allowed="outcomes that vary")
    if not np.all((share > 0) & (share <= 1)):
        raise DesignError.of("Propensities are no chances", allowed="above 0, at most 1")
    arms = arm_codes(arm, n, len(share), control)
    empty = np.flatnonzero(np.bincount(arms, minlength=len(share)) == 0)
    if len(empty):
        raise DesignError.of("An arm is empty", received=empty.tolist(), allowed="all present")
    codes, n_clusters = cluster_codes(cluster, n)
    if folds < 2 or n_clusters < 2 * folds:
        raise DesignError.of(
            "Too few clusters", received=f"{n_clusters} in {folds} folds", allowed="two for each fold"
        )
    return arms, codes


def _worth_knowing(X: ArrayLike, arms: Integers, codes: Integers, n_arms: int) -> ArrayLike:
    """What is known of the people; nothing where an arm has few units, whose own outcomes a plain score would tell."""
    pairs = np.unique(codes * n_arms + arms) % n_arms
    if np.bincount(pairs, minlength=n_arms).min() >= climb.FEWEST_UNITS:
        return X
    return np.zeros(np.shape(X), np.float32)


def _parts(codes: Integers, folds: int, rng: np.random.Generator) -> Integers:
    """Two parts for each fold, whole clusters in one, of about equal numbers of clusters."""
    n_clusters = int(codes.max()) + 1
    drawn = np.arange(n_clusters) % (2 * folds)
    rng.shuffle(drawn)
    return drawn[codes]


def _contrast(
    told: tuple[Bytes, list[int], list[bool]],
    residual: Numbers,
    weight: Numbers,
    people: tuple[Integers, Integers, Integers],
    share: Floats,
    pair: tuple[int, int],
) -> Contrast:
    """The people of two arms; Γ = (A - e) / (e (1 - e)) (y - m), with e the arm's share of the two."""
    control, code = pair
    arms, codes, part = people
    described, sizes, missing = told
    treated = share[code] / (share[code] + share[control])
    factor = np.zeros(len(share), np.float32)
    factor[code], factor[control] = 1 / treated, -1 / (1 - treated)
    if len(share) > 2:
        chosen = np.flatnonzero((arms == code) | (arms == control))
        described, residual, weight = np.take(described, chosen, axis=1), residual[chosen], weight[chosen]
        arms, codes, part = arms[chosen], codes[chosen], part[chosen]
    return contrast_of(described, sizes, missing, factor[arms] * residual, weight, codes, part)
