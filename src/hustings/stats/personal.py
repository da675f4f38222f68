"""What each arm of a trial changes for each person: cross-fitted by the ladder, and a model for everybody else."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hustings.errors import DesignError
from hustings.stats import climb, forest, learners
from hustings.stats.additive import fit_table, waves
from hustings.stats.bins import Bins, Bytes, bin_sums, cross_sums, fit_bins, look_up
from hustings.stats.climb import Model, Step
from hustings.stats.clusters import Floats, Integers, arm_codes, cluster_codes
from hustings.stats.contrasts import Contrast, Numbers, contrast_of

# Bins of the plain score.
SCORE_BINS = 32
# Of more people, pairs of bins are counted on evenly spaced ones for the plain score; sums of outcomes on all.
COUNTED = 200_000
# No person counts as more certain than this share of the mean variance.
LEAST_VARIANCE = 0.05
# With more arms than these each has the same effect for all: hardly anyone is left to prove more.
MOST_ARMS = 20


@dataclass(frozen=True)
class Plain:
    """The plain score: the expected outcome whatever the arm, as a sum of tables of bins.

    Attributes:
        bins: How features become bins.
        mean: The mean outcome.
        table: (q,) what each bin adds.
        edges: Inner edges of the score's own bins.
        variance: The outcome's variance in each bin of the score.
    """

    bins: Bins
    mean: float
    table: Floats
    edges: NDArray[np.float32]
    variance: NDArray[np.float32]

    def described(self, X: ArrayLike) -> tuple[Bytes, Numbers, Numbers]:
        """Bins with the score's last, variances, and scores, of these people."""
        codes = np.concatenate([self.bins.codes(X), np.zeros((1, len(np.asarray(X))), np.uint8)])
        score = look_up(codes[:-1], self.bins.sizes, self.table) + np.float32(self.mean)
        codes[-1] = score_bins(score, self.edges)
        return codes, self.variance[codes[-1]], score


def score_bins(score: Numbers, edges: NDArray[np.float32]) -> NDArray[np.uint8]:
    """The bin of each score.

    >>> score_bins(np.array([0.1, 0.9], np.float32), np.array([0.5], np.float32))
    array([0, 1], dtype=uint8)
    """
    found = np.zeros(len(score), np.uint8)
    for edge in edges:
        found += score > edge
    return found


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
                "means": [mean.tolist() for mean in bins.means],
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
            tuple(np.array(mean) for mean in read["means"]),
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
    share = np.asarray(propensity, np.float64)
    outcome = np.asarray(y, np.float32)
    arms, codes = _checked(X, outcome, arm, cluster, share, folds, control)
    part = _parts(codes, folds, rng)
    order = np.argsort(part, kind="stable")
    arms, codes, part, outcome = arms[order], codes[order], part[order], outcome[order]
    bins = fit_bins(X)
    known = np.take(bins.codes(X), order, axis=1)
    score, whole = _plain_scores(known, bins, outcome, part, folds)
    described = np.concatenate([known, score_bins(score, whole.edges)[None]])
    del known
    weight = whole.variance[described[-1]]
    sizes, centre = [*bins.sizes, SCORE_BINS], [*bins.means, np.arange(float(SCORE_BINS))]
    others = [k for k in range(len(share)) if k != control]
    told = (
        (described, sizes, centre) if len(others) <= MOST_ARMS else (described[-1:], sizes[-1:], centre[-1:])
    )
    effect, error = np.empty((len(arms), len(others))), np.empty((len(arms), len(others)))
    models, steps, chosen, contrasts = [], [], [], []
    for j, code in enumerate(others):
        contrast = _contrast(told, outcome - score, weight, (arms, codes, part), share, (control, code))
        rungs = []
        everyone = list(range(2 * folds))
        # Trees that do not prove themselves on everybody are not tried again without each fold.
        steps.append(climb.climb(contrast, everyone))
        trees = any(step.chosen and climb.RUNGS[step.rung].trees for step in steps[-1])
        for fold in range(folds):
            apart = [p for p in everyone if p // 2 != fold]
            found = climb.climb(contrast, apart, trees=trees)
            model = climb.fit_chosen(contrast, apart, found)
            rows = slice(*np.searchsorted(part, [2 * fold, 2 * fold + 2]))
            effect[rows, j] = model.effect(described[:, rows], sizes, weight[rows])
            error[rows, j] = model.error(described[:, rows], sizes, weight[rows])
            rungs.append(next(step.rung for step in found if step.chosen))
        models.append(climb.fit_chosen(contrast, everyone, steps[-1]))
        chosen.append(rungs)
        contrasts.append(contrast)
    share_of = tuple(float(one) for one in share / share.sum())
    back = np.empty_like(order)
    back[order] = np.arange(len(order))
    mean = means(score, effect, share_of, control)
    model_of_all = PersonalModel(whole, tuple(models), share_of, control)
    return Personal(
        mean[back], effect[back], error[back], score[back], model_of_all, steps, chosen, contrasts
    )


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


def _parts(codes: Integers, folds: int, rng: np.random.Generator) -> Integers:
    """Two parts for each fold, whole clusters in one, of about equal numbers of clusters."""
    n_clusters = int(codes.max()) + 1
    drawn = np.arange(n_clusters) % (2 * folds)
    rng.shuffle(drawn)
    return drawn[codes]


def _plain_scores(
    known: Bytes, bins: Bins, y: NDArray[np.float32], part: Integers, folds: int
) -> tuple[Numbers, Plain]:
    """Each person's expected outcome by a fit without the person's fold, and the fit of everybody."""
    n, sizes = len(y), bins.sizes
    step = max(n // COUNTED, 1)
    cross = cross_sums(np.ascontiguousarray(known[:, ::step]), sizes) * (n / len(range(0, n, step)))
    basis = waves(sizes, list(bins.missing), np.diag(cross))
    ends = np.searchsorted(part, np.arange(0, 2 * folds + 1, 2))
    spans = [slice(int(ends[k]), int(ends[k + 1])) for k in range(folds)]
    sums = np.array([bin_sums(known[:, rows], sizes, y[rows]) for rows in spans])
    total, noise = sums.sum(0), float(np.var(y, dtype=np.float64))
    score = np.empty(n, np.float32)
    for k, rows in enumerate(spans):
        left = 1 - (rows.stop - rows.start) / n
        fit = fit_table(basis, cross * left, total - sums[k], n * left, noise)
        score[rows] = look_up(known[:, rows], sizes, fit.table) + np.float32(fit.mean)
    whole = fit_table(basis, cross, total, float(n), noise)
    edges = np.quantile(score[::step], np.arange(1, SCORE_BINS) / SCORE_BINS).astype(np.float32)
    at = score_bins(score, edges)
    count = np.bincount(at, minlength=SCORE_BINS)
    variance = np.bincount(at, weights=(y - score) ** 2, minlength=SCORE_BINS) / np.maximum(count, 1)
    least = LEAST_VARIANCE * float(variance @ count) / n
    return score, Plain(bins, whole.mean, whole.table, edges, np.maximum(variance, least).astype(np.float32))


def _contrast(
    told: tuple[Bytes, list[int], list[Floats]],
    residual: Numbers,
    weight: Numbers,
    people: tuple[Integers, Integers, Integers],
    share: Floats,
    pair: tuple[int, int],
) -> Contrast:
    """The people of two arms; Γ = (A - e) / (e (1 - e)) (y - m), with e the arm's share of the two."""
    control, code = pair
    arms, codes, part = people
    described, sizes, centre = told
    treated = share[code] / (share[code] + share[control])
    factor = np.zeros(len(share), np.float32)
    factor[code], factor[control] = 1 / treated, -1 / (1 - treated)
    if len(share) > 2:
        chosen = np.flatnonzero((arms == code) | (arms == control))
        described, residual, weight = np.take(described, chosen, axis=1), residual[chosen], weight[chosen]
        arms, codes, part = arms[chosen], codes[chosen], part[chosen]
    return contrast_of(described, sizes, centre, factor[arms] * residual, weight, codes, part)
