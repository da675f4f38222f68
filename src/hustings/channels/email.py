"""E-mail."""

from __future__ import annotations

from hustings.channels.channel import Channel

EMAIL = Channel("email", unit="message", unit_cost_cents=1, reaches="person", address=("email",))
