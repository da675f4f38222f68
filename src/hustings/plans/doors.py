"""People and their addresses ─► doors: where each is, on which street, with which number."""

from __future__ import annotations

import datetime
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from hustings.ballots import voters
from hustings.stage import Table
from hustings.warehouse import arrays, codes

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

_NUMBER = r"^(\d+)(?:-\d+)?[A-Z]?(?:\s*(?:½|1/2))?[\s,]+\S"
_FRACTION = r"^\d+[A-Z]?\s*(?:½|1/2)[\s,]"
_HEAD = r"^\d+(?:-\d+)?[A-Z]?(?:\s*(?:½|1/2))?[\s,]+"
_UNIT = r"[\s,]+(?:APT|APARTMENT|UNIT|SUITE|STE|FLAT|LOT|ROOM|RM|#).*$"


class Doors(NamedTuple):
    """Doors, in the order of region, precinct, street and number.

    Attributes:
        household: (d,) ids.
        n_people: (d,) people on the list behind each.
        region: (d,) codes; `regions` has their names.
        precinct: (d,) codes from 0.
        street: (d,) codes, -1 where no street is known.
        number: (d,) house numbers, NaN where there is none.
        latitude: (d,) degrees, NaN where not known.
        longitude: (d,) degrees.
        listed: (d,) each door's place in the order of the file.
        regions: Names of the regions.
        person_id: (n,) the people.
        door: (n,) the door of each.
    """

    household: npt.NDArray[Any]
    n_people: Integers
    region: Integers
    precinct: Integers
    street: Integers
    number: Floats
    latitude: Floats
    longitude: Floats
    listed: Integers
    regions: list[str]
    person_id: npt.NDArray[Any]
    door: Integers

    @property
    def located(self) -> npt.NDArray[np.bool_]:
        """(d,) whether there are coordinates."""
        return np.isfinite(self.latitude)


def to_knock_at(
    people: Table,
    opt_outs: Table,
    identities: Table,
    events: Table,
    *,
    election_day: datetime.date,
    as_of: datetime.date,
) -> Any:
    """Whom to look for at the door: not who has voted, nor a household in which somebody refuses doors."""
    refused = opt_outs.filter(opt_outs.channel.isin(["all", "door"]))
    same = [refused.record_source == identities.source, refused.record_id == identities.record_id]
    who = refused.join(identities.select("source", "record_id", "person_id"), same, rname="{name}_of")
    homes = people.semi_join(who, "person_id").select("household_id").distinct()
    morning = datetime.datetime.combine(as_of, datetime.time())
    known = events.filter((events.happened_at < morning) & (events.arrived_at <= morning))
    done = voters(known, election_day)
    return people.anti_join(homes, "household_id").anti_join(done, "person_id")


def doors(people: Any, people_private: Table) -> Doors:
    """The doors behind which these people live.

    Args:
        people: `person_id`, `household_id`, `place_id`, `region_id`.
        people_private: Their addresses.

    Returns:
        One door for each household; its place is the mean of its people's coordinates. Coordinates that are no
        place on earth, and the point 0, 0 that stands for none, count as missing.
    """
    private = people_private.select("person_id", "address", "latitude", "longitude")
    rows = people.select("person_id", "household_id", "place_id", "region_id").left_join(
        private, "person_id", rname="{name}_of"
    )
    text = rows.address.upper().strip()
    street = text.re_replace(_HEAD, "").re_replace(_UNIT, "").strip().nullif("")
    half = text.re_search(_FRACTION).ifelse(0.5, 0.0)
    number = text.re_extract(_NUMBER, 1).nullif("").try_cast("float64") + half
    found = arrays(
        rows.mutate(street=street, number=number).drop("address", "person_id_of").order_by("person_id")
    )
    home = codes(found["household_id"])
    first = np.full(len(home.labels), len(home.codes))
    np.minimum.at(first, home.codes, np.arange(len(home.codes)))
    places = {name: codes(found[name]) for name in ("region_id", "place_id", "street")}
    at = {name: places[name].codes[first] for name in places}
    latitude, longitude = _located(found, home.codes, len(home.labels))
    house = np.asarray(found["number"], np.float64)[first]
    # Everyone without a region lives in one of their own: the last.
    region = np.where(at["region_id"] < 0, len(places["region_id"].labels), at["region_id"])
    precinct = _numbered(np.column_stack([region, at["place_id"]]))
    order = np.lexsort((house, at["street"], precinct, region))
    rank = np.empty(order.size, np.int64)
    rank[order] = np.arange(order.size)
    return Doors(
        np.array(home.labels, object)[order],
        np.bincount(home.codes, minlength=len(first))[order],
        region[order],
        precinct[order],
        at["street"][order],
        house[order],
        latitude[order],
        longitude[order],
        first[order],
        [*places["region_id"].labels, "elsewhere"],
        found["person_id"],
        rank[home.codes],
    )


def _located(found: dict[str, npt.NDArray[Any]], home: Integers, n: int) -> tuple[Floats, Floats]:
    latitude, longitude = (np.asarray(found[name], np.float64) for name in ("latitude", "longitude"))
    there = (np.abs(latitude) <= 90) & (np.abs(longitude) <= 180) & ((latitude != 0) | (longitude != 0))
    size = np.bincount(home[there], minlength=n)
    with np.errstate(invalid="ignore"):
        means = [np.bincount(home[there], v[there], minlength=n) / size for v in (latitude, longitude)]
    return means[0], means[1]


def _numbered(columns: Integers) -> Integers:
    return np.unique(columns, axis=0, return_inverse=True)[1].reshape(-1).astype(np.int64)
