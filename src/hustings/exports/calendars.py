"""Visits and shifts as a calendar that any calendar program reads: RFC 5545."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from typing import NamedTuple

_LONGEST = 75


class Appointment(NamedTuple):
    """One entry of a calendar.

    Attributes:
        uid: The same for the same appointment for ever: a program that reads the file again changes the entry.
        starts_at: Start, in UTC.
        ends_at: End, in UTC.
        title: One line.
        about: More lines, or an empty text.
        where: The place's name, or an empty text.
        latitude: Degrees north, or None.
        longitude: Degrees east, or None.
    """

    uid: str
    starts_at: datetime.datetime
    ends_at: datetime.datetime
    title: str
    about: str = ""
    where: str = ""
    latitude: float | None = None
    longitude: float | None = None


def calendar(name: str, appointments: Iterable[Appointment], made_at: datetime.datetime) -> str:
    r"""The text of an .ics file.

    Args:
        name: What the calendar is called.
        appointments: Its entries.
        made_at: When it was made, in UTC.

    Returns:
        RFC 5545 text: lines of at most 75 bytes that end in CR LF, texts escaped.

    >>> day = datetime.datetime(2026, 10, 3, 9)
    >>> print(calendar("Visits", [Appointment("v1", day, day, "Talk; tea")], day).splitlines()[9])
    SUMMARY:Talk\; tea
    """
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Hustings//EN", "CALSCALE:GREGORIAN"]
    lines.append(f"X-WR-CALNAME:{escaped(name)}")
    for entry in appointments:
        lines += [
            "BEGIN:VEVENT",
            f"UID:{escaped(entry.uid)}@hustings",
            f"DTSTAMP:{_time(made_at)}",
            f"DTSTART:{_time(entry.starts_at)}",
            f"SUMMARY:{escaped(entry.title)}",
            f"DTEND:{_time(entry.ends_at)}",
        ]
        lines += [f"DESCRIPTION:{escaped(entry.about)}"] if entry.about else []
        lines += [f"LOCATION:{escaped(entry.where)}"] if entry.where else []
        if entry.latitude is not None and entry.longitude is not None:
            lines.append(f"GEO:{entry.latitude:.6f};{entry.longitude:.6f}")
        lines.append("END:VEVENT")
    lines.append("END:VCALENDAR")
    return "".join(f"{folded(line)}\r\n" for line in lines)


def escaped(text: str) -> str:
    r"""A text as RFC 5545, 3.3.11 writes it; other control characters are left out.

    >>> escaped("a,b;c\nd")
    'a\\,b\\;c\\nd'
    """
    text = text.replace("\r\n", "\n").replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")
    text = text.replace("\n", "\\n")
    return "".join(sign for sign in text if sign >= " " and sign != "\x7f")


def folded(line: str) -> str:
    r"""A line in pieces of at most 75 bytes, never within a letter (RFC 5545, 3.1).

    >>> folded("x" * 80).split("\r\n")[1]
    ' xxxxx'
    """
    pieces, piece, size = [], "", 0
    for sign in line:
        bytes_ = len(sign.encode())
        if size + bytes_ > _LONGEST:
            pieces.append(piece)
            piece, size = " ", 1
        piece, size = piece + sign, size + bytes_
    return "\r\n".join([*pieces, piece])


def _time(moment: datetime.datetime) -> str:
    return f"{moment:%Y%m%dT%H%M%SZ}"
