"""Which departments have a panel in the page, in order. Each module names its `TABLES` and makes its `panels`."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from hustings.briefing.facts import Facts
from hustings.briefing.panel import Panel

MODULES = (
    "spending",
    "ledger",
    "counting",
    "airtime",
    "media",
    "messengers",
    "friends",
    "asking",
)
"""Modules of this folder; a new one is one line here."""


def tables() -> tuple[str, ...]:
    """The tables that the panels are made from.

    >>> "live" in tables()
    True
    """
    return tuple(dict.fromkeys(table for name in MODULES for table in _module(name).TABLES))


def panels(facts: Facts) -> list[Panel]:
    """Every panel that has something to say.

    >>> panels(Facts())
    []
    """
    return [panel for name in MODULES for panel in _module(name).panels(facts)]


def _module(name: str) -> ModuleType:
    return import_module(f"hustings.briefing.{name}")
