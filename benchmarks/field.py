"""The field's day and the candidate's: doors cut into turfs and walked, visits planned, what a run of each costs.

    python benchmarks/field.py
    python benchmarks/field.py --doors 100000

Doors lie around made-up towns; houses of a town lie closer to its middle. Beside our turfs: the doors of each
precinct (a square of about 1.5 km) in the order of the file, cut into equal runs. CPU seconds of one thread.
"""

from __future__ import annotations

import argparse
import platform
import resource
import time
from importlib.metadata import version

import numpy as np

from hustings.stats import turfs, visits, walks


def towns(n: int, seed: int) -> np.ndarray:
    """(n, 2) metres: towns of about 2,000 doors in 400 km by 400 km."""
    rng = np.random.default_rng(seed)
    middle = rng.uniform(0, 400_000, (n // 2000 + 1, 2))
    return middle[rng.integers(0, len(middle), n)] + rng.normal(0, 700, (n, 2))


def clock(work: object) -> tuple[float, object]:
    """CPU seconds of a call, and what it gave."""
    began = time.process_time()
    found = work()
    return time.process_time() - began, found


def field(n: int, seed: int) -> None:
    """Print what cutting and walking take, and what they are worth."""
    at, ones = towns(n, seed), np.ones(n)
    print(f"{n:,} doors, at most 50 in a turf")
    cut_seconds, turf = clock(lambda: turfs.cut_turfs(at, ones, 50))
    walk_seconds, place = clock(lambda: walks.walking_order(at, turf))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    size = np.bincount(turf)
    meters = walks.walk_length(at, turf, place).sum() / n
    squares = np.unique(np.floor(at / 1500), axis=0, return_inverse=True)[1].reshape(-1)
    order = np.random.default_rng(seed).permutation(n)
    filed, filed_place = turfs.cut_streets(squares, np.zeros(n), 2 * order + 1, ones, 50, tolerance=0)
    by_file = walks.walk_length(at, filed, filed_place).sum() / n
    own = walks.walk_length(at, filed, walks.walking_order(at, filed)).sum() / n
    print(
        f"  cut        {cut_seconds:8.2f} s   {turf.max() + 1:,} turfs; doors {size.mean():.1f} ± {size.std():.1f}"
    )
    print(f"  walk       {walk_seconds:8.2f} s   peak {peak:,.0f} MB")
    print(
        f"  metres from door to door {meters:6.1f}   file order {by_file:6.1f}   file order, then walked best {own:6.1f}"
    )
    rms = [np.sqrt((turfs.radius(at, t) ** 2 * np.bincount(t)).sum() / n) for t in (turf, filed)]
    print(f"  metres from a turf's middle {rms[0]:6.1f}   file order {rms[1]:6.1f}")


def candidate(seed: int) -> None:
    """Print how near to the best the visits are."""
    print("Visits, 7 days of 10 hours, 80 km/h; worth halves every 3 days before the election")
    for n in (8, 12, 20, 50, 200):
        rng = np.random.default_rng(seed)
        at = rng.uniform(-2.5, 2.5, (n + 1, 2))
        value, stay = rng.gamma(1, 1, n), np.full(n, 1.5)
        travel = visits.travel_hours(at[:, 0] + 42, at[:, 1] - 85, 80.0)
        worth = 0.5 ** (np.arange(7)[::-1] / 3)
        seconds, found = clock(lambda g=(value, stay, travel, 10.0, worth): visits.plan_visits(*g))
        thumb = visits.greedy_visits(value, stay, travel, 10.0, worth, np.argsort(-value)).value
        print(
            f"  {n:4} places {seconds:7.2f} s   value {found.value:7.3f}   bound {found.bound:7.3f}   gap {found.gap:6.2%}"
            f"   largest first {thumb:7.3f}   {'exact' if found.exact else 'some places offered'}"
        )


def main() -> None:
    """Print the figures."""
    given = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    given.add_argument("--doors", type=int, default=1_000_000)
    given.add_argument("--seed", type=int, default=3)
    asked = given.parse_args()
    print(f"CPython {platform.python_version()}, numpy {version('numpy')}, scipy {version('scipy')}")
    field(asked.doors, asked.seed)
    candidate(asked.seed)


if __name__ == "__main__":
    main()
