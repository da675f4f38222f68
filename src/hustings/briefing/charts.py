"""Points with intervals in rows: one name, one mark and one figure a row. Altair loads when drawing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from hustings.briefing.drawing import LEADING, axis_of, draw, rows_of, themed, ticks_of
from hustings.briefing.look import light, text_width, wrap

NARROW = 450
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
        self.figures = max(
            text_width(text, 14, bold=True) for text in (self.unit, *(r.figure for r in self.rows))
        )
        self.spreads = max(text_width(text, 13) for text in (_SPREAD, *(r.spread for r in self.rows)))
        for row in self.rows:
            self.tops.append(self.height)
            # Without an estimate the plot is free, and the reason is written there.
            note = wrap(row.note, self.names if row.value is not None else self.free, 13) if row.note else []
            name = wrap(row.name, self.names, 14, bold=row.strong)
            self.lines.append((name, note))
            rows = len(name) + len(note) if row.value is not None else max(len(name), len(note))
            self.height += max(rows, 2 if self.narrow else 1) * LEADING + 15

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
        return max(self.width - self.left - self.right, 60.0)

    @property
    def free(self) -> float:
        return self.width - self.names - 16

    def middle(self, i: int) -> float:
        return (self.tops[i] + [*self.tops, self.height][i + 1]) / 2


_SPREAD = "95 % interval"


def interval_chart(
    rows: list[Row], *, width: float, unit: str, zero: str, name: str, title: str, about: str
) -> str:
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
    >>> interval_chart([row], width=350, unit="Points", zero="", name="a", title="t", about="")[:4]
    '<svg'
    """
    import altair as alt

    table = _Table(rows, width, unit)
    values = [x for row in rows for x in (row.value, row.low, row.high) if x is not None]
    domain, ticks = _domain(values, table.plot / 48)
    x = alt.X("value:Q", scale=alt.Scale(domain=list(domain), nice=False), axis=axis_of(ticks))
    y = alt.Y("y:Q", axis=None, scale=alt.Scale(domain=[table.height, 0], nice=False, zero=False))
    drawn = [(i, row) for i, row in enumerate(rows) if row.value is not None]
    layers = [*_marks(table, drawn, x, y), *_names(table, y), *_figures(table, drawn, y)]
    centre = table.plot * (0 - domain[0]) / (domain[1] - domain[0])
    layers.append(_heads(table, centre, zero, y))
    chart = themed(
        layers, width=table.plot, height=table.height, padding=(table.left, _HEADER, table.right, _AXIS)
    )
    return draw(chart, name=name, title=title, about=about)


def _domain(values: list[float], most: float) -> tuple[tuple[float, float], list[float]]:
    """The axis, from nought to a little beyond the last number, which uses a narrow plot well; its ticks."""
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
    layers = [alt.Chart(rows_of(zero)).mark_rule(color=light("pale")).encode(x=x, y=y, y2="end:Q")]
    if bars:
        mark = alt.Chart(rows_of(bars)).mark_rule(strokeWidth=2.5, strokeCap="round")
        layers.append(mark.encode(x=x, x2="high:Q", y=y, color=shade))
    mark = alt.Chart(rows_of(dots)).mark_point(filled=True, size=80, opacity=1)
    return [*layers, mark.encode(x=x, y=y, color=shade)]


def _names(table: _Table, y: Any) -> list[Any]:
    entries: dict[str, list[dict[str, Any]]] = {"plain": [], "strong": [], "note": [], "reason": []}
    for i, (row, (name, note)) in enumerate(zip(table.rows, table.lines, strict=True)):
        below = note if row.value is not None else []
        top = table.middle(i) - (len(name) + len(below) - 1) * LEADING / 2
        entries["strong" if row.strong else "plain"].append({"y": top, "text": "\n".join(name)})
        if below:
            entries["note"].append({"y": top + len(name) * LEADING, "text": "\n".join(below)})
        elif note:
            middle = table.middle(i) - (len(note) - 1) * LEADING / 2
            entries["reason"].append({"y": middle, "text": "\n".join(note)})
    soft = {"color": light("soft"), "fontSize": 13}
    styles: dict[str, dict[str, Any]] = {
        "plain": {},
        "strong": {"fontWeight": 600},
        "note": soft,
        "reason": soft,
    }
    return [
        _text(rows, y, 0 if kind == "reason" else -table.left, **styles[kind])
        for kind, rows in entries.items()
        if rows
    ]


def _figures(table: _Table, drawn: list[tuple[int, Row]], y: Any) -> list[Any]:
    if not drawn:
        return []
    shift = LEADING / 2 if table.narrow else 0
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

    look = {"align": "left", "baseline": "middle", "fontSize": 14, "lineHeight": LEADING, **style}
    return alt.Chart(rows_of(rows)).mark_text(clip=False, **look).encode(x=alt.value(x), y=y, text="text:N")
