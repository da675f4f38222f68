"""Statistics on arrays: no table, no database, no file.

A submodule is imported when it is first named (`stats.means.difference_in_means`), so that a run which
finds nothing to do never pays for SciPy or LightGBM.
"""

from __future__ import annotations

from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hustings.stats import (
        allocation,
        amounts,
        calibration,
        clusters,
        contributions,
        drift,
        judging,
        logistic,
        means,
        policy,
        pooling,
        power,
        shrinkage,
        trees,
        uplift,
    )

__all__ = [
    "allocation",
    "amounts",
    "calibration",
    "clusters",
    "contributions",
    "drift",
    "judging",
    "logistic",
    "means",
    "policy",
    "pooling",
    "power",
    "shrinkage",
    "trees",
    "uplift",
]


def __getattr__(name: str) -> ModuleType:
    """The submodule of that name."""
    if name in __all__:
        return import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
