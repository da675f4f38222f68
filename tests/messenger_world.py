"""A small campaign of messengers whose truth is known, as tables; for the tests of affinities and of plans."""

from __future__ import annotations

import datetime

import ibis
import numpy as np
import pyarrow as pa

from hustings.tables import TABLES

TODAY, ELECTION = datetime.date(2026, 10, 1), datetime.date(2026, 10, 11)
KINDS = {
    "text": pa.string(), "integer": pa.int64(), "number": pa.float64(), "boolean": pa.bool_(),
    "day": pa.date32(), "time": pa.timestamp("us"),
}  # fmt: skip
ITEMS = ("ada", "bo", "cy", "dee")
# Log-odds of a response for people under 45 and for the others; dee was never sent.
TRUTH = np.array([[-2.0, -4.0, -3.2, -2.2], [-3.8, -2.6, -3.2, -3.6]])


def table(name, columns):
    """A table with all declared columns, those not given null."""
    n = len(next(iter(columns.values()))) if columns else 0
    kinds = {column.name: KINDS[column.type] for column in TABLES[name].columns}
    arrays = {key: pa.array(columns.get(key, [None] * n), kind) for key, kind in kinds.items()}
    return ibis.memtable(pa.table(arrays))


def rows(made):
    """Tables of columns as lists of rows."""
    return {
        name: [dict(zip(part, row, strict=True)) for row in zip(*part.values(), strict=True)]
        for name, part in made.items()
    }


class Small:
    """The campaign: 4,000 people, each sent two messengers of three; every table as columns."""

    def __init__(self, seed=1, n=4_000, sends=2):
        rng = np.random.default_rng(seed)
        self.ids = np.array([f"p{k:05d}" for k in range(n)])
        self.young = np.arange(n) % 2 == 0
        self.region = np.where(np.arange(n) % 4 < 2, "N", "S")
        born = np.where(self.young, "1996-05-05", "1960-05-05").astype("M8[D]")
        who = np.repeat(np.arange(n), sends)
        item = np.concatenate([rng.permutation(3)[:sends] for _ in range(n)])
        day = np.tile(np.arange(sends), n)
        p = 1 / (1 + np.exp(-TRUTH[np.where(self.young, 0, 1)[who], item]))
        came = np.flatnonzero(rng.random(who.size) < p)
        sent = (np.datetime64("2026-09-01") + 8 * day).astype("M8[us]")
        early = [np.datetime64("2026-01-01", "us")]
        self.columns = {
            "people": {
                "person_id": self.ids, "household_id": self.ids, "born_on": born.tolist(),
                "region_id": self.region, "place_id": self.region, "arrived_at": early * n,
            },
            "identities": {"source": ["s"] * n, "record_id": self.ids, "person_id": self.ids},
            "items": {
                "source": ["i"] * 4, "item_id": list(ITEMS), "name": [x.title() for x in ITEMS],
                "kind": ["messenger"] * 4, "cost_cents": [1000.0, 2000.0, 0.0, 500.0],
                "arrived_at": early * 4, "load_id": ["l"] * 4, "line": [1, 2, 3, 4],
            },
            "item_days": {
                "source": ["i"] * 5, "item_id": ["ada", "bo", "bo", "cy", "dee"],
                "available_on": [TODAY + datetime.timedelta(k) for k in (0, 0, 1, 2, 3)],
            },
            "item_audiences": {
                "source": ["i"] * 4, "item_id": ["ada", "ada", "dee", "dee"], "feature": ["age"] * 4,
                "value": ["18-44", "45+", "18-44", "45+"], "share": [0.85, 0.15, 0.8, 0.2], "n_asked": [400] * 4,
            },
            "record_sends": {
                "source": ["x"] * who.size, "record_source": ["s"] * who.size, "record_id": self.ids[who],
                "item_id": np.array(ITEMS)[item], "sent_at": sent, "propensity": np.full(who.size, 1 / 3),
                "arrived_at": sent,
            },
            "events": {
                "source": ["e"] * came.size, "event_id": [f"e{k}" for k in range(came.size)],
                "person_id": self.ids[who[came]], "kind": ["gift"] * came.size, "item": np.array(ITEMS)[item[came]],
                "value": np.full(came.size, 2_000.0) + 500 * rng.standard_normal(came.size),
                "happened_at": sent[came] + np.timedelta64(1, "D"), "arrived_at": sent[came] + np.timedelta64(1, "D"),
            },
        }  # fmt: skip

    def table(self, name, **change):
        """The table of that name, some columns changed."""
        return table(name, self.columns.get(name, {}) | change)


def affinities_of(small, **settings):
    """What the stage makes of it."""
    from hustings.affinities.affinities import fit_affinities

    names = ("people", "identities", "events", "scores", "items", "item_audiences", "record_sends")
    given = {"affinity": "hosts", "outcome": "gift", "by": ["age"], "ages": [45], "as_of": TODAY}
    given |= {"rng": np.random.default_rng(1)}
    tables = {name: settings.pop(name, None) for name in names}
    return fit_affinities(
        *(small.table(name) if tables[name] is None else tables[name] for name in names), **(given | settings)
    )
