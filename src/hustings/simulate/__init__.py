"""A campaign whose truth is known: seed ─► people, their past, a test of mail, and what it really did.

`draw_world` gives the arrays, `write_campaign` a folder that the whole package can be run on. Nobody in it
is real: names are built of syllables, and postal codes are ones that are never assigned.
"""

from __future__ import annotations

from hustings.simulate.campaign import Written, write_campaign
from hustings.simulate.elections import AS_OF, ELECTION_DAY, PAST, Election
from hustings.simulate.names import Names, draw_names
from hustings.simulate.world import ARMS, World, draw_world

__all__ = [
    "ARMS",
    "AS_OF",
    "ELECTION_DAY",
    "PAST",
    "Election",
    "Names",
    "World",
    "Written",
    "draw_names",
    "draw_world",
    "write_campaign",
]
