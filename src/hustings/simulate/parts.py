"""Which parts the simulated campaign has besides its voters, its test of mail and its book of gifts."""

from __future__ import annotations

from hustings.simulate.airtime import ON_SALE
from hustings.simulate.asks import ASKING
from hustings.simulate.friends import FRIENDS
from hustings.simulate.geo import AIRTIME
from hustings.simulate.messengers import MESSENGER_PART
from hustings.simulate.money import MONEY
from hustings.simulate.part import Part
from hustings.simulate.race import RACE

PARTS: tuple[Part, ...] = (
    RACE,
    AIRTIME,
    ON_SALE,
    MESSENGER_PART,
    FRIENDS,
    ASKING,
    MONEY,
)
"""In the order in which they stand in campaign.toml; a new one goes to the end, so that the others' draws stay."""
