"""The table `polls` ─► the polls of this election, each with the reason why it is not used, as arrays."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hustings import stats
from hustings.forecast.tree import Tree
from hustings.stats.polls import Polls

Row = Mapping[str, Any]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Poll:
    """One poll in one place.

    Attributes:
        source: Where it was read.
        poll_id: Its id there.
        place_id: Where it was taken.
        pollster: Who asked; empty where nobody is named.
        starts_on: First day of field work.
        ends_on: Last day.
        n_asked: How many were asked.
        mode: How they were asked; empty where it is not known.
        population: Who was asked; empty where it is not known.
        percents: Of 100, by choice.
        reason: Why the forecast cannot use it, or an empty text.
    """

    source: str
    poll_id: str
    place_id: str
    pollster: str
    starts_on: datetime.date
    ends_on: datetime.date
    n_asked: int
    mode: str
    population: str
    percents: Mapping[str, float]
    reason: str = ""

    def share(self, choice: str, rival: str) -> float:
        """A choice's share of those who chose it or the rival."""
        ours, theirs = self.percents[choice], self.percents[rival]
        return ours / (ours + theirs)


def gather(
    rows: Iterable[Row],
    places: Sequence[str],
    year: int,
    choices: Sequence[str],
    election_day: datetime.date,
) -> list[Poll]:
    """The polls of one election, the latest first, with the reasons that have nothing to do with the day.

    Args:
        rows: Rows of `polls`.
        places: Every place of the tree.
        year: The year of the election.
        choices: Ours and the rivals.
        election_day: The day that decides.

    Returns:
        The polls.

    >>> row = {"source": "s", "poll_id": "1", "place_id": "OH", "year": 2016, "n_asked": 500, "percent": 45.0}
    >>> row |= {"ends_on": datetime.date(2016, 11, 1), "choice": "dem"}
    >>> gather([row], ["OH"], 2016, ["dem", "rep"], datetime.date(2016, 11, 8))[0].reason
    'it has no answer for rep'
    """
    found: dict[tuple[str, str, str], dict[str, Any]] = {}
    for row in rows:
        if row["year"] == year:
            key = str(row["source"]), str(row["poll_id"]), str(row["place_id"])
            found.setdefault(key, {**row, "percents": {}})["percents"][row["choice"]] = float(row["percent"])
    known = set(places)
    polls = [_poll(row, known, choices, election_day) for row in found.values()]
    polls.sort(key=lambda p: (p.ends_on, p.starts_on, p.source, p.poll_id, p.place_id), reverse=True)
    seen: set[tuple[Any, ...]] = set()
    kept = []
    for poll in polls:
        same = (
            poll.pollster, poll.place_id, poll.starts_on, poll.ends_on, poll.n_asked, poll.mode,
            poll.population, tuple(sorted(poll.percents.items())),
        )  # fmt: skip
        kept.append(
            replace(poll, reason="the same poll stands twice") if same in seen and not poll.reason else poll
        )
        seen.add(same)
    return kept


def _poll(row: Row, known: set[str], choices: Sequence[str], election_day: datetime.date) -> Poll:
    poll = Poll(
        str(row["source"]),
        str(row["poll_id"]),
        str(row["place_id"]),
        str(row.get("pollster") or ""),
        row.get("starts_on") or row["ends_on"],
        row["ends_on"],
        int(row["n_asked"]),
        str(row.get("mode") or ""),
        str(row.get("population") or ""),
        row["percents"],
    )
    lacking = [choice for choice in choices if choice not in poll.percents]
    reasons = (
        (poll.place_id not in known, f"{poll.place_id} is in no tree of places"),
        (bool(lacking), f"it has no answer for {', '.join(lacking)}"),
        (
            not lacking and not all(poll.percents[choice] > 0 for choice in choices),
            "nobody chose one of the choices",
        ),
        (poll.ends_on >= election_day, "it ended on election day or after"),
    )
    return replace(poll, reason=next((text for wrong, text in reasons if wrong), ""))


def as_known(polls: Sequence[Poll], morning: datetime.date) -> list[Poll]:
    """The same polls as they may be used on one morning: with the reasons that the day gives.

    Of one pollster's waves in one place that overlap, the latest that had ended counts.

    Args:
        polls: From `gather`, the latest first.
        morning: A poll counts that ended before this day.

    Returns:
        The polls in the same order.

    >>> day = datetime.date
    >>> waves = [Poll("s", str(d), "US", "A", day(2016, 11, d - 3), day(2016, 11, d), 900, "", "", {}) for d in (5, 4)]
    >>> [poll.reason for poll in as_known(waves, day(2016, 11, 7))]
    ['', 'a later wave of the same pollster overlaps it']
    """
    first: dict[tuple[str, str], datetime.date] = {}
    found = []
    for poll in polls:
        reason, key = poll.reason, (poll.pollster, poll.place_id)
        if not reason and poll.ends_on >= morning:
            reason = "it had not ended"
        if not reason and poll.pollster:
            if key in first and poll.ends_on >= first[key]:
                reason = "a later wave of the same pollster overlaps it"
            else:
                first[key] = poll.starts_on
        found.append(replace(poll, reason=reason))
    return found


def as_arrays(
    polls: Sequence[Poll],
    tree: Tree,
    votes: NDArray[np.float64],
    expected: NDArray[np.float64],
    choices: tuple[str, str],
    election_day: datetime.date,
) -> tuple[Polls, Integers]:
    """What `stats.polls` reads.

    A poll of a place that others are part of, but not of the whole, is read as one of each of its leaves: moved by
    what the leaf is expected to differ, its answers divided among them by their votes.

    Args:
        polls: Polls that are used.
        tree: The places.
        votes: (p,) votes expected in each leaf.
        expected: (p,) logit of our share there, without polls.
        choices: Ours and the rival.
        election_day: The day that decides.

    Returns:
        The arrays, and for each entry the number of its poll.
    """
    entries: list[tuple[int, int, float, float]] = []
    number = {place: i for i, place in enumerate(tree.ids)}
    for i, poll in enumerate(polls):
        place, share = number[poll.place_id], poll.share(*choices)
        size = poll.n_asked * min(sum(poll.percents[c] for c in choices), 100.0) / 100
        if place == tree.root and tree.n_leaves > 1:
            entries.append((i, stats.polls.WHOLE, share, size))
        elif place < tree.n_leaves:
            entries.append((i, place, share, size))
        else:
            entries += _divided(i, share, size, tree.below(place), votes, expected)
    read, place_codes, shares, sizes = (
        (list(column) for column in zip(*entries, strict=True)) if entries else ([],) * 4
    )
    chosen = [polls[i] for i in read]
    middle = [(election_day - p.starts_on).days / 2 + (election_day - p.ends_on).days / 2 for p in chosen]
    houses = _codes([p.pollster or f"{p.source} {p.poll_id}" for p in chosen])
    return Polls(
        np.array(place_codes, dtype=np.int64),
        np.array(shares, dtype=np.float64),
        np.array(sizes, dtype=np.float64),
        np.array(middle, dtype=np.float64),
        np.maximum(houses, 0),
        _codes([p.mode for p in chosen]),
        _codes([p.population for p in chosen]),
    ), np.array(read, dtype=np.int64)


def _divided(
    poll: int,
    share: float,
    size: float,
    below: NDArray[np.float64],
    votes: NDArray[np.float64],
    expected: NDArray[np.float64],
) -> list[tuple[int, int, float, float]]:
    leaves = np.flatnonzero(below)
    weights = votes[leaves] / votes[leaves].sum()
    together = float(weights @ (1 / (1 + np.exp(-expected[leaves]))))
    shift = expected[leaves] - np.log(together / (1 - together)) + np.log(share / (1 - share))
    shares = 1 / (1 + np.exp(-shift))
    return [
        (poll, int(i), float(s), float(size * w)) for i, s, w in zip(leaves, shares, weights, strict=True)
    ]


def _codes(texts: Sequence[str]) -> Integers:
    levels = {text: code for code, text in enumerate(sorted(set(texts) - {""}))}
    return np.array([levels.get(text, -1) for text in texts], dtype=np.int64)
