"""People and scores ─► audiences: groups that hear one messenger; and how an item's fans divide among them."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from hustings import stats
from hustings.errors import DesignError
from hustings.stage import Table
from hustings.warehouse import arrays, codes

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
FEATURES = ("age", "sex", "party", "region")
_UNKNOWN = "unknown"
_BAND = re.compile(r"(\d+)\s*(?:-|to|–)\s*(\d+)|(\d+)\s*\+|(?:under|<)\s*(\d+)")


class Audiences(NamedTuple):
    """The people, each in one audience. Rows of people are by person_id.

    Attributes:
        person_id: (n,).
        member: (n,) the audience's number.
        labels: (s,) audiences in words.
        parts: Of each dimension the people's codes and the words of the codes.
        age: (n,) years, NaN unknown.
        facts: Of sex, party and region the people's codes and words.
    """

    person_id: npt.NDArray[Any]
    member: Integers
    labels: list[str]
    parts: Mapping[str, tuple[Integers, list[str]]]
    age: Floats
    facts: Mapping[str, tuple[Integers, list[str]]]

    @property
    def size(self) -> Integers:
        """(s,) people in each."""
        return np.bincount(self.member, minlength=len(self.labels))

    def design(self) -> Floats:
        """(n, p) ones and zeros: the person's group in each dimension, the last of each left out."""
        columns = [code == value for code, words in self.parts.values() for value in range(len(words) - 1)]
        return np.column_stack(columns).astype(float) if columns else np.zeros((len(self.member), 0))


def divide(
    people: Table,
    scores: Table,
    by: list[str],
    ages: list[int],
    cuts: Mapping[str, list[float]],
    as_of: datetime.date,
    fewest: int,
) -> Audiences:
    """Everyone, in one audience each.

    Args:
        people: The table of that name.
        scores: The table of that name.
        by: Dimensions among `FEATURES`.
        ages: Where age bands begin, after 18.
        cuts: Of scores: where their bands begin.
        as_of: The day; age and scores are of it.
        fewest: Audiences of fewer people are put together as `others`.

    Returns:
        The audiences.

    Raises:
        DesignError: Nobody is there, an unknown dimension, a score that was not made.
    """
    for name in by:
        if name not in FEATURES:
            raise DesignError.unknown("Audiences cannot be divided by", name, FEATURES)
    rows = arrays(people.order_by("person_id"), "person_id", "born_on", "sex", "party", "region_id")
    if not len(rows["person_id"]):
        raise DesignError.of("There are no people to be an audience", then="hustings show people")
    born = rows["born_on"].astype("datetime64[D]")
    age = (np.datetime64(as_of, "D") - born).astype("timedelta64[D]").astype(np.float64) / 365.25
    age = np.where(np.isnat(born), np.nan, age)
    facts = {name: _words(rows[name if name != "region" else "region_id"]) for name in FEATURES[1:]}
    parts = {"age": _bands(age, [*ages], "age", "{:.0f}")} if "age" in by else {}
    parts |= {name: facts[name] for name in by if name != "age"}
    for name, begins in cuts.items():
        parts[name] = _bands(_score(scores, name, rows["person_id"], as_of), begins, name, "{:g}")
    member, labels = _crossed(parts, len(age), fewest)
    return Audiences(rows["person_id"], member, labels, parts, age, facts)


def groups_of(audiences: Audiences, feature: str, values: list[str]) -> Integers:
    """(n,) which of the groups named a person belongs to; -1 none.

    Raises:
        DesignError: A group's name cannot be read as an age.
    """
    if feature != "age":
        code, words = audiences.facts[feature]
        place = {value: i for i, value in enumerate(values)}
        return np.array([place.get(word, -1) for word in words], np.int64)[code]
    found = np.full(audiences.age.size, -1)
    years = np.floor(np.nan_to_num(audiences.age, nan=-1.0))
    for i, value in enumerate(values):
        low, high = band(value)
        found[(years >= low) & (years <= high)] = i
    return found


def band(text: str) -> tuple[float, float]:
    """The first and last year of an age group's name.

    Raises:
        DesignError: It is none.

    >>> band("18-29"), band("65+"), band("under 30")
    ((18.0, 29.0), (65.0, inf), (0.0, 29.0))
    """
    found = _BAND.search(text.lower())
    if not found:
        raise DesignError.of(
            "An age group of item_audiences cannot be read", received=text, allowed="18-29, 65+"
        )
    low, high, older, younger = found.groups()
    if low:
        return float(low), float(high)
    return (float(older), np.inf) if older else (0.0, float(younger) - 1)


def fan_lifts(audiences: Audiences, item_audiences: Table, items: list[str]) -> tuple[Floats, Floats]:
    """What surveys of fans say: (s, m) mean log lift of each audience, and (m, g) of each group, 0 where not asked.

    Margins are multiplied: what is known of age and of sex is taken to hold apart.
    """
    rows = item_audiences.order_by("feature", "value").to_pyarrow().to_pylist()
    lifts = np.zeros((len(audiences.labels), len(items)))
    size = np.maximum(audiences.size, 1)
    sides: list[Floats] = []
    for feature in FEATURES:
        values = list(dict.fromkeys(row["value"] for row in rows if row["feature"] == feature))
        if not values:
            continue
        of_group = np.zeros((len(items), len(values)))
        for i, item in enumerate(items):
            own = {r["value"]: r for r in rows if r["feature"] == feature and r["item_id"] == item}
            if not own:
                continue
            names = list(own)
            group = groups_of(audiences, feature, names)
            share = np.array([own[name]["share"] for name in names])
            asked = max((own[name]["n_asked"] or 0 for name in names), default=0) or None
            known = np.bincount(group[group >= 0], minlength=len(names)) / max(int((group >= 0).sum()), 1)
            lift = stats.affinity.fan_lift(share, known, asked=asked)
            of_group[i, [values.index(name) for name in names]] = lift
            person = np.append(lift, 0.0)[group]
            lifts[:, i] += np.bincount(audiences.member, person, len(audiences.labels)) / size
        sides.append(of_group)
    return lifts, np.column_stack(sides) if sides else np.zeros((len(items), 0))


def _words(column: npt.NDArray[Any]) -> tuple[Integers, list[str]]:
    found = codes(column)
    if (found.codes >= 0).all():
        return found.codes, found.labels
    return np.where(found.codes < 0, len(found.labels), found.codes), [*found.labels, _UNKNOWN]


def _bands(value: Floats, begins: list[Any], name: str, form: str) -> tuple[Integers, list[str]]:
    if sorted(set(begins)) != list(begins):
        raise DesignError.of(f"Bands of {name}", received=begins, allowed="increasing numbers")
    told = [form.format(b) for b in begins]
    step = 1 if name == "age" else 0
    labels = [f"{name} under {told[0]}"] if told else [f"any {name}"]
    for low, high in pairwise(begins):
        labels.append(f"{name} {form.format(low)}-{form.format(high - step)}")
    labels += [f"{name} {told[-1]}+"] if told else []
    code = np.searchsorted(np.asarray(begins, np.float64), value, side="right")
    unknown = np.isnan(value)
    if unknown.any():
        return np.where(unknown, len(labels), code), [*labels, f"{name} {_UNKNOWN}"]
    return np.asarray(code, np.int64), labels


def _score(scores: Table, name: str, person: npt.NDArray[Any], as_of: datetime.date) -> Floats:
    told = arrays(scores.filter((scores.score == name) & (scores.as_of == as_of)), "person_id", "value")
    if not len(told["value"]):
        raise DesignError.of(
            f"Audiences are cut by the score {name}, which was not made",
            then=f"add [scores.{name}], or look at its card: hustings show models",
        )
    place = codes(person, told["person_id"]).codes
    return np.append(np.asarray(told["value"], np.float64), np.nan)[place]


def _crossed(
    parts: Mapping[str, tuple[Integers, list[str]]], n: int, fewest: int
) -> tuple[Integers, list[str]]:
    key, names = np.zeros(n, np.int64), [""]
    for code, words in parts.values():
        key = key * len(words) + code
        names = [f"{before}, {word}" if before else word for before in names for word in words]
    used, member = np.unique(key, return_inverse=True)
    member = member.reshape(-1)
    size = np.bincount(member)
    small = size < fewest
    if not small.any() or len(size) == 1:
        return member.astype(np.int64), [names[k] or "everyone" for k in used.tolist()]
    new = np.where(small, int((~small).sum()), np.cumsum(~small) - 1)
    return np.asarray(new[member], np.int64), [
        *(names[k] or "everyone" for k in used[~small].tolist()),
        "others",
    ]
