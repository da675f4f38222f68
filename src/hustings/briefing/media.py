"""Airtime in the briefing: which units to buy, the rules of thumb beside them, and what stations owe."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from hustings.briefing import charts
from hustings.briefing.facts import Facts, Record
from hustings.briefing.look import clean, figure, known, listed, money, plural, sentence, spread
from hustings.briefing.panel import Panel, interval_picture
from hustings.briefing.pictures import Picture

TABLES = ("media_options", "media_plan", "media_checks")
_LARGEST = 4


def panels(facts: Facts) -> list[Panel]:
    """A panel for each media plan; the first also says what stations owe.

    >>> panels(Facts())
    []
    """
    names = dict.fromkeys(str(row.get("plan_id")) for row in facts.rows("media_options"))
    found = [_panel(facts, name) for name in names]
    asked = owed(facts)
    if not asked:
        return found
    head = ("Order", "What is wrong, and what to ask for")
    body = [(row["order"], f"{row['what']}. Ask for {row['ask'] or 'an answer'}.") for row in asked]
    if not found:
        return [
            Panel("media-owed", "Orders of airtime did not run as bought", "", "Ask for it.", [], head, body)
        ]
    first = found[0]
    return [Panel(first.name, first.title, first.text, first.action, first.pictures, head, body), *found[1:]]


def _panel(facts: Facts, name: str) -> Panel:
    options = [row for row in facts.rows("media_options") if str(row.get("plan_id")) == name]
    chosen = next((row for row in options if row.get("recommended")), options[0])
    said, at = clean(name), f"media-{name}"
    if not known(chosen.get("n_units")):
        return Panel(at, f"Buy no airtime ({said})", f"{_why(chosen).capitalize()}.")
    title = f"Buy {plural(chosen['n_units'], 'unit')} of airtime ({said}) for {_money(chosen, facts)}?"
    action = f"hustings show media_plan.{said}"
    return Panel(at, title, advice(options, chosen, facts), action, [_picture(options, chosen, at, facts)])


def advice(options: Sequence[Record], chosen: Record, facts: Facts) -> str:
    """What to buy, why, where most of it is, and what it is expected to bring."""
    plan = next((row for row in options if row.get("option") == "plan"), {})
    ends = spread(chosen.get("low"), chosen.get("high"))
    parts = [
        f"{figure(chosen.get('net_votes'))} net votes are expected on election day (95 % interval {ends}), "
        f"{_each(chosen.get('cents_per_net_vote'), facts)} each, and {figure(chosen.get('targets_reached'))} of the "
        f"people worth most see it at least once, {_each(chosen.get('cents_per_target'), facts)} each.",
        _where(facts, str(chosen.get("plan_id"))),
    ]
    if chosen.get("option") == "plan":
        rules = [row for row in options if known(row.get("budget_saved")) is not None]
        best = max(rules, key=lambda row: known(row.get("net_votes")) or 0.0, default=None)
        if best is not None:
            saved = 100 * float(best["budget_saved"])
            parts.append(
                f"The best rule of thumb, {clean(best['option'])}, needs {_more(saved)} money for as much."
            )
    else:
        parts.append(f"The plan is not bought: {clean(plan.get('reason'))}.")
    if (known(chosen.get("low")) or 0.0) <= 0:
        parts.append("The interval holds 0: what airtime moves is not known until your own test measures it.")
    return " ".join(part for part in parts if part)


def _more(saved: float) -> str:
    """What 1 / (1 - saved) says in words.

    >>> _more(20.0)
    '25 % more'
    """
    more = 100 * (1 / (1 - saved / 100) - 1)
    return f"{figure(abs(more), 1 if abs(more) < 10 else 0)} % {'more' if more >= 0 else 'less'}"


def _where(facts: Facts, name: str) -> str:
    """The markets and networks that get most of the money."""
    bought: dict[str, float] = {}
    for row in facts.rows("media_plan"):
        if str(row.get("plan_id")) == name:
            key = ", ".join(clean(row.get(k)) for k in ("market", "network") if row.get(k))
            bought[key] = bought.get(key, 0.0) + (known(row.get("cost_cents")) or 0.0)
    total = sum(bought.values())
    largest = sorted(bought, key=lambda key: -bought[key])[:_LARGEST]
    if not total or not largest:
        return ""
    told = [f"{key} ({figure(100 * bought[key] / total)} %)" for key in largest]
    return f"Most of the money goes to {listed(told)}."


def _money(row: Record, facts: Facts) -> str:
    return money(row.get("cost_cents"), facts.currency)


def _each(cents: Any, facts: Facts) -> str:
    return money(cents, facts.currency) if known(cents) is not None else "at a cost not known"


def _why(row: Record) -> str:
    return clean(row.get("reason")).rstrip(".") or "no reason was given"


def _picture(options: Sequence[Record], chosen: Record, name: str, facts: Facts) -> Picture:
    """Net votes of each way to spend the money, with intervals and, in the table, what buyers ask for."""
    order = sorted(options, key=lambda row: -(known(row.get("net_votes")) or 0.0))
    title = sentence(_title(order, chosen))
    rows = [
        charts.Row(
            clean(row.get("option")), known(row.get("net_votes")), known(row.get("low")), known(row.get("high")),
            figure(row.get("net_votes")), spread(row.get("low"), row.get("high")) or "–",
            "bought" if row is chosen else "", row is chosen,
        )
        for row in order
    ]  # fmt: skip
    panelists = known(options[0].get("n_panelists"))
    judged = (
        f"The plan is judged on panelists that it was not made on ({figure(panelists)} in all)."
        if panelists
        else "Viewing is taken as known."
    )
    caption = (
        f"Net votes on election day with 95 % intervals: the effect’s, the response’s, the decay’s and the panel’s. {judged} "
        "All ways may spend the same and pay the same prices; each rule has its best limit of units per slot."
    )
    head = ("Way", "Units", "Cost", "Points", "Reach, %", "Frequency", "Targets reached", "per target", "Net votes",
            "per net vote", "Plan’s advantage", "Plan saves")  # fmt: skip
    return interval_picture(
        f"{name}-ways", title, caption, rows, unit="net votes", zero="0 = buy nothing", head=head,
        body=[_cells(row, facts) for row in order],
    )  # fmt: skip


def _title(order: Sequence[Record], chosen: Record) -> str:
    others = [row for row in order if row is not chosen]
    if chosen.get("option") != "plan" or not others:
        return f"{clean(chosen.get('option'))} is bought, at {figure(chosen.get('points'))} points"
    ahead = known(others[0].get("advantage")) or 0.0
    return f"The plan gains {figure(ahead, 1)} net votes more than the best rule of thumb, {clean(others[0]['option'])}"


def _cells(row: Record, facts: Facts) -> tuple[str, ...]:
    ahead, saved = known(row.get("advantage")), known(row.get("budget_saved"))
    ends = spread(row.get("advantage_low"), row.get("advantage_high"), 1)
    reach = known(row.get("reach"))
    return (
        clean(row.get("option")),
        figure(row.get("n_units")),
        _money(row, facts),
        figure(row.get("points")),
        figure(100 * reach, 1) if reach is not None else "–",
        figure(row.get("frequency"), 1),
        figure(row.get("targets_reached")),
        _each(row.get("cents_per_target"), facts),
        f"{figure(row.get('net_votes'))} ({spread(row.get('low'), row.get('high')) or '–'})",
        _each(row.get("cents_per_net_vote"), facts),
        "–" if ahead is None else f"{figure(ahead, 1)} ({ends or '–'})",
        "–" if saved is None else f"{figure(100 * saved, 1)} %",
    )


def owed(facts: Facts) -> list[dict[str, str]]:
    """Orders that did not air as bought or were invoiced too high, and where to take what is owed.

    >>> owed(Facts(tables={"media_checks": [{"status": "owed", "subject_id": "7", "network": "WXYZ", "reason": "2 units"}]}))[0]
    {'order': '7, WXYZ', 'what': '2 units', 'ask': ''}
    """
    found = []
    for row in facts.rows("media_checks"):
        if row.get("status") not in ("owed", "overcharged", "no log"):
            continue
        ask = []
        if row.get("make_good_slot_id"):
            ask.append(f"{plural(row['make_good_units'], 'unit')} of {clean(row['make_good_slot_id'])}")
        if known(row.get("refund_cents")):
            ask.append(f"{money(row['refund_cents'], facts.currency)} back")
        told = [clean(row.get(key)) for key in ("subject_id", "market", "network") if row.get(key)]
        found.append({"order": ", ".join(told), "what": clean(row.get("reason")), "ask": " and ".join(ask)})
    return found


def media_findings(
    options: list[dict[str, Any]], checks: list[dict[str, Any]], currency: str
) -> Iterator[tuple[str, str, str | None]]:
    """The finding, what it rests on, and what to do, for each media plan and for what is owed.

    >>> next(media_findings([{"plan_id": "tv", "recommended": True, "n_units": 0, "reason": "the budget is 0"}], [], "USD"))
    ('Buy no airtime (tv).', 'the budget is 0.', None)
    """
    for name in dict.fromkeys(row["plan_id"] for row in options):
        own = [row for row in options if row["plan_id"] == name]
        row = next(row for row in own if row["recommended"])
        if not row["n_units"]:
            yield f"Buy no airtime ({name}).", f"{row['reason']}.", None
            continue
        ends = spread(row["low"], row["high"])
        yield (
            f"{row['n_units']:,} units of airtime ({name}) for {money(row['cost_cents'], currency)} "
            f"would bring {row['net_votes']:,.0f} net votes.",
            f"95 % interval {ends}; bought as: {row['option']}.",
            f"hustings show media_plan.{name}",
        )
    bad = [row for row in checks if row["status"] in ("owed", "overcharged", "no log")]
    if bad:
        yield (
            f"{len(bad):,} orders of airtime did not run as bought.",
            f"{sum(row['refund_cents'] or 0 for row in bad) / 100:,.2f} {currency} is asked above what aired.",
            "hustings show media_checks",
        )
