"""A Gaussian state that stands still or walks, seen through one number at a time: filter and smoother.

x(t) is the state at step t; its first entries walk, x(t + 1) = x(t) + N(0, gap · walk), and the others stay. A
reading is y = h'x + N(0, r). Readings are taken in one at a time, each as an update of rank one, so that nothing
is ever inverted; the smoother goes back over them and gives the state at step 0 given all readings.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import blas

from hustings.errors import DesignError

Floats = NDArray[np.float64]

# SciPy's BLAS takes the lower triangle of arrays in Fortran's order and updates it in place.
_LOW = 1


class Walk(NamedTuple):
    """What is believed before any reading.

    Attributes:
        mean: (s,) of the state at step 0.
        covariance: (s, s) of the state at step 0.
        walk: (w, w) what the first w entries gain in covariance over one step.
    """

    mean: Floats
    covariance: Floats
    walk: Floats


class Readings(NamedTuple):
    """Numbers that were read, in order of their step.

    Attributes:
        step: (n,) from 0 on, never falling.
        rows: (n, s) loadings h.
        value: (n,) numbers read.
        variance: (n,) of each reading, above 0.
    """

    step: Floats
    rows: Floats
    value: Floats
    variance: Floats


class Filtered(NamedTuple):
    """One pass over the readings.

    Attributes:
        log_likelihood: Of all values, given what was believed before.
        surprise: (n,) each value less what those before it foretold.
        spread: (n,) the variance of that.
        gain: (n, s) loadings of the update, P h / spread.
        stops: (k,) steps at which the state was kept.
        means: (k, q) wanted combinations of the state there, by readings before that step.
        variances: (k, q) of them.
        loads: (k, s, q) covariance of the state and the wanted combinations there.
    """

    log_likelihood: float
    surprise: Floats
    spread: Floats
    gain: Floats
    stops: Floats
    means: Floats
    variances: Floats
    loads: Floats


class Smoothed(NamedTuple):
    """The state given all readings.

    Attributes:
        mean: (s,) at step 0.
        covariance: (s, s) at step 0.
        left_out: (n,) each value less what all *others* foretell.
        left_out_variance: (n,) the variance of that.
        means: (k, q) wanted combinations at the stops.
        variances: (k, q) of them.
        log_likelihood: Of all values.
    """

    mean: Floats
    covariance: Floats
    left_out: Floats
    left_out_variance: Floats
    means: Floats
    variances: Floats
    log_likelihood: float


def run_filter(
    believed: Walk, readings: Readings, *, stops: Floats | None = None, wanted: Floats | None = None
) -> Filtered:
    """Take in the readings one at a time.

    Args:
        believed: The state at step 0, and how it walks.
        readings: (n,) readings in order of their step.
        stops: (k,) steps at which combinations of the state are wanted, never falling; none when None.
        wanted: (q, s) those combinations.

    Returns:
        What each reading told that those before it did not, and the likelihood of all.

    Raises:
        DesignError: Steps that fall, variances that are not above 0, or shapes that do not fit.

    Source: Durbin & Koopman, Time Series Analysis by State Space Methods (2012), section 6.4 (one at a time).

    >>> believed = Walk(np.zeros(1), np.eye(1), np.eye(1))
    >>> found = run_filter(believed, Readings(np.zeros(1), np.ones((1, 1)), np.ones(1), np.ones(1)))
    >>> found.surprise.tolist(), found.spread.tolist(), found.gain.tolist()
    ([1.0], [2.0], [[0.5]])
    """
    _check(believed, readings)
    size, walks, n = len(believed.mean), len(believed.walk), len(readings.value)
    ends = np.zeros(0) if stops is None else np.asarray(stops, np.float64)
    wish = np.zeros((0, size)) if wanted is None else np.asarray(wanted, np.float64)
    state = believed.mean.astype(np.float64)
    spread_of = np.array(believed.covariance, np.float64, order="F")
    surprise, spread, gain = np.empty(n), np.empty(n), np.empty((n, size))
    means, loads = np.empty((len(ends), len(wish))), np.empty((len(ends), size, len(wish)))
    variances = np.empty_like(means)
    # A stop stands before the readings of its own step: what is kept there is by earlier ones only.
    order = np.searchsorted(readings.step, ends, side="left")
    now, at = 0.0, 0

    def go_to(step: float) -> None:
        nonlocal now
        if step > now:
            spread_of[:walks, :walks] += (step - now) * believed.walk
            now = step

    for i in range(n + 1):
        while at < len(ends) and order[at] == i:
            go_to(float(ends[at]))
            means[at] = wish @ state
            loads[at] = blas.dsymm(1.0, spread_of, wish.T, lower=_LOW)
            variances[at] = np.einsum("qs,sq->q", wish, loads[at])
            at += 1
        if i == n:
            break
        go_to(float(readings.step[i]))
        row = readings.rows[i]
        seen = blas.dsymv(1.0, spread_of, row, lower=_LOW)
        total = float(row @ seen) + readings.variance[i]
        told = readings.value[i] - float(row @ state)
        state += seen * (told / total)
        blas.dsyr(-1.0 / total, seen, lower=_LOW, a=spread_of, overwrite_a=1)
        surprise[i], spread[i], gain[i] = told, total, seen / total
    likelihood = -0.5 * float(np.sum(np.log(2 * np.pi * spread) + surprise**2 / spread))
    return Filtered(likelihood, surprise, spread, gain, ends, means, variances, loads)


def run_smoother(believed: Walk, readings: Readings, filtered: Filtered) -> Smoothed:
    """Go back over the readings, to the state at step 0 given all of them.

    With u the scaled surprise and r, N the sums that run backwards over the readings,

        u_i = v_i / F_i − k_i'r,   r ← r + h_i u_i
        D_i = 1 / F_i + k_i'N k_i, N ← (I − k_i h_i')'N(I − k_i h_i') + h_i h_i' / F_i

    and the state at a step is a + P r with covariance P − P N P. u / D is what a value is more than all others
    foretell, with variance 1 / D.

    Args:
        believed: As given to the filter.
        readings: As given to the filter.
        filtered: What the filter found.

    Returns:
        The state at step 0, the wanted combinations at the stops, and every reading held against all others.

    Source: de Jong, Biometrika 75 (1988) and 76 (1989); Durbin & Koopman (2012), sections 4.5 and 6.4.

    >>> believed = Walk(np.zeros(1), np.eye(1), np.eye(1))
    >>> readings = Readings(np.zeros(1), np.ones((1, 1)), np.ones(1), np.ones(1))
    >>> found = run_smoother(believed, readings, run_filter(believed, readings))
    >>> found.mean.tolist(), found.covariance.tolist(), found.left_out.tolist()
    ([0.5], [[0.5]], [1.0])
    """
    size, n, k = len(believed.mean), len(readings.value), len(filtered.stops)
    back, squared = np.zeros(size), np.zeros((size, size), order="F")
    told, precision = np.empty(n), np.empty(n)
    means, variances = np.empty_like(filtered.means), np.empty_like(filtered.means)
    order = np.searchsorted(readings.step, filtered.stops, side="left")
    at = k - 1
    for i in range(n, -1, -1):
        while at >= 0 and order[at] == i:
            load = filtered.loads[at]
            means[at] = filtered.means[at] + back @ load
            known = np.einsum("sq,sq->q", load, blas.dsymm(1.0, squared, load, lower=_LOW))
            variances[at] = filtered.variances[at] - known
            at -= 1
        if i == 0:
            break
        row, gain, total = readings.rows[i - 1], filtered.gain[i - 1], filtered.spread[i - 1]
        u = filtered.surprise[i - 1] / total - float(gain @ back)
        seen = blas.dsymv(1.0, squared, gain, lower=_LOW)
        d = 1.0 / total + float(gain @ seen)
        back += row * u
        blas.dsyr2(-1.0, row, seen, lower=_LOW, a=squared, overwrite_a=1)
        blas.dsyr(d, row, lower=_LOW, a=squared, overwrite_a=1)
        told[i - 1], precision[i - 1] = u, d
    whole = np.tril(squared) + np.tril(squared, -1).T
    before = believed.covariance
    after = before - before @ whole @ before
    return Smoothed(
        mean=believed.mean + before @ back,
        covariance=(after + after.T) / 2,
        left_out=told / precision,
        left_out_variance=1.0 / precision,
        means=means,
        variances=variances,
        log_likelihood=filtered.log_likelihood,
    )


def _check(believed: Walk, readings: Readings) -> None:
    n, size = len(readings.value), len(believed.mean)
    shapes = [readings.step.shape, readings.rows.shape, readings.variance.shape, believed.covariance.shape]
    if shapes != [(n,), (n, size), (n,), (size, size)] or len(believed.walk) > size:
        raise DesignError.of(
            "Readings and state do not fit", received=shapes, allowed="(n,), (n, s), (n,), (s, s)"
        )
    if n and (readings.step[0] < 0 or np.any(np.diff(readings.step) < 0)):
        raise DesignError.of(
            "Readings are not in order of their step", allowed="steps from 0 on that never fall"
        )
    if not np.all(readings.variance > 0):
        raise DesignError.of("A reading has a variance that is not above 0")
