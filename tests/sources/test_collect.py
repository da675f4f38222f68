"""One source's file: what of it is kept, what is set aside, and with which reasons."""

from __future__ import annotations

import csv
import datetime
import io
import json
import tomllib
from contextlib import closing
from functools import partial
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hustings.campaign import Campaign
from hustings.errors import SettingError, SourceError
from hustings.instances import instances
from hustings.sources.collect import collect, watch
from hustings.stage import describe
from hustings.tables import TABLES
from hustings.warehouse import open_lake, store
from hustings.warehouse.landing import land
from hustings.warehouse.store import hold, release

DAY = datetime.date(2026, 1, 1)
PEOPLE = '[records]\nrecord_id = "id"\n'


@pytest.fixture(scope="module")
def lake(tmp_path_factory):
    with closing(open_lake(tmp_path_factory.mktemp("lake") / "store", write=True)) as lake:
        yield lake


@pytest.fixture
def load(lake, tmp_path):
    """Collect one file by the text of its section; the rows of every table, and the reasons by line."""

    def run(content: str | bytes, section: str, name: str = "a.csv"):
        (tmp_path / name).write_bytes(content.encode() if isinstance(content, str) else content)
        told = {"path": name, "arrived_on": DAY, **tomllib.loads(section)}
        campaign = Campaign(tmp_path, "x", DAY, DAY, sections={"sources": {"s": told}})
        (instance,) = instances(campaign, [describe(collect)])
        tables = collect(
            **instance.settings,
            folder=tmp_path,
            load_id="1",
            land=partial(land, lake),
            hold=partial(hold, lake),
        )
        found = {name: _rows(table) for name, table in tables.items()}
        release(lake)
        (told,) = found["loads"]
        assert told["n_read"] == told["n_kept"] + told["n_rejected"]
        assert told["n_rejected"] == len(found["rejects"])
        return found, {row["line"]: row["reasons"] for row in found["rejects"]}

    return run


def _rows(table):
    if isinstance(table, dict):
        return [dict(zip(table, values, strict=True)) for values in zip(*table.values(), strict=True)]
    key = [name for name in ("line", "event_id") if name in table.columns]
    return table.order_by(key).to_pyarrow().to_pylist()


def column(found, table, name):
    return [row[name] for row in found[table]]


# ── what a row may be refused for ──────────────────────────────────────────────────────────────────


def test_every_fault_of_a_row_is_told_and_sound_rows_are_kept(load):
    found, reasons = load(
        "id,born,age,yes\n1,1980-02-29,40,x\n,1980-01-01,41,x\n3,31/02/2006,4.5,x\n4,1980-01-01,old\n5,,,x\n",
        PEOPLE + 'born_on = "born"\nage = "age"\n',
    )
    assert column(found, "records", "record_id") == ["1", "5"]
    assert found["records"][0]["born_on"] == datetime.date(1980, 2, 29)
    assert found["records"][1]["born_on"] is None
    assert reasons == {
        2: "record_id is missing",
        3: "born_on is not a day in the form 2026-11-03; age is not a whole number",
        4: "fewer columns than the header",
    }
    row = json.loads(found["rejects"][1]["row"])
    assert row == {"id": "3", "born": "31/02/2006", "age": "4.5", "yes": "x"}


def test_of_two_rows_with_one_id_the_first_is_kept(load):
    found, reasons = load("id,a\n1,x\n2,y\n1,z\n1,w\n", PEOPLE + 'party = "a"\n')
    assert [(row["record_id"], row["party"]) for row in found["records"]] == [("1", "x"), ("2", "y")]
    assert reasons == dict.fromkeys((3, 4), "the same record_id stands earlier")


def test_a_tie_to_oneself_or_of_impossible_closeness_is_set_aside(load):
    section = (
        'people_from = "voters"\n[[ties]]\nrecord_id = "who"\nother_id = "whom"\ncloseness = "near"\n'
        'purpose = { constant = "ask" }\nconsented_on = "yes"\nwithdrawn_on = "no"\n'
    )
    rows = "1,2,.5,2026-09-01,\n1,1,.5,2026-09-01,\n1,3,1.5,2026-09-01,\n1,4,.5,2026-09-01,2026-08-01\n"
    found, reasons = load("who,whom,near,yes,no\n" + rows, section)
    assert column(found, "ties", "other_id") == ["2"]
    assert reasons == {
        2: "the tie leads from a person to the same person",
        3: "closeness is not between 0 and 1",
        4: "withdrawn_on is before consented_on",
    }


def test_an_ask_of_oneself_is_set_aside(load):
    section = '[[friend_asks]]\nrecord_id = "who"\nother_id = "whom"\naction = { constant = "word" }\noffered_on = "day"\n'
    found, reasons = load("who,whom,day\n1,2,2026-09-01\n2,2,2026-09-01\n", section)
    assert column(found, "friend_asks", "other_id") == ["2"]
    assert reasons == {2: "the ask is from a person to the same person"}


def test_an_age_group_that_nobody_can_read_is_set_aside(load):
    section = '[[item_audiences]]\nitem_id = "id"\nfeature = "what"\nvalue = "group"\nshare = "share"\n'
    told = ("age,18-29", "age,65+", "age,Under 30", "age,30 to 44", "age,young", "party,Greens")
    rows = "".join(f"{n},{group},.5\n" for n, group in enumerate(told))
    found, reasons = load("id,what,group,share\n" + rows, section)
    assert len(found["item_audiences"]) == 5
    assert reasons == {5: "value is no age group, like 18-29, 65+ or under 30"}


def test_a_refused_row_does_not_stand_in_the_way_of_a_sound_one_with_its_id(load):
    found, reasons = load("id,age\n1,old\n1,40\n", PEOPLE + 'age = "age"\n')
    assert column(found, "records", "line") == [2]
    assert reasons == {1: "age is not a whole number"}


def test_a_row_that_one_block_refuses_is_kept_by_none(load):
    section = PEOPLE + '[[record_events]]\nkind = { constant = "vote" }\nhappened_at = "day"\n'
    found, reasons = load("id,day\n1,2024-11-05\n2,never\n", section)
    assert column(found, "records", "record_id") == column(found, "record_events", "record_id") == ["1"]
    assert reasons == {2: "happened_at is not a day in the form 2026-11-03"}


def test_a_value_that_is_not_named_is_a_fault_and_an_empty_one_is_not(load):
    section = PEOPLE + 'sex = { column = "sex", values = { M = "male", F = "female" } }\n'
    found, reasons = load("id,sex\n1,M\n2, F \n3,X\n4,\n", section)
    assert column(found, "records", "sex") == ["male", "female", None]
    assert reasons == {3: "sex has a value that its `values` do not name"}


# ── where a value comes from ───────────────────────────────────────────────────────────────────────


def test_a_constant_the_rows_number_and_a_column_fill_a_record(load):
    found, _ = load(
        "name\nAnn\nBo\n",
        '[records]\nrecord_id = { row = true }\ngiven_name = "name"\nage_on = { constant = 2026-01-01 }\n',
    )
    assert [
        tuple(row[n] for n in ("record_id", "given_name", "age_on", "arrived_at")) for row in found["records"]
    ] == [
        ("1", "Ann", DAY, datetime.datetime(2026, 1, 1)),
        ("2", "Bo", DAY, datetime.datetime(2026, 1, 1)),
    ]


def test_columns_may_be_called_anything(load):
    header = [
        "the id",
        "it's",
        'a "b"',
        "naïve ☂",
        "select",
        "line",
        "reasons",
        "row",
        "_line",
        "_reasons",
        "record_id",
    ]
    file = io.StringIO()
    csv.writer(file, lineterminator="\n").writerows(
        [header, [str(i) for i in range(11)], ["x"] * 11, ["x"] * 11]
    )
    section = '[records]\nrecord_id = "the id"\nparty = "it\'s"\nregion_id = \'a "b"\'\nplace_id = "naïve ☂"\naddress = "row"\n'
    found, reasons = load(file.getvalue(), section)
    first = found["records"][0]
    assert tuple(first[n] for n in ("record_id", "party", "region_id", "place_id", "address")) == (
        "0",
        "1",
        "2",
        "3",
        "7",
    )
    assert reasons == {3: "the same record_id stands earlier"}
    assert json.loads(found["rejects"][0]["row"]) == dict.fromkeys(header, "x")


def test_only_rows_with_or_without_named_values_count(load):
    blocks = """
[[record_events]]
kind = { constant = "gift" }
happened_at = { constant = 2025-05-05 }
where = { column = "a", %s }
"""
    content = "id,a\n1,x\n2,y\n3,\n"
    for rule, kept in (
        ('is = ["x"]', ["1"]),
        ('isnt = ["x"]', ["2", "3"]),
        ('isnt = [""]', ["1", "2"]),
        ('is = [""]', ["3"]),
    ):
        found, reasons = load(content, PEOPLE + blocks % rule)
        assert sorted(column(found, "record_events", "record_id")) == kept
        assert not reasons
        assert len(found["records"]) == 3


UNPIVOT = """
[[record_events]]
kind = { constant = "vote" }
keep = ["Y"]
unpivot = [
  { column = "g24", name = "2024 general", election_kind = "general", happened_at = 2024-11-05 },
  { column = "p24", name = "2024 primary", election_kind = "primary", happened_at = 2024-08-06 },
]
"""


def test_a_row_becomes_an_event_for_each_cell_that_is_kept(load):
    found, reasons = load("id,g24,p24\n1,Y,N\n2,Y,Y\n3,,maybe\n", PEOPLE + UNPIVOT)
    events = sorted(
        (row["record_id"], row["name"], row["happened_at"].year) for row in found["record_events"]
    )
    assert events == [("1", "2024 general", 2024), ("2", "2024 general", 2024), ("2", "2024 primary", 2024)]
    assert not reasons


def test_a_cell_that_is_unpivoted_can_be_a_value(load):
    section = PEOPLE + (
        '[[record_events]]\nkind = { constant = "gift" }\nvalue = { cell = true }\n'
        'unpivot = [{ column = "may", happened_at = 2025-05-01 }, { column = "june", happened_at = 2025-06-01 }]\n'
    )
    found, reasons = load("id,may,june\n1,500,\n2,,many\n3,5,7\n", section)
    assert sorted((row["record_id"], row["value"]) for row in found["record_events"]) == [
        ("1", 500),
        ("3", 5),
        ("3", 7),
    ]
    assert reasons == {2: "value is not a number"}


# ── events and their ids ───────────────────────────────────────────────────────────────────────────

GIFTS = '[[record_events]]\nrecord_id = "id"\nkind = { constant = "gift" }\nhappened_at = "day"\nvalue = "cents"\n'


def test_an_event_told_again_has_the_same_id_wherever_it_stands(load):
    once, _ = load("id,day,cents\n1,2025-05-01,500\n2,2025-05-02,700\n", GIFTS)
    again, _ = load("id,day,cents\n9,2025-01-01,100\n2,2025-05-02,700\n1,2025-05-01,500\n", GIFTS)
    assert set(column(once, "record_events", "event_id")) < set(column(again, "record_events", "event_id"))


def test_two_like_events_of_one_file_are_two_and_keep_their_ids(load):
    once, reasons = load("id,day,cents\n1,2025-05-01,500\n1,2025-05-01,500\n", GIFTS)
    assert not reasons
    ids = set(column(once, "record_events", "event_id"))
    assert len(ids) == 2
    later, _ = load(
        "id,day,cents\n7,2025-01-01,1\n8,2025-01-01,1\n1,2025-05-01,500\n1,2025-05-01,500\n", GIFTS
    )
    assert ids < set(column(later, "record_events", "event_id"))


def test_two_blocks_and_two_columns_that_tell_the_same_do_not_stop_the_load(load):
    block = (
        UNPIVOT.replace("2024 primary", "2024 general")
        .replace('"primary"', '"general"')
        .replace("08-06", "11-05")
    )
    found, reasons = load("id,g24,p24\n1,Y,Y\n", PEOPLE + block + block)
    assert not reasons
    assert len(set(column(found, "record_events", "event_id"))) == 4


def test_a_mapped_event_id_that_stands_twice_is_a_fault(load):
    found, reasons = load(
        "id,day,cents,no\n1,2025-05-01,5,a\n2,2025-05-01,5,a\n", GIFTS + 'event_id = "no"\n'
    )
    assert column(found, "record_events", "event_id") == ["a"]
    assert reasons == {2: "the same event_id stands earlier"}


def test_what_a_file_says_of_another_sources_records_is_theirs(load):
    found, _ = load("id,day,cents\n1,2025-05-01,500\n", 'people_from = "voters"\n' + GIFTS)
    (event,) = found["record_events"]
    assert (event["source"], event["record_source"]) == ("s", "voters")


# ── households by the order of the file ────────────────────────────────────────────────────────────

WALK = '[records]\nrecord_id = "id"\nhousehold_key = { walk = "size" }\n'


def walk(load, *sizes: int | str):
    """The households, as lists of lines; `-` stands for a broken line."""
    lines = [f"{i},{size}" if size != "-" else "broken" for i, size in enumerate(sizes, 1)]
    found, reasons = load("id,size\n" + "\n".join(lines) + "\n", WALK)
    homes: dict[str, list[int]] = {}
    for row in found["records"]:
        homes.setdefault(row["household_key"], []).append(row["line"])
    told = {line for line, reason in reasons.items() if "household" in reason}
    return sorted(homes.values()), told


@pytest.mark.parametrize(
    ("sizes", "homes", "told"),
    [
        ([1, 2, 2, 1, 3, 3, 3], [[1], [2, 3], [4], [5, 6, 7]], set()),
        ([2, 2, 2, 2], [[1, 2], [3, 4]], set()),
        # A broken line within a household, at its end, at its beginning.
        ([3, "-", 3, 2, 2], [[1, 3], [4, 5]], set()),
        ([2, "-", 2, 2, 1], [[1], [3, 4], [5]], set()),
        (["-", 2, 2, 2, 1], [[2], [3, 4], [5]], set()),
        ([1, "-", 2, 1], [[1], [3], [4]], set()),
        # The broken line was a household of one.
        ([2, 2, "-", 2, 2], [[1, 2], [4, 5]], set()),
        # A broken line at the end of the file.
        ([1, 2, "-"], [[1], [2]], set()),
        (["-", 2, 2, 2, "-"], [], {2, 3, 4}),
        # Sizes that do not fit, and no broken line explains it.
        ([2, 2, 2, 1], [[4]], {1, 2, 3}),
        ([1, 0, 1, "x", 1, -2], [[1], [3], [5]], {2, 4, 6}),
    ],
)
def test_households_are_rebuilt_from_the_order_of_the_file(load, sizes, homes, told):
    assert walk(load, *sizes) == (homes, told)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sizes=st.lists(st.integers(1, 4), min_size=1, max_size=12), data=st.data())
def test_a_broken_line_never_puts_strangers_into_one_household(load, sizes, data):
    truth, rows = {}, []
    for home, size in enumerate(sizes):
        for _ in range(size):
            rows.append(size)
            truth[len(rows)] = home
    broken = data.draw(st.integers(1, len(rows)))
    rows[broken - 1] = "-"
    homes, _ = walk(load, *rows)
    for lines in homes:
        assert len({truth[line] for line in lines}) == 1, (sizes, broken, homes)


# ── counts always add up ───────────────────────────────────────────────────────────────────────────


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(
        st.tuples(
            st.sampled_from(["1", "2", "3", "4", "5", "6", ""]),
            st.sampled_from(["40", "", "4.5", "old", "1e400"]),
            st.sampled_from(["2024-02-29", "2023-02-29", "", "31/02/2006", "infinity"]),
            st.sampled_from(["sound", "sound", "sound", "short", "long", "bytes"]),
        ),
        min_size=1,
        max_size=12,
    )
)
def test_read_is_kept_and_rejected_and_each_reject_is_the_right_line(load, rows):
    lines, sound, seen = [], [], set()
    for number, (who, age, born, kind) in enumerate(rows, 1):
        line = {"short": f"{who},{age}", "long": f"{who},{age},{born},z", "bytes": f"{who},{age},\udce9"}
        lines.append(line.get(kind, f"{who},{age},{born}"))
        if kind == "sound" and who and age in ("40", "") and born in ("2024-02-29", "") and who not in seen:
            seen.add(who)
            sound.append(number)
    content = ("id,age,born\n" + "\n".join(lines) + "\n").encode("utf-8", "surrogateescape")
    found, reasons = load(content, PEOPLE + 'age = "age"\nborn_on = "born"\n')
    assert found["loads"][0]["n_read"] == len(rows)
    assert column(found, "records", "line") == sound
    assert set(reasons) == set(range(1, len(rows) + 1)) - set(sound)
    assert all(reasons.values())


# ── a section that does not fit ────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("section", "says"),
    [
        ("", r"\[sources.s\] maps nothing; allowed: records"),
        ('[records]\nrecord_id = "idd"\n', r"the file has no column 'idd' \(did you mean 'id'\?\)"),
        (PEOPLE + 'fistname = "a"\n', r"records has no column 'fistname'.*allowed: .*given_name"),
        (PEOPLE + 'load_id = "a"\n', r"records has no column 'load_id'"),
        (PEOPLE + 'household_key = { walk = "sise" }\n', "the file has no column 'sise'"),
        (
            '[[record_events]]\nrecord_id = "id"\nkind = "a"\n',
            "record_events: happened_at is missing; allowed: When",
        ),
        (
            '[[record_outcomes]]\noutcome = "a"\nvalue = "a"\nhappened_on = "a"\n',
            "record_outcomes: record_id is missing",
        ),
        (
            PEOPLE + 'age = { constant = "old" }\n',
            r"records: age cannot have this value; received 'old'; allowed: a integer|allowed: an integer",
        ),
        (PEOPLE + 'born_on = { constant = "soon" }\n', "born_on cannot have this value; received 'soon'"),
        (
            PEOPLE + 'age = { column = "a", values = { x = 1.5 } }\n',
            "age cannot have this value; received 1.5",
        ),
        (
            PEOPLE
            + '[[record_events]]\nkind = { constant = "v" }\nunpivot = [{ column = "b", happened_at = 2024-01-01 }]\n',
            "the file has no column 'b'",
        ),
        (
            PEOPLE + '[[opt_outs]]\nchannel = { constant = "mail" }\nwhere = { column = "b", is = ["x"] }\n',
            "the file has no column 'b'",
        ),
    ],
)
def test_a_section_that_does_not_fit_the_file_is_refused(load, section, says):
    with pytest.raises(SourceError, match=says):
        load("id,a\n1,x\n", section)


@pytest.mark.parametrize(
    ("section", "says"),
    [
        (
            '[records]\nrecord_id = { column = "id", row = true }\n',
            "record_id: exactly one of column, constant",
        ),
        ("[records]\nrecord_id = {}\n", "record_id: exactly one of"),
        ('[records]\nrecord_id = { colum = "id" }\n', "record_id: colum "),
        ("[records]\nrecord_id = 5\n", "record_id: "),
        (PEOPLE + 'born_on = { column = "a", date = "%Q" }\n', "born_on: date is a format as %m/%d/%Y"),
        (PEOPLE + 'born_on = { column = "a", date = "" }\n', "born_on: date is a format"),
        (PEOPLE + "party = { cell = true }\n", "party: cell = true belongs to unpivot"),
        (PEOPLE + 'keep = ["Y"]\n', "keep belongs to unpivot"),
        (PEOPLE + 'where = { column = "a" }\n', "exactly one of is and isnt"),
        (PEOPLE + "unpivot = [{ party = 1 }]\n", "every entry of unpivot names a column"),
        (PEOPLE + 'unpivot = [{ column = "a", party = { column = "b" } }]\n', "party: constant"),
        (PEOPLE + 'unpivot = [{ column = "a", party = ["b"] }]\n', "party: constant"),
        (
            'refresh = "sometimes"\n',
            r"refresh is not allowed; received 'sometimes'; allowed: 'full' or 'append'",
        ),
        ('pth = "x"\n', "unknown setting 'pth' .did you mean 'path'"),
        ('arrived_on = "soon"\n', "arrived_on is not allowed; received 'soon'"),
    ],
)
def test_a_section_that_says_nothing_sensible_is_refused_in_one_line(load, section, says):
    with pytest.raises(SettingError, match=says) as caught:
        load("id,a\n1,x\n", section)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith("[sources.s]")
    assert "Next: hustings settings" in str(caught.value)


# ── the file itself ────────────────────────────────────────────────────────────────────────────────


def test_the_mark_of_a_file_changes_with_its_content_and_says_when_it_is_gone(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("id\n1\n")
    one = watch(tmp_path, {"path": "a.csv"})
    assert watch(tmp_path, {"path": "a.csv"}) == one
    path.write_text("id\n2\n")
    assert watch(tmp_path, {"path": "a.csv"}) != one
    path.unlink()
    assert watch(tmp_path, {"path": "a.csv"}) == "unreadable: No such file or directory"


# ── loads that follow each other ───────────────────────────────────────────────────────────────────

NEEDED = ("people", "people_private", "identities", "households", "runs")
CAMPAIGN = """
[campaign]
name = "x"
election_day = 2026-11-03
as_of = 2026-07-01

[sources.voters]
path = "voters.csv"
refresh = "{refresh}"
arrived_on = 2026-01-01
records = {{ record_id = "id", party = "party" }}

[sources.gifts]
path = "gifts.csv"
people_from = "voters"
arrived_on = 2026-01-01
[[sources.gifts.record_events]]
record_id = "id"
kind = {{ constant = "gift" }}
happened_at = {{ constant = 2025-05-05 }}
"""


@pytest.fixture
def campaign(make_folder, up_to, rows, monkeypatch):
    """A campaign of two sources: write a file, run, and say who is in which party."""

    # A new warehouse with few tables is made faster.
    few = {name: spec for name, spec in TABLES.items() if spec.kind == "collected" or name in NEEDED}
    monkeypatch.setattr(store, "TABLES", few)

    class Two:
        folder: Path

        def start(self, refresh: str) -> None:
            self.folder = make_folder(CAMPAIGN.format(refresh=refresh), gifts__csv="id\n1\n")

        def run(self, content: str | None = None) -> dict[str, str | None]:
            if content is not None:
                (self.folder / "voters.csv").write_text(content)
            up_to(self.folder, "unify_people")
            return {row["person_id"]: row["party"] for row in rows(self.folder, "people")}

        def rows(self, table: str):
            return rows(self.folder, table)

    return Two()


def test_a_file_that_replaces_makes_the_one_before_past(campaign):
    campaign.start("full")
    assert campaign.run("id,party\n1,A\n2,A\n") == {"voters:1": "A", "voters:2": "A"}
    # The other source's load has the same run's id, and stays.
    assert campaign.run("id,party\n2,B\n3,B\n") == {"voters:2": "B", "voters:3": "B"}
    assert [row["record_id"] for row in campaign.rows("record_events")] == ["1"]
    assert len(campaign.rows("loads")) == 3


def test_a_file_that_adds_supersedes_by_key(campaign):
    campaign.start("append")
    campaign.run("id,party\n1,A\n2,A\n")
    assert campaign.run("id,party\n2,B\n3,B\n") == {"voters:1": "A", "voters:2": "B", "voters:3": "B"}
    campaign.run("id,party\n1,C\n")
    assert campaign.run() == {"voters:1": "C", "voters:2": "B", "voters:3": "B"}


def test_a_source_that_leaves_campaign_toml_takes_its_people_with_it(campaign):
    campaign.start("full")
    campaign.run("id,party\n1,A\n")
    toml = campaign.folder / "campaign.toml"
    toml.write_text(toml.read_text().replace("[sources.voters]", "[sources.register]"))
    assert campaign.run() == {"register:1": "A"}
    assert {row["source"]: row["refresh"] for row in campaign.rows("loads")}["voters"] == "removed"


def test_a_load_that_fails_loses_nothing_and_the_next_one_goes_on(campaign):
    campaign.start("full")
    before = campaign.run("id,party\n1,A\n")
    for bad, says in (("", "The file is empty"), ("id\n1\n", "no column 'party'"), ("id,party\n", "no rows")):
        with pytest.raises(SourceError, match=says):
            campaign.run(bad)
        assert {row["person_id"]: row["party"] for row in campaign.rows("people")} == before
    (campaign.folder / "voters.csv").unlink()
    with pytest.raises(SourceError, match="The file is missing"):
        campaign.run()
    assert campaign.run("id,party\n2,B\n") == {"voters:2": "B"}


def test_the_simulated_campaign_keeps_every_sound_row_and_tells_of_every_damaged_one(simulated, rows):
    loads = {row["source"]: row for row in rows(simulated, "loads")}
    assert all(row["n_read"] == row["n_kept"] + row["n_rejected"] for row in loads.values())
    truth = pq.read_table(simulated / "truth.parquet")["voter_id"].to_pylist()
    assert {row["person_id"] for row in rows(simulated, "people")} == {f"voters:{who}" for who in truth}
    reasons = [row["reasons"] for row in rows(simulated, "rejects")]
    assert len(reasons) == loads["voters"]["n_rejected"] == 4
    for part in (
        "born_on is not a day",
        "record_id is missing",
        "the same record_id stands earlier",
        "columns than",
    ):
        assert sum(part in reason for reason in reasons) == 1


def test_a_row_may_tell_when_it_arrived_but_not_after_its_file_nor_before_it_happened(load):
    section = PEOPLE + (
        '[[record_events]]\nkind = { constant = "gift" }\nhappened_at = "on"\narrived_at = "entered"\n'
    )
    lines = "id,on,entered\n1,2025-03-01,2025-03-04\n2,2025-03-01,2026-02-01\n3,2025-03-01,2025-02-01\n4,2025-03-01,\n"
    found, reasons = load(lines, section)
    assert [str(row["arrived_at"])[:10] for row in found["record_events"]] == ["2025-03-04"]
    assert "after its file arrived" in reasons[2]
    assert "before happened_at" in reasons[3]
    assert "arrived_at is missing" in reasons[4]
