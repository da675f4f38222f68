"""What the best-ranked share of the people holds of all outcomes, as a curve. Altair loads when drawing."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from hustings.briefing.drawing import LEADING, axis_of, draw, rows_of, themed
from hustings.briefing.labels import Spot, along, place
from hustings.briefing.look import light, text_width, wrap

_TICKS = [0.0, 20.0, 40.0, 60.0, 80.0, 100.0]


@dataclass(frozen=True)
class Depth:
    """At a share of the people, the share of all outcomes among them, with its interval."""

    depth: float
    gain: float
    low: float
    high: float


def gain_chart(
    model: list[Depth],
    rule: list[Depth],
    *,
    width: float,
    labels: tuple[str, str],
    name: str,
    title: str,
    about: str,
) -> str:
    """The share found against the share asked: the model's curve dark in its interval, the rule's lighter.

    Args:
        model: The model's depths, from small to large.
        rule: The rule's; may be empty.
        width: In pixels; the plot is square.
        labels: What the model and the rule are called.
        name: Unique in the page.
        title: The finding.
        about: The text alternative.

    Returns:
        Inline SVG.

    >>> depths = [Depth(0.1, 0.3, 0.25, 0.35), Depth(0.5, 0.8, 0.75, 0.85)]
    >>> gain_chart(depths, [], width=350, labels=("m", "r"), name="g", title="t", about="")[:4]
    '<svg'
    """
    left, top, right, bottom = 40.0, 34.0, 14.0, 48.0
    side = width - left - right
    layers = [
        *_layers(model, rule),
        *_tags(model, rule, labels, side),
        _across(-24, "Found, of 100 in all", -left, "left"),
        _across(side + 36, "Of 100 people, the best ranked", side, "right"),
    ]
    chart = themed(layers, width=side, height=side, padding=(left, top, right, bottom))
    return draw(chart, name=name, title=title, about=about)


def _points(depths: list[Depth]) -> list[dict[str, Any]]:
    whole = [Depth(0, 0, 0, 0), *depths, Depth(1, 1, 1, 1)]
    return [
        {"depth": 100 * d.depth, "gain": 100 * d.gain, "low": 100 * d.low, "high": 100 * d.high}
        for d in whole
    ]


def _layers(model: list[Depth], rule: list[Depth]) -> list[Any]:
    import altair as alt

    scale = alt.Scale(domain=[0, 100], nice=False)
    x = alt.X("depth:Q", scale=scale, axis=axis_of(_TICKS))
    y = alt.Y("gain:Q", scale=scale, axis=axis_of(_TICKS))
    low = alt.Y("low:Q", scale=scale, axis=axis_of(_TICKS))
    ends = rows_of([{"depth": t, "gain": t} for t in (0, 100)])
    diagonal = alt.Chart(ends).mark_line(color=light("pale"), strokeDash=[5, 4], strokeWidth=1.5)
    layers = [diagonal.encode(x=x, y=y)]
    if rule:
        curve = alt.Chart(rows_of(_points(rule))).mark_line(color=light("pale"), strokeWidth=2)
        layers.append(curve.encode(x=x, y=y))
    if model:
        band = alt.Chart(rows_of(_points(model))).mark_area(color=light("accent"), opacity=0.18)
        curve = alt.Chart(rows_of(_points(model))).mark_line(color=light("accent"), strokeWidth=2.5)
        layers += [band.encode(x=x, y=low, y2="high:Q"), curve.encode(x=x, y=y)]
    return layers


def _across(y: float, text: str, x: float, align: str) -> Any:
    import altair as alt

    mark = alt.Chart(rows_of([{"text": text}])).mark_text(
        align=align, baseline="middle", fontSize=13, color=light("soft")
    )
    return mark.encode(x=alt.value(x), y=alt.value(y), text="text:N")


def _tags(model: list[Depth], rule: list[Depth], labels: tuple[str, str], side: float) -> list[Any]:
    """The names of the curves and of the diagonal, each where nothing is."""
    import altair as alt

    def spots(depths: list[Depth]) -> list[Spot]:
        at = [(side * p["depth"] / 100, side * (1 - p["gain"] / 100)) for p in _points(depths)]
        return [s for a, b in pairwise(at) for s in along(a, b)]

    chance = along((0, side), (side, 0))
    curves = [spots(model) if model else [], spots(rule) if rule else []]
    taken = [*chance, *curves[0], *curves[1]]
    band = [s for p in _points(model) for s in along((side * p["depth"] / 100, side * (1 - p["low"] / 100)), (side * p["depth"] / 100, side * (1 - p["high"] / 100)))]  # fmt: skip
    taken += band if model else []
    layers = []
    series = zip((*labels, "at random"), [*curves, chance], ("accent", "soft", "soft"), strict=True)
    for text, points, shade in series:
        bold = shade == "accent"
        lines = wrap(text, side * 0.42, 14, bold=bold)
        size = (max(text_width(line, 14, bold=bold) for line in lines), len(lines) * float(LEADING))
        inner = points[len(points) // 8 : -len(points) // 8 or None]
        label = place(size, inner, taken, (side, side)) if inner else None
        if label is None:
            continue
        taken += [
            (label.x + size[0] * i / 8, label.y + size[1] * j / 4) for i in range(-4, 5) for j in range(-2, 3)
        ]
        mark = alt.Chart(rows_of([{"text": "\n".join(lines)}])).mark_text(
            fontSize=14,
            fontWeight=600 if bold else 400,
            color=light(shade),
            baseline="middle",
            align="center",
        )
        first = label.y - (len(lines) - 1) * LEADING / 2
        layers.append(mark.encode(x=alt.value(label.x), y=alt.value(first), text="text:N"))
    return layers
