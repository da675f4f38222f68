"""A folder of public files ─► elections as arrays: results, polls, fundamentals, features.

Files of the form of `polls/README.md` of the public data: `results.parquet`, `fundamentals.parquet`,
`past_final_polls.parquet`, `state_features.parquet`, and `polls_YEAR.parquet` for each year.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from hustings.errors import SourceError
from hustings.stats.poll_choice import Published, choose
from hustings.stats.polls import WHOLE, Polls

Floats = NDArray[np.float64]

FEATURES_OF = 2013
"""The year that state features describe where their file has no column `year`."""
_WHOLE = "US"
_RESULTS = ("year", "state", "dem", "rep")
_POLLS = ("state", "pollster", "start", "end", "n", "dem", "rep")
_FINAL = ("year", "state", "pollster", "polldate", "n", "dem", "rep", "dem_actual", "rep_actual")


class Folder(NamedTuple):
    """What a folder holds.

    Attributes:
        path: The folder.
        results: Columns of results, all years.
        final_polls: Columns of past final polls, or None.
        fundamentals: Columns of fundamentals, or None.
        features: Columns of features, or None.
        with_polls: Years that have a file of polls.
    """

    path: Path
    results: Mapping[str, NDArray[Any]]
    final_polls: Mapping[str, NDArray[Any]] | None
    fundamentals: Mapping[str, NDArray[Any]] | None
    features: Mapping[str, NDArray[Any]] | None
    with_polls: tuple[int, ...]


class Results(NamedTuple):
    """Elections in the same places, oldest first.

    Attributes:
        years: (t,) of them.
        places: (p,) names in alphabetical order.
        shares: (t, p) two-party share.
        votes: (t, p) two-party votes.
        electors: (t, p) electors; NaN where the file has none.
    """

    years: NDArray[np.int64]
    places: tuple[str, ...]
    shares: Floats
    votes: Floats
    electors: Floats


class Chosen(NamedTuple):
    """Polls that are believed, and how many are not, by reason.

    Attributes:
        polls: Those that are believed.
        row: (n,) their rows in the file.
        reasons: How many were left out, by reason.
    """

    polls: Polls
    row: NDArray[np.int64]
    reasons: Mapping[str, int]


def open_folder(path: Path) -> Folder:
    """What a folder holds.

    Args:
        path: The folder.

    Returns:
        Its files as columns; polls by year are read when they are asked for.

    Raises:
        SourceError: There is no such folder or no results in it, or a file cannot be read or lacks a column.
    """
    if not path.is_dir():
        raise SourceError.of(
            "No such folder", received=str(path), then="hustings backtest --data FOLDER, or set HUSTINGS_DATA"
        )
    names = [file.stem.removeprefix("polls_") for file in path.glob("polls_*.parquet")]
    results = _columns(path / "results.parquet", _RESULTS)
    if results is None:
        raise SourceError.of("The folder has no results", received=str(path), allowed="results.parquet")
    return Folder(
        path,
        results,
        _columns(path / "past_final_polls.parquet", _FINAL),
        _columns(
            path / "fundamentals.parquet", ("year", "inc_party", "inc_running", "dem2", "juneapp", "q2gdp")
        ),
        _columns(path / "state_features.parquet", ("state",)),
        tuple(sorted(int(name) for name in names if name.isdigit())),
    )


def election_day(year: int) -> datetime.date:
    """The Tuesday after the first Monday of November.

    >>> election_day(2016).isoformat()
    '2016-11-08'
    """
    first = datetime.date(year, 11, 1)
    return first + datetime.timedelta(days=(7 - first.weekday()) % 7 + 1)


def results_of(folder: Folder, year: int) -> Results:
    """Results of a year and of all before it, in the places that voted in it.

    Args:
        folder: The files.
        year: The last election wanted.

    Returns:
        Results; elections in which a place is missing are left out.

    Raises:
        SourceError: The year is not there, a place is there twice, or fewer than two elections came before it.
    """
    known = folder.results
    years = known["year"].astype(np.int64)
    if year not in years:
        raise SourceError.of(
            "No results of that year, so nothing can be held against them",
            received=year,
            allowed=[int(y) for y in np.unique(years)],
        )
    states = known["state"].astype(str)
    places = sorted(set(states[years == year]))
    number = {place: i for i, place in enumerate(places)}
    kept: list[int] = []
    rows: list[Floats] = []
    electors = known["ev"] if "ev" in known else np.full(len(years), np.nan)
    numbers = np.column_stack([known["dem"], known["rep"], electors]).astype(np.float64)
    for each in np.unique(years[years <= year]):
        here = np.flatnonzero(years == each)
        table = np.full((len(places), 3), np.nan)
        codes = np.array([number.get(state, -1) for state in states[here]])
        if len(set(states[here])) < len(here):
            raise SourceError.of("A place has two results in one year", received=int(each))
        table[codes[codes >= 0]] = numbers[here[codes >= 0]]
        if (table[:, :2] > 0).all():
            kept.append(int(each))
            rows.append(table)
    if not kept or kept[-1] != year or len(kept) < 3:
        raise SourceError.of(
            "Too few whole elections in the results",
            received=kept,
            allowed=f"{year} and two before it, each with votes for both parties in every place",
        )
    stacked = np.stack(rows)
    votes = stacked[:, :, 0] + stacked[:, :, 1]
    return Results(np.array(kept), tuple(places), stacked[:, :, 0] / votes, votes, stacked[:, :, 2])


def polls_of(folder: Folder, year: int, places: Sequence[str], before: datetime.date | None = None) -> Chosen:
    """A year's polls that are believed on a day.

    Args:
        folder: The files.
        year: Of the election.
        places: Names of places, in the order of their codes.
        before: The day of the forecast; election day when None.

    Returns:
        The polls, their rows, and the reasons of the others.

    Raises:
        SourceError: There is no file of that year's polls, or it cannot be read.
    """
    columns = _columns(folder.path / f"polls_{year}.parquet", _POLLS)
    if columns is None:
        raise SourceError.of(
            "No polls of that year",
            received=f"polls_{year}.parquet",
            allowed=[f"polls_{y}.parquet" for y in folder.with_polls] or "a file polls_YEAR.parquet",
        )
    election = election_day(year).toordinal()
    return _chosen(columns, places, election, before.toordinal() if before else election)


def final_polls_of(folder: Folder, year: int, places: Sequence[str]) -> Chosen:
    """The final polls of a year that is over, from the file of past final polls.

    Their only day is taken for the first and the last of field work.

    Args:
        folder: The files.
        year: Of the election.
        places: Names of places, in the order of their codes.

    Returns:
        The polls; none where the file has none of that year.
    """
    election = election_day(year).toordinal()
    if folder.final_polls is None:
        return _chosen({name: np.array([]) for name in _POLLS}, places, election, election)
    here = folder.final_polls["year"] == year
    columns = {name: column[here] for name, column in folder.final_polls.items()}
    columns["start"] = columns["end"] = columns.pop("polldate")
    return _chosen(columns, places, election, election)


def _chosen(columns: Mapping[str, NDArray[Any]], places: Sequence[str], election: int, before: int) -> Chosen:
    published = published_polls(columns, places)
    reason = choose(published, before=before, election=election)
    row = np.flatnonzero([text is None for text in reason])
    left_out = [str(text) for text in reason if text is not None]
    two = published.first + published.second
    middle = (published.start + published.end) / 2
    polls = Polls(
        published.place[row],
        (published.first / two)[row],
        (published.size * np.minimum(two, 100) / 100)[row],
        election - middle[row],
        published.house[row],
        _codes(columns.get("mode"), len(reason))[row],
        _codes(columns.get("population"), len(reason))[row],
    )
    return Chosen(polls, row, {text: left_out.count(text) for text in sorted(set(left_out))})


def published_polls(columns: Mapping[str, NDArray[Any]], places: Sequence[str]) -> Published:
    """Columns of a file of polls as arrays.

    Args:
        columns: By name: state, pollster, start, end, n, dem, rep.
        places: Names of places, in the order of their codes.

    Returns:
        The polls.
    """
    number = {place: i for i, place in enumerate(places)} | {_WHOLE: WHOLE}
    return Published(
        np.array([number.get(str(state), WHOLE - 1) for state in columns["state"]], np.int64),
        _codes(columns["pollster"], len(columns["state"])),
        _days(columns["start"]),
        _days(columns["end"]),
        _numbers(columns["n"]),
        _numbers(columns["dem"]),
        _numbers(columns["rep"]),
    )


def _columns(path: Path, needed: Sequence[str]) -> dict[str, NDArray[Any]] | None:
    """The columns of a Parquet file; None where there is no file."""
    if not path.is_file():
        return None
    try:
        table = pq.read_table(path)
    except (pa.ArrowException, OSError) as error:
        raise SourceError.of(
            f"{path.name} cannot be read as Parquet", received=type(error).__name__
        ) from error
    missing = [name for name in needed if name not in table.column_names]
    if missing:
        raise SourceError.of(f"{path.name} lacks columns", received=table.column_names, allowed=missing)
    return {
        name: np.asarray(table.column(name).to_numpy(zero_copy_only=False)) for name in table.column_names
    }


def _codes(values: NDArray[Any] | None, n: int) -> NDArray[np.int64]:
    """Codes of texts in alphabetical order, -1 for none."""
    if values is None:
        return np.full(n, -1, np.int64)
    texts = ["" if value is None else str(value) for value in values]
    number = {text: i for i, text in enumerate(sorted(set(texts) - {""}))}
    return np.array([number.get(text, -1) for text in texts], np.int64)


def _numbers(values: NDArray[Any]) -> Floats:
    return np.array([np.nan if value is None else float(value) for value in values], np.float64)


def _days(values: NDArray[Any]) -> Floats:
    """Days as numbers, from texts or dates; NaN for what is none."""
    return np.array([_day(value) for value in values], np.float64)


def _day(value: Any) -> float:
    if isinstance(value, np.datetime64):
        value = value.astype("datetime64[D]").item()
    try:
        if isinstance(value, datetime.date):
            return float(value.toordinal())
        return float(datetime.date.fromisoformat(str(value)[:10]).toordinal())
    except (TypeError, ValueError):
        return float("nan")
