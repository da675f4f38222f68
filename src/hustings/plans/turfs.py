"""Doors, less those who have voted ─► turfs of equal work, each in the order in which it is walked."""

from __future__ import annotations

import datetime
from typing import Annotated, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from hustings import stats
from hustings.errors import DesignError
from hustings.plans.doors import Doors, Floats, Integers, doors, to_knock_at
from hustings.stage import About, Result, Table, stage

_DRAWS = 400


class Work(NamedTuple):
    """What a door costs, and how much of it is a turf.

    Attributes:
        capacity: Of one turf: doors, or minutes.
        by_minutes: Whether the capacity is in minutes.
        at_door: Minutes at each door.
        per_minute: Metres walked in a minute.
        gap: Metres without a door that part two neighbourhoods.
        fewest: Doors below which a turf is not worth the way.
        tolerance: Share of the capacity by which a turf may differ.
    """

    capacity: float
    by_minutes: bool
    at_door: Floats
    per_minute: float
    gap: float
    fewest: int
    tolerance: float


@stage(writes=("turfs", "turf_doors", "turf_options"), section="turfs", each="turf_set")
def cut_into_turfs(
    people: Table,
    people_private: Table,
    contact_plan: Table | None,
    holdout: Table | None,
    opt_outs: Table,
    identities: Table,
    events: Table,
    *,
    turf_set: str,
    plan_id: Annotated[
        str | None,
        About("A `[contact_plan.…]` section: only its people, control left out; everyone unless given."),
    ] = None,
    doors_per_turf: Annotated[int, About("Doors of one turf at most.", gt=0)] = 50,
    minutes_per_turf: Annotated[
        float | None, About("Work of one turf in minutes, instead of a number of doors.", gt=0)
    ] = None,
    minutes_per_door: Annotated[float, About("At a door, found or not.", gt=0)] = 2.5,
    minutes_per_person: Annotated[float, About("For each further person behind a door.", ge=0)] = 0.5,
    meters_per_minute: Annotated[float, About("Walked between doors, as the crow flies.", gt=0)] = 60.0,
    gap_meters: Annotated[float, About("A stretch without doors that nobody walks across.", gt=0)] = 1_500.0,
    fewest_doors: Annotated[int, About("Fewer doors than this are no turf.", ge=1)] = 5,
    tolerance: Annotated[float, About("Share by which a turf's work may differ.", ge=0, le=0.5)] = 0.2,
    election_day: Annotated[datetime.date, About("Whoever has voted by now is not looked for.")],
    as_of: Annotated[datetime.date, About("Ballots known before this day count.")],
    rng: np.random.Generator,
) -> Result:
    """Turfs, the people behind their doors, and the same doors cut by rules of thumb."""
    wanted = to_knock_at(people, opt_outs, identities, events, election_day=election_day, as_of=as_of)
    for table in (contact_plan, holdout):
        if table is not None:
            control = table.filter(table.held_out).select("household_id").distinct()
            wanted = wanted.anti_join(control, "household_id")
    if plan_id is not None:
        wanted = wanted.semi_join(_of_plan(contact_plan, plan_id, turf_set), "person_id")
    found = doors(wanted, people_private)
    at_door = minutes_per_door + minutes_per_person * np.maximum(found.n_people - 1, 0)
    capacity = float(minutes_per_turf or doors_per_turf)
    work = Work(
        capacity,
        minutes_per_turf is not None,
        at_door,
        meters_per_minute,
        gap_meters,
        fewest_doors,
        tolerance,
    )
    cut = _cut(found, work)
    return {
        "turfs": _turf_rows(turf_set, found, work, cut, as_of),
        "turf_doors": _door_rows(turf_set, found, cut, fewest_doors),
        "turf_options": _option_rows(turf_set, found, work, cut, rng),
    }


class Cut(NamedTuple):
    """Doors in turfs.

    Attributes:
        turf: (d,) turfs from 0; -1 where there is none.
        place: (d,) place in the walk, from 0.
        label: (T,) ids of the turfs.
        point: (d, 2) metres; NaN without coordinates.
        by_map: (d,) whether the door was placed by coordinates.
        reason: (d,) why there is no turf, or None.
    """

    turf: Integers
    place: Integers
    label: list[str]
    point: Floats
    by_map: npt.NDArray[np.bool_]
    reason: npt.NDArray[Any]


def _of_plan(contact_plan: Table | None, plan_id: str, turf_set: str) -> Any:
    if contact_plan is None:
        raise DesignError.of(f"[turfs.{turf_set}] plan_id needs a contact plan", received=plan_id)
    rows = contact_plan.filter((contact_plan.plan_id == plan_id) & ~contact_plan.held_out)
    return rows.select("person_id")


def _cut(found: Doors, work: Work) -> Cut:
    """By coordinates where there are some, by street where there is one, and otherwise not at all."""
    n = len(found.household)
    turf, place, reason = np.full(n, -1), np.zeros(n, np.int64), np.full(n, None, object)
    point = np.full((n, 2), np.nan)
    on_map = np.flatnonzero(found.located)
    by_street = np.flatnonzero(~found.located & (found.street >= 0))
    reason[~found.located & (found.street < 0)] = "no address and no coordinates"
    if on_map.size:
        point[on_map] = stats.turfs.plane(
            found.latitude[on_map], found.longitude[on_map], found.region[on_map]
        )
        load = _load(work, on_map, point[on_map])
        turf[on_map] = stats.turfs.cut_turfs(
            point[on_map], load, work.capacity, group=found.region[on_map], gap=work.gap
        )
        place[on_map] = stats.walks.walking_order(point[on_map], turf[on_map])
    if by_street.size:
        load = work.at_door[by_street] if work.by_minutes else np.ones(by_street.size)
        turf[by_street], place[by_street] = stats.turfs.cut_streets(
            found.precinct[by_street],
            found.street[by_street],
            found.number[by_street],
            load,
            work.capacity,
            tolerance=work.tolerance,
        )
        turf[by_street] += turf.max(initial=-1, where=found.located) + 1
    few = np.bincount(turf[turf >= 0], minlength=1)[np.maximum(turf, 0)] < work.fewest
    few &= turf >= 0
    # A campaign of a handful of doors has one turf all the same.
    few &= len(np.unique(turf[turf >= 0])) > 1
    reason[few] = f"fewer than {work.fewest} doors nearby: call or write instead"
    turf[few] = -1
    kept, turf[turf >= 0] = np.unique(turf[turf >= 0], return_inverse=True)
    return Cut(turf, place, _labels(found, turf, kept.size), point, found.located, reason)


def _load(work: Work, chosen: Integers, point: Floats) -> Floats:
    """Work of each door: 1, or its minutes with those of the way to it."""
    if not work.by_minutes:
        return np.ones(chosen.size)
    way = stats.turfs.WALK_FACTOR * stats.turfs.nearest_door(point, work.gap) / work.per_minute
    return work.at_door[chosen] + way


def _labels(found: Doors, turf: Integers, n_turfs: int) -> list[str]:
    """`R0001-012`: the region, and the turf's number there."""
    region = np.zeros(n_turfs, np.int64)
    inside = turf >= 0
    region[turf[inside]] = found.region[inside]
    order = np.argsort(region, kind="stable")
    size = np.bincount(region)
    number = np.empty(n_turfs, np.int64)
    number[order] = np.arange(n_turfs) - (np.cumsum(size) - size)[region[order]] + 1
    return [f"{found.regions[r]}-{k:03d}" for r, k in zip(region, number, strict=True)]


class Measured(NamedTuple):
    """What turfs are like; all (T,)."""

    doors: Integers
    meters: Floats
    minutes: Floats
    radius: Floats


def _measured(turf: Integers, place: Integers, point: Floats, at_door: Floats, per_minute: float) -> Measured:
    """Of turfs from 0, every door in one; metres are NaN where a door has no coordinates."""
    meters = stats.walks.walk_length(point, turf, place)
    minutes = np.bincount(turf, weights=at_door) + np.nan_to_num(meters) / per_minute
    return Measured(np.bincount(turf), meters, minutes, stats.turfs.radius(point, turf))


def _turf_rows(turf_set: str, found: Doors, work: Work, cut: Cut, as_of: datetime.date) -> dict[str, Any]:
    inside = np.flatnonzero(cut.turf >= 0)
    turf, n = cut.turf[inside], len(cut.label)
    if not n:
        names = ("turf_set", "turf_id", "region_id", "method", "n_doors", "n_people", "walk_meters")
        return {name: [] for name in (*names, "minutes", "radius_meters", "latitude", "longitude", "as_of")}
    like = _measured(turf, cut.place[inside], cut.point[inside], work.at_door[inside], work.per_minute)
    first = inside[np.unique(turf, return_index=True)[1]]
    size = np.bincount(turf)
    return {
        "turf_set": [turf_set] * n,
        "turf_id": cut.label,
        "region_id": [found.regions[code] for code in found.region[first]],
        "method": np.where(cut.by_map[first], "coordinates", "streets").tolist(),
        "n_doors": size,
        "n_people": np.bincount(turf, weights=found.n_people[inside]).astype(np.int64),
        "walk_meters": like.meters,
        "minutes": like.minutes,
        "radius_meters": like.radius,
        "latitude": np.bincount(turf, weights=found.latitude[inside]) / size,
        "longitude": np.bincount(turf, weights=found.longitude[inside]) / size,
        "as_of": [as_of] * n,
    }


def _door_rows(turf_set: str, found: Doors, cut: Cut, fewest: int) -> dict[str, Any]:
    labels = np.array([*cut.label, None], object)
    # Doors that lost their turf leave no hole in a walk: places count again within each turf.
    order = np.lexsort((cut.place, cut.turf))
    in_order = cut.turf[order]
    starts = np.searchsorted(in_order, in_order)
    door = np.empty(len(order), np.int64)
    door[order] = np.arange(len(order)) - starts + 1
    turf = cut.turf[found.door]
    return {
        "turf_set": [turf_set] * len(turf),
        "person_id": found.person_id,
        "household_id": found.household[found.door] if len(turf) else [],
        "turf_id": labels[turf],
        "door": np.where(turf >= 0, door[found.door], np.nan) if len(turf) else [],
        "reason": cut.reason[found.door] if len(turf) else [],
    }


def _option_rows(
    turf_set: str, found: Doors, work: Work, cut: Cut, rng: np.random.Generator
) -> dict[str, list[Any]]:
    """The plan and the rules of thumb, on the doors that the plan has put on the map."""
    inside = np.flatnonzero((cut.turf >= 0) & cut.by_map)
    if not inside.size:
        return _options([_empty(turf_set, "no door has coordinates")])
    point, at_door = cut.point[inside], work.at_door[inside]
    load = _load(work, inside, point)
    numbered = stats.turfs.cut_streets(
        found.precinct[inside], found.street[inside], found.number[inside], load, work.capacity,
        tolerance=work.tolerance,
    )  # fmt: skip
    in_file = stats.turfs.cut_streets(
        found.precinct[inside],
        np.zeros(inside.size),
        2 * found.listed[inside] + 1,
        load,
        work.capacity,
        tolerance=0,
    )
    precinct = np.unique(found.precinct[inside], return_inverse=True)[1]
    whole = np.lexsort((numbered[1], numbered[0], precinct))
    along = np.empty(inside.size, np.int64)
    along[whole] = np.arange(inside.size)
    plan = np.unique(cut.turf[inside], return_inverse=True)[1]
    ways = (
        ("plan", "equal work, compact, in the order that is walked", plan, cut.place[inside]),
        ("street order", "each precinct's streets in order, cut into equal runs", *numbered),
        ("file order", "each precinct in the order of the file, cut into equal runs", *in_file),
        ("one precinct one turf", "each precinct is one turf, street by street", precinct, along),
    )
    like = [_measured(turf, place, point, at_door, work.per_minute) for _, _, turf, place in ways]
    rows = []
    for (name, about, _, _), one in zip(ways, like, strict=True):
        saved = None if name == "plan" else float(one.minutes.sum() - like[0].minutes.sum())
        rows.append(_option(turf_set, name, about, one, work, rng) | {"saved_minutes": saved})
    return _options(rows)


def _option(
    turf_set: str, name: str, about: str, like: Measured, work: Work, rng: np.random.Generator
) -> dict[str, Any]:
    n = like.doors.size
    drawn = rng.multinomial(n, np.full(n, 1 / n), size=_DRAWS) if n * _DRAWS <= 2e7 else None
    low = high = None
    if drawn is not None:
        ratio = (drawn @ like.meters) / (drawn @ like.doors)
        low, high = (float(end) for end in np.quantile(ratio, [0.025, 0.975]))
    own = like.minutes if work.by_minutes else like.doors
    return {
        "turf_set": turf_set,
        "option": name,
        "about": about,
        "n_turfs": n,
        "n_doors": int(like.doors.sum()),
        "mean_minutes": float(like.minutes.mean()),
        "spread_minutes": float(like.minutes.std()),
        "longest_minutes": float(like.minutes.max()),
        "share_within": float((own <= (1 + work.tolerance) * work.capacity + 1e-9).mean()),
        "meters_per_door": float(like.meters.sum() / like.doors.sum()),
        "meters_low": low,
        "meters_high": high,
        "radius_meters": float(np.sqrt((like.doors * like.radius**2).sum() / like.doors.sum())),
        "reason": None,
    }


def _empty(turf_set: str, reason: str) -> dict[str, Any]:
    names = ("n_turfs", "n_doors", "mean_minutes", "spread_minutes", "longest_minutes", "share_within")
    more = ("meters_per_door", "meters_low", "meters_high", "radius_meters", "saved_minutes")
    head = {
        "turf_set": turf_set,
        "option": "plan",
        "about": "equal work, compact, in the order that is walked",
    }
    return head | dict.fromkeys((*names, *more)) | {"reason": reason}


def _options(rows: list[dict[str, Any]]) -> dict[str, list[Any]]:
    return {name: [row[name] for row in rows] for name in rows[0]}
