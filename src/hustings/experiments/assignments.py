"""Record assignments ─► who got what at random, with the unit that was drawn."""

from __future__ import annotations

from typing import Annotated, Literal

from hustings.stage import About, Result, Table, stage
from hustings.tables import spec

Unit = Literal["person", "household", "place"]


@stage(writes="assignments", section="experiments", each="experiment")
def attach_assignments(
    record_assignments: Table,
    identities: Table,
    people: Table,
    *,
    experiment: str,
    unit: Annotated[Unit, About("What was drawn at random; errors are clustered by it.")] = "household",
) -> Result:
    """The arm of each person in one test.

    A person whom two sources put into different arms is in both in the file and in neither here: the
    briefing counts them.
    """
    drawn = record_assignments.filter(record_assignments.experiment == experiment)
    same = [drawn.record_source == identities.source, drawn.record_id == identities.record_id]
    known = drawn.join(identities.select("source", "record_id", "person_id"), same, rname="{name}_of")
    arms = known.group_by("experiment", "person_id").agg(
        arm=known.arm.min(),
        n_arms=known.arm.nunique(),
        block_id=known.block_id.min(),
        assigned_on=known.assigned_on.min(),
        contacted=known.contacted.any(),
    )
    one = arms.filter(arms.n_arms == 1).join(
        people.select("person_id", "household_id", "place_id"), "person_id"
    )
    unit_id = {
        "person": one.person_id,
        "household": one.household_id,
        "place": one.place_id.coalesce(one.person_id),
    }
    return one.mutate(unit_id=unit_id[unit]).select(*spec("assignments").names)
