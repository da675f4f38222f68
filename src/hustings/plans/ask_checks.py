"""Settings of asks that are fine one by one and not together, or name what is not declared: refused before anything runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from hustings.errors import DesignError


def check_asks(settings: Mapping[str, Any], sections: Mapping[str, Any]) -> None:
    """Refuse tests and channels that are not declared, and costs and paces that cannot be.

    Args:
        settings: Of the plan.
        sections: Of campaign.toml.

    Raises:
        DesignError: With what is wrong.

    >>> check_asks({"plan_id": "x", "channels": {"email": ["may"]}}, {"experiments": {}})
    Traceback (most recent call last):
    ...
    hustings.errors.DesignError: [ask_plan.x] channels.email: unknown test 'may'; allowed: none. Next: add [experiments.may]
    """
    where, channels = f"[ask_plan.{settings['plan_id']}]", settings["channels"]
    for channel, tests in channels.items():
        declared_tests(f"{where} channels.{channel}", tests, sections)
    messages = sections.get("messages", {})
    for name in settings["also_tested"]:
        if name not in messages:
            raise DesignError.unknown(
                f"{where} also_tested: unknown test", name, messages, f"add [messages.{name}]"
            )
    for setting, least in (("unit_cost_cents", 0), ("per_day", 1)):
        for channel, value in settings[setting].items():
            if channel not in channels:
                raise DesignError.unknown(f"{where} {setting}: not a channel of the plan", channel, channels)
            if value < least:
                raise DesignError.of(
                    f"{where} {setting}.{channel}", received=value, allowed=f"{least} or more"
                )
    strings = {*settings["amounts"], *settings["multiples"]}
    if settings["not_asked"] in strings:
        raise DesignError.of(
            f"{where} not_asked: this arm suggested something", received=settings["not_asked"],
            allowed="an arm without amounts and multiples",
        )  # fmt: skip


def declared_tests(where: str, tests: Iterable[str], sections: Mapping[str, Any]) -> None:
    """Refuse a test that campaign.toml does not declare; one that nobody was drawn into yet is no fault.

    Args:
        where: The setting, for the message.
        tests: Names.
        sections: Of campaign.toml.

    Raises:
        DesignError: A test has no section.
    """
    declared = sections.get("experiments", {})
    for name in tests:
        if name not in declared:
            raise DesignError.unknown(f"{where}: unknown test", name, declared, f"add [experiments.{name}]")
