"""How often the verdict claims that choosing by person gains, in trials where it cannot.

    python benchmarks/nulls.py [--trials 500] [--households 1000] [--seed 0]

Two nulls: an action that changes nothing, and one that adds the same to everyone's chance. Households of two are
drawn whole and are alike; chances differ between people. Prints how often the one pre-declared test rejects at
5 %, beside the pooled cross-fitted test that it replaces; at most 35 of 500 are allowed.
"""

from __future__ import annotations

import argparse
import time

import numpy as np

from hustings.stats.personal import prepare
from hustings.stats.verdict import judge


def trial(
    rng: np.random.Generator, households: int, added: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Features, outcomes, arms and households; treatment adds the same to everyone's chance."""
    cluster = np.repeat(np.arange(households), 2)
    x = rng.normal(size=(2 * households, 8))
    x[:, 0] += rng.normal(size=households)[cluster]
    x[:, 4:] = x[:, 4:] > 0
    arm = rng.integers(0, 2, households)[cluster]
    common = 0.5 * rng.normal(size=households)[cluster]
    logit = -0.4 + 0.7 * x[:, 0] + 0.4 * x[:, 4] - 0.3 * x[:, 1] * x[:, 5] + common
    chance = 0.1 + 0.7 / (1 + np.exp(-logit)) + added * arm
    return x.astype(np.float32), (rng.random(len(arm)) < chance).astype(float), arm, cluster


def main() -> None:
    """Simulate and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--trials", type=int, default=500)
    parser.add_argument("--households", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0, help="that of the first trial")
    given = parser.parse_args()
    print(
        "| null | trials | choosing proven | not no one | to target | CPU s a trial |\n|---|---|---|---|---|---|"
    )
    for name, added in (("no effect", 0.0), ("the same effect for all", 0.1)):
        began, words, rejected = time.process_time(), [], 0
        for seed in range(given.seed, given.seed + given.trials):
            rng = np.random.default_rng([seed, int(added > 0)])
            x, y, arm, cluster = trial(rng, given.households, added)
            found = judge(prepare(x, y, arm, cluster, propensity=[0.5, 0.5], rng=rng).contrasts[0])
            rejected += found.p_gain <= 0.05
            words.append(found.word)
        seconds = (time.process_time() - began) / given.trials
        acted = sum(word != "no one" for word in words)
        print(
            f"| {name} | {given.trials} | {rejected} | {acted} | {words.count('target')} | {seconds:.2f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
