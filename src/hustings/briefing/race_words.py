"""The forecast in words: chances, shares, intervals, and what places are called."""

from __future__ import annotations

from typing import Any

from hustings.briefing import maps
from hustings.briefing.facts import Record
from hustings.briefing.look import clean, figure, known, plural, spread


def chances(p: Any) -> str:
    """A probability in words; never certain.

    >>> chances(0.834), chances(0.9996), chances(0.0004), chances(None)
    ('83 chances in 100', 'more than 99 chances in 100', 'less than 1 chance in 100', 'odds that are not known')
    """
    value = known(p)
    if value is None:
        return "odds that are not known"
    if value > 0.995:
        return "more than 99 chances in 100"
    if value < 0.005:
        return "less than 1 chance in 100"
    return plural(round(100 * value), "chance") + " in 100"


def percent(share: Any, digits: int = 1) -> str:
    """A share of 100.

    >>> percent(0.5207), percent(None)
    ('52.1', 'not known')
    """
    value = known(share)
    return figure(None if value is None else 100 * value, digits)


def ends_of(row: Record) -> str:
    """The interval of a row's share, of 100.

    >>> ends_of({"low": 0.4924, "high": 0.549})
    '49.2 to 54.9'
    """
    low, high = (known(row.get(key)) for key in ("low", "high"))
    return "" if low is None or high is None else spread(100 * low, 100 * high, 1)


def place_name(row: Record) -> str:
    """What a place is called: its own name, or the map's where it only has a code.

    >>> place_name({"place_id": "OH", "name": "OH"}), place_name({"place_id": "p1", "name": "Ward 1"})
    ('Ohio', 'Ward 1')
    """
    name, code = clean(row.get("name")), clean(row.get("place_id"))
    drawn = maps.shapes()["places"].get(code)
    return str(drawn["name"]) if drawn and name in ("", code) else name or code


def worth_text(value: Record) -> str:
    """What votes in a place are worth, for as many as it can have: never more than a tenth of its own.

    >>> worth_text({"value": 1e-6, "votes": 2e6, "objective": "win"})
    '10,000 net votes there add 1 points to the chance of winning'
    >>> worth_text({"value": 2e-4, "votes": 3000, "objective": "win"})
    '100 net votes there add 2 points to the chance of winning'
    """
    worth, votes = known(value.get("value")) or 0.0, known(value.get("votes")) or 1e6
    many = next((n for n in (10_000, 1_000, 100) if n <= votes / 10), 10)
    gain = worth * many * (100 if value.get("objective") == "win" else 1)
    unit = "points to the chance of winning" if value.get("objective") == "win" else "seats"
    return f"{many:,} net votes there add {gain:.2g} {unit}"


def counts_most(best: Record, several: bool) -> str:
    """Where a vote counts most, or that it counts the same everywhere.

    >>> counts_most({"place_id": "p1", "name": "Ward 1", "relative": 3.21}, True)
    'A vote counts most in Ward 1: 3.2 times the mean'
    """
    relative = known(best.get("relative"))
    if several and relative is not None and relative >= 1.05:
        return f"A vote counts most in {place_name(best)}: {figure(relative, 1)} times the mean"
    return f"A vote counts the same everywhere: {worth_text(best).replace(' there', '')}"
