"""What a channel is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Channel:
    """One way to reach people.

    Attributes:
        name: As in campaign.toml and in `opt_outs`.
        unit: What one unit of it is called.
        unit_cost_cents: What a unit usually costs, where the campaign does not say.
        reaches: Who one unit reaches: everyone who lives in a `household`, or one `person`.
        address: Columns of `people_private` that are needed to use it.
    """

    name: str
    unit: str
    unit_cost_cents: int
    reaches: Literal["household", "person"]
    address: tuple[str, ...]
