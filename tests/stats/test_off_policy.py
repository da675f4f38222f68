"""Off-policy values by hand, covering a simulated truth, on digits as in the paper, and refused where they must be."""

from __future__ import annotations

import numpy as np
import pytest

from hustings.errors import DesignError
from hustings.stats.off_policy import evaluate_policy, policy_difference


def test_both_estimates_by_hand():
    # Weights 2, 0, .5, 1; responses 1, 0, 1, 0.
    logged, wanted = [0.5, 0.5, 0.4, 0.3], [1.0, 0.0, 0.2, 0.3]
    found = evaluate_policy(
        [1, 0, 1, 0], logged, wanted, [1, 2, 3, 4], model_logged=[0.5, 0.2, 0.4, 0.1],
        model_wanted=[0.6, 0.3, 0.3, 0.2], fewest=2,
    )  # fmt: skip
    assert found.robust.estimate == pytest.approx((0.6 + 2 * 0.5 + 0.3 + 0.3 + 0.5 * 0.6 + 0.2 - 0.1) / 4)
    assert found.weighted.estimate == pytest.approx(2.5 / 3.5)
    assert found.n_effective == pytest.approx(3.5**2 / (4 + 0.25 + 1))
    part = np.array([2 * (1 - 5 / 7), 0, 0.5 * (1 - 5 / 7), -5 / 7]) / 3.5
    assert found.weighted.std_error == pytest.approx(np.sqrt((part**2).sum() * 4 / 3))


def simulated(seed, recipients=600, sends=3):
    """Sends in clusters whose people are alike; the truth of always sending item 1 is known."""
    rng = np.random.default_rng(seed)
    n = recipients * sends
    who = np.repeat(np.arange(recipients), sends)
    x, person = rng.normal(size=recipients)[who], rng.normal(size=recipients)[who]
    p1 = 1 / (1 + np.exp(-(0.3 + 0.8 * x)))
    item = rng.random(n) < p1
    mean = 1 / (1 + np.exp(-(-1 + 0.7 * item + 0.5 * x * item + 0.8 * person)))
    r = (rng.random(n) < mean).astype(float)
    return who, x, item, np.where(item, p1, 1 - p1), r


def truth():
    rng = np.random.default_rng(99)
    x, person = rng.normal(size=(2, 2_000_000))
    return float((1 / (1 + np.exp(-(-0.3 + 0.5 * x + 0.8 * person)))).mean())


def test_intervals_cover_the_truth_with_sends_clustered_by_recipient():
    value, hits = truth(), []
    for seed in range(300):
        who, _, item, p, r = simulated(seed)
        # A crude model with the wrong shape: the probabilities still make it right.
        found = evaluate_policy(
            r, p, item.astype(float), who, model_logged=0.3 + 0.1 * item, model_wanted=np.full(r.size, 0.4)
        )
        hits.append([one.low <= value <= one.high for one in (found.robust, found.weighted)])
    assert np.mean(hits, axis=0) == pytest.approx([0.95, 0.95], abs=0.03)


def test_a_good_model_makes_the_robust_estimate_sharper_and_a_wrong_log_is_mended():
    value, errors = truth(), {"with": [], "without": [], "wrong": []}
    for seed in range(60):
        who, x, item, p, r = simulated(seed, 2000, 1)

        def right(given, x=x):
            # The mean over the persons' own part, to second order.
            eta = -1 + 0.7 * given + 0.5 * x * given
            return 1 / (1 + np.exp(-eta / np.sqrt(1 + 0.8**2 * np.pi / 8)))

        models = {"model_logged": right(item), "model_wanted": right(np.ones(r.size))}
        wanted = item.astype(float)
        errors["with"].append(evaluate_policy(r, p, wanted, who, **models).robust.estimate - value)
        errors["without"].append(evaluate_policy(r, p, wanted, who).robust.estimate - value)
        wrong = np.clip(p * 1.05, 0, 1)
        errors["wrong"].append(evaluate_policy(r, wrong, wanted, who, **models).robust.estimate - value)
    spread = {name: np.sqrt(np.mean(np.square(e))) for name, e in errors.items()}
    assert spread["with"] < 0.9 * spread["without"]
    assert abs(np.mean(errors["wrong"])) < 0.01


def test_classification_made_a_log_as_in_the_paper_the_robust_estimate_errs_less():
    # Dudík, Langford and Li (2011), section 3.1: one random class is shown, its loss alone is seen.
    datasets = pytest.importorskip("sklearn.datasets")
    linear = pytest.importorskip("sklearn.linear_model")
    x, label = datasets.load_digits(return_X_y=True)
    x = (x - x.mean(0)) / (x.std(0) + 1e-9)
    rng = np.random.default_rng(1)
    order = rng.permutation(len(label))
    train, test = order[:500], order[500:]
    noisy = np.where(rng.random(500) < 0.2, rng.integers(0, 10, 500), label[train])
    policy = linear.RidgeClassifier(alpha=50.0).fit(x[train], noisy).predict(x)[test]
    value = float((policy == label[test]).mean())
    errors = []
    for seed in range(30):
        rng = np.random.default_rng(seed)
        shown = rng.integers(0, 10, len(test))
        r = (shown == label[test]).astype(float)
        halves = rng.integers(0, 2, len(test))
        logged, wanted = np.zeros(len(test)), np.zeros(len(test))
        for half in (0, 1):
            learn, use = halves != half, halves == half
            for item in range(10):
                sent = learn & (shown == item)
                fit = linear.Ridge(alpha=30.0).fit(x[test][sent], r[sent])
                told = fit.predict(x[test])
                logged[use & (shown == item)] = told[use & (shown == item)]
                wanted[use & (policy == item)] = told[use & (policy == item)]
        given = (r, np.full(r.size, 0.1), (shown == policy).astype(float), np.arange(r.size))
        robust = evaluate_policy(*given, model_logged=logged, model_wanted=wanted, fewest=50).robust.estimate
        plain = evaluate_policy(*given, fewest=50).robust.estimate
        errors.append([robust - value, plain - value])
    rmse = np.sqrt(np.mean(np.square(errors), axis=0))
    assert rmse[0] < 0.9 * rmse[1]
    assert abs(np.mean(errors, axis=0)).max() < 0.02


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"logged": [0.5, np.nan, 0.5, 0.5]}, "1 of 4 sends have no probability"),
        ({"logged": [0.5, 0.0, 0.5, 0.5]}, "1 of 4 sends have a probability of 0"),
        ({"logged": [0.5, 1.5, 0.5, 0.5]}, "above 1"),
        ({"wanted": [0.5, np.nan, 0.5, 0.5]}, "way to be valued"),
        ({"wanted": [0.0, 0.0, 0.0, 0.0]}, "no overlap"),
        ({"response": [0.0, np.inf, 1.0, 0.0]}, "1 of 4 sends is missing or infinite"),
        ({"fewest": 100.0}, "fewer than 100"),
        ({"wanted": [0.1, 0.1, 0.1, 0.1]}, "average 0.20 and not 1"),
    ],
)
def test_a_log_that_cannot_tell_is_refused_with_its_reason(change, words):
    given = {
        "response": [1.0, 0.0, 1.0, 0.0], "logged": [0.5] * 4, "wanted": [0.5] * 4,
        "recipient": [1, 2, 3, 4], "fewest": 2.0,
    } | change  # fmt: skip
    found = evaluate_policy(**given)
    assert words in found.reason
    assert np.isnan(found.robust.estimate)
    assert np.isnan(found.weighted.low)


def test_an_empty_log_says_so_and_shapes_that_do_not_fit_are_refused():
    assert evaluate_policy([], [], [], np.empty(0, int)).reason == "the log is empty"
    with pytest.raises(DesignError, match="does not fit"):
        evaluate_policy([1.0], [0.5, 0.5], [1.0], [1])
    with pytest.raises(DesignError, match="One model"):
        evaluate_policy([1.0], [0.5], [1.0], [1], model_logged=[0.5])


def test_two_ways_on_one_log_are_compared_pair_by_pair():
    who, _, item, p, r = simulated(1)
    a = evaluate_policy(r, p, item.astype(float), who)
    b = evaluate_policy(r, p, p, who)
    estimate, low, high = policy_difference(a.robust, b.robust)
    assert estimate == pytest.approx(a.robust.estimate - b.robust.estimate)
    assert high - low < (a.robust.high - a.robust.low) + (b.robust.high - b.robust.low)
    with pytest.raises(DesignError, match="one log"):
        policy_difference(a.robust, evaluate_policy(r[:900], p[:900], p[:900], who[:900]).robust)
