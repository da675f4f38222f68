"""Snapshots of one or several days ─► whom a score is learned from, as arrays."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from hustings.errors import DesignError
from hustings.scores.declared import Question
from hustings.scores.snapshot import FEATURES, VENDOR, Snapshot, Tables, past_names, snapshot
from hustings.warehouse import Matrix, codes, matrix

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
_FEW = 10
"""People of the rarer class, for each fold."""
_CATEGORIES = 10
FEW_PLACES = 50
"""With fewer places than these whole ones cannot be held out: too few are left to learn from."""
_OF_PLACES = ("place_share_voted", "place_age", "place_people")


class Rival(NamedTuple):
    """What a score must beat: its name, and its number or numbers for each person, NaN where it has none."""

    name: str
    design: npt.NDArray[np.float32]


class Learning(NamedTuple):
    """Who is learned from, and what is known of them.

    Attributes:
        person_id: (n,) the people, those of several days once for each.
        y: (n,) 0 or 1, or an amount.
        household: (n,) codes; a household is learned from or judged, never both.
        known: Their features as of the day of training.
        rivals: The rule of thumb first; a vendor's score after it.
        day: (n,) which day of training, 0 the earliest.
        place: (n,) codes of the smallest place, -1 where not known.
        places: The place of each code.
        columns: Everything that was read of them, by name.
        n_unknown: People left out because an amount is missing.
        standing: Whether what is predicted stands for some time, as an answer does: what neighbours have
            answered is known before the others are asked.
    """

    person_id: npt.NDArray[Any]
    y: Floats
    household: Integers
    known: Matrix
    rivals: tuple[Rival, ...]
    day: Integers
    place: Integers
    places: list[str]
    columns: dict[str, npt.NDArray[Any]]
    n_unknown: int
    standing: bool = False

    @property
    def latest(self) -> npt.NDArray[np.bool_]:
        """Who is described as of the latest day: they are judged."""
        return np.asarray(self.day == (self.day.max() if len(self.day) else 0))


def default_rule(question: Question) -> str:
    """The rule of thumb that the field goes by.

    Args:
        question: What is predicted.

    Returns:
        Vote history for an outcome or a vote, the party for an answer, how recently for an event, and the
        last amount for an amount.
    """
    if question.answer is not None and not question.amount:
        return "party"
    if question.own is None or question.own.kind == "vote":
        return "share_voted"
    return past_names(question)[3 if question.amount else 1]


def check_rule(question: Question, rule: str) -> None:
    """Refuse a rule of thumb that no column tells.

    Raises:
        DesignError: With the nearest column.
    """
    known = (*FEATURES, *past_names(question), *question.also_known)
    if rule not in known or rule in ("person_id", "as_of"):
        raise DesignError.unknown(f"[scores.{question.score}] rule: no feature", rule, known)


def learn(
    tables: Tables, question: Question, rule: str, vendor: str | None, *, vendor_is_feature: bool
) -> tuple[Learning, Snapshot]:
    """The people that a score is learned from, and the latest snapshot whole.

    Args:
        tables: The warehouse's tables.
        question: What is predicted.
        rule: The column that the field goes by.
        vendor: A vendor's score to be beaten too, or None.
        vendor_is_feature: Whether the model may use it.

    Returns:
        Whoever's label is known and whom no test has written to; and everybody of the latest day.
    """
    shots = [snapshot(tables, question, day, vendor) for day in question.trained]
    kept = [~np.isnan(shot.columns["label"]) & ~shot.columns["treated"] for shot in shots]
    columns = {
        name: np.concatenate([shot.columns[name][keep] for shot, keep in zip(shots, kept, strict=True)])
        for name in shots[0].columns
    }
    places = codes(columns["place_id"])
    standing = question.answer is not None
    known = seen(columns, question, vendor_is_feature=vendor_is_feature)
    if len(shots) == 1 and not standing and len(places.labels) < FEW_PLACES:
        # They would tell places apart, and so what neighbours did on the day that is judged.
        known = {name: column for name, column in known.items() if name not in _OF_PLACES}
    made = Learning(
        columns["person_id"],
        np.asarray(columns["label"], np.float64),
        codes(columns["household_id"]).codes,
        matrix(known),
        rivals(columns, rule, vendor),
        np.repeat(np.arange(len(shots)), [int(keep.sum()) for keep in kept]),
        places.codes,
        places.labels,
        columns,
        sum(shot.n_unknown for shot in shots),
        standing,
    )
    return made, shots[-1]


def seen(columns: dict[str, Any], question: Question, *, vendor_is_feature: bool) -> dict[str, Any]:
    """The columns that a model may see."""
    more = (*past_names(question), *question.also_known, *((VENDOR,) if vendor_is_feature else ()))
    return {name: columns[name] for name in (*FEATURES, *more)}


def rivals(columns: dict[str, npt.NDArray[Any]], rule: str, vendor: str | None) -> tuple[Rival, ...]:
    """The rule of thumb, and the vendor's score where there is one.

    Args:
        columns: What was read of the people.
        rule: The rule's column: a number, a yes or no, or a text.
        vendor: The vendor's score, or None.

    Returns:
        Each with its numbers: of a text one for each of its commonest values.
    """
    found = [Rival(rule, _design(columns[rule]))]
    return (*found, Rival(vendor, _design(columns[VENDOR]))) if vendor is not None else tuple(found)


def _design(column: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    if column.dtype != object:
        return np.asarray(column, np.float32)[:, None]
    texts = codes(column)
    counts = np.bincount(texts.codes[texts.codes >= 0], minlength=len(texts.labels))
    common = np.argsort(-counts, kind="stable")[:_CATEGORIES]
    return np.column_stack([texts.codes == code for code in common] or [texts.codes == 0]).astype(np.float32)


def why_not(learning: Learning, question: Question, folds: int) -> str | None:
    """Why nothing can be learned, or None.

    Args:
        learning: Whom it would be learned from.
        question: What is predicted.
        folds: Parts.

    Returns:
        The reason.
    """
    y, of = learning.y, question.of
    if not len(y):
        return f"nobody outside a treated arm has the outcome {of} after the day of training"
    reason = _amounts(y, of, folds) if question.amount else _classes(y, of, folds)
    if reason is not None:
        return reason
    if learning.latest.all() and len(question.trained) > 1:
        return f"nobody outside a treated arm has the outcome {of} after an earlier day of training"
    if not learning.known.names:
        return "nothing is known of the people that is not the same for all of them"
    if len(np.unique(learning.household)) < 2 * folds:
        return f"fewer than {2 * folds} households: too few to learn from and to judge"
    return None if question.amount else _separated(learning, of)


def _classes(y: Floats, of: str, folds: int) -> str | None:
    if not np.isin(y, (0.0, 1.0)).all():
        return f"{of} is not yes or no"
    rarer = int(min(y.sum(), len(y) - y.sum()))
    if rarer == 0:
        return f"everybody has the same outcome of {of}: {len(y):,} people, all {'yes' if y[0] else 'no'}"
    if rarer < _FEW * folds:
        return f"only {rarer} people differ from all others in {of}: too few to learn from and to judge"
    return None


def _amounts(y: Floats, of: str, folds: int) -> str | None:
    infinite, negative, some = int(np.isinf(y).sum()), int((y < 0).sum()), int((y > 0).sum())
    if infinite:
        return f"{infinite:,} amounts of {of} are infinite"
    if negative:
        return f"{negative:,} amounts of {of} are below nought"
    if some < _FEW * folds:
        return f"only {some} people have an amount of {of} above nought: too few to learn from and to judge"
    return None


def _separated(learning: Learning, of: str) -> str | None:
    """A column that tells the outcome apart perfectly was written after the fact, or is the outcome."""
    ones = learning.y == 1
    for j, name in enumerate(learning.known.names):
        column = learning.known.values[:, j]
        gone = np.isnan(column)
        if np.array_equal(gone, ones) or np.array_equal(gone, ~ones):
            return f"whether {name} is known tells {of} perfectly: it was probably written after the fact"
        if gone.any():
            continue
        yes, no = column[ones], column[~ones]
        if yes.min() > no.max() or yes.max() < no.min():
            return f"{name} tells {of} perfectly: it was probably written after the fact"
    return None
