"""Boosted trees for a probability or a number, grown the same way every time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hustings.errors import DesignError
from hustings.stats.clusters import Floats, cluster_codes

if TYPE_CHECKING:
    from lightgbm import Booster

# The share of clusters that decides how many trees are enough, and how many trees without progress end it.
HELD_OUT = 0.15
PATIENCE = 20


@dataclass(frozen=True)
class Boosted:
    """Boosted trees, kept as LightGBM's own text."""

    text: str
    n_trees: int
    n_features: int
    num_threads: int = 1

    @cached_property
    def _booster(self) -> Booster:
        from lightgbm import Booster

        return Booster(model_str=self.text)

    def predict(self, X: ArrayLike) -> Floats:
        """Probabilities of a 1 (not calibrated: see `calibration.fit_beta`), or expected numbers.

        Args:
            X: (n, p) numbers, NaN where missing.

        Returns:
            (n,); in 0–1 of a model of a yes or no.

        Raises:
            DesignError: Another number of columns than the fit had, or infinite values.

        >>> x = np.arange(400.0)[:, None]
        >>> model = fit_boosted(x, x[:, 0] > 199, rng=np.random.default_rng(0), max_trees=9, num_threads=1)
        >>> bool(model.predict([[0.0]])[0] < 0.3 < 0.7 < model.predict([[399.0]])[0])
        True
        """
        x = self._checked(X)
        if x.shape[0] == 0:
            return np.empty(0)
        found: Any = self._booster.predict(x, num_threads=self.num_threads)
        return np.asarray(found, dtype=np.float64)

    def contributions(self, X: ArrayLike) -> Floats:
        """What each feature adds to each person's log-odds (or number): exact Shapley values of the trees.

        It costs some 180 times what a prediction costs: give it a sample.

        Args:
            X: (n, p) numbers, NaN where missing.

        Returns:
            (n, p + 1); the last column is the mean, and each row adds up to the person's log-odds or number.

        Raises:
            DesignError: Another number of columns than the fit had, or infinite values.

        Source: Lundberg, Erion & Lee, arXiv 1802.03888 (2018), algorithm 2.

        >>> x = np.arange(400.0)[:, None]
        >>> model = fit_boosted(x, x[:, 0] > 199, rng=np.random.default_rng(0), max_trees=9, num_threads=1)
        >>> added = model.contributions([[0.0], [399.0]])
        >>> bool(np.allclose(1 / (1 + np.exp(-added.sum(1))), model.predict([[0.0], [399.0]])))
        True
        """
        x = self._checked(X)
        if x.shape[0] == 0:
            return np.empty((0, self.n_features + 1))
        found: Any = self._booster.predict(x, pred_contrib=True, num_threads=self.num_threads)
        return np.asarray(found, dtype=np.float64)

    def _checked(self, X: ArrayLike) -> NDArray[np.floating]:
        x = _features(X)
        if x.shape[1] != self.n_features:
            raise DesignError.of(
                "Another number of columns", received=x.shape[1], allowed=f"{self.n_features}"
            )
        return x

    def to_text(self) -> str:
        """The model as LightGBM's text, which reads back to the same predictions.

        >>> x = np.arange(400.0)[:, None]
        >>> model = fit_boosted(x, x[:, 0] > 199, rng=np.random.default_rng(0), max_trees=9, num_threads=1)
        >>> bool(np.array_equal(Boosted.from_text(model.to_text()).predict(x), model.predict(x)))
        True
        """
        return self.text

    @classmethod
    def from_text(cls, text: str, *, num_threads: int = 1) -> Self:
        """The model that `to_text` wrote.

        Args:
            text: What `to_text` returned.
            num_threads: Threads for predictions.

        Returns:
            The model.

        Raises:
            DesignError: A text that is no such model.

        >>> try:
        ...     Boosted.from_text("tree?")
        ... except DesignError as error:
        ...     print(error)
        Not a model's text; allowed: what to_text returned.
        """
        # LightGBM ends the process on some broken texts, so that the first line is looked at before.
        if not text.startswith("tree\n") or "end of trees" not in text:
            raise DesignError.of("Not a model's text", allowed="what to_text returned")
        from lightgbm import Booster

        read = Booster(model_str=text)
        return cls(text, read.num_trees(), read.num_feature(), num_threads)


def _features(X: ArrayLike) -> NDArray[np.floating]:
    x = np.asarray(X)
    if x.dtype not in (np.dtype(np.float32), np.dtype(np.float64)):
        x = x.astype(np.float64)
    if x.ndim != 2 or np.isinf(x).any():
        raise DesignError.of("Features do not fit", received=x.shape, allowed="(n, p) finite numbers or NaN")
    return x


def fit_boosted(
    X: ArrayLike,
    y: ArrayLike,
    *,
    rng: np.random.Generator,
    cluster: ArrayLike | None = None,
    categorical: Sequence[int] = (),
    learning_rate: float = 0.1,
    max_trees: int = 400,
    n_trees: int | None = None,
    leaves: int = 31,
    minimum_leaf: int = 20,
    num_threads: int = 1,
    objective: Literal["binary", "regression"] = "binary",
) -> Boosted:
    """Gradient-boosted trees for the chance of a 1, deterministic for a given rng and number of threads.

    Trees are added until the log loss (of numbers the squared error) of a held-out 15 % of the clusters has not fallen for 20 trees; the
    same number is then grown again on everybody.

    Args:
        X: (n, p) float32 or float64, NaN where missing (trees learn where to send it).
        y: (n,) 0 or 1, both present; for `regression` finite numbers.
        rng: The source of randomness: the held-out clusters and LightGBM's seed.
        cluster: (n,) integer codes of people who stay together; None for everybody alone.
        categorical: Columns that hold codes (whole numbers from 0) and no amounts.
        learning_rate: Between 0 and 1.
        max_trees: At most so many trees.
        n_trees: Exactly so many, as found before on people like these; searched for when None.
        leaves: Leaves of a tree, 2 or more.
        minimum_leaf: People in a leaf, at least.
        num_threads: Threads for fitting and predicting. They wait for each other at every split: where other
            programs use the same cores, 1 can be ten times faster than 2.
        objective: `binary` for a probability, `regression` for the mean of a number.

    Returns:
        The model.

    Raises:
        DesignError: Shapes or values that do not fit, one class only, or so few of one class that none falls
            into the held-out part or none stays outside of it.

    Source: Friedman, Annals of Statistics 29 (2001), algorithm 5; Ke et al., NeurIPS 2017.

    >>> x = np.arange(400.0)[:, None]
    >>> fit_boosted(x, x[:, 0] > 199, rng=np.random.default_rng(0), max_trees=9, num_threads=1).n_features
    1
    """
    import lightgbm

    x, outcome = _features(X), np.asarray(y, dtype=np.float64)
    if objective == "binary":
        _check_outcome(x.shape[0], outcome)
    elif outcome.shape != (len(x),) or not outcome.size or not np.isfinite(outcome).all():
        raise DesignError.of("Numbers do not fit", received=outcome.shape, allowed=f"({len(x)},), all finite")
    parameters: dict[str, Any] = {
        "objective": objective, "learning_rate": learning_rate, "num_leaves": leaves,
        "min_data_in_leaf": minimum_leaf, "seed": int(rng.integers(2**31 - 1)), "deterministic": True,
        "force_row_wise": True, "num_threads": num_threads, "verbosity": -1,
    }  # fmt: skip
    columns: Any = list(categorical)

    def data(rows: NDArray[np.bool_] | slice, reference: Any = None) -> Any:
        return lightgbm.Dataset(
            x[rows], outcome[rows], reference=reference, categorical_feature=columns, params=parameters
        )

    if n_trees is None:
        held = _held_out(x, outcome, cluster, rng, classes=objective == "binary")
        learning = data(~held)
        stop = lightgbm.early_stopping(PATIENCE, verbose=False)
        tried = lightgbm.train(parameters, learning, max_trees, [data(held, learning)], callbacks=[stop])
        n_trees = max(tried.best_iteration, 1)
    model = lightgbm.train(parameters, data(slice(None)), n_trees)
    return Boosted(model.model_to_string(), model.num_trees(), x.shape[1], num_threads)


def _held_out(
    x: NDArray[np.floating], y: Floats, cluster: ArrayLike | None, rng: np.random.Generator, *, classes: bool
) -> NDArray[np.bool_]:
    """Which people decide on the number of trees: whole clusters, of classes checked for both."""
    n = x.shape[0]
    codes, n_clusters = cluster_codes(np.arange(n) if cluster is None else cluster, n)
    chosen = np.zeros(n_clusters, dtype=bool)
    chosen[rng.permutation(n_clusters)[: max(round(HELD_OUT * n_clusters), 1)]] = True
    held = chosen[codes]
    parts = [np.unique(y[held]).size, np.unique(y[~held]).size]
    if min(parts) < (2 if classes else 1):
        raise DesignError.of(
            "Too few of one class to choose the number of trees",
            received=f"{int(y.sum())} of 1, {int(n - y.sum())} of 0",
            allowed="dozens of each",
        )
    return held


def _check_outcome(n: int, y: Floats) -> None:
    """Refuse an outcome that is not (n,) of 0 and 1, both present."""
    if y.shape != (n,) or not np.all((y == 0) | (y == 1)):
        raise DesignError.of(
            "Outcomes do not fit", received=y.shape, allowed=f"({n},) of 0 or 1, none missing"
        )
    if n == 0 or y.min() == y.max():
        raise DesignError.of("The outcome has one class only", received=y[:1].tolist(), allowed="0 and 1")
