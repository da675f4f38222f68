"""Friends who ask friends: how many asks, what they gain beside the rules of thumb, and what to do."""

from __future__ import annotations

from hustings.briefing import charts
from hustings.briefing.facts import Facts, Record
from hustings.briefing.look import clean, figure, known, money, plural, spread
from hustings.briefing.panel import Panel, interval_picture

TABLES = ("sharing_options", "sharing_ties")
_UNITS = {
    "added_ballots": "added ballots",
    "net_votes": "net votes",
    "win": "points of the probability of winning",
}


def panels(facts: Facts) -> list[Panel]:
    """A panel for each `[sharing_plan.…]`.

    >>> panels(Facts())
    []
    """
    rows = facts.rows("sharing_options")
    ties = facts.rows("sharing_ties")
    return [
        _panel([r for r in rows if r["plan_id"] == plan], [t for t in ties if t["plan_id"] == plan], facts)
        for plan in dict.fromkeys(row["plan_id"] for row in rows)
    ]


def _panel(rows: list[Record], ties: list[Record], facts: Facts) -> Panel:
    plan = next(row for row in rows if row["option"] == "plan")
    name, shown = f"sharing-{rows[0]['plan_id']}", clean(plan["plan_id"])
    if known(plan.get("gain")) is None:
        return Panel(name, f"Nobody is to ask anybody ({shown})", f"{_sentence(plan.get('reason'))} {_left(ties)}".strip())  # fmt: skip
    unit = _UNITS.get(str(plan["unit"]), "")
    lines = [_line(row) for row in rows]
    best = max((row for row in rows if row is not plan), key=lambda row: known(row.get("gain")) or 0.0)
    proven = (known(best.get("advantage_low")) or 0.0) > 0
    title = (
        f"{plural(plan['n_supporters'], 'supporter')} can ask {plural(plan['n_targets'], 'friend')} to vote"
    )
    loses = (known(plan.get("low")) or 0.0) <= 0
    text = (
        f"{plural(plan['n_asks'], 'ask')} for {money(plan['cost_cents'], facts.currency)} add {_gain(plan)} "
        f"{unit} (95 % interval {_ends(plan)}), {figure(plan['votes'], 1)} votes in all. "
        f"The best rule of thumb, {clean(best['option'])}, adds {_gain(best)} ({_ends(best)}) for "
        f"{money(best['cost_cents'], facts.currency)}; that the plan is better is {'proven' if proven else 'not proven'}. "
        f"No plan within the limits is more than {_percent(plan['gap'])} % better. {_left(ties)}"
    )
    action = (
        f"Test it before it grows: the interval holds a loss. hustings export {shown} --format friends"
        if loses
        else f"hustings export {shown} --format friends"
    )
    head = ("Way", "Supporters", "Asks", "Friends", "Cost", "Gain", "95 % interval", "Plan’s advantage")
    picture = interval_picture(
        f"{name}-options",
        "The plan beside the rules of thumb",
        f"Expected {unit}, with 95 % intervals: what is not known of the effect, of places and of supporters.",
        lines,
        unit=unit[:1].upper() + unit[1:],
        zero="0 = nobody asks",
        head=head,
        body=[_cells(row, facts) for row in rows],
    )
    return Panel(name, title, text, action, [picture])


def _scaled(row: Record, name: str) -> float:
    """In points where it is a probability."""
    return (100 if row["unit"] == "win" else 1) * float(row[name])


def _digits(row: Record) -> int:
    size = abs(_scaled(row, "gain"))
    return 0 if size >= 100 else 1 if size >= 1 else 3


def _gain(row: Record) -> str:
    return figure(_scaled(row, "gain"), _digits(row), sign=True)


def _ends(row: Record) -> str:
    return spread(_scaled(row, "low"), _scaled(row, "high"), _digits(row))


def _percent(gap: float) -> str:
    return figure(100 * max(gap, 0.0001), 2)


def _line(row: Record) -> charts.Row:
    value, low, high = (_scaled(row, name) for name in ("gain", "low", "high"))
    note = plural(row["n_asks"], "ask")
    return charts.Row(
        clean(row["option"]), value, low, high, _gain(row), _ends(row), note, row["option"] == "plan"
    )


def _cells(row: Record, facts: Facts) -> tuple[str, ...]:
    if known(row.get("advantage")) is None:
        ahead = "–"
    else:
        digits = _digits(row)
        ends = spread(_scaled(row, "advantage_low"), _scaled(row, "advantage_high"), digits)
        ahead = f"{figure(_scaled(row, 'advantage'), digits, sign=True)} ({ends})"
    counts = tuple(figure(row[name]) for name in ("n_supporters", "n_asks", "n_targets"))
    return (
        clean(row["option"]),
        *counts,
        money(row["cost_cents"], facts.currency),
        _gain(row),
        _ends(row),
        ahead,
    )


def _left(ties: list[Record]) -> str:
    """Ties that may not be used, and the most frequent reason."""
    out = sorted((t for t in ties if t["use"] != "may be used" and t["n_ties"]), key=lambda t: -t["n_ties"])
    if not out:
        return ""
    number = sum(int(t["n_ties"]) for t in out)
    return f"{plural(number, 'tie')} may not be used, most often: {clean(out[0]['use'])}."


def _sentence(reason: object) -> str:
    text = clean(reason)
    return f"{text[:1].upper()}{text[1:]}." if text else ""
