"""Whom people support, what they tell a canvasser, what they give and when they help: drawn from a known truth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hustings.simulate.elections import ASKED_FROM, ASKED_UNTIL, ENTERED_AFTER, LOADED_ON
from hustings.simulate.world import World

MONTHS = 18
"""Periods of 30 days that the book of gifts and shifts reaches back, the last of them after `ASKED_FROM`."""
ASKED = 0.25
"""Share of the households that were canvassed."""
UNDECIDED = 0.15


@dataclass(frozen=True)
class Politics:
    """What people want, and what they did about it. Rows of people are in file order.

    Attributes:
        p_support: Probability of supporting our side, 0 to 1; shape (n,).
        p_give: Probability of a gift within any 30 days, 0 to 1; shape (n,).
        mean_gift: Expected cents of a gift; shape (n,).
        p_help: Probability of a volunteer's shift within any 30 days, 0 to 1; shape (n,).
        vendor: A vendor's partisan score, 0 to 100; shape (n,).
        asked: People who answered a canvasser; shape (k,).
        answer: 1 strong for us, 2 leaning, 3 undecided, 4 leaning away, 5 strong for the others; shape (k,).
        asked_on: Day of the answer; shape (k,).
        doer: People behind each gift or shift; shape (m,).
        is_gift: Whether it is a gift; shape (m,).
        cents: Of a gift; shape (m,).
        done_on: Its day; shape (m,).
        entered_on: When it was entered in the book; shape (m,).
    """

    p_support: NDArray[np.float64]
    p_give: NDArray[np.float64]
    mean_gift: NDArray[np.float64]
    p_help: NDArray[np.float64]
    vendor: NDArray[np.float64]
    asked: NDArray[np.int64]
    answer: NDArray[np.int64]
    asked_on: NDArray[np.datetime64]
    doer: NDArray[np.int64]
    is_gift: NDArray[np.bool_]
    cents: NDArray[np.int64]
    done_on: NDArray[np.datetime64]
    entered_on: NDArray[np.datetime64]


def draw_politics(world: World, rng: np.random.Generator) -> Politics:
    """Support, answers, gifts and shifts of the people of a world.

    Party, age, sex, place and household move support; support and the propensity to vote move giving and
    helping, and so does a part of each person that only their own past shows.

    Args:
        world: The people.
        rng: Source of randomness.

    Returns:
        The truth and what was seen of it.

    >>> from hustings.simulate.world import draw_world
    >>> drawn = draw_politics(draw_world(1_000, np.random.default_rng(1)), np.random.default_rng(2))
    >>> bool(0.4 < drawn.p_support.mean() < 0.6)
    True
    """
    n, home, place = world.household.size, world.household, world.place
    lean = np.choose(world.party, [0.0, 1.7, -1.7]) + 0.35 * np.where(world.female, 1.0, -1.0)
    lean -= 0.02 * (world.age - 50)
    lean += 0.45 * rng.standard_normal(int(place.max()) + 1)[place]
    lean += 0.6 * rng.standard_normal(int(home.max()) + 1)[home] + 0.3 * rng.standard_normal(n)
    active = 0.4 * world.trait + 0.5 * lean
    giver, size, helper = (rng.standard_normal(n) for _ in range(3))
    p_give = _probability(-5.0 + active + 1.5 * giver + 0.02 * (world.age - 50))
    p_help = _probability(-5.8 + active + 1.6 * helper - 0.01 * (world.age - 50))
    middle = np.log(3_000) + 0.5 * size + 0.15 * world.trait
    asked, answer, asked_on = _answers(world, _probability(lean), rng)
    gifts, shifts = (_done(p, rng) for p in (p_give, p_help))
    cents = np.maximum(np.round(np.exp(middle[gifts[0]] + 0.5 * rng.standard_normal(gifts[0].size)), -2), 500)
    done_on = np.concatenate([gifts[1], shifts[1]])
    return Politics(
        p_support=_probability(lean),
        p_give=p_give,
        mean_gift=np.exp(middle + 0.125),
        p_help=p_help,
        vendor=np.round(100 * _probability(0.6 * lean + 0.9 * rng.standard_normal(n))),
        asked=asked,
        answer=answer,
        asked_on=asked_on,
        doer=np.concatenate([gifts[0], shifts[0]]),
        is_gift=np.arange(done_on.size) < gifts[0].size,
        cents=np.concatenate([cents.astype(np.int64), np.zeros(shifts[0].size, np.int64)]),
        done_on=done_on,
        entered_on=np.minimum(
            done_on + rng.integers(0, ENTERED_AFTER + 1, done_on.size).astype("timedelta64[D]"),
            np.datetime64(LOADED_ON, "D"),
        ),
    )


def _answers(
    world: World, p_support: NDArray[np.float64], rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.datetime64]]:
    """Households at random; who is undecided does not depend on whom they support."""
    n, homes = world.household.size, int(world.household.max()) + 1
    visited = (rng.random(homes) < ASKED)[world.household]
    asked = np.flatnonzero(visited & (rng.random(n) < 0.75))
    ours = rng.random(asked.size) < p_support[asked]
    strong = rng.random(asked.size) < 0.6
    answer = np.where(ours, np.where(strong, 1, 2), np.where(strong, 5, 4))
    answer = np.where(rng.random(asked.size) < UNDECIDED, 3, answer)
    days = (ASKED_UNTIL - ASKED_FROM).days + 1
    on = np.datetime64(ASKED_FROM, "D") + rng.integers(0, days, homes).astype("timedelta64[D]")
    return asked, np.asarray(answer, np.int64), on[world.household[asked]]


def _done(
    p: NDArray[np.float64], rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.datetime64]]:
    """Who did it on which day: once at most in each 30 days, the last of which begin on `ASKED_FROM`."""
    who, periods = np.nonzero(rng.random((p.size, MONTHS)) < p[:, None])
    start = np.datetime64(ASKED_FROM, "D") - (30 * periods).astype("timedelta64[D]")
    return who, start + rng.integers(0, 30, who.size).astype("timedelta64[D]")


def _probability(log_odds: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(1.0 / (1.0 + np.exp(-log_odds)), np.float64)
