"""A television market whose true viewing is known: people, slots, published ratings, and a panel that sees some of it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hustings.errors import DesignError

Floats = NDArray[np.float64]
KINDS = ("news", "sport", "drama", "reality", "comedy", "children")
DAYPARTS = ("morning", "daytime", "early news", "access", "prime", "late news", "late night", "overnight")
_LEVEL = np.array([0.5, 0.45, 0.8, 0.8, 1.3, 0.8, 0.45, 0.15])
_CPM = np.array([900.0, 700.0, 1500.0, 1300.0, 2600.0, 1700.0, 1200.0, 500.0])
"""Cents for a thousand adults, before what a slot's own price does."""
BROADCAST, CABLE = 5, 25
_PROGRAMS = 4
_TRAITS = 3


class Viewers(NamedTuple):
    """People, and what they like.

    Attributes:
        age: (n,) years.
        female: (n,) whether a woman.
        worth: (n,) net votes that full exposure would move.
        hours: (n,) how much they watch, mean about 1.
        taste: (n, kinds) how much they like each kind of program, log scale.
        habit: (n, networks) how much they watch each network, log scale.
    """

    age: Floats
    female: NDArray[np.bool_]
    worth: Floats
    hours: Floats
    taste: Floats
    habit: Floats


class Culture(NamedTuple):
    """How traits that no rating tells go with what people like, in one market.

    Attributes:
        kinds: (traits, kinds) log scale.
        networks: (traits, networks) log scale.
    """

    kinds: Floats
    networks: Floats


def draw_culture(rng: np.random.Generator, *, hidden: float = 1.0) -> Culture:
    """A market's culture.

    Args:
        rng: Source of randomness.
        hidden: How strongly worth and taste share what age and sex do not tell; 0 for not at all.

    Returns:
        Loadings, drawn anew for each market: which programs the persuadable like is nobody's choice.
    """
    return Culture(
        0.35 * hidden * rng.standard_normal((_TRAITS, len(KINDS))),
        0.35 * hidden * rng.standard_normal((_TRAITS, BROADCAST + CABLE)),
    )


class Slots(NamedTuple):
    """What can be bought; all (s,) but `mix`.

    Attributes:
        network: 0 to 4 broadcast, the rest cable.
        daypart: Index of `DAYPARTS`.
        mix: (s, kinds) share of each kind of program.
        level: Share of people who would see a unit, were all alike.
        units: To be had.
        noise: By which factor the price differs from its daypart's usual, for its audience.
    """

    network: NDArray[np.int64]
    daypart: NDArray[np.int64]
    mix: Floats
    level: Floats
    units: Floats
    noise: Floats


def draw_viewers(n: int, culture: Culture, rng: np.random.Generator) -> Viewers:
    """People whose worth to the campaign depends on age and sex a little, and mostly on traits that no rating tells.

    Args:
        n: People.
        culture: Of their market.
        rng: Source of randomness.

    Returns:
        The people.

    >>> rng = np.random.default_rng(1)
    >>> bool(draw_viewers(1_000, draw_culture(rng), rng).worth.min() >= 0)
    True
    """
    age = 18 + 72 * rng.beta(1.4, 1.9, n)
    female = rng.random(n) < 0.52
    old, woman = (age - 47) / 17, np.where(female, 1.0, -1.0)
    traits = rng.standard_normal((n, _TRAITS))
    move = 0.6 * traits[:, 0] + 0.4 * traits[:, 1] + 0.25 * woman - 0.2 * old + 0.4 * rng.standard_normal(n)
    turnout = 1 / (1 + np.exp(-(0.6 + 0.6 * old + 0.3 * rng.standard_normal(n))))
    hours = np.exp(0.35 * old + 0.7 * rng.standard_normal(n))
    kinds = np.column_stack([
        0.55 * old, -0.35 * woman, 0.2 * woman + 0.1 * old,
        0.3 * woman - 0.35 * old, -0.25 * old, -0.6 * old + 0.1 * woman,
    ])  # fmt: skip
    taste = kinds + traits @ culture.kinds + 0.5 * rng.standard_normal((n, len(KINDS)))
    habit = traits @ culture.networks + 0.9 * rng.standard_normal((n, BROADCAST + CABLE))
    return Viewers(age, female, 0.007 * np.exp(move) * turnout, hours / hours.mean(), taste, habit)


def draw_slots(n: int, rng: np.random.Generator) -> Slots:
    """Slots drawn without replacement from every network, daypart and program.

    Args:
        n: Slots, 1 to 960.
        rng: Source of randomness.

    Returns:
        The slots.

    Raises:
        DesignError: More slots than there are.

    >>> draw_slots(100, np.random.default_rng(1)).units.size
    100
    """
    every = (BROADCAST + CABLE) * len(DAYPARTS) * _PROGRAMS
    if not 1 <= n <= every:
        raise DesignError.of("So many slots cannot be drawn", received=n, allowed=f"1 to {every}")
    drawn = rng.choice(every, n, replace=False)
    network = drawn // (len(DAYPARTS) * _PROGRAMS)
    daypart = drawn // _PROGRAMS % len(DAYPARTS)
    focus = np.where(network < BROADCAST, 0.8, 0.25)
    own = rng.dirichlet(np.full(len(KINDS), 0.35), BROADCAST + CABLE)
    mix = rng.dirichlet(np.full(len(KINDS), 0.6), n)
    mix = focus[:, None] * mix + (1 - focus[:, None]) * own[network]
    mix[np.isin(daypart, (2, 5)) & (network < BROADCAST)] = np.eye(len(KINDS))[0]
    size = np.where(network < BROADCAST, 0.05, 0.008) * rng.lognormal(0, 0.5, BROADCAST + CABLE)[network]
    level = size * _LEVEL[daypart] * rng.lognormal(0, 0.3, n)
    units = rng.integers(5, 26, n).astype(np.float64)
    return Slots(network, daypart, mix, level, units, rng.lognormal(0, 0.25, n))


def true_viewing(viewers: Viewers, slots: Slots) -> NDArray[np.float32]:
    """(n, s) probability that each person sees one unit of each slot."""
    liking = 1.2 * viewers.taste @ slots.mix.T + viewers.habit[:, slots.network]
    seen = slots.level * viewers.hours[:, None] * np.exp(liking - 0.8)
    return (seen / (1 + seen / 0.9)).astype(np.float32)


def prices(audience: Floats, slots: Slots) -> Floats:
    """(s,) cents for a unit: the daypart's usual for a thousand adults, times the slot's own noise.

    Args:
        audience: (s,) adults who see a unit.
        slots: The slots.
    """
    return np.maximum(np.round(_CPM[slots.daypart] * audience / 1000 * slots.noise), 1.0)


def seen_by_panel(
    viewing: NDArray[np.float32], occasions: int, rng: np.random.Generator
) -> NDArray[np.float32]:
    """(m, s) share of some past occasions on which each panelist was watching.

    Args:
        viewing: (m, s) true probabilities of the panelists.
        occasions: Past airings that were metered, 1 or more.
        rng: Source of randomness.
    """
    return (rng.binomial(occasions, viewing) / occasions).astype(np.float32)
