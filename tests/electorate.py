"""A small electorate as tables: past votes, gifts, canvass answers, and what each was drawn from."""

from __future__ import annotations

import datetime
from typing import Any

import ibis
import numpy as np
import pandas as pd

from hustings.features.features import build_features
from hustings.scores.scores import score_people

D, T = datetime.date, datetime.datetime
DAY, TODAY = D(2026, 6, 1), D(2026, 7, 15)
KNOWN = T(2026, 1, 1)
_EVENTS = {
    "source": "string", "event_id": "string", "person_id": "string", "kind": "string", "name": "string",
    "election_kind": "string", "channel": "string", "item": "string", "value": "float64",
    "happened_at": "timestamp", "arrived_at": "timestamp",
}  # fmt: skip


def at(day: D) -> T:
    return T.combine(day, datetime.time(12))


class World:
    """People with a propensity that their past, and what comes after `DAY`, both show."""

    def __init__(self, n: int = 1500, seed: int = 0, n_places: int = 12) -> None:
        rng = np.random.default_rng(seed)
        self.rng, self.n = rng, n
        self.place = np.arange(n) // 2 % n_places
        self.ids = np.array([f"p{i:05d}" for i in range(n)])
        self.home = np.array([f"h{i // 2:05d}" for i in range(n)])
        self.trait = rng.standard_normal(n)
        self.party = np.where(rng.random(n) < 1 / (1 + np.exp(-1.5 * self.trait)), "A", "B")
        self.born = [D(int(y), 6, 15) for y in rng.integers(1930, 2007, n)]
        self.rows: list[dict[str, Any]] = []
        self.outcomes: list[dict[str, Any]] = []
        self.drawn: list[dict[str, Any]] = []
        for year in (2018, 2020, 2022, 2024):
            self.happen("vote", D(year, 11, 5), rng.random(n) < self.chance(1.0), name=f"{year} general")
        for month in (2, 3, 4, 5):
            self.happen("gift", D(2026, month, 10), rng.random(n) < self.chance(1.2, -1), value=self.sizes())

    def chance(self, slope: float, level: float = 0.0) -> np.ndarray:
        return 1 / (1 + np.exp(-(level + slope * self.trait)))

    def sizes(self) -> np.ndarray:
        return np.round(np.exp(7 + 0.6 * self.trait + 0.4 * self.rng.standard_normal(self.n)))

    def happen(self, kind: str, day: D, who: np.ndarray, arrived: D | None = None, **more: Any) -> None:
        for i in np.flatnonzero(who):
            given = {k: (v[i] if isinstance(v, np.ndarray) else v) for k, v in more.items()}
            self.rows.append(
                dict.fromkeys(_EVENTS)
                | {"source": "s", "event_id": f"{len(self.rows)}", "person_id": self.ids[i], "kind": kind}
                | {"happened_at": at(day), "arrived_at": at(arrived or day)}
                | ({"election_kind": "general"} if kind == "vote" else {})
                | given
            )

    def outcome(self, name: str, day: D, values: np.ndarray, arrived: D | None = None) -> None:
        when = at(arrived or day)
        self.outcomes += [
            {"outcome": name, "person_id": p, "value": float(v), "happened_on": day, "arrived_at": when}
            for p, v in zip(self.ids, values, strict=True)
        ]

    def tables(self, *moments: D) -> dict[str, Any]:
        sex = np.where(self.rng.random(self.n) < 0.5, "female", "male")
        people = pd.DataFrame(
            {
                "person_id": self.ids, "household_id": self.home, "sex": sex, "party": self.party,
                "place_id": [f"c{i}" for i in self.place],
                "region_id": [f"r{i % 3}" for i in range(self.n)],
                "born_on": self.born, "registered_on": D(2015, 1, 1), "arrived_at": D(2017, 1, 1),
            }
        )  # fmt: skip
        people = ibis.memtable(people).mutate(
            born_on=lambda t: t.born_on.cast("date"), registered_on=lambda t: t.registered_on.cast("date"),
            arrived_at=lambda t: t.arrived_at.cast("timestamp"),
        )  # fmt: skip
        events = ibis.memtable(self.rows, schema=_EVENTS)
        outcomes = ibis.memtable(
            self.outcomes,
            schema={
                "outcome": "string", "person_id": "string", "value": "float64", "happened_on": "date",
                "arrived_at": "timestamp",
            },
        )  # fmt: skip
        assignments = ibis.memtable(
            self.drawn,
            schema={"experiment": "string", "person_id": "string", "arm": "string", "assigned_on": "date"},
        )
        experiments = ibis.memtable(
            [
                {"experiment": "t", "arm": a, "is_control": a == "control", "everyday": False}
                for a in ("control", "mail")
            ]
        )
        features = build_features(people, events, None, as_of=TODAY, moments=[DAY, *moments])
        # Read once: every stage of a run reads tables that are there already.
        features = ibis.memtable(features.to_pyarrow())
        return {
            "features": features, "outcomes": outcomes, "events": events, "people": people,
            "assignments": assignments, "experiments": experiments,
        }  # fmt: skip


def run(tables: dict[str, Any], **settings: Any) -> tuple[dict[str, Any], pd.DataFrame]:
    """The card's row, and the scores."""
    given = {"score": "x", "as_of": TODAY, "folds": 3, "rng": np.random.default_rng(1)} | settings
    found = score_people(*tables.values(), **given)
    return {k: v[0] for k, v in found["models"].items()}, pd.DataFrame(found["scores"])
