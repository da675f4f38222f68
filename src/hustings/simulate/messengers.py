"""Made-up messengers and venues: who takes to whom is known, and past sends were drawn with logged probabilities.

Nobody named here exists. Each messenger has a level and leanings by age, sex and party; the probability that a
person enters a contest is the logistic function of their sum. Venues have listeners by age, sex and party.
"""

from __future__ import annotations

import datetime
from pathlib import Path
from string import Template
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from hustings.simulate import files
from hustings.simulate.elections import ASKED_FROM, LOADED_ON
from hustings.simulate.map import coordinates
from hustings.simulate.part import Drawn, Part
from hustings.simulate.population import PARTIES, Population

Floats = NDArray[np.float64]
BANDS = ("18-29", "30-44", "45-64", "65+")
_BEGINS = (30, 45, 65)
_SENT, _LISTENS = 0.5, 0.25
"""Share of the people who were written to, and who listen to anyone."""
_SENDS = 2
_ASKED = 400
"""Fans asked by the survey of fans."""
FIRST_DAY = datetime.date(2026, 7, 28)


class Item(NamedTuple):
    """One made-up messenger or venue: its truth.

    Attributes:
        item_id: Its id.
        name: As people would call it.
        kind: `messenger` or `venue`.
        cost: Of one use, in cents, of a campaign of 50,000 people; others have it in proportion.
        hours: Of one use.
        reach: Of a venue, as a share of all people.
        level: Log-odds of a response of someone in the middle.
        age: Added for every 20 years above 50.
        female: Added for a woman, half of it taken away for a man.
        party: Added for a leaning to A, taken away for one to B.
        days: On which days after the first it is to be had.
        sent: Whether it was sent before.
    """

    item_id: str
    name: str
    kind: str
    cost: int
    hours: float
    reach: float
    level: float
    age: float
    female: float
    party: float
    days: tuple[int, ...]
    sent: bool = True


ITEMS = (
    Item("vane", "Ottoline Vane", "messenger", 150_000, 3, 0, -3.4, 0.5, 0.5, 0.2, (0, 1, 3)),
    Item("drumlin", "The Drumlins", "messenger", 220_000, 4, 0, -3.6, -0.9, 0.1, 0.1, (1, 2, 5)),
    Item("quist", "Bram Quist", "messenger", 80_000, 3, 0, -3.8, 0.1, -0.7, 0.1, (0, 2, 4, 5)),
    Item("tarr", "Senator Tarr", "messenger", 30_000, 2, 0, -3.5, 0.7, -0.1, 0.7, (0, 1, 2, 3, 4, 5)),
    Item("okello", "Mirabel Okello", "messenger", 60_000, 2, 0, -3.7, -0.4, 0.6, 0.0, (2, 3)),
    Item("penhall", "Captain Penhall", "messenger", 50_000, 2, 0, -3.9, 0.2, -0.3, -0.5, (1, 4)),
    Item("sorrel", "Jory Sorrel", "messenger", 120_000, 3, 0, -3.2, -0.7, -0.2, 0.2, (3, 4), False),
    Item("lark", "Ines Lark", "messenger", 90_000, 3, 0, -3.6, 0.0, 0.3, 0.3, ()),
    Item("nightline", "Night Line, a call-in show", "venue", 20_000, 2, 0.06, 0, 0.8, 0.2, 0.1, (1, 3, 5)),
    Item("threadhall", "Threadhall, a forum", "venue", 0, 1.5, 0.09, 0, -1.1, -0.4, 0.1, (0, 1, 2, 3, 4)),
    Item("kitchen", "The Kitchen Hour, a podcast", "venue", 10_000, 1, 0.04, 0, -0.1, 0.9, 0.0, (2,)),
    Item("gridiron", "Gridiron Talk, a station", "venue", 40_000, 2, 0.12, 0, 0.1, -0.9, -0.4, (0, 4)),
    Item("campus", "Campus Wire", "venue", 5_000, 1, 0.03, 0, -1.6, 0.1, 0.3, (0, 2)),
    Item("heron", "The Heron Letter", "venue", 0, 1, 0.02, 0, 0.4, 0.1, 0.6, ()),
)
MESSENGERS = tuple(item for item in ITEMS if item.kind == "messenger")


def true_log_odds(population: Population, item: Item) -> Floats:
    """(n,) the log-odds of each person's response to one send.

    Args:
        population: The people.
        item: The messenger.

    >>> from hustings.simulate.population import draw_population
    >>> people = draw_population(1_000, np.random.default_rng(7))
    >>> bool(true_log_odds(people, MESSENGERS[1])[people.age < 30].mean() > -3.0)
    True
    """
    lean = np.choose(population.party, [0.0, 1.0, -1.0])
    sex = np.where(population.female, 1.0, -1.0) / 2
    return np.asarray(
        item.level + item.age * (population.age - 50) / 20 + item.female * sex + item.party * lean, np.float64
    )


def _write(folder: Path, drawn: Drawn, rng: np.random.Generator) -> None:
    world = drawn.world
    n = world.age.size
    sources = folder / "sources"
    _table(
        sources / "items.csv",
        {
            "item": [item.item_id for item in ITEMS],
            "name": [f'"{item.name}"' for item in ITEMS],
            "kind": [item.kind for item in ITEMS],
            "cents": [str(round(item.cost * n / 50_000)) for item in ITEMS],
            "hours": [str(item.hours) for item in ITEMS],
            "reach": [str(round(item.reach * n)) if item.reach else "" for item in ITEMS],
            "latitude": [str(round(42.0 + 0.17 * (i % 5), 2)) for i in range(len(ITEMS))],
            "longitude": [str(round(-86.0 + 0.23 * (i % 4), 2)) for i in range(len(ITEMS))],
        },
    )
    days = [(item.item_id, FIRST_DAY + datetime.timedelta(d)) for item in ITEMS for d in item.days]
    _table(
        sources / "item_days.csv",
        {"item": [item for item, _ in days], "day": [day.isoformat() for _, day in days]},
    )
    _write_fans(sources / "item_audiences.csv", world, rng)
    _write_places(sources / "region_places.csv", world)
    log_odds = np.column_stack([true_log_odds(world, item) for item in MESSENGERS])
    sent = _send(world, rng)
    _write_sends(sources, drawn, sent, log_odds, rng)
    truth = {
        name: pa.array([getattr(item, name) for item in ITEMS]) for name in Item._fields if name != "days"
    }
    pq.write_table(pa.table(truth), folder / "truth-messengers.parquet")


def _write_fans(path: Path, world: Population, rng: np.random.Generator) -> None:
    """A survey of 400 fans of each; fans are those likely to respond."""
    groups = {
        "age": (np.searchsorted(_BEGINS, world.age, side="right"), BANDS),
        "sex": (world.female.astype(np.int64), ("male", "female")),
        "party": (world.party, PARTIES),
    }
    rows: list[tuple[str, ...]] = []
    for item in ITEMS:
        weight = np.exp(true_log_odds(world, item))
        for feature, (code, words) in groups.items():
            share = np.bincount(code, weight, len(words)) / weight.sum()
            told = rng.multinomial(_ASKED, share / share.sum()) / _ASKED
            rows += [(item.item_id, feature, word, f"{s:.4f}") for word, s in zip(words, told, strict=True)]
    _table(
        path,
        dict(zip(("item", "feature", "value", "share"), map(list, zip(*rows, strict=True)), strict=True)),
    )


def _write_places(path: Path, world: Population) -> None:
    where = [np.nan_to_num(axis, nan=float(np.nanmean(axis))) for axis in coordinates(world)]
    size = np.bincount(world.region)
    middle = [np.bincount(world.region, axis) / size for axis in where]
    _table(
        path,
        {
            "region": files.places("R", np.arange(size.size)).to_pylist(),
            "latitude": [f"{v:.4f}" for v in middle[0]],
            "longitude": [f"{v:.4f}" for v in middle[1]],
        },
    )


def _send(world: Population, rng: np.random.Generator) -> tuple[NDArray[np.int64], NDArray[np.int64], Floats]:
    """Whom what was sent: by a staff's hunches for each band of age, and a quarter at random."""
    usable = np.flatnonzero([item.sent for item in MESSENGERS])
    hunch = rng.dirichlet(np.full(usable.size, 1.0), len(BANDS))
    chance = 0.75 * hunch + 0.25 / usable.size
    who = np.repeat(np.flatnonzero(rng.random(world.age.size) < _SENT), _SENDS)
    p = chance[np.searchsorted(_BEGINS, world.age[who], side="right")]
    pick = (rng.random(who.size)[:, None] > np.cumsum(p, axis=1)).sum(1).clip(0, usable.size - 1)
    return who, usable[pick], p[np.arange(who.size), pick]


def _write_sends(
    sources: Path,
    drawn: Drawn,
    sent: tuple[NDArray[np.int64], NDArray[np.int64], Floats],
    log_odds: Floats,
    rng: np.random.Generator,
) -> None:
    who, item, propensity = sent
    names = [one.item_id for one in MESSENGERS]
    first = np.datetime64(ASKED_FROM, "D")
    # The second send comes twelve days after the first, so that a response is to one of them.
    day = first + rng.integers(0, 8, who.size).astype("timedelta64[D]")
    day[1::_SENDS] = day[::_SENDS] + np.timedelta64(12, "D")
    chance = 1 / (1 + np.exp(-log_odds[who, item]))
    entered = rng.random(who.size) < chance
    cents = np.maximum(np.round(np.exp(np.log(2_500) + 0.6 * rng.standard_normal(who.size)), -2), 300)
    _table(
        sources / "item_sends.csv",
        {
            "voter_id": drawn.ids.take(pa.array(who)),
            "item": files.pick(names, item),
            "day": pa.array(day).cast(pa.string()),
            "propensity": pa.array([f"{p:.6f}" for p in propensity]),
        },
    )
    hearers = np.flatnonzero(rng.random(log_odds.shape[0]) < _LISTENS)
    likes = rng.random((hearers.size, len(names))) < 1 / (1 + np.exp(-(log_odds[hearers] + 2.2)))
    row, heard = np.nonzero(likes)
    came = np.flatnonzero(entered)
    later = day[came] + rng.integers(0, 5, came.size).astype("timedelta64[D]")
    doer = np.concatenate([who[came], hearers[row]])
    _table(
        sources / "item_responses.csv",
        {
            "voter_id": drawn.ids.take(pa.array(doer)),
            "item": files.pick(names, np.concatenate([item[came], heard])),
            "kind": files.pick(["listen", "entry"], np.arange(doer.size) < came.size),
            "day": pa.array(np.concatenate([later, np.full(row.size, first)])).cast(pa.string()),
            "cents": pa.array([f"{c:.0f}" for c in cents[came]] + [""] * row.size),
        },
    )


def _table(path: Path, columns: dict[str, list[str] | pa.Array]) -> None:
    texts = {name: pa.array(column) for name, column in columns.items()}
    path.write_bytes(files.as_bytes(texts, ",", files.lines(texts, ",")))


_TEXT = Template("""\

# ── messengers and venues: who asks whom, where the candidate answers questions ─────────────────────

[sources.items] # made-up messengers and venues
path = "sources/items.csv"
arrived_on = $loaded_on

[[sources.items.items]]
item_id = "item"
name = "name"
kind = "kind"
cost_cents = "cents"
hours = "hours"
reach = "reach"
latitude = "latitude"
longitude = "longitude"

[sources.item_days]
path = "sources/item_days.csv"
arrived_on = $loaded_on

[[sources.item_days.item_days]]
item_id = "item"
available_on = "day"

[sources.item_audiences] # a survey of 400 fans or listeners of each
path = "sources/item_audiences.csv"
arrived_on = $loaded_on

[[sources.item_audiences.item_audiences]]
item_id = "item"
feature = "feature"
value = "value"
share = "share"
n_asked = { constant = $asked }

[sources.item_sends] # who was invited by whom, and with which probability that messenger was drawn
path = "sources/item_sends.csv"
people_from = "voters"
arrived_on = $loaded_on

[[sources.item_sends.record_sends]]
record_id = "voter_id"
item_id = "item"
sent_at = "day"
channel = { constant = "email" }
propensity = "propensity"

[sources.item_responses] # who entered the contest with how much, and who listens to whom anyway
path = "sources/item_responses.csv"
people_from = "voters"
arrived_on = $loaded_on

[[sources.item_responses.record_events]]
record_id = "voter_id"
kind = "kind"
item = "item"
value = "cents"
happened_at = "day"

[sources.region_places]
path = "sources/region_places.csv"
arrived_on = $loaded_on

[[sources.region_places.place_coordinates]]
place_id = "region"
latitude = "latitude"
longitude = "longitude"

[affinities.hosts] # how likely each audience is to enter a contest for a dinner with each of them
outcome = "entry"
by = ["age", "sex"]
tastes = ["listen"]

[messenger_plan.dinners]
affinity = "hosts"
counted_in = "cents"
budget_cents = $budget_cents
contact_cents = 1.0

[venues.answers]
venue_kinds = ["venue"]
hour_cents = 50_000
""")


def _declaration(people: int) -> str:
    return _TEXT.substitute(loaded_on=LOADED_ON, asked=_ASKED, budget_cents=f"{people * 20:_}")


FILES = (
    "sources/items.csv",
    "sources/item_days.csv",
    "sources/item_audiences.csv",
    "sources/item_sends.csv",
    "sources/item_responses.csv",
    "sources/region_places.csv",
    "truth-messengers.parquet",
)
MESSENGER_PART = Part(FILES, _write, _declaration)
