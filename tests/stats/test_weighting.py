"""Raking: by hand, against a published table, against replicates, and with coverage."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hustings.errors import DesignError
from hustings.stats.weighting import Margin, rake, weighted_share


def margin(name: str, codes, sizes) -> Margin:
    return Margin(name, np.asarray(codes), np.asarray(sizes, np.float64))


def test_the_published_table_of_deming_and_stephan_type_comes_out():
    # The example that Wikipedia's article on iterative proportional fitting works through.
    seed = np.array([[40, 30, 20, 10], [35, 50, 100, 75], [30, 80, 70, 120], [20, 30, 40, 50]])
    row, column = (codes.ravel() for codes in np.indices((4, 4)))
    margins = [margin("row", row, [150, 300, 400, 150]), margin("column", column, [200, 300, 400, 100])]
    found = rake(margins, base=seed.ravel(), trim=None, tolerance=1e-9)
    table = (found.weight * 1000 / found.weight.sum()).reshape(4, 4)
    published = [
        [64.61, 46.28, 35.42, 3.83],
        [49.95, 68.15, 156.49, 25.37],
        [56.70, 144.40, 145.06, 53.76],
        [28.74, 41.18, 63.03, 17.03],
    ]
    # It stops after three rounds, a tenth away from the limit.
    assert np.abs(table - published).max() < 0.1
    assert table.sum(1) == pytest.approx([150, 300, 400, 150], abs=1e-4)


def test_one_margin_is_plain_poststratification():
    found = rake([margin("sex", [0, 0, 0, 1], [1, 1])])
    assert found.weight == pytest.approx([2 / 3, 2 / 3, 2 / 3, 2])
    # Kish: mean of squares over the squared mean.
    assert found.design_effect == pytest.approx((3 * 4 / 9 + 4) / 4)
    assert found.n_effective == pytest.approx(4 / found.design_effect)


@given(st.integers(0, 1000))
def test_every_margin_is_met_whatever_the_sample(seed):
    rng = np.random.default_rng(seed)
    margins = [
        margin(name, np.append(np.arange(k), rng.integers(0, k, 60)), rng.uniform(0.5, 1.5, k))
        for name, k in (("a", 2), ("b", 3))
    ]
    margins = [m._replace(category=m.category[:62]) for m in margins]
    margins = [m for m in margins if (np.bincount(m.category, minlength=len(m.size)) > 0).all()]
    found = rake(margins, trim=None)
    for m in margins:
        shares = np.bincount(m.category, found.weight) / found.weight.sum()
        assert shares == pytest.approx(m.size / m.size.sum(), abs=2e-6)


def test_a_category_without_respondents_is_named_with_its_share():
    with pytest.raises(DesignError, match=r"Margin age: category 1 holds 25.0 % .* 0 of the 2 respondents"):
        rake([margin("age", [0, 0], [3, 1])])


def test_respondents_outside_the_population_are_refused():
    with pytest.raises(DesignError, match=r"category 0 holds 0.0 % of the population and 2 of the 3"):
        rake([margin("age", [0, 0, 1], [0, 1])])


def test_margins_that_contradict_each_other_are_refused_with_the_distance():
    same = [0, 0, 1, 1]
    with pytest.raises(
        DesignError, match=r"did not meet its margins in 50 passes: one is still off by 20 points"
    ):
        rake([margin("one", same, [0.5, 0.5]), margin("two", same, [0.7, 0.3])], rounds=50)


def test_a_trim_that_cannot_be_kept_is_refused():
    with pytest.raises(DesignError, match="trim less"):
        rake([margin("sex", [0] * 99 + [1], [1, 1])], trim=3.0, rounds=50)


def test_trimming_cuts_weights_and_keeps_the_margins():
    rng = np.random.default_rng(3)
    codes = [rng.choice(4, 500, p=(0.4, 0.3, 0.2, 0.1)), rng.choice(3, 500, p=(0.6, 0.3, 0.1))]
    margins = [margin("a", codes[0], [0.25] * 4), margin("b", codes[1], [0.35, 0.35, 0.3])]
    free, cut = rake(margins, trim=None), rake(margins, trim=6.0)
    assert free.weight.max() > 7
    assert cut.weight.max() < 6.001
    assert cut.gap < 1e-6
    assert cut.n_trimmed > 0
    assert cut.design_effect < free.design_effect


@pytest.mark.parametrize(
    ("margins", "more"),
    [
        ([], {}),
        ([margin("a", [0, 2], [1, 1])], {}),
        ([margin("a", [0, -1], [1, 1])], {}),
        ([margin("a", [0.0, 1.0], [1, 1])], {}),
        ([margin("a", [0, 1], [1, np.nan])], {}),
        ([margin("a", [0, 1], [1, -1])], {}),
        ([margin("a", [0, 1], [1, 1]), margin("b", [0], [1])], {}),
        ([margin("a", [0, 1], [1, 1])], {"base": [1, 0]}),
        ([margin("a", [0, 1], [1, 1])], {"trim": 0.5}),
        ([margin("a", [0, 1], [1, 1])], {"tolerance": 0.0}),
    ],
)
def test_what_cannot_be_raked_is_refused(margins, more):
    with pytest.raises(DesignError):
        rake(margins, **more)


def test_the_linearised_error_is_that_of_replicates():
    rng = np.random.default_rng(5)
    n = 150
    margins = [margin("a", rng.integers(0, 3, n), [3, 4, 5]), margin("b", rng.integers(0, 2, n), [5, 4])]
    y = (rng.random(n) < 0.2 + 0.25 * margins[0].category).astype(float)
    found = weighted_share(y, rake(margins).weight, margins)
    left_out = []
    for i in range(n):
        kept = [m._replace(category=np.delete(m.category, i)) for m in margins]
        left_out.append(np.average(np.delete(y, i), weights=rake(kept).weight))
    jackknife = np.sqrt((n - 1) / n * np.sum((np.array(left_out) - np.mean(left_out)) ** 2))
    assert found.std_error == pytest.approx(jackknife, rel=0.04)
    # The margins explain part of the outcome.
    assert found.std_error < weighted_share(y, rake(margins).weight).std_error


def test_intervals_of_raked_shares_hold_the_truth_and_unweighted_ones_do_not():
    hits, naive = [], []
    for seed in range(300):
        rng = np.random.default_rng(seed)
        age = rng.choice(3, 400, p=(0.2, 0.3, 0.5))
        sex = rng.choice(2, 400, p=(0.6, 0.4))
        y = (rng.random(400) < 0.7 - 0.2 * age + 0.1 * sex).astype(float)
        truth = 0.7 - 0.2 * 1.0 + 0.1 * 0.5
        margins = [margin("age", age, [1, 1, 1]), margin("sex", sex, [1, 1])]
        found = weighted_share(y, rake(margins).weight, margins)
        hits.append(found.low <= truth <= found.high)
        plain = weighted_share(y, np.ones(400))
        naive.append(plain.low <= truth <= plain.high)
    assert 0.92 < np.mean(hits) < 0.98
    assert np.mean(naive) < 0.6


def test_an_answer_that_never_varies_has_kishs_number_of_respondents():
    found = weighted_share([1, 1, 1, 1], [1, 1, 1, 3])
    assert (found.estimate, found.std_error) == (1.0, 0.0)
    assert found.n_effective == pytest.approx(36 / 12)


@pytest.mark.parametrize(
    ("y", "weight"), [([1], [1]), ([1, np.nan], [1, 1]), ([1, 0], [1, -1]), ([1, 0], [1])]
)
def test_a_share_of_what_does_not_fit_is_refused(y, weight):
    with pytest.raises(DesignError):
        weighted_share(y, weight)


def test_margins_of_others_are_refused():
    with pytest.raises(DesignError, match="Margins do not fit"):
        weighted_share([1, 0], [1, 1], [margin("a", [0, 0, 0], [1])])


def test_a_published_surveys_own_margins_are_met_on_its_real_sample(data_file):
    import pyarrow.parquet as pq

    rows = pq.read_table(data_file("surveys/nonvoters_2020.parquet")).to_pandas()
    assert rows.voter_category.value_counts().to_dict() == {
        "always": 1811,
        "sporadic": 2574,
        "rarely/never": 1451,
    }
    bands = np.digitize(rows.ppage, [30, 45, 60])
    margins = [margin("age", bands, np.bincount(bands, rows.weight))]
    for name in ("educ", "race", "gender", "income_cat"):
        codes = rows[name].astype("category").cat.codes.to_numpy().astype(np.int64)
        margins.append(margin(name, codes, np.bincount(codes, rows.weight)))
    found = rake(margins)
    always = (rows.voter_category == "always").to_numpy(float)
    published = np.average(always, weights=rows.weight)
    # Five margins give back what the publisher's weights say of a question that is in none of them.
    assert always.mean() == pytest.approx(0.3103, abs=1e-4)
    assert published == pytest.approx(0.2904, abs=1e-4)
    assert np.average(always, weights=found.weight) == pytest.approx(published, abs=0.001)
