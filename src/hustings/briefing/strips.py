"""Intervals as rows of a table, each with a small drawing of its own: numbers and picture in one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from hustings.briefing.charts import Row

WIDTH, HEIGHT = 120.0, 18.0
_EDGE = 6.0


@dataclass(frozen=True)
class Strip:
    """One table of intervals as it stands in a card.

    Attributes:
        name: Unique in the page.
        title: The finding, in a sentence.
        caption: What is drawn, and how sure it is.
        unit: Head of the figures.
        rows: Rows, with their drawings; the drawing is empty where there is no estimate.
        head: Columns of the full table; empty where there is nothing more to tell.
        body: Its rows, as texts.
    """

    name: str
    title: str
    caption: str
    unit: str
    rows: list[tuple[Row, Markup]]
    head: tuple[str, ...] = ()
    body: Sequence[tuple[str, ...]] = ()


def drawn(rows: list[Row]) -> list[tuple[Row, Markup]]:
    """Each row with its interval, all on one scale that holds nought.

    Args:
        rows: From top to bottom.

    Returns:
        The rows with inline SVG, colours as variables of the page's style.

    >>> [(row, svg)] = drawn([Row("a", 1.0, 0.5, 1.5, "1", "0.5 to 1.5")])
    >>> str(svg[:4])
    '<svg'
    """
    values = [v for row in rows for v in (row.value, row.low, row.high) if v is not None]
    low, high = min([*values, 0.0]), max([*values, 0.0])
    spread = (high - low) or 1.0

    def at(value: float) -> float:
        return _EDGE + (WIDTH - 2 * _EDGE) * (value - low) / spread

    return [(row, _drawing(row, at(0.0), at)) for row in rows]


def _drawing(row: Row, zero: float, at: Callable[[float], float]) -> Markup:
    if row.value is None:
        return Markup("")
    middle = HEIGHT / 2
    parts = [
        f'<path d="M{zero:.1f},0V{HEIGHT:g}" stroke="var(--pale)" stroke-width="1"/>',
        f'<circle cx="{at(row.value):.1f}" cy="{middle:g}" r="4" fill="var(--accent)"/>',
    ]
    if row.low is not None and row.high is not None:
        bar = f"M{at(row.low):.1f},{middle:g}H{at(row.high):.1f}"
        parts.insert(1, f'<path d="{bar}" stroke="var(--accent)" stroke-width="2.5"/>')
    # Only numbers of ours stand in it.
    return Markup(
        f'<svg class="strip" viewBox="0 0 {WIDTH:g} {HEIGHT:g}" width="{WIDTH:g}" height="{HEIGHT:g}" '
        f'aria-hidden="true" focusable="false">{"".join(parts)}</svg>'
    )
