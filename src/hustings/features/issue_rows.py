"""Probabilities of issues ─► the rows of what each text, each person and each place speaks of."""

from __future__ import annotations

import datetime
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from hustings import stats
from hustings.features.coding import UNCLEAR, Floats, Integers

FEWEST = 20
"""People in a place, for its shares to be told."""
UNKNOWN, UNSURE = "no word of it is known", "too unsure"


class Texts(NamedTuple):
    """What people said: columns of `record_events` with the person and her larger place."""

    source: npt.NDArray[Any]
    event_id: npt.NDArray[Any]
    person_id: npt.NDArray[Any]
    region_id: npt.NDArray[Any]
    happened_at: npt.NDArray[Any]
    arrived_at: npt.NDArray[Any]
    text: npt.NDArray[Any]


class Coded(NamedTuple):
    """What texts are about.

    Attributes:
        coding: The section.
        as_of: The day.
        issues: The k issues.
        p: (n, k) their probabilities.
        known: (n,) whether a text has any word that is known.
        unclear_below: The threshold.
    """

    coding: str
    as_of: datetime.date
    issues: list[str]
    p: Floats
    known: npt.NDArray[np.bool_]
    unclear_below: float


def text_rows(said: Texts, coded: Coded) -> dict[str, Any]:
    """The rows of `text_issues`."""
    return {
        "source": said.source,
        "event_id": said.event_id,
        "person_id": said.person_id,
        **_named(coded, coded.p, coded.known),
        "happened_at": said.happened_at,
        "arrived_at": said.arrived_at,
    }


def person_rows(said: Texts, coded: Coded) -> dict[str, Any]:
    """The rows of `issues`: probabilities averaged over a person's texts that have a known word."""
    person, who = np.unique(said.person_id.astype(str), return_inverse=True)
    p, known, n_texts = averaged(who, len(person), coded)
    last = np.full(len(person), np.datetime64("0001-01-01", "D"))
    np.maximum.at(last, who, said.happened_at.astype("datetime64[D]"))
    return {
        "person_id": person.astype(object),
        **_named(coded, p, known),
        "n_texts": n_texts,
        "last_said_on": last,
    }


def averaged(who: Integers, n: int, coded: Coded) -> tuple[Floats, npt.NDArray[np.bool_], Integers]:
    """(n, k) mean probabilities of each person's texts with a known word, whether there is one, and (n,) texts."""
    weight = coded.known.astype(np.float64)
    n_known = np.bincount(who, weight, minlength=n)
    total = np.column_stack([np.bincount(who, column * weight, minlength=n) for column in coded.p.T])
    anything = n_known > 0
    blank = np.full(coded.p.shape[1], 1 / coded.p.shape[1])
    p = np.where(anything[:, None], total / np.maximum(n_known, 1)[:, None], blank)
    return p, anything, np.bincount(who, minlength=n).astype(np.int64)


def _named(coded: Coded, p: Floats, known: npt.NDArray[np.bool_]) -> dict[str, Any]:
    names = np.array(coded.issues, dtype=object)
    best, sure = names[p.argmax(1)], p.max(1)
    clear = known & (sure >= coded.unclear_below)
    why = np.full(len(p), UNKNOWN, dtype=object)
    why[known], why[clear] = UNSURE, None
    return {
        "coding": np.full(len(p), coded.coding, dtype=object),
        "as_of": np.full(len(p), coded.as_of, dtype=object),
        "issue": np.where(clear, best, UNCLEAR),
        "likeliest": best,
        "p_likeliest": sure,
        "reason": why,
    }


def share_rows(said: Texts, coded: Coded) -> dict[str, Any]:
    """The rows of `issue_shares`: everywhere, and each larger place with 20 people or more.

    The share is the mean probability, not the share of those called so: the latter is wrong whenever the issues
    that are taken for each other are not equally common.
    """
    person, first, who = np.unique(said.person_id.astype(str), return_index=True, return_inverse=True)
    p, known, _ = averaged(who, len(person), coded)
    region = said.region_id[first]
    places: list[tuple[str, npt.NDArray[np.bool_]]] = [("all", known)]
    regions = sorted({place for place in region.tolist() if place is not None})
    places += [(name, known & (region == name)) for name in regions]
    made: dict[str, list[Any]] = {
        name: [] for name in ("coding", "as_of", "region_id", "issue", "n_people", "share", "low", "high")
    }
    for place, there in places:
        if there.sum() < FEWEST:
            continue
        for i, issue in enumerate(coded.issues):
            found = stats.judging.mean_interval(p[there, i], np.arange(int(there.sum())))
            row = (coded.coding, coded.as_of, place, issue, int(there.sum()), found.estimate,
                   max(found.low, 0.0), min(found.high, 1.0))  # fmt: skip
            for column, value in zip(made.values(), row, strict=True):
                column.append(value)
    return made
