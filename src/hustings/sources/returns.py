"""Which rows of returns can be: what cannot is set aside like any other fault."""

from __future__ import annotations

from typing import Any


def countable(rows: Any, table: str) -> Any:
    """The rows with a reason where votes are below 0, or a share reported is none; other tables as they are.

    Args:
        rows: Typed rows with `_reasons`.
        table: The collected table.

    Returns:
        The rows.
    """
    import ibis

    if table != "returns":
        return rows
    share = rows.share_reported
    wrong = [
        (rows.votes < 0).ifelse("votes is below 0", ibis.null("string")),
        ((share < 0) | (share > 1)).ifelse("share_reported is not between 0 and 1", ibis.null("string")),
    ]
    reasons = ibis.array([rows["_reasons"].nullif(""), *wrong]).filter(lambda reason: reason.notnull())
    return rows.mutate(_reasons=reasons.join("; "))
