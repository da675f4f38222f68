"""A race for governor in the simulated state: its places, its past results, its polls, and the truth of each place.

Whoever supports our side votes for A, all others who vote choose B: the race is the support of those who turn out.
"""

from __future__ import annotations

import datetime
from pathlib import Path
from string import Template

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from hustings.simulate import files
from hustings.simulate.elections import AS_OF, ASKED_FROM, LOADED_ON, PAST
from hustings.simulate.part import Drawn, Part

PLACES = "sources/places.csv"
RESULTS = "sources/results.csv"
POLLS = "sources/polls.csv"
TRUTH = "truth-race.parquet"
STATE = "S"
_GENERALS = tuple(column for column, election in enumerate(PAST) if election.kind == "general")
_PRIMARY = max(column for column, election in enumerate(PAST) if election.kind == "primary")
_SWING, _REGION_SWING, _PRECINCT_SWING = 0.08, 0.06, 0.04
"""How much an earlier election differed from the support of today, in log-odds: everywhere, by region, by precinct."""
_HOUSES = ("Alder Polling", "Birch Research", "Cedar Surveys", "Dogwood Opinion")
_HOUSE, _WAVE = 0.05, 0.03
"""Standard deviations of a pollster's lasting error and of a poll's own beyond sampling, in log-odds."""
_STATE_POLLS, _REGIONS_POLLED, _EARLIER_POLLS = 14, 4, 6
_UNDECIDED = 0.1
_MANY = 200_000

Floats = NDArray[np.float64]
Polled = tuple[str, float]

_TEXT = Template("""\
# ── the race, its places, and what the polls say ───────────────────────────────────────────────────

[sources.places] # the state, its regions, their precincts
path = "sources/places.csv"
arrived_on = $known_on

[[sources.places.places]]
place_id = "place"
parent_id = "parent"
name = "name"
region = "region"
votes = "votes"

[sources.results] # what the precincts did at the general elections before
path = "sources/results.csv"
arrived_on = $known_on

[[sources.results.results]]
year = "year"
place_id = "precinct"
votes = { cell = true }
unpivot = [{ column = "a", choice = "A" }, { column = "b", choice = "B" }]

[sources.polls]
path = "sources/polls.csv"
arrived_on = $arrived_on

[[sources.polls.polls]]
poll_id = { row = true }
year = "year"
place_id = "place"
pollster = "pollster"
starts_on = "starts"
ends_on = "ends"
n_asked = "asked"
population = "population"
percent = { cell = true }
unpivot = [{ column = "a", choice = "A" }, { column = "b", choice = "B" }]

[races.governor]
rule = "plurality" # most votes win
choice = "A"
rivals = ["B"]
$more""")


def _declare(people: int) -> str:
    """The sources and the race; with more than a few hundred precincts fewer mornings and elections are told of."""
    more = "history_days = 7\ndraws = 20_000\n" if people > _MANY else ""
    return _TEXT.substitute(known_on=ASKED_FROM, arrived_on=LOADED_ON, more=more)


def _write(folder: Path, drawn: Drawn, rng: np.random.Generator) -> None:
    """Places, results and polls as files, and what is true of each place."""
    n_places = int(drawn.world.place.max()) + 1
    region = np.zeros(n_places, np.int64)
    region[drawn.world.place] = drawn.world.region
    ahead = drawn.world.p_control
    votes = _sums(drawn, ahead, n_places)
    ours = _sums(drawn, ahead * drawn.politics.p_support, n_places)
    results = _results(drawn, region, n_places, rng)
    polls = _polls(region, votes, ours, results[_GENERALS[-1]], rng)
    for name, columns in (
        (PLACES, _place_columns(region, drawn)),
        (RESULTS, _result_columns(results)),
        (POLLS, polls),
    ):
        (folder / name).write_bytes(files.as_bytes(columns, ",", files.lines(columns, ",")))
    truth = {
        "place_id": files.places("P", np.arange(n_places)),
        "votes": votes,
        "share": ours / np.maximum(votes, 1),
    }
    pq.write_table(pa.table(truth), folder / TRUTH, compression="zstd")


def _place_columns(region: NDArray[np.int64], drawn: Drawn) -> dict[str, pa.Array]:
    """The state, then the regions, then the precincts; as many votes are expected as at the primary before."""
    like = drawn.world.votes[:, _PRIMARY].astype(float)
    expected = np.maximum(_sums(drawn, like, region.size), 2)
    n_regions, precincts = int(region.max()) + 1, np.arange(region.size)
    regions = files.places("R", np.arange(n_regions))
    of_precinct = regions.take(pa.array(region))
    own = files.places("P", precincts)
    names = [f"Region {i + 1}" for i in range(n_regions)] + [f"Precinct {i + 1}" for i in precincts]
    return {
        "place": pa.concat_arrays([pa.array([STATE]), regions, own]),
        "parent": pa.concat_arrays([pa.array([""]), pa.array([STATE] * n_regions), of_precinct]),
        "name": pa.array(["Simulated state", *names]),
        "region": pa.concat_arrays([pa.array([""]), regions, of_precinct]),
        "votes": pa.concat_arrays([pa.array([""] * (n_regions + 1)), _whole(expected)]),
    }


def _results(
    drawn: Drawn, region: NDArray[np.int64], n_places: int, rng: np.random.Generator
) -> dict[int, tuple[Floats, Floats]]:
    """By general election: votes for each choice in each precinct, of those who voted in it."""
    found = {}
    for column in _GENERALS:
        voters = drawn.world.votes[:, column].astype(float)
        cast = _sums(drawn, voters, n_places)
        ours = _sums(drawn, voters * drawn.politics.p_support, n_places)
        swing = _SWING * rng.standard_normal() + _PRECINCT_SWING * rng.standard_normal(n_places)
        swing += _REGION_SWING * rng.standard_normal(int(region.max()) + 1)[region]
        share = _shifted((ours + 0.5) / (cast + 1), swing)
        # a result of nobody says nothing: every precinct has one vote for each
        a = np.maximum(rng.binomial(cast.astype(np.int64), share), 1).astype(float)
        found[column] = (a, np.maximum(cast - a, 1))
    return found


def _result_columns(results: dict[int, tuple[Floats, Floats]]) -> dict[str, pa.Array]:
    rows = [(PAST[column].day.year, a, b) for column, (a, b) in results.items()]
    n = rows[0][1].size
    return {
        "year": _whole(np.repeat([year for year, _, _ in rows], n)),
        "precinct": pa.concat_arrays([files.places("P", np.arange(n))] * len(rows)),
        "a": _whole(np.concatenate([a for _, a, _ in rows])),
        "b": _whole(np.concatenate([b for _, _, b in rows])),
    }


def _polls(
    region: NDArray[np.int64],
    votes: Floats,
    ours: Floats,
    before: tuple[Floats, Floats],
    rng: np.random.Generator,
) -> dict[str, pa.Array]:
    """Polls of likely voters: the state's, those of its largest regions, and the last ones of the election before."""
    cast, by_region = np.bincount(region, votes), np.bincount(region, ours)
    largest = np.argsort(-cast, kind="stable")[:_REGIONS_POLLED]
    state = [(STATE, float(ours.sum() / votes.sum()))]
    regions: list[Polled] = [(f"R{i + 1:04d}", float(by_region[i] / cast[i])) for i in largest.tolist()]
    earlier = [(STATE, float(before[0].sum() / (before[0] + before[1]).sum()))]
    last = PAST[_GENERALS[-1]].day
    polled = [(where, share, AS_OF, 90) for where, share in state * _STATE_POLLS]
    polled += [(where, share, AS_OF, 40) for where, share in regions * 2]
    polled += [(where, share, last, 21) for where, share in earlier * _EARLIER_POLLS]
    houses = _HOUSE * rng.standard_normal(len(_HOUSES))
    rows = [_poll(where, share, before_day, days, houses, rng) for where, share, before_day, days in polled]
    columns = list(zip(*rows, strict=True))
    names = ("year", "place", "pollster", "starts", "ends", "asked", "a", "b")
    told = dict(zip(names, (pa.array([str(value) for value in one]) for one in columns), strict=True))
    return told | {"population": pa.array(["lv"] * len(rows))}


def _poll(
    place: str, share: float, before: datetime.date, days: int, houses: Floats, rng: np.random.Generator
) -> tuple[int, str, str, datetime.date, datetime.date, int, float, float]:
    """One poll that ended within some days before a day; answers are told in points with one decimal."""
    house, asked = int(rng.integers(houses.size)), int(rng.integers(5, 13)) * 100
    ends = before - datetime.timedelta(days=int(rng.integers(1, days)))
    decided = int(rng.binomial(asked, 1 - _UNDECIDED))
    said = _shifted(np.array([share]), np.array([houses[house] + _WAVE * rng.standard_normal()]))[0]
    ours = int(rng.binomial(decided, said))
    a, b = (round(100 * count / asked, 1) for count in (ours, decided - ours))
    starts = ends - datetime.timedelta(days=int(rng.integers(1, 4)))
    return before.year, place, _HOUSES[house], starts, ends, asked, a, b


def _sums(drawn: Drawn, values: Floats, n_places: int) -> Floats:
    """Sums over the people of each precinct."""
    return np.asarray(np.bincount(drawn.world.place, values, n_places), np.float64)


def _whole(numbers: NDArray[np.generic]) -> pa.Array:
    return pc.cast(pa.array(numbers.astype(np.int64)), pa.string())


def _shifted(share: Floats, by: Floats) -> Floats:
    """Shares moved by some log-odds."""
    return np.asarray(1 / (1 + (1 / share - 1) * np.exp(-by)), np.float64)


RACE = Part((PLACES, RESULTS, POLLS, TRUTH), _write, _declare)
"""A race for governor that A and B stand in."""
