"""One channel's tests ─► what each string is worth in each segment, and against what would have come anyway."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from hustings import stats
from hustings.errors import DesignError
from hustings.plans.ask_amounts import Fit, Strings, range_tested
from hustings.plans.ask_people import Candidates
from hustings.plans.ask_tests import Asked, Segments
from hustings.stats.asks import Advantage
from hustings.stats.asks import Strings as Compared

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
FEWEST = 10
"""Givers, over all strings, below which nothing is told."""


class Valued(NamedTuple):
    """What a channel's tests say.

    Attributes:
        why: Why they say nothing, or None.
        compared: Revenue of each string in each segment, with draws; None where nothing is told.
        expected: (s, k) expected cents a person asked; NaN where a string was not tested in a segment.
        base: (d, s) draws of what comes from a person who is not asked; zeros where no test left people unasked.
        unasked: The share of it of what comes from people who are asked, or None.
        tested: (s, k) smallest and largest amounts suggested in the tests.
        against_rule: Choosing by segment against the rule's string for all.
        against_one: Against the one string that seems best for all.
    """

    why: str | None
    compared: Compared | None
    expected: Floats
    base: Floats
    unasked: float | None
    tested: tuple[Floats, Floats]
    against_rule: Advantage | None
    against_one: Advantage | None

    def gain_of(self, fit: Fit, people_of: Candidates) -> Floats:
        """(n,) expected cents over and above what comes anyway, never more than the law allows to come."""
        if self.compared is None:
            return np.zeros(len(people_of.segment))
        s, a = people_of.segment, fit.string
        return np.asarray((self.expected[s, a] - self.base.mean(axis=0)[s]) * fit.part, np.float64)

    def ends_of(self, fit: Fit, people_of: Candidates, who: Integers) -> tuple[Floats, Floats]:
        """(w,) ends of the 95 % interval of the same expectation."""
        if self.compared is None or not who.size:
            return np.full(who.size, np.nan), np.full(who.size, np.nan)
        apart = self.compared.draws - self.base[:, :, None]
        low, high = np.quantile(apart, [0.025, 0.975], axis=0)
        s, a, part = people_of.segment[who], fit.string[who], fit.part[who]
        return low[s, a] * part, high[s, a] * part

    def sum_draws(self, segment: Integers, string: Integers, part: Floats) -> Floats | None:
        """(d,) draws of the sum over people; None where a string was not tested on a segment of theirs."""
        if self.compared is None or not np.isfinite(self.expected[segment, string]).all():
            return None
        n_segments, n_strings = self.expected.shape
        cells = np.bincount(segment * n_strings + string, part, minlength=n_segments * n_strings)
        used = cells.reshape(n_segments, n_strings)
        drawn = np.where(used > 0, self.compared.draws - self.base[:, :, None], 0.0)
        return np.asarray(np.einsum("dsk,sk->d", drawn, used), np.float64)


def value_channel(
    asked: Asked | None,
    why: str | None,
    strings: Strings,
    segments: Segments,
    special: tuple[str | None, str],
    where: str,
    draws: int,
    rng: np.random.Generator,
) -> Valued:
    """What a channel's tests say of the plan's strings.

    Args:
        asked: Everyone in the tests, or None.
        why: Why they cannot be read, or None.
        strings: The plan's strings.
        segments: The segments.
        special: The arm that was not asked, or None, and the rule's string.
        where: The section, for messages.
        draws: Draws behind the intervals.
        rng: Source of them.

    Returns:
        The values; nothing with a reason where too little is known.

    Raises:
        DesignError: A test has an arm of which the section does not say what it suggested.
    """
    size = (len(segments.labels), len(strings.names))
    none = Valued(why, None, np.full(size, np.nan), np.zeros((1, size[0])), None, (np.full(size, np.inf), np.full(size, -np.inf)), None, None)  # fmt: skip
    if asked is None or why:
        return none
    string = _codes(asked, strings, special[0], where)
    tested = range_tested(strings, string, asked.segment, asked.last, size[0])
    # A multiple of no gift is nothing: such people were not asked so.
    shown = (string >= 0) & ~(strings.relative[np.maximum(string, 0)] & np.isnan(asked.last))
    used, own = asked.at(shown), string[shown]
    gave = int((np.nan_to_num(used.cents) > 0).sum())
    if len(np.unique(own)) < 2:
        return none._replace(why="one string only was tested: nothing to compare", tested=tested)
    if gave < FEWEST:
        return none._replace(why=f"{gave} gave in all, fewer than {FEWEST}: too few to tell strings apart", tested=tested)  # fmt: skip
    apart = _unlike_shares(own, used.send)
    if apart:
        return none._replace(why=apart, tested=tested)
    given = (used.cents, own, used.segment, used.unit)
    compared = stats.asks.compare_strings(*given, n_strings=size[1], n_segments=size[0], draws=draws, rng=rng)
    rule = strings.names.index(special[1])
    both = [
        stats.asks.held_against(*given, n_strings=size[1], n_segments=size[0], rule=one, rng=rng) if (own == rule).any() or one is None else None
        for one in (rule, None)
    ]  # fmt: skip
    base, share = _base(asked.at(string == -2), compared, draws, rng)
    return Valued(None, compared, compared.expected(), base, share, tested, both[0], both[1])


def _unlike_shares(string: Integers, send: Integers) -> str | None:
    """Why several tests cannot be read as one: where strings were drawn in other shares, a good send flatters some."""
    from scipy.stats import chi2_contingency

    n = np.zeros((int(string.max()) + 1, int(send.max()) + 1))
    np.add.at(n, (string, send), 1)
    n = n[n.sum(1) > 0][:, n.sum(0) > 0]
    if n.shape[1] < 2 or chi2_contingency(n).pvalue > 1e-4:
        return None
    return "the tests drew the strings in different shares: name tests with the same shares only"


def _codes(asked: Asked, strings: Strings, not_asked: str | None, where: str) -> Integers:
    """(n,) each one's string; -2 for who was drawn not to be asked."""
    code = {name: number for number, name in enumerate(strings.names)}
    if not_asked is not None:
        code[not_asked] = -2
    arms = sorted(set(asked.arm.tolist()))
    for arm in arms:
        if arm not in code:
            raise DesignError.unknown(
                f"{where}: nothing says what this arm suggested", arm, code, "add it to amounts or multiples, or set not_asked"
            )  # fmt: skip
    return np.array([code[arm] for arm in arms], np.int64)[np.searchsorted(np.array(arms, object), asked.arm)]


def _base(
    unasked: Asked, compared: Compared, draws: int, rng: np.random.Generator
) -> tuple[Floats, float | None]:
    """(d, s) draws of what comes from a person who is not asked, and its share."""
    weight = np.where(np.isfinite(compared.revenue), compared.n, 0)
    total = weight.sum(axis=1)
    level = (weight * np.nan_to_num(compared.revenue)).sum(axis=1) / np.maximum(total, 1)
    share, error = stats.asks.unasked_share(unasked.cents, unasked.segment, unasked.unit, level)
    if not np.isfinite(share):
        return np.zeros((draws, len(level))), None
    drawn = np.maximum(share + error * rng.standard_normal((draws, 1)), 0.0)
    return drawn * level, share
