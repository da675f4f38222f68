"""Givers' histories as three numbers each, checked before anything is fitted to them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hustings.errors import DesignError

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


class Histories(NamedTuple):
    """What is known of each giver; times are counted from her first gift.

    Attributes:
        frequency: (n,) how often she gave after the first time.
        recency: (n,) when she gave last; 0 where she gave once.
        age: (n,) for how long she could have given since the first time.
    """

    frequency: Integers
    recency: Floats
    age: Floats


def checked_histories(
    frequency: ArrayLike, recency: ArrayLike, age: ArrayLike, *, whole: bool = False
) -> Histories:
    """The three numbers as arrays, or why they cannot be anybody's.

    Args:
        frequency: (n,) whole numbers from 0.
        recency: (n,) from 0 to age; 0 exactly where frequency is 0.
        age: (n,) from 0, finite.
        whole: Times are whole numbers of opportunities, so that frequency cannot exceed recency.

    Returns:
        The histories.

    Raises:
        DesignError: Shapes that do not fit, numbers missing, infinite or negative, or a history that cannot be.

    >>> checked_histories([1], [2.0], [3.0]).age
    array([3.])
    """
    named = {
        "frequency": np.asarray(frequency, np.float64),
        "recency": np.asarray(recency, np.float64),
        "age": np.asarray(age, np.float64),
    }
    shapes = [values.shape for values in named.values()]
    if any(shape != shapes[0] or len(shape) != 1 for shape in shapes) or not shapes[0][0]:
        raise DesignError.of("Histories do not fit", received=shapes, allowed="(n,) of each, n > 0")
    for name, values in named.items():
        wrong = ~np.isfinite(values) | (values < 0)
        if whole or name == "frequency":
            wrong |= values != np.floor(values)
        if wrong.any():
            kind = "whole numbers" if whole or name == "frequency" else "numbers"
            raise DesignError.of(
                f"{name} does not fit", received=f"{int(wrong.sum())} faults", allowed=f"finite {kind} from 0"
            )
    often, last, old = named.values()
    faults = {
        "recency exceeds age": last > old,
        "frequency and recency do not agree on whether she gave again": (often > 0) != (last > 0),
    }
    if whole:
        faults["frequency exceeds the opportunities up to recency"] = often > last
    for what, wrong in faults.items():
        if wrong.any():
            raise DesignError.of(f"{what}, for {int(wrong.sum())} of {len(often)} givers")
    return Histories(often.astype(np.int64), last, old)


def checked_weights(weights: ArrayLike | None, n: int) -> Floats:
    """How many people each row stands for.

    Args:
        weights: (n,) at least 0, some above; None for one each.
        n: Rows.

    Returns:
        (n,) weights.

    Raises:
        DesignError: A wrong shape, a weight that is negative or not finite, or nobody at all.

    >>> checked_weights(None, 2)
    array([1., 1.])
    """
    if weights is None:
        return np.ones(n)
    found = np.asarray(weights, np.float64)
    if found.shape != (n,):
        raise DesignError.of("Weights do not fit", received=found.shape, allowed=f"({n},)")
    wrong = ~np.isfinite(found) | (found < 0)
    if wrong.any() or not found.sum():
        got = f"{int(wrong.sum())} faults" if wrong.any() else "only zeros"
        raise DesignError.of("Weights do not fit", received=got, allowed="finite, from 0, some above 0")
    return found
