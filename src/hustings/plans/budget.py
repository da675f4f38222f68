"""What every plan offers ─► how the money is divided, what the next of it buys, and how sure that is.

The division that gains most has one price: no use of money is left out that would gain more for a cent than one that
is in. The same money is then divided in many worlds, in which effects and the worth of a vote are as wrong as their
errors say; a robust division, and rules of thumb, are held against the best of each.
"""

from __future__ import annotations

import datetime
from typing import Annotated, NamedTuple

import numpy as np
import numpy.typing as npt

from hustings import stats
from hustings.errors import DesignError
from hustings.plans.budget_offers import RAISED, Offered, evidence_codes, read_offers
from hustings.plans.budget_rows import Board, Ways, budget_decision, budget_rows, option_rows
from hustings.stage import About, Result, Table, stage
from hustings.tables import spec
from hustings.warehouse import arrays

Floats = npt.NDArray[np.float64]


class Purse(NamedTuple):
    """What there is to spend, and on what terms.

    Attributes:
        money: Budget, less the reserve, and cash.
        reserve: Kept back, in cents.
        untested: Share of the money that untested offers may have together.
        step: One step of money, in cents.
        asks_paid_after: Days until a gift can be spent.
        as_of: Today.
    """

    money: stats.budget_cash.Money
    reserve: float
    untested: float
    step: float
    asks_paid_after: int
    as_of: datetime.date


@stage(writes=("budget", "budget_options", "decisions"), section="budget")
def divide_budget(
    offers: Table,
    vote_values: Table,
    *,
    budget_cents: Annotated[
        int | None, About("What may be spent from today on, in cents; nothing is divided unless given.", ge=0)
    ] = None,
    reserve_share: Annotated[float, About("Share of it that is kept back.", ge=0, le=1)] = 0.05,
    untested_share: Annotated[
        float, About("Share that may go to offers without an own randomised test.", ge=0, le=1)
    ] = 1.0,
    cash_cents: Annotated[
        int | None, About("What is in the bank today; the whole budget unless given.", ge=0)
    ] = None,
    income: Annotated[
        dict[datetime.date, int],
        About("Cents that come in later, by day: no cent is spent before it is there."),
    ] = {},  # noqa: B006
    asks_paid_after_days: Annotated[
        int, About("Days until a gift that is asked for can be spent.", ge=0)
    ] = 14,
    last_split: Annotated[
        dict[str, float], About("How the money was divided last time, by offer: a rule of thumb.")
    ] = {},  # noqa: B006
    step_cents: Annotated[
        int, About("The next, or last, money of which is told what it buys.", gt=0)
    ] = 1_000_000,
    draws: Annotated[int, About("Worlds in which the division is tried.", ge=100, le=20_000)] = 1_000,
    together: Annotated[
        float,
        About("Share of the error's variance that offers with one evidence have in common.", ge=0, le=1),
    ] = 0.75,
    forecast_error: Annotated[
        float, About("Relative standard error of a net vote's worth, for the aim `win`.", ge=0)
    ] = 0.3,
    near: Annotated[
        float,
        About(
            "Share of the best gain that a robust division may miss and still count as good.", ge=0, le=0.5
        ),
    ] = 0.05,
    aim: Annotated[str, About("What gains are counted in.")],
    decisive_race: Annotated[str, About("The race whose vote values count, for the aim `win`.")],
    as_of: Annotated[datetime.date, About("The day of the plan.")],
    rng: np.random.Generator,
) -> Result:
    """The plan, a robust plan and the rules of thumb: by offer, as a whole, and the decision to be taken."""
    if budget_cents is None:
        return {name: {c: [] for c in spec(name).names} for name in ("budget", "budget_options", "decisions")}
    offered = read_offers(offers, aim)
    used = [one for one in offered if one.curve is not None and one.unit != RAISED]
    asks = [one for one in offered if one.curve is not None and one.unit == RAISED]
    later = [((on - as_of).days, float(cents)) for on, cents in sorted(income.items()) if on > as_of]
    purse = Purse(
        stats.budget_cash.Money(
            budget_cents * (1 - reserve_share), np.inf if cash_cents is None else float(cash_cents), later
        ),
        budget_cents * reserve_share,
        untested_share,
        float(step_cents),
        asks_paid_after_days,
        as_of,
    )
    worlds = stats.budget_draws.draw_worlds(
        evidence_codes(used),
        draws,
        rng,
        together=together,
        forecast_error=_worth_error(vote_values, decisive_race, forecast_error) if aim == "win" else 0.0,
    )
    ways = _divide(used, asks, purse, worlds, _shares(last_split, offered), near, rng)
    left = [one for one in offered if one.curve is None]
    board = Board(
        aim,
        as_of,
        used,
        asks,
        left,
        purse.step,
        purse.reserve,
        _why_nothing(offered, used, ways, budget_cents),
    )
    options = option_rows(board, ways)
    return {
        "budget": budget_rows(board, ways),
        "budget_options": options,
        "decisions": budget_decision(board, ways, options, budget_cents),
    }


def _divide(
    used: list[Offered],
    asks: list[Offered],
    purse: Purse,
    worlds: stats.budget_draws.Worlds,
    last: Floats | None,
    near: float,
    rng: np.random.Generator,
) -> Ways:
    """Every way to divide the money, and what each is worth."""
    curves = [one.curve for one in used if one.curve is not None]
    plan = _fund(used, asks, purse)
    limits, amount = plan.limits, plan.split.amount
    best = stats.budget_draws.best_in_each(curves, limits, worlds)
    most = np.array([one.cost[-1] for one in curves])
    amounts = {
        "plan": amount,
        "robust": stats.budget_draws.robust_split(curves, limits, worlds, best, rng, near=near),
    }
    if curves:
        amounts |= {
            "largest offer": stats.budget_draws.largest_first(curves, limits),
            "equal split": stats.budget_draws.in_shares(curves, limits, np.ones(most.size)),
            "proportional to cost": stats.budget_draws.in_shares(curves, limits, most),
        }
    if last is not None:
        amounts["last split"] = stats.budget_draws.in_shares(curves, limits, last)
    whole = _fund(used, asks, _with(purse, purse.reserve))
    return Ways(
        amounts,
        stats.budget_draws.weigh(curves, np.array(list(amounts.values())), best, worlds, near=near),
        worlds,
        (best > 0).mean(axis=0),
        plan,
        _fund(used, asks, _with(purse, purse.step)).split.amount,
        _fund(used, asks, _with(purse, -purse.step)).split.amount,
        _now(used, purse, amount),
        stats.budget_draws.reserve_value(curves, whole.limits, worlds, purse.reserve),
    )


def _fund(used: list[Offered], asks: list[Offered], purse: Purse) -> stats.budget_cash.Funded:
    starts = _days(used, purse.as_of)
    begin = _days(asks, purse.as_of)
    paid = np.nan_to_num(begin) + purse.asks_paid_after
    untested = np.array([not one.tested for one in used], bool)
    ceilings = [(untested, purse.untested * purse.money.budget)] if purse.untested < 1 else []
    return stats.budget_cash.fund(
        [one.curve for one in used if one.curve is not None],
        starts,
        purse.money,
        stats.budget_cash.Asks([one.curve for one in asks if one.curve is not None], begin, paid),
        ceilings,
    )


def _with(purse: Purse, more: float) -> Purse:
    """The purse with more money today, or less."""
    money = purse.money
    return purse._replace(
        money=money._replace(budget=max(money.budget + more, 0.0), cash=max(money.cash + more, 0.0))
    )


def _now(used: list[Offered], purse: Purse, amount: Floats) -> Floats:
    """(k,) the part of the plan that needs no money which is not there yet."""
    today = purse._replace(money=purse.money._replace(income=()))
    return np.minimum(amount, _fund(used, [], today).split.amount)


def _days(offered: list[Offered], as_of: datetime.date) -> Floats:
    """(k,) days from today to when the money is spent; NaN for today or before."""
    found = [(one.starts_on - as_of).days if one.starts_on else 0 for one in offered]
    return np.array([float(days) if days > 0 else np.nan for days in found])


def _worth_error(vote_values: Table, race: str, stated: float) -> float:
    """The stated relative error, and the Monte Carlo error of the race's mean value beside it."""
    told = arrays(vote_values.filter(vote_values.race == race), "value", "std_error", "votes")
    value, error, votes = (np.nan_to_num(np.asarray(one, np.float64)) for one in told.values())
    weight = value * np.maximum(votes, 0)
    if weight.sum() <= 0:
        return stated
    return float(np.hypot(stated, (error * np.maximum(votes, 0)).sum() / weight.sum()))


def _shares(last: dict[str, float], offered: list[Offered]) -> Floats | None:
    """(k,) last time's shares of the offers in use, None where none is given; an unknown offer is refused."""
    names = [one.name for one in offered]
    for name, share in last.items():
        if name not in names:
            raise DesignError.unknown(
                "[budget] last_split names no offer:", name, names, "hustings show offers"
            )
        if not (np.isfinite(share) and share >= 0):
            raise DesignError.of(f"[budget] last_split {name}", received=share, allowed="0 or more")
    used = [one.name for one in offered if one.curve is not None and one.unit != RAISED]
    found = np.array([last.get(name, 0.0) for name in used])
    return found if found.sum() > 0 else None


def _why_nothing(offered: list[Offered], used: list[Offered], ways: Ways, budget: int) -> str | None:
    """Why nothing is spent, or None."""
    if not offered:
        return "no plan offers anything"
    if not used:
        return "no offer is expected to gain anything: " + "; ".join(
            f"{one.name}: {one.reason}" for one in offered[:5]
        )
    if budget == 0:
        return "the budget is 0"
    if ways.amounts["plan"].sum() <= 0 and ways.plan.split.gain.sum() <= 0:
        return "no cash is there on a day on which it could be spent"
    return None
