"""The effect on the contacted: published, against statsmodels' formula by hand, and when it is not told."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from hustings.errors import DesignError
from hustings.stats.instruments import effect_on_contacted
from hustings.stats.means import difference_in_means

DATA = Path(os.environ.get("HUSTINGS_DATA", Path(__file__).parents[3] / "shared" / "data"))


def canvass(rng, n=400, contact=0.5, effect=0.3):
    """Households of two; people who open the door are likelier to vote anyway."""
    home = np.repeat(np.arange(n), 2)
    arm = (np.arange(n) % 2)[home]
    opens = rng.random(2 * n) < contact
    d = (opens & (arm == 1)).astype(float)
    y = 0.4 * opens + effect * d + 0.5 * rng.normal(size=n)[home] + 0.5 * rng.normal(size=2 * n)
    return y, d, arm, home


def test_the_estimate_and_error_are_those_of_two_stage_least_squares_with_clusters():
    y, d, arm, home = canvass(np.random.default_rng(1))
    found = effect_on_contacted(y, d, arm, home, n_arms=2)
    z = np.column_stack([np.ones(y.size), arm])
    x = np.column_stack([np.ones(y.size), d])
    beta = np.linalg.solve(z.T @ x, z.T @ y)
    scores = np.zeros((400, 2))
    np.add.at(scores, home, z * (y - x @ beta)[:, None])
    bread = np.linalg.inv(z.T @ x)
    covariance = bread @ (scores.T @ scores) @ bread.T
    assert found.estimate[0] == pytest.approx(beta[1])
    assert found.std_error[0] == pytest.approx(np.sqrt(covariance[1, 1] * 200 / 199))


def test_the_interval_holds_the_truth_where_the_mere_difference_does_not():
    rng, held, naive = np.random.default_rng(2), 0, 0
    for _ in range(400):
        y, d, arm, home = canvass(rng, n=200)
        found = effect_on_contacted(y, d, arm, home, n_arms=2)
        held += found.low[0] <= 0.3 <= found.high[0]
        naive += abs(y[d == 1].mean() - y[d == 0].mean() - 0.3) < 0.1
    assert 0.93 <= held / 400 <= 0.975
    assert naive < 40


def test_weak_contact_gives_a_reason_and_no_number():
    y, d, arm, home = canvass(np.random.default_rng(3), contact=0.01)
    found = effect_on_contacted(y, d, arm, home, n_arms=2)
    assert "contact differs too little" in found.reason[0]
    assert np.isnan(found.estimate[0])
    assert found.strength[0] < 10


def test_unknown_contact_is_not_taken_for_no_contact():
    y, d, arm, home = canvass(np.random.default_rng(4))
    d[:7] = np.nan
    assert (
        effect_on_contacted(y, d, arm, home, n_arms=2).reason[0]
        == "whether 7 people were reached is not known"
    )


def test_where_everyone_is_reached_it_is_the_plain_lift():
    y, _, arm, home = canvass(np.random.default_rng(5))
    found = effect_on_contacted(y, arm.astype(float), arm, home, n_arms=2)
    plain = difference_in_means(y, arm, home, n_arms=2)
    for name in ("estimate", "std_error", "low", "high"):
        assert getattr(found, name)[0] == pytest.approx(getattr(plain, name)[0])


def test_contacts_other_than_yes_and_no_are_refused():
    with pytest.raises(DesignError, match="Contacts"):
        effect_on_contacted([0.0, 1], [0.5, 1], [0, 1], [0, 1], n_arms=2)


def test_kansas_city_gives_the_published_effects():
    """Arceneaux (2005): 28 precincts; also Gerber & Green, Field Experiments (2012), chapter 5 exercises."""
    path = DATA / "kansas-city-2003/voters.parquet"
    if not path.is_file():
        pytest.skip("the public data file kansas-city-2003/voters.parquet is not here (HUSTINGS_DATA)")
    voters = pd.read_parquet(path)
    y, d, arm, precinct = (voters[c].to_numpy() for c in ("Y_voted_2003", "D_contact", "Z", "precinct"))
    plain = difference_in_means(y, arm, precinct, n_arms=2)
    found = effect_on_contacted(y, d, arm, precinct, n_arms=2)
    assert round(100 * plain.estimate[0], 2) == 4.40
    assert round(100 * found.contact[0], 1) == 62.7
    assert round(100 * found.estimate[0], 2) == 7.02
    assert found.low[0] < 0 < found.high[0]
