"""The newest score of each person."""

from __future__ import annotations

from typing import Any

from hustings.stage import Table


def latest(scores: Table, score: str) -> Any:
    """Each person's newest value of a score, as `person_id` and `value`.

    Args:
        scores: The table of that name.
        score: Which.

    Returns:
        The rows.
    """
    import ibis

    of = scores.filter(scores.score == score)
    newest = ibis.window(group_by="person_id", order_by=ibis.desc("as_of"))
    ranked = of.mutate(_rank=ibis.row_number().over(newest))
    return ranked.filter(ranked["_rank"] == 0).select("person_id", "value")
