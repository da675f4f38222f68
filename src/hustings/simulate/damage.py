"""Rows of a voter file that cannot be collected, in numbers known beforehand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa

KINDS = ("bad date", "missing id", "duplicated id", "wrong number of columns")
SHARE = 0.0002


def damage_counts(people: int) -> dict[str, int]:
    """How many rows of each kind are added to a file of so many people: 2 in 10,000, at least one each.

    Args:
        people: Sound rows in the file.

    Returns:
        The number of rows by kind of damage.

    >>> damage_counts(50_000)
    {'bad date': 3, 'missing id': 3, 'duplicated id': 2, 'wrong number of columns': 2}
    """
    total = max(len(KINDS), round(people * SHARE))
    return {kind: (total + len(KINDS) - 1 - place) // len(KINDS) for place, kind in enumerate(KINDS)}


def damaged_rows(
    columns: Mapping[str, pa.Array], counts: Mapping[str, int], rng: np.random.Generator
) -> list[str]:
    """Lines that look like the file's own and cannot be collected; no sound row is touched.

    A duplicated id is a copy of a sound row, so that it does not matter which of the two is kept. The
    other kinds carry ids and households that the file does not otherwise have.

    Args:
        columns: The file's columns, texts; `voter_id`, `household_id` and `birth_date` among them.
        counts: How many rows of each kind.
        rng: Source of randomness.

    Returns:
        Lines, without line breaks.

    >>> names = ("voter_id", "household_id", "birth_date", "voted")
    >>> columns = {name: pa.array([name]) for name in names}
    >>> damaged_rows(columns, {"missing id": 1}, np.random.default_rng(1))
    [',HX000001,birth_date,voted']
    """
    n = len(columns["voter_id"])
    wanted = [kind for kind, count in counts.items() for _ in range(count)]
    like = pa.array(rng.choice(n, len(wanted), replace=False))
    rows = pa.table({name: column.take(like) for name, column in columns.items()}).to_pylist()
    return [
        _damaged(row, kind, serial) for serial, (row, kind) in enumerate(zip(rows, wanted, strict=True), 1)
    ]


def shuffled_in(lines: Sequence[str], damaged: Sequence[str], rng: np.random.Generator) -> list[str]:
    """Damaged lines at random places among the sound ones, which keep their order.

    Args:
        lines: Sound lines.
        damaged: Damaged lines.
        rng: Source of randomness.

    Returns:
        All of them.

    >>> shuffled_in(["a", "b"], ["x"], np.random.default_rng(1))
    ['a', 'x', 'b']
    """
    at = np.sort(rng.integers(0, len(lines) + 1, len(damaged)))
    whole: list[str] = []
    done = 0
    for position, line in zip(at.tolist(), damaged, strict=True):
        whole += lines[done:position]
        whole.append(line)
        done = position
    return whole + list(lines[done:])


def _damaged(row: dict[str, str], kind: str, serial: int) -> str:
    if kind == "duplicated id":
        return ",".join(row.values())
    row["household_id"] = f"HX{serial:06d}"
    row["voter_id"] = "" if kind == "missing id" else f"VX{serial:06d}"
    if kind == "bad date":
        row["birth_date"] = f"31/02/{row['birth_date'][-4:]}"
    line = ",".join(row.values())
    if kind != "wrong number of columns":
        return line
    return f"{line},Y" if serial % 2 else line.rsplit(",", 2)[0]
