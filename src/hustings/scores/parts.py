"""Who is learned from to predict whom: parts of whole places or households, and earlier days for the latest."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from hustings import stats
from hustings.scores.learning import FEW_PLACES, Floats, Integers, Learning

Values = npt.NDArray[np.float32]
Rows = npt.NDArray[np.bool_]
Learner = Callable[[Rows, Values], Floats]


class Parts(NamedTuple):
    """Who is learned from to predict whom.

    Attributes:
        inner: (n,) parts of whole groups, in which candidates are compared and calibrated; -1 of the latest
            day, where there are several.
        latest: (n,) who is judged: everybody, or the people of the latest day.
        forward: Whether earlier days predict the latest.
        group: (n,) codes of whom is learned from or judged together: the place, or the household.
        of_places: Whether it is the place.
    """

    inner: Integers
    latest: Rows
    forward: bool
    group: Integers
    of_places: bool

    def pairs(self) -> Iterator[tuple[Rows, Rows]]:
        """Whom to learn from, and whom to predict: each part from the others, the latest day from all parts."""
        first = self.inner >= 0
        for k in range(int(self.inner.max()) + 1):
            yield first & (self.inner != k), self.inner == k
        if self.forward:
            yield first, self.latest


def parts(learning: Learning, folds: int, rng: np.random.Generator) -> Parts:
    """Parts of whole places or households; of several days the latest is kept out of them, to be predicted.

    What neighbours did on the day that is judged must not be learned from, and trees tell places apart by their
    mean age: so whole places are kept together, unless they are few (and not told of). An answer is learned from
    neighbours too, since theirs are there when the others are asked.

    Args:
        learning: Whom is learned from.
        folds: How many parts.
        rng: Source of the parts.

    Returns:
        The parts.
    """
    latest, of_places = learning.latest, not learning.standing and len(learning.places) >= FEW_PLACES
    group = _by_place(learning) if of_places else learning.household
    if latest.all():
        inner = stats.calibration.cluster_folds(group, folds, rng)
        return Parts(inner, latest, False, group, of_places)
    inner = np.full(len(latest), -1)
    inner[~latest] = stats.calibration.cluster_folds(group[~latest], folds, rng)
    return Parts(inner, latest, True, group, of_places)


def _by_place(learning: Learning) -> Integers:
    """Everybody's place, by their household's first; whoever's is not known is with their household."""
    home = learning.household
    first = np.full(int(home.max()) + 1, -1)
    first[home[::-1]] = learning.place[::-1]
    place = first[home]
    return np.where(place >= 0, place, len(learning.places) + home)


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
