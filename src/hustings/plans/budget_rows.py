"""Divisions of the money ─► the rows of `budget`, `budget_options`, and the decision."""

from __future__ import annotations

import datetime
import json
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from hustings import stats
from hustings.fingerprint import digest
from hustings.plans.budget_offers import Offered
from hustings.tables import spec

Floats = npt.NDArray[np.float64]
_ABOUT = {
    "plan": "most expected gain for the money, at one price",
    "robust": "near the best in most draws of effects and forecast",
    "largest offer": "all in the offer that can gain most, what it cannot use in the next",
    "equal split": "the same to every offer, what one cannot use to the others",
    "proportional to cost": "to every offer in proportion to what it could use",
    "last split": "as the money was divided last time",
}
RULES = ("largest offer", "equal split", "proportional to cost", "last split")
_UNITS = {"added_ballots": "added ballots", "net_votes": "net votes", "win": "points of winning"}


class Board(NamedTuple):
    """Between whom the money is divided.

    Attributes:
        aim: What gains count.
        as_of: Today.
        used: The k offers in use.
        asks: Those that bring money.
        left: Those that are left out.
        step: One step of money, in cents.
        reserve: Kept back, in cents.
        reason: Why nothing is spent, or None.
    """

    aim: str
    as_of: datetime.date
    used: list[Offered]
    asks: list[Offered]
    left: list[Offered]
    step: float
    reserve: float
    reason: str | None


class Ways(NamedTuple):
    """The divisions.

    Attributes:
        amounts: (k,) money of each way; the plan first.
        weighed: What each is worth, in their order.
        worlds: The draws.
        p_in: (k,) share of draws in whose best division each offer is.
        plan: The plan with its price, its asks and its bound.
        more: (k,) the plan with one step more.
        less: (k,) the plan with one step less.
        now: (k,) what of the plan today's cash pays for.
        reserve: Gain lost without the reserve, and gained at most with it.
    """

    amounts: dict[str, Floats]
    weighed: stats.budget_draws.Weighed
    worlds: stats.budget_draws.Worlds
    p_in: Floats
    plan: stats.budget_cash.Funded
    more: Floats
    less: Floats
    now: Floats
    reserve: tuple[float, float]


def budget_rows(board: Board, ways: Ways) -> dict[str, list[Any]]:
    """The rows of `budget`: every way by offer, the asks, and what is left out."""
    rows: list[dict[str, Any]] = []
    for way, amount in ways.amounts.items():
        told = _by_offer(board, ways, amount)
        for j, one in enumerate(board.used):
            row = {"way": way} | _named(board, one) | {name: values[j] for name, values in told.items()}
            rows.append(row | {"votes": one.votes_at(float(amount[j])), "p_in": float(ways.p_in[j])})
    margins = _margins(board, ways)
    for j in range(len(board.used)):
        rows[j] |= {name: values[j] for name, values in margins.items()}
        rows[j]["now_cents"] = float(ways.now[j])
        if rows[j]["cents"] <= 0:
            rows[j]["reason"] = board.reason or "other offers gain more for a cent"
    for j, one in enumerate(board.asks):
        pays = bool(ways.plan.asks[j] > 0)
        rows.append(
            {"way": "plan"} | _named(board, one) | {
                "cents": float(ways.plan.asks[j]),
                "raised_cents": float(ways.plan.raised[j]),
                "gain": float(ways.plan.worth[j]),
                "reason": None if pays else "its gifts would not come in time, or not buy more than they cost",
            }
        )  # fmt: skip
    rows += [{"way": "plan", "cents": 0.0, "reason": one.reason} | _named(board, one) for one in board.left]
    return {name: [row.get(name) for row in rows] for name in spec("budget").names}


def _named(board: Board, one: Offered) -> dict[str, Any]:
    return {
        "offer": one.name, "channel": one.channel, "unit": one.unit, "tested": one.tested,
        "starts_on": one.starts_on, "as_of": board.as_of,
    }  # fmt: skip


def _curves(board: Board) -> list[stats.budgets.Offer]:
    return [one.curve for one in board.used if one.curve is not None]


def _between(ways: Ways, gain: Floats, error: Floats) -> Floats:
    """(3, k) expectation and 95 % interval of gains with these errors, over the draws."""
    drawn = (gain + ways.worlds.effect * error) * ways.worlds.factor
    ends = np.quantile(drawn, [0.025, 0.975], axis=0)
    return np.concatenate([gain[None, :], ends])


def _by_offer(board: Board, ways: Ways, amount: Floats) -> dict[str, list[float]]:
    curves = _curves(board)
    gain, error = stats.budgets.gain_at(curves, amount)
    found = _between(ways, gain, error)
    short = np.minimum(board.step, amount)
    last = gain - stats.budgets.gain_at(curves, amount - short)[0]
    per = np.divide(last * board.step, short, out=np.full(last.shape, np.nan), where=short > 0)
    total = amount.sum()
    return {
        "cents": amount.tolist(),
        "share": (amount / total if total else np.zeros(amount.size)).tolist(),
        "gain": found[0].tolist(),
        "low": found[1].tolist(),
        "high": found[2].tolist(),
        "per_step": per.tolist(),
    }


def _margins(board: Board, ways: Ways) -> dict[str, list[float]]:
    """What the next step of money buys, and what the last one bought, by offer."""
    curves, plan = _curves(board), ways.amounts["plan"]
    here = stats.budgets.gain_at(curves, plan)
    found: dict[str, list[float]] = {}
    for name, other, sign in (("next", ways.more, 1.0), ("last", ways.less, -1.0)):
        gain, error = stats.budgets.gain_at(curves, other)
        ends = _between(ways, sign * (gain - here[0]), sign * (error - here[1]))
        found |= {
            f"{name}_cents": (sign * (other - plan)).tolist(),
            f"{name}_gain": ends[0].tolist(),
            f"{name}_low": ends[1].tolist(),
            f"{name}_high": ends[2].tolist(),
        }
    return found


def option_rows(board: Board, ways: Ways) -> dict[str, list[Any]]:
    """The rows of `budget_options`, the plan first."""
    curves, drawn = _curves(board), ways.weighed.gain
    plan = drawn[0]
    expected = {
        way: float(stats.budgets.gain_at(curves, amount)[0].sum()) for way, amount in ways.amounts.items()
    }
    rows: list[dict[str, Any]] = []
    for i, (way, amount) in enumerate(ways.amounts.items()):
        less = plan - drawn[i]
        votes = [one.votes_at(float(x)) for one, x in zip(board.used, amount, strict=True)]
        row = {
            "way": way, "about": _ABOUT[way], "unit": board.aim, "cents": float(amount.sum()),
            "n_offers": int((amount > 0).sum()), "gain": expected[way],
            "std_error": float(ways.weighed.std_error[i]),
            "low": float(ways.weighed.low[i]), "high": float(ways.weighed.high[i]),
            "votes": None if None in votes else float(sum(v or 0.0 for v in votes)),
            "p_near": float(ways.weighed.near[i]), "regret": float(ways.weighed.regret[i]),
            "as_of": board.as_of, "reason": board.reason,
        }  # fmt: skip
        if i:
            row |= {
                "advantage": expected["plan"] - expected[way],
                "advantage_low": float(np.quantile(less, 0.025)),
                "advantage_high": float(np.quantile(less, 0.975)),
                "p_behind": float((less > 1e-12 * np.abs(plan).max(initial=0.0)).mean()),
            }
        rows.append(row)
    rows[0] |= _of_the_plan(board, ways)
    return {name: [row.get(name) for row in rows] for name in spec("budget_options").names}


def _of_the_plan(board: Board, ways: Ways) -> dict[str, Any]:
    """What only the plan has: its price, its margins, its bound, its reserve."""
    split, curves = ways.plan.split, _curves(board)
    row: dict[str, Any] = {
        "step_cents": board.step, "price": split.price * board.step, "bound": split.bound, "gap": split.gap,
        "reserve_cents": board.reserve, "reserve_lost": ways.reserve[0], "reserve_known": ways.reserve[1],
        "raised_cents": float(ways.plan.raised.sum()),
    }  # fmt: skip
    pairs = np.stack([ways.amounts["plan"], ways.more, ways.less])
    drawn = stats.budget_draws.gains(curves, pairs, ways.worlds)
    expected = stats.budgets.gain_at(curves, pairs)[0].sum(axis=1)
    for name, mean, draws in (
        ("next", expected[1] - expected[0], drawn[1] - drawn[0]),
        ("last", expected[0] - expected[2], drawn[0] - drawn[2]),
    ):
        row |= {
            f"{name}_gain": float(mean),
            f"{name}_low": float(np.quantile(draws, 0.025)),
            f"{name}_high": float(np.quantile(draws, 0.975)),
        }
    return row


def budget_decision(
    board: Board, ways: Ways, options: dict[str, list[Any]], budget: float
) -> dict[str, list[Any]]:
    """One row of `decisions`: the plan beside the rules of thumb it replaces."""
    rows = [dict(zip(options, values, strict=True)) for values in zip(*options.values(), strict=True)]
    plan = rows[0]
    rule = max((row for row in rows if row["way"] in RULES), key=lambda row: row["gain"], default=None)
    nothing = board.reason is not None
    row = {
        "decision_id": digest(
            "budget", str(board.as_of), board.aim, str(budget), *(f"{x:.0f}" for x in ways.amounts["plan"])
        ),
        "plan_id": "budget",
        "as_of": board.as_of,
        "question": f"How are {_money(budget)} divided?",
        "recommendation": f"Spend nothing: {board.reason}." if nothing else _advice(board, ways, plan, rule),
        "unit": board.aim,
        "expected": None if nothing else plan["gain"],
        "low": None if nothing else plan["low"],
        "high": None if nothing else plan["high"],
        "cost_cents": plan["cents"],
        "rule": rule["way"] if rule else None,
        "rule_expected": rule["gain"] if rule else None,
        "options": json.dumps(rows, default=str),
    }
    return {name: [row.get(name)] for name in spec("decisions").names}


def _advice(board: Board, ways: Ways, plan: dict[str, Any], rule: dict[str, Any] | None) -> str:
    order = np.argsort(-ways.amounts["plan"], kind="stable")
    parts = [
        f"{board.used[j].name} {_money(x)}"
        for j in order.tolist()
        if (x := float(ways.amounts["plan"][j])) > 0
    ]
    text = f"{', '.join(parts[:6])}{', …' if len(parts) > 6 else ''}: {_gain(board.aim, plan['gain'])} "
    text += f"(95 % interval {_gain(board.aim, plan['low'])} to {_gain(board.aim, plan['high'])})."
    if rule is not None:
        text += f" The best simple rule, {rule['way']}, brings {_gain(board.aim, rule['gain'])}."
    robust = ways.weighed.near[1]
    if robust > ways.weighed.near[0] + 0.05:
        text += f" The robust division is near the best in {robust:.0%} of draws, this one in {ways.weighed.near[0]:.0%}."
    return text


def _gain(aim: str, gain: float) -> str:
    """A gain in words.

    >>> _gain("win", 0.0123), _gain("net_votes", -1513.2)
    ('1.23 points of winning', '−1,513 net votes')
    """
    number = f"{100 * gain:,.2f}" if aim == "win" else f"{gain:,.0f}"
    return f"{number.replace('-', '−')} {_UNITS[aim]}"


def _money(cents: float) -> str:
    return f"{cents / 100:,.0f}"
