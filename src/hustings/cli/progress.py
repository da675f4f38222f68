"""How a run goes: bars on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from hustings.flow import Observer


@contextmanager
def observing(*, quiet_output: bool = False) -> Iterator[Observer]:
    """An observer for `flow.run`.

    Args:
        quiet_output: Whether the standard output is kept for something else, so that all goes to the other.

    Yields:
        The observer; its bars are gone at the end.
    """
    stream = sys.stderr if quiet_output else sys.stdout
    if not stream.isatty():
        yield Lines(to_errors=quiet_output)
        return
    from hustings.cli.bars import bars

    with bars(stream) as observer:
        yield observer


def rows_in_words(rows: Mapping[str, int]) -> str:
    """What a node wrote.

    >>> rows_in_words({"lifts": 3}), rows_in_words({"scores": 1200, "models": 1, "rejects": 0})
    ('3 rows', 'scores 1,200, models 1')
    """
    if len(rows) == 1:
        return f"{sum(rows.values()):,} rows"
    return ", ".join(f"{name} {number:,}" for name, number in rows.items() if number) or "0 rows"


class Lines:
    """One line for every node that is done."""

    def __init__(self, *, to_errors: bool) -> None:
        """Where the lines go."""
        self._to_errors = to_errors

    def begin(self, run_id: str, stale: Sequence[str], fresh: int) -> None:
        """Say how much there is to do."""
        self._print(f"Run {run_id}: {len(stale)} to compute, {fresh} unchanged")

    def start(self, node: str) -> None:
        """Nothing: a line tells of what is done."""

    def finish(self, node: str, rows: Mapping[str, int], seconds: float) -> None:
        """Say what was written."""
        self._print(f"{node}: {rows_in_words(rows)} in {seconds:.1f} s")

    def _print(self, text: str) -> None:
        typer.echo(text, err=self._to_errors)
