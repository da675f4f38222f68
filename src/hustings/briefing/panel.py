"""One department's part of the page: a finding, what it rests on, one action, its pictures and a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from markupsafe import Markup

from hustings.briefing import charts
from hustings.briefing.pictures import NARROW, Picture

WIDE = 420
"""Of a picture beside the text, on a screen."""


@dataclass(frozen=True)
class Panel:
    """What a department has to say this morning.

    Attributes:
        name: Unique in the page.
        title: The finding, in a sentence.
        text: What it rests on.
        action: What to do about it; empty where there is nothing to do.
        pictures: Each with a finding of its own.
        head: Columns of a table beside them.
        body: Its rows, as texts.
    """

    name: str
    title: str
    text: str
    action: str = ""
    pictures: Sequence[Picture] = field(default_factory=list)
    head: tuple[str, ...] = ()
    body: Sequence[tuple[str, ...]] = ()


def interval_picture(
    name: str,
    title: str,
    caption: str,
    rows: list[charts.Row],
    *,
    unit: str,
    zero: str,
    head: tuple[str, ...],
    body: Sequence[tuple[str, ...]],
) -> Picture:
    """Estimates with their intervals, one below the other.

    Args:
        name: Unique in the page.
        title: The finding, in a sentence.
        caption: What is drawn, on how many, and how sure it is.
        rows: The lines of the chart.
        unit: Of the axis.
        zero: What 0 means: `0 = nothing gained`.
        head: Columns of the table that says the same in numbers.
        body: Its rows, as texts.
    """
    told = "; ".join(
        f"{row.name} {row.figure} ({row.spread})" if row.spread else f"{row.name} {row.figure}"
        for row in rows
    )
    about = f"{title}. {told}."
    drawings = {
        size: Markup(
            charts.interval_chart(
                rows, width=width, unit=unit, zero=zero, name=f"{name}-{size}", title=title, about=about
            )
        )
        for size, width in (("wide", WIDE), ("narrow", NARROW))
    }
    return Picture(name, title, caption, drawings, head, body)
