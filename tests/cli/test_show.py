from __future__ import annotations

import csv
import datetime
import io
import json

import pytest

from hustings.cli import printing
from hustings.tables import TABLES


def test_json_is_an_array_of_rows_under_the_declared_names(hustings, finished):
    rows = json.loads(hustings("show", "lifts.mailers", "--json", "-C", finished[0]).out)
    # Three arms, each read in five ways.
    assert len(rows) == 15
    assert all(tuple(row) == TABLES["lifts"].names for row in rows)


def test_csv_has_a_header_and_every_row(hustings, finished):
    said = hustings("show", "people", "--csv", "-C", finished[0])
    rows = list(csv.DictReader(io.StringIO(said.out)))
    assert len(rows) == 2_000
    assert tuple(rows[0]) == TABLES["people"].names


def test_people_see_twenty_rows_and_how_many_there_are(hustings, finished):
    said = hustings("show", "people", "-C", finished[0])
    assert len(said.out.splitlines()) == 22
    assert said.out.splitlines()[-1].startswith("(20 of 2,000 rows; one row is ")


def test_a_limit_holds_for_json_too(hustings, finished):
    assert len(json.loads(hustings("show", "people", "--json", "--limit", 3, "-C", finished[0]).out)) == 3


def test_days_and_times_are_iso_and_null_is_null(hustings, finished):
    [row] = json.loads(hustings("show", "records", "--json", "--limit", 1, "-C", finished[0]).out)
    datetime.date.fromisoformat(row["born_on"])
    assert row["arrived_at"].endswith("T00:00:00Z")
    assert row["phone"] is None


def test_contact_data_are_masked_unless_asked_for(hustings, finished):
    hidden = json.loads(hustings("show", "people_private", "--json", "-C", finished[0]).out)
    shown = json.loads(hustings("show", "people_private", "--json", "--private", "-C", finished[0]).out)
    private = [column.name for column in TABLES["people_private"].columns if column.privacy == "contact"]
    assert {row[name] for row in hidden for name in private} == {"(private)", None}
    assert all(row["family_name"].isalpha() for row in shown)
    assert [row["person_id"] for row in hidden] == [row["person_id"] for row in shown]


def test_a_part_is_shown_alone(hustings, finished):
    folder = finished[0]
    actions = json.loads(hustings("show", "actions.social", "--json", "-C", folder).out)
    assert [row["action"] for row in actions] == ["social"]
    loads = json.loads(hustings("show", "loads.voters", "--json", "-C", folder).out)
    assert [row["source"] for row in loads] == ["voters"]


def test_an_unknown_part_is_refused_with_the_known_ones(hustings, finished):
    said = hustings("show", "lifts.mailer", "-C", finished[0])
    assert said.code == 1
    assert "did you mean 'mailers'?" in said.err


def test_runs_are_shown_newest_first_with_their_publication(hustings, finished):
    [row] = json.loads(hustings("show", "runs", "--json", "--limit", 1, "-C", finished[0]).out)
    assert row["node"] == "published"
    assert row["snapshot"] > 0


def test_a_table_is_shown_as_of_an_earlier_run(hustings, copied):
    before = hustings("show", "actions", "--json", "-C", copied).out
    run_id = json.loads(hustings("show", "runs", "--json", "--limit", 1, "-C", copied).out)[0]["run_id"]
    toml = copied / "campaign.toml"
    toml.write_text(toml.read_text().replace("unit_cost_cents = 40", "unit_cost_cents = 41", 1))
    assert hustings("run", "actions", "-C", copied).code == 0
    assert hustings("show", "actions", "--json", "-C", copied).out != before
    assert hustings("show", "actions", "--json", "--as-of", run_id[:-2], "-C", copied).out == before


def test_an_unknown_run_is_refused(hustings, finished):
    said = hustings("show", "lifts", "--as-of", "1999", "-C", finished[0])
    assert said.code == 1
    assert "No such run" in said.err


def test_a_campaign_that_was_never_run_says_so(hustings, fresh):
    said = hustings("show", "lifts", "-C", fresh)
    assert said.code == 1
    assert "hustings run" in said.err


def test_two_forms_at_once_are_refused(hustings, finished):
    assert hustings("show", "lifts", "--json", "--csv", "-C", finished[0]).code == 2


@pytest.mark.parametrize("form", ["--json", "--csv"])
def test_an_empty_table_is_well_formed(hustings, finished, form):
    said = hustings("show", "cuts", form, "-C", finished[0])
    assert json.loads(said.out) == [] if form == "--json" else said.out.startswith("cut_id,")


def test_what_a_source_says_cannot_steer_the_terminal(capsys):
    printing.print_rows(("name",), [("\x1b[31mred\x07",)])
    assert "\x1b" not in capsys.readouterr().out


def test_a_row_too_wide_for_the_terminal_stands_upright(capsys, monkeypatch):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "40")
    printing.print_rows(("first", "second"), [("a" * 30, "b" * 30)])
    assert capsys.readouterr().out.splitlines() == ["── 1 ──", "first   " + "a" * 30, "second  " + "b" * 30]


def test_numbers_that_are_none_are_null(capsys):
    printing.print_rows_json(("a", "b"), [(float("nan"), 1)])
    assert json.loads(capsys.readouterr().out) == [{"a": None, "b": 1}]


def test_the_python_reader_gives_what_the_command_shows(finished):
    import hustings as package

    campaign = package.read_campaign(finished[0])
    table = package.read(campaign, "people_private")
    assert set(table["family_name"].to_pylist()) == {"(private)"}
    assert (
        "(private)" not in package.read(campaign, "people_private", private=True)["family_name"].to_pylist()
    )
