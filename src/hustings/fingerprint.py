"""A digest of a stage's code: its module and every module of Hustings that it reaches.

The sources are read, not imported. `stats.means` counts when it is named, since `stats` imports lazily.
The plumbing that carries every stage (`stage`, `errors`) does not count: it changes no number.
"""

from __future__ import annotations

import ast
import hashlib
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent
_PLUMBING = {"hustings.stage", "hustings.errors", "hustings"}


def digest(*parts: str | bytes) -> str:
    """A short digest of texts, each closed off from the next.

    >>> digest("a", "b") == digest("ab")
    False
    """
    total = hashlib.blake2b(digest_size=12)
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        total.update(len(data).to_bytes(8, "big") + data)
    return total.hexdigest()


@cache
def code_digest(module: str) -> str:
    """A digest of one module's code and of what it imports from Hustings.

    Args:
        module: A dotted name, as `hustings.experiments.lifts`.

    Returns:
        24 hexadecimal digits; a module outside Hustings is digested alone.
    """
    seen: dict[str, bytes] = {}
    waiting = [module]
    while waiting:
        name = waiting.pop()
        path = _path(name)
        if name in seen or name in _PLUMBING or path is None:
            continue
        seen[name] = path.read_bytes()
        waiting.extend(_imports(path))
    if not seen:
        seen[module] = _foreign(module)
    return digest(*(part for name in sorted(seen) for part in (name, seen[name])))


def _foreign(module: str) -> bytes:
    import sys

    path = getattr(sys.modules.get(module), "__file__", None)
    return Path(path).read_bytes() if path else module.encode()


@cache
def _path(module: str) -> Path | None:
    if module.split(".", maxsplit=1)[0] != "hustings":
        return None
    relative = ROOT.joinpath(*module.split(".")[1:])
    for candidate in (relative.with_suffix(".py"), relative / "__init__.py"):
        if candidate.is_file():
            return candidate
    return None


@cache
def _imports(path: Path) -> tuple[str, ...]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("hustings"):
            found.add(node.module)
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names if alias.name.startswith("hustings."))
        elif (
            isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "stats"
        ):
            found.add(f"hustings.stats.{node.attr}")
    # The catalogue of all tables and the whole of stats are not a stage's own code.
    return tuple(sorted(found - {"hustings.tables", "hustings.stats"}))
