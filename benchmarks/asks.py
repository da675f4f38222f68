"""Asks and money: true revenue of the chosen strings beside the rules, size of the test, coverage of the forecast.

    python benchmarks/asks.py [--seeds 40]

The world is that of `hustings demo`: what people give to each string is known. With HUSTINGS_DATA the forecast is also
held against two years of a shop's orders.
"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path

import numpy as np

from hustings.simulate.asks import STRINGS, Givers, suggested, truth
from hustings.stats.asks import compare_strings, held_against
from hustings.stats.money import day_columns, draw_counts, draw_money, fit_days, gift_sizes

NAMES = ("modest", "usual", "bold", "last")
BREAKS = (2_500, 5_000, 10_000)


def asks(n: int, rng: np.random.Generator, alike: bool = False):
    """People asked at random: cents, string, segment, and (n, k) what each string truly brings from each."""
    last = np.clip(np.round(np.exp(np.log(3_500) + 0.9 * rng.standard_normal(n)), -2), 500, 200_000)
    recent = rng.random(n) < 0.5
    givers = Givers(np.where(recent, 0.06, 0.03), last, last)
    worth = np.empty((n, len(NAMES)))
    chance, log = np.empty_like(worth), np.empty_like(worth)
    for k, name in enumerate(NAMES):
        chance[:, k], log[:, k] = truth(givers, "usual" if alike else name)
        worth[:, k] = chance[:, k] * np.exp(log[:, k] + 0.08)
    string = rng.integers(0, len(NAMES), n)
    rows = np.arange(n)
    gave = rng.random(n) < chance[rows, string]
    cents = np.where(gave, np.exp(log[rows, string] + 0.4 * rng.standard_normal(n)), 0.0)
    segment = np.searchsorted(BREAKS, last, side="right") * 2 + recent
    return cents, string, segment, worth


def strings(seeds: int) -> None:
    """True cents a person asked, as a share of what the best string of each segment brings."""
    print(
        "| asks | usual for all | best raw mean for all | raw winner of each segment | ours | told by ours, by raw |"
    )
    n_segments = 2 * (len(BREAKS) + 1)
    for n in (3_000, 10_000, 30_000, 100_000, 300_000):
        got: list[list[float]] = []
        start = time.process_time()
        for seed in range(seeds):
            rng = np.random.default_rng(seed)
            cents, string, segment, worth = asks(n, rng)
            true = np.stack([worth[segment == s].mean(axis=0) for s in range(n_segments)])
            size = np.bincount(segment, minlength=n_segments) / n
            found = compare_strings(
                cents, string, segment, np.arange(n), n_strings=4, n_segments=n_segments, draws=1_000, rng=rng
            )
            raw = np.nan_to_num(found.revenue).argmax(axis=1)
            all_ = int(np.bincount(string, cents).argmax())
            rows = np.arange(n_segments)
            ours = size @ true[rows, found.choice]
            got.append(
                [
                    size @ true[:, 1],
                    size @ true[:, all_],
                    size @ true[rows, raw],
                    ours,
                    size @ found.expected()[rows, found.choice] / ours,
                    size @ np.nan_to_num(found.revenue)[rows, raw] / (size @ true[rows, raw]),
                    size @ true.max(axis=1),
                ]
            )
        table = np.array(got)
        share = table[:, :4].mean(axis=0) / table[:, 6].mean()
        error = (table[:, 3] - table[:, 0]).std() / np.sqrt(seeds) / table[:, 6].mean()
        apart = (table[:, 3] - table[:, 1]) / table[:, 6].mean()
        told = table[:, 4:6].mean(axis=0)
        cpu = (time.process_time() - start) / seeds
        print(
            f"| {n:,} | {share[0]:.3f} | {share[1]:.3f} | {share[2]:.3f} | {share[3]:.3f} (± {1.96 * error:.3f} to usual) | {told[0]:.2f}, {told[1]:.2f} | {cpu:.2f} s"
        )
        print(
            f"  ours less the best raw mean for all: {apart.mean():+.4f} (± {1.96 * apart.std(ddof=1) / np.sqrt(seeds):.4f})"
        )


def size_and_power(seeds: int) -> None:
    """How often the one-sided test speaks at 0.05, where strings are alike and where they are not."""
    for n in (10_000, 30_000, 100_000):
        told = []
        for alike in (True, False):
            p = []
            for seed in range(seeds):
                rng = np.random.default_rng(10_000 + seed)
                cents, string, segment, _ = asks(n, rng, alike)
                p.append(
                    held_against(
                        cents, string, segment, np.arange(n), n_strings=4, n_segments=8, rule=1, rng=rng
                    ).p_value
                )
            told.append(float(np.mean(np.array(p) < 0.05)))
        print(
            f"{n:,} asks: says better in {told[0]:.1%} where strings are alike, in {told[1]:.1%} where they are not"
        )


def coverage(seeds: int) -> None:
    """Money to come in a world whose level drifts, with weekdays, deadlines and asks."""
    days, ahead = 180, 56
    inside, off, thumb = [], [], []
    start = time.process_time()
    for seed in range(seeds):
        rng = np.random.default_rng(20_000 + seed)
        day = np.arange(20_000, 20_000 + days + ahead)
        known = day_columns(day, deadlines=day[29::30], asks=day[10::45])
        effect = np.array([0.1, 0.2, 0.1, -0.1, -0.4, -0.3, 1.2, 0.5, 0.2, 0.9, 0.4, 0.1])
        level = (
            np.log(rng.choice([2.0, 15.0, 80.0]))
            + rng.choice([0.02, 0.08, 0.15]) * rng.standard_normal(40).cumsum()[np.arange(len(day)) // 7]
        )
        counts = rng.poisson(np.exp(level + known @ effect) * rng.gamma(1 / 0.15, 0.15, len(day)))
        amounts = [np.minimum(rng.lognormal(np.log(4_000), 1.0, n), 350_000) for n in counts]
        total = np.array([one.sum() for one in amounts])
        low, mean, high = _foretold(counts[:days], np.concatenate(amounts[:days]), known, ahead, rng)
        true = total[days:].cumsum()
        inside.append((low <= true) & (true <= high))
        off.append(abs(mean[-1] / true[-1] - 1))
        thumb.append(abs(ahead * total[days - 28 : days].mean() / true[-1] - 1))
    held = np.array(inside)
    cpu = (time.process_time() - start) / seeds
    print(
        f"simulated: the 95 % interval holds the sum to day 7, 14, 28, 56 in {', '.join(f'{held[:, h - 1].mean():.0%}' for h in (7, 14, 28, 56))}; {cpu:.2f} s each"
    )
    print(
        f"  off by {np.median(off):.1%} at the median after 56 days; the last four weeks' mean by {np.median(thumb):.1%}"
    )


def _foretold(counts, amounts, known, ahead, rng):
    days = len(counts)
    model = fit_days(counts, known[:days])
    sizes = gift_sizes(amounts, np.repeat(np.arange(days) // 7, counts))
    total = draw_money(draw_counts(model, known[days : days + ahead], 2_000, rng), sizes, rng).cumsum(axis=1)
    low, high = np.quantile(total, [0.025, 0.975], axis=0)
    return low, total.mean(axis=0), high


def shop(folder: Path) -> None:
    """Orders of a shop, foretold every two weeks for four weeks."""
    import pandas as pd

    lines = pd.read_parquet(folder / "shopping/lines.parquet")
    names = {name.lower(): name for name in lines.columns}
    cents = 100 * lines[names["quantity"]] * lines[names.get("unitprice", names.get("price"))]
    frame = pd.DataFrame(
        {
            "order": lines[names.get("invoiceno", names.get("invoice"))].astype(str),
            "cents": cents,
            "day": pd.to_datetime(lines[names["invoicedate"]]).dt.floor("D"),
        }
    )
    orders = frame.groupby("order").agg(cents=("cents", "sum"), day=("day", "first"))
    orders = orders[orders["cents"] > 0]
    first = orders["day"].min()
    at = (orders["day"] - first).dt.days.to_numpy()
    n = int(at.max()) + 1
    counts, sums = np.bincount(at, minlength=n), np.bincount(at, orders["cents"], minlength=n)
    order = np.argsort(at, kind="stable")
    amounts, of = orders["cents"].to_numpy()[order], at[order]
    known = day_columns(np.arange(n) + (first - pd.Timestamp("1970-01-01")).days)
    inside, off, thumb = [], [], []
    for cut in range(120, n - 28, 14):
        low, mean, high = _foretold(counts[:cut], amounts[of < cut], known, 28, np.random.default_rng(cut))
        true = sums[cut : cut + 28].cumsum()
        inside.append([(low[h] <= true[h] <= high[h]) for h in (6, 13, 27)])
        off.append(abs(mean[-1] / true[-1] - 1))
        thumb.append(abs(28 * sums[cut - 28 : cut].mean() / true[-1] - 1))
    held = np.array(inside)
    print(
        f"shop: {len(held)} starts; held after 7, 14, 28 days in {', '.join(f'{x:.0%}' for x in held.mean(axis=0))}"
    )
    print(
        f"  off by {np.mean(off):.1%} on average after 28 days; the last four weeks' mean by {np.mean(thumb):.1%}"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=40)
    seeds = parser.parse_args().seeds
    assert set(NAMES) == set(STRINGS)
    assert suggested("last", np.array([1_000.0])).shape == (1, 3)
    strings(seeds)
    size_and_power(2 * seeds)
    coverage(2 * seeds)
    if os.environ.get("HUSTINGS_DATA"):
        shop(Path(os.environ["HUSTINGS_DATA"]))
