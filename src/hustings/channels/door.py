"""Canvassing at doors."""

from __future__ import annotations

from hustings.channels.channel import Channel

DOOR = Channel("door", unit="door", unit_cost_cents=300, reaches="household", address=("address",))
