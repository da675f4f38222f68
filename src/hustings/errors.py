"""Every error that Hustings raises on purpose.

HustingsError
├── CampaignError       the campaign's folder or its campaign.toml cannot be used
│   └── SettingError    one setting is unknown, of a wrong type, or out of range
├── SourceError         a file cannot be read, or its mapping does not fit it
├── TableError          a table is unknown, missing, or does not match its declaration
├── FlowError           the stages do not fit together (a cycle, a table that nobody makes)
├── LockError           another run holds the campaign's lock
├── WarehouseError      the lake cannot be opened or written
├── StageError          a stage failed; carries its name, and the cause
└── DesignError         numbers that a method cannot work with (an arm without control, one class)

A message says what went wrong, what was received, what is allowed, and the next command. It never
holds a person's data.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Self


class HustingsError(Exception):
    """Something a person can put right; its text ends with how."""

    @classmethod
    def of(cls, what: str, *, received: object = None, allowed: object = None, then: str = "") -> Self:
        """The house's wording: what went wrong, the value received, what is allowed, the next command.

        Args:
            what: One sentence without its full stop.
            received: The value that was met, or None.
            allowed: What would have been accepted: a text, or several names.
            then: The next command or action, or an empty text.

        Returns:
            The error, ready to be raised.

        >>> str(HustingsError.of("No such table", received="peple", allowed=["people"], then="hustings explain"))
        "No such table; received 'peple'; allowed: people. Next: hustings explain"
        """
        text = what
        if received is not None:
            text += f"; received {received!r}"
        if allowed is not None:
            names = [allowed] if isinstance(allowed, str) or not isinstance(allowed, Iterable) else allowed
            text += f"; allowed: {', '.join(map(str, names))}"
        return cls(f"{text}. Next: {then}" if then else f"{text}.")

    @classmethod
    def unknown(cls, what: str, received: str, known: Iterable[str], then: str = "") -> Self:
        """A name that does not exist, with the nearest ones that do.

        >>> str(HustingsError.unknown("Unknown column", "ages", ["age", "sex"]))
        "Unknown column 'ages' (did you mean 'age'?); allowed: age, sex."
        """
        names = sorted(known)
        near = difflib.get_close_matches(received, names, n=1, cutoff=0.6)
        hint = f" (did you mean {near[0]!r}?)" if near else ""
        shown = ", ".join(names[:40]) + (f", … ({len(names)} in all)" if len(names) > 40 else "")
        text = f"{what} {received!r}{hint}; allowed: {shown or 'none'}."
        return cls(f"{text} Next: {then}" if then else text)


class CampaignError(HustingsError):
    """The campaign's folder or its campaign.toml cannot be used."""


class SettingError(CampaignError):
    """One setting is unknown, of a wrong type, or out of range."""


class SourceError(HustingsError):
    """A file cannot be read, or its mapping does not fit it."""


class TableError(HustingsError):
    """A table is unknown, missing, or does not match its declaration."""


class FlowError(HustingsError):
    """The stages do not fit together: a cycle, or a table that nobody makes."""


class LockError(HustingsError):
    """Another run holds the campaign's lock."""


class WarehouseError(HustingsError):
    """The lake cannot be opened or written."""


class StageError(HustingsError):
    """A stage failed."""


class DesignError(HustingsError, ValueError):
    """Numbers that a method cannot work with: an arm without control, an outcome of one class."""
