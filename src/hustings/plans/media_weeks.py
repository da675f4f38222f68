"""Response curves, areas and weeks ─► how much to spend where and when, and how much to leave."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Annotated, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from hustings import stats
from hustings.errors import DesignError
from hustings.plans.worth import Worth, worth_of
from hustings.stage import About, Result, Table, stage
from hustings.tables import spec
from hustings.warehouse import arrays, residents

Floats = npt.NDArray[np.float64]
Row = dict[str, Any]
WEEK = datetime.timedelta(7)
_FAR = 0.1
_LINEAR = "a vote is valued as the first ones are: so many of them gain less of the chance to win than this; read net_votes"
_STEPS = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.25, 1.5, 2.0)


class Market(NamedTuple):
    """Where and when money may be spent, and what it does there.

    Attributes:
        places: (a,) areas.
        people: (a,) votes that are cast there.
        weeks: (w,) first days.
        cast: (w,) share of the votes cast in each week.
        names: (c,) channels.
        curves: (c,) what each does.
        draws: (c,) its draws.
        known: (c,) its row of `responses`.
        worth: Of a net vote in each area.
        value: (a,) of one vote per person moved: people × net votes × worth.
        likely: (d, a) the same with its errors.
    """

    places: list[str]
    people: Floats
    weeks: list[datetime.date]
    cast: Floats
    names: list[str]
    curves: list[stats.media_weeks.Channel]
    draws: list[Floats]
    known: list[Row]
    worth: Worth
    value: Floats
    likely: Floats


@stage(writes=("media_weeks", "media_week_options", "offers"), each="plan_id")
def plan_media_weeks(
    responses: Table,
    response_draws: Table,
    place_outcomes: Table,
    places: Table,
    place_people: Table,
    spends: Table,
    vote_values: Table,
    *,
    plan_id: str,
    channels: Annotated[list[str], About("Channels with a response: `[responses.…]` sections.")],
    budget_cents: Annotated[int, About("What may be spent until election day, in cents.", ge=0)],
    areas: Annotated[
        list[str], About("Where money may be spent; all places of `place_outcomes` unless given.")
    ] = [],  # noqa: B006
    starts_on: Annotated[
        datetime.date | None, About("The first day of spending; that of the plan unless given.")
    ] = None,
    votes_by_week: Annotated[
        list[float],
        About("Shares of the votes cast in the last weeks, election day's last; all on it unless given."),
    ] = [1.0],  # noqa: B006
    price_by_week: Annotated[
        list[float], About("Prices of the last weeks in units of the tests', election week last; else 1.")
    ] = [],  # noqa: B006
    price_by_area: Annotated[
        dict[str, float], About("Prices of areas in units of the tests'; 1 unless given.")
    ] = {},  # noqa: B006
    net_votes_per_change: Annotated[
        float,
        About(
            "Net votes of one person who changes: 2 where the outcome is support, 1 where it is a ballot.",
            gt=0,
        ),
    ] = 2.0,
    elsewhere_cents_per_vote: Annotated[
        float | None, About("What a net vote costs elsewhere: nothing dearer is bought here.", gt=0)
    ] = None,
    last_election_day: Annotated[
        datetime.date | None,
        About("Of the last cycle, whose `spends` make a rule of thumb; none unless given."),
    ] = None,
    aim: Annotated[str, About("As in `[campaign] aim`.")],
    decisive_race: Annotated[str, About("As in `[campaign] decisive_race`.")],
    election_day: Annotated[datetime.date, About("What is left on the days of voting counts.")],
    as_of: Annotated[datetime.date, About("The day of the plan.")],
    rng: np.random.Generator,
) -> Result:
    """The split that gains most, rules of thumb beside it at equal cost, and what each money would gain."""
    weeks = _weeks(starts_on or as_of, election_day)
    known, why = _known(responses, response_draws, channels, plan_id)
    if why or not weeks:
        return _nothing(plan_id, why or "no week is left before the election", budget_cents, aim, as_of)
    names = areas or sorted(place_outcomes.select("place_id").distinct().to_pyarrow()["place_id"].to_pylist())
    for area in price_by_area:
        if area not in names:
            raise DesignError.unknown(f"[media_weeks.{plan_id}] price_by_area: no such area", area, names)
    people, within = residents(places, place_people, names, f"[media_weeks.{plan_id}] areas")
    worth = _worth_in(within, vote_values, places, aim, decisive_race)
    draws = [found[1] for found in known]
    value = people * net_votes_per_change * worth.value
    noise = rng.standard_normal((len(draws[0]), 1))
    likely = people * net_votes_per_change * np.maximum(worth.value + worth.std_error * noise, 0)
    market = Market(
        names, people, weeks, _last(votes_by_week, len(weeks), plan_id),
        list(channels), _curves(known, people, _prices(price_by_week, len(weeks)), price_by_area, names), draws,
        [found[0] for found in known], worth, value, likely,
    )  # fmt: skip
    middle = float(worth.value @ people / people.sum())
    elsewhere = 0.0 if elsewhere_cents_per_vote is None else middle / elsewhere_cents_per_vote
    plan = stats.media_weeks.plan_weeks(market.curves, value, market.cast, budget_cents, elsewhere=elsewhere)
    rules = _rules(market, spends, last_election_day, budget_cents)
    offers = _offers(market, rules, plan_id, elsewhere, budget_cents, aim, as_of)
    return {
        "media_weeks": _splits(market, {"plan": plan.cents} | rules, plan_id, elsewhere, as_of),
        "media_week_options": _options(market, plan, rules, (plan_id, aim), budget_cents, as_of),
        "offers": offers,
    }


def _weeks(first: datetime.date, election_day: datetime.date) -> list[datetime.date]:
    """Weeks that end with election day, none that begins before the first day of spending."""
    last = election_day - datetime.timedelta(6)
    n = max(0, (last - first).days // 7 + 1)
    return [last - WEEK * back for back in range(n - 1, -1, -1)]


def _known(
    responses: Table, response_draws: Table, channels: list[str], plan_id: str
) -> tuple[list[tuple[Row, Floats]], str | None]:
    rows = {row["channel"]: row for row in responses.to_pyarrow().to_pylist()}
    found = []
    for name in channels:
        if name not in rows:
            raise DesignError.unknown(
                f"[media_weeks.{plan_id}] channels: no response of", name, rows, f"add [responses.{name}]"
            )
        if rows[name]["kind"] is None:
            return [], f"the response of {name} is not known: {rows[name]['reason']}"
        told = arrays(
            response_draws.filter(response_draws.channel == name).order_by("draw"),
            "full_effect",
            "rate",
            "shape",
            "half_life",
        )
        found.append((rows[name], np.column_stack([np.asarray(c, np.float64) for c in told.values()])))
    return found, None if found else "no channel is named"


def _worth_in(within: list[str], vote_values: Table, places: Table, aim: str, race: str) -> Worth:
    """What a net vote is worth in each area: of a larger one the mean of the places inside it, by their votes."""
    own = worth_of(np.array(within, object), vote_values, places, aim=aim, race=race)
    rows = arrays(places.order_by("source"), "place_id", "parent_id", "votes")
    leaves = np.setdiff1d(rows["place_id"].astype(str), [p for p in rows["parent_id"] if p is not None])
    if aim != "win" or not leaves.size:
        return own
    parent = dict(zip(rows["place_id"].tolist(), rows["parent_id"].tolist(), strict=True))
    votes = dict(
        zip(rows["place_id"].tolist(), np.nan_to_num(np.asarray(rows["votes"], np.float64)), strict=True)
    )
    each = worth_of(leaves.astype(object), vote_values, places, aim=aim, race=race)
    weight = np.array([votes[leaf] for leaf in leaves.tolist()])
    value, error = own.value.copy(), own.std_error.copy()
    for i, area in enumerate(within):
        inside = np.array([_inside(leaf, area, parent) for leaf in leaves.tolist()])
        if not value[i] and (weight * inside).sum() > 0:
            value[i], error[i] = (
                np.average(column, weights=weight * inside) for column in (each.value, each.std_error)
            )
    return Worth(value, error)


def _inside(place: str, area: str, parent: dict[str, Any]) -> bool:
    at: Any = place
    seen: set[Any] = set()
    while at is not None and at not in seen and at != area:
        seen.add(at)
        at = parent.get(at)
    return bool(at == area)


def _last(shares: list[float], n: int, plan_id: str) -> Floats:
    """Shares of the last weeks, set against all weeks; votes cast before the first are out of reach."""
    told = np.asarray(shares, np.float64)
    if not told.size or not (np.isfinite(told).all() and (told >= 0).all() and told.sum() > 0):
        raise DesignError.of(f"[media_weeks.{plan_id}] votes_by_week", received=shares, allowed="0 or more")
    told = told / told.sum()
    late = told[-n:]
    return np.concatenate([np.zeros(n - late.size), late / late.sum()]) if late.sum() > 0 else np.eye(n)[-1]


def _prices(by_week: list[float], n: int) -> Floats:
    told = np.asarray(by_week, np.float64)[-n:]
    return np.concatenate([np.ones(n - told.size), told])


def _curves(
    known: list[tuple[Row, Floats]],
    people: Floats,
    by_week: Floats,
    by_area: Mapping[str, float],
    names: list[str],
) -> list[stats.media_weeks.Channel]:
    index = np.array([by_area.get(name, 1.0) for name in names])
    found = []
    for row, draws in known:
        full, response, life = stats.response_fit.mean_curve(draws, row["tested_to"])
        price = row["cents_per_dose"] * np.outer(people * index, by_week)
        found.append(stats.media_weeks.Channel(full, response, life, row["tested_to"], price))
    return found


def _rules(
    market: Market, spends: Table, last_election_day: datetime.date | None, budget: float
) -> dict[str, Floats]:
    n, weeks = len(market.names), len(market.weeks)
    late = np.arange(weeks) >= weeks - 2
    rules = {
        "equal by week": stats.media_weeks.spread(budget, market.people, np.ones(weeks), n),
        "last two weeks": stats.media_weeks.spread(budget, market.people, late, n),
        "equal by area": stats.media_weeks.spread(budget, np.ones(len(market.places)), np.ones(weeks), n),
    }
    before = _last_cycle(market, spends, last_election_day)
    if before is not None:
        rules["last cycle's"] = budget * before
    return rules


def _last_cycle(market: Market, spends: Table, election_day: datetime.date | None) -> Floats | None:
    """(c, a, w) shares of the money of the last cycle, week for week before its election day."""
    if election_day is None:
        return None
    rows = arrays(spends.order_by("source"), "place_id", "week_on", "channel", "cents")
    found = np.zeros((len(market.names), len(market.places), len(market.weeks)))
    area = {name: i for i, name in enumerate(market.places)}
    for place, day, name, cents in zip(*rows.values(), strict=True):
        back = (election_day - np.datetime64(day, "D").astype(datetime.date)).days // 7
        week = len(market.weeks) - 1 - back
        if name in market.names and place in area and 0 <= week < len(market.weeks) and back >= 0:
            found[market.names.index(name), area[place], week] += cents
    return found / found.sum() if found.sum() > 0 else None


def _gains(market: Market, cents: Floats) -> tuple[Floats, Floats]:
    """(d,) gains and net votes under what the responses, and the votes' worth, may be."""
    votes = np.divide(
        market.value, market.worth.value, out=np.zeros_like(market.value), where=market.worth.value > 0
    )
    total, net = np.zeros(len(market.likely)), np.zeros(len(market.likely))
    for curve, draws, own in zip(market.curves, market.draws, cents, strict=True):
        told = (draws, own, curve.price, curve.most)
        total += stats.media_weeks.gains_of_draws(*told, market.likely, market.cast)
        net += stats.media_weeks.gains_of_draws(*told, votes, market.cast)
    return total, net


_ABOUT = {
    "plan": "where and when a dollar gains most, within the tested doses",
    "equal by week": "the same every week, areas by votes",
    "last two weeks": "all in the last two weeks, areas by votes",
    "equal by area": "the same in every area and week",
    "last cycle's": "as the money of the last cycle was split",
}


def _options(
    market: Market,
    plan: stats.media_weeks.Weeks,
    rules: dict[str, Floats],
    about: tuple[str, str],
    budget: float,
    as_of: datetime.date,
) -> dict[str, list[Any]]:
    plan_id, aim = about
    mine, net = _gains(market, plan.cents)
    rows: list[Row] = []
    # At equal cost: a rule spends what the plan spends, so that it is not the poorer for what the plan left.
    scale = plan.spent / budget if budget > 0 else 0.0
    for name, cents in ({"plan": plan.cents} | {n: c * scale for n, c in rules.items()}).items():
        gained, votes = (mine, net) if name == "plan" else _gains(market, cents)
        (low, high), (least, most) = (np.quantile(told, [0.025, 0.975]) for told in (gained, votes))
        less = mine - gained
        row: Row = dict.fromkeys(spec("media_week_options").names) | {
            "plan_id": plan_id, "option": name, "about": _ABOUT[name], "budget_cents": budget,
            "cost_cents": float(cents.sum()), "left_cents": budget - float(cents.sum()),
            "net_votes": float(votes.mean()), "votes_low": float(least), "votes_high": float(most), "gain": float(gained.mean()), "std_error": float(gained.std()),
            "low": float(low), "high": float(high), "as_of": as_of,
        }  # fmt: skip
        if name == "plan":
            far = aim == "win" and row["gain"] > _FAR
            row |= {"reason": _LINEAR if far else None, "gap": plan.gap, "why_left": plan.why_left}
        else:
            ends = np.quantile(less, [0.025, 0.975])
            row |= {"advantage": float(less.mean()), "advantage_low": float(ends[0]), "advantage_high": float(ends[1])}  # fmt: skip
        rows.append(row)
    return {name: [row[name] for row in rows] for name in spec("media_week_options").names}


def _splits(
    market: Market, ways: dict[str, Floats], plan_id: str, elsewhere: float, as_of: datetime.date
) -> dict[str, list[Any]]:
    slope = stats.media_weeks.marginal_gain(market.curves, ways["plan"], market.value, market.cast)
    price = np.array([np.broadcast_to(curve.price, ways["plan"].shape[1:]) for curve in market.curves])
    each = np.where(market.worth.value > 0, market.worth.value, 1.0)[:, None]
    rows: list[tuple[Any, ...]] = []
    for option, cents in ways.items():
        for c, a, w in np.argwhere(cents >= 0.5).tolist():
            amount = float(cents[c, a, w])
            more = 100 * float(slope[c, a, w] / each[a, 0]) if option == "plan" else None
            rows.append((
                plan_id, option, market.names[c], market.places[a], market.weeks[w], amount,
                amount / float(price[c, a, w]), more, as_of,
            ))  # fmt: skip
    columns = zip(*rows, strict=True) if rows else ([] for _ in spec("media_weeks").names)
    return dict(zip(spec("media_weeks").names, map(list, columns), strict=True))


def _offers(
    market: Market,
    rules: dict[str, Floats],
    plan_id: str,
    elsewhere: float,
    budget: float,
    aim: str,
    as_of: datetime.date,
) -> dict[str, list[Any]]:
    """What more and less money would gain, the plan's steps beyond its budget among them."""
    rows: list[Row] = []
    base = {
        "offer": f"media_weeks.{plan_id}", "unit": aim, "as_of": as_of, "starts_on": market.weeks[0],
        "tested": all(row["randomised"] for row in market.known),
        "evidence": ", ".join(f"responses.{name}" for name in market.names),
    }  # fmt: skip
    for way in ("plan", *rules):
        shares = _STEPS if way == "plan" else (0.25, 0.5, 0.75, 1.0)
        rows.append(base | _step(market, way, 0, np.zeros_like(next(iter(rules.values())))))
        for share in shares:
            if way == "plan":
                cents = stats.media_weeks.plan_weeks(
                    market.curves,
                    market.value,
                    market.cast,
                    share * budget,
                    elsewhere=elsewhere,
                    tolerance=1e-3,
                ).cents
            else:
                cents = share * rules[way]
            before = rows[-1]
            if cents.sum() > before["cost_cents"] * (1 + 1e-6) + 1:
                rows.append(base | _step(market, way, before["step"] + 1, cents))
    return {name: [row.get(name) for row in rows] for name in spec("offers").names}


def _step(market: Market, way: str, step: int, cents: Floats) -> Row:
    gained, votes = _gains(market, cents)
    return {
        "way": way, "step": step, "channel": market.names[int(cents.sum((1, 2)).argmax())],
        "cost_cents": float(cents.sum()), "gain": float(gained.mean()), "std_error": float(gained.std()),
        "votes": float(votes.mean()), "reason": None,
    }  # fmt: skip


def _nothing(plan_id: str, why: str, budget: float, aim: str, as_of: datetime.date) -> Result:
    row = dict.fromkeys(spec("media_week_options").names) | {
        "plan_id": plan_id, "option": "plan", "about": _ABOUT["plan"], "budget_cents": budget, "cost_cents": 0.0,
        "left_cents": budget, "why_left": why, "as_of": as_of, "reason": why,
    }  # fmt: skip
    offer = dict.fromkeys(spec("offers").names) | {
        "offer": f"media_weeks.{plan_id}", "way": "plan", "step": 0, "unit": aim, "cost_cents": 0.0,
        "tested": False, "as_of": as_of, "reason": why,
    }  # fmt: skip
    return {
        "media_weeks": {name: [] for name in spec("media_weeks").names},
        "media_week_options": {name: [value] for name, value in row.items()},
        "offers": {name: [value] for name, value in offer.items()},
    }
