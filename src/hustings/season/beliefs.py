"""The literature and the season's own decisions ─► what each channel is expected to do among whom."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from hustings import stats
from hustings.plans.measured import Listed, read_gain, values_of
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
    channel: int, listed: Listed, known: dict[str, npt.NDArray[Any]], segment: npt.NDArray[np.int64]
) -> list[tuple[int, int, float, float]]:
    """What a measured decision says of each segment, per person who was to be reached.

    Args:
        channel: Its channel.
        listed: Its list.
        known: The outcomes that are known.
        segment: (n,) segment of each person of the list.
    """
    value, found = values_of(listed, known), []
    for part in range(SEGMENTS):
        own = segment == part
        some = listed._replace(
            person_id=listed.person_id[own], household=listed.household[own], held_out=listed.held_out[own]
        )
        reading = read_gain(some, value[own]) if own.any() else None
        n = int((~some.held_out).sum())
        if reading is not None and reading.gain is not None and reading.std_error is not None and n:
            found.append((channel, part, reading.gain / n, reading.std_error / n))
    return found
