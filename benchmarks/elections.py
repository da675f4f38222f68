"""CPU seconds of 66,000 simulated elections with tipping points, paths and the value of a vote in 51 places.

    python benchmarks/elections.py [--runs 5]

The places have made-up means and the electors of 2012; the covariance is of the size that polls leave on the eve.
Also prints two checks of the values: a shift of 0.3 points everywhere, to first order and by simulation; and each place
against brute force, which counts the draws that end within two tenths of a point of a tie and that the place decides.
"""

from __future__ import annotations

import argparse
import platform
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from hustings.stats.races import Race, make_race, simulate, win_probability
from hustings.stats.scenarios import given_leads, lead_of_margin, paths_to_victory, tipping_points
from hustings.stats.vote_values import value_of_plan, vote_values

ELECTORS = (
    3, 9, 6, 11, 55, 9, 7, 3, 3, 29, 16, 4, 6, 4, 20, 11, 6, 8, 8, 11, 10, 4, 16, 10, 10, 6, 15, 3, 3, 5, 4, 14, 5, 6,
    29, 18, 7, 7, 20, 4, 9, 3, 11, 38, 6, 13, 3, 12, 10, 5, 3,
)  # fmt: skip


def brute_force(
    race: Race, mean: np.ndarray, spread: np.ndarray, draws: int
) -> tuple[np.ndarray, np.ndarray]:
    """(p,) value of a net vote by counting, and its Monte Carlo error."""
    step, block = 0.008, 500_000  # of the logit: two tenths of a point of share
    rng, hits, n = np.random.default_rng(2), np.zeros(race.votes.size), 0
    while n < draws:
        found = simulate(race, mean, spread, rng=rng, draws=block)
        lead = found.leads[:, :, 0]
        won = lead > 0
        seats = won @ race.seats
        for place in range(race.votes.size):
            near = np.abs(lead[:, place]) < step
            others = seats[near] - race.seats[place] * won[near, place]
            hits[place] += np.sum((others < race.needed) & (others + race.seats[place] >= race.needed))
        n += block
    per_hit = 2 / (2 * step * n * race.votes)  # a net vote moves the logit at a tie by 2 / T
    return hits * per_hit, np.sqrt(hits) * per_hit


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--brute", type=int, default=10_000_000, help="draws of the brute-force check")
    given = parser.parse_args()
    runs = given.runs
    rng = np.random.default_rng(1)
    seats = np.array(ELECTORS)
    mean = rng.normal(-0.01, 0.35, seats.size)
    votes = 1e5 + 2.2e5 * seats
    spread = 0.012 + 0.006 * np.eye(seats.size)
    race = make_race("electors", votes, seats=seats)
    supposed = given_leads(mean, spread, [35], [lead_of_margin(0.02)])
    spent: dict[str, list[float]] = {}

    def timed(name: str, work: Callable[..., Any], *inputs: Any, **named: Any) -> Any:
        began = time.process_time()
        found = work(*inputs, **named)
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
    more = simulate(race, mean, spread, rng=rng, draws=660_000)
    values = vote_values(race, more, mean, spread)
    value = values.value
    counted, error = brute_force(race, mean, spread, given.brute)
    own = np.hypot(error / np.maximum(counted, 1e-30), values.error / np.maximum(value, 1e-30))
    told = own < 0.03
    ratio, z = (
        value[told] / counted[told],
        (value - counted)[counted > 0] / np.hypot(error, values.error)[counted > 0],
    )
    print(
        f"\nThe value by 660,000 draws over the brute force of {given.brute:,}, {told.sum()} places where both are known to 3 %: "
        f"{ratio.min():.3f} to {ratio.max():.3f}, median error {np.median(own[told]):.3f}; over all {z.size} places, "
        f"differences have {np.sqrt(np.mean(z**2)):.2f} of their Monte Carlo error"
    )


if __name__ == "__main__":
    main()
