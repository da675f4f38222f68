"""From sections to settings: which parts are declared, and what is answered where a setting is wrong."""

from __future__ import annotations

import datetime
import tomllib
from typing import Annotated, Literal

import pytest

from hustings.campaign import Campaign
from hustings.errors import SettingError
from hustings.instances import faults, instances
from hustings.stage import About, Result, Table, describe, stage

DAY = datetime.date(2026, 7, 1)


@stage(writes="features")
def build(
    events: Table,
    *,
    as_of: datetime.date,
    age: Annotated[int, About("Years.", ge=0, le=30)] = 18,
) -> Result: ...


@stage(writes="assignments", section="experiments", each="experiment")
def attach(*, experiment: str, unit: Literal["person", "household"] = "household") -> Result: ...


@stage(writes="lifts", section="experiments", each="experiment")
def measure(
    assignments: Table,
    *,
    experiment: str,
    control: Annotated[str, About("The arm that all others are read against.")],
    measured_by: list[str] = [],  # noqa: B006
    as_of: datetime.date,
) -> Result: ...


STAGES = [describe(f) for f in (build, attach, measure)]


def found(toml: str):
    campaign = Campaign(None, "x", DAY, DAY, seed=5, sections=tomllib.loads(toml))
    return {one.name: dict(one.settings) for one in instances(campaign, STAGES)}


def test_a_stage_without_parts_runs_once_with_defaults_and_the_campaigns_own_values():
    assert found("") == {"features": {"as_of": DAY, "age": 18}}


def test_every_declared_part_gets_its_own_settings_and_stages_share_a_section():
    told = found('[experiments.mail]\ncontrol = "c"\n[experiments.phone]\ncontrol = "n"\nunit = "person"\n')
    assert told["assignments.mail"] == {"experiment": "mail", "unit": "household"}
    assert told["assignments.phone"]["unit"] == "person"
    assert told["lifts.phone"] == {"experiment": "phone", "control": "n", "measured_by": [], "as_of": DAY}


def test_a_section_may_give_its_own_value_of_a_key_of_the_campaign():
    assert found("[features]\nas_of = 2026-01-02\n")["features"]["as_of"] == datetime.date(2026, 1, 2)


@pytest.mark.parametrize(
    ("toml", "parts"),
    [
        (
            "[featurs]\nage = 3\n",
            ["unknown section 'featurs'", "did you mean 'features'", "allowed: campaign,"],
        ),
        (
            "[features]\naeg = 3\n",
            ["[features]: unknown setting 'aeg'", "did you mean 'age'", "allowed: age, as_of"],
        ),
        ("[features]\nage = 'old'\n", ["[features] age", "received 'old'", "valid integer"]),
        ("[features]\nage = 31\n", ["[features] age", "received 31", "less than or equal to 30"]),
        ("[features]\nage = -1\n", ["[features] age", "received -1", "greater than or equal to 0"]),
        ("[features]\nas_of = 'soon'\n", ["[features] as_of", "received 'soon'"]),
        ("features = 3\n", ["[features] must be a section", "received 3", "[features.NAME] or key = value"]),
        ("[experiments]\ncontrol = 'c'\n", ["[experiments.control] must be a section", "received 'c'"]),
        (
            "[experiments.mail]\n",
            ["[experiments.mail] control is missing", "allowed: The arm that all others are read against."],
        ),
        (
            "[experiments.mail]\ncontrol = 'c'\nunit = 'unti'\n",
            ["unit", "received 'unti'", "'person' or 'household'"],
        ),
        (
            "[experiments.mail]\ncontrol = 'c'\nmeasured_by = 'v'\n",
            ["measured_by", "received 'v'", "valid list"],
        ),
        ("[experiments.mail]\ncontrol = ['c']\n", ["control", "received 'list'", "valid string"]),
        (
            "[experiments.mail]\ncontrol = 'c'\nage = 3\n",
            ["[experiments.mail]: unknown setting 'age'", "allowed: as_of, control, measured_by, unit"],
        ),
        ("[experiments.'a b']\ncontrol = 'c'\n", ["received 'a b'", "letters, digits, _ and -"]),
        ("[experiments.'a.b']\ncontrol = 'c'\n", ["received 'a.b'", "letters, digits, _ and -"]),
    ],
)
def test_a_wrong_setting_says_where_what_was_received_and_what_is_allowed(toml, parts):
    with pytest.raises(SettingError) as caught:
        found(toml)
    text = str(caught.value)
    for part in parts:
        assert part in text
    assert "\n" not in text


def test_all_faults_are_told_where_they_are_asked_for():
    toml = "[featurs]\n[features]\nage = 'x'\naeg = 1\n[experiments.mail]\nunit = 'z'\n[experiments]\nphone = 3\n"
    told = "\n".join(map(str, faults(Campaign(None, "x", DAY, DAY, sections=_loads(toml)), STAGES)))
    for part in (
        "'featurs'",
        "'aeg'",
        "age is not allowed",
        "control is missing",
        "'z'",
        "experiments.phone",
    ):
        assert part in told


def _loads(toml: str):
    head, tail = toml.split("[experiments]\n")
    sections = tomllib.loads(head)
    sections["experiments"] |= tomllib.loads(tail)
    return sections
