"""Persons' effects by the ladder: by hand, against oracles, by simulated truth, and on trials that prove nothing."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit
from scipy.stats import binom

from hustings.errors import DesignError
from hustings.stats import additive, climb, forest, learners, pairs
from hustings.stats.bins import bin_sums, cross_sums, fit_bins, look_up
from hustings.stats.contrasts import contrast_of
from hustings.stats.personal import PersonalModel, fit_personal, prepare
from hustings.stats.verdict import judge


def trial(rng, n=8000, effect=lambda x: 0.0, added=0.0):
    """Households of two, five features, chances that differ; a change of log-odds, and one of everyone's chance."""
    cluster = np.repeat(np.arange(n // 2), 2)
    x = rng.normal(size=(n, 5))
    x[:, 3:] = x[:, 3:] > 0
    arm = rng.integers(0, 2, n)[cluster]
    base = -0.2 + 0.5 * x[:, 0] + 0.3 * x[:, 3]
    untreated, treated = 0.8 * expit(base), 0.8 * expit(base + effect(x)) + added
    y = (rng.random(n) < np.where(arm, treated, untreated)).astype(float)
    return x.astype(np.float32), y, arm, cluster, treated - untreated


def fitted(x, y, arm, cluster, seed=0, **more):
    return fit_personal(x, y, arm, cluster, propensity=[0.5, 0.5], rng=np.random.default_rng(seed), **more)


def share(effect, truth):
    """Of the area that ranking by the truth has, how much this ranking has."""
    middle = climb.rank_shares
    return np.mean((0.5 - middle(effect)) * truth) / np.mean((0.5 - middle(truth)) * truth)


# Bins


def test_bins_hold_equal_shares_and_missing_values_have_their_own():
    x = np.append(np.arange(1600.0), np.full(100, np.nan))[:, None]
    bins = fit_bins(x)
    counts = np.bincount(bins.codes(x)[0])
    assert len(counts) == 17
    assert counts[-1] == 100
    assert counts[:-1].min() >= 98
    assert counts[:-1].max() <= 102


def test_the_bins_of_few_values_are_these_values():
    bins = fit_bins(np.array([[0.0], [5.0], [5.0], [7.0]]))
    assert bins.codes([[0.0], [5.0], [7.0], [6.9]]).tolist() == [[0, 1, 2, 2]]


def test_sums_over_pairs_of_bins_equal_the_product_of_indicators():
    rng = np.random.default_rng(0)
    codes = np.stack([rng.integers(0, 3, 500), rng.integers(0, 4, 500)]).astype(np.uint8)
    weight = rng.random(500)
    table = np.concatenate([np.eye(3)[codes[0]], np.eye(4)[codes[1]]], axis=1)
    assert cross_sums(codes, [3, 4], weight) == pytest.approx(table.T @ (weight[:, None] * table))
    assert bin_sums(codes, [3, 4], weight) == pytest.approx(table.T @ weight)
    entries = rng.random(7)
    assert look_up(codes, [3, 4], entries) == pytest.approx(table @ entries, rel=1e-6)


def test_infinite_features_are_refused():
    with pytest.raises(DesignError, match="infinite"):
        fit_bins([[1.0], [np.inf]])


# The sum of functions


def test_a_fit_equals_ridge_regression_of_scikit_learn_at_the_variances_it_found():
    from sklearn.linear_model import Ridge

    rng = np.random.default_rng(3)
    x = rng.normal(size=(3000, 2))
    y = np.sin(x[:, 0]) + rng.normal(size=3000)
    bins = fit_bins(x)
    codes, sizes = bins.codes(x), bins.sizes
    cross = cross_sums(codes, sizes)
    basis = additive.waves(sizes, [False, False], np.diag(cross))
    fit = additive.fit_table(basis, cross, bin_sums(codes, sizes, y), 3000.0, float(np.var(y)))
    design = look_up_columns(codes, sizes, basis.columns)
    # The last step moves the variances by up to 3 %, after the coefficients were found.
    scaled = design * np.sqrt(fit.variance[basis.block] / np.var(y))
    oracle = Ridge(alpha=1.0).fit(scaled, y).predict(scaled)
    ours = fit.mean + look_up(codes, sizes, fit.table)
    assert np.corrcoef(oracle, ours)[0, 1] > 0.9999
    assert np.abs(oracle - ours).max() < 0.02


def look_up_columns(codes, sizes, columns):
    return np.column_stack([look_up(codes, sizes, column) for column in columns.T])


def test_a_feature_that_shows_nothing_is_shrunk_to_nothing():
    rng = np.random.default_rng(5)
    x = rng.normal(size=(20_000, 2))
    y = x[:, 0] + rng.normal(size=20_000)
    bins = fit_bins(x)
    codes, sizes = bins.codes(x), bins.sizes
    cross = cross_sums(codes, sizes)
    basis = additive.waves(sizes, [False, False], np.diag(cross))
    table = additive.fit_table(basis, cross, bin_sums(codes, sizes, y), 20_000.0, 1.0).table
    assert np.abs(table[16:]).max() < 0.02
    assert np.abs(table[:16]).max() > 1


# Pairs


def test_a_pair_that_acts_together_is_found_and_one_that_adds_up_is_not():
    rng = np.random.default_rng(2)
    n = 60_000
    x = rng.integers(0, 2, size=(n, 3)).astype(np.float32)
    g = 0.5 * x[:, 0] + 0.5 * x[:, 1] + 1.0 * x[:, 0] * x[:, 2] + 0.5 * x[:, 2]
    reading = (0.25 * g + rng.normal(size=n)).astype(np.float32)
    bins = fit_bins(x)
    codes = np.concatenate([bins.codes(x), np.zeros((1, n), np.uint8)])
    weight = np.full(n, 0.25, np.float32)
    made = contrast_of(codes, [2, 2, 2, 1], [False] * 4, reading, weight, np.arange(n), np.arange(n) * 4 // n)
    found = learners.paired(made, [0, 1, 2, 3])
    assert found.pairs[0] == (2, 0)
    effect = found.effect(codes, made.sizes, weight)
    for a in (0, 1):
        for c in (0, 1):
            cell = (x[:, 0] == a) & (x[:, 2] == c)
            assert effect[cell].mean() == pytest.approx(0.25 * g[cell].mean(), abs=0.04)


def test_pairs_seldom_pass_by_chance():
    rng = np.random.default_rng(8)
    passed = 0
    for _ in range(40):
        cells = rng.multinomial(4000, np.full(64, 1 / 64)).reshape(8, 8).astype(float)
        readings = rng.normal(size=(8, 8)) * np.sqrt(cells)
        passed += pairs._chance(readings, cells, 1.0) < 0.05
    assert passed <= binom.ppf(0.999, 40, 0.05)


# Ranks


def test_ranks_of_many_equal_ranks_of_few():
    values = np.random.default_rng(0).normal(size=30_000).astype(np.float32)
    exact = np.empty(30_000)
    exact[np.argsort(-values)] = (np.arange(30_000) + 0.5) / 30_000
    assert np.abs(climb.rank_shares(values) - exact).max() < 2e-4


# The ladder


def test_effects_that_differ_are_found_and_climbed_to():
    x, y, arm, cluster, truth = trial(np.random.default_rng(1), 30_000, lambda x: 0.2 + 0.6 * x[:, 1])
    found = fitted(x, y, arm, cluster)
    assert share(found.effect[:, 0], truth) > 0.9
    chosen = next(step.rung for step in found.steps[0] if step.chosen)
    assert chosen >= 2
    assert found.steps[0][2].p_value < 0.001


def test_an_effect_that_follows_the_plain_score_stays_on_its_rung():
    rng = np.random.default_rng(4)
    x, _, arm, cluster, _ = trial(rng, 30_000)
    base = 1.2 * x[:, 0] + 0.6 * x[:, 3] - 1
    chance = np.where(arm, expit(base + 0.8 * (base + 1)), expit(base))
    y = (rng.random(30_000) < chance).astype(float)
    found = fitted(x, y, arm, cluster)
    assert found.steps[0][1].p_value < 0.001
    truth = expit(base + 0.8 * (base + 1)) - expit(base)
    assert share(found.effect[:, 0], truth) > 0.8


def test_with_few_units_everyone_has_the_same_effect():
    x, y, arm, cluster, _ = trial(np.random.default_rng(2), 100)
    found = fitted(x, y, arm, cluster)
    assert [step.chosen for step in found.steps[0]] == [True, False, False, False, False, False]
    assert np.isfinite(found.effect).all()


def test_ten_treated_people_get_a_number_with_a_wide_error():
    rng = np.random.default_rng(3)
    x = rng.normal(size=(2000, 3))
    arm = (np.arange(2000) % 200 == 0).astype(int)
    y = (rng.random(2000) < 0.3).astype(float)
    found = fit_personal(x, y, arm, np.arange(2000), propensity=[0.995, 0.005], rng=rng)
    assert found.std_error.min() > 0.1


def test_three_hundred_arms_each_have_one_effect_for_all():
    rng = np.random.default_rng(4)
    arm = np.arange(3000) % 300
    x, y = rng.normal(size=(3000, 2)), rng.normal(size=3000)
    found = fit_personal(x, y, arm, np.arange(3000), propensity=np.full(300, 1 / 300), folds=2, rng=rng)
    assert found.effect.shape == (3000, 299)
    whole = found.model.predict(x[:5]).effect
    assert np.all(whole == whole[0])


def test_amounts_are_learned_like_shares():
    rng = np.random.default_rng(5)
    x = rng.normal(size=(20_000, 3)).astype(np.float32)
    arm = rng.integers(0, 2, 20_000)
    y = 10 + 3 * x[:, 0] + arm * (1 + 2 * x[:, 1]) + rng.normal(size=20_000)
    found = fitted(x, y, arm, np.arange(20_000))
    assert found.effect[:, 0].mean() == pytest.approx(1.0, abs=0.1)
    assert np.corrcoef(found.effect[:, 0], x[:, 1])[0, 1] > 0.95


def test_a_separating_column_and_a_constant_one_do_no_harm():
    rng = np.random.default_rng(6)
    x = np.column_stack([np.zeros(4000), rng.integers(0, 2, 4000), rng.normal(size=4000)])
    y = x[:, 1].copy()
    arm = rng.integers(0, 2, 4000)
    found = fitted(x, y, arm, np.arange(4000))
    assert np.isfinite(found.effect).all()
    assert np.abs(found.effect).max() < 0.05


def test_the_model_for_everybody_comes_back_from_json():
    x, y, arm, cluster, _ = trial(np.random.default_rng(7), 8000, lambda x: 0.8 * x[:, 1])
    found = fitted(x, y, arm, cluster).model
    read = PersonalModel.from_json(found.to_json())
    assert np.array_equal(read.predict(x[:50]).effect, found.predict(x[:50]).effect)
    assert np.array_equal(read.predict(x[:50]).std_error, found.predict(x[:50]).std_error)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"y": np.full(400, np.inf)}, "missing or infinite"),
        ({"y": np.ones(400)}, "same outcome"),
        ({"arm": np.zeros(400, int)}, "arm is empty"),
        ({"cluster": np.zeros(400, int)}, "Too few clusters"),
        ({"propensity": [0.0, 1.0]}, "no chances"),
        ({"X": np.zeros((3, 2))}, "does not fit"),
    ],
)
def test_trials_that_do_not_fit_are_refused(change, words):
    rng = np.random.default_rng(0)
    given = {
        "X": rng.normal(size=(400, 2)),
        "y": rng.random(400),
        "arm": np.arange(400) % 2,
        "cluster": np.arange(400),
        "propensity": [0.5, 0.5],
    } | change
    with pytest.raises(DesignError, match=words):
        fit_personal(**given, rng=rng)


def test_a_fold_sees_neither_a_score_nor_a_variance_that_its_own_outcomes_made():
    x, y, arm, cluster, _ = trial(np.random.default_rng(9), 2000)

    def prepared(outcome):
        return prepare(x, outcome, arm, cluster, propensity=[0.5, 0.5], rng=np.random.default_rng(0))

    before = prepared(y)
    rows = before.folds[2]
    changed = y.copy()
    changed[before.order[rows]] = 1 - changed[before.order[rows]]
    after = prepared(changed)
    assert np.array_equal(after.score[rows], before.score[rows])
    # The edges of the score's bins see every score; its variance moves by that alone.
    assert np.corrcoef(after.weight[rows], before.weight[rows])[0, 1] > 0.95
    assert not np.allclose(after.score, before.score)


# The verdict


def verdict(seed, effect=lambda x: 0.0, n=8000, added=0.0):
    x, y, arm, cluster, _ = trial(np.random.default_rng(seed), n, effect, added)
    rng = np.random.default_rng(seed)
    return judge(prepare(x, y, arm, cluster, propensity=[0.5, 0.5], rng=rng).contrasts[0])


def test_an_action_that_does_nothing_is_for_no_one():
    assert verdict(1).word == "no one"


def test_an_action_that_harms_is_for_no_one():
    found = verdict(2, added=-0.05)
    assert found.word == "no one"
    assert found.average < 0


def test_an_action_that_works_for_all_alike_is_for_everyone():
    found = verdict(3, added=0.1)
    assert found.word == "everyone"
    assert "no proven gain" in found.sentence


def test_an_action_that_helps_some_and_harms_others_is_for_those():
    found = verdict(4, lambda x: 1.5 * x[:, 1], 20_000)
    assert found.word == "target"
    assert found.p_over_score < 0.05


@pytest.mark.parametrize("added", [0.0, 0.1])
def test_where_choosing_gains_nothing_the_test_keeps_its_level(added):
    rejected = sum(
        verdict(100 + seed, lambda x: added + 0 * x[:, 0], 800).p_gain <= 0.05 for seed in range(8)
    )
    assert rejected <= binom.ppf(0.999, 8, 0.05)


# Errors


def test_errors_are_about_as_large_as_predictions_are_wrong():
    x, y, arm, cluster, truth = trial(np.random.default_rng(11), 40_000, lambda x: 0.3 + 0.5 * x[:, 1])
    found = fitted(x, y, arm, cluster)
    wrong = found.effect[:, 0] - truth
    assert np.mean(np.abs(wrong) < 1.96 * found.std_error[:, 0]) > 0.85
    assert np.sqrt(np.mean(found.std_error**2)) < 3 * np.sqrt(np.mean(wrong**2))


def test_a_rung_that_is_the_same_for_all_admits_that_people_may_differ():
    x, y, arm, cluster, _ = trial(np.random.default_rng(12), 1000)
    found = fitted(x, y, arm, cluster)
    mean_error = np.sqrt(0.25 * 4 / 1000)
    assert found.std_error.mean() > mean_error


# Trees


# A forest that tries two of four features at a split often starts with one that tells nothing.
@pytest.mark.parametrize(("learner", "least"), [(forest.boosted, 0.9), (forest.honest_forest, 0.7)])
def test_trees_find_what_no_sum_and_no_pair_can_say(learner, least):
    rng = np.random.default_rng(13)
    n = 40_000
    x = rng.integers(0, 2, size=(n, 3)).astype(np.float32)
    g = 2.0 * (x.sum(1) % 2) + 0.5 * x[:, 0]
    reading = (g + 0.5 * rng.normal(size=n)).astype(np.float32)
    codes = np.concatenate([fit_bins(x).codes(x), np.zeros((1, n), np.uint8)])
    weight = np.ones(n, np.float32)
    part = np.arange(n) * 4 // n
    made = contrast_of(codes, [2, 2, 2, 1], [False] * 4, reading, weight, np.arange(n), part)
    found = learner(made, [0, 1, 2, 3])
    effect = found.effect(codes, made.sizes, weight)
    plain = learners.smooth(made, [0, 1, 2, 3]).effect(codes, made.sizes, weight)
    assert np.corrcoef(effect, g)[0, 1] > least
    assert np.corrcoef(plain, g)[0, 1] < 0.5
    read = forest.Trees.from_json(found.to_json())
    assert np.array_equal(read.effect(codes, made.sizes, weight), effect)
    assert np.all(read.error(codes, made.sizes, weight) > 0)


def test_an_honest_forest_adds_nothing_to_noise():
    rng = np.random.default_rng(14)
    n = 8000
    x = rng.normal(size=(n, 3)).astype(np.float32)
    bins = fit_bins(x)
    codes = np.concatenate([bins.codes(x), np.zeros((1, n), np.uint8)])
    weight, part = np.ones(n, np.float32), np.arange(n) * 4 // n
    reading = rng.normal(size=n).astype(np.float32)
    made = contrast_of(codes, [*bins.sizes, 1], [False] * 4, reading, weight, np.arange(n), part)
    found = forest.honest_forest(made, [0, 1, 2, 3])
    added = found.effect(codes, made.sizes, weight) - found.base.effect(codes, made.sizes, weight)
    assert np.std(added) < 0.05
