"""Boosted trees: the same every time, what a line cannot see, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from hustings.errors import DesignError
from hustings.stats.calibration import auc, log_loss
from hustings.stats.logistic import fit_logistic
from hustings.stats.trees import Boosted, fit_boosted


def crossed(rng, n=4000):
    """An outcome that depends on the sign of a product, and the true probability."""
    x = rng.normal(size=(n, 3)).astype(np.float32)
    p = np.where(x[:, 0] * x[:, 1] > 0, 0.8, 0.2)
    return x, (rng.random(n) < p).astype(float), p


def fit(x, y, seed=0, **settings):
    return fit_boosted(x, y, rng=np.random.default_rng(seed), num_threads=1, **{"max_trees": 60, **settings})


@pytest.fixture(scope="module")
def model():
    x, y, _ = crossed(np.random.default_rng(1))
    return fit(x, y)


def test_trees_see_a_crossing_that_a_line_cannot(model):
    x, y, p = crossed(np.random.default_rng(2))
    x_line, y_line, _ = crossed(np.random.default_rng(1))
    assert auc(y, fit_logistic(x_line, y_line, ridge=1.0).predict(x)) < 0.55
    assert auc(y, model.predict(x)) > auc(y, p) - 0.02
    assert log_loss(y, model.predict(x)) < log_loss(y, p) + 0.03


def test_a_text_reads_back_to_the_same_predictions(model):
    x, _, _ = crossed(np.random.default_rng(3), 200)
    read = Boosted.from_text(model.to_text(), num_threads=1)
    assert np.array_equal(read.predict(x), model.predict(x))
    assert (read.n_trees, read.n_features) == (model.n_trees, 3)


def test_predictions_equal_lightgbms_own(model):
    from lightgbm import Booster

    x, _, _ = crossed(np.random.default_rng(3), 200)
    peer = Booster(model_str=model.text).predict(x, num_threads=1)
    assert np.array_equal(model.predict(x), peer)


def test_the_same_generator_grows_the_same_trees():
    x, y, _ = crossed(np.random.default_rng(4), 1500)
    assert fit(x, y, 5, max_trees=15).text == fit(x, y, 5, max_trees=15).text


def test_noise_stops_early():
    rng = np.random.default_rng(6)
    x, y = rng.normal(size=(1500, 3)), (rng.random(1500) < 0.3).astype(float)
    assert fit(x, y, max_trees=200).n_trees < 30


def test_held_out_clusters_stay_whole_so_that_copies_of_a_person_do_not_teach_by_heart():
    rng = np.random.default_rng(7)
    x, y = np.repeat(rng.normal(size=(400, 3)), 5, axis=0), np.repeat(rng.random(400) < 0.5, 5).astype(float)
    cluster = np.repeat(np.arange(400), 5)
    assert fit(x, y, cluster=cluster, max_trees=200).n_trees < fit(x, y, max_trees=200).n_trees / 2


def test_missing_values_and_codes_are_learnt():
    rng = np.random.default_rng(8)
    x = np.column_stack([rng.normal(size=3000), rng.integers(0, 8, 3000)])
    y = (rng.random(3000) < np.where(np.isin(x[:, 1], [1, 4, 6]), 0.8, 0.2)).astype(float)
    gone = rng.random(3000) < 0.2
    x[gone, 0] = np.nan
    y[gone] = rng.random(gone.sum()) < 0.97
    found = fit(x, y, categorical=(1,)).predict([[np.nan, 0], [0.0, 4], [0.0, 5]])
    np.testing.assert_allclose(found, [0.97, 0.8, 0.2], atol=0.12)


@pytest.mark.parametrize(
    ("x", "y", "words"),
    [
        (np.zeros((40, 1)), np.ones(40), "one class"),
        (np.zeros((0, 1)), np.ones(0), "one class"),
        (np.zeros((40, 1)), np.arange(40) == 3, "Too few"),
        (np.zeros((40, 1)), np.arange(40) % 3, "Outcomes"),
        (np.zeros((40, 1)), np.zeros(39), "Outcomes"),
        (np.zeros(40), np.zeros(40), "Features"),
        (np.full((40, 1), np.inf), np.zeros(40), "Features"),
    ],
)
def test_what_cannot_be_learnt_is_refused(x, y, words):
    with pytest.raises(DesignError, match=words):
        fit(x, y)


def test_other_columns_and_other_texts_are_refused(model):
    with pytest.raises(DesignError, match="columns"):
        model.predict(np.zeros((2, 4)))
    with pytest.raises(DesignError, match="text"):
        Boosted.from_text("tree\nbut cut off")
    assert model.predict(np.zeros((0, 3))).size == 0
