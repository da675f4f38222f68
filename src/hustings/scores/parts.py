"""Who is learned from to predict whom: parts of whole households, and earlier days for the latest."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from hustings import stats
from hustings.scores.learning import Floats, Integers, Learning

Values = npt.NDArray[np.float32]
Rows = npt.NDArray[np.bool_]
Learner = Callable[[Rows, Values], Floats]


class Parts(NamedTuple):
    """Who is learned from to predict whom.

    Attributes:
        inner: (n,) parts of whole households, in which candidates are compared and calibrated; -1 of the
            latest day, where there are several.
        latest: (n,) who is judged: everybody, or the people of the latest day.
        forward: Whether earlier days predict the latest.
    """

    inner: Integers
    latest: Rows
    forward: bool

    def pairs(self) -> Iterator[tuple[Rows, Rows]]:
        """Whom to learn from, and whom to predict: each part from the others, the latest day from all parts."""
        first = self.inner >= 0
        for k in range(int(self.inner.max()) + 1):
            yield first & (self.inner != k), self.inner == k
        if self.forward:
            yield first, self.latest


def parts(learning: Learning, folds: int, rng: np.random.Generator) -> Parts:
    """Parts of whole households; of several days the latest is kept out of them, to be predicted.

    Args:
        learning: Whom is learned from.
        folds: How many parts.
        rng: Source of the parts.

    Returns:
        The parts.
    """
    latest = learning.latest
    if latest.all():
        inner = stats.calibration.cluster_folds(learning.household, folds, rng)
        return Parts(inner, latest, forward=False)
    inner = np.full(len(latest), -1)
    inner[~latest] = stats.calibration.cluster_folds(learning.household[~latest], folds, rng)
    return Parts(inner, latest, forward=True)


def crossed(learners: Sequence[Learner], xs: Sequence[Values], split: Parts) -> list[Floats]:
    """Everybody predicted by what was learned from others, on as many cores as there are.

    Args:
        learners: Each learns from some rows and predicts others.
        xs: What each predicts from.
        split: Who is learned from to predict whom.

    Returns:
        Of each learner (n,). The number of cores changes nothing in them.
    """
    found = [np.full(len(split.inner), np.nan) for _ in learners]
    jobs = [(i, pair) for pair in split.pairs() for i in range(len(learners))]

    def work(job: tuple[int, tuple[Rows, Rows]]) -> None:
        i, (others, inside) = job
        found[i][inside] = learners[i](others, xs[i][inside])

    with ThreadPoolExecutor(max_workers=min(len(jobs), os.cpu_count() or 1)) as pool:
        list(pool.map(work, jobs))
    return found
