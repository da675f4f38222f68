"""Who is sent where: each plan of messengers beside its rules of thumb, its contests, and venues to answer questions in."""

from __future__ import annotations

from hustings.briefing import charts
from hustings.briefing.facts import Facts, Record
from hustings.briefing.look import clean, day, figure, known, money, plural, sentence, spread
from hustings.briefing.panel import Panel, interval_picture
from hustings.briefing.pictures import Picture

TABLES = ("messenger_options", "messenger_plan", "contest_options", "venue_options")
_UNITS = {"added_ballots": "Ballots", "net_votes": "Net votes", "win": "Points of winning"}
_VENUES = 8


def panels(facts: Facts) -> list[Panel]:
    """A panel for each plan of messengers, and one for each list of venues.

    >>> panels(Facts())
    []
    """
    return [*_plans(facts), *_venues(facts)]


def _plans(facts: Facts) -> list[Panel]:
    rows = facts.rows("messenger_options")
    found = []
    for plan in dict.fromkeys(row["messenger_plan"] for row in rows):
        own = {row["option"]: row for row in rows if row["messenger_plan"] == plan}
        name = f"messengers-{plan}"
        mine = own["plan"]
        if known(mine.get("gain")) is None or not mine.get("n_uses"):
            why = clean(mine.get("reason")) or "no use of a messenger is worth its cost"
            found.append(Panel(name, f"No messenger is planned for {clean(plan)}", f"{sentence(why)}."))
            continue
        told = [
            row
            for row in facts.rows("messenger_plan")
            if row["messenger_plan"] == plan and row["option"] == "plan"
        ]
        told.sort(key=lambda row: row["used_on"])
        head = ("Day", "Messenger", "Audience", "Place", "Asked", "Responses", "Gain")
        body = [_use(row, facts.currency) for row in told]
        picture = _picture(name, list(own.values()), facts.currency)
        first = told[0]
        action = (
            f"Book {clean(first['name'])} for {day(first['used_on'])}, {clean(first['audience'])}"
            f"{' in ' + clean(first['place_id']) if first['place_id'] else ''}; all uses stand below."
        )
        contest = _contest(
            [row for row in facts.rows("contest_options") if row["messenger_plan"] == plan], facts.currency
        )
        found.append(
            Panel(
                name,
                _title(plan, own, facts.currency),
                f"{_text(own, facts.currency)} {contest}".strip(),
                action,
                [picture],
                head,
                body,
            )
        )
    return found


def _title(plan: str, own: dict[str, Record], currency: str) -> str:
    mine, rule = own["plan"], _best_rule(own)
    gain = _amount(mine["gain"], mine["unit"], currency)
    lead = f"Messengers of {clean(plan)}: {gain} expected from {plural(mine['n_uses'], 'day')} of theirs"
    if rule is None:
        return lead
    low = known(rule.get("advantage_low"))
    more = _amount(rule["advantage"], mine["unit"], currency)
    if low is not None and low > 0:
        return f"{lead}, {more} more than by the best rule of thumb"
    return f"{lead}, not proven more than by the rule “{clean(rule['option'])}”"


def _best_rule(own: dict[str, Record]) -> Record | None:
    rules = [row for name, row in own.items() if name != "plan" and known(row.get("gain")) is not None]
    return max(rules, key=lambda row: float(row["gain"]), default=None)


def _text(own: dict[str, Record], currency: str) -> str:
    mine, rule = own["plan"], _best_rule(own)
    unit = mine["unit"]
    parts = [
        f"{_amount(mine['gain'], unit, currency)} (95 % interval {_ends(mine, unit, currency)}) for "
        f"{money(mine['cost_cents'], currency)}{', costs taken off' if unit == 'cents' else ''}."
    ]
    gap = known(mine.get("gap"))
    if gap is not None:
        parts.append(f"No plan whatever could be expected to bring {figure(100 * gap, 1)} % more.")
    if rule is not None:
        lead = {"low": rule.get("advantage_low"), "high": rule.get("advantage_high")}
        ends = _ends(lead, unit, currency)
        parts.append(
            f"The best rule of thumb under the same days and money, “{clean(rule['option'])}”, brings "
            f"{_amount(rule['gain'], unit, currency)}; the plan's lead has the 95 % interval {ends}."
        )
    logged, other = known(mine.get("logged")), known(own.get("most popular only", {}).get("logged"))
    if logged is not None and other is not None:
        parts.append(
            f"The log of past sends, by doubly robust weights, gives {figure(100 * logged, 1)} responses to 100 sends "
            f"({spread(100 * mine['logged_low'], 100 * mine['logged_high'], 1)}) when each audience hears from its best "
            f"messenger, against {figure(100 * other, 1)} from the most popular one."
        )
    elif mine.get("logged_reason"):
        parts.append(f"The log of past sends cannot tell: {clean(mine['logged_reason'])}.")
    return " ".join(parts)


def _contest(rows: list[Record], currency: str) -> str:
    best = next(
        (row for row in rows if row.get("rank_by_gain") == 1 and known(row.get("entries")) is not None), None
    )
    if best is None:
        return ""
    gift = known(best.get("mean_gift_cents"))
    given = f", {money(gift, currency)} each" if gift is not None else ""
    popular = next((row for row in rows if row.get("rank_by_popularity") == 1), best)
    return (
        f"Were everyone asked to one contest, {clean(best['name'])} would draw most: {figure(best['entries'])} entries "
        f"({spread(best['entries_low'], best['entries_high'])}){given}, most of them from {clean(best['who_enters'])}; "
        f"by raw rates it would be {clean(popular['name'])}."
    )


def _picture(name: str, rows: list[Record], currency: str) -> Picture:
    unit = rows[0]["unit"]
    rows = sorted(rows, key=lambda row: -(known(row.get("gain")) or 0.0))
    lines = [_line(row, currency) for row in rows]
    head = ("Way", "Uses", "Asked", "Cost", "Gain", "95 % interval", "The plan's lead")
    body = [
        (
            sentence(clean(row["option"])), figure(row.get("n_uses")), figure(row.get("n_people")),
            money(row.get("cost_cents"), currency), _amount(row.get("gain"), unit, currency), _ends(row, unit, currency),
            "–" if known(row.get("advantage")) is None else _amount(row["advantage"], unit, currency),
        )
        for row in rows
    ]  # fmt: skip
    axis = currency if unit == "cents" else _UNITS.get(unit, clean(unit))
    caption = "Expected gain of each way under the same days, limits and money, with 95 % intervals"
    caption += "; costs are taken off." if unit == "cents" else "."
    return interval_picture(
        f"{name}-ways", "Each way to use the messengers", caption, lines, unit=axis, zero="0 = nothing gained",
        head=head, body=body,
    )  # fmt: skip


def _line(row: Record, currency: str) -> charts.Row:
    name, unit = sentence(clean(row["option"])), row["unit"]
    value, low, high = (_shown(row.get(key), unit) for key in ("gain", "low", "high"))
    if value is None:
        return charts.Row(name, None, None, None, "", "", sentence(clean(row.get("reason")) or "no estimate"))
    digits = 0 if abs(value) >= 10 else 2
    return charts.Row(
        name, value, low, high, figure(value, digits), spread(low, high, digits), "", row["option"] == "plan"
    )


def _use(row: Record, currency: str) -> tuple[str, ...]:
    return (
        day(row["used_on"]), clean(row["name"]), clean(row["audience"]), clean(row["place_id"]) or "all",
        figure(row["n_people"]), f"{figure(row['responses'])} ({spread(row['responses_low'], row['responses_high'])})",
        _amount(row["gain"], row["unit"], currency),
    )  # fmt: skip


def _shown(value: object, unit: str) -> float | None:
    """In units of the page: dollars, points of winning, votes."""
    number = known(value)
    if number is None:
        return None
    return number / 100 if unit == "cents" else 100 * number if unit == "win" else number


def _amount(value: object, unit: str, currency: str) -> str:
    number = known(value)
    if number is None:
        return "–"
    if unit == "cents":
        return money(number, currency)
    shown = _shown(number, unit) or 0.0
    digits = 0 if abs(shown) >= 10 else 2
    return f"{figure(shown, digits)} {_UNITS.get(unit, clean(unit)).lower()}"


def _ends(row: Record, unit: str, currency: str) -> str:
    if unit == "cents" and known(row.get("low")) is not None:
        return f"{money(row['low'], currency)} to {money(row['high'], currency)}"
    high = _shown(row.get("high"), unit) or 0.0
    return spread(_shown(row.get("low"), unit), _shown(row.get("high"), unit), 0 if abs(high) >= 10 else 2)


def _venues(facts: Facts) -> list[Panel]:
    rows = facts.rows("venue_options")
    found = []
    for plan in dict.fromkeys(row["venue_plan"] for row in rows):
        own = sorted((row for row in rows if row["venue_plan"] == plan), key=lambda row: row["rank"])
        valued = [row for row in own if known(row.get("gain")) is not None]
        name = f"venues-{plan}"
        if not valued:
            why = clean(own[0].get("reason")) or "nothing is known"
            found.append(Panel(name, f"No venue of {clean(plan)} can be valued", f"{sentence(why)}."))
            continue
        best, unit = valued[0], valued[0]["unit"]
        largest = min(own, key=lambda row: row["rank_by_reach"])
        lift = known(best.get("target_lift"))
        title = f"Answer questions at {clean(best['name'])} on {day(best['best_on'])}"
        text = (
            f"It reaches {figure(best['reach'])} people, {_targets(best)}"
            f"{f'; targets are {figure(lift, 2)} times as frequent there as among everyone' if lift is not None else ''}. "
            f"{_amount(best['gain'], unit, facts.currency)} are expected (95 % interval "
            f"{_ends(best, unit, facts.currency)}) for {money(best['cost_cents'], facts.currency)} and "
            f"{figure(best['hours'], 1)} hours. The rule of thumb, the largest first, would go to {clean(largest['name'])}."
        )
        if (known(best.get("low")) or 0.0) <= 0:
            text += " Whether appearances move votes at all is not settled: the interval includes zero."
        lines = [_venue_line(row, facts.currency) for row in own[:_VENUES]]
        head = ("Venue", "Day", "Reach", "Turnout targets", "Persuasion targets", "Gain", "Cost")
        body = [_venue_cells(row, facts.currency) for row in own]
        picture = interval_picture(
            f"{name}-gain", "What an appearance at each is expected to bring",
            "Gain on election day with 95 % intervals, ordered by gain for its cost.", lines,
            unit=_UNITS.get(unit, clean(unit)), zero="0 = nothing gained", head=head, body=body,
        )  # fmt: skip
        found.append(Panel(name, title, text, f"Ask {clean(best['name'])} for that day.", [picture]))
    return found


def _targets(row: Record) -> str:
    parts = [
        f"{figure(row[key])} of them {word} targets ({spread(row[f'{key}_low'], row[f'{key}_high'])})"
        for key, word in (("turnout_targets", "turnout"), ("persuasion_targets", "persuasion"))
        if known(row.get(key)) is not None
    ]
    return " and ".join(parts) or "how many of them are targets is not known"


def _venue_line(row: Record, currency: str) -> charts.Row:
    unit = row["unit"]
    value, low, high = (_shown(row.get(key), unit) for key in ("gain", "low", "high"))
    if value is None:
        return charts.Row(clean(row["name"]), None, None, None, "", "", sentence(clean(row.get("reason"))))
    digits = 0 if abs(value) >= 10 else 2
    return charts.Row(
        clean(row["name"]), value, low, high, figure(value, digits), spread(low, high, digits),
        money(row["cost_cents"], currency), row["rank"] == 1,
    )  # fmt: skip


def _venue_cells(row: Record, currency: str) -> tuple[str, ...]:
    return (
        clean(row["name"]), day(row["best_on"]) if row.get("best_on") else "–", figure(row.get("reach")),
        figure(row.get("turnout_targets")), figure(row.get("persuasion_targets")),
        f"{_amount(row.get('gain'), row['unit'], currency)} ({_ends(row, row['unit'], currency)})"
        if known(row.get("gain")) is not None else clean(row.get("reason")),
        money(row.get("cost_cents"), currency),
    )  # fmt: skip
