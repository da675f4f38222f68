"""The ladder of learners: each rung is climbed only when it proves better, inside the people it may learn from.

The default procedure, fixed beforehand and the same for all data: bins, a plain score, readings of the effect
that do not depend on any learner, and the climb.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from hustings.stats import forest, learners
from hustings.stats.bins import Bytes
from hustings.stats.clusters import Floats
from hustings.stats.contrasts import Contrast, Numbers

# A rung must be better at this level, one-sided, with Holm's correction for those that are tried together.
LEVEL = 0.05
# With fewer units in an arm the effect is the same for all: nothing finer could prove itself.
FEWEST_UNITS = 100
# Trees are tried on at most so many people of each side; whoever has more knows by then.
TRIED = 40_000
# The people who may be looked at are dealt to so many groups.
GROUPS = 4


class Model(Protocol):
    """A fitted learner of one arm's effects."""

    def effect(self, codes: Bytes, sizes: list[int], weight: Numbers) -> Numbers:
        """Expected effects."""
        ...

    def error(self, codes: Bytes, sizes: list[int], weight: Numbers) -> Numbers:
        """Their standard errors."""
        ...

    def to_json(self) -> str:
        """The model as text."""
        ...


class Rung(NamedTuple):
    """One rung: what it is called, and what fits it."""

    name: str
    fit: Callable[..., Any]
    trees: bool


RUNGS = (
    Rung("the same effect for all", learners.constant, False),
    Rung("a smooth function of the plain score", learners.plain_score, False),
    Rung("smooth interactions in log-odds, shrunk", learners.smooth, False),
    Rung("doubly robust on pairs of bins", learners.paired, False),
    Rung("doubly robust on LightGBM", forest.boosted, True),
    Rung("honest histogram forest", forest.honest_forest, True),
)


# The rung that pairs and trees build on.
SMOOTH = 2


class Step(NamedTuple):
    """How one rung did when it was tried.

    Attributes:
        rung: Its place in `RUNGS`.
        area: Its Qini area, learned on one half and judged on the other, both ways; NaN when it was not tried.
        std_error: The clustered error of the area.
        p_value: One-sided, of the paired test against the rung that was held when it was tried.
        chosen: Whether the climb ended on it.
    """

    rung: int
    area: float
    std_error: float
    p_value: float
    chosen: bool


def rank_shares(values: NDArray[np.floating]) -> Numbers:
    """Where each person stands when the highest come first: the middle of the rank share, ties sharing theirs.

    Args:
        values: (n,) finite numbers.

    Returns:
        (n,) in 0–1. Of many people, values closer than a 65,536th of the range count as ties.

    >>> rank_shares(np.array([3.0, 1.0, 3.0, 2.0])).tolist()
    [0.25, 0.875, 0.25, 0.625]
    """
    n = len(values)
    if n < 20_000:
        _, level = np.unique(-values, return_inverse=True)
    else:
        low, high = values.min(), values.max()
        scale = np.float32(65_535 / (high - low)) if high > low else np.float32(0)
        level = ((high - values) * scale).astype(np.uint16)
    counts = np.bincount(level)
    ends = np.cumsum(counts) / n
    return (ends - counts / (2 * n)).astype(np.float32)[level]


class _Trial(NamedTuple):
    """What a rung's ranking adds, person by person, on the people it was judged on."""

    influence: Floats
    cluster: NDArray[np.int64]


def climb(contrast: Contrast, parts: list[int], *, trees: bool = True) -> list[Step]:
    """The rung that these people bear out.

    The parts are dealt to four groups; each group judges models that learned from the other three. The paired
    difference of two rungs' Qini areas is the mean of (r_b - r_a) (Γ - mean Γ), linear in the readings, so that
    its clustered error is exact given the ranks. The challenger that is named beforehand is the next rung; it is
    climbed when it proves better than the one that is held, and otherwise passed over. Pairs and trees build on
    the smooth sum and are tried only where it was climbed; trees come last, under Holm, on a sample.

    Args:
        contrast: The trial of one arm.
        parts: The parts that may be looked at, two or more.
        trees: Whether trees are tried.

    Returns:
        One step for each rung; exactly one is chosen.

    Source: Holm, Scandinavian Journal of Statistics 6 (1979); Yadlowsky et al., JASA 120 (2025), section 2.
    """
    groups = [group for group in (parts[k::GROUPS] for k in range(GROUPS)) if group]
    n_units = [_units(contrast, group) for group in groups]
    if len(contrast.sizes) < 2 or sum(n_units) < 2 * FEWEST_UNITS or min(n_units) < 2:
        return [Step(k, np.nan, np.nan, np.nan, k == 0) for k in range(len(RUNGS))]
    apart = [(sorted(set(parts) - set(group)), group) for group in groups]
    trials: dict[int, _Trial] = {}
    p_values: dict[int, float] = {}
    fits: list[Any] = [None] * len(apart)
    held = 0
    for k, rung in enumerate(RUNGS):
        # What builds on the smooth sum is tried only where the smooth sum has proven itself.
        if k > SMOOTH and (rung.trees or held < SMOOTH):
            break
        fits = [_fitted(contrast, rung, learn, below) for (learn, _), below in zip(apart, fits, strict=True)]
        trials[k] = _judged(contrast, fits, [judge for _, judge in apart])
        if k:
            p_values[k] = _p_value(trials[k], trials[held])
            held = k if p_values[k] <= LEVEL else held
    steps = {k: _area(trial) for k, trial in trials.items()}
    if trees and held >= SMOOTH:
        held = _trees(contrast, apart[0], fits[0], held, steps, p_values)
    nothing = (np.nan, np.nan)
    return [Step(k, *steps.get(k, nothing), p_values.get(k, np.nan), k == held) for k in range(len(RUNGS))]


def _trees(
    contrast: Contrast,
    apart: tuple[list[int], list[int]],
    base: Model,
    held: int,
    steps: dict[int, tuple[float, float]],
    p_values: dict[int, float],
) -> int:
    """The rung after trees were tried on one group; what was found of each goes into the last two."""
    learn, judge = apart
    few = _sampled(contrast, judge)
    now = _judged(contrast, [_fitted(contrast, RUNGS[held], learn, None)], [judge], few)
    tested = {}
    for k, rung in enumerate(RUNGS):
        if rung.trees:
            trial = _judged(contrast, [rung.fit(contrast, learn, base, TRIED)], [judge], few)
            tested[k], steps[k] = _p_value(trial, now), _area(trial)
    p_values |= tested
    return min(_holm(tested), default=held)


def _sampled(contrast: Contrast, parts: list[int]) -> int:
    """Every how many-th person of these parts is asked."""
    n = sum(contrast.parts[part].stop - contrast.parts[part].start for part in parts)
    return max(-(-n // TRIED), 1)


def _units(contrast: Contrast, parts: list[int]) -> int:
    spans = [contrast.cluster[contrast.parts[part]] for part in parts]
    return int(np.count_nonzero(np.bincount(np.concatenate(spans)))) if spans else 0


def _fitted(contrast: Contrast, rung: Rung, learn: list[int], below: Any) -> Any:
    """The learner fitted; that of pairs builds on the rung below."""
    if rung.fit is learners.paired:
        return rung.fit(contrast, learn, below, errors=False)
    return rung.fit(contrast, learn, errors=False)


def _judged(contrast: Contrast, models: list[Any], groups: list[list[int]], every: int = 1) -> _Trial:
    """The influences of each group's people, ranked by the model of the others."""
    influence, cluster = [], []
    for model, judges in zip(models, groups, strict=True):
        rows = [slice(contrast.parts[p].start, contrast.parts[p].stop, every) for p in judges]
        found = [
            model.effect(contrast.codes[:, span], contrast.sizes, contrast.weight[span]) for span in rows
        ]
        reading = np.concatenate([contrast.reading[span] for span in rows]).astype(np.float64)
        influence.append((0.5 - rank_shares(np.concatenate(found))) * (reading - reading.mean()))
        cluster += [contrast.cluster[span] for span in rows]
    every_one = np.concatenate(influence)
    return _Trial(every_one / len(every_one), np.concatenate(cluster))


def _p_value(better: _Trial, held: _Trial) -> float:
    from scipy.special import ndtr

    area, error = clustered(better.influence - held.influence, better.cluster)
    return float(ndtr(-area / error)) if error > 0 else 1.0


def _area(trial: _Trial) -> tuple[float, float]:
    return clustered(trial.influence, trial.cluster)


def clustered(influence: Floats, cluster: NDArray[np.int64]) -> tuple[float, float]:
    """The sum of influences and its clustered standard error.

    >>> clustered(np.array([1.0, 1.0, -2.0]), np.array([0, 0, 1]))[0]
    0.0
    """
    total, sizes = float(influence.sum()), np.bincount(cluster)
    n = int(np.count_nonzero(sizes))
    # Where everyone is alone, people are the sums.
    alone = n == len(influence)
    sums: Floats = (
        influence if alone else np.bincount(cluster, weights=influence)[sizes > 0].astype(np.float64)
    )
    apart = sums - total / n
    return total, float(np.sqrt(apart @ apart * n / max(n - 1, 1)))


def _holm(p_values: dict[int, float]) -> list[int]:
    passed = []
    for k, rung in enumerate(sorted(p_values, key=lambda rung: p_values[rung])):
        if p_values[rung] > LEVEL / (len(p_values) - k):
            break
        passed.append(rung)
    return passed


def fit_chosen(contrast: Contrast, parts: list[int], steps: list[Step]) -> Model:
    """The chosen rung, fitted on all these people."""
    chosen = next(step.rung for step in steps if step.chosen)
    rung = RUNGS[chosen]
    if rung.trees:
        model: Model = rung.fit(contrast, parts, learners.paired(contrast, parts))
        return model
    found = rung.fit(contrast, parts)
    plain: Model = learners.beyond(contrast, parts, found) if chosen < SMOOTH else found
    return plain
