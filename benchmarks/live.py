"""How the live forecast and the pooling of a survey do on simulated nights and voter files, at full size.

    python benchmarks/live.py

Prints the coverage of 95 % intervals and root mean square errors, beside the rules of thumb, and CPU seconds.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "stats"))

from test_poststratification import raked_shares, small, world
from test_returns import night

from hustings.stats.poststratification import fit_multilevel, poststratify
from hustings.stats.returns import follow, naive_share

NIGHTS, SURVEYS = 200, 120


def nights() -> None:
    """Nights by how much has reported and how strong the hidden reason to report early is."""
    print("hidden reported coverage wrong-calls rmse naive-rmse width cpu")
    for hidden in (0.0, 0.06, 0.12):
        for done in (0.03, 0.15, 0.5):
            start, found = time.process_time(), []
            for seed in range(NIGHTS):
                rng, expected, counted, truth = night(seed, done, hidden=hidden)
                got = follow(expected, counted, draws=1000, rng=rng)
                wrong = (got.p_win > 0.95 and truth < 0.5) or (got.p_win < 0.05 and truth > 0.5)
                error, naive = got.share - truth, naive_share(counted) - truth
                found.append((got.low <= truth <= got.high, wrong, error**2, naive**2, got.high - got.low))
            held, calls, ours, theirs, width = np.mean(found, axis=0)
            cpu = (time.process_time() - start) / NIGHTS
            print(
                f"{hidden:6.2f} {done:8.2f} {held:8.3f} {calls:11.3f} {ours**0.5:.4f} {theirs**0.5:10.4f} "
                f"{width:.4f} {cpu:.2f}"
            )


def surveys() -> None:
    """Surveys of 1,500 answers in 40 places of a state."""
    start, found = time.process_time(), []
    for seed in range(SURVEYS):
        rng, cells, people, answers, yes, truth = world(seed, 40, 1500)
        got = poststratify(fit_multilevel(yes, answers, cells, (4, 2, 3)), cells, people, draws=500, rng=rng)
        total = np.average(truth, weights=np.bincount(cells.place, people))
        low, high = np.quantile(got.total, (0.025, 0.975))
        n, few = np.bincount(cells.place, answers), small(cells, answers)
        alone = np.where(n > 0, np.bincount(cells.place, yes) / np.maximum(n, 1), yes.sum() / answers.sum())
        guesses = (got.mean, raked_shares(cells, people, answers, yes), alone)
        held = np.mean((got.low <= truth) & (truth <= got.high))
        found.append((held, low <= total <= high, *(np.mean((guess - truth)[few] ** 2) for guess in guesses)))
    means = np.mean(found, axis=0)
    print(f"surveys: coverage of places {means[0]:.3f}, of the whole {means[1]:.3f}")
    print(
        "rmse in the smaller half of the places: pooled {:.4f}, raked {:.4f}, alone {:.4f}".format(
            *means[2:] ** 0.5
        )
    )
    print(f"cpu of one survey: {(time.process_time() - start) / SURVEYS:.2f} s")


def large() -> None:
    """A state of 5,000 precincts, 4,000 ends of the night."""
    rng, expected, counted, _ = night(1, 0.3, n=5000)
    start = time.process_time()
    follow(expected, counted, draws=4000, rng=rng)
    print(f"5,000 precincts, 4,000 draws: {time.process_time() - start:.2f} s of CPU")


if __name__ == "__main__":
    surveys()
    large()
    nights()
