"""The arms of a test that Hustings drew ─► whom to reach with what, before opt-outs are applied again."""

from __future__ import annotations

import json
from typing import Any

from hustings.channels import channel
from hustings.warehouse import Lake, read


def drawn_tests(lake: Lake) -> list[str]:
    """The tests that were drawn, by name."""
    return sorted(read(lake, "draws").experiment.to_pyarrow().to_pylist())


def listed_arms(lake: Lake, experiment: str) -> list[dict[str, Any]] | None:
    """Everyone in an arm other than control, with their ways to be reached.

    Where households or places were drawn and every channel reaches a household, one person of each household
    is named; otherwise everyone.

    Args:
        lake: An open lake.
        experiment: The test.

    Returns:
        Rows with `channels`, the arm standing as the `action`; None when no test of that name was drawn.
    """
    draws = read(lake, "draws")
    recorded = draws.filter(draws.experiment == experiment).to_pyarrow().to_pylist()
    if not recorded:
        return None
    design = json.loads(recorded[0]["settings"])
    assigned = read(lake, "assignments").filter(lambda t: t.experiment == experiment)
    people = read(lake, "people").select("person_id", "household_id")
    private = read(lake, "people_private")
    rows = assigned.filter(assigned.arm != design["control"]).join(people, "person_id", rname="{name}_p")
    rows = rows.left_join(private, "person_id", rname="{name}_q")
    found: list[dict[str, Any]] = rows.order_by("household_id", "person_id").to_pyarrow().to_pylist()
    for row in found:
        row |= {"plan_id": experiment, "action": row["arm"], "channels": design["channels"]}
    homes = all(channel(name).reaches == "household" for name in design["channels"])
    if design["unit"] == "person" or not homes:
        return found
    # The first of a household, in the order of their ids.
    return list({row["household_id"]: row for row in reversed(found)}.values())[::-1]
