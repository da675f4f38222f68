"""The stages of a season's week: files ─► what is known ─► offers ─► lists. The budget and the ledger are the real ones.

They read tables and files that have arrived, and nothing else: no plan sees the truth.
"""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt

from hustings.channels.evidence import USUAL, prior
from hustings.season.beliefs import SEGMENTS, Beliefs, believe, readings_of
from hustings.simulate.season import CHANNELS, PAST, POSTED_AFTER, assigned, segments
from hustings.stage import About, Result, Table, stage
from hustings.tables import spec
from hustings.warehouse import arrays, codes

Floats = npt.NDArray[np.float64]
COST = {"mail": 50.0, "phone": 100.0, "door": 300.0, "text": 4.0}
"""Cents for a household, as in `channels`; of a telephone one call, of a text one message."""
HELD_OUT = 0.25
"""Share of the households of a list that is its control group: much, since the season lives from learning."""
_STEPS = 6


def _written(folder: Path, kind: str, as_of: datetime.date) -> Any:
    """The rows of all files of a kind that had arrived before the day."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    files = sorted((folder / "sources").glob(f"{kind}-*.parquet"))
    if not files:
        return None
    rows = pa.concat_tables([pq.read_table(path) for path in files])
    morning = datetime.datetime.combine(as_of, datetime.time())
    return rows.filter(pc.less(rows["arrived_at"], pa.scalar(morning, rows["arrived_at"].type)))


@stage(writes=("people", "features", "outcomes", "events", "vote_values"), section="season_sources")
def collect_the_week(
    *,
    as_of: Annotated[datetime.date, About("Nothing that arrived on this day or later is read.")],
    folder: Path,
) -> Result:
    """What has arrived by today."""
    voters, voted, ballots = (_written(folder, kind, as_of) for kind in ("voters", "voted", "ballots"))

    def columns(table: str, rows: Any, **given: Any) -> dict[str, Any]:
        n = 0 if rows is None else rows.num_rows
        own = {} if rows is None else {name: rows[name] for name in rows.column_names}
        return {name: own.get(name, [given.get(name)] * n) for name in spec(table).names}

    return {
        "people": columns("people", voters),
        "features": columns("features", voters, as_of=as_of),
        "outcomes": columns("outcomes", voted, outcome="voted"),
        "events": columns("events", ballots, kind="ballot", name="returned", source="county"),
        "vote_values": {name: [] for name in spec("vote_values").names},
    }


@stage(writes="evidence", section="season")
def learn_the_week(
    features: Table,
    outcomes: Table,
    decided_people: Table,
    decisions: Table,
    *,
    as_of: Annotated[datetime.date, About("The day of the plan.")],
) -> Result:
    """What is believed today: the literature, and every decision whose outcome is known, by channel and segment."""
    told = (
        decisions.filter(decisions.available_on < as_of)
        .select("decision_id", "plan_id")
        .to_pyarrow()
        .to_pylist()
    )
    morning = datetime.datetime.combine(as_of, datetime.time())
    voted = outcomes.filter((outcomes.outcome == "voted") & (outcomes.arrived_at < morning))
    people = decided_people.mutate(home=decided_people.household_id.hash()).join(
        features.select("person_id", "share_voted"), "person_id"
    )
    rows = arrays(
        people.join(voted.select("person_id", "value"), "person_id"),
        "decision_id", "home", "held_out", "share_voted", "value",
    )  # fmt: skip
    decision = codes(rows["decision_id"], [row["decision_id"] for row in told]).codes
    segment = _segments(rows["share_voted"])
    readings = []
    for code, row in enumerate(told):
        own = decision == code
        if own.any():
            readings += readings_of(
                CHANNELS.index(row["plan_id"].split("-")[0]),
                np.asarray(rows["value"][own], np.float64),
                rows["held_out"][own].astype(bool),
                rows["home"][own],
                segment[own],
            )
    return _evidence(believe(readings), bool(readings))


def _segments(share_voted: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    return segments(np.round(PAST * np.asarray(share_voted, np.float64)).astype(np.int64))


def _evidence(beliefs: Beliefs, tested: bool) -> dict[str, list[Any]]:
    """The rows of `evidence`: each channel as published, and each of its segments as believed."""
    rows: list[dict[str, Any]] = []
    for channel, name in enumerate(CHANNELS):
        mean, error, spread = assigned(name)
        common = {
            "outcome": "voted", "method": USUAL[name], "channel": name, "is_tested": tested,
            "contact_rate_from": "literature", "estimand": "assignment", "source": prior(USUAL[name], "voted").source,
            "told": "the literature and the season's own decisions" if tested else "the literature",
            "prior": mean, "prior_error": error, "prior_spread": spread,
        }  # fmt: skip
        rows.append(common | {"action": name})
        rows += [
            common | {
                "action": f"{name} {part}", "estimate": float(beliefs.mean[channel, part]),
                "std_error": float(beliefs.std_error[channel, part]),
            }
            for part in range(SEGMENTS)
        ]  # fmt: skip
    return {name: [row.get(name) for row in rows] for name in spec("evidence").names}


def believed(evidence: Table) -> Beliefs:
    """Beliefs as they stand in the table."""
    told = {row["action"]: row for row in evidence.to_pyarrow().to_pylist()}
    return Beliefs(
        *(
            np.array([[told[f"{name} {part}"][column] for part in range(SEGMENTS)] for name in CHANNELS])
            for column in ("estimate", "std_error")
        )
    )


@stage(writes="offers", section="season")
def offer_the_week(
    people: Table,
    features: Table,
    evidence: Table,
    *,
    week: Annotated[int, About("Of the season, from 1.", ge=1)],
    as_of: Annotated[datetime.date, About("The day of the plan.")],
) -> Result:
    """Each channel's offer for this week's electorate: those first whom a cent is expected to move most."""
    beliefs = believed(evidence)
    homes = households(people, features, week)
    rows: list[dict[str, Any]] = []
    for channel, name in enumerate(CHANNELS):
        order = ordered(homes, beliefs, channel)
        gain = homes["gain"](beliefs.mean)[order]
        error = homes["gain"](beliefs.std_error)[order]
        cut = np.unique(np.linspace(0, order.size, _STEPS + 1).astype(int))
        totals = [np.append(0, np.cumsum(one))[cut] for one in (gain, error)]
        for step, (n, mean, wrong) in enumerate(zip(cut, *totals, strict=True)):
            rows.append({
                "offer": f"contact_plan.{name}", "way": "plan", "step": step, "channel": name,
                "unit": "added_ballots", "cost_cents": float(n * COST[name]), "gain": float(mean),
                "std_error": float(wrong), "votes": float(mean), "evidence": name, "tested": week > 1,
                "as_of": as_of,
            })  # fmt: skip
    return {name: [row.get(name) for row in rows] for name in spec("offers").names}


@stage(writes=("contact_plan", "holdouts", "decisions"), section="season")
def list_the_week(
    budget: Table,
    budget_options: Table,
    people: Table,
    features: Table,
    evidence: Table,
    *,
    week: Annotated[int, About("Of the season, from 1.", ge=1)],
    as_of: Annotated[datetime.date, About("The day of the plan.")],
    rng: np.random.Generator,
) -> Result:
    """The lists that the budget pays for, the reserve spent in equal parts on learning, and a decision for each."""
    beliefs = believed(evidence)
    homes = households(people, features, week)
    money = dict(
        zip(
            *(arrays(budget.filter(budget.way == "plan"), "offer", "cents")[c] for c in ("offer", "cents")),
            strict=True,
        )
    )
    reserve = float(
        np.nansum(np.asarray(arrays(budget_options, "reserve_cents")["reserve_cents"], np.float64))
    )
    listed: list[dict[str, Any]] = []
    drawn: list[dict[str, Any]] = []
    told: list[dict[str, Any]] = []
    for channel, name in enumerate(CHANNELS):
        plan = f"{name}-w{week:02d}"
        cents = float(money.get(f"contact_plan.{name}", 0.0)) + reserve / len(CHANNELS)
        own = np.flatnonzero(homes["channel"] == channel)
        best = ordered(homes, beliefs, channel)
        # Whoever the money of learning reaches beyond those worth it is drawn by lot.
        rest = rng.permutation(np.setdiff1d(own, best))
        n = min(int(cents / COST[name] / (1 - HELD_OUT)), own.size)
        chosen = np.concatenate([best, rest])[:n]
        held = rng.permutation(chosen.size) < round(HELD_OUT * chosen.size)
        rows = _people(plan, name, chosen, held, homes, beliefs)
        listed += rows
        drawn += [
            {"plan_id": plan, "household_id": homes["label"][h], "held_out": bool(o), "drawn_on": as_of}
            for h, o in zip(chosen, held, strict=True)
        ]
        told.append(_decision(plan, name, rows, homes, beliefs, as_of))
    return {
        table: {name: [row.get(name) for row in rows] for name in spec(table).names}
        for table, rows in (("contact_plan", listed), ("holdouts", drawn), ("decisions", told))
    }


def households(people: Table, features: Table, week: int) -> dict[str, Any]:
    """This week's households: channel, people by segment, and what beliefs say of each."""
    own = people.filter(people.place_id == f"W{week:02d}")
    rows = arrays(own.join(features.select("person_id", "share_voted"), "person_id").order_by("person_id"))
    home = codes(rows["household_id"])
    channel = np.zeros(len(home.labels), np.int64)
    channel[home.codes] = codes(rows["region_id"], list(CHANNELS)).codes
    segment = _segments(rows["share_voted"])
    counts = np.zeros((len(home.labels), SEGMENTS))
    np.add.at(counts, (home.codes, segment), 1)
    return {
        "label": home.labels, "channel": channel, "person_id": rows["person_id"], "home": home.codes,
        "segment": segment, "gain": lambda effect: (counts * effect[channel]).sum(axis=1),
    }  # fmt: skip


def ordered(homes: dict[str, Any], beliefs: Beliefs, channel: int) -> npt.NDArray[np.int64]:
    """The channel's households that are expected to gain, the best first."""
    gain = homes["gain"](beliefs.mean)
    own = np.flatnonzero((homes["channel"] == channel) & (gain > 0))
    return np.asarray(own[np.argsort(-gain[own], kind="stable")])


def _people(
    plan: str, name: str, chosen: Any, held: Any, homes: dict[str, Any], beliefs: Beliefs
) -> list[dict[str, Any]]:
    state = np.full(len(homes["label"]), -1)
    state[chosen] = held
    effect = beliefs.mean[homes["channel"][homes["home"]], homes["segment"]]
    error = beliefs.std_error[homes["channel"][homes["home"]], homes["segment"]]
    inside = np.flatnonzero(state[homes["home"]] >= 0)
    first = np.append(True, np.diff(homes["home"][inside]) != 0)
    out = state[homes["home"][inside]] == 1
    return [
        {
            "plan_id": plan, "person_id": homes["person_id"][i], "household_id": homes["label"][homes["home"][i]],
            "action": name, "held_out": bool(o), "is_addressee": bool(f),
            "cost_cents": COST[name] if f and not o else 0.0, "added_ballots": float(effect[i]),
            "std_error": float(error[i]),
        }
        for i, o, f in zip(inside, out, first, strict=True)
    ]  # fmt: skip


def _decision(
    plan: str,
    name: str,
    rows: list[dict[str, Any]],
    homes: dict[str, Any],
    beliefs: Beliefs,
    as_of: datetime.date,
) -> dict[str, Any]:
    reached = [row for row in rows if not row["held_out"]]
    expected, error = (sum(row[column] for row in reached) for column in ("added_ballots", "std_error"))
    channel = CHANNELS.index(name)
    mean = float(homes["gain"](beliefs.mean)[homes["channel"] == channel].mean())
    n_homes = sum(row["is_addressee"] for row in reached)
    return {
        "decision_id": f"{plan}-{as_of:%Y%m%d}", "plan_id": plan, "as_of": as_of,
        "question": f"Reach {n_homes:,} households by {name}?",
        "recommendation": f"Reach them as listed: {expected:,.0f} added ballots are expected.",
        "unit": "added_ballots", "expected": expected, "low": expected - 1.96 * error,
        "high": expected + 1.96 * error, "cost_cents": sum(row["cost_cents"] for row in rows),
        "rule": "households at random", "rule_expected": n_homes * mean,
        "options": f'[{{"option": "plan", "n_people": {len(reached)}}}]',
        "available_on": as_of + datetime.timedelta(POSTED_AFTER),
    }  # fmt: skip
