from __future__ import annotations

import json
import re

from hustings.campaign import read_campaign


def test_init_writes_a_campaign_that_can_be_read(hustings, tmp_path):
    folder = tmp_path / "ann"
    said = hustings("init", folder, "--name", 'Ann "the man"', "--election-day", "2026-11-03")
    assert said.code == 0
    campaign = read_campaign(folder)
    assert campaign.name == 'Ann "the man"'
    assert campaign.election_day.isoformat() == "2026-11-03"


def test_everything_that_init_comments_out_is_valid_when_taken_in(hustings, tmp_path):
    hustings("init", tmp_path, "--name", "Ann")
    path = tmp_path / "campaign.toml"
    head, _, tail = path.read_text(encoding="utf-8").partition("# Take away the leading")
    lines = tail.splitlines()[1:]
    kept = [
        line.removeprefix("# ").removeprefix("#")
        for line in lines
        if not re.match(r"# ([A-Z─]|record_outcomes)", line)
    ]
    path.write_text(head + "\n" + "\n".join(kept), encoding="utf-8")
    said = hustings("check", "--json", "-C", tmp_path)
    wrong = [finding["text"] for finding in json.loads(said.out) if not finding["fine"]]
    assert all("The file is missing" in text or "is missing too" in text for text in wrong), wrong
    assert len(wrong) == 2


def test_init_writes_nothing_over(hustings, finished):
    before = (finished[0] / "campaign.toml").read_text()
    said = hustings("init", "-C", finished[0])
    assert said.code == 1
    assert (finished[0] / "campaign.toml").read_text() == before


def test_explain_names_columns_maker_settings_and_state(hustings, finished):
    said = hustings("explain", "lifts.mailers", "-C", finished[0])
    assert said.code == 0
    for text in (
        "one row is",
        "hustings.experiments.lifts:measure_lifts",
        "std_error",
        "[experiments.NAME] control",
    ):
        assert text in said.out
    assert "lifts.mailers is up to date: computed by run " in said.out


def test_explain_says_why_a_node_is_stale(hustings, copied):
    toml = copied / "campaign.toml"
    toml.write_text(toml.read_text().replace("needs_approval = true", "needs_approval = false", 1))
    said = hustings("explain", "actions.record", "-C", copied)
    assert "actions.record is stale: its settings changed (needs_approval)." in said.out


def test_explain_works_without_a_campaign(hustings, tmp_path):
    said = hustings("explain", "people", "-C", tmp_path)
    assert said.code == 0
    assert "stale" not in said.out


def test_explain_without_a_table_lists_them_all(hustings):
    from hustings.tables import TABLES

    said = hustings("explain")
    assert [line.split()[0] for line in said.out.splitlines()[1:]] == list(TABLES)


def test_explain_refuses_an_unknown_table(hustings):
    said = hustings("explain", "peple")
    assert said.code == 1
    assert "did you mean 'people'?" in said.err


def test_settings_are_listed_by_section(hustings):
    said = hustings("settings")
    assert said.code == 0
    assert "[scores.NAME]" in said.out
    assert "[sources.NAME.BLOCK.COLUMN]" in said.out


def test_settings_as_json_have_a_meaning_each(hustings):
    settings = json.loads(hustings("settings", "--json").out)
    assert {"campaign", "features", "scores.NAME"} <= {item["section"] for item in settings}
    assert [item for item in settings if not item["about"].endswith(".")] == []


def test_settings_of_an_unknown_playbook_are_refused(hustings):
    assert hustings("settings", "--playbook", "elction").code == 1


def test_the_schema_is_written_where_it_is_asked_for(hustings, tmp_path):
    path = tmp_path / "campaign.schema.json"
    assert hustings("settings", "--schema", path).code == 0
    assert json.loads(path.read_text())["properties"]["campaign"]["required"] == ["name", "election_day"]
    said = hustings("settings", "--schema", tmp_path / "none" / "x.json")
    assert said.code == 1


def test_tidy_lets_go_and_keeps_the_newest(hustings, copied):
    said = hustings("tidy", "-C", copied)
    assert re.match(r"Let go of \d+ snapshots and \d+ files", said.out), said.err
    assert hustings("show", "lifts", "-C", copied).code == 0


def test_tidy_of_a_campaign_that_was_never_run_is_refused(hustings, fresh):
    said = hustings("tidy", "-C", fresh)
    assert said.code == 1
    assert not (fresh / ".hustings").exists()


def test_data_are_listed(hustings, monkeypatch, tmp_path):
    monkeypatch.setenv("HUSTINGS_DATA", str(tmp_path))
    assert "michigan-2006" in hustings("data", "list").out
    assert json.loads(hustings("data", "list", "--json").out)[0]["present"] is False


def test_unknown_data_are_refused(hustings, tmp_path):
    said = hustings("data", "get", "ohio", "--to", tmp_path)
    assert said.code == 1
    assert "michigan-2006" in said.err


def test_brief_writes_a_page_and_names_it(hustings, finished, tmp_path):
    said = hustings("brief", "--out", tmp_path / "page.html", "-C", finished[0])
    assert said.code == 0, said.err
    assert said.out.strip() == f"The briefing: {tmp_path / 'page.html'}"
    assert "<html" in (tmp_path / "page.html").read_text(encoding="utf-8")


def test_export_says_where_the_list_is_and_counts_it(hustings, finished, tmp_path, monkeypatch):
    from hustings.exports import lists

    asked = []

    def cut(campaign, plan_id, out=None, as_of=None, **how):
        asked.append((campaign.folder, plan_id, out, as_of, how["format"], how["van_source"]))
        return lists.Cut(out, 1_200, 3, n_voted=2, cut_id="c1")

    monkeypatch.setattr(lists, "cut", cut)
    said = hustings("export", "mail", "--out", tmp_path / "list.csv", "-C", finished[0])
    assert said.code == 0, said.err
    written = f"Written: {tmp_path / 'list.csv'} (1,200 rows; 3 left out for an opt-out, 2 who have voted)"
    assert said.out.splitlines() == [written, "On the day it goes out: hustings send c1"]
    assert asked == [(finished[0], "mail", tmp_path / "list.csv", None, "mail", "van")]


def test_a_list_is_cut_for_van_and_sent_again(hustings, finished, tmp_path):
    refused = hustings("export", "mail", "--format", "tiktok", "-C", finished[0])
    assert refused.code == 1
    assert "TikTok" in refused.err
    said = hustings("send", "no-such-cut", "-C", finished[0])
    assert said.code == 1
    assert "No such cut" in said.err


def test_export_of_an_unknown_plan_is_refused(hustings, finished):
    said = hustings("export", "male", "-C", finished[0])
    assert said.code == 1
    assert said.err.startswith("Error: ")


def test_a_demo_that_is_there_is_run_again(hustings, tmp_path):
    folder = tmp_path / "demo"
    first = hustings("demo", folder, "--people", 1_000)
    assert first.code == 0, first.err
    assert "The briefing: " in first.out
    again = hustings("demo", folder, "--people", 1_000)
    assert again.code == 0
    assert "Nothing has changed" in again.out
    other = hustings("demo", folder, "--people", 2_000)
    assert other.code == 1
