"""The rules of thumb beside a media plan: cheapest adults, cheapest points in a demographic, last cycle's buy."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from hustings import stats
from hustings.errors import DesignError
from hustings.plans.airtime import Airtime, Views

Floats = npt.NDArray[np.float64]
MOST = (np.inf, 25, 15, 10, 6, 4, 3, 2, 1)
"""Units per slot at most: the best of them, for each rule; of two alike the looser."""
_WHO = re.compile(r"(adults|women|men) (\d+)(?:\+|-(\d+))", re.IGNORECASE)
_ROUNDS = 500
LAST = "last cycle's buy"
CHEAPEST = "cheapest adults"


class Rule(NamedTuple):
    """One rule of thumb.

    Attributes:
        about: What it does, in a sentence.
        score: (s,) what it counts in a unit; None of last cycle's buy.
        caps: Units per slot at most that are tried.
    """

    about: str
    score: Floats
    caps: tuple[float, ...]


def demographic(name: str, told: Mapping[str, npt.NDArray[Any]]) -> Floats:
    """(m,) share of each viewer's people in a demographic.

    Args:
        name: `women 35+`, `adults 18-34`, `men 50-64`.
        told: Columns of `viewers`: `sex`, `age_from`, `age_to`.

    Raises:
        DesignError: A name that is none.

    >>> told = {"sex": np.array(["female", "male"], object), "age_from": [30, 40], "age_to": [39, 49]}
    >>> demographic("women 35+", told).tolist()
    [0.5, 0.0]
    """
    found = _WHO.fullmatch(name.strip().replace("–", "-"))
    if not found:
        raise DesignError.of(
            "[media_plan] demographics: not a demographic", received=name, allowed="women 35+, adults 18-34"
        )
    word, low, high = found[1].lower(), float(found[2]), float(found[3] or 120)
    first = np.nan_to_num(np.asarray(told["age_from"], np.float64), nan=18)
    last = np.nan_to_num(np.asarray(told["age_to"], np.float64), nan=90)
    inside = np.clip(np.minimum(last, high) - np.maximum(first, low) + 1, 0, None) / np.maximum(
        last - first + 1, 1
    )
    if word == "adults":
        return np.asarray(np.minimum(inside, 1.0))
    sex = "female" if word == "women" else "male"
    share = np.array([1.0 if s == sex else 0.5 if s is None else 0.0 for s in told["sex"]])
    return np.asarray(np.minimum(inside, 1.0) * share)


def rules_of(
    airtime: Airtime, views: Views, adults: Floats, demographics: Sequence[str], last: Floats | None
) -> dict[str, Rule]:
    """Every rule that can be followed on these slots.

    Args:
        airtime: What can be bought.
        views: Who sees what.
        adults: (m,) adults for whom each row stands.
        demographics: Their names.
        last: (s,) last cycle's share of the money, spread over the slots like it, or None.

    Returns:
        The rules by name.
    """
    rules = {
        CHEAPEST: Rule(
            "the lowest cost for a thousand adults first", (adults @ views.viewing) * airtime.aired, MOST
        )
    }
    for name in demographics:
        points = ((adults * demographic(name, views.told)[views.row]) @ views.viewing) * airtime.aired
        rules[name] = Rule(f"the lowest cost for a rating point among {name} first", points, MOST)
    if last is not None:
        rules[LAST] = Rule("the money spread over networks and dayparts as it was last cycle", last, ())
    return rules


def followed(
    rule: Rule, airtime: Airtime, budget: float, caps: Sequence[stats.media.Cap]
) -> dict[float, Floats]:
    """(s,) units that the rule buys, for each cap on units per slot; minimum buys come first."""
    first = airtime.least
    paid = float(first @ airtime.price)
    rest = [cap._replace(at_most=cap.at_most - float(np.asarray(cap.weight) @ first)) for cap in caps]
    left, room = max(budget - paid, 0.0), airtime.room - first
    if not rule.caps:
        return {np.inf: first + _spread(rule.score, airtime.price, room, left, rest)}
    return {
        most: first
        + stats.media.buy_in_order(rule.score, airtime.price, room, left, most_per_slot=most, caps=rest)
        for most in rule.caps
    }


def _spread(
    share: Floats, price: Floats, room: Floats, budget: float, caps: Sequence[stats.media.Cap]
) -> Floats:
    """Whole units for each slot's share of the money, until nothing more fits; what is sold out goes to the others."""
    units = np.zeros_like(price)
    for _ in range(_ROUNDS):
        left = budget - float(units @ price)
        open_to = share * ((units < room) & (price <= left))
        for cap in caps:
            weight = np.asarray(cap.weight, np.float64)
            open_to = open_to * (weight <= cap.at_most - float(weight @ units) + 1e-9)
        if not open_to.sum() > 0:
            break
        part = left * open_to / open_to.sum()
        more = np.floor(np.divide(part, price, out=np.zeros_like(price), where=price > 0) + 1e-9)
        if not more.any():
            more[np.argmax(open_to)] = 1.0
        more = np.minimum(more, room - units)
        for cap in caps:
            weight = np.asarray(cap.weight, np.float64)
            free = cap.at_most - float(weight @ units)
            if float(weight @ more) > free:
                fit = np.floor(more * max(free, 0.0) / float(weight @ more))
                more = np.where(weight > 0, fit, more)
        if not more.any():
            break
        units = units + more
    return units


def last_cycle(bought: Mapping[str, npt.NDArray[Any]], airtime: Airtime, cut: np.datetime64) -> Floats | None:
    """(s,) each slot's part of the money, by what was spent on its network and daypart before a day.

    Networks and dayparts that sell nothing now are left out; None where nothing like last cycle's buy is sold.
    """
    before = bought["ordered_on"].astype("datetime64[D]") < cut
    spent: dict[tuple[str, str], float] = {}
    kind = list(zip(bought["network"].astype(str), bought["daypart"].astype(str), strict=True))
    for at in np.flatnonzero(before):
        spent[kind[at]] = spent.get(kind[at], 0.0) + float(np.nan_to_num(bought["cost_cents"][at]))
    mine = list(zip(airtime.told["network"].astype(str), airtime.told["daypart"].astype(str), strict=True))
    alike: dict[tuple[str, str], float] = {}
    size = np.maximum(np.minimum(airtime.room, 1e6) * airtime.price, 0.0)
    for one, worth in zip(mine, size.tolist(), strict=True):
        alike[one] = alike.get(one, 0.0) + worth
    share = np.array([
        spent.get(one, 0.0) * worth / alike[one] if alike[one] > 0 else 0.0
        for one, worth in zip(mine, size.tolist(), strict=True)
    ])  # fmt: skip
    return share / share.sum() if share.sum() > 0 else None
