"""The list for supporters: whom to ask, by first names."""

from __future__ import annotations

import csv

import pytest

from hustings.campaign import read_campaign
from hustings.errors import SettingError, TableError
from hustings.exports.lists import cut

from .conftest import DAY, collected, load


def _asks():
    # p3 has a number that is none and an e-mail address; p7's friend is held out; p5 is asked twice.
    rows = [("p1", "p5", 1, False), ("p3", "p5", 2, False), ("p1", "p3", 1, False), ("p2", "p7", 1, True)]
    return [
        {"plan_id": "friends", "supporter_id": s, "target_id": t, "household_id": f"h{(int(t[1]) + 1) // 2}", "rank": rank, "action": "word", "held_out": held, "as_of": DAY}
        for s, t, rank, held in rows
    ]  # fmt: skip


def test_a_supporter_sees_first_names_and_no_more(small):
    small.write(publish=True, sharing_plan=_asks())
    found = cut(read_campaign(small.folder), "friends", format="friends")
    with found.path.open() as file:
        rows = list(csv.DictReader(file))
    assert [(r["supporter_id"], r["friend_id"], r["friend_first_name"]) for r in rows] == [
        ("p1", "p3", "Ann3"),
        ("p1", "p5", "Ann5"),
        ("p3", "p5", "Ann5"),
    ]
    assert rows[0]["supporter_phone"] == "+12024561111"
    text = found.path.read_text()
    assert "O'Brien" not in text
    assert "Main" not in text
    small.refuse(3, "all")
    assert cut(read_campaign(small.folder), "friends", format="friends").n_rows == 1


def test_a_supporter_who_refuses_or_withdraws_after_the_run_is_not_sent_to_friends(small):
    small.write(publish=True, sharing_plan=_asks())
    small.refuse(1, "friend")
    # p1 and p2 live together: p1 has refused for themselves, and is no longer asked about either.
    assert cut(read_campaign(small.folder), "friends", format="friends").n_rows == 1
    tie = collected(3, "t1") | {"other_id": "V5", "purpose": "ask", "withdrawn_on": DAY}
    small.write(loads=[load("office", "t1")], ties=[tie])
    found = cut(read_campaign(small.folder), "friends", format="friends", out=small.folder / "none.csv")
    assert (found.n_rows, found.n_opted_out) == (0, 3)


def test_friends_are_never_mailed_and_letters_never_go_to_supporters(small):
    small.write(publish=True, sharing_plan=_asks())
    for plan, form in (("friends", "mail"), ("mail", "friends")):
        with pytest.raises(SettingError, match="written for those who ask"):
            cut(read_campaign(small.folder), plan, format=form)


def test_a_plan_of_friends_without_asks_says_where_the_reason_stands(small):
    option = {
        "plan_id": "friends",
        "option": "plan",
        "about": "the best",
        "unit": "win",
        "as_of": DAY,
        "reason": "no support score",
    }
    small.write(
        publish=True,
        sharing_options=[option | {"n_supporters": 0, "n_asks": 0, "n_targets": 0, "cost_cents": 0.0}],
    )
    with pytest.raises(TableError, match="sends nothing. Next: hustings show sharing_options"):
        cut(read_campaign(small.folder), "friends", format="friends")
