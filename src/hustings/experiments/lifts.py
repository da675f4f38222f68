"""Assignments and outcomes ─► what each arm did, by randomisation alone, and whose outcomes are missing."""

from __future__ import annotations

import datetime
from typing import Annotated, Any

import numpy as np

from hustings import stats
from hustings.errors import DesignError
from hustings.experiments.arms import Arms, read_arms
from hustings.experiments.declared import Control, Measured, ReadAt, ReadOn, why_sealed
from hustings.experiments.missing import missing_rows
from hustings.experiments.readings import ESTIMATORS, Known, none_of, read_outcome
from hustings.stage import About, Result, Table, stage
from hustings.tables import spec
from hustings.warehouse import matrix

_ANYTIME = "anytime"


@stage(writes=("lifts", "attritions"), section="experiments", each="experiment")
def measure_lifts(
    assignments: Table,
    outcomes: Table,
    features: Table | None,
    *,
    experiment: str,
    control: Control,
    measured_by: Measured,
    adjust_for: Annotated[
        list[str] | None,
        About("Columns of `features`, or earlier outcomes, to adjust for; all of `features` unless given."),
    ] = None,
    read_on: ReadOn = None,
    read_at: ReadAt = None,
    as_of: Annotated[datetime.date, About("The day as of which everyone is described.")],
) -> Result:
    """The difference of each arm to control, read in several ways, with errors clustered by unit.

    Where an arm or the control is empty, or nobody has the outcome, the numbers are null and the reason is
    there: never 0, and never a number from few. A sealed test shows only the reading that may be taken at any
    time.
    """
    drawn = assignments.filter(assignments.experiment == experiment)
    everyone = read_arms(drawn, experiment, control, "block_id", "contacted")
    known = _known(drawn, outcomes, features, experiment, everyone, adjust_for, as_of)
    lifts: list[dict[str, Any]] = []
    missing: list[dict[str, Any]] = []
    for outcome in measured_by:
        value = _value(drawn, outcomes, experiment, control, outcome, everyone.labels)
        sealed = why_sealed(as_of, read_on, read_at, int(np.sum(~np.isnan(value))))
        rows = read_outcome(everyone, value, known, outcome)
        rows = _sealed(rows, everyone, value, outcome, sealed) if sealed and len(value) else rows
        lifts += [row | {"unit": _unit(value)} for row in rows]
        missing += missing_rows(everyone, value, outcome, sealed)
    _add_q_values(lifts)
    return {
        "lifts": _columns("lifts", experiment, lifts),
        "attritions": _columns("attritions", experiment, missing),
    }


def _value(
    drawn: Any, outcomes: Table, experiment: str, control: str, outcome: str, labels: list[str]
) -> Any:
    """(n,) the outcome of each person of the test, in the order in which `read_arms` has them."""
    measured = outcomes.filter(outcomes.outcome == outcome).select("person_id", "value")
    joined = drawn.left_join(measured, "person_id", rname="{name}_o")
    return np.asarray(
        read_arms(joined, experiment, control, "value", labels=labels).more["value"], np.float64
    )


def _known(
    drawn: Any,
    outcomes: Table,
    features: Table | None,
    experiment: str,
    arms: Arms,
    adjust_for: list[str] | None,
    as_of: datetime.date,
) -> Known:
    """What was known of each person on the day of the draw, and nothing that came later."""
    import ibis

    described = tuple(name for name in spec("features").names if name not in ("person_id", "as_of"))
    names = list(described) if adjust_for is None else adjust_for
    earlier = [name for name in names if name not in described]
    nothing = np.empty((len(arms.arm), 0))
    if not len(arms.arm) or features is None or not names:
        return Known(nothing, "nothing is to be adjusted for")
    undated = int(drawn.assigned_on.isnull().sum().to_pyarrow().as_py() or 0)
    if undated:
        return Known(
            nothing,
            f"the day of the draw is not known for {undated:,} people, so nothing is known to come before it",
        )
    today = ibis.date(as_of)
    rows = drawn.mutate(_moment=(drawn.assigned_on > today).ifelse(today, drawn.assigned_on))
    same = [rows.person_id == features.person_id, rows["_moment"] == features.as_of]
    rows = rows.left_join(features, same, rname="{name}_f")
    for number, name in enumerate(earlier):
        before = outcomes.filter(outcomes.outcome == name)
        late = drawn.inner_join(before, "person_id", rname="{name}_o")
        after = late.filter(late.happened_on >= late.assigned_on)
        n_after, n_known = (int(t.count().to_pyarrow().as_py()) for t in (after, late))
        if not n_known:
            allowed = [*described, "an outcome"]
            raise DesignError.unknown(
                f"[experiments.{experiment}] adjust_for: nothing is known of", name, allowed
            )
        if n_after:
            return Known(
                nothing,
                f"{name} was measured on the day of the draw or later for {n_after:,} people: it may be what the arm did",
            )
        values = before.select(_who="person_id", **{f"_earlier_{number}": "value"})
        rows = rows.left_join(values, rows.person_id == values["_who"]).drop("_who")
    wanted = [name for name in names if name in described] + [f"_earlier_{i}" for i in range(len(earlier))]
    found = matrix(read_arms(rows, experiment, arms.labels[0], *wanted, labels=arms.labels).more)
    return Known(found.values, None if found.names else "nothing that varies was known before the draw")


def _unit(value: Any) -> str | None:
    told = value[~np.isnan(value)]
    return None if not len(told) else "share" if np.isin(told, (0.0, 1.0)).all() else "amount"


def _sealed(
    rows: list[dict[str, Any]], arms: Arms, value: Any, outcome: str, why: str
) -> list[dict[str, Any]]:
    hidden = [
        row for name in ESTIMATORS if name != _ANYTIME for row in none_of(arms, value, outcome, name, why)
    ]
    return hidden + [row for row in rows if row["estimator"] == _ANYTIME]


def _add_q_values(rows: list[dict[str, Any]]) -> None:
    """False-discovery rates over all arms and outcomes that one estimator reads."""
    for estimator in ESTIMATORS:
        own = [row for row in rows if row["estimator"] == estimator]
        p = np.array([np.nan if row["p_value"] is None else row["p_value"] for row in own])
        for row, q in zip(own, stats.discoveries.q_values(p), strict=True):
            row["q_value"] = float(q) if np.isfinite(q) else None


def _columns(table: str, experiment: str, rows: list[dict[str, Any]]) -> dict[str, list[Any]]:
    named = [{"experiment": experiment} | row for row in rows]
    return {name: [row[name] for row in named] for name in spec(table).names}
