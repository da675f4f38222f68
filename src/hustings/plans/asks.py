"""Tests of ask strings, givers and what the law allows ─► whom to ask, for how much, when, by which channel.

A string is chosen for each segment of givers by what a person asked so brought in randomised tests, shrunk. Amounts
that were never tested are not asked for, nor is more than the law still allows. Channels compete for each person
under one budget.
"""

from __future__ import annotations

import datetime
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt

from hustings import stats
from hustings.channels import channel as channel_of
from hustings.errors import DesignError
from hustings.plans.ask_amounts import Fit, Strings, fit_amounts, read_strings
from hustings.plans.ask_checks import check_asks
from hustings.plans.ask_options import option_rows, string_rows
from hustings.plans.ask_people import Candidates, Chosen, Rules
from hustings.plans.ask_rows import offer_rows, plan_rows
from hustings.plans.ask_tests import EPOCH, Gifts, Segments, known_on, read_asked, read_gifts
from hustings.plans.ask_values import Valued, value_channel
from hustings.plans.call_sheets import sheet_rows
from hustings.plans.donors import solicitable
from hustings.plans.holding_out import draw_households
from hustings.plans.reach import willing
from hustings.stage import About, Result, Table, stage
from hustings.tables import spec
from hustings.warehouse import arrays, codes

Floats = npt.NDArray[np.float64]
_WRITES = ("ask_plan", "ask_options", "ask_strings", "ask_exclusions", "call_sheets", "holdouts", "offers")


@stage(writes=_WRITES, each="plan_id", check=check_asks)
def plan_asks(
    assignments: Table,
    events: Table,
    donors: Table,
    election_limits: Table,
    people: Table,
    identities: Table,
    opt_outs: Table,
    loads: Table,
    holdouts: Table,
    messages: Table,
    *,
    plan_id: str,
    channels: Annotated[
        dict[str, list[str]],
        About('Tests of ask strings by channel: `email = ["ask_may"]`; none for calls by the rule of thumb.'),
    ],
    rule: Annotated[str, About("The string of the rule of thumb: what would be asked without any test.")],
    amounts: Annotated[
        dict[str, list[int]], About("What each arm suggested, in cents, the smallest first.")
    ] = {},  # noqa: B006
    multiples: Annotated[
        dict[str, list[float]], About("What each arm suggested as multiples of the last gift.")
    ] = {},  # noqa: B006
    not_asked: Annotated[
        str | None, About("The arm that was drawn not to be asked: what comes from it comes anyway.")
    ] = None,
    horizon_days: Annotated[int, About("Days from the ask on within which a gift counts.", ge=1)] = 7,
    segment_cents: Annotated[
        list[int], About("Breaks of the last gift, in cents, between segments of givers.")
    ] = [2_500, 10_000],  # noqa: B006
    recent_days: Annotated[int, About("A last gift so many days ago or fewer is recent.", ge=1)] = 180,
    rounded_to_cents: Annotated[int, About("Multiples of the last gift are rounded to this.", ge=1)] = 500,
    budget_cents: Annotated[int, About("What may be spent on asking, in cents.", ge=0)],
    unit_cost_cents: Annotated[
        dict[str, int], About("Cost of one ask by channel; the channel's usual unless given.")
    ] = {},  # noqa: B006
    hold_out: Annotated[
        float, About("Share of the chosen households not asked, as a control.", ge=0, le=0.5)
    ] = 0.05,
    starts_on: Annotated[
        datetime.date | None, About("The first day of asking; that of the plan unless given.")
    ] = None,
    deadline: Annotated[datetime.date | None, About("The last day of asking.")] = None,
    per_day: Annotated[
        dict[str, int], About("Asks that a channel can make in a day; all at once unless given.")
    ] = {},  # noqa: B006
    minutes_per_call: Annotated[float, About("Of the caller, for one call, dialling counted.", gt=0)] = 6.0,
    calls: Annotated[int, About("Calls on the sheet of the next call time.", ge=0)] = 40,
    also_tested: Annotated[
        list[str], About("`[messages.…]` tests of matches and deadlines, told beside the plan.")
    ] = [],  # noqa: B006
    draws: Annotated[int, About("Draws behind the intervals.", ge=500, le=20_000)] = 2_000,
    as_of: Annotated[datetime.date, About("Nothing of this day or later is used.")],
    rng: np.random.Generator,
) -> Result:
    """The plan, its strings, the rules of thumb beside it, who is left out and why, and the next call sheet."""
    where = f"[ask_plan.{plan_id}]"
    strings = read_strings(where, amounts, multiples, rounded_to_cents)
    if rule not in strings.names:
        raise DesignError.unknown(f"{where} rule", rule, strings.names)
    if sorted(set(segment_cents)) != segment_cents or min(segment_cents, default=1) <= 0:
        raise DesignError.of(f"{where} segment_cents", received=segment_cents, allowed="rising, above 0")
    costs = {name: float(unit_cost_cents.get(name, channel_of(name).unit_cost_cents)) for name in channels}
    first = max(starts_on or as_of, as_of)
    rules = Rules(plan_id, channels, costs, rule, budget_cents, hold_out, first, deadline, per_day, as_of)
    segments = Segments(tuple(segment_cents), recent_days)
    gifts = read_gifts(events, loads, as_of)
    tests = [name for own in channels.values() for name in own]
    listed = _listed(assignments, donors, solicitable(identities, loads), tests)
    people_of = _candidates(listed, donors, election_limits, people, gifts, segments, as_of)
    reached = _reached(people_of, people, opt_outs, identities, list(channels))
    valued = {}
    for name, own in channels.items():
        asked, why = read_asked(assignments, events, gifts, segments, own, horizon_days, as_of) if own else (None, "no test")  # fmt: skip
        valued[name] = value_channel(asked, why, strings, segments, (not_asked, rule), where, draws, rng)
    fits = {name: _fitted(one, strings, people_of) for name, one in valued.items()}
    chosen, whys = _choose(people_of, valued, fits, reached, rules)
    home = codes(people_of.household_id)
    drawn_for = f"ask_plan.{plan_id}"
    held, drawn = draw_households(holdouts, home.labels, drawn_for, as_of, hold_out, rng)
    held = held[home.codes]
    done = _scheduled(chosen, people_of, held, rules, whys)
    told = messages.filter(messages.message.isin(also_tested))
    # Without a test of calls the sheet is not made from the plan: who is held out is not rung either.
    sheet = sheet_rows(
        rules, people_of, done, fits, valued, strings, reached & ~held[:, None], (minutes_per_call, calls)
    )
    return {
        "ask_plan": plan_rows(rules, people_of, done, fits, valued, strings, segments),
        "ask_options": option_rows(rules, people_of, done, fits, valued, strings, reached, told),
        "ask_strings": string_rows(rules, valued, strings, segments),
        "ask_exclusions": _exclusions(rules, whys),
        "call_sheets": sheet,
        "holdouts": drawn,
        "offers": offer_rows(rules, people_of, done, fits, valued, strings),
    }


def _listed(assignments: Table, donors: Table, allowed: Any, tests: list[str]) -> Any:
    """Everyone who has given or was in a test, and may be solicited at all: a table of `person_id`."""
    in_test = assignments.filter(assignments.experiment.isin(tests)).select("person_id")
    both = in_test.union(donors.filter(donors.n_gifts > 0).select("person_id"), distinct=True)
    return both.semi_join(allowed, "person_id")


def _candidates(
    listed: Any,
    donors: Table,
    election_limits: Table,
    people: Table,
    gifts: Gifts,
    segments: Segments,
    as_of: datetime.date,
) -> Candidates:
    """Those people as the plan sees them: their segment, and what the law still allows."""
    rows = people.select("person_id", "household_id").semi_join(listed, "person_id")
    rows = rows.left_join(donors, "person_id", rname="{name}_d")
    got = arrays(rows.order_by("person_id"), "person_id", "household_id", "headroom_cents", "may_be_asked", "one_click",
                 "n_gifts", "total_given", "last_gift_on", "last_gift_cents", "pledged_cents", "missing")  # fmt: skip
    now = election_limits.filter(election_limits.is_current).to_pyarrow().to_pylist()
    current = now[0] if now else {"election": "", "limit_cents": None, "reason": "no election is declared"}
    # Without a donors' row nothing was given yet: the whole limit is left.
    new = np.isnan(np.asarray(got["n_gifts"], np.float64))
    limit = current["limit_cents"]
    whole = np.inf if limit is None else float(limit)
    headroom = np.asarray(got["headroom_cents"], np.float64)
    headroom = np.where(new, whole, np.where(np.isnan(headroom) & (limit is None), np.inf, headroom))
    known = current["reason"] is None or limit is not None
    may = np.where(new, known, np.nan_to_num(np.asarray(got["may_be_asked"], np.float64)) > 0)
    today = np.full(len(new), (as_of - EPOCH).days)
    told = known_on(gifts, got["person_id"], today)
    return Candidates(
        got["person_id"], got["household_id"], segments.codes(told), told.last, told.one_click,
        np.where(np.isnan(headroom), 0.0, headroom), may.astype(bool), got, current,
    )  # fmt: skip


def _reached(
    people_of: Candidates, people: Table, opt_outs: Table, identities: Table, channels: list[str]
) -> npt.NDArray[np.bool_]:
    """(n, c) in whose household nobody has refused the channel."""
    found = []
    for name in channels:
        left = arrays(willing(people, opt_outs, identities, {name}), "person_id")["person_id"]
        found.append(codes(people_of.person_id, left).codes >= 0)
    return np.column_stack(found) if found else np.zeros((len(people_of.person_id), 0), bool)


def _fitted(valued: Valued, strings: Strings, people_of: Candidates) -> Fit:
    return fit_amounts(
        strings, valued.expected, valued.tested, people_of.segment, people_of.last, people_of.headroom
    )


def _choose(
    people_of: Candidates,
    valued: dict[str, Valued],
    fits: dict[str, Fit],
    reached: npt.NDArray[np.bool_],
    rules: Rules,
) -> tuple[Chosen, dict[str, int]]:
    """The channel of each person under the budget, and why the others are not asked."""
    n, names = len(people_of.person_id), list(rules.channels)
    gain, could = np.zeros((n, len(names))), np.zeros((n, len(names)), bool)
    for j, name in enumerate(names):
        could[:, j] = fits[name].string >= 0
        gain[could[:, j], j] = valued[name].gain_of(fits[name], people_of)[could[:, j]]
    cost = np.array([rules.costs[name] for name in names])
    free = could & reached & people_of.may[:, None]
    worth = gain > cost
    found = stats.allocation.choose_one(
        np.where(free, gain - cost, 0.0), cost, rules.budget, allowed=free & worth
    )
    taken = found.action >= 0
    untested = not any(one.why is None for one in valued.values())
    whys = {}
    left = ~taken
    for told, rows in (
        ("the law, or a gift without an amount, leaves no headroom that is known", ~people_of.may),
        ("no test of ask strings can be read", np.full(n, untested)),
        ("what the law still allows is less than the smallest amount that was tested", ~could.any(1) & (people_of.headroom < valued_floor(valued))),
        ("no string was tested on people like them", ~could.any(1)),
        ("they, or someone they live with, have refused", ~(could & reached).any(1)),
        ("an ask is expected to bring no more than it costs", ~(free & worth).any(1)),
        ("the budget is spent on others", np.full(n, True)),
    ):  # fmt: skip
        own = left & rows
        if own.any():
            whys[told] = int(own.sum())
        left &= ~rows
    return Chosen(found.action, np.zeros(n, bool), np.zeros(n, np.int64), np.zeros(n, np.int64), gain), whys


def valued_floor(valued: dict[str, Valued]) -> float:
    """The smallest amount that any test has suggested; infinity where none has."""
    return min((float(one.tested[0].min(initial=np.inf)) for one in valued.values()), default=np.inf)


def _scheduled(
    chosen: Chosen, people_of: Candidates, held: npt.NDArray[np.bool_], rules: Rules, whys: dict[str, int]
) -> Chosen:
    """Days and order: those with a card on file first, then by gain; whoever has no day left is not asked."""
    action, rank, day = chosen.action.copy(), np.zeros(len(held), np.int64), np.zeros(len(held), np.int64)
    span = np.inf if rules.deadline is None else (rules.deadline - rules.first).days + 1
    for j, name in enumerate(rules.channels):
        own = np.flatnonzero(action == j)
        own = own[np.lexsort((-chosen.gain[own, j], ~people_of.one_click[own]))]
        rank[own] = np.arange(1, len(own) + 1)
        if rules.per_day.get(name):
            asked = ~held[own]
            day[own] = np.maximum(np.cumsum(asked) - 1, 0) // rules.per_day[name]
    late = (action >= 0) & (day >= span)
    if late.any():
        whys["no day is left before the deadline"] = int(late.sum())
    action[late] = -1
    return Chosen(action, held & (action >= 0), rank, day, chosen.gain)


def _exclusions(rules: Rules, whys: dict[str, int]) -> dict[str, list[Any]]:
    rows: dict[str, list[Any]] = {
        "plan_id": [rules.plan_id] * len(whys),
        "why": list(whys),
        "n_people": list(whys.values()),
        "as_of": [rules.as_of] * len(whys),
    }
    return {name: rows[name] for name in spec("ask_exclusions").names}
