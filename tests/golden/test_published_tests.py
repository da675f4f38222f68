"""The examples' tests give the numbers that were published."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from hustings import flow
from hustings.campaign import read_campaign
from hustings.stats.adjustment import adjusted_difference
from hustings.stats.blocks import within_blocks
from hustings.stats.means import difference_in_means

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def example(name: str, file: Path, folder: Path, *effects: str) -> Path:
    shutil.copy(EXAMPLES / name / "campaign.toml", folder)
    with pytest.MonkeyPatch.context() as patched:
        patched.setitem(os.environ, "HUSTINGS_DATA", str(file.parents[1]))
        flow.run(read_campaign(folder), "lifts", *effects)
    return folder


@pytest.fixture(scope="module")
def gifts_folder(tmp_path_factory, data_file) -> Path:
    file = data_file("matching-gifts-2005/donors.parquet")
    return example("matching-gifts-2005", file, tmp_path_factory.mktemp("gifts"), "effects.match")


@pytest.fixture(scope="module")
def gifts(gifts_folder, rows) -> dict:
    keys = ("experiment", "arm", "outcome", "estimator")
    return {tuple(row[key] for key in keys): row for row in rows(gifts_folder, "lifts")}


def test_choosing_among_donors_by_what_they_gave_before_proves_nothing(gifts_folder, rows):
    (model,) = rows(gifts_folder, "models")
    card = json.loads(model["card"])
    assert card["verdict"]["p_gain"] > 0.05
    assert card["verdict"]["word"] in ("everyone", "no one")
    assert set(card["features"]) == {"largest_gift_before", "gifts_before", "months_since_gift"}


def test_matching_gifts_gives_the_published_rates_and_dollars(gifts):
    """Karlan & List (2007), table 2A: response rate, and dollars given per letter; whose errors are 0.0013."""
    gave = gifts["match", "match", "gave", "intention_to_treat"]
    dollars = gifts["match", "match", "dollars", "intention_to_treat"]
    assert (round(100 * gave["mean_control"], 2), round(100 * gave["mean_arm"], 2)) == (1.79, 2.20)
    assert (round(dollars["mean_control"], 2), round(dollars["mean_arm"], 2)) == (0.81, 0.97)
    assert gave["n_control"] + gave["n_arm"] == 50_083
    assert round(gave["std_error"], 4) == 0.0013
    assert (gave["unit"], dollars["unit"]) == ("share", "amount")


def test_the_match_worked_in_red_states_and_not_in_blue_ones(gifts):
    """Karlan & List (2007), table 5: +0.9 and +0.1 points."""
    for test, points in (("match_red", 0.9), ("match_blue", 0.1)):
        row = gifts[test, "match", "gave", "intention_to_treat"]
        assert round(100 * row["estimate"], 1) == points
    assert gifts["match_red", "match", "gave", "intention_to_treat"]["low"] > 0


def test_adjusting_for_earlier_gifts_changes_little_and_every_arm_of_four_has_its_q_value(gifts):
    plain, adjusted = (gifts["match", "match", "gave", e] for e in ("intention_to_treat", "adjusted"))
    assert adjusted["std_error"] < plain["std_error"]
    assert abs(adjusted["estimate"] - plain["estimate"]) < plain["std_error"] / 4
    sizes = [row for key, row in gifts.items() if key[0] == "match_size" and key[3] == "intention_to_treat"]
    assert len(sizes) == 8
    assert all(row["q_value"] >= row["p_value"] for row in sizes)


def test_kansas_city_gives_the_published_effects(tmp_path, data_file, rows):
    """Arceneaux (2005): on the list +4.40 points, on the contacted +7.02, precincts drawn."""
    folder = example(
        "kansas-city-2003", data_file("kansas-city-2003/voters.parquet"), tmp_path, "effects.canvass"
    )
    found = {row["estimator"]: row for row in rows(folder, "lifts")}
    assert round(100 * found["intention_to_treat"]["estimate"], 2) == 4.40
    assert round(100 * found["contacted"]["estimate"], 2) == 7.02
    # Contact is what the first is of the second.
    contact = found["intention_to_treat"]["estimate"] / found["contacted"]["estimate"]
    assert round(100 * contact, 1) == 62.7
    assert found["intention_to_treat"]["low"] < 0
    assert "14 units" in found["adjusted"]["reason"]
    # What the ladder makes of 14 precincts against 14: the same effect for all, and nothing proven.
    (model,) = rows(folder, "models")
    (arm,) = json.loads(model["card"])["arms"]
    assert arm["verdict"]["word"] == "no one"
    assert model["learner"] == "the same effect for all"
    assert abs(arm["mean_effect"] - found["intention_to_treat"]["estimate"]) < 0.003
    assert abs(arm["verdict"]["average_error"] / found["intention_to_treat"]["std_error"] - 1) < 0.1


def households(sizes: np.ndarray) -> np.ndarray:
    """Runs of equal sizes, cut every size rows."""
    starts = np.flatnonzero(np.append(True, sizes[1:] != sizes[:-1]))
    run_start = np.repeat(starts, np.diff(np.append(starts, sizes.size)))
    return np.cumsum((np.arange(sizes.size) - run_start) % sizes == 0) - 1


def test_michigan_gives_the_published_lifts_within_blocks(data_file):
    """Gerber, Green & Larimer (2008), table 3, model b: block effects, errors clustered by household."""
    voters = pd.read_parquet(data_file("michigan-2006/voters.parquet"))
    labels = ["No Postcard", "Civic Duty", "Hawthorne", "Self", "Neighbors"]
    arm = voters["treatment"].astype(str).map({label: i for i, label in enumerate(labels)}).to_numpy()
    home = households(voters["hh_size"].to_numpy())
    y, block = voters["primary_06"].to_numpy(float), voters["cluster"].astype(int).to_numpy()
    found = within_blocks(y, arm, block, home, n_arms=5)
    assert [round(100 * e, 2) for e in found.estimate] == pytest.approx([1.80, 2.62, 4.89, 8.18])
    plain = difference_in_means(y, arm, home, n_arms=5)
    assert np.all(found.std_error < plain.std_error)
    votes = [name for name in voters if name.startswith(("general", "primary")) and name != "primary_06"]
    adjusted = adjusted_difference(y, voters[[*votes, "age", "hh_size"]].to_numpy(float), arm, home, n_arms=5)
    assert np.all(adjusted.std_error < plain.std_error)
    assert np.all(np.abs(adjusted.estimate - plain.estimate) < plain.std_error)


def test_rock_the_vote_gives_the_published_turnout_of_systems(data_file):
    """Green & Vavreck, Political Analysis 16 (2008): 85 cable systems in 40 strata; the data of pscl's RockTheVote."""
    systems = pd.read_parquet(data_file("television/rock_the_vote_2004.parquet"))
    share, arm = systems["p"].to_numpy(), systems["treated"].to_numpy()
    found = difference_in_means(share, arm, np.arange(len(systems)), n_arms=2)
    assert round(100 * found.mean_control[0], 1) == 51.6
    assert round(100 * found.mean_arm[0], 1) == 54.5
    within = within_blocks(share, arm, systems["strata"].to_numpy(), np.arange(len(systems)), n_arms=2)
    assert within.std_error[0] < found.std_error[0]
