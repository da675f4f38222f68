"""Who wins: the winner's rule as a small value, joint draws of the result, and what they say of the race.

A place's result is its *lead*: the log of our share over a rival's, one number for each rival. With two parties
it is the logit of our share. A race is a set of contests (a state, a district, the whole country), each decided
by the votes of its places, and a number of seats that wins.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hustings.errors import DesignError
from hustings.stats.proportional import Divisors, our_seats

FloatArray = NDArray[np.float64]
Rule = Literal["electors", "seats", "proportional", "plurality", "majority", "referendum"]
RULES = ("electors", "seats", "proportional", "plurality", "majority", "referendum")
IN_DISTRICTS = ("electors", "seats", "proportional")
"""Rules by which contests bring seats."""
DRAWS = 66_000
_BLOCK = 1 << 22
_MOST = 1 << 29


def logit(share: ArrayLike) -> FloatArray:
    """The log of a share over the rest.

    >>> logit(0.5).tolist()
    0.0
    """
    x = np.asarray(share, dtype=np.float64)
    return np.asarray(np.log(x) - np.log1p(-x))


def expit(lead: ArrayLike) -> FloatArray:
    """The share of which a number is the logit.

    >>> expit(0.0).tolist()
    0.5
    """
    return np.asarray(0.5 * (1 + np.tanh(0.5 * np.asarray(lead, dtype=np.float64))))


class Race(NamedTuple):
    """How the winner is found.

    Attributes:
        weights: (c, p) share of each contest's votes that each place casts; rows sum to 1.
        seats: (c,) electors or seats that each contest gives.
        needed: Seats that win.
        votes: (p,) votes expected in each place, for two parties those of the two.
        threshold: Share of the vote that wins a contest, or None: the first of several wins it.
        divisors: How each contest's seats are divided in proportion to votes; None where the first gets them all.
        hurdle: Share of a contest's votes below which a party gets none of them.
    """

    weights: FloatArray
    seats: FloatArray
    needed: float
    votes: FloatArray
    threshold: float | None = None
    divisors: Divisors | None = None
    hurdle: float = 0.0

    @property
    def contest_votes(self) -> FloatArray:
        """(c,) votes expected in each contest."""
        return (self.weights > 0) @ self.votes

    @property
    def is_place(self) -> NDArray[np.int64]:
        """(c,) the place that is a contest by itself, -1 where several places decide it together."""
        alone = (self.weights > 0).sum(axis=1) == 1
        return np.where(alone, self.weights.argmax(axis=1), -1)


class Outcomes(NamedTuple):
    """Joint draws of a race's result.

    Attributes:
        leads: (n, c, r) lead over each rival in each contest, float32; above 0 the rival is beaten.
        seats: (n,) seats won.
        won: (n,) whether the race is won.
        scale: (n,) by how much each draw's errors are stretched; 1 without heavy tails.
    """

    leads: NDArray[np.float32]
    seats: NDArray[np.float32]
    won: NDArray[np.bool_]
    scale: NDArray[np.float32]

    @property
    def carried(self) -> NDArray[np.bool_]:
        """(n, c) whether each contest is won."""
        return np.asarray((self.leads > 0).all(axis=2))


class Estimate(NamedTuple):
    """A number from draws and its Monte Carlo standard error."""

    value: float
    error: float


def make_race(
    rule: Rule,
    votes: ArrayLike,
    *,
    members: ArrayLike | None = None,
    seats: ArrayLike | None = None,
    needed: float | None = None,
    threshold: float | None = None,
    divisors: Divisors = "d_hondt",
) -> Race:
    """The race that a rule makes of its places.

    `electors` and `seats`: each contest gives its seats to the first, and more than half of them win, or
    `needed`. `proportional`: each contest gives its seats in proportion to votes, to parties above the `threshold`, and
    more than half, or `needed`, win. `plurality`: the votes of all places together, the first wins. `majority`: the same, with more than
    half (or `threshold`) of all votes. `referendum`: yes needs more than `threshold` of all votes, and with
    `needed` also to carry contests with that many seats (the people and the cantons).

    Args:
        rule: One of `RULES`.
        votes: (p,) votes expected in each place, above 0.
        members: (c, p) whether a place votes in a contest; each place is a contest of its own unless given.
        seats: (c,) seats of each contest; for `electors` and `seats`, and for a referendum with `needed`.
        needed: Seats that win; more than half unless given.
        threshold: Share that wins a contest, between 0 and 1; one half unless given. For `proportional` the
            share from which a party gets seats.
        divisors: For `proportional`: `d_hondt` or `sainte_lague`.

    Returns:
        The race.

    Raises:
        DesignError: An unknown rule, no place, votes or seats out of range, or seats that nobody can reach.

    >>> race = make_race("electors", [100, 100, 100], seats=[3, 4, 5])
    >>> race.needed, make_race("plurality", [100, 300]).weights
    (7.0, array([[0.25, 0.75]]))
    """
    if rule not in RULES:
        raise DesignError.unknown("Unknown rule", str(rule), RULES)
    cast = np.asarray(votes, dtype=np.float64)
    if cast.ndim != 1 or not cast.size or not (np.isfinite(cast) & (cast > 0)).all():
        raise DesignError.of("Votes do not fit", received=cast.shape, allowed="(p,) numbers above 0")
    share = 0.5 if threshold is None and rule not in ("plurality", "proportional") else threshold
    if share is not None and not 0 < share < 1:
        raise DesignError.of("No such threshold", received=share, allowed="a share between 0 and 1")
    districts = rule in IN_DISTRICTS
    whole = np.ones((1, cast.size))
    if not districts and needed is None:
        return Race(_weights(whole, cast), np.ones(1), 1.0, cast, share)
    belongs = np.eye(cast.size) if members is None else np.asarray(members, dtype=np.float64)
    given = np.asarray([] if seats is None else seats, dtype=np.float64)
    if given.shape != belongs.shape[:1] or not (np.isfinite(given) & (given >= 0)).all() or not given.sum():
        got = f"{given.size} numbers for {belongs.shape[0]} contests"
        raise DesignError.of(f"{rule}: seats do not fit", received=got, allowed="one of 0 or more for each")
    total = float(given.sum())
    enough = float(np.floor(total / 2) + 1) if needed is None else float(needed)
    if not 0 < enough <= total:
        raise DesignError.of(
            "So many seats cannot be won", received=enough, allowed=f"more than 0, to {total:g}"
        )
    if rule == "proportional":
        return Race(_weights(belongs, cast), given, enough, cast, None, divisors, threshold or 0.0)
    if districts:
        return Race(_weights(belongs, cast), given, enough, cast, threshold)
    # The whole weighs more than all contests together: both are needed, and neither is enough.
    both = np.vstack([belongs, whole])
    return Race(_weights(both, cast), np.append(given, total + 1), total + 1 + enough, cast, share)


def _weights(members: FloatArray, votes: FloatArray) -> FloatArray:
    if members.ndim != 2 or members.shape[1] != votes.size or not members.any(axis=1).all():
        raise DesignError.of(
            "Contests do not fit the places", received=members.shape, allowed=f"(c, {votes.size}), none empty"
        )
    cast = (members > 0) * votes
    weights: FloatArray = cast / cast.sum(axis=1, keepdims=True)
    return weights


def factor(covariance: ArrayLike) -> FloatArray:
    """A matrix L with L Lᵀ the covariance, also where some combination of places does not vary.

    Args:
        covariance: (p, p), symmetric, no negative variance in any direction.

    Returns:
        (p, p).

    Raises:
        DesignError: It is no covariance.

    >>> factor([[4.0, 2.0], [2.0, 1.0]]) @ factor([[4.0, 2.0], [2.0, 1.0]]).T
    array([[4., 2.],
           [2., 1.]])
    """
    matrix = np.asarray(covariance, dtype=np.float64)
    square = matrix.ndim == 2 and matrix.shape[0] == matrix.shape[1]
    if not square or not np.isfinite(matrix).all() or not np.allclose(matrix, matrix.T, atol=1e-10):
        raise DesignError.of("No covariance", received=matrix.shape, allowed="symmetric (p, p), finite")
    try:
        return np.asarray(np.linalg.cholesky(matrix), dtype=np.float64)
    except np.linalg.LinAlgError:
        values, vectors = np.linalg.eigh(matrix)
        if values.min() < -1e-8 * max(values.max(), 1e-12):
            raise DesignError.of(
                "No covariance",
                received=f"a variance of {values.min():.3g}",
                allowed="0 or more in every direction",
            ) from None
        return np.asarray(vectors * np.sqrt(np.maximum(values, 0.0)), dtype=np.float64)


def simulate(
    race: Race,
    mean: ArrayLike,
    covariance: ArrayLike,
    *,
    rng: np.random.Generator,
    draws: int = DRAWS,
    degrees: float | None = None,
) -> Outcomes:
    """Joint draws of all contests.

    Args:
        race: From `make_race`.
        mean: (p,) or (p, r) expected lead over each rival in each place: log of our share over theirs.
        covariance: (p r, p r) of the leads, a place's rivals together.
        rng: The source of randomness.
        draws: How many.
        degrees: Degrees of freedom of Student's t for heavy tails, above 2; normal unless given. The covariance
            stays what it is.

    Returns:
        The draws: contests' leads, seats, and whether the race is won.

    Raises:
        DesignError: Shapes that do not fit, or draws that would not fit into memory.

    >>> race = make_race("electors", [100, 100, 100], seats=[1, 1, 1])
    >>> found = simulate(race, [1, 0, -1], np.eye(3) / 100, rng=np.random.default_rng(1), draws=1000)
    >>> found.leads.shape, bool(abs(found.won.mean() - 0.5) < 0.05)
    ((1000, 3, 1), True)
    """
    centre = _leads(race, mean)
    lower = factor(covariance).astype(np.float32)
    rivals = centre.shape[1]
    if lower.shape[0] != centre.size:
        raise DesignError.of(
            "Covariance and mean do not fit", received=lower.shape, allowed=f"({centre.size}, {centre.size})"
        )
    if draws < 2 or draws * race.seats.size * rivals > _MOST:
        raise DesignError.of(
            "So many draws do not fit", received=draws, allowed="2 or more, as memory allows"
        )
    if race.threshold is not None and rivals > 1:
        rivals = 1
    scale = np.ones(draws, dtype=np.float32)
    if degrees is not None:
        if not degrees > 2:
            raise DesignError.of("No such tails", received=degrees, allowed="degrees of freedom above 2")
        scale = np.sqrt((degrees - 2) / rng.chisquare(degrees, draws)).astype(np.float32)
    leads = np.empty((draws, race.seats.size, rivals), dtype=np.float32)
    step = max(1, _BLOCK // centre.size)
    middle = centre.ravel().astype(np.float32)
    for first in range(0, draws, step):
        part = slice(first, min(first + step, draws))
        noise = rng.standard_normal((part.stop - first, centre.size), dtype=np.float32) @ lower.T
        drawn = middle + noise * scale[part, None]
        leads[part] = contest_leads(race, drawn.reshape(-1, *centre.shape))
    return outcomes(race, leads, scale)


def outcomes(race: Race, leads: NDArray[np.float32], scale: NDArray[np.float32] | None = None) -> Outcomes:
    """What draws of the contests' leads mean for the race.

    Args:
        race: From `make_race`.
        leads: (n, c, r).
        scale: (n,), ones unless given.

    Returns:
        The same draws with seats and whether the race is won.

    >>> race = make_race("electors", [1, 1], seats=[3, 2])
    >>> outcomes(race, np.array([[[0.1], [-0.1]], [[-0.1], [0.1]]], dtype=np.float32)).won
    array([ True, False])
    """
    if race.divisors is not None:
        seats = our_seats(leads, race.seats, race.divisors, race.hurdle).sum(axis=1)
    else:
        seats = (leads > 0).all(axis=2).astype(np.float32) @ race.seats.astype(np.float32)
    stretch = np.ones(leads.shape[0], dtype=np.float32) if scale is None else scale
    return Outcomes(leads, seats, seats >= race.needed - 1e-3, stretch)


def _leads(race: Race, mean: ArrayLike) -> FloatArray:
    centre = np.asarray(mean, dtype=np.float64)
    centre = centre[:, None] if centre.ndim == 1 else centre
    if centre.ndim != 2 or centre.shape[0] != race.votes.size or not np.isfinite(centre).all():
        raise DesignError.of(
            "Leads do not fit the places",
            received=centre.shape,
            allowed=f"({race.votes.size}, rivals), finite",
        )
    return centre


def contest_leads(race: Race, leads: NDArray[np.floating]) -> NDArray[np.floating]:
    """The contests' leads from those of their places.

    Args:
        race: From `make_race`.
        leads: (n, p, r) leads in the places.

    Returns:
        (n, c, r); (n, c, 1) over the threshold where the rule has one.

    >>> race = make_race("referendum", [1, 1], threshold=0.6)
    >>> contest_leads(race, np.log([[[1.5], [1.5]]])).round(9) + 0.0
    array([[[0.]]])
    """
    alone = race.is_place
    single, several = alone >= 0, alone < 0
    one = race.threshold is not None
    ours = -np.logaddexp.reduce(-leads, axis=2) if one and leads.shape[2] > 1 else None
    bar = np.log(race.threshold / (1 - race.threshold)) if race.threshold is not None else 0.0
    found = np.empty((leads.shape[0], alone.size, 1 if one else leads.shape[2]), dtype=leads.dtype)
    if single.any():
        found[:, single] = (ours[:, :, None] if ours is not None else leads)[:, alone[single]] - bar
    if several.any():
        theirs = np.exp(-leads)
        share = 1 / (1 + theirs.sum(axis=2))
        weights = race.weights[several].astype(leads.dtype)
        us = share @ weights.T
        if one:
            found[:, several, 0] = np.log(us / (1 - us)) - bar
        else:
            them = np.einsum("npr,cp->ncr", theirs * share[:, :, None], weights, optimize=True)
            found[:, several] = np.log(us[:, :, None] / them)
    return found


def win_probability(won: ArrayLike, weights: ArrayLike | None = None) -> Estimate:
    """The share of draws that are won and its Monte Carlo error.

    The error is that of Agresti and Coull (two more of each), so that it is not 0 where all draws agree.

    Args:
        won: (n,) booleans.
        weights: (n,) weights of the draws, 0 or more; equal unless given. The error then counts the effective
            number of draws, (Σw)² / Σw².

    Returns:
        Probability and standard error.

    Raises:
        DesignError: There is no draw, or no weight.

    Source: Agresti & Coull, The American Statistician 52 (1998).

    >>> win_probability([True] * 6 + [False] * 4).value
    0.6
    """
    hit = np.asarray(won, dtype=np.float64)
    weight = np.ones(hit.size) if weights is None else np.asarray(weights, dtype=np.float64)
    if hit.ndim != 1 or hit.shape != weight.shape or not weight.sum() > 0 or (weight < 0).any():
        raise DesignError.of("No draws to count", received=hit.shape, allowed="(n,) draws of some weight")
    p = float(weight @ hit / weight.sum())
    n = float(weight.sum() ** 2 / (weight @ weight))
    middle = (p * n + 2) / (n + 4)
    return Estimate(p, float(np.sqrt(middle * (1 - middle) / (n + 4))))
