"""What a contact adds: ballots, or net votes, averaged as a product over what is not known.

With t the chance of voting and s the chance of voting for us if so, a person is worth t (2 s - 1) net votes. A
contact moves t, s or both, so it adds

    E[ t1 (2 s1 - 1) - t0 (2 s0 - 1) ],

and the expectation stands outside the product: the same error moves t0 and t1, and a shift of log-odds does not
move everyone alike. What is not known is a handful of errors that all people share (of each score's level, of each
effect), independent and normal. Each is set to 0 and ± sqrt(3) standard deviations in turn, with the weights of
Gauss and Hermite: exact for polynomials of degree 5 in one error, and for products of two.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hustings.errors import DesignError

Floats = NDArray[np.float64]
NODES = (
    (0.0, 0.0, 0.0, 0.0),
    *tuple(
        tuple(sign * 3**0.5 if axis == i else 0.0 for i in range(4)) for axis in range(4) for sign in (-1, 1)
    ),
)
"""Errors of turnout, support, the effect on turnout and the effect on support, in standard deviations."""
WEIGHTS = np.array([1 - 4 / 3, *[1 / 6] * 8])
_BLOCK = 1 << 17
_EDGE = 1e-6


class Move(NamedTuple):
    """What an action does to one chance.

    Attributes:
        estimate: For everyone or (n,): a shift of log-odds, or a change in shares.
        std_error: Of it, shared by all.
        log_odds: Whether it is a shift of log-odds.
    """

    estimate: ArrayLike
    std_error: ArrayLike = 0.0
    log_odds: bool = False


NOTHING = Move(0.0)


def nodes(
    turnout: ArrayLike,
    support: ArrayLike | None,
    on_turnout: Move,
    on_support: Move = NOTHING,
    *,
    score_errors: tuple[float, float] = (0.0, 0.0),
) -> Floats:
    """What an action adds for each person at each node of the errors.

    Args:
        turnout: (n,) chance of voting without it, 0 to 1.
        support: (n,) chance of voting for us if voting, 0 to 1; None to count ballots alone.
        on_turnout: What it does to the first.
        on_support: What it does to the second.
        score_errors: Standard deviations of an error of all of `turnout`, and of all of `support`, in log-odds.

    Returns:
        (9, n) net votes, or ballots, at `NODES`; their mean by `WEIGHTS` is what is expected.

    Raises:
        DesignError: A chance is missing or out of range, or an effect is not a number.

    >>> added = nodes([0.5], [1.0], Move(0.1))
    >>> bool(abs(WEIGHTS @ added[:, 0] - 0.1) < 1e-6)
    True
    """
    t = _chances(turnout, "turnout")
    s = None if support is None else _chances(support, "support")
    moves = [
        np.broadcast_to(np.asarray(x, np.float64), t.shape) for m in (on_turnout, on_support) for x in m[:2]
    ]
    if not all(np.isfinite(move).all() for move in moves):
        lost = max(int(np.sum(~np.isfinite(move))) for move in moves)
        raise DesignError.of(
            "An effect is missing", received=f"{lost:,} people without one", allowed="numbers"
        )
    found = np.empty((len(NODES), t.size))
    for at, (z_turnout, z_support, z_mobilised, z_persuaded) in enumerate(NODES):
        t0 = _shifted(t, z_turnout * score_errors[0])
        t1 = _moved(t0, moves[0] + z_mobilised * moves[1], log_odds=on_turnout.log_odds)
        if s is None:
            found[at] = t1 - t0
            continue
        s0 = _shifted(s, z_support * score_errors[1])
        s1 = _moved(s0, moves[2] + z_persuaded * moves[3], log_odds=on_support.log_odds)
        found[at] = t1 * (2 * s1 - 1) - t0 * (2 * s0 - 1)
    return found


def expected(
    turnout: ArrayLike,
    support: ArrayLike | None,
    on_turnout: Move,
    on_support: Move = NOTHING,
    *,
    score_errors: tuple[float, float] = (0.0, 0.0),
) -> Floats:
    """(n,) what an action is expected to add for each person; arguments as of `nodes`, in blocks of memory.

    >>> expected([0.5, 0.5], [0.9, 0.1], Move(0.1)).round(3).tolist()
    [0.08, -0.08]
    """
    t = np.asarray(turnout, np.float64)
    s = None if support is None else np.asarray(support, np.float64)
    found = np.empty(t.size)
    for first in range(0, t.size, _BLOCK):
        rows = slice(first, first + _BLOCK)
        own = (_part(on_turnout, rows, t.size), _part(on_support, rows, t.size))
        found[rows] = WEIGHTS @ nodes(
            t[rows], None if s is None else s[rows], *own, score_errors=score_errors
        )
    return found


def total(values: ArrayLike) -> tuple[float, float]:
    """The mean and the standard deviation of a sum over people, from its values at the nodes.

    The errors are independent, so their variances add.

    Args:
        values: (9,) the sum at each of `NODES`.

    Returns:
        Mean and standard deviation.

    >>> mean, deviation = total([0, -3**0.5, 3**0.5, 0, 0, 0, 0, 0, 0])
    >>> round(mean, 6), round(deviation, 6)
    (0.0, 1.0)
    """
    v = np.asarray(values, np.float64)
    return float(WEIGHTS @ v), float(np.sqrt(sum(axis_variances(v))))


def axis_variances(values: ArrayLike) -> Floats:
    """(4,) the variance of a sum that comes from each error, from its values at the nodes.

    >>> axis_variances([0, -3**0.5, 3**0.5, 0, 0, 0, 0, 0, 0]).round(6).tolist()
    [1.0, 0.0, 0.0, 0.0]
    """
    v = np.asarray(values, np.float64)
    away = v[1:].reshape(4, 2) - v[0]
    mean = away.sum(1) / 6
    return np.asarray((away**2).sum(1) / 6 - mean**2, np.float64)


def log_odds_shift(chance: ArrayLike, effect: float, weight: ArrayLike | None = None) -> tuple[float, float]:
    """The shift of everyone's log-odds that moves the mean chance by an effect, and how the mean moves with it.

    Args:
        chance: (n,) chances before, 0 to 1.
        effect: The change of their mean.
        weight: (n,) weights of that mean; all alike unless given.

    Returns:
        The shift, and the derivative of the mean at 0: an error of the effect is divided by it.

    Raises:
        DesignError: The mean cannot change so much.

    >>> shift, slope = log_odds_shift([0.5], 0.1)
    >>> round(shift, 4), round(slope, 4)
    (0.4055, 0.25)
    """
    p = _chances(chance, "chance")
    w = np.ones(p.size) if weight is None else np.asarray(weight, np.float64)
    w = w / w.sum()
    mean = float(w @ p)
    if not (np.isfinite(effect) and 0 < mean + effect < 1):
        raise DesignError.of(
            "The mean chance cannot change so much", received=effect, allowed=f"{-mean:.3f} to {1 - mean:.3f}"
        )
    slope = float(w @ (p * (1 - p)))
    shift = effect / slope
    for _ in range(50):
        moved = _shifted(p, shift)
        step = (mean + effect - float(w @ moved)) / max(float(w @ (moved * (1 - moved))), 1e-12)
        shift += float(np.clip(step, -2, 2))
        if abs(step) < 1e-10:
            break
    return float(shift), slope


def _chances(values: ArrayLike, name: str) -> Floats:
    found = np.asarray(values, np.float64)
    if found.ndim != 1 or not np.isfinite(found).all() or ((found < 0) | (found > 1)).any():
        bad = int(np.sum(~((found >= 0) & (found <= 1))))
        raise DesignError.of(
            f"{name}: a chance is missing or out of range", received=f"{bad:,} of {found.size:,}"
        )
    return found


def _shifted(chance: Floats, by: ArrayLike) -> Floats:
    if np.ndim(by) == 0 and by == 0.0:
        return chance
    inside = np.clip(chance, _EDGE, 1 - _EDGE)
    moved = 1 / (1 + (1 / inside - 1) * np.exp(-np.asarray(by, np.float64)))
    return np.where((chance > _EDGE) & (chance < 1 - _EDGE), moved, chance)


def _moved(chance: Floats, by: Floats, *, log_odds: bool) -> Floats:
    # A change in shares is not cut off at 0 and 1: its mean is what was measured, and is to stay so.
    return _shifted(chance, by) if log_odds else chance + by


def _part(move: Move, rows: slice, n: int) -> Move:
    estimate, error = (np.broadcast_to(np.asarray(x, np.float64), (n,))[rows] for x in move[:2])
    return Move(estimate, error, move.log_odds)
