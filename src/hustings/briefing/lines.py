"""A number by day as one line, its interval as a band, and its last value beside it. Altair loads when drawing."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Any

from hustings.briefing.drawing import draw, rows_of, themed
from hustings.briefing.look import light, text_width


@dataclass(frozen=True)
class Day:
    """One day's number, and the ends of its interval where it has one."""

    day: datetime.date
    value: float
    low: float | None = None
    high: float | None = None


def line_chart(
    days: list[Day],
    *,
    width: float,
    height: float,
    domain: tuple[float, float],
    ticks: list[float],
    middle: float,
    last: str,
    name: str,
    title: str,
    about: str,
) -> str:
    """One line over days, with a dashed line at the middle and the last value at its end.

    Args:
        days: In order of time, one or more.
        width: In pixels.
        height: In pixels.
        domain: Lowest and highest value.
        ticks: Values on the axis.
        middle: Where the dashed line stands.
        last: The last value in words.
        name: Unique in the page.
        title: The finding.
        about: The text alternative.

    Returns:
        Inline SVG.

    >>> one = [Day(datetime.date(2016, 11, d), 80 + d) for d in (1, 2)]
    >>> line_chart(one, width=350, height=200, domain=(0, 100), ticks=[0, 50, 100], middle=50, last="82",
    ...            name="a", title="t", about="")[:4]
    '<svg'
    """
    import altair as alt

    left = max(text_width(f"{tick:g}", 13) for tick in ticks) + 12
    padding = (left, 12.0, text_width(last, 16, bold=True) + 14, 30.0)
    plot = (width - padding[0] - padding[2], height - padding[1] - padding[3])
    first, end = days[0].day, days[-1].day
    # Numbers of days and not times: a time's label depends on the zone of whoever draws it.
    span = max((end - first).days, 1)
    marks = _dates(first, end, plot[0])
    x = alt.X(
        "at:Q",
        scale=alt.Scale(domain=[0, span], nice=False),
        axis=alt.Axis(
            values=[(mark - first).days for mark in marks],
            labelExpr=_labels({(mark - first).days: _date(mark) for mark in marks}),
            title=None,
            grid=False,
            labelOverlap=False,
            labelFlush=False,
        ),
    )
    scale = alt.Scale(domain=list(domain), nice=False)
    axis = alt.Axis(values=ticks, title=None, grid=False, domain=False, ticks=False)
    y = alt.Y("value:Q", scale=scale, axis=axis)
    rows = [{"at": (d.day - first).days, "value": d.value, "low": d.low, "high": d.high} for d in days]
    rule = alt.Chart(rows_of([{"value": middle}])).mark_rule(color=light("pale"), strokeDash=[5, 4])
    layers: list[Any] = [rule.encode(y=y)]
    banded = [row for row in rows if row["low"] is not None]
    if banded:
        band = alt.Chart(rows_of(banded)).mark_area(color=light("accent"), opacity=0.18)
        layers.append(band.encode(x=x, y=alt.Y("low:Q", scale=scale, axis=axis), y2="high:Q"))
    line = alt.Chart(rows_of(rows)).mark_line(color=light("accent"), strokeWidth=2.5)
    dot = alt.Chart(rows_of(rows[-1:])).mark_point(filled=True, size=70, opacity=1, color=light("accent"))
    text = alt.Chart(rows_of([rows[-1] | {"text": last}])).mark_text(
        align="left", baseline="middle", dx=9, fontSize=16, fontWeight=600, color=light("accent"), clip=False
    )
    layers += [line.encode(x=x, y=y), dot.encode(x=x, y=y), text.encode(x=x, y=y, text="text:N")]
    chart = themed(layers, width=plot[0], height=plot[1], padding=padding)
    return draw(chart, name=name, title=title, about=about)


def _date(day: datetime.date) -> str:
    return f"{day.day} {day:%b}"


def _labels(texts: dict[int, str]) -> str:
    told = ", ".join(f"'{at}': '{text}'" for at, text in texts.items())
    return f"({{{told}}})[datum.value]"


def _dates(first: datetime.date, last: datetime.date, width: float) -> list[datetime.date]:
    """Days to be written under the axis: the first of months, or days that are equally far apart."""
    span = (last - first).days
    if span > 45:
        months = [
            datetime.date(year, month, 1)
            for year in range(first.year, last.year + 1)
            for month in range(1, 13)
            if first <= datetime.date(year, month, 1) <= last - datetime.timedelta(days=span // 12)
        ]
        return months[:: -(-len(months) * 60 // int(width))] if months else [first]
    step = max(1, -(-span * 60 // int(width)))
    return [first + datetime.timedelta(days=d) for d in range(0, span + 1, step)][: max(1, int(width // 60))]
