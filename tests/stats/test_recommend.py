"""Factors by the exact solution, their loss, cold start, and rankings by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from hustings.errors import DesignError
from hustings.stats.recommend import fit_factors, fold_in, judge_ranking, top_items


def exact(items, counts, alpha, ridge, prior):
    """Equation 4 of Hu, Koren and Volinsky, row by row, with a prior mean."""
    k = items.shape[1]
    out = np.empty((counts.shape[0], k))
    for row, r in enumerate(counts):
        c = 1 + alpha * r
        left = items.T @ (c[:, None] * items) + ridge * np.eye(k)
        out[row] = np.linalg.solve(left, items.T @ (c * (r > 0)) + ridge * prior[row])
    return out


def taken(seed, people=300, items=60, rank=3, rate=0.15):
    """People take what fits: preferences of a known low rank that features tell in part."""
    rng = np.random.default_rng(seed)
    f, g = rng.normal(size=(people, 4)), rng.normal(size=(items, 4))
    x = f @ rng.normal(size=(4, rank)) + 0.3 * rng.normal(size=(people, rank))
    y = g @ rng.normal(size=(4, rank)) + 0.3 * rng.normal(size=(items, rank))
    fit = x @ y.T
    cut = np.quantile(fit, 1 - rate)
    p = 1 / (1 + np.exp(-2 * (fit - cut)))
    return f, g, (rng.random(p.shape) < p) * rng.integers(1, 5, p.shape)


def test_steps_of_conjugate_gradients_reach_the_exact_solution():
    rng = np.random.default_rng(1)
    items, prior = rng.normal(size=(20, 5)), rng.normal(size=(30, 5))
    counts = rng.poisson(0.2, (30, 20)).astype(float)
    found = fold_in(items, counts, alpha=3.0, ridge=2.0, prior=prior, steps=12)
    assert found == pytest.approx(exact(items, counts, 3.0, 2.0, prior), abs=2e-4)


def test_the_loss_is_that_of_every_pair_and_never_rises_much():
    f, g, counts = taken(2)
    g, counts = g[counts.any(0)], counts[:, counts.any(0)]
    f, counts = f[counts.any(1)], counts[counts.any(1)]
    found = fit_factors(
        sparse.csr_array(counts), rank=4, alpha=4.0, rounds=8, steps=10, ridge=3.0,
        person_features=f, item_features=g, rng=np.random.default_rng(0),
    )  # fmt: skip
    assert np.diff(found.loss).max() <= 1e-3 * found.loss[0]
    fs, gs = (np.column_stack([np.ones(len(v)), (v - v.mean(0)) / v.std(0)]) for v in (f, g))
    c = 1 + 4.0 * counts
    by_hand = (c * ((counts > 0) - found.people @ found.items.T) ** 2).sum()
    by_hand += 3.0 * ((found.people - fs @ found.person_map) ** 2).sum()
    by_hand += 3.0 * ((found.items - gs @ found.item_map) ** 2).sum()
    assert found.loss[-1] == pytest.approx(by_hand, rel=1e-4)


def test_factors_find_what_people_take_next_and_popularity_does_not():
    _, _, counts = taken(3)
    rng = np.random.default_rng(3)
    held = (rng.random(counts.shape) < 0.3) & (counts > 0)
    seen = counts * ~held
    found = fit_factors(seen, rank=4, rng=np.random.default_rng(0))
    own = judge_ranking(top_items(found.people @ found.items.T, seen, 10), held)
    rule = judge_ranking(top_items((seen > 0).sum(0), seen, 10), held)
    gap = own.gain - rule.gain
    assert gap.mean() > 3 * gap.std() / np.sqrt(gap.size)
    assert own.recall.mean() > 1.5 * rule.recall.mean()


def test_an_item_that_nobody_has_met_is_ranked_by_what_it_is_like():
    f, g, counts = taken(4)
    new = np.arange(60) >= 50
    seen = np.where(new, 0, counts)
    found = fit_factors(
        seen, rank=4, person_features=f, item_features=g, feature_ridge=1.0, rng=np.random.default_rng(0)
    )
    scores = (found.people @ found.items.T)[:, new]
    own = judge_ranking(top_items(scores, np.zeros((300, 10)), 3), counts[:, new])
    blind = judge_ranking(np.tile(np.arange(3), (300, 1)), counts[:, new])
    assert own.gain.mean() > blind.gain.mean() + 0.15
    without = fit_factors(seen, rank=4, rng=np.random.default_rng(0))
    assert np.abs(without.items[new]).max() < 1e-3


def test_a_person_without_a_past_has_the_factors_of_their_features():
    f, _, counts = taken(5)
    counts[0] = 0
    found = fit_factors(counts, rank=4, person_features=f, rng=np.random.default_rng(0), rounds=20, steps=10)
    told = np.append(1.0, (f[0] - f.mean(0)) / f.std(0)) @ found.person_map
    assert found.people[0] == pytest.approx(told, abs=1e-5)


def test_ranking_is_judged_by_hand():
    # Hits in places 1 and 3 of three, two items taken.
    found = judge_ranking([[4, 0, 2]], sparse.csr_array([[0, 0, 1, 0, 1]]))
    assert found.recall.tolist() == [1.0]
    assert found.gain[0] == pytest.approx((1 + 1 / np.log2(4)) / (1 + 1 / np.log2(3)))
    nobody = judge_ranking([[0], [1]], sparse.csr_array([[0, 0], [0, 1]]))
    assert nobody.person.tolist() == [1]


def test_a_list_runs_out_when_everything_was_taken():
    assert top_items([2.0, 1.0], [[1, 0]], 2).tolist() == [[1, -1]]
    assert top_items([1.0, 1.0, 1.0], [[0, 0, 0]], 2).tolist() == [[0, 1]]


@pytest.mark.parametrize(
    ("counts", "settings", "words"),
    [
        ([[np.nan]], {}, "missing, infinite or negative"),
        ([[-1.0]], {}, "missing, infinite or negative"),
        ([[1.0]], {"rank": 0}, "The rank of a factorisation"),
        ([[1.0]], {"ridge": 0.0}, "the ridges"),
        ([[1.0]], {"person_features": [[np.nan]]}, "Features of people"),
        ([[1.0]], {"item_features": [[1.0], [2.0]]}, "Features of items"),
    ],
)
def test_what_cannot_be_factored_is_refused(counts, settings, words):
    with pytest.raises(DesignError, match=words):
        fit_factors(np.array(counts), rng=np.random.default_rng(1), **settings)


def test_lists_of_nobody_are_refused():
    with pytest.raises(DesignError, match="Nobody took anything"):
        judge_ranking([[0]], [[0.0]])
