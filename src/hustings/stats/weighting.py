"""Respondents weighted until they add up to the population, and the error of what they then say."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from hustings.errors import DesignError
from hustings.stats.clusters import Floats, Integers, t_quantile


class Margin(NamedTuple):
    """One way of dividing the population, and the size of each part.

    Attributes:
        name: For messages.
        category: (n,) each respondent's part, 0 … k - 1.
        size: (k,) the parts' sizes in the population, at least 0; only their shares count.
    """

    name: str
    category: Integers
    size: Floats


class Raked(NamedTuple):
    """Weights that make the respondents add up to every margin.

    Attributes:
        weight: (n,) above 0, with a mean of 1.
        design_effect: 1 + the weights' squared coefficient of variation (Kish).
        n_effective: n / design_effect.
        rounds: Passes over all margins.
        gap: The largest difference left between a weighted share and the population's.
        n_trimmed: Respondents whose weight was cut.
    """

    weight: Floats
    design_effect: float
    n_effective: float
    rounds: int
    gap: float
    n_trimmed: int


class Weighted(NamedTuple):
    """A weighted share or mean.

    Attributes:
        estimate: The weighted mean.
        std_error: Linearised; where margins are given, of what they leave unexplained.
        low: Lower end of the interval.
        high: Upper end.
        n: Respondents.
        n_effective: Of a simple random sample with the same error; of a constant outcome, Kish's.
    """

    estimate: float
    std_error: float
    low: float
    high: float
    n: int
    n_effective: float


def rake(
    margins: Sequence[Margin],
    *,
    base: ArrayLike | None = None,
    trim: float | None = 5.0,
    tolerance: float = 1e-6,
    rounds: int = 1000,
) -> Raked:
    """Weights by iterative proportional fitting, with the largest ones cut.

    Each pass multiplies the weights of every category of a margin by population share / weighted share. Weights
    above `trim` times the mean are cut to it in each pass, so that what is cut is made up by others.

    Args:
        margins: One or more, over the same n respondents.
        base: (n,) weights to start from, above 0; ones unless given.
        trim: Largest weight in means of all, above 1; None to cut nothing.
        tolerance: Largest difference in shares that may be left, above 0.
        rounds: Passes before giving up.

    Returns:
        The weights, their design effect, and what is left of the gap.

    Raises:
        DesignError: A category of the population without a respondent, a respondent outside the population, codes
            or sizes that do not fit, or margins that cannot be met together or under this trimming; it says which
            margin and by how much.

    Source: Deming & Stephan, Annals of Mathematical Statistics 11 (1940); Kish, Survey Sampling (1965), 11.7.

    >>> sex = Margin("sex", np.array([0, 0, 0, 1]), np.array([0.5, 0.5]))
    >>> rake([sex]).weight.round(3).tolist()
    [0.667, 0.667, 0.667, 2.0]
    """
    n = _checked_margins(margins)
    weight = _positive("Base weights", np.ones(n) if base is None else base, n)
    weight = weight / weight.mean()
    _positive("A trim and a tolerance", [tolerance] if trim is None else [trim - 1, tolerance], None)
    targets = [np.asarray(m.size, np.float64) / np.sum(m.size) for m in margins]
    gaps = np.full(len(margins), np.inf)
    for done in range(1, rounds + 1):
        for margin, target in zip(margins, targets, strict=True):
            weight = weight * _ratio(margin, target, weight)[margin.category]
        weight = weight / weight.mean()
        cut = np.zeros(n, bool) if trim is None else weight > trim
        if trim is not None:
            weight = np.minimum(weight, trim)
        gaps = np.array([np.abs(_shares(m, weight) - t).max() for m, t in zip(margins, targets, strict=True)])
        if gaps.max() <= tolerance:
            weight = weight / weight.mean()
            effect = float(np.mean(weight**2))
            return Raked(weight, effect, n / effect, done, float(gaps.max()), int(cut.sum()))
    worst = int(gaps.argmax())
    raise DesignError.of(
        f"Raking did not meet its margins in {rounds} passes: {margins[worst].name} is still off by "
        f"{100 * gaps[worst]:.2g} points",
        allowed=f"{100 * tolerance:.2g} points",
        then="merge small categories, drop a margin, or trim less",
    )


def weighted_share(
    y: ArrayLike, weight: ArrayLike, margins: Sequence[Margin] = (), *, confidence: float = 0.95
) -> Weighted:
    """A weighted mean with its linearised error.

    estimate = Σ w y / Σ w; variance = n / (n - 1) Σ (w e)² / (Σ w)², where e is y less the estimate or, after
    raking, less its weighted regression on the margins: what they explain cannot vary any more.

    Args:
        y: (n,) the outcome, 0 or 1 for a share.
        weight: (n,) above 0.
        margins: Those that were raked to; none for plain weights.
        confidence: Of the interval.

    Returns:
        The mean, error, interval, and the effective number of respondents.

    Raises:
        DesignError: Shapes that do not fit, one respondent, or values that are not finite.

    Source: Deville & Särndal, JASA 87 (1992), section 3: every raking has the regression estimator's variance;
    Särndal, Swensson & Wretman, Model Assisted Survey Sampling (1992), 5.7.

    >>> found = weighted_share([1, 1, 0, 0], [1, 1, 1, 1])
    >>> round(found.estimate, 3), round(found.std_error, 4), round(found.n_effective, 3)
    (0.5, 0.2887, 3.0)
    """
    outcome = np.asarray(y, np.float64)
    n = outcome.size
    if outcome.ndim != 1 or n < 2 or not np.isfinite(outcome).all():
        raise DesignError.of(
            "No error can be computed", received=f"shape {outcome.shape}", allowed="two or more"
        )
    w = _positive("Weights", weight, n)
    estimate = float(np.average(outcome, weights=w))
    left = outcome - estimate
    if margins:
        if _checked_margins(margins) != n:
            raise DesignError.of(
                "Margins do not fit", received=len(margins[0].category), allowed=f"{n} codes"
            )
        z = np.column_stack([np.eye(len(m.size))[m.category] for m in margins])
        root = np.sqrt(w)
        left = outcome - z @ np.linalg.lstsq(z * root[:, None], outcome * root, rcond=None)[0]
    error = float(np.sqrt(n / (n - 1) * np.sum((w * left) ** 2)) / w.sum())
    spread = float(np.average((outcome - estimate) ** 2, weights=w))
    kish = float(w.sum() ** 2 / np.sum(w**2))
    reach = t_quantile(confidence, n - 1) * error
    effective = spread / error**2 if error > 0 else kish
    return Weighted(estimate, error, estimate - reach, estimate + reach, n, effective)


def _checked_margins(margins: Sequence[Margin]) -> int:
    if not margins:
        raise DesignError.of("Raking needs a margin", received=0, allowed="one or more")
    n = len(margins[0].category)
    for name, category, given in margins:
        codes, size = np.asarray(category), np.asarray(given, np.float64)
        if codes.shape != (n,) or not n or codes.dtype.kind not in "iu":
            raise DesignError.of(f"Margin {name} does not fit", received=codes.shape, allowed=f"({n},) codes")
        if size.ndim != 1 or not (np.isfinite(size).all() and (size >= 0).all() and size.sum() > 0):
            raise DesignError.of(f"Margin {name}: sizes", allowed="numbers of at least 0, not all 0")
        if codes.min() < 0 or codes.max() >= size.size:
            got = f"{codes.min()} to {codes.max()}"
            raise DesignError.of(f"Margin {name}: codes", received=got, allowed=f"0 to {size.size - 1}")
        found = np.bincount(codes, minlength=size.size)
        for part in np.flatnonzero((found == 0) != (size == 0)):
            share = 100 * size[part] / size.sum()
            raise DesignError.of(
                f"Margin {name}: category {part} holds {share:.1f} % of the population and {found[part]} of the {n} "
                "respondents",
                allowed="both or neither",
                then="merge it with another category, or drop the margin",
            )
    return n


def _positive(what: str, values: ArrayLike, n: int | None) -> Floats:
    found = np.asarray(values, np.float64)
    if (n is not None and found.shape != (n,)) or not (np.isfinite(found).all() and (found > 0).all()):
        wanted = "a trim above 1, a tolerance above 0" if n is None else f"{n} numbers above 0"
        raise DesignError.of(f"{what} do not fit", received=f"shape {found.shape}", allowed=wanted)
    return found


def _shares(margin: Margin, weight: Floats) -> Floats:
    return np.bincount(margin.category, weights=weight, minlength=len(margin.size)) / weight.sum()


def _ratio(margin: Margin, target: Floats, weight: Floats) -> Floats:
    now = _shares(margin, weight)
    return np.divide(target, now, out=np.zeros_like(now), where=now > 0)
