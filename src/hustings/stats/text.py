"""Texts as weighted terms: TF-IDF of words and of pairs of adjacent words.

scikit-learn does this too; it is too large for the core, and is what the tests compare with.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from hustings.errors import DesignError

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_WORD = re.compile(r"\w\w+")


class _Words(NamedTuple):
    """Texts as words: the document and the code of each word, -1 for an unknown one."""

    document: Integers
    code: Integers
    n: int


@dataclass(frozen=True)
class Vocabulary:
    """The terms that count, and how much each tells.

    Attributes:
        words: Every word that stands in a term, in alphabetical order.
        single: (s,) codes of words that are terms, ascending.
        pairs: (d,) pairs of adjacent words that are terms, first · number of words + second, ascending.
        weight: (s + d,) the inverse document frequency of each term.
    """

    words: tuple[str, ...]
    single: Integers
    pairs: Integers
    weight: Floats

    @property
    def terms(self) -> list[str]:
        """The terms in the order of the columns.

        >>> fit_vocabulary(["good schools", "good roads"], at_least=2).terms
        ['good']
        """
        n = max(len(self.words), 1)
        pairs = [f"{self.words[code // n]} {self.words[code % n]}" for code in self.pairs.tolist()]
        return [self.words[code] for code in self.single.tolist()] + pairs


def _split(texts: Sequence[str]) -> tuple[list[str], Integers]:
    flat: list[str] = []
    lengths = np.zeros(len(texts), np.int64)
    for i, text in enumerate(texts):
        found = _WORD.findall(text.lower())
        lengths[i] = len(found)
        flat += found
    return flat, np.repeat(np.arange(len(texts)), lengths)


def _words(texts: Sequence[str], known: dict[str, int]) -> _Words:
    flat, document = _split(texts)
    code = np.fromiter((known.get(word, -1) for word in flat), np.int64, len(flat))
    return _Words(document, code, len(texts))


def _pairs(words: _Words, n_words: int) -> tuple[Integers, Integers]:
    """The document and the code of each pair of adjacent words, both known."""
    first, second = words.code[:-1], words.code[1:]
    real = (words.document[:-1] == words.document[1:]) & (first >= 0) & (second >= 0)
    return words.document[:-1][real], first[real] * n_words + second[real]


def fit_vocabulary(texts: Sequence[str], *, at_least: int = 2) -> Vocabulary:
    """The words, and pairs of adjacent words, that stand in enough texts.

    A word is two or more letters, digits or underscores, in lower case. A term in d of n texts weighs
    log((1 + n) / (1 + d)) + 1.

    Args:
        texts: n texts; labels are not looked at, so that texts without one help to weigh words.
        at_least: Texts in which a term must stand.

    Returns:
        The vocabulary.

    Raises:
        DesignError: No term stands in so many texts.

    Source: Spärck Jones, Journal of Documentation 28 (1972), smoothed as in scikit-learn's `TfidfVectorizer`.

    >>> fit_vocabulary(["a better bus", "a better school"], at_least=2).terms
    ['better']
    """
    flat, _ = _split(texts)
    names = sorted(set(flat))
    words = _words(texts, {word: i for i, word in enumerate(names)})
    n = max(len(names), 1)
    single, in_single = _frequent(words.document, words.code, at_least)
    pairs, in_pairs = _frequent(*_pairs(words, n), at_least)
    if not len(single) + len(pairs):
        raise DesignError.of(
            f"No word stands in {at_least} texts",
            received=f"{len(texts)} texts",
            allowed="texts that share words",
        )
    kept = np.unique(np.concatenate([single, pairs // n, pairs % n]))
    weight = np.log((1 + len(texts)) / (1 + np.concatenate([in_single, in_pairs]))) + 1
    again = np.searchsorted(kept, pairs // n) * len(kept) + np.searchsorted(kept, pairs % n)
    return Vocabulary(tuple(names[i] for i in kept.tolist()), np.searchsorted(kept, single), again, weight)


def _frequent(document: Integers, code: Integers, at_least: int) -> tuple[Integers, Integers]:
    """The codes that stand in enough documents, ascending, and in how many."""
    size = int(document.max(initial=0)) + 1
    once = np.unique(code * size + document)
    found, n = np.unique(once // size, return_counts=True)
    return found[n >= at_least], n[n >= at_least]


def weigh_terms(texts: Sequence[str], vocabulary: Vocabulary) -> Any:
    """The texts as rows of weighted terms: (1 + log count) · weight, each row of length 1.

    Args:
        texts: n texts.
        vocabulary: p terms.

    Returns:
        (n, p) sparse rows; a text without a known term is a row of zeros.

    Source: Salton & Buckley, Information Processing & Management 24 (1988).

    >>> found = fit_vocabulary(["good good schools", "good roads"], at_least=1)
    >>> weigh_terms(["good"], found).toarray()  # in alphabetical order, words before pairs
    array([[1., 0., 0., 0., 0., 0.]])
    """
    words = _words(texts, {word: i for i, word in enumerate(vocabulary.words)})
    document, code = _pairs(words, max(len(vocabulary.words), 1))
    rows, columns = [], []
    for docs, codes, terms, first in (
        (words.document, words.code, vocabulary.single, 0),
        (document, code, vocabulary.pairs, len(vocabulary.single)),
    ):
        place = np.searchsorted(terms, codes)
        real = (place < len(terms)) & (
            terms[np.minimum(place, len(terms) - 1)] == codes if len(terms) else False
        )
        rows.append(docs[real])
        columns.append(place[real] + first)
    row, column = np.concatenate(rows), np.concatenate(columns)
    shape = (len(texts), len(vocabulary.weight))
    counts = sparse.coo_matrix((np.ones(len(row)), (row, column)), shape=shape).tocsr()
    counts.sum_duplicates()
    counts.data = 1 + np.log(counts.data)
    weighted = counts.multiply(vocabulary.weight).tocsr()
    length = np.sqrt(np.asarray(weighted.multiply(weighted).sum(1)).ravel())
    return sparse.diags(1 / np.where(length > 0, length, 1.0)) @ weighted
