"""Every setting of campaign.toml: name, type, default, range and meaning, from the stages' signatures."""

from __future__ import annotations

import datetime
import inspect
import types
import typing
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from hustings.campaign import ABOUT, AIMS, Campaign
from hustings.instances import SHARED
from hustings.order import load_stages
from hustings.sources.mapping import Block, Value, Where
from hustings.stage import INJECTED, Parameter, Stage

_WORDS: dict[Any, str] = {
    str: "text",
    int: "whole number",
    float: "number",
    bool: "true or false",
    datetime.date: "day",
    type(None): "nothing",
    Any: "anything",
    Block: "block",
    Value: "value",
    Where: "{ column, is or isnt }",
}
_NESTED: Mapping[str, Any] = {
    "sources.NAME.BLOCK": Block,
    "sources.NAME.BLOCK.COLUMN": Value,
    "sources.NAME.BLOCK.where": Where,
}
_UNSAID = {"where": "Which rows of the file make a row of the table.", "column": "A column of the file."}
_COLUMN = (
    "Where a column of the table comes from; a text is the name of a column of the file. "
    "`hustings explain TABLE` names the columns."
)


class Setting(NamedTuple):
    """One setting.

    Attributes:
        section: Where it stands: `campaign`, `features`, `scores.NAME`.
        key: Its name.
        type: In words.
        default: As it would be written in TOML; empty where there is none.
        range: Of a number; empty where any will do.
        about: What it means.
        required: Whether it must be given.
    """

    section: str
    key: str
    type: str
    default: str
    range: str
    about: str
    required: bool


def stages_of(playbook: str = "election") -> tuple[Stage, ...]:
    """The stages of a playbook, without a campaign.

    Raises:
        CampaignError: There is no such playbook.
    """
    day = datetime.date.min
    return load_stages(Campaign(Path(), "", day, day, playbook=playbook))


def settings(stages: Sequence[Stage]) -> list[Setting]:
    """Every setting that campaign.toml may hold, by section.

    Args:
        stages: The playbook's stages.

    Returns:
        The settings: those of `[campaign]`, of each stage's section, and of the blocks of a source.
    """
    found = list(_campaign())
    for stage in stages:
        found += _section(stage)
        found += _inside(stage)
        if stage.section == "sources":
            found += [item for section, model in _NESTED.items() for item in _fields(section, model)]
    # Stages that share a section may share a key; the first one's words count.
    kept: dict[tuple[str, str], Setting] = {}
    for item in found:
        kept.setdefault((item.section, item.key), item)
    order = {section: place for place, section in enumerate(dict.fromkeys(item.section for item in found))}
    return sorted(kept.values(), key=lambda item: order[item.section])


def _campaign() -> Iterator[Setting]:
    hints = typing.get_type_hints(Campaign)
    defaults = {name: parameter.default for name, parameter in inspect.signature(Campaign).parameters.items()}
    for key, about in ABOUT.items():
        default = defaults[key]
        given = "" if default in (inspect.Parameter.empty, "") else written(default)
        required = default is inspect.Parameter.empty and key != "as_of"
        limits = {"retention_days": "1 or more", "seed": "0 or more", "aim": ", ".join(AIMS)}.get(key, "")
        yield Setting("campaign", key, words(hints[key]), given, limits, about, required)


def _section(stage: Stage) -> Iterator[Setting]:
    section = f"{stage.section}.NAME" if stage.each else stage.section
    for parameter in stage.parameters():
        if parameter.name in (*INJECTED, stage.each):
            continue
        shared = parameter.name in SHARED
        required = parameter.required and not shared
        default = f"that of [campaign], {parameter.name}" if shared else ""
        if not shared and not parameter.required and parameter.default not in (None, []):
            default = written(parameter.default)
        about = parameter.about.text or (ABOUT[parameter.name] if shared else "")
        yield Setting(
            section, parameter.name, words(parameter.annotation), default, _range(parameter), about, required
        )


def _inside(stage: Stage) -> Iterator[Setting]:
    """The keys of the settings that are tables of their own: `event = { kind = … }`."""
    if stage.section == "sources":
        return
    section = f"{stage.section}.NAME" if stage.each else stage.section
    for parameter in stage.parameters():
        for model in typing.get_args(parameter.annotation) or (parameter.annotation,):
            if hasattr(model, "model_fields"):
                yield from _fields(f"{section}.{parameter.name}", model)


def _fields(section: str, model: Any) -> Iterator[Setting]:
    for name, field in model.model_fields.items():
        key = field.alias or name
        about = field.description or _UNSAID[key]
        yield Setting(section, key, words(field.annotation), "", "", about, field.is_required())
    if model is Block:
        yield Setting(section, "COLUMN", "text or value", "", "", _COLUMN, False)


def _range(parameter: Parameter) -> str:
    about = parameter.about
    parts = []
    if about.gt is not None:
        parts.append(f"more than {about.gt:g}")
    if about.ge is not None:
        parts.append(f"{about.ge:g} or more")
    if about.le is not None:
        parts.append(f"{about.le:g} or less")
    return ", ".join(parts)


def words(annotation: Any) -> str:
    """A type in words.

    >>> words(list[str]), words(int | None)
    ('list of text', 'whole number')
    """
    origin, given = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return words(given[0])
    if origin is typing.Literal:
        return " or ".join(f'"{value}"' for value in given)
    if origin in (typing.Union, types.UnionType):
        return " or ".join(dict.fromkeys(words(one) for one in given if one is not type(None)))
    if origin in (list, tuple, Sequence) or origin is typing.get_origin(Sequence[str]):
        return f"list of {words(given[0])}" if given else "list"
    if origin is not None and issubclass(origin, Mapping):
        return f"{{ name = {words(given[1])} }}"
    keys = getattr(annotation, "model_fields", None)
    named = f"{{ {', '.join(keys)} }}" if keys else getattr(annotation, "__name__", str(annotation))
    return _WORDS.get(annotation, named)


def written(value: Any) -> str:
    """A value as TOML writes it.

    >>> written(["a", 1, True])
    '["a", 1, true]'
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(written(item) for item in value) + "]"
    if isinstance(value, Mapping):
        inside = ", ".join(f"{key} = {written(item)}" for key, item in value.items())
        return f"{{ {inside} }}" if inside else "{}"
    return str(value)
