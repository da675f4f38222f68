"""The forecast in the briefing: each race's odds in words, and its pictures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hustings.briefing import race_pictures
from hustings.briefing.facts import Facts, Record
from hustings.briefing.look import clean, figure, known, plural, spread
from hustings.briefing.pictures import Picture
from hustings.briefing.race_words import chances, ends_of, percent


@dataclass(frozen=True)
class Race:
    """One race's part of the page.

    Attributes:
        name: The race.
        title: Its odds in a sentence.
        text: What they rest on, with the rule of thumb beside.
        major: Pictures of the wide column.
        minor: Pictures of the narrow one.
    """

    name: str
    title: str
    text: str
    major: list[Picture]
    minor: list[Picture]


def races(facts: Facts) -> list[Race]:
    """Every race that was forecast.

    >>> races(Facts())
    []
    """
    names = dict.fromkeys(str(row.get("race")) for row in facts.odds)
    return [_race(facts, name, number) for number, name in enumerate(names)]


def _race(facts: Facts, race: str, number: int) -> Race:
    odds = {row.get("estimator"): row for row in facts.odds if row.get("race") == race}
    own = odds.get("forecast", {})
    places = [row for row in facts.forecast if row.get("race") == race]
    major = [
        race_pictures.map_picture(places, own, number),
        race_pictures.ranking_picture(places, own, number, facts),
    ]
    minor = [
        race_pictures.by_day_picture(facts, race, own, number),
        race_pictures.moves_picture(facts, race, own, number),
        race_pictures.checks_picture(facts, race, number),
    ]
    return Race(
        clean(race),
        f"{clean(own.get('choice'))}: {chances(own.get('p_win'))} of winning",
        odds_text(odds),
        [p for p in major if p is not None],
        [p for p in minor if p is not None],
    )


def odds_text(odds: Mapping[Any, Record]) -> str:
    """What the odds are, with their errors and the rule of thumb beside them.

    >>> odds_text({})
    'Nothing is known of this race.'
    """
    own = odds.get("forecast", {})
    if known(own.get("p_win")) is None:
        return "Nothing is known of this race."
    parts = [_vote(own)]
    seats = known(own.get("seats"))
    if seats is not None:
        ends = spread(own.get("seats_low"), own.get("seats_high"))
        parts.append(
            f"{figure(seats)} seats are expected (95 % interval {ends}); {figure(own.get('needed'))} win."
        )
    thumb, without = odds.get("mean of polls", {}), odds.get("without polls", {})
    if known(thumb.get("seats")) is not None:
        parts.append(f"The mean of polls, the rule of thumb, gives {figure(thumb['seats'])}.")
    elif known(thumb.get("share")) is not None:
        parts.append(f"The mean of polls, the rule of thumb, gives {percent(thumb['share'])} %.")
    if known(without.get("p_win")) is not None:
        parts.append(f"Without any poll: {chances(without['p_win'])}.")
    n = known(own.get("n_polls")) or 0
    parts.append(
        f"{plural(n, 'poll')}." if n else "There are no polls: the odds rest on earlier results alone."
    )
    error = known(own.get("p_win_error"))
    if error is not None:
        parts.append(
            f"{plural(own.get('n_draws'), 'simulated election')}, error ± {figure(100 * error, 1)} in 100."
        )
    return " ".join(parts)


def _vote(own: Record) -> str:
    return f"{percent(own.get('share'))} % of the vote is expected (95 % interval {ends_of(own)})."
