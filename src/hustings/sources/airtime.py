"""Which rows of airtime can be: what cannot is set aside like any other fault."""

from __future__ import annotations

from typing import Any

_LEAST = {
    "slots": ("price_cents", "lowest_unit_charge_cents", "n_units", "minimum_units", "n_airings", "audience"),
    "viewers": ("n_people", "age_from", "age_to"),
    "bought": ("n_units", "cost_cents"),
    "airings": ("n_units", "delivered", "invoiced_cents"),
}
_SHARES = {"slots": ("p_preempted",), "viewing": ("p_view", "p_reachable")}
_WORDS = {
    "slots": {"medium": ("television", "radio", "digital")},
    "airings": {"status": ("aired", "preempted", "make-good")},
}
_ABOVE = {
    "slots": ("minutes_per_airing", "n_reachable", "frequency_cap"),
    "viewers": ("n_panelists",),
}


def buyable(rows: Any, table: str) -> Any:
    """The rows with a reason where a price is below 0, a probability is none, or a word is not known.

    Args:
        rows: Typed rows with `_reasons`.
        table: The collected table.

    Returns:
        The rows; of other tables as they are.
    """
    import ibis

    def told(wrong: Any, words: str) -> Any:
        return wrong.fill_null(False).ifelse(words, ibis.null("string"))

    found = [told(rows[name] < 0, f"{name} is below 0") for name in _LEAST.get(table, ())]
    found += [told(rows[name] <= 0, f"{name} is not above 0") for name in _ABOVE.get(table, ())]
    found += [
        told((rows[name] < 0) | (rows[name] > 1), f"{name} is not between 0 and 1")
        for name in _SHARES.get(table, ())
    ]
    found += [
        told(~rows[name].isin(words), f"{name} is not {' or '.join(words)}")
        for name, words in _WORDS.get(table, {}).items()
    ]
    if not found:
        return rows
    reasons = ibis.array([rows["_reasons"].nullif(""), *found]).filter(lambda reason: reason.notnull())
    return rows.mutate(_reasons=reasons.join("; "))
