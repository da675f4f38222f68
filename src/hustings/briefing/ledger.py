"""The ledger in the briefing: what was expected of decisions, what came of them, and how right that was."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from markupsafe import Markup

from hustings.briefing.drawing import axis_of, draw, rows_of, themed, ticks_of
from hustings.briefing.facts import Facts, Record, Records
from hustings.briefing.look import clean, figure, known, light, plural, spread
from hustings.briefing.panel import Panel
from hustings.briefing.pictures import NARROW, Picture

TABLES = ("ledger", "ledger_fits")
_WIDE, _TALL = 420, 300


def panels(facts: Facts) -> list[Panel]:
    """The ledger's panel, once a decision has been measured.

    >>> panels(Facts())
    []
    """
    picture = ledger_picture(facts)
    if picture is None:
        return []
    rows = facts.rows("ledger")
    count = {
        status: sum(row.get("status") == status for row in rows) for status in ("open", "accepted", "acted")
    }
    text = (
        f"The ledger: {plural(len(rows), 'decision')} were put to you, {plural(len(picture.body), 'one', 'ones')} "
        f"measured since; {count['accepted'] + count['acted']} wait for their outcome, {count['open']} for a yes or no. "
        f"{_fits(facts.rows('ledger_fits'))}"
    )
    action = "hustings decide lists what is open." if count["open"] else ""
    return [Panel("ledger-panel", "What our decisions have come to", text.strip(), action, [picture])]


def ledger_picture(facts: Facts) -> Picture | None:
    """Predicted against measured of every measured decision, or None where nothing has been measured.

    >>> ledger_picture(Facts()) is None
    True
    """
    rows = [point for row in facts.rows("ledger") if (point := _point(row)) is not None]
    if not rows:
        return None
    fit: Record = next((row for row in facts.rows("ledger_fits") if row.get("source") == "plans"), {})
    title = ledger_title(rows, fit)
    told = "; ".join(
        f"{r['plan']} predicted {figure(r['x'], 1)}, measured {figure(r['y'], 1)}" for r in rows[:12]
    )
    drawings = {
        size: Markup(
            _chart(rows, fit, width, f"ledger-{size}", title, f"{title}. Points per person: {told}.")
        )
        for size, width in (("wide", _WIDE), ("narrow", NARROW))
    }
    return Picture("ledger", title, _caption(rows), drawings, _HEAD, [_cells(r) for r in rows])


_HEAD = ("Decision", "Decided by", "To be reached", "Held out", "Predicted", "Measured", "95 % interval")


def _point(row: Record) -> dict[str, Any] | None:
    """A measured decision in points for each person to be reached."""
    n, x, y = (known(row.get(name)) for name in ("n_treated", "predicted", "measured"))
    low, high = known(row.get("measured_low")), known(row.get("measured_high"))
    if not n or x is None or y is None or low is None or high is None:
        return None
    return {
        "plan": clean(row.get("plan_id")), "by": clean(row.get("decided_by")), "n": n,
        "control": row.get("n_control"), "x": 100 * x / n, "y": 100 * y / n, "low": 100 * low / n,
        "high": 100 * high / n,
    }  # fmt: skip


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    return (
        row["plan"], row["by"], figure(row["n"]), figure(row["control"]), figure(row["x"], 2), figure(row["y"], 2),
        spread(row["low"], row["high"], 1),
    )  # fmt: skip


def ledger_title(rows: list[dict[str, Any]], fit: Record) -> str:
    """How right expectations have been, in a sentence.

    >>> ledger_title([{}], {"slope": 0.9, "slope_low": 0.4, "slope_high": 1.4, "bias": 0.1, "bias_low": -0.3, "bias_high": 0.4})
    'What was expected has come, within chance'
    """
    bias, low, high = (known(fit.get(name)) for name in ("bias", "bias_low", "bias_high"))
    slope = [known(fit.get(name)) for name in ("slope_low", "slope_high")]
    if bias is None or low is None or high is None:
        return f"{plural(len(rows), 'decision')} measured: too few to say how right we are"
    if high < 0:
        return f"We expected too much: {figure(-bias, 1)} points a person too many"
    if low > 0:
        return f"We expected too little: {figure(bias, 1)} points a person too few"
    if slope[1] is not None and slope[1] < 1:
        return "Expected on average what came, but told decisions apart too boldly"
    return "What was expected has come, within chance"


def _caption(rows: list[dict[str, Any]]) -> str:
    return (
        "Each point is a decision: points of turnout added per person to be reached, expected when it was decided, and "
        f"measured against those held out, with 95 % intervals; {plural(len(rows), 'decision')}. On the dashed line "
        "what was expected has come."
    )


def _fits(fits: Records) -> str:
    """How wrong expectations were beyond chance, ours and the literature's."""
    parts = []
    for row in fits:
        who = "Our expectations" if row.get("source") == "plans" else "The literature alone"
        excess, error = known(row.get("excess")), known(row.get("excess_error"))
        if excess is None or error is None:
            continue
        text = f"{who}: mean of error² less SE² {figure(excess, 2)} ± {figure(error, 2)} squared points"
        if known(row.get("slope")) is not None:
            ends = spread(row.get("slope_low"), row.get("slope_high"), 1)
            text += f", {figure(row['slope'], 1)} points measured for each expected (95 % interval {ends})"
        parts.append(f"{text}.")
    return " ".join(parts)


def _chart(rows: list[dict[str, Any]], fit: Record, width: float, name: str, title: str, about: str) -> str:
    """Expected level, measured upright, on scales of their own: chance is far larger than what is expected."""
    import altair as alt

    left, top, right, bottom = 40.0, 34.0, 14.0, 48.0
    wide = width - left - right
    across, up = (
        ticks_of([r["x"] for r in rows], wide / 70),
        ticks_of([v for r in rows for v in (r["low"], r["high"])], 6),
    )
    x = alt.X("x:Q", scale=alt.Scale(domain=[across[0], across[-1]], nice=False), axis=axis_of(across))
    scale = alt.Scale(domain=[up[0], up[-1]], nice=False)
    y, low = (alt.Y(f"{one}:Q", scale=scale, axis=axis_of(up)) for one in ("y", "low"))
    ends = (across[0], min(across[-1], up[-1]))

    def line(slope: float, intercept: float, **style: Any) -> Any:
        points = [{"x": at, "y": intercept + slope * at} for at in ends]
        return alt.Chart(rows_of(points)).mark_line(strokeWidth=1.5, **style).encode(x=x, y=y)

    zero = alt.Chart(rows_of([{"x": at, "y": 0.0} for at in (across[0], across[-1])]))
    layers = [
        zero.mark_line(color=light("line"), strokeWidth=1).encode(x=x, y=y),
        line(1.0, 0.0, color=light("soft"), strokeDash=[5, 4]),
        alt.Chart(rows_of(rows))
        .mark_rule(color=light("pale"), strokeWidth=1.5)
        .encode(x=x, y=low, y2="high:Q"),
        alt.Chart(rows_of(rows))
        .mark_point(filled=True, color=light("accent"), size=40, opacity=1)
        .encode(x=x, y=y),
    ]
    words = ((-22.0, "Measured, points per person", -left, "left"), (_TALL + 36, "Expected", wide, "right"))
    for at, text, place, align in words:
        mark = alt.Chart(rows_of([{"text": text}])).mark_text(
            align=align, baseline="middle", fontSize=13, color=light("soft")
        )
        layers.append(mark.encode(x=alt.value(place), y=alt.value(at), text="text:N"))
    chart = themed(layers, width=wide, height=_TALL, padding=(left, top, right, bottom))
    return draw(chart, name=name, title=title, about=about)


def ledger_findings(ledger: Records, fits: Records) -> Iterator[tuple[str, str, str | None]]:
    """What has been measured since, and what waits: the sentence, what it rests on, and what to do.

    Args:
        ledger: Rows of `ledger`.
        fits: Rows of `ledger_fits`.

    Yields:
        Three texts.

    >>> list(ledger_findings([], []))
    []
    """
    points = [point for row in ledger if (point := _point(row)) is not None]
    fit: Record = next((row for row in fits if row.get("source") == "plans"), {})
    if points:
        yield f"{ledger_title(points, fit)}.", _fits(fits), "hustings show ledger"
    interim = [
        row for row in ledger if known(row.get("interim")) is not None and row.get("status") != "measured"
    ]
    for row in interim[-3:]:
        gain, error = known(row["interim"]) or 0.0, known(row.get("interim_error")) or 0.0
        yield (
            f"{clean(row['plan_id'])}: {figure(gain, sign=True)} {clean(row['interim_outcome'])} so far, not yet votes.",
            f"95 % interval {spread(gain - 1.96 * error, gain + 1.96 * error)}; the votes can be known from "
            f"{clean(row.get('available_on'))}.",
            None,
        )
