"""Ask strings as amounts: what was suggested in the tests, and what may be suggested to each person now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from hustings.errors import DesignError

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


class Strings(NamedTuple):
    """The strings of a plan.

    Attributes:
        names: Their names: arms of the tests.
        amounts: (k, l) cents, or multiples of the last gift; NaN beyond a string's end.
        relative: (k,) whether they are multiples.
        rounded: Cents to which multiples are rounded.
    """

    names: list[str]
    amounts: Floats
    relative: npt.NDArray[np.bool_]
    rounded: int

    def cents(self, string: int, last: Floats) -> Floats:
        """(n, l) what a string suggests to people with these last gifts; NaN without one for a multiple.

        >>> Strings(["x"], np.array([[1.0, 1.5]]), np.array([True]), 500).cents(0, np.array([3000.0, np.nan])).tolist()
        [[3000.0, 4500.0], [nan, nan]]
        """
        own = self.amounts[string]
        if not self.relative[string]:
            return np.broadcast_to(own, (len(last), len(own)))
        near = np.round(last[:, None] * own / self.rounded) * self.rounded
        return np.asarray(
            np.where(near > 0, near, np.where(np.isnan(near), np.nan, self.rounded)), np.float64
        )


class Fit(NamedTuple):
    """What each person may be asked for; (n,) each.

    Attributes:
        string: Code of the string, -1 for nobody's.
        amounts: (n, l) cents, NaN where an amount was taken out.
        smallest: The smallest; NaN where there is none.
        largest: The largest.
        capped: Whether the law took an amount out.
        outside: Whether an amount outside what was tested was taken out.
        part: The largest amount left, as a share of the largest of the whole string: at most so much is expected.
    """

    string: Integers
    amounts: Floats
    smallest: Floats
    largest: Floats
    capped: npt.NDArray[np.bool_]
    outside: npt.NDArray[np.bool_]
    part: Floats


def read_strings(
    where: str, amounts: Mapping[str, Sequence[int]], multiples: Mapping[str, Sequence[float]], rounded: int
) -> Strings:
    """The strings that a section declares.

    Raises:
        DesignError: None, one of two names, or an amount that is not finite, above 0 and rising.

    >>> read_strings("[ask_plan.x]", {"low": [1000, 2500]}, {"last": [1.0]}, 500).names
    ['low', 'last']
    """
    both = set(amounts) & set(multiples)
    if both:
        raise DesignError.of(f"{where}: a string is declared twice", received=sorted(both))
    declared: list[tuple[str, Sequence[float]]] = [*amounts.items(), *multiples.items()]
    if not declared:
        raise DesignError.of(f"{where} declares no ask string", allowed="amounts, multiples", then="add some")
    for name, values in declared:
        found = np.asarray(values, np.float64)
        if not (found.size and np.isfinite(found).all() and (found > 0).all() and (np.diff(found) > 0).all()):
            raise DesignError.of(
                f"{where}: the string {name} has an amount that cannot be asked for", received=list(values),
                allowed="finite amounts above 0, each larger than the one before",
            )  # fmt: skip
    longest = max(len(values) for _, values in declared)
    table = np.full((len(declared), longest), np.nan)
    for row, (_, values) in enumerate(declared):
        table[row, : len(values)] = values
    relative = np.array([name in multiples for name, _ in declared])
    return Strings([name for name, _ in declared], table, relative, rounded)


def range_tested(
    strings: Strings, string: Integers, segment: Integers, last: Floats, n_segments: int
) -> tuple[Floats, Floats]:
    """(s, k) the smallest and the largest amount that each string has suggested in each segment's tests.

    Args:
        strings: The strings.
        string: (n,) each tested person's string; -1 for who was not asked.
        segment: (n,) the segments.
        last: (n,) last gifts before the ask.
        n_segments: How many segments.

    Returns:
        Cents; infinity and minus infinity where nobody was asked so.
    """
    low = np.full((n_segments, len(strings.names)), np.inf)
    high = -low
    for code in range(len(strings.names)):
        own = (string == code) & ~(strings.relative[code] & np.isnan(last))
        shown = strings.cents(code, last[own])
        if shown.size:
            np.minimum.at(low[:, code], segment[own], np.nanmin(shown, axis=1))
            np.maximum.at(high[:, code], segment[own], np.nanmax(shown, axis=1))
    return low, high


def fit_amounts(
    strings: Strings,
    value: Floats,
    tested: tuple[Floats, Floats],
    segment: Integers,
    last: Floats,
    headroom: Floats,
) -> Fit:
    """The best string of each person's segment, without amounts that the law forbids or that were never tested.

    Args:
        strings: The strings.
        value: (s, k) what each is expected to bring from a person of a segment; NaN where it was not tested.
        tested: From `range_tested`.
        segment: (n,) the people's segments.
        last: (n,) their last gifts in cents, NaN for none.
        headroom: (n,) what the law still allows; infinity without a limit.

    Returns:
        A string for each; none where no amount of any string is left.

    >>> two = read_strings("", {"low": [1000, 2500], "high": [5000]}, {}, 500)
    >>> tested = np.array([[1000.0, 5000.0]]), np.array([[2500.0, 5000.0]])
    >>> found = fit_amounts(two, np.array([[1.0, 9.0]]), tested, np.zeros(3, int), np.full(3, np.nan), np.array([9e9, 2000, 10]))
    >>> found.string.tolist(), found.largest.tolist()
    ([1, 0, -1], [5000.0, 1000.0, nan])
    """
    n, longest = len(segment), strings.amounts.shape[1]
    chosen, amounts = np.full(n, -1), np.full((n, longest), np.nan)
    capped, outside, part = np.zeros(n, bool), np.zeros(n, bool), np.ones(n)
    order = np.argsort(-np.nan_to_num(value, nan=-np.inf), axis=1, kind="stable")
    for rank in range(value.shape[1]):
        for s in np.flatnonzero(np.isfinite(value[np.arange(len(value)), order[:, rank]])):
            code = order[s, rank]
            who = np.flatnonzero((segment == s) & (chosen < 0))
            wanted = strings.cents(code, last[who])
            legal = wanted <= headroom[who, None]
            seen = (wanted >= tested[0][s, code]) & (wanted <= tested[1][s, code])
            there = np.isfinite(wanted)
            capped[who] |= (there & ~legal).any(axis=1)
            outside[who] |= (there & ~seen).any(axis=1)
            left = np.where(there & legal & seen, wanted, np.nan)
            fits = np.isfinite(left).any(axis=1)
            chosen[who[fits]], amounts[who[fits]] = code, left[fits]
            part[who[fits]] = np.nanmax(left[fits], axis=1, initial=0) / np.nanmax(
                wanted[fits], axis=1, initial=1
            )
    smallest = np.where(np.isfinite(amounts), amounts, np.inf).min(axis=1, initial=np.inf)
    largest = np.where(np.isfinite(amounts), amounts, -np.inf).max(axis=1, initial=-np.inf)
    there = chosen >= 0
    return Fit(
        chosen,
        amounts,
        np.where(there, smallest, np.nan),
        np.where(there, largest, np.nan),
        capped & there,
        outside & there,
        part,
    )
