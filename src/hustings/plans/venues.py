"""Who listens where ─► on which forum, podcast or station the candidate should answer questions, and on which day.

What is known of a venue is its audience by age, sex, party or region. The campaign's own people are weighed until
they look like it (raking), and their scores say how many turnout and persuasion targets are among them, and what an
answer that moves them by so many points is worth.
"""

from __future__ import annotations

import datetime
from typing import Annotated, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from hustings.errors import DesignError
from hustings.plans.messenger_inputs import forbidden
from hustings.plans.venue_people import Cells, read_cells
from hustings.stage import About, Result, Table, stage
from hustings.tables import spec
from hustings.warehouse import arrays

Floats = npt.NDArray[np.float64]
Row = dict[str, Any]
_DRAWS = 400
_DEFAULT_ASKED = 50
"""People asked about a venue's audience, where it is not told."""


class Effect(NamedTuple):
    """What an appearance moves among its listeners, with errors, in shares."""

    turnout: float
    turnout_error: float
    support: float
    support_error: float


class Drawn(NamedTuple):
    """What one venue may bring: targets and gain per person reached, the gain with what effects may be; (d,) each."""

    turnout_targets: Floats
    persuasion_targets: Floats
    gain: Floats
    votes: Floats


@stage(writes=("venue_options", "offers"), section="venues", each="venue_plan")
def rank_venues(
    people: Table,
    scores: Table,
    items: Table,
    item_days: Table,
    item_audiences: Table,
    vote_values: Table,
    places: Table,
    *,
    venue_plan: str,
    venue_kinds: Annotated[list[str], About("Kinds of items that are venues.")] = ["venue"],  # noqa: B006
    turnout_points: Annotated[
        float, About("Points of turnout that an appearance moves its listeners, on its day.")
    ] = 0.1,
    turnout_points_error: Annotated[float, About("Its standard error.", ge=0)] = 0.15,
    support_points: Annotated[float, About("Points of support that it moves them.")] = 0.1,
    support_points_error: Annotated[float, About("Its standard error.", ge=0)] = 0.15,
    half_life_days: Annotated[float, About("Days in which half of it is gone.", gt=0)] = 7.0,
    turnout_target: Annotated[
        list[float], About("Chances of voting between which someone is a turnout target.")
    ] = [0.2, 0.8],  # noqa: B006
    persuasion_target: Annotated[
        list[float], About("Chances of support between which someone is a persuasion target.")
    ] = [0.35, 0.65],  # noqa: B006
    hour_cents: Annotated[float, About("What an hour of the candidate is worth, in cents.", ge=0)] = 0.0,
    aim: Annotated[str, About("What gain is counted in.")],
    decisive_race: Annotated[str, About("The race, for the aim `win`.")],
    playbook: Annotated[str, About("The field of use, for platforms' rules.")],
    country: Annotated[str, About("Where, for platforms' rules.")],
    election_day: Annotated[datetime.date, About("What is left on this day counts.")],
    as_of: Annotated[datetime.date, About("The first day that counts.")],
    rng: np.random.Generator,
) -> Result:
    """Venues by gain for their cost, with intervals, beside the rule of thumb: the largest first."""
    rows = items.filter(items.kind.isin(venue_kinds)).order_by("item_id", "source").to_pyarrow().to_pylist()
    venues = {row["item_id"]: row for row in rows}
    if not venues:
        raise DesignError.of(
            f"[venues.{venue_plan}] has no venues", received=venue_kinds, then="hustings show items"
        )
    audience = item_audiences.filter(item_audiences.item_id.isin(list(venues))).to_pyarrow().to_pylist()
    backed = scores.filter((scores.score == "support") & (scores.as_of == as_of)).count().to_pyarrow().as_py()
    unknown = (
        None if backed or aim == "added_ballots" else "nobody has a support score, so no vote can be valued"
    )
    cells = read_cells(
        people, scores, vote_values, places, turnout_target, persuasion_target, {row["feature"] for row in audience},
        aim="added_ballots" if unknown else aim, race=decisive_race, as_of=as_of,
    )  # fmt: skip
    points = (turnout_points, turnout_points_error, support_points, support_points_error)
    effect = Effect(*(v / 100 for v in points))
    days = _best_days(item_days, list(venues), as_of, election_day)
    found = [
        _one(row, [a for a in audience if a["item_id"] == name], days.get(name), cells, effect, rng)
        | {"venue_plan": venue_plan, "unit": aim, "as_of": as_of}
        for name, row in venues.items()
    ]
    for row in found:
        banned = forbidden(venues[row["item_id"]]["platform"], playbook, country)
        _cost(row, venues[row["item_id"]], hour_cents, (election_day - as_of).days, half_life_days, as_of)
        if why := banned or row["reason"] or unknown:
            _refuse(row, why)
    _rank(found)
    return {
        "venue_options": {name: [row.get(name) for row in found] for name in spec("venue_options").names},
        "offers": _offers(found, f"venues.{venue_plan}"),
    }


def _best_days(
    item_days: Table, names: list[str], first: datetime.date, last: datetime.date
) -> dict[str, datetime.date]:
    """The last day on which each is to be had: least of what it moves has faded by then."""
    wanted = item_days.item_id.isin(names)
    held = item_days.filter(wanted & (item_days.available_on >= first) & (item_days.available_on < last))
    rows = arrays(held.group_by("item_id").agg(day=held.available_on.max()), "item_id", "day")
    return dict(zip(rows["item_id"], rows["day"].astype("datetime64[D]").tolist(), strict=True))


def _one(
    row: Row,
    audience: list[Row],
    day: datetime.date | None,
    cells: Cells,
    effect: Effect,
    rng: np.random.Generator,
) -> Row:
    """Targets and gain of one venue, before fading; its reason where they are not known."""
    out: Row = {
        "item_id": row["item_id"],
        "name": row["name"],
        "best_on": day,
        "reach": row["reach"],
        "reason": None,
    }
    if not row["reach"]:
        return out | {"reason": "how many people it reaches is not known"}
    if not audience:
        return out | {"reason": "nothing is known of its audience: a block item_audiences is missing"}
    if day is None:
        return out | {"reason": "no day is known on which it is to be had before the election"}
    try:
        mean, draws = _weighed(audience, cells, rng)
    except DesignError as error:
        return out | {"reason": str(error).split(" Next:")[0].rstrip(".")}
    told = _valued(mean[None, :], cells, effect, None)
    drawn = _valued(draws, cells, effect, rng)
    for name in ("turnout_targets", "persuasion_targets", "gain", "votes"):
        values = row["reach"] * getattr(drawn, name)
        low, high = np.quantile(values, [0.025, 0.975])
        out |= {name: row["reach"] * float(getattr(told, name)[0]), f"{name}_low": low, f"{name}_high": high}
        out[f"{name}_error"] = float(values.std())
    if not np.isfinite(out["persuasion_targets"]):
        out |= dict.fromkeys(("persuasion_targets", "persuasion_targets_low", "persuasion_targets_high"))
    either = float(mean @ cells.either)
    usual = float(cells.size @ cells.either / cells.size.sum())
    return out | {
        "target_lift": either / usual if usual else None,
        "low": out["gain_low"],
        "high": out["gain_high"],
    }


def _weighed(audience: list[Row], cells: Cells, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """(c,) and (d, c) shares of a venue's audience by cell: as told, and as another survey might have told."""
    features = list(dict.fromkeys(row["feature"] for row in audience))
    base = cells.size / cells.size.sum()

    def weights(shares: dict[str, Floats]) -> Floats:
        w = base.copy()
        for _ in range(8):
            for feature, share in shares.items():
                group = groups[feature]
                now = np.bincount(group, w, share.size)
                w = w * np.divide(share, now, out=np.zeros(share.size), where=now > 0)[group]
            w = w / w.sum()
        return w

    groups, told, asked = {}, {}, {}
    for feature in features:
        own = [row for row in audience if row["feature"] == feature]
        group = cells.groups(feature, [row["value"] for row in own])
        share = np.array([row["share"] for row in own], np.float64)
        # Whom no group holds keeps the place that is left: none, where the shares add up to 1.
        groups[feature] = np.where(group < 0, share.size, group)
        told[feature] = np.append(share, max(1 - share.sum(), 0.0))
        asked[feature] = max((row["n_asked"] or _DEFAULT_ASKED for row in own), default=_DEFAULT_ASKED)
        known = np.bincount(groups[feature], base, share.size + 1) > 0
        told[feature] = np.where(known, told[feature], 0.0)
        if not told[feature].sum() > 0:
            raise DesignError.of(
                f"No one of the campaign's people is in any group of {feature} that item_audiences names",
                received=[row["value"] for row in own],
            )
        told[feature] = told[feature] / told[feature].sum()
    draws = np.empty((_DRAWS, base.size))
    for k in range(_DRAWS):
        shares = {
            name: np.where(share > 0, rng.gamma(asked[name] * share + 1e-9), 0.0)
            for name, share in told.items()
        }
        draws[k] = weights({name: share / share.sum() for name, share in shares.items()})
    return weights(told), draws


def _valued(weight: Floats, cells: Cells, effect: Effect, rng: np.random.Generator | None) -> Drawn:
    """Targets and gain per person reached; with effects drawn where a generator is given."""
    noise = np.zeros((3, len(weight))) if rng is None else rng.standard_normal((3, len(weight)))
    t, h = effect.turnout + effect.turnout_error * noise[0], effect.support + effect.support_error * noise[1]
    off = 1 + cells.worth_error * noise[2]
    return Drawn(
        weight @ cells.turnout_target,
        weight @ cells.persuasion_target,
        off * (t * (weight @ cells.turnout) + h * (weight @ cells.support)),
        t * (weight @ cells.turnout_votes) + h * (weight @ cells.support_votes),
    )


def _cost(row: Row, item: Row, hour_cents: float, days: int, half_life: float, as_of: datetime.date) -> None:
    row["hours"] = item["hours"]
    row["cost_cents"] = (item["cost_cents"] or 0.0) + hour_cents * (item["hours"] or 0.0)
    if row.get("gain") is None or row["best_on"] is None:
        return
    left = 0.5 ** ((days - (row["best_on"] - as_of).days) / half_life)
    for name in ("gain", "low", "high", "votes", "gain_error"):
        row[name] *= left
    row["per_1000"] = 100_000 * row["gain"] / row["cost_cents"] if row["cost_cents"] else None
    row["per_hour"] = row["gain"] / row["hours"] if row["hours"] else None


def _refuse(row: Row, why: str) -> None:
    row |= dict.fromkeys(("gain", "low", "high", "per_1000", "per_hour", "votes"))
    row["reason"] = why


def _rank(rows: list[Row]) -> None:
    """Gain for its cost, what costs nothing first by gain; the rule of thumb by reach."""

    def worth(row: Row) -> tuple[float, float]:
        if row.get("gain") is None:
            return (-np.inf, 0.0)
        return (
            row["gain"] / row["cost_cents"] if row["cost_cents"] else np.inf * np.sign(row["gain"]),
            row["gain"],
        )

    for name, key in (("rank", worth), ("rank_by_reach", lambda row: (row["reach"] or 0.0, 0.0))):
        for place, row in enumerate(sorted(rows, key=key, reverse=True), start=1):
            row[name] = place


def _offers(rows: list[Row], offer: str) -> dict[str, list[Any]]:
    """Cumulative steps of the ranking and of the rule of thumb; errors of effects are shared, so they add up."""
    told = [row for row in rows if row.get("gain") is not None]
    out: list[Row] = []
    for way, by in (("plan", "rank"), ("largest first", "rank_by_reach")):
        total = {"cost_cents": 0.0, "gain": 0.0, "std_error": 0.0, "votes": 0.0}
        common: Row = {
            "offer": offer,
            "way": way,
            "channel": "venue",
            "evidence": "appearances",
            "tested": False,
        }
        common |= {"unit": rows[0]["unit"], "as_of": rows[0]["as_of"]}
        out.append(common | total | {"step": 0, "reason": None if told else "no venue can be valued"})
        chosen = [row for row in sorted(told, key=lambda row: row[by]) if row["gain"] > 0]
        for step, row in enumerate(chosen, start=1):
            more = {"cost_cents": row["cost_cents"], "gain": row["gain"], "votes": row["votes"]}
            more["std_error"] = row["gain_error"]
            total = {name: total[name] + more[name] for name in total}
            out.append(common | total | {"step": step, "starts_on": row["best_on"]})
    return {name: [row.get(name) for row in out] for name in spec("offers").names}
