"""From campaign.toml to the stages' settings: which instances are declared, each setting checked.

A stage without `each` runs once, with the section of its name. A stage with `each` runs once for every
`[section.NAME]`. Several stages may share a section; together they own its keys.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from hustings.campaign import FILE, Campaign
from hustings.errors import HustingsError, SettingError
from hustings.stage import INJECTED, Stage

SHARED = tuple(item.name for item in fields(Campaign) if item.name not in ("folder", "sections"))
"""Keys of `[campaign]` that a stage receives when it has a parameter of that name."""
PART = r"[A-Za-z0-9_-]+"
"""What a declared instance may be called."""
_HELP = "hustings settings"


@dataclass(frozen=True)
class Instance:
    """One stage with the settings of one declared instance.

    Attributes:
        name: The node's name: the stage's first table, and the instance after a dot.
        stage: The stage.
        settings: Every setting it will be called with, `each` included.
    """

    name: str
    stage: Stage
    settings: Mapping[str, Any]


def instances(campaign: Campaign, stages: Sequence[Stage]) -> Iterator[Instance]:
    """Every stage with every section that asks for it.

    Args:
        campaign: The campaign.
        stages: The playbook's stages.

    Yields:
        Instances in the order of the stages.

    Raises:
        SettingError: A section or key is unknown, missing, of a wrong type or out of range.
        HustingsError: Settings that contradict each other, by the stage's own check.
    """
    sections = _owned(stages)
    for name in campaign.sections:
        if name not in sections:
            raise SettingError.unknown(f"{FILE}: unknown section", name, ["campaign", *sections], _HELP)
    for stage in stages:
        content = _table(campaign.sections.get(stage.section, {}), stage.section)
        if stage.each is None:
            yield Instance(
                stage.writes[0],
                stage,
                _settings(campaign, stage, sections[stage.section], content, stage.section),
            )
            continue
        for part, values in content.items():
            where = f"{stage.section}.{part}"
            checked = _settings(campaign, stage, sections[stage.section], _named(values, stage, where), where)
            yield Instance(f"{stage.writes[0]}.{part}", stage, {**checked, stage.each: part})


def _owned(stages: Sequence[Stage]) -> dict[str, set[str]]:
    """The keys that the stages of a section own together."""
    owned: dict[str, set[str]] = {}
    for stage in stages:
        keys = {p.name for p in stage.parameters() if p.name not in (*INJECTED, stage.each)}
        owned.setdefault(stage.section, set()).update(keys)
    return owned


def _table(value: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise SettingError.of(
            f"[{where}] must be a section",
            received=value,
            allowed=f"[{where}.NAME] or key = value",
            then=_HELP,
        )
    return value


def faults(campaign: Campaign, stages: Sequence[Stage]) -> list[HustingsError]:
    """Every fault of campaign.toml's sections, where `instances` stops at the first.

    Args:
        campaign: The campaign.
        stages: The playbook's stages.

    Returns:
        The faults in the order of the stages, each once.
    """
    sections = _owned(stages)
    found: list[HustingsError] = [
        SettingError.unknown(f"{FILE}: unknown section", name, ["campaign", *sections], _HELP)
        for name in campaign.sections
        if name not in sections
    ]
    for stage in stages:
        try:
            content = _table(campaign.sections.get(stage.section, {}), stage.section)
        except SettingError as error:
            found.append(error)
            continue
        parts = {stage.section: content}
        if stage.each is not None:
            parts = {f"{stage.section}.{part}": values for part, values in content.items()}
        for where, values in parts.items():
            try:
                found += _checked(
                    campaign, stage, sections[stage.section], _named(values, stage, where), where
                )[1]
            except SettingError as error:
                found.append(error)
    return list({str(error): error for error in found}.values())


def _named(values: Any, stage: Stage, where: str) -> Mapping[str, Any]:
    part = where.removeprefix(f"{stage.section}.")
    if stage.each is not None and not re.fullmatch(PART, part):
        raise SettingError.of(f"[{where}]", received=part, allowed="letters, digits, _ and -")
    return _table(values, where)


def _settings(
    campaign: Campaign, stage: Stage, owned: set[str], content: Mapping[str, Any], where: str
) -> dict[str, Any]:
    settings, wrong = _checked(campaign, stage, owned, content, where)
    if wrong:
        raise wrong[0]
    return settings


def _checked(
    campaign: Campaign, stage: Stage, owned: set[str], content: Mapping[str, Any], where: str
) -> tuple[dict[str, Any], list[HustingsError]]:
    """The settings of one instance, and everything that is wrong with them."""
    import pydantic

    wrong: list[HustingsError] = [
        SettingError.unknown(f"[{where}]: unknown setting", key, owned, _HELP)
        for key in content
        if key not in owned
    ]
    model = stage.model()
    given = {key: value for key, value in content.items() if key in model.model_fields}
    for name in SHARED:
        if name in model.model_fields:
            given.setdefault(name, getattr(campaign, name))
    try:
        checked = model.model_validate(given, strict=False)
    except pydantic.ValidationError as error:
        return {}, [*wrong, *(_explained(where, stage, item) for item in error.errors(include_url=False))]
    settings = {name: getattr(checked, name) for name in model.model_fields}
    if stage.check is not None:
        named = {} if stage.each is None else {stage.each: where.removeprefix(f"{stage.section}.")}
        try:
            stage.check(settings | named, campaign.sections)
        except HustingsError as error:
            wrong.append(error)
    return settings, wrong


def _explained(where: str, stage: Stage, first: Mapping[str, Any]) -> SettingError:
    path = ".".join(str(step) for step in first["loc"])
    about = {p.name: p.about.text for p in stage.parameters()}.get(
        str(first["loc"][0]) if first["loc"] else "", ""
    )
    if first["type"] == "missing":
        return SettingError.of(f"[{where}] {path} is missing", allowed=about or None, then=_HELP)
    if first["type"] == "extra_forbidden":
        return SettingError.of(f"[{where}] {path}: unknown setting", received=first["loc"][-1], then=_HELP)
    received = first.get("input")
    if isinstance(received, (dict, list)):
        received = type(received).__name__
    if isinstance(received, datetime.date):
        received = str(received)
    message = first["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
    return SettingError.of(f"[{where}] {path} is not allowed", received=received, allowed=message, then=_HELP)
