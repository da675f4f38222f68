"""Record outcomes ─► the same outcomes with their person."""

from __future__ import annotations

from hustings.stage import Result, Table, stage
from hustings.tables import spec


@stage(writes="outcomes")
def attach_outcomes(record_outcomes: Table, identities: Table) -> Result:
    """The newest word on each person's outcome."""
    import ibis

    same = [
        record_outcomes.record_source == identities.source,
        record_outcomes.record_id == identities.record_id,
    ]
    rows = record_outcomes.join(
        identities.select("source", "record_id", "person_id"), same, rname="{name}_of"
    )
    newest = ibis.window(
        group_by=("outcome", "person_id"),
        order_by=[ibis.desc("arrived_at"), ibis.desc("happened_on"), "source"],
    )
    ranked = rows.mutate(_rank=ibis.row_number().over(newest))
    return ranked.filter(ranked["_rank"] == 0).select(*spec("outcomes").names)
