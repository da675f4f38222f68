"""The simulated race: its places, its results and its polls agree with the support of those who turn out."""

from __future__ import annotations

import csv

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from hustings.simulate import write_campaign


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_campaign(tmp_path_factory.mktemp("race") / "demo", people=20_000, seed=3).folder


def _rows(folder, name):
    with (folder / "sources" / name).open(newline="") as file:
        return list(csv.DictReader(file))


def test_every_precinct_lies_in_a_region_and_every_region_in_the_state(folder):
    parent = {row["place"]: row["parent"] for row in _rows(folder, "places.csv")}
    precincts = {row["precinct"] for row in _rows(folder, "voters.csv") if row["precinct"]} & set(parent)
    assert len(precincts) == 25
    assert all(parent[parent[p]] == "S" for p in precincts)
    assert parent["S"] == ""


def test_the_truth_of_a_place_is_the_support_of_those_who_turn_out(folder):
    people = pq.read_table(folder / "truth.parquet")
    ours = pc.sum(pc.multiply(people["p_control"], people["p_support"])).as_py()
    places = pq.read_table(folder / "truth-race.parquet").to_pandas()
    assert (places.votes * places.share).sum() == pytest.approx(ours)
    assert places.votes.sum() == pytest.approx(pc.sum(people["p_control"]).as_py())


def test_polls_lie_around_the_truth_by_no_more_than_they_claim(folder):
    places = pq.read_table(folder / "truth-race.parquet").to_pandas()
    truth = (places.votes * places.share).sum() / places.votes.sum()
    polls = [row for row in _rows(folder, "polls.csv") if row["place"] == "S" and row["year"] == "2026"]
    shares = np.array([float(row["a"]) / (float(row["a"]) + float(row["b"])) for row in polls])
    asked = np.array([int(row["asked"]) for row in polls]) * 0.9
    assert len(polls) == 14
    assert np.abs(shares - truth).max() < 4 * np.sqrt(0.25 / asked.min() + (0.06 / 4) ** 2)
    assert abs(shares.mean() - truth) < 0.03


def test_earlier_results_are_votes_of_people_who_voted_then(folder):
    voted = sum(row["general_2024"] == "Y" for row in _rows(folder, "voters.csv"))
    results = [row for row in _rows(folder, "results.csv") if row["year"] == "2024"]
    assert sum(int(row["a"]) + int(row["b"]) for row in results) == pytest.approx(voted, abs=20)


def test_the_smallest_campaign_has_a_race_too(tmp_path):
    folder = write_campaign(tmp_path / "demo", people=1_000, seed=1).folder
    assert {row["year"] for row in _rows(folder, "results.csv")} == {"2020", "2022", "2024"}
