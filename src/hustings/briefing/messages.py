"""Message tests in a sentence each: which variant to send, what it is worth, what the hunch would have cost."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Row = dict[str, Any]

PROVEN = 0.95
"""Probability of being best from which a variant is called the best."""


def message_findings(
    messages: list[Row], costs: list[Row], currency: str
) -> Iterator[tuple[str, str, str | None]]:
    """The finding, what it rests on, and what to do, for each message test and outcome.

    Args:
        messages: Rows of `messages`.
        costs: Rows of `hunch_costs`.
        currency: Of amounts.

    Yields:
        Three texts; the action is None where there is nothing to do yet.

    >>> next(message_findings([{"message": "appeal", "outcome": "gift", "is_winner": None, "reason": "sealed"}], [], "USD"))
    ('The message test appeal cannot be read on gift.', 'sealed.', None)
    """
    for test, outcome in dict.fromkeys((row["message"], row["outcome"]) for row in messages):
        own = [row for row in messages if (row["message"], row["outcome"]) == (test, outcome)]
        best = next((row for row in own if row["is_winner"]), None)
        if best is None:
            reason = next((row["reason"] for row in own if row["reason"]), "no variant was sent")
            yield f"The message test {test} cannot be read on {outcome}.", f"{reason}.", None
            continue
        yield (
            _headline(best, len(own)),
            " ".join([_worth(best, currency), *_hunches(test, outcome, costs, best, currency)]),
            _next_batch(own) or f"hustings show messages.{test}",
        )


def _next_batch(rows: list[Row]) -> str | None:
    """The shares of a bandit's next batch as a line to be pasted; None where one variant gets all."""
    shares = {row["arm"]: row.get("next_share") or 0.0 for row in rows}
    if sum(share > 0 for share in shares.values()) < 2:
        return None
    told = ", ".join(f'"{arm}" = {share:.3f}' for arm, share in shares.items() if share > 0)
    return f"in the section of the next batch: planned_shares = {{ {told} }}"


def _headline(best: Row, n_variants: int) -> str:
    test, outcome, arm = best["message"], best["outcome"], best["arm"]
    if best["p_best"] < PROVEN:
        return f"No variant of {test} is proven the best on {outcome}; {arm} came out ahead of {n_variants - 1} more."
    return f"Send {arm} to the rest of {test}: it is the best of {n_variants} variants on {outcome}."


def _worth(best: Row, currency: str) -> str:
    sure = f"It is the best with a probability of {best['p_best']:.0%}."
    if best["is_control"]:
        return sure
    unit = "a recipient more than the control"
    shown, gain, low, high = (
        _amount(best[name], best, currency) for name in ("difference", "gain", "gain_low", "gain_high")
    )
    return (
        f"It showed {shown} {unit}; expect {gain} (95 % interval {low} to {high}), the rest was luck. {sure}"
    )


def _hunches(test: str, outcome: str, costs: list[Row], best: Row, currency: str) -> Iterator[str]:
    for row in costs:
        if (row["message"], row["outcome"]) != (test, outcome) or not row["rule"].startswith("hunch: "):
            continue
        if row["cost"] is None or row["rule"] == f"hunch: {best['arm']}":
            continue
        hunch = row["rule"].removeprefix("hunch: ")
        ends = " to ".join(_amount(row[name], best, currency) for name in ("low", "high"))
        yield f"The hunch {hunch} would have cost {_amount(row['cost'], best, currency)} a recipient ({ends})."


def _amount(value: float | None, row: Row, currency: str) -> str:
    if value is None:
        return "nothing known"
    if not row["is_amount"]:
        return f"{100 * value:.2f} points"
    sign = "−" if value < 0 else ""
    amount = f"{abs(value) / 100:,.2f}"
    return f"{sign}${amount}" if currency == "USD" else f"{sign}{amount} {currency}"
