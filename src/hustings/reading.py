"""Tables of a campaign, for programs and notebooks."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from hustings.campaign import Campaign
from hustings.warehouse.shown import open_shown, shown_arrow

if TYPE_CHECKING:
    import pyarrow as pa


def read(campaign: Campaign, table: str, *, as_of: str | None = None, private: bool = False) -> pa.Table:
    """One table, as a published run left it.

    Args:
        campaign: The campaign.
        table: A table, or a part of one, as `lifts.mailers`.
        as_of: A run's id, or the beginning of one; the newest published run when None.
        private: Whether names, addresses and numbers are given; else they are masked where they are not null.

    Returns:
        A pyarrow table with the declared columns.

    Raises:
        TableError: No such table, part or run.
        WarehouseError: Nothing has been published.
    """
    with closing(open_shown(campaign.store, table, as_of)) as lake:
        return shown_arrow(lake, table, private=private)
