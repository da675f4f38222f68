"""Filter and smoother against the joint Gaussian, written down whole."""

from __future__ import annotations

import numpy as np
import pytest

from hustings.errors import DesignError
from hustings.stats.kalman import Readings, Walk, run_filter, run_smoother


def _case(n=60, size=9, walks=4, seed=3):
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(size, size))
    step = rng.normal(size=(walks, walks))
    believed = Walk(rng.normal(size=size), root @ root.T, 0.1 * step @ step.T)
    days = np.sort(rng.choice([0.0, 0.5, 1, 2, 5, 9, 20], n))
    rows = rng.normal(size=(n, size)) * (rng.random((n, size)) < 0.5)
    return believed, Readings(days, rows, rng.normal(size=n), rng.uniform(0.1, 2.0, n))


def batch(believed, readings, stops, wanted):
    """Conditioning of one big Gaussian: readings, the state at step 0, and the wanted combinations."""
    size, walks = len(believed.mean), len(believed.walk)
    padded = np.zeros((size, size))
    padded[:walks, :walks] = believed.walk
    shared = np.minimum(readings.step[:, None], readings.step[None, :])
    h = readings.rows
    of_readings = h @ believed.covariance @ h.T + shared * (h @ padded @ h.T) + np.diag(readings.variance)
    told = readings.value - h @ believed.mean
    precision = np.linalg.inv(of_readings)
    at_zero = believed.covariance @ h.T
    mean = believed.mean + at_zero @ precision @ told
    covariance = believed.covariance - at_zero @ precision @ at_zero.T
    means, variances = [], []
    for stop in stops:
        cross = wanted @ (believed.covariance @ h.T + np.minimum(stop, readings.step) * (padded @ h.T))
        means.append(wanted @ believed.mean + cross @ precision @ told)
        before = wanted @ (believed.covariance + stop * padded) @ wanted.T
        variances.append(np.diag(before - cross @ precision @ cross.T))
    likelihood = -0.5 * (
        told @ precision @ told + np.linalg.slogdet(of_readings)[1] + len(told) * np.log(2 * np.pi)
    )
    left_out = precision @ told / np.diag(precision)
    return (
        mean,
        covariance,
        np.array(means),
        np.array(variances),
        likelihood,
        left_out,
        1 / np.diag(precision),
    )


def test_filter_and_smoother_agree_with_the_batch_solution():
    believed, readings = _case()
    stops, wanted = np.array([0.0, 0.3, 1.0, 7.0, 20.0, 25.0]), np.random.default_rng(5).normal(size=(3, 9))
    filtered = run_filter(believed, readings, stops=stops, wanted=wanted)
    found = run_smoother(believed, readings, filtered)
    oracle = batch(believed, readings, stops, wanted)
    for name, truth in zip(
        (
            "mean",
            "covariance",
            "means",
            "variances",
            "log_likelihood",
            "left_out",
            "left_out_variance",
        ),
        oracle,
        strict=True,
    ):
        np.testing.assert_allclose(getattr(found, name), truth, atol=1e-9, rtol=1e-9, err_msg=name)


def test_no_readings_leave_what_was_believed():
    believed, readings = _case()
    none = Readings(*(column[:0] for column in readings))
    filtered = run_filter(believed, none, stops=np.array([0.0, 2.0]), wanted=np.eye(9))
    found = run_smoother(believed, none, filtered)
    assert found.log_likelihood == 0
    np.testing.assert_array_equal(found.mean, believed.mean)
    np.testing.assert_allclose(found.covariance, believed.covariance)
    np.testing.assert_allclose(
        found.variances[1, :4], np.diag(believed.covariance)[:4] + 2 * np.diag(believed.walk)
    )


def test_a_state_that_is_known_stays_known():
    believed, readings = _case()
    known = Walk(believed.mean, np.zeros((9, 9)), np.zeros((4, 4)))
    found = run_smoother(known, readings, run_filter(known, readings))
    np.testing.assert_array_equal(found.mean, believed.mean)


@pytest.mark.parametrize(
    "change",
    [
        {"step": np.array([1.0, 0.0])},
        {"step": np.array([-1.0, 0.0])},
        {"variance": np.array([1.0, 0.0])},
        {"rows": np.ones((2, 3))},
    ],
)
def test_what_does_not_fit_is_refused(change):
    good = Readings(np.zeros(2), np.ones((2, 1)), np.zeros(2), np.ones(2))
    with pytest.raises(DesignError):
        run_filter(Walk(np.zeros(1), np.eye(1), np.eye(1)), good._replace(**change))
