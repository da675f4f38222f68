"""Movements of units: the same as with full matrices."""

from __future__ import annotations

import numpy as np
import pytest

from hustings.errors import DesignError
from hustings.stats.swings import Readings, draw_gap, draw_movement, fit_sizes


def readings(seed: int, n: int = 30, regions: int = 5) -> Readings:
    rng = np.random.default_rng(seed)
    region = np.append(np.arange(regions), rng.integers(0, regions, n - regions))
    design = np.column_stack([np.ones(n), rng.normal(size=n)])
    unit = np.sort(rng.choice(n, 20, replace=False))
    return Readings(
        rng.normal(0, 0.3, 20),
        rng.uniform(0.001, 0.01, 20),
        unit,
        design[unit],
        design,
        np.array([0.2, 0.0]),
        np.array([-1, 0]),
        region,
        regions,
    )


def exact(told: Readings, log: np.ndarray):
    """Mean and covariance of all units' movements by conditioning one large normal on the readings."""
    sd = np.array([told.fixed[0], np.exp(log[2])])
    line = (told.design * sd**2) @ told.design.T
    line += np.exp(2 * log[0]) * (told.region[:, None] == told.region)
    line += np.exp(2 * log[1]) * np.eye(len(told.region))
    seen = line[np.ix_(told.unit, told.unit)] + np.diag(told.noise)
    gain = line[:, told.unit] @ np.linalg.inv(seen)
    return gain @ told.y, line - gain @ line[told.unit]


def test_movements_are_those_of_one_large_normal():
    told, log = readings(1), np.log([0.1, 0.15, 0.08])
    mean, covariance = exact(told, log)
    drawn = draw_movement(told, log, 100_000, np.random.default_rng(2)).unit
    assert drawn.mean(0) == pytest.approx(mean, abs=0.004)
    assert np.abs(np.cov(drawn.T) - covariance).max() < 0.001


def test_sizes_are_where_the_full_likelihood_and_the_prior_are_highest():
    from scipy.optimize import minimize
    from scipy.stats import multivariate_normal

    told, typical = readings(3, 60, 8), np.array([0.1, 0.15, 0.05])

    def loss(log):
        sd = np.array([told.fixed[0], np.exp(log[2])])
        region = told.region[told.unit]
        line = (told.read * sd**2) @ told.read.T + np.exp(2 * log[0]) * (region[:, None] == region)
        line += np.diag(np.exp(2 * log[1]) + told.noise)
        return -multivariate_normal(cov=line).logpdf(told.y) - np.sum(log - np.exp(log) / typical)

    best = minimize(loss, np.log(typical), method="Nelder-Mead", options={"xatol": 1e-5, "fatol": 1e-8}).x
    assert fit_sizes(told, typical).log == pytest.approx(best, abs=0.01)


def test_what_is_odd_about_a_unit_holds_for_its_remaining_ballots_in_part():
    told, log = readings(1), np.log([0.1, 0.15, 0.08])
    whole, half, none = (
        draw_movement(told, log, 20_000, np.random.default_rng(1), alike=alike).unit.mean(0)[told.unit]
        for alike in (1.0, 0.5, 0.0)
    )
    assert half == pytest.approx((whole + none) / 2, abs=0.01)
    assert np.abs(whole - none).max() > 0.1


def test_a_gap_is_as_large_as_earlier_nights_had_it():
    rng = np.random.default_rng(1)
    log = np.log([0.05, 0.1, 0.05])
    without = np.median([draw_gap(log, np.empty(0), rng) for _ in range(2000)])
    many = np.median([draw_gap(log, np.full(40, 0.3), rng) for _ in range(2000)])
    assert without == pytest.approx(np.hypot(0.05, 0.05) * np.sqrt(4 / 3.357), rel=0.05)
    assert many == pytest.approx(0.3, rel=0.1)


@pytest.mark.parametrize("wrong", [{"y": np.zeros(3)}, {"noise": np.zeros(20)}, {"y": np.full(20, np.nan)}])
def test_readings_that_do_not_fit_are_refused(wrong):
    with pytest.raises(DesignError, match="Readings do not fit"):
        fit_sizes(readings(1)._replace(**wrong), np.full(3, 0.1))
