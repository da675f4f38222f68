"""CPU seconds of 66,000 simulated elections with tipping points, paths and the value of a vote in 51 places.

    python benchmarks/elections.py [--runs 5]

The places have made-up means and the electors of 2012; the covariance is of the size that polls leave on the eve.
Also prints the check of the values: a shift of 0.3 points everywhere, to first order and by simulation.
"""

from __future__ import annotations

import argparse
import platform
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from hustings.stats.races import make_race, simulate, tipping_points, win_probability
from hustings.stats.scenarios import given_leads, lead_of_margin, paths_to_victory
from hustings.stats.vote_values import value_of_plan, vote_values

ELECTORS = (
    3, 9, 6, 11, 55, 9, 7, 3, 3, 29, 16, 4, 6, 4, 20, 11, 6, 8, 8, 11, 10, 4, 16, 10, 10, 6, 15, 3, 3, 5, 4, 14, 5, 6,
    29, 18, 7, 7, 20, 4, 9, 3, 11, 38, 6, 13, 3, 12, 10, 5, 3,
)  # fmt: skip


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=5)
    runs = parser.parse_args().runs
    rng = np.random.default_rng(1)
    seats = np.array(ELECTORS)
    mean = rng.normal(-0.01, 0.35, seats.size)
    votes = 1e5 + 2.2e5 * seats
    spread = 0.012 + 0.006 * np.eye(seats.size)
    race = make_race("electors", votes, seats=seats)
    supposed = given_leads(mean, spread, [35], [lead_of_margin(0.02)])
    spent: dict[str, list[float]] = {}

    def timed(name: str, work: Callable[..., Any], *given: Any, **named: Any) -> Any:
        began = time.process_time()
        found = work(*given, **named)
        spent.setdefault(name, []).append(time.process_time() - began)
        return found

    for _ in range(runs):
        drawn = timed("66,000 joint draws, seats and winner", simulate, race, mean, spread, rng=rng)
        timed("tipping points", tipping_points, race, drawn)
        timed("value of a vote, 51 places", vote_values, race, drawn, mean, spread)
        timed("paths to victory", paths_to_victory, race, drawn)
        timed("a scenario, drawn again", simulate, race, *supposed, rng=rng)
    plan = value_of_plan(race, drawn, mean, spread, 0.003 * 2 * votes, rng=rng)
    print(f"{platform.python_implementation()} {platform.python_version()}, NumPy {np.__version__}")
    print("\n| | CPU seconds, median |\n|---|---|")
    for name, seconds in spent.items():
        print(f"| {name} | {statistics.median(seconds):.3f} |")
    three = list(spent)[:3]
    print(
        f"| **draws, tipping points and values** | **{sum(statistics.median(spent[n]) for n in three):.2f}** |"
    )
    chance = win_probability(drawn.won)
    print(
        f"\nP(win) {chance.value:.4f} ± {chance.error:.4f}; 0.3 points everywhere: {plan.linear:.4f} to first order,"
    )
    print(f"{plan.simulated:.4f} ± {plan.error:.4f} simulated")


if __name__ == "__main__":
    main()
