"""Text messages."""

from __future__ import annotations

from hustings.channels.channel import Channel

TEXT = Channel("text", unit="message", unit_cost_cents=4, reaches="person", address=("phone",))
