"""The documentation says what the code says, and its links lead somewhere."""

from __future__ import annotations

import importlib.util
import json
import re
import tomllib
from pathlib import Path

import pytest

from hustings.editor import schema
from hustings.settings import settings, stages_of
from hustings.tables import TABLES

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
PAGES = [*ROOT.glob("*.md"), *DOCS.rglob("*.md"), *(ROOT / "examples").rglob("*.md")]


def _reference():
    spec = importlib.util.spec_from_file_location("reference", ROOT / "scripts" / "reference.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


REFERENCE = _reference()
WRITTEN = REFERENCE.pages()


@pytest.mark.parametrize("name", sorted(WRITTEN))
def test_the_reference_is_what_the_code_says(name):
    path = DOCS / "reference" / name
    assert path.is_file(), "make docs"
    assert path.read_text(encoding="utf-8") == WRITTEN[name], "stale: make docs"


def test_the_reference_is_written_the_same_twice():
    assert REFERENCE.pages() == WRITTEN


def test_every_command_and_option_is_documented():
    text = WRITTEN["commands.md"]
    for path, command in REFERENCE.commands():
        assert f"\n## {path}\n" in text
        for parameter in command.params:
            if parameter.name != "help":
                assert parameter.help
                assert parameter.metavar or parameter.is_flag, (path, parameter.name)


def test_every_setting_has_a_meaning_and_a_row():
    for item in settings(stages_of()):
        assert item.about.endswith("."), item
        assert f"| `{item.key}` |" in WRITTEN["settings.md"]


def test_every_setting_of_every_stage_is_in_the_schema():
    written = json.dumps(schema(stages_of()))
    for stage in stages_of():
        for parameter in stage.model().model_fields:
            assert f'"{parameter}"' in written


def test_every_table_and_column_is_documented():
    for table in TABLES.values():
        assert f"\n## {table.name}\n" in WRITTEN["tables.md"]
        for column in table.columns:
            assert column.about.endswith("."), (table.name, column.name)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_link_is_broken(path):
    text = re.sub(r"```.*?```|`[^`]*`", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text) + re.findall(r'(?:src|href)="([^"]+)"', text):
        if re.match(r"[a-z]+:", target):
            continue
        file, _, anchor = target.partition("#")
        found = (path.parent / file).resolve() if file else path
        assert found.exists(), f"{target} leads nowhere"
        if anchor and found.suffix == ".md":
            assert anchor in _anchors(found), f"{target}: no such heading"


def _anchors(path: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_dependency_has_its_reason():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    text = (DOCS / "decisions" / "0002-dependencies.md").read_text(encoding="utf-8")
    core, extras, development = (part.split("\n## ")[0] for part in text.split("\n## ")[1:])
    given = project["project"]["optional-dependencies"].values()
    for section, wanted in (
        (core, project["project"]["dependencies"]),
        (extras, [name for names in given for name in names]),
        (development, project["dependency-groups"]["dev"]),
    ):
        names = {re.match(r"[\w-]+", requirement)[0] for requirement in wanted}
        assert set(re.findall(r"^\| `([\w-]+)` \|", section, flags=re.MULTILINE)) == names


def test_the_lock_holds_every_dependency_with_its_digest():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    lock = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    locked = set(re.findall(r"^([\w.-]+)==", lock, flags=re.MULTILINE))
    for requirement in project["project"]["dependencies"] + project["dependency-groups"]["dev"]:
        assert re.match(r"[\w-]+", requirement)[0] in locked
    blocks = re.split(r"\n(?=[\w.-]+==)", lock)[1:]
    assert [block.splitlines()[0] for block in blocks if "--hash=sha256:" not in block] == []


def _as_json(value):
    if isinstance(value, dict):
        return {key: _as_json(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_as_json(item) for item in value]
    return value if isinstance(value, (str, int, float, bool)) else value.isoformat()


def _examples() -> list[str]:
    from hustings.simulate.declaration import declaration

    texts = [path.read_text(encoding="utf-8") for path in (ROOT / "examples").rglob("campaign.toml")]
    return [*texts, declaration(1_000, 7)]


@pytest.mark.parametrize("text", _examples())
def test_the_examples_conform_to_the_schema_for_editors(text):
    import jsonschema

    validator = jsonschema.Draft7Validator(schema(stages_of()))
    validator.check_schema(validator.schema)
    found = validator.iter_errors(_as_json(tomllib.loads(text)))
    assert [f"{error.json_path}: {error.message}" for error in found] == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("[scores.turnout]", "[scores.turnout]\nfolds = 1"),
        ("[scores.turnout]", "[scorez.turnout]"),
        ('record_id = "voter_id"', 'record_idd = "voter_id"'),
        ('sex = { column = "sex"', 'sex = { colum = "sex"'),
        ('currency = "USD"', 'currency = "dollars"'),
    ],
)
def test_the_schema_refuses_what_a_run_refuses(old, new):
    import jsonschema

    text = _examples()[-1]
    assert old in text
    wrong = _as_json(tomllib.loads(text.replace(old, new, 1)))
    assert not jsonschema.Draft7Validator(schema(stages_of())).is_valid(wrong)
