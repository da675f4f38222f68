"""Who asks whom at full size: seconds, gap, memory; greedy and HiGHS beside it; a real network of friends.

    python benchmarks/friends.py [--supporters 1000000] [--highs 20000]

Ties are made up: each supporter knows 12 people of twice as many as there are supporters.
"""

from __future__ import annotations

import argparse
import os
import resource
import time
from pathlib import Path

import numpy as np

from hustings.stats import diffusion

ASKS, ASKED, TIES = 5, 2, 12


def made_up(supporters: int, kind: str, rng: np.random.Generator):
    """Ties without repetition, and what an ask over each is worth."""
    targets = 2 * supporters
    key = np.repeat(np.arange(supporters), TIES) * targets + rng.integers(0, targets, TIES * supporters)
    key = np.unique(key)
    who, whom = key // targets, key % targets
    if kind == "plain":
        gain = rng.random(key.size)
    elif kind == "tied":
        gain = rng.integers(1, 6, key.size) / 5
    elif kind == "equal":
        gain = np.ones(key.size)
    else:
        gain = rng.beta(2, 3, supporters)[who] * rng.lognormal(0, 1, targets)[whom]
        gain *= rng.choice([0.25, 0.5, 1.0], key.size)
    return who, whom, gain


def tell(name: str, who, whom, gain, repeat: float, *, asks: int = ASKS, greedy: bool = True) -> None:
    """One line: seconds of the processor, gap, peak memory so far, and what greedy loses."""
    begin = time.process_time()
    found = diffusion.plan_asks(who, whom, gain, asks=asks, asked=ASKED, repeat=repeat)
    seconds = time.process_time() - begin
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    line = (
        f"{name:34} {gain.size:>11,} ties {seconds:7.1f} s  gap {100 * found.gap:.4f} %  peak {peak:,.0f} MB"
    )
    if greedy:
        begin = time.process_time()
        used = diffusion.asks_in_order(who, whom, gain, asks=asks, asked=ASKED, repeat=repeat)
        value = diffusion.plan_value(gain, diffusion.ranked(whom, gain, used), repeat)
        line += f"  greedy {100 * (1 - value / found.value):.2f} % below, {time.process_time() - begin:.1f} s"
    print(line, flush=True)


def beside_highs(supporters: int, repeat: float) -> None:
    """The same problem by HiGHS, its default and its interior point."""
    from scipy import optimize, sparse

    who, whom, gain = made_up(supporters, "plain", np.random.default_rng(1))
    begin = time.process_time()
    found = diffusion.plan_asks(who, whom, gain, asks=ASKS, asked=ASKED, repeat=repeat)
    ours = time.process_time() - begin
    # Alike asks need one limit of a target; unlike ones a variable for each rank, and one limit of each tie.
    shares = np.ones(1) if repeat == 1.0 else diffusion.ask_shares(ASKED, repeat)
    n, m, own, targets = gain.size, shares.size, int(who.max()) + 1, int(whom.max()) + 1
    tie, rank = np.divmod(np.arange(n * m), m)
    rows = np.concatenate([who[tie], own + whom[tie] * m + rank])
    size = own + targets * m
    table = sparse.csr_array((np.ones(2 * n * m), (rows, np.tile(np.arange(n * m), 2))), shape=(size, n * m))
    room = np.append(np.full(own, ASKS), np.full(targets * m, ASKED if m == 1 else 1))
    if m > 1:
        once = sparse.csr_array((np.ones(n * m), (tie, np.arange(n * m))), shape=(n, n * m))
        table, room = sparse.vstack([table, once]), np.append(room, np.ones(n))
    for method in ("highs-ipm", "highs"):
        begin = time.process_time()
        exact = optimize.linprog(-(gain[tie] * shares[rank]), table, room, bounds=(0, 1), method=method)
        seconds = time.process_time() - begin
        print(
            f"{method} at {supporters:,}, repeat {repeat}: {seconds:.1f} s against {ours:.2f} s ({seconds / ours:.0f} times); "
            f"ours {100 * (1 - found.value / -exact.fun):.4f} % below, its own bound says {100 * found.gap:.4f} %",
            flush=True,
        )


def real_network() -> None:
    """`network/ego_facebook`: everybody may ask everybody they know."""
    import pyarrow.parquet as pq

    folder = Path(os.environ.get("HUSTINGS_DATA", "../shared/data"))
    file = folder / "network" / "ego_facebook.parquet"
    if not file.exists():
        print(f"network/ego_facebook is not here ({folder})")
        return
    one, two = pq.read_table(file).to_pandas().to_numpy().T
    who, whom = np.append(one, two), np.append(two, one)
    rng = np.random.default_rng(1)
    people = int(who.max()) + 1
    worth, able = rng.lognormal(0, 1, people), rng.beta(2, 4, people)
    gain = able[who] * worth[whom]
    for repeat in (1.0, 0.5):
        tell(f"ego_facebook, repeat {repeat}", who, whom, gain, repeat)
        best = diffusion.plan_asks(who, whom, gain, asks=ASKS, asked=ASKED, repeat=repeat).value
        degree = np.bincount(whom)[whom] + rng.random(whom.size) / 2
        for name, score in (
            ("random friends", rng.random(who.size) + 1e-9),
            ("most-connected first", degree),
        ):
            used = diffusion.asks_in_order(who, whom, score, asks=ASKS, asked=ASKED)
            value = diffusion.plan_value(gain, diffusion.ranked(whom, gain, used), repeat)
            print(f"    {name}: {100 * (1 - value / best):.1f} % below the plan")


def main() -> None:
    """All of it."""
    asked = argparse.ArgumentParser()
    asked.add_argument("--supporters", type=int, default=1_000_000)
    asked.add_argument("--highs", type=int, default=20_000)
    asked.add_argument("--kinds", default="plain,worth,tied,equal")
    asked.add_argument("--repeats", default="1.0,0.5")
    asked.add_argument("--no-greedy", action="store_true")
    given = asked.parse_args()
    for repeat in map(float, given.repeats.split(",")):
        for kind in given.kinds.split(","):
            tell(
                f"{kind}, repeat {repeat}", *made_up(given.supporters, kind, np.random.default_rng(1)), repeat
            )
    if given.highs:
        beside_highs(given.highs, 1.0)
        beside_highs(given.highs, 0.5)
    real_network()


if __name__ == "__main__":
    main()
