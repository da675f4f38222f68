"""Who will give again, how often and how much: BG/BB, BG/NBD and Gamma-Gamma by maximum likelihood.

A giver gives at random at a rate of her own, and at some moment, unseen, stops for good. **BG/BB** counts
opportunities (a yearly appeal, a month): at each she gives with a chance p of her own, and before each she
stops with a chance of her own. **BG/NBD** has no opportunities: gifts come at any time at a rate of her own,
and after each she stops with a chance of her own. How much she gives is Gamma-Gamma's: `stats/amounts.py`.

Both are described by three numbers: `frequency`, how often she gave *after* the first time; `recency`, when she
gave last; `age`, for how long she could have. Both times are counted from the first gift, in opportunities for
BG/BB and in any one unit for BG/NBD.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hustings.errors import DesignError
from hustings.stats import arrivals, opportunities
from hustings.stats.amounts import GammaGamma, fit_gamma_gamma
from hustings.stats.histories import Floats, Histories, checked_histories, checked_weights
from hustings.stats.likelihood import Maximum, delta_error, maximise

__all__ = [
    "Expected",
    "GammaGamma",
    "Giving",
    "draw_gifts",
    "expected_gifts",
    "fit_bg_bb",
    "fit_bg_nbd",
    "fit_gamma_gamma",
    "log_interval",
    "log_likelihood",
    "p_alive",
    "p_gift",
]

Kind = Literal["bg_bb", "bg_nbd"]
_MODELS: dict[str, Any] = {"bg_bb": opportunities, "bg_nbd": arrivals}
Z95 = 1.959963984540054


@dataclass(frozen=True)
class Giving:
    """A fitted model of repeat giving.

    Attributes:
        kind: `bg_bb` (gifts at opportunities) or `bg_nbd` (gifts at any time).
        maximum: The four parameters, their errors, the likelihood.
        n_people: Givers fitted on, weights counted.
    """

    kind: Kind
    maximum: Maximum
    n_people: float

    @property
    def parameters(self) -> dict[str, float]:
        """The parameters by name: alpha, beta, gamma, delta, or r, alpha, a, b."""
        return dict(zip(_MODELS[self.kind].NAMES, self.maximum.parameters.tolist(), strict=True))

    def drawn(self, rng: np.random.Generator) -> Giving:
        """The model with parameters as they may be in truth: one draw around the fitted ones.

        >>> Giving("bg_bb", Maximum(np.ones(4), np.zeros((4, 4)), 0.0), 1).drawn(np.random.default_rng(1)).kind
        'bg_bb'
        """
        return replace(self, maximum=self.maximum._replace(parameters=self.maximum.draw(rng)))


class Expected(NamedTuple):
    """Expected gifts of each person, with how well the expectation is known.

    Attributes:
        estimate: (n,) expected gifts.
        std_error: (n,) its standard error, from the errors of the parameters.
        low: (n,) lower end of the 95 % interval of the *expectation*, on the log scale.
        high: (n,) upper end.
    """

    estimate: Floats
    std_error: Floats
    low: Floats
    high: Floats


def log_interval(estimate: Floats, std_error: Floats) -> Expected:
    """The 95 % interval of numbers above 0, symmetric in their logarithms.

    Args:
        estimate: (n,) from 0.
        std_error: (n,).

    Returns:
        All four.

    >>> log_interval(np.array([2.0]), np.array([0.2])).high.round(3)
    array([2.433])
    """
    known = estimate > 0
    factor = np.exp(Z95 * np.divide(std_error, estimate, out=np.zeros_like(estimate), where=known))
    return Expected(estimate, std_error, estimate / factor, estimate * factor)


def fit_bg_bb(
    frequency: ArrayLike,
    recency: ArrayLike,
    periods: ArrayLike,
    weights: ArrayLike | None = None,
    *,
    ridge: float = 0.0,
) -> Giving:
    """The BG/BB model by maximum likelihood.

    Args:
        frequency: (n,) at how many opportunities after the first gift a person gave.
        recency: (n,) the last of them, counted from 1; 0 where there is none.
        periods: (n,) opportunities since the first gift.
        weights: (n,) how many people a row stands for; one each unless given.
        ridge: Precision of a normal prior on the logarithms of the parameters; 0 for plain maximum likelihood.

    Returns:
        The model.

    Raises:
        DesignError: A history that cannot be, nobody, nobody who gave again, or no clear maximum.

    Source: Fader, Hardie & Shang, Marketing Science 29 (2010).

    >>> frequency, recency, periods = [0, 1, 2, 2, 3], [0, 1, 2, 3, 3], [3, 3, 3, 3, 3]
    >>> fit_bg_bb(frequency, recency, periods, [40, 20, 10, 10, 20], ridge=0.1).n_people
    100.0
    """
    found = checked_histories(frequency, recency, periods, whole=True)
    weight = _repeated(found, weights)
    rows = opportunities.patterns(found)
    people = np.asarray(np.bincount(rows.row, weight), np.float64)
    maximum = maximise(
        lambda at: opportunities.loss(at, rows, people), np.ones(4), opportunities.NAMES, ridge=ridge
    )
    return Giving("bg_bb", maximum, float(weight.sum()))


def fit_bg_nbd(
    frequency: ArrayLike,
    recency: ArrayLike,
    age: ArrayLike,
    weights: ArrayLike | None = None,
    *,
    ridge: float = 0.0,
) -> Giving:
    """The BG/NBD model by maximum likelihood.

    Args:
        frequency: (n,) gifts after the first.
        recency: (n,) time from the first gift to the last; 0 where there is one only.
        age: (n,) time since the first gift.
        weights: (n,) how many people a row stands for; one each unless given.
        ridge: Precision of a normal prior on the logarithms of the parameters; 0 for plain maximum likelihood.

    Returns:
        The model; alpha is in the unit of time.

    Raises:
        DesignError: A history that cannot be, nobody, nobody who gave again, or no clear maximum.

    Source: Fader, Hardie & Lee, Marketing Science 24 (2005).

    >>> frequency, recency, age = [0, 0, 1, 3, 6], [0.0, 0.0, 2.0, 8.0, 9.5], [10.0] * 5
    >>> fit_bg_nbd(frequency, recency, age, [40, 20, 10, 10, 20], ridge=0.1).n_people
    100.0
    """
    found = checked_histories(frequency, recency, age)
    weight = _repeated(found, weights)
    maximum = maximise(
        lambda at: arrivals.loss(at, found, weight),
        arrivals.usual(found, weight),
        arrivals.NAMES,
        ridge=ridge,
    )
    return Giving("bg_nbd", maximum, float(weight.sum()))


def _repeated(found: Histories, weights: ArrayLike | None) -> Floats:
    weight = checked_weights(weights, len(found.age))
    if not weight @ found.frequency:
        raise DesignError.of(
            "Nobody gave a second time", received=f"{weight.sum():,.0f} people", allowed="some who did"
        )
    return weight


def _at(model: Giving, frequency: ArrayLike, recency: ArrayLike, age: ArrayLike) -> Histories:
    return checked_histories(frequency, recency, age, whole=model.kind == "bg_bb")


def _ahead(model: Giving, horizon: float) -> float:
    fits = bool(np.isfinite(horizon)) and horizon > 0 and (model.kind != "bg_bb" or horizon % 1 == 0)
    if not fits:
        allowed = "a whole number of opportunities" if model.kind == "bg_bb" else "a finite time"
        raise DesignError.of("The horizon does not fit", received=horizon, allowed=f"{allowed} above 0")
    return float(horizon) if model.kind == "bg_nbd" else int(horizon)


def p_alive(model: Giving, frequency: ArrayLike, recency: ArrayLike, age: ArrayLike) -> Floats:
    """The probability that each person is still a giver.

    Args:
        model: The fit.
        frequency: (n,) gifts after the first.
        recency: (n,) the last one.
        age: (n,) time or opportunities since the first.

    Returns:
        (n,) of BG/BB, a giver at the next opportunity; of BG/NBD, a giver now: 1 for whoever gave once, since
        that model lets nobody stop before a second gift.

    Raises:
        DesignError: A history that cannot be.

    >>> model = Giving("bg_nbd", Maximum(np.ones(4), np.zeros((4, 4)), 0.0), 1)
    >>> p_alive(model, [1], [1.0], [1.0])
    array([0.5])
    """
    found = _at(model, frequency, recency, age)
    return _MODELS[model.kind].p_alive(model.maximum.parameters, found)


def log_likelihood(model: Giving, frequency: ArrayLike, recency: ArrayLike, age: ArrayLike) -> Floats:
    """The logarithm of the probability (density) of each person's history.

    Args:
        model: The fit.
        frequency: (n,) gifts after the first.
        recency: (n,) the last one.
        age: (n,) time or opportunities since the first.

    Returns:
        (n,).

    Raises:
        DesignError: A history that cannot be.

    >>> model = Giving("bg_bb", Maximum(np.ones(4), np.zeros((4, 4)), 0.0), 1)
    >>> np.exp(log_likelihood(model, [1], [1], [1]))
    array([0.25])
    """
    found = _at(model, frequency, recency, age)
    return _MODELS[model.kind].log_likelihood(model.maximum.parameters, found)


def p_gift(
    model: Giving, frequency: ArrayLike, recency: ArrayLike, age: ArrayLike, *, horizon: float
) -> Floats:
    """The probability of at least one gift in the time to come.

    1 - L(x, t, n + h) / L(x, t, n): one less the chance that the history goes on without a gift.

    Args:
        model: The fit.
        frequency: (n,) gifts after the first.
        recency: (n,) the last one.
        age: (n,) time or opportunities since the first.
        horizon: Time or opportunities to come.

    Returns:
        (n,) probabilities.

    Raises:
        DesignError: A history or a horizon that cannot be.

    >>> model = Giving("bg_bb", Maximum(np.ones(4), np.zeros((4, 4)), 0.0), 1)
    >>> p_gift(model, [1], [1], [1], horizon=1).round(4)
    array([0.4444])
    """
    found, ahead = _at(model, frequency, recency, age), _ahead(model, horizon)
    at = model.maximum.parameters
    if model.kind == "bg_bb":
        later = opportunities.log_likelihood(at, found, int(ahead))
        return -np.expm1(later - opportunities.log_likelihood(at, found))
    return -np.expm1(arrivals.log_likelihood(at, found, ahead) - arrivals.log_likelihood(at, found))


def expected_gifts(
    model: Giving,
    frequency: ArrayLike,
    recency: ArrayLike,
    age: ArrayLike,
    *,
    horizon: float,
    rate: float = 0.0,
) -> Expected:
    """How many gifts each person is expected to make in the time to come.

    Args:
        model: The fit.
        frequency: (n,) gifts after the first.
        recency: (n,) the last one.
        age: (n,) time or opportunities since the first.
        horizon: Time or opportunities to come.
        rate: Discount: a gift at a time t from now counts (1 + rate)^-t; 0 counts all alike.

    Returns:
        The expectations, with errors from the parameters' errors (delta method). What one person will really do
        varies far more: `p_gift` and `draw_gifts` speak of that.

    Raises:
        DesignError: A history, a horizon or a rate that cannot be.

    >>> model = Giving("bg_bb", Maximum(np.ones(4), np.zeros((4, 4)), 0.0), 1)
    >>> expected_gifts(model, [1], [1], [1], horizon=1).estimate.round(4)
    array([0.4444])
    """
    found, ahead = _at(model, frequency, recency, age), _ahead(model, horizon)
    if not (np.isfinite(rate) and rate >= 0):
        raise DesignError.of("The discount does not fit", received=rate, allowed="a finite number from 0")
    table, row = np.unique(np.column_stack(found), axis=0, return_inverse=True)
    unique = np.asarray(table, np.float64)
    few = Histories(unique[:, 0].astype(np.int64), unique[:, 1], unique[:, 2])

    def gifts(parameters: Floats) -> Floats:
        return _MODELS[model.kind].expected(parameters, few, ahead, rate)

    made = log_interval(gifts(model.maximum.parameters), delta_error(gifts, model.maximum))
    return Expected(*(part[row.ravel()] for part in made))


def draw_gifts(
    model: Giving,
    frequency: ArrayLike,
    recency: ArrayLike,
    age: ArrayLike,
    *,
    horizon: float,
    rng: np.random.Generator,
) -> NDArray[np.int64]:
    """How many gifts each person may make in the time to come: one draw, given what she did before.

    With `model.drawn(rng)` for each draw, sums over people have the spread that both chance and the errors of the
    parameters give them.

    Args:
        model: The fit.
        frequency: (n,) gifts after the first.
        recency: (n,) the last one.
        age: (n,) time or opportunities since the first.
        horizon: Time or opportunities to come.
        rng: Source of the draw.

    Returns:
        (n,) numbers of gifts.

    Raises:
        DesignError: A history or a horizon that cannot be.

    >>> model = Giving("bg_nbd", Maximum(np.array([1e-9, 1, 1, 1]), np.zeros((4, 4)), 0.0), 1)
    >>> draw_gifts(model, [0], [0.0], [1.0], horizon=1.0, rng=np.random.default_rng(1))
    array([0])
    """
    found, ahead = _at(model, frequency, recency, age), _ahead(model, horizon)
    return _MODELS[model.kind].draw(model.maximum.parameters, found, ahead, rng)
