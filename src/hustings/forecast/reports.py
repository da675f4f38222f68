"""A backtest as rows for people and as JSON for programs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from hustings.forecast.backtest import Row, Year, means

COLUMNS = (
    "year",
    "days before",
    "method",
    "Brier",
    "Brier by electors",
    "RMSE of share",
    "called",
    "in 80 %",
    "in 95 %",
    "polls",
)


def as_row(row: Row) -> list[Any]:
    """One line of the printed table; the mean of all years has the year `all`.

    >>> from hustings.stats.forecast_scores import Scores
    >>> as_row(Row(0, 7, "model", Scores(0.02, float("nan"), 0.03, 50, 51, 0.8, 0.95), 400))[:6]
    ['all', 7, 'model', '0.0200', None, '0.0300']
    """
    scores = row.scores
    return [
        row.year or "all",
        row.days,
        row.method,
        *(_fixed(value, 4) for value in scores[:3]),
        f"{scores.called} of {scores.n_places}",
        _fixed(100 * scores.coverage_80, 0),
        _fixed(100 * scores.coverage_95, 0),
        row.n_polls,
    ]


def as_json(years: Sequence[Year]) -> dict[str, Any]:
    """All scores, and of every year what it was learned from.

    Args:
        years: As `backtest` gives them.

    Returns:
        Years, rows and means; a score that cannot be computed is null.
    """
    return {
        "years": [
            {
                "year": year.year,
                "scales": year.learned.scales._asdict(),
                "average_error": year.average_error,
                "notes": list(year.notes),
            }
            for year in years
        ],
        "rows": [_object(row) for year in years for row in year.rows],
        "means": [_object(row) | {"year": None} for row in means(years)],
    }


def _object(row: Row) -> dict[str, Any]:
    return {
        "year": row.year,
        "days": row.days,
        "method": row.method,
        **row.scores._asdict(),
        "n_polls": row.n_polls,
    }


def _fixed(value: float, digits: int) -> str | None:
    return f"{value:.{digits}f}" if np.isfinite(value) else None
