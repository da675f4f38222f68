"""Elections that are over, forecast as they would have been: how right was it, and how right the rules of thumb.

Strict: of the year itself the forecast sees polls whose field work had ended, and fundamentals published by then.
Scales, correlations and the errors of averages come from earlier elections only, and are fixed before the first
score is computed. Nothing else of the year is handed to what forecasts it.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import logit, ndtr

from hustings.errors import SettingError
from hustings.forecast.past import Outlook, as_over, outlook
from hustings.forecast.years import (
    Chosen,
    Folder,
    Results,
    election_day,
    open_folder,
    polls_of,
    results_of,
)
from hustings.stats.forecast_scores import Scores, score, share_of
from hustings.stats.poll_averages import LATEST, average_error, mean_of_polls, p_win
from hustings.stats.poll_choice import SWAPPED, swapped
from hustings.stats.poll_scales import Learned, learn
from hustings.stats.polls import Polls, Posterior, Prior, fit, keep

Floats = NDArray[np.float64]

DAYS = (100, 60, 30, 7, 1)
"""Days before the election of which forecasts are scored: as of that evening."""
METHODS = ("model", "mean of polls, 21 days", "last five polls", "prior alone")
_UNCOUNTED = "DC"


class Row(NamedTuple):
    """One forecast's scores.

    Attributes:
        year: The election.
        days: Before it.
        method: One of `METHODS`.
        scores: How right it was.
        n_polls: Polls that were believed by then.
    """

    year: int
    days: int
    method: str
    scores: Scores
    n_polls: int


class Year(NamedTuple):
    """How one year was forecast.

    Attributes:
        year: The election.
        learned: Scales, from earlier elections.
        average_error: Root mean square error of averages of final polls in earlier elections; NaN without any.
        notes: What a reader must know of it.
        rows: Scores by days and method.
    """

    year: int
    learned: Learned
    average_error: float
    notes: tuple[str, ...]
    rows: tuple[Row, ...]


def backtest(data: Path, years: Sequence[int], *, days: Sequence[int] = DAYS) -> tuple[Year, ...]:
    """Forecast elections that are over, from what was known before each.

    Args:
        data: A folder of files in the form of the public `polls` data.
        years: Elections, each with its results and its polls in the folder.
        days: Days before the election, 1 or more.

    Returns:
        Scores of the model and of the rules of thumb, by year.

    Raises:
        SettingError: No years, or days below 1.
        SourceError: The folder, a file, or a year is not there.
    """
    if not years or not days or min(days) < 1:
        raise SettingError.of(
            "Nothing to forecast",
            received=f"years {list(years)}, days {list(days)}",
            allowed="days of 1 or more",
        )
    folder = open_folder(data)
    wanted = sorted(set(years))
    # Every year is looked at before the first is computed: what is missing is said at once.
    held = {year: (results_of(folder, year), polls_of(folder, year, ())) for year in wanted}
    return tuple(_year(folder, year, held[year][0], sorted(set(days), reverse=True)) for year in wanted)


def means(years: Sequence[Year]) -> list[Row]:
    """Scores averaged over years, by days and method; `called` and `n_places` are sums.

    Args:
        years: As `backtest` gives them.

    Returns:
        One row for each of days and method, with year 0.
    """
    rows = [row for year in years for row in year.rows]
    found = []
    for days in dict.fromkeys(row.days for row in rows):
        for method in METHODS:
            some = [row for row in rows if (row.days, row.method) == (days, method)]
            table = np.array([row.scores for row in some], np.float64)
            mean, total = table.mean(axis=0), table.sum(axis=0)
            scores = Scores(*mean[:3], int(total[3]), int(total[4]), *mean[5:])
            found.append(Row(0, days, method, scores, sum(row.n_polls for row in some)))
    return found


def _year(folder: Folder, year: int, results: Results, days: Sequence[int]) -> Year:
    earlier = [int(y) for y in np.unique(folder.results["year"]) if y < year]
    over = [election for y in earlier if (election := as_over(folder, y)) is not None]
    learned = learn([one for _, one in over])
    error = _average_error(folder, year, results.places)
    notes = [_learned_from([y for y, _ in over], learned)]
    rows: list[Row] = []
    for before in days:
        evening = election_day(year) - datetime.timedelta(days=before)
        view = outlook(folder, results, evening)
        chosen = polls_of(folder, year, results.places, evening + datetime.timedelta(days=1))
        found, dropped = _forecast(chosen.polls, view, learned, results)
        rows += _rows(year, before, results, view, chosen, found, error)
        notes += [note for note in view.notes if note not in notes]
        left_out = dict(chosen.reasons) | ({SWAPPED: dropped} if dropped else {})
    told = ", ".join(
        f"{n} because {reason}" for reason, n in left_out.items() if "day of the forecast" not in reason
    )
    notes.append(f"polls left out at {days[-1]} day(s): {told or 'none'}")
    if not np.isfinite(error):
        notes.append(
            "no final polls of earlier years: the averages have no error, so no Brier score or interval"
        )
    return Year(year, learned, error, tuple(notes), tuple(rows))


def _forecast(polls: Polls, view: Outlook, learned: Learned, results: Results) -> tuple[Posterior, int]:
    """The posterior, without polls whose candidates seem swapped; and how many those were."""

    def posterior(some: Polls) -> Posterior:
        return fit(
            some, view.prior, correlation=view.correlation, scales=learned.scales, votes=results.votes[-2]
        )

    found = posterior(polls)
    wrong = swapped(polls, found)
    if not wrong.any():
        return found, 0
    return posterior(keep(polls, ~wrong)), int(wrong.sum())


def _rows(
    year: int, days: int, results: Results, view: Outlook, chosen: Chosen, found: Posterior, error: float
) -> list[Row]:
    polls = chosen.polls
    age = polls.day - (days - 1)
    lean = logit(results.shares[-2]) - logit(_whole(results.shares[-2], results.votes[-2]))
    truth, electors = results.shares[-1], results.electors[-1]
    counted = np.array([place != _UNCOUNTED for place in results.places])

    def of_logit(prior: Prior) -> Scores:
        spread = np.sqrt(np.diag(prior.covariance))
        return score(
            ndtr(prior.mean / spread),
            share_of(prior.mean),
            truth,
            error=spread,
            weights=electors,
            counted=counted,
        )

    def of_average(latest: int | None) -> Scores:
        average = mean_of_polls(polls.place, polls.share, age, lean, latest=latest)
        return score(
            p_win(average.share, error),
            average.share,
            truth,
            error=error,
            on_logit=False,
            weights=electors,
            counted=counted,
        )

    scores = (
        of_logit(Prior(found.mean, found.covariance)),
        of_average(None),
        of_average(LATEST),
        of_logit(view.prior),
    )
    return [
        Row(year, days, method, one, len(polls.place)) for method, one in zip(METHODS, scores, strict=True)
    ]


def _average_error(folder: Folder, year: int, places: Sequence[str]) -> float:
    final = folder.final_polls
    if final is None:
        return float("nan")
    here = (final["year"] < year) & np.isin(final["state"].astype(str), places)
    first, second = final["dem"][here], final["rep"][here]
    actual = final["dem_actual"][here] / (final["dem_actual"][here] + final["rep_actual"][here])
    return average_error(
        final["year"][here], _as_codes(final["state"][here]), first / (first + second), actual
    )


def _as_codes(names: NDArray[np.object_]) -> NDArray[np.int64]:
    return np.unique(names.astype(str), return_inverse=True)[1].astype(np.int64)


def _whole(share: Floats, votes: Floats) -> float:
    return float(share @ votes / votes.sum())


def _learned_from(years: Sequence[int], learned: Learned) -> str:
    if not years:
        return "no polls of earlier years: scales are those believed before any election (docs/method/forecast.md)"
    return f"scales from {learned.n_polls:,} polls of {', '.join(map(str, years))}"
