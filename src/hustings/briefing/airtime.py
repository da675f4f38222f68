"""What airtime does, as markets drawn by lot have shown, and where and when the money for it should go."""

from __future__ import annotations

from hustings.briefing import charts
from hustings.briefing.facts import Facts, Record
from hustings.briefing.look import clean, day, figure, known, money, spread
from hustings.briefing.panel import Panel, interval_picture
from hustings.briefing.pictures import Picture

TABLES = ("geo_designs", "geo_lifts", "geo_checks", "market_lifts", "responses", "media_week_options")


def panels(facts: Facts) -> list[Panel]:
    """A panel for each test of places that was read, and for each plan of money by week.

    >>> panels(Facts())
    []
    """
    return [*_tests(facts), *_markets(facts), *_plans(facts)]


def _tests(facts: Facts) -> list[Panel]:
    found = []
    for test in dict.fromkeys(row["geo_test"] for row in facts.rows("geo_lifts")):
        rows = [row for row in facts.rows("geo_lifts") if row["geo_test"] == test]
        whole = next(row for row in rows if not row["dose"])
        if known(whole.get("estimate")) is None:
            design = next((d for d in facts.rows("geo_designs") if d["geo_test"] == test), {})
            found.append(Panel(f"geo-{test}", _unread(whole), _design_text(design, facts)))
            continue
        checks = [row for row in facts.rows("geo_checks") if row["geo_test"] == test]
        failed = [clean(row["check"]) for row in checks if row.get("passed") is False]
        action = f"Look at {', '.join(failed)} before relying on it." if failed else ""
        response = next((r for r in facts.rows("responses") if r["channel"] == whole["channel"]), {})
        found.append(
            Panel(f"geo-{test}", _title(whole), _text(whole, response), action, [_picture(test, rows)])
        )
    return found


def _unread(row: Record) -> str:
    return f"The test {clean(row['geo_test'])} of {clean(row['channel'])} is not read: {clean(row['reason'])}"


def _design_text(design: Record, facts: Facts) -> str:
    if known(design.get("n_places")) is None:
        return "Nothing is drawn yet."
    text = (
        f"{figure(design['n_places'])} places for {figure(design['n_weeks'])} weeks from {day(design['starts_on'])}, "
        f"{money(design.get('cost_cents'), facts.currency)} in all ({clean(design['state'])})."
    )
    if known(design.get("detectable_at_top")) is None:
        return text
    return f"{text} At the highest dose it would find {_points(design['detectable_at_top'])} points in four cases of five."


def _points(value: float | None, digits: int = 1) -> str:
    return figure(None if value is None else 100 * value, digits)


def _title(row: Record) -> str:
    channel, outcome = clean(row["channel"]), clean(row["outcome"])
    low, high = known(row.get("low")), known(row.get("high"))
    if low is not None and low > 0:
        return f"{channel.capitalize()} moves {outcome}: {_per(row['per_dollar'])} for a dollar"
    if high is not None and high < 0:
        return f"{channel.capitalize()} lowers {outcome}: {_per(row['per_dollar'])} for a dollar"
    return f"{channel.capitalize()} is not proven to move {outcome}"


def _per(value: float) -> str:
    return f"{figure(value, 2)} people"


def _text(row: Record, response: Record) -> str:
    ends = spread(row.get("per_dollar_low"), row.get("per_dollar_high"), 2)
    interval = f"95 % interval {ends} people for a dollar" if ends else clean(row.get("reason"))
    as_much = figure(max(round(row["p_value"] * row["n_ways"]), 1))
    text = (
        f"{figure(row['n_places'])} places were drawn by lot to spend more or less: {interval}. They differ as much in {as_much} of "
        f"{figure(row['n_ways'])} ways in which the lots could have fallen."
    )
    if known(response.get("adstock_half_life_weeks")) is None:
        return text
    none = 100 * float(response["p_no_effect"])
    return (
        f"{text} Half of it is gone after {figure(response['adstock_half_life_weeks'], 1)} weeks "
        f"(± {figure(response.get('adstock_half_life_error'), 1)}); the probability that there is no effect at all is "
        f"{'below 1' if none < 1 else figure(none)} %. Nothing is known above {response['tested_to']:g} {clean(response['dose_unit'])}."
    )


def _picture(test: str, rows: list[Record]) -> Picture:
    drawn, body = [], []
    each = [row["per_dollar"] for row in sorted(rows, key=lambda r: r["dose"]) if row["dose"]]
    falls = len(each) > 1 and None not in each and each == sorted(each, reverse=True)
    for row in sorted(rows, key=lambda r: r["dose"]):
        value, low, high = (known(row.get(f"per_dollar{end}")) for end in ("", "_low", "_high"))
        name = f"{row['dose']:g} cents" if row["dose"] else "All doses"
        if value is None:
            drawn.append(charts.Row(name, None, None, None, "", "", clean(row.get("reason"))))
            continue
        ends = spread(low, high, 2)
        drawn.append(charts.Row(name, value, low, high, figure(value, 2), ends, "", not row["dose"]))
        body.append((name, figure(value, 2), ends or "–", figure(row["p_value"], 4), figure(row["n_ways"])))
    return interval_picture(
        f"geo-{test}-doses",
        "A dollar does less where more is spent" if falls else "What a dollar does",
        "People who change for one dollar, by cents per person and week, with 95 % intervals by the draw itself.",
        drawn, unit="People", zero="0 = no effect",
        head=("Dose", "People for a dollar", "95 % interval", "p", "Ways of drawing"), body=body,
    )  # fmt: skip


def _markets(facts: Facts) -> list[Panel]:
    found = []
    for name in dict.fromkeys(row["market_reading"] for row in facts.rows("market_lifts")):
        rows = [row for row in facts.rows("market_lifts") if row["market_reading"] == name]
        read = [row for row in rows if known(row.get("estimate")) is not None]
        title = f"{clean(name)}: {clean(rows[0]['channel'])} was not drawn by lot, so this is no test"
        body = [
            (clean(row["estimator"]), _points(row["estimate"], 2), _ends(row), figure(row.get("p_value"), 3))
            for row in read
        ]
        text = (
            f"Points of {clean(rows[0]['outcome'])} by which places that spent differ from places that had moved alike; it rests "
            "on the belief that they would have gone on to. Next time, draw lots."
        )
        if not read:
            text = f"{clean(rows[0]['reason'])}."
        head = ("Compared with", "Points", "95 % interval", "Placebo p") if body else ()
        found.append(Panel(f"markets-{name}", title, text, "", [], head, body))
    return found


def _ends(row: Record) -> str:
    low, high = known(row.get("low")), known(row.get("high"))
    return "–" if low is None or high is None else spread(100 * low, 100 * high, 2)


def _plans(facts: Facts) -> list[Panel]:
    found = []
    for plan in dict.fromkeys(row["plan_id"] for row in facts.rows("media_week_options")):
        rows = [row for row in facts.rows("media_week_options") if row["plan_id"] == plan]
        own = next(row for row in rows if row["option"] == "plan")
        name = f"media-weeks-{plan}"
        if known(own.get("net_votes")) is None:
            found.append(
                Panel(name, f"Nothing is planned for {clean(plan)}", f"{clean(own.get('why_left'))}.")
            )
            continue
        left = known(own.get("left_cents")) or 0.0
        title = f"{money(own['cost_cents'], facts.currency)} of {clean(plan)} bring {figure(own['net_votes'])} net votes"
        text = (
            f"95 % interval {spread(own['votes_low'], own['votes_high'])}, by what is known of the responses; at equal cost each rule of "
            "thumb stands beside it."
        )
        if own.get("why_left"):
            text += f" {money(left, facts.currency)} are left on purpose: {clean(own['why_left'])}."
        action = f"hustings show media_weeks.{plan}" if own["cost_cents"] else "Spend it elsewhere."
        found.append(Panel(name, title, text, action, [_ways(name, rows)]))
    return found


def _ways(name: str, rows: list[Record]) -> Picture:
    order = sorted(rows, key=lambda row: -row["net_votes"])
    drawn = [
        charts.Row(
            clean(row["option"]).capitalize(), row["net_votes"], row["votes_low"], row["votes_high"], figure(row["net_votes"]),
            spread(row["votes_low"], row["votes_high"]), "", row["option"] == "plan",
        )
        for row in order
    ]  # fmt: skip
    body = [
        (
            clean(row["option"]).capitalize(), clean(row["about"]), figure(row["net_votes"]),
            spread(row["votes_low"], row["votes_high"]), _advantage(row),
        )
        for row in order
    ]  # fmt: skip
    return interval_picture(
        f"{name}-ways", "The plan beside its rules of thumb", "Net votes for the same money, with 95 % intervals.", drawn,
        unit="Net votes", zero="0 = nothing", head=("Option", "What it does", "Net votes", "95 % interval", "Less than the plan, %"), body=body,
    )  # fmt: skip


def _advantage(row: Record) -> str:
    if known(row.get("advantage")) is None:
        return "–"
    total = row["gain"] + row["advantage"]
    return figure(100 * row["advantage"] / total, 0) if total else "–"
