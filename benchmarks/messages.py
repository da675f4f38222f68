"""Message tests on simulated gifts whose truth is known: coverage, the winner's curse, bandits, decay.

    python benchmarks/messages.py [--runs 400] [--only coverage curse bandit decay size]

Gifts: a share of recipients gives, and amounts are log-normal. Everything is printed with the number of runs; the
error of a coverage of 95 % over 400 runs is 1.1 points.
"""

from __future__ import annotations

import argparse
import time

import numpy as np

from hustings import stats

MEDIAN = 16.0


def gifts(rng, n, rates, sigma, median=MEDIAN):
    """Amounts of n[k] recipients of each variant, with their variants."""
    arm = np.repeat(np.arange(len(rates)), n)
    gave = rng.random(len(arm)) < np.asarray(rates)[arm]
    amount = np.zeros(len(arm))
    amount[gave] = median * np.exp(sigma * rng.standard_normal(gave.sum()))
    return amount, arm


def read(amount, arm, k):
    """The means of k variants, every recipient a unit of its own."""
    return stats.variants.variant_means(amount, arm, np.arange(len(arm)), n_arms=k)


def coverage(rng, runs):
    """95 % intervals of one arm's mean, and of the difference of two, at 5,000 recipients each."""
    print(
        "\nCoverage of 95 % intervals, 2 arms of 5,000; gifts in both arms alike, or the second rate 1.2 times"
    )
    print("response  sigma | one mean  difference  difference, rates apart")
    for rate in (0.01, 0.02, 0.03):
        for sigma in (1.0, 1.5, 2.0, 2.5):
            inside = []
            for _ in range(runs):
                row = []
                for ratio in (1.0, 1.2):
                    rates = [rate, rate * ratio]
                    truth = np.array(rates) * MEDIAN * np.exp(sigma**2 / 2)
                    found = read(*gifts(rng, 5_000, rates, sigma), 2)
                    told = stats.variants.differences(found, 0)
                    gap = truth[1] - truth[0]
                    row += [np.mean(np.abs(found.mean - truth) < 1.96 * found.std_error)]
                    row += [told.low[1] <= gap <= told.high[1]]
                inside.append(row)
            alone, same, _, apart = np.mean(inside, axis=0)
            print(f"{rate:8.0%}  {sigma:5.1f} | {alone:8.1%}  {same:10.1%}  {apart:12.1%}")


def curse(rng, runs):
    """The winner of 18 variants of 5,000, by how much the variants truly differ."""
    print(
        "\nThe winner of 18 variants of 5,000, response 2 %, log-normal gifts (median $16, sigma 1): dollars"
    )
    print("variants' sd | shown  true   EB    mixture | covers  p_best  is best | expected loss  true loss")
    for apart in (0.0, 0.05, 0.1, 0.2, 0.4):
        rows = []
        for _ in range(runs):
            rates = 0.02 * np.exp(apart * rng.standard_normal(18))
            truth = rates * MEDIAN * np.exp(0.5)
            found = read(*gifts(rng, 5_000, rates, 1.0), 18)
            point = stats.winners.empirical_bayes(found.mean, found.steady_error)
            shrunk = stats.winners.shrink_variants(found.mean, found.steady_error)
            best = int((shrunk.weight @ shrunk.mean).argmax())
            lead = stats.winners.contrast(shrunk, (np.arange(18) == best) - 1 / 18)
            chance = stats.bandits.chances(stats.winners.draw_means(shrunk, 2_000, rng))
            true = truth[best] - truth.mean()
            rows.append(
                (
                    found.mean[best] - found.mean.mean(),
                    true,
                    point[best] - point.mean(),
                    lead.mean[0],
                    lead.low[0] <= true <= lead.high[0],
                    chance.p_best[best],
                    truth.argmax() == best if apart else 1 / 18,
                    chance.expected_loss[best],
                    truth.max() - truth[best],
                )
            )
        m = np.mean(rows, axis=0)
        print(
            f"{apart:11.0%}  | {m[0]:.3f}  {m[1]:.3f}  {m[2]:.3f}  {m[3]:.3f} | {m[4]:5.1%}  {m[5]:5.1%}  {m[6]:5.1%}"
            f"  | {m[7]:.3f}  {m[8]:.3f}"
        )


def bandit(rng, runs):
    """Dollars lost over six batches of 6,000 against always sending the best of six variants."""
    print("\nSix batches of 6,000, six variants; dollars lost against the best variant from the start")
    print("variants' sd | top-two  Thompson  equal shares  first batch, then its winner  a hunch")
    for apart in (0.05, 0.2, 0.4):
        lost = np.zeros((runs, 5))
        for run in range(runs):
            rates = 0.02 * np.exp(apart * rng.standard_normal(6))
            truth = rates * MEDIAN * np.exp(0.5)
            gap = truth.max() - truth
            for way, leader in enumerate((0.5, 1.0)):
                lost[run, way] = _batches(rng, rates, gap, leader)
            lost[run, 2] = 36_000 * gap.mean()
            found = read(*gifts(rng, 1_000, rates, 1.0), 6)
            lost[run, 3] = 6_000 * gap.mean() + 30_000 * gap[found.mean.argmax()]
            lost[run, 4] = 36_000 * gap[0]
        print(f"{apart:11.0%}  | " + "  ".join(f"{one:8,.0f}" for one in lost.mean(0)))


def _batches(rng, rates, gap, leader):
    shares, lost, amounts, arms = np.full(6, 1 / 6), 0.0, [], []
    for _ in range(6):
        sent = rng.multinomial(6_000, shares)
        amount, arm = gifts(rng, sent, rates, 1.0)
        amounts, arms, lost = [*amounts, amount], [*arms, arm], lost + sent @ gap
        found = read(np.concatenate(amounts), np.concatenate(arms), 6)
        shrunk = stats.winners.shrink_variants(found.mean, found.steady_error)
        chance = stats.bandits.chances(stats.winners.draw_means(shrunk, 1_000, rng))
        shares = stats.bandits.top_two_shares(chance.p_best, leader_share=leader)
    return lost


def decay(rng, runs):
    """Half-lives over six sends."""
    print("\nHalf-life over six sends, first effect 4 standard errors")
    print("true half-life | covers  told a half-life")
    for half_life in (0.7, 1.5, 3.0, np.inf):
        true = 4 * 0.5 ** (np.arange(6) / half_life)
        found = [
            stats.novelty.fit_decay(range(6), true + rng.standard_normal(6), np.ones(6)) for _ in range(runs)
        ]
        inside = np.mean([not np.isnan(one.low) and one.low <= half_life <= one.high for one in found])
        told = np.mean([one.reason is None for one in found])
        print(f"{half_life:13}  | {inside:5.1%}  {told:5.1%}")


def size(rng, runs):
    """CPU seconds for 300 variants and 3 million recipients."""
    amount, arm = gifts(rng, 10_000, np.full(300, 0.02), 1.0)
    began = time.process_time()
    found = read(amount, arm, 300)
    stats.variants.differences(found, 0)
    shrunk = stats.winners.shrink_variants(found.mean, found.steady_error)
    stats.winners.contrast(shrunk, np.eye(300))
    stats.bandits.chances(stats.winners.draw_means(shrunk, 20_000, rng))
    print(f"\n300 variants, 3,000,000 recipients: {time.process_time() - began:.1f} CPU s")


PARTS = {"coverage": coverage, "curse": curse, "bandit": bandit, "decay": decay, "size": size}


def main() -> None:
    """Print every figure."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=400)
    parser.add_argument("--only", nargs="*", choices=PARTS, default=list(PARTS))
    given = parser.parse_args()
    print(f"{given.runs} runs each")
    for name in given.only:
        PARTS[name](np.random.default_rng(20_260_303), given.runs)


if __name__ == "__main__":
    main()
