"""Matched markets and synthetic controls: by hand, by a second method, and against what was published."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

import numpy as np
import pytest

from hustings.errors import DesignError
from hustings.stats.synthetic import (
    difference_in_differences,
    matched_markets,
    synthetic_control,
    synthetic_weights,
)


def test_weights_are_those_of_a_general_solver():
    from scipy.optimize import minimize

    for seed in range(6):
        rng = np.random.default_rng(seed)
        x, y = rng.standard_normal((12, 7)), rng.standard_normal(12)
        found = synthetic_weights(y, x)
        assert found.sum() == pytest.approx(1)
        assert (found >= 0).all()
        other = minimize(
            lambda w, x=x, y=y: ((y - x @ w) ** 2).sum(), np.full(7, 1 / 7), bounds=[(0, 1)] * 7,
            constraints={"type": "eq", "fun": lambda w: w.sum() - 1}, options={"ftol": 1e-12},
        )  # fmt: skip
        assert ((y - x @ found) ** 2).sum() <= other.fun * (1 + 1e-6)


def test_a_mix_that_fits_is_found_and_its_effect():
    rng = np.random.default_rng(1)
    x = np.cumsum(rng.standard_normal((20, 25)), axis=0)
    y = x[:, :3] @ [0.5, 0.3, 0.2]
    y[14:] += 2
    found = synthetic_control(y, x, 14)
    assert found.effect == pytest.approx(2)
    assert found.p_value == pytest.approx(1 / 26)
    assert found.low <= 2 <= found.high
    assert found.weights[:3] == pytest.approx([0.5, 0.3, 0.2], abs=1e-6)


def test_placebos_of_no_effect_are_as_extreme_as_any():
    wrong = 0
    for run in range(100):
        rng = np.random.default_rng(run)
        x = np.cumsum(rng.standard_normal((16, 20)), axis=0)
        wrong += synthetic_control(x[:, 0], x[:, 1:], 11).p_value <= 0.05
    assert wrong <= 5 + 3 * np.sqrt(100 * 0.05 * 0.95)


def test_few_matches_are_noisier_than_all_other_places_and_keep_their_size():
    wrong = {None: 0, 1: 0}
    for run in range(400):
        rng = np.random.default_rng(run)
        y = rng.standard_normal((24, 8))
        spent = np.arange(24) < 3
        own = np.unique(matched_markets(y[:, :6] - y[:, :6].mean(1, keepdims=True), spent, 1))
        for per_place in wrong:
            found = difference_in_differences(y, spent, own, 6, rng, per_place=per_place, placebos=100)
            wrong[per_place] += found.p_value <= 0.05
    assert wrong[1] <= 400 * 0.05 + 3 * np.sqrt(400 * 0.05 * 0.95)
    assert wrong[None] > wrong[1] + 10


def test_few_places_have_no_interval():
    x = np.random.default_rng(0).standard_normal((10, 5))
    found = synthetic_control(x[:, 0], x[:, 1:], 6)
    assert (found.low, found.high) == (-np.inf, np.inf)


def test_matched_markets_are_each_used_once():
    rng = np.random.default_rng(0)
    found = matched_markets(rng.standard_normal((12, 5)), np.arange(12) < 3, 3)
    assert len(np.unique(found)) == 9
    assert found.min() >= 3


def test_a_difference_of_differences_by_hand():
    y = np.array([[1.0, 3.0, 7.0], [0.0, 2.0, 2.0], [4.0, 4.0, 6.0]])
    found = difference_in_differences(y, [True, False, False], [1, 2], 2, np.random.default_rng(0))
    # 7 - 2 = 5 against ((2 - 1) + (6 - 4)) / 2 = 1.5.
    assert found.effect == pytest.approx(3.5)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: synthetic_weights([1.0, np.nan], [[1.0], [2.0]]), "missing"),
        (lambda: synthetic_weights([1.0], np.empty((1, 0))), "do not fit"),
        (lambda: synthetic_control(np.zeros(5), np.zeros((5, 1)), 3), "do not fit"),
        (lambda: synthetic_control(np.zeros(5), np.zeros((5, 3)), 1), "Weeks do not fit"),
        (lambda: matched_markets(np.zeros((3, 2)), [True, True, False], 1), "Too few"),
        (lambda: difference_in_differences(np.zeros((3, 2)), [True, True, False], [1], 1, np.random.default_rng(0)), "spent too"),
    ],
)  # fmt: skip
def test_what_cannot_be_compared_is_refused(make, words):
    with pytest.raises(DesignError, match=words):
        make()


def _smoking():
    """Packs of cigarettes a head by year and state, 1970–2000: beside the campaign's data, or in an installed package."""
    data = Path(os.environ.get("HUSTINGS_DATA") or Path(__file__).parents[2] / ".." / "shared" / "data")
    found = importlib.util.find_spec("causalpy")
    package = Path(found.origin).parent / "data" if found and found.origin else data
    for path in (data / "smoking" / "california_prop99.csv", package / "california_prop99.csv"):
        if path.is_file():
            return np.genfromtxt(path, delimiter=",", names=True)
    return None


def test_californias_proposition_99_is_as_published():
    told = _smoking()
    if told is None:
        pytest.skip("California's Proposition 99 is not here: HUSTINGS_DATA, or the package causalpy")
    states = [name for name in told.dtype.names if name not in ("Year", "California")]
    y, x = told["California"], np.column_stack([told[name] for name in states])
    start = int(np.flatnonzero(told["Year"] == 1989)[0])
    # Arkhangelsky et al., AER 111 (2021), table 1: -27.3 by differences, -19.6 by synthetic control.
    every = np.vstack([y, x.T])
    spent = np.arange(len(every)) == 0
    plain = difference_in_differences(every, spent, np.arange(1, len(every)), start, np.random.default_rng(0))
    assert plain.effect == pytest.approx(-27.3, abs=0.1)
    found = synthetic_control(y, x, start)
    assert found.effect == pytest.approx(-19.6, abs=0.15)
    # Abadie, Diamond & Hainmueller (2010), table 2: Utah, Nevada, Montana, Colorado and Connecticut.
    largest = {states[i] for i in np.argsort(-found.weights)[:4]}
    assert largest == {"Utah", "Montana", "Nevada", "Connecticut"}
    assert found.n_placebos == 38
