"""The campaign's own survey calls ─► what they say of every place, in the form of polls.

Answers are weighed against the voter file: by a multilevel regression summed over its people (place × age × sex ×
party), or by raking. Everyone counts alike, or by a turnout score: registered or likely voters.
"""

from __future__ import annotations

import datetime
from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from hustings import stats
from hustings.errors import DesignError
from hustings.forecast.scored import latest
from hustings.stage import About, Result, Table, stage
from hustings.tables import spec
from hustings.warehouse import arrays, codes

LEAST = 30
"""Answers below which a survey says nothing."""
FEW = 5
"""Answers below which a category is put together with others before raking."""
_NUMBERS = ("n_effective", "share", "std_error", "low", "high", "shared_error")


class Asked(NamedTuple):
    """The voter file in cells, with the answers.

    Attributes:
        places: Labels of the places, sorted.
        place: (C,) codes.
        attributes: (C, 3) codes of age band, sex and party; unknown is a level of its own.
        levels: How many levels each attribute has.
        party_shares: (J, p) each place's people by the largest parties.
        people: (C,) people, or their expected votes.
        answers: (C,) who named one of the two.
        yes: (C,) who named ours.
    """

    places: list[str]
    place: npt.NDArray[np.int64]
    attributes: npt.NDArray[np.int64]
    levels: tuple[int, ...]
    party_shares: npt.NDArray[np.float64]
    people: npt.NDArray[np.float64]
    answers: npt.NDArray[np.float64]
    yes: npt.NDArray[np.float64]


@stage(writes="survey_polls", section="surveys", each="survey")
def weigh_surveys(
    events: Table,
    people: Table,
    scores: Table | None,
    *,
    survey: str,
    as_of: Annotated[datetime.date, About("No answer of this day or later is used.")],
    question: Annotated[str, About("The `name` of the answers: events of the kind `answer`.")],
    ours: Annotated[list[float], About("Codes (`value`) of the answers for our side.")],
    theirs: Annotated[
        list[float], About("Codes of the answers for the other side; other codes are left out.")
    ],
    since: Annotated[
        datetime.date | None, About("The first day whose answers count; all unless given.")
    ] = None,
    by: Annotated[
        Literal["region", "place", "none"], About("Which place of a person becomes a poll of its own.")
    ] = "region",
    method: Annotated[
        Literal["multilevel", "raking"],
        About("`multilevel`: regression, summed over the voter file; `raking`: weights to its margins."),
    ] = "multilevel",
    age_bands: Annotated[list[int], About("Ages at which a new band begins.")] = [30, 45, 65],  # noqa: B006
    turnout: Annotated[
        str | None, About("The score by which people count as voters; everyone counts alike unless given.")
    ] = None,
    trim: Annotated[float, About("Of raking: the largest weight, in means of all.", gt=1)] = 5.0,
    pollster: Annotated[
        str, About("As the forecast shall know it: it has a house effect of its own.")
    ] = "own",
    mode: Annotated[str, About("How people were asked: `phone`, `text`, `door`, `online`.")] = "phone",
    place: Annotated[str, About("The whole that the places are part of.")],
    rng: np.random.Generator,
) -> Result:
    """One row for the whole and one for each place; where there is no number, the reason."""
    if set(ours) & set(theirs) or not ours or not theirs:
        got = f"ours {sorted(ours)}, theirs {sorted(theirs)}"
        raise DesignError.of(
            f"[surveys.{survey}] answers", received=got, allowed="two lists without a common code"
        )
    told = _answers(events, question, ours, theirs, since, as_of)
    asked = _asked(told, people, scores if turnout else None, turnout, as_of, sorted(age_bands), by)
    span = arrays(told.aggregate(first=told.happened_at.min(), last=told.happened_at.max()))
    days = {f"{name}_on": _day(span[key][0]) for name, key in (("starts", "first"), ("ends", "last"))}
    n, yes = _by_place(asked, asked.answers), _by_place(asked, asked.yes)
    rows: dict[str, Any] = {
        "place_id": [place or "whole", *asked.places],
        "level": ["whole"] + ["place"] * len(asked.places),
        "n_answers": n.astype(int).tolist(),
        "raw_share": [float(a / b) if b else None for a, b in zip(yes, n, strict=True)],
    }
    if turnout and not asked.people.sum():
        why = f"nobody has the score {turnout}"
    elif n[0] < LEAST:
        why = f"{n[0]:.0f} people answered {question} for either side: fewer than {LEAST}"
    else:
        why = ""
    if why:
        rows |= {name: [None] * len(n) for name in _NUMBERS} | {"reason": [why] * len(n)}
    else:
        rows |= _multilevel(asked, rng) if method == "multilevel" else _raked(asked, trim)
    fixed = {
        "poll_id": f"own {survey}",
        "pollster": pollster,
        "mode": mode,
        "population": "lv" if turnout else "rv",
        "method": method,
        **days,
    }
    rows |= {name: [value] * len(n) for name, value in fixed.items()}
    kept = [i for i in range(len(n)) if not (by == "none" and i)]
    return {name: [rows[name][i] for i in kept] for name in spec("survey_polls").names}


def _answers(
    events: Table,
    question: str,
    ours: list[float],
    theirs: list[float],
    since: datetime.date | None,
    as_of: datetime.date,
) -> Any:
    """Each person's latest answer before the day, where it names one of the two."""
    import ibis

    morning = ibis.timestamp(datetime.datetime.combine(as_of, datetime.time()))
    asked = events.filter(
        (events.kind == "answer")
        & (events.name == question)
        & (events.happened_at < morning)
        & (events.arrived_at <= morning)
    )
    if since is not None:
        asked = asked.filter(asked.happened_at >= datetime.datetime.combine(since, datetime.time()))
    latest = ibis.window(
        group_by="person_id", order_by=[ibis.desc("happened_at"), ibis.desc("arrived_at"), "event_id"]
    )
    last = asked.mutate(_rank=ibis.row_number().over(latest)).filter(lambda t: t["_rank"] == 0)
    named = last.filter(last.value.isin([*ours, *theirs]))
    return named.select("person_id", "happened_at", yes=named.value.isin(ours).cast("float64"))


def _asked(
    told: Any,
    people: Table,
    scores: Table | None,
    turnout: str | None,
    as_of: datetime.date,
    bands: list[int],
    by: str,
) -> Asked:
    import ibis

    rows = people.left_join(told, "person_id", rname="{name}_told")
    weight = ibis.literal(1.0)
    if scores is not None and turnout is not None:
        voting = latest(scores, turnout).rename(turnout_score="value")
        rows = rows.left_join(voting, "person_id", rname="{name}_s")
        weight = rows.turnout_score.fill_null(0.0)
    age = ibis.date(as_of).delta(rows.born_on, unit="day") / 365.2425
    band = sum(((age >= edge).cast("int64") for edge in bands), ibis.literal(0))
    place = {"region": rows.region_id, "place": rows.place_id, "none": ibis.literal("all")}[by]
    cells = (
        rows.mutate(place=place, band=band.cast("string"), weight=weight)
        .filter(lambda t: t.place.notnull())
        .group_by("place", "band", "sex", "party")
        .agg(
            people=lambda t: t.weight.sum(),
            answers=lambda t: t.yes.count(),
            yes=lambda t: t.yes.sum().fill_null(0.0),
        )
        .order_by("place", "band", "sex", "party")
    )
    found = arrays(cells)
    if not len(found["people"]):
        raise DesignError.of(f"Nobody has a {by}", then='by = "none", or map it in the voter file')
    return _cells(found)


def _cells(found: dict[str, npt.NDArray[Any]]) -> Asked:
    places = codes(found["place"])
    attributes, levels = [], []
    for name in ("band", "sex", "party"):
        level = codes(found[name])
        unknown = level.codes < 0
        attributes.append(np.where(unknown, len(level.labels), level.codes))
        levels.append(len(level.labels) + int(unknown.any()))
    people = np.asarray(found["people"], np.float64)
    n_places, party = len(places.labels), attributes[2]
    # Few places cannot tell what a covariate of places does.
    largest = np.argsort(-np.bincount(party, weights=people, minlength=levels[2]))[: min(2, levels[2] - 1)]
    total = np.bincount(places.codes, weights=people, minlength=n_places)
    shares = [
        np.bincount(places.codes, weights=people * (party == code), minlength=n_places)
        / np.maximum(total, 1e-12)
        for code in (largest if n_places >= 12 else [])
    ]
    return Asked(
        places.labels,
        places.codes,
        np.column_stack(attributes),
        tuple(levels),
        np.column_stack(shares) if shares else np.empty((n_places, 0)),
        people,
        np.asarray(found["answers"], np.float64),
        np.asarray(found["yes"], np.float64),
    )


def _multilevel(asked: Asked, rng: np.random.Generator) -> dict[str, list[Any]]:
    cells = stats.poststratification.Cells(asked.place, asked.attributes, asked.party_shares)
    fit = stats.poststratification.fit_multilevel(asked.yes, asked.answers, cells, asked.levels)
    # A place whose people all have a turnout score of 0 still has a support: that of its people.
    empty = np.bincount(asked.place, weights=asked.people) <= 0
    size = np.where(empty[asked.place], 1e-9, asked.people)
    found = stats.poststratification.poststratify(fit, cells, size, rng=rng)
    every = np.column_stack([found.total, found.draws])
    share, error = every.mean(0), every.std(0, ddof=1)
    low, high = np.quantile(every, (0.025, 0.975), axis=0)
    shared = stats.poststratification.shared_error(found.draws)
    return {
        "n_effective": np.round(share * (1 - share) / error**2).astype(int).tolist(),
        "share": share.tolist(),
        "std_error": error.tolist(),
        "low": low.tolist(),
        "high": high.tolist(),
        "shared_error": np.minimum(shared, error).tolist(),
        "reason": [None] * len(share),
    }


def _raked(asked: Asked, trim: float) -> dict[str, list[Any]]:
    """Weights to the margins of age, sex and party, and to the places'; a place's own share from its own answers."""
    answers = asked.answers.astype(int)
    who = np.repeat(np.arange(len(answers)), answers)
    y = np.concatenate(
        [np.repeat([1.0, 0.0], [int(a), n - int(a)]) for a, n in zip(asked.yes, answers, strict=True)]
    )
    margins = []
    for name, code in zip(("age", "sex", "party", "place"), (*asked.attributes.T, asked.place), strict=True):
        merged = _merged(code, asked, trim)
        size = np.bincount(merged, weights=asked.people).astype(np.float64)
        margins.append(stats.weighting.Margin(name, merged[who], size))
    weight = stats.weighting.rake(margins, trim=trim).weight
    found = [stats.weighting.weighted_share(y, weight, margins)]
    reasons: list[str | None] = [None]
    for number in range(len(asked.places)):
        mine = asked.place[who] == number
        enough = mine.sum() >= LEAST
        reasons.append(None if enough else f"{mine.sum()} people answered: fewer than {LEAST}")
        found.append(stats.weighting.weighted_share(y[mine], weight[mine]) if enough else found[0])
    rows: dict[str, list[Any]] = {
        "reason": reasons,
        "shared_error": [None if why else 0.0 for why in reasons],
    }
    for name, of in (("share", "estimate"), ("std_error", "std_error"), ("low", "low"), ("high", "high")):
        rows[name] = [
            None if why else min(max(getattr(one, of), 0.0), 1.0)
            for one, why in zip(found, reasons, strict=True)
        ]
    rows["n_effective"] = [
        None if why else round(one.n_effective) for one, why in zip(found, reasons, strict=True)
    ]
    return rows


def _merged(code: npt.NDArray[np.int64], asked: Asked, trim: float) -> npt.NDArray[np.int64]:
    """Codes from 0 with the categories put together that few answered, or too few for weights within the trim."""
    told, people = (np.bincount(code, weights=counts) for counts in (asked.answers, asked.people))
    needed = np.maximum(FEW, 2 / trim * told.sum() * people / people.sum())
    order = np.argsort(told / needed, kind="stable")
    n_small = int((told < needed).sum())
    while 0 < n_small < len(told) and told[order[:n_small]].sum() < needed[order[:n_small]].sum():
        n_small += 1
    new = np.arange(len(told))
    if n_small:
        new[order[:n_small]] = order[0]
    return np.unique(new[code], return_inverse=True)[1].astype(np.int64)


def _by_place(asked: Asked, counts: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The whole's sum first, then each place's."""
    return np.append(counts.sum(), np.bincount(asked.place, weights=counts, minlength=len(asked.places)))


def _day(moment: Any) -> datetime.date | None:
    return None if moment is None or np.isnat(moment) else np.datetime64(moment, "D").astype(object)
