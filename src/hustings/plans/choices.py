"""People and effects as arrays by household: what every plan of contact chooses from."""

from __future__ import annotations

import datetime
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from hustings.errors import DesignError
from hustings.stage import Table
from hustings.warehouse import arrays, codes

Floats = npt.NDArray[np.float64]
_NUMBERS = ("estimate", "std_error", "aipw", "ipw")


class Action(NamedTuple):
    """One action that a plan may take.

    Attributes:
        name: Its section in campaign.toml.
        arm: The arm that measured it.
        channel: How it reaches people.
        cost: Of one unit, in cents.
        reaches: `household` or `person`.
        allowed: Whether it may be recommended.
        concern: Why it needs approval, or None.
    """

    name: str
    arm: str
    channel: str
    cost: float
    reaches: str
    allowed: bool
    concern: str | None


class Households(NamedTuple):
    """People by household, with what each action would do for each.

    Attributes:
        person_id: (n,) the people.
        household: (n,) code of each one's household.
        labels: (h,) the households' ids.
        effect: (n, a) predicted effect of each action on each person.
        std_error: (n, a) its standard error.
        readings: The doubly robust and the weighted reading, each (n, a); None for people outside the test.
        addressee: (n, a) whether the person is the one named on the piece.
    """

    person_id: npt.NDArray[Any]
    household: npt.NDArray[np.int64]
    labels: list[str]
    effect: Floats
    std_error: Floats
    readings: dict[str, Floats] | None
    addressee: npt.NDArray[np.bool_]

    @property
    def n(self) -> int:
        """Households."""
        return len(self.labels)

    def by_household(self, values: Floats, actions: list[Action]) -> Floats:
        """(h, a) sums of (n, a) values over whom one unit of each action reaches."""
        sums = np.empty((self.n, len(actions)))
        for j, action in enumerate(actions):
            reached = values[:, j] if action.reaches == "household" else values[:, j] * self.addressee[:, j]
            sums[:, j] = np.bincount(self.household, weights=reached, minlength=self.n)
        return sums


def read_actions(actions: Table, names: list[str], plan_id: str) -> tuple[str, list[Action]]:
    """The test and the actions that a plan names.

    Raises:
        DesignError: An action is not declared, none is named, or they were measured by several tests.
    """
    found = {row["action"]: row for row in actions.to_pyarrow().to_pylist()}
    where = f"[contact_plan.{plan_id}] actions"
    for name in names:
        if name not in found:
            raise DesignError.unknown(f"{where}: unknown action", name, found, "add an [actions.…] section")
    tests = sorted({found[name]["experiment"] for name in names})
    if len(tests) != 1:
        raise DesignError.of(
            f"{where} must be measured by one test",
            received=", ".join(tests) or "no action",
            then="split the plan",
        )
    chosen = [
        Action(
            row["action"],
            row["arm"],
            row["channel"],
            float(row["unit_cost_cents"]),
            row["reaches"],
            not row["needs_approval"] or bool(row["approved_by"]),
            row["concern"],
        )
        for row in (found[name] for name in names)
    ]
    return tests[0], chosen


def willing(people: Table, opt_outs: Table, identities: Table, channels: set[str]) -> Any:
    """The people in whose household nobody has refused one of the channels: a piece reaches all who live there."""
    refused = opt_outs.filter(opt_outs.channel.isin(["all", *sorted(channels)]))
    same = [refused.record_source == identities.source, refused.record_id == identities.record_id]
    who = refused.join(identities.select("source", "record_id", "person_id"), same, rname="{name}_of")
    homes = people.semi_join(who, "person_id").select("household_id").distinct()
    return people.anti_join(homes, "household_id").select("person_id", "household_id")


def households(
    effects: Table, people: Any, actions: list[Action], *, tested: bool, as_of: datetime.date
) -> Households:
    """The people of a plan as of a day, or those of the test that measured its actions as of its draw.

    Args:
        effects: The table of that name, of one test and outcome.
        people: Whom the plan may reach: `person_id` and `household_id`.
        actions: The plan's actions.
        tested: The test's people, with their readings, rather than everyone as of `as_of`.
        as_of: The day.

    Returns:
        The same people for every action.

    Raises:
        DesignError: An action's arm has no effects.
    """
    rows = effects.filter(effects.aipw.notnull() if tested else effects.as_of == as_of)
    found = arrays(_wide(rows, people, actions))
    for j, action in enumerate(actions):
        if not len(found["person_id"]) or np.isnan(np.asarray(found[f"estimate_{j}"], np.float64)).any():
            raise DesignError.of(
                f"[actions.{action.name}]: somebody has no effect of the arm",
                received=action.arm,
                then="hustings show models",
            )
    home = codes(found["household_id"])
    wide = {
        name: np.column_stack([np.asarray(found[f"{name}_{j}"], np.float64) for j in range(len(actions))])
        for name in _NUMBERS
    }
    readings = {"aipw": wide["aipw"], "ipw": wide["ipw"]} if tested else None
    addressee = _addressee(home.codes, wide["estimate"])
    return Households(
        found["person_id"], home.codes, home.labels, wide["estimate"], wide["std_error"], readings, addressee
    )


def _wide(rows: Any, people: Any, actions: list[Action]) -> Any:
    """One row for each person, with the numbers of every action side by side."""
    sides = {
        f"{name}_{j}": rows[name].max(where=rows.arm == action.arm)
        for j, action in enumerate(actions)
        for name in _NUMBERS
    }
    return rows.group_by("person_id").agg(**sides).join(people, "person_id").order_by("person_id")


def _addressee(household: npt.NDArray[np.int64], effect: Floats) -> npt.NDArray[np.bool_]:
    """For each action the one person of each household on whom it works best; the first of equals."""
    marks = np.zeros(effect.shape, bool)
    if not len(household):
        return marks
    for j in range(effect.shape[1]):
        order = np.lexsort((-effect[:, j], household))
        sorted_homes = household[order]
        marks[order[np.concatenate([[True], sorted_homes[1:] != sorted_homes[:-1]])], j] = True
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


def at_price(
    gain: Floats, cost: Floats, price: float, allowed: npt.NDArray[np.bool_]
) -> npt.NDArray[np.int64]:
    """What a rule takes in each household when a cent must bring `price`: the best action, or -1.

    >>> at_price(np.array([[2.0, 3.0], [0.5, 0.1]]), np.array([1.0, 1.0]), 1.0, np.array([True, True])).tolist()
    [1, -1]
    """
    net = np.where(allowed & (gain > 0), gain - price * cost, -np.inf)
    best = net.argmax(axis=1)
    return np.where(net[np.arange(len(net)), best] > 0, best, -1)
