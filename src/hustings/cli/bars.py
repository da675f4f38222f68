"""Progress on a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TextIO

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)

from hustings.cli.progress import rows_in_words


@contextmanager
def bars(stream: TextIO) -> Iterator[Bars]:
    """An observer that draws on a terminal while the context lasts."""
    progress = Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=Console(file=stream, highlight=False),
        transient=True,
    )
    with progress:
        yield Bars(progress)


class Bars:
    """One bar for the run; above it a line for every node that is done."""

    def __init__(self, progress: Progress) -> None:
        """The progress to draw on."""
        self._progress = progress
        self._task = progress.add_task("looking for what has changed", total=None)

    def begin(self, run_id: str, stale: Sequence[str], fresh: int) -> None:
        """Say how much there is to do."""
        line = f"Run {run_id}: {len(stale)} to compute, {fresh} unchanged"
        self._progress.console.print(line, markup=False)
        self._progress.update(self._task, total=len(stale), completed=0)

    def start(self, node: str) -> None:
        """Name what is being computed."""
        self._progress.update(self._task, description=node)

    def finish(self, node: str, rows: Mapping[str, int], seconds: float) -> None:
        """Say what was written, and go one further."""
        line = f"{node:<28} {rows_in_words(rows):>28} {seconds:8.1f} s"
        self._progress.console.print(line, markup=False)
        self._progress.advance(self._task)
