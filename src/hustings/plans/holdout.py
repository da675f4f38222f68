"""One hold-out for the whole campaign ─► who is contacted by no plan and stands on no list, so that all can be measured.

It is drawn once, by household or by place. Households that share a telephone are drawn together: a call to one would
reach the other. A household that comes later is drawn when it comes.
"""

from __future__ import annotations

import datetime
from typing import Annotated, Any, Literal

import numpy as np
import numpy.typing as npt

from hustings.stage import About, Result, Table, stage
from hustings.tables import spec
from hustings.warehouse import arrays, codes

CAMPAIGN = "campaign"
"""Under this name the campaign's draw is kept beside the draws of plans."""


@stage(writes=("holdout", "holdouts"))
def hold_out_households(
    people: Table,
    people_private: Table,
    holdouts: Table,
    *,
    share: Annotated[
        float,
        About(
            "Share of all households that nobody contacts; with 0 each plan draws its own control.",
            ge=0,
            le=0.5,
        ),
    ] = 0.0,
    unit: Annotated[
        Literal["household", "place"],
        About(
            "What is drawn: households, those that share a telephone together, or whole places, for doors."
        ),
    ] = "household",
    release_on: Annotated[
        datetime.date | None, About("The day from which those held out may be contacted; never unless given.")
    ] = None,
    as_of: Annotated[datetime.date, About("The day of the draw.")],
    rng: np.random.Generator,
) -> Result:
    """Every household, and whether it is held out; none where the campaign holds nobody out."""
    if share == 0:
        return {name: {column: [] for column in spec(name).names} for name in ("holdout", "holdouts")}
    rows = people.join(people_private.select("person_id", "phone"), "person_id")
    found = arrays(rows.select("household_id", "place_id", "phone").order_by("household_id"))
    home = codes(found["household_id"])
    if unit == "place":
        units = _first_text(found["place_id"], home.codes, home.labels)
    else:
        units = np.array(home.labels, object)[
            _joined(home.codes, len(home.labels), codes(found["phone"]).codes)
        ]
    before = arrays(holdouts.filter(holdouts.plan_id == CAMPAIGN), "household_id", "held_out")
    at = codes(before["household_id"], home.labels).codes
    drawn = _drawn(units, at, np.asarray(before["held_out"], bool), share, rng)
    n = len(home.labels)
    released = release_on is not None and as_of >= release_on
    return {
        "holdout": {
            "household_id": home.labels,
            "unit_id": units,
            "drawn": drawn,
            "held_out": drawn & (not released),
            "released_on": [release_on] * n,
            "as_of": [as_of] * n,
        },
        "holdouts": {
            "plan_id": [CAMPAIGN] * n,
            "household_id": home.labels,
            "held_out": drawn,
            "drawn_on": [as_of] * n,
        },
    }


def _drawn(
    units: npt.NDArray[Any],
    at: npt.NDArray[np.int64],
    held: npt.NDArray[np.bool_],
    share: float,
    rng: np.random.Generator,
) -> npt.NDArray[np.bool_]:
    """(h,) each household's draw: the one that it, or another of its unit, was given before, or a new one.

    Args:
        units: (h,) what each household is drawn with.
        at: (b,) households drawn before, -1 for those that are gone.
        held: (b,) their draws.
        share: Of new units.
        rng: Source of randomness.
    """
    unit = codes(units)
    drawn = rng.random(len(unit.labels)) < share
    known, old = at >= 0, at[at >= 0]
    drawn[unit.codes[old]] = False
    np.logical_or.at(drawn, unit.codes[old], held[known])
    found = drawn[unit.codes]
    found[old] = held[known]
    return np.asarray(found, bool)


def _joined(home: npt.NDArray[np.int64], n: int, number: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """(n,) of each household, the first of those that it is joined with by telephones."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    there = number >= 0
    size = int(number.max(initial=-1)) + 1
    link = coo_array(
        (np.ones(int(there.sum())), (home[there], n + number[there])), shape=(n + size, n + size)
    )
    label = connected_components(link, directed=False)[1][:n]
    first = np.full(int(label.max(initial=-1)) + 1, n)
    np.minimum.at(first, label, np.arange(n))
    return np.asarray(first[label], np.int64)


def _first_text(texts: npt.NDArray[Any], home: npt.NDArray[np.int64], labels: list[str]) -> npt.NDArray[Any]:
    """(h,) the text of each household's first person; the household itself where there is none."""
    first = np.full(len(labels), len(home))
    np.minimum.at(first, home, np.arange(len(home)))
    return np.array(
        [str(text) if text is not None else label for text, label in zip(texts[first], labels, strict=True)],
        object,
    )
