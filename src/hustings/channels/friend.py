"""Asks from one friend to another."""

from __future__ import annotations

from hustings.channels.channel import Channel

FRIEND = Channel("friend", unit="ask", unit_cost_cents=2, reaches="person", address=())
