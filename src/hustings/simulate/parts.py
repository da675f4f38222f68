"""Which parts the simulated campaign has besides its voters, its test of mail and its book of gifts."""

from __future__ import annotations

from hustings.simulate.geo import AIRTIME
from hustings.simulate.money import MONEY
from hustings.simulate.part import Part
from hustings.simulate.race import RACE

PARTS: tuple[Part, ...] = (
    RACE,
    AIRTIME,
    MONEY,
)
"""In the order in which they stand in campaign.toml; a new one goes to the end, so that the others' draws stay."""
