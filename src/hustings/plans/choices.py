"""People and gains as arrays by household: what every plan of contact chooses from."""

from __future__ import annotations

import datetime
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from hustings.errors import DesignError
from hustings.stage import Table

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Booleans = npt.NDArray[np.bool_]


class Action(NamedTuple):
    """One action that a plan may take.

    Attributes:
        name: Its section in campaign.toml.
        arm: The arm that measured it; empty where no own test did.
        channel: How it reaches people.
        cost: Of one unit, in cents.
        reaches: `household` or `person`.
        allowed: Whether it may be recommended.
        concern: Why it needs approval, or None.
        experiment: The test that measured it; empty where none did.
        kind: Of actions of one kind a household gets one.
        sent_on: When it goes out, or None.
        most: Units that there can be, or None.
        smallest: Units below which it is not done.
        minutes: Of a caller or a canvasser, for one unit.
    """

    name: str
    arm: str
    channel: str
    cost: float
    reaches: str
    allowed: bool
    concern: str | None
    experiment: str = ""
    kind: str = ""
    sent_on: datetime.date | None = None
    most: int | None = None
    smallest: int = 0
    minutes: float = 0.0


class Households(NamedTuple):
    """People by household, with what each action would add by each of them.

    Attributes:
        person_id: (n,) the people.
        household: (n,) code of each one's household.
        labels: (h,) the households' ids.
        effect: (n, a) expected gain of each action by each person, in the campaign's aim.
        std_error: (n, a) standard error of the effect on turnout.
        readings: The doubly robust and the weighted reading of that gain, each (n, a), NaN of actions that the
            test did not measure; None for people outside the test.
        addressee: (n, a) whether the person is the one named on the piece.
        open: (n, a) whether the person may be reached so; everybody unless given.
    """

    person_id: npt.NDArray[Any]
    household: Integers
    labels: list[str]
    effect: Floats
    std_error: Floats
    readings: dict[str, Floats] | None
    addressee: Booleans
    open: Booleans | None = None

    @property
    def n(self) -> int:
        """Households."""
        return len(self.labels)

    def by_household(self, values: Floats, actions: list[Action]) -> Floats:
        """(h, a) sums of (n, a) values over whom one unit of each action reaches."""
        sums = np.empty((self.n, len(actions)))
        for j, action in enumerate(actions):
            sums[:, j] = np.bincount(
                self.household, weights=values[:, j] * self.reached(action, j), minlength=self.n
            )
        return sums

    def reached(self, action: Action, j: int) -> Booleans:
        """(n,) whether one unit of an action reaches a person."""
        may = np.ones(len(self.household), bool) if self.open is None else self.open[:, j]
        if action.reaches == "household":
            # At an address that is no household a piece reaches its addressee alone.
            return may & (self.addressee[:, j] | ~self.crowded)
        return may & self.addressee[:, j]

    @property
    def crowded(self) -> Booleans:
        """(n,) whether more people live there than in any household: a home, a hall, a barracks."""
        size = np.bincount(self.household, minlength=self.n)
        return np.asarray((size > LARGEST)[self.household], bool)

    def may(self, n_actions: int) -> Booleans:
        """(h, a) whether somebody of the household may be reached so."""
        if self.open is None:
            return np.ones((self.n, n_actions), bool)
        counts = [np.bincount(self.household, self.open[:, j], self.n) for j in range(n_actions)]
        return np.column_stack(counts) > 0


LARGEST = 12
"""People at one address beyond whom it is no household."""


def read_actions(actions: Table, names: list[str], plan_id: str) -> list[Action]:
    """The actions that a plan names.

    Raises:
        DesignError: An action is not declared, or none is named.
    """
    found = {row["action"]: row for row in actions.to_pyarrow().to_pylist()}
    where = f"[contact_plan.{plan_id}] actions"
    for name in names:
        if name not in found:
            raise DesignError.unknown(f"{where}: unknown action", name, found, "add an [actions.…] section")
    if not names or len(set(names)) < len(names):
        raise DesignError.of(
            f"{where} must be named", received=", ".join(names) or "no action", allowed="each once"
        )
    return [
        Action(
            row["action"],
            row["arm"] or "",
            row["channel"],
            float(row["unit_cost_cents"]),
            row["reaches"],
            not row["needs_approval"] or bool(row["approved_by"]),
            row["concern"],
            row.get("experiment") or "",
            row.get("kind") or "",
            row.get("sent_on"),
            row.get("most"),
            int(row.get("smallest") or 0),
            float(row.get("unit_minutes") or 0.0),
        )
        for row in (found[name] for name in names)
    ]


def addressees(household: Integers, gain: Floats, may: Booleans | None = None) -> Booleans:
    """(n, a) for each action the one person of each household by whom it gains most; the first of equals.

    >>> addressees(np.array([0, 0, 1]), np.array([[1.0], [2.0], [0.0]]))[:, 0].tolist()
    [False, True, True]
    """
    marks = np.zeros(gain.shape, bool)
    if not len(household):
        return marks
    for j in range(gain.shape[1]):
        value = gain[:, j] if may is None else np.where(may[:, j], gain[:, j], -np.inf)
        order = np.lexsort((-value, household))
        sorted_homes = household[order]
        first = order[np.concatenate([[True], sorted_homes[1:] != sorted_homes[:-1]])]
        marks[first, j] = True if may is None else may[first, j]
    return marks


def by_lot(gain: Floats) -> Floats:
    """The same gains, those that are alike told apart by lot.

    Where an effect is the same for everyone, whole groups of households gain the same. A billionth of chance lets one
    price divide them, those to be treated and those held out alike.

    >>> bool((by_lot(np.ones((3, 1)))[:, 0] > 1).all())
    True
    """
    lot = np.random.default_rng(0).random((len(gain), 1))
    return gain * (1 + 1e-9 * lot)


def at_price(gain: Floats, cost: Floats, price: float, allowed: Booleans) -> Integers:
    """What a rule takes in each household when a cent must bring `price`: the best action, or -1.

    >>> at_price(np.array([[2.0, 3.0], [0.5, 0.1]]), np.array([1.0, 1.0]), 1.0, np.array([True, True])).tolist()
    [1, -1]
    """
    net = np.where(allowed & (gain > 0), gain - price * cost, -np.inf)
    best = net.argmax(axis=1)
    return np.where(net[np.arange(len(net)), best] > 0, best, -1)
