"""Sentences as vectors: a small transformer (BERT) in NumPy, given its weights.

Texts that mean alike come to lie near each other, though they share no word. The weights are those of any BERT
without a head; for all-MiniLM-L6-v2: 6 layers of width 384, 22 million numbers. PyTorch (5.6 GB) is not needed to
multiply them: the tests hold this against it.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hustings.errors import DesignError

Singles = NDArray[np.float32]
_MOST_LETTERS = 100
_TOKENS_AT_ONCE = 2_048


class Encoder(NamedTuple):
    """A sentence encoder.

    Attributes:
        weights: The arrays by the names that BERT's files use.
        pieces: The number of each word piece; pieces within a word begin with `##`.
        n_heads: Heads of attention; they divide the width.
        longest: Word pieces read of a text, its two marks included; what is longer is cut off.
    """

    weights: Mapping[str, Singles]
    pieces: Mapping[str, int]
    n_heads: int = 12
    longest: int = 256


def encode_sentences(texts: Sequence[str], encoder: Encoder) -> Singles:
    """Each text as one vector of length 1: the mean of its pieces' last states.

    Args:
        texts: n texts.
        encoder: Its width is d.

    Returns:
        (n, d).

    Raises:
        DesignError: The encoder lacks weights.

    Source: Devlin et al., NAACL 2019; mean pooling: Reimers & Gurevych, EMNLP 2019; MiniLM: Wang et al., NeurIPS
    2020.

    >>> encode_sentences([], Encoder({"embeddings.word_embeddings.weight": np.zeros((5, 8), np.float32)}, {})).shape
    (0, 8)
    """
    name = "embeddings.word_embeddings.weight"
    if name not in encoder.weights:
        raise DesignError.of("The encoder has no weights", allowed=f"{name} and the layers'")
    found = np.zeros((len(texts), encoder.weights[name].shape[1]), np.float32)
    pieces = list(split_pieces(texts, encoder))
    lengths = np.array([len(of) for of in pieces], np.int64)
    # Texts of one length are read together, so that nothing is padded.
    for length in np.unique(lengths):
        rows = np.flatnonzero(lengths == length)
        for part in np.array_split(rows, max(1, len(rows) * int(length) // _TOKENS_AT_ONCE)):
            states = _states(np.array([pieces[i] for i in part]), encoder)
            mean = states.mean(1)
            found[part] = mean / np.maximum(np.linalg.norm(mean, axis=1, keepdims=True), 1e-12)
    return found


def split_pieces(texts: Sequence[str], encoder: Encoder) -> Iterator[list[int]]:
    """The numbers of each text's word pieces, between the marks of beginning and end.

    Lower case, without accents, punctuation and ideographs by themselves; then the longest piece first.

    Args:
        texts: The texts.
        encoder: Its pieces.

    Yields:
        Numbers.

    Source: Schuster & Nakajima, ICASSP 2012 (WordPiece), as in Devlin et al.'s uncased models.

    >>> known = {"[CLS]": 0, "[SEP]": 1, "[UNK]": 2, "bus": 3, "##es": 4, "!": 5}
    >>> list(split_pieces(["Buses! Zug"], Encoder({}, known)))
    [[0, 3, 4, 5, 2, 1]]
    """
    plain = [unicodedata.normalize("NFD", text.lower()) for text in texts]
    table = {ord(letter): _apart(letter) for letter in set().union(*plain)}
    seen: dict[str, list[int]] = {}
    for text in plain:
        found = [encoder.pieces["[CLS]"]]
        for word in text.translate(table).split():
            if word not in seen:
                seen[word] = _pieces(word, encoder.pieces)
            found += seen[word]
        yield [*found[: encoder.longest - 1], encoder.pieces["[SEP]"]]


def _apart(letter: str) -> str:
    kind, code = unicodedata.category(letter), ord(letter)
    if letter in "\t\n\r" or kind == "Zs":
        return " "
    if kind in ("Mn", "Cc", "Cf", "Co", "Cs") or code == 0xFFFD:
        return ""
    ascii_mark = 33 <= code <= 126 and not letter.isalnum()
    ideograph = any(a <= code <= b for a, b in ((0x3400, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x2FA1F)))
    return f" {letter} " if ascii_mark or ideograph or kind.startswith("P") else letter


def _pieces(word: str, known: Mapping[str, int]) -> list[int]:
    found: list[int] = []
    start = 0
    while start < len(word) <= _MOST_LETTERS:
        lead = "##" if start else ""
        ends = range(len(word), start, -1)
        end = next((end for end in ends if lead + word[start:end] in known), start)
        if end == start:
            return [known["[UNK]"]]
        found.append(known[lead + word[start:end]])
        start = end
    return found or [known["[UNK]"]]


def _states(pieces: NDArray[np.int64], encoder: Encoder) -> Singles:
    """The last states (n, length, d) of n texts of one length."""
    w = encoder.weights
    length = pieces.shape[1]
    x = w["embeddings.word_embeddings.weight"][pieces]
    x = x + w["embeddings.position_embeddings.weight"][:length]
    x = _levelled(x + w["embeddings.token_type_embeddings.weight"][0], w, "embeddings.LayerNorm")
    layer = 0
    while f"encoder.layer.{layer}.output.dense.weight" in w:
        x = _layer(x, encoder, f"encoder.layer.{layer}")
        layer += 1
    return x


def _layer(x: Singles, encoder: Encoder, at: str) -> Singles:
    w = encoder.weights
    n, length, width = x.shape
    size = width // encoder.n_heads

    def heads(name: str) -> Singles:
        made = _dense(x, w, f"{at}.attention.self.{name}")
        return made.reshape(n, length, encoder.n_heads, size).transpose(0, 2, 1, 3)

    near = heads("query") @ heads("key").transpose(0, 1, 3, 2) / np.float32(np.sqrt(size))
    near = np.exp(near - near.max(-1, keepdims=True))
    near /= near.sum(-1, keepdims=True)
    seen = (near @ heads("value")).transpose(0, 2, 1, 3).reshape(n, length, width)
    x = _levelled(x + _dense(seen, w, f"{at}.attention.output.dense"), w, f"{at}.attention.output.LayerNorm")
    wide = _bent(_dense(x, w, f"{at}.intermediate.dense"))
    return _levelled(x + _dense(wide, w, f"{at}.output.dense"), w, f"{at}.output.LayerNorm")


def _dense(x: Singles, w: Mapping[str, Singles], name: str) -> Singles:
    return x @ w[f"{name}.weight"].T + w[f"{name}.bias"]


def _levelled(x: Singles, w: Mapping[str, Singles], name: str) -> Singles:
    apart = x - x.mean(-1, keepdims=True)
    spread = np.sqrt(np.mean(apart * apart, -1, keepdims=True) + np.float32(1e-12))
    return apart / spread * w[f"{name}.weight"] + w[f"{name}.bias"]


def _bent(x: Singles) -> Singles:
    """X times the normal distribution's share below x (GELU)."""
    from scipy.special import erf

    return np.asarray(x * (erf(x / np.float32(np.sqrt(2))) + 1) / 2, np.float32)
