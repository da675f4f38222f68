"""What a test of places could find, tried on the places' own history before a cent is spent."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from hustings.errors import DesignError
from hustings.stats.clusters import Floats, Integers
from hustings.stats.geo_design import LOOKED, Ways
from hustings.stats.geo_readings import frame, stock

_WINDOWS = 8
_DEALINGS = 200
_STEPS = 20


class Power(NamedTuple):
    """What the test could find.

    Attributes:
        detectable: Effect of one unit of dose that would be found with the power wished; infinity where the test can
            find nothing, however large.
        false_alarms: How often it would find something where nothing was spent.
        n_windows: Stretches of the history on which it was tried.
        n_dealings: Dealings tried on each.
    """

    detectable: float
    false_alarms: float
    n_windows: int
    n_dealings: int


class _Tried(NamedTuple):
    """Of one stretch: estimates, what a unit of effect adds to them, and the three terms of their error."""

    alone: Floats
    moved: Floats
    error: Floats


def detectable_dose_effect(
    history: ArrayLike,
    sequences: ArrayLike,
    dealings: Ways,
    *,
    half_life: float = 0.0,
    power: float = 0.8,
    alpha: float = 0.05,
    weight: ArrayLike | None = None,
) -> Power:
    """The smallest effect that the test would find in four cases of five, on stretches of the history.

    Each stretch is read as if the test had taken place there, with every dealing in turn as the one that did and all as
    the yardstick: an effect moves both. Nothing is assumed of how outcomes vary.

    Args:
        history: (p, h) outcomes before the test.
        sequences: (a, w) doses of the test's weeks.
        dealings: From `ways`.
        half_life: Of the dose, in weeks.
        power: Chance of finding it, between alpha and 1.
        alpha: Size of the two-sided test.
        weight: (p, h) people behind each outcome.

    Returns:
        The power.

    Raises:
        DesignError: A history that is not two weeks longer than the test, or chances that make no sense.

    >>> from hustings.stats.geo_design import parallel, ways
    >>> rng = np.random.default_rng(1)
    >>> dealt = ways(np.arange(12) % 2, np.zeros(12, int), rng)
    >>> found = detectable_dose_effect(rng.standard_normal((12, 20)), parallel([0, 1], 4), dealt)
    >>> bool(0.5 < found.detectable < 1.5), bool(found.false_alarms <= 0.06)
    (True, True)
    """
    told, doses = np.asarray(history, np.float64), np.asarray(sequences, np.float64)
    if not 0 < alpha < power < 1:
        raise DesignError.of(
            "Chances", received=f"alpha {alpha}, power {power}", allowed="0 < alpha < power < 1"
        )
    weeks = doses.shape[1]
    if told.ndim != 2 or told.shape[1] < weeks + 2:
        raise DesignError.of(
            "The history is too short to try the test on it",
            received=f"{told.shape[-1]} weeks for a test of {weeks}",
            allowed="two weeks more than the test",
        )
    heavy = None if weight is None else np.broadcast_to(np.asarray(weight, np.float64), told.shape)
    # Where they are all of them they come in order: the first ones would be alike.
    some = np.random.default_rng(0).permutation(len(dealings.sequence))[:_DEALINGS]
    dealt = dealings.sequence[some]
    last = told.shape[1] - weeks
    starts = np.unique(np.linspace(max(2, last // 2), last, _WINDOWS).astype(int))
    tries = [_window(told, heavy, int(start), doses, dealt, half_life) for start in starts]
    none = _found(tries, 0.0, alpha)
    high = 1.0
    for _ in range(60):
        if _found(tries, high, alpha) >= power:
            break
        high *= 2
    else:
        return Power(np.inf, none, len(starts), len(dealt))
    low = 0.0
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (low, middle) if _found(tries, middle, alpha) >= power else (middle, high)
    return Power(high, none, len(starts), len(dealt))


def smallest_p(sequences: ArrayLike, dealings: Ways) -> float:
    """The smallest p-value that a test can have: dealings that give the same doses, or their mirror, never count less.

    Args:
        sequences: (a, w) doses.
        dealings: From `ways`.

    Returns:
        A share of all dealings; where they are drawn from, one in so many as a reading draws.

    >>> from hustings.stats.geo_design import parallel, ways
    >>> round(smallest_p(parallel([0, 1], 2), ways([0, 0, 0, 1, 1, 1], [0] * 6, np.random.default_rng(1))), 3)
    0.1
    """
    if not dealings.exact:
        return 1 / LOOKED
    table = np.asarray(sequences, np.float64)
    # A week without doses stands for the history, against which the test is read.
    z = np.concatenate([np.zeros((len(table), 1)), table], axis=1)[dealings.sequence]
    z = z - z.mean(2, keepdims=True)
    z = (z - z.mean(1, keepdims=True)).reshape(len(z), -1)
    size = np.sqrt((z * z).sum(1))
    alike = np.abs(z @ z[0]) >= size * size[0] * (1 - 1e-9)
    return float(alike.mean())


def _window(
    told: Floats, heavy: Floats | None, start: int, doses: Floats, dealt: Integers, half_life: float
) -> _Tried:
    """Estimates and errors of every dealing, were each in turn the one that took place."""
    end = start + doses.shape[1]
    known = frame(told[:, :end], None if heavy is None else heavy[:, :end])
    full = np.zeros((len(doses), end))
    full[:, start:] = doses
    z = known.rest(stock(full, half_life)[dealt])
    m = len(z)
    length = np.where((z * z).sum(1) > 1e-18, (z * z).sum(1), np.inf)
    alone, moved = z @ known.outcome / length, (z @ z.T) / length[:, None]
    error = np.zeros((3, m, m))
    for part in np.split(np.arange(known.cells.size), np.flatnonzero(np.diff(known.cells // end)) + 1):
        own, y = z[:, part], known.outcome[part]
        size = (own * own).sum(1)
        left = (own @ y - alone * size)[:, None]
        more = own @ own.T - moved * size[:, None]
        error += np.array([np.broadcast_to(left * left, (m, m)), left * more, more * more])
    return _Tried(alone[:, None], moved, error / (length**2)[None, :, None])


def _found(tries: list[_Tried], effect: float, alpha: float) -> float:
    """How often the test refuses no effect, over stretches and dealings."""
    shares = []
    for alone, moved, error in tries:
        square = error[0] + 2 * effect * error[1] + effect**2 * error[2]
        size = (alone + effect * moved) ** 2 / np.maximum(square, 1e-18 * max(float(error[0].max()), 1e-300))
        p = (size >= np.diagonal(size)[None, :] * (1 - 1e-9)).mean(0)
        shares.append(np.mean(p <= alpha + 1e-9))
    return float(np.mean(shares))
