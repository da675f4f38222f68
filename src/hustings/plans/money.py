"""Gifts so far, recurring gifts, planned asks ─► money by day until the deadline, and whether the goal is reached."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Annotated, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from hustings import stats
from hustings.errors import DesignError
from hustings.plans.ask_checks import declared_tests
from hustings.plans.ask_tests import EPOCH
from hustings.plans.donors import RUNS
from hustings.stage import About, Result, Table, stage
from hustings.stats.sustainers import Sustainers
from hustings.tables import spec
from hustings.warehouse import arrays, codes

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
_MONTH = 30.4375
_THUMB = 28
_LONGEST = 3 * 366


class Past(NamedTuple):
    """Money that has come in, by day; (t,) each, from the first day to the last before today.

    Attributes:
        first: The first day, in days since 1970.
        new: Gifts of people who had not given before.
        repeat: Gifts of those who had.
        cents: (3, t) of new, repeat and recurring gifts.
        sizes: Cents and days of single gifts, new and repeat: two pairs of arrays.
        back: Refunds of each day.
    """

    first: int
    new: Integers
    repeat: Integers
    cents: Floats
    sizes: list[tuple[Floats, Integers]]
    back: Floats


class Recurring(NamedTuple):
    """Recurring gifts; (r,) each: payments so far, day of the latest, whether it runs, cents of the latest."""

    n: Integers
    last: Integers
    runs: npt.NDArray[np.bool_]
    cents: Floats


def check_money(settings: Mapping[str, Any], sections: Mapping[str, Any]) -> None:
    """Refuse sends that are not declared.

    Raises:
        DesignError: With the one that is not.
    """
    declared_tests("[money_forecast] sends", settings["sends"], sections)


@stage(writes=("money_forecast", "sustainers"), check=check_money)
def forecast_money(
    events: Table,
    ask_plan: Table,
    assignments: Table,
    *,
    goal_cents: Annotated[
        int, About("To be received from `starts_on` to the deadline; 0 for no goal.", ge=0)
    ] = 0,
    deadline: Annotated[
        datetime.date | None, About("The last day that is foretold; nothing is unless given.")
    ] = None,
    starts_on: Annotated[
        datetime.date | None,
        About("The first day that counts towards the goal; that of the first gift unless given."),
    ] = None,
    deadlines: Annotated[
        list[datetime.date],
        About("Days, past and to come, towards which people give: ends of quarters, of months."),
    ] = [],  # noqa: B006
    sends: Annotated[
        list[str], About("Tests by which people were asked: what came of them is no part of a usual day.")
    ] = [],  # noqa: B006
    horizon_days: Annotated[
        int, About("Days within which an ask's gifts come, as in `[ask_plan.…]`.", ge=1)
    ] = 7,
    draws: Annotated[int, About("Draws behind the intervals.", ge=500, le=20_000)] = 2_000,
    as_of: Annotated[datetime.date, About("Nothing of this day or later is used.")],
    rng: np.random.Generator,
) -> Result:
    """One row for each day, past and to come; churn of recurring gifts beside it."""
    nothing: dict[str, Any] = {
        name: {c: [] for c in spec(name).names} for name in ("money_forecast", "sustainers")
    }
    if deadline is None:
        return nothing
    today = _number(as_of)
    past, recurring = _past(events, as_of), _recurring(events, as_of)
    churn, rows = _churn(recurring, as_of)
    why = _why_nothing(past, today, deadline, as_of)
    if past is None or why:
        row = {"day_on": as_of, "is_past": False, "goal": goal_cents or None, "as_of": as_of, "reason": why}
        return {
            "money_forecast": {name: [row.get(name)] for name in spec("money_forecast").names},
            "sustainers": rows,
        }
    asked = arrays(assignments.filter(assignments.experiment.isin(sends)).select("assigned_on").distinct().order_by("assigned_on"))  # fmt: skip
    days = np.arange(today, _number(deadline) + 1)
    sent = asked["assigned_on"].astype("datetime64[D]").astype(np.int64)
    marks = (np.array([_number(day) for day in deadlines], np.int64), sent)
    parts = _parts(
        past, recurring, churn, _planned(ask_plan, today), days, marks, horizon_days, draws=draws, rng=rng
    )
    return {
        "money_forecast": _rows(past, parts, days, _number(starts_on) if starts_on else past.first, goal_cents, as_of, _assumed(rows)),
        "sustainers": rows,
    }  # fmt: skip


def _assumed(sustainers: dict[str, list[Any]]) -> str | None:
    """What is taken for granted of recurring gifts where nothing tells how long they run."""
    why = next((one for one in sustainers["reason"] if one), None)
    return None if why is None else f"every recurring gift is taken to go on: {why}"


def _number(day: datetime.date) -> int:
    return (day - EPOCH).days


def _why_nothing(past: Past | None, today: int, deadline: datetime.date, as_of: datetime.date) -> str | None:
    if deadline < as_of:
        return f"the deadline {deadline} is past"
    if (deadline - as_of).days > _LONGEST:
        return "the deadline is more than three years away"
    if past is None:
        return "nothing has been received yet"
    if today - past.first < stats.money.SHORTEST:
        return f"money has come in for {today - past.first} days: {stats.money.SHORTEST} are needed"
    return None


def _money(events: Table, as_of: datetime.date) -> Any:
    morning = datetime.datetime.combine(as_of, datetime.time())
    known = events.filter(
        (events.happened_at < morning) & (events.arrived_at <= morning) & (events.value > 0)
    )
    return known.mutate(day=known.happened_at.date())


def _past(events: Table, as_of: datetime.date) -> Past | None:
    """The days before today; None where nothing came in."""
    known = _money(events, as_of)
    money = known.filter(known.kind.isin(["gift", "recurring_gift"]) & (known.value < float("inf")))
    got = arrays(money.order_by("person_id", "happened_at", "event_id"), "person_id", "kind", "day", "value")
    if not len(got["day"]):
        return None
    day = got["day"].astype("datetime64[D]").astype(np.int64)
    # What is older than three years counts as received on the first day kept, and says nothing of usual days.
    usual = day >= _number(as_of) - _LONGEST
    day = np.maximum(day, _number(as_of) - _LONGEST)
    person, cents = codes(got["person_id"]).codes, np.asarray(got["value"], np.float64)
    again = np.concatenate([[False], person[1:] == person[:-1]])
    kind = np.where(got["kind"] == "recurring_gift", 2, again.astype(np.int64))
    first, days = int(day.min()), _number(as_of) - int(day.min())
    cell = kind * days + day - first
    counts = np.bincount(cell[usual], minlength=3 * days).reshape(3, days)
    sums = np.bincount(cell, cents, minlength=3 * days).reshape(3, days)
    sizes = [(cents[usual & (kind == k)], day[usual & (kind == k)]) for k in (0, 1)]
    returned = arrays(known.filter((known.kind == "refund") & (known.value < float("inf"))), "day", "value")
    when = np.maximum(returned["day"].astype("datetime64[D]").astype(np.int64), first)
    back = np.bincount(when - first, np.asarray(returned["value"], np.float64), minlength=days)
    return Past(first, counts[0], counts[1], sums.astype(np.float64), sizes, back.astype(np.float64))


def _recurring(events: Table, as_of: datetime.date) -> Recurring:
    """Each recurring gift: one whose latest payment is longer than a month ago has stopped."""
    known = _money(events, as_of)
    own = known.filter((known.kind == "recurring_gift") & (known.value < float("inf")))
    told = own.group_by("person_id").agg(
        first=own.day.min(), last=own.day.max(), cents=own.value.argmax(own.happened_at)
    )
    got = arrays(told.order_by("person_id"), "first", "last", "cents")
    first, last = (got[name].astype("datetime64[D]").astype(np.int64) for name in ("first", "last"))
    n = 1 + np.round((last - first) / _MONTH).astype(np.int64)
    return Recurring(n, last, last > _number(as_of) - RUNS, np.asarray(got["cents"], np.float64))


def _churn(recurring: Recurring, as_of: datetime.date) -> tuple[Sustainers | None, dict[str, list[Any]]]:
    """How long recurring gifts run, and the rows of `sustainers`."""
    if not recurring.n.size:
        return None, {name: [] for name in spec("sustainers").names}
    model, why = None, None
    try:
        model = stats.sustainers.fit_sustainers(recurring.n, ~recurring.runs, ridge=0.1)
    except DesignError as error:
        why = str(error)
    paid = np.unique(recurring.n[recurring.runs])
    n_active = [int((recurring.runs & (recurring.n == n)).sum()) for n in paid]
    monthly = [float(recurring.cents[recurring.runs & (recurring.n == n)].sum()) for n in paid]
    told: dict[str, Any] = dict.fromkeys(
        ("p_stay", "p_stay_low", "p_stay_high", "payments_to_come"), [None] * paid.size
    )
    if model is not None:
        stay = stats.sustainers.stay(model, paid)
        told = dict(zip(told, (*stay, stats.sustainers.payments_to_come(model, paid, 12)), strict=True))
    rows = {
        "n_payments": paid, "n_active": n_active, **told, "cents_a_month": monthly,
        "as_of": [as_of] * paid.size, "reason": [why] * paid.size,
    }  # fmt: skip
    return model, {name: list(rows[name]) for name in spec("sustainers").names}


def _planned(ask_plan: Table, today: int) -> dict[str, npt.NDArray[Any]]:
    """Expected cents of planned asks by the day of the ask, and their error, as if all erred together."""
    told = ask_plan.filter(~ask_plan.held_out & ask_plan.expected_cents.notnull())
    told = told.mutate(error=(told.high - told.low) / (2 * 1.96)).group_by("ask_on")
    found = arrays(told.agg(cents=lambda t: t.expected_cents.sum(), error=lambda t: t.error.sum()).order_by("ask_on"))  # fmt: skip
    day = found["ask_on"].astype("datetime64[D]").astype(np.int64)
    return {"day": np.maximum(day, today), "cents": np.asarray(found["cents"], np.float64), "error": np.asarray(found["error"], np.float64)}  # fmt: skip


def _parts(
    past: Past,
    recurring: Recurring,
    churn: Sustainers | None,
    planned: dict[str, npt.NDArray[Any]],
    days: Integers,
    marks: tuple[Integers, Integers],
    horizon: int,
    *,
    draws: int,
    rng: np.random.Generator,
) -> Floats:
    """(4, draws, h) cents of each day to come: new, repeat, recurring, asks."""
    history = np.arange(past.first, past.first + len(past.new))
    parts = np.zeros((4, draws, len(days)))
    for part, counts in enumerate((past.new, past.repeat)):
        if not counts.sum():
            continue
        model = stats.money.fit_days(counts, stats.money.day_columns(history, *marks))
        cents, of = past.sizes[part]
        sizes = stats.money.gift_sizes(cents, of // 7)
        ahead = stats.money.draw_counts(model, stats.money.day_columns(days, *marks), draws, rng)
        parts[part] = stats.money.draw_money(ahead, sizes, rng)
    parts[2] = _payments(recurring, churn, days, draws, rng)
    if len(planned["day"]):
        # What asks bring comes mostly at once: half of the rest each day, within the horizon.
        profile = 0.5 ** np.arange(1, horizon + 1)
        profile /= profile.sum()
        lift = np.maximum(planned["cents"] + planned["error"] * rng.standard_normal((draws, 1)), 0.0)
        for number, day in enumerate(planned["day"]):
            at = day - days[0] + np.arange(horizon)
            inside = at < len(days)
            parts[3][:, at[inside]] += lift[:, [number]] * profile[inside]
    return parts


def _payments(
    recurring: Recurring, churn: Sustainers | None, days: Integers, draws: int, rng: np.random.Generator
) -> Floats:
    """(draws, h) cents of recurring gifts: each on its day of the month, until it stops."""
    out = np.zeros((draws, len(days)))
    runs = recurring.runs
    months = int(np.ceil(len(days) / _MONTH)) + 2
    n, last, cents = recurring.n[runs].astype(np.float64), recurring.last[runs], recurring.cents[runs]
    for ahead in range(1, months + 1):
        at = last + np.round(ahead * _MONTH).astype(np.int64) - days[0]
        due = (at >= 0) & (at < len(days))
        if not due.any():
            continue
        keeps = np.ones(int(due.sum()))
        if churn is not None:
            made = n[due]
            keeps = stats.sustainers.survival(churn, made + ahead) / stats.sustainers.survival(churn, made)
        # Sums of a day's many small payments: mean and variance of independent ones, a gamma.
        mean = np.bincount(at[due], keeps * cents[due], minlength=len(days))
        spread = np.bincount(at[due], keeps * (1 - keeps) * cents[due] ** 2, minlength=len(days))
        some = mean > 0
        shape = mean[some] ** 2 / np.maximum(spread[some], 1e-9 * mean[some] ** 2)
        out[:, some] += rng.gamma(shape, mean[some] / shape, (draws, int(some.sum())))
    return out


def _rows(
    past: Past, parts: Floats, days: Integers, first: int, goal: int, as_of: datetime.date, assumed: str | None
) -> dict[str, list[Any]]:  # fmt: skip
    """The past day by day, then the days to come."""
    of_day = past.cents.sum(axis=0)
    history = np.arange(past.first, past.first + len(of_day))
    counted = np.where(history >= first, of_day - past.back, 0.0)
    received = float(counted.sum())
    ahead = np.where(days >= first, parts.sum(axis=0), 0.0)
    total = received + ahead.cumsum(axis=1)
    low, high = np.quantile(total, [0.025, 0.975], axis=0)
    day_low, day_high = np.quantile(parts.sum(axis=0), [0.025, 0.975], axis=0)
    usual = float(of_day[-_THUMB:].mean())
    thumb = received + usual * np.cumsum(days >= first)
    means = parts.mean(axis=1)
    names = ("new_cents", "repeat_cents", "recurring_cents")
    common = {"received": received, "goal": float(goal) if goal else None, "as_of": as_of}
    rows: list[dict[str, Any]] = []
    for i in np.flatnonzero(history >= first):
        own = {name: float(past.cents[k, i]) for k, name in enumerate(names)}
        rows.append({"day_on": EPOCH + datetime.timedelta(int(history[i])), "is_past": True, "of_day": float(of_day[i]), **own,
                     "total": float(counted[: i + 1].sum()), **common})  # fmt: skip
    for h in range(len(days)):
        own = {name: float(means[k, h]) for k, name in enumerate((*names, "asks_cents"))}
        rows.append({
            "day_on": EPOCH + datetime.timedelta(int(days[h])), "is_past": False,
            "of_day": float(means[:, h].sum()), "of_day_low": float(day_low[h]), "of_day_high": float(day_high[h]), **own,
            "total": float(total[:, h].mean()), "low": float(low[h]), "high": float(high[h]), "rule": float(thumb[h]),
            "p_goal": float((total[:, h] >= goal).mean()) if goal else None, **common, "reason": assumed,
        })  # fmt: skip
    return {name: [row.get(name) for row in rows] for name in spec("money_forecast").names}
