# ruff: noqa: E402
"""Clustered, adjusted lifts: ours beside pyfixest, in one run.

    python benchmarks/lifts.py --people 10_000_000

One line for each: CPU seconds of the reading alone, peak memory above the data, and the largest difference of
an estimate, both with one thread. pyfixest (in an environment of its own with Hustings; it is no dependency) is
left out where it is not installed.
"""

from __future__ import annotations

import argparse
import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS", "RAYON_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import resource
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from hustings import stats


def made_up(people: int, arms: int, covariates: int) -> dict[str, np.ndarray]:
    """Households of one to three, arms drawn by household, covariates that foretell the outcome."""
    rng = np.random.default_rng(7)
    home = np.repeat(np.arange(people), rng.integers(1, 4, people))[:people]
    homes = int(home[-1]) + 1
    arm = rng.integers(0, arms, homes).astype(np.int64)[home]
    x = rng.standard_normal((people, covariates), dtype=np.float32)
    chance = 0.35 + 0.05 * x[:, 0] + 0.03 * x[:, 1] + 0.01 * arm + 0.1 * rng.standard_normal(homes)[home]
    return {"y": (rng.random(people) < chance).astype(np.float64), "x": x, "arm": arm, "home": home}


def ours(data: dict[str, np.ndarray], arms: int) -> tuple[np.ndarray, np.ndarray]:
    """Lin's regression, clustered."""
    found = stats.adjustment.adjusted_difference(data["y"], data["x"], data["arm"], data["home"], n_arms=arms)
    return found.estimate, found.std_error


def pyfixest(frame: Any, covariates: int) -> tuple[np.ndarray, np.ndarray]:
    """The analysis of covariance without interactions, clustered: fewer columns than ours."""
    import pyfixest as pf

    right = " + ".join(f"x{j}" for j in range(covariates))
    fit = pf.feols(
        f"y ~ i(arm, ref=0) + {right}", frame, vcov={"CRV1": "home"}, copy_data=False, store_data=False
    )
    told = fit.tidy()
    own = [name for name in told.index if "arm" in name]
    return told.loc[own, "Estimate"].to_numpy(), told.loc[own, "Std. Error"].to_numpy()


def measured(run: Callable[[], Any]) -> tuple[Any, float, float]:
    """What came out, CPU seconds, and MB of NumPy's and Python's at the peak."""
    run_cpu = time.process_time()
    found = run()
    seconds = time.process_time() - run_cpu
    return found, seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--people", type=int, default=1_000_000)
    parser.add_argument("--arms", type=int, default=5)
    parser.add_argument("--covariates", type=int, default=5)
    given = parser.parse_args()
    data = made_up(given.people, given.arms, given.covariates)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    ours({name: column[:2_000] for name, column in data.items()}, given.arms)
    (estimate, error), seconds, peak = measured(lambda: ours(data, given.arms))
    print(
        f"{given.people:,} people, {given.arms} arms, {given.covariates} covariates, {data['home'][-1] + 1:,} clusters"
    )
    print(f"hustings  {seconds:6.2f} CPU s  {peak - before:7.0f} MB above the data  errors {error.round(6)}")
    try:
        import pandas as pd
        import pyfixest as _  # noqa: F401
    except ImportError:
        print("pyfixest is not installed", file=sys.stderr)
        return
    frame = pd.DataFrame({"y": data["y"], "arm": data["arm"], "home": data["home"]})
    for j in range(given.covariates):
        frame[f"x{j}"] = data["x"][:, j]
    pyfixest(frame.head(2_000), given.covariates)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    (theirs, their_error), slow, peak = measured(lambda: pyfixest(frame, given.covariates))
    print(
        f"pyfixest  {slow:6.2f} CPU s  {max(peak - before, 0):7.0f} MB above the data  errors {their_error.round(6)}"
    )
    print(
        f"ratio {slow / seconds:.1f}; largest difference of an estimate {np.abs(estimate - theirs).max():.2e}"
    )


if __name__ == "__main__":
    main()
