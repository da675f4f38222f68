"""Several classes: against scikit-learn, by hand, out of sample, and what cannot be."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from hustings.errors import DesignError
from hustings.stats import classes


def drawn(n: int, seed: int, k: int = 3, p: int = 40, signal: float = 1.0):
    """Sparse rows whose first k columns tell the class, by `signal`; and the true probabilities."""
    rng = np.random.default_rng(seed)
    x = rng.random((n, p)) * (rng.random((n, p)) < 0.2)
    logits = signal * 8 * x[:, :k]
    truth = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    y = (rng.random(n)[:, None] > truth.cumsum(1)).sum(1)
    return sparse.csr_matrix(x), y, truth


@pytest.mark.parametrize("ridge", [0.05, 1.0])
def test_the_regression_is_that_of_scikit_learn(ridge):
    from sklearn.linear_model import LogisticRegression

    x, y, _ = drawn(300, 1)
    theirs = LogisticRegression(C=1 / ridge, tol=1e-10, max_iter=5_000).fit(x, y)
    ours = classes.fit_multinomial(x, y, 3, ridge=ridge)
    assert pytest.approx(theirs.coef_, abs=2e-4) == ours.coefficients.T
    assert ours.predict(x) == pytest.approx(theirs.predict_proba(x), abs=1e-4)


def test_sparse_and_full_rows_give_one_fit():
    x, y, _ = drawn(100, 2)
    one, two = (classes.fit_multinomial(rows, y, 3, ridge=0.3) for rows in (x, x.toarray()))
    assert one.coefficients == pytest.approx(two.coefficients, abs=1e-5)


def test_without_rows_that_tell_the_shares_come_out():
    found = classes.fit_multinomial(np.zeros((10, 1)), [0] * 7 + [1] * 3, 2, ridge=1.0)
    assert found.predict(np.zeros((1, 1))) == pytest.approx(np.array([[0.7, 0.3]]), abs=1e-5)


def test_confidence_of_left_out_texts_is_right():
    """In ten bands of confidence the share that is right is what was said, within 3.5 errors."""
    x, y, _ = drawn(2_000, 3)
    p, fold = classes.predict_left_out(x, y, 3, np.arange(2_000), np.random.default_rng(1), n_folds=3)
    assert set(fold) == {0, 1, 2}
    sure, right = p.max(1), p.argmax(1) == y
    for band in np.array_split(np.argsort(sure), 10):
        error = np.sqrt((sure[band] * (1 - sure[band])).sum()) / len(band)
        assert abs(right[band].mean() - sure[band].mean()) < 3.5 * error + 0.02


def test_texts_that_tell_nothing_get_no_confidence():
    x, y, _ = drawn(400, 4, signal=0.0)
    p, _ = classes.predict_left_out(x, y, 3, np.arange(400), np.random.default_rng(1))
    assert p.max(1).mean() < 0.5
    loss = -np.log(p[np.arange(400), y]).mean()
    assert loss < np.log(3) + 0.05


def test_the_same_text_twice_is_never_learned_from_and_judged():
    x, y, _ = drawn(60, 5)
    twice, same = sparse.vstack([x, x]), np.tile(np.arange(60), 2)
    _, fold = classes.predict_left_out(twice, np.tile(y, 2), 3, same, np.random.default_rng(1))
    assert np.array_equal(fold[:60], fold[60:])


def test_folds_spread_each_class():
    y = np.array([0] * 50 + [1] * 5)
    fold = classes.class_folds(y, np.arange(55), 5, np.random.default_rng(1))
    assert np.bincount(fold[y == 1], minlength=5).tolist() == [1] * 5


def test_a_temperature_by_hand():
    """Half are right where the logits say e² to 1: no confidence is left."""
    assert classes.fit_temperature([[2.0, 0.0], [2.0, 0.0]], [0, 1]) == pytest.approx(20, rel=1e-3)


def test_a_threshold_by_hand():
    sure, right = [0.9, 0.9, 0.7, 0.6, 0.5], [1, 1, 0, 1, 0]
    assert classes.sure_enough(sure, right, 0.95) == 0.9
    assert classes.sure_enough(sure, right, 0.75) == 0.6
    assert classes.sure_enough(sure, right, 0.0) == 0.5
    assert classes.sure_enough([0.9, 0.9], [0, 1], 0.9) > 1


@pytest.mark.parametrize(
    ("y", "k", "ridge", "why"),
    [
        ([0, 0, 0], 2, 1.0, "one class"),
        ([0, 1, 2], 2, 1.0, "Classes do not fit"),
        ([0, 1], 2, 1.0, "Classes do not fit"),
        ([0.0, 1.0, 1.0], 2, 1.0, "Classes do not fit"),
        ([0, 1, 1], 2, 0.0, "ridge"),
        ([0, 1, 1], 2, np.nan, "ridge"),
    ],
)
def test_what_cannot_be_fitted_is_refused(y, k, ridge, why):
    with pytest.raises(DesignError, match=why):
        classes.fit_multinomial(np.eye(3), y, k, ridge=ridge)


def test_a_class_with_one_text_is_refused():
    with pytest.raises(DesignError, match="too few texts"):
        classes.learn_classes(np.eye(4), [0, 0, 0, 1], 2, range(4), np.random.default_rng(1))


def test_rows_that_are_not_finite_are_refused():
    with pytest.raises(DesignError, match="finite"):
        classes.fit_multinomial(np.array([[np.nan], [1.0], [2.0]]), [0, 1, 1], 2, ridge=1.0)
