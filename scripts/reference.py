"""Writes docs/reference from the code: commands, settings, tables, errors.

python scripts/reference.py          # write
python scripts/reference.py --check  # exit 1 when a page is stale
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

import typer

from hustings import errors
from hustings.cli import app
from hustings.explain import explain
from hustings.settings import settings, stages_of
from hustings.tables import TABLES

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "reference"
_HEAD = "<!-- Written by scripts/reference.py; `make docs` writes it again. -->\n\n"


def pages() -> dict[str, str]:
    """The text of every page, by file name."""
    written = {
        "commands.md": commands_page(),
        "settings.md": settings_page(),
        "tables.md": tables_page(),
        "errors.md": errors_page(),
    }
    return {name: _HEAD + "\n".join(lines).strip() + "\n" for name, lines in written.items()}


def commands_page() -> Iterator[str]:
    """Every command, with its arguments and options."""
    yield "# Commands\n"
    yield "`hustings --help` and `hustings COMMAND --help` say the same.\n"
    for path, command in commands():
        yield f"## {path}\n"
        yield f"{_paragraphs(command.help)}\n"
        rows = [
            (f"`{_spelled(parameter)}`", getattr(parameter, "help", None) or "", _default(parameter))
            for parameter in command.params
            if parameter.name != "help"
        ]
        if rows:
            yield from _table(("argument or option", "meaning", "default"), rows)


def commands() -> list[tuple[str, Any]]:
    """Every command with its full name, that of the program first."""
    root = typer.main.get_command(app)
    return list(_below("hustings", root))


def _below(path: str, command: Any) -> Iterator[tuple[str, Any]]:
    yield path, command
    for name, inner in getattr(command, "commands", {}).items():
        yield from _below(f"{path} {name}", inner)


def _paragraphs(text: str | None) -> str:
    paragraphs = [" ".join(part.split()) for part in inspect.cleandoc(text or "").split("\n\n")]
    return "\n\n".join(
        f"```sh\n{part.removeprefix('Example: ')}\n```" if part.startswith("Example: ") else part
        for part in paragraphs
    )


def _spelled(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        return str(parameter.metavar)
    names = ", ".join(parameter.opts)
    return names if parameter.is_flag else f"{names} {parameter.metavar}"


def _default(parameter: Any) -> str:
    if parameter.required:
        return "required"
    default = parameter.default
    return "" if default in (None, "", False) or callable(default) else f"`{default}`"


def settings_page() -> Iterator[str]:
    """Every setting, by section."""
    yield "# Settings\n"
    yield (
        "What `campaign.toml` may hold. NAME is a name of your own: `[scores.turnout]` and `[scores.donor]`"
        " are two scores. A key that stands in no section below is refused.\n"
    )
    for section, items in groupby(settings(stages_of()), key=lambda item: item.section):
        yield f"## [{section}]\n"
        rows = [
            (
                f"`{item.key}`",
                item.type,
                "required" if item.required else _quoted(item.default),
                item.range,
                item.about,
            )
            for item in items
        ]
        yield from _table(("key", "type", "default", "range", "meaning"), rows)


def _quoted(default: str) -> str:
    return default if not default or default.startswith("that of") else f"`{default}`"


def tables_page() -> Iterator[str]:
    """Every table, with its columns."""
    stages = stages_of()
    yield "# Tables\n"
    yield (
        "A *collected* table is loaded from sources, a *derived* one is made by stages and safe to delete, a"
        " *kept* one is memory that no run rebuilds. Privacy: *open*, *person* (a row speaks of one person),"
        " *contact* (a name, an address, a number: masked unless asked for).\n"
    )
    for table in TABLES.values():
        found = explain(table.name, stages)
        yield f"## {table.name}\n"
        yield f"One row is {table.about}. Kind: {table.kind}. Key: {_codes(table.key)}.\n"
        reads = _codes(name for name, _ in found.reads)
        yield f"Made by: {_codes(found.made_by) or 'no stage'}. Reads: {reads or '–'}.\n"
        yield from _table(
            ("column", "type", "unit", "privacy", "meaning"),
            [(f"`{c.name}`", c.type, c.unit, c.privacy, c.about) for c in table.columns],
        )


def _codes(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def errors_page() -> Iterator[str]:
    """The tree of errors."""
    yield "# Errors\n"
    yield (
        "All that Hustings raises on purpose. A message says what went wrong, what was received, what is"
        " allowed, and the next command; it never holds a person's data.\n"
    )
    rows = [
        (f"`{name}`", f"`{kind.__mro__[1].__name__}`", inspect.cleandoc(kind.__doc__ or ""))
        for name, kind in vars(errors).items()
        if inspect.isclass(kind) and issubclass(kind, errors.HustingsError)
    ]
    yield from _table(("error", "is a", "meaning"), rows)


def _table(names: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield "| " + " | ".join(names) + " |"
    yield "|" + " --- |" * len(names)
    for row in rows:
        yield "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in row) + " |"
    yield ""


def main() -> int:
    """Write the pages, or with --check say which are stale."""
    stale = 0
    for name, text in pages().items():
        path = FOLDER / name
        same = path.is_file() and path.read_text(encoding="utf-8") == text
        stale += not same
        if not same and "--check" not in sys.argv:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        if not same:
            sys.stdout.write(f"{'stale' if '--check' in sys.argv else 'written'}: docs/reference/{name}\n")
    return 1 if stale and "--check" in sys.argv else 0


if __name__ == "__main__":
    sys.exit(main())
