"""The forecast's pictures: the map, the places that decide, the odds by day, what has moved, and past forecasts."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from hustings.briefing import charts, lines, maps
from hustings.briefing.facts import Facts, Record
from hustings.briefing.look import clean, day, figure, known, plural, spread
from hustings.briefing.pictures import NARROW, Picture
from hustings.briefing.race_words import chances, counts_most, ends_of, percent, place_name
from hustings.briefing.reliability import Bin, reliability_chart

WIDE, SIDE = 580, 440
_NEAREST = 10
_CAUSES = 6


def map_picture(places: list[Record], own: Record, number: int) -> Picture | None:
    """A map of the chance to win each place; None where there are no outlines for most of them."""
    outlines = maps.shapes()["places"]
    there = [row for row in places if row.get("place_id") in outlines and known(row.get("p_win")) is not None]
    if len(there) < len(outlines) / 2:
        return None
    chance = {str(row["place_id"]): float(row["p_win"]) for row in there}
    told = {
        str(
            row["place_id"]
        ): f"{place_name(row)}: {chances(row['p_win'])}, share {percent(row.get('share'))} % ({ends_of(row)})"
        for row in there
    }
    counts = [sum(maps.step_of(p) == step for p in chance.values()) for step in range(5)]
    seats = [
        sum((known(r.get("seats")) or 0) * (maps.step_of(float(r["p_win"])) == s) for r in there)
        for s in range(5)
    ]
    choice = clean(own.get("choice"))
    open_ = "No place is open" if not counts[2] else f"{plural(counts[2], 'place is', 'places are')} open"
    title = f"{open_}; {choice} all but sure of {counts[4]}, all but lost in {counts[0]}"
    by_seats = [f"{label} in 100: {figure(n)} seats" for (_, label), n in zip(maps.STEPS, seats, strict=True)]
    caption = f"Chance of {choice} to come first in each place. " + (
        f"By seats: {'; '.join(by_seats)}." if sum(seats) else ""
    )
    name = f"map-{number}"
    about = f"{title}. " + "; ".join(f"{place_name(r)} {percent(r['p_win'], 0)}" for r in there) + "."
    drawings = {
        size: Markup(
            maps.chance_map(chance, told, width=width, name=f"{name}-{size}", title=title, about=about)
        )
        for size, width in (("wide", WIDE), ("narrow", NARROW))
    }
    head = ("Place", "Chances in 100", "Share, %", "95 % interval", "Seats", "Polls")
    body = [
        (
            place_name(row),
            percent(row.get("p_win"), 0),
            percent(row.get("share")),
            ends_of(row),
            figure(row.get("seats")),
            figure(row.get("n_polls")),
        )
        for row in sorted(there, key=lambda row: -float(row["p_win"]))
    ]
    return Picture(name, title, caption.strip(), drawings, head, body)


def ranking_picture(places: list[Record], own: Record, number: int, facts: Facts) -> Picture | None:
    """The places that decide most often, or those nearest to one half, with intervals."""
    values = {v.get("place_id"): v for v in facts.vote_values if v.get("race") == own.get("race")}
    leaves = [row for row in places if row.get("place_id") in values and known(row.get("share")) is not None]
    if not leaves:
        return None
    tipping = any(known(row.get("p_tipping")) for row in leaves)
    order = sorted(leaves, key=_decisive if tipping else _open)[:_NEAREST]
    order.sort(key=lambda row: -float(row["share"]))
    rows = [_ranked(row, values) for row in order]
    most = max(order, key=lambda row: known(values[row["place_id"]].get("value")) or 0)
    title = counts_most({**most, **values[most["place_id"]]}, len(leaves) > 1)
    choice = clean(own.get("choice"))
    caption = (
        f"Expected margin of {choice} in points, with 95 % intervals, "
        + ("in the places that decide most often. " if tipping else "in the places nearest to a tie. ")
        + "“Decides” is how often, in 100 simulated elections, the place brings the seats that win. A vote’s value is "
        "what it adds to the chance of winning."
    )
    name = f"ranking-{number}"
    told = "; ".join(f"{r.name} {r.figure} (95 % interval {r.spread}), {r.note}" for r in rows)
    drawings = _intervals(rows, WIDE, "Margin", "0 = a tie", name, title, f"{title}. {told}.")
    head = ("Place", "Margin, points", "95 % interval", "Decides, in 100", "Per 10,000 votes", "Of the mean")
    body = [_ranked_cells(row, values) for row in order]
    return Picture(name, title, caption, drawings, head, body)


def _decisive(row: Record) -> float:
    return -(known(row.get("p_tipping")) or 0.0)


def _open(row: Record) -> float:
    return abs((known(row.get("p_win")) or 0.0) - 0.5)


def _intervals(
    rows: list[charts.Row], wide: float, unit: str, zero: str, name: str, title: str, about: str
) -> dict[str, Markup]:
    return {
        size: Markup(
            charts.interval_chart(
                rows, width=width, unit=unit, zero=zero, name=f"{name}-{size}", title=title, about=about
            )
        )
        for size, width in (("wide", wide), ("narrow", NARROW))
    }


def _margins(row: Record) -> tuple[float, float, float]:
    share, low, high = (200 * (float(row[k]) - 0.5) for k in ("share", "low", "high"))
    return share, low, high


def _ranked(row: Record, values: dict[Any, Record]) -> charts.Row:
    share, low, high = _margins(row)
    decides = known(row.get("p_tipping"))
    worth = known(values[row["place_id"]].get("relative"))
    notes = [f"decides {_in_100(decides)}"] if decides is not None else []
    notes += [f"vote {figure(worth, 1)}×"] if worth is not None and len(values) > 1 else []
    return charts.Row(
        place_name(row), share, low, high, figure(share, 1, sign=True), spread(low, high, 1), ", ".join(notes)
    )


def _ranked_cells(row: Record, values: dict[Any, Record]) -> tuple[str, ...]:
    share, low, high = _margins(row)
    value = values[row["place_id"]]
    return (
        place_name(row),
        figure(share, 1, sign=True),
        spread(low, high, 1),
        _in_100(known(row.get("p_tipping"))),
        f"{figure(value.get('per_10000'), 3)} ± {figure(_ten_thousand(value), 3)}",
        figure(value.get("relative"), 2),
    )


def _ten_thousand(value: Record) -> float | None:
    error, one, many = (known(value.get(k)) for k in ("std_error", "value", "per_10000"))
    return None if error is None or not one or many is None else error * many / one


def _in_100(p: float | None) -> str:
    return "–" if p is None else "under 1" if p < 0.005 else figure(100 * p)


def by_day_picture(facts: Facts, race: str, own: Record, number: int) -> Picture | None:
    """The chance to win the race by the polls of each morning."""
    rows = sorted(
        (r for r in facts.forecast_days if r.get("race") == race and known(r.get("p_race")) is not None),
        key=lambda row: row["told_on"],
    )
    if len(rows) < 2:
        return None
    days = [lines.Day(row["told_on"], 100 * float(row["p_race"])) for row in rows]
    first, last = days[0], days[-1]
    change = last.value - first.value
    moved = (
        "hardly moved"
        if abs(change) < 2
        else f"{'gained' if change > 0 else 'lost'} {figure(abs(change))} in 100"
    )
    title = f"The odds have {moved} since {day(first.day).removesuffix(f' {first.day.year}')}"
    errors = [known(row.get("p_race_error")) or 0 for row in rows]
    caption = (
        f"Chances in 100 of {clean(own.get('choice'))} to win, by the polls that had ended before each morning; the "
        f"last one {figure(last.value)}. Simulation error at most ± {figure(100 * max(errors), 1)}."
    )
    name = f"days-{number}"
    about = f"{title}. " + "; ".join(f"{day(d.day)} {figure(d.value)}" for d in days) + "."
    drawings = {
        size: Markup(
            lines.line_chart(
                days, width=width, height=230, domain=(0, 100), ticks=[0, 25, 50, 75, 100], middle=50,
                last=figure(last.value), name=f"{name}-{size}", title=title, about=about,
            )
        )
        for size, width in (("wide", SIDE), ("narrow", NARROW))
    }  # fmt: skip
    head = ("Morning", "Chances in 100", "Share, %", "95 % interval")
    body = [
        (
            day(row["told_on"]),
            figure(100 * float(row["p_race"]), 1),
            percent(row.get("share")),
            ends_of(row),
        )
        for row in reversed(rows)
    ]
    return Picture(name, title, caption, drawings, head, body)


def moves_picture(facts: Facts, race: str, own: Record, number: int) -> Picture | None:
    """What has moved the chance to win since the day before, poll by poll."""
    rows = sorted((r for r in facts.forecast_moves if r.get("race") == race), key=lambda row: row["rank"])
    total = next((row for row in rows if row.get("cause") == "total"), None)
    if total is None:
        return None
    polls = [row for row in rows if row.get("cause") not in ("rest", "total")]
    change, error = 100 * float(total["p_win_change"]), 100 * (known(total.get("p_win_change_error")) or 0)
    since = day(total.get("since_on")).removesuffix(f" {total['since_on'].year}")
    word = "better" if change > 0 else "worse"
    title = (
        f"No more than chance has moved the odds since {since}"
        if abs(change) < 2 * error or abs(change) < 0.05
        else f"The odds are {figure(abs(change), 1)} in 100 {word} than on {since}"
    )
    drawn = _causes(polls, rows, change, error)
    caption = (
        f"Change of the chances in 100 of {clean(own.get('choice'))}, poll by poll: the forecast is linear in the polls, "
        "so each one’s part is its weight times what it said beyond what was expected. The interval of the whole is "
        "that of the simulation."
    )
    name = f"moves-{number}"
    told = "; ".join(f"{r.name} {r.figure}{f' ({r.note})' if r.note else ''}" for r in drawn)
    drawings = _intervals(drawn, SIDE, "In 100", "0 = no change", name, title, f"{title}. {told}.")
    head = ("Cause", "Place", "Said, %", "Expected, %", "Share of all, points", "Chances in 100")
    return Picture(name, title, caption, drawings, head, [_move_cells(row) for row in rows])


def _causes(polls: list[Record], rows: list[Record], change: float, error: float) -> list[charts.Row]:
    """The largest causes, the other polls together, the rest, and the sum of all."""
    drawn = [_moved(row) for row in polls[:_CAUSES]]
    if others := polls[_CAUSES:]:
        total = sum(float(row["p_win_change"]) for row in others)
        drawn.append(_cause(plural(len(others), "other poll"), total))
    rest = sum(float(row["p_win_change"]) for row in rows if row.get("cause") == "rest")
    drawn.append(_cause("The rest", rest, "what is surer by now, and curvature"))
    ends = (change - 1.96 * error, change + 1.96 * error)
    together = figure(change, 1, sign=True)
    return [*drawn, charts.Row("Together", change, *ends, together, spread(*ends, 1), strong=True)]


def _move_cells(row: Record) -> tuple[str, ...]:
    said, expected = (
        percent(row[k]) if known(row.get(k)) is not None else "–" for k in ("share", "expected")
    )
    return (
        clean(row["cause"]),
        clean(row.get("place_id")) or "–",
        said,
        expected,
        figure(100 * float(row["share_change"]), 2, sign=True),
        figure(100 * float(row["p_win_change"]), 2, sign=True),
    )


def _moved(row: Record) -> charts.Row:
    place = place_name({"place_id": row.get("place_id"), "name": row.get("place_id")})
    said = f"{percent(row.get('share'))} % for {percent(row.get('expected'))} expected"
    return _cause(f"{clean(row['cause'])}, {place}", float(row["p_win_change"]), said)


def _cause(name: str, change: float, note: str = "") -> charts.Row:
    return charts.Row(name, 100 * change, None, None, figure(100 * change, 1, sign=True), "", note)


def checks_picture(facts: Facts, race: str, number: int) -> Picture | None:
    """How right forecasts made in the same way were at earlier elections."""
    rows = [r for r in facts.forecast_checks if r.get("race") == race and known(r.get("p_win")) is not None]
    if len(rows) < 20:
        return None
    years = sorted({int(row["year"]) for row in rows})
    bins = []
    for low, high in ((0, 0.05), (0.05, 0.35), (0.35, 0.65), (0.65, 0.95), (0.95, 1.01)):
        some = [row for row in rows if low <= float(row["p_win"]) < high]
        if some:
            n, won = len(some), sum(bool(row["won"]) for row in some)
            ends = _wilson(won, n)
            bins.append(Bin(sum(float(r["p_win"]) for r in some) / n, won / n, *ends, n))
    called = sum((float(row["p_win"]) > 0.5) == bool(row["won"]) for row in rows)
    inside = sum(float(r["low"]) <= float(r["actual_share"]) <= float(r["high"]) for r in rows)
    title = f"On the eve of {' and '.join(map(str, years))}, {called} of {len(rows)} places were called right"
    caption = (
        f"Chance to win by the forecast of the eve, and how often it came true; bars are 95 % intervals as if places were "
        f"independent, which they are not. {figure(100 * inside / len(rows))} in 100 results lay in their 95 % interval."
    )
    name = f"checks-{number}"
    told = "; ".join(
        f"foretold {figure(100 * b.predicted)}, came true {figure(100 * b.observed)}" for b in bins
    )
    drawings = {
        size: Markup(
            reliability_chart(
                bins, [], width=width, labels=("forecast of the eve", ""), name=f"{name}-{size}", title=title,
                about=f"{title}. In 100: {told}.", across=("Came true, in 100", "Foretold, in 100"),
            )
        )
        for size, width in (("wide", 420), ("narrow", NARROW))
    }  # fmt: skip
    body: list[tuple[str, ...]] = [
        (
            figure(100 * b.predicted, 1),
            figure(100 * b.observed, 1),
            spread(100 * b.low, 100 * b.high, 1),
            figure(b.n),
        )
        for b in bins
    ]
    return Picture(name, title, caption, drawings, ("Foretold", "Came true", "95 % interval", "Places"), body)


def _wilson(won: int, n: int) -> tuple[float, float]:
    z = 1.96
    middle = (won + z * z / 2) / (n + z * z)
    half = z / (n + z * z) * (won * (n - won) / n + z * z / 4) ** 0.5
    return max(middle - half, 0.0), min(middle + half, 1.0)
