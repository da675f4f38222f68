"""One election as it looked on a day before it, and as it stands once it is over."""

from __future__ import annotations

import datetime
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import logit

from hustings.errors import DesignError, SourceError
from hustings.forecast.years import FEATURES_OF, Folder, Results, final_polls_of, polls_of, results_of
from hustings.stats.fundamentals import Expected, believe, expect, winsorise
from hustings.stats.poll_scales import Over
from hustings.stats.polls import Prior

Floats = NDArray[np.float64]

APPROVAL_FROM, GROWTH_FROM = (7, 1), (8, 1)
"""Month and day from which June's approval and the second quarter's growth are known."""


class Outlook(NamedTuple):
    """What was believed of an election without its polls.

    Attributes:
        prior: Logit of the two-party share by place.
        correlation: (p, p) of places.
        notes: What a reader must know of it.
    """

    prior: Prior
    correlation: Floats
    notes: tuple[str, ...]


def outlook(folder: Folder, results: Results, day: datetime.date) -> Outlook:
    """What could be believed of the last of these elections on a day before it.

    Args:
        folder: The files.
        results: Elections, the last of which is forecast: its row is not looked at.
        day: The day of the forecast.

    Returns:
        The prior and the correlation of places.
    """
    year = int(results.years[-1])
    shares, votes = results.shares[:-1], results.votes[:-1]
    whole, note = _whole(folder, year, day, shares, votes)
    features, of_features = _features(folder, year, results.places)
    found = believe(shares, votes, whole, features=features)
    return Outlook(
        Prior(found.mean, found.covariance),
        found.correlated.matrix,
        tuple(text for text in (note, of_features) if text),
    )


def as_over(folder: Folder, year: int) -> tuple[int, Over] | None:
    """An election that is over, for scales to be learned from; None where it has no polls or too few results.

    Args:
        folder: The files.
        year: The election.

    Returns:
        The year and the election.
    """
    try:
        results = results_of(folder, year)
    except SourceError:
        return None
    whole = year in folder.with_polls
    chosen = polls_of(folder, year, results.places) if whole else final_polls_of(folder, year, results.places)
    if not len(chosen.row):
        return None
    features, _ = _features(folder, year, results.places)
    # Of the whole only its place is needed here, so any level will do.
    level = Expected(0.0, 1.0, np.zeros(0), 0)
    found = believe(results.shares[:-1], results.votes[:-1], level, features=features)
    return year, Over(chosen.polls, logit(results.shares[-1]), found.correlated.matrix, results.votes[-1])


def _whole(
    folder: Folder, year: int, day: datetime.date, shares: Floats, votes: Floats
) -> tuple[Expected, str | None]:
    """The expected logit of the whole's share: by fundamentals, or else as at the last election."""
    try:
        return _by_fundamentals(folder, year, day)
    except (DesignError, SourceError) as error:
        past = logit((shares * votes).sum(axis=1) / votes.sum(axis=1))
        apart = float(np.sqrt(np.mean(np.diff(past) ** 2)))
        last = Expected(float(past[-1]), apart, np.ones(1), len(past) - 1)
        return last, f"no fundamentals, so the prior's level is the last election's ({error})"


def _by_fundamentals(folder: Folder, year: int, day: datetime.date) -> tuple[Expected, str | None]:
    """The incumbent party's share on approval, growth and whether the incumbent runs, as far as known on the day."""
    table = folder.fundamentals
    if table is None:
        raise SourceError.of("No fundamentals.parquet")
    if (table["year"] == year).sum() != 1:
        raise SourceError.of("Not one row of fundamentals", received=year)
    names = ["inc_running"]
    late = []
    for name, known_from in (("juneapp", APPROVAL_FROM), ("q2gdp", GROWTH_FROM)):
        if day >= datetime.date(year, *known_from):
            names.append(name)
        else:
            late.append(name)
    before = table["year"] < year
    now_at = int(np.flatnonzero(table["year"] == year)[0])
    known, now = [np.ones(int(before.sum()))], [1.0]
    for name in names:
        column = table[name].astype(np.float64)
        past, present = column[before], float(column[now_at])
        if name == "q2gdp":
            past, present = winsorise(past, present)
        known.append(past)
        now.append(present)
    ours = table["inc_party"].astype(str) == "dem"
    share = np.where(ours, table["dem2"], 1 - table["dem2"])[before].astype(np.float64)
    found = expect(np.column_stack(known), logit(share), now)
    sign = 1.0 if ours[now_at] else -1.0
    note = (
        f"{', '.join(late)} not known yet {(datetime.date(year, 11, 8) - day).days // 7} weeks before"
        if late
        else None
    )
    return found._replace(value=sign * found.value), note


def _features(folder: Folder, year: int, places: tuple[str, ...]) -> tuple[Floats | None, str | None]:
    """Numbers by place that were known before the year, or why there are none."""
    table = folder.features
    if table is None:
        return None, "no features of places"
    of = int(np.max(table["year"])) if "year" in table else FEATURES_OF
    if of >= year:
        return None, f"features of places are of {of}: left out"
    names = [name for name, column in table.items() if name != "year" and column.dtype.kind in "fiu"]
    row = {str(state): i for i, state in enumerate(table["state"])}
    missing = [place for place in places if place not in row]
    if missing or not names:
        return None, f"features lack places ({len(missing)}): left out"
    at = [row[place] for place in places]
    found = np.column_stack([table[name][at] for name in names]).astype(np.float64)
    return (found, None) if np.isfinite(found).all() else (None, "features hold gaps: left out")
