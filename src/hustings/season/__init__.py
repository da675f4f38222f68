"""A simulated season: plan, act, wait for outcomes, learn, plan again, against a world whose truth is known."""

from __future__ import annotations

from hustings.season.season import RULES, Season, Week, run_season

__all__ = ["RULES", "Season", "Week", "run_season"]
