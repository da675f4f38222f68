"""What the briefing is made from: rows of the warehouse's tables as plain Python, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

Record = Mapping[str, Any]
Records = Sequence[Record]


@dataclass(frozen=True)
class Facts:
    """Everything that the page says, under the tables' own column names; any part may be empty or null.

    Attributes:
        name: The campaign's name.
        place: Where it runs.
        election_day: The day of the election.
        as_of: Nothing that happened or arrived on this day or later was used.
        currency: As in `campaign.toml`: `USD`.
        run_id: The published run.
        published_at: When it was published, in UTC.
        findings: Rows of `briefing`.
        decisions: Rows of `decisions`; of each plan only the latest is shown.
        goals: Rows of `goals`.
        lifts: Rows of `lifts`.
        experiments: Rows of `experiments`.
        models: Rows of `models`; `card` as JSON text with `reliability` and `rule_reliability`, each a list
            of {predicted, observed, low, high, n}. The column `model` is never read.
        options: Rows of `options`, every estimator. `needs_approval`, where a row has it, overrides what is
            concluded from the actions' arms named in `option` and `about`.
        actions: Rows of `actions`.
        sources: The latest row of `loads` of each source, with `reasons` (a list of {reason, n}, the most
            frequent first) and `age_days`.
        odds: Rows of `odds`.
        forecast: Rows of `forecast`.
        forecast_days: Rows of `forecast_days` of the races' own places.
        forecast_moves: Rows of `forecast_moves`.
        forecast_checks: Rows of `forecast_checks`.
        vote_values: Rows of `vote_values`.
        tables: Rows of the tables that the departments' panels are made from, by name.
    """

    name: str = ""
    place: str = ""
    election_day: date | None = None
    as_of: date | None = None
    currency: str = "USD"
    run_id: str | None = None
    published_at: datetime | None = None
    findings: Records = ()
    decisions: Records = ()
    goals: Records = ()
    lifts: Records = ()
    experiments: Records = ()
    models: Records = ()
    options: Records = ()
    actions: Records = ()
    sources: Records = ()
    odds: Records = ()
    forecast: Records = ()
    forecast_days: Records = ()
    forecast_moves: Records = ()
    forecast_checks: Records = ()
    vote_values: Records = ()
    tables: Mapping[str, Records] = field(default_factory=dict)

    def rows(self, table: str) -> list[Record]:
        """Rows of one of `tables`; none where there are none."""
        return list(self.tables.get(table, ()))


def card(model: Record) -> Mapping[str, Any]:
    """A model's card; empty where there is none.

    >>> card({"card": '{"features": ["age"]}'})
    {'features': ['age']}
    """
    written = model.get("card") or "{}"
    read = json.loads(written) if isinstance(written, str) else written
    return read if isinstance(read, Mapping) else {}


def pending(facts: Facts) -> list[Record]:
    """The actions that may not be used until someone puts a name to them.

    >>> pending(Facts(actions=[{"arm": "Self", "needs_approval": True, "approved_by": None}]))[0]["arm"]
    'Self'
    """
    return [a for a in facts.actions if a.get("needs_approval") and not a.get("approved_by")]
