"""How a score does by age, sex, place, and every column that the campaign protects."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import numpy.typing as npt

from hustings import stats
from hustings.errors import DesignError
from hustings.scores.declared import Question
from hustings.scores.learning import Floats, Learning
from hustings.scores.snapshot import FEATURES, Tables
from hustings.warehouse import arrays, codes

AGES = ((18.0, "under 30"), (30.0, "30 to 44"), (45.0, "45 to 64"), (65.0, "65 and older"))
MOST = 8
"""Groups of one column; the rest, the smaller ones, are one group."""
_OWN = ("age", "sex", "place")
_UNKNOWN = "not known"


def protected_columns(
    tables: Tables, question: Question, names: list[str], person_id: npt.NDArray[Any]
) -> dict[str, npt.NDArray[Any]]:
    """The columns that the campaign protects, that are no features.

    Args:
        tables: The warehouse's tables.
        question: What is predicted.
        names: A column of `features` or `people`, or the name of an event of kind `attribute`, whose item
            is the group.
        person_id: (n,) the people.

    Returns:
        By name the group of each, None where it is not known.

    Raises:
        DesignError: Nothing has that name.
    """
    found = {}
    for name in names:
        if name in FEATURES and name not in ("person_id", "as_of"):
            continue
        told = tables.events.filter((tables.events.kind == "attribute") & (tables.events.name == name))
        told = told.filter(told.item.notnull()).group_by("person_id").agg(group=told.item.max())
        if name in tables.people.columns and name not in ("person_id", "household_id", "arrived_at"):
            told = tables.people.select("person_id", group=tables.people[name].cast("string"))
        rows = arrays(told, "person_id", "group")
        if not len(rows["person_id"]):
            raise DesignError.unknown(
                f"[scores.{question.score}] protected: no column, and no attribute that was collected,",
                name,
                [*FEATURES, "sex", "party", "place_id", "region_id"],
                "collect it as events of kind attribute, with the group as item",
            )
        at = codes(person_id, rows["person_id"]).codes
        group = np.full(len(person_id), None, dtype=object)
        group[at >= 0] = rows["group"][at[at >= 0]]
        found[name] = group
    return found


def groups_of(
    learning: Learning, judged: Floats, losses: Floats, protected: dict[str, npt.NDArray[Any]]
) -> list[dict[str, Any]]:
    """Error and calibration in each group of the people who are judged.

    Args:
        learning: Whom was learned from.
        judged: (k,) scores of those of the latest day.
        losses: (k,) their losses.
        protected: By name the group of each of the n people.

    Returns:
        One entry a group: column, group, n, observed, predicted, gap with its interval, loss, AUC.
    """
    at = learning.latest
    y, household = learning.y[at], learning.household[at]
    columns = {
        "age": _ages(learning.columns["age"]),
        "sex": learning.columns["sex"],
        "place": _place(learning),
    }
    found: list[dict[str, Any]] = []
    for name, values in (columns | protected).items():
        named, labels = _coded(values[at], ordered=name == "age")
        judgements = stats.judging.judge_groups(y, judged, losses, named, household, n_groups=len(labels))
        if len(labels) < 2 and name in _OWN:
            continue
        found += [
            {
                "column": name,
                "group": label,
                "n": group.n,
                "observed": _number(group.observed),
                "predicted": _number(group.predicted),
                "gap": _number(group.gap.estimate),
                "gap_low": _number(group.gap.low),
                "gap_high": _number(group.gap.high),
                "loss": _number(group.loss.estimate),
                "loss_error": _number(group.loss.std_error),
                "auc": _number(group.auc),
            }
            for label, group in zip(labels, judgements, strict=True)
            if group.n
        ]
    return found


def as_groups(column: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """A feature as groups: words as they are, yes or no in words, numbers in quarters.

    Args:
        column: (n,) numbers, booleans or texts.

    Returns:
        (n,) texts, None where not known.

    >>> as_groups(np.array([True, False])).tolist()
    ['yes', 'no']
    """
    if column.dtype == object:
        return column
    values = np.asarray(column, np.float64)
    known = values[~np.isnan(values)]
    found = np.full(len(values), None, dtype=object)
    if len(known) and np.isin(known, (0.0, 1.0)).all():
        found[values == 1], found[values == 0] = "yes", "no"
    elif len(known):
        edges = np.unique(np.quantile(known, [0.25, 0.5, 0.75]))
        bins = np.searchsorted(edges, values, side="right")
        ends = [f"{edge:.4g}" for edge in edges]
        names = [f"below {ends[0]}", *(f"{a} to {b}" for a, b in itertools.pairwise(ends))]
        words = np.array([*names, f"{ends[-1]} and more"], dtype=object)
        found[~np.isnan(values)] = words[bins[~np.isnan(values)]]
    return found


def _ages(age: npt.NDArray[Any]) -> npt.NDArray[Any]:
    values = np.asarray(age, np.float64)
    bins = np.searchsorted([start for start, _ in AGES[1:]], values, side="right")
    found = np.array([name for _, name in AGES], dtype=object)[bins]
    found[np.isnan(values)] = None
    return np.asarray(found, dtype=object)


def _place(learning: Learning) -> npt.NDArray[Any]:
    """The larger places, or the smallest where no larger are told apart; by their size where all are tiny."""
    region, place = learning.columns["region_id"], learning.columns["place_id"]
    if len(codes(region).labels) > 1:
        return region
    known = codes(place).codes
    if not (known >= 0).any() or np.bincount(known[known >= 0]).max() >= stats.judging.SMALLEST:
        return place
    sizes = as_groups(np.asarray(learning.columns["place_people"], np.float64))
    return np.array([None if size is None else f"places of {size} people" for size in sizes], dtype=object)


def _coded(values: npt.NDArray[Any], *, ordered: bool) -> tuple[npt.NDArray[np.int64], list[str]]:
    """Codes and names of the groups: the largest ones, all the others, and whoever is not known."""
    found = codes(values)
    counts = np.bincount(found.codes[found.codes >= 0], minlength=len(found.labels))
    chosen = np.argsort(-counts, kind="stable")[:MOST]
    kept = [found.labels[code] for code in chosen]
    if ordered:
        names = [name for _, name in AGES]
        kept = sorted(kept, key=names.index)
    others, unknown = len(kept), len(kept) + (len(found.labels) > len(kept))
    place = np.full(len(found.labels) + 1, others)
    for code, label in enumerate(found.labels):
        if label in kept:
            place[code] = kept.index(label)
    place[-1] = unknown
    labels = [*kept, *(["all others"] if unknown > others else []), _UNKNOWN]
    return place[found.codes], labels if (found.codes < 0).any() else labels[:-1]


def _number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
