"""Record events ─► the same events with their person."""

from __future__ import annotations

from hustings.stage import Result, Table, stage
from hustings.tables import spec


@stage(writes="events")
def attach_events(record_events: Table, identities: Table) -> Result:
    """Every event of a record that is known; an event of an unknown record is told of in the briefing."""
    same = [record_events.record_source == identities.source, record_events.record_id == identities.record_id]
    return record_events.join(
        identities.select("source", "record_id", "person_id"), same, rname="{name}_of"
    ).select(*spec("events").names)
