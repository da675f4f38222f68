"""A season of weekly local elections whose truth is known: who lives where, what contacts really do, who then votes.

The truth stays in here. What the campaign may know goes out as files with the moment at which it could be known.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from hustings.channels.evidence import USUAL, prior
from hustings.simulate.world import check_people

Floats = npt.NDArray[np.float64]

CHANNELS = ("mail", "phone", "door", "text")
"""Each household can be reached in one way: its electorate is four in one, and no contact is another's control."""
PAST = 4
"""Elections of which the file tells whether each person voted."""
STARTS_ON = datetime.date(2026, 8, 3)
VOTES_AFTER, POSTED_AFTER = 8, 13
"""Days from a week's Monday to its election, and to when the state has posted who voted."""
EARLY = 0.6
"""Share of voters whose ballot is in by the Sunday before."""
_SEGMENTS = np.array([0.8, 1.3, 0.7])
"""How much more contacts do among those who vote seldom, sometimes, always; not known to the campaign."""


class Electorate(NamedTuple):
    """The people of one week's election, as the file tells of them; all (n,).

    Attributes:
        person_id: Who.
        household_id: Where they live.
        channel: How the household can be reached, an index of `CHANNELS`.
        n_voted: In how many of the past elections they voted.
    """

    person_id: npt.NDArray[np.str_]
    household_id: npt.NDArray[np.str_]
    channel: npt.NDArray[np.int64]
    n_voted: npt.NDArray[np.int64]


class Result(NamedTuple):
    """What happened in one week's election; all (n,), in the electorate's order.

    Attributes:
        returned: Whether the ballot was in by the Sunday before.
        voted: Whether the person voted.
    """

    returned: npt.NDArray[np.bool_]
    voted: npt.NDArray[np.bool_]


@dataclass(frozen=True)
class SeasonTruth:
    """What contacts do, by channel, and by how often someone votes: the truth that no plan sees.

    Attributes:
        people: Registered voters of each week's election.
        seed: Seed of everything.
        effect: (channels, 3) what a contact adds to the probability of voting, per person assigned.
    """

    people: int
    seed: int
    effect: Floats

    def electorate(self, week: int) -> Electorate:
        """Who may vote in a week's election, as the file tells."""
        household, channel, n_voted, _ = self._drawn(week)
        n = household.size
        return Electorate(
            np.array([f"W{week:02d}P{i:06d}" for i in range(n)]),
            np.array([f"W{week:02d}H{i:06d}" for i in household.tolist()]),
            channel,
            n_voted,
        )

    def votes(self, week: int, reached: npt.NDArray[np.bool_]) -> Result:
        """Who votes, when these people were to be reached.

        Args:
            week: Of the season, from 1.
            reached: (n,) who was on a list that went out.
        """
        _, channel, n_voted, p = self._drawn(week)
        rng = np.random.default_rng([self.seed, week, 2])
        added = np.where(reached, self.effect[channel, segments(n_voted)], 0.0)
        voted = rng.random(p.size) < np.clip(p + added, 0, 1)
        return Result(voted & (rng.random(p.size) < EARLY), voted)

    def expected(self, week: int, share: Floats) -> float:
        """Added ballots, in expectation, when each person is reached with a probability.

        Args:
            week: Of the season, from 1.
            share: (n,) probabilities.
        """
        _, channel, n_voted, p = self._drawn(week)
        added = np.clip(p + self.effect[channel, segments(n_voted)], 0, 1) - p
        return float((share * added).sum())

    def _drawn(
        self, week: int
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64], Floats]:
        """Household, channel, past votes and propensity of each person: the same whenever they are asked for."""
        rng = np.random.default_rng([self.seed, week, 1])
        size = rng.choice([1, 2, 3], size=self.people, p=(0.5, 0.35, 0.15))
        household = np.repeat(np.arange(self.people), size)[: self.people]
        homes = int(household[-1]) + 1
        lean = 0.8 * rng.standard_normal(homes)[household] + 0.9 * rng.standard_normal(self.people)
        p = 1 / (1 + np.exp(0.6 - lean))
        n_voted = rng.binomial(PAST, p)
        return household, rng.integers(len(CHANNELS), size=homes)[household], n_voted, np.clip(p, 0.02, 0.9)


def segments(n_voted: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """0 for those who vote seldom, 1 sometimes, 2 always or nearly.

    >>> segments(np.array([0, 1, 2, 3, 4])).tolist()
    [0, 1, 1, 2, 2]
    """
    return np.searchsorted([1, 3], n_voted, side="right")


def draw_season(people: int, seed: int) -> SeasonTruth:
    """A season whose truth is drawn from what the literature says, as wide as it says.

    Args:
        people: Registered voters of each week's election, 1,000 to 1,000,000.
        seed: Seed of everything.

    Returns:
        The truth: each channel's effect is its published one, off by the published error and the spread between tests.

    Raises:
        DesignError: The number of people is out of its range.

    >>> draw_season(1_000, 7).effect.shape
    (4, 3)
    """
    check_people(people)
    rng = np.random.default_rng([seed, 0])
    rows = []
    for channel in CHANNELS:
        mean, error, spread = assigned(channel)
        rows.append((mean + np.hypot(error, spread) * rng.standard_normal()) * _SEGMENTS)
    return SeasonTruth(people, seed, np.array(rows))


def assigned(channel: str) -> tuple[float, float, float]:
    """The published effect of a channel on everyone assigned to it in an election of low salience.

    Args:
        channel: One of `CHANNELS`.

    Returns:
        Mean, its error, and the spread between tests: what any campaign starts from.

    >>> [round(100 * one, 2) for one in assigned("mail")]
    [0.45, 0.2, 0.8]
    """
    told = prior(USUAL[channel], "voted")
    rate = told.contact_rate if told.estimand == "contact" else 1.0
    return told.mean * told.discount("low") * rate, told.std_error * rate, told.spread * rate
