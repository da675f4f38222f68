"""The population stability index, by hand and by simulation."""

from __future__ import annotations

import numpy as np
import pytest

from hustings.errors import DesignError
from hustings.stats.drift import stability_index


def test_two_bins_by_hand():
    before, after = np.repeat([0.0, 1.0], [5000, 5000]), np.repeat([0.0, 1.0], [2500, 7500])
    by_hand = (0.25 - 0.5) * np.log(0.25 / 0.5) + (0.75 - 0.5) * np.log(0.75 / 0.5)
    assert stability_index(before, after).value == pytest.approx(by_hand, abs=1e-3)


def test_without_drift_the_index_is_about_what_chance_makes():
    rng = np.random.default_rng(1)
    found = [stability_index(rng.standard_normal(800), rng.standard_normal(1200)) for _ in range(400)]
    assert np.mean([f.value for f in found]) == pytest.approx(found[0].by_chance, rel=0.1)
    assert found[0].by_chance == pytest.approx(9 * (1 / 800 + 1 / 1200))


def test_what_was_known_and_is_not_any_more_is_drift():
    x = np.random.default_rng(2).standard_normal(2000)
    gone = np.where(np.arange(2000) % 2 == 0, np.nan, x)
    assert stability_index(x, gone).value > 1
    assert stability_index(x, x + 1).value > 0.25
    assert stability_index(np.full(9, np.nan), np.full(9, np.nan)).value == 0


@pytest.mark.parametrize(("before", "after", "bins", "why"), [
    ([], [1.0], 10, "Nobody"), ([1.0], [np.inf], 10, "Infinite"), ([1.0], [1.0], 1, "Too few bins"),
])  # fmt: skip
def test_what_cannot_be_compared_is_refused(before, after, bins, why):
    with pytest.raises(DesignError, match=why):
        stability_index(before, after, bins=bins)
