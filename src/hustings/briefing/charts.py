"""The briefing's charts: intervals in rows, and predicted against observed. Altair is imported when drawing."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from hustings.briefing.drawing import draw, themed
from hustings.briefing.labels import Spot, along, place
from hustings.briefing.look import light, text_width, wrap

NARROW = 450
_LEADING = 17
_HEADER = 24
_AXIS = 30


@dataclass(frozen=True)
class Row:
    """One line of an interval chart.

    Attributes:
        name: What it is; broken into lines where it is long.
        value: The estimate in the axis' unit, or None: then `note` says why.
        low: Lower end of the interval, or None.
        high: Upper end, or None.
        figure: The estimate in words.
        spread: The interval in words.
        note: A remark under the name, or the reason why there is no estimate.
        strong: The row that the chart is about.
    """

    name: str
    value: float | None
    low: float | None
    high: float | None
    figure: str
    spread: str
    note: str = ""
    strong: bool = False


@dataclass(frozen=True)
class Bin:
    """People with like predictions: mean predicted, share observed with its interval (shares), and how many."""

    predicted: float
    observed: float
    low: float
    high: float
    n: int


@dataclass
class _Table:
    """An interval chart's geometry: three columns (names, plot, figures) and one band a row."""

    rows: list[Row]
    width: float
    unit: str
    names: float = 0
    figures: float = 0
    spreads: float = 0
    tops: list[float] = field(default_factory=list)
    lines: list[tuple[list[str], list[str]]] = field(default_factory=list)
    height: float = 0

    def __post_init__(self) -> None:
        share = 0.34 if self.narrow else 0.32
        longest = max((text_width(row.name, 14, bold=row.strong) for row in self.rows), default=0)
        notes = max((text_width(row.note, 13) for row in self.rows), default=0)
        self.names = min(max(longest, notes) + 2, share * self.width)
        self.figures = max(text_width(text, 14, bold=True) for text in (self.unit, *(r.figure for r in self.rows)))
        self.spreads = max(text_width(text, 13) for text in (_SPREAD, *(r.spread for r in self.rows)))
        for row in self.rows:
            self.tops.append(self.height)
            # Without an estimate the plot is free, and the reason is written there.
            note = wrap(row.note, self.names if row.value is not None else self.free, 13) if row.note else []
            name = wrap(row.name, self.names, 14, bold=row.strong)
            self.lines.append((name, note))
            rows = len(name) + len(note) if row.value is not None else max(len(name), len(note))
            self.height += max(rows, 2 if self.narrow else 1) * _LEADING + 15

    @property
    def narrow(self) -> bool:
        return self.width < NARROW

    @property
    def left(self) -> float:
        return self.names + 16

    @property
    def right(self) -> float:
        return 16 + (max(self.figures, self.spreads) if self.narrow else self.figures + 12 + self.spreads)

    @property
    def plot(self) -> float:
        return self.width - self.left - self.right

    @property
    def free(self) -> float:
        return self.width - self.names - 16

    def middle(self, i: int) -> float:
        return (self.tops[i] + [*self.tops, self.height][i + 1]) / 2


_SPREAD = "95 % interval"


def interval_chart(rows: list[Row], *, width: float, unit: str, zero: str, name: str, title: str, about: str) -> str:
    """Points with intervals, one row each, on one axis with a zero line; each row named and numbered.

    Args:
        rows: From top to bottom.
        width: In pixels; below 450 the figures stand in two lines.
        unit: Head of the figures' column.
        zero: What the zero line means.
        name: Unique in the page.
        title: The finding.
        about: The text alternative.

    Returns:
        Inline SVG, exactly as wide as asked.

    >>> row = Row("Self", 4.9, 4.2, 5.5, "+4.9", "4.2 to 5.5")
    >>> interval_chart([row], width=350, unit="Points", zero="", name="a", title="t", about="").startswith("<svg")
    True
    """
    import altair as alt

    table = _Table(rows, width, unit)
    values = [x for row in rows for x in (row.value, row.low, row.high) if x is not None]
    domain, ticks = _domain(values, table.plot / 48)
    x = alt.X("value:Q", scale=alt.Scale(domain=list(domain), nice=False), axis=_axis(ticks))
    y = alt.Y("y:Q", axis=None, scale=alt.Scale(domain=[table.height, 0], nice=False, zero=False))
    drawn = [(i, row) for i, row in enumerate(rows) if row.value is not None]
    layers = [*_marks(table, drawn, x, y), *_names(table, y), *_figures(table, drawn, y)]
    centre = table.plot * (0 - domain[0]) / (domain[1] - domain[0])
    layers.append(_heads(table, centre, zero, y))
    chart = themed(layers, width=table.plot, height=table.height, padding=(table.left, _HEADER, table.right, _AXIS))
    return draw(chart, name=name, title=title, about=about)


def _axis(ticks: list[float]) -> Any:
    import altair as alt

    step = ticks[1] - ticks[0]
    digits = next((d for d in range(6) if abs(step * 10**d - round(step * 10**d)) < 1e-6), 6)
    return alt.Axis(values=ticks, format=f",.{digits}f", title=None, grid=False, labelOverlap=False, labelFlush=False)


def _domain(values: list[float], most: float) -> tuple[tuple[float, float], list[float]]:
    """From nought to the last number and a little further, so that a narrow plot is well used; and its ticks."""
    rounded = ticks_of(values, most)
    if not any(values):
        return (rounded[0], rounded[-1]), rounded
    low, high = min([*values, 0.0]), max([*values, 0.0])
    slack = 0.05 * (high - low)
    ends = (low - (slack if low < 0 else 0), high + (slack if high > 0 else 0))
    # Nought alone gives no scale.
    for steps in (most, 3, 4, 6, 10, 20):
        ticks = [t for t in ticks_of(values, steps) if ends[0] <= t <= ends[1]]
        if len(ticks) > 1:
            break
    return ends, ticks


def ticks_of(values: list[float], most: float) -> list[float]:
    """Round numbers that hold all values and nought.

    Args:
        values: Any numbers; none at all counts as 0 to 1.
        most: About how many steps there is room for.

    Returns:
        Two or more numbers, equally far apart.

    >>> ticks_of([8.8, 1.2], 5)
    [0.0, 2.0, 4.0, 6.0, 8.0, 10.0]
    """
    low, high = min([*values, 0.0]), max([*values, 0.0])
    if high == low:
        high = low + 1
    raw = (high - low) / max(most, 2)
    size = 10.0 ** math.floor(math.log10(raw))
    step = next(m * size for m in (1, 2, 5, 10) if m * size >= raw * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(i * step, 10) for i in range(first, last + 1)]


def _shade(row: Row) -> str:
    return light("accent" if row.strong else "soft")


def _marks(table: _Table, drawn: list[tuple[int, Row]], x: Any, y: Any) -> list[Any]:
    """The zero line, in pieces so that it never crosses a row's text; intervals and points over it."""
    import altair as alt

    if not drawn:
        return []
    ends = [*table.tops, table.height]
    zero = [{"value": 0, "y": ends[i], "end": ends[i + 1]} for i, _ in drawn]
    bars = [
        {"value": row.low, "high": row.high, "y": table.middle(i), "shade": _shade(row)}
        for i, row in drawn
        if row.low is not None and row.high is not None
    ]
    dots = [{"value": row.value, "y": table.middle(i), "shade": _shade(row)} for i, row in drawn]
    shade = alt.Color("shade:N", scale=None, legend=None)
    layers = [alt.Chart(_data(zero)).mark_rule(color=light("pale")).encode(x=x, y=y, y2="end:Q")]
    if bars:
        mark = alt.Chart(_data(bars)).mark_rule(strokeWidth=2.5, strokeCap="round")
        layers.append(mark.encode(x=x, x2="high:Q", y=y, color=shade))
    mark = alt.Chart(_data(dots)).mark_point(filled=True, size=80, opacity=1)
    return [*layers, mark.encode(x=x, y=y, color=shade)]


def _names(table: _Table, y: Any) -> list[Any]:
    entries: dict[str, list[dict[str, Any]]] = {"plain": [], "strong": [], "note": [], "reason": []}
    for i, (row, (name, note)) in enumerate(zip(table.rows, table.lines, strict=True)):
        below = note if row.value is not None else []
        top = table.middle(i) - (len(name) + len(below) - 1) * _LEADING / 2
        entries["strong" if row.strong else "plain"].append({"y": top, "text": "\n".join(name)})
        if below:
            entries["note"].append({"y": top + len(name) * _LEADING, "text": "\n".join(below)})
        elif note:
            middle = table.middle(i) - (len(note) - 1) * _LEADING / 2
            entries["reason"].append({"y": middle, "text": "\n".join(note)})
    soft = {"color": light("soft"), "fontSize": 13}
    styles: dict[str, dict[str, Any]] = {"plain": {}, "strong": {"fontWeight": 600}, "note": soft, "reason": soft}
    return [
        _text(rows, y, 0 if kind == "reason" else -table.left, **styles[kind])
        for kind, rows in entries.items()
        if rows
    ]


def _figures(table: _Table, drawn: list[tuple[int, Row]], y: Any) -> list[Any]:
    if not drawn:
        return []
    shift = _LEADING / 2 if table.narrow else 0
    figures = [{"y": table.middle(i) - shift, "text": row.figure} for i, row in drawn]
    spreads = [{"y": table.middle(i) + shift, "text": row.spread} for i, row in drawn]
    edge = table.plot + table.right
    soft: dict[str, Any] = {"color": light("soft"), "fontSize": 13, "align": "right"}
    column = edge if table.narrow else table.plot + 16 + table.figures
    return [_text(figures, y, column, fontWeight=600, align="right"), _text(spreads, y, edge, **soft)]


def _heads(table: _Table, centre: float, zero: str, y: Any) -> Any:
    import altair as alt

    wide = text_width(zero, 13)
    middle = min(max(centre, wide / 2 - table.left), table.plot - wide / 2)
    edge = table.plot + table.right
    soft: dict[str, Any] = {"color": light("soft"), "fontSize": 13}
    heads = [_text([{"y": -12, "text": zero}], y, middle, align="center", **soft)]
    if table.narrow:
        heads.append(_text([{"y": -12, "text": table.unit}], y, edge, align="right", **soft))
    else:
        unit = table.plot + 16 + table.figures
        heads.append(_text([{"y": -12, "text": table.unit}], y, unit, align="right", **soft))
        heads.append(_text([{"y": -12, "text": _SPREAD}], y, edge, align="right", **soft))
    return alt.layer(*heads)


def _text(rows: list[dict[str, Any]], y: Any, x: float, **style: Any) -> Any:
    import altair as alt

    look = {"align": "left", "baseline": "middle", "fontSize": 14, "lineHeight": _LEADING, **style}
    return alt.Chart(_data(rows)).mark_text(clip=False, **look).encode(x=alt.value(x), y=y, text="text:N")


def _data(rows: list[dict[str, Any]]) -> Any:
    import altair as alt

    return alt.Data(values=rows)


def reliability_chart(
    model: list[Bin], rule: list[Bin], *, width: float, labels: tuple[str, str], name: str, title: str, about: str
) -> str:
    """Predicted against observed: the model's points dark, its rule of thumb's lighter, and the diagonal.

    Args:
        model: The model's bins.
        rule: The rule's bins; may be empty.
        width: In pixels; the plot is square.
        labels: What the model and the rule are called.
        name: Unique in the page.
        title: The finding.
        about: The text alternative.

    Returns:
        Inline SVG.

    >>> bins = [Bin(0.2, 0.21, 0.2, 0.22, 900), Bin(0.5, 0.49, 0.48, 0.5, 900)]
    >>> reliability_chart(bins, [], width=350, labels=("m", "r"), name="r", title="t", about="")[:4]
    '<svg'
    """
    import altair as alt

    left, top, right, bottom = 40.0, 26.0, 14.0, 48.0
    side = width - left - right
    ticks = ticks_of([100 * v for b in (*model, *rule) for v in (b.predicted, b.high)], 5)
    scale = alt.Scale(domain=[ticks[0], ticks[-1]], nice=False)
    x = alt.X("predicted:Q", scale=scale, axis=_axis(ticks))
    y = alt.Y("observed:Q", scale=scale, axis=_axis(ticks))
    ends = [{"predicted": t, "observed": t} for t in (ticks[0], ticks[-1])]
    diagonal = alt.Chart(_data(ends)).mark_line(color=light("pale"), strokeDash=[5, 4], strokeWidth=1.5)
    layers = [diagonal.encode(x=x, y=y)]
    low = alt.Y("low:Q", scale=scale, axis=_axis(ticks))
    for bins, shade, filled in ((rule, "pale", False), (model, "accent", True)):
        if bins:
            bars, dots = _bins(bins, shade, filled)
            layers += [bars.encode(x=x, y=low, y2="high:Q"), dots.encode(x=x, y=y)]
    layers += _tags(model, rule, labels, side, ticks[-1])
    layers.append(_across(-14, "Observed, in 100 people", -left, "left"))
    layers.append(_across(side + 36, "Predicted, in 100 people", side, "right"))
    return draw(
        themed(layers, width=side, height=side, padding=(left, top, right, bottom)), name=name, title=title, about=about
    )


def _across(y: float, text: str, x: float, align: str) -> Any:
    import altair as alt

    mark = alt.Chart(_data([{"text": text}])).mark_text(align=align, baseline="middle", fontSize=13, color=light("soft"))
    return mark.encode(x=alt.value(x), y=alt.value(y), text="text:N")


def _bins(bins: list[Bin], shade: str, filled: bool) -> tuple[Any, Any]:
    import altair as alt

    rows = [
        {"predicted": 100 * b.predicted, "observed": 100 * b.observed, "low": 100 * b.low, "high": 100 * b.high}
        for b in bins
    ]
    bars = alt.Chart(_data(rows)).mark_rule(color=light(shade), strokeWidth=2)
    dots = alt.Chart(_data(rows)).mark_point(
        filled=filled, color=light(shade), fill=light(shade if filled else "paper"), size=44, opacity=1, strokeWidth=1.6
    )
    return bars, dots


def _tags(model: list[Bin], rule: list[Bin], labels: tuple[str, str], side: float, top: float) -> list[Any]:
    """The names of the series and of the diagonal, each where nothing is."""
    import altair as alt

    def spot(predicted: float, observed: float) -> Spot:
        return (side * 100 * predicted / top, side * (1 - 100 * observed / top))

    series = [[spot(b.predicted, b.observed) for b in bins] for bins in (model, rule)]
    ideal = along((0, side), (side, 0))
    taken = [*ideal, *series[0], *series[1]]
    for b in (*model, *rule):
        taken += along(spot(b.predicted, b.low), spot(b.predicted, b.high))
    layers = []
    names = (*labels, "as predicted")
    for text, points, shade in zip(names, [*series, ideal[-12:20:-1]], ("accent", "soft", "soft"), strict=True):
        bold = shade == "accent"
        lines = wrap(text, side * 0.45, 14, bold=bold)
        size = (max(text_width(line, 14, bold=bold) for line in lines), len(lines) * float(_LEADING))
        label = place(size, points, taken, (side, side)) if points else None
        if label is None:
            continue
        taken += [
            (label.x + size[0] * i / 8, label.y + size[1] * j / 4) for i in range(-4, 5) for j in range(-2, 3)
        ]
        row = {"text": "\n".join(lines)}
        mark = alt.Chart(_data([row])).mark_text(
            fontSize=14, fontWeight=600 if bold else 400, color=light(shade), baseline="middle", align="center"
        )
        first = label.y - (len(lines) - 1) * _LEADING / 2
        layers.append(mark.encode(x=alt.value(label.x), y=alt.value(first), text="text:N"))
    return layers
