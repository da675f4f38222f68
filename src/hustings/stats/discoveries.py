"""Many arms at once: how many of those that are called different are not."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from hustings.errors import DesignError
from hustings.stats.clusters import Floats


def q_values(p_values: ArrayLike) -> Floats:
    """The smallest false-discovery rate at which each finding would still be called one.

    q_(i) = min over j >= i of p_(j) m / j, with m the p-values that are known. Calling everything with
    q <= 0.05 a finding keeps the expected share of false ones at 5 %, for independent tests and for arms
    that share a control; with p = 1 / e of an anytime-valid test, whatever their dependence.

    Args:
        p_values: (m,) in 0–1; NaN where there is none, which stays NaN and is not counted.

    Returns:
        (m,) q-values, 0–1.

    Raises:
        DesignError: A p-value outside 0–1.

    Source: Benjamini & Hochberg, JRSS B 57 (1995); Wang & Ramdas, JRSS B 84 (2022), for 1 / e.

    >>> q_values([0.01, 0.04, 0.03, np.nan]).round(3).tolist()
    [0.03, 0.04, 0.04, nan]
    """
    p = np.asarray(p_values, np.float64)
    known = np.flatnonzero(~np.isnan(p))
    if p.ndim != 1 or np.any((p[known] < 0) | (p[known] > 1)):
        raise DesignError.of("p-values do not fit", received=p.shape, allowed="(m,) numbers in 0–1 or NaN")
    q = np.full(p.size, np.nan)
    order = known[np.argsort(p[known], kind="stable")]
    steps = p[order] * known.size / np.arange(1, known.size + 1)
    q[order] = np.minimum(np.minimum.accumulate(steps[::-1])[::-1], 1.0)
    return q
