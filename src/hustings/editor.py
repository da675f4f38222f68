"""campaign.toml as a JSON Schema, for editors that complete, explain and check TOML."""

from __future__ import annotations

import copy
import json
import typing
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hustings.campaign import ABOUT, AIMS
from hustings.errors import CampaignError
from hustings.instances import PART, SHARED
from hustings.playbooks import PLAYBOOKS
from hustings.sources.mapping import Block, Value, fillable
from hustings.stage import Stage
from hustings.tables import spec

# Draft 7 is what editors of TOML know.
_DRAFT = "http://json-schema.org/draft-07/schema#"
_DAY = {"type": "string", "format": "date"}
_COLUMN_OF_FILE = {"type": "string", "description": "A column of the file."}


def schema(stages: Sequence[Stage]) -> dict[str, Any]:
    """The JSON Schema of campaign.toml.

    Args:
        stages: The playbook's stages.

    Returns:
        A schema, draft 7. A day of TOML is a string of format `date`, as editors of TOML see it.
    """
    definitions: dict[str, Any] = {}
    sections: dict[str, dict[str, Any]] = {}
    for stage in stages:
        own = _section(stage, definitions)
        known = sections.setdefault(stage.section, own)
        known["properties"] = {**own["properties"], **known["properties"]}
        known["required"] = sorted({*known["required"], *own["required"]})
    several = {stage.section for stage in stages if stage.each}
    return {
        "$schema": _DRAFT,
        "title": "campaign.toml of Hustings",
        "type": "object",
        "additionalProperties": False,
        "required": ["campaign"],
        "properties": {
            "campaign": _campaign(),
            **{name: _instances(own) if name in several else own for name, own in sections.items()},
        },
        "$defs": dict(sorted(definitions.items())),
    }


def write_schema(stages: Sequence[Stage], path: Path) -> Path:
    """The schema in a file.

    Raises:
        CampaignError: The file cannot be written.
    """
    text = json.dumps(schema(stages), indent=2, ensure_ascii=False) + "\n"
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise CampaignError.of(
            f"The schema cannot be written ({error.strerror})", received=str(path), then="name another file"
        ) from None
    return path


def _campaign() -> dict[str, Any]:
    text = {"type": "string"}
    kinds: dict[str, dict[str, Any]] = {
        "name": text,
        "election_day": _DAY,
        "as_of": _DAY,
        "place": text,
        "country": {"type": "string", "pattern": "^[A-Z]{2}$", "default": "US"},
        "currency": {"type": "string", "pattern": "^[A-Z]{3}$", "default": "USD"},
        "playbook": {"enum": list(PLAYBOOKS), "default": PLAYBOOKS[0]},
        "aim": {"enum": list(AIMS), "default": AIMS[0]},
        "decisive_race": text,
        "seed": {"type": "integer", "minimum": 0, "default": 0},
        "retention_days": {"type": "integer", "minimum": 1, "default": 30},
    }
    return {
        "type": "object",
        "additionalProperties": False,
        "required": ["name", "election_day"],
        "properties": {key: {"description": about, **kinds[key]} for key, about in ABOUT.items()},
    }


def _instances(own: dict[str, Any]) -> dict[str, Any]:
    """A section that holds one sub-section for each declared instance."""
    return {"type": "object", "patternProperties": {f"^{PART}$": own}, "additionalProperties": False}


def _section(stage: Stage, definitions: dict[str, Any]) -> dict[str, Any]:
    found = stage.model().model_json_schema(by_alias=True)
    for name, definition in found.get("$defs", {}).items():
        definitions[name] = _spelled(definition, name)
    properties = {name: _plain(given) for name, given in found.get("properties", {}).items()}
    for parameter in stage.parameters():
        if parameter.name in properties and Block in _named(parameter.annotation):
            block = definitions[f"{Block.__name__}_{parameter.name}"] = _block(parameter.name)
            properties[parameter.name] = _replaced(properties[parameter.name], parameter.name)
            definitions |= {name: _spelled(d, name) for name, d in block.pop("$defs", {}).items()}
    definitions.pop(Block.__name__, None)
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": properties,
        "required": [name for name in found.get("required", []) if name not in SHARED],
    }


def _named(annotation: Any) -> tuple[Any, ...]:
    """The types that an annotation names, at any depth."""
    inside = [found for part in typing.get_args(annotation) for found in _named(part)]
    return (annotation, *inside)


def _block(table: str) -> dict[str, Any]:
    """A block of a source: its own keys, and every column of the table that it may fill."""
    found = copy.deepcopy(Block.model_json_schema(by_alias=True))
    value = Value.model_json_schema(by_alias=True)
    for name in fillable(table):
        about = spec(table).column(name).about
        found["properties"][name] = {"description": about, "allOf": [{"$ref": f"#/$defs/{Value.__name__}"}]}
    found["properties"] = {name: _plain(given) for name, given in found["properties"].items()}
    found["additionalProperties"] = False
    found["description"] = f"A row of the file as {spec(table).about}."
    found["$defs"] = {**found.get("$defs", {}), Value.__name__: value}
    found.pop("title", None)
    return found


def _replaced(given: Any, table: str) -> Any:
    """The same schema with the block of this table in the place of any block."""
    if isinstance(given, dict):
        if given.get("$ref") == f"#/$defs/{Block.__name__}":
            return {"$ref": f"#/$defs/{Block.__name__}_{table}"}
        return {key: _replaced(item, table) for key, item in given.items()}
    return [_replaced(item, table) for item in given] if isinstance(given, list) else given


def _spelled(definition: dict[str, Any], name: str) -> dict[str, Any]:
    plain: dict[str, Any] = _plain(definition)
    plain.pop("title", None)
    plain["properties"] = {key: _plain(item) for key, item in plain.get("properties", {}).items()}
    return {"anyOf": [_COLUMN_OF_FILE, plain]} if name == Value.__name__ else plain


def _plain(given: dict[str, Any]) -> dict[str, Any]:
    """Without the titles that pydantic makes of names, and without null, which TOML does not have."""
    plain = {key: item for key, item in given.items() if key != "title"}
    if plain.get("default", 0) is None:
        del plain["default"]
    ways = [way for way in plain.get("anyOf", []) if way != {"type": "null"}]
    if len(ways) == 1:
        del plain["anyOf"]
        plain = {**ways[0], **plain} if "$ref" not in ways[0] else {**plain, "allOf": ways}
    elif ways:
        plain["anyOf"] = ways
    return plain
