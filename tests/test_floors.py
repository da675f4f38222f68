"""The floors of the house: imports go downwards only. The contracts stand in .importlinter."""

from __future__ import annotations

from pathlib import Path

from importlinter import cli

ROOT = Path(__file__).resolve().parents[1]


def test_imports_go_downwards_only(capsys, monkeypatch):
    monkeypatch.chdir(ROOT)
    status = cli.lint_imports(config_filename=str(ROOT / ".importlinter"), no_cache=True)
    assert status == cli.EXIT_STATUS_SUCCESS, capsys.readouterr().out


def test_a_playbook_is_data_only():
    import ast

    for path in (ROOT / "src/hustings/playbooks").glob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        named = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        assert named <= {"__future__", "importlib", "hustings.errors"}, path.name
