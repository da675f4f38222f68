"""Finds a free spot beside a series for its name, so that no label lies on a line or a point."""

from __future__ import annotations

import math
from typing import NamedTuple

Spot = tuple[float, float]


class Label(NamedTuple):
    """Where a label goes: its centre, and the point of the series that a short line ties it to."""

    x: float
    y: float
    anchor: Spot
    tied: bool


def along(start: Spot, end: Spot, step: float = 3.0) -> list[Spot]:
    """A line as spots that a label must not cover.

    Args:
        start: In pixels.
        end: In pixels.
        step: Largest gap between spots, in pixels.

    Returns:
        Spots from start to end, both among them.

    >>> along((0, 0), (6, 0))
    [(0.0, 0.0), (3.0, 0.0), (6.0, 0.0)]
    """
    pieces = max(1, math.ceil(math.dist(start, end) / step))
    shares = (i / pieces for i in range(pieces + 1))
    return [(start[0] + s * (end[0] - start[0]), start[1] + s * (end[1] - start[1])) for s in shares]


def place(
    size: Spot, series: list[Spot], taken: list[Spot], bounds: Spot, *, margin: float = 5.0
) -> Label | None:
    """The free spot nearest to a series.

    Args:
        size: Width and height of the label, in pixels.
        series: Points of the series that the label names.
        taken: Spots that nothing may cover; those of the series are among them.
        bounds: Width and height of the plot.
        margin: Free space around the label, in pixels.

    Returns:
        The label's place, or None where the plot is full.

    >>> place((20, 10), [(50, 50)], [(50, 50)], (100, 100)).tied
    False
    """
    half = (size[0] / 2 + margin, size[1] / 2 + margin)
    for distance in (3.0, 8.0, 16.0, 28.0, 44.0, 64.0, 90.0):
        for turn in range(16):
            angle = math.tau * turn / 16
            for x, y in series:
                spot = (
                    x + math.cos(angle) * (distance + half[0]),
                    y + math.sin(angle) * (distance + half[1]),
                )
                if _inside(spot, half, bounds) and not _covers(spot, half, taken):
                    return Label(*spot, (x, y), distance > 8)
    return None


def _inside(spot: Spot, half: Spot, bounds: Spot) -> bool:
    return half[0] <= spot[0] <= bounds[0] - half[0] and half[1] <= spot[1] <= bounds[1] - half[1]


def _covers(spot: Spot, half: Spot, taken: list[Spot]) -> bool:
    return any(abs(x - spot[0]) < half[0] and abs(y - spot[1]) < half[1] for x, y in taken)
