"""Stages small enough to follow by hand, on tables that Hustings declares.

    numbers.txt ─► households ─► outcomes.NAME (one for each [outcomes.NAME]) ─► balances
                            └──► holdouts.NAME (kept, one for each [holdouts.NAME])

`TOY_PAUSE` in the environment makes every stage wait for so many seconds between reading and returning, and
`TOY_FAILS` names a node's table whose stage raises. Neither is a setting, so neither makes anything stale.
"""

from __future__ import annotations

import datetime
import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from hustings.stage import About, Result, Table, describe, stage
from hustings.warehouse import arrays

DAY = datetime.date(2026, 1, 1)


def trouble(table: str) -> None:
    """Wait, or fail, as the environment says."""
    time.sleep(float(os.environ.get("TOY_PAUSE", "0")))
    if os.environ.get("TOY_FAILS") == table:
        raise ValueError("a stage that fails; it met 'Ms Private'")


def watch_numbers(folder: Path, settings: Mapping[str, Any]) -> str:
    """The file's text."""
    return (folder / settings["path"]).read_text()


@stage(writes="households", watch=watch_numbers)
def read_households(
    *, folder: Path, path: Annotated[str, About("A file with a number on each line.")] = "numbers.txt"
) -> Result:
    """One household for each line."""
    numbers = [int(line) for line in (folder / path).read_text().split()]
    trouble("households")
    ids = [f"h{i}" for i in range(len(numbers))]
    return {"household_id": ids, "place_id": ["p"] * len(ids), "n_people": numbers}


@stage(writes="outcomes", each="outcome")
def make_outcomes(
    households: Table, *, outcome: str, factor: Annotated[float, About("Multiplies.", gt=0, le=100)] = 1.0
) -> Result:
    """The numbers times a factor."""
    found = arrays(households.order_by("household_id"), "household_id", "n_people")
    trouble("outcomes")
    n = len(found["n_people"])
    return {
        "outcome": [outcome] * n,
        "person_id": found["household_id"],
        "value": found["n_people"] * factor,
        "happened_on": [DAY] * n,
        "arrived_at": [datetime.datetime(2026, 1, 1)] * n,
    }


@stage(writes="balances")
def add_up(outcomes: Table) -> Result:
    """The sum of each outcome."""
    import ibis

    trouble("balances")
    sums = outcomes.group_by("outcome").agg(mean=outcomes.value.sum())
    named = {"experiment": ibis.literal("toy"), "arm": ibis.literal("all")}
    return sums.mutate(**named, standardised_difference=ibis.null("float64")).rename(covariate="outcome")


@stage(writes="holdouts", each="plan_id")
def draw_holdouts(
    households: Table, *, plan_id: str, as_of: datetime.date, rng: Any, share: float = 0.5
) -> Result:
    """A draw for each household, made once and kept."""
    ids = arrays(households.order_by("household_id"), "household_id")["household_id"]
    return {
        "plan_id": [plan_id] * len(ids),
        "household_id": ids,
        "held_out": rng.random(len(ids)) < share,
        "drawn_on": [as_of] * len(ids),
    }


STAGES = tuple(describe(f) for f in (read_households, make_outcomes, add_up, draw_holdouts))

TOML = """
[campaign]
name = "Toys"
election_day = 2026-11-03
as_of = 2026-07-01
seed = 1

[outcomes.single]

[outcomes.double]
factor = 2.0
"""


def main() -> None:
    """Run the toy campaign of a folder: the first argument."""
    from hustings import flow
    from hustings.campaign import read_campaign
    from hustings.errors import HustingsError

    try:
        report = flow.run(read_campaign(sys.argv[1]), stages=STAGES)
    except HustingsError as error:
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        raise SystemExit(3) from error
    sys.stdout.write(",".join(report.computed) + "\n")
