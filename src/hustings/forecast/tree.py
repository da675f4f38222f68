"""The table `places` ─► a tree, and the race that a rule makes of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hustings import stats
from hustings.errors import SettingError, TableError
from hustings.stats.proportional import Divisors
from hustings.stats.races import IN_DISTRICTS, FloatArray, Race, Rule

Row = Mapping[str, Any]


class Tree(NamedTuple):
    """Places and what they are part of; the leaves are where votes are cast.

    Attributes:
        ids: Every place, the leaves first.
        parents: The number of the place that each is part of; -1 for the whole.
        names: What people call them.
        seats: Electors or seats of each; 0 where it gives none.
        votes: Votes given for the leaves; NaN where the table does not say.
        regions: The region of each; empty where none is given.
        n_leaves: How many of them are leaves.
    """

    ids: tuple[str, ...]
    parents: tuple[int, ...]
    names: tuple[str, ...]
    seats: FloatArray
    votes: FloatArray
    regions: tuple[str, ...]
    n_leaves: int

    @property
    def leaves(self) -> tuple[str, ...]:
        """The places that nothing else is part of."""
        return self.ids[: self.n_leaves]

    @property
    def root(self) -> int:
        """The number of the whole."""
        return self.parents.index(-1)

    def below(self, place: int) -> FloatArray:
        """(p,) 1 for each leaf of a place, itself where it is a leaf."""
        found = np.zeros(self.n_leaves)
        for leaf in range(self.n_leaves):
            at = leaf
            while at not in (-1, place):
                at = self.parents[at]
            found[leaf] = at == place
        return found


class Contests(NamedTuple):
    """A race with the places that its contests are.

    Attributes:
        race: The race over the leaves it is about.
        places: (c,) numbers of the contests' places in the tree.
        leaves: (p,) numbers of the leaves that vote in it.
        whole: The contest that is the whole race's vote.
    """

    race: Race
    places: tuple[int, ...]
    leaves: NDArray[np.int64]
    whole: int


def plant(rows: Iterable[Row]) -> Tree:
    """The tree of the table `places`.

    A place that others are part of and that has no row of its own is one all the same.

    Args:
        rows: Rows of `places`.

    Returns:
        The tree.

    Raises:
        TableError: There is no place, no whole that all are part of, or places are part of each other.

    >>> rows = [{"place_id": p, "parent_id": "US", "seats": 3, "votes": 10} for p in ("OH", "PA")]
    >>> tree = plant(rows)
    >>> tree.ids, tree.parents, tree.below(2)
    (('OH', 'PA', 'US'), (2, 2, -1), array([1., 1.]))
    """
    known: dict[str, dict[str, Any]] = {}
    for row in rows:
        told = known.setdefault(str(row["place_id"]), {})
        told.update({k: v for k, v in row.items() if v is not None and told.get(k) is None})
    if not known:
        raise TableError.of(
            "There are no places", allowed="a source with a block `places`", then="hustings explain places"
        )
    for parent in [told.get("parent_id") for told in known.values()]:
        if parent is not None:
            known.setdefault(str(parent), {})
    inner = {told["parent_id"] for told in known.values() if told.get("parent_id") is not None}
    ids = [p for p in sorted(known) if p not in inner] + [p for p in sorted(known) if p in inner]
    number = {place: i for i, place in enumerate(ids)}
    parents = [number.get(str(known[p].get("parent_id")), -1) for p in ids]
    _check_tree(ids, parents)
    rows_of = [known[p] for p in ids]
    return Tree(
        tuple(ids),
        tuple(parents),
        tuple(str(t.get("name") or p) for p, t in zip(ids, rows_of, strict=True)),
        np.array([t.get("seats") or 0.0 for t in rows_of], dtype=np.float64),
        np.array([np.nan if t.get("votes") is None else t["votes"] for t in rows_of], dtype=np.float64),
        tuple(str(t.get("region") or "") for t in rows_of),
        len(ids) - len(inner),
    )


def _check_tree(ids: Sequence[str], parents: Sequence[int]) -> None:
    roots = [place for place, parent in zip(ids, parents, strict=True) if parent < 0]
    for place in range(len(ids)):
        at, steps = place, 0
        while at >= 0 and steps <= len(ids):
            at, steps = parents[at], steps + 1
        if at >= 0:
            raise TableError.of(
                "Places are part of each other in a circle", received=ids[place], allowed="a tree"
            )
    if len(roots) > 1:
        raise TableError.of(
            "Places are in no one tree",
            received=", ".join(roots[:5]) + (", …" if len(roots) > 5 else ""),
            allowed="one place that all others are part of",
            then="give them a parent_id in campaign.toml",
        )


def contests_of(
    tree: Tree,
    votes: FloatArray,
    rule: Rule,
    *,
    place: str | None = None,
    needed: float | None = None,
    threshold: float | None = None,
    divisors: Divisors = "d_hondt",
) -> Contests:
    """The race for a place by a rule: who votes in it, which contests decide, and the vote of the whole.

    Args:
        tree: The places.
        votes: (p,) votes expected in each leaf.
        rule: The winner's rule.
        place: The place whose race it is; the whole unless given.
        needed: Seats that win; more than half unless given.
        threshold: Share that wins; for `proportional` the share from which a party gets seats.
        divisors: For `proportional`, how seats are divided.

    Returns:
        The race.

    Raises:
        SettingError: There is no such place, or none with seats in it.
    """
    if place is not None and place not in tree.ids:
        raise SettingError.unknown(
            "[races] within: there is no place", place, tree.ids, "hustings show places"
        )
    top = tree.root if place is None else tree.ids.index(place)
    inside = tree.below(top)
    leaves = np.flatnonzero(inside)
    placed = []
    if rule in IN_DISTRICTS or needed is not None:
        below = [(i, tree.below(i)) for i in range(len(tree.ids)) if tree.seats[i] > 0 and i != top]
        placed = [(i, member) for i, member in below if member[leaves].any() and not (member > inside).any()]
        if not placed:
            raise SettingError.of(
                f"[races] rule = {rule!r} needs places with seats",
                received="none",
                allowed="`seats` in a block `places`",
                then="hustings explain places",
            )
    members = np.array([member[leaves] for _, member in placed]).reshape(-1, leaves.size)
    cast = votes[leaves]
    if rule in IN_DISTRICTS:
        # The whole votes too, for no seat: its share is the popular vote.
        seats = np.append(tree.seats[[i for i, _ in placed]], 0.0)
        enough = np.floor(seats.sum() / 2) + 1 if needed is None else needed
        race = stats.races.make_race(
            rule,
            cast,
            members=np.vstack([members, np.ones(leaves.size)]),
            seats=seats,
            needed=float(enough),
            threshold=threshold if rule == "proportional" else None,
            divisors=divisors,
        )
    else:
        given = tree.seats[[i for i, _ in placed]] if placed else None
        race = stats.races.make_race(
            rule, cast, members=members if placed else None, seats=given, needed=needed, threshold=threshold
        )
    return Contests(race, (*(i for i, _ in placed), top), leaves, len(placed))
