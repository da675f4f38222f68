"""Turns an Altair chart into an SVG that may stand in the page: both themes, no style, no script, no link."""

from __future__ import annotations

import math
import re
from typing import Any
from xml.etree import ElementTree

from hustings.briefing import look

LEADING = 17
SVG = "http://www.w3.org/2000/svg"
_TAGS = frozenset({"svg", "g", "path", "line", "rect", "text", "tspan", "circle"})
_PLAIN = frozenset(
    {
        *("x", "y", "dx", "dy", "x2", "y2", "width", "height", "d", "transform", "fill", "stroke", "opacity"),
        *("stroke-width", "stroke-dasharray", "stroke-linecap", "stroke-opacity", "fill-opacity"),
        *("text-anchor", "font-size", "font-weight", "stroke-miterlimit"),
    }
)
_VARIABLES = {shades[0]: f"var(--{name})" for name, shades in look.PALETTE.items()}


def themed(
    layers: list[Any], *, width: float, height: float, padding: tuple[float, float, float, float]
) -> Any:
    """Layers as one chart of an exact size, in the house's look.

    Args:
        layers: Altair charts that share their scales.
        width: Of the plot, in pixels; text columns stand in the padding.
        height: Of the plot, in pixels.
        padding: Left, top, right, bottom, in pixels.

    Returns:
        An Altair chart.
    """
    import altair as alt

    sides = dict(zip(("left", "top", "right", "bottom"), padding, strict=True))
    axis = {
        "domainColor": look.light("pale"),
        "tickColor": look.light("pale"),
        "gridColor": look.light("line"),
        "labelColor": look.light("soft"),
        "labelFontSize": 13,
        "labelPadding": 5,
        "tickSize": 4,
    }
    return (
        alt.layer(*layers)
        .properties(width=width, height=height, padding=sides, autosize="none", background="transparent")
        .configure(font="Source Sans 3", view=alt.ViewConfig(stroke=None), aria=False)
        .configure_axis(**axis)
        .configure_text(fontSize=14, color=look.light("ink"), lineHeight=16, lineBreak="\n")
    )


def rows_of(rows: list[dict[str, Any]]) -> Any:
    """Rows as a chart's data, their texts without control characters."""
    import altair as alt

    # One control character in a text aborts the whole process inside vl-convert 1.9.
    return alt.Data(
        values=[
            {
                k: "\n".join(look.clean(line) for line in v.split("\n")) if isinstance(v, str) else v
                for k, v in row.items()
            }
            for row in rows
        ]
    )


def axis_of(ticks: list[float]) -> Any:
    """An axis with these ticks, written with as many decimals as they need, and no grid."""
    import altair as alt

    step = ticks[1] - ticks[0]
    digits = next((d for d in range(6) if abs(step * 10**d - round(step * 10**d)) < 1e-6), 6)
    return alt.Axis(
        values=ticks, format=f",.{digits}f", title=None, grid=False, labelOverlap=False, labelFlush=False
    )


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


def draw(chart: Any, *, name: str, title: str, about: str) -> str:
    """The chart as inline SVG with its text alternative.

    Args:
        chart: From `themed`.
        name: Unique in the page; the ids of title and description begin with it.
        title: The finding.
        about: What a sighted reader takes from the picture, with its numbers.

    Returns:
        One `<svg>` element. Colours are variables of the page's style; whatever the chart's data hold, only
        shapes and escaped text are in it.
    """
    import vl_convert

    svg: str = vl_convert.vegalite_to_svg(chart.to_dict(validate=False), allowed_base_urls=[])
    root = ElementTree.fromstring(svg)
    box = root.get("viewBox", "")
    body = [kept for child in root if (kept := _copy(child)) is not None]
    size = (root.get("width", ""), root.get("height", ""))
    return _frame(body, box, size, name=name, title=title, about=about)


def framed(
    body: list[ElementTree.Element], width: float, height: float, *, name: str, title: str, about: str
) -> str:
    """Elements drawn by ourselves as inline SVG with its text alternative.

    Args:
        body: SVG elements whose colours are of the light palette.
        width: In pixels.
        height: In pixels.
        name: Unique in the page; the ids of title and description begin with it.
        title: The finding.
        about: What a sighted reader takes from the picture, with its numbers.

    Returns:
        One `<svg>` element whose colours are variables of the page's style.

    >>> framed([], 10, 5, name="a", title="t", about="b")[:74]
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 10 5" width="10" heig'
    """
    for element in body:
        for node in element.iter():
            for key in ("fill", "stroke"):
                if key in node.attrib:
                    node.set(key, _colour(node.attrib[key]))
    size = (f"{width:g}", f"{height:g}")
    return _frame(body, f"0 0 {size[0]} {size[1]}", size, name=name, title=title, about=about)


def _frame(
    body: list[ElementTree.Element], box: str, size: tuple[str, str], *, name: str, title: str, about: str
) -> str:
    frame = ElementTree.Element(
        "svg",
        {
            "xmlns": SVG,
            "viewBox": box,
            "width": size[0],
            "height": size[1],
            "role": "img",
            "aria-labelledby": f"{name}-title {name}-about",
        },
    )
    for tag, text in (("title", title), ("desc", about)):
        ElementTree.SubElement(
            frame, tag, {"id": f"{name}-{'title' if tag == 'title' else 'about'}"}
        ).text = look.clean(text)
    frame.extend(body)
    return ElementTree.tostring(frame, encoding="unicode", short_empty_elements=True)


def _copy(node: ElementTree.Element) -> ElementTree.Element | None:
    """A drawn element with its harmless attributes; None where nothing would be seen of it."""
    tag = node.tag.removeprefix(f"{{{SVG}}}")
    if tag not in _TAGS or node.get("display") == "none":
        return None
    if tag == "path" and node.get("class") == "background":
        return None
    copy = ElementTree.Element(
        tag, {k: _colour(v) for k, v in node.attrib.items() if k in _PLAIN and _drawn(k, v)}
    )
    copy.text = node.text
    copy.extend(kept for child in node if (kept := _copy(child)) is not None)
    return copy if tag != "g" or len(copy) else None


def _drawn(name: str, value: str) -> bool:
    return not (name == "opacity" and value == "1") and not (
        name == "transform" and value == "translate(0,0)"
    )


def _colour(value: str) -> str:
    """A colour of the palette as its variable; numbers shortened to a hundredth of a pixel."""
    if value in _VARIABLES:
        return _VARIABLES[value]
    return re.sub(r"\d+\.\d{3,}", lambda found: f"{float(found[0]):.2f}".rstrip("0").rstrip("."), value)
