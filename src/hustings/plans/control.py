"""Who is held back from a plan: the campaign's hold-out, the plan's own, and what that control group can show."""

from __future__ import annotations

import datetime
from typing import Any, NamedTuple

import numpy as np

from hustings import stats
from hustings.errors import DesignError
from hustings.plans.choices import Booleans
from hustings.plans.holdout import CAMPAIGN
from hustings.plans.known import Gains, People
from hustings.plans.solving import Chosen
from hustings.stage import Table
from hustings.tables import spec
from hustings.warehouse import arrays, codes

_USUAL = 0.05


class Control(NamedTuple):
    """A plan's control group.

    Attributes:
        held: (h,) households that would be contacted by the plan, and are not.
        barred: (h,) households that another plan holds out: they are in no group of this one.
        share: Held out of all.
        draws: Rows of `holdouts`, of a plan that draws its own.
        notes: What the director should know, a sentence each.
    """

    held: Booleans
    barred: Booleans
    share: float
    draws: dict[str, Any]
    notes: tuple[str, ...]


def control_of(
    labels: list[str],
    holdout: Table,
    holdouts: Table,
    plan_id: str,
    own_share: float | None,
    as_of: datetime.date,
    rng: np.random.Generator,
) -> Control:
    """The campaign's hold-out where there is one, and otherwise a draw of the plan's own, made once.

    Raises:
        DesignError: The plan claims a hold-out of its own beside the campaign's.
    """
    none: dict[str, Any] = {column: [] for column in spec("holdouts").names}
    told = arrays(holdout, "household_id", "held_out", "drawn")
    if len(told["household_id"]):
        if own_share:
            raise DesignError.of(
                f"[contact_plan.{plan_id}] hold_out: two hold-outs claim the same households",
                received=own_share,
                allowed="[holdout] for all plans, or hold_out in each",
                then=f"take hold_out out of [contact_plan.{plan_id}]",
            )
        at = codes(np.array(labels, object), told["household_id"]).codes
        held = np.where(at >= 0, np.asarray(told["held_out"], bool)[at], False)
        drawn = np.asarray(told["drawn"], bool)
        return Control(held, np.zeros(len(labels), bool), float(drawn.mean()), none, _shared(held, drawn))
    share = _USUAL if own_share is None else own_share
    before = arrays(holdouts.filter(holdouts.plan_id == plan_id), "household_id", "held_out")
    held = rng.random(len(labels)) < share
    place = codes(before["household_id"], labels).codes
    held[place[place >= 0]] = before["held_out"][place >= 0].astype(bool)
    others = holdouts.filter(
        (holdouts.plan_id != plan_id) & (holdouts.plan_id != CAMPAIGN) & holdouts.held_out
    )
    theirs = codes(
        arrays(others.select("household_id").distinct(), "household_id")["household_id"], labels
    ).codes
    barred = np.zeros(len(labels), bool)
    barred[theirs[theirs >= 0]] = True
    n = int(barred.sum())
    notes = (
        (f"{n:,} households are the control group of other plans and are left out of this one.",) if n else ()
    )
    draws = {
        "plan_id": [plan_id] * len(labels),
        "household_id": labels,
        "held_out": held,
        "drawn_on": [as_of] * len(labels),
    }
    return Control(held, barred, share, draws, notes)


def _shared(held: Booleans, drawn: Booleans) -> tuple[str, ...]:
    if held.any():
        return (
            "The control group is the campaign's: it measures all plans together against no contact at all.",
        )
    return ("The campaign's control group has been released: this plan has none.",) if drawn.any() else ()


def detectable(outcomes: Table, outcome: str, gains: Gains, people: People, done: Chosen) -> float | None:
    """The effect per person that the control group can show, from the outcome's spread in a test, or by the score."""
    size = np.bincount(gains.plan.household, minlength=gains.plan.n)
    control = int(size[done.held_out].sum())
    sent = int(size[(done.action >= 0) & ~done.held_out].sum())
    if not control or not sent:
        return None
    spread = _of_test(outcomes, outcome, gains) or _of_score(gains, people)
    if spread is None:
        return None
    deviation, alike = spread
    mean_size = (control + sent) / max(int((done.action >= 0).sum()), 1)
    return stats.power.detectable_effect(
        control, sent, deviation, mean_size=max(mean_size, 1.0), intraclass=alike
    )


def _of_test(outcomes: Table, outcome: str, gains: Gains) -> tuple[float, float] | None:
    """The outcome's deviation and its likeness within households, among the people of the first own test."""
    if not gains.trials or not len(gains.trials[0].households.person_id):
        return None
    trial = gains.trials[0].households
    known = arrays(outcomes.filter(outcomes.outcome == outcome), "person_id", "value")
    place = codes(trial.person_id, known["person_id"]).codes
    if not (place >= 0).any():
        return None
    y = np.asarray(known["value"], np.float64)[place[place >= 0]]
    home = trial.household[place >= 0]
    alike = stats.power.intraclass_correlation(y, home) if len(np.unique(home)) < len(home) else 0.0
    return float(np.std(y)), float(alike)


def _of_score(gains: Gains, people: People) -> tuple[float, float] | None:
    """The same from the score of turnout: likeness beyond what the score tells is not known and left out."""
    p, home = people.turnout, gains.plan.household
    if p is None or len(p) < 2:
        return None
    whole = float(np.mean(p) * (1 - np.mean(p)))
    alike = stats.power.intraclass_correlation(p, home) if len(np.unique(home)) < len(home) else 0.0
    return float(np.sqrt(whole)), float(alike * np.var(p) / whole) if whole > 0 else 0.0
