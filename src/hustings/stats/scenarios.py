"""What if: the forecast given shares or winners that are supposed, and the paths that lead to victory."""

from __future__ import annotations

from itertools import combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hustings.errors import DesignError
from hustings.stats.races import Estimate, FloatArray, Outcomes, Race, win_probability

_CONTESTED = 16
_FEWEST = 200


class Path(NamedTuple):
    """One way to win.

    Attributes:
        contests: The contested contests that must be won, in order of the sure to the unsure.
        p_all: Probability that all of them are won.
        p_win: Probability of winning the race given that all of them are.
        covers: Share of the draws won in which this path or one before it holds.
    """

    contests: tuple[int, ...]
    p_all: float
    p_win: Estimate
    covers: float


class Paths(NamedTuple):
    """The paths to victory.

    Attributes:
        safe: Contests that every path counts on besides: they are likelier won than lost, and not contested.
        safe_seats: Their seats.
        contested: Contests that are not certain, the likeliest first.
        paths: The smallest sets that win, the one that covers most draws first.
    """

    safe: tuple[int, ...]
    safe_seats: float
    contested: tuple[int, ...]
    paths: tuple[Path, ...]


def given_leads(
    mean: ArrayLike, covariance: ArrayLike, places: ArrayLike, leads: ArrayLike
) -> tuple[FloatArray, FloatArray]:
    """The forecast given the result of some places: exact conditioning of a Gaussian.

    m + S_a S_aa⁻¹ (x - m_a) and S - S_a S_aa⁻¹ S_aᵀ, a the places known.

    Args:
        mean: (p,) expected leads, logits of our two-party share.
        covariance: (p, p).
        places: (k,) places whose result is supposed, each once.
        leads: (k,) their leads. A margin of m (0.02 is two points) is `lead_of_margin(m)`.

    Returns:
        Mean and covariance of all places; those supposed no longer vary.

    Raises:
        DesignError: An unknown place, one named twice, a lead that is no number, or places that say the same
            twice over.

    Source: Rasmussen & Williams, Gaussian Processes for Machine Learning (2006), eq. A.6.

    >>> m, s = given_leads([0.0, 0.0], [[1.0, 0.5], [0.5, 1.0]], [0], [1.0])
    >>> m.tolist(), s.tolist()
    ([1.0, 0.5], [[0.0, 0.0], [0.0, 0.75]])
    """
    centre, spread = np.asarray(mean, dtype=np.float64), np.asarray(covariance, dtype=np.float64)
    known, lead = np.asarray(places, dtype=np.int64), np.asarray(leads, dtype=np.float64)
    fits = known.ndim == 1 and known.shape == lead.shape and np.unique(known).size == known.size
    if not fits or not ((known >= 0) & (known < centre.size)).all() or not np.isfinite(lead).all():
        raise DesignError.of(
            "Such places cannot be supposed", received=known.tolist(), allowed="each place once"
        )
    if not known.size:
        return centre.copy(), spread.copy()
    inner, cross = spread[np.ix_(known, known)], spread[:, known]
    try:
        gain = np.linalg.solve(inner, cross.T).T
    except np.linalg.LinAlgError:
        raise DesignError.of(
            "Places that do not vary by themselves cannot be supposed",
            received=known.tolist(),
            allowed="fewer places",
        ) from None
    after = spread - gain @ cross.T
    after[known, :] = 0.0
    after[:, known] = 0.0
    moved = centre + gain @ (lead - centre[known])
    moved[known] = lead
    return moved, (after + after.T) / 2


def lead_of_margin(margin: float) -> float:
    """The lead of a margin of the two-party vote: the logit of (1 + margin) / 2.

    Args:
        margin: Between -1 and 1; 0.02 is two points.

    Returns:
        The lead.

    Raises:
        DesignError: A margin out of range.

    >>> round(lead_of_margin(0.02), 5)
    0.04001
    """
    if not -1 < margin < 1:
        raise DesignError.of(
            "No such margin", received=margin, allowed="between -1 and 1; two points are 0.02"
        )
    return float(np.log1p(margin) - np.log1p(-margin))


def given_winners(found: Outcomes, won: ArrayLike, lost: ArrayLike = ()) -> NDArray[np.bool_]:
    """The draws in which some contests are won and others lost.

    Args:
        found: From `simulate`.
        won: Contests supposed to be won.
        lost: Contests supposed to be lost.

    Returns:
        (n,) which draws agree: any number of theirs is one given the supposition.

    Raises:
        DesignError: Too few draws agree to say anything, or a contest is unknown.

    >>> from hustings.stats.races import make_race, outcomes
    >>> leads = np.array([[[1.0], [1.0]], [[1.0], [-1.0]]] * 200, dtype=np.float32)
    >>> race = make_race("seats", [1, 1], seats=[1, 1])
    >>> int(given_winners(outcomes(race, leads), [1]).sum())
    200
    """
    carried = found.carried
    wanted, unwanted = (np.asarray(list(np.atleast_1d(x)), dtype=np.int64) for x in (won, lost))
    named = np.concatenate([wanted, unwanted])
    if not ((named >= 0) & (named < carried.shape[1])).all():
        raise DesignError.of(
            "Unknown contest", received=named.tolist(), allowed=f"0 to {carried.shape[1] - 1}"
        )
    agree = np.asarray(carried[:, wanted].all(axis=1) & ~carried[:, unwanted].any(axis=1))
    if agree.sum() < _FEWEST:
        raise DesignError.of(
            "This hardly ever happens",
            received=f"{int(agree.sum())} of {agree.size} draws",
            allowed=f"{_FEWEST} draws or more",
            then="suppose less, or suppose shares instead of winners",
        )
    return agree


def tipping_points(race: Race, found: Outcomes) -> FloatArray:
    """How often each contest is the one that decides.

    In a draw, contests are ordered by our lead, the largest first; the one that brings the seats to `needed` is
    the tipping point. The race is won exactly when the tipping point is: no other contest has that property.

    Args:
        race: From `make_race`.
        found: From `simulate`.

    Returns:
        (c,) share of the draws; they sum to 1. Its error is sqrt(p (1 - p) / n).

    Source: the definition is FiveThirtyEight's (Silver 2008), from our own side in every draw.

    >>> from hustings.stats.races import make_race, outcomes
    >>> race = make_race("electors", [1, 1, 1], seats=[1, 1, 1])
    >>> tipping_points(race, outcomes(race, np.array([[[3.0], [1.0], [2.0]]], dtype=np.float32)))
    array([0., 0., 1.])
    """
    lead = found.leads.min(axis=2)
    contests = race.seats.size
    if contests == 1:
        return np.ones(1)
    order = np.argsort(-lead, axis=1)
    gained = np.cumsum(race.seats.astype(np.float32)[order], axis=1)
    first = (gained >= race.needed - 1e-3).argmax(axis=1)
    decisive = order[np.arange(order.shape[0]), first]
    counts: FloatArray = np.bincount(decisive, minlength=contests) / order.shape[0]
    return counts


def paths_to_victory(race: Race, found: Outcomes, *, most: int = 8, contested: int = _CONTESTED) -> Paths:
    """The smallest sets of contests that win most of the draws.

    The contests nearest to one half are contested; of the others those likelier won are counted on. A path is a set
    of contested contests with the seats that are still needed, none of which could be left out. Of the smallest
    ones (and those of one more) the path is taken first that holds in most of the draws won, then the one that adds
    most to it, and so on.

    Args:
        race: From `make_race`.
        found: From `simulate`.
        most: How many paths.
        contested: How many contests count as contested, 1 to 20.

    Returns:
        What is counted on, what is contested, and the paths; none where the race is never won.

    Raises:
        DesignError: A number out of range.

    >>> from hustings.stats.races import make_race, simulate
    >>> race, rng = make_race("seats", [1, 1, 1], seats=[1, 1, 1]), np.random.default_rng(1)
    >>> found = simulate(race, [0.1, 0, -0.1], np.eye(3) / 100, rng=rng, draws=2000)
    >>> [path.contests for path in paths_to_victory(race, found).paths]
    [(0, 1), (0, 2), (1, 2)]
    """
    if not (most > 0 and 1 <= contested <= 20):
        raise DesignError.of(
            "No such paths", received=f"{most} of {contested}", allowed="1 or more of 1 to 20"
        )
    carried = found.carried
    chance = carried.mean(axis=0)
    nearest = np.argsort(np.abs(chance - 0.5), kind="stable")[:contested]
    nearest = nearest[(chance[nearest] > 0.005) & (chance[nearest] < 0.995) & (race.seats[nearest] > 0)]
    open_ = nearest[np.argsort(-chance[nearest], kind="stable")]
    safe = np.setdiff1d(np.flatnonzero(chance > 0.5), open_)
    lacking = race.needed - float(race.seats[safe].sum())
    sets = _smallest(race.seats[open_], lacking)
    masks = (carried[:, open_] @ (1 << np.arange(open_.size, dtype=np.int64))).astype(np.int64)
    paths: list[Path] = []
    covered = np.zeros(found.won.size, dtype=bool)
    wins = max(int(found.won.sum()), 1)
    kinds, place = np.unique(masks, return_inverse=True)
    tally = np.bincount(place, weights=found.won)
    holds = {chosen: (kinds & _mask(chosen)) == _mask(chosen) for chosen in sets}
    left = tally.copy()
    while holds and len(paths) < most and found.won.any():
        chosen = max(holds, key=lambda one: float(left @ holds[one]))
        held = holds.pop(chosen)
        if not left @ held:
            break
        left[held] = 0.0
        every = held[place]
        covered |= every
        paths.append(
            Path(
                tuple(int(open_[i]) for i in chosen),
                float(every.mean()),
                win_probability(found.won[every]),
                float((covered & found.won).sum() / wins),
            )
        )
    return Paths(tuple(map(int, safe)), race.needed - lacking, tuple(map(int, open_)), tuple(paths))


def _mask(chosen: tuple[int, ...]) -> int:
    return sum(1 << i for i in chosen)


def _smallest(seats: FloatArray, lacking: float) -> list[tuple[int, ...]]:
    """The sets with `lacking` seats of which none can be left out: those of the fewest, and of one more."""
    if lacking <= 0:
        return [()]
    found: list[tuple[int, ...]] = []
    for size in range(1, seats.size + 1):
        for chosen in combinations(range(seats.size), size):
            total = float(seats[list(chosen)].sum())
            if total >= lacking > total - float(seats[list(chosen)].min()):
                found.append(chosen)
        if found and size > len(found[0]):
            break
    return found
