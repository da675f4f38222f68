"""Top-two Thompson sampling: by hand, as a recipe, and over simulated batches."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hustings.errors import DesignError
from hustings.stats.bandits import chances, top_two_shares
from hustings.stats.winners import draw_means, shrink_variants


def test_chances_by_hand():
    found = chances([[1.0, 2.0], [3.0, 2.0], [1.0, 2.0], [1.0, 4.0]])
    assert found.p_best.tolist() == [0.25, 0.75]
    assert found.expected_loss.tolist() == pytest.approx([(1 + 0 + 1 + 3) / 4, 0.25])


def test_shares_by_hand():
    # p = ½, ⅓, ⅙: the second is sent in ⅓ (½ + ½ (½/½ + ⅙/⅚)).
    shares = top_two_shares([1 / 2, 1 / 3, 1 / 6])
    assert shares[1] == pytest.approx(1 / 3 * (0.5 + 0.5 * (1 + 0.2)))


def test_shares_are_those_of_drawing_until_another_comes():
    p, rng = np.array([0.6, 0.25, 0.1, 0.05]), np.random.default_rng(1)
    sent = np.zeros(4)
    for _ in range(20_000):
        first = chosen = rng.choice(4, p=p)
        if rng.random() > 0.5:
            while chosen == first:
                chosen = rng.choice(4, p=p)
        sent[chosen] += 1
    assert top_two_shares(p) == pytest.approx(sent / 20_000, abs=0.012)


def test_with_all_to_the_leader_it_is_plain_thompson_sampling():
    assert top_two_shares([0.7, 0.2, 0.1], leader_share=1.0).tolist() == pytest.approx([0.7, 0.2, 0.1])


@given(st.lists(st.floats(0, 1), min_size=1, max_size=40).filter(lambda p: sum(p) > 0), st.floats(0.05, 1))
def test_shares_add_to_one_and_no_variant_gets_less_than_the_smallest(weights, leader):
    p = np.array(weights) / sum(weights)
    shares = top_two_shares(p, leader_share=leader, smallest_share=0.5 / len(p))
    assert shares.sum() == pytest.approx(1)
    assert (shares >= 0.5 / len(p) - 1e-12).all()


@pytest.mark.parametrize(
    "call",
    [
        lambda: top_two_shares([0.5, 0.6]),
        lambda: top_two_shares([0.5, 0.5], leader_share=0),
        lambda: top_two_shares([0.5, 0.5], smallest_share=0.6),
        lambda: chances(np.empty((0, 2))),
    ],
)
def test_what_is_no_share_is_refused(call):
    with pytest.raises(DesignError):
        call()


def test_batches_go_to_the_better_variants_and_cost_less_than_equal_ones():
    rng = np.random.default_rng(3)
    rates = np.array([0.02, 0.02, 0.022, 0.03])
    lost = []
    for _ in range(30):
        n, clicks, cost = np.zeros(4), np.zeros(4), 0.0
        shares = np.full(4, 0.25)
        for _ in range(6):
            sent = rng.multinomial(2_000, shares)
            n, clicks = n + sent, clicks + rng.binomial(sent, rates)
            cost += sent @ (rates.max() - rates)
            mean = clicks / n
            found = shrink_variants(mean, np.sqrt(mean.mean() * (1 - mean.mean()) / n))
            shares = top_two_shares(chances(draw_means(found, 1_000, rng)).p_best)
        lost.append(cost)
    equal = 12_000 * (rates.max() - rates).mean()
    assert np.mean(lost) < 0.9 * equal
