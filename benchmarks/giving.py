"""Repeat giving at full size: the published fits, coverage over many draws, seconds for many people.

    python benchmarks/giving.py            # all of it: about five minutes of one processor
    python benchmarks/giving.py --draws 20

The published data are inside the package `lifetimes`, whose files are read without importing it.
"""

from __future__ import annotations

import argparse
import time
from importlib import metadata

import numpy as np

from hustings.stats import giving, likelihood

Z95 = 1.959963984540054
BG_BB, BG_NBD, AMOUNTS = [1.2, 0.75, 0.66, 2.8], [0.8, 6.0, 0.9, 3.0], [4.0, 3.5, 25.0]


def table(name: str) -> np.ndarray:
    """The numbers of one of the package's files."""
    path = next(file for file in metadata.files("lifetimes") or [] if file.name == name).locate()
    return np.genfromtxt(path, delimiter=",", skip_header=1)


def at_opportunities(rng: np.random.Generator, n: int, periods: int) -> np.ndarray:
    """Whether each of n people gave at each opportunity."""
    a, b, c, d = BG_BB
    p, q = rng.beta(a, b, n)[:, None], rng.beta(c, d, n)[:, None]
    alive = np.cumprod(rng.random((n, periods)) > q, axis=1).astype(bool)
    return alive & (rng.random((n, periods)) < p)


def at_any_time(rng: np.random.Generator, n: int, length: float) -> np.ndarray:
    """Times of gifts after the first, infinite where there are no more."""
    r, alpha, a, b = BG_NBD
    rate, p = rng.gamma(r, 1 / alpha, n), rng.beta(a, b, n)
    times = np.cumsum(rng.exponential(size=(n, 80)) / rate[:, None], axis=1)
    stopped = np.cumsum(rng.random((n, 80)) < p[:, None], axis=1)
    gone = np.column_stack([np.zeros(n, int), stopped[:, :-1]]) > 0
    return np.where(gone | (times > length), np.inf, times)


def counted(gave: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Frequency, recency and opportunities of each person."""
    n, periods = gave.shape
    last = np.where(gave.any(1), periods - np.argmax(gave[:, ::-1], axis=1), 0)
    return gave.sum(1), last, np.full(n, periods)


def timed(times: np.ndarray, upto: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Frequency, recency and age of each person, from what happened up to a time."""
    before = times <= upto
    last = np.max(np.where(before, times, 0), axis=1)
    return before.sum(1), last, np.full(len(times), float(upto))


def within(maximum: likelihood.Maximum, truth: list[float]) -> np.ndarray:
    """Whether each true parameter is within its 95 % interval."""
    error = np.sqrt(np.diag(maximum.covariance))
    return np.abs(np.log(maximum.parameters / np.array(truth))) < Z95 * error


def published() -> None:
    """The published fits."""
    fit = giving.fit_bg_bb(*table("donations.csv").T)
    print("BG/BB, 11,104 donors", fit.parameters, "log-likelihood", round(fit.maximum.log_likelihood, 2))
    rows = table("cdnow_customers_summary_with_transactions.csv")
    fit = giving.fit_bg_nbd(rows[:, 1], rows[:, 2], rows[:, 3])
    print("BG/NBD, CDNOW", fit.parameters, "log-likelihood", round(fit.maximum.log_likelihood, 2))
    again = rows[rows[:, 1] > 0]
    print("Gamma-Gamma, CDNOW", giving.fit_gamma_gamma(again[:, 1], again[:, 4]).parameters)


def coverage(draws: int) -> None:
    """How often 95 % intervals hold what they should."""
    inside: dict[str, list] = {
        name: [] for name in ("BG/BB", "BG/NBD", "Gamma-Gamma", "total", "expectation")
    }
    truth = giving.Giving("bg_bb", likelihood.Maximum(np.array(BG_BB), np.zeros((4, 4)), 0.0), 1)
    ask = [[0, 2, 5, 8], [0, 4, 8, 8], [8] * 4]
    goal = giving.expected_gifts(truth, *ask, horizon=4).estimate
    for seed in range(draws):
        rng = np.random.default_rng(seed)
        fit = giving.fit_bg_bb(*counted(at_opportunities(rng, 3_000, 8)))
        inside["BG/BB"].append(within(fit.maximum, BG_BB))
        found = giving.expected_gifts(fit, *ask, horizon=4)
        inside["expectation"].append((found.low <= goal) & (goal <= found.high))
        times = at_any_time(rng, 3_000, 60)
        history = timed(times, 40)
        fit = giving.fit_bg_nbd(*history)
        inside["BG/NBD"].append(within(fit.maximum, BG_NBD))
        drawn = [giving.draw_gifts(fit.drawn(rng), *history, horizon=20.0, rng=rng).sum() for _ in range(200)]
        low, high = np.quantile(drawn, [0.025, 0.975])
        inside["total"].append(low <= ((times > 40) & (times <= 60)).sum() <= high)
        p, q, gamma = AMOUNTS
        n_amounts = 1 + rng.poisson(1.5, 2_000)
        mean = rng.gamma(p * n_amounts) / n_amounts / rng.gamma(q, 1 / gamma, 2_000)
        inside["Gamma-Gamma"].append(within(giving.fit_gamma_gamma(n_amounts, mean).maximum, AMOUNTS))
    for name, held in inside.items():
        print(f"coverage of 95 % intervals, {name}: {100 * np.mean(held):.1f} % of {np.size(held)}")


def seconds(n: int) -> None:
    """Processor seconds of both models."""
    rng = np.random.default_rng(1)
    age = rng.uniform(5, 60, n)
    times = np.concatenate([at_any_time(rng, 50_000, 60) for _ in range(n // 50_000)])
    before = times <= age[:, None]
    history = before.sum(1), np.max(np.where(before, times, 0), axis=1), age
    begun = time.process_time()
    fit = giving.fit_bg_nbd(*history)
    fitted = time.process_time()
    giving.p_gift(fit, *history, horizon=3.0)
    giving.expected_gifts(fit, *history, horizon=3.0)
    done = time.process_time()
    print(
        f"BG/NBD, {n:,} people: fit {fitted - begun:.1f} s, expectations with errors {done - fitted:.1f} s (CPU)"
    )
    gave = np.concatenate([at_opportunities(rng, 50_000, 60) for _ in range(n // 50_000)])
    begun = time.process_time()
    giving.fit_bg_bb(*counted(gave))
    print(f"BG/BB, {n:,} people, 60 opportunities: fit {time.process_time() - begun:.1f} s (CPU)")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=300)
    parser.add_argument("--people", type=int, default=500_000)
    given = parser.parse_args()
    published()
    coverage(given.draws)
    seconds(given.people)
