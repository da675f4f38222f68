"""Labelled examples ─► a way to tell issues apart, and how good it is, beside two rules of thumb.

The rules: the commonest issue, and the issue whose keywords (its name, unless others are given) stand in the
text most often. Each gets the probabilities that the examples of the other folds bear out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from hustings import stats
from hustings.errors import DesignError
from hustings.features.embedding import load_encoder

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Reading = Literal["words", "sentences"]
UNCLEAR = "unclear"


class Examples(NamedTuple):
    """Labelled texts.

    Attributes:
        texts: n texts.
        issue: (n,) codes of their issues.
        same: (n,) codes of texts that say the same in the same words.
        issues: The k issues.
    """

    texts: list[str]
    issue: Integers
    same: Integers
    issues: list[str]


class Coder(NamedTuple):
    """How texts are told apart.

    Attributes:
        model: The regression.
        vocabulary: The terms; None when sentences are read.
        unclear_below: A confidence below it is no answer.
    """

    model: stats.classes.Multinomial
    vocabulary: stats.text.Vocabulary | None
    unclear_below: float


class Judged(NamedTuple):
    """How the examples fare that were left out: columns of `models`, its card, the threshold, what beats what."""

    columns: dict[str, Any]
    card: dict[str, Any]
    unclear_below: float
    better: bool


def gather(pairs: Sequence[tuple[str, str]], coding: str) -> Examples:
    """The examples, checked.

    Args:
        pairs: An issue and a text each.
        coding: The section, for messages.

    Returns:
        The examples; empty texts are left out.

    Raises:
        DesignError: Fewer than two issues, an issue with fewer than three texts that differ, the issue `unclear`,
            or a text with two issues. No text is shown.

    >>> gather([("bus", f"late bus {i}") for i in "abc"] + [("tax", f"tax {i}") for i in "abc"], "x").issues
    ['bus', 'tax']
    """
    kept = [(issue.strip(), text.strip()) for issue, text in pairs if text and text.strip()]
    issues = sorted({issue for issue, _ in kept})
    where = f"[issues.{coding}] examples"
    if len(issues) < 2 or UNCLEAR in issues or "" in issues:
        raise DesignError.of(
            f"{where} name the issues",
            received=issues,
            allowed=f"two or more, none of them empty or {UNCLEAR}",
        )
    words = [" ".join(re.findall(r"\w+", text.lower())) for _, text in kept]
    _, same = np.unique(np.array(words), return_inverse=True)
    code = np.array([issues.index(issue) for issue, _ in kept])
    labels = np.unique(np.column_stack([same, code]), axis=0)
    if len(labels) > len(np.unique(same)):
        raise DesignError.of(f"{where}: {len(labels) - len(np.unique(same))} texts have two issues")
    n = np.bincount(labels[:, 1], minlength=len(issues))
    if n.min() < 3:
        few = {issue: int(k) for issue, k in zip(issues, n, strict=True) if k < 3}
        raise DesignError.of(
            f"{where} are too few", received=few, allowed="three or more different texts of each"
        )
    return Examples([text for _, text in kept], code, same, issues)


def rows(texts: Sequence[str], reading: Reading, vocabulary: stats.text.Vocabulary | None) -> Any:
    """The texts as rows for the regression: weighted terms, or sentence vectors."""
    if reading == "sentences" or vocabulary is None:
        return np.asarray(stats.sentences.encode_sentences(texts, load_encoder()), np.float64)
    return stats.text.weigh_terms(texts, vocabulary)


def judge(
    x: Any,
    found: Examples,
    keywords: Mapping[str, Sequence[str]],
    asked: tuple[float, float, float],
    rng: np.random.Generator,
) -> Judged:
    """How left-out examples fare.

    Args:
        x: (n, p) rows of the examples.
        found: The examples.
        keywords: Of each issue, for the rule of thumb.
        asked: The lowest threshold, the share of clear answers that must be right, and the share of texts on none
            of the issues that may be taken for clear.
        rng: Source of folds.

    Returns:
        The figures, with intervals by groups of the same words.
    """
    y, same, k = found.issue, found.same, len(found.issues)
    p, fold = stats.classes.predict_left_out(x, y, k, same, rng)
    sure, correct = p.max(1), p.argmax(1) == y
    declared, right, wrong = asked
    strangers = _strangers(x, found, wrong, rng)
    threshold = max(declared, stats.classes.sure_enough(sure, correct, right), strangers.threshold)
    matched = keyword_matches(found.texts, found.issues, keywords)
    rules = {
        "the commonest issue": _borne_out(np.full(len(y), -1), y, k, fold),
        "keywords": _borne_out(matched, y, k, fold),
    }
    losses = {name: _losses(q, y) for name, q in rules.items()}
    rule = min(losses, key=lambda name: float(losses[name].mean()))
    loss = stats.judging.mean_interval(_losses(p, y), same)
    gain = stats.judging.mean_interval(losses[rule] - _losses(p, y), same)
    columns = {
        "n_people": None,
        "log_loss": loss.estimate,
        "log_loss_error": loss.std_error,
        "rule": rule,
        "rule_log_loss": float(losses[rule].mean()),
        "gain": gain.estimate,
        "gain_low": gain.low,
        "gain_high": gain.high,
    }
    clear = sure >= threshold
    card = {
        "n_examples": dict(zip(found.issues, np.bincount(y, minlength=k).tolist(), strict=True)),
        "accuracy": _share(correct, same),
        "accuracy_of_rules": {
            name: _share(np.where(q.argmax(1) == y, 1.0, 0.0), same) for name, q in rules.items()
        },
        "unclear_below": threshold,
        "false_clear": strangers.share_clear(declared),
        "share_clear": _share(clear, same),
        "accuracy_where_clear": _share(correct[clear], same[clear]) if clear.sum() > 1 else None,
        "confidence": _curve(correct, sure, same),
        "confusion": {
            issue: dict(
                zip(found.issues, np.bincount(p.argmax(1)[y == i], minlength=k).tolist(), strict=True)
            )
            for i, issue in enumerate(found.issues)
        },
    }
    return Judged(columns, card, threshold, gain.low > 0)


class Strangers(NamedTuple):
    """Texts on none of the issues: each example, to models that were never shown its issue."""

    sure: Floats
    issue: Integers
    allowed: float

    @property
    def threshold(self) -> float:
        """The confidence that at most the allowed share of them reach; 0 where there are none."""
        return stats.classes.rarely_sure(self.sure, self.allowed) if len(self.sure) else 0.0

    def share_clear(self, least: float) -> float | None:
        """How many are taken for clear, each issue by the threshold that the other issues would have set."""
        if not len(self.sure):
            return None
        clear = np.empty(len(self.sure))
        for own in (self.issue == i for i in np.unique(self.issue)):
            clear[own] = self.sure[own] >= max(
                least, stats.classes.rarely_sure(self.sure[~own], self.allowed)
            )
        return float(clear.mean())


def _strangers(x: Any, found: Examples, allowed: float, rng: np.random.Generator) -> Strangers:
    k = len(found.issues)
    if k < 3 or allowed >= 1:
        return Strangers(np.empty(0), found.issue[:0], allowed)
    sure = stats.classes.predict_strangers(x, found.issue, k, found.same, rng)
    return Strangers(sure, found.issue, allowed)


def _losses(p: Floats, y: Integers) -> Floats:
    return -np.log(np.maximum(p[np.arange(len(y)), y], 1e-12))


def _share(values: Any, same: Integers) -> dict[str, float] | None:
    """A share with its interval, cut at 0 and 1; where all are alike, by the rule of three."""
    x = np.asarray(values, np.float64)
    if len(np.unique(same)) < 2:
        return None
    found = stats.judging.mean_interval(x, same)
    low, high = max(found.low, 0.0), min(found.high, 1.0)
    if found.std_error == 0:
        n = len(np.unique(same))
        low, high = (max(0.0, 1 - 3 / n), 1.0) if found.estimate > 0.5 else (0.0, min(1.0, 3 / n))
    return {"estimate": found.estimate, "low": low, "high": high}


def _curve(correct: Any, sure: Floats, same: Integers) -> list[dict[str, float]]:
    found = stats.calibration.reliability(correct, sure, same, bins=5)
    return [
        {"said": float(a), "right": float(b), "low": float(c), "high": float(d), "n": int(n)}
        for a, b, c, d, n in zip(found.predicted, found.observed, found.low, found.high, found.n, strict=True)
    ]


def keyword_matches(
    texts: Sequence[str], issues: Sequence[str], keywords: Mapping[str, Sequence[str]]
) -> Integers:
    """The issue whose keywords stand in each text most often; -1 for none or a draw.

    >>> keyword_matches(["Late buses, late!", "Tax"], ["bus", "tax"], {"bus": ["bus", "late"]}).tolist()
    [0, 1]
    """
    counts = np.zeros((len(texts), len(issues)), np.int64)
    for i, issue in enumerate(issues):
        # A keyword also stands for the words that begin with it: `school` for `schools`; of a name the plural's
        # ending is dropped, so that `buses` stands for `bus`.
        parts = [re.sub(r"(?<=\w{3})e?s$", "", part) for part in re.split(r"[\W_]+", issue) if part]
        words = keywords.get(issue) or parts
        pattern = re.compile(r"\b(?:" + "|".join(map(re.escape, words)) + ")", re.IGNORECASE)
        counts[:, i] = [len(pattern.findall(text)) for text in texts]
    best = counts.max(1)
    single = (best > 0) & ((counts == best[:, None]).sum(1) == 1)
    return np.where(single, counts.argmax(1), -1)


def _borne_out(said: Integers, y: Integers, k: int, fold: Integers) -> Floats:
    """(n, k) how often, in the other folds, each issue was the right one where a rule said the same."""
    found = np.empty((len(y), k))
    for part in range(int(fold.max()) + 1):
        inside = fold == part
        share = (np.bincount(y[~inside], minlength=k) + 1) / ((~inside).sum() + k)
        for word in np.unique(said[inside]):
            alike = ~inside & (said == word)
            found[inside & (said == word)] = (np.bincount(y[alike], minlength=k) + k * share) / (
                alike.sum() + k
            )
    return found


def telling_words(coder: Coder, found: Examples, top: int = 10) -> dict[str, list[str]] | None:
    """The terms that speak most for each issue, among those that stand in the campaign's own examples.

    A term that stands in people's texts alone is never named: it may be somebody's.
    """
    if coder.vocabulary is None:
        return None
    used = np.asarray(stats.text.weigh_terms(found.texts, coder.vocabulary).sum(0)).ravel() > 0
    terms = coder.vocabulary.terms
    told = {}
    for i, issue in enumerate(found.issues):
        strength = np.where(used, coder.model.coefficients[:, i], -np.inf)
        best = np.argsort(-strength, kind="stable")[:top]
        told[issue] = [terms[j] for j in best if strength[j] > 0]
    return told
