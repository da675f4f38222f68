"""The final turnout and support, from who has voted so far and when people voted in earlier elections."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from hustings.errors import DesignError
from hustings.stats.clusters import Floats

TIMING, PRIOR_ELECTIONS = 0.4, 2
"""How much the log-odds of having voted by a day change from one election to the next, and for how many elections'
evidence that guess counts."""


class Projection(NamedTuple):
    """What the votes so far say of the end; arrays with one entry per group, in draws with groups along the columns.

    Attributes:
        by_now: (G,) votes expected by now, from expected turnout and the timing of earlier elections.
        by_now_draws: (S, G) what might have been expected by now, before any vote was seen.
        final: (S, G) draws of the final votes.
        support: (S, G) draws of the support among the final voters.
        timing: Standard deviation of the common change in timing, on the logit scale.
    """

    by_now: Floats
    by_now_draws: Floats
    final: Floats
    support: Floats
    timing: float


def project_votes(
    so_far: ArrayLike,
    expected: ArrayLike,
    earlier: ArrayLike,
    support: ArrayLike,
    *,
    turnout_error: float = 0.08,
    group_error: float = 0.08,
    support_error: float = 0.1,
    draws: int = 4000,
    rng: np.random.Generator,
) -> Projection:
    """Final votes and support by group, weighing how many have voted against how many were expected to.

    log n_g = log N_g + log F_g + noise. Turnout: log N_g = log E_g + a + a_g. Timing: logit F_g = mean of earlier
    elections + c + c_g. All four are normal around 0; c has the variance of earlier elections' common changes and
    c_g that of the groups' own, each weighed with a guess of 0.4² and half of it worth two elections. With
    log F linear in its log-odds there (slope 1 - F), the posterior is normal in closed form. So a quick start is read
    as partly more voters and partly earlier ones, in proportion to how much each is known to vary.

    Args:
        so_far: (G,) people who have voted.
        expected: (G,) people expected to vote in the end; above 0.
        earlier: (k, G) share of the final voters that had voted by the same day in k >= 1 earlier elections.
        support: (G,) mean support score among the voters, 0–1.
        turnout_error: Common error of the expected turnout (log scale).
        group_error: Error of a group's own (log scale).
        support_error: Common error of the support scores (logit scale).
        draws: S.
        rng: The generator.

    Returns:
        The projection.

    Raises:
        DesignError: Shapes or values that do not fit, or no earlier election.

    Source: the normal linear model: Gelman et al., Bayesian Data Analysis (2013), 14.8; the delta method for log F.

    >>> found = project_votes([60.0], [100.0], [[0.5]], [0.6], rng=np.random.default_rng(1))
    >>> found.final.mean().round(-1)
    np.float64(100.0)
    """
    n, e, f, s = (np.asarray(values, np.float64) for values in (so_far, expected, earlier, support))
    _check(n, e, f, s)
    f = np.clip(f, 1e-3, 1 - 1e-3)
    odds = np.log(f) - np.log1p(-f)
    usual, groups = odds.mean(0), e.size
    common, own = _timing(odds)
    done = _logistic(usual)
    slope = 1 - done
    # Unknowns: a, a_g, c, c_g.
    design = np.hstack([np.ones((groups, 1)), np.eye(groups), slope[:, None], np.diag(slope)])
    sd = np.concatenate([[turnout_error], np.full(groups, group_error), [common], np.full(groups, own)])
    y = np.log((n + 0.5) / (e * done + 0.5))
    # What counts as known of a group is never surer than the count of its expected votes.
    covariance = (design * sd**2) @ design.T + np.diag(1 / (e * done + 0.5))
    gain = (design * sd**2).T @ np.linalg.inv(covariance)
    drawn = rng.standard_normal((draws, sd.size)) * sd
    noise = rng.standard_normal((draws, groups)) / np.sqrt(e * done + 0.5)
    before = drawn @ design.T + noise
    after = drawn + (y - before) @ gain.T
    final = np.maximum(e * np.exp(after[:, :1] + after[:, 1 : 1 + groups]), n)
    error = support_error * rng.standard_normal((draws, 1))
    s = np.clip(s, 1e-3, 1 - 1e-3)
    sure = _logistic(np.log(s) - np.log1p(-s) + error)
    return Projection(e * done, e * done * np.exp(before), final, sure, common)


def _timing(odds: Floats) -> tuple[float, float]:
    """Standard deviations of the coming election's timing around the mean of the earlier ones: common, and a group's."""
    k = odds.shape[0]
    shifts = odds.mean(1) - odds.mean()
    own = odds - odds.mean(0) - shifts[:, None]
    prior = PRIOR_ELECTIONS * TIMING**2
    common = (prior + shifts @ shifts) / (PRIOR_ELECTIONS + k - 1)
    apart = (prior / 4 + np.sum(own**2) / max(odds.shape[1], 1)) / (PRIOR_ELECTIONS + k - 1)
    # The mean of few elections is itself uncertain.
    return float(np.sqrt(common * (1 + 1 / k))), float(np.sqrt(apart * (1 + 1 / k)))


def _check(n: Floats, e: Floats, f: Floats, s: Floats) -> None:
    if n.ndim != 1 or not n.size or e.shape != n.shape or s.shape != n.shape or f.shape[1:] != n.shape:
        got = f"{n.shape}, {e.shape}, {f.shape}, {s.shape}"
        raise DesignError.of("Groups do not fit", received=got, allowed="(G,), (G,), (k, G), (G,)")
    if not f.shape[0]:
        raise DesignError.of("No earlier election tells when people vote", received=0, allowed="one or more")
    for what, right, allowed in (
        ("votes so far", np.isfinite(n) & (n >= 0), "0 or more"),
        ("expected votes", np.isfinite(e) & (e > 0), "above 0"),
        ("shares that had voted", (f >= 0) & (f <= 1), "0 to 1"),
        ("supports", (s >= 0) & (s <= 1), "0 to 1"),
    ):
        if not right.all():
            raise DesignError.of(f"Wrong in {int((~right).sum())} groups: {what}", allowed=allowed)


def _logistic(score: Floats) -> Floats:
    from scipy.special import expit

    return np.asarray(expit(score), np.float64)
