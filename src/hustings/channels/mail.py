"""Letters and postcards."""

from __future__ import annotations

from hustings.channels.channel import Channel

MAIL = Channel("mail", unit="piece", unit_cost_cents=50, reaches="household", address=("address", "postcode"))
