"""Effects by trees on top of the smooth sum: boosted ones, and an honest forest."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from hustings.stats.bins import Bytes, spans
from hustings.stats.clusters import Floats
from hustings.stats.contrasts import Contrast, Numbers
from hustings.stats.learners import Tables, smooth

if TYPE_CHECKING:
    from lightgbm import Booster

# One setting for all data: shallow trees, small steps, and no more of them than noise allows.
BOOSTED: dict[str, Any] = {"num_leaves": 8, "learning_rate": 0.05, "lambda_l2": 0.0}
TREES = 40
FOREST: dict[str, Any] = {"num_leaves": 16, "learning_rate": 1.0, "feature_fraction_bynode": 0.4}
# A leaf holds at least this share of the people: effects are far smaller than the noise of one person.
LEAF = 0.02


@dataclass(frozen=True)
class Trees:
    """A smooth sum, and trees for what it leaves.

    Attributes:
        base: The smooth sum.
        text: The trees as LightGBM's text.
        leaves: (trees, leaves) what each leaf adds to g in place of LightGBM's own values; None for those.
        extra: Variance of what the trees add, on the scale of g.
    """

    base: Tables
    text: str
    leaves: Floats | None
    extra: float

    @cached_property
    def _booster(self) -> Booster:
        from lightgbm import Booster

        return Booster(model_str=self.text)

    def effect(self, codes: Bytes, sizes: list[int], weight: Numbers) -> Numbers:
        """Expected effects (n,), as of `Tables.effect`."""
        found = self.base.effect(codes, sizes, weight)
        for rows in spans(codes.shape[1]):
            found[rows] += weight[rows] * _grown(self._booster, self.leaves, codes[:, rows])
        return found

    def error(self, codes: Bytes, sizes: list[int], weight: Numbers) -> Numbers:
        """Standard errors of `effect`: the sum's, and one variance for what the trees add."""
        found = self.base.error(codes, sizes, weight) ** 2
        found += np.float32(self.extra) * weight**2
        return np.sqrt(found, out=found)

    def to_json(self) -> str:
        """The model as JSON text."""
        leaves = None if self.leaves is None else self.leaves.tolist()
        return json.dumps(
            {"base": self.base.to_json(), "text": self.text, "leaves": leaves, "extra": self.extra}
        )

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The model that `to_json` wrote."""
        read: dict[str, Any] = json.loads(text)
        leaves = None if read["leaves"] is None else np.array(read["leaves"])
        return cls(Tables.from_json(read["base"]), read["text"], leaves, read["extra"])


def _grown(booster: Booster, leaves: Floats | None, codes: Bytes) -> Numbers:
    wide = codes.T.astype(np.float32)
    if leaves is None:
        return np.asarray(booster.predict(wide, num_threads=1), np.float32)
    at: Any = booster.predict(wide, num_threads=1, pred_leaf=True)
    return np.asarray(leaves[np.arange(len(leaves)), at].mean(1), np.float32)


def _people(contrast: Contrast, parts: list[int], most: int | None) -> tuple[Bytes, Numbers, Numbers]:
    """Bins, readings and weights of these parts; of each part's people evenly spaced ones beyond `most`."""
    n = sum(contrast.parts[part].stop - contrast.parts[part].start for part in parts)
    step = 1 if most is None else max(-(-n // most), 1)
    rows = [slice(contrast.parts[part].start, contrast.parts[part].stop, step) for part in parts]
    return (
        np.concatenate([contrast.codes[:, span] for span in rows], axis=1),
        np.concatenate([contrast.reading[span] for span in rows]),
        np.concatenate([contrast.weight[span] for span in rows]),
    )


def _train(codes: Bytes, label: Numbers, weight: Numbers, setting: dict[str, Any], trees: int) -> Booster:
    import lightgbm

    parameters = setting | {
        "objective": "regression", "boost_from_average": False, "min_data_in_leaf": max(int(LEAF * len(label)), 20),
        "min_sum_hessian_in_leaf": 0.0, "max_bin": 255, "min_data_in_bin": 1, "seed": 1, "deterministic": True,
        "force_row_wise": True, "num_threads": 1, "verbosity": -1,
    }  # fmt: skip
    data = lightgbm.Dataset(codes.T.astype(np.float32), label, weight=weight, params=parameters)
    return lightgbm.train(parameters, data, trees)


def boosted(
    contrast: Contrast, parts: list[int], base: Tables | None = None, most: int | None = None
) -> Trees:
    """Boosted trees on what the smooth sum leaves of the readings.

    The label is reading / V less the sum, with weight V: least squares with the noise's own variances.

    Args:
        contrast: The trial.
        parts: The parts to learn from.
        base: A fit of `smooth` or `paired` on these parts, or None to make one.
        most: At most so many people, evenly spaced; None for all.

    Returns:
        The model.

    Source: Kennedy, Electronic Journal of Statistics 17 (2023), algorithm 1, with Friedman's trees.
    """
    first = smooth(contrast, parts) if base is None else base
    codes, reading, weight = _people(contrast, parts, most)
    left = (reading - first.effect(codes, contrast.sizes, weight)) / weight
    booster = _train(codes, left, weight, BOOSTED, TREES)
    added = _grown(booster, None, codes[:, : 1 << 16])
    return Trees(first, booster.model_to_string(), None, float(np.var(added)))


def honest_forest(
    contrast: Contrast, parts: list[int], base: Tables | None = None, most: int | None = None
) -> Trees:
    """A forest on what the smooth sum leaves, grown by one half of the people and valued by the other.

    LightGBM grows the trees on histograms of the first half, each on a sample of it; a leaf's value is the
    weighted mean of the second half's people in it, shrunk by the noise that it has. Half of the parts are whole
    clusters, so that honesty holds by household.

    Args:
        contrast: The trial.
        parts: The parts to learn from, two or more.
        base: A fit of `smooth` or `paired` on these parts, or None to make one.
        most: At most so many people, evenly spaced; None for all.

    Returns:
        The model.

    Source: Wager & Athey, JASA 113 (2018), procedure 1; Athey, Tibshirani & Wager, Annals of Statistics 47 (2019).
    """
    first = smooth(contrast, parts) if base is None else base
    halves = [_people(contrast, parts[side::2], most) for side in (0, 1)]
    lefts = [
        (reading - first.effect(codes, contrast.sizes, weight)) / weight for codes, reading, weight in halves
    ]
    setting = FOREST | {"boosting": "rf", "bagging_fraction": 0.5, "bagging_freq": 1}
    booster = _train(halves[0][0], lefts[0], halves[0][2], setting, TREES)
    codes, _, weight = halves[1]
    at: Any = np.asarray(booster.predict(codes.T.astype(np.float32), num_threads=1, pred_leaf=True))
    size = int(FOREST["num_leaves"])
    where = (at + size * np.arange(at.shape[1])).ravel()
    heavy = np.repeat(weight.astype(np.float64), at.shape[1])
    total = np.bincount(where, weights=heavy, minlength=size * at.shape[1])
    value = np.bincount(where, weights=heavy * np.repeat(lefts[1], at.shape[1]), minlength=len(total))
    value = np.divide(value, total, out=np.zeros_like(value), where=total > 0)
    noise = float(np.mean(weight.astype(np.float64) * lefts[1].astype(np.float64) ** 2))
    error = np.divide(noise, total, out=np.zeros_like(total), where=total > 0)
    # What leaves differ by beyond their noise: the between-leaf variance that is believed.
    spread = max(float((total @ (value**2 - error)) / total.sum()), 0.0)
    leaves: Floats = np.asarray(value * spread / np.maximum(spread + error, 1e-300), np.float64)
    leaves = leaves.reshape(at.shape[1], size)
    return Trees(first, booster.model_to_string(), leaves, spread)
