"""Asking for money: strings drawn at random in two e-mails and a round of calls, and every other movement of money.

What people truly give to each string is known: a string whose smallest amount is above the last gift puts people
off, and whoever gives is drawn towards its middle. So small givers want small strings, and large givers large ones.
"""

from __future__ import annotations

import datetime
from pathlib import Path
from string import Template
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from hustings.simulate import files
from hustings.simulate.elections import AS_OF, ELECTION_DAY, LOADED_ON
from hustings.simulate.part import Drawn, Part

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Day = datetime.date

ASKS = "sources/asks.csv"
MONEY = "sources/money.csv"
TRUTH = "truth-asks.parquet"
STRINGS: dict[str, tuple[float, ...]] = {
    "modest": (1_000, 2_500, 5_000),
    "usual": (2_500, 5_000, 10_000),
    "bold": (5_000, 10_000, 25_000),
    "last": (1.0, 1.5, 2.0),
}
"""What each arm suggests: cents, and multiples of the last gift."""
NONE = "none"
_SHARES = (0.225, 0.225, 0.225, 0.225, 0.1)
SENDS = {"ask_march": Day(2026, 3, 17), "ask_may": Day(2026, 5, 12), "calls_may": Day(2026, 5, 26)}
GENERAL = Day(2026, 11, 3)
_LIMIT = 350_000
_NEW = 2_500.0
"""What people who have not given have in mind."""
_PUT_OFF, _DRAWN, _SPREAD, _UNASKED = 0.8, 0.35, 0.4, 0.15


class Givers(NamedTuple):
    """What decides on a person's gift at an ask; (n,) each: chance of one, what she has in mind, her last gift."""

    chance: Floats
    mind: Floats
    last: Floats


def _givers(drawn: Drawn, on: Day, also: dict[str, Any] | None) -> Givers:
    """Everyone as of the morning of a day: the book's gifts, and those of earlier asks, are known."""
    politics, n = drawn.politics, drawn.politics.p_give.size
    who = [politics.doer[politics.is_gift]]
    cents = [politics.cents[politics.is_gift].astype(np.float64)]
    day = [politics.done_on[politics.is_gift].astype("datetime64[D]")]
    if also is not None:
        who, cents, day = [*who, also["who"]], [*cents, also["cents"]], [*day, also["day"]]
    person, amount, when = np.concatenate(who), np.concatenate(cents), np.concatenate(day)
    before = when < np.datetime64(on, "D")
    order = np.argsort(when[before], kind="stable")
    last, latest = np.full(n, np.nan), np.full(n, np.datetime64("1970-01-01", "D"))
    last[person[before][order]] = amount[before][order]
    latest[person[before][order]] = when[before][order]
    ago = (np.datetime64(on, "D") - latest).astype(np.int64)
    base = np.where(np.isnan(last), 0.006, np.where(ago <= 180, 0.06, 0.03))
    return Givers(base, np.where(np.isnan(last), _NEW, last), last)


def suggested(string: str, last: Floats) -> Floats:
    """(n, 3) cents that a string suggests; NaN for a multiple of no gift.

    >>> suggested("last", np.array([2000.0])).tolist()
    [[2000.0, 3000.0, 4000.0]]
    """
    own = np.array(STRINGS[string])
    if string != "last":
        return np.broadcast_to(own, (last.size, 3))
    return np.asarray(np.maximum(np.round(last[:, None] * own / 500) * 500, 500.0))


def truth(givers: Givers, string: str, lift: float = 1.0) -> tuple[Floats, Floats]:
    """(n,) the chance of a gift, and the mean of the logarithm of its cents, by what the string suggests."""
    if string == NONE:
        return givers.chance * _UNASKED * lift, np.log(givers.mind)
    own = suggested(string, givers.last)
    # Where there was no gift there is no multiple of it: such people see the usual string.
    own = np.where(np.isnan(own), suggested("usual", givers.last), own)
    over = np.maximum(np.log(own[:, 0] / givers.mind), 0.0)
    log = (1 - _DRAWN) * np.log(givers.mind) + _DRAWN * np.log(own[:, 1])
    return np.minimum(givers.chance * np.exp(-_PUT_OFF * over) * lift, 0.9), log


def _write(folder: Path, drawn: Drawn, rng: np.random.Generator) -> None:
    n = drawn.politics.p_give.size
    gave = np.zeros(n, bool)
    early = drawn.politics.done_on < np.datetime64("2026-03-01")
    gave[drawn.politics.doer[drawn.politics.is_gift & early]] = True
    listed = np.flatnonzero(gave | ((drawn.politics.p_support > 0.5) & (rng.random(n) < 0.4)))
    card = listed[rng.random(listed.size) < 0.08]
    rows: list[dict[str, Any]] = [_event(card, "one_click", Day(2026, 2, 20), rng, spread=10)]
    asks: list[dict[str, Any]] = []
    gifts: dict[str, Any] = {"who": np.zeros(0, np.int64), "cents": np.zeros(0), "day": np.zeros(0, "M8[D]")}
    for send, on in SENDS.items():
        givers = _givers(drawn, on, gifts)
        called = send.startswith("calls")
        who = listed[~np.isnan(givers.last[listed])] if called else listed
        arm = rng.choice(len(_SHARES), who.size, p=_SHARES)
        made = _answers(givers, who, arm, card, on, 3.0 if called else 1.0, rng)
        asks.append({"who": who, "send": send, "on": on, "arm": arm, "raised": made.pop("raised")})
        rows.append(made)
        gifts = {name: np.concatenate([gifts[name], made[name]]) for name in gifts}
    rows += _recurring(listed, rng) + _others(drawn, listed, gifts, rng)
    _write_asks(folder / ASKS, drawn, asks)
    _write_money(folder / MONEY, drawn, rows)
    _write_truth(folder / TRUTH, drawn, _givers(drawn, AS_OF, gifts), card)


def _answers(
    givers: Givers,
    who: Integers,
    arm: Integers,
    card: Integers,
    on: Day,
    lift: float,
    rng: np.random.Generator,
) -> dict[str, Any]:
    names = (*STRINGS, NONE)
    p, log = np.zeros(who.size), np.zeros(who.size)
    for code, name in enumerate(names):
        own = arm == code
        chance, mean = truth(Givers(*(column[who[own]] for column in givers)), name, lift)
        p[own], log[own] = chance, mean
    p = np.minimum(p * np.where(np.isin(who, card), 2.0, 1.0), 0.9)
    yes = rng.random(who.size) < p
    cents = np.round(np.exp(log + _SPREAD * rng.standard_normal(who.size)), -2)
    cents = np.clip(cents, 100, 150_000)
    made = _event(who[yes], "gift", on, rng, spread=0)
    made["day"] = made["day"] + np.minimum(rng.geometric(0.5, int(yes.sum())) - 1, 6).astype("m8[D]")
    made["cents"] = cents[yes]
    raised = np.zeros(who.size)
    raised[yes] = cents[yes]
    return made | {"raised": raised}


def _event(
    who: Integers, what: str, on: Day, rng: np.random.Generator, *, spread: int, cents: float = 0.0
) -> dict[str, Any]:
    """One thing that each of these people does on a day, or within some days before it."""
    day = np.datetime64(on, "D") - rng.integers(0, spread + 1, who.size).astype("m8[D]")
    return {
        "who": who,
        "what": what,
        "day": day,
        "cents": np.full(who.size, cents),
        "election": "",
        "from": "",
    }


def _recurring(listed: Integers, rng: np.random.Generator) -> list[dict[str, Any]]:
    """Sustainers: monthly until they stop, each with a chance of her own, of mean one in ten."""
    who = listed[rng.random(listed.size) < 0.03]
    start = np.datetime64("2025-01-05", "D") + rng.integers(0, 520, who.size).astype("m8[D]")
    amount = rng.choice([1_000.0, 2_000.0, 2_500.0, 5_000.0], who.size)
    until = rng.geometric(np.clip(rng.beta(1.0, 9.0, who.size), 1e-6, 1))
    rows = []
    for month in range(20):
        day = start + np.round(month * 30.4375).astype(np.int64)
        pays = (until > month) & (day <= np.datetime64(LOADED_ON, "D"))
        row = _event(who[pays], "recurring_gift", AS_OF, rng, spread=0)
        rows.append(row | {"day": day[pays], "cents": amount[pays]})
    return rows


def _others(
    drawn: Drawn, listed: Integers, gifts: dict[str, Any], rng: np.random.Generator
) -> list[dict[str, Any]]:
    """Large givers at the limit and near it, refunds, a redesignation, pledges, employers."""
    few = max(2, listed.size // 2_000)
    big = rng.choice(listed, 4 * few, replace=False)
    on = Day(2026, 2, 1)
    at_limit, near, over, moved = (big[i * few : (i + 1) * few] for i in range(4))
    rows = [
        _event(at_limit, "gift", on, rng, spread=20, cents=_LIMIT),
        _event(near, "gift", on, rng, spread=20, cents=_LIMIT - 4_000),
        _event(over, "gift", on, rng, spread=20, cents=_LIMIT + 50_000),
        _event(over, "refund", Day(2026, 2, 20), rng, spread=5, cents=50_000),
        _event(moved, "gift", on, rng, spread=20, cents=_LIMIT + 100_000),
        _event(moved, "redesignation", Day(2026, 2, 20), rng, spread=5, cents=100_000)
        | {"election": "general", "from": "primary"},
        _event(
            rng.choice(listed, 3 * few, replace=False),
            "pledge",
            Day(2026, 7, 20),
            rng,
            spread=10,
            cents=25_000,
        ),
    ]
    back = rng.random(len(gifts["who"])) < 0.01
    returned = _event(gifts["who"][back], "refund", AS_OF, rng, spread=0)
    rows.append(
        returned | {"day": gifts["day"][back] + np.timedelta64(8, "D"), "cents": gifts["cents"][back]}
    )
    politics = drawn.politics
    known = np.unique(politics.doer[politics.is_gift])
    for what in ("employer", "occupation"):
        told = np.concatenate([known, big[: 3 * few]])
        rows.append(_event(told[rng.random(told.size) < 0.9], what, Day(2026, 3, 1), rng, spread=0))
    return rows


def _write_asks(path: Path, drawn: Drawn, asks: list[dict[str, Any]]) -> None:
    names = [*STRINGS, NONE]
    columns = {
        "voter_id": pa.chunked_array([drawn.ids.take(pa.array(one["who"])) for one in asks]).combine_chunks(),
        "send": pa.array(np.repeat([one["send"] for one in asks], [one["who"].size for one in asks])),
        "string": files.pick(names, np.concatenate([one["arm"] for one in asks])),
        "asked_on": pa.array(
            np.repeat([one["on"].isoformat() for one in asks], [one["who"].size for one in asks])
        ),
        "raised": pa.array(np.concatenate([one["raised"] for one in asks]).astype(np.int64)).cast(
            pa.string()
        ),
    }
    path.write_bytes(files.as_bytes(columns, ",", files.lines(columns, ",")))


def _write_money(path: Path, drawn: Drawn, rows: list[dict[str, Any]]) -> None:
    size = [len(row["who"]) for row in rows]
    day = np.concatenate([row["day"] for row in rows])
    order = np.argsort(day, kind="stable")
    cents = np.concatenate([row["cents"] for row in rows]).astype(np.int64)[order]
    words = {name: np.repeat([row[key] for row in rows], size)[order] for name, key in (("what", "what"), ("election", "election"), ("moved_from", "from"))}  # fmt: skip
    columns = {
        "voter_id": drawn.ids.take(pa.array(np.concatenate([row["who"] for row in rows])[order])),
        "date": pc.strftime(pa.array(day[order]), "%Y-%m-%d"),
        "what": pa.array(words["what"]),
        "cents": pc.fill_null(pa.array(cents, mask=cents == 0).cast(pa.string()), ""),
        "election": pa.array(words["election"]),
        "moved_from": pa.array(words["moved_from"]),
    }
    path.write_bytes(files.as_bytes(columns, ",", files.lines(columns, ",")))


def _write_truth(path: Path, drawn: Drawn, givers: Givers, card: Integers) -> None:
    """Expected cents of one e-mail to each person as of the plan's day, by string; nothing where it suggests nothing."""
    double = np.where(np.isin(np.arange(givers.mind.size), card), 2.0, 1.0)
    table = pa.table({"voter_id": drawn.ids})
    for name in (*STRINGS, NONE):
        chance, log = truth(givers, name)
        worth = np.minimum(chance * double, 0.9) * np.exp(log + _SPREAD**2 / 2)
        none = np.isnan(givers.last) if name == "last" else np.zeros(worth.size, bool)
        table = table.append_column(
            f"revenue_{name}", pa.array(np.where(none, np.nan, worth), from_pandas=True)
        )
    pq.write_table(table, path, compression="zstd")


_TEXT = Template("""\
# ── asking for money ───────────────────────────────────────────────────────────────────────────────

[sources.asks] # who was asked for what, at random, and what came within a week
path = "sources/asks.csv"
people_from = "voters"
arrived_on = $loaded_on

[[sources.asks.record_assignments]]
record_id = "voter_id"
experiment = "send"
arm = "string"
assigned_on = "asked_on"
$outcomes
[sources.money] # gifts from those asks, recurring gifts, refunds, pledges, who has a card on file, …
path = "sources/money.csv"
people_from = "voters"
arrived_on = $loaded_on

[[sources.money.record_events]]
record_id = "voter_id"
kind = "what"
value = "cents"
election_kind = "election" # what a gift is for, where the giver said so
item = "moved_from" # of a redesignation
happened_at = "date"
arrived_at = "date"
$tests
[donors] # $$3,500 for each election: the law's table is built in
elections = { primary = $election_day, general = $general }

[ask_plan.raise]
channels = { email = ["ask_march", "ask_may"], phone = ["calls_may"] }
rule = "usual"
not_asked = "none"
amounts = { modest = [1_000, 2_500, 5_000], usual = [2_500, 5_000, 10_000], bold = [5_000, 10_000, 25_000] }
multiples = { last = [1.0, 1.5, 2.0] }
budget_cents = $budget
per_day = { phone = $calls }
deadline = $deadline

[money_forecast]
goal_cents = $goal
starts_on = 2026-01-01
deadline = $deadline
deadlines = [2025-03-31, 2025-06-30, 2025-09-30, 2025-12-31, 2026-03-31, 2026-06-30, $deadline]
sends = ["ask_march", "ask_may", "calls_may"]
""")
_OUTCOME = """
[[sources.asks.record_outcomes]]
record_id = "voter_id"
outcome = {{ constant = "raised_{send}" }}
value = "raised"
happened_on = {{ constant = {on} }}
where = {{ column = "send", is = ["{send}"] }}
"""
_TEST = """
[experiments.{send}]
unit = "person"
control = "usual"
measured_by = ["raised_{send}"]
everyday = true
"""


def _declaration(people: int) -> str:
    week = datetime.timedelta(7)
    return _TEXT.substitute(
        loaded_on=LOADED_ON,
        election_day=ELECTION_DAY,
        general=GENERAL,
        deadline=ELECTION_DAY - datetime.timedelta(1),
        outcomes="".join(_OUTCOME.format(send=send, on=on + week) for send, on in SENDS.items()),
        tests="".join(_TEST.format(send=send) for send in SENDS),
        budget=f"{people // 100 * 200:_}",
        calls=max(20, people // 500),
        goal=f"{people // 100 * 135_000:_}",
    )


ASKING = Part((ASKS, MONEY, TRUTH), _write, _declaration)
