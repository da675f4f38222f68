"""Lists: who is on them, who leaves, what is kept of them."""

from __future__ import annotations

import datetime
import hashlib
import os
import stat
from contextlib import closing

import pytest

from hustings.campaign import read_campaign
from hustings.errors import CampaignError, SettingError, TableError
from hustings.exports.lists import cut, send
from hustings.warehouse import open_lake, read

OCTOBER = datetime.datetime(2026, 10, 20)


def kept(small, table):
    with closing(open_lake(small.folder / ".hustings")) as lake:
        return read(lake, table).to_pyarrow().to_pylist()


def people(found, lines, column="person_id"):
    return [row[column] for row in lines(found.path)]


def test_a_letter_goes_to_each_households_addressee_and_never_to_the_control_group(small, lines):
    found = cut(read_campaign(small.folder), "mail")
    assert people(found, lines) == ["p1", "p3", "p5"]
    assert "phone" not in lines(found.path)[0]


def test_a_control_household_is_not_reached_by_another_list_either(small, lines):
    walked = cut(read_campaign(small.folder), "north", format="walk")
    assert {row["household_id"] for row in lines(walked.path)} == {"h1", "h2", "h3"}
    chased = cut(read_campaign(small.folder), "chase")
    assert people(chased, lines) == ["p1", "p3"]


def test_doors_stand_in_the_order_in_which_they_are_walked(small, lines):
    found = cut(read_campaign(small.folder), "north", format="walk")
    assert people(found, lines) == ["p6", "p5", "p4", "p3", "p2", "p1"]


def test_who_refuses_or_votes_between_the_run_and_the_cut_leaves(small, lines):
    small.refuse(2, "mail")
    small.ballot(3, "returned", OCTOBER)
    found = cut(read_campaign(small.folder), "mail")
    assert (people(found, lines), found.n_opted_out, found.n_voted) == (["p5"], 1, 1)


def test_who_refuses_or_votes_between_the_cut_and_the_send_leaves(small, lines):
    first = cut(read_campaign(small.folder), "mail")
    small.ballot(1, "voted", OCTOBER)
    small.refuse(6, "all")
    second = send(read_campaign(small.folder), first.cut_id)
    assert (people(second, lines), second.n_opted_out, second.n_voted) == (["p3"], 1, 1)
    assert people(first, lines) == ["p1", "p3", "p5"]
    assert {row["cut_id"]: row["cut_of"] for row in kept(small, "cuts")}[second.cut_id] == first.cut_id


def test_nobody_is_added_between_the_cut_and_the_send(small, lines):
    small.ballot(1, "returned", OCTOBER)
    first = cut(read_campaign(small.folder), "mail")
    small.ballot(1, "rejected", OCTOBER + datetime.timedelta(1))
    assert people(send(read_campaign(small.folder), first.cut_id), lines) == ["p3", "p5"]
    assert people(cut(read_campaign(small.folder), "mail"), lines) == ["p1", "p3", "p5"]


def test_a_ballot_of_an_earlier_election_is_no_vote(small, lines):
    small.ballot(1, "returned", datetime.datetime(2026, 8, 1))
    assert "p1" in people(cut(read_campaign(small.folder), "mail"), lines)


def test_a_refusal_of_the_formats_channel_counts_besides_the_plans(small, lines):
    small.refuse(1, "phone")
    campaign = read_campaign(small.folder)
    assert people(cut(campaign, "mail"), lines) == ["p1", "p3", "p5"]
    assert "p1" not in people(cut(campaign, "mail", format="dialer"), lines)


def test_a_number_that_one_refuses_is_not_called_for_another(small, lines):
    # Two households with one number, spelt in two ways.
    own = [
        {"person_id": "p3", "phone": "202-456-1111", "given_name": "C", "address": "3 Main"},
        {"person_id": "p1", "phone": "(202) 456-1111", "given_name": "A", "address": "1 Main"},
        {"person_id": "p5", "phone": "202 224 3121", "given_name": "E", "address": "5 Main"},
    ]
    small.write(publish=True, people_private=own)
    small.refuse(1, "phone")
    found = cut(read_campaign(small.folder), "mail", format="dialer")
    assert (people(found, lines), found.n_opted_out) == (["p5"], 2)


def test_a_shared_number_is_called_once_and_a_wrong_one_never(small, lines):
    found = cut(read_campaign(small.folder), "chase", format="dialer")
    assert [row["phone"] for row in lines(found.path)] == ["+12024561111", "+12024561414"]
    audience = cut(read_campaign(small.folder), "mail", format="dialer")
    # p5 has a British number, written in full.
    assert people(audience, lines, "phone") == ["+12024561111", "+12024561414", "+442072193000"]


def test_vans_ids_stand_first_and_scores_run_from_0_to_100(small, lines):
    found = cut(read_campaign(small.folder), "mail", format="van")
    rows = lines(found.path)
    assert list(rows[0])[0] == "Voter File VANID"
    assert [row["Voter File VANID"] for row in rows] == ["1", "2", "3", "4", "5", "6"]
    assert rows[2]["Score turnout"] == "30.0"


def test_vans_ids_come_from_a_source_that_is_there(small):
    with pytest.raises(TableError, match="voters"):
        cut(read_campaign(small.folder), "mail", format="van", van_source="vna")


def test_every_cut_is_logged_with_its_people(small):
    found = cut(read_campaign(small.folder), "mail")
    row = kept(small, "cuts")[0]
    assert row["digest"] == hashlib.sha256(found.path.read_bytes()).hexdigest()
    assert (row["plan_id"], row["format"], row["n_rows"], row["cut_of"]) == ("mail", "mail", 3, None)
    assert row["cut_by"]
    assert {one["person_id"] for one in kept(small, "cut_people")} == {"p1", "p3", "p5"}
    assert stat.S_IMODE(os.stat(found.path).st_mode) == 0o600


def test_a_list_that_cannot_be_written_is_not_logged(small):
    with pytest.raises(CampaignError, match="cannot be written"):
        cut(read_campaign(small.folder), "mail", out=small.folder)
    assert kept(small, "cuts") == []


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda c: cut(c, "male"), TableError, "did you mean 'mail'"),
        (lambda c: cut(c, "mail", format="vam"), SettingError, "did you mean 'van'"),
        (lambda c: cut(c, "mail", format="friendster"), SettingError, "Unknown format"),
        (lambda c: cut(c, "mail", format="linkedin"), SettingError, "LinkedIn takes no such audience"),
        (lambda c: cut(c, "mail", format="google"), SettingError, "Google"),
        (lambda c: cut(c, "mail", format="ics"), TableError, "visits or shifts"),
        (lambda c: cut(c, "visits", format="ics"), TableError, "There are no visits"),
        (lambda c: cut(c, "cure"), TableError, "sends nothing.*ballot_lists"),
        (lambda c: send(c, "nothing"), TableError, "No such cut"),
    ],
)
def test_what_cannot_be_done_is_refused_by_name(small, call, error, text):
    with pytest.raises(error, match=text):
        call(read_campaign(small.folder))
    assert kept(small, "cuts") == []


def test_meta_is_refused_in_the_european_union_only(small, lines):
    found = cut(read_campaign(small.folder), "mail", format="meta")
    assert found.n_rows == 6
    toml = small.folder / "campaign.toml"
    toml.write_text(toml.read_text() + 'country = "FR"\n')
    with pytest.raises(SettingError, match="European Union"):
        cut(read_campaign(small.folder), "mail", format="meta")


def test_shifts_and_visits_become_a_calendar_that_another_program_reads(small):
    import icalendar

    at = datetime.datetime(2026, 10, 3, 9)
    visit = {
        "option": "plan",
        "day": 1,
        "position": 1,
        "place_id": "P1",
        "name": "Zürich; Nord",
        "starts_at": at,
    }
    visit |= {"ends_at": at + datetime.timedelta(hours=1), "travel_minutes": 30.0, "latitude": 47.4}
    visit |= {"longitude": 8.5, "as_of": at.date()}
    other = visit | {"option": "largest places"}
    small.write(publish=True, visit_plan=[visit, other])
    found = cut(read_campaign(small.folder), "visits", format="ics")
    events = list(icalendar.Calendar.from_ical(found.path.read_bytes()).walk("VEVENT"))
    assert [str(event["summary"]) for event in events] == ["Visit: Zürich; Nord"]
    assert events[0]["dtstart"].dt == at.replace(tzinfo=datetime.UTC)
    with pytest.raises(TableError, match="not sent again"):
        send(read_campaign(small.folder), found.cut_id)
