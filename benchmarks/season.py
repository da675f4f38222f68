"""Simulated seasons of twelve weeks: gain over rules of thumb, and the error of expectations, early and late.

    python benchmarks/season.py --seeds 20 --people 50000
    python benchmarks/season.py --seeds 1 --people 10000 --whole

Each seed is a truth of its own, drawn from the published effects and their spread. Intervals are over seeds. `--whole`
plays `hustings season` itself, warehouse, decisions and ledger included; else the same steps are taken on arrays, by
the same functions for offers, budget, beliefs and readings, so that many truths can be tried.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np

from hustings import stats
from hustings.season import RULES, Season, Week, run_season
from hustings.season.beliefs import SEGMENTS, believe, readings_of
from hustings.season.season import LEARNING, _by_rule, _money, excesses
from hustings.season.stages import _STEPS, COST, HELD_OUT
from hustings.simulate.season import CHANNELS, Electorate, draw_season, segments
from hustings.stats.clusters import t_quantile

KNOWN_AFTER = 2
"""Weeks from a list to the Monday on which its outcome is known."""


def on_arrays(people: int, seed: int, weeks: int) -> Season:
    """A season without a warehouse."""
    truth, rng = draw_season(people, seed), np.random.default_rng([seed, 9])
    read: list[tuple[int, tuple]] = []
    rows, done = [], []
    for week in range(1, weeks + 1):
        home, channel, n_voted, _ = truth._drawn(week)
        segment = segments(n_voted)
        beliefs = believe([one for when, one in read if when <= week - KNOWN_AFTER])
        counts = np.zeros((int(home[-1]) + 1, SEGMENTS))
        np.add.at(counts, (home, segment), 1)
        of = np.zeros(len(counts), np.int64)
        of[home] = channel
        gain, error = ((counts * one[of]).sum(axis=1) for one in beliefs)
        orders = [
            own[np.argsort(-gain[own], kind="stable")]
            for own in (np.flatnonzero((of == c) & (gain > 0)) for c in range(len(CHANNELS)))
        ]
        offers = []
        for c, order in enumerate(orders):
            cut = np.unique(np.linspace(0, order.size, _STEPS + 1).astype(int))
            sums = [np.append(0, np.cumsum(one[order]))[cut] for one in (gain, error)]
            offers.append(stats.budgets.offer(cut * COST[CHANNELS[c]], *sums))
        money = _money(truth)
        split = stats.budgets.split_budget(
            offers, stats.budgets.cash_limits(money * (1 - LEARNING), np.zeros(4))
        )
        state = np.full(len(counts), -1)
        for c, name in enumerate(CHANNELS):
            cents = split.amount[c] + money * LEARNING / len(CHANNELS)
            own = np.flatnonzero(of == c)
            rest = rng.permutation(np.setdiff1d(own, orders[c]))
            chosen = np.concatenate([orders[c], rest])[: int(cents / COST[name] / (1 - HELD_OUT))]
            state[chosen] = rng.permutation(chosen.size) < round(HELD_OUT * chosen.size)
        at, reached = state[home], state[home] == 0
        value = truth.votes(week, reached).voted.astype(float)
        for c, name in enumerate(CHANNELS):
            own = (at >= 0) & (channel == c)
            held = at[own] == 1
            read += [(week, one) for one in readings_of(c, value[own], held, home[own], segment[own])]
            lift = stats.means.difference_in_means(value[own], (~held).astype(int), home[own], n_arms=2)
            expected = beliefs.mean[c][segment[own]][~held].mean()
            rows.append(
                {"plan_id": f"{name}-w{week:02d}", "n_treated": 1, "predicted": expected,
                 "measured": lift.estimate[0], "measured_error": lift.std_error[0]}
            )  # fmt: skip
        voters = Electorate(np.zeros(0), home.astype(str), channel, n_voted)
        rules = {rule: truth.expected(week, _by_rule(rule, voters, money)) for rule in RULES}
        done.append(
            Week(
                week, money, float(gain[state == 0].sum()), truth.expected(week, reached.astype(float)), rules
            )
        )
    return Season(Path(), tuple(done), tuple(rows), *excesses(rows, weeks))


def mean_of(values: list[float]) -> str:
    """Mean and 95 % interval over seeds."""
    x = np.asarray(values, np.float64)
    if x.size < 2:
        return f"{x.mean():.2f}"
    half = t_quantile(0.95, x.size - 1) * x.std(ddof=1) / np.sqrt(x.size)
    return f"{x.mean():.2f} ({x.mean() - half:.2f} to {x.mean() + half:.2f})"


def row(seed: int, found: Season, seconds: float) -> str:
    """One season."""
    gain = sum(week.gain for week in found.weeks)
    rules = " | ".join(f"{sum(week.rules[name] for week in found.weeks):,.0f}" for name in RULES)
    early, late = found.excess
    return (
        f"| {seed} | {gain:,.0f} | {rules} | {early.estimate:.2f} ± {early.std_error:.2f} | "
        f"{late.estimate:.2f} ± {late.std_error:.2f} | {seconds:.0f} |"
    )


def main() -> None:
    """Play the seasons and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--weeks", type=int, default=12)
    parser.add_argument("--people", type=int, default=50_000)
    parser.add_argument("--whole", action="store_true")
    given = parser.parse_args()
    print(
        f"| seed | plan | {' | '.join(RULES)} | error² - SE², first third | last third | CPU s |", flush=True
    )
    print("|" + "---|" * (len(RULES) + 5), flush=True)
    seasons = []
    for seed in range(given.first, given.first + given.seeds):
        began = time.process_time()
        if given.whole:
            with tempfile.TemporaryDirectory() as folder:
                seasons.append(run_season(Path(folder), weeks=given.weeks, people=given.people, seed=seed))
        else:
            seasons.append(on_arrays(given.people, seed, given.weeks))
        print(row(seed, seasons[-1], time.process_time() - began), flush=True)
    print()
    for name in RULES:
        more = [sum(week.gain - week.rules[name] for week in one.weeks) for one in seasons]
        late = [
            sum(week.gain - week.rules[name] for week in one.weeks[-(given.weeks // 3) :]) for one in seasons
        ]
        print(f"ballots more than {name}: {mean_of(more)} a season, {mean_of(late)} in its last third")
    for name in ("excess", "plain"):
        early, last = ([getattr(one, name)[i].estimate for one in seasons] for i in (0, 1))
        print(
            f"error² - SE², points², {name}: {mean_of(early)} in the first third, {mean_of(last)} in the last"
        )
        print(f"  fall: {mean_of([a - b for a, b in zip(early, last, strict=True)])}")


if __name__ == "__main__":
    main()
