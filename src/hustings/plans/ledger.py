"""Decisions and what became of them ─► the ledger: predicted against measured, and how right we have been.

A gain is measured only when its outcome can be known (`available_on`), on the list as it was accepted, against the
households that were held out of it. What is known earlier is called interim.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import numpy as np

from hustings import stats
from hustings.errors import DesignError
from hustings.plans.list_gains import RETURNED, Listed, Reading, lists, read_gain
from hustings.stage import About, Result, Table, stage
from hustings.tables import spec

Row = dict[str, Any]
DEPARTMENT = "Hustings"
DECIDED = Path(".hustings") / "decided"
"""Changes with every decision and every cut that is told of one: the ledger is then out of date."""


def decided(folder: Path, settings: Mapping[str, Any]) -> str:
    """What the ledger watches: the last thing that was decided, and which lists have left."""
    path, sent = folder / DECIDED, folder / "lists"
    last = path.read_text(encoding="utf-8") if path.is_file() else ""
    return "\n".join([last, *(sorted(one.name for one in sent.iterdir()) if sent.is_dir() else ())])


@stage(writes=("ledger", "ledger_fits", "decision_events"), section="ledger", watch=decided)
def measure_decisions(
    decisions: Table,
    decision_events: Table,
    decided_people: Table,
    cuts: Table,
    outcomes: Table,
    events: Table,
    budget_options: Table | None,
    *,
    outcome: Annotated[str, About("The outcome that counts as a ballot.")] = "voted",
    election_day: Annotated[datetime.date, About("Whose ballots are followed until the outcome is known.")],
    as_of: Annotated[datetime.date, About("Nothing that is known later counts.")],
) -> Result:
    """One row for each decision, how right all of them were, and what was measured for the first time today."""
    # `budget_options` is not read: it makes the ledger follow the plans, so that today's proposals are in it.
    told, happened = _rows(decisions), _rows(decision_events)
    accepted = lists(
        decided_people, decisions, outcomes, events, outcome=outcome, election_day=election_day, as_of=as_of
    )
    sent = _rows(cuts.select("plan_id", "cut_at"))
    newest = _newest(told)
    followed = any(listed.returned.any() for listed in accepted.values())
    rows: list[Row] = []
    for row in sorted(told, key=lambda r: (r["as_of"], r["plan_id"], r["decision_id"])):
        own = next(
            (e for e in happened if e["decision_id"] == row["decision_id"] and e["event"] in _VERDICTS), None
        )
        listed = accepted.get(row["decision_id"])
        found = _entry(row, own, newest, as_of) | _acted(row, own, sent)
        if listed is not None:
            found |= _of_list(listed)
            found |= _interim(listed) if followed and row["as_of"] <= election_day else {}
            found |= _final(listed, row, outcome, as_of)
        found["status"] = "measured" if found.get("measured") is not None else found["status"]
        rows.append(found)
    return {
        "ledger": {name: [row.get(name) for row in rows] for name in spec("ledger").names},
        "ledger_fits": _fits(rows, as_of),
        "decision_events": _events(rows, as_of),
    }


_VERDICTS = ("accepted", "refused")


def _rows(table: Table) -> list[Row]:
    rows: list[Row] = table.to_pyarrow().to_pylist()
    return rows


def _newest(told: list[Row]) -> set[str]:
    """Of each plan, the decisions of its newest day."""
    last: dict[str, datetime.date] = {}
    for row in told:
        last[row["plan_id"]] = max(row["as_of"], last.get(row["plan_id"], row["as_of"]))
    return {row["decision_id"] for row in told if row["as_of"] == last[row["plan_id"]]}


def _entry(row: Row, own: Row | None, newest: set[str], as_of: datetime.date) -> Row:
    status = own["event"] if own else "open" if row["decision_id"] in newest else "replaced"
    return {
        "decision_id": row["decision_id"], "plan_id": row["plan_id"], "proposed_on": row["as_of"],
        "question": row["question"], "status": status, "unit": row["unit"] or "added_ballots",
        "expected": row["expected"], "low": row["low"], "high": row["high"], "cost_cents": row["cost_cents"],
        "rule": row["rule"], "rule_expected": row["rule_expected"], "available_on": row["available_on"],
        "decided_by": own["by"] if own else None, "decided_at": own["happened_at"] if own else None,
        "note": own["note"] if own else None, "as_of": as_of,
    }  # fmt: skip


def _acted(row: Row, own: Row | None, sent: list[Row]) -> Row:
    if own is None or own["event"] != "accepted":
        return {}
    times = [
        cut["cut_at"]
        for cut in sent
        if cut["plan_id"] == row["plan_id"] and cut["cut_at"] >= own["happened_at"]
    ]
    return {"acted_at": min(times), "status": "acted"} if times else {}


def _of_list(listed: Listed) -> Row:
    n_control = int(listed.held_out.sum())
    return {
        "n_treated": int(listed.held_out.size - n_control),
        "n_control": n_control,
        "predicted": listed.predicted,
        "published": listed.published,
    }


def _interim(listed: Listed) -> Row:
    found = read_gain(listed, listed.returned)
    if found.gain is None:
        return {}
    return {"interim_outcome": RETURNED, "interim": found.gain, "interim_error": found.std_error}


def _final(listed: Listed, row: Row, outcome: str, as_of: datetime.date) -> Row:
    if row["available_on"] is None:
        return {"reason": "no day is told on which the outcome can be known (available_on)"}
    if row["available_on"] >= as_of:
        return {"reason": f"the outcome can be known from {row['available_on']}"}
    if not np.isfinite(listed.value).any():
        return {"reason": f"no outcome {outcome} has arrived"}
    found: Reading = read_gain(listed, listed.value)
    if found.gain is None:
        return {"reason": found.reason}
    return {
        "measured": found.gain, "measured_error": found.std_error, "measured_low": found.low,
        "measured_high": found.high, "error": None if listed.predicted is None else found.gain - listed.predicted,
    }  # fmt: skip


def _fits(rows: list[Row], as_of: datetime.date) -> dict[str, list[Any]]:
    """How right the plans, and the literature alone, have been: in points for each person to be reached."""
    done = [row for row in rows if row.get("measured") is not None]
    made = [_fit(source, column, done) | {"as_of": as_of} for source, column in _SOURCES]
    return {name: [row.get(name) for row in made] for name in spec("ledger_fits").names}


_SOURCES = (("plans", "predicted"), ("published", "published"))


def _fit(source: str, column: str, done: list[Row]) -> Row:
    known = [row for row in done if row.get(column) is not None]
    row: Row = {"source": source, "n_decisions": len(known)}
    per = 100 / np.array([one["n_treated"] for one in known], np.float64)
    x, y, e = (per * [one[name] for one in known] for name in (column, "measured", "measured_error"))
    if len(known) < 2:
        return row | {"reason": "fewer than two decisions have been measured"}
    bias, excess = stats.evidence.random_effects(y - x, e), stats.ledger.excess_error(x, y, e)
    row |= {
        "bias": bias.mean, "bias_low": bias.low, "bias_high": bias.high,
        "excess": excess.estimate, "excess_error": excess.std_error,
    }  # fmt: skip
    try:
        line = stats.ledger.calibration_line(x, y, e)
    except DesignError as fault:
        return row | {"reason": str(fault)}
    for name, told in (("intercept", line.intercept), ("slope", line.slope)):
        row |= {name: told.estimate, f"{name}_low": told.low, f"{name}_high": told.high}
    return row | {"spread": line.spread}


def _events(rows: list[Row], as_of: datetime.date) -> dict[str, list[Any]]:
    """What was measured: the first reading of each decision stays, and one interim reading of each day."""
    at = datetime.datetime.combine(as_of, datetime.time())
    made = []
    for row in rows:
        for event, value, error, key in (
            ("measured", "measured", "measured_error", "measured"),
            ("interim", "interim", "interim_error", f"interim-{as_of}"),
        ):
            if row.get(value) is None or (event == "interim" and row.get("measured") is not None):
                continue
            made.append({
                "event_id": f"{row['decision_id']}-{key}", "decision_id": row["decision_id"], "event": event,
                "by": DEPARTMENT, "happened_at": at, "value": row[value], "std_error": row[error],
                "note": row["interim_outcome"] if event == "interim" else None,
                "n_treated": row["n_treated"], "n_control": row["n_control"],
            })  # fmt: skip
    return {name: [row.get(name) for row in made] for name in spec("decision_events").names}
