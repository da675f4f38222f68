"""The presidential example on the public data: 2016 as it stood on the day before."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from hustings import flow
from hustings.campaign import read_campaign

PROJECT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def folder(tmp_path_factory, data_file):
    for name in ("results", "fundamentals", "state_features", "polls_2016", "polls_2012", "polls_2008"):
        data_file(f"polls/{name}.parquet")
    path = tmp_path_factory.mktemp("presidential")
    text = (PROJECT / "examples/presidential/campaign.toml").read_text()
    assert 'rule = "electors"' in text
    (path / "campaign.toml").write_text(
        text.replace('rule = "electors"', 'history_days = 0\nrule = "electors"')
    )
    shutil.copy(PROJECT / "examples/presidential/state-coordinates.csv", path)
    flow.run(read_campaign(path), "forecast", "vote_values")
    return path


def test_the_favourite_of_the_polls_is_the_favourite_and_not_certain(folder, rows):
    odds = {row["estimator"]: row for row in rows(folder, "odds")}
    assert 0.6 < odds["forecast"]["p_win"] < 0.95
    assert odds["forecast"]["needed"] == 270
    assert odds["mean of polls"]["seats"] == 323
    assert odds["forecast"]["n_polls"] > 1500


def test_the_loss_of_the_night_lay_inside_the_interval(folder, rows):
    # Of the electors as pledged 232 were won; the share of the two was 51.1 %.
    own = next(row for row in rows(folder, "odds") if row["estimator"] == "forecast")
    assert own["seats_low"] <= 232 <= own["seats_high"]
    assert own["low"] < 0.511 < own["high"]


def test_states_are_called_as_often_as_by_the_best_published_models(folder, rows):
    actual = {}
    for row in rows(folder, "results"):
        if row["year"] == 2016:
            actual.setdefault(row["place_id"], {})[row["choice"]] = row["votes"]
    leaves = [row for row in rows(folder, "forecast") if row["is_leaf"]]
    right = sum(
        (row["p_win"] > 0.5)
        == (actual[row["place_id"]]["Democrats"] > actual[row["place_id"]]["Republicans"])
        for row in leaves
    )
    assert len(leaves) == 51
    assert right >= 45


def test_votes_count_most_in_small_states_that_are_close(folder, rows):
    values = {row["place_id"]: row for row in rows(folder, "vote_values")}
    assert values["NH"]["relative"] > 5
    assert values["CA"]["relative"] < 0.01
    assert values["WY"]["relative"] < 0.01
    for place in ("NH", "PA", "FL", "NV", "CO"):
        assert values[place]["std_error"] < 0.05 * values[place]["value"]
