"""Telephone numbers and e-mail addresses in the one form that dialers and ad platforms compare."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from functools import lru_cache

_MAIL = re.compile(r"[^@\s,;<>\"]+@[^@\s,;<>\"]+\.[^@\s,;<>\".]{2,}")
_GOOGLE_MAIL = ("gmail.com", "googlemail.com")


@lru_cache(maxsize=200_000)
def e164(number: str | None, country: str) -> str | None:
    """A telephone number with its country's code, or None when it is none.

    Args:
        number: As a source gave it.
        country: The country of numbers without a code, ISO 3166 (`US`).

    Returns:
        `+` and up to 15 digits (ITU-T E.164).

    >>> e164("(202) 456-1111", "US"), e164("020 7219 3000", "GB"), e164("555-0100", "US")
    ('+12024561111', '+442072193000', None)
    """
    import phonenumbers

    if not number:
        return None
    try:
        found = phonenumbers.parse(number, country)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(found) or found.extension:
        return None
    return phonenumbers.format_number(found, phonenumbers.PhoneNumberFormat.E164)


def mail_address(text: str | None) -> str | None:
    """An e-mail address in small letters without blanks around it, or None when it is none.

    >>> mail_address(" Ann.Example@Mail.Example "), mail_address("none")
    ('ann.example@mail.example', None)
    """
    found = (text or "").strip().lower()
    return found if _MAIL.fullmatch(found) else None


def google_address(text: str | None) -> str | None:
    """The same as Google compares it: without full stops before `@gmail.com`.

    >>> google_address("Ann.Example@gmail.com"), google_address("a.b@mail.example")
    ('annexample@gmail.com', 'a.b@mail.example')
    """
    found = mail_address(text)
    if found is None:
        return None
    name, _, host = found.partition("@")
    return f"{name.replace('.', '')}@{host}" if host in _GOOGLE_MAIL else found


def plain_name(text: str | None) -> str | None:
    """A name in small letters, composed, with blanks at its ends and doubled ones removed.

    >>> plain_name("  Zoë  Ann ")
    'zoë ann'
    """
    return " ".join(unicodedata.normalize("NFC", text or "").lower().split()) or None


def meta_name(text: str | None) -> str | None:
    """A name as Meta compares it: small letters without punctuation.

    >>> meta_name("O'Brien-Smith")
    'obriensmith'
    """
    found = plain_name(text) or ""
    return "".join(sign for sign in found if not unicodedata.category(sign).startswith("P")) or None


def meta_postcode(text: str | None, country: str) -> str | None:
    """A postal code as Meta compares it: small letters, no blanks; of the United States the first five digits.

    >>> meta_postcode("48201-1234", "US"), meta_postcode("SW1A 0AA", "GB")
    ('48201', 'sw1a0aa')
    """
    found = "".join((text or "").lower().split())
    return (found.partition("-")[0] if country == "US" else found) or None


def hashed(text: str | None) -> str:
    """SHA-256 of a text's UTF-8 as 64 small hexadecimal digits; nothing of nothing.

    >>> hashed("test@example.com")[:16], hashed(None)
    ('973dfe463ec85785', '')
    """
    return hashlib.sha256(text.encode()).hexdigest() if text else ""
