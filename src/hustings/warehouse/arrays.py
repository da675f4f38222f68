"""From tables to arrays, for the statistics."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt


class Codes(NamedTuple):
    """A column of texts as integers.

    Attributes:
        codes: (n,) integers from 0, -1 where null.
        labels: The text of each code.
    """

    codes: npt.NDArray[np.int64]
    labels: list[str]


def arrays(table: Any, *names: str) -> dict[str, npt.NDArray[Any]]:
    """The columns of an expression as arrays of equal length.

    Args:
        table: An Ibis table.
        names: The columns; all of them when none is named.

    Returns:
        Numbers and booleans with nulls as floats with NaN; texts and days as objects with None.

    >>> import ibis
    >>> arrays(ibis.memtable({"a": [1, 2]}), "a")["a"].tolist()
    [1, 2]
    """
    wanted = names or tuple(table.columns)
    found = table.select(*wanted).to_pyarrow()
    return {name: _array(found[name]) for name in wanted}


def count(table: Any) -> int:
    """The number of rows of an expression.

    >>> import ibis
    >>> count(ibis.memtable({"a": [1, 2]}))
    2
    """
    return int(table.count().to_pyarrow().as_py())


def _array(column: Any) -> npt.NDArray[Any]:
    import pyarrow as pa

    chunk = column.combine_chunks()
    kind = chunk.type
    if pa.types.is_boolean(kind) and not chunk.null_count:
        return np.asarray(chunk.to_numpy(zero_copy_only=False), dtype=bool)
    if pa.types.is_boolean(kind):
        return np.asarray(chunk.cast(pa.int8()).to_numpy(zero_copy_only=False), dtype=np.float64)
    return np.asarray(chunk.to_numpy(zero_copy_only=False))


def codes(texts: npt.NDArray[Any], labels: list[str] | npt.NDArray[Any] | None = None) -> Codes:
    """Texts as integer codes.

    Args:
        texts: (n,) texts, None where null.
        labels: The order of the codes; sorted when not given. A text that is not among them gets -1.

    Returns:
        The codes and their labels.

    >>> codes(np.array(["b", "a", None, "b"], dtype=object)).codes.tolist()
    [1, 0, -1, 1]
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    column = pa.array(texts, pa.string(), from_pandas=True)
    order = pc.unique(column.drop_null()).sort() if labels is None else pa.array(labels, pa.string())
    found = pc.index_in(column, value_set=order)
    return Codes(np.asarray(found.fill_null(-1).to_numpy(zero_copy_only=False), np.int64), order.to_pylist())
