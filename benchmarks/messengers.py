"""Messengers on simulated campaigns whose truth is known: the plan against its rules of thumb, and the log against both.

    python benchmarks/messengers.py
    python benchmarks/messengers.py --people 50000 --seeds 20

Each seed draws a campaign, the staff's past sends with logged probabilities, and responses from the truth. The stages
see what a campaign would see. Then every way is valued by the true probabilities of the very people asked, and the
claims (expected gain, intervals, doubly robust values) are held against them. CPU seconds of one thread.
"""

from __future__ import annotations

import argparse
import time

import ibis
import numpy as np
import pyarrow as pa

from hustings.affinities import checks
from hustings.affinities.affinities import fit_affinities
from hustings.affinities.audiences import divide
from hustings.affinities.learning import learn
from hustings.plans.messengers import plan_messengers
from hustings.simulate import messengers as simulated
from hustings.simulate.elections import AS_OF, ELECTION_DAY
from hustings.simulate.population import PARTIES
from hustings.simulate.world import draw_world
from hustings.tables import TABLES

KINDS = {
    "text": pa.string(), "integer": pa.int64(), "number": pa.float64(), "boolean": pa.bool_(),
    "day": pa.date32(), "time": pa.timestamp("us"),
}  # fmt: skip
ARRIVED = np.datetime64("2026-07-26", "us")


def table(name, columns):
    """A table with every declared column; those not given are null."""
    n = len(next(iter(columns.values()))) if columns else 0
    kinds = {column.name: KINDS[column.type] for column in TABLES[name].columns}
    made = {key: pa.array(columns.get(key, [None] * n), kind) for key, kind in kinds.items()}
    return ibis.memtable(pa.table(made))


def campaign(people, seed):
    """The tables, the world, and the true log-odds of everyone and every messenger."""
    rng = np.random.default_rng(seed)
    world = draw_world(people, rng)
    ids = np.array([f"V{k:07d}" for k in range(people)])
    items = simulated.MESSENGERS
    names = np.array([item.item_id for item in items])
    odds = np.column_stack([simulated.true_log_odds(world, item) for item in items])
    who, item, p = simulated._send(world, rng)
    day = np.datetime64("2026-06-20", "us") + np.tile([0, 12], who.size // 2).astype("timedelta64[D]")
    came = np.flatnonzero(rng.random(who.size) < 1 / (1 + np.exp(-odds[who, item])))
    cents = np.maximum(np.round(np.exp(np.log(2_500) + 0.6 * rng.standard_normal(came.size)), -2), 300)
    days = [
        (one.item_id, simulated.FIRST_DAY + np.timedelta64(d, "D").item()) for one in items for d in one.days
    ]
    fans = []
    groups = {
        "age": (np.searchsorted((30, 45, 65), world.age, side="right"), simulated.BANDS),
        "sex": (world.female.astype(int), ("male", "female")),
        "party": (world.party, PARTIES),
    }
    for k, one in enumerate(items):
        for feature, (code, words) in groups.items():
            share = np.bincount(code, np.exp(odds[:, k]), len(words))
            told = rng.multinomial(400, share / share.sum()) / 400
            fans += [(one.item_id, feature, word, s) for word, s in zip(words, told, strict=True)]
    n = len(items)
    tables = {
        "people": {
            "person_id": ids, "household_id": ids, "born_on": world.born_on.tolist(),
            "sex": np.where(world.female, "female", "male"), "party": np.array(PARTIES)[world.party],
            "region_id": [f"R{r}" for r in world.region], "place_id": [f"P{r}" for r in world.place],
            "arrived_at": [ARRIVED] * people,
        },
        "identities": {"source": ["v"] * people, "record_id": ids, "person_id": ids},
        "items": {
            "source": ["i"] * n, "item_id": names, "name": [one.name for one in items], "kind": ["messenger"] * n,
            "cost_cents": [one.cost * people / 50_000 for one in items], "arrived_at": [ARRIVED] * n,
        },
        "item_days": {
            "source": ["i"] * len(days), "item_id": [d[0] for d in days], "available_on": [d[1] for d in days],
        },
        "item_audiences": {
            "source": ["f"] * len(fans), "item_id": [f[0] for f in fans], "feature": [f[1] for f in fans],
            "value": [f[2] for f in fans], "share": [f[3] for f in fans], "n_asked": [400] * len(fans),
        },
        "record_sends": {
            "source": ["s"] * who.size, "record_source": ["v"] * who.size, "record_id": ids[who],
            "item_id": names[item], "sent_at": day, "propensity": p, "arrived_at": [ARRIVED] * who.size,
        },
        "events": {
            "source": ["r"] * came.size, "event_id": [str(k) for k in came], "person_id": ids[who[came]],
            "kind": ["entry"] * came.size, "item": names[item[came]], "value": cents,
            "happened_at": day[came] + np.timedelta64(1, "D"), "arrived_at": [ARRIVED] * came.size,
        },
    }  # fmt: skip
    return {name: table(name, columns) for name, columns in tables.items()}, world, odds


def run(people, seed):
    """One campaign: what is claimed, and what is true."""
    tables, world, odds = campaign(people, seed)
    none = {
        name: table(name, {}) for name in ("scores", "opt_outs", "vote_values", "places", "place_coordinates")
    }
    halves = []

    def watched(known, of, rng):
        learned = learn(known, of, rng)
        halves.append((learned, of, known))
        return learned

    checks.learn = watched
    began = time.process_time()
    found = fit_affinities(
        tables["people"], tables["identities"], tables["events"], none["scores"], tables["items"],
        tables["item_audiences"], tables["record_sends"], affinity="hosts", outcome="entry", by=["age", "sex"],
        as_of=AS_OF, rng=np.random.default_rng(seed),
    )  # fmt: skip
    fitted = time.process_time() - began
    made = {name: table(name, columns) for name, columns in found.items()}
    began = time.process_time()
    plan = plan_messengers(
        made["affinities"], made["audience_members"], made["affinity_values"], tables["people"],
        tables["identities"], none["opt_outs"], none["scores"], tables["items"], tables["item_days"],
        none["vote_values"], none["places"], none["place_coordinates"], messenger_plan="dinners", affinity="hosts",
        counted_in="cents", budget_cents=people * 20, contact_cents=1.0, aim="added_ballots", decisive_race="",
        playbook="election", country="US", election_day=ELECTION_DAY, as_of=AS_OF, rng=np.random.default_rng(seed),
    )  # fmt: skip
    planned = time.process_time() - began
    audiences = divide(tables["people"], none["scores"], ["age", "sex"], [30, 45, 65], {}, AS_OF, 50)
    label = np.array(audiences.labels)[audiences.member]
    region = np.array([f"R{r}" for r in world.region])
    p = 1 / (1 + np.exp(-odds))
    names = [one.item_id for one in simulated.MESSENGERS]
    truth = {(a, i): float(p[label == a, k].mean()) for a in audiences.labels for k, i in enumerate(names)}
    cover, cold, brier = [], [], []
    n = len(found["affinities"]["item_id"])
    for k in range(n):
        pair = (found["affinities"]["audience"][k], found["affinities"]["item_id"][k])
        hit = found["affinities"]["low"][k] <= truth[pair] <= found["affinities"]["high"][k]
        (cold if found["affinities"]["cold_start"][k] else cover).append(hit)
        brier.append(np.log(found["affinities"]["value"][k] / truth[pair]))
    mean_gift = float(np.exp(np.log(2_500) + 0.18))
    true_gain = {}
    for k, option in enumerate(plan["messenger_plan"]["option"]):
        item = names.index(plan["messenger_plan"]["item_id"][k])
        asked = (label == plan["messenger_plan"]["audience"][k]) & (
            region == plan["messenger_plan"]["place_id"][k]
        )
        turn = plan["messenger_plan"]["turn"][k]
        gross = p[asked, item].sum() * mean_gift * 0.5 ** (turn - 1)
        true_gain[option] = true_gain.get(option, 0.0) + gross - plan["messenger_plan"]["cost_cents"][k]
    claims = {}
    for k, option in enumerate(plan["messenger_options"]["option"]):
        claims[option] = [plan["messenger_options"][c][k] for c in ("gain", "low", "high", "gap")]
    # The log values what each half of the people taught, on the sends of the other.
    right, n_sends = 0.0, 0
    for affinity, of, known in halves:
        person = known.sends.person[~of[known.sends.person]]
        sent = np.unique(known.sends.item)
        best = sent[affinity.probability[:, sent].argmax(1)][known.audiences.member[person]]
        columns = np.array([names.index(i) for i in known.items])
        right, n_sends = right + p[person, columns[best]].sum(), n_sends + person.size
    dr_truth = right / n_sends
    values = dict(zip(found["affinity_values"]["way"], zip(*(found["affinity_values"][c] for c in ("value", "low", "high", "reason")), strict=True), strict=True))  # fmt: skip
    return {
        "cover": np.mean(cover), "cold": np.mean(cold), "error": np.sqrt(np.mean(np.square(brier))),
        "true": true_gain, "claims": claims, "dr_truth": dr_truth, "dr": values, "seconds": (fitted, planned),
    }  # fmt: skip


def main() -> None:
    """Print the table of docs/performance.md."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--people", type=int, nargs="+", default=[5_000, 20_000, 50_000])
    parser.add_argument("--seeds", type=int, default=20)
    given = parser.parse_args()
    for people in given.people:
        runs = [run(people, seed) for seed in range(given.seeds)]
        told = {
            "pairs tried, truth in interval": np.mean([r["cover"] for r in runs]),
            "new messenger, truth in interval": np.mean([r["cold"] for r in runs]),
            "error of log rates": np.mean([r["error"] for r in runs]),
        }
        print(f"{people:,} people, {given.seeds} seeds")
        for name, value in told.items():
            print(f"  {name:36} {value:.3f}")
        mine = np.array([r["true"].get("plan", 0.0) for r in runs])
        claim = np.array([r["claims"]["plan"][:3] for r in runs], float)
        inside = np.mean((claim[:, 1] <= mine) & (mine <= claim[:, 2]))
        print(f"  plan: true gain ${mine.mean() / 100:,.0f}, claimed ${claim[:, 0].mean() / 100:,.0f}, "
              f"truth in interval {inside:.2f}, largest gap {max(r['claims']['plan'][3] or 0 for r in runs):.4f}")  # fmt: skip
        for rule in ("most popular first", "most popular only"):
            other = np.array([r["true"].get(rule, 0.0) for r in runs])
            ahead = mine - other
            error = ahead.std(ddof=1) / np.sqrt(ahead.size)
            print(f"  against {rule:20} true gain ${other.mean() / 100:,.0f}; plan ahead by "
                  f"${ahead.mean() / 100:,.0f} ± {1.96 * error / 100:,.0f}, in {np.mean(ahead > 0):.0%} of the seeds")  # fmt: skip
        random = np.array([r["claims"]["at random"][0] or 0.0 for r in runs])
        print(f"  against at random (claimed)         ${random.mean() / 100:,.0f}")
        best = [r["dr"]["best of audience"] for r in runs]
        known = [(b, r["dr_truth"]) for b, r in zip(best, runs, strict=True) if b[3] is None]
        hits = np.mean([b[1] <= t <= b[2] for b, t in known]) if known else np.nan
        bias = np.mean([b[0] - t for b, t in known]) if known else np.nan
        print(f"  doubly robust value of the best of each audience: told in {len(known)} of {len(runs)}, truth in "
              f"interval {hits:.2f}, mean error {bias:+.5f} of {np.mean([t for _, t in known]) if known else np.nan:.4f}")  # fmt: skip
        seconds = np.mean([r["seconds"] for r in runs], axis=0)
        print(f"  CPU seconds: affinities {seconds[0]:.1f}, plan {seconds[1]:.1f}")


if __name__ == "__main__":
    main()
