"""A short season, played once: what it leaves behind, and what it may not have seen."""

from __future__ import annotations

import datetime
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from hustings.briefing.page import render
from hustings.briefing.publish import gather
from hustings.campaign import read_campaign
from hustings.errors import CampaignError, DesignError, TableError
from hustings.plans.deciding import decide, open_decisions
from hustings.season import run_season, stages
from hustings.season.beliefs import believe
from hustings.season.season import monday
from hustings.simulate.season import CHANNELS, assigned, draw_season, segments


@pytest.fixture(scope="module")
def played(tmp_path_factory):
    return run_season(tmp_path_factory.mktemp("season") / "folder", weeks=3, people=1_000, seed=3)


@pytest.fixture(scope="module")
def ledger(played, rows):
    return rows(played.folder, "ledger")


def test_every_list_was_decided_on_and_measured_once_its_outcome_was_known(played, ledger, rows):
    lists = [row for row in ledger if row["plan_id"] != "budget"]
    assert {row["plan_id"] for row in lists} == {f"{c}-w{w:02d}" for c in CHANNELS for w in (1, 2, 3)}
    assert {row["status"] for row in lists} == {"measured"}
    assert {row["decided_by"] for row in lists} == {"the season"}
    assert all(row["measured_low"] < row["measured"] < row["measured_high"] for row in lists)
    assert all(row["n_control"] > 0 and row["published"] > 0 for row in lists)
    for event in rows(played.folder, "decision_events"):
        decision = next(row for row in ledger if row["decision_id"] == event["decision_id"])
        if event["event"] == "measured":
            assert event["happened_at"].date() > decision["available_on"]
        if event["event"] == "interim":
            assert event["happened_at"].date() <= decision["available_on"] + datetime.timedelta(7)
            assert event["note"] == "ballots returned"


def test_a_measured_gain_is_the_difference_that_the_files_show(played, ledger, rows):
    people = rows(played.folder, "decided_people")
    row = next(row for row in ledger if row["plan_id"] == "text-w02")
    voted = pq.read_table(played.folder / "sources" / "voted-02.parquet").to_pylist()
    value = {one["person_id"]: one["value"] for one in voted}
    own = [one for one in people if one["decision_id"] == row["decision_id"]]
    arms = [[value[one["person_id"]] for one in own if one["held_out"] is held] for held in (False, True)]
    assert row["measured"] == pytest.approx(len(arms[0]) * (np.mean(arms[0]) - np.mean(arms[1])))
    assert row["n_treated"] == len(arms[0])


def test_nothing_of_the_truth_is_in_what_the_plans_read(played):
    told = {
        name for path in (played.folder / "sources").glob("*.parquet") for name in pq.read_schema(path).names
    }
    assert told == {
        "person_id", "household_id", "place_id", "region_id", "share_voted", "event_id", "happened_at", "value",
        "happened_on", "arrived_at",
    }  # fmt: skip
    text = Path(stages.__file__).read_text(encoding="utf-8")
    assert "SeasonTruth" not in text
    assert "draw_season" not in text


def test_a_file_is_not_read_before_it_arrives(played):
    campaign_day = monday(2)
    for kind, week, known in (("voted", 1, False), ("ballots", 1, True), ("voters", 2, True)):
        found = stages._written(played.folder, kind, campaign_day)
        names = [] if found is None else found["person_id"].to_pylist()
        assert any(name.startswith(f"W{week:02d}") for name in names) is known


def test_the_rules_of_thumb_have_the_same_money(played):
    for week in played.weeks:
        assert set(week.rules) == {"never learns", "largest offer", "equal split", "proportional to cost"}
        assert week.cents > 0
    more, low, high = played.ahead("equal split")
    assert low <= more <= high


def test_the_briefing_shows_the_ledger(played):
    page = render(gather(read_campaign(played.folder)))
    assert "What our decisions have come to" in page
    assert 'id="ledger"' in page


def test_a_decision_is_taken_once_and_by_a_name_that_exists(played, ledger):
    campaign = read_campaign(played.folder)
    assert open_decisions(campaign) == []
    with pytest.raises(TableError, match="Decided already: accepted by the season"):
        decide(campaign, ["mail-w03"], "refused", by="Jo")
    with pytest.raises(TableError, match="No such decision"):
        decide(campaign, ["mail-w99"], "accepted")
    with pytest.raises(TableError, match="Several decisions begin so"):
        decide(campaign, ["mail"], "accepted")


def test_the_command_lists_what_is_open_and_tells_what_went_wrong(played, capsys):
    from hustings.cli import main

    assert main(["decide", "-C", str(played.folder)]) == 0
    assert "Nothing waits for a decision" in capsys.readouterr().out
    assert main(["decide", "door-w02", "--accept", "-C", str(played.folder)]) == 1
    assert "Decided already" in capsys.readouterr().err
    assert main(["decide", "--accept", "-C", str(played.folder)]) == 2


def test_a_season_needs_weeks_people_and_an_empty_folder(played):
    with pytest.raises(CampaignError, match="not empty"):
        run_season(played.folder, weeks=3, people=1_000)
    with pytest.raises(DesignError, match="3 to 52"):
        run_season(played.folder / "new", weeks=2)
    with pytest.raises(DesignError, match="cannot be drawn"):
        run_season(played.folder / "new", people=10)


def test_beliefs_move_from_the_literature_to_what_was_measured():
    before = believe([])
    assert before.mean[:, 0] == pytest.approx([assigned(name)[0] for name in CHANNELS])
    sure = believe([(0, 1, 0.05, 0.0005)])
    assert sure.mean[0, 1] == pytest.approx(0.05, abs=0.001)
    # The other segments of the channel follow some of the way, other channels not at all.
    assert before.mean[0, 0] < sure.mean[0, 0] < 0.05
    assert sure.mean[1:] == pytest.approx(before.mean[1:])
    assert sure.std_error[0, 1] < before.std_error[0, 1]


def test_the_truth_is_drawn_as_wide_as_the_literature_says():
    effects = np.array([draw_season(1_000, seed).effect[:, 0] / 0.8 for seed in range(400)])
    for channel, name in enumerate(CHANNELS):
        mean, error, spread = assigned(name)
        assert effects[:, channel].mean() == pytest.approx(mean, abs=3.5 * np.hypot(error, spread) / 20)
        assert effects[:, channel].std() == pytest.approx(np.hypot(error, spread), rel=0.12)


def test_votes_add_up_to_what_is_expected_of_those_reached():
    truth = draw_season(20_000, 5)
    n = truth.electorate(1).person_id.size
    everyone, no_one = np.ones(n, bool), np.zeros(n, bool)
    added = int(truth.votes(1, everyone).voted.sum()) - int(truth.votes(1, no_one).voted.sum())
    assert added == pytest.approx(
        truth.expected(1, np.ones(n)), abs=4 * np.sqrt(abs(truth.expected(1, np.ones(n))) + 50)
    )
    assert set(segments(truth.electorate(1).n_voted)) == {0, 1, 2}
