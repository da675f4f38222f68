"""Several classes: a multinomial logistic regression, its probabilities put right, and when it should not say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from hustings.errors import DesignError

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

RIDGES = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0)
"""Ridges that are tried, in examples' information."""


@dataclass(frozen=True)
class Multinomial:
    """A fitted regression: logits = x · coefficients + intercept, then divided by the temperature.

    Attributes:
        coefficients: (p, k).
        intercept: (k,).
        ridge: What the coefficients were held by.
        temperature: Above 1 the probabilities were too sure, below 1 too unsure.
    """

    coefficients: Floats
    intercept: Floats
    ridge: float
    temperature: float = 1.0

    def logits(self, X: Any) -> Floats:
        """(n, k) logits, the temperature aside."""
        return np.asarray(X @ self.coefficients, np.float64) + self.intercept

    def predict(self, X: Any) -> Floats:
        """(n, k) probabilities.

        >>> fit = fit_multinomial(np.eye(4), [0, 0, 1, 1], 2, ridge=1.0)
        >>> bool(fit.predict(np.eye(4))[0, 0] > 0.5)
        True
        """
        return _softmax(self.logits(X) / self.temperature)


def _softmax(logits: Floats) -> Floats:
    raised = np.exp(logits - logits.max(1, keepdims=True))
    return raised / raised.sum(1, keepdims=True)


def _classes(y: ArrayLike, n: int, n_classes: int) -> Integers:
    codes = np.asarray(y)
    if (
        codes.shape != (n,)
        or codes.dtype.kind not in "iu"
        or not n
        or not 0 <= codes.min() <= codes.max() < n_classes
    ):
        raise DesignError.of(
            "Classes do not fit", received=codes.shape, allowed=f"({n},) of 0 to {n_classes - 1}"
        )
    if n_classes < 2 or len(np.unique(codes)) < 2:
        raise DesignError.of(
            "There is one class only", received=n_classes, allowed="two or more, with examples"
        )
    return codes.astype(np.int64)


def fit_multinomial(X: Any, y: ArrayLike, n_classes: int, *, ridge: float) -> Multinomial:
    """A ridge multinomial logistic regression.

    Minimises the sum of -log p over examples plus ridge / 2 times the squared coefficients, never the
    intercept's.

    Args:
        X: (n, p) rows, sparse or not, finite.
        y: (n,) classes 0 … k - 1.
        n_classes: k, 2 or more.
        ridge: Above 0.

    Returns:
        The fit, with temperature 1.

    Raises:
        DesignError: Shapes or classes that do not fit, a ridge of 0, or no convergence.

    Source: Hastie, Tibshirani & Friedman, The Elements of Statistical Learning (2009), section 4.4.

    >>> fit_multinomial(np.eye(3), [0, 1, 2], 3, ridge=1.0).coefficients.shape
    (3, 3)
    """
    from scipy.optimize import minimize

    n, p = X.shape
    codes = _classes(y, n, n_classes)
    if not ridge > 0:
        raise DesignError.of("The ridge does not fit", received=ridge, allowed="a number above 0")
    # A term that stands in no example gets no coefficient: most of a vocabulary, with few examples.
    mass = np.asarray(abs(X).sum(0)).ravel()
    if not np.isfinite(mass).all():
        raise DesignError.of(
            "Rows do not fit", received="numbers missing or infinite", allowed="finite numbers"
        )
    used = np.flatnonzero(mass > 0)
    x = X[:, used]
    across = x.T.tocsr() if sparse.issparse(x) else x.T
    target = np.eye(n_classes)[codes]

    def loss(flat: Floats) -> tuple[float, Floats]:
        beta = flat.reshape(len(used) + 1, n_classes)
        logits = np.asarray(x @ beta[:-1]) + beta[-1]
        top = logits.max(1, keepdims=True)
        total = top[:, 0] + np.log(np.exp(logits - top).sum(1))
        away = np.exp(logits - total[:, None]) - target
        slope = np.vstack([np.asarray(across @ away) + ridge * beta[:-1], away.sum(0)])
        value = float((total - logits[np.arange(n), codes]).sum() + ridge / 2 * (beta[:-1] ** 2).sum())
        return value, slope.ravel()

    start = np.zeros((len(used) + 1, n_classes))
    start[-1] = np.log(np.maximum(target.sum(0), 0.5) / n)
    found = minimize(
        loss, start.ravel(), jac=True, method="L-BFGS-B",
        options={"maxiter": 2000, "maxfun": 4000, "gtol": 1e-6, "ftol": 1e-13},
    )  # fmt: skip
    if not np.isfinite(found.fun) or np.abs(found.jac).max() > 1e-3 * n:
        raise DesignError.of("The regression did not converge", received=f"{n} texts", allowed="finite rows")
    beta = found.x.reshape(len(used) + 1, n_classes)
    coefficients = np.zeros((p, n_classes))
    coefficients[used] = beta[:-1]
    return Multinomial(coefficients, beta[-1] - beta[-1].mean(), ridge)


def _smoothed_loss(logits: Floats, codes: Integers) -> float:
    """The mean cost of probabilities, the right class counting (n + 1) / (n + k) and each other 1 / (n + k).

    So no finite number of texts that all came out right makes a certainty.
    """
    n, k = logits.shape
    top = logits.max(1, keepdims=True)
    log_p = logits - top - np.log(np.exp(logits - top).sum(1, keepdims=True))
    right = log_p[np.arange(n), codes]
    return float(-((n * right + log_p.sum(1)) / (n + k)).mean())


def fit_temperature(logits: ArrayLike, y: ArrayLike) -> float:
    """The one number by which logits of unseen texts are divided so that their probabilities are right.

    Args:
        logits: (n, k) of texts that the model did not see.
        y: (n,) their classes.

    Returns:
        The temperature with the lowest log-loss, held between 1/20 and 20. Targets are smoothed: with n texts the
        right class counts (n + 1) / (n + k), not 1.

    Raises:
        DesignError: Shapes or classes that do not fit.

    Source: Guo, Pleiss, Sun & Weinberger, ICML 2017, section 4.2; targets: Platt (1999), section 2.2.

    >>> fit = fit_temperature([[2.0, 0.0]] * 30 + [[0.0, 2.0]] * 30, [0] * 27 + [1] * 3 + [1] * 27 + [0] * 3)
    >>> round(fit, 2)  # nine in ten are right: a log-odds of 2.2, less 1 in 62
    0.97
    """
    from scipy.optimize import minimize_scalar

    z = np.asarray(logits, np.float64)
    codes = _classes(y, len(z), z.shape[1])
    found = minimize_scalar(
        lambda log_temperature: _smoothed_loss(z / np.exp(log_temperature), codes),
        bounds=(-np.log(20), np.log(20)), method="bounded", options={"xatol": 1e-6},
    )  # fmt: skip
    return float(np.exp(found.x))


def class_folds(y: ArrayLike, cluster: ArrayLike, n_folds: int, rng: np.random.Generator) -> Integers:
    """A fold for each text: whole clusters in one, each class spread over as many as it can be.

    Args:
        y: (n,) classes 0 … k - 1.
        cluster: (n,) codes of texts that say the same.
        n_folds: 2 or more.
        rng: Source of the order.

    Returns:
        (n,) folds 0 … n_folds - 1.

    Raises:
        DesignError: Fewer than two folds, or fewer clusters than folds.

    >>> class_folds([0, 0, 1, 1], range(4), 2, np.random.default_rng(1)).reshape(2, 2).sum(1)
    array([1, 1])
    """
    _, first, code = np.unique(np.asarray(cluster), return_index=True, return_inverse=True)
    if not 2 <= n_folds <= len(first):
        raise DesignError.of("Too few texts or folds", received=n_folds, allowed=f"2 to {len(first)} folds")
    order = np.lexsort((rng.random(len(first)), np.asarray(y)[first]))
    fold = np.empty(len(first), np.int64)
    fold[order] = np.arange(len(first)) % n_folds
    return fold[code]


def _crossed(X: Any, codes: Integers, n_classes: int, fold: Integers, ridge: float) -> Floats:
    """(n, k) logits of each fold by what was learned from the others."""
    found = np.empty((len(codes), n_classes))
    for k in range(int(fold.max()) + 1):
        inside = fold == k
        fit = fit_multinomial(X[~inside], codes[~inside], n_classes, ridge=ridge)
        found[inside] = fit.logits(X[inside])
    return found


def learn_classes(
    X: Any,
    y: ArrayLike,
    n_classes: int,
    cluster: ArrayLike,
    rng: np.random.Generator,
    *,
    n_folds: int = 5,
    ridges: Sequence[float] = RIDGES,
) -> Multinomial:
    """The regression with the ridge that foretold left-out texts best, and the temperature that put it right.

    Args:
        X: (n, p) rows.
        y: (n,) classes 0 … k - 1.
        n_classes: k.
        cluster: (n,) codes of texts that say the same, which stay together.
        rng: Source of the folds.
        n_folds: Folds, fewer where a class has fewer texts.
        ridges: Ridges to try.

    Returns:
        The model of all texts.

    Raises:
        DesignError: Shapes or classes that do not fit, or a class with fewer than two different texts.

    >>> x = np.vstack([np.eye(2)] * 6)
    >>> learn_classes(x, [0, 1] * 6, 2, range(12), np.random.default_rng(1)).predict(np.eye(2)).argmax(1)
    array([0, 1])
    """
    codes = _classes(y, X.shape[0], n_classes)
    fold = class_folds(codes, cluster, _possible(codes, cluster, n_classes, n_folds), rng)
    tried = []
    for ridge in ridges:
        logits = _crossed(X, codes, n_classes, fold, ridge)
        temperature = fit_temperature(logits, codes)
        tried.append((_smoothed_loss(logits / temperature, codes), ridge, temperature))
    _, ridge, temperature = min(tried)
    whole = fit_multinomial(X, codes, n_classes, ridge=ridge)
    return Multinomial(whole.coefficients, whole.intercept, ridge, temperature)


def _possible(codes: Integers, cluster: ArrayLike, n_classes: int, n_folds: int) -> int:
    different = np.unique(np.column_stack([codes, np.asarray(cluster)]), axis=0)[:, 0]
    fewest = int(np.bincount(different, minlength=n_classes).min())
    if fewest < 2:
        raise DesignError.of(
            "A class has too few texts", received=f"{fewest} that differ", allowed="two or more of each class"
        )
    return min(n_folds, fewest)


def predict_left_out(
    X: Any,
    y: ArrayLike,
    n_classes: int,
    cluster: ArrayLike,
    rng: np.random.Generator,
    *,
    n_folds: int = 5,
) -> tuple[Floats, Integers]:
    """The probabilities of each text by a model whose ridge and temperature never saw it.

    Args:
        X: (n, p) rows.
        y: (n,) classes 0 … k - 1.
        n_classes: k.
        cluster: (n,) codes of texts that say the same.
        rng: Source of the folds.
        n_folds: Folds, fewer where a class has fewer texts.

    Returns:
        (n, k) probabilities, and the (n,) folds.

    Raises:
        DesignError: As `learn_classes`; a class needs three different texts, for folds within folds.

    Source: nested cross-validation: Varma & Simon, BMC Bioinformatics 7 (2006).

    >>> x = np.vstack([np.eye(2)] * 6)
    >>> p, _ = predict_left_out(x, [0, 1] * 6, 2, range(12), np.random.default_rng(1))
    >>> p.argmax(1)[:4]
    array([0, 1, 0, 1])
    """
    codes, same = _classes(y, X.shape[0], n_classes), np.asarray(cluster)
    fold = class_folds(codes, same, _possible(codes, same, n_classes, n_folds), rng)
    found = np.empty((len(codes), n_classes))
    for k in range(int(fold.max()) + 1):
        inside = fold == k
        model = learn_classes(X[~inside], codes[~inside], n_classes, same[~inside], rng, n_folds=3)
        found[inside] = model.predict(X[inside])
    return found, fold


def predict_strangers(
    X: Any, y: ArrayLike, n_classes: int, cluster: ArrayLike, rng: np.random.Generator
) -> Floats:
    """How sure of each text a model is that was never shown its class: it is about none of what the model knows.

    Args:
        X: (n, p) rows.
        y: (n,) classes 0 … k - 1.
        n_classes: k, 3 or more: of two, one is left and there is nothing to tell apart.
        cluster: (n,) codes of texts that say the same.
        rng: Source of the folds.

    Returns:
        (n,) the probability of the class that it takes for the likeliest.

    Raises:
        DesignError: Fewer than three classes, or as `learn_classes`.

    Source: leaving classes out to set the threshold of open-set recognition: Scheirer et al., IEEE TPAMI 35 (2013);
    the likeliest class's probability as the score: Hendrycks & Gimpel, ICLR 2017.

    >>> x = np.vstack([np.eye(3)] * 6)
    >>> bool(predict_strangers(x, [0, 1, 2] * 6, 3, range(18), np.random.default_rng(1)).max() < 0.6)
    True
    """
    codes, same = _classes(y, X.shape[0], n_classes), np.asarray(cluster)
    if n_classes < 3:
        raise DesignError.of("Too few classes to leave one out", received=n_classes, allowed="three or more")
    found = np.empty(len(codes))
    for left in range(n_classes):
        own = codes == left
        others = codes[~own] - (codes[~own] > left)
        model = learn_classes(X[~own], others, n_classes - 1, same[~own], rng, n_folds=3)
        found[own] = model.predict(X[own]).max(1)
    return found


def rarely_sure(confidence: ArrayLike, share: float) -> float:
    """The lowest confidence that at most a share of strangers reach.

    Args:
        confidence: (n,) of texts on none of the classes.
        share: How many may be taken for clear, 0 to 1.

    Returns:
        The threshold: a text is clear from it on.

    Raises:
        DesignError: Nothing to go by.

    >>> round(rarely_sure([0.9, 0.8, 0.6, 0.5], 0.25), 6)
    0.8
    """
    sure = np.sort(np.asarray(confidence, np.float64))[::-1]
    if not sure.size:
        raise DesignError.of("There are no strangers", allowed="one or more")
    may = int(np.floor(share * sure.size))
    return 0.0 if may >= sure.size else float(np.nextafter(sure[may], 1.0))


def sure_enough(confidence: ArrayLike, right: ArrayLike, share: float) -> float:
    """The lowest confidence from which on enough of the answers are right.

    Args:
        confidence: (n,) the probability of the likeliest class of texts that the model did not see.
        right: (n,) whether it was the right one.
        share: How many of the answers at or above it must be right, 0 to 1.

    Returns:
        The threshold; above 1, so that every answer is unclear, where no threshold will do.

    Raises:
        DesignError: Shapes that do not fit.

    >>> sure_enough([0.9, 0.8, 0.6, 0.5], [1, 1, 1, 0], 0.9)
    0.6
    """
    sure, good = np.asarray(confidence, np.float64), np.asarray(right, np.float64)
    if sure.ndim != 1 or sure.shape != good.shape or not len(sure):
        raise DesignError.of("Answers do not fit", received=f"{sure.shape}, {good.shape}", allowed="(n,)")
    order = np.argsort(-sure, kind="stable")
    so_far = np.cumsum(good[order]) / np.arange(1, len(sure) + 1)
    # Equal confidences are taken or left together.
    last = np.append(np.diff(sure[order]) < 0, True)
    enough = np.flatnonzero(last & (so_far >= share))
    return float(sure[order][enough[-1]]) if len(enough) else 1.01
