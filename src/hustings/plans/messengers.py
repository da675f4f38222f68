"""Affinities ─► which messenger for which audience, in which place, on which day; contests; and what to test next.

One messenger does one thing a day, an audience in a place bears so many asks, the money is limited: the assignment
worth most, with a bound. Beside it stand the rules of thumb under the same limits, all valued on the same draws.
"""

from __future__ import annotations

import datetime
from typing import Annotated, Literal

import numpy as np
import numpy.typing as npt

from hustings import stats
from hustings.plans import messenger_rows as rows
from hustings.plans.messenger_inputs import Groups, Pairs, members_of, read_groups, read_pairs, read_uses
from hustings.plans.messenger_ways import Effect, Money, draw, find_ways
from hustings.stage import About, Result, Table, stage
from hustings.warehouse import arrays

Floats = npt.NDArray[np.float64]


@stage(
    writes=("messenger_plan", "messenger_options", "messenger_shares", "contest_options", "offers"),
    each="messenger_plan",
)
def plan_messengers(
    affinities: Table,
    audience_members: Table,
    affinity_values: Table,
    people: Table,
    identities: Table,
    opt_outs: Table,
    scores: Table,
    items: Table,
    item_days: Table,
    vote_values: Table,
    places: Table,
    place_coordinates: Table,
    *,
    messenger_plan: str,
    affinity: Annotated[str, About("How likely audiences respond: an `[affinities.…]` section.")],
    counted_in: Annotated[
        Literal["votes", "cents"],
        About("What a response brings: votes by the campaign's aim, or its amount."),
    ] = "votes",
    budget_cents: Annotated[int | None, About("What may be spent; without limit unless given.", ge=0)] = None,
    contact_cents: Annotated[float, About("Cost of asking one person, besides the messenger's.", ge=0)] = 0.0,
    channel: Annotated[str, About("How people are asked; who has refused it is not.")] = "email",
    by_place: Annotated[bool, About("Whether each region is asked apart, or an audience as a whole.")] = True,
    asks_per_audience: Annotated[
        int, About("How often an audience in a place may be asked by this plan.", ge=1)
    ] = 2,
    repeat_worth: Annotated[
        float, About("What a further ask is worth, in units of the one before.", ge=0, le=1)
    ] = 0.5,
    turnout_points: Annotated[
        float, About("Points of turnout that one response moves that person; measure it by a test.")
    ] = 0.0,
    turnout_points_error: Annotated[float, About("Its standard error.", ge=0)] = 0.0,
    support_points: Annotated[float, About("Points of support that one response moves that person.")] = 0.0,
    support_points_error: Annotated[float, About("Its standard error.", ge=0)] = 0.0,
    half_life_days: Annotated[float, About("Days in which half of what moves votes is gone.", gt=0)] = 14.0,
    evidence: Annotated[
        str | None, About("What the points rest on; offers that name the same err together.")
    ] = None,
    tested: Annotated[
        bool, About("Whether a randomised test of the campaign's own stands behind them.")
    ] = False,
    explore_share: Annotated[float, About("Share of the sends that tests other items.", ge=0, le=1)] = 0.1,
    leader_share: Annotated[float, About("Of those, the share for the likely best.", gt=0, le=1)] = 0.5,
    aim: Annotated[str, About("What votes are counted in.")],
    decisive_race: Annotated[str, About("The race, for the aim `win`.")],
    playbook: Annotated[str, About("The field of use, for platforms' rules.")],
    country: Annotated[str, About("Where, for platforms' rules.")],
    election_day: Annotated[datetime.date, About("What is left on this day counts.")],
    as_of: Annotated[datetime.date, About("The first day of the plan.")],
    rng: np.random.Generator,
) -> Result:
    """The plan, its rules of thumb, each messenger's contest, the shares to log, and what money buys."""
    cents = counted_in == "cents"
    told = rows.Told(messenger_plan, "cents" if cents else aim, as_of, channel, evidence, tested)
    pairs, why = read_pairs(affinities, affinity)
    effect = Effect(
        *(v / 100 for v in (turnout_points, turnout_points_error, support_points, support_points_error))
    )
    why = why or _why_nothing(pairs, effect, cents)
    if pairs is None or why:
        return rows.nothing(told, why or "")
    members = members_of(audience_members, people, opt_outs, identities, affinity, channel)
    groups, why = read_groups(
        people, members, scores, vote_values, places, pairs.audiences,
        by_place=by_place, aim=told.unit, race=decisive_race, as_of=as_of,
    )  # fmt: skip
    if groups is None:
        return rows.nothing(told, why or "")
    uses, left_out = read_uses(
        pairs, groups, items, item_days, contact_cents=contact_cents, first=as_of, last=election_day,
        playbook=playbook, country=country,
    )  # fmt: skip
    if not uses.item.size:
        reason = (
            "nobody may be asked" if not groups.people.size else "; ".join(sorted(set(left_out.values())))
        )
        return rows.nothing(told, reason)
    left = (
        np.ones(uses.day.size)
        if cents
        else 0.5 ** (((election_day - as_of).days - uses.day) / half_life_days)
    )
    drawn = draw(pairs, groups, uses, effect, left, cents, rng)
    gross = pairs.probability[groups.audience[uses.group], uses.item] * uses.people * drawn.worth
    money = Money(
        np.inf if budget_cents is None else float(budget_cents), asks_per_audience, repeat_worth, cents
    )
    far = _distances(pairs, groups, items, place_coordinates)
    way = None if far is None else far[uses.item, uses.group]
    ways = find_ways(pairs, uses, gross, way, money, rng)
    found = rows.Found(pairs, groups, uses, drawn, ways, money, left_out)
    return {
        "messenger_plan": rows.plan_rows(told, found),
        "messenger_options": rows.option_rows(told, found, rows.logged(affinity_values, affinity)),
        "messenger_shares": rows.share_rows(told, found, explore_share, leader_share),
        "contest_options": rows.contest_rows(told, found),
        "offers": rows.offer_rows(told, found),
    }


def _why_nothing(pairs: Pairs | None, effect: Effect, cents: bool) -> str | None:
    if pairs is None:
        return None
    if cents and not np.isfinite(pairs.amount).any():
        return "responses have no amounts: count them in votes"
    if not cents and not (effect.turnout or effect.support):
        return "what a response is worth in votes is not set (turnout_points, support_points): measure it by a test"
    return None


def _distances(pairs: Pairs, groups: Groups, items: Table, place_coordinates: Table) -> Floats | None:
    """(m, g) hours from a messenger's home to a group's place; None where nothing can be told."""
    home = arrays(
        items.filter(items.item_id.isin(pairs.items)).order_by("source"), "item_id", "latitude", "longitude"
    )
    where = arrays(place_coordinates.order_by("source"), "place_id", "latitude", "longitude")
    ends = []
    for rows_of, key, names in ((home, "item_id", pairs.items), (where, "place_id", list(groups.place))):
        last = {name: k for k, name in enumerate(rows_of[key])}
        row = np.array([last.get(name, -1) for name in names], np.int64)
        axes = [
            np.append(np.asarray(rows_of[axis], np.float64), np.nan)[row]
            for axis in ("latitude", "longitude")
        ]
        ends.append(np.column_stack(axes))
    if not all(np.isfinite(end).all(axis=1).any() for end in ends):
        return None
    both = np.vstack(ends)
    known = np.isfinite(both).all(axis=1)
    hours = np.full((len(both), len(both)), np.inf)
    hours[np.ix_(known, known)] = stats.visits.travel_hours(both[known, 0], both[known, 1], 80.0)
    return hours[: len(pairs.items), len(pairs.items) :]
