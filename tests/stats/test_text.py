"""Texts as terms: against scikit-learn, by hand, and what cannot be."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hustings.errors import DesignError
from hustings.stats import text

TEXTS = [
    "The buses never come; the buses are late.",
    "Late buses again, and no buses on Sunday",
    "Our school has no teachers",
    "teachers, teachers, teachers! The school needs teachers",
    "Straße und Schule: die Busse kommen nie",
    "x",
    "",
    "42 potholes on Elm_Street, 42!",
    "potholes on Elm_Street are never mended",
]


@pytest.mark.parametrize("at_least", [1, 2, 3])
def test_weighted_terms_are_those_of_scikit_learn(at_least):
    from sklearn.feature_extraction.text import TfidfVectorizer

    theirs = TfidfVectorizer(ngram_range=(1, 2), min_df=at_least, sublinear_tf=True).fit(TEXTS)
    ours = text.fit_vocabulary(TEXTS, at_least=at_least)
    assert sorted(ours.terms) == sorted(theirs.vocabulary_)
    order = [theirs.vocabulary_[term] for term in ours.terms]
    new = [*TEXTS, "buses buses to the school on Sunday", "nothing known"]
    assert text.weigh_terms(new, ours).toarray() == pytest.approx(theirs.transform(new).toarray()[:, order])


def test_a_text_is_weighed_as_by_hand():
    """Two texts of three have `bus`: log(4/3) + 1; twice in one text counts 1 + log 2; then to length 1."""
    found = text.fit_vocabulary(["bus bus road", "bus", "road rail"], at_least=2)
    assert found.terms == ["bus", "road"]
    weight = np.log(4 / 3) + 1
    row = np.array([(1 + np.log(2)) * weight, weight])
    assert text.weigh_terms(["bus bus road"], found).toarray()[0] == pytest.approx(row / np.hypot(*row))


def test_texts_that_share_no_word_are_refused():
    with pytest.raises(DesignError, match="No word stands in 2 texts"):
        text.fit_vocabulary(["one bus", "two roads"], at_least=2)
    with pytest.raises(DesignError, match="No word"):
        text.fit_vocabulary([], at_least=1)


def test_a_pair_never_spans_two_texts_or_an_unknown_word():
    found = text.fit_vocabulary(["late bus", "late bus"], at_least=2)
    assert found.terms == ["bus", "late", "late bus"]
    assert text.weigh_terms(["late", "bus", "late big bus"], found).toarray()[:, 2].tolist() == [0, 0, 0]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.text(max_size=40), min_size=1, max_size=12))
def test_any_texts_become_rows_of_length_one_or_none(texts):
    try:
        found = text.fit_vocabulary(texts, at_least=1)
    except DesignError:
        return
    length = np.sqrt((text.weigh_terms(texts, found).toarray() ** 2).sum(1))
    assert np.all((np.abs(length - 1) < 1e-9) | (length == 0))
    assert len(found.terms) == len(set(found.terms)) == len(found.weight)
