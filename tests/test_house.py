"""Rules of the house that no linter knows."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
MODULES = sorted((ROOT / "src").rglob("*.py"))
LINES_OF_A_FILE, LINES_OF_A_FUNCTION, POSITIONAL = 400, 50, 8
PRIVATE = re.compile(r"/(?:home|root|Users|work|tmp/w|opt/(?:wheels|pypi))/|[A-Z]:\\\\Users")
TEXT = {".py", ".md", ".toml", ".txt", ".html", ".css", ".js", ".json", ".yml", ".yaml", ".cfg", ".sh", ""}


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_a_file_is_short_and_says_what_it_is(path):
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) < LINES_OF_A_FILE
    assert ast.get_docstring(ast.parse(text))


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_a_function_is_short_and_takes_few_arguments(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            continue
        body = node.body[1:] if ast.get_docstring(node) and len(node.body) > 1 else node.body
        lines = (node.end_lineno or 0) - body[0].lineno + 1
        assert lines < LINES_OF_A_FUNCTION, f"{node.name} has {lines} lines"
        if not _is_stage(node):
            positional = [
                a for a in (*node.args.posonlyargs, *node.args.args) if a.arg not in ("self", "cls")
            ]
            assert len(positional) <= POSITIONAL, f"{node.name} takes {len(positional)}"


def _is_stage(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    # A stage's positional parameters are the tables that it reads: as many as it needs.
    return any(isinstance(d, ast.Call) and getattr(d.func, "id", "") == "stage" for d in node.decorator_list)


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_everything_public_has_a_docstring(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    public = [
        node
        for parent in ast.walk(tree)
        if isinstance(parent, (ast.Module, ast.ClassDef)) and not getattr(parent, "name", "").startswith("_")
        for node in parent.body
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_")
    ]
    assert [node.name for node in public if not ast.get_docstring(node)] == []


def test_no_path_of_a_private_machine_is_in_the_repository():
    found = []
    for path in _tracked():
        if path.suffix in TEXT and path != Path(__file__).resolve():
            text = path.read_text(encoding="utf-8", errors="replace")
            found += [f"{_name(path)}: {match[0]}" for match in PRIVATE.finditer(text)]
    assert found == []


def test_no_file_names_a_package_index():
    index = re.compile(r"--(?:extra-)?index-url|--find-links|pypi\.org/simple")
    files = [ROOT / name for name in ("constraints.txt", "pyproject.toml", "Makefile", ".ci/run")]
    assert [path.name for path in files if index.search(path.read_text(encoding="utf-8"))] == []


def _tracked() -> list[Path]:
    try:
        listed = subprocess.run(
            ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.splitlines()
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git working copy")
    return [path for name in listed if (path := ROOT / name).is_file()]
