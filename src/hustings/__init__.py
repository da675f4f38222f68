"""Hustings: a campaign's analytics department in one package.

    import hustings

    campaign = hustings.read_campaign("examples/michigan-2006")
    hustings.run(campaign)
    lifts = hustings.read(campaign, "lifts")  # a pyarrow table of the newest published run

Names are imported when they are first used: importing the package costs next to nothing. Who writes a stage
imports from `hustings.stage`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hustings.campaign import Campaign, read_campaign
    from hustings.errors import HustingsError
    from hustings.flow import Report, plan, run
    from hustings.reading import read

    __version__: str

__all__ = ["Campaign", "HustingsError", "Report", "__version__", "plan", "read", "read_campaign", "run"]

_HOME = {
    "Campaign": "hustings.campaign",
    "HustingsError": "hustings.errors",
    "Report": "hustings.flow",
    "plan": "hustings.flow",
    "read": "hustings.reading",
    "read_campaign": "hustings.campaign",
    "run": "hustings.flow",
}


def __getattr__(name: str) -> Any:
    """The public object of that name."""
    if name == "__version__":
        from importlib.metadata import version

        return version("hustings")
    if name in _HOME:
        from importlib import import_module

        return getattr(import_module(_HOME[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """The public names."""
    return sorted(__all__)
