"""What each format holds: one value each, so that a new one is tested by being registered."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from hustings.channels.platforms import PLATFORMS, check_platform
from hustings.errors import SettingError
from hustings.exports.contact_points import (
    e164,
    google_address,
    hashed,
    mail_address,
    meta_name,
    meta_postcode,
    plain_name,
)

Row = Mapping[str, Any]
Fields = dict[str, str]


class Format(NamedTuple):
    """One way to write a list.

    Attributes:
        name: As after `--format`.
        about: For whom, in a sentence.
        columns: Its columns, in order; scores may follow.
        fields: A row of the list and the country as the fields of one line, or None where the person cannot
            be reached so.
        channels: Refusals that leave a person out, besides those of all channels and of the plan's action.
        everyone: Everybody whom the plan reaches, not the household's addressee alone.
        once: A column that no two lines share: a number that two people share is called once.
        scores: Whether the people's scores are added as columns.
        needs: What a person must have, for the message when nobody has it.
        reads: `people`, or `appointments` for a calendar.
        suffix: Of the file's name.
    """

    name: str
    about: str
    columns: tuple[str, ...]
    fields: Callable[[Row, str], Fields | None]
    channels: tuple[str, ...]
    everyone: bool = False
    once: str | None = None
    scores: bool = False
    needs: str = "an address"
    reads: Literal["people", "appointments"] = "people"
    suffix: str = "csv"


def _mail(row: Row, _: str) -> Fields | None:
    return {name: harmless(row.get(name)) for name in MAIL.columns} if row.get("address") else None


def _dialer(row: Row, country: str) -> Fields | None:
    number = e164(row.get("phone"), country)
    if number is None:
        return None
    return {name: harmless(row.get(name)) for name in DIALER.columns} | {"phone": number}


def _text(row: Row, country: str) -> Fields | None:
    number = e164(row.get("phone"), country)
    if number is None:
        return None
    names = {"firstName": row.get("given_name"), "lastName": row.get("family_name")}
    return {key: harmless(value) for key, value in names.items()} | {
        "cell": number,
        "external_id": harmless(row["person_id"]),
    }


def _email(row: Row, _: str) -> Fields | None:
    address = mail_address(row.get("email"))
    if address is None:
        return None
    return {name: harmless(row.get(name)) for name in EMAIL.columns} | {"email": address}


def _van(row: Row, _: str) -> Fields | None:
    if not row.get("van_id"):
        return None
    scores = {f"Score {name}": f"{100 * value:.1f}" for name, value in row.get("scores", {}).items()}
    return {
        "Voter File VANID": harmless(row["van_id"]),
        "List": harmless(row["plan_id"]),
        "Action": harmless(row.get("action")),
        **scores,
    }


def _walk(row: Row, _: str) -> Fields | None:
    return {name: harmless(row.get(name)) for name in WALK.columns} if row.get("address") else None


def _google(row: Row, country: str) -> Fields | None:
    found = {
        "Email": hashed(google_address(row.get("email"))),
        "Phone": hashed(e164(row.get("phone"), country)),
    }
    if not any(found.values()):
        return None
    names = {"First Name": row.get("given_name"), "Last Name": row.get("family_name")}
    found |= {key: hashed(plain_name(value)) for key, value in names.items()}
    return found | {"Country": country, "Zip": harmless(row.get("postcode"))}


def _meta(row: Row, country: str) -> Fields | None:
    number = e164(row.get("phone"), country)
    found = {
        "email": hashed(mail_address(row.get("email"))),
        "phone": hashed(number.removeprefix("+") if number else None),
    }
    if not any(found.values()):
        return None
    return found | {
        "fn": hashed(meta_name(row.get("given_name"))),
        "ln": hashed(meta_name(row.get("family_name"))),
        "zip": hashed(meta_postcode(row.get("postcode"), country)),
        "country": hashed(country.lower()),
    }


def _friends(row: Row, country: str) -> Fields | None:
    number, address = e164(row.get("supporter_phone"), country), mail_address(row.get("supporter_email"))
    if not (number or address):
        return None
    return {
        "supporter_id": harmless(row.get("supporter_id")),
        "supporter_first_name": harmless(row.get("supporter_name")),
        "supporter_phone": number or "",
        "supporter_email": harmless(address),
        "friend_id": harmless(row["person_id"]),
        "friend_first_name": harmless(row.get("given_name")),
        "action": harmless(row.get("action")),
    }


def _call_sheet(row: Row, country: str) -> Fields | None:
    number = e164(row.get("phone"), country)
    if number is None:
        return None
    money = {name: _amount(row.get(f"{name}_cents" if name != "total_given" else name)) for name in _AMOUNTS}
    found = {name: harmless(row.get(name)) for name in CALL_SHEET.columns if name not in money}
    return found | money | {"phone": number, "result": "", "amount_cents": ""}


def _amount(cents: Any) -> str:
    """Cents in the currency, with two decimals; empty where there are none.

    >>> _amount(5000.0), _amount(None)
    ('50.00', '')
    """
    return "" if cents is None else f"{cents / 100:.2f}"


def _nothing(_: Row, __: str) -> Fields | None:
    return None


_WHO = ("plan_id", "action", "household_id", "person_id", "given_name", "family_name")
MAIL = Format("mail", "A mail house: names and addresses.", (*_WHO, "address", "postcode"), _mail, ("mail",))
DIALER = Format(
    "dialer",
    "A dialer: each number once, in E.164.",
    (*_WHO, "phone"),
    _dialer,
    ("phone",),
    once="phone",
    needs="a telephone number",
)
TEXT = Format(
    "text",
    "A texting tool (the columns that Spoke asks for): each number once, in E.164.",
    ("firstName", "lastName", "cell", "external_id"),
    _text,
    ("text",),
    once="cell",
    needs="a telephone number",
)
EMAIL = Format(
    "email",
    "A mailing tool: each address once, with the amounts to suggest where it is an ask for money.",
    ("person_id", "given_name", "family_name", "email", "action", "amounts", "one_click", "ask_on"),
    _email,
    ("email",),
    everyone=True,
    once="email",
    needs="an e-mail address",
)
VAN = Format(
    "van",
    "VAN's bulk upload: its own ids first, the list's name, and every score from 0 to 100.",
    ("Voter File VANID", "List", "Action"),
    _van,
    (),
    everyone=True,
    once="Voter File VANID",
    scores=True,
    needs="a VANID",
)
WALK = Format(
    "walk",
    "Walk lists: doors by turf, in the order in which they are walked.",
    ("turf_id", "door", "address", "postcode", "given_name", "family_name", "household_id", "person_id"),
    _walk,
    ("door",),
    everyone=True,
)
GOOGLE = Format(
    "google",
    "Google's Customer Match: e-mail, telephone and names as SHA-256.",
    ("Email", "Phone", "First Name", "Last Name", "Country", "Zip"),
    _google,
    ("digital",),
    everyone=True,
    needs="an e-mail address or a telephone number",
)
META = Format(
    "meta",
    "Meta's customer list for a custom audience: everything as SHA-256.",
    ("email", "phone", "fn", "ln", "zip", "country"),
    _meta,
    ("digital",),
    everyone=True,
    needs="an e-mail address or a telephone number",
)
FRIENDS = Format(
    "friends",
    "A tool for friends who ask friends: each supporter's way to be reached, and the first names of whom to ask.",
    (
        "supporter_id",
        "supporter_first_name",
        "supporter_phone",
        "supporter_email",
        "friend_id",
        "friend_first_name",
        "action",
    ),
    _friends,
    ("friend",),
    everyone=True,
    needs="a supporter with a telephone number or an e-mail address",
)
_AMOUNTS = ("ask", "legal_maximum", "last_gift", "total_given", "pledged", "expected")
CALL_SHEET = Format(
    "call_sheet",
    "Call time: whom to ring in what order, for how much, what to say; `result` and `amount_cents` come back.",
    (
        *(
            "rank",
            "source",
            "record_id",
            "given_name",
            "family_name",
            "phone",
            "ask",
            "legal_maximum",
            "last_gift",
        ),
        *("last_gift_on", "n_gifts", "total_given", "pledged", "missing", "expected", "say", "result"),
        "amount_cents",
    ),
    _call_sheet,
    ("phone",),
    everyone=True,
    once="phone",
    needs="a telephone number",
)
CALENDAR = Format(
    "ics",
    "A calendar of the candidate's visits, or of shifts.",
    (),
    _nothing,
    (),
    reads="appointments",
    suffix="ics",
)
FORMATS: dict[str, Format] = {
    form.name: form
    for form in (MAIL, DIALER, TEXT, EMAIL, VAN, WALK, GOOGLE, META, FRIENDS, CALL_SHEET, CALENDAR)
}


def format_of(name: str, playbook: str, country: str) -> Format:
    """The format of that name, if the campaign may have it.

    Args:
        name: As after `--format`.
        playbook: The campaign's field of use.
        country: Where, ISO 3166.

    Raises:
        SettingError: There is no such format, or the platform refuses such audiences itself.

    >>> format_of("text", "election", "US").columns
    ('firstName', 'lastName', 'cell', 'external_id')
    """
    check_platform(name, playbook, country)
    if name not in FORMATS:
        if name in PLATFORMS:
            raise SettingError.of(f"There is no format for {PLATFORMS[name].title}", allowed=sorted(FORMATS))
        raise SettingError.unknown("Unknown format", name, FORMATS, "hustings export --help")
    return FORMATS[name]


def lines(rows: Sequence[Row], form: Format, country: str) -> tuple[list[Fields], list[Row]]:
    """A list's lines in a format, and the rows that they were made of.

    Args:
        rows: The people; those who cannot be reached in this way are left out.
        form: The format.
        country: Where, ISO 3166.

    Returns:
        Lines and rows, of equal length. Of several rows with one number (or id) the first is kept.

    >>> row = {"person_id": "p", "given_name": "Ann", "phone": "202 456 1111"}
    >>> [found["cell"] for found in lines([row, row], TEXT, "US")[0]]
    ['+12024561111']
    """
    seen: set[str] = set()
    made: list[Fields] = []
    of: list[Row] = []
    for row in rows:
        fields = form.fields(row, country)
        if fields is None or (form.once and fields[form.once] in seen):
            continue
        if form.once:
            seen.add(fields[form.once])
        made.append(fields)
        of.append(row)
    return made, of


def as_csv(made: Sequence[Fields], form: Format) -> str:
    r"""The text of a file.

    >>> as_csv([{"firstName": "Ann", "lastName": "", "cell": "+1", "external_id": "p"}], TEXT)
    'firstName,lastName,cell,external_id\nAnn,,+1,p\n'
    """
    extra = sorted({name for fields in made for name in fields} - set(form.columns)) if form.scores else []
    text = io.StringIO()
    writer = csv.DictWriter(text, (*form.columns, *extra), restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(made)
    return text.getvalue()


def harmless(value: Any) -> str:
    r"""A text in one line that no spreadsheet runs: one that begins like a formula gets an apostrophe in front.

    >>> harmless("=1+1"), harmless("Flat 2\r\n12½ Main"), harmless(None)
    ("'=1+1", 'Flat 2 12½ Main', '')
    """
    text = " ".join("".join(s if s.isprintable() else " " for s in str(value or "")).split())
    return f"'{text}" if text[:1] in ("=", "+", "-", "@") else text
