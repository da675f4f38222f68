"""The backtest beside published figures, the times of posterior and refit, and what intervals cover.

    python benchmarks/forecast.py [--data ../shared/data/polls] [--elections 600] [--years 2008 2012 2016]

Times are CPU seconds of this process, the least of three. Coverage is of elections drawn on the last year's own
places, days and pollsters, every third poll: in the model's world; in one whose shared errors are half as large again; and of a model
that knows of no shared errors.
"""

from __future__ import annotations

import argparse
import datetime
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from hustings.forecast.backtest import METHODS, Year, backtest, means
from hustings.forecast.past import Outlook, as_over, outlook
from hustings.forecast.years import Results, election_day, open_folder, polls_of, results_of
from hustings.sources.public import data_folder
from hustings.stats.poll_draws import draw
from hustings.stats.poll_scales import learn
from hustings.stats.poll_world import build
from hustings.stats.polls import Polls, Scales, fit, keep

# Brier score, weighted by electors, root mean square error, states called: the README of
# github.com/TheEconomist/us-potus-model (2020), on the eve. Its state correlations were built with 2016's results.
ECONOMIST = {
    2008: (0.0290, 0.0322, 0.0232, 49),
    2012: (0.0193, 0.0324, 0.0225, 50),
    2016: (0.0508, 0.0726, 0.0272, 48),
}
# The same of FiveThirtyEight's, as that README quotes them.
FIVETHIRTYEIGHT = {2012: (0.0091, None, None, None), 2016: (0.0664, 0.0928, None, 46)}


def timed(what: Callable[[], object], times: int = 3) -> float:
    """CPU seconds, the least of several."""
    found = []
    for _ in range(times):
        began = time.process_time()
        what()
        found.append(time.process_time() - began)
    return min(found)


def oracle_gap(polls: Polls, view: Outlook, scales: Scales, votes: np.ndarray) -> float:
    """The largest difference between the filter and the joint Gaussian solved whole."""
    found = fit(polls, view.prior, correlation=view.correlation, scales=scales, votes=votes)
    world = build(polls, view.prior, view.correlation, scales, votes)
    p, h = len(view.prior.mean), world.rows
    seen = h[:, :p]
    walked = np.minimum(polls.day[:, None], polls.day[None, :]) * (seen @ world.believed.walk @ seen.T)
    spread = h @ world.believed.covariance @ h.T + walked + np.diag(world.variance)
    gain = np.linalg.solve(spread, h @ world.believed.covariance[:, :p]).T
    mean = view.prior.mean + gain @ (world.value - h @ world.believed.mean)
    covariance = view.prior.covariance - gain @ h @ world.believed.covariance[:, :p]
    return max(float(np.abs(found.mean - mean).max()), float(np.abs(found.covariance - covariance).max()))


def coverage(
    polls: Polls, view: Outlook, model: Scales, world: Scales, votes: np.ndarray, elections: int
) -> tuple[float, float, float]:
    """Shares of places inside the 80 and the 95 % interval, and the simulation's error of the first."""
    rng = np.random.default_rng(2024)
    inside = []
    for _ in range(elections):
        drawn = draw(polls, view.prior, correlation=view.correlation, scales=world, votes=votes, rng=rng)
        found = fit(drawn.polls, view.prior, correlation=view.correlation, scales=model, votes=votes)
        z = np.abs(drawn.result - found.mean) / np.sqrt(np.diag(found.covariance))
        inside.append((np.mean(z < 1.28155), np.mean(z < 1.95996)))
    low, high = np.mean(inside, axis=0)
    return float(low), float(high), float(np.std(inside, axis=0)[0] / np.sqrt(elections))


def print_scores(found: Sequence[Year]) -> None:
    """The eve's scores, with published models beside them."""
    print("| eve | Brier | by electors | RMSE of share | called |\n|---|---|---|---|---|")
    rows = [row for year in found for row in year.rows] + means(found)
    for row in rows:
        if row.days == 1:
            s = row.scores
            line = f"{s.brier:.4f} | {s.weighted_brier:.4f} | {s.root_mean_square_error:.4f}"
            print(f"| {row.year or 'all'}, {row.method} | {line} | {s.called} of {s.n_places} |")
            if row.method == METHODS[-1]:
                print_published(row.year)


def print_published(year: int) -> None:
    """One line for each published model of a year, or of the mean of all."""
    for name, published in (("The Economist", ECONOMIST), ("FiveThirtyEight", FIVETHIRTYEIGHT)):
        known = published.get(year)
        if not year and len(published) == 3:
            table = np.array(list(published.values()), float)
            known = (*table[:, :3].mean(axis=0), int(table[:, 3].sum()))
        if known:
            cells = ["–" if x is None else f"{x:.4f}" for x in known[:3]]
            print(f"| {year or 'all'}, {name} (published) | {' | '.join(cells)} | {known[3] or '–'} |")


def main() -> None:
    """Print everything."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=data_folder() / "polls")
    parser.add_argument("--years", type=int, nargs="+", default=[2008, 2012, 2016])
    parser.add_argument("--elections", type=int, default=600)
    given = parser.parse_args()
    began = time.process_time()
    found = backtest(given.data, given.years)
    whole = time.process_time() - began
    print_scores(found)
    year = max(given.years)
    folder = open_folder(given.data)
    results: Results = results_of(folder, year)
    polls, votes = polls_of(folder, year, results.places).polls, results.votes[-2]
    view = outlook(folder, results, election_day(year) - datetime.timedelta(days=1))
    over = [one[1] for y in results.years[:-1] if (one := as_over(folder, int(y))) is not None]
    scales = learn(over).scales
    known = {"correlation": view.correlation, "scales": scales, "votes": votes}
    print(f"\n| {year}, {len(polls.place):,} polls | |\n|---|---|")
    print(f"| largest difference to the batch solution | {oracle_gap(polls, view, scales, votes):.1e} |")
    print(f"| posterior | {timed(lambda: fit(polls, view.prior, **known)):.3f} s |")
    path = timed(lambda: fit(polls, view.prior, **known, days=np.arange(245)))
    print(f"| posterior and the path of 245 days | {path:.3f} s |")
    print(f"| refit of all scales | {timed(lambda: learn(over), 1):.2f} s |")
    print(f"| backtest of {len(found)} years on {len(found[0].rows) // len(METHODS)} days | {whole:.1f} s |")
    wide = scales._replace(
        error_national=1.5 * scales.error_national,
        error_place=1.5 * scales.error_place,
        pull_error=1.5 * scales.pull_error,
    )
    blind = scales._replace(error_national=0.0, error_place=0.0, pull_error=0.0)
    few = keep(polls, np.arange(0, len(polls.place), 3))
    for name, model, world in (
        ("the model's own world", scales, scales),
        ("shared errors half as large again as it thinks", scales, wide),
        ("a model without shared errors", blind, scales),
    ):
        low, high, error = coverage(few, view, model, world, votes, given.elections)
        print(f"| in 80 and 95 %: {name} | {100 * low:.1f} ± {100 * error:.1f}, {100 * high:.1f} |")


if __name__ == "__main__":
    main()
