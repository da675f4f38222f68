"""VAN both ways: the mapping of the guide, word for word, on files like VAN's own."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "guides" / "exports.md"
PEOPLE = """\
Voter File VANID,FirstName,LastName,Address,Zip5,Preferred Phone,PrecinctName
101,Ann,Example,12 Main St,48201,(202) 456-1111,P1
102,Ben,Example,14 Main St,48201,,P1
103,Cid,Example,16 Main St,48201,202-456-1414,P1
"""
RESULTS = """\
Voter File VANID,Contact Type,Result,Date Canvassed
101,Walk,Not Home,10/12/2026
101,Walk,Canvassed,10/14/2026
102,Walk,Refused,10/12/2026
103,SMS Text,Canvassed,10/13/2026
103,Phone,Carrier Pigeon,10/13/2026
"""


@pytest.fixture(scope="module")
def campaign(tmp_path_factory, up_to):
    folder = tmp_path_factory.mktemp("van")
    mapping = next(
        block for block in re.findall(r"```toml\n(.*?)```", GUIDE.read_text(), re.DOTALL) if "van" in block
    )
    head = '[campaign]\nname = "VAN"\nelection_day = 2026-11-03\nas_of = 2026-12-01\n'
    mapping = mapping.replace('path = "van', 'arrived_on = 2026-10-15\npath = "van')
    (folder / "campaign.toml").write_text(head + mapping)
    (folder / "van.csv").write_text(PEOPLE)
    (folder / "van-contact-history.csv").write_text(RESULTS)
    up_to(folder, "attach_events")
    return folder


def test_results_come_in_and_who_was_not_at_home_is_an_attempt(campaign, rows):
    found = {(e["person_id"], e["kind"], e["channel"], e["item"]) for e in rows(campaign, "events")}
    assert found == {
        ("van:101", "attempt", "door", "Not Home"),
        ("van:101", "contact", "door", "Canvassed"),
        ("van:102", "contact", "door", "Refused"),
        ("van:103", "contact", "text", "Canvassed"),
    }


def test_a_refusal_at_the_door_is_an_opt_out_of_doors(campaign, rows):
    assert [(o["record_id"], o["channel"]) for o in rows(campaign, "opt_outs")] == [("102", "door")]


def test_a_result_that_nobody_has_explained_is_set_aside(campaign, rows):
    rejects = rows(campaign, "rejects")
    assert [(r["source"], r["line"]) for r in rejects] == [("van_results", 5)]
    assert "values" in rejects[0]["reasons"]


def test_vans_own_ids_are_kept(campaign, rows):
    assert [(i["source"], i["record_id"]) for i in rows(campaign, "identities")] == [
        ("van", "101"),
        ("van", "102"),
        ("van", "103"),
    ]
