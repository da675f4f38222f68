"""A square plot of percentages, drawn by hand: a card has several, and each must cost a millisecond."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from xml.etree import ElementTree

from hustings.briefing.drawing import LEADING, SVG, ticks_of
from hustings.briefing.labels import Label, Spot, along, place
from hustings.briefing.look import clean, figure, text_width, wrap

LEFT, TOP, RIGHT, BOTTOM = 40.0, 34.0, 14.0, 48.0
_STEP = 9.0

Place = Callable[[float, float], Spot]
"""From shares to pixels."""


@dataclass(frozen=True)
class Point:
    """Shares of 0 to 1: where it stands, and the ends of its interval upwards."""

    x: float
    y: float
    low: float
    high: float


@dataclass(frozen=True)
class Series:
    """Points with a name; a curve in its band, or dots with their bars. The first of a plot is the strong one."""

    name: str
    points: list[Point]
    curve: bool


def square_plot(
    series: list[Series],
    *,
    width: float,
    diagonal: str,
    across: str,
    up: str,
    name: str,
    title: str,
    about: str,
) -> str:
    """Series over a diagonal, each named where nothing else is.

    Args:
        series: The strong one first; those without points are left out.
        width: In pixels; the plot is square.
        diagonal: What the dashed diagonal is called.
        across: The unit from left to right.
        up: The unit from bottom to top.
        name: Unique in the page.
        title: The finding.
        about: The text alternative.

    Returns:
        Inline SVG, its colours variables of the page's style.

    >>> one = Series("score", [Point(0.1, 0.3, 0.2, 0.4), Point(0.5, 0.8, 0.7, 0.9)], True)
    >>> square_plot([one], width=350, diagonal="random", across="", up="", name="s", title="t", about="")[:4]
    '<svg'
    """
    side = width - LEFT - RIGHT
    shown = [one for one in series if one.points]
    ticks = ticks_of([100 * v for one in shown for p in one.points for v in (p.x, p.high)], 5)
    scale = 100 / ticks[-1]

    def at(x: float, y: float) -> Spot:
        return (LEFT + side * x * scale, TOP + side * (1 - min(y * scale, 1.0)))

    root = _frame(width, side + TOP + BOTTOM, name, title, about)
    _axes(root, ticks, side, across, up)
    _line(root, [(LEFT, TOP + side), (LEFT + side, TOP)], "pale", 1.5, dashed=True)
    # The strong one is drawn last, over the others.
    for one in reversed(shown):
        _series(root, one, at, strong=one is shown[0])
    _names(root, shown, at, diagonal, side)
    return ElementTree.tostring(root, encoding="unicode")


def _frame(width: float, height: float, name: str, title: str, about: str) -> ElementTree.Element:
    root = ElementTree.Element(
        "svg",
        {
            "xmlns": SVG,
            "viewBox": f"0 0 {width:g} {height:g}",
            "width": f"{width:g}",
            "height": f"{height:g}",
            "role": "img",
            "aria-labelledby": f"{name}-title {name}-about",
        },
    )
    for tag, ending, text in (("title", "title", title), ("desc", "about", about)):
        ElementTree.SubElement(root, tag, {"id": f"{name}-{ending}"}).text = clean(text)
    return root


def _axes(root: ElementTree.Element, ticks: list[float], side: float, across: str, up: str) -> None:
    bottom = TOP + side
    _line(root, [(LEFT, TOP), (LEFT, bottom), (LEFT + side, bottom)], "pale", 1)
    for tick in ticks:
        share = side * tick / ticks[-1]
        _line(root, [(LEFT - 4, bottom - share), (LEFT, bottom - share)], "pale", 1)
        _line(root, [(LEFT + share, bottom), (LEFT + share, bottom + 4)], "pale", 1)
        _text(root, (LEFT - 8, bottom - share + 4.5), figure(tick), 13, "soft", "end")
        _text(root, (LEFT + share, bottom + 18), figure(tick), 13, "soft", "middle")
    _text(root, (0, TOP - 18), up, 13, "soft", "start")
    _text(root, (LEFT + side, bottom + 40), across, 13, "soft", "end")


def _series(root: ElementTree.Element, one: Series, at: Place, *, strong: bool) -> None:
    shade = "accent" if strong else "pale"
    if one.curve:
        if strong:
            edge = [at(p.x, p.high) for p in one.points] + [at(p.x, p.low) for p in reversed(one.points)]
            _shape(root, edge, {"fill": f"var(--{shade})", "fill-opacity": "0.18"}, closed=True)
        _line(root, [at(p.x, p.y) for p in one.points], shade, 2.5 if strong else 2)
        return
    for p in one.points:
        _line(root, [at(p.x, p.low), at(p.x, p.high)], shade, 2)
    for p in one.points:
        x, y = at(p.x, p.y)
        look = {"fill": f"var(--{shade if strong else 'paper'})", "stroke": f"var(--{shade})"}
        ElementTree.SubElement(
            root, "circle", {"cx": f"{x:.1f}", "cy": f"{y:.1f}", "r": "3.7", "stroke-width": "1.6", **look}
        )


def _line(
    root: ElementTree.Element, spots: list[Spot], shade: str, width: float, *, dashed: bool = False
) -> None:
    given = {"fill": "none", "stroke": f"var(--{shade})", "stroke-width": f"{width:g}"}
    _shape(root, spots, given | ({"stroke-dasharray": "5 4"} if dashed else {}))


def _shape(
    root: ElementTree.Element, spots: list[Spot], given: dict[str, str], *, closed: bool = False
) -> None:
    path = "L".join(f"{x:.1f},{y:.1f}" for x, y in spots)
    ElementTree.SubElement(root, "path", {"d": f"M{path}{'Z' if closed else ''}", **given})


def _text(
    root: ElementTree.Element, spot: Spot, text: str, size: float, shade: str, anchor: str, *, bold: bool = False
) -> None:  # fmt: skip
    given = {"x": f"{spot[0]:.1f}", "y": f"{spot[1]:.1f}", "fill": f"var(--{shade})", "text-anchor": anchor}
    given |= {"font-size": f"{size:g}px"} | ({"font-weight": "600"} if bold else {})
    ElementTree.SubElement(root, "text", given).text = clean(text)


def _names(root: ElementTree.Element, shown: list[Series], at: Place, diagonal: str, side: float) -> None:
    """The names of the series and of the diagonal, each where nothing is."""

    def moved(x: float, y: float) -> Spot:
        px, py = at(x, y)
        return (px - LEFT, py - TOP)

    ideal = along((0, side), (side, 0), _STEP)
    drawn = [_covered(one, moved) for one in shown]
    taken = [*ideal, *(s for spots in drawn for s in spots)]
    paths = [_path(one, moved) for one in shown]
    names = [(one.name, path, "accent" if i == 0 else "soft") for i, (one, path) in enumerate(zip(shown, paths, strict=True))]  # fmt: skip
    ties: list[tuple[Spot, Spot]] = []
    for text, points, shade in [*names, (diagonal, ideal[-4:6:-1], "soft")]:
        bold = shade == "accent"
        lines = wrap(text, side * 0.42, 14, bold=bold)
        size = (max(text_width(line, 14, bold=bold) for line in lines), len(lines) * float(LEADING))
        label = place(size, points, taken, (side, side), margin=7.0) if points else None
        if label is None:
            continue
        taken += [
            (label.x + size[0] * i / 8, label.y + size[1] * j / 4) for i in range(-4, 5) for j in range(-2, 3)
        ]
        if label.tied:
            ties.append((_edge(label, size), (LEFT + label.anchor[0], TOP + label.anchor[1])))
        first = label.y - (len(lines) - 1) * LEADING / 2 + 5
        for i, line in enumerate(lines):
            _text(root, (LEFT + label.x, TOP + first + i * LEADING), line, 14, shade, "middle", bold=bold)
    for start, end in ties:
        _line(root, [start, end], "pale", 1)


def _edge(label: Label, size: Spot) -> Spot:
    """Where a tie leaves a label: the middle of the side that looks at its anchor."""
    dx, dy = label.anchor[0] - label.x, label.anchor[1] - label.y
    if abs(dy) * size[0] > abs(dx) * size[1]:
        return (LEFT + label.x, TOP + label.y + math.copysign(size[1] / 2 + 3, dy))
    return (LEFT + label.x + math.copysign(size[0] / 2 + 4, dx), TOP + label.y)


def _covered(one: Series, at: Place) -> list[Spot]:
    """Everything that the series is drawn on."""
    bars = [s for p in one.points for s in along(at(p.x, p.low), at(p.x, p.high), _STEP)]
    if not one.curve:
        return bars
    edges = [
        s
        for a, b in pairwise(one.points)
        for ends in (("low", "low"), ("y", "y"), ("high", "high"))
        for s in along(at(a.x, getattr(a, ends[0])), at(b.x, getattr(b, ends[1])), _STEP)
    ]
    return [*bars, *edges]


def _path(one: Series, at: Place) -> list[Spot]:
    """Where the series' name may stand near."""
    if not one.curve:
        return [at(p.x, p.y) for p in one.points]
    whole = [s for a, b in pairwise(one.points) for s in along(at(a.x, a.y), at(b.x, b.y), 2 * _STEP)]
    return whole[max(len(whole) // 8, 1) : max(math.ceil(len(whole) * 7 / 8), 2)]
