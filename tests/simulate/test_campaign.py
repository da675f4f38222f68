"""A simulated campaign's folder: the same bytes every time, whole or not at all, its damage counted."""

from __future__ import annotations

import csv
import datetime
import gzip
import tomllib
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from hustings.errors import CampaignError, DesignError
from hustings.simulate import AS_OF, ELECTION_DAY, write_campaign
from hustings.simulate import campaign as module
from hustings.simulate.campaign import FILES, Written
from hustings.simulate.damage import damage_counts
from hustings.tables import TABLES


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> Written:
    return write_campaign(tmp_path_factory.mktemp("sim") / "demo", people=20_000, seed=3)


@pytest.fixture(scope="module")
def rows(written) -> list[list[str]]:
    with (written.folder / "sources/voters.csv").open(newline="") as file:
        return list(csv.reader(file))


def _bytes(folder: Path) -> dict[str, bytes]:
    return {file: (folder / file).read_bytes() for file in FILES}


def test_the_same_seed_gives_the_same_bytes_and_another_differs(tmp_path):
    for name, seed in (("a", 7), ("b", 7), ("c", 8)):
        write_campaign(tmp_path / name, people=1_000, seed=seed)
    assert _bytes(tmp_path / "a") == _bytes(tmp_path / "b")
    other = _bytes(tmp_path / "c")
    # Made-up messengers and their days are the same in every campaign; who took to them is not.
    same = {"sources/items.csv", "sources/item_days.csv", "truth-messengers.parquet"}
    assert all(other[file] != content for file, content in _bytes(tmp_path / "a").items() if file not in same)


def test_only_the_promised_files_are_there(written):
    found = {p.relative_to(written.folder).as_posix() for p in written.folder.rglob("*") if p.is_file()}
    assert found == set(FILES)


def test_the_damaged_rows_are_as_many_as_promised(written, rows):
    header, body = rows[0], rows[1:]
    assert len(body) == written.n_rows == 20_000 + sum(written.damaged.values())
    whole = [row for row in body if len(row) == len(header)]
    ids = [row[0] for row in whole if row[0]]
    found = {
        "bad date": sum(row[4].startswith("31/02/") for row in whole),
        "missing id": sum(row[0] == "" for row in whole),
        "duplicated id": len(ids) - len(set(ids)),
        "wrong number of columns": len(body) - len(whole),
    }
    assert found == written.damaged == damage_counts(20_000)


def test_every_sound_person_is_in_the_file_once_with_readable_dates(written, rows):
    truth = pq.read_table(written.folder / "truth.parquet")
    sound = {tuple(row) for row in rows[1:] if len(row) == len(rows[0]) and row[0].startswith("V0")}
    assert sorted(row[0] for row in sound) == truth["voter_id"].to_pylist()
    for row in list(sound)[:200]:
        assert datetime.datetime.strptime(row[4], "%m/%d/%Y").date() < ELECTION_DAY
    assert {cell for row in sound for cell in row[-7:-1]} == {"Y", "N"}


@pytest.mark.parametrize(
    ("people", "total"), [(1_000, 4), (20_000, 4), (50_000, 10), (1_000_000, 200), (32_000, 6)]
)
def test_two_rows_in_ten_thousand_are_damaged_and_one_of_each_kind(people, total):
    counts = damage_counts(people)
    assert sum(counts.values()) == total
    assert min(counts.values()) >= 1


def test_the_mailing_holds_control_and_mails_it_on_no_day(written):
    truth = pq.read_table(written.folder / "truth.parquet").to_pandas().dropna(subset="arm")
    text = gzip.decompress((written.folder / "sources/mailing.csv.gz").read_bytes()).decode()
    lines = [line.split("|") for line in text.splitlines()]
    assert lines[0] == ["voter_id", "precinct", "arm", "mailed_on"]
    assert [(row[0], row[2]) for row in lines[1:]] == list(zip(truth.voter_id, truth.arm, strict=True))
    assert len(lines) - 1 == written.n_tested
    assert all((row[3] == "") == (row[2] == "control") for row in lines[1:])


def test_the_truth_gives_every_arms_effect_and_no_source_names_it(written):
    truth = pq.read_table(written.folder / "truth.parquet")
    assert truth.column_names == [
        "voter_id",
        "arm",
        "p_control",
        "effect_plain",
        "effect_social",
        "effect_record",
        "p_support",
        "p_give",
        "mean_gift",
        "p_help",
    ]
    declared = tomllib.loads((written.folder / "campaign.toml").read_text(encoding="utf-8"))
    assert all("truth" not in source["path"] for source in declared["sources"].values())
    turnout = pq.read_table(written.folder / "sources/turnout.parquet")
    assert turnout["voter_id"].equals(truth["voter_id"])
    assert set(np.unique(turnout["voted"])) == {0, 1}


def test_opt_outs_are_three_in_a_thousand(written):
    lines = (written.folder / "sources/opt_outs.tsv").read_text(encoding="utf-8").splitlines()
    assert len(lines) - 1 == written.n_opt_outs == 60
    for line in lines[1:]:
        _, channel, day = line.split("\t")
        assert channel in {"mail", "phone", "door", "all"}
        assert datetime.date(2026, 1, 1) <= datetime.date.fromisoformat(day) < AS_OF


def test_the_declaration_maps_columns_that_exist_to_columns_that_are_declared(written, rows):
    declared = tomllib.loads((written.folder / "campaign.toml").read_text(encoding="utf-8"))
    headers = {
        "voters": rows[0],
        "mailing": ["voter_id", "precinct", "arm", "mailed_on"],
        "turnout": ["voter_id", "voted"],
        "opt_outs": ["voter_id", "channel", "day"],
        "canvass": ["voter_id", "date", "support"],
        "supporters": ["voter_id", "date", "what", "cents", "entered"],
        "asks": ["voter_id", "send", "string", "asked_on", "raised"],
        "money": ["voter_id", "date", "what", "cents", "election", "moved_from"],
    }
    assert set(headers) <= set(declared["sources"])
    for name in set(declared["sources"]) - set(headers):  # those of the parts say their columns themselves
        with (written.folder / declared["sources"][name]["path"]).open(newline="") as file:
            headers[name] = next(csv.reader(file))
    tables = [name for name, spec in TABLES.items() if spec.kind == "collected"]
    for name, source in declared["sources"].items():
        assert (written.folder / source["path"]).is_file()
        for table in tables:
            block = source.get(table, [])
            for one in [block] if isinstance(block, dict) else block:
                _check_block(one, table, headers[name])


def _check_block(block: dict, table: str, header: list[str]) -> None:
    for key, value in block.items():
        if key in {"where", "keep", "unpivot"}:
            continue
        assert key in TABLES[table].names
        column = value if isinstance(value, str) else value.get("column")
        assert column is None or column in header
    assert all(entry["column"] in header for entry in block.get("unpivot", []))
    assert block.get("where", {"column": header[0]})["column"] in header


def test_the_days_keep_the_replay_in_order(written):
    declared = tomllib.loads((written.folder / "campaign.toml").read_text(encoding="utf-8"))
    as_of, sources = declared["campaign"]["as_of"], declared["sources"]
    for name in ("voters", "mailing", "opt_outs", "canvass", "supporters"):
        assert sources[name]["arrived_on"] < as_of
    assert as_of < declared["campaign"]["election_day"] < sources["turnout"]["arrived_on"]
    assert declared["actions"]["record"]["needs_approval"]
    assert declared["contact_plan"]["mail"]["budget_cents"] == 120_000


@pytest.mark.parametrize("people", [999, 1_000_001, "all", True])
def test_a_size_out_of_range_is_refused_and_nothing_is_written(tmp_path, people):
    with pytest.raises(DesignError, match="1,000 to 1,000,000"):
        write_campaign(tmp_path / "demo", people=people)
    assert not (tmp_path / "demo").exists()


@pytest.mark.parametrize("seed", [-1, 1.5, True, "x"])
def test_a_seed_that_is_no_whole_number_is_refused(tmp_path, seed):
    with pytest.raises(DesignError, match="0 or more"):
        write_campaign(tmp_path / "demo", people=1_000, seed=seed)


@pytest.mark.parametrize("file", ["campaign.toml", "sources/voters.csv"])
def test_a_folder_in_use_is_refused_and_left_as_it_was(tmp_path, file):
    (tmp_path / "sources").mkdir()
    (tmp_path / file).write_text("mine", encoding="utf-8")
    with pytest.raises(CampaignError, match=f"holds {file} already.*Next: name another folder"):
        write_campaign(tmp_path, people=1_000)
    assert (tmp_path / file).read_text(encoding="utf-8") == "mine"
    assert len([p for p in tmp_path.rglob("*") if p.is_file()]) == 1


def test_a_folder_that_cannot_be_made_is_refused(tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    for folder in (tmp_path / "file", tmp_path / "file" / "demo"):
        with pytest.raises(CampaignError, match="cannot be written"):
            write_campaign(folder, people=1_000)


def test_a_failure_half_way_leaves_no_file(tmp_path, monkeypatch):
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module, "_write_truth", full)
    with pytest.raises(CampaignError, match="No space left on device"):
        write_campaign(tmp_path / "demo", people=1_000)
    assert list((tmp_path / "demo").iterdir()) == []
    monkeypatch.undo()
    assert write_campaign(tmp_path / "demo", people=1_000).n_people == 1_000
