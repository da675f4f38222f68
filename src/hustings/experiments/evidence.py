"""The literature and the campaign's own lifts ─► what each action does, weighed together."""

from __future__ import annotations

from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from hustings import stats
from hustings.channels.evidence import PRIORS, USUAL, Prior
from hustings.errors import SettingError
from hustings.stage import About, Result, Table, stage
from hustings.tables import spec

Row = dict[str, Any]
Floats = npt.NDArray[np.float64]
_Z = 1.959963984540054


class Belief(NamedTuple):
    """A prior on its own scale, a contact or an assignment, after discounts."""

    prior: Prior
    discount: float
    mean: float
    std_error: float
    rate: float
    rate_from: str


@stage(writes="evidence")
def pool_evidence(
    actions: Table,
    lifts: Table,
    assignments: Table,
    *,
    outcomes: Annotated[
        dict[str, Literal["voted", "support"]],
        About("What the campaign's outcomes are in the literature: turnout or candidate choice."),
    ] = {"voted": "voted", "support": "support"},  # noqa: B006
    salience: Annotated[
        Literal["low", "high"],
        About("Of the election: in a general election effects are about half of those in a primary."),
    ] = "high",
    methods: Annotated[
        dict[str, str], About("The method of an action, where it is not the usual one of its channel.")
    ] = {},  # noqa: B006
    contact_rates: Annotated[
        dict[str, float], About("Share of the assigned whom a method reaches, where no own test tells.")
    ] = {},  # noqa: B006
    discounts: Annotated[
        dict[str, float], About("Share of a method's published effect that is believed here.")
    ] = {},  # noqa: B006
) -> Result:
    """Each method in general, and each declared action: prior, own estimate, and what to believe of both."""
    _check_names(methods, contact_rates, discounts)
    acts = _with_methods(actions, methods)
    rows: list[Row] = []
    for own_outcome, outcome in outcomes.items():
        measured = _measured(lifts, own_outcome)
        rates = _contact_rates(assignments, acts)
        for prior in PRIORS:
            if prior.outcome == outcome:
                belief = _belief(prior, salience, contact_rates, discounts)
                mine = [act for act in acts if act["method"] == prior.method]
                rows += _pooled(belief, own_outcome, mine, measured, rates)
        published = {prior.method for prior in PRIORS if prior.outcome == outcome}
        strange = [act for act in acts if act["method"] not in published]
        rows += [
            _own_alone(act, own_outcome, measured.get((act["experiment"], act["arm"]))) for act in strange
        ]
    return {name: [row.get(name) for row in rows] for name in spec("evidence").names}


def _check_names(
    methods: dict[str, str], contact_rates: dict[str, float], discounts: dict[str, float]
) -> None:
    known = {prior.method for prior in PRIORS}
    for name in (*methods.values(), *contact_rates, *discounts):
        if name not in known:
            raise SettingError.unknown("[evidence]: unknown method", name, known, "edit campaign.toml")
    for name, share in (*contact_rates.items(), *discounts.items()):
        if not 0 < share <= 1:
            raise SettingError.of(
                f"[evidence]: the share of {name}", received=share, allowed="above 0 and at most 1"
            )


def _with_methods(actions: Table, methods: dict[str, str]) -> list[Row]:
    rows = actions.order_by("action").to_pyarrow().to_pylist()
    for name in methods:
        if name not in {row["action"] for row in rows}:
            raise SettingError.unknown(
                "[evidence] methods: unknown action", name, [r["action"] for r in rows]
            )
    return [row | {"method": methods.get(row["action"], USUAL.get(row["channel"], ""))} for row in rows]


def _measured(lifts: Table, outcome: str) -> dict[tuple[str, str], Row]:
    """The lifts on one outcome by intention to treat, by test and arm."""
    found = lifts.filter(
        (lifts.outcome == outcome) & (lifts.estimator == "intention_to_treat") & lifts.estimate.notnull()
    )
    names = ("experiment", "arm", "estimate", "std_error", "n_control", "n_arm")
    rows = found.select(*names).to_pyarrow().to_pylist()
    return {(row["experiment"], row["arm"]): row for row in rows if row["std_error"] > 0}


def _contact_rates(assignments: Table, acts: list[Row]) -> dict[tuple[str, str], float]:
    """The share reached in each arm of whom it is known, and somebody was."""
    tests = sorted({act["experiment"] for act in acts if act["experiment"]})
    if not tests:
        return {}
    drawn = assignments.filter(assignments.experiment.isin(tests) & assignments.contacted.notnull())
    found = drawn.group_by("experiment", "arm").agg(rate=drawn.contacted.cast("float64").mean())
    rows = found.to_pyarrow().to_pylist()
    return {(row["experiment"], row["arm"]): row["rate"] for row in rows if row["rate"] > 0}


def _belief(
    prior: Prior, salience: str, contact_rates: dict[str, float], discounts: dict[str, float]
) -> Belief:
    """A discount is a guess: half of what it takes away is added to the error."""
    discount = discounts.get(prior.method, prior.discount(salience))
    error = float(np.hypot(discount * prior.std_error, (1 - discount) / 2 * prior.mean))
    per_contact = prior.estimand == "contact"
    given = prior.method in contact_rates and per_contact
    rate = contact_rates[prior.method] if given else prior.contact_rate
    return Belief(
        prior, discount, discount * prior.mean, error, rate, "campaign.toml" if given else "literature"
    )


def _pooled(
    belief: Belief,
    outcome: str,
    acts: list[Row],
    measured: dict[tuple[str, str], Row],
    rates: dict[tuple[str, str], float],
) -> list[Row]:
    """The method in general, then its actions. All is weighed on the prior's scale and told per assignment."""
    per_contact = belief.prior.estimand == "contact"
    keys = sorted({(act["experiment"], act["arm"]) for act in acts} & set(measured))
    own = [measured[key] for key in keys]
    rate = np.array([rates.get(key, belief.rate) if per_contact else 1.0 for key in keys])
    tests = sorted({key[0] for key in keys})
    test = np.array([tests.index(key[0]) for key in keys], np.int64)
    estimate, error, n_control, n_arm = (
        np.array([row[name] for row in own], np.float64)
        for name in ("estimate", "std_error", "n_control", "n_arm")
    )
    covariance = stats.evidence.shared_control(error / rate, n_control, n_arm, test)
    found = stats.evidence.update_prior(
        (belief.mean, belief.std_error, belief.prior.spread), estimate / rate, covariance
    )
    rows = [_row(belief, found, None, None, belief.rate, belief.rate_from)]
    for act in acts:
        key = (act["experiment"], act["arm"])
        at = keys.index(key) if key in keys else None
        known = key in rates and per_contact
        shown = (rates[key], "own test") if known else (belief.rate, belief.rate_from)
        own_row = _row(belief, found, at, measured.get(key), *shown)
        rows.append(own_row | {"action": act["action"], "channel": act["channel"]})
    return [{"outcome": outcome, "n_tests": len(keys), **row} for row in rows]


def _row(
    belief: Belief,
    found: stats.evidence.Updated,
    at: int | None,
    own: Row | None,
    rate: float,
    rate_from: str,
) -> Row:
    prior = belief.prior
    mean, error, weight = found.mean, found.new_error, found.new_weight
    if at is not None:
        mean, error, weight = float(found.effect[at]), float(found.effect_error[at]), float(found.weight[at])
    new = (found.mean * rate, found.new_error * rate)
    return {
        "action": prior.method,
        "method": prior.method,
        "channel": prior.channel,
        "is_tested": at is not None,
        "contact_rate": rate,
        "contact_rate_from": rate_from,
        "estimand": prior.estimand,
        "published": prior.mean,
        "published_per_vote": 1 / prior.mean if prior.mean else None,
        "prior": belief.mean * rate,
        "prior_error": belief.std_error * rate,
        "prior_spread": prior.spread * rate,
        "discount": belief.discount,
        "own_estimate": own["estimate"] if own else None,
        "own_error": own["std_error"] if own else None,
        "own_weight": weight,
        "estimate": mean * rate,
        "std_error": error * rate,
        "low": (mean - _Z * error) * rate,
        "high": (mean + _Z * error) * rate,
        "new_estimate": new[0],
        "new_error": new[1],
        "new_low": new[0] - _Z * new[1],
        "new_high": new[0] + _Z * new[1],
        **_one_in(mean, mean - _Z * error, mean + _Z * error),
        "told": _told(at, len(found.effect), weight),
        "source": prior.source,
        "reason": None if mean > 0 else "no vote is expected of any number of contacts",
    }


def _own_alone(act: Row, outcome: str, own: Row | None) -> Row:
    """An action of which the literature says nothing here."""
    row: Row = {
        "action": act["action"],
        "outcome": outcome,
        "method": act["method"] or act["channel"],
        "channel": act["channel"],
        "is_tested": own is not None,
        "n_tests": int(own is not None),
        "contact_rate_from": "own test",
        "estimand": "assignment",
        "told": "its own test alone: nothing published is known here",
        "source": "none",
    }
    if own is None:
        nothing = "neither published nor tested: nothing is known"
        return row | {"told": nothing, "reason": nothing}
    mean, error = own["estimate"], own["std_error"]
    ends = {"low": mean - _Z * error, "high": mean + _Z * error}
    shown = {
        "own_estimate": mean,
        "own_error": error,
        "own_weight": 1.0,
        "estimate": mean,
        "std_error": error,
    }
    return row | shown | ends | {"reason": "no spread between tests is known, so a new test is not predicted"}


def _one_in(mean: float, low: float, high: float) -> Row:
    """The effect on one person reached as "1 in so many"."""
    return {
        "contacts_per_vote": 1 / mean if mean > 0 else None,
        "contacts_per_vote_low": 1 / high if high > 0 else None,
        "contacts_per_vote_high": 1 / low if low > 0 else None,
    }


def _told(at: int | None, n_tests: int, weight: float) -> str:
    if not n_tests:
        return "the literature alone: this campaign has not tested the method"
    if at is None:
        return f"the literature, moved by {n_tests} own lifts of the method (weight {weight:.0%}); not tested itself"
    return f"its own test and {n_tests - 1} more of the method (weight {weight:.0%}); the literature has the rest"
