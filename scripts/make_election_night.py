"""Write the small simulated campaign of `examples/election-night`: nobody in it lives.

The truth: Poe wins the state with 51.2 % or so. Her voters live in towns, which report last, and vote early.

    python scripts/make_election_night.py examples/election-night
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path
from typing import Any

import numpy as np

N, PRECINCTS, COUNTIES = 4_000, 60, 6
AFTER = np.datetime64("2026-11-04T01:00")


def _write(path: Path, head: str, rows: list[tuple[Any, ...]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(head.split())
        writer.writerows(rows)


def _logistic(score: Any) -> Any:
    return 1 / (1 + np.exp(-score))


def main(folder: Path) -> None:
    """Write the four files."""
    rng = np.random.default_rng(20261103)
    county = np.arange(PRECINCTS) % COUNTIES
    lean = rng.normal(0, 0.35, PRECINCTS) + np.linspace(-0.5, 0.5, COUNTIES)[county] + 0.03
    where = rng.integers(0, PRECINCTS, N)
    party = np.where(rng.random(N) < _logistic(lean[where]), "Rose", "Blue")
    party[rng.random(N) < 0.2] = ""
    age = rng.integers(18, 90, N)
    loyal = _logistic(rng.normal(0, 1.5, N) + (age - 50) / 25)
    support = _logistic(0.9 * lean[where] + np.select([party == "Rose", party == "Blue"], [1.8, -1.8], 0.0))
    voted = {year: rng.random(N) < loyal for year in (2018, 2020, 2022)}
    _write(
        folder / "voters.csv",
        "voter county precinct born sex party voted_2018 voted_2020 voted_2022",
        [
            (
                i,
                f"county {county[where[i]] + 1}",
                f"P{where[i] + 1:02}",
                f"{2026 - age[i]}-06-30",
                rng.choice(["F", "M"]),
                party[i],
                *(int(votes[i]) for votes in voted.values()),
            )
            for i in range(N)
        ],
    )
    asked = np.flatnonzero(
        rng.random(N) < np.where(party == "Rose", 0.16, 0.1) * np.where(age > 60, 1.4, 0.7)
    )
    answer = np.where(rng.random(N) < 0.08, "undecided", np.where(rng.random(N) < support, "Poe", "Low"))
    _write(
        folder / "survey.csv",
        "voter answer asked",
        [(i, answer[i], f"2026-10-{12 + i % 6}") for i in asked],
    )
    _write(
        folder / "ballots.csv", "voter election status on", _ballots(rng, party, voted, rng.random(N) < loyal)
    )
    _write(
        folder / "returns.csv",
        "election county precinct candidate votes counted",
        _returns(rng, county, lean),
    )


def _ballots(rng: np.random.Generator, party: Any, voted: dict[int, Any], now: Any) -> list[tuple[Any, ...]]:
    """Ballots that came in until ten days before each election."""
    rows: list[tuple[Any, ...]] = []
    early = np.where(party == "Rose", 0.4, 0.22)
    for year, votes, quick in ((2018, voted[2018], 0.9), (2022, voted[2022], 1.0), (2026, now, 1.15)):
        for i in np.flatnonzero(votes & (rng.random(len(party)) < early * quick)):
            day = int(rng.integers(10, 24))
            rows.append((i, f"{year} general", "requested", f"{year}-10-01"))
            rows.append((i, f"{year} general", "returned", f"{year}-10-{day}"))
    return rows


def _returns(rng: np.random.Generator, county: Any, lean: Any) -> list[tuple[Any, ...]]:
    """Two elections; of the second the precincts in the order in which they are done: small and rural ones first."""
    rows: list[tuple[Any, ...]] = []
    size = np.exp(rng.normal(6.6, 0.4, PRECINCTS) + 0.5 * lean)
    done = np.argsort(np.argsort(lean + 0.3 * np.log(size) + rng.normal(0, 0.15, PRECINCTS)))
    for year, swing in ((2022, 0.0), (2026, -0.06)):
        move = swing + rng.normal(0, 0.06, COUNTIES)[county] + rng.normal(0, 0.08, PRECINCTS) * (year == 2026)
        votes = rng.poisson(size * (1.04 if year == 2026 else 1.0))
        ours = rng.binomial(votes, _logistic(lean + move))
        for i in range(PRECINCTS):
            at = (
                AFTER + np.timedelta64(int(4 * done[i]), "m")
                if year == 2026
                else np.datetime64("2022-11-09T12:00")
            )
            for name, n in (("Poe", ours[i]), ("Low", votes[i] - ours[i])):
                rows.append(
                    (f"{year} governor", f"county {county[i] + 1}", f"P{i + 1:02}", name, n, f"{at}:00")
                )
    return rows


if __name__ == "__main__":
    main(Path(sys.argv[1]))
