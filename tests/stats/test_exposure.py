"""Effects of exposures: every draw of a small network, coverage on larger ones."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy import sparse

from hustings.errors import DesignError
from hustings.stats import exposure

# Five people in four households: 0 and 1 live together; a line of friends 0 - 2 - 3 - 4, and 1 - 3.
HOUSEHOLD = np.array([0, 0, 1, 2, 3])
CHANCE = np.array([0.5, 0.3, 0.4, 0.6])
LINE = np.zeros((5, 5))
for _one, _two in ((0, 1), (0, 2), (2, 3), (3, 4), (1, 3)):
    LINE[_one, _two] = LINE[_two, _one] = 1


def _draws():
    for drawn in itertools.product([False, True], repeat=4):
        chosen = np.array(drawn)
        yield chosen, float(np.where(chosen, CHANCE, 1 - CHANCE).prod())


def test_probabilities_are_those_of_every_draw_counted():
    known = exposure.exposure_probabilities(CHANCE, HOUSEHOLD, LINE)
    single, joint = np.zeros((5, 4)), np.zeros((5, 5, 4, 4))
    for drawn, probability in _draws():
        had = exposure.exposures(drawn, HOUSEHOLD, LINE)
        single[np.arange(5), had] += probability
        for i, j in itertools.product(range(5), repeat=2):
            joint[i, j, had[i], had[j]] += probability
    np.testing.assert_allclose(known.single, single, atol=1e-12)
    np.testing.assert_allclose(known.joint, joint[known.first, known.second], atol=1e-12)
    listed = set(zip(known.first.tolist(), known.second.tolist(), strict=True))
    for i, j in itertools.combinations(range(5), 2):
        if (i, j) not in listed:
            np.testing.assert_allclose(joint[i, j], np.outer(single[i], single[j]), atol=1e-12)


def test_over_every_draw_horvitz_thompson_is_right_and_its_variance_not_too_small():
    rng = np.random.default_rng(4)
    potential = rng.normal(2, 1, (5, 4))
    known = exposure.exposure_probabilities(CHANCE, HOUSEHOLD, LINE)
    for of, against in ((2, 0), (1, 0), (3, 1)):
        able = (known.single[:, [of, against]] > 0).all(axis=1)
        truth = float((potential[:, of] - potential[:, against])[able].mean())
        mean = square = claimed = 0.0
        for drawn, probability in _draws():
            had = exposure.exposures(drawn, HOUSEHOLD, LINE)
            y = potential[np.arange(5), had]
            weight = [
                np.where(able & (had == d), 1 / np.maximum(known.single[:, d], 1e-9), 0)
                for d in (of, against)
            ]
            estimate = ((weight[0] - weight[1]) * y).sum() / able.sum()
            found = exposure.exposure_effect(y, had, known, of=of, against=against, hajek=False)
            if np.isfinite(found.estimate):  # else one of the two sums is empty: the formula still holds
                assert found.estimate == pytest.approx(estimate)
            variance = exposure._of_difference(known, (of, against), weight, [y, y], able)
            mean += probability * estimate
            square += probability * estimate**2
            claimed += probability * variance / able.sum() ** 2
        assert mean == pytest.approx(truth)
        assert claimed >= (square - mean**2) * (1 - 1e-9)


def _coverage(network, household, rng, draws, chance=0.5):
    n, homes = household.size, int(household.max()) + 1
    p = np.full(homes, chance)
    known = exposure.exposure_probabilities(p, household, network)
    degree = np.asarray(network.sum(axis=1)).ravel()
    base = 0.3 * rng.standard_normal(n) + 0.1 * np.log1p(degree)
    truth = {2: 0.4, 1: 0.2}
    hits, estimates, naive = {1: [], 2: []}, {1: [], 2: []}, []
    for _ in range(draws):
        drawn = rng.random(homes) < p
        had = exposure.exposures(drawn, household, network)
        y = base + np.select([had == 1, had == 2, had == 3], [truth[1], truth[2], truth[1] + truth[2]])
        own = had >= 2
        naive.append(y[own].mean() - y[~own].mean())
        for of, effect in truth.items():
            found = exposure.exposure_effect(y, had, known, of=of, against=0)
            estimates[of].append(found.estimate)
            hits[of].append(found.low <= effect <= found.high)
    return hits, estimates, truth


def _friends(n, degree, rng):
    one = np.repeat(np.arange(n), degree // 2)
    two = np.clip(one + rng.geometric(0.05, one.size), 0, n - 1)
    links = sparse.coo_array((np.ones(one.size), (one, two)), shape=(n, n)).tocsr()
    links = (links + links.T).astype(bool).astype(float)
    links.setdiag(0)
    links.eliminate_zeros()
    return links


def test_direct_and_indirect_effects_are_covered_on_a_simulated_network():
    rng = np.random.default_rng(11)
    network = _friends(2_000, 4, rng)
    hits, estimates, truth = _coverage(network, np.arange(2_000) // 2, rng, 100, chance=0.25)
    for of, effect in truth.items():
        assert np.mean(hits[of]) >= 0.92
        assert abs(np.mean(estimates[of]) - effect) < 4 * np.std(estimates[of]) / np.sqrt(100) + 0.01


def test_direct_and_indirect_effects_are_covered_on_a_real_network_of_friends(data_file):
    import pyarrow.parquet as pq

    edges = pq.read_table(data_file("network/ego_facebook.parquet")).to_pandas().to_numpy()
    # The first 800 people; the whole network, which has 5 million pairs of dependent people, is a benchmark.
    edges = edges[(edges < 800).all(axis=1)]
    people, code = np.unique(edges, return_inverse=True)
    one, two = code.reshape(-1, 2).T
    n = people.size
    links = sparse.coo_array(
        (np.ones(2 * one.size), (np.append(one, two), np.append(two, one))), shape=(n, n)
    )
    # Only a few people are asked, or hardly anybody would be without a friend who was.
    hits, _, _ = _coverage(links.tocsr(), np.arange(n), np.random.default_rng(2), 20, chance=0.02)
    for of in (1, 2):
        assert np.mean(hits[of]) >= 0.8


def test_whoever_could_not_have_an_exposure_is_left_out():
    alone = sparse.csr_array((2, 2))
    known = exposure.exposure_probabilities(np.array([0.5, 0.5]), np.array([0, 1]), alone)
    found = exposure.exposure_effect(np.array([1.0, 2.0]), np.array([0, 2]), known, of=1, against=0)
    assert np.isnan(found.estimate)
    assert (found.n, found.n_left_out) == (0, 2)


def test_what_cannot_be_is_refused():
    known = exposure.exposure_probabilities(CHANCE, HOUSEHOLD, LINE)
    with pytest.raises(DesignError, match="numbers from 0 to 1"):
        exposure.exposure_probabilities(CHANCE + 1, HOUSEHOLD, LINE)
    with pytest.raises(DesignError, match="do not fit"):
        exposure.exposures(np.array([True]), HOUSEHOLD, LINE)
    with pytest.raises(DesignError, match="One outcome"):
        exposure.exposure_effect(np.full(5, np.nan), np.zeros(5, int), known, of=2, against=0)
