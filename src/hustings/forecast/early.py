"""Ballots asked for and returned, and voters seen at the polls ─► who has voted so far, and what that says of the end.

A ballot is an event of the kind `ballot` with its `item`: `requested`, `sent`, `returned`, `rejected`, `cured` or
`voted`; a person's latest one counts. A `vote` event of the same election counts as voted. When people vote is learned
from the same events of earlier elections: the share of the final voters who had voted as many days before the day.
"""

from __future__ import annotations

import datetime
from typing import Annotated, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from hustings import stats
from hustings.forecast.scored import latest
from hustings.stage import About, Result, Table, stage
from hustings.tables import spec
from hustings.warehouse import arrays, codes

Floats = npt.NDArray[np.float64]
_IN = ("returned", "cured", "voted")
_ASKED = ("requested", "sent", "rejected", *_IN)
LEAST = 50
"""Earlier voters of a group below whom their timing says nothing."""
NO_PARTY, NO_PLACE = "no party", "no region"


class Votes(NamedTuple):
    """People in cells of party and region; arrays with one entry per cell.

    Attributes:
        party: Labels.
        region: Labels.
        people: How many.
        requested: Who asked for a ballot.
        voted: Who has voted.
        expected: Sum of the turnout scores; NaN without scores.
        backing: Sum of turnout × support scores; NaN without.
        backing_so_far: Sum of the support scores of those who voted; NaN without.
        earlier: (k, C, 2) of each earlier election, who had voted by the same day and who voted in the end.
    """

    party: npt.NDArray[Any]
    region: npt.NDArray[Any]
    people: Floats
    requested: Floats
    voted: Floats
    expected: Floats
    backing: Floats
    backing_so_far: Floats
    earlier: Floats


class Division(NamedTuple):
    """Groups of people.

    Attributes:
        rows: Their rows of the table.
        n: Sums of the cells, (G,) each.
        history: (k, G, 2) of each earlier election, who had voted by the same day and who voted in the end.
        sure: (G,) whether there is enough for a projection.
    """

    rows: list[dict[str, Any]]
    n: dict[str, Floats]
    history: Floats
    sure: npt.NDArray[np.bool_]


@stage(writes="early_votes", section="early_votes", each="election")
def follow_early_votes(
    events: Table,
    people: Table,
    scores: Table | None,
    *,
    election: str,
    named: Annotated[str, About("The `name` of the ballots and votes of this election.")],
    election_day: Annotated[datetime.date, About("Its day.")],
    as_of: Annotated[datetime.date, About("Nothing of this day or later is used.")],
    earlier: Annotated[
        dict[str, datetime.date], About("Names and days of earlier elections, to learn when people vote.")
    ] = {},  # noqa: B006
    turnout: Annotated[str, About("The score that says who will vote.")] = "turnout",
    support: Annotated[str, About("The score that says for whom.")] = "support",
    turnout_error: Annotated[
        float, About("Error of the sum of turnout scores, as a share of it.", gt=0, le=1)
    ] = 0.08,
    support_error: Annotated[
        float, About("Shared error of the support scores, in log-odds.", gt=0, le=2)
    ] = 0.1,
    place: Annotated[str, About("The whole.")],
    rng: np.random.Generator,
) -> Result:
    """The whole, every party of registration and every region; what cannot be projected says why."""
    days = {name: day - (election_day - as_of) for name, day in earlier.items()}
    votes = _votes(events, people, scores, named, as_of, days, (turnout, support))
    rows: dict[str, list[Any]] = {name: [] for name in spec("early_votes").names}
    errors = (turnout_error, support_error)
    timed = bool(earlier)
    party, region = codes(votes.party), codes(votes.region)
    why = None if votes.requested.any() else f"no ballot or vote of {named} is known before {as_of}"
    parties = _division(votes, party.codes, party.labels, timed, why)
    told = _project(parties, errors, rng)
    whole = _division(votes, np.zeros(len(votes.people), np.int64), [place or "whole"], timed, why)
    if told is not None:
        whole.rows[0] |= _together(parties, told)
    regions = _division(votes, region.codes, region.labels, timed, why)
    _project(regions, errors, rng)
    for division, found in (("whole", whole), ("party", parties), ("place", regions)):
        for row in found.rows:
            row |= {"election": election, "division": division, "as_of": as_of}
            for name, values in rows.items():
                values.append(row[name])
    return rows


def _votes(
    events: Table,
    people: Table,
    scores: Table | None,
    named: str,
    as_of: datetime.date,
    days: dict[str, datetime.date],
    score: tuple[str, str],
) -> Votes:
    rows = people.select(
        "person_id", party=people.party.fill_null(NO_PARTY), region=people.region_id.fill_null(NO_PLACE)
    )
    rows = _with(rows, _status(events, named, as_of), "now")
    for number, (name, day) in enumerate(days.items()):
        rows = _with(rows, _status(events, name, day), f"by_{number}")
        rows = _with(rows, _status(events, name, None), f"end_{number}")
    for which, name in zip(("p_turnout", "p_support"), score, strict=True):
        if scores is None:
            import ibis

            rows = rows.mutate(**{which: ibis.null("float64")})
        else:
            rows = rows.left_join(
                latest(scores, name).rename(**{which: "value"}), "person_id", rname="{name}_s"
            )
            rows = rows.drop("person_id_s")
    voted = {f"{mark}_{i}": rows[f"in_{mark}_{i}"].sum() for i in range(len(days)) for mark in ("by", "end")}
    cells = rows.group_by("party", "region").agg(
        people=rows.count(),
        requested=rows.asked_now.sum(),
        voted=rows.in_now.sum(),
        expected=rows.p_turnout.sum(),
        backing=(rows.p_turnout * rows.p_support).sum(),
        backing_so_far=(rows.in_now * rows.p_support).sum(),
        **voted,
    )
    found = arrays(cells.order_by("party", "region"))
    named_cells = ("party", "region")
    numbers = {name: np.asarray(found[name], np.float64) for name in found if name not in named_cells}
    earlier = [np.column_stack([numbers[f"by_{i}"], numbers[f"end_{i}"]]) for i in range(len(days))]
    return Votes(
        found["party"],
        found["region"],
        numbers["people"],
        numbers["requested"],
        numbers["voted"],
        numbers["expected"],
        numbers["backing"],
        numbers["backing_so_far"],
        np.array(earlier).reshape(len(days), len(found["party"]), 2),
    )


def _status(events: Table, named: str, before: datetime.date | None) -> Any:
    """Who asked for a ballot, and who has voted, by the morning of a day; at the end where it is None."""
    import ibis

    of = events.filter((events.name == named) & events.kind.isin(["ballot", "vote"]))
    if before is not None:
        morning = ibis.timestamp(datetime.datetime.combine(before, datetime.time()))
        of = of.filter(of.happened_at < morning)
    item = (of.kind == "vote").ifelse("voted", of.item)
    # A vote that is recorded once stays one, whatever later word there is of the ballot.
    order = [ibis.desc("final"), ibis.desc("happened_at"), ibis.desc("arrived_at"), "event_id"]
    ranked = of.mutate(status=item, final=item == "voted")
    ranked = ranked.mutate(_rank=ibis.row_number().over(ibis.window(group_by="person_id", order_by=order)))
    last = ranked.filter(ranked["_rank"] == 0)
    return last.select(
        "person_id",
        asked=last.status.isin(_ASKED).cast("float64"),
        voted=last.status.isin(_IN).cast("float64"),
    )


def _with(rows: Any, status: Any, mark: str) -> Any:
    joined = rows.left_join(status, "person_id", rname="{name}_status").drop("person_id_status")
    return joined.mutate(
        **{f"asked_{mark}": joined.asked.fill_null(0.0), f"in_{mark}": joined.voted.fill_null(0.0)}
    ).drop("asked", "voted")


def _division(
    votes: Votes, group: npt.NDArray[np.int64], labels: list[str], timed: bool, why: str | None
) -> Division:
    """The groups with what is known of them, and the reason where that is not enough to project."""

    def summed(values: Floats) -> Floats:
        return np.bincount(group, weights=values, minlength=len(labels)).astype(np.float64)

    n = {name: summed(getattr(votes, name)) for name in Votes._fields[2:8]}
    history = np.array([np.column_stack([summed(e[:, 0]), summed(e[:, 1])]) for e in votes.earlier])
    reasons = [why] * len(labels) if why else _reasons(n, history if timed else None)
    rows = [
        dict.fromkeys(spec("early_votes").names)
        | {
            "part": label,
            "n_people": int(n["people"][i]),
            "n_requested": int(n["requested"][i]),
            "n_voted": int(n["voted"][i]),
            "support_so_far": _or_none(n["backing_so_far"][i] / n["voted"][i]) if n["voted"][i] else None,
            "expected_votes": _or_none(n["expected"][i]),
            "reason": reasons[i],
        }
        for i, label in enumerate(labels)
    ]
    return Division(rows, n, history, np.array([why is None for why in reasons]))


def _reasons(n: dict[str, Floats], history: Floats | None) -> list[str | None]:
    found: list[str | None] = []
    for i in range(len(n["people"])):
        if history is None:
            found.append("no earlier election is named: when people vote is not known")
        elif history[:, i, 1].min() < LEAST:
            few = f"{history[:, i, 1].min():.0f} of the group are known to have voted in an earlier election"
            found.append(f"{few}: fewer than {LEAST}")
        elif not n["expected"][i] > 0:
            found.append("nobody has a turnout score")
        elif not history[:, i, 0].any():
            found.append("nobody had voted by this day in any earlier election")
        else:
            found.append(None)
    return found


def _project(
    division: Division, errors: tuple[float, float], rng: np.random.Generator
) -> stats.early_votes.Projection | None:
    """Fill in the projections of the groups that have one; their draws."""
    n, sure = division.n, division.sure
    if not sure.any():
        return None
    earlier = division.history[:, sure, 0] / division.history[:, sure, 1]
    backing = _backing(division)
    known = np.isfinite(backing)
    found = stats.early_votes.project_votes(
        n["voted"][sure],
        n["expected"][sure],
        earlier,
        np.where(known, backing, 0.5),
        turnout_error=errors[0],
        support_error=errors[1],
        rng=rng,
    )
    for j, i in enumerate(np.flatnonzero(sure)):
        row = _spread("by_now", found.by_now_draws[:, j]) | {"by_now": float(found.by_now[j])}
        row |= _spread("votes", found.final[:, j])
        if known[j]:
            row |= {"support_by_now": float(backing[j])} | _spread("support", found.support[:, j])
        division.rows[i] |= row
    return found


def _together(parties: Division, found: stats.early_votes.Projection) -> dict[str, Any]:
    """The whole, from its parties: who votes early differs by party, and so does what early votes tell."""
    backing = _backing(parties)
    # Groups too small to have a timing of their own are as many as was expected of them.
    others = float(np.nansum(parties.n["expected"][~parties.sure]))
    row = _spread("votes", found.final.sum(1) + others)
    row |= _spread("by_now", found.by_now_draws.sum(1))
    row |= {"by_now": float(found.by_now.sum()), "reason": None}
    if np.isfinite(backing).all():
        row["support_by_now"] = float(found.by_now @ backing / found.by_now.sum())
        row |= _spread("support", np.sum(found.final * found.support, axis=1) / found.final.sum(1))
    return row


def _backing(division: Division) -> Floats:
    """Support among the expected voters of the groups that have a projection; NaN without support scores."""
    n, sure = division.n, division.sure
    return np.asarray(n["backing"][sure] / n["expected"][sure], np.float64)


def _spread(name: str, draws: Floats) -> dict[str, Any]:
    low, high = np.quantile(draws, (0.025, 0.975))
    return {name: float(draws.mean()), f"{name}_low": float(low), f"{name}_high": float(high)}


def _or_none(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
