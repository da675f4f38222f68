"""The contract of every registered format, and the published forms of what is hashed."""

from __future__ import annotations

import csv
import hashlib
import io
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hustings.channels.platforms import PLATFORMS, check_platform
from hustings.errors import SettingError
from hustings.exports.calendars import Appointment, calendar, folded
from hustings.exports.contact_points import e164, google_address, hashed, mail_address, meta_name
from hustings.exports.formats import FORMATS, GOOGLE, META, as_csv, lines

PERSON = {
    "plan_id": "mail",
    "action": "letter",
    "household_id": "h1",
    "person_id": "p1",
    "given_name": " Zoë ",
    "family_name": "O'Brien",
    "address": "12½ Main",
    "postcode": "48201-1234",
    "phone": "(202) 456-1111",
    "email": " Ann.Example@Gmail.com ",
    "van_id": "77",
    "turf_id": "R1-1",
    "door": 1,
    "supporter_id": "p9",
    "supporter_name": "Eve",
    "supporter_phone": "(202) 456-1414",
    "supporter_email": "eve@example.org",
    "scores": {"turnout": 0.5},
}
NOBODY = {"plan_id": "mail", "household_id": "h2", "person_id": "p2"}
OF_PEOPLE = sorted(name for name, form in FORMATS.items() if form.reads == "people")
texts = st.text(max_size=40)
anybody = st.fixed_dictionaries(
    {"plan_id": st.just("mail"), "person_id": st.text(min_size=1, max_size=9), "household_id": texts},
    optional={name: st.none() | texts for name in PERSON if name not in ("scores", "door", *NOBODY)},
)


@pytest.mark.parametrize("name", OF_PEOPLE)
def test_a_format_writes_its_columns_for_who_can_be_reached_and_nothing_for_others(name):
    form = FORMATS[name]
    made, of = lines([PERSON, NOBODY], form, "US")
    assert [row["person_id"] for row in of] == ["p1"]
    header, line = csv.reader(io.StringIO(as_csv(made, form)))
    assert tuple(header[: len(form.columns)]) == form.columns
    assert len(header) == len(line)
    assert form.about.endswith(".")
    assert form.once is None or form.once in form.columns


@pytest.mark.parametrize("name", OF_PEOPLE)
@settings(max_examples=30, deadline=None)
@given(rows=st.lists(anybody, max_size=5))
def test_a_format_survives_any_text_and_never_writes_a_formula(name, rows):
    form = FORMATS[name]
    made, of = lines(rows, form, "US")
    assert len(made) == len(of) <= len(rows)
    for fields in made:
        for key, value in fields.items():
            assert isinstance(value, str)
            telephone = key in ("phone", "cell") and re.fullmatch(r"\+\d{7,15}", value)
            assert telephone or value[:1] not in ("=", "+", "-", "@", "\t", "\r")
    assert len(list(csv.DictReader(io.StringIO(as_csv(made, form), newline="")))) == len(made)


def test_no_name_address_or_number_is_readable_in_an_audience_file():
    for form in (GOOGLE, META):
        text = as_csv(lines([PERSON], form, "US")[0], form).lower()
        assert not [word for word in ("zo", "brien", "example", "2024561111", "main") if word in text]


def test_google_gets_what_its_guidelines_ask_for():
    made = lines([PERSON], GOOGLE, "US")[0][0]
    assert made["Email"] == hashlib.sha256(b"annexample@gmail.com").hexdigest()
    assert made["Phone"] == hashlib.sha256(b"+12024561111").hexdigest()
    assert made["First Name"] == hashlib.sha256("zoë".encode()).hexdigest()
    assert (made["Country"], made["Zip"]) == ("US", "48201-1234")


def test_meta_gets_what_its_guidelines_ask_for():
    made = lines([PERSON], META, "US")[0][0]
    assert made["email"] == hashlib.sha256(b"ann.example@gmail.com").hexdigest()
    assert made["phone"] == hashlib.sha256(b"12024561111").hexdigest()
    assert made["ln"] == hashlib.sha256(b"obrien").hexdigest()
    assert made["zip"] == hashlib.sha256(b"48201").hexdigest()
    assert made["country"] == hashlib.sha256(b"us").hexdigest()


def test_a_published_hash_is_found_again():
    # Published by Google (Customer Match, hashing example of its API guide): SHA-256 of test@example.com.
    assert hashed("test@example.com") == "973dfe463ec85785f5f95af5ba3906eedb2d931c24e69824a89ea65dba4e813b"


@given(texts)
def test_a_hash_hides_nothing_or_64_digits(text):
    assert re.fullmatch(r"[0-9a-f]{64}|", hashed(text))


@pytest.mark.parametrize(
    ("number", "country", "found"),
    [
        ("1-800-888-8888", "US", "+18008888888"),
        ("(657)777-0000", "US", "+16577770000"),
        ("+37493828222", "US", "+37493828222"),
        ("(202) 456-1111 ext. 3", "US", None),
        ("nan", "US", None),
        ("", "US", None),
        ("0", "US", None),
        ("202-456-1111", "XX", None),
    ],
)
def test_a_number_is_one_only_with_its_country(number, country, found):
    assert e164(number, country) == found


@pytest.mark.parametrize("text", ["", "a@b", "a b@c.de", "a@b.c", "a@@b.de", "<a@b.de>", None])
def test_what_is_no_address_is_not_hashed(text):
    assert mail_address(text) is None
    assert google_address(text) is None


def test_a_name_of_punctuation_alone_is_none():
    assert meta_name("--") is None


@pytest.mark.parametrize("name", sorted(PLATFORMS))
def test_every_ban_names_its_platform_source_and_date(name):
    platform = PLATFORMS[name]
    where = "FR" if platform.countries else "US"
    with pytest.raises(SettingError) as refused:
        check_platform(name, "election", where)
    for text in (platform.title, platform.source, platform.dated, "read 20"):
        assert text in str(refused.value)
    check_platform(name, "library", where)


@settings(max_examples=30, deadline=None)
@given(texts)
def test_no_line_of_a_calendar_is_longer_than_75_bytes(text):
    import datetime

    import icalendar

    at = datetime.datetime(2026, 10, 3, 9)
    made = calendar("Visits", [Appointment("1", at, at, f"Visit {text}.", text)], at)
    assert max(len(line.encode()) for line in made.split("\r\n")) <= 75
    event = next(iter(icalendar.Calendar.from_ical(made).walk("VEVENT")))
    clean = "".join(s for s in text.replace("\r\n", "\n") if (s >= " " and s != "\x7f") or s == "\n")
    assert str(event["summary"]) == f"Visit {clean}."


def test_a_letter_of_several_bytes_is_not_torn():
    assert folded("é" * 50).replace("\r\n ", "") == "é" * 50
