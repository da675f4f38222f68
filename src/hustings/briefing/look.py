"""The briefing's look, in one place: colours for light and dark, fonts, and how numbers are written."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Mapping
from datetime import date, datetime
from functools import cache
from importlib.resources import files
from typing import Any

# name: (light, dark). Status is never red or blue: those are parties. Amber is for bars, never for text.
PALETTE: Mapping[str, tuple[str, str]] = {
    "ink": ("#1b2733", "#e7ecf0"),
    "soft": ("#4a5663", "#aab6c0"),
    "paper": ("#fbfaf7", "#12171c"),
    "line": ("#d9dfe3", "#303b45"),
    "accent": ("#0b6e6e", "#56beb8"),
    "pale": ("#7a8793", "#8593a0"),
    "behind": ("#9a4a00", "#f0a868"),
    "ahead": ("#1d6b3a", "#7acb97"),
    "attention": ("#f2a900", "#f2a900"),
    "note": ("#fdf5e0", "#262112"),
    # From the rival's to ours, for maps.
    "step0": ("#7d5199", "#a67fc0"),
    "step1": ("#cdb7d9", "#5f4a70"),
    "step2": ("#ece9e2", "#3a4148"),
    "step3": ("#b5dcb4", "#3d6a48"),
    "step4": ("#4c9a58", "#6fbd7d"),
}
SERIF = '"Source Serif 4", Georgia, "Times New Roman", serif'
SANS = '"Source Sans 3", "Segoe UI", "Helvetica Neue", Arial, sans-serif'
UNKNOWN = "not known"
_FONTS = (("Source Serif 4", 600, "source-serif-4-600"), ("Source Sans 3", 400, "source-sans-3-400"))
_BOLD = ("Source Sans 3", 600, "source-sans-3-600")
_SYMBOLS = {
    "USD": "$",
    "EUR": "€",
    "GBP": "£",
    "CAD": "CA$",
    "AUD": "A$",
    "NZD": "NZ$",
    "INR": "₹",
    "JPY": "¥",
}


def light(name: str) -> str:
    """A colour of the light theme.

    >>> light("accent")
    '#0b6e6e'
    """
    return PALETTE[name][0]


@cache
def stylesheet() -> str:
    """The page's whole style: fonts as data, colours of both themes, and `templates/briefing.css`.

    >>> "http" in stylesheet()
    False
    """
    here = files("hustings.briefing")
    faces = [
        _face(*font, here.joinpath("fonts", f"{font[2]}.woff2").read_bytes()) for font in (*_FONTS, _BOLD)
    ]
    bright, dim = (";".join(f"--{k}:{v[i]}" for k, v in PALETTE.items()) for i in (0, 1))
    themes = (
        f":root{{color-scheme:light dark;{bright};--serif:{SERIF};--sans:{SANS}}}\n"
        f"@media screen and (prefers-color-scheme:dark){{:root{{{dim}}}}}"
    )
    rules = here.joinpath("templates", "briefing.css").read_text(encoding="utf-8")
    return "\n".join((*faces, themes, rules)).replace("\r\n", "\n")


def _face(family: str, weight: int, _: str, content: bytes) -> str:
    data = base64.b64encode(content).decode("ascii")
    source = f"url(data:font/woff2;base64,{data}) format('woff2')"
    return f'@font-face{{font-family:"{family}";font-weight:{weight};font-style:normal;src:{source}}}'


@cache
def _widths() -> dict[str, dict[str, int]]:
    text = files("hustings.briefing").joinpath("fonts", "widths.json").read_text(encoding="utf-8")
    widths: dict[str, dict[str, int]] = json.loads(text)
    return widths


def text_width(text: str, size: float, *, bold: bool = False) -> float:
    """How wide a line of Source Sans 3 is.

    Args:
        text: One line.
        size: Type size in pixels.
        bold: Weight 600 instead of 400.

    Returns:
        Pixels. A letter that the font lacks counts as wide as its size, so that text is never cut.

    >>> round(text_width("Neighbors", 10), 1)
    43.0
    """
    table = _widths()["600" if bold else "400"]
    return sum(table.get(letter, 1000) for letter in text) * size / 1000


def wrap(text: str, width: float, size: float, *, bold: bool = False) -> list[str]:
    """A text broken into lines no wider than `width` pixels; a word that is wider is broken too.

    >>> wrap("Neighbors to all", 60, 10)
    ['Neighbors to', 'all']
    """
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if text_width(longer, size, bold=bold) <= width:
            lines[-1] = longer
            continue
        rest = word
        while text_width(rest, size, bold=bold) > width and len(rest) > 1:
            fits = max(
                n for n in range(1, len(rest)) if n == 1 or text_width(rest[:n], size, bold=bold) <= width
            )
            lines.append(rest[:fits])
            rest = rest[fits:]
        lines.append(rest)
    return [line for line in lines if line] or [""]


def clean(text: object) -> str:
    r"""A text without control characters, which neither XML nor a reader can take; a null becomes empty.

    >>> clean("Self\x00 ")
    'Self'
    """
    return "" if text is None else "".join(c if c.isprintable() else " " for c in str(text)).strip()


def known(value: Any) -> float | None:
    """The number, or None where it is null, not a number, or infinite.

    >>> known(3), known(float("nan")), known(None)
    (3.0, None, None)
    """
    if value is None or isinstance(value, str | bool):
        return None
    number = float(value)
    return number if math.isfinite(number) else None


def figure(value: Any, digits: int = 0, *, sign: bool = False) -> str:
    """A number with thousands separators and a true minus.

    >>> figure(-1234.56, 1), figure(1530, sign=True), figure(None)
    ('−1,234.6', '+1,530', 'not known')
    """
    number = known(value)
    if number is None:
        return UNKNOWN
    # A rounded minus nought is no minus.
    number = round(number, digits) + 0.0
    return f"{number:{'+' if sign and number else ''},.{digits}f}".replace("-", "−")


def spread(low: Any, high: Any, digits: int = 0) -> str:
    """An interval in words, or an empty text where an end is missing.

    >>> spread(-0.4, 8.75, 1)
    '−0.4 to 8.8'
    """
    if known(low) is None or known(high) is None:
        return ""
    return f"{figure(low, digits)} to {figure(high, digits)}"


def with_interval(value: str, low: Any, high: Any, digits: int = 0) -> str:
    """A figure followed by its interval.

    >>> with_interval("+8.1 points", 7.47, 8.79, 1)
    '+8.1 points (95 % interval 7.5 to 8.8)'
    """
    ends = spread(low, high, digits)
    return f"{value} (95 % interval {ends})" if ends else f"{value} (interval not known)"


def points(share: Any, low: Any, high: Any) -> str:
    """A difference of shares in points, with its interval.

    >>> points(0.0813, 0.0747, 0.0879)
    '+8.1 points (95 % interval 7.5 to 8.8)'
    """
    value, start, end = (None if known(x) is None else 100 * float(x) for x in (share, low, high))
    if value is None:
        return UNKNOWN
    return with_interval(f"{figure(value, 1, sign=True)} points", start, end, 1)


def money(cents: Any, currency: str) -> str:
    """An amount in the campaign's currency; its cents only below a hundred.

    >>> money(2_000_000, "USD"), money(40, "USD"), money(2_000_000, "CHF")
    ('$20,000', '$0.40', '20,000 CHF')
    """
    amount = known(cents)
    if amount is None:
        return UNKNOWN
    text = figure(abs(amount) / 100, 0 if abs(amount) >= 10_000 or amount % 100 == 0 else 2)
    symbol = _SYMBOLS.get(currency)
    return ("−" if amount < 0 else "") + (f"{symbol}{text}" if symbol else f"{text} {clean(currency)}")


def day(when: Any, *, weekday: bool = False) -> str:
    """A day in words.

    >>> day(date(2006, 7, 31), weekday=True), day(None)
    ('Monday 31 July 2006', 'not known')
    """
    if not isinstance(when, date):
        return clean(when) or UNKNOWN
    text = f"{when.day} {when:%B} {when.year}"
    return f"{when:%A} {text}" if weekday else text


def moment(when: Any) -> str:
    """A time in words, in UTC as the warehouse keeps it.

    >>> moment(datetime(2006, 7, 31, 6, 5))
    '31 July 2006, 06:05 UTC'
    """
    return f"{day(when)}, {when:%H:%M} UTC" if isinstance(when, datetime) else day(when)


def plural(count: Any, noun: str, nouns: str = "") -> str:
    """A count with its noun.

    >>> plural(1, "day"), plural(1200, "household")
    ('1 day', '1,200 households')
    """
    return f"{figure(count)} {noun if count == 1 else nouns or noun + 's'}"


def sentence(text: str) -> str:
    """A text that begins with a capital.

    >>> sentence("record raises turnout")
    'Record raises turnout'
    """
    return text[:1].upper() + text[1:]


def listed(names: list[str]) -> str:
    """Names in a sentence.

    >>> listed(["Self", "Neighbors", "Hawthorne"])
    'Self, Neighbors and Hawthorne'
    """
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
