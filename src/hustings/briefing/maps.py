"""Places in colour: purple where they are the rival's, green where they are ours, in five steps of chance."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any
from xml.etree import ElementTree

from hustings.briefing.drawing import framed
from hustings.briefing.look import clean, light, text_width

STEPS = ((0.05, "under 5"), (0.35, "5–35"), (0.65, "35–65"), (0.95, "65–95"), (1.01, "over 95"))
"""Upper ends of the five steps of the chance to win, and their labels."""
_LEGEND = 64.0


@cache
def shapes() -> Mapping[str, Any]:
    """The outlines that are known: size, and by place its name and its path.

    >>> shapes()["places"]["OH"]["name"]
    'Ohio'
    """
    text = files("hustings.briefing").joinpath("shapes", "us-states.json").read_text(encoding="utf-8")
    read: dict[str, Any] = json.loads(text)
    return read


def step_of(p: float) -> int:
    """The step of a chance, 0 to 4.

    >>> [step_of(p) for p in (0.0, 0.05, 0.5, 0.95, 1.0)]
    [0, 1, 2, 4, 4]
    """
    return next(i for i, (end, _) in enumerate(STEPS) if p < end)


def chance_map(
    chances: Mapping[str, float], told: Mapping[str, str], *, width: float, name: str, title: str, about: str
) -> str:
    """A map of the chance to win each place.

    Args:
        chances: By the place's code, 0 to 1; a place without one is left empty.
        told: What a pointer over a place says.
        width: In pixels.
        name: Unique in the page.
        title: The finding.
        about: The text alternative.

    Returns:
        Inline SVG.

    >>> chance_map({"OH": 0.4}, {"OH": "Ohio: 40"}, width=350, name="m", title="t", about="a")[:4]
    '<svg'
    """
    known = shapes()
    scale = width / known["width"]
    height = known["height"] * scale
    group = ElementTree.Element("g", {"transform": f"scale({scale:.4f})"})
    for code, place in known["places"].items():
        chance = chances.get(code)
        fill = light("paper" if chance is None else f"step{step_of(chance)}")
        shape = ElementTree.SubElement(
            group,
            "path",
            {"d": place["path"], "fill": fill, "stroke": light("pale"), "stroke-width": f"{0.6 / scale:.2f}"},
        )
        ElementTree.SubElement(shape, "title").text = clean(told.get(code) or f"{place['name']}: not known")
    return framed(
        [group, *_legend(width, height)], width, height + _LEGEND, name=name, title=title, about=about
    )


def _legend(width: float, top: float) -> list[ElementTree.Element]:
    """Five boxes with their steps under them."""
    box = min(84.0, width / 5)
    left = (width - 5 * box) / 2
    found = []
    for i, (_, text) in enumerate(STEPS):
        found.append(
            ElementTree.Element(
                "rect",
                {
                    "x": f"{left + i * box:.1f}",
                    "y": f"{top + 10:.1f}",
                    "width": f"{box:.1f}",
                    "height": "14",
                    "fill": light(f"step{i}"),
                },
            )
        )
        found.append(_word(text, left + (i + 0.5) * box - text_width(text, 13) / 2, top + 40))
    words = "Chances in 100 to win the place"
    return [*found, _word(words, (width - text_width(words, 13)) / 2, top + 58)]


def _word(text: str, x: float, y: float) -> ElementTree.Element:
    word = ElementTree.Element(
        "text", {"x": f"{x:.1f}", "y": f"{y:.1f}", "font-size": "13px", "fill": light("soft")}
    )
    word.text = text
    return word
