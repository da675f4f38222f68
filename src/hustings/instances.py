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
from hustings.errors import SettingError
from hustings.stage import INJECTED, Stage

SHARED = tuple(item.name for item in fields(Campaign) if item.name not in ("folder", "sections"))
"""Keys of `[campaign]` that a stage receives when it has a parameter of that name."""
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
    """
    sections = _owned(stages)
    for name in campaign.sections:
        if name not in sections:
            raise SettingError.unknown(f"{FILE}: unknown section", name, ["campaign", *sections], _HELP)
    for stage in stages:
        content = _table(campaign.sections.get(stage.section, {}), stage.section)
        if stage.each is None:
            yield Instance(
                stage.writes[0], stage, _settings(campaign, stage, sections[stage.section], content, stage.section)
            )
            continue
        for part, values in content.items():
            where = f"{stage.section}.{part}"
            if not re.fullmatch(r"[A-Za-z0-9_-]+", part):
                raise SettingError.of(f"[{where}]", received=part, allowed="letters, digits, _ and -")
            checked = _settings(campaign, stage, sections[stage.section], _table(values, where), where)
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
            f"[{where}] must be a section", received=value, allowed=f"[{where}.NAME] or key = value", then=_HELP
        )
    return value


def _settings(
    campaign: Campaign, stage: Stage, owned: set[str], content: Mapping[str, Any], where: str
) -> dict[str, Any]:
    import pydantic

    for key in content:
        if key not in owned:
            raise SettingError.unknown(f"[{where}]: unknown setting", key, owned, _HELP)
    model = stage.model()
    given = {key: value for key, value in content.items() if key in model.model_fields}
    for name in SHARED:
        if name in model.model_fields:
            given.setdefault(name, getattr(campaign, name))
    try:
        checked = model.model_validate(given, strict=False)
    except pydantic.ValidationError as error:
        raise _explained(where, stage, error) from None
    return {name: getattr(checked, name) for name in model.model_fields}


def _explained(where: str, stage: Stage, error: Any) -> SettingError:
    first = error.errors(include_url=False)[0]
    path = ".".join(str(step) for step in first["loc"])
    about = {p.name: p.about.text for p in stage.parameters()}.get(str(first["loc"][0]) if first["loc"] else "", "")
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
