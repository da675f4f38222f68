"""A valued media plan ─► the rows of `media_plan`, `media_options` and `offers`."""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np
import numpy.typing as npt

from hustings import stats
from hustings.plans.media_values import Drawn, Problem, Step, Valued, Way
from hustings.tables import spec

Floats = npt.NDArray[np.float64]
Rows = dict[str, list[Any]]
_TOLD = ("medium", "market", "network", "daypart", "program", "class_of_time")


def table_of(name: str, rows: list[dict[str, Any]]) -> Rows:
    """Rows as the columns of a table."""
    return {column: [row.get(column) for row in rows] for column in spec(name).names}


def plan_rows(plan_id: str, problem: Problem, valued: Valued, as_of: datetime.date) -> Rows:
    """What to buy, slot by slot."""
    air, units = problem.airtime, valued.chosen.units
    points = _points(problem.adults, problem)
    seen = problem.votes.viewing @ units
    slope = stats.response.slope_of_effect(problem.response, np.maximum(seen, 1e-6))
    last = (problem.votes.people * problem.votes.worth * slope) @ problem.votes.viewing
    rows = []
    for at in np.flatnonzero(units > 0):
        row = {name: air.told[name][at] for name in ("slot_id", *_TOLD)}
        row |= {
            "plan_id": plan_id, "week_on": air.told["week_on"][at].astype("datetime64[D]").item(),
            "n_units": int(units[at]), "price_cents": float(air.price[at]),
            "cost_cents": float(units[at] * air.price[at]), "expected_units": float(units[at] * air.aired[at]),
            "points": float(units[at] * points[at]), "net_votes": float(last[at]),
            "lowest_unit_charge": bool(air.charged[at]), "as_of": as_of,
        }  # fmt: skip
        rows.append(row)
    return table_of("media_plan", rows)


def _points(persons: Floats, problem: Problem) -> Floats:
    """(s,) rating points that one bought unit is expected to bring among these persons."""
    total = max(float(persons.sum()), 1e-300)
    return np.asarray(100 / total * (persons @ problem.views.viewing) * problem.airtime.aired)


def option_rows(
    plan_id: str,
    problem: Problem,
    valued: Valued,
    drawn: Drawn,
    steps: list[Step],
    as_of: datetime.date,
    note: str | None,
) -> Rows:
    """The plan and the rules beside it, with their intervals."""
    plan = valued.ways[0]
    mine = plan.votes * drawn.relative["plan"] * drawn.times
    rows = []
    for way in valued.ways:
        votes = way.votes * drawn.relative[way.name] * drawn.times
        ahead = mine - votes + way.ahead_error * drawn.noise
        votes = votes + way.viewing_error * drawn.noise
        row = _reached(problem, way) | _worth(way, votes, drawn.worth)
        row |= {
            "plan_id": plan_id, "option": way.name, "about": way.about,
            "recommended": way.name == valued.chosen.name, "predicted": way.claimed, "as_of": as_of,
            "n_panelists": None if np.isinf(problem.panel.size) else problem.panel.size,
        }  # fmt: skip
        if way.name == "plan":
            row |= {"bound": valued.bound, "gap": valued.gap}
            even = None if valued.why or valued.choice.advantage >= 0 else _EVEN
            row["reason"] = "; ".join(one for one in (valued.why, even, note) if one) or None
        else:
            row |= {
                "advantage": plan.votes - way.votes,
                "advantage_low": float(np.quantile(ahead, 0.025)),
                "advantage_high": float(np.quantile(ahead, 0.975)),
                "budget_saved": _saved(steps, way, row["cost_cents"]),
            }
        rows.append(row)
    return table_of("media_options", rows)


def _reached(problem: Problem, way: Way) -> dict[str, Any]:
    """Cost, points, reach and frequency."""
    air, views = problem.airtime, problem.views
    cost = float(way.units @ air.price)
    never = views.viewing.copy()
    # Seeing is taken as independent between units, as in the response.
    never.data = np.log1p(-np.minimum(never.data, 1 - 1e-9))
    seen = -np.expm1(never @ (way.units * air.aired))
    adults, targets = problem.adults.sum(), problem.targets.sum()
    points = float(_points(problem.adults, problem) @ way.units)
    reach = float(problem.adults @ seen / adults) if adults > 0 else None
    reached = float(problem.targets @ seen)
    return {
        "n_units": int(way.units.sum()), "cost_cents": cost, "points": points,
        "target_points": float(_points(problem.targets, problem) @ way.units) if targets > 0 else None,
        "reach": reach, "frequency": points / 100 / reach if reach else None,
        "targets_reached": reached, "cents_per_target": cost / reached if reached > 0 else None,
    }  # fmt: skip


def _worth(way: Way, votes: Floats, worth: Floats) -> dict[str, Any]:
    each = way.gain / way.votes if way.votes else 0.0
    (low, high), (least, most) = (
        np.quantile(one, [0.025, 0.975]).tolist() for one in (votes, votes * worth * each)
    )
    return {
        "net_votes": way.votes, "std_error": float(votes.std(ddof=1)), "low": low, "high": high,
        "gain": way.gain, "gain_low": least, "gain_high": most,
    }  # fmt: skip


def _saved(steps: list[Step], way: Way, cost: float) -> float | None:
    """The share of a rule's cost that the plan would not need to gain as much."""
    own = [step for step in steps if step.way == "plan"]
    if cost <= 0 or way.gain <= 0 or own[-1].gain < way.gain:
        return None
    return 1 - float(np.interp(way.gain, [step.gain for step in own], [step.cost for step in own])) / cost


def with_costs(rows: Rows) -> Rows:
    """The options with their cost per net vote: of its ends the one at the other end of the votes."""
    for name, votes in (
        ("cents_per_net_vote", "net_votes"),
        ("cents_per_net_vote_low", "high"),
        ("cents_per_net_vote_high", "low"),
    ):
        pairs = zip(rows["cost_cents"], rows[votes], strict=True)
        rows[name] = [cost / n if cost is not None and n is not None and n > 0 else None for cost, n in pairs]
    return rows


def step_rows(
    plan_id: str,
    valued: Valued,
    drawn: Drawn,
    steps: list[Step],
    starts_on: datetime.date,
    as_of: datetime.date,
    aim: str,
    tested: bool,
) -> Rows:
    """The offer: what the plan that is bought, and each rule beside it, gains for how much money."""
    spread = {way.name: _relative_error(way, drawn) for way in valued.ways}
    why = _WHY_NO_BALLOTS if aim == "added_ballots" else None
    bought = valued.chosen.name
    rows = []
    for way, source in (("plan", bought), *((w.name, w.name) for w in valued.ways[1:])):
        for number, step in enumerate(step for step in steps if step.way == source):
            rows.append({
                "offer": f"media_plan.{plan_id}", "way": way, "step": number, "channel": "airtime", "unit": aim,
                "cost_cents": step.cost, "gain": None if why else step.gain,
                "std_error": None if why else abs(step.gain) * spread[source],
                "votes": step.votes, "evidence": "airtime", "tested": tested, "starts_on": starts_on,
                "as_of": as_of, "reason": why,
            })  # fmt: skip
    return table_of("offers", rows)


def _relative_error(way: Way, drawn: Drawn) -> float:
    """Of a way's gain: effect, response, decay and what votes are worth, and the panel's own beside them."""
    own = drawn.relative[way.name] * drawn.times * drawn.worth
    seen = way.viewing_error / way.votes if way.votes else 0.0
    return float(np.hypot(own.std(ddof=1), seen))


_EVEN = "within the panel's error of the best rule of thumb on panelists that it was not made on"
_WHY_NO_BALLOTS = "airtime moves choice and adds no ballots: set aim to net_votes or win in [campaign]"


def nothing(plan_id: str, as_of: datetime.date, why: str, aim: str) -> dict[str, Rows]:
    """No units, and why."""
    option = {
        "plan_id": plan_id, "option": "plan", "about": "nothing is bought", "recommended": True,
        "n_units": 0, "cost_cents": 0.0, "as_of": as_of, "reason": why,
    }  # fmt: skip
    offer = {
        "offer": f"media_plan.{plan_id}", "way": "plan", "step": 0, "unit": aim, "cost_cents": 0.0,
        "tested": False, "as_of": as_of, "reason": why,
    }  # fmt: skip
    return {
        "media_plan": table_of("media_plan", []),
        "media_options": table_of("media_options", [option]),
        "offers": table_of("offers", [offer]),
    }
