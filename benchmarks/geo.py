# ruff: noqa: E402
"""Tests of few places: our reading by the draw beside ordinary and clustered errors, in one run.

    python benchmarks/geo.py --runs 400

For 8, 12 and 20 places and two to four doses: how often each finds an effect where there is none at the 5 % level, how
often its 95 % interval holds the truth, and how wide it is; then the coverage of fitted responses, and the plan of money
by week beside a general solver. `--smoking FILE` adds California's Proposition 99 (a CSV: year by state).
"""

from __future__ import annotations

import argparse
import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS", "RAYON_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import time
from pathlib import Path

import numpy as np
from scipy.optimize import minimize
from scipy.special import stdtr, stdtrit

from hustings import stats

HISTORY, WEEKS, EFFECT = 12, 6, 0.004
geo, readings = stats.geo_design, stats.geo_readings


def noise(places: int, rng: np.random.Generator, correlation: float, sd: float = 0.01) -> np.ndarray:
    """Level of the place, the whole's weeks, and drift that lasts."""
    found = rng.standard_normal((places, HISTORY + WEEKS)) * sd
    for week in range(1, HISTORY + WEEKS):
        found[:, week] += correlation * found[:, week - 1]
    return found + rng.normal(0.5, 0.05, (places, 1)) + np.cumsum(rng.normal(0, 0.005, HISTORY + WEEKS))


def regression(y: np.ndarray, z: np.ndarray) -> dict[str, tuple[float, float, float]]:
    """Estimate, error and degrees of freedom of two-way regression: errors all alike, and clustered by place (CR1)."""
    known = readings.frame(y)
    x, e = known.rest(z), known.outcome
    estimate = float(x @ e / (x @ x))
    left = e - estimate * x
    n, k, g = y.size, known.basis.shape[1] + 1, y.shape[0]
    plain = np.sqrt(left @ left / (n - k) / (x @ x))
    sums = (x * left).reshape(y.shape).sum(1)
    inside = k - g
    clustered = np.sqrt((sums**2).sum() * g / (g - 1) * (n - 1) / (n - inside)) / (x @ x)
    return {"ordinary": (estimate, plain, n - k), "clustered": (estimate, clustered, g - 1)}


def few_places(runs: int, correlation: float) -> None:
    """Size, coverage and width."""
    print(
        f"\nnoise of one week with the next {correlation}; {runs} runs; size at 5 %, coverage of 95 %, median width"
    )
    print("places doses  by the draw            ordinary errors        clustered errors       ways")
    for places in (8, 12, 20):
        for doses in ([0.0, 4.0], [0.0, 2.0, 4.0], [0.0, 1.0, 2.0, 4.0]):
            size, cover, width = (dict.fromkeys(("draw", "ordinary", "clustered"), 0.0) for _ in range(3))
            spans: dict[str, list[float]] = {name: [] for name in size}
            for run in range(runs):
                rng = np.random.default_rng(run)
                y = noise(places, rng, correlation)
                rows, block = geo.parallel(doses, WEEKS), np.zeros(places, np.int64)
                dealt = geo.deal(rows, block, rng, history=y[:, :HISTORY], accepted=0.2)
                others = geo.ways(
                    dealt.sequence, block, rng, sequences=rows, history=y[:, :HISTORY], most=dealt.most, draws=1_000
                )  # fmt: skip
                full = readings.stock(np.concatenate([np.zeros((len(rows), HISTORY)), rows], axis=1), 1.0)
                z = full[dealt.sequence]
                size["draw"] += readings.read_dose(readings.frame(y), full, others).p_value <= 0.05
                read = readings.read_dose(readings.frame(y + EFFECT * z), full, others)
                cover["draw"] += read.low <= EFFECT <= read.high
                spans["draw"].append(read.high - read.low)
                for name, (estimate, error, degrees) in regression(y, z).items():
                    size[name] += 2 * stdtr(degrees, -abs(estimate / error)) <= 0.05
                    reach = stdtrit(degrees, 0.975) * error
                    cover[name] += abs(estimate) <= reach
                    spans[name].append(2 * reach)
            width = {name: float(np.median(found)) for name, found in spans.items()}
            told = "  ".join(
                f"{size[n] / runs:.3f} {cover[n] / runs:.3f} {width[n]:.4f}  "
                for n in ("draw", "ordinary", "clustered")
            )
            print(
                f"{places:6d} {len(doses):5d}  {told} {len(others.sequence):,}{'' if others.exact else ' drawn'}"
            )


def responses(runs: int) -> None:
    """Coverage of fitted curves whose truth is drawn from what is believed."""
    print(
        f"\nresponses, {runs} runs: coverage of 95 % of the effect at the highest dose, full effect, half-life"
    )
    for places in (8, 12, 20):
        inside, none = np.zeros(3), []
        for run in range(runs):
            rng = np.random.default_rng(run)
            rows = geo.parallel([0.0, 1.0, 2.0, 4.0], WEEKS)
            dealt = geo.deal(rows, np.zeros(places, np.int64), rng)
            dose = np.concatenate([np.zeros((places, HISTORY)), rows[dealt.sequence]], axis=1)
            life = np.exp(rng.normal(np.log(0.75), 0.8))
            effect, scale = rng.normal(0, 0.05), 4 * 2 ** rng.uniform(-3, 3)
            flat = noise(places, rng, 0.5, 0.004)
            y = flat + effect * -np.expm1(-readings.stock(dose, life) / scale)
            belief = stats.response_fit.Belief(no_effect=0.0)
            fit = stats.response_fit.fit_response(
                [stats.response_fit.Trial(y, dose)], rng, belief=belief, kind="exponential"
            )
            top = stats.response_fit.effect_of_dose(fit.draws, [4.0], 4.0)[:, 0]
            for i, (draws, truth) in enumerate(
                [(top, -effect * np.expm1(-4 / scale)), (fit.draws[:, 0], effect), (fit.draws[:, 3], life)]
            ):
                low, high = np.quantile(draws, [0.025, 0.975])
                inside[i] += low <= truth <= high
            none.append(
                stats.response_fit.fit_response([stats.response_fit.Trial(flat, dose)], rng).probability[
                    "none"
                ]
            )
        told = "  ".join(f"{share:.3f}" for share in inside / runs)
        print(
            f"{places:6d} places  {told}; p(no effect) where there is none: median {np.median(none):.2f}, before 0.20"
        )


def weeks() -> None:
    """The plan of money by area and week beside SciPy's SLSQP, and its size."""
    print("\nmoney by area and week: gain, distance from the bound, CPU seconds")
    for areas, n_weeks in ((10, 4), (50, 10), (210, 12)):
        rng = np.random.default_rng(0)
        people, cast = np.exp(rng.normal(12, 1, areas)), np.append(np.zeros(n_weeks - 2), [0.2, 0.8])
        channel = stats.media_weeks.Channel(0.03, stats.response.Response(0.15), 0.8, 12.0, np.outer(people, np.ones(n_weeks)))  # fmt: skip
        worth, budget = people * rng.random(areas), 4.0 * people.sum()
        began = time.process_time()
        plan = stats.media_weeks.plan_weeks([channel], worth, cast, budget)
        ours = time.process_time() - began
        line = (
            f"{areas:4d} areas × {n_weeks:2d} weeks  ours {plan.gain:12.1f} gap {plan.gap:.1e} {ours:6.2f} s"
        )
        if areas <= 50:
            room = np.asarray(channel.price) * channel.most
            began = time.process_time()
            other = minimize(
                lambda x, c=channel, r=room, w=worth, v=cast: -stats.media_weeks.gain_of([c], (x * r.ravel()).reshape(1, *r.shape), w, v),
                np.full(room.size, budget / room.sum()), bounds=[(0, 1)] * room.size,
                constraints={"type": "ineq", "fun": lambda x, r=room, b=budget: 1 - (x * r.ravel()).sum() / b},
                options={"maxiter": 200},
            )  # fmt: skip
            # It ends a little above the budget: what it may spend counts.
            kept = np.clip(other.x, 0, 1).reshape(1, *room.shape) * room
            kept *= min(1.0, budget / kept.sum())
            took = time.process_time() - began
            line += f"   SLSQP {stats.media_weeks.gain_of([channel], kept, worth, cast):12.1f} {took:6.2f} s"
        equal = stats.media_weeks.spread(budget, people, np.ones(n_weeks), 1)
        print(f"{line}   equal by week {stats.media_weeks.gain_of([channel], equal, worth, cast):12.1f}")


def smoking(path: Path) -> None:
    """California's Proposition 99: packs a head less, by each way of comparing."""
    told = np.genfromtxt(path, delimiter=",", names=True)
    states = [name for name in told.dtype.names if name not in ("Year", "California")]
    y, x = told["California"], np.column_stack([told[name] for name in states])
    start = int(np.flatnonzero(told["Year"] == 1989)[0])
    every = np.vstack([y, x.T])
    plain = stats.synthetic.difference_in_differences(
        every, np.arange(len(every)) == 0, np.arange(1, len(every)), start, np.random.default_rng(0)
    )
    print(
        "\nCalifornia's Proposition 99, packs a head and year (published: -27.3 by differences, -19.6 synthetic)"
    )
    print(f"differences          {plain.effect:6.1f}  p {plain.p_value:.3f}")
    for augmented in (False, True):
        found = stats.synthetic.synthetic_control(y, x, start, augmented=augmented)
        kind = "augmented synthetic" if augmented else "synthetic control"
        print(
            f"{kind:20s} {found.effect:6.1f}  p {found.p_value:.3f}  off before by {found.rmspe_before:.2f}"
        )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=400)
    parser.add_argument("--smoking", type=Path)
    given = parser.parse_args()
    for correlation in (0.0, 0.7):
        few_places(given.runs, correlation)
    responses(max(given.runs // 2, 20))
    weeks()
    if given.smoking:
        smoking(given.smoking)


if __name__ == "__main__":
    main()
