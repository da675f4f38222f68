"""What more exposures are worth: saturating and S-shaped curves, their concave envelopes, and what is left of a week."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hustings.errors import DesignError
from hustings.stats.clusters import Floats


class Response(NamedTuple):
    """The share of the full effect that z effective exposures have, from 0 at none towards 1.

    Without `shape`, 1 - exp(-rate z): each exposure finds the same share of what is left. With it, Hill's curve
    z^shape / (z^shape + half^shape) with half = 1 / rate: concave up to shape 1, S-shaped above.

    Attributes:
        rate: Above 0; per exposure.
        shape: Above 0, or None.
    """

    rate: float
    shape: float | None = None

    @property
    def concave(self) -> bool:
        """Whether every exposure is worth less than the one before.

        >>> Response(0.3).concave, Response(0.3, 2.0).concave
        (True, False)
        """
        return self.shape is None or self.shape <= 1


def checked(response: Response) -> Response:
    """The same curve.

    Raises:
        DesignError: A rate or shape that is not above 0.

    >>> checked(Response(0.5)).rate
    0.5
    """
    for name, value in (("rate", response.rate), ("shape", response.shape)):
        if value is not None and not (np.isfinite(value) and value > 0):
            raise DesignError.of(f"The {name} of a response", received=value, allowed="a number above 0")
    return response


def share_of_effect(response: Response, exposures: ArrayLike) -> NDArray[np.floating]:
    """The curve at these exposures.

    Args:
        response: The curve.
        exposures: Any shape, at least 0.

    Returns:
        The same shape, in 0–1.

    >>> share_of_effect(Response(1.0), [0.0, 1.0]).round(4).tolist()
    [0.0, 0.6321]
    >>> share_of_effect(Response(0.5, 2.0), [2.0]).tolist()
    [0.5]
    """
    z = np.asarray(exposures) * np.asarray(response.rate, dtype=np.asarray(exposures).dtype)
    if response.shape is None:
        return np.asarray(-np.expm1(-z))
    power = z**response.shape
    return np.asarray(power / (power + 1))


def slope_of_effect(response: Response, exposures: ArrayLike) -> NDArray[np.floating]:
    """What one more exposure adds, at the margin.

    Of Hill's curve with shape below 1 the slope at 0 is infinite; it is that at a millionth of an exposure here.

    >>> slope_of_effect(Response(2.0), [0.0]).tolist()
    [2.0]
    """
    z = np.asarray(exposures) * np.asarray(response.rate, dtype=np.asarray(exposures).dtype)
    if response.shape is None:
        return np.asarray(response.rate * np.exp(-z), dtype=z.dtype)
    z = np.maximum(z, 1e-6)
    power = z**response.shape
    return np.asarray(response.rate * response.shape * power / z / (power + 1) ** 2, dtype=z.dtype)


def envelope(response: Response, exposures: ArrayLike) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """The smallest concave curve above the response, and its slope: what a plan's bound is computed with.

    For Hill's curve with shape k above 1 the tangent from the origin touches at z* = (k - 1)^(1/k) / rate; below
    it the envelope is the tangent.

    Returns:
        Values and slopes at the exposures.

    >>> value, slope = envelope(Response(1.0, 2.0), [0.5, 1.0])
    >>> value.tolist(), slope.tolist()
    ([0.25, 0.5], [0.5, 0.5])
    """
    value, slope = share_of_effect(response, exposures), slope_of_effect(response, exposures)
    if response.concave:
        return value, slope
    shape = response.shape or 1.0
    touch = (shape - 1) ** (1 / shape) / response.rate
    steepest = float(share_of_effect(response, np.array(touch)) / touch)
    z = np.asarray(exposures)
    before = z < touch
    return np.where(before, steepest * z, value), np.where(before, steepest, slope)


def adstock(weeks_before: ArrayLike, half_life_weeks: float) -> Floats:
    """What is left on election day of an exposure so many weeks before.

    Args:
        weeks_before: Any shape, at least 0.
        half_life_weeks: Above 0; weeks in which half is lost.

    Returns:
        0.5 to the power of weeks / half-life.

    Raises:
        DesignError: A half-life that is not above 0, or a week after election day.

    >>> adstock([0, 1, 2], 1.0).tolist()
    [1.0, 0.5, 0.25]
    """
    weeks = np.asarray(weeks_before, dtype=np.float64)
    if not half_life_weeks > 0 or (weeks < 0).any():
        raise DesignError.of(
            "A half-life or a week", received=half_life_weeks, allowed="above 0; not after the day"
        )
    return np.asarray(0.5 ** (weeks / half_life_weeks))
