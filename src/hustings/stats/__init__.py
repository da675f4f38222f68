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
        bandits,
        calibration,
        classes,
        clusters,
        evidence,
        forecast_scores,
        fundamentals,
        giving,
        judging,
        kalman,
        logistic,
        means,
        media,
        news,
        novelty,
        policy,
        poll_averages,
        poll_choice,
        poll_scales,
        polls,
        power,
        races,
        response,
        scenarios,
        sentences,
        shrinkage,
        text,
        trees,
        uplift,
        variants,
        vote_values,
        winners,
    )

__all__ = [
    "allocation",
    "bandits",
    "calibration",
    "classes",
    "clusters",
    "evidence",
    "forecast_scores",
    "fundamentals",
    "giving",
    "judging",
    "kalman",
    "logistic",
    "means",
    "media",
    "news",
    "novelty",
    "policy",
    "poll_averages",
    "poll_choice",
    "poll_scales",
    "polls",
    "power",
    "races",
    "response",
    "scenarios",
    "sentences",
    "shrinkage",
    "text",
    "trees",
    "uplift",
    "variants",
    "vote_values",
    "winners",
]


def __getattr__(name: str) -> ModuleType:
    """The submodule of that name."""
    if name in __all__:
        return import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
