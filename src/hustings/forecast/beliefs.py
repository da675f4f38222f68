"""Earlier elections, fundamentals and features ─► what is believed before this year's polls are read.

Nothing of the year being forecast is used, nor of a later one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np

from hustings.forecast.tree import Tree
from hustings.stats.polls import Prior, Scales
from hustings.stats.races import FloatArray

Row = Mapping[str, Any]


class Beliefs(NamedTuple):
    """What the model starts from.

    Attributes:
        prior: Logit of our share of the two in every leaf.
        correlation: Of walks and shared errors between leaves.
        scales: The model's standard deviations.
        basis: What it rests on, in a sentence.
    """

    prior: Prior
    correlation: FloatArray
    scales: Scales
    basis: str


def votes_expected(tree: Tree, results: Iterable[Row], year: int, choices: tuple[str, ...]) -> FloatArray:
    """(p,) votes expected in each leaf: given, or those for the choices at the latest election before."""
    cast = _totals(tree, results, year, choices)
    votes = tree.votes[: tree.n_leaves].copy()
    return np.where(np.isnan(votes), cast, votes)


def _totals(tree: Tree, results: Iterable[Row], year: int, choices: tuple[str, ...]) -> FloatArray:
    number = {place: i for i, place in enumerate(tree.leaves)}
    latest: dict[int, tuple[int, float]] = {}
    for row in results:
        i = number.get(str(row["place_id"]))
        if i is None or row["year"] >= year or row["choice"] not in choices:
            continue
        at, votes = latest.get(i, (0, 0.0))
        if row["year"] >= at:
            latest[i] = (row["year"], row["votes"] + (votes if row["year"] == at else 0.0))
    return np.array([latest.get(i, (0, np.nan))[1] for i in range(tree.n_leaves)])


def believe(tree: Tree, tables: Mapping[str, list[Row]], year: int, choices: tuple[str, str], votes: FloatArray) -> Beliefs:
    """PLACEHOLDER until stats has the fundamentals."""
    number = {place: i for i, place in enumerate(tree.leaves)}
    cast = np.full((2, tree.n_leaves), np.nan)
    last = max((r["year"] for r in tables["results"] if r["year"] < year), default=0)
    for row in tables["results"]:
        if row["year"] == last and row["choice"] in choices and row["place_id"] in number:
            cast[choices.index(row["choice"]), number[row["place_id"]]] = row["votes"]
    mean = np.log(cast[0] / cast[1])
    mean = np.where(np.isnan(mean), 0.0, mean)
    p = tree.n_leaves
    correlation = 0.5 * np.eye(p) + 0.5
    return Beliefs(Prior(mean, 0.012 + 0.02 * np.eye(p)), correlation, Scales(), "placeholder")
