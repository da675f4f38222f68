"""Lists of people who are asked for money: who is on them, and what comes back."""

from __future__ import annotations

import datetime
import re
import tomllib
from pathlib import Path

import pytest

from hustings.campaign import read_campaign
from hustings.errors import TableError
from hustings.exports.lists import cut
from hustings.sources.mapping import Block, check_block
from hustings.tables import TABLES
from hustings.warehouse import store

DAY = datetime.date(2026, 10, 2)
GUIDE = Path(__file__).resolve().parents[2] / "docs" / "guides" / "asking-for-money.md"
NAMES = ("ask_plan", "call_sheets")


@pytest.fixture
def asking(small, monkeypatch):
    monkeypatch.setattr(store, "TABLES", store.TABLES | {name: TABLES[name] for name in NAMES})
    plan = [
        {"plan_id": "raise", "person_id": f"p{i}", "household_id": f"h{(i + 1) // 2}", "channel": "email", "string": "low", "held_out": i == 3,
         "amounts": "25, 50", "smallest_cents": 2_500, "largest_cents": 5_000, "one_click": i == 1, "ask_on": DAY, "rank": i, "as_of": DAY}
        for i in range(1, 9)
    ]  # fmt: skip
    calls = [
        {"plan_id": "raise", "person_id": f"p{i}", "household_id": f"h{(i + 1) // 2}", "call_on": DAY, "rank": i, "ask_cents": 5_000, "n_gifts": 1,
         "legal_maximum_cents": 345_000.0, "last_gift_cents": 5_000.0, "say": "Ask for 50.", "as_of": DAY}
        for i in (1, 3, 5)
    ]  # fmt: skip
    small.write(publish=True, ask_plan=plan, call_sheets=calls)
    return small


def test_an_ask_by_e_mail_goes_to_nobody_held_out_by_any_plan_with_the_amounts_to_suggest(asking, lines):
    rows = lines(cut(read_campaign(asking.folder), "raise", format="email").path)
    # h2 is held out of the asks, h4 of the letters.
    assert [row["person_id"] for row in rows] == ["p1", "p2", "p5", "p6"]
    assert {row["amounts"] for row in rows} == {"25, 50"}


def test_whoever_has_voted_may_still_be_asked_for_money_and_whoever_refuses_may_not(asking, lines):
    asking.ballot(1, "returned", datetime.datetime(2026, 10, 20))
    asking.refuse(5, "email")
    found = cut(read_campaign(asking.folder), "raise", format="email")
    assert [row["person_id"] for row in lines(found.path)] == ["p1", "p2"]
    assert found.n_voted == 0


def test_a_call_sheet_has_the_legal_maximum_and_the_record_under_which_the_result_comes_back(asking, lines):
    rows = lines(cut(read_campaign(asking.folder), "raise", format="call_sheet").path)
    assert [row["rank"] for row in rows] == ["1", "5"]
    assert (rows[0]["ask"], rows[0]["legal_maximum"], rows[0]["say"]) == ("50.00", "3450.00", "Ask for 50.")
    assert (rows[0]["source"], rows[0]["record_id"]) == ("van", "1")
    assert rows[0]["given_name"] == "'=Ann"
    assert rows[0]["result"] == rows[0]["amount_cents"] == ""


def test_a_call_sheet_that_is_not_there_is_refused_with_those_that_are(asking):
    with pytest.raises(TableError, match="raise"):
        cut(read_campaign(asking.folder), "rise", format="call_sheet")


def test_every_mapping_of_the_guide_can_be_read():
    text = GUIDE.read_text(encoding="utf-8")
    declared = [tomllib.loads(block) for block in re.findall(r"```toml\n(.*?)```", text, flags=re.DOTALL)]
    sources = [source for one in declared for source in one.get("sources", {}).values()]
    columns = (
        "voter_id",
        "what",
        "cents",
        "election",
        "moved_from",
        "date",
        "record_id",
        "result",
        "amount_cents",
    )
    blocks = [block for source in sources for block in source["record_events"]]
    assert len(blocks) == 3
    for block in blocks:
        check_block("guide", "record_events", Block.model_validate(block), columns)
