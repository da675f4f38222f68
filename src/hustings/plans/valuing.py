"""What a way of choosing is worth: by the outcomes of own tests where there are some, else by the literature.

The sum of predictions of those who were chosen is never told as the gain of an action that an own test measured: the
errors were chosen with them. The same rule is applied to the test's people, by effects learned without them, and
valued by what they did. Where no own test stands behind an action, its effect is one number for all, which nobody
was chosen by, and the literature's error is told with it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from hustings import stats
from hustings.plans.choices import Action, Floats, Integers
from hustings.plans.known import Gains, Trial

_Z = 1.959963984540054


class Way(NamedTuple):
    """One way to spend the budget, and whom it would choose in each own test.

    Attributes:
        name: As in `options`.
        about: What it does, in a sentence.
        contact: (h, f) what it takes in each household of the plan: actions' numbers, or -1; control left out.
        in_trials: (h, f) the same in each household of each test.
        cost: In cents.
        curve: Cents and predicted gain along the way, both rising from 0.
        reason: Why there is nothing to value, or None.
    """

    name: str
    about: str
    contact: Integers
    in_trials: tuple[Integers, ...]
    cost: float
    curve: tuple[Floats, Floats] = (np.zeros(1), np.zeros(1))
    reason: str | None = None

    @property
    def pieces(self) -> int:
        """Units sent."""
        return int((self.contact >= 0).sum())

    @property
    def homes(self) -> int:
        """Households contacted."""
        return int((self.contact >= 0).any(axis=1).sum())


class Told(NamedTuple):
    """What a way is worth.

    Attributes:
        estimate: Expected gain, in the campaign's aim.
        std_error: Its standard error.
        low: Lower end of the 95 % interval.
        high: Upper end.
        tested: Share of the gain that own tests stand behind.
        predicted: What the predictions add up to.
        parts: The value by each own test, None where the way takes nothing that it measured.
        beliefs: By what the other effects rest on: the deviations of the gain at each node of their errors.
        reason: Why there is no value, or None.
    """

    estimate: float
    std_error: float
    low: float
    high: float
    tested: float
    predicted: float
    parts: tuple[stats.policy.RuleValue | None, ...]
    beliefs: dict[str, Floats]
    reason: str | None


def value(gains: Gains, actions: list[Action], way: Way, estimator: str) -> Told:
    """What one way is worth, by one estimator of the own tests."""
    measured = {j for j, basis in enumerate(gains.basis) if basis.experiment}
    parts = tuple(
        _by_test(trial, actions, contact, _units(way.contact, trial.own), estimator)
        for trial, contact in zip(gains.trials, way.in_trials, strict=True)
    )
    believed: dict[str, Floats] = {}
    predicted, own_tested = 0.0, 0.0
    for j, basis in enumerate(gains.basis):
        rows = _reached(gains, actions, way.contact, j)
        if not len(rows):
            continue
        if j in measured:
            predicted += float(gains.plan.effect[rows, j].sum())
            continue
        nodes = gains.nodes(rows, j)
        predicted += float(stats.net_votes.WEIGHTS @ nodes)
        own_tested += basis.tested * float(stats.net_votes.WEIGHTS @ nodes)
        believed[basis.evidence] = believed.get(basis.evidence, np.zeros(9)) + nodes
    return _together(parts, believed, predicted, own_tested)


def _together(
    parts: tuple[stats.policy.RuleValue | None, ...],
    believed: dict[str, Floats],
    predicted: float,
    own_tested: float,
) -> Told:
    there = [part for part in parts if part is not None]
    reason = next((part.reason for part in there if part.reason), None)
    if reason is None and len(there) == 1 and not believed:
        only = there[0]
        return Told(only.estimate, only.std_error, only.low, only.high, 1.0, predicted, parts, {}, None)
    if reason is not None:
        return Told(np.nan, np.nan, np.nan, np.nan, np.nan, predicted, parts, {}, reason)
    by_tests = sum(part.estimate for part in there)
    estimate = by_tests + sum(float(stats.net_votes.WEIGHTS @ nodes) for nodes in believed.values())
    variance = sum(part.std_error**2 for part in there) + _variance(believed)
    error = float(np.sqrt(variance))
    tested = (by_tests + own_tested) / estimate if estimate else 0.0
    return Told(
        estimate, error, estimate - _Z * error, estimate + _Z * error, float(np.clip(tested, 0, 1)), predicted, parts,
        believed, None,
    )  # fmt: skip


def _variance(believed: dict[str, Floats]) -> float:
    """Errors of effects are each kind's own; those of the scores' levels are shared by all."""
    if not believed:
        return 0.0
    own = sum(float(stats.net_votes.axis_variances(nodes)[2:].sum()) for nodes in believed.values())
    return own + float(stats.net_votes.axis_variances(np.sum(list(believed.values()), axis=0))[:2].sum())


def advantage(plan: Told, other: Told) -> tuple[float, float, float]:
    """How much more the plan is worth than another way: estimate, low, high; what both rest on cancels."""
    if plan.reason or other.reason:
        return np.nan, np.nan, np.nan
    pairs = [(a, b) for a, b in zip(plan.parts, other.parts, strict=True) if a is not None or b is not None]
    if len(pairs) == 1 and not plan.beliefs and not other.beliefs and None not in pairs[0]:
        return stats.policy.advantage(pairs[0][0], pairs[0][1])  # type: ignore[arg-type]
    variance = 0.0
    for a, b in pairs:
        apart = (0.0 if a is None else a.influence) - (0.0 if b is None else b.influence)
        variance += float(np.sum(np.square(apart)))
    none = np.zeros(9)
    names = {**plan.beliefs, **other.beliefs}
    variance += _variance({n: plan.beliefs.get(n, none) - other.beliefs.get(n, none) for n in names})
    half, apart_by = _Z * float(np.sqrt(variance)), plan.estimate - other.estimate
    return apart_by, apart_by - half, apart_by + half


def _by_test(
    trial: Trial, actions: list[Action], contact: Integers, units: int, estimator: str
) -> stats.policy.RuleValue | None:
    """The value of what a way takes of the actions that a test measured, by what the test's people did."""
    if not units:
        return None
    assert trial.households.readings is not None  # the test's own people always have readings
    own = np.isin(contact, trial.own)
    values = np.nan_to_num(trial.households.readings[estimator])
    sums = trial.households.by_household(values, actions)
    taken = np.take_along_axis(sums, np.maximum(contact, 0), axis=1)
    reading = np.where(own, taken, 0.0).sum(axis=1)
    return stats.policy.rule_value(reading, own.any(axis=1), units)


def _units(contact: Integers, own: tuple[int, ...]) -> int:
    """Households that get something which the test measured."""
    return int(np.isin(contact, own).any(axis=1).sum())


def _reached(gains: Gains, actions: list[Action], contact: Integers, j: int) -> Integers:
    """The people whom one action reaches."""
    homes = np.asarray((contact == j).any(axis=1), bool)
    return np.flatnonzero(homes[gains.plan.household] & gains.plan.reached(actions[j], j))


def votes(gains: Gains, actions: list[Action], way: Way) -> float:
    """Predicted net votes, or added ballots where support is not asked for."""
    counted = gains.ballots if gains.net_votes is None else gains.net_votes
    return sum(float(counted[_reached(gains, actions, way.contact, j), j].sum()) for j in range(len(actions)))


def people_reached(gains: Gains, way: Way) -> int:
    """People who live where something is sent."""
    homes = np.asarray((way.contact >= 0).any(axis=1), bool)
    return int(homes[gains.plan.household].sum())
