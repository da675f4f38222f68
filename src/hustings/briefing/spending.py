"""The budget in the briefing: where the next money goes, what every way to divide it gains, and how sure that is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hustings.briefing import charts
from hustings.briefing.facts import Facts, Record, Records
from hustings.briefing.look import (
    UNKNOWN,
    clean,
    figure,
    known,
    listed,
    money,
    sentence,
    spread,
    with_interval,
)
from hustings.briefing.panel import Panel, interval_picture
from hustings.briefing.pictures import Picture

TABLES = ("budget", "budget_options")
_UNITS = {
    "added_ballots": ("added ballots", 1, 0),
    "net_votes": ("net votes", 1, 0),
    "win": ("points of winning", 100, 2),
}
_OFFERS = {"contact_plan": "", "media_plan": "airtime: ", "visit_plan": "the candidate’s visits"}


def offer_word(name: object) -> str:
    """An offer as people say it.

    >>> offer_word("contact_plan.mail"), offer_word("media_plan.tv"), offer_word("visit_plan")
    ('mail', 'airtime: tv', 'the candidate’s visits')
    """
    plan, _, part = clean(name).partition(".")
    said = _OFFERS.get(
        plan, f"{plan.removesuffix('_plan').replace('_', ' ')}: " if part else plan.replace("_", " ")
    )
    return f"{said}{part}" if part else said or plan


def gain_word(unit: object, gain: Any, *, sign: bool = False) -> str:
    """A gain in its unit.

    >>> gain_word("win", 0.0123), gain_word("net_votes", 1513)
    ('1.23 points of winning', '1,513 net votes')
    """
    word, scale, digits = _UNITS.get(str(unit), _UNITS["added_ballots"])
    value = known(gain)
    return (
        UNKNOWN
        if value is None
        else f"{figure(scale * value, _digits(scale * value, digits), sign=sign)} {word}"
    )


def _digits(value: float, least: int) -> int:
    """More decimals where the number is small, so that it does not become nought."""
    size = abs(value)
    return (
        least
        if size >= 10 or size == 0
        else max(least, 1)
        if size >= 1
        else max(least, 2 if size >= 0.1 else 4)
    )


def panels(facts: Facts) -> list[Panel]:
    """The budget's panel; none where no budget is set.

    >>> panels(Facts())
    []
    """
    plan = next((row for row in facts.rows("budget_options") if row.get("way") == "plan"), None)
    if plan is None:
        return []
    if plan.get("reason"):
        return [Panel("spending", "The budget spends nothing", f"{sentence(clean(plan['reason']))}.")]
    decision = next((row for row in facts.decisions if row.get("plan_id") == "budget"), {})
    action = (
        f"hustings decide {clean(decision['decision_id'])[:8]} --accept"
        if decision.get("decision_id")
        else ""
    )
    pictures = [one for one in (_by_offer(facts, plan), _by_way(facts, plan)) if one is not None]
    own = [row for row in facts.rows("budget") if row.get("way") == "plan"]
    own = sorted(own, key=lambda row: -(known(row.get("cents")) or 0))
    step = money(plan.get("step_cents"), facts.currency)
    head = ("Use", "Money", f"Of the next {step}")
    body = [
        (offer_word(row["offer"]), money(row.get("cents"), facts.currency), _of_next(row, facts.currency))
        for row in own
    ]
    return [Panel("spending", _next(facts, plan), _text(facts, plan), action, pictures, head, body)]


def _of_next(row: Record, currency: str) -> str:
    """What the next step of money gives an offer, or why it has nothing at all."""
    if not known(row.get("cents")) and row.get("reason"):
        return clean(row["reason"])
    cents = known(row.get("next_cents"))
    return "–" if cents is None or cents < 0.5 else money(cents, currency)


def _next(facts: Facts, plan: Record) -> str:
    step = money(plan.get("step_cents"), facts.currency)
    rows = [
        row
        for row in facts.rows("budget")
        if row.get("way") == "plan" and (known(row.get("next_cents")) or 0) > 0.5
    ]
    if not rows:
        return f"The next {step} has no use: everything that pays is bought"
    rows = sorted(rows, key=lambda row: -(known(row.get("next_cents")) or 0))
    where = listed([offer_word(row["offer"]) for row in rows[:3]])
    return f"The next {step} goes to {where}: {gain_word(plan.get('unit'), plan.get('next_gain'), sign=True)}"


def _text(facts: Facts, plan: Record) -> str:
    unit, currency = plan.get("unit"), facts.currency
    word, scale, digits = _UNITS.get(str(unit), _UNITS["added_ballots"])

    def ends(row: Record, name: str, low: str, high: str) -> str:
        value = scale * (known(row.get(name)) or 0)
        places = _digits(value, digits)
        numbers = [None if known(row.get(x)) is None else scale * float(row[x]) for x in (low, high)]
        return with_interval(figure(value, places, sign=True), numbers[0], numbers[1], places)

    parts = [
        f"{money(plan.get('cents'), currency)} are divided so that no cent would gain more elsewhere: "
        f"{ends(plan, 'gain', 'low', 'high')} {word}.",
        f"The next step adds {ends(plan, 'next_gain', 'next_low', 'next_high')}, "
        f"the last one added {ends(plan, 'last_gain', 'last_low', 'last_high')}.",
    ]
    parts += _freed(facts, plan)
    rules = [row for row in facts.rows("budget_options") if row.get("way") not in ("plan", "robust")]
    if rules:
        best = max(rules, key=lambda row: known(row.get("gain")) or float("-inf"))
        parts.append(
            f"Against the best rule of thumb, {clean(best['way'])}: "
            f"{ends(best, 'advantage', 'advantage_low', 'advantage_high')}."
        )
    robust = next((row for row in facts.rows("budget_options") if row.get("way") == "robust"), None)
    near = [known(row.get("p_near")) if row else None for row in (plan, robust)]
    if near[0] is not None and near[1] is not None:
        parts.append(
            f"It is near the best in {figure(100 * near[0])} of 100 draws of what effects and the forecast may be; "
            f"the division that is so most often, in {figure(100 * near[1])}."
        )
    if known(plan.get("reserve_cents")):
        parts.append(f"{money(plan['reserve_cents'], currency)} are kept back.")
    return " ".join(parts)


def _freed(facts: Facts, plan: Record) -> list[str]:
    """What the next money frees besides: with more of it, asks for money that no longer pay are left out."""
    given = sum(known(row.get("next_cents")) or 0 for row in facts.rows("budget") if row.get("way") == "plan")
    freed = given - (known(plan.get("step_cents")) or 0)
    if freed < 100:
        return []
    return [
        f"{money(freed, facts.currency)} more are free then, since the last asks for money no longer pay."
    ]


def _chart_rows(unit: object, rows: list[tuple[str, Record, str, bool]]) -> tuple[list[charts.Row], str]:
    """Rows of an interval chart from rows with `gain`, `low` and `high`, and the unit's word."""
    word, scale, digits = _UNITS.get(str(unit), _UNITS["added_ballots"])
    most = max((abs(scale * (known(row.get("gain")) or 0)) for _, row, _, _ in rows), default=0.0)
    places = _digits(most, digits)
    made = []
    for name, row, note, strong in rows:
        value, low, high = (
            None if known(row.get(x)) is None else scale * float(row[x]) for x in ("gain", "low", "high")
        )
        if value is None:
            made.append(charts.Row(name, None, None, None, "", "", note))
            continue
        ends = spread(low, high, places) or UNKNOWN
        made.append(charts.Row(name, value, low, high, figure(value, places), ends, note, strong))
    return made, word


def _by_offer(facts: Facts, plan: Record) -> Picture | None:
    """What each offer gets and gains in the plan."""
    own = [row for row in facts.rows("budget") if row.get("way") == "plan" and row.get("unit") != "cents"]
    spent = sorted(
        (row for row in own if row.get("gain") is not None), key=lambda row: -(known(row.get("cents")) or 0)
    )
    if not spent:
        return None
    rows = [
        (
            offer_word(row["offer"]),
            row,
            money(row.get("cents"), facts.currency),
            (known(row.get("next_cents")) or 0) > 0.5,
        )
        for row in spent
    ]
    drawn, word = _chart_rows(plan.get("unit"), rows)
    title = f"{sentence(offer_word(spent[0]['offer']))} gets most of the money"
    step = money(plan.get("step_cents"), facts.currency)
    head = ("Use", "Money", "Gain", "95 % interval", f"Of the next {step}", "It adds", "In the best division")
    body = [_offer_cells(row, facts) for row in sorted(own, key=lambda row: -(known(row.get("cents")) or 0))]
    caption = (
        f"{sentence(word)} expected of each use of the money, with 95 % intervals; dark where the next {step} goes. "
        "Under each name what it gets."
    )
    return interval_picture(
        "spending-offers",
        title,
        caption,
        drawn,
        unit=sentence(word),
        zero="0 = spend nothing",
        head=head,
        body=body,
    )


def _offer_cells(row: Record, facts: Facts) -> tuple[str, ...]:
    _, scale, digits = _UNITS.get(str(row.get("unit")), _UNITS["added_ballots"])

    def cell(name: str) -> str:
        value = known(row.get(name))
        return "–" if value is None else figure(scale * value, _digits(scale * value, digits))

    ends = (
        f"{cell('low')} to {cell('high')}"
        if known(row.get("low")) is not None
        else clean(row.get("reason")) or "–"
    )
    share = known(row.get("p_in"))
    return (
        offer_word(row["offer"]),
        money(row.get("cents"), facts.currency),
        cell("gain"),
        ends,
        money(row.get("next_cents"), facts.currency) if known(row.get("next_cents")) is not None else "–",
        cell("next_gain"),
        "–" if share is None else f"in {figure(100 * share)} of 100 draws",
    )


def _by_way(facts: Facts, plan: Record) -> Picture | None:
    """The plan beside the robust division and the rules of thumb."""
    ways = [row for row in facts.rows("budget_options") if known(row.get("gain")) is not None]
    if len(ways) < 2:
        return None
    ordered = sorted(ways, key=lambda row: -(known(row["gain"]) or 0))
    rows = [
        (
            clean(row["way"]),
            row,
            ""
            if known(row.get("p_near")) is None
            else f"near the best in {figure(100 * row['p_near'])} of 100",
            row["way"] == "plan",
        )
        for row in ordered
    ]
    drawn, word = _chart_rows(plan.get("unit"), rows)
    best = max(
        (row for row in ways if row["way"] not in ("plan", "robust")),
        key=lambda row: row["gain"],
        default=None,
    )
    title = "There is no rule of thumb beside the plan"
    if best is not None:
        title = f"The plan gains {gain_word(plan.get('unit'), best.get('advantage'))} more than {clean(best['way'])}"
    caption = (
        f"{sentence(word)} by way to divide the same money, with 95 % intervals over draws of effects and forecast; "
        "near the best: missing at most a few per cent of what could be gained in that draw."
    )
    head = ("Way", "Money", "Gain", "95 % interval", "The plan’s advantage", "Gain missed", "Near the best")
    body = [_way_cells(row, facts) for row in ordered]
    return interval_picture(
        "spending-ways",
        title,
        caption,
        drawn,
        unit=sentence(word),
        zero="0 = spend nothing",
        head=head,
        body=body,
    )


def _way_cells(row: Record, facts: Facts) -> tuple[str, ...]:
    _, scale, digits = _UNITS.get(str(row.get("unit")), _UNITS["added_ballots"])

    def cell(name: str) -> str:
        value = known(row.get(name))
        return "–" if value is None else figure(scale * value, _digits(scale * value, digits))

    lead = "–"
    if known(row.get("advantage")) is not None:
        lead = f"{cell('advantage')} ({cell('advantage_low')} to {cell('advantage_high')})"
    near = known(row.get("p_near"))
    return (
        clean(row.get("way")),
        money(row.get("cents"), facts.currency),
        cell("gain"),
        f"{cell('low')} to {cell('high')}",
        lead,
        cell("regret"),
        "–" if near is None else f"{figure(100 * near)} of 100",
    )


def spending_findings(
    budget: Records, options: Records, currency: str
) -> Iterator[tuple[str, str, str | None]]:
    """The budget's finding: the sentence, what it rests on, and what to do.

    Args:
        budget: Rows of `budget`.
        options: Rows of `budget_options`.
        currency: Of amounts.

    Yields:
        Three texts.

    >>> list(spending_findings([], [], "USD"))
    []
    """
    tables = {"budget": budget, "budget_options": options}
    for panel in panels(Facts(tables=tables, currency=currency)):
        yield f"{panel.title}.", panel.text, "hustings show budget" if panel.pictures else None
