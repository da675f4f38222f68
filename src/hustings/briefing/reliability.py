"""Predicted against observed, with the rule of thumb beside it. Altair loads when drawing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hustings.briefing.drawing import LEADING, axis_of, draw, rows_of, themed, ticks_of
from hustings.briefing.labels import Spot, along, place
from hustings.briefing.look import light, text_width, wrap


@dataclass(frozen=True)
class Bin:
    """People with like predictions: mean predicted, share observed with its interval, and how many."""

    predicted: float
    observed: float
    low: float
    high: float
    n: int


def reliability_chart(
    model: list[Bin],
    rule: list[Bin],
    *,
    width: float,
    labels: tuple[str, str],
    name: str,
    title: str,
    about: str,
    across: tuple[str, str] = ("Observed, in 100 people", "Predicted, in 100 people"),
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
        across: What the two axes are, upright and level.

    Returns:
        Inline SVG.

    >>> bins = [Bin(0.2, 0.21, 0.2, 0.22, 900), Bin(0.5, 0.49, 0.48, 0.5, 900)]
    >>> reliability_chart(bins, [], width=350, labels=("m", "r"), name="r", title="t", about="")[:4]
    '<svg'
    """
    left, top, right, bottom = 40.0, 34.0, 14.0, 48.0
    side = width - left - right
    ticks = ticks_of([100 * v for b in (*model, *rule) for v in (b.predicted, b.high)], 5)
    layers = [
        *_layers(model, rule, ticks),
        *_tags(model, rule, labels, side, ticks[-1]),
        _across(-24, across[0], -left, "left"),
        _across(side + 36, across[1], side, "right"),
    ]
    return draw(
        themed(layers, width=side, height=side, padding=(left, top, right, bottom)),
        name=name,
        title=title,
        about=about,
    )


def _layers(model: list[Bin], rule: list[Bin], ticks: list[float]) -> list[Any]:
    import altair as alt

    scale = alt.Scale(domain=[ticks[0], ticks[-1]], nice=False)
    x = alt.X("predicted:Q", scale=scale, axis=axis_of(ticks))
    y = alt.Y("observed:Q", scale=scale, axis=axis_of(ticks))
    low = alt.Y("low:Q", scale=scale, axis=axis_of(ticks))
    ends = [{"predicted": t, "observed": t} for t in (ticks[0], ticks[-1])]
    diagonal = alt.Chart(rows_of(ends)).mark_line(color=light("pale"), strokeDash=[5, 4], strokeWidth=1.5)
    layers = [diagonal.encode(x=x, y=y)]
    for bins, shade, filled in ((rule, "pale", False), (model, "accent", True)):
        if bins:
            bars, dots = _bins(bins, shade, filled)
            layers += [bars.encode(x=x, y=low, y2="high:Q"), dots.encode(x=x, y=y)]
    return layers


def _across(y: float, text: str, x: float, align: str) -> Any:
    import altair as alt

    mark = alt.Chart(rows_of([{"text": text}])).mark_text(
        align=align, baseline="middle", fontSize=13, color=light("soft")
    )
    return mark.encode(x=alt.value(x), y=alt.value(y), text="text:N")


def _bins(bins: list[Bin], shade: str, filled: bool) -> tuple[Any, Any]:
    import altair as alt

    rows = [
        {
            "predicted": 100 * b.predicted,
            "observed": 100 * b.observed,
            "low": 100 * b.low,
            "high": 100 * b.high,
        }
        for b in bins
    ]
    bars = alt.Chart(rows_of(rows)).mark_rule(color=light(shade), strokeWidth=2)
    dots = alt.Chart(rows_of(rows)).mark_point(
        filled=filled,
        color=light(shade),
        fill=light(shade if filled else "paper"),
        size=44,
        opacity=1,
        strokeWidth=1.6,
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
    for text, points, shade in zip(
        names, [*series, ideal[-12:20:-1]], ("accent", "soft", "soft"), strict=True
    ):
        bold = shade == "accent"
        lines = wrap(text, side * 0.45, 14, bold=bold)
        size = (max(text_width(line, 14, bold=bold) for line in lines), len(lines) * float(LEADING))
        label = place(size, points, taken, (side, side)) if points else None
        if label is None:
            continue
        taken += [
            (label.x + size[0] * i / 8, label.y + size[1] * j / 4) for i in range(-4, 5) for j in range(-2, 3)
        ]
        row = {"text": "\n".join(lines)}
        mark = alt.Chart(rows_of([row])).mark_text(
            fontSize=14,
            fontWeight=600 if bold else 400,
            color=light(shade),
            baseline="middle",
            align="center",
        )
        first = label.y - (len(lines) - 1) * LEADING / 2
        layers.append(mark.encode(x=alt.value(label.x), y=alt.value(first), text="text:N"))
    return layers
