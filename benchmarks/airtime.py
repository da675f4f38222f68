"""Airtime: what the plan saves against its rules of thumb on markets whose truth is known, and what it takes.

    python benchmarks/airtime.py markets            # the whole grid of markets, panels and budgets
    python benchmarks/airtime.py solver             # beside HiGHS at 20,000 people x 300 slots
    python benchmarks/airtime.py sizes              # 1 million x 1,000, and 10 million x 5,000
    python benchmarks/airtime.py sizes --million 5  # a smaller second one

A market: slots drawn without replacement, prices tied to audience, people whose worth goes with what they watch as far
as the market's culture has it, drawn anew. The planner sees a panel's viewing on four occasions, scaled to published
audiences, and each panelist's worth; the rules see the true ratings, and of each rule the best limit of units per slot
*by the truth* is taken. Saved: the share of the rule's money without which the protected plan is worth as much, by the
truth. CPU seconds of one thread.

The method was adjusted twice upon seeing this grid (seeds 100 to 102); seeds from 500 on were drawn after that, from the
same generator.
"""

from __future__ import annotations

import argparse
import platform
import resource
import time
from importlib.metadata import version

import numpy as np
from scipy import sparse, stats

from hustings.simulate import market
from hustings.stats import panels
from hustings.stats.media import audience, buy_in_order, plan_buys, value_of_buys
from hustings.stats.media_search import Audience
from hustings.stats.response import Response

RESPONSE = Response(0.3)
PEOPLE, ADULTS, SLOTS = 15_000, 1_000_000, 150
PANELS = (300, 1_000, 3_000, 10_000, 30_000)
BUDGETS = (0.05, 0.2)
MOST = (1, 2, 3, 4, 6, 10, np.inf)
DEMOGRAPHICS = {
    "women 35+": (35, 200, True), "adults 18-34": (18, 35, None), "adults 35+": (35, 200, None),
    "adults 18-49": (18, 50, None),
}  # fmt: skip
MARKETS = {
    "no hidden taste, usual prices": (0.0, 1.0), "weak, usual prices": (0.5, 1.0), "strong, usual prices": (1.0, 1.0),
    "weak, even prices": (0.5, 0.0), "strong, even prices": (1.0, 0.0),
}  # fmt: skip
FEWEST = 1_000


def clock(work: object) -> tuple[float, object]:
    """CPU seconds of a call, and what it gave."""
    began = time.process_time()
    found = work()
    return time.process_time() - began, found


def cells(viewers: market.Viewers) -> np.ndarray:
    """(n,) age and sex."""
    return (np.digitize(viewers.age, [35, 55]) * 2 + viewers.female).astype(np.int64)


class World:
    """One market and its truth."""

    def __init__(self, hidden: float, spread: float, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.culture = market.draw_culture(self.rng, hidden=hidden)
        self.slots = market.draw_slots(SLOTS, self.rng)
        people = market.draw_viewers(PEOPLE, self.culture, self.rng)
        viewing = market.true_viewing(people, self.slots)
        weight = np.full(PEOPLE, ADULTS / PEOPLE)
        self.audience = weight @ viewing
        usual = market.prices(self.audience, self.slots)
        even = np.maximum(1.2 * self.audience * self.slots.noise**0.4, 1.0)
        self.price = np.round(np.where(spread > 0, usual, even))
        self.truth = audience(viewing, people.worth * weight)
        self.scores = {"cheapest adults": self.audience}
        for name, (low, high, female) in DEMOGRAPHICS.items():
            inside = (people.age >= low) & (people.age < high)
            self.scores[name] = (weight * (inside & (people.female if female else True))) @ viewing
        index = (people.worth @ viewing) / viewing.sum(0) / people.worth.mean()
        self.index = np.quantile(index, [0.05, 0.95])

    def value(self, units: np.ndarray) -> float:
        """By the truth."""
        return value_of_buys(self.truth, units, RESPONSE)

    def rule(self, name: str, most: float, budget: float) -> np.ndarray:
        """Units of a rule."""
        return buy_in_order(self.scores[name], self.price, self.slots.units, budget, most_per_slot=most)

    def plan(self, viewers: Audience, budget: float) -> np.ndarray:
        """Units of the plan."""
        return plan_buys(viewers, self.price, self.slots.units, budget, response=RESPONSE).units

    def panel(self, n: int) -> panels.Panel:
        """What the planner sees."""
        own = market.draw_viewers(n, self.culture, self.rng)
        seen = market.seen_by_panel(market.true_viewing(own, self.slots), 4, self.rng)
        weight = np.full(n, ADULTS / n)
        scaled = panels.scaled(sparse.csr_array(seen), weight, self.audience)
        return panels.panel(scaled, weight, own.worth, cells(own), np.ones(n))


def saved(world: World, buy: object, budget: float, wanted: float) -> float:
    """Share of the budget that a way of buying does not need to be worth as much."""
    parts = np.array([0.6, 0.75, 0.9, 1.0, 1.1, 1.3])
    values = np.maximum.accumulate([world.value(buy(budget * part)) for part in parts])
    return 1 - float(np.interp(wanted, values, parts))


def cell(world: World, found: panels.Panel, part: float) -> dict[str, float | str]:
    """One panel and budget: what the protected plan saves, against the usual, the best demographic and the best rule."""
    budget = part * float(world.price @ world.slots.units)
    true = {(n, m): world.value(world.rule(n, m, budget)) for n in world.scores for m in MOST}
    best = max(true, key=true.get)
    demo = max((key for key in true if key[0] != "cheapest adults"), key=true.get)
    women = max(value for key, value in true.items() if key[0] == "women 35+")
    rules, steady = {}, panels.audience_of(found, panels.TRIED[0])
    for name in world.scores:
        tried = {m: world.rule(name, m, budget) for m in MOST}
        most = max(tried, key=lambda m, t=tried: value_of_buys(steady, t[m], RESPONSE))
        rules[f"{name}|{most}"] = tried[most]
    choice = panels.choose(
        found, lambda viewers: world.plan(viewers, budget), rules, RESPONSE, rng=np.random.default_rng(5)
    )
    seen = panels.audience_of(found, choice.view)
    plan = world.plan(seen, budget)
    raw = world.plan(panels.audience_of(found, "own"), budget)
    used = choice.beats and found.size >= FEWEST
    name, most = choice.best_rule.split("|")

    def buy(money: float) -> np.ndarray:
        return world.plan(seen, money) if used else world.rule(name, float(most), money)

    got = world.value(plan if used else rules[choice.best_rule])
    claim = panels.value_with_error(found, plan, RESPONSE)[0]
    return {
        "used": float(used), "view": choice.view, "best": best[0],
        "women": saved(world, buy, budget, women), "demographic": saved(world, buy, budget, true[demo]),
        "rule": saved(world, buy, budget, true[best]), "value": got / true[best] - 1,
        "unprotected": world.value(raw) / true[best] - 1, "claimed": claim / world.value(plan) - 1,
    }  # fmt: skip


def possible(world: World, part: float) -> float:
    """What a plan that knows everyone's true viewing saves against the best rule."""
    budget = part * float(world.price @ world.slots.units)
    best = max(world.value(world.rule(name, most, budget)) for name in world.scores for most in MOST)
    return saved(world, lambda money: world.plan(world.truth, money), budget, best)


def markets(seeds: int, first: int) -> None:
    """Print the grid, one line for each market, budget and panel, and the aims."""
    print(
        f"{SLOTS} slots, {PEOPLE:,} people of the truth, {seeds} markets of each kind from seed {first}, response 1 - exp(-0.3 z)"
    )
    print(
        "saved, in % of the money; value, in % of the best rule's, mean and lowest; used: markets where the plan was bought"
    )
    head = ("market", "budget", "panel", "used", "women 35+", "best demographic", "best rule", "value", "lowest",
            "unprotected lowest", "claims too much", "best rule, viewing known")  # fmt: skip
    print("| " + " | ".join(head) + " |\n|" + "---|" * len(head), flush=True)
    every: dict[int, list[dict[str, float | str]]] = {n: [] for n in PANELS}
    for number, (kind, (hidden, spread)) in enumerate(MARKETS.items()):
        made = [World(hidden, spread, first + number * seeds + seed) for seed in range(seeds)]
        index = np.mean([world.index for world in made], axis=0)
        for part in BUDGETS:
            most = 100 * np.mean([possible(world, part) for world in made])
            for n in PANELS:
                rows = [cell(world, world.panel(n), part) for world in made]
                every[n] += [row | {"market": number * seeds + at} for at, row in enumerate(rows)]
                mean = {
                    k: 100 * np.mean([row[k] for row in rows]) for k in rows[0] if k not in ("view", "best")
                }
                low = {k: 100 * min(row[k] for row in rows) for k in ("value", "unprotected")}
                told = f"{kind} (index {100 * index[0]:.0f}-{100 * index[1]:.0f})"
                used = round(mean["used"] * len(rows) / 100)
                print(
                    f"| {told} | {part:.0%} | {n:,} | {used} of {len(rows)} | {mean['women']:.1f} | "
                    f"{mean['demographic']:.1f} | {mean['rule']:.1f} | {mean['value']:+.1f} | {low['value']:+.1f} | "
                    f"{low['unprotected']:+.1f} | {mean['claimed']:+.1f} | {most:.1f} |",
                    flush=True,
                )
    for n, rows in every.items():
        for name in ("women", "demographic", "rule", "value"):
            x = 100 * np.array([row[name] for row in rows])
            # Both budgets of a market are one draw.
            own = np.bincount([row["market"] for row in rows], x) / len(BUDGETS)
            error = own.std(ddof=1) / np.sqrt(own.size)
            least = x.mean() - stats.t.ppf(0.95, own.size - 1) * error
            print(
                f"{n:>6,} panelists, {name:<12} mean {x.mean():+6.2f} %, one-sided 95 % from {least:+6.2f} %,"
                f" lowest cell {x.min():+6.2f} %, {own.size} markets"
            )


def sparse_market(
    n: int, n_slots: int, per_person: int, seed: int
) -> tuple[Audience, np.ndarray, np.ndarray]:
    """Persons who see a few slots each, with prices tied to audience."""
    rng = np.random.default_rng(seed)
    width = rng.lognormal(0, 1.0, n_slots)
    width /= width.sum()
    edge = np.cumsum(width)
    columns = np.empty(n * per_person, np.int32)
    block = 1_000_000
    for at in range(0, columns.size, block):
        size = min(block, columns.size - at)
        columns[at : at + size] = np.minimum(np.searchsorted(edge, rng.random(size)), n_slots - 1)
    data = rng.random(columns.size, np.float32)
    data **= 3
    data *= 0.6
    table = sparse.csr_array(
        (data, columns, np.arange(0, columns.size + 1, per_person, dtype=np.int64)),
        shape=(n, n_slots),
        copy=False,
    )
    worth = rng.exponential(0.005, n).astype(np.float32)
    seen = np.bincount(table.indices, weights=table.data, minlength=n_slots)
    return (
        Audience(table, worth),
        1.5 * seen * rng.lognormal(0, 0.3, n_slots) + 1,
        rng.integers(2, 12, n_slots).astype(float),
    )


def solver(n: int, n_slots: int, pieces: int, methods: list[str]) -> None:
    """Ours beside HiGHS on the same problem in parts: the response as its tangents, which is an outer approximation."""
    viewers, price, units = sparse_market(n, n_slots, 18, 4)
    budget = 0.2 * float(price @ units)
    ours, buy = clock(
        lambda: plan_buys(viewers, price, units, budget, response=RESPONSE, whole=False, tolerance=1e-4)
    )
    print(f"{n:,} people x {n_slots} slots, {viewers.viewing.nnz:,} non-zeros")
    print(
        f"  ours                    {ours:9.2f} s  value {buy.value:.6g}  bound {buy.bound:.6g}  gap {buy.gap:.2e}"
    )
    whole_seconds, whole = clock(lambda: plan_buys(viewers, price, units, budget, response=RESPONSE))
    print(f"  ours, whole units       {whole_seconds:9.2f} s  value {whole.value:.6g}  gap {whole.gap:.2e}")
    touch = -np.log(np.linspace(1, 0.02, pieces)) / RESPONSE.rate
    slope, level = RESPONSE.rate * np.exp(-RESPONSE.rate * touch), 1 - np.exp(-RESPONSE.rate * touch)
    for method in methods:
        seconds, x = clock(lambda m=method: _highs(viewers, price, units, budget, touch, slope, level, m))
        if x is None:
            print(f"  HiGHS {method}: no answer within {_LIMIT} s ({seconds:.0f} CPU s)", flush=True)
            continue
        value = value_of_buys(viewers, x, RESPONSE)
        print(
            f"  HiGHS {method:<8} {pieces} tangents {seconds:9.2f} s  value {value:.6g}  "
            f"{seconds / ours:.0f} times our time, {value / buy.value - 1:+.3%} of our value"
        )
    print(f"  highspy {version('highspy')}")


_LIMIT = 3600.0


def _highs(viewers, price, units, budget, touch, slope, level, method):
    """Max sum worth t, t <= level + slope (z - touch) for each tangent, z = viewing x, price x <= budget."""
    import highspy

    n, s = viewers.viewing.shape
    k = touch.size
    table = viewers.viewing.astype(np.float64)
    eye = sparse.identity(n, format="csr")
    rows = [sparse.hstack([-table, eye, sparse.csr_array((n, n))])]
    rows += [sparse.hstack([sparse.csr_array((n, s)), -slope[j] * eye, eye]) for j in range(k)]
    rows.append(sparse.csr_array(np.concatenate([price, np.zeros(2 * n)])[None]))
    whole = sparse.vstack(rows).tocsr()
    infinite = highspy.kHighsInf
    low = np.concatenate([np.zeros(n), np.full(n * k + 1, -infinite)])
    high = np.concatenate(
        [np.zeros(n), *(np.full(n, level[j] - slope[j] * touch[j]) for j in range(k)), [budget]]
    )
    problem = highspy.HighsLp()
    problem.num_col_, problem.num_row_ = s + 2 * n, whole.shape[0]
    problem.sense_ = highspy.ObjSense.kMaximize
    problem.col_cost_ = np.concatenate([np.zeros(s + n), viewers.worth.astype(np.float64)])
    problem.col_lower_ = np.zeros(s + 2 * n)
    problem.col_upper_ = np.concatenate([units, np.full(2 * n, infinite)])
    problem.row_lower_, problem.row_upper_ = low, high
    problem.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    problem.a_matrix_.start_, problem.a_matrix_.index_, problem.a_matrix_.value_ = (
        whole.indptr,
        whole.indices,
        whole.data,
    )
    highs = highspy.Highs()
    for name, value in (
        ("output_flag", False),
        ("solver", method),
        ("threads", 1),
        ("run_crossover", "off"),
        ("time_limit", _LIMIT),
    ):
        highs.setOptionValue(name, value)
    highs.passModel(problem)
    highs.run()
    if highs.getModelStatus() not in (highspy.HighsModelStatus.kOptimal, highspy.HighsModelStatus.kUnknown):
        return None
    x = np.clip(np.array(highs.getSolution().col_value[:s]), 0, units)
    return x * min(1.0, budget / max(float(price @ x), 1e-12))


def sizes(million: int) -> None:
    """What large problems take."""
    for n, s in ((1_000_000, 1_000), (million * 1_000_000, 5_000)):
        viewers, price, units = sparse_market(n, s, 18, 4)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
        budget = 0.2 * float(price @ units)
        for whole in (False, True):
            seconds, buy = clock(
                lambda w=whole, v=viewers, p=price, u=units, b=budget: plan_buys(
                    v, p, u, b, response=RESPONSE, whole=w
                )
            )
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
            print(
                f"{n:>11,} people x {s:,} slots, {viewers.viewing.nnz / 1e6:.0f} M non-zeros, {'whole units' if whole else 'parts'}:"
                f" {seconds:6.2f} s, gap {buy.gap:.2e}, peak {peak:.1f} GB (the data alone {before:.1f})",
                flush=True,
            )


def main() -> None:
    """Print the figures."""
    given = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    given.add_argument("part", choices=("markets", "solver", "sizes"))
    given.add_argument("--seeds", type=int, default=4)
    given.add_argument("--first", type=int, default=600, help="seed of the first market of each kind")
    given.add_argument("--people", type=int, default=20_000)
    given.add_argument("--slots", type=int, default=300)
    given.add_argument("--tangents", type=int, default=16)
    given.add_argument("--million", type=int, default=10)
    given.add_argument("--methods", nargs="+", default=["ipm"], choices=("ipm", "simplex"))
    asked = given.parse_args()
    print(f"CPython {platform.python_version()}, numpy {version('numpy')}, scipy {version('scipy')}")
    if asked.part == "markets":
        markets(asked.seeds, asked.first)
    elif asked.part == "solver":
        solver(asked.people, asked.slots, asked.tangents, asked.methods)
    else:
        sizes(asked.million)


if __name__ == "__main__":
    main()
