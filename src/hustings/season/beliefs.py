"""The literature and the season's own decisions ─► what each channel is expected to do among whom."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from hustings import stats
from hustings.simulate.season import CHANNELS, assigned

Floats = npt.NDArray[np.float64]
SEGMENTS = 3


class Beliefs(NamedTuple):
    """Effects per person assigned, by channel and by how often someone votes; both (channels, segments).

    Attributes:
        mean: Expected.
        std_error: How unsure that is.
    """

    mean: Floats
    std_error: Floats


def believe(readings: list[tuple[int, int, float, float]]) -> Beliefs:
    """The literature, updated by the readings.

    Readings of one channel and segment in different weeks are averaged by their precision; then each channel's prior
    is updated by its segments, which differ as tests differ.

    Args:
        readings: Channel, segment, effect per person assigned, and its standard error.

    Returns:
        Posterior means and errors; the literature's own where nothing has been read.

    >>> believe([]).mean[0].round(4).tolist()
    [0.0045, 0.0045, 0.0045]
    """
    mean, error = np.zeros((len(CHANNELS), SEGMENTS)), np.zeros((len(CHANNELS), SEGMENTS))
    for channel, name in enumerate(CHANNELS):
        told = [[(y, e) for c, s, y, e in readings if (c, s) == (channel, part)] for part in range(SEGMENTS)]
        known = [part for part in range(SEGMENTS) if told[part]]
        weight = [np.array([1 / e**2 for _, e in told[part]]) for part in known]
        found = [
            float(w @ [y for y, _ in told[part]] / w.sum()) for w, part in zip(weight, known, strict=True)
        ]
        variance = np.diag([1 / w.sum() for w in weight]) if known else np.zeros((0, 0))
        updated = stats.evidence.update_prior(assigned(name), np.array(found), variance)
        mean[channel], error[channel] = updated.mean, updated.new_error
        mean[channel, known], error[channel, known] = updated.effect, updated.effect_error
    return Beliefs(mean, error)


def readings_of(
    channel: int,
    value: Floats,
    held_out: npt.NDArray[np.bool_],
    household: npt.NDArray[np.int64],
    segment: npt.NDArray[np.int64],
) -> list[tuple[int, int, float, float]]:
    """What a measured decision says of each segment, per person who was to be reached.

    Args:
        channel: Its channel.
        value: (n,) the outcome of each person of its list, NaN where it is not known.
        held_out: (n,) who was in the control group.
        household: (n,) integer labels.
        segment: (n,) segment of each.

    Returns:
        Channel, segment, effect and its standard error; none of a segment in which nothing can be told.
    """
    found = []
    for part in range(SEGMENTS):
        own = (segment == part) & np.isfinite(value)
        if not (own & held_out).any() or not (own & ~held_out).any():
            continue
        lift = stats.means.difference_in_means(
            value[own], (~held_out[own]).astype(np.int64), household[own], n_arms=2
        )
        if lift.reason[0] is None and lift.std_error[0] > 0:
            found.append((channel, part, float(lift.estimate[0]), float(lift.std_error[0])))
    return found
