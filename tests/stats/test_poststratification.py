"""Support by place: against an independent fit, with coverage, and against raking and no pooling."""

from __future__ import annotations

import numpy as np
import pytest

from hustings.errors import DesignError
from hustings.stats.poststratification import (
    Cells,
    fit_multilevel,
    poststratify,
    shared_error,
)
from hustings.stats.weighting import Margin, rake


def world(seed: int, n_places: int = 25, n: int = 700):
    """A voter file in cells, a survey that old people and one party answer more, and every place's true support."""
    rng = np.random.default_rng(seed)
    past, own = rng.normal(0, 0.5, n_places), rng.normal(0, 0.3, n_places)
    ages, sexes, parties = rng.normal(0, 0.3, 4), np.array([0.1, -0.1]), np.array([1.5, 0, -1.5])
    place, age, sex, party = (codes.ravel() for codes in np.indices((n_places, 4, 2, 3)))
    people = np.exp(rng.normal(5, 1, n_places))[place]
    people = people * rng.dirichlet(np.full(4, 5), n_places)[place, age]
    people = people * rng.dirichlet(np.full(3, 5), n_places)[place, party]
    p = 1 / (1 + np.exp(0.1 - 0.7 * past[place] - own[place] - ages[age] - sexes[sex] - parties[party]))
    answering = people * np.exp(np.array([-0.6, -0.2, 0.2, 0.6])[age] + np.array([0.3, -0.1, -0.2])[party])
    answers = rng.multinomial(n, answering / answering.sum())
    yes = rng.binomial(answers, p)
    truth = np.bincount(place, people * p) / np.bincount(place, people)
    return rng, Cells(place, np.column_stack([age, sex, party]), past[:, None]), people, answers, yes, truth


def small(cells: Cells, answers) -> np.ndarray:
    n = np.bincount(cells.place, answers)
    return n <= np.median(n)


def raked_shares(cells: Cells, people, answers, yes) -> np.ndarray:
    who = np.repeat(np.arange(len(answers)), answers)
    y = np.concatenate([np.repeat([1.0, 0.0], [a, n - a]) for a, n in zip(yes, answers, strict=True)])
    margins = [
        Margin(str(k), codes[who], np.bincount(codes, people)) for k, codes in enumerate(cells.attributes.T)
    ]
    weight = rake(margins).weight
    size = np.bincount(cells.place[who], weight, len(cells.covariates))
    mine = np.bincount(cells.place[who], weight * y, len(cells.covariates))
    return np.where(size > 0, mine / np.maximum(size, 1e-9), np.average(y, weights=weight))


def test_places_are_held_by_their_intervals_and_small_ones_are_nearer_than_by_raking_or_alone():
    hits, whole, errors = [], [], []
    for seed in range(40):
        rng, cells, people, answers, yes, truth = world(seed)
        found = poststratify(
            fit_multilevel(yes, answers, cells, (4, 2, 3)), cells, people, draws=400, rng=rng
        )
        hits.append(np.mean((found.low <= truth) & (truth <= found.high)))
        total = np.average(truth, weights=np.bincount(cells.place, people))
        low, high = np.quantile(found.total, (0.025, 0.975))
        whole.append(low <= total <= high)
        n, few = np.bincount(cells.place, answers), small(cells, answers)
        alone = np.where(n > 0, np.bincount(cells.place, yes) / np.maximum(n, 1), yes.sum() / answers.sum())
        raked = raked_shares(cells, people, answers, yes)
        errors.append([np.mean((guess - truth)[few] ** 2) for guess in (found.mean, raked, alone)])
    assert 0.92 < np.mean(hits) < 0.98
    assert np.mean(whole) > 0.87
    pooled, raked, alone = np.sqrt(np.mean(errors, axis=0))
    assert pooled < raked / 2
    assert pooled < alone / 2


def test_with_many_answers_everywhere_nothing_is_borrowed():
    cells = Cells(np.arange(5), np.empty((5, 0), int), np.empty((5, 0)))
    answers = np.full(5, 20_000)
    yes = np.array([8_000, 9_000, 10_000, 11_000, 15_000])
    found = poststratify(
        fit_multilevel(yes, answers, cells, ()), cells, np.ones(5), rng=np.random.default_rng(1)
    )
    assert found.mean == pytest.approx(yes / answers, abs=0.002)
    assert found.std_error == pytest.approx(np.sqrt(0.24 / 20_000), rel=0.2)


def test_the_mode_is_that_of_an_independent_fit():
    # statsmodels' posterior mode with the same prior standard deviations.
    from scipy import sparse
    from scipy.optimize import minimize
    from statsmodels.genmod.bayes_mixed_glm import BinomialBayesMixedGLM

    from hustings.stats import poststratification as own

    _, cells, _, answers, yes, _ = world(3, 12, 900)
    fit = fit_multilevel(yes, answers, cells, (4, 2, 3))
    log = np.log(np.array([0.4, 0.3, 0.2, 0.9]))
    z = own._design(fit, fit.cells)
    _, mode, _ = own._mode(fit, z, log, own._start(fit))
    # statsmodels takes single answers, and has one prior for all fixed terms: 2.5 for the slope, so 2.5 for both here.
    told = fit.outcome.astype(int)
    who = np.repeat(np.arange(len(told)), told[:, 1])
    y = np.concatenate([np.repeat([1.0, 0.0], [a, n - a]) for a, n in told])
    random = np.hstack([np.eye(12)[fit.cells.place], z[:, 2:]])[who]
    ident = np.repeat(np.arange(4), (12, 4, 2, 3))
    model = BinomialBayesMixedGLM(y, z[who][:, :2], sparse.csr_matrix(random), ident, vcp_p=1e-4, fe_p=2.5)

    def loss(at):
        return -model.logposterior(np.concatenate([at[:2], log, at[2:]]))

    def slope(at):
        given = model.logposterior_grad(np.concatenate([at[:2], log, at[2:]]))
        return -np.concatenate([given[:2], given[6:]])

    theirs = minimize(loss, np.zeros(2 + random.shape[1]), jac=slope, method="BFGS").x
    ours = np.concatenate([mode[:2], mode[z.shape[1] :], mode[2 : z.shape[1]]])
    # The intercept's prior is wider here; it moves the intercept alone, by hundredths.
    assert ours[1:] == pytest.approx(theirs[1:], abs=0.02)


def test_errors_of_places_go_together_and_say_by_how_much():
    rng, cells, people, answers, yes, _ = world(4, 20, 400)
    found = poststratify(fit_multilevel(yes, answers, cells, (4, 2, 3)), cells, people, rng=rng)
    together = shared_error(found.draws)
    assert 0.005 < together < found.std_error.mean()
    assert found.total.std() == pytest.approx(together, rel=0.5)


def test_a_place_where_nobody_answered_has_the_widest_interval():
    rng, cells, people, answers, yes, _ = world(5)
    silent = cells.place == 3
    answers, yes = np.where(silent, 0, answers), np.where(silent, 0, yes)
    found = poststratify(fit_multilevel(yes, answers, cells, (4, 2, 3)), cells, people, rng=rng)
    assert found.std_error[3] > 0.9 * found.std_error.max()
    assert np.isfinite(found.mean).all()


def test_unanimous_answers_give_no_certainty():
    cells = Cells(np.arange(4), np.zeros((4, 1), int), np.empty((4, 0)))
    found = poststratify(
        fit_multilevel([9] * 4, [9] * 4, cells, (1,)), cells, np.ones(4), rng=np.random.default_rng(1)
    )
    assert (found.mean < 1).all()
    assert (found.low < 0.97).all()


def test_unknown_attributes_count_as_average():
    cells = Cells(np.zeros(2, int), np.array([[0], [-1]]), np.empty((1, 0)))
    found = poststratify(
        fit_multilevel([5, 6], [10, 10], cells, (2,)), cells, [1, 1], rng=np.random.default_rng(1)
    )
    assert 0.3 < found.mean[0] < 0.7


ONE = Cells(np.array([0, 1]), np.zeros((2, 1), int), np.empty((2, 0)))


@pytest.mark.parametrize(
    ("yes", "answers", "cells", "levels"),
    [
        ([1], [2], ONE, (1,)),
        ([3, 1], [2, 2], ONE, (1,)),
        ([-1, 1], [2, 2], ONE, (1,)),
        ([np.nan, 1], [2, 2], ONE, (1,)),
        ([0, 0], [0, 0], ONE, (1,)),
        ([1, 1], [2, 2], ONE, ()),
        ([1, 1], [2, 2], ONE._replace(attributes=np.array([[0], [1]])), (1,)),
        ([1, 1], [2, 2], ONE._replace(place=np.array([0, 2])), (1,)),
        ([1, 1], [2, 2], ONE._replace(covariates=np.array([[np.nan], [1.0]])), (1,)),
    ],
)
def test_what_cannot_be_fitted_is_refused(yes, answers, cells, levels):
    with pytest.raises(DesignError):
        fit_multilevel(yes, answers, cells, levels)


def test_a_place_without_people_is_refused():
    fit = fit_multilevel([1, 1], [2, 2], ONE, (1,))
    with pytest.raises(DesignError, match=r"Places without people .* '1 of 2'"):
        poststratify(fit, ONE, [1, 0], rng=np.random.default_rng(1))
    with pytest.raises(DesignError, match="People do not fit"):
        poststratify(fit, ONE, [1, -1], rng=np.random.default_rng(1))


def test_a_single_place_shares_its_error_with_nobody():
    assert shared_error(np.array([[0.1], [0.2]])) == 0.0
