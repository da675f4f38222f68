"""Money this morning: where it stands against the goal, whom to ask, and the next call time."""

from __future__ import annotations

import math

from markupsafe import Markup

from hustings.briefing import charts, lines
from hustings.briefing.facts import Facts, Record
from hustings.briefing.look import clean, day, figure, known, money, plural, sentence, spread
from hustings.briefing.panel import WIDE, Panel, interval_picture
from hustings.briefing.pictures import NARROW, Picture

TABLES = ("money_forecast", "ask_options", "call_sheets", "best_efforts")


def panels(facts: Facts) -> list[Panel]:
    """The thermometer, then each plan of asks with its call time.

    >>> panels(Facts())
    []
    """
    return [*_thermometer(facts), *_plans(facts)]


def _thermometer(facts: Facts) -> list[Panel]:
    rows = sorted(facts.rows("money_forecast"), key=lambda row: row["day_on"])
    ahead = [row for row in rows if not row.get("is_past") and known(row.get("total")) is not None]
    if not rows:
        return []
    if not ahead:
        return [Panel("money", "No money can be foretold yet", f"{clean(rows[-1].get('reason'))}.")]
    last = ahead[-1]
    due, goal, unit = day(last["day_on"]), known(last.get("goal")), facts.currency
    received, expected = (money(last.get(name), unit) for name in ("received", "total"))
    ends = f"{money(last.get('low'), unit)} to {money(last.get('high'), unit)}"
    text = (
        f"{expected} are expected by {due} (95 % interval {ends}); as the last four weeks went, the rule of thumb, it would "
        f"be {money(last.get('rule'), unit)}. Only what has been received may be spent: {received}."
    )
    if last.get("reason"):
        text += f" {sentence(clean(last['reason']))}."
    if goal is None:
        title = f"{received} received, {expected} expected by {due}"
    else:
        chance = figure(100 * (known(last.get("p_goal")) or 0))
        title = (
            f"{received} of {money(goal, unit)} received; {chance} chances in 100 to reach the goal by {due}"
        )
    return [Panel("money", title, text, _by_law(facts), [_fan(rows, last, goal, unit)], *_parts(ahead, unit))]


def _by_law(facts: Facts) -> str:
    """Whom the law wants asked for an employer, if anybody has not been."""
    due = [row for row in facts.rows("best_efforts") if row.get("asked_on") is None]
    if not due:
        return ""
    many = plural(len(due), "giver", "givers")
    return f"Ask {many} for employer or occupation: hustings show best_efforts."


def _parts(ahead: list[Record], unit: str) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """What the days to come are made of."""
    names = {"new_cents": "First gifts", "repeat_cents": "Gifts again", "recurring_cents": "Recurring gifts", "asks_cents": "The asks planned"}  # fmt: skip
    body: list[tuple[str, ...]] = [
        (name, money(sum(known(row.get(key)) or 0 for row in ahead), unit)) for key, name in names.items()
    ]
    return ("To come", "Expected"), body


def _fan(rows: list[Record], last: Record, goal: float | None, unit: str) -> Picture:
    """Money so far as a line, what is expected as a line in a band, the goal as a dashed one."""
    told = [row for row in rows if known(row.get("total")) is not None]
    days = [
        lines.Day(row["day_on"], float(row["total"]) / 1e5, *(None if known(row.get(k)) is None else float(row[k]) / 1e5 for k in ("low", "high")))
        for row in told
    ]  # fmt: skip
    top = max(*(one.high or one.value for one in days), (goal or 0) / 1e5)
    step = _step(top)
    ticks = [step * k for k in range(math.ceil(top / step) + 1)]
    final = money(last["total"], unit)
    title = f"{final} by {day(last['day_on'])}"
    caption = (
        f"Thousands of {unit} received, then expected with a 95 % interval"
        f"{'; the dashed line is the goal' if goal is not None else ''}."
    )
    about = f"{title}. {caption}"
    drawings = {
        size: Markup(
            lines.line_chart(
                days, width=width, height=240, domain=(0, ticks[-1]), ticks=ticks,
                middle=(goal or 0) / 1e5, last=figure(days[-1].value, 0 if days[-1].value >= 10 else 1),
                name=f"money-fan-{size}", title=title, about=about,
            )
        )
        for size, width in (("wide", WIDE), ("narrow", NARROW))
    }  # fmt: skip
    head = ("Day", "Of the day", "In all", "95 % interval", "Chances in 100 of the goal")
    body = [_day_cells(row, unit) for row in reversed(told[-28:])]
    return Picture("money-fan", title, caption, drawings, head, body)


def _day_cells(row: Record, unit: str) -> tuple[str, ...]:
    chance, low = known(row.get("p_goal")), known(row.get("low"))
    return (
        day(row["day_on"]),
        money(row.get("of_day"), unit),
        money(row.get("total"), unit),
        "received" if low is None else f"{money(low, unit)} to {money(row.get('high'), unit)}",
        "" if chance is None else figure(100 * chance),
    )


def _step(top: float) -> float:
    """A round distance between four to eight ticks.

    >>> _step(30.0), _step(273.0)
    (5.0, 50.0)
    """
    rough = max(top, 1e-9) / 6
    size = float(10 ** math.floor(math.log10(rough)))
    return size * next(k for k in (1, 2, 5, 10) if k * size >= rough)


def _plans(facts: Facts) -> list[Panel]:
    rows = facts.rows("ask_options")
    found = []
    for plan in dict.fromkeys(row["plan_id"] for row in rows):
        own = {row["option"]: row for row in rows if row["plan_id"] == plan}
        mine = own.get("plan", {})
        calls = [row for row in facts.rows("call_sheets") if row["plan_id"] == plan]
        if known(mine.get("expected_cents")) is None and not calls:
            found.append(
                Panel(
                    f"asks-{plan}", f"Nobody is to be asked by {clean(plan)}", f"{clean(mine.get('reason'))}."
                )
            )
            continue
        found.append(_plan(facts, clean(plan), own, calls))
    return found


def _plan(facts: Facts, plan: str, own: dict[str, Record], calls: list[Record]) -> Panel:
    unit, mine = facts.currency, own["plan"]
    title = f"Asks of {plan}: only the calls below can be made, nothing was tested"
    text, pictures = f"{clean(mine.get('reason'))}.", []
    if known(mine.get("expected_cents")) is not None:
        title = (
            f"Ask {plural(mine.get('n_people'), 'person', 'people')} as planned: "
            f"{money(mine['expected_cents'], unit)} for {money(mine.get('cost_cents'), unit)}"
        )
        text = _beside(own, unit)
        pictures = [_options(plan, own, unit)]
    if calls:
        best = [row for row in calls if known(row.get("expected_cents")) is not None]
        worth = f", {money(sum(float(r['expected_cents']) for r in best), unit)} expected" if best else ""
        text += (
            f" Call time of {day(calls[0]['call_on'])}: {plural(len(calls), 'call')}{worth}, in the order of what a "
            "minute brings, each with what the law still allows."
        )
    action = f"hustings export {plan} --format {'call_sheet' if calls else 'email'}"
    return Panel(f"asks-{plan}", title, text, action, pictures)


def _beside(own: dict[str, Record], unit: str) -> str:
    mine = own["plan"]
    text = f"95 % interval {money(mine.get('low'), unit)} to {money(mine.get('high'), unit)}"
    text += f"; {clean(mine['reason'])}." if mine.get("reason") else ", over and above what comes anyway."
    for name, rule in own.items():
        if name == "plan" or known(rule.get("p_value")) is None:
            continue
        sure = "is proven" if float(rule["p_value"]) < 0.05 else "is not proven"
        text += (
            f" Choosing by segment {sure} better than {clean(rule['option'])}: on people it was not chosen by "
            f"{figure(float(rule['test_advantage']), 1, sign=True)} cents a person asked "
            f"(error {figure(rule.get('test_error'), 1)}, one-sided p = {figure(rule['p_value'], 3)})."
        )
    return text


def _options(plan: str, own: dict[str, Record], unit: str) -> Picture:
    told = [row for row in own.values() if known(row.get("expected_cents")) is not None]
    told.sort(key=lambda row: (row["option"] != "plan", -float(row["expected_cents"])))
    rows = [_row(row, unit) for row in told]
    untold = [row for row in own.values() if known(row.get("expected_cents")) is None]
    head = ("Way", "People", "Cost", "Expected", "95 % interval", "Plan’s lead")
    body = [
        (
            clean(row["option"]), figure(row.get("n_people")), money(row.get("cost_cents"), unit),
            money(row.get("expected_cents"), unit), f"{money(row.get('low'), unit)} to {money(row.get('high'), unit)}" if row in told else clean(row.get("reason")),
            money(row.get("advantage"), unit) if known(row.get("advantage")) is not None else "",
        )
        for row in [*told, *untold]
    ]  # fmt: skip
    caption = f"Thousands of {unit} that asking is expected to bring, with 95 % intervals; all at the same cost or less."
    return interval_picture(
        f"asks-{plan}-options", "The plan beside the rules of thumb", caption, rows,
        unit=f"Thousands of {unit}", zero="0 = nothing comes in", head=head, body=body,
    )  # fmt: skip


def _row(row: Record, unit: str) -> charts.Row:
    value, low, high = (float(row[name]) / 1e5 for name in ("expected_cents", "low", "high"))
    told, people = money(row["expected_cents"], unit), plural(row.get("n_people"), "person", "people")
    name = clean(row["option"])
    return charts.Row(name, value, low, high, told, spread(low, high, 1), people, name == "plan")
