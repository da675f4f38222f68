"""How much: the chance of an amount above nought times its expected size, brought to the level that was seen."""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np

from hustings import stats
from hustings.scores.fit import LINE, RIDGE, TREES, Fit
from hustings.scores.learning import Floats, Integers, Learning
from hustings.scores.parts import Learner, Parts, Rows, Values, crossed, parts

_SIZE_LINE = "ridge regression of log amounts"


def fit_amounts(learning: Learning, folds: int, rng: np.random.Generator) -> Fit:
    """Expected amounts, in two parts: how likely any amount is, and how large it then is.

    Each part is the better, out of sample, of boosted trees and a regularised regression. The expected log is
    brought back by smearing, and the product by its level and slope, so that totals are right.

    Args:
        learning: Whom is learned from; amounts of at least 0, dozens of them above.
        folds: Parts, made of whole places or households.
        rng: Source of the parts and of the trees' seeds.

    Returns:
        The model and its out-of-sample predictions; its losses are deviances.
    """
    x, y = learning.known.values, learning.y
    split = parts(learning, folds, rng)
    home = split.group
    first, some = split.inner >= 0, y > 0
    grown = _trees(x, y, home, first, rng)
    learners = _products(x, y, home, grown, int(rng.integers(2**31 - 1)))
    thumbs = [_thumb(rival.design, y) for rival in learning.rivals]
    designs = [rival.design for rival in learning.rivals]
    every: list[Learner] = [*learners.values(), *thumbs]
    xs = [*[x] * len(learners), *designs]
    raw = crossed(every, xs, split)
    losses = {
        name: float(stats.amounts.deviance(y[first], m[first]).mean())
        for name, m in zip(learners, raw, strict=False)
    }
    learner = min(losses, key=lambda name: losses[name])
    found, ruled = raw[list(learners).index(learner)], raw[len(learners) :]
    judged = _levelled(found, y, split)
    at = split.latest
    level = stats.amounts.fit_level(y[at], found[at])
    whole, explain, text = _whole(learner, x, y, home, grown, some)
    return Fit(
        learner,
        lambda new, _place: level.apply(whole(new)),
        explain,
        np.where(at, judged, np.nan),
        tuple(np.where(at, m, np.nan) for m in ruled),
        losses,
        None,
        json.dumps(text | {"features": learning.known.names, "level": [level.intercept, level.slope]}),
        split.of_places,
    )


Grown = tuple[int, int]
"""Trees of the chance, and of the size; 0 where everybody has an amount."""


def _trees(x: Values, y: Floats, home: Integers, rows: Rows, rng: np.random.Generator) -> Grown:
    some = rows & (y > 0)
    size = stats.trees.fit_boosted(
        x[some], np.log(y[some]), rng=rng, cluster=home[some], objective="regression"
    ).n_trees
    if (y[rows] > 0).all():
        return 0, size
    return stats.trees.fit_boosted(x[rows], y[rows] > 0, rng=rng, cluster=home[rows]).n_trees, size


def _products(x: Values, y: Floats, home: Integers, grown: Grown, seed: int) -> dict[str, Learner]:
    """Each way to make the chance with each way to make the size."""
    chances = {name: _chance(name, grown[0], seed) for name in (TREES, LINE)} if grown[0] else {"": None}
    sizes = {name: _size(name, grown[1], seed) for name in (TREES, _SIZE_LINE)}

    def product(chance: Callable[..., Floats] | None, size: Callable[..., Floats]) -> Learner:
        def learner(rows: Rows, new: Values) -> Floats:
            some = rows & (y > 0)
            # Smeared on the other half: what was fitted to looks closer than it is.
            expected = np.exp(size(x[some], y[some], new)) * _smear(x[some], y[some], home[some], size)
            return expected if chance is None else expected * chance(x[rows], y[rows] > 0, new)

        return learner

    return {
        f"{name}, {of}" if name else of: product(chance, size)
        for name, chance in chances.items()
        for of, size in sizes.items()
    }


def _smear(x: Values, y: Floats, home: Integers, size: Callable[..., Floats]) -> float:
    half = home % 2 == 0
    if min(half.sum(), (~half).sum()) < 20:
        return stats.amounts.smearing(y, size(x, y, x))
    told = np.empty(len(y))
    for inside in (half, ~half):
        told[inside] = size(x[~inside], y[~inside], x[inside])
    return stats.amounts.smearing(y, told)


def _chance(name: str, n_trees: int, seed: int) -> Callable[..., Floats]:
    def chance(x: Values, some: Rows, new: Values) -> Floats:
        if name == LINE:
            return stats.logistic.fit_logistic(x, some, ridge=RIDGE).predict(new)
        rng = np.random.default_rng(seed)
        return stats.trees.fit_boosted(x, some, rng=rng, n_trees=n_trees).predict(new)

    return chance


def _size(name: str, n_trees: int, seed: int) -> Callable[..., Floats]:
    def size(x: Values, y: Floats, new: Values) -> Floats:
        if name == _SIZE_LINE:
            return stats.amounts.fit_log_amounts(x, y, ridge=RIDGE).predict(new)
        rng = np.random.default_rng(seed)
        fit = stats.trees.fit_boosted(x, np.log(y), rng=rng, n_trees=n_trees, objective="regression")
        return fit.predict(new)

    return size


def _thumb(design: Values, y: Floats) -> Learner:
    # One number has bins; of the words of a text each is one.
    by = design[:, 0] if design.shape[1] == 1 else design @ np.arange(1, design.shape[1] + 1)

    def thumb(rows: Rows, new: Values) -> Floats:
        told = new[:, 0] if new.shape[1] == 1 else new @ np.arange(1, new.shape[1] + 1)
        return stats.amounts.bin_means(y[rows], by[rows], told)

    return thumb


def _levelled(m: Floats, y: Floats, split: Parts) -> Floats:
    """Each part brought to the level that the others show."""
    found = np.full(len(m), np.nan)
    for others, inside in split.pairs():
        found[inside] = stats.amounts.fit_level(y[others], m[others]).apply(m[inside])
    return found


def _whole(
    learner: str, x: Values, y: Floats, home: Integers, grown: Grown, some: Rows
) -> tuple[Callable[[Values], Floats], Callable[[Values], Floats], dict[str, str]]:
    """The model of everybody: its predictions, its contributions to the log of an amount, its text."""
    how, _, of = learner.rpartition(", ")
    rng = np.random.default_rng(0)
    smear = _smear(x[some], y[some], home[some], _size(of, grown[1], 0))
    text = {"learner": learner, "smearing": json.dumps(smear)}
    if of == _SIZE_LINE:
        line = stats.amounts.fit_log_amounts(x[some], y[some], ridge=RIDGE)
        size, add = line.predict, _linear(line.base)
        text["size"] = line.to_json()
    else:
        trees = stats.trees.fit_boosted(
            x[some], np.log(y[some]), rng=rng, n_trees=grown[1], objective="regression"
        )
        size, add = trees.predict, trees.contributions
        text["size"] = trees.to_text()
    if not how:
        return lambda new: smear * np.exp(size(new)), add, text
    chance, chance_add, text["chance"] = _whole_chance(how, x, some, grown)

    def explain(new: Values) -> Floats:
        # Of the log of chance times size: d ln p / d log-odds is 1 - p.
        return (1 - chance(new))[:, None] * chance_add(new) + add(new)

    return lambda new: smear * np.exp(size(new)) * chance(new), explain, text


def _linear(line: stats.logistic.Logistic) -> Callable[[Values], Floats]:
    return lambda new: stats.contributions.linear_contributions(line, new)


def _whole_chance(
    how: str, x: Values, some: Rows, grown: Grown
) -> tuple[Callable[[Values], Floats], Callable[[Values], Floats], str]:
    if how == LINE:
        line = stats.logistic.fit_logistic(x, some, ridge=RIDGE)
        return line.predict, _linear(line), line.to_json()
    trees = stats.trees.fit_boosted(x, some, rng=np.random.default_rng(0), n_trees=grown[0])
    return trees.predict, trees.contributions, trees.to_text()
