"""Reading at any time: a test of nothing that is looked at a hundred times."""

from __future__ import annotations

import numpy as np
import pytest

from hustings.errors import DesignError
from hustings.stats.discoveries import q_values
from hustings.stats.means import difference_in_means
from hustings.stats.sequential import boundary, confidence_sequence

UNITS, LOOKS, TRIALS = 1_000, 100, 400


def alarms(rng, sizes, draw):
    """Shares of tests of nothing in which plain tests and confidence sequences raise an alarm at some look.

    Every look is at the sums of the units so far: the error is that of clustered means, worked out for all
    trials and looks at once.
    """
    plain = sequence = 0
    looks = np.linspace(UNITS / LOOKS, UNITS, LOOKS).astype(int)
    for _ in range(TRIALS):
        n = sizes(rng)
        total = draw(rng, n)
        arm = rng.integers(0, 2, UNITS)
        told, error, units = [], [], []
        for look in looks:
            means, variance, fine = [], 0.0, True
            for code in (0, 1):
                own = arm[:look] == code
                s, m = total[:look][own], n[:look][own]
                if len(s) < 2:
                    fine = False
                    break
                mean = s.sum() / m.sum()
                u = (s - mean * m) / m.sum()
                variance += u @ u * len(s) / (len(s) - 1)
                means.append(mean)
            if fine and variance > 0:
                told.append(means[1] - means[0])
                error.append(np.sqrt(variance))
                units.append(look)
        told, error = np.array(told), np.array(error)
        plain += bool(np.any(np.abs(told) > 1.96 * error))
        found = confidence_sequence(told, error, units, planned=UNITS)
        sequence += bool(np.any((found.low > 0) | (found.high < 0)))
    return plain / TRIALS, sequence / TRIALS


def alone(rng):
    return np.ones(UNITS, int)


def twos_and_threes(rng):
    return rng.integers(2, 4, UNITS)


def votes(rng, n):
    """Ballots of a household, whose people mostly do the same."""
    return np.where(rng.random(UNITS) < 0.7, n * (rng.random(UNITS) < 0.4), rng.binomial(n, 0.4))


def gifts(rng, n):
    return np.where(rng.random(UNITS) < 0.05, rng.lognormal(3.5, 1.0, UNITS), 0.0)


@pytest.mark.parametrize(
    ("sizes", "draw"), [(alone, votes), (twos_and_threes, votes), (alone, gifts)], ids=lambda f: f.__name__
)
def test_a_test_of_nothing_looked_at_a_hundred_times_rarely_raises_an_alarm(sizes, draw):
    plain, sequence = alarms(np.random.default_rng(3), sizes, draw)
    assert sequence <= 0.05
    assert plain > 0.2


def test_people_of_a_household_counted_as_independent_raise_more_alarms_than_allowed():
    rng = np.random.default_rng(4)
    found = 0
    for _ in range(200):
        home = np.repeat(np.arange(400), 3)
        arm, y = rng.integers(0, 2, 400)[home], rng.normal(size=400)[home]
        alarm = False
        for look in range(60, 1_201, 60):
            one = difference_in_means(y[:look], arm[:look], np.arange(look), n_arms=2)
            told = confidence_sequence(one.estimate, one.std_error, one.n_units, planned=1_200)
            alarm |= bool(told.low[0] > 0 or told.high[0] < 0)
        found += alarm
    assert found / 200 > 0.08


def test_the_boundary_is_the_papers_formula():
    alpha, planned, n = 0.05, 500, 700
    rho2 = (-2 * np.log(alpha) + np.log(-2 * np.log(alpha) + 1)) / planned
    by_hand = np.sqrt(2 * (n * rho2 + 1) / (n * rho2) * np.log(np.sqrt(n * rho2 + 1) / alpha))
    assert boundary([n], planned=planned)[0] == pytest.approx(by_hand)


def test_it_is_narrowest_where_it_was_planned_to_be():
    sizes = np.arange(100, 3_000, 10)
    widths = boundary(sizes, planned=1_000) / np.sqrt(sizes)
    best = [boundary([1_000], planned=p)[0] for p in (300, 1_000, 3_000)]
    assert min(best) == best[1]
    assert np.all(np.diff(widths) < 0)


def test_the_p_value_and_the_interval_say_the_same():
    for estimate in (0.02, 0.0295, 0.031, 0.05):
        found = confidence_sequence([estimate], [0.01], [900], planned=1_000)
        assert (found.p_value[0] < 0.05) == (found.low[0] > 0)


def test_too_few_units_and_no_error_give_no_interval():
    found = confidence_sequence([0.5, 0.5], [0.01, np.nan], [10, 500], planned=100)
    assert np.isnan(found.low).all()
    assert np.isnan(found.p_value).all()


@pytest.mark.parametrize("wrong", [{"planned": 0}, {"planned": 5, "confidence": 1.0}])
def test_no_units_and_no_confidence_are_refused(wrong):
    with pytest.raises(DesignError):
        boundary([10], **wrong)


def test_q_values_are_those_of_statsmodels():
    from statsmodels.stats.multitest import multipletests

    p = np.random.default_rng(1).random(50) ** 2
    assert q_values(p) == pytest.approx(multipletests(p, method="fdr_bh")[1])


def test_an_unknown_p_value_is_not_counted_and_one_outside_is_refused():
    assert q_values([0.01, np.nan])[0] == pytest.approx(0.01)
    with pytest.raises(DesignError):
        q_values([1.2])


def test_false_discoveries_among_three_hundred_arms_stay_below_five_in_a_hundred():
    rng = np.random.default_rng(2)
    shares = []
    for _ in range(100):
        # A common control makes the arms' estimates alike.
        z = (rng.normal(size=300) + rng.normal()) / np.sqrt(2) + np.where(np.arange(300) < 30, 4.0, 0.0)
        from scipy.stats import norm

        found = q_values(2 * norm.sf(np.abs(z))) <= 0.05
        shares.append(found[30:].sum() / max(found.sum(), 1))
    assert np.mean(shares) <= 0.05
