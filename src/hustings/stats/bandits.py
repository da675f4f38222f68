"""Which variant is best, what it would cost to stop now, and whom the next batch goes to."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hustings.errors import DesignError

Floats = NDArray[np.float64]


class Chances(NamedTuple):
    """What draws of the true means say; (k,) each.

    Attributes:
        p_best: Probability that the variant is the best of all.
        expected_loss: What is lost a recipient, on average, by sending it for ever.
    """

    p_best: Floats
    expected_loss: Floats


def chances(draws: ArrayLike) -> Chances:
    """How likely each variant is the best, and what sending it is expected to lose.

    Args:
        draws: (d, k) draws of the true means (`stats.winners.draw_means`).

    Returns:
        Shares of the draws, and mean losses in the outcome's unit a recipient.

    Raises:
        DesignError: No draws, or no variants.

    >>> chances([[1.0, 2.0], [3.0, 2.0], [1.0, 2.0]]).p_best.round(2).tolist()
    [0.33, 0.67]
    """
    theta = np.asarray(draws, np.float64)
    if theta.ndim != 2 or not theta.size or not np.isfinite(theta).all():
        raise DesignError.of("Draws do not fit", received=theta.shape, allowed="(d, k) finite numbers")
    best = theta.argmax(1)
    p_best = np.bincount(best, minlength=theta.shape[1]) / len(theta)
    top = float(theta[np.arange(len(theta)), best].mean())
    return Chances(p_best, np.maximum(top - theta.mean(0), 0.0))


def top_two_shares(p_best: ArrayLike, *, leader_share: float = 0.5, smallest_share: float = 0.0) -> Floats:
    """The share of the next batch for each variant, by top-two Thompson sampling.

    A variant is drawn with its probability of being best; with probability β it is sent, otherwise variants are
    drawn until another one comes, which is sent. In shares:

        s_i = p_i (β + (1 - β) sum_{j ≠ i} p_j / (1 - p_j))

    Plain Thompson sampling (β = 1) soon sends nearly everything to one variant and then hardly learns whether it is
    the best; top-two keeps at least 1 - β for the challengers.

    Args:
        p_best: (k,) probabilities of being best, adding to 1.
        leader_share: β, above 0 and at most 1.
        smallest_share: No variant gets less; k times it is at most 1.

    Returns:
        (k,) shares that add to 1.

    Raises:
        DesignError: Probabilities that do not add to 1, or shares out of range.

    Source: Russo, Operations Research 68 (2020), section 3.

    >>> top_two_shares([0.9, 0.1, 0.0]).round(3).tolist()
    [0.5, 0.5, 0.0]
    >>> top_two_shares([1.0, 0.0, 0.0]).round(3).tolist()
    [0.5, 0.25, 0.25]
    """
    p = np.asarray(p_best, np.float64)
    if p.ndim != 1 or not len(p) or (p < 0).any() or not np.isclose(p.sum(), 1.0):
        raise DesignError.of("Probabilities of being best", allowed="at least 0, adding to 1")
    if not 0 < leader_share <= 1:
        raise DesignError.of("The leader's share", received=leader_share, allowed="above 0 and at most 1")
    if not 0 <= smallest_share * len(p) <= 1:
        raise DesignError.of(
            "The smallest share is too large", received=smallest_share, allowed=f"0 to {1 / len(p):.4g}"
        )
    k = len(p)
    if k == 1:
        return np.ones(1)
    certain = p >= 1.0
    if certain.any():
        shares = np.where(certain, leader_share, (1 - leader_share) / (k - 1))
    else:
        odds = p / (1 - p)
        shares = p * (leader_share + (1 - leader_share) * (odds.sum() - odds))
    return smallest_share + (1 - k * smallest_share) * shares / shares.sum()
