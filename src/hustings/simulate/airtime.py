"""The simulated campaign's airtime: what is on sale, what a panel saw of it, last cycle's orders, and the truth."""

from __future__ import annotations

import datetime
from pathlib import Path
from string import Template

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from hustings.simulate import files
from hustings.simulate.elections import AS_OF, LOADED_ON
from hustings.simulate.market import DAYPARTS, KINDS, draw_culture, draw_slots, prices
from hustings.simulate.part import Drawn, Part
from hustings.simulate.population import PARTIES

Floats = NDArray[np.float64]
SLOTS, VIEWERS, VIEWING = "sources/airtime.csv", "sources/viewers.csv", "sources/viewing.csv"
ORDERS, LOG, TRUTH = "sources/airtime_orders.csv", "sources/as_run.csv", "truth-viewing.parquet"
MARKETS = 4
_PER_MARKET = 40
_AGES = ((18, 29), (30, 44), (45, 59), (60, 120))
_PANELISTS = 6_000
_LAST_CYCLE = datetime.date(2024, 10, 7)


def _write(folder: Path, drawn: Drawn, rng: np.random.Generator) -> None:
    """Markets are runs of regions; each panelist's group is an age, a sex, a region and a party of registration."""
    world = drawn.world
    group, keys = _groups(world.age, world.female, world.region, world.party)
    size = np.bincount(group, minlength=len(keys))
    region = keys[:, 2]
    n_markets = min(MARKETS, int(region.max()) + 1)
    market = region * n_markets // (int(region.max()) + 1)
    panelists = np.maximum(np.round(_PANELISTS * size / size.sum()), 2).astype(np.int64)
    rows, truth = [], []
    for number in range(n_markets):
        own = np.flatnonzero(market == number)
        rows.append(_market(number, own, keys, size, rng))
        truth.append((own, rows[-1][1]))
    slots = [line for one in rows for line in one[0]]
    _to_csv(folder / SLOTS, slots)
    _to_csv(folder / VIEWERS, [
        {"viewer": f"G{g + 1:05d}", "sex": "female" if keys[g, 1] else "male", "from": _AGES[keys[g, 0]][0],
         "to": _AGES[keys[g, 0]][1], "region": f"R{region[g] + 1:04d}", "party": PARTIES[keys[g, 3]], "people": int(size[g]),
         "panelists": int(panelists[g])}
        for g in range(len(keys))
    ])  # fmt: skip
    seen: list[dict[str, object]] = []
    told: list[dict[str, object]] = []
    at = 0
    for own, p in truth:
        found = rng.binomial(panelists[own][:, None], p) / panelists[own][:, None]
        for column in range(p.shape[1]):
            name = slots[at + column]["slot"]
            for row, g in enumerate(own.tolist()):
                told.append({"viewer": f"G{g + 1:05d}", "slot": name, "p_view": float(p[row, column])})
                if found[row, column] > 0:
                    seen.append(
                        {"viewer": f"G{g + 1:05d}", "slot": name, "p": round(float(found[row, column]), 6)}
                    )
        at += p.shape[1]
    _to_csv(folder / VIEWING, seen)
    pq.write_table(pa.Table.from_pylist(told), folder / TRUTH, compression="zstd")
    orders, log = _orders(slots, rng)
    _to_csv(folder / ORDERS, orders)
    _to_csv(folder / LOG, log)


def _groups(
    age: NDArray[np.int64], female: NDArray[np.bool_], region: NDArray[np.int64], party: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    band = np.searchsorted([last for _, last in _AGES], age)
    keys, group = np.unique(np.column_stack([band, female, region, party]), axis=0, return_inverse=True)
    return group.reshape(-1), keys.astype(np.int64)


def _market(
    number: int,
    own: NDArray[np.int64],
    keys: NDArray[np.int64],
    size: NDArray[np.int64],
    rng: np.random.Generator,
) -> tuple[list[dict[str, object]], Floats]:
    """The slots of one market, and the true viewing of its groups."""
    slots, culture = draw_slots(_PER_MARKET, rng), draw_culture(rng)
    old = (keys[own, 0] - 1.5) / 1.1
    woman = np.where(keys[own, 1] == 1, 1.0, -1.0)
    # Whoever has no party can be moved most, and shares tastes that neither age nor sex tells.
    parties = rng.standard_normal((len(PARTIES), culture.kinds.shape[0]))
    trait = parties[keys[own, 3]] + 0.3 * rng.standard_normal((own.size, culture.kinds.shape[0]))
    taste = np.column_stack(
        [0.55 * old, -0.35 * woman, 0.2 * woman, 0.3 * woman - 0.35 * old, -0.25 * old, -0.6 * old]
    )
    liking = (taste + trait @ culture.kinds) @ slots.mix.T + (trait @ culture.networks)[:, slots.network]
    p = np.minimum(slots.level * np.exp(0.35 * old)[:, None] * np.exp(liking), 0.9)
    audience = size[own] @ p
    cost = np.maximum(prices(audience, slots), 100.0)
    # The election falls on the second day of the second week: the first has all evenings.
    weeks = [AS_OF, AS_OF + datetime.timedelta(7)]
    week = (rng.random(_PER_MARKET) < 0.3).astype(np.int64)
    fixed = rng.random(_PER_MARKET) < 0.4
    lines: list[dict[str, object]] = [
        {
            "slot": f"M{number + 1}-{at + 1:03d}", "market": f"Market {number + 1}",
            "network": f"{'Station' if slots.network[at] < 5 else 'Cable'} {slots.network[at] + 1}",
            "daypart": DAYPARTS[slots.daypart[at]], "program": KINDS[int(slots.mix[at].argmax())],
            "week": weeks[week[at]].isoformat(), "price_cents": int(cost[at] * (1.0 if fixed[at] else 0.8)),
            "lowest_cents": int(cost[at] * (0.85 if fixed[at] else 0.7)), "units": int(slots.units[at]),
            "class": "fixed" if fixed[at] else "preemptible", "p_preempted": 0.02 if fixed[at] else 0.15,
            "audience": round(float(audience[at]), 1),
        }
        for at in range(_PER_MARKET)
    ]  # fmt: skip
    return lines, p


def _orders(
    slots: list[dict[str, object]], rng: np.random.Generator
) -> tuple[list[dict[str, object]], list[dict[str, object]]]:
    """Last cycle's orders, most in news and prime; and an order of last week that did not wholly air."""
    weight = {"prime": 5, "early news": 4, "late news": 3, "access": 2}
    orders: list[dict[str, object]] = []
    for number, daypart in enumerate(DAYPARTS):
        for network in sorted({str(slot["network"]) for slot in slots if slot["daypart"] == daypart}):
            cents = int(100_000 * weight.get(daypart, 1) * rng.lognormal(0, 0.4))
            orders.append({"order": f"L{number}-{network}", "slot": "", "network": network, "daypart": daypart,
                           "units": 10, "cents": cents, "on": _LAST_CYCLE.isoformat()})  # fmt: skip
    first = slots[0]
    price = int(str(first["price_cents"]))
    orders.append({"order": "T1", "slot": first["slot"], "network": first["network"], "daypart": first["daypart"],
                   "units": 4, "cents": 4 * price, "on": (AS_OF - datetime.timedelta(14)).isoformat()})  # fmt: skip
    log: list[dict[str, object]] = [
        {
            "line": "1",
            "order": "T1",
            "status": "aired",
            "units": 2,
            "seen": first["audience"],
            "cents": 2 * price,
        },
        {"line": "2", "order": "T1", "status": "preempted", "units": 2, "seen": "", "cents": price},
    ]
    return orders, log


def _to_csv(path: Path, rows: list[dict[str, object]]) -> None:
    columns = {name: pa.array([str(row[name]) for row in rows], pa.string()) for name in rows[0]}
    path.write_bytes(files.as_bytes(columns, ",", files.lines(columns, ",")))


_TEXT = Template("""\
# ── airtime ────────────────────────────────────────────────────────────────────────────────────────

[sources.airtime] # what stations and cable sell in the week before the election
path = "sources/airtime.csv"
arrived_on = $loaded_on

[[sources.airtime.slots]]
slot_id = "slot"
market = "market"
network = "network"
daypart = "daypart"
program = "program"
week_on = "week"
price_cents = "price_cents"
lowest_unit_charge_cents = "lowest_cents"
n_units = "units"
class_of_time = "class"
p_preempted = "p_preempted"
audience = "audience"

[sources.viewers] # groups of a panel: age, sex, region and party
path = "sources/viewers.csv"
arrived_on = $loaded_on

[[sources.viewers.viewers]]
viewer_id = "viewer"
sex = "sex"
age_from = "from"
age_to = "to"
region_id = "region"
party = "party"
n_people = "people"
n_panelists = "panelists"

[sources.viewing] # what their panelists saw; what is true stands in truth-viewing.parquet
path = "sources/viewing.csv"
arrived_on = $loaded_on

[[sources.viewing.viewing]]
viewer_id = "viewer"
slot_id = "slot"
p_view = "p"

[sources.airtime_orders] # last cycle's orders, and last week's
path = "sources/airtime_orders.csv"
arrived_on = $loaded_on

[[sources.airtime_orders.bought]]
order_id = "order"
slot_id = "slot"
network = "network"
daypart = "daypart"
n_units = "units"
cost_cents = "cents"
ordered_on = "on"

[sources.as_run] # the stations' log and invoice
path = "sources/as_run.csv"
arrived_on = $loaded_on

[[sources.as_run.airings]]
airing_id = "line"
order_id = "order"
status = "status"
n_units = "units"
delivered = "seen"
invoiced_cents = "cents"

[media_plan.tv]
budget_cents = $budget_cents
lowest_unit_charge_days = 45 # a primary
""")


def _declaration(people: int) -> str:
    return _TEXT.substitute(loaded_on=LOADED_ON, budget_cents=f"{people // 100 * 1_000:_}")


ON_SALE = Part((SLOTS, VIEWERS, VIEWING, ORDERS, LOG, TRUTH), _write, _declaration)
