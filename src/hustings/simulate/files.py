"""Columns ─► the bytes of a made-up source."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray


def lines(columns: Mapping[str, pa.Array], delimiter: str) -> list[str]:
    """One line of text for each row."""
    return list(pc.binary_join_element_wise(*columns.values(), delimiter).to_pylist())


def as_bytes(columns: Mapping[str, pa.Array], delimiter: str, rows: list[str]) -> bytes:
    """A file with a header."""
    return "\n".join([delimiter.join(columns), *rows, ""]).encode()


def ids(letter: str, numbers: NDArray[np.int64]) -> pa.Array:
    """`V0000001`, … ."""
    padded = pc.utf8_lpad(pa.array(numbers).cast(pa.string()), 7, "0")
    return pc.binary_join_element_wise(letter, padded, "")


def degrees(numbers: NDArray[np.float64]) -> pa.Array:
    """To five places; empty where there is no number."""
    return pc.fill_null(pc.round(pa.array(numbers, from_pandas=True), 5).cast(pa.string()), "")


def places(letter: str, numbers: NDArray[np.int64]) -> pa.Array:
    """`P0001`, … ."""
    return pick([f"{letter}{number + 1:04d}" for number in range(int(numbers.max()) + 1)], numbers)


def pick(words: list[str], index: NDArray[np.int64] | NDArray[np.bool_]) -> pa.Array:
    """The word of each row."""
    return pa.array(words, pa.string()).take(pa.array(index.astype(np.int64)))
