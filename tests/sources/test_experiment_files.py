"""Two published field experiments, described by a campaign.toml: the numbers that were published come out."""

from __future__ import annotations

import pytest

KANSAS_CITY = """
[campaign]
name = "Kansas City ballot, 2003"
election_day = 2003-11-04
as_of = 2003-11-03

[sources.voters]
path = "{path}"
arrived_on = 2003-10-01

[sources.voters.records]
record_id = {{ row = true }}
place_id = "precinct"

[[sources.voters.record_assignments]]
experiment = {{ constant = "acorn" }}
arm = {{ column = "Z", values = {{ 0 = "none", 1 = "acorn" }} }}
contacted = "D_contact"
assigned_on = {{ constant = 2003-10-15 }}

[[sources.voters.record_outcomes]]
outcome = {{ constant = "voted" }}
value = "Y_voted_2003"
happened_on = {{ constant = 2003-11-04 }}
arrived_on = 2003-12-01

[experiments.acorn]
unit = "place"
control = "none"
measured_by = ["voted"]
"""

MATCHING_GIFTS = """
[campaign]
name = "Matching gifts, 2005"
election_day = 2005-12-31
as_of = 2005-08-01

[sources.donors]
path = "{path}"
arrived_on = 2005-07-01

[sources.donors.records]
record_id = {{ row = true }}

[[sources.donors.record_assignments]]
experiment = {{ constant = "match" }}
arm = {{ column = "treatment", values = {{ 0 = "letter", 1 = "match" }} }}
assigned_on = {{ constant = 2005-08-01 }}

[[sources.donors.record_outcomes]]
outcome = {{ constant = "gave" }}
value = "out_gavedum"
happened_on = {{ constant = 2005-09-30 }}

[[sources.donors.record_outcomes]]
outcome = {{ constant = "dollars" }}
value = "out_amountgive"
happened_on = {{ constant = 2005-09-30 }}
where = {{ column = "out_amountgive", isnt = [""] }}

[experiments.match]
unit = "person"
control = "letter"
measured_by = ["gave", "dollars"]
"""


@pytest.fixture
def ran(make_folder, data_file, up_to):
    def run(toml: str, name: str):
        folder = make_folder(toml.format(path=data_file(name)))
        up_to(folder, "measure_lifts")
        return folder

    return run


def means_in(rows, folder) -> dict[tuple[str, str], float]:
    """The mean of each outcome in each arm, from the two tables that a lift reads."""
    arm = {row["person_id"]: row["arm"] for row in rows(folder, "assignments")}
    found: dict[tuple[str, str], list[float]] = {}
    for row in rows(folder, "outcomes"):
        found.setdefault((row["outcome"], arm[row["person_id"]]), []).append(row["value"])
    return {key: sum(values) / len(values) for key, values in found.items()}


def test_kansas_city_has_the_published_effect_and_errors_by_precinct(ran, rows):
    folder = ran(KANSAS_CITY, "kansas-city-2003/voters.parquet")
    (load,) = rows(folder, "loads")
    assert (load["n_read"], load["n_kept"], load["n_rejected"]) == (9712, 9712, 0)
    (lift,) = (row for row in rows(folder, "lifts") if row["estimator"] == "intention_to_treat")
    assert (lift["arm"], lift["n_control"], lift["n_arm"], lift["reason"]) == ("acorn", 4779, 4933, None)
    assert 100 * lift["estimate"] == pytest.approx(4.40, abs=0.005)
    # As if persons had been drawn the error would be 0.94 points; 28 precincts were, which are alike inside.
    assert lift["std_error"] > 0.015
    arms = {row["arm"]: row for row in rows(folder, "experiments")}
    assert [arms[name]["n_units"] for name in ("none", "acorn")] == [14, 14]
    assert not any(row["n_mixed_units"] for row in arms.values())


def test_matching_gifts_have_the_published_shares_and_dollars(ran, rows):
    folder = ran(MATCHING_GIFTS, "matching-gifts-2005/donors.parquet")
    (load,) = rows(folder, "loads")
    assert (load["n_read"], load["n_kept"], load["n_rejected"]) == (50_083, 50_083, 0)
    means = means_in(rows, folder)
    plain = (row for row in rows(folder, "lifts") if row["estimator"] == "intention_to_treat")
    lifts = {row["outcome"]: row for row in plain}
    gave, dollars = lifts["gave"], lifts["dollars"]
    assert (gave["n_control"], gave["n_arm"]) == (16_687, 33_396)
    # Two amounts are not in the published file.
    assert (dollars["n_control"], dollars["n_arm"]) == (16_687, 33_394)
    assert 100 * means["gave", "letter"] == pytest.approx(1.79, abs=0.005)
    assert 100 * means["gave", "match"] == pytest.approx(2.20, abs=0.005)
    assert 100 * gave["estimate"] == pytest.approx(2.20 - 1.79, abs=0.01)
    assert 100 * gave["std_error"] == pytest.approx(0.13, abs=0.005)
    assert means["dollars", "letter"] == pytest.approx(0.81, abs=0.005)
    assert means["dollars", "match"] == pytest.approx(0.97, abs=0.005)
    assert dollars["estimate"] == pytest.approx(0.97 - 0.81, abs=0.01)
    assert dollars["std_error"] == pytest.approx(0.08, abs=0.005)
