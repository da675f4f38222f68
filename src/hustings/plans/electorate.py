"""People and their scores ─► what full exposure would move in each, and for whom a viewer stands."""

from __future__ import annotations

import datetime
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from hustings.errors import DesignError
from hustings.plans.worth import worth_of
from hustings.stage import Table
from hustings.warehouse import arrays, codes

Floats = npt.NDArray[np.float64]
_OLDEST = 120


class Electorate(NamedTuple):
    """Our people; all (n,).

    Attributes:
        person_id: Who.
        sex: As in `people`, None where not known.
        party: As in `people`.
        region_id: As in `people`.
        place_id: As in `people`.
        age: Years, 0 where not known.
        moved: Net votes on the day of exposure, for one point of effect.
        worth: What a net vote is worth where the person is, in the campaign's aim.
        is_target: Whether among those who are worth most.
        worth_error: Relative error of `worth`, the mean of all by what they gain.
    """

    person_id: npt.NDArray[Any]
    sex: npt.NDArray[Any]
    party: npt.NDArray[Any]
    region_id: npt.NDArray[Any]
    place_id: npt.NDArray[Any]
    age: npt.NDArray[np.int64]
    moved: Floats
    worth: Floats
    is_target: npt.NDArray[np.bool_]
    worth_error: float = 0.0


class Stands(NamedTuple):
    """For whom each viewer stands; all (m,).

    Attributes:
        people: Of ours.
        moved: Mean of `moved` among them.
        worth: Mean of `moved` times `worth`.
        targets: Of ours who are targets.
        cell: Viewers with one key have one number.
    """

    people: Floats
    moved: Floats
    worth: Floats
    targets: Floats
    cell: npt.NDArray[np.int64]


def electorate(
    people: Table,
    scores: Table,
    vote_values: Table,
    places: Table,
    *,
    support: str,
    turnout: str,
    target_share: float,
    aim: str,
    race: str,
    as_of: datetime.date,
) -> Electorate:
    """Each person's share in the effect: whether they will vote, and how near their choice is to one half.

    One shift on the scale of log-odds moves p (1 - p) of it in probability: most for those in the middle. The mean
    over people who will vote is one point for one point of effect. Without a score everyone counts alike.

    Returns:
        Everyone.

    Raises:
        DesignError: There are no people.
    """
    found = arrays(
        people.order_by("person_id"), "person_id", "sex", "party", "region_id", "place_id", "born_on"
    )
    n = len(found["person_id"])
    if not n:
        raise DesignError.of("There are no people to be shown anything", then="hustings show people")
    t = _score(scores, turnout, as_of, found["person_id"])
    s = _score(scores, support, as_of, found["person_id"])
    near = np.ones(n) if s is None else s * (1 - s)
    votes = np.ones(n) if t is None else t
    near = near / max(float(votes @ near / votes.sum()), 1e-12)
    moved = 0.01 * votes * near
    value, error = worth_of(found["place_id"], vote_values, places, aim=aim, race=race)
    gained = moved * value
    total = float(gained.sum())
    least = np.quantile(gained, 1 - target_share)
    born = found["born_on"].astype("datetime64[D]")
    years = (np.datetime64(as_of, "D") - born).astype("timedelta64[D]").astype(np.float64) / 365.25
    age = np.clip(np.nan_to_num(np.where(np.isnat(born), 0.0, years)), 0, _OLDEST).astype(np.int64)
    return Electorate(
        found["person_id"], found["sex"], found["party"], found["region_id"], found["place_id"],
        age, moved, value, (gained >= least) & (gained > 0), float(moved @ error) / total if total > 0 else 0.0,
    )  # fmt: skip


def _score(scores: Table, name: str, as_of: datetime.date, person_id: npt.NDArray[Any]) -> Floats | None:
    """(n,) a score as of the day, the mean where a person has none; None where nobody has."""
    told = arrays(scores.filter((scores.score == name) & (scores.as_of == as_of)), "person_id", "value")
    if not len(told["person_id"]):
        return None
    at = codes(person_id, told["person_id"]).codes
    values = np.asarray(told["value"], np.float64)
    return np.where(at >= 0, values[at], values.mean())


def stand_for(viewers: dict[str, npt.NDArray[Any]], ours: Electorate) -> Stands:
    """For whom of our people each viewer stands: itself, or an equal part of those of its sex, age, region and party.

    Args:
        viewers: Columns of `viewers`.
        ours: Our people.

    Returns:
        Counts and means.

    Raises:
        DesignError: Viewers whose keys hold some people twice, or none at all.
    """
    m = len(viewers["viewer_id"])
    person = codes(viewers["person_id"], ours.person_id).codes
    columns = np.column_stack([np.ones(len(ours.age)), ours.moved, ours.moved * ours.worth, ours.is_target])
    sums, cell = _by_key(viewers, ours, columns)
    given = np.nan_to_num(np.asarray(viewers["n_people"], np.float64), nan=1.0)
    keyed = person < 0
    whole = np.bincount(cell[keyed], given[keyed], len(sums)) if keyed.any() else np.zeros(len(sums))
    share = np.where(keyed, given / np.maximum(whole[cell], 1e-300), 1.0)
    held = np.where(keyed[:, None], sums[cell] * share[:, None], columns[np.maximum(person, 0)])
    held[(viewers["person_id"] != None) & keyed] = 0.0  # noqa: E711 - a person who is not ours
    if held[:, 0].sum() > 1.001 * len(ours.age):
        raise DesignError.of(
            "Some people are in several groups of viewers",
            received=f"{held[:, 0].sum():,.0f} of {len(ours.age):,}",
            allowed="groups that share nobody: the same columns filled in every row",
            then="hustings explain viewers",
        )
    if m and not held[:, 0].sum():
        raise DesignError.of(
            "No viewer stands for anyone of ours",
            allowed="sex, ages, region_id and party as in the table people",
            then="hustings show people",
        )
    size = np.maximum(held[:, 0], 1e-300)
    return Stands(held[:, 0], held[:, 1] / size, held[:, 2] / size, held[:, 3], cell)


def _by_key(
    viewers: dict[str, npt.NDArray[Any]], ours: Electorate, columns: Floats
) -> tuple[Floats, npt.NDArray[np.int64]]:
    """(keys, columns) sums over the people of each distinct key, and each viewer's key."""
    axes = []
    for name in ("region_id", "sex", "party"):
        labels = codes(viewers[name]).labels
        axes.append(
            (codes(viewers[name], labels).codes, codes(getattr(ours, name), labels).codes, len(labels))
        )
    place = codes(ours.place_id, codes(viewers["region_id"]).labels).codes
    shape = tuple(n + 1 for _, _, n in axes)
    low = np.clip(np.nan_to_num(np.asarray(viewers["age_from"], np.float64), nan=0), 0, _OLDEST)
    high = np.clip(np.nan_to_num(np.asarray(viewers["age_to"], np.float64), nan=_OLDEST), 0, _OLDEST)
    total = np.zeros((*shape, _OLDEST + 1, columns.shape[1]))
    regions = [axes[0][1], np.where(place != axes[0][1], place, -1), np.full(place.size, axes[0][2])]
    for region in regions:
        inside = region >= 0
        at = np.ravel_multi_index(
            (
                region[inside],
                *(np.where(one[1] < 0, one[2], one[1])[inside] for one in axes[1:]),
                ours.age[inside],
            ),
            total.shape[:-1],
        )
        for k in range(columns.shape[1]):
            added = np.bincount(at, columns[inside, k], total[..., 0].size)
            total[..., k] += added.reshape(total.shape[:-1])
    for axis in (1, 2):
        last = [slice(None)] * total.ndim
        last[axis] = slice(-1, None)
        total[tuple(last)] = total.sum(axis=axis, keepdims=True)
    running = np.concatenate([np.zeros((*shape, 1, columns.shape[1])), np.cumsum(total, axis=3)], axis=3)
    key = np.column_stack([*(np.where(one[0] < 0, one[2], one[0]) for one in axes), low, high]).astype(
        np.int64
    )
    distinct, cell = np.unique(key, axis=0, return_inverse=True)
    area, sex, party, first, last_age = distinct.T
    sums = running[area, sex, party, last_age + 1] - running[area, sex, party, first]
    return sums, cell.reshape(-1)
