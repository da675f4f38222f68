"""Simulated seasons of twelve weeks: gain over rules of thumb, and the error of expectations, early and late.

    python benchmarks/season.py --seeds 8 --people 100000

Each seed is a truth of its own, drawn from the published effects and their spread. Intervals are over seeds.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np

from hustings.season import RULES, Season, run_season
from hustings.stats.clusters import t_quantile


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
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--weeks", type=int, default=12)
    parser.add_argument("--people", type=int, default=100_000)
    given = parser.parse_args()
    print(
        f"| seed | plan | {' | '.join(RULES)} | error² - SE², first third | last third | CPU s |", flush=True
    )
    print("|" + "---|" * (len(RULES) + 5), flush=True)
    seasons = []
    for seed in range(given.first, given.first + given.seeds):
        began = time.process_time()
        with tempfile.TemporaryDirectory() as folder:
            seasons.append(run_season(Path(folder), weeks=given.weeks, people=given.people, seed=seed))
        print(row(seed, seasons[-1], time.process_time() - began), flush=True)
    print()
    for name in RULES:
        more = [sum(week.gain - week.rules[name] for week in one.weeks) for one in seasons]
        late = [
            sum(week.gain - week.rules[name] for week in one.weeks[-(given.weeks // 3) :]) for one in seasons
        ]
        print(f"ballots more than {name}: {mean_of(more)} a season, {mean_of(late)} in its last third")
    early, last = ([one.excess[i].estimate for one in seasons] for i in (0, 1))
    print(f"error² - SE², points²: {mean_of(early)} in the first third, {mean_of(last)} in the last")
    print(f"fall: {mean_of([a - b for a, b in zip(early, last, strict=True)])}")


if __name__ == "__main__":
    main()
