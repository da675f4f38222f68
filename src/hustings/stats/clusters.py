"""People in units that are drawn, or live, together: codes, sums, and the quantiles of few units."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hustings.errors import DesignError

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


def cluster_codes(cluster: ArrayLike, n: int) -> tuple[Integers, int]:
    """Clusters numbered 0 … G - 1 in the order of their labels, and how many there are.

    Args:
        cluster: (n,) integer labels.
        n: The length that is expected.

    Returns:
        Codes (n,), and G.

    Raises:
        DesignError: Not n labels, or labels that are no whole numbers.

    >>> cluster_codes([7, 3, 7], 3)
    (array([1, 0, 1]), 2)
    """
    labels = np.asarray(cluster)
    if labels.shape != (n,) or labels.dtype.kind not in "iub":
        got = f"{labels.dtype} of shape {labels.shape}"
        raise DesignError.of("Clusters do not fit", received=got, allowed=f"{n} integers")
    if n and labels.min() >= 0 and labels.max() < 4 * n:
        dense = np.bincount(labels) > 0
        return (np.cumsum(dense) - 1)[labels].astype(np.int64, copy=False), int(dense.sum())
    found, codes = np.unique(labels, return_inverse=True)
    return codes.astype(np.int64, copy=False), found.size


def cluster_sums(values: Floats, codes: Integers, n_clusters: int) -> Floats:
    """Sums of each column by cluster.

    Args:
        values: (n,) or (n, k).
        codes: (n,) cluster codes 0 … n_clusters - 1.
        n_clusters: G.

    Returns:
        (G,) or (G, k).

    >>> cluster_sums(np.array([1.0, 2.0, 4.0]), np.array([0, 1, 0]), 2)
    array([5., 2.])
    """
    if values.ndim == 1:
        return np.bincount(codes, weights=values, minlength=n_clusters).astype(np.float64, copy=False)
    sums = np.empty((n_clusters, values.shape[1]))
    for column in range(values.shape[1]):
        sums[:, column] = np.bincount(codes, weights=values[:, column], minlength=n_clusters)
    return sums


def t_quantile(confidence: float, degrees: float) -> float:
    """How many standard errors an interval reaches to each side.

    Args:
        confidence: Coverage, between 0 and 1.
        degrees: Degrees of freedom, at least 1.

    Returns:
        The two-sided quantile of Student's t.

    Raises:
        DesignError: A confidence outside (0, 1).

    >>> round(t_quantile(0.95, 10), 3)
    2.228
    """
    from scipy.special import stdtrit

    if not 0 < confidence < 1:
        raise DesignError.of("A confidence is a share", received=confidence, allowed="between 0 and 1")
    return float(stdtrit(max(degrees, 1.0), 0.5 + confidence / 2))


def arm_codes(arm: ArrayLike, n: int, n_arms: int, control: int) -> Integers:
    """Arms, checked: n whole numbers in 0 … n_arms - 1, with control among them.

    Args:
        arm: (n,) integer codes.
        n: The length that is expected.
        n_arms: How many arms were planned, control included.
        control: Control's code.

    Returns:
        The codes (n,).

    Raises:
        DesignError: A wrong length, type or code.

    >>> arm_codes([0, 1, 1], 3, 2, 0)
    array([0, 1, 1])
    """
    codes = np.asarray(arm)
    if codes.shape != (n,) or codes.dtype.kind not in "iub":
        got = f"{codes.dtype} of shape {codes.shape}"
        raise DesignError.of("Arms do not fit", received=got, allowed=f"{n} integers")
    if not 0 <= control < n_arms:
        raise DesignError.of("Unknown control arm", received=control, allowed=f"0 to {n_arms - 1}")
    if n and not (codes.min() >= 0 and codes.max() < n_arms):
        got = f"{codes.min()} to {codes.max()}"
        raise DesignError.of("Unknown arm codes", received=got, allowed=f"0 to {n_arms - 1}")
    return codes.astype(np.int64, copy=False)
