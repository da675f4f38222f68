"""Returns and voters ─► units of a count: precincts by way of voting, with what was expected of them."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from hustings.errors import DesignError
from hustings.stage import Table
from hustings.stats.returns import Counted, Expected
from hustings.warehouse import arrays, codes

ALL = "all"
"""The way of voting of returns that do not tell it."""
Floats = npt.NDArray[np.float64]


class Units(NamedTuple):
    """The units of a count.

    Attributes:
        expected: What was expected of them.
        counted: What has come in.
        regions: Labels of the regions.
        until: The latest count used, or None.
    """

    expected: Expected
    counted: Counted
    regions: list[str]
    until: datetime.datetime | None


class _Votes(NamedTuple):
    """Two choices' votes by precinct and way of voting."""

    key: list[tuple[str, str]]
    region: list[str]
    first: Floats
    both: Floats
    reported: Floats
    until: datetime.datetime | None


def from_returns(
    returns: Table,
    people: Table | None,
    elections: tuple[str, str],
    choices: tuple[tuple[str, str], tuple[str, str]],
    until: datetime.datetime | None,
    mode_shares: Mapping[str, float],
) -> Units:
    """Units of the earlier election, with tonight's votes.

    Args:
        returns: The table of that name.
        people: The table of that name, for each precinct's age, sex and registration; or None.
        elections: Tonight's, and the earlier one that says what was expected.
        choices: Of each of the two, ours and theirs.
        until: Nothing counted later is used.
        mode_shares: How votes split by way of voting, where the earlier election does not tell.

    Returns:
        The units; a precinct that was not there before is expected to be like its region.

    Raises:
        DesignError: The two elections do not fit together; it says how many precincts.
    """
    before = _votes(returns, elections[1], choices[1], None)
    now = _votes(returns, elections[0], choices[0], until)
    if not before.both.sum():
        raise DesignError.of(
            f"No votes for {' or '.join(choices[1])} in {elections[1]}",
            then="collect the returns of an earlier election, and name it in earlier",
        )
    before = _by_mode(before, sorted({mode for _, mode in now.key}), mode_shares)
    _check_places(before, now, elections)
    keys = list(dict.fromkeys([*before.key, *now.key]))
    at = {key: number for number, key in enumerate(keys)}
    region_of = dict(zip((place for place, _ in before.key), before.region, strict=True))
    region_of |= dict(zip((place for place, _ in now.key), now.region, strict=True))
    region = codes(np.array([region_of[place] for place, _ in keys], object))
    mode = codes(np.array([mode for _, mode in keys], object))
    first, both, known = _spread(before, at)
    share, votes = _expected(first, both, known, region.codes)
    mine, two, _ = _spread(now, at)
    reported = np.zeros(len(keys))
    reported[[at[key] for key in now.key]] = now.reported
    # A precinct that says it is done without a vote is done; one that has said nothing is not.
    reported = np.where((two > 0) | (reported == 1), reported, 0.0)
    features = _features(people, [place for place, _ in keys])
    return Units(
        Expected(share, votes, region.codes, mode.codes, features),
        Counted(mine, two, reported),
        region.labels,
        now.until,
    )


def _votes(
    returns: Table, election: str, choices: tuple[str, str], until: datetime.datetime | None
) -> _Votes:
    """The latest count of each choice in each precinct."""
    import ibis

    of = returns.filter(returns.election == election)
    known = arrays(of.select("choice").distinct())["choice"].tolist()
    for choice in choices if known else ():
        if choice not in known:
            raise DesignError.unknown(
                f"The returns of {election} have no choice", choice, known, "edit campaign.toml"
            )
    rows = of.filter(of.choice.isin(choices))
    if until is not None:
        rows = rows.filter(rows.counted_at <= until)
    latest = ibis.window(
        group_by=["place_id", "mode", "choice"],
        order_by=[ibis.desc("counted_at"), ibis.desc("arrived_at"), "source"],
    )
    last = rows.mutate(_rank=ibis.row_number().over(latest)).filter(lambda t: t["_rank"] == 0)
    units = last.group_by("place_id", "mode").agg(
        region=last.region_id.max().fill_null("no region"),
        first=last.votes.sum(where=last.choice == choices[0]).fill_null(0),
        both=last.votes.sum(),
        reported=last.share_reported.fill_null(1.0).min(),
        until=last.counted_at.max(),
    )
    found = arrays(units.order_by("place_id", "mode"))
    moments = [moment for moment in found["until"].astype("datetime64[us]").tolist() if moment is not None]
    return _Votes(
        list(zip(found["place_id"].tolist(), found["mode"].tolist(), strict=True)),
        found["region"].tolist(),
        np.asarray(found["first"], np.float64),
        np.asarray(found["both"], np.float64),
        np.asarray(found["reported"], np.float64),
        max(moments, default=None),
    )


def _by_mode(before: _Votes, modes: list[str], shares: Mapping[str, float]) -> _Votes:
    """The earlier votes by tonight's ways of voting."""
    known = sorted({mode for _, mode in before.key})
    if not modes or set(modes) <= set(known):
        return before
    if modes == [ALL]:
        return _summed(before)
    if known != [ALL]:
        raise DesignError.of(
            "Tonight's ways of voting are not those of the earlier election",
            received=modes,
            allowed=known,
            then="map both to the same words",
        )
    if not set(modes) <= set(shares) or not all(share > 0 for share in shares.values()):
        raise DesignError.of(
            "The earlier election does not tell how people voted, and tonight's does",
            received=modes,
            then=f"mode_shares = {{ {', '.join(f'{mode!r} = …' for mode in modes)} }}",
        )
    total = sum(shares.values())
    parts = [
        before._replace(
            key=[(place, mode) for place, _ in before.key],
            first=before.first * share / total,
            both=before.both * share / total,
        )
        for mode, share in sorted(shares.items())
    ]
    return _Votes(
        [key for part in parts for key in part.key],
        [region for part in parts for region in part.region],
        np.concatenate([part.first for part in parts]),
        np.concatenate([part.both for part in parts]),
        np.concatenate([part.reported for part in parts]),
        before.until,
    )


def _summed(before: _Votes) -> _Votes:
    place = codes(np.array([place for place, _ in before.key], object))
    first, both = (np.bincount(place.codes, weights=votes) for votes in (before.first, before.both))
    region = dict(zip((place for place, _ in before.key), before.region, strict=True))
    return _Votes(
        [(label, ALL) for label in place.labels],
        [region[label] for label in place.labels],
        np.asarray(first, np.float64),
        np.asarray(both, np.float64),
        np.ones(len(place.labels)),
        before.until,
    )


def _check_places(before: _Votes, now: _Votes, elections: tuple[str, str]) -> None:
    there = {place for place, _ in before.key}
    new = {place for place, _ in now.key} - there
    told = {place for place, _ in now.key}
    if len(new) > max(2, len(told) / 2):
        raise DesignError.of(
            f"Of {len(told)} precincts that reported in {elections[0]}, {len(new)} are not in {elections[1]}",
            allowed="at most half",
            then="map both to the same place_id",
        )


def _spread(votes: _Votes, at: Mapping[tuple[str, str], int]) -> tuple[Floats, Floats, npt.NDArray[np.bool_]]:
    where = [at[key] for key in votes.key]
    first, both, known = np.zeros(len(at)), np.zeros(len(at)), np.zeros(len(at), bool)
    first[where], both[where], known[where] = votes.first, votes.both, True
    return first, both, known


def _expected(
    first: Floats, both: Floats, known: npt.NDArray[np.bool_], region: npt.NDArray[np.int64]
) -> tuple[Floats, Floats]:
    """Shares pulled a little to the region's, since few votes tell little; of new units the region's own."""
    overall = float(first.sum() / both.sum())
    of_region = (np.bincount(region, first) + 100 * overall) / (np.bincount(region, both) + 100)
    share = (first + 20 * of_region[region]) / (both + 20)
    n_known = np.bincount(region, known.astype(np.float64))
    usual = np.bincount(region, both) / np.maximum(n_known, 1)
    votes = np.where(known, both, np.where(n_known > 0, usual, both.sum() / known.sum())[region])
    return np.clip(share, 0.002, 0.998), np.maximum(votes, 1.0)


def _features(people: Table | None, places: list[str]) -> Floats:
    """Mean age and share of women of each precinct's people, standardised; the mean where it is not known."""
    if people is None:
        return np.empty((len(places), 0))
    known = people.filter(people.place_id.notnull())
    found = arrays(
        known.group_by("place_id").agg(
            born=known.born_on.epoch_seconds().mean(), women=(known.sex == "female").cast("float64").mean()
        )
    )
    at = {place: number for number, place in enumerate(found["place_id"].tolist())}
    where = np.array([at.get(place, -1) for place in places])
    columns = []
    for name in ("born", "women"):
        values = np.append(np.asarray(found[name], np.float64), np.nan)[where]
        if np.isfinite(values).mean() > 0.5 and np.nanstd(values) > 0:
            columns.append(np.nan_to_num((values - np.nanmean(values)) / np.nanstd(values)))
    return np.column_stack(columns) if columns else np.empty((len(places), 0))
