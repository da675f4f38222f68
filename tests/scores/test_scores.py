"""Scores: who is learned from, what is refused, and a model that does not beat its rule."""

from __future__ import annotations

import datetime

import numpy as np
import pytest

from hustings.scores.card import card_row
from hustings.scores.fit import fit_scores
from hustings.scores.scores import Learning, _why_not
from hustings.warehouse import Matrix

DAY = datetime.date(2026, 7, 27)


def learning(n: int, signal: float, seed: int = 0) -> Learning:
    """People whose outcome hangs on the rule of thumb, and by `signal` on a second feature."""
    rng = np.random.default_rng(seed)
    rule, other = rng.random(n), rng.standard_normal(n)
    p = 1 / (1 + np.exp(-(3 * rule - 1.5 + signal * other)))
    x = np.column_stack([rule, other]).astype(np.float32)
    return Learning(
        np.arange(n).astype(str),
        (rng.random(n) < p).astype(float),
        np.arange(n) // 2,
        Matrix(x, ("share", "other")),
        rule,
    )


def card(found: Learning, seed: int = 0) -> dict:
    fit = fit_scores(found.known, found.y, found.household, found.rule, 5, np.random.default_rng(seed))
    return card_row("turnout", "voted", "share", DAY, found, fit, None)


def test_a_model_that_sees_more_than_the_rule_is_published():
    row = card(learning(4_000, 1.5))
    assert row["published"]
    assert row["gain_low"] > 0
    assert row["auc"] > row["rule_auc"]
    assert row["calibration_error"] < 0.05


def test_a_model_that_sees_no_more_than_the_rule_is_not_published():
    row = card(learning(4_000, 0.0))
    assert not row["published"]
    assert "does not beat" in row["reason"]


def test_the_same_seed_gives_the_same_scores():
    found = learning(1_000, 1.0)
    one, two = (
        fit_scores(found.known, found.y, found.household, found.rule, 3, np.random.default_rng(4))
        for _ in range(2)
    )
    assert np.array_equal(one.judged, two.judged)


@pytest.mark.parametrize(
    ("y", "why"),
    [([], "nobody"), ([0.0, 2.0], "not yes or no"), ([0.0] * 100 + [1.0], "only 1 people")],
)
def test_what_cannot_be_learned_from_has_a_reason(y, why):
    n = len(y)
    found = Learning(
        np.arange(n), np.array(y), np.arange(n), Matrix(np.zeros((n, 1), np.float32), ("x",)), np.zeros(n)
    )
    assert why in str(_why_not(found, "voted", 5))


def test_a_leaked_answer_would_be_seen_by_the_card():
    """The leak test's other half: if the answer did get into the features, the card would be too good to be true."""
    found = learning(1_000, 0.0)
    leaked = found._replace(
        known=Matrix(np.column_stack([found.known.values, found.y]).astype(np.float32), ("a", "b", "c"))
    )
    assert card(leaked)["auc"] > 0.99
