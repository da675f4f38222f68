"""Where a command begins and where every error ends."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated

import typer

from hustings.cli import (
    backtest,
    brief,
    check,
    data,
    decide,
    demo,
    design,
    explain,
    export,
    init,
    run,
    season,
    send,
    settings,
    show,
    tidy,
)
from hustings.cli.options import Folder
from hustings.errors import HustingsError

# OpenBLAS's threads spin while they wait for each other: where other programs use the same cores, effects took
# 81 s with two of them and 17 s with one.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

TRACEBACK = "HUSTINGS_TRACEBACK"
INTERRUPTED = 130

app = typer.Typer(
    name="hustings",
    no_args_is_help=True,
    add_completion=False,
    # Plain help: Rich would triple the time that `hustings --help` takes.
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
for command in (
    init.init,
    demo.demo,
    check.check,
    run.run,
    show.show,
    explain.explain,
    design.design,
    brief.brief,
    decide.decide,
    backtest.backtest,
    export.export,
    season.season,
    send.send,
    settings.settings,
    tidy.tidy,
):
    app.command()(command)
app.add_typer(data.app, name="data")


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"hustings {version('hustings')}")
        raise typer.Exit


@app.callback()
def hustings(
    folder: Folder = None,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """A campaign's analytics department: whom to reach, what works, where the next dollar goes.

    Example: hustings demo
    """


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the only place that catches everything.

    Args:
        arguments: As on the command line, without the program's name; those of this process when None.

    Returns:
        The exit code: 0, 1 for an error, 2 for a command that is not understood, 130 when interrupted.
    """
    interrupted: list[int] = []
    try:
        with _noticing_interrupts(interrupted):
            typer.main.get_command(app)(
                args=None if arguments is None else list(arguments), prog_name="hustings"
            )
        return 0
    except SystemExit as end:
        if not interrupted and end.code != INTERRUPTED:
            return _flushed(end.code if isinstance(end.code, int) else 0 if end.code is None else 1)
    except KeyboardInterrupt:
        interrupted.append(signal.SIGINT)
    except HustingsError as error:
        if not interrupted:
            return _told(error)
    except Exception as error:  # noqa: BLE001
        if not interrupted:
            return _unexpected(error)
    _print_error("Interrupted. Everything that was committed is kept; `hustings run` goes on from there.")
    return INTERRUPTED


@contextmanager
def _noticing_interrupts(noticed: list[int]) -> Iterator[None]:
    """Remember an interrupt: a library that is at work may turn it into an error of its own."""

    def notice(number: int, _: object) -> None:
        noticed.append(number)
        raise KeyboardInterrupt

    try:
        before = signal.signal(signal.SIGINT, notice)
    except ValueError:
        # Only the main thread may listen to signals.
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _told(error: HustingsError) -> int:
    if os.environ.get(TRACEBACK):
        _print_traceback(error)
    _print_error(f"Error: {error}", *getattr(error, "__notes__", ()))
    return 1


def _unexpected(error: Exception) -> int:
    if os.environ.get(TRACEBACK):
        _print_traceback(error)
    # Only its kind is told: the text of a foreign error may hold a person's data.
    _print_error(
        f"Error: an unexpected {type(error).__name__}, which is a fault of Hustings. Please report it to its "
        f"developers with `hustings --version` and the command; {TRACEBACK}=1 shows all of it (look through "
        "it for people's data first)."
    )
    return 1


def _print_traceback(error: Exception) -> None:
    import traceback

    _print_error("".join(traceback.format_exception(error)).rstrip())


def _print_error(*lines: str) -> None:
    try:
        print(*lines, sep="\n", file=sys.stderr, flush=True)  # noqa: T201
    except OSError:
        return


def _flushed(code: int) -> int:
    """The exit code, once everything is out; a reader who has gone away is not worth a word."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return code
