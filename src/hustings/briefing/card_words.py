"""The words of the cards: names of features, findings, and how big a number is."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from hustings.briefing.look import clean, figure, known, listed, spread, with_interval

Part = Mapping[str, Any]
STABLE, SHIFTED = 0.1, 0.25
"""Stability indices between which a shift is worth a look; a custom of credit scoring."""
_NTH = {1: "latest", 2: "second latest", 3: "third latest"}
_NAMES = {
    "is_female": "being a woman",
    "share_voted": "share of all elections voted in",
    "share_general": "share of generals voted in",
    "share_primary": "share of primaries voted in",
    "n_general": "generals voted in",
    "n_primary": "primaries voted in",
    "n_other": "other elections voted in",
    "household_share_voted": "how often the household votes",
    "place_share_voted": "how often the neighbours vote",
    "place_people": "people in the place",
    "place_age": "age of the neighbours",
    "n_contacts": "contacts received",
    "vendor": "the vendor’s score",
}


def feature_word(name: Any) -> str:
    """A feature's name in words.

    >>> feature_word("vote_2"), feature_word("party=B"), feature_word("n_gift_before")
    ('voted in the second latest election', 'party B', 'gifts before')
    """
    text = clean(name)
    if text in _NAMES:
        return _NAMES[text]
    if found := re.fullmatch(r"vote_(\d+)", text):
        number = int(found[1])
        return f"voted in the {_NTH.get(number, f'{number}th latest')} election"
    if found := re.fullmatch(r"n_(.+)_before", text):
        return f"{found[1].replace('_', ' ')}s before"
    if found := re.fullmatch(r"(mean|last)_(.+)_value", text):
        return f"{found[1]} {found[2].replace('_', ' ')}"
    return text.replace("=", " ").replace("_", " ")


def ends(part: Part | None, digits: int, scale: float = 1.0) -> str:
    """An estimate with its interval, from a card.

    >>> ends({"estimate": 0.01, "low": 0.0, "high": 0.02}, 1, 100.0)
    '+1.0 (0.0 to 2.0)'
    """
    if not part or known(part.get("estimate")) is None:
        return "not known"
    value, low, high = (scale * float(part[k]) for k in ("estimate", "low", "high"))
    return f"{figure(value, digits, sign=True)} ({spread(low, high, digits)})"


def amount(cents: Any, digits: int = 2) -> str:
    """An amount of cents as a number of the campaign's currency.

    >>> amount(12345)
    '123.45'
    """
    value = known(cents)
    return figure(None if value is None else value / 100, digits)


def gain_finding(depths: list[Any], what: str) -> str:
    """What the best-ranked fifth holds.

    >>> from hustings.briefing.square import Point
    >>> gain_finding([Point(0.2, 0.55, 0.5, 0.6)], "outcomes")
    'The best-ranked 20 in 100 hold 55 in 100 of all outcomes'
    """
    at = min(depths, key=lambda d: abs(d.x - 0.2))
    return f"The best-ranked {figure(100 * at.x)} in 100 hold {figure(100 * at.y)} in 100 of all {what}"


def importance_finding(parts: list[Part]) -> str:
    """What a score rests on.

    >>> importance_finding([{"feature": "age", "direction": 1}])
    'It rests most on age'
    """
    return f"It rests most on {listed([feature_word(part.get('feature')) for part in parts[:2]])}"


def direction_word(direction: Any) -> str:
    """Whether more of a feature raises the score.

    >>> direction_word(-1)
    'more of it lowers the score'
    """
    return {1: "more of it raises the score", -1: "more of it lowers the score"}.get(
        int(known(direction) or 0), "raises and lowers"
    )


def group_finding(column: str, parts: list[Part]) -> str:
    """Where a score is off, among groups.

    >>> group_finding("sex", [{"group": "male", "gap": 0.0, "gap_low": -0.1, "gap_high": 0.1}])
    'By sex no group is proven to be told wrongly'
    """
    word = clean(column).replace("_", " ")
    off = [p for p in parts if _apart(p) != 0]
    if not [p for p in parts if known(p.get("gap")) is not None]:
        return f"By {word} every group is too small to judge"
    if not off:
        return f"By {word} no group is proven to be told wrongly"
    worst = max(off, key=lambda p: abs(float(p["gap"])))
    way = "low" if float(worst["gap"]) > 0 else "high"
    more = f", and for {len(off) - 1} more" if len(off) > 1 else ""
    return f"By {word} it is too {way} for {clean(worst.get('group'))}{more}"


def _apart(part: Part) -> int:
    low, high = known(part.get("gap_low")), known(part.get("gap_high"))
    return 0 if low is None or high is None else (low > 0) - (high < 0)


def drift_finding(drift: Part) -> str:
    """How far people have moved since the score was learned.

    >>> drift_finding({"score": 0.001, "features": []})
    'The scores have not moved since training'
    """
    index = known(drift.get("score"))
    if index is None:
        return "Whether the scores have moved is not known"
    if index < STABLE:
        return "The scores have not moved since training"
    return "The scores have moved since training" + ("" if index < SHIFTED else " far: learn again")


def verdict(model: Part, unit: str = "log-loss") -> str:
    """Whether a score beats what it must beat.

    >>> verdict({"published": True, "rule": "age", "gain": 0.02, "gain_low": 0.01, "gain_high": 0.03})
    'Better than age by 0.0200 of log-loss (95 % interval 0.0100 to 0.0300).'
    """
    reason, gain = clean(model.get("reason")), known(model.get("gain"))
    if gain is None:
        return f"{reason[:1].upper()}{reason[1:]}." if reason else ""
    digits, rule = 1 if unit == "deviance" else 4, feature_word(model.get("rule"))
    word = f"{figure(abs(gain), digits)} of {unit}"
    text = with_interval(word, model.get("gain_low"), model.get("gain_high"), digits)
    if model.get("published"):
        return f"Better than {rule} by {text}."
    way = "Better than" if gain > 0 else "Worse than"
    return f"{way} {rule} by {text}: not proven better, and not published."


def chance(p: float) -> str:
    """A probability by chance, to two digits, and no smaller than anybody cares for.

    >>> chance(0.0217), chance(1e-9)
    ('0.022', 'below 0.0001')
    """
    return "below 0.0001" if p < 0.0001 else f"{p:.2g}"
