"""Telephone calls."""

from __future__ import annotations

from hustings.channels.channel import Channel

PHONE = Channel("phone", unit="call", unit_cost_cents=100, reaches="person", address=("phone",))
