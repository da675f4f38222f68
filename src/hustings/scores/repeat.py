"""Givers ─► a fitted model of how often and how much, and how it did on days that it had not seen."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

import numpy as np

from hustings import stats
from hustings.errors import DesignError
from hustings.scores.gifts import (
    YEAR,
    Floats,
    Gifts,
    Givers,
    Kind,
    describe,
    given,
    recency_frequency_amount,
)

DRAWS = 200
FEWEST = 20
"""Of those who gave in the days judged on, and of those who did not."""


class Terms(NamedTuple):
    """What is asked.

    Attributes:
        horizon: Days to come.
        period: Days in a period.
        rate: Discount per period.
        ridge: Precision of the prior on the logarithms of the parameters.
    """

    horizon: int
    period: int
    rate: float
    ridge: float

    @property
    def ahead(self) -> float:
        """The horizon in periods."""
        return self.horizon / self.period


class Fitted(NamedTuple):
    """A model of everyone who had given before a day.

    Attributes:
        kind: `bg_nbd` or `bg_bb`.
        givers: Whom it was fitted to.
        often: The model of how often.
        much: The model of how much, or None.
        no_amount: Why there is none.
    """

    kind: Kind
    givers: Givers
    often: stats.giving.Giving
    much: stats.giving.GammaGamma | None
    no_amount: str | None


class Expectations(NamedTuple):
    """What each giver is expected to do; cents are NaN where there is no model of amounts."""

    p_donor: Floats
    p_gift: Floats
    gifts: stats.giving.Expected
    amount: Floats
    value: stats.giving.Expected


def fit_givers(gifts: Gifts, cut: int, terms: Terms, kind: Kind) -> Fitted:
    """Both models of everyone who had given before a day.

    Raises:
        DesignError: Nobody gave twice, or the likelihood has no maximum.
    """
    givers = describe(gifts, cut, terms.period, kind)
    if not len(givers.person):
        raise DesignError.of("Nobody had given before the day")
    fit = stats.giving.fit_bg_nbd if kind == "bg_nbd" else stats.giving.fit_bg_bb
    often = fit(*givers.history, ridge=terms.ridge)
    priced = givers.n_amounts > 0
    try:
        much = stats.giving.fit_gamma_gamma(givers.n_amounts[priced], givers.mean[priced], ridge=terms.ridge)
    except DesignError as error:
        return Fitted(kind, givers, often, None, f"amounts: {error}")
    if much.parameters["q"] <= 1:
        return Fitted(kind, givers, often, None, "amounts have so heavy a tail that their mean is infinite")
    return Fitted(kind, givers, often, much, None)


def expectations(fitted: Fitted, terms: Terms) -> Expectations:
    """What each giver is expected to do in the days to come.

    The errors of expected gifts and of the expected amount come from two fits, and are taken as independent.
    """
    history, model = fitted.givers.history, fitted.often
    gifts = stats.giving.expected_gifts(model, *history, horizon=terms.ahead)
    counted = stats.giving.expected_gifts(model, *history, horizon=terms.ahead, rate=terms.rate)
    p_donor = stats.giving.p_alive(model, *history)
    if fitted.kind == "bg_nbd":
        p_donor = np.where(fitted.givers.frequency > 0, p_donor, np.nan)
    amount = error = np.full(len(p_donor), np.nan)
    if fitted.much is not None:
        amount = fitted.much.expected(fitted.givers.n_amounts, fitted.givers.mean)
        error = fitted.much.error(fitted.givers.n_amounts, fitted.givers.mean)
    value = counted.estimate * amount
    spread = np.hypot(counted.std_error * amount, counted.estimate * error)
    return Expectations(
        p_donor,
        stats.giving.p_gift(model, *history, horizon=terms.ahead),
        gifts,
        amount,
        stats.giving.log_interval(value, spread),
    )


def totals(fitted: Fitted, terms: Terms, rng: np.random.Generator) -> dict[str, float | None]:
    """What all givers together may give, in 200 draws of the parameters and of what people do.

    Returns:
        Mean and 95 % interval of gifts and, where there is a model of amounts, of cents.
    """
    gifts, cents = [], []
    for _ in range(DRAWS):
        drawn = stats.giving.draw_gifts(
            fitted.often.drawn(rng), *fitted.givers.history, horizon=terms.ahead, rng=rng
        )
        gifts.append(float(drawn.sum()))
        if fitted.much is not None:
            some = drawn > 0
            cents.append(
                float(
                    fitted.much.drawn(rng)
                    .draw(drawn[some], fitted.givers.n_amounts[some], fitted.givers.mean[some], rng)
                    .sum()
                )
            )
    found: dict[str, float | None] = {}
    for name, of in (("gifts", gifts), ("cents", cents)):
        low, high = np.quantile(of, [0.025, 0.975]) if of else (None, None)
        found |= {name: float(np.mean(of)) if of else None, f"{name}_low": low, f"{name}_high": high}
    return found


def choose(
    gifts: Gifts, cut: int, terms: Terms, kinds: tuple[Kind, ...]
) -> tuple[Kind | None, dict[str, float | str]]:
    """The model that foresaw best who would give in the days after a cut.

    Args:
        gifts: All gifts.
        cut: The day that ends what is fitted to; the days judged on follow.
        terms: What is asked.
        kinds: The candidates.

    Returns:
        The one with the lowest log-loss of `p_gift`, None when none could be fitted; and each one's log-loss, or
        why it has none.
    """
    told: dict[str, float | str] = {}
    losses: dict[Kind, float] = {}
    for kind in kinds:
        try:
            fitted = fit_givers(gifts, cut, terms, kind)
        except DesignError as error:
            told[kind] = str(error)
            continue
        gave = given(gifts, cut, cut + terms.horizon, terms.period, kind)[0][fitted.givers.person] > 0
        p = stats.giving.p_gift(fitted.often, *fitted.givers.history, horizon=terms.ahead)
        told[kind] = losses[kind] = stats.calibration.log_loss(gave, np.clip(p, 0, 1))
    best = min(losses.items(), key=lambda item: item[1])[0] if losses else None
    return best, told


def ruled(gifts: Gifts, cut: int, terms: Terms) -> dict[str, Floats]:
    """What each rule of thumb says of everyone who had given before a day.

    Returns:
        `rfm`, 3 to 15, and `gave_last_year`, 0 or 1.
    """
    givers = describe(gifts, cut, terms.period, "bg_nbd")
    return {
        "rfm": recency_frequency_amount(givers).astype(np.float64),
        "gave_last_year": (givers.last >= cut - YEAR).astype(np.float64),
    }


def rule_probability(gifts: Gifts, cut: int, terms: Terms, rule: str) -> Floats:
    """A rule of thumb as a probability of giving: a curve learned on the days *before* the cut.

    It gets a curve of its own, so that it loses by its order and not by its scale.
    """
    before = cut - terms.horizon
    seen = describe(gifts, before, terms.period, "bg_nbd").person
    gave = given(gifts, before, cut, terms.period, "bg_nbd")[0][seen] > 0
    if gave.all() or not gave.any():
        raise DesignError.of(
            "The rule of thumb cannot be learned", received="all gave or none did", allowed="some of both"
        )
    known = ruled(gifts, before, terms)[rule]
    now = ruled(gifts, cut, terms)[rule]
    curve = stats.logistic.fit_logistic(np.column_stack([known, known**2]), gave, ridge=1.0)
    return curve.predict(np.column_stack([now, now**2]))


def parameters(fitted: Fitted) -> dict[str, Any]:
    """The parameters with their standard errors, for the card and for the model as text."""
    models: dict[str, Any] = {fitted.kind: (fitted.often.parameters, fitted.often.maximum)}
    if fitted.much is not None:
        models["gamma_gamma"] = (fitted.much.parameters, fitted.much.maximum)
    return {
        name: {
            "parameters": values,
            "std_errors": dict(zip(values, maximum.std_error().tolist(), strict=True)),
            "covariance_of_logarithms": maximum.covariance.tolist(),
            "log_likelihood": maximum.log_likelihood,
        }
        for name, (values, maximum) in models.items()
    }


def as_text(fitted: Fitted, terms: Terms) -> str:
    """The model as JSON."""
    return json.dumps({"terms": terms._asdict(), **parameters(fitted)})
