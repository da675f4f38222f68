"""The table `features` as a matrix, the same way for every department that learns from it."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from hustings.warehouse.arrays import arrays

_NOT_NUMBERS = ("person_id", "as_of", "party", "issue", "vote_pattern")


class Matrix(NamedTuple):
    """Features as numbers.

    Attributes:
        values: (n, p) floats; NaN where a feature is not known.
        names: The p names: a column of `features`, `party=X`, `issue=X` or `vote_k` for the k-th latest election.
    """

    values: npt.NDArray[np.float32]
    names: tuple[str, ...]


def matrix(rows: Any, names: tuple[str, ...] | None = None) -> Matrix:
    """The features of each row, in the order of the rows.

    Args:
        rows: An Ibis table with the columns of `features`, or those columns as arrays.
        names: The names of an earlier matrix, to get the same columns; found in the rows when None.

    Returns:
        The matrix. Columns that are constant or never known are left out when `names` is None.

    >>> rows = {"age": np.array([30.0, 50.0]), "vote_pattern": np.array(["10", "11"], dtype=object)}
    >>> matrix(rows).names
    ('age', 'vote_2')
    """
    given = rows if isinstance(rows, dict) else arrays(rows)
    found: dict[str, npt.NDArray[np.float32]] = {}
    for name, column in given.items():
        if name in ("party", "issue"):
            found |= _words(name, column, names)
        elif name == "vote_pattern":
            found |= _votes(column)
        elif name not in _NOT_NUMBERS and column.dtype != object:
            found[name] = np.asarray(column, np.float32)
    if names is None:
        names = tuple(name for name, column in found.items() if _varies(column))
    nothing = np.full(len(next(iter(given.values()))), np.nan, np.float32)
    values = (
        np.column_stack([found.get(name, nothing) for name in names]) if names else nothing[:, None][:, :0]
    )
    return Matrix(values, names)


def _varies(column: npt.NDArray[np.float32]) -> bool:
    known = column[~np.isnan(column)]
    return bool(len(known)) and bool(known.min() < known.max())


def _words(
    name: str, column: npt.NDArray[Any], names: tuple[str, ...] | None
) -> dict[str, npt.NDArray[np.float32]]:
    words = [given.removeprefix(f"{name}=") for given in names or () if given.startswith(f"{name}=")]
    if names is None:
        counts = {word: int(np.sum(column == word)) for word in set(column.tolist()) - {None}}
        # The commonest is what the others are compared to, of issues nothing said; those of under one in a hundred
        # are not told apart.
        common = sorted(counts, key=lambda word: (-counts[word], word))[0 if name == "issue" else 1 :]
        words = [word for word in common if counts[word] >= 0.01 * len(column)]
    return {f"{name}={word}": (column == word).astype(np.float32) for word in words}


def _votes(column: npt.NDArray[Any]) -> dict[str, npt.NDArray[np.float32]]:
    known = column[column != np.array(None)] if len(column) else column
    length = max((len(text) for text in set(known.tolist())), default=0)
    texts = np.array(["" if text is None else text for text in column], dtype=f"U{max(length, 1)}")
    letters = texts.view("U1").reshape(len(texts), -1) if len(texts) else np.empty((0, length), "U1")
    votes: dict[str, npt.NDArray[np.float32]] = {}
    for place in range(length):
        mark = letters[:, place]
        votes[f"vote_{place + 1}"] = np.where(mark == "1", 1.0, np.where(mark == "0", 0.0, np.nan)).astype(
            np.float32
        )
    return votes
