"""What a vote is worth in each place, and how far it is ─► where the candidate goes, day by day."""

from __future__ import annotations

import datetime
from typing import Annotated, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from hustings import stats
from hustings.errors import DesignError
from hustings.plans.visit_offers import no_visits, visit_offers
from hustings.stage import About, Result, Table, stage
from hustings.tables import spec
from hustings.warehouse import arrays, codes, count

Floats = npt.NDArray[np.float64]
_DRAWS = 4_000


class Stops(NamedTuple):
    """Places that may be visited; all (n,).

    Attributes:
        place_id: The places.
        name: What people call them.
        votes: Votes cast there, as far as one visit reaches.
        worth: What one net vote is worth there.
        error: Its standard error.
        close: How close the race is there: the distance of our share from one half.
        latitude: Degrees north.
        longitude: Degrees east.
    """

    place_id: npt.NDArray[Any]
    name: npt.NDArray[Any]
    votes: Floats
    worth: Floats
    error: Floats
    close: Floats
    latitude: Floats
    longitude: Floats


class Drawn(NamedTuple):
    """What days, ways and effects may be.

    Attributes:
        left: (d,) what is left on election day of what each day's visit moves.
        travel: (n + 1, n + 1) hours between home and places.
        net_votes: (draws, n) moved by a visit, on its day.
        value: (draws, n) what they are worth.
    """

    left: Floats
    travel: Floats
    net_votes: Floats
    value: Floats


@stage(writes=("visit_plan", "visit_options", "offers"), section="visits")
def plan_the_visits(
    vote_values: Table,
    forecast: Table,
    place_coordinates: Table,
    *,
    race: Annotated[
        str | None,
        About(
            "The race: a `[races.…]` section; the campaign's decisive one, or nothing is planned, unless given."
        ),
    ] = None,
    home_latitude: Annotated[
        float, About("Where each day begins and ends, degrees north.", ge=-90, le=90)
    ] = 0.0,
    home_longitude: Annotated[float, About("The same, degrees east.", ge=-180, le=180)] = 0.0,
    starts_on: Annotated[
        datetime.date | None, About("The first day of travel; that of the plan unless given.")
    ] = None,
    days: Annotated[
        int, About("Days of travel, the last not after the eve of the election.", ge=0, le=60)
    ] = 7,
    hours_per_day: Annotated[float, About("Of the candidate, travel included.", gt=0, le=24)] = 10.0,
    hours_per_visit: Annotated[float, About("In one place.", gt=0)] = 1.5,
    first_hour: Annotated[float, About("When the day begins, local time.", ge=0, le=24)] = 9.0,
    utc_offset_hours: Annotated[float, About("Local time less UTC.", ge=-12, le=14)] = -5.0,
    kilometers_per_hour: Annotated[float, About("On the road, or in the air.", gt=0)] = 80.0,
    reach_votes: Annotated[
        float, About("Votes that one visit reaches at most: those of a media market.", gt=0)
    ] = 500_000.0,
    effect_points: Annotated[
        float,
        About("Points of margin that a visit moves among them on its day; studies find 0 to 1, most near 0."),
    ] = 0.2,
    effect_error: Annotated[float, About("Standard error of that mean.", ge=0)] = 0.25,
    effect_spread: Annotated[float, About("Standard deviation of true effects between visits.", ge=0)] = 0.3,
    half_life_days: Annotated[
        float, About("Days in which half of it is gone; studies find it gone in a week.", gt=0)
    ] = 3.0,
    cents_per_visit: Annotated[
        int, About("What a visit costs beside the candidate's time: travel, hall, staff; in cents.", ge=0)
    ] = 0,
    aim: Annotated[str, About("What the visits' offer to the budget is counted in.")] = "net_votes",
    decisive_race: Annotated[str, About("The race that counts where `race` is not given.")] = "",
    election_day: Annotated[datetime.date, About("What is left on this day counts.")],
    as_of: Annotated[datetime.date, About("The day of the plan.")],
    rng: np.random.Generator,
) -> Result:
    """The visits of the plan and of the rules of thumb beside it, what each is worth, and their offer."""
    race = race or decisive_race or None
    if race is None:
        return _nothing(as_of, aim, None)
    stops, lost = _stops(vote_values, forecast, place_coordinates, race, reach_votes)
    first = starts_on or as_of
    dates = [day for i in range(days) if (day := first + datetime.timedelta(i)) < election_day]
    why = _why_nothing(stops, dates, effect_points, lost)
    if why:
        return _nothing(as_of, aim, why)
    left = np.array([0.5 ** ((election_day - day).days / half_life_days) for day in dates])
    moved = effect_points / 100 * stops.votes
    stay = np.full(stops.votes.size, hours_per_visit)
    travel = stats.visits.travel_hours(
        np.append(home_latitude, stops.latitude),
        np.append(home_longitude, stops.longitude),
        kilometers_per_hour,
    )
    given = (moved * stops.worth, stay, travel, hours_per_day, left)
    plan = stats.visits.plan_visits(*given)
    if not any(plan.days):
        return _nothing(as_of, aim, "no place where a vote is worth something is within the hours of a day")
    ways = {"plan": plan} | {
        name: stats.visits.greedy_visits(*given, order) for name, order in _rules(stops, travel, stay).items()
    }
    effect = effect_points + effect_error * rng.standard_normal((_DRAWS, 1))
    effect = effect + effect_spread * rng.standard_normal((_DRAWS, stops.votes.size))
    gained = effect / 100 * stops.votes
    worth = gained * (stops.worth + stops.error * rng.standard_normal(gained.shape))
    drawn = Drawn(left, travel, gained, worth)
    clock = [
        datetime.datetime.combine(day, datetime.time())
        + datetime.timedelta(hours=first_hour - utc_offset_hours)
        for day in dates
    ]
    note = f"{lost:,} places without coordinates or a vote's value were left out" if lost else None
    return {
        "visit_plan": _visits(ways, stops, drawn, hours_per_visit, clock, as_of),
        "visit_options": _options(ways, stops, drawn, effect_points, as_of, note),
        "offers": visit_offers(
            {name: _weights(found.days, left, stops.votes.size) for name, found in ways.items()},
            (moved, gained),
            (moved * stops.worth, worth),
            cents_per_visit=cents_per_visit,
            aim=aim,
            starts_on=first,
            as_of=as_of,
        ),
    }


def _stops(
    vote_values: Table, forecast: Table, place_coordinates: Table, race: str, reach: float
) -> tuple[Stops, int]:
    """The race's places with a vote's value and coordinates, and how many have none."""
    of = arrays(
        _valued(vote_values, forecast, place_coordinates, race).order_by("place_id"),
        "place_id", "name", "value", "std_error", "votes", "share",
    )  # fmt: skip
    if not len(of["place_id"]):
        raise DesignError.of(
            f"[visits] race: no vote has a value in {race!r}", then="hustings show vote_values"
        )
    where = arrays(place_coordinates.order_by("source"), "place_id", "latitude", "longitude")
    place = codes(of["place_id"], list(dict.fromkeys(where["place_id"]))).codes
    last = {name: row for row, name in enumerate(where["place_id"])}
    row = np.array([*last.values(), -1], np.int64)[place]
    at = {
        name: np.where(row >= 0, np.append(where[name].astype(np.float64), np.nan)[row], np.nan)
        for name in ("latitude", "longitude")
    }
    numbers = {name: np.asarray(of[name], np.float64) for name in ("value", "std_error", "votes", "share")}
    sound = np.all([np.isfinite(v) for v in (*at.values(), numbers["value"], numbers["votes"])], axis=0)
    sound &= (np.abs(at["latitude"]) <= 90) & (np.abs(at["longitude"]) <= 180)
    found = Stops(
        of["place_id"],
        of["name"],
        np.minimum(numbers["votes"], reach),
        numbers["value"],
        np.nan_to_num(numbers["std_error"]),
        np.abs(np.nan_to_num(numbers["share"], nan=1.0) - 0.5),
        at["latitude"],
        at["longitude"],
    )
    return Stops(*(column[sound] for column in found)), int((~sound).sum())


def _valued(vote_values: Table, forecast: Table, place_coordinates: Table, race: str) -> Any:
    """Places with what a vote is worth there.

    Where none of the valued places is on the map, those that they are part of take their mean, by votes; and the parts
    of a place that decides it all have its value.
    """
    values = vote_values.filter(vote_values.race == race)
    told = forecast.filter(forecast.race == race)
    mapped = told.semi_join(place_coordinates, "place_id").select(
        "place_id", "name", "votes", "share", "parent_id"
    )
    if not count(values.semi_join(place_coordinates, "place_id")):
        inside = values.join(told.select("place_id", "parent_id"), "place_id").filter(lambda t: t.votes > 0)
        mean = inside.group_by(of=inside.parent_id).agg(
            value=(inside.value * inside.votes).sum() / inside.votes.sum(),
            std_error=(inside.std_error * inside.votes).sum() / inside.votes.sum(),
        )
        whole = values.select("value", "std_error", of=values.place_id)
        for above in (
            mapped.join(mean, mapped.place_id == mean.of),
            mapped.join(whole, mapped.parent_id == whole.of),
        ):
            if count(above):
                return above.select("place_id", "name", "value", "std_error", "votes", "share")
    return values.join(told.select("race", "place_id", "share"), ["race", "place_id"])


def _why_nothing(stops: Stops, dates: list[datetime.date], effect: float, lost: int) -> str | None:
    if not stops.votes.size:
        return (
            f"none of the {lost:,} places has coordinates: a source with a block place_coordinates is missing"
        )
    if not dates:
        return "no day is left before the election"
    if effect <= 0:
        return "a visit is not expected to move a vote our way (effect_points)"
    return None


def _rules(stops: Stops, travel: Floats, stay: Floats) -> dict[str, npt.NDArray[np.int64]]:
    return {
        "largest places": np.argsort(-stops.votes, kind="stable"),
        "closest places": np.argsort(stops.close, kind="stable"),
        "nearest places": np.argsort(travel[0, 1:] + stay, kind="stable"),
    }


_ABOUT = {
    "plan": "most value of votes moved within the hours",
    "largest places": "the places with most votes first",
    "closest places": "the places where the race is closest first",
    "nearest places": "the places nearest to home first",
}


def _visits(
    ways: dict[str, Any],
    stops: Stops,
    drawn: Drawn,
    stay: float,
    clock: list[datetime.datetime],
    as_of: datetime.date,
) -> dict[str, list[Any]]:
    rows: list[dict[str, Any]] = []
    for option, found in ways.items():
        for day, route in enumerate(found.days):
            hours, before = 0.0, 0
            for position, place in enumerate(route):
                way = float(drawn.travel[before, place + 1])
                begins = clock[day] + datetime.timedelta(minutes=round(60 * (hours + way)))
                votes, value = (drawn.left[day] * np.append(v.mean(), np.quantile(v, [0.025, 0.975])) for v in (drawn.net_votes[:, place], drawn.value[:, place]))  # fmt: skip
                rows.append({
                    "option": option, "day": day + 1, "position": position + 1,
                    "place_id": stops.place_id[place], "name": stops.name[place],
                    "starts_at": begins, "ends_at": begins + datetime.timedelta(hours=stay),
                    "travel_minutes": 60 * way,
                    "latitude": stops.latitude[place], "longitude": stops.longitude[place],
                    "net_votes": votes[0], "low": votes[1], "high": votes[2],
                    "value": value[0], "value_low": value[1], "value_high": value[2],
                    "as_of": as_of,
                })  # fmt: skip
                hours, before = hours + way + stay, place + 1
    return {name: [row[name] for row in rows] for name in spec("visit_plan").names}


def _options(
    ways: dict[str, Any],
    stops: Stops,
    drawn: Drawn,
    effect: float,
    as_of: datetime.date,
    note: str | None,
) -> dict[str, list[Any]]:
    weight = {name: _weights(found.days, drawn.left, stops.votes.size) for name, found in ways.items()}
    mine = drawn.value @ weight["plan"]
    rows = []
    for name, found in ways.items():
        gained = drawn.value @ weight[name]
        low, high = np.quantile(gained, [0.025, 0.975])
        less = mine - gained
        is_plan = name == "plan"
        expected = float(effect / 100 * (stops.votes * stops.worth) @ weight[name])
        rows.append({
            "option": name, "about": _ABOUT[name],
            "n_visits": int((weight[name] > 0).sum()), "travel_hours": _hours(found.days, drawn.travel),
            "net_votes": float(effect / 100 * stops.votes @ weight[name]),
            "value": expected, "low": low, "high": high,
            "bound": found.bound if is_plan else None, "gap": found.gap if is_plan else None,
            "advantage": None if is_plan else ways["plan"].value - expected,
            "advantage_low": None if is_plan else float(np.quantile(less, 0.025)),
            "advantage_high": None if is_plan else float(np.quantile(less, 0.975)),
            "as_of": as_of, "reason": note,
        })  # fmt: skip
    return {name: [row[name] for row in rows] for name in spec("visit_options").names}


def _weights(days: tuple[tuple[int, ...], ...], left: Floats, n: int) -> Floats:
    """(n,) what is left on election day of a visit to each place; 0 for those not visited."""
    found = np.zeros(n)
    for day, route in enumerate(days):
        found[list(route)] = left[day]
    return found


def _hours(days: tuple[tuple[int, ...], ...], travel: Floats) -> float:
    total = 0.0
    for route in days:
        stops = np.array([0, *(place + 1 for place in route), 0])
        total += float(travel[stops[:-1], stops[1:]].sum())
    return total


def _nothing(as_of: datetime.date, aim: str, why: str | None) -> dict[str, Any]:
    """No visits, and why; no row at all where none were asked for."""
    empty: dict[str, list[Any]] = {name: [] for name in spec("visit_plan").names}
    row = {"option": "plan", "about": _ABOUT["plan"], "n_visits": 0, "as_of": as_of, "reason": why}
    rows = [row] if why else []
    return {
        "visit_plan": empty,
        "visit_options": {name: [one.get(name) for one in rows] for name in spec("visit_options").names},
        "offers": no_visits(as_of, aim, why),
    }
