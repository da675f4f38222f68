"""A result forecast while it is being counted, from units (precincts, by way of voting) that report in any order.

Two regressions of one form: the swing of each unit's share against what was expected of it, and that of its turnout.
Both know the unit's region, its way of voting and its features. What has reported is not a sample: units that have
not may swing otherwise than all that is known of them tells, and by how much is part of the model.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from hustings.errors import DesignError
from hustings.stats.arrow import Sizes
from hustings.stats.clusters import Floats, Integers
from hustings.stats.swings import Readings, draw_gap, draw_movement, fit_sizes

GAP, ERROR, SLOPES = 1, 2, 3
"""Terms of the design: what sets early units apart, what is wrong with every reading, and how slopes are bent."""
BENT = 0.5
"""How much a slope per standard deviation may differ between early and late units, in gaps."""
ALIKE = 0.7
"""Correlation between what is odd about a unit's counted and its remaining ballots."""


class Expected(NamedTuple):
    """What was expected of each unit before the night, and how units hang together.

    Attributes:
        share: (n,) of the two candidates' votes, the first one's; between 0 and 1.
        votes: (n,) of both candidates together; above 0.
        region: (n,) codes 0 … R - 1.
        mode: (n,) codes of the way of voting, 0 … M - 1; all 0 where it is not told.
        features: (n, p) finite; expected share and size are added to them.
    """

    share: Floats
    votes: Floats
    region: Integers
    mode: Integers
    features: Floats


class Counted(NamedTuple):
    """What has been counted.

    Attributes:
        first: (n,) the first candidate's votes.
        both: (n,) both candidates' votes.
        reported: (n,) the share of the unit's ballots that has been counted; 0 where nothing has.
    """

    first: Floats
    both: Floats
    reported: Floats


class Beliefs(NamedTuple):
    """How large things usually are, as standard deviations on the logit scale (of turnout: the log scale).

    The first two are the forecast's own error; the others are prior modes, which the night's data revise.

    Attributes:
        swing: Error of the expected share, common to all units.
        turnout: Error of the expected turnout, common to all units.
        feature: Change of the swing with one standard deviation of a feature.
        mode: Between ways of voting.
        region: Between regions.
        unit: Between units of a region.
        measured: Shared error of the readings of the share: 0 for counted votes; for voters checked off at the
            polls, whose support is a score, the error of that score.
        timed: Shared error of the readings of turnout (log scale): 0 where it is known how much has been counted;
            for voters checked off, the error of the share of the day's voters that should have come by now.
    """

    swing: float = 0.12
    turnout: float = 0.1
    feature: float = 0.05
    mode: float = 0.3
    region: float = 0.08
    unit: float = 0.12
    measured: float = 0.0
    timed: float = 0.0


class Night(NamedTuple):
    """The result as it may come out.

    Attributes:
        share: Mean of the first candidate's final share of both candidates' votes.
        std_error: Its standard deviation.
        low: 2.5 % quantile.
        high: 97.5 % quantile.
        p_win: Probability that the first candidate has more votes.
        p_win_error: Its Monte Carlo error.
        votes: Mean of both candidates' final votes.
        first_draws: (S, R) the first candidate's final votes by region, jointly.
        both_draws: (S, R) both candidates'.
        gap: Median, on the logit scale, of the standard deviation of what may set early and late units apart.
        n_reported: Units of which something is counted.
    """

    share: float
    std_error: float
    low: float
    high: float
    p_win: float
    p_win_error: float
    votes: float
    first_draws: Floats
    both_draws: Floats
    gap: float
    n_reported: int


def follow(
    expected: Expected,
    counted: Counted,
    beliefs: Beliefs = Beliefs(),  # noqa: B008
    *,
    earlier_gaps: ArrayLike = (),
    draws: int = 2000,
    rng: np.random.Generator,
) -> Night:
    """The distribution of the final result, given what has been counted.

    Swing of unit i: logit(share counted) - logit(share expected) = a + x_i'b + m_mode + u_region + e_i + noise, with
    normal a, b, m, u and e; log turnout alike. The sizes of b, m, u and e come from the night's marginal likelihood.
    What has been read has in addition a gap d, common to all of it and absent from what is still to come:

        d ~ N(0, s²),   s² = (4 ŝ² + Σ gap²) / χ²(4 + k),   ŝ² = variance between regions + along one feature,

    with the k gaps of earlier nights. So reports move the forecast of what is still out only as far as early units
    tell of late ones, and never make it surer than s allows; before the first report it is the forecast's own.

    Args:
        expected: What was expected.
        counted: What has come in, of the same units.
        beliefs: Sizes that are usual.
        earlier_gaps: (k,) of earlier nights: swing of the late reporters less that of the early ones, after features,
            on the logit scale.
        draws: S, at least 100.
        rng: The generator.

    Returns:
        The result's distribution, in total and by region.

    Raises:
        DesignError: Shapes or values that do not fit; it says which.

    Source: a mixed model as in Searle, Casella & McCulloch, Variance Components (1992), chapters 6 and 7; the gap is a
    pattern-mixture term: Little, JASA 88 (1993); Rubin, Multiple Imputation for Nonresponse in Surveys (1987), 6.2.

    >>> n, rng = 40, np.random.default_rng(1)
    >>> units = Expected(np.full(n, 0.5), np.full(n, 1000.0), np.arange(n) % 4, np.zeros(n, int), np.empty((n, 0)))
    >>> none = Counted(np.zeros(n), np.zeros(n), np.zeros(n))
    >>> 0.45 < follow(units, none, rng=rng).p_win < 0.55
    True
    >>> half = np.arange(n) < 20
    >>> some = Counted(half * 600.0, half * 1000.0, half * 1.0)
    >>> follow(units, some, rng=rng).p_win > 0.95
    True
    """
    _check(expected, counted, beliefs)
    gaps = np.asarray(earlier_gaps, np.float64)
    if gaps.ndim != 1 or not np.isfinite(gaps).all():
        raise DesignError.of("Earlier gaps do not fit", received=gaps.shape, allowed="finite numbers")
    swings, turnouts = _swings(expected, counted, beliefs), _turnouts(expected, counted, beliefs)
    sizes = fit_sizes(*swings), fit_sizes(*turnouts)
    order = np.argsort(expected.region, kind="stable")
    first = np.searchsorted(expected.region[order], np.arange(expected.region.max() + 1))
    mine, all_votes, gap_sizes = [], [], []
    for part in np.array_split(np.arange(draws), min(20, draws)):
        swing, gap, error = _drawn(swings[0], sizes[0], gaps, part.size, rng, alike=ALIKE)
        turnout, _, _ = _drawn(turnouts[0], sizes[1], np.empty(0), part.size, rng, alike=1.0)
        final = np.where(counted.reported < 1, expected.votes * np.exp(turnout), 0.0)
        rest = np.maximum(final - counted.both, 0.0) * (counted.reported < 1)
        share = _logistic(_logit(expected.share) + swing)
        noise = np.sqrt(rest * share * (1 - share)) * rng.standard_normal(rest.shape)
        votes = _told(counted, beliefs, error) + np.clip(rest * share + noise, 0, rest)
        mine.append(np.add.reduceat(votes[:, order], first, axis=1))
        all_votes.append(np.add.reduceat((rest + counted.both)[:, order], first, axis=1))
        gap_sizes.append(gap)
    first_draws, both_draws = np.concatenate(mine), np.concatenate(all_votes)
    shares = first_draws.sum(1) / both_draws.sum(1)
    p_win = float(np.mean(shares > 0.5))
    low, high = np.quantile(shares, (0.025, 0.975))
    return Night(
        float(shares.mean()),
        float(shares.std(ddof=1)),
        float(low),
        float(high),
        p_win,
        float(np.sqrt(p_win * (1 - p_win) / draws)),
        float(both_draws.sum(1).mean()),
        first_draws,
        both_draws,
        float(np.median(gap_sizes)),
        int(np.sum(counted.reported > 0)),
    )


def naive_share(counted: Counted) -> float:
    """The first candidate's share of what has been counted: the rule of thumb; NaN before the first count.

    >>> naive_share(Counted(np.array([30.0, 0.0]), np.array([100.0, 0.0]), np.array([1.0, 0.0])))
    0.3
    """
    both = float(counted.both.sum())
    return float(counted.first.sum()) / both if both > 0 else float("nan")


def _check(expected: Expected, counted: Counted, beliefs: Beliefs) -> None:
    n = len(expected.share)
    for name, values in (*expected._asdict().items(), *counted._asdict().items()):
        if len(values) != n or not np.isfinite(values).all():
            raise DesignError.of(
                f"Units do not fit: {name}", received=np.shape(values), allowed=f"{n} finite numbers"
            )
    rules = (
        ("an expected share", (expected.share > 0) & (expected.share < 1), "between 0 and 1"),
        ("expected votes", expected.votes > 0, "above 0"),
        ("the share reported", (counted.reported >= 0) & (counted.reported <= 1), "0 to 1"),
        ("votes", (counted.first >= 0) & (counted.first <= counted.both), "0 <= first <= both"),
        ("votes where nothing is reported", (counted.both == 0) | (counted.reported > 0), "none"),
    )
    if not n:
        raise DesignError.of("No unit to follow", received=0, allowed="one or more")
    for what, right, allowed in rules:
        if not right.all():
            raise DesignError.of(f"Wrong in {int((~right).sum())} of {n} units: {what}", allowed=allowed)
    for name, codes in (("regions", expected.region), ("modes", expected.mode)):
        if codes.min() < 0 or not (np.bincount(codes) > 0).all():
            raise DesignError.of(f"Codes of {name} do not fit", allowed="0, 1, 2, … without a gap")
    sizes = np.array(beliefs)
    if not (np.isfinite(sizes).all() and (sizes[:-2] > 0).all() and (sizes[-2:] >= 0).all()):
        raise DesignError.of("Beliefs are standard deviations", received=tuple(beliefs), allowed="above 0")


def _swings(expected: Expected, counted: Counted, beliefs: Beliefs) -> tuple[Readings, Floats]:
    known = np.flatnonzero(counted.both > 0)
    p = (counted.first[known] + 0.5) / (counted.both[known] + 1)
    y = _logit(p) - _logit(expected.share[known])
    noise = 1 / ((counted.both[known] + 1) * p * (1 - p))
    return _readings(expected, known, y, noise, beliefs, beliefs.swing, beliefs.measured)


def _turnouts(expected: Expected, counted: Counted, beliefs: Beliefs) -> tuple[Readings, Floats]:
    known = np.flatnonzero(counted.both > 0)
    both, reported = counted.both[known], counted.reported[known]
    y = np.log(both / reported / expected.votes[known])
    # Of a unit that is half counted, half of the ballots are a guess: a standard deviation of a quarter.
    noise = 1 / both + ((1 - reported) / 2) ** 2
    return _readings(expected, known, y, noise, beliefs, beliefs.turnout, beliefs.timed)


def _readings(
    expected: Expected,
    known: Integers,
    y: Floats,
    noise: Floats,
    beliefs: Beliefs,
    common: float,
    measured: float,
) -> tuple[Readings, Floats]:
    """The regression's design: what is common, features, ways of voting, and the readings' own error."""
    n = expected.share.size
    features = np.column_stack([_logit(expected.share), np.log(expected.votes), expected.features])
    sd = features.std(0)
    features = features[:, sd > 1e-12] / sd[sd > 1e-12]
    modes = (expected.mode[:, None] == np.arange(expected.mode.max() + 1)).astype(np.float64)
    # Centred by what a unit's swing moves in the whole: so these terms tell units apart and leave the whole alone.
    moved = expected.votes * expected.share * (1 - expected.share)
    features, modes = (
        columns - np.average(columns, axis=0, weights=moved)
        for columns in (features, modes[:, modes.shape[1] == 1 :])
    )
    p = features.shape[1]
    kind = np.repeat([-1, 0, 1], [3 + p, p, modes.shape[1]])
    fixed = np.zeros(kind.size)
    gap = np.hypot(beliefs.region, beliefs.feature)
    # The forecast's error is one of the whole: what regions add to it is part of it.
    uneven = np.sum((np.bincount(expected.region, weights=moved) / moved.sum()) ** 2)
    region = min(beliefs.region, common / 2 / np.sqrt(uneven))
    fixed[:SLOPES] = np.sqrt(common**2 - region**2 * uneven), gap, max(measured, 1e-6)
    # Early units' slopes are bent, too, where what sorts them goes with what is known of them.
    fixed[SLOPES : SLOPES + p] = BENT * gap
    # The gap, bent slopes and the readings' own error are in what has been read, not in what is still to come.
    design = np.hstack([np.ones((n, 1)), np.zeros((n, 2 + p)), features, modes])
    read = design[known]
    read[:, [GAP, ERROR]] = 1.0
    read[:, SLOPES : SLOPES + p] = features[known]
    typical = np.array([region, beliefs.unit, beliefs.feature, beliefs.mode])
    n_regions = int(expected.region.max()) + 1
    return Readings(y, noise, known, read, design, fixed, kind, expected.region, n_regions), typical


def _drawn(
    readings: Readings, sizes: Sizes, gaps: Floats, size: int, rng: np.random.Generator, *, alike: float
) -> tuple[Floats, float, Floats]:
    """Movements of what is still to come, the size of the gap, and the readings' error."""
    log = sizes.draw(rng)
    gap = draw_gap(log, gaps, rng)
    n_slopes = int(np.sum(readings.kind < 0)) - SLOPES
    fixed = readings.fixed.copy()
    fixed[GAP], fixed[SLOPES : SLOPES + n_slopes] = gap, BENT * gap
    movement = draw_movement(readings._replace(fixed=fixed), log, size, rng, alike=alike)
    return movement.unit, gap, movement.terms[:, ERROR]


def _told(counted: Counted, beliefs: Beliefs, error: Floats) -> Floats:
    """The first candidate's votes among what has been read, less the readings' own error."""
    if beliefs.measured == 0:
        return np.broadcast_to(counted.first, (error.size, counted.first.size))
    p = (counted.first + 0.5) / (counted.both + 1)
    return counted.both * _logistic(_logit(p) - error[:, None])


def _logit(p: Floats) -> Floats:
    return np.asarray(np.log(p) - np.log1p(-p), np.float64)


def _logistic(score: Floats) -> Floats:
    from scipy.special import expit

    return np.asarray(expit(score), np.float64)
