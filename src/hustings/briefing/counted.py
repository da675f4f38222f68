"""What plans count their gains in, as people say it: ballots, net votes, or points of the probability of winning."""

from __future__ import annotations

from typing import Any

NOUNS = {"added_ballots": "ballots", "net_votes": "net votes", "win": "points of winning"}
_SHARES = (
    "gain", "std_error", "low", "high", "per_1000", "per_1000_low", "per_1000_high", "advantage", "advantage_low",
    "advantage_high", "predicted", "expected", "rule_expected", "holdout_cost",
)  # fmt: skip
"""Columns of `options` and `decisions` that are in the plan's unit."""


def noun(row: Any) -> str:
    """What a row's gains are.

    >>> noun({"unit": "win"}), noun({})
    ('points of winning', 'ballots')
    """
    return NOUNS.get(row.get("unit") or "added_ballots", "ballots")


def digits(row: Any) -> int:
    """How many decimals a gain is told with.

    >>> digits({"unit": "win"}), digits({"unit": "net_votes"})
    (1, 0)
    """
    return 1 if row.get("unit") == "win" else 0


def in_points(row: dict[str, Any]) -> dict[str, Any]:
    """A row of `options` or `decisions` whose probabilities are told in points, from 0 to 100.

    >>> in_points({"unit": "win", "gain": 0.021, "low": None, "cost_cents": 5.0})
    {'unit': 'win', 'gain': 2.1, 'low': None, 'cost_cents': 5.0}
    """
    if row.get("unit") != "win":
        return row
    return {
        name: 100 * value if name in _SHARES and value is not None else value for name, value in row.items()
    }
