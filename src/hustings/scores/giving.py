"""Gifts ─► who is still a giver, and what each is expected to give in the days to come.

Judged forward in time: fitted to the gifts before a day, held against those after it, beside the rules of thumb
of the field. The kind of model is chosen on the days before those.
"""

from __future__ import annotations

import datetime
from typing import Annotated, Any, Literal, NamedTuple

import numpy as np

from hustings.errors import DesignError
from hustings.scores.gifts import EPOCH, Gifts, Kind, days, read_gifts
from hustings.scores.giving_card import Judged, card_row, judge
from hustings.scores.repeat import Fitted, Terms, as_text, choose, expectations, fit_givers, ruled, totals
from hustings.stage import About, Result, Table, stage
from hustings.tables import spec


class Outcome(NamedTuple):
    """What came of a section: a model that was judged, or why there is none."""

    fitted: Fitted | None
    judged: Judged | None
    card: dict[str, Any]
    why: str | None


@stage(writes=("giving", "models"), section="giving", each="giving")
def expect_gifts(
    events: Table,
    people: Table,
    *,
    giving: str,
    as_of: Annotated[datetime.date, About("The day as of which everyone is described.")],
    horizon_days: Annotated[int, About("How many days ahead gifts are expected.", ge=1, le=3650)] = 90,
    period_days: Annotated[
        int, About("Days in a period: the opportunities of `bg_bb`, and the unit of time of `bg_nbd`.", ge=1)
    ] = 30,
    model: Annotated[
        Literal["best", "bg_nbd", "bg_bb"],
        About(
            "`bg_nbd`: gifts at any time; `bg_bb`: one gift or none in each period; `best`: as foreseen best."
        ),
    ] = "best",
    kind: Annotated[str, About("The kind of event that is a gift.")] = "gift",
    rule: Annotated[
        Literal["rfm", "gave_last_year"], About("The rule of thumb that the model must beat.")
    ] = "rfm",
    discount: Annotated[float, About("A year's discount on money to come.", ge=0, le=1)] = 0.0,
    ledger: Annotated[
        bool,
        About("The file is a ledger: when judging, a gift was known on its day, whenever the file arrived."),
    ] = False,
    ridge: Annotated[
        float,
        About("Keeps few givers from running the parameters away; 0 is plain maximum likelihood.", ge=0),
    ] = 0.1,
    rng: np.random.Generator,
) -> Result:
    """A row for everyone who has given, or none when the model does not beat its rule of thumb."""
    if model != "bg_nbd" and horizon_days % period_days:
        raise DesignError.of(
            f"[giving.{giving}] horizon_days is not a whole number of periods", received=horizon_days,
            allowed=f"a multiple of period_days ({period_days})", then='or set model = "bg_nbd"',
        )  # fmt: skip
    yearly = float(np.log1p(discount))
    terms = Terms(horizon_days, period_days, float(np.expm1(yearly * period_days / 365.2425)), ridge)
    gifts = read_gifts(events, people, kind, as_of, ledger)
    kinds: tuple[Kind, ...] = ("bg_nbd", "bg_bb") if model == "best" else (model,)
    found = _outcome(gifts, days(as_of), terms, kinds, rule, rng)
    row = card_row(
        giving, as_of, rule, len(gifts.person_id), found.fitted, found.judged, found.card, found.why
    )
    rows: dict[str, Any] = {name: [] for name in spec("giving").names}
    if found.fitted is not None and row["published"]:
        row["model"] = as_text(found.fitted, terms)
        rows = _rows(gifts, giving, as_of, found.fitted, terms)
    return {"giving": rows, "models": {name: [row[name]] for name in spec("models").names}}


def _outcome(
    gifts: Gifts, day: int, terms: Terms, kinds: tuple[Kind, ...], rule: str, rng: np.random.Generator
) -> Outcome:
    """Choose on the days before last, judge on the last, then fit to all."""
    card: dict[str, Any] = {"n_gifts_of_no_amount_or_less": gifts.n_refused}
    why = _too_short(gifts, day, terms.horizon)
    if why:
        return Outcome(None, None, card, why)
    chosen, card["candidates"] = choose(gifts, day - 2 * terms.horizon, terms, kinds)
    if chosen is None:
        return Outcome(None, None, card, "; ".join(f"{k}: {v}" for k, v in card["candidates"].items()))
    try:
        judged = judge(gifts, day - terms.horizon, terms, chosen, rule, rng)
        fitted = fit_givers(gifts, day, terms, chosen)
    except DesignError as error:
        return Outcome(None, None, card, str(error))
    card |= {"to_come": totals(fitted, terms, rng), "no_amounts": fitted.no_amount}
    card["correlation_of_frequency_and_amount"] = _independence(fitted)
    return Outcome(fitted, judged, card, None)


def _too_short(gifts: Gifts, day: int, horizon: int) -> str | None:
    """Why there is not enough to choose, to judge and to fit, if so."""
    if not len(gifts.day):
        return "nobody is known to have given before the day"
    start = day - 3 * horizon
    if (gifts.day < start).any() and not ((gifts.day < start) & (gifts.known <= start)).any():
        return (
            f"no gift had arrived {3 * horizon} days before the day, though some had been made: set arrived_on in "
            "the source, or ledger = true where the file tells of gifts that were known when they were made"
        )
    if not (gifts.day < start).any():
        return f"gifts go back {day - int(gifts.day.min())} days: {3 * horizon} or more are needed to judge forward in time"
    return None


def _independence(fitted: Fitted) -> dict[str, float] | None:
    """Whether those who give more often give other amounts, as Gamma-Gamma assumes they do not."""
    again = (fitted.givers.frequency > 0) & (fitted.givers.mean > 0)
    often, much = np.log(fitted.givers.frequency[again]), np.log(fitted.givers.mean[again])
    if again.sum() < 10 or np.ptp(often) == 0 or np.ptp(much) == 0:
        return None
    found = float(np.corrcoef(often, much)[0, 1])
    half = 1.96 / np.sqrt(again.sum() - 3)
    low, high = np.tanh(np.arctanh(np.clip(found, -0.999999, 0.999999)) + np.array([-half, half]))
    return {"estimate": found, "low": float(low), "high": float(high)}


def _rows(gifts: Gifts, giving: str, as_of: datetime.date, fitted: Fitted, terms: Terms) -> dict[str, Any]:
    givers, found = fitted.givers, expectations(fitted, terms)
    n = len(givers.person)
    rules = ruled(gifts, days(as_of), terms)
    until = as_of + datetime.timedelta(days=terms.horizon)
    missing = [fitted.no_amount, "bg_nbd lets nobody stop before a second gift"]
    why = np.full(n, missing[0], dtype=object)
    once = np.isnan(found.p_donor)
    why[once] = "; ".join(text for text in missing if text)
    return {
        "person_id": gifts.person_id[givers.person],
        "giving": np.full(n, giving, dtype=object),
        "as_of": np.full(n, as_of, dtype=object),
        "until_on": np.full(n, until, dtype=object),
        "n_gifts": givers.n_days,
        "last_gift_on": np.datetime64(EPOCH, "D") + givers.last,
        "total_given": np.where(givers.n_amounts > 0, givers.n_amounts * givers.mean, np.nan),
        "rfm": rules["rfm"].astype(np.int64),
        "gave_last_year": rules["gave_last_year"] > 0,
        "p_donor": found.p_donor,
        "p_gift": found.p_gift,
        "expected_gifts": found.gifts.estimate,
        "expected_gifts_low": found.gifts.low,
        "expected_gifts_high": found.gifts.high,
        "expected_amount": found.amount,
        "expected_value": found.value.estimate,
        "expected_value_low": found.value.low,
        "expected_value_high": found.value.high,
        "reason": why,
    }
