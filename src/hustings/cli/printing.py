"""Rows on a terminal, in a pipe, and as JSON or CSV, one at a time."""

from __future__ import annotations

import csv
import datetime
import json
import math
import shutil
import sys
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Any

import typer

_GAP = "  "
_CELL = 60
_PROSE = 30


def print_json(value: Any) -> None:
    """One value as JSON on the standard output."""
    typer.echo(json.dumps(_plain(value), ensure_ascii=False, indent=2))


def print_rows_json(names: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """An array of one object per row, written as the rows come."""
    out = sys.stdout
    out.write("[")
    for number, row in enumerate(rows):
        out.write(",\n " if number else "\n ")
        out.write(json.dumps(dict(zip(names, map(_plain, row), strict=True)), ensure_ascii=False))
    out.write("\n]\n")


def print_rows_csv(names: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """A header and one line per row, written as the rows come; null is an empty field."""
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(names)
    writer.writerows([_field(value) for value in map(_plain, row)] for row in rows)


def print_rows(names: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Rows for people: in columns where they fit into the terminal, else one value on each line."""
    texts = [[_text(value) for value in map(_plain, row)] for row in rows]
    short = [[text if len(text) <= _CELL else text[: _CELL - 1] + "…" for text in row] for row in texts]
    widths = _widths(names, short)
    if sys.stdout.isatty() and _total(widths) > shutil.get_terminal_size().columns:
        _print_upright(names, texts)
    else:
        _print_columns(names, short, widths)


def print_glossary(names: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Rows whose last column is prose: it is broken into lines on a terminal, and on no other output."""
    texts = [list(row) for row in rows]
    widths = _widths(names, texts)
    room = shutil.get_terminal_size().columns - _total(widths[:-1]) - len(_GAP)
    if not sys.stdout.isatty() or widths[-1] <= room:
        _print_columns(names, texts, widths)
        return
    broken: list[list[str]] = []
    for row in texts:
        first, *others = textwrap.wrap(row[-1], max(room, _PROSE)) or [""]
        broken.append([*row[:-1], first])
        broken += [[*[""] * (len(row) - 1), line] for line in others]
    _print_columns(names, broken, widths)


def _widths(names: Sequence[str], texts: list[list[str]]) -> list[int]:
    return [max(map(len, column)) for column in zip(names, *texts, strict=True)]


def _total(widths: list[int]) -> int:
    return sum(widths) + len(_GAP) * (len(widths) - 1)


def _print_columns(names: Sequence[str], texts: list[list[str]], widths: list[int]) -> None:
    right = [bool(texts) and all(_is_number(row[i]) for row in texts) for i in range(len(names))]
    for row in chain([names], texts):
        cells = (
            text.rjust(width) if to_right else text.ljust(width)
            for text, width, to_right in zip(row, widths, right, strict=True)
        )
        typer.echo(_GAP.join(cells).rstrip())


def _print_upright(names: Sequence[str], texts: list[list[str]]) -> None:
    width = max(map(len, names))
    for number, row in enumerate(texts, start=1):
        typer.echo(f"── {number} ──")
        for name, text in zip(names, row, strict=True):
            typer.echo(f"{name.ljust(width)}{_GAP}{text}")


def _plain(value: Any) -> Any:
    """A value as JSON has it: days and times in ISO 8601, times in UTC, what is not a number as null."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, datetime.datetime):
        return value.isoformat() + ("" if value.tzinfo else "Z")
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _field(value: Any) -> Any:
    return ("true" if value else "false") if isinstance(value, bool) else value


def _text(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = f"{value:.5g}" if isinstance(value, float) else str(value)
    # What a source says must not steer the terminal.
    return text if text.isprintable() else "".join(_printable(text))


def _printable(text: str) -> Iterator[str]:
    return (letter if letter.isprintable() else " " for letter in text)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return text == "–"
    return True
